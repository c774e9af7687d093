"""The compiled free energy of a PV-RNN: finite differences, torch's own gradient in all variants, tiles, padding."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.kernels import pvrnn_update as kernel

LAYERS = {
    1: [nd.Layer(d=5, z=2, tau=2)],
    2: [nd.Layer(d=5, z=2, tau=2), nd.Layer(d=4, z=1, tau=5.5, meta_prior_factor=0.3)],
    3: [nd.Layer(d=3, z=1, tau=1), nd.Layer(d=6, z=3, tau=3), nd.Layer(d=1, z=2, tau=9)],
}
HEADS = {
    "softmax": nd.SoftmaxCoding(dims=2, bins=5),
    "symbols": nd.SymbolCoding(symbols=3),
    "certain symbols": nd.SymbolCoding(symbols=2, smoothing=0),
    "tanh": nd.AnalogCoding(dims=2),
    "linear": nd.AnalogCoding(dims=1, activation="linear"),
}
SWITCHES = {
    "original": {},
    "beta": {"top_down": "current", "bottom_up": False},
    "both, current": {"top_down": "current"},
    "no bottom up": {"bottom_up": False},
    "reduced": {"posterior": "reduced"},
    "unit prior": {"prior": "unit"},
    "unit prior, reduced": {"prior": "unit", "posterior": "reduced"},
    "learned first step": {"first_step_prior": "learned", "first_step_meta_prior": None},
    "by sums": {"output_normalisation": "sum", "latent_normalisation": "sum"},
    "by units and all": {"output_normalisation": "units", "latent_normalisation": "total"},
}


def case(layers=2, head="softmax", switches="original", *, sequences=4, steps=6, missing=True, **options):
    """A network of two models with weights far from 0, sequences of unequal lengths, adaptive vectors and noise.

    Some log sigma are beyond their limits.
    """
    net = nd.PVRNN(LAYERS[layers], output=HEADS[head], **{"meta_prior": [0.3, 0.01], "seed": [1, 2], "dtype": torch.float64, **SWITCHES[switches], **options})  # fmt: skip
    draws = np.random.default_rng(5)
    lengths = [steps] + list(draws.integers(1, steps + 1, sequences - 1))
    if isinstance(net.output, nd.SymbolCoding):
        values = [draws.integers(0, net.output.symbols, n).astype(float) for n in lengths]
    else:
        values = [draws.uniform(-0.9, 0.9, (n, net.output.dims)) for n in lengths]
    if missing:
        for row in values[1:]:
            row[draws.random(row.shape) < 0.3] = np.nan
    encoded = net.output.encode(values, dtype=net.dtype)
    normal = lambda *shape: torch.from_numpy(draws.normal(size=shape)).to(net.dtype)  # noqa: E731
    with torch.no_grad():
        for value in net.parameters():
            value += 0.4 * normal(*value.shape)
    shape = (net.models, sequences, steps, net.latents)
    adaptive = {"mean": normal(*shape), "log_sigma": normal(*shape)}
    adaptive["log_sigma"][normal(*shape) > 1.5] = 20.0
    adaptive["log_sigma"][normal(*shape) > 1.5] = -30.0
    return net, encoded, {k: v.requires_grad_() for k, v in adaptive.items()}, normal(*shape)


def of(net, encoded, adaptive, noise, *, compiled=True):
    """Parts of the free energy, and the gradient of a weighted sum over models, by name."""
    found = (net.free_energy if compiled else net.free_energy_by_steps)(encoded, adaptive, noise)
    wanted = dict(net.named_parameters()) | adaptive
    scale = torch.linspace(1, 2, net.models, dtype=net.dtype)
    grads = torch.autograd.grad((found.loss * scale).sum(), list(wanted.values()), materialize_grads=True)
    return {k: v.detach() for k, v in vars(found).items()}, dict(zip(wanted, grads, strict=True))


def agree(found, expected, tolerance):
    """Numbers by name agree, each within a fraction of the largest magnitude of its array."""
    for name, value in expected.items():
        largest = float(value.abs().max())
        assert float((found[name] - value).abs().max()) <= tolerance * max(largest, 1e-3), name


def compared(made, tolerance=1e-10):
    for found, expected in zip(of(*made), of(*made, compiled=False), strict=True):
        agree(found, expected, tolerance)


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("layers", LAYERS)
def test_it_is_torchs_own_gradient_in_all_variants(layers, switches):
    compared(case(layers, switches=switches))


@pytest.mark.parametrize("head", HEADS)
def test_it_is_torchs_own_gradient_for_all_outputs(head):
    compared(case(2, head))
    compared(case(3, head, "beta", missing=False))


@pytest.mark.parametrize("sequences", [1, 8, 9, 33, 65])
def test_it_is_torchs_own_gradient_for_any_number_of_sequences(sequences):
    compared(case(sequences=sequences))


@pytest.mark.parametrize("head", HEADS)
def test_sequences_of_one_step(head):
    compared(case(head=head, steps=1))
    compared(case(1, head, sequences=1, steps=1))


def test_gradient_is_that_of_finite_differences():
    """U1: every weight and adaptive vector of a small hierarchy, in float64, by both ways of computing."""
    net, encoded, adaptive, noise = case(sequences=2, seed=1, meta_prior=0.3)
    with torch.no_grad():
        adaptive["log_sigma"].clamp_(-2, 2)  # finite differences can't cross a kink
    values, width, differences = [*net.parameters(), *adaptive.values()], 1e-5, []
    loss = lambda: float(net.free_energy(encoded, adaptive, noise).loss.sum())  # noqa: E731
    with torch.no_grad():
        for value in values:
            flat, made = value.view(-1), []
            for k in range(flat.numel()):
                start, sides = float(flat[k]), []
                for side in (-width, width):
                    flat[k] = start + side
                    sides.append(loss())
                flat[k] = start
                made.append((sides[1] - sides[0]) / (2 * width))
            differences.append(torch.tensor(made, dtype=torch.float64).view_as(value))
    for compiled in (True, False):
        _, grads = of(net, encoded, adaptive, noise, compiled=compiled)
        for (name, grad), difference in zip(grads.items(), differences, strict=True):
            floor = 1e-3 * difference.abs().max()
            apart = (grad - difference).abs() / torch.maximum(difference.abs(), floor)
            assert float(apart.max()) < 1e-5, name
            assert float(difference.abs().max()) > 0, name


@pytest.mark.parametrize("sequences", [3, 35])
def test_sequences_add_up(sequences):
    """What is put beside them to fill vectors and tiles carries nothing."""
    net, encoded, adaptive, noise = case(sequences=sequences)
    _, together = of(net, encoded, adaptive, noise)
    whole, summed = net.free_energy(encoded, adaptive, noise).loss.detach(), 0
    grads: dict = {}
    for n in range(sequences):
        one = dataclasses.replace(encoded, targets=encoded.targets[n : n + 1], observed=encoded.observed[n : n + 1], lengths=encoded.lengths[n : n + 1])  # fmt: skip
        alone = {k: v[:, n : n + 1].detach().requires_grad_() for k, v in adaptive.items()}
        parts, grad = of(net, one, alone, noise[:, n : n + 1])
        summed = summed + parts["loss"]
        for name, value in grad.items():
            grads.setdefault(name, []).append(value)
    torch.testing.assert_close(summed, whole, rtol=1e-12, atol=0)
    joined = {k: torch.cat(v, 1) if k in adaptive else sum(v) for k, v in grads.items()}
    agree(together, joined, 1e-12)


def test_steps_beyond_the_end_of_a_sequence_and_missing_values_carry_nothing():
    net, encoded, adaptive, noise = case(sequences=10, steps=9)
    parts, grads = of(net, encoded, adaptive, noise)
    beyond = (encoded.valid == 0)[None, :, :, None].expand(noise.shape)
    assert beyond.any()
    changed = {k: torch.where(beyond, 50.0, v.detach()).requires_grad_() for k, v in adaptive.items()}
    again, other = of(net, encoded, changed, torch.where(beyond, -7.0, noise))
    for name in parts:
        torch.testing.assert_close(again[name], parts[name], rtol=0, atol=0)
    for name in grads:
        torch.testing.assert_close(other[name], grads[name], rtol=0, atol=0)
    assert all((grads[name][beyond] == 0).all() for name in adaptive)
    seen = encoded.observed.sum(2)[None, :, :, None] * torch.ones_like(noise)
    assert all((grads[name][(seen == 0) & ~beyond] != 0).any() for name in adaptive)  # these have a divergence


def test_a_sequence_without_any_observation_is_divergence_alone():
    net, encoded, adaptive, noise = case(sequences=3)
    observed = encoded.observed.clone()
    observed[1] = 0
    compared((net, dataclasses.replace(encoded, observed=observed, targets=encoded.targets * (observed.repeat_interleave(5, 2))), adaptive, noise))  # fmt: skip


@pytest.mark.parametrize("layers", LAYERS)
def test_single_precision_is_right_to_rounding(layers):
    made = case(layers)
    net, encoded, adaptive, noise = made
    single = nd.PVRNN(**{**net.config, "dtype": torch.float32})
    single.load_state_dict({k: v.float() for k, v in net.state_dict().items()})
    short = dataclasses.replace(encoded, targets=encoded.targets.float(), observed=encoded.observed.float())
    halves = {k: v.detach().float().requires_grad_() for k, v in adaptive.items()}
    for found, expected in zip(of(single, short, halves, noise.float()), of(*made), strict=True):
        assert all(v.dtype == torch.float32 for v in found.values())
        agree({k: v.double() for k, v in found.items()}, expected, 2e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_models_and_threads_share_no_bits(dtype):
    net, encoded, adaptive, noise = case(dtype=dtype)
    parts, grads = of(net, encoded, adaptive, noise)
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if threads == 1 else 1)
    try:
        again = of(net, encoded, adaptive, noise)
    finally:
        torch.set_num_threads(threads)
    for k in range(net.models):
        chosen = {name: v[k : k + 1].detach().requires_grad_() for name, v in adaptive.items()}
        alone, found = of(net.select(k), encoded, chosen, noise[k : k + 1])
        for name in parts:
            assert torch.equal(alone[name][0], parts[name][k]) and torch.equal(again[0][name], parts[name]), name
        for name in grads:  # the weighting of models in the sum is 1 and 2
            assert torch.equal(found[name][0] * (k + 1), grads[name][k]) and torch.equal(again[1][name], grads[name])


def test_numbers_that_overflow_are_not_hidden():
    net, encoded, adaptive, noise = case()
    with torch.no_grad():
        adaptive["mean"][1, 0, 2, 0] = torch.nan
    loss = net.free_energy(encoded, adaptive, noise).loss
    assert torch.isfinite(loss[0]) and torch.isnan(loss[1])


def test_large_weights_of_the_output_do_not_overflow():
    made = case(head="certain symbols")
    with torch.no_grad():
        made[0].output_weight.mul_(1e3)
    parts, grads = of(*made)
    assert all(torch.isfinite(v).all() for v in (*parts.values(), *grads.values()))
    compared(made)


def test_tiles_are_full_vectors_of_at_most_thirty_two_sequences():
    for sequences in (1, 8, 9, 32, 33, 64, 65, 100):
        targets = torch.arange(1.0, sequences + 1)[:, None, None].expand(sequences, 3, 2).contiguous()
        made, observed, valid, _ = kernel.tiles(targets, torch.ones(sequences, 3, 1), torch.ones(sequences, 3))
        count, rows, n = made.shape
        lanes = n // 3
        assert rows == 2 and lanes % 8 == 0 and lanes <= 32 and (count - 1) * lanes < sequences <= count * lanes
        for array in (made[:, 0], observed[:, 0] * made[:, 1], valid * made[:, 1]):
            by_step = array.reshape(count, 3, lanes).transpose(1, 0, 2).reshape(3, -1)
            np.testing.assert_array_equal(by_step[:, :sequences], np.arange(1, sequences + 1) * np.ones((3, 1)))
            assert (by_step[:, sequences:] == 0).all()


def test_another_step_is_computed_step_by_step():
    class Slow(nd.PVRNN):
        def step(self, h, noise, **given):
            return super().step(0.5 * h, noise, **given)

    net, encoded, adaptive, noise = case()
    other = Slow(**net.config, dtype=net.dtype)
    other.load_state_dict(net.state_dict())
    found = other.free_energy(encoded, adaptive, noise).loss
    assert torch.equal(found, other.free_energy_by_steps(encoded, adaptive, noise).loss)
    assert not torch.allclose(found, net.free_energy(encoded, adaptive, noise).loss)
