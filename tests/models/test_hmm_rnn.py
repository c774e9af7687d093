"""Networks driven by noise whose symbols emulate a hidden Markov model: equations, draws, symbols, gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.models import hmm_rnn

DOUBLE = torch.float64


def small(units=7, **options) -> Any:
    return nd.HMMRNN(units, **{"noise_inputs": 3, "seed": 4, "dtype": DOUBLE, **options})


def numbers(net):
    """W, U, b, A, c as arrays; biases that are none are 0."""
    w, u, a = (p.detach().numpy() for p in (net.recurrent_weight, net.noise_weight, net.readout_weight))
    b, c = (np.zeros(n) if p is None else p.detach().numpy() for p, n in ((net.bias, len(w)), (net.readout_bias, len(a))))  # fmt: skip
    return w, u, b, a, c


def written_out(net, noise, start=None):
    """States (time, sequence, unit) and logits, one number after the other."""
    w, u, b, a, c = numbers(net)
    steps, sequences, inputs = noise.shape
    h = np.zeros((steps + 1, sequences, net.units))
    if start is not None:
        h[0] = start
    logits = np.empty((steps, sequences, net.outputs))
    for t in range(steps):
        for s in range(sequences):
            for i in range(net.units):
                total = b[i] + sum(w[i, j] * h[t, s, j] for j in range(net.units))
                total += sum(u[i, k] * noise[t, s, k] for k in range(inputs))
                h[t + 1, s, i] = max(total, 0.0)
            for o in range(net.outputs):
                logits[t, s, o] = c[o] + sum(a[o, i] * h[t + 1, s, i] for i in range(net.units))
    return h[1:], logits


# -- equations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("started", [False, True])
def test_equations(bias, started):
    net = small(bias=bias, outputs=4)
    noise = net.draws(9, 5, seed=2, step=1)["noise"]
    start = torch.rand(5, 7, dtype=DOUBLE) if started else None
    states, logits = written_out(net, noise.numpy(), start)
    assert 0.1 < (states == 0).mean() < 0.9
    with torch.no_grad():
        found = net.run(noise, start=start)
        np.testing.assert_allclose(found, states, rtol=0, atol=1e-13)
        np.testing.assert_allclose(net(noise, start=start), logits, rtol=0, atol=1e-13)
        np.testing.assert_allclose(net.read(found[3]), logits[3], rtol=0, atol=1e-13)
        np.testing.assert_allclose(net.step(found[3], noise[4]), states[4], rtol=0, atol=1e-13)
        quiet = net.step(found[3])
    np.testing.assert_allclose(quiet, written_out(net, 0 * noise[:1].numpy(), found[3])[0][0], rtol=0, atol=1e-13)


def test_start_weights_are_uniform_and_a_function_of_the_seed():
    net, again, other = (nd.HMMRNN(64, noise_inputs=80, bias=True, seed=seed) for seed in (3, 3, 4))
    for name, p in net.named_parameters():
        same, differs = again.get_parameter(name), other.get_parameter(name)
        assert torch.equal(p, same) and not torch.equal(p, differs)
        assert p.abs().max() <= 1 / 8
        u = (8 * p.detach().double().flatten() + 1) / 2  # uniform in (0, 1)
        assert abs(u.mean() - 0.5) < 4 / math.sqrt(12 * len(u))
        assert abs((u - 0.5).square().mean() - 1 / 12) < 4 / math.sqrt(180 * len(u))
    assert {n: tuple(p.shape) for n, p in net.named_parameters()} == {
        "recurrent_weight": (64, 64), "noise_weight": (64, 80), "readout_weight": (3, 64), "bias": (64,), "readout_bias": (3,)
    }  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"bias": True, "noise": 2.0, "outputs": 5, "seed": 2**63 - 1}])
def test_a_configuration_makes_the_network_again(options):
    net = nd.HMMRNN(6, **options)
    again = nd.HMMRNN(**net.config)
    assert again.config == net.config and again.noise == net.noise
    assert all(torch.equal(p, again.get_parameter(n)) for n, p in net.named_parameters())


# -- draws -------------------------------------------------------------------------------------------------------


def test_draws_are_a_function_of_seed_pass_and_time():
    net = small()
    whole = net.draws(9, 4, seed=2, step=5)
    assert whole["noise"].shape == (9, 4, 3) and whole["gumbel"].shape == (9, 4, 3)
    assert not torch.equal(whole["noise"], whole["gumbel"])
    for name, values in whole.items():
        assert torch.equal(net.draws(4, 4, seed=2, step=5, first=5)[name], values[5:])
        assert torch.equal(net.draws(9, 3, seed=2, step=5)[name], values[:, :3])
        assert torch.equal(small(units=20, seed=9, bias=True).draws(9, 4, seed=2, step=5)[name], values)
        for other in ({"seed": 3, "step": 5}, {"seed": 2, "step": 6}):
            assert (net.draws(9, 4, **other)[name] != values).all()
        assert torch.equal(net.float().draws(9, 4, seed=2, step=5)[name], values.float())
        net.double()


def test_noise_is_normal_and_gumbel_is_gumbel():
    draws = small(noise=2.0).draws(50, 200, seed=1, step=0)
    x, g = draws["noise"].flatten() / 2, draws["gumbel"].flatten()
    n = len(x)
    assert abs(x.mean()) < 4 / math.sqrt(n) and abs(x.square().mean() - 1) < 4 * math.sqrt(2 / n)
    assert abs(x.pow(4).mean() - 3) < 4 * math.sqrt(96 / n)
    assert abs(torch.corrcoef(draws["noise"].flatten(0, 1).T).tril(-1)).max() < 4 / math.sqrt(10_000)
    assert abs((draws["noise"][1:] * draws["noise"][:-1]).mean() / 4) < 4 / math.sqrt(n)
    e = torch.exp(-g)  # of Exp(1)
    assert abs(e.mean() - 1) < 4 / math.sqrt(n) and abs(e.square().mean() - 2) < 4 * math.sqrt(20 / n)


def test_draws_are_finite_in_single_precision(monkeypatch):
    """The largest uniform rounds to 1 in float32, where -log(-log(u)) would be infinite."""
    extremes = torch.tensor([2.0**-53, 1 - 2.0**-53], dtype=DOUBLE)
    monkeypatch.setattr(hmm_rnn, "uniforms", lambda stream, shape, **where: extremes.expand(shape).clone())
    gumbel = small(outputs=2, dtype=torch.float32).draws(1, 1, seed=1, step=0)["gumbel"]
    np.testing.assert_allclose(gumbel.flatten(), [-math.log(53 * math.log(2)), 53 * math.log(2)], rtol=1e-6)


# -- symbols -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_codes_are_one_hot_and_drawn_from_the_softmax(dtype):
    net, sequences = small(bias=True, dtype=dtype), 20_000
    draws = dict(net.draws(6, sequences, seed=3, step=0))
    draws["noise"] = draws["noise"][:, :1].expand(-1, sequences, -1)  # all sequences have the same logits
    with torch.no_grad():
        net.readout_weight *= 12.0
        codes, states = net.codes(draws)
        p = torch.softmax(net.read(states[:, 0]).double(), 1)
    assert codes.shape == (sequences, 6, 3) and states.shape == (6, sequences, 7)
    assert ((codes == 0) | (codes == 1)).all() and (codes.sum(2) == 1).all()
    assert p.max() > 0.7 and p.min() < 0.1
    error = 4 * (p * (1 - p) / sequences).sqrt()
    assert ((codes.double().mean(0) - p).abs() < error).all()
    pair = (codes[:, 1:] * codes[:, :-1]).sum(2).double().mean(0)  # draws of successive steps are independent
    expected = (p[1:] * p[:-1]).sum(1)
    assert ((pair - expected).abs() < 4 * (expected * (1 - expected) / sequences).sqrt()).all()


@pytest.mark.parametrize("bias", [False, True])
def test_the_gradient_is_that_of_the_softmax_of_logits_and_gumbel_noise(bias):
    """d loss/d logit = s (g - <g, s>), s = softmax(logit + Gumbel), from there back through time; written out."""
    net = small(bias=bias)
    draws = net.draws(5, 4, seed=1, step=0)
    g = torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(1), dtype=DOUBLE)
    codes, _ = net.codes(draws)
    (codes * g).sum().backward()
    w, _, _, a, _ = numbers(net)
    noise, upstream = draws["noise"].numpy(), g.transpose(0, 1).numpy()
    h, logits = written_out(net, noise)
    s = np.exp(logits + draws["gumbel"].numpy())
    s /= s.sum(2, keepdims=True)
    d_logit = s * (upstream - (upstream * s).sum(2, keepdims=True))
    inside, later = np.zeros_like(h), np.zeros((4, net.units))
    for t in reversed(range(5)):
        inside[t] = (d_logit[t] @ a + later) * (h[t] > 0)
        later = inside[t] @ w
    before = np.concatenate([np.zeros((1, 4, net.units)), h[:-1]])
    expected = {
        "recurrent_weight": np.einsum("tsi,tsj->ij", inside, before),
        "noise_weight": np.einsum("tsi,tsk->ik", inside, noise),
        "readout_weight": np.einsum("tso,tsi->oi", d_logit, h),
    }
    if bias:
        expected |= {"bias": inside.sum((0, 1)), "readout_bias": d_logit.sum((0, 1))}
    assert expected.keys() == dict(net.named_parameters()).keys()
    for name, p in net.named_parameters():
        np.testing.assert_allclose(p.grad, expected[name], rtol=0, atol=1e-13)
        assert np.abs(expected[name]).max() > 1e-3


# -- running freely ----------------------------------------------------------------------------------------------


def test_what_is_generated_belongs_together():
    net = small(bias=True)
    found = net.generate(3, 12, burn_in=4, full=True, seed=6, step=2)
    assert found.symbols.shape == (3, 12) and found.symbols.dtype == torch.int64
    assert found.logits is not None and found.states is not None and found.noise is not None
    assert not any(x.requires_grad for x in (found.logits, found.states))
    whole = net.generate(3, 16, burn_in=0, full=True, seed=6, step=2)  # from rest, nothing left out
    assert whole.noise is not None and torch.equal(whole.noise[:, 4:], found.noise)
    states, logits = written_out(net, whole.noise.transpose(0, 1).numpy())
    np.testing.assert_allclose(found.states.transpose(0, 1), states[4:], rtol=0, atol=1e-13)
    np.testing.assert_allclose(found.logits.transpose(0, 1), logits[4:], rtol=0, atol=1e-13)
    assert torch.equal(found.winners, found.logits.argmax(2))
    assert torch.equal(whole.symbols[:, 4:], found.symbols) and not torch.equal(found.symbols, found.winners)
    short = net.generate(3, 12, burn_in=4, seed=6, step=2)
    assert torch.equal(short.symbols, found.symbols) and torch.equal(short.winners, found.winners)
    assert short.logits is None and short.states is None and short.noise is None


def test_burn_in_is_100_steps_from_rest_and_none_from_a_start():
    net = small()
    assert torch.equal(net.generate(2, 30).symbols, net.generate(2, 130, burn_in=0).symbols[:, 100:])
    start = torch.rand(7)
    assert torch.equal(net.generate(2, 30, start=start).symbols, net.generate(2, 30, start=start, burn_in=0).symbols)


def test_symbols_of_a_free_run_are_drawn_from_the_softmax():
    net, sequences = small(noise=3.0), 20_000
    start = torch.linspace(0, 20, 7)
    found = net.generate(sequences, 2, noise=0, start=start, full=True)  # without noise all have the same logits
    assert found.logits is not None and (found.logits == found.logits[:1]).all()
    p = torch.softmax(found.logits[0], 1)
    assert p.max() > 0.5
    for t in range(2):
        share = torch.bincount(found.symbols[:, t], minlength=3) / sequences
        assert ((share - p[t]).abs() < 4 * (p[t] * (1 - p[t]) / sequences).sqrt()).all()


def test_more_sequences_begin_with_the_fewer():
    net = small()
    many, few = (net.generate(n, 50, full=True) for n in (9, 2))
    assert many.noise is not None and many.states is not None and torch.equal(many.noise[:2], few.noise)
    assert torch.equal(many.symbols[:2], few.symbols)
    np.testing.assert_allclose(many.states[:2], few.states, rtol=0, atol=1e-13)


def test_seed_and_pass_give_other_noise_than_each_other_and_than_a_training():
    net = small()
    noises = [net.generate(2, 5, burn_in=0, full=True, seed=s, step=k).noise for s, k in ((1, 0), (1, 1), (2, 0))]
    noises += [net.draws(5, 2, seed=1, step=k)["noise"].transpose(0, 1) for k in (0, 1)]
    assert len({tuple(x.flatten().tolist()) for x in noises if x is not None}) == 5


@pytest.mark.parametrize("chunk", [1, 7 * 3 * 10, 11 * 3 * 10])
def test_chunks_do_not_matter(monkeypatch, chunk):
    net = small()
    whole = net.generate(3, 40, burn_in=20, full=True)
    monkeypatch.setattr(hmm_rnn, "_CHUNK", chunk)
    cut = net.generate(3, 40, burn_in=20, full=True)
    assert whole.states is not None and whole.noise is not None and torch.equal(whole.noise, cut.noise)
    assert torch.equal(whole.symbols, cut.symbols) and torch.equal(whole.winners, cut.winners)
    np.testing.assert_allclose(whole.states, cut.states, rtol=0, atol=1e-13)


@pytest.mark.parametrize("each", [False, True])
def test_a_start_is_gone_on_from(each):
    net = small()
    start = torch.rand((4, 7) if each else (7,), dtype=DOUBLE)
    first = net.generate(4, 6, start=start, full=True)
    assert first.states is not None and first.noise is not None
    second = net.generate(4, 5, start=first.states[:, -1], step=1, full=True)
    assert second.states is not None and second.noise is not None
    states, _ = written_out(net, torch.cat([first.noise, second.noise], 1).transpose(0, 1).numpy(), start)
    np.testing.assert_allclose(torch.cat([first.states, second.states], 1).transpose(0, 1), states, rtol=0, atol=1e-13)


def test_a_network_that_is_moved_to_double_computes_in_double():
    net = small(dtype=torch.float32)
    single = net.generate(3, 50, full=True)
    double = net.double().generate(3, 50, full=True, start=None)
    for name in ("logits", "states", "noise"):
        a, b = getattr(single, name), getattr(double, name)
        assert a.dtype == torch.float32 and b.dtype == DOUBLE
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    assert torch.equal(double.noise.float(), single.noise)  # type: ignore[union-attr]
    started = net.generate(3, 2, start=np.zeros(7, np.float32), full=True).states
    assert started is not None and started.dtype == DOUBLE


# -- what can't be -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"units": 0}, "units = 0; give a whole number, at least 1"),
        ({"noise_inputs": True}, "noise_inputs = True; give a whole number"),
        ({"outputs": 2.0}, "outputs = 2.0; give a whole number"),
        ({"seed": -1}, "seed = -1; give a whole number from 0"),
        ({"noise": 0}, "noise = 0; give a positive standard deviation"),
        ({"noise": -1.0}, "noise = -1.0; give a positive"),
        ({"noise": math.nan}, "noise = nan; give a standard deviation"),
        ({"noise": "1"}, "noise = '1'; give a standard deviation"),
        ({"noise": True}, "noise = True; give a standard deviation"),
    ],
)
def test_sizes_and_levels_are_checked(options, words):
    with pytest.raises(ValueError, match=words):
        nd.HMMRNN(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sequences": 0}, "sequences = 0; give a whole number from 1"),
        ({"sequences": True}, "sequences = True"),
        ({"length": 1.0}, "length = 1.0"),
        ({"burn_in": -1}, "burn_in = -1; give a whole number from 0"),
        ({"seed": 2**63}, "seed = 9223372036854775808; give a whole number from 0 to 9223372036854775807"),
        ({"seed": -1}, "seed = -1"),
        ({"step": 2**30}, "step = 1073741824; give a whole number from 0 to 1073741823"),
        ({"step": -1}, "step = -1"),
        ({"noise": -0.5}, "noise = -0.5; give 0 or a positive"),
        ({"noise": math.inf}, "noise = inf"),
        ({"start": torch.zeros(1)}, r"start has shape \(1,\); needed is \(unit,\), \(7,\), or \(sequence, unit\), \(2, 7\)"),
        ({"start": np.zeros((3, 7))}, r"start has shape \(3, 7\)"),
        ({"start": torch.zeros(2, 1)}, r"start has shape \(2, 1\)"),
    ],
)  # fmt: skip
def test_what_is_generated_is_checked(options, words):
    with pytest.raises(ValueError, match=words):
        small().generate(**{"sequences": 2, "length": 3, **options})


@pytest.mark.parametrize("shape", [(4, 2, 4), (0, 2, 3), (2, 3), (3,)])
def test_noise_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"noise has shape .*; needed is \(time, sequence, 3\) with time >= 1"):
        small().run(torch.zeros(shape, dtype=DOUBLE))


@pytest.mark.parametrize("shape", [(7,), (2, 1), (3, 7)])
def test_a_start_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"start has shape .*; needed is \(sequence, unit\), \(2, 7\)"):
        small().forward(torch.zeros(4, 2, 3, dtype=DOUBLE), start=torch.zeros(shape, dtype=DOUBLE))


# -- many networks -------------------------------------------------------------------------------------------------


def test_many_are_each_of_them():
    """One seed and level for all, or one for each."""
    sizes: Any = {"units": 5, "noise_inputs": 2, "bias": True, "dtype": torch.float64}
    many = nd.HMMRNN(**sizes, seed=[3, 1], noise=[0.5, 2.0])
    assert many.many and many.models == 2 and many.seed == (3, 1) and many.levels == (0.5, 2.0)
    for k, (seed, noise) in enumerate(((3, 0.5), (1, 2.0))):
        alone, one = nd.HMMRNN(**sizes, seed=seed, noise=noise), many.select(k)
        assert one.config == alone.config and not one.many and one.noise == noise
        for name, value in alone.state_dict().items():
            assert torch.equal(one.state_dict()[name], value) and torch.equal(many.state_dict()[name][k], value)
        assert torch.equal(one.generate(2, 5).symbols, alone.generate(2, 5).symbols)
    two = many.select([-1, 0])
    assert two.config["seed"] == [1, 3] and two.config["noise"] == [2.0, 0.5]
    assert torch.equal(two.recurrent_weight, many.recurrent_weight[[1, 0]])
    with torch.no_grad():
        many.recurrent_weight.zero_()
    assert bool(two.recurrent_weight.any())  # memory of its own
    assert nd.HMMRNN(5, seed=[3, 1]).levels == (1.0, 1.0) and nd.HMMRNN(5, noise=[1.0, 2.0]).seed == (1, 1)
    assert nd.HMMRNN(**many.config).config == many.config and nd.HMMRNN(5, seed=[4]).many
    assert nd.HMMRNN(5).select(0).config == nd.HMMRNN(5).config


def test_what_is_for_one_refuses_many():
    many = nd.HMMRNN(5, noise_inputs=2, seed=[1, 2])
    for call in (
        lambda: many.generate(2, 3),
        lambda: many.run(torch.zeros(3, 2, 2)),
        lambda: many.read(torch.zeros(5)),
        lambda: many.step(torch.zeros(5)),
        lambda: many.draws(2, 3, seed=1, step=0),
        lambda: many.noise,
        lambda: many.circuit(),
        lambda: nd.analysis.local_spectra(many, np.zeros((1, 5))),
    ):
        with pytest.raises(ValueError, match=r"the HMMRNN holds 2 networks; take one: net.select\(0\)"):
            call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"seed": [1, 2], "noise": [1.0, 2.0, 3.0]},
            "seed has 2 numbers, noise has 3 numbers; give one for all models",
        ),
        ({"seed": []}, "seed has 0 numbers; give one for all models, or one for each"),
        ({"seed": [1, -1]}, "seed = -1; give a whole number"),
        ({"noise": [1.0, 0.0]}, "noise = 0.0; give a positive standard deviation"),
        ({"noise": [1.0, "a"]}, "noise = 'a'; give a standard deviation"),
        ({"seed": "12"}, "seed = '12'; give a whole number"),
    ],
)
def test_errors_of_many(options, message):
    with pytest.raises(ValueError, match=message):
        nd.HMMRNN(5, **options)


@pytest.mark.parametrize("models", [2, -3, [0, 2], [], 0.5, True, "0"])
def test_select_refuses_models_that_are_not_there(models):
    with pytest.raises(ValueError, match="models = .*; the network has models 0 to 1"):
        nd.HMMRNN(5, seed=[1, 2]).select(models)
