"""Movements that are strung together from primitives by chance: what tasks of this kind share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.sequence_draws import sequence_draws
from neurodyn.tasks.stochastic_matrices import FloatArray, edges, rows
from neurodyn.tasks.symbol_sequences import IntArray

A_THEN_B_OR_C = ((0.0, 0.7, 0.3), (1.0, 0.0, 0.0), (1.0, 0.0, 0.0))
_PHASES = 400  # points at which the reach of a primitive is looked for


@dataclass(frozen=True, eq=False)
class PrimitiveSample:
    """Movements and the primitives they consist of.

    Attributes
    ----------
    values : array, shape (sequence, time, dimension)
    labels : array, shape (sequence, time)
        Which primitive each step belongs to; integers.
    onsets : one array for each sequence, shape (event)
        Steps at which primitives begin. The last one of a sequence is cut by its end, as a rule.
    """

    values: FloatArray
    labels: IntArray
    onsets: tuple[IntArray, ...]

    @property
    def order(self) -> tuple[IntArray, ...]:
        """The primitives of each sequence, one after the other."""
        return tuple(labels[onsets] for labels, onsets in zip(self.labels, self.onsets, strict=True))


@dataclass(frozen=True, eq=False)
class Segments:
    """Primitives found in movements, one entry for each sequence.

    Attributes
    ----------
    labels : arrays of int, shape (event)
        The primitives, one after the other.
    peaks : arrays of int, shape (event)
        The step at which each was farthest from home.
    """

    labels: tuple[IntArray, ...]
    peaks: tuple[IntArray, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class SwitchingPrimitives(ABC):
    """Closed movements from home and back, each for a random duration, chosen by a chain.

    Subclasses say what the movements are. See :class:`neurodyn.tasks.Primitives` for the parameters.
    """

    transition: Any = A_THEN_B_OR_C
    duration: tuple[int, int]
    amplitude_sd: float = 0.05
    noise: float = 0.01
    start: int = 0

    def __post_init__(self) -> None:
        transition = rows(self.transition, "transition")
        if transition.shape != (self.number, self.number):
            raise ValueError(
                f"transition has shape {transition.shape} for {self.number} primitives: give one row and one column each"
            )
        object.__setattr__(self, "transition", transition)
        given = self.duration if isinstance(self.duration, Sequence) else (self.duration,)
        duration = tuple(whole(k, "duration", 4) for k in given)
        if len(duration) != 2 or duration[0] > duration[1]:
            raise ValueError(f"duration={self.duration!r}: give the least and the greatest number of steps")
        object.__setattr__(self, "duration", duration)
        for name in ("amplitude_sd", "noise"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: give a finite standard deviation, at least 0")
        if whole(self.start, "start", 0) >= self.number:
            raise ValueError(f"start={self.start}: there are primitives 0 to {self.number - 1}")

    @property
    def config(self) -> dict[str, Any]:
        """Name and parameters, for a recording."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        plain = {k: np.asarray(v).tolist() if isinstance(v, tuple | np.ndarray) else v for k, v in values.items()}
        return {"task": type(self).__name__, **plain}

    @property
    @abstractmethod
    def number(self) -> int:
        """How many primitives there are."""

    @property
    @abstractmethod
    def home(self) -> FloatArray:
        """Where every primitive begins and ends, (dimension,)."""

    @abstractmethod
    def curve(self, primitive: int, phase: Any) -> FloatArray:
        """Return a primitive without noise at phases (step,) from 0 to 1, relative to home: (step, dimension)."""

    @abstractmethod
    def _classified(self, excursion: FloatArray, back: float) -> int:
        """The primitive of an excursion (step, dimension), relative to home: what is farther from it than ``back``."""

    @property
    def reach(self) -> FloatArray:
        """Greatest distance of each primitive from home, (primitive,)."""
        phase = np.arange(_PHASES) / _PHASES
        return np.array([np.linalg.norm(self.curve(k, phase), axis=1).max() for k in range(self.number)])

    def sample(self, count: int, length: int, *, seed: int, step: int = 0) -> PrimitiveSample:
        """Return movements: a function of seed and step alone; more and longer ones begin with the fewer and shorter.

        Parameters
        ----------
        count, length : int
            Number of sequences, and of steps in each; at least 1. All begin with the primitive ``start``.
        seed, step : int
            Key of the draws, and number of the batch, below 2^31.
        """
        count, length = whole(count, "count", 1), whole(length, "length", 1)
        least, most = self.duration
        longest = -(-length // least)  # primitives in a sequence, at most
        key: dict[str, Any] = {"seed": seed, "step": step}
        chosen, lasting = (
            sequence_draws("uniform", f"primitives.{name}", count, longest, **key) for name in ("order", "duration")
        )
        factor = 1 + self.amplitude_sd * sequence_draws("normal", "primitives.amplitude", count, longest, **key)
        steps = least + (lasting * (most - least + 1)).astype(np.int64)
        home, upper = self.home, edges(self.transition)
        size = length * len(home)
        noise = self.noise * sequence_draws("normal", "primitives.noise", count, size, **key)
        values = home + noise.reshape(count, length, len(home))
        labels, onsets = np.empty((count, length), dtype=np.int64), []
        for s in range(count):
            begins = np.concatenate([[0], np.cumsum(steps[s])])
            begins = begins[: np.searchsorted(begins, length)]
            primitive = self.start
            for k, begin in enumerate(begins):
                if k:
                    primitive = int((chosen[s, k] >= upper[primitive]).sum())
                end = min(begin + steps[s, k], length)
                phase = np.arange(end - begin) / steps[s, k]
                values[s, begin:end] += factor[s, k] * self.curve(primitive, phase)
                labels[s, begin:end] = primitive
            onsets.append(begins)
        return PrimitiveSample(values, labels, tuple(onsets))

    def segment(self, values: Any, *, out: float | None = None, back: float | None = None) -> Segments:
        """Find the primitives in movements, such as those that a network generates.

        An excursion begins where the distance from home exceeds ``out`` and ends where it falls below ``back``. Those that
        the beginning or the end of a sequence cuts don't count.

        Parameters
        ----------
        values : array, shape (time, dimension) or (..., time, dimension)
            Leading axes are laid out one after the other.
        out, back : float, optional
            Distances, ``out`` above ``back``; half and a third of the least ``reach`` if not given.

        Raises
        ------
        ValueError
            For values that are not finite, or of other dimensions.
        """
        given = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=np.float64)
        if given.ndim < 2 or given.shape[-1] != len(self.home):
            raise ValueError(
                f"values has shape {given.shape}: give (..., time, dimension) with {len(self.home)} dimensions"
            )
        if not np.isfinite(given).all():
            where = tuple(int(k) for k in np.argwhere(~np.isfinite(given))[0])
            raise ValueError(f"values holds {given[where]} at index {where}: look where the network diverged")
        least = float(self.reach.min())
        out, back = least / 2 if out is None else out, least / 3 if back is None else back
        if not 0 < back < out:
            raise ValueError(f"out={out!r}, back={back!r}: give two distances above 0, out above back")
        labels, peaks = [], []
        for movement in given.reshape(-1, *given.shape[-2:]) - self.home:
            distance = np.linalg.norm(movement, axis=1)
            found = [(a, a + int(distance[a:b].argmax()), b) for a, b in _excursions(distance, out, back)]
            labels.append(np.array([self._classified(movement[a:b], back) for a, _, b in found], dtype=np.int64))
            peaks.append(np.array([p for _, p, _ in found], dtype=np.int64))
        return Segments(tuple(labels), tuple(peaks))


def _excursions(distance: FloatArray, out: float, back: float) -> list[tuple[int, int]]:
    """Steps from the first not below ``back`` to the first below it again, where ``out`` is exceeded in between."""
    side = np.where(distance > out, 1, np.where(distance < back, -1, 0))
    marks = np.flatnonzero(side)
    at = side[marks]
    leaves = np.flatnonzero((at[:-1] < 0) & (at[1:] > 0))
    returns = np.flatnonzero((at[:-1] > 0) & (at[1:] < 0))
    found = []
    for k in leaves:
        later = returns[returns > k]
        if len(later):
            found.append((int(marks[k]) + 1, int(marks[later[0] + 1])))
    return found
