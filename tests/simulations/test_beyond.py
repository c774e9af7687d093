"""Beyond the paper: exact forms of the measures, and the whole experiment in a small network."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.tasks import WhatWhen

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def part():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module("meet.beyond")
    sys.path.remove(FOLDER)


def test_probes_hold_each_kind_without_learning(part) -> None:
    session = part.probes(WhatWhen())
    assert [t.labels["event"] for t in session.trials] == ["A"] * part.PROBES + ["B"] * part.PROBES + [
        "none"
    ] * part.PROBES
    assert not any(t.learning or t.calibration for t in session.trials)
    events = np.array([t.inputs["task"][:, 1:].sum(axis=0) for t in session.trials[:: part.PROBES]])
    np.testing.assert_array_equal(events, [[30, 0], [0, 30], [0, 0]])


def test_response_is_what_the_event_adds(part) -> None:
    bins = np.arange(-95.0, 200.0, 10.0)
    quiet = np.full((2, bins.size), 5.0)
    probed = {"bins": bins, "rate": {"A at A": quiet + 7.0 * ((bins > 0) & (bins < 30)), "none at A": quiet}}
    np.testing.assert_allclose(part.response(probed, "A", "A"), 3.5)  # 7 Hz in three of six bins


def test_conditional_expectation(part) -> None:
    task = WhatWhen(probability=0.8)
    true, time = part.conditional(task), task.time_ms - task.cue_ms
    assert true[time == 300, 1] == pytest.approx(1.0, abs=1e-5)  # A has not come: B must
    assert true[time == 150, 0] == pytest.approx(0.8, abs=1e-6)  # B may still come
    assert (true >= task.expectation() - 1e-12).all() and (true <= task.bumps() + 1e-12).all()


def test_factorised_expectation_misses_the_hazard(part) -> None:
    task = WhatWhen(probability=0.8)
    perfect = {"expectation": np.broadcast_to(task.expectation(), (2, 3, task.steps, 2))}
    outcome = part.waiting({"common": perfect, "merged": perfect}, task)
    assert outcome.checks[0].value == pytest.approx(0.8, abs=1e-5) and outcome.checks[0].passed


def test_modulator_of_a_silent_readout_is_the_target(part) -> None:
    task, seeds = WhatWhen(), [2]
    circuits = part.networks(seeds, 60, nd.WhatWhenRule(when=nd.ThreeFactor(rate=1e-9)))
    sessions = [task.session(10, seed=2)]
    tests = part.run(None, sessions, seeds, circuits=circuits)
    outcome = part.modulator({"common": (tests, sessions), "rare": (tests, sessions)}, task)
    bump, time = task.bumps()[:, 0], task.time_ms - task.cue_ms
    bump = np.where(time >= 0, bump, 0.0)
    near = np.abs(time - 150) <= part.NEAR_MS
    share = bump[near].sum() / bump.sum() / (near.sum() / (time >= 0).sum())
    for when in ("early", "late"):
        assert outcome.results[
            f"concentration of |G e| within 60 ms of the latency: common, {when}: mean"
        ] == pytest.approx(share, rel=1e-3)
        assert outcome.results[f"|G e| summed over a trial with A (ms): rare, {when}: mean"] == pytest.approx(
            bump.sum(), rel=1e-3
        )
    assert outcome.results["|G e| after equally many exposures, rare over common: mean"] == 1.0


def test_bump_is_recovered(part) -> None:
    time = np.arange(-100.0, 600.0)
    y = 0.7 * np.exp(-0.5 * ((time - 212) / 47) ** 2)
    np.testing.assert_allclose(part.bump(time, y, 200.0), (0.7, 212, 47), rtol=1e-6)


def test_orders_stay_within_groups(part) -> None:
    groups = np.array([0, 1, 0, 1, 2])
    orders = part.within(groups, 50, np.random.default_rng(0))
    assert (groups[orders] == groups).all() and (np.sort(orders, axis=1) == np.arange(5)).all()
    assert len(np.unique(orders, axis=0)) == 4


def test_overlap_of_like_and_unlike_weights(part) -> None:
    rng = np.random.default_rng(0)
    a = rng.random(200)
    orders = part.within(np.zeros(200, dtype=int), 99, rng)
    like, deciles = part.ranks_related(a, a**2, orders)
    assert like.observed == pytest.approx(1.0) and deciles.observed == 1.0 and like.p == deciles.p == 0.01
    unlike, apart = part.ranks_related(a, -a, orders)
    assert unlike.observed == pytest.approx(-1.0) and apart.observed == 0.0 and unlike.p == 1.0
    same = part.ranks_related(a, a, np.tile(np.arange(200), (5, 1)))[0]
    np.testing.assert_allclose(same.null, same.observed)


def test_three_events(part) -> None:
    outcome = part.three_events(seeds=[1, 2], neurons=200, trials=30, backend="numba")
    assert outcome.data["three_q"].shape == outcome.data["three_peak_error_ms"].shape == (2, 3)
    # the what-rule counts: after n trials q lies near p (1 - (1 - 0.04)^n), whatever the network
    np.testing.assert_allclose(
        outcome.data["three_q"].mean(axis=0), np.array([0.5, 0.3, 0.2]) * (1 - 0.96**30), atol=0.05
    )


@pytest.mark.slow
def test_whole_experiment(part) -> None:
    outcome = part.beyond(seeds=[7], neurons=200, trials=10, backend="numba")
    assert set(outcome.figures) == {
        "surprise",
        "readout",
        "modulator",
        "hazard",
        "waiting",
        "three_events",
        "jitter",
        "selectivity",
    }
    assert len({c.name for c in outcome.checks}) == len(outcome.checks) == 4
    by_name = {c.name: c for c in outcome.checks}
    assert by_name["conditional minus factorised expectation of B at its latency, A had not come"].passed
    assert outcome.data["jitter_width_ms"].shape == (1, len(part.JITTER_MS), 2)
