"""The equations of the bank of chaotic systems, on states (..., unit) of NumPy or torch alike."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def _library(state: Any) -> Any:
    """torch for its tensors, without importing it for others."""
    torch = sys.modules.get("torch")
    return torch if torch is not None and isinstance(state, torch.Tensor) else np


def _stacked(like: Any, *columns: Any) -> Any:
    return _library(like).stack(columns, -1)


def _split(state: Any) -> list[Any]:
    return [state[..., k] for k in range(state.shape[-1])]


def logistic(state: Any, r: float) -> Any:
    """May (1976) Nature 261:459."""
    return r * state * (1 - state)


def henon(state: Any, a: float, b: float) -> Any:
    """Henon (1976) Commun. Math. Phys. 50:69."""
    x, y = _split(state)
    return _stacked(state, 1 - a * x * x + y, b * x)


def ikeda(state: Any, alpha: float, beta: float, gamma: float, mu: float) -> Any:
    """Ikeda (1979) Opt. Commun. 30:257, in the form of Hammel, Jones & Moloney (1985)."""
    x, y = _split(state)
    library = _library(state)
    phase = beta - alpha / (1 + x * x + y * y)
    c, s = library.cos(phase), library.sin(phase)
    return _stacked(state, gamma + mu * (x * c - y * s), mu * (x * s + y * c))


def standard(state: Any, K: float) -> Any:
    """Chirikov (1979) Phys. Rep. 52:263."""
    angle, momentum = _split(state)
    library = _library(state)
    momentum = momentum + K * library.sin(angle)
    angle = angle + momentum
    return _stacked(state, *(x - 2 * np.pi * library.floor(x / (2 * np.pi)) for x in (angle, momentum)))


def lorenz63(state: Any, sigma: float, rho: float, beta: float) -> Any:
    """Lorenz (1963) J. Atmos. Sci. 20:130."""
    x, y, z = _split(state)
    return _stacked(state, sigma * (y - x), x * (rho - z) - y, x * y - beta * z)


def roessler(state: Any, a: float, b: float, c: float) -> Any:
    """Roessler (1976) Phys. Lett. A 57:397."""
    x, y, z = _split(state)
    return _stacked(state, -y - z, x + a * y, b + z * (x - c))


def lorenz96(state: Any, F: float) -> Any:
    """Lorenz (1996) in Predictability, ECMWF."""
    library = _library(state)
    ahead, behind, two_behind = (library.roll(state, k, -1) for k in (-1, 1, 2))
    return (ahead - two_behind) * behind - state + F


def mackey_glass(state: Any, beta: float, gamma: float, n: float, tau: float) -> Any:
    """Mackey & Glass (1977) Science 197:287, by the trapezoidal rule; the state is the past of tau, newest first."""
    h = tau / (state.shape[-1] - 1)
    late = state[..., -2:]
    drive = (beta * late / (1 + late**n)).sum(-1)
    newest = ((2 - gamma * h) * state[..., 0] + h * drive) / (2 + gamma * h)
    library = _library(state)
    return library.concatenate([newest[..., None], state[..., :-1]], -1)
