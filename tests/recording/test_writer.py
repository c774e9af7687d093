import os
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from neurodyn.recording import Writer, load


def names(folder):
    return sorted(item.name for item in folder.iterdir())


def test_a_run_with_many_segments_equals_one_with_none(tmp_path, run_header, feed, content):
    files = []
    for name, options in {
        "one.h5": {},
        "many.h5": {"segment_mb": 1e-4},
        "timed.h5": {"segment_s": 0},
    }.items():
        with Writer(tmp_path / name, header=run_header(), **options) as writer:
            feed(writer)
            if options:
                assert len(list(tmp_path.glob(f".{name}.*.parts/*.h5"))) > 10
            writer.finish()
        with h5py.File(tmp_path / name) as file:
            files.append(content(file))
    with Writer(None, header=run_header()) as writer:
        feed(writer)
        with writer.finish().open() as file:
            files.append(content(file))
    assert len(files[0]) > 30
    assert all(other == files[0] for other in files[1:])
    assert names(tmp_path) == ["many.h5", "one.h5", "timed.h5"]


def test_header_and_provenance(recording):
    attrs = recording.attrs
    assert attrs["neurodyn_format"] == "1"
    assert attrs["complete"] is True
    assert (attrs["simulation"], attrs["seed"]) == ("test", 3)
    assert {"python", "numpy", "h5py", "hdf5"} <= set(attrs["versions"])
    assert attrs["threads"] >= 1
    assert attrs["wall_s"] >= 0
    assert attrs["started"].endswith("+00:00")
    assert "k dt" in attrs["time_stamps"]
    assert recording.config == {"neurons": 6, "gain": [1, 2.5]}


def test_header_wins_over_provenance():
    writer = Writer(None, header={"threads": 7, "git_revision": "abc"})
    writer.trial({"a": 1})
    attrs = writer.finish().attrs
    assert (attrs["threads"], attrs["git_revision"]) == (7, "abc")


def test_values_keep_their_type_and_callers_may_reuse_buffers():
    writer, buffer = Writer(None, header={}), np.zeros((2, 3), dtype=np.float32)
    for trial in range(3):
        buffer[:] = trial
        writer.samples("state/cells/v", buffer, [2 * trial, 2 * trial + 1])
    v = writer.finish()["v"]
    assert v.dtype == np.float32
    assert v.values[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


def test_unsorted_spikes_of_one_batch_are_sorted():
    writer = Writer(None, header={"dt_ms": 0.5})
    writer.spikes("cells", [4, 2, 2], [0, 1, 0])
    spikes = writer.finish()["spikes"]
    assert spikes.times.tolist() == [1.0, 1.0, 2.0]
    assert spikes.ids.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda w: w.spikes("cells", [1], [0]), "append spikes in order of time"),
        (lambda w: w.spikes("cells", [9], [7]), "id 7 is outside 0 ... 6 - 1"),
        (lambda w: w.spikes("cells", [9], [-1]), "id -1 is outside"),
        (lambda w: w.spikes("cells", [9, 10], [1]), "2 steps but 1 ids"),
        (lambda w: w.spikes("cells", [9.5], [1]), "whole numbers"),
        (lambda w: w.spikes("other", [-1], [1]), "step -1"),
        (lambda w: w.spikes("a/b", [1], [1]), "must not hold '/'"),
        (lambda w: w.samples("state/cells/v", np.zeros((1, 3)), [1.0]), "all batches must agree"),
        (lambda w: w.samples("state/cells/v", np.zeros((1, 2), "f4"), [1.0]), "float32, the first batch"),
        (lambda w: w.samples("state/cells/v", np.zeros((2, 2)), [1.0]), r"times of shape \(1,\)"),
        (lambda w: w.samples("state/cells/x", np.zeros((1, 2, 2)), [1.0]), "one name per dimension"),
        (lambda w: w.samples("state/cells/time", np.zeros((1, 2)), [1.0]), "none of them 'time'"),
        (lambda w: w.samples("state/cells/x", np.zeros((1, 2)), [1.0], dims=("time", "time")), "different"),
        (
            lambda w: w.samples("state/cells/x", np.zeros((1, 2)), [1.0], coords={"units": [1, 2]}),
            r"only \['unit'\]",
        ),
        (
            lambda w: w.samples("state/cells/x", np.zeros((1, 2)), [1.0], coords={"unit": [1]}),
            "1 entries for",
        ),
        (
            lambda w: w.samples("state/cells/x", np.zeros((1, 2)), [1.0], attrs={"_FillValue": 0}),
            "_FillValue",
        ),
        (lambda w: w.samples("state/cells/x", np.array(["a"]), [1.0]), "bool, int or float"),
        (lambda w: w.samples("state/cells", np.zeros((1, 2)), [1.0]), "clashes with 'state/cells/v'"),
        (lambda w: w.samples("state/cells/v/x", np.zeros((1, 2)), [1.0]), "clashes with 'state/cells/v'"),
        (lambda w: w.samples("v", np.zeros((1, 2)), [1.0]), "at least 2 components"),
        (lambda w: w.samples("spikes/x", np.zeros((1, 2)), [1.0]), "has its own methods"),
        (lambda w: w.samples("state//v", np.zeros((1, 2)), [1.0]), "state//v"),
        (lambda w: w.tree("state", {}), "clashes"),
        (lambda w: w.tree("trials", {}), "has its own methods"),
    ],
)
def test_bad_calls_are_refused_and_leave_the_run_as_it_was(call, message):
    writer = Writer(None, header={"dt_ms": 0.1})
    writer.spikes("cells", [3, 8], [0, 5], size=6)
    writer.samples("state/cells/v", np.zeros((1, 2)), [0.1])
    with pytest.raises(ValueError, match=message):
        call(writer)
    recording = writer.finish()
    assert recording.keys() == ["spikes/cells", "state/cells/v"]
    assert recording["spikes"].ids.tolist() == [0, 5]
    assert recording["v"].shape == (1, 2)


