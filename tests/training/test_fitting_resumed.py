"""Fits that are stopped by a signal: what is resumed is what was never interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

MACHINE = nd.tasks.FiniteState.cycle()
TRAINING = MACHINE.sample(4, 8, seed=1)[1].numpy()
HELD_OUT = MACHINE.sample(3, 6, seed=2)[1].numpy()
QUICK: Any = {"updates": 20, "test_every": 4, "keep_every": 8, "particles": 4, "learning_rate": 0.1, "progress": False}


@pytest.fixture(autouse=True)
def one_thread():
    """Sums of matrix products may depend on the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


countdown = [0]


class _Stopping:
    """A signal to the process whenever the countdown is at its end."""

    def free_energy(self, *arguments: Any) -> Any:
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().free_energy(*arguments)  # type: ignore[misc]


def stopping(kind: Any) -> Any:
    """The class, under the same name, so that it counts as the same network."""
    return type(kind.__name__, (_Stopping, kind), {})


def pvrnn(kind: Any = nd.PVRNN) -> Any:
    layers = [nd.Layer(d=4, z=1, tau=2)]
    return kind(layers, output=nd.SymbolCoding(symbols=2), seed=[1, 2], meta_prior=[0.1, 0.01])


def vrnn(kind: Any = nd.VRNN) -> Any:
    return kind(output=nd.SymbolCoding(symbols=2), d=4, z=1, hidden=5, seed=[1, 2])


def fit(net: Any, sequences: Any = TRAINING, **options: Any) -> Any:
    return nd.fit(net, sequences, **{**QUICK, "validation": HELD_OUT, **options})


def assert_same(found: Any, whole: Any) -> None:
    assert found._kept() == whole._kept() and {"best", "last", "initial", "update=8"} <= found._kept().keys()
    for at in whole._kept():
        one, other = (each.snapshot(at)["arrays"] for each in (found, whole))
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=f"{at}: {name}")
    columns = [each.history.drop(columns="seconds") for each in (found, whole)]
    assert len(columns[1]) and columns[0].equals(columns[1])
    for name in ("reconstruction", "divergence", "first_divergence", "log_likelihood"):
        rows = [each.recording[f"training/{name}_of_model"].values for each in (found, whole)]
        np.testing.assert_array_equal(*rows)
    np.testing.assert_equal(found.recording.results, whole.recording.results)


@pytest.mark.parametrize(("made", "every"), [(pvrnn, 5), (vrnn, 9)])
def test_resumed_is_uninterrupted(made, every, tmp_path):
    """Cut in updates and in tests, before and after a best network was found."""
    kind, stops, run = stopping({pvrnn: nd.PVRNN, vrnn: nd.VRNN}[made]), 0, None
    while run is None:
        countdown[0] = every
        try:
            run = fit(made(kind), out=tmp_path / "a.h5", resume=True)
        except nd.Suspended as suspended:
            stops += 1
            assert "SIGTERM stopped the training in epoch" in str(suspended)
    countdown[0] = 0
    assert stops >= 2
    whole = fit(made())
    assert_same(run, whole)
    assert_same(nd.load_training(tmp_path / "a.h5"), whole)
    likely = whole.recording["training/log_likelihood_of_model"].values
    assert len(set(likely.argmax(0))) > 1 or likely.argmax() < 4  # what is best was not simply the last
    assert len(run.recording.attrs["resumed"]) == stops and [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_patience_goes_on_counting(tmp_path):
    options: Any = {"updates": 400, "test_every": 4, "patience": 3, "learning_rate": 0.3}
    kind, run = stopping(nd.PVRNN), None
    while run is None:
        countdown[0] = 17
        with contextlib.suppress(nd.Suspended):
            run = fit(pvrnn(kind), out=tmp_path / "a.h5", resume=True, **options)
    countdown[0] = 0
    whole = fit(pvrnn(), **options)
    assert_same(run, whole)
    assert whole.recording.results["ended"] == "3 tests without a better validation"


def suspended(tmp_path: Any, **options: Any) -> Any:
    countdown[0] = 6
    with pytest.raises(nd.Suspended, match=r"in epoch 2, after step 1"):
        fit(pvrnn(stopping(nd.PVRNN)), out=tmp_path / "a.h5", **options)
    countdown[0] = 0
    return tmp_path / "a.h5"


def test_more_updates_and_nothing_else_may_be_asked_for(tmp_path):
    out = suspended(tmp_path)
    run = fit(pvrnn(), out=out, resume=True, updates=24)
    assert run.config["training"]["updates"] == 24
    assert_same(run, fit(pvrnn(), updates=24))
    again = pvrnn()
    assert_same(fit(again, out=out, resume=True, updates=24), run)  # complete: it is read
    np.testing.assert_array_equal(again.output_weight.detach(), run.snapshot()["arrays"]["output_weight"])
    with pytest.raises(
        FileExistsError, match=r"is complete, with .*'updates': 24.* this call asks for .*'updates': 28"
    ):
        fit(pvrnn(), out=out, resume=True, updates=28)


@pytest.mark.parametrize(
    "other",
    [
        {"sequences": TRAINING[:3]},
        {"sequences": TRAINING[:, :7]},
        {"sequences": TRAINING.reshape(8, 4)},
        {"sequences": 1 - TRAINING},
        {"sequences": [*TRAINING[:3], TRAINING[3][:7]]},
        {"validation": HELD_OUT.reshape(6, 3)},
        {"validation": HELD_OUT[:2]},
        {"validation": None},
        {"learning_rate": 0.05},
        {"keep_every": 4},
        {"particles": 5},
        {"seed": 2},
    ],
    ids=lambda other: f"{next(iter(other))}",
)
def test_another_training_is_refused(other, tmp_path):
    out = suspended(tmp_path)
    with pytest.raises(ValueError, match="another run"):
        fit(pvrnn(), out=out, resume=True, **other)


def test_another_network_is_refused(tmp_path):
    out = suspended(tmp_path)
    for net in (vrnn(), pvrnn().select([1, 0]), pvrnn().select(0)):
        with pytest.raises(ValueError, match="another run"):
            fit(net, out=out, resume=True)
