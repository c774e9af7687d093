"""Emulation: an update written out, what it is a function of, what is kept, what blows up, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from geomloss import SamplesLoss

import neurodyn as nd
from neurodyn.kernels.draws import normals, uniforms

TARGET = nd.tasks.HiddenMarkov.fully_connected()
QUICK: Any = {"length": 6, "batch": 8, "updates": 6, "test_every": 2, "sequences": 20, "validation": 10, "progress": False}  # fmt: skip
SWITCHING = nd.tasks.HiddenMarkov([[0.9, 0.1], [0.1, 0.9]], [[0.99, 0.01], [0.01, 0.99]])
SMALL: Any = {"length": 30, "test_every": 25, "sequences": 2048, "validation": 512, "learning_rate": 5e-3, "progress": False}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """Networks as small as these gain nothing from more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def net(**options) -> Any:
    return nd.HMMRNN(**{"units": 6, "noise_inputs": 2, **options})


def emulate(network=None, target: Any = TARGET, **options) -> Any:
    return nd.emulate(network or net(), target, **{**QUICK, **options})


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(torch.as_tensor(a[k]), torch.as_tensor(b[k])) for k in a)


def arrays(run, at: Any = "last"):
    return run.snapshot(at)["arrays"]


def columns(run):
    return run.history.drop(columns="seconds")


# -- updates, written out ------------------------------------------------------------------------------------------


def divergence(codes, wanted):
    return SamplesLoss(blur=0.2)(codes.flatten(1), wanted.flatten(1))


def generated(w, step, count, *, noise=1.0):
    """Logits, probabilities with Gumbel noise and one-hot codes, (time, sequence, symbol), and states."""
    h, rows, states = torch.zeros(count, 6, dtype=torch.float64), [], []
    for t in range(6):
        where: Any = {"seed": 9, "step": step * 2**32 + t}
        x = noise * normals("noise", (count, 2), **where)
        h = torch.clamp(h @ w["recurrent_weight"].T + x @ w["noise_weight"].T, min=0)
        gumbel = -torch.log(-torch.log(uniforms("symbols", (count, 3), **where)))
        rows.append((h @ w["readout_weight"].T, gumbel))
        states.append(h)
    logits = torch.stack([row[0] for row in rows])
    soft = torch.exp(logits + torch.stack([row[1] for row in rows]))
    soft = soft / soft.sum(2, keepdim=True)
    hard = (soft == soft.amax(2, keepdim=True)).double()
    return logits, soft.detach(), hard.transpose(0, 1), torch.stack(states)


def one_hot(symbols):
    return torch.eye(3, dtype=torch.float64)[symbols]


@pytest.mark.parametrize("clip", [0.9, 0.01])
@pytest.mark.parametrize("noise", [1.0, 2.0])
def test_updates_are_what_is_written_in_the_sheet(clip, noise):
    """Sheet 1 and 3: straight-through Gumbel, Sinkhorn divergence, one clip over all, Adam with betas of .9 and .9."""
    network = net(dtype=torch.float64, noise=noise)
    found = emulate(net(dtype=torch.float64, noise=noise), updates=4, seed=9, clip=clip)
    w = {k: v.clone() for k, v in network.state_dict().items()}
    m, v = ({k: torch.zeros_like(p) for k, p in w.items()} for _ in range(2))
    training, wanted = (one_hot(TARGET.sample(n, 6, seed=9, step=k)[1]) for n, k in ((20, 0), (10, 1)))
    rows = []
    for update in range(4):
        w = {k: p.requires_grad_() for k, p in w.items()}
        logits, soft, codes, _ = generated(w, update, 8, noise=noise)
        codes.requires_grad_()
        at = [(update * 8 + k) % 20 for k in range(8)]  # in turn and in fixed order, also across the end
        loss = divergence(codes, training[at])
        (g,) = torch.autograd.grad(loss, codes)
        g = g.transpose(0, 1)
        to_logits = soft * (g - (g * soft).sum(2, keepdim=True))
        gradient = dict(zip(w, torch.autograd.grad(logits, list(w.values()), to_logits), strict=True))
        norm = math.sqrt(sum(float((p**2).sum()) for p in gradient.values()))
        rows.append((float(loss.detach()), norm))
        for k, p in gradient.items():
            p = p * min(1, clip / (norm + 1e-6))
            m[k], v[k] = 0.9 * m[k] + 0.1 * p, 0.9 * v[k] + 0.1 * p**2
            correction = 1 - 0.9 ** (update + 1)
            w[k] = (w[k] - 1e-3 * (m[k] / correction) / (torch.sqrt(v[k] / correction) + 1e-8)).detach()
        if update % 2:
            epoch = update // 2
            _, _, codes, states = generated(w, 2**29 + epoch, 10, noise=noise)
            fresh = one_hot(TARGET.sample(10, 6, seed=9, step=2 + epoch)[1])
            symbols, row = codes.argmax(2), found.history.iloc[epoch]
            wished = {
                "loss": np.mean([a for a, _ in rows[-2:]]),
                "gradient_norm": np.mean([b for _, b in rows[-2:]]),
                "validation_loss": float(divergence(codes, wanted)),
                "floor": float(divergence(fresh, wanted)),
                "symbol_change": float((symbols[:, 1:] != symbols[:, :-1]).double().mean()),
                "largest_state": float(states.max()),
                "update": update + 1,
            }
            assert {k: row[k] for k in wished} == pytest.approx(wished, rel=1e-8)
            share = np.bincount(symbols.flatten(), minlength=3) / 60
            np.testing.assert_allclose(found.recording["training/marginal"].values[epoch], share)
    assert clip > max(b for _, b in rows) or clip < min(b for _, b in rows)  # both sides of the clip are met
    for name, value in found.net.state_dict().items():
        torch.testing.assert_close(value, w[name], rtol=1e-8, atol=1e-10, msg=name)


