"""Thresholds of the meta-prior experiments; those of the sheet were set on networks of seeds 1 and 2 of another program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from common.criteria import Criteria
from scipy.stats import spearmanr

import neurodyn as nd
from pvrnn.machine import SOURCE, Sweep

_CHAOTIC, _NOISY = (0.03, 0.1, 0.3), (1e-4, 1e-5)


class Checks(Criteria):
    """Collects results and checks of the experiments."""

    def __init__(self) -> None:
        super().__init__(SOURCE)

    def note(self, values: Mapping[str, Any]) -> None:
        """Take note of numbers without a threshold, to four decimals."""
        super().note(nd.rounded(values, 4))

    def that(self, name: str, value: Any, threshold: str, reference: Any = None) -> None:
        """Compare a number with a threshold."""
        self.checks.append(nd.check(name, float(value), threshold, reference=reference, source=self.source))

    def of_seeds(self, label: str, sweep: Any, column: str, w: float) -> np.ndarray:
        """Take note of a measure of all seeds at a meta-prior, and return it."""
        values = sweep.of(column, w)
        self.note({f"{label}, w = {w:g}: {column}": values.tolist()})
        return values

    def median(self, name: str, values: Any, threshold: str, reference: Any = None) -> None:
        """Compare the median over seeds with a threshold, and count the seeds that meet it alone."""
        self.that(f"{name} (median)", float(np.median(values)), threshold, reference)
        self.results |= nd.passes(f"{name} {threshold}", [nd.check(name, float(v), threshold).passed for v in values])


def memorisation(found: Checks, sweep: Sweep) -> None:
    """E1: large w makes a network of chaos that knows its sequences by heart; small w one that needs its noise."""

    def of(column: str, w: float) -> np.ndarray:
        return found.of_seeds("E1", sweep, column, w)

    length = sweep.data.shape[1]
    found.median(f"E1: w = 0.1, divergence step of {length}", of("divergence_step", 0.1), ">= 22", 24)
    found.median("E1: w = 0.1, KL per step, nats", of("divergence", 0.1), "< 0.01", 0.0005)
    found.median("E1: w = 0.1, sigma of the prior", of("sigma", 0.1), "< 0.08", 0.045)
    found.median(f"E1: w = 1e-4, divergence step of {length}", of("divergence_step", 1e-4), "<= 13", 9.5)
    found.median("E1: w = 1e-4, KL per step, nats", of("divergence", 1e-4), "> 0.25")
    found.median("E1: w = 1e-4, sigma of the prior", of("sigma", 1e-4), "> 0.2", 0.29)
    found.median("E1: w = 1e-4, p(1 at the choice) without noise", of("p_branch_noise_free", 1e-4), "> 0.98", 1)
    chaotic = [v for w in _CHAOTIC for v in found.of_seeds("E1", sweep, "lyapunov_noise_free", w)]
    noisy = [v for w in _NOISY for v in found.of_seeds("E1", sweep, "lyapunov_noise_free", w)]
    found.that("E1: w = 0.03 to 0.3, largest noise-free Lyapunov exponent of all", np.max(chaotic), "> 0.02", 0.055)
    found.that("E1: w <= 1e-4, largest noise-free Lyapunov exponent of all", np.max(noisy), "< -0.1", -0.4)


def generalisation(found: Checks, sweep: Sweep, floors: dict[str, float]) -> None:
    """E2: what is generated is most like the source at a w between."""
    found.note({f"E2: {name}": value for name, value in floors.items()})
    for w in sorted(sweep.table["meta_prior"].unique()):
        for column in ("word_divergence", "negative_log_likelihood_settled", "lyapunov_noise_free", "p_branch"):
            found.of_seeds("E2", sweep, column, w)
    logarithms: Any = sweep.table.assign(log=np.log(sweep.table["word_divergence"])).groupby("meta_prior")["log"].mean()
    words = np.exp(logarithms)
    found.note({f"E2, w = {w:g}: word divergence (geometric mean)": float(v) for w, v in words.items()})
    middle = words[(words.index >= 0.03) & (words.index <= 0.1)]
    best = float(middle.idxmin())
    found.note({"E2: best w of 0.03 to 0.1": best, "E2: best w of all": float(words.idxmin())})
    found.that("E2: 12-word divergence at the best w of 0.03 to 0.1 (geometric mean)", middle[best], "< 0.12", 0.03)
    found.that(
        "E2: 12-word divergence at w = 1e-5 / at the best", words.loc[_near(words, 1e-5)] / middle[best], ">= 2", 11
    )
    found.that("E2: 12-word divergence at w = 1 / at the best", words.loc[_near(words, 1)] / middle[best], ">= 10", 83)
    for w in (0.05, 0.1):
        illegal = found.of_seeds("E2", sweep, "illegal", w)
        found.median(f"E2: w = {w:g}, share of illegal symbols", illegal, "< 0.01")
    for column, name, threshold in (
        ("divergence", "KL per step", "< -0.9"),
        ("divergence_step", "divergence step", "> 0.8"),
        ("sigma", "sigma of the prior", "< -0.7"),
    ):
        found.that(f"E2: Spearman's rank correlation of w with {name}", _trend(sweep, column), threshold)
    apart = abs(np.mean(sweep.of("p_branch", best)) - floors["training set: p(1 at the choice)"])
    found.that("E2: best w, p(1 at the choice) - that of the training set", apart, "< 0.08", 0.01)
    found.that("E2: best w, networks with a noise-free Lyapunov exponent > 0", _share(sweep, best, 0), ">= 0.66", 1)
    found.that("E2: w = 1e-3, networks with one < -0.2", 1 - _share(sweep, 1e-3, -0.2), ">= 0.66", 1)
    for column, name, own in (
        (
            "negative_log_likelihood",
            "held-out negative log-likelihood",
            "machine: negative log-likelihood of held-out symbols",
        ),
        (
            "negative_log_likelihood_settled",
            "the same after the first 12 symbols",
            "machine: the same after the first symbols",
        ),
    ):
        means = sweep.by(column)
        found.note({f"E2, w = {w:g}: {name} (mean)": float(v) for w, v in means.items()})
        found.that(f"E2: w of the lowest {name}", float(means.idxmin()), ">= 0.01 and <= 0.3", 0.05)
        found.that(f"E2: lowest {name} - the machine's own, nats per symbol", means.min() - floors[own], ">= 0")
    rise = sweep.of("sigma_choosing", best) / sweep.of("sigma_certain", best)
    found.note({"E2: best w, sigma of the prior at the choice / elsewhere": rise.tolist()})
    for w in (best, 1e-3):
        for column in ("illegal_shuffled", "p_branch_shuffled"):
            found.of_seeds("E2", sweep, column, w)
    broken = sweep.of("illegal_shuffled", best) - sweep.of("illegal", best)
    found.that(
        "E2: best w, illegal symbols more with latents in random order (median share)", np.median(broken), "> 0.05"
    )
    found.that("E2: best w, sigma of the prior at the choice / elsewhere (median)", np.median(rise), "> 1")


def ablation(found: Checks, name: str, sweep: Sweep, whole: Sweep) -> None:
    """E6: what is left without a learned prior, without a cheap first step, and without d in the posterior."""
    for w in sorted(sweep.table["meta_prior"].unique()):
        for column in ("divergence_step", "divergence", "first_divergence", "sigma", "lyapunov_noise_free"):
            found.of_seeds(f"E6, {name}", sweep, column, w)
    step = sweep.of("divergence_step", 0.1)
    if name == "reduced posterior":
        found.median(f"E6: {name}, w = 0.1, divergence step of 24", step, ">= 20", 23.6)
        return
    found.median(f"E6: {name}, w = 0.1, divergence step of 24", step, "<= 13", 9 if "first" in name else None)
    if name == "first step like all others":
        first = float(np.max(sweep.of("first_divergence", 0.1)))
        found.that(f"E6: {name}, w = 0.1, KL of the first step, nats (largest)", first, "< 0.04", 0.04)
    else:
        trends = [_trend(s, "divergence_step") for s in (sweep, whole)]
        found.note({"E6: rank correlation of w with divergence step, fixed and learned prior": trends})
        chaotic = np.concatenate([sweep.of("lyapunov_noise_free", w) for w in _CHAOTIC])
        found.that(f"E6: {name}, w = 0.03 to 0.3, largest noise-free Lyapunov exponent of all", chaotic.max(), "< 0")


def ordering(found: Checks, sweep: Sweep) -> None:
    """What a short training shows: the order of two meta-priors."""
    large, small = (float(f(sweep.table["meta_prior"])) for f in (np.max, np.min))
    for column, name in (
        ("divergence_step", "divergence step"),
        ("divergence", "KL per step"),
        ("sigma", "sigma of the prior"),
    ):
        at = [float(np.median(found.of_seeds("quick", sweep, column, w))) for w in (large, small)]
        found.that(
            f"{name} at w = {large:g} / at w = {small:g} (medians)",
            at[0] / at[1],
            "> 1" if column[-4:] == "step" else "< 1",
        )


def _near(values: Any, w: float) -> float:
    return float(values.index[np.isclose(values.index, w)][0])


def _trend(sweep: Sweep, column: str) -> float:
    """Spearman's rank correlation of the meta-prior with the mean over seeds of a measure."""
    means = sweep.by(column)
    found: Any = spearmanr(means.index, means)
    return float(found.statistic)


def _share(sweep: Sweep, w: float, above: float) -> float:
    return float(np.mean(sweep.of("lyapunov_noise_free", w) > above))
