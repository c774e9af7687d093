"""Case "precision": at which step spikes in float32 part from those in float64, for each kind of network, over 8 seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import plastic_network
import speed_network
import vogels_abbott
from limits import Ceiling
from table import Case, Row

import neurodyn as nd

SEEDS = range(1, 9)
WITHIN = 0.05  # of all spikes, between the precisions


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Simulate each network in both precisions on numba; one row for each kind."""
    case = Case("float32 against float64: the first step at which spikes differ, over 8 seeds, numba on the CPU")
    _same_precision(case)
    for what, circuits, session in _kinds(1.0 if quick else 10.0):
        single, double = (nd.simulate(circuits, session, backend="numba", dtype=d) for d in ("float32", "float64"))
        dt = circuits[0].timestep
        parted = parting(single, double)
        spikes = [np.array([len(r["spikes/cells"]) for r in runs], dtype=float) for runs in (single, double)]
        ratio = spikes[0].sum() / spikes[1].sum()
        case.check(
            f"{what}: spikes in float32 {spikes[0].sum():.0f}, in float64 {spikes[1].sum():.0f}",
            abs(ratio - 1) <= WITHIN,
        )
        note = f"{len(parted)} of {len(single)} seeds within {double[0]['spikes/cells'].duration_ms / 1e3:g} s; {ratio - 1:+.2%} spikes"
        if parted:
            note = f"{np.median(parted) * dt * 1e3:.0f} ms (median); {note}"
            case.rows.append(Row(what, parted, unit="steps", note=note))
        else:
            case.notes.append(f"{what}: the same spikes in both precisions ({note})")
    case.notes.append(
        "Spikes of cells alone are compared, step by step. Seeds that didn't part in that time are no part of the medians"
    )
    yield case


def parting(some: Sequence[Any], others: Sequence[Any]) -> tuple[float, ...]:
    """Return the first step at which spikes of two runs differ, of those pairs in which they do."""
    first = [nd.compare(a, b).difference for a, b in zip(some, others, strict=True)]
    return tuple(float(d.step) for d in first if d is not None)


def _same_precision(case: Case) -> None:
    """Check that runs of one precision don't part, so that what is measured is the precision."""
    circuit = speed_network.circuit(100)
    for dtype in ("float32", "float64"):
        a, b = (nd.simulate(circuit, "60 ms", backend=backend, dtype=dtype) for backend in ("numba", "interpreter"))
        case.check(
            f"numba and the interpreter in {dtype} give the same {len(a['spikes'])} spikes", bool(nd.compare(a, b))
        )


def _kinds(scale: float) -> Iterator[tuple[str, list[nd.Circuit], Any]]:
    """Iterate over kinds: title, a circuit for each seed, what is simulated."""
    speed = speed_network.circuit(1000)
    yield f"speed network, {speed_network.DT_MS} ms", [speed.with_(seed=s) for s in SEEDS], f"{0.5 * scale} s"
    plastic = [plastic_network.circuit(seed=s) for s in SEEDS]
    yield "dopamine-modulated STDP, 1 ms", plastic, nd.Session((nd.Trial(round(2000 * scale), {}),), 1e-3)
    for kind in ("coba", "cuba"):
        circuits = [vogels_abbott.circuit(kind, seed=s) for s in SEEDS]
        yield f"{kind.upper()}, {vogels_abbott.DT_MS} ms", circuits, f"{0.3 * scale} s"
    task = nd.tasks.WhatWhen()
    reservoir = nd.WhatWhenRule().attach(nd.SpikingReservoir(1000, events=task.names))
    session = task.session(1 if scale == 1.0 else 5, calibration=1, tests=())
    yield "what/when reservoir with learning, 1 ms", [reservoir.with_(seed=s) for s in SEEDS], session
