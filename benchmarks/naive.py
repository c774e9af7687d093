"""The same models as a careful person writes them in a script: NumPy, one Python loop over steps."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from neurodyn.network import Network
from neurodyn.session import Session


def speed_network(numbers: Mapping[str, np.ndarray], steps: int, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Run the speed network (SI units) and return the spikes as (steps, units)."""
    p = SimpleNamespace(
        **{name: float(value) for name, value in numbers.items() if np.ndim(value) == 0 and not isinstance(value, str)}
    )
    v = numbers["v"].copy()
    weights = np.zeros((v.size, v.size))
    weights[numbers["sources"], numbers["targets"]] = numbers["weights"]
    u, current, h = np.zeros(v.size), np.zeros(v.size), np.zeros(v.size)
    when, who = [], []
    for k in range(steps):
        dv = (current + p.bias + p.k * (v - p.v_r) * (v - p.v_t) - u) / p.C
        du = p.a * (p.b * (v - p.v_r) - u)
        current = current + dt * (h - current / p.tau_rise)
        h -= dt * h / p.tau_decay
        v += dt * dv
        u += dt * du
        fired = np.flatnonzero(v >= p.v_peak)
        if fired.size:
            h += weights[fired].sum(axis=0)
            v[fired] = p.v_reset
            u[fired] += p.d
            when.append(np.full(fired.size, k))
            who.append(fired)
    return (np.concatenate(when), np.concatenate(who)) if who else (np.empty(0, int), np.empty(0, int))


def vogels_abbott(numbers: Mapping[str, Any], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Run "cuba" or "coba" (SI units, Euler's method) and return the spikes as (steps, units)."""
    p = SimpleNamespace(**{name: float(value) for name, value in numbers.items() if isinstance(value, float)})
    dt, size = p.dt_ms / 1e3, numbers["v"].size
    v, ge, gi = (numbers[name].copy() for name in ("v", "ge", "gi"))
    targets = {}
    for name in ("excitation", "inhibition"):
        counts = np.bincount(numbers[f"{name}_sources"], minlength=size)
        targets[name] = np.split(numbers[f"{name}_targets"], np.cumsum(counts)[:-1])
    resting, last = round(p.refractory / dt), np.full(size, -(10**9))
    when, who = [], []
    for k in range(steps):
        free = k - last >= resting
        if numbers["kind"] == "coba":
            total = ge * (p.E_e - v) + gi * (p.E_i - v) - (v - p.E_L) + p.drive
        else:
            total = ge + gi - (v - p.E_L) + p.drive
        v = np.where(free, v + dt * total / p.tau_m, v)
        ge -= dt * ge / p.tau_e
        gi -= dt * gi / p.tau_i
        fired = np.flatnonzero((v > p.V_t) & free)
        if fired.size:
            for name, g in (("excitation", ge), ("inhibition", gi)):
                arrived = np.zeros(size)
                for unit in fired:
                    arrived[targets[name][unit]] += float(numbers[f"{name}_weight"])
                g += arrived
            v[fired] = p.V_r
            last[fired] = k
            when.append(np.full(fired.size, k))
            who.append(fired)
    return (np.concatenate(when), np.concatenate(who)) if who else (np.empty(0, int), np.empty(0, int))


class Reservoir:
    """The what/when reservoir with the default learning rules, started from the numbers of a realised network."""

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        values, self.rng = network.values, rng
        n = network.sizes["cells"]
        self.n, self.events = n, len(network.circuit["when"].outputs)
        cell: dict[str, Any] = {
            name: values[f"cells.{name}"] for name in ("a", "b", "c", "d", "bias", "v_start", "jitter", "noise")
        }
        self.p = SimpleNamespace(
            **cell, when_rate=float(values["when_rule.rate"]), what_rate=float(values["what_rule.rate"])
        )
        self.decay = float(np.exp(-1.0 / (float(values["cells.tau_syn"]) * 1e3)))
        self.rate_decay, self.rate_jump = float(values["rate.decay"]), float(values["rate.jump"])
        self.recurrent, self.into, self.back = (_dense(network, name, n) for name in ("recurrent", "input", "feedback"))
        self.w, self.what = np.zeros((self.events, n)), np.zeros((self.events, n))
        self.centre, self.gain, self.power = np.zeros(n), np.full(n, 0.01), 1.0
        self.samples, self.total, self.squares = 0, np.zeros(n), np.zeros(n)
        self.spikes, self.y, self.q = 0, np.zeros(self.events), np.zeros(self.events)

    def run(self, session: Session) -> int:
        """Run a session and return the number of steps."""
        for trial in session.trials:
            inputs = {name: np.broadcast_to(x, (trial.steps, x.shape[-1])) for name, x in trial.inputs.items()}
            z = self._trial(trial, inputs)
            if trial.calibration and self.samples:
                self.centre = self.total / self.samples
                sd = np.sqrt(np.maximum(self.squares / self.samples - self.centre**2, 0))
                spread = sd + sd.mean()
                self.gain = np.divide(1.0, spread, out=np.zeros(self.n), where=spread > 0)
                self.power = float(((sd * self.gain) ** 2).sum())
            size = z @ z
            if trial.learning and size > 0:
                self.what += self.p.what_rate * np.outer((inputs["occurred"][0] - self.q) / size, z)
        return sum(trial.steps for trial in session.trials)

    def _trial(self, trial: Any, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        p, n = self.p, self.n
        v = p.v_start + p.jitter * self.rng.standard_normal(n)
        u, synaptic, r, z, seen = p.b * v, np.zeros(n), np.zeros(n), np.zeros(n), 0
        feedback = np.zeros(self.events)
        self.q = np.zeros(self.events)
        for k in range(trial.steps):
            current = p.bias + synaptic + (inputs["task"][k] @ self.into + feedback @ self.back)
            if p.noise:
                current = current + p.noise * self.rng.standard_normal(n)
            v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)
            v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + current)
            u += p.a * (p.b * v - u)
            synaptic *= self.decay
            fired = np.flatnonzero(v >= 30)
            synaptic += self.recurrent[fired].sum(axis=0)
            v[fired] = p.c[fired]
            u[fired] += p.d[fired]
            r *= self.rate_decay
            r[fired] += self.rate_jump
            self.spikes += fired.size
            x = (r - self.centre) * self.gain
            if trial.calibration and inputs["scored"][k, 0] > 0:
                self.samples += 1
                self.total += r
                self.squares += r * r
            self.y = self.w @ x
            feedback = np.clip(self.y, 0, 1.5)
            if inputs["window"][k, 0] > 0:
                seen += 1
                z += (r * 0.01 - z) / seen
                self.q = self.what @ z
            gate = inputs["gate"][k]
            if trial.learning and gate.any():
                error = gate * (inputs["target"][k] - self.y)
                self.w += np.outer(p.when_rate * error / (x @ x + 0.1 * self.power), x)
        return z


def _dense(network: Network, name: str, targets: int) -> np.ndarray:
    wiring = network.wiring[name]
    if wiring.matrix is not None:
        return wiring.matrix.copy()
    matrix = np.zeros((wiring.indptr.size - 1, targets))
    matrix[wiring.sources, wiring.targets] = wiring.weights
    return matrix
