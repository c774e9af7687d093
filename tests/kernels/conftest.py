"""Without a GPU, kernels of Triton run in its interpreter, which has to be chosen before triton is imported."""

import os

import pytest
import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
if DEVICE == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture
def triton():
    """The module, in the mode that this machine needs."""
    module = pytest.importorskip("triton", reason="triton comes with Linux on x86-64 only")
    from neurodyn.kernels.triton_functions import INTERPRETED

    assert (DEVICE == "cpu") == INTERPRETED, "triton was imported before TRITON_INTERPRET was set"
    return module


@pytest.fixture
def device():
    """Where kernels run: a GPU, or the CPU in the interpreter."""
    return DEVICE
