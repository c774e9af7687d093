"""Signals to be taught: sines, their product, the Lorenz attractor, a melody, and a song of many channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurodyn.citing import cites
from neurodyn.tasks.draws import uniforms
from neurodyn.tasks.fields import milliseconds, time_text, whole
from neurodyn.tasks.supervisor import Supervisor
from neurodyn.units import Rate, Time, si

NOTES = ("C", "D", "E", "F", "G")
#: first line of the melody as (note, quarters)
MELODY = tuple((note, 1) for note in "EEFGGFEDCCDEED") + (("D", 2),)


@cites("nicola2017")
def sine(frequency: Rate = "5 Hz", *, dt: Time = "0.04 ms") -> Supervisor:
    """The target sin(2 pi f t), of amplitude 1.

    Parameters
    ----------
    frequency : quantity in Hz
        f, above 0; its period has to be a whole number of steps.
    dt : time
        Step; that of the published networks by default.

    References
    ----------
    Nicola & Clopath (2017) Nat. Commun. 8:2208.
    """
    hertz = float(si(frequency, "Hz", name="frequency", above=0))
    phase = 2 * np.pi * hertz * _time(1 / hertz, dt, f"the period of frequency={frequency!r}")
    return Supervisor(np.sin(phase), dt=dt, config={"signal": "sine", "frequency": str(frequency)})


@cites("nicola2017")
def product_of_sines(
    frequencies: tuple[Rate, Rate] = ("4 Hz", "6 Hz"), *, noise: float = 0.05, dt: Time = "0.04 ms"
) -> Supervisor:
    """The target sin(2 pi f1 t) sin(2 pi f2 t) with noise uniform in (0, noise), as published.

    Parameters
    ----------
    frequencies : two quantities in Hz
        f1 and f2, whole numbers of Hz.
    noise : float
        At least 0.
    dt : time
        Step; the common period has to be a whole number of steps.

    Raises
    ------
    ValueError
        Frequencies that are no whole numbers of Hz.

    References
    ----------
    Nicola & Clopath (2017) Nat. Commun. 8:2208.
    """
    first, second = (float(si(f, "Hz", name="frequencies", above=0)) for f in frequencies)
    if first % 1 or second % 1:
        raise ValueError(f"frequencies={frequencies!r}: give whole numbers of Hz, so that the product repeats")
    period = 1 / float(np.gcd(round(first), round(second)))
    t = _time(period, dt, f"the common period of frequencies={frequencies!r}")
    values = np.sin(2 * np.pi * first * t) * np.sin(2 * np.pi * second * t)
    config = {"signal": "product of sines", "frequencies": [str(f) for f in frequencies]}
    return Supervisor(values, dt=dt, noise=noise, config=config)


@cites("lorenz1963", "nicola2017")
def lorenz(duration: Time = "60 s", *, unit: Time = "0.5 s", dt: Time = "1 ms") -> Supervisor:
    """The Lorenz attractor, x/20, y/25 and (z - 25)/25 over time; it never repeats.

    x' = 10 (y - x), y' = x (28 - z) - y, z' = x y - 8 z/3 (Lorenz 1963, J. Atmos. Sci. 20:130), by Runge-Kutta steps of at
    most 0.005, from (1, 1, 25) and after 20 units of time that are left out.

    Parameters
    ----------
    duration : time
        Length of the trajectory; no session can be longer.
    unit : time
        How long one unit of the equations' time lasts; the orbits take about 0.75 units.
    dt : time
        Step of the samples.
    """
    step = float(si(dt, "ms", name="dt", above=0)) / float(si(unit, "ms", name="unit", above=0))
    samples = len(_time(float(si(duration, "s", name="duration", above=0)), dt, f"duration={duration!r}"))
    parts = int(np.ceil(step / 0.005))
    h, skipped = step / parts, int(np.ceil(20 / step))
    values, state = np.empty((samples, 3)), (1.0, 1.0, 25.0)
    for k in range(skipped + samples):
        if k >= skipped:
            values[k - skipped] = state
        for _ in range(parts):
            state = _runge_kutta(state, h)
    values = (values - (0.0, 0.0, 25.0)) / (20.0, 25.0, 25.0)
    config = {"signal": "Lorenz", "duration": str(duration), "unit": str(unit)}
    return Supervisor(values, dt=dt, names=("x", "y", "z"), repeat=False, config=config)


@cites("nicola2017")
def ode_to_joy(*, beat: Time = "250 ms", dt: Time = "1 ms") -> Supervisor:
    """The first line of the Ode to Joy on five notes, C to G: each is a half-wave of height 1, a beat or two long.

    Parameters
    ----------
    beat : time
        Length of a quarter, a whole number of steps.
    dt : time
        Step.

    References
    ----------
    Nicola & Clopath (2017) Nat. Commun. 8:2208.
    """
    quarter = len(_time(float(si(beat, "s", name="beat", above=0)), dt, f"beat={beat!r}"))
    values = np.zeros((quarter * sum(length for _, length in MELODY), len(NOTES)))
    at = 0
    for note, length in MELODY:
        steps = quarter * length
        values[at : at + steps, NOTES.index(note)] = np.sin(np.pi * np.arange(steps) / steps)
        at += steps
    return Supervisor(values, dt=dt, names=NOTES, config={"signal": "Ode to Joy", "beat": str(beat)})


@cites("nicola2017")
def song(
    channels: int = 10,
    *,
    duration: Time = "2 s",
    syllables: int = 8,
    clock: int = 200,
    seed: int = 1,
    dt: Time = "1 ms",
) -> Supervisor:
    """A song-like pattern: syllables that sweep over the channels of a spectrogram, with a clock beside them.

    Stands in for the spectrogram of a bird, which isn't ours to distribute. Syllable k fills its slot of
    duration/syllables, but for a ninth at either end, with a ridge of height 1 and a width of 0.1 of the channels, which moves from one drawn pitch to
    another, under a half-wave; an overtone of half the height follows it at a drawn distance.

    Parameters
    ----------
    channels, syllables : int
        At least 1.
    duration : time
        Length of the song, a whole number of steps.
    clock : int
        Channels of the input "clock" (see :class:`Supervisor`): published are 500 for 5 s, so 200 for 2 s.
    seed : int
        Key of the pitches.
    dt : time
        Step.
    """
    t = _time(float(si(duration, "s", name="duration", above=0)), dt, f"duration={duration!r}")
    channels, syllables = whole(channels, "channels", 1), whole(syllables, "syllables", 1)
    pitch = (np.arange(channels) + 0.5) / channels
    draws = uniforms(seed, 0, 0, 3 * syllables).reshape(syllables, 3)
    phase = np.arange(len(t)) * syllables / len(t)
    which, within = phase.astype(int), np.clip((phase % 1 - 1 / 9) * 9 / 7, 0, 1)
    start, stop, apart = draws[which].T
    ridge = start + (stop - start) * within
    loud = np.sin(np.pi * within)[:, None]
    values = loud * np.exp(-0.5 * ((pitch - ridge[:, None]) / 0.1) ** 2)
    values += 0.5 * loud * np.exp(-0.5 * ((pitch - ridge[:, None] - 0.3 - 0.3 * apart[:, None]) / 0.1) ** 2)
    config: dict[str, Any] = {"signal": "song", "channels": channels, "syllables": syllables, "pitches": seed}
    names = tuple(f"channel{k}" for k in range(channels))
    return Supervisor(values, dt=dt, names=names, clock=clock, config=config)


def _time(seconds: float, dt: Time, name: str) -> np.ndarray:
    """Sample times k dt of a stretch of time that is a whole number of them."""
    step = milliseconds(time_text(dt, "dt"))
    samples = seconds * 1e3 / step
    if round(samples) < 1 or abs(samples - round(samples)) > 1e-6:
        raise ValueError(
            f"{name} is {samples:.6g} samples of dt={dt!r}, which has to be a whole number; change one of them"
        )
    return np.arange(round(samples)) * (step * 1e-3)


def _runge_kutta(state: tuple[float, float, float], h: float) -> tuple[float, float, float]:
    k1 = _slope(*state)
    k2 = _slope(*(s + 0.5 * h * k for s, k in zip(state, k1, strict=True)))
    k3 = _slope(*(s + 0.5 * h * k for s, k in zip(state, k2, strict=True)))
    k4 = _slope(*(s + h * k for s, k in zip(state, k3, strict=True)))
    x, y, z = (s + h / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4, strict=True))
    return x, y, z


def _slope(x: float, y: float, z: float) -> tuple[float, float, float]:
    return 10 * (y - x), x * (28 - z) - y, x * y - 8 * z / 3
