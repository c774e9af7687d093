import numpy as np
import pytest

from neurodyn.recording import Spikes


@pytest.fixture
def spikes():
    steps = np.array([0, 3, 3, 9, 10, 29])
    return Spikes(steps * 0.1, np.array([1, 0, 1, 1, 0, 2]), "cells", 4, 0.1, 3.0)


def test_trains_and_counts(spikes):
    assert [train.tolist() for train in spikes.trains()] == [
        pytest.approx([0.3, 1.0]),
        pytest.approx([0.0, 0.3, 0.9]),
        pytest.approx([2.9]),
        [],
    ]
    assert spikes.counts().tolist() == [2, 3, 1, 0]
    assert spikes.counts(2).tolist() == [2, 3]
    assert len(spikes.trains(2)) == 2


def test_bins_begin_with_their_left_edge(spikes):
    # 0.3 ms is 0.30000000000000004: it belongs to the fourth bin all the same, and 0.9 to the tenth
    fine = spikes.array(0.1)
    assert fine.shape == (30, 4)
    assert np.argwhere(fine).tolist() == [[0, 1], [3, 0], [3, 1], [9, 1], [10, 0], [29, 2]]
    assert spikes.array(1.0).tolist() == [[1, 3, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]]
    assert spikes.array(1.0, duration=2.0).sum() == 5
    assert spikes.array(1.0, duration=5.0).shape == (5, 4)


def test_every_bin_of_one_step_holds_its_spike():
    steps = np.arange(30_000)
    for dt in (0.1, 0.04, 0.3, 0.7):
        spikes = Spikes(steps * dt, np.zeros_like(steps), "cells", 1, dt, 30_000 * dt)
        assert (spikes.array(dt) == 1).all()


def test_rates_are_the_exact_exponential_filter(spikes):
    rates = spikes.rates(tau_ms=5.0, dt_ms=0.5)
    grid = (np.arange(6) + 1) * 0.5
    expected = np.zeros((6, 4))
    for time, unit in zip(spikes.times, spikes.ids, strict=True):
        expected[:, unit] += np.where(grid > time + 1e-9, 1000 / 5.0 * np.exp(-(grid - time) / 5.0), 0)
    assert rates.dtype == np.float32
    np.testing.assert_allclose(rates, expected, rtol=1e-5)


def test_the_integral_of_a_rate_is_the_number_of_spikes():
    spikes = Spikes(np.array([10.0, 11.0]), np.array([0, 0]), "cells", 1, 0.1, 600.0)
    # sampled at the end of each ms: a rectangle rule with error of order dt / 2 tau
    assert spikes.rates().sum() / 1000 == pytest.approx(2, rel=0.03)


def test_between(spikes):
    part = spikes.between(0.3, 1.0)
    assert part.times == pytest.approx([0, 0, 0.6])
    assert part.ids.tolist() == [0, 1, 1]
    assert part.duration_ms == pytest.approx(0.7)


@pytest.mark.parametrize("call", [lambda s: s.array(0), lambda s: s.rates(dt_ms=-1), lambda s: s.rates(0)])
def test_widths_must_be_positive(spikes, call):
    with pytest.raises(ValueError, match="must be positive"):
        call(spikes)
