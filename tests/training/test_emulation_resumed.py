"""Emulations that are stopped by a signal or killed: what is resumed is what was never interrupted.

Run as a script it is the process that a test kills: it trains into the file that it is given.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

TARGET = nd.tasks.HiddenMarkov.fully_connected()
QUICK: Any = {"length": 6, "batch": 8, "updates": 6, "test_every": 2, "sequences": 20, "validation": 10, "progress": False}  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    """As in the process that is killed: sums of matrix products may depend on the number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def net(**options) -> Any:
    return nd.HMMRNN(**{"units": 6, "noise_inputs": 2, **options})


def emulate(network=None, target: Any = TARGET, **options) -> Any:
    return nd.emulate(network or net(), target, **{**QUICK, **options})


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(torch.as_tensor(a[k]), torch.as_tensor(b[k])) for k in a)


def arrays(run, at="last"):
    return run.snapshot(at)["arrays"]


def columns(run):
    return run.history.drop(columns="seconds")


class Stopping(nd.HMMRNN):
    """A signal to the process whenever the countdown is at its end."""

    def draws(self, *arguments, **options):
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().draws(*arguments, **options)


Stopping.__name__ = "HMMRNN"  # so that it counts as the same network
countdown = [0]


def assert_same(found, whole):
    assert found._kept() == whole._kept()
    for at in whole._kept():
        assert same(arrays(found, at), arrays(whole, at)), at
    assert len(columns(whole)) and columns(found).equals(columns(whole))
    np.testing.assert_array_equal(found.recording["training/marginal"], whole.recording["training/marginal"])
    assert found.recording.results == whole.recording.results


@pytest.mark.parametrize("every", [3, 15])
def test_resumed_is_uninterrupted(every, tmp_path):
    """Cut in updates and in tests, where the best is found before, between and after."""
    options: Any = {"updates": 24, "keep_every": 8, "learning_rate": 0.02, "out": tmp_path / "a.h5", "resume": True}
    stops, run = 0, None
    while run is None:
        countdown[0] = every
        try:
            run = emulate(Stopping(6, noise_inputs=2), **options)
        except nd.Suspended as suspended:
            stops += 1
            assert "SIGTERM stopped the training in epoch" in str(suspended)
    countdown[0] = 0
    assert stops >= 5
    whole = emulate(updates=24, keep_every=8, learning_rate=0.02)
    assert_same(run, whole)
    assert_same(nd.load_training(tmp_path / "a.h5"), whole)
    assert 2 < whole.recording.results["best_update"] < 24
    assert same(run.net.state_dict(), whole.net.state_dict()) and len(run.recording.attrs["resumed"]) == stops
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


def test_a_stopped_training_may_be_given_more_updates_and_nothing_else(tmp_path):
    out = tmp_path / "a.h5"
    countdown[0] = 2
    with pytest.raises(nd.Suspended, match="in epoch 1, after step 2; the same call with resume=True"):
        emulate(Stopping(6, noise_inputs=2), out=out, test_every=3)
    with pytest.raises(ValueError, match="another run"):
        emulate(out=out, test_every=3, resume=True, blur=0.3)
    with pytest.raises(ValueError, match="another run"):
        emulate(out=out, test_every=3, resume=True, target=nd.tasks.HiddenMarkov.chain(2))
    run = emulate(out=out, test_every=3, updates=9, resume=True)
    assert run.config["training"]["updates"] == 9
    assert_same(run, emulate(test_every=3, updates=9))
    again = net()
    assert_same(emulate(again, out=out, test_every=3, updates=9, resume=True), run)  # complete: it is read
    assert same(again.state_dict(), run.net.state_dict())
    with pytest.raises(FileExistsError, match=r"is complete, with .*'updates': 9.* this call asks for .*'updates': 12"):
        emulate(out=out, test_every=3, updates=12, resume=True)


def described() -> Any:
    return nd.HMMRNN(16, noise_inputs=4), {**QUICK, "batch": 64, "updates": 120, "test_every": 10, "sequences": 256,
                                           "validation": 64, "keep_every": 40, "learning_rate": 0.01}  # fmt: skip


@pytest.mark.slow
def test_a_killed_training_goes_on(tmp_path):
    """Killed as soon as it has saved twice, again and again; then it is ended here."""
    out, saved = tmp_path / "a.h5", lambda: len({file.name for file in tmp_path.glob(".a.h5.*/*.h5")})
    for _ in range(2):
        before = saved()  # whoever goes on takes over what was saved
        process = subprocess.Popen([sys.executable, __file__, str(out)], stderr=subprocess.PIPE, text=True)
        while saved() < before + 2 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        _, errors = process.communicate(timeout=300)
        assert process.returncode == -signal.SIGKILL, errors
    network, options = described()
    run = nd.emulate(network, TARGET, out=out, resume=True, **options)
    network, options = described()
    assert_same(run, nd.emulate(network, TARGET, **options))
    assert len(run.recording.attrs["resumed"]) == 2 and [p.name for p in tmp_path.iterdir()] == ["a.h5"]


if __name__ == "__main__":
    torch.set_num_threads(1)
    importlib.import_module("torch.optim.adam")  # imports for seconds, and it is training that is to be killed
    network, options = described()
    nd.emulate(network, TARGET, out=sys.argv[1], resume=True, checkpoint_every="20 ms", **options)
