"""A training as it was recorded: history, snapshots, networks and tasks made again, and files of something else."""

from __future__ import annotations

import json
from typing import Any

import h5py
import numpy as np
import pytest
import torch

import neurodyn as nd

PASSED = 0.01  # a threshold that every stage exceeds


def net(kind: Any = nd.LeakyRNN, units=8, **options: Any) -> Any:
    return kind(units, heads=4, **options)


def train(network=None, **options: Any) -> Any:
    quick = {"batch": 16, "steps": 4, "tests": 2, "progress": False}
    return nd.train(network or net(), nd.tasks.DelayedMatch(), **{**quick, **options})


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(torch.as_tensor(a[k]), torch.as_tensor(b[k])) for k in a)


def test_history_is_complete():
    found = train(epochs=3, threshold=PASSED, config={"why": "a test"})
    history = found.history
    assert list(history.index) == [1, 2, 3] and history.index.name == "epoch"
    assert list(history["N"]) == [2, 3, 4] and list(history["smallest_N"]) == [2, 2, 2]
    wanted = {"loss", "gradient_norm", "smallest_N", "N", "accuracy", "seconds", "tau_mean", "tau_sd", "tau_largest", "tau_below_1"}  # fmt: skip
    assert set(history) == wanted
    assert np.isfinite(history.to_numpy(dtype=float)).all() and (history["seconds"] > 0).all()
    np.testing.assert_allclose(history["accuracy"], np.nanmean(found.accuracy_of_heads, 1))
    tau = found.net.tau.double()
    last = history.iloc[-1]
    assert last["tau_mean"] == pytest.approx(float(tau.mean())) and last["tau_largest"] == float(tau.max())
    assert last["tau_below_1"] == int((tau < 1).sum())
    assert found.config["training"]["notes"] == {"why": "a test"}
    assert not [c for c in train(net(nd.GRU), epochs=1).history if "tau" in c]


@pytest.mark.parametrize(
    ("kind", "stored"), [(nd.LeakyRNN, True), (nd.LeakyRNN, False), (nd.GRU, False), (nd.LSTM, True)]
)
def test_snapshots_are_the_network_at_passing(kind, stored, tmp_path):
    """The snapshot of N = 2 is the end of a training until 2, and so on."""
    out = tmp_path / "a.h5" if stored else None
    found = train(net(kind), until=4, threshold=PASSED, out=out)
    if out is not None:
        found.recording = nd.load_training(out).recording
    assert same(found.snapshot("initial")["arrays"], net(kind).state_dict())
    assert found.epochs_to_solve == {2: 1, 3: 2, 4: 3}
    for n in (2, 4):
        alone: Any = train(net(kind), until=n, threshold=PASSED)
        assert same(found.snapshot(n)["arrays"], alone.net.state_dict())
        assert found.snapshot(n)["stage"] == list(range(2, n + 1)) and found.snapshot(n)["epoch"] == n - 1
        assert same(found.network(n).state_dict(), alone.net.state_dict())
    assert same(found.network().state_dict(), found.net.state_dict())
    assert isinstance(found.network(), kind) and found.task() == nd.tasks.DelayedMatch()
    assert "kept: initial, N=2, N=3, N=4, last" in repr(found)


def test_precision_and_type_are_read_back(tmp_path):
    cases: list[dict[str, Any]] = [{"dtype": torch.float64}, {"precision": "bfloat16"}]
    for number, options in enumerate(cases):
        out = tmp_path / f"{number}.h5"
        found = train(net(**options), epochs=1, out=out)
        again = nd.load_training(out).network()
        assert same(again.state_dict(), found.net.state_dict()) and again.dtype == found.net.dtype
        assert getattr(again, "precision") == found.net.precision  # noqa: B009


def test_files_of_something_else(tmp_path):
    other = tmp_path / "other.h5"
    nd.simulate(nd.SpikingReservoir(10), "2 ms", out=other, backend="interpreter")
    with pytest.raises(ValueError, match=r"is no training; nd.train\(..., out=...\) writes one"):
        nd.load_training(other)
    with pytest.raises(FileNotFoundError):
        nd.load_training(tmp_path / "absent.h5")
    found = train(epochs=1, out=tmp_path / "a.h5", threshold=PASSED)
    with pytest.raises(KeyError, match="no snapshot 9 in .*; there are 2, 'initial', 'last'"):
        found.network(9)
    with pytest.raises(KeyError, match="no snapshot 'best'"):
        found.snapshot("best")
    for wrong, message in ((net(units=9), r"input_bias is \(8,\), not \(9,\)"), (net(nd.GRU), "is absent, not"), (net(tau=2.0), "")):  # fmt: skip
        with pytest.raises(ValueError, match=f"holds another network than this {type(wrong).__name__}.*{message}"):
            found.restore(wrong)


@pytest.mark.parametrize(
    ("section", "name", "value", "call"),
    [
        ("network", "network", "import_module", "network"),
        ("network", "network", "LeakyRNM", "network"),
        ("task", "task", "Supervisor", "task"),
        ("task", "task", "__getattr__", "task"),
    ],
)
def test_files_name_only_what_is_known(section, name, value, call, tmp_path):
    """A file may be anybody's: nothing is made that isn't on the list."""
    train(epochs=1, out=tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        config = json.loads(str(file.attrs["config_json"]))
        config[section][name] = value
        file.attrs["config_json"] = json.dumps(config)
    with pytest.raises(ValueError, match=f"names '{value}'.*this version knows"):
        getattr(nd.load_training(tmp_path / "a.h5"), call)()
