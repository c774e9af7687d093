"""Weights and delays of the synapses of a connection, one for each, without a list that is longer than the result.

What an expression of a hundred million synapses holds in between is computed for some of them at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.evaluate import Evaluator
from neurodyn.language import Translator
from neurodyn.lowering.connections import synapse_symbols
from neurodyn.parts import CircuitError, Connection, Normal, Uniform
from neurodyn.program import Block, Program, operations
from neurodyn.specs import expression_text

BLOCK = 2**22  # synapses


@dataclass(frozen=True, eq=False)
class PerSynapse:
    """What gives a number to each of the synapses of a connection."""

    c: Connection
    indptr: np.ndarray
    targets: np.ndarray
    circuit: Circuit
    program: Program
    values: Mapping[str, np.ndarray]

    def of(self, value: Any, what: str) -> np.ndarray:
        """Return one number for each synapse (synapses,), float64; one for all of them, if that is a delay."""
        c, count = self.c, self.targets.size
        text = expression_text(value)
        if text is not None:
            return self._evaluated(text, what)
        numbers = sample(value, f"{c.name}.{what}", count, seed=self.circuit.seed)
        if numbers.ndim and c.pairs is not None and numbers.shape == np.shape(c.pairs[0]):
            numbers = numbers[np.argsort(np.asarray(c.pairs[0]).ravel(), kind="stable")]
        if numbers.ndim and numbers.shape != (count,):
            raise CircuitError(
                f"connection {c.name!r}: {what} has shape {numbers.shape}; give one number, or one for each of the {count} synapses"
            )
        if isinstance(value, Uniform | Normal) or (what == "delay" and not numbers.ndim):
            return numbers
        return np.broadcast_to(numbers, (count,)).copy()

    def _evaluated(self, text: str, what: str) -> np.ndarray:
        from neurodyn.kernels.philox import draw

        c, count = self.c, self.targets.size
        axis = f"synapses of {c.name}"
        symbols = synapse_symbols(c, self.program.arrays, {})
        # the lowering has checked the units
        undimensioned = {k: replace(s, dimensions=None) for k, s in symbols.items()}
        items, result = Translator(c.name, undimensioned, (axis,)).expression(text, what)
        used = {result.operand, *(argument for op in operations(items) for argument in op.args)}
        block = Block("constants", axis, items, result=result.operand)
        at_once = count if any(op.op == "sum" for op in operations(items)) else BLOCK
        drawn: dict[tuple[str, str], np.ndarray] = {}
        out = np.empty(count)
        for first in range(0, count, max(at_once, 1)):
            last = min(first + at_once, count)
            arrays = self._arrays(first, last, symbols, used)
            axes = {k: (axis,) if np.ndim(v) else () for k, v in arrays.items()}

            def draws(kind: str, stream: str, size: int, first: int = first, last: int = last) -> np.ndarray:
                if (kind, stream) not in drawn:  # the counter of a draw is that of its synapse among all
                    drawn[kind, stream] = draw(kind, count, seed=self.circuit.seed, step=0, stream=stream)
                return drawn[kind, stream][first:last]

            out[first:last] = Evaluator(arrays, axes, {axis: last - first}, draws).run(block)
        return out

    def _arrays(self, first: int, last: int, symbols: Mapping[str, Any], used: set[Any]) -> dict[str, np.ndarray]:
        """Return what an expression may read for the synapses from ``first`` up to ``last``."""
        rows, targets = sources_of(self.indptr, first, last), self.targets[first:last]
        arrays: dict[str, np.ndarray] = {"i": rows.astype(float), "j": targets.astype(float)}
        for side, index, part in (("pre", rows, self.c.source.split(".")[0]), ("post", targets, self.c.target)):
            for key, numbers in self.values.items():
                name = f"{key[len(part) + 1 :]}_{side}"
                if key.startswith(f"{part}.") and name in symbols and name in used:  # one value a synapse: not of all
                    arrays[name] = numbers[index] if np.ndim(numbers) else numbers
        arrays["dt"] = np.asarray(self.circuit.timestep)
        return arrays


def sources_of(indptr: np.ndarray, first: int, last: int) -> np.ndarray:
    """Return the source units of the synapses from ``first`` up to ``last``."""
    low, high = np.searchsorted(indptr, first, side="right") - 1, np.searchsorted(indptr, last)
    low = max(int(low), 0)
    return np.repeat(np.arange(low, high), np.diff(np.clip(indptr[low : high + 1], first, last)))


def first_infinite(numbers: np.ndarray) -> int | None:
    """Return the place of the first number that is not finite; None if all are."""
    for first in range(0, numbers.size, BLOCK):
        finite = np.isfinite(numbers[first : first + BLOCK])
        if not finite.all():
            return first + int(np.argmin(finite))
    return None


def sample(value: Any, name: str, size: int, *, seed: int) -> np.ndarray:
    """Return the numbers of a specification in SI: a number, or one for each of ``size`` units."""
    from neurodyn.kernels.philox import draw

    if isinstance(value, Uniform | Normal):
        kind = "uniform" if isinstance(value, Uniform) else "normal"
        a, b = (value.low, value.high) if isinstance(value, Uniform) else (value.mean, value.std)
        first, second = (np.asarray(units.quantity(v, name=name).value, dtype=float) for v in (a, b))
        numbers = draw(kind, size, seed=seed, step=0, stream=name)
        numbers *= second - first if kind == "uniform" else second
        numbers += first
        return numbers
    return np.asarray(units.quantity(value, name=name).value, dtype=float)
