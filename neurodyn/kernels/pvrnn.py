"""The free energy of a PV-RNN with its gradient, compiled: forward and backward in one pass over a tile of sequences.

All buffers are rows of numbers: a row is a unit, and along it lie the steps, and within a step the sequences of the tile
(lanes). So one product of a matrix serves a single step, where the recurrence must go step by step, and all steps at once,
where it need not: prior, output, and the gradients of weights. What is random is drawn outside.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor

from neurodyn.kernels.elementary import exp, tanh
from neurodyn.kernels.lanes import WIDTH, add_product, add_scaled, load, store, summed, zero

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from neurodyn.models.codings import Encoded
    from neurodyn.models.generative import FreeEnergy
    from neurodyn.models.pvrnn import PVRNN

_FAST = {"reassoc", "contract", "nsz"}
_WIDEST = 32  # lanes of a tile: what a core's second cache holds for hundreds of steps
# columns of the table of layers: ranges of units and latents, then where parameters begin (-1 for what is absent)
D0, D1, Z0, Z1, RECURRENT, LATENT, BIAS, DOWN, UP, PRIOR, PRIOR_BIAS, POSTERIOR, POSTERIOR_BIAS = range(13)
SOFTMAX, TANH, LINEAR = range(3)  # outputs


class Structure(NamedTuple):
    """What all models of a network share, as the kernels read it."""

    table: np.ndarray  # (layer, column)
    keep: np.ndarray  # 1 - 1/tau (layer,)
    gain: np.ndarray  # 1/tau
    output: int  # where the weights of the output begin, and its biases
    output_bias: int
    head: int
    groups: int
    fixed_first: bool  # whether the prior of the first step is N(0, 1), and of all
    fixed: bool
    above_now: bool  # whether a layer sees the one above as it is now


@njit(cache=True, error_model="numpy")
def _product(p, at, rows, columns, x, x0, xs, y, y0, ys, n):
    """y[i] += sum over j of W[i, j] x[j], for n numbers of each row from ``xs`` and ``ys`` on; n is a multiple of 8."""
    for s in range(0, n, WIDTH):
        i = 0
        while i + 2 <= rows:
            row, next_row = at + i * columns, at + (i + 1) * columns
            a, b = load(y, y0 + i, ys + s), load(y, y0 + i + 1, ys + s)
            for j in range(columns):
                v = load(x, x0 + j, xs + s)
                a, b = add_scaled(a, p[row + j], v), add_scaled(b, p[next_row + j], v)
            store(y, y0 + i, ys + s, a)
            store(y, y0 + i + 1, ys + s, b)
            i += 2
        if i < rows:
            a = load(y, y0 + i, ys + s)
            for j in range(columns):
                a = add_scaled(a, p[at + i * columns + j], load(x, x0 + j, xs + s))
            store(y, y0 + i, ys + s, a)


@njit(cache=True, error_model="numpy")
def _transposed(p, at, rows, columns, y, y0, ys, x, x0, xs, n):
    """x[j] += sum over i of W[i, j] y[i]."""
    for s in range(0, n, WIDTH):
        j = 0
        while j + 2 <= columns:
            a, b = load(x, x0 + j, xs + s), load(x, x0 + j + 1, xs + s)
            for i in range(rows):
                v, k = load(y, y0 + i, ys + s), at + i * columns + j
                a, b = add_scaled(a, p[k], v), add_scaled(b, p[k + 1], v)
            store(x, x0 + j, xs + s, a)
            store(x, x0 + j + 1, xs + s, b)
            j += 2
        if j < columns:
            a = load(x, x0 + j, xs + s)
            for i in range(rows):
                a = add_scaled(a, p[at + i * columns + j], load(y, y0 + i, ys + s))
            store(x, x0 + j, xs + s, a)


@njit(cache=True, error_model="numpy")
def _outer(g, at, rows, columns, y, y0, ys, x, x0, xs, n):
    """g[i, j] += sum over n numbers of y[i] x[j]: the gradient of W in y = W x. Two rows and two columns at a time."""
    for i in range(0, rows, 2):
        i1 = min(i + 1, rows - 1)  # the last row or column of an odd number is done twice, and noted once
        for j in range(0, columns, 2):
            j1 = min(j + 1, columns - 1)
            a, b, c, d = zero(g), zero(g), zero(g), zero(g)
            for s in range(0, n, WIDTH):
                v, v1 = load(y, y0 + i, ys + s), load(y, y0 + i1, ys + s)
                w, w1 = load(x, x0 + j, xs + s), load(x, x0 + j1, xs + s)
                a, b = add_product(a, v, w), add_product(b, v, w1)
                c, d = add_product(c, v1, w), add_product(d, v1, w1)
            row, row1 = at + i * columns, at + i1 * columns
            g[row + j] += summed(a)
            if j1 > j:
                g[row + j1] += summed(b)
            if i1 > i:
                g[row1 + j] += summed(c)
                if j1 > j:
                    g[row1 + j1] += summed(d)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _total(g, at, rows, y, y0, n):
    """g[i] += sum over n numbers of y[i]."""
    for i in range(rows):
        a = g[at + i] * 0
        for s in range(n):
            a += y[y0 + i, s]
        g[at + i] += a


@njit(cache=True, error_model="numpy")
def _fill(p, at, rows, y, y0, n):
    """y[i] = b[i] in n numbers of each row."""
    for i in range(rows):
        y[y0 + i, :n] = p[at + i]


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def forward(p, s, q, eps, d, h, u, mean, log_sigma, sigma, z, steps, lanes):
    """Run the recurrence from d[:, :lanes] and h on, z drawn from the posterior.

    ``q`` (2 latents, steps * lanes) holds the adaptive vectors, the means first; they become what stands inside of tanh and
    exp. ``d`` (unit, (steps + 1) * lanes); ``u`` (unit, lanes) is working memory.
    """
    latents = z.shape[0]
    low, high = p.dtype.type(-12), p.dtype.type(4)
    for t in range(steps):
        now, before = (t + 1) * lanes, t * lanes
        for k in range(s.table.shape[0] - 1, -1, -1):
            row = s.table[k]
            d0, z0 = row[D0], row[Z0]
            units, own = row[D1] - d0, row[Z1] - z0
            if row[POSTERIOR] >= 0:
                for i in range(own):
                    for m in range(lanes):
                        q[z0 + i, before + m] += p[row[POSTERIOR_BIAS] + i]
                        q[latents + z0 + i, before + m] += p[row[POSTERIOR_BIAS] + own + i]
                _product(p, row[POSTERIOR], own, units, d, d0, before, q, z0, before, lanes)
                _product(p, row[POSTERIOR] + own * units, own, units, d, d0, before, q, latents + z0, before, lanes)
            for i in range(z0, z0 + own):
                for m in range(before, before + lanes):
                    mean[i, m] = tanh(q[i, m])
                    log_sigma[i, m] = min(max(q[latents + i, m], low), high)
                    sigma[i, m] = exp(log_sigma[i, m])
                    z[i, m] = mean[i, m] + sigma[i, m] * eps[i, m]
            for i in range(units):
                u[d0 + i, :lanes] = p[row[BIAS] + i]
            _product(p, row[RECURRENT], units, units, d, d0, before, u, d0, 0, lanes)
            _product(p, row[LATENT], units, own, z, z0, before, u, d0, 0, lanes)
            if row[DOWN] >= 0:
                above = s.table[k + 1]
                seen = now if s.above_now else before
                _product(p, row[DOWN], units, above[D1] - above[D0], d, above[D0], seen, u, d0, 0, lanes)
            if row[UP] >= 0:
                below = s.table[k - 1]
                _product(p, row[UP], units, below[D1] - below[D0], d, below[D0], before, u, d0, 0, lanes)
            keep, gain = s.keep[k], s.gain[k]
            for i in range(d0, d0 + units):
                for m in range(lanes):
                    h[i, m] = keep * h[i, m] + gain * u[i, m]
                    d[i, now + m] = tanh(h[i, m])


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def prior(p, s, pre, d, steps, lanes, first):
    """Write what stands inside of tanh and exp of the prior to ``pre`` (2 latents, steps * lanes); 0 where it is fixed.

    ``first`` tells whether the first step is that of a sequence.
    """
    latents, n = pre.shape[0] // 2, steps * lanes
    pre[:, :n] = 0
    if s.fixed:
        return
    for k in range(s.table.shape[0]):
        row = s.table[k]
        z0, own, units = row[Z0], row[Z1] - row[Z0], row[D1] - row[D0]
        _fill(p, row[PRIOR_BIAS], own, pre, z0, n)
        _fill(p, row[PRIOR_BIAS] + own, own, pre, latents + z0, n)
        _product(p, row[PRIOR], own, units, d, row[D0], 0, pre, z0, 0, n)
        _product(p, row[PRIOR] + own * units, own, units, d, row[D0], 0, pre, latents + z0, 0, n)
    if s.fixed_first and first:
        pre[:, :lanes] = 0


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def divergence(s, pre, q, mean, log_sigma, sigma, valid, w, w_first, total, steps, lanes, first):
    """Add divergences to ``total`` (2, layer), at the first step and later ones; ``pre`` and ``q`` become gradients.

    That of ``pre`` is by what stands inside of tanh and exp; that of ``q`` is by mean and log sigma of the posterior.
    """
    latents, n = mean.shape[0], steps * lanes
    low, high = pre.dtype.type(-12), pre.dtype.type(4)
    half, one, two = pre.dtype.type(0.5), pre.dtype.type(1), pre.dtype.type(2)
    for k in range(s.table.shape[0]):
        for i in range(s.table[k, Z0], s.table[k, Z1]):
            for part in range(2):
                if part == 0 and not first:
                    continue
                begin, end = (0, lanes) if part == 0 else ((lanes if first else 0), n)
                fixed = s.fixed or (part == 0 and s.fixed_first)
                weight, learnt = (w_first[k] if part == 0 else w[k]), (one - one if fixed else one)
                kl = weight * 0
                for m in range(begin, end):
                    inside = pre[latents + i, m]
                    log_p, mu = min(max(inside, low), high), tanh(pre[i, m])
                    precision = exp(-two * log_p)
                    apart = mean[i, m] - mu
                    ratio = (apart * apart + sigma[i, m] * sigma[i, m]) * precision
                    kl += valid[m] * (log_p - log_sigma[i, m] + half * ratio - half)
                    c = weight * valid[m]
                    q[i, m] = c * apart * precision
                    q[latents + i, m] = c * (sigma[i, m] * sigma[i, m] * precision - one)
                    pre[i, m] = -learnt * c * apart * precision * (one - mu * mu)
                    pre[latents + i, m] = learnt * c * (one - ratio) * (one if low <= inside <= high else one - one)
                total[part, k] += kl


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def outputs(p, s, o, d, steps, lanes):
    """Write the inputs to the output units to ``o`` (output unit, steps * lanes)."""
    n, units = steps * lanes, s.table[0, D1]
    _fill(p, s.output_bias, o.shape[0], o, 0, n)
    _product(p, s.output, o.shape[0], units, d, 0, lanes, o, 0, 0, n)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def error(s, o, targets, observed, per_x, work, n):
    """Return the error, without what the targets alone add; ``o`` becomes its gradient, times ``per_x``."""
    total = per_x * 0
    if s.head != SOFTMAX:
        one, two = o.dtype.type(1), o.dtype.type(2)
        for i in range(o.shape[0]):
            for m in range(n):
                y = tanh(o[i, m]) if s.head == TANH else o[i, m]
                apart = (y - targets[i, m]) * observed[i, m]
                total += apart * apart
                o[i, m] = two * per_x * apart * ((one - y * y) if s.head == TANH else one)
        return total
    bins = o.shape[0] // s.groups
    largest, summed = work[0], work[1]
    for g in range(s.groups):
        o0 = g * bins
        for m in range(n):
            largest[m] = o[o0, m]
            summed[m] = 0
        for i in range(o0 + 1, o0 + bins):
            for m in range(n):
                largest[m] = max(largest[m], o[i, m])
        for i in range(o0, o0 + bins):
            for m in range(n):
                centred = o[i, m] - largest[m]
                total -= targets[i, m] * centred
                e = exp(centred)
                summed[m] += e
                o[i, m] = e
        for m in range(n):
            total += observed[g, m] * np.log(summed[m])
            summed[m] = observed[g, m] / summed[m]
        for i in range(o0, o0 + bins):
            for m in range(n):
                o[i, m] = per_x * (o[i, m] * summed[m] - targets[i, m])
    return total


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def backward(p, s, q, eps, d, mean, sigma, inside, gd, gu, gh, gz, steps, lanes):
    """Run the recurrence back.

    ``gd`` (unit, (steps + 1) * lanes) holds the gradient by d from outputs and priors, ``q`` that by mean and log sigma of
    the posterior from its divergence, which becomes that by what stands inside of tanh and exp. ``inside`` is 1 where log
    sigma is not cut off. ``gu`` (unit, steps * lanes) gets the gradient by the input of a unit; ``gh``, ``gz`` are working
    memory.
    """
    latents = mean.shape[0]
    one = p.dtype.type(1)
    gh[:, :lanes] = 0
    for t in range(steps - 1, -1, -1):
        now, before = (t + 1) * lanes, t * lanes
        for k in range(s.table.shape[0]):
            row = s.table[k]
            d0, z0 = row[D0], row[Z0]
            units, own = row[D1] - d0, row[Z1] - z0
            keep, gain = s.keep[k], s.gain[k]
            for i in range(d0, d0 + units):
                for m in range(lanes):
                    g = gh[i, m] + gd[i, now + m] * (one - d[i, now + m] * d[i, now + m])
                    gu[i, before + m] = gain * g
                    gh[i, m] = keep * g
            _transposed(p, row[RECURRENT], units, units, gu, d0, before, gd, d0, before, lanes)
            if row[DOWN] >= 0:
                above = s.table[k + 1]
                seen = now if s.above_now else before
                _transposed(p, row[DOWN], units, above[D1] - above[D0], gu, d0, before, gd, above[D0], seen, lanes)
            if row[UP] >= 0:
                below = s.table[k - 1]
                _transposed(p, row[UP], units, below[D1] - below[D0], gu, d0, before, gd, below[D0], before, lanes)
            gz[z0 : z0 + own, :lanes] = 0
            _transposed(p, row[LATENT], units, own, gu, d0, before, gz, z0, 0, lanes)
            for i in range(z0, z0 + own):
                for m in range(lanes):
                    b = before + m
                    q[i, b] = (q[i, b] + gz[i, m]) * (one - mean[i, b] * mean[i, b])
                    q[latents + i, b] = (q[latents + i, b] + gz[i, m] * eps[i, b] * sigma[i, b]) * inside[i, b]
            if row[POSTERIOR] >= 0:
                _transposed(p, row[POSTERIOR], own, units, q, z0, before, gd, d0, before, lanes)
                at = row[POSTERIOR] + own * units
                _transposed(p, at, own, units, q, latents + z0, before, gd, d0, before, lanes)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _from_outputs(p, s, o, gd, steps, lanes):
    _transposed(p, s.output, o.shape[0], s.table[0, D1], o, 0, 0, gd, 0, lanes, steps * lanes)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _from_prior(p, s, pre, gd, n):
    latents = pre.shape[0] // 2
    for k in range(s.table.shape[0]):
        row = s.table[k]
        z0, own, units = row[Z0], row[Z1] - row[Z0], row[D1] - row[D0]
        _transposed(p, row[PRIOR], own, units, pre, z0, 0, gd, row[D0], 0, n)
        _transposed(p, row[PRIOR] + own * units, own, units, pre, latents + z0, 0, gd, row[D0], 0, n)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _weights(g, s, d, z, gu, pre, q, o, steps, lanes):
    """Add the gradients of all parameters."""
    latents, n = z.shape[0], steps * lanes
    for k in range(s.table.shape[0]):
        row = s.table[k]
        d0, z0 = row[D0], row[Z0]
        units, own = row[D1] - d0, row[Z1] - z0
        _outer(g, row[RECURRENT], units, units, gu, d0, 0, d, d0, 0, n)
        _outer(g, row[LATENT], units, own, gu, d0, 0, z, z0, 0, n)
        _total(g, row[BIAS], units, gu, d0, n)
        if row[DOWN] >= 0:
            above = s.table[k + 1]
            _outer(g, row[DOWN], units, above[D1] - above[D0], gu, d0, 0, d, above[D0], lanes if s.above_now else 0, n)
        if row[UP] >= 0:
            below = s.table[k - 1]
            _outer(g, row[UP], units, below[D1] - below[D0], gu, d0, 0, d, below[D0], 0, n)
        for half in range(2):
            of, r = half * latents + z0, half * own
            if row[PRIOR] >= 0:
                _outer(g, row[PRIOR] + r * units, own, units, pre, of, 0, d, d0, 0, n)
                _total(g, row[PRIOR_BIAS] + r, own, pre, of, n)
            if row[POSTERIOR] >= 0:
                _outer(g, row[POSTERIOR] + r * units, own, units, q, of, 0, d, d0, 0, n)
                _total(g, row[POSTERIOR_BIAS] + r, own, q, of, n)
    _outer(g, s.output, o.shape[0], s.table[0, D1], o, 0, 0, d, 0, lanes, n)
    _total(g, s.output_bias, o.shape[0], o, 0, n)


@njit(cache=True, error_model="numpy", nogil=True)
def gradient(p, s, mean_a, sigma_a, eps_a, targets, observed, valid, per_x, w, w_first, g, g_mean, g_sigma, total):
    """Compute sums and gradient of one model.

    ``p``, ``g`` (parameter,); ``mean_a``, ``sigma_a``, ``eps_a`` and the gradients ``g_mean``, ``g_sigma`` (sequence, step,
    latent); ``targets`` (tile, output unit, step * lane), ``observed`` (tile, dim, step * lane), ``valid`` (tile, step *
    lane); ``total`` (1 + 2 layers,): error, and divergences at the first step and later.
    """
    sequences, steps, latents = mean_a.shape
    units, layers = s.table[-1, D1], s.table.shape[0]
    tiles, count, n = targets.shape
    lanes = n // steps
    f = p.dtype
    low, high = f.type(-12), f.type(4)
    q, pre = np.empty((2 * latents, n), f), np.empty((2 * latents, n), f)
    mean, log_sigma, sigma = np.empty((latents, n), f), np.empty((latents, n), f), np.empty((latents, n), f)
    z, eps, inside = np.empty((latents, n), f), np.empty((latents, n), f), np.empty((latents, n), f)
    d, gd, gu = np.empty((units, n + lanes), f), np.empty((units, n + lanes), f), np.empty((units, n), f)
    h, u, gz = np.empty((units, lanes), f), np.empty((units, lanes), f), np.empty((latents, lanes), f)
    o, work, kl = np.empty((count, n), f), np.empty((2, n), f), np.zeros((2, layers), f)
    g[:] = 0
    error_of_all = per_x * 0
    for tile in range(tiles):
        first = tile * lanes
        q[:] = 0
        eps[:] = 0
        for m in range(min(lanes, sequences - first)):
            for t in range(steps):
                for i in range(latents):
                    q[i, t * lanes + m] = mean_a[first + m, t, i]
                    q[latents + i, t * lanes + m] = sigma_a[first + m, t, i]
                    eps[i, t * lanes + m] = eps_a[first + m, t, i]
        d[:, :lanes] = 0
        h[:] = 0
        forward(p, s, q, eps, d, h, u, mean, log_sigma, sigma, z, steps, lanes)
        for i in range(latents):
            for m in range(n):
                inside[i, m] = 1 if low <= q[latents + i, m] <= high else 0
        prior(p, s, pre, d, steps, lanes, True)
        divergence(s, pre, q, mean, log_sigma, sigma, valid[tile], w, w_first, kl, steps, lanes, True)
        outputs(p, s, o, d, steps, lanes)
        error_of_all += error(s, o, targets[tile], observed[tile], per_x, work, n)
        gd[:] = 0
        _from_outputs(p, s, o, gd, steps, lanes)
        if not s.fixed:
            _from_prior(p, s, pre, gd, n)
        backward(p, s, q, eps, d, mean, sigma, inside, gd, gu, h, gz, steps, lanes)
        _weights(g, s, d, z, gu, pre, q, o, steps, lanes)
        for m in range(min(lanes, sequences - first)):
            for t in range(steps):
                for i in range(latents):
                    g_mean[first + m, t, i] = q[i, t * lanes + m]
                    g_sigma[first + m, t, i] = q[latents + i, t * lanes + m]
    total[0] = error_of_all
    for part in range(2):
        for k in range(layers):
            total[1 + part * layers + k] = kl[part, k]


def fused_free_energy(net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
    """Return the free energy of sequences under adaptive vectors and noise; see :meth:`PVRNN.free_energy`."""
    found, gradients = _computed(net, encoded, adaptive, noise)
    inputs = (adaptive["mean"], adaptive["log_sigma"], *parameters_of(net))
    return replace(found, loss=_Known.apply(found.loss, gradients, *inputs))  # type: ignore[arg-type]


def descend(net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
    """Return the free energy; its gradient, summed over models, becomes ``grad`` of parameters and adaptive vectors.

    For small networks the way of a known gradient through autograd takes as long as computing it.
    """
    found, (g, adaptive["mean"].grad, adaptive["log_sigma"].grad) = _computed(net, encoded, adaptive, noise)
    parameters = parameters_of(net)
    for p, part in zip(parameters, _parted(g, [p.shape for p in parameters]), strict=True):
        p.grad = part
    return found


def _computed(
    net: PVRNN, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor
) -> tuple[FreeEnergy, tuple[Tensor, ...]]:
    """The free energy, and its gradients by all parameters, (model, parameter), and by both adaptive vectors."""
    structure, (targets, observed, valid, negentropy) = structure_of(net), encoded.tiles
    parameters, vectors = parameters_of(net), (adaptive["mean"], adaptive["log_sigma"])
    shape, kind = (net.models, *encoded.targets.shape[:2], net.latents), net.output_weight.dtype
    for name, value in (("mean", vectors[0]), ("log_sigma", vectors[1]), ("noise", noise)):
        if (
            value.shape != shape or value.dtype != kind or encoded.targets.dtype != kind
        ):  # or it would read beyond the end
            kinds = f"{value.dtype}, targets {encoded.targets.dtype}; needed is {kind} for both"
            raise ValueError(f"{name} has shape {tuple(value.shape)}, needed is {shape}; it is {kinds}")
    p = np.concatenate([v.detach().numpy().reshape(net.models, -1) for v in parameters], 1)
    a, b, eps = (v.detach().contiguous().numpy() for v in (*vectors, noise))
    total = np.empty((net.models, 1 + 2 * net.depth), p.dtype)
    g, g_a, g_b = (np.empty_like(v) for v in (p, a, b))
    per_x, weights, weights_first = net.weights_of_loss
    per, w, w_first = p.dtype.type(per_x), weights.numpy(), weights_first.numpy()

    def one(m: int) -> None:
        given = (a[m], b[m], eps[m], targets, observed, valid, per, w[m], w_first[m])
        gradient(p[m], structure, *given, g[m], g_a[m], g_b[m], total[m])

    each(one, net.models)
    if structure.head == SOFTMAX:
        total[:, 0] += negentropy
    sums = torch.from_numpy(total)
    error, first, later = sums[:, 0], sums[:, 1 : 1 + net.depth], sums[:, 1 + net.depth :]
    found = net.free_energy_of(encoded, error, later, first)
    return found, tuple(torch.from_numpy(v) for v in (g, g_a, g_b))


class _Known(torch.autograd.Function):
    """A loss of each model whose gradients are known: by parameters, in a row for each model, and two others."""

    @staticmethod
    def forward(ctx: Any, loss, gradients, *inputs):  # type: ignore[override]
        ctx.gradients, ctx.shapes = gradients, [v.shape for v in inputs[2:]]
        return loss

    @staticmethod
    def backward(ctx: Any, scale):  # type: ignore[override]
        g, *others = (v * scale.view(-1, *(1,) * (v.ndim - 1)) for v in ctx.gradients)
        return None, None, *others, *_parted(g, ctx.shapes)


def _parted(g: Tensor, shapes: Sequence[torch.Size]) -> list[Tensor]:
    parts = g.split([shape[1:].numel() for shape in shapes], 1)
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def parameters_of(net: PVRNN) -> list[Tensor]:
    """Return what ``net.parameters()`` gives, in a tenth of the time."""
    found = list(net._parameters.values())
    for layer in net.stack:
        found += layer._parameters.values()
    return [v for v in found if v is not None]


def structure_of(net: PVRNN) -> Structure:
    """Return what the kernels need to know of a network: where its parameters lie in a row, and its switches."""
    found = vars(net).get("_structure")
    if found is not None and found.keep.dtype == net.output_weight.detach().numpy().dtype:
        return found
    at, begin = 0, {}
    for name, value in net.named_parameters():
        begin[name] = at
        at += value[0].numel()
    names = ("recurrent", "latent", "bias", "top_down", "bottom_up")
    names += ("prior_weight", "prior_bias", "posterior_weight", "posterior_bias")
    table = [
        [*(v for of in (net.of_d[k], net.of_z[k]) for v in (of.start, of.stop))]
        + [begin.get(f"stack.{k}.{name}", -1) for name in names]
        for k in range(net.depth)
    ]
    kind = np.dtype(str(net.dtype).removeprefix("torch."))
    keep = np.array([1 - 1 / layer.tau for layer in net.layers], dtype=kind)
    activation = getattr(net.output, "activation", "softmax")
    vars(net)["_structure"] = made = Structure(
        table=np.array(table),
        keep=keep,
        gain=np.array([1 / layer.tau for layer in net.layers], dtype=kind),
        output=begin["output_weight"],
        output_bias=begin["output_bias"],
        head={"softmax": SOFTMAX, "tanh": TANH, "linear": LINEAR}[activation],
        groups=net.output.dims,
        fixed_first=net.first_step_prior == "unit",
        fixed=net.prior == "unit",
        above_now=net.top_down == "current",
    )
    return made


def tiles(targets: Tensor, observed: Tensor, valid: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Return targets, what was observed, and steps that count as the kernels read them, and sum p log p of the targets.

    They are (tile, row, step * lane), the last without rows; lanes are so many that vectors are full.
    """
    sequences, steps = valid.shape
    count = -(-sequences // _WIDEST)
    lanes = -(-sequences // (count * WIDTH)) * WIDTH

    def tiled(values: Tensor) -> np.ndarray:
        rows = values.shape[2]
        made = values.new_zeros(count * lanes, steps, rows)
        made[:sequences] = values
        made = made.view(count, lanes, steps, rows).permute(0, 3, 2, 1)
        return made.reshape(count, rows, steps * lanes).contiguous().numpy()

    negentropy = float(torch.xlogy(targets, targets).sum())
    return tiled(targets), tiled(observed), tiled(valid[..., None])[:, 0].copy(), negentropy


def each(work: Callable[[int], None], count: int) -> None:
    """Call ``work`` for each model, on as many threads as torch has."""
    threads = min(count, torch.get_num_threads())
    if threads == 1:
        for m in range(count):
            work(m)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(count)))
