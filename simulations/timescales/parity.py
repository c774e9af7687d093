"""The experiments on N-parity: arms, and the criteria they are held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from timescales.arms import SMALL, SOURCE, Arm, Size, at, solved_by, taus, train
from timescales.network_tau import judge, measured, noted

Runs = Mapping[str, list[nd.TrainingRun]]
Found = tuple[Criteria, Runs, Mapping[str, Mapping[str, np.ndarray]], Mapping[str, list[list[dict[str, float]]]]]
_PROTOTYPE = "two seeds of a prototype"
EPOCHS = {"single-head": 45, "multi-head": 36}  # of a small network, as the thresholds want


def curricula(
    names: Sequence[str], until: int, patience: int, size: Size, seeds: Sequence[int], out: Path | None
) -> Found:
    """Single- and multi-head, and in small networks tau = 1 and no curriculum at all."""
    task, small = nd.tasks.Parity(), size.steps == SMALL.steps
    arms = {}
    for name in names:
        goal = until or ((16 if name == "multi-head" else 1000) if small else 11)
        limit = EPOCHS[name] if small and not until else 1000
        arms[name] = Arm(name, until=goal, epochs=limit, patience=patience)
    if small and not until and len(names) == 2:
        arms["multi-head, tau = 1"] = Arm("multi-head", until=16, epochs=36, tau=1.0)
        arms["no curriculum"] = Arm(nd.NoCurriculum(n=12), epochs=28)
    runs = {name: train(name, arm, task, size, seeds, out) for name, arm in arms.items()}
    tables = {name: taus(runs[name]) for name in names}
    found = Criteria(SOURCE)
    _told(found, runs)
    (_small if small else _paper)(found, runs, tables)
    if small and len(names) == 2:
        _robust(found, runs)
    rows = {}
    for name in names:
        last = [max(r.snapshots, default=0) for r in runs[name]]
        wanted = [[n for n in (3, 5, 11, 20, 30) if n < most] + [most] for most in last]
        rows[name] = [
            measured(r, w, task, seed=s) for r, w, s in zip(runs[name], wanted, seeds, strict=True) if w[-1] > 3
        ]
        found.note(noted(name, rows[name]))
        ranges = None if small else {5: ">= 1.8 and <= 3.2", 11: ">= 2.3 and <= 4.5"}
        judge(found, f"{'S7' if small else 'R6'}, {name}", rows[name], ranges)
    return found, runs, tables, rows


def _told(found: Criteria, runs: Runs) -> None:
    for name, members in runs.items():
        found.note(nd.rounded({f"{name}: N solved": [max(r.snapshots, default=0) for r in members]}, 0))
        found.note(nd.spread(f"{name}: N solved", [max(r.snapshots, default=0) for r in members]))
        found.note(nd.spread(f"{name}: epochs", [len(r.history) for r in members]))


def _small(found: Criteria, runs: Runs, tables: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """S2, S3, S5 and S6."""

    def each(name: str, values: Any, threshold: str, reference: Any) -> None:
        found.each(name, values, threshold, reference=reference, source=_PROTOTYPE)

    if "multi-head" in runs:
        multi, table = runs["multi-head"], tables["multi-head"]
        each("S2: multi-head, epochs to N = 13", [r.epochs_to_solve.get(13, np.nan) for r in multi], "<= 32", "24, 25")
        each("S2: multi-head, mean tau at N = 13", at(table, "mean", 13), "<= 1.37", "1.306, 1.327")
        each("S2: multi-head, largest tau at N = 13", at(table, "largest", 13), "<= 2.02", "1.99, 1.97")
    if "single-head" in runs:
        single = runs["single-head"]
        n = [solved_by(r, 45) for r in single]
        each("S3: single-head, N solved in 45 epochs", n, ">= 8 and <= 10", "9")
        last = [r.snapshot(k)["arrays"]["time_constants.value"].max() if k else np.nan for r, k in zip(single, n, strict=True)]  # fmt: skip
        each("S3: single-head, largest tau there", last, ">= 2.05", "2.18, 2.4")
        if "multi-head" in runs:
            ahead = [solved_by(m, 45) - k for m, k in zip(runs["multi-head"], n, strict=True)]
            each("S3: how many N multi-head is ahead in 45 epochs", ahead, ">= 3", "7")
    if "multi-head, tau = 1" in runs:
        for name in ("multi-head", "multi-head, tau = 1"):
            each(f"S5: {name}, N solved in 36 epochs", [solved_by(r, 36) for r in runs[name]], ">= 16", "18, 16")
    if "no curriculum" in runs:
        best = [r.history["accuracy"].max() for r in runs["no curriculum"]]
        each("S6: no curriculum, N = 12, best accuracy in 28 epochs", best, "< 0.9", 0.71)


def _robust(found: Criteria, runs: Runs) -> None:
    """S8: weights and time constants perturbed at the largest N, up to 9, that both curricula solved."""
    task = nd.tasks.Parity(probability=0.5)
    kinds: tuple[tuple[Any, float], ...] = (("recurrent", 0.215), ("tau", 0.1))
    for what, size in kinds:
        differences = []
        for single, multi in zip(runs["single-head"], runs["multi-head"], strict=True):
            common = [n for n in single.snapshots if n in multi.snapshots and n <= 9]
            if not common:
                differences.append(np.nan)
                continue
            n, pair = common[-1], []
            for run in (multi, single):
                head = nd.training.head_of(n, run.config)
                p = nd.training.perturbation(run.network(n), task, n, head=head, what=what, sizes=[0.0, size])
                pair.append(float(p.relative[1]))
            differences.append(pair[0] - pair[1])
        label = f"S8: relative accuracy with {what} perturbed by {size:g}, multi-head - single-head"
        found.each(label, differences, ">= 0.1", reference={"recurrent": 0.226, "tau": 0.515}[what])


def _paper(found: Criteria, runs: Runs, tables: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """R1 to R5, R7 and R8: networks of 500 units."""
    multi, single = tables.get("multi-head"), tables.get("single-head")
    if multi is not None:
        took = [r.epochs_to_solve.get(11, np.nan) for r in runs["multi-head"]]
        found.each("R1: multi-head, epochs to N = 11", took, "<= 20", reference=12)
        heads = [_at_solving(r, 11) for r in runs["multi-head"]]
        found.each("R1: multi-head, lowest accuracy of a head at N = 11", heads, "> 0.99", reference="about 1")
        found.each("R3: multi-head, mean tau at N = 11", at(multi, "mean", 11), ">= 1.36 and <= 1.42", reference=1.389)
        found.each("R4: multi-head, units with tau < 1 at N = 11", at(multi, "below 1", 11), ">= 80 and <= 150", reference=115)  # fmt: skip
        found.each("R5: multi-head, mean weight at N = 11", at(multi, "weight", 11), "< 0", reference=-0.00103)
        if multi["N"][-1] >= 30:
            found.each("R8: multi-head, mean tau at N = 30", at(multi, "mean", 30), ">= 1.29 and <= 1.35", reference=1.321)  # fmt: skip
            found.each("R8: multi-head, SD of tau at N = 30", at(multi, "sd", 30), ">= 0.31 and <= 0.35", reference=0.33)  # fmt: skip
            found.each("R8: multi-head, largest tau at N = 30", at(multi, "largest", 30), "<= 2.05", reference=2.0)
    if single is not None:
        took = [r.epochs_to_solve.get(11, np.nan) for r in runs["single-head"]]
        found.each("R2: single-head, epochs to N = 11", took, "<= 40", reference=20)
        found.each("R3: single-head, mean tau at N = 11", at(single, "mean", 11), ">= 1.403 and <= 1.463", reference=1.433)  # fmt: skip
        found.each("R5: single-head, mean weight at N = 11", at(single, "weight", 11), "< 0", reference=-0.00215)
        if single["N"][-1] >= 20:
            to = single["mean"][:, :19]
            lowest = single["N"][np.nanargmin(to, axis=1)]
            found.each("R7: single-head, N of the lowest mean tau", lowest, ">= 11 and <= 17", reference=14)
            rise = at(single, "mean", 20) - np.nanmin(to, axis=1)
            found.each("R7: single-head, rise of mean tau from there to N = 20", rise, ">= 0.02", reference=0.034)
            found.each("R7: single-head, SD of tau at N = 20", at(single, "sd", 20), ">= 0.4", reference=0.465)
    if multi is not None and single is not None:
        m, s = ([r.epochs_to_solve.get(11, np.nan) for r in runs[k]] for k in ("multi-head", "single-head"))
        found.each("R2: epochs to N = 11, single-head / multi-head", np.divide(s, m), ">= 1.3", reference=1.67)
        found.each("R3: mean tau at N = 11, single-head - multi-head", at(single, "mean", 11) - at(multi, "mean", 11), ">= 0.02", reference=0.044)  # fmt: skip
        found.each("R4: units with tau < 1 at N = 11, multi-head - single-head", at(multi, "below 1", 11) - at(single, "below 1", 11), "> 0", reference=38)  # fmt: skip
        found.each("R5: mean weight at N = 11, single-head / multi-head", at(single, "weight", 11) / at(multi, "weight", 11), ">= 1.5", reference=2.09)  # fmt: skip


def _at_solving(run: nd.TrainingRun, n: int) -> float:
    epoch = run.epochs_to_solve.get(n)
    return np.nan if epoch is None else float(np.nanmin(run.accuracy_of_heads[epoch - 1]))


def fixed(names: Sequence[str], until: int, patience: int, size: Size, seeds: Sequence[int], out: Path | None) -> Found:
    """Time constants trained, and fixed at 1, 2 and 3 for all units."""
    task, runs = nd.tasks.Parity(), {}
    for name in names:
        goal = until or (25 if name == "multi-head" else None)
        for tau in ("learn", 1.0, 2.0, 3.0):
            label = name if tau == "learn" else f"{name}, tau = {tau:g}"
            arm = Arm(name, until=goal, epochs=60 if size.steps == SMALL.steps else 1000, patience=patience, tau=tau)
            runs[label] = train(label, arm, task, size, seeds, out)
    found = Criteria(SOURCE)
    _told(found, runs)
    return found, runs, {name: taus(runs[name]) for name in names}, {}


def gated(names: Sequence[str], until: int, patience: int, size: Size, seeds: Sequence[int], out: Path | None) -> Found:
    """GRU and LSTM under the curricula: Adam, batches of 64, 300 steps an epoch, digits -1 and +1 equally often."""
    task = nd.tasks.Parity(probability=0.5, coding=(-1.0, 1.0))
    own = Size(units=size.units, batch=64, steps=300, tests=50)
    runs = {}
    for network in ("LSTM", "GRU"):
        for name in names:
            arm = Arm(name, until=until or 14, epochs=100, patience=patience, network=network)
            runs[f"{network}, {name}"] = train(f"{network}, {name}", arm, task, own, seeds, out)
    found = Criteria(SOURCE)
    _told(found, runs)
    if "LSTM, multi-head" in runs:
        took = [r.epochs_to_solve.get(14, np.nan) for r in runs["LSTM, multi-head"]]
        found.each("R16: LSTM, multi-head, epochs to N = 14", took, "<= 26", reference=13)
    return found, runs, {}, {}


def sliding(
    names: Sequence[str], until: int, patience: int, size: Size, seeds: Sequence[int], out: Path | None
) -> Found:
    """A window of ten N that moves by five; heads go by position in it."""
    arm = Arm("sliding", until=until or 16, patience=patience)
    runs = {"sliding": train("sliding", arm, nd.tasks.Parity(), size, seeds, out)}
    found = Criteria(SOURCE)
    _told(found, runs)
    return found, runs, {"sliding": taus(runs["sliding"])}, {}


def continuous(
    names: Sequence[str], until: int, patience: int, size: Size, seeds: Sequence[int], out: Path | None
) -> Found:
    """R15: digits held for 7 to 10 steps, tau in digits; then tested with digits held for as long as never before."""
    holds = (7, 8, 9, 10)
    task = nd.tasks.Parity(hold=holds)
    arm = Arm("multi-head", until=until or 5, patience=patience, continuous=True, nonlinearity="inner")
    runs = {"multi-head, continuous": train("multi-head, continuous", arm, task, size, seeds, out)}
    found = Criteria(SOURCE)
    _told(found, runs)
    members = runs["multi-head, continuous"]
    below = [float((r.network().tau < 1).float().mean()) for r in members]  # type: ignore[union-attr]
    found.each("R15: share of units with tau below a digit", below, "> 0", reference="falls below 1")
    lowest = []
    for run, seed in zip(members, seeds, strict=True):
        n = max(run.snapshots, default=0)
        accuracies = {}
        for hold in (5, 6, *holds, 12, 15) if n else ():
            other = nd.tasks.Parity(hold=hold)
            given = other.batch(n, 2048, seed=seed, step=2**20)
            net = run.network(n)
            draws = net.draws(len(given.inputs), 2048, seed=seed, step=2**20)
            logits = net(given.inputs, heads=[n - 2], hold=hold, draws=draws)
            accuracies[hold] = float((logits.argmax(2) == given.labels).float().mean())
        found.note(nd.rounded({f"seed {seed}: accuracy at N = {n}, digits held for {list(accuracies)} steps": list(accuracies.values())}))  # fmt: skip
        lowest.append(min(accuracies.values(), default=np.nan))
    found.each("R15: lowest accuracy for digits held for 5 to 15 steps", lowest, "> 0.95", reference="about 1")
    return found, runs, {}, {}


EXPERIMENTS: dict[str, Callable[..., Found]] = {
    "curricula": curricula,
    "fixed": fixed,
    "gated": gated,
    "sliding": sliding,
    "continuous": continuous,
}
