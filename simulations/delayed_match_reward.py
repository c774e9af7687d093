"""A reward at the end of each trial teaches a chaotic network to compare two stimuli over a delay (Miconi 2017).

200 rate units are perturbed at random. Each synapse sums up what its unit did by chance when it was driven, and one
number at the end of the trial, how much better than expected the response was, turns that into a change of all weights.
Run it by ``neurodyn run simulations/delayed_match_reward.py --out runs/nonmatch.h5``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from nonmatch.figures import errors, responses
from nonmatch.runs import ARMS, LAST, WARM_UP, learners

import neurodyn as nd

SOURCE = "Miconi 2017, fig. 2, and README of its code"


@nd.simulation
def delayed_match_reward(
    *,
    trials: int = 3000,
    seeds: int = 5,
    seed: int = 101,
    controls: bool = True,
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Train networks by a delayed reward to tell whether two stimuli differ; count the trials until 95 of 100 are right.

    Parameters
    ----------
    trials : int
        Trials with learning, behind 100 without.
    seeds : int
        Number of networks, each with its own weights, perturbations and order of trials.
    seed : int
        First seed; the numbers of the rule are the published ones, nothing was tuned.
    controls : bool
        Whether to train without perturbations, and with the third factor of no trial.
    backend : str
        Runner.
    """
    if seeds < 1 or trials < LAST:
        raise ValueError(f"seeds = {seeds}, trials = {trials}; needed are at least 1 seed and {LAST} trials")
    chosen = list(range(seed, seed + seeds))
    arms = {
        arm: learners(arm, chosen, trials, backend=backend, out=out if not k else None)
        for k, arm in enumerate(ARMS)
        if controls or not k
    }
    mine = next(iter(arms.values()))
    criterion = [m.criterion for m in mine]
    reached = [c for c in criterion if c is not None]
    late = {arm: [float(m.right[-LAST:].mean()) for m in found] for arm, found in arms.items()}
    before = [float(m.right[:WARM_UP].mean()) for m in mine]
    checks = [
        nd.check("networks at the criterion, 95 of 100 right", len(reached) / seeds, ">= 0.6", reference=1.0, source=SOURCE),
        nd.check("median trial of the criterion", float(np.median([np.inf if c is None else c for c in criterion])), "<= 3000", reference=1000, source=SOURCE),
    ]  # fmt: skip
    for arm in list(arms)[1:]:
        best = max((m.criterion is not None) for m in arms[arm])
        checks.append(nd.check(f"{arm}: networks at the criterion", float(best), "<= 0"))
    return nd.Outcome(
        results={
            "trial of the criterion, by seed": [-1 if c is None else c for c in criterion],
            **nd.passes("criterion reached", [c is not None for c in criterion]),
            **(nd.spread("trial of the criterion", reached) if reached else {}),
            **nd.spread("right before learning", before),
            **{k: v for arm, values in late.items() for k, v in nd.spread(f"{arm}: right in the last {LAST} trials", values).items()},
            **{k: v for arm, found in arms.items() for k, v in nd.spread(f"{arm}: error in the last {LAST} trials", [m.error[-LAST:].mean() for m in found]).items()},
            **nd.spread("SD of the change of a weight", [m.change.std() for m in mine]),
        },
        checks=checks,
        data={f"error, {arm}": np.array([m.error for m in found]) for arm, found in arms.items()},
        figures={"errors": errors(arms), "responses": responses(mine[0])},
    )  # fmt: skip


if __name__ == "__main__":
    delayed_match_reward.main()
