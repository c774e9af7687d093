"""From the blocks of a Program to functions on tensors with a leading axis of networks.

A branch that some networks take and others don't becomes a mask: values are computed for all, stores keep the old
value where the mask is false. So a batch does what each of its networks does alone.
"""

from __future__ import annotations

from neurodyn.program import Axes, Block, Item, Op, Operand, Program, Store

_CALLS = {
    "add": "torch.add({0}, {1})",
    "sub": "torch.sub({0}, {1})",
    "mul": "torch.mul({0}, {1})",
    "div": "torch.div({0}, {1})",
    "mod": "torch.remainder({0}, {1})",
    "floordiv": "torch.div({0}, {1}, rounding_mode='floor')",
    "select": "torch.where({0}, {1}, {2})",
    "min": "torch.minimum({0}, {1})",
    "max": "torch.maximum({0}, {1})",
    "and": "torch.logical_and({0}, {1})",
    "or": "torch.logical_or({0}, {1})",
    "not": "torch.logical_not({0})",
    "arctan": "torch.atan({0})",
    "sign": "({0} > 0).to(F) - ({0} < 0).to(F) + 0 * {0}",  # torch.sign turns what is not a number into 0
    "float": "{0}.to(F, copy=True)",
    "sqrt": "sqrt({0})",
    "exprel": "exprel({0})",
}


