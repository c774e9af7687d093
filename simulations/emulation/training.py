"""One network for each seed, trained on one family; trainings that diverge are counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor
from torch.nn import functional

import neurodyn as nd
from emulation.families import FAMILIES, Size
from neurodyn.running.stopping import resume_by_default

TEST_EVERY = 25  # updates


@dataclass
class Trained:
    """The trainings of a family that came to their end, and the seeds of those that did not."""

    runs: list[nd.TrainingRun] = field(default_factory=list)
    diverged: list[int] = field(default_factory=list)


def train(
    name: str, size: Size, seeds: Sequence[int], *, updates: int = 0, bias: bool = False, out: Path | None
) -> Trained:
    """Train a network for each seed; recordings lie beside ``out``, named for family and seed."""
    family, found = FAMILIES[name], Trained()
    small = size.batch < 4096
    updates = updates or (family.few if small else family.updates)
    for seed in seeds:
        place = None if out is None else out.with_name(f"{out.stem}.{name}.{seed}.h5")
        net = nd.HMMRNN(size.units, noise_inputs=size.noise_inputs, outputs=family.target.symbols, bias=bias, seed=seed)
        try:
            run = nd.emulate(
                net,
                family.target,
                length=family.length,
                batch=size.batch,
                updates=updates,
                test_every=TEST_EVERY,
                keep_every=TEST_EVERY,
                clip=family.clip,
                seed=seed,
                out=place,
                overwrite=place is not None and place.exists() and not resume_by_default.get(),
            )
        except nd.TrainingError as error:
            print(f"{name}, seed {seed}: {error}", flush=True)
            found.diverged.append(seed)
            continue
        results, seconds = run.recording.results, run.history["seconds"].sum()
        print(
            f"{name}, seed {seed}: divergence {results['best_loss']:.2f} after {results['best_update']} updates, "
            f"{seconds:.0f} s",
            flush=True,
        )
        found.runs.append(run)
    return found


def opened(files: Sequence[Path]) -> list[nd.TrainingRun]:
    """Return recorded trainings of noise-driven networks, all on one target."""
    if not files:
        raise ValueError("files names no recordings; give those that hmm_emulation left, such as runs/e.two.101.h5")
    runs = [nd.load_training(file) for file in files]
    for file, run in zip(files, runs, strict=True):
        config = run.config
        if config["network"]["network"] != "HMMRNN":
            raise ValueError(f"{file} is a training of {config['network']['network']}; give trainings of HMMRNN")
        if config["task"] != runs[0].config["task"]:
            raise ValueError(f"{file} has another target than {files[0]}; give networks of one target at a time")
    return runs


def left_plateau(run: nd.TrainingRun) -> bool:
    """Whether the lowest loss is nearer to that of a sample of the target than to that of independent symbols."""
    target, training, seed = run.task(), run.config["training"], run.config["training"]["seed"]
    alike = nd.tasks.HiddenMarkov([[1.0]], [target.marginal])

    def codes(model: nd.tasks.HiddenMarkov, step: int) -> Tensor:
        symbols = model.sample(training["validation"], training["length"], seed=seed, step=step)[1]
        return functional.one_hot(symbols, target.symbols).float()

    plateau = float(nd.training.sinkhorn_divergence(codes(alike, 0), codes(target, 1)))
    return bool(run.recording.results["best_loss"] < (plateau + run.history["floor"].mean()) / 2)
