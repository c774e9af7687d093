"""What `from_brian2` refuses, leaves out, or takes over as statistics only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends.equations_brian2 import brian2
from neurodyn.parts import CircuitError
from tests.doors.test_brian2 import Objects, cells, ms, settings, synapses

__all__ = ["settings"]

LEAK = "dv/dt = -v/(10*ms) : 1\nx : 1"
Hz = brian2.Hz


def refused(objects: Any, **options: Any) -> str:
    with pytest.raises(CircuitError) as caught:
        nd.from_brian2(objects, **options)
    return str(caught.value)


def onto(code: str, model: str = "w : 1", **options: Any) -> Objects:
    group = cells(3, LEAK, name="G")
    return [group, synapses(group, group, model, on_pre=code, name="S", **options)]


def with_code(make: Callable[[Any], Any], **options: Any) -> Objects:
    group = cells(3, LEAK, name="G", **options)
    return [o for o in (group, make(group)) if isinstance(o, brian2.BrianObject)]


def spatial() -> Objects:
    neuron = brian2.SpatialNeuron(brian2.Soma(30 * brian2.um), model="Im = 0*amp/meter**2 : amp/meter**2", Cm=1 * brian2.uF / brian2.cm**2, Ri=100 * brian2.ohm * brian2.cm, name="neuron")  # fmt: skip
    return [neuron]


def linked() -> Objects:
    one, other = cells(3, LEAK, name="one"), cells(3, "dv/dt = (y - v)/(10*ms) : 1\ny : 1 (linked)", name="other")
    other.y = brian2.linked_var(one, "v")
    return [one, other]


@brian2.implementation("numpy", discard_units=True)
@brian2.check_units(x=1, result=1)
def bent(x: Any) -> Any:
    return x * x


CASES: dict[str, tuple[Callable[[], Any], str]] = {
    "event": (lambda: with_code(lambda g: g.run_on_event("high", "x += 1"), events={"high": "v > 0.5"}), "the event 'high'"),
    "run_regularly": (lambda: with_code(lambda g: g.run_regularly("x += 1", dt=1 * ms)), "run_regularly"),
    "linked": (linked, "linked variable 'y'"),
    "held": (lambda: [cells(2, "dv/dt = (n - v)/(5*ms) : 1\nn = rand() : 1 (constant over dt)", name="G")], "held over a step"),
    "gsl": (lambda: [cells(2, LEAK, name="G", method="gsl")], "method='gsl'"),
    "options": (lambda: [cells(2, LEAK, name="G", method_options={"simplify": False})], "method_options"),
    "condition": (lambda: [cells(2, LEAK, name="G", refractory="v > 0.5")], "refractory='v > 0.5' depends on 'v', which changes: circuits take a time"),
    "lastspike": (lambda: [cells(2, LEAK, name="G", refractory=2 * ms, reset="x = t/ms - lastspike/ms")], "reads 'lastspike'"),
    "function": (lambda: [cells(2, "dv/dt = bent(v)/(5*ms) : 1", name="G", method="euler", namespace={"bent": bent})], "bent() is a function"),
    "unknown name": (lambda: [cells(2, "dv/dt = -v/nowhere : 1", name="G")], "the name 'nowhere'"),
    "signals of units": (lambda: [cells(2, "dv/dt = s(t, i)/ms : 1", name="G", namespace={"s": brian2.TimedArray(np.ones((3, 2)), dt=ms)}, method="euler")], "nd.Input"),
    "signal and grid": (lambda: [cells(2, "dv/dt = s(t)/ms : 1", name="G", namespace={"s": brian2.TimedArray(np.ones(3), dt=0.25 * ms)}, method="euler")], "no whole number of steps"),
    "signal and rk4": (lambda: [cells(2, "dv/dt = s(t)/ms : 1", name="G", namespace={"s": brian2.TimedArray(np.ones(3), dt=ms)}, method="rk4")], "within a step"),
    "period": (lambda: [brian2.SpikeGeneratorGroup(2, [0], [1] * ms, period=5 * ms, name="G")], "every period"),
    "multiplied": (lambda: onto("v *= 0.5"), "does not add"),
    "set": (lambda: onto("v_post = 0.5"), "does not add"),
    "state": (lambda: onto("v += w*(1 - v)"), "'v', which changes in its cell"),
    "draw": (lambda: onto("v += w*rand()"), "rand()"),
    "clock-driven": (lambda: onto("v += w", "w : 1\ndc/dt = -c/(10*ms) : 1 (clock-driven)", method="exact"), "clock-driven"),
    "subexpression": (lambda: onto("v += k", "w : 1\nk = 2*w : 1"), "subexpression 'k'"),
    "gap junctions": (lambda: [g := cells(3, LEAK, name="G"), synapses(g, g, "x_post = 0.1*(v_pre - v_post) : 1 (summed)", name="S")], "no sum of a weight times one variable"),
    "short-term": (lambda: onto("u = u + 0.5*(1 - u)\nv += w*u", "w : 1\ndu/dt = -u/(50*ms) : 1 (event-driven)"), "short-term plasticity"),
    "short-term by a name": (lambda: onto("r = u*w\nu -= r\nv_post += r", "w : 1\ndu/dt = -u/(50*ms) : 1 (event-driven)"), "short-term plasticity"),
    "nothing delivered": (lambda: onto("w += 0.1"), "no spike brings"),
    "two delivered": (lambda: onto("v += w\nx += w\nw += 0.1"), "both deliver"),
    "trace": (lambda: onto("v += w\nA += 1\nw += A", "w : 1\ndA/dt = (1 - A)/(9*ms) : 1 (event-driven)"), "decay with one time constant"),
    "late reading": (lambda: onto("v += w\nw += 0.1", on_post="w += x_post"), "S.post.order = -2"),
    "delivered and read": (lambda: onto("v += w\nw += v_post"), "reads 'v_post'"),
    "unconnected": (lambda: [g := cells(3, LEAK, name="G"), brian2.Synapses(g, g, on_pre="v += 1", name="S")], "no synapses"),
    "outside": (lambda: onto("v += w")[1:], "no group of this network"),
    "slot": (lambda: with_code(lambda g: setattr(g.thresholder["spike"], "when", "end")), "slot 'end'"),
    "off": (lambda: with_code(lambda g: setattr(g.state_updater, "active", False)), "switched off"),
    "operation": (lambda: [brian2.NetworkOperation(lambda: None, name="N")], "calls Python"),
    "compartments": (spatial, "no compartments"),
    "poisson input": (lambda: with_code(lambda g: brian2.PoissonInput(g, "v", 10, 5 * Hz, 0.1)), "PoissonGroup"),
    "clocks": (lambda: [cells(2, LEAK, name="G"), cells(2, LEAK, name="H", dt=0.2 * ms)], "different clocks"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused(case: str) -> None:
    make, words = CASES[case]
    said = refused(make())
    assert words in said, said
    assert re.search(r"'(G|S|H|other|N|neuron|poissoninput\w*)'", said) and "nd_" not in said


def test_all_refusals_come_at_once_and_nothing_is_changed() -> None:
    objects = [*onto("v *= 2"), brian2.NetworkOperation(lambda: None, name="N")]
    said = refused(objects)
    assert "(2)" in said and "NetworkOperation 'N'" in said and "Synapses 'S'" in said
    assert len(said.splitlines()) == 3


def test_a_network_that_ran_or_has_another_order() -> None:
    network = brian2.Network(cells(2, LEAK, name="G"))
    network.schedule = ["start", "groups", "thresholds", "resets", "synapses", "end"]
    assert "its schedule" in refused(network)
    network.schedule = None
    assert nd.from_brian2(network)["G"].size == 2
    network.store()
    network.run(0.2 * ms)
    assert "has run for 0.2 ms" in refused(network)
    network.restore()
    assert nd.from_brian2(network).seed == 0


@pytest.mark.parametrize("given", [3, "network", [1, 2], None, [None]])
def test_no_network(given: Any) -> None:
    with pytest.raises(TypeError, match=re.escape("brian2.collect()")):
        nd.from_brian2(given)


@pytest.mark.parametrize("given", [[], brian2.Network()])
def test_an_empty_network(given: Any) -> None:
    assert "holds no objects; give them as a list" in refused(given)


def test_clocks_of_what_is_refused_anyway_stand_in_nobody_s_way() -> None:
    operation = brian2.NetworkOperation(lambda: None, dt=5 * ms, name="N")
    assert "calls Python" in refused([cells(2, LEAK, name="G"), operation])


def test_a_circuit_needs_no_way_back() -> None:
    circuit = nd.Circuit([nd.leaky_integrate_and_fire("cells", 2)])
    with pytest.raises(TypeError, match="go on with the circuit itself"):
        nd.from_brian2(circuit.to_brian2())


def test_monitors_are_named_with_what_to_record() -> None:
    group = cells(2, LEAK, name="G")
    monitors = [brian2.SpikeMonitor(group, name="M"), brian2.StateMonitor(group, ["v", "x"], record=True, name="V")]
    with pytest.warns(UserWarning, match=re.escape("V: record=['G.v', 'G.x']")) as caught:
        circuit = nd.from_brian2(brian2.Network(group, *monitors))
    assert "M: record=['spikes']" in str(caught[0].message) and caught[0].filename == __file__
    assert [p.name for p in circuit.parts()] == ["G"]


def test_monitors_of_synapses_are_named_as_the_circuit_has_them() -> None:
    model = "u : 1\ndA/dt = -A/(9*ms) : 1 (event-driven)"
    objects = onto("v += u\nA += 1\nu += A", model)
    fixed = synapses(objects[0], objects[0], "w : 1", on_pre="v += w", name="F")
    monitors = [brian2.StateMonitor(objects[1], ["u", "A"], record=True, name="M")]
    monitors.append(brian2.StateMonitor(fixed, ["w"], record=True, name="W"))
    with pytest.warns(UserWarning, match=re.escape("M: record=['S.w', 'S_rule.A']")) as caught:
        circuit = nd.from_brian2([*objects, fixed, *monitors])
    assert "W: its synapses don't change" in str(caught[0].message)
    run = nd.simulate(circuit, "1 ms", record=["S.w", "S_rule.A"], backend="interpreter")
    assert set(run) == {"state/S/w", "state/S_rule/A"}


def test_constants_come_from_where_it_is_called() -> None:
    tau, start = 8 * ms, 0.75
    group = brian2.NeuronGroup(3, "dv/dt = (start - v)/tau : 1", method="exact", name="G")
    circuit = nd.from_brian2([group], dt="0.2 ms", seed=5)
    assert circuit["G"].parameters["tau"].value == float(tau) and circuit["G"].parameters["start"].value == start
    assert circuit.seed == 5 and circuit.timestep == 2e-4


def test_poisson_groups_agree_in_statistics() -> None:
    """Expected counts within 5 standard deviations: false alarms below 1e-5."""
    rates = np.array([200.0, 1600.0, 4000.0])
    names = {"envelope": brian2.TimedArray(np.array([0.0, 3200.0, 800.0]) * Hz, dt=20 * ms)}
    P = brian2.PoissonGroup(3, rates * Hz, name="P")
    Q = brian2.PoissonGroup(40, "envelope(t)*(1 + 0*i)", namespace=names, name="Q")
    group = cells(1, LEAK, name="G", threshold="v > 1000")
    circuit = nd.from_brian2([P, Q, group, synapses(P, group, on_pre="x += 1", name="S")], seed=3)
    run = nd.simulate(circuit, "80 ms", backend="interpreter", record=["spikes", "G.x"])
    counts = np.bincount(run["spikes/P"].ids, minlength=3)
    wanted = 0.08 * rates
    assert (abs(counts - wanted) < 5 * np.sqrt(wanted)).all() and run["G.x"].values[-1, 0] == counts.sum()
    found = np.histogram(run["spikes/Q"].times, [-0.05, 19.95, 39.95, 59.95, 80])[0]
    wanted = 40 * 0.02 * np.array([0, 3200, 800, 800])
    assert (abs(found - wanted) <= 5 * np.sqrt(wanted)).all()
