"""Analyses of the spikes of a population."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from neurodyn.analyses.table import Found, milliseconds, named, tested
from neurodyn.units import Time


def rates(spikes: Any, *, bin: Time = "5 ms", longest: Time = "10 s") -> Found:
    """Mean firing rate of each unit and the rate of the population over time.

    Parameters
    ----------
    bin : Time
        Of the population's rate.
    longest : Time
        That the figure shows, from the start on.
    """
    from neurodyn import analysis, plots

    width = milliseconds(bin, "bin")
    rates = analysis.firing_rates(spikes.ids, spikes.size, spikes.duration_ms)
    together = analysis.population_rate(spikes.times, spikes.size, stop=spikes.duration_ms, bin=width)
    low, middle, high = np.percentile(rates, [5, 50, 95])
    text = (
        f"{spikes.size} units, {len(spikes)} spikes in {spikes.duration_ms:g} ms: mean rate {rates.mean():.4g} Hz; over units "
        f"median {middle:.4g}, 5 to 95 % {low:.4g} to {high:.4g} Hz, {int((rates == 0).sum())} silent\n"
        "  (a mean needs no null; whether rates vary beyond chance: spikes, correlations)"
    )
    results = {
        "mean (Hz)": float(rates.mean()),
        "median (Hz)": float(middle),
        "silent units": int((rates == 0).sum()),
        "spikes": len(spikes),
    }
    at = (np.arange(len(together)) + 0.5) * width
    data = {
        "rate": named(rates, "unit", units="Hz"),
        "population_rate": named(together, "time", units="Hz", time=at),
    }
    stop = min(spikes.duration_ms, milliseconds(longest, "longest"))
    shown = spikes.between(0.0, stop)
    figure = plots.raster(shown.times, shown.ids, spikes.size, rate_bin=width, window=(0.0, stop))
    return Found(text, results, figure, data)


def spikes(
    spikes: Any,
    *,
    window: Time = "100 ms",
    refractory: Time = "5 ms",
    least: int = 10,
    surrogates: int = 100,
    seed: int = 0,
) -> Found:
    """How regularly units fire: CV, CV2, LV, LVR and Fano factor, beside Poisson and shuffled intervals.

    Parameters
    ----------
    window : Time
        Of the Fano factor.
    refractory : Time
        R of the LVR.
    least : int
        Spikes that a unit needs.
    surrogates : int
        Of each null.
    seed : int
        Of the surrogates.
    """
    from neurodyn import analysis
    from neurodyn.analysis.spikes.spiking import STATISTICS

    found = analysis.spike_statistics(
        spikes,
        window=milliseconds(window, "window"),
        refractory=milliseconds(refractory, "refractory"),
        least=least,
        samples=surrogates,
        seed=seed,
    )
    results: dict[str, Any] = {"mean rate (Hz)": float(found.rate.mean()), "units with enough spikes": found.enough}
    for name, test in found.poisson.items():
        results |= {f"{STATISTICS[name]}, median": test.observed, f"{STATISTICS[name]}, p of Poisson": test.p}
    results |= {f"{STATISTICS[name]}, p of shuffled intervals": test.p for name, test in found.renewal.items()}
    data = {name: named(getattr(found, name), "unit") for name in STATISTICS}
    data["rate"] = named(found.rate, "unit", units="Hz")
    return Found(str(found), results, found.plot(), data)


def correlations(
    spikes: Any,
    *,
    bin: Time = "50 ms",
    null: Literal["shift", "jitter"] = "shift",
    jitter: Time | None = None,
    units: int = 200,
    surrogates: int = 100,
    seed: int = 0,
) -> Found:
    """Correlations of spike counts between units and synchrony, beside units rotated or jittered in time.

    Parameters
    ----------
    bin : Time
        In which spikes are counted.
    null : str
        shift: each unit rotated in time; jitter: each spike moved within its window.
    jitter : Time
        The window of null=jitter.
    units : int
        At most so many of those that fire, drawn at random.
    surrogates : int
        Of the null.
    seed : int
        Of units and surrogates.
    """
    from neurodyn import analysis

    firing = np.flatnonzero(spikes.counts())
    chosen = np.sort(np.random.default_rng(seed).permutation(firing)[:units])
    trains = spikes.trains()
    found = analysis.count_correlations(
        [trains[unit] for unit in chosen],
        duration_ms=spikes.duration_ms,
        bin=milliseconds(bin, "bin"),
        null=null,
        jitter=None if jitter is None else milliseconds(jitter, "jitter"),
        samples=surrogates,
        seed=seed,
    )
    results: dict[str, Any] = {}
    for name in ("mean", "rms", "synchrony"):
        test = getattr(found, name)
        results |= {name: test.observed, f"{name}, p": test.p}
    matrix = named(found.matrix, "unit", "other", unit=chosen, other=chosen)
    text = f"{len(chosen)} of the {len(firing)} units that fire\n{found}"
    return Found(text, results, found.plot(), {"matrix": matrix})


def spectrum(spikes: Any, *, bin: Time = "1 ms", segment: Time = "1 s", surrogates: int = 100, seed: int = 0) -> Found:
    """Power spectra of spike trains and of the population, beside units rotated in time.

    Parameters
    ----------
    bin : Time
        In which spikes are counted: half of its inverse is the highest frequency.
    segment : Time
        Its inverse is the distance of frequencies.
    surrogates : int
        Of the null.
    seed : int
        Of the surrogates.
    """
    from neurodyn import analysis

    found = analysis.spike_spectrum(
        spikes, bin=milliseconds(bin, "bin"), segment=milliseconds(segment, "segment"), samples=surrogates, seed=seed
    )
    data = {
        "population": named(found.population, "frequency", units="1/s", frequency=found.frequency),
        "null": named(
            np.stack([found.null_low, found.null_mean, found.null_high]), "band", "frequency", frequency=found.frequency
        ),
        "mean_of_units": named(found.units.mean(axis=1), "frequency", units="1/s", frequency=found.frequency),
    }
    results = {"peak (Hz)": found.peak, **tested(found.test)}
    return Found(str(found), results, found.plot(), data)


ANALYSES: dict[str, Callable[..., Found]] = {
    "rates": rates,
    "spikes": spikes,
    "correlations": correlations,
    "spectrum": spectrum,
}
