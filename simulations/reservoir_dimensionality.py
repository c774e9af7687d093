"""How many dimensions the activity of the what/when reservoir fills, what they hold, and whether they rotate.

Run by ``neurodyn run simulations/reservoir_dimensionality.py``. Nothing is learned: it is the reservoir as it was drawn, driven
by a cue and one of four events. ``--out`` keeps the numbers with the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from common.criteria import Criteria
from matplotlib.figure import Figure

import neurodyn as nd
from neurodyn import analysis
from neurodyn.plots import dimension_course
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style

LATENCIES = ("100 ms", "200 ms", "300 ms", "400 ms")
TAU_MS = 30.0  # of the filter that makes rates of spikes
SAMPLE_MS = 20.0
#: rows of single trials that the participation ratio takes: one for each filter time and a bit
THIN = 3
WINDOW_MS = 60.0
#: units of the factor analysis, whose time grows with their cube
FACTORED = 50
#: from the start of a trial: before the cue, from the cue to the first event, and after the last
SPANS_MS = {"before the cue": (0, 100), "between cue and first event": (120, 200), "after the last event": (540, 700)}
SOURCE = "set on seeds 1 and 2"


@dataclass(frozen=True, eq=False)
class Network:
    """Analyses of one network's rates (trial, time, unit) in Hz, of the units that were kept."""

    pca: analysis.PCAResult
    shares: Any
    factor: analysis.FactorAnalysis
    ratio: Any
    across: analysis.DimensionCourse
    mean_ratio: float
    demixed: analysis.DemixedPCA
    rotations: analysis.JPCAResult
    whole: analysis.JPCAResult
    spaces: analysis.SharedSpace


@nd.simulation
def reservoir_dimensionality(
    *,
    seeds: int = 10,
    seed: int = 101,
    neurons: int = 1000,
    kept: int = 200,
    trials: int = 80,
    samples: int = 50,
    quick: bool = False,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
) -> nd.Outcome:
    """Measure dimensions, demixed components and rotations of reservoirs, each beside its null.

    Parameters
    ----------
    seeds : int
        Number of networks, each with its own wiring, noise and order of events.
    seed : int
        First seed; thresholds were set on seeds 1 and 2, so the default set no threshold.
    neurons : int
        Size of the reservoir.
    kept : int
        Units that are analysed, drawn at random among those that fire.
    trials : int
        Of which a quarter goes to each event.
    samples : int
        Surrogates of each null.
    quick : bool
        Two networks of 300 cells, 50 of them analysed, 40 trials, 19 surrogates.
    backend : str
        Runner.
    """
    if quick:
        seeds, neurons, kept, trials, samples = 2, 300, 50, 40, 19
    if seeds < 2 or trials < 16 or trials % 4 or kept < FACTORED:
        raise ValueError(
            f"seeds = {seeds}, trials = {trials}, kept = {kept}: at least 2 seeds, 16 trials, a multiple of 4, and {FACTORED} units"
        )
    numbers = range(seed, seed + seeds)
    task = nd.tasks.WhatWhen(latencies=LATENCIES, probability=(0.25,) * 4)
    found = []
    for each in numbers:
        rates, events = activity(task, each, neurons=neurons, kept=kept, trials=trials, backend=backend)
        found.append(analysed(rates, events, samples=samples, seed=each))
    time = SAMPLE_MS * (np.arange(found[0].demixed.projections["time"].shape[-2]) + 1)
    criteria = measured(found, time)
    return nd.Outcome(
        results=criteria.results,
        checks=criteria.checks,
        data={
            "explained ratio": np.array([n.pca.explained_ratio for n in found]),
            "dimension across trials": np.array([n.across.ratio for n in found]),
            "decoding of the event": np.array([n.demixed.decoding["event"].observed[0] for n in found]),
        },
        figures={
            "components": components(found),
            "course": course(found),
            "demixed": found[0].demixed.plot(time=time, title="Demixed components of the first network"),
            "rotations": found[0].rotations.plot(title="Rotations of the first network"),
        },
    )


def activity(
    task: Any, seed: int, *, neurons: int, kept: int, trials: int, backend: str
) -> tuple[np.ndarray, np.ndarray]:
    """Rates (trial, time, unit) in Hz, one sample each 20 ms, of units that fire, and the event of each trial."""
    net = nd.SpikingReservoir(neurons, events=task.names, seed=seed)
    session = task.session(trials, calibration=0, tests=(), seed=seed)
    run = nd.simulate(net, session, record=["spikes"], backend=backend)
    spikes = run["spikes"]
    firing = np.flatnonzero(spikes.counts() >= trials)  # one spike a trial, so that a few spikes don't make a dimension
    if len(firing) < kept:
        raise ValueError(f"kept = {kept}: of {neurons} cells {len(firing)} fire once a trial; take fewer")
    chosen = np.sort(np.random.default_rng(seed).permutation(firing)[:kept])
    every = round(SAMPLE_MS)
    # A trial begins at rest: so does the filter of its spikes.
    rates = [
        spikes.between(k * task.steps, (k + 1) * task.steps).rates(TAU_MS, 1.0, task.steps)[every - 1 :: every, chosen]
        for k in range(len(session.trials))
    ]
    labels = np.array([str(trial.labels["event"]) for trial in session.trials])
    train = labels != "none"
    return np.stack(rates)[train].astype(float), labels[train]


