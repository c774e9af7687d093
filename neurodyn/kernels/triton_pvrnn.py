"""The free energy of a PV-RNN with its gradient as one Triton kernel: a program is a tile of sequences of one model.

A program runs over the steps forward and keeps the activity after each, then back, where it also does what needs no order:
outputs and priors. All layers together are one vector of units, and what doesn't connect has weight 0. Sizes are padded to
powers of two with zeros, which stay zero and get no gradient. Host side and layout: :mod:`neurodyn.kernels.pvrnn_launch`.
"""

# the language of Triton, which only looks like Python
# pyright: reportMissingImports=false, reportOptionalOperand=false, reportCallIssue=false, reportOperatorIssue=false
# pyright: reportGeneralTypeIssues=false, reportArgumentType=false
from __future__ import annotations

import triton
import triton.language as tl

from neurodyn.kernels.triton_functions import _jit, exp, larger, log, smaller, tanh


@_jit
def _matrix(at, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    return tl.load(at + tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :])


@_jit
def _product(x, at, ROWS: tl.constexpr, COLUMNS: tl.constexpr, DOT: tl.constexpr):
    """Return W x of every lane, (lane, row), of x (lane, column)."""
    return tl.dot(x, tl.trans(_matrix(at, ROWS, COLUMNS)), input_precision=DOT)


@_jit
def _transposed(y, at, ROWS: tl.constexpr, COLUMNS: tl.constexpr, DOT: tl.constexpr):
    """Return the transposed of W times y of every lane, (lane, column), of y (lane, row)."""
    return tl.dot(y, _matrix(at, ROWS, COLUMNS), input_precision=DOT)


@_jit
def _outer(y, x, total, DOT: tl.constexpr):
    """Add the gradient of W in y = W x, summed over lanes, to ``total`` (row, column)."""
    return tl.dot(
        tl.trans(y), x, total, input_precision=DOT, out_dtype=total.dtype
    )  # older versions take float32 for it


@_jit
def _row(at, SIZE: tl.constexpr):
    return tl.load(at + tl.arange(0, SIZE))[None, :]


