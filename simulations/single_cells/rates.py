"""Steady rates of constant currents, in both schemes of 2003 and for two cells of 2007."""

from __future__ import annotations

import numpy as np

import neurodyn as nd
from neurodyn.models.izhikevich_2003 import TYPES_2003
from neurodyn.models.responses import respond, step_to
from single_cells import expected

LENGTH_MS, FROM_MS = 3000.0, 1000.0


def run(backend: str) -> nd.Outcome:
    """Rates from 1 s to 3 s against the published ones, and whole curves of rate over current."""
    checks = []
    rates = _rates(backend)
    for (kind, current), columns in expected.RATES_2003.items():
        for scheme, reference in zip(("euler, 0.01 ms", "half_steps, 1 ms"), columns, strict=True):
            # whole spikes in 2 s, and the 1-ms scheme fires irregularly at high drive
            share = 0.012 if scheme.startswith("euler") else 0.1
            checks.append(
                _rate(
                    f"2003/{kind}, I = {current:g}, {scheme}",
                    rates[scheme][kind, current],
                    reference,
                    1.01 + share * reference,
                )
            )
    for name, (dt, table) in {
        "2007/RS": (0.01, expected.RATES_RS),
        "2007/nicola_clopath": (0.04, expected.RATES_NICOLA_CLOPATH),
    }.items():
        measured = _steady(nd.cells(name).population("cells", len(table)), list(table), dt, "pA", backend)
        for (current, reference), value in zip(table.items(), measured, strict=True):
            checks.append(
                _rate(f"{name}, {current:g} pA, euler, {dt:g} ms", value, reference, 1.01 + 0.012 * reference)
            )
    sweep = np.array([0.0, 2, 3, 3.5, 3.75, 4, 4.5, 5, 6, 8, 10, 12, 14, 16, 18, 20])
    curves = _curves(sweep, backend)
    return nd.Outcome(checks=checks, data={"f-I: current": sweep, **{f"f-I: {k}": v for k, v in curves.items()}},
                      figures={"rates": _figure(sweep, curves)})  # fmt: skip


def _rate(name: str, value: float, reference: float, tolerance: float) -> nd.Check:
    threshold = f">= {max(0.0, reference - tolerance):.4g} and <= {reference + tolerance:.4g}"
    return nd.check(f"{name}: rate (Hz)", value, threshold, reference=reference, source=expected.MODELDB)


def _rates(backend: str) -> dict[str, dict[tuple[str, float], float]]:
    keys = list(expected.RATES_2003)
    a, b, c, d = (np.array([TYPES_2003[kind][k] for kind, _ in keys]) for k in range(4))
    found = {}
    for scheme, dt in (("euler", 0.01), ("half_steps", 1.0)):
        cells = nd.izhikevich_2003("cells", len(keys), cells=(a, b, c, d), scheme=scheme, v_start=-65.0)
        rates = _steady(cells, [current for _, current in keys], dt, "1", backend)
        found[f"{scheme}, {dt:g} ms"] = dict(zip(keys, rates, strict=True))
    return found


def _curves(sweep: np.ndarray, backend: str) -> dict[str, np.ndarray]:
    kinds = [kind for kind in ("RS", "IB", "CH", "FS", "LTS") for _ in sweep]
    a, b, c, d = (np.array([TYPES_2003[kind][k] for kind in kinds]) for k in range(4))
    curves = {}
    for scheme, dt in (("euler", 0.01), ("half_steps", 1.0)):
        cells = nd.izhikevich_2003("cells", len(kinds), cells=(a, b, c, d), scheme=scheme, v_start=-65.0)
        rates = _steady(cells, list(np.tile(sweep, 5)), dt, "1", backend)
        for kind, row in zip(("RS", "IB", "CH", "FS", "LTS"), np.reshape(rates, (5, -1)), strict=True):
            curves[f"{kind}, {scheme}"] = row
    return curves


def _steady(cells: nd.Population, currents: list[float], dt: float, unit: str, backend: str) -> np.ndarray:
    """Rates from 1 s to 3 s of constant currents, in Hz."""
    courses = [step_to(float(x)) for x in currents]
    found = respond(cells, courses, [LENGTH_MS] * len(courses), dt_ms=dt, unit=unit, backend=backend, states=())
    return np.array([np.sum(r.spikes_ms >= FROM_MS) for r in found]) / ((LENGTH_MS - FROM_MS) * 1e-3)


def _figure(sweep: np.ndarray, curves: dict[str, np.ndarray]) -> object:
    pairs = {
        kind: (curves[f"{kind}, euler"], curves[f"{kind}, half_steps"]) for kind in ("RS", "IB", "CH", "FS", "LTS")
    }
    return nd.plots.rates_against_current(
        sweep, pairs, names=("forward Euler, 0.01 ms", "published 1-ms half-steps"), unit="pseudo-units",
        title="Steady rates of the cells of 2003: two schemes, two answers",
    )  # fmt: skip
