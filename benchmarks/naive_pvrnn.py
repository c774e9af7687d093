"""PV-RNN as it is written in a script: a loop over steps, autograd, torch's Adam."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

import neurodyn as nd
from neurodyn.models.pvrnn_layer import divergence


class Trainer:
    """Updates of a network by its free energy, step by step in torch."""

    def __init__(self, net: nd.PVRNN, data: Any, *, rate: float) -> None:
        self.net, self.encoded = net, net.output.encode(data, dtype=net.dtype)
        self.shape = self.encoded.valid.shape
        self.adaptive = net.adaptive(*self.shape)
        self.optimizer = torch.optim.Adam([*net.parameters(), *self.adaptive.values()], lr=rate)
        self.number = 0

    def step(self) -> Tensor:
        """Take an update; return the loss of each model."""
        noise = self.net.noise("training", *self.shape, step=self.number, key=1)
        self.number += 1
        loss = self.net.free_energy_by_steps(self.encoded, self.adaptive, noise).loss
        self.optimizer.zero_grad()
        loss.sum().backward()
        self.optimizer.step()
        return loss.detach()


class Regression:
    """Error regression of one sequence with the numbers by default of ``nd.ErrorRegression``."""

    def __init__(self, net: nd.PVRNN, *, window: int, iterations: int) -> None:
        self.net, self.window, self.iterations, self.time = net, window, iterations, 0
        self.start = net.output_weight.new_zeros(net.models, 1, net.units)
        self.vectors = self.start.new_zeros(2, net.models, 1, 0, net.latents)
        self.after, self.seen = self.start, list[Tensor]()
        per_x, later, first = net.weights_of_loss
        self.per_x, self.later, self.first = per_x, *(self._of_latents(w) for w in (later, first))

    def _of_latents(self, weights: Tensor) -> Tensor:
        return torch.cat([weights[:, k : k + 1].expand(-1, layer.z) for k, layer in enumerate(self.net.layers)], 1)

    def step(self, targets: Tensor) -> Tensor:
        """Take an observation's targets (output unit,); return the outputs predicted for the next one."""
        net, begins = self.net, len(self.seen) < self.window
        if not begins:
            self.start, self.seen = self.after, self.seen[1:]
        self.seen.append(targets)
        new = self.start.new_zeros(2, net.models, 1, 1, net.latents)
        vectors = torch.cat([self.vectors if begins else self.vectors[:, :, :, 1:], new], 3)
        vectors.requires_grad_()
        optimizer = torch.optim.Adam([vectors], lr=0.1)
        noise = net.noise("regression", 1, self.iterations * self.window, step=self.time, key=1)
        noise = noise.view(net.models, 1, self.iterations, self.window, net.latents)
        for k in range(self.iterations):
            optimizer.zero_grad()
            self._loss(vectors, noise[:, :, k], begins).backward()
            optimizer.step()
        self.vectors, self.time = vectors.detach(), self.time + 1
        with torch.no_grad():
            h = self.start
            for t in range(len(self.seen)):
                h = self._moved(h, self.vectors, noise[:, :, 0, 0] * 0, t, begins).h
                self.after = h if t == 0 else self.after
            h = net.step(h, noise[:, :, 0, 0] * 0).h
            return net.output.activate(net.read(h))

    def _moved(self, h: Tensor, vectors: Tensor, noise: Tensor, t: int, begins: bool) -> Any:
        return self.net.step(h, noise, adaptive=(vectors[0, :, :, t], vectors[1, :, :, t]), first=begins and t == 0)

    def _loss(self, vectors: Tensor, noise: Tensor, begins: bool) -> Tensor:
        h, loss = self.start, torch.zeros(())
        for t, targets in enumerate(self.seen):
            step = self._moved(h, vectors, noise[:, :, t], t, begins)
            h, weights = step.h, self.first if begins and t == 0 else self.later
            loss = loss + self.per_x * self.net.output.loss(self.net.read(h), targets).sum()
            loss = loss + (weights[:, None] * divergence(step)).sum()
        return loss


def gradients(values: Mapping[str, Tensor]) -> Tensor:
    """Return all gradients in a row."""
    return torch.cat([value.grad.flatten() for value in values.values() if value.grad is not None])
