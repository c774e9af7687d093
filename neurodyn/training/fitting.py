"""Training of generative networks on sequences, by their free energy."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from neurodyn.citing import cites
from neurodyn.kernels.draws import uniforms
from neurodyn.running.stopping import Resume
from neurodyn.training.objective import Objective, Tested
from neurodyn.training.plan import Plan, whole
from neurodyn.training.run import ADAPTIVE, TrainingRun
from neurodyn.training.trainer import carried_out
from neurodyn.units import Time

if TYPE_CHECKING:
    from neurodyn.models.generative import FreeEnergy, GenerativeNetwork

_TESTS = 2**31  # numbers of passes: those of tests lie beyond all of training


@cites("ahmadi2019")
def fit(
    net: GenerativeNetwork,
    sequences: Any,
    *,
    updates: int = 50_000,
    test_every: int = 500,
    keep_every: int | None = None,
    validation: Any = None,
    particles: int = 100,
    patience: int | None = None,
    learning_rate: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    clip: float | None = None,
    seed: int = 1,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: Resume | None = None,
    checkpoint_every: Time = "60 s",
    config: Mapping[str, Any] | None = None,
    progress: bool | None = None,
) -> TrainingRun:
    """Train all models of a network, in place, to explain sequences: weights and adaptive vectors together.

    The loss is the sum of the free energies of the models, each over all sequences (an update is an epoch). The models don't
    touch each other: each learns what it learns alone, but for ``clip``.

    Parameters
    ----------
    net : PVRNN or VRNN
        One model, or many with different seeds and meta-priors, which is not much dearer.
    sequences : array (sequence, time, dim), or a list of arrays (time, dim) of unequal lengths
        NaN is a missing value; sequences of symbols have no last axis. See ``net.output``.
    updates, test_every : int
        Updates, a multiple of ``test_every``, and updates from one test to the next. Don't stop early: memorisation, and
        with it chaos, comes late.
    keep_every : int, optional
        Updates, a multiple of ``test_every``, after which the networks are kept as they are then; none by default.
    validation : as ``sequences``, or float, optional
        Held-out sequences, or the share of ``sequences``, between 0 and 1, that is drawn by the seed and not trained. Tests
        take a bound on their log-likelihood with so many ``particles``, and each model is kept where it was largest, as
        snapshot "best".
    patience : int, optional
        Tests without a better validation of any model, after which the training ends; never by default.
    learning_rate, betas, clip : float, (float, float), float
        Of Adam, and the greatest norm of the gradient of all parameters together; not limited by default.
    seed : int
        Key of the noise; each model has its own, by its own seed.
    out, overwrite, resume, checkpoint_every, config, progress
        As in :func:`neurodyn.train`; ``updates`` and ``patience`` may be others when a training is resumed.

    Returns
    -------
    TrainingRun
        ``history``: update and, as means over models, reconstruction, divergence and first_divergence (see
        :class:`neurodyn.models.generative.FreeEnergy`), log_likelihood (nats per held-out observation). By model, and
        divergences by layer, they are arrays of the recording: ``training/reconstruction_of_model``. Snapshots "best",
        "last", "initial" and those of ``keep_every``; :meth:`TrainingRun.adaptive` gives the adaptive vectors.

    Raises
    ------
    ValueError
        For numbers out of range, and values outside the range of the coding.
    TrainingError
        If the loss is not finite; names the models.
    FileExistsError, neurodyn.Suspended
        As in :func:`neurodyn.train`.

    References
    ----------
    Ahmadi & Tani (2019) Neural Computation 31(11):2025-2074.
    """
    whole("updates", updates, 1)
    whole("test_every", test_every, 1)
    plan = FitPlan(
        epochs=updates // test_every,
        steps=test_every,
        updates=updates,
        keep_every=keep_every,
        particles=particles,
        patience=patience,
        optimizer="adam",
        learning_rate=learning_rate,
        betas=betas,
        clip=clip,
        seed=seed,
    )
    return carried_out(
        net,
        Fit(net, sequences, validation, plan),
        plan,
        out=out,
        overwrite=overwrite,
        resume=resume,
        checkpoint_every=checkpoint_every,
        notes=config,
        progress=progress,
    )


@dataclass(frozen=True, kw_only=True)
class FitPlan(Plan):
    """The numbers of a fit; see :func:`fit`."""

    seed: int  # of the noise of all models
    updates: int
    keep_every: int | None
    particles: int
    patience: int | None

    ends: ClassVar[tuple[str, ...]] = ("epochs", "updates", "patience")

    def __post_init__(self) -> None:
        for name in ("updates", "keep_every"):
            value = getattr(self, name)
            if value is None:
                continue
            whole(name, value, 1)
            if value % self.steps:
                raise ValueError(f"{name} = {value}; give a multiple of test_every = {self.steps}")
        super().__post_init__()
        whole("particles", self.particles, 1)
        if self.patience is not None:
            whole("patience", self.patience, 1)


class Fit(Objective):
    """See :func:`fit`."""

    def __init__(self, net: GenerativeNetwork, sequences: Any, validation: Any, plan: FitPlan) -> None:
        if not hasattr(net, "free_energy"):
            raise TypeError(f"net is a {type(net).__name__}; give a generative network, such as nd.PVRNN(...)")
        self.net, self.plan, self.steps = net, plan, plan.steps
        where = {"dtype": net.dtype, "device": net.device}
        self._encoded = net.output.encode(sequences, **where)
        apart: list[int] = []
        if isinstance(validation, float):
            apart = _held_out(validation, len(self._encoded.lengths), plan.seed)
            rest = [n for n in range(len(self._encoded.lengths)) if n not in apart]
            self._held_out, self._encoded = self._encoded.of(apart), self._encoded.of(rest)
        else:
            self._held_out = None if validation is None else net.output.encode(validation, **where)
        if plan.patience is not None and validation is None:
            raise ValueError(f"patience = {plan.patience}; give validation sequences as well")
        self._count, self._length = self._encoded.targets.shape[:2]
        self._adaptive = net.adaptive(self._count, self._length)
        self._losses: list[Tensor] = []  # of models, since the last test
        self._best = np.full(net.models, -math.inf)
        self._kept: dict[str, np.ndarray] = {}
        self._since = 0
        held_out = () if self._held_out is None else (self._held_out,)
        self.task: dict[str, Any] = {"task": "sequences", "sequences": self._count, "length": self._length} | {
            name: [_digest(e.targets), _digest(e.observed), _digest(e.lengths)]
            for name, e in zip(("data", "validation"), (self._encoded, *held_out), strict=False)
        }
        if apart:
            self.task["held_out"] = apart

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        return {ADAPTIVE + name: value for name, value in self._adaptive.items()}

    @property
    def ended(self) -> str:  # type: ignore[override]
        patience = self.plan.patience
        done = patience is not None and self._since >= patience
        return f"{self._since} tests without a better validation" if done else ""

    @property
    def state(self) -> dict[str, Any]:
        return {"best": self._best, "kept": self._kept, "since": self._since}

    @state.setter
    def state(self, value: Mapping[str, Any]) -> None:
        self._best, self._since = np.array(value["best"]), value["since"]
        self._kept = {name: np.array(array) for name, array in value["kept"].items()}

    @property
    def results(self) -> dict[str, Any]:
        return {} if self._held_out is None else {"best_log_likelihood": self._best}

    @property
    def where(self) -> str:
        for loss in self._losses:  # the first that are lost: a common clip spreads it to all others
            lost = [str(k) for k, value in enumerate(loss.tolist()) if not math.isfinite(value)]
            if lost:
                return f"at model {', '.join(lost)} of {self.net.models}"
        return ""

    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the free energy of all models together."""
        found = self._free_energy(epoch * self.steps + step)
        self._losses.append(found.loss.detach())
        return found.loss.sum()

    def descend(self, epoch: int, step: int) -> Tensor:
        """See :meth:`Objective.descend`; a network may know a shorter way than through its loss."""
        found = self.net.descend(self._encoded, self._adaptive, self._noise(epoch * self.steps + step))
        self._losses.append(found.loss)
        return found.loss.sum()

    def _free_energy(self, step: int) -> FreeEnergy:
        return self.net.free_energy(self._encoded, self._adaptive, self._noise(step))

    def _noise(self, step: int) -> Tensor:
        return self.net.noise("training", self._count, self._length, step=step, key=self.plan.seed)

    def test(self, epoch: int) -> Tested:
        """Take the parts of the free energy, and how likely held-out sequences are."""
        self._losses.clear()
        update, found = (epoch + 1) * self.steps, self._free_energy(_TESTS + epoch)
        parts = {name: getattr(found, name) for name in ("reconstruction", "divergence", "first_divergence")}
        numbers = {
            name: float(value.double().reshape(self.net.models, -1).sum(1).mean()) for name, value in parts.items()
        }
        dims = {"reconstruction": ("model",), "divergence": ("model", "layer"), "first_divergence": ("model", "layer")}
        tested = Tested(
            numbers={"update": update, **numbers},
            rows={f"{name}_of_model": (value.cpu().numpy(), dims[name]) for name, value in parts.items()},
            shown={"error": f"{numbers['reconstruction']:.3g}", "divergence": f"{numbers['divergence']:.3g}"},
        )
        if self._held_out is not None:
            self._validate(tested, epoch)
        if self.plan.keep_every is not None and not update % self.plan.keep_every:
            tested.keep = [f"update={update}"]
        return tested

    def _validate(self, tested: Tested, epoch: int) -> None:
        """Keep each model that explains the held-out sequences better than before."""
        assert self._held_out is not None
        totals = self.net.log_likelihood(self._held_out, particles=self.plan.particles, seed=self.plan.seed)
        each = (totals.sum(1) / self._held_out.observed.sum()).cpu().numpy()
        tested.numbers["log_likelihood"] = float(each.mean())
        tested.rows["log_likelihood_of_model"] = (each, ("model",))
        tested.shown["log_likelihood"] = f"{each.mean():.3g}"
        better = each > self._best
        self._since = 0 if better.any() else self._since + 1
        if better.any():
            now = {**self.net.state_dict(), **{k: v.detach() for k, v in self.parameters.items()}}
            for name, value in now.items():
                kept = self._kept.setdefault(name, value.cpu().numpy().copy())
                kept[better] = value.cpu().numpy()[better]
            self._best = np.where(better, each, self._best)
            tested.kept = {"best": self._kept}


def _held_out(share: float, count: int, seed: int) -> list[int]:
    """Numbers of the sequences that are held out, increasing."""
    number = round(share * count) if 0 < share < 1 else 0
    if not 0 < number < count:
        raise ValueError(
            f"validation = {share!r} of {count} sequences; give a share that leaves one at least on each side"
        )
    return sorted(uniforms("held out", (count,), seed=seed, step=0).argsort()[:number].tolist())


def _digest(values: Tensor) -> str:
    return hashlib.blake2b(values.cpu().numpy().tobytes(), digest_size=8).hexdigest()
