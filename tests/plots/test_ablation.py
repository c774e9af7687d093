import numpy as np
import pytest

from neurodyn import plots


def bars(labels, values, **more):
    return plots.bars_with_points(labels, values, ylabel="nRMSE", title="Ablations", **more)


def test_bars_are_means_and_points_are_seeds(sound, texts, xy):
    values = np.array([[0.1, 0.2, 0.3], [0.5, 0.6, 0.7]])
    figure = bars(["default", "merged readout"], values, threshold=0.35, reference=0.1, highlight="default")
    sound(figure)
    ax = figure.axes[0]
    assert np.allclose([patch.get_height() for patch in ax.patches], [0.2, 0.6])  # type: ignore[attr-defined]
    points = [line for line in ax.lines if line.get_marker() == "o"]
    assert [xy(line)[1].tolist() for line in points] == values.tolist()
    assert points[0].get_color() != points[1].get_color()
    found = texts(figure)
    assert {"threshold 0.35", "reference 0.1", "nRMSE", "Ablations\n(mean ± SD, 3 seeds)"} <= set(found)


def test_missing_values_are_left_out_and_told(sound, texts):
    figure = bars(["a", "b", "c"], [[1.0, np.nan], [np.nan], [2.0, 3.0, 4.0]])
    sound(figure)
    found = texts(figure)
    assert "no value" in found
    assert "Ablations\n(mean ± SD, 1 to 3 seeds)" in found
    assert len(figure.axes[0].patches) == 2


def test_nothing_finite_at_all(sound, texts):
    figure = bars(["a"], [[np.nan]])
    sound(figure)
    assert "Ablations\n(no seeds)" in texts(figure)


@pytest.mark.parametrize("count", [1, 4, 9, 14])
@pytest.mark.parametrize("word", ["gate local", "feedback-switched-off"])
def test_labels_never_overlap(count, word):
    figure = bars([f"{word} {k}" for k in range(count)], np.arange(2.0 * count).reshape(count, 2) - 3)
    figure.canvas.draw()
    ticks = figure.axes[0].get_xticklabels()
    assert len(ticks) == count
    if ticks[0].get_rotation() == 0:
        boxes = [tick.get_window_extent() for tick in ticks]
        assert all(one.x1 <= other.x0 for one, other in zip(boxes, boxes[1:], strict=False))
    assert all(tick.get_window_extent().x0 >= 0 and tick.get_window_extent().y0 >= 0 for tick in ticks)


@pytest.mark.parametrize(
    ("labels", "values", "more", "words"),
    [
        ([], [], {}, "values has 0 conditions for 0 labels"),
        (["a"], [[1.0], [2.0]], {}, "values has 2 conditions for 1 labels"),
        (["a"], [[[1.0]]], {}, "values of 'a' has shape"),
        (["a"], [[1.0]], {"highlight": "b"}, "highlight = 'b' is none of the labels"),
    ],
)
def test_wrong_input_is_named(labels, values, more, words):
    with pytest.raises(ValueError, match=words):
        bars(labels, values, **more)
