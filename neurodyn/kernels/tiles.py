"""Tiles of a symmetric matrix, 8 by 8 in registers: what Numba has no words for, the exchange of rows and columns.

A product of a symmetric matrix with a vector needs one triangle alone, if each of its elements is used twice, for its row
and for its column. Sums in index order then run along rows, which no compiler vectorises; with rows and columns of a
tile exchanged by 24 shuffles, eight such sums run side by side.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending, types

intrinsic: Any = extending.intrinsic  # what it makes is called without the context of the typing
SIDE = 8
_VECTOR = ir.VectorType(ir.DoubleType(), SIDE)
_NUMBER = ir.IntType(64)


class _Tile:
    """The instructions for the tile whose first element is (i, j) of a square matrix of float64, in rows."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        matrix, i, j, *rest = zip(signature.args, arguments, strict=True)
        self.i, self.j = i[1], j[1]
        square = context.make_array(matrix[0])(context, builder, matrix[1])
        self.matrix, self.width = square.data, builder.extract_value(square.shape, 1)
        self.vectors = [context.make_array(t)(context, builder, v).data for t, v in rest if isinstance(t, types.Array)]
        self.numbers = [v for t, v in rest if not isinstance(t, types.Array)]

    def load(self, pointer: Any, at: Any) -> Any:
        value = self.builder.load(self._place(pointer, at))
        value.align = 8
        return value

    def store(self, value: Any, pointer: Any, at: Any) -> None:
        self.builder.store(value, self._place(pointer, at)).align = 8

    def _place(self, pointer: Any, at: Any) -> Any:
        return self.builder.bitcast(self.builder.gep(pointer, [at]), _VECTOR.as_pointer())

    def after(self, first: Any, k: int) -> Any:
        return self.builder.add(first, ir.Constant(_NUMBER, k))

    def element(self, row: Any, k: int, column: Any) -> Any:
        """Return where element (row + k, column) stands."""
        return self.builder.add(self.builder.mul(self.after(row, k), self.width), column)

    def each(self, number: Any) -> Any:
        """Return a vector of one number."""
        undefined, lane = ir.Constant(_VECTOR, ir.Undefined), ir.IntType(32)
        one = self.builder.insert_element(undefined, number, ir.Constant(lane, 0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(lane, SIDE), [0] * SIDE))

    def one(self, pointer: Any, first: Any, k: int) -> Any:
        """Return a vector of the number at first + k."""
        return self.each(self.builder.load(self.builder.gep(pointer, [self.after(first, k)])))

    def updated(self, late: Any, scale: Any, inverse: Any) -> list[Any]:
        """Replace the tile by (tile - scale (late late')) inverse and return its rows."""
        b, rows = self.builder, []
        across, scale, inverse = self.load(late, self.j), self.each(scale), self.each(inverse)
        for k in range(SIDE):
            at = self.element(self.i, k, self.j)
            outer = b.fmul(scale, b.fmul(self.one(late, self.i, k), across))
            rows.append(b.fmul(b.fsub(self.load(self.matrix, at), outer), inverse))
            self.store(rows[-1], self.matrix, at)
        return rows

    def exchanged(self, rows: list[Any]) -> list[Any]:
        """Return the columns of a tile."""
        for half in (1, 2, 4):
            lanes = ir.VectorType(ir.IntType(32), SIDE)
            low = ir.Constant(lanes, [k if not k & half else SIDE + (k ^ half) for k in range(SIDE)])
            high = ir.Constant(lanes, [k | half if not k & half else SIDE + k for k in range(SIDE)])
            out = list(rows)
            for a in range(SIDE):
                if not a & half:
                    out[a] = self.builder.shuffle_vector(rows[a], rows[a | half], low)
                    out[a | half] = self.builder.shuffle_vector(rows[a], rows[a | half], high)
            rows = out
        return rows

    def add_products(self, total: Any, of: Any, rows: list[Any], x: Any, first: Any) -> None:
        """Add to total[of:of + 8] rows times x[first:first + 8], one after the other."""
        b, value = self.builder, self.load(total, of)
        for k, row in enumerate(rows):
            value = b.fadd(value, b.fmul(row, self.one(x, first, k)))
        self.store(value, total, of)


def _signature(*arguments: Any) -> Any:
    return types.none(*arguments)


@intrinsic
def update_and_multiply(typingctx, p, i, j, late, x, px, scale, inverse):
    """Update the tile at (i, j), i > j, of ``p`` by (p - scale (late late')) inverse, and add its part of p x to ``px``, of both triangles."""

    def made(context, builder, signature, arguments):
        tile = _Tile(context, builder, signature, arguments)
        late, x, px = tile.vectors
        rows = tile.updated(late, *tile.numbers)
        tile.add_products(px, tile.j, rows, x, tile.i)
        tile.add_products(px, tile.i, tile.exchanged(rows), x, tile.j)
        return context.get_dummy_value()

    return _signature(p, types.intp, types.intp, late, x, px, types.float64, types.float64), made


@intrinsic
def update_and_mirror(typingctx, p, i, j, late, scale, inverse):
    """Update the tile at (i, j), i > j, of ``p`` by (p - scale (late late')) inverse, and write it at (j, i) too."""

    def made(context, builder, signature, arguments):
        tile = _Tile(context, builder, signature, arguments)
        (late,) = tile.vectors
        for k, column in enumerate(tile.exchanged(tile.updated(late, *tile.numbers))):
            tile.store(column, tile.matrix, tile.element(tile.j, k, tile.i))
        return context.get_dummy_value()

    return _signature(p, types.intp, types.intp, late, types.float64, types.float64), made
