"""Information about a signal: counts of pairs, coherence, and what chance gives."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from neurodyn.analysis.noise.information import MutualInformation
from neurodyn.analysis.noise.information_bound import InformationRate
from neurodyn.plots.base import CYCLE, GREY, dress, label, legend_below, new_figure, panel_letters, style
from neurodyn.plots.resonance import null_panel


@style()
def mutual_information(
    result: MutualInformation, *, title: str = "Information of the response about the signal"
) -> Figure:
    """Share of responses given each signal, and the information beside its null.

    Parameters
    ----------
    result : MutualInformation
        From :func:`neurodyn.analysis.mutual_information`. Rows and columns are the values that occur, in order.
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    share = result.table / result.table.sum(axis=1, keepdims=True)
    image = left.imshow(share, cmap="viridis", vmin=0, vmax=share.max(), aspect="auto", origin="lower")
    figure.colorbar(image, ax=left, label="p(response | signal)")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.yaxis.set_major_locator(MaxNLocator(integer=True))
    left.set(xlabel="response (number of value)", ylabel="signal (number of value)")
    left.set_title(f"{result.table.sum()} samples")
    null_panel(right, result.null, xlabel="bits", title=f"{result.bits:.3g} of {result.signal_bits:.3g} bits")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, right.get_legend_handles_labels()[0])
    return figure


@style()
def information_rate(
    result: InformationRate, *, title: str = "Information rate from coherence: a lower bound"
) -> Figure:
    """Coherence of signal and response with the level of chance, and the rate beside its null.

    Parameters
    ----------
    result : InformationRate
        From :func:`neurodyn.analysis.information_rate`. Dotted: what coherence stays below with 95 % probability where there is none.
    """
    figure = new_figure(6.8, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    unit = result.conventions.time
    left.plot(result.frequencies, result.coherence, color=CYCLE[0], linewidth=1.0, label="coherence")
    chance = 1 - 0.05 ** (1 / (result.segments - 1))
    left.axhline(chance, color=GREY, linestyle=":", linewidth=1.2, label="95 % of chance")
    left.axvspan(*result.band, color=GREY, alpha=0.1, linewidth=0)
    left.set(xlabel=label("frequency", f"cycles per {unit}"), ylabel="coherence", ylim=(0, 1.02))
    left.set_xlim(0, float(np.max(result.frequencies)))
    left.set_title(f"{result.segments} segments")
    null_panel(right, result.null, xlabel=f"bits per {unit}", title=f"{result.rate:.3g} bits per {unit}")
    panel_letters((left, right))
    figure.suptitle(title)
    legend_below(figure, [h for ax in (left, right) for h in ax.get_legend_handles_labels()[0]])
    return figure
