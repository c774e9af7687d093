"""The loop that trains a recurrent network on a task under a curriculum, records it, and can be stopped and resumed."""

from __future__ import annotations

import hashlib
import json
import math
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.models.naming import one_of
from neurodyn.models.recurrent import RecurrentNetwork
from neurodyn.recording import Writer
from neurodyn.running.stopping import Resume, StopRequest, Suspended, listening, resume_by_default
from neurodyn.training.curricula import Curriculum, curriculum_of, solved
from neurodyn.training.run import TrainingRun
from neurodyn.units import Time, si

if TYPE_CHECKING:
    from neurodyn.tasks.digits import DigitTask

_EPOCH, _TEST = 2**32, 2**63  # numbers of batches: those of tests lie beyond all of training
_ENDS = ("until", "epochs", "patience")  # a training that was stopped may be resumed with others


class TrainingError(ArithmeticError):
    """The loss became infinite or not a number; ``path`` is the file that keeps what came before, if any."""

    path: Path | None = None


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
    learning_rate: float | None = None,
    momentum: float = 0.1,
    clip: float = 2.0,
    seed: int = 1,
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
    learning_rate : float, optional
        0.05 for SGD and 0.001 for Adam.
    momentum, clip : float
        Momentum of SGD in [0, 1), none for 0; greatest norm of the gradient of all parameters together, above 0.
    seed : int
        Key of the sequences and start states.
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
        A progress bar; by default if somebody watches.

    Returns
    -------
    TrainingRun
        History, snapshots and the recording.

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
    plan = Plan(
        curriculum=curriculum_of(curriculum),
        until=until,
        epochs=epochs,
        patience=patience,
        batch=batch,
        steps=steps,
        tests=tests,
        threshold=threshold,
        optimizer=optimizer,
        learning_rate=(0.05 if optimizer == "sgd" else 1e-3) if learning_rate is None else learning_rate,
        momentum=momentum,
        clip=clip,
        seed=seed,
    )
    resume = resume_by_default.get() if resume is None and out is not None else bool(resume) and resume
    loop = _Loop(net, task, plan)
    header = loop.header(dict(config or {}))
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


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The numbers of a training, checked; see :func:`train`."""

    curriculum: Curriculum
    until: int | None
    epochs: int
    patience: int | None
    batch: int
    steps: int
    tests: int
    threshold: float
    optimizer: str
    learning_rate: float
    momentum: float
    clip: float
    seed: int

    def __post_init__(self) -> None:
        one_of("optimizer", self.optimizer, ("sgd", "adam"))
        for name in ("epochs", "batch", "steps", "tests"):
            _whole(name, getattr(self, name), 1)
        if self.patience is not None:
            _whole("patience", self.patience, 1)
        _whole("seed", self.seed, 0)
        if self.seed >= 2**63:
            raise ValueError(f"seed = {self.seed}; give a whole number from 0 to 2^63 - 1")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold = {self.threshold!r}; give an accuracy between 0 and 1")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum = {self.momentum!r}; allowed is 0 up to, but not, 1")
        for name in ("learning_rate", "clip"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)!r}; give a positive number")
        if self.until is not None:
            last = self.curriculum.first[-1]
            _whole("until", self.until, last)

    @property
    def config(self) -> dict[str, Any]:
        """All numbers, for a recording."""
        return {**vars(self), "curriculum": self.curriculum.config}


@dataclass
class _State:
    """Where a training stands, besides parameters and optimiser."""

    stage: tuple[int, ...]
    epoch: int = 0  # complete ones
    step: int = 0  # of the epoch
    since: int = 0  # epochs since a stage was solved
    reached: int = 0  # largest N of the last stage that was solved
    loss: float = 0.0  # summed over the epoch
    norm: float = 0.0
    ended: str = ""

    def plain(self) -> dict[str, Any]:
        return {**vars(self), "stage": list(self.stage)}


class _Loop:
    def __init__(self, net: RecurrentNetwork, task: DigitTask, plan: Plan) -> None:
        self.net, self.task, self.plan = net, task, plan
        self.rounds = len(task.holds)
        self.state = _State(plan.curriculum.first)
        self._check_heads(self.state.stage)
        self.parameters = dict(net.named_parameters())
        self.optimizer = _optimizer(list(self.parameters.values()), plan)

    def header(self, notes: dict[str, Any]) -> dict[str, Any]:
        net, plan = self.net, self.plan
        config = {
            "network": {"network": type(net).__name__, **net.config},
            "task": self.task.config,
            "training": {**plan.config, "notes": notes},
        }
        told = {
            "network": config["network"],
            "start": _digest(net),
            "task": config["task"],
            "training": {k: v for k, v in plan.config.items() if k not in _ENDS},
        }
        fingerprint = {k: hashlib.blake2b(json.dumps(v).encode(), digest_size=8).hexdigest() for k, v in told.items()}
        return {
            "backend": "torch",
            "device": str(net.device),
            "dtype": str(net.dtype).removeprefix("torch."),
            "seed": str(plan.seed),
            "threads": torch.get_num_threads(),
            "config": config,
            "run_fingerprint": fingerprint,
        }

    def run(self, writer: Writer, stop: StopRequest, progress: bool | None) -> TrainingRun:
        if writer.state is None:
            writer.tree("model/initial", self._snapshot())
        else:
            self._restore(writer.state)
        net, plan, state = self.net, self.plan, self.state
        net.train()
        bar = _bar(plan, self.rounds, progress)
        try:
            while not self._ended():
                begun = time.perf_counter()
                self._epoch(writer, stop, bar)
                self._test(writer, time.perf_counter() - begun, bar)
        finally:
            bar.close()
        writer.tree("model/last", self._snapshot())
        results = {"N": state.reached, "epochs": state.epoch, "ended": state.ended}
        return TrainingRun(writer.finish(results), net)

    def _ended(self) -> bool:
        state, plan = self.state, self.plan
        if not state.ended and not state.step:
            if plan.until is not None and state.reached >= plan.until:
                state.ended = f"N = {state.reached} solved"
            elif plan.patience is not None and state.since >= plan.patience:
                state.ended = f"{state.since} epochs without a stage solved"
            elif state.epoch >= plan.epochs:
                state.ended = f"{state.epoch} epochs done"
        return bool(state.ended)

    def _epoch(self, writer: Writer, stop: StopRequest, bar: Any) -> None:
        plan, state = self.plan, self.state
        bar.reset()
        bar.update(state.step)
        total = torch.tensor([state.loss, state.norm], dtype=torch.float64, device=self.net.device)
        while state.step < plan.steps * self.rounds:
            total += torch.stack(self._step(state.epoch * _EPOCH + state.step)).detach()
            state.step += 1
            bar.update(1)
            if writer.path is not None and (writer.due or stop.signal):
                state.loss, state.norm = total.tolist()
                self._check_finite(writer)
                writer.checkpoint(self._checkpoint())
            if stop.signal:
                writer.suspend()
                where = f"in epoch {state.epoch + 1}, after step {state.step}, at N = {state.stage[-1]}"
                raise Suspended(
                    f"{stop.signal} stopped the training {where}; the same call with resume=True (neurodyn run "
                    f"--resume) goes on to {writer.path}"
                )
        state.loss, state.norm = total.tolist()
        self._check_finite(writer)

    def _step(self, number: int) -> tuple[Tensor, Tensor]:
        """One step of the optimiser; returns the loss and the norm of its gradient."""
        net, plan, stage = self.net, self.plan, self.state.stage
        given = self.task.batch(stage, plan.batch, seed=plan.seed, step=number, device=net.device)
        draws = net.draws(len(given.inputs), plan.batch, seed=plan.seed, step=number)
        heads = len(stage)
        logits = net(given.inputs, heads=heads, hold=given.hold, draws=draws)
        loss = functional.cross_entropy(logits.flatten(0, 1), given.labels.flatten(), reduction="sum") / plan.batch
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.parameters.values(), plan.clip)
        self.optimizer.step()
        return loss, norm

    def _test(self, writer: Writer, seconds: float, bar: Any) -> None:
        """Test the stage at the end of an epoch, take note of everything, and go on to the next stage if it is solved."""
        net, plan, state = self.net, self.plan, self.state
        right = torch.zeros(len(state.stage), dtype=torch.float64, device=net.device)
        count = plan.tests * self.rounds
        with torch.no_grad():
            for k in range(count):
                number = _TEST + state.epoch * _EPOCH + k
                given = self.task.batch(state.stage, plan.batch, seed=plan.seed, step=number, device=net.device)
                draws = net.draws(len(given.inputs), plan.batch, seed=plan.seed, step=number)
                logits = net(given.inputs, heads=len(state.stage), hold=given.hold, draws=draws)
                right += (logits.argmax(2) == given.labels).double().mean(1)
        accuracy = (right / count).tolist()
        state.epoch, state.step, state.since = state.epoch + 1, 0, state.since + 1
        self._record(writer, accuracy, seconds)
        tau = _of_tau(net)
        shown = {"N": state.stage[-1], "accuracy": f"{np.mean(accuracy):.3f}"}
        bar.set_postfix({**shown, "tau": f"{tau['mean']:.3f}"} if tau else shown)
        state.loss = state.norm = 0.0
        if not solved(accuracy, plan.threshold):
            return
        state.since, state.reached = 0, state.stage[-1]
        writer.tree(f"model/N={state.reached}", self._snapshot())
        following = plan.curriculum.next(state.stage)
        if following is None:
            state.ended = f"N = {state.reached} solved"
        elif plan.until is None or state.reached < plan.until:
            if len(following) > net.heads:
                state.ended = f"N = {state.reached} solved, and the {net.heads} heads are in use"
            else:
                state.stage = following

    def _record(self, writer: Writer, accuracy: list[float], seconds: float) -> None:
        state = self.state
        steps = self.plan.steps * self.rounds
        row = np.full(self.net.heads, np.nan)
        row[: len(accuracy)] = accuracy
        at = [state.epoch]
        numbers = {
            "loss": state.loss / steps,
            "gradient_norm": state.norm / steps,
            "smallest_N": state.stage[0],
            "N": state.stage[-1],
            "accuracy": float(np.mean(accuracy)),
            "seconds": seconds,
            **{f"tau_{k}": v for k, v in _of_tau(self.net).items()},
        }
        for name, value in numbers.items():
            writer.samples(f"training/{name}", np.array([value]), at, dims=("epoch",))
        writer.samples("training/accuracy_of_head", row[None], at, dims=("epoch", "head"))

    def _snapshot(self) -> dict[str, Any]:
        state = self.state
        arrays = {name: value.cpu().numpy() for name, value in self.net.state_dict().items()}
        return {"stage": list(state.stage), "epoch": state.epoch, "arrays": arrays}

    def _checkpoint(self) -> dict[str, Any]:
        moments = {
            name: {k: v.cpu().numpy() for k, v in self.optimizer.state[p].items() if isinstance(v, Tensor)}
            for name, p in self.parameters.items()
        }
        return {"loop": self.state.plain(), "model": self._snapshot()["arrays"], "optimizer": moments}

    def _restore(self, saved: Mapping[str, Any]) -> None:
        loop = dict(saved["loop"])
        self.state = _State(**{**loop, "stage": tuple(loop["stage"])})
        self.net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in saved["model"].items()})
        for name, p in self.parameters.items():
            for k, v in saved["optimizer"].get(name, {}).items():
                self.optimizer.state[p][k] = torch.from_numpy(np.array(v)).to(p.device if np.ndim(v) else "cpu")

    def _check_finite(self, writer: Writer) -> None:
        state = self.state
        if math.isfinite(state.loss) and math.isfinite(state.norm):
            return
        reason = (
            f"the loss or its gradient is not finite in epoch {state.epoch + 1}, before step {state.step} (N = "
            f"{state.stage[-1]}); lower learning_rate = {self.plan.learning_rate:g} or clip = {self.plan.clip:g}"
        )
        path = writer.abort(f"{TrainingError.__name__}: {reason}")
        error = TrainingError(reason if path is None else f"{reason}. What came before is in {path}")
        error.path = path
        raise error

    def _check_heads(self, stage: tuple[int, ...]) -> None:
        if len(stage) > self.net.heads:
            raise ValueError(
                f"the first stage has N = {stage[0]} to {stage[-1]}, {len(stage)} heads, and the network has {self.net.heads}; "
                "give it more heads"
            )
        curriculum, until = self.plan.curriculum, self.plan.until
        while until is not None and stage[-1] < until:
            following = curriculum.next(stage)
            if following is None:
                raise ValueError(
                    f"until = {until}: {curriculum} ends with N = {stage[-1]}; choose another, or leave it out"
                )
            if len(following) > self.net.heads:
                raise ValueError(
                    f"until = {until}: {self.net.heads} heads reach N = {stage[-1]} under {curriculum}; give the network more"
                )
            if len(following) == len(stage):
                return  # and so on, with as many heads
            stage = following


def _optimizer(parameters: list[Tensor], plan: Plan) -> torch.optim.Optimizer:
    for p in parameters:  # fused steps take parameter and gradient in the order of memory, whatever their layout
        p.data = p.data.contiguous()
    fused = all(p.device.type == "cpu" for p in parameters)  # half the time there; the numbers of SGD are the same
    if plan.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=plan.learning_rate, fused=fused, foreach=not fused)
    nesterov, rate = plan.momentum > 0, plan.learning_rate
    return torch.optim.SGD(
        parameters, lr=rate, momentum=plan.momentum, nesterov=nesterov, fused=fused, foreach=not fused
    )


def _of_tau(net: RecurrentNetwork) -> dict[str, float]:
    tau = getattr(net, "tau", None)
    if tau is None:
        return {}
    values = tau.double().cpu().numpy()
    return {
        "mean": float(values.mean()),
        "sd": float(values.std()),
        "largest": float(values.max()),
        "below_1": float((values < 1).sum()),
    }


def _digest(net: RecurrentNetwork) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, value in net.state_dict().items():
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()


def _bar(plan: Plan, rounds: int, progress: bool | None) -> Any:
    from neurodyn.simulate import progress_bar

    return progress_bar(plan.steps * rounds, progress, "step")


def _finished(net: RecurrentNetwork, path: Path, wanted: Mapping[str, str], plan: Plan) -> TrainingRun:
    """Return the training that needs no resuming, since it is complete; the network is as at its end."""
    from neurodyn.simulate import finished

    run = TrainingRun(finished(path, wanted), net)
    asked = {k: v for k, v in plan.config.items() if k in _ENDS}
    before = {k: run.config["training"][k] for k in _ENDS}
    if asked != before:
        raise FileExistsError(
            f"out = {str(path)!r} is complete, with {before}; this call asks for {asked}. Go on from its last network "
            "(nd.load_training(...).network()) into another file, or begin anew with overwrite=True"
        )
    run.restore(net, "last")
    return run


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} = {value!r}; give a whole number, at least {least}")