def test_spikes_need_a_step():
    with pytest.raises(ValueError, match="put dt_ms .* into the header"):
        Writer(None, header={}).spikes("cells", [1], [1])


def test_a_population_may_have_its_own_step():
    writer = Writer(None, header={"dt_ms": 0.1})
    writer.spikes("slow", [1, 2], [0, 0], dt_ms=1.0)
    spikes = writer.finish()["spikes"]
    assert spikes.times.tolist() == [1.0, 2.0]
    assert spikes.dt_ms == 1.0


def test_a_tree_written_again_replaces_the_first(tmp_path):
    with Writer(tmp_path / "run.h5", header={}, segment_s=0) as writer:
        writer.tree("network", {"w": np.zeros(3), "old": 1})
        writer.trial({"a": 1})
        writer.tree("network", {"w": np.ones(4)})
        writer.trial({"a": 2})
        back = writer.finish().tree("network")
    assert list(back) == ["w"]
    assert back["w"].tolist() == [1, 1, 1, 1]


def test_an_existing_file_is_refused_before_the_run(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        Writer(path, header={})
    assert names(tmp_path) == ["run.h5"]


def test_overwrite_keeps_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("mine")
    with Writer(path, header={}, overwrite=True, segment_s=0) as writer:
        writer.trial({"a": 1})
        assert path.read_text() == "mine"
        writer.finish()
    assert len(load(path).trials) == 1


def test_a_file_that_appears_during_the_run_is_not_touched(tmp_path):
    path = tmp_path / "run.h5"
    writer = Writer(path, header={})
    writer.trial({"a": 1})
    path.write_text("another run was faster")
    with pytest.raises(FileExistsError, match=r"run\.other\.h5"):
        writer.finish()
    assert path.read_text() == "another run was faster"
    assert load(tmp_path / "run.other.h5").complete
    assert names(tmp_path) == ["run.h5", "run.other.h5"]


def test_folders_are_made(tmp_path):
    path = tmp_path / "a" / "b" / "run.h5"
    with Writer(path, header={}) as writer:
        writer.trial({"a": 1})
        writer.finish()
    assert path.exists()


def test_a_file_as_parent_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "run.h5", tmp_path / "file" / "deeper" / "run.h5"):
        with pytest.raises(NotADirectoryError, match="is a file, not a folder"):
            Writer(path, header={})


def test_a_folder_as_output_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        Writer(tmp_path, header={}, overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match="nothing can be written into"):
            Writer(tmp_path / "run.h5", header={})
    finally:
        tmp_path.chmod(0o700)


