"""Networks in training: what each head can do, how fast N grows, and the timescales of what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from neurodyn.plots.base import (
    CYCLE,
    GREY,
    caption,
    dress,
    label,
    legend_below,
    new_figure,
    panel_letters,
    style,
)
from neurodyn.plots.lines import draw_band
from neurodyn.plots.numbers import checked, seeds_of, spread_text
from neurodyn.training.curricula import solved
from neurodyn.training.run import TrainingRun, load_training

Trainings = TrainingRun | str | Path | Sequence[TrainingRun | str | Path]
Curves = Mapping[str, tuple[Any, Any]]
# The bright end of the map can't be seen on white.
_OF_N = ListedColormap(colormaps["viridis"](np.linspace(0, 0.9, 256)))


@style()
def accuracy_of_heads(run: TrainingRun | str | Path, *, title: str = "Accuracy at each N") -> Figure:
    """Accuracy at every N over the epochs, with the threshold, and under it which N were trained.

    Parameters
    ----------
    run : TrainingRun or path
        From :func:`neurodyn.train` or its file. Thin grey lines follow each head, coloured ones each N: a head may pass
        from one N to the next.

    Raises
    ------
    ValueError
        No complete epoch, or a curriculum whose N don't follow one another.
    """
    training = opened("run", run)
    history, accuracy = _history("run", training), training.accuracy_of_heads
    epoch = history.index.to_numpy()
    low, high = (history[k].to_numpy().astype(int) for k in ("smallest_N", "N"))
    active = np.isfinite(accuracy)
    if (active.sum(axis=1) != high - low + 1).any():
        raise ValueError("run: some stage has gaps between its N, so that the N of a head is not known from its place")
    numbers = np.arange(low.min(), high.max() + 1)
    # Heads serve the N of a stage by position.
    of_head = low[:, np.newaxis] + np.arange(accuracy.shape[1])

    figure = new_figure(6.8, 4.2)
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[1.8, 1])
    colours = ScalarMappable(Normalize(numbers[0] - 0.5, numbers[-1] + 0.5), _OF_N)
    dress(top).plot(epoch, accuracy[:, active.any(axis=0)], color=GREY, linewidth=0.5, alpha=0.6)
    marker = 3 if len(epoch) <= 60 else 1.5
    for n in numbers:
        at, head = np.nonzero(active & (of_head == n))
        top.plot(epoch[at], accuracy[at, head], "o-", color=colours.to_rgba(n), linewidth=1.0, markersize=marker)
    level = training.config["training"]["threshold"]
    top.axhline(level, color="black", linestyle="--", linewidth=1.0, label=f"threshold {level:g}")
    top.set_ylabel("accuracy")
    top.set_title(title)
    bar = figure.colorbar(colours, ax=(top, bottom), pad=0.02, aspect=30)
    bar.set_label("N (digits)")
    bar.locator = MaxNLocator(8, integer=True)
    bar.ax.tick_params(labelsize=8)

    dress(bottom).fill_between(epoch, low - 0.5, high + 0.5, step="mid", color=GREY, alpha=0.25, linewidth=0)
    bottom.step(epoch, high, where="mid", color=CYCLE[0], label="largest N trained")
    passed = _passed(training)
    bottom.plot(epoch[passed], high[passed], "o", color=CYCLE[1], markersize=3.5, label="solved")
    bottom.set_ylabel("N (digits)")
    bottom.set_xlabel("epoch")
    bottom.set_xlim(0.5, epoch[-1] + 0.5)
    bottom.set_title("N in training (shaded: all of them)")
    for axis in (bottom.xaxis, bottom.yaxis):
        axis.set_major_locator(MaxNLocator(8, integer=True))
    panel_letters((top, bottom))
    legend_below(figure, [top.lines[-1], *bottom.lines])
    return figure


@style()
def training_curves(runs: Mapping[str, Trainings], *, title: str = "Largest N solved") -> Figure:
    """Largest N solved, and loss, over the epochs: all networks as thin lines, the median of each condition as a thick one.

    Parameters
    ----------
    runs : mapping of condition to TrainingRun, path, or a sequence of them
        One network, or several seeds. For the median a training that has ended keeps its N; that of the loss is over
        those that still go on.

    Raises
    ------
    ValueError
        No runs, or one without a complete epoch.
    """
    members = trainings("runs", runs)
    figure = new_figure(7.2, 3.2)
    left, right = (dress(ax) for ax in figure.subplots(1, 2))
    handles = []
    for k, (name, each) in enumerate(members.items()):
        colour = CYCLE[k % len(CYCLE)]
        histories = [_history(f"runs[{name!r}]", run) for run in each]
        longest = max(map(len, histories))
        reached, loss = np.zeros((len(each), longest + 1)), np.full((len(each), longest + 1), np.nan)
        for i, (run, history) in enumerate(zip(each, histories, strict=True)):
            last, passed = len(history), _passed(run)
            for at, n in zip(history.index[passed], history["N"][passed], strict=True):
                reached[i, at:] = n
            heads = np.isfinite(run.accuracy_of_heads).sum(axis=1)
            loss[i, 1 : last + 1] = history["loss"].to_numpy() / heads
            if len(each) > 1:
                left.step(np.arange(last + 1), reached[i, : last + 1], where="post", color=colour, lw=0.6, alpha=0.6)
                left.plot(last, reached[i, last], "o", color=colour, markersize=3)
                right.plot(loss[i], color=colour, lw=0.6, alpha=0.6)
        left.step(np.arange(longest + 1), np.median(reached, axis=0), where="post", color=colour, lw=2.0)
        right.plot(np.arange(1, longest + 1), np.nanmedian(loss[:, 1:], axis=0), color=colour, lw=2.0)
        handles.append(Line2D([], [], color=colour, lw=2.0, label=f"{name} ({_networks(len(each))})"))
    left.set_ylabel("N (digits), 0 for none")
    left.set_title(title)
    right.set_yscale("log")
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:g}")
    right.yaxis.set_minor_formatter(NullFormatter())
    right.set_ylabel("cross-entropy for each N (nats)")
    right.set_title("Loss in training, mean of an epoch")
    for ax in (left, right):
        ax.set_xlabel("epoch")
        ax.set_xlim(left=0)
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    left.set_ylim(bottom=0)
    panel_letters((left, right))
    legend_below(figure, handles)
    if any(len(each) > 1 for each in members.values()):
        caption(figure, "Thick: median of the networks; thin: each of them, up to the point where its training ended.")
    return figure


@style()
def time_constants(
    runs: Mapping[str, Trainings], *, published_mean: Curves | None = None, published_sd: Curves | None = None
) -> Figure:
    """Mean and spread of the units' time constants against N, and their distribution at the largest N of each network.

    Parameters
    ----------
    runs : mapping of condition to TrainingRun, path, or a sequence of them
        Trainings of :class:`neurodyn.LeakyRNN`: one, or several seeds, which give the band. The networks are those kept
        when N was solved; time constants are as stored, for some below 1, where a unit has no memory.
    published_mean, published_sd : mapping of name to (N, values), optional
        Dashed curves, in the colour of the condition of that name.

    Raises
    ------
    ValueError
        No runs, none that solved an N, or a network without time constants.
    """
    members = trainings("runs", runs)
    found = {name: [_tau(f"runs[{name!r}]", run) for run in each] for name, each in members.items()}
    pooled = [tau[max(tau)] for each in found.values() for tau in each if tau]
    if not pooled:
        raise ValueError(
            "runs: none of them solved an N, so no network was kept; plots.training_curves shows how far they got"
        )
    together = np.concatenate(pooled)
    # Narrow enough for those between 1 and 2, also where a few reach 20.
    edges = np.histogram_bin_edges(together, bins=int(np.clip(np.ptp(together) / 0.05, 20, 100)))
    kinds = {run.config["network"].get("continuous", False) for each in members.values() for run in each}
    units = " or ".join("digits" if continuous else "steps" for continuous in sorted(kinds))

    figure = new_figure(7.2, 3.1)
    panels = [dress(ax) for ax in figure.subplots(1, 3)]
    handles, rows = [], []
    for k, (name, each) in enumerate(found.items()):
        colour = CYCLE[k % len(CYCLE)]
        largest = sorted({max(tau, default=0) for tau in each})
        ends = "–".join(map(str, dict.fromkeys((largest[0], largest[-1]))))
        reached = f"N up to {ends}" if largest[-1] else "no N solved"
        handles.append(Line2D([], [], color=colour, label=f"{name} ({_networks(len(each))}, {reached})"))
        kept = [tau for tau in each if tau]
        if not kept:
            continue
        n = sorted(set().union(*kept))
        for ax, statistic in zip(panels, (np.mean, np.std), strict=False):
            table = np.array([[statistic(tau[at]) if at in tau else np.nan for at in n] for tau in kept])
            draw_band(ax, np.array(n), table, colour, "_", spread="sd", seeds=True)
        rows.append(kept)
        counts = np.mean([np.histogram(tau[max(tau)], edges)[0] for tau in kept], axis=0)
        # On a logarithmic axis nothing has no place: it lies below the lower end.
        panels[2].stairs(np.maximum(counts, 1e-3), edges, color=colour, fill=True, alpha=0.2, baseline=1e-3)
        panels[2].stairs(np.maximum(counts, 1e-3), edges, color=colour, linewidth=1.2, baseline=1e-3)
    for ax, curves in zip(panels, (published_mean, published_sd), strict=False):
        for name, (n, values) in (curves or {}).items():
            colour = CYCLE[list(found).index(name) % len(CYCLE)] if name in found else GREY
            at = checked(f"N of published {name!r}", n, (None,), finite=True)
            ax.plot(at, checked(f"published {name!r}", values, (len(at),)), "--", color=colour, linewidth=1.1)
            if f"{name}, published" not in [handle.get_label() for handle in handles]:
                handles.append(Line2D([], [], color=colour, linestyle="--", label=f"{name}, published"))
        ax.set_xlabel("N (digits)")
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for ax, text, title in zip(
        panels,
        (label("mean τ", units), label("SD of τ", units), "units of a network"),
        ("Mean over units", "Spread over units", "Units at the largest N"),
        strict=True,
    ):
        ax.set_ylabel(text)
        ax.set_title(title)
    panels[2].set_yscale("log")
    panels[2].set_ylim(bottom=0.5 / max(len(kept) for kept in rows))
    panels[2].set_xlabel(label("τ", units))
    panel_letters(panels)
    legend_below(figure, handles)
    caption(figure, f"Time constants τ of units. Over networks: {spread_text('sd', rows)}.")
    return figure


@style()
def network_timescales(
    n: Any,
    values: Mapping[str, Mapping[str, Any]],
    null: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    units: str = "steps",
) -> Figure:
    """Network-mediated timescales against N: a panel for each statistic, a line with its band and null for each condition.

    Parameters
    ----------
    n : array, shape (N,)
    values : mapping of statistic to mapping of condition to array, shape (seed, N) or (N,)
        Such as ``{"median": {"single-head": ...}, "mean of those > 1": {...}}``; NaN where a seed has no value.
    null : the same for some or all of them, optional
        What units without network-mediated timescales would show: dotted, with a fainter band.
    units : str
        Of the timescales.

    Raises
    ------
    ValueError
        No statistics or conditions, shapes that don't fit, or a null of something that is not drawn.
    """
    at = checked("n", n, (None,), finite=True)
    if not values or not all(values.values()):
        raise ValueError("values is empty: give at least one statistic, with at least one named condition")
    tables = [(values, "values", "-"), (null or {}, "null", ":")]
    for name in null or {}:
        strange = [name] if name not in values else [c for c in (null or {})[name] if c not in values[name]]
        if strange:
            raise ValueError(
                f"null has {strange[0]!r}, which values has not; its names have to be among those of values"
            )
    conditions = list(dict.fromkeys(condition for each in values.values() for condition in each))
    figure = new_figure(1.8 + 2.5 * len(values), 3.0)
    panels = [dress(ax) for ax in figure.subplots(1, len(values), squeeze=False)[0]]
    drawn = []
    for ax, statistic in zip(panels, values, strict=True):
        for table, name, line in tables:
            for condition, given in table.get(statistic, {}).items():
                rows = seeds_of(f"{name}[{statistic!r}][{condition!r}]", given, len(at))
                # Conditions may reach different N: what none of the seeds has is no gap of this condition.
                some = np.isfinite(rows).any(axis=0)
                colour = CYCLE[conditions.index(condition) % len(CYCLE)]
                draw_band(ax, at[some], rows[:, some], colour, "_", spread="sd", seeds=False, linestyle=line)
                drawn += [rows] if table is values else []
        ax.set_xlabel("N (digits)")
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.set_title(statistic[:1].upper() + statistic[1:])
        ax.set_ylabel(label("network timescale", units))
        ax.set_ylim(bottom=0)
    if len(panels) > 1:
        panel_letters(panels)
    handles = [Line2D([], [], color=CYCLE[k % len(CYCLE)], label=text) for k, text in enumerate(conditions)]
    legend_below(figure, handles + ([Line2D([], [], color=GREY, linestyle=":", label="null")] if null else []))
    caption(figure, f"Over networks: {spread_text('sd', drawn)}.")
    return figure


def opened(name: str, run: Any) -> TrainingRun:
    """A training as it is, or read from its file."""
    if isinstance(run, str | Path):
        return load_training(run)
    if not isinstance(run, TrainingRun):
        raise ValueError(f"{name} = {run!r}; give what nd.train or nd.load_training returns, or the path of its file")
    return run


def trainings(name: str, given: Any) -> dict[str, list[TrainingRun]]:
    """The trainings of each condition, opened where they are paths."""
    found = members_of(name, given, "training")
    return {condition: [opened(f"{name}[{condition!r}]", run) for run in each] for condition, each in found.items()}


def members_of(name: str, given: Any, noun: str) -> dict[str, list[Any]]:
    """One or several results of each condition as lists, none of them empty."""
    if not isinstance(given, Mapping):
        raise ValueError(
            f"{name} is a {type(given).__name__}; give a mapping of condition to {noun}, or to several of them"
        )
    if not given:
        raise ValueError(f"{name} is empty: give at least one named condition")
    found = {k: list(each) if isinstance(each, list | tuple) else [each] for k, each in given.items()}
    for condition, each in found.items():
        if not each:
            raise ValueError(f"{name}[{condition!r}] is empty; give one {noun} or several")
    return found


def _history(name: str, run: TrainingRun) -> Any:
    history = run.history
    if not len(history):
        raise ValueError(f"{name} has no complete epoch, so there is nothing to draw: {run!r}")
    return history


def _passed(run: TrainingRun) -> np.ndarray:
    """Whether the stage of each epoch was solved, (epoch,), without reading all the snapshots as ``epochs_to_solve`` does."""
    threshold = run.config["training"]["threshold"]
    return np.array([solved(row[np.isfinite(row)].tolist(), threshold) for row in run.accuracy_of_heads])


def _tau(name: str, run: TrainingRun) -> dict[int, np.ndarray]:
    net = run.network("initial")
    if not hasattr(net, "tau"):
        kind = run.config["network"]["network"]
        raise ValueError(
            f"{name} trained a network of kind {kind}, which has no time constants; give trainings of nd.LeakyRNN"
        )
    found = {}
    for n in run.snapshots:
        run.restore(net, n)
        tau: Any = net.tau
        found[n] = checked(f"tau of {name} at N = {n}", tau.double().cpu().numpy(), (None,), finite=True)
    return found


def _networks(count: int) -> str:
    return "1 network" if count == 1 else f"{count} networks"
