"""A process to be killed: it trains into a file, goes on where it stopped, and saves every few steps."""

from __future__ import annotations

import sys
from typing import Any

import torch

import neurodyn as nd

OPTIONS: Any = {"batch": 16, "steps": 30, "tests": 3, "epochs": 6, "threshold": 0.01, "progress": False}


def described(optimizer):
    """The network, the task and the options of the training."""
    return nd.LeakyRNN(16, heads=10, noise=0.1), nd.tasks.Parity(hold=(1, 2)), {**OPTIONS, "optimizer": optimizer}


@nd.simulation
def trained(*, optimizer: str = "adam", out: str = "a.h5"):
    """Train into ``out``."""
    net, task, options = described(optimizer)
    print("ready", flush=True)
    run = nd.train(net, task, out=out, checkpoint_every="20 ms", **options)
    return {"solved": len(run.snapshots)}


if __name__ == "__main__":
    net, task, options = described(sys.argv[2])
    torch.optim.SGD(net.parameters())  # the first one imports for seconds, and it is training that is to be killed
    print("ready", flush=True)
    nd.train(net, task, out=sys.argv[1], resume=True, checkpoint_every="20 ms", **options)
