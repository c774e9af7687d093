import numpy as np
import pytest

from neurodyn import analysis, plots


def test_null_test(sound, texts):
    found = analysis.NullTest(3.0, np.random.default_rng(0).normal(size=49), "greater")
    figure = plots.null_test(found, label="estimate (Hz)", title="Rates")
    sound(figure)
    assert "Rates: p = 0.02 (greater)" in texts(figure) and "estimate (Hz)" in texts(figure)
    assert sum(patch.get_height() for patch in figure.axes[0].patches) == 49  # type: ignore[attr-defined]


def test_of_an_array_is_refused():
    with pytest.raises(ValueError, match=r"estimates of shape \(2,\)"):
        plots.null_test(analysis.NullTest(np.zeros(2), np.zeros((9, 2))), label="x")
