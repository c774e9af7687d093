"""The numbers that a panel shows, read from its lines, points, bars and images."""

from __future__ import annotations

import csv
import io
import re
import string
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import Collection, LineCollection, PathCollection, PolyCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle, StepPatch

COLUMNS = ("element", "label", "x", "y", "x_low", "x_high", "y_low", "y_high", "value")
_FIRST = "# data of a panel, written by neurodyn"

Row = dict[str, Any]


def lettered(figure: Figure) -> dict[str, Axes]:
    """Panels by letter: that which stands at the panel, else the next free one, in the order in which they were made."""
    found: dict[str, Axes] = {}
    rest = []
    for ax in figure.axes:
        if ax.get_label() == "<colorbar>":
            continue
        drawn = [text.get_text().lower() for text in ax.texts if text.get_fontweight() == "bold"]
        letters = [text for text in drawn if len(text) == 1 and text in string.ascii_lowercase]
        if letters and letters[0] not in found:
            found[letters[0]] = ax
        elif ax.has_data():
            rest.append(ax)
    names = (*string.ascii_lowercase, *map("".join, product(string.ascii_lowercase, repeat=2)))
    found |= zip((name for name in names if name not in found), rest, strict=False)
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def written_here(final: Path) -> list[Path]:
    """Tables that were written beside a figure of this name before."""
    found = [
        path
        for path in final.parent.glob("*.csv")
        if re.fullmatch(rf"{re.escape(final.stem)}\.[a-z]{{1,2}}\.csv", path.name)
    ]
    return [path for path in found if path.read_text(encoding="utf-8", errors="replace").startswith(_FIRST)]


def panel_csv(ax: Axes) -> str:
    """Everything that is drawn in data coordinates, as CSV under a few lines about the axes."""
    if ax.name != "rectilinear":
        raise ValueError(
            f"data of {ax.name!r} axes has no place in a table of x and y; save the figure with data=False"
        )
    text = io.StringIO()
    text.write(f"{_FIRST}\n")
    for name, words in (
        ("title", ax.get_title(loc="left") or ax.get_title()),
        ("x", ax.get_xlabel()),
        ("y", ax.get_ylabel()),
    ):
        text.write(f"# {name}: {_line(words)}\n")
    for name, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        labels = [(tick.get_position()["xy".index(name)], _line(tick.get_text())) for tick in axis.get_ticklabels()]
        if any(label and not _number(label) for _, label in labels):
            text.writelines(f"# {name} = {_exact(place)}: {label}\n" for place, label in labels if label)
    rows, others = _rows(ax)
    if others:
        text.write(f"# not here, because they are not in data coordinates: {', '.join(others)}\n")
    writer = csv.writer(text, lineterminator="\n")
    used = [column for column in COLUMNS if column in COLUMNS[:4] or any(column in row for row in rows)]
    writer.writerow(used)
    writer.writerows([[_exact(row.get(column, "")) for column in used] for row in rows])
    return text.getvalue()


def _rows(ax: Axes) -> tuple[list[Row], list[str]]:
    """Rows of all elements, each with its kind, number and label; and what has no place among them."""
    counts: dict[str, int] = {}
    taken: set[Any] = set()
    found: list[Row] = []
    others: list[str] = []
    for part in (*ax.containers, *ax.lines, *ax.collections, *ax.images, *ax.patches):
        if part in taken or not getattr(part, "get_visible", lambda: True)():
            continue
        if isinstance(part, ErrorbarContainer):
            taken |= {part.lines[0], *part.lines[1], *part.lines[2]}
        elif isinstance(part, BarContainer):
            taken |= {*part.patches}
        kind, rows = _element(ax, part)
        rows = list(rows)
        if not kind:
            others.append(type(part).__name__)
        if not kind or not rows:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        label = str(part.get_label() or "")
        about = {"element": f"{kind} {counts[kind]}", "label": "" if label.startswith("_") else _line(label)}
        found += [{**about, **row} for row in rows]
    return found, others


def _element(ax: Axes, part: Any) -> tuple[str, Iterator[Row] | list[Row]]:
    if isinstance(part, ErrorbarContainer):
        return "error bars", _errorbars(part)
    if isinstance(part, BarContainer):
        return "bars", [_rectangle(bar, part.orientation) for bar in part.patches if isinstance(bar, Rectangle)]
    if isinstance(part, Line2D):
        return _line2d(ax, part)
    if isinstance(part, Collection) and part.get_offset_transform() != ax.transData != part.get_transform():
        return "", []
    if isinstance(part, PathCollection):
        return "points", _points(part)
    if isinstance(part, QuadMesh):
        return "image", _mesh(part)
    if isinstance(part, LineCollection):
        return "segments", _paths(part)
    if isinstance(part, PolyCollection):
        return "band", _bands(part)
    if isinstance(part, Collection):
        return "shapes", _paths(part)
    if isinstance(part, AxesImage):
        return "image", _image(part)
    if isinstance(part, Patch):
        return _patch(ax, part)
    return "", []


def _line2d(ax: Axes, line: Line2D) -> tuple[str, list[Row]]:
    x, y = (np.asarray(values, dtype=np.float64) for values in line.get_data(orig=False))
    where = line.get_transform()
    if where == ax.get_yaxis_transform(which="grid"):
        return "horizontal line", [{"y": value} for value in dict.fromkeys(y.tolist())]
    if where == ax.get_xaxis_transform(which="grid"):
        return "vertical line", [{"x": value} for value in dict.fromkeys(x.tolist())]
    if where != ax.transData:
        return "", []
    kind = "points" if line.get_linestyle() in ("None", "none", "", " ") else "line"
    return kind, [{"x": a, "y": b} for a, b in zip(x, y, strict=True)]


