"""Factor analysis: how much of each unit's variance is shared, and in how many dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, choice, floats, whole
from .._result import Result
from ..nulls import NullTest, Surrogate, surrogate

SHARE = 0.95  # of the shared variance, which d_shared counts dimensions for
_MOST = 10  # factors that are tried if none are named
_LEAST = 1e-4  # share of a unit's variance that is private at least


@dataclass(frozen=True, eq=False)
class FactorAnalysis(Result, figure="factor_analysis"):
    """A factor model x = mean + L z + noise, noise of unit i with variance psi_i; ``print`` shows it with its nulls.

    Attributes
    ----------
    candidates : array of int, shape (candidate)
        Numbers of factors that were tried.
    likelihoods : array, shape (fold, candidate)
        Log likelihood of samples left out, nats per sample; with no factor units are independent Gaussians.
    factors : int
        The candidate with the largest mean likelihood.
    loadings : array, shape (factor, unit)
        L, turned so that factors are orthogonal over units, the one with most shared variance first. Signs mean nothing.
    private : array, shape (unit)
        psi, the variance that a unit shares with no other.
    mean : array, shape (unit)
    scores : array, shape (sample, factor)
        Posterior mean of z, trials end to end.
    shared : NullTest
        Mean over units of the share of variance that is shared, with as many factors.
    gain : NullTest
        Log likelihood of samples left out beyond that of independent units, nats per sample, with as many factors.
    """

    candidates: IntArray
    likelihoods: FloatArray
    factors: int
    loadings: FloatArray
    private: FloatArray
    mean: FloatArray
    scores: FloatArray
    shared: NullTest[float]
    gain: NullTest[float]

    @property
    def shared_variance(self) -> FloatArray:
        """Share of the variance of each unit that factors carry, sum_k L_ki^2 / (sum_k L_ki^2 + psi_i), (unit,)."""
        return _shared(self.loadings, self.private)

    @property
    def spectrum(self) -> FloatArray:
        """Shared variance along each factor, eigenvalues of L L', (factor,), the largest first."""
        return (self.loadings**2).sum(axis=1)

    @property
    def d_shared(self) -> int:
        """Number of dimensions that hold 95 % of the shared variance; 0 without factors."""
        if not self.factors:
            return 0
        return int(np.searchsorted(np.cumsum(self.spectrum) / self.spectrum.sum(), SHARE * (1 - 1e-12))) + 1

    def __str__(self) -> str:
        return (
            f"factor analysis of {len(self.mean)} units: {self.factors} factors of {self.candidates[0]} to "
            f"{self.candidates[-1]}, d_shared {self.d_shared}\n"
            f"  shared variance (mean share)  {self.shared}\n"
            f"  gain (nats per sample)        {self.gain}"
        )


def factor_analysis(
    x: ArrayLike,
    factors: int | Sequence[int] | None = None,
    *,
    folds: int = 5,
    kind: Surrogate = "shift",
    samples: int = 20,
    seed: int = 0,
) -> FactorAnalysis:
    """Fit a factor model by maximum likelihood, with the number of factors chosen by the likelihood of data left out.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Such as spike counts in bins, or their square roots. Trials are laid end to end.
    factors : int or sequence of int, optional
        The number of factors, or those to choose from, 0 included. By default 0 to 10, or to as many as can be told
        (Ledermann's bound, (N - k)^2 >= N + k).
    folds : int
        Parts of the data, each left out once: whole trials if there are trials, else successive stretches of time.
    kind : "shift" or "shuffle"
        How units are made independent for the null, see :func:`surrogate`.
    samples, seed : int
        Number of surrogates, each fitted with as many factors as the data, and the seed of their draws.

    Returns
    -------
    FactorAnalysis

    Raises
    ------
    ValueError
        For a unit that never varies (in any fold's training data), for NaN, too many factors, or too few samples.

    Notes
    -----
    For given private variances the best loadings are known from an eigendecomposition; the variances are found by a
    quasi-Newton method (Joreskog 1967), which needs tens of steps where EM (``sklearn.decomposition.FactorAnalysis``, the same
    likelihood) needs hundreds. At least 1e-4 of a unit's variance is private: a factor may end up as one unit alone.

    Factors absorb correlations of independent units by chance, so the shared variance is above 0 without any being
    shared: see its null. The number of factors grows with units and samples; compare d_shared at equal numbers of both
    (Williamson et al. 2016). Samples count as independent: of smooth activity neighbours in time say the same, and
    stretches left out are then predicted too well near their ends. Where factors of very different time scales mix, see
    :func:`gpfa`.

    References
    ----------
    Williamson et al. 2016, PLoS Comput Biol 12:e1005141 (shared variance, d_shared). Joreskog 1967,
    Psychometrika 32:443 (the fit, as ``factanal`` of R).
    """
    values = floats(x, "x", axes=("time, unit", "trial, time, unit"))
    flat = values.reshape(-1, values.shape[-1])
    units = flat.shape[1]
    if units < 3:
        raise ValueError(f"x has {units} units: at least 3 are needed to tell shared from private variance")
    choice(kind, "kind", ("shift", "shuffle"))
    rows = values.shape[0]
    fold = np.arange(rows) * whole(folds, "folds", low=2, high=rows) // rows
    if values.ndim == 3:
        fold = np.repeat(fold, values.shape[1])
    for k in range(folds):
        silent = np.flatnonzero(np.ptp(flat[fold != k], axis=0) == 0)
        if silent.size:
            raise ValueError(
                f"x: unit {silent[0]} never varies outside fold {k} ({silent.size} such units): leave them out"
            )
    candidates = _candidates(factors, units)
    if (fold != 0).sum() < units + 1:
        raise ValueError(
            f"x has {len(flat)} samples of {units} units: give more samples than units in each training set"
        )

    likelihoods = _held_out(flat, fold, candidates)
    best = int(candidates[likelihoods.mean(axis=0).argmax()])
    loadings, private, mean = _fit(flat, best)
    rng = np.random.default_rng(seed)
    null = []
    for _ in range(whole(samples, "samples")):
        other = surrogate(flat, kind=kind, seed=rng)
        null.append((_shared(*_fit(other, best)[:2]).mean(), _gain(other, fold, best)))
    share, gain = np.array(null).T
    return FactorAnalysis(
        candidates,
        likelihoods,
        best,
        loadings,
        private,
        mean,
        _posterior(flat, loadings, private, mean),
        NullTest(float(_shared(loadings, private).mean()), share),
        NullTest(_gain(flat, fold, best), gain),
    )


