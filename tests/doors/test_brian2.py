"""Networks of Brian2 beside the circuits that `from_brian2` makes of them, on the interpreter and on numba."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends.equations_brian2 import brian2, brian2_settings

ms, mV, Hz = brian2.ms, brian2.mV, brian2.Hz
SLOW = pytest.mark.slow
Objects = list[Any]


@pytest.fixture(autouse=True)
def settings() -> Iterator[None]:
    """Brian2 on its numpy target in float64 with nothing reordered."""
    brian2.BrianLogger.suppress_name("unused_brian_object")  # most are never run
    with brian2_settings():
        brian2.defaultclock.dt = 0.1 * ms
        yield


class Ran:
    """A network that Brian2 has run: spikes (steps, units) by group, and variables (time, unit) in SI units."""

    def __init__(self, objects: Objects, duration: float, *wanted: str) -> None:
        named = {o.name: o for o in objects}
        groups = [o for o in objects if not isinstance(o, brian2.Synapses) and "spike" in o.events]
        monitors = {g.name: brian2.SpikeMonitor(g) for g in groups}
        states = {}
        for name in wanted:
            owner, _, variable = name.partition(".")
            states[name] = brian2.StateMonitor(named[owner], variable, record=True, when="end", order=10)
        brian2.Network(*objects, *monitors.values(), *states.values()).run(duration * ms, namespace={})
        self.spikes = {k: (np.rint(m.t / ms * 10).astype(int), np.asarray(m.i)) for k, m in monitors.items()}
        self.values = {k: np.asarray(getattr(m, k.partition(".")[2])).T for k, m in states.items()}

    def agrees(self, run: Any, *names: str) -> bool:
        """Whether the spike trains of these groups are the same, step for step, and there are some."""
        for name in names:
            found = run[f"spikes/{name}"]
            ours = np.rint(found.times * 10).astype(int), found.ids
            if not (ours[0].size and all(map(np.array_equal, ours, self.spikes[name]))):
                return False
        return True

    def apart(self, run: Any, name: str, ours: str = "", *, unit: float = 1.0) -> float:
        """Return the largest difference of a variable; ``unit`` is that of the recording in SI units."""
        return float(abs(run[ours or name].values * unit - self.values[name]).max())


def kept(objects: Objects) -> nd.Circuit:
    """The circuit, made before Brian2 runs the objects."""
    return nd.from_brian2(objects)


def cells(size: int, equations: str, name: str = "cells", **options: Any) -> Any:
    settings = {"threshold": "v > 1", "reset": "v = 0", "method": "exact", **options}
    return brian2.NeuronGroup(size, equations, name=name, **settings)


def synapses(source: Any, target: Any, model: str = "", i: Any = None, j: Any = None, **options: Any) -> Any:
    made = brian2.Synapses(source, target, model, **options)
    made.connect(i=i, j=j) if i is not None else made.connect()
    return made


# -- Vogels and Abbott ---------------------------------------------------------------------------------------------


def cuba(size: int = 200) -> Objects:
    """CUBA as in Brian2's documentation, smaller, with start values and wiring from NumPy."""
    rng = np.random.default_rng(7)
    names = {"taum": 20 * ms, "taue": 5 * ms, "taui": 10 * ms, "Vt": -50 * mV, "Vr": -60 * mV, "El": -49 * mV}
    names |= {"we": 1.62 * mV, "wi": -9 * mV}
    P = cells(
        size,
        """dv/dt = (ge + gi - (v - El))/taum : volt (unless refractory)
           dge/dt = -ge/taue : volt
           dgi/dt = -gi/taui : volt""",
        threshold="v > Vt",
        reset="v = Vr",
        refractory=5 * ms,
        namespace=names,
    )
    P.v = (-60 + 10 * rng.random(size)) * mV
    first = int(0.8 * size)
    made = [P]
    for part, rows, add in ((P[:first], first, "ge += we"), (P[first:], size - first, "gi += wi")):
        i, j = np.nonzero(rng.random((rows, size)) < 0.1)
        made.append(synapses(part, P, i=i, j=j, on_pre=add, name=f"on_{add[:2]}", namespace=names))
    return made


@SLOW  # the quick one is that of docs/brian2.md
@pytest.mark.parametrize("backend", ["interpreter", "numba"])
def test_vogels_abbott(backend: Any) -> None:
    """The same spikes for 50 ms; voltages up to the rounding of sums, which Brian2 adds onto the variable one by one."""
    circuit = kept(objects := cuba())
    assert circuit["cells"].method == "exact" and circuit["on_ge"].variable == "ge"
    theirs = Ran(objects, 50, "cells.v")
    run = nd.simulate(circuit, "50 ms", backend=backend, record=["spikes", "cells.v"])
    assert theirs.agrees(run, "cells") and theirs.spikes["cells"][0].size > 100
    assert theirs.apart(run, "cells.v", unit=1e-3) < 1e-12


