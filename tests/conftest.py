"""Small noise-driven networks with known answers, for the tests of analyses and figures; parts of the benchmarks."""

import gc
import importlib
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

# What is tested is what long runs use: compiled from the first step on, whatever caches hold (tests/backends/test_first_run.py).
os.environ["NEURODYN_PATIENCE"] = "0"

# Thousands of tests leave millions of objects of Numba, SymPy and torch, which are no garbage: to look through them each
# time that a few hundred more are made takes a twentieth of the whole.
gc.set_threshold(200_000, 50, 100)

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="session")
def hand_made():
    """``made``, ``clock``, ``ring`` and ``bistable``: functions that return an HMMRNN with weights set by hand."""
    import torch

    import neurodyn as nd

    def made(recurrent, noise, readout, bias=None):
        recurrent, readout = torch.as_tensor(recurrent).double(), torch.as_tensor(readout).double()
        net = nd.HMMRNN(
            len(recurrent),
            noise_inputs=len(recurrent),
            outputs=len(readout),
            bias=bias is not None,
            dtype=torch.float64,
        )
        with torch.no_grad():
            net.recurrent_weight.copy_(recurrent)
            net.noise_weight.copy_(torch.as_tensor(noise) * torch.eye(len(recurrent)))
            net.readout_weight.copy_(readout)
            if net.bias is not None and net.readout_bias is not None:
                net.bias.copy_(torch.as_tensor(bias))
                net.readout_bias.zero_()
        return net

    def halves(units, gain=10.0):
        """Symbol 0 for the first half of the units, 1 for the second."""
        readout = torch.zeros(2, units)
        readout[0, : units // 2] = readout[1, units // 2 :] = gain
        return readout

    def clock(units=20, noise=0.0):
        """One unit is at 1 and hands on to the next; the first starts by its bias whenever all but the last are silent."""
        recurrent = torch.diag(torch.ones(units - 1), -1)
        recurrent[0, :-1] = -2.0
        return made(recurrent, noise, halves(units), bias=[1.0] + [0.0] * (units - 1))

    def ring(units=8, gain=0.9, noise=1.0, reach=1, inhibition=0.0):
        """Without biases: each unit hands on ``gain`` of its activity to the next ``reach`` ones, round a ring."""
        eye = torch.eye(units, dtype=torch.float64)
        handed = sum(torch.roll(eye, k + 1, 0) for k in range(reach))
        return made(gain / reach * handed - inhibition / units, noise, halves(units, 1.0))

    def bistable(noise=0.5):
        """Two units that inhibit each other, at rest at (2, 0) and (0, 2), and unstable at (2/3, 2/3)."""
        return made([[0.5, -1.0], [-1.0, 0.5]], noise, halves(2, 2.0), bias=[1.0, 1.0])

    return SimpleNamespace(made=made, clock=clock, ring=ring, bistable=bistable)


@pytest.fixture
def part(monkeypatch):
    """Import a module of the benchmarks, which are scripts beside the package, and forget it afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for path in BENCHMARKS.glob("*.py"):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    yield importlib.import_module
    for path in BENCHMARKS.glob("*.py"):
        sys.modules.pop(path.stem, None)
