"""The compiled error regression against autograd and Adam of torch on the step of the module, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.kernels.pvrnn_regression import ahead, posterior_as_prior, prior_driven, regress, toward_prior
from neurodyn.kernels.pvrnn_update import structure_of
from neurodyn.models.pvrnn_layer import divergence

MODELS, SEQUENCES, LANES, STEPS, ITERATIONS = 2, 3, 8, 5, 4
TWO = [nd.Layer(d=5, z=2, tau=2), nd.Layer(d=3, z=1, tau=4, meta_prior_factor=0.5)]
CODE = nd.SoftmaxCoding(dims=2, bins=3)
NETS = {
    "original": {"output": CODE},
    "beta": {"output": CODE, "top_down": "current", "bottom_up": False},
    "reduced": {"output": CODE, "posterior": "reduced", "first_step_prior": "learned"},
    "unit prior": {"output": CODE, "prior": "unit", "first_step_meta_prior": None},
    "reduced, unit prior": {"output": CODE, "posterior": "reduced", "prior": "unit"},
    "normalised otherwise": {"output": CODE, "output_normalisation": "units", "latent_normalisation": "total"},
    "symbols": {"output": nd.SymbolCoding(symbols=3)},
    "tanh": {"output": nd.AnalogCoding(dims=2)},
    "linear": {"output": nd.AnalogCoding(dims=1, activation="linear")},
    "three layers": {"output": CODE, "layers": [*TWO, nd.Layer(d=1, z=1, tau=9)], "top_down": "current"},
}


@pytest.fixture(params=NETS)
def net(request):
    """Networks whose parameters are all in play."""
    options = {"layers": TWO, "meta_prior": [0.3, 0.02], "seed": [1, 2], "dtype": torch.float64} | NETS[request.param]
    made = nd.PVRNN(**options).requires_grad_(False)
    for value in made.parameters():
        value += 0.2 * torch.randn(value.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return made


def normals(*shape: int, seed: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def flat(net: nd.PVRNN) -> np.ndarray:
    return torch.cat([value.flatten(1) for value in net.parameters()], 1).numpy()


def rows(values: torch.Tensor) -> np.ndarray:
    """(model, sequence, step, row) as (model, row, step * lane)."""
    made = torch.zeros(values.shape[0], LANES, *values.shape[2:], dtype=torch.float64)
    made[:, : values.shape[1]] = values
    return made.permute(0, 3, 2, 1).reshape(values.shape[0], values.shape[3], -1).contiguous().numpy()


def back(found: np.ndarray, rows: int) -> torch.Tensor:
    """The way back from rows."""
    return torch.from_numpy(found).reshape(MODELS, rows, -1, LANES).permute(0, 3, 2, 1)[:, :SEQUENCES]


def observations(net: nd.PVRNN, *, masked: bool) -> nd.models.codings.Encoded:
    """Sequences, with missing values and one that is over after three steps if ``masked``."""
    drawn = normals(SEQUENCES, STEPS, net.output.dims, seed=4).numpy()
    values = np.floor(drawn % 3) if isinstance(net.output, nd.SymbolCoding) else np.tanh(drawn)
    if masked:
        values[0, 1:3], values[1, 4, 0] = np.nan, np.nan
    listed = [v[:, 0] if not net.output.axis else v for v in values]
    return net.output.encode([*listed[:2], listed[2][: 3 if masked else STEPS]], dtype=torch.float64)


def by_torch(net, encoded, a, start, first, noise, optimizer):
    """Return the last loss, the inner states at the mean of the posterior, and what is read there; ``a`` follow."""
    per_x, w, w_first = net.weights_of_loss
    loss = torch.zeros(MODELS, dtype=torch.float64)

    def through(eps):
        h = start
        for t in range(STEPS):
            step = net.step(h, eps[:, :, t], adaptive=(a[0][:, :, t], a[1][:, :, t]), first=first and t == 0)
            yield step
            h = step.h

    for k in range(ITERATIONS):
        loss = torch.zeros(MODELS, dtype=torch.float64)
        for t, step in enumerate(through(noise[:, :, k])):
            error = net.output.loss(net.read(step.h), encoded.targets[:, t]) * encoded.observed[:, t]
            kl = (divergence(step) * encoded.valid[:, t, None]).sum(1)
            weight = w_first if first and t == 0 else w
            loss = loss + per_x * error.sum((1, 2))
            loss = loss + sum(weight[:, j] * kl[:, at].sum(1) for j, at in enumerate(net.of_z))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    with torch.no_grad():
        h = torch.stack([step.h for step in through(torch.zeros_like(noise[:, :, 0]))], 2)
    return loss.detach(), h, net.read(h)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("first", [True, False])
def test_the_iterations_are_those_of_torch(net, first, masked):
    encoded = observations(net, masked=masked)
    a = [0.5 * normals(MODELS, SEQUENCES, STEPS, net.latents, seed=k) for k in (5, 6)]
    a[1][0, 0, 2, 0] = 4.5  # cut off, while the others learn
    start = normals(MODELS, SEQUENCES, net.units, seed=7) * (0 if first else 1)
    noise = normals(MODELS, SEQUENCES, ITERATIONS, STEPS, net.latents, seed=8)
    found, m1, m2 = (
        rows(torch.cat(v, -1)) for v in (a, [torch.zeros_like(v) for v in a], [torch.zeros_like(v) for v in a])
    )
    targets, observed, valid = (rows(v[None])[0] for v in (encoded.targets, encoded.observed, encoded.valid[..., None]))
    per_x, w, w_first = net.weights_of_loss
    after, outputs = np.empty((MODELS, 2, net.units, LANES)), np.empty((MODELS, net.output.units, STEPS * LANES))
    begin, loss = rows(start[:, :, None]), np.empty(MODELS)
    for m in range(MODELS):
        window = (found[m], begin[m], first, targets, observed, valid[0])
        adam = (m1[m], m2[m], np.zeros(STEPS, np.int64), 0.1, 0.8, 0.99)
        weights = (per_x, w[m].numpy(), w_first[m].numpy())
        args = (*window, *weights, noise[m].numpy(), *adam, after[m], outputs[m])
        loss[m] = regress(flat(net)[m], structure_of(net), *args)
    a = [v.requires_grad_() for v in a]
    optimizer = torch.optim.Adam(a, lr=0.1, betas=(0.8, 0.99))
    wanted, h, read = by_torch(net, encoded, a, start, first, noise, optimizer)
    if net.output.units > net.output.dims:  # the kernel leaves out what targets alone add
        loss += per_x * float(torch.xlogy(encoded.targets, encoded.targets).sum())
    np.testing.assert_allclose(loss, wanted, rtol=1e-10)
    torch.testing.assert_close(back(found, 2 * net.latents), torch.cat(a, -1).detach(), rtol=0, atol=1e-10)
    torch.testing.assert_close(back(outputs, net.output.units), read, rtol=0, atol=1e-10)
    for k, t in enumerate((0, STEPS - 1)):
        torch.testing.assert_close(back(after[:, k], net.units)[:, :, 0], h[:, :, t], rtol=0, atol=1e-10)


def test_ahead_is_the_prior_going_on(net):
    start, noise = normals(MODELS, SEQUENCES, net.units, seed=1), normals(MODELS, SEQUENCES, 4, net.latents, seed=2)
    outputs = np.empty((MODELS, net.output.units, 4 * LANES))
    for m in range(MODELS):
        args = (rows(start[:, :, None])[m], noise[m].numpy(), outputs[m])
        ahead(flat(net)[m], prior_driven(structure_of(net)), *args)
    h, read = start, []
    for t in range(4):
        h = net.step(h, noise[:, :, t]).h
        read.append(net.read(h))
    torch.testing.assert_close(back(outputs, net.output.units), torch.stack(read, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("first", [True, False])
def test_vectors_that_make_the_posterior_the_prior(net, first):
    h = normals(MODELS, SEQUENCES, net.units, seed=1) * (0 if first else 1)
    found = np.empty((MODELS, 2 * net.latents, LANES))
    for m in range(MODELS):
        structure = structure_of(net)
        args = (posterior_as_prior(structure), first, rows(h[:, :, None])[m], found[m])
        toward_prior(flat(net)[m], structure, *args)
    a = back(found, 2 * net.latents)[:, :, 0]
    step = net.step(h, torch.zeros(MODELS, SEQUENCES, net.latents), adaptive=a.chunk(2, -1), first=first)
    torch.testing.assert_close(step.posterior_mean, step.prior_mean, rtol=0, atol=1e-12)
    torch.testing.assert_close(step.posterior_log_sigma, step.prior_log_sigma, rtol=0, atol=1e-12)
