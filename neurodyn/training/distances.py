"""Costs between sequences and the updates of potentials under them: absorbed in one pass, or in the log domain."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels import transport

ONE_HOT = 1e-6  # how far a straight-through sample lies from one-hot in float32
_SAFE = (1e-20, 1e20)  # sums in float32 far above what terms held at 2^-100 add up to, and below overflow
_CUT = np.float32(1e-10)  # weights below this share of a row move its mean by less than float32 shows
_ROWS = 64  # that are taken again at once
_SHARED = 1 << 20  # pairs from which threads are worth starting


class Costs(ABC):
    """Costs between n and m points of equal weight; potentials are f (n,) and g (m,)."""

    @abstractmethod
    def zeros(self) -> tuple[Tensor, Tensor]:
        """Return potentials to start from."""

    @abstractmethod
    def step(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        """Return the soft c-transforms: -eps log mean_j exp((g[j] - cost[i, j])/eps), and the same over i from f."""

    @abstractmethod
    def sweep(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor, float]:
        """Return f from g, g from that new f, and the mean relative error of the marginals that this g was to mend.

        Between points and themselves f is g, and what is returned lies halfway to its transform, which converges faster.
        """

    @abstractmethod
    def means(self, f: Tensor, g: Tensor, eps: float, points: Tensor) -> Tensor:
        """Return the means of ``points`` (m, c) under weights exp((f[i] + g[j] - cost[i, j])/eps) for each i, (n, c)."""

    @abstractmethod
    def transposed(self) -> Costs:
        """Return the costs with rows and columns exchanged."""


def costs(batches: Sequence[Tensor], pairs: Sequence[tuple[int, int]], symbols: int) -> list[Costs]:
    """Return the costs between two of the ``batches`` for each of the ``pairs``, for codes (n, time*symbols).

    float32 on the CPU takes the passes of :mod:`neurodyn.kernels.transport`, on whole numbers where all codes are one-hot;
    everything else is in the log domain.
    """
    if batches[0].device.type != "cpu" or batches[0].dtype != torch.float32:
        return [LogDomain(half_squared(batches[i], batches[j]), i == j) for i, j in pairs]
    words = []
    for codes in batches:
        if (packed := _words(codes, symbols)) is None:
            return [Absorbed(half_squared(batches[i], batches[j]).numpy(), i == j) for i, j in pairs]
        words.append(packed)
    steps = batches[0].shape[1] // symbols
    return [Absorbed(hamming(words[i], words[j], steps), i == j) for i, j in pairs]


def half_squared(x: Tensor, y: Tensor) -> Tensor:
    """Return |x - y|^2/2 for all pairs of points (n, c) and (m, c) by one product, (n, m)."""
    half = (x * x).sum(1)[:, None] / 2 + (y * y).sum(1) / 2
    return half.addmm_(x, y.t(), alpha=-1)


def _words(codes: Tensor, symbols: int) -> np.ndarray | None:
    """Return a batch as words of bits if all its codes are one-hot."""
    codes = codes.unflatten(1, (-1, symbols))
    top, at = codes.max(2)
    if float((top - 1).abs().max()) > ONE_HOT or float((codes.abs().sum(2) - top).max()) > symbols * ONE_HOT:
        return None
    return transport.packed(at.numpy(), max(1, (symbols - 1).bit_length()))


def hamming(x: np.ndarray, y: np.ndarray, steps: int) -> np.ndarray:
    """Return in how many of ``steps`` places sequences differ, for words of :func:`transport.packed`, (n, m) unsigned."""
    n, m = x.shape[2], y.shape[2]
    out = np.empty((n, m), np.uint8 if steps < 256 else np.uint16 if steps < 65536 else np.uint32)
    _in_threads(out.size, n, lambda first, stride: transport.mismatches(x, y, first, stride, out))
    return out


def _in_threads(size: int, rows: int, work: Callable[[int, int], None]) -> None:
    """Call ``work(first, stride)`` for blocks of rows, in as many threads as torch has where there is enough to do."""
    threads = min(torch.get_num_threads(), -(-rows // transport.BLOCK)) if size >= _SHARED else 1
    if threads == 1:
        return work(0, 1)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: work(first, threads), range(threads)))


@dataclass
class LogDomain(Costs):
    """The plain form: log-sum-exp over rows and columns of ``cost`` (n, m), on any device and in its own precision."""

    cost: Tensor
    symmetric: bool = False

    def zeros(self) -> tuple[Tensor, Tensor]:
        return self.cost.new_zeros(self.cost.shape[0]), self.cost.new_zeros(self.cost.shape[1])

    def step(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        new = self._transform(g, eps)
        return new, new if self.symmetric else self.transposed()._transform(f, eps)

    def sweep(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor, float]:
        f = self._transform(g, eps)
        new = f if self.symmetric else self.transposed()._transform(f, eps)
        return _swept(f, g, new, eps, self.symmetric)

    def means(self, f: Tensor, g: Tensor, eps: float, points: Tensor) -> Tensor:
        return torch.softmax((g - self.cost) / eps, 1) @ points

    def transposed(self) -> LogDomain:
        return LogDomain(self.cost.t(), self.symmetric)

    def _transform(self, g: Tensor, eps: float) -> Tensor:
        return -eps * (torch.logsumexp((g - self.cost) / eps, 1) - math.log(len(g)))


@dataclass
class Absorbed(Costs):
    """The quick form for float32 on the CPU: potentials absorbed in the exponent, one pass for rows and columns.

    ``cost`` (n, m) is uint8, uint16, uint32 or float32; potentials are float64. A sum that leaves the range of float32 is
    taken again in the log domain, so that results don't depend on how potentials and eps stand to each other.
    """

    cost: np.ndarray
    symmetric: bool = False

    def zeros(self) -> tuple[Tensor, Tensor]:
        f, g = (torch.zeros(size, dtype=torch.float64) for size in self.cost.shape)
        return f, g

    def step(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor]:
        own, other = _rounded(f), _rounded(g)
        rows, columns = self._sums(own, other, eps, 0)
        if self.symmetric:
            new = _answer(own, rows + columns, self.cost, other, eps)
            return new, new
        return _answer(own, rows, self.cost, other, eps), _answer(other, columns, self.cost.T, own, eps)

    def sweep(self, f: Tensor, g: Tensor, eps: float) -> tuple[Tensor, Tensor, float]:
        if self.symmetric:
            new, _ = self.step(f, g, eps)
            return _swept(new, g, new, eps, True)
        own, other = _rounded(f), _rounded(g)
        rows, columns = self._sums(own, other, eps, len(other))
        new_f = _answer(own, rows, self.cost, other, eps)
        if _safe(rows).all():
            new_g = _answer(other, columns, self.cost.T, new_f.numpy(), eps)
        else:
            _, new_g = self.step(new_f, g, eps)
        return _swept(new_f, g, new_g, eps, False)

    def means(self, f: Tensor, g: Tensor, eps: float, points: Tensor) -> Tensor:
        out = np.empty((len(f), points.shape[1]), np.float32)
        given = self.cost, _rounded(f), _rounded(g), _k(eps), points.detach().contiguous().numpy(), _CUT
        _in_threads(self.cost.size, len(out), lambda first, stride: transport.means(*given, first, stride, out))
        return torch.from_numpy(out)

    def transposed(self) -> Absorbed:
        return self if self.symmetric else Absorbed(np.ascontiguousarray(self.cost.T))

    def _sums(self, f: np.ndarray, g: np.ndarray, eps: float, wanted: int) -> tuple[np.ndarray, np.ndarray]:
        rows, blocks = np.empty(len(f), np.float32), np.empty((-(-len(f) // transport.BLOCK), len(g)), np.float32)
        given = self.cost, f, g, _k(eps), np.float32(wanted), self.symmetric
        _in_threads(self.cost.size, len(f), lambda first, stride: transport.sums(*given, first, stride, rows, blocks))
        return rows.astype(np.float64), blocks.sum(0, dtype=np.float64)


def _answer(own: np.ndarray, sums: np.ndarray, cost: np.ndarray, other: np.ndarray, eps: float) -> Tensor:
    """Return the transform of ``other`` from sums that hold ``own``; where they are not safe, from the costs."""
    with np.errstate(divide="ignore"):
        new = torch.from_numpy(own - eps * (np.log(sums) - math.log(len(other))))
    unsafe = np.flatnonzero(~_safe(sums))
    for start in range(0, len(unsafe), _ROWS):
        at = unsafe[start : start + _ROWS]
        exponents = torch.from_numpy((other - cost[at].astype(np.float64)) / eps)
        new[at] = -eps * (torch.logsumexp(exponents, 1) - math.log(len(other)))
    return new


def _swept(f: Tensor, g: Tensor, new: Tensor, eps: float, symmetric: bool) -> tuple[Tensor, Tensor, float]:
    error = float(((g - new) / eps).expm1().abs().mean())
    if symmetric:
        f = new = (g + new) / 2
    return f, new, error


def _safe(sums: np.ndarray) -> np.ndarray:
    return (sums > _SAFE[0]) & (sums < _SAFE[1])


def _rounded(potential: Tensor) -> np.ndarray:
    """Round to what a pass sees, so that its sums answer to these very numbers."""
    return potential.numpy().astype(np.float32)


def _k(eps: float) -> np.float32:
    return np.float32(1 / (eps * math.log(2)))
