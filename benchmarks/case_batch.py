"""Case "batch": sixteen reservoirs of different seeds in two threads against one after the other."""

from __future__ import annotations

import numpy as np
from limits import Ceiling
from measure import in_turn
from table import Case, at_least

import neurodyn as nd

NETWORKS = 16


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time the batch by the wall clock, and compare its spikes with single runs."""
    circuits = [nd.SpikingReservoir(1000, seed=seed) for seed in range(NETWORKS)]
    session, rule = nd.tasks.WhatWhen().session(20 if quick else 100, calibration=5, tests=()), nd.WhatWhenRule()
    kept: dict[str, list[nd.Recording]] = {}

    def single() -> None:
        kept["single"] = [nd.simulate(c, session, learn=rule) for c in circuits]

    def batch(threads: int) -> None:
        kept[f"{threads}"] = nd.simulate(circuits, session, learn=rule, threads=threads)

    contenders = {"single": single, "1": lambda: batch(1), "2": lambda: batch(2)}
    times = in_turn(contenders, rounds=5 if quick else 11)
    case = Case(f"Batch of {NETWORKS} reservoirs, {len(session)} trials each, wall clock")
    same = all(
        np.array_equal(a["spikes"].times, b["spikes"].times) and np.array_equal(a["spikes"].ids, b["spikes"].ids)
        for a, b in zip(kept["single"], kept["2"], strict=True)
    )
    case.check("spikes of the batch and of single runs are identical", same)
    base = case.add("one after the other", times["single"].wall, unit="s")
    case.add("batch, one thread", times["1"].wall, unit="s", against=base)
    two = case.add("batch, two threads", times["2"].wall, unit="s", against=base, limit=min(times["single"].cpu) / 2)
    assert two.relative is not None
    case.goals.append(at_least(f"batch of {NETWORKS}: one after the other / two threads", 1 / two.relative, 1.8))
    case.notes.append("Limit: half the CPU time of the single runs; it needs two idle cores")
    return [case]