def _errorbars(part: ErrorbarContainer) -> Iterator[Row]:
    """Points with the ends of their bars."""
    line, _, bars = part.lines
    segments = [bar.get_segments() for bar in bars]
    names = [axis for axis, there in (("x", part.has_xerr), ("y", part.has_yerr)) if there]
    xy = None if line is None else np.column_stack(line.get_data(orig=False)).astype(np.float64)
    for k in range(max(map(len, segments), default=0)):
        row: Row = {} if xy is None else {"x": xy[k, 0], "y": xy[k, 1]}
        for axis, ends in zip(names, segments, strict=True):
            place = "xy".index(axis)
            low, high = ends[k][0], ends[k][-1]
            row |= {f"{axis}_low": low[place], f"{axis}_high": high[place]}
            other = "yx"[place]
            row.setdefault(other, low[1 - place])
        yield row


def _points(part: PathCollection) -> Iterator[Row]:
    values = part.get_array()
    for k, (x, y) in enumerate(np.ma.filled(part.get_offsets(), np.nan)):
        yield {"x": x, "y": y} | ({} if values is None else {"value": values[k]})


def _rectangle(bar: Rectangle, orientation: str | None) -> Row:
    x, y, width, height = bar.get_x(), bar.get_y(), bar.get_width(), bar.get_height()
    edges = {"x_low": x, "x_high": x + width, "y_low": y, "y_high": y + height}
    if orientation == "horizontal":
        return {"x": x + width, "y": y + height / 2, **edges}
    return {"x": x + width / 2, "y": y + height, **edges}


def _patch(ax: Axes, part: Patch) -> tuple[str, list[Row]]:
    if isinstance(part, StepPatch):
        values, edges, _ = part.get_data()
        return "steps", [
            {"x": (a + b) / 2, "y": value, "x_low": a, "x_high": b}
            for value, a, b in zip(values, edges, edges[1:], strict=False)
        ]
    if isinstance(part, Rectangle):
        row = _rectangle(part, "vertical")
        outer = Artist.get_transform(part)  # without that of the rectangle itself
        if outer == ax.get_xaxis_transform(which="grid"):
            return "span", [{"x_low": row["x_low"], "x_high": row["x_high"]}]
        if outer == ax.get_yaxis_transform(which="grid"):
            return "span", [{"y_low": row["y_low"], "y_high": row["y_high"]}]
        return ("bars", [row]) if outer == ax.transData else ("", [])
    if Artist.get_transform(part) != ax.transData:
        return "", []
    corners = part.get_patch_transform().transform(part.get_path().vertices)
    return "shape", [{"x": x, "y": y} for x, y in corners]


def _paths(part: Collection) -> Iterator[Row]:
    """Corners of each path; `value` numbers the paths where there are several."""
    paths = part.get_paths()
    for number, path in enumerate(paths):
        for x, y in np.asarray(path.vertices):
            yield {"x": x, "y": y} | ({"value": number} if len(paths) > 1 else {})


def _bands(part: PolyCollection) -> Iterator[Row]:
    """Edges of a band between two lines; corners of any other polygon."""
    for path in part.get_paths():
        corners = np.asarray(path.vertices)
        count = (len(corners) - 3) // 2
        lower, upper = corners[1 : count + 1], corners[count + 2 : 2 * count + 2][::-1]
        if len(corners) % 2 and count and np.array_equal(lower[:, 0], upper[:, 0], equal_nan=True):
            yield from ({"x": a[0], "y_low": a[1], "y_high": b[1]} for a, b in zip(lower, upper, strict=True))
        elif len(corners) % 2 and count and np.array_equal(lower[:, 1], upper[:, 1], equal_nan=True):
            yield from ({"y": a[1], "x_low": a[0], "x_high": b[0]} for a, b in zip(lower, upper, strict=True))
        else:
            yield from ({"x": x, "y": y} for x, y in corners)


def _image(part: AxesImage) -> Iterator[Row]:
    values = np.ma.filled(np.ma.asarray(part.get_array(), dtype=np.float64), np.nan)
    left, right, bottom, top = part.get_extent()
    if part.origin == "upper":
        bottom, top = top, bottom
    rows, columns = values.shape[:2]
    across = left + (np.arange(columns) + 0.5) * (right - left) / columns
    along = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
    return _cells(across, along, values)


def _mesh(part: QuadMesh) -> Iterator[Row]:
    corners = np.asarray(part.get_coordinates())
    values = np.ma.filled(np.ma.asarray(part.get_array(), dtype=np.float64), np.nan)
    rows, columns = corners.shape[0] - 1, corners.shape[1] - 1
    centres = (corners[:-1, :-1] + corners[1:, 1:]) / 2
    return _cells(centres[0, :, 0], centres[:, 0, 1], values.reshape(rows, columns))


def _cells(x: np.ndarray, y: np.ndarray, values: np.ndarray) -> Iterator[Row]:
    for row, b in zip(values, y, strict=True):
        for value, a in zip(row, x, strict=True):
            yield {"x": a, "y": b, "value": value if np.ndim(value) == 0 else " ".join(map(_exact, value))}


def _exact(value: Any) -> str:
    """The shortest text that gives the same number."""
    return value if isinstance(value, str) else repr(float(value))


def _number(text: str) -> bool:
    try:
        float(text.replace("\N{MINUS SIGN}", "-").strip("$").removeprefix("\\mathdefault{").rstrip("}"))
    except ValueError:
        return "^" in text
    return True


def _line(text: str) -> str:
    return " ".join(text.split())
