"""E7: what the parts of the design do: one readout instead of two, no feedback, raw features, a local gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import neurodyn as nd
from meet.runs import run, sessions_for
from neurodyn.analysis import bump_ratio
from neurodyn.plots import bars_with_points
from neurodyn.tasks import WhatWhen, switching


def e7(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Switch (.8; 150/300 ms) to (.2; 300/150 ms) with each part changed in turn."""
    tests = tuple(sorted({t for t in (10, 25, 50, 100) if t <= trials} | {trials}))

    def sessions(gate: str) -> list:
        tasks = [WhatWhen(gate=gate), WhatWhen(gate=gate, probability=0.2, latencies=("300 ms", "150 ms"))]
        return sessions_for(lambda s: switching(tasks, trials=trials, tests=tests, seed=s), seeds)

    arms = {
        "default": ("three-factor", "window"),
        "merged readout": ("merged", "window"),
        "no feedback": ("no-feedback", "window"),
        "raw features": ("raw", "window"),
        "local gate": ("three-factor", "local"),
    }
    error, left = {}, {}
    for name, (arm, gate) in arms.items():
        ran = run(arm, sessions(gate), seeds, neurons=neurons, backend=backend)
        error[name] = np.stack([ran.nrmse[:, ran.at(b, trials)] for b in (0, 1)], axis=1)
        shape = np.maximum(ran.shape[:, ran.at(1, trials)], 0)
        left[name] = np.asarray(
            bump_ratio(shape, ran.time_ms, np.array([150.0, 300.0]), np.array([300.0, 150.0]), 30.0)
        ).mean(axis=-1)
    base = error["default"].mean()
    results: dict = {}
    for name in arms:
        results |= nd.spread(f"{name}: nRMSE over block ends", error[name].mean(axis=1)) | nd.rounded(
            {f"{name}: old/new bump (mean, SD)": [left[name].mean(), left[name].std()]}
        )
        results[f"{name}: nRMSE over default"] = float(error[name].mean() / base)
    return nd.Outcome(
        results=results,
        checks=[
            nd.check(
                "E7 merged readout over default",
                error["merged readout"].mean() / base,
                ">= 1.5",
                reference="interferes",
                source="Yamada & Chao 2025, reader's notes",
            ),
            nd.check("E7 no feedback over default", error["no feedback"].mean() / base, ">= 1.3"),
            nd.check("E7 raw features over default", error["raw features"].mean() / base, ">= 1.4"),
            nd.check("E7 old/new bump with a local gate", left["local gate"].mean(), ">= 0.5"),
            nd.check("E7 old/new bump by default", left["default"].mean(), "<= 0.35"),
        ],
        data={f"nrmse {k}": v for k, v in error.items()} | {f"bump {k}": v for k, v in left.items()},
        figures={
            "errors": bars_with_points(
                list(arms),
                np.stack([error[k].mean(axis=1) for k in arms]),
                ylabel="nRMSE at block ends",
                title="Error with each part of the design changed",
            ),
            "bumps": bars_with_points(
                list(arms),
                np.stack([left[k] for k in arms]),
                ylabel="old over new bump",
                title="What is left of the old latency after the switch",
            ),
        },
    )
