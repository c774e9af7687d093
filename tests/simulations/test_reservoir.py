"""Evidence for the reservoir: what is exact is asserted exactly, the rest in a small network."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.network import realize
from neurodyn.tasks import WhatWhen, protocol

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def part():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module("meet.reservoir")
    sys.path.remove(FOLDER)


@pytest.fixture(scope="module")
def trained(part):
    """Two small networks after ten trials: circuits, sessions, tests."""
    seeds = (3, 4)
    circuits = part.networks(seeds, 200)
    sessions = [protocol("P1", seed=s, trials=10, tests=(5, 10)) for s in seeds]
    return circuits, sessions, part.run(None, sessions, seeds, circuits=circuits, record=["spikes"])


def test_readouts_follow_from_spikes_weights_and_events(part, trained) -> None:
    _, sessions, tests = trained
    for recording, session in zip(tests.recordings, sessions, strict=True):
        found = part.recompute(recording, session)
        assert found["o"].shape == (6, 700, 2) and found["recorded o"].max() > 0.1
        for name in "oq":
            np.testing.assert_allclose(found[name], found[f"recorded {name}"], rtol=0, atol=1e-12)


def test_a_wrong_trace_does_not_give_the_readout(part, trained, monkeypatch) -> None:
    _, sessions, tests = trained
    true = part.filtered
    monkeypatch.setattr(part, "filtered", lambda *where: true(*where, tau_ms=29.0))
    found = part.recompute(tests.recordings[0], sessions[0])
    assert np.abs(found["o"] - found["recorded o"]).max() > 1e-3


def test_weights_follow_from_spikes_and_events(part, trained) -> None:
    _, sessions, tests = trained
    recording = tests.recordings[1]
    again = part.replay(recording, sessions[1])
    for name, values in again.items():
        true = np.asarray(recording[f"weights/{name}"])[-1]
        np.testing.assert_allclose(values, true, rtol=0, atol=1e-11 * np.abs(true).max())
    other = part.replay(recording, sessions[0])  # the events of another session
    assert np.abs(other["when/w"] - again["when/w"]).max() > 0.1 * np.abs(again["when/w"]).max()


def test_after_training_keeps_all_but_the_noise(part) -> None:
    (circuit,) = part.networks([5], 150, noise=0.0, jitter=0.0)
    session = protocol("P1", seed=5, trials=10, tests=(10,))
    before = part.run(None, session, [5], circuits=[circuit])
    learned = part.after_training(circuit, before.recordings[0], 5)
    after = part.tested([learned], part.cue_only(WhatWhen(), 3), "numba")
    assert learned.seed != circuit.seed and before.expectation.max() > 0.05
    np.testing.assert_array_equal(after.expectation, before.expectation)


def test_after_training_brings_new_noise(part, trained) -> None:
    circuits, _, tests = trained
    learned = part.after_training(circuits[0], tests.recordings[0], 3)
    old, new = realize(circuits[0]), realize(learned)
    for name, wiring in old.wiring.items():
        np.testing.assert_array_equal(wiring.weights, new.wiring[name].weights)
        np.testing.assert_array_equal(wiring.targets, new.wiring[name].targets)
    for name in ("cells.bias", "cells.v_start", "cells.c"):
        np.testing.assert_array_equal(old.values[name], new.values[name])
    session = part.cue_only(WhatWhen(), 1)
    spikes = [nd.simulate(c, session)["spikes"].times for c in (learned, learned.with_(seed=8))]
    assert len(spikes[0]) != len(spikes[1]) or (spikes[0] != spikes[1]).any()


def test_shuffled_labels_move_both_readouts_alike(part, trained) -> None:
    circuits, _, tests = trained
    learned = part.after_training(circuits[0], tests.recordings[0], 3)
    mixed = part.shuffled(learned, np.random.default_rng(0))
    order = np.random.default_rng(0).permutation(200)
    for name in ("when.w", "what.v"):
        np.testing.assert_array_equal(mixed.values[name], learned.values[name][:, order])
    for name in ("when.centre", "when.gain", "recurrent.weights"):
        np.testing.assert_array_equal(mixed.values[name], learned.values[name])


def test_only_keeps_one_phase(part) -> None:
    kept = part.only(WhatWhen().session(10), "train", learning=False)
    assert len(kept) == 10 and not any(t.learning for t in kept.trials)
    assert {t.labels["phase"] for t in kept.trials} == {"train"}


def test_counter_errors_by_test_point(part) -> None:
    session = WhatWhen(probability=1.0).session(20, tests=(0, 10, 20))
    error, at = part.counted(session, event=0)
    np.testing.assert_array_equal(at, (0, 10, 20))
    np.testing.assert_allclose(
        error, 0.96 ** np.array([0, 10, 20]), rtol=1e-12
    )  # q = 1 - (1 - eta)^n of a perfect bump


@pytest.mark.slow
def test_lesions_and_shuffles(part, trained) -> None:
    circuits, _, tests = trained
    learned = [part.after_training(c, r, s) for c, r, s in zip(circuits, tests.recordings, (3, 4), strict=True)]
    outcome = part.disturbed(learned, circuits, seeds=(3, 4), backend="numba")
    error, correlation = outcome.data["lesion_nrmse"], outcome.data["lesion_correlation"]
    assert error.shape == correlation.shape == (2, len(part.LESIONED))
    assert (error[:, -1] > error[:, 0]).all()
    assert outcome.results["shuffled: correlation: mean"] < correlation[:, 0].mean() - 0.3
    assert set(outcome.figures) == {"lesions", "shuffled"}


@pytest.mark.slow
def test_decoding(part, trained) -> None:
    circuits, _, tests = trained
    learned = [part.after_training(circuits[0], tests.recordings[0], 3)]
    outcome = part.decoded(learned, circuits[:1], seeds=(3,), trials=20, backend="numba", samples=9)
    assert outcome.results["time decoded after learning: r2: min"] > 0.8
    before, after = outcome.data["identity_accuracy"][:, [0, 1]].mean(axis=0)
    assert before < 0.75 < after


@pytest.mark.slow
def test_whole_experiment(part, monkeypatch) -> None:
    smaller = {
        "NOISE": (0.5, 2.0),
        "LATENCIES_MS": (150.0, 600.0),
        "LESIONED": (0.0, 0.4),
        "SHUFFLES": 2,
        "TEST_TRIALS": 4,
    }
    for name, value in smaller.items():
        monkeypatch.setattr(part, name, value)
    outcome = part.reservoir(seeds=[7], neurons=200, trials=10, backend="numba")
    by_name = {c.name: c for c in outcome.checks}
    assert len(by_name) == len(outcome.checks) == 8
    assert all(c.passed for name, c in by_name.items() if "again" in name or "recomputed" in name)
    assert set(outcome.figures) == {"lesions", "shuffled", "noise", "latency", "rules", "decoding"}
    assert (
        outcome.data["noise_nrmse"].shape
        == outcome.data["latency_nrmse"].shape
        == outcome.data["lesion_nrmse"].shape
        == (1, 2)
    )
    assert outcome.data["shuffled_expectation"].shape == (2, 700, 2)  # two shuffles of one network
    for name in ("three_factor", "local", "nlms", "rls_forgetting"):
        assert outcome.data[f"rules_nrmse_{name}"].shape == (1, 2)  # after trials 1 and 10
