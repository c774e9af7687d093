"""How long what a network generates stays with the sequence it was started from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._arrays import plain
from .._checks import FloatArray, IntArray, number


@dataclass(frozen=True, eq=False)
class DivergenceStep:
    """Steps until generated sequences leave their targets.

    Attributes
    ----------
    steps : array of int, shape (repeat, sequence)
        The first step that differs, counted from 0, which is the number of steps that agree before; ``length`` if none does.
    length : int
        Steps of the targets.
    """

    steps: IntArray
    length: int

    @property
    def mean(self) -> float:
        """Average divergence step, over sequences and repeats."""
        return float(self.steps.mean())

    @property
    def sd(self) -> float:
        """Standard deviation over sequences and repeats."""
        return float(self.steps.std())

    @property
    def by_sequence(self) -> FloatArray:
        """Mean over repeats, (sequence)."""
        return self.steps.mean(axis=0)

    @property
    def kept(self) -> float:
        """Share of generated sequences that never leave their targets, 0 to 1."""
        return float((self.steps == self.length).mean())

    def __str__(self) -> str:
        repeats, sequences = self.steps.shape
        return (
            f"divergence step {self.mean:.2f} of {self.length} (SD {self.sd:.2f} over {sequences} sequences, {repeats} "
            f"repeats; between sequences {self.by_sequence.std():.2f}); {self.kept:.1%} never diverge"
        )


def divergence_step(generated: Any, target: Any, *, threshold: float | None = None) -> DivergenceStep:
    """Find where generated sequences first differ from the ones they were started from.

    Parameters
    ----------
    generated : array or tensor, shape of `target` or (repeat, ...)
        NaN differs from everything.
    target : array or tensor, shape (sequence, time) of symbols, or (sequence, time, dimension) of values
    threshold : float, optional
        Euclidean distance, at least 0, above which values differ. Without it both are symbols and have to be equal.

    Raises
    ------
    ValueError
        For shapes that don't match, symbols that are no whole numbers without a threshold, and targets that are not finite.

    Notes
    -----
    The abbreviation of the literature is ADS. It needs a reference: of legal sequences with independent choices from one
    start it isn't 0, but 6.1 for :meth:`neurodyn.tasks.FiniteState.cycle`, whose choices agree with a probability of .58.
    """
    aim, made = plain(target), plain(generated)
    shape = "(sequence, time)" if threshold is None else "(sequence, time, dimension)"
    if aim.ndim != (2 if threshold is None else 3) or not aim.size:
        hint = ": of values, give a threshold" if threshold is None and aim.ndim == 3 else ""
        raise ValueError(f"target has shape {aim.shape}, not {shape}{hint}")
    if made.ndim == aim.ndim:
        made = made[None]
    if made.ndim != aim.ndim + 1 or made.shape[1:] != aim.shape or not len(made):
        raise ValueError(
            f"generated has shape {made.shape}, target {aim.shape}: give {shape} or (repeat, ...) of the same"
        )
    if threshold is None:
        for name, array in (("target", aim), ("generated", made)):
            if array.dtype.kind not in "iub":
                raise ValueError(
                    f"{name} has dtype {array.dtype}: give symbols as whole numbers, or a threshold for values"
                )
        same = made == aim
    else:
        if not np.isfinite(aim).all():
            raise ValueError("target holds values that are NaN or infinite: cut or fill them")
        limit = number(threshold, "threshold", unit="", low=0)
        same = np.linalg.norm(made.astype(np.float64) - aim, axis=-1) <= limit  # false for NaN
    steps = np.where(same.all(axis=2), aim.shape[1], np.argmin(same, axis=2))
    return DivergenceStep(steps.astype(np.int64), aim.shape[1])
