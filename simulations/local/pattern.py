"""Pattern generation by e-prop (Bellec et al. 2020): in the recurrent network, in the readout alone, and by the rate term alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import neurodyn as nd
from local.bptt import recurrent_gradient
from local.gradient import cosine
from local.network import dense, network, session, task
from neurodyn.plots.base import CYCLE, GREY, dress, legend_below, new_figure, panel_letters, style

RATE = 1e-4
STEPS = 1000

#: what learns in each arm: synapses inside, their learning signals, rate of the readout
ARMS = {
    "e-prop": {"inside": True, "feedback": 1.0, "rate": RATE},
    "readout alone": {"inside": False, "feedback": 0.0, "rate": RATE},
    "readout and rate term": {"inside": True, "feedback": 0.0, "rate": RATE},
    "e-prop, readout x10": {"inside": True, "feedback": 1.0, "rate": 10 * RATE},
    "readout alone x10": {"inside": False, "feedback": 0.0, "rate": 10 * RATE},
}


@dataclass(frozen=True, eq=False)
class Learner:
    """One network: error and rate in Hz of each trial (trial,), outputs of the first and the last trial, its target, and the recording."""

    error: np.ndarray
    rate: np.ndarray
    first: np.ndarray
    last: np.ndarray
    target: np.ndarray
    recording: Any


def nmse(output: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Squared error summed over the last axis, over the sum of the squared target; 1 is no better than silence."""
    return ((output - target) ** 2).sum(axis=-1) / (target**2).sum()


def learners(
    arm: str, seeds: range, *, cells: int, trials: int, backend: str, steps: int = STEPS, out: Path | None = None
) -> list[Learner]:
    """Train a network for each seed in one of the arms."""
    about = ARMS[arm]
    rules = [(nd.eprop("e_rec", rate=RATE),), (nd.eprop("e_in", rate=RATE),)] if about["inside"] else [(), ()]
    nets = [network(cells, seed=s, recurrent=rules[0], inputs=rules[1]) for s in seeds]
    tasks = [task(cells, steps, seed=s) for s in seeds]
    runs = nd.simulate(
        nets,
        [session(*given, trials) for given in tasks],
        learn=nd.EpropReadout(rate=about["rate"], feedback=about["feedback"]),
        record=["output.y", nd.Sample("cells.firing", every=f"{steps} ms")],
        backend=backend,
        out=None if out is None else [out, *[None] * (len(nets) - 1)],
    )
    found = []
    for run, (_, target) in zip(runs, tasks, strict=True):
        y = np.asarray(run["output.y"], dtype=float).reshape(trials, steps)
        rate = np.asarray(run["cells.firing"], dtype=float).reshape(trials, cells).mean(axis=1) * 1e3
        found.append(Learner(nmse(y, target), rate, y[0], y[-1], target, run))
    return found


def after(learner: Learner, seed: int, *, cells: int, steps: int, backend: str) -> dict[str, float]:
    """Return, by name, what is true of a network that e-prop has trained: cosines, and the least nMSE of any readout of it."""
    pattern, target = task(cells, steps, seed=seed)
    net = learner.recording.network()
    for name, rule in (("w_rec", "e_rec"), ("w_in", "e_in")):
        net = net.with_part(replace(net[name], rules=(nd.eprop(rule, rate=RATE, regularization=0.0),)))
    run = nd.simulate(net, session(pattern, target), record=["cells.spiked", "output_trace.r"], backend=backend)
    before, gradient = net.values, dense(run.network().values, "w_rec", "e_rec.gradient", cells)
    w_in, w_rec = (dense(before, name, f"{name}.w", cells) for name in ("w_in", "w_rec"))
    w_out, signals = np.ravel(before["output.w"]), np.ravel(before["output_error.weights"])
    spikes, traces = (np.asarray(run[name], dtype=float) for name in ("cells.spiked", "output_trace.r"))
    full, through_reset = (
        recurrent_gradient(w_in, w_rec, w_out, pattern, spikes, target, reset=reset)[0] for reset in (False, True)
    )
    return {
        "cosine of the gradient with BPTT after learning": cosine(gradient, full),
        "cosine of the gradient with BPTT through the reset after learning": cosine(gradient, through_reset),
        "cosine of B with the output weights after learning": cosine(w_out, signals),
        "least nMSE of any readout, after e-prop": least(traces, target),
    }


def untrained(seed: int, *, cells: int, steps: int, backend: str) -> float:
    """Return the least nMSE that a readout of the network before learning could have."""
    given = task(cells, steps, seed=seed)
    learn = nd.EpropReadout(feedback=0.0)
    run = nd.simulate(
        network(cells, seed=seed), session(*given), learn=learn, record=["output_trace.r"], backend=backend
    )
    return least(np.asarray(run["output_trace.r"], dtype=float), given[1])


def least(traces: np.ndarray, target: np.ndarray) -> float:
    """Return the nMSE of least squares on the traces (step, cell)."""
    return float(nmse(traces @ np.linalg.lstsq(traces, target, rcond=None)[0], target))


