"""Products of matrices for Numba, whose sums stay in registers: as quick as a library's, and many of them in one call.

A tile is a few rows by two vectors of columns. Each number of the product is one sum, in the order of its terms, so that it
has the same bits in whatever tile it stands, on however many threads.
"""

from __future__ import annotations

import llvmlite.binding
from llvmlite import ir
from numba import njit, types

from neurodyn.kernels.lanes import intrinsic

_WIDE = bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))
_BYTES = 64 if _WIDE else 32  # of a vector register
_ROWS = 8 if _WIDE else 4  # a tile takes half of the registers
_VECTORS = 2
DEPTH = 128  # terms of all sums at a time: what they read of B stays in the cache of the first level
WIDTH = _VECTORS * _BYTES  # of a tile
LANES = 8  # rows of matrices are padded to a multiple of it


def padded(columns: int, itemsize: int) -> int:
    """Return the number of columns that whole tiles have."""
    width = WIDTH // itemsize
    return -(-columns // width) * width


@njit(cache=True)
def whole(rows):
    """Return the number of rows that whole tiles have."""
    return -(-rows // LANES) * LANES


@intrinsic
def _tile(typingctx, c, c0, cs, a, a0, am, ak, b, b0, bk, depth):
    """Add a tile of A B to C: c[c0 + i cs + j] += sum over k of a[a0 + i am + k ak] b[b0 + k bk + j]; flat arrays."""

    def made(context, builder, signature, arguments):
        c, c0, cs, a, a0, am, ak, b, b0, bk, depth = arguments
        kinds, size = signature.args, signature.args[0].dtype.bitwidth // 8
        width, whole = _BYTES // size, ir.IntType(64)
        vector = ir.VectorType(context.get_value_type(kinds[0].dtype), width)
        nothing, zero = ir.Constant(vector, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        same = ir.Constant(ir.VectorType(ir.IntType(32), width), None)

        def several(pointer, count, stride):
            return [builder.gep(pointer, [builder.mul(stride, ir.Constant(whole, k))]) for k in range(count)]

        def data(array, kind, at):
            return builder.gep(context.make_array(kind)(context, builder, array).data, [at])

        def vectors(pointer):
            step = ir.Constant(whole, width)
            return [builder.bitcast(p, vector.as_pointer()) for p in several(pointer, _VECTORS, step)]

        places = [p for row in several(data(c, kinds[0], c0), _ROWS, cs) for p in vectors(row)]
        begin = [builder.load(p, align=size) for p in places]
        left, right = several(data(a, kinds[3], a0), _ROWS, am), data(b, kinds[7], b0)
        before = builder.block
        loop, after = builder.append_basic_block("terms"), builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        k, sums = builder.phi(whole), [builder.phi(vector) for _ in places]
        across = [builder.load(p, align=size) for p in vectors(builder.gep(right, [builder.mul(k, bk)]))]
        at, new = builder.mul(k, ak), []
        for i, pointer in enumerate(left):
            one = builder.insert_element(nothing, builder.load(builder.gep(pointer, [at]), align=size), zero)
            scale = builder.shuffle_vector(one, nothing, same)
            for total, value in zip(sums[i * _VECTORS :], across, strict=False):
                product = builder.fmul(scale, value, flags=("contract",))
                new.append(builder.fadd(total, product, flags=("contract",)))
        following = builder.add(k, ir.Constant(whole, 1))
        for phi, first, later in zip((k, *sums), (ir.Constant(whole, 0), *begin), (following, *new), strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", following, depth), loop, after)
        builder.position_at_end(after)
        for pointer, total in zip(places, new, strict=True):
            builder.store(total, pointer, align=size)
        return context.get_dummy_value()

    n = types.intp
    return types.void(c, n, n, a, n, n, n, b, n, n, n), made


@njit(cache=True, error_model="numpy", nogil=True)
def add_product(c, c0, cs, rows, columns, a, a0, am, ak, b, b0, bk, bn, depth):
    """C += A B, for ``rows``, a multiple of ``LANES``, and ``columns``, those of whole tiles (:func:`padded`).

    C[i, j] is c[c0 + i cs + j], A[i, k] a[a0 + i am + k ak]; B[k, j] lies at b[b0 + k bk + j], and each tile of columns
    begins ``bn`` numbers after the one before it. ``depth``, the number of terms, is at least 1. Flat arrays of one type.
    """
    width = WIDTH // c.itemsize
    for n in range(columns // width):
        for k in range(0, depth, DEPTH):
            to, part = c0 + n * width, b0 + n * bn + k * bk
            for m in range(0, rows, _ROWS):
                _tile(c, to + m * cs, cs, a, a0 + m * am + k * ak, am, ak, b, part, bk, min(DEPTH, depth - k))
