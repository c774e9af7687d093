"""Case "reservoir": the what/when reservoir with learning, ours beside the interpreter and a naive NumPy loop."""

from __future__ import annotations

import naive
import numpy as np
from limits import Ceiling, count
from measure import in_turn
from table import Case

import neurodyn as nd
from neurodyn.network import realize


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time a session of 20 training trials, and a scaled one of 4 for the slow contenders; per step of 1 ms."""
    circuit, task, rule = nd.SpikingReservoir(1000, seed=1), nd.tasks.WhatWhen(), nd.WhatWhenRule()
    whole = task.session(20, calibration=5, tests=(20,), test_trials=3)
    part = task.session(4, calibration=1, tests=(4,), test_trials=1)
    steps = {id(s): sum(t.steps for t in s.trials) for s in (whole, part)}
    network = realize(rule.attach(circuit))
    found: dict[str, int] = {}

    def ours(session: nd.Session, backend: str, dtype: str = "float64") -> None:
        recording = nd.simulate(circuit, session, learn=rule, record=["spikes"], backend=backend, dtype=dtype)
        found[f"{backend} {dtype} {len(session)}"] = len(recording["spikes"])

    def loop() -> None:
        reservoir = naive.Reservoir(network, np.random.default_rng(1))
        reservoir.run(part)
        found["naive"] = reservoir.spikes

    slow = 3 if quick else 9
    times = in_turn(
        {"whole": lambda: ours(whole, "numba"), "single": lambda: ours(whole, "numba", "float32"), "part": lambda: ours(part, "numba"),
         "loop": loop, "interpreter": lambda: ours(part, "interpreter")},
        rounds=7 if quick else 21, fewer={"loop": slow, "interpreter": slow})

    case = Case("What/when reservoir with learning, 1000 cells, 1 ms steps, nd.simulate from the description to the recording")
    same, mine = found[f"interpreter float64 {len(part)}"], found[f"numba float64 {len(part)}"]
    case.check(f"interpreter and numba give the same number of spikes ({mine})", same == mine)
    case.check(f"the naive loop, with noise of its own, agrees within 5 % ({found['naive']})", abs(found["naive"] - mine) <= 0.05 * mine)
    one, all_ = steps[id(part)], steps[id(whole)]
    fired = found[f"numba float64 {len(whole)}"] / all_
    limit = ceiling.seconds(count(network, fired, learning=20 / len(whole))) * all_
    base = case.add(f"neurodyn numba float64, {len(whole)} trials, a step", times["whole"].cpu, unit="us", per=all_, limit=limit)
    case.add(f"neurodyn numba float32, {len(whole)} trials, a step", times["single"].cpu, unit="us", per=all_, against=base)
    short = case.add(f"neurodyn numba float64, {len(part)} trials, a step", times["part"].cpu, unit="us", per=one)
    case.add(f"naive NumPy loop, {len(part)} trials, a step", times["loop"].cpu, unit="us", per=one, against=short)
    case.add(f"neurodyn interpreter, {len(part)} trials, a step", times["interpreter"].cpu, unit="us", per=one, against=short)
    case.add(f"wall clock: neurodyn numba float64, {len(whole)} trials, all", times["whole"].wall, unit="s")
    case.notes.append("Relative: of the same session, so building the network weighs alike")
    return [case]
