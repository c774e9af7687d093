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
    """Time scans from the call to the last recording, start of all processes included, by the wall clock."""
    return [
        _case("numba", points=200, batches=(8, 32, "auto"), rounds=3 if quick else 7),
        _case("torch", points=40, batches=(16, "auto"), rounds=2 if quick else 5),
    ]


def _case(backend: str, *, points: int, batches: tuple[int | str, ...], rounds: int) -> Case:
    rates: dict[str, list[float]] = {}
    notes: list[str] = []

    def pool(name: str, tasks: int | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            python(POOL.format(folder=folder, cores=CORES, tasks=tasks, points=points, backend=backend))
            rates[name] = [float(x) for x in (Path(folder) / "rates").read_text().strip("[]").split(",")]

    def scan(batch: int | str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            grid = {"gain": [0.5 + 0.1 * k for k in range(points // 10)], "seed": list(range(10))}
            made = Scan(SCRIPT, out=Path(folder) / "scan", grid=grid, set={"backend": backend})
            note = made.run(batch=batch, workers=CORES)
            rates[f"{batch}"] = sorted(entry["results"]["rate"] for entry in entries(made.folder))
            notes.extend([note] if batch == "auto" else [])

    contenders = {"pool": lambda: pool("pool", None), "1": lambda: scan(1)}
    contenders |= {f"{batch}": lambda batch=batch: scan(batch) for batch in batches}
    contenders |= {"fresh": lambda: pool("fresh", 1)}
    times = in_turn(contenders, rounds=rounds, fewer={"fresh": 1})
    case = Case(f"Scan of {points} reservoirs of 250 cells, 1 s each, {backend}, {CORES} cores, wall clock")
    case.check(
        "the rates are those of the pool, for all batches", all(found == rates["pool"] for found in rates.values())
    )
    base = case.add("multiprocessing.Pool, workers stay", times["pool"].wall, unit="s")
    case.add("multiprocessing.Pool, a fresh process for each", times["fresh"].wall, unit="s", against=base)
    case.add("scan, points singly (a fresh process for each)", times["1"].wall, unit="s", against=base)
    ratios = []
    for batch in batches:
        row = case.add(f"scan, batch = {batch}", times[f"{batch}"].wall, unit="s", against=base)
        assert row.relative is not None
        ratios.append(1 / row.relative)
    case.goals.append(at_least(f"{backend}: pool whose workers stay / best batch", max(ratios), 1.8))
    case.notes.append(f"auto: {notes[-1]}")
    return case
