"""What was learned against the probability of the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import (
    CYCLE,
    GREY,
    MARKERS,
    caption,
    dress,
    label,
    legend_under,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.numbers import centre_and_spread, checked, decimals, mean_correlation, seeds_of


@style()
def amplitude_against_probability(
    p: Any,
    q: Any,
    amplitude_a: Any,
    amplitude_b: Any,
    *,
    names: tuple[str, str] = ("A", "B"),
    ideal: float = 1.0,
    units: str = "1",
    reference: Mapping[str, float] | None = None,
    source: str = "",
) -> Figure:
    """Learned probability and amplitudes of the expectation against the true probability of the first event.

    Parameters
    ----------
    p : array, shape (level,)
        Probability of event A, 0 to 1.
    q : array, shape (seed, level) or (level,)
        Learned probability of A.
    amplitude_a, amplitude_b : arrays, shape (seed, level) or (level,)
        Mean expectation of each event around its latency.
    names : (str, str)
        Of the two events.
    ideal : float
        Amplitude of a perfect expectation at probability 1: the dashed lines are ``ideal * p`` and
        ``ideal * (1 - p)``. A mean over latency ± sigma of a Gaussian template of height 1 is 0.856.
    units : str
        Unit of the amplitudes; "1" for none.
    reference : mapping of event name to correlation
        Published correlations of amplitude with p, put under the figure with ``source``.

    Raises
    ------
    ValueError
        Shapes that don't fit, or p outside 0 to 1.

    Notes
    -----
    The legend gives Pearson's r with p, averaged over seeds; it is undefined for constant amplitudes.
    """
    level = checked("p", p, (None,), finite=True)
    if level.min() < 0 or level.max() > 1:
        raise ValueError(f"p runs from {level.min():g} to {level.max():g}; probabilities are 0 to 1")
    learned = seeds_of("q", q, len(level))
    both = [
        seeds_of("amplitude_a", amplitude_a, len(level)),
        seeds_of("amplitude_b", amplitude_b, len(level)),
    ]
    ends = np.array([0.0, 1.0])

    figure = new_figure(6.8, 3.3)
    left, right = figure.subplots(1, 2)
    dress(left).plot(ends, ends, "--", color=GREY, linewidth=1.0, label="identity")
    _points(left, level, learned, 2, f"q of {names[0]}")
    left.set_title("Learned probability")
    left.set_ylabel(f"learned probability q of {names[0]}")

    dress(right).plot(ends, ideal * ends, "--", color=GREY, linewidth=1.0, label="perfect expectation")
    right.plot(ends, ideal * (1 - ends), "--", color=GREY, linewidth=1.0)
    for number, (name, rows) in enumerate(zip(names, both, strict=True)):
        _points(right, level, rows, number, name)
    right.set_title("Amplitude around the latency")
    right.set_ylabel(label("amplitude of expectation", units))
    for ax in (left, right):
        ax.set_xlabel(f"probability p of {names[0]}")
        legend_under(ax)
    number = max(len(rows) for rows in (learned, *both))
    text = "Points: seeds; lines: mean" + (f" of {number} seeds" if number > 1 else " (one seed)") + "."
    caption(figure, text + _published(names, reference, source))
    panel_letters((left, right))
    return figure


def _points(ax: Axes, level: np.ndarray, rows: np.ndarray, number: int, name: str) -> None:
    r = mean_correlation(level, rows)
    text = f"{name}: r = {decimals(r)}" if np.isfinite(r) else f"{name}: r undefined (constant)"
    colour = CYCLE[number % len(CYCLE)]
    marker = MARKERS[number % len(MARKERS)]
    for row in rows:
        ax.plot(
            level,
            row,
            linestyle="none",
            marker=marker,
            markersize=3,
            color=colour,
            alpha=0.5,
            markeredgewidth=0,
        )
    ax.plot(
        level,
        centre_and_spread(rows, "sd")[0],
        color=colour,
        marker=marker,
        markersize=4,
        linewidth=1.0,
        label=text,
    )


def _published(names: Sequence[str], reference: Mapping[str, float] | None, source: str) -> str:
    if not reference:
        return ""
    unknown = sorted(set(reference) - set(names))
    if unknown:
        raise ValueError(f"reference names {unknown}; the events are {list(names)}")
    values = ", ".join(f"{name} {decimals(value)}" for name, value in reference.items())
    return f" Published r with p: {values}" + (f" ({source})." if source else ".")
