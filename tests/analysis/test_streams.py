"""Arrays that stay in their file give the numbers of those in memory, piece by piece."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from neurodyn.analysis import _streams, participation_ratio, pca
from neurodyn.analysis._streams import blocks, in_file, shape_of
from neurodyn.recording import Writer, load

AXES = ("time, unit", "trial, time, unit")


class Counting:
    """An array as a file would give it, which keeps count of what was asked for."""

    def __init__(self, values: np.ndarray) -> None:
        self.values_, self.shape, self.dtype = values, values.shape, values.dtype
        self.rows: list[int] = []

    def __getitem__(self, where: slice) -> np.ndarray:
        piece = self.values_[where]
        self.rows.append(len(piece))
        return piece


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 8 * 5 * 7)  # seven samples of five units


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2", "?"])
def test_blocks_are_the_array(small: None, dtype: str) -> None:
    x = (np.random.default_rng(0).normal(size=(100, 5)) * 9).astype(dtype)
    given = Counting(x)
    pieces = list(blocks(given, "x"))
    np.testing.assert_array_equal(np.concatenate(pieces), x.astype(float))
    assert given.rows == [7] * 14 + [2] and all(piece.dtype == np.float64 for piece in pieces)
    assert [len(piece) for piece in blocks(x, "x")] == given.rows  # an array in memory is handed out alike


def test_trials_are_laid_end_to_end(small: None) -> None:
    x = np.random.default_rng(0).normal(size=(6, 3, 5))
    given = Counting(x)
    np.testing.assert_array_equal(np.concatenate(list(blocks(given, "x"))), x.reshape(-1, 5))
    assert given.rows == [2, 2, 2]  # whole trials of three samples


def test_a_trial_longer_than_a_block_is_read_in_pieces(small: None) -> None:
    x = np.random.default_rng(0).normal(size=(3, 20, 5))
    given = Counting(x)
    np.testing.assert_array_equal(np.concatenate(list(blocks(given, "x"))), x.reshape(-1, 5))
    assert given.rows == [7, 7, 6] * 3


@pytest.mark.parametrize("place", [(0, 0), (6, 4), (7, 0), (99, 3)])
def test_the_bad_sample_is_named(small: None, place: tuple[int, int]) -> None:
    x = np.zeros((100, 5))
    x[place] = np.inf
    with pytest.raises(ValueError, match=rf"first at sample {place[0]}, unit {place[1]}:"):
        list(blocks(Counting(x), "x"))
    trials = x.reshape(10, 10, 5)
    with pytest.raises(ValueError, match=rf"sample {place[0]}, unit {place[1]}:"):
        list(blocks(Counting(trials), "x"))


def test_pieces_before_the_bad_one_have_come_through(small: None) -> None:
    x = np.zeros((20, 5))
    x[15, 2] = np.nan
    stream = blocks(Counting(x), "x")
    assert len(next(stream)) == len(next(stream)) == 7
    with pytest.raises(ValueError, match="sample 15, unit 2"):
        next(stream)


def test_shapes_and_types_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x has shape \(4,\): give \(time, unit\) or"):
        shape_of(Counting(np.zeros(4)), "x", axes=AXES)
    with pytest.raises(ValueError, match="no axis empty"):
        shape_of(Counting(np.zeros((0, 4))), "x", axes=AXES)
    with pytest.raises(TypeError, match="dtype complex128: give real numbers"):
        shape_of(Counting(np.zeros((3, 4), complex)), "x", axes=AXES)
    assert shape_of(Counting(np.zeros((3, 4))), "x", axes=AXES) == (3, 4)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("streams") / "a.h5"
    rng = np.random.default_rng(0)
    writer = Writer(path, header={})
    for k in range(3):
        times = np.arange(1000.0) + 1000 * k
        writer.samples("state/cells/v", (rng.normal(size=(1000, 4)) @ rng.normal(size=(4, 12))).astype("f4"), times)
    writer.finish()
    return path


def test_what_is_in_a_file(recorded: Path) -> None:
    recording = load(recorded)
    assert in_file(recording.lazy("v")) and not in_file(recording["v"]) and not in_file(recording["v"].values)
    assert not in_file([[1.0, 2.0]])
    with h5py.File(recorded) as file:
        assert in_file(file["state/cells/v"])


@pytest.mark.parametrize("rows", [130, 999, 10_000])
def test_numbers_do_not_depend_on_where_the_array_is(
    recorded: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 8 * 12 * rows)
    recording = load(recorded)
    lazy, held = recording.lazy("v"), recording["v"].values
    np.testing.assert_array_equal(np.concatenate(list(blocks(lazy, "x"))), held)
    assert participation_ratio(lazy) == pytest.approx(participation_ratio(held), rel=1e-9)
    one, other = pca(lazy, 3), pca(held, 3)
    np.testing.assert_allclose(one.explained_ratio, other.explained_ratio, rtol=1e-6)
    np.testing.assert_allclose(np.abs(np.sum(one.components * other.components, axis=1)), 1, rtol=1e-6)
