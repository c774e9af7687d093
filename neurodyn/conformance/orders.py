"""The order of convergence of every integrator, measured on a runner.

Runs of the circuit "integrators" at halved steps are compared with solutions from elsewhere: predator and prey with
scipy's DOP853, the linear system and geometric Brownian motion with their closed forms, the Ornstein-Uhlenbeck process
with its exact solution on a Brownian path that has the increments of the run. The increments are our own draws, so
nothing here is left to chance: a runner that passes once passes always. The strong order is that of the mean absolute
error at the end of the run, over 4000 units.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from neurodyn.conformance.dynamics import integrators
from neurodyn.conformance.harness import TrialOf, demand, engine, play
from neurodyn.conformance.tolerant import exponential_euler
from neurodyn.kernels.philox import draw
from neurodyn.network import Network, realize
from neurodyn.program import operations

DURATION = 0.08  # s: a good half of the cycle of predator and prey
STEPS = (4.0, 2.0, 1.0, 0.5, 0.25)  # ms
UNITS = 4000
WITHIN = 0.15  # of the expected order
ROUNDING = 1e-12  # largest relative error of an integrator that has none but that

#: population of the circuit: expected order; None where the integrator is exact. Brian2's "heun" and "milstein" treat
#: the drift by forward Euler, so that they are of first order without noise. With it "heun" is of strong order 1, and
#: "milstein" only of 1/2 where there is a drift: its support value x + f dt + g sqrt(dt) belongs to Ito's scheme; in
#: Stratonovich's, which Brian2 means, the drift adds g' f dt^(3/2)/2 on average in every step.
EXPECTED: Mapping[str, float | None] = {
    "euler": 1,
    "exponential_euler": 1,
    "heun": 1,
    "milstein": 1,
    "rk2": 2,
    "rk4": 4,
    "exact": None,
    "euler_noise": 1,
    "heun_noise": 1,
    "milstein_noise": 0.5,
}


@dataclass(frozen=True)
class Order:
    """What was measured: the slope of log(error) over log(step), and the largest error at the longest step."""

    slope: float
    error: float


def orders(runner: str) -> Mapping[str, Order]:
    """Measure all integrators on a runner; `NotConformant` for one that is off its order."""
    errors: dict[str, list[float]] = {name: [] for name in EXPECTED}
    for step in STEPS:
        for circuit in (integrators(f"{step} ms", UNITS)[0], exponential_euler(f"{step} ms")[0]):
            network = realize(circuit)
            count = round(DURATION / circuit.timestep)
            machine = engine(network, runner)
            play(machine, [TrialOf(count, {"learning": False, "calibration": False, "reset": True}, {})])
            for name in network.program.populations:
                found = machine.arrays[f"{name}.x"]
                errors[name].append(float(np.mean(np.abs(found - _truth(name)(network, name, count)))))
    found = {}
    for name, wanted in EXPECTED.items():
        slope = float(np.polyfit(np.log2(STEPS), np.log2(np.maximum(errors[name], 1e-300)), 1)[0])
        found[name] = Order(slope, max(errors[name]))
        if wanted is None:
            what = f"population {name!r} errs by {max(errors[name]):.2g}, more than rounding ({ROUNDING:g})"
            demand(max(errors[name]) < ROUNDING, runner, "integrators", what)
        else:
            listed = ", ".join(f"{e:.2g}" for e in errors[name])
            what = (
                f"population {name!r} converges with order {slope:.2f}, expected is {wanted} (within {WITHIN}); errors at "
                f"steps of {STEPS} ms: {listed}"
            )
            demand(abs(slope - wanted) < WITHIN, runner, "integrators", what)
    return found


Truth = Callable[[Network, str, int], np.ndarray]


def _truth(name: str) -> Truth:
    return {"exact": _linear, "euler_noise": _process, "heun_noise": _motion, "milstein_noise": _motion}.get(
        name, _prey
    )


@functools.cache
def _cycle() -> np.ndarray:
    from scipy.integrate import solve_ivp

    def change(t: float, z: np.ndarray) -> np.ndarray:
        x, y = z.reshape(2, -1)
        return np.concatenate([x * (1 - y), y * (x - 1)]) / 0.02

    start = np.concatenate([0.5 + 0.25 * np.arange(4), np.ones(4)])
    return solve_ivp(change, (0, DURATION), start, method="DOP853", rtol=1e-13, atol=1e-13).y[:4, -1]


def _prey(network: Network, name: str, count: int) -> np.ndarray:
    return _cycle()


def _linear(network: Network, name: str, count: int) -> np.ndarray:
    """x' = (y - x)/tau, y' = -y/(2 tau): y decays at half the rate of x, so x = 2 y + (x0 - 2 y0) exp(-t/tau)."""
    x, y, t = 0.5 + 0.25 * np.arange(4), 1.0, DURATION / 0.02
    return 2 * y * np.exp(-t / 2) + (x - 2 * y) * np.exp(-t)


def _motion(network: Network, name: str, count: int) -> np.ndarray:
    """Stratonovich's solution x = exp(rate t + s W(t)) on the path of our draws."""
    dt = network.circuit.timestep
    return np.exp(3.0 * DURATION + 1.5 * np.sqrt(dt) * _increments(network, name, count).sum(0))


def _process(network: Network, name: str, count: int) -> np.ndarray:
    """The exact step of x' = -x/tau + s xi/sqrt(tau), its integral of noise drawn given the increment of the path."""
    dt, tau, s = network.circuit.timestep, 0.02, 0.5
    rng, decay = np.random.default_rng(0), np.exp(-dt / tau)
    slope = tau / dt * (1 - decay)  # E[integral | increment] = slope * increment
    spread = np.sqrt(max(tau / 2 * (1 - decay**2) - slope**2 * dt, 0.0))
    x = np.ones(UNITS)
    for normal in _increments(network, name, count):
        x = x * decay + s / np.sqrt(tau) * (slope * np.sqrt(dt) * normal + spread * rng.standard_normal(UNITS))
    return x


def _increments(network: Network, name: str, count: int) -> np.ndarray:
    """Return the normal draws of a population's noise, (steps, units)."""
    (block,) = network.program.phase("update", name)
    (stream,) = (str(op.args[-1]) for op in operations(block.body) if op.op == "normal")
    return np.array([draw("normal", UNITS, seed=network.seed, step=k, stream=stream) for k in range(count)])
