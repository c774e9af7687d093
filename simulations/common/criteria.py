"""Numbers of several networks beside thresholds that each has to meet: how many do, with the interval of that share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import neurodyn as nd

SHARE = ">= 0.6"  # of the networks have to meet a criterion


class Criteria:
    """Collects results and checks; ``source`` is that of the references unless another is named."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.results: dict[str, Any] = {}
        self.checks: list[Any] = []

    def each(self, name: str, values: Any, threshold: str, *, reference: Any = None, source: str = "") -> None:
        """Take note of a number of each network, its spread, and how many meet the threshold."""
        values = [float(v) for v in values]
        met = [nd.check(name, v, threshold).passed for v in values]
        self.results |= nd.rounded({name: values}, 4)
        finite = [v for v in values if np.isfinite(v)]
        if len(finite) > 1:
            self.results |= nd.spread(name, finite)
        self.results |= nd.passes(f"{name} {threshold}", met)
        label = f"{name} {threshold}: share of networks"
        self.checks.append(
            nd.check(label, float(np.mean(met)), SHARE, reference=reference, source=source or self.source)
        )

    def note(self, values: Mapping[str, Any]) -> None:
        """Take note of results without a threshold."""
        self.results |= values
