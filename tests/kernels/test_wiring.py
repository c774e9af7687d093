"""Random wiring: geometric jumps give a Bernoulli graph."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from neurodyn.kernels.wiring import random_rows


def rows(sources, targets, p, *, seed=1, stream=5, skip_self=False):
    indptr, found = random_rows(sources, targets, p, np.uint64(seed), stream, skip_self)
    return indptr, found, np.repeat(np.arange(sources), np.diff(indptr))


@pytest.mark.parametrize("skip_self", [False, True])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_no_pair_and_every_pair(p, skip_self):
    indptr, found, source = rows(6, 6, p, skip_self=skip_self)
    expected = [(i, j) for i in range(6) for j in range(6) if p == 1 and not (skip_self and i == j)]
    assert list(zip(source.tolist(), found.tolist(), strict=True)) == expected
    assert indptr[0] == 0 and indptr[-1] == found.size


@given(st.integers(0, 12), st.integers(0, 12), st.floats(0, 1), st.integers(0, 2**64 - 1), st.booleans())
@settings(deadline=None, max_examples=60)
def test_rows_are_sorted_without_repeats_and_inside_the_range(sources, targets, p, seed, skip_self):
    indptr, found, source = rows(sources, targets, p, seed=seed, skip_self=skip_self)
    assert indptr.shape == (sources + 1,) and found.dtype == np.int32
    for row in range(sources):
        mine = found[indptr[row] : indptr[row + 1]]
        assert (np.diff(mine) > 0).all() and ((mine >= 0) & (mine < targets)).all()
    assert not skip_self or not (source == found).any()


# False-alarm budget of the three tests below: 7 verdicts at p < 1e-5; the seeds are fixed.
@pytest.mark.parametrize("p", [0.02, 0.3, 0.9])
def test_every_pattern_of_a_row_has_its_bernoulli_probability(p):
    n, width = 40_000, 4
    _, found, source = rows(n, width, p, seed=2)
    pattern = np.bincount(source, weights=2.0**found, minlength=n).astype(int)
    ones = np.array([bin(k).count("1") for k in range(2**width)])
    expected = n * p**ones * (1 - p) ** (width - ones)
    common = expected > 5  # the chi-squared law needs some counts; the rest is pooled
    observed = np.bincount(pattern, minlength=2**width)
    counts = np.append(observed[common], observed[~common].sum())
    means = np.append(expected[common], expected[~common].sum())
    counts, means = counts[means > 0], means[means > 0]
    assert stats.chisquare(counts, means * counts.sum() / means.sum()).pvalue > 1e-5


@pytest.mark.parametrize("skip_self", [False, True])
def test_degrees_are_binomial_on_both_sides(skip_self):
    n, p = 400, 0.1
    indptr, found, _ = rows(n, n, p, seed=3, skip_self=skip_self)
    law = stats.binom(n - skip_self, p)
    for degrees in (np.diff(indptr), np.bincount(found, minlength=n)):
        edges = law.ppf([0.1, 0.25, 0.5, 0.75, 0.9])
        expected = np.diff(np.concatenate([[0], law.cdf(edges), [1]])) * n
        observed = np.bincount(np.searchsorted(edges, degrees, side="left"), minlength=6)
        assert stats.chisquare(observed, expected).pvalue > 1e-5


def test_small_probabilities_are_not_lost_to_rounding():
    _, found, _ = rows(2000, 50_000, 1e-6, seed=4)  # 100 expected
    assert 2 * min(stats.poisson(100).cdf(found.size), stats.poisson(100).sf(found.size - 1)) > 1e-5
    assert not rows(50, 50, 1e-300)[1].size


def test_a_row_depends_on_its_source_only():
    few, many = rows(5, 40, 0.3), rows(9, 40, 0.3)
    np.testing.assert_array_equal(few[0], many[0][:6])
    np.testing.assert_array_equal(few[1], many[1][: few[1].size])
    assert not np.array_equal(rows(5, 40, 0.3, stream=6)[1], few[1])
