"""Periodic signals of the pattern generation task that reservoirs learn from reward (Hoerzer et al. 2014, task 1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodyn.citing import cites
from neurodyn.tasks.fields import milliseconds, time_text
from neurodyn.tasks.supervisor import Supervisor
from neurodyn.units import Time


@cites("hoerzer2014")
def triangle(period: Time = "1 s", *, amplitude: float = 1.0, dt: Time = "1 ms") -> Supervisor:
    """The target that goes up and down in straight lines between +-amplitude, from 0 upwards.

    Parameters
    ----------
    period, dt : time
        Period, a whole number of the steps ``dt``.
    amplitude : float

    Raises
    ------
    ValueError
        For values out of range.

    References
    ----------
    Hoerzer, Legenstein & Maass (2014) Cereb. Cortex 24:677.
    """
    phase, config = _phase(period, dt)
    size = _finite("amplitude", amplitude)
    values = size * (1.0 - 4.0 * np.abs((phase + 0.25) % 1.0 - 0.5))
    return Supervisor(values, dt=dt, config={"signal": "triangle", "amplitude": size, **config})


@cites("hoerzer2014")
def harmonics(
    amplitudes: Sequence[float] = (1.0, 0.5, 0.3), *, period: Time = "1.5 s", dt: Time = "1 ms"
) -> Supervisor:
    """The target sum_k amplitudes[k] sin(2 pi (k + 1) t/period).

    Parameters
    ----------
    amplitudes : sequence of float
        At least one.
    period, dt : time
        Period, a whole number of the steps ``dt``.

    Raises
    ------
    ValueError
        For values out of range.

    References
    ----------
    The periodic patterns of Hoerzer, Legenstein & Maass (2014) Cereb. Cortex 24:677 are of this form.
    """
    phase, config = _phase(period, dt)
    sizes = [_finite("amplitudes", a) for a in amplitudes]
    if not sizes:
        raise ValueError(f"amplitudes={amplitudes!r}: give one or more numbers")
    values = np.sin(2 * np.pi * np.outer(phase, np.arange(1, len(sizes) + 1))) @ np.array(sizes)
    return Supervisor(values, dt=dt, config={"signal": "harmonics", "amplitudes": sizes, **config})


def _phase(period: Time, dt: Time) -> tuple[np.ndarray, dict[str, str]]:
    """Phase of the samples of one period, in [0, 1)."""
    text = time_text(period, "period")
    steps = milliseconds(text) / milliseconds(time_text(dt, "dt"))
    if abs(steps - round(steps)) > 1e-6:
        raise ValueError(f"period={period!r} is not a whole number of dt={dt!r}; change one of them")
    return np.arange(round(steps)) / round(steps), {"period": text}


def _finite(name: str, value: float) -> float:
    if not np.isfinite(value):
        raise ValueError(f"{name}: {value!r}, give finite numbers")
    return float(value)
