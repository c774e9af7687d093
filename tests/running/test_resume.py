"""Stopped by a signal, killed, or cut anywhere: a run that is resumed is the run that was never interrupted."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.running.recorder import Recorder
from neurodyn.running.stopping import RESUMABLE
from neurodyn.session import Session, Trial

SCRIPT = Path(__file__).with_name("killed_run.py")


@pytest.fixture
def stop_after(monkeypatch):
    """Have a signal come when so many chunks are recorded."""

    left, record = {"chunks": 0, "signal": signal.SIGTERM}, Recorder.chunk

    def chunk(self, *arguments):
        record(self, *arguments)
        left["chunks"] -= 1
        if left["chunks"] == 0:
            os.kill(os.getpid(), left["signal"])  # to the process, as from outside

    def arrange(chunks, number=signal.SIGTERM):
        left.update(chunks=chunks, signal=number)

    monkeypatch.setattr(Recorder, "chunk", chunk)
    return arrange


def until_done(simulate, stop_after, every):
    """Stop and resume again and again; return the recording and how often it was stopped."""
    stops = 0
    while True:
        stop_after(every)
        try:
            recording = simulate()
            stop_after(0)
            return recording, stops
        except nd.Suspended as suspended:
            assert suspended.code == RESUMABLE
            stops += 1


def cells(seed, size=6):
    """Noise, delays, an input and a loop through a Python function that is asked every 5 ms."""
    part = nd.Population(
        "cells",
        size,
        code="v = 0.9*v + 0.1*randn() + I + L",
        threshold="v > 0.4",
        reset="v = 0",
        variables={"v": "1", "I": "1", "L": "1"},
    )
    push = nd.Input("push", ("a",))
    loop = nd.Input("loop", ("x",), function=lambda t, a: [0.05 * float(np.sum(a["cells.v"]))], every="5 ms")
    links = [
        nd.Connection(push, part, "I", weight=nd.Uniform(0, 0.3)),
        nd.Connection(loop, part, "L", weight=nd.Uniform(-1, 1)),
        nd.Connection(part, part, "v", probability=0.5, weight=nd.Normal(0, 0.2), delay=nd.Uniform("1 ms", "20 ms")),
    ]
    return nd.Circuit([part], links, inputs=[push, loop], dt="1 ms", seed=seed)


def trials(*lengths):
    values = np.sin(np.arange(200.0))[:, None]
    made = [Trial(n, {"push": values[:n]}, learning=k % 2 == 0, reset=k != 2) for k, n in enumerate(lengths)]
    return Session(tuple(made), 1e-3, {"push": ("a",)})


OPTIONS: Any = {"record": ["spikes", "cells.v", "stimulus", "weights"]}


@pytest.mark.parametrize("backend", ["numba", "torch", "interpreter", pytest.param("brian2", marks=pytest.mark.slow)])
def test_resumed_is_uninterrupted(backend, tmp_path, stop_after, monkeypatch):
    """Cut within trials, at their ends, between two calls of a closed loop, with spikes on their way."""
    monkeypatch.setattr("neurodyn.running.run._CHUNK", 3)
    session, out = trials(9, 30, 25), tmp_path / "a.h5"
    call = lambda: nd.simulate(cells(3), session, out=out, resume=True, backend=backend, device="cpu", **OPTIONS)  # noqa: E731
    recording, stops = until_done(call, stop_after, 4)
    assert stops >= 5
    report = nd.compare(recording, nd.simulate(cells(3), session, **OPTIONS))
    assert report, str(report)
    assert len(recording["spikes"]) > 5
    assert len(recording.attrs["resumed"]) == stops
    assert [p.name for p in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("backend", ["numba", "torch"])
def test_networks_side_by_side_go_on_from_where_each_stopped(backend, tmp_path, stop_after, monkeypatch):
    """Sessions of different length; one is complete already when the others go on; one was never recorded in a file."""
    monkeypatch.setattr("neurodyn.running.run._CHUNK", 3)
    circuits, sessions = [cells(s, 4 + s) for s in range(4)], [trials(20, 5), trials(4), trials(7, 60, 3), trials(30)]
    outs = [tmp_path / "0.h5", tmp_path / "1.h5", tmp_path / "2.h5", None]
    call = lambda: nd.simulate(circuits, sessions, out=outs, resume=True, backend=backend, device="cpu", **OPTIONS)  # noqa: E731
    found, stops = until_done(call, stop_after, 15)  # the one in memory needs 12 chunks in a row
    assert stops or backend == "numba"  # whose threads may be done before the main one hears of the signal
    for circuit, session, recording in zip(circuits, sessions, found, strict=True):
        report = nd.compare(recording, nd.simulate(circuit, session, **OPTIONS))
        assert report, str(report)


@pytest.mark.slow
def test_learned_weights_survive(tmp_path, stop_after):
    task = nd.tasks.WhatWhen(latencies=("60 ms", "90 ms"), trial="200 ms", cue="30 ms", window="60 ms")
    session = task.session(trials=4, calibration=1, test_trials=1)
    options = {"learn": nd.WhatWhenRule(when=nd.FORCE()), "record": ["readout", "weights"]}
    call = lambda: nd.simulate(nd.SpikingReservoir(20, seed=1), session, out=tmp_path / "a.h5", resume=True, **options)  # noqa: E731
    recording, stops = until_done(call, stop_after, 3)
    whole = nd.simulate(nd.SpikingReservoir(20, seed=1), session, **options)
    assert stops > 1
    assert nd.compare(recording, whole)
    for name, values in whole.network().values.items():
        np.testing.assert_array_equal(recording.network().values[name], values, err_msg=name)


def test_a_complete_run_is_returned_and_another_one_refused(tmp_path):
    out, call = tmp_path / "a.h5", {"out": tmp_path / "a.h5", "resume": True}
    first = nd.simulate(cells(1), trials(20), **call)
    before = out.stat().st_mtime_ns
    again = nd.simulate(cells(1), trials(20), **call)
    assert nd.compare(first, again)
    assert out.stat().st_mtime_ns == before
    with pytest.raises(FileExistsError, match=r"not what this call records \(another seed, network\)"):
        nd.simulate(cells(2), trials(20), **call)
    with pytest.raises(FileExistsError, match=r"another session"):
        nd.simulate(cells(1), trials(21), **call)


def test_what_was_stopped_is_not_gone_on_with_by_another_run(tmp_path, stop_after, monkeypatch):
    monkeypatch.setattr("neurodyn.running.run._CHUNK", 3)
    stop_after(2)
    with pytest.raises(nd.Suspended):
        nd.simulate(cells(1), trials(20), out=tmp_path / "a.h5")
    with pytest.raises(ValueError, match="another run.*its seed is '1', not '2'"):
        nd.simulate(cells(2), trials(20), out=tmp_path / "a.h5", resume=True)
    assert len(nd.simulate(cells(1), trials(20), out=tmp_path / "a.h5", resume=True).trials) == 1


def test_without_a_file_a_signal_does_what_it_always_does(stop_after):
    stop_after(1, signal.SIGUSR1)
    called = []
    before = signal.signal(signal.SIGUSR1, lambda *_: called.append(1))
    try:
        assert len(nd.simulate(cells(1), trials(20), **OPTIONS)["v"]) == 20
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert called == [1]


def test_handlers_of_the_process_are_left_alone_and_ours_are_taken_back(tmp_path, stop_after):
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    called = []
    before = signal.signal(signal.SIGUSR1, lambda *_: called.append(1))
    try:
        stop_after(1, signal.SIGUSR1)
        assert len(nd.simulate(cells(1), trials(20), out=tmp_path / "a.h5", **OPTIONS)["v"]) == 20
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert called == [1]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


# -- processes ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole():
    """The run of the script, uninterrupted."""
    spec = importlib.util.spec_from_file_location("killed_run", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    net, session, options = module.described()
    return nd.simulate(net, session, **options)


def started(*command):
    process = subprocess.Popen([sys.executable, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    return process


def wait_for(folder, pattern, process):
    """Wait until a file is there, or the process has ended."""
    while not list(folder.glob(pattern)) and process.poll() is None:
        time.sleep(0.005)


def ended(process):
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def killed_again_and_again(folder, kills, whole, seed):
    """Kill runs at random moments; return how many kills met a run, and how many of those had left a checkpoint."""
    rng, met, resumable, number = np.random.default_rng(seed), 0, 0, 0
    while met < kills:
        out = folder / f"{number}.h5"
        process = started(SCRIPT, out)
        if met % 2:  # on a slow machine, too, some have begun
            wait_for(folder, f".{number}.h5.*.parts", process)
        time.sleep(rng.uniform(0, 0.9) if met % 2 == 0 else rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        code, _ = ended(process)
        names = {p.name for p in folder.iterdir()}
        assert not any("partial" in name for name in names)
        if out.exists():  # whole, or not there at all
            report = nd.compare(nd.load(out), whole)
            assert report, str(report)
            number += 1
        else:
            assert code == -signal.SIGKILL
            resumable += any(name.startswith(f".{number}.h5.") for name in names)
        met += code == -signal.SIGKILL
    for once_more in range(number + 1):  # what was killed when its file was complete tidies up
        code, errors = ended(started(SCRIPT, folder / f"{once_more}.h5"))
        assert code == 0, errors
    report = nd.compare(nd.load(folder / f"{number}.h5"), whole)
    assert report, str(report)
    assert sorted(p.name for p in folder.iterdir()) == sorted(f"{k}.h5" for k in range(number + 1))
    return resumable


def test_five_kills(tmp_path, whole):
    assert killed_again_and_again(tmp_path, 5, whole, seed=1)


@pytest.mark.slow
def test_two_hundred_kills(tmp_path, whole):
    assert killed_again_and_again(tmp_path, 200, whole, seed=2) > 50


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_leaves_a_run_that_can_be_resumed(name, tmp_path, whole):
    out = tmp_path / "a.h5"
    process = started(SCRIPT, out)
    wait_for(tmp_path, ".a.h5.*/*.h5", process)
    process.send_signal(getattr(signal, name))
    code, errors = ended(process)
    assert code == RESUMABLE, errors
    assert f"{name} stopped the run in trial" in errors
    assert "resume=True" in errors and "Traceback" not in errors
    assert not out.exists() and not list(tmp_path.glob("*partial*"))
    assert ended(started(SCRIPT, out))[0] == 0
    report = nd.compare(nd.load(out), whole)
    assert report, str(report)


def test_who_does_not_listen_is_told_twice():
    """A run that gets stuck within a chunk can be ended by the same signal."""
    code = "import os, signal; from neurodyn.running.stopping import StopRequest, listening\n"
    code += "with listening(StopRequest()):\n    os.kill(os.getpid(), signal.SIGTERM); print('alive', flush=True)\n"
    code += "    os.kill(os.getpid(), signal.SIGTERM); print('alive')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["alive"] and done.returncode == -signal.SIGTERM


def test_two_processes_do_not_write_one_recording(tmp_path):
    out = tmp_path / "a.h5"
    first = started(SCRIPT, out, 8000)  # so long that it lives when it is looked at, on a busy machine too
    try:
        wait_for(tmp_path, ".a.h5.*/*.h5", first)
        os.kill(first.pid, signal.SIGSTOP)  # it lives, and stands still
        with pytest.raises(RuntimeError, match=f"still being written by process {first.pid}"):
            nd.simulate(cells(1), "20 ms", out=out, resume=True)
        with pytest.raises(FileExistsError, match=f"is being written by process {first.pid}"):
            nd.simulate(cells(1), "20 ms", out=out)
    finally:
        first.kill()
        ended(first)


SIMULATION = """
import time
import neurodyn as nd

