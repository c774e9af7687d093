"""Training of a noise-driven network on the sequences of a hidden Markov model, as a distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from neurodyn.citing import cites
from neurodyn.running.stopping import Resume
from neurodyn.training.emulating import Emulation
from neurodyn.training.plan import Plan, whole
from neurodyn.training.run import TrainingRun
from neurodyn.training.trainer import carried_out
from neurodyn.units import Time

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN
    from neurodyn.tasks.hidden_markov import HiddenMarkov


@cites("torre2025", "feydy2019")
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
    learning_rate: float | Sequence[float] = 1e-3,
    betas: tuple[float, float] = (0.9, 0.9),
    clip: float = 0.9,
    seed: int | Sequence[int] = 1,
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
        With as many outputs as the target has symbols. Of many models each learns to the bits what it learns alone on one
        thread; on the CPU they share the threads, elsewhere their products are batched.
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
        Of Adam, the rate also as one for each model; and the greatest norm of the gradient of all parameters of a model.
    seed : int or sequence of int
        Key of the sequences and of the noise; one for all models, who then learn from the same draws, which are made once, or
        one for each.
    out, overwrite, resume, checkpoint_every, config, progress
        As in :func:`neurodyn.train`; ``updates`` may be others when a training is resumed.

    Returns
    -------
    TrainingRun
        ``history``: loss, validation_loss and floor, update, symbol_change (share of steps at which the symbol changes),
        largest_state, and growth (norm of the activity at 10 lengths over that at one). Snapshots "best", "last",
        "initial" and those of ``keep_every``. Results: best_loss, best_update and exploding, whether the last network is
        unbounded. Of many models ``history`` has means, the recording also arrays (epoch, model) such as
        ``training/validation_loss_of_model``, results are arrays, and ``run.select(k)`` is the training of one, with its
        "best". One whose loss is no number is given up, at the result lost_update, and the others go on.

    Raises
    ------
    ValueError
        For numbers out of range, and a network with other symbols than the target.
    TrainingError
        If the loss is not finite; of many models, if none is.
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
        learning_rate=_each(learning_rate),
        betas=betas,
        clip=clip,
        seed=_each(seed),
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


def _each(given: Any) -> Any:
    """One number for all models as it is, one for each as a tuple of Python's numbers."""
    several = isinstance(given, (Sequence, np.ndarray)) and not isinstance(given, str)
    return tuple(np.asarray(given).tolist()) if several else given
