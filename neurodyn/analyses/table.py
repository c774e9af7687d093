"""What an analysis of ``neurodyn analyse`` is: a function with typed options, what it works on, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from neurodyn.parameters import Parameter, model, read_signature, validate
from neurodyn.units import si

Kind = Literal["array", "spikes", "network"]
_MOST = 2**30  # bytes of what has to be in memory as a whole


@dataclass(frozen=True, eq=False)
class Series:
    """Activity over time: an array (time, unit) or (trial, time, unit), in its file or in memory, and its step in ms."""

    x: Any
    key: str
    dt_ms: float | None

    @property
    def step(self) -> tuple[float, str]:
        """The step and its unit: of training histories and the like there are only steps."""
        return (1.0, "steps") if self.dt_ms is None else (self.dt_ms, "ms")

    def in_memory(self, what: str, units: int) -> np.ndarray:
        """All samples of some units, picked evenly."""
        shape, picked = self.x.shape, self.picked(units)
        size = int(np.prod(shape[:-1])) * len(picked) * 8
        if size > _MOST:
            raise ValueError(
                f"{what} of {len(picked)} units of {self.key} need {size / 1e9:.3g} GB in memory: --set units=N takes fewer"
            )
        if isinstance(self.x, np.ndarray):
            return self.x[..., picked]
        return np.concatenate([piece[..., picked] for piece in self.x.blocks()])

    def thinned(self, most: int) -> np.ndarray:
        """At most about so many samples: every k-th, of each trial if there are trials."""
        every = max(1, int(np.ceil(np.prod(self.x.shape[:-1]) / most)))
        return np.asarray(self.x[::every] if len(self.x.shape) == 2 else self.x[:, ::every])

    def picked(self, units: int) -> np.ndarray:
        """Numbers of at most `units` units, spread evenly."""
        there = self.x.shape[-1]
        if units < 1:
            raise ValueError(f"units = {units}: at least 1")
        return np.unique(np.linspace(0, there - 1, min(units, there)).round().astype(int))


@dataclass(frozen=True)
class Found:
    """What an analysis returns: text to print, numbers by name, arrays by name, a figure."""

    text: str
    results: dict[str, Any]
    figure: Any
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Analysis:
    """One of the analyses: its name, what it works on, and the function."""

    name: str
    kind: Kind
    function: Callable[..., Found]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The options, with types, defaults and meanings."""
        return read_signature(self.function, handed=1)

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.function.__doc__ or "").strip().split("\n")[0]

    def options(self, given: dict[str, Any]) -> dict[str, Any]:
        """All options, checked and with defaults filled in; ParameterError otherwise."""
        checked = validate(model(self.name, self.parameters), self.parameters, given)
        return {p.name: getattr(checked, p.name) for p in self.parameters}


def tested(test: Any) -> dict[str, Any]:
    return {"observed": test.observed, "null, 5 %": test.low, "null, 95 %": test.high, "p": test.p}


def named(values: Any, *dims: str, units: str = "", **coords: Any) -> Any:
    import xarray

    attrs = {"units": units} if units else {}
    return xarray.DataArray(np.asarray(values), dims=dims, coords=coords, attrs=attrs)


def milliseconds(text: str, name: str) -> float:
    return 1000.0 * si(text, "second", name=name)
