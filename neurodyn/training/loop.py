"""The loop of a training: steps of the optimiser, tests after epochs, and what is recorded and saved on the way."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels.descent import SGD, Adam, Descent, clip
from neurodyn.models.seeded import SeededModule
from neurodyn.recording import Writer
from neurodyn.running.progress import Bar, progress_bar
from neurodyn.running.stopping import StopRequest, Suspended
from neurodyn.training.objective import Objective
from neurodyn.training.plan import Plan
from neurodyn.training.run import TrainingRun


class TrainingError(ArithmeticError):
    """The loss became infinite or not a number; ``path`` is the file that keeps what came before, if any."""

    path: Path | None = None


@dataclass
class _State:
    """Where a training stands, besides parameters, optimiser and objective."""

    epoch: int = 0  # complete ones
    step: int = 0  # of the epoch
    loss: Any = 0.0  # summed over the epoch; of models that learn apart, a list
    norm: Any = 0.0


class Loop:
    def __init__(self, net: SeededModule, objective: Objective, plan: Plan) -> None:
        self.net, self.objective, self.plan = net, objective, plan
        self.state = _State()
        self._rows = net.models if objective.apart else 1
        self._clear()
        self.parameters = {**dict(net.named_parameters()), **objective.parameters}
        self.optimizer = _optimizer(list(self.parameters.values()), plan, self._rows)

    def header(self, notes: dict[str, Any]) -> dict[str, Any]:
        net, plan = self.net, self.plan
        config = {
            "network": {"network": type(net).__name__, **net.config},
            "task": dict(self.objective.task),
            "training": {**plan.config, "notes": notes},
        }
        told = {
            "network": config["network"],
            "start": _digest(net),
            "task": config["task"],
            "training": {k: v for k, v in plan.config.items() if k not in plan.ends},
        }
        fingerprint = {k: hashlib.blake2b(json.dumps(v).encode(), digest_size=8).hexdigest() for k, v in told.items()}
        return {
            "backend": "torch",
            "device": str(net.device),
            "dtype": str(net.dtype).removeprefix("torch."),
            "seed": str(list(plan.seed) if isinstance(plan.seed, tuple) else plan.seed),
            "threads": torch.get_num_threads(),
            "config": config,
            "run_fingerprint": fingerprint,
        }

    def run(self, writer: Writer, stop: StopRequest, progress: bool | None) -> TrainingRun:
        if writer.state is None:
            writer.tree("model/initial", self._snapshot())
        else:
            self._restore(writer.state)
        net, objective, state = self.net, self.objective, self.state
        net.train()
        with progress_bar(objective.steps, progress, "step", stages=self.plan.epochs) as bar:
            while state.step or not self._ended():
                begun = time.perf_counter()
                self._epoch(writer, stop, bar)
                self._test(writer, time.perf_counter() - begun, bar)
        writer.tree("model/last", self._snapshot())
        results = {**objective.results, "epochs": state.epoch, "ended": self._ended()}
        return TrainingRun(writer.finish(results), net)

    def _ended(self) -> str:
        """Why the training is at its end; empty if it is not."""
        done = self.state.epoch >= self.plan.epochs
        return self.objective.ended or (f"{self.state.epoch} epochs done" if done else "")

    def _epoch(self, writer: Writer, stop: StopRequest, bar: Bar) -> None:
        state = self.state
        bar.stage(state.epoch, state.step)
        total = torch.tensor([state.loss, state.norm], dtype=torch.float64, device=self.net.device)
        while state.step < self.objective.steps:
            total += torch.stack(self.step(state.epoch, state.step))
            state.step += 1
            bar.update()
            if writer.path is not None and (writer.due or stop.signal):
                state.loss, state.norm = total.tolist()
                self._check_finite(writer)
                writer.checkpoint(self._checkpoint())
            if stop.signal:
                writer.suspend()
                where = ", ".join(filter(None, (f"after step {state.step}", self.objective.where)))
                raise Suspended(
                    f"{stop.signal} stopped the training in epoch {state.epoch + 1}, {where}; the same call with "
                    f"resume=True (neurodyn run --resume) goes on to {writer.path}"
                )
        state.loss, state.norm = total.tolist()
        self._check_finite(writer)

    def step(self, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        """Take one step of the optimiser; return the loss and the norm of its gradient, detached.

        Of models that learn apart both are (model,), and those that are not at work stay as they are.
        """
        self.optimizer.zero_grad()
        loss, parameters, most = self.objective.descend(epoch, step), list(self.parameters.values()), self.plan.clip
        if isinstance(self.optimizer, Descent):
            norm = torch.from_numpy(clip(parameters, most, models=self._rows))
            self.optimizer.step(self.objective.at_work)
        else:
            norm = _clip([p.grad for p in parameters if p.grad is not None], most, self._rows)
            self.optimizer.step()
        return loss.double(), norm.reshape(loss.shape)

    def _test(self, writer: Writer, seconds: float, bar: Bar) -> None:
        """Test at the end of an epoch and take note of everything."""
        state, steps = self.state, self.objective.steps
        before, at_work = self.objective.mark, self.objective.at_work
        with torch.no_grad():
            found = self.objective.test(state.epoch)
        state.epoch, state.step = state.epoch + 1, 0
        own = {"loss": np.array(state.loss) / steps, "gradient_norm": np.array(state.norm) / steps}
        if self.objective.apart:
            for name, values in own.items():
                if at_work is not None:
                    values[~at_work] = np.nan
                found.rows[f"{name}_of_model"] = (values, ("model",))
        numbers = {**{name: float(np.nanmean(v)) for name, v in own.items()}, **found.numbers, "seconds": seconds}
        for name, value in numbers.items():
            writer.samples(f"training/{name}", np.array([value]), [state.epoch], dims=("epoch",))
        for name, (row, dims) in found.rows.items():
            writer.samples(f"training/{name}", np.asarray(row)[None], [state.epoch], dims=("epoch", *dims))
        bar.note(", ".join(f"{name} {value}" for name, value in found.shown.items()))
        self._clear()
        for label in found.keep:
            writer.tree(f"model/{label}", {**self._snapshot(), **before})
        for label, arrays in found.kept.items():
            writer.tree(f"model/{label}", {**before, "epoch": state.epoch, "arrays": arrays})
        for path, tree in found.of_models.items():
            writer.tree(f"models/{path}", {"epoch": state.epoch, **tree})

    def _clear(self) -> None:
        self.state.loss = self.state.norm = [0.0] * self._rows if self.objective.apart else 0.0

    def _snapshot(self) -> dict[str, Any]:
        learnt = {name: value.detach() for name, value in self.objective.parameters.items()}
        arrays = {name: value.cpu().numpy() for name, value in {**self.net.state_dict(), **learnt}.items()}
        return {**self.objective.mark, "epoch": self.state.epoch, "arrays": arrays}

    def _checkpoint(self) -> dict[str, Any]:
        moments = {
            name: {k: v.cpu().numpy() for k, v in self.optimizer.state[p].items() if isinstance(v, Tensor)}
            for name, p in self.parameters.items()
        }
        return {
            "loop": dict(vars(self.state)),
            "objective": self.objective.state,
            "model": self._snapshot()["arrays"],
            "optimizer": moments,
        }

    def _restore(self, saved: Mapping[str, Any]) -> None:
        vars(self.state).update(saved["loop"])
        self.objective.state = saved["objective"]
        model = {k: torch.from_numpy(np.array(v)) for k, v in saved["model"].items()}
        for name, p in self.objective.parameters.items():
            p.data.copy_(model.pop(name))
        self.net.load_state_dict(model)
        for name, p in self.parameters.items():
            for k, v in saved["optimizer"].get(name, {}).items():
                self.optimizer.state[p][k] = torch.from_numpy(np.array(v)).to(p.device if np.ndim(v) else "cpu")

    def _check_finite(self, writer: Writer) -> None:
        state, plan = self.state, self.plan
        finite = np.isfinite(state.loss) & np.isfinite(state.norm)
        if finite.any():  # of models that learn apart, the others go on
            return
        where = f" ({self.objective.where.removeprefix('at ')})" if self.objective.where else ""
        reason = (
            f"the loss or its gradient is not finite in epoch {state.epoch + 1}, before step {state.step}{where}; lower "
            f"learning_rate = {plan.learning_rate} or " + ("set clip" if plan.clip is None else f"clip = {plan.clip:g}")
        )
        path = writer.abort(f"{TrainingError.__name__}: {reason}")
        error = TrainingError(reason if path is None else f"{reason}. What came before is in {path}")
        error.path = path
        raise error


def _clip(gradients: list[Tensor], most: float | None, rows: int) -> Tensor:
    """Scale gradients in place to a norm of at most ``most`` for each of ``rows`` models; return the norms before, in double.

    What torch's own does, but for its range: of a gradient above 1e19, which activity that explodes for a while has, the
    square is infinite in float32.
    """
    flat = [g.reshape(rows, -1) for g in gradients]
    norm = torch.stack([torch.linalg.vector_norm(g, dim=1, dtype=torch.float64) for g in flat]).norm(dim=0)
    if most is not None:
        scale = (most / (norm + 1e-6)).clamp(max=1.0)
        for g in gradients:
            g.mul_(scale.view(-1, *[1] * (g.ndim - 1)) if rows > 1 else scale[0])
    return norm


def _optimizer(parameters: list[Tensor], plan: Plan, rows: int) -> torch.optim.Optimizer | Descent:
    """``rows``: models that learn apart."""
    for p in parameters:  # steps take parameter and gradient in the order of memory, whatever their layout
        p.data = p.data.contiguous()
    rates = plan.rates(rows)
    if all(p.device.type == "cpu" for p in parameters):
        if plan.optimizer == "adam":
            return Adam(parameters, rates, betas=plan.betas)
        return SGD(parameters, rates, momentum=plan.momentum)
    if plan.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rates[0], betas=plan.betas, foreach=True)
    return torch.optim.SGD(parameters, lr=rates[0], momentum=plan.momentum, nesterov=plan.momentum > 0, foreach=True)


def _digest(net: SeededModule) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, value in net.state_dict().items():
        digest.update(name.encode() + value.cpu().numpy().tobytes())
    return digest.hexdigest()
