"""Case "scan_batch": a scan over gain and seed, batched and not, against pools of processes written by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path

from limits import Ceiling
from measure import in_turn, python
from table import Case, at_least

from neurodyn.scan import Scan
from neurodyn.scan.journal import entries

CORES = 2
FRESH = 20  # points of the pool with fresh processes, which is slow
SCRIPT = Path(__file__).with_name("scan_reservoir.py")

# what people write: the same calls with the same files, by a pool whose workers stay, or whose workers are fresh
POOL = """
import multiprocessing
from scan_reservoir import reservoir

def point(number):
    gain, seed = divmod(number, 10)
    return reservoir(gain=0.5 + 0.1 * gain, seed=seed, backend={backend!r}, out="{folder}/%d.h5" % number).results["rate"]

if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool({cores}, maxtasksperchild={tasks}) as pool:
        rates = pool.map(point, range({points}), chunksize=1)
    open("{folder}/rates", "w").write(repr(sorted(rates)))
"""


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time scans from the call to the last recording, the start of all processes included, by both clocks."""
    return [
        _case("numba", points=200, batches=(8, 32, "auto"), rounds=2 if quick else 7),
        _case("torch", points=40, batches=(16,), rounds=1 if quick else 5),
    ]


def _case(backend: str, *, points: int, batches: tuple[int | str, ...], rounds: int) -> Case:
    rates: dict[str, list[float]] = {}
    notes: list[str] = []

    def pool(count: int, tasks: int | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            python(POOL.format(folder=folder, cores=CORES, tasks=tasks, points=count, backend=backend))
            if count == points:
                rates["pool"] = [float(x) for x in (Path(folder) / "rates").read_text().strip("[]").split(",")]

    def scan(batch: int | str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            grid = {"gain": [0.5 + 0.1 * k for k in range(points // 10)], "seed": list(range(10))}
            made = Scan(SCRIPT, out=Path(folder) / "scan", grid=grid, set={"backend": backend})
            note = made.run(batch=batch, workers=CORES)
            rates[f"{batch}"] = sorted(entry["results"]["rate"] for entry in entries(made.folder))
            notes.extend([note] if batch == "auto" else [])

    contenders = {"pool": lambda: pool(points, None), "1": lambda: scan(1)}
    contenders |= {f"{batch}": lambda batch=batch: scan(batch) for batch in batches}
    contenders |= {"fresh": lambda: pool(FRESH, 1)}
    times = in_turn(contenders, rounds=rounds, fewer={"fresh": 1})
    same = all(found == rates["pool"] for found in rates.values())
    case = Case(f"Scan of {points} reservoirs of 250 cells, 1 s each, {backend}, {CORES} cores, for each point")
    case.check("the rates are those of the pool, for all batches", same)
    names = {"pool": "Pool, workers stay", "fresh": "Pool, fresh processes", "1": "scan, points singly"}
    best: dict[str, float] = {}
    for clock in ("wall", "cpu"):
        base = case.add(f"{clock}: Pool, workers stay", getattr(times["pool"], clock), per=points)
        for name, taken in list(times.items())[1:]:
            what, count = names.get(name, f"scan, batch = {name}"), FRESH if name == "fresh" else points
            row = case.add(f"{clock}: {what}", getattr(taken, clock), per=count, against=base)
            if what.startswith("scan, batch"):
                assert row.relative is not None
                best[clock] = max(best.get(clock, 0.0), 1 / row.relative)
    if backend == "numba":
        case.goals.append(at_least("Pool whose workers stay / best batch, wall", best["wall"], 1.8))
    case.notes.extend(f"auto: {note}" for note in notes[-1:])
    case.notes.append("wall is worth something on idle cores only; cpu is the time of all processes together")
    return case
