"""E3: a switch of probability. E4: a switch of timing. E5: recursive least squares at the same switches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import neurodyn as nd
from meet.learning import counter_errors
from meet.runs import FORGETTING_WHAT, FORGETTING_WHEN, Tests, run, sessions_for
from neurodyn.analysis import bump_ratio, overshoot, trials_to_recover
from neurodyn.plots import error_curves, line_with_band
from neurodyn.tasks import protocol

SWITCHES = ("probability", "timing", "both")


def at(trials: int) -> tuple[int, ...]:
    """Return the tests of a block of ``trials``."""
    return tuple(sorted({t for t in (1, 10, 25, 50, 100) if t <= trials} | {trials}))


def switch_sessions(seeds: Sequence[int], trials: int) -> list:
    """Return the four-block protocol P3 for each seed."""
    return sessions_for(lambda s: protocol("P3", seed=s, trials=trials, tests=at(trials)), seeds)


def ends(tests: Tests, trials: int) -> np.ndarray:
    """Return nRMSE at the end of each block, (seed, block)."""
    return np.stack([tests.nrmse[:, tests.at(b, trials)] for b in range(int(tests.block.max()) + 1)], axis=1)


def curves(arms: dict[str, Tests], sessions: Sequence, trials: int, title: str):
    """Draw error over trials at the switches for each arm, with the counter baseline."""
    first = next(iter(arms.values()))
    x = first.block * trials + first.exposure
    baseline = counter_errors(sessions, list(zip(first.block.tolist(), first.exposure.tolist(), strict=True))).mean(
        axis=0
    )
    marks = [(trials * (k + 1), name) for k, name in enumerate(SWITCHES)]
    return error_curves(
        x,
        {name: t.nrmse for name, t in arms.items()},
        switches=marks,
        baseline={"counter, no network": baseline},
        title=title,
    )


def e3(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Switch p from .8 to .2 with the latencies unchanged."""
    sessions = switch_sessions(seeds, trials)
    tests = run("three-factor", sessions, seeds, neurons=neurons, backend=backend)
    last, before = tests.at(1, trials), tests.at(0, trials)
    q = tests.q_train(1)[..., 0]
    crossing = np.array([int(np.argmax(row < 0.5)) + 1 if (row < 0.5).any() else 10**6 for row in q])
    late = np.abs(q[:, min(75, trials) - 1] - 0.2)
    beyond = np.asarray(overshoot(q, 0.8, 0.2))
    moved = np.abs(tests.peaks[:, last] - tests.peaks[:, before])
    error = tests.nrmse[:, last]
    recovery = np.asarray(
        trials_to_recover(tests.exposure[tests.block == 1], tests.nrmse[:, tests.block == 1], tests.nrmse[:, before])
    )
    good = (error <= 0.35) & (crossing <= 25) & (late <= 0.08) & (beyond <= 0.1) & (moved.max(axis=-1) <= 15)
    return nd.Outcome(
        results={
            **nd.spread("nRMSE at the end of the block", error),
            **nd.spread("trials until q crosses .5", crossing),
            **nd.spread("|q - p| at trial 75", late),
            **nd.spread("overshoot of q", beyond),
            **nd.spread("peak shift (ms, larger event)", moved.max(axis=-1)),
            **nd.passes("all of E3", good),
            "first tested trial within 1.25 of the old error, by seed": ", ".join(
                "none" if np.isnan(r) else f"{r:.0f}" for r in np.atleast_1d(recovery)
            ),
        },
        checks=[
            nd.check("E3 nRMSE at the end of the block", error.mean(), "<= 0.35"),
            nd.check("E3 trials until q crosses .5", crossing.mean(), "<= 25"),
            nd.check("E3 |q - p| at trial 75", late.mean(), "<= 0.08"),
            nd.check("E3 overshoot of q", beyond.mean(), "<= 0.1"),
            nd.check("E3 shift of the peaks (ms), larger event", moved.mean(axis=0).max(), "<= 15"),
        ],
        data={"q": q, "nrmse": tests.nrmse},
        figures={
            "q": line_with_band(
                np.arange(1, q.shape[1] + 1),
                {"q of A": q},
                xlabel="trial after the switch",
                ylabel="estimated probability of A",
                title="The probability estimate after a switch from .8 to .2",
                reference={"true p": 0.2},
            ),
            "errors": curves({"three-factor": tests}, sessions, trials, "Error at the switches"),
        },
    )


