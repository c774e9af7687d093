"""Training of generative networks: what an update is, models that learn alone, what is kept, what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

MACHINE = nd.tasks.FiniteState.cycle()
TRAINING = MACHINE.sample(6, 16, seed=1)[1].numpy()
HELD_OUT = MACHINE.sample(5, 12, seed=2)[1].numpy()
QUICK: Any = {"updates": 8, "test_every": 2, "particles": 8, "progress": False}
KINDS: Any = {"PVRNN": nd.PVRNN, "VRNN": nd.VRNN}


@pytest.fixture(autouse=True)
def one_thread():
    """Networks as small as these gain nothing from more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pvrnn(**options: Any) -> Any:
    given: Any = {"output": nd.SymbolCoding(symbols=2), **options}
    return nd.PVRNN([nd.Layer(d=6, z=1, tau=2)], **given)


def vrnn(**options: Any) -> Any:
    given: Any = {"output": nd.SymbolCoding(symbols=2), "d": 5, "z": 1, "hidden": 6, **options}
    return nd.VRNN(**given)


def fit(net: Any, sequences: Any = TRAINING, **options: Any) -> Any:
    return nd.fit(net, sequences, **{**QUICK, **options})


def same(a: Any, b: Any) -> bool:
    return a.keys() == b.keys() and all(torch.equal(torch.as_tensor(a[k]), torch.as_tensor(b[k])) for k in a)


def arrays(run: Any, at: Any = "last") -> Any:
    return run.snapshot(at)["arrays"]


def rows(run: Any, name: str) -> np.ndarray:
    return run.recording[f"training/{name}_of_model"].values


