"""Durations in whole steps."""

import pytest

from neurodyn.parts import CircuitError
from neurodyn.specs import whole_steps
from neurodyn.units import quantity


@pytest.mark.parametrize(
    ("duration", "dt", "steps"),
    [
        ("1 ms", 1e-3, 1),
        ("0.3 ms", 1e-4, 3),  # 2.9999999999999996
        ("20 s", 4e-5, 500_000),
        (quantity("0.7 s"), 1e-3, 700),
        ("3600 s", 1e-4, 36_000_000),
        ("3600.0001 s", 1e-4, 36_000_001),
    ],
)
def test_whole_numbers_of_steps_are_found(duration, dt, steps):
    assert whole_steps(duration, dt, "every") == steps


@pytest.mark.parametrize(
    ("duration", "dt", "message"),
    [
        ("1.5 ms", 1e-3, r"session = '1.5 ms': give a whole number of steps of 1 ms, such as 1 ms or 2 ms$"),
        ("0.02 ms", 4e-5, r"such as 0.04 ms$"),
        ("100.05 s", 1e-4 * 7, r"of 0.7 ms, such as 100049.6 ms or 100050.3 ms$"),
        ("3600.00005 s", 1e-4, r"such as 3600000 ms or 3600000.1 ms$"),  # half a step in 36 million
    ],
)
def test_others_are_refused_with_their_neighbours(duration, dt, message):
    with pytest.raises(CircuitError, match=message):
        whole_steps(duration, dt, "session")


@pytest.mark.parametrize("duration", ["0 s", "-1 ms", "nan s", "inf s", "3 mV"])
def test_what_is_no_duration_is_refused(duration):
    with pytest.raises(ValueError, match="session"):
        whole_steps(duration, 1e-3, "session")
