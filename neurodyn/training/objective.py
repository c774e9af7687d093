"""What a training is after: the loss of a step, what is asked after an epoch, and when it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.nn import Parameter


@dataclass(kw_only=True)
class Tested:
    """What a test at the end of an epoch found.

    Attributes
    ----------
    numbers, rows : mapping
        What is recorded: numbers, and arrays with the names of their dimensions.
    shown : mapping
        What the progress bar shows.
    keep : sequence of str
        Names under which the network is kept as it is now; a name that was used before is replaced.
    kept : mapping
        Arrays of networks that are kept otherwise, by name.
    of_models : mapping
        Trees of single models that are kept, by model and name: "2/N=3".
    """

    numbers: dict[str, float]
    rows: dict[str, tuple[Any, tuple[str, ...]]] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)
    keep: Sequence[str] = ()
    kept: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Objective(ABC):
    """An objective holds its network and all that is random comes from named streams, by epoch and step.

    Attributes
    ----------
    steps : int
        Of the optimiser, in an epoch.
    task : mapping
        Configuration of what is to be learnt, for a recording.
    ended : str
        Why the training has come to its end; empty until then.
    apart : bool
        Whether the loss is (model,), and models are clipped and recorded each for itself.
    """

    steps: int
    task: Mapping[str, Any]
    ended: str = ""
    apart: bool = False

    @abstractmethod
    def loss(self, epoch: int, step: int) -> Tensor:
        """Return the loss of a step; step and epoch count from 0."""

    def descend(self, epoch: int, step: int) -> Tensor:
        """Leave the gradient of the loss of a step in the parameters, which have none; return the loss, detached."""
        loss = self.loss(epoch, step)
        loss.backward()
        return loss.detach()

    @abstractmethod
    def test(self, epoch: int) -> Tested:
        """Test the network after an epoch, and decide what comes next."""

    @property
    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Where the objective stands, in plain values."""

    @state.setter
    @abstractmethod
    def state(self, value: Mapping[str, Any]) -> None: ...

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """What is learnt beside the parameters of the network, by name."""
        return {}

    @property
    def mark(self) -> dict[str, Any]:
        """What is kept beside the parameters of a network."""
        return {}

    @property
    def results(self) -> dict[str, Any]:
        """What is recorded at the end."""
        return {}

    @property
    def at_work(self) -> Any:
        """Which models still learn, (model,) bool; None if all do."""
        return None

    @property
    def where(self) -> str:
        """Where the training stands, for a message, such as "at N = 3"; may be empty."""
        return ""
