"""All that is asked of one trained network, and what several of them say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from common.criteria import Criteria

import neurodyn as nd
from neurodyn import analysis, plots

SIZES = (3, 10)  # kick neurons that are silenced or stimulated at a time


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
    arriving: analysis.KickNeurons
    arriving_wiring: analysis.KickConnectivity | None
    arriving_interventions: analysis.KickInterventions | None


def taken_apart(run: nd.TrainingRun, at: int | str, *, states: int, interventions: bool) -> Parts:
    """Analyse a network, and print every result.

    Kick neurons are open on the way alone; those of the loose criterion ("arriving") may stay open in the target's cluster.
    """
    net, target = run.network(at), run.task()
    zones = analysis.residence_map(net, states=states)
    kicks, arriving = (analysis.kick_neurons(net, zones, target=kind) for kind in ("closed", "any"))

    def wiring(found: analysis.KickNeurons) -> analysis.KickConnectivity | None:
        return analysis.kick_connectivity(net, found) if sum(len(g) > 0 for g in found.groups) > 1 else None

    def effects(found: analysis.KickNeurons) -> analysis.KickInterventions | None:
        some = interventions and any(len(group) for group in found.groups)
        return analysis.kick_interventions(net, found, sizes=SIZES) if some else None

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
        wiring=wiring(kicks),
        interventions=effects(kicks),
        arriving=arriving,
        arriving_wiring=wiring(arriving),
        arriving_interventions=effects(arriving),
    )
    for name, part in vars(parts).items():
        if part is not None:
            print(f"\n[{name.replace('_', ', ')}]\n{part}", flush=True)
    return parts


def judged(found: Criteria, parts: Sequence[Parts]) -> None:
    """A10 and A11, and the claims that are experiments and have no threshold."""
    ratio = [float(p.sensitivity.median[-1]) for p in parts]
    found.each("A10: spread after 5 steps, transition / cluster", ratio, "< 0.95", reference="0.54 to 0.85")
    _signs(found, "A11", [p.wiring for p in parts])
    _signs(found, "A11, arriving", [p.arriving_wiring for p in parts])
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
        for kind, kicks in (("kick", p.kicks), ("arriving", p.arriving)):
            for (s, t), count, chance in zip(kicks.directions, kicks.passing.observed, kicks.passing.p, strict=True):
                numbers |= {f"{kind} neurons {s} -> {t}": int(count), f"{kind} neurons {s} -> {t}: p": float(chance)}
        numbers["transitions with kick neurons beyond chance, of those allowed"] = len(
            [d for d in p.reuse.beyond_chance if d in p.reuse.allowed]
        ) / len(p.reuse.allowed)
        numbers |= _effects("kick", p.interventions) | _effects("arriving", p.arriving_interventions)
        rows.append(numbers)
    for name in dict.fromkeys(name for numbers in rows for name in numbers):
        values = [numbers.get(name, np.nan) for numbers in rows]
        small = 0 < np.nanmax(np.abs(values)) < 1e-3
        found.note({name: values} if small else nd.rounded({name: values}, 4))


def _signs(found: Criteria, label: str, wirings: Sequence[analysis.KickConnectivity | None]) -> None:
    """Mean weights of each kind beside random groups; in how many networks the sign is that expected, beyond chance."""
    tests = [wiring.tests for wiring in wirings if wiring is not None]
    for name in tests[0] if tests else ():
        expected = "> 0" if tests[0][name].expected > 0 else "< 0"
        nulls = [each[name].mean for each in tests]
        rows = {
            "mean weight": [np.nan if null is None else float(null.observed) for null in nulls],
            "p": [np.nan if null is None else float(null.p) for null in nulls],
        }
        found.note(nd.rounded({f"{label}: {name} ({expected}): {key}": values for key, values in rows.items()}, 4))
        if label == "A11" and name.endswith("to kick"):
            found.each(f"{label}: {name}, p against random groups", rows["p"], "< 0.05", reference=f"mean {expected}")


def _effects(kind: str, found: analysis.KickInterventions | None) -> dict[str, float]:
    """Leave rates over those of the intact network at the least and the greatest factor, beside random sets."""
    numbers: dict[str, float] = {}
    for d, (s, t) in enumerate(found.directions if found is not None else ()):
        assert found is not None
        for what in ("kick", "noise"):
            for size in found.sizes:
                for mu in (float(found.mu.min()), float(found.mu.max())):
                    test = found.test(what, d, size, mu)
                    if test is not None:
                        units = f"{size} {kind}" if what == "kick" else f"partners' noise of {size} {kind}"
                        label = f"leave rate {s} -> {t}, {units} x {mu:g}"
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
    if parts.arriving_wiring is not None:
        figures["arriving_connectivity"] = plots.kick_connectivity(parts.arriving_wiring)
    if parts.arriving_interventions is not None:
        title = "Interventions on units that may stay open in the target's cluster"
        figures["arriving_interventions"] = plots.kick_interventions(parts.arriving_interventions, title=title)
    return figures
