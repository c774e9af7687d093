"""The scripts IZFORCE... and LIFFORCESINE of ModelDB 190565 as a plain loop in their own units (ms, mV, pA; s for LIF)."""

from __future__ import annotations

from typing import Any

import numpy as np


def izhikevich(
    weights: np.ndarray, feedback: np.ndarray, v: np.ndarray, target: np.ndarray, *,
    dt: float, b: float, a: float, d: float, bias: float, inverse: float, every: int, learning: tuple[int, int],
    drive: np.ndarray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Spikes (steps, units), outputs (step, output) and weights; Omega (target, source) in pA ms, E (unit, output) in pA."""
    n, k, c, v_r, v_peak, v_reset, rise, decay = v.size, 2.5, 250.0, -60.0, 30.0, -65.0, 2.0, 20.0
    v_t = v_r + 40 - b / k
    u, current, h, r, hr = (np.zeros(n) for _ in range(5))
    before, z, phi, p = v.copy(), np.zeros(target.shape[1]), np.zeros((n, target.shape[1])), np.eye(n) * inverse
    steps, ids, outputs = [], [], []
    for i in range(len(target)):
        total = current + feedback @ z + bias + (0.0 if drive is None else drive[i])
        v = v + dt * (k * (v - v_r) * (v - v_t) - u + total) / c
        u = u + dt * (a * (b * (before - v_r) - u))
        spiked = v >= v_peak
        jump = weights[:, spiked].sum(axis=1)
        current = current * np.exp(-dt / rise) + h * dt
        h = h * np.exp(-dt / decay) + jump / (rise * decay)
        r = r * np.exp(-dt / rise) + hr * dt
        hr = hr * np.exp(-dt / decay) + spiked / (rise * decay)
        z = phi.T @ r
        if i % every == 0 and learning[0] <= i < learning[1]:
            p, phi = _update(p, phi, r, z - target[i])
        u = u + d * spiked
        v = before = np.where(spiked, v_reset, v)
        _note(steps, ids, i, spiked)
        outputs.append(z)
    return {"steps": np.array(steps), "ids": np.array(ids), "y": np.array(outputs), "w": phi.T}


def integrate_and_fire(
    weights: np.ndarray, feedback: np.ndarray, v: np.ndarray, target: np.ndarray, *,
    dt: float, every: int, learning: tuple[int, int], alpha: float,
) -> dict[str, Any]:  # fmt: skip
    """The same for LIF cells, in s: Omega in mV s, E in mV; ``alpha`` is the diagonal of P(0) for rates in Hz."""
    n, tau, rest, rise, decay, threshold = v.size, 0.01, 0.002, 0.002, 0.02, -40.0
    current, h, r, hr, last = (np.zeros(n) for _ in range(5))
    last -= 1e9
    z, phi, p = np.zeros(target.shape[1]), np.zeros((n, target.shape[1])), np.eye(n) * alpha
    steps, ids, outputs = [], [], []
    for i in range(len(target)):
        total = current + feedback @ z + threshold
        v = v + dt * ((i - last > round(rest / dt)) * (total - v) / tau)
        spiked = v >= threshold
        last = np.where(spiked, i, last)
        jump = weights[:, spiked].sum(axis=1)
        current = current * np.exp(-dt / rise) + h * dt
        h = h * np.exp(-dt / decay) + jump / (rise * decay)
        r = r * np.exp(-dt / rise) + hr * dt
        hr = hr * np.exp(-dt / decay) + spiked / (rise * decay)
        z = phi.T @ r
        if i % every == 0 and learning[0] <= i < learning[1]:
            p, phi = _update(p, phi, r, z - target[i])
        v = np.where(spiked, -65.0, v)
        _note(steps, ids, i, spiked)
        outputs.append(z)
    return {"steps": np.array(steps), "ids": np.array(ids), "y": np.array(outputs), "w": phi.T}


def _update(p: np.ndarray, phi: np.ndarray, r: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    gain = p @ r
    return p - np.outer(gain, gain) / (1 + r @ gain), phi - np.outer(gain, error)


def _note(steps: list[int], ids: list[int], step: int, spiked: np.ndarray) -> None:
    found = np.flatnonzero(spiked).tolist()
    steps += [step] * len(found)
    ids += found
