"""Analyses of a rate network that a recording holds: its dynamics without noise, at held inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodyn.analyses.table import Found, named
from neurodyn.circuit import Circuit
from neurodyn.citing import cites
from neurodyn.recording import Recording


@dataclass(frozen=True, eq=False)
class Network:
    """The network as it was at the end of the run, learning switched off, and the recording it comes from."""

    circuit: Circuit
    recording: Recording

    def step(self, hold: float) -> Any:
        """Its step without noise, all inputs held at one number."""
        inputs = {part.name: hold for part in self.circuit.inputs}
        return self.circuit.step_function(inputs=inputs, noise="off")

    def states(self, step: Any, number: int) -> tuple[np.ndarray, str]:
        """Some states (state, entry) that it visits, and where they come from: the recording, or else a run of the step."""
        import torch

        arrays: dict[str, Any] = {}
        keys = self.recording.keys()
        for name in step.names:
            key = f"state/{name.replace('.', '/')}"
            if key in keys:
                lazy = self.recording.lazy(key)
                picked = np.unique(np.linspace(0, len(lazy) - 1, min(number, len(lazy))).round().astype(int))
                arrays[name] = np.stack([lazy[int(k)] for k in picked])
        widths = dict(zip(step.names, step.sizes, strict=True))
        if all(name in arrays and arrays[name][0].size == widths[name] for name in step.names):
            return step.join(arrays).numpy(), "samples of the recording"
        state, found = step.start[None], []
        with torch.no_grad():
            for _ in range(10 * number):
                state = step(state)
                found.append(state[0])
        return torch.stack(found)[::10].numpy(), f"a run of {10 * number} steps, since the recording lacks the state"


def network_of(recording: Recording) -> Network | None:
    """The rate network in a recording; None if there is none, or one that spikes."""
    try:
        circuit = recording.network()
    except (KeyError, TypeError, ValueError):
        return None
    if any(population.threshold is not None for population in circuit.populations):
        return None
    return Network(circuit.freeze(), recording)


@cites("benettin1980")
def lyapunov(
    network: Network, *, count: int = 10, steps: int = 5000, discard: int = 1000, hold: float = 0.0, seed: int = 0
) -> Found:
    """Largest Lyapunov exponents of the rate network without noise, with standard errors and what can be told of their signs.

    Parameters
    ----------
    count : int
        How many; all of them if there are fewer.
    steps : int
        That are averaged over.
    discard : int
        Steps before them.
    hold : float
        What all inputs are held at.
    seed : int
        Of the first perturbations.
    """
    from neurodyn import analysis, plots

    step = network.step(hold)
    dt = _dt_ms(network.circuit)
    units = len(step.start)
    found = analysis.lyapunov_exponents(
        step, step.start, steps=steps, discard=discard, count=min(count, units), dt=dt, seed=seed
    )
    told = {1: "above 0", 0: "within 2 SE of 0", -1: "below 0"}[int(found.signs[0, 0])]
    text = f"{network.circuit.name}, noise off, inputs held at {hold:g}, time in ms\n{found}"
    results = {
        "exponents (1/ms)": found.exponents[0],
        "standard errors": found.error[0],
        "largest": told,
        "Kaplan-Yorke dimension": float(found.kaplan_yorke[0]),
    }
    at = (np.arange(len(found.rates)) + 1.0) * dt * found.every
    data = {"running": named(found.running[:, 0], "time", "exponent", units="1/ms", time=at)}
    figure = plots.lyapunov_exponents(found, time_units="ms", title=f"{network.circuit.name}: Lyapunov exponents")
    return Found(text, results, figure, data)


@cites("sussillo2013", "golub2018")
def fixed_points(
    network: Network, *, starts: int = 200, slow: float = 0.1, iterations: int = 300, hold: float = 0.0
) -> Found:
    """Fixed and slow points of the rate network without noise, with their stability, beside the speed at the starts.

    Parameters
    ----------
    starts : int
        States that the search begins from: samples of the recording, or of a run without noise.
    slow : float
        Share of the median speed at the starts up to which a minimum of the speed is a slow point.
    iterations : int
        Of each search, at most.
    hold : float
        What all inputs are held at.
    """
    from neurodyn import analysis

    step = network.step(hold)
    states, origin = network.states(step, starts)
    found = analysis.fixed_points(step, states, slow=slow, iterations=iterations)
    text = f"{network.circuit.name}, noise off, inputs held at {hold:g}; starts: {origin}\n{found}"
    results = {
        "fixed points": int(found.fixed.sum()),
        "slow points": int((~found.fixed).sum()),
        "stable": sum(name.startswith("stable") for name in found.stability),
        "starts that ended nowhere": found.unfinished,
        "median speed at the starts": float(np.median(found.start_speed)),
    }
    data = {
        "points": named(found.points, "point", "entry"),
        "speed": named(found.speed, "point"),
        "fixed": named(found.fixed, "point"),
        "eigenvalues": named(found.eigenvalues, "point", "entry"),
    }
    return Found(text, results, found.plot(), data)


def _dt_ms(circuit: Circuit) -> float:
    return 1000.0 * circuit.dt.value


ANALYSES: dict[str, Callable[..., Found]] = {"lyapunov": lyapunov, "fixed-points": fixed_points}
