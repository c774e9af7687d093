"""A training step of a leaky rate network as it is written in a script: a loop over steps, all else left to autograd."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

RATE, MOMENTUM, CLIP = 0.05, 0.1, 2.0


class LeakyLoop(nn.Module):
    """r(t) = f[(1 - alpha) r(t-1) + alpha (W r(t-1) + W_in x(t) + b)], alpha = 1/max(tau, 1), with linear heads."""

    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.input, self.recurrent = nn.Linear(1, units), nn.Linear(units, units)
        self.heads = nn.ModuleList(nn.Linear(units, 2) for _ in range(heads))
        self.tau = nn.Parameter(1 + torch.rand(units))

    def forward(self, x: Tensor, r: Tensor) -> list[Tensor]:
        """Return the logits of each head (batch, 2) after the last of x (time, batch, 1), from r (batch, unit)."""
        with torch.no_grad():
            self.recurrent.weight.fill_diagonal_(0.0)
        alpha = 1 / torch.clamp(self.tau, min=1.0)
        for seen in x:
            r = functional.leaky_relu((1 - alpha) * r + alpha * (self.recurrent(r) + self.input(seen)))
        return [head(r) for head in self.heads]


class TorchRNN(nn.Module):
    """torch.nn.RNN, without leak, with linear heads."""

    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, units, nonlinearity="relu")
        self.heads = nn.ModuleList(nn.Linear(units, 2) for _ in range(heads))

    def forward(self, x: Tensor, r: Tensor) -> list[Tensor]:
        """Return the logits of each head (batch, 2) after the last of x (time, batch, 1), from r (batch, unit)."""
        _, r = self.rnn(x, r[None])
        return [head(r[0]) for head in self.heads]


def trainer(net: nn.Module) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a function of x, r(0) and labels (head, batch) that trains the network a step and returns the loss."""
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM, nesterov=True)

    def step(x: Tensor, r: Tensor, labels: Tensor) -> Tensor:
        losses = [functional.cross_entropy(y, wanted) for y, wanted in zip(net(x, r), labels, strict=True)]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        return loss.detach()

    return step


def sequences(steps: int, batch: int, units: int, heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return digits (time, batch, 1), start states (batch, unit) and parities of the last 2, 3, ... digits."""
    digits = (torch.rand(steps, batch) < torch.rand(batch)).long()
    labels = torch.stack([digits[-n:].sum(0) % 2 for n in range(2, heads + 2)])
    return digits.float()[..., None], 0.1 * torch.rand(batch, units), labels


class Products:
    """The products of matrices of a training step, and nothing else: the least that it takes."""

    def __init__(self, units: int, batch: int, steps: int, dtype: torch.dtype) -> None:
        def made(*shape: int) -> Tensor:
            return torch.randn(shape).to(dtype) / units**0.5

        self.w, self.across = made(units, units), made(units, units)
        self.states, self.flows = made(steps + 1, batch, units), made(steps, batch, units)
        self.gradient = torch.empty_like(self.w)

    def run(self) -> None:
        """Compute forward and back, a product a step each, and the gradient of the weights in one."""
        r, d = self.states.unbind(0), self.flows.unbind(0)
        for t in range(len(d)):
            torch.mm(r[t], self.across, out=r[t + 1])
        for t in range(len(d) - 1, 0, -1):
            torch.mm(d[t], self.w, out=d[t - 1])
        units = self.w.shape[0]
        torch.mm(self.flows.view(-1, units).t(), self.states[:-1].view(-1, units), out=self.gradient)
