"""What every figure shares: page size, panel letters, legends and captions."""

from __future__ import annotations

import io
import string
import textwrap
from collections.abc import Iterable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import ScaledTranslation

from neurodyn.plots.styles import CYCLE, GREY, MARKERS, OKABE_ITO, Kind, kind, settings, style, type_size

__all__ = [
    "CYCLE",
    "GREY",
    "MARKERS",
    "OKABE_ITO",
    "PrintFigure",
    "caption",
    "dress",
    "figure_of",
    "label",
    "legend_below",
    "legend_right",
    "legend_under",
    "new_figure",
    "note",
    "panel_letters",
    "root_of",
    "style",
]


class PrintFigure(Figure):
    """A figure on the Agg canvas that saves with the settings of the :class:`style` it was made in, whenever that is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._style: Kind = kind()

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save as matplotlib's ``savefig``, at 300 dpi unless ``dpi`` says otherwise."""
        with style(self._style):
            super().savefig(fname, **options)

    def _repr_png_(self) -> bytes:
        # A notebook shows the figure without pyplot and without %matplotlib.
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def new_figure(width: float, height: float) -> PrintFigure:
    """An empty figure of ``width`` by ``height`` inches with constrained layout."""
    figure = PrintFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def figure_of(ax: Axes | None, *, width: float, height: float) -> tuple[Figure, Axes]:
    """The figure and axes to draw one panel in: those of ``ax``, or new ones."""
    if ax is None:
        figure = new_figure(width, height)
        ax = figure.add_subplot()
    else:
        figure = root_of(ax)
    dress(ax)
    return figure, ax


def root_of(ax: Axes) -> Figure:
    """The figure that ``ax`` belongs to, also from within a subfigure."""
    found = ax.get_figure()
    if found is None:
        raise ValueError("ax belongs to no figure any more: give axes that are still in one")
    # get_figure(root=True) is there from matplotlib 3.10 on.
    return found.figure


def dress(ax: Axes) -> Axes:
    """Fix the look of the ticks, which matplotlib otherwise makes at drawing time, outside the style."""
    look = settings()
    ax.tick_params(which="major", labelsize=look["xtick.labelsize"], width=look["xtick.major.width"], length=3)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def panel_letters(axes: Iterable[Axes]) -> None:
    """Put a, b, c, ... in bold left of the titles."""
    for letter, ax in zip(string.ascii_lowercase, axes, strict=False):
        ax.annotate(
            letter,
            xy=(0, 1),
            xycoords="axes fraction",
            xytext=(-8, 6),
            textcoords="offset points",
            ha="right",
            va="baseline",
            fontsize=type_size(11),
            fontweight="bold",
            annotation_clip=False,
        )


def label(name: str, units: str | None) -> str:
    """An axis label: the name and, unless dimensionless, the units in brackets."""
    if units in (None, "", "1"):
        return name
    return f"{name}, {units}" if "(" in units else f"{name} ({units})"


def legend_right(ax: Axes, **options: Any) -> None:
    """A legend right of the axes, where it covers no data; none if nothing is labelled."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.0, **options)


def legend_under(ax: Axes, **options: Any) -> None:
    """A legend under the axes and their label, starting at their left edge."""
    # Points, not parts of the axes: the label stays clear however high the axes turn out.
    below = ax.transAxes + ScaledTranslation(0, -32 / 72, root_of(ax).dpi_scale_trans)
    ax.legend(loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=below, borderaxespad=0.0, **options)


def legend_below(figure: Figure, handles: list[Any]) -> None:
    """A legend under all panels, in as many columns as fit; none if there is nothing to list."""
    if handles:
        # 8 point letters are about 4.6 points wide; handle and gaps take some 34 points an entry.
        widths = [type_size(34 + 4.6 * len(str(handle.get_label()))) for handle in handles]
        room = figure.get_figwidth() * 72
        columns = len(handles) if sum(widths) <= room else max(1, int(room / max(widths)))
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, columnspacing=1.4)


def caption(figure: Figure, text: str) -> None:
    """Small text under the figure and its legend, wrapped to its width; call it last."""
    # 7.5 point letters of the default font are about 4.1 points wide on average; for a slide `style` enlarges them.
    wrapped = textwrap.fill(text, max(20, int(figure.get_figwidth() * 72 / type_size(4.1))))
    height = (8 + type_size(9.5) * (wrapped.count("\n") + 1)) / 72 / figure.get_figheight()
    # Constrained layout knows no text under a legend: reserve the place of both by hand.
    reserved = height
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0, height, 1, 1 - height), figure.transFigure)
        reserved += legend.get_window_extent().height / figure.bbox.height + 4 / 72 / figure.get_figheight()
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, reserved, 1, 1 - reserved))
    figure.text(0.01, 4 / 72 / figure.get_figheight(), wrapped, fontsize=7.5, color="0.25", va="bottom")


def note(ax: Axes, text: str) -> None:
    """Say in the middle of empty axes why they are empty."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=GREY, fontsize=9)
