"""Each `neurodyn` command of README, pages and help texts is understood; those that ask something of a recording are
carried out. What runs, lists or compares: test_docs_runs.py; what scans: scan/test_pages.py.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

import pytest

import neurodyn as nd
from neurodyn._command_line import UsageError, parser
from neurodyn._command_scan import parse as parse_scan
from neurodyn.cli import _assignments, main
from neurodyn.scripts import simulation_of
from tests.pages import ROOT, SCAN, SOURCES, taken, words

MADE_UP = {"model.py", "my_scripts.py", "resonators.py"}  # the reader's own scripts


COMMANDS = [
    pytest.param(command, id=f"{source}: {command[9:60]}") for source, listed in SOURCES.items() for command in listed
]


def understood(command: str) -> argparse.Namespace:
    """The options of a command; scripts exist, and parameters are parameters of the simulation, or `UsageError`."""
    given = words(command)
    if given[:1] == ["scan"]:
        options = parse_scan(given[1:])
        target, rest = getattr(options, "simulation", ""), []
    else:
        options, rest = parser().parse_known_args(given)
        target = options.script if options.command == "run" else ""
    script = target.partition(":")[0]
    if not script.endswith(".py") or script in MADE_UP:
        if rest:
            raise UsageError(f"unknown argument {rest[0]!r}")
        return options
    simulation = simulation_of(target if (ROOT / script).exists() else str(SCAN / target))
    if given[0] == "run":
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
    listed = sorted({re.sub(r"runs/\w+\.h5", "runs/a.h5", command, count=1) for command in taken("recording")})
    assert len({command.split()[1] for command in listed}) == 8
    for command in listed:
        # a tolerance is asked for where runners differ; this circuit is exact
        assert main([*words(command), *_again(command)]) == 0, command


def _again(command: str) -> list[str]:
    """Two pages may write the same file."""
    writes = re.search(r"neurodyn (export|report|analyse \S+ \w|rerun .*--out)", command)
    return ["--overwrite"] if writes and "--overwrite" not in command else []
