"""Movements of several joints that follow one another by chance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from neurodyn.tasks.fields import whole
from neurodyn.tasks.sequence_draws import sequence_draws
from neurodyn.tasks.stochastic_matrices import FloatArray
from neurodyn.tasks.switching import SwitchingPrimitives

LIMIT = 0.8  # of all angles: softmax codes on [-1, 1] lose little there
_HOME = 0.15  # greatest angle of the home posture
_TAIL = 4  # standard deviations of amplitude and noise that stay within the limit
_ATTEMPTS = 500
_APART = 0.4  # least mean distance of two movements, in units of their reach
_GRID = np.linspace(0, 1, 121)  # phases at which curves are compared


@dataclass(frozen=True, eq=False, kw_only=True)
class JointAngles(SwitchingPrimitives):
    """Joints that swing away from a common posture and back, in movements that follow one another by chance.

    In primitive k, joint j has the angle home_j + a_kj sin^2(pi u) sin(2 pi f_kj u + phi_kj) at phase u from 0 to 1.
    Amplitudes a, frequencies f from 0.5 to 1.5 and phases phi are drawn once, by ``shape``; amplitudes such that joints go
    0.4 to 1 times as far as there is room. All angles lie within -0.8 and 0.8. The default has the transitions of :class:`Primitives`.

    Parameters
    ----------
    joints : int
        At least 2.
    shape : int
        Seed of the posture and of amplitudes, frequencies and phases.
    transition, duration, amplitude_sd, noise, start
        See :class:`Primitives`. The number of primitives is that of the rows of ``transition``.

    Raises
    ------
    ValueError
        For numbers out of range, shapes that don't match, and if no primitives are found that differ enough.
    """

    references: ClassVar[tuple[str, ...]] = ()

    joints: int = 5
    shape: int = 1
    duration: tuple[int, int] = (16, 24)

    def __post_init__(self) -> None:
        object.__setattr__(self, "joints", whole(self.joints, "joints", 2))
        object.__setattr__(self, "shape", whole(self.shape, "shape", 0))
        super().__post_init__()
        if self._largest <= 0.1:
            raise ValueError(
                f"noise={self.noise!r}, amplitude_sd={self.amplitude_sd!r}: too large to keep angles within {LIMIT}; at most "
                "about 0.05 and 0.5"
            )
        _ = self._shapes  # says now, not in a training, that there are none

    @property
    def number(self) -> int:
        """How many primitives there are."""
        return len(self.transition)

    @property
    def home(self) -> FloatArray:
        """Posture at the beginning and end of every primitive, (joint,)."""
        u = sequence_draws("uniform", "joint_angles.home", 1, self.joints, seed=self.shape, step=0)[0]
        return _HOME * (2 * u - 1)

    @property
    def _largest(self) -> float:
        """Amplitude that leaves room for home, noise and larger movements."""
        return (LIMIT - _HOME - _TAIL * self.noise) / (1 + _TAIL * self.amplitude_sd)

    @cached_property
    def _shapes(self) -> FloatArray:
        """Amplitudes, frequencies and phases, (3, primitive, joint)."""
        size = 3 * self.joints
        for attempt in range(_ATTEMPTS):
            u = sequence_draws("uniform", "joint_angles.shapes", self.number, size, seed=self.shape, step=attempt)
            amplitude, frequency, phase = u.reshape(self.number, 3, self.joints).transpose(1, 0, 2)
            shapes = np.stack([np.ones_like(amplitude), 0.5 + frequency, 2 * np.pi * phase])
            greatest = np.stack([np.abs(_curves(shapes[:, k], _GRID)).max(axis=0) for k in range(self.number)])
            shapes[0] = (0.4 + 0.6 * amplitude) * self._largest / greatest
            if _distinct(shapes):
                return shapes
        raise ValueError(
            f"shape={self.shape}: no {self.number} movements of {self.joints} joints that differ enough in {_ATTEMPTS} "
            "attempts; give more joints or fewer primitives"
        )

    def curve(self, primitive: int, phase: Any) -> FloatArray:
        """Return a movement without noise, relative to home, at phases (step,) from 0 to 1: (step, joint)."""
        return _curves(self._shapes[:, primitive], np.asarray(phase))

    def sample(self, count: int, length: int, *, seed: int, step: int = 0) -> Any:
        """Return movements; see :meth:`Primitives.sample`."""
        found = super().sample(count, length, seed=seed, step=step)
        # Acts on noise or amplitudes of more than 4 SD alone.
        np.clip(found.values, -LIMIT, LIMIT, out=found.values)
        return found

    def _classified(self, excursion: FloatArray, back: float) -> int:
        share = (np.arange(len(excursion)) + 0.5) / len(excursion)
        errors = []
        for k in range(self.number):
            phase = _GRID[np.linalg.norm(self.curve(k, _GRID), axis=1) >= back]
            # A movement that isn't as far from home anywhere is compared as a whole.
            first, last = (phase[0], phase[-1]) if len(phase) else (0.0, 1.0)
            errors.append(np.square(excursion - self.curve(k, first + (last - first) * share)).sum())
        return int(np.argmin(errors))


def _curves(shapes: FloatArray, phase: FloatArray) -> FloatArray:
    amplitude, frequency, offset = shapes
    u = phase[:, None]
    return amplitude * np.sin(np.pi * u) ** 2 * np.sin(2 * np.pi * frequency * u + offset)


def _distinct(shapes: FloatArray) -> bool:
    """Whether each movement leaves the neighbourhood of home once, and all of them differ."""
    curves = np.stack([_curves(shapes[:, k], _GRID) for k in range(shapes.shape[1])])
    distance = np.linalg.norm(curves, axis=2)
    reach = distance.max(axis=1)
    for level in reach.min() / 3 * np.array([0.8, 1.25]):  # also where amplitudes vary
        inside = distance > level
        if (np.diff(inside, axis=1).sum(axis=1) > 2).any():
            return False
    apart = np.linalg.norm(curves[:, None] - curves, axis=3).mean(axis=2)
    return bool((apart[np.triu_indices(len(curves), 1)] > _APART * reach.mean()).all())
