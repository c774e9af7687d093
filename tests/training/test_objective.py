"""What a step of training leaves in the parameters."""

from __future__ import annotations

import pytest
import torch

import neurodyn as nd
from neurodyn.kernels.pvrnn_update import descend
from neurodyn.models import pvrnn
from neurodyn.training.fitting import Fit, FitPlan

PLAN = FitPlan(
    epochs=1, steps=2, updates=2, keep_every=None, particles=1, patience=None, optimizer="adam", learning_rate=1e-3,
    clip=None, seed=1,
)  # fmt: skip
OUTPUT = nd.SymbolCoding(symbols=3)


class OwnStep(nd.PVRNN):
    def read(self, h):
        return 2 * super().read(h)


class OwnFreeEnergy(nd.PVRNN):
    def free_energy(self, encoded, adaptive, noise):
        return super().free_energy(encoded, adaptive, 2 * noise)


def networks(kind):
    if kind is nd.VRNN:
        return nd.VRNN(d=4, z=2, output=OUTPUT, seed=[1, 2])
    layers = [nd.Layer(d=5, z=2, tau=2), nd.Layer(d=3, z=1, tau=4)]
    return kind(layers, output=OUTPUT, meta_prior=[0.1, 0.01, 1.0])


@pytest.mark.parametrize("kind", [nd.PVRNN, OwnStep, OwnFreeEnergy, nd.VRNN])
def test_descend_leaves_what_backward_does(kind, monkeypatch):
    net, short = networks(kind), []
    monkeypatch.setattr(pvrnn, "descend", lambda *given: short.append(given) or descend(*given))
    fit = Fit(net, [[0, 1, 2, 1], [2, 0]], None, PLAN)
    learnt = {**dict(net.named_parameters()), **fit.parameters}
    loss = fit.loss(0, 1)
    loss.backward()
    wanted = {name: p.grad for name, p in learnt.items()}
    for p in learnt.values():
        p.grad = None
    found = fit.descend(0, 1)
    assert len(short) == (kind is nd.PVRNN)  # without autograd; others have a gradient of their own
    assert torch.equal(found, loss.detach()) and not found.requires_grad
    for name, p in learnt.items():
        before = wanted[name]
        assert p.grad is not None and before is not None and before.any(), name
        assert torch.equal(p.grad, before), name
    assert not torch.equal(fit.descend(0, 0), found)