# -- learning ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [pvrnn, vrnn])
def test_updates_are_adam_on_the_free_energy(made):
    """Weights and adaptive vectors alike, with the noise of the update's number, written out."""
    found = fit(made(dtype=torch.float64, seed=3), updates=4, learning_rate=0.03, betas=(0.8, 0.99), seed=7)
    net = made(dtype=torch.float64, seed=3)
    encoded = net.output.encode(TRAINING, dtype=torch.float64)
    adaptive = net.adaptive(6, 16)
    learnt = {**dict(net.named_parameters()), **{f"adaptive.{k}": p for k, p in adaptive.items()}}
    m, v = ({k: torch.zeros_like(p) for k, p in learnt.items()} for _ in range(2))
    losses, norms = [], []
    for update in range(4):
        noise = net.noise("training", 6, 16, step=update, key=7)
        loss = net.free_energy(encoded, adaptive, noise).loss.sum()
        gradients = dict(zip(learnt, torch.autograd.grad(loss, list(learnt.values())), strict=True))
        losses.append(float(loss.detach()))
        norms.append(math.sqrt(sum(float(g.square().sum()) for g in gradients.values())))
        for k, g in gradients.items():
            m[k], v[k] = 0.8 * m[k] + 0.2 * g, 0.99 * v[k] + 0.01 * g**2
            n = update + 1
            step = m[k] / (1 - 0.8**n) / ((v[k] / (1 - 0.99**n)).sqrt() + 1e-8)
            learnt[k].data -= 0.03 * step
    for k, p in learnt.items():
        torch.testing.assert_close(torch.from_numpy(arrays(found)[k]), p.detach(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.history["loss"], [np.mean(losses[:2]), np.mean(losses[2:])], rtol=1e-7)
    np.testing.assert_allclose(found.history["gradient_norm"], [np.mean(norms[:2]), np.mean(norms[2:])], rtol=1e-7)


@pytest.mark.parametrize("made", [pvrnn, vrnn])
def test_it_learns(made):
    """The first 20 updates teach little. A VRNN at w = 1 leaves the choices of the machine open."""
    found = fit(made(seed=[1, 2]), updates=160, test_every=20, learning_rate=0.02)
    error = rows(found, "reconstruction")
    assert (error[-1] < (0.1 if made is pvrnn else 0.4) * error[0]).all()
    assert found.history["loss"].iloc[-1] < 0.4 * found.history["loss"].iloc[0]


def test_each_model_learns_what_it_learns_alone():
    """To the last bit: weights, adaptive vectors, what is noted and which is the best."""
    options: Any = {"validation": HELD_OUT, "keep_every": 4, "learning_rate": 0.02}
    cases = {0: (3, 0.1), 1: (3, 0.01), 2: (8, 0.1)}
    many = fit(pvrnn(seed=[3, 3, 8], meta_prior=[0.1, 0.01, 0.1]), **options)
    assert not np.array_equal(arrays(many)["output_weight"][0], arrays(many)["output_weight"][1])
    for k, (seed, w) in cases.items():
        alone = fit(pvrnn(seed=seed, meta_prior=w), **options)
        for at in ("initial", 4, 8, "best", "last"):
            assert same({name: value[k : k + 1] for name, value in arrays(many, at).items()}, arrays(alone, at)), at
        for name in ("reconstruction", "divergence", "first_divergence", "log_likelihood"):
            np.testing.assert_array_equal(rows(many, name)[:, k : k + 1], rows(alone, name))
        assert many.recording.results["best_log_likelihood"][k] == alone.recording.results["best_log_likelihood"][0]


def test_each_vrnn_learns_what_it_learns_alone():
    """Products of several matrices at once may add in another order, so that bits may differ."""
    many = fit(vrnn(seed=[3, 8], meta_prior=[1.0, 0.3], dtype=torch.float64))
    for k, (seed, w) in enumerate([(3, 1.0), (8, 0.3)]):
        alone = fit(vrnn(seed=seed, meta_prior=w, dtype=torch.float64))
        for name, value in arrays(alone).items():
            np.testing.assert_allclose(arrays(many)[name][k], value[0], rtol=1e-8, atol=1e-10)


def test_a_clip_limits_the_step_of_all_models_together():
    free, clipped = (fit(pvrnn(seed=[1, 2]), updates=1, test_every=1, clip=clip) for clip in (None, 1e-9))
    assert clipped.history["gradient_norm"].equals(free.history["gradient_norm"])  # of what was clipped
    moved = {k: np.abs(arrays(clipped)[k] - arrays(clipped, "initial")[k]).max() for k in arrays(clipped, "initial")}
    least = {k: np.abs(arrays(free)[k] - arrays(free, "initial")[k]).max() for k in moved}
    assert max(moved.values()) < 0.2 * max(least.values())  # Adam's epsilon is felt


# -- unequal lengths and missing data ------------------------------------------------------------------------------


def test_adaptive_vectors_beyond_an_end_stay_zero():
    sequences = [TRAINING[0], TRAINING[1][:5], TRAINING[2][:1]]
    net = pvrnn(seed=[1, 2])
    found = fit(net, sequences, updates=6).adaptive()
    for values in found.values():
        assert values.shape == (2, 3, 16, 1)
        for n, length in enumerate((16, 5, 1)):
            assert (values[:, n, :length] != 0).any(0).all() and not values[:, n, length:].any()


@pytest.mark.parametrize("made", [pvrnn, vrnn])
def test_what_is_missing_teaches_nothing(made):
    """A sequence of which nothing was seen leaves the weights to the others, but for its divergence."""
    holes = TRAINING.astype(float)
    holes[1, 3:7] = math.nan
    found = fit(made(), holes)
    assert np.isfinite(found.history.to_numpy(dtype=float)).all()
    assert not same(arrays(found), arrays(fit(made(), TRAINING)))
    padded = fit(made(), [*TRAINING[:5], np.append(TRAINING[5], [math.nan] * 4)])
    assert np.isfinite(padded.history.to_numpy(dtype=float)).all() and padded.config["task"]["length"] == 20


# -- what is kept --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", [pvrnn, vrnn])
def test_each_model_is_kept_where_it_was_best(made):
    """Snapshots of all tests tell which: likelihoods are computed again from them."""
    found = fit(made(seed=[1, 2, 3]), updates=40, test_every=4, keep_every=4, validation=HELD_OUT, learning_rate=0.1)
    likely = rows(found, "log_likelihood")
    assert likely.shape == (10, 3) and found.snapshots == list(range(4, 44, 4))
    best = likely.argmax(0)
    assert len(set(best.tolist())) > 1 and best.min() < 9  # they are not all the same, nor the last
    kept = arrays(found, "best")
    assert kept.keys() == arrays(found).keys()
    for k, at in enumerate(best):
        assert same({a: v[k] for a, v in kept.items()}, {a: v[k] for a, v in arrays(found, int(4 * at + 4)).items()})
    again = found.network("best").log_likelihood(HELD_OUT, particles=8, seed=1).sum(1) / HELD_OUT.size
    np.testing.assert_array_equal(again, likely.max(0))
    np.testing.assert_array_equal(found.recording.results["best_log_likelihood"], likely.max(0))
    np.testing.assert_allclose(found.history["log_likelihood"], likely.mean(1))


def test_patience_ends_a_training_when_no_model_gets_better():
    found = fit(pvrnn(seed=[1, 2]), updates=4000, test_every=2, validation=HELD_OUT, patience=3, learning_rate=0.3)
    likely = rows(found, "log_likelihood")
    last = likely.argmax(0).max()
    assert len(likely) == last + 4 < 2000
    assert found.recording.results["ended"] == "3 tests without a better validation"


def test_history_is_that_of_the_models():
    found = fit(pvrnn(seed=[1, 2], meta_prior=0.3), config={"why": "a test"})
    history = found.history
    assert list(history.index) == [1, 2, 3, 4] and list(history["update"]) == [2, 4, 6, 8]
    assert set(history) == {"loss", "gradient_norm", "update", "reconstruction", "divergence", "first_divergence", "seconds"}  # fmt: skip
    for name in ("reconstruction", "divergence", "first_divergence"):
        each = rows(found, name)
        assert each.shape == ((4, 2) if name == "reconstruction" else (4, 2, 1))
        np.testing.assert_allclose(history[name], each.reshape(4, -1).mean(1), rtol=1e-6)
    net = found.network(at := "last")
    noise = net.noise("training", 6, 16, step=2**31 + 3, key=1)
    tested = net.free_energy(net.output.encode(TRAINING, dtype=net.dtype), found.adaptive(at), noise)
    np.testing.assert_allclose(rows(found, "reconstruction")[-1], tested.reconstruction.detach(), rtol=1e-5)
    assert found.config["training"]["notes"] == {"why": "a test"} and found.config["training"]["updates"] == 8
    assert found.config["task"]["sequences"] == 6 and found.config["task"]["length"] == 16


def test_divergence_of_layers_is_noted_by_layer():
    layers = [nd.Layer(d=4, z=1, tau=2), nd.Layer(d=3, z=2, tau=4)]
    found = fit(nd.PVRNN(layers, output=nd.SoftmaxCoding(dims=1), seed=[1, 2, 3]), np.zeros((2, 5, 1)))
    each = rows(found, "divergence")
    assert each.shape == (4, 3, 2)
    np.testing.assert_allclose(found.history["divergence"], each.sum(2).mean(1), rtol=1e-6)


@pytest.mark.parametrize("made", [pvrnn, vrnn])
@pytest.mark.parametrize("stored", [True, False])
def test_what_was_kept_is_read_back(made, stored, tmp_path):
    out: Any = tmp_path / "a.h5" if stored else None
    net = made(seed=[1, 2], dtype=torch.float64)
    found = fit(net, keep_every=4, out=out)
    found = nd.load_training(out) if stored else found
    assert found.snapshots == [4, 8] and found.epochs_to_solve == {4: 2, 8: 4}
    assert same(found.network().state_dict(), net.state_dict()) and found.network().config == net.config
    assert found.network().dtype == torch.float64 and type(found.network()) is type(net)
    assert same(found.network("initial").state_dict(), made(seed=[1, 2], dtype=torch.float64).state_dict())
    other = made(seed=[5, 6], dtype=torch.float64)
    found.restore(other, 4)
    assert same(other.state_dict(), found.network(4).state_dict())
    assert not same(other.state_dict(), net.state_dict())
    with pytest.raises(ValueError, match="holds another network than this"):
        found.restore(made(seed=[5, 6, 7], dtype=torch.float64))
    with pytest.raises(KeyError, match="no snapshot 'best'"):
        found.network("best")
    if made is pvrnn:
        adaptive = found.adaptive()
        assert {k: tuple(v.shape) for k, v in adaptive.items()} == dict.fromkeys(("mean", "log_sigma"), (2, 6, 16, 1))
        assert not any(v.any() for v in found.adaptive("initial").values())
        values = found.network().generate(20, adaptive=adaptive, posterior_steps=16).values
        assert torch.equal(values[:, :, :16], found.network().reconstruct(adaptive, noise=1.0).values)
    else:
        with pytest.raises(ValueError, match="has no adaptive vectors"):
            found.adaptive()


# -- what goes wrong -----------------------------------------------------------------------------------------------


class Diverging(nd.PVRNN):
    """Models 1 and 3 lose their weights at the sixth free energy, which is the fifth update."""

    calls = 0

    def free_energy(self, *arguments: Any) -> Any:
        self.calls += 1
        if self.calls == 6:
            with torch.no_grad():
                self.output_weight[[1, 3]] = math.nan
        return super().free_energy(*arguments)


@pytest.mark.parametrize("clip", [None, 2.0])
def test_a_model_that_diverges_is_named_and_the_file_stays(clip, tmp_path):
    """The clip takes the others with it, in the step after."""
    net, out = (
        Diverging([nd.Layer(d=4, z=1, tau=2)], output=nd.SymbolCoding(symbols=2), seed=[1, 2, 3, 4]),
        tmp_path / "a.h5",
    )
    advice = "clip = 2" if clip else "set clip"
    wanted = rf"not finite in epoch 2, before step 4 \(model 1, 3 of 4\); lower learning_rate = 0.001 or {advice}\. What came"
    with pytest.raises(nd.TrainingError, match=wanted) as caught:
        fit(net, clip=clip, out=out, test_every=4, updates=12)
    assert caught.value.path is not None
    kept = nd.load(caught.value.path)
    assert kept["training/reconstruction_of_model"].values.shape == (1, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"updates": 0}, "updates = 0; give a whole number, at least 1"),
        ({"updates": 7}, "updates = 7; give a multiple of test_every = 2"),
        ({"updates": 1}, "updates = 1; give a multiple of test_every = 2"),
        ({"keep_every": 3}, "keep_every = 3; give a multiple of test_every = 2"),
        ({"test_every": 0}, "test_every = 0"),
        ({"particles": 0}, "particles = 0"),
        ({"patience": 2}, "patience = 2; give validation sequences as well"),
        ({"patience": 0, "validation": HELD_OUT}, "patience = 0; give a whole number, at least 1"),
        ({"learning_rate": 0.0}, "learning_rate = 0"),
        ({"learning_rate": math.nan}, "learning_rate = nan"),
        ({"betas": (0.9, 1.0)}, r"betas = \(0.9, 1.0\)"),
        ({"clip": -1.0}, "clip = -1"),
        ({"seed": -1}, "seed = -1"),
    ],
)
def test_numbers_that_are_refused(options, message):
    net = pvrnn()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        fit(net, **options)
    assert same(net.state_dict(), before)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "sequences is empty"),
        (TRAINING[0], r"sequences has shape \(16,\); needed is \(sequence, time\)"),
        (TRAINING[:, :, None], r"sequences has shape \(6, 16, 1\)"),
        (TRAINING * 2, "sequence 0, step 0: 2 is no symbol of 0 to 1"),
        (np.full((2, 3), math.nan), "holds no value that is not NaN"),
        ([TRAINING[0], []], "sequence 1 has shape"),
        (TRAINING[:, :0], "sequence 0 has shape"),
    ],
)
def test_sequences_that_are_refused(sequences, message):
    with pytest.raises(ValueError, match=message):
        fit(pvrnn(), sequences)
    if len(sequences):
        with pytest.raises(ValueError, match=message):
            fit(pvrnn(), validation=sequences)


