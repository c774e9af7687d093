"""What the meta-prior of a PV-RNN decides: chaos that knows its sequences by heart, a random process, or what lies between.

Networks learn sequences of a machine with one probabilistic choice (Ahmadi & Tani 2019), all meta-priors and seeds as one
batch. E1: few sequences, and what a network remembers of them. E2: more of them, and how well it generates others. E6: what
the learned prior and the cheap first step are for. Run it by ``neurodyn run simulations/pvrnn_meta_prior.py --quick``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from pvrnn import meta_prior_checks as checks
from pvrnn.machine import ABLATIONS, MAIN, SMALL, Arm, Sweep, floors, trained

import neurodyn as nd
from neurodyn import plots

E1_META_PRIORS = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5)
E2_META_PRIORS = (1.0, 0.3, 0.1, 0.05, 0.025, 0.01, 1e-3, 1e-4, 1e-5)
E6_META_PRIORS = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4)
QUICK = (0.1, 1e-4)


@nd.simulation
def pvrnn_meta_prior(
    *,
    quick: bool = False,
    experiment: Literal["all", "E1", "E2", "E6"] = "all",
    updates: int = 0,
    seeds: int = 3,
    seed: int = 11,
    data_seed: int = 11,
    out: Path | None = None,
) -> nd.Outcome:
    """Train PV-RNNs at many meta-priors on a probabilistic machine, and see what they generate, and by what means.

    Parameters
    ----------
    quick : bool
        Two meta-priors on the small set and five on the main one, for a tenth of the updates.
    experiment : str
        E1, E2, E6 or all.
    updates : int
        Updates of a training; 0 means 50 000 in E1 and E6, 40 000 in E2, and 20 000 and 4000 if quick.
    seeds, seed : int
        Networks at each meta-prior, and the first seed; thresholds were set on others.
    data_seed : int
        Seed of training sets and held-out sequences.
    """
    found, chosen, figures, tables = checks.Checks(), range(seed, seed + seeds), {}, {}

    def sweep(name: str, arm: Arm, meta_priors: tuple[float, ...], wanted: int) -> Sweep:
        place = None if out is None else out.with_name(f"{out.stem}.{name.replace(' ', '-')}.h5")
        made = trained(arm, meta_priors, chosen, updates=updates or wanted, data_seed=data_seed, out=place)
        tables[name] = made.table
        return made

    if experiment in ("all", "E1") or (experiment == "E6" and not quick):
        small = sweep("E1", SMALL, QUICK if quick else E1_META_PRIORS, 20_000 if quick else 50_000)
        if quick:
            checks.ordering(found, small)
        elif experiment != "E6":
            checks.memorisation(found, small)
        figures["memorisation"] = plots.meta_prior(small.table, length=small.data.shape[1])
    if experiment in ("all", "E2"):
        main = sweep("E2", MAIN, E2_META_PRIORS[::2] if quick else E2_META_PRIORS, 4000 if quick else 40_000)
        own = floors(MAIN, main.data, data_seed)
        if not quick:
            checks.generalisation(found, main, own)
        figures["generalisation"] = plots.meta_prior(
            main.table,
            length=main.data.shape[1],
            references={
                "divergence": own["entropy rate"],
                "word_divergence": own["training set: word divergence"],
                "negative_log_likelihood": own["machine: negative log-likelihood of held-out symbols"],
                "p_branch": own["training set: p(1 at the choice)"],
            },
        )
    if experiment in ("all", "E6") and not quick:
        for name, arm in ABLATIONS.items():
            made = sweep(name, arm, E6_META_PRIORS, 50_000)
            checks.ablation(found, name, made, small)
            figures[f"without-{name.split()[0]}"] = plots.meta_prior(made.table, length=made.data.shape[1])
    if experiment == "E6" and quick:
        raise ValueError("experiment = 'E6' with quick: the ablations need whole trainings; leave --quick out")
    data = {f"{name}, {column}": np.asarray(table[column]) for name, table in tables.items() for column in table}
    return nd.Outcome(found.results, found.checks, data, figures)


if __name__ == "__main__":
    pvrnn_meta_prior.main()
