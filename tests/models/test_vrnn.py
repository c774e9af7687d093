"""VRNN: its definition, its gradient, models that don't touch each other, free running, following, likelihood."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import softplus

import neurodyn as nd

CODINGS = {
    "softmax": nd.SoftmaxCoding(dims=2, bins=4),
    "symbols": nd.SymbolCoding(symbols=3),
    "tanh": nd.AnalogCoding(dims=2),
    "linear": nd.AnalogCoding(dims=1, activation="linear"),
}
WAVE = 0.7 * np.sin(np.arange(12)[:, None] / 2 + [0.0, 1.0])


def made(output: Any = CODINGS["softmax"], **options: Any) -> Any:
    return nd.VRNN(output=output, **{"d": 4, "z": 2, "hidden": 5, "dtype": torch.float64, **options})


def data(coding: Any, *lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    if not coding.axis:
        return [rng.integers(0, coding.units, n) for n in lengths]
    return [rng.uniform(-0.8, 0.8, (n, coding.dims)) for n in lengths]


def energy(net: Any, encoded: Any) -> Any:
    count, steps = encoded.targets.shape[:2]
    return net.free_energy(encoded, {}, net.noise("training", count, steps, step=3, key=1))


def holed(coding: Any) -> Any:
    """Two sequences of unequal lengths, one with a missing step and, if there are dimensions, half of another."""
    first, second = (np.asarray(values, dtype=float) for values in data(coding, 6, 4))
    first[2] = math.nan
    if coding.axis:
        first[4, 0] = math.nan
    return [first, second]


# -- what it is ----------------------------------------------------------------------------------------------------


def written_out(net: Any, encoded: Any, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Error, and divergence at the first step and after, from torch's own layers, cell and distributions, of one model."""

    def layer(part: Any) -> nn.Linear:
        found = nn.Linear(part.weight.shape[2], part.weight.shape[1], dtype=torch.float64)
        found.weight.data, found.bias.data = part.weight[0], part.bias[0]
        return found

    def gaussian(head: Tensor) -> Normal:
        mean, sigma = head.chunk(2, -1)
        return Normal(mean, softplus(sigma) + 1e-4)

    cell = nn.GRUCell(2 * net.hidden, net.d, dtype=torch.float64)
    gates = net.gates.weight[0].detach()
    cell.weight_ih.data, cell.weight_hh.data = gates[:, : 2 * net.hidden], gates[:, 2 * net.hidden :]
    cell.bias_ih.data, cell.bias_hh.data = net.gates.bias[0].detach(), torch.zeros(3 * net.d, dtype=torch.float64)
    error = first = later = torch.zeros((), dtype=torch.float64)
    for n, length in enumerate(encoded.lengths.tolist()):
        h = torch.zeros(net.d, dtype=torch.float64)
        for t in range(length):
            x = torch.relu(layer(net.phi_x)(torch.cat([encoded.targets[n, t], encoded.observed[n, t]])))
            prior = gaussian(layer(net.prior_head)(torch.relu(layer(net.prior)(h))))
            q = gaussian(layer(net.posterior_head)(torch.relu(layer(net.posterior)(torch.cat([x, h])))))
            z = torch.relu(layer(net.phi_z)(q.mean + q.stddev * noise[n, t]))
            inputs = layer(net.decoder_head)(torch.relu(layer(net.decoder)(torch.cat([z, h]))))
            error = error + (net.output.loss(inputs, encoded.targets[n, t]) * encoded.observed[n, t]).sum()
            kl = kl_divergence(q, prior).sum()
            first, later = (first, later + kl) if t else (first + kl, later)
            h = cell(torch.cat([x, z])[None], h[None])[0]
    return error, first, later


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_free_energy_is_what_is_written_in_the_docstring(coding):
    net = made(coding, meta_prior=0.3)
    encoded = net.output.encode(holed(coding), dtype=torch.float64)
    found = energy(net, encoded)
    error, first, later = written_out(net, encoded, net.noise("training", 2, 6, step=3, key=1)[0])
    close: Any = {"rtol": 1e-10, "atol": 1e-12}
    torch.testing.assert_close(found.loss, (error + 0.3 * (first + later))[None], **close)
    torch.testing.assert_close(found.reconstruction, (error / encoded.observed.sum())[None], **close)
    torch.testing.assert_close(found.divergence, (later / 8)[None, None], **close)
    torch.testing.assert_close(found.first_divergence, (first / 2)[None, None], **close)


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_gradient_is_that_of_central_differences(coding):
    net = made(coding, meta_prior=[0.5, 2.0])
    with torch.no_grad():
        for name, p in net.named_parameters():  # away from the corners of the rectifiers
            p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(len(name)), dtype=p.dtype))
    encoded = net.output.encode(holed(coding), dtype=torch.float64)
    energy(net, encoded).loss.sum().backward()
    for name, p in net.named_parameters():
        flat = p.data.view(-1)
        for at in range(0, len(flat), max(1, len(flat) // 7)):
            values = []
            for shift in (1e-6, -2e-6):
                flat[at] += shift
                values.append(float(energy(net, encoded).loss.detach().sum()))
            flat[at] += 1e-6
            assert p.grad.view(-1)[at] == pytest.approx((values[0] - values[1]) / 2e-6, rel=1e-5, abs=1e-7), name


def test_standard_deviations_begin_at_about_one():
    net = made(seed=[1, 2])
    for head in (net.prior_head, net.posterior_head):
        torch.testing.assert_close(softplus(head.bias[:, 2:]), torch.full((2, 2), 1.0375, dtype=torch.float64), rtol=1e-3, atol=0)  # fmt: skip
        assert not head.bias[:, :2].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_model_of_many_computes_what_it_does_alone(dtype):
    """Products of several matrices at once may add in another order."""
    close: Any = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 1e-12, "atol": 1e-13}
    many = made(seed=[4, 5, 4], meta_prior=[1.0, 0.1, 0.3], dtype=dtype)
    encoded = many.output.encode([WAVE, WAVE[:7]], dtype=dtype)
    found = energy(many, encoded)
    found.loss.sum().backward()
    free, predicted = many.generate(6, sequences=2), many.predict(encoded, horizon=2, samples=2)
    for k, (seed, w) in enumerate(zip(many.seed, many.meta_prior, strict=True)):
        alone = made(seed=seed, meta_prior=w, dtype=dtype)
        assert alone.config == many.select(k).config
        assert all(torch.equal(a, b) for a, b in zip(alone.parameters(), many.select(k).parameters(), strict=True))
        energy(alone, encoded).loss.sum().backward()
        for (name, p), q in zip(many.named_parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(p.grad[k], q.grad[0], msg=name, **close)
        torch.testing.assert_close(free.values[k], alone.generate(6, sequences=2).values[0], **close)
        np.testing.assert_allclose(predicted[k], alone.predict(encoded, horizon=2, samples=2)[0], **{"rtol": close["rtol"], "atol": 1e-6})  # fmt: skip
        torch.testing.assert_close(many.log_likelihood(encoded, particles=5)[k], alone.log_likelihood(encoded, particles=5)[0], **close)  # fmt: skip


# -- sequences of unequal length, and what is missing --------------------------------------------------------------


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_what_is_missing_does_not_count(coding):
    net = made(coding)
    holes = holed(coding)
    filled = [holes[0].copy(), holes[1]]
    filled[0][2] = data(coding, 6)[0][0]
    found, other = (energy(net, net.output.encode(each, dtype=torch.float64)) for each in (holes, filled))
    assert found.loss.isfinite().all() and found.loss != other.loss
    longer = [*holes, np.asarray(data(coding, 9)[0], dtype=float)]  # nor does padding
    noise = net.noise("training", 3, 9, step=3, key=1)
    parts = [
        net.free_energy(net.output.encode([each], dtype=torch.float64), {}, noise[:, n : n + 1, : len(each)]).loss
        for n, each in enumerate(longer)
    ]
    together = net.free_energy(net.output.encode(longer, dtype=torch.float64), {}, noise).loss
    torch.testing.assert_close(together, torch.stack(parts).sum(0), rtol=1e-10, atol=0)


def test_one_step_is_a_sequence():
    net = made()
    found = energy(net, net.output.encode([WAVE[:1]], dtype=torch.float64))
    assert found.divergence.item() == 0 and found.first_divergence.item() > 0 and found.loss.isfinite()
    assert np.isnan(net.predict([WAVE[:1]], horizon=2)).all()


# -- learning ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_learns_a_cycle_and_runs_on():
    """Free running from what was followed it goes on with the cycle, and is sure of it."""
    cycle = np.array([0, 1, 2, 1] * 5)
    net = nd.VRNN(output=nd.SymbolCoding(symbols=3, smoothing=0.0), d=8, z=1, hidden=16, seed=[1, 2])
    nd.fit(net, [cycle, cycle[1:]], updates=150, test_every=150, learning_rate=0.02, progress=False)
    runs_on = net.generate(12, start=net.filter([cycle]).h[:, :, -1]).values
    assert runs_on.tolist() == [[[0, 1, 2, 1] * 3]] * 2
    assert (net.log_likelihood([cycle], particles=20) > -1.5).all()  # ln 2 of it for where the cycle begins
    ahead = net.predict([cycle], horizon=3)
    for t, h in itertools.product(range(2, 17), range(3)):
        assert (ahead[:, 0, t, h] == cycle[t + h + 1]).all()


# -- running freely ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_longer_runs_and_more_sequences_begin_with_the_others(coding):
    net = made(coding, seed=[1, 2])
    run, small = net.generate(9, sequences=3), net.generate(5, sequences=2)
    for name in ("values", "outputs", "d", "h", "z", "prior_mean", "prior_sigma"):
        torch.testing.assert_close(getattr(run, name)[:, :2, :5], getattr(small, name))
    assert run.values.shape == (2, 3, 9) + ((coding.dims,) if coding.axis else ())
    assert run.outputs.shape == (2, 3, 9, coding.units) and run.z.shape == (2, 3, 9, 2)
    assert run.posterior_mean.isnan().all() and run.posterior_sigma.isnan().all()
    later = net.generate(4, sequences=3, burn_in=5)
    assert torch.equal(later.values, run.values[:, :, 5:]) and torch.equal(later.h, run.h[:, :, 5:])
    assert not torch.equal(net.generate(9, sequences=3, step=1).values, run.values)
    assert not torch.equal(net.generate(9, sequences=3, seed=2).values, run.values)
    torch.testing.assert_close(run.z, run.prior_mean + run.prior_sigma * torch.stack(
        [net.noise_at("generated", 3, step=0, time=t, key=1) for t in range(9)], 2))  # fmt: skip


def test_without_noise_all_sequences_are_one():
    for coding in CODINGS.values():
        run = made(coding).generate(6, sequences=3, noise=0.0)
        assert torch.equal(run.z, run.prior_mean) and torch.equal(run.values[:, :1].expand_as(run.values), run.values)


def test_symbols_are_drawn_from_the_softmax():
    net = made(CODINGS["symbols"], seed=3)
    with torch.no_grad():
        net.decoder_head.weight.zero_()
        net.decoder_head.bias.copy_(torch.tensor([[0.7, 0.2, 0.1]]).log())
    symbols = net.generate(20, sequences=200).values
    share = torch.bincount(symbols.flatten(), minlength=3) / 4000
    assert (share - torch.tensor([0.7, 0.2, 0.1])).abs().max() < 4.5 * math.sqrt(0.21 / 4000)  # false alarm: 1e-5
    assert not net.generate(20, noise=0.0).values.any()


def test_a_run_goes_on_from_a_state():
    net = made(seed=[1, 2])
    followed = net.filter([WAVE, WAVE[::-1]])
    run = net.generate(3, sequences=2, start=followed.h[:, :, -1])
    each = [net.generate(3, start=followed.h[:, n, -1], sequences=1) for n in range(2)]
    torch.testing.assert_close(run.values[:, :1], each[0].values)
    assert not torch.allclose(run.values[:, 1:], each[1].values)  # other draws
    for start in (followed.h[:1, :, -1], followed.h[:, :, -1, :2]):
        with pytest.raises(ValueError, match=r"start has shape .*; needed is \(model, unit\), \(2, 4\)"):
            net.generate(3, sequences=2, start=start)


# -- following -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_what_is_followed_does_not_know_the_future(coding):
    net = made(coding, seed=[1, 2])
    sequences = [np.asarray(each, dtype=float) for each in data(coding, 8, 8)]
    whole, cut = net.filter(sequences, samples=2), net.filter([each[:5] for each in sequences], samples=2)
    for name in ("values", "outputs", "h", "z", "prior_mean", "prior_sigma", "posterior_mean", "posterior_sigma"):
        torch.testing.assert_close(getattr(whole, name)[:, :, :5], getattr(cut, name), rtol=1e-9, atol=1e-9)
    predicted = net.predict(sequences, horizon=3, samples=2)
    np.testing.assert_allclose(predicted[:, :, :2], net.predict([each[:5] for each in sequences], horizon=3, samples=2)[:, :, :2])  # fmt: skip
    assert net.predict(sequences, horizon=1, samples=3).shape == predicted[:, :, :, :1].shape
    np.testing.assert_allclose(
        whole.values[:, :2], net.filter(sequences, samples=1).values, rtol=1e-9, err_msg="more draws begin with fewer"
    )


def test_predictions_are_means_of_runs_from_what_was_followed():
    """With the draws of the filter, the rest of each prediction is a run without noise from its state."""
    net = made()
    sequences = [WAVE, WAVE[3:10]]
    found = net.predict(sequences, horizon=4, samples=3, noise=0.0)
    states = net.filter(sequences, noise=0.0).h
    assert found.shape == (1, 2, 12, 4, 2)
    for n, t in ((0, 0), (0, 5), (1, 2)):
        ran = net.generate(4, start=states[:, n, t], noise=0.0).values[0, 0]
        known = min(4, len(sequences[n]) - t - 1)
        np.testing.assert_allclose(found[0, n, t, :known], ran[:known], rtol=1e-9)
        assert np.isnan(found[0, n, t, known:]).all()
    assert (np.isnan(found[0, :, :, :, 0]).sum((1, 2)) == [1 + 2 + 3 + 4, 4 * 5 + 10]).all()


def test_predicted_symbols_are_the_most_probable():
    net = made(CODINGS["symbols"])
    with torch.no_grad():
        net.decoder_head.weight.zero_()
        net.decoder_head.bias.copy_(torch.tensor([[0.3, 0.45, 0.25]]).log())
    found = net.predict([[0, 1, 2, 0], [1, 1]], horizon=2, samples=1)
    assert found.tolist() == [[[[1, 1], [1, 1], [1, -1], [-1, -1]], [[1, -1]] + [[-1, -1]] * 3]]
    assert np.issubdtype(found.dtype, np.integer)


# -- likelihood ----------------------------------------------------------------------------------------------------


def test_probabilities_of_all_sequences_sum_to_one():
    """Whatever the posterior, which here is far from the prior."""
    net = made(nd.SymbolCoding(symbols=2), seed=2, z=1)
    with torch.no_grad():
        net.posterior_head.bias[:, 0] += 0.5
        net.decoder_head.weight.mul_(3)
    every = list(itertools.product(range(2), repeat=3))
    found = net.log_likelihood(every, particles=4000, seed=3)
    assert float(found.exp().sum()) == pytest.approx(1, abs=0.02)
    prior = _bootstrap(net, every, 4000)
    torch.testing.assert_close(found[0], prior, rtol=0, atol=0.05)


def _bootstrap(net: Any, sequences: Any, particles: int) -> Tensor:
    """Log-likelihoods by z from the prior, without any resampling: sums over whole paths."""
    encoded = net.output.encode(sequences, dtype=torch.float64)
    made = torch.Generator().manual_seed(1)
    h, total = torch.zeros(1, len(encoded.lengths) * particles, net.d, dtype=torch.float64), torch.zeros(())
    with torch.no_grad():
        for t in range(encoded.targets.shape[1]):
            x, seen = (each[:, t].repeat_interleave(particles, 0) for each in (encoded.targets, encoded.observed))
            prior = net.prior_head(torch.relu(net.prior(h)))
            z = prior[..., : net.z] + (softplus(prior[..., net.z :]) + 1e-4) * torch.randn(
                (*h.shape[:2], net.z), generator=made, dtype=torch.float64
            )
            embedded = torch.relu(net.phi_z(z))
            inputs = net.decoder_head(torch.relu(net.decoder(torch.cat([embedded, h], -1))))
            total = total + net.output.log_likelihood(inputs, x[None]).sum(-1)
            cell = nn.GRUCell(2 * net.hidden, net.d, dtype=torch.float64)
            gates = net.gates.weight[0]
            cell.weight_ih.data, cell.weight_hh.data = gates[:, : 2 * net.hidden], gates[:, 2 * net.hidden :]
            cell.bias_ih.data, cell.bias_hh.data = net.gates.bias[0], torch.zeros(3 * net.d, dtype=torch.float64)
            came = torch.relu(net.phi_x(torch.cat([x, seen], -1)[None]))
            h = cell(torch.cat([came, embedded], -1)[0], h[0])[None]
    return total[0].unflatten(0, (-1, particles)).logsumexp(1) - math.log(particles)


def test_the_bound_rises_with_the_particles_and_ends_with_the_sequence():
    net = made(seed=[1, 2])
    few, some, many = (net.log_likelihood([WAVE, WAVE[:6]], particles=n).sum() for n in (1, 10, 500))
    assert few < some < many
    alone = net.log_likelihood([WAVE[:6]], particles=2000)
    torch.testing.assert_close(net.log_likelihood([WAVE[:6], WAVE], particles=2000)[:, :1], alone, rtol=0, atol=0.02)


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"d": 0}, "d = 0; give a whole number, at least 1"),
        ({"hidden": 2.0}, "hidden = 2.0; give a whole number"),
        ({"meta_prior": 0.0}, "meta_prior = 0.0; give a number above 0"),
        ({"meta_prior": [1.0, 2.0], "seed": [1, 2, 3]}, "meta_prior has 2 numbers, seed 3"),
        ({"seed": -1}, "seed = -1; give a whole number from 0"),
    ],
)
def test_sizes_and_numbers_that_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        made(**options)


def test_calls_that_are_refused():
    net = made()
    for call, message in (
        (lambda: net.generate(0), "length = 0; give a whole number, at least 1"),
        (lambda: net.generate(3, noise=-1.0), "noise = -1.0; give a factor of at least 0"),
        (lambda: net.filter([WAVE], samples=0), "samples = 0"),
        (lambda: net.predict([WAVE], horizon=0), "horizon = 0"),
        (lambda: net.predict([WAVE], seed=1.5), "seed = 1.5"),
        (lambda: net.log_likelihood([WAVE], particles=0), "particles = 0"),
        (lambda: net.predict([2 * WAVE]), "sequence 0, step .*outside the range of the coding"),
        (lambda: net.filter(WAVE), r"sequences has shape \(12, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(TypeError, match="give a coding"):
        made("softmax")
