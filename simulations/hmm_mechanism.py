"""How trained networks emulate a hidden Markov model: orbits, zones, sensitivity, kick neurons and what depends on them.

Takes the recordings that ``simulations/hmm_emulation.py`` left beside its own, one for each network:
``neurodyn run simulations/hmm_mechanism.py --files runs/e.two.101.h5,runs/e.two.102.h5``. Every number that chance can
mimic stands beside its null. Figures are those of the first network.
"""

from __future__ import annotations

from pathlib import Path

from common.criteria import Criteria
from emulation import mechanism, thresholds
from emulation.families import SOURCE
from emulation.training import left_plateau, opened

import neurodyn as nd


@nd.simulation
def hmm_mechanism(
    *,
    files: tuple[Path, ...] = (),
    at: str = "best",
    states: int = 4000,
    interventions: bool = True,
    out: Path | None = None,
) -> nd.Outcome:
    """Take apart trained networks that emulate one hidden Markov model.

    Parameters
    ----------
    files : list of path
        Recordings of trainings, all on the same target.
    at : str
        Which snapshot: best, last, initial, or the number of an update.
    states : int
        Visited states, from which zones and kick neurons are found.
    interventions : bool
        Whether kick neurons are silenced and stimulated, the longest part.
    """
    runs = opened(files)
    snapshot = int(at) if at.isdigit() else at
    found, parts = Criteria(SOURCE), []
    waiting = [run for run in runs if not left_plateau(run)]
    for run in waiting:
        print(f"{run.recording.path}: still on the plateau of independent symbols, left out", flush=True)
    runs = [run for run in runs if run not in waiting]
    if not runs:
        raise ValueError("no network left the plateau: there is no mechanism; train for more updates, or other seeds")
    for run in runs:
        print(f"{run.recording.path}, {at}:", flush=True)
        parts.append(mechanism.taken_apart(run, snapshot, states=states, interventions=interventions))
    found.note({"networks": len(runs), "still on the plateau, left out": len(waiting)})
    thresholds.orbits(found, [p.orbits for p in parts])
    thresholds.zones(found, [p.zones for p in parts])
    mechanism.judged(found, parts)
    return nd.Outcome(found.results, found.checks, figures=mechanism.drawn(parts[0]))


if __name__ == "__main__":
    hmm_mechanism.main()
