"""Figures of emulation: of the network of each target whose divergence is the median."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import neurodyn as nd
from emulation.families import FAMILIES
from neurodyn import analysis, plots


def drawn(
    name: str,
    runs: Sequence[nd.TrainingRun],
    qualities: Sequence[analysis.EmulationQuality],
    onsets: Sequence[analysis.TrainingOnset],
    orbits: Sequence[analysis.DrivenOrbits],
    maps: Sequence[analysis.ResidenceMap],
) -> dict[str, Any]:
    """Return figures by name."""
    losses = [run.recording.results["best_loss"] for run in runs]
    k = int(np.argsort(losses)[len(losses) // 2])
    which = f"{name}, seed {runs[k].config['training']['seed']}"
    return {
        f"{name}_quality": plots.emulation(qualities[k], title=f"Symbols of a network and of its target ({which})"),
        f"{name}_training": plots.training_onset(
            onsets[k], target_change=FAMILIES[name].target.symbol_change, title=f"Loss at each snapshot ({which})"
        ),
        f"{name}_orbit": plots.driven_orbits(orbits[k], title=f"Path of {which}"),
        f"{name}_zones": plots.residence_zones(maps[k], title=f"States of {which}"),
    }
