"""A result of a parameter scan over its axes: heat maps, lines with bands over seeds, points by category."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from neurodyn.plots.base import caption, dress, label, legend_below, new_figure, panel_letters, style
from neurodyn.plots.numbers import spread_text
from neurodyn.plots.scan_panels import (
    MOST_COLOURS,
    Axis,
    draw_categories,
    draw_heat,
    draw_lines,
    draw_scatter,
    nothing_there,
)

if TYPE_CHECKING:
    import xarray

_SEEDS = "repetition"
_LISTED = "point"
_MOST_PANELS = 12


@style()
def scan_overview(
    dataset: xarray.Dataset, of: str, *, x: str | None = None, y: str | None = None, title: str | None = None
) -> Figure:
    """A result of a scan over its axes, as many of them as a page shows.

    Two numeric axes give a heat map of means over seeds, hatched where there is no finite result; one gives lines of means
    with bands (SD over seeds); none gives the single values by category. A further axis becomes colours where there are
    lines or categories, the others become panels. Points of a list are drawn over one or two of their parameters.

    Parameters
    ----------
    dataset : xarray.Dataset
        From :func:`neurodyn.load_scan`, or a part of it: ``dataset.sel(gain=[1.5])``.
    of : str
        The result: a number, or a yes or no, at each point.
    x, y : str, optional
        Axes to draw over. With ``x`` alone there are lines over it.

    Raises
    ------
    ValueError
        No such result or axis, a result that is no number, more panels or colours than can be told apart.
    """
    values = _checked(dataset, of)
    grid = {str(d): Axis.of(dataset, str(d)) for d in values.dims if d not in (_SEEDS, _LISTED)}
    varying = {name: axis for name, axis in grid.items() if len(axis.values) > 1}
    listed = _along_points(dataset) if _LISTED in values.dims else {}
    one, other = _over(listed or varying, x, y)
    rest = [axis for axis in varying.values() if axis not in (one, other)]
    colour = rest.pop(0) if other is None and not listed and rest else None
    _few_enough(of, rest, colour)
    numbers = values.values[np.isfinite(values.values)]
    limits = Normalize(numbers.min(), numbers.max()) if len(numbers) else Normalize(0, 1)
    name = label(of, values.attrs.get("units"))
    panels = list(itertools.product(*(range(len(axis.values)) for axis in rest)))
    figure, axes = _empty(len(panels))
    images = []
    for ax, chosen in zip(axes, panels, strict=True):
        part = values.isel({axis.name: k for axis, k in zip(rest, chosen, strict=True)})
        rows = _rows(part, [colour, other, one], listed=bool(listed))
        ax.set_title(", ".join(f"{axis.name} = {axis.shown(k)}" for axis, k in zip(rest, chosen, strict=True)))
        images.append(_draw(ax, one, other, colour, rows, limits, listed=bool(listed)))
    _name_axes(axes, one, name if other is None else other.label)
    heading = title or f"{of} of {dataset.attrs.get('simulation', 'a scan')}"
    if len(axes) > 1:
        figure.suptitle(heading)
        panel_letters(axes)
    else:
        axes[0].set_title(heading)
    _explain(figure, axes, images, name, values, [axis for axis in grid.values() if len(axis.values) == 1])
    return figure


def _checked(dataset: xarray.Dataset, of: str) -> xarray.DataArray:
    if of not in dataset.data_vars:
        raise ValueError(f"of = {of!r} is no result of this scan; there are {', '.join(_drawable(dataset)) or 'none'}")
    values = dataset[of]
    if of not in _drawable(dataset):
        what = "a list" if values.dtype.kind in "biuf" else "no number"
        raise ValueError(f"of = {of!r} is {what} at each point; of those, choose one: {', '.join(_drawable(dataset))}")
    if values.size == 0:
        raise ValueError(f"of = {of!r} has no points: the dataset is empty")
    return values.astype(float).assign_attrs(values.attrs)


def _drawable(dataset: xarray.Dataset) -> list[str]:
    """Variables with one number at each point."""
    places = set(dataset["state"].dims) if "state" in dataset else set(dataset.dims)
    return [str(n) for n, v in dataset.data_vars.items() if v.dtype.kind in "biuf" and set(v.dims) <= places]


def _along_points(dataset: xarray.Dataset) -> dict[str, Axis]:
    """The parameters that a list of points gives."""
    return {str(n): Axis.of(dataset, str(n)) for n, c in dataset.coords.items() if c.dims == (_LISTED,)}


def _over(known: Mapping[str, Axis], x: str | None, y: str | None) -> tuple[Axis | None, Axis | None]:
    """The axes to draw over: those that are asked for; else the first two with numbers, or the first one."""
    for which, name in (("x", x), ("y", y)):
        if name is not None and name not in known:
            raise ValueError(f"{which} = {name!r} is no axis that varies; there are {', '.join(known) or 'none'}")
    if x is not None and x == y:
        raise ValueError(f"x and y are both {x!r}; give two axes")
    numeric = [name for name, axis in known.items() if axis.numeric]
    first = x or next((name for name in (*numeric, *known) if name != y), None)
    second = y or next((name for name in numeric if x is None and first in numeric and name != first), None)
    if second is not None and not (first in numeric and second in numeric):
        raise ValueError(
            f"x = {first!r}, y = {second!r}: both have to be axes of numbers; there are {', '.join(numeric)}"
        )
    return known[first] if first else None, known[second] if second else None


def _few_enough(of: str, panels: Sequence[Axis], colour: Axis | None) -> None:
    count = math.prod(len(axis.values) for axis in panels)
    if count > _MOST_PANELS:
        names = ", ".join(f"{axis.name} ({len(axis.values)} values)" for axis in panels)
        raise ValueError(
            f"{of} over {names} would be {count} panels, and {_MOST_PANELS} fit; draw a part, such as "
            f"dataset.sel({panels[0].name}=[...]), or choose other x and y"
        )
    if colour is not None and len(colour.values) > MOST_COLOURS:
        raise ValueError(
            f"{colour.name} has {len(colour.values)} values, and {MOST_COLOURS} colours can be told apart; draw a part, "
            f"such as dataset.isel({colour.name}=[0, 1, 2]), or, with numbers, choose it as y"
        )


def _empty(count: int) -> tuple[Figure, list[Axes]]:
    across = _across(count)
    down = -(-count // across)
    figure = new_figure(4.8 if across == 1 else 1.2 + 2.4 * across, (1.0 if across == 1 else 1.3) + 2.2 * down)
    axes = list(figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel())
    for unused in axes[count:]:
        unused.remove()
    return figure, [dress(ax) for ax in axes[:count]]


def _across(count: int) -> int:
    return 2 if count == 4 else min(3, count)


def _rows(part: xarray.DataArray, axes: Sequence[Axis | None], *, listed: bool) -> np.ndarray:
    """Values as (seed, colour, y, x), 1 long where there is no such axis; points of a list along x."""
    order = ["" if axis is None else axis.name for axis in axes]
    order = ["", "", _LISTED] if listed else order
    names = [_SEEDS if _SEEDS in part.dims else "", *order]
    squeezed = part.squeeze([d for d in part.dims if d not in names], drop=True)
    there = squeezed.transpose(*(name for name in names if name)).values
    lengths = iter(there.shape)
    return there.reshape([next(lengths) if name else 1 for name in names])


def _draw(
    ax: Axes,
    x: Axis | None,
    y: Axis | None,
    colour: Axis | None,
    rows: np.ndarray,
    limits: Normalize,
    *,
    listed: bool,
) -> ScalarMappable | None:
    if listed and x is not None and x.numeric:
        return draw_scatter(ax, x, y, rows[:, 0, 0], limits)
    if x is not None and y is not None:
        return draw_heat(ax, x, y, rows[:, 0], limits)
    if x is not None and x.numeric:
        draw_lines(ax, x, colour, rows[:, :, 0])
    else:
        draw_categories(ax, x, colour, rows[:, :, 0])
    return None


def _name_axes(axes: Sequence[Axes], x: Axis | None, ylabel: str) -> None:
    across = _across(len(axes))
    for number, ax in enumerate(axes):
        if number + across >= len(axes):
            ax.set_xlabel("repetitions" if x is None else x.label)
            ax.tick_params(labelbottom=True)
        if number % across == 0:
            ax.set_ylabel(ylabel)


def _explain(
    figure: Figure,
    axes: Sequence[Axes],
    images: Sequence[ScalarMappable | None],
    name: str,
    values: xarray.DataArray,
    fixed: Sequence[Axis],
) -> None:
    """Colour bar, legend, and a line on seeds and on what is missing."""
    missing = int((~np.isfinite(values.values)).sum())
    handles = {str(h.get_label()): h for ax in axes for h in ax.get_legend_handles_labels()[0]}
    if images[0] is not None:
        figure.colorbar(images[0], ax=list(axes), label=name, aspect=25, pad=0.02)
        if missing and _LISTED not in values.dims:
            handles["nothing"] = nothing_there()
    legend_below(figure, list(handles.values()))
    seeds = values.sizes.get(_SEEDS, 1)
    words = [f"{axis.name} = {axis.shown(0)}" for axis in fixed]
    if images[0] is not None:
        words.append(f"mean of {seeds} seeds" if seeds > 1 else "")
    else:
        words.append(spread_text("sd", [np.empty(seeds)]) if seeds > 1 else "")
    words.append(f"{missing} of {values.size} points without a finite result" if missing else "")
    if any(words):
        caption(figure, "; ".join(filter(None, words)))
