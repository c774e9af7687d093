"""The objective of digit tasks for many networks at once: each goes through its own stages, as it does alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels.threads import share
from neurodyn.training.objective import Objective, Tested
from neurodyn.training.plan import StagesPlan
from neurodyn.training.stages import EPOCH, Stages

if TYPE_CHECKING:
    from neurodyn.models.leaky import LeakyRNN
    from neurodyn.tasks.digits import DigitTask

_LOST = "the loss was not finite"


class ManyStages(Objective):
    """See :func:`neurodyn.train`.

    Attributes
    ----------
    each : list of Stages
        Of each model, whose network has its parameters in those of all.
    """

    apart = True

    def __init__(self, net: LeakyRNN, task: DigitTask, plan: StagesPlan) -> None:
        plan.check_models(net.models)
        if net.device.type != "cpu":
            raise ValueError(
                f"device = {str(net.device)!r}: many models are trained on the CPU; train net.select(k) there"
            )
        self.net = net
        self._gradients = {
            name: torch.zeros_like(p, memory_format=torch.contiguous_format) for name, p in net.named_parameters()
        }
        self._threads = min(torch.get_num_threads(), net.models)
        self.each: list[Stages] = []
        for k in range(net.models):
            one = Stages(view := net.view(k), task, plan.of_model(k))
            rows = {name: g[k] for name, g in self._gradients.items()}
            one.short = view.own_step(threads=torch.get_num_threads() // self._threads, gradients=rows)
            self.each.append(one)
        self.task, self.steps = self.each[0].task, self.each[0].steps
        self._epochs = np.zeros(net.models, dtype=np.int64)  # of each

    @property
    def at_work(self) -> np.ndarray:
        return np.array([not one.ended for one in self.each])

    @property
    def ended(self) -> str:  # type: ignore[override]
        return "" if self.at_work.any() else f"all {len(self.each)} models are at their end"

    @property
    def state(self) -> dict[str, Any]:
        lost = [one.ended == _LOST for one in self.each]
        return {"models": {str(k): one.state for k, one in enumerate(self.each)}, "epochs": self._epochs, "lost": lost}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._epochs[:] = value["epochs"]
        for k, (one, lost) in enumerate(zip(self.each, value["lost"], strict=True)):
            one.state = value["models"][str(k)]
            one.ended = _LOST if lost else one.ended

    @property
    def mark(self) -> dict[str, Any]:
        return {"stages": {str(k): list(one.stage) for k, one in enumerate(self.each)}, "epochs": self._epochs.copy()}

    @property
    def results(self) -> dict[str, Any]:
        return {
            "N": np.array([one.results["N"] for one in self.each]),
            "ended_of_model": [one.ended or f"{n} epochs done" for one, n in zip(self.each, self._epochs, strict=True)],
        }

    @property
    def where(self) -> str:
        last = [one.stage[-1] for one in self.each]
        return f"at N = {min(last)} to {max(last)}"

    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the losses of all models, (model,)."""
        return torch.stack([one.loss(epoch, step) for one in self.each])

    def descend(self, epoch: int, step: int) -> Tensor:
        """See :meth:`Objective.descend`; models at their end have a loss of 0."""
        losses = np.zeros(len(self.each))
        learning = [k for k, one in enumerate(self.each) if not one.ended]
        wanted = {k: (self.each[k].plan.seed, self.each[k].stage) for k in learning}
        number, made = epoch * EPOCH + step, {}

        def draw(one: Stages, key: Any) -> None:
            made[key] = one.drawn(number)

        def learn(k: int) -> None:
            one = self.each[k]
            if one.short is not None:
                losses[k] = float(one.descend_on(one.short, *made[wanted[k]]))
            else:
                losses[k] = float(self._plainly(k, epoch, step))
            if not math.isfinite(losses[k]):
                one.ended = _LOST

        if all(one.short is not None for one in self.each):
            of = {key: self.each[k] for k, key in wanted.items()}  # one model for each batch that differs
            self._in_threads([lambda key=key, one=one: draw(one, key) for key, one in of.items()])
            self._in_threads([lambda k=k: learn(k) for k in learning])
        else:  # autograd has threads of its own
            for k in learning:
                learn(k)
        for name, p in self.net.named_parameters():
            p.grad = self._gradients[name] if p.requires_grad else None
        return torch.from_numpy(losses)

    def _plainly(self, k: int, epoch: int, step: int) -> Tensor:
        """Through autograd, for networks that have no step of their own."""
        one = self.each[k]
        one.net.zero_grad()
        loss = one.descend(epoch, step)
        for name, p in one.net.named_parameters():
            if p.grad is not None:
                self._gradients[name][k] = p.grad
        return loss

    def _in_threads(self, work: list[Callable[[], Any]]) -> None:
        share(lambda _, k: work[k](), len(work), self._threads)

    def test(self, epoch: int) -> Tested:
        """Test each model that learns, on its stage."""
        learning = self.at_work.nonzero()[0].tolist()
        found: dict[int, Tested] = {}
        before = {k: self.each[k].mark for k in learning}

        def ask(k: int) -> None:
            with torch.no_grad():  # which is of a thread
                found[k] = self.each[k].test(epoch)

        self._in_threads([lambda k=k: ask(k) for k in learning])
        self._epochs[learning] += 1
        rows: dict[str, Any] = {}
        for name in found[learning[0]].numbers if learning else ():
            values = np.full(len(self.each), np.nan)
            values[learning] = [found[k].numbers[name] for k in learning]
            rows[name] = values
        numbers = {name: float(np.nanmean(values)) for name, values in rows.items()}
        tested = Tested(numbers=numbers, rows={f"{name}_of_model": (v, ("model",)) for name, v in rows.items()})
        heads = np.full((len(self.each), self.net.heads), np.nan)
        for k in learning:
            heads[k] = found[k].rows["accuracy_of_head"][0]
        tested.rows["accuracy_of_head"] = heads, ("model", "head")
        tested.shown = {"N": self.where.removeprefix("at N = "), "accuracy": f"{numbers.get('accuracy', math.nan):.3f}"}
        tested.of_models = {
            f"{k}/{label}": {**before[k], "arrays": _arrays(self.each[k].net)}
            for k in learning
            for label in found[k].keep
        }
        return tested


def _arrays(net: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.numpy().copy() for name, value in net.state_dict().items()}