def _candidates(factors: int | Sequence[int] | None, units: int) -> IntArray:
    bound = int((2 * units + 1 - np.sqrt(8 * units + 1)) // 2)
    if factors is None:
        return np.arange(min(_MOST, bound) + 1)
    given = [factors] if isinstance(factors, int) else list(factors)
    if not given:
        raise ValueError("factors is empty: give at least one number of factors")
    return np.unique([whole(k, "factors", low=0, high=bound) for k in given])


def _fit(flat: FloatArray, factors: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Loadings (factor, unit) along their principal axes, private variances, and mean."""
    from scipy.optimize import minimize

    mean, variance = flat.mean(axis=0), flat.var(axis=0)
    if not factors:
        return np.empty((0, len(mean))), variance, mean
    scaled = (flat - mean) / np.sqrt(variance)
    correlations = scaled.T @ scaled / len(flat)

    def loss(log_private: FloatArray) -> tuple[float, FloatArray]:
        """Twice the negative log likelihood per sample, less a constant, at the best loadings for these variances."""
        private = np.exp(log_private)
        loadings, values = _loadings(correlations, private, factors)
        rest = values[:-factors]
        gap = (loadings**2).sum(axis=0) + private - np.diag(correlations)
        return float(np.sum(rest - np.log(rest))), gap / private

    # Where factanal of R begins.
    start = (1 - 0.5 * factors / len(mean)) / np.diag(np.linalg.pinv(correlations))
    bounds = [(np.log(_LEAST), 0.0)] * len(mean)
    start = np.clip(np.log(np.maximum(start, _LEAST)), np.log(_LEAST), 0.0)
    best = minimize(
        loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 1000, "ftol": 1e-13, "gtol": 1e-7}
    )
    private = np.exp(best.x)
    loadings = _loadings(correlations, private, factors)[0] * np.sqrt(variance)
    _, lengths, along = np.linalg.svd(loadings, full_matrices=False)
    return lengths[:, None] * along, private * variance, mean


def _loadings(correlations: FloatArray, private: FloatArray, factors: int) -> tuple[FloatArray, FloatArray]:
    """The most likely loadings (factor, unit) for private variances, and the eigenvalues of the correlations in units of these."""
    root = np.sqrt(private)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    leading = vectors[:, -factors:] * np.sqrt(np.maximum(values[-factors:] - 1, 0.0))
    return (root[:, None] * leading).T, np.maximum(values, 1e-300)


def _posterior(flat: FloatArray, loadings: FloatArray, private: FloatArray, mean: FloatArray) -> FloatArray:
    """E[z | x] = (1 + L P^-1 L')^-1 L P^-1 (x - mean), (sample, factor)."""
    weighted = loadings / private
    return np.linalg.solve(np.eye(len(loadings)) + weighted @ loadings.T, weighted @ (flat - mean).T).T


def _held_out(flat: FloatArray, fold: IntArray, candidates: IntArray) -> FloatArray:
    """Log likelihood per sample left out, (fold, candidate)."""
    found = np.empty((int(fold.max()) + 1, len(candidates)))
    for k in range(len(found)):
        train, test = flat[fold != k], flat[fold == k]
        for j, factors in enumerate(candidates):
            loadings, private, mean = _fit(train, int(factors))
            covariance = loadings.T @ loadings + np.diag(private)
            away = test - mean
            surprise = np.einsum("si,is->s", away, np.linalg.solve(covariance, away.T)).mean()
            found[k, j] = -0.5 * (surprise + np.linalg.slogdet(2 * np.pi * covariance)[1])
    return found


def _gain(flat: FloatArray, fold: IntArray, factors: int) -> float:
    means = _held_out(flat, fold, np.array([0, factors])).mean(axis=0)
    return float(means[1] - means[0])


def _shared(loadings: FloatArray, private: FloatArray) -> FloatArray:
    common = (loadings**2).sum(axis=0)
    return common / (common + private)
