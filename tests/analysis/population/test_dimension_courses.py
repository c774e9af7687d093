import h5py
import numpy as np
import pytest

from neurodyn.analysis import dimension_course, participation_ratio, training_dimension


def growing(trials=40, steps=60, units=12, seed=0):
    """Independent samples in 2 dimensions for the first half of a trial, in 6 for the second."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(units, units)))[0]
    x = rng.normal(size=(trials, steps, 6)) @ basis[:6]
    x[:, : steps // 2] = rng.normal(size=(trials, steps // 2, 2)) @ basis[:2]
    return x


def test_the_dimension_of_each_stretch_comes_back():
    x = growing()
    found = dimension_course(x, 15, dt=2, samples=20)
    np.testing.assert_allclose(found.places, [15, 45, 75, 105])
    np.testing.assert_allclose(found.ratio, [2, 2, 6, 6], rtol=0.05)
    assert found.ratio[0] == pytest.approx(participation_ratio(x[:, :15]))
    assert np.all((found.low < found.ratio) & (found.ratio < found.high)) and found.resampled == "trials"
    assert np.all(found.null_low > found.ratio) and list(found.samples) == [600] * 4
    assert "null" in str(found) and "over trials" in str(found)


def test_windows_slide_thin_and_shrink_to_single_times():
    x = growing(steps=20)
    found = dimension_course(x, 6, dt=1, step=5, thin=3, samples=2)
    np.testing.assert_allclose(found.places, [3, 8, 13])
    assert found.ratio[1] == pytest.approx(participation_ratio(x[:, 5:11:3])) and found.samples[0] == 80
    across = dimension_course(x, 1, dt=1, samples=2)
    assert len(across.ratio) == 20 and across.ratio[3] == pytest.approx(participation_ratio(x[:, 3]))


def test_a_single_recording_has_a_null_and_no_interval():
    found = dimension_course(growing(1, 2000)[0], 500, dt=1, samples=20)
    np.testing.assert_allclose(found.ratio, [2, 2, 6, 6], rtol=0.05)
    assert np.isnan(found.low).all() and found.resampled == "" and np.all(found.null_low > found.ratio)
    assert "95 % interval" not in str(found)


def test_the_interval_over_trials_covers_the_truth():
    """Of independent samples of 3 equal dimensions; the shift of the bootstrap is what makes it cover."""
    covered = []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(30, 1, 3))
        found = dimension_course(x, 1, dt=1, samples=60, seed=seed)
        covered.append(found.low[0] <= 3 <= found.high[0])
    assert sum(covered) >= 45  # nominal 57; a percentile interval over 30 trials is somewhat too narrow


def test_what_never_varies_has_no_dimension():
    x = growing()
    x[:, :15] = 1.0
    found = dimension_course(x, 15, dt=2, samples=3)
    assert np.isnan(found.ratio[0]) and np.isnan(found.null_low[0]) and np.isfinite(found.ratio[1:]).all()


def test_over_training_and_networks(tmp_path):
    rng = np.random.default_rng(1)
    stages = [[rng.normal(size=(2000, d)) @ rng.normal(size=(d, 20)) for _ in range(4)] for d in (2, 5, 10)]
    found = training_dimension(stages, [0, 10, 100], place="trials", samples=10)
    each = [[participation_ratio(x) for x in stage] for stage in stages]
    np.testing.assert_allclose(found.single, np.transpose(each))
    np.testing.assert_allclose(found.ratio, np.mean(each, axis=1))
    assert np.all(np.diff(found.ratio) > 0) and np.all(found.low <= found.ratio) and np.all(found.ratio <= found.high)
    assert found.resampled == "networks" and list(found.places) == [0, 10, 100] and found.place == "trials"
    assert np.all(found.null_low > found.ratio) and "over networks" in str(found)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        alone = training_dimension([file.create_dataset("x", data=stages[0][0]), stages[1][0]], samples=3)
    np.testing.assert_allclose(alone.ratio, [each[0][0], each[1][0]])
    assert np.isnan(alone.low).all() and list(alone.places) == [0, 1] and list(alone.samples) == [2000, 2000]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dimension_course(growing(), 61, dt=1), "window = 61.*at most 60"),
        (lambda: dimension_course(growing()[:3], 1, dt=1), "are 3 rows; at least 4"),
        (lambda: dimension_course(growing(), 5, dt=0), "dt = 0"),
        (lambda: dimension_course(growing()[0, 0], 5, dt=1), "trial, time, unit"),
        (lambda: dimension_course(np.full((5, 9, 2), np.nan), 5, dt=1), "NaN"),
        (lambda: training_dimension([[np.eye(9)], [np.eye(9), np.eye(9)]]), "the same networks"),
        (lambda: training_dimension([np.eye(9)] * 2, [1, 1]), "rising"),
        (lambda: training_dimension([np.ones((9, 2))]), "never varies"),
    ],
)
def test_errors_say_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
