"""How many dimensions activity fills: principal components and the participation ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ._checks import FloatArray, floats, number, whole
from .nulls import NullTest, Surrogate, surrogate

_AXES = ("time, unit", "trial, time, unit")


@dataclass(frozen=True, eq=False)
class PCAResult:
    """Principal components of activity.

    Attributes
    ----------
    scores : array, shape (time, component) or (trial, time, component)
        Activity, less its mean, along each component; in the unit of the data.
    components : array, shape (component, unit)
        Orthonormal directions, largest variance first. Their signs mean nothing.
    explained_ratio : array, shape (component)
        Share of the total variance, 0 to 1.
    mean : array, shape (unit)
    """

    scores: FloatArray
    components: FloatArray
    explained_ratio: FloatArray
    mean: FloatArray


def pca(x: ArrayLike, components: int = 3) -> PCAResult:
    """Principal component analysis (scikit-learn, exact solver).

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end; all samples share one mean.
    components : int
        At most the smaller of the number of samples and units.

    Returns
    -------
    PCAResult
        For what chance would explain, see :func:`pca_null`.
    """
    from sklearn.decomposition import PCA

    values = floats(x, "x", axes=_AXES)
    flat = _samples(values, 2)
    whole(components, "components", high=min(flat.shape))
    solver = "covariance_eigh" if flat.shape[0] > 4 * flat.shape[1] else "full"
    model = PCA(n_components=components, svd_solver=solver)
    scores = np.asarray(model.fit_transform(flat))
    return PCAResult(
        scores.reshape(*values.shape[:-1], components),
        np.asarray(model.components_),
        np.asarray(model.explained_variance_ratio_),
        np.asarray(model.mean_),
    )


def pca_null(
    x: ArrayLike, components: int = 3, *, kind: Surrogate = "shift", samples: int = 100, seed: int = 0
) -> NullTest[FloatArray]:
    """Share of variance per component, beside that of units made independent (parallel analysis).

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
    components : int
    kind : "shift" or "shuffle"
        How units are made independent, see :func:`surrogate`. Trials are laid end to end first.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    NullTest of an array (component)
        The k-th largest share, against the k-th largest of each surrogate.

    References
    ----------
    Horn 1965, Psychometrika 30:179.
    """
    flat = _samples(floats(x, "x", axes=_AXES), 2)
    whole(components, "components", high=min(flat.shape))
    rng = np.random.default_rng(seed)
    draws = range(whole(samples, "samples"))
    null = np.stack([_shares(surrogate(flat, kind=kind, seed=rng), components) for _ in draws])
    return NullTest(_shares(flat, components), null)


def dimension_at(x: ArrayLike, share: float = 0.9) -> int:
    """Number of principal components whose variances together exceed a share of the total.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end; all samples share one mean.
    share : float
        Between 0 and 1.

    Returns
    -------
    int
        From 1 on. Khajehabdollahi et al. 2024 (ICLR, arXiv 2309.12927) publish the index of the component, counted
        from 0: one less, for each trial on its own, averaged over trials.
    """
    share = number(share, "share", unit="", low=0, strict=True)
    if share >= 1:
        raise ValueError(f"share = {share!r}: below 1, such as 0.9")
    flat = _samples(floats(x, "x", axes=_AXES), 2)
    return int(np.searchsorted(np.cumsum(_shares(flat, min(flat.shape))), share, side="right")) + 1


def participation_ratio(x: ArrayLike, *, bias_correction: bool = True) -> float:
    """Effective number of dimensions of activity, (tr C)^2 / tr C^2 with C the covariance of the units.

    Equal variance in d directions and none elsewhere gives d. With eigenvalues l of C the ratio is
    (sum l)^2 / sum l^2.

    Parameters
    ----------
    x : array, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end. Any scale of x gives the same ratio; the relative scale of units matters.
    bias_correction : bool
        The ratio of a sample covariance is too small, since tr S^2 is too large by about (tr C)^2 / T:
        independent units in T samples read as about 1 / (1/N + 1/T) dimensions. By default numerator and
        denominator are replaced by estimates that are unbiased for T independent samples of any
        distribution, with S the sample covariance (divisor T - 1) and Q = sum_t |x_t - mean|^4 / (T - 1):

            tr C^2   : (T-1) / (T (T-2) (T-3)) * [(T-1)(T-2) tr S^2 + (tr S)^2 - T Q]
            (tr C)^2 : (T-1) / (T (T-2) (T-3)) * [2 tr S^2 + (T^2 - 3T + 1)(tr S)^2 - T Q]

        Their ratio is free of the bias that grows with the number of units. What is left comes from
        dividing by a noisy estimate: below 1 % at 40 samples where many components share the variance, 5 %
        too much (17 % for skewed data) at 40 samples where few dominate. It may exceed the number of units
        by chance.

    Returns
    -------
    float
        Between 1 and the number of units without the correction.

    Raises
    ------
    ValueError
        For fewer than 4 samples (2 without correction), for activity that never varies, and where the
        samples are too few for tr C^2 to be told from zero.

    Notes
    -----
    The correction counts every row as an independent sample. Rows closer than the autocorrelation time of the
    activity are not, and the bias is then larger than what is taken off: thin x to one row per
    autocorrelation time (``x[::step]``), and compare with :func:`participation_ratio_null`.

    References
    ----------
    Himeno & Yamada 2014, J Multivariate Analysis 130:27 (the unbiased estimates). Gao et al. 2017,
    bioRxiv 214262 (the ratio as a dimension of neural activity).
    """
    return _ratio(_samples(floats(x, "x", axes=_AXES), 4 if bias_correction else 2), bias_correction)


def participation_ratio_null(
    x: ArrayLike,
    *,
    bias_correction: bool = True,
    kind: Surrogate = "shift",
    samples: int = 100,
    seed: int = 0,
) -> NullTest[float]:
    """The participation ratio beside that of the same units made independent.

    A value well below the null says that units share fewer dimensions than their own variances and
    autocorrelations would give. Parameters are those of :func:`participation_ratio` and :func:`surrogate`.

    Returns
    -------
    NullTest, alternative "less"
    """
    flat = _samples(floats(x, "x", axes=_AXES), 4 if bias_correction else 2)
    rng = np.random.default_rng(seed)
    draws = range(whole(samples, "samples"))
    null = np.array([_ratio(surrogate(flat, kind=kind, seed=rng), bias_correction) for _ in draws])
    return NullTest(_ratio(flat, bias_correction), null, "less")


def _samples(values: FloatArray, shortest: int) -> FloatArray:
    """(sample, unit): trials end to end."""
    flat = values.reshape(-1, values.shape[-1])
    if flat.shape[0] < shortest:
        raise ValueError(f"x has {flat.shape[0]} samples in time: at least {shortest} are needed")
    if not np.ptp(flat, axis=0).any():
        raise ValueError("x never varies: dimensions of constant activity are not defined")
    return flat


def _gram(flat: FloatArray) -> FloatArray:
    """Centred cross products over the shorter axis: the same nonzero eigenvalues, less work."""
    centred = flat - flat.mean(axis=0)
    centred = centred / np.abs(centred).max()
    return centred.T @ centred if centred.shape[0] > centred.shape[1] else centred @ centred.T


def _shares(flat: FloatArray, components: int) -> FloatArray:
    eigenvalues = np.linalg.eigvalsh(_gram(flat))[::-1]
    return np.maximum(eigenvalues[:components], 0.0) / eigenvalues.sum()


def _ratio(flat: FloatArray, bias_correction: bool) -> float:
    centred = flat - flat.mean(axis=0)
    gram = _gram(flat)
    trace, trace_of_square = np.trace(gram), np.sum(gram * gram)
    if not bias_correction:
        return float(trace**2 / trace_of_square)
    t = flat.shape[0]
    fourth = np.sum(np.sum((centred / np.abs(centred).max()) ** 2, axis=1) ** 2)
    # Factors common to both estimates cancel; products are those of S times (T - 1).
    square = (t - 1) * (t - 2) * trace_of_square + trace**2 - t * (t - 1) * fourth
    squared = 2 * trace_of_square + (t * t - 3 * t + 1) * trace**2 - t * (t - 1) * fourth
    # An average of squares by definition (over all four distinct samples), so only rounding takes it below
    # zero.
    if square <= 1e-10 * t * t * trace_of_square:
        raise ValueError(
            f"{t} samples of {flat.shape[1]} units are too few to tell their dimension: "
            "give more samples, or bias_correction=False for a lower bound"
        )
    return float(squared / square)
