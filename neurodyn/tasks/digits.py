"""Memory tasks on streams of binary digits: N-parity and N-delayed match to sample (Khajehabdollahi et al. 2024)."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from neurodyn.session import Session, Trial
from neurodyn.tasks.fields import whole
from neurodyn.units import Time, si

if TYPE_CHECKING:
    from torch import Tensor

_SESSION = 2**62  # number of its first batch: a session shares none with training (from 0 on) or its tests (from 2**63)


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences of one length.

    Attributes
    ----------
    inputs : array, shape (time, batch, 1)
        Digits as the network sees them, each held for ``hold`` steps.
    labels : array, shape (task, batch)
        0 or 1, one row for each N; integers.
    digits : array, shape (digit, batch)
        0 or 1, integers.
    hold : int
    """

    inputs: Tensor
    labels: Tensor
    digits: Tensor
    hold: int


@dataclass(frozen=True, kw_only=True)
class DigitTask(ABC):
    """A label of the last N digits of a stream of 0s and 1s, asked for after the last one.

    All sequences of a batch have one length, uniform from N + 2 to 4 N + 1 digits for the largest N. ``probability``,
    ``hold`` and ``coding`` are as in :class:`Parity`.
    """

    probability: float | None = None
    hold: int | Sequence[int] = 1
    coding: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.probability is not None and not 0 < self.probability < 1:
            raise ValueError(f"probability = {self.probability!r}; give a number between 0 and 1, or None for any")
        holds = tuple(self.hold) if isinstance(self.hold, Iterable) else (self.hold,)
        if not holds:
            raise ValueError(f"hold = {self.hold!r}; give a whole number of steps, at least 1, or several")
        coding = tuple(map(float, self.coding)) if isinstance(self.coding, Iterable) else ()
        if len(coding) != 2 or not all(map(math.isfinite, coding)) or coding[0] == coding[1]:
            raise ValueError(f"coding = {self.coding!r}; give two different numbers, for 0 and for 1")
        object.__setattr__(self, "hold", tuple(whole(k, "hold", 1) for k in holds))
        object.__setattr__(self, "coding", coding)

    @property
    def holds(self) -> tuple[int, ...]:
        """Steps for which digits are held, batch by batch in turn."""
        return self.hold  # type: ignore[return-value]

    @property
    def config(self) -> dict[str, Any]:
        """Name and parameters, for a recording."""
        return {
            "task": type(self).__name__,
            **{k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()},
        }

    @abstractmethod
    def labels(self, digits: Tensor, n: Sequence[int]) -> Tensor:
        """Return the labels after the last of digits (digit, batch), for each N of ``n``: (N, batch), 0 or 1."""

    @abstractmethod
    def running_labels(self, digits: Tensor, n: int) -> Tensor:
        """Return the labels after every digit from the n-th on, (digit - n + 1, batch)."""

    def length(self, n: int, *, seed: int, step: int) -> int:
        """Return the number of digits of a batch, uniform from n + 2 to 4 n + 1."""
        from neurodyn.kernels.draws import uniforms

        u = float(uniforms("task.length", (1,), seed=seed, step=step))
        return n + 2 + int(u * 3 * n)

    def batch(
        self,
        n: int | Sequence[int],
        batch: int = 256,
        *,
        seed: int,
        step: int = 0,
        length: int | None = None,
        device: Any = "cpu",
    ) -> Batch:
        """Return a batch: a function of seed and step alone, the same on every device.

        Parameters
        ----------
        n : int or sequence of int
            N of each row of labels, at least 1.
        batch : int
            Number of sequences, at least 1.
        seed, step : int
            Key of the draws, and number of the batch.
        length : int
            Digits, at least the largest N; drawn if None.

        Raises
        ------
        ValueError
            For N or ``batch`` below 1, or sequences too short.
        """
        from neurodyn.kernels.draws import uniforms

        wanted = [whole(k, "n", 1) for k in (n if isinstance(n, Iterable) else [n])]
        if not wanted:
            raise ValueError(f"n={n!r}: give at least one N")
        batch = whole(batch, "batch", 1)
        if length is None:
            length = self.length(max(wanted), seed=seed, step=step)
        if length < max(wanted):
            raise ValueError(
                f"length = {length}: a sequence has to hold the last N = {max(wanted)} digits; lengthen it"
            )
        where = {"seed": seed, "step": step, "device": device}
        p = self.probability
        chance = uniforms("task.probability", (batch,), **where) if p is None else p
        digits = (uniforms("task.digits", (length, batch), **where) < chance).long()
        hold = self.holds[step % len(self.holds)]
        return Batch(self.shown(digits, hold), self.labels(digits, wanted), digits, hold)

    def session(self, trials: int, *, n: int, seed: int = 0, length: int | None = None, dt: Time = "1 ms") -> Session:
        """Return a session for the circuit of a network, ``nd.LeakyRNN(...).circuit()``: each trial is a sequence.

        Parameters
        ----------
        trials : int
            At least 1.
        n : int
            N, at least 1.
        seed : int
            Key of the draws; a longer session begins as a shorter one does. No sequence is one of a training.
        length : int
            Digits, at least N; drawn for each trial if None.
        dt : time
            Step of the circuit.

        Returns
        -------
        Session
            Every trial has the input ``digits`` (steps, 1), as :meth:`shown`, and the labels N, target (the label, due
            after the last step: 0 or 1), length (digits) and hold (steps for each).

        Raises
        ------
        ValueError
            For numbers out of range.
        """
        trials, n, seed = whole(trials, "trials", 1), whole(n, "n", 1), whole(seed, "seed", 0)
        made = []
        for number in range(trials):
            one = self.batch(n, 1, seed=seed, step=_SESSION + number, length=length)
            labels = {"N": n, "target": int(one.labels[0, 0]), "length": len(one.digits), "hold": one.hold}
            made.append(Trial(len(one.inputs), {"digits": one.inputs[:, 0].numpy()}, labels=labels))
        plan = {"trials": trials, "n": n, "seed": seed, "length": length}
        return Session(
            tuple(made), si(dt, "s", name="dt"), {"digits": ("digit",)}, config={**self.config, "session": plan}
        )

    def shown(self, digits: Tensor, hold: int = 1) -> Tensor:
        """Return what the network sees of digits (digit, batch): (digit*hold, batch, 1), float32."""
        low, high = self.coding
        seen = (low + (high - low) * digits).float()[..., None]
        return seen.repeat_interleave(hold, 0) if hold > 1 else seen


