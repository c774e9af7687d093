"""Panels of a scan: a heat map, lines with bands, points by category, points over one or two parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import NullFormatter, NullLocator

from neurodyn.plots.base import CYCLE, GREY, label
from neurodyn.plots.lines import draw_band
from neurodyn.plots.numbers import centre_and_spread

if TYPE_CHECKING:
    import xarray

MOST_COLOURS = 7
_FEW_TICKS = 8
_WIDE = 30.0  # ratio of the largest to the least value from which on an axis may be logarithmic
_COLOURS = "viridis"
_NOTHING: dict[str, Any] = {"facecolor": "#e6e6e6", "edgecolor": "#a0a0a0", "hatch": "////", "linewidth": 0}


@dataclass(frozen=True)
class Axis:
    """A dimension of a scan, or a parameter along the points of a list."""

    name: str
    values: np.ndarray
    units: str | None = None

    @staticmethod
    def of(dataset: xarray.Dataset, name: str) -> Axis:
        """The axis of that name."""
        coordinate = dataset[name]
        return Axis(name, coordinate.values, coordinate.attrs.get("units"))

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.values.dtype.kind in "iuf" and bool(np.isfinite(self.values).all())

    @property
    def label(self) -> str:
        """Name and units."""
        return label(self.name, self.units)

    @property
    def logarithmic(self) -> bool:
        """Whether its steps are more even on a logarithmic scale."""
        if not self.numeric or len(set(self.values.tolist())) < 3:
            return False
        values = np.unique(self.values.astype(float))
        if values[0] <= 0 or values[-1] < _WIDE * values[0]:
            return False
        logs = np.log(values)
        return bool(np.std(np.diff(logs)) / np.ptp(logs) < np.std(np.diff(values)) / np.ptp(values))

    def shown(self, number: int) -> str:
        """One of its values."""
        value = self.values[number]
        text = f"{value:g}" if self.values.dtype.kind in "iuf" else str(value)
        return f"{text} {self.units}" if self.units else text


def draw_heat(ax: Axes, x: Axis, y: Axis, rows: np.ndarray, limits: Normalize) -> ScalarMappable:
    """Means of (seed, y, x) rows; hatching where none is finite."""
    across, along = np.argsort(x.values, kind="stable"), np.argsort(y.values, kind="stable")
    means = centre_and_spread(rows, "sd")[0][np.ix_(along, across)]
    ax.add_patch(Rectangle((0, 0), 1, 1, transform=ax.transAxes, zorder=-1, **_NOTHING))
    edges = [_edges(axis, axis.values[order]) for axis, order in ((x, across), (y, along))]
    mesh = ax.pcolormesh(*edges, np.ma.masked_invalid(means), cmap=_COLOURS, norm=limits, rasterized=True)
    _scale(ax, "x", x)
    _scale(ax, "y", y)
    return mesh


def nothing_there() -> Patch:
    """What stands in a legend for places without a finite result."""
    return Patch(label="no finite result", **_NOTHING)


def draw_lines(ax: Axes, x: Axis, colour: Axis | None, rows: np.ndarray) -> None:
    """A mean line with a band for each colour of (seed, colour, x) rows."""
    order = np.argsort(x.values, kind="stable")
    at = x.values[order].astype(float)
    for number, shade in enumerate(shades(colour)):
        name = "_" if colour is None else f"{colour.name} = {colour.shown(number)}"
        draw_band(ax, at, rows[:, number][:, order], shade, name, spread="sd", seeds=False)
        ax.lines[-1].set_label(name)  # what is missing is said under the figure
    _scale(ax, "x", x)


def draw_categories(ax: Axes, x: Axis | None, colour: Axis | None, rows: np.ndarray) -> None:
    """Values of (seed, colour, category) rows as points, with mean and SD beside them."""
    colours = shades(colour)
    step = 0.8 / len(colours)
    wobble = np.linspace(-0.22, 0.22, len(rows)) * step if len(rows) > 1 else np.zeros(1)
    places = np.arange(rows.shape[2])
    for number, shade in enumerate(colours):
        name = "_" if colour is None else f"{colour.name} = {colour.shown(number)}"
        centre = places + (number - (len(colours) - 1) / 2) * step
        each = rows[:, number]
        ax.plot((centre + wobble[:, np.newaxis]).ravel(), each.ravel(), "o", color=shade, markersize=3, alpha=0.45)
        mean, low, high = centre_and_spread(each, "sd")
        bars = np.array([mean - low, high - mean]) if len(rows) > 1 else None
        ax.errorbar(centre + 0.36 * step, mean, bars, fmt="D", color=shade, markersize=4, linewidth=1.1, label=name)
    texts = [] if x is None else [x.shown(number) for number in range(len(x.values))]
    ax.set_xticks(places if texts else [], texts)
    if sum(map(len, texts)) > 28:
        ax.tick_params(axis="x", rotation=45)
    ax.set_xlim(-0.6, len(places) - 0.4)


def draw_scatter(ax: Axes, x: Axis, y: Axis | None, rows: np.ndarray, limits: Normalize) -> ScalarMappable | None:
    """Points of a list, (seed, point) rows: values over one parameter, or means in colour over two."""
    mean, low, high = centre_and_spread(rows, "sd")
    _scale(ax, "x", x)
    if y is None:
        bars = np.array([mean - low, high - mean]) if len(rows) > 1 else None
        ax.errorbar(x.values, mean, bars, fmt="o", color=CYCLE[0], markersize=3.5, linewidth=0.9)
        return None
    _scale(ax, "y", y)
    there = np.isfinite(mean)
    ax.plot(x.values[~there], y.values[~there], "x", color=GREY, markersize=4)
    return ax.scatter(x.values[there], y.values[there], c=mean[there], cmap=_COLOURS, norm=limits, s=22)


def shades(colour: Axis | None) -> list[Any]:
    """A colour for each value of an axis: along a scale for numbers, else apart from each other."""
    count = 1 if colour is None else len(colour.values)
    if colour is None or not colour.numeric or count < 3:
        return [CYCLE[number % len(CYCLE)] for number in range(count)]
    at = np.log(colour.values) if colour.logarithmic else colour.values.astype(float)
    share = (at - at.min()) / np.ptp(at)
    return [tuple(each) for each in mpl.colormaps[_COLOURS](0.9 * share)]  # beyond that is yellow, which vanishes


def _edges(axis: Axis, values: np.ndarray) -> np.ndarray:
    """Borders of cells around sorted values."""
    at = values.astype(float)
    at = np.log(at) if axis.logarithmic else at
    inner = (at[1:] + at[:-1]) / 2
    edges = np.concatenate([[2 * at[0] - inner[0]], inner, [2 * at[-1] - inner[-1]]])
    return np.exp(edges) if axis.logarithmic else edges


def _scale(ax: Axes, which: str, axis: Axis) -> None:
    """A linear or logarithmic scale, with ticks at the values where these are few and apart."""
    side = ax.xaxis if which == "x" else ax.yaxis
    if axis.logarithmic:
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        side.set_minor_formatter(NullFormatter())
    values = np.unique(axis.values.astype(float))
    at = np.log(values) if axis.logarithmic else values
    texts = [f"{value:g}" for value in values]
    short = len(values) <= _FEW_TICKS and sum(map(len, texts)) <= 3 * _FEW_TICKS
    if short and len(values) > 1 and np.diff(at).min() > 0.1 * np.ptp(at):
        side.set_ticks(values, texts)
        side.set_minor_locator(NullLocator())
