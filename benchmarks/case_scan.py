"""Case "scan": 100 000 points are planned; when they are done, or have failed, they are counted and read."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import scan_folder
from limits import Ceiling
from measure import ROOT, scratch
from table import Case, at_most

from neurodyn.scan import Scan

_MEASURED = """
import json, sys, time
import neurodyn as nd
from neurodyn.scan import Scan
wall, cpu = time.perf_counter(), time.process_time()
{code}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))  # ru_maxrss is the parent's at first
print(json.dumps([wall, cpu, 1024 * int(peak.split()[1])]))
"""
_SECONDS, _BYTES = 5.0, 1e9


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time each in new processes; what is on the disk is in the cache of the system."""
    points, rounds = 100_000, 3 if quick else 9
    case = Case(f"A scan of {points} points, a tenth of them failed (CPU clock; each in a new process)")
    with scratch() as folder:
        script, scan = scan_folder.script(folder), folder / "scan"
        grid: Mapping[str, list[Any]] = {
            "gain": [(k + 1) / 10 for k in range(100)],
            "delay": [f"{k + 1} ms" for k in range(100)],
        }
        words = f"{str(script)!r}, grid={grid!r}, seeds=10"
        codes = {
            "plan": [f"Scan({words}, out={str(folder / f'plan{number}')!r})" for number in range(rounds)],
            "status": [f"print(Scan.open({str(scan)!r}).status(), file=sys.stderr)"] * rounds,
            "collect": [f"Scan.open({str(scan)!r}).collect()"] * rounds,
            "load_scan": [f"nd.load_scan({str(scan)!r})"] * rounds,
        }
        made = Scan(script, out=scan, grid=grid, seeds=10)
        scan_folder.fill(made, failing=10)
        found, failed = made.status(), points // 10
        counted = (found.done, found.failed, found.pending)
        case.check("status counts each point once, as what it is", counted == (points - failed, failed, 0))
        for what, each in codes.items():
            measured = [_process(code) for code in each]
            peak = max(memory for _, _, memory in measured)
            wall = statistics.median(wall for wall, _, _ in measured)
            note = f"wall clock {wall:.1f} s, {peak / 1e6:.0f} MB at most"
            row = case.add(what, [cpu for _, cpu, _ in measured], unit="s", note=note)
            case.goals.append(at_most(f"scan of {points} points: {what}, s", row.median, _SECONDS))
            case.goals.append(at_most(f"scan of {points} points: {what}, peak memory in MB", peak / 1e6, _BYTES / 1e6))
        case.check("the table has a line for each point", _lines(scan / "results.csv") == points + 1)
    return [case]


def _process(code: str) -> tuple[float, float, int]:
    """Seconds by the clock and of the processor, and most memory, of code in a new process."""
    words = [sys.executable, "-c", _MEASURED.format(code=code)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a benchmark's process failed:\n{done.stderr[-2000:]}")
    wall, cpu, memory = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu, memory


def _lines(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(1 for _ in file)