# -- one feature each ----------------------------------------------------------------------------------------------


def drive(size: int, seed: int = 1, *, rate: float = 40.0, duration: float = 0.1) -> Any:
    """Spikes at fixed times, at most one a cell and step."""
    u = np.random.default_rng(seed).random((int(duration * 1e4), size)) < rate * 1e-4
    steps, units = np.nonzero(u)
    return brian2.SpikeGeneratorGroup(size, units, steps * 0.1 * ms, name="drive")


def delays() -> Objects:
    """Heterogeneous delays and weights, two variables from one spike, a name within the code, a weight taken off."""
    source, target = drive(20), cells(10, "dv/dt = (g - h - v)/(10*ms) : 1\ndg/dt = -g/(5*ms) : 1\nh : 1")
    rng = np.random.default_rng(3)
    code = "part = w*2; part *= scale; g += part/2; h -= 0.001*i"
    made = synapses(source, target, "w : 1\nscale : 1", on_pre=code, name="s")
    made.w, made.scale = rng.uniform(0.5, 1, 200), 2.0
    made.delay = rng.uniform(0, 3, 200) * ms
    return [source, target, made]


def refractory() -> Objects:
    """Cells that rest: a period for each, a variable that goes on, arrivals that are lost, and a boolean of the reset."""
    source = drive(20, rate=200)
    target = cells(
        6,
        """dv/dt = (I - v)/(10*ms) : 1 (unless refractory)
           da/dt = -a/(30*ms) : 1
           I : 1
           ref : second
           tired : boolean""",
        reset="v = 0\na += 0.5\ntired = a > 0.7",
        refractory="ref",
        method=("exact", "euler", "heun"),
    )
    target.I, target.ref = np.linspace(0.9, 3, 6), np.linspace(0, 5, 6) * ms
    return [source, target, synapses(source, target, on_pre="v += 0.125", name="s")]


def postsynaptic() -> Objects:
    """A spike of the target that acts back on its source, and parts of groups at both sides."""
    group = cells(10, "dv/dt = (1.5 - v)/(10*ms) : 1\nx : 1")
    group.v = np.linspace(0, 0.9, 10)
    made = synapses(group[2:6], group[5:], on_pre="v_post += 0.0625", on_post="x_pre += 1", delay=1 * ms, name="s")
    return [group, made]


def sums() -> Objects:
    """A sum over synapses of a variable that changes."""
    sources = brian2.NeuronGroup(8, "dr/dt = -r/(20*ms) : 1", method="exact", name="sources")
    sources.r = np.linspace(0, 2, 8)
    target = cells(4, "dv/dt = (g - v)/(10*ms) : 1\ng : 1")
    made = synapses(sources, target, "w : 1\ng_post = 0.5*w*r_pre : 1 (summed)", name="s")
    made.w = np.linspace(-0.5, 2, 32)
    return [sources, target, made]


def signals() -> Objects:
    """A signal over time in the equations, a subexpression, the time itself."""
    names = {"stimulus": brian2.TimedArray(np.array([0.0, 3.0, 3.0, -1.0, 2.0]), dt=7 * ms), "tau": 10 * ms}
    group = cells(
        5,
        "dv/dt = (total - v)/tau : 1\ntotal = stimulus(t)*(1 + 0.1*i) + sin(t/(5*ms)) : 1",
        method="exponential_euler",
        namespace=names,
    )
    return [group]


FEATURES: dict[str, tuple[Callable[[], Objects], tuple[str, ...], float]] = {
    "delays": (delays, ("cells.v", "cells.g", "cells.h"), 1e-12),
    "refractory": (refractory, ("cells.v", "cells.a"), 1e-12),
    "postsynaptic": (postsynaptic, ("cells.v", "cells.x"), 1e-12),
    "sums": (sums, ("cells.v", "cells.g"), 1e-12),
    "signals": (signals, ("cells.v",), 1e-12),
}


def compared(feature: str, backend: Any) -> None:
    make, names, tolerance = FEATURES[feature]
    circuit = kept(objects := make())
    theirs = Ran(objects, 50, *names)
    run = nd.simulate(circuit, "50 ms", backend=backend, record=["spikes", *names])
    assert theirs.agrees(run, "cells")
    for name in names:
        assert theirs.apart(run, name) < tolerance, name


@pytest.mark.parametrize("feature", FEATURES)
def test_feature(feature: str) -> None:
    compared(feature, "interpreter")


@SLOW
@pytest.mark.parametrize("feature", FEATURES)
def test_feature_compiled(feature: str) -> None:
    compared(feature, "numba")
