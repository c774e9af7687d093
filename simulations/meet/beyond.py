"""Beyond the paper: surprise and omission, rising hazard, more events, jittered latencies, mixed selectivity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import neurodyn as nd
from meet.reservoir import after_training, joined, networks, sd, stacked
from meet.runs import ARMS, Tests, run, sessions_for
from neurodyn.analysis import NullTest, amplitude, peth
from neurodyn.models.counter import counter
from neurodyn.plots import bars_with_points, expectation_traces, hazard, line_with_band
from neurodyn.plots.base import caption, new_figure, panel_letters
from neurodyn.session import Session
from neurodyn.tasks import WhatWhen

PROBES = 20
EXPOSURES = 5  # "early" and "late" are the first and last five occurrences of an event
NEAR_MS = 60.0  # two standard deviations of a bump
RESPONSE_MS = (0.0, 60.0)
JITTER_MS = (0.0, 15.0, 30.0, 45.0)
NULLS = 200


def beyond(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Measure what the paper does not: see the module's parts."""
    options: dict[str, Any] = {"seeds": seeds, "neurons": neurons, "trials": trials, "backend": backend}
    circuits = {name: networks(seeds, neurons, ARMS[name]()) for name in ("three-factor", "merged")}
    tasks = {"common": WhatWhen(probability=0.8), "rare": WhatWhen(probability=0.2)}
    sessions = {
        name: sessions_for(lambda s, task=task: task.session(trials, tests=(trials,), seed=s), seeds)
        for name, task in tasks.items()
    }

    def train(arm: str, name: str) -> tuple[Tests, list[nd.Circuit]]:
        tests = run(None, sessions[name], seeds, backend=backend, circuits=circuits[arm])
        return tests, [after_training(c, r, s) for c, r, s in zip(circuits[arm], tests.recordings, seeds, strict=True)]

    base, common = train("three-factor", "common")
    seldom, rare = train("three-factor", "rare")
    _, merged = train("merged", "common")
    probed = {
        name: probe(group, tasks["common"], neurons=neurons, backend=backend)
        for name, group in {"common": common, "rare": rare, "naive": circuits["three-factor"], "merged": merged}.items()
    }
    return joined(
        surprise(probed, tasks["common"]),
        modulator({"common": (base, sessions["common"]), "rare": (seldom, sessions["rare"])}, tasks["common"]),
        waiting(probed, tasks["common"]),
        three_events(**options),
        jittered(**options),
        mixed_selectivity(base, seeds=seeds),
    )


# (1) Surprise and omission -------------------------------------------------------------------------------------


def probes(task: WhatWhen) -> Session:
    """Return trials with A, with B and with the cue alone, all without learning; the label says which."""
    parts = []
    for p in (1.0, 0.0):
        parts.append(task.with_(probability=p).session(PROBES, calibration=0, tests=(0,), test_trials=PROBES))
    a, b = ([t for t in part.trials if t.labels["phase"] == "train"] for part in parts)
    none = [t for t in parts[0].trials if t.labels["phase"] == "test"]
    return replace(parts[0], trials=tuple(replace(t, learning=False) for t in (*a, *b, *none)))


def probe(circuits: Sequence[nd.Circuit], task: WhatWhen, *, neurons: int, backend: str) -> dict[str, Any]:
    """Return expectation and y (seed, kind, time, event) averaged over probes with A, B and none, and population rates.

    ``rate`` holds, for each "kind at event", the rate in Hz (seed, bin) around the latency of the event; ``bins`` are
    their centres in ms from it.
    """
    recordings: Any = nd.simulate(
        list(circuits), probes(task), record=["spikes", "when.y", "what.expectation"], backend=backend
    )
    shape = (3, PROBES, task.steps, 2)
    found: dict[str, Any] = {
        name: np.stack([np.asarray(r[key]).reshape(shape).mean(axis=1) for r in recordings])
        for name, key in (("expectation", "readout/what/expectation"), ("y", "readout/when/y"))
    }
    found["rate"] = {}
    for place, latency in zip(task.names, task.latencies_ms, strict=True):
        for number, kind in enumerate((*task.names, "none")):
            rows = []
            for r in recordings:
                starts = r.trials.start_ms.to_numpy()[number * PROBES : (number + 1) * PROBES]
                around = peth(
                    r["spikes"].times,
                    starts + task.cue_ms + latency,
                    window=(-100.0, 200.0),
                    bin=10.0,
                    n=neurons,
                    samples=1,
                )
                rows.append(around.mean)
                found["bins"] = around.time
            found["rate"][f"{kind} at {place}"] = np.stack(rows)
    return found


