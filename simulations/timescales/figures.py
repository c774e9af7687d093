"""Figures and arrays of the curricula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn import plots
from timescales.network_tau import Rows, columns

# published curves of N-parity, 500 units, read off figures: N and mean tau
PUBLISHED_MEAN = {
    "single-head": ([3, 6, 10, 14, 20, 24, 30, 32], [1.494, 1.47, 1.455, 1.441, 1.475, 1.533, 1.653, 1.69]),
    "multi-head": ([3, 6, 10, 14, 20, 24, 30, 40], [1.49, 1.45, 1.41, 1.385, 1.361, 1.34, 1.321, 1.29]),
}
PUBLISHED_SD = {
    "single-head": ([3, 6, 10, 14, 18, 20, 24, 28], [0.30, 0.31, 0.32, 0.35, 0.404, 0.465, 0.640, 0.868]),
    "multi-head": ([3, 6, 10, 14, 20, 32], [0.30, 0.314, 0.324, 0.330, 0.332, 0.33]),
}


def drawn(
    runs: Mapping[str, list[nd.TrainingRun]],
    tables: Mapping[str, Mapping[str, np.ndarray]],
    rows: Mapping[str, Rows],
    *,
    published: bool = False,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return arrays and figures of an experiment."""
    data = {}
    for name, table in tables.items():
        data |= {f"tau {key}, {name}": values for key, values in table.items() if values.size}
    figures = {"training": plots.training_curves(runs)}
    solved = {name: members for name, members in runs.items() if name in tables and any(r.snapshots for r in members)}
    if solved:
        most = {name: max(int(max(r.snapshots, default=0)) for r in members) for name, members in solved.items()}
        curves = {"published_mean": PUBLISHED_MEAN, "published_sd": PUBLISHED_SD} if published else {}
        cut = {kind: {name: _up_to(curve, most[name]) for name, curve in table.items() if name in most} for kind, table in curves.items()}  # fmt: skip
        figures["tau"] = plots.time_constants(solved, **cut)
    for name in ("multi-head", "single-head"):
        if name in runs:
            figures[f"heads_{name}"] = plots.accuracy_of_heads(runs[name][0], title=f"Accuracy at each N, {name}")
    ns = sorted({int(row["N"]) for networks in rows.values() for network in networks for row in network})
    if ns:
        kept = dict(rows)
        figures["network_tau"] = plots.network_timescales(
            ns,
            {"median of those > 1": columns(kept, "median", ns), "mean of those > 1": columns(kept, "mean", ns)},
            {"median of those > 1": columns(kept, "null median", ns), "mean of those > 1": columns(kept, "null mean", ns)},
        )  # fmt: skip
        figures["dimension"] = plots.line_with_band(
            ns,
            columns(kept, "dimension", ns),
            xlabel="N (digits)",
            ylabel="components for 90 % of variance",
            title="Dimension of driven activity",
        )
    return data, figures


def _up_to(curve: tuple[Sequence[float], Sequence[float]], most: int) -> tuple[list[float], list[float]]:
    pairs = [(n, value) for n, value in zip(*curve, strict=True) if n <= most]
    return [n for n, _ in pairs], [value for _, value in pairs]
