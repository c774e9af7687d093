"""Circuits at the borders: no units, one unit, no spikes, a spike of every unit in every step, delay 0 and the longest.

All but the last hold one Program with other numbers. Each function returns (circuit, session).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import neurodyn as nd

SHORT_DELAYS = nd.Uniform("1 ms", "3 ms")


def counters(
    size: int,
    *,
    threshold: float = 2.0,
    delay: Any = SHORT_DELAYS,
    probability: float = 0.5,
    seed: int = 0,
    sources: Sequence[nd.SpikeTimes] = (),
) -> nd.Circuit:
    """Return units that count up by x and by what arrives, and start again from 2 below ``threshold``."""
    cells = nd.Population(
        "cells",
        size,
        code="v = v + x\nw = w + 0.5*v*x",
        threshold="v > limit",
        reset="v = v - 2\nw = 0.25*w",
        variables={"v": "1", "w": "1"},
        parameters={"x": nd.Uniform(0, 1), "limit": threshold},
    )
    loop = nd.Connection(
        cells, cells, "v", probability=probability, weight=nd.Uniform(0, 0.5), delay=delay, name="loop"
    )
    return nd.Circuit([*sources, cells], [loop], dt="1 ms", seed=seed)


def empty_population():
    """No units."""
    return counters(0), "10 ms"


def one_unit():
    """One unit, which has nobody to talk to."""
    return counters(1), "100 ms"


def no_synapses():
    """Units without a synapse."""
    return counters(9, probability=0.0), "100 ms"


def one_step():
    """A run of one step."""
    return counters(9, probability=1.0), "1 ms"


def no_spikes():
    """A threshold that is never reached."""
    return counters(9, threshold=1e9), "100 ms"


def all_spikes():
    """A spike of every unit in every step."""
    return counters(9, threshold=-1e9), "100 ms"


def delay_0():
    """A spike of every unit in every step, felt by the next update."""
    return counters(9, threshold=-1e9, delay="0 ms"), "50 ms"


def delays_of_any_length():
    """Delays from one step to 60."""
    return counters(9, delay=nd.Uniform("1 ms", "60 ms")), "200 ms"


def delay_beyond_the_run():
    """A delay of 2 s in a run of 100 ms: nothing arrives."""
    return counters(9, delay="2 s"), "100 ms"


def silent_and_busy_sources():
    """A spike source without spikes and one that spikes in every step."""
    silent = nd.SpikeTimes("silent", 2, [], np.empty(0))
    busy = nd.SpikeTimes("busy", 2, np.tile([0, 1], 20), nd.quantity([f"{k} ms" for k in np.repeat(np.arange(20), 2)]))
    circuit = counters(3, sources=(silent, busy))
    links = [
        nd.Connection(source, "cells", "v", weight=w, delay="1 ms") for source, w in ((silent, 100.0), (busy, 0.125))
    ]
    return circuit.with_(connections=[*circuit.connections, *links]), "30 ms"
