import numpy as np
import pytest

from neurodyn import plots

TIME = np.arange(0.0, 700.0, 2.0)
FACTORISED = np.stack([0.8 * np.exp(-((TIME - 250) ** 2) / 1800), 0.2 * np.exp(-((TIME - 400) ** 2) / 1800)], axis=1)
TRUE = FACTORISED / FACTORISED.sum() / (1 - np.cumsum(FACTORISED.sum(1) / FACTORISED.sum()) + 1e-2)[:, None] * 500


def test_each_family_is_scaled_by_its_own_maximum(sound, texts, xy):
    figure = plots.hazard(TIME, FACTORISED, TRUE, measured=FACTORISED * 3, cue_ms=100, latencies_ms=(150, 300))
    sound(figure)
    first, second = figure.axes
    assert np.allclose(xy(first.lines[0])[1], FACTORISED[:, 0] / 0.8)
    assert np.allclose(xy(first.lines[2])[1], FACTORISED[:, 0] / 0.8)
    assert np.isclose(max(xy(ax.lines[1])[1].max() for ax in (first, second)), 1)
    assert [xy(ax.lines[-1])[0][0] for ax in (first, second)] == [250, 400]
    found = texts(figure)
    assert {"factorised expectation", "true hazard", "measured", "cue", "latency", "a", "b"} <= set(found)
    assert {"Event A: expectation and hazard", "relative to own maximum", "time (ms)"} <= set(found)


def test_absolute_values_bear_units(sound, xy):
    figure = plots.hazard(TIME, FACTORISED, TRUE, relative=False, names=("A", "B"))
    sound(figure)
    assert figure.axes[0].get_ylabel() == "hazard (1/s)"
    assert np.allclose(xy(figure.axes[1].lines[1])[1], TRUE[:, 1])


def test_one_event(sound):
    sound(plots.hazard(TIME, FACTORISED[:, :1], TRUE[:, :1], names=["A"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"factorised": FACTORISED * 0}, "factorised expectation has no positive value"),
        ({"true": TRUE * np.nan}, "true hazard has no positive value"),
        ({"true": TRUE[1:]}, "true hazard has shape"),
        ({"latencies_ms": [1]}, "latencies_ms: 1 given for 2 events"),
        ({"time": []}, "time_ms is empty"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"time": TIME, "factorised": FACTORISED, "true": TRUE, **change}
    with pytest.raises(ValueError, match=words):
        plots.hazard(*[given.pop(k) for k in ("time", "factorised", "true")], **given)
