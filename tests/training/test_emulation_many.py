"""Many networks that emulate: each learns to the bits what it learns alone, and one that is lost takes none with it."""

from __future__ import annotations

import math
import os
import signal
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.training import emulating, emulation_pass
from neurodyn.training.emulating import Emulation
from neurodyn.training.emulation import EmulationPlan

TARGET = nd.tasks.HiddenMarkov.fully_connected()
QUICK: Any = {"length": 6, "batch": 8, "updates": 6, "test_every": 2, "sequences": 20, "validation": 10, "progress": False}  # fmt: skip
OF_MODELS = ("loss", "gradient_norm", "validation_loss", "floor", "symbol_change", "largest_state", "growth")


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def net(seed: Any = (1, 2, 3), **options) -> Any:
    return nd.HMMRNN(**{"units": 6, "noise_inputs": 2, "seed": seed, **options})


def of_models(run) -> dict[str, np.ndarray]:
    """All arrays (epoch, model) of a recording."""
    with run.recording.open() as file:
        return {name: file[f"training/{name}_of_model"][()] for name in OF_MODELS}


def emulate(network, **options) -> Any:
    return nd.emulate(network, TARGET, **{**QUICK, **options})


def alone(network, **options) -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    found = emulate(network, **options)
    torch.set_num_threads(before)
    return found


def arrays(run, at: Any = "last"):
    return run.snapshot(at)["arrays"]


def assert_model(run, k: int, one) -> None:
    """Model k of a training is what was trained alone."""
    found, wished = run.select(k), one.history.drop(columns="seconds")
    assert found.history.drop(columns="seconds").equals(wished) and len(wished)
    marginal = run.recording["training/marginal"].values[:, k]
    np.testing.assert_array_equal(marginal, one.recording["training/marginal"].values)
    for name, value in one.recording.results.items():
        if name not in ("epochs", "ended"):
            assert run.recording.results[name][k] == value, name
    assert found._kept() == one._kept() and "best" in one._kept()
    assert found.config["network"] == one.config["network"] and found.config["training"] == one.config["training"]
    for at in one._kept():
        kept = arrays(found, at)
        for name, value in arrays(one, at).items():
            np.testing.assert_array_equal(kept[name], value, err_msg=f"{at}: {name}")


def objective(network, seed: Any = 3) -> Emulation:
    plan = EmulationPlan(
        epochs=1, steps=1, updates=1, length=9, batch=14, keep_every=None, sequences=20, validation=4, blur=0.2,
        scaling=0.5, optimizer="adam", learning_rate=1e-3, betas=(0.9, 0.9), clip=0.9, seed=seed,
    )  # fmt: skip
    return Emulation(network, TARGET, plan)


def gradients(network) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in network.named_parameters()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [False, True])
def test_an_update_without_autograd_has_the_bits_of_one_with_it(dtype, bias):
    network = net(1, bias=bias, noise=0.7, dtype=dtype)
    here = objective(network)
    for step in (2, 0):
        network.zero_grad()
        loss = here.loss(0, step)
        loss.backward()
        plain = gradients(network)
        network.zero_grad()
        assert torch.equal(here.descend(0, step), loss.detach())
        assert all(torch.equal(value, plain[name]) for name, value in gradients(network).items())


class Doubled(nd.HMMRNN):
    """A network that reads in a way of its own."""

    def read(self, states):
        return 2 * super().read(states)


def test_a_network_with_a_step_of_its_own_is_left_to_autograd():
    own, plain = Doubled(6, noise_inputs=2), net(1)
    with torch.no_grad():
        plain.readout_weight *= 2
    assert torch.equal(objective(own).descend(0, 0), objective(plain).descend(0, 0))
    torch.testing.assert_close(own.readout_weight.grad, 2 * plain.readout_weight.grad)
    with pytest.raises(
        ValueError, match=r"Doubled makes its sequences in a way of its own; train net.select\(k\) alone"
    ):
        emulate(Doubled(6, noise_inputs=2, seed=[1, 2]))


@pytest.mark.parametrize(
    ("given", "seed", "rate"),
    [
        ({}, 1, 1e-3),  # all see the same noise
        ({"bias": True, "dtype": torch.float64}, (7, 8, 7), 1e-3),
        ({"noise": [0.5, 1.0, 2.0]}, 1, (1e-3, 1e-2, 0.1)),
    ],
)
def test_each_learns_to_the_bits_what_it_learns_alone(given, seed, rate):
    many = net(**given)
    run = emulate(many, seed=seed, learning_rate=rate, keep_every=2, clip=0.3)
    assert run.snapshots == [2, 4, 6]
    for k in (0, 2):
        levels = given.get("noise", [1.0] * 3)
        one = alone(
            net(k + 1, **{**given, "noise": levels[k]}), keep_every=2, clip=0.3,
            seed=seed[k] if isinstance(seed, tuple) else seed, learning_rate=rate[k] if isinstance(rate, tuple) else rate,
        )  # fmt: skip
        assert_model(run, k, one)
        assert one.net.state_dict().keys() == many.select(k).state_dict().keys()
    means = np.mean(run.recording["training/validation_loss_of_model"].values, axis=1)
    np.testing.assert_allclose(run.history["validation_loss"], means)
    assert len({arrays(run)["recurrent_weight"][k].tobytes() for k in range(3)}) == 3


