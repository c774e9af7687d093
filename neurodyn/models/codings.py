"""How a generative network puts its outputs: what values become as targets, the loss, and the way back.

A coding has ``dims`` dimensions, each read from a group of output units. Missing values (NaN) carry no loss.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from neurodyn.models.naming import one_of


@dataclass(frozen=True, eq=False)
class Encoded:
    """Sequences as targets of a network.

    Attributes
    ----------
    targets : Tensor (sequence, time, output unit)
        Zero where nothing was observed.
    observed : Tensor (sequence, time, dim)
        1 where a value is known, 0 where it is missing or the sequence is over.
    lengths : Tensor (sequence,)
        Steps of each sequence; integers.
    values : array (sequence, time, dim)
        As they were given, NaN where they are missing or the sequence is over.
    """

    targets: Tensor
    observed: Tensor
    lengths: Tensor
    values: np.ndarray

    @property
    def valid(self) -> Tensor:
        """1 for steps that belong to a sequence, (sequence, time)."""
        steps = torch.arange(self.targets.shape[1], device=self.targets.device)
        return (steps < self.lengths[:, None]).to(self.targets.dtype)

    @cached_property
    def counts(self) -> tuple[Tensor, Tensor]:
        """Observed values, and steps after the first, at least 1, of all sequences together."""
        return self.observed.sum(), (self.lengths - 1).sum().clamp(min=1)

    def of(self, sequences: Sequence[int]) -> Encoded:
        """Return these sequences alone."""
        at = torch.as_tensor(sequences, device=self.targets.device)
        return Encoded(self.targets[at], self.observed[at], self.lengths[at], self.values[at.cpu().numpy()])

    @cached_property
    def tiles(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """What the compiled kernel reads; see :func:`neurodyn.kernels.pvrnn_update.tiles`."""
        from neurodyn.kernels.pvrnn_update import tiles

        return tiles(self.targets, self.observed, self.valid)


class Coding(ABC):
    """What all codings share: reading of sequences, with all that can be wrong in them."""

    dims: int
    axis: ClassVar[bool] = True  # whether values have an axis of dimensions

    @property
    @abstractmethod
    def units(self) -> int:
        """Output units that the network needs."""

    @property
    def config(self) -> dict[str, Any]:
        """Name and numbers, for a recording."""
        return {"coding": type(self).__name__, **vars(self)}

    def encode(
        self, sequences: Any, *, dtype: torch.dtype = torch.float64, device: Any = "cpu", first_step: int = 0
    ) -> Encoded:
        """Return sequences as targets.

        Parameters
        ----------
        sequences : array (sequence, time, dim), or a list of arrays (time, dim) of unequal lengths
            NaN is a missing value. Symbols have no axis of dimensions.
        dtype, device : torch.dtype, torch.device
            Of the targets.
        first_step : int
            Number that messages give to the first step.

        Raises
        ------
        ValueError
            For another shape, no observation at all, and values outside the range of the coding; names sequence and step.
        """
        listed = _listed(sequences, 3 if self.axis else 2)
        read = [self._read(values, n, first_step) for n, values in enumerate(listed)]
        if not read:
            raise ValueError("sequences is empty; give at least one sequence")
        lengths = [len(values) for values in read]
        padded = np.full((len(read), max(lengths), self.dims), np.nan)
        for row, values in zip(padded, read, strict=True):
            row[: len(values)] = values
        observed = ~np.isnan(padded)
        if not observed.any():
            raise ValueError("sequences holds no value that is not NaN; give at least one observation")
        targets = self._targets(np.nan_to_num(padded)) * np.repeat(observed, self.units // self.dims, axis=2)
        where: dict[str, Any] = {"dtype": dtype, "device": device}
        return Encoded(
            torch.from_numpy(targets).to(**where),
            torch.from_numpy(observed).to(**where),
            torch.tensor(lengths, device=device),
            padded,
        )

    def _read(self, values: Any, number: int, first_step: int) -> np.ndarray:
        array = np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=float)
        array = array if self.axis else array[..., None]
        if array.ndim != 2 or array.shape[1] != self.dims or not len(array):
            wanted = f"(time, {self.dims})" if self.axis else "(time,)"
            raise ValueError(
                f"sequence {number} has shape {np.shape(values)}; needed is {wanted} with at least one step"
            )
        wrong = self._outside(array)
        if wrong.any():
            step, dim = np.argwhere(wrong)[0]
            place = f"sequence {number}, step {first_step + step}" + (f", dimension {dim}" if self.axis else "")
            raise ValueError(f"{place}: {array[step, dim]:g} is {self._allowed}; NaN marks a missing value")
        return array

    @property
    @abstractmethod
    def _allowed(self) -> str: ...

    @abstractmethod
    def _outside(self, values: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _targets(self, values: np.ndarray) -> np.ndarray: ...

    def targets(self, values: Tensor) -> Tensor:
        """Return the targets (..., output unit), float64, of decoded values (..., dim), or of symbols (...)."""
        array = values.detach().cpu().double().numpy()
        return torch.from_numpy(self._targets(array if self.axis else array[..., None])).to(values.device)

    @abstractmethod
    def activate(self, inputs: Tensor) -> Tensor:
        """Return the outputs (..., unit) of inputs to the output units."""

    @abstractmethod
    def decode(self, outputs: Tensor) -> Tensor:
        """Return the values (..., dim), or symbols (...), that outputs (..., unit) stand for."""

    @abstractmethod
    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the reconstruction error (..., dim) of inputs to the output units."""

    def log_likelihood(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the log-likelihood (..., dim), nats: of symbols their own, of analog values minus the error."""
        return -self.loss(inputs, targets)


class _Softmax(Coding):
    """A softmax within each group; the error is the divergence of the output from the target, in nats."""

    def _groups(self, units: Tensor) -> Tensor:
        return units.unflatten(-1, (self.dims, self.units // self.dims))

    def activate(self, inputs: Tensor) -> Tensor:
        return torch.softmax(self._groups(inputs), -1).flatten(-2)

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        p = self._groups(targets)
        return (torch.xlogy(p, p) - p * torch.log_softmax(self._groups(inputs), -1)).sum(-1)


@dataclass(frozen=True, kw_only=True)
class SoftmaxCoding(_Softmax):
    """Analog values, each as a softmax over reference points: p_j proportional to exp(-(r_j - x)^2 / width).

    Decoded is the mean of the reference points under the output. For values well inside the range the error of a shift d
    is d^2 / width.

    Parameters
    ----------
    dims : int
        Dimensions of a value.
    bins : int
        Reference points r_j, evenly spaced from low to high, at least 2.
    low, high : float
        Range of values. Near its ends the way there and back is not exact: with the numbers by default the error is below
        0.007 within [-0.8, 0.8] and 0.07 at the ends, so scale values to four fifths of the range.
    width : float
        Above 0; in units of the value squared.

    Raises
    ------
    ValueError
        Sizes that are too small, an empty range, or a width that is not positive.

    References
    ----------
    Soda, Ahmadi, Tani et al. (2023) Front. Psychiatry 14:1080668 (their code; numbers by default).
    """

    references: ClassVar[tuple[str, ...]] = ("soda2023",)

    dims: int = 1
    bins: int = 10
    low: float = -1.0
    high: float = 1.0
    width: float = 0.05

    def __post_init__(self) -> None:
        _whole("dims", self.dims, 1)
        _whole("bins", self.bins, 2)
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low = {self.low!r}, high = {self.high!r}; give a range, low below high")
        if not 0 < self.width < math.inf:
            raise ValueError(f"width = {self.width!r}; give a number above 0")

    @property
    def units(self) -> int:
        return self.dims * self.bins

    @property
    def points(self) -> np.ndarray:
        """Reference points (bin,)."""
        return np.linspace(self.low, self.high, self.bins)

    @property
    def _allowed(self) -> str:
        return f"outside the range of the coding, {self.low:g} to {self.high:g}; scale the data or widen the range"

    def _outside(self, values: np.ndarray) -> np.ndarray:
        return (values < self.low) | (values > self.high)

    def _targets(self, values: np.ndarray) -> np.ndarray:
        exponent = -((self.points - values[..., None]) ** 2) / self.width
        p = np.exp(exponent - exponent.max(-1, keepdims=True))
        return (p / p.sum(-1, keepdims=True)).reshape(*values.shape[:-1], self.units)

    def decode(self, outputs: Tensor) -> Tensor:
        points = torch.from_numpy(self.points).to(outputs)
        return (self._groups(outputs) * points).sum(-1)  # a product's bits depend on how many there are, a sum's don't


@dataclass(frozen=True, kw_only=True)
class SymbolCoding(_Softmax):
    """Symbols 0, 1, 2, ..., one softmax over all; the target of a symbol is 1 - smoothing, the rest shares the others.

    Decoded is the most probable symbol.

    Parameters
    ----------
    symbols : int
        At least 2.
    smoothing : float
        In [0, 0.5). Without, weights grow for ever where symbols are certain.

    Raises
    ------
    ValueError
        Fewer than two symbols, or a smoothing outside [0, 0.5).
    """

    references: ClassVar[tuple[str, ...]] = ()

    symbols: int
    smoothing: float = 0.02

    axis: ClassVar[bool] = False
    dims = 1

    def __post_init__(self) -> None:
        _whole("symbols", self.symbols, 2)
        if not 0 <= self.smoothing < 0.5:
            raise ValueError(f"smoothing = {self.smoothing!r}; give a probability from 0 up to, but not, 0.5")

    @property
    def units(self) -> int:
        return self.symbols

    @property
    def _allowed(self) -> str:
        return f"no symbol of 0 to {self.symbols - 1}"

    def _outside(self, values: np.ndarray) -> np.ndarray:
        return ~np.isnan(values) & ~np.isin(values, np.arange(self.symbols))

    def _targets(self, values: np.ndarray) -> np.ndarray:
        hit = values == np.arange(self.symbols)
        return np.where(hit, 1 - self.smoothing, self.smoothing / (self.symbols - 1))

    def decode(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(-1)

    def log_likelihood(self, inputs: Tensor, targets: Tensor) -> Tensor:
        at = targets.argmax(-1, keepdim=True).expand(*inputs.shape[:-1], 1)
        return torch.log_softmax(inputs, -1).gather(-1, at)


@dataclass(frozen=True, kw_only=True)
class AnalogCoding(Coding):
    """Analog values as they are, one output unit each; the error is the squared difference.

    Parameters
    ----------
    dims : int
        Dimensions of a value.
    activation : "tanh" or "linear"
        Of the output units; with "tanh" values lie in [-1, 1].
    """

    references: ClassVar[tuple[str, ...]] = ()

    dims: int = 1
    activation: str = "tanh"

    def __post_init__(self) -> None:
        _whole("dims", self.dims, 1)
        one_of("activation", self.activation, ("tanh", "linear"))

    @property
    def units(self) -> int:
        return self.dims

    @property
    def _allowed(self) -> str:
        bounded = "outside the range of a tanh, -1 to 1; scale the data or take activation='linear'"
        return bounded if self.activation == "tanh" else "not finite"

    def _outside(self, values: np.ndarray) -> np.ndarray:
        return np.abs(values) > 1 if self.activation == "tanh" else np.isinf(values)

    def _targets(self, values: np.ndarray) -> np.ndarray:
        return values

    def activate(self, inputs: Tensor) -> Tensor:
        return torch.tanh(inputs) if self.activation == "tanh" else inputs

    def decode(self, outputs: Tensor) -> Tensor:
        return outputs

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        return (self.activate(inputs) - targets).square()


CODINGS = {kind.__name__: kind for kind in (SoftmaxCoding, SymbolCoding, AnalogCoding)}


def coding_of(given: Any) -> Coding:
    """Return a coding, or the one that a configuration tells of; TypeError for anything else."""
    if isinstance(given, Coding):
        return given
    if isinstance(given, dict) and "coding" in given:
        config = dict(given)
        return CODINGS[one_of("coding", config.pop("coding"), CODINGS)](**config)
    raise TypeError(
        f"output = {given!r}; give a coding, such as nd.SoftmaxCoding(dims=2) or nd.SymbolCoding(symbols=2)"
    )


def _listed(sequences: Any, ndim: int) -> Sequence[Any]:
    """One array or a list of arrays as a list of arrays."""
    if isinstance(sequences, (list, tuple)):
        return sequences
    array = sequences if isinstance(sequences, Tensor) else np.asarray(sequences)
    if array.ndim != ndim:
        axes = ("sequence", "time", "dim")[:ndim]
        raise ValueError(
            f"sequences has shape {tuple(array.shape)}; needed is ({', '.join(axes)}), or a list of arrays"
        )
    return list(array)


def _whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} = {value!r}; give a whole number, at least {least}")
