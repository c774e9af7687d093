"""Arms of the experiments: networks of two sizes, trained under one curriculum each, one recording a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import neurodyn as nd


@dataclass(frozen=True)
class Size:
    """Numbers that a published and a small experiment differ in."""

    units: int
    batch: int
    steps: int
    tests: int


SOURCE = "Khajehabdollahi et al. 2024"
PAPER = Size(units=500, batch=256, steps=600, tests=50)
SMALL = Size(units=128, batch=128, steps=300, tests=20)


@dataclass(frozen=True)
class Arm:
    """How networks of one condition are made and trained."""

    curriculum: Any
    until: int | None = None
    epochs: int = 1000
    patience: int | None = None
    tau: Any = "learn"
    network: str = "LeakyRNN"
    nonlinearity: str = "outer"
    continuous: bool = False


def train(name: str, arm: Arm, task: Any, size: Size, seeds: Sequence[int], out: Path | None) -> list[nd.TrainingRun]:
    """Train a network for each seed; recordings lie beside ``out``, named for arm and seed."""
    runs = []
    for seed in seeds:
        place = None if out is None else out.with_name(f"{out.stem}.{file_name(name)}.{seed}.h5")
        run = nd.train(
            made(arm, size, seed),
            task,
            curriculum=arm.curriculum,
            until=arm.until,
            epochs=arm.epochs,
            patience=arm.patience,
            batch=size.batch,
            steps=size.steps,
            tests=size.tests,
            optimizer="sgd" if arm.network == "LeakyRNN" else "adam",
            seed=seed,
            out=place,
            overwrite=place is not None and place.exists() and not _resuming(),
        )
        history = run.history
        print(f"{name}, seed {seed}: N = {run.recording.results['N']} solved in {len(history)} epochs, {history.seconds.sum():.0f} s", flush=True)  # fmt: skip
        runs.append(run)
    return runs


def made(arm: Arm, size: Size, seed: int) -> Any:
    """Return the network of an arm before training."""
    if arm.network == "LeakyRNN":
        return nd.LeakyRNN(size.units, tau=arm.tau, nonlinearity=arm.nonlinearity, continuous=arm.continuous, seed=seed)  # type: ignore[arg-type]
    return getattr(nd, arm.network)(size.units, seed=seed)


def file_name(arm: str) -> str:
    """Return the name of an arm as part of a file name."""
    return arm.replace(", ", "_").replace(" = ", "").replace(" ", "-")


def _resuming() -> bool:
    from neurodyn.running.stopping import resume_by_default

    return bool(resume_by_default.get())


def taus(runs: Sequence[nd.TrainingRun]) -> dict[str, np.ndarray]:
    """Return mean, sd, largest tau and units below 1 at each N, (seed, N), NaN where a seed didn't get so far, and N itself."""
    most = max((max(run.snapshots, default=0) for run in runs), default=0)
    n = np.arange(2, most + 1)
    tables = {k: np.full((len(runs), len(n)), np.nan) for k in ("mean", "sd", "largest", "below 1", "weight")}
    for i, run in enumerate(runs):
        for solved in run.snapshots:
            arrays = run.snapshot(solved)["arrays"]
            tau, w = arrays["time_constants.value"].astype(float), arrays["recurrent_weight"].astype(float)
            off = ~np.eye(len(w), dtype=bool)
            row = (tau.mean(), tau.std(), tau.max(), (tau < 1).sum(), w[off].mean())
            for table, value in zip(tables.values(), row, strict=True):
                table[i, solved - 2] = value
    return {"N": n, **tables}


def solved_by(run: nd.TrainingRun, epoch: int) -> int:
    """Return the largest N that was solved by the end of an epoch, 0 if none."""
    return max((n for n, e in run.epochs_to_solve.items() if e <= epoch), default=0)


def at(table: Mapping[str, np.ndarray], key: str, n: int) -> np.ndarray:
    """Return a column of :func:`taus` at N, (seed,), NaN where it was not reached."""
    found = np.flatnonzero(table["N"] == n)
    return table[key][:, found[0]] if found.size else np.full(len(table[key]), np.nan)
