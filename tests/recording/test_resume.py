"""A run that was stopped goes on from its last checkpoint, and its file is that of a run that was not."""

import os
import subprocess
import sys
import textwrap
import time

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurodyn.recording import Writer, load, recover
from neurodyn.recording.disk import beside, host
from neurodyn.recording.process import identity

TRIALS = 6
FINGERPRINT = {"program": "a" * 64, "seed": 3, "session": {"trials": TRIALS}}
DEAD = "4999999-1"  # Linux numbers processes up to 4194304


def begin(path, **options):
    header = {"dt_ms": 0.1, "seed": 3, "run_fingerprint": options.pop("fingerprint", FINGERPRINT)}
    return Writer(path, header=header, checkpoints=True, **options)


def go(writer, until=TRIALS, *, checkpoints=True):
    """Run trials from the state of the writer on, each with its own numbers and a checkpoint behind it."""
    state = writer.state or {"trial": 0, "learned": {"w": np.zeros(3)}, "clock": np.int64(0), "rings": {}}
    if writer.state is None:
        writer.tree("model", {"tau": "20 ms"})
    for trial in range(state["trial"], until):
        rng = np.random.default_rng(trial)
        steps = 50 * trial + np.sort(rng.integers(0, 50, 20))
        writer.spikes("cells", steps, rng.integers(0, 6, 20), size=6)
        writer.samples("state/cells/v", rng.normal(size=(5, 2)), 5.0 * trial + np.arange(5), attrs={"units": "mV"},
                       coords={"unit": [1, 4]})  # fmt: skip
        state["learned"]["w"] = state["learned"]["w"] + rng.normal(size=3)
        writer.samples("weights/w", state["learned"]["w"][None], [5.0 * trial])
        writer.trial({"event": "A" if trial % 2 else None, "learning": trial < 4, "x": float("nan")})
        state |= {"trial": trial + 1, "clock": np.int64(50 * trial + 50)}
        if checkpoints:
            writer.checkpoint(state)
    writer.tree("network", state["learned"])
    return writer


def finish(writer):
    return writer.finish({"done": True})


def folder_of(path):
    [folder] = path.parent.glob(f".{path.name}.*.parts")
    return folder


def killed(path, *, where=None, process=DEAD):
    """Make the folder of a writer that was never closed that of a dead process."""
    folder = folder_of(path)
    _, number, token, ending = folder.name.removeprefix(f".{path.name}.").split(".")
    assert number == identity()
    dead = folder.with_name(f".{path.name}.{where or host()}.{process}.{token}.{ending}")
    folder.rename(dead)
    return dead


def data(path, content):
    with h5py.File(path) as file:
        return content(file)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "run.h5"
    finish(go(begin(path)))
    return path


@pytest.mark.parametrize("until", range(1, TRIALS + 1))
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, whole, content, until):
    path = tmp_path / "run.h5"
    writer = go(begin(path), until)
    writer.spikes("cells", [50 * until + 40], [0])  # beyond the last checkpoint: done again by the resumed run
    writer.trial({"event": "never kept"})
    killed(path)
    resumed = begin(path, resume=True)
    assert resumed.state is not None and resumed.state["trial"] == until
    finish(go(resumed))
    assert data(path, content) == data(whole, content)
    assert [item.name for item in tmp_path.iterdir()] == ["run.h5"]


def test_the_state_comes_back_as_it_was(tmp_path):
    state = {
        "arrays": {"cells.v": np.random.default_rng(0).normal(size=(3, 4)).astype("f4"),
                   "flag": np.array(True), "step": np.array(2**62), "none": np.zeros((0, 5))},
        "trial": 7, "seed": 2**64 - 1, "started": True, "name": "µ", "nothing": None, "list": [1, 2.5, "x"], "empty": {},
    }  # fmt: skip
    begin(tmp_path / "run.h5").checkpoint(state)
    killed(tmp_path / "run.h5")
    back = begin(tmp_path / "run.h5", resume=True).state
    assert back is not None
    arrays, again = state.pop("arrays"), back.pop("arrays")
    assert back == state
    assert all(np.array_equal(again[k], v) and again[k].dtype == v.dtype for k, v in arrays.items())


def test_header_of_a_resumed_run(tmp_path):
    path = tmp_path / "run.h5"
    started = []
    for until in (2, 4):
        started.append(time.time())
        go(begin(path, resume=True), until)
        time.sleep(0.02)
        killed(path)
    attrs = finish(go(begin(path, resume=True))).attrs
    assert [one["host"] for one in attrs["resumed"]] == [attrs["host"]] * 2
    times = [attrs["started"], *(one["time"] for one in attrs["resumed"])]
    assert times == sorted(times) and len(set(times)) == 3
    assert attrs["wall_s"] >= 0.04  # of all three


