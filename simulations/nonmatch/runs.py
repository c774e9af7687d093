"""Miconi's network on the delayed nonmatch task: arms of the experiment, and what is measured in each trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import neurodyn as nd

WARM_UP = 100
LAST = 100  # trials over which the criterion counts
CRITERION = 0.95
SAMPLE_MS = 10.0

#: arms by name: what differs from the published rule
ARMS = {
    "node perturbation": {},
    "without perturbations": {"perturbation": 0.0},
    "reward of other trials": {"shuffled": True},
}


@dataclass(frozen=True, eq=False)
class Learner:
    """One network: error (trial,), kind of each trial (trial,), output (trial, time), change of the weights by training."""

    error: np.ndarray
    kind: np.ndarray
    output: np.ndarray
    change: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Whether the mean deviation in the response is below 1 (trial,): the response is on the side of its target."""
        return self.error < 1.0

    @property
    def running(self) -> np.ndarray:
        """Fraction right among the last trials, from trial ``LAST`` on."""
        return np.convolve(self.right, np.ones(LAST) / LAST, "valid")

    @property
    def criterion(self) -> int | None:
        """First trial with learning at which 95 of the last 100 were right; None if there is none."""
        reached = self.running >= CRITERION - 1e-9
        return int(np.argmax(reached)) + LAST - WARM_UP if reached.any() else None


def learners(
    arm: str, seeds: list[int], trials: int, *, backend: str = "numba", out: Path | None = None
) -> list[Learner]:
    """Train networks on the task, one for each seed, in one of the arms."""
    changes = dict(ARMS[arm])
    other = changes.pop("shuffled", False)
    circuits = []
    for seed in seeds:
        net = nd.PerturbedRateNetwork(seed=seed, **changes)
        rule = nd.node_perturbation(modulation="given" if other else "reward.modulation")
        net = net.with_part(replace(net["recurrent"], rules=rule))
        circuits.append(net.with_part(nd.Input("given", ("given",))) if other else net)
    sessions = [nd.tasks.DelayedNonmatch().session(trials=trials, warm_up=WARM_UP, seed=seed) for seed in seeds]
    if other:
        sessions = [_with_others(session, seed) for session, seed in zip(sessions, seeds, strict=True)]
    record = [
        nd.Sample("reward.error", every="1 s"),
        nd.Sample("cells.r", units=[0], every=f"{SAMPLE_MS} ms"),
        "weights",
    ]
    outs = [None] * len(seeds) if out is None else [out, *[None] * (len(seeds) - 1)]
    runs = nd.simulate(circuits, sessions, record=record, backend=backend, out=outs, overwrite=True)
    return [_learner(run) for run in runs]


def _learner(run: Any) -> Learner:
    error, w = run["reward.error"].values.ravel(), run["weights/recurrent/w"].values
    output = run["cells.r"].values.reshape(len(error), -1)
    return Learner(error, run.trials["kind"].to_numpy(), output, w[-1] - w[0])


def _with_others(session: nd.Session, seed: int) -> nd.Session:
    """Return the session with a third factor that belongs to no trial of it: noise of the size that learning makes."""
    draws = np.random.default_rng(seed).normal(0, 0.2, len(session.trials))
    trials = tuple(
        replace(t, inputs={**t.inputs, "given": np.full(1, x)}) for t, x in zip(session.trials, draws, strict=True)
    )
    return replace(session, trials=trials, channels={**session.channels, "given": ("given",)})
