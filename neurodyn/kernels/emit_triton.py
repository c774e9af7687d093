"""From the blocks of a Program to the text of a Triton kernel in which one program is one network.

As in :mod:`neurodyn.kernels.emit`, axes of labels are unrolled and neighbouring operations over the same population share
a loop; here a loop goes over tiles of BLOCK units, one unit a thread. Numbers of the network that steps write live in
registers from step to step, arrays over units in memory, which the caches of a processor hold. Sums add up tiles, then
threads. Where one thread may meet what another wrote a barrier stands between: segments of text say which memory they
read and write, and :func:`neurodyn.kernels.triton_text.with_barriers` puts a barrier where two of them meet.
"""

from __future__ import annotations

from collections.abc import Callable

from neurodyn.kernels.emit import INFIX, Emitter, Loop, Sample
from neurodyn.kernels.packing import packs
from neurodyn.kernels.philox import stream_number
from neurodyn.kernels.triton_text import BOOL, CALLS, MARK
from neurodyn.program import LAST_PHASES, Array, Axes, Op, Operand, Program, Store, stores


class TritonEmitter(Emitter):
    """Write blocks as loops over tiles; ``lists`` maps an array of comparisons to the population it lists."""

    def __init__(self, program: Program, samples: tuple[Sample, ...], dtype: str) -> None:
        super().__init__(program, samples, dtype)
        self.constants: dict[str, str] = {}
        self.lists: dict[str, str] = {}
        self.noted: dict[str, str] = {}
        self.spilled: dict[str, Array] = {}
        self.wide = {a.name for a in program.arrays if a.wide}
        self.totals: dict[str, tuple[str, str]] = {}  # what the open loop adds up: its tile, its type
        self.uniform: dict[str, str] = {}  # what the open loop reads of the network: its name, its text
        self.offsets: dict[str, str] = {}
        self.rows: list[str] = []  # axes of the open loop but the last
        self.gathered: set[str] = set()  # arrays of units that the open loop reads for synapses
        self.delivering = ""  # the ring that the open loop adds to
        phases = ("update", "threshold", "spiked", "on_post", "on_pre", "paired", "reset", *LAST_PHASES)
        written = {s.array for b in program.blocks if b.phase in phases for s in stores(b.body)}
        self.plastic = frozenset(s.name for s in program.spikes if s.plastic)
        self.head_reads: set[str] = set()  # what the loops over events read
        self.packs = {c: (f"pack{k}", names) for k, (c, names) in enumerate(packs(program).items())}
        self.carried = [a for a in program.arrays if a.name in written and self.resident(a)]
        self.inputs = {f"{name}.value": f"given{k}" for k, name in enumerate(program.inputs)}

    # -- names -------------------------------------------------------------------------------------------------

    def width(self, axis: str) -> str:
        """Return the text of the stride of an axis, the size of the largest network."""
        return str(self._length(axis)) if self._static(axis) else self.sizes[axis].replace("n", "w")

    def resident(self, array: Array) -> bool:
        """Whether an array has no axis of units, so that its elements are numbers of the network."""
        return all(self._static(a) for a in array.axes)

    def number(self, name: str, combo: tuple[int, ...] = ()) -> str:
        """Return the text of a number of the network: a register where steps write it, else read where it is used.

        Registers are for what is carried from step to step; numbers that every thread holds for the whole kernel would
        leave fewer threads.
        """
        array = self.arrays[name]
        if array in self.carried or name in ("t", "step"):
            return "_".join([f"r_{self.names[name]}", *map(str, combo)])
        at = self.combos(array.axes).index(combo)
        place = (
            f"{self.inputs[name]} + {at}"
            if name in self.inputs
            else f"{self.names[name]} + {self.at(array.axes, combo)}"
        )
        text = f"tl.load({place})" if array.dtype == "float" else f"(tl.load({place}) != 0)"
        if self.loop is None:
            return text
        return self.uniform.setdefault(text, "_".join([f"s_{self.names[name]}", *map(str, combo)]))

    def element(self, array: Array, combo: tuple[int, ...]) -> str:
        """Return the pointer of one element."""
        if array.name in self.places:
            return self.places[array.name]
        return self.unit(array, self.place_in(array.axes, combo, self.width))

    def unit(self, array: Array, place: str) -> str:
        """Return the pointer of the element at a place in this network."""
        at = f"({self.offset(array.axes)} + {place})"
        pack, names = self.packs.get(array.axes[0] if array.axes else "", ("", ()))
        if array.name not in names:
            return f"{self.names[array.name]} + {at}"
        return f"{pack} + ({at} * {len(names)} + {names.index(array.name)})"

    def base(self, name: str) -> str:
        """Return the name of the memory in which an array lies."""
        return next((pack for pack, names in self.packs.values() if name in names), self.names[name])

    def at(self, axes: Axes, combo: tuple[int, ...]) -> str:
        """Return the place of an element in an array of all networks."""
        return f"({self.offset(axes)} + {self.place_in(axes, combo, self.width)})"

    def offset(self, axes: Axes) -> str:
        """Return where a network begins in an array with these axes."""
        size = " * ".join(self.width(a) for a in axes) or "1"
        return self.offsets.setdefault(size, f"o{len(self.offsets)}")

    def listed(self, population: str) -> str:
        """Return the pointer of the list of who fired."""
        n = self.sizes[population]
        return f"spk_{n}" if population in self.program.spike_sources else f"spk_{n} + {self.offset((population,))}"

    def index(self, axis: str) -> str:
        """Return the name of the index along an axis: a tile of units, or one row (a variable keeps its type in a kernel)."""
        return f"{'j' if axis in self.rows else 'i'}_{self.sizes[axis]}"

    def place_in(self, axes: Axes, combo: tuple[int, ...], length: Callable[[str], str]) -> str:
        """Return the row-major place of an element in one network, with the lengths of axes as given."""
        text, rest = "", list(combo)
        for axis in axes:
            here = str(rest.pop(0)) if self._static(axis) else self.index(axis)
            text = here if text in ("", "0") else f"({text}) * {length(axis)} + {here}"
        return text or "0"

    def literal(self, value: Operand) -> str:
        """Return the name of a constant, which has the precision of the run."""
        text = repr(value) if isinstance(value, bool) else repr(float(value))
        return self.constants.setdefault(text, f"c{len(self.constants)}")

    def constant_lines(self) -> list[str]:
        """Return the lines that define the constants."""
        lines = []
        for text, name in self.constants.items():
            kind = "tl.int1" if text in ("True", "False") else "F"
            value = text if text[-1].isdigit() or kind == "tl.int1" else f'float("{text}")'
            lines.append(f"{name} = tl.full((), {value}, {kind})")
        return lines

    def memory(self, reads: set[str], writes: set[str]) -> None:
        """Say which memory the segment that follows reads and writes."""
        self.put(f"{MARK}{' '.join(sorted(reads))} | {' '.join(sorted(writes))}")

    # -- operands and loops --------------------------------------------------------------------------------------

    def operand(self, operand: Operand, combo: tuple[int, ...], axes: Axes) -> str:
        if not isinstance(operand, str):
            return self.literal(operand)
        if operand in self.value_axes:
            name = self.value_name(operand, self.pick(combo, axes, self.value_axes[operand]))
            if self.place[operand] == "closed":
                self.found.add(operand)
            return self._loaded(f"w_{name}", ()) if self.place[operand] == "array" else name
        array = self.arrays[operand]
        own = self.pick(combo, axes, array.axes)
        return self.number(operand, own) if self.resident(array) else self._loaded(operand, own)

    def _loaded(self, name: str, combo: tuple[int, ...]) -> str:
        """Return the name of a value from memory, which the open loop loads at its head if it has not written it."""
        assert self.loop is not None
        key = (name, combo)
        if key in self.loop.stores:
            return self.loop.stores[key]
        return self.loop.loads.setdefault(key, "_".join([f"l_{self.names[name]}", *map(str, combo)]))

    def open(self, axes: Axes) -> Loop:
        loop = super().open(axes)
        self.rows = list(loop.axes[:-1])
        return loop

    def close(self) -> None:
        """Write the open loop: rows one by one where it has two axes, tiles of the last axis."""
        loop, self.loop = self.loop, None
        if loop is None:
            return
        *rows, tile = loop.axes
        if len(rows) > 1 or (rows and self.subset in loop.axes):
            raise NotImplementedError(f"a loop over {' x '.join(loop.axes)}")
        subset = self.subset == tile
        size, index = self.sizes[tile], self.index(tile)
        loads, stores = {n for n, _ in loop.loads}, {n for n, _ in loop.stores}
        events = subset and self.head and tile in self.plastic
        listing = [self.lists[n] for n in stores if n in self.lists]
        writes = {self.base(n) for n in stores if n not in self.lists} | {f"spk_{self.sizes[p]}" for p in listing}
        writes |= {w for w, _ in self.totals.values() if rows and w}
        reads = {self.base(n) for n in (*loads, *self.gathered)} | ({f"spk_{size}"} if subset and not events else set())
        delivered = {self.delivering} - {""}
        self.memory(reads | delivered | (self.head_reads if events else set()), writes | delivered)
        for text, name in self.uniform.items():
            self.put(f"{name} = {text}")
        for line in [*loop.before, *(f"count_{self.sizes[p]} = tl.full((), 0, tl.int32)" for p in listing)]:
            self.put(line)
        start = self.indent
        for row in rows:
            self.put(f"for {self.index(row)} in range(0, {self.sizes[row]}):")
            self.indent += 1
            self._load(loop.loads, lambda array: tile not in array.axes, None)
        for name, (_, kind) in self.totals.items():
            self.put(f"t_{name} = tl.zeros((BLOCK,), {kind})")
        if events:
            for line in self.head:
                self.put(line)
                self.indent += line.endswith(":")
        else:
            self.put(f"for b_{size} in range(0, {f'count_{size}' if subset else size}, BLOCK):")
            self.indent += 1
        if events:
            pass
        elif subset:
            self.put(f"m_{size} = b_{size} + lane < count_{size}")
            self.put(f"{index} = tl.load({self.listed(tile)} + (b_{size} + lane), mask=m_{size}, other=0)")
        else:
            self.put(f"{index} = b_{size} + lane")
            self.put(f"m_{size} = {index} < {size}")
        self._load(loop.loads, lambda array: tile in array.axes, f"m_{size}")
        for line in loop.lines:
            self.put(line)
        if (
            loads & stores and not events
        ):  # one thread may store what another has yet to load; events are each one thread's
            self.put("tl.debug_barrier()")
        for (name, combo), value in loop.stores.items():
            self._store(self.arrays[name], combo, value, f"m_{size}")
        if self.delivering:  # the next row may reach the same target
            self.put("tl.debug_barrier()")
        self.indent = start + len(rows)
        for name, (workspace, _) in self.totals.items():
            total = f"tl.sum(t_{name}, 0)"
            if rows:
                self.put(f"tl.store({self.element(self.arrays[workspace], ())}, {total})")
            else:
                self.put(f"{name} = {total}")
        self.indent = start
        for name in loop.defined:
            if self.place.get(name) == "loop":
                self.place[name] = "closed"
        self.totals, self.uniform, self.rows = {}, {}, []
        self.gathered, self.delivering = set(), ""

    def _load(self, loads: dict[tuple[str, tuple[int, ...]], str], wanted, mask: str | None) -> None:
        for (name, combo), local in loads.items():
            array = self.arrays[name]
            if wanted(array):
                text = f"tl.load({self.element(array, combo)}{f', mask={mask}' if mask else ''})"
                self.put(f"{local} = {text} != 0" if array.dtype == "bool" else f"{local} = {text}")

    def _store(self, array: Array, combo: tuple[int, ...], value: str, mask: str) -> None:
        population = self.lists.get(array.name)
        if population is None:
            self.put(f"tl.store({self.element(array, combo)}, {value}, mask={mask})")
            return
        n = self.sizes[population]
        self.put(f"above = tl.where({mask}, {value}, {self.literal(False)})")
        self.put(f"count_{n} = listed(above, {self.index(population)}, {self.listed(population)}, count_{n})")
        self.put(f"if {self.noted[population]}_on:")
        self.put(f"    noted(above, {self.noted[population]}_now, b_{n}, {self.noted[population]}_words, BLOCK)")

    # -- operations ----------------------------------------------------------------------------------------------

    def op(self, op: Op) -> None:
        float_args = [a for a in op.args if isinstance(a, str) and op.op not in ("normal", "uniform", "size", "rls")]
        if op.dtype != "bool" and op.op != "float" and self.wide & set(float_args):
            self.wide.add(op.name)
        else:
            self.wide.discard(op.name)
        super().op(op)

    def kind(self, name: str) -> str:
        """Return the type of a number: matrices over units, and what comes from them, stay in float64."""
        return "tl.float64" if name in self.wide else "F"

    def text(self, op: Op, combo: tuple[int, ...]) -> str:
        """Return the expression of one element of an elementwise operation."""
        if op.op == "size":
            axis = str(op.args[0])
            return self.literal(float(self._length(axis))) if self._static(axis) else f"{self.sizes[axis]}.to(F)"
        if op.op == "power_product":
            x = self.operand(op.args[0], combo, op.axes)
            return " * ".join([x] * int(float(op.args[1])))
        if op.op == "gather":
            array = self.arrays[str(op.args[0])]
            self.gathered.add(array.name)
            place = f"{self.offset(array.axes)} + {self.operand(op.args[1], combo, op.axes)}"
            value = f"tl.load({self.names[array.name]} + ({place}), mask=m_{self.sizes[op.axes[-1]]}, other=0)"
            return f"({value} != 0)" if array.dtype == "bool" else value
        args = [self.operand(a, combo, op.axes) for a in op.args]
        if op.op == "div" and op.args[1] in self.divisors and self.loop is not None and not self.subset:
            place = f"z_{self.names[str(op.args[1])]} + {self.offset(())}"
            inverse = self.uniform.setdefault(f"tl.load({place})", f"s_z_{self.names[str(op.args[1])]}")
            self.inverted.add(str(op.args[1]))
            return f"quotient({args[0]}, {args[1]}, {inverse})"
        if op.op in CALLS:
            numbers = {"zero": 0.0, "half": 0.5, "one": 1.0, "tiny": 1e-16, "false": False, "true": True}
            named = {k: self.literal(v) for k, v in numbers.items() if f"{{{k}}}" in CALLS[op.op]}
            return CALLS[op.op].format(*args, **named)
        if op.op in INFIX:
            text = f"{args[0]} {INFIX[op.op]} {args[1]}"
            return f"({text})" if op.op in BOOL else text
        return f"{op.op}({', '.join(args)})"

    def arrive(self, op: Op) -> None:
        """Add weights to what reaches the targets: by plain stores where no two synapses of a row share one."""
        connection, weights = (str(a) for a in op.args)
        loop = self.open(op.axes)
        number = next(k for k, s in enumerate(self.program.spikes) if s.name == connection)
        self.delivering, mask = f"c{number}_ring", f"m_{self.sizes[connection]}"
        target = self.operand(f"{connection}@post", (), op.axes)
        place = f"{self.offset((self.program.spikes[number].target_population,))} + {target}"
        weight = self.operand(weights, (), op.axes)
        loop.lines.append(f"added(c{number}_ring + ({place}), {weight}, {mask}, c{number}_distinct)")

    def spill(self, op: Op, name: str, loop: Loop) -> None:
        """Keep a value for later loops, in memory."""
        loop.stores[self._spilled(name, op), ()] = name

    def _spilled(self, name: str, op: Op, kind: str | None = None) -> str:
        key, axes = f"w_{name}", tuple(a for a in op.axes if not self._static(a))
        self.spilled[key] = self.arrays[key] = Array(
            key, axes, "workspace", kind or ("wide" if op.name in self.wide else op.dtype)
        )
        self.names[key] = key
        return key

    def sum(self, op: Op) -> None:
        (argument,) = op.args
        assert isinstance(argument, str)
        own = self.value_axes.get(argument) or self.arrays[argument].axes
        if self._static(own[-1]):
            return self.static_sum(op, argument, own)
        loop = self.open(own)
        if self._needs_closed_sum(op):
            self.close()
            loop = self.open(own)
        outer = [a for a in own[:-1] if not self._static(a)]
        mask = f"m_{self.sizes[own[-1]]}"
        for combo in self.combos(own):
            name = self.value_name(op.name, combo)
            value = self.operand(argument, combo, own)
            self.totals[name] = (self._spilled(name, op) if outer else "", self.kind(argument))
            zero = f"t_{name} * 0.0" if argument in self.wide else self.literal(0.0)
            loop.lines.append(f"t_{name} += tl.where({mask}, {value}, {zero})")
        loop.defined.add(op.name)
        loop.sums.add(op.name)
        self.place[op.name] = "array" if outer else "scalar"

    def draw(self, op: Op) -> None:
        """Draw in the loop: a draw depends on nothing but its index, the step, the stream and the seed."""
        dynamic = [a for a in op.axes if not self._static(a)]
        loop = self.open(op.axes) if dynamic else None
        stream = stream_number(str(op.args[-1]))
        for combo in self.combos(op.axes):
            name = self.value_name(op.name, combo)
            index = self.place_in(op.axes, combo, lambda a: str(self._length(a)) if self._static(a) else self.sizes[a])
            text = f"{op.op}({index if dynamic else f'tl.arange(0, 1) + {index}'}, k, {stream}, seed)"
            line = f"{name} = {text if dynamic else f'single({text})'}.to(F)"
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

    def matrix(self, op: Op) -> None:
        """Call the kernels that work on a whole matrix."""
        self.close()
        matrix = self.arrays[str(op.args[0])]
        p, n, w = self.names[matrix.name], self.sizes[matrix.axes[0]], self.width(matrix.axes[0])
        square, row = f"{p} + {self.offset(matrix.axes)}", self.offset(op.axes)
        if op.op == "identity":
            self.memory(set(), {p})
            self.put(f"set_identity({square}, ({self.operand(op.args[1], (), ())}).to(tl.float64), {n}, {w}, BLOCK)")
            self.place[op.name] = "scalar"
            return
        x, numbers = str(op.args[1]), [self.operand(a, (), ()) for a in op.args[2:]]
        if x in self.value_axes and self.place[x] != "array":
            self.found.add(x)
        vector = f"w_{self.value_name(x, ())}" if x in self.value_axes else self.names[x]
        name = self.value_name(op.name, ())
        gain, px = self._spilled(name, op), self._spilled(f"{name}_px", op, "wide")
        self.memory({vector}, {p, px, gain})
        old = numbers[1] if len(numbers) > 1 else self.literal(0.0)
        vectors = ", ".join(f"{name} + {row}" for name in (vector, px, gain))
        self.put(f"rls_gain({square}, {vectors}, {n}, {w}, {numbers[0]}, {old}, BLOCK)")
        self.place[op.name] = "array"

    def store(self, store: Store) -> None:
        array = self.arrays[store.array]
        value = store.value
        if not self.resident(array):
            self.open(array.axes)
            if isinstance(value, str) and self.loop is not None and value in self.loop.sums:
                self.close()
            super().store(store)
            return
        self.close()
        kind = "F" if array.dtype == "float" else "tl.int1"
        for combo in self.combos(array.axes):
            self.put(f"{self.number(array.name, combo)} = ({self.operand(value, combo, array.axes)}).to({kind})")