@_jit
def _put(at, total, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
    tl.store(at + tl.arange(0, ROWS)[:, None] * COLUMNS + tl.arange(0, COLUMNS)[None, :], total)


@_jit
def _put_row(at, by_lane, SIZE: tl.constexpr):
    tl.store(at + tl.arange(0, SIZE), tl.sum(by_lane, 0))


@_jit
def _cut(log_sigma, LOW: tl.constexpr, HIGH: tl.constexpr):
    return smaller(larger(log_sigma, LOW), HIGH)


@_jit
def _within(log_sigma, gradient, LOW: tl.constexpr, HIGH: tl.constexpr):
    """Return the gradient where log sigma is not cut off, else 0."""
    return tl.where((log_sigma >= LOW) & (log_sigma <= HIGH), gradient, 0.0)


@_jit
def _softmax_error(o, target, seen, per_x, bins, LANES: tl.constexpr, OUT: tl.constexpr, GROUPS: tl.constexpr):
    """Return the divergence of outputs from targets, and its gradient times ``per_x``, (lane, output)."""
    WIDTH: tl.constexpr = OUT // GROUPS
    grouped = tl.reshape(o, (LANES, GROUPS, WIDTH))
    grouped = tl.where((tl.arange(0, WIDTH) < bins)[None, None, :], grouped, float("-inf"))
    centred = grouped - tl.max(grouped, 2)[:, :, None]
    e = exp(centred)
    total = tl.sum(e, 2)[:, :, None]
    log_p, p = tl.reshape(centred - log(total), (LANES, OUT)), tl.reshape(e / total, (LANES, OUT))
    error = tl.where(target > 0.0, target * (log(tl.where(target > 0.0, target, 1.0)) - log_p), 0.0)
    return error, per_x * (p * seen - target)


@triton.jit(do_not_specialize=["sequences", "steps", "latents", "dims", "bins"])
def free_energy(
    weights, leak, of_loss, mean_a, sigma_a, noise, targets, observed, lengths, states, g_weights, g_mean, g_sigma, sums,
    sequences, steps, latents, dims, bins,
    LANES: tl.constexpr, U: tl.constexpr, Z: tl.constexpr, OUT: tl.constexpr, GROUPS: tl.constexpr, DEPTH: tl.constexpr,
    RECURRENT: tl.constexpr, LATENT: tl.constexpr, BIAS: tl.constexpr, DOWN: tl.constexpr, PRIOR: tl.constexpr,
    PRIOR_BIAS: tl.constexpr, POSTERIOR: tl.constexpr, POSTERIOR_BIAS: tl.constexpr, OUTPUT: tl.constexpr,
    OUTPUT_BIAS: tl.constexpr, WEIGHTS: tl.constexpr,
    HEAD: tl.constexpr, ABOVE_NOW: tl.constexpr, FULL: tl.constexpr, LEARNT: tl.constexpr, UNIT_FIRST: tl.constexpr,
    LOW: tl.constexpr, HIGH: tl.constexpr, DOT: tl.constexpr,
):  # fmt: skip
    """Compute sums and gradient of the tile ``program_id(1)`` of the model ``program_id(0)``.

    ``weights`` (model, WEIGHTS); ``leak`` (2, U): 1 - 1/tau and 1/tau; ``of_loss`` (model, 2 Z + 1): weights of the
    divergence at the first step and later, and 1/N_x; ``mean_a``, ``sigma_a``, ``noise`` (model, sequence, step, latent);
    ``targets``, ``observed`` (sequence, step, ...); ``states`` (program, 1 + step, lane, U) is working memory. Written are
    ``g_weights`` (program, WEIGHTS), ``g_mean``, ``g_sigma`` as ``mean_a``, and ``sums`` (program, 1 + 2 Z): the error, and
    divergences by latent at the first step and later.
    """
    model, tile = tl.program_id(0).to(tl.int64), tl.program_id(1)
    program = model * tl.num_programs(1) + tile
    F: tl.constexpr = weights.dtype.element_ty
    lane, unit, latent, output = tl.arange(0, LANES), tl.arange(0, U), tl.arange(0, Z), tl.arange(0, OUT)
    sequence = tile * LANES + lane
    here = sequence < sequences
    group, bin = output // (OUT // GROUPS), output % (OUT // GROUPS)
    real = here[:, None] & ((group < dims) & (bin < bins))[None, :]
    column = (group * bins + bin)[None, :]
    of_latent = here[:, None] & (latent < latents)[None, :]
    p, g = weights + model * WEIGHTS, g_weights + program * WEIGHTS
    cell = ((model * sequences + sequence) * steps * latents)[:, None] + latent[None, :]
    kept = states + program * ((steps + 1) * LANES * U) + lane[:, None] * U + unit[None, :]
    keep, gain, bias = _row(leak, U), _row(leak + U, U), _row(p + BIAS, U)

    h = tl.zeros((LANES, U), F)
    d = tl.zeros((LANES, U), F)
    tl.store(kept, d)
    for t in range(0, steps):
        at = cell + t * latents
        inside = tl.load(mean_a + at, mask=of_latent, other=0.0)
        inside_sigma = tl.load(sigma_a + at, mask=of_latent, other=0.0)
        if FULL:
            inside += _product(d, p + POSTERIOR, Z, U, DOT) + _row(p + POSTERIOR_BIAS, Z)
            inside_sigma += _product(d, p + (POSTERIOR + Z * U), Z, U, DOT) + _row(p + (POSTERIOR_BIAS + Z), Z)
        tl.store(g_mean + at, inside, mask=of_latent)  # until the way back, which puts the gradients there
        tl.store(g_sigma + at, inside_sigma, mask=of_latent)
        eps = tl.load(noise + at, mask=of_latent, other=0.0)
        z = tanh(inside) + exp(_cut(inside_sigma, LOW, HIGH)) * eps
        u = _product(d, p + RECURRENT, U, U, DOT) + _product(z, p + LATENT, U, Z, DOT) + bias
        h = keep * h + gain * u
        d = tanh(h)
        if ABOVE_NOW:  # the top layer is right already; each round makes the next one right
            alone = h
            for _ in tl.static_range(DEPTH - 1):
                h = alone + gain * _product(d, p + DOWN, U, U, DOT)
                d = tanh(h)
        tl.store(kept + (t + 1) * LANES * U, d)
    tl.debug_barrier()

    length = tl.load(lengths + sequence, mask=here, other=0)
    loss = of_loss + model * (2 * Z + 1)
    per_x = tl.load(loss + 2 * Z)
    output_bias = _row(p + OUTPUT_BIAS, OUT)
    gh, gd = tl.zeros((LANES, U), F), tl.zeros((LANES, U), F)
    error = tl.zeros((LANES, OUT), F)
    first, later = tl.zeros((LANES, Z), F), tl.zeros((LANES, Z), F)
    to_recurrent, to_latent, to_bias = tl.zeros((U, U), F), tl.zeros((U, Z), F), tl.zeros((LANES, U), F)
    to_output, to_output_bias = tl.zeros((OUT, U), F), tl.zeros((LANES, OUT), F)
    if ABOVE_NOW:
        to_down = tl.zeros((U, U), F)
    if LEARNT:
        to_prior, to_prior_sigma = tl.zeros((Z, U), F), tl.zeros((Z, U), F)
        to_prior_bias, to_prior_sigma_bias = tl.zeros((LANES, Z), F), tl.zeros((LANES, Z), F)
    if FULL:
        to_posterior, to_posterior_sigma = tl.zeros((Z, U), F), tl.zeros((Z, U), F)
        to_posterior_bias, to_posterior_sigma_bias = tl.zeros((LANES, Z), F), tl.zeros((LANES, Z), F)
    for done in range(0, steps):
        t = steps - 1 - done
        before = tl.load(kept + t * LANES * U)

        # outputs
        row = (sequence * steps + t)[:, None]
        target = tl.load(targets + row * (dims * bins) + column, mask=real, other=0.0)
        seen = tl.load(observed + row * dims + group[None, :], mask=real, other=0.0)
        o = _product(d, p + OUTPUT, OUT, U, DOT) + output_bias
        if HEAD == 0:
            wrong, go = _softmax_error(o, target, seen, per_x, bins, LANES, OUT, GROUPS)
            error += wrong
        else:
            if HEAD == 1:
                o = tanh(o)
            apart = (o - target) * seen
            error += apart * apart
            go = 2.0 * per_x * apart
            if HEAD == 1:
                go = go * (1.0 - o * o)
        gd += _transposed(go, p + OUTPUT, OUT, U, DOT)
        to_output, to_output_bias = _outer(go, d, to_output, DOT), to_output_bias + go

        # divergence of the posterior from the prior
        at = cell + t * latents
        inside = tl.load(g_mean + at, mask=of_latent, other=0.0)
        inside_sigma = tl.load(g_sigma + at, mask=of_latent, other=0.0)
        eps = tl.load(noise + at, mask=of_latent, other=0.0)
        tl.debug_barrier()  # all have read what is overwritten below
        mean, log_q = tanh(inside), _cut(inside_sigma, LOW, HIGH)
        sigma = exp(log_q)
        prior, prior_sigma = tl.zeros((LANES, Z), F), tl.zeros((LANES, Z), F)
        if LEARNT:
            prior = _product(before, p + PRIOR, Z, U, DOT) + _row(p + PRIOR_BIAS, Z)
            prior_sigma = _product(before, p + (PRIOR + Z * U), Z, U, DOT) + _row(p + (PRIOR_BIAS + Z), Z)
            if UNIT_FIRST:
                prior, prior_sigma = tl.where(t > 0, prior, 0.0), tl.where(t > 0, prior_sigma, 0.0)
        mu, log_p = tanh(prior), _cut(prior_sigma, LOW, HIGH)
        precision = exp(-2.0 * log_p)
        apart = mean - mu
        ratio = (apart * apart + sigma * sigma) * precision
        counts = here & (t < length)
        kl = tl.where(counts[:, None], log_p - log_q + 0.5 * ratio - 0.5, 0.0)
        first += tl.where(t > 0, 0.0, kl)
        later += tl.where(t > 0, kl, 0.0)
        w = tl.where(t > 0, _row(loss + Z, Z), _row(loss, Z))
        w = tl.where(counts[:, None], w, 0.0)
        by_mean, by_sigma = w * apart * precision, w * (sigma * sigma * precision - 1.0)

        # the step
        slope = 1.0 - d * d
        by_h = gh + gd * slope
        if ABOVE_NOW:  # the lowest layer is right already
            alone = by_h
            for _ in tl.static_range(DEPTH - 1):
                by_h = alone + _transposed(gain * by_h, p + DOWN, U, U, DOT) * slope
        gu, gh = gain * by_h, keep * by_h
        gz = _transposed(gu, p + LATENT, U, Z, DOT)
        gq = (by_mean + gz) * (1.0 - mean * mean)
        gq_sigma = _within(inside_sigma, by_sigma + gz * eps * sigma, LOW, HIGH)
        tl.store(g_mean + at, gq, mask=of_latent)
        tl.store(g_sigma + at, gq_sigma, mask=of_latent)
        gd = _transposed(gu, p + RECURRENT, U, U, DOT)
        to_recurrent, to_bias = _outer(gu, before, to_recurrent, DOT), to_bias + gu
        to_latent = _outer(gu, mean + sigma * eps, to_latent, DOT)
        if ABOVE_NOW:
            to_down = _outer(gu, d, to_down, DOT)
        if FULL:
            gd += _transposed(gq, p + POSTERIOR, Z, U, DOT) + _transposed(gq_sigma, p + (POSTERIOR + Z * U), Z, U, DOT)
            to_posterior = _outer(gq, before, to_posterior, DOT)
            to_posterior_sigma = _outer(gq_sigma, before, to_posterior_sigma, DOT)
            to_posterior_bias, to_posterior_sigma_bias = to_posterior_bias + gq, to_posterior_sigma_bias + gq_sigma
        if LEARNT:
            gp = -by_mean * (1.0 - mu * mu)
            gp_sigma = _within(prior_sigma, w * (1.0 - ratio), LOW, HIGH)
            if UNIT_FIRST:
                gp, gp_sigma = tl.where(t > 0, gp, 0.0), tl.where(t > 0, gp_sigma, 0.0)
            gd += _transposed(gp, p + PRIOR, Z, U, DOT) + _transposed(gp_sigma, p + (PRIOR + Z * U), Z, U, DOT)
            to_prior, to_prior_sigma = _outer(gp, before, to_prior, DOT), _outer(gp_sigma, before, to_prior_sigma, DOT)
            to_prior_bias, to_prior_sigma_bias = to_prior_bias + gp, to_prior_sigma_bias + gp_sigma
        d = before

    total = sums + program * (1 + 2 * Z)
    tl.store(total, tl.sum(tl.sum(error, 1), 0))
    _put_row(total + 1, first, Z)
    _put_row(total + (1 + Z), later, Z)
    _put(g + RECURRENT, to_recurrent, U, U)
    _put(g + LATENT, to_latent, U, Z)
    _put_row(g + BIAS, to_bias, U)
    _put(g + OUTPUT, to_output, OUT, U)
    _put_row(g + OUTPUT_BIAS, to_output_bias, OUT)
    if ABOVE_NOW:
        _put(g + DOWN, to_down, U, U)
    if LEARNT:
        _put(g + PRIOR, to_prior, Z, U)
        _put(g + (PRIOR + Z * U), to_prior_sigma, Z, U)
        _put_row(g + PRIOR_BIAS, to_prior_bias, Z)
        _put_row(g + (PRIOR_BIAS + Z), to_prior_sigma_bias, Z)
    if FULL:
        _put(g + POSTERIOR, to_posterior, Z, U)
        _put(g + (POSTERIOR + Z * U), to_posterior_sigma, Z, U)
        _put_row(g + POSTERIOR_BIAS, to_posterior_bias, Z)
        _put_row(g + (POSTERIOR_BIAS + Z), to_posterior_sigma_bias, Z)
