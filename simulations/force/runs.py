"""Networks that are trained on one target, several seeds side by side, and what is read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn.network import realize

#: outputs are kept once a millisecond
EVERY = "1 ms"


@dataclass(frozen=True, eq=False)
class Traces:
    """Outputs beside their targets, for every seed.

    ``time`` (time,) in s; ``output`` and ``target`` (seed, time, output); ``rate`` (seed, time) population rate in Hz in bins of
    1 ms; ``learning`` its begin and end in s; ``units`` the number of cells; ``names`` of the outputs; ``recordings``.
    """

    time: np.ndarray
    output: np.ndarray
    target: np.ndarray
    rate: np.ndarray
    learning: tuple[float, float]
    units: int
    names: tuple[str, ...]
    recordings: tuple[Any, ...]

    def within(self, start: float, stop: float) -> np.ndarray:
        """Mask of the times in (start, stop] s; a sample bears the time at its end."""
        half = 0.5 * (self.time[1] - self.time[0])
        return (self.time > start + half) & (self.time < stop + half)

    def pair(self, seed: int, start: float, stop: float) -> tuple[np.ndarray, np.ndarray]:
        """Output and target of one seed within (start, stop] s, each (time, output)."""
        mask = self.within(start, stop)
        return self.output[seed, mask], self.target[seed, mask]

    def rates(self, start: float, stop: float) -> np.ndarray:
        """Mean rate in Hz of each seed within (start, stop] s."""
        return self.rate[:, self.within(start, stop)].mean(axis=1)

    @property
    def end(self) -> float:
        """Length of the session in s."""
        return float(self.time[-1])


def run(
    preset: str,
    task: nd.tasks.Supervisor,
    *,
    seeds: Sequence[int],
    neurons: int,
    duration: str,
    learning: tuple[str, str],
    backend: str = "numba",
    dtype: str = "float64",
    nudge: float = 0.0,
    out: Any = None,
    **changes: Any,
) -> Traces:
    """Train a network for each seed; wiring, start and the noise of the target are those of the seed.

    ``nudge`` in volt is added to the start of the first cell.
    """
    nets = [nd.NicolaClopath(preset, neurons=neurons, outputs=task.names, seed=s, **changes) for s in seeds]
    if nudge:
        nets = [_nudged(net, nudge) for net in nets]
    sessions = [task.session(duration, learning=learning, seed=s) for s in seeds]
    record = ["spikes", nd.Sample("output.y", every=EVERY)]
    outs = None if out is None else [out, *[None] * (len(seeds) - 1)]
    recordings = nd.simulate(nets, sessions, record=record, backend=backend, dtype=dtype, out=outs)
    return read(recordings, sessions, neurons, learning)


def _nudged(net: nd.Circuit, nudge: float) -> nd.Circuit:
    start = realize(net).values["cells.v@initial"].copy()
    start[0] += nudge
    return net.with_values({"cells.v": start})


def read(recordings: Sequence[Any], sessions: Sequence[nd.Session], units: int, learning: tuple[str, str]) -> Traces:
    """Read outputs, targets and rates out of recordings."""
    ratio = round(1e-3 / sessions[0].dt)
    names = sessions[0].channels["target"]
    target = np.stack([np.concatenate([t.inputs["target"] for t in s.trials])[ratio - 1 :: ratio] for s in sessions])
    output = np.stack([np.asarray(r["readout/output/y"], dtype=float).reshape(-1, len(names)) for r in recordings])
    bins = np.arange(target.shape[1] + 1)
    rate = np.stack([np.histogram(r["spikes"].times, bins)[0] / (units * 1e-3) for r in recordings])
    on, off = (float(nd.quantity(t).to("s")) for t in learning)
    return Traces(bins[1:] * 1e-3, output, target, rate, (on, off), units, names, tuple(recordings))
