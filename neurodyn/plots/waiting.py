"""Hazard of events while one waits, against what a factorised readout can express."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neurodyn.plots.base import CYCLE, dress, label, legend_below, new_figure, panel_letters, style
from neurodyn.plots.expectation import cue_handles, mark_cue
from neurodyn.plots.numbers import checked


@style()
def hazard(
    time_ms: Any,
    factorised: Any,
    true: Any,
    *,
    measured: Any = None,
    names: Sequence[str] = ("A", "B"),
    cue_ms: float | None = None,
    latencies_ms: Sequence[float] | None = None,
    relative: bool = True,
    units: str = "1/s",
) -> Figure:
    """True hazard of each event over time beside the factorised expectation, one panel for each event.

    Parameters
    ----------
    time_ms : array, shape (time,)
    factorised : array, shape (time, event)
        Probability times timing template: q_c y_c(t).
    true : array, shape (time, event)
        Hazard: density of the event at t, given that nothing happened before t.
    measured : array, shape (time, event), optional
        What the network puts out.
    cue_ms, latencies_ms
        As in :func:`neurodyn.plots.expectation_traces`: the latencies count from the cue.
    relative : bool
        Divide each family of curves by its own greatest value over time and events: only shapes and
        proportions are compared, since an expectation has no unit and a hazard has.
        With False, all curves are in ``units``.
    names : sequence of str
        One per event.

    Raises
    ------
    ValueError
        Shapes that don't fit, or a family of curves without a positive value while ``relative`` is set.
    """
    t = checked("time_ms", time_ms, (None,), finite=True)
    families = {"factorised expectation": factorised, "true hazard": true}
    if measured is not None:
        families["measured"] = measured
    curves = {name: checked(name, values, (len(t), len(names))) for name, values in families.items()}
    if relative:
        curves = {name: values / _top(name, values) for name, values in curves.items()}
    if latencies_ms is not None and len(latencies_ms) != len(names):
        raise ValueError(f"latencies_ms: {len(latencies_ms)} given for {len(names)} events")

    figure = new_figure(6.8, 2.8)
    panels = figure.subplots(1, len(names), sharex=True, sharey=True, squeeze=False)[0]
    looks: dict[str, tuple[Any, float]] = dict(
        zip(curves, (("-", 1.6), ((0, (3, 1.5)), 1.2), (":", 1.6)), strict=False)
    )
    for event, (ax, name) in enumerate(zip(panels, names, strict=True)):
        for family, values in curves.items():
            line, width = looks[family]
            ax.plot(t, values[:, event], color=CYCLE[event % len(CYCLE)], linestyle=line, linewidth=width)
        mark_cue(dress(ax), cue_ms, [] if latencies_ms is None else [(event, latencies_ms[event])])
        ax.set_title(f"Event {name}: expectation and hazard")
        ax.set_xlabel("time (ms)")
        ax.set_xlim(t.min(), t.max())
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low, high + 0.08 * (high - low))
    panels[0].set_ylabel("relative to own maximum" if relative else label("hazard", units))
    handles = [Line2D([], [], color="black", linestyle=looks[f][0], linewidth=looks[f][1], label=f) for f in curves]
    legend_below(figure, handles + cue_handles(cue_ms is not None, latencies_ms is not None))
    panel_letters(panels)
    return figure


def _top(name: str, values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    if len(finite) == 0 or finite.max() <= 0:
        raise ValueError(f"{name} has no positive value to scale by; pass relative=False")
    return float(finite.max())
