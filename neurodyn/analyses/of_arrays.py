"""Analyses of activity over time, an array that may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from neurodyn.analyses.table import Found, Series, milliseconds, named, tested
from neurodyn.units import Time

_NULL_SAMPLES = (
    4000  # every k-th sample goes into the nulls of dimensions: a hundred surrogates of all would take hours
)


def pca(series: Series, *, components: int = 3, surrogates: int = 20, seed: int = 0) -> Found:
    """Principal components and their shares of the variance, beside those of units made independent.

    Parameters
    ----------
    components : int
        How many, at most the number of units.
    surrogates : int
        Of the null: each unit rotated in time on its own.
    seed : int
        Of the surrogates.
    """
    from neurodyn import analysis, plots

    found = analysis.pca(series.x, components)
    null = analysis.pca_null(series.thinned(_NULL_SAMPLES), components, samples=surrogates, seed=seed)
    high, p = np.atleast_1d(cast(Any, null.high)), np.atleast_1d(cast(Any, null.p))
    lines = [str(found)]
    lines += [
        f"  component {k + 1}: {share:.2%} of the variance; units rotated in time up to {high[k]:.2%}, p = {p[k]:.3g}"
        for k, share in enumerate(found.explained_ratio)
    ]
    results = {"share of variance": found.explained_ratio, "null, 95 %": high, "p": p}
    data = {
        "components": named(found.components, "component", "unit"),
        "mean": named(found.mean, "unit"),
        "share": named(found.explained_ratio, "component"),
        "share_null": named(null.null, "surrogate", "component"),
    }
    return Found("\n".join(lines), results, plots.pca(found, null=null), data)


def participation(series: Series, *, bias_correction: bool = True, surrogates: int = 50, seed: int = 0) -> Found:
    """Participation ratio, the effective number of dimensions, beside that of units made independent.

    The null is that of some thousand samples, spread evenly: a hundred surrogates of all would take hours.

    Parameters
    ----------
    bias_correction : bool
        For the number of samples, which it takes as independent.
    surrogates : int
        Of the null: each unit rotated in time on its own.
    seed : int
        Of the surrogates.
    """
    from neurodyn import analysis, plots

    ratio = analysis.participation_ratio(series.x, bias_correction=bias_correction)
    thinned = series.thinned(_NULL_SAMPLES)
    null = analysis.participation_ratio_null(thinned, bias_correction=bias_correction, samples=surrogates, seed=seed)
    text = f"participation ratio {ratio:.4g} of {series.x.shape[-1]} units, from all samples\n  of {int(np.prod(thinned.shape[:-1]))} of them, beside its null: {null}"
    results = {"ratio": ratio, **tested(null)}
    figure = plots.null_test(null, label="participation ratio (dimensions)", title="Dimensions")
    return Found(text, results, figure, {"null": named(null.null, "surrogate")})


def timescales(
    series: Series,
    *,
    units: int = 100,
    fit_lags: int = 30,
    longest: float = 100.0,
    surrogates: int = 10,
    seed: int = 0,
) -> Found:
    """Timescales of single units from their autocorrelations, beside those of AR(1) units.

    Parameters
    ----------
    units : int
        At most so many, spread evenly.
    fit_lags : int
        The longest lag that is fitted, in steps.
    longest : float
        Upper bound of the time constants, in steps.
    surrogates : int
        Populations of AR(1) units with the same correlation at lag 1.
    seed : int
        Of the surrogates.
    """
    from neurodyn import analysis, plots

    step, unit_of_time = series.step
    found = analysis.network_timescales(series.in_memory("timescales", units), fit_lags=fit_lags, longest=longest)
    null = analysis.ar1_null(found, samples=surrogates, seed=seed)
    test = null.test("median")
    text = (
        f"timescales of {len(found.tau)} units in steps of {step:g} {unit_of_time}; null: AR(1) units\n{null}\n"
        f"median {test}"
    )
    results = {**null.observed, **tested(test), f"median ({unit_of_time})": null.observed["median"] * step}
    data = {
        "tau": named(found.tau * step, "unit", units=unit_of_time, unit=series.picked(units)),
        "autocorrelation": named(found.autocorrelation, "lag", "unit", unit=series.picked(units)),
    }
    figure = plots.unit_timescales(found, null, dt=step, time_units=unit_of_time)
    return Found(text, results, figure, data)


def resonance(
    series: Series,
    *,
    frequency: float | None = None,
    amplitude: float = 1.0,
    start: Time = "0 ms",
    discard: Time = "0 ms",
    neighbours: int = 20,
    seed: int = 0,
) -> Found:
    """Response to a periodic drive: spectral amplification, lag and signal-to-noise ratio, beside neighbouring frequencies.

    Parameters
    ----------
    frequency : float
        Of the drive, in Hz; has to be given.
    amplitude : float
        Of the drive.
    start : Time
        Of the first sample, by the clock of the drive.
    discard : Time
        Left out at the beginning.
    neighbours : int
        Frequencies on each side that make the null.
    seed : int
        Of the bootstrap over units.
    """
    from neurodyn import analysis

    if frequency is None:
        raise ValueError("resonance needs the frequency of the drive in Hz: --set frequency=8")
    if series.dt_ms is None:
        raise ValueError(f"{series.key} has no times: resonance needs samples with their step in ms")
    if len(series.x.shape) != 2:
        raise ValueError(
            f"{series.key} has shape {tuple(series.x.shape)}: resonance takes (time, unit), without trials"
        )
    shared: dict[str, Any] = {"dt": series.dt_ms, "frequency": frequency / 1000.0, "seed": seed}
    shared["discard"] = milliseconds(discard, "discard")
    found = analysis.spectral_amplification(
        series.x, amplitude=amplitude, start=milliseconds(start, "start"), neighbours=neighbours, **shared
    )
    ratio = analysis.output_snr(series.x, **shared)
    text = f"{found}\n{ratio}"
    results = {
        "eta": found.eta,
        "eta, standard error": found.error,
        "eta, p": found.null.p,
        "lag (rad)": found.lag,
        "SNR (1/ms)": ratio.ratio,
        "SNR, standard error": ratio.error,
        "SNR, p": ratio.null.p,
    }
    data = {
        "spectrum": named(ratio.density, "frequency", frequency=ratio.frequencies * 1000.0),
        "phasors": named(found.phasors, "unit"),
    }
    return Found(text, results, ratio.plot(), data)


ANALYSES: dict[str, Callable[..., Found]] = {
    "pca": pca,
    "participation": participation,
    "timescales": timescales,
    "resonance": resonance,
}
