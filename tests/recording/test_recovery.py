"""A process that writes is killed: nothing half is ever seen, and its segments are found again."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from neurodyn.recording import Writer, load, recover
from neurodyn.recording.disk import host

CHILD = """
    import sys
    import numpy as np
    from neurodyn.recording import Writer
    path, trials = sys.argv[1], int(sys.argv[2])
    print("ready", flush=True)
    while True:  # finishes over and over, so that a kill may fall anywhere
        writer = Writer(path, header={"dt_ms": 0.1}, overwrite=True, segment_mb=0.05)
        for trial in range(trials):
            writer.spikes("cells", np.arange(1000) + 1000 * trial, np.arange(1000) % 10, size=10)
            writer.samples("state/cells/v", np.full((100, 10), float(trial)), np.arange(100.0) + 100 * trial)
            writer.tree("network", {"w": np.full(3, float(trial))})
            writer.trial({"block": trial})
            print(trial, flush=True)
        writer.finish()
        print("finished", flush=True)
"""


def start(path, trials):
    command = [sys.executable, "-c", textwrap.dedent(CHILD), str(path), str(trials)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def until(child, word, times):
    """Read what the child says until it has said `word` so many times."""
    while times > 0:
        line = child.stdout.readline()
        assert line, "the child ended by itself"
        times -= line == f"{word}\n"


def kill(child):
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize(("finished", "delay"), [(0, 0.01), (1, 0.0), (1, 0.01), (2, 0.02), (2, 0.03), (3, 0.04)])
def test_a_kill_never_leaves_half_a_file(tmp_path, finished, delay):
    path = tmp_path / "run.h5"
    child = start(path, trials=5)
    until(child, "finished", finished)
    time.sleep(delay)
    kill(child)
    seen = [item for item in tmp_path.iterdir() if not item.name.startswith(".")]
    assert seen == [path] if finished else seen in ([], [path])
    if seen:
        recording = load(path)
        assert recording.complete
        assert len(recording["spikes"]) == 5000
        assert recording["v"].shape == (500, 10)


def test_a_kill_leaves_the_earlier_file_and_recoverable_segments(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("an earlier run")
    child = start(path, trials=10**6)
    until(child, "59", 1)
    kill(child)
    assert path.read_text() == "an earlier run"
    [kept] = recover(path)
    recording = load(kept)
    assert kept == tmp_path / "run.partial.h5"
    assert "ended without a word" in recording.attrs["stopped"]
    trials = len(recording.trials)
    assert trials >= 50  # a segment holds two trials or three
    assert recording.trials["block"].tolist() == list(range(trials))
    samples = recording["v"].values[:, 0]  # a segment may end within a trial
    assert len(samples) in (100 * trials, 100 * (trials + 1))
    assert np.array_equal(samples, np.arange(len(samples)) // 100)
    assert len(recording["spikes"]) in (1000 * trials, 1000 * (trials + 1))
    assert len(recording.tree("network")["w"]) == 3
    assert sorted(item.name for item in tmp_path.iterdir()) == ["run.h5", "run.partial.h5"]


def test_recovered_segments_equal_the_run(tmp_path, run_header, feed):
    writer = Writer(tmp_path / "run.h5", header=run_header(), segment_s=0)
    feed(writer)
    writer.trial({"block": 9})  # closes a segment, so that nothing is in memory only
    [folder] = tmp_path.glob(".run.h5.*.parts")
    copy = tmp_path / "elsewhere" / folder.name.replace(f".{host()}.", ".another.")
    shutil.copytree(folder, copy)
    [kept] = recover(copy.parent / "run.h5")
    assert copy.exists()  # the other machine might still write there
    whole, part = writer.finish(), load(kept)
    assert part.keys() == whole.keys()
    for key in whole:
        if key.startswith("spikes"):
            assert np.array_equal(part[key].times, whole[key].times)
            assert np.array_equal(part[key].ids, whole[key].ids)
        else:
            assert part[key].identical(whole[key])
    assert part.trials.equals(whole.trials)
    assert list(part.tree("network")) == list(whole.tree("network"))
    assert part.config == whole.config


def test_a_run_that_is_alive_is_left_alone(tmp_path):
    with Writer(tmp_path / "run.h5", header={}, segment_s=0) as writer:
        writer.trial({"a": 1})
        with pytest.raises(RuntimeError, match="still being written"):
            recover(tmp_path / "run.h5")
        writer.finish()


def test_nothing_to_recover(tmp_path):
    with pytest.raises(FileNotFoundError, match="no segments"):
        recover(tmp_path / "run.h5")
    with Writer(tmp_path / "run.h5.h5", header={}, segment_s=0) as writer:
        writer.trial({"a": 1})
        with pytest.raises(FileNotFoundError, match="no segments"):
            recover(tmp_path / "run.h5")  # those are of another output with a similar name
        writer.finish()
