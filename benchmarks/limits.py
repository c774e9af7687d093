"""What the hardware allows: work counted from a Program, rates measured by the simplest loops there are.

The limit of a step is the largest of three times: its bytes at the rate of a copy, its flops at the rate of fused
multiply-adds in registers, and its divisions at the rate of a loop of divisions. No overlap is lost and nothing is
spent on indices, branches or Python, so 100 % can't be reached; the number says how much is left at most.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from neurodyn.kernels.vectors import fused
from neurodyn.network import Network
from neurodyn.program import Axes, Branch, Item, Op, Store

#: flops of one operation; a library function or a draw counts as its polynomial at least
FLOPS = {
    "add": 1,
    "sub": 1,
    "mul": 1,
    "neg": 1,
    "abs": 1,
    "min": 1,
    "max": 1,
    "select": 1,
    "sum": 1,
    "lt": 1,
    "le": 1,
    "gt": 1,
    "ge": 1,
    "exp": 15,
    "log": 15,
    "tanh": 20,
    "sqrt": 1,
    "pow": 30,
    "power_product": 2,
    # Philox 4x32-10 gives two draws: 20 products of 32 bits and 40 exclusive ors, halved; AS 241: two polynomials of degree 7
    "uniform": 32,
    "normal": 32 + 30,
}
#: a division by a number that all units share: a product with its reciprocal and two fused multiply-adds
_SHARED_DIVISION = 5
_STEP_PHASES = ("update", "threshold", "spiked", "reset", "trace", "observe", "learn")


@dataclass
class Work:
    """Work of one step: bytes moved, flops (divisions left out), divisions."""

    bytes: float = 0.0
    flops: float = 0.0
    divisions: float = 0.0


@dataclass(frozen=True)
class Ceiling:
    """Rates of one core: copy within the cache and from memory (bytes/s, read and write counted), flops/s, divisions/s."""

    cache: float
    memory: float
    flops: float
    divisions: float

    def seconds(self, work: Work) -> float:
        """Return the least time that one step's work takes; the working set of a step is taken to sit in the cache."""
        return max(work.bytes / self.cache, work.flops / self.flops, work.divisions / self.divisions)

    def text(self) -> str:
        """Return one line for the page."""
        return (
            f"copy {self.cache / 1e9:.0f} GB/s in the cache, {self.memory / 1e9:.1f} GB/s from memory; "
            f"fused multiply-add {self.flops / 1e9:.0f} Gflop/s; division {self.divisions / 1e9:.1f} G/s (one core, float64)"
        )


def count(network: Network, spikes_per_step: float, *, learning: float = 0.0, itemsize: int = 8) -> Work:
    """Count the work of a step of ``network`` when ``spikes_per_step`` units fire and the share ``learning`` learns.

    Numbers take ``itemsize`` bytes, 8 in float64.

    Bytes: every array over units that a step reads is read once and every one it writes is written once (a perfect
    step fuses all loops); a synaptic event reads a weight and a target and reads and writes an accumulator; the
    accumulator of a connection is read and cleared once. Flops: every elementary operation of the statements. All
    of it is a lower bound: bodies of conditions count only in learning rules, what runs for spiking units only and
    the sums over inputs don't.
    """
    program, sizes = network.program, network.sizes
    axes = {a.name: a.axes for a in program.arrays}
    shared = {a.name for a in program.arrays if fused() and not a.axes and a.role in ("parameter", "constant")}
    values: dict[str, Axes] = {}
    work, read, written = Work(), dict[str, float](), dict[str, float]()

    def units(over: Axes) -> float:
        return float(np.prod([sizes[a] for a in over], dtype=float))

    def visit(items: tuple[Item, ...], share: float, deep: bool) -> None:
        for item in items:
            if isinstance(item, Op):
                over = item.axes
                if item.op == "sum":
                    over = values.get(str(item.args[0])) or axes[str(item.args[0])]
                if item.op == "div" and item.args[1] in shared:
                    work.flops += share * units(over) * _SHARED_DIVISION
                else:
                    work.divisions += share * units(over) * (item.op in ("div", "mod", "floordiv"))
                    work.flops += share * units(over) * FLOPS.get(item.op, 0)
                values[item.name] = item.axes
                read.update({a: max(share, read.get(a, 0.0)) for a in item.args if isinstance(a, str) and a in axes})
            elif isinstance(item, Store):
                written[item.array] = max(share, written.get(item.array, 0.0))
            elif isinstance(item, Branch) and deep:
                visit(item.body, share, deep)

    for block in program.blocks:
        if block.phase in _STEP_PHASES and not block.spikes_of:
            visit(block.body, learning if block.phase == "learn" else 1.0, block.phase == "learn")
    for shares in (read, written):
        work.bytes += sum(itemsize * share * units(axes[name]) for name, share in shares.items() if axes[name])
    for spikes in program.spikes:
        wiring, targets = network.wiring[spikes.name], sizes[spikes.target_population]
        events = spikes_per_step * wiring.targets.size / max(1, sizes[spikes.source])
        work.bytes += events * (itemsize + 4 + 2 * itemsize) + 2 * itemsize * targets
        work.flops += events + targets
    return work


def ceiling() -> Ceiling:
    """Measure the rates of one core, each as the best of several short runs."""
    loops = _loops()
    near, far = np.ones(2048), np.ones(8 << 20)  # 16 KiB lies in the first cache, 64 MiB in none
    block, target = np.ones(128), np.empty_like(far)
    repeats = 2_000
    return Ceiling(
        cache=_best(lambda: loops["copy"](near, target[: near.size], 10 * repeats), 10 * repeats * 2 * near.nbytes),
        memory=_best(lambda: loops["copy"](far, target, 1), 2 * far.nbytes),
        flops=_best(lambda: loops["fused"](block, 10 * repeats), 10 * repeats * block.size * 8 * 2),
        divisions=_best(lambda: loops["divide"](block, repeats), repeats * block.size * 8),
    )


def _best(run: Callable[[], object], work: float) -> float:
    run()
    least = float("inf")
    for _ in range(7):
        start = time.process_time()
        run()
        least = min(least, time.process_time() - start)
    return work / least


def _loops() -> Mapping[str, Callable[..., object]]:
    from numba import njit

    from neurodyn.kernels.vectors import wide  # the limit of what the kernels may use

    @njit(error_model="numpy")
    def copy(source, target, repeats):
        wide()
        for r in range(repeats):
            source[0] = r  # keeps the compiler from doing it once
            for i in range(source.shape[0]):
                target[i] = source[i]
        return target[0]

    @njit(error_model="numpy", fastmath={"contract"})
    def fused(x, repeats):
        wide()
        for r in range(repeats):
            a, b = 0.999 + 1e-9 * r, 1e-3
            for i in range(x.shape[0]):
                y = x[i]
                for _ in range(8):  # short, so that several of these chains are under way at once
                    y = y * a + b
                x[i] = y
        return x[0]

    @njit(error_model="numpy")
    def divide(x, repeats):
        wide()
        for r in range(repeats):
            a = 1.0 + 1e-9 * r
            for i in range(x.shape[0]):
                y = x[i]
                for _ in range(8):
                    y = y / a
                x[i] = y
        return x[0]

    return {"copy": copy, "fused": fused, "divide": divide}
