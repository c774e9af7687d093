"""Each `$ neurodyn` command of README and pages is understood; those that scan on a laptop are carried out."""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn import _command_help, _command_scan
from neurodyn._command_line import UsageError, parser
from neurodyn._command_scan import parse as parse_scan
from neurodyn.cli import _assignments, main
from neurodyn.scripts import simulation_of

ROOT = Path(__file__).parents[1]
SCAN = ROOT / "docs" / "examples" / "scan"
MADE_UP = {"model.py", "my_scripts.py"}  # the reader's own scripts


def commands(page: Path) -> list[str]:
    """Those after a prompt, without what stands behind `#`, then those within a text that name a simulation."""
    text = page.read_text(encoding="utf-8")
    prompted = re.findall(r"^\$ (neurodyn\b[^#\n]*?) *(?:#.*)?$", text, re.MULTILINE)
    return [*prompted, *re.findall(r"`(neurodyn (?:run|scan) simulations/[^`]+)`", text)]


def examples() -> list[str]:
    """Those under the help texts of the commands; what is explained beside them begins after three blanks."""
    told = "\n".join(text for name, text in vars(_command_help).items() if name.endswith("EXAMPLES"))
    told += (
        _command_scan._NEW + _command_scan._RUN + _command_scan._EXTEND + _command_scan._STATUS + _command_scan._PLOT
    )
    return [re.split(r"   +", line)[0] for line in re.findall(r"^  (neurodyn .*)$", told, re.MULTILINE)]


SOURCES = {page.stem: commands(page) for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
COMMANDS = [
    pytest.param(command, id=f"{source}: {command[9:60]}")
    for source, listed in [*SOURCES.items(), ("help", examples())]
    for command in dict.fromkeys(listed)
]


def understood(command: str) -> argparse.Namespace:
    """The options of a command; scripts exist, and parameters are parameters of the simulation, or `UsageError`."""
    words = shlex.split(re.split(r" [>|] ", command)[0])[1:]  # what a shell does with the output is its own
    if words[:1] == ["scan"]:
        options = parse_scan(words[1:])
        target, rest = getattr(options, "simulation", ""), []
    else:
        options, rest = parser().parse_known_args(words)
        target = options.script if options.command == "run" else ""
    script = target.partition(":")[0]
    if not script.endswith(".py") or script in MADE_UP:
        if rest:
            raise UsageError(f"unknown argument {rest[0]!r}")
        return options
    simulation = simulation_of(target if (ROOT / script).exists() else str(SCAN / target))
    if words[0] == "run":
        options.rest = rest
        simulation.prepare(overwrite=True, **simulation.from_text(_assignments(options) | {"out": "none.h5"}))
        return options
    axes = [axis for name in ("set", "grid") for axis in getattr(options, name, None) or ()]
    known = {p.name for p in simulation.parameters}
    unknown = {axis.partition("=")[0] for axis in axes} - known
    if unknown:
        raise UsageError(f"{script} has no parameter {unknown.pop()!r}")
    return options


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert understood(command)


@pytest.mark.parametrize(
    "command",
    [
        "neurodyn run simulations/nothing.py",
        "neurodyn run simulations/what_when.py --set experimnt=E3",
        "neurodyn run simulations/what_when.py --set neurons=many",
        "neurodyn scan simulations/what_when.py --grid rulez=rls",
        "neurodyn plott runs/a.h5",
        "neurodyn plot runs/a.h5 --colour red",
    ],
)
def test_a_wrong_command_is_not(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises((UsageError, ValueError)):
        understood(command)


def test_commands_on_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    shutil.copy(SCAN / "noisy_cells.py", tmp_path)
    page = ROOT / "docs" / "scans.md"
    on_a_laptop = [command for command in commands(page) if command.startswith("neurodyn scan")][:5]
    assert [shlex.split(command)[2] for command in on_a_laptop[2:]] == ["status", "collect", "plot"]
    for command in on_a_laptop:
        words = [word.replace("1.4, 9)", "1.4, 2)") for word in shlex.split(command)[1:]]
        assert main(words) == 0, words
    assert (tmp_path / "scans" / "cells" / "results.csv").exists()
    plan = re.search(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert plan is not None
    (tmp_path / "plan.toml").write_text(plan[1].replace("scans/cells", "scans/planned"))
    assert main(["scan", "plan.toml", "--plan-only"]) == 0


ON_A_RECORDING = sorted(
    {
        re.sub(r"runs/\w+\.h5", "runs/a.h5", re.split(r" [>|] ", command)[0], count=1)
        for command in [c for listed in SOURCES.values() for c in listed] + examples()
        if re.search(r"neurodyn (info|plot|analyse|rerun|report|export|methods|cite) runs/", command)
    }
)


@pytest.mark.slow
def test_commands_on_a_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a page or a help text does to a recording is done to a small one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shared").mkdir()
    cells = nd.Population(
        "cells", 20, code="v += 0.005*(1.02 - v) + 0.02*randn()", variables={"v": "1"}, threshold="v > 1", reset="v = 0"
    )
    readout = nd.Readout("readout", "rate", ("mean",), state={"y": "output"}, per_step="y = sum(r)/20")
    parts = {"filters": [nd.Filter("rate", cells, "20 ms")], "readouts": [readout]}
    net = nd.Circuit([cells], dt="0.1 ms", seed=1, **parts)
    record = ["spikes", nd.Sample("cells.v", every="1 ms"), nd.Sample("readout.y", every="1 ms")]
    nd.simulate(net, "2 s", record=record, out="runs/a.h5")
    assert len({command.split()[1] for command in ON_A_RECORDING}) == 8
    for command in ON_A_RECORDING:
        # a tolerance is asked for where runners differ; this circuit is exact
        assert main([*shlex.split(command)[1:], *_again(command)]) == 0, command


def _again(command: str) -> list[str]:
    """Two pages may write the same file."""
    writes = re.search(r"neurodyn (export|report|analyse \S+ \w|rerun .*--out)", command)
    return ["--overwrite"] if writes and "--overwrite" not in command else []
