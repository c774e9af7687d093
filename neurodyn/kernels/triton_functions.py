"""What generated Triton kernels call: IEEE division and roots, draws, lists of who fired, sums, least squares.

With TRITON_INTERPRET=1 (set before triton is imported) kernels run in NumPy on the CPU, slowly: for tests.
"""

# the language of Triton, which only looks like Python
# pyright: reportMissingImports=false, reportOptionalOperand=false, reportCallIssue=false, reportOperatorIssue=false
# pyright: reportGeneralTypeIssues=false, reportArgumentType=false
from __future__ import annotations

import inspect
import os
from typing import Any

import triton
import triton.language as tl
from triton.runtime import interpreter

from neurodyn.kernels import philox

INTERPRETED = os.environ.get("TRITON_INTERPRET", "0").lower() in ("1", "on", "true", "yes", "y")

if INTERPRETED:  # the interpreter knows no functions of CUDA's library
    import numpy as np
    from triton.runtime.interpreter import TensorHandle

    def _in_numpy(function):
        def call(*args):
            data = function(*(a.handle.data for a in args))
            return tl.tensor(TensorHandle(data, args[0].dtype), max((a.type for a in args), key=lambda t: t.is_block()))

        return call

    exp, expm1, log, log1p, log10 = (_in_numpy(f) for f in (np.exp, np.expm1, np.log, np.log1p, np.log10))
    sin, cos, tan, sinh, cosh, tanh = (_in_numpy(f) for f in (np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh))
    atan, pow, fmod = (_in_numpy(f) for f in (np.arctan, np.power, np.fmod))

else:
    from triton.language.extra.libdevice import (  # noqa: F401
        atan,
        cos,
        cosh,
        exp,
        expm1,
        fmod,
        log,
        log1p,
        log10,
        pow,
        sin,
        sinh,
        tan,
        tanh,
    )

#: whether a fused multiply-add is one: the interpreter of older versions multiplies, then adds
ROUNDS_ONCE = tl.constexpr(not INTERPRETED or "_interpreter.fma_fp64" in inspect.getsource(interpreter))

# a kernel that is interpreted calls Python functions as they are
_jit: Any = (lambda function: function) if INTERPRETED else triton.jit

# AS 241 stands once, in the file of the CPU: Triton compiles the text of these functions, too
_centre, _tail, _far_tail = (_jit(f.py_func) for f in (philox._centre, philox._tail, philox._far_tail))


@_jit
def divided(a, b):
    """Return a/b rounded as IEEE wants it (the operator alone is approximate in float32)."""
    if a.dtype == tl.float32 and b.dtype == tl.float32:
        return tl.div_rn(a, b)
    else:
        return a / b


@_jit
def quotient(x, d, z):
    """Return x/d for z = 1/d, as :func:`neurodyn.kernels.vectors.quotient` has it: a product and two fused multiply-adds.

    Signs are turned by products, since -x is 0 - x in older versions, which loses that of 0.
    """
    if not ROUNDS_ONCE:
        return divided(x, d)
    elif x.dtype == tl.float32:
        x = x * 33554432.0  # 2^25: what is left over must not become subnormal
        q = x * z
        return tl.fma(tl.fma(q, d, x * -1.0) * -1.0, z, q) * 2.9802322387695312e-08
    else:
        x = x * 18014398509481984.0  # 2^54
        q = x * z
        return tl.fma(tl.fma(q, d, x * -1.0) * -1.0, z, q) * 5.551115123125783e-17


@_jit
def root(a):
    """Return the square root rounded as IEEE wants it."""
    if a.dtype == tl.float32:
        return tl.sqrt_rn(a)
    else:
        return tl.sqrt(a)


@_jit
def sign(a, zero, one):
    """Return the sign; what is not a number stays so."""
    return tl.where(a > zero, one, tl.where(a < zero, -one, a + zero))


@_jit
def smaller(a, b):
    """Return the smaller; what is not a number stays so."""
    return tl.where(a < b, a, tl.where(a != a, a, b))