@nd.simulation
def wandering(*, seed: int = 1, steps: int = 40000, out: str | None = None):
    '''Noise with a memory.'''
    part = nd.Population("cells", 5, code="v = 0.9*v + randn()", variables={"v": "1"})
    print("ready", flush=True)
    v = nd.simulate(nd.Circuit([part], dt="1 ms", seed=seed), f"{steps} ms", record=["cells.v"], out=out, backend="interpreter")["v"]
    return {"mean square": float((v**2).mean())}
"""


def test_neurodyn_run_resumes(tmp_path):
    script, out = tmp_path / "wandering.py", tmp_path / "a.h5"
    script.write_text(SIMULATION)
    command = ["-m", "neurodyn.cli", "run", str(script), "--out", str(out), "--json"]
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "ready" not in process.stdout.readline():
        pass
    wait_for(tmp_path, ".a.h5.*.parts", process)  # it listens by then
    process.terminate()
    output, errors = process.communicate(timeout=300)
    assert process.returncode == RESUMABLE, output + errors
    assert "neurodyn run --resume" in errors
    found = []
    for resume in (True, True, False):
        extra = ["--resume"] if resume else ["--overwrite"]
        done = subprocess.run([sys.executable, *command, *extra], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout.splitlines()[-1])["results"])
    assert found[0] == found[1] == found[2]
    assert nd.load(out).results == found[0]
