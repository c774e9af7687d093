"""Figures of a stated size in mm, saved as vectors beside the numbers that they show."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import PrintFigure, dress, new_figure, panel_letters, style
from neurodyn.plots.panel_data import lettered, panel_csv, written_here

_MM = 25.4  # an inch
_ENDINGS = (".pdf", ".svg")


@style()
def panel(*, width_mm: float = 85.0, height_mm: float = 60.0) -> tuple[PrintFigure, Axes]:
    """One empty panel of a stated size.

    Parameters
    ----------
    width_mm, height_mm : float
        Of the whole figure with its labels, in mm. 85 mm is a column of most journals.

    Returns
    -------
    figure, ax
        For a function of this package with ``ax=ax``, or, within ``with style():``, for lines of one's own.

    Raises
    ------
    ValueError
        A size that is not positive and finite.
    """
    figure = _figure(width_mm, height_mm)
    return figure, dress(figure.add_subplot())


@style()
def panels(
    rows: int, columns: int, *, width_mm: float = 180.0, height_mm: float | None = None
) -> tuple[PrintFigure, np.ndarray]:
    """Empty panels with the letters a, b, c, ... in a figure of a stated size.

    Parameters
    ----------
    rows, columns : int
    width_mm, height_mm : float
        Of the whole figure, in mm; 180 mm is the page of most journals. The height is 55 mm a row where it is left out.

    Returns
    -------
    figure, axes
        ``axes`` is an array of Axes, shape (rows, columns).

    Raises
    ------
    ValueError
        No rows or columns, more than 26 panels, or a size that is not positive and finite.
    """
    for name, count in (("rows", rows), ("columns", columns)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} = {count!r}: give a whole number of at least 1")
    if rows * columns > 26:
        raise ValueError(f"rows = {rows}, columns = {columns}: there are letters for 26 panels")
    figure = _figure(width_mm, 55.0 * rows if height_mm is None else height_mm)
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        dress(ax)
    panel_letters(axes.flat)
    return figure, axes


def save_panels(figure: Figure, out: str | Path, *, data: bool = True, overwrite: bool = False) -> list[Path]:
    """Save a figure as vectors at its exact size, and what each panel shows as CSV beside it.

    The file has the size of the figure, to the last bit the same for the same figure; text stays text, in embedded
    TrueType fonts (type 42) in PDF and as ``<text>`` in SVG.

    Parameters
    ----------
    figure : Figure
        Of this package or any other one of matplotlib.
    out : path
        Ends in .pdf or .svg.
    data : bool
        Whether to write ``fig1.a.csv``, ``fig1.b.csv``, ... beside ``fig1.pdf``: a row for each point, bar, edge of an error
        bar or band, pixel, with the label and number of its element; axis labels and names of categories stand above, in
        lines that begin with #. Numbers are those that were drawn, to the last bit. Colour bars have no table of their own.
    overwrite : bool
        Whether files that are there are replaced; tables of a figure of this name that had more panels go.

    Returns
    -------
    list of Path
        The figure first.

    Raises
    ------
    FileExistsError
        Any of the files exists.
    ValueError
        Another ending, or axes whose content has no place in a table (three dimensions, polar).
    """
    from neurodyn.recording.disk import beside, check_output, publish

    if Path(out).suffix.lower() not in _ENDINGS:
        raise ValueError(f"out = {str(out)!r} has to end in {' or '.join(_ENDINGS)}, which keep lines as lines")
    final = check_output(out, overwrite=overwrite)
    figure.draw_without_rendering()  # ticks and their labels are made here
    tables, stale = {}, []
    if data:
        for letter, ax in lettered(figure).items():
            tables[check_output(final.with_name(f"{final.stem}.{letter}.csv"), overwrite=overwrite)] = panel_csv(ax)
        # Tables of a figure that had more panels would be taken for those of this one.
        stale = [check_output(old, overwrite=overwrite) for old in written_here(final) if old not in tables]
    temporary = {beside(place, "tmp"): place for place in (*tables, final)}
    try:
        for path, place in temporary.items():
            if place in tables:
                path.write_text(tables[place], encoding="utf-8", newline="")
            else:
                _draw(figure, path, final.suffix[1:].lower())
        for path, place in temporary.items():
            publish(path, place, overwrite=overwrite)
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    for old in stale:
        old.unlink()
    return [final, *tables]


def _draw(figure: Figure, path: Path, form: str) -> None:
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}[form]
    exact: dict[Any, Any] = {
        "savefig.bbox": None,
        "pdf.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "neurodyn",
    }
    with mpl.rc_context(exact):
        figure.savefig(path, format=form, metadata=metadata)


def _figure(width_mm: float, height_mm: float) -> PrintFigure:
    for name, size in (("width_mm", width_mm), ("height_mm", height_mm)):
        if not _positive(size):
            raise ValueError(f"{name} = {size!r}: give a size in mm, such as 85")
    return new_figure(width_mm / _MM, height_mm / _MM)


def _positive(size: Any) -> bool:
    return isinstance(size, (int, float)) and math.isfinite(size) and size > 0
