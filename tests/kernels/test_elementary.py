"""exp and tanh of compiled code against NumPy's, to the last places, in both precisions, and at the ends of the range."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from neurodyn.kernels import elementary
from neurodyn.kernels.elementary import exp, tanh

KINDS = [np.float32, np.float64]
END = {np.float32: 87.0, np.float64: 708.0}


@njit
def each_exp(x):
    y = np.empty_like(x)
    for k in range(x.size):
        y[k] = exp(x[k])
    return y


@njit
def each_tanh(x):
    y = np.empty_like(x)
    for k in range(x.size):
        y[k] = tanh(x[k])
    return y


def numbers(kind, end):
    """From all over a range, dense about 0, and where a multiple of ln 2 is rounded up or down."""
    draws = np.random.default_rng(1)
    half = (np.arange(-20, 20) + 0.5) * math.log(2)
    small = draws.choice([-1, 1], 2000) * 10.0 ** draws.uniform(-12, 0, 2000)
    return np.concatenate([draws.uniform(-end, end, 20000), small, half, np.nextafter(half, 0), [0.0]]).astype(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_exp_is_right_to_two_units_in_the_last_place(kind):
    x = numbers(kind, END[kind])
    found, expected = each_exp(x), np.exp(x.astype(np.longdouble))
    assert found.dtype == kind
    assert np.max(abs(found - expected) / np.spacing(expected.astype(kind))) <= 2
    assert found[x == 0] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_tanh_is_right_to_two_units_in_the_last_place_of_1(kind):
    x = numbers(kind, 25.0)
    found, expected = each_tanh(x), np.tanh(x.astype(np.longdouble))
    assert found.dtype == kind
    assert np.max(abs(found - expected)) <= 2 * np.finfo(kind).eps
    assert np.max(abs(found)) <= 1
    np.testing.assert_array_equal(each_tanh(-x), -found)


@pytest.mark.parametrize("kind", KINDS)
def test_ends_of_the_range(kind):
    beyond = np.array([-np.inf, -1e30, -2 * END[kind], 2 * END[kind], 1e30, np.inf, np.nan], dtype=kind)
    found = each_exp(beyond)
    ends = each_exp(np.array([-END[kind], END[kind]], dtype=kind))
    np.testing.assert_array_equal(found[:-1], np.repeat(ends, 3))
    assert 0 < ends[0] < 1e-37 and 1e37 < ends[1] < np.inf and np.isnan(found[-1])
    np.testing.assert_array_equal(each_tanh(beyond), [-1, -1, -1, 1, 1, 1, np.nan])


@pytest.mark.parametrize("function", [exp, tanh])
def test_outside_of_compiled_code_they_say_so(function):
    with pytest.raises(NotImplementedError, match="compiled code alone"):
        function(1.0)
    assert function.__module__ == elementary.__name__