def test_growth_is_the_activity_after_ten_lengths_over_that_after_one():
    """Of one run of 60 steps, in a single piece."""
    found = emulate(updates=4)
    network = found.net
    with torch.no_grad():
        draws = network.draws(60, 32, seed=1, step=2**30 - 2)
        states = network.run(draws["noise"]).double()
    assert found.history["growth"].iloc[-1] == pytest.approx(float(states[59].norm() / states[5].norm()), rel=1e-5)


# -- what it is a function of --------------------------------------------------------------------------------------


def test_same_seed_same_bits():
    torch.manual_seed(0)
    first = emulate()
    torch.manual_seed(1)  # nothing comes from torch's generator
    again = emulate()
    assert same(arrays(first), arrays(again)) and columns(first).equals(columns(again))
    for other in (emulate(seed=2), emulate(net(seed=2)), emulate(target=nd.tasks.HiddenMarkov.chain(3))):
        assert not same(arrays(first), arrays(other))


def test_longer_is_the_shorter_one_gone_on_with():
    short, long = emulate(updates=4), emulate(updates=8, keep_every=4)
    assert columns(short).equals(columns(long).iloc[:2])
    assert same(arrays(short), arrays(long, 4))


def test_history_is_complete():
    found = emulate(config={"why": "a test"})
    assert set(found.history) == {"loss", "gradient_norm", "update", "validation_loss", "floor", "symbol_change",
                                  "largest_state", "growth", "seconds"}  # fmt: skip
    assert found.history["update"].tolist() == [2, 4, 6] and found.history.index.tolist() == [1, 2, 3]
    assert np.isfinite(found.history.to_numpy(dtype=float)).all() and (found.history["seconds"] > 0).all()
    assert found.recording["training/marginal"].shape == (3, 3)
    assert found.config["training"]["notes"] == {"why": "a test"} and found.config["training"]["blur"] == 0.2
    assert "training of HMMRNN on HiddenMarkov" in repr(found)


def test_what_is_read_back(tmp_path):
    found = emulate(net(bias=True, noise=0.5, dtype=torch.float64), out=tmp_path / "a.h5")
    kept = nd.load_training(tmp_path / "a.h5")
    assert kept.task().config == TARGET.config
    for at in ("initial", "best", "last"):
        assert same(kept.network(at).state_dict(), found.network(at).state_dict())
    last = kept.network()
    assert same(last.state_dict(), found.net.state_dict()) and not same(last.state_dict(), arrays(kept, "initial"))
    assert last.config == found.net.config and last.dtype == torch.float64
    assert torch.equal(last.generate(3, 5).symbols, found.net.generate(3, 5).symbols)
    with pytest.raises(KeyError, match="no snapshot 4 in .*; there are 'best', 'initial', 'last'"):
        kept.network(4)


