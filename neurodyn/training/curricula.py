"""Curricula over N: which tasks a network is trained on, by which heads, and what comes when they are solved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from neurodyn.models.naming import one_of


@dataclass(frozen=True, kw_only=True)
class Curriculum(ABC):
    """Which N are trained at a time, and what follows once they are solved.

    A stage is a tuple of N, increasing; heads serve them by position, head 0 the first.
    """

    @property
    @abstractmethod
    def first(self) -> tuple[int, ...]:
        """The first stage."""

    @abstractmethod
    def next(self, stage: tuple[int, ...]) -> tuple[int, ...] | None:
        """Return the stage after a solved one; None if there is none."""

    @property
    def config(self) -> dict[str, Any]:
        """Name and parameters, for a recording."""
        return {"curriculum": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class SingleHead(Curriculum):
    """One N at a time, always read by head 0: N, then N + 1.

    Parameters
    ----------
    start : int
        First N, at least 1.
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    start: int = 2

    def __post_init__(self) -> None:
        _whole("start", self.start)

    @property
    def first(self) -> tuple[int, ...]:
        return (self.start,)

    def next(self, stage: tuple[int, ...]) -> tuple[int, ...] | None:
        return (stage[-1] + 1,)


@dataclass(frozen=True, kw_only=True)
class MultiHead(Curriculum):
    """All N from the first on at once, each read by a head of its own; solving them adds the next.

    Parameters
    ----------
    start, add : int
        First N, and how many N are added at a time; at least 1.
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    start: int = 2
    add: int = 1

    def __post_init__(self) -> None:
        _whole("start", self.start)
        _whole("add", self.add)

    @property
    def first(self) -> tuple[int, ...]:
        return (self.start,)

    def next(self, stage: tuple[int, ...]) -> tuple[int, ...] | None:
        return (*stage, *range(stage[-1] + 1, stage[-1] + 1 + self.add))


@dataclass(frozen=True, kw_only=True)
class Sliding(Curriculum):
    """A window of N: solving it drops the smallest and adds as many larger ones.

    Heads go by position in the window, so that one serves another N after the window has moved.

    Parameters
    ----------
    start, window, advance : int
        First N, how many are trained at a time, and by how many the window moves (at most its width).

    Raises
    ------
    ValueError
        Numbers below 1, or an advance past the window, which would leave N out.
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    start: int = 2
    window: int = 10
    advance: int = 5

    def __post_init__(self) -> None:
        for name in ("start", "window", "advance"):
            _whole(name, getattr(self, name))
        if self.advance > self.window:
            raise ValueError(f"advance = {self.advance}; at most the window, {self.window}, or N are left out")

    @property
    def first(self) -> tuple[int, ...]:
        return tuple(range(self.start, self.start + self.window))

    def next(self, stage: tuple[int, ...]) -> tuple[int, ...] | None:
        return tuple(n + self.advance for n in stage)


@dataclass(frozen=True, kw_only=True)
class NoCurriculum(Curriculum):
    """One N from the beginning, read by head 0, until it is solved.

    Parameters
    ----------
    n : int
        At least 1.
    """

    references: ClassVar[tuple[str, ...]] = ()

    n: int

    def __post_init__(self) -> None:
        _whole("n", self.n)

    @property
    def first(self) -> tuple[int, ...]:
        return (self.n,)

    def next(self, stage: tuple[int, ...]) -> tuple[int, ...] | None:
        return None


_BY_NAME = {"single-head": SingleHead, "multi-head": MultiHead, "sliding": Sliding}


def curriculum_of(value: Any) -> Curriculum:
    """Return a curriculum, by name with the published numbers, or as given."""
    if isinstance(value, Curriculum):
        return value
    if not isinstance(value, str):
        raise ValueError(
            f"curriculum = {value!r}; give one of {', '.join(map(repr, _BY_NAME))}, or such as nd.Sliding(window=10)"
        )
    return _BY_NAME[one_of("curriculum", value, _BY_NAME)]()


def solved(accuracies: Any, threshold: float) -> bool:
    """Return whether a stage is solved: the mean over its N and the newest one both exceed the threshold."""
    return bool(sum(accuracies) / len(accuracies) > threshold and accuracies[-1] > threshold)


def _whole(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} = {value!r}; give a whole number, at least 1")
