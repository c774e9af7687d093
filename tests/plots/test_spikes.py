import numpy as np
import pytest

from neurodyn import plots

TIMES = np.array([1.0, 2.0, 2.5, 7.0, 9.0])
IDS = np.array([0, 3, 1, 2, 3])


def spikes_drawn(figure):
    return sum(len(line.get_xdata()) for line in figure.axes[0].lines)


def pairs(xy, line):
    return sorted(zip(*(column.tolist() for column in xy(line)), strict=True))


def test_every_spike_is_drawn_once_in_the_colour_of_its_group(sound, texts, xy):
    figure = plots.raster(TIMES, IDS, 4, groups={"E": range(3), "I": [3]}, window=(0, 10), title="Four cells")
    sound(figure)
    assert spikes_drawn(figure) == 5
    excitatory, inhibitory = figure.axes[0].lines
    assert pairs(xy, excitatory) == [(1, 0), (2.5, 1), (7, 2)]
    assert excitatory.get_color() != inhibitory.get_color()
    found = texts(figure)
    assert "Four cells" in found
    assert "time (ms)" in found
    assert "rate (Hz)" in found
    assert "unit" in found
    assert {"a", "b"} <= set(found)


def test_rates_are_spikes_per_unit_and_second(texts, xy):
    figure = plots.raster(TIMES, IDS, 4, groups={"E": range(3), "I": [3]}, window=(0, 10), rate_bin=5)
    excitatory, inhibitory = figure.axes[1].lines
    # 2 spikes of 3 units in 5 ms, then 1; 1 spike of 1 unit in each bin
    assert np.allclose(xy(excitatory)[1][:2], [2 / 3 / 5e-3, 1 / 3 / 5e-3])
    assert np.allclose(xy(inhibitory)[1][:2], [200, 200])
    assert "I: 1 units, mean 200 Hz" in texts(figure)


def test_bins_fill_the_window(texts):
    figure = plots.raster(TIMES, IDS, 4, window=(0, 12), rate_bin=5)
    assert np.allclose(figure.axes[1].lines[0].get_xdata(), [0, 6, 12])
    assert any("6 ms bins" in text for text in texts(figure))


def test_order_puts_units_from_bottom_to_top(xy):
    figure = plots.raster(TIMES, IDS, 4, order=[3, 2, 1, 0], window=(0, 10))
    (line,) = figure.axes[0].lines
    assert pairs(xy, line) == [(1, 3), (2, 0), (2.5, 2), (7, 1), (9, 0)]
    assert "rank" in figure.axes[0].get_ylabel()


def test_units_left_out_are_announced(texts, sound, xy):
    figure = plots.raster(TIMES, IDS, 4, max_units=2, title="Cells")
    sound(figure)
    assert spikes_drawn(figure) == 2  # units 0 and 2
    assert "Cells (2 of 4 units shown)" in texts(figure)
    # rates are those of all units
    assert np.isclose(xy(figure.axes[1].lines[0])[1][:-1].mean(), 5 / 4 / 9e-3)
    assert "Cells (1 of 4 units shown)" in texts(plots.raster(TIMES, IDS, 4, order=[3], title="Cells"))


def test_window_cuts_spikes_and_limits():
    figure = plots.raster(TIMES, IDS, 4, window=(2, 8))
    assert spikes_drawn(figure) == 3
    assert figure.axes[0].get_xlim() == (2, 8)


def test_events_are_marked_in_both_panels_without_touching_the_rates(sound, texts):
    figure = plots.raster(TIMES, IDS, 4, events={"cue": 3.0, "event": [5.0, 6.0]}, window=(0, 10))
    sound(figure)
    for ax in figure.axes:
        assert [len(lines.get_paths()) for lines in ax.collections] == [1, 2]
    assert {"cue", "event"} <= set(texts(figure))
    plain = plots.raster(TIMES, IDS, 4, window=(0, 10))
    assert figure.axes[1].get_ylim() == plain.axes[1].get_ylim()


def test_no_spikes_is_said(sound, texts):
    figure = plots.raster([], [], 3)
    sound(figure)
    assert "no spikes" in texts(figure)
    assert figure.axes[1].get_ylim() == (0, 1)
    later = plots.raster(TIMES, IDS, 4, window=(100, 200))
    assert "no spikes of these units in this stretch of time" in texts(later)


def test_single_spike_and_single_unit(sound):
    sound(plots.raster([0.0], [0], 1))


def test_many_spikes_are_a_picture_inside_vectors(tmp_path):
    random = np.random.default_rng(0)
    figure = plots.raster(random.uniform(0, 100, 6000), random.integers(0, 50, 6000), 50)
    assert figure.axes[0].lines[0].get_rasterized()
    figure.savefig(tmp_path / "a.svg")
    assert "<image" in (tmp_path / "a.svg").read_text()


def test_inputs_stay(texts):
    times, ids = TIMES.copy(), IDS.copy()
    times.setflags(write=False)
    ids.setflags(write=False)
    texts(plots.raster(times, ids, 4, order=np.array([1, 0])))
    assert (times == TIMES).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": 0}, "n = 0"),
        ({"n": 2}, "ids holds unit 3; with n = 2 units are 0 to 1"),
        ({"ids": [0, 1]}, r"ids has shape \(2,\); expected \(5,\)"),
        ({"ids": [0, 1, 2, 3, -1]}, "ids holds unit -1"),
        ({"times_ms": [1, 2, 3, 4, np.nan]}, "times_ms is nan"),
        ({"window": (5, 5)}, "window = "),
        ({"rate_bin": 0}, "rate_bin = 0"),
        ({"order": [0, 0]}, "order: give units 0 to 3"),
        ({"order": []}, "order"),
        ({"groups": {"E": [0, 1], "I": [1]}}, r"groups\['I'\]: unit 1 is in another group"),
        ({"groups": {"E": [4]}}, r"groups\['E'\] holds units 4 to 4"),
        ({"events": {"cue": np.nan}}, r"events\['cue'\]"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"times_ms": TIMES, "ids": IDS, "n": 4, **change}
    with pytest.raises(ValueError, match=words):
        plots.raster(given.pop("times_ms"), given.pop("ids"), given.pop("n"), **given)
