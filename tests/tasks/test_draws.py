import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.tasks.draws import event_order, jittered, uniforms

GOLDEN = [0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]
GOLDEN_UNIFORMS = [0.07809180485413048, 0.47964196407735515]
SEEDS = st.integers(0, 2**64)


@given(tenths=st.integers(0, 10), blocks=st.integers(1, 8), seed=SEEDS)
def test_every_mini_block_has_exact_proportions(tenths, blocks, seed):
    order = event_order([tenths / 10, 1 - tenths / 10], 10 * blocks, seed=seed)
    assert (order.reshape(blocks, 10) == 0).sum(axis=1).tolist() == [tenths] * blocks


@given(weights=st.lists(st.floats(0, 1), min_size=1, max_size=6), trials=st.integers(1, 95), seed=SEEDS)
def test_any_probabilities_are_met_without_drift(weights, trials, seed):
    p = np.array(weights) + 1e-3
    p /= p.sum()
    order = event_order(p, trials, seed=seed)
    for n in {*range(10, trials, 10), trials}:
        counts = np.bincount(order[:n], minlength=p.size)
        assert (counts < n * p + 1 + 1e-6).all()
        if p.size == 2:
            assert (abs(counts - n * p) < 1 + 1e-6).all()


def test_remainders_are_carried_over():
    order = event_order([0.85, 0.15], 100, seed=3)
    assert (order == 0).sum() == 85
    assert set((order.reshape(10, 10) == 0).sum(axis=1)) == {8, 9}


def test_largest_remainder_of_one_mini_block():
    # 10 p = 7.5, 1.3, 1.2: the floors 7, 1, 1 leave one trial, for the remainder 0.5
    assert np.bincount(event_order([0.75, 0.13, 0.12], 10, seed=1)).tolist() == [8, 1, 1]


@given(p=st.floats(0, 1), iid=st.booleans(), seed=SEEDS)
@settings(max_examples=50)
def test_impossible_events_never_happen(p, iid, seed):
    order = event_order([0.0, p, 1.0 - p, 0.0], 40, seed=seed, iid=iid)
    assert set(order) <= {1, 2}


def test_orders_differ_between_mini_blocks_blocks_and_seeds():
    p = [0.5, 0.5]
    order = event_order(p, 100, seed=1)
    assert len({tuple(row) for row in order.reshape(10, 10)}) > 5
    assert order.tolist() != event_order(p, 100, seed=1, block=1).tolist()
    assert order.tolist() != event_order(p, 100, seed=2).tolist()
    assert order.tolist() == event_order(p, 100, seed=1).tolist()


def test_shuffling_puts_the_rare_event_everywhere():
    # 4000 mini-blocks, one rare event each: counts by position are binomial(4000, 0.1), SD 19. Six SD: false
    # alarm below 1e-7 for any seed, and the seed is fixed.
    order = event_order([0.9, 0.1], 40_000, seed=5).reshape(-1, 10)
    assert abs((order == 1).sum(axis=0) - 400).max() < 6 * 19


def test_a_longer_order_begins_with_the_shorter_one():
    for iid in (False, True):
        long = event_order([0.37, 0.63], 100, seed=9, iid=iid)
        assert long[:40].tolist() == event_order([0.37, 0.63], 40, seed=9, iid=iid).tolist()


def test_iid_has_the_right_mean_and_no_quota():
    # binomial(20000, 0.3): SD 65, six SD
    order = event_order([0.3, 0.7], 20_000, seed=2, iid=True)
    assert abs((order == 0).sum() - 6000) < 6 * 65
    # Counts in tens: variance 2.1 if independent, 0 with a quota
    assert np.var((order.reshape(-1, 10) == 0).sum(axis=1)) == pytest.approx(2.1, abs=0.5)


def test_orders_are_fixed_for_good():
    """The stored order must not change with the version of NumPy."""
    assert event_order([0.8, 0.2], 20, seed=1).tolist() == GOLDEN
    assert uniforms(1, 0, 0, 2) == pytest.approx(GOLDEN_UNIFORMS, abs=0)


@given(sd=st.floats(0.01, 500), low=st.floats(1, 100), span=st.floats(1, 400), share=st.floats(0, 1), seed=SEEDS)
def test_jitter_stays_within_its_bounds(sd, low, span, share, seed):
    mean = low + share * span
    values = jittered(np.full(20, mean), sd, low, low + span, seed=seed)
    assert np.isfinite(values).all()
    assert values.min() >= low - 1e-9 and values.max() <= low + span + 1e-9


def test_jitter_is_normal_where_the_bounds_are_far():
    # 20000 values: standard error of the mean 0.14, of the SD 0.1
    values = jittered(np.full(20_000, 200.0), 20.0, 1.0, 570.0, seed=4)
    assert values.mean() == pytest.approx(200, abs=0.9)
    assert values.std() == pytest.approx(20, abs=0.6)
    assert np.mean(values < 180) == pytest.approx(0.1587, abs=0.016)
