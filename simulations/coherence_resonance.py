"""Coherence resonance: noise alone makes an excitable cell fire most regularly at a level between; and self-induced resonance.

FitzHugh-Nagumo cells with noise in the slow variable (Pikovsky & Kurths 1997) and in the fast one (DeVille, Vanden-Eijnden &
Muratov 2005). Run it by ``neurodyn run simulations/coherence_resonance.py --quick``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from resonance.cells import FAST, SHEET, SLOW, Measured, Size, coherence, self_induced
from resonance.checks import Checks

import neurodyn as nd
from neurodyn import analysis, plots


@nd.simulation
def coherence_resonance(
    *,
    quick: bool = False,
    seeds: int = 5,
    seed: int = 101,
    paths: int = 0,
    time: float = 300.0,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Measure how regular noise-driven cells fire at many levels of noise, beside another program and hazard theory.

    Parameters
    ----------
    quick : bool
        Batches of 10 cells instead of 40.
    seeds, seed : int
        Independent batches of cells, at least 4, and the seed of the first.
    paths : int
        Cells of a batch at each level; 0 means 40, and 10 if quick.
    time : float
        Length of a run in units of time, at least 200.
    backend : str
        Runner.
    """
    if seeds < 4 or time < 200:
        raise ValueError(f"seeds = {seeds}, time = {time}: give at least 4 seeds and 200 units of time")
    found = Checks(SHEET)
    size = Size(range(seed, seed + seeds), paths or (10 if quick else 40), time, backend)
    curve, slow = coherence(found, size)
    fast = self_induced(found, size)
    figures = {
        "cv": plots.resonance_curve(
            {"noise in the slow variable": curve},
            ylabel="CV of intervals",
            title="Coherence resonance of FitzHugh-Nagumo cells",
        ),
        "measures": _measures(slow),
        "trains": _trains(slow),
        "self_induced": _self_induced(fast),
    }
    data = {"noise": np.array(SLOW), "cv": slow.cv, "mean": slow.mean, "correlation time": slow.correlation_time}
    data |= {f"self-induced {e:g} {name}": values for e, (_, cells, _) in fast.items() for name, values in (("cv", cells.cv), ("mean", cells.mean))}  # fmt: skip
    return nd.Outcome(found.results, found.checks, data, figures)


@plots.style()
def _measures(cells: Measured):
    """Interval, regularity and correlation time against the noise."""
    figure = plots.base.new_figure(7.2, 3.0)
    panels = figure.subplots(1, 3)
    for panel, (title, ylabel, values) in zip(
        panels,
        (
            ("Mean interval", "interval (units of time)", cells.mean),
            ("Correlation time of x", "∫ C² dt (units of time)", cells.correlation_time),
            ("Péclet number", "2 / CV²", cells.peclet),
        ),
        strict=True,
    ):
        plots.line_with_band(
            np.array(SLOW), {"": values.T}, xlabel="noise s (sigma)", ylabel=ylabel, title=title, seeds=True, ax=panel
        )
        panel.set_xscale("log")
        panel.set_xticks([0.02, 0.05, 0.1, 0.2, 0.5], minor=False)
        panel.minorticks_off()
        panel.xaxis.set_major_formatter("{x:g}")
        if panel.get_legend() is not None:
            panel.get_legend().remove()
    plots.base.panel_letters(panels)
    figure.suptitle("Coherence resonance of FitzHugh-Nagumo cells: lines are means over batches, bands their spread")
    return figure


@plots.style()
def _trains(cells: Measured):
    """Spikes of some cells at little, medium and much noise."""
    figure = plots.base.new_figure(7.2, 3.4)
    panels = figure.subplots(3, 1, sharex=True)
    for panel, level in zip(panels, (0, SLOW.index(0.07), len(SLOW) - 1), strict=True):
        trains = [train[(train >= 100) & (train < 160)] - 100 for train in cells.trains[level][:10]]
        plots.base.dress(panel).eventplot(trains, linewidths=0.9, linelengths=0.8, colors="black")
        panel.set(ylabel="cell", yticks=[])
        panel.set_title(f"noise s = {SLOW[level]:g}, CV {cells.cv[level].mean():.2f}")
    panels[-1].set_xlabel("time (units of time)")
    figure.suptitle("Spikes of ten cells at little, medium and much noise")
    return figure


@plots.style()
def _self_induced(fast: dict[float, tuple[analysis.ResonanceCurve, Measured, analysis.SelfInducedResonance]]):
    """Period and CV against the noise in the fast variable, with the theory."""
    figure = plots.base.new_figure(6.8, 3.2)
    panels = figure.subplots(1, 2)
    for k, (epsilon, (_, cells, theory)) in enumerate(fast.items()):
        for panel, values, line in ((panels[0], cells.mean, theory.mean), (panels[1], cells.cv, theory.cv)):
            plots.base.dress(panel)
            colour = plots.base.CYCLE[k]
            panel.plot(np.repeat(FAST, values.shape[1]), values.ravel(), "o", color=colour, markersize=2.5, alpha=0.5)
            panel.plot(FAST, values.mean(axis=1), color=colour, label=f"simulated, ε = {epsilon:g}")
            panel.plot(FAST, line, "--", color=colour, label=f"hazard theory, ε = {epsilon:g}")
            panel.set_xlabel("noise s in the fast variable (sigma)")
    panels[0].set(ylabel="mean interval (units of time)")
    panels[0].set_title("The noise sets the period")
    panels[1].set(ylabel="CV of intervals")
    panels[1].set_title("Regularity")
    plots.base.panel_letters(panels)
    plots.base.legend_below(figure, panels[0].get_legend_handles_labels()[0])
    figure.suptitle("Self-induced stochastic resonance")
    return figure


if __name__ == "__main__":
    coherence_resonance.main()
