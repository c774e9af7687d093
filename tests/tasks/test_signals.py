"""Periodic targets: their course over one period."""

import numpy as np
import pytest

import neurodyn as nd


def test_harmonics_are_summed():
    task = nd.tasks.harmonics((1.0, 0.0, -0.5), period="0.4 s", dt="0.5 ms")
    t = np.arange(800) * 0.5e-3
    expected = np.sin(5 * np.pi * t) - 0.5 * np.sin(15 * np.pi * t)
    np.testing.assert_allclose(task.signal[:, 0], expected, atol=1e-12)
    assert task.config == {"signal": "harmonics", "amplitudes": [1.0, 0.0, -0.5], "period": "400 ms"}


def test_triangle_starts_at_zero_and_has_straight_flanks():
    values = nd.tasks.triangle("400 ms", amplitude=2.0).signal[:, 0]
    assert values[0] == 0 and values[100] == 2 and values[300] == -2 and values[200] == 0
    np.testing.assert_allclose(np.abs(np.diff(values)), 0.02, rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nd.tasks.harmonics(()), "amplitudes=\\(\\): give one or more"),
        (lambda: nd.tasks.harmonics((1.0, np.nan)), "amplitudes: nan"),
        (lambda: nd.tasks.triangle(amplitude=np.inf), "amplitude: inf"),
        (lambda: nd.tasks.triangle("1.5 ms"), "period='1.5 ms' is not a whole number of dt='1 ms'"),
        (lambda: nd.tasks.harmonics(period="0 s"), "period"),
    ],
)
def test_values_out_of_range_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
