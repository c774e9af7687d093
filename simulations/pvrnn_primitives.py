"""A PV-RNN of two layers learns movements that follow one another by chance, and follows others by error regression.

Loops in the plane: after A comes B or C, after these comes A (a stand-in for the hand-drawn patterns of Ahmadi & Tani 2019).
E3: what is generated at which meta-prior. E4: prediction of unseen sequences by error regression, against its options. E5: the
same beside a variational RNN that sees the data as input (Chung et al. 2015), in pairs. Run it by
``neurodyn run simulations/pvrnn_primitives.py --quick``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray
from pvrnn import movement_checks as checks
from pvrnn.baseline import UPDATES, paired, predicted_by_vrnn, trained_vrnn
from pvrnn.movements import FIRST, HORIZON, Data, Movers, free_running, predicted, trained

import neurodyn as nd
from neurodyn import analysis, plots

META_PRIORS = (0.5, 0.1, 0.05, 0.02, 0.005, 1e-4)
QUICK = (0.5, 0.05, 1e-4)
#: as the published codings, with as dense reference points, over the range that the loops need
CODING = nd.SoftmaxCoding(dims=2, bins=12, low=-1.2, high=1.2, width=0.05)
#: options of error regression that are varied one by one
OPTIONS = {"window": (5, 15, 30), "iterations": (10, 30, 100), "meta_prior": (0.05, 0.01, 0.001)}


@nd.simulation
def pvrnn_primitives(
    *,
    quick: bool = False,
    updates: int = 0,
    seeds: int = 3,
    seed: int = 11,
    pairs: int = 5,
    data_seed: int = 11,
    out: Path | None = None,
) -> nd.Outcome:
    """Train PV-RNNs on movements, let them generate, and let them predict what they have not seen.

    Parameters
    ----------
    quick : bool
        Three meta-priors and 8000 updates, and no baseline.
    updates : int
        Updates of a training; 0 means 30 000, and 8000 if quick. The variational RNNs get 3000 at most.
    seeds, seed : int
        Networks at each meta-prior, and the first seed; thresholds were set on others.
    pairs : int
        Pairs of a PV-RNN and a variational RNN, at least 2; none if quick.
    data_seed : int
        Seed of training sets and unseen sequences.
    """
    if pairs < 2 and not quick:
        raise ValueError(f"pairs = {pairs}: give at least 2, so that differences have a spread")
    found, figures = checks.Checks(), {}
    data = Data.of(nd.tasks.Primitives(), sequences=8, length=120, unseen=8, seed=data_seed)
    updates = updates or (8000 if quick else 30_000)

    def place(name: str) -> Path | None:
        return None if out is None else out.with_name(f"{out.stem}.{name}.h5")

    movers = trained(
        data, CODING, QUICK if quick else META_PRIORS, range(seed, seed + seeds), updates=updates, out=place("E3")
    )
    checks.generation(found, movers, data, quick=quick)
    figures["meta_prior"] = plots.meta_prior(movers.table, length=data.training.shape[1])
    figures["generated"] = _curves(movers, data)
    errors = {w: predicted(movers.at(w), data) for w in movers.table["meta_prior"].unique()}
    persistence = analysis.persistence_error(data.unseen, horizons=HORIZON, first=FIRST).error
    free = free_running(movers.at(0.05), data)
    varied = {
        option: {value: predicted(movers.at(0.05), data, **{option: value}) for value in values}
        for option, values in OPTIONS.items()
    }
    checks.regression(found, errors, persistence, free, varied)
    figures["horizon"] = plots.prediction_horizon(
        {f"w = {w:g}": e for w, (e, _) in errors.items()}, persistence=persistence, free_running=free
    )
    ahead = {"horizon": range(1, HORIZON + 1)}
    arrays: dict[str, Any] = {
        f"E4, w = {w:g}": xarray.DataArray(e, ahead, ("seed", "horizon")) for w, (e, _) in errors.items()
    }
    if not quick:
        chosen = range(seed, seed + pairs)
        ours = trained(data, CODING, (0.05,), chosen, updates=updates, out=place("E5"))
        theirs = trained_vrnn(data, CODING, chosen, updates=min(updates, UPDATES), out=place("E5-vrnn"))
        rivals = {"PV-RNN": predicted(ours.net, data)[0]}
        for noise, name in ((1.0, "VRNN, mean of 20 runs"), (0.0, "VRNN, without noise")):
            rivals[name] = predicted_by_vrnn(theirs, data, noise=noise)
            checks.baseline(found, name, paired(rivals["PV-RNN"], rivals[name]), rivals)
        figures["baseline"] = plots.prediction_horizon(rivals, persistence=persistence)
        arrays |= {
            f"E5, {name}": xarray.DataArray(values, ahead, ("seed", "horizon")) for name, values in rivals.items()
        }
    arrays |= {f"E3, {name}": xarray.DataArray(movers.table[name].values, dims="network") for name in movers.table}
    return nd.Outcome(found.results, found.checks, arrays, figures)


def _curves(movers: Movers, data: Data) -> Any:
    """Curves of the first seed at each meta-prior."""
    first = {w: m for m, w in reversed(list(enumerate(movers.net.meta_prior)))}
    shown = {f"w = {w:g}": movers.generated[m][:2, :150] for w, m in sorted(first.items(), reverse=True)}
    return plots.generated_curves(shown, data.training[:2], data.task.segment)


if __name__ == "__main__":
    pvrnn_primitives.main()
