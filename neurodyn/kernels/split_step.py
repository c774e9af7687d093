"""One network on several threads: each advances a range of units of every population, and all meet once a step.

A unit is served by one thread throughout, so that nothing is written by two, and what reaches it is added in the order of
the one-thread loop: emission step, source, synapse. The bits are the same. A thread lists those of its units that spike
and, when all have met, walks through the lists of all, and of each row of synapses through those onto its own units.
"""

from __future__ import annotations

import platform
import sys
from typing import Any

from llvmlite import ir
from numba import extending, njit, types
from numba.core import cgutils

from neurodyn.kernels.emit import Emitter, Sample
from neurodyn.kernels.step import StepText
from neurodyn.program import Item, Op, Program, Spikes, Store

intrinsic: Any = extending.intrinsic
ALIGNED = 128  # units: ranges begin where a group of the list of spikes does
LINE = 16  # numbers of int64: two cache lines, since processors fetch pairs of them
_PATIENCE = 2000  # looks at another thread before the processor is offered to it
_SIMPLE = frozenset(
    "add sub mul div mod floordiv lt le gt ge eq ne and or neg not copy float select min max abs pow power_product sign exp log "
    "sqrt sin cos tanh floor ceil size exprel normal uniform".split()
)


def splittable(program: Program, samples: tuple[Sample, ...]) -> bool:
    """Whether threads can share a network: all that happens in a step happens to each unit by itself, but for static spikes."""
    arrays = {a.name: a for a in program.arrays}

    def simple(items: tuple[Item, ...]) -> bool:
        return all(
            item.op in _SIMPLE and len(item.axes) <= 1 and not (item.axes and item.axes[0] not in program.populations)
            if isinstance(item, Op)
            else arrays[item.array].axes != () and arrays[item.array].axes[0] in program.populations
            if isinstance(item, Store)
            else simple(item.body)
            for item in items
        )

    borders = ("constants", "start", "initial", "trial_start", "trial_end", "view")
    stepped = [b for b in program.blocks if b.phase not in borders]
    return (
        not program.sums
        and not program.inputs
        and not any(s.plastic for s in program.spikes)
        and all(len(a.axes) <= 1 for a in program.arrays)
        and all(simple(b.body) for b in stepped)
        and all(arrays[s.array].axes and arrays[s.array].axes[0] in program.populations for s in samples)
    )


