"""How many dimensions activity fills: principal components and the participation ratio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._checks import FloatArray, floats, number, whole
from .._result import Result
from .._streams import blocks, in_file, shape_of
from ..nulls import NullTest, Surrogate, surrogate
from .streamed_moments import AXES, Moments, every_kth, mean_and_scale, moments, samples_and_units

_WIDEST = 4096  # units in a file of which pca holds the products of all pairs
_WIDEST_RATIO = 8192  # the same of the participation ratio, which has no other way: half a GB


@dataclass(frozen=True, eq=False)
class PCAResult(Result, figure="pca"):
    """Principal components of activity; ``print`` shows the shares of variance.

    Attributes
    ----------
    components : array, shape (component, unit)
        Orthonormal directions, largest variance first. Their signs mean nothing.
    explained_ratio : array, shape (component)
        Share of the total variance, 0 to 1.
    mean : array, shape (unit)
    samples : int
        Number of samples, trials laid end to end.
    held : array, shape (time, component) or (trial, time, component), or None
        The scores, if activity was in memory.
    """

    components: FloatArray
    explained_ratio: FloatArray
    mean: FloatArray
    samples: int
    held: FloatArray | None = field(repr=False)

    @property
    def scores(self) -> FloatArray:
        """Activity, less its mean, along each component, (time, component) or (trial, time, component); in the unit of the data.

        They aren't held for activity that stayed in its file, and asking for them is a ValueError: see :meth:`project`.
        """
        if self.held is None:
            raise ValueError(
                "scores of activity that stays in its file aren't held in memory: ask for result.project(x), or have them "
                "written by result.project(x, out=dataset)"
            )
        return self.held

    def project(self, x: Any, *, out: Any = None) -> FloatArray:
        """Scores of `x`, which need not be the activity that gave the components, read in blocks if it is in a file.

        Parameters
        ----------
        x : array, or ``recording.lazy(key)``, or h5py.Dataset, shape (time, unit) or (trial, time, unit)
        out : array or h5py.Dataset, shape (time, component) or (trial, time, component), optional
            Where to write the scores, block by block. Without it they are made in memory: the size of x times components
            over units.

        Returns
        -------
        array (time, component) or (trial, time, component), or `out`
        """
        shape = shape_of(x, "x", axes=AXES)
        if shape[-1] != len(self.mean):
            raise ValueError(f"x has {shape[-1]} units, the components {len(self.mean)}: give the same units")
        wanted = (*shape[:-1], len(self.components))
        into = np.empty(wanted) if out is None else out
        if tuple(into.shape) != wanted:
            raise ValueError(f"out has shape {tuple(into.shape)}: the scores of x have {wanted}")
        row = 0
        for piece in blocks(x, "x", axes=AXES):
            scores = ((piece - self.mean) @ self.components.T).reshape(-1, *wanted[1:])
            into[row : row + len(scores)] = scores
            row += len(scores)
        return into

    def __str__(self) -> str:
        shares = ", ".join(f"{share:.1%}" for share in self.explained_ratio[:8])
        more = ", ..." if len(self.explained_ratio) > 8 else ""
        return (
            f"principal components of {len(self.mean)} units, {self.samples} samples: {shares}{more} of the variance, "
            f"{self.explained_ratio.sum():.1%} together; what chance would explain: pca_null"
        )


def pca(x: Any, components: int = 3) -> PCAResult:
    """Principal component analysis, exact; of activity in a file in passes over it.

    Parameters
    ----------
    x : array, or ``recording.lazy(key)``, or h5py.Dataset, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end; all samples share one mean. What is in a file is read in blocks of 32 MB: twice, for the
        covariance of up to 4096 units; with more of them three times, by scikit-learn's IncrementalPCA, which forgets
        at each block what lies outside the components found so far, and so is exact only where the rest is small.
    components : int
        At most the smaller of the number of samples and units.

    Returns
    -------
    PCAResult
        For what chance would explain, see :func:`pca_null`. Scores of activity in a file: :meth:`PCAResult.project`.

    Raises
    ------
    ValueError
        For NaN, fewer than 2 samples, activity that never varies, and too many components.
    """
    from sklearn.decomposition import PCA

    if in_file(x):
        return _streamed(x, components)
    values = floats(x, "x", axes=AXES)
    flat = _samples(values, 2)
    whole(components, "components", high=min(flat.shape))
    solver = "covariance_eigh" if flat.shape[0] > 4 * flat.shape[1] else "full"
    model = PCA(n_components=components, svd_solver=solver)
    scores = np.asarray(model.fit_transform(flat))
    return PCAResult(
        np.asarray(model.components_),
        np.asarray(model.explained_variance_ratio_),
        np.asarray(model.mean_),
        len(flat),
        scores.reshape(*values.shape[:-1], components),
    )


def _streamed(x: Any, components: int) -> PCAResult:
    samples, units = samples_and_units(x)
    whole(components, "components", high=min(samples, units))
    if units > _WIDEST:
        return _incremental(x, components)
    found = moments(x, shortest=2)
    values, vectors = np.linalg.eigh(found.products)
    rows = vectors[:, ::-1].T[:components]
    # The sign that scikit-learn chooses, so that a file gives what memory gives.
    rows = rows * np.sign(rows[np.arange(components), np.abs(rows).argmax(axis=1)])[:, None]
    shares = np.maximum(values[::-1][:components], 0.0) / values.sum()
    return PCAResult(rows, shares, found.mean, samples, None)


def _incremental(x: Any, components: int) -> PCAResult:
    from sklearn.decomposition import IncrementalPCA

    samples, units = samples_and_units(x)
    centre, _ = mean_and_scale(x, shortest=2)
    # More directions are carried along than asked for: what a block forgets is then small.
    carried = min(samples, units, max(2 * components, components + 20))
    model, waiting, total = IncrementalPCA(n_components=carried), [], 0.0
    for piece in blocks(x, "x", axes=AXES):
        total += float(np.sum((piece - centre) ** 2))
        waiting.append(piece)
        # A first batch must hold as many samples as components, and the last one may be short.
        if sum(map(len, waiting)) >= 2 * carried:
            model.partial_fit(np.concatenate(waiting))
            waiting = []
    if waiting:
        rest = np.concatenate(waiting)
        if len(rest) < carried and not hasattr(model, "components_"):
            model.set_params(n_components=len(rest))
        model.partial_fit(rest)
    shares = np.asarray(model.explained_variance_)[:components] * (samples - 1) / total
    return PCAResult(np.asarray(model.components_)[:components], shares, centre, samples, None)


def pca_null(
    x: Any, components: int = 3, *, kind: Surrogate = "shift", samples: int = 100, seed: int = 0
) -> NullTest[FloatArray]:
    """Share of variance per component, beside that of units made independent (parallel analysis).

    Parameters
    ----------
    x : array, or ``recording.lazy(key)``, or h5py.Dataset, shape (time, unit) or (trial, time, unit)
        Of what is in a file every k-th sample is taken, such that the copy stays within 128 MB, for observed and null alike.
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
    flat = _samples(_held(x, 2), 2)
    whole(components, "components", high=min(flat.shape))
    rng = np.random.default_rng(seed)
    draws = range(whole(samples, "samples"))
    null = np.stack([_shares(surrogate(flat, kind=kind, seed=rng), components) for _ in draws])
    return NullTest(_shares(flat, components), null)


