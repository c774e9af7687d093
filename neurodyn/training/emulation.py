"""Training of a noise-driven network on the sequences of a hidden Markov model, as a distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from neurodyn.running.stopping import Resume
from neurodyn.training.objective import Objective, Tested
from neurodyn.training.plan import Plan, whole
from neurodyn.training.run import TrainingRun
from neurodyn.training.sinkhorn import sinkhorn_divergence
from neurodyn.training.trainer import carried_out
from neurodyn.units import Time

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov

_TRAINING, _VALIDATION, _FLOOR = 0, 1, 2  # numbers of the batches of the target; floors go on from there
_TESTS = 2**29  # numbers of passes: those of tests lie beyond all of training
_LONG = 10  # times the length of a sequence, after which activity must not have grown
_FEW = 32  # sequences that are followed so long
EXPLODING = 10.0  # growth beyond which a network is not bounded


def emulate(
    net: HMMRNN,
    target: HiddenMarkov,
    *,
    length: int = 100,
    batch: int = 4096,
    updates: int = 1500,
    test_every: int = 25,
    keep_every: int | None = None,
    sequences: int = 10_000,
    validation: int = 2048,
    blur: float = 0.2,
    scaling: float = 0.5,
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.9),
    clip: float = 0.9,
    seed: int = 1,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: Resume | None = None,
    checkpoint_every: Time = "60 s",
    config: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> TrainingRun:
    """Train a network, in place, until its sequences are distributed as those of a hidden Markov model.

    The loss of an update is the Sinkhorn divergence between a batch of sequences that the network generates from rest and
    one of the target. After every ``test_every`` updates the same divergence is taken to validation sequences, beside that
    of a fresh sample of the target (the floor: two finite samples of one source are not at distance 0). The network with
    the lowest validation loss whose activity stays bounded is kept as snapshot "best".

    Parameters
    ----------
    net : HMMRNN
        With as many outputs as the target has symbols.
    target : HiddenMarkov
    length, batch : int
        Steps of a sequence, at least 2, and sequences in a batch, at least 2.
    updates, test_every : int
        Updates, a multiple of ``test_every``, and updates from one test to the next.
    keep_every : int, optional
        Updates, a multiple of ``test_every``, after which the network is kept as it is then; none by default.
    sequences, validation : int
        Sequences of the target that are sampled once for training, used in turn and in fixed order, and for validation; at
        least the batch, and at least 2. Losses at different numbers of sequences can't be compared.
    blur, scaling : float
        See :func:`neurodyn.training.sinkhorn_divergence`.
    learning_rate, betas, clip : float, (float, float), float
        Of Adam, and the greatest norm of the gradient of all parameters together.
    seed : int
        Key of the sequences and of the noise.
    out, overwrite, resume, checkpoint_every, config, progress
        As in :func:`neurodyn.train`; ``updates`` may be others when a training is resumed.

    Returns
    -------
    TrainingRun
        ``history``: loss, validation_loss and floor, update, symbol_change (share of steps at which the symbol changes),
        largest_state, and growth (norm of the activity at 10 lengths over that at one). Snapshots "best", "last",
        "initial" and those of ``keep_every``. Results: best_loss, best_update and exploding, whether the last network is
        unbounded.

    Raises
    ------
    ValueError
        For numbers out of range, and a network with other symbols than the target.
    TrainingError
        If the loss is not finite.
    FileExistsError, neurodyn.Suspended
        As in :func:`neurodyn.train`.

    Notes
    -----
    By default as in the published code for linear chains, whose fully connected and cyclic models have a clip of 0.3; its
    batches are 4096, 4096 and 1808 of 10 000 sequences in turn, ours all 4096.

    References
    ----------
    Torre, Viscione, Pompe, Grewe & Mante (2025) NeurIPS, arXiv 2510.25674.
    """
    whole("updates", updates, 1)
    whole("test_every", test_every, 1)
    plan = EmulationPlan(
        epochs=updates // test_every,
        steps=test_every,
        updates=updates,
        length=length,
        batch=batch,
        keep_every=keep_every,
        sequences=sequences,
        validation=validation,
        blur=blur,
        scaling=scaling,
        optimizer="adam",
        learning_rate=learning_rate,
        betas=betas,
        clip=clip,
        seed=seed,
    )
    return carried_out(
        net,
        Emulation(net, target, plan),
        plan,
        out=out,
        overwrite=overwrite,
        resume=resume,
        checkpoint_every=checkpoint_every,
        notes=config,
        progress=progress,
    )


@dataclass(frozen=True, kw_only=True)
class EmulationPlan(Plan):
    """The numbers of an emulation; see :func:`emulate`."""

    updates: int
    length: int
    batch: int
    keep_every: int | None
    sequences: int
    validation: int
    blur: float
    scaling: float

    ends: ClassVar[tuple[str, ...]] = ("epochs", "updates")

    def __post_init__(self) -> None:
        for name in ("updates", "keep_every"):
            value = getattr(self, name)
            if value is None:
                continue
            whole(name, value, 1)
            if value % self.steps:
                raise ValueError(f"{name} = {value}; give a multiple of test_every = {self.steps}")
        super().__post_init__()
        for name in ("length", "batch", "validation"):
            whole(name, getattr(self, name), 2)
        whole("sequences", self.sequences, self.batch)
        if not 0 < self.blur < math.inf:
            raise ValueError(f"blur = {self.blur!r}; give a distance above 0, such as 0.2")
        if not 0 < self.scaling < 1:
            raise ValueError(f"scaling = {self.scaling!r}; give a factor above 0 and below 1, such as 0.5")


class Emulation(Objective):
    """See :func:`emulate`."""

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
        self.net, self.plan, self._target = net, plan, target
        self.task, self.steps = target.config, plan.steps
        self._training = self._sample(plan.sequences, _TRAINING)
        self._wanted = self._codes(self._sample(plan.validation, _VALIDATION))
        self._best, self._best_update, self._exploding = math.inf, 0, False

    @property
    def state(self) -> dict[str, Any]:
        return {"best": self._best, "best_update": self._best_update, "exploding": self._exploding}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._best, self._best_update, self._exploding = (value[k] for k in ("best", "best_update", "exploding"))

    @property
    def results(self) -> dict[str, Any]:
        return {"best_loss": self._best, "best_update": self._best_update, "exploding": self._exploding}

    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the divergence of a batch that the network generates from the next sequences of the target."""
        plan, update = self.plan, epoch * self.steps + step
        codes, _ = self.net.codes(self.net.draws(plan.length, plan.batch, seed=plan.seed, step=update))
        at = torch.arange(update * plan.batch, (update + 1) * plan.batch) % plan.sequences
        return self._divergence(codes, self._codes(self._training[at]))

    def test(self, epoch: int) -> Tested:
        """Compare with the validation sequences, and see whether activity stays bounded."""
        net, plan, update = self.net, self.plan, (epoch + 1) * self.steps
        codes, states = net.codes(net.draws(plan.length, plan.validation, seed=plan.seed, step=_TESTS + epoch))
        symbols = codes.argmax(2)
        fresh = self._codes(self._sample(plan.validation, _FLOOR + epoch))
        loss, growth = float(self._divergence(codes, self._wanted)), self._growth(epoch)
        found = Tested(
            numbers={
                "update": update,
                "validation_loss": loss,
                "floor": float(self._divergence(fresh, self._wanted)),
                "symbol_change": float((symbols[:, 1:] != symbols[:, :-1]).double().mean()),
                "largest_state": float(states.max()),
                "growth": growth,
            },
            rows={
                "marginal": (np.bincount(symbols.flatten().cpu(), minlength=net.outputs) / symbols.numel(), ("symbol",))
            },
        )
        found.shown = {k: f"{found.numbers[k]:.3g}" for k in ("validation_loss", "floor", "symbol_change")}
        self._exploding = not growth <= EXPLODING
        if loss < self._best and not self._exploding:
            self._best, self._best_update = loss, update
            found.keep = ["best"]
        if plan.keep_every is not None and not update % plan.keep_every:
            found.keep = [*found.keep, f"update={update}"]
        return found

    def _growth(self, epoch: int) -> float:
        """Norm of the activity after many lengths of a sequence, over that after one."""
        plan = self.plan
        state, norms = None, []
        for k in range(_LONG):
            where = {"seed": plan.seed, "step": 2 * _TESTS - 1 - epoch, "first": k * plan.length}
            state = self.net.run(self.net.draws(plan.length, _FEW, **where)["noise"], start=state)[-1]
            norms.append(float(state.double().norm()))
        return norms[-1] / norms[0] if norms[0] else 1.0

    def _divergence(self, codes: Tensor, wanted: Tensor) -> Tensor:
        if not bool(torch.isfinite(codes).all()):
            return codes.sum() * math.nan  # the loop knows what to do
        return sinkhorn_divergence(codes, wanted, blur=self.plan.blur, scaling=self.plan.scaling)

    def _sample(self, count: int, number: int) -> Tensor:
        return self._target.sample(count, self.plan.length, seed=self.plan.seed, step=number)[1]

    def _codes(self, symbols: Tensor) -> Tensor:
        return functional.one_hot(symbols, self.net.outputs).to(dtype=self.net.dtype, device=self.net.device)
