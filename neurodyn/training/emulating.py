"""What a network that emulates is after: sequences that lie as near to those of its target as their own kind does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.training.emulation_pass import Divergence, Updates, closed_form, in_threads
from neurodyn.training.objective import Objective, Tested
from neurodyn.training.sinkhorn import Wanted

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov
    from neurodyn.training.emulation import EmulationPlan

_TRAINING, _VALIDATION, _FLOOR = 0, 1, 2  # numbers of the batches of the target; floors go on from there
_TESTS = 2**29  # numbers of passes: those of tests lie beyond all of training
_LONG = 10  # times the length of a sequence, after which activity must not have grown
_FEW = 32  # sequences that are followed so long
EXPLODING = 10.0  # growth beyond which a network is not bounded


class _Sequences:
    """Sequences of the target that one key gives, as codes."""

    def __init__(self, net: HMMRNN, target: HiddenMarkov, plan: EmulationPlan, seed: int) -> None:
        self._net, self._target, self._plan, self._seed = net, target, plan, seed
        self._floor, self._lock = (-1, math.nan), Lock()
        self._training = self._sample(plan.sequences, _TRAINING)
        self.validation = Wanted(self._codes(self._sample(plan.validation, _VALIDATION)))

    def batch(self, update: int) -> Wanted:
        """The sequences of an update."""
        plan = self._plan
        at = torch.arange(update * plan.batch, (update + 1) * plan.batch) % plan.sequences
        return Wanted(self._codes(self._training[at]))

    def floor(self, epoch: int, divergence: Divergence) -> float:
        """Divergence of another sample as large as that of the validation, taken once for all models that have this key."""
        with self._lock:
            if self._floor[0] != epoch:
                fresh = self._codes(self._sample(self._plan.validation, _FLOOR + epoch))
                self._floor = epoch, float(divergence(fresh, self.validation))
        return self._floor[1]

    def _sample(self, count: int, number: int) -> Tensor:
        return self._target.sample(count, self._plan.length, seed=self._seed, step=number)[1]

    def _codes(self, symbols: Tensor) -> Tensor:
        return functional.one_hot(symbols, self._net.outputs).to(dtype=self._net.dtype, device=self._net.device)


class Emulation(Objective):
    """See :func:`neurodyn.emulate`."""

    def __init__(self, net: HMMRNN, target: HiddenMarkov, plan: EmulationPlan) -> None:
        if not hasattr(target, "symbols"):
            raise TypeError(
                f"target is a {type(target).__name__}; give a model, such as nd.tasks.HiddenMarkov.fit(sequences, "
                "states=3).model"
            )
        if net.outputs != target.symbols:
            raise ValueError(
                f"the network has {net.outputs} outputs and the target {target.symbols} symbols; give it outputs="
                f"{target.symbols}"
            )
        for name in ("seed", "learning_rate"):
            value = getattr(plan, name)
            if isinstance(value, tuple) and (len(value) != net.models or not net.many):
                has = f"{net.models} models" if net.many else "no axis of models"
                raise ValueError(
                    f"{name} has {len(value)} numbers and the network {has}; give one number, or one for each model"
                )
        self.net, self.plan = net, plan
        self.apart, self._written = net.many, closed_form(net)
        if net.many and not self._written:
            raise ValueError(f"{type(net).__name__} makes its sequences in a way of its own; train net.select(k) alone")
        self.task, self.steps = target.config, plan.steps
        self._seeds = plan.seed if isinstance(plan.seed, tuple) else (plan.seed,) * net.models
        self._sequences = {seed: _Sequences(net, target, plan, seed) for seed in dict.fromkeys(self._seeds)}
        self._batched = net.many and torch.device(net.device).type != "cpu"
        if self._batched and isinstance(plan.learning_rate, tuple):
            raise ValueError("learning_rate has several numbers, which is for networks on the CPU; give one number")
        self._best, self._best_update = np.full(net.models, math.inf), np.zeros(net.models, dtype=np.int64)
        self._exploding = np.zeros(net.models, dtype=bool)
        self._lost = np.zeros(net.models, dtype=np.int64)  # update whose loss or gradient was no number; 0: none was
        self._work: Updates | None = None  # its memory is taken with the first update

    @property
    def state(self) -> dict[str, Any]:
        return {**self._told("best"), **({"lost": self._lost} if self.net.many else {})}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        for name in ("best", "best_update", "exploding"):
            getattr(self, f"_{name}")[:] = value[name]
        if self.net.many:
            self._lost[:] = value["lost"]

    @property
    def results(self) -> dict[str, Any]:
        return self._told("best_loss") | ({"lost_update": self._lost} if self.net.many else {})

    @property
    def at_work(self) -> np.ndarray | None:
        return self._lost == 0 if self._lost.any() else None

    def _told(self, best: str) -> dict[str, Any]:
        """Arrays (model,), or plain values of one network."""
        found = {best: self._best, "best_update": self._best_update, "exploding": self._exploding}
        return found if self.net.many else {name: value[0].item() for name, value in found.items()}

    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the divergence of a batch that the network generates from the next sequences of the target."""
        plan, update = self.plan, epoch * self.steps + step
        codes, _ = self.net.codes(self.net.draws(plan.length, plan.batch, seed=self._seeds[0], step=update))
        return self._divergence(codes, self.wanted(update))

    def wanted(self, update: int) -> Wanted:
        """Return the sequences that the first network is to come near to in an update."""
        return self._sequences[self._seeds[0]].batch(update)

    def descend(self, epoch: int, step: int) -> Tensor:
        """See :meth:`Objective.descend`: the gradient of :meth:`loss` without autograd, for each model of many."""
        if not self._written:
            return super().descend(epoch, step)
        update = epoch * self.steps + step
        wanted = {seed: sequences.batch(update) for seed, sequences in self._sequences.items()}
        if self._work is None:
            self._work = Updates(self.net, self.plan.length, self.plan.batch, self._seeds, batched=self._batched)
        at_work = np.flatnonzero(self._lost == 0).tolist()
        losses = self._work.descend(update, wanted, self._divergence, at_work)
        if not self.net.many:
            return losses[0]
        self._lose(losses, update)
        return losses

    def _lose(self, losses: Tensor, update: int) -> None:
        """Give up models whose loss or gradient is no number, so that the others go on; with the last one all is lost."""
        gradients = [p.grad for p in self.net.parameters() if p.grad is not None]
        finite = torch.stack([torch.isfinite(v.flatten(1)).all(1) for v in (losses[:, None], *gradients)]).all(0)
        for k in torch.nonzero(~finite).flatten().tolist():
            self._lost[k] = self._lost[k] or update + 1  # batched products go on with one that was lost before
            for v in (losses, *gradients):
                v[k] = 0.0
        if self._lost.all():
            losses.fill_(math.nan)

    def test(self, epoch: int) -> Tested:
        """Compare with the validation sequences, and see whether activity stays bounded."""
        net, plan, update = self.net, self.plan, (epoch + 1) * self.steps
        at_work = np.flatnonzero(self._lost == 0)
        each: dict[int, dict[str, Any]] = {}

        def work(_: int, number: int) -> None:
            each[number] = self._tested(int(at_work[number]), epoch)

        if net.many:
            in_threads(work, len(at_work), 1 if self._batched else torch.get_num_threads())
        else:
            work(0, 0)  # on all the threads that torch has
        taken = {name: np.stack([each[number][name] for number in range(len(at_work))]) for name in each[0]}
        marginal = taken.pop("marginal")
        found = Tested(numbers={"update": update, **{name: float(values.mean()) for name, values in taken.items()}})
        found.rows["marginal"] = marginal[0], ("symbol",)
        if net.many:
            found.rows = {f"{name}_of_model": (self._of_all(values), ("model",)) for name, values in taken.items()}
            found.rows["marginal"] = self._of_all(marginal), ("model", "symbol")
        found.shown = {k: f"{found.numbers[k]:.3g}" for k in ("validation_loss", "floor", "symbol_change")}
        if self._lost.any():
            found.shown["lost"] = str(np.count_nonzero(self._lost))
        self._exploding = ~(self._of_all(taken["growth"]) <= EXPLODING)
        self._keep(found, self._of_all(taken["validation_loss"]), update)
        if plan.keep_every is not None and not update % plan.keep_every:
            found.keep = [*found.keep, f"update={update}"]
        return found

    def _of_all(self, values: np.ndarray) -> np.ndarray:
        """Put what models at work gave in the place of each, and NaN in that of the others."""
        found = np.full((self.net.models, *values.shape[1:]), math.nan)
        found[self._lost == 0] = values
        return found

    def _keep(self, found: Tested, loss: np.ndarray, update: int) -> None:
        """Keep each network that is bounded and nearer to the validation sequences than before."""
        better = (loss < self._best) & ~self._exploding
        if not better.any():
            return
        self._best[better], self._best_update[better] = loss[better], update
        if not self.net.many:
            found.keep = ["best"]
            return
        state = {name: value.cpu().numpy() for name, value in self.net.state_dict().items()}
        found.of_models = {
            f"{k}/best": {"arrays": {name: value[k] for name, value in state.items()}} for k in np.flatnonzero(better)
        }

    @torch.no_grad()  # also in threads, which have a switch of their own
    def _tested(self, k: int, epoch: int) -> dict[str, Any]:
        """What a test finds of a model, by name."""
        net, plan, seed, sequences = self.net, self.plan, self._seeds[k], self._sequences[self._seeds[k]]
        if net.many:
            net = net.select(k)
        codes, states = net.codes(net.draws(plan.length, plan.validation, seed=seed, step=_TESTS + epoch))
        symbols = codes.argmax(2)
        return {
            "validation_loss": float(self._divergence(codes, sequences.validation)),
            "floor": sequences.floor(epoch, self._divergence),
            "symbol_change": float((symbols[:, 1:] != symbols[:, :-1]).double().mean()),
            "largest_state": float(states.max()),
            "growth": self._growth(net, seed, epoch),
            "marginal": np.bincount(symbols.flatten().cpu(), minlength=net.outputs) / symbols.numel(),
        }

    def _growth(self, net: HMMRNN, seed: int, epoch: int) -> float:
        """Norm of the activity after many lengths of a sequence, over that after one."""
        plan = self.plan
        state, norms = None, []
        for k in range(_LONG):
            where = {"seed": seed, "step": 2 * _TESTS - 1 - epoch, "first": k * plan.length}
            state = net.run(net.draws(plan.length, _FEW, **where)["noise"], start=state)[-1]
            norms.append(float(state.double().norm()))
        return norms[-1] / norms[0] if norms[0] else 1.0

    def _divergence(self, codes: Tensor, wanted: Wanted) -> Tensor:
        total = codes.sum()
        if not bool(torch.isfinite(total)):
            return total * math.nan  # the loop knows what to do
        return wanted.divergence(codes, blur=self.plan.blur, scaling=self.plan.scaling)
