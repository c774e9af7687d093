"""The figure of a taught signal: panels, shading, bins, and what is refused."""

import numpy as np
import pytest

from neurodyn.plots import taught_signal

T = np.arange(1, 6001) * 1e-3
F = np.sin(2 * np.pi * 5 * T)
Y = np.where(T > 2, F, 0.0)


@pytest.mark.parametrize("rate", [None, np.full(6000, 12.0)])
def test_it_draws_output_error_and_rate(sound, texts, xy, rate):
    figure = taught_signal(T, Y, F, learning=(2.0, 4.0), rate=rate, units="pA", title="A sine")
    sound(figure)
    assert len(figure.axes) == (4 if rate is None else 5)
    shown = texts(figure)
    assert {"A sine", "signal (pA)", "RMS error (pA)", "time (s)", "learning on", "output", "target"} <= set(shown)
    assert ("rate (Hz)" in shown) == (rate is not None)
    at, error = xy(figure.axes[3].lines[0])
    assert len(at) == 60  # bins of 100 ms
    np.testing.assert_allclose(error[at < 1.9], np.sqrt(0.5), rtol=0.2)
    np.testing.assert_allclose(error[at > 2.1], 0, atol=1e-12)
    if rate is not None:
        np.testing.assert_allclose(xy(figure.axes[4].lines[0])[1], 12.0)


def test_it_shows_the_stretches_it_is_told(sound, xy):
    figure = taught_signal(T, Y, F, learning=(2.0, 4.0), shown=[(0.5, 1.0)], window=0.5)
    sound(figure)
    at, values = xy(figure.axes[0].lines[0])
    assert at.min() == 0.5 and at.max() == 1.0 and not values.any()
    assert len(xy(figure.axes[1].lines[0])[0]) == 12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"output": F[:-1]}, "output"), ({"target": F[:-1]}, "target"), ({"rate": F[:-1]}, "rate"),
        ({"shown": [(7.0, 8.0)]}, "no sample between 7.0 and 8.0 s"),
    ],
)  # fmt: skip
def test_what_can_not_be_drawn(options, message):
    with pytest.raises(ValueError, match=message):
        taught_signal(**{"time": T, "output": Y, "target": F, "learning": (2.0, 4.0), **options})
