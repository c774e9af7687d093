"""Whether units fire together: correlations of counts, synchrony, and cross-correlation histograms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from .._checks import FloatArray, IntArray, choice, number, spike_times, whole
from .._result import Result
from ..nulls import Alternative, NullTest, surrogate
from ._spike_trains import Trains, bin_of, gathered, rotated

Kind = Literal["shift", "jitter"]
_ALTERNATIVES: tuple[Alternative, ...] = ("two-sided", "greater", "greater")


@dataclass(frozen=True, eq=False)
class CountCorrelations(Result, figure="count_correlations"):
    """Correlations of spike counts between units; ``print`` shows their mean, size and the synchrony beside the null.

    Attributes
    ----------
    matrix : array, shape (unit, unit)
        Pearson correlations of the counts, symmetric, 1 on the diagonal; NaN for units with too few spikes.
    mean, rms : NullTest of a number, two-sided and greater
        Mean and root mean square of the correlations over pairs: a shared tendency, and structure of any sign.
    synchrony : NullTest of a number, greater
        chi^2 = var(mean count over units) / mean over units of var(count): 1 / units for independent units of
        equal variance, 1 for units that do the same.
    units : array of int, shape (unit)
        The units that have spikes enough, of which all of this is taken.
    bin : float, ms
    bins : int
    kind : "shift" or "jitter"
        The null; `jitter` is its window in ms.
    """

    matrix: FloatArray
    mean: NullTest[float]
    rms: NullTest[float]
    synchrony: NullTest[float]
    units: IntArray
    bin: float
    bins: int
    kind: Kind
    jitter: float | None

    def __str__(self) -> str:
        how = "rotated in time" if self.kind == "shift" else f"moved within windows of {self.jitter:g} ms"
        return "\n".join(
            (
                f"counts of {len(self.units)} units in {self.bins} bins of {self.bin:g} ms; null: each unit {how}",
                f"  mean correlation   {self.mean}",
                f"  root mean square   {self.rms}",
                f"  synchrony chi^2    {self.synchrony}",
            )
        )


@dataclass(frozen=True, eq=False)
class CrossCorrelation(Result, figure="cross_correlation"):
    """How often one train fires some time after another; ``print`` shows the largest deviation from the null.

    Attributes
    ----------
    lag : array, shape (lag), ms
        Of bins; positive: the second train is later.
    counts : array of int, shape (lag)
        Pairs of spikes in bins that lie so far apart.
    rate : array, shape (lag), Hz
        Rate of the second train at that lag from a spike of the first: counts over spikes and bin.
    null_mean, null_low, null_high : array, shape (lag), Hz
        Mean, 5th and 95th percentile lag by lag.
    test : NullTest of a number, Hz
        Largest deviation over lags from the null's mean; one p-value for all lags.
    bin : float, ms
    kind : "shift" or "jitter"
    auto : bool
        Whether a train was compared with itself; a spike isn't counted with itself.
    """

    lag: FloatArray
    counts: IntArray
    rate: FloatArray
    null_mean: FloatArray
    null_low: FloatArray
    null_high: FloatArray
    test: NullTest[float]
    bin: float
    kind: Kind
    auto: bool

    def __str__(self) -> str:
        place = int(np.argmax(np.abs(self.rate - self.null_mean)))
        return (
            f"{'auto' if self.auto else 'cross-'}correlation histogram, {int(self.counts.sum())} pairs within "
            f"{self.lag[-1]:g} ms: {self.rate[place]:.3g} Hz at {self.lag[place]:g} ms, {self.null_mean[place]:.3g} Hz by the "
            f"null ({self.kind})\n  largest deviation (Hz) {self.test}"
        )


def count_correlations(
    spikes: Any,
    ids: ArrayLike | None = None,
    n: int | None = None,
    *,
    duration_ms: float | None = None,
    bin: float = 50.0,
    null: Kind = "shift",
    jitter: float | None = None,
    least: int = 10,
    samples: int = 100,
    seed: int = 0,
) -> CountCorrelations:
    """Pairwise correlations of spike counts and the synchrony of the population, with a null.

    Parameters
    ----------
    spikes, ids, n, duration_ms
        As for :func:`spike_statistics`.
    bin : float, ms
        Width of the bins; what is left at the end is not counted.
    null : "shift" or "jitter"
        "shift" rotates the counts of each unit by its own random number of bins: keeps each unit's own time course, and
        takes the recording as stationary. "jitter" moves each spike to anywhere within its window of `jitter` ms: keeps
        rates slower than that, and asks for correlations that are faster.
    jitter : float, ms
        Needed with null="jitter", above `bin`, and refused otherwise.
    least : int
        Units with fewer spikes are left out (NaN in the matrix).
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    CountCorrelations

    Raises
    ------
    ValueError
        As :func:`spike_statistics`, and where fewer than two units are left.

    Notes
    -----
    Counts in short bins correlate less than those in long ones, and sparse ones less than dense ones: compare only with
    the same bin, at like rates. Rates that drift together correlate all units; then take the jitter. Time goes as
    bins * units^2 * samples: of thousands of units take some.

    References
    ----------
    Cohen & Kohn 2011, Nat Neurosci 14:811. Synchrony: Golomb & Rinzel 1993, Phys Rev E 48:4810. Windows of jitter:
    Amarasingham et al. 2012, J Neurophysiol 107:517.
    """
    given = gathered(spikes, ids, n, duration_ms)
    given.bins(bin)
    width = _null_width(null, jitter, bin)
    rng = np.random.default_rng(seed)
    counts = given.binned(bin)
    units = np.flatnonzero((given.counts >= whole(least, "least")) & (np.ptp(counts, axis=0) > 0))
    if len(units) < 2:
        raise ValueError(
            f"{len(units)} of {len(given)} units have at least least = {least} spikes and counts that vary: two are needed"
        )
    counts, some = counts[:, units], given.only(units)
    matrix = np.full((len(given), len(given)), np.nan)
    matrix[np.ix_(units, units)] = np.corrcoef(counts.T)
    drawn = (
        _summary(
            surrogate(counts, kind="shift", seed=rng) if width is None else _jittered(some, width, rng).binned(bin),
        )
        for _ in range(whole(samples, "samples"))
    )
    null_values = np.array(list(drawn))
    mean, rms, synchrony = (
        NullTest(value, np.ascontiguousarray(null_values[:, k]), alternative)
        for k, (value, alternative) in enumerate(zip(_summary(counts), _ALTERNATIVES, strict=True))
    )
    return CountCorrelations(matrix, mean, rms, synchrony, units, float(bin), len(counts), null, jitter)


def cross_correlation(
    a: ArrayLike,
    b: ArrayLike | None = None,
    *,
    duration_ms: float,
    bin: float = 1.0,
    longest: float = 50.0,
    null: Kind = "jitter",
    jitter: float | None = None,
    samples: int = 200,
    seed: int = 0,
) -> CrossCorrelation:
    """Cross-correlation histogram of two spike trains (the autocorrelation histogram of one), with a null.

    C(k) = sum over t of N_a(t) N_b(t + k), with N the counts in bins; the rate of b at lag k is C(k) / (spikes of a * bin).

    Parameters
    ----------
    a, b : array, shape (spike), ms, in order
        Two trains; without `b`, `a` with itself.
    duration_ms : float
        How long was recorded, from time 0 on.
    bin : float, ms
    longest : float, ms
        Lags run from -longest to longest; below half of the recording.
    null : "jitter" or "shift"
        As for :func:`count_correlations`; it is the second train that is moved. A train against itself takes "jitter" alone,
        and is moved as a whole: the null then has no refractory period, and no rhythm faster than the window.
    jitter : float, ms
        The window of null="jitter", 20 bins if left out.
    samples, seed : int
        Number of surrogates, and the seed of their draws.

    Returns
    -------
    CrossCorrelation

    Raises
    ------
    ValueError
        Times out of order or outside [0, duration_ms), no spikes, numbers out of range.

    Notes
    -----
    Near the ends of the recording partners are missing: the rate at lag k is too low by k / duration, in the null as well
    with "jitter". Rates that vary together make broad peaks without any synapse; "jitter" keeps those out.

    References
    ----------
    Perkel, Gerstein & Moore 1967, Biophys J 7:419. Amarasingham et al. 2012, J Neurophysiol 107:517.
    """
    auto = b is None
    given = gathered([spike_times(a, "a"), spike_times(a if b is None else b, "b")], None, None, duration_ms)
    if not given.counts.all():
        raise ValueError(f"{'a' if not given.counts[0] else 'b'} has no spikes: there is nothing to correlate")
    bins = given.bins(bin)
    reach = int(np.floor(number(longest, "longest", low=bin) / bin + 1e-6))
    if 2 * reach >= bins:
        raise ValueError(f"longest = {longest:g} ms: below half of the {duration_ms:g} ms recorded")
    if auto and null == "shift":
        raise ValueError("null = 'shift': rotating one train alone changes nothing; take null='jitter'")
    jitter = 20.0 * bin if jitter is None and null == "jitter" else jitter
    width = _null_width(null, jitter, bin)
    rng = np.random.default_rng(seed)
    first = np.sort(_within(bin_of(given.train(0), bin), bins))
    second = given.only(np.array([1]))

    def counted(other: Trains) -> IntArray:
        binned = np.sort(_within(bin_of(other.times, bin), bins))
        if not auto:
            return _pairs(first, binned, reach)
        found = _pairs(binned, binned, reach)
        found[reach] -= binned.size
        return found

    counts = counted(second)
    surrogates = np.empty((whole(samples, "samples"), counts.size))
    for k in range(len(surrogates)):
        surrogates[k] = counted(rotated(second, rng) if width is None else _jittered(second, width, rng))
    to_hz = 1000.0 / (first.size * bin)
    rate, surrogates = counts * to_hz, surrogates * to_hz
    # Under the null data and surrogates are exchangeable, and stay so about a centre taken of both.
    centre = (rate + surrogates.sum(axis=0)) / (1 + len(surrogates))
    test = NullTest(float(np.abs(rate - centre).max()), np.abs(surrogates - centre).max(axis=1))
    low, high = np.percentile(surrogates, [5, 95], axis=0)
    lag = np.arange(-reach, reach + 1) * float(bin)
    return CrossCorrelation(lag, counts, rate, surrogates.mean(axis=0), low, high, test, float(bin), null, auto)


def _null_width(null: Kind, jitter: float | None, bin: float) -> float | None:
    """The window of the jitter; None for shifts."""
    choice(null, "null", ("shift", "jitter"))
    if (null == "jitter") != (jitter is not None):
        raise ValueError(f"null = {null!r}, jitter = {jitter!r}: give jitter in ms with null='jitter', and only then")
    return None if jitter is None else number(jitter, "jitter", low=bin, strict=True)


def _jittered(given: Trains, width: float, rng: np.random.Generator) -> Trains:
    """Each spike anywhere within its window, windows counted from 0."""
    start = bin_of(given.times, width) * width
    moved = start + rng.random(start.size) * np.minimum(width, given.duration_ms - start)
    return replace(given, times=moved)


def _within(where: IntArray, bins: int) -> IntArray:
    return where[where < bins]


def _pairs(first: IntArray, second: IntArray, reach: int) -> IntArray:
    """Pairs at each difference of bins, -reach to reach."""
    low = np.searchsorted(second, first - reach)
    number_of = np.searchsorted(second, first + reach, side="right") - low
    # the partners of all spikes, laid end to end
    start = np.repeat(low - np.concatenate(([0], np.cumsum(number_of)[:-1])), number_of)
    lag = second[start + np.arange(number_of.sum())] - np.repeat(first, number_of)
    return np.bincount(lag + reach, minlength=2 * reach + 1)


def _summary(counts: FloatArray) -> tuple[float, float, float]:
    """Mean and root mean square of the correlations over pairs, and chi^2; units that a surrogate leaves constant count as 0."""
    centred = counts - counts.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    scaled = centred / np.sqrt(np.where(variance > 0, variance, 1.0)) / np.sqrt(len(counts))
    units = counts.shape[1]
    squared = np.sum(scaled**2, axis=0)
    gram = scaled.T @ scaled if units < len(counts) else scaled @ scaled.T
    pairs = units * (units - 1)
    mean = (np.sum(scaled.sum(axis=1) ** 2) - squared.sum()) / pairs
    square = max((np.sum(gram**2) - np.sum(squared**2)) / pairs, 0.0)
    synchrony = np.var(counts.mean(axis=1)) / variance.mean()
    return float(mean), float(np.sqrt(square)), float(synchrony)