def test_networks_that_are_refused():
    with pytest.raises(ValueError, match="meta_prior = 0.0; give a number above 0"):
        pvrnn(meta_prior=0.0)
    with pytest.raises(ValueError, match="meta_prior has 2 numbers, seed 3"):
        pvrnn(meta_prior=[0.1, 0.2], seed=[1, 2, 3])
    for net in (nd.HMMRNN(4, noise_inputs=2), None, "PVRNN"):
        with pytest.raises(TypeError, match="net is a .*; give a generative network, such as nd.PVRNN"):
            fit(net)


def test_a_file_is_not_replaced_unasked(tmp_path):
    fit(pvrnn(), out=tmp_path / "a.h5")
    with pytest.raises(FileExistsError):
        fit(pvrnn(), out=tmp_path / "a.h5")
    again = fit(pvrnn(), out=tmp_path / "a.h5", overwrite=True, updates=2)
    assert len(again.history) == 1


# -- a share that is held out -----------------------------------------------------------------------------------------


def test_a_share_is_held_out_as_if_it_had_been_given_apart():
    lists = [TRAINING[n][: 16 - n] for n in range(6)]  # of unequal lengths
    run = fit(pvrnn(), lists, validation=0.34)
    apart = run.config["task"]["held_out"]
    assert len(apart) == 2 and sorted(set(apart)) == list(apart)
    other = fit(pvrnn(), [lists[n] for n in range(6) if n not in apart], validation=[lists[n] for n in apart])
    assert rows(run, "log_likelihood")[-1] == pytest.approx(rows(other, "log_likelihood")[-1], rel=1e-6)
    assert run.adaptive()["mean"].shape[1] == 4


@pytest.mark.parametrize("share", [0.0, 1.0, 0.01, -0.2, math.nan])
def test_shares_that_leave_a_side_empty_are_refused(share):
    with pytest.raises(ValueError, match="validation = .* of 6 sequences"):
        fit(pvrnn(), validation=share)
