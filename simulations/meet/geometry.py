"""E6: geometry of the readout weights, beside nulls, and what happens to them at a switch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

import neurodyn as nd
from meet.runs import SHEET, Tests, run, sessions_for
from neurodyn.analysis import angle_null, condition_pca, principal_angles, transfer_projection
from neurodyn.plasticity.features import RATE_SCALE
from neurodyn.plots import line_with_band, weight_geometry
from neurodyn.tasks import WhatWhen, sweep, switching


def raw_weights(tests: Tests, snapshot: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Return what- and when-weights in shared coordinates, as they act on the rate in Hz, (seed, event, unit) each."""
    gain = tests.weights["when/gain"][:, snapshot]
    return tests.weights["what/v"][:, snapshot] * RATE_SCALE, tests.weights["when/w"][:, snapshot] * gain[:, None]


def e6(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Train nine conditions (three probabilities x three pairs of latencies) and look at the weights."""
    tasks = sweep("P4")
    p = np.array([t.probabilities[0] for t in tasks])
    latency = np.array([t.latencies_ms[0] for t in tasks])
    v, w, v_raw, w_raw = [], [], [], []
    for one in tasks:
        sessions = sessions_for(lambda s, one=one: one.session(trials=trials, tests=(trials,), seed=s), seeds)
        tests = run("three-factor", sessions, seeds, neurons=neurons, backend=backend)
        v.append(tests.weights["what/v"][:, -1])
        w.append(tests.weights["when/w"][:, -1])
        a, b = raw_weights(tests)
        v_raw.append(a)
        w_raw.append(b)
    flat = [np.stack(x, axis=1).reshape(len(seeds), len(tasks), -1) for x in (v, w)]
    results: dict = {}
    best: dict[tuple[str, str], list[float]] = {}
    distinct, significant = [], []
    shown = None
    for k in range(len(seeds)):
        ways: tuple[tuple[str, Literal["part", "raw"]], ...] = (("part-normalised", "part"), ("raw", "raw"))
        for name, normalise in ways:
            geometry = condition_pca(
                [flat[0][k], flat[1][k]], {"p": p, "latency": latency}, normalise=normalise, seed=int(seeds[k])
            )
            for variable in ("p", "latency"):
                best.setdefault((name, variable), []).append(
                    abs(geometry.correlations[variable][geometry.best[variable]])
                )
            if normalise == "part":
                distinct.append(geometry.distinct)
                significant.append([geometry.tests[x].p for x in ("p", "latency")])
                shown = shown or geometry
    smallest, largest, middle, low, high, above, nulls = [], [], [], [], [], [], {}
    for k in range(len(seeds)):
        for c in range(len(tasks)):
            what, when = v_raw[c][k], w_raw[c][k]
            angles = principal_angles(what, when)
            smallest.append(angles[0])
            largest.append(angles[-1])
            if c == len(tasks) // 2:
                middle.append(angles[0])
                for kind in ("shuffle", "gaussian"):
                    null = angle_null(what, when, kind=kind, samples=300, seed=int(seeds[k]))
                    nulls.setdefault(kind, []).append(null.smallest.null)
                    if kind == "shuffle":
                        low.append(null.smallest.low)
                        high.append(null.smallest.high)
                        above.append(bool(angles[0] > np.quantile(null.smallest.null, 0.95)))
    for (name, variable), values in best.items():
        results |= nd.spread(f"{name}: best |r| of a component with {variable}", values)
    results |= nd.passes("p and latency on distinct components (part-normalised)", distinct)
    results |= nd.passes("permutation p < .05 for p (part-normalised)", np.array(significant)[:, 0] < 0.05)
    results |= nd.passes("permutation p < .05 for latency (part-normalised)", np.array(significant)[:, 1] < 0.05)
    results |= nd.spread("smallest what/when angle (degrees)", smallest) | nd.spread(
        "largest what/when angle (degrees)", largest
    )
    results |= nd.rounded(
        {
            "shuffle null of the smallest angle, 5 and 95 % (mean over seeds)": [np.mean(low), np.mean(high)],
            "gaussian null of the smallest angle, 5 and 95 %": np.quantile(
                np.concatenate(nulls["gaussian"]), [0.05, 0.95]
            ),
        }
    )
    results |= nd.passes("smallest angle above the 95th percentile of the shuffle null", above)
    moves = {name: _transfer(name, seeds, neurons, trials, backend) for name in ("probability", "timing")}
    exposures = moves["probability"][1]
    for name, (projection, _) in moves.items():
        results |= nd.spread(f"{name} switch: projection on the matching end point", projection[:, -1])
    assert shown is not None
    return nd.Outcome(
        results=results,
        checks=[
            nd.check(
                "E6 best |r| of a component with p (part-normalised)",
                float(np.mean(best["part-normalised", "p"])),
                ">= 0.9",
                reference="PC1 orders probability",
                source=SHEET,
            ),
            nd.check(
                "E6 best |r| of a component with latency (part-normalised)",
                float(np.mean(best["part-normalised", "latency"])),
                ">= 0.7",
                reference="PC2 orders latency",
                source=SHEET,
            ),
            nd.check("E6 share of seeds with p and latency on distinct components", float(np.mean(distinct)), ">= 0.8"),
            nd.check(
                "E6 smallest what/when angle (degrees)",
                float(np.mean(smallest)),
                ">= 75",
                reference="near-orthogonal",
                source=SHEET,
            ),
            nd.check(
                "what-weights move to the matching end point after a probability switch",
                moves["probability"][0][:, -1].mean(),
                ">= 0.7",
                reference="grows to 1",
                source=SHEET,
            ),
            nd.check(
                "when-weights move to the matching end point after a timing switch",
                moves["timing"][0][:, -1].mean(),
                ">= 0.7",
                reference="grows to 1",
                source=SHEET,
            ),
        ],
        data={
            "smallest_angle": np.array(smallest),
            "null_shuffle": np.concatenate(nulls["shuffle"]),
            "null_gaussian": np.concatenate(nulls["gaussian"]),
            "p": p,
            "latency": latency,
        }
        | {f"transfer {name}": x for name, (x, _) in moves.items()},
        figures={
            "geometry": weight_geometry(
                shown.scores[:, :2],
                p,
                latency.tolist(),
                np.array(middle),
                {k: np.concatenate(x) for k, x in nulls.items()},
                explained=shown.explained_ratio[:2].tolist(),
                angle_name="smallest what/when angle",
                note="Angles: the middle condition of each seed.",
            ),
            "transfer": line_with_band(
                exposures,
                {
                    "what-weights, probability switch": moves["probability"][0],
                    "when-weights, timing switch": moves["timing"][0],
                },
                xlabel="trial after the switch",
                ylabel="projection (0: old end, 1: matching end)",
                title="Weights after a switch",
                reference={"matching end point": 1.0},
            ),
        },
    )


def _transfer(
    name: str, seeds: Sequence[int], neurons: int, trials: int, backend: str
) -> tuple[np.ndarray, np.ndarray]:
    """Project the weights after a switch on the line from the old end to the end of training on the new condition alone.

    Returns projections (seed, test) and the trials of the tests; the reference run has another order of events.
    """
    old = WhatWhen(probability=0.8)
    new, weight = (
        (WhatWhen(probability=0.2), "what/v")
        if name == "probability"
        else (WhatWhen(latencies=("300 ms", "150 ms")), "when/w")
    )
    tests = tuple(sorted({t for t in (1, 10, 25, 50, 100) if t <= trials} | {trials}))
    switched = run(
        "three-factor",
        sessions_for(lambda s: switching([old, new], trials=trials, tests=tests, seed=s), seeds),
        seeds,
        neurons=neurons,
        backend=backend,
    )
    alone = run(
        "three-factor",
        sessions_for(lambda s: new.session(trials=trials, tests=(trials,), seed=s + 5000), seeds),
        seeds,
        neurons=neurons,
        backend=backend,
    )
    trial_table = switched.trials
    rows = []
    for k in range(len(seeds)):
        times = np.asarray(switched.recordings[k][f"weights/{weight}"].coords["time"])
        picked = []
        for block, t in [(0, trials), *((1, t) for t in tests)]:
            mask = (trial_table.phase == "test") & (trial_table.block == block) & (trial_table.exposure == t)
            picked.append(int(np.argmin(np.abs(times - trial_table.start_ms[mask].iloc[0]))))
        start, *after = (switched.weights[weight][k, i].ravel() for i in picked)
        rows.append([float(transfer_projection(x, start, alone.weights[weight][k, -1].ravel())) for x in after])
    return np.array(rows), np.array(tests)
