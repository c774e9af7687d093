"""What the operations of a Program mean, in NumPy: the definition every runner is held to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

import numpy as np

from neurodyn.program import Axes, Block, Branch, Item, Op, Operand, Program, Store


def power_product(x: np.ndarray, n: float) -> np.ndarray:
    """Return x*x*...*x, multiplied from the left."""
    result = x
    for _ in range(int(n) - 1):
        result = result * x
    return result


def exprel(x: np.ndarray) -> np.ndarray:
    """Return (exp(x) - 1)/x, 1 at 0."""
    with np.errstate(all="ignore"):
        return np.where(np.abs(x) < 1e-16, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))


OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "mod": np.mod,
    "floordiv": np.floor_divide,
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arctan": np.arctan,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "sign": np.sign,
    "exprel": exprel,
    "pow": np.power,
    "power_product": power_product,
    "min": np.minimum,
    "max": np.maximum,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "select": np.where,
    # in index order, from 0.0: numpy's own sum adds pairwise, which gives other bits
    "sum": lambda x: 0.0 + np.add.accumulate(x, axis=-1)[..., -1] if np.shape(x)[-1] else np.zeros(np.shape(x)[:-1]),
}


@dataclass
class Evaluator:
    """Run blocks on arrays held in a dict; ``axes`` gives the names of the axes of each array."""

    arrays: MutableMapping[str, np.ndarray]
    axes: Mapping[str, Axes]
    sizes: Mapping[str, int]
    draw: Callable[[str, str, int], np.ndarray]  # (kind, stream, size) -> draws of this step
    rls: Callable[..., np.ndarray] | None = None
    dtype: type[np.floating] = np.float64  # of literals and draws, which are rounded to it
    _values: dict[str, np.ndarray] = field(default_factory=dict)
    _value_axes: dict[str, Axes] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        program: Program,
        arrays: MutableMapping[str, np.ndarray],
        sizes: Mapping[str, int],
        draw: Callable,
        rls: Callable | None = None,
    ) -> Evaluator:
        """Make an evaluator for the arrays of a program."""
        return cls(arrays, {a.name: a.axes for a in program.arrays}, sizes, draw, rls)

    def run(self, block: Block, units: np.ndarray | None = None) -> np.ndarray | None:
        """Run a block, for the spiking ``units`` only where it is a block of spikes; return its result, if it has one."""
        self._values, self._value_axes = {}, {}
        with np.errstate(all="ignore"):
            self._items(block.body, block.spikes_of, units)
            axes = (block.spikes_of or block.owner,)
            return None if block.result is None else self._operand(block.result, axes, block.spikes_of, units)

    def _items(self, items: tuple[Item, ...], axis: str | None, units: np.ndarray | None) -> None:
        for item in items:
            if isinstance(item, Op):
                self._values[item.name] = self._compute(item, axis, units)
                self._value_axes[item.name] = item.axes
            elif isinstance(item, Store):
                target, axes = self.arrays[item.array], self.axes[item.array]
                value = self._operand(item.value, axes, axis, units)
                if axis is not None and axis in axes:
                    target[..., units] = value
                else:
                    target[...] = value
            elif isinstance(item, Branch) and bool(self._operand(item.condition, (), axis, units)):
                self._items(item.body, axis, units)

    def _compute(self, op: Op, axis: str | None, units: np.ndarray | None) -> np.ndarray:
        if op.op in ("normal", "uniform"):
            shape = tuple(self.sizes[a] for a in op.axes)
            values = self.draw(op.op, str(op.args[-1]), int(np.prod(shape, dtype=int))).reshape(shape)
            values = values.astype(self.dtype, copy=False)
            return values[..., units] if axis is not None and axis in op.axes else values
        if op.op == "size":
            return np.asarray(self.sizes[str(op.args[0])], dtype=self.dtype)
        if op.op == "copy":  # also what spreads a number over the units
            value = self._operand(op.args[0], op.axes, axis, units)
            count = len(units) if units is not None else 0
            return np.array(np.broadcast_to(value, tuple(count if a == axis else self.sizes[a] for a in op.axes)))
        if op.op == "float":
            return np.asarray(self._operand(op.args[0], op.axes, axis, units), dtype=self.dtype)
        if op.op == "gather":
            values, index = (self.arrays[str(a)] for a in op.args)
            return values[index if axis not in op.axes or units is None else index[units]]
        if op.op == "arrive":  # one after the other: numpy's own adds equal targets once
            name, weights = str(op.args[0]), self._operand(op.args[1], op.axes, axis, units)
            np.add.at(self.arrays[f"{name}@arriving"], self.arrays[f"{name}@post"][units], weights)
            return np.zeros(())
        if op.op == "rls":
            assert self.rls is not None
            return self.rls(
                self.arrays,
                *op.args[:1],
                *(self._operand(a, op.axes if k == 0 else (), axis, units) for k, a in enumerate(op.args[1:])),
            )
        if op.op == "identity":
            matrix = self.arrays[str(op.args[0])]
            matrix[...] = np.eye(matrix.shape[0]) * self._operand(op.args[1], (), axis, units)
            return np.zeros(())
        if op.op == "power_product":
            return power_product(self._operand(op.args[0], op.axes, axis, units), float(op.args[1]))
        if op.op == "sum":
            (arg,) = op.args
            assert isinstance(arg, str)
            return OPERATIONS["sum"](self._operand(arg, self._axes(arg), axis, units))
        return OPERATIONS[op.op](*(self._operand(a, op.axes, axis, units) for a in op.args))

    def _axes(self, operand: str) -> Axes:
        return self._value_axes[operand] if operand in self._value_axes else self.axes[operand]

    def _operand(self, operand: Operand, axes: Axes, axis: str | None, units: np.ndarray | None) -> np.ndarray:
        if not isinstance(operand, str):
            return np.asarray(operand, dtype=None if isinstance(operand, bool) else self.dtype)
        if operand in self._values:
            value, own = self._values[operand], self._value_axes[operand]
        else:
            value, own = self.arrays[operand], self.axes[operand]
            if axis is not None and axis in own:
                value = value[..., units]
        if own == axes or not own:
            return value
        order = [own.index(a) for a in axes if a in own]
        if order != sorted(order):
            value = value.transpose(order)
        return value[tuple(slice(None) if a in own else None for a in axes)]
