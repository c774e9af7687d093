"""A signal that was taught: target, output, error and activity before, during and after learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, dress, label, legend_below, new_figure, panel_letters, style
from neurodyn.plots.lines import MAX_POINTS
from neurodyn.plots.numbers import checked, thinned

#: colour of the stretch of time in which learning is on
SHADE = "#E8E4D8"


@style()
def taught_signal(
    time: Any,
    output: Any,
    target: Any,
    *,
    learning: tuple[float, float],
    rate: Any = None,
    shown: Sequence[tuple[float, float]] = (),
    window: float = 0.1,
    units: str = "1",
    title: str = "Taught signal",
) -> Figure:
    """Output and target in some stretches of time, and over all of it the error and the population rate; learning is shaded.

    Parameters
    ----------
    time : array, shape (time,)
        In s, evenly spaced.
    output, target : arrays, shape (time,)
    learning : (float, float)
        When learning was on, in s.
    rate : array, shape (time,), optional
        Population rate in Hz.
    shown : sequence of (float, float)
        Stretches of time in s, a panel each; the second before and after the begin and the end of learning, and the last
        second, if not given.
    window : float
        Length in s of the bins of error (root mean square) and rate.
    units : str
        Of output and target; "1" for dimensionless.

    Raises
    ------
    ValueError
        Shapes that don't fit, or an empty stretch.
    """
    t = checked("time", time, (None,), finite=True)
    y, f = (checked(name, x, (len(t),)) for name, x in (("output", output), ("target", target)))
    on, off = (float(x) for x in learning)
    stretches = list(shown) or [(on - 1, on + 1), (off - 1, off + 1), (float(t[-1]) - 1, float(t[-1]))]
    rows = 2 if rate is None else 3
    figure = new_figure(7.2, 1.5 * rows + 0.9)
    grid = figure.add_gridspec(rows, len(stretches), height_ratios=[1.5, 1, 1][:rows])
    first: Axes | None = None
    for k, (start, stop) in enumerate(stretches):
        mask = (t >= start) & (t <= stop)
        if not mask.any():
            raise ValueError(f"shown: no sample between {start} and {stop} s; time goes from {t[0]:g} to {t[-1]:g} s")
        panel = dress(figure.add_subplot(grid[0, k], sharey=first))
        panel.plot(*thinned(t[mask], y[mask], MAX_POINTS), color=CYCLE[0], label="output")
        panel.plot(*thinned(t[mask], f[mask], MAX_POINTS), "--", color="black", linewidth=1.0, label="target")
        _shade(panel, on, off, (start, stop))
        if first is None:
            first = panel
            panel.set_ylabel(label("signal", units))
            panel.set_title(title)
        else:
            panel.tick_params(labelleft=False)
        panel.set_xlabel("time (s)")
    assert first is not None
    bins = max(1, round(window / float(t[1] - t[0])))
    panels = [first]
    for row, (values, text) in enumerate(
        [((y - f) ** 2, label("RMS error", units)), *([] if rate is None else [(rate, "rate (Hz)")])], start=1
    ):
        panel = dress(figure.add_subplot(grid[row, :], sharex=panels[-1] if row > 1 else None))
        binned = _binned(checked("rate", values, (len(t),)), bins)
        panel.plot(
            _binned(t, bins),
            np.sqrt(binned) if row == 1 else binned,
            color=CYCLE[1] if row == 1 else GREY,
            linewidth=1.0,
        )
        panel.set_ylabel(text)
        panel.set_ylim(bottom=0)
        _shade(panel, on, off, (float(t[0]), float(t[-1])))
        panels.append(panel)
    panels[1].set_title(f"Difference of output and target, in bins of {window * 1e3:g} ms")
    if rate is not None:
        panels[2].set_title(f"Population rate, in bins of {window * 1e3:g} ms")
    panels[-1].set_xlabel("time (s)")
    panel_letters(panels)
    patch = panels[1].axvspan(on, off, color=SHADE, zorder=-2, label="learning on")
    legend_below(figure, [*first.lines, patch])
    return figure


def _shade(ax: Axes, on: float, off: float, limits: tuple[float, float]) -> None:
    low, high = max(on, limits[0]), min(off, limits[1])
    if low < high:
        ax.axvspan(low, high, color=SHADE, zorder=-2)
    ax.set_xlim(*limits)


def _binned(values: np.ndarray, size: int) -> np.ndarray:
    cut = len(values) // size * size
    return values[:cut].reshape(-1, size).mean(axis=1)
