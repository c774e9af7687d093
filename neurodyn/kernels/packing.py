"""Which arrays over the synapses of a plastic connection lie side by side, synapse after synapse.

A spike of a target concerns synapses that lie far apart: on a GPU each array costs a sector of 32 bytes for one number
of 4. Side by side, the numbers of a synapse are one sector.
"""

from __future__ import annotations

from neurodyn.program import LAST_PHASES, Op, Program, operations, stores

_EVERY_STEP = ("update", "threshold", "spiked", "paired", "reset", *LAST_PHASES)


def packs(program: Program) -> dict[str, tuple[str, ...]]:
    """Return, by plastic connection, the names of the numbers that its events read or write.

    Connections whose synapses are gone through in every step are left out: there each array is read in one go.
    """
    found = {}
    for name in (s.name for s in program.spikes if s.plastic):
        blocks = [b for b in program.blocks if b.spikes_of != name and b.phase in _EVERY_STEP]
        if any(isinstance(item, Op) and name in item.axes for b in blocks for item in b.body):
            continue
        touched = set()
        for block in (*program.phase("on_post", name), *program.phase("on_pre", name)):
            touched |= {a for op in operations(block.body) for a in op.args} | {s.array for s in stores(block.body)}
        arrays = [a.name for a in program.arrays if a.axes == (name,) and a.dtype == "float" and a.name in touched]
        if len(arrays) > 1:
            found[name] = tuple(arrays)
    return found


def gathered_whole(program: Program) -> frozenset[str]:
    """Return the names of the index arrays by which values of all synapses are gathered, not those of events alone."""
    plastic = {s.name for s in program.spikes if s.plastic}
    blocks = [b for b in program.blocks if b.spikes_of not in plastic]
    return frozenset(str(op.args[1]) for b in blocks for op in operations(b.body) if op.op == "gather")
