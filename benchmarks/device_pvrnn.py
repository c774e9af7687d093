"""Sweeps of PV-RNNs in training on a GPU: part of `python benchmarks/device.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from case_pvrnn import Ours, network, sequences

MODELS = {"D1": (1, 21, 1024), "D2": (1, 21)}
WITHIN = {torch.float64: 1e-9, torch.float32: 1e-3}  # gradients of device and CPU, by the largest of a parameter
REPETITIONS = 3


@dataclass(frozen=True)
class Sweep:
    """One sweep: seconds of an update of ``nd.fit`` (of each repetition), and of its parts alone.

    ``energy_s`` is the free energy with its gradient, and ``by_steps_s`` the same step by step in torch; ``steps`` are those
    of all sequences of all models.
    """

    data: str
    dtype: str
    models: int
    steps: int
    update_s: tuple[float, ...]
    energy_s: float
    by_steps_s: float

    @property
    def median(self) -> float:
        return statistics.median(self.update_s)


def check(data: str, dtype: torch.dtype, device: str) -> str:
    """Return how far loss and gradient of two models on a device are from the steps in torch on the CPU; or stop."""
    there, here = (_Case(data, 2, dtype, where) for where in (device, "cpu"))
    there.noise = here.noise.to(device)
    for case in (there, here):  # adaptive vectors away from 0, where they begin
        for value in case.adaptive.values():
            value.data -= case.noise
    worst = max(
        float((a.cpu() - b).abs().max() / b.abs().max().clamp(min=1e-30))
        for a, b in zip(there.gradients(by_steps=False), here.gradients(by_steps=True), strict=True)
    )
    text = f"PV-RNN, {data}, {_name(dtype)}: loss and gradients within {worst:.1e} of the steps in torch on the CPU"
    if not worst < WITHIN[dtype]:
        raise AssertionError(f"{text}, allowed is {WITHIN[dtype]:g}; the times would be those of another computation")
    return text


def measure(data: str, models: int, dtype: torch.dtype, device: str, timed_s: float) -> Sweep:
    """Time updates of a sweep, its kernel compiled before."""
    case = _Case(data, models, dtype, device)
    update = timed(case.update, device, timed_s)
    energy, by_steps = (
        statistics.median(timed(partial(case.gradients, by_steps=way), device, timed_s)) for way in (False, True)
    )
    return Sweep(data, _name(dtype), models, case.noise.shape[:3].numel(), update, energy, by_steps)


def lines(sweeps: Sequence[Sweep]) -> list[str]:
    """Return the part of the page."""
    if not sweeps:
        return []
    found = [
        "## PV-RNN: an update of all models of a sweep",
        "",
        "D1 are 20 sequences of 48 symbols, D2 8 of 120 points. An update is draws, free energy with its gradient, Adam.",
        "",
        "| data | models | ms an update | min to max | ns a model, sequence and step | free energy and gradient, ms | the same by steps in torch, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for s in sweeps:
        spread = f"{min(s.update_s) * 1e3:.3g} to {max(s.update_s) * 1e3:.3g}"
        found.append(
            f"| {s.data}, {s.dtype} | {s.models} | {s.median * 1e3:.4g} | {spread} | {s.median / s.steps * 1e9:.3g} | "
            f"{s.energy_s * 1e3:.3g} | {s.by_steps_s * 1e3:.3g} |"
        )
    return [*found, ""]


class _Case:
    """A sweep in training: its update, and the gradient of its free energy alone."""

    def __init__(self, data: str, models: int, dtype: torch.dtype, device: str) -> None:
        values = sequences(data)
        self.net = network(data, models, dtype=dtype, device=device)
        self.update = Ours(self.net, values).step
        self.encoded = self.net.output.encode(values, dtype=dtype, device=device)
        self.adaptive = self.net.adaptive(*self.encoded.valid.shape)
        self.noise = self.net.noise("training", *self.encoded.valid.shape, step=0, key=1)

    def gradients(self, *, by_steps: bool) -> list[torch.Tensor]:
        """Return the loss of each model and all gradients."""
        free_energy = self.net.free_energy_by_steps if by_steps else self.net.free_energy
        loss = free_energy(self.encoded, self.adaptive, self.noise).loss
        return [loss.detach(), *torch.autograd.grad(loss.sum(), [*self.net.parameters(), *self.adaptive.values()])]


def timed(step: Callable[[], object], device: str, timed_s: float) -> tuple[float, ...]:
    """Return seconds of a step, of each repetition."""

    def seconds(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            step()
        if device != "cpu":
            torch.cuda.synchronize()
        return (time.perf_counter() - start) / count

    seconds(2)  # compiles
    count = max(1, int(timed_s / seconds(1)))
    return tuple(seconds(count) for _ in range(REPETITIONS))


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
