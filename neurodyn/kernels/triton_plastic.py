"""Plastic connections in the Triton kernel: lists of who fired, and loops over the synapses with an event.

A row, the synapses of one unit, is gone through by all threads together. No synapse is in two rows of an event, so rows of
targets need no order; rows that deliver do, since two may reach one target.
"""

from __future__ import annotations

from collections.abc import Callable

from neurodyn.kernels.emit_triton import TritonEmitter
from neurodyn.program import Spikes

Argument = Callable[[str, str], str]  # (name, kind) -> the name, noted as an argument of the kernel


def note(e: TritonEmitter, argument: Argument, number: int, s: Spikes) -> None:
    """Write who fired into the row of this step."""
    c, n = f"c{number}", e.sizes[s.source]
    emitted = argument(f"{c}_emitted", "tensor")
    e.memory({f"spk_{n}"}, {emitted})
    e.put(f"{c}_now = {row(e, c, s, f'{c}_slot')}")
    e.put(f"for b in range(0, count_{n} + 1, BLOCK):")
    e.put("    at = b + lane")
    e.put(f"    {c}_who = tl.load({e.listed(s.source)} + (at - 1), mask=(at > 0) & (at <= count_{n}), other=0)")
    e.put(f"    tl.store({c}_now + at, tl.where(at == 0, count_{n}, {c}_who), mask=at <= count_{n})")


def row(e: TritonEmitter, c: str, s: Spikes, slot: str) -> str:
    """Return the pointer of the row of a slot: how many fired, then the units."""
    return f"{c}_emitted + ((net * {c}_length + {slot}) * (1 + {e.width(s.source)}))"


def of_targets(e: TritonEmitter, argument: Argument, number: int, s: Spikes) -> tuple[str, ...]:
    """Return the loops over the synapses whose target spiked."""
    c, n = f"c{number}", e.sizes[s.target_population]
    first, synapses = argument(f"{c}_onto_first", "tensor"), argument(f"{c}_onto", "tensor")
    return (
        f"for q in range(0, count_{n}):",
        f"{c}_unit = tl.load({e.listed(s.target_population)} + q)",
        f"{c}_row = {first} + ({e.offset((s.target_population,))} + {c}_unit)",
        *_synapses(e, c, s, _of_list(e, s, synapses)),
    )


def of_arrivals(e: TritonEmitter, argument: Argument, number: int, s: Spikes) -> tuple[str, ...]:
    """Return the loops over the synapses at which a spike arrives, earlier spikes first."""
    c = f"c{number}"
    lags, count = argument(f"{c}_lags", "tensor"), argument(f"{c}_lag_count", "number")
    first, w = argument(f"{c}_first", "tensor"), e.width(s.source)
    begin: tuple[str, ...] = ()
    if s.delays == "heterogeneous":
        synapse = _of_list(e, s, argument(f"{c}_arriving", "tensor"))
    else:  # a network of one delay has its synapses in order
        begin = (f"{c}_from = tl.load({first} + ({c}_lag * (networks * {w} + 1) + {e.offset((s.source,))}))",)
        synapse = f"(AT - {c}_from).to(tl.int32)"
    return (
        f"for {c}_lag in range(0, {count}):",
        f"{c}_then = ({c}_slot + {c}_length - tl.load({lags} + {c}_lag)) % {c}_length",
        f"{c}_old = {row(e, c, s, f'{c}_then')}",
        f"{c}_many = tl.load({c}_old)",
        *begin,
        f"for q in range(0, {c}_many):",
        f"{c}_unit = tl.load({c}_old + 1 + q)",
        f"{c}_row = {first} + ({c}_lag * (networks * {w} + 1) + {e.offset((s.source,))} + {c}_unit)",
        *_synapses(e, c, s, synapse),
    )


def _of_list(e: TritonEmitter, s: Spikes, synapses: str) -> str:
    """Return the text of the synapses at AT of a list over all networks, by their place in their own."""
    n = e.sizes[s.name]
    return f"(tl.load({synapses} + AT, mask=m_{n}, other=0) - {e.offset((s.name,))}).to(tl.int32)"


def _synapses(e: TritonEmitter, c: str, s: Spikes, synapse: str) -> tuple[str, ...]:
    """Return the loop over the tiles of a row."""
    n = e.sizes[s.name]
    return (
        f"{c}_begin = tl.load({c}_row)",
        f"{c}_end = tl.load({c}_row + 1)",
        f"for {c}_b in range({c}_begin, {c}_end, BLOCK):",
        f"m_{n} = {c}_b + lane < {c}_end",
        f"{e.index(s.name)} = {synapse.replace('AT', f'({c}_b + lane)')}",
    )
