import numpy as np
import pytest

from neurodyn import plots

TRIALS = np.array([1.0, 10, 50, 100, 101, 110, 150, 200])
ERRORS = np.array([1, 0.8, 0.4, 0.3, 0.9, 0.6, 0.3, 0.2]) + np.random.default_rng(1).normal(0, 0.02, (5, 8))
SWITCHES = [(0, "p = .8"), (100, "probability")]


def lines(figure):
    """Lines with data: entries of the legend have none."""
    return [line for line in figure.axes[0].lines if len(line.get_xdata())]


def test_lines_stop_at_the_switch_and_bands_with_them(sound, texts, xy):
    figure = plots.error_curves(TRIALS, {"local": ERRORS, "RLS": ERRORS[:3] + 0.1}, switches=SWITCHES)
    sound(figure)
    curves = [xy(line) for line in lines(figure) if line.get_marker() == "o"]
    assert [x.tolist() for x, _ in curves] == [TRIALS[:4].tolist(), TRIALS[4:].tolist()] * 2
    assert np.allclose(curves[1][1], ERRORS[:, 4:].mean(0))
    assert len(figure.axes[0].collections) == 4
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert [xy(line)[0][0] for line in dashed] == [100]  # the text at 0 only names the first block
    found = texts(figure)
    assert {"p = .8", "probability", "local", "RLS", "mean ± SD, 3 to 5 seeds"} <= set(found)
    assert {"training trial", "test error (nRMSE)", "Test error over trials"} <= set(found)


def test_texts_of_switches_keep_clear_of_each_other_and_of_the_title():
    words = "probability of the first event, latency of both and their order"
    marks = [(0, words), (40, words), (100, words), (101, "both"), (150, words)]
    figure = plots.error_curves(TRIALS, {"local": ERRORS}, switches=marks, title="A title above them all")
    figure.canvas.draw()
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts]
    wide = [box for box, (trial, _) in zip(boxes, marks, strict=True) if trial != 100]
    assert not any(one.overlaps(other) for k, one in enumerate(wide) for other in wide[k + 1 :])
    title = ax.title if ax.get_title() else ax._left_title  # type: ignore[attr-defined]
    assert all(box.y1 <= title.get_window_extent().y0 + 1 for box in boxes)
    assert all(box.y0 >= ax.get_window_extent().y1 for box in boxes)


def test_baseline_is_dash_dotted(sound, texts):
    figure = plots.error_curves(TRIALS, {"local": ERRORS}, baseline={"leaky counter": ERRORS[0] / 3})
    sound(figure)
    assert [line.get_linestyle() for line in lines(figure)] == ["-", "-."]
    assert "leaky counter" in texts(figure)


def test_divergence_is_told(texts, sound):
    broken = ERRORS.copy()
    broken[0, 3:] = np.inf
    broken[1, 3:] = np.nan
    figure = plots.error_curves(TRIALS, {"RLS": broken}, seeds=True)
    sound(figure)
    assert any("3 of 5 seeds" in text.replace("\n", " ") for text in texts(figure))
    nothing = plots.error_curves(TRIALS, {"RLS": np.full((2, 8), np.nan)})
    assert any("0 of 2 seeds" in text.replace("\n", " ") for text in texts(nothing))


def test_seeds_as_thin_lines(sound):
    figure = plots.error_curves(TRIALS, {"local": ERRORS}, switches=SWITCHES, seeds=True, spread="range")
    sound(figure)
    assert sum(line.get_linewidth() < 1 and line.get_linestyle() == "-" for line in lines(figure)) == 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trials": TRIALS[::-1]}, "trials must increase"),
        ({"trials": []}, "trials is empty"),
        ({"errors": {}}, "errors is empty"),
        ({"errors": {"local": ERRORS[:, :2]}}, r"errors\['local'\] has shape \(5, 2\); expected \(any, 8\)"),
        ({"baseline": {"counter": [1.0]}}, r"baseline\['counter'\]"),
        ({"spread": "iqr"}, "spread = 'iqr'"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"trials": TRIALS, "errors": {"local": ERRORS}, **change}
    with pytest.raises(ValueError, match=words):
        plots.error_curves(given.pop("trials"), given.pop("errors"), **given)
