"""Timescales of single units: their autocorrelations, and the spread of what is fitted to them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, dress, legend_under, new_figure, panel_letters, style


@style()
def unit_timescales(found: Any, null: Any, *, dt: float = 1.0, time_units: str = "steps") -> Figure:
    """Autocorrelations over units, their timescales, and the median beside that of AR(1) units.

    Parameters
    ----------
    found : neurodyn.analysis.NetworkTimescales
    null : neurodyn.analysis.TimescalesNull
        Of the same units, from :func:`neurodyn.analysis.ar1_null`.
    dt : float
        The step in `time_units`.
    time_units : str
    """
    figure = new_figure(8.2, 3.0)
    curves, spread, beside = axes = [dress(ax) for ax in figure.subplots(1, 3)]
    lag = np.arange(len(found.autocorrelation)) * dt
    varies = np.isfinite(found.tau)
    low, middle, high = np.percentile(found.autocorrelation[:, varies], [5, 50, 95], axis=1)
    curves.fill_between(lag, low, high, color=CYCLE[0], alpha=0.25, linewidth=0, label="5 to 95 % of units")
    curves.plot(lag, middle, color=CYCLE[0], label="median unit")
    curves.axvline(found.fit_lags * dt, color=GREY, linestyle=":", label="fitted up to here")
    curves.axhline(0, color=GREY, linewidth=0.6)
    curves.set(xlabel=f"lag ({time_units})", ylabel="autocorrelation")
    curves.set_title(f"{int(varies.sum())} units")
    legend_under(curves)
    tau = found.tau[varies]
    for k, (name, mine) in enumerate((("one exponential", ~found.is_double), ("two", found.is_double))):
        values = tau[mine[varies]] * dt
        if len(values):
            spread.hist(values, bins=np.linspace(0, found.longest * dt, 41), color=CYCLE[k], alpha=0.7, label=name)
    spread.set(xlabel=f"timescale ({time_units})", ylabel="units")
    spread.set_title("Chosen by AIC" if found.rule == "aic" else "Chosen by calibration")
    legend_under(spread)
    values = null.null["median"]
    values = values[np.isfinite(values)] * dt
    beside.hist(values, bins=15, color=GREY, label="AR(1) units")
    beside.axvline(null.observed["median"] * dt, color=CYCLE[1], label="observed")
    beside.set(xlabel=f"median timescale ({time_units})", ylabel="surrogates")
    beside.set_title("Beside one exponential each")
    legend_under(beside)
    panel_letters(axes)
    figure.suptitle("Timescales of single units")
    return figure
