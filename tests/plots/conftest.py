"""What every figure has to pass: it draws, says what it shows, and neither cuts nor covers anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from weakref import WeakSet

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

Texts = Callable[[Figure], list[str]]
_DRAWN: WeakSet[Figure] = WeakSet()


def _draw(figure: Figure) -> None:
    """Lay out and draw, once for all questions of a test."""
    if figure not in _DRAWN:
        figure.canvas.draw()
        _DRAWN.add(figure)


def _shown(figure: Figure) -> list[Text]:
    found = [text for text in figure.findobj(Text) if isinstance(text, Text)]
    return [t for t in found if t.get_visible() and t.get_text().strip() and _parents_visible(figure, t)]


def _parents_visible(figure: Figure, text: Text) -> bool:
    """Tick labels outside the limits of their axis exist but are not drawn."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            ticks = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
            if text in ticks:
                low, high = sorted(axis.get_view_interval())
                place = text.get_position()[0 if axis is ax.xaxis else 1]
                return low <= place <= high
    return True


@pytest.fixture
def texts() -> Texts:
    """All texts of a figure that a reader sees."""

    def read(figure: Figure) -> list[str]:
        _draw(figure)
        return [text.get_text() for text in _shown(figure)]

    return read


@pytest.fixture
def sound() -> Callable[[Figure], None]:
    """Draw the figure and check labels, titles, and that nothing is clipped or covered."""

    def check(figure: Figure) -> None:
        _draw(figure)
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        page = figure.bbox
        for text in _shown(figure):
            box = text.get_window_extent(renderer)
            across = page.x0 - 1 < box.x0 and box.x1 < page.x1 + 1
            along = page.y0 - 1 < box.y0 and box.y1 < page.y1 + 1
            assert across and along, f"{text.get_text()!r} leaves the page: {box}"
        titles = [ax.get_title(loc="left") for ax in figure.axes]
        assert any(titles), "no panel has a title"
        for ax in figure.axes:
            shared = not any(tick.get_visible() and tick.get_text() for tick in ax.get_yticklabels())
            assert ax.get_ylabel() or shared, "an axis without a label"
        words = [tick.get_text() for ax in figure.axes for tick in ax.get_xticklabels()]
        named = any(letter.isalpha() for word in words for letter in word)
        assert named or any(ax.get_xlabel() for ax in figure.axes)
        for legend in _legends(figure):
            box = legend.get_window_extent(renderer)
            for ax in figure.axes:
                cover = box.overlaps(ax.get_window_extent(renderer).shrunk(0.999, 0.999))
                assert not cover, "a legend covers data"
        labels = [text for ax in figure.axes for text in (ax.xaxis.label, ax.yaxis.label) if text.get_text()]
        boxes = [text.get_window_extent(renderer) for text in labels] + [
            legend.get_window_extent(renderer).padded(-2) for legend in _legends(figure)
        ]
        for k, one in enumerate(boxes):
            assert not any(one.overlaps(other) for other in boxes[k + 1 :]), "labels or legends overlap"

    return check


@pytest.fixture
def xy() -> Callable[[Line2D], tuple[np.ndarray, np.ndarray]]:
    """Coordinates of a line."""
    return lambda line: (np.asarray(line.get_xdata(orig=True)), np.asarray(line.get_ydata(orig=True)))


def _legends(figure: Figure) -> list[Artist]:
    return [*figure.legends, *(legend for ax in figure.axes if (legend := ax.get_legend()) is not None)]


@pytest.fixture(autouse=True)
def settings_stay() -> Iterator[None]:
    """No figure may change a global setting of matplotlib, or open one of pyplot's figures."""
    before = dict(mpl.rcParams)
    yield
    assert dict(mpl.rcParams) == before