# -- what is kept --------------------------------------------------------------------------------------------------


def test_the_best_is_a_copy_of_the_network_with_the_lowest_validation_loss():
    """Sheet 3.2: in the published code what is called the best is the last."""
    found = emulate(updates=24, learning_rate=0.02, keep_every=2)
    history, results = found.history, found.recording.results
    bounded = history[history["growth"] <= 10]
    row = bounded.loc[bounded["validation_loss"].idxmin()]
    assert results["best_update"] == row["update"] < 24 and results["best_loss"] == row["validation_loss"]
    assert same(arrays(found, "best"), arrays(found, int(row["update"])))
    assert not same(arrays(found, "best"), arrays(found))
    assert found.snapshot("best")["epoch"] == row.name == row["update"] / 2
    assert found.snapshots == list(range(2, 25, 2)) and found.epochs_to_solve[6] == 3


def test_keep_every_keeps_what_a_shorter_training_ends_with():
    found = emulate(updates=8, keep_every=4)
    assert found.snapshots == [4, 8] and same(arrays(found, 8), arrays(found))
    assert same(arrays(found, 4), arrays(emulate(updates=4)))
    assert emulate().snapshots == []


def grown(radius, units=20, **options):
    """A network all of whose units excite one another: activity grows by ``radius`` at each step."""
    network = net(units=units, **options)
    with torch.no_grad():
        network.recurrent_weight.fill_(radius / units)
    return network


def test_a_network_that_explodes_is_never_the_best():
    found = emulate(grown(1.5), learning_rate=1e-6)
    assert found.recording.results["exploding"] and (found.history["growth"] > 1e6).all()
    assert found.recording.results["best_loss"] == math.inf and found.recording.results["best_update"] == 0
    with pytest.raises(KeyError, match="no snapshot 'best'.*there are 'initial', 'last'"):
        found.network("best")
    assert not emulate(grown(0.5), learning_rate=1e-6).recording.results["exploding"]


def test_one_that_explodes_later_leaves_the_best_of_before():
    """Short sequences reward a network that sticks to its first symbol, and activity that explodes does it."""
    target = nd.tasks.HiddenMarkov([[0.95, 0.05], [0.05, 0.95]], [[0.99, 0.01], [0.01, 0.99]])
    options: Any = {**SMALL, "length": 10, "batch": 64, "validation": 128, "test_every": 20, "updates": 160}
    found = nd.emulate(nd.HMMRNN(32, noise_inputs=4, outputs=2), target, **options)
    history, results = found.history, found.recording.results
    assert results["exploding"] and history["growth"].iloc[0] < 10
    last = history.iloc[-1]
    assert last["validation_loss"] < results["best_loss"] and results["best_update"] < last["update"]
    bounded = history[history["growth"] <= 10]
    assert results["best_loss"] == bounded["validation_loss"].min()


def test_numbers_beyond_all_bounds_are_an_error(tmp_path):
    """In the first updates nothing is kept, since there is nothing; later, what came before says why it ends there."""
    out, told = tmp_path / "a.h5", r"not finite in epoch 1, before step 2; lower learning_rate = 0.001 or clip = 0.9"
    with pytest.raises(nd.TrainingError, match=told) as caught:
        emulate(grown(1e8), out=out)
    assert caught.value.path is None and not list(tmp_path.iterdir())
    with pytest.raises(nd.TrainingError, match="not finite in epoch 2, before step 1; .*What came before is in") as caught:  # fmt: skip
        emulate(learning_rate=1e30, test_every=1, out=out)
    assert caught.value.path == tmp_path / "a.partial.h5" and [p.name for p in tmp_path.iterdir()] == ["a.partial.h5"]
    kept = nd.load_training(tmp_path / "a.partial.h5")
    assert not kept.recording.complete and "TrainingError" in kept.recording.attrs["stopped"]
    assert kept.history["update"].tolist() == [1] and not kept.history["growth"].iloc[0] <= 10
    assert same(arrays(kept, "initial"), net().state_dict()) and set(kept._kept()) == {"initial"}


