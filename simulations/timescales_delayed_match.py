"""Rate networks with learnable time constants learn to compare the last digit with one N - 1 before it.

One head that is taught N after N lengthens the time constants of its units; many heads, one for each N, let them fall
towards one step and keep the memory in the recurrent weights (Khajehabdollahi et al. 2024).
Run it by ``neurodyn run simulations/timescales_delayed_match.py --quick``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from common.criteria import Criteria
from timescales.arms import PAPER, SMALL, SOURCE, Arm, at, taus, train
from timescales.figures import drawn
from timescales.network_tau import judge, measured, noted

import neurodyn as nd


@nd.simulation
def timescales_delayed_match(
    *,
    quick: bool = False,
    curriculum: Literal["both", "single-head", "multi-head"] = "both",
    until: int = 16,
    units: int = 0,
    patience: int = 60,
    seeds: int = 5,
    seed: int = 101,
    out: Path | None = None,
) -> nd.Outcome:
    """Train networks on N-delayed match to sample under single- and multi-head curricula; follow their time constants.

    Parameters
    ----------
    quick : bool
        128 units, batches of 128, 300 steps an epoch, for minutes instead of hours.
    curriculum : str
        One curriculum, or both.
    until : int
        Largest N.
    units : int
        Units of a network; 0 means 128 if quick and 500 otherwise.
    patience : int
        Epochs without a stage solved after which a training ends.
    seeds : int
        Networks for each curriculum.
    seed : int
        First seed; thresholds were set on seeds 0 and 1.
    """
    size = SMALL if quick else PAPER
    size = replace(size, units=units) if units else size
    chosen = list(range(seed, seed + seeds))
    names = ("single-head", "multi-head") if curriculum == "both" else (curriculum,)
    task = nd.tasks.DelayedMatch()
    runs = {n: train(n, Arm(n, until=until, patience=patience), task, size, chosen, out) for n in names}
    tables = {name: taus(found) for name, found in runs.items()}
    found = Criteria(SOURCE)
    for name, members in runs.items():
        found.note(nd.spread(f"{name}: N solved", [max(r.snapshots, default=0) for r in members]))
        found.note(nd.spread(f"{name}: epochs", [len(r.history) for r in members]))
    if quick and until >= 16:
        _small(found, tables)
    rows = {}
    for name, members in runs.items():
        rows[name] = [measured(r, [3, max(r.snapshots)], task, seed=s) for r, s in zip(members, chosen, strict=True) if max(r.snapshots, default=0) > 3]  # fmt: skip
        found.note(noted(name, rows[name]))
        judge(found, f"S7, {name}", rows[name])
    return nd.Outcome(found.results, found.checks, *drawn(runs, tables, rows))


def _small(found: Criteria, tables: dict[str, dict[str, np.ndarray]]) -> None:
    """S1: the published story in small networks, at N = 16; thresholds from two seeds of a prototype."""
    prototype = "two seeds of a prototype"
    single, multi = tables.get("single-head"), tables.get("multi-head")
    if multi is not None:
        found.each("S1: multi-head, mean tau at N = 16", at(multi, "mean", 16), "<= 1.36", reference=1.30, source=prototype)  # fmt: skip
        rise = np.nanmax(np.diff(multi["mean"][:, 1:15], axis=1), axis=1)  # N = 3 to 16
        rise = np.where(np.isnan(at(multi, "mean", 16)), np.nan, rise)
        found.each("S1: multi-head, largest rise of mean tau from N to N + 1", rise, "< 0", reference="falls", source=prototype)  # fmt: skip
    if single is not None:
        last = at(single, "mean", 16)
        found.each("S1: single-head, mean tau at N = 16", last, ">= 1.44", reference=1.495, source=prototype)
        curve = single["mean"][:, :15]
        lowest = np.where(np.isnan(last), np.nan, single["N"][np.nanargmin(curve, axis=1)])
        found.each("S1: single-head, N of the lowest mean tau", lowest, ">= 6 and <= 13", reference="7 to 11", source=prototype)  # fmt: skip
        found.each("S1: single-head, rise of mean tau from its lowest to N = 16", last - np.nanmin(curve, axis=1), "> 0.005", reference=0.015, source=prototype)  # fmt: skip
    if single is not None and multi is not None:
        found.each("S1: difference of mean tau at N = 16", at(single, "mean", 16) - at(multi, "mean", 16), ">= 0.12", reference=0.19, source=prototype)  # fmt: skip


if __name__ == "__main__":
    timescales_delayed_match.main()