def test_each_is_kept_where_it_was_best():
    run = emulate(net(), updates=16, learning_rate=(1e-4, 0.02, 0.1), keep_every=2)
    best, losses = run.recording.results["best_update"], of_models(run)["validation_loss"]
    assert len(set(best)) > 1
    for k, update in enumerate(best):
        assert losses[update // 2 - 1, k] == losses[:, k].min() == run.recording.results["best_loss"][k]
        kept = run.select(k).snapshot("best")
        assert kept["epoch"] == update // 2
        for name, value in arrays(run, update).items():
            np.testing.assert_array_equal(kept["arrays"][name], value[k])


@pytest.mark.parametrize("seed", [3, (3, 4, 5)])
def test_batched_products_give_the_same_up_to_rounding(seed, monkeypatch):
    """What is for other devices, on this one."""
    network = net(bias=True, dtype=torch.float64, noise=[0.5, 1.0, 1.5])
    losses, plain = objective(network, seed).descend(0, 1), gradients(network)
    here = objective(network, seed)
    monkeypatch.setattr(here, "_batched", True)
    torch.testing.assert_close(here.descend(0, 1), losses)
    for name, value in gradients(network).items():
        torch.testing.assert_close(value, plain[name], rtol=1e-9, atol=1e-12, msg=name)


# -- models that are lost ------------------------------------------------------------------------------------------


def grown(network, k: int) -> Any:
    """Model k excites itself beyond all numbers."""
    with torch.no_grad():
        network.recurrent_weight[k].fill_(1e30)
    return network


@pytest.mark.parametrize("batched", [False, True])
def test_one_that_is_lost_takes_none_with_it(batched, monkeypatch):
    if batched:
        monkeypatch.setattr(emulating, "Updates", lambda *a, **o: emulation_pass.Updates(*a, **{**o, "batched": True}))
    run, all_well = emulate(grown(net(), 1)), emulate(net())
    assert run.recording.results["lost_update"] == [0, 1, 0] and run.recording.results["exploding"] == [
        False,
        True,
        False,
    ]
    assert run.recording.results["best_loss"][1] == math.inf and run.recording.results["best_update"][1] == 0
    wished = of_models(all_well)
    for name, found in of_models(run).items():
        np.testing.assert_array_equal(found[:, [0, 2]], wished[name][:, [0, 2]], err_msg=name)
        assert np.isnan(found[:, 1]).all()
    assert np.isfinite(run.history.to_numpy(dtype=float)).all()
    np.testing.assert_array_equal(arrays(run)["recurrent_weight"][1], np.full((6, 6), 1e30, np.float32))
    assert "best" in run.select(0)._kept()
    with pytest.raises(KeyError, match="no snapshot 'best'.*there are 'initial', 'last'"):
        run.select(1).network("best")


def test_all_lost_is_an_error():
    with pytest.raises(nd.TrainingError, match="not finite in epoch 1"):
        emulate(grown(grown(grown(net(), 0), 1), 2))


def test_one_may_be_lost_later():
    """It keeps what it had before, and stays where it was lost."""
    run = emulate(net(), learning_rate=(1e-3, 1e38, 1e-3), test_every=1, keep_every=1)
    lost = run.recording.results["lost_update"]
    assert lost[0] == lost[2] == 0 < lost[1] < 6
    values = of_models(run)["validation_loss"][:, 1]
    assert np.isnan(values[lost[1] - 1 :]).all()
    for name, value in arrays(run).items():
        np.testing.assert_array_equal(value[1], arrays(run, lost[1])[name][1])


# -- resuming ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", [5, 14])
def test_resumed_is_uninterrupted(stop, tmp_path, monkeypatch):
    options: Any = {"learning_rate": (1e-3, 1e38, 0.02), "seed": (4, 5, 6)}
    whole = emulate(net(), **options)
    fill, count = emulation_pass.fill_draws, [0]

    def counted(*arguments, **given):
        count[0] += 1
        if count[0] == stop:
            os.kill(os.getpid(), signal.SIGTERM)
        return fill(*arguments, **given)

    monkeypatch.setattr(emulation_pass, "fill_draws", counted)
    with pytest.raises(nd.Suspended):
        emulate(net(), out=tmp_path / "a.h5", **options)
    found = emulate(net(), out=tmp_path / "a.h5", resume=True, **options)
    assert found._kept() == whole._kept() and found.recording.results == whole.recording.results
    for k in range(3):
        ends, wished = found.select(k), whole.select(k)
        assert ends._kept() == wished._kept()
        for at in wished._kept():
            kept = arrays(ends, at)
            for name, value in arrays(wished, at).items():
                np.testing.assert_array_equal(kept[name], value, err_msg=f"{at}: {name}")
    wished = of_models(whole)
    for name, values in of_models(found).items():
        np.testing.assert_array_equal(values, wished[name], err_msg=name)
    with pytest.raises(FileExistsError, match="another training"):
        emulate(net(), out=tmp_path / "a.h5", resume=True, **{**options, "seed": (4, 5, 7)})


# -- what it refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "options", "message"),
    [
        (
            net(),
            {"seed": [1, 2]},
            "seed has 2 numbers and the network 3 models; give one number, or one for each model",
        ),
        (net(), {"seed": []}, "seed has 0 numbers"),
        (net(1), {"seed": [1]}, "seed has 1 numbers and the network no axis of models"),
        (net(), {"learning_rate": (0.1, 0.2)}, "learning_rate has 2 numbers and the network 3 models"),
        (net(), {"learning_rate": (0.1, 0.2, -1.0)}, "learning_rate = -1.0; give a positive number"),
        (net(), {"seed": [1, 2, -3]}, "seed = -3"),
        (net(), {"seed": [1, 2, 0.5]}, "seed = 1.0; give a whole number"),
    ],
)
def test_errors(network, options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        emulate(network, out=tmp_path / "a.h5", **options)
    assert not list(tmp_path.iterdir())
