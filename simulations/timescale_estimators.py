"""What estimators of timescales make of units whose timescale is known: one exponential, or two.

The published protocol (single or double exponential by AIC) gives many units with one exponential a second, long one.
Run it by ``neurodyn run simulations/timescale_estimators.py``; it makes the table of docs/timescales.md.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

import neurodyn as nd


@nd.simulation
def timescale_estimators(
    *,
    timescales: tuple[float, ...] = (1.4427, 5.0, 20.0),
    steps: int = 20_000,
    trials: int = 10,
    units: int = 200,
    seeds: int = 3,
    seed: int = 1,
) -> nd.Outcome:
    """Estimate known timescales by the published protocol, by the calibrated choice, and by the integrated timescale.

    Parameters
    ----------
    timescales : list of float
        Of units that are AR(1) processes, in steps; the population of two exponentials (3 and 25, .7 and .3) is added.
    steps, trials, units : int
        Length and number of trials, units of each population.
    seeds, seed : int
        Populations of each kind, and the first seed.
    """
    results, checks = {}, []
    kinds = {f"{tau:.4g}": [(1.0, tau)] for tau in timescales} | {"3 and 25": [(0.7, 3.0), (0.3, 25.0)]}
    for name, parts in kinds.items():
        rows = [described(parts, (trials, steps, units), seed + k) for k in range(seeds)]
        for key in rows[0]:
            results |= nd.spread(f"{name} steps: {key}", [row[key] for row in rows])
        truth = max(tau for _, tau in parts)
        median = float(np.mean([row["calibrated: median"] for row in rows]))
        checks.append(nd.check(f"{name} steps: calibrated median over the slow timescale", median / truth, ">= 0.95 and <= 1.05"))  # fmt: skip
        if len(parts) == 1:
            double = float(np.mean([row["calibrated: double"] for row in rows]))
            checks.append(nd.check(f"{name} steps: calibrated, share of false doubles", double, "<= 0.1", reference=0.05))  # fmt: skip
    return nd.Outcome(results, checks)


def described(parts: list[tuple[float, float]], shape: tuple[int, int, int], seed: int) -> dict[str, float]:
    """Return what the estimators say of units that are sums of AR(1) processes, given as (variance, timescale)."""
    rng = np.random.default_rng(seed)
    x = np.zeros(shape)
    for variance, tau in parts:
        phi = np.exp(-1 / tau)
        noise = rng.standard_normal(shape)
        noise[:, 1:] *= np.sqrt(1 - phi**2)
        x += np.sqrt(variance) * np.asarray(lfilter([1.0], [1.0, -phi], noise, axis=1))
    found = nd.analysis.network_timescales(x)
    row = {}
    for rule, result in (("AIC", found), ("calibrated", nd.analysis.calibrated_timescales(found))):
        summary = result.summary()
        row |= {f"{rule}: {key}": summary[key] for key in ("double", "mean", "median", "at_bound")}
    row["integrated: mean"] = float(np.nanmean(nd.analysis.integrated_timescale(x).tau))
    return row


if __name__ == "__main__":
    timescale_estimators.main()
