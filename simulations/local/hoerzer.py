"""A reservoir learns a periodic signal from one bit of reward (Hoerzer et al. 2014, task 1), and goes on alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import neurodyn as nd
from neurodyn.plasticity.learners import Signals
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style

#: periods without teacher and reward
FREE = 10
TARGETS = {"triangle": nd.tasks.triangle(), "sines": nd.tasks.harmonics()}


class CoinFlip(nd.RewardModulatedHebbian):
    """The same rule with a reward that knows nothing of performance: a fair coin each step."""

    def rule(self, name: str, signals: Signals, *, dt: float) -> nd.Rule:
        rule = super().rule(name, signals, dt=dt)
        return replace(
            rule, per_step=rule.per_step.replace("performance > mean_performance", "rand(performance) < 0.5")
        )


LEARNERS = {"reward": nd.RewardModulatedHebbian(), "coin flip": CoinFlip()}
#: threshold of the error that is left when the slip of the phase is taken out
NEAREST = {"triangle": "<= 0.2", "sines": "<= 0.6"}
#: whose first network is recorded
FIRST = ("triangle", "reward")


@dataclass(frozen=True, eq=False)
class Learner:
    """One network: output by period (period, sample) in learning and behind it, and one period of the target."""

    learning: np.ndarray
    free: np.ndarray
    target: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """Root mean squared error of each free period in SD of the target: 1 for a constant output."""
        return np.sqrt(((self.free - self.target) ** 2).mean(axis=1)) / self.target.std()

    @property
    def aligned(self) -> tuple[np.ndarray, np.ndarray]:
        """Lag of each free period in samples (positive: late), and its error beside the target shifted by that."""
        return lags(self.free, self.target)

    @property
    def correlation(self) -> np.ndarray:
        """Pearson correlation of each free period with the target at the best lag."""
        shifted = [np.roll(self.target, round(late)) for late in self.aligned[0]]
        return np.array([np.corrcoef(y, f)[0, 1] for y, f in zip(self.free, shifted, strict=True)])


def lags(output: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the circular shift of the target that is nearest to each period of an output, and the nRMSE there.

    Shifts follow each other by less than half a period, so that a slip of more counts in full. ``output`` is
    (period, sample), ``target`` (sample,); both results are (period,).
    """
    n = len(target)
    best = np.fft.irfft(np.fft.rfft(output, axis=1) * np.conj(np.fft.rfft(target)), n, axis=1).argmax(axis=1)
    shifted = np.array([np.roll(target, late) for late in best])
    error = np.sqrt(((output - shifted) ** 2).mean(axis=1)) / target.std()
    return np.unwrap(best.astype(float), period=n) - n * (best[0] > n / 2), error


def learners(
    target: str, learner: str, seeds: range, *, units: int, periods: int, backend: str, out: Path | None = None
) -> list[Learner]:
    """Train a reservoir for each seed and let it run freely."""
    task = TARGETS[target]
    learn = nd.Supervised(learner=LEARNERS[learner], rates="r", feedback=1.0)
    taught, end = (f"{n * task.course} s" for n in (periods, periods + FREE))
    runs = nd.simulate(
        [nd.RateReservoir(units, seed=s) for s in seeds],
        task.session(end, learning=("0 s", taught)),
        learn=learn,
        record=["output.y"],
        backend=backend,
        out=None if out is None else [out, *[None] * (len(seeds) - 1)],
    )
    signal = task.signal[:, 0]
    outputs = [np.asarray(run["output.y"], dtype=float).reshape(-1, len(signal)) for run in runs]
    return [Learner(y[:-FREE], y[-FREE:], signal) for y in outputs]


