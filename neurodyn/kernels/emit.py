"""From a Program to the source of one compiled loop over steps (Numba).

Axes of labels ("#A,B") are unrolled, axes of populations become loops; neighbouring operations over the same
population share a loop, with loads at its head and stores at its end, so that LLVM vectorises it. Sums run in index
order in a scalar register. Nothing is re-associated: float64 gives the bits of :mod:`neurodyn.evaluate`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from neurodyn.program import Array, Axes, Block, Branch, Item, Op, Operand, Program, Store, operations, stores

INFIX = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "div": "/",
    "mod": "%",
    "floordiv": "//",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "eq": "==",
    "ne": "!=",
    "and": "and",
    "or": "or",
}
_BY_RECIPROCAL = {"div": "quotient", "mod": "remainder"}
DRAWN_AHEAD = 512  # numbers that are drawn at once where a step needs fewer
_BORDERS = (
    "constants",
    "start",
    "initial",
    "trial_start",
    "trial_end",
)  # phases that are no part of the loop over steps
_UNROLL = 16  # groups of labels larger than this become loops


@dataclass(frozen=True)
class Sample:
    """A variable recorded every few steps for chosen units."""

    array: str


@dataclass
class Loop:
    axes: Axes
    before: list[str] = field(default_factory=list)
    loads: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    stores: dict[tuple[str, tuple[int, ...]], str] = field(default_factory=dict)
    after: list[str] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    sums: set[str] = field(default_factory=set)  # complete only behind the loop


def drawn(item: Item) -> bool:
    """Whether a statement draws random numbers."""
    return isinstance(item, Op) and item.op in ("normal", "uniform")


class Emitter:
    """Write the source of ``advance`` and of the blocks at the borders of trials.

    ``divisors`` are arrays of one number by which loops divide with :mod:`neurodyn.kernels.vectors`.
    """

    def __init__(self, program: Program, samples: tuple[Sample, ...], dtype: str) -> None:
        self.program, self.samples, self.dtype = program, samples, dtype
        self.divisors: tuple[str, ...] = ()
        self.inverted: set[str] = set()  # those of them that a loop divides by
        self.late: set[str] = set()  # matrices whose updates wait (see neurodyn.kernels.rls.rls_late)
        # array -> what arrived for its elements in the step before and is added where a loop first loads them
        self.due: dict[str, list[str]] = {}
        self.arrays = {a.name: a for a in program.arrays}
        self.names = {a.name: f"a{k}" for k, a in enumerate(program.arrays)}
        self.dynamic = [a for a in self._all_axes() if not self._static(a)]
        self.sizes = {a: f"n{k}" for k, a in enumerate(self.dynamic)}
        # plastic sums all to all: a loop over their synapses is one over sources and, in it, over targets (here only)
        self.dense = {
            s.name: (s.source_axis, s.target_population) for s in program.sums if s.plastic and s.layout == "dense"
        }
        self.lines: list[str] = []
        self.indent = 1
        self.workspace: dict[str, str] = {}
        self.value_axes: dict[str, Axes] = {}
        self.value_dtype: dict[str, str] = {}
        self.ahead: dict[str, str] = {}  # value -> the text of its element in a buffer of draws
        self.places: dict[str, str] = {}  # array -> where the elements of a loop go, if it is no array of that axis
        self.place: dict[str, str] = {}  # value -> "loop" while its loop is open, "scalar", or "array"
        self.loop: Loop | None = None
        self.subset: str | None = None
        self.head: tuple[str, ...] = ()  # the loop over the subset, and the line that finds the unit
        self.tag = ""
        self.crossing: set[str] = set()
        self.found: set[str] = set()

    def _all_axes(self) -> list[str]:
        seen: list[str] = list(self.program.populations) + list(self.program.spike_sources)
        for array in self.program.arrays:
            seen += [a for a in array.axes if a not in seen]
        return list(dict.fromkeys(seen))

    def _static(self, axis: str) -> bool:
        return axis.startswith("#") and self._length(axis) <= _UNROLL

    @staticmethod
    def _length(axis: str) -> int:
        return axis.count(",") + 1

    # -- lines -------------------------------------------------------------------------------------------------

    def put(self, line: str) -> None:
        self.lines.append("    " * self.indent + line)

    def combos(self, axes: Axes) -> list[tuple[int, ...]]:
        """Return the indices along the unrolled axes."""
        return list(itertools.product(*(range(self._length(a)) for a in axes if self._static(a))))

    def pick(self, combo: tuple[int, ...], axes: Axes, wanted: Axes) -> tuple[int, ...]:
        position = dict(zip([a for a in axes if self._static(a)], combo, strict=True))
        return tuple(position[a] for a in wanted if self._static(a))

    def element(self, array: Array, combo: tuple[int, ...]) -> str:
        """Return the text of one element of an array inside a loop (or of a scalar)."""
        if array.name in self.places:
            return self.places[array.name]
        name, index, rest = self.names[array.name], [], list(combo)
        for axis in array.axes:
            index.append(str(rest.pop(0)) if self._static(axis) else self.index(axis))
        return f"{name}[{', '.join(index) or '0'}]"

    def index(self, axis: str) -> str:
        return f"i_{self.sizes[axis]}"

    def literal(self, value: Operand) -> str:
        if isinstance(value, bool):
            return str(value)
        text = repr(float(value))
        text = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(text, text)
        return f"F({text})"

    def operand(self, operand: Operand, combo: tuple[int, ...], axes: Axes) -> str:
        if not isinstance(operand, str):
            return self.literal(operand)
        if operand in self.value_axes:
            own = self.value_axes[operand]
            name = self.value_name(operand, self.pick(combo, axes, own))
            if self.place[operand] == "closed":
                self.found.add(operand)
            if self.place[operand] == "array":
                dynamic = [a for a in own if not self._static(a)]
                if name in self.ahead:
                    return self._drawn(name, dynamic)
                return f"w_{name}[{', '.join(self.index(a) for a in dynamic)}]"
            return name
        array = self.arrays[operand]
        own_combo = self.pick(combo, axes, array.axes)
        if self.loop is None or not any(not self._static(a) for a in array.axes):
            if array.role in ("parameter", "constant", "clock") and not array.axes:
                return f"s_{self.names[operand]}"
            return self.element(array, own_combo)
        key = (operand, own_combo)
        if key in self.loop.stores:  # written in this loop; the array itself follows at its end
            return self.loop.stores[key]
        if key not in self.loop.loads:
            suffix = "_".join(map(str, own_combo))
            self.loop.loads[key] = f"l_{self.names[operand]}_{suffix}" if suffix else f"l_{self.names[operand]}"
        return self.loop.loads[key]

    def value_name(self, operand: str, combo: tuple[int, ...]) -> str:
        return "_".join([f"v{self.tag}_{operand[1:].replace('%', '_').replace('@', 'c')}", *map(str, combo)])

    # -- loops -------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Write the open loop."""
        loop, self.loop = self.loop, None
        if loop is None:
            return
        for line in loop.before:
            self.put(line)
        start = self.indent
        if self.subset is not None:
            for line in self.head:
                self.put(line)
                self.indent += line.endswith(":")
        else:
            for axis in loop.axes:
                self._loop_over(axis)
        for (name, combo), local in loop.loads.items():
            arrived = self.due.pop(name, [])
            self.put(f"{local} = {' + '.join([self.element(self.arrays[name], combo), *arrived])}")
            for element in arrived:
                self.put(f"{element} = F(0.0)")
            if arrived:
                loop.stores.setdefault((name, combo), local)
        for line in loop.lines:
            self.put(line)
        for (name, combo), value in loop.stores.items():
            self.put(f"{self.element(self.arrays[name], combo)} = {value}")
        self.indent = start
        for line in loop.after:
            self.put(line)
        for name in loop.defined:
            if self.place.get(name) == "loop":
                self.place[name] = "closed"

    def _loop_over(self, axis: str) -> None:
        if axis not in self.dense:
            self.put(f"for {self.index(axis)} in range({self.sizes[axis]}):")
            self.indent += 1
            return
        for side, units in zip(("pre", "post"), self.dense[axis], strict=True):
            self.put(f"for {side}_{self.sizes[axis]} in range(np.uint64({self.sizes[units]})):")
            self.indent += 1
        pre, post = (f"{side}_{self.sizes[axis]}" for side in ("pre", "post"))
        self.put(f"{self.index(axis)} = {pre} * np.uint64({self.sizes[self.dense[axis][1]]}) + {post}")

    def open(self, axes: Axes) -> Loop:
        dynamic = tuple(a for a in axes if not self._static(a))
        if self.loop is None or self.loop.axes != dynamic:
            self.close()
            self.loop = Loop(dynamic)
        return self.loop

    def _in_loop(self, operands: tuple[Operand, ...]) -> bool:
        """Whether a scalar operation needs what the open loop computes (a sum), or reads what it stores."""
        return self.loop is not None and any(isinstance(o, str) and (o in self.loop.defined) for o in operands)

    # -- items -------------------------------------------------------------------------------------------------

    def items(self, items: tuple[Item, ...]) -> None:
        for item in items:
            if isinstance(item, Op):
                self.op(item)
            elif isinstance(item, Store):
                self.store(item)
            else:
                self.branch(item)

    def spiking_units(self, population: str) -> tuple[str, ...]:
        """Return the loop over the units of a population that just spiked."""
        n = self.sizes[population]
        return (f"for q in range(count_{n}):", f"{self.index(population)} = spk_{n}[q]")

    def block(self, block: Block, tag: str, head: tuple[str, ...] = ()) -> None:
        """Write a block; values that cross loops get a workspace (found by writing the block again).

        ``head`` is the loop over the units of a block of spikes, those that spiked unless given.
        """
        self.tag, self.subset, self.crossing = tag, block.spikes_of, set()
        if block.spikes_of is not None:
            self.head = head or self.spiking_units(block.spikes_of)
        start, workspace, due, done = len(self.lines), dict(self.workspace), dict(self.due), False
        while not done:
            del self.lines[start:]
            self.workspace, self.due, self.found = dict(workspace), dict(due), set()
            self.items(
                tuple(sorted(block.body, key=lambda item: not drawn(item)))
            )  # draws end a loop, and wait for nothing
            self.close()
            done = self.found <= self.crossing
            self.crossing |= self.found
        self.subset = None

    def op(self, op: Op) -> None:
        self.value_axes[op.name], self.value_dtype[op.name] = op.axes, op.dtype
        if drawn(op):
            return self.draw(op)
        if op.op in ("rls", "identity"):
            return self.matrix(op)
        if op.op == "arrive":
            return self.arrive(op)
        dynamic = [a for a in op.axes if not self._static(a)]
        if op.op == "sum":
            return self.sum(op)
        if not dynamic:
            if self._in_loop(op.args):
                self.close()
            for combo in self.combos(op.axes):
                line = f"{self.value_name(op.name, combo)} = {self.text(op, combo)}"
                if self.loop is not None:
                    self.loop.before.append(line)
                else:
                    self.put(line)
            self.place[op.name] = "scalar"
            return
        loop = self.open(op.axes)
        if self._needs_closed_sum(op):
            self.close()
            loop = self.open(op.axes)
        for combo in self.combos(op.axes):
            name = self.value_name(op.name, combo)
            loop.lines.append(f"{name} = {self.text(op, combo)}")
            if op.name in self.crossing:
                self.spill(op, name, loop)
        self.finish_value(op, loop)

    def _needs_closed_sum(self, op: Op) -> bool:
        assert self.loop is not None
        return any(isinstance(a, str) and a in self.loop.sums for a in op.args)

    def finish_value(self, op: Op, loop: Loop) -> None:
        loop.defined.add(op.name)
        self.place[op.name] = "array" if op.name in self.crossing else "loop"

    def spill(self, op: Op, name: str, loop: Loop) -> None:
        dynamic = [a for a in op.axes if not self._static(a)]
        dtype, sizes = ("bool" if op.dtype == "bool" else self.dtype), ", ".join(self.sizes[a] for a in dynamic)
        many = f"np.empty(({sizes}), dtype=np.{'bool_' if dtype == 'bool' else dtype})"
        self.workspace[f"w_{name}"] = f"room_{dtype}({sizes})" if len(dynamic) == 1 else many
        loop.lines.append(f"w_{name}[{', '.join(self.index(a) for a in dynamic)}] = {name}")

    def text(self, op: Op, combo: tuple[int, ...]) -> str:
        """Return the expression of one element of an elementwise operation."""
        if op.op == "size":
            axis = str(op.args[0])
            return self.literal(float(self._length(axis))) if self._static(axis) else f"F({self.sizes[axis]})"
        if op.op == "power_product":
            x = self.operand(op.args[0], combo, op.axes)
            return "*".join([x] * int(float(op.args[1])))
        if op.op == "gather":  # an array of units, which no loop over synapses writes
            array, index = (str(a) for a in op.args)
            connection, _, side = index.partition("@")
            at = f"{side}_{self.sizes[connection]}" if connection in self.dense else self.operand(index, combo, op.axes)
            return f"{self.names[array]}[{at}]"
        args = [self.operand(a, combo, op.axes) for a in op.args]
        if op.op in _BY_RECIPROCAL and op.args[1] in self.divisors and self.loop is not None and self.subset is None:
            self.inverted.add(args[1])
            return f"{_BY_RECIPROCAL[op.op]}({args[0]}, {args[1]}, z_{args[1]})"
        if op.op in INFIX:
            return f"{args[0]} {INFIX[op.op]} {args[1]}"
        if op.op == "neg":
            return f"-{args[0]}"
        if op.op == "not":
            return f"not {args[0]}"
        if op.op == "copy":
            return args[0]
        if op.op == "float":
            return f"(F(1.0) if {args[0]} else F(0.0))"
        if op.op == "select":
            return f"({args[1]} if {args[0]} else {args[2]})"
        if op.op == "min":
            return f"({args[0]} if {args[0]} < {args[1]} or {args[0]} != {args[0]} else {args[1]})"  # NaN stays NaN
        if op.op == "max":
            return f"({args[0]} if {args[0]} > {args[1]} or {args[0]} != {args[0]} else {args[1]})"
        if op.op == "abs":
            return f"abs({args[0]})"
        if op.op == "pow":
            return f"{args[0]} ** {args[1]}"
        if op.op == "sign":  # numba's own keeps -0.0
            return f"(F(1.0) if {args[0]} > F(0.0) else F(-1.0) if {args[0]} < F(0.0) else {args[0]} + F(0.0))"
        if op.op == "exprel":
            return f"exprel({args[0]})"
        if op.op == "exp" and self.loop is not None and self.subset is None:
            return f"exponential({args[0]})"  # the C library takes one number after the other
        return f"np.{op.op}({args[0]})"

    def sum(self, op: Op) -> None:
        (argument,) = op.args
        assert isinstance(argument, str)
        own = self.value_axes.get(argument) or self.arrays[argument].axes
        last = own[-1]
        if self._static(last):
            return self.static_sum(op, argument, own)
        loop = self.open(own)
        outer = [a for a in own[:-1] if not self._static(a)]
        for combo in self.combos(own):
            name = self.value_name(op.name, combo)
            value = self.operand(argument, combo, own)
            if not outer:
                loop.before.append(f"{name} = F(0.0)")
                loop.lines.append(f"{name} = {name} + {value}")
            else:
                self.workspace[f"w_{name}"] = (
                    f"np.zeros(({', '.join(self.sizes[a] for a in outer)},), dtype=np.{self.dtype})"
                )
                at = ", ".join(self.index(a) for a in outer)
                loop.before.append(f"w_{name}[:] = F(0.0)")
                loop.lines.append(f"w_{name}[{at}] = w_{name}[{at}] + {value}")
        loop.defined.add(op.name)
        loop.sums.add(op.name)
        self.place[op.name] = "array" if outer else "scalar"

    def static_sum(self, op: Op, argument: str, own: Axes) -> None:
        dynamic = [a for a in own if not self._static(a)]
        loop = self.open(op.axes) if dynamic else None
        if loop is None and self._in_loop(op.args):
            self.close()
        for combo in self.combos(op.axes):
            name = self.value_name(op.name, combo)
            terms = [self.operand(argument, (*combo, k), own) for k in range(self._length(own[-1]))]
            line = f"{name} = {' + '.join([self.literal(0.0), *terms])}"
            if loop is not None:
                loop.lines.append(line)
                if op.name in self.crossing:
                    self.spill(op, name, loop)
            elif self.loop is not None:
                self.loop.before.append(line)
            else:
                self.put(line)
        if loop is not None:
            self.finish_value(op, loop)
        else:
            self.place[op.name] = "scalar"

    def draw(self, op: Op) -> None:
        """Fill a buffer of draws in front of the loop, for as many steps as make some hundreds: float64, then rounded."""
        from neurodyn.kernels.philox import stream_number

        stream = stream_number(str(op.args[-1]))
        self.close()
        dynamic = [a for a in op.axes if not self._static(a)]
        static = len(self.combos(op.axes))
        base = self.value_name(op.name, ())
        size = " * ".join([str(static), *(self.sizes[a] for a in dynamic)])
        ahead = f"max(1, {DRAWN_AHEAD} // max(1, {size}))"
        self.workspace[f"many_{base}"] = f"room_float64({ahead} * {size})"
        self.workspace[f"until_{base}"] = "k0"
        self.put(f"if k >= until_{base}:")
        self.put(f"    from_{base}, until_{base} = k, k + min({ahead}, n - done)")
        self.put(f"    uniform_ahead(many_{base}, {size}, until_{base} - k, seed, np.uint64(k), np.uint64({stream}))")
        if op.op == "normal":
            self.put(f"    normal_from_uniform(many_{base}[: (until_{base} - k) * {size}])")
        self.workspace[f"from_{base}"] = "k0"
        self.put(f"d_{base} = np.uint64((k - from_{base}) * {size})")
        for number, combo in enumerate(self.combos(op.axes)):
            name = self.value_name(op.name, combo)
            first = f"d_{base} + np.uint64({' * '.join([str(number), *(self.sizes[a] for a in dynamic)])})"
            if dynamic:
                self.ahead[name] = f"many_{base}[{first} + {{}}]"
            else:
                self.put(f"{name} = F(many_{base}[{first}])")
        self.place[op.name] = "array" if dynamic else "scalar"

    def _drawn(self, name: str, axes: list[str]) -> str:
        """Return the element of numbers drawn ahead that a loop over ``axes`` is at; unsigned, so that none can be negative."""
        at = f"np.uint64({self.index(axes[0])})"
        for axis in axes[1:]:
            at = f"({at} * np.uint64({self.sizes[axis]}) + np.uint64({self.index(axis)}))"
        return f"F({self.ahead[name].format(at)})" if self.dtype == "float32" else self.ahead[name].format(at)

    def matrix(self, op: Op) -> None:
        """Call the kernels that work on a whole matrix."""
        self.close()
        matrix = self.names[str(op.args[0])]
        name = self.value_name(op.name, ())
        if op.op == "identity":
            self.put(f"set_identity({matrix}, {self.operand(op.args[1], (), ())})")
            self.place[op.name] = "scalar"
            return
        x, scalars = op.args[1], [self.operand(a, (), ()) for a in op.args[2:]]
        if x not in self.names and self.place[str(x)] != "array":
            self.found.add(str(x))
        vector = self.names[str(x)] if x in self.names else f"w_{self.value_name(str(x), ())}"
        self.workspace[f"w_{name}"] = f"room_{self.dtype}({self.sizes[op.axes[0]]})"
        given = f"{matrix}, {vector}, {scalars[0]}, {scalars[1] if len(scalars) > 1 else 'F(0.0)'}, w_{name}"
        if self._for_rls_alone(str(op.args[0])):
            self.late.add(matrix)
            self.workspace[f"late_{matrix}"] = f"np.zeros({self.sizes[op.axes[0]]} + 3)"
            self.put(f"rls_late({given}, late_{matrix})")
        else:
            self.put(f"rls_gain({given})")
        self.place[op.name] = "array"

    def _for_rls_alone(self, matrix: str) -> bool:
        """Whether no statement of a step but least squares reads or writes a matrix, so that its updates can wait."""
        blocks = [b for b in self.program.blocks if b.phase not in _BORDERS]
        reading = [op for b in blocks for op in operations(b.body) if matrix in op.args and op.op != "rls"]
        return not reading and not any(s.array == matrix for b in blocks for s in stores(b.body))

    def arrive(self, op: Op) -> None:
        """Add weights to what reaches the targets, in the order of the loop."""
        connection, weights = (str(a) for a in op.args)
        loop = self.open(op.axes)
        number = next(k for k, s in enumerate(self.program.spikes) if s.name == connection)
        target = self.operand(f"{connection}@post", (), op.axes)
        loop.lines.append(f"c{number}_ring[0, {target}] += {self.operand(weights, (), op.axes)}")

    def store(self, store: Store) -> None:
        array = self.arrays[store.array]
        dynamic = [a for a in array.axes if not self._static(a)]
        if dynamic:
            loop = self.open(array.axes)
            for combo in self.combos(array.axes):
                loop.stores[(store.array, combo)] = self.operand(store.value, combo, array.axes)
            return
        self.close()
        for combo in self.combos(array.axes):
            self.put(f"{self.element(array, combo)} = {self.operand(store.value, combo, array.axes)}")

    def branch(self, branch: Branch) -> None:
        self.close()
        self.put(f"if {self.operand(branch.condition, (), ())}:")
        self.indent += 1
        mark = len(self.lines)
        self.items(branch.body)
        self.close()
        if len(self.lines) == mark:
            self.put("pass")
        self.indent -= 1
