import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurodyn.recording.layout import dataset_at
from neurodyn.recording.seal import ROOM, seal, sealed
from neurodyn.recording.sink import writing


def make(path, values):
    with writing(path, room=ROOM) as file:
        file.create_dataset("x", data=values)
    seal(path)


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    path = tmp_path_factory.mktemp("seal") / "a.h5"
    make(path, np.random.default_rng(0).normal(size=400))
    return path.read_bytes()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    return tmp_path_factory.mktemp("seal") / "damaged.h5"


def test_a_sealed_file_is_an_ordinary_one(tmp_path):
    import h5py

    make(tmp_path / "a.h5", np.arange(5.0))
    assert sealed(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert dataset_at(file, "x")[()].tolist() == [0, 1, 2, 3, 4]


def test_without_a_file_or_a_seal(tmp_path):
    assert not sealed(tmp_path / "absent.h5")
    (tmp_path / "empty.h5").write_bytes(b"")
    assert not sealed(tmp_path / "empty.h5")
    with writing(tmp_path / "open.h5", room=ROOM) as file:
        file["x"] = 1
    assert not sealed(tmp_path / "open.h5")


@given(data=st.data())
def test_any_changed_byte_shows(intact, other, data):
    place = data.draw(st.integers(ROOM, len(intact) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != intact[place]))
    other.write_bytes(intact[:place] + bytes([value]) + intact[place + 1 :])
    assert not sealed(other)


@given(data=st.data())
def test_any_missing_end_shows(intact, other, data):
    other.write_bytes(intact[: data.draw(st.integers(0, len(intact) - 1))])
    assert not sealed(other)


def test_an_end_of_zeros_shows(intact, other):
    """What a power cut leaves of a page that never reached the disk."""
    other.write_bytes(intact[:-64] + bytes(64))
    assert not sealed(other)
    other.write_bytes(intact + bytes(8))
    assert not sealed(other)


def test_exchanged_blocks_show(tmp_path):
    path = tmp_path / "a.h5"
    make(path, np.repeat([1.0, 2.0, 3.0, 4.0], 2**17))  # a MiB of each
    data = path.read_bytes()
    first, second = ROOM + 2**20, ROOM + 2**21
    path.write_bytes(data[:first] + data[second : second + 2**20] + data[first:second] + data[second + 2**20 :])
    assert not sealed(path)
