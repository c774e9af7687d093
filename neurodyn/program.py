"""The lowered form of a circuit: statements in single-assignment form over named axes.

A :class:`Program` says what one step computes, for every runner alike. Its blocks hold operations on named arrays;
an array has named axes (a population, or the labels of a group of outputs), and an operation's axes are the union
of its operands'. Sizes and values are not part of a Program, so circuits that differ in numbers only share one.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

Operand = str | float | bool
Axes = tuple[str, ...]

#: phases at the end of a step, in order
LAST_PHASES = ("trace", "observe", "learn", "weights", "decay")

#: operations whose last bit differs between math libraries, so that runners agree only to a tolerance
INEXACT = frozenset(
    {
        "exp",
        "expm1",
        "log",
        "log1p",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sinh",
        "cosh",
        "arctan",
        "pow",
        "power_product",
        "exprel",
        "rls",
        "log10",
    }
)


@dataclass(frozen=True)
class Array:
    """A named array: ``role`` is "state", "memory", "parameter", "constant", "input" or "workspace".

    ``dtype`` is "float", "bool" or "index" (units that the synapses of a connection come from and go to).
    """

    name: str
    axes: Axes
    role: str
    dtype: str = "float"
    unit: str = "1"

    @property
    def wide(self) -> bool:
        """Whether it stays in float64 whatever the precision: matrices over units, the P of least squares."""
        return len(self.axes) == 2 and self.axes[1].endswith("'")

    @property
    def kept(self) -> bool:
        """Whether it is part of the state that a continuation needs."""
        return self.role not in ("parameter", "constant")


@dataclass(frozen=True)
class Op:
    """``name = op(*args)`` elementwise over ``axes``; "sum" reduces the last axis of its operand.

    Draws ("normal", "uniform") carry the name of their stream as argument, "rls" updates its first operand in
    place and returns the gain. "gather" (array of units, index array) has the value of one unit for each synapse;
    "arrive" (connection, weights) adds to what reaches the targets in this step, synapse after synapse.
    """

    name: str
    op: str
    args: tuple[Operand, ...]
    axes: Axes
    dtype: str = "float"


@dataclass(frozen=True)
class Store:
    """Write a value into an array."""

    array: str
    value: Operand


@dataclass(frozen=True)
class Branch:
    """Run ``body`` where the network-wide ``condition`` holds."""

    condition: Operand
    body: tuple[Item, ...]


Item = Op | Store | Branch


@dataclass(frozen=True)
class Block:
    """Statements run at one phase of a step, for all units or (``spikes_of``) for those that just spiked.

    Phases: "constants" and "start" (once), "initial" (session start and each reset), "update", "threshold",
    "spiked" (refractoriness), "on_post", "on_pre" (``spikes_of`` a plastic connection: for its synapses whose target
    spiked, and for those at which a spike arrives), "paired" (what follows these), "reset", "trace", "observe", "learn",
    "weights", "decay" (every step), "trial_start", "trial_end". Blocks of phase "view" compute what an array (``owner``)
    stands for where it is kept in another form.
    """

    phase: str
    owner: str
    body: tuple[Item, ...]
    spikes_of: str | None = None
    result: Operand | None = None


@dataclass(frozen=True)
class Spikes:
    """A connection that adds weights to ``target`` when units of ``source`` spike.

    The weights of a ``plastic`` one are the array ``name.w``, read when a spike arrives, by its block "on_pre".
    """

    name: str
    source: str
    target_population: str
    target: str
    delays: str  # "none", "uniform" or "heterogeneous"
    guard: str | None = None  # array that must be true for the target to accept input (unless refractory)
    plastic: bool = False


@dataclass(frozen=True)
class WeightedSum:
    """A connection that computes ``target = sum_j w_ij source_j`` each step, ``delay`` steps late."""

    name: str
    source: str
    source_axis: str
    target_population: str
    target: str
    layout: str  # "dense" or "csr"
    delay: int
    plastic: bool = False  # weights are the array name.w, one a synapse, sorted by source

    @property
    def late(self) -> bool:
        """Whether past values are kept: those of the step before still stand in the source, unless it is an input."""
        return self.delay > 1 or (self.delay == 1 and self.source.endswith(".value"))


@dataclass(frozen=True)
class Program:
    """Everything a runner needs to know about one step, but the numbers."""

    arrays: tuple[Array, ...]
    blocks: tuple[Block, ...]
    populations: tuple[str, ...]
    spiking: tuple[str, ...]
    spike_sources: tuple[str, ...]
    inputs: tuple[str, ...]
    spikes: tuple[Spikes, ...]
    sums: tuple[WeightedSum, ...]

    def to_json(self) -> str:
        """Return the canonical text: the same for equal Programs on every machine."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))

    @functools.cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical text, hexadecimal; keys caches and stands in recordings."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def array(self, name: str) -> Array:
        """Return the array of that name."""
        for array in self.arrays:
            if array.name == name:
                return array
        raise KeyError(name)

    def phase(self, phase: str, owner: str | None = None) -> tuple[Block, ...]:
        """Return the blocks of one phase, in order."""
        return tuple(b for b in self.blocks if b.phase == phase and owner in (None, b.owner))

    def view(self, name: str) -> Block | None:
        """Return what computes the value that an array stands for; None where it holds the value itself."""
        return next(iter(self.phase("view", name)), None)

    @property
    def inexact(self) -> tuple[str, ...]:
        """Reasons why runners agree on this Program only to a tolerance; empty for an exact Program."""
        reasons = []
        for block in self.blocks:
            if block.phase in ("constants", "start", "initial"):
                continue
            for op in operations(block.body):
                if op.op in INEXACT:
                    reasons.append(f"{op.op.replace('_', ' ')} in the {block.phase} of {block.owner}")
        reasons += [
            f"weighted sum over a population in {s.name}" for s in self.sums if s.source_axis in self.populations
        ]
        return tuple(dict.fromkeys(reasons))

    @property
    def exactness(self) -> str:
        """ "exact" (same bits on every runner in float64 on the CPU) or "tolerant"."""
        return "tolerant" if self.inexact else "exact"


def operations(body: tuple[Item, ...]) -> Iterator[Op]:
    """Iterate over the operations of a body, branches included."""
    for item in body:
        if isinstance(item, Op):
            yield item
        elif isinstance(item, Branch):
            yield from operations(item.body)


def stores(body: tuple[Item, ...]) -> Iterator[Store]:
    """Iterate over the stores of a body, branches included."""
    for item in body:
        if isinstance(item, Store):
            yield item
        elif isinstance(item, Branch):
            yield from stores(item.body)


def _plain(value: object) -> object:
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        fields = {k: _plain(getattr(value, k)) for k in value.__dataclass_fields__}  # type: ignore[attr-defined]
        return {"": type(value).__name__, **fields}
    if isinstance(value, bool) or value is None or isinstance(value, str | int):
        return value
    return float(value).hex()  # type: ignore[arg-type]
