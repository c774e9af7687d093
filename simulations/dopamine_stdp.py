"""Dopamine solves the distal reward problem: a synapse is found by rewards that come seconds later (Izhikevich 2007).

A network of 1000 noisy cells with 80 000 plastic synapses runs for an hour. One pair of its cells earns a reward whenever
it fires in order, one to three seconds later; its synapse climbs to the ceiling, the others don't. With as many rewards
at other times nothing is singled out. Run it by ``neurodyn run simulations/dopamine_stdp.py --out runs/dopamine.h5``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from dopamine.experiments import REACHED, SNAPSHOT_S, apart, closed_loops, hours, replay, shuffled
from dopamine.network import CEILING

import neurodyn as nd
from neurodyn.analysis import eligibility_at_reward, reward_triggered_average, weight_history
from neurodyn.plots import eligibility_at_reward as eligibility_figure
from neurodyn.plots import reward_triggered, synapse_trace, weight_distribution

SOURCE = "Izhikevich 2007, fig. 1; ModelDB 84167"


@nd.simulation
def dopamine_stdp(
    *,
    minutes: float = 60.0,
    seeds: int = 5,
    seed: int = 101,
    backend: Literal["numba", "torch"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Reward one pair of cells for firing in order, for an hour, and see what its synapse does.

    Parameters
    ----------
    minutes : float
        Biological time; the published run took 60.
    seeds : int
        Number of networks, each with its own wiring and noise, and each with a control.
    seed : int
        First seed; parameters are the published ones, nothing was tuned.
    backend : str
        Runner of the hours. All runners are compared under the same spikes.
    """
    if seeds < 1 or minutes * 60 < 2 * SNAPSHOT_S:
        raise ValueError(
            f"seeds = {seeds}, minutes = {minutes}; needed are at least 1 seed and {SNAPSHOT_S / 30:g} minutes"
        )
    chosen = list(range(seed, seed + seeds))
    paid = hours(chosen, minutes, backend=backend, out=out)
    others = [shuffled(h.rewards_ms, minutes, s) for h, s in zip(paid, chosen, strict=True)]
    control = hours(chosen, minutes, rewards_ms=others, backend=backend)
    same = replay(("interpreter", "numba", "torch", "brian2"), seed=seed)
    loops = closed_loops(list(range(seed, seed + 8)))
    equal = loops["at events: spikes"] == loops["per step: spikes"]
    found = [
        eligibility_at_reward(h.eligibility_ms, h.eligibility, h.rewards_ms, 0, seed=seed)
        for h in paid
        if h.rewards_ms.size
    ]
    reached = [h.rewarded > REACHED for h in paid]
    first = paid[0]
    inside = first.rewards_ms[(first.rewards_ms > 4000) & (first.rewards_ms < 60e3 * minutes - 4000)]
    around = reward_triggered_average(
        first.eligibility_ms, first.eligibility[:, [0, 1]], inside, window=(-4000, 4000), seed=seed
    )
    return nd.Outcome(
        results={
            **nd.spread("rewarded synapse at the end", [h.rewarded for h in paid]),
            **nd.passes("rewarded synapse above 90 % of the ceiling", reached),
            **nd.spread("other synapses below it", [h.rank for h in paid]),
            **nd.spread("mean weight at the end", [h.weights[-1].mean() for h in paid]),
            **nd.spread("synapses above 90 % of the ceiling", [(h.weights[-1] > REACHED).mean() for h in paid]),
            **nd.spread("rewards", [h.rewards_ms.size for h in paid]),
            **nd.spread("rate of the cells, Hz", [h.rate for h in paid]),
            **nd.spread("control: the same synapse at the end", [h.rewarded for h in control]),
            **nd.spread("control: other synapses below it", [h.rank for h in control]),
            **nd.spread("eligibility at reward over that of other synapses, p", [f.specificity.p for f in found]),
            **{f"weights under the same spikes, {name} against per step": value for name, value in same.items() if name != "moved"},
            "weights under the same spikes, range": same["moved"],
            **{k: v for name, values in loops.items() for k, v in nd.spread(f"closed loop of 200 cells, {name}", values).items()},
            "closed loop of 200 cells: networks with as many spikes in both forms": f"{int(equal.sum())} of {equal.size}",
        },
        checks=[
            nd.check("seeds whose rewarded synapse ends above 90 % of the ceiling", float(np.mean(reached)), ">= 0.8", reference=1.0, source=SOURCE),
            nd.check("largest mean weight at the end, of the ceiling", max(h.weights[-1].mean() for h in paid) / CEILING, "<= 0.5"),
            nd.check("control: seeds whose synapse does", float(np.mean([h.rewarded > REACHED for h in control])), "<= 0.2"),
            nd.check("closed loop: means of the two forms apart (standard errors)", apart(loops), "<= 3"),
            nd.check("runners under the same spikes, largest difference of weights", max(v for k, v in same.items() if k != "moved"), "<= 1e-9"),
        ],
        data={
            "final weights": np.array([h.weights[-1] for h in paid]),
            "final weights, control": np.array([h.weights[-1] for h in control]),
            "rewarded synapse": np.array([h.weights[:, 0] for h in paid]),
            "rewarded synapse, control": np.array([h.weights[:, 0] for h in control]),
        },
        figures={
            "synapse": synapse_trace(
                first.time_s / 60,
                first.weights[:, 0],
                others=first.weights[:, 1:],
                rewards=first.rewards_ms / 60e3,
                bounds=(0, CEILING),
                time_units="min",
                units="mV/ms",
                title="The rewarded synapse finds its reward, seconds late",
            ),
            "control": synapse_trace(
                control[0].time_s / 60,
                control[0].weights[:, 0],
                others=control[0].weights[:, 1:],
                rewards=control[0].rewards_ms / 60e3,
                bounds=(0, CEILING),
                chosen="the same synapse",
                time_units="min",
                units="mV/ms",
                title="As many rewards at other times",
            ),
            "weights": weight_distribution(
                first.time_s / 60, weight_history(first.weights, bounds=(0, CEILING)), time_units="min", units="mV/ms", title="80 000 synapses"
            ),
            **({"eligibility": eligibility_figure(found[0], units="mV/ms")} if found else {}),
            "around_rewards": reward_triggered(around, channels=("rewarded synapse", "another synapse"), name="eligibility", units="mV/ms"),
        },
    )  # fmt: skip


if __name__ == "__main__":
    dopamine_stdp.main()