def test_a_read_only_folder_is_refused_with_its_name(tmp_path, monkeypatch):
    def denied(self, *args, **kwargs):
        if not self.exists():
            raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", denied)
    with pytest.raises(PermissionError, match=f"nothing can be written into {tmp_path}"):
        Writer(tmp_path / "run.h5", header={})


def test_abort_keeps_what_was_recorded(tmp_path, run_header, feed):
    writer = Writer(tmp_path / "run.h5", header=run_header(duration_ms=1e6), segment_mb=0.01)
    feed(writer)
    kept = writer.abort("v of cells is NaN at step 801")
    assert kept is not None
    recording = load(kept)
    assert kept == tmp_path / "run.partial.h5"
    assert names(tmp_path) == ["run.partial.h5"]
    assert not recording.complete
    assert recording.attrs["complete"] is False
    assert recording.attrs["stopped"] == "v of cells is NaN at step 801"
    assert len(recording["v"]) == 800
    assert recording["spikes/cells"].duration_ms < 1000


def test_abort_does_not_replace_an_earlier_partial_file(tmp_path):
    for _ in range(3):
        writer = Writer(tmp_path / "run.h5", header={})
        writer.trial({"a": 1})
        writer.abort("stopped")
    assert names(tmp_path) == ["run.partial-2.h5", "run.partial-3.h5", "run.partial.h5"]


def test_abort_with_nothing_recorded_leaves_nothing(tmp_path):
    writer = Writer(tmp_path / "run.h5", header={})
    writer.tree("network", {"w": 1})
    assert writer.abort("refused") is None
    assert names(tmp_path) == []


def test_abort_in_memory_keeps_the_recording_at_hand():
    writer = Writer(None, header={})
    writer.trial({"a": 1})
    assert writer.abort("blown up") is None
    assert writer.recording is not None
    assert writer.recording.attrs["stopped"] == "blown up"


def test_leaving_by_an_exception_aborts(tmp_path):
    with pytest.raises(ZeroDivisionError), Writer(tmp_path / "run.h5", header={}) as writer:
        writer.trial({"a": 1})
        raise ZeroDivisionError("division by zero")
    assert load(tmp_path / "run.partial.h5").attrs["stopped"] == "ZeroDivisionError: division by zero"


def test_two_recordings_may_be_put_together_in_memory_at_once(monkeypatch):
    from neurodyn.recording import closing

    writers, assemble, inner = [Writer(None, header={"seed": seed}) for seed in range(2)], closing.assemble, []

    def interrupted(*arguments, **options):
        if not inner:
            inner.append(None)
            inner.append(writers[1].finish())
            assert inner[1].attrs["seed"] == 1
        assemble(*arguments, **options)

    monkeypatch.setattr(closing, "assemble", interrupted)
    assert writers[0].finish().attrs["seed"] == 0
    assert len(inner) == 2


def test_a_closed_writer_says_so():
    writer = Writer(None, header={})
    writer.finish()
    for call in (
        writer.finish,
        lambda: writer.abort("x"),
        lambda: writer.trial({}),
        lambda: writer.tree("a", {}),
    ):
        with pytest.raises(RuntimeError, match="make a new Writer"):
            call()


def test_an_empty_run_is_a_recording():
    recording = Writer(None, header={}).finish()
    assert recording.keys() == []
    assert len(recording.trials) == 0


def test_results_that_cannot_be_stored_leave_the_run_open():
    writer = Writer(None, header={})
    writer.trial({"a": 1})
    with pytest.raises(TypeError, match=r"results\['f'\]"):
        writer.finish({"f": print})
    assert writer.finish({"f": np.arange(3), "x": np.float64(2)}).results == {"f": [0, 1, 2], "x": 2.0}


FULL_DISK = """
    import resource, signal, sys
    import numpy as np
    from neurodyn.recording import Writer, load
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = Writer(sys.argv[1], header={})
    writer.samples("state/cells/v", np.random.default_rng(0).normal(size=(50_000, 10)), np.arange(50_000.0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    try:
        writer.finish()
    except OSError as error:
        assert "could not be written" in str(error), error
    else:
        raise AssertionError("the disk was full")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert not load.__globals__["Path"](sys.argv[1]).exists()
    assert writer.finish()["v"].shape == (50_000, 10)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as POSIX does")
def test_a_full_disk_loses_nothing(tmp_path):
    path = tmp_path / "run.h5"
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(FULL_DISK), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert names(tmp_path) == ["run.h5"]