def hoerzer(*, seeds: range, cells: int | None, trials: int | None, backend: str, out: Path | None) -> nd.Outcome:
    """Train on both targets with reward, and on the first with a coin in its place; ``trials`` are periods of learning."""
    size: dict[str, Any] = {"units": cells or 1000, "periods": trials or 60, "backend": backend}
    found = {
        (target, learner): learners(target, learner, seeds, out=out if (target, learner) == FIRST else None, **size)
        for target in TARGETS
        for learner in LEARNERS
    }
    results: dict[str, Any] = {}
    for (target, learner), networks in found.items():
        name = f"{target}, {learner}"
        results |= nd.spread(f"{name}: nRMSE of the first free period", [m.error[0] for m in networks])
        results |= nd.spread(f"{name}: nRMSE of free period {FREE}", [m.error[-1] for m in networks])
        results |= nd.passes(f"{name}: nRMSE below 0.4 in the first free period", [m.error[0] < 0.4 for m in networks])
        results |= nd.spread(f"{name}: nRMSE at the best lag, free period {FREE}", [m.aligned[1][-1] for m in networks])
        results |= nd.spread(
            f"{name}: correlation at the best lag, all free periods", [m.correlation for m in networks]
        )
        if learner == "reward":
            results |= _drift(name, networks)
    checks = []
    for target in TARGETS:
        mine, blind = found[target, "reward"], found[target, "coin flip"]
        form = float(np.median([m.aligned[1][-1] for m in mine]))
        others = float(min(m.aligned[1][-1] for m in blind))
        source = "set on seeds 11 to 14"
        checks += [
            nd.check(f"{target}: median nRMSE of the first free period", float(np.median([m.error[0] for m in mine])), "<= 0.4", source=source),
            nd.check(f"{target}: median nRMSE at the best lag, free period {FREE}", form, NEAREST[target], source=source),
            nd.check(f"{target}: coin flip, lowest nRMSE of the first free period", min(float(m.error[0]) for m in blind), ">= 0.7", source=source),
            nd.check(f"{target}: coin flip, lowest nRMSE at the best lag, free period {FREE}", others, ">= 0.7", source=source),
        ]  # fmt: skip
    return nd.Outcome(
        results=results,
        checks=checks,
        data={f"output in free periods, {a}, {b}": np.array([m.free for m in networks]) for (a, b), networks in found.items()},
        figures={"reward": figure(found)},
    )  # fmt: skip


def _drift(name: str, networks: list[Learner]) -> dict[str, Any]:
    """How the phase goes: lag at the end, its part that grows evenly, and what is left of it."""
    shifts = np.array([m.aligned[0] for m in networks])  # in ms
    period = np.arange(FREE)
    slopes = np.array([np.polyfit(period, s, 1) for s in shifts])
    left = shifts - slopes[:, :1] * period - slopes[:, 1:]
    return {
        f"{name}: lag in free period {FREE}, by seed (ms)": shifts[:, -1].round().tolist(),
        **nd.spread(f"{name}: growth of the lag (ms a period)", slopes[:, 0]),
        **nd.spread(f"{name}: size of the growth (ms a period)", np.abs(slopes[:, 0])),
        **nd.spread(f"{name}: SD of the lag around even growth (ms)", left.std(axis=1)),
    }


@style()
def figure(found: dict[tuple[str, str], list[Learner]]) -> Figure:
    """Free output of one network for each target, errors of the free periods, and how the phase slips."""
    drawn = new_figure(7.2, 5.6)
    grid = drawn.add_gridspec(3, 2)
    panels = []
    for row, target in enumerate(TARGETS):
        ax = dress(drawn.add_subplot(grid[row, :]))
        for colour, learner in zip((CYCLE[0], CYCLE[1]), LEARNERS, strict=True):
            shown = found[target, learner][0]
            cut = np.r_[shown.learning[-1], shown.free[:4].ravel()]
            time = (np.arange(len(cut)) - len(shown.target)) * 1e-3
            ax.plot(time, cut, color=colour, linewidth=0.9, label=f"output, {learner}")
        ax.plot(time, np.tile(shown.target, 5), "--", color="black", linewidth=1.0, label="target")
        ax.axvspan(time[0], 0, color="#E8E4D8", zorder=-2, label="learning on, with exploration")
        ax.set_xlim(time[0], time[-1])
        ax.set_ylim(-2.2, 2.2)
        ax.set_ylabel("output (1)")
        ax.set_xlabel("time after learning (s)")
        ax.set_title(f"{target.capitalize()}: one network before and after the end of learning")
        panels.append(ax)
    error, slip = (dress(drawn.add_subplot(grid[2, k])) for k in (0, 1))
    period = np.arange(1, FREE + 1)
    for marker, line, target in zip(("o", "s"), ("-", "--"), TARGETS, strict=True):
        for colour, learner in zip((CYCLE[0], CYCLE[1]), LEARNERS, strict=True):
            rows = np.array([m.error for m in found[target, learner]])
            error.plot(period, rows.T, line, color=colour, linewidth=0.5, alpha=0.5)
            error.plot(period, np.median(rows, axis=0), line, marker=marker, color=colour)
        rows = np.array([m.aligned[0] for m in found[target, "reward"]])
        slip.plot(period, rows.T, line, marker=marker, color=CYCLE[0], linewidth=0.8, markersize=2.5)
        slip.plot([], [], line, marker=marker, color=GREY, label=target)
    error.set_ylim(bottom=0)
    error.set_ylabel("nRMSE")
    error.set_title("Error (thin: networks, thick: median)")
    slip.axhline(0, color=GREY, linewidth=0.8)
    slip.set_ylabel("lag (ms)")
    slip.set_title("The form stays, the phase slips")
    for ax in (error, slip):
        ax.set_xlabel("free period")
    panel_letters([*panels, error, slip])
    legend_below(drawn, [*panels[0].get_legend_handles_labels()[0], *slip.get_legend_handles_labels()[0]])
    return drawn
