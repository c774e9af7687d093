"""Error regression of a PV-RNN, compiled: adaptive vectors of a window follow the free energy; weights stay as they are."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurodyn.kernels.elementary import tanh
from neurodyn.kernels.pvrnn import (
    POSTERIOR,
    POSTERIOR_BIAS,
    PRIOR,
    PRIOR_BIAS,
    Structure,
    _from_outputs,
    _from_prior,
    backward,
    divergence,
    error,
    forward,
    outputs,
    prior,
)


def prior_driven(structure: Structure) -> Structure:
    """Return a network whose posterior, with adaptive vectors of 0, is the prior of this one: forward generates."""
    table = structure.table.copy()
    table[:, [POSTERIOR, POSTERIOR_BIAS]] = -1 if structure.fixed else table[:, [PRIOR, PRIOR_BIAS]]
    return structure._replace(table=table)


def posterior_as_prior(structure: Structure) -> Structure:
    """Return a network whose prior is the posterior of this one with adaptive vectors of 0."""
    table = structure.table.copy()
    table[:, [PRIOR, PRIOR_BIAS]] = table[:, [POSTERIOR, POSTERIOR_BIAS]]
    return structure._replace(table=table, fixed=bool(table[0, PRIOR] < 0), fixed_first=False)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"}, nogil=True)
def regress(
    p,
    s,
    a,
    start,
    first,
    targets,
    observed,
    valid,
    per_x,
    w,
    w_first,
    noise,
    m1,
    m2,
    count,
    rate,
    beta1,
    beta2,
    after,
    o,
):
    """Take a step of Adam for each of the draws of ``noise``; return the last loss, without a constant.

    Parameters
    ----------
    p : (parameter,)
    a, m1, m2 : (2 latents, step * lane)
        Adaptive vectors and moments of Adam; all are changed.
    count : (step,)
        Steps of Adam that the adaptive vectors of a step of the window have behind them. One count for all would undo the
        correction of the moments where the vectors are new, and their steps would be threefold.
    start : (unit, lane)
        Inner state before the window; ``first`` tells whether it is that before a sequence.
    targets, observed, valid : (output unit, step * lane), (dim, step * lane), (step * lane,)
    noise : (sequence, iteration, step of the longest window, latent)
    after : (2, unit, lane)
        Gets the inner states after the first and the last step of the window, z at the mean of the posterior.
    o : (output unit, step * lane)
        Gets the inputs to the output units there.
    """
    units, lanes = start.shape
    latents, n = a.shape[0] // 2, a.shape[1]
    steps = n // lanes
    f = p.dtype
    low, high, one, tiny = f.type(-12), f.type(4), f.type(1), f.type(1e-8)
    b1, b2 = f.type(beta1), f.type(beta2)
    q, pre, eps = np.empty((2 * latents, n), f), np.empty((2 * latents, n), f), np.zeros((latents, n), f)
    mean, log_sigma, sigma = np.empty((latents, n), f), np.empty((latents, n), f), np.empty((latents, n), f)
    z, inside = np.empty((latents, n), f), np.empty((latents, n), f)
    d, gd, gu = np.empty((units, n + lanes), f), np.empty((units, n + lanes), f), np.empty((units, n), f)
    h, u, gz = np.empty((units, lanes), f), np.empty((units, lanes), f), np.empty((latents, lanes), f)
    work, kl = np.empty((2, n), f), np.zeros((2, s.table.shape[0]), f)
    loss = per_x * 0
    for i in range(units):
        for m in range(lanes):
            d[i, m] = tanh(start[i, m])
    iterations = noise.shape[1]
    for k in range(iterations + 2):  # the last two passes are at the mean: the first step alone, and all
        long = 1 if k == iterations else steps
        eps[:] = 0
        if k < iterations:
            for m in range(noise.shape[0]):
                for t in range(steps):
                    for i in range(latents):
                        eps[i, t * lanes + m] = noise[m, k, t, i]
        q[:], h[:], gd[:], kl[:] = a, start, 0, 0
        forward(p, s, q, eps, d, h, u, mean, log_sigma, sigma, z, long, lanes)
        outputs(p, s, o, d, long, lanes)
        if k >= iterations:
            after[k - iterations] = h
            continue
        for i in range(latents):
            for m in range(n):
                inside[i, m] = 1 if low <= q[latents + i, m] <= high else 0
        prior(p, s, pre, d, steps, lanes, first)
        divergence(s, pre, q, mean, log_sigma, sigma, valid, w, w_first, kl, steps, lanes, first)
        loss = per_x * error(s, o, targets, observed, per_x, work, n)
        for part in range(2):
            for layer in range(s.table.shape[0]):
                loss += (w_first[layer] if part == 0 else w[layer]) * kl[part, layer]
        _from_outputs(p, s, o, gd, steps, lanes)
        if not s.fixed:
            _from_prior(p, s, pre, gd, n)
        backward(p, s, q, eps, d, mean, sigma, inside, gd, gu, h, gz, steps, lanes)
        for t in range(steps):
            done = count[t] + k + 1
            c1, c2 = f.type(1 / (1 - beta1**done)), f.type(1 / (1 - beta2**done))
            for i in range(2 * latents):
                for m in range(t * lanes, (t + 1) * lanes):
                    g = q[i, m]
                    m1[i, m] = b1 * m1[i, m] + (one - b1) * g
                    m2[i, m] = b2 * m2[i, m] + (one - b2) * g * g
                    a[i, m] -= rate * (m1[i, m] * c1) / (np.sqrt(m2[i, m] * c2) + tiny)
    return loss


@njit(cache=True, error_model="numpy", nogil=True)
def ahead(p, s, start, noise, o):
    """Generate from inner states ``start`` (unit, lane) on; ``o`` (output unit, step * lane) gets the inputs to the output.

    ``s`` is prior-driven; ``noise`` (sequence, step, latent).
    """
    units, lanes = start.shape
    latents, n = noise.shape[2], o.shape[1]
    steps = n // lanes
    f = p.dtype
    q, eps, z = np.zeros((2 * latents, n), f), np.zeros((latents, n), f), np.empty((latents, n), f)
    mean, log_sigma, sigma = np.empty((latents, n), f), np.empty((latents, n), f), np.empty((latents, n), f)
    d, h, u = np.empty((units, n + lanes), f), start.copy(), np.empty((units, lanes), f)
    for i in range(units):
        for m in range(lanes):
            d[i, m] = tanh(start[i, m])
    for m in range(noise.shape[0]):
        for t in range(steps):
            for i in range(latents):
                eps[i, t * lanes + m] = noise[m, t, i]
    forward(p, s, q, eps, d, h, u, mean, log_sigma, sigma, z, steps, lanes)
    outputs(p, s, o, d, steps, lanes)


@njit(cache=True, error_model="numpy", nogil=True)
def toward_prior(p, s, of_posterior, first, h, a):
    """Write the adaptive vectors (2 latents, lane) that make the posterior of the step after ``h`` the prior."""
    units, lanes = h.shape
    d, pre = np.empty((units, lanes), p.dtype), np.empty(a.shape, p.dtype)
    for i in range(units):
        for m in range(lanes):
            d[i, m] = tanh(h[i, m])
    prior(p, s, a, d, 1, lanes, first)
    prior(p, of_posterior, pre, d, 1, lanes, False)
    for i in range(a.shape[0]):
        for m in range(lanes):
            a[i, m] -= pre[i, m]
