"""Case "startup": a new process until its first step, with empty and with filled caches; import and --help."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

from limits import Ceiling
from measure import ROOT, Times, in_turn, python, scratch
from table import Case, at_most

_SPEED = "import neurodyn as nd, speed_network\nnd.simulate(speed_network.circuit(), '0.04 ms')"
_RESERVOIR = "import neurodyn as nd\nnd.simulate(nd.SpikingReservoir(1000, seed=1), '1 ms', learn=nd.WhatWhenRule())"
_HELP = "import contextlib\nfrom neurodyn.cli import main\nwith contextlib.suppress(SystemExit): main(['--help'])"


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time processes. Cold: no lowered equations, no compiled kernels, ours or Numba's; the files of the packages are warm."""
    with scratch() as folder:
        times = _times(folder, quick=quick)
    case = Case(
        "Start-up: a new process, its first step included (CPU clock, which on an idle machine is the wall clock)"
    )
    rows = {}
    for name, what in (
        ("python", "python -c pass"),
        ("import", "import neurodyn"),
        ("help", "neurodyn --help"),
        ("speed cold", "speed network, first step, cold caches"),
        ("speed warm", "speed network, first step, warm caches"),
        ("reservoir cold", "reservoir with learning, first step, cold caches"),
        ("reservoir warm", "reservoir with learning, first step, warm caches"),
    ):
        rows[name] = case.add(
            what, times[name].cpu, unit="s", note=f"wall clock {statistics.median(times[name].wall):.2f} s"
        )
    for name, most in (
        ("import", 0.5),
        ("help", 0.5),
        ("speed cold", 4.0),
        ("speed warm", 1.5),
        ("reservoir cold", 4.0),
        ("reservoir warm", 1.5),
    ):
        case.goals.append(at_most(f"start-up: {rows[name].what}, s", rows[name].median, most))
    case.notes.append(
        "Cold runs of the speed network import Brian2 to lower the equations; the reservoir is written as code and does not"
    )
    return [case]


def _times(folder: Path, *, quick: bool) -> dict[str, Times]:
    number = iter(range(10_000))

    def fresh(code: str) -> None:
        _process(code, folder / f"cold{next(number)}")

    def warm(code: str) -> None:
        _process(code, folder / "warm")

    cold = 2 if quick else 9
    return in_turn(
        {
            "python": lambda: warm("pass"),
            "import": lambda: warm("import neurodyn"),
            "help": lambda: warm(_HELP),
            "speed cold": lambda: fresh(_SPEED),
            "speed warm": lambda: warm(_SPEED),
            "reservoir cold": lambda: fresh(_RESERVOIR),
            "reservoir warm": lambda: warm(_RESERVOIR),
        },
        rounds=5 if quick else 21,
        fewer={"speed cold": cold, "reservoir cold": cold},
    )


def _process(code: str, caches: Path) -> None:
    for part in ("neurodyn", "numba"):
        (caches / part).mkdir(parents=True, exist_ok=True)
    python(
        code,
        env={
            "NEURODYN_CACHE_DIR": str(caches / "neurodyn"),
            "NUMBA_CACHE_DIR": str(caches / "numba"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
        },
    )
