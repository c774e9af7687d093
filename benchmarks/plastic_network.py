"""The network of simulations/dopamine for the benchmarks, and the bytes of a step."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import limits
import numpy as np

import neurodyn as nd
from neurodyn.network import Network
from neurodyn.program import Op, Program, Spikes, Store

sys.path.append(str(Path(__file__).resolve().parents[1] / "simulations"))
from dopamine.network import network as circuit  # type: ignore[import-not-found]

__all__ = ["Bytes", "circuit", "count", "parts_left_out", "seconds"]

HOUR_STEPS = 3_600_000  # of 1 ms


@dataclass(frozen=True)
class Bytes:
    """What a step touches: ``near`` in arrays over cells, ``far`` in arrays over synapses (at events)."""

    near: float
    far: float


def parts_left_out(net: nd.Circuit) -> dict[str, nd.Circuit]:
    """Return the network with one part less from entry to entry, to see what each costs."""
    cells, frozen = net["cells"], net.freeze()
    alone = replace(net, populations=(cells,), connections=())
    quiet = replace(cells, code=(cells.code or "").replace("13*(rand() - 0.5)", "4.0"))
    assert quiet.code != cells.code
    return {
        "all of it": net,
        "weights fixed": frozen,
        "and nobody paid": replace(frozen, populations=(cells,), connections=frozen.connections[:2]),
        "and no synapses": alone,
        "and no draws": replace(alone, populations=(quiet,)),
    }


def count(network: Network, spikes_per_step: float, *, itemsize: int = 8) -> tuple[limits.Work, Bytes]:
    """Count the work of a step in which synapses are advanced at events; the bytes are split by where they lie.

    A spike of a cell is an event for each of its outgoing synapses and for each of its incoming ones. At an event each
    array over synapses that the rule reads is read once, each that it writes is written once, and so is the entry in the
    list of synapses (8 bytes). Sweeps over all synapses, one in some thousand steps, are left out.
    """
    program = network.program
    work = limits.count(network, spikes_per_step, learning=1.0, itemsize=itemsize)
    near, far = work.bytes, 0.0
    for s in (s for s in program.spikes if s.plastic):
        events = spikes_per_step * network.wiring[s.name].targets.size / network.sizes[s.source]
        near -= events * (3 * itemsize + 4)  # there it is taken to be fixed
        far += events * _bytes_of_events(program, s, itemsize)
    arrays = {a.name: a for a in program.arrays}
    for block in program.phase("decay"):
        for item in block.body:
            if isinstance(item, Store) and arrays[item.array].axes:  # read and written
                near += 2 * itemsize * float(np.prod([network.sizes[a] for a in arrays[item.array].axes]))
    return replace(work, bytes=near + far), Bytes(near, far)


def _bytes_of_events(program: Program, s: Spikes, itemsize: int) -> float:
    """Return the bytes of one arriving spike and one spike of the target, at one synapse."""
    size = {a.name: 4 if a.dtype == "index" else itemsize for a in program.arrays if a.axes == (s.name,)}
    total = 0.0
    for phase in ("on_pre", "on_post"):
        for block in program.phase(phase, s.name):
            ops = [item for item in block.body if isinstance(item, Op)]
            read = {a for op in ops for a in op.args if isinstance(a, str) and a in size}
            written = {item.array for item in block.body if isinstance(item, Store) and item.array in size}
            accumulator = 2 * itemsize * sum(op.op == "arrive" for op in ops)
            total += 8 + sum(size[a] for a in read) + sum(size[a] for a in written) + accumulator
    return total


def seconds(ceiling: limits.Ceiling, work: limits.Work, moved: Bytes) -> float:
    """Return the least time of a step: cells from the cache, synapses (megabytes, in no order) at the rate of memory."""
    return max(
        moved.near / ceiling.cache + moved.far / ceiling.memory,
        work.flops / ceiling.flops,
        work.divisions / ceiling.divisions,
    )
