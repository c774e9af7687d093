"""exp and tanh for Numba that a compiler can put into vectors, in the type of their argument; NaN stays NaN.

Those of the C library are called for one number after the other. Here the error is 2 units in the last place of a
number of the result's greatest size; exp of what is beyond the range of a type is that of its end, neither 0 nor infinity.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, njit, types
from numba.extending import overload

intrinsic: Any = extending.intrinsic  # what it makes is called without the context of the typing
_F32, _F64 = np.float32, np.float64
_LOG2E32, _LOG2E64 = _F32(1 / math.log(2)), 1 / math.log(2)
# ln 2 in two parts, the first with so few digits that its multiples are exact
_HIGH32, _LOW32 = _F32(0.693359375), _F32(-2.12194440e-4)
_HIGH64, _LOW64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_C32 = tuple(_F32(1 / math.factorial(k)) for k in range(8))
_C64 = tuple(1 / math.factorial(k) for k in range(14))
_HALF32, _ONE32, _TWO32 = _F32(0.5), _F32(1), _F32(2)
_END32, _END64 = _F32(87.0), 708.0


@intrinsic
def _float_of_bits(typingctx, bits):
    """The float with these bits."""
    of = {types.int32: (types.float32, ir.FloatType()), types.int64: (types.float64, ir.DoubleType())}[bits]

    def made(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], of[1])

    return of[0](bits), made


@njit(error_model="numpy", fastmath={"contract"})
def _exp32(x):
    x = min(max(x, -_END32), _END32) if x == x else x
    scaled = x * _LOG2E32
    k = np.int32(scaled + (_HALF32 if scaled > 0 else -_HALF32))
    n = _F32(k)
    r = (x - n * _HIGH32) - n * _LOW32
    y = _C32[7]
    y = y * r + _C32[6]
    y = y * r + _C32[5]
    y = y * r + _C32[4]
    y = y * r + _C32[3]
    y = y * r + _C32[2]
    y = y * r + _ONE32
    y = y * r + _ONE32
    return y * _float_of_bits(np.int32((k + np.int32(127)) << np.int32(23)))


@njit(error_model="numpy", fastmath={"contract"})
def _exp64(x):
    x = min(max(x, -_END64), _END64) if x == x else x
    scaled = x * _LOG2E64
    k = np.int64(scaled + (0.5 if scaled > 0 else -0.5))
    n = float(k)
    r = (x - n * _HIGH64) - n * _LOW64
    y = _C64[13]
    y = y * r + _C64[12]
    y = y * r + _C64[11]
    y = y * r + _C64[10]
    y = y * r + _C64[9]
    y = y * r + _C64[8]
    y = y * r + _C64[7]
    y = y * r + _C64[6]
    y = y * r + _C64[5]
    y = y * r + _C64[4]
    y = y * r + _C64[3]
    y = y * r + _C64[2]
    y = y * r + 1.0
    y = y * r + 1.0
    return y * _float_of_bits((k + 1023) << 52)


def exp(x):
    """Return e^x."""
    raise NotImplementedError("for compiled code alone")


@overload(exp)
def _exp(x):
    if x == types.float32:
        return lambda x: _exp32(x)
    return lambda x: _exp64(x)


def exponential(x):
    """Return e^x, 0 and infinity beyond the range of the type; for Python too, so that generated text runs there."""
    return np.exp(x)


@overload(exponential)
def _exponential(x):
    if x == types.float32:

        def exponential32(x):
            y = _exp32(x)
            return _F32(0) if x < -_END32 else _F32(np.inf) if x > _END32 else y

        return exponential32

    def exponential64(x):
        y = _exp64(x)
        return 0.0 if x < -_END64 else np.inf if x > _END64 else y

    return exponential64


def tanh(x):
    """Return the hyperbolic tangent."""
    raise NotImplementedError("for compiled code alone")


@overload(tanh)
def _tanh(x):
    if x == types.float32:

        def tanh32(x):
            t = _exp32(-_TWO32 * abs(x))
            y = (_ONE32 - t) / (_ONE32 + t)
            return y if x >= 0 else -y

        return tanh32

    def tanh64(x):
        t = _exp64(-2.0 * abs(x))
        y = (1.0 - t) / (1.0 + t)
        return y if x >= 0 else -y

    return tanh64
