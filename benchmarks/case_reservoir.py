"""Case "reservoir": the what/when reservoir with learning, ours beside the interpreter and a naive NumPy loop."""

from __future__ import annotations

import time

import naive
import numpy as np
from limits import Ceiling, count
from measure import in_turn
from table import Case

import neurodyn as nd
from neurodyn.backends import engine_class
from neurodyn.network import Network, realize


class Loop:
    """The steps and trial borders of a session on one runner, a new network each time; nothing recorded but spikes."""

    def __init__(self, network: Network, session: nd.Session, backend: str, dtype: str = "float64") -> None:
        self.network, self.session, self.backend, self.dtype = network, session, backend, dtype
        self.spikes = 0

    def run(self) -> float:
        engine = engine_class(self.backend)(self.network, spikes=["cells"], dtype=self.dtype)
        widths = {i.name: len(i.channels) for i in self.network.circuit.inputs}
        self.spikes = 0
        start = time.process_time()
        for trial in self.session.trials:
            engine.start_trial(learning=trial.learning, calibration=trial.calibration, reset=trial.reset)
            inputs = {n: np.broadcast_to(trial.inputs.get(n, 0.0), (trial.steps, width)) for n, width in widths.items()}
            self.spikes += engine.advance(trial.steps, inputs).spikes["cells"][0].size
            engine.end_trial()
        return time.process_time() - start


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time a session of 20 training trials, and a scaled one of 4 for the slow contenders; per step of 1 ms."""
    circuit, task, rule = nd.SpikingReservoir(1000, seed=1), nd.tasks.WhatWhen(), nd.WhatWhenRule()
    whole = task.session(20, calibration=5, tests=(20,), test_trials=3)
    part = task.session(4, calibration=1, tests=(4,), test_trials=1)
    steps, few = (sum(t.steps for t in s.trials) for s in (whole, part))
    network = realize(rule.attach(circuit))
    loops = {
        "ours": Loop(network, whole, "numba"),
        "single": Loop(network, whole, "numba", "float32"),
        "part": Loop(network, part, "numba"),
        "interpreter": Loop(network, part, "interpreter"),
    }
    found: dict[str, int] = {}

    def by_hand() -> float:
        reservoir = naive.Reservoir(network, np.random.default_rng(1))
        start = time.process_time()
        reservoir.run(part)
        found["naive"] = reservoir.spikes
        return time.process_time() - start

    def all_of_it() -> None:
        nd.simulate(circuit, whole, learn=rule, record=["spikes"])

    slow = 3 if quick else 9
    times = in_turn(
        {**{name: loop.run for name, loop in loops.items()}, "naive": by_hand, "all": all_of_it},
        rounds=7 if quick else 21,
        fewer={"naive": slow, "interpreter": slow},
    )

    case = Case("What/when reservoir with learning, 1000 cells, 1 ms steps")
    mine, same = loops["part"].spikes, loops["interpreter"].spikes
    case.check(f"interpreter and numba give the same number of spikes ({mine})", same == mine)
    case.check(
        f"the naive loop, with noise of its own, agrees within 5 % ({found['naive']})",
        abs(found["naive"] - mine) <= 0.05 * mine,
    )
    limit = ceiling.seconds(count(network, loops["ours"].spikes / steps, learning=20 / len(whole))) * steps
    base = case.add(
        f"neurodyn numba float64, step loop of {len(whole)} trials, a step",
        times["ours"].own,
        unit="us",
        per=steps,
        limit=limit,
    )
    case.add(
        f"neurodyn numba float32, step loop of {len(whole)} trials, a step",
        times["single"].own,
        unit="us",
        per=steps,
        against=base,
    )
    case.add(
        f"nd.simulate, all of it, {len(whole)} trials, a step", times["all"].cpu, unit="us", per=steps, against=base
    )
    short = case.add(
        f"neurodyn numba float64, step loop of {len(part)} trials, a step", times["part"].own, unit="us", per=few
    )
    case.add(f"naive NumPy loop, {len(part)} trials, a step", times["naive"].own, unit="us", per=few, against=short)
    case.add(
        f"neurodyn interpreter, {len(part)} trials, a step", times["interpreter"].own, unit="us", per=few, against=short
    )
    case.add(f"wall clock: nd.simulate, all of it, {len(whole)} trials", times["all"].wall, unit="s")
    case.notes.append(
        f"Relative: to our float64 step loop over the same trials; {loops['ours'].spikes / steps:.1f} spikes a step"
    )
    return [case]
