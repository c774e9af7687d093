"""Training of recurrent networks on tasks under curricula."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from neurodyn.recording import Writer
from neurodyn.running.stopping import Resume, StopRequest, Suspended, finished, listening, resume_by_default
from neurodyn.training.curricula import Curriculum, curriculum_of
from neurodyn.training.loop import Loop
from neurodyn.training.many_stages import ManyStages
from neurodyn.training.objective import Objective
from neurodyn.training.plan import Plan, StagesPlan
from neurodyn.training.run import TrainingRun
from neurodyn.training.stages import Stages
from neurodyn.units import Time, si

if TYPE_CHECKING:
    from neurodyn.models.recurrent import RecurrentNetwork
    from neurodyn.models.seeded import SeededModule
    from neurodyn.tasks.digits import DigitTask


def train(
    net: RecurrentNetwork,
    task: DigitTask,
    *,
    curriculum: str | Curriculum = "multi-head",
    until: int | None = None,
    epochs: int = 1000,
    patience: int | None = None,
    batch: int = 256,
    steps: int = 600,
    tests: int = 50,
    threshold: float = 0.98,
    optimizer: Literal["sgd", "adam"] = "sgd",
    learning_rate: float | Sequence[float] | None = None,
    momentum: float = 0.1,
    clip: float = 2.0,
    seed: int | Sequence[int] = 1,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: Resume | None = None,
    checkpoint_every: Time = "60 s",
    config: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> TrainingRun:
    """Train a network, in place, until N = ``until`` is solved, or the epochs or the patience are at their end.

    The loss is the sum over the N of the stage of the cross-entropy after the last digit, its mean over fresh random
    sequences. After every epoch the stage is tested on fresh sequences; it is solved if the accuracy of the newest N and
    the mean over all both exceed the threshold. Then the network is kept (snapshot N), and the next stage begins.

    Parameters
    ----------
    net : LeakyRNN, GRU or LSTM
        A LeakyRNN may hold many models (``seed = [1, 2, 3]``). They learn side by side on as many threads as torch has, each
        what it learns alone, to the last bit: each has its own stage, clipping and end. One whose loss is not finite ends, and the others go on. On the CPU only.
    task : DigitTask
        ``nd.tasks.Parity()`` or ``nd.tasks.DelayedMatch()``.
    curriculum : str or Curriculum
        "single-head", "multi-head", "sliding", or such as ``nd.Sliding(window=10, advance=5)``, ``nd.NoCurriculum(n=12)``.
    until : int, optional
        Largest N of the last stage.
    epochs, patience : int
        Most epochs, and most epochs without a stage solved.
    batch, steps, tests : int
        Sequences in a batch, steps of the optimiser in an epoch and batches of a test; with several ``hold`` of the task,
        so many for each.
    threshold : float
        Accuracy to exceed, in (0, 1).
    optimizer : "sgd" or "adam"
        SGD with Nesterov momentum, or Adam with torch's other defaults.
    learning_rate : float or sequence of float, optional
        0.05 for SGD and 0.001 for Adam; several: one for each model.
    momentum, clip : float
        Momentum of SGD in [0, 1), none for 0; greatest norm of the gradient of all parameters together, above 0.
    seed : int or sequence of int
        Key of the sequences and start states; several: one for each model.
    out : path, optional
        Recording. Without, it is kept in memory.
    overwrite, resume : bool
        Whether an existing file may be replaced, or a training that was stopped goes on where it was saved last: the same
        call with the same numbers ends with the same weights, bit for bit. ``until``, ``epochs`` and ``patience`` may be
        others.
    checkpoint_every : time
        How much of the training a kill may cost, at least 0 (each step is saved); a file only.
    config : mapping
        Kept in the recording as ``config["training"]["notes"]``.
    progress : bool, optional
        By default a bar on a terminal and in a notebook, elsewhere a line a minute; False: nothing. True: also a line at the
        end where there is no bar.

    Returns
    -------
    TrainingRun
        History, snapshots and the recording. Of many models, the history has means over those that still learn, and
        ``run.select(k)`` is the training of one.

    Raises
    ------
    ValueError
        For numbers out of range, N beyond the heads or the stages, and unknown names.
    TrainingError
        If the loss is not finite.
    FileExistsError
        If ``out`` exists and is not to be replaced.
    neurodyn.Suspended
        At SIGTERM or SIGUSR1 with ``out``, after saving.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR, and their code; numbers by default are theirs.
    """
    plan = StagesPlan(
        curriculum=curriculum_of(curriculum),
        until=until,
        epochs=epochs,
        patience=patience,
        batch=batch,
        steps=steps,
        tests=tests,
        threshold=threshold,
        optimizer=optimizer,
        learning_rate=(0.05 if optimizer == "sgd" else 1e-3) if learning_rate is None else _one_each(learning_rate),
        momentum=momentum,
        clip=clip,
        seed=_one_each(seed),
    )
    objective: Any = (ManyStages if net.many else Stages)(net, task, plan)  # type: ignore[arg-type]
    return carried_out(
        net,
        objective,
        plan,
        out=out,
        overwrite=overwrite,
        resume=resume,
        checkpoint_every=checkpoint_every,
        notes=config,
        progress=progress,
    )


def _one_each(value: Any) -> Any:
    return tuple(np.asarray(value).tolist()) if np.ndim(value) else value


def carried_out(
    net: SeededModule,
    objective: Objective,
    plan: Plan,
    *,
    out: str | Path | None,
    overwrite: bool,
    resume: Resume | None,
    checkpoint_every: Time,
    notes: Mapping[str, Any] | None,
    progress: bool | None,
) -> TrainingRun:
    """Train a network for an objective, or go on with a training that was stopped; for the rest see :func:`train`."""
    resume = resume_by_default.get() if resume is None and out is not None else bool(resume) and resume
    loop = Loop(net, objective, plan)
    header = loop.header(dict(notes or {}))
    if resume and out is not None and Path(out).expanduser().exists():
        return _finished(net, Path(out).expanduser(), header["run_fingerprint"], plan)
    interval, stop = si(checkpoint_every, "s", name="checkpoint_every", low=0), StopRequest()
    try:
        with listening(stop) if out is not None else nullcontext():
            writer = Writer(
                out,
                header=header,
                overwrite=overwrite,
                checkpoints=out is not None,
                resume=resume or False,
                segment_s=interval,
            )
            with writer:
                return loop.run(writer, stop, progress)
    except Suspended as suspended:
        print(f"neurodyn: {suspended}", file=sys.stderr)
        raise


def _finished(net: SeededModule, path: Path, wanted: Mapping[str, str], plan: Plan) -> TrainingRun:
    """Return the training that needs no resuming, since it is complete; the network is as at its end."""
    run = TrainingRun(finished(path, wanted), net)
    asked = {k: v for k, v in plan.config.items() if k in plan.ends}
    before = {k: run.config["training"][k] for k in plan.ends}
    if asked != before:
        raise FileExistsError(
            f"out = {str(path)!r} is complete, with {before}; this call asks for {asked}. Go on from its last network "
            "(nd.load_training(...).network()) into another file, or begin anew with overwrite=True"
        )
    run.restore(net, "last")
    return run
