"""Traces whose rows are counted before go straight to their place in the file, which is the same as without."""

import os

import h5py
import numpy as np
import pytest

from neurodyn.recording import Writer, begun, load, recover
from neurodyn.recording.process import identity

ROWS, WIDTH, PART = 600, 30, 50


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(begun, "_LEAST", 10_000)
    monkeypatch.setattr(begun, "_BLOCK", 4096)


def values(dtype=float):
    return np.random.default_rng(1).normal(-0.06, 0.01, size=(ROWS, WIDTH)).astype(dtype)


def feed(writer, *, first=0, last=ROWS, rows=ROWS, dtype=float, scale=1e-3, checkpoints=False):
    """Write the rows from `first` to `last`, in parts; `rows` = 0 keeps them in memory until the end."""
    if not first:
        writer.spikes("cells", [], [], size=WIDTH)
        writer.samples("state/cells/v", np.empty((0, WIDTH), dtype), [], attrs={"units": "mV"}, scale=scale, rows=rows)
        writer.samples("state/cells/few", np.empty((0, 2), dtype), [], rows=rows)
    for at in range(first, last, PART):
        times = np.arange(at, at + PART) * 0.1
        writer.samples("state/cells/v", values(dtype)[at : at + PART], times, scale=scale)
        writer.samples("state/cells/few", values(dtype)[at : at + PART, :2], times)
        writer.spikes("cells", [at], [at % WIDTH])
        if checkpoints:
            writer.checkpoint({"at": at + PART})


def writer(path, **options):
    return Writer(path, header={"dt_ms": 0.1, "run_fingerprint": "x"}, overwrite=True, **options)


def killed(path):
    """Make the folder of a writer that was never closed that of a dead process."""
    [folder] = path.parent.glob(f".{path.name}.*.parts")
    dead = folder.with_name(folder.name.replace(identity(), "4999999-1"))
    folder.rename(dead)
    return dead


def content(path):
    found = {}

    def visit(name, item):
        found[name] = dict(item.attrs) if isinstance(item, h5py.Group) else (item[()], item.dtype, item.chunks)

    with h5py.File(path) as file:
        file.visititems(visit)
        return list(file), found


def same(one, other):
    (order, left), (other_order, right) = content(one), content(other)
    assert order == other_order and list(left) == list(right)
    for name, item in left.items():
        np.testing.assert_equal(item, right[name], err_msg=name)


@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("checkpoints", [False, True])
def test_the_file_is_the_one_that_is_put_together_at_the_end(tmp_path, dtype, checkpoints):
    for name, rows in (("plain.h5", 0), ("placed.h5", ROWS)):
        with writer(tmp_path / name, checkpoints=checkpoints) as one:
            feed(one, rows=rows, dtype=dtype, checkpoints=checkpoints)
            assert bool(list(tmp_path.glob(f".*.parts/{begun.NAME}"))) == bool(rows)
            one.finish()
    same(tmp_path / "plain.h5", tmp_path / "placed.h5")
    recording = load(tmp_path / "placed.h5")
    np.testing.assert_array_equal(recording["cells.v"].values, values(dtype) / np.dtype(dtype).type(1e-3))
    assert recording["cells.v"].attrs["units"] == "mV"
    assert sorted(os.listdir(tmp_path)) == ["placed.h5", "plain.h5"]


def test_traces_in_memory_are_divided_when_they_are_read():
    with writer(None) as one:
        feed(one, rows=ROWS)
        recording = one.finish()
    np.testing.assert_array_equal(recording["cells.v"].values, values() / 1e-3)


def test_whole_numbers_have_no_scale(tmp_path):
    with writer(tmp_path / "run.h5") as one, pytest.raises(ValueError, match="scale = 2.0 for values of int64"):
        one.samples("state/cells/n", np.zeros((3, 2), int), [0, 1, 2], scale=2.0)


@pytest.mark.parametrize("last", [ROWS - PART, ROWS])
def test_fewer_or_more_rows_than_were_announced(tmp_path, last):
    for name, rows in (("plain.h5", 0), ("placed.h5", ROWS - PART // 2)):
        with writer(tmp_path / name) as one:
            feed(one, rows=rows, last=last)
            one.finish()
    same(tmp_path / "plain.h5", tmp_path / "placed.h5")


def test_a_run_that_stops_keeps_what_was_placed(tmp_path):
    with pytest.raises(ZeroDivisionError), writer(tmp_path / "run.h5") as one:
        feed(one, last=ROWS // 2)
        raise ZeroDivisionError
    recording = load(tmp_path / "run.partial.h5")
    np.testing.assert_array_equal(recording["cells.v"].values, values()[: ROWS // 2] / 1e-3)
    assert not recording.complete


@pytest.mark.parametrize("end", ["killed", "suspended", "killed while the end was being written"])
def test_a_stopped_run_goes_on_after_what_was_placed(tmp_path, end, monkeypatch):
    with writer(tmp_path / "plain.h5", checkpoints=True) as one:
        feed(one, rows=0, checkpoints=True)
        one.finish()
    path = tmp_path / "run.h5"
    first = writer(path, checkpoints=True)
    feed(first, last=300, checkpoints=True)
    feed(first, first=300, last=400)  # what no checkpoint vouches for is written again
    if end == "suspended":
        first.suspend()
    else:
        if end != "killed":
            [file] = tmp_path.glob(f".run.h5.*.parts/{begun.NAME}")
            with h5py.File(file, "r+") as half:
                half.create_group("trials")
        killed(path)
    assert recover(path)[0].name == "run.partial.h5"
    np.testing.assert_array_equal(load(tmp_path / "run.partial.h5")["cells.v"].values, values()[:300] / 1e-3)
    (tmp_path / "run.partial.h5").unlink()
    with writer(path, resume=True) as second:
        assert second.state == {"at": 300}
        feed(second, first=300, checkpoints=True)
        second.finish()
    (_, left), (_, right) = content(tmp_path / "plain.h5"), content(path)
    np.testing.assert_equal(left, right)
    assert sorted(os.listdir(tmp_path)) == ["plain.h5", "run.h5"]


def test_damaged_rows_are_passed_over_with_their_checkpoint(tmp_path):
    path = tmp_path / "run.h5"
    feed(writer(path, checkpoints=True), last=300, checkpoints=True)
    folder = killed(path)
    needle = (values()[299] / 1e-3).tobytes()
    held = bytearray((folder / begun.NAME).read_bytes())
    held[held.index(needle) + 5] ^= 1
    (folder / begun.NAME).write_bytes(held)
    with writer(path, resume=True) as second:
        assert second.state == {"at": 250}
        feed(second, first=250)
        second.finish()
    np.testing.assert_array_equal(load(path)["cells.v"].values, values() / 1e-3)


def test_a_name_taken_meanwhile(tmp_path):
    path = tmp_path / "run.h5"
    one = Writer(path, header={"dt_ms": 0.1})
    feed(one)
    path.write_text("theirs")
    with pytest.raises(FileExistsError, match=r"this run is in .*run\.other\.h5"):
        one.finish()
    assert path.read_text() == "theirs"
    np.testing.assert_array_equal(load(tmp_path / "run.other.h5")["cells.v"].values, values() / 1e-3)
