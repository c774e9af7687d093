"""Gaussian-process factor analysis of spikes: an adapter to elephant."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, floats, number, spike_times, unit_ids, whole
from .._result import Result
from ..nulls import NullTest


@dataclass(frozen=True, eq=False)
class GPFAResult(Result, figure="gpfa"):
    """Smooth trajectories behind the spikes of single trials; ``print`` shows time scales and the null.

    Attributes
    ----------
    trajectories : array, shape (trial, time, factor)
        Posterior means along orthonormal directions, the one with most variance first; square roots of counts. Signs mean
        nothing.
    loadings : array, shape (unit, factor)
        These directions, of the units in ``units``.
    units : array of int, shape (unit)
        Those that fired; silent ones are left out.
    time : array, shape (time), ms
        Centres of the bins, from the start of a trial.
    time_scales : array, shape (factor), ms
        tau of the factors exp(-(s - t)^2 / (2 tau^2)) before they were made orthonormal, in no order.
    likelihood : NullTest
        Log likelihood, nats per trial and bin. Null: trials of each unit in random order of its own, which keeps what units
        do on average.
    """

    trajectories: FloatArray
    loadings: FloatArray
    units: IntArray
    time: FloatArray
    time_scales: FloatArray
    likelihood: NullTest[float]

    def __str__(self) -> str:
        trials, bins, factors = self.trajectories.shape
        scales = ", ".join(f"{t:.3g}" for t in np.sort(self.time_scales))
        return (
            f"GPFA: {factors} factors of {len(self.units)} units, {trials} trials of {bins} bins; time scales {scales} ms\n"
            f"  log likelihood (nats per trial and bin)  {self.likelihood}"
        )


def gpfa(
    times: ArrayLike,
    ids: ArrayLike,
    starts_ms: ArrayLike,
    *,
    n: int,
    duration: float,
    bin: float = 20.0,
    factors: int = 3,
    iterations: int = 100,
    samples: int = 5,
    seed: int = 0,
) -> GPFAResult:
    """Find smooth trajectories of a few factors in the spikes of single trials (Yu et al. 2009), by elephant.

    Square roots of the counts in bins are modelled as loadings times factors plus noise of each unit; factors are Gaussian
    processes with a time scale each.

    Parameters
    ----------
    times : array, shape (spike), ms, in order
        Such as ``run["spikes"].times``.
    ids : array of int, shape (spike)
        Units of the spikes.
    starts_ms : array, shape (trial), ms
        Where trials begin; each lasts `duration`, and they may not overlap.
    n : int
        Number of units.
    duration, bin : float, ms
        Length of a trial and of a bin; what is left of a trial after the last whole bin is not used.
    factors : int
        Fewer than the units that fire.
    iterations : int
        Of the EM algorithm, at most.
    samples, seed : int
        Number of surrogates, each fitted anew, and the seed of their draws.

    Returns
    -------
    GPFAResult

    Raises
    ------
    ModuleNotFoundError
        If elephant isn't there.
    ValueError
        For unordered times, trials that overlap, fewer than 3 bins, too many factors, and units that can't be told apart.

    Notes
    -----
    It is slow: 8 trials of 12 units take seconds, and each surrogate as long again. Time grows with the cube of the
    bins of a trial times factors. Counts of a few spikes a bin are far from Gaussian; take wider bins. The likelihood is
    that of the data that were fitted, so it can't choose the number of factors: see :func:`factor_analysis`.

    References
    ----------
    Yu et al. 2009, J Neurophysiol 102:614 (``elephant.gpfa.GPFA``).
    """
    moments, units = spike_times(times), unit_ids(ids, whole(n, "n"), spikes=np.size(times))
    starts = floats(starts_ms, "starts_ms", axes=("trial",), shortest=2)
    duration, bin = number(duration, "duration", low=0, strict=True), number(bin, "bin", low=0, strict=True)
    bins = int(duration / bin + 1e-9)
    if bins < 3:
        raise ValueError(f"bin = {bin:g} ms fits {bins} times into a trial of {duration:g} ms: at least 3 times")
    ordered = np.sort(starts)
    if np.any(np.diff(ordered) < duration * (1 - 1e-9)):
        raise ValueError(f"starts_ms: trials of {duration:g} ms overlap; give a shorter duration")
    whole(samples, "samples")
    whole(iterations, "iterations")
    trains = [_cut(moments, units, start, bins * bin, n) for start in starts]
    firing = np.flatnonzero([any(len(trial[u]) for trial in trains) for u in range(n)])
    if whole(factors, "factors") >= len(firing):
        raise ValueError(f"factors = {factors}: fewer than the units that fire in the trials, {len(firing)}")
    trains = [[trial[u] for u in firing] for trial in trains]
    model, trajectories = _fit(trains, bins * bin, bin, factors, iterations)
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(samples):
        orders = [rng.permutation(len(trains)) for _ in firing]
        mixed = [[trains[orders[u][k]][u] for u in range(len(firing))] for k in range(len(trains))]
        null.append(_likelihood(_fit(mixed, bins * bin, bin, factors, iterations)[0]))
    return GPFAResult(
        np.stack([np.asarray(t).T for t in trajectories]),
        np.asarray(model.transform_info["Corth"]),
        firing,
        bin * (np.arange(bins) + 0.5),
        bin / np.sqrt(np.ravel(model.params_estimated["gamma"])),
        NullTest(_likelihood(model), np.array(null)),
    )


def _cut(times: FloatArray, ids: IntArray, start: float, length: float, n: int) -> list[FloatArray]:
    """Times of each unit from the start of one trial."""
    # Times are steps in floating point: one that lies a hair before the start belongs to the trial.
    first, last = np.searchsorted(times, (start - 1e-6, start + length - 1e-6))
    inside, owner = np.clip(times[first:last] - start, 0.0, None), ids[first:last]
    order = np.argsort(owner, kind="stable")
    return np.split(inside[order], np.searchsorted(owner[order], np.arange(1, n)))


def _fit(trains: list[list[FloatArray]], length: float, bin: float, factors: int, iterations: int) -> tuple[Any, Any]:
    try:
        import neo
        import quantities as pq
        from elephant.gpfa import GPFA
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "gpfa needs elephant, which isn't installed here: pip install 'neurodyn[elephant]'"
        ) from error
    given = [[neo.SpikeTrain(unit * pq.ms, t_stop=length * pq.ms) for unit in trial] for trial in trains]
    model = GPFA(bin_size=bin * pq.ms, x_dim=factors, em_max_iters=iterations)
    # elephant reports its progress, and calls quantities in a way that they have deprecated.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The 'copy' argument in Quantity")
        try:
            found = model.fit_transform(given)
        except ValueError as error:
            if "rank deficient" in str(error):
                raise ValueError(
                    f"gpfa: counts of {len(trains[0])} units in {len(trains)} trials are linearly dependent; give more trials, "
                    "or leave out units that fire rarely or alike"
                ) from error
            raise
    return model, found


def _likelihood(model: Any) -> float:
    return float(model.transform_info["log_likelihood"] / np.sum(model.transform_info["num_bins"]))
