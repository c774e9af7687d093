"""Durations and sizes as people write them."""

from __future__ import annotations

import re

from neurodyn.scan.errors import ScanError

_SECONDS = {"": 1.0, "ms": 1e-3, "s": 1.0, "sec": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_BYTES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([A-Za-z]*)\s*")


def seconds(value: str | float | None, name: str) -> float | None:
    """Seconds from a number of them, "90 s", "10 min", "2 h", "1:30:00" (h:min:s); None stays None."""
    if value is None:
        return None
    text = str(value)
    if re.fullmatch(r"\d+(:\d\d){1,2}", text.strip()):
        parts = [int(part) for part in text.split(":")]
        found = float(sum(part * unit for part, unit in zip(reversed(parts), (1, 60, 3600), strict=False)))
    else:
        found = _amount(text, _SECONDS, name, "10 min, 90 s, 2 h or 1:30:00")
    if found <= 0:
        raise ScanError(f"{name} = {value!r} has to be longer than nothing")
    return found


def size(value: str | float | None, name: str) -> int | None:
    """Bytes from a number of them, "500 MB", "2 GB", "2 GiB", or Slurm's "2G"; None stays None."""
    if value is None:
        return None
    found = int(_amount(str(value), {"": 1, **_BYTES}, name, "500 MB, 2 GB or 1.5 GiB"))
    if found <= 0:
        raise ScanError(f"{name} = {value!r} has to be more than nothing")
    return found


def _amount(text: str, units: dict[str, float] | dict[str, int], name: str, example: str) -> float:
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2].lower() not in units:
        raise ScanError(f"{name} = {text!r} can't be read; write {example}")
    return float(match[1]) * units[match[2].lower()]


def show_seconds(value: float) -> str:
    """A duration in words: "90 ms", "12 s", "3.5 min", "2.1 h"."""
    for limit, unit, digits in ((60, "s", 0), (3600, "min", 1), (86400, "h", 1)):
        if value < limit:
            if unit == "s":
                return f"{1000 * value:.0f} ms" if value < 1 else f"{value:.1f} s" if value < 10 else f"{value:.0f} s"
            return f"{value * 60 / limit:.{digits}f} {unit}" if unit == "min" else f"{value / 3600:.{digits}f} {unit}"
    return f"{value / 86400:.1f} d"


def show_bytes(value: float) -> str:
    """A size in words: "12 kB", "3.4 GB"."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value:.0f} B"