def e4(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Swap the latencies with the probabilities unchanged (block 2: B is common)."""
    sessions = switch_sessions(seeds, trials)
    tests = run("three-factor", sessions, seeds, neurons=neurons, backend=backend)
    old, new = np.array([150.0, 300.0]), np.array([300.0, 150.0])

    def ratio(index: int) -> np.ndarray:
        return np.asarray(bump_ratio(np.maximum(tests.shape[:, index], 0), tests.time_ms, old, new, 30.0))

    early, middle, last = (tests.at(2, min(t, trials)) for t in (10, 25, trials))
    common = np.abs(tests.peaks[:, early, 1] - new[1])
    rare = np.abs(tests.peaks[:, last, 0] - new[0])
    left, left_rare = ratio(middle)[:, 1], ratio(last)[:, 0]
    drift = np.abs(tests.q_test(last)[:, 0] - tests.q_test(tests.at(1, trials))[:, 0])
    good = (common <= 25) & (left <= 0.35) & (rare <= 40) & (left_rare <= 0.35) & (drift <= 0.08)
    return nd.Outcome(
        results={
            **nd.spread("common event: peak error at trial 10 (ms)", common),
            **nd.spread("common event: old/new bump at trial 25", left),
            **nd.spread("rare event: peak error at the end (ms)", rare),
            **nd.spread("rare event: old/new bump at the end", left_rare),
            **nd.spread("change of q", drift),
            **nd.passes("all of E4", good),
        },
        checks=[
            nd.check("E4 common event, peak error at trial 10 (ms)", common.mean(), "<= 25"),
            nd.check("E4 common event, old/new bump at trial 25", left.mean(), "<= 0.35"),
            nd.check("E4 rare event, peak error at the end (ms)", rare.mean(), "<= 40"),
            nd.check("E4 rare event, old/new bump at the end", left_rare.mean(), "<= 0.35"),
            nd.check("E4 change of q at the timing switch", drift.mean(), "<= 0.08"),
        ],
        data={"nrmse": tests.nrmse, "shape": tests.shape, "time_ms": tests.time_ms},
        figures={
            "shape": line_with_band(
                tests.time_ms,
                {
                    f"B, {label}": tests.shape[:, index, :, 1]
                    for label, index in (
                        ("before the switch", tests.at(1, trials)),
                        ("trial 10", early),
                        ("the end", last),
                    )
                },
                xlabel="time from the cue (ms)",
                ylabel="when readout of B",
                title="The common event's template after its latency moved from 300 to 150 ms",
            ),
            "errors": curves({"three-factor": tests}, sessions, trials, "Error at the switches"),
        },
    )


def e5(*, seeds: Sequence[int], neurons: int, trials: int, backend: str) -> nd.Outcome:
    """Run recursive least squares beside the three-factor rule: plain, with reset, with tuned forgetting."""
    sessions = switch_sessions(seeds, trials)
    names = ("three-factor", "rls", "rls-reset", "rls-forgetting")
    arms = {name: run(name, sessions, seeds, neurons=neurons, backend=backend) for name in names}
    end = {name: ends(t, trials) for name, t in arms.items()}
    ten = {name: t.nrmse[:, t.at(0, min(10, trials))].mean() for name, t in arms.items()}
    after = {name: e[:, 1:].mean() for name, e in end.items()}
    q = arms["rls"].q_test(arms["rls"].at(1, trials))[:, 0]
    cumulative = 0.5  # the mean of .8 and .2 over two blocks of equal length
    results = {}
    for name in names:
        results |= nd.rounded(
            {f"{name}: nRMSE at block ends, mean": end[name].mean(axis=0), f"{name}: SD": end[name].std(axis=0)}
        )
        results[f"{name}: nRMSE at trial 10 of block 1"] = float(ten[name])
    results |= {
        "forgetting of the tuned arm: when, per update": str(FORGETTING_WHEN),
        "forgetting of the tuned arm: what, per trial": str(FORGETTING_WHAT),
        "rls-forgetting/three-factor, blocks 2 to 4": float(after["rls-forgetting"] / after["three-factor"]),
        "rls-reset/three-factor, blocks 2 to 4": float(after["rls-reset"] / after["three-factor"]),
    }
    results |= nd.spread("rls: q of A after block 2", q)
    results |= nd.passes(
        "rls worse than three-factor in blocks 2 to 4",
        end["rls"][:, 1:].mean(axis=1) > end["three-factor"][:, 1:].mean(axis=1),
    )
    return nd.Outcome(
        results=results,
        checks=[
            nd.check("E5 plain RLS, nRMSE at trial 10 of block 1", ten["rls"], "<= 0.45"),
            nd.check("E5 plain RLS minus three-factor at trial 10 of block 1", ten["rls"] - ten["three-factor"], "< 0"),
            nd.check("E5 plain RLS, block ends 2 to 4", after["rls"], ">= 0.45"),
            nd.check(
                "E5 plain RLS over three-factor, block ends 2 to 4", after["rls"] / after["three-factor"], ">= 1.8"
            ),
            nd.check("E5 plain RLS, |q - cumulative mean| after block 2", abs(q - cumulative).mean(), "<= 0.15"),
            nd.check("E5 RLS with reset, nRMSE at the end of block 2", end["rls-reset"][:, 1].mean(), "<= 0.35"),
        ],
        data={f"nrmse {name}": t.nrmse for name, t in arms.items()},
        figures={
            "errors": curves(
                arms, sessions, trials, "Error at the switches: three-factor rule and recursive least squares"
            )
        },
    )
