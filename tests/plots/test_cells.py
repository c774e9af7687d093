"""Figures of single cells and of the network of 2003."""

from __future__ import annotations

import numpy as np
import pytest

from neurodyn import plots
from neurodyn.models.responses import Response


def response(spikes=(10.0, 30.0), current=3.0):
    time = np.arange(200) * 0.25
    v = -65 + 5 * np.sin(time / 5)
    return Response(time, np.where(time > 5, current, 0.0), v, v, np.array(spikes))


def test_responses(sound, texts, xy):
    figure = plots.responses(
        [response(), response((), 0.0)], labels=["3 pA", "0 pA"], title="2007/XX", unit="pA", peak_mv=35.0
    )
    sound(figure)
    assert {"2007/XX\n3 pA: 2 spikes", "0 pA: 0 spikes", "v (mV)", "I (pA)", "time (ms)"} <= set(texts(figure))
    x, y = xy(figure.axes[0].lines[0])
    assert y.max() == 35 and set(x[y == 35]) == {10.25, 30.25}  # v is that at the end of a step


@pytest.mark.parametrize("count", [1, 5])
def test_panels_of_patterns(sound, texts, count):
    found = {chr(65 + k): response() for k in range(count)}
    figure = plots.panels_of_patterns(found, titles=dict.fromkeys(found, "tonic spiking"), title="Patterns")
    sound(figure)
    assert sum("tonic spiking" in text for text in texts(figure)) == count
    assert len(figure.axes) == 2 * count


def test_nothing_to_show():
    with pytest.raises(ValueError, match="found is empty"):
        plots.panels_of_patterns({}, titles={}, title="")
    with pytest.raises(ValueError, match="1 responses and 0 labels"):
        plots.responses([response()], labels=[], title="")


def test_rates_against_current(sound, texts):
    current = np.linspace(0, 20, 5)
    figure = plots.rates_against_current(current, {"RS": (current, current / 2), "FS": (2 * current, current)}, names=("one", "other"), unit="pA", title="Rates")  # fmt: skip
    sound(figure)
    assert {"RS", "FS", "one", "other", "constant current (pA)"} <= set(texts(figure))


def test_raster_and_spectrum(sound, texts):
    rng = np.random.default_rng(0)
    times, ids = rng.uniform(0, 1000, 3000), rng.integers(0, 50, 3000)
    frequency = np.arange(2.0, 100.0)
    power = {name: rng.uniform(0.5, 2, (3, frequency.size)) for name in ("recurrent", "uncoupled")}
    figure = plots.raster_and_spectrum(times, ids, 50, groups={"E": range(40), "I": range(40, 50)}, window=(100.0, 600.0), frequency=frequency, power=power, title="Network")  # fmt: skip
    sound(figure)
    assert {"frequency (Hz)", "time (ms)", "recurrent", "uncoupled"} <= set(texts(figure))
