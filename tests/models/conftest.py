"""Networks that emulate hidden Markov models: one made by hand whose statistics are known, and one that was trained."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import neurodyn as nd

TARGET = nd.tasks.HiddenMarkov.chain(3)


def autoregressive(a: float, *, gain: float, bias: float | None = None, dtype: torch.dtype = torch.float64) -> Any:
    """Return a network whose units are the two halves of y(t) = a y(t-1) + x(t): h = (y, -y) above 0.

    Logits are ``gain`` times (y, 0, -y), rectified, plus (0, ``bias``, 0). The sign of y changes in a share arccos(a)/pi of
    steps, whatever the level of x.
    """
    net = nd.HMMRNN(2, noise_inputs=1, bias=bias is not None, dtype=dtype)
    with torch.no_grad():
        net.recurrent_weight.copy_(a * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
        net.noise_weight.copy_(torch.tensor([[1.0], [-1.0]]))
        net.readout_weight.copy_(gain * torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]))
        if net.bias is not None and net.readout_bias is not None:
            net.bias.zero_()
            net.readout_bias.copy_(torch.tensor([0.0, bias or 0.0, 0.0]))
    return net


@pytest.fixture(scope="session")
def by_hand() -> Any:
    """How to make such a network."""
    return autoregressive


@pytest.fixture(scope="session")
def emulator() -> Any:
    """A network of 20 units in float32, trained on a chain of three states from two units made by hand and 18 drawn.

    From drawn units alone the way through the plateau takes minutes, and not every seed finds it. A loss of 4.7 is that of
    symbols without memory, 3.0 the floor of 256 sequences.
    """
    net, start = nd.HMMRNN(20, noise_inputs=4, seed=5), autoregressive(0.6, gain=2.0)
    with torch.no_grad():
        net.recurrent_weight[:2, :2] = start.recurrent_weight
        net.noise_weight[:2, :1] = start.noise_weight
        net.readout_weight[:, :2] += start.readout_weight
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products of matrices as small as these wait for each other on more
    run = nd.emulate(net, TARGET, length=20, batch=64, updates=50, test_every=25, sequences=512, validation=256,
                     learning_rate=5e-3, seed=5, progress=False)  # fmt: skip
    torch.set_num_threads(threads)
    assert run.recording.results["best_loss"] < 3.9
    return run.network("best")
