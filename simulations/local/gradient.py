"""How far e-prop's gradient of recurrent weights is from backpropagation through time, by the strength of recurrence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import neurodyn as nd
from local.bptt import recurrent_gradient
from local.network import dense, network, session, task
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style
from neurodyn.plots.lines import draw_band

#: recurrent weights in units of those of the published network, 1/sqrt(cells)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
STEPS = 1000

COSINES = {
    "symmetric": "B = output weights, resets left out of BPTT",
    "symmetric, reset": "B = output weights",
    "random, reset": "B random",
}


@dataclass(frozen=True)
class Comparison:
    """One network: cosines by name, errors relative to the largest entry, lengths of BPTT over e-prop, rate in Hz."""

    cosines: dict[str, float]
    own_error: float
    full_error: float
    potential_error: float
    length: float
    length_reset: float
    rate: float


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of the angle between two arrays as vectors; NaN if one of them is 0."""
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float((a * b).sum() / lengths) if lengths else float("nan")


def compare(seed: int, strength: float, *, cells: int, steps: int, backend: str) -> Comparison:
    """Compare the gradients of one network in its first trial, with random output weights."""
    pattern, target = task(cells, steps, seed=seed)
    draws = np.random.default_rng([seed, 1]).normal(size=(2, cells)) / np.sqrt(cells)
    w_out, other = draws
    net = network(cells, seed=seed, strength=strength, recurrent=[nd.eprop(regularization=0.0)])
    net = nd.EpropReadout().attach(net)
    nets = [net.with_values({"output.w": w_out, "output_error.weights": b}) for b in draws]
    runs = nd.simulate(nets, session(pattern, target), record=["cells.v", "cells.spiked"], backend=backend)
    symmetric, random = (dense(run.network().values, "w_rec", "eprop.gradient", cells) for run in runs)
    values = runs[0].network().values
    v, spikes = (np.asarray(runs[0][name], dtype=float) for name in ("cells.v", "cells.spiked"))
    w_in, w_rec = (dense(values, name, f"{name}.weights", cells) for name in ("w_in", "w_rec"))
    backwards = partial(recurrent_gradient, w_in, w_rec, w_out, pattern, spikes, target)
    full, potentials = backwards()
    through_reset, _ = backwards(reset=True)
    own = [backwards(signals=b, paths="own")[0] for b in (w_out, other)]
    return Comparison(
        cosines={
            "symmetric": cosine(symmetric, full),
            "symmetric, reset": cosine(symmetric, through_reset),
            "random, reset": cosine(random, through_reset),
        },
        own_error=max(relative(a, b) for a, b in zip((symmetric, random), own, strict=True)),
        full_error=relative(symmetric, full),
        potential_error=float(np.abs(v - potentials).max()),
        length=float(np.linalg.norm(full) / np.linalg.norm(symmetric)),
        length_reset=float(np.linalg.norm(through_reset) / np.linalg.norm(symmetric)),
        rate=float(spikes.mean() * 1e3),
    )


