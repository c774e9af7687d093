"""The loop of a training: steps, tests, stages, and what is recorded and saved on the way."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.models.recurrent import RecurrentNetwork
from neurodyn.recording import Writer
from neurodyn.running.progress import progress_bar
from neurodyn.running.stopping import StopRequest, Suspended
from neurodyn.training.curricula import solved
from neurodyn.training.plan import ENDS, Plan
from neurodyn.training.run import TrainingRun

if TYPE_CHECKING:
    from neurodyn.tasks.digits import DigitTask

_EPOCH, _TEST = 2**32, 2**63  # numbers of batches: those of tests lie beyond all of training


class TrainingError(ArithmeticError):
    """The loss became infinite or not a number; ``path`` is the file that keeps what came before, if any."""

    path: Path | None = None


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


class Loop:
    def __init__(self, net: RecurrentNetwork, task: DigitTask, plan: Plan) -> None:
        self.net, self.task, self.plan = net, task, plan
        self.rounds = len(task.holds)
        self.state = _State(plan.curriculum.first)
        plan.check_heads(net.heads)
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
            "training": {k: v for k, v in plan.config.items() if k not in ENDS},
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
        bar = progress_bar(plan.steps * self.rounds, progress, "step")
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