def analysed(rates: np.ndarray, events: np.ndarray, *, samples: int, seed: int) -> Network:
    """All analyses of one network."""
    thin = rates[:, ::THIN]
    stacked, _ = analysis.stack_conditions(rates, {"event": events}, seed=seed)
    averages = stacked.mean(axis=0)
    # A square root takes the growth of the variance with the rate out of what factors have to explain.
    counts = np.sqrt(np.maximum(thin, 0.0))[:, :, :FACTORED]
    spaces = {f"event {name}": rates[events == name] for name in np.unique(events)[[0, -1]]}
    return Network(
        analysis.pca(rates, 10),
        analysis.pca_null(rates, 10, samples=samples, seed=seed),
        analysis.factor_analysis(counts, (0, 2, 4, 8, 12), folds=3, samples=5, seed=seed),
        analysis.participation_ratio_null(thin, samples=samples, seed=seed),
        analysis.dimension_course(
            rates, round(WINDOW_MS / SAMPLE_MS), dt=SAMPLE_MS, step=1, thin=THIN, samples=samples, seed=seed
        ),
        analysis.participation_ratio(averages[:, ::THIN]),
        analysis.demixed_pca(stacked, ("event", "time"), components=3, samples=min(samples, 50), splits=5, seed=seed),
        analysis.jpca(averages[:, 5:], dt=SAMPLE_MS, components=6, samples=samples, seed=seed),
        analysis.jpca(averages[:, 5:], dt=SAMPLE_MS, components=6, subtract_mean=False, samples=samples, seed=seed),
        analysis.shared_space(spaces, components=5, samples=samples, seed=seed),
    )


def measured(found: list[Network], time: np.ndarray) -> Criteria:
    """Numbers of all networks, with spreads, thresholds and how many networks meet them."""
    of = Criteria(SOURCE)
    for name, values in {
        "participation ratio of single trials": [n.ratio.observed for n in found],
        "participation ratio, units shifted in time": [np.median(n.ratio.null) for n in found],
        "participation ratio of averages": [n.mean_ratio for n in found],
        "event-dependent variance in the 6 components of jPCA (%)": [100 * n.rotations.captured for n in found],
        "variance in the first 3 components (%)": [100 * n.pca.explained_ratio[:3].sum() for n in found],
        "variance in the first 3 components, units shifted in time (%)": [
            100 * np.median(n.shares.null[:, :3].sum(axis=1)) for n in found
        ],
        "factors": [n.factor.factors for n in found],
        "d_shared": [n.factor.d_shared for n in found],
        "shared variance of a unit (%)": [100 * n.factor.shared.observed for n in found],
        "shared variance, units shifted in time (%)": [100 * np.median(n.factor.shared.null) for n in found],
        "variance of averages that depends on the event (%)": [100 * n.demixed.part_variance["event"] for n in found],
        "variance that depends on the event, trials dealt out anew (%)": [
            100 * np.median(n.demixed.part_tests["event"].null) for n in found
        ],
        "part of its event in the first event component (%)": [
            100 * n.demixed.composition["event"]["event"][0] for n in found
        ],
        "R2 of rotations of the whole response": [n.whole.r2.observed for n in found],
        "R2 of rotations of the whole response, tensor control": [np.median(n.whole.r2.null) for n in found],
        "R2 of rotations": [n.rotations.r2.observed for n in found],
        "R2 of rotations, tensor control": [np.median(n.rotations.r2.null) for n in found],
        "frequency of the fastest plane (Hz)": [n.rotations.frequencies[0] for n in found],
        "alignment of A in the space of D": [n.spaces.alignment.observed[0, 1] for n in found],
        "alignment of the halves of A": [n.spaces.within[0] for n in found],
    }.items():
        of.note(nd.spread(name, values))
    middle = found[0].across.places
    before, late = (
        np.array([np.nanmean(n.across.ratio[(middle > a) & (middle < b)]) for n in found])
        for a, b in ((0, 100), (500, 700))
    )
    of.note(nd.spread("dimension across trials before the cue", before))
    of.note(nd.spread("dimension across trials 500 ms and later", late))
    # Questions, which have no threshold: how many networks say yes.
    for name, tests in {
        "rotations of what depends on the event, p <= 0.05": [n.rotations.r2 for n in found],
        "rotations of the whole response, p <= 0.05": [n.whole.r2 for n in found],
    }.items():
        of.note(nd.passes(name, [test.p <= 0.05 for test in tests]))
    told = np.array([n.demixed.decoding["event"].observed[0] for n in found])
    inside = {name: (time > a) & (time <= b) for name, (a, b) in SPANS_MS.items()}
    of.note(
        nd.spread(
            "event told from the first to the last event, best time", told[:, (time > 200) & (time <= 540)].max(axis=1)
        )
    )
    of.note(nd.spread("event told after the last event", told[:, inside["after the last event"]].mean(axis=1)))
    relative = [n.ratio.observed / np.median(n.ratio.null) for n in found]
    of.each("participation ratio over that of units shifted in time", relative, "<= 0.8")
    of.each("p of the variance that depends on the event", [n.demixed.part_tests["event"].p for n in found], "<= 0.05")
    for span in ("before the cue", "between cue and first event"):
        of.each(f"event told {span}", told[:, inside[span]].mean(axis=1), "<= 0.4", reference=0.25)
    return of


