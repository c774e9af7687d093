"""Adam for many small arrays on the CPU: what torch has takes longer for its bookkeeping than a PV-RNN for its gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numba import njit
from torch import Tensor


@njit(cache=True, error_model="numpy", nogil=True)
def _descend(p, g, first, second, count, rate, beta1, beta2, epsilon):
    """Take a step; ``p``, ``g`` and both moments (n,), ``count`` (1,) steps before.

    Without fast maths a number has the same bits wherever it stands, so that a model learns in a batch what it learns alone.
    """
    count[0] += 1
    done, one = count[0], p.dtype.type(1)
    step = p.dtype.type(rate / (1 - beta1**done))
    root = p.dtype.type(np.sqrt(1 - beta2**done))
    b1, b2, small = p.dtype.type(beta1), p.dtype.type(beta2), p.dtype.type(epsilon)
    for i in range(p.size):
        first[i] += (one - b1) * (g[i] - first[i])
        second[i] = b2 * second[i] + (one - b2) * (g[i] * g[i])
        p[i] -= step * (first[i] / (np.sqrt(second[i]) / root + small))


class Adam:
    """What :class:`torch.optim.Adam` is, for contiguous parameters on the CPU; ``state`` likewise holds moments and count.

    References
    ----------
    Kingma & Ba (2015) ICLR, algorithm 1.
    """

    def __init__(
        self, parameters: Sequence[Tensor], *, lr: float, betas: tuple[float, float], epsilon: float = 1e-8
    ) -> None:
        self.parameters = list(parameters)
        self.state: dict[Tensor, dict[str, Tensor]] = {p: {} for p in self.parameters}
        self._numbers = (lr, *betas, epsilon)
        self._arrays: list[tuple[np.ndarray, ...]] = []

    def zero_grad(self) -> None:
        """Forget gradients."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Follow the gradients; a parameter without one stays as it is. ``state`` may be filled before the first step."""
        if not self._arrays:
            self._arrays = [self._begun(p) for p in self.parameters]
        for p, (values, first, second, count) in zip(self.parameters, self._arrays, strict=True):
            if p.grad is not None:
                g = p.grad.contiguous().view(-1).numpy()
                _descend(values, g, first, second, count, *self._numbers)

    def _begun(self, p: Tensor) -> tuple[np.ndarray, ...]:
        """Parameter, moments and count as arrays, which share their memory."""
        state = self.state[p]
        for name in ("exp_avg", "exp_avg_sq"):
            state.setdefault(name, torch.zeros_like(p))
        state.setdefault("step", torch.zeros(1, dtype=torch.int64))
        return tuple(v.detach().view(-1).numpy() for v in (p, *(state[k] for k in ("exp_avg", "exp_avg_sq", "step"))))
