"""Loops in the plane that follow one another by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from neurodyn.tasks.stochastic_matrices import FloatArray
from neurodyn.tasks.switching import SwitchingPrimitives


@dataclass(frozen=True, eq=False, kw_only=True)
class Primitives(SwitchingPrimitives):
    """Circular loops through the origin, each drawn once in a random number of steps, in the order of a Markov chain.

    The default has A to the left, B to the upper and C to the lower right; A is followed by B with .7 and by C with .3,
    both are followed by A. It stands in for the hand-drawn patterns of Ahmadi & Tani (2019) Neural Comput. 31:2025.

    Parameters
    ----------
    centres : array, shape (primitive, 2)
        Centres of the loops, not at the origin; radii are their distances from it. Loops run counter-clockwise.
    transition : array, shape (primitive, next primitive)
        Probabilities; every row sums to 1.
    duration : (int, int)
        Least and greatest number of steps of a primitive, at least 4; all numbers between are equally likely.
    amplitude_sd : float
        Standard deviation of the factor by which each primitive is larger or smaller, which has a mean of 1.
    noise : float
        Standard deviation of independent noise in each step and dimension.
    start : int
        Primitive with which every sequence begins.

    Raises
    ------
    ValueError
        For numbers out of range and shapes that don't match.
    """

    references: ClassVar[tuple[str, ...]] = ("ahmadi2019",)

    centres: Any = ((-0.45, 0.0), (0.32, 0.32), (0.32, -0.32))
    duration: tuple[int, int] = (10, 14)

    def __post_init__(self) -> None:
        centres = np.array(self.centres, dtype=np.float64)
        if (
            centres.ndim != 2
            or centres.shape[1] != 2
            or not np.isfinite(centres).all()
            or not centres.any(axis=1).all()
        ):
            raise ValueError(f"centres={self.centres!r}: give (x, y) for each primitive, finite and not the origin")
        centres.setflags(write=False)
        object.__setattr__(self, "centres", centres)
        super().__post_init__()

    @property
    def number(self) -> int:
        """How many primitives there are."""
        return len(self.centres)

    @property
    def home(self) -> FloatArray:
        """The origin, (2,)."""
        return np.zeros(2)

    def curve(self, primitive: int, phase: Any) -> FloatArray:
        """Return a loop without noise at phases (step,) from 0 to 1: (step, 2)."""
        angle = 2 * np.pi * np.asarray(phase)
        x, y = self.centres[primitive]
        cos, sin = np.cos(angle), np.sin(angle)
        return np.stack([x - cos * x + sin * y, y - sin * x - cos * y], axis=-1)

    def _classified(self, excursion: FloatArray, back: float) -> int:
        extreme = excursion[np.linalg.norm(excursion, axis=1).argmax()]
        # A loop is farthest opposite the origin, at twice its centre.
        return int(np.linalg.norm(extreme - 2 * self.centres, axis=1).argmin())
