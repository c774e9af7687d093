"""Trained networks asked: driven, silenced unit by unit, perturbed, asked for other N, retrained."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.training.robustness import Ablation, Perturbation

TASK = nd.tasks.Parity(probability=0.5)


def copying() -> nd.LeakyRNN:
    """A network of three units and an idle one that remembers the last two digits, and tells their parity by head 1.

    Unit 0 holds the digit, unit 1 the one before it, and unit 2 the product of the two; head 0 tells the digit.
    """
    net = nd.LeakyRNN(4, heads=2, tau=1.0, activation="relu", initial_state=(0.0, 0.0), dtype=torch.float64)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name != "time_constants.value":
                parameter.zero_()
        net.input_weight[0, 0] = net.input_weight[2, 0] = 1.0
        net.recurrent_weight[1, 0] = net.recurrent_weight[2, 0] = 1.0
        net.recurrent_bias[2] = -1.0  # 1 where both are 1
        net.readout_weight[1, 1] = torch.tensor([1.0, 1.0, -2.0, 0.0])  # the exclusive or
        net.readout_bias[1, 1] = -0.5
    return net


def trained() -> nd.LeakyRNN:
    net = nd.LeakyRNN(24, heads=3, seed=3)
    nd.train(net, nd.tasks.Parity(), until=2, batch=64, steps=60, tests=3, epochs=12)
    return net


def test_activity_is_that_of_one_long_pass() -> None:
    net = nd.LeakyRNN(8, heads=1, seed=2)
    r = nd.training.activity(net, TASK, steps=700, trials=3, burn_in=50, seed=4)
    digits = TASK.batch(1, 3, seed=4, step=0, length=750).inputs
    whole = net.run(digits, draws=net.draws(750, 3, seed=4, step=0)).detach()[50:].transpose(0, 1)
    assert r.shape == (3, 700, 8) and r.dtype == np.float32
    np.testing.assert_allclose(r, whole, atol=1e-6)
    some = nd.training.activity(net, TASK, steps=700, trials=3, burn_in=50, units=[5, 1], seed=4)
    np.testing.assert_array_equal(some, r[..., [5, 1]])
    with pytest.raises(ValueError, match="steps = 0"):
        nd.training.activity(net, TASK, steps=0)


def test_activity_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from neurodyn.training import driving

    for net in (nd.LeakyRNN(8, heads=1, seed=2), nd.LSTM(8, heads=1, seed=2)):
        whole = nd.training.activity(net, TASK, steps=60, trials=2, burn_in=7)
        monkeypatch.setattr(driving, "_CHUNK", 13 * 2 * 8)
        np.testing.assert_allclose(nd.training.activity(net, TASK, steps=60, trials=2, burn_in=7), whole, atol=1e-6)
        monkeypatch.undo()


def test_running_accuracy_of_a_network_made_by_hand() -> None:
    net = copying()
    np.testing.assert_array_equal(nd.training.running_accuracy(net, TASK, 2, head=1, digits=300), 1.0)
    wrong = nd.training.running_accuracy(net, TASK, 5, head=1, digits=4000, repeats=4)  # of another N: chance
    assert abs(wrong.mean() - 0.5) < 5 * 0.5 / np.sqrt(16000)
    held = nd.tasks.Parity(probability=0.5, hold=3)
    assert nd.training.running_accuracy(net, held, 1, head=1, digits=100).mean() < 0.9  # both units hold one digit


def test_a_silent_unit_takes_no_part() -> None:
    net = copying()
    without = nd.training.ablated(net, 1)
    r = nd.training.activity(without, TASK, steps=50, trials=2)
    assert not r[..., 1].any() and r[..., 0].any()
    assert net.recurrent_weight[1, 0] == 1.0  # the network itself is as it was
    with pytest.raises(ValueError, match="unit = 4"):
        nd.training.ablated(net, 4)


def test_ablation_tells_which_units_matter() -> None:
    net = copying()
    found = nd.training.ablation(net, TASK, 2, head=1, group=2, repeats=3)
    assert found.baseline.tolist() == [1.0, 1.0, 1.0]
    assert found.units.tolist() == [0, 1, 2, 3]  # equal tau: by number
    relative = dict(zip(found.units.tolist(), found.relative, strict=True))
    assert relative[3] == 1.0  # the idle one
    # without 0 nothing is left; without 1 only (1, 0) goes wrong, without 2 only (1, 1)
    assert abs(relative[0]) < 0.1 and abs(relative[1] - 0.5) < 0.1 and abs(relative[2] - 0.5) < 0.1
    with pytest.raises(ValueError, match="group = 3; allowed are 1 to 2"):
        nd.training.ablation(net, TASK, 2, head=1, group=3)


@pytest.mark.parametrize("size", [0.0, 0.1, 3.0])
def test_perturbations_have_the_size_that_was_asked_for(size: float) -> None:  # U8
    net = nd.LeakyRNN(30, heads=1, seed=1, dtype=torch.float64)
    w = net.weights().detach().clone()
    moved = nd.training.perturbed(net, "recurrent", size, seed=5)
    change = moved.weights().detach() - w
    assert float(change.norm()) == pytest.approx(size * float(w.norm()), rel=1e-6)
    assert not torch.diagonal(change).any() and torch.equal(moved.tau, net.tau)
    longer = nd.training.perturbed(net, "tau", size, seed=5)
    change = longer.tau - net.tau
    assert float(change.norm()) == pytest.approx(size * float(net.tau.norm()), rel=1e-6)
    assert bool((change >= 0).all()) and torch.equal(longer.weights(), net.weights())
    assert torch.equal(net.weights(), w)


def test_perturbations_that_make_no_sense_are_refused() -> None:
    net = nd.LeakyRNN(6, heads=1)
    with pytest.raises(ValueError, match=r"what = 'taus'; did you mean 'tau'\?"):
        nd.training.perturbed(net, "taus", 0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="size = -1"):
        nd.training.perturbed(net, "tau", -1)
    with pytest.raises(ValueError, match="shared by all units"):
        nd.training.perturbed(nd.LeakyRNN(6, heads=1, tau="shared"), "tau", 0.1)
    with pytest.raises(ValueError, match="dale"):
        nd.training.perturbed(nd.LeakyRNN(6, heads=1, dale=0.5), "recurrent", 0.1)
    with pytest.raises(ValueError, match="the first 0"):
        nd.training.perturbation(net, TASK, 2, head=0, sizes=[0.1, 0.2])


def test_small_perturbations_harm_less() -> None:
    found = nd.training.perturbation(copying(), TASK, 2, head=1, sizes=[0.0, 1e-3, 30.0], directions=4, repeats=2)
    assert found.accuracy.shape == (3, 4)
    assert found.relative[0] == 1.0 and found.relative[1] > 0.99 and found.relative[2] < 0.7


def test_half_size_is_interpolated_on_a_logarithmic_axis() -> None:
    accuracy = np.array([[1.0], [0.9], [0.6]])  # relative 1, .8, .2
    assert Perturbation("tau", np.array([0.0, 0.1, 10.0]), accuracy).half == pytest.approx(1.0)
    assert np.isnan(Perturbation("tau", np.array([0.0, 0.1, 10.0]), np.array([[1.0], [0.9], [0.8]])).half)


def test_relative_accuracy() -> None:
    np.testing.assert_allclose(nd.training.relative_accuracy([0.5, 0.75, 1.0], 1.0), [0, 0.5, 1])
    with pytest.raises(ValueError, match="no better than chance"):
        nd.training.relative_accuracy([0.5], 0.5)
    ablation = Ablation(np.arange(2), np.ones(2), np.array([[0.75, 0.75], [1.0, 1.0]]), np.array([0.9, 1.0]), 1)
    assert (ablation.relative_fast, ablation.relative_slow) == (0.5, 1.0)  # by the best baseline


def test_memory_tells_own_heads_from_refitted_ones() -> None:
    found = nd.training.memory(copying(), TASK, [1, 2, 4], heads=[1, 1, 1], sequences=1024)
    assert found.own[1] == 1.0 and abs(found.own[0] - 0.5) < 0.1  # head 1 knows N = 2 alone
    assert found.refitted[0] == 1.0 and found.refitted[1] == 1.0  # the states tell the digit too
    assert found.refitted[2] < 0.6 and (found.chance < 0.56).all()
    with pytest.raises(ValueError, match="one for each of the 2 N"):
        nd.training.memory(copying(), TASK, [1, 2], heads=[0])


def test_retraining_leaves_the_network_alone() -> None:
    net = trained()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    got = nd.training.retraining(net, nd.tasks.Parity(), [2, 5], epochs=2, batch=64, steps=20, tests=2)
    assert set(got) == {2, 5} and len(got[2]) == 1  # it is solved at once; N = 5 is not
    assert len(got[5]) == 2
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_heads_by_curriculum() -> None:
    for curriculum, head in (
        ({"curriculum": "MultiHead", "start": 2}, 3),
        ({"curriculum": "SingleHead", "start": 2}, 0),
    ):
        assert nd.training.head_of(5, {"training": {"curriculum": curriculum}}) == head
