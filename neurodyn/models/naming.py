"""Names that a user chooses, and may have mistyped."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def nearest(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean ...?" with the known name that is most like ``name``, or nothing if none is."""
    near = difflib.get_close_matches(str(name).lower(), {k.lower(): k for k in known}, n=1, cutoff=0.5)
    return f"; did you mean {next(k for k in known if k.lower() == near[0])!r}?" if near else ""


def one_of(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is among the allowed ones; raise ValueError naming these, and the nearest."""
    allowed = list(allowed)
    if value not in allowed:
        raise ValueError(f"{name} = {value!r}{nearest(value, allowed)}; allowed are {', '.join(map(repr, allowed))}")
    return value
