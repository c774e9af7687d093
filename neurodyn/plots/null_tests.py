"""An estimate beside its null, whatever it estimates."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurodyn.plots.base import CYCLE, GREY, figure_of, legend_under, style


@style()
def null_test(test: Any, *, label: str, ax: Axes | None = None, title: str = "Beside its null") -> Figure:
    """The distribution of a null with the estimate as a line; its p-value stands in the title.

    Parameters
    ----------
    test : neurodyn.analysis.NullTest of a number
    label : str
        What was estimated, with its unit.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    ValueError
        A test of an array.
    """
    if np.ndim(test.observed):
        raise ValueError(f"test holds estimates of shape {np.shape(test.observed)}: give the test of one number")
    figure, ax = figure_of(ax, width=4.2, height=3.0)
    ax.hist(test.null, bins=min(30, max(5, test.samples // 3)), color=GREY, label=f"null, {test.samples} surrogates")
    ax.axvline(test.observed, color=CYCLE[1], label="observed")
    ax.set(xlabel=label, ylabel="surrogates")
    ax.set_title(f"{title}: p = {test.p:.3g} ({test.alternative})")
    legend_under(ax)
    return figure
