"""Steps of an optimiser on the CPU: what torch has takes longer for its bookkeeping than a small network for its gradient.

Without fast maths a number has the same bits wherever it stands, so that a model learns among many what it learns alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor


@njit(cache=True, error_model="numpy", nogil=True)
def _adam(p, g, first, second, count, at_work, rates, beta1, beta2, epsilon):
    """Take a step; ``p``, ``g`` and both moments (model, n), ``count`` (1,) steps before."""
    count[0] += 1
    done = count[0]
    root = p.dtype.type(np.sqrt(1 - beta2**done))
    for m in range(len(p)):
        if at_work[m]:
            step = p.dtype.type(rates[m] / (1 - beta1**done))
            _adam_row(p[m], g[m], first[m], second[m], step, root, beta1, beta2, epsilon)


@njit(cache=True, error_model="numpy", nogil=True)
def _adam_row(p, g, first, second, step, root, beta1, beta2, epsilon):
    one, b1, b2, small = p.dtype.type(1), p.dtype.type(beta1), p.dtype.type(beta2), p.dtype.type(epsilon)
    for i in range(len(p)):
        first[i] += (one - b1) * (g[i] - first[i])
        second[i] = b2 * second[i] + (one - b2) * (g[i] * g[i])
        p[i] -= step * (first[i] / (np.sqrt(second[i]) / root + small))


@njit(cache=True, error_model="numpy", nogil=True)
def _sgd(p, g, velocity, at_work, rates, momentum):
    """Take a step with Nesterov's momentum; ``p``, ``g`` (model, n), and ``velocity``, without models if there is none."""
    for m in range(len(p)):
        if at_work[m] and len(velocity):
            _sgd_row(p[m], g[m], velocity[m], p.dtype.type(rates[m]), p.dtype.type(momentum))
        elif at_work[m]:
            _plain_row(p[m], g[m], p.dtype.type(rates[m]))


@njit(cache=True, error_model="numpy", nogil=True)
def _sgd_row(p, g, velocity, step, inertia):
    for i in range(len(p)):
        velocity[i] = inertia * velocity[i] + g[i]
        p[i] -= step * (g[i] + inertia * velocity[i])


@njit(cache=True, error_model="numpy", nogil=True)
def _plain_row(p, g, step):
    for i in range(len(p)):
        p[i] -= step * g[i]


@njit(cache=True, error_model="numpy", nogil=True, fastmath={"reassoc"})
def _squares(g, total):
    """Add the sum of the squares of each row, in double: above 1e19 a square is infinite in float32."""
    for m in range(len(g)):
        found = 0.0
        for i in range(g.shape[1]):
            value = np.float64(g[m, i])
            found += value * value
        total[m] += found


def clip(parameters: Sequence[Tensor], most: float | None, *, models: int = 1) -> np.ndarray:
    """Scale gradients in place to a norm of at most ``most`` for each model, if any; return the norms before, in double.

    With several models all parameters have a leading axis for them.
    """
    rows, total = [], np.zeros(models)
    for p in parameters:
        if p.grad is not None:
            p.grad = p.grad.contiguous()
            rows.append(p.grad.numpy().reshape(models, -1))
    for g in rows:
        _squares(g, total)
    norm = np.sqrt(total)
    scale = np.ones(models) if most is None else np.minimum(most / (norm + 1e-6), 1.0)
    if (scale != 1).any():
        for g in rows:
            g *= scale[:, None].astype(g.dtype)
    return norm


class Descent(ABC):
    """An optimiser for contiguous parameters on the CPU; ``state`` is like that of torch's.

    Parameters
    ----------
    parameters : sequence of Tensor
        With several models, all with a leading axis for them.
    rates : sequence of float
        Learning rate of each model.
    """

    def __init__(self, parameters: Sequence[Tensor], rates: Sequence[float]) -> None:
        self.parameters, self._rates = list(parameters), np.array(rates, dtype=float)
        self.state: dict[Tensor, dict[str, Tensor]] = {p: {} for p in self.parameters}
        self._arrays: list[tuple[np.ndarray, ...]] = []
        self._all = np.ones(len(self._rates), dtype=bool)

    def zero_grad(self) -> None:
        """Forget gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self, at_work: np.ndarray | None = None) -> None:
        """Follow the gradients; a parameter without one stays as it is, and so do models that are not ``at_work`` (model,).

        ``state`` may be filled before the first step.
        """
        if not self._arrays:
            self._arrays = [self._begun(p) for p in self.parameters]
        for p, arrays in zip(self.parameters, self._arrays, strict=True):
            if p.grad is not None:
                g = p.grad.contiguous().numpy().reshape(arrays[0].shape)
                self._take(arrays, g, self._all if at_work is None else at_work)

    @abstractmethod
    def _take(self, arrays: tuple[np.ndarray, ...], g: np.ndarray, at_work: np.ndarray) -> None: ...

    @abstractmethod
    def _begun(self, p: Tensor) -> tuple[np.ndarray, ...]:
        """Parameter (model, n) and what stands in ``state``, as arrays that share their memory."""

    def _rows(self, *tensors: Tensor) -> tuple[np.ndarray, ...]:
        return tuple(v.detach().numpy().reshape(len(self._rates), -1) for v in tensors)


class Adam(Descent):
    """What :class:`torch.optim.Adam` is.

    References
    ----------
    Kingma & Ba (2015) ICLR, algorithm 1.
    """

    def __init__(
        self, parameters: Sequence[Tensor], rates: Sequence[float], *, betas: tuple[float, float], epsilon: float = 1e-8
    ) -> None:
        super().__init__(parameters, rates)
        self._numbers = (*betas, epsilon)

    def _take(self, arrays: tuple[np.ndarray, ...], g: np.ndarray, at_work: np.ndarray) -> None:
        p, first, second, count = arrays
        _adam(p, g, first, second, count, at_work, self._rates, *self._numbers)

    def _begun(self, p: Tensor) -> tuple[np.ndarray, ...]:
        state: Any = self.state[p]
        for name in ("exp_avg", "exp_avg_sq"):
            state.setdefault(name, torch.zeros_like(p))
        state.setdefault("step", torch.zeros(1, dtype=torch.int64))
        return (*self._rows(p, state["exp_avg"], state["exp_avg_sq"]), state["step"].numpy())


class SGD(Descent):
    """What :class:`torch.optim.SGD` with Nesterov's momentum is, or without any for a momentum of 0."""

    def __init__(self, parameters: Sequence[Tensor], rates: Sequence[float], *, momentum: float) -> None:
        super().__init__(parameters, rates)
        self._momentum = momentum

    def _take(self, arrays: tuple[np.ndarray, ...], g: np.ndarray, at_work: np.ndarray) -> None:
        _sgd(arrays[0], g, arrays[1], at_work, self._rates, self._momentum)

    def _begun(self, p: Tensor) -> tuple[np.ndarray, ...]:
        (values,) = self._rows(p)
        if not self._momentum:
            return values, np.empty((0, 0), values.dtype)
        return (values, *self._rows(self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))))