@_jit
def larger(a, b):
    """Return the larger; what is not a number stays so."""
    return tl.where(a > b, a, tl.where(a != a, a, b))


@_jit
def trunc(a, zero):
    """Round towards zero."""
    return tl.where(a < zero, tl.ceil(a), tl.floor(a))


@_jit
def mod(a, b, zero):
    """Return the remainder with the sign of the divisor, as Python and NumPy have it."""
    r = fmod(a, b)
    return tl.where(b < zero, tl.where(r > zero, r + b, r), tl.where(r < zero, r + b, r))


@_jit
def floordiv(a, b, zero, half, one):
    """Return the quotient rounded down, as NumPy has it: from the remainder, which is exact."""
    r = fmod(a, b)
    q = divided(a - r, b)
    q = tl.where(b < zero, tl.where(r > zero, q - one, q), tl.where(r < zero, q - one, q))
    down = tl.floor(q)
    down = tl.where(q - down > half, down + one, down)
    plain = divided(a, b)
    return tl.where(b == zero, plain, tl.where(q != zero, down, zero * plain))


@_jit
def exprel(a, zero, one, tiny):
    """Return (exp(a) - 1)/a, 1 at 0."""
    return tl.where(tl.abs(a) < tiny, one, divided(expm1(a), tl.where(a == zero, one, a)))


# -- draws -------------------------------------------------------------------------------------------------------


@_jit
def _words(pair, step, stream: tl.constexpr, seed):
    """Return the four words of Philox 4x32-10 for the pair of units (2 pair, 2 pair + 1)."""
    k0, k1 = (seed & 0xFFFFFFFF).to(tl.uint32), (seed >> 32 & 0xFFFFFFFF).to(tl.uint32)
    c1, c2 = (step & 0xFFFFFFFF).to(tl.uint32), (step >> 32 & 0xFFFFFFFF).to(tl.uint32)
    return tl.philox_impl(pair.to(tl.uint32), c1, c2, tl.full((), stream, tl.uint32), k0, k1)


@_jit
def _unit_interval(high, low):
    bits = (high.to(tl.uint64) << 20) | (low.to(tl.uint64) >> 12)
    return (bits.to(tl.float64) + 0.5) * 2.220446049250313e-16


@_jit
def uniform(index, step, stream: tl.constexpr, seed):
    """Return the uniforms, float64, of a tile of any indices; two neighbours make the same call of Philox."""
    w0, w1, w2, w3 = _words(index >> 1, step, stream, seed)
    odd = (index & 1) == 1
    return _unit_interval(tl.where(odd, w2, w0), tl.where(odd, w3, w1))


@_jit
def normal_of(u):
    """Turn a tile of uniforms into standard normals by the inverse distribution, AS 241."""
    r = tl.sqrt(-log(tl.where(u < 0.5, u, 1.0 - u)))
    tail = _tail(r)
    if tl.max(r, 0) > 5.0:  # one draw in 36 thousand million
        tail = tl.where(r > 5.0, _far_tail(r), tail)
    return tl.where(tl.abs(u - 0.5) > 0.425, tl.where(u < 0.5, -tail, tail), _centre(u - 0.5))


@_jit
def normal(index, step, stream: tl.constexpr, seed):
    """Return the standard normals, float64, of a tile of any indices."""
    return normal_of(uniform(index, step, stream, seed))


@_jit
def single(values):
    """Return the one number of a tile of one."""
    return tl.sum(values, 0)


# -- who fired ---------------------------------------------------------------------------------------------------


@_jit
def listed(above, units, fired, count):
    """Append the units that are above threshold to the list ``fired`` of ``count``; return the new count."""
    hits = above.to(tl.int32)
    tl.store(fired + (count + tl.cumsum(hits, 0) - hits), units, mask=above)
    return count + tl.sum(hits, 0)


