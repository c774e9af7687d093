"""Case "recording": what it costs to record all spikes, and v of 100 cells at every step, against no recording."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import speed_network
from limits import Ceiling
from measure import in_turn, scratch
from table import Case, at_most

import neurodyn as nd

SPIKES: tuple[Any, ...] = ("spikes",)
POTENTIALS: tuple[Any, ...] = (nd.Sample("cells.v", units=range(100)),)


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time both networks with three recordings, in memory and to a file."""
    task, reservoir = nd.tasks.WhatWhen(), nd.SpikingReservoir(1000, seed=1)
    session = task.session(20 if quick else 200, calibration=5, tests=())
    seconds = 2.0 if quick else 20.0
    fast = speed_network.circuit()
    with scratch() as folder:
        return [
            _overhead(
                f"What/when reservoir, {len(session)} trials of 700 steps",
                folder,
                ceiling,
                quick=quick,
                samples=sum(t.steps for t in session.trials),
                simulate=lambda record, out: nd.simulate(
                    reservoir, session, learn=nd.WhatWhenRule(), record=record, out=out, overwrite=True
                ),
            ),
            _overhead(
                f"Speed network, {seconds:g} s, {round(seconds * 1e3 / speed_network.DT_MS)} steps",
                folder,
                ceiling,
                quick=quick,
                samples=round(seconds * 1e3 / speed_network.DT_MS),
                simulate=lambda record, out: nd.simulate(fast, f"{seconds} s", record=record, out=out, overwrite=True),
            ),
        ]


def _overhead(title: str, folder: Path, ceiling: Ceiling, *, simulate: Any, samples: int, quick: bool) -> Case:
    def contender(record: Sequence[Any], out: Path | None, *, read: bool = False) -> Any:
        def run() -> None:
            recording = simulate(record, out)
            if read:
                _ = recording["cells.v"]

        return run

    file = folder / "run.h5"
    times = in_turn(
        {
            "nothing": contender((), None),
            "spikes": contender(SPIKES, None),
            "v": contender(POTENTIALS, None),
            "file: nothing": contender((), file),
            "file: spikes": contender(SPIKES, file),
            "file: v": contender(POTENTIALS, file),
            "v, read": contender(POTENTIALS, None, read=True),  # last: it leaves the most memory behind
        },
        rounds=13 if quick else 21,
    )
    case = Case(f"Cost of recording. {title}")
    moved = samples * 100 * 8
    base = case.add("no recording, in memory", times["nothing"].cpu)
    spikes = case.add("all spikes, in memory", times["spikes"].cpu, against=base)
    v = case.add(
        "v of 100 cells at every step, in memory",
        times["v"].cpu,
        against=base,
        limit=base.median / 1e3 + 2 * moved / ceiling.memory,
        note=f"{moved / 1e6:.0f} MB",
    )
    case.add("the same, and all of v read once", times["v, read"].cpu, against=base)
    filed = case.add("no recording, to a file", times["file: nothing"].cpu, against=base)
    filed_spikes = case.add("all spikes, to a file", times["file: spikes"].cpu, against=filed)
    filed_v = case.add(
        "v of 100 cells at every step, to a file",
        times["file: v"].cpu,
        against=filed,
        limit=filed.median / 1e3 + 2 * moved / ceiling.memory,
        note=f"{moved / 1e6:.0f} MB",
    )
    for name in ("nothing", "spikes", "v"):
        case.add(f"wall clock: {name}, to a file", times[f"file: {name}"].wall)
    for what, row, most in (
        ("all spikes", spikes, 5.0),
        ("v of 100 cells", v, 15.0),
        ("all spikes, to a file", filed_spikes, 5.0),
        ("v of 100 cells, to a file", filed_v, 15.0),
    ):
        assert row.relative is not None
        name = title.partition(",")[0].lower()
        case.goals.append(at_most(f"recording, {name}: {what}, overhead in %", 100 * (row.relative - 1), most))
    case.notes.append(
        "In memory, values get their unit and the file that is read is put together when it is first read"
    )
    case.notes.append("Limit of v: the run without it, plus one copy of the values out and in at the rate of memory")
    return case
