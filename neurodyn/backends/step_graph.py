"""The statements of one step of a Program as a graph of values, without stores: what depends on what, and how to compute it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.circuit import Circuit
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.program import LAST_PHASES, Axes, Branch, Item, Op, Operand, Store, WeightedSum

_OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "mod": torch.remainder,
    "floordiv": lambda x, y: torch.div(x, y, rounding_mode="floor"),
    "pow": torch.pow,
    "min": torch.minimum,
    "max": torch.maximum,
    "and": torch.logical_and,
    "or": torch.logical_or,
    "not": torch.logical_not,
    "arctan": torch.atan,
    "select": torch.where,
    "float": lambda x: x.double(),
    "copy": lambda x: x,
    "exprel": lambda x: torch.where(x.abs() < 1e-16, 1.0, torch.expm1(x) / torch.where(x == 0, 1.0, x)),
    **{
        name: getattr(torch, name)
        for name in (
            *(
                "neg",
                "abs",
                "sqrt",
                "exp",
                "expm1",
                "log",
                "log1p",
                "log10",
                "sin",
                "cos",
                "tan",
                "sinh",
                "cosh",
                "tanh",
            ),
            *("floor", "ceil", "trunc", "sign", "lt", "le", "gt", "ge", "eq", "ne"),
        )
    },
}
_MEAN = {"normal": 0.0, "uniform": 0.5}  # of draws


@dataclass(eq=False)
class Node:
    """A value of a step: an operation on others, or what a step begins with ("entry", "input", "constant", "clock")."""

    op: str
    args: tuple[Node, ...]
    axes: Axes
    about: Any = None  # name of the array, value, matrix of a sum, exponent, stream


class StepGraph:
    """What a circuit without spikes computes in a step.

    ``carried`` are the arrays that a step needs of the one before, ``start`` their values, ``inputs`` nodes by input.
    """

    def __init__(self, circuit: Circuit, *, noise: str) -> None:
        self.circuit, self.noise, self.program = circuit, noise, circuit.program
        self.network = realize(circuit)
        engine = InterpreterEngine(self.network)
        engine.start_trial(learning=False, calibration=False, reset=True)
        self._start = {name: torch.from_numpy(np.array(value)) for name, value in engine.arrays.items()}
        self._axes = {a.name: a.axes for a in self.program.arrays}
        self.inputs: dict[str, Node] = {}
        self._local: dict[str, Node] = {}
        self._entry: dict[str, Node] = {a.name: self._begins(a.name, a.role) for a in self.program.arrays}
        self._now = dict(self._entry)
        self._trace()
        self._choose()

    def step(self, state: Mapping[str, Tensor], memo: dict[Node, Tensor]) -> dict[str, Tensor]:
        """Return the carried arrays a step later; ``memo`` holds the values of inputs."""
        before = {self._now[name]: value for name, value in state.items()}
        for name in self._derived:
            memo[self._entry[name]] = self._value(self._now[name], before)
        memo |= {self._entry[name]: value for name, value in state.items()}
        return {name: self._value(self._now[name], memo) for name in self.carried}

    def _begins(self, name: str, role: str) -> Node:
        axes = self._axes[name]
        if role == "input":
            node = self.inputs[name.removesuffix(".value")] = Node("input", (), axes, name)
            return node
        if role == "clock":
            if name in ("learning", "calibration"):
                return Node("constant", (), axes, torch.tensor(False))
            return Node("clock", (), axes, name)
        if role in ("parameter", "constant"):
            return Node("constant", (), axes, self._start[name])
        return Node("entry", (), axes, name)

    # --- the step, in the order that every runner keeps

    def _trace(self) -> None:
        program = self.program
        sums = {s.name: self._sum(s) for s in program.sums if self._early(s)}
        for population in program.populations:
            onto = [s for s in program.sums if s.target_population == population]
            sums |= {s.name: self._sum(s) for s in onto if not self._early(s)}
            for target in dict.fromkeys(s.target for s in onto):
                total, *rest = (sums[s.name] for s in onto if s.target == target)
                for term in rest:
                    total = Node("add", (total, term), total.axes)
                self._now[target] = total
            self._blocks("update", population)
        for phase in LAST_PHASES:
            self._blocks(phase)

    def _early(self, s: WeightedSum) -> bool:
        return s.delay >= 1 or s.source_axis not in self.program.populations

    def _sum(self, s: WeightedSum) -> Node:
        wiring = self.network.wiring[s.name]
        matrix = wiring.matrix
        if matrix is None:
            matrix = np.zeros((wiring.indptr.size - 1, self.network.sizes[s.target_population]))
            np.add.at(matrix, (wiring.sources, wiring.targets), wiring.weights)
        return Node("product", (self._now[s.source],), (s.target_population,), torch.from_numpy(np.array(matrix)))

    def _blocks(self, phase: str, owner: str | None = None) -> None:
        for block in self.program.phase(phase, owner):
            if block.spikes_of is None:
                self._local = {}
                self._items(block.body)

    def _items(self, items: tuple[Item, ...]) -> None:
        for item in items:
            if isinstance(item, Op):
                self._local[item.name] = self._operation(item)
            elif isinstance(item, Store):
                value, axes = self._operand(item.value), self._axes[item.array]
                self._now[item.array] = value if value.axes == axes else Node("copy", (value,), axes)
            else:
                self._branch(item)

    def _branch(self, item: Branch) -> None:
        condition = self._operand(item.condition)
        if condition.op == "constant" and not bool(condition.about):
            return
        before = dict(self._now)
        self._items(item.body)
        for name, new in self._now.items():
            if new is not before[name]:
                self._now[name] = Node("select", (condition, new, before[name]), new.axes)

    def _operation(self, op: Op) -> Node:
        if op.op in _MEAN:
            return Node("draw", (), op.axes, (op.op, op.args[-1]))
        if op.op == "size":
            return Node(
                "constant", (), (), torch.tensor(float(self.network.sizes[str(op.args[0])]), dtype=torch.float64)
            )
        if op.op == "power_product":
            return Node(op.op, (self._operand(op.args[0]),), op.axes, op.args[1])
        if op.op not in (*_OPERATIONS, "sum"):
            return Node("refused", (), op.axes, op.op)
        return Node(op.op, tuple(self._operand(a) for a in op.args), op.axes)

    def _operand(self, operand: Operand) -> Node:
        if isinstance(operand, str):
            return self._local[operand] if operand in self._local else self._now[operand]
        dtype = torch.bool if isinstance(operand, bool) else torch.float64
        return Node("constant", (), (), torch.tensor(operand, dtype=dtype))

    # --- what is carried from step to step

    def _choose(self) -> None:
        """Find the arrays that populations need of the step before; leave out those that others of them give."""
        owned = {a.name for a in self.program.arrays if a.name.partition(".")[0] in self.program.populations}
        written = {name for name, node in self._now.items() if node is not self._entry[name]}
        carried: dict[str, None] = {}
        ask = [name for name in self._now if name in owned & written]
        while ask:
            reached = self._reached([self._now[name] for name in ask])
            ask = [n.about for n in reached if n.op == "entry" and n.about in written and n.about not in carried]
            carried |= dict.fromkeys(ask)
        kept = [name for name in self._axes if name in carried]
        for name in reversed(list(kept)):
            others = {self._now[other] for other in kept if other != name}
            outside = {n.op for n in self._reached([self._now[name]], others) if n.op != "entry" or n.about in written}
            if not outside & {"entry", "input"} and self._given(name, [k for k in kept if k != name]):
                kept.remove(name)
        self.carried = tuple(kept)
        self._derived = tuple(name for name in carried if name not in kept)
        if not kept:
            raise CircuitError(f"step_function: no population of circuit {self.circuit.name!r} remembers anything")
        self.start = {name: self._start[name] for name in kept}
        for name in kept:
            if self._start[name].dtype != torch.float64:
                raise CircuitError(f"step_function: {name} is no number but a condition, and has no derivative")
        for node in self._reached([self._now[name] for name in carried]):
            self._refuse(node)

    def _reached(self, nodes: Iterable[Node], cut: Iterable[Node] = ()) -> list[Node]:
        cut = set(cut)
        found: dict[Node, None] = {}
        ask = [n for n in nodes if n not in cut]
        while ask:
            node = ask.pop()
            if node not in found:
                found[node] = None
                ask += [n for n in node.args if n not in cut]
        return list(found)

    def _given(self, name: str, others: list[str]) -> bool:
        """Whether the others give an array at the start already, as they do after a step."""
        nodes = self._reached([self._now[name]], [self._now[other] for other in others])
        if any(n.op in ("refused", "clock") for n in nodes):
            return False
        value = self._value(self._now[name], {self._now[other]: self._start[other] for other in others})
        return torch.allclose(value, self._start[name], rtol=1e-12, atol=0)

    def _refuse(self, node: Node) -> None:
        where = f"step_function: a step of circuit {self.circuit.name!r}"
        if node.op == "draw" and self.noise != "off":
            raise CircuitError(
                f"{where} draws noise ({node.about[1]}); noise='off' puts normal draws at 0 and uniform ones at 1/2"
            )
        if node.op == "clock":
            raise CircuitError(
                f"{where} depends on the time ({node.about}), not on its state alone; make that an input"
            )
        if node.op == "refused":
            raise CircuitError(f"{where} has an operation that can't be differentiated: {node.about}")

    # --- values

    def _value(self, node: Node, memo: dict[Node, Tensor]) -> Tensor:
        found = memo.get(node)
        if found is None:
            found = memo[node] = self._full(self._compute(node, memo), node.axes)
        return found

    def _compute(self, node: Node, memo: dict[Node, Tensor]) -> Tensor:
        if node.op == "constant":
            return node.about
        if node.op == "entry":  # never written
            return self._start[node.about]
        if node.op == "draw":
            return torch.tensor(_MEAN[node.about[0]], dtype=torch.float64)
        if node.op == "product":
            (source,) = node.args
            x = self._value(source, memo)
            return (x if source.axes else x[..., None]) @ node.about
        if node.op == "sum":
            return self._value(node.args[0], memo).sum(-1)
        args = [_aligned(self._value(a, memo), a.axes, node.axes) for a in node.args]
        if node.op == "power_product":
            return _power(args[0], int(node.about))
        return _OPERATIONS[node.op](*args)

    def _full(self, value: Tensor, axes: Axes) -> Tensor:
        """All axes in full, behind those of the batch."""
        shape = tuple(self.network.sizes[a] for a in axes)
        batch = max(value.ndim - len(shape), 0)
        return value if value.shape[batch:] == shape else value.expand(*value.shape[:batch], *shape)


def _aligned(value: Tensor, own: Axes, axes: Axes) -> Tensor:
    """A value with dimensions of length 1 for the axes that it lacks, behind those of the batch."""
    if own == axes:
        return value
    order = [own.index(a) for a in axes if a in own]
    if order != sorted(order):
        value = value.movedim([k - len(own) for k in order], list(range(-len(own), 0)))
    return value[(..., *(slice(None) if a in own else None for a in axes))]


def _power(x: Tensor, n: int) -> Tensor:
    result = x
    for _ in range(n - 1):
        result = result * x
    return result
