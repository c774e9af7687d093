"""The networks of Vogels & Abbott on JAX with the event-driven products of brainevent, in float32, its default.

Cells as in brainstate's LIFRef, which brainevent's own examples use: v by exponential Euler, conductances by their exact
decay, spikes of a step act in the next one. The whole run is one compiled loop.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import brainevent  # pyright: ignore[reportMissingImports]
import jax  # pyright: ignore[reportMissingImports]
import jax.numpy as jnp  # pyright: ignore[reportMissingImports]
import numpy as np
from peer_loop import Run, serve, synapses

_MS = 1e3


def build(numbers: Mapping[str, Any], seconds: float) -> Run:
    """Compile the loop and return what runs it from its start."""
    p = {name: value * _MS for name, value in numbers.items() if isinstance(value, float) and name != "dt_ms"}
    dt, size, conductances = numbers["dt_ms"], numbers["v"].size, numbers["kind"] == "coba"
    scale = 1.0 if conductances else _MS
    excitation, inhibition = (_matrix(numbers, name, scale) for name in ("excitation", "inhibition"))
    decay_e, decay_i = np.exp(-dt / p["tau_e"]), np.exp(-dt / p["tau_i"])
    steps = round(seconds * _MS / dt)

    def slope(v: Any, ge: Any, gi: Any) -> tuple[Any, Any]:
        if conductances:
            total = ge + gi + 1.0
            return (ge * p["E_e"] + gi * p["E_i"] + p["E_L"] + p["drive"] - total * v) / p["tau_m"], -total / p["tau_m"]
        return (ge + gi + p["E_L"] + p["drive"] - v) / p["tau_m"], -1.0 / p["tau_m"]

    def step(state: Any, k: Any) -> tuple[Any, None]:
        v, ge, gi, last, spikes, count = state
        arrived = brainevent.BinaryArray(spikes)
        ge = ge * decay_e + arrived @ excitation
        gi = gi * decay_i + arrived @ inhibition
        dv, rate = slope(v, ge, gi)
        free = k - last >= round(p["refractory"] / dt)
        v = jnp.where(free, v + dv * jnp.expm1(rate * dt) / rate, v)
        spikes = (v > p["V_t"]) & free
        state = jnp.where(spikes, p["V_r"], v), ge, gi, jnp.where(spikes, k, last), spikes, count + spikes.sum()
        return state, None

    start = tuple(
        jnp.asarray(numbers[name] * unit, jnp.float32) for name, unit in (("v", _MS), ("ge", scale), ("gi", scale))
    )
    start = (*start, jnp.full(size, -10_000, jnp.int32), jnp.zeros(size, bool), jnp.int32(0))
    loop = jax.jit(lambda state: jax.lax.scan(step, state, jnp.arange(steps, dtype=jnp.int32))[0])
    compiled = loop.lower(start).compile()

    def run() -> tuple[float, int]:
        begin = time.process_time()
        end = jax.block_until_ready(compiled(start))
        return time.process_time() - begin, int(end[-1])

    return run


def _matrix(numbers: Mapping[str, Any], name: str, scale: float) -> Any:
    sources, targets, weight = synapses(numbers, name)
    size = numbers["v"].size
    first = np.concatenate([[0], np.cumsum(np.bincount(sources, minlength=size))])
    of_all = jnp.asarray([weight * scale], jnp.float32)  # one weight for all synapses
    return brainevent.CSR((of_all, jnp.asarray(targets, jnp.int32), jnp.asarray(first, jnp.int32)), shape=(size, size))


if __name__ == "__main__":
    serve(build, lambda: f"{version('brainevent')}, jax {version('jax')}")
