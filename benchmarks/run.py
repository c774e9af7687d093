"""How fast it is, beside the naive loop, the peers and the hardware: `python benchmarks/run.py --quick`."""

from __future__ import annotations

import os

os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
)  # before NumPy
os.environ["NEURODYN_PATIENCE"] = "0"  # what is timed is compiled; the case "startup" times what a first run is like

import argparse
import datetime
import importlib
import time
from pathlib import Path

import limits
import table

#: cases by name; those that --quick runs come first
CASES = {
    "speed": "case_speed",
    "vogels_abbott": "case_vogels_abbott",
    "rls": "case_rls",
    "training": "case_training",
    "plasticity": "case_plasticity",
    "pvrnn": "case_pvrnn",
    "sinkhorn": "case_sinkhorn",
    "recording": "case_recording",
    "startup": "case_startup",
    "reservoir": "case_reservoir",
    "batch": "case_batch",
    "emulation": "case_emulation",
    "growth": "case_growth",
    "precision": "case_precision",
    "dynamics": "case_dynamics",
    "langevin": "case_langevin",
    "large": "case_large",
    "scan_batch": "case_scan_batch",
    "scan_tiny": "case_scan_tiny",
    "scan": "case_scan",
}
QUICK = tuple(CASES)[:5]
RESULTS = Path(__file__).resolve().parent / "results"


def main() -> None:
    """Run the cases, print their tables, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--quick", action="store_true", help=f"{', '.join(QUICK)}, few runs of each: five minutes (default)"
    )
    kind.add_argument("--full", action="store_true", help="all cases, more runs of each: an hour")
    parser.add_argument("--case", action="append", choices=list(CASES), help="only this one (may be repeated)")
    parser.add_argument(
        "--out", type=Path, help="page to write (default: benchmarks/results/<date>-<processor>-<cores>.md)"
    )
    options = parser.parse_args()

    start = time.perf_counter()
    about = {"date": datetime.date.today().isoformat(), "kind": "full" if options.full else "quick", **table.machine()}
    ceiling = limits.ceiling()
    about["hardware, measured"] = ceiling.text()
    print(*(f"{key}: {value}" for key, value in about.items()), sep="\n")
    cases: list[table.Case] = []
    for name in options.case or (CASES if options.full else QUICK):
        begun = time.perf_counter()
        for case in importlib.import_module(CASES[name]).run(ceiling, quick=not options.full):
            print("\n" + table.plain(case), flush=True)
            cases.append(case)
        print(f"case {name}: {time.perf_counter() - begun:.0f} s", flush=True)
    about["load average at the end"] = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    about["took"] = f"{time.perf_counter() - start:.0f} s"
    path = options.out or RESULTS / table.file_name(about, datetime.date.today())
    table.write(path, cases, about)
    print(f"written: {os.path.relpath(path)} ({about['took']})")


if __name__ == "__main__":
    main()
