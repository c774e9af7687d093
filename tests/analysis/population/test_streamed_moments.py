"""Activity that stays in its file gives the numbers of activity in memory, and takes the memory of a few blocks."""

import tracemalloc

import h5py
import numpy as np
import pytest

import neurodyn as nd
from neurodyn.analysis import _streams, dimension_at, participation_ratio, participation_ratio_null, pca, pca_null
from neurodyn.analysis.population import dimensionality, streamed_moments


def activity(shape, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(*shape[:-1], 4)) * [5, 4, 3, 2]
    return 100 + hidden @ rng.normal(size=(4, shape[-1])) + rng.normal(size=shape)


@pytest.fixture
def dataset(tmp_path):
    """A function that puts an array into a file."""
    files = []

    def put(values):
        file = h5py.File(tmp_path / f"{len(files)}.h5", "w")
        files.append(file)
        return file.create_dataset("x", data=values)

    yield put
    for file in files:
        file.close()


@pytest.mark.parametrize("shape", [(700, 30), (9, 50, 12), (20, 40)])
def test_a_file_gives_what_memory_gives(shape, dataset, monkeypatch):
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 8 * int(np.prod(shape[1:])) * 3)  # 3 rows a block
    x = activity(shape)
    kept = dataset(x)
    here, there = pca(x, 4), pca(kept, 4)
    np.testing.assert_allclose(there.explained_ratio, here.explained_ratio, rtol=1e-9)
    np.testing.assert_allclose(there.components, here.components, atol=1e-7)
    np.testing.assert_allclose(there.mean, here.mean)
    np.testing.assert_allclose(there.project(kept), here.scores, atol=1e-5)
    np.testing.assert_allclose(here.project(x), here.scores, atol=1e-9)
    for corrected in (True, False):
        ratio = participation_ratio(kept, bias_correction=corrected)
        assert ratio == pytest.approx(participation_ratio(x, bias_correction=corrected), rel=1e-9)
    assert [dimension_at(kept, share) for share in (0.5, 0.9, 0.97)] == [dimension_at(x, s) for s in (0.5, 0.9, 0.97)]


def test_a_recording_is_read_lazily(tmp_path):
    net, task = nd.SpikingReservoir(20, seed=1), nd.tasks.WhatWhen()
    session = task.session(1, calibration=0, tests=(), test_trials=1)
    run = nd.simulate(net, session, record=["cells.v"], out=tmp_path / "a.h5", backend="interpreter")
    lazy = nd.load(tmp_path / "a.h5").lazy("cells.v")
    assert participation_ratio(lazy) == pytest.approx(participation_ratio(run["cells.v"]))
    found = pca(lazy, 2)
    assert found.project(lazy).shape == (700, 2)
    np.testing.assert_allclose(found.explained_ratio, pca(run["cells.v"], 2).explained_ratio)


def test_scores_of_a_file_are_written_to_a_file_and_not_held(dataset):
    x = activity((6, 20, 5))
    found, out = pca(dataset(x), 2), dataset(np.zeros((6, 20, 2)))
    with pytest.raises(ValueError, match=r"result\.project\(x\)"):
        _ = found.scores
    assert found.project(x, out=out) is out
    np.testing.assert_allclose(out[()], pca(x, 2).scores, atol=1e-9)
    with pytest.raises(ValueError, match=r"out has shape \(6, 20, 2\).*\(120, 2\)"):
        found.project(x.reshape(120, 5), out=out)
    with pytest.raises(ValueError, match="x has 4 units, the components 5"):
        found.project(x[..., :4])


def test_wide_activity_goes_through_incremental_pca(dataset, monkeypatch):
    monkeypatch.setattr(dimensionality, "_WIDEST", 50)
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 8 * 120 * 30)
    x = activity((330, 120))
    here, there = pca(x, 4), pca(dataset(x), 4)
    np.testing.assert_allclose(there.explained_ratio, here.explained_ratio, rtol=2e-3)
    overlap = np.linalg.svd(there.components @ here.components.T, compute_uv=False)
    assert overlap.min() > 0.999
    np.testing.assert_allclose(there.mean, here.mean)
    few = pca(dataset(x[:20]), 4)  # fewer samples than a first batch would like
    np.testing.assert_allclose(few.explained_ratio, pca(x[:20], 4).explained_ratio, rtol=1e-6)


def test_nulls_of_a_file_are_those_of_every_kth_sample(dataset, monkeypatch):
    x = activity((500, 10))
    kept = dataset(x)
    monkeypatch.setattr(streamed_moments, "SURROGATE_BYTES", 500 * 10 * 8 // 3)
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 8 * 10 * 7)  # 7 rows a block, no multiple of 4
    one, other = (participation_ratio_null(v, samples=5) for v in (kept, x[::4]))
    assert one.observed == pytest.approx(other.observed) and np.allclose(one.null, other.null)
    shares, wanted = pca_null(kept, 3, samples=5), pca_null(x[::4], 3, samples=5)
    assert np.allclose(shares.observed, wanted.observed) and np.allclose(shares.null, wanted.null)
    monkeypatch.setattr(streamed_moments, "SURROGATE_BYTES", 100)
    with pytest.raises(ValueError, match="take fewer units"):
        participation_ratio_null(kept)


def test_memory_stays_that_of_blocks(tmp_path, monkeypatch):
    """48 MB in the file, blocks of 2 MB: the peak is a few blocks and the products of the units."""
    monkeypatch.setattr(_streams, "_BLOCK_BYTES", 2**21)
    rng = np.random.default_rng(0)
    with h5py.File(tmp_path / "large.h5", "w") as file:
        kept = file.create_dataset("x", (60_000, 100), dtype="f8", chunks=(1000, 100))
        for start in range(0, 60_000, 10_000):
            kept[start : start + 10_000] = rng.normal(size=(10_000, 100))
        out = file.create_dataset("scores", (60_000, 3), dtype="f8")
        pca(kept[:10], 2)  # what is imported doesn't count
        tracemalloc.start()
        found = pca(kept, 3)
        participation_ratio(kept)
        found.project(kept, out=out)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 48e6 / 4


def test_bad_files_are_refused(dataset, monkeypatch):
    hole = activity((50, 4))
    hole[31, 2] = np.nan
    for call in (pca, participation_ratio, dimension_at, pca_null):
        with pytest.raises(ValueError, match="NaN or infinite, the first at sample 31, unit 2"):
            call(dataset(hole))
        with pytest.raises(ValueError, match="never varies|at least"):
            call(dataset(np.ones((9, 3))))
    with pytest.raises(ValueError, match="at least 4"):
        participation_ratio(dataset(np.eye(3)))
    monkeypatch.setattr(dimensionality, "_WIDEST_RATIO", 3)
    with pytest.raises(ValueError, match="4 units in its file: up to 3"):
        participation_ratio(dataset(activity((50, 4))))
