"""PV-RNNs that learn a probabilistic finite-state machine: training of a whole sweep at once, and what is measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import neurodyn as nd
from neurodyn import analysis
from neurodyn.running.stopping import resume_by_default

MACHINE = nd.tasks.FiniteState.cycle(p=0.7)
CHOOSING = 2  # the state of the machine that has a choice
SOURCE = "pilot of the project"
HELD_OUT = 100  # sequences
SETTLED = 12  # symbols of a sequence after which a network has forgotten how it began
_TESTS = 100  # of a training


@dataclass(frozen=True)
class Arm:
    """What is trained on what: the size of the training set, and switches of the network."""

    sequences: int
    length: int
    switches: dict[str, Any]

    def data(self, seed: int, count: int = 0) -> np.ndarray:
        """Return the training set of a seed, or ``count`` sequences of their own stream."""
        return MACHINE.sample(count or self.sequences, self.length, seed=seed, step=1 if count else 0)[1].numpy()


SMALL, MAIN = Arm(10, 24, {}), Arm(20, 48, {})
#: ablations, each on the small set
ABLATIONS = {
    "fixed unit prior": Arm(10, 24, {"prior": "unit"}),
    "first step like all others": Arm(10, 24, {"first_step_prior": "learned", "first_step_meta_prior": None}),
    "reduced posterior": Arm(10, 24, {"posterior": "reduced"}),
}


@dataclass(frozen=True)
class Sweep:
    """A trained sweep: the run, its networks, the training set, and a row of numbers for each model."""

    run: nd.TrainingRun
    net: Any
    data: np.ndarray
    table: pd.DataFrame

    def of(self, column: str, meta_prior: float) -> np.ndarray:
        """Return a measure of all seeds at a meta-prior."""
        return self.table.loc[np.isclose(self.table["meta_prior"], meta_prior), column].to_numpy()

    def by(self, column: str) -> Any:
        """Return the mean over seeds of a measure, by meta-prior, increasing."""
        return self.table.groupby("meta_prior")[column].mean()


def trained(
    arm: Arm, meta_priors: Sequence[float], seeds: Sequence[int], *, updates: int, data_seed: int, out: Path | None
) -> Sweep:
    """Train networks of all meta-priors and seeds as one batch, and measure each."""
    data = arm.data(data_seed)
    net = nd.PVRNN(
        [nd.Layer(d=10, z=1, tau=2)],
        output=nd.SymbolCoding(symbols=2),
        meta_prior=list(np.repeat(meta_priors, len(seeds))),
        seed=list(seeds) * len(meta_priors),
        **arm.switches,
    )
    run = nd.fit(
        net,
        data,
        updates=updates,
        test_every=max(1, updates // _TESTS),
        out=out,
        overwrite=out is not None and out.exists() and not resume_by_default.get(),
        config={"machine": MACHINE.config, "data_seed": data_seed},
    )
    seconds = run.history["seconds"].sum()
    print(
        f"{net.models} models, {arm.sequences} x {arm.length} symbols: {updates} updates in {seconds:.0f} s", flush=True
    )
    return Sweep(run, net, data, measured(run, net, arm, data, data_seed))


def measured(run: nd.TrainingRun, net: Any, arm: Arm, data: np.ndarray, data_seed: int) -> pd.DataFrame:
    """Return one row for each model; columns as :func:`neurodyn.plots.meta_prior` knows them, and others."""
    adaptive = run.adaptive()
    explained = net.reconstruct(adaptive, noise=1.0)
    later = slice(1, None)
    free, quiet = (_generated(net, noise) for noise in (1.0, 0.0))
    held_out = arm.data(data_seed, HELD_OUT)
    likelihood = {t: net.log_likelihood(held_out[:, :t], particles=500).sum(1).numpy() for t in (SETTLED, arm.length)}
    exponents = {noise: _exponents(net, noise) for noise in (0.0, 1.0)}
    kept = {name: run.recording[f"training/{name}_of_model"].values[-1] for name in ("reconstruction", "divergence")}
    first = run.recording["training/first_divergence_of_model"].values[-1]
    shuffled = analysis.shuffled_prior(net, MACHINE)
    states = np.asarray(MACHINE.track(data, from_start=True))
    steps = {k: _divergence_steps(net, adaptive, data, k) for k in (1, 3)}
    sigma = explained.prior_sigma.numpy()[..., 0]
    rows = []
    for m in range(net.models):
        branch = analysis.branch_probabilities(free[m], MACHINE)
        quiet_branch = analysis.branch_probabilities(quiet[m], MACHINE)
        words = analysis.word_divergence(free[m], MACHINE)
        rows.append(
            {
                "meta_prior": net.meta_prior[m],
                "seed": net.seed[m],
                "reconstruction": kept["reconstruction"][m],
                "divergence": kept["divergence"][m].sum(),
                "first_divergence": first[m].sum(),
                "sigma": sigma[m][:, later].mean(),
                "sigma_choosing": sigma[m][:, later][states[:, later] == CHOOSING].mean(),
                "sigma_certain": sigma[m][:, later][states[:, later] != CHOOSING].mean(),
                "divergence_step": steps[1][m],
                "divergence_step_3": steps[3][m],
                "word_divergence": words.divergence,
                "illegal": analysis.legality(free[m], MACHINE).steps,
                "p_branch": branch[CHOOSING, 1],
                "illegal_shuffled": shuffled.illegal_after[m],
                "p_branch_shuffled": shuffled.after[m][CHOOSING, 1],
                "p_branch_noise_free": quiet_branch[CHOOSING, 1],
                "word_divergence_noise_free": analysis.word_divergence(quiet[m], MACHINE).divergence,
                "lyapunov_noise_free": exponents[0.0][m],
                "lyapunov_noisy": exponents[1.0][m],
                "negative_log_likelihood": -likelihood[arm.length][m] / held_out.size,
                "negative_log_likelihood_settled": (likelihood[SETTLED][m] - likelihood[arm.length][m])
                / held_out[:, SETTLED:].size,
            }
        )
    return pd.DataFrame(rows)


def _generated(net: Any, noise: float) -> np.ndarray:
    """12 000 symbols of each model after a transient: (model, sequence, time)."""
    return net.generate(1000, sequences=12, burn_in=300, noise=noise).values.numpy()


def _exponents(net: Any, noise: float) -> np.ndarray:
    """Largest Lyapunov exponent of each model."""
    return analysis.prior_lyapunov(net, noise=noise).exponent


def _divergence_steps(net: Any, adaptive: Any, data: np.ndarray, steps: int) -> list[float]:
    """Mean step at which each model leaves a sequence, after ``steps`` steps from its posterior; 20 draws of each."""
    found = net.generate(data.shape[1], adaptive=adaptive, posterior_steps=steps, repeats=20).values
    each = found.unflatten(1, (20, len(data))).numpy()
    return [analysis.divergence_step(one, data).mean for one in each]


def floors(arm: Arm, data: np.ndarray, data_seed: int) -> dict[str, float]:
    """What the machine itself, or its training set, would score."""
    held_out = arm.data(data_seed, HELD_OUT)
    whole, begun = (float(np.sum(MACHINE.log_likelihood(held_out[:, :t]))) for t in (arm.length, SETTLED))
    branch = analysis.branch_probabilities(data, MACHINE, from_start=True)
    return {
        "training set: p(1 at the choice)": branch[CHOOSING, 1],
        "training set: word divergence": analysis.word_divergence(data, MACHINE).divergence,
        "machine: word divergence of as many symbols": float(
            np.median(analysis.word_divergence(data.repeat(13, 0)[:250], MACHINE).sampled)
        ),
        "machine: negative log-likelihood of held-out symbols": -whole / held_out.size,
        "machine: the same after the first symbols": (begun - whole) / held_out[:, SETTLED:].size,
        "entropy rate": MACHINE.entropy_rate,
    }