def test_segments_are_closed_with_a_state_only(tmp_path):
    with begin(tmp_path / "run.h5", segment_mb=1e-6, segment_s=0) as writer:
        assert writer.due  # the time is over, though nothing was recorded: a state may be worth keeping
        go(writer, 2, checkpoints=False)
        assert writer.due and not list(folder_of(tmp_path / "run.h5").iterdir())
        writer.checkpoint({})
        names = sorted(item.name for item in folder_of(tmp_path / "run.h5").iterdir())
        assert names == ["000000.h5", "000000.state"]
        writer.finish()
        assert not writer.due


def test_what_is_due(tmp_path):
    with begin(tmp_path / "run.h5", segment_mb=0.01, segment_s=1000) as writer:
        for _ in range(2):
            assert not writer.due
            writer.samples("state/cells/v", np.zeros((200, 10)), np.arange(200.0))
            assert writer.due
            writer.checkpoint({"small": 1})
        writer.checkpoint({"large": np.zeros(10**5)})
        writer.samples("state/cells/v", np.zeros((200, 10)), np.arange(200.0))
        assert not writer.due  # or the disk would be busy with states
        writer.finish()


def test_old_states_do_not_pile_up(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    go(begin(path))
    assert sorted(item.name for item in killed(path).glob("*.state")) == ["000004.state", "000005.state"]
    finish(go(begin(path, resume=True)))
    assert data(path, content) == data(whole, content)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """What a run left that was killed after five checkpoints: names and bytes."""
    path = tmp_path_factory.mktemp("stopped") / "run.h5"
    go(begin(path), 5)
    folder = killed(path)
    return folder.name, {item.name: item.read_bytes() for item in folder.iterdir()}


@given(choice=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_the_rest_goes_on_or_says_so(tmp_path_factory, stopped, whole, content, choice):
    name, files = stopped
    path = tmp_path_factory.mktemp("damaged") / "run.h5"
    folder = path.parent / name
    folder.mkdir()
    victims = choice.draw(st.sets(st.sampled_from(sorted(files)), max_size=3))
    for file, content_of in files.items():
        damage = choice.draw(st.sampled_from(["missing", "cut", "changed", "zeros"])) if file in victims else None
        place = choice.draw(st.integers(0, len(content_of) - 1)) if damage else 0
        if damage == "changed":
            content_of = content_of[:place] + bytes([content_of[place] ^ 0x55]) + content_of[place + 1 :]
        elif damage == "zeros":
            content_of = content_of[:place] + bytes(len(content_of) - place)
        elif damage == "cut":
            content_of = content_of[:place]
        if damage != "missing":
            (folder / file).write_bytes(content_of)
    (folder / "000005.tmp").write_bytes(b"half a segment")
    lost = {int(file[:6]) for file in victims}
    try:
        writer = begin(path, resume=True)
    except ValueError as error:
        assert lost & {0, 1, 2, 3} and "no whole checkpoint" in str(error) and "recover" in str(error)
        return
    reached = 0 if writer.state is None else writer.state["trial"]
    assert reached == 5 or (reached == 4 and 4 in lost)
    finish(go(writer))
    assert data(path, content) == data(whole, content)


@pytest.mark.parametrize("victim", ["000004.h5", "000004.state"])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before(tmp_path, whole, content, victim):
    path = tmp_path / "run.h5"
    go(begin(path), 5)
    file = killed(path) / victim
    file.write_bytes(file.read_bytes()[:-100])
    writer = begin(path, resume=True)
    assert writer.state is not None and writer.state["trial"] == 4
    finish(go(writer))
    assert data(path, content) == data(whole, content)


def test_a_damaged_first_segment_is_neither_opened_nor_deleted(tmp_path, monkeypatch):
    """HDF5 hangs on some damaged files, so they are not for it to judge."""
    go(begin(tmp_path / "run.h5"), 2)
    folder = killed(tmp_path / "run.h5")
    first = folder / "000000.h5"
    first.write_bytes(first.read_bytes()[:1500] + bytes(1000))
    opened = []
    monkeypatch.setattr(h5py, "File", lambda path, *args: opened.append(path))
    with pytest.raises(ValueError, match="no whole checkpoint"):
        begin(tmp_path / "run.h5", resume=True)
    assert not opened and (folder / "000001.h5").exists()


def test_nothing_left_begins_anew(tmp_path):
    begin(tmp_path / "run.h5")  # killed before its first checkpoint
    killed(tmp_path / "run.h5")
    writer = begin(tmp_path / "run.h5", resume=True)
    assert writer.state is None
    assert len(list(tmp_path.iterdir())) == 1  # the folder of the killed run is gone
    assert "resumed" not in finish(go(writer)).attrs


def test_a_suspended_run_may_go_on_anywhere(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    writer = go(begin(path), 3)
    writer.trial({"event": "after the checkpoint"})
    writer.suspend()
    with pytest.raises(RuntimeError, match="make a new Writer"):
        writer.trial({})
    [folder] = tmp_path.iterdir()
    folder.rename(folder.with_name(folder.name.replace(f".{host()}.", ".another.")))
    finish(go(begin(path, resume=True)))
    assert data(path, content) == data(whole, content)


def test_a_writer_suspended_before_its_first_checkpoint_leaves_nothing(tmp_path):
    writer = begin(tmp_path / "run.h5")
    writer.trial({"a": 1})
    writer.suspend()
    assert not list(tmp_path.iterdir())


def test_leaving_a_suspended_writer_makes_no_partial_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), begin(tmp_path / "run.h5") as writer:
        go(writer, 2)
        writer.suspend()
        raise KeyboardInterrupt
    assert [item.name for item in tmp_path.iterdir()] == [folder_of(tmp_path / "run.h5").name]


def test_a_run_of_another_machine_needs_to_be_told(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    go(begin(path), 3)
    killed(path, where="node7", process="77-1")
    with pytest.raises(RuntimeError, match=r"process 77 on node7, last heard of 0 minutes ago.*resume='takeover'"):
        begin(path, resume=True)
    finish(go(begin(path, resume="takeover")))
    assert data(path, content) == data(whole, content)


def test_a_live_run_is_not_taken_over(tmp_path):
    path = tmp_path / "run.h5"
    writer = go(begin(path), 3)
    with pytest.raises(RuntimeError, match="still being written by .*this very process"):
        begin(path, resume=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        writer.suspend()
        folder = folder_of(path)
        folder.rename(folder.with_name(folder.name.replace(".0-0.", f".{child.pid}-0.")))
        for resume in (True, "takeover"):
            with pytest.raises(RuntimeError, match=f"still being written by process {child.pid}"):
                begin(path, resume=resume)
        with pytest.raises(FileExistsError, match=f"is being written by process {child.pid} .*or give another name"):
            begin(path)
        child.stdin.close()
    assert begin(path, resume=True).state is not None


def test_of_two_that_resume_one_does(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    go(begin(path), 3)
    dead = killed(path)
    rename = os.rename

    def overtaken(source, target):
        rename(dead, dead.with_name(dead.name.replace(DEAD, "77-1")))
        rename(source, target)

    monkeypatch.setattr("os.rename", overtaken)
    with pytest.raises(RuntimeError, match="this moment been taken over"):
        begin(path, resume=True)


def test_another_run_is_named_by_what_differs(tmp_path):
    path = tmp_path / "run.h5"
    go(begin(path), 3)
    folder = killed(path)
    other = {**FINGERPRINT, "seed": 4, "dtype": "float32"}
    with pytest.raises(
        ValueError, match="its seed is 3, not 4, its dtype is None, not 'float32'.*Repeat the call"
    ) as error:
        begin(path, resume=True, fingerprint=other)
    assert "program" not in str(error.value)
    with pytest.raises(ValueError, match="its fingerprint is .*, not None"):
        begin(path, resume=True, fingerprint=None)
    assert folder.exists()
    finish(go(begin(path, fingerprint=other)))  # without resume it begins anew, and what was left stays
    assert folder.exists()


def test_of_several_the_one_furthest_along_goes_on(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    kept = []
    for until, fingerprint in ((2, FINGERPRINT), (4, FINGERPRINT), (3, FINGERPRINT), (5, {"another": "run"})):
        go(begin(path, fingerprint=fingerprint), until)
        kept.append(killed(path))
        kept[-1].rename(kept[-1].with_suffix(".aside"))
    for folder in kept:
        folder.with_suffix(".aside").rename(folder)
    writer = begin(path, resume=True)
    assert writer.state is not None and writer.state["trial"] == 4
    assert [folder.exists() for folder in kept] == [True, False, True, True]
    finish(go(writer))
    assert data(path, content) == data(whole, content)
    assert [folder.exists() for folder in kept] == [False, False, False, True]  # the file holds all that they did


def test_a_finished_file_is_not_resumed_over(tmp_path):
    path = tmp_path / "run.h5"
    finish(go(begin(path)))
    with pytest.raises(FileExistsError, match="overwrite=True"):
        begin(path, resume=True)


def test_an_old_file_stays_until_the_resumed_run_replaces_it(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    path.write_text("an earlier run")
    go(begin(path, overwrite=True), 3)
    killed(path)
    writer = go(begin(path, resume=True, overwrite=True))
    assert path.read_text() == "an earlier run"
    finish(writer)
    assert data(path, content) == data(whole, content)


def test_a_peek_at_a_stopped_run_leaves_it_resumable(tmp_path, whole, content):
    path = tmp_path / "run.h5"
    go(begin(path), 3)
    killed(path)
    [kept] = recover(path)
    assert len(load(kept).trials) == 3 and "resume=True goes on" in load(kept).attrs["stopped"]
    finish(go(begin(path, resume=True)))
    assert data(path, content) == data(whole, content)


def test_without_checkpoints_there_is_nothing_to_go_on_from(tmp_path):
    with Writer(tmp_path / "run.h5", header={}, segment_s=0) as writer:
        writer.trial({"a": 1})
        for call in (lambda: writer.checkpoint({}), writer.suspend):
            with pytest.raises(RuntimeError, match="checkpoints=True"):
                call()
        folder = killed(tmp_path / "run.h5")
        with pytest.raises(ValueError, match="no whole checkpoint"):
            Writer(tmp_path / "run.h5", header={}, resume=True)
        folder.rename(writer._folder)
        writer.finish()
    with pytest.raises(ValueError, match="in memory"):
        Writer(None, header={}, resume=True)
    with pytest.raises(ValueError, match="'takeover'"):
        Writer(tmp_path / "other.h5", header={}, resume="yes")  # type: ignore[arg-type]


def test_a_state_that_cannot_be_stored_leaves_the_run_as_it_was(tmp_path):
    with begin(tmp_path / "run.h5") as writer:
        writer.trial({"a": 1})
        with pytest.raises(TypeError, match="state/f"):
            writer.checkpoint({"f": print})
        writer.checkpoint({"f": 1})
        assert len(writer.finish().trials) == 1


CHILD = """
    import sys, time
    import numpy as np
    from neurodyn.recording import Writer
    writer = Writer(sys.argv[1], header={"dt_ms": 0.1, "run_fingerprint": "x"}, resume=True, segment_mb=1e-3)
    print("ready", flush=True)
    for trial in range((writer.state or {"trial": 0})["trial"], 40):
        rng = np.random.default_rng(trial)
        writer.samples("state/cells/v", rng.normal(size=(50, 3)), 50.0 * trial + np.arange(50))
        writer.trial({"trial": trial, "x": rng.normal()})
        if writer.due:
            writer.checkpoint({"trial": trial + 1})
        time.sleep(0.002)
    writer.finish()
"""


def test_what_was_being_put_together_when_its_process_died_is_swept_up(tmp_path):
    target = tmp_path / "a.h5"
    gone, elsewhere = (tmp_path / f".a.h5.{machine}.{DEAD}.0123.tmp" for machine in (host(), "elsewhere"))
    mine = beside(target, "tmp")
    for file in (gone, elsewhere, mine, tmp_path / f".ab.h5.{host()}.{DEAD}.0123.tmp"):
        file.write_text("half")
    Writer(target, header={}).abort("nothing was recorded")
    assert not gone.exists()
    assert len(list(tmp_path.iterdir())) == 3 and mine.exists() and elsewhere.exists()


def test_killed_again_and_again_it_arrives(tmp_path):
    path, kills = tmp_path / "run.h5", 0
    rng = np.random.default_rng(5)
    while not path.exists():
        child = subprocess.Popen([sys.executable, "-c", textwrap.dedent(CHILD), str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.readline() == b"ready\n"
        if kills < 5:
            time.sleep(rng.uniform(0, 0.06))
            child.kill()
            kills += 1
        child.communicate()
        assert path.exists() or child.returncode
    recording = load(path)
    assert recording.complete and kills == 5
    expected = [np.random.default_rng(trial).normal(size=(50, 3)) for trial in range(40)]
    assert np.array_equal(recording["v"].values, np.concatenate(expected))
    assert len(recording.trials) == 40
    assert [item.name for item in tmp_path.iterdir()] == ["run.h5"]
