"""How much memory a network takes, known before anything of it is drawn, and whether this machine has it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.parts import Connection, Normal, Uniform
from neurodyn.program import Program
from neurodyn.specs import expression_text
from neurodyn.synaptic_numbers import BLOCK
from neurodyn.wiring import ends, given_matrix, in_two_bytes

_GIB = 2**30


@dataclass(frozen=True)
class NetworkSize:
    """What a network on the CPU takes: ``synapses`` expected by connection, ``held`` bytes while it runs, ``peak`` bytes at most.

    Random wiring counts by its mean. A delay given by an expression counts as none in the delay ring.
    """

    name: str
    synapses: Mapping[str, int]
    held: int
    peak: int

    @staticmethod
    def of(circuit: Circuit, program: Program, sizes: Mapping[str, int], dtype: str = "float64") -> NetworkSize:
        """Count arrays, wiring and delay rings of a circuit whose populations have these ``sizes``."""
        item = np.dtype(dtype).itemsize
        synapses = {c.name: expected_synapses(c, circuit, program, sizes) for c in circuit.connections}
        spikes = {s.name: s for s in program.spikes}
        various = [name for name, s in spikes.items() if s.delays == "heterogeneous"]
        held, passing = 0, [0]
        for c in circuit.connections:
            pre, post, dense = ends(c, program, sizes)
            n, length = synapses[c.name], longest_delay(c, circuit) + 1
            held += 8 * (pre + 1) + (8 if c.name in various else 4) * n
            if c.plastic:  # start weights; who fired, and which synapses a spike of a target or of a source concerns
                lags = min(length, n) if c.name in various else 1
                lists = 8 * n + 8 * (post + 1) + 8 * lags * (pre + 1) + 4 * length * (pre + 1)
                held += 8 * n + (lists if c.name in spikes else 0)
            else:
                held += item * n + (item * pre * post if dense and n < pre * post else 0)
            held += item * post * (1 if c.plastic else length)
            if not dense and in_two_bytes(post, n) and not (c.plastic and c.name in spikes):
                held += 2 * n  # the targets once more, for the loop that passes spikes on
            passing.append(_passing(c, n, item))
        shared = [f"{c.name}@post" for c in circuit.connections] + [f"{c.name}.w@initial" for c in circuit.connections]
        for a in program.arrays:
            count = int(np.prod([{**sizes, **synapses}[x] for x in a.axes], dtype=int))
            size = {"bool": 1, "index": 4}.get(a.dtype, 8 if a.wide else item)
            fixed = a.role in ("parameter", "constant")
            if a.name not in shared or (a.name.endswith("initial") and item < 8):
                held += size * count
            held += 8 * count * (fixed and not any(x in synapses for x in a.axes))  # the network's own
        return NetworkSize(circuit.name, synapses, held, held + max(passing))


def _passing(c: Connection, n: int, item: int) -> int:
    """Return what building a connection takes beside what stays."""
    if c.pairs is not None:
        return 32 * n
    if expression_text(c.weight) is not None or (c.delay is not None and expression_text(c.delay) is not None):
        return 8 * n + 96 * min(n, BLOCK)
    return 8 * n if item < 8 else BLOCK


def expected_synapses(c: Connection, circuit: Circuit, program: Program, sizes: Mapping[str, int]) -> int:
    """Return how many synapses a connection has, on average where it is drawn."""
    stored = circuit.values.get(f"{c.name}.targets")
    if stored is not None:
        return int(np.size(stored))
    pre, post, _ = ends(c, program, sizes)
    if c.pairs is not None:
        return int(np.size(c.pairs[0]))
    if c.pattern == "one-to-one":
        return pre
    matrix = given_matrix(c, pre, post) if c.probability is None else None
    if matrix is not None:
        return int(np.count_nonzero(~np.isnan(matrix)))
    loops = pre if c.source == c.target and not c.autapses else 0
    return round((pre * post - loops) * (1.0 if c.probability is None else float(c.probability)))


def longest_delay(c: Connection, circuit: Circuit) -> int:
    """Return the longest delay of a connection in steps; four standard deviations above the mean where it is normal."""
    stored = circuit.values.get(f"{c.name}.delays")
    if stored is not None:
        return int(np.max(stored, initial=0))
    if c.delay is None or expression_text(c.delay) is not None:
        return 0

    def seconds(value: object) -> float:
        return float(np.max(units.quantity(value, name=f"{c.name}.delay").value, initial=0.0))

    if isinstance(c.delay, Normal):
        longest = seconds(c.delay.mean) + 4.0 * seconds(c.delay.std)
    else:
        longest = seconds(c.delay.high if isinstance(c.delay, Uniform) else c.delay)
    return round(longest / circuit.timestep)


def check_memory(networks: Sequence[NetworkSize]) -> None:
    """Raise MemoryError where networks that live side by side can't fit into this machine; warn where they don't just now."""
    need = sum(n.held for n in networks) + max((n.peak - n.held for n in networks), default=0)
    if need < _GIB:  # asking costs more than it tells
        return
    total, free = machine_bytes()
    if need <= free:
        return
    synapses = sum(sum(n.synapses.values()) for n in networks)
    what = f"network {networks[0].name!r} needs" if len(networks) == 1 else f"{len(networks)} networks need"
    text = (
        f"{what} {need / _GIB:.3g} GiB for {synapses:.3g} synapses; this machine has {total / _GIB:.3g} GiB, "
        f"{free / _GIB:.3g} GiB of them free. Take fewer synapses (a lower probability, fewer units), or dtype='float32', "
        "which takes 8 bytes a synapse instead of 12"
    )
    if need > total:
        raise MemoryError(text)
    warnings.warn(text, RuntimeWarning, stacklevel=3)


def machine_bytes() -> tuple[int, int]:
    """Return the memory of this machine, or of the container that it is shared out to, and how much of it is free."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = os.sysconf("SC_PHYS_PAGES") * page, os.sysconf("SC_AVPHYS_PAGES") * page
    except (ValueError, OSError, AttributeError):  # a system that doesn't tell
        return 2**62, 2**62
    info = Path("/proc/meminfo")
    if info.exists():  # what the system's file cache holds is free as well
        found = dict(line.split(":", 1) for line in info.read_text().splitlines())
        free = max(free, int(found.get("MemAvailable", "0").split()[0]) * 1024)
    limit, used = (Path("/sys/fs/cgroup") / f"memory.{name}" for name in ("max", "current"))
    if limit.exists() and used.exists() and limit.read_text().strip().isdigit():
        total = min(total, int(limit.read_text()))
        free = min(free, max(total - int(used.read_text()), 0))
    return total, free
