"""The network of 2003, figure 3: 1000 randomly coupled cells, and the rhythms of their population rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.signal import welch

import neurodyn as nd
from neurodyn.analysis import binomial_interval
from single_cells.expected import MODELDB

EXCITATORY, INHIBITORY = 800, 200
SKIP_MS, SEGMENT_MS = 1000, 1000


def network(seed: int, *, recurrent: float = 1.0) -> nd.Circuit:
    """Return the network of the author's net.m: all to all, spikes felt for 1 ms, noise onto every cell."""
    cells = nd.izhikevich_2003(
        "cells",
        EXCITATORY + INHIBITORY,
        inhibitory=INHIBITORY / (EXCITATORY + INHIBITORY),
        current="where(inhibitory, 2, 5)*randn() + I_syn",
        tau_syn=None,
        v_start=-65.0,
    )
    weight = f"{recurrent}*where(inhibitory_pre, -1, 0.5)*rand()"
    return nd.Circuit([cells], [nd.Connection(cells, cells, "I_syn", weight=weight, pattern="all")], seed=seed)


def run(backend: str, seeds: Sequence[int], duration: str) -> nd.Outcome:
    """Rates and rhythms of networks, and of the same networks without recurrence."""
    length = float(nd.quantity(duration).value) * 1e3
    if length < SKIP_MS + SEGMENT_MS + 1000:
        raise ValueError(f"duration = {duration!r}: the spectrum needs at least 4 s")
    arms = {}
    for name, recurrent in (("recurrent", 1.0), ("uncoupled", 0.0)):
        runs = nd.simulate([network(s, recurrent=recurrent) for s in seeds], duration, backend=backend, progress=False)
        arms[name] = [measure(r["spikes"].times, r["spikes"].ids, length) for r in runs]
        if recurrent:
            first = runs[0]["spikes"]
    table = {arm: {key: np.array([m[key] for m in found]) for key in found[0]} for arm, found in arms.items()}
    coupled, alone = table["recurrent"], table["uncoupled"]
    checks, results = [], {}
    for key, values, low, high, reference in (
        ("rate of excitatory cells (Hz)", coupled["excitatory"], 6.5, 8.5, "7.27 to 7.42"),
        ("rate of inhibitory cells (Hz)", coupled["inhibitory"], 5.8, 7.8, "6.63 to 6.88"),
        ("frequency of the slow peak (Hz)", coupled["slow_at"], 6.0, 12.0, "8"),
        ("slow peak, times the median power", coupled["slow"], 8.0, np.inf, "14 to 26"),
        ("frequency of the fast peak (Hz)", coupled["fast_at"], 25.0, 45.0, "30 to 36"),
        ("fast peak, times the median power", coupled["fast"], 4.0, np.inf, "6 to 8"),
        ("uncoupled: slow peak, times the median power", alone["slow"], -np.inf, 2.5, "none"),
        ("uncoupled: fast peak, times the median power", alone["fast"], -np.inf, 2.5, "none"),
    ):
        threshold = " and ".join(
            f"{sign} {bound:g}" for sign, bound in ((">=", low), ("<=", high)) if np.isfinite(bound)
        )
        name, alone_meet = f"network, {key}", int(np.sum((values >= low) & (values <= high)))
        checks.append(
            nd.check(f"{name}, mean of seeds", float(values.mean()), threshold, reference=reference, source=MODELDB)
        )
        results |= _spread(name, values)
        interval = binomial_interval(alone_meet, len(values))
        results[f"{name}: seeds that meet it"] = (
            f"{alone_meet} of {len(values)} (95 %: {interval.low:.2f} to {interval.high:.2f})"
        )
    for kind in ("excitatory", "inhibitory"):
        results |= _spread(f"network, uncoupled: rate of {kind} cells (Hz)", alone[kind])
    spectra = {arm: np.stack([m["power"] for m in found]) for arm, found in arms.items()}
    frequency = arms["recurrent"][0]["frequency"]
    return nd.Outcome(
        results=results,
        checks=checks,
        data={"network: frequency": frequency, **{f"network: power, {arm}": p for arm, p in spectra.items()}},
        figures={
            "network": nd.plots.raster_and_spectrum(
                first.times,
                first.ids,
                EXCITATORY + INHIBITORY,
                groups={"excitatory": range(EXCITATORY), "inhibitory": range(EXCITATORY, EXCITATORY + INHIBITORY)},
                window=(SKIP_MS, SKIP_MS + 1000),
                frequency=frequency,
                power=spectra,
                title="1000 randomly coupled cells (Izhikevich 2003, figure 3)",
            )
        },
    )


def _spread(name: str, values: np.ndarray) -> dict[str, float]:
    deviation = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    numbers = {"mean": float(values.mean()), "SD": deviation, "min": float(values.min()), "max": float(values.max())}
    return {f"{name}: {kind}": value for kind, value in numbers.items()}


def measure(times: np.ndarray, ids: np.ndarray, length_ms: float) -> dict[str, np.ndarray | float]:
    """Rates after the first second, and peaks of the spectrum of the number of spikes in each ms."""
    late = times >= SKIP_MS
    seconds = (length_ms - SKIP_MS) * 1e-3
    counts = np.bincount(np.rint(times[late] - SKIP_MS).astype(int), minlength=round(length_ms - SKIP_MS))
    frequency, power = welch(counts - counts.mean(), fs=1000.0, nperseg=SEGMENT_MS)
    within = (frequency >= 2) & (frequency <= 100)
    power = power / np.median(power[within])
    found: dict[str, np.ndarray | float] = {
        "excitatory": float(np.sum(ids[late] < EXCITATORY) / EXCITATORY / seconds),
        "inhibitory": float(np.sum(ids[late] >= EXCITATORY) / INHIBITORY / seconds),
        "frequency": frequency[within],
        "power": power[within],
    }
    for name, (low, high) in {"slow": (4, 14), "fast": (25, 45)}.items():
        band = (frequency >= low) & (frequency <= high)
        found[name] = float(power[band].max())
        found[f"{name}_at"] = float(frequency[band][np.argmax(power[band])])
    return found