def response(probed: Mapping[str, Any], kind: str, place: str) -> np.ndarray:
    """Return the rate in Hz (seed,) in the 60 ms after an event, above the one in cue-only trials at that time."""
    inside = (probed["bins"] > RESPONSE_MS[0]) & (probed["bins"] < RESPONSE_MS[1])
    return (probed["rate"][f"{kind} at {place}"] - probed["rate"][f"none at {place}"])[:, inside].mean(axis=1)


def surprise(probed: Mapping[str, Any], task: WhatWhen) -> nd.Outcome:
    """Compare responses to one event where it is expected (p = 0.8) and rare (0.2), on the same reservoirs."""
    common, rare, naive = probed["common"], probed["rare"], probed["naive"]
    expected, seldom = response(common, "A", "A"), response(rare, "A", "A")
    # A is as probable in one group as B is in the other; each event is compared with itself
    expected_b, seldom_b = response(rare, "B", "B"), response(common, "B", "B")
    change, bins = common["rate"]["none at A"] - naive["rate"]["none at A"], common["bins"]
    time = task.time_ms - task.cue_ms
    at_b = np.abs(time - task.latencies_ms[1]) <= 30.0
    at_a = np.abs(time - task.latencies_ms[0]) <= 30.0
    o, y = common["expectation"], common["y"]
    lines = {
        "A, expected (p = 0.8)": common["rate"]["A at A"],
        "A, rare (p = 0.2)": rare["rate"]["A at A"],
        "A omitted (p = 0.8)": common["rate"]["none at A"],
        "A, before learning": naive["rate"]["A at A"],
        "cue alone, before learning": naive["rate"]["none at A"],
    }
    readouts = {"A came": y[:, 0, :, 0], "B came": y[:, 1, :, 0], "cue alone": y[:, 2, :, 0]}
    readouts_b = {"A came": y[:, 0, :, 1], "B came": y[:, 1, :, 1], "cue alone": y[:, 2, :, 1]}
    return nd.Outcome(
        results={
            **nd.spread("population response to A where expected (Hz)", expected),
            **nd.spread("population response to A where rare (Hz)", seldom),
            **nd.spread("rare minus expected, same event and reservoir: A (Hz)", seldom - expected),
            **nd.spread("rare minus expected, same event and reservoir: B (Hz)", seldom_b - expected_b),
            **nd.passes("response to A larger where rare", seldom > expected),
            **nd.spread("population response to A before learning (Hz)", response(naive, "A", "A")),
            **nd.spread(
                "cue alone: rate within 30 ms of the latency of A, learned minus naive (Hz)",
                change[:, np.abs(bins) <= 30].mean(axis=1),
            ),
            **nd.spread(
                "cue alone: rate 40 to 100 ms after it, learned minus naive (Hz)",
                change[:, (bins >= 40) & (bins <= 100)].mean(axis=1),
            ),
            **nd.spread("y of A at its latency: A came", y[:, 0][:, at_a, 0].mean(axis=1)),
            **nd.spread("y of A at its latency: omitted", y[:, 2][:, at_a, 0].mean(axis=1)),
            **nd.spread("expectation of B at its latency: A had come", o[:, 0][:, at_b, 1].mean(axis=1)),
            **nd.spread("expectation of B at its latency: A had not come", o[:, 2][:, at_b, 1].mean(axis=1)),
        },
        data={
            "peth_ms": common["bins"],
            "peth_expected": lines["A, expected (p = 0.8)"],
            "peth_rare": lines["A, rare (p = 0.2)"],
            "peth_omitted": lines["A omitted (p = 0.8)"],
        },
        figures={
            "surprise": line_with_band(
                common["bins"],
                lines,
                xlabel="time from the latency of A (ms)",
                ylabel="population rate (Hz)",
                title="Population response to expected, rare and omitted events",
            ),
            "readout": stacked(
                time,
                [readouts, readouts_b],
                xlabel="time since the cue (ms)",
                ylabels=["y of A", "y of B"],
                titles=["Timing readout of A in three kinds of trials (p = 0.8)", "Timing readout of B"],
            ),
        },
    )


