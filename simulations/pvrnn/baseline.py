"""Variational RNNs (Chung et al. 2015) on the same movements: the baseline in prediction, and differences in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import neurodyn as nd
from neurodyn import analysis
from neurodyn.running.stopping import resume_by_default
from pvrnn.movements import FIRST, HORIZON, LAYERS, Data

UPDATES = 3000  # held-out likelihood was greatest after 1700 to 2200 (seeds 11 to 15), and fell by the end
_TEST_EVERY = 100
_HELD_OUT = {"seed": 1, "step": 2}  # of the sample; training set and unseen sequences are steps 0 and 1 of any seed
_SAMPLES = 20  # runs that a prediction is the mean of


@dataclass(frozen=True)
class Paired:
    """Differences in error between networks of the same seed, each (horizon,): means and the ends of an interval of Student's t."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    pairs: int


def trained_vrnn(
    data: Data,
    coding: Any,
    seeds: Sequence[int],
    *,
    updates: int = UPDATES,
    meta_prior: float = 1.0,
    out: Path | None,
) -> nd.TrainingRun:
    """Train a network for each seed, of as many units and latents as the PV-RNN; kept is each where it was best.

    That is judged on as many sequences as there are to learn, which the PV-RNN does not get: by their likelihood.
    """
    net = nd.VRNN(
        output=coding,
        d=sum(layer.d for layer in LAYERS),
        z=sum(layer.z for layer in LAYERS),
        meta_prior=meta_prior,
        seed=list(seeds),
    )
    count, length = data.training.shape[:2]
    run = nd.fit(
        net,
        data.training,
        updates=updates,
        test_every=min(_TEST_EVERY, updates),
        validation=data.task.sample(count, length, **_HELD_OUT).values,
        particles=30,
        out=out,
        overwrite=out is not None and out.exists() and not resume_by_default.get(),
    )
    likely = run.recording["training/log_likelihood_of_model"].values
    tested = np.asarray(run.history["update"])[likely.argmax(0)].tolist()
    seconds = run.history["seconds"].sum()
    print(f"{net.models} variational RNNs, {updates} updates in {seconds:.0f} s, best after {tested}", flush=True)
    return run


def predicted_by_vrnn(run: nd.TrainingRun, data: Data, *, noise: float = 1.0) -> np.ndarray:
    """Return errors of predictions of unseen sequences by the best networks, (model, horizon).

    Each is the mean over runs from what was filtered, which has the least squared error; without noise, one run along the means
    of all latents, as error regression predicts by default.
    """
    found = run.network("best").predict(data.unseen, horizon=HORIZON, samples=_SAMPLES if noise else 1, noise=noise)
    return np.array([analysis.prediction_error(each, data.unseen, first=FIRST).error for each in found])


def paired(ours: Any, theirs: Any, *, confidence: float = 0.95) -> Paired:
    """Return ours - theirs, errors (seed, horizon) of at least two seeds; below 0 ours are the smaller."""
    from scipy.stats import t

    each = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    if each.ndim != 2 or len(each) < 2:
        raise ValueError(f"errors have shape {each.shape}; give (seed, horizon) with two seeds or more")
    mean, pairs = each.mean(0), len(each)
    half = t.ppf((1 + confidence) / 2, pairs - 1) * each.std(0, ddof=1) / np.sqrt(pairs)
    return Paired(mean, mean - half, mean + half, pairs)