def by_strength(name: str, values: np.ndarray) -> dict[str, list[float]]:
    """Return mean, SD and range over networks for each strength; values (network, strength)."""
    many = values.shape[0] > 1
    rows = {
        "mean": values.mean(axis=0),
        "SD": values.std(axis=0, ddof=1) if many else np.zeros(values.shape[1]),
        "lowest": values.min(axis=0),
        "highest": values.max(axis=0),
    }
    return {f"{name}, {key}": row.round(3).tolist() for key, row in rows.items()}


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Greatest difference over the greatest magnitude of the second."""
    return float(np.abs(a - b).max() / np.abs(b).max())


def gradient(
    *, seeds: range, cells: int | None, trials: int | None, backend: str, out: Path | None, steps: int = STEPS
) -> nd.Outcome:
    """Compare gradients for every seed and strength; ``trials`` has no part, a gradient is that of one trial."""
    found = [[compare(s, g, cells=cells or 100, steps=steps, backend=backend) for g in STRENGTHS] for s in seeds]
    cosines = {name: np.array([[c.cosines[name] for c in row] for row in found]) for name in COSINES}
    keys = ("length", "length_reset", "rate")
    lengths, lengths_reset, rates = (np.array([[getattr(c, key) for c in row] for row in found]) for key in keys)
    at = {g: k for k, g in enumerate(STRENGTHS)}
    everything = [c for row in found for c in row]
    results: dict[str, Any] = {"recurrent strength": list(STRENGTHS)}
    for name, values in cosines.items():
        results |= by_strength(f"cosine, {name}", values)
    results |= by_strength("rate (Hz)", rates)
    for name, values in (("BPTT", lengths), ("BPTT through the reset", lengths_reset)):
        results[f"length of {name} over e-prop, median"] = [float(f"{x:.3g}") for x in np.median(values, axis=0)]
    results["greatest difference of potentials"] = max(c.potential_error for c in everything)
    source = "Bellec et al. 2020, eq. 1 and 3"
    checks = [
        nd.check("without recurrence: relative error, symmetric", max(row[0].full_error for row in found), "<= 1e-10", reference=0, source=source),
        nd.check("without recurrence: 1 - cosine, symmetric", float(1 - cosines["symmetric"][:, 0].min()), "<= 1e-10", reference=0, source=source),
        nd.check("any strength: relative error without paths through other cells", max(c.own_error for c in everything), "<= 1e-10", reference=0, source=source),
        nd.check("strength 0.25: mean cosine, symmetric", float(cosines["symmetric"][:, at[0.25]].mean()), ">= 0.7", source="set on seeds 1 to 3"),
        nd.check("strength 1: mean cosine with BPTT through the reset, symmetric", float(cosines["symmetric, reset"][:, at[1.0]].mean()), ">= 0.7", source="set on seeds 1 to 3"),
    ]  # fmt: skip
    return nd.Outcome(
        results=results,
        checks=checks,
        data={f"cosine, {name}": values for name, values in cosines.items()}
        | {"length": lengths, "length through the reset": lengths_reset, "rate": rates},
        figures={"gradient": figure(cosines, lengths, lengths_reset, rates)},
    )


@style()
def figure(cosines: dict[str, np.ndarray], lengths: np.ndarray, lengths_reset: np.ndarray, rates: np.ndarray) -> Figure:
    """Cosines, ratios of lengths and rates against the strength of recurrence; arrays (seed, strength)."""
    drawn = new_figure(7.2, 3.7)
    panels = [dress(ax) for ax in drawn.subplots(1, 3, width_ratios=[1.5, 1, 1])]
    colours = dict(zip(cosines, (CYCLE[1], CYCLE[0], CYCLE[2]), strict=True))
    for name, values in cosines.items():
        draw_band(panels[0], np.array(STRENGTHS), values, colours[name], COSINES[name], spread="range", seeds=False)
    panels[0].axhline(0, color=GREY, linewidth=0.8)
    panels[0].set_ylabel("cosine with e-prop's gradient")
    panels[0].set_ylim(-0.4, 1.05)
    panels[0].set_title(f"BPTT and e-prop ({len(rates)} networks)")
    for values, colour, ax in (
        (lengths, colours["symmetric"], panels[1]),
        (lengths_reset, colours["symmetric, reset"], panels[1]),
        (rates, GREY, panels[2]),
    ):
        ax.plot(STRENGTHS, values.T, color=colour, linewidth=0.6, alpha=0.6)
        ax.plot(STRENGTHS, np.median(values, axis=0), color=colour, marker="o", markersize=3)
    panels[1].set_yscale("log")
    panels[2].set_ylim(bottom=0)
    panels[1].set_ylabel("length of BPTT over e-prop")
    panels[1].set_title("Length of gradients")
    panels[2].set_ylabel("mean rate (Hz)")
    panels[2].set_title("Activity")
    for ax in panels:
        ax.axvline(1, color=GREY, linestyle=":", linewidth=1.0)
        ax.set_xlabel("recurrent strength")
    panels[0].set_xlabel("recurrent strength (dotted: published)")
    handles = panels[0].get_legend_handles_labels()[0]
    for handle, text in zip(handles, COSINES.values(), strict=True):
        handle.set_label(text)  # the whole text, where draw_band breaks lines
    legend_below(drawn, list(handles))
    panel_letters(panels)
    return drawn
