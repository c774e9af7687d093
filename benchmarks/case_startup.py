"""Case "startup": a new process until its first step, with empty and with filled caches, beside Brian2; import, --help."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import speed_network
from limits import Ceiling
from measure import ROOT, Times, in_turn, python, scratch
from speed_large import numbers
from table import Case, at_most

_SPEED = "import neurodyn as nd, speed_network\nnd.simulate(speed_network.circuit(), '0.04 ms')"
_RESERVOIR = "import neurodyn as nd\nnd.simulate(nd.SpikingReservoir(1000, seed=1), '1 ms', learn=nd.WhatWhenRule())"
_BRIAN2 = """import numpy as np
from brian2_networks import brian2, network
b = brian2()
if {target!r} == "cython":
    b.prefs.codegen.target = "cython"
    b.prefs.codegen.runtime.cython.cache_dir = {folder!r}
else:
    b.set_device({target!r}, directory={folder!r})
with np.load({numbers!r}) as file:
    net, monitor, namespace = network(dict(file))
net.run(0.04 * b.ms, namespace=namespace)"""
_HELP = "import contextlib\nfrom neurodyn.cli import main\nwith contextlib.suppress(SystemExit): main(['--help'])"


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time processes. Cold: no lowered equations, no compiled kernels, ours, Numba's or Brian2's; packages' files are warm."""
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
        ("speed compiled", "speed network, first compiled step, cold caches"),
        ("reservoir cold", "reservoir with learning, first step, cold caches"),
        ("reservoir warm", "reservoir with learning, first step, warm caches"),
        ("reservoir compiled", "reservoir with learning, first compiled step, cold caches"),
        ("cpp_standalone", "the speed network in Brian2 cpp_standalone, first step: code, compiler, program"),
        ("cython", "the speed network in Brian2 cython, first step, empty cache"),
    ):
        if name not in times:
            continue
        rows[name] = case.add(
            what, times[name].cpu, unit="s", note=f"wall clock {statistics.median(times[name].wall):.2f} s"
        )
    for name, most in (
        ("import", 0.5),
        ("help", 0.5),
        ("speed cold", 4.0),
        ("speed warm", 1.0),
        ("reservoir cold", 4.0),
        ("reservoir warm", 1.0),
    ):
        case.goals.append(at_most(f"start-up: {rows[name].what}, s", rows[name].median, most))
    if quick:
        case.notes.append("Brian2's cython target, half a minute with an empty cache, takes part in --full")
    case.notes.append(
        "Cold runs of the speed network import Brian2 to lower the equations; the reservoir is written as code and does not"
    )
    case.notes.append(
        "With cold caches a run that is done sooner without is interpreted, to the same bits; a long one begins with a few "
        "interpreted steps and compiles ('first compiled step': NEURODYN_PATIENCE=0)"
    )
    return [case]


def _times(folder: Path, *, quick: bool) -> dict[str, Times]:
    number = iter(range(10_000))

    def fresh(code: str, patience: str = "") -> None:
        _process(code, folder / f"cold{next(number)}", patience)

    def warm(code: str) -> None:
        _process(code, folder / "warm", "0")

    given = folder / "numbers.npz"
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in numbers(speed_network.circuit()).items()}
    np.savez(given, **arrays)

    def brian2(target: str) -> Callable[[], None]:
        def run() -> None:
            new = folder / f"brian2-{next(number)}"
            _process(_BRIAN2.format(target=target, folder=str(new), numbers=str(given)), new)

        return run

    cold = 1 if quick else 9
    peers = {"cpp_standalone": 1} if quick else {"cpp_standalone": 3, "cython": 3}
    return in_turn(
        {
            "python": lambda: warm("pass"),
            "import": lambda: warm("import neurodyn"),
            "help": lambda: warm(_HELP),
            "speed cold": lambda: fresh(_SPEED),
            "speed warm": lambda: warm(_SPEED),
            "speed compiled": lambda: fresh(_SPEED, "0"),
            "reservoir cold": lambda: fresh(_RESERVOIR),
            "reservoir warm": lambda: warm(_RESERVOIR),
            "reservoir compiled": lambda: fresh(_RESERVOIR, "0"),
            **{target: brian2(target) for target in peers},
        },
        rounds=3 if quick else 21,
        fewer={
            **dict.fromkeys((f"{n} {how}" for n in ("speed", "reservoir") for how in ("cold", "compiled")), cold),
            **peers,
        },
    )


def _process(code: str, caches: Path, patience: str = "") -> None:
    for part in ("neurodyn", "numba"):
        (caches / part).mkdir(parents=True, exist_ok=True)
    python(
        code,
        env={
            "NEURODYN_CACHE_DIR": str(caches / "neurodyn"),
            "NUMBA_CACHE_DIR": str(caches / "numba"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")]),
            "NEURODYN_PATIENCE": patience,
        },
    )