def modulators(tests: Tests, sessions: Sequence[Session], name: str) -> tuple[list[np.ndarray], list[float]]:
    """Return |G e| (exposure, time) of each seed in training trials with an event, and 1 - q at its last exposures."""
    sizes, surprises = [], []
    for recording, session, q in zip(tests.recordings, sessions, tests.q, strict=True):
        where = [k for k, t in enumerate(session.trials) if t.learning and t.labels["event"] == name]
        steps, event = session.trials[0].steps, session.channels["occurred"].index(name)
        y = np.asarray(recording["readout/when/y"]).reshape(len(session), steps, -1)
        inputs = [session.trials[k].inputs for k in where]
        sizes.append(
            np.stack(
                [np.abs(i["gate"] * (i["target"] - y[k])).sum(axis=-1) for k, i in zip(where, inputs, strict=True)]
            )
        )
        surprises.append(float(np.mean(1 - q[where[-EXPOSURES:], event])))
    return sizes, surprises


def modulator(groups: Mapping[str, tuple[Tests, Sequence[Session]]], task: WhatWhen) -> nd.Outcome:
    """Measure when in a trial the modulator |G e| acts, and how much, for one event where it is common and where rare."""
    time, name = task.time_ms - task.cue_ms, task.names[0]
    near = np.abs(time - task.latencies_ms[0]) <= NEAR_MS
    part = near.sum() / (time >= 0).sum()
    profiles, found, what = {}, {}, {}
    for group, (tests, sessions) in groups.items():
        found[group], what[group] = modulators(tests, sessions, name)
        profiles[f"{group}, early"] = np.stack([size[:EXPOSURES].mean(axis=0) for size in found[group]])
        profiles[f"{group}, late"] = np.stack([size[-EXPOSURES:].mean(axis=0) for size in found[group]])
    focus = {which: rows[:, near].sum(axis=1) / rows.sum(axis=1) / part for which, rows in profiles.items()}
    # the rare event has been met less often: compare with the common one after as many exposures, too
    shared = [min(len(one), len(other)) for one, other in zip(*found.values(), strict=True)]
    equal = [
        np.array([size[max(n - EXPOSURES, 0) : n].sum(axis=1).mean() for size, n in zip(sizes, shared, strict=True)])
        for sizes in found.values()
    ]
    late = [profiles[f"{group}, late"].sum(axis=1) for group in groups]
    results: dict[str, Any] = {"time within 60 ms of the latency, part of the gated time": float(part)}
    for which, rows in profiles.items():
        results |= nd.spread(f"|G e| summed over a trial with A (ms): {which}", rows.sum(axis=1))
        results |= nd.spread(f"concentration of |G e| within 60 ms of the latency: {which}", focus[which])
    results |= nd.spread("|G e| at the end, rare over common", late[1] / late[0])
    results |= nd.spread("|G e| after equally many exposures, rare over common", equal[1] / equal[0])
    results |= {
        f"error of what at the end, 1 - q of A: {group}, mean": float(np.mean(values)) for group, values in what.items()
    }
    results |= nd.passes(
        "|G e| concentrated near the latency, early and late, common and rare",
        np.all([f > 1 for f in focus.values()], axis=0),
    )
    return nd.Outcome(
        results=results,
        checks=[
            nd.check(
                "concentration of |G e| near the latency, smallest of early, late, common, rare (1: even over time)",
                min(f.mean() for f in focus.values()),
                "> 1",
            )
        ],
        data={
            "modulator_time_ms": time,
            **{f"modulator_{which.replace(', ', '_')}": rows for which, rows in profiles.items()},
        },
        figures={
            "modulator": stacked(
                time,
                [{which: rows for which, rows in profiles.items() if which.startswith(group)} for group in groups],
                xlabel="time since the cue (ms)",
                ylabels=["|G e|"] * 2,
                titles=[
                    "Modulator in trials with A where it is common (p = 0.8)",
                    "The same where A is rare (p = 0.2)",
                ],
            )
        },
    )


