"""PV-RNNs of two layers that learn movements which follow one another by chance: training, what they generate and predict."""

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

LAYERS = (nd.Layer(d=20, z=2, tau=2), nd.Layer(d=10, z=1, tau=8))
FIRST = 20  # step of a sequence from which predictions are judged
HORIZON = 5
#: what is told of every network
MEASURES = (
    "reconstruction",
    "divergence",
    "sigma",
    "divergence_step",
    "illegal",
    "movements",
    "p_branch",
    "lyapunov_noise_free",
)
_TESTS = 100  # of a training
_CYCLES = 900  # some so many movements of each model are judged


@dataclass(frozen=True)
class Data:
    """A task, its training set, and sequences that were not trained."""

    task: Any
    training: np.ndarray
    unseen: np.ndarray
    labels: list[np.ndarray]

    @classmethod
    def of(cls, task: Any, *, sequences: int, length: int, unseen: int, seed: int) -> Data:
        """Sample a training set of a seed, and others of the same."""
        training, others = (
            task.sample(count, length, seed=seed, step=k) for k, count in enumerate((sequences, unseen))
        )
        return cls(task, training.values, others.values, training.order)


@dataclass(frozen=True)
class Movers:
    """Trained networks, and a row of numbers for each."""

    run: nd.TrainingRun
    net: Any
    table: pd.DataFrame
    generated: np.ndarray

    def of(self, column: str, meta_prior: float) -> np.ndarray:
        """Return a measure of all seeds at a meta-prior."""
        return self.table.loc[np.isclose(self.table["meta_prior"], meta_prior), column].to_numpy()

    def at(self, meta_prior: float) -> Any:
        """Return the networks of all seeds at a meta-prior."""
        return self.net.select([m for m, w in enumerate(self.net.meta_prior) if np.isclose(w, meta_prior)])


def trained(
    data: Data,
    coding: Any,
    meta_priors: Sequence[float],
    seeds: Sequence[int],
    *,
    updates: int,
    layers: Sequence[nd.Layer] = LAYERS,
    out: Path | None,
) -> Movers:
    """Train networks of all meta-priors and seeds as one batch, and measure each."""
    net = nd.PVRNN(
        layers,
        output=coding,
        meta_prior=list(np.repeat(meta_priors, len(seeds))),
        seed=list(seeds) * len(meta_priors),
    )
    run = nd.fit(
        net,
        data.training,
        updates=updates,
        test_every=max(1, updates // _TESTS),
        out=out,
        overwrite=out is not None and out.exists() and not resume_by_default.get(),
    )
    seconds = run.history["seconds"].sum()
    print(f"{net.models} models, {updates} updates in {seconds:.0f} s", flush=True)
    generated = _generated(net, data)
    return Movers(run, net, _measured(run, net, data, generated), generated)


def _generated(net: Any, data: Data) -> np.ndarray:
    """Movements of each model from its prior, (model, sequence, time, dim)."""
    mean = sum(data.task.duration) / 2
    sequences = 12
    return net.generate(round(_CYCLES * mean / sequences), sequences=sequences, burn_in=100).values.numpy()


def _measured(run: nd.TrainingRun, net: Any, data: Data, generated: np.ndarray) -> pd.DataFrame:
    adaptive = run.adaptive()
    allowed = np.asarray(data.task.transition) > 0
    kept = {name: run.recording[f"training/{name}_of_model"].values[-1] for name in ("reconstruction", "divergence")}
    sigma = net.reconstruct(adaptive, noise=1.0).prior_sigma.numpy()[:, :, 1:]
    length = data.training.shape[1]
    again = net.generate(length, adaptive=adaptive, repeats=20).values.unflatten(1, (20, len(data.training))).numpy()
    exponents = {noise: analysis.prior_lyapunov(net, noise=noise).exponent for noise in (0.0, 1.0)}
    expected = generated[0, ..., 0].size / (sum(data.task.duration) / 2)
    rows = []
    for m in range(net.models):
        table = analysis.transition_table(
            data.task.segment(generated[m]).labels, allowed=allowed, primitives=len(allowed)
        )
        layers = {f"divergence_{k}": value for k, value in enumerate(kept["divergence"][m])}
        rows.append(
            {
                "meta_prior": net.meta_prior[m],
                "seed": net.seed[m],
                "reconstruction": kept["reconstruction"][m],
                **layers,
                "divergence": kept["divergence"][m].sum(),
                **{f"sigma_{k}": sigma[m][..., of].mean() for k, of in enumerate(net.of_z)},
                "sigma": sigma[m].mean(),
                "divergence_step": analysis.divergence_step(again[m], data.training, threshold=0.3).mean,
                "illegal": table.illegal,
                "p_branch": table.among_allowed[0, 1],
                "movements": float(table.counts.sum() / expected),
                "lyapunov_noise_free": exponents[0.0][m],
                "lyapunov_noisy": exponents[1.0][m],
            }
        )
    return pd.DataFrame(rows)


def predicted(net: Any, data: Data, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return errors by error regression on unseen sequences: of predictions (model, horizon), of the window (model,)."""
    regression = nd.ErrorRegression(net, sequences=len(data.unseen), horizon=HORIZON, **options)
    found = regression.run(data.unseen)
    errors = [analysis.prediction_error(each, data.unseen, first=FIRST).error for each in found.predictions]
    return np.array(errors), found.postdiction_error[:, :, FIRST:].mean((1, 2))


def free_running(net: Any, data: Data) -> np.ndarray:
    """Squared error of each model that runs freely beside unseen sequences, (model,)."""
    found = net.generate(data.unseen.shape[1], sequences=len(data.unseen)).values.numpy()
    return ((found - data.unseen) ** 2).sum(-1)[:, :, FIRST:].mean((1, 2))


def empirical(data: Data) -> float:
    """Share of B among the movements that follow A in the training set."""
    return float(analysis.transition_table(data.labels, primitives=data.task.number).probability[0, 1])
