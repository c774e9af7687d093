"""Eight numbers of a row at once, for Numba: what short loops over the sequences of a batch are made of.

A compiler puts a long loop into vectors by itself, but guards it with tests that take longer than a short one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.extending import models, register_model

WIDTH = 8
intrinsic: Any = extending.intrinsic  # what it makes is called without the context of the typing


class Lanes(types.Type):
    """A vector of ``WIDTH`` floats of one type."""

    def __init__(self, number: types.Float) -> None:
        self.number = number
        super().__init__(name=f"Lanes({number})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        of = {32: ir.FloatType, 64: ir.DoubleType}[fe_type.number.bitwidth]()
        super().__init__(dmm, fe_type, ir.VectorType(of, WIDTH))


def _pointer(context, builder, array_type, array, row, column):
    """Pointer to a vector that begins at [row, column] of an array whose rows are contiguous."""
    struct = context.make_array(array_type)(context, builder, array)
    strides = builder.extract_value(struct.strides, 0)
    begin = builder.gep(builder.bitcast(struct.data, ir.IntType(8).as_pointer()), [builder.mul(strides, row)])
    first = builder.gep(builder.bitcast(begin, struct.data.type), [column])
    return builder.bitcast(first, context.get_value_type(Lanes(array_type.dtype)).as_pointer())


@intrinsic
def load(typingctx, array, row, column):
    """The numbers of ``array[row]`` from ``column`` on."""

    def made(context, builder, signature, arguments):
        pointer = _pointer(context, builder, signature.args[0], *arguments)
        return builder.load(pointer, align=signature.args[0].dtype.bitwidth // 8)

    return Lanes(array.dtype)(array, types.intp, types.intp), made


@intrinsic
def store(typingctx, array, row, column, value):
    """Put a vector into ``array[row]`` from ``column`` on."""

    def made(context, builder, signature, arguments):
        array, row, column, value = arguments
        pointer = _pointer(context, builder, signature.args[0], array, row, column)
        builder.store(value, pointer, align=signature.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), made


@intrinsic
def add_scaled(typingctx, total, scale, value):
    """``total`` + ``scale`` * ``value``, in one rounding where the processor can."""

    def made(context, builder, signature, arguments):
        total, scale, value = arguments
        whole = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), None)
        one = builder.insert_element(ir.Constant(value.type, ir.Undefined), scale, ir.Constant(ir.IntType(32), 0))
        same = builder.shuffle_vector(one, ir.Constant(value.type, ir.Undefined), whole)
        return builder.fadd(total, builder.fmul(same, value, flags=("contract",)), flags=("contract",))

    return total(total, total.number, total), made


@intrinsic
def add_product(typingctx, total, a, b):
    """``total`` + ``a`` * ``b``, number by number."""

    def made(context, builder, signature, arguments):
        total, a, b = arguments
        return builder.fadd(total, builder.fmul(a, b, flags=("contract",)), flags=("contract",))

    return total(total, a, b), made


@intrinsic
def zero(typingctx, array):
    """A vector of zeros of the type of an array."""

    def made(context, builder, signature, arguments):
        return ir.Constant(context.get_value_type(signature.return_type), [0.0] * WIDTH)

    return Lanes(array.dtype)(array), made


@intrinsic
def summed(typingctx, value):
    """The sum of the numbers of a vector, by halves."""

    def made(context, builder, signature, arguments):
        (v,) = arguments
        nothing, number = ir.Constant(v.type, ir.Undefined), ir.IntType(32)
        half = WIDTH // 2
        while half:
            moved = [(k + half) % WIDTH for k in range(WIDTH)]
            v = builder.fadd(v, builder.shuffle_vector(v, nothing, ir.Constant(ir.VectorType(number, WIDTH), moved)))
            half //= 2
        return builder.extract_element(v, ir.Constant(number, 0))

    return value.number(value), made
