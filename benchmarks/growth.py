"""How a time grows with a size: the exponent at large sizes, and where the law bends, from fits in the logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Growth:
    """Times (sizes,) that grow as size^``exponent`` on the upper half of the sizes.

    ``bend``: the size at which two straight lines that meet there fit the logarithms best, their slopes ``below`` and
    ``above``; None where they leave more than a quarter of the squared deviations from one line.
    """

    sizes: np.ndarray
    times: np.ndarray
    exponent: float
    bend: float | None
    below: float
    above: float

    @staticmethod
    def of(sizes: Sequence[float], times: Sequence[float]) -> Growth:
        """Fit positive ``times`` at four or more different positive ``sizes``, in ascending order."""
        x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(times, float))
        upper = len(x) // 2
        exponent = float(np.polyfit(x[upper:], y[upper:], 1)[0])
        alone = float(np.sum((y - np.polyval(np.polyfit(x, y, 1), x)) ** 2))
        # the bend lies where each line has two sizes at least
        at = np.linspace(x[1], x[-2], 201)
        found = [_two_lines(x, y, place) for place in at]
        best = int(np.argmin([rest for rest, _ in found]))
        rest, (_, below, change) = found[best]
        bend = float(np.exp(at[best])) if rest < 0.25 * alone else None
        return Growth(np.asarray(sizes), np.asarray(times), exponent, bend, below, below + change)

    def text(self) -> str:
        """Return the law in words."""
        if self.bend is None:
            return f"grows as the power {self.exponent:.2f}, without a bend"
        return f"grows as the power {self.exponent:.2f}; bends at {self.bend:.3g}, from {self.below:.2f} to {self.above:.2f}"


def _two_lines(x: np.ndarray, y: np.ndarray, place: float) -> tuple[float, np.ndarray]:
    """Return the squared deviations from the best two lines that meet at ``place``, and their numbers."""
    base = np.column_stack([np.ones_like(x), x, np.maximum(x - place, 0.0)])
    found = np.linalg.lstsq(base, y, rcond=None)[0]
    return float(np.sum((y - base @ found) ** 2)), found
