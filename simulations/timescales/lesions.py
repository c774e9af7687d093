"""Ablation, perturbation, memory and retraining of both curricula, held to the published numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from neurodyn import plots
from timescales.arms import Size

Runs = dict[str, list[nd.TrainingRun]]
Part = tuple[dict[str, Any], dict[str, Any]]
PUBLISHED_ABLATION = {"single-head": (0.904, 0.442), "multi-head": (0.786, 0.992)}  # fast, slow units; N = 30


def opened(paths: Sequence[Path], curriculum: str) -> list[nd.TrainingRun]:
    """Open trainings, and refuse what is of another curriculum."""
    runs = [nd.load_training(path) for path in paths]
    for path, run in zip(paths, runs, strict=True):
        name = run.config["training"]["curriculum"]["curriculum"]
        if name != curriculum:
            raise ValueError(f"{path} was trained under {name}; needed here is {curriculum}")
    return runs


def _task() -> Any:
    return nd.tasks.Parity(probability=0.5)


def ablations(found: Criteria, runs: Runs, n: int, group: int, repeats: int, seed: int) -> Part:
    """R10: one unit at a time is silenced, the fastest and the slowest ones."""
    results = {
        name: [
            nd.training.ablation(
                r.network(n), _task(), n, head=nd.training.head_of(n, r.config), group=group, repeats=repeats, seed=seed
            )  # fmt: skip
            for r in members
        ]
        for name, members in runs.items()
    }
    for name, members in results.items():
        fast, slow = [a.relative_fast for a in members], [a.relative_slow for a in members]
        found.note(nd.rounded({f"{name}: accuracy of the intact network": [a.baseline.mean() for a in members]}, 4))
        found.note(nd.rounded({f"{name}: mean tau of the slow units": [a.tau[a.fast :].mean() for a in members]}, 3))
        if name == "multi-head":
            found.each("R10: multi-head, relative accuracy without a slow unit", slow, "> 0.95", reference=0.992)
            found.each("R10: multi-head, relative accuracy without a fast unit", fast, "< 0.9", reference=0.786)
        else:
            found.note(nd.rounded({"single-head: relative accuracy without a slow unit": slow, "single-head: relative accuracy without a fast unit": fast}, 4))  # fmt: skip
            found.each("R10: single-head, slow / fast", np.divide(slow, fast), "< 0.7", reference=0.49)
    data = {f"ablation, {name}: relative accuracy": np.array([a.relative for a in m]) for name, m in results.items()}
    figure = plots.ablated_units(
        results, published={k: PUBLISHED_ABLATION[k] for k in results}, title=f"One unit silenced, N = {n}"
    )
    return {"ablation": figure}, data


def perturbations(found: Criteria, runs: Runs, n: int, directions: int, repeats: int, seed: int) -> Part:
    """R11: weights, then time constants, are moved in random directions."""
    figures, data = {}, {}
    kinds: tuple[tuple[Any, str, float], ...] = (("recurrent", ">= 1.4", 1.87), ("tau", ">= 1.8", 2.5))
    for what, least, reference in kinds:
        results = {
            name: [
                nd.training.perturbation(
                    r.network(n),
                    _task(),
                    n,
                    head=nd.training.head_of(n, r.config),
                    what=what,
                    directions=directions,
                    repeats=repeats,
                    seed=seed,
                )  # type: ignore[arg-type] # fmt: skip
                for r in members
            ]
            for name, members in runs.items()
        }
        half = {name: [p.half for p in members] for name, members in results.items()}
        for name, values in half.items():
            found.note(nd.rounded({f"{name}: size that halves the accuracy, {what}": values}, 3))
            data[f"perturbation of {what}, {name}"] = np.array([p.relative for p in results[name]])
        pairs = list(zip(half.get("multi-head", ()), half.get("single-head", ()), strict=False))
        if pairs:
            found.each(f"R11: size that halves the accuracy, {what}, multi-head / single-head", [m / s for m, s in pairs], least, reference=reference)  # fmt: skip
        figures[f"perturbation_{what}"] = plots.perturbation(results)
    return figures, data


def memories(found: Criteria, runs: Runs, n: int, ns: np.ndarray, seed: int) -> Part:
    """Forgetting: N that came before, asked of the heads there are and of new ones on frozen networks."""
    asked = [int(k) for k in ns]
    curves: dict[str, np.ndarray] = {}
    for name, members in runs.items():
        heads = [min(k, n) - 2 if name == "multi-head" else 0 for k in asked]
        got = [nd.training.memory(r.network(n), _task(), asked, heads=heads, seed=seed) for r in members]
        curves[f"{name}, own head"] = np.array([m.own for m in got])
        curves[f"{name}, refitted"] = np.array([m.refitted for m in got])
        before = slice(0, asked.index(n))
        if n > asked[0]:
            found.note(
                nd.spread(f"{name}: accuracy of its own heads at smaller N", [m.own[before].mean() for m in got])
            )
            found.note(
                nd.spread(f"{name}: accuracy of refitted heads at smaller N", [m.refitted[before].mean() for m in got])
            )
    figure = plots.line_with_band(
        asked, curves, xlabel="N (digits)", ylabel="accuracy (p = 0.5)",
        title=f"What a network trained to N = {n} still tells", reference={"chance": 0.5},
    )  # fmt: skip
    return {"memory": figure}, {f"memory, {name}": values for name, values in curves.items()}


def retrained(found: Criteria, runs: Runs, at: int, ns: Sequence[int], epochs: int, size: Size, seed: int) -> Part:
    """Train copies on single new N by head 0; relative accuracy as published, by that at the N they come from."""
    task, curves = nd.tasks.Parity(), {}
    for name, members in runs.items():
        rows = []
        for run in members:
            net = run.network(at)
            options = {"batch": size.batch, "steps": size.steps, "tests": size.tests, "seed": seed}
            got = nd.training.retraining(net, task, ns, epochs=epochs, **options)
            given = run.epochs_to_solve[at]
            base = float(run.accuracy_of_heads[given - 1][nd.training.head_of(at, run.config)])
            last = [float(got[k][-1]) for k in ns]
            rows.append(nd.training.relative_accuracy(last, base))
            found.note(nd.rounded({f"{name}, from N = {at}: accuracy at N = {list(ns)}": last}, 3))
            found.note({f"{name}, from N = {at}: epochs at N = {list(ns)}": [len(got[k]) for k in ns]})
        curves[name] = np.array(rows)
    ahead = (curves["multi-head"].mean(1)[: len(curves["single-head"])] - curves["single-head"].mean(1)).tolist()
    found.each("relative accuracy at new N, multi-head - single-head", ahead, "> 0", reference="above 0")
    figure = plots.line_with_band(
        list(ns), curves, xlabel="new N (digits)", ylabel="relative accuracy",
        title=f"After {epochs} epochs of retraining from N = {at}",
    )  # fmt: skip
    return {"retraining": figure}, {f"retraining, {name}": values for name, values in curves.items()}
