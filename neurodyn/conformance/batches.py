"""Batches: networks of one Program that share nothing else (sizes, wiring, delays, numbers, seeds, inputs, sessions).

They are circuits of the suite with other numbers, so that a compiled runner compiles nothing new. Each function
returns (circuits, sessions), one session for each circuit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import neurodyn as nd
from neurodyn.conformance import plastic, synapses, tolerant, wiring
from neurodyn.conformance.borders import counters

Batch = tuple[Sequence[nd.Circuit], Sequence[Any]]


def spiking() -> Batch:
    """Noisy excitatory and inhibitory cells, 3 to 45 of them, each synapse with its own delay; two networks are equal."""
    numbers = (
        {"excitatory": 20, "inhibitory": 5, "seed": 3, "longest": "9 ms"},
        {"excitatory": 2, "inhibitory": 1, "seed": 1, "longest": "30 ms", "silenced": (1,)},
        {"excitatory": 33, "inhibitory": 12, "seed": 2**64 - 1, "longest": "2 ms", "probability": 0.4},
        {"excitatory": 20, "inhibitory": 5, "seed": 3, "longest": "9 ms"},
    )
    return [wiring.delays(**n)[0] for n in numbers], ["300 ms", "97 ms", "211 ms", "150 ms"]


def equations() -> Batch:
    """Noise, rest and Poisson input in equations with units, other cells silenced in each network."""
    numbers = (
        {"cells": 8, "sources": 15, "seed": 5, "refractory": "3 ms", "silenced": (5,)},
        {"cells": 3, "sources": 40, "seed": 6, "refractory": "0 ms", "silenced": (0, 2)},
        {"cells": 17, "sources": 2, "seed": 7, "refractory": "12 ms", "silenced": (7,)},
    )
    return [wiring.noisy_equations(**n)[0] for n in numbers], ["200 ms", "333 ms", "100.5 ms"]


def learning() -> Batch:
    """Cells that learn their own targets with feedback, in trials of other lengths, numbers and flags."""
    numbers = ((12, 1, (101, 50, 73)), (30, 2, (217,)), (1, 3, (40, 1, 1, 90, 5)), (21, 4, (64, 128)))
    made = [plastic.learning(size=size, seed=seed, lengths=lengths) for size, seed, lengths in numbers]
    return [circuit for circuit, _ in made], [session for _, session in made]


def plasticity() -> Batch:
    """Synapses that learn, of other numbers and delays in each network, in trials of other lengths."""
    numbers = (
        (12, 1, (70, 50), "5 ms"),
        (30, 2, (141,), "13 ms"),
        (1, 3, (40, 1, 20), "2 ms"),
        (25, 4, (90, 60), "7 ms"),
    )
    made = [
        synapses.eligibility(size=size, seed=seed, lengths=lengths, delay=nd.Uniform("1 ms", longest))
        for size, seed, lengths, longest in numbers
    ]
    return [circuit for circuit, _ in made], [session for _, session in made]


def closed_loops() -> Batch:
    """Python functions that are asked at other intervals in each network, for other values."""
    numbers = ((10, 7, 0.1), (4, 5, 0.3), (15, 1, -0.05))
    circuits = [wiring.closed_loop(size=n, every=every, gain=gain, seed=n)[0] for n, every, gain in numbers]
    return circuits, ["100 ms", "64 ms", "90 ms"]


def sizes() -> Batch:
    """Networks of no, one and several units."""
    return [counters(size, seed=size) for size in (3, 0, 9, 1)], ["30 ms", "40 ms", "17 ms", "1 ms"]


def rates() -> Batch:
    """Sums over populations of other sizes (tolerant: as a trajectory over a short horizon)."""
    numbers = ((7, 9, 1), (1, 3, 2), (23, 2, 3))
    circuits = [tolerant.rates(first=a, second=b, seed=seed)[0] for a, b, seed in numbers]
    return circuits, ["50 ms", "31 ms", "50 ms"]


def leaky_networks() -> Batch:
    """Networks for training by gradient, as circuits: other sizes and weights, each with its own digits (tolerant)."""
    numbers = ((11, 1, (20, 30)), (3, 2, (41,)), (24, 3, (9, 1, 25)))
    made = [tolerant.leaky_network(units=units, seed=seed, lengths=lengths) for units, seed, lengths in numbers]
    return [circuit for circuit, _ in made], [session for _, session in made]


def hmm_rnns() -> Batch:
    """Networks that only noise drives: other sizes, noise inputs and seeds (tolerant)."""
    numbers = ((9, 4, 1, (20, 30)), (1, 1, 2, (41,)), (17, 6, 3, (9, 1, 25)))
    made = [tolerant.hmm_rnn(units=units, noise_inputs=k, seed=s, lengths=lengths) for units, k, s, lengths in numbers]
    return [circuit for circuit, _ in made], [session for _, session in made]


def pvrnns() -> Batch:
    """Networks that latent noise drives: other layers, latents, time constants and seeds (tolerant)."""
    numbers = (
        (((6, 2, 2.0), (4, 1, 5.5)), 1, (20, 30)),
        (((1, 1, 1.0), (1, 1, 3.0)), 2, (41,)),
        (((13, 3, 4.0), (2, 2, 9.5)), 3, (9, 1, 25)),
    )
    made = [tolerant.pvrnn(layers=layers, seed=seed, lengths=lengths) for layers, seed, lengths in numbers]
    return [circuit for circuit, _ in made], [session for _, session in made]


def least_squares() -> Batch:
    """Recursive least squares with matrices of other sizes (tolerant: as a trajectory over a short horizon)."""
    numbers = ((15, 1, 50), (4, 2, 33), (9, 3, 50))
    made = [plastic.least_squares(size=size, seed=seed, steps=steps) for size, seed, steps in numbers]
    return [circuit for circuit, _ in made], [session for _, session in made]


BATCHES: Mapping[str, Callable[[], Batch]] = {
    f.__name__: f
    for f in (
        spiking,
        equations,
        learning,
        plasticity,
        closed_loops,
        sizes,
        rates,
        leaky_networks,
        hmm_rnns,
        pvrnns,
        least_squares,
    )
}
