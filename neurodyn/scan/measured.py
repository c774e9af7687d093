"""What points of a scan took, as far as some have run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """Costs of the points that are done.

    Parameters
    ----------
    count : int
    seconds, longest : float
        Median and largest time of a point.
    peak : int
        Most memory that any took, in bytes.
    disk : float
        Mean size of a recording in bytes.
    mean : float
        Mean time of a point.
    """

    count: int
    seconds: float
    longest: float
    peak: int
    disk: float
    mean: float


def measured(entries: Iterable[dict[str, Any]]) -> Measured | None:
    """From the entries of journals; None if no point is done."""
    rows = [
        (entry["seconds"], entry.get("peak", 0), entry["stamp"][0])
        for entry in entries
        if entry["state"] == "done" and "seconds" in entry
    ]
    if not rows:
        return None
    times = sorted(row[0] for row in rows)
    count = len(rows)
    peak, disk = max(row[1] for row in rows), sum(row[2] for row in rows) / count
    return Measured(count, times[count // 2], times[-1], peak, disk, sum(times) / count)
