"""Single cells against published numbers: patterns, spike counts, rates, bifurcations, schemes, and the network of 2003.

``neurodyn run simulations/izhikevich_patterns.py --set experiment=patterns`` runs one part, "all" everything. What is
published about Izhikevich's cells depends on the numerical scheme, so every check names its scheme and step.
"""

from __future__ import annotations

from typing import Literal

from single_cells import bifurcations, cells, network, patterns, rates, schemes

import neurodyn as nd


@nd.simulation
def izhikevich_patterns(
    *,
    experiment: Literal["patterns", "cells", "rates", "bifurcations", "schemes", "network", "all"] = "all",
    seeds: int = 5,
    seed: int = 1,
    duration: nd.Time = "10 s",
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
) -> nd.Outcome:
    """Compare cells of Izhikevich (2003, 2004, 2007) with their published spikes, rates and bifurcations.

    Parameters
    ----------
    experiment : str
        "patterns": the twenty of 2004. "cells": figure 2 of 2003, the book of 2007. "rates": of constant
        currents. "bifurcations": where rest ends. "schemes": those of other simulators beside ours. "network": 1000
        cells and their rhythms. "all": all of them.
    seeds : int
        Number of networks.
    seed : int
        Seed of the first.
    duration : time
        How long each network runs, at least 4 s.
    backend : str
        Runner. All give the same numbers.
    """
    parts = {
        "patterns": lambda: patterns.run(backend),
        "cells": lambda: cells.run(backend),
        "rates": lambda: rates.run(backend),
        "bifurcations": lambda: bifurcations.run(backend),
        "schemes": lambda: schemes.run(backend),
        "network": lambda: network.run(backend, range(seed, seed + seeds), duration),
    }
    found = [run() for name, run in parts.items() if experiment in (name, "all")]
    return nd.Outcome(
        results={name: value for part in found for name, value in part.results.items()},
        checks=[check for part in found for check in part.checks],
        data={name: value for part in found for name, value in part.data.items()},
        figures={name: figure for part in found for name, figure in part.figures.items()},
    )


if __name__ == "__main__":
    izhikevich_patterns.main()