@style()
def components(found: list[Network]) -> Figure:
    """Variance of components, likelihood of factors, and the participation ratio, a line or point for each network."""
    figure = new_figure(8.6, 3.2)
    left, middle, right = (dress(ax) for ax in figure.subplots(1, 3))
    for k, n in enumerate(found):
        place = np.arange(1, len(n.pca.explained_ratio) + 1)
        left.plot(
            place,
            100 * n.pca.explained_ratio,
            "o-",
            color=CYCLE[0],
            markersize=2.5,
            linewidth=0.7,
            label="_" if k else "networks",
        )
        left.plot(
            place,
            100 * np.median(n.shares.null, axis=0),
            "-",
            color=GREY,
            linewidth=0.7,
            label="_" if k else "units shifted",
        )
        gain = n.factor.likelihoods.mean(axis=0) - n.factor.likelihoods.mean(axis=0)[0]
        middle.plot(n.factor.candidates, gain, "o-", color=CYCLE[0], markersize=2.5, linewidth=0.7)
        right.plot(
            [0, 1], [n.ratio.observed, np.median(n.ratio.null)], "o-", color=CYCLE[0], markersize=3, linewidth=0.7
        )
        right.plot(2, n.mean_ratio, "s", color=CYCLE[1], markersize=3, label="_" if k else "averages over trials")
    left.set(xlabel="principal component", ylabel="share of variance (%)", ylim=(0, None))
    left.set_title("Single trials")
    middle.set(xlabel="factors", ylabel="log likelihood gained\n(nats per sample left out)")
    middle.set_title("Factor analysis")
    middle.set_xticks(found[0].factor.candidates)
    right.set_xticks([0, 1, 2], ["single\ntrials", "units\nshifted", "averages"])
    right.set(ylabel="participation ratio", ylim=(0, None), xlim=(-0.4, 2.4))
    right.set_title("Dimensions")
    panel_letters((left, middle, right))
    legend_below(figure, [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]])
    return figure


@style()
def course(found: list[Network]) -> Figure:
    """Dimension across trials of the first network, of all, and how well the event is told, over the trial."""
    figure = new_figure(8.6, 3.6)
    axes = [dress(ax) for ax in figure.subplots(1, 3)]
    dimension_course(found[0].across, ax=axes[0], title="Across trials, first network")
    ratios = np.array([n.across.ratio for n in found])
    over = analysis.bootstrap_mean(ratios)
    places = found[0].across.places
    axes[1].plot(places, ratios.T, color=CYCLE[0], linewidth=0.6, alpha=0.6)
    axes[1].plot(places, over.mean, color="black", label="mean of networks")
    axes[1].fill_between(
        places, over.low, over.high, color=GREY, alpha=0.4, linewidth=0, label="95 %, bootstrap over networks"
    )
    axes[1].set(xlabel="time (ms)", ylabel="dimensions", ylim=(0, None))
    axes[1].set_title("Across trials, all networks")
    right = np.array([n.demixed.decoding["event"].observed[0] for n in found])
    time = SAMPLE_MS * (np.arange(right.shape[1]) + 1)
    axes[2].plot(time, right.T, color=CYCLE[0], linewidth=0.6, alpha=0.6)
    axes[2].plot(time, right.mean(axis=0), color="black", label="mean of networks")
    axes[2].axhline(0.25, color=GREY, linestyle=":", linewidth=1.0, label="chance")
    for ax in axes:
        for latency in (0, *(int(text.split()[0]) for text in LATENCIES)):
            ax.axvline(100 + latency, color=CYCLE[1], linewidth=0.5, alpha=0.6)
    axes[2].set(xlabel="time (ms)", ylabel="events told right (share)", ylim=(0, 1.03))
    axes[2].set_title("First event component")
    for ax in axes[1:]:
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.2), borderaxespad=0.0)
    panel_letters(axes)
    figure.suptitle("Orange: the cue and the four events")
    return figure


if __name__ == "__main__":
    reservoir_dimensionality.main()
