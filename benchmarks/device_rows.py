"""Rows of `python benchmarks/device.py` about spiking networks: checks before the times, and the times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from device_kinds import Kind, bytes_moved, degrees

import neurodyn as nd
from neurodyn.backends.engine import Begin, Records
from neurodyn.backends.fused import FusedStep
from neurodyn.network import Network

REPETITIONS = 3
ALONE = 2  # networks that are run alone, beside their batch


@dataclass(frozen=True)
class Row:
    """One batch size: seconds a step (of each repetition), and what a step did in all networks together."""

    kind: str
    dtype: str
    batch: int
    how: str
    steps: int
    dt_s: float
    step_s: tuple[float, ...]
    neurons: int
    events: float
    bytes: float
    build_s: float

    @property
    def median(self) -> float:
        return statistics.median(self.step_s)

    @property
    def hour_s(self) -> float:
        """Seconds for an hour of one network, in a batch of so many."""
        return self.median / self.batch * 3600 / self.dt_s


def check(kind: Kind, device: str, *, seeds: int = 8) -> list[str]:
    """Return what was found of a batch beside its single runs, beside numba on the CPU, and of float32 beside float64.

    A wrong rate stops: the times would be those of another computation.
    """
    circuits, session = [kind.circuit(seed) for seed in range(seeds)], kind.session()
    how: dict[str, Any] = {"backend": "torch", "device": device}
    runs = {dtype: nd.simulate(circuits, session, dtype=dtype, **how) for dtype in ("float64", "float32")}
    cpu = nd.simulate(circuits, session, backend="numba")
    alone = [nd.simulate(c, session, **how) for c in circuits[:ALONE]]
    found = [
        f"{kind.title}: {title}: {_divergence(a, b)}"
        for title, a, b in (
            (f"{ALONE} networks alone on {device} beside their batch, float64", alone, runs["float64"]),
            ("float64 on the device beside numba on the CPU", runs["float64"], cpu),
            ("float32 beside float64 on the device", runs["float32"], runs["float64"]),
        )
    ]
    counts = {name: _spikes(of) for name, of in (*runs.items(), ("numba", cpu))}
    found.append(f"{kind.title}: spikes {', '.join(f'{name} {n}' for name, n in counts.items())}")
    if not counts["numba"] or max(abs(n / counts["numba"] - 1) for n in counts.values()) > kind.within:
        raise AssertionError(
            f"{found[-1]}: not within {kind.within:.0%}; the times would be those of another computation"
        )
    return found


def _spikes(runs: Sequence[Any]) -> int:
    return sum(len(r["spikes/cells"]) for r in runs)


def _divergence(some: Sequence[Any], others: Sequence[Any]) -> str:
    """Say at which step spikes first differ, over pairs of runs."""
    first = [nd.compare(a, b).difference for a, b in zip(some, others, strict=False)]
    steps = [d.step for d in first if d is not None]
    if not steps:
        return "identical, spike for spike"
    return f"first difference at step {statistics.median(steps):g} (median; {min(steps)} to {max(steps)}), in {len(steps)} of {len(first)} networks"


class Batch:
    """Networks of a kind on a device, all spikes recorded: what is built once and timed with several launches."""

    def __init__(self, kind: Kind, networks: Sequence[Network], dtype: str, device: str) -> None:
        from neurodyn.backends.torch import TorchBatch

        self.kind, self.networks, self.dtype, self.device = kind, networks, dtype, device
        start = time.perf_counter()
        self.batch = TorchBatch(networks, spikes=["cells"], dtype=dtype, device=device)
        self._wait()
        self.build_s = time.perf_counter() - start
        self._inputs = {} if kind.trial is None else _channels(networks[0].circuit, kind.trial)
        self._synapses = degrees(networks, "cells")
        if kind.trial is None:
            self._begin(Begin(False, False, True, {}))

    def launched(self, launch: Mapping[str, int]) -> str:
        """Set options of the kernel (:class:`neurodyn.backends.fused.FusedStep`) instead of the runner's own; return them."""
        batch = self.batch
        if batch.fused is None:
            return "tensors"
        if launch:
            batch.fused = FusedStep(batch.layout, batch.samples, ("cells",), **launch)
        warps, registers = (batch.fused.options[name] for name in ("num_warps", "maxnreg"))
        return f"{warps} warps" + (f", {registers} registers" if registers else "")

    def advance(self, steps: int) -> list[list[Records]]:
        """Advance by so many steps, or by whole trials; return what was recorded, chunk by chunk."""
        found = []
        trial = self.kind.trial
        chunk = min(steps, 1024) if trial is None else trial.steps
        for _ in range(-(-steps // chunk)):
            if trial is not None:
                self._begin(Begin(True, False, trial.reset, {name: values[0] for name, values in self._inputs.items()}))
            found.append(self.batch.advance(chunk, dict.fromkeys(range(len(self.networks)), self._inputs)))
            if trial is not None:
                self.batch.end(range(len(self.networks)))
        self._wait()
        return found

    def counted(self, found: Sequence[Sequence[Records]]) -> tuple[int, int]:
        """Return spikes and synaptic events of what was recorded."""
        units = [(d, r.spikes["cells"][1]) for records in found for d, r in zip(self._synapses, records, strict=True)]
        return sum(u.size for _, u in units), sum(int(d[u].sum()) for d, u in units)

    def _begin(self, begin: Begin) -> None:
        self.batch.begin(dict.fromkeys(range(len(self.networks)), begin))

    def _wait(self) -> None:
        if self.device != "cpu":
            torch.cuda.synchronize()


def measure(made: Batch, timed_s: float, *, launch: Mapping[str, int]) -> Row:
    """Time the step loop of a batch; building it and compiling kernels are apart."""
    kind, networks = made.kind, made.networks
    how = made.launched(launch)
    unit = 64 if kind.trial is None else kind.trial.steps
    made.advance(unit)  # compiles
    start = time.perf_counter()
    made.advance(unit)
    least = (time.perf_counter() - start) / unit
    steps = max(unit, min(25_000, int(timed_s / least)) // unit * unit)
    took, spikes, events = [], 0, 0
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        found = made.advance(steps)
        took.append((time.perf_counter() - start) / steps)
        more, reached = made.counted(found)
        spikes, events = spikes + more, events + reached
    done = steps * REPETITIONS
    moved = bytes_moved(
        networks[0], spikes / done / len(networks), np.dtype(made.dtype).itemsize, learning=kind.trial is not None
    )
    return Row(
        kind.title, made.dtype, len(networks), how, steps, networks[0].circuit.timestep,
        tuple(took), sum(n.sizes["cells"] for n in networks), events / done, moved * len(networks), made.build_s,
    )  # fmt: skip


def _channels(circuit: nd.Circuit, trial: nd.Trial) -> dict[str, np.ndarray]:
    return {
        i.name: np.broadcast_to(trial.inputs.get(i.name, np.zeros(1)), (trial.steps, len(i.channels)))
        for i in circuit.inputs
    }


def lines(rows: Sequence[Row], copy: float) -> list[str]:
    """Return the part of the page; ``copy`` is the measured bytes/s."""
    found: list[str] = []
    for kind, dtype in dict.fromkeys((r.kind, r.dtype) for r in rows):
        found += [
            f"## {kind[0].upper()}{kind[1:]}, {dtype}",
            "",
            "| networks | a network | us a step | min to max | s for an hour of one network | neuron-steps/s | synaptic events/s | bytes of a network's step | of the copy | to build |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for r in sorted((r for r in rows if (r.kind, r.dtype) == (kind, dtype)), key=lambda r: (r.batch, r.how)):
            spread = f"{min(r.step_s) * 1e6:.3g} to {max(r.step_s) * 1e6:.3g}"
            found.append(
                f"| {r.batch} | {r.how} | {r.median * 1e6:.4g} | {spread} | {r.hour_s:.3g} | {r.neurons / r.median:.3g} | "
                f"{r.events / r.median:.3g} | {r.bytes / r.batch / 1e3:.3g} kB | {100 * r.bytes / r.median / copy:.2g} % | {r.build_s:.2g} s |"
            )
        found.append("")
    return found
