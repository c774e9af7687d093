"""The table of a run: rows, goals and the machine, as text, Markdown and JSON."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HEAD = ["what", "median", "min to max", "runs", "relative", "limit", "reached"]
GUIDE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_PACKAGES = ("numpy", "numba", "llvmlite", "torch", "brian2", "cython", "h5py")


@dataclass(frozen=True)
class Row:
    """One thing measured: ``values`` in ``unit``, one a run; beside it the limit and what it is compared with.

    ``relative`` is its time in units of that of ``reference``, ``reached`` the limit divided by the median.
    """

    what: str
    values: tuple[float, ...]
    unit: str = "ms"
    relative: float | None = None
    reference: str = ""
    limit: float | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def reached(self) -> float | None:
        return None if self.limit is None else self.limit / self.median


@dataclass(frozen=True)
class Goal:
    """A number that was asked for."""

    what: str
    value: float
    wanted: str
    met: bool


def at_least(what: str, value: float, bound: float) -> Goal:
    """Return the goal ``value >= bound``."""
    return Goal(what, value, f">= {bound:g}", value >= bound)


def at_most(what: str, value: float, bound: float) -> Goal:
    """Return the goal ``value <= bound``."""
    return Goal(what, value, f"<= {bound:g}", value <= bound)


@dataclass
class Case:
    """The rows of one case, with what was checked before they counted."""

    title: str
    rows: list[Row] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)  # files beside the page

    def add(
        self,
        what: str,
        seconds: Sequence[float],
        *,
        unit: str = "ms",
        per: float = 1.0,
        against: Row | None = None,
        limit: float | None = None,
        note: str = "",
    ) -> Row:
        """Add times in seconds, divided by ``per`` (steps, say), in ``unit``; ``limit`` in seconds likewise.

        ``relative`` to a row of as many runs is the median of the ratios, each of two runs of one round, which a drift
        of the machine hardly touches; else it is the ratio of the medians.
        """
        scale = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit] / per
        values = tuple(s * scale for s in seconds)
        relative = None
        if against is not None and len(against.values) == len(values):
            relative = statistics.median(a / b for a, b in zip(values, against.values, strict=True))
        elif against is not None:
            relative = statistics.median(values) / against.median
        row = Row(
            what,
            values,
            unit,
            relative,
            against.what if against is not None else "",
            None if limit is None else limit * scale,
            note,
        )
        self.rows.append(row)
        return row

    def check(self, text: str, passed: bool) -> None:
        """Note an agreement; numbers that disagree are no comparison, so a failed one stops the case."""
        if not passed:
            raise AssertionError(f"{self.title}: {text}: no; the times would compare different computations")
        self.checks.append(text)


def markdown(cases: Sequence[Case], about: dict[str, Any], path: Path) -> str:
    """Return the page of a run that is written to ``path``."""
    lines = [f"# Benchmark results{_told(about, path.stem)}", ""]
    if path.resolve().is_relative_to(GUIDE.parents[1]):
        guide = os.path.relpath(GUIDE, path.resolve().parent)
        lines += [f"How to read these tables: [benchmarks]({guide}).", ""]
    lines += [*(f"* {key}: {value}" for key, value in about.items()), ""]
    goals = [g for case in cases for g in case.goals]
    if goals:
        lines += ["## Goals", "", "| goal | measured | wanted | |", "|---|---|---|---|"]
        lines += [
            f"| {_literal(g.what)} | {_number(g.value)} | {g.wanted} | {'met' if g.met else '**not met**'} |"
            for g in goals
        ] + [""]
    for case in cases:
        lines += [f"## {case.title}", ""]
        lines += [f"* Checked: {_literal(text)}" for text in case.checks] + [f"* {_literal(n)}" for n in case.notes]
        table = [HEAD, *map(_cells, case.rows)]
        kept = [k for k in range(len(HEAD)) if k < 4 or any(row[k] for row in table[1:])]
        head, *rows = (f"| {' | '.join(_literal(row[k]) for k in kept)} |" for row in table)
        lines += ["", head, f"|{'---|' * len(kept)}", *rows, ""]
        lines += [line for figure in case.figures for line in (f"![{case.title}]({figure})", "")]
    return "\n".join(lines)


def _told(about: dict[str, Any], name: str) -> str:
    """The day of a page, and the last words of its name, which tell it from others of that day."""
    day = f", {about['date']}" if "date" in about else ""
    _, machine, words = name.partition(f"-{about.get('cores')}-")
    return f"{day}: {words.replace('-', ' ')}" if machine else day


def _literal(text: str) -> str:
    """Text in which options and products stand as code, where Markdown would make something else of them."""
    return re.sub(r"(?<![\w`])(--[a-z]+|\w+(?:\*+\w+)+)", r"`\1`", text)


def _cells(row: Row) -> list[str]:
    relative = "" if row.relative is None else f"{_number(row.relative)} x"
    limit = "" if row.limit is None else f"{_number(row.limit)} {row.unit}"
    reached = "" if row.reached is None else f"{100 * row.reached:.0f} %"
    spread = f"{_number(min(row.values))} to {_number(max(row.values))}"
    what = f"{row.what} ({row.note})" if row.note else row.what
    return [what, f"{_number(row.median)} {row.unit}", spread, str(len(row.values)), relative, limit, reached]


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def plain(case: Case) -> str:
    """Return a case as aligned text for the terminal."""
    table = [HEAD, *map(_cells, case.rows)]
    widths = [max(len(line[k]) for line in table) for k in range(len(table[0]))]
    lines = [
        "  ".join(
            cell.ljust(width) if not k else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    ]
    goals = [
        f"  {'met    ' if g.met else 'NOT MET'} {g.what}: {_number(g.value)}, wanted {g.wanted}" for g in case.goals
    ]
    return "\n".join([f"== {case.title}", *(f"  checked: {text}" for text in case.checks), *lines, *goals, ""])


def machine() -> dict[str, Any]:
    """Return what a number depends on besides the code: processor, cores, versions."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "absent"
    compiler = shutil.which("g++")
    gcc = (
        subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=False).stdout.strip()
        if compiler
        else "absent"
    )
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": ", ".join(f"{k} {v}" for k, v in {**versions, "g++": gcc}.items()),
        "load average at the start": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
    }


def processor() -> str:
    """Return the name of the CPU and the instruction set LLVM compiles for."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*:\s*(.+)", info.read_text())
        name = found.group(1).strip() if found else name
    elif platform.system() == "Darwin":
        name = (
            subprocess.run(
                ["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False
            ).stdout.strip()
            or name
        )
    import llvmlite.binding as llvm

    return f"{name} ({llvm.get_host_cpu_name()})"


def file_name(about: dict[str, Any], today: datetime.date) -> str:
    """Return <date>-<processor>-<cores>.md."""
    slug = re.sub(r"[^a-z0-9]+", "-", str(about["processor"]).lower()).strip("-")
    return f"{today.isoformat()}-{slug}-{about['cores']}.md"


def write(path: Path, cases: Sequence[Case], about: dict[str, Any]) -> None:
    """Write the Markdown page, and every single value beside it as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(cases, about, path) + "\n", encoding="utf-8")
    data = {"about": about, "cases": [asdict(case) for case in cases]}
    path.with_suffix(".json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
