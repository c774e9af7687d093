"""Phase locking of events to a periodic drive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, number, whole
from .._result import Result
from ..conventions import Conventions
from ..nulls import NullTest
from .regularity import trains_of

_FEWEST = 10  # intervals in a train
_PER_INTERVAL = 8  # times, on average, at which phases are compared


@dataclass(frozen=True, eq=False)
class PhaseLocking(Result, figure="phase_locking"):
    """Synchronisation index of trains with a drive; ``print`` shows it with its null.

    Attributes
    ----------
    index : float
        Mean over trains, 0 (phases drift) to 1 (locked).
    indices : array, shape (train)
        Of each train; NaN for fewer than 10 intervals.
    null : NullTest
        The same with the intervals of each train in random order, and a random start.
    ratio : float
        Events per period of the drive; m / n where trains are locked n:m.
    density : array, shape (bin)
        Density of the phase difference over the circle, in bins from -pi to pi; integral 1.
    frequency : float
        Of the drive.
    n, m : int
    conventions : Conventions
    """

    index: float
    indices: FloatArray
    null: NullTest[float]
    ratio: float
    density: FloatArray
    frequency: float
    n: int
    m: int
    conventions: Conventions = field(default_factory=Conventions)

    def __str__(self) -> str:
        return (
            f"{self.n}:{self.m} phase locking {self.null} to {self.frequency:g} cycles per {self.conventions.time}; "
            f"{self.ratio:.4g} events in a period; {np.isfinite(self.indices).sum()} trains"
        )


def phase_locking(
    times: Any,
    *,
    frequency: float,
    n: int = 1,
    m: int = 1,
    samples: int = 200,
    seed: int = 0,
    time: str = "ms",
) -> PhaseLocking:
    """Index of n:m synchronisation between events and a periodic drive, ``|<exp i(n phi - m psi)>|``.

    phi(t) is the phase of the events, which grows by 2 pi from each to the next, linearly between; psi(t) = 2 pi f t that of the
    drive. The mean is over time, evenly sampled from the first to the last event of a train.

    Parameters
    ----------
    times : array, shape (event), or a sequence of them
        Times of events in order, by the clock of the drive; a train for each unit, path or network.
    frequency : float
        f, in cycles per unit of time.
    n, m : int
        n phases of events beside m of the drive: 1:1 for one event a period, 2:1 for one every second period, 1:2 for two in a
        period.
    samples, seed : int
        Surrogates.
    time : str
        Name of the unit of time.

    Raises
    ------
    ValueError
        For times that are NaN or out of order, and where no train has 10 intervals.

    Notes
    -----
    An index of finite length is never 0: of trains with k independent intervals expect some 1 / sqrt(k) without locking, more
    where intervals are regular and their rate happens to be near the drive's. The null keeps both, so that a regular train which isn't
    driven can pass it only by chance. Drift between trains doesn't count: each train has an index of its own.

    References
    ----------
    Tass et al. (1998) Phys Rev Lett 81:3291 (n:m). Rosenblum, Pikovsky, Kurths, Schaefer & Tass (2001) in Handbook of Biological
    Physics 4:279 (index). Freund, Neiman & Schimansky-Geier (2000) Europhys Lett 50:8 (stochastic resonance as synchronisation).
    """
    frequency = number(frequency, "frequency", unit="cycles per unit of time", low=0, strict=True)
    n, m = whole(n, "n"), whole(m, "m")
    trains = trains_of(times)
    long = [train for train in trains if train.size > _FEWEST]
    if not long:
        raise ValueError(
            f"the longest of {len(trains)} trains has {max(t.size for t in trains)} events: at least {_FEWEST + 1}"
        )
    differences = [_difference(train, frequency, n, m) for train in long]
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(whole(samples, "samples")):
        made = [_redrawn(train, frequency, rng) for train in long]
        null.append(np.mean([_index(_difference(train, frequency, n, m)) for train in made]))
    indices = np.full(len(trains), np.nan)
    indices[[train.size > _FEWEST for train in trains]] = [_index(each) for each in differences]
    index = float(np.nanmean(indices))
    turns = sum(train[-1] - train[0] for train in long) * frequency
    pooled = np.angle(np.exp(1j * np.concatenate(differences)))
    return PhaseLocking(
        index,
        indices,
        NullTest(index, np.array(null)),
        float(sum(train.size - 1 for train in long) / turns),
        np.histogram(pooled, bins=36, range=(-np.pi, np.pi), density=True)[0],
        frequency,
        n,
        m,
        Conventions(time=time),
    )


def _difference(train: FloatArray, frequency: float, n: int, m: int) -> FloatArray:
    at = np.linspace(train[0], train[-1], _PER_INTERVAL * (train.size - 1), endpoint=False)
    phase = np.interp(at, train, np.arange(train.size))
    return 2 * np.pi * (n * phase - m * frequency * at)


def _index(difference: FloatArray) -> float:
    return float(np.abs(np.exp(1j * difference).mean()))


def _redrawn(train: FloatArray, frequency: float, rng: np.random.Generator) -> FloatArray:
    start = rng.random() / frequency
    return np.concatenate([[start], start + np.cumsum(rng.permutation(np.diff(train)))])