def pattern(
    *, seeds: range, cells: int | None, trials: int | None, backend: str, out: Path | None, steps: int = STEPS
) -> nd.Outcome:
    """Train every arm on every seed."""
    n, many = cells or 100, trials or 500
    size: dict[str, Any] = {"cells": n, "steps": steps, "backend": backend}
    arms = {arm: learners(arm, seeds, trials=many, out=None if k else out, **size) for k, arm in enumerate(ARMS)}
    mine = arms["e-prop"]
    trained = [after(m, s, **size) for m, s in zip(mine, seeds, strict=True)]
    before = [untrained(s, **size) for s in seeds]
    shown = sorted({1, *(max(1, round(many * part)) for part in (0.1, 0.25, 0.5, 1.0))})
    results: dict[str, Any] = {"trials shown": shown}
    final = {arm: np.array([m.error[-1] for m in found]) for arm, found in arms.items()}
    for arm, found in arms.items():
        errors = np.array([m.error for m in found])
        results[f"{arm}: nMSE in these trials, mean over seeds"] = errors[:, np.array(shown) - 1].mean(axis=0).round(3)
        results |= nd.spread(f"{arm}: nMSE of the last trial", final[arm])
        results |= nd.spread(f"{arm}: rate in the first trial (Hz)", [m.rate[0] for m in found])
        results |= nd.spread(f"{arm}: rate in the last trial (Hz)", [m.rate[-1] for m in found])
    ratios = {
        f"{other} over {arm}": final[other] / final[arm]
        for arm, other in (
            ("e-prop", "readout alone"),
            ("e-prop", "readout and rate term"),
            ("e-prop, readout x10", "readout alone x10"),
        )
    }
    for name, values in ratios.items():
        results |= nd.spread(f"{name}, nMSE", values)
        results |= nd.passes(f"{name}, above 1", values > 1)
    results |= nd.spread("least nMSE of any readout, before learning", before)
    for name in trained[0]:
        results |= nd.spread(name, [values[name] for values in trained])
    rates = [m.rate[-1] for m in mine]
    source = "set on seeds 1 to 3"
    checks = [
        nd.check("e-prop: nMSE of the last trial, worst seed", final["e-prop"].max(), "<= 0.25", source=source),
        *(nd.check(f"{name}, lowest ratio of nMSE", values.min(), threshold, source=source) for (name, values), threshold in zip(ratios.items(), (">= 2", ">= 2", ">= 1.3"), strict=True)),
        nd.check("e-prop: mean rate in the last trial (Hz), lowest seed", min(rates), ">= 8", reference=10, source=source),
        nd.check("e-prop: mean rate in the last trial (Hz), highest seed", max(rates), "<= 25", reference=10, source=source),
    ]  # fmt: skip
    return nd.Outcome(
        results=results,
        checks=checks,
        data={f"nMSE, {arm}": np.array([m.error for m in found]) for arm, found in arms.items()}
        | {f"rate, {arm}": np.array([m.rate for m in found]) for arm, found in arms.items()},
        figures={"pattern": figure(arms)},
    )


@style()
def figure(arms: dict[str, list[Learner]]) -> Figure:
    """Learning curves and rates of all seeds, and target and output of the first seed before and after learning."""
    drawn = new_figure(7.2, 5.0)
    panels = [dress(ax) for ax in drawn.subplots(2, 2).ravel()]
    for colour, (arm, found) in zip(CYCLE, arms.items(), strict=False):
        for ax, rows in ((panels[0], [m.error for m in found]), (panels[1], [m.rate for m in found])):
            trial = np.arange(1, len(rows[0]) + 1)
            ax.plot(trial, np.transpose(rows), color=colour, linewidth=0.5, alpha=0.5)
            ax.plot(trial, np.median(rows, axis=0), color=colour, linewidth=1.8, label=arm)
    panels[0].set_yscale("log")
    panels[0].set_ylabel("normalised squared error")
    panels[0].set_title("Error (thin: networks, thick: median)")
    panels[1].axhline(10, color=GREY, linestyle=":", linewidth=1.0, label="target rate of the rate term")
    panels[1].set_ylim(bottom=0)
    panels[1].set_ylabel("mean rate (Hz)")
    panels[1].set_title("Rate of the cells")
    for ax in panels[:2]:
        ax.set_xlabel("trial of 1 s")
    chosen = ("e-prop", "readout alone")
    for ax, arm in zip(panels[2:], chosen, strict=True):
        learner, colour = arms[arm][0], CYCLE[list(arms).index(arm)]
        time = np.arange(1, len(learner.target) + 1) * 1e-3
        ax.plot(time, learner.target, "--", color="black", linewidth=1.0, label="target")
        ax.plot(time, learner.first, color=GREY, linewidth=1.0, label="output in the first trial")
        ax.plot(time, learner.last, color=colour)
        ax.set_xlabel("time in the trial (s)")
        ax.set_ylabel("output (1)")
        ax.set_title(f"One network, last trial: {arm}")
    panel_letters(panels)
    handles = {h.get_label(): h for ax in panels[:3] for h in ax.get_legend_handles_labels()[0]}
    legend_below(drawn, list(handles.values()))
    return drawn
