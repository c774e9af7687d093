"""A control: the latents of a free-running network in another order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._checks import FloatArray, choice, whole
from .grammar import BranchProbabilities, branch_probabilities, legality
from .knockout import choice_named, likeliest
from .prior_dynamics import BURN_IN, in_float64

if TYPE_CHECKING:
    from torch import Tensor

    from neurodyn.models.pvrnn import PVRNN
    from neurodyn.tasks.finite_state import FiniteState


@dataclass(frozen=True, eq=False)
class ShuffledPrior:
    """Symbols of networks beside those from the same latents in another order; ``print`` shows a table.

    Attributes
    ----------
    before, after : tuples of BranchProbabilities, one for each model
        Choices with the latents as drawn from the prior, and after they were shuffled over time.
    illegal, illegal_after : array, shape (model)
        Share of illegal symbols.
    meta_prior : array, shape (model)
    """

    before: tuple[BranchProbabilities, ...]
    after: tuple[BranchProbabilities, ...]
    illegal: FloatArray
    illegal_after: FloatArray
    meta_prior: FloatArray

    def __str__(self) -> str:
        lines = [
            f"{'model':>5}{'w':>10}{choice_named(self.before[0]):>10}{'shuffled':>10}{'illegal':>10}{'shuffled':>10}"
        ]
        for k, w in enumerate(self.meta_prior):
            numbers = (likeliest(self.before[k]), likeliest(self.after[k]), self.illegal[k], self.illegal_after[k])
            lines.append(f"{k:>5}{w:>10.4g}" + "".join(f"{value:>10.4f}" for value in numbers))
        return "\n".join(lines)


def shuffled_prior(
    net: PVRNN,
    machine: FiniteState,
    *,
    part: Literal["latents", "noise"] = "latents",
    steps: int = 1000,
    runs: int = 10,
    seed: int = 1,
) -> ShuffledPrior:
    """Let networks run on their own latents in a random order of time, and count how they choose.

    What is shuffled keeps the distribution of the latents, but not when they come. Where the choices and the rules of a
    network hang on that, shares of choices go away from the machine's, and symbols become illegal. Computed in float64.

    Parameters
    ----------
    net : PVRNN
        Of symbols.
    machine : FiniteState
        What it learnt; unifilar.
    part : "latents" or "noise"
        Latents: z as a whole, its mean too, without which even a network that needs no noise loses its rules. Noise:
        sigma eps alone, around the mean as it is at each step, so that a network whose choices are chaos doesn't change.
    steps, runs : int
        Of each model, at least 2 and 1; they begin in states that the prior had led to.
    seed : int
        Key of the noise and of the orders. Each run has its own order, the same for all models.

    Raises
    ------
    ValueError
        For numbers out of range, and networks of values.
    """
    choice(part, "part", ("latents", "noise"))
    steps, runs, seed = whole(steps, "steps", low=2), whole(runs, "runs"), whole(seed, "seed", low=0)
    if net.output.axis:
        raise ValueError("net generates values; give one with output=nd.SymbolCoding(...)")
    exact = in_float64(net)
    start = exact.generate(1, sequences=runs, burn_in=BURN_IN, seed=seed).h[:, :, -1]
    drawn = exact.generate(steps, sequences=runs, start=start, seed=seed, step=1)
    moved = drawn.z - drawn.prior_mean if part == "noise" else drawn.z
    rng = np.random.default_rng(seed)
    for run in range(runs):
        moved[:, run] = moved[:, run, rng.permutation(steps)]
    after = replayed(exact, start, moved, around_mean=part == "noise")
    symbols = [values.numpy(force=True) for values in (drawn.values, after)]
    choices = [tuple(branch_probabilities(each, machine) for each in values) for values in symbols]
    illegal = [np.array([legality(each, machine, n=1).steps for each in values]) for values in symbols]
    return ShuffledPrior(choices[0], choices[1], illegal[0], illegal[1], np.array(net.meta_prior))


def replayed(net: PVRNN, start: Tensor, z: Tensor, *, around_mean: bool) -> Tensor:
    """What a network generates from ``start`` under latents z (model, sequence, time, latent), or the mean plus z."""
    import torch

    h, inner = start, []
    for t in range(z.shape[2]):
        # The prior of a step doesn't depend on its noise: the noise that makes z of it is known after a first try.
        prior = net.step(h, torch.zeros_like(z[:, :, t]))
        apart = z[:, :, t] if around_mean else z[:, :, t] - prior.prior_mean
        h = net.step(h, apart / prior.prior_log_sigma.exp()).h
        inner.append(h)
    return net.output.decode(net.output.activate(net.read(torch.stack(inner, 2))))
