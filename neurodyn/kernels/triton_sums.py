"""Weighted sums in the Triton kernel: each thread adds up what comes to its unit, in index order of the sources."""

from __future__ import annotations

from neurodyn.kernels.emit import Sample
from neurodyn.kernels.emit_triton import TritonEmitter
from neurodyn.kernels.step import StepText
from neurodyn.program import Program, WeightedSum


class TritonSums(StepText):
    """The part of :class:`neurodyn.kernels.triton_step.TritonStep` that sums over sources."""

    emitter = TritonEmitter
    e: TritonEmitter

    def __init__(self, program: Program, samples: tuple[Sample, ...], dtype: str) -> None:
        super().__init__(program, samples, dtype)
        self.arguments: dict[str, str] = {}

    def _argument(self, name: str, kind: str) -> str:
        self.arguments[name] = kind
        return name

    def _tiles(self, axis: str) -> tuple[str, str, str]:
        """Open a loop over the tiles of an axis; return its size, unit index and mask."""
        e, n = self.e, self.e.sizes[axis]
        e.put(f"for b_{n} in range(0, {n}, BLOCK):")
        e.indent += 1
        e.put(f"{e.index(axis)} = b_{n} + lane")
        e.put(f"m_{n} = {e.index(axis)} < {n}")
        return n, e.index(axis), f"m_{n}"

    def _early(self, s: WeightedSum) -> bool:
        """Whether a sum has to be made before a population that is updated first changes its source."""
        order = self.program.populations
        if s.delay != 1 or s.late or s.source_axis not in order:
            return False
        return order.index(s.source_axis) < order.index(s.target_population)

    def _early_sum(self, number: int, s: WeightedSum) -> None:
        e = self.e
        e.memory(self._sum_reads(number, s), {f"m{number}_total"})
        _, _, m = self._tiles(s.target_population)
        self._sum(number, s)
        at = f"{self._argument(f'm{number}_total', 'tensor')} + {e.at((s.target_population,), ())}"
        e.put(f"tl.store({at}, x{number}, mask={m})")
        e.indent -= 1

    def _sum_reads(self, number: int, s: WeightedSum) -> set[str]:
        weights = {self.e.names[f"{s.name}.w"]} if s.plastic else set()
        if s.late:
            return weights | {f"m{number}_history"}
        array = self.e.arrays[s.source]
        return weights | (set() if self.e.resident(array) else {self.e.names[s.source]})

    def _sources(self, s: WeightedSum) -> str:
        return self.e.width(s.source_axis) if s.source_axis else "1"

    def _source_values(self, number: int, s: WeightedSum) -> list[str]:
        """Return the names of the source's values where they are labels; a late source lies in memory."""
        e, put = self.e, self.e.put
        if s.late:
            row = f"(net * {s.delay} + (k + 1) % {s.delay}) * {self._sources(s)}"
            put(f"h{number} = {self._argument(f'm{number}_history', 'tensor')} + {row}")
        array = e.arrays[s.source]
        if not e.resident(array):
            return []
        for at, combo in enumerate(e.combos(array.axes)):
            put(f"h{number}_{at} = {f'tl.load(h{number} + {at})' if s.late else e.number(s.source, combo)}")
        return [f"h{number}_{at}" for at in range(len(e.combos(array.axes)))]

    def _sum(self, number: int, s: WeightedSum) -> None:
        """Write the sum onto a tile of targets, ``x{number}``, in index order of the sources."""
        e, put = self.e, self.e.put
        n, i, m = e.sizes[s.target_population], e.index(s.target_population), f"m_{e.sizes[s.target_population]}"
        w, x, zero = e.width(s.target_population), f"x{number}", e.literal(0.0)
        values = self._source_values(number, s)
        source = f"h{number}" if s.late or values else f"{e.names[s.source]} + {e.offset((s.source_axis,))}"
        put(f"{x} = tl.zeros((BLOCK,), F)")
        if s.plastic and s.layout == "dense":  # in order of the sources, as wide as the network's own targets
            weights = f"{e.names[f'{s.name}.w']} + {e.offset((s.name,))}"
            put(f"{x} = dense_sum({x}, {weights}, {source}, {i}, {n}, {e.sizes[s.source_axis]}, {n})")
            return
        if s.layout == "dense":
            axes = (s.source_axis, s.target_population) if s.source_axis else (s.target_population,)
            matrix = f"{self._argument(f'm{number}_matrix', 'tensor')} + {e.offset(axes)}"
            if not values:
                put(f"{x} = dense_sum({x}, {matrix}, {source}, {i}, {n}, {e.sizes[s.source_axis]}, {w})")
            for j, value in enumerate(values):
                put(f"if {value} != {zero}:")
                put(f"    {x} += tl.load({matrix} + ({j} * {w} + {i}), mask={m}, other=0.0) * {value}")
            return
        indptr, sources, weights = (
            self._argument(f"m{number}_{a}", "tensor") for a in ("indptr", "sources", "weights")
        )
        indptr = f"{indptr} + {e.offset((s.target_population,))}"
        if s.plastic:  # what stands for the weights says where they are
            put(f"{x} = plastic_sum({x}, {indptr}, {sources}, {weights}, {e.names[f'{s.name}.w']}, {source}, {i}, {m})")
            return
        if not values:
            put(f"{x} = sparse_sum({x}, {indptr}, {sources}, {weights}, {source}, {i}, {m})")
            return
        put(f"if {' | '.join(f'({value} != {zero})' for value in values)}:")
        put(f"    first = tl.load({indptr} + {i}, mask={m}, other=0)")
        put(f"    last = tl.load({indptr} + {i} + 1, mask={m}, other=0)")
        put("    for q in range(0, tl.max(last - first, 0)):")
        put("        more = first + q < last")
        put(f"        j = tl.load({sources} + (first + q), mask=more, other=0)")
        put(f"        {x} += tl.load({weights} + (first + q), mask=more, other=0.0) * {picked(values, 'j')}")

    def _sums_onto(self, population: str) -> None:
        e, put = self.e, self.e.put
        onto = [(number, s) for number, s in enumerate(self.program.sums) if s.target_population == population]
        if not onto:
            return
        targets = {s.target: [f"x{number}" for number, t in onto if t.target == s.target] for _, s in onto}
        reads = [{f"m{number}_total"} if self._early(s) else self._sum_reads(number, s) for number, s in onto]
        e.memory(set().union(*reads), {e.names[target] for target in targets})
        _, _, m = self._tiles(population)
        for number, s in onto:
            if self._early(s):
                put(f"x{number} = tl.load(m{number}_total + {e.at((population,), ())}, mask={m})")
            else:
                self._sum(number, s)
        for target, terms in targets.items():
            put(f"tl.store({e.element(e.arrays[target], ())}, {' + '.join(terms)}, mask={m})")
        e.indent -= 1

    def _remember(self, number: int, s: WeightedSum) -> None:
        """Keep the source of a late sum."""
        e, put, array = self.e, self.e.put, self.e.arrays[s.source]
        row = f"m{number}_history + (net * {s.delay} + (k + 1) % {s.delay}) * {self._sources(s)}"
        if e.resident(array):
            e.memory(set(), {f"m{number}_history"})
            for at, combo in enumerate(e.combos(array.axes)):
                put(f"tl.store({row} + {at}, {e.number(s.source, combo)})")
            return
        e.memory({e.names[s.source]}, {f"m{number}_history"})
        _, i, m = self._tiles(s.source_axis)
        put(f"tl.store({row} + {i}, tl.load({e.element(array, ())}, mask={m}), mask={m})")
        e.indent -= 1


def picked(values: list[str], index: str) -> str:
    """Return the text that takes one of several registers by a tile of indices."""
    text = values[0] if values else ""
    for number, value in enumerate(values[1:], 1):
        text = f"tl.where({index} == {number}, {value}, {text})"
    return text
