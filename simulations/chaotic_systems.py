"""Chaos told from rest: a bank of systems beside published exponents, and random rate networks below and above a gain of 1.

Run it by ``neurodyn run simulations/chaotic_systems.py --quick``. ``--out`` keeps the numbers with the figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

import neurodyn as nd
from neurodyn import analysis
from neurodyn.models import chaotic

#: orbits, steps, exponents, steps between orthonormalisations
_QUICK = {
    "logistic": (100, 400, 1, 1),
    "henon": (50, 600, 2, 1),
    "ikeda": (50, 600, 2, 1),
    "standard": (50, 400, 2, 1),
    "lorenz63": (100, 1500, 3, 5),
}
_FULL = {
    "logistic": (100, 2000, 1, 1),
    "henon": (100, 2000, 2, 1),
    "ikeda": (100, 2000, 2, 1),
    "standard": (100, 2000, 2, 1),
    "lorenz63": (200, 4000, 3, 5),
    "roessler": (60, 10_000, 3, 5),
    "lorenz96": (4, 4000, 40, 5),
    "mackey_glass": (30, 10_000, 6, 5),
}
#: of the largest exponent: U4 asks for 0.01 of the first two
_TOLERANCE = {
    "logistic": 0.01,
    "henon": 0.01,
    "ikeda": 0.01,
    "standard": 0.05,
    "lorenz63": 0.02,
    "roessler": 0.005,
    "lorenz96": 0.1,
    "mackey_glass": 0.001,
}
_GAINS = (0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 2.5, 3.0)
_BELOW, _ABOVE = 0.8, 2.0
_SCS = "Sompolinsky, Crisanti & Sommers 1988, PRL 61:259"


@nd.simulation
def chaotic_systems(
    *,
    experiment: Literal["all", "bank", "gain", "points"] = "all",
    quick: bool = False,
    networks: int = 0,
    units: int = 0,
    seed: int = 1,
    out: Path | None = None,
) -> nd.Outcome:
    """Measure Lyapunov exponents of known systems and of random networks, and the fixed points beside them.

    Parameters
    ----------
    experiment : str
        "bank": chaotic systems beside published exponents. "gain": largest exponents of random rate networks against
        their gain. "points": fixed points of networks of half as many units at gains 0.8 and 2. "all": these three.
    quick : bool
        Maps and the Lorenz system alone, fewer and smaller networks.
    networks, units : int
        Random networks, and their units; 0 means 10 of 400, and 3 of 300 if quick. "gain" needs at least 2 networks.
    seed : int
        Of orbits and networks.
    """
    networks, units = networks or (3 if quick else 10), units or (300 if quick else 400)
    wanted = ("bank", "gain", "points") if experiment == "all" else (experiment,)
    if "gain" in wanted and networks < 2:
        raise ValueError(f"networks = {networks}: give at least 2, so that exponents have a spread")
    results: dict[str, Any] = {}
    checks: list[Any] = []
    figures: dict[str, Any] = {}
    if "bank" in wanted:
        _bank(_QUICK if quick else _FULL, seed, results, checks, figures)
    if "gain" in wanted:
        _gain(networks, units, quick, seed, results, checks, figures)
    if "points" in wanted:
        _points(networks, units, quick, seed, results, checks, figures)
    return nd.Outcome(results=results, checks=checks, figures=figures)


def _bank(sizes: Any, seed: int, results: Any, checks: Any, figures: Any) -> None:
    spectra = {}
    for name, (orbits, steps, count, every) in sizes.items():
        system = chaotic.system(name)
        assert system.published is not None
        start = system.start(orbits, seed=seed)
        found = analysis.lyapunov_exponents(
            system.step, start, steps=steps, discard=500, count=count, every=every, dt=system.dt
        )
        spectra[name] = found
        mean, known = found.exponents.mean(axis=0), system.published.exponents
        results |= nd.rounded({f"{name}: exponents": mean[:4].tolist()}, 5)
        results |= nd.rounded({f"{name}: published": list(known)}, 5)
        if orbits > 1:
            results |= nd.rounded({f"{name}: SE of the largest": float(found.largest.std(ddof=1) / orbits**0.5)}, 5)
        results |= nd.rounded({f"{name}: Kaplan-Yorke dimension": float(found.kaplan_yorke.mean())}, 4)
        off = float(abs(mean[0] - known[0]))
        label = f"{name}: largest exponent, off by"
        checks.append(nd.check(label, off, f"<= {_TOLERANCE[name]}", source=system.published.source))
    maps = {k: v for k, v in spectra.items() if chaotic.system(k).kind == "map" and v.dt == 1}
    figures["maps"] = nd.plots.lyapunov_exponents(maps, title="Chaotic maps")
    figures["lorenz63"] = spectra["lorenz63"].plot(time_units="unit of time", title="The Lorenz system")


def _gain(networks: int, units: int, quick: bool, seed: int, results: Any, checks: Any, figures: Any) -> None:
    sweep = analysis.gain_sweep(
        (0.8, 1.5, 3.0) if quick else _GAINS,
        units=units,
        networks=networks,
        steps=600 if quick else 3000,
        discard=600 if quick else 2000,
        seed=seed,
    )
    for k, gain in enumerate(sweep.gains):
        results |= nd.rounded({f"gain {gain:g}: largest exponents": sweep.largest[k].tolist()}, 4)
        results |= nd.rounded({f"gain {gain:g}: share chaotic": float(sweep.chaotic[k])}, 3)
    below, above = sweep.gains < 0.9, sweep.gains >= 2
    rest = float(np.abs(sweep.largest - np.log1p(0.1 * sweep.at_origin) / 0.1)[below].max())
    checks.append(nd.check("below 1: exponent off that of the origin by", rest, "<= 0.03", source="linear"))
    checks.append(nd.check("below 1: share chaotic", float(sweep.chaotic[below].max()), "<= 0", source=_SCS))
    checks.append(nd.check("from 2 on: share chaotic", float(sweep.chaotic[above].min()), ">= 0.9", source=_SCS))
    figures["gain"] = sweep.plot()


def _points(networks: int, units: int, quick: bool, seed: int, results: Any, checks: Any, figures: Any) -> None:
    """Fixed points of the same circuits, from starts on their orbits, beside the exponent."""
    for gain in (_BELOW, _ABOVE):
        fixed, slow, stable, exponents = [], [], [], []
        found = None
        for k in range(networks):
            net = nd.RateReservoir(
                units // 2, connection_probability=1.0, gain=gain, noise=0.0, dt="5 ms", seed=seed + k
            )
            step = net.step_function(noise="off")
            state = step.start[None]
            states = []
            for _ in range(2000 if quick else 4000):
                state = step(state)
                states.append(state[0])
            starts = torch.stack(states[:: 40 if quick else 20])
            found = analysis.fixed_points(step, starts)
            fixed.append(int(found.fixed.sum()))
            slow.append(int((~found.fixed).sum()))
            stable.append(sum(name.startswith("stable") for name in np.array(found.stability)[found.fixed]))
            largest = analysis.lyapunov_exponents(step, state, steps=1000, discard=0, every=5, dt=0.1).largest[0]
            exponents.append(float(largest))
        results[f"gain {gain:g}: fixed points"] = fixed
        results[f"gain {gain:g}: slow points"] = slow
        results[f"gain {gain:g}: stable ones"] = stable
        results |= nd.rounded({f"gain {gain:g}: exponent beside them": exponents}, 4)
        assert found is not None
        figures["points_below" if gain < 1 else "points_above"] = found.plot(title=f"A rate network of gain {gain:g}")
        if gain < 1:
            met = np.mean([f == 1 and s == 1 for f, s in zip(fixed, stable, strict=True)])
            checks.append(nd.check("gain 0.8: share with one point, and it stable", float(met), ">= 1", source=_SCS))
        else:
            met = np.mean([s == 0 for s, e in zip(stable, exponents, strict=True) if e > 0.02] or [1.0])
            checks.append(nd.check("gain 2: share of chaotic ones without a stable point", float(met), ">= 0.9"))


if __name__ == "__main__":
    chaotic_systems.main()
