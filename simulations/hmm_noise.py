"""What the level of the noise does to networks that emulate a hidden Markov model, with biases and without.

Without biases states scale with the noise, and the symbol of the largest logit knows nothing of its level; with biases the
noise has a scale to be large or small against. Networks of both kinds are trained on the two-state chain, and run at many
levels of their noise: at the end, and at snapshots over the training. Run it by
``neurodyn run simulations/hmm_noise.py --quick``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common.criteria import Criteria
from emulation.families import FAMILIES, PAPER, SMALL, SOURCE
from emulation.training import left_plateau, train

import neurodyn as nd
from neurodyn import analysis, plots

LEVELS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 6.0)
AROUND = (0.7, 1.0, 1.4)  # levels of a slope
KINDS = {"without biases": False, "with biases": True}


@nd.simulation
def hmm_noise(
    *, quick: bool = False, updates: int = 1500, seeds: int = 5, seed: int = 101, out: Path | None = None
) -> nd.Outcome:
    """Train networks on the two-state chain, with biases and without, and run them at other levels of their noise.

    Parameters
    ----------
    quick : bool
        50 units, 10 noise inputs and batches of 512, for minutes instead of hours.
    updates : int
        Updates of a training, a multiple of 25; with biases the plateau may last for more than 1000.
    seeds : int
        Networks of each kind.
    seed : int
        First seed.
    """
    target, size, found = FAMILIES["two"].target, SMALL if quick else PAPER, Criteria(SOURCE)
    chosen = range(seed, seed + seeds)
    sweeps, courses = {}, {}
    for kind, bias in KINDS.items():
        place = None if out is None else out.with_name(f"{out.stem}.{kind.replace(' ', '-')}.h5")
        trained = train("two", size, chosen, updates=updates, bias=bias, out=place)
        emulating = [run for run in trained.runs if left_plateau(run)]
        found.note({f"{kind}: networks": seeds, f"{kind}: diverged": len(trained.diverged)})
        found.note({f"{kind}: still on the plateau": len(trained.runs) - len(emulating)})
        if emulating:
            sweeps[kind] = [analysis.noise_sweep(run.network("best"), LEVELS, target=target) for run in emulating]
            courses[kind] = [_course(run) for run in emulating]
    if not sweeps:
        raise ValueError(f"no network left the plateau in {updates} updates; give more updates, or other seeds")
    for kind, members in sweeps.items():
        for what, values in _told(members).items():
            found.note(nd.rounded({f"{kind}: {what}": values}, 4))
            found.note(nd.spread(f"{kind}: {what}", values))
    scale_free = sweeps.get("without biases", [])
    if scale_free:
        found.each(
            "A15: without biases, largest relative change of switches per step over all levels",
            [np.ptp(s.switching) / s.switching.mean() for s in scale_free],
            "< 1e-6",
            reference=0,
            source="a rectified network without biases is homogeneous",
        )
        found.each(
            "A15: without biases, levels from which to the next drawn symbols don't change less often",
            [np.sum(np.diff(s.change) >= 0) for s in scale_free],
            "== 0",
            reference=0,
            source="the softmax gets sharper",
        )
    figures = {
        "levels": plots.noise_sweep(sweeps, cv=float(target.dwell_moments()[1][0]), change=target.symbol_change),
        "onset": _onset(courses),
    }  # fmt: skip
    data = {f"{key}, {kind}": np.array([getattr(s, key) for s in members]) for kind, members in sweeps.items() for key in ("switching", "change", "cv", "dwell", "distance")}  # fmt: skip
    return nd.Outcome(found.results, found.checks, {**data, "level": np.array(LEVELS)}, figures)


def _told(members: list[analysis.NoiseSweep]) -> dict[str, list[float]]:
    """What becomes of each network from the lowest level to the highest, and where it is at its best."""
    one = LEVELS.index(1.0)
    rows: dict[str, list[float]] = {}
    for s in members:
        known = np.isfinite(s.cv)
        cv, level = (s.cv[known], s.level[known]) if known.any() else (np.full(1, np.nan), np.full(1, np.nan))
        numbers = {
            "switches per step at the trained level": s.switching[one],
            "slope of log switches on log level there": _slope(s),
            "CV of dwell times at the trained level": s.cv[one],
            "least CV of dwell times": cv.min(),
            "level of the least CV": level[cv.argmin()],
            "CV at the lowest level / least CV": cv[0] / cv.min(),
            "CV at the highest level / least CV": cv[-1] / cv.min(),
            "distance at the trained level": s.distance[one],
            "least distance": s.distance.min(),
            "level of the least distance": s.level[s.distance.argmin()],
        }
        for name, value in numbers.items():
            rows.setdefault(name, []).append(float(value))
    return rows


def _slope(sweep: analysis.NoiseSweep) -> float:
    """d log(switches per step) / d log(level) around the trained level; NaN without switches."""
    near = (sweep.level >= AROUND[0]) & (sweep.level <= AROUND[-1])
    if (sweep.switching[near] <= 0).any():
        return np.nan
    return float(np.polyfit(np.log(sweep.level[near]), np.log(sweep.switching[near]), 1)[0])


def _course(run: nd.TrainingRun) -> dict[str, np.ndarray]:
    """Switches per step, their slope on the level, and the validation loss, at each snapshot with bounded activity."""
    history = run.history.set_index("update")
    bounded = set(history.index[history["growth"].to_numpy() <= 10])
    rows = []
    for update in run.snapshots:
        net = run.network(update)
        if update not in bounded:
            rows.append((update, np.nan, np.nan, history["validation_loss"][update]))
            continue
        sweep = analysis.noise_sweep(net, AROUND, paths=16, steps=1000)
        rows.append((update, sweep.switching[1], _slope(sweep), history["validation_loss"][update]))
    names = ("update", "switches per step", "slope of log switches on log level", "validation loss")
    return dict(zip(names, np.array(rows).T, strict=True))


def _onset(courses: dict[str, list[dict[str, np.ndarray]]]):
    """Draw how the dependence on the level comes about over training."""
    with plots.style():
        return _course_panels(courses)


def _course_panels(courses: dict[str, list[dict[str, np.ndarray]]]):
    figure = plots.base.new_figure(6.6, 6.0)
    names = ("validation loss", "switches per step", "slope of log switches on log level")
    panels = figure.subplots(len(names), 1, sharex=True)
    for panel, name in zip(panels, names, strict=True):
        some = [c for members in courses.values() for c in members]
        plots.line_with_band(
            some[0]["update"],
            {kind: np.array([c[name] for c in members]) for kind, members in courses.items() if members},
            xlabel="",
            ylabel=name.replace(" on ", "\non "),
            title="",
            seeds=True,
            ax=panel,
        )
    panels[0].set_title("Onset of switching, and of its dependence on the noise level")
    for panel in panels[1:]:
        panel.get_legend().remove()
    panels[-1].set_xlabel("update")
    return figure


if __name__ == "__main__":
    hmm_noise.main()
