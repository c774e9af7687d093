"""Parameters of trained networks as torch's state dicts: out, in again, and from torch's own RNN."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import neurodyn as nd

KINDS: dict[str, Callable[[int], Any]] = {
    "leaky": lambda seed: nd.LeakyRNN(6, heads=2, dale=0.5, connection_probability=0.5, seed=seed),
    "fixed tau": lambda seed: nd.LeakyRNN(6, heads=2, tau=3.0, noise=0.1, seed=seed),
    "many": lambda seed: nd.LeakyRNN(6, heads=2, seed=[seed, seed + 1]),
    "GRU": lambda seed: nd.GRU(6, heads=2, seed=seed),
    "LSTM": lambda seed: nd.LSTM(6, heads=2, seed=seed),
    "HMM": lambda seed: nd.HMMRNN(6, seed=seed),
    "PV": lambda seed: nd.PVRNN([nd.Layer(d=6, z=1, tau=2)], output=nd.SymbolCoding(symbols=2), seed=seed),
    "VRNN": lambda seed: nd.VRNN(output=nd.SymbolCoding(symbols=2), d=6, z=1, hidden=5, seed=seed),
}


@pytest.mark.parametrize("kind", KINDS)
def test_saved_and_loaded(kind: str, tmp_path: Path) -> None:
    """All of a network is in its state dict: a fresh one of another seed has the same bits behind it."""
    net, fresh = KINDS[kind](1), KINDS[kind](2)
    names = dict(net.named_parameters()) | dict(net.named_buffers())
    assert set(net.state_dict()) == set(names)
    assert any(not torch.equal(v, fresh.state_dict()[k]) for k, v in net.state_dict().items())
    torch.save(net.state_dict(), tmp_path / "net.pt")
    fresh.load_state_dict(torch.load(tmp_path / "net.pt", weights_only=True))
    assert all(torch.equal(v, fresh.state_dict()[k]) for k, v in net.state_dict().items())


def test_a_loaded_network_computes_the_same() -> None:
    net, fresh = KINDS["leaky"](1), KINDS["leaky"](2)
    fresh.load_state_dict(net.state_dict())
    x, draws = torch.randn(20, 3, 1), net.draws(20, 3, seed=4, step=0)
    assert torch.equal(net(x, draws=draws), fresh(x, draws=draws))


def test_another_network_is_refused_by_name() -> None:
    state = KINDS["leaky"](1).state_dict()
    with pytest.raises(RuntimeError, match=r"size mismatch for input_weight.*\[6, 1\].*\[7, 1\]"):
        nd.LeakyRNN(7, heads=2, dale=0.5, connection_probability=0.5).load_state_dict(state)
    del state["recurrent_bias"]
    with pytest.raises(RuntimeError, match=r"Missing key\(s\) in state_dict: \"recurrent_bias\""):
        KINDS["leaky"](1).load_state_dict(state)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\) in state_dict: \"mask\", \"sign\""):
        nd.LeakyRNN(6, heads=2).load_state_dict(KINDS["leaky"](1).state_dict())
