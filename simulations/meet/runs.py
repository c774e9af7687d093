"""Arms of the comparison, and one function that runs an arm over sessions and seeds and reads the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.analysis import expectation_error, peak_times
from neurodyn.session import Session
from neurodyn.tasks import WhatWhen, expected

SHEET = "Yamada & Chao 2025, reader's notes"  # source of the published numbers

#: forgetting of the tuned RLS arm, per update: chosen on seeds 1 to 3 among the values in docs/what_when.md
FORGETTING_WHEN, FORGETTING_WHAT = 0.999, 0.96

ARMS: Mapping[str, Callable[[], nd.WhatWhenRule]] = {
    "three-factor": nd.WhatWhenRule,
    "local": lambda: nd.WhatWhenRule(when=nd.LocalThreeFactor(), features="running"),
    "nlms": lambda: nd.WhatWhenRule(when=nd.NLMS()),
    "rls": lambda: nd.WhatWhenRule(when=nd.FORCE(), what=nd.TrialFORCE()),
    "rls-reset": lambda: nd.WhatWhenRule(when=nd.FORCE(reset="switch"), what=nd.TrialFORCE(reset="switch")),
    "rls-forgetting": lambda: nd.WhatWhenRule(
        when=nd.FORCE(forgetting=FORGETTING_WHEN), what=nd.TrialFORCE(forgetting=FORGETTING_WHAT)
    ),
    "merged": lambda: nd.WhatWhenRule(merged=True),
    "no-feedback": lambda: nd.WhatWhenRule(feedback=0.0),
    "raw": lambda: nd.WhatWhenRule(features="raw"),
}


@dataclass(frozen=True, eq=False)
class Tests:
    """Cue-only tests of one arm: each a mean over the trials of a test point, for every seed.

    ``expectation`` (seed, test, time, event), ``shape`` (seed, test, time, event: the when readout), ``target``
    (test, time, event), ``block`` and ``exposure`` (test,), ``q`` (seed, trial, event) at the end of each trial,
    ``trials`` the trial table of the first seed, ``time_ms`` (time,) from the cue, ``scored`` (time,).
    """

    expectation: np.ndarray
    shape: np.ndarray
    target: np.ndarray
    block: np.ndarray
    exposure: np.ndarray
    q: np.ndarray
    trials: Any
    time_ms: np.ndarray
    scored: np.ndarray
    weights: Mapping[str, np.ndarray]
    recordings: tuple[Any, ...]

    @property
    def nrmse(self) -> np.ndarray:
        """Error of each test, (seed, test)."""
        return np.asarray(expectation_error(self.expectation, self.target, self.scored).nrmse)

    @property
    def correlation(self) -> np.ndarray:
        """Pearson correlation of output and target, (seed, test)."""
        return np.asarray(expectation_error(self.expectation, self.target, self.scored).correlation)

    @property
    def peaks(self) -> np.ndarray:
        """Time of the largest output after the cue in ms, (seed, test, event)."""
        return np.asarray(peak_times(self.expectation, self.time_ms, (0.0, float(self.time_ms[-1]))))

    def at(self, block: int, exposure: int) -> int:
        """Return the index of one test."""
        return int(np.flatnonzero((self.block == block) & (self.exposure == exposure))[0])

    def q_test(self, index: int) -> np.ndarray:
        """Return q at a test, (seed, event)."""
        rows = self._rows(index)
        return self.q[:, rows].mean(axis=1)

    def q_train(self, block: int) -> np.ndarray:
        """Return q over the training trials of a block, (seed, trial, event)."""
        table = self.trials
        return self.q[:, ((table.phase == "train") & (table.block == block)).to_numpy()]

    def _rows(self, index: int) -> np.ndarray:
        table = self.trials
        return (
            (table.phase == "test") & (table.block == self.block[index]) & (table.exposure == self.exposure[index])
        ).to_numpy()


def run(
    arm: str | Any,
    sessions: Session | Sequence[Session],
    seeds: Sequence[int],
    *,
    backend: str = "numba",
    neurons: int = 1000,
    record: Sequence[Any] = (),
    out: Any = None,
    circuits: Sequence[nd.Circuit] | None = None,
    events: tuple[str, ...] = ("A", "B"),
) -> Tests:
    """Run one arm on fresh reservoirs, one for each seed, side by side, and read its tests."""
    rule = ARMS[arm]() if isinstance(arm, str) else arm
    if circuits is None:
        circuits = [nd.SpikingReservoir(neurons, events=events, seed=s) for s in seeds]
        circuits = [rule.attach(c) for c in circuits]
    sessions = [sessions] * len(seeds) if isinstance(sessions, Session) else list(sessions)
    first = sessions[0]
    length = first.trials[0].steps
    words = ["when.y", "what.expectation", "weights", nd.Sample("what.q", every=f"{length} ms"), *record]
    outs = None if out is None else [out, *[None] * (len(seeds) - 1)]
    recordings = nd.simulate(circuits, sessions, record=words, backend=backend, out=outs, config={"rule": repr(rule)})
    return read(recordings, first)


def read(recordings: Sequence[Any], session: Session) -> Tests:
    """Read the tests out of recordings of one session."""
    table = recordings[0].trials
    length, events = session.trials[0].steps, len(session.channels["occurred"])
    tests = table[table.phase == "test"]
    points = list(dict.fromkeys(zip(tests.block, tests.exposure, strict=True)))
    masks = [((table.phase == "test") & (table.block == b) & (table.exposure == e)).to_numpy() for b, e in points]

    def over_tests(name: str) -> np.ndarray:
        rows = []
        for recording in recordings:
            values = np.asarray(recording[name]).reshape(len(table), length, events)
            rows.append(np.stack([values[mask].mean(axis=0) for mask in masks]))
        return np.stack(rows)

    target = np.stack([expected(session.trials[int(np.flatnonzero(mask)[0])]) for mask in masks])
    scored = session.trials[0].inputs["scored"][:, 0] > 0
    time_ms = np.arange(length) * session.dt * 1e3 - float(table.cue_ms.iloc[0])
    q = np.stack([np.asarray(r["readout/what/q"]).reshape(len(table), events) for r in recordings])
    weights = {}
    for name in ("when/w", "what/v", "when/gain"):
        try:
            weights[name] = np.stack([np.asarray(r[f"weights/{name}"]) for r in recordings])
        except KeyError:
            continue
    return Tests(
        over_tests("readout/what/expectation"),
        over_tests("readout/when/y"),
        target,
        np.array([b for b, _ in points]),
        np.array([e for _, e in points]),
        q,
        table,
        time_ms,
        scored,
        weights,
        tuple(recordings),
    )


def sessions_for(make: Callable[[int], Session], seeds: Sequence[int]) -> list[Session]:
    """Return one session for each seed: the order of events differs between seeds."""
    return [make(int(seed)) for seed in seeds]


def task(**changes: Any) -> WhatWhen:
    """Return the standard task with changes."""
    return WhatWhen(**changes)