# (2) Rising hazard ---------------------------------------------------------------------------------------------


def conditional(task: WhatWhen) -> np.ndarray:
    """Return what an observer expects as long as nothing has come, (time, event): P(c | nothing until t) y_c(t).

    Another event counts as missed with the cumulative normal of the bump's width around its latency.
    """
    from scipy.stats import norm

    time, latencies, p = task.time_ms - task.cue_ms, np.array(task.latencies_ms), np.array(task.probabilities)
    left = p * norm.sf((time[:, None] - latencies) / 30.0)
    rest = left.sum(axis=1, keepdims=True) - left
    return p / (p + rest) * task.bumps()


def waiting(probed: Mapping[str, Any], task: WhatWhen) -> nd.Outcome:
    """Compare the expectation of B, once A has not come, with the conditional one: 1 at its latency."""
    time, true = task.time_ms - task.cue_ms, conditional(task)
    at = int(np.argmin(np.abs(time - task.latencies_ms[1])))
    arms = {"two readouts": probed["common"]["expectation"], "one merged readout": probed["merged"]["expectation"]}
    cue_only, after_a = ({name: values[:, kind] for name, values in arms.items()} for kind in (2, 0))
    gap = {name: true[at, 1] - values[:, at, 1] for name, values in cue_only.items()}
    figure = hazard(
        time,
        task.expectation(),
        true,
        measured=cue_only["two readouts"].mean(axis=0),
        names=task.names,
        cue_ms=0.0,
        latencies_ms=task.latencies_ms,
        relative=False,
        units="1",
    )
    figure.axes[0].set_ylabel("expectation")
    caption(
        figure,
        "True: probability of the event given that nothing has come yet, times its bump. Factorised: probability times bump. "
        "Measured: the network after training, cue alone, mean over seeds.",
    )
    results: dict[str, Any] = {"conditional expectation of B at its latency": float(true[at, 1])}
    for name, values in gap.items():
        results |= nd.spread(f"gap to the conditional expectation of B: {name}", values)
        results |= nd.spread(f"expectation of B at its latency, A had come: {name}", after_a[name][:, at, 1])
        results |= nd.spread(f"expectation of B at its latency, A had not come: {name}", cue_only[name][:, at, 1])
    return nd.Outcome(
        results={
            **results,
            **nd.passes("two readouts stay below the conditional expectation by 0.5", gap["two readouts"] > 0.5),
        },
        checks=[
            nd.check(
                "conditional minus factorised expectation of B at its latency, A had not come",
                gap["two readouts"].mean(),
                "> 0.5",
            )
        ],
        data={
            "hazard_time_ms": time,
            "conditional": true,
            "factorised": cue_only["two readouts"],
            "merged": cue_only["one merged readout"],
        },
        figures={
            "hazard": figure,
            "waiting": line_with_band(
                time,
                {
                    "conditional: A has not come": np.tile(true[:, 1], (len(gap["two readouts"]), 1)),
                    "two readouts, A had not come": cue_only["two readouts"][..., 1],
                    "one merged readout, A had not come": cue_only["one merged readout"][..., 1],
                    "one merged readout, A had come": after_a["one merged readout"][..., 1],
                },
                xlabel="time since the cue (ms)",
                ylabel="expectation of B",
                title="Expectation of B after A has come or not",
            ),
        },
    )


