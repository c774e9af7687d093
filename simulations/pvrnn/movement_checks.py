"""Thresholds of the experiments with movements; those of the sheet were set on other seeds, by another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pvrnn.baseline import Paired
from pvrnn.meta_prior_checks import Checks
from pvrnn.movements import MEASURES, Data, Movers, empirical

__all__ = ["Checks", "baseline", "generation", "regression"]


def generation(found: Checks, movers: Movers, data: Data, *, quick: bool) -> None:
    """E3: legal at a middle meta-prior, a random process at a small one."""
    wanted = empirical(data)
    found.note({"E3: training set, P(B after A)": wanted})
    for w in sorted(movers.table["meta_prior"].unique()):
        for column in MEASURES:
            found.of_seeds("E3", movers, column, w)
    middle, low = movers.of("illegal", 0.05), movers.of("illegal", 1e-4)
    found.that("E3: w = 0.05, share of illegal transitions (best seed)", middle.min(), "< 0.02", 0.0)
    found.that("E3: w = 1e-4, share of illegal transitions (least)", low.min(), "> 0.3", 0.7)
    if not quick:
        apart = np.abs(movers.of("p_branch", 0.05) - wanted)
        found.that("E3: w = 0.05, |P(B after A) - that of the training set| (best seed)", apart.min(), "< 0.15", 0.03)
        found.median("E3: w = 0.05, |P(B after A) - that of the training set|", apart, "< 0.25", 0.11)


def regression(found: Checks, errors: dict[float, Any], persistence: np.ndarray, free: np.ndarray, varied: Any) -> None:
    """E4: what error regression predicts of unseen sequences; errors are medians over seeds."""
    found.note({"E4: persistence, squared error by horizon": persistence.tolist()})
    found.note({"E4: running freely, squared error": free.tolist()})
    for w, (predicted, window) in errors.items():
        found.note({f"E4, w = {w:g}: squared error by horizon (median)": np.median(predicted, 0).tolist()})
        found.note({f"E4, w = {w:g}: squared error one step ahead": predicted[:, 0].tolist()})
        found.note({f"E4, w = {w:g}: squared error in the window": window.tolist()})
    middle, low = (np.median(errors[_near(errors, w)][0], 0) for w in (0.05, 1e-4))
    found.that("E4: one step ahead / persistence", middle[0] / persistence[0], "< 0.25", 0.1)
    found.that("E4: one step ahead / running freely", middle[0] / np.median(free), "< 0.05")
    found.that("E4: five steps ahead / persistence", middle[4] / persistence[4], "< 0.3", 0.11)
    found.that("E4: one step ahead, w = 0.05 / w = 1e-4", middle[0] / low[0], "< 1", 0.4)
    one = {}
    for option, values in varied.items():
        for value, (predicted, _) in values.items():
            one[option, value] = float(np.median(predicted[:, 0]))
            found.note(
                {f"E4, {option} = {value:g}: squared error by horizon (median)": np.median(predicted, 0).tolist()}
            )
    found.that("E4: one step ahead, window 5 / window 15", one["window", 5] / one["window", 15], "> 2", 6.8)
    found.that("E4: one step ahead, 100 iterations / 30", one["iterations", 100] / one["iterations", 30], "< 1.2", 0.94)


def baseline(found: Checks, name: str, apart: Paired, errors: Mapping[str, np.ndarray]) -> None:
    """E5: differences in pairs, reported whatever they are."""
    for label, each in errors.items():
        found.note({f"E5, {label}: squared error by horizon (mean)": each.mean(0).tolist()})
        found.note({f"E5, {label}: squared error by horizon (median)": np.median(each, 0).tolist()})
        found.note({f"E5, {label}: squared error three steps ahead": each[:, 2].tolist()})
    fewer = np.sum(errors["PV-RNN"] < errors[name], 0)
    found.note({f"E5: pairs of {apart.pairs} in which PV-RNN has less error than {name}, by horizon": fewer.tolist()})
    told = {"mean": apart.mean, "95 % from": apart.low, "to": apart.high}
    for what, values in told.items():
        found.note({f"E5: PV-RNN - {name}, {apart.pairs} pairs, {what}": values.tolist()})


def _near(values: Any, w: float) -> float:
    return next(v for v in values if np.isclose(v, w))
