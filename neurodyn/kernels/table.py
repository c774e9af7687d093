"""Many arrays handed to compiled code as one: a table of where each lies and how large it is.

Numba writes code that unpacks every array argument from its Python object, and code to allocate every workspace: for
the step of a reservoir, which takes ninety arrays, a third of the time to compile it. Here a kernel gets one array of
int64, and three instructions make an array of it again.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, types
from numba.np.arrayobj import _empty_nd_impl, make_array, populate_array

intrinsic: Any = extending.intrinsic


@dataclass(frozen=True)
class Kind:
    """What compiled code must know of an array in advance: type, dimensions, whether its numbers lie apart."""

    dtype: str
    ndim: int
    strided: bool = False

    @classmethod
    def of(cls, array: np.ndarray) -> Kind:
        """Return the kind of an array."""
        return cls(array.dtype.name, array.ndim, not array.flags.c_contiguous)

    @property
    def words(self) -> int:
        """Numbers in the table: the address, the shape, and strides where they are not those of the shape."""
        return 1 + self.ndim * (2 if self.strided else 1)

    @property
    def reader(self) -> str:
        """The name of :func:`reader` of this kind in generated text."""
        return f"{self.dtype}_{self.ndim}{'_apart' if self.strided else ''}"


class Table:
    """Where arrays lie, by name; compiled code reads ``numbers``. Whoever puts an array in, keeps it alive."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds, self._starts, size = dict(kinds), {}, 0
        for name, kind in self.kinds.items():
            self._starts[name] = size
            size += kind.words
        self.numbers = np.zeros(size, np.int64)
        self._kept: dict[str, np.ndarray] = {}

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Table:
        """Return a table of arrays, which it keeps alive."""
        table = cls({name: Kind.of(array) for name, array in arrays.items()})
        table.put(arrays)
        table._kept = dict(arrays)
        return table

    def put(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set arrays; compiled code would not notice one of another kind."""
        for name, array in arrays.items():
            kind, start = self.kinds[name], self._starts[name]
            found = Kind.of(array)
            if found not in (kind, replace(kind, strided=False)):
                raise TypeError(f"array {name!r} is {found}; this table was made for {kind}")
            strides = array.strides if kind.strided else ()
            self.numbers[start : start + kind.words] = [array.ctypes.data, *array.shape, *strides]

    def text(self, names: Iterable[str], table: str) -> list[str]:
        """Return the lines that make arrays of the table of that name."""
        return [f"{name} = {self.kinds[name].reader}({table}, {self._starts[name]})" for name in names]


def names_of(kinds: Iterable[Kind]) -> str:
    """Return the lines that name the readers of kinds in a generated module."""
    lines = {k.reader: f"{k.reader} = reader({k.dtype!r}, {k.ndim}, {k.strided})\n" for k in kinds}
    return "".join(lines[name] for name in sorted(lines))


@functools.cache
def reader(dtype: str, ndim: int, strided: bool) -> Any:
    """Return what makes an array of the table of numbers and where it stands in it."""
    made = types.Array(_numba_type(dtype), ndim, "A" if strided else "C")

    @intrinsic
    def read(typingctx, table, start):
        def write(context, builder, signature, arguments):
            word, (numbers, at) = context.get_value_type(types.intp), arguments
            data = make_array(signature.args[0])(context, builder, numbers).data
            first = builder.gep(data, [at])

            def number(k: int) -> Any:
                return builder.load(builder.gep(first, [ir.Constant(word, k)]))

            pointer = context.get_data_type(made.dtype).as_pointer()
            size = ir.Constant(word, context.get_abi_sizeof(context.get_data_type(made.dtype)))
            shape = [number(1 + k) for k in range(ndim)]
            strides = [number(1 + ndim + k) for k in range(ndim)] if strided else _strides(builder, shape, size)
            array = make_array(made)(context, builder)
            place = builder.load(builder.bitcast(first, pointer.as_pointer()))
            populate_array(array, data=place, shape=shape, strides=strides, itemsize=size, meminfo=None)
            return array._getvalue()

        return made(table, types.intp), write

    return read


@functools.cache
def room(dtype: str) -> Any:
    """Return what allocates a one-dimensional array of a number of elements, which hold anything."""
    made = types.Array(_numba_type(dtype), 1, "C")

    @intrinsic
    def allocate(typingctx, size):
        def write(context, builder, signature, arguments):
            return _empty_nd_impl(context, builder, made, arguments)._getvalue()

        return made(types.intp), write

    return allocate


@intrinsic
def bytes_of(typingctx, array):
    """Return a one-dimensional array in a piece as its bytes."""
    made = types.Array(types.uint8, 1, "C")

    def write(context, builder, signature, arguments):
        given = make_array(signature.args[0])(context, builder, arguments[0])
        size = builder.mul(builder.extract_value(given.shape, 0), given.itemsize)
        one = context.get_constant(types.intp, 1)
        result = make_array(made)(context, builder)
        data = builder.bitcast(given.data, ir.IntType(8).as_pointer())
        populate_array(
            result, data=data, shape=[size], strides=[one], itemsize=one, meminfo=given.meminfo, parent=given.parent
        )
        value = result._getvalue()
        context.nrt.incref(builder, made, value)
        return value

    return made(array), write


def _numba_type(dtype: str) -> Any:
    return types.boolean if dtype == "bool" else getattr(types, dtype)


def _strides(builder: Any, shape: list[Any], size: Any) -> list[Any]:
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    return strides if shape else []
