"""What comes, when, and how probably: the what/when reservoir of Yamada & Chao (2025), with its rivals and controls.

Run one experiment by ``neurodyn run simulations/what_when.py --set experiment=E1``. Each prints its numbers with
their spread over seeds and its checks; ``--out`` keeps them with the figures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import xarray
from meet.runs import ARMS

import neurodyn as nd

Experiment = Literal["demo", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "reservoir", "beyond", "protocol"]
Rule = Literal["three-factor", "local", "nlms", "rls", "rls-reset", "rls-forgetting", "merged", "no-feedback", "raw"]


@nd.simulation
def what_when(
    *,
    experiment: Experiment = "demo",
    seeds: int = 10,
    seed: int = 101,
    neurons: int = 1000,
    trials: int = 100,
    rule: Rule = "three-factor",
    protocol: Literal["P1", "P3"] = "P3",
    backend: Literal["numba", "torch", "interpreter", "brian2"] = "numba",
    out: Path | None = None,
) -> nd.Outcome:
    """Train reservoirs to expect an event at its time with its probability, and test them with the cue alone.

    Parameters
    ----------
    experiment : str
        "demo": the four-block protocol with the three-factor rule, recursive least squares and the counter, 4 seeds.
        "E1" learning, "E2" amplitude against probability, "E3" probability switch, "E4" timing switch, "E5" recursive
        least squares, "E6" geometry, "E7" ablations, "reservoir" evidence that the network matters, "beyond" omission,
        surprise, hazard, three events, jitter; "protocol" runs one protocol with one rule.
    seeds : int
        Number of networks, each with its own wiring, noise and order of events.
    seed : int
        First seed; thresholds were set on seeds 0 to 4, so the default set no threshold.
    neurons : int
        Size of the reservoir.
    trials : int
        Training trials in each block.
    rule : str
        Learning rule of "E1" and "protocol".
    protocol : str
        "P1" stationary, "P3" four blocks (for "protocol").
    backend : str
        Runner. All give the same numbers; "torch" runs the seeds as one batch, on a GPU if there is one.
    """
    if seeds < 1 or trials < 10:
        raise ValueError(f"seeds = {seeds} and trials = {trials}; needed are at least 1 seed and 10 trials")
    options = {"seeds": list(range(seed, seed + seeds)), "neurons": neurons, "trials": trials, "backend": backend}
    if experiment == "demo":
        return _demo(**{**options, "seeds": options["seeds"][:4]}, out=out)
    if experiment == "protocol":
        return _protocol(**options, rule=rule, protocol=protocol, out=out)
    if experiment in ("E1", "E2"):
        from meet import learning

        return learning.e1(**options, rule=rule, out=out) if experiment == "E1" else learning.e2(**options)
    if experiment in ("E3", "E4", "E5"):
        from meet import switching

        return getattr(switching, experiment.lower())(**options)
    if experiment == "E6":
        from meet.geometry import e6

        return e6(**options)
    if experiment == "E7":
        from meet.ablation import e7

        return e7(**options)
    if experiment == "reservoir":
        from meet.reservoir import reservoir

        return reservoir(**options)
    from meet.beyond import beyond

    return beyond(**options)


def _demo(*, seeds: list[int], neurons: int, trials: int, backend: str, out: Path | None) -> nd.Outcome:
    """Learn, switch probability, switch timing, switch both: the three-factor rule beside RLS and the counter."""
    from meet.runs import run
    from meet.switching import curves, ends, switch_sessions

    from neurodyn.plots import expectation_traces

    sessions = switch_sessions(seeds, trials)
    arms = {
        "three-factor": run(
            "three-factor", sessions, seeds, neurons=neurons, backend=backend, record=["spikes"], out=out
        )
    }
    few = seeds[: max(1, len(seeds) // 2)]
    arms["rls"] = run("rls", sessions[: len(few)], few, neurons=neurons, backend=backend)
    mine = arms["three-factor"]
    first, last = mine.at(0, 1), mine.at(0, trials)
    error = {name: ends(t, trials) for name, t in arms.items()}
    return nd.Outcome(
        results={
            **nd.spread("three-factor: nRMSE after block 1", error["three-factor"][:, 0]),
            **nd.rounded({f"{name}: nRMSE at block ends": e.mean(axis=0) for name, e in error.items()}),
            "three-factor: q of A at block ends": [
                round(float(mine.q_test(mine.at(b, trials))[:, 0].mean()), 3) for b in range(4)
            ],
            "true probability of A": [0.8, 0.2, 0.2, 0.8],
        },
        checks=[
            nd.check("three-factor: nRMSE after block 1", error["three-factor"][:, 0].mean(), "<= 0.40"),
            nd.check("three-factor: worst block end", error["three-factor"].mean(axis=0).max(), "<= 0.45"),
            nd.check(
                "RLS over three-factor, block ends 2 to 4",
                error["rls"][:, 1:].mean() / error["three-factor"][:, 1:].mean(),
                ">= 1.5",
            ),
        ],
        data={f"nrmse {name}": xarray.DataArray(t.nrmse, dims=("seed", "test")) for name, t in arms.items()},
        figures={
            "expectation": expectation_traces(
                mine.time_ms,
                mine.expectation[:, first],
                mine.expectation[:, last],
                mine.target[last],
                names=("A", "B"),
                cue_ms=0.0,
                latencies_ms=(150.0, 300.0),
            ),
            "errors": curves(arms, sessions, trials, "Error of the cue-only expectation when the world changes"),
        },
    )


def _protocol(
    *, seeds: list[int], neurons: int, trials: int, backend: str, rule: str, protocol: str, out: Path | None
) -> nd.Outcome:
    """Run one protocol with one rule and return its learning curve."""
    from meet.runs import run, sessions_for
    from meet.switching import at

    from neurodyn.plots import error_curves

    sessions = sessions_for(lambda s: nd.tasks.protocol(protocol, seed=s, trials=trials, tests=at(trials)), seeds)
    tests = run(rule, sessions, seeds, neurons=neurons, backend=backend, out=out)
    x = tests.block * trials + tests.exposure
    return nd.Outcome(
        results={
            **nd.spread("nRMSE at the last test", tests.nrmse[:, -1]),
            **nd.rounded(
                {
                    "tests after trials": x,
                    "nRMSE, mean": tests.nrmse.mean(axis=0),
                    "nRMSE, SD": np.std(tests.nrmse, axis=0),
                }
            ),
        },
        data={
            "nrmse": xarray.DataArray(tests.nrmse, dims=("seed", "test")),
            "q": xarray.DataArray(tests.q, dims=("seed", "trial", "event")),
        },
        figures={
            "errors": error_curves(
                x,
                {rule: tests.nrmse},
                title=f"{rule}, protocol {protocol}",
                switches=[(trials * k, "switch") for k in range(1, int(tests.block.max()) + 1)],
            )
        },
    )


if set(Rule.__args__) != set(ARMS):  # type: ignore[attr-defined]
    raise RuntimeError("the rules of what_when and the arms of meet.runs differ")


if __name__ == "__main__":
    what_when.main()
