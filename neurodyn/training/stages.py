"""The objective of digit tasks: stages of a curriculum, each trained until it is solved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.models.recurrent import Draws, RecurrentNetwork
from neurodyn.training.curricula import solved
from neurodyn.training.objective import Objective, Tested
from neurodyn.training.plan import StagesPlan

if TYPE_CHECKING:
    from neurodyn.kernels.leaky_launch import LeakyStep
    from neurodyn.tasks.digits import Batch, DigitTask

EPOCH, _TEST = 2**32, 2**63  # numbers of batches: those of tests lie beyond all of training


class Stages(Objective):
    """See :func:`neurodyn.train`."""

    def __init__(self, net: RecurrentNetwork, task: DigitTask, plan: StagesPlan) -> None:
        net.check_one()
        plan.check_models(None)
        plan.check_heads(net.heads)
        self.net, self._task, self.plan = net, task, plan
        rounds = len(task.holds)
        self.task, self.steps, self._tests = task.config, plan.steps * rounds, plan.tests * rounds
        self.stage = plan.curriculum.first
        self._since = 0  # epochs since a stage was solved
        self._reached = 0  # largest N of the last stage that was solved
        self.short = net.own_step()

    @property
    def state(self) -> dict[str, Any]:
        return {"stage": list(self.stage), "since": self._since, "reached": self._reached}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self.stage = tuple(value["stage"])
        self._since, self._reached = value["since"], value["reached"]
        self._decide()  # the ends may be others

    @property
    def mark(self) -> dict[str, Any]:
        return {"stage": list(self.stage)}

    @property
    def results(self) -> dict[str, Any]:
        return {"N": self._reached}

    @property
    def where(self) -> str:
        return f"at N = {self.stage[-1]}"

    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the sum over heads of the mean cross-entropy of a fresh batch."""
        given, draws = self.drawn(epoch * EPOCH + step)
        logits = self.net(given.inputs, heads=len(self.stage), hold=given.hold, draws=draws)
        return functional.cross_entropy(logits.flatten(0, 1), given.labels.flatten(), reduction="sum") / self.plan.batch

    def descend(self, epoch: int, step: int) -> Tensor:
        """See :meth:`Objective.descend`; a network may know a shorter way than through its loss."""
        if self.short is None:
            return super().descend(epoch, step)
        return self.descend_on(self.short, *self.drawn(epoch * EPOCH + step))

    def descend_on(self, short: LeakyStep, given: Batch, draws: Draws) -> Tensor:
        """Leave the gradient of the loss of a batch in the parameters; return the loss."""
        return short.descend(given.inputs, given.labels, draws, hold=given.hold, per=1 / self.plan.batch)

    def test(self, epoch: int) -> Tested:
        """Test the stage; keep the network and go on to the next stage if it is solved."""
        right = torch.zeros(len(self.stage), dtype=torch.float64, device=self.net.device)
        for k in range(self._tests):
            logits, labels = self._logits(_TEST + epoch * EPOCH + k)
            right += (logits.argmax(2) == labels).double().mean(1)
        accuracy = (right / self._tests).tolist()
        mean, tau = float(np.mean(accuracy)), _of_tau(self.net)
        row = np.full(self.net.heads, np.nan)
        row[: len(accuracy)] = accuracy
        found = Tested(
            numbers={"smallest_N": self.stage[0], "N": self.stage[-1], "accuracy": mean, **tau},
            rows={"accuracy_of_head": (row, ("head",))},
            shown={"N": self.stage[-1], "accuracy": f"{mean:.3f}"},
        )
        if tau:
            found.shown["tau"] = f"{tau['tau_mean']:.3f}"
        self._since += 1
        if solved(accuracy, self.plan.threshold):
            found.keep = [f"N={self.stage[-1]}"]
            self._solved()
        self._decide()
        return found

    def _solved(self) -> None:
        plan = self.plan
        self._since, self._reached = 0, self.stage[-1]
        following = plan.curriculum.next(self.stage)
        if following is None:
            self.ended = f"N = {self._reached} solved"
        elif plan.until is None or self._reached < plan.until:
            if len(following) > self.net.heads:
                self.ended = f"N = {self._reached} solved, and the {self.net.heads} heads are in use"
            else:
                self.stage = following

    def _decide(self) -> None:
        plan = self.plan
        if not self.ended and plan.until is not None and self._reached >= plan.until:
            self.ended = f"N = {self._reached} solved"
        elif not self.ended and plan.patience is not None and self._since >= plan.patience:
            self.ended = f"{self._since} epochs without a stage solved"

    def drawn(self, number: int) -> tuple[Batch, Draws]:
        """The batch of a number, and what else is random."""
        net, plan = self.net, self.plan
        where: Any = {"seed": plan.seed, "step": number}
        given = self._task.batch(self.stage, plan.batch, **where, device=net.device)
        return given, (self.short or net).draws(len(given.inputs), plan.batch, **where)

    def _logits(self, number: int) -> tuple[Tensor, Tensor]:
        """Logits of the stage's heads for the batch of a number, and the labels."""
        given, draws = self.drawn(number)
        options: Any = {"heads": len(self.stage), "hold": given.hold, "draws": draws}
        logits = self.net(given.inputs, **options) if self.short is None else self.short.logits(given.inputs, **options)
        return logits, given.labels


def _of_tau(net: RecurrentNetwork) -> dict[str, float]:
    tau = getattr(net, "tau", None)
    if tau is None:
        return {}
    values = tau.double().cpu().numpy()
    return {
        "tau_mean": float(values.mean()),
        "tau_sd": float(values.std()),
        "tau_largest": float(values.max()),
        "tau_below_1": float((values < 1).sum()),
    }
