"""All that is asked of one trained network, and what several of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from neurodyn import analysis, plots


@dataclass
class Parts:
    """What was found in one network; None where it has too few kick neurons for it."""

    orbits: analysis.DrivenOrbits
    zones: analysis.ResidenceMap
    relaxation: analysis.NoiseFree
    size: analysis.SizeAgainstNoise
    readout: analysis.ReadoutGeometry
    spectra: analysis.SwitchSpectra
    sensitivity: analysis.NoiseSensitivity
    onset: analysis.TrainingOnset | None
    kicks: analysis.KickNeurons
    reuse: analysis.ModularReuse
    wiring: analysis.KickConnectivity | None
    interventions: analysis.KickInterventions | None


def taken_apart(run: nd.TrainingRun, at: int | str, *, states: int, interventions: bool) -> Parts:
    """Analyse a network, and print every result."""
    net, target = run.network(at), run.task()
    zones = analysis.residence_map(net, states=states)
    kicks = analysis.kick_neurons(net, zones)
    with_kicks = [group for group in kicks.groups if len(group)]
    parts = Parts(
        orbits=analysis.driven_orbits(net, target=target),
        zones=zones,
        relaxation=analysis.noise_free(net),
        size=analysis.size_against_noise(net),
        readout=analysis.readout_geometry(net),
        spectra=analysis.switch_spectra(net),
        sensitivity=analysis.noise_sensitivity(net),
        onset=analysis.training_onset(run) if run.snapshots else None,
        kicks=kicks,
        reuse=analysis.modular_reuse(net, target, residence=zones, kicks=kicks),
        wiring=analysis.kick_connectivity(net, kicks) if len(with_kicks) > 1 else None,
        interventions=analysis.kick_interventions(net, kicks) if interventions and with_kicks else None,
    )
    for name, part in vars(parts).items():
        if part is not None:
            print(f"\n[{name}]\n{part}", flush=True)
    return parts


def judged(found: Criteria, parts: Sequence[Parts]) -> None:
    """A10 and A11, and the claims that are experiments and have no threshold."""
    ratio = [float(p.sensitivity.median[-1]) for p in parts]
    found.each("A10: spread after 5 steps, transition / cluster", ratio, "< 0.95", reference="0.54 to 0.85")
    signs = [p.wiring.tests for p in parts if p.wiring is not None]
    for name in signs[0] if signs else ():
        nulls, expected = [tests[name].mean for tests in signs], "> 0" if signs[0][name].expected > 0 else "< 0"
        means = [np.nan if null is None else float(null.observed) for null in nulls]
        chance = [np.nan if null is None else float(null.p) for null in nulls]
        found.note(nd.rounded({f"A11: {name}, p against random groups": chance}, 4))
        if name.endswith("to kick"):
            found.each(f"A11: {name}, mean weight", means, expected, reference="sign")
        else:
            found.note(nd.rounded({f"A11: {name}, mean weight (expected {expected})": means}, 4))
    rows = []
    for p in parts:
        numbers: dict[str, float] = {
            "norm after 500 steps without noise": float(np.median(p.relaxation.ratio)),
            "fixed points without noise": len(p.relaxation.fixed_points),
            "size / noise: largest departure from its mean": p.size.departure,
            "unstable eigenvalues at switches, with noise": float(p.spectra.unstable_with_noise.mean()),
            "unstable eigenvalues elsewhere, with noise": float(p.spectra.elsewhere_with_noise[0]),
        }
        for k, length in enumerate(p.readout.lengths.observed):
            numbers[f"readout axis {k} in the principal plane"] = float(length)
        for (s, t), count, chance in zip(p.kicks.directions, p.kicks.passing.observed, p.kicks.passing.p, strict=True):
            numbers |= {f"kick neurons {s} -> {t}": int(count), f"kick neurons {s} -> {t}: p": float(chance)}
        numbers["transitions with kick neurons beyond chance, of those allowed"] = len(
            [d for d in p.reuse.beyond_chance if d in p.reuse.allowed]
        ) / len(p.reuse.allowed)
        if p.interventions is not None:
            numbers |= _effects(p.interventions)
        rows.append(numbers)
    for name in dict.fromkeys(name for numbers in rows for name in numbers):
        values = [numbers.get(name, np.nan) for numbers in rows]
        small = 0 < np.nanmax(np.abs(values)) < 1e-3
        found.note({name: values} if small else nd.rounded({name: values}, 4))


def _effects(found: analysis.KickInterventions) -> dict[str, float]:
    """Leave rates over those of the intact network at the least and the greatest factor, beside random sets."""
    numbers: dict[str, float] = {}
    for d, (s, t) in enumerate(found.directions):
        for kind in ("kick", "noise"):
            for size in found.sizes:
                for mu in (float(found.mu.min()), float(found.mu.max())):
                    test = found.test(kind, d, size, mu)
                    if test is not None:
                        label = f"leave rate {s} -> {t}, {kind} of {size} x {mu:g}"
                        numbers |= {label: float(test.observed), f"{label}: p": float(test.p)}
    return numbers


def drawn(parts: Parts) -> dict[str, Any]:
    """Return the figures of one network."""
    figures = {
        "orbit": plots.driven_orbits(parts.orbits),
        "zones": plots.residence_zones(parts.zones),
        "noise_free": plots.noise_free(parts.relaxation),
        "size": plots.size_against_noise(parts.size),
        "readout": plots.readout_geometry(parts.readout),
        "spectra": plots.switch_spectra(parts.spectra),
        "sensitivity": plots.noise_sensitivity(parts.sensitivity),
        "kicks": plots.kick_neurons(parts.kicks),
        "reuse": plots.modular_reuse(parts.reuse),
    }
    if parts.onset is not None:
        figures["onset"] = plots.training_onset(parts.onset)
    if parts.wiring is not None:
        figures["connectivity"] = plots.kick_connectivity(parts.wiring)
    if parts.interventions is not None:
        figures["interventions"] = plots.kick_interventions(parts.interventions)
    return figures
