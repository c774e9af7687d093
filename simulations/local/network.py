"""The pattern generation task of Bellec et al. (2020) and its network: frozen input spikes, recurrent cells, one output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import neurodyn as nd

#: chance of an input spike in a step of 1 ms, 50 Hz
INPUT_CHANCE = 0.05
#: whole numbers of cycles in a trial
CYCLES = (1, 2, 3, 5)

# Spikes that a session brings, with the trace that e-prop needs of a presynaptic cell.
_SOURCE = """
trace = decay*trace + (1 - decay)*z
z = I_in
"""


def network(
    cells: int,
    *,
    seed: int,
    strength: float = 1.0,
    recurrent: Sequence[nd.SynapticRule] = (),
    inputs: Sequence[nd.SynapticRule] = (),
) -> nd.Circuit:
    """Return as many sources as cells, both all to all; weights are normal with SD 1/sqrt(cells), recurrent ones times ``strength``.

    The sources follow the input "pattern", one channel each; ``recurrent`` and ``inputs`` are the rules of the synapses.
    """
    sources = nd.Population(
        "sources",
        cells,
        code=_SOURCE,
        variables=dict.fromkeys(("trace", "z", "I_in"), "1"),
        threshold="z > 0.5",
        reset="",
        parameters={"decay": "exp(-dt/(30*ms))"},
    )
    group = nd.surrogate_lif("cells", cells)
    pattern = nd.Input("pattern", channels(cells))
    spread = 1 / np.sqrt(cells)
    links = [
        nd.Connection(pattern, sources, "I_in", pattern="one-to-one", weight=1.0),
        nd.Connection(
            sources,
            group,
            "I_rec",
            pattern="all",
            weight=nd.Normal(0, spread),
            delay="0 ms",
            name="w_in",
            rules=tuple(inputs),
        ),
        nd.Connection(
            group,
            group,
            "I_rec",
            probability=1.0,
            weight=nd.Normal(0, strength * spread),
            delay="0 ms",
            name="w_rec",
            rules=tuple(recurrent),
        ),
    ]
    return nd.Circuit([sources, group], links, inputs=[pattern], dt="1 ms", seed=seed)


def channels(cells: int) -> tuple[str, ...]:
    """Names of the input channels."""
    return tuple(f"p{k}" for k in range(cells))


def task(cells: int, steps: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return input spikes (step, cell) of 50 Hz and the target (step,), four sines of random size and phase, from 0 and at most 1."""
    rng = np.random.default_rng(seed)
    pattern = (rng.random((steps, cells)) < INPUT_CHANCE).astype(float)
    t = np.arange(steps) / steps
    sines = [rng.uniform(0.5, 2) * np.sin(2 * np.pi * (k * t + rng.uniform())) for k in CYCLES]
    target = np.sum(sines, axis=0)
    target -= target[0]
    return pattern, target / np.abs(target).max()


def session(pattern: np.ndarray, target: np.ndarray, trials: int = 1) -> nd.Session:
    """Return trials with the same input spikes and the same target."""
    trial = nd.Trial(len(target), {"pattern": pattern, "target": target[:, None]})
    names = {"pattern": channels(pattern.shape[1]), "target": ("z",)}
    return nd.Session((trial,) * trials, dt=1e-3, channels=names)


def dense(values: dict, name: str, field: str, cells: int) -> np.ndarray:
    """Return numbers of the synapses of a connection as a matrix (source, target), 0 where there is no synapse."""
    indptr, targets = (np.asarray(values[f"{name}.{part}"]) for part in ("indptr", "targets"))
    matrix = np.zeros((cells, cells))
    matrix[np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets] = values[field]
    return matrix
