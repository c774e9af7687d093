"""Stopped by a signal or killed anywhere: a training that is resumed is the training that was never interrupted."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn import cli
from neurodyn.recording import Writer
from neurodyn.running.stopping import RESUMABLE, StopRequest, resume_by_default
from neurodyn.training.loop import Loop
from neurodyn.training.plan import StagesPlan
from neurodyn.training.stages import Stages

SCRIPT = Path(__file__).with_name("killed_training.py")
QUICK: Any = {"batch": 8, "steps": 4, "tests": 2, "epochs": 4, "threshold": 0.01, "progress": False}
KINDS: Any = {"LeakyRNN": nd.LeakyRNN, "GRU": nd.GRU, "LSTM": nd.LSTM}


def net(kind="LeakyRNN", **options) -> Any:
    return KINDS[kind](6, heads=6, **({"noise": 0.1} if kind == "LeakyRNN" else {}), **options)


@dataclass(frozen=True, kw_only=True)
class Stopping(nd.tasks.Parity):
    """Parity, and a signal to the process whenever the countdown, shared by copies, is at its end."""

    def batch(self, *arguments, **options):
        made = super().batch(*arguments, **options)
        countdown[0] -= 1
        if countdown[0] == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return made


Stopping.__name__ = "Parity"  # so that it counts as the same task
countdown = [0]


def assert_same(found, whole):
    """Weights, snapshots and history bit for bit, but for the seconds."""
    assert found.snapshots == whole.snapshots
    for at in ("initial", *whole.snapshots, "last"):
        one, other = found.snapshot(at), whole.snapshot(at)
        assert one["stage"] == other["stage"] and one["epoch"] == other["epoch"]
        assert one["arrays"].keys() == other["arrays"].keys()
        for name, values in other["arrays"].items():
            np.testing.assert_array_equal(one["arrays"][name], values, err_msg=f"{at} {name}", strict=True)
    a, b = (run.history.drop(columns="seconds") for run in (found, whole))
    assert len(b) and a.equals(b)
    np.testing.assert_array_equal(found.accuracy_of_heads, whole.accuracy_of_heads)
    assert found.recording.results == whole.recording.results


def until_done(out, every, kind, **options):
    """Stop and resume again and again; return the training and how often it was stopped."""
    stops = 0
    while True:
        countdown[0] = every
        try:
            run = nd.train(net(kind), Stopping(hold=(1, 2)), out=out, resume=True, **{**QUICK, **options})
            countdown[0] = 0
            return run, stops
        except nd.Suspended as suspended:
            assert suspended.code == RESUMABLE
            stops += 1


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("LeakyRNN", {"optimizer": "adam"}),
        ("LeakyRNN", {}),
        ("GRU", {"momentum": 0.0, "curriculum": "single-head"}),
        ("LSTM", {"optimizer": "adam", "curriculum": nd.Sliding(window=2, advance=1)}),
    ],
)
def test_resumed_is_uninterrupted(kind, options, tmp_path):
    """Cut in training, at the ends of epochs and in tests."""
    run, stops = until_done(tmp_path / "a.h5", 7, kind, **options)
    assert stops >= 4
    whole = nd.train(net(kind), nd.tasks.Parity(hold=(1, 2)), **{**QUICK, **options})
    assert_same(run, whole)
    assert_same(nd.load_training(tmp_path / "a.h5"), whole)
    for a, b in zip(run.net.parameters(), whole.net.parameters(), strict=True):  # type: ignore[union-attr]
        assert torch.equal(a, b)
    assert len(run.recording.attrs["resumed"]) == stops
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize(("optimizer", "momentum"), [("adam", 0.1), ("sgd", 0.1), ("sgd", 0.0)])
def test_the_state_of_the_optimiser_survives(optimizer, momentum, tmp_path):
    """Moments and counts, in number, type and place."""
    numbers = {k: v for k, v in QUICK.items() if k != "progress"}
    plan = StagesPlan(curriculum=nd.MultiHead(), until=None, patience=None, optimizer=optimizer, learning_rate=0.01,
                momentum=momentum, clip=2.0, seed=1, **numbers)  # fmt: skip

    def looped(path, every=0):
        network, stop = net(), StopRequest()
        loop = Loop(network, Stages(network, Stopping(), plan), plan)
        countdown[0] = every
        header = loop.header({})
        with Writer(path, header=header, checkpoints=True, resume=True) as writer:
            handler = signal.signal(signal.SIGTERM, stop.ask)
            try:
                loop.run(writer, stop, False)
            finally:
                signal.signal(signal.SIGTERM, handler)
        return loop

    whole = looped(tmp_path / "whole.h5")
    with pytest.raises(nd.Suspended):
        looped(tmp_path / "a.h5", every=14)
    resumed = looped(tmp_path / "a.h5")
    count = {"adam": 3, "sgd": 1 if momentum else 0}[optimizer]
    for name, p in whole.parameters.items():
        a, b = whole.optimizer.state[p], resumed.optimizer.state[resumed.parameters[name]]
        tensors = {k: v for k, v in a.items() if v is not None}
        assert len(tensors) == count and tensors.keys() == {k for k, v in b.items() if v is not None}
        for key, value in tensors.items():
            assert torch.equal(value, b[key]) and value.dtype == b[key].dtype and value.shape == b[key].shape, key


def test_a_complete_training_is_returned_at_once(tmp_path):
    out = tmp_path / "a.h5"
    first = nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
    before, again = out.stat().st_mtime_ns, net()
    countdown[0] = 1  # a single batch would stop it
    run = nd.train(again, Stopping(), out=out, resume=True, **QUICK)
    assert countdown[0] == 1
    countdown[0] = 0
    assert out.stat().st_mtime_ns == before
    assert_same(run, first)
    assert run.net is again
    for a, b in zip(again.parameters(), net().parameters(), strict=True):
        assert not torch.equal(a, b)
    for a, b in zip(again.parameters(), first.net.parameters(), strict=True):  # type: ignore[union-attr]
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("network", "options", "what"),
    [
        ({}, {"seed": 2}, "training"),
        ({"seed": 2}, {}, "network, start"),
        ({}, {"learning_rate": 0.01}, "training"),
        ({}, {"task": nd.tasks.Parity(probability=0.5)}, "task"),
    ],
)
def test_another_training_is_not_gone_on_with(network, options, what, tmp_path):
    """Neither if it is complete, nor if it was stopped."""
    out, task = tmp_path / "a.h5", options.get("task", nd.tasks.Parity())
    call = {**QUICK, **{k: v for k, v in options.items() if k != "task"}}
    nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
    with pytest.raises(FileExistsError, match=rf"not what this call records \(another {what}\)"):
        nd.train(net(**network), task, out=out, resume=True, **call)
    countdown[0] = 3
    with pytest.raises(nd.Suspended):
        nd.train(net(), Stopping(), out=tmp_path / "b.h5", **QUICK)
    with pytest.raises(ValueError, match="another run"):
        nd.train(net(**network), task, out=tmp_path / "b.h5", resume=True, **call)
    run = nd.train(net(), nd.tasks.Parity(), out=tmp_path / "b.h5", resume=True, **QUICK)
    assert_same(run, nd.load_training(out))


def test_a_stopped_training_may_be_given_another_end(tmp_path):
    """What the file says is the end that it had; a complete one has had its end."""
    out = tmp_path / "a.h5"
    countdown[0] = 8
    with pytest.raises(
        nd.Suspended, match=r"SIGTERM stopped the training in epoch 2, after step 2, at N = 3; the same"
    ):
        nd.train(net(), Stopping(), out=out, **QUICK)
    run = nd.train(net(), nd.tasks.Parity(), out=out, resume=True, **{**QUICK, "epochs": 9, "until": 3})
    assert run.recording.results["ended"] == "N = 3 solved"
    assert run.config["training"]["epochs"] == 9 and run.config["training"]["until"] == 3
    assert_same(run, nd.train(net(), nd.tasks.Parity(), **{**QUICK, "until": 3}))
    with pytest.raises(FileExistsError, match=r"is complete, with .*'until': 3.* this call asks for .*'until': 4"):
        nd.train(net(), nd.tasks.Parity(), out=out, resume=True, **{**QUICK, "epochs": 9, "until": 4})


def test_without_resume_what_was_stopped_is_begun_anew(tmp_path):
    out = tmp_path / "a.h5"
    countdown[0] = 8
    with pytest.raises(nd.Suspended):
        nd.train(net(), Stopping(), out=out, **QUICK)
    countdown[0] = 0
    run = nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
    assert "resumed" not in run.recording.attrs
    assert_same(run, nd.train(net(), nd.tasks.Parity(), **QUICK))


# -- processes -----------------------------------------------------------------------------------------------------


def script() -> Any:
    spec = importlib.util.spec_from_file_location("killed_training", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def whole():
    """The training of the script, uninterrupted, by optimiser."""
    made: dict[str, Any] = {}

    def of(optimizer):
        if optimizer not in made:
            network, task, options = script().described(optimizer)
            made[optimizer] = nd.train(network, task, **options)
        return made[optimizer]

    return of


def started(*command):
    process = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    while "ready" not in (line := process.stdout.readline()):
        assert line or process.poll() is None, process.communicate()[1]
    return process


def wait_for(folder, pattern, process, before=()):
    """Wait until a file is there that was not there before, or the process has ended."""
    while not set(folder.glob(pattern)) - set(before) and process.poll() is None:
        time.sleep(0.002)


def ended(process):
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def killed_again_and_again(out, optimizer, kills, whole, seed, *, latest):
    """Kill at random moments until so many met a training, and end it here; return how often it went on."""
    rng, met = np.random.default_rng(seed), 0
    while met < kills and not out.exists():
        segments = f".{out.name}.*/*.h5"
        before = list(out.parent.glob(segments))
        process = started(SCRIPT, out, optimizer)
        wait_for(out.parent, segments, process, before)
        time.sleep(rng.uniform(0, latest))
        process.send_signal(signal.SIGKILL)
        code, errors = ended(process)
        assert code in (0, -signal.SIGKILL), errors
        assert not list(out.parent.glob("*partial*"))
        met += code == -signal.SIGKILL
    network, task, options = script().described(optimizer)
    run = nd.train(network, task, out=out, resume=True, **options)
    assert_same(run, whole(optimizer))
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    return met, len(run.recording.attrs.get("resumed", ()))


def test_a_killed_training_goes_on(tmp_path, whole):
    met, resumed = killed_again_and_again(tmp_path / "a.h5", "adam", 1, whole, seed=1, latest=0.1)
    assert met == resumed == 1


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_many_kills(optimizer, tmp_path, whole):
    total = 0
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        total += killed_again_and_again(tmp_path / str(number) / "a.h5", optimizer, 4, whole, seed=number, latest=0.8)[
            1
        ]
    assert total >= 3  # more than once each: what was resumed was killed and resumed again


def test_sigterm_and_a_simulation_with_resume(tmp_path, whole):
    """``neurodyn run --resume``: nd.train inside a simulation takes it from there."""
    out = tmp_path / "a.h5"
    main = "import sys; from neurodyn.cli import main; sys.exit(main())"
    process = started("-c", main, "run", f"{SCRIPT}:trained", "--out", out)
    wait_for(tmp_path, ".a.h5.*/*.h5", process)
    process.send_signal(signal.SIGTERM)
    code, errors = ended(process)
    assert code == RESUMABLE, errors
    assert "SIGTERM stopped the training in epoch" in errors and "--resume" in errors and "Traceback" not in errors
    assert not out.exists() and not list(tmp_path.glob("*partial*"))
    for _ in range(2):  # then it is complete, and read only
        assert cli.main(["run", f"{SCRIPT}:trained", "--out", str(out), "--resume"]) == 0
        run = nd.load_training(out)
        assert len(run.recording.attrs["resumed"]) == 1
        assert run.recording.results["solved"] == len(run.snapshots) == 6
        for name, values in whole("adam").snapshot()["arrays"].items():
            np.testing.assert_array_equal(run.snapshot()["arrays"][name], values)
        assert run.network().config == whole("adam").net.config


def test_resume_by_default_counts_only_with_a_file(tmp_path):
    token = resume_by_default.set(True)
    try:
        first = nd.train(net(), nd.tasks.Parity(), **QUICK)
        out = tmp_path / "a.h5"
        second = nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
        before = out.stat().st_mtime_ns
        third = nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
        assert out.stat().st_mtime_ns == before
    finally:
        resume_by_default.reset(token)
    assert_same(second, first)
    assert_same(third, first)
    with pytest.raises(FileExistsError):
        nd.train(net(), nd.tasks.Parity(), out=out, **QUICK)