def dimension_at(x: Any, share: float = 0.9) -> int:
    """Number of principal components whose variances together exceed a share of the total.

    Parameters
    ----------
    x : array, or ``recording.lazy(key)``, or h5py.Dataset, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end; all samples share one mean. What is in a file is read twice, in blocks.
    share : float
        Between 0 and 1.

    Returns
    -------
    int
        From 1 on. Khajehabdollahi et al. 2024 (ICLR, arXiv 2309.12927) publish the index of the component, counted
        from 0: one less, for each trial on its own, averaged over trials.

    Raises
    ------
    ValueError
        A share outside (0, 1), or activity of another shape.
    """
    share = number(share, "share", unit="", low=0, strict=True)
    if share >= 1:
        raise ValueError(f"share = {share!r}: below 1, such as 0.9")
    if in_file(x):
        eigenvalues = np.linalg.eigvalsh(_narrow_moments(x, 2).products)[::-1]
        shares = np.maximum(eigenvalues, 0.0) / eigenvalues.sum()
    else:
        flat = _samples(floats(x, "x", axes=AXES), 2)
        shares = _shares(flat, min(flat.shape))
    return int(np.searchsorted(np.cumsum(shares), share, side="right")) + 1


def participation_ratio(x: Any, *, bias_correction: bool = True) -> float:
    """Effective number of dimensions of activity, (tr C)^2 / tr C^2 with C the covariance of the units.

    Equal variance in d directions and none elsewhere gives d. With eigenvalues l of C the ratio is
    (sum l)^2 / sum l^2.

    Parameters
    ----------
    x : array, or ``recording.lazy(key)``, or h5py.Dataset, shape (time, unit) or (trial, time, unit)
        Trials are laid end to end. What is in a file is read twice, in blocks, up to 8192 units. Any scale of x gives the same ratio; the relative scale of units matters.
    bias_correction : bool
        The ratio of a sample covariance is too small, since tr S^2 is too large by about (tr C)^2 / T:
        independent units in T samples read as about 1 / (1/N + 1/T) dimensions. By default numerator and
        denominator are replaced by estimates that are unbiased for T independent samples of any
        distribution, with S the sample covariance (divisor T - 1) and ``Q = sum_t |x_t - mean|^4 / (T - 1)``::

            tr C^2   : c [(T-1)(T-2) tr S^2 + (tr S)^2 - T Q]
            (tr C)^2 : c [2 tr S^2 + (T^2 - 3T + 1)(tr S)^2 - T Q]
            with   c = (T-1) / (T (T-2) (T-3))

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
        For fewer than 4 samples (2 without correction), for activity that never varies, where the samples are
        too few for tr C^2 to be told from zero, and for more than 8192 units in a file.

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
    shortest = 4 if bias_correction else 2
    if not in_file(x):
        return _ratio(_samples(floats(x, "x", axes=AXES), shortest), bias_correction)
    found = _narrow_moments(x, shortest)
    return _ratio_of(found.products, found.fourth, found.samples, len(found.mean), bias_correction)


def participation_ratio_null(
    x: Any,
    *,
    bias_correction: bool = True,
    kind: Surrogate = "shift",
    samples: int = 100,
    seed: int = 0,
) -> NullTest[float]:
    """The participation ratio beside that of the same units made independent.

    A value well below the null says that units share fewer dimensions than their own variances and
    autocorrelations would give.

    Parameters
    ----------
    x, bias_correction
        As in :func:`participation_ratio`; of what is in a file every k-th sample is taken, such that the copy stays
        within 128 MB, for observed and null alike.
    kind : str
        As in :func:`surrogate`.
    samples, seed : int
        Number of surrogates, at least 1, and their seed.

    Returns
    -------
    NullTest, alternative "less"

    Notes
    -----
    Trials with a time course in common are periodic when laid end to end: units that are shifted then still share the
    few dimensions of that time course and its shifts, and the null is too low. It errs on the safe side, but says
    nothing about how many dimensions independent units would fill; for that permute trials, as :func:`dimension_course`
    does with a window as long as a trial.
    """
    shortest = 4 if bias_correction else 2
    flat = _samples(_held(x, shortest), shortest)
    rng = np.random.default_rng(seed)
    draws = range(whole(samples, "samples"))
    null = np.array([_ratio(surrogate(flat, kind=kind, seed=rng), bias_correction) for _ in draws])
    return NullTest(_ratio(flat, bias_correction), null, "less")


def _held(x: Any, shortest: int) -> FloatArray:
    return every_kth(x, shortest=shortest) if in_file(x) else floats(x, "x", axes=AXES)


def _narrow_moments(x: Any, shortest: int) -> Moments:
    units = samples_and_units(x)[1]
    if units > _WIDEST_RATIO:
        raise ValueError(
            f"x has {units} units in its file: up to {_WIDEST_RATIO} are taken there; load x, or take fewer units"
        )
    return moments(x, shortest=shortest)


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
    fourth = float(np.sum(np.sum((centred / np.abs(centred).max()) ** 2, axis=1) ** 2))
    return _ratio_of(_gram(flat), fourth, len(flat), flat.shape[1], bias_correction)


def _ratio_of(gram: FloatArray, fourth: float, t: int, units: int, bias_correction: bool) -> float:
    trace, trace_of_square = np.trace(gram), np.sum(gram * gram)
    if not bias_correction:
        return float(trace**2 / trace_of_square)
    # Factors common to both estimates cancel; products are those of S times (T - 1).
    square = (t - 1) * (t - 2) * trace_of_square + trace**2 - t * (t - 1) * fourth
    squared = 2 * trace_of_square + (t * t - 3 * t + 1) * trace**2 - t * (t - 1) * fourth
    # An average of squares by definition (over all four distinct samples), so only rounding takes it below
    # zero.
    if square <= 1e-10 * t * t * trace_of_square:
        raise ValueError(
            f"{t} samples of {units} units are too few to tell their dimension: "
            "give more samples, or bias_correction=False for a lower bound"
        )
    return float(squared / square)
