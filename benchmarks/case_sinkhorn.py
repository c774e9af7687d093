"""Case "sinkhorn": the Sinkhorn divergence between two batches of sequences and its gradient, beside geomloss."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from limits import Ceiling
from measure import BUSY, cores_free, in_turn
from table import Case, at_least

import neurodyn as nd

STEPS, SYMBOLS = 100, 3  # of the two-state chain of Torre et al. 2025
BLUR = 0.2
SIZES, FULL = (1024,), (256, 1024, 4096)
ROUNDS = {256: 9, 1024: 5, 4096: 1}
WANTED = 10


def run(ceiling: Ceiling, *, quick: bool) -> Iterator[Case]:
    """Time value and gradient for each size, on one thread and, with --full, on two."""
    if importlib.util.find_spec("geomloss") is None:
        note = "geomloss is not installed, so nothing was checked or measured; make venv installs it"
        yield Case("Sinkhorn divergence", notes=[note])
        return
    before = torch.get_num_threads()
    try:
        for threads in (1,) if quick else (1, 2):
            if threads > 1 and not cores_free(threads):
                yield Case(f"Sinkhorn divergence, {threads} threads", notes=[f"Not measured: {BUSY}"])
                continue
            torch.set_num_threads(threads)
            for size in SIZES if quick else FULL:
                yield _divergence(size, threads)
    finally:
        torch.set_num_threads(before)


def sequences(count: int, seed: int) -> torch.Tensor:
    """Return one-hot sequences (count, STEPS, SYMBOLS) of two states, each left with p = 0.05, and a rare middle symbol."""
    rng = np.random.default_rng(seed)
    state = (rng.integers(0, 2, (count, 1)) + (rng.random((count, STEPS)) < 0.05).cumsum(1)) % 2
    symbols = np.where(rng.random(state.shape) < 0.01, 1, 2 * state)
    return torch.nn.functional.one_hot(torch.from_numpy(symbols), SYMBOLS).float()


def theirs(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the divergence of geomloss."""
    from geomloss import SamplesLoss

    return SamplesLoss(blur=BLUR, backend="tensorized")(x.flatten(1), y.flatten(1))


def with_gradient(loss: Callable[..., torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> tuple[float, Any]:
    """Return value and gradient with respect to x."""
    x = x.clone().requires_grad_()
    value = loss(x, y)
    value.backward()
    return float(value.detach()), x.grad


def _divergence(size: int, threads: int) -> Case:
    clock = "CPU time" if threads == 1 else "wall clock"
    case = Case(
        f"Sinkhorn divergence with gradient, batches of {size}, {STEPS} steps, float32, {threads} "
        f"thread{'s' * (threads > 1)} ({clock})"
    )
    x, y = sequences(size, 1), sequences(size, 2)
    ours = nd.training.sinkhorn_divergence
    value, gradient = with_gradient(ours, x, y)
    other, reference = with_gradient(theirs, x, y)
    away = float((gradient - reference).norm() / reference.norm())
    case.check(
        f"geomloss: {other:.6f}, ours {value:.6f}; gradients differ by {away:.1g} of their length",
        abs(value - other) < 1e-5 * other and away < 1e-4,
    )
    buffer, cost = torch.empty(size, size), torch.rand(size, size)
    times = in_turn(
        {
            "product": lambda: (torch.mm(x.flatten(1), y.flatten(1).t(), out=buffer), None)[1],
            "pass": lambda: (torch.logsumexp(cost, 1), None)[1],
            "ours": lambda: (with_gradient(ours, x, y), None)[1],
            "value": lambda: (ours(x, y), None)[1],
            "peer": lambda: (with_gradient(theirs, x, y), None)[1],
        },
        ROUNDS[size],
    )

    def add(what: str, name: str, **options: Any) -> Any:
        return case.add(what, times[name].cpu if threads == 1 else times[name].wall, **options)

    add("torch.mm of the codes, once", "product", note="a cost matrix; there are three")
    add("torch.logsumexp over a matrix of costs, once", "pass", note="the schedule takes 44")
    row = add("neurodyn, value and gradient", "ours")
    add("neurodyn, value alone", "value", against=row)
    slow = add("geomloss, value and gradient", "peer", against=row)
    what = f"sinkhorn: times as quick as geomloss, batch {size}, {threads} thread{'s' * (threads > 1)}"
    case.goals.append(at_least(what, slow.relative or 0.0, WANTED))
    return case