# -- what it refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 7}, "updates = 7; give a multiple of test_every = 2"),
        ({"updates": 0}, "updates = 0; give a whole number, at least 1"),
        ({"updates": 6.0}, "updates = 6.0; give a whole number"),
        ({"updates": "6"}, "updates = '6'; give a whole number"),
        ({"test_every": 0}, "test_every = 0; give a whole number, at least 1"),
        ({"test_every": True}, "test_every = True"),
        ({"test_every": 2.0}, "test_every = 2.0"),
        ({"keep_every": 3}, "keep_every = 3; give a multiple of test_every = 2"),
        ({"keep_every": 0}, "keep_every = 0"),
        ({"length": 1}, "length = 1; give a whole number, at least 2"),
        ({"batch": 1}, "batch = 1; give a whole number, at least 2"),
        ({"validation": 1}, "validation = 1; give a whole number, at least 2"),
        ({"sequences": 7}, "sequences = 7; give a whole number, at least 8"),
        ({"blur": 0.0}, "blur = 0.0; give a distance above 0, such as 0.2"),
        ({"blur": math.inf}, "blur = inf"),
        ({"scaling": 1.0}, "scaling = 1.0; give a factor above 0 and below 1, such as 0.5"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0; give a positive number"),
        ({"clip": math.nan}, "clip = nan"),
        ({"betas": (0.9, 1.0)}, r"betas = \(0.9, 1.0\); give two numbers from 0 up to, but not, 1"),
        ({"betas": (0.9,)}, r"betas = \(0.9,\)"),
        ({"seed": -1}, "seed = -1"),
        ({"checkpoint_every": "3 mV"}, "checkpoint_every"),
        ({"resume": True}, "a recording in memory has no checkpoints"),
        ({"target": nd.tasks.HiddenMarkov.chain(2), "network": net(outputs=4)},
         "the network has 4 outputs and the target 3 symbols; give it outputs=3"),
    ],
)  # fmt: skip
def test_errors(options, message, tmp_path):
    network = options.get("network", net())
    start = {k: v.clone() for k, v in network.state_dict().items()}
    call = {k: v for k, v in options.items() if k != "network"}
    with pytest.raises(ValueError, match=message):
        emulate(network, **call, **({} if "resume" in call else {"out": tmp_path / "a.h5"}))
    assert same(start, network.state_dict()) and not list(tmp_path.iterdir())  # refused before anything is done


def test_data_are_not_a_target():
    with pytest.raises(
        TypeError, match=r"target is a list; give a model, such as nd.tasks.HiddenMarkov.fit\(sequences"
    ):
        emulate(target=[[0, 1, 2], [0, 1]])


# -- it learns -----------------------------------------------------------------------------------------------------


def plateau(length, batch):
    """Divergence of a batch of independent symbols from the target's, at these sizes."""
    independent = nd.tasks.HiddenMarkov([[1.0]], [SWITCHING.marginal])
    codes = [torch.eye(2)[m.sample(n, length, seed=3, step=7)[1]] for m, n in ((independent, batch), (SWITCHING, 512))]
    return float(nd.training.sinkhorn_divergence(*codes))


def learnt(seed, batch, updates) -> Any:
    """It begins at the plateau of independent symbols, and how far it gets."""
    network = nd.HMMRNN(32, noise_inputs=4, outputs=2, seed=seed)
    found = nd.emulate(network, SWITCHING, batch=batch, updates=updates, seed=seed, **SMALL)
    row = found.history.loc[found.snapshot("best")["epoch"]]
    assert found.history["validation_loss"].iloc[0] > 0.9 * plateau(30, 512)
    return row["validation_loss"] / row["floor"], row["symbol_change"]


def test_a_network_learns():
    """From the loss of independent symbols to near that of a second sample of the target, in seconds."""
    assert plateau(30, 512) > 2.4 * 2.9
    ratio, change = learnt(1, 256, 150)
    assert ratio < 1.5
    assert change == pytest.approx(SWITCHING.symbol_change, abs=0.06)
    assert abs(0.5 - SWITCHING.symbol_change) > 0.3  # what it began with


@pytest.mark.slow
def test_networks_learn():
    """How long the plateau lasts differs from seed to seed; three of four are off it, on seeds that set no threshold."""
    found = [learnt(seed, 256, 500) for seed in (21, 22, 23, 24)]
    assert sum(ratio < 1.25 for ratio, _ in found) >= 3, found
