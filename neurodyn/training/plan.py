"""The numbers of a training, checked before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, ClassVar

from neurodyn.models.naming import one_of
from neurodyn.training.curricula import Curriculum


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the loop needs: the optimiser's numbers, and how long to go on."""

    epochs: int
    steps: int
    optimizer: str
    learning_rate: float | tuple[float, ...]  # several: one for each model
    momentum: float = 0.1
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float | None
    seed: int | tuple[int, ...]

    #: a training that was stopped may be resumed with others
    ends: ClassVar[tuple[str, ...]] = ("epochs",)

    def __post_init__(self) -> None:
        one_of("optimizer", self.optimizer, ("sgd", "adam"))
        for name in ("epochs", "steps"):
            whole(name, getattr(self, name), 1)
        for seed in self.seed if isinstance(self.seed, tuple) else (self.seed,):
            whole("seed", seed, 0)
            if seed >= 2**63:
                raise ValueError(f"seed = {seed}; give a whole number from 0 to 2^63 - 1")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum = {self.momentum!r}; allowed is 0 up to, but not, 1")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas = {self.betas!r}; give two numbers from 0 up to, but not, 1")
        rates = self.learning_rate if isinstance(self.learning_rate, tuple) else (self.learning_rate,)
        for name, value in (*(("learning_rate", rate) for rate in rates), ("clip", self.clip)):
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} = {value!r}; give a positive number")

    @property
    def config(self) -> dict[str, Any]:
        """All numbers, for a recording."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}

    def rates(self, models: int) -> list[float]:
        """Return the learning rate of each model."""
        return list(self.learning_rate) if isinstance(self.learning_rate, tuple) else [self.learning_rate] * models


@dataclass(frozen=True, kw_only=True)
class StagesPlan(Plan):
    """The numbers of a training under a curriculum; see :func:`train`."""

    curriculum: Curriculum
    until: int | None
    patience: int | None
    batch: int
    tests: int
    threshold: float

    ends: ClassVar[tuple[str, ...]] = ("until", "epochs", "patience")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("batch", "tests"):
            whole(name, getattr(self, name), 1)
        if self.patience is not None:
            whole("patience", self.patience, 1)
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold = {self.threshold!r}; give an accuracy between 0 and 1")
        if self.until is not None:
            whole("until", self.until, self.curriculum.first[-1])

    @property
    def config(self) -> dict[str, Any]:
        """All numbers, for a recording."""
        return {**super().config, "curriculum": self.curriculum.config}

    def of_model(self, model: int) -> StagesPlan:
        """Return the numbers of one model of many."""
        pairs = {name: getattr(self, name) for name in ("seed", "learning_rate")}
        return replace(self, **{name: v[model] if isinstance(v, tuple) else v for name, v in pairs.items()})

    def check_models(self, models: int | None) -> None:
        """Raise ValueError if there are other than one number for each of ``models``; None: for the only network."""
        for name in ("seed", "learning_rate"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != models:
                wanted = "one number" if models is None else f"one number, or one for each of the {models} models"
                raise ValueError(f"{name} = {list(value)}; give {wanted}")

    def check_heads(self, heads: int) -> None:
        """Raise ValueError if so many heads don't serve the first stage, or don't reach ``until``."""
        stage, until = self.curriculum.first, self.until
        if len(stage) > heads:
            raise ValueError(
                f"the first stage has N = {stage[0]} to {stage[-1]}, {len(stage)} heads, and the network has {heads}; "
                "give it more heads"
            )
        while until is not None and stage[-1] < until:
            following = self.curriculum.next(stage)
            if following is None:
                raise ValueError(
                    f"until = {until}: {self.curriculum} ends with N = {stage[-1]}; choose another, or leave it out"
                )
            if len(following) > heads:
                raise ValueError(
                    f"until = {until}: {heads} heads reach N = {stage[-1]} under {self.curriculum}; give the network more"
                )
            if len(following) == len(stage):
                return  # and so on, with as many heads
            stage = following


def whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} = {value!r}; give a whole number, at least {least}")


def positive(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise ValueError(f"{name} = {value!r}; give a number above 0")
