"""PV-RNN running freely, from the posterior and on from a state, and how likely sequences are under it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

LAYERS = [nd.Layer(d=5, z=2, tau=2), nd.Layer(d=4, z=1, tau=6)]


def network(layers=LAYERS, output=None, *, spread=0.4, dtype=torch.float64, **options):
    net = nd.PVRNN(layers, output=output or nd.SymbolCoding(symbols=2), **{"seed": 3, "dtype": dtype, **options})
    draws = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in net.parameters():  # the same for all models
            value += spread * torch.randn(value.shape[1:], generator=draws, dtype=torch.float64).to(dtype)
    return net


def vectors(net, sequences, steps):
    draws = torch.Generator().manual_seed(6)
    shape = (net.models, sequences, steps, net.latents)
    names = ("mean", "log_sigma")
    return {n: torch.randn(shape, generator=draws, dtype=torch.float64).to(net.dtype) for n in names}


def differ(a, b, rows: Any = slice(None)):
    """Names of what has other bits in two rollouts, NaN beside NaN."""
    return [k for k, v in vars(a).items() if not torch.equal(v.nan_to_num(9e9), getattr(b, k)[rows].nan_to_num(9e9))]


# -- generation ------------------------------------------------------------------------------------------------------


def test_without_noise_all_sequences_are_one_and_z_is_its_mean():
    """U5."""
    run = network().generate(50, sequences=3, noise=0.0)
    assert torch.equal(run.z, run.prior_mean) and torch.isnan(run.posterior_mean).all()
    torch.testing.assert_close(run.h[:, 1:], run.h[:, :1].expand(-1, 2, -1, -1), rtol=0, atol=1e-13)
    again = network().generate(50, sequences=3, noise=0.0, seed=99)
    assert not differ(run, again)


def test_noise_is_a_function_of_the_seeds():
    net = network()
    run = net.generate(20, sequences=3)
    assert not differ(run, net.generate(20, sequences=3))
    z = run.z[:, :, 0]
    for other in (net.generate(20, sequences=3, seed=2), net.generate(20, sequences=3, step=1), network(seed=4).generate(20, sequences=3)):  # fmt: skip
        assert (other.z[:, :, 0] != z).all()
    torch.testing.assert_close(net.generate(20, sequences=3, noise=0.5).z[:, :, 0], z / 2)


def test_more_sequences_and_longer_runs_begin_with_the_fewer_and_shorter():
    net = network(spread=0.2)
    short = net.generate(10, sequences=2)
    long = net.generate(25, sequences=7)
    assert torch.equal(long.z[:, :2, 0], short.z[:, :, 0])
    for name, value in vars(short).items():  # but for the last bits, which depend on how many there are
        torch.testing.assert_close(getattr(long, name)[:, :2, :10], value, rtol=1e-9, atol=1e-9, equal_nan=True)
    longer = net.generate(25, sequences=2)
    assert torch.equal(longer.h[:, :, :10], short.h) and torch.equal(longer.z[:, :, :10], short.z)


def test_burn_in_is_what_comes_before():
    net = network()
    whole, rest = net.generate(30, sequences=2), net.generate(12, sequences=2, burn_in=18)
    for name, value in vars(whole).items():
        torch.testing.assert_close(getattr(rest, name), value[:, :, 18:], rtol=0, atol=1e-14, equal_nan=True)


def test_it_goes_on_from_a_state_which_is_no_first_step():
    net = network()
    run = net.generate(30, sequences=2, noise=0.0)
    on = net.generate(20, sequences=2, noise=0.0, start=run.h[:, :, 9])
    torch.testing.assert_close(on.h, run.h[:, :, 10:], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(net.generate(20, noise=0.0, start=run.h[:, 0, 9]).values, on.values[:, :1])
    assert (on.prior_sigma[:, :, 0] != 1).all()


def test_first_steps_from_the_posterior():
    net = network()
    adaptive = vectors(net, 3, 8)
    whole = net.reconstruct(adaptive)
    assert torch.equal(whole.z, whole.posterior_mean) and whole.values.shape == (1, 3, 8)
    run = net.generate(8, adaptive=adaptive, posterior_steps=3, noise=0.0)
    torch.testing.assert_close(run.h[:, :, :3], whole.h[:, :, :3])
    assert torch.isnan(run.posterior_sigma[:, :, 3:]).all() and torch.isfinite(run.posterior_sigma[:, :, :3]).all()
    assert torch.equal(run.z[:, :, 3:], run.prior_mean[:, :, 3:]) and torch.isfinite(run.prior_sigma).all()
    a = adaptive["mean"][0, 1, 0, :2]
    bias = net.get_parameter("stack.0.posterior_bias")[0].detach()
    torch.testing.assert_close(run.posterior_mean[0, 1, 0, :2], (a + bias[0]).tanh())
    torch.testing.assert_close(run.posterior_sigma[0, 1, 0, :2], (adaptive["log_sigma"][0, 1, 0, :2] + bias[1]).exp())
    from_prior = net.generate(8, adaptive=adaptive, posterior_steps=0)
    assert torch.isnan(from_prior.posterior_mean).all()
    beyond = net.generate(5, burn_in=6, adaptive=adaptive, posterior_steps=8, noise=0.0)
    torch.testing.assert_close(beyond.h[:, :, :2], whole.h[:, :, 6:])
    assert torch.isnan(beyond.posterior_mean[:, :, 2:]).all()


def test_the_reduced_posterior_is_the_adaptive_vectors_alone():
    net = network(posterior="reduced")
    adaptive = vectors(net, 2, 6)
    run = net.reconstruct(adaptive, noise=1.0)
    torch.testing.assert_close(run.posterior_mean, adaptive["mean"].tanh())
    torch.testing.assert_close(run.posterior_sigma, adaptive["log_sigma"].exp())
    eps = (run.z - run.posterior_mean) / run.posterior_sigma
    drawn = [net.noise_at("generated", 2, step=0, time=t, key=1) for t in range(6)]
    torch.testing.assert_close(eps, torch.stack(drawn, 2))


def test_repeats_are_these_sequences_again_with_other_noise():
    net = network()
    adaptive = vectors(net, 3, 4)
    run = net.generate(4, adaptive=adaptive, repeats=5)
    assert run.values.shape == (1, 15, 4)
    mean = run.posterior_mean[0, :, 0].view(5, 3, 3)
    assert torch.equal(mean, mean[:1].expand_as(mean))
    assert len({tuple(row) for row in run.z[0, :, 0].tolist()}) == 15


def test_adaptive_vectors_may_be_arrays_of_another_type():
    net = network(dtype=torch.float32)
    adaptive = vectors(net, 2, 3)
    arrays: Any = {k: v.double().numpy() for k, v in adaptive.items()}
    assert not differ(net.reconstruct(adaptive), net.reconstruct(arrays))


def test_decoded_values():
    for output in (nd.SoftmaxCoding(dims=2), nd.AnalogCoding(), nd.SymbolCoding(symbols=3)):
        run = network(output=output).generate(9, sequences=4)
        axis = () if isinstance(output, nd.SymbolCoding) else (output.dims,)
        assert run.values.shape == (1, 4, 9, *axis) and run.outputs.shape == (1, 4, 9, output.units)
        assert torch.equal(run.values, output.decode(run.outputs)) and torch.equal(run.d, run.h.tanh())


# -- likelihood ------------------------------------------------------------------------------------------------------


def exact(net, sequences, draws=150_000):
    """The log-likelihood by brute force, and its standard error: the mean over free runs of p(sequence | run)."""
    encoded = net.output.encode(sequences, dtype=net.dtype)
    steps = encoded.targets.shape[1]
    run, found = net.generate(steps, sequences=draws, seed=77), []
    inputs = net.read(run.h)
    for targets, observed in zip(encoded.targets, encoded.observed, strict=True):
        each = net.output.log_likelihood(inputs, targets.expand(*inputs.shape[:3], -1))
        likelihood = (each * observed).sum((2, 3)).exp()[0]
        found.append((float(likelihood.mean().log()), float(likelihood.std() / likelihood.mean()) / math.sqrt(draws)))
    return torch.tensor(found).T


@torch.no_grad()
@pytest.mark.parametrize("output", [nd.SymbolCoding(symbols=3), nd.SoftmaxCoding(dims=2, bins=5)])
def test_the_bound_is_near_the_likelihood_with_many_particles(output):
    net = network(output=output, spread=0.8)
    if isinstance(output, nd.SymbolCoding):
        data = [[0, 2, 1, 1], [1, 1, np.nan, 0], [2]]
    else:
        data = [[[0.5, -0.5], [0.1, np.nan], [np.nan, np.nan], [-0.7, 0.3]], [[0.0, 0.6]]]
    value, error = exact(net, data)
    found = torch.stack([net.log_likelihood(data, particles=20_000, seed=s)[0] for s in range(4)])
    assert (value < -0.5).all() and float(error.max()) < 0.015
    spread = found.std(0) / 2 + error
    assert ((found.mean(0) - value).abs() < 4 * spread + 1e-3).all()
    assert float(spread.max()) < 0.02


@torch.no_grad()
def test_the_bound_rises_with_particles_and_stays_below():
    net = network(spread=0.9)
    data = [[0, 1, 1, 0, 1, 0, 0, 1]] * 60
    means = [float(net.log_likelihood(data, particles=n).mean()) for n in (1, 5, 50, 1000)]
    assert means[0] < means[1] < means[2] < means[3] + 0.02
    assert means[1] - means[0] > 0.2
    value, error = exact(net, data[:1])
    assert means[2] < float(value) + 4 * float(error)


@torch.no_grad()
def test_without_latent_influence_the_bound_is_exact():
    net = network(output=nd.SymbolCoding(symbols=3), meta_prior=[0.1, 0.2])
    net.output_weight.zero_()
    net.output_bias.copy_(torch.tensor([[0.0, 1.0, 2.0], [0.5, 0.5, 0.5]]))
    found = net.log_likelihood([[0, 2, np.nan, 2], [1, 1]], particles=3)
    p = net.output_bias.log_softmax(-1)
    torch.testing.assert_close(found, torch.stack([p[:, 0] + 2 * p[:, 2], 2 * p[:, 1]], 1), rtol=1e-12, atol=1e-12)


@torch.no_grad()
def test_of_a_model_its_own_and_of_more_sequences_the_same():
    net = network(seed=[3, 4], meta_prior=0.1)
    data = [[0, 1, 1, 0, 1], [1, 1, 0]]
    both = net.log_likelihood(data, particles=50)
    assert torch.equal(net.select(1).log_likelihood(data, particles=50), both[1:])
    assert torch.equal(net.log_likelihood(net.output.encode(data, dtype=net.dtype), particles=50), both)
    alone = net.log_likelihood(data[:1], particles=50)
    torch.testing.assert_close(alone[:, 0], both[:, 0], rtol=1e-6, atol=0)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"length": 0}, "length = 0; give a whole number, at least 1"),
        ({"length": True}, "length = True"),
        ({"sequences": 0}, "sequences = 0"),
        ({"burn_in": -1}, "burn_in = -1; give a whole number, at least 0"),
        ({"noise": -0.5}, r"noise = -0\.5; give a factor of at least 0"),
        ({"noise": math.nan}, "noise = nan"),
        ({"seed": -1}, "seed = -1"),
        ({"step": 2**31}, "step = 2147483648"),
        ({"repeats": 2}, "repeats = 2 without adaptive vectors; say sequences instead"),
        ({"start": torch.zeros(9)}, r"start has shape \(9,\); needed is \(model, unit\), \(1, 9\), or \(1, 1, 9\)"),
        ({"start": torch.zeros(1, 2, 9)}, r"start has shape \(1, 2, 9\)"),
    ],
)
def test_generation_refuses_numbers_out_of_range(given, told):
    with pytest.raises(ValueError, match=told):
        network().generate(**{"length": 3, **given})


def test_generation_refuses_adaptive_vectors_that_do_not_fit():
    net = network()
    good = vectors(net, 2, 5)
    for given, told in (
        ({"posterior_steps": 6}, "posterior_steps = 6; there are adaptive vectors of 5 steps, and 9 to generate"),
        ({"sequences": 4}, "sequences = 4 beside adaptive vectors of 2; say repeats instead"),
        ({"repeats": 0}, "repeats = 0"),
        ({"adaptive": {"mean": good["mean"]}}, r"adaptive is a mapping of \['mean'\]; give adaptive vectors by name"),
        ({"adaptive": [1]}, "adaptive is a list"),
        ({"adaptive": vectors(network(seed=[1, 2]), 2, 5)}, r"adaptive vectors have shapes \(2, 2, 5, 3\) and"),
        ({"adaptive": {k: v[..., :2] for k, v in good.items()}}, r"needed is \(model, sequence, time, latent\), \(1,"),
        ({"adaptive": good | {"mean": good["mean"][:, :1]}}, r"shapes \(1, 1, 5, 3\) and \(1, 2, 5, 3\)"),
    ):
        with pytest.raises(ValueError, match=told):
            net.generate(9, **{"adaptive": good, **given})
    with pytest.raises(
        ValueError, match="posterior_steps = 4; there are adaptive vectors of 5 steps, and 3 to generate"
    ):
        net.generate(3, adaptive=good, posterior_steps=4)


@pytest.mark.parametrize("given", [{"particles": 0}, {"particles": 1.5}, {"seed": -1}])
def test_the_likelihood_refuses_numbers_out_of_range(given):
    name, value = next(iter(given.items()))
    with pytest.raises(ValueError, match=rf"^{name} = {value}; give a whole number"):
        network().log_likelihood([[0, 1]], **given)
