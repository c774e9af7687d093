"""An update of a network that emulates, as it is written in a script, and the products of matrices that it can't do without."""

from __future__ import annotations

from collections.abc import Callable

import torch
from geomloss import SamplesLoss
from torch import Tensor, nn
from torch.nn import functional

BLUR, RATE, BETAS, CLIP = 0.2, 1e-3, (0.9, 0.9), 0.9


class DrivenLoop(nn.Module):
    """h(t) = relu[W h(t-1) + U x(t)], with a linear readout, a step after the other."""

    def __init__(self, units: int, inputs: int, symbols: int) -> None:
        super().__init__()
        self.recurrent = nn.Linear(units, units, bias=False)
        self.input = nn.Linear(inputs, units, bias=False)
        self.readout = nn.Linear(units, symbols, bias=False)

    def forward(self, x: Tensor, gumbel: Tensor) -> Tensor:
        """Return one-hot codes (batch, time, symbol) for noise (time, batch, input) and Gumbel noise (time, batch, symbol)."""
        h, codes = x.new_zeros(x.shape[1], self.recurrent.in_features), []
        for seen, noise in zip(x, gumbel, strict=True):
            h = functional.relu(self.recurrent(h) + self.input(seen))
            soft = functional.softmax(self.readout(h) + noise, 1)
            hard = functional.one_hot(soft.argmax(1), soft.shape[1]).to(soft.dtype)
            codes.append(hard - soft.detach() + soft)
        return torch.stack(codes, 1)


def draws(steps: int, batch: int, inputs: int, symbols: int) -> tuple[Tensor, Tensor]:
    """Return noise (time, batch, input) and Gumbel noise (time, batch, symbol) from torch's generator."""
    return torch.randn(steps, batch, inputs), -torch.log(torch.empty(steps, batch, symbols).exponential_())


def trainer(net: nn.Module) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return a function of noise, Gumbel noise and wanted codes that trains the network an update and returns the loss."""
    optimizer, divergence = torch.optim.Adam(net.parameters(), lr=RATE, betas=BETAS), SamplesLoss(blur=BLUR)

    def update(x: Tensor, gumbel: Tensor, wanted: Tensor) -> Tensor:
        loss = divergence(net(x, gumbel).flatten(1), wanted.flatten(1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        return loss.detach()

    return update


class Products:
    """The products of matrices of an update through the network and back, and nothing else."""

    def __init__(self, units: int, inputs: int, batch: int, steps: int) -> None:
        self.w, self.u = torch.randn(units, units) / (2 * units**0.5), torch.randn(units, inputs) / units**0.5
        self.x = torch.randn(steps * batch, inputs)
        self.states, self.flows = torch.randn(steps + 1, batch, units), torch.randn(steps, batch, units)
        self.gradients = torch.empty_like(self.w), torch.empty_like(self.u)

    def run(self) -> None:
        """Compute inputs at once, a product a step forward and back, and the gradients of both weights at once."""
        units, h, d = self.w.shape[0], self.states.unbind(0), self.flows.unbind(0)
        torch.mm(self.x, self.u.t(), out=self.states[1:].view(-1, units))
        for t in range(len(d)):
            h[t + 1].addmm_(h[t], self.w)
        for t in range(len(d) - 1, 0, -1):
            torch.mm(d[t], self.w, out=d[t - 1])
        flows = self.flows.view(-1, units).t()
        torch.mm(flows, self.states[:-1].view(-1, units), out=self.gradients[0])
        torch.mm(flows, self.x, out=self.gradients[1])
