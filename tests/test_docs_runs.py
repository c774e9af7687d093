"""Each command of README, pages and help texts that runs a script, lists some or compares runners is carried out.

Simulations run with less of everything: `LESS` goes over what a command says. Numbers mean nothing at such sizes, and no
check has to be passed: what is tested is that a command goes all its way and leaves a recording.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import neurodyn as nd
from neurodyn import backends
from neurodyn._command_line import parser
from neurodyn.cli import _assignments, main
from neurodyn.conformance.circuits import CIRCUITS
from tests.pages import BLOCKS, ROOT, SOURCES, taken, words

pytestmark = pytest.mark.slow

#: by script, then by its experiment
LESS: dict[str, dict[str, str]] = {
    "what_when": {"seeds": "1", "neurons": "100", "trials": "10"},
    "dopamine_stdp": {"minutes": "2", "seeds": "1"},
    "delayed_match_reward": {"trials": "300", "seeds": "1"},
    "force_spiking": {"seeds": "1", "neurons": "60"},
    "local_learning": {"seeds": "1", "cells": "20"},
    "local_learning pattern": {"trials": "3"},
    "local_learning hoerzer": {"trials": "3"},
    "izhikevich_patterns": {"seeds": "1", "duration": "4 s"},
    "stochastic_resonance": {"seeds": "4", "paths": "4", "time": "1500"},
    "coherence_resonance": {"seeds": "4", "paths": "4", "time": "200"},
    "chaotic_systems": {"quick": "true", "networks": "2", "units": "80"},
    "reservoir_dimensionality": {"seeds": "2", "neurons": "200", "kept": "50", "trials": "16", "samples": "5"},
    "timescale_estimators": {"timescales": "5", "steps": "1000", "trials": "2", "units": "20", "seeds": "1"},
    "timescales_parity": {"quick": "true", "units": "24", "until": "2", "seeds": "1"},
    "timescales_delayed_match": {"units": "24", "until": "2", "seeds": "1"},
    "timescales_robustness": {"quick": "true", "n": "2"},
    "hmm_emulation": {"units": "50", "noise_inputs": "10", "batch": "64", "updates": "25", "sequences": "64", "seeds": "1"},
    "hmm_mechanism": {"states": "4000"},  # fewer leave too few in some zone
    "hmm_noise": {"updates": "25", "seeds": "1"},
    "hmm_data": {"quick": "true", "states": "1,2", "length": "30", "updates": "25"},
    "pvrnn_meta_prior": {"updates": "4", "seeds": "1"},
    "pvrnn_primitives": {"updates": "4", "seeds": "1", "pairs": "2"},
    "pvrnn_joints": {"quick": "true", "updates": "4", "seeds": "1"},
}  # fmt: skip


def less(command: str) -> tuple[str, dict[str, str], list[str]]:
    """The script of a command, its parameters as texts, smaller, and the flags of the command line."""
    options, options.rest = parser().parse_known_args(words(command))
    given, script = _assignments(options), Path(options.script).stem
    given |= LESS[script]
    given |= LESS.get(f"{script} {given.get('experiment')}", {})
    flags = [f"--{name}" for name in ("overwrite", "resume", "json", "strict") if getattr(options, name)]
    return options.script, given, flags


def distinct() -> list[Any]:
    """Those that differ in amounts alone are the same when all are small: the first of them, with its page."""
    found = {}
    for command, page in taken("run").items():
        script, given, flags = less(command)
        same = {name: value for name, value in given.items() if name not in ("out", "seed")}
        found.setdefault((script, *flags, *sorted(same.items())), (page, command))
    return [pytest.param(page, command, id=command[25:]) for page, command in found.values()]


def beside_simulations(folder: Path) -> Path:
    """Make a folder such as a reader types in."""
    (folder / "simulations").symlink_to(ROOT / "simulations", target_is_directory=True)
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a command is typed."""
    monkeypatch.chdir(beside_simulations(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Carry out a command of a page, smaller, once, in a folder of its own; return where its recording is.

    If it reads recordings, runs/NAME.*.h5, that of the page with --out runs/NAME.h5 goes first.
    """

    @functools.cache
    def carry_out(page: str, command: str) -> Path:
        place = beside_simulations(tmp_path_factory.mktemp("reader"))
        for name in re.findall(r"runs/(\w+)\.[^\s,]+\.h5", command):
            (maker,) = (c for c in SOURCES[page] if f"--out runs/{name}.h5" in c)
            shutil.copytree(carry_out(page, maker).parent, place / "runs", dirs_exist_ok=True)
        if "--data FILE" in command:
            sequences = nd.tasks.HiddenMarkov.chain(2).sample(40, 40, seed=1)[1].tolist()
            (place / "FILE").write_text("\n".join(" ".join(map(str, line)) for line in sequences))
        script, given, flags = less(command)
        with contextlib.chdir(place):
            assert main(["run", script, *flags, *(f"--set={name}={value}" for name, value in given.items())]) == 0
        return place / given.get("out", f"runs/{Path(script).stem}.h5")

    return carry_out


@pytest.fixture
def off_the_plateau(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that emulate start where the training of a tutorial ended.

    It takes them hundreds of updates to leave the plateau of independent symbols, where there is nothing to take apart
    and no switch to count.
    """
    trained = nd.load_training(ROOT / "tutorials" / "recordings" / "05_hidden_markov.h5").network("best")
    new = nd.HMMRNN

    def started(units: int, **options: Any) -> nd.HMMRNN:
        net = new(units, **options)
        if all(net.state_dict()[name].shape == value.shape for name, value in trained.state_dict().items()):
            net.load_state_dict(trained.state_dict(), strict=False)  # has no biases; they stay 0
        return net

    monkeypatch.setattr(nd, "HMMRNN", started)


@pytest.mark.usefixtures("off_the_plateau")
@pytest.mark.parametrize("page, command", distinct())
def test_a_run(page: str, command: str, carried_out: Callable[[str, str], Path]) -> None:
    assert nd.load(carried_out(page, command)).complete


@pytest.mark.parametrize("command", [c for c in taken("other") if not c.startswith("neurodyn run")])
def test_what_there_is(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(command)) == 0
    said = capsys.readouterr().out
    if command.startswith("neurodyn list"):
        scripts = sorted(path.stem for path in (ROOT / "simulations").glob("*.py"))
        assert re.findall(r"^simulations/(\w+)\.py$", said, re.MULTILINE) == scripts
    else:
        assert ("experiment" if command.startswith("neurodyn info") else "compiled kernels") in said


TWO = '''
import neurodyn as nd

@nd.simulation
def first_one(*, seed: int = 1):
    """One."""
    return {"y": 1}

@nd.simulation
def second_one(*, seed: int = 1):
    """Two."""
    return nd.Outcome(results={"y": 2}, checks=[nd.check("y", 2, ">= 2")])
'''


@pytest.mark.parametrize("command", [c for c in taken("other") if c.startswith("neurodyn run")])
def test_a_script_of_ones_own(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "my_scripts.py").write_text(TWO)
    assert main(words(command)) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["results"] == {"y": 2}


@pytest.fixture
def runners(folder: Path) -> Iterator[None]:
    """The runner of docs/extend.md, also as that of a package; forgotten again at the end."""
    found = re.search(r"Path\(\"my_engine.py\"\).write_text\('''(.*?)'''\)", BLOCKS["extend"][-1], re.DOTALL)
    assert found is not None
    (folder / "my_engine.py").write_text(found[1])
    (folder / "mypackage").mkdir()
    (folder / "mypackage" / "__init__.py").touch()
    (folder / "mypackage" / "engine.py").write_text(found[1].replace("Counting", "MyEngine"))
    known = dict(backends._ENGINES)
    yield
    backends._ENGINES.clear()
    backends._ENGINES.update(known)
    for name in ("my_engine", "mypackage", "mypackage.engine"):
        sys.modules.pop(name, None)


#: circuits instead of all, or of those that a command names: of these, two take a minute with everything
FEW = ["--circuit", "one_step", "rates"]


@pytest.mark.usefixtures("runners")
@pytest.mark.parametrize("command", taken("conformance"))
def test_runners_are_compared(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = words(command)
    named = parser().parse_args(given).circuit
    assert {*named} <= {*CIRCUITS}
    code = main([*(word for word in given if word not in ("--circuit", *named)), *FEW])
    said = capsys.readouterr()
    if "torch@cuda" in given and not torch.cuda.is_available():
        assert code == 2 and "finds no GPU here; use device='cpu' or 'auto'" in said.err
    else:
        assert code == 0 and said.out.endswith(" 0 FAILED\n")


@pytest.mark.usefixtures("runners")
def test_a_page_on_files_of_ones_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All commands of docs/extend.md, on the files that it shows."""
    cell, shown, _ = BLOCKS["extend"][0].partition("\n\n\ndrive = ")
    (simulation,) = (block for block in BLOCKS["extend"] if "@nd.simulation" in block)
    assert shown
    (folder / "model.py").write_text(f"{cell}\n\n\n{simulation}")
    for command in taken("extend"):
        few = FEW if "conformance" in command else []
        assert main([*words(command), *few]) == 0, command
    said = capsys.readouterr().out
    assert "3 of 3 points are done" in said and said.endswith(" 0 FAILED\n")