class TorchEmitter:
    """Write each block of a Program as a function ``block(mask)`` of masks (networks,) or, for spikes, (networks, units).

    Blocks for events of a plastic connection are functions ``block(at)`` of flat indices (events,), network * width +
    synapse, and compute for these alone. ``mask`` says for whom the block runs; None for all. ``literals`` lists the numbers that the text calls ``c0``, ...;
    arrays have the names in ``names``, and what else it calls is :class:`neurodyn.kernels.tensors.TensorKernels`. With
    ``skip`` a branch that no network takes is passed over.
    """

    def __init__(self, program: Program, *, skip: bool) -> None:
        self.program, self.skip = program, skip
        self.arrays = {a.name: a for a in program.arrays}
        self.names = {a.name: f"a{k}" for k, a in enumerate(program.arrays)}
        self.literals: list[tuple[float | bool, str]] = []
        self.axes: dict[str, Axes] = {}
        self.lines: list[str] = []
        plastic = [s.name for s in program.spikes if s.plastic]
        self.events: tuple[str, ...] = ()  # the axis of a block whose values are those of events
        self._plastic = frozenset(plastic)

    def source(self) -> str:
        """Return the text of all blocks, ``block_0``, ``block_1``, ... in the order of the Program."""
        for number, block in enumerate(self.program.blocks):
            self.block(block, f"block_{number}")
        return "\n".join(self.lines) + "\n"

    def block(self, block: Block, name: str) -> None:
        """Write one block."""
        self.axes = {}
        spikes = block.spikes_of
        self.events = (spikes,) if spikes in self._plastic else ()
        if self.events:
            self.lines += [f"def {name}(at):", f"    lane = at // width({spikes!r})"]
            self.items(block.body, "", (), 1)
            if block.result is not None:
                self.lines.append(f"    return {self.operand(block.result, self.events)}")
            return
        self.lines.append(f"def {name}(mask=None):")
        before = len(self.lines)
        self.items(block.body, "mask", (spikes,) if spikes else (), 1)
        if block.result is not None:
            self.lines.append(f"    return {self.operand(block.result, (block.owner,))}")
        elif len(self.lines) == before:
            self.lines.append("    pass")

    def items(self, items: tuple[Item, ...], mask: str, over: Axes, depth: int) -> None:
        """Write statements under a mask with the axes ``over``."""
        put = lambda line: self.lines.append("    " * depth + line)  # noqa: E731
        for item in items:
            if isinstance(item, Op):
                self.axes[item.name] = item.axes
                text = self.text(item, mask)
                if item.args and not any(isinstance(a, str) for a in item.args) and not (self.events and item.axes):
                    text = f"spread({text}, {item.axes!r})"
                put(f"{self.value(item.name)} = {text}")
            elif isinstance(item, Store):
                put(self.store(item, mask, over))
            else:
                inner = f"m{len(self.axes)}_{depth}"
                put(f"{inner} = both({mask}, {self.operand(item.condition, ())}, {len(over)})")
                if self.skip:
                    put(f"if {inner}.any():")
                start = len(self.lines)
                self.items(item.body, inner, over, depth + self.skip)
                if self.skip and len(self.lines) == start:
                    put("    pass")

    def store(self, item: Store, mask: str, over: Axes) -> str:
        """Return a store, which keeps the old value where the mask is false."""
        array, name = self.arrays[item.array], self.names[item.array]
        if self.events:
            return f"{name}.view(-1)[at] = {self.operand(item.value, self.events)}"
        if not set(over) <= set(array.axes):
            raise NotImplementedError(f"{item.array} is one number a network, but the spikes of {over[0]!r} write it")
        at = self._index(over, array.axes)
        return f"put({name}, {self.operand(item.value, array.axes)}, {mask}, lambda m: m{at})"

    def text(self, op: Op, mask: str) -> str:
        """Return the expression of an operation."""
        if op.op in ("normal", "uniform"):
            return f"draw({op.op!r}, {str(op.args[-1])!r}, {op.axes!r})"
        if op.op == "size":
            return f"size({str(op.args[0])!r})"
        if op.op == "gather":
            array, index = (str(a) for a in op.args)
            if not self.events:
                return f"{self.names[array]}.gather(1, {self.names[index]})"
            axis = self.arrays[array].axes[0]
            return f"{self.names[array]}.view(-1)[lane * width({axis!r}) + {self.operand(index, self.events)}]"
        if op.op == "arrive":
            connection, weights = (str(a) for a in op.args)
            unit = self.operand(f"{connection}@post", self.events)
            return f"arrive({connection!r}, lane, {unit}, {self.operand(weights, self.events)})"
        if op.op == "identity":
            return f"identity({self.names[str(op.args[0])]}, {self.operand(op.args[1], ())}, {mask})"
        if op.op == "rls":
            matrix, x, *numbers = op.args
            rest = ", ".join(self.operand(a, ()) for a in numbers)
            axis = self.arrays[str(matrix)].axes[0]
            return f"rls({self.names[str(matrix)]}, {self.operand(x, op.axes)}, {mask}, {axis!r}, {rest})"
        if op.op == "copy" and self.events and op.axes == self.events:
            return f"{self.operand(op.args[0], op.axes)}.expand(at.shape).clone()"
        if op.op == "copy":
            return f"spread({self.operand(op.args[0], op.axes)}, {op.axes!r})"
        if op.op == "power_product":
            x = self.operand(op.args[0], op.axes)
            return " * ".join([x] * int(float(op.args[1])))
        if op.op == "sum":
            argument = str(op.args[0])
            own = self._axes(argument)
            return f"total({self.operand(argument, own)}, {own[-1]!r})"
        args = [self.operand(a, op.axes) for a in op.args]
        return _CALLS[op.op].format(*args) if op.op in _CALLS else f"torch.{op.op}({', '.join(args)})"

    def operand(self, operand: Operand, axes: Axes) -> str:
        """Return the text of an operand, its axes lined up with ``axes``."""
        if not isinstance(operand, str):
            number = operand if isinstance(operand, bool) else float(operand)
            return next((n for v, n in self.literals if repr(v) == repr(number)), None) or self._literal(number)
        own = self._axes(operand)
        stored = operand in self.names and operand not in self.axes
        name = self.names[operand] if stored else self.value(operand)
        if self.events and axes == self.events:
            return f"{name}.view(-1)[at]" if own == axes and stored else name if own == axes else f"{name}[lane]"
        return name + self._index(own, axes)

    def _literal(self, number: float | bool) -> str:
        self.literals.append((number, f"c{len(self.literals)}"))
        return self.literals[-1][1]

    def _axes(self, operand: str) -> Axes:
        return self.axes[operand] if operand in self.axes else self.arrays[operand].axes

    @staticmethod
    def _index(own: Axes, axes: Axes) -> str:
        """Return the indexing that lines up ``own`` axes with ``axes``."""
        if own == axes:
            return ""
        order = [own.index(a) for a in axes if a in own]
        text = "" if order == sorted(order) else f".permute(0, {', '.join(str(k + 1) for k in order)})"
        index = ", ".join(":" if a in own else "None" for a in axes)
        return text if "None" not in index else f"{text}[:, {index}]"

    @staticmethod
    def value(name: str) -> str:
        """Return the Python name of a value."""
        return "v" + name[1:].replace("%", "_").replace("@", "k")
