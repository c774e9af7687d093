"""Checks of numbers at levels of noise, of several seeds, beside exact ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from neurodyn import analysis


class Checks(Criteria):
    """Collects results and checks."""

    def note(self, values: Mapping[str, Any]) -> None:
        """Take note of numbers without a threshold, to five decimals."""
        super().note({name: _short(value) for name, value in values.items()})

    def that(self, name: str, value: Any, threshold: str, reference: Any = None, source: str = "") -> None:
        """Compare a number with a threshold."""
        self.checks.append(nd.check(name, float(value), threshold, reference=reference, source=source or self.source))

    def beside(
        self,
        name: str,
        levels: Sequence[float],
        values: np.ndarray,
        reference: np.ndarray,
        most: float,
        source: str = "",
    ) -> None:
        """Compare means over seeds, (level, seed), with a reference: the largest relative difference, and the most it may be."""
        mean, error = values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(values.shape[1])
        away = mean / reference - 1
        worst = int(np.argmax(np.abs(away)))
        self.note({f"{name}: levels": list(levels), f"{name}: mean over seeds": mean.tolist()})
        self.note({f"{name}: standard error": error.tolist(), f"{name}: reference": reference.tolist()})
        self.that(
            f"{name}, largest relative difference (at {levels[worst]:g}, where a standard error is {error[worst] / reference[worst]:.2g})",
            abs(away[worst]),
            f"<= {most:g}",
            0,
            source,
        )

    def curve(self, name: str, found: analysis.ResonanceCurve) -> None:
        """Take note of what a curve over noise says."""
        self.note({f"{name}: verdict": str(found)})


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
