"""Reading and checking of the parameters of a what-when task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurodyn.units import si

STANDARD_TESTS = (1, 10, 25, 50, 100)


def time_text(value: Any, name: str, *, zero: bool = False) -> str:
    """One time > 0 (or >= 0) as text: comparable, hashable, and the same in a file as in Python."""
    seconds = si(value, "ms", name=name, low=0) if zero else si(value, "ms", name=name, above=0)
    if np.ndim(seconds):
        raise ValueError(f"{name}={value!r}: give one time, such as {name}='100 ms'")
    return _text(float(seconds))


def time_texts(values: Any, name: str) -> tuple[str, ...]:
    """One or more times > 0 as texts."""
    given = np.atleast_1d(si(values, "ms", name=name, above=0))
    if given.ndim != 1 or not given.size:
        raise ValueError(f"{name}={values!r}: give a list of times, one per event, at least one")
    return tuple(_text(float(seconds)) for seconds in given)


def _text(seconds: float) -> str:
    # Without the last bits of the factor between units, so that 0.15 s and 150 ms are one text.
    return f"{seconds / 1e-3:.15g} ms"


def milliseconds(text: str) -> float:
    """A time as a number of ms, free of the last bit: 0.3 s / 0.001 s is rounded to 300."""
    return round(float(si(text, "ms", name="time")) / 1e-3, 12)


def event_names(events: Sequence[str] | None, number: int) -> tuple[str, ...]:
    """Names of `number` events, checked; A, B, C, ... (E1, E2, ... for more than 26) if none are given."""
    if events is None:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        return tuple(letters[:number]) if number <= 26 else tuple(f"E{k + 1}" for k in range(number))
    names = (events,) if isinstance(events, str) else tuple(events)
    if len(names) != number:
        raise ValueError(f"events={names!r}: {len(names)} names, {number} latencies; give one of each per event")
    for name in names:
        if not isinstance(name, str) or not name or name in ("cue", "none") or names.count(name) > 1:
            raise ValueError(
                f"events={names!r}: {name!r} can't be used; give different texts, other than 'cue' and 'none'"
            )
    return names


def event_probabilities(given: Any, number: int) -> tuple[float, ...]:
    """Probabilities of `number` events from one number (of the first of two) or one per event."""
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"probability={given!r}: give numbers from 0 to 1") from None
    if not ((values >= 0) & (values <= 1)).all():  # refuses NaN too
        raise ValueError(f"probability={given!r}: probabilities lie between 0 and 1")
    if values.ndim == 0 and number <= 2:
        # Rounded, because the rest of 0.8 would be 0.19999999999999996.
        values = np.array([values, np.round(1.0 - values, 12)][:number])
    if values.shape != (number,):
        raise ValueError(
            f"probability={given!r}: with {number} event{'s' * (number > 1)} give a sequence of {number} "
            "summing to 1 (a single number is the probability of the first of two events)"
        )
    if abs(values.sum() - 1.0) > 1e-9:
        raise ValueError(
            f"probability={given!r}: the sum is {values.sum():.10g} and has to be 1, because one event "
            "occurs in every trial; divide by the sum, or give the rest to another event"
        )
    return tuple(float(p) for p in values)


def whole(value: Any, name: str, least: int) -> int:
    """A whole number, at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name}={value!r}: give a whole number, at least {least}")
    return int(value)


def points_of_test(tests: Sequence[int] | None, trials: int) -> tuple[int, ...]:
    """Numbers of the training trials that a test follows, in order."""
    if tests is None:
        return tuple(sorted({t for t in STANDARD_TESTS if t <= trials} | {trials}))
    if not isinstance(tests, Sequence | np.ndarray):
        raise ValueError(f"tests={tests!r}: give a list of trial numbers, such as [{tests!r}]")
    points = sorted({whole(number, "tests", 0) for number in tests})
    if points and points[-1] > trials:
        raise ValueError(
            f"tests={tests!r}: {points[-1]} is beyond the last training trial, trials={trials}; leave it out"
        )
    return tuple(points)
