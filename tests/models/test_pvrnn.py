"""PV-RNN: its step, divergence and limits, models beside each other, and what is refused."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.models.pvrnn_layer import Step, divergence

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


# -- a step ----------------------------------------------------------------------------------------------------------


def test_a_step_is_what_the_equations_say():
    net = network()
    draws = torch.Generator().manual_seed(1)
    h, eps = (torch.randn(size, generator=draws, dtype=torch.float64) for size in (9, 3))
    taken = net.step(h[None, None], eps[None, None])
    d = [h[:5].tanh(), h[5:].tanh()]
    with torch.no_grad():
        for k, (layer, at, of) in enumerate(zip(LAYERS, net.of_d, net.of_z, strict=True)):
            w = {name: value[0] for name, value in net.stack[k].named_parameters()}
            mean = (w["prior_weight"][0] @ d[k] + w["prior_bias"][0]).tanh()
            sigma = (w["prior_weight"][1] @ d[k] + w["prior_bias"][1]).exp()
            z = mean + sigma * eps[of]
            u = w["recurrent"] @ d[k] + w["latent"] @ z + w["bias"]
            u += w["top_down"] @ d[1] if k == 0 else w["bottom_up"] @ d[0]
            expected = (1 - 1 / layer.tau) * h[at] + u / layer.tau
            torch.testing.assert_close(taken.h[0, 0, at], expected)
            torch.testing.assert_close(taken.z[0, 0, of], z)
    assert taken.posterior_mean is None and taken.posterior_log_sigma is None


def test_with_tau_1_it_is_a_plain_tanh_network():
    """U5: one layer is torch.nn.RNN, driven by z."""
    net = network([nd.Layer(d=6, z=2, tau=1)])
    run = net.generate(30, sequences=4)
    plain = torch.nn.RNN(2, 6, batch_first=True, dtype=torch.float64)
    weights = net.stack[0]
    state = {"weight_ih_l0": weights.latent, "weight_hh_l0": weights.recurrent, "bias_ih_l0": weights.bias}
    plain.load_state_dict({k: v[0] for k, v in state.items()} | {"bias_hh_l0": torch.zeros(6)})
    torch.testing.assert_close(run.d[0], plain(run.z[0])[0].detach(), rtol=1e-12, atol=1e-12)


def test_top_down_current_sees_the_layer_above_as_it_is_now():
    taken = {}
    for top_down in ("previous", "current"):
        net = network(top_down=top_down)
        eps = torch.zeros(1, 1, 3, dtype=torch.float64)
        h = torch.full((1, 1, 9), 0.5, dtype=torch.float64)
        taken[top_down] = (net.step(h, eps).h, net.step(h, eps + torch.tensor([0, 0, 1.0])).h)
    for top_down, (without, noisy) in taken.items():
        assert not torch.equal(without[..., 5:], noisy[..., 5:])  # noise of the upper layer moves the upper layer
        assert torch.equal(without[..., :5], noisy[..., :5]) == (top_down == "previous")  # and the lower one, at once


def test_log_sigma_is_cut_off():
    net = network(posterior="reduced")
    a = torch.tensor([0.0, -40.0, 40.0], dtype=torch.float64)[None, None]
    taken = net.step(
        torch.zeros(1, 1, 9, dtype=torch.float64), torch.ones(1, 1, 3, dtype=torch.float64), adaptive=(0 * a, a)
    )
    assert taken.posterior_log_sigma is not None and taken.posterior_log_sigma[0, 0].tolist() == [0, -12, 4]
    assert taken.z[0, 0].tolist() == pytest.approx([1, math.exp(-12), math.exp(4)])


def test_prior_of_the_first_step():
    run = network().generate(3)
    assert (run.prior_mean[0, 0, 0] == 0).all() and (run.prior_sigma[0, 0, 0] == 1).all()
    assert (run.prior_mean[0, 0, 1] != 0).all() and (run.prior_sigma[0, 0, 1] != 1).all()
    learned = network(first_step_prior="learned")
    run = learned.generate(3)
    bias = [learned.get_parameter(f"stack.{k}.prior_bias")[0].detach() for k in (0, 1)]
    torch.testing.assert_close(run.prior_mean[0, 0, 0], torch.cat([b[0] for b in bias]).tanh())
    torch.testing.assert_close(run.prior_sigma[0, 0, 0], torch.cat([b[1] for b in bias]).exp())
    unit = network(prior="unit").generate(3)
    assert (unit.prior_mean == 0).all() and (unit.prior_sigma == 1).all()


# -- divergence and free energy --------------------------------------------------------------------------------------


def gaussians(*numbers):
    """A step with prior and posterior mean and sigma, one latent."""
    prior_mean, prior_sigma, mean, sigma = (torch.tensor([[[float(x)]]], dtype=torch.float64) for x in numbers)
    return Step(mean, mean, prior_mean, prior_sigma.log(), mean, sigma.log())


def test_divergence_is_that_of_gaussians():
    """U2: never negative, 0 where they are the same, and what a sample says."""
    grid = itertools.product((-0.9, 0.0, 0.5), (0.02, 1.0, 3.0), (-0.5, 0.5), (0.1, 1.0, 2.0))
    for numbers in grid:
        prior, q = (torch.distributions.Normal(torch.tensor(m), torch.tensor(s)) for m, s in (numbers[:2], numbers[2:]))
        found = float(divergence(gaussians(*numbers)))
        assert found >= 0 and found == pytest.approx(float(torch.distributions.kl_divergence(q, prior)), rel=1e-5)
        z = q.mean + q.stddev * torch.randn(400_000, generator=torch.Generator().manual_seed(1))
        assert float((q.log_prob(z) - prior.log_prob(z)).mean()) == pytest.approx(found, rel=0.01, abs=0.005)
    for mean, sigma in ((0.0, 1.0), (-0.7, 0.01), (0.3, 50.0)):
        assert abs(float(divergence(gaussians(mean, sigma, mean, sigma)))) < 1e-12


def test_divergence_is_0_where_posterior_and_prior_are_alike():
    net = network(first_step_prior="learned", meta_prior=[0.1, 10.0])
    with torch.no_grad():
        for k, part in itertools.product((0, 1), ("weight", "bias")):
            net.get_parameter(f"stack.{k}.posterior_{part}").copy_(net.get_parameter(f"stack.{k}.prior_{part}"))
    encoded = net.output.encode([[0, 1, 1, 0]] * 3, dtype=net.dtype)
    noise = net.noise("n", 3, 4, step=0, key=1)
    found = net.free_energy(encoded, {k: 0 * v for k, v in vectors(net, 3, 4).items()}, noise)
    assert (
        float(found.divergence.detach().abs().max()) < 1e-13
        and float(found.first_divergence.detach().abs().max()) < 1e-13
    )
    torch.testing.assert_close(found.loss[0], found.loss[1])  # so that the meta-prior doesn't matter
    other = net.free_energy(encoded, vectors(net, 3, 4), noise)
    assert (other.divergence > 0).all() and (other.first_divergence > 0).all()


def test_parts_of_the_free_energy_add_up():
    """Two sequences of 5 and 3 steps, 2 dimensions, 2 and 1 latents."""
    layers = [LAYERS[0], nd.Layer(d=4, z=1, tau=6, meta_prior_factor=0.5)]
    output = nd.SoftmaxCoding(dims=2, bins=4)
    data = [np.random.default_rng(1).uniform(-0.8, 0.8, (n, 2)) for n in (5, 3)]
    data[0][1, 0] = np.nan
    for x_norm, z_norm, first in itertools.product(("dims", "units", "sum"), ("layer", "total", "sum"), (0.02, None)):
        net = network(
            layers, output, meta_prior=0.3, output_normalisation=x_norm, latent_normalisation=z_norm,
            first_step_meta_prior=first,
        )  # fmt: skip
        adaptive, noise = vectors(net, 2, 5), net.noise("n", 2, 5, step=0, key=1)
        encoded = output.encode(data, dtype=net.dtype)
        found = net.free_energy(encoded, adaptive, noise)
        n_x = {"dims": 2, "units": 8, "sum": 1}[x_norm]
        n_z = {"layer": (2, 1), "total": (3, 3), "sum": (1, 1)}[z_norm]
        expected = found.reconstruction * (2 * 8 - 1) / n_x  # 8 steps, one value missing
        for layer, factor in enumerate((1, 0.5)):
            later, at_first = found.divergence[:, layer] * 6, found.first_divergence[:, layer] * 2
            expected = expected + factor * (0.3 * later + (0.3 if first is None else first) * at_first) / n_z[layer]
        torch.testing.assert_close(found.loss, expected)


def test_a_tiny_meta_prior_leaves_the_error_alone():
    """U5: the gradient of the divergence vanishes with w."""
    gradients = []
    for w in (1e-6, 1e-30):
        net = network(meta_prior=w, first_step_meta_prior=None)
        encoded = net.output.encode([[0, 1, 1, 0, 1]] * 2, dtype=net.dtype)
        adaptive = {k: v.requires_grad_() for k, v in vectors(net, 2, 5).items()}
        noise = net.noise("n", 2, 5, step=0, key=1)
        h, total = torch.zeros(1, 2, 9, dtype=torch.float64), 0.0
        for t in range(5):
            a = (adaptive["mean"][:, :, t], adaptive["log_sigma"][:, :, t])
            h = net.step(h, noise[:, :, t], adaptive=a, first=t == 0).h
            total = total + net.output.loss(net.read(h), encoded.targets[:, t]).sum()
        assert isinstance(total, torch.Tensor)
        error = torch.autograd.grad(total, list(adaptive.values()))
        found = torch.autograd.grad(net.free_energy(encoded, adaptive, noise).loss.sum(), list(adaptive.values()))
        gradients += [(a - b).abs().max() / b.abs().max() for a, b in zip(found, error, strict=True)]
    assert 1e-8 < max(gradients[:2]) < 1e-2 and max(gradients[2:]) < 1e-14


def test_other_shapes_and_types_never_reach_compiled_code():
    net = network()
    encoded, adaptive, noise = net.output.encode([[0, 1, 1]] * 2, dtype=net.dtype), vectors(net, 2, 3), torch.zeros(1, 2, 3, 3, dtype=net.dtype)  # fmt: skip
    net.free_energy(encoded, adaptive, noise)
    for other in (vectors(net, 2, 4), vectors(net, 3, 3), {k: v.repeat(2, 1, 1, 1) for k, v in adaptive.items()}):
        with pytest.raises(ValueError, match=r"^mean has shape \(.*needed is \(1, 2, 3, 3\)"):
            net.free_energy(encoded, other, noise)
    with pytest.raises(ValueError, match=r"^noise has shape \(1, 2, 2, 3\)"):
        net.free_energy(encoded, adaptive, noise[:, :, :2])
    with pytest.raises(ValueError, match=r"noise has shape .* it is torch\.float32"):
        net.free_energy(encoded, adaptive, noise.float())
    with pytest.raises(ValueError, match=r"targets torch\.float32; needed is torch\.float64"):
        net.free_energy(net.output.encode([[0, 1, 1]] * 2, dtype=torch.float32), adaptive, noise)


# -- many models -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("output", [nd.SoftmaxCoding(dims=2), nd.AnalogCoding(), nd.SymbolCoding(symbols=2)])
@pytest.mark.parametrize("layers", [LAYERS, [nd.Layer(d=1, z=1, tau=2), nd.Layer(d=3, z=1, tau=2), nd.Layer(d=1, z=2, tau=3)]])  # fmt: skip
def test_a_model_of_many_has_the_bits_that_it_has_alone(dtype, output, layers):
    net = network(layers, output, seed=[5, 1, 5, 8], meta_prior=[0.1, 0.2, 0.3, 0.4], dtype=dtype)
    for sequences in (1, 40):
        run = net.generate(20, sequences=sequences)
        for k in range(4):
            assert not differ(net.select(k).generate(20, sequences=sequences), run, slice(k, k + 1))
        assert not differ(net.select([3, 1]).generate(20, sequences=sequences), run, [3, 1])
    made = nd.PVRNN(layers, output=output, seed=8, dtype=dtype)  # drawn alone
    of = nd.PVRNN(layers, output=output, seed=[5, 8], dtype=dtype)
    assert all(torch.equal(v[1:], w) for v, w in zip(of.parameters(), made.parameters(), strict=True))


def test_selected_models_keep_their_numbers_and_configuration():
    net = network(seed=[5, 6, 7], meta_prior=[0.1, 0.2, 0.3], top_down="current", prior="unit", dtype=torch.float32)
    chosen = net.select([-1, 0])
    assert (
        chosen.seed == (7, 5) and chosen.meta_prior == (0.3, 0.1) and chosen.models == 2 and chosen.dtype == net.dtype
    )
    assert {**net.config, "seed": [7, 5], "meta_prior": [0.3, 0.1]} == chosen.config
    select: Any = net.select
    assert select(np.int64(1)).seed == select(np.array([1])).seed == (6,)
    with torch.no_grad():
        chosen.output_weight.zero_()
    assert (net.output_weight != 0).any()
    for wrong in (3, -4, [], [0, 3], 0.5, "a"):
        with pytest.raises(ValueError, match="models 0 to 2"):
            select(wrong)


def test_it_comes_back_from_its_configuration():
    net = network(output=nd.SoftmaxCoding(dims=2), posterior="reduced", first_step_meta_prior=None, seed=[1, 2])
    again = nd.PVRNN(**net.config, dtype=net.dtype)
    assert again.config == net.config and again.layers == net.layers and again.output == net.output


def test_start_weights():
    net = nd.PVRNN([nd.Layer(d=60, z=20, tau=2)], output=nd.SymbolCoding(symbols=40), seed=[1, 2])
    for name, value in net.named_parameters():
        if "bias" in name:
            assert (value == 0).all()
        else:
            rows, columns = value.shape[-2:]
            assert float(value.detach().std()) == pytest.approx(math.sqrt(2 / (rows + columns)), rel=0.1), name
            assert not torch.equal(value[0], value[1])
    assert all((v == 0).all() and v.shape == (2, 3, 4, 20) for v in net.adaptive(3, 4).values())


def test_meta_priors_and_seeds_are_one_for_all_or_one_for_each():
    make = lambda **given: nd.PVRNN(LAYERS, output=nd.AnalogCoding(), **given)  # noqa: E731
    assert make(meta_prior=np.logspace(-3, 0, 4)).seed == (1,) * 4
    assert make(seed=np.arange(3), meta_prior=0.1).meta_prior == (0.1,) * 3
    assert make(seed=np.int64(7)).seed == (7,)
    with pytest.raises(ValueError, match="meta_prior has 2 numbers, seed 3; give one for all models, or one for each"):
        make(meta_prior=[0.1, 0.2], seed=[1, 2, 3])


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"layers": []}, "layers is empty; give at least one"),
        ({"meta_prior": 0}, r"meta_prior = 0\.0; give a number above 0"),
        ({"meta_prior": [0.1, -1]}, r"meta_prior = -1\.0"),
        ({"meta_prior": [0.1, math.nan]}, "meta_prior = nan"),
        ({"meta_prior": []}, "meta_prior is empty"),
        ({"meta_prior": "x"}, "meta_prior = 'x'"),
        ({"meta_prior": [[0.1, 0.2]]}, r"meta_prior = \[\[0\.1, 0\.2\]\]"),
        ({"first_step_meta_prior": 0}, r"first_step_meta_prior = 0\.0"),
        ({"first_step_meta_prior": [0.1, 0.2]}, "first_step_meta_prior = "),
        ({"seed": 1.5}, r"seed = 1\.5; give a whole number"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": []}, "seed 0; give one for all"),
        ({"top_down": "now"}, "top_down = 'now'; allowed are 'previous', 'current'"),
        ({"posterior": "fall"}, "posterior = 'fall'; did you mean 'full'"),
        ({"prior": "unti"}, "prior = 'unti'; did you mean 'unit'"),
        ({"first_step_prior": 1}, "first_step_prior = 1; allowed are"),
        ({"output_normalisation": "dim"}, "did you mean 'dims'"),
        ({"latent_normalisation": "layers"}, "did you mean 'layer'"),
    ],
)
def test_numbers_and_names_out_of_range_are_refused(given, told):
    with pytest.raises(ValueError, match=told):
        nd.PVRNN(**{"layers": LAYERS, "output": nd.AnalogCoding(), **given})


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"d": 0}, "d = 0 of a layer"),
        ({"z": 1.0}, r"z = 1\.0 of a layer"),
        ({"tau": 0.5}, r"tau = 0\.5 of a layer; give a number of steps, at least 1"),
        ({"tau": math.nan}, "tau = nan"),
        ({"meta_prior_factor": 0}, "meta_prior_factor = 0 of a layer"),
    ],
)
def test_layers_out_of_range_are_refused(given, told):
    with pytest.raises(ValueError, match=told):
        nd.Layer(**{"d": 3, "z": 1, "tau": 2, **given})


def test_other_things_than_layers_are_refused():
    with pytest.raises(TypeError, match=r"layers holds 3; give layers, such as nd\.Layer"):
        nd.PVRNN([3], output=nd.AnalogCoding())  # type: ignore[list-item]
    with pytest.raises(TypeError, match="output = None; give a coding"):
        nd.PVRNN(LAYERS, output=None)  # type: ignore[arg-type]