# (3) Three events ----------------------------------------------------------------------------------------------


def three_events(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Learn three events with p = .5, .3, .2 at 120, 240 and 390 ms."""
    task = WhatWhen(latencies=("120 ms", "240 ms", "390 ms"), probability=(0.5, 0.3, 0.2))
    sessions = sessions_for(lambda s: task.session(trials, tests=(0, trials), seed=s), seeds)
    tests = run("three-factor", sessions, seeds, backend=backend, neurons=neurons, events=task.names)
    q, p = tests.q_test(1), np.array(task.probabilities)
    peaks = np.abs(tests.peaks[:, 1] - np.array(task.latencies_ms))
    size = np.asarray(amplitude(tests.expectation[:, 1], tests.time_ms, np.array(task.latencies_ms), 30.0))
    ideal = np.asarray(amplitude(tests.target[1], tests.time_ms, np.array(task.latencies_ms), 30.0))
    plain = np.stack([counter(s).q[-1] for s in sessions])
    good = (np.abs(q - p).max(axis=1) <= 0.1) & (peaks.max(axis=1) <= 25)
    return nd.Outcome(
        results={
            **nd.rounded(
                {
                    "three events: p": p,
                    "three events: q, mean": q.mean(axis=0),
                    "three events: q, SD": sd(q),
                    "three events: q of the counter, mean": plain.mean(axis=0),
                    "three events: peak error (ms), mean": peaks.mean(axis=0),
                    "three events: peak error (ms), SD": sd(peaks),
                    "three events: amplitude, mean": size.mean(axis=0),
                    "three events: amplitude of a perfect expectation": ideal,
                }
            ),
            **nd.spread("three events: nRMSE", tests.nrmse[:, 1]),
            **nd.passes("three events: |q - p| and peaks", good),
        },
        checks=[
            nd.check(
                "three events: |q - p|, largest of the events, mean over seeds",
                np.abs(q - p).max(axis=1).mean(),
                "<= 0.1",
            ),
            nd.check(
                "three events: peak error, largest of the events, mean over seeds (ms)",
                peaks.max(axis=1).mean(),
                "<= 25",
            ),
        ],
        data={"three_q": q, "three_peak_error_ms": peaks, "three_amplitude": size},
        figures={
            "three_events": expectation_traces(
                tests.time_ms,
                tests.expectation[:, 0],
                tests.expectation[:, 1],
                tests.target[1],
                names=task.names,
                cue_ms=0.0,
                latencies_ms=task.latencies_ms,
            )
        },
    )


# (4) Jittered latencies ----------------------------------------------------------------------------------------


def bump(time_ms: np.ndarray, y: np.ndarray, latency_ms: float) -> tuple[float, float, float]:
    """Return height, centre and standard deviation in ms of a Gaussian fitted to y within 150 ms of the latency."""
    from scipy.optimize import curve_fit

    near = np.abs(time_ms - latency_ms) <= 150.0
    try:
        (height, centre, width), _ = curve_fit(
            lambda t, a, m, s: a * np.exp(-0.5 * ((t - m) / s) ** 2),
            time_ms[near],
            y[near],
            p0=(max(y[near].max(), 0.1), latency_ms, 40.0),
        )
    except RuntimeError:  # no bump to be found
        return float("nan"), float("nan"), float("nan")
    return float(height), float(centre), float(abs(width))


def jittered(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Learn latencies that vary from trial to trial: the bump should be as wide as bump and jitter together."""
    points = tuple(sorted({max(1, round(trials * part)) for part in (0.8, 0.85, 0.9, 0.95, 1.0)}))
    fits = []
    for jitter in JITTER_MS:
        task = WhatWhen(latencies=("200 ms", "400 ms"), probability=0.5, jitter=f"{jitter:g} ms")
        sessions = sessions_for(lambda s, task=task: task.session(trials, tests=points, seed=s), seeds)
        tests = run("three-factor", sessions, seeds, backend=backend, neurons=neurons)
        fits.append(
            [
                [[bump(tests.time_ms, one[:, c], t) for c, t in enumerate(task.latencies_ms)] for one in shapes]
                for shapes in tests.shape
            ]
        )
    found = np.nanmean(np.array(fits), axis=2)  # (jitter, seed, event, (height, centre, width)), mean over tests
    height, width = (found[..., k].transpose(1, 0, 2) for k in (0, 2))
    # a moving bump is itself a trace of the last latencies: how far does its centre move between tests?
    moving = np.nanstd(np.array(fits)[..., 1], axis=2).mean(axis=-1).T
    wanted = np.sqrt(30.0**2 + np.square(JITTER_MS))
    names = ("A (200 ms)", "B (400 ms)")
    rows: dict[str, Any] = {
        "jitter (ms)": JITTER_MS,
        "jitter: width of bump and jitter together (ms)": wanted,
        "jitter: height of bump and jitter together": 30.0 / wanted,
    }
    for c, name in enumerate(names):
        rows |= {
            f"jitter: width of {name}, mean (ms)": np.nanmean(width[..., c], axis=0),
            f"jitter: width of {name}, SD (ms)": sd(width[..., c]),
            f"jitter: height of {name}, mean": np.nanmean(height[..., c], axis=0),
            f"jitter: height of {name}, SD": sd(height[..., c]),
        }
    rows["jitter: SD of the centre between tests, mean (ms)"] = moving.mean(axis=0)
    return nd.Outcome(
        results=nd.rounded(rows),
        data={"jitter_ms": np.array(JITTER_MS), "jitter_width_ms": width, "jitter_height": height},
        figures={
            "jitter": stacked(
                np.array(JITTER_MS),
                [
                    {
                        **{name: width[..., c] for c, name in enumerate(names)},
                        "bump and jitter together": np.tile(wanted, (len(seeds), 1)),
                    },
                    {
                        **{name: height[..., c] for c, name in enumerate(names)},
                        "bump and jitter together": np.tile(30.0 / wanted, (len(seeds), 1)),
                    },
                ],
                xlabel="jitter of the latencies, SD (ms)",
                ylabels=["width (SD, ms)", "height"],
                titles=["Width of the learned bump", "Height of the learned bump"],
            )
        },
    )


# (5) Mixed selectivity -----------------------------------------------------------------------------------------


def ranks_related(a: np.ndarray, b: np.ndarray, orders: np.ndarray) -> tuple[NullTest, NullTest]:
    """Return rank correlation of a and b (unit,), and overlap of their top deciles, with nulls for orders (sample, unit) of b."""
    from scipy.stats import rankdata

    top = max(1, round(a.size / 10))
    x, y = rankdata(a), rankdata(b)
    first, second = a >= np.sort(a)[-top], b >= np.sort(b)[-top]
    x, y = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    return (
        NullTest(float(x @ y / x.size), y[orders] @ x / x.size),
        NullTest(float((first & second).sum() / top), (second[orders] & first).sum(axis=1) / top),
    )


def within(groups: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return orders (sample, unit) that move units only within their group."""
    orders = np.tile(np.arange(groups.size), (samples, 1))
    for group in np.unique(groups):
        member = np.flatnonzero(groups == group)
        orders[:, member] = rng.permuted(np.tile(member, (samples, 1)), axis=1)
    return orders


def mixed_selectivity(base: Tests, *, seeds: Sequence[int]) -> nd.Outcome:
    """Ask whether the same neurons carry large weights of both readouts, beyond chance and beyond firing more.

    The weights of when act on features (rate less its mean, over its spread), those of what on rates. "per feature"
    compares them as they are, "per rate" divides the former by the spread as well: neurons that fire more have more.
    """
    nulls = ("neurons shuffled", "neurons of like rate shuffled")
    measures = [
        f"{what}, w per {unit}"
        for unit in ("feature", "rate")
        for what in ("rank correlation", "top deciles in common")
    ]
    found: dict[tuple[str, str], list[list[NullTest]]] = {(name, null): [] for name in measures for null in nulls}
    active_of, alike = [], []
    for number, recording in enumerate(base.recordings):
        rng = np.random.default_rng(int(seeds[number]))
        w, v, gain, rate = (
            np.asarray(recording[f"weights/{name}"])[-1] for name in ("when/w", "what/v", "when/gain", "when/centre")
        )
        active = rate > 0  # silent neurons have no weights at all: they would make any two readouts look alike
        v, like = np.abs(v)[:, active], np.argsort(np.argsort(rate[active])) * 20 // active.sum()
        active_of.append(float(active.mean()))
        alike.append(float(v[0] @ v[1] / np.linalg.norm(v[0]) / np.linalg.norm(v[1])))
        for null, groups in zip(nulls, (np.zeros_like(like), like), strict=True):
            orders = within(groups, NULLS, rng)
            for unit, weights in (("feature", np.abs(w)[:, active]), ("rate", np.abs(w * gain)[:, active])):
                pairs = [ranks_related(v[c], weights[c], orders) for c in range(len(v))]
                for k, what in enumerate(("rank correlation", "top deciles in common")):
                    found[f"{what}, w per {unit}", null].append([pair[k] for pair in pairs])
    results: dict[str, Any] = {
        "neurons that spike in calibration, part, mean": float(np.mean(active_of)),
        "cosine of |v| of A and of B (one direction if 1), mean": float(np.mean(alike)),
    }
    data: dict[str, np.ndarray] = {}
    labels, bars = [], []
    for name in measures:
        observed = np.array([[t.observed for t in row] for row in found[name, nulls[0]]])
        results |= nd.spread(name, observed.mean(axis=1))
        data["selectivity_" + name.replace(", ", "_").replace(" ", "_")] = observed
        labels.append(name)
        bars.append(observed.mean(axis=1))
        for null in nulls:
            tests = found[name, null]
            results |= {
                f"{name}: null, {null}, mean": float(np.mean([t.null.mean() for row in tests for t in row])),
                f"{name}: 95 % of null, {null}, mean": float(np.mean([t.high for row in tests for t in row])),
                **nd.passes(
                    f"{name}: above null, {null}, p < 0.05 for both events",
                    [all(t.p < 0.05 for t in row) for row in tests],
                ),
                **nd.passes(
                    f"{name}: below null, {null}, p < 0.05 for both events",
                    [all(replace(t, alternative="less").p < 0.05 for t in row) for row in tests],
                ),
            }
            labels.append(f"null, {null}")
            bars.append(np.array([np.mean([t.null.mean() for t in row]) for row in tests]))
    figure = new_figure(6.8, 6.2)
    axes = figure.subplots(2, 1)
    for k, (ax, unit) in enumerate(zip(axes, ("feature", "rate"), strict=True)):
        some, title = slice(6 * k, 6 * k + 6), f"Large weights of both readouts on the same neurons: w per {unit}"
        bars_with_points(
            [label.partition(", w")[0] for label in labels[some]],
            bars[some],
            ylabel="correlation, or part",
            title=title,
            ax=ax,
        )
    panel_letters(axes)
    return nd.Outcome(results=results, data=data, figures={"selectivity": figure})
