"""The free energy of a PV-RNN with its gradient, compiled: forward and backward in one pass over a tile of sequences.

All buffers are rows of numbers: a row is a unit, and along it lie the steps, and within a step the sequences of the tile
(lanes). So one product of a matrix serves a single step, where the recurrence must go step by step, and all steps at once,
where it need not: prior, output, and the gradients of weights. What is random is drawn outside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from neurodyn.kernels.elementary import exp, tanh
from neurodyn.kernels.products import fill, outer, product, row_sums, transposed

_FAST = {"reassoc", "contract", "nsz"}
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
                product(p, row[POSTERIOR], own, units, d, d0, before, q, z0, before, lanes)
                product(p, row[POSTERIOR] + own * units, own, units, d, d0, before, q, latents + z0, before, lanes)
            for i in range(z0, z0 + own):
                for m in range(before, before + lanes):
                    mean[i, m] = tanh(q[i, m])
                    log_sigma[i, m] = min(max(q[latents + i, m], low), high)
                    sigma[i, m] = exp(log_sigma[i, m])
                    z[i, m] = mean[i, m] + sigma[i, m] * eps[i, m]
            for i in range(units):
                u[d0 + i, :lanes] = p[row[BIAS] + i]
            product(p, row[RECURRENT], units, units, d, d0, before, u, d0, 0, lanes)
            product(p, row[LATENT], units, own, z, z0, before, u, d0, 0, lanes)
            if row[DOWN] >= 0:
                above = s.table[k + 1]
                seen = now if s.above_now else before
                product(p, row[DOWN], units, above[D1] - above[D0], d, above[D0], seen, u, d0, 0, lanes)
            if row[UP] >= 0:
                below = s.table[k - 1]
                product(p, row[UP], units, below[D1] - below[D0], d, below[D0], before, u, d0, 0, lanes)
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
        fill(p, row[PRIOR_BIAS], own, pre, z0, n)
        fill(p, row[PRIOR_BIAS] + own, own, pre, latents + z0, n)
        product(p, row[PRIOR], own, units, d, row[D0], 0, pre, z0, 0, n)
        product(p, row[PRIOR] + own * units, own, units, d, row[D0], 0, pre, latents + z0, 0, n)
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
    fill(p, s.output_bias, o.shape[0], o, 0, n)
    product(p, s.output, o.shape[0], units, d, 0, lanes, o, 0, 0, n)


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
            transposed(p, row[RECURRENT], units, units, gu, d0, before, gd, d0, before, lanes)
            if row[DOWN] >= 0:
                above = s.table[k + 1]
                seen = now if s.above_now else before
                transposed(p, row[DOWN], units, above[D1] - above[D0], gu, d0, before, gd, above[D0], seen, lanes)
            if row[UP] >= 0:
                below = s.table[k - 1]
                transposed(p, row[UP], units, below[D1] - below[D0], gu, d0, before, gd, below[D0], before, lanes)
            gz[z0 : z0 + own, :lanes] = 0
            transposed(p, row[LATENT], units, own, gu, d0, before, gz, z0, 0, lanes)
            for i in range(z0, z0 + own):
                for m in range(lanes):
                    b = before + m
                    q[i, b] = (q[i, b] + gz[i, m]) * (one - mean[i, b] * mean[i, b])
                    q[latents + i, b] = (q[latents + i, b] + gz[i, m] * eps[i, b] * sigma[i, b]) * inside[i, b]
            if row[POSTERIOR] >= 0:
                transposed(p, row[POSTERIOR], own, units, q, z0, before, gd, d0, before, lanes)
                at = row[POSTERIOR] + own * units
                transposed(p, at, own, units, q, latents + z0, before, gd, d0, before, lanes)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _from_outputs(p, s, o, gd, steps, lanes):
    transposed(p, s.output, o.shape[0], s.table[0, D1], o, 0, 0, gd, 0, lanes, steps * lanes)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _from_prior(p, s, pre, gd, n):
    latents = pre.shape[0] // 2
    for k in range(s.table.shape[0]):
        row = s.table[k]
        z0, own, units = row[Z0], row[Z1] - row[Z0], row[D1] - row[D0]
        transposed(p, row[PRIOR], own, units, pre, z0, 0, gd, row[D0], 0, n)
        transposed(p, row[PRIOR] + own * units, own, units, pre, latents + z0, 0, gd, row[D0], 0, n)


@njit(cache=True, error_model="numpy", fastmath=_FAST)
def _weights(g, s, d, z, gu, pre, q, o, steps, lanes):
    """Add the gradients of all parameters."""
    latents, n = z.shape[0], steps * lanes
    for k in range(s.table.shape[0]):
        row = s.table[k]
        d0, z0 = row[D0], row[Z0]
        units, own = row[D1] - d0, row[Z1] - z0
        outer(g, row[RECURRENT], units, units, gu, d0, 0, d, d0, 0, n)
        outer(g, row[LATENT], units, own, gu, d0, 0, z, z0, 0, n)
        row_sums(g, row[BIAS], units, gu, d0, n)
        if row[DOWN] >= 0:
            above = s.table[k + 1]
            outer(g, row[DOWN], units, above[D1] - above[D0], gu, d0, 0, d, above[D0], lanes if s.above_now else 0, n)
        if row[UP] >= 0:
            below = s.table[k - 1]
            outer(g, row[UP], units, below[D1] - below[D0], gu, d0, 0, d, below[D0], 0, n)
        for half in range(2):
            of, r = half * latents + z0, half * own
            if row[PRIOR] >= 0:
                outer(g, row[PRIOR] + r * units, own, units, pre, of, 0, d, d0, 0, n)
                row_sums(g, row[PRIOR_BIAS] + r, own, pre, of, n)
            if row[POSTERIOR] >= 0:
                outer(g, row[POSTERIOR] + r * units, own, units, q, of, 0, d, d0, 0, n)
                row_sums(g, row[POSTERIOR_BIAS] + r, own, q, of, n)
    outer(g, s.output, o.shape[0], s.table[0, D1], o, 0, 0, d, 0, lanes, n)
    row_sums(g, s.output_bias, o.shape[0], o, 0, n)


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
