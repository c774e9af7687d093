"""Network-mediated timescales and dimensions of snapshots, beside what units of one exponential each would show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd

STEPS = 20_000
FIRST, OTHER = 19, 3  # surrogates of the first N, whose highest is the 95 % point of chance, and of the others
_TOLD = ("mean", "median", "median_all", "trimmed_mean", "kept", "at_bound", "double")
Rows = list[list[dict[str, float]]]  # by network, by N


def measured(
    run: nd.TrainingRun, ns: Sequence[int], task: Any, *, steps: int = STEPS, seed: int = 1
) -> list[dict[str, float]]:
    """Return a row for each N: the published protocol, its null, our estimators, and dimensions."""
    rows = []
    for k, n in enumerate(ns):
        r = nd.training.activity(run.network(n), task, steps=steps, seed=seed)
        rows.append({"N": n, **described(r, OTHER if k else FIRST, seed)})
    return rows


def described(r: np.ndarray, samples: int, seed: int) -> dict[str, float]:
    """Return what is measured of activity (trial, time, unit), times in steps."""
    found = nd.analysis.network_timescales(r)
    null = nd.analysis.ar1_null(found, samples=samples, seed=seed).null
    row = {key: found.summary()[key] for key in _TOLD}
    row |= {f"null {key}": float(np.nanmean(null[key])) for key in _TOLD}
    row["highest null median"] = float(np.nanmax(null["median"]))
    for lags in (100, 200):
        refitted = found.refit(lags).summary()
        row |= {f"{key}, {lags} lags": refitted[key] for key in ("mean", "median")}
    calibrated = nd.analysis.calibrated_timescales(found).summary()
    row |= {f"calibrated {key}": calibrated[key] for key in ("mean", "median", "double")}
    integrated = nd.analysis.integrated_timescale(r).tau
    row["integrated median"] = float(np.nanmedian(integrated[integrated > 1])) if (integrated > 1).any() else np.nan
    row["dimension"] = float(np.mean([nd.analysis.dimension_at(trial) for trial in r]))
    row["participation ratio"] = nd.analysis.participation_ratio(r[:, ::20])
    return row


def noted(name: str, rows: Rows) -> dict[str, Any]:
    """Return the rows as results: at each N, the mean over networks of everything measured."""
    found: dict[str, Any] = {}
    for n in sorted({int(row["N"]) for network in rows for row in network}):
        members = [row for network in rows for row in network if row["N"] == n]
        for key in members[0]:
            if key != "N":
                found |= nd.rounded({f"{name}, N = {n}, {_text(key)}": [row[key] for row in members]}, 3)
    return found


def judge(found: Criteria, name: str, rows: Rows, ranges: dict[int, str] | None = None) -> None:
    """Hold tau_net at the last N against the first, by its median and its null, by our estimators, and as published.

    Surrogates share the lag-1 correlations of their network, so those of the first N tell what the protocol makes of
    timescales that have not grown.
    """
    if not rows:
        return
    first = rows[0][0]["N"]
    above = [network[-1]["median"] - network[0]["highest null median"] for network in rows]
    found.each(f"{name}: median tau_net at the last N above all of {FIRST} nulls of N = {first:g}, by", above, "> 0", reference="rises")  # fmt: skip
    for key, text in (
        ("calibrated median", "calibrated median of tau_net"),
        ("integrated median", "integrated timescale, median"),
        ("mean", "published mean of tau_net"),
    ):
        rise = [network[-1][key] - network[0][key] for network in rows]
        found.each(f"{name}: rise of the {text}", rise, "> 0", reference="rises")
    for at, threshold in (ranges or {}).items():
        values = [row["mean"] for network in rows for row in network if row["N"] == at]
        if values:
            found.each(f"{name}: published mean of tau_net at N = {at}", values, threshold)


def columns(rows: dict[str, Rows], key: str, ns: Sequence[int]) -> dict[str, np.ndarray]:
    """Return one of the measured numbers as arrays (network, N), NaN where it wasn't measured, by condition."""
    found = {}
    for name, networks in rows.items():
        table = np.full((len(networks), len(ns)), np.nan)
        for i, network in enumerate(networks):
            for row in network:
                table[i, list(ns).index(int(row["N"]))] = row[key]
        found[name] = table
    return found


def _text(key: str) -> str:
    plain = {"dimension": "components for 90 % of variance", "participation ratio": "participation ratio"}
    return plain.get(key, f"tau_net: {key.replace('_', ' ')}")