@_jit
def noted(above, bits, start, words, BLOCK: tl.constexpr):
    """Write a tile from unit ``start`` on as bits, 32 units a word of ``words``."""
    hits = tl.reshape(above.to(tl.int32), (BLOCK // 32, 32))
    word = start // 32 + tl.arange(0, BLOCK // 32)
    tl.store(bits + word, tl.sum(hits << tl.arange(0, 32)[None, :], 1), mask=word < words)


@_jit
def _cells(at, last, targets, weights, delays, slot, length, width, late: tl.constexpr):
    """Return the cells of the ring and the weights of a tile of synapses."""
    there = at < last
    cell = tl.load(targets + at, mask=there, other=0)
    if late:
        slot = slot + tl.load(delays + at, mask=there, other=0).to(tl.int32)
        slot = tl.where(slot >= length, slot - length, slot)
    return cell + slot * width, tl.load(weights + at, mask=there, other=0.0)


@_jit
def _row(
    fired, q, count, indptr, targets, weights, delays, slot, length, width, late: tl.constexpr, BLOCK: tl.constexpr
):
    """Return begin and end of the row of the q-th that fired, and its first tile; a row behind the last is empty."""
    unit = tl.load(fired + q, mask=q < count, other=0)
    first = tl.load(indptr + unit, mask=q < count, other=0)
    last = tl.load(indptr + unit + 1, mask=q < count, other=0)
    cell, weight = _cells(first + tl.arange(0, BLOCK), last, targets, weights, delays, slot, length, width, late)
    return first, last, cell, weight


@_jit
def _add(ring, cell, weight, there, distinct: tl.constexpr):
    if distinct:
        tl.store(ring + cell, tl.load(ring + cell, mask=there, other=0.0) + weight, mask=there)
    else:
        tl.atomic_add(ring + cell, weight, mask=there)


@_jit
def added(cell, weight, there, distinct: tl.constexpr):
    """Add the weights of a tile of synapses to the cells of their targets."""
    if distinct:
        tl.store(cell, tl.load(cell, mask=there, other=0.0) + weight, mask=there)
    else:
        tl.atomic_add(cell, weight, mask=there)


@_jit
def _add_row(first, last, cell, weight, targets, weights, delays, ring, slot, length, width, late: tl.constexpr, distinct: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Add one row to the ring; no other row may be under way."""
    lane = tl.arange(0, BLOCK)
    _add(ring, cell, weight, first + lane < last, distinct)
    for start in range(first + BLOCK, last, BLOCK):
        cell, weight = _cells(start + lane, last, targets, weights, delays, slot, length, width, late)
        _add(ring, cell, weight, start + lane < last, distinct)
    tl.debug_barrier()


@_jit
def propagated(fired, count, indptr, targets, weights, delays, ring, slot, length, width, late: tl.constexpr, distinct: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Add the synapses of who fired to a ring, row after row: the order, and so the bits, of a single network.

    All arrive in ``slot``, or each synapse some steps after it where they are ``late``. Where the cells of a row are
    ``distinct`` no two threads meet; else they add atomically. ``targets`` are cells of the rings of all networks. Four
    rows are loaded before the first is added, since a load takes longer than all the rest.
    """
    for q in range(0, count, 4):
        a, b, cell, weight = _row(fired, q, count, indptr, targets, weights, delays, slot, length, width, late, BLOCK)
        a1, b1, cell1, weight1 = _row(fired, q + 1, count, indptr, targets, weights, delays, slot, length, width, late, BLOCK)  # fmt: skip
        a2, b2, cell2, weight2 = _row(fired, q + 2, count, indptr, targets, weights, delays, slot, length, width, late, BLOCK)  # fmt: skip
        a3, b3, cell3, weight3 = _row(fired, q + 3, count, indptr, targets, weights, delays, slot, length, width, late, BLOCK)  # fmt: skip
        _add_row(a, b, cell, weight, targets, weights, delays, ring, slot, length, width, late, distinct, BLOCK)
        _add_row(a1, b1, cell1, weight1, targets, weights, delays, ring, slot, length, width, late, distinct, BLOCK)
        _add_row(a2, b2, cell2, weight2, targets, weights, delays, ring, slot, length, width, late, distinct, BLOCK)
        _add_row(a3, b3, cell3, weight3, targets, weights, delays, ring, slot, length, width, late, distinct, BLOCK)


# -- sums over sources, in index order ---------------------------------------------------------------------------


@_jit
def dense_sum(total, matrix, source, units, targets, sources, width):
    """Add matrix[j, i] * source[j] over all j to a tile of ``total``; eight rows are under way at a time."""
    for first in range(0, sources, 8):
        for k in tl.static_range(8):
            row = first + k
            x = tl.load(source + row, mask=row < sources, other=0.0)
            here = units < tl.where(row < sources, targets, 0)
            total += tl.load(matrix + (row * width + units), mask=here, other=0.0) * x
    return total


@_jit
def plastic_sum(total, indptr, sources, synapses, weights, source, units, there):
    """Add weight * source over the synapses of each target to a tile of ``total``; weights lie in order of the sources."""
    first = tl.load(indptr + units, mask=there, other=0)
    last = tl.load(indptr + units + 1, mask=there, other=0)
    for q in range(0, tl.max(last - first, 0)):
        more = first + q < last
        x = tl.load(source + tl.load(sources + first + q, mask=more, other=0), mask=more, other=0.0)
        synapse = tl.load(synapses + first + q, mask=more, other=0)
        total += tl.load(weights + synapse, mask=more, other=0.0) * x
    return total


@_jit
def sparse_sum(total, indptr, sources, weights, source, units, there):
    """Add weight * source over the synapses of each target, sorted by source, to a tile of ``total``."""
    first = tl.load(indptr + units, mask=there, other=0)
    last = tl.load(indptr + units + 1, mask=there, other=0)
    for q in range(0, tl.max(last - first, 0)):
        more = first + q < last
        x = tl.load(source + tl.load(sources + first + q, mask=more, other=0), mask=more, other=0.0)
        total += tl.load(weights + first + q, mask=more, other=0.0) * x
    return total


# -- matrices ----------------------------------------------------------------------------------------------------


@_jit
def rls_gain(p, x, px, gain, n, width, forgetting, old_gain, BLOCK: tl.constexpr):
    """Update P in place for one sample x and write the gain (see :func:`neurodyn.kernels.rls.rls_gain`)."""
    lane = tl.arange(0, BLOCK)
    part = tl.zeros((BLOCK,), tl.float64)
    for start in range(0, n, BLOCK):
        units = start + lane
        there = units < n
        product = tl.zeros((BLOCK,), tl.float64)
        for first in range(0, n, 8):
            for k in tl.static_range(8):
                row = first + k
                value, here = tl.load(x + row, mask=row < n, other=0.0).to(tl.float64), units < tl.where(row < n, n, 0)
                product += tl.load(p + (row * width + units), mask=here, other=0.0) * value
        tl.store(px + units, product, mask=there)
        part += tl.load(x + units, mask=there, other=0.0).to(tl.float64) * product
    scale = 1.0 / (forgetting.to(tl.float64) + tl.sum(part, 0))
    inverse = 1.0 / forgetting.to(tl.float64)
    tl.debug_barrier()
    for start in range(0, n, BLOCK):
        units = start + lane
        there = units < n
        column = tl.load(px + units, mask=there, other=0.0)
        tl.store(gain + units, tl.where(old_gain != 0.0, column, column * scale), mask=there)
        for first in range(0, n, 4):
            for k in tl.static_range(4):
                row = first + k
                cell, here = p + (row * width + units), units < tl.where(row < n, n, 0)
                value = tl.load(px + row, mask=row < n, other=0.0)
                new = tl.load(cell, mask=here, other=0.0) - scale * (value * column)
                tl.store(cell, new * inverse, mask=here)


@_jit
def set_identity(p, value, n, width, BLOCK: tl.constexpr):
    """Set a matrix to ``value`` times the identity."""
    for row in range(0, n):
        for start in range(0, n, BLOCK):
            units = start + tl.arange(0, BLOCK)
            tl.store(p + (row * width + units), tl.where(units == row, value, value * 0.0), mask=units < n)
