import csv

import numpy as np
import pytest
from matplotlib.axes import Axes

from neurodyn.plots.base import new_figure
from neurodyn.plots.panel_data import panel_csv


@pytest.fixture
def ax() -> Axes:
    return new_figure(4, 3).add_subplot()


def read(ax: Axes) -> tuple[list[str], list[dict[str, str]]]:
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    lines = panel_csv(ax).splitlines()
    return [one for one in lines if one.startswith("#")], list(
        csv.DictReader(one for one in lines if not one.startswith("#"))
    )


def columns(rows: list[dict[str, str]], *names: str) -> list[tuple[float, ...]]:
    return [tuple(float(row[name]) for name in names) for row in rows]


def test_error_bars_are_one_element_with_their_points(ax):
    ax.errorbar([1.0, 2.0], [3.0, 4.0], yerr=[[0.5, 1.0], [0.25, 2.0]], xerr=0.125, capsize=3, label="mean")
    _, rows = read(ax)
    assert {row["element"] for row in rows} == {"error bars 1"} and {row["label"] for row in rows} == {"mean"}
    assert columns(rows, "x", "y", "x_low", "x_high", "y_low", "y_high") == [
        (1.0, 3.0, 0.875, 1.125, 2.5, 3.25),
        (2.0, 4.0, 1.875, 2.125, 3.0, 6.0),
    ]


def test_bars_have_edges_and_categories_names(ax):
    ax.bar(["rls", "three-factor"], [2.0, 0.5])
    ax.barh([5.0], [4.0])
    head, rows = read(ax)
    assert "# x = 0.0: rls" in head and "# x = 1.0: three-factor" in head
    assert columns(rows, "x", "y", "x_low", "x_high", "y_low", "y_high") == [
        (0.0, 2.0, -0.4, 0.4, 0.0, 2.0),
        (1.0, 0.5, 0.6, 1.4, 0.0, 0.5),
        (4.0, 5.0, 0.0, 4.0, 4.6, 4.6 + 0.8),
    ]


@pytest.mark.parametrize("origin", ["upper", "lower"])
def test_pixels_stand_where_they_are_drawn(ax, origin):
    values = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, np.nan]])
    ax.imshow(values, extent=(0, 3, 0, 2), origin=origin, aspect="auto")
    _, rows = read(ax)
    found = {(x, y): value for x, y, value in columns(rows, "x", "y", "value")}
    first = 1.5 if origin == "upper" else 0.5
    assert [found[x, first] for x in (0.5, 1.5, 2.5)] == [1, 2, 3]
    assert np.isnan(found[2.5, 2 - first])


def test_meshes_steps_segments_and_points(ax):
    ax.pcolormesh([0.0, 1.0, 4.0], [0.0, 2.0], [[7.0, 8.0]])
    ax.stairs([1.0, 2.0], [0.0, 1.0, 3.0])
    ax.vlines([1.0, 2.0], [0.0, 0.0], [3.0, 4.0])
    ax.scatter([1.0], [2.0], c=[9.0])
    _, rows = read(ax)
    of = {name: [row for row in rows if row["element"] == name] for name in {row["element"] for row in rows}}
    assert columns(of["image 1"], "x", "y", "value") == [(0.5, 1.0, 7.0), (2.5, 1.0, 8.0)]
    assert columns(of["steps 1"], "x_low", "x_high", "y") == [(0.0, 1.0, 1.0), (1.0, 3.0, 2.0)]
    assert columns(of["segments 1"], "x", "y", "value") == [(1, 0, 0), (1, 3, 0), (2, 0, 1), (2, 4, 1)]
    assert columns(of["points 1"], "x", "y", "value") == [(1.0, 2.0, 9.0)]


def test_bands_with_gaps_and_upright_ones(ax):
    ax.fill_between([0.0, 1.0, 2.0, 3.0], [0.0] * 4, [1.0, 2.0, 3.0, 4.0], where=[True, True, False, False])
    ax.fill_betweenx([0.0, 1.0], [5.0, 6.0], [7.0, 8.0])
    _, rows = read(ax)
    assert columns(rows[:2], "x", "y_low", "y_high") == [(0, 0, 1), (1, 0, 2)]
    assert columns(rows[2:], "y", "x_low", "x_high") == [(0, 5, 7), (1, 6, 8)]


def test_lines_across_the_panel_and_what_is_not_data(ax):
    ax.plot([0.1, np.nan], [1 / 3, 2.0], label="v")
    ax.axhline(0.5)
    ax.axvline(0.25)
    ax.axvspan(0.2, 0.4)
    ax.plot([0, 1], [0, 1], transform=ax.transAxes)
    ax.plot([0, 1], [0, 1], visible=False)
    head, rows = read(ax)
    assert head[-1] == "# not here, because they are not in data coordinates: Line2D"
    assert [row["element"] for row in rows] == ["line 1", "line 1", "horizontal line 1", "vertical line 1", "span 1"]
    assert [row["y"] for row in rows] == ["0.3333333333333333", "2.0", "0.5", "", ""]
    assert rows[1]["x"] == "nan"
    assert (rows[4]["x_low"], rows[4]["x_high"]) == ("0.2", "0.4")
