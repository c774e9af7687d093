"""The twenty patterns, in the scheme and step of the published figure and converged."""

from __future__ import annotations

import numpy as np

import neurodyn as nd
from neurodyn.models import patterns
from neurodyn.models.responses import Response
from single_cells.expected import MODELDB, OSB, PATTERNS, SUBSTITUTED, TONIC_OSB


def run(backend: str) -> nd.Outcome:
    """Run all patterns and compare number and first time of their spikes."""
    listed = patterns.respond(backend=backend)
    fine = patterns.respond(dt_ms=patterns.FINE_DT_MS, backend=backend)
    substituted = patterns.respond([patterns.pattern(k).fine() for k in SUBSTITUTED], backend=backend)
    checks, results = [], {}
    for letter, p in patterns.PATTERNS.items():
        count, first, fine_count, fine_first = PATTERNS[letter]
        name = f"pattern {letter}, {p.title}"
        # A count that depends on the last bit of arithmetic would be no fact: these are the same on every machine.
        checks += _facts(f"{name}, sequential, {p.dt_ms:g} ms", listed[letter], count, first, p.dt_ms / 2)
        loose = 1 if letter == "E" else 0
        checks += _facts(f"{name}, sequential, 0.01 ms", fine[letter], fine_count, fine_first, 0.06, loose=loose)
        if letter in SUBSTITUTED:
            count, time = SUBSTITUTED[letter]
            checks += _facts(f"{name}, substituted, 0.01 ms", substituted[letter], count, time, 0.06)
        for kind, found in (("figure", listed), ("0.01 ms", fine), ("substituted", substituted)):
            if letter in found:
                results[f"{name}, {kind}: spikes (ms)"] = _shortened(found[letter])
    # OSB's times are of v crossing 0 mV, ours of the step in which v passed 30 mV: at most two steps apart
    checks.append(apart("pattern A against Open Source Brain", listed["A"].spikes_ms, TONIC_OSB, 0.5))
    return nd.Outcome(
        results=results,
        checks=checks,
        figures={
            "patterns": nd.plots.panels_of_patterns(
                listed,
                titles={k: p.title for k, p in patterns.PATTERNS.items()},
                title="Twenty firing patterns of Izhikevich (2004), in the scheme and steps of the published figure",
            )
        },
    )


def _facts(
    name: str, response: Response, count: int, first: float | None, tolerance: float, *, loose: int = 0
) -> list[nd.Check]:
    threshold = f"== {count}" if not loose else f">= {count - loose} and <= {count + loose}"
    checks = [nd.check(f"{name}: spikes", len(response.spikes_ms), threshold, reference=count, source=MODELDB)]
    if first is not None:
        time = float(response.spikes_ms[0]) if len(response.spikes_ms) else np.nan
        threshold = f">= {first - tolerance:.6g} and <= {first + tolerance:.6g}"
        checks.append(nd.check(f"{name}: first spike (ms)", time, threshold, reference=first, source=MODELDB))
    return checks


def apart(name: str, found: np.ndarray, reference: list[float], tolerance: float) -> nd.Check:
    """The largest distance of corresponding spikes; NaN, which fails, if there is another number of them."""
    same = len(found) == len(reference)
    distance = float(np.max(np.abs(found - np.array(reference)))) if same else np.nan
    return nd.check(f"{name}: largest distance (ms)", distance, f"<= {tolerance:g}", reference=0.0, source=OSB)


def _shortened(response: Response) -> list[float]:
    return [float(t) for t in np.round(response.spikes_ms[:30], 3)]
