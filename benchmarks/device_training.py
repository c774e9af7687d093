"""A training step of leaky rate networks on a GPU: part of `python benchmarks/device.py`."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from device_pvrnn import timed
from naive_training import LeakyLoop, TorchRNN, trainer
from torch import nn

import neurodyn as nd

STEPS, HEADS = 25, 8  # digits of a sequence, about the mean at N = 9
SIZES = ((500, 256), (64, 128), (128, 128))  # units, batch
WITHIN = 1e-3  # loss of device and CPU, relative


@dataclass(frozen=True)
class Step:
    """One contender: seconds a training step, of each repetition."""

    units: int
    batch: int
    what: str
    step_s: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.step_s)


class _Ours(nn.Module):
    """``nd.LeakyRNN`` as the trainer of the plain loop calls it."""

    def __init__(self, units: int, heads: int, **options: Any) -> None:
        super().__init__()
        self.net = nd.LeakyRNN(units, heads=heads, **options)

    def forward(self, x: torch.Tensor, r: torch.Tensor) -> list[torch.Tensor]:
        return list(self.net(x, draws={"state": r}))


def check(device: str) -> str:
    """Return how far the loss of a few steps on the device is from that on the CPU; or stop."""
    losses = []
    for where in (device, "cpu"):
        step = trainer(_Ours(64, HEADS, device=where))
        given = [g.to(where) for g in _given(64, 32, "cpu")]
        losses.append([float(step(*given)) for _ in range(3)])
    away = max(abs(a / b - 1) for a, b in zip(*losses, strict=True))
    text = f"LeakyRNN, float32: the losses of three training steps within {away:.1e} of those on the CPU"
    if not away < WITHIN:
        raise AssertionError(f"{text}, allowed is {WITHIN:g}; the times would be those of another computation")
    return text


CONTENDERS: dict[str, Callable[[int, str], nn.Module]] = {
    "neurodyn, float32": lambda units, device: _Ours(units, HEADS, device=device),
    "neurodyn, bfloat16": lambda units, device: _Ours(units, HEADS, device=device, precision="bfloat16"),
    "torch.nn.RNN, relu, no leak, float32": lambda units, device: TorchRNN(units, HEADS).to(device),
    "loop over steps in torch, float32": lambda units, device: LeakyLoop(units, HEADS).to(device),
}


def measure(units: int, batch: int, what: str, device: str, timed_s: float, *, graph: bool) -> Step:
    """Time a training step of a contender: forward, loss, back, clip, SGD, from sequences that lie on the device.

    With ``graph`` the step is captured once and replayed.
    """
    given, step = _given(units, batch, device), trainer(CONTENDERS[what](units, device))
    run = _graph(step, given) if graph else lambda: step(*given)
    return Step(units, batch, f"{what}, as a CUDA graph" if graph else what, timed(run, device, timed_s))


def _given(units: int, batch: int, device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return digits (time, batch, 1), r(0) (batch, unit) and labels (head, batch)."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(0, 2, (STEPS, batch, 1), generator=generator).float()
    r = 0.1 * torch.rand((batch, units), generator=generator)
    return x.to(device), r.to(device), torch.randint(0, 2, (HEADS, batch), generator=generator).to(device)


def _graph(step: Callable[..., object], given: Sequence[torch.Tensor]) -> Callable[[], None]:
    """Return a function that replays a training step, launched as one."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # what the first steps allocate must not be part of the graph
        for _ in range(3):
            step(*given)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(*given)
    return graph.replay


def lines(steps: Sequence[Step]) -> list[str]:
    """Return the part of the page."""
    if not steps:
        return []
    found = [
        "## A training step of a leaky rate network",
        "",
        f"Sequences of {STEPS} digits, {HEADS} heads; forward, loss, back, clip, SGD.",
        "",
        "| units, batch | what | us a training step | min to max | us a digit |",
        "|---|---|---|---|---|",
    ]
    for s in steps:
        spread = f"{min(s.step_s) * 1e6:.4g} to {max(s.step_s) * 1e6:.4g}"
        found.append(
            f"| {s.units}, {s.batch} | {s.what} | {s.median * 1e6:.4g} | {spread} | {s.median / STEPS * 1e6:.3g} |"
        )
    return [*found, ""]