def ranges(size: int, parts: int) -> list[int]:
    """Return where the ranges of units begin, and the size."""
    groups = -(-size // ALIGNED)
    return [min(size, groups * part // parts * ALIGNED) for part in range(parts)] + [size]


class SplitEmitter(Emitter):
    """Write loops over a range of units."""

    def _loop_over(self, axis: str) -> None:
        if axis in self.program.populations:
            n = self.sizes[axis]
            self.put(f"for {self.index(axis)} in range(np.uint64(low_{n}), np.uint64(high_{n})):")
            self.indent += 1
        else:
            super()._loop_over(axis)

    def draw(self, op: Op) -> None:
        """Draw the numbers of this range, in each step."""
        if not op.axes:
            return super().draw(op)
        from neurodyn.kernels.philox import stream_number

        self.close()
        name, n = self.value_name(op.name, ()), self.sizes[op.axes[0]]
        stream = stream_number(str(op.args[-1]))
        self.workspace[f"many_{name}"] = f"room_float64({n})"
        self.put(f"own = many_{name}[low_{n}:high_{n}]")
        self.put(f"fill_uniform(own, seed, np.uint64(k), np.uint64({stream}), low_{n})")
        if op.op == "normal":
            self.put("normal_from_uniform(own)")
        self.workspace[f"w_{name}"] = f"room_{self.dtype}({n})"
        self.put(f"for i in range(np.uint64(low_{n}), np.uint64(high_{n})): w_{name}[i] = F(many_{name}[i])")
        self.place[op.name] = "array"
        return None


class SplitStep(StepText):
    """Compose the loop of one thread, ``part`` of ``parts``: its units of a population n are low_n to high_n.

    ``lists_n`` (2, parts, 1 + units) holds how many units of each range spiked, and which; steps take turns between two
    of them, since a thread may be one step ahead. Recorded spikes are written by the first thread.
    """

    emitter = SplitEmitter

    imports = """from neurodyn.kernels.philox import fill_uniform
from neurodyn.kernels.split_step import meet
"""

    def scalars(self) -> list[str]:
        """Return the names of the numbers that are given besides those of the one-thread loop."""
        bounds = [f"{bound}_{self._size(name)}" for name in self.program.populations for bound in ("low", "high")]
        return ["part", "parts", *bounds]

    def arrays(self) -> list[str]:
        """Return the names of the arrays in the table of a thread."""
        lists = [f"lists_{self._size(name)}" for name in self.program.spiking]
        return ["gate", *lists, *(f"c{number}_split" for number in range(len(self.program.spikes)))]

    def _counted(self, number: int) -> str:
        return f"counted{number}"

    def _own_lists(self) -> tuple[str, ...]:
        for number in range(len(self.program.spiking)):
            self.e.workspace[f"counted{number}"] = f"counts[{number}]"
        return self.program.spike_sources

    def _bounds(self, population: str) -> str:
        n = self._size(population)
        return f"low_{n}, high_{n}"

    def _groups(self, population: str) -> str:
        n = self._size(population)
        self.e.put(f"own_{n} = lists_{n}[k % 2, part]")
        self.e.put(f"spk_{n} = own_{n}[1:]")
        return f"range(low_{n} // 8, (high_{n} + {ALIGNED - 1}) // {ALIGNED} * {ALIGNED // 8}, 16)"

    def _note(self, number: int, population: str) -> None:
        n = self._size(population)
        self.e.put(f"own_{n}[0] = count_{n}")

    def _listed(self) -> None:
        put = self.e.put
        put("meet(gate, part, parts, k)")
        for number, population in enumerate(self.program.spiking):
            n = self._size(population)
            put(f"if rec{number}_on:")
            put("    for other in range(parts):")
            put(f"        theirs = lists_{n}[k % 2, other]")
            put("        if part == 0:")
            put("            for q in range(theirs[0]):")
            put(f"                rec{number}_steps[counted{number} + q] = k")
            put(f"                rec{number}_ids[counted{number} + q] = theirs[1 + q]")
            put(f"        counted{number} += theirs[0]")

    def _starts(self, number: int) -> str:
        return f"c{number}_split"

    def _propagate(self, number: int, s: Spikes) -> None:
        put, n = self.e.put, self._size(s.source)
        self._slot(number, s)
        put(f"for block in range({self._starts(number)}.shape[1] - 1):")
        self.e.indent += 1
        if s.source in self.program.spiking:
            put("for other in range(parts):")
            self.e.indent += 1
            put(f"theirs = lists_{n}[k % 2, other]")
            put("listed = theirs[1:]")
            self._rows(number, s, "listed", "theirs[0]")
            self.e.indent -= 1
        else:
            self._rows(number, s, f"spk_{n}", f"count_{n}")
        self.e.indent -= 1

    def _record(self, number: int, sample: Sample) -> None:
        e, put, smp = self.e, self.e.put, f"smp{number}"
        n = self._size(e.arrays[sample.array].axes[0])
        put(f"if (k + 1) % {smp}_every == 0:")
        put(f"    for m in range({smp}_units.shape[0]):")
        put(f"        i = {smp}_units[m]")
        put(f"        if i >= low_{n} and i < high_{n}: {smp}[row{number}, m] = {e.names[sample.array]}[i]")
        put(f"    row{number} += 1")

    def _last(self) -> None:
        super()._last()
        for number in range(len(self.program.spiking)):
            self.e.put(f"if part == 0: counts[{number}] = counted{number}")


_yield: Any = None if sys.platform == "win32" else types.ExternalFunction("sched_yield", types.int32())


def _ordered(name: str, ordering: str) -> Any:
    """Return an intrinsic that loads or stores a number of int64 so that other threads see what came before."""

    def load(typingctx, array, at):
        def made(context, builder, signature, arguments):
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            return builder.load_atomic(builder.gep(data, [arguments[1]]), ordering, 8)

        return types.int64(array, types.int64), made

    def store(typingctx, array, at, value):
        def made(context, builder, signature, arguments):
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            builder.store_atomic(arguments[2], builder.gep(data, [arguments[1]]), ordering, 8)
            return context.get_dummy_value()

        return types.none(array, types.int64, types.int64), made

    return intrinsic({"load": load, "store": store}[name])


_load, _store = _ordered("load", "acquire"), _ordered("store", "release")


@intrinsic
def _pause(typingctx):
    """Tell the processor that this thread only waits, which leaves more of a core to the other thread on it."""

    def made(context, builder, signature, arguments):
        if platform.machine().lower() in ("x86_64", "amd64"):
            of = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, of, "llvm.x86.sse2.pause"), [])
        return context.get_dummy_value()

    return types.none(), made


@njit(cache=True, nogil=True, error_model="numpy")
def meet(gate, part, parts, step):
    """Wait until all threads have come to the same ``step``; ``gate`` (parts, LINE) int64 holds where each is."""
    flat = gate.reshape(gate.size)
    _store(flat, part * LINE, step)
    for other in range(parts):
        looks = 0
        while _load(flat, other * LINE) < step:
            _pause()
            looks += 1
            if looks > _PATIENCE:
                offer()


if _yield is None:

    @njit
    def offer():
        """Nothing: this system has no such call."""

else:

    @njit
    def offer():
        """Let another thread have the processor: on a busy machine, that for which this one waits."""
        _yield()
