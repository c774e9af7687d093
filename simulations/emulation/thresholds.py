"""What trained networks are held to: A5 to A9, set on one network each by whoever measured them first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from emulation.families import FAMILIES
from emulation.training import TEST_EVERY
from neurodyn import analysis

VALIDATION_PLATEAU = (36.7, 1.0)  # of the two-state chain, at 2048 sequences
LAST = 10  # tests, over which a median is taken: single networks on the way fluctuate
_ONE = "one network of a prototype"


@dataclass(frozen=True)
class Thresholds:
    """Of one family, for small networks and batches of 512."""

    plateau: tuple[float, float]  # loss of independent symbols with the right frequencies, and how near counts
    loss: str
    change: str
    bigram: str | None = None


SMALL = {
    "two": Thresholds((38.1, 0.5), "<= 16.5", ">= 0.06 and <= 0.1", "< 0.05"),
    "three": Thresholds((7.7, 0.3), "<= 5.8", ">= 0.25 and <= 0.31"),
}


def training(found: Criteria, name: str, runs: Sequence[nd.TrainingRun]) -> None:
    """A5 and A6: plateau, loss, and symbols of the last snapshots, after a burn-in."""
    target, wanted, label = FAMILIES[name].target, SMALL[name], "A5" if name == "two" else "A6"
    level, near = wanted.plateau
    rows = [_late(run) for run in runs]

    def each(what, values, threshold, reference):
        found.each(f"{label}: {what}", values, threshold, reference=reference, source=_ONE)

    plateau = [TEST_EVERY * int((abs(r.history["loss"] - level) <= near).sum()) for r in runs]
    each(f"updates at a loss of {level} ± {near}", plateau, ">= 100", "450" if name == "two" else "about 400")
    each("median loss at the end", [r["loss"] for r in rows], wanted.loss, "14.5" if name == "two" else "5.45")
    each(
        "share of steps with another symbol", [r["change"] for r in rows], wanted.change, round(target.symbol_change, 4)
    )
    if wanted.bigram:
        each("mean error of P(next | 0 or 2)", [r["bigram"] for r in rows], wanted.bigram, 0)
        each("norm after 500 steps without noise", [r["noise free"] for r in rows], "< 1e-6", 1e-11)


def _late(run: nd.TrainingRun) -> dict[str, float]:
    """Medians over the last tests of a training."""
    target, length = run.task(), run.config["training"]["length"]
    rows = []
    for update in run.snapshots[-LAST:]:
        net = run.network(update)
        symbols = net.generate(512, length).symbols.numpy()
        pairs = np.zeros((target.symbols, target.symbols))
        np.add.at(pairs, (symbols[:, :-1].ravel(), symbols[:, 1:].ravel()), 1)
        ends = pairs[[0, -1]] / np.maximum(pairs[[0, -1]].sum(1, keepdims=True), 1)
        rows.append(
            (
                float((symbols[:, 1:] != symbols[:, :-1]).mean()),
                float(abs(ends - target.symbol_transition[[0, -1]]).mean()),
                float(np.median(analysis.noise_free(net).ratio)),
            )
        )
    change, bigram, noise_free = np.median(rows, axis=0)
    loss = float(np.median(run.history["loss"].to_numpy()[-LAST:]))
    return {"loss": loss, "change": change, "bigram": bigram, "noise free": noise_free}


def transition(found: Criteria, onsets: Sequence[analysis.TrainingOnset]) -> None:
    """A7: unstable steps come with the drop of the loss."""
    level, near = VALIDATION_PLATEAU
    before, at, late = [], [], []
    for onset in onsets:
        waiting = (abs(onset.loss - level) <= near) & (onset.update < (onset.drop or 0))
        before.append(float(np.median(onset.unstable[waiting])) if waiting.any() else np.nan)
        near_drop = np.flatnonzero(onset.update == onset.drop)
        at.append(float(onset.unstable[near_drop[0]]) if near_drop.size else np.nan)
        late.append(float(np.median(onset.unstable[-LAST:])))
    for what, values, threshold, reference in (
        ("before the drop", before, "== 0", 0),
        ("at the drop", at, "> 0", "up to 1"),
        ("at the end", late, ">= 0.1 and <= 0.5", "0.3 to 0.45"),
    ):
        found.each(f"A7: share of steps with |eigenvalue| > 1 {what}", values, threshold, reference=reference)


def orbits(found: Criteria, members: Sequence[analysis.DrivenOrbits]) -> None:
    """A8: a plane, turned in one sense; dwell times are reported beside the target's."""
    share = [float(m.shares[:2].sum()) for m in members]
    found.each("A8: variance in components 1 and 2", share, ">= 0.6", reference="0.70 (150 units)")
    found.each(
        "A8: paths of 16 that turn in one sense", [m.agreement.successes for m in members], ">= 14", reference=16
    )
    for what, values in (("mean", [m.dwell.mean for m in members]), ("CV", [m.dwell.cv for m in members])):
        found.note(nd.spread(f"dwell times of the largest logit: {what}", values))
    dwell = members[0].target_dwell
    if dwell is not None:
        found.note(
            {"dwell times of the hidden states: mean": dwell.mean, "dwell times of the hidden states: CV": dwell.cv}
        )


def zones(found: Criteria, members: Sequence[analysis.ResidenceMap]) -> None:
    """A9: clusters, kick-zones and transitions."""
    means = [m.means for m in members]

    def each(what, zone, key, threshold, reference):
        found.each(f"A9: {what}", [m[zone][key] for m in means], threshold, reference=reference)

    clusters = [m.fractions["cluster"] for m in members]
    found.each("A9: share of states in clusters", clusters, "> 0.8", reference=0.88, source=_ONE)
    each("residence in transitions (steps)", "transition", "residence", "< 2", 1.3)
    each("residence in kick-zones (steps)", "kick", "residence", ">= 2 and <= 8", 4.7)
    each("residence in clusters (steps)", "cluster", "residence", "> 20", 31)
    more = [m["kick"]["unstable"] - m["cluster"]["unstable"] for m in means]
    found.each("A9: unstable eigenvalues, kick-zone - cluster", more, "> 0", reference="8 of 9 networks")
    each("turns of the logit in clusters", "cluster", "sign_changes", "> 5", 11.5)
    each("turns of the logit in transitions", "transition", "sign_changes", "< 0.5", 0.01)


def quality(found: Criteria, name: str, members: Sequence[analysis.EmulationQuality]) -> None:
    """The paper's metrics and others, beside the floor of equal samples of the target."""
    published, best = FAMILIES[name].distance
    found.note({f"{name}: aligned distance, published of 5000: samples of the target": published})
    found.note({f"{name}: aligned distance, published of 5000: best networks": best})
    for metric in members[0].metrics:
        if any(text in metric for text in ("SD over", "share of", "largest", "RMS")):
            continue
        found.note(nd.rounded({f"{name}: {metric}": [m[metric].value for m in members]}, 4))
        found.note(
            {f"{name}: {metric}, samples of the target": float(np.mean([m[metric].floor_mean for m in members]))}
        )
