import numpy as np
import pytest
from matplotlib.figure import Figure

from neurodyn import plots

TIME = np.arange(0.0, 10.0, 0.5)
VALUES = np.stack([np.sin(TIME), np.cos(TIME)], axis=1)


def test_traces_of_one_unit_share_a_panel(sound, texts, xy):
    figure = plots.traces(TIME, VALUES, ["unit 1", "unit 7"], "mV", name="membrane potential", title="Two units")
    sound(figure)
    assert len(figure.axes) == 1
    assert len(figure.axes[0].lines) == 2
    assert (xy(figure.axes[0].lines[1])[1] == VALUES[:, 1]).all()
    found = texts(figure)
    assert {"Two units", "membrane potential (mV)", "time (ms)", "unit 1", "unit 7"} <= set(found)


def test_traces_of_several_units_get_panels_of_their_own(sound, texts):
    figure = plots.traces(TIME, VALUES, ["v", "I"], ["mV", "pA"], reference=VALUES, time_units="s")
    sound(figure)
    assert [ax.get_ylabel() for ax in figure.axes] == ["v (mV)", "I (pA)"]
    assert {"time (s)", "target"} <= set(texts(figure))
    assert [len(ax.lines) for ax in figure.axes] == [3, 3]  # value, target, entry of the legend


def test_reference_has_the_colour_of_its_channel(sound):
    figure = plots.traces(TIME, VALUES, ["A", "B"], "1", reference=VALUES * 0.5, name="readout")
    sound(figure)
    first, aim, *_ = figure.axes[0].lines
    assert first.get_color() == aim.get_color()
    assert aim.get_linestyle() == "--"
    assert figure.axes[0].get_ylabel() == "readout"  # dimensionless


def test_long_traces_are_thinned_without_losing_a_peak(xy):
    time = np.arange(200_000.0)
    values = np.zeros(200_000)
    values[123_456] = 7.0
    x, y = xy(plots.traces(time, values, ["v"], "mV").axes[0].lines[0])
    assert len(x) < 25_000
    assert y.max() == 7.0
    assert x[y.argmax()] == 123_456


def test_nothing_finite_is_said(texts, sound):
    figure = plots.traces(TIME, np.full(len(TIME), np.nan), ["v"], "mV")
    sound(figure)
    assert "no finite values" in texts(figure)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time": []}, "time is empty"),
        ({"time": TIME[:-1]}, r"values has shape \(20, 2\); expected \(19, 2\)"),
        ({"labels": ["v"]}, r"expected \(20, 1\)"),
        ({"units": ["mV"]}, "units: 1 given for 2 labels"),
        ({"reference": VALUES[:, :1]}, "reference has shape"),
        ({"units": ["mV", "pA"], "ax": Figure().add_subplot()}, "ax: one axes can't hold"),
    ],
)
def test_wrong_traces_are_named(change, words):
    given = {"time": TIME, "values": VALUES, "labels": ["v", "w"], "units": "mV", **change}
    with pytest.raises(ValueError, match=words):
        plots.traces(*[given.pop(k) for k in ("time", "values", "labels", "units")], **given)


X = np.array([0.0, 0.5, 1.0])
ROWS = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, np.nan]])


def band(**more):
    return plots.line_with_band(X, {"a": ROWS, "b": [1, 1, 1]}, xlabel="x (ms)", ylabel="y (mV)", title="T", **more)


def test_band_mean_and_legend(sound, texts, xy):
    figure = band(reference={"chance": 0.5})
    sound(figure)
    mean, single, chance = figure.axes[0].lines
    assert xy(mean)[1].tolist() == [2, 2, 3]
    assert xy(single)[1].tolist() == [1, 1, 1]
    assert len(figure.axes[0].collections) == 1  # one seed has no band
    assert set(np.asarray(chance.get_ydata())) == {0.5}
    wanted = {"a (1 of 2 seeds complete)", "b", "chance", "mean ± SD, 1 to 2 seeds", "x (ms)", "y (mV)", "T"}
    assert wanted <= set(texts(figure))


def test_seeds_as_thin_lines_and_log_axis(sound):
    figure = plots.line_with_band(
        [1, 10, 100],
        {"a": ROWS[:, :2].repeat(2, 1)[:, :3]},
        xlabel="x",
        ylabel="y",
        title="T",
        seeds=True,
        xscale="log",
    )
    sound(figure)
    assert len(figure.axes[0].lines) == 3
    assert figure.axes[0].get_xscale() == "log"


def test_no_condition_is_refused():
    with pytest.raises(ValueError, match="values is empty"):
        plots.line_with_band(X, {}, xlabel="x", ylabel="y", title="T")
    with pytest.raises(ValueError, match=r"values\['a'\] has shape"):
        plots.line_with_band(X, {"a": [1, 2]}, xlabel="x", ylabel="y", title="T")