class Parity(DigitTask):
    """N-parity: whether the last N digits hold an odd number of 1s.

    By default each sequence has its own chance of a 1, so that many are strongly biased: a constant answer is right in
    1/2 + 1/(2(N+1)) of them for even N, not in half.

    Parameters
    ----------
    probability : float, optional
        Chance of a 1, in (0, 1). None: each sequence has its own, uniform in (0, 1).
    hold : int or sequence of int
        Steps for which each digit is shown, at least 1; of several, batches take turns.
    coding : (float, float)
        What the network sees of a 0 and of a 1.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR, and their code.
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    def labels(self, digits: Tensor, n: Sequence[int]) -> Tensor:
        """Return the parities of the last N digits, for each N of ``n``: (N, batch)."""
        back = digits[-max(n) :].flip(0).cumsum(0)
        return back[[k - 1 for k in n]] % 2

    def running_labels(self, digits: Tensor, n: int) -> Tensor:
        """Return the parity of the last n digits after every digit from the n-th on, (digit - n + 1, batch)."""
        total = digits.cumsum(0)
        total[n:] = total[n:] - total[:-n]
        return total[n - 1 :] % 2


@dataclass(frozen=True, kw_only=True)
class DelayedMatch(DigitTask):
    """N-delayed match to sample: whether the last digit equals the one N - 1 before it; digits are 0 and 1 equally often.

    ``probability``, ``hold`` and ``coding`` are as in :class:`Parity`.

    References
    ----------
    Khajehabdollahi et al. (2024) ICLR, and their code.
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    probability: float | None = 0.5

    def labels(self, digits: Tensor, n: Sequence[int]) -> Tensor:
        """Return whether the last digit equals the one N - 1 before it, for each N of ``n``: (N, batch)."""
        return (digits[[-k for k in n]] == digits[-1]).long()

    def running_labels(self, digits: Tensor, n: int) -> Tensor:
        """Return whether digits n - 1 apart are equal, after every digit from the n-th on, (digit - n + 1, batch)."""
        return (digits[n - 1 :] == digits[: len(digits) - n + 1]).long()
