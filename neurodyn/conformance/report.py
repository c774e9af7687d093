"""The table of conformance as text for a terminal, as Markdown for a page, and as JSON."""

from __future__ import annotations

import json as json_text
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neurodyn.conformance.circuits import CIRCUITS, described
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.table import DTYPES, Cell, Row, fill, known, lines
from neurodyn.recording.provenance import versions

BEGIN, END = "<!-- the table of neurodyn conformance -->", "<!-- end of the table -->"

TITLES = {
    "exact": "exact circuits",
    "borders": "borders",
    "tolerant": "tolerant circuits",
    "golden": "hash of the spike trains",
    "batches": "batch of several = each alone",
    "orders": "order of convergence",
}
#: sections whose circuits are described beside their cells, where there is one column more
DESCRIBED = ("exact", "borders", "tolerant")
#: what the rows of a section are, unless circuits
FIRST = {"batches": "batch", "orders": "integrator"}


def command(
    *,
    runner: Sequence[str] = (),
    circuit: Sequence[str] = (),
    dtype: Sequence[str] = DTYPES,
    quick: bool = False,
    full: bool = False,
    json: bool = False,
    out: str | None = None,
) -> int:
    """Carry out ``neurodyn conformance``: fill the table, print it, write the page; return 1 if a cell failed.

    ValueError for unknown runners and circuits, FileExistsError for a page without a place for the table.
    """
    from neurodyn.running.progress import progress_bar

    runners, rows_wanted, rows = known(runner), lines(circuit, dtype, quick=quick, full=full), []
    if out is not None:
        _parts(Path(out))
    with progress_bar(len(rows_wanted), None, "row") as bar:
        for row in fill(runners, rows_wanted):
            rows.append(row)
            bar.update()
    print(json_text.dumps(to_json(rows)) if json else text(rows))
    if out is not None:
        given = [("--runner", runner), ("--circuit", circuit), ("--dtype", dtype if tuple(dtype) != DTYPES else ())]
        words = [word for flag, names in given if names for word in (flag, *names)]
        words += ["--quick"] * quick + ["--full"] * full + ["--out", str(out)]
        write(out, markdown(rows, " ".join(["neurodyn conformance", *words])))
    return 1 if failed(rows) else 0


def failed(rows: Iterable[Row]) -> bool:
    """Whether any cell failed."""
    return any(cell is not None and cell.status == "FAILED" for row in rows for cell in row.cells.values())


def summary(rows: Sequence[Row]) -> str:
    """Return one line: cells by status, the largest deviation of a tolerant one, and what was computed with."""
    cells = [cell for row in rows for cell in row.cells.values() if cell is not None]
    count = Counter(cell.status for cell in cells)
    order = ("exact", "tolerant", "reference", "parts", "same", "order", "refused", "FAILED")
    words = {"parts": "held to no bits", "same": "with the stored hash", "order": "of the expected order"}
    parts = [f"{count[status]} {words.get(status, status)}" for status in order if count[status] or status == "FAILED"]
    return f"{len(cells)} cell{'s' * (len(cells) != 1)}: {', '.join(parts)}"


def origin() -> str:
    """Return the day, the machine's kind and the versions that the numbers belong to."""
    found = versions()
    names = ("neurodyn", "python", "numpy", "numba", "torch", "brian2")
    used = ", ".join(f"{name} {found[name]}" for name in names if name in found)
    return f"{datetime.now(UTC).date().isoformat()}, {platform.system()} on {platform.machine()}: {used}"


def text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal, one block for each precision, reasons below."""
    notes = _notes(rows)
    blocks = []
    for dtype, members in _by_dtype(rows):
        head = [dtype, *_runners(members)]
        lines, section = [head], ""
        for row in members:
            if row.section != section:
                section = row.section
                lines.append([f"-- {TITLES[section]}", *[""] * (len(head) - 1)])
            lines.append([row.name, *(_short(cell, notes) for cell in row.cells.values())])
        widths = [max(len(line[k]) for line in lines) for k in range(len(head))]
        blocks.append("\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines))
    reasons = [f"[{number}] {note}" for note, number in notes.items()]
    return "\n\n".join([*blocks, *(["\n".join(reasons)] if reasons else []), summary(rows)])


def markdown(rows: Sequence[Row], command: str) -> str:
    """Return the table for a page, with what it was made by and with."""
    notes = _notes(rows)
    out = [f"Made by `{command}` on {origin()}.", ""]
    for dtype, members in _by_dtype(rows):
        section, told = "", False
        for row in members:
            if row.section != section:
                section = row.section
                told = section in DESCRIBED and dtype == "float64"
                head = [FIRST.get(section, "circuit"), *_runners(members), *["what it covers"] * told]
                out += ["", f"**{TITLES[section]}, {dtype}**", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
            shown = [_short(cell, notes) for cell in row.cells.values()]
            cells = [f"`{row.name}`", *(f"`{hash}`" if hash in GOLDEN.values() else hash for hash in shown)]
            if told:
                cells.append(described(row.name) if row.name in CIRCUITS else "")
            out.append(f"| {' | '.join(cells)} |")
    out += ["", *(f"[{number}] {note}\n" for note, number in notes.items()), f"{summary(rows)}."]
    return "\n".join(out)


def to_json(rows: Sequence[Row]) -> dict[str, Any]:
    """Return everything as plain values."""
    cells = [
        {"section": row.section, "circuit": row.name, "dtype": row.dtype, "runner": runner, **vars(cell)}
        for row in rows
        for runner, cell in row.cells.items()
        if cell is not None
    ]
    return {"cells": cells, "summary": summary(rows), "versions": versions(), "passed": not failed(rows)}


def write(path: str | Path, table: str) -> None:
    """Write a page with the table; in an existing page what stands between the two marks is replaced.

    FileExistsError for an existing file without the marks, which is left as it is.
    """
    head, tail = _parts(Path(path))
    Path(path).write_text(f"{head}{BEGIN}\n{table}\n{END}{tail}", encoding="utf-8")


def _parts(path: Path) -> tuple[str, str]:
    """Return what stands before and behind the table of a page."""
    if not path.exists():
        return "", "\n"
    head, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise FileExistsError(
            f"{path} exists and has no place for the table; choose another name, or write {BEGIN} and {END} into it"
        )
    return head, tail


def _by_dtype(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(dtype, [r for r in rows if r.dtype == dtype]) for dtype in dict.fromkeys(row.dtype for row in rows)]


def _runners(rows: Sequence[Row]) -> list[str]:
    return list(rows[0].cells)


def _notes(rows: Iterable[Row]) -> dict[str, int]:
    """Number the reasons of refusals and failures, in order of appearance."""
    notes: dict[str, int] = {}
    for row in rows:
        for cell in row.cells.values():
            if cell is not None and cell.note:
                notes.setdefault(cell.note, len(notes) + 1)
    return notes


def _short(cell: Cell | None, notes: dict[str, int]) -> str:
    if cell is None:
        return ""
    return f"{cell.text} [{notes[cell.note]}]" if cell.note else cell.text
