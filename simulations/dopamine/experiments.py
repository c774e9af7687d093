"""The hour with rewards, the hour with rewards at other times, and the two forms of the rule under the same spikes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import neurodyn as nd
from dopamine.network import CEILING, network, session, unpaid

SNAPSHOT_S = 60.0
WATCHED = 50  # synapses of which the eligibility is recorded; the first is the rewarded one
REACHED = 0.9 * CEILING


@dataclass(frozen=True, eq=False)
class Hour:
    """What one network did: times of snapshots (s), weights (time, synapse), rewards (ms), rate (Hz), eligibility (time, synapse)."""

    time_s: np.ndarray
    weights: np.ndarray
    rewards_ms: np.ndarray
    rate: float
    eligibility_ms: np.ndarray
    eligibility: np.ndarray

    @property
    def rewarded(self) -> float:
        """Final weight of the rewarded synapse."""
        return float(self.weights[-1, 0])

    @property
    def rank(self) -> float:
        """Fraction of all other synapses below the rewarded one at the end."""
        return float((self.weights[-1, 1:] < self.weights[-1, 0]).mean())


def hours(
    seeds: list[int],
    minutes: float,
    *,
    rewards_ms: list[np.ndarray] | None = None,
    backend: str = "numba",
    out: Path | None = None,
) -> list[Hour]:
    """Run networks for so many minutes, with the rewards of their own pair or those that are given."""
    circuits = [network(seed=s) for s in seeds]
    if rewards_ms is not None:
        circuits = [unpaid(c) for c in circuits]
    given: list[Any] = [None] * len(seeds) if rewards_ms is None else rewards_ms
    sessions = [session(60.0 * minutes, rewards_ms=r) for r in given]
    record = [
        "spikes/rewarder",
        nd.Sample("excitation.w", every=f"{SNAPSHOT_S} s"),
        nd.Sample("dopamine_stdp.c", units=np.arange(WATCHED), every="50 ms"),
        nd.Sample("rate.r", every="1 s"),
    ]
    circuits = [c.with_part(nd.Filter("rate", "cells", "100 s")) for c in circuits]
    outs = [None] * len(seeds) if out is None else [out, *[None] * (len(seeds) - 1)]
    runs = nd.simulate(circuits, sessions, record=record, backend=backend, out=outs, overwrite=True)
    return [_hour(run, given[k]) for k, run in enumerate(runs)]


def _hour(run: Any, given: np.ndarray | None) -> Hour:
    w, c = run["excitation.w"], run["dopamine_stdp.c"]
    paid = run["spikes/rewarder"].times if given is None else given
    return Hour(
        np.asarray(w["time"]) / 1e3,
        w.values,
        np.sort(np.asarray(paid)),
        float(run["rate.r"].values[-1].mean()),
        np.asarray(c["time"]),
        c.values,
    )


def shuffled(rewards_ms: np.ndarray, minutes: float, seed: int) -> np.ndarray:
    """Return as many rewards at random times."""
    return np.sort(np.random.default_rng(seed).integers(1000, round(60e3 * minutes), rewards_ms.size))


def replay(backends: tuple[str, ...], *, seed: int, seconds: float = 4.0) -> dict[str, float]:
    """Return the largest difference of weights between runners under the same spikes and rewards.

    The spikes are those of a smaller network of the kind, recorded once; the reference is the rule per step.
    """
    small = {"excitatory": 80, "inhibitory": 20, "fan_out": 10}
    run = nd.simulate(network(seed=seed, **small), session(seconds, trial_s=seconds), record=["spikes/cells"])
    spikes = run["spikes/cells"]
    late = spikes.times > 1.5  # a cell fires a step after it is told to
    times = nd.quantity(f"{1} ms").dimensions
    source = nd.SpikeTimes("given", 100, spikes.ids[late], nd.Quantity(spikes.times[late] * 1e-3 - 1e-3, times))
    cells = nd.Population(
        "cells", 100, code="", variables={"go": "1", "felt": "1"}, threshold="go > 0.5", reset="go = 0", dt="1 ms"
    )
    plastic = network(seed=seed, **small)["excitation"]
    rule = nd.dopamine_stdp(tau_plus="19.5 ms", tau_minus="19.5 ms", gain=300.0)
    links = [
        nd.Connection(source, cells, "go", pattern="one-to-one", weight=1.0, name="relay"),
        nd.Connection(
            cells, cells, "felt", pairs=plastic.pairs, weight=plastic.weight, delay="1 ms", rules=rule, bounds=(0, CEILING), name="excitation"
        ),
    ]  # fmt: skip
    circuit = nd.Circuit([source, cells], links, inputs=[nd.Input("reward", ("reward",))], seed=seed)
    rewards = np.arange(700.0, seconds * 1e3, 900.0)
    wanted = session(seconds, rewards_ms=rewards, trial_s=seconds)
    final = {
        name: nd.simulate(c, wanted, record=["weights"], backend=name.partition(" ")[0])["weights/excitation/w"].values[
            -1
        ]
        for name, c in {"interpreter per step": circuit.per_step(), **dict.fromkeys(backends, circuit)}.items()
    }
    reference = final.pop("interpreter per step")
    return {name: float(np.abs(w - reference).max()) for name, w in final.items()} | {"moved": float(np.ptp(reference))}


def closed_loops(seeds: list[int], *, seconds: float = 120.0) -> dict[str, np.ndarray]:
    """Return what networks left to themselves do in the two forms of the rule: rate (Hz), mean and SD of the weights.

    Each is (seed,) for "at events" and "per step", which differ by rounding. Brian2 gives the spikes of the form per step one
    by one (docs/conformance.md), so it needs no runs of its own.
    """
    small = {"excitatory": 160, "inhibitory": 40, "fan_out": 20, "gain": 1000.0}
    circuits = [network(seed=s, **small) for s in seeds]
    found = {}
    for name, chosen in (("at events", circuits), ("per step", [c.per_step() for c in circuits])):
        runs = nd.simulate(chosen, session(seconds, trial_s=seconds), record=["spikes/cells", "weights"])
        final = [run["weights/excitation/w"].values[-1] for run in runs]
        found[f"{name}: rate (Hz)"] = np.array([len(run["spikes/cells"].times) / 200 / seconds for run in runs])
        found[f"{name}: mean weight"] = np.array([w.mean() for w in final])
        found[f"{name}: SD of the weights"] = np.array([w.std() for w in final])
        found[f"{name}: spikes"] = np.array([len(run["spikes/cells"].times) for run in runs])
    return found


def apart(found: dict[str, np.ndarray]) -> float:
    """Return the largest difference of the means of the two forms, in standard errors."""
    worst = 0.0
    for what in ("rate (Hz)", "mean weight", "SD of the weights"):
        a, b = (found[f"{form}: {what}"] for form in ("at events", "per step"))
        worst = max(worst, abs(a.mean() - b.mean()) / np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / a.size))
    return float(worst)
