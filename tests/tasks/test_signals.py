"""Periodic targets: their course, and their phases of learning."""

import numpy as np
import pytest

import neurodyn as nd


def test_sines_are_the_sum_of_harmonics():
    task = nd.tasks.PeriodicSignal(period="0.4 s", amplitudes=(1.0, 0.0, -0.5), dt="0.5 ms")
    t = np.arange(800) * 0.5e-3
    np.testing.assert_allclose(task.values(), np.sin(5 * np.pi * t) - 0.5 * np.sin(15 * np.pi * t), atol=1e-12)


def test_triangle_starts_at_zero_and_has_straight_flanks():
    values = nd.tasks.PeriodicSignal(shape="triangle", period="400 ms", amplitudes=(2.0,)).values()
    assert values[0] == 0 and values[100] == 2 and values[300] == -2 and values[200] == 0
    np.testing.assert_allclose(np.abs(np.diff(values)), 0.02, rtol=1e-9)


def test_trials_are_periods_of_one_run():
    session = nd.tasks.PeriodicSignal(period="50 ms").session(3, tests=2, before=1)
    assert [trial.labels["phase"] for trial in session.trials] == ["before", *["train"] * 3, *["test"] * 2]
    assert [trial.labels["exposure"] for trial in session.trials] == [0, 1, 2, 3, 3, 3]
    assert [trial.learning for trial in session.trials] == [False, True, True, True, False, False]
    assert [trial.reset for trial in session.trials] == [True, False, False, False, False, False]
    assert session.duration == pytest.approx(0.3)
    assert session.config["session"] == {"periods": 3, "tests": 2, "before": 1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"shape": "square"}, "shape='square'"),
        ({"amplitudes": ()}, "one or more finite numbers"),
        ({"amplitudes": (np.nan,)}, "one or more finite numbers"),
        ({"shape": "triangle", "amplitudes": (1, 2)}, "a triangle has one"),
        ({"period": "1.5 ms"}, "period='1.5 ms' is not a whole number of dt='1 ms'"),
        ({"period": "0 s"}, "period"),
    ],
)
def test_values_out_of_range_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        nd.tasks.PeriodicSignal(**given)
