"""Synapses that spikes change: Brian2's networks beside circuits with a rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends.equations_brian2 import brian2
from tests.doors.test_brian2 import SLOW, Objects, Ran, cells, kept, ms, mV, settings, synapses

__all__ = ["settings"]

STDP = """w : 1
dApre/dt = -Apre/taupre : 1 (event-driven)
dApost/dt = -Apost/taupost : 1 (event-driven)"""
NAMES = {"taupre": 20 * ms, "taupost": 30 * ms, "dApre": 0.01, "dApost": -0.0105, "gmax": 1.0}
ON_PRE = "ge += w\nApre += dApre\nw = clip(w + Apost, 0, gmax)"
ON_POST = "Apost += dApost\nw = clip(w + Apre, 0, gmax)"


def trains(size: int, seed: int, name: str) -> Any:
    """Spikes so dense that arrivals and spikes of targets often fall into one step."""
    u = np.random.default_rng(seed).random((500, size)) < 0.04
    steps, units = np.nonzero(u)
    return brian2.SpikeGeneratorGroup(size, units, steps * 0.1 * ms, name=name)


def learning(
    *, model: str = STDP, on_pre: str = ON_PRE, on_post: str = ON_POST, first: str = "pre", scale: float = 1.0
) -> Objects:
    """Six sources on four cells, which are told when to spike; the synapses begin at different weights."""
    source, teacher = trains(6, 2, "source"), trains(4, 3, "teacher")
    target = cells(4, "dv/dt = -v/(10*ms) : 1\ndge/dt = -ge/(5*ms) : 1")
    told = synapses(teacher, target, i=np.arange(4), j=np.arange(4), on_pre="v += 2", name="told")
    made = synapses(source, target, model, on_pre=on_pre, on_post=on_post, name="plastic", namespace=NAMES)
    made.w = np.linspace(0.2, 0.8, 24) / scale
    made.delay = np.random.default_rng(5).integers(0, 20, 24) * 0.1 * ms
    if first == "post":
        made.post.order = made.pre.order - 1
    return [source, teacher, target, told, made]


def check(objects: Objects, backend: Any, *, form: str, variable: str = "plastic.w", scale: float = 1.0) -> None:
    circuit = kept(objects)
    assert circuit.forms()["plastic"].startswith(form)
    theirs = Ran(objects, 50, "cells.ge", variable)
    run = nd.simulate(circuit, "50 ms", backend=backend, record=["spikes", "cells.ge", "plastic.w"])
    moved = abs(theirs.values[variable][-1] - theirs.values[variable][0])
    assert theirs.agrees(run, "cells") and moved.min() > 1e-4 and moved.max() > 0.005
    assert theirs.apart(run, "cells.ge") < 1e-10
    assert theirs.apart(run, variable, "plastic.w", unit=1 / scale) < 1e-12


@pytest.mark.parametrize("first", ["pre", "post"])
def test_stdp(first: str) -> None:
    """In Brian2's own order all synapses wait for the end of the step; with on_post first they change at events."""
    check(learning(first=first), "interpreter", form="per step" if first == "pre" else "at events")


def test_the_order_matters() -> None:
    """Arrivals and spikes of targets fall into one step often enough to tell the two orders apart."""
    found = [Ran(learning(first=first), 50, "plastic.w").values["plastic.w"] for first in ("pre", "post")]
    assert abs(found[0] - found[1]).max() > 0.005


@SLOW
@pytest.mark.parametrize("first", ["pre", "post"])
@pytest.mark.parametrize("backend", ["numba", "torch", "brian2"])
def test_stdp_on_other_runners(first: str, backend: Any) -> None:
    check(learning(first=first), backend, form="per step" if first == "pre" else "at events")


def test_weights_that_are_scaled_and_numbers_of_each_synapse() -> None:
    """A factor in front of the delivered weight, own numbers, a temporary value, traces that start above 0."""
    objects = learning(
        model=STDP + "\neta : 1\ncount : 1",
        on_pre="ge += -0.5*w\nstep_up = eta*Apost\nw += step_up\nApre += dApre\ncount += 1",
        on_post="Apost += dApost\nw = w + eta*Apre*(gmax - w)",
        first="post",
        scale=2.0,
    )
    plastic = objects[-1]
    plastic.eta, plastic.Apre = np.linspace(1, 3, 24), 0.02
    circuit = kept(objects)
    theirs = Ran(objects, 50, "cells.ge", "plastic.w", "plastic.count")
    record = ["spikes", "cells.ge", "plastic.w", "plastic_rule.count"]
    run = nd.simulate(circuit, "50 ms", backend="interpreter", record=record)
    assert theirs.agrees(run, "cells") and theirs.apart(run, "cells.ge") < 1e-10
    assert theirs.apart(run, "plastic.w", unit=-2.0) < 1e-12
    assert theirs.apart(run, "plastic.count", "plastic_rule.count") == 0


def test_a_rule_that_reads_cells() -> None:
    """Arriving spikes read a variable of the target, in volts, before it is reset."""
    source, teacher = trains(6, 2, "source"), trains(4, 3, "teacher")
    names = {"tau": 10 * ms, "eta": 0.001 / mV}
    target = cells(4, "dv/dt = (5*mV*drive - v)/tau : volt\ndge/dt = -ge/tau : 1\ndrive : 1", threshold="v > 4*mV", reset="v = 0*mV", namespace=names)  # fmt: skip
    told = synapses(teacher, target, on_pre="drive += 0.125", name="told")
    made = synapses(source, target, "w : 1", on_pre="ge += w\nw += eta*(v - 2*mV)", name="plastic", namespace=names)
    made.w = 0.5
    check([source, teacher, target, told, made], "interpreter", form="at events")


def test_no_synapses_at_all() -> None:
    """As a small probability may have it."""
    source, target = trains(3, 2, "source"), cells(2, "dv/dt = -v/(10*ms) : 1")
    made = brian2.Synapses(source, target, STDP, on_pre="v += 2*w\nw += Apost", namespace=NAMES, name="plastic")
    made.connect(p=0)
    circuit = nd.from_brian2([source, target, made])
    assert nd.simulate(circuit, "1 ms", record=["plastic.w"], backend="interpreter")["plastic.w"].shape == (10, 0)
