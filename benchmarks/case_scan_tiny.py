"""Case "scan_tiny": 2000 points of 10 ms, whose processes and files cost more than they do."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from pathlib import Path

from limits import Ceiling
from measure import in_turn
from scan_tiny import work
from table import Case, at_most

from neurodyn.scan import Scan

CORES, REPETITIONS = 2, 10
SCRIPT = Path(__file__).with_name("scan_tiny.py")


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time scans from the call to the last recording against the same work in a loop on each core."""
    points, loops = 400 if quick else 2000, _loops(0.01)

    def pure() -> None:
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=_repeat, args=(loops, points // CORES)) for _ in range(CORES)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()

    notes: list[str] = []

    def scan(batch: int | str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            grid = {"gain": [0.01 * k for k in range(points // REPETITIONS)]}
            made = Scan(SCRIPT, out=Path(folder) / "scan", grid=grid, set={"loops": loops}, seeds=REPETITIONS)
            note = made.run(batch=batch, workers=CORES)
            assert len(made.folder.done()) == points
            notes.extend([note] if batch == "auto" else [])

    contenders = {"pure": pure, "singly": lambda: scan(1), "8": lambda: scan(8), "auto": lambda: scan("auto")}
    times = in_turn(contenders, rounds=1 if quick else 3)
    case = Case(f"Scan of {points} points of 10 ms, {CORES} cores, for each point")
    base = case.add("wall: the work alone, a loop on each core", times["pure"].wall, per=points)
    relative = {}
    for name in ("singly", "8", "auto"):
        row = case.add(
            f"wall: scan, {'points singly' if name == 'singly' else f'batch = {name}'}",
            times[name].wall,
            per=points,
            against=base,
        )
        relative[name] = row.relative or 0.0
    case.goals.append(at_most("scan, points singly / the work alone", relative["singly"], 2.0))
    case.goals.append(at_most("scan, batch = auto / the work alone", relative["auto"], 2.0))
    case.notes.extend(f"auto: {note}" for note in notes[-1:])
    return [case]


def _repeat(loops: int, times: int) -> None:
    for _ in range(times):
        work(1.0, loops)


def _loops(seconds: float) -> int:
    """How many steps take so long here."""
    started = time.perf_counter()
    work(1.0, 2_000_000)
    return int(2_000_000 * seconds / (time.perf_counter() - started))
