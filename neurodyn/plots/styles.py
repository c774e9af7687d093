"""How figures look, in print and on a slide: type, lines and colours."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, get_args
from weakref import WeakSet

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PathCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.spines import Spine
from matplotlib.text import Text

P = ParamSpec("P")
R = TypeVar("R")
Kind = Literal["print", "slide"]

#: Colours that stay apart for colour-blind readers (Okabe and Ito 2008).
OKABE_ITO = {
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "green": "#009E73",
    "orange": "#E69F00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
}
# Yellow is left out of the cycle: thin yellow lines vanish on paper.
CYCLE = [colour for name, colour in OKABE_ITO.items() if name != "yellow"]
GREY = "#707070"
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

PRINT: dict[Any, Any] = {
    "axes.grid": False,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titlepad": 6,
    "figure.dpi": 110,
    "figure.titlesize": 10,
    "font.size": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.title_fontsize": 8,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "pdf.fonttype": 42,
    "savefig.dpi": 300,
    "svg.fonttype": "none",
    "xtick.labelsize": 8,
    "xtick.major.width": 0.8,
    "ytick.labelsize": 8,
    "ytick.major.width": 0.8,
}
_TYPE, _LINES, _DOTS = 1.125, 1.6, 1.3  # how much larger on a slide
_SMALLEST = 8.9  # points on a slide; smaller type was given in points for print
_TYPES = ("axes.labelsize", "axes.titlesize", "figure.titlesize", "font.size", "legend.fontsize",
          "legend.title_fontsize", "xtick.labelsize", "ytick.labelsize")  # fmt: skip
_WIDTHS = ("axes.linewidth", "xtick.major.width", "ytick.major.width")
_DATA: dict[Any, Any] = {
    "lines.linewidth": PRINT["lines.linewidth"] * _LINES,
    "lines.markersize": PRINT["lines.markersize"] * _DOTS,
}
# Without the lines of the data: those of this package's figures are made larger when they are drawn.
SLIDE: dict[Any, Any] = (
    PRINT
    | {name: PRINT[name] * _TYPE for name in _TYPES}
    | {name: PRINT[name] * _LINES for name in _WIDTHS}
    | {"figure.figsize": (20 / 3, 3.75)}
)

_kind: ContextVar[Kind] = ContextVar("kind", default="print")
_enlarged: WeakSet[Artist] = WeakSet()


class style:
    """Draw in the style of this package, and leave the global settings as they were.

    No grid, no upper and right spine, 300 dpi, text kept as text in PDF and SVG. Any two colours of the cycle (Okabe and Ito
    2008, without yellow) are at least 16 apart in CIELAB, also as protanopes, deuteranopes and tritanopes see them
    (by the matrices of Machado et al. 2009). Usable as ``with style():`` around figures of this package or of one's own,
    and as a decorator ``@style()``.

    Parameters
    ----------
    kind : "print" or "slide", optional
        "print": 8 to 10 point type (captions 7.5), lines of 1.3 points. "slide": type an eighth larger and lines 1.6 times
        as thick on figures of the same size, and 6.67 by 3.75 inches (16:9) for figures of one's own; stretched to a slide
        that is 13.3 inches wide, type is 18 to 22 points. A figure of many panels may then be too narrow for its titles.
        Left out, the kind around it, "print" where there is none.

    Raises
    ------
    ValueError
        Another kind.
    """

    def __init__(self, kind: Kind | None = None) -> None:
        if kind is not None and kind not in get_args(Kind):
            raise ValueError(f"kind = {kind!r}; there are {', '.join(map(repr, get_args(Kind)))}")
        self._kind: Kind | None = kind
        self._open: list[tuple[Any, Any]] = []

    def __enter__(self) -> None:
        self._enter(_DATA)

    def __exit__(self, *error: object) -> None:
        token, context = self._open.pop()
        context.__exit__(None, None, None)
        _kind.reset(token)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def drawing(*arguments: P.args, **options: P.kwargs) -> R:
            one = style(self._kind)
            one._enter({})
            try:
                drawn = function(*arguments, **options)
                if _kind.get() == "slide" and isinstance(drawn, Figure):
                    _enlarge(drawn)
            finally:
                one.__exit__()
            return drawn

        return drawing

    def _enter(self, data: dict[Any, Any]) -> None:
        token = _kind.set(_kind.get() if self._kind is None else self._kind)
        context = mpl.rc_context(settings() | (data if _kind.get() == "slide" else {}))
        context.__enter__()
        self._open.append((token, context))


def kind() -> Kind:
    """The kind that is in force."""
    return _kind.get()


def settings() -> dict[Any, Any]:
    """The settings of matplotlib of the kind that is in force."""
    return SLIDE if _kind.get() == "slide" else PRINT


def type_size(points: float) -> float:
    """Type of so many points in print, in the kind that is in force."""
    return points * (_TYPE if _kind.get() == "slide" else 1.0)


def _enlarge(figure: Figure) -> None:
    """Thicken lines and points, and what type was given in points for print; each once."""
    parts = [part for ax in figure.axes for part in ax.get_children() if not isinstance(part, Spine)]
    legends = [part for part in (*parts, *figure.legends) if isinstance(part, Legend)]
    parts += [part for legend in legends for part in legend.findobj()]
    parts += figure.texts
    for part in parts:
        if part in _enlarged or isinstance(part, Axes) or part is getattr(part.axes, "patch", None):
            continue
        _enlarged.add(part)
        if isinstance(part, Text):
            size = float(part.get_fontsize())
            if size < _SMALLEST:
                part.set_fontsize(size * _TYPE)
        elif isinstance(part, Line2D):
            part.set(
                linewidth=part.get_linewidth() * _LINES,
                markersize=part.get_markersize() * _DOTS,
                markeredgewidth=part.get_markeredgewidth() * _LINES,
            )
        elif isinstance(part, Patch):
            part.set_linewidth(part.get_linewidth() * _LINES)
        elif isinstance(part, Collection):
            part.set_linewidth((np.asarray(part.get_linewidth()) * _LINES).tolist())
            if isinstance(part, PathCollection):
                part.set_sizes(part.get_sizes() * _DOTS**2)
