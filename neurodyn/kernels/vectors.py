"""What Numba has no words for: the width of vectors, cache lines asked for in advance, a division that costs less than one.

LLVM takes vectors of 256 bits where a processor has 512, since older ones slowed their clock for wide ones; a kernel
that calls :func:`wide` gets whole registers where that no longer holds. The numbers stay the same.

:func:`quotient` is x/d for a divisor that many numbers share. A division takes a core's one divider for as long as a
dozen products; with z = 1/d, rounded, two fused multiply-adds after the product x z give the bits that the division
gives (Markstein 1990, IBM J. Res. Dev. 34:111; Brisebarre, Muller & Raina 2004, IEEE Trans. Comput. 53:1069).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils
from numba.extending import overload

if TYPE_CHECKING:
    from neurodyn.program import Program

intrinsic: Any = extending.intrinsic  # what it makes is called without the context of the typing
# what is left over, x - q d, has up to 106 binary places less than x (48 in float32): it must not become subnormal
_UP64, _DOWN64 = 2.0**54, 2.0**-54
_UP32, _DOWN32 = np.float32(2.0**25), np.float32(2.0**-25)
#: divisors that :func:`quotient` takes: they and their reciprocals are normal numbers
DIVISORS = {"float64": (1e-300, 1e300), "float32": (1e-37, 1e37)}


@functools.cache
def fused() -> bool:
    """Return whether this processor multiplies and adds in one instruction; without, LLVM calls a slow function for it."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return bool(features.get("fma")) or llvm.get_default_triple().startswith(("aarch64", "arm64"))


def shared_divisors(program: Program, arrays: Mapping[str, np.ndarray], dtype: str) -> tuple[str, ...]:
    """Return the names of the numbers, the same for all units throughout a chunk, by which :func:`quotient` divides."""
    if not fused():
        return ()
    low, high = DIVISORS[dtype]
    single = [a.name for a in program.arrays if not a.axes and a.role in ("parameter", "constant")]
    return tuple(name for name in single if low < float(arrays[name].flat[0]) < high)


@functools.cache
def _whole_registers() -> bool:
    """Whether vectors of 512 bits cost this processor no clock: with the instructions that came after that was mended."""
    import llvmlite.binding as llvm

    return bool(llvm.get_host_cpu_features().get("avx512vbmi2"))


@intrinsic
def wide(typingctx):
    """Let LLVM use vectors of 512 bits in the function that calls this, where that pays."""

    def made(context, builder, signature, arguments):
        if _whole_registers():
            # llvmlite checks names of attributes against a list that has those without a value only
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), made


@intrinsic
def fma(typingctx, a, b, c):
    """Return a b + c, rounded once."""
    if not (a == b == c and a in (types.float32, types.float64)):
        return None
    return a(a, b, c), lambda context, builder, signature, arguments: builder.fma(*arguments)


@intrinsic
def prefetch(typingctx, array, at):
    """Ask for the cache line of an element of a one-dimensional array that is needed soon; any place may be named."""

    def made(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(data, [arguments[1]])
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [byte, number, number, number]), "llvm.prefetch.p0"
        )
        to_read, keep, data_cache = (ir.Constant(number, value) for value in (0, 3, 1))
        builder.call(function, [builder.bitcast(place, byte), to_read, keep, data_cache])
        return context.get_dummy_value()

    return types.none(array, types.uint64), made


def quotient(x, d, z):
    """Return x/d, correctly rounded, for ``d`` within ``DIVISORS`` and z = 1/d, in compiled code.

    Numerator and quotient must be 0 or normal numbers, and not as large as 1e292 (1e30 in float32): smaller quotients may
    differ from x/d in the last place, larger ones are NaN.
    """
    raise NotImplementedError("for compiled code alone")


@overload(quotient)
def _quotient(x, d, z):
    if not (x == d == z):
        return lambda x, d, z: x / d
    return (lambda x, d, z: _quotient32(x, d, z)) if x == types.float32 else (lambda x, d, z: _quotient64(x, d, z))


@njit(error_model="numpy")
def _quotient64(x, d, z):
    x *= _UP64
    q = x * z
    return fma(-fma(q, d, -x), z, q) * _DOWN64  # this way round a numerator of -0 keeps its sign


@njit(error_model="numpy")
def _quotient32(x, d, z):
    x *= _UP32
    q = x * z
    return fma(-fma(q, d, -x), z, q) * _DOWN32


def remainder(x, d, z):
    """Return x modulo d, which has no error, for ``d`` within ``DIVISORS`` and z = 1/d, in compiled code."""
    raise NotImplementedError("for compiled code alone")


@overload(remainder)
def _remainder(x, d, z):
    if not (x == d == z):
        return lambda x, d, z: x % d
    most = 2.0 ** (22 if x == types.float32 else 51)  # whole numbers up to here have neighbours a half away

    def made(x, d, z):
        whole = np.floor(quotient(x, d, z))
        if not abs(whole) < most:
            return x % d
        # a quotient that was rounded up to a whole number leaves something below zero, and both are exact
        left = fma(-whole, d, x)
        return left + d if left < 0 else left

    return made
