"""Many leaky networks trained at once: each is what it is alone, to the last bit."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

QUICK: Any = {"batch": 20, "steps": 5, "tests": 2, "epochs": 4, "threshold": 0.5, "until": 4, "patience": 2, "progress": False}  # fmt: skip
SEEDS, GAINS, KEYS, RATES = [1, 2, 3], [0.5, 1.0, 2.0], [5, 5, 6], [0.05, 0.1, 0.02]
TAUS = [(1.0, 2.0), (2.0, 3.0), (1.5, 1.5)]
OPTIONS: Any = {"heads": 4, "noise": 0.1, "connection_probability": 0.7, "dale": 0.6}


def many(**options) -> Any:
    return nd.LeakyRNN(8, seed=SEEDS, gain=GAINS, tau_initial=TAUS, **{**OPTIONS, **options})


def alone(k, **options) -> Any:
    return nd.LeakyRNN(8, seed=SEEDS[k], gain=GAINS[k], tau_initial=TAUS[k], **{**OPTIONS, **options})


def assert_same(found, whole):
    """Weights, snapshots and history bit for bit, but for the seconds."""
    assert found.snapshots == whole.snapshots and found.epochs_to_solve == whole.epochs_to_solve
    assert found.config == whole.config
    for at in ("initial", *whole.snapshots, "last"):
        one, other = found.snapshot(at), whole.snapshot(at)
        assert (one["stage"], one["epoch"]) == (other["stage"], other["epoch"])
        assert one["arrays"].keys() == other["arrays"].keys()
        for name, values in other["arrays"].items():
            np.testing.assert_array_equal(one["arrays"][name], values, err_msg=f"{at} {name}", strict=True)
    a, b = (run.history.drop(columns="seconds") for run in (found, whole))
    assert len(b) and a.equals(b)
    np.testing.assert_array_equal(found.accuracy_of_heads, whole.accuracy_of_heads)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_each_is_what_it_is_alone(optimizer, two_threads):
    run = nd.train(many(), nd.tasks.Parity(), seed=KEYS, learning_rate=RATES, optimizer=optimizer, **QUICK)
    reached = []
    for k in range(3):
        one = nd.train(alone(k), nd.tasks.Parity(), seed=KEYS[k], learning_rate=RATES[k], optimizer=optimizer, **QUICK)
        assert_same(run.select(k), one)
        for a, b in zip(run.net.select(k).parameters(), one.net.parameters(), strict=True):  # type: ignore[union-attr]
            assert torch.equal(a, b)
        made = run.select(k).network(one.snapshots[-1])
        assert not made.many and made.config == one.net.config  # type: ignore[union-attr]
        reached.append(one.recording.results["N"])
        assert run.recording.results["ended_of_model"][k] == one.recording.results["ended"]
    assert list(run.recording.results["N"]) == reached
    assert optimizer == "adam" or len(set(reached)) > 1  # they went different ways
    assert run.recording.results["ended"] == "all 3 models are at their end"
    assert run.network().many and run.network().config == run.net.config  # type: ignore[union-attr]
    assert run.history["loss"].iloc[0] == pytest.approx(run.recording["training/loss_of_model"].values[0].mean())


@pytest.mark.parametrize(
    "options", [{"precision": "bfloat16"}, {"self_connections": True, "tau": "shared", "tau_initial": 2.0}]
)
def test_networks_of_all_kinds(options):
    """bfloat16 goes through autograd."""
    call: Any = {**QUICK, "epochs": 2, "until": None}
    made = {"seed": [4, 2], **OPTIONS, **options}
    run = nd.train(nd.LeakyRNN(6, **made), nd.tasks.DelayedMatch(hold=(1, 2)), **call)
    for k, seed in enumerate(made["seed"]):
        assert_same(
            run.select(k),
            nd.train(nd.LeakyRNN(6, **{**made, "seed": seed}), nd.tasks.DelayedMatch(hold=(1, 2)), **call),
        )


@dataclass(frozen=True, kw_only=True)
class Stopping(nd.tasks.Parity):
    """Parity, and a signal to the process when the countdown, shared by copies, is at its end."""

    def batch(self, *arguments, **options):
        made = super().batch(*arguments, **options)
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return made


Stopping.__name__ = "Parity"  # so that it counts as the same task
countdown = [0]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_resumed_is_uninterrupted(optimizer, tmp_path):
    """Also once some models are at their end."""
    call: Any = {**QUICK, "optimizer": optimizer}
    whole = nd.train(many(), nd.tasks.Parity(), seed=KEYS, **call)
    stops, run = 0, None
    while run is None:
        countdown[0] = 17
        try:
            run = nd.train(many(), Stopping(), seed=KEYS, out=tmp_path / "a.h5", resume=True, **call)
        except nd.Suspended:
            stops += 1
    countdown[0] = 0
    assert stops >= 3
    for found in (run, nd.load_training(tmp_path / "a.h5")):
        for k in range(3):
            assert_same(found.select(k), whole.select(k))
        for name in ("N", "ended_of_model"):
            assert list(found.recording.results[name]) == list(whole.recording.results[name])


def test_one_that_is_lost_leaves_the_others_alone():
    net = many()
    with torch.no_grad():
        net.readout_bias[1, 0, 0] = float("inf")
    call: Any = {**QUICK, "until": None, "patience": None, "epochs": 2}
    run = nd.train(net, nd.tasks.Parity(), seed=KEYS, **call)
    assert run.recording.results["ended_of_model"][1] == "the loss was not finite"
    losses = run.recording["training/loss_of_model"].values
    assert np.isnan(losses[:, 1]).all() and np.isfinite(losses[:, [0, 2]]).all()
    for k in (0, 2):
        assert_same(run.select(k), nd.train(alone(k), nd.tasks.Parity(), seed=KEYS[k], **call))
    with torch.no_grad():
        net.readout_bias.fill_(float("inf"))
    with pytest.raises(nd.TrainingError, match="not finite in epoch 1"):
        nd.train(net, nd.tasks.Parity(), **call)


@pytest.mark.parametrize(
    ("made", "call", "what"),
    [
        (lambda: many(), {"seed": [1, 2]}, r"seed = \[1, 2\]; give one number, or one for each of the 3 models"),
        (lambda: alone(0), {"seed": [1, 2]}, r"seed = \[1, 2\]; give one number"),
        (lambda: many(), {"learning_rate": [0.1, 0.2, -1.0]}, r"learning_rate = -1.0; give a positive number"),
        (lambda: many().select(0), {"learning_rate": [0.1, 0.2]}, r"learning_rate = \[0.1, 0.2\]; give one number"),
    ],
)
def test_what_does_not_fit_is_refused(made, call, what):
    with pytest.raises(ValueError, match=what):
        nd.train(made(), nd.tasks.Parity(), **{**QUICK, **call})


def test_a_training_of_one_has_no_models_to_select(tmp_path):
    run = nd.train(alone(0), nd.tasks.Parity(), **{**QUICK, "epochs": 1})
    with pytest.raises(ValueError, match="the training of one network"):
        run.select(0)
    several = nd.train(many(), nd.tasks.Parity(), **{**QUICK, "epochs": 1})
    with pytest.raises(ValueError, match="model = 3; the training has models 0 to 2"):
        several.select(3)
