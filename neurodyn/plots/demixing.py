"""Demixed principal components: what they tell apart, how pure they are, and whether it holds for trials left out."""

from __future__ import annotations

from itertools import product

import numpy as np
from matplotlib.figure import Figure

from neurodyn.analysis.population.demixing import DemixedPCA
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style

_DASHES = ("-", "--", ":", "-.")


@style()
def demixed_pca(
    found: DemixedPCA, *, time: np.ndarray | None = None, title: str = "Demixed principal components"
) -> Figure:
    """The first component of each part over time, a line for each condition; its variance; and decoding beside its null.

    Parameters
    ----------
    found : DemixedPCA
        From :func:`neurodyn.analysis.demixed_pca`.
    time : array, shape (time), optional
        In ms; samples are counted without it.

    Raises
    ------
    ValueError
        For a time of another length.
    """
    parts = list(found.decoders)
    sizes = next(iter(found.projections.values())).shape[:-1]
    at = np.arange(sizes[-1]) if time is None else np.asarray(time, dtype=float)
    if at.shape != (sizes[-1],):
        raise ValueError(f"time has shape {at.shape}: the components have {sizes[-1]} times")
    label = "sample" if time is None else "time (ms)"
    rows = 3 if found.decoding else 2
    figure = new_figure(1.0 + 3.0 * len(parts), 0.7 + 2.1 * rows)
    grid = figure.subplots(rows, len(parts), squeeze=False)
    handles: dict[str, object] = {}
    colours = dict(zip(parts, CYCLE, strict=False))
    for column, part in enumerate(parts):
        top, middle = (dress(ax) for ax in grid[:2, column])
        for k, condition in enumerate(product(*(range(n) for n in sizes[:-1]))):
            line = found.projections[part][condition][:, 0]
            top.plot(
                at, line, color=CYCLE[condition[0] % len(CYCLE)], linestyle=_DASHES[sum(condition[1:]) % len(_DASHES)]
            )
            if k == 0:
                top.axhline(0, color=GREY, linewidth=0.5)
        top.set_title(f"{part}: {found.part_variance[part]:.0%} of the variance")
        top.set(xlabel=label, ylabel="first component\n(unit of activity)")
        base = np.zeros(len(found.explained[part]))
        place = np.arange(1, len(base) + 1)
        for other in parts:
            height = 100 * found.explained[part] * found.composition[part][other]
            bars = middle.bar(place, height, bottom=base, color=colours[other], width=0.7, label=f"from part {other}")
            handles[f"from part {other}"] = bars
            base = base + height
        middle.set(xlabel="component", ylabel="variance explained (%)", xticks=place)
        middle.set_title(f"Components of {part}")
        if part in found.decoding:
            bottom = dress(grid[2, column])
            test = found.decoding[part]
            low, high = test.low[0], test.high[0]
            handles["null, 5 to 95 %"] = bottom.fill_between(
                at, low, high, color=GREY, alpha=0.35, linewidth=0, label="null, 5 to 95 %"
            )
            (line,) = bottom.plot(at, test.observed[0], color="black", linewidth=1.2, label="decoding, trials left out")
            handles["decoding, trials left out"] = line
            bottom.set(xlabel=label, ylabel="conditions right (share)", ylim=(-0.03, 1.03))
            bottom.set_title(f"Decoding {part}")
        elif found.decoding:
            grid[2, column].remove()
    panel_letters(figure.axes)
    conditions = f"colours: {found.labels[0]}" + (
        f", dashes: {', '.join(found.labels[1:-1])}" if len(found.labels) > 2 else ""
    )
    figure.suptitle(f"{title} ({conditions} in the top row)")
    legend_below(figure, list(handles.values()))
    return figure
