"""The figure of a scan: what it draws for which axes, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure

from neurodyn import plots

GAINS = [0.5, 1.0, 1.5, 2.0]
TAUS = [1.0, 10.0, 100.0]


def scan(axes: dict[str, list[Any]], *, seeds: int = 3, holes: bool = False) -> xarray.Dataset:
    """A dataset as load_scan gives it: the result is the sum of the numbers of the places, and a tenth of the seed."""
    shape = tuple(map(len, axes.values()))
    values = np.indices(shape).sum(axis=0)[..., np.newaxis] + 0.1 * np.arange(seeds)
    if holes:
        values[(0,) * len(shape)] = np.nan
    coords = {name: (name, np.array(each), {"units": "ms"} if name == "tau" else {}) for name, each in axes.items()}
    dims = (*axes, "repetition")
    variables = {
        "error": (dims, values, {"units": "mV"}),
        "state": (dims, np.full(values.shape, "done")),
        "curve": ((*dims, "curve_index"), np.zeros((*values.shape, 2))),
    }
    return xarray.Dataset(variables, {**coords, "repetition": np.arange(seeds)}, {"simulation": "net"})


def meshes(figure: Figure) -> list[QuadMesh]:
    return [item for ax in figure.axes for item in ax.collections if isinstance(item, QuadMesh) and ax.get_xlabel()]


def words(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_two_numeric_axes_give_a_heat_map_of_means(sound, texts):
    figure = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}), "error")
    sound(figure)
    (mesh,) = meshes(figure)
    ax = figure.axes[0]
    np.testing.assert_allclose(np.asarray(mesh.get_array()), np.add.outer(np.arange(3), np.arange(4)) + 0.1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("gain", "tau (ms)")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    corners = np.asarray(mesh.get_coordinates())
    np.testing.assert_allclose(corners[0, :, 0], [0.25, 0.75, 1.25, 1.75, 2.25])
    np.testing.assert_allclose(corners[:, 0, 1], 10 ** np.array([-0.5, 0.5, 1.5, 2.5]))
    assert "error (mV)" in texts(figure) and any("mean of 3 seeds" in text for text in texts(figure))
    assert not figure.legends


def test_values_of_an_axis_in_any_order_stand_in_theirs():
    one = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}).isel(gain=[2, 0, 3, 1]), "error")
    other = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}), "error")
    np.testing.assert_allclose(np.asarray(meshes(one)[0].get_array()), np.asarray(meshes(other)[0].get_array()))
    line = plots.scan_overview(scan({"gain": [2.0, 0.5, 1.0]}), "error").axes[0].lines[0]
    np.testing.assert_allclose(np.asarray(line.get_xdata(), float), [0.5, 1.0, 2.0])
    np.testing.assert_allclose(np.asarray(line.get_ydata(), float), [1.1, 2.1, 0.1])


def test_where_there_is_no_result_the_heat_map_is_hatched(sound, texts):
    figure = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}, holes=True), "error")
    sound(figure)
    masked = np.ma.getmaskarray(meshes(figure)[0].get_array())
    assert masked.sum() == 1 and masked[0, 0]
    assert any(patch.get_hatch() for patch in figure.axes[0].patches)
    assert words(figure) == ["no finite result"]
    assert any("3 of 36 points without a finite result" in text for text in texts(figure))


def test_a_third_axis_becomes_panels_of_one_scale(sound):
    figure = plots.scan_overview(scan({"gain": GAINS, "rule": ["a", "b"], "tau": TAUS}), "error")
    sound(figure)
    assert [ax.get_title(loc="left") for ax in figure.axes[:2]] == ["rule = a", "rule = b"]
    assert {mesh.norm.vmin for mesh in meshes(figure)} == {0.0}
    assert {mesh.norm.vmax for mesh in meshes(figure)} == {6.2}


def test_one_numeric_axis_gives_lines_with_bands_in_colours(sound, texts):
    figure = plots.scan_overview(scan({"gain": GAINS, "rule": ["a", "b"]}), "error")
    sound(figure)
    ax = figure.axes[0]
    assert words(figure) == ["rule = a", "rule = b"]
    np.testing.assert_allclose(np.asarray(ax.lines[1].get_ydata(), float), np.arange(4) + 1.1)
    band = np.asarray(ax.collections[0].get_paths()[0].vertices)
    np.testing.assert_allclose([band[:, 1].min(), band[:, 1].max()], [0.0, 3.2], atol=1e-12)  # mean 0.1, SD 0.1
    assert any(text == "mean ± SD, 3 seeds" for text in texts(figure))


def test_x_alone_gives_lines_also_where_there_are_two_numeric_axes(sound):
    figure = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}), "error", x="tau")
    assert len(figure.axes[0].lines) == 4 and figure.axes[0].get_xscale() == "log"
    sound(figure)
    assert words(figure)[:2] == ["gain = 0.5", "gain = 1"]
    assert len({line.get_color() for line in figure.axes[0].lines}) == 4
    chosen = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}), "error", x="tau", y="gain")
    assert chosen.axes[0].get_xlabel() == "tau (ms)" and chosen.axes[0].get_ylabel() == "gain"
    chosen = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}), "error", y="gain")
    assert chosen.axes[0].get_xlabel() == "tau (ms)" and chosen.axes[0].get_ylabel() == "gain"


def test_without_numeric_axes_there_are_points_by_category(sound):
    figure = plots.scan_overview(scan({"rule": ["a", "b", "c"], "task": ["one", "two"]}), "error")
    sound(figure)
    ax = figure.axes[0]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["a", "b", "c"]
    assert words(figure) == ["task = one", "task = two"]
    points = np.asarray(ax.lines[0].get_ydata(), float).reshape(3, 3)
    np.testing.assert_allclose(points, np.arange(3) + 0.1 * np.arange(3)[:, np.newaxis])


def test_a_scan_of_seeds_only_and_of_one_point(sound):
    figure = plots.scan_overview(scan({}), "error")
    sound(figure)
    np.testing.assert_allclose(np.sort(np.asarray(figure.axes[0].lines[0].get_ydata(), float)), [0.0, 0.1, 0.2])
    plots.scan_overview(scan({}).isel(repetition=0, drop=True), "error").canvas.draw()


def listed(count: int = 6) -> xarray.Dataset:
    values = np.arange(count * 2.0).reshape(count, 2)
    values[0] = np.nan
    coords = {"gain": ("point", np.linspace(0, 1, count)), "noise": ("point", np.logspace(-3, 0, count))}
    state = ("point", "repetition"), np.full(values.shape, "done")
    return xarray.Dataset({"error": (("point", "repetition"), values), "state": state}, coords)


def test_points_of_a_list_over_two_parameters_and_over_one(sound):
    figure = plots.scan_overview(listed(), "error")
    sound(figure)
    ax = figure.axes[0]
    (dots,) = [item for item in ax.collections if isinstance(item, PathCollection)]
    np.testing.assert_allclose(np.asarray(dots.get_array()), np.arange(1, 6) * 2 + 0.5)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("gain", "noise", "log")
    assert len(np.asarray(ax.lines[0].get_xdata())) == 1  # the one without a result
    figure = plots.scan_overview(listed(), "error", x="noise")
    sound(figure)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("noise", "error")


def test_axes_that_do_not_vary_are_named(texts):
    figure = plots.scan_overview(scan({"gain": GAINS, "tau": TAUS}).isel(tau=[1]), "error", title="Mine")
    assert figure.axes[0].get_title(loc="left") == "Mine" and figure.axes[0].get_xlabel() == "gain"
    assert any(text.startswith("tau = 10 ms; mean ± SD") for text in texts(figure))


def test_nothing_finite(sound):
    empty = scan({"gain": GAINS, "tau": TAUS})
    empty["error"] = empty["error"] * np.nan
    sound(plots.scan_overview(empty, "error"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"of": "eror"}, "of = 'eror' is no result of this scan; there are error"),
        ({"of": "state"}, "of = 'state' is no number"),
        ({"of": "curve"}, "of = 'curve' is a list at each point"),
        ({"of": "error", "x": "gian"}, "x = 'gian' is no axis that varies; there are gain, tau, rule"),
        ({"of": "error", "x": "gain", "y": "gain"}, "x and y are both 'gain'"),
        ({"of": "error", "x": "gain", "y": "rule"}, "both have to be axes of numbers; there are gain, tau"),
    ],
)
def test_what_cannot_be_drawn(options: dict[str, Any], message: str):
    whole = scan({"gain": GAINS, "tau": TAUS, "rule": [f"r{k}" for k in range(5)]})
    with pytest.raises(ValueError, match=message):
        plots.scan_overview(whole, **options)


def test_more_panels_or_colours_than_fit():
    with pytest.raises(ValueError, match="gain has 8 values, and 7 colours can be told apart"):
        plots.scan_overview(scan({"gain": list(range(8)), "rule": ["a", "b"]}), "error", x="rule")
    whole = scan({"gain": GAINS, "tau": TAUS, "rule": [f"r{k}" for k in range(13)]})
    with pytest.raises(ValueError, match=r"rule \(13 values\) would be 13 panels, and 12 fit; .*dataset.sel\(rule="):
        plots.scan_overview(whole, "error")
