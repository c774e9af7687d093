"""A PV-RNN of two layers learns joint angles with probabilistic switching, as those of a robot that imitates.

An experiment without thresholds: five joints follow movements that start and end in a common posture; after A comes B or C.
Reported are what is generated at three meta-priors, and predictions of unseen sequences by error regression, with one joint
unseen as well. Run it by ``neurodyn run simulations/pvrnn_joints.py --quick``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pvrnn.meta_prior_checks import Checks
from pvrnn.movements import FIRST, HORIZON, MEASURES, Data, empirical, free_running, predicted, trained

import neurodyn as nd
from neurodyn import analysis, plots

META_PRIORS = (0.5, 0.05, 1e-3)


@nd.simulation
def pvrnn_joints(
    *,
    quick: bool = False,
    updates: int = 0,
    joints: int = 5,
    seeds: int = 3,
    seed: int = 11,
    data_seed: int = 11,
    out: Path | None = None,
) -> nd.Outcome:
    """Train PV-RNNs on joint angles, let them generate, and let them predict what they have not seen.

    Parameters
    ----------
    quick : bool
        A tenth of the updates.
    updates : int
        Updates of a training; 0 means 30 000, and 3000 if quick.
    joints : int
        Dimensions of the data.
    seeds, seed : int
        Networks at each meta-prior, and the first seed.
    data_seed : int
        Seed of the training set and unseen sequences.
    """
    task = nd.tasks.JointAngles(joints=joints)
    data, found = Data.of(task, sequences=8, length=160, unseen=6, seed=data_seed), Checks()
    movers = trained(
        data,
        nd.SoftmaxCoding(dims=joints),
        META_PRIORS,
        range(seed, seed + seeds),
        updates=updates or (3000 if quick else 30_000),
        out=None if out is None else out.with_name(f"{out.stem}.training.h5"),
    )
    found.note({"training set, P(B after A)": empirical(data)})
    persistence = analysis.persistence_error(data.unseen, horizons=HORIZON, first=FIRST).error
    found.note({"persistence, squared error by horizon": persistence.tolist()})
    hidden = data.unseen.copy()
    hidden[:, :, -1] = np.nan
    errors = {}
    for w in META_PRIORS:
        for column in MEASURES:
            found.of_seeds("joints", movers, column, w)
        net = movers.at(w)
        errors[f"w = {w:g}"], _ = predicted(net, data)
        found.note({f"w = {w:g}: squared error by horizon (median)": np.median(errors[f"w = {w:g}"], 0).tolist()})
        found.note({f"w = {w:g}: running freely, squared error": free_running(net, data).tolist()})
        unseen = _of_hidden_joint(net, data, hidden)
        found.note({f"w = {w:g}: error of a joint that is never seen, one step ahead / its variance": unseen.tolist()})
    figures = {
        "meta_prior": plots.meta_prior(movers.table, length=data.training.shape[1]),
        "horizon": plots.prediction_horizon(errors, persistence=persistence),
    }
    arrays = {f"{column}": np.asarray(movers.table[column]) for column in movers.table}
    return nd.Outcome(found.results, found.checks, arrays | errors, figures)


def _of_hidden_joint(net: nd.PVRNN, data: Data, hidden: np.ndarray) -> np.ndarray:
    """Squared error of the last joint, which error regression never sees, over its variance, (model,)."""
    regression = nd.ErrorRegression(net, sequences=len(hidden), missing="mask")
    ahead = regression.run(hidden).predictions[:, :, FIRST:-1, 0, -1]
    actual = data.unseen[:, FIRST + 1 :, -1]
    return ((ahead - actual) ** 2).mean((1, 2)) / actual.var()


if __name__ == "__main__":
    pvrnn_joints.main()
