"""The neutral description: parts, names, the step, lesions and clamps, and what is refused before anything runs."""

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

import neurodyn as nd
from neurodyn.lowering import lower
from neurodyn.network import realize
from neurodyn.parts import CircuitError


def anything(value) -> Any:
    """For what a type checker would refuse as well."""
    return value


ANSWER: Any = abs  # a function to stand where one is needed


def population(name="cells", size: Any = 4, code="v = v + I", **options):
    return nd.Population(name, size, code=code, **{"variables": {"v": "1", "I": "1"}, **options})


def circuit(*parts, **options):
    return nd.Circuit([population(), *parts], **{"dt": "1 ms", **options})


def trace(net, name="cells.v", length="3 ms"):
    return np.asarray(nd.simulate(net, length, record=[name], backend="interpreter")[name.partition(".")[2]])


# -- parts -------------------------------------------------------------------------------------------------------


def test_parts_are_found_by_name_in_declared_order():
    net = circuit(inputs=[nd.Input("task", ("a",))], connections=[nd.Connection("task", "cells", "I", name="drive")])
    assert [p.name for p in net.parts()] == ["cells", "task", "drive"]
    assert net["task"].channels == ("a",)
    with pytest.raises(CircuitError, match=r"circuit 'circuit' has no part 'cell'; did you mean 'cells'\?"):
        net["cell"]
    with pytest.raises(CircuitError, match="there are cells, task, drive"):
        net["qqq"]


def test_a_single_part_needs_no_list():
    assert nd.Circuit(anything(population())).populations[0].name == "cells"


def test_connections_are_named_after_what_they_join():
    assert nd.Connection("a", population(), "I").name == "a_to_cells_I"
    assert nd.Connection("out.y", "b", "I").name == "out_y_to_b_I"


def test_a_part_replaces_its_namesake_or_is_added():
    net = circuit()
    assert net.with_part(population(size=9))["cells"].size == 9
    assert net.with_part(nd.Input("task", ("a",)))["task"].channels == ("a",)
    with pytest.raises(CircuitError, match="is no part of a circuit"):
        net.with_part("cells")
    with pytest.raises(CircuitError, match="two parts are called 'cells'"):
        net.with_part(nd.Input("cells", ("a",)))


def test_copies_leave_the_original_alone():
    net = circuit()
    assert net.with_(seed=3).seed == 3 and net.seed == 0
    with pytest.raises(AttributeError):
        net.seed = 4  # type: ignore[misc]


# -- the step ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "locked", "expected"),
    [(None, None, 1e-4), ("0.5 ms", None, 5e-4), (None, "1 ms", 1e-3), ("1 ms", "1000 us", 1e-3)],
)
def test_the_step_is_the_circuits_or_the_one_a_scheme_is_locked_to(own, locked, expected):
    assert nd.Circuit([population(dt=locked)], dt=own).timestep == expected


def test_steps_that_disagree_are_refused():
    for make in (
        lambda: nd.Circuit([population(dt="1 ms")], dt="0.1 ms"),
        lambda: nd.Circuit([population(dt="1 ms"), population("b", dt="2 ms")]),
    ):
        with pytest.raises(CircuitError, match="a published scheme runs at its own step"):
            make()


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: population("2cells"), "population '2cells': a name must be a Python identifier"),
        (lambda: population("dt"), "not one of"), (lambda: population(size=-1), "size = -1, give a whole number of units, 0 or more"),
        (lambda: population(size=2.5), "size = 2.5"), (lambda: population(size=True), "size = True"),
        (lambda: nd.Population("c", 1), "give either equations or code"),
        (lambda: nd.Population("c", 1, "dv/dt = -v/ms : 1", code="v = 1"), "not both"),
        (lambda: population(parameters={"dt": 1}), "'dt' can't be used as a name"), (lambda: population(parameters={"a b": 1}), "'a b' can't be used"),
        (lambda: population(parameters={"v": 1}), r"\['v'\] declared as parameter and as variable"),
        (lambda: population(method="euler"), "method='euler' belongs to equations"), (lambda: population(reset="v = 0"), "a reset needs a threshold"),
        (lambda: population(refractory="2 ms"), "refractory needs a threshold"), (lambda: population(dt="-1 ms"), "cells.dt='-1 ms' is out of range"),
        (lambda: population(dt="1 mV"), "cells.dt='1 mV' is a voltage"), (lambda: population(silenced=[4]), r"units \[4\]... outside 0..3"),
        (lambda: nd.poisson("p", 3, "5 mV"), "p.rate='5 mV' is a voltage"), (lambda: nd.poisson("p", 3, "-5 Hz"), "p.rate='-5 Hz' is out of range"),
        (lambda: nd.SpikeTimes("s", -2, [], []), "spike source 's': size = -2"),
        (lambda: nd.SpikeTimes("s", 2, [0, 2], ["1 ms", "2 ms"]), "unit 2 outside 0..1"), (lambda: nd.SpikeTimes("s", 2, [-1], ["1 ms"]), "unit -1 outside"),
        (lambda: nd.SpikeTimes("s", 2, [0, 1], ["1 ms"]), "2 units but 1 times"), (lambda: nd.SpikeTimes("s", 2, [0], ["-1 ms"]), "s.times=.* is out of range"),
        (lambda: nd.SpikeTimes("s", 2, [0], ["1 mV"]), "s.times=.* is a voltage"), (lambda: nd.SpikeTimes("s", 2, [0], [np.nan]), "s.times"),
        (lambda: nd.Input("u", ()), "channels = ()"), (lambda: nd.Input("u", ("a", "a")), "give one or more different labels"),
        (lambda: nd.Input("u", ("a,b",)), "without commas"), (lambda: nd.Input("u", ("a",), function=ANSWER), "function and every belong together"),
        (lambda: nd.Input("u", ("a",), function=ANSWER, every="0 ms"), "u.every='0 ms' is out of range"),
        (lambda: nd.Input("u", ("a",), function=ANSWER, every="1 mV"), "u.every='1 mV' is a voltage"),
        (lambda: nd.Input("u", ("a",), pulses=(("1 mV", "2 ms", 1.0),)), "u.pulses='1 mV' is a voltage"),
        (lambda: nd.Input("u", ("a",), pulses=(("3 ms", "2 ms", 1.0),)), "with start < stop"),
        (lambda: nd.Input("u", ("a",), pulses=(("1 ms", "2 ms", np.inf),)), "a finite number"),
        (lambda: nd.Input("u", ("a",), pulses=(("1 ms", "2 ms", 1),), function=ANSWER, every="1 ms"), "give pulses or a function, not both"),
        (lambda: nd.Filter("f", "cells", "-5 ms"), "f.tau='-5 ms' is out of range"), (lambda: nd.Filter("f", "cells", "0 ms"), "f.tau='0 ms' is out of range"),
        (lambda: nd.Filter("f", "cells", "5 Hz"), "f.tau='5 Hz' is a rate"), (lambda: nd.Filter("f", "cells", "5 ms", tau_rise="-1 ms"), "f.tau_rise='-1 ms'"),
        (lambda: nd.Filter("f", "cells", np.nan), "f.tau"), (lambda: nd.Readout("sum", "f", ("a",)), "readout 'sum': a name must be"),
        (lambda: nd.Readout("r", "f", ()), "outputs = ()"),
        (lambda: nd.Connection("a", "b", "I", probability=1.5), "probability = 1.5, allowed is 0 to 1"),
        (lambda: nd.Connection("a", "b", "I", probability=-0.1), "probability = -0.1"), (lambda: nd.Connection("a", "b", "I", probability=np.nan), "nan"),
        (lambda: nd.Connection("a", "b", "I", probability=anything("0.1")), "probability = '0.1', allowed"),
        (lambda: nd.Connection("a", "b", "I", pattern="some"), "pattern = 'some', allowed are 'all' and 'one-to-one'"),
        (lambda: nd.Connection("a", "b", "I", pattern="all", probability=0.1), "probability and pattern exclude each other"),
        (lambda: nd.Connection("a", "b", "I", name="a b"), "connection 'a b': a name"),
        (lambda: circuit(seed=-1), "seed = -1: give a whole number from 0 to"), (lambda: circuit(seed=2**64), "seed = 18446744073709551616"),
        (lambda: circuit(seed=1.5), "seed = 1.5"), (lambda: circuit(seed=True), "seed = True"), (lambda: circuit(dt="0 ms"), "dt='0 ms' is out of range"),
        (lambda: circuit(dt="1 mV"), "dt='1 mV' is a voltage"), (lambda: circuit(population()), "two parts are called 'cells'"),
        (lambda: nd.Circuit(anything([nd.Connection("a", "b", "I")])), "populations: Connection.* is none"), (lambda: nd.Circuit(anything(["cells"])), "populations: 'cells' is none"),
        (lambda: circuit(connections=[nd.Connection("cell", "cells", "I")]), "no part 'cell'; did you mean 'cells'"),
        (lambda: circuit(connections=[nd.Connection("cells.v", "sells", "I")]), "no part 'sells'; did you mean 'cells'"),
        (lambda: circuit(inputs=[nd.Input("u", ("a",))], connections=[nd.Connection("cells.v", "u", "I")]), "target 'u' is no population"),
    ],
)  # fmt: skip
def test_descriptions_that_can_not_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_column_of_units_is_read_as_it_is():
    source = nd.SpikeTimes("s", 3, [2, 0], ["1 ms", "2 ms"])
    np.testing.assert_array_equal(source.units, [2, 0])
    np.testing.assert_array_equal(source.times.to("ms"), [1, 2])


# -- changes to a network ------------------------------------------------------------------------------------------


def test_lesioned_units_never_spike_and_lesions_add_up():
    net = circuit().with_part(population(code="v = 1", threshold="v > 0"))
    lesioned = net.lesion("cells", [1]).lesion("cells", [3, 1])
    spikes = nd.simulate(lesioned, "3 ms", backend="interpreter")["spikes"]
    assert sorted(set(spikes.ids.tolist())) == [0, 2]
    assert lesioned["cells"].silenced == (1, 3) and net["cells"].silenced == ()
    with pytest.raises(CircuitError, match="outside 0..3"):
        net.lesion("cells", [4])
    with pytest.raises(CircuitError, match="'cells' is no spiking population"):
        circuit().lesion("cells", [0])


def test_a_clamped_variable_holds_its_value():
    np.testing.assert_array_equal(trace(circuit().clamp("cells", "v", [1], 7)), [[0, 7, 0, 0]] * 3)


def test_clamps_add_up_and_values_go_with_their_units():
    net = (
        circuit()
        .clamp("cells", "v", [3, 1], [30, 10])
        .clamp("cells", "v", 2, 20)
        .clamp("cells", "v", [1], 11)
        .clamp("cells", "I", [0], 5)
    )
    np.testing.assert_array_equal(trace(net), [[0, 11, 20, 30], [5, 11, 20, 30], [10, 11, 20, 30]])


def test_a_clamp_holds_in_the_refractory_period_too():
    cells = nd.Population(
        "cells",
        1,
        "dv/dt = -v/(10*ms) : volt (unless refractory)",
        threshold="v > 5*mV",
        reset="v = 0*mV",
        refractory="5 ms",
        method="euler",
    )
    voltage = trace(nd.Circuit([cells], dt="1 ms").clamp("cells", "v", 0, "6 mV"), length="8 ms")[:, 0]
    np.testing.assert_allclose(voltage, [0, 6, 6, 6, 6, 0, 6, 6])  # the reset of a spike comes after the clamp


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("cells", "w", [0], 1), "population 'cells' has no variable 'w'; there are v, I"), (("cells", "v", [4], 1), "unit 4 of 'cells' outside 0..3"),
        (("cells", "v", [-1], 1), "unit -1 of 'cells' outside"), (("cells", "v", [0], "20 mV"), "clamp of cells.v=.* is a voltage"),
        (("cells", "v", [0], np.nan), "give one finite number"), (("cells", "v", [0, 1], [1, 2, 3]), "or one for each of 2 units"),
        (("cell", "v", [0], 1), "did you mean 'cells'"), (("task", "v", [0], 1), "'task' is no population"),
        (("cells", "g", [0], 1), "has no variable 'g'"),
    ],
)  # fmt: skip
def test_clamps_that_can_not_be(arguments, message):
    net = circuit(inputs=[nd.Input("task", ("a",))]).with_part(population(parameters={"g": 1.0}))
    with pytest.raises(ValueError, match=message):
        realize(net.clamp(*arguments))


def test_stimulation_comes_and_goes_in_each_trial():
    net = (
        circuit()
        .with_part(population(code="v = I"))
        .stimulate("cells", "I", [1, 2], amplitude=3.0, start="2 ms", stop="4 ms")
    )
    session = nd.Session((nd.Trial(5), nd.Trial(4)), dt=1e-3)
    values = nd.simulate(net, session, record=["cells.v"], backend="interpreter")["v"]
    expected = np.zeros((9, 4))
    expected[np.ix_([2, 3, 7, 8], [1, 2])] = 3
    np.testing.assert_array_equal(values, expected)
    twice = net.stimulate("cells", "I", [1], amplitude=1.0, start="0 ms", stop="3 ms")
    np.testing.assert_array_equal(trace(twice)[:, 1], [1, 1, 4])


def test_stimulation_has_to_fit():
    for change, message in (
        ({"start": "5 mV"}, "voltage"),
        ({"start": "9 ms"}, "start < stop"),
        ({"amplitude": "3 pA"}, "plain number"),
        ({"units": [9]}, "target unit 9"),
    ):
        options = {"units": [0], "amplitude": 1.0, "start": "1 ms", "stop": "4 ms", **change}
        with pytest.raises(ValueError, match=message):
            realize(circuit().stimulate("cells", "I", options.pop("units"), **options))


def test_freezing_removes_the_rules_and_keeps_the_weights():
    learning = nd.WhatWhenRule().attach(nd.SpikingReservoir(10))
    weights = np.ones((2, 10))
    frozen = learning.with_values({"when.w": weights}).freeze()
    assert all(r.rule is None for r in frozen.readouts)
    assert not frozen.program.phase("learn")
    np.testing.assert_array_equal(frozen.values["when.w"], weights)


def test_values_are_known_by_name():
    net = circuit()
    np.testing.assert_array_equal(trace(net.with_values({"cells.v": [1, 2, 3, 4]}), length="1 ms"), [[1, 2, 3, 4]])
    with pytest.raises(
        CircuitError, match=r"values: 'cell.v' is no array of circuit 'circuit'; did you mean 'cells.v'\?"
    ):
        net.with_values({"cell.v": [1, 2, 3, 4]})
    with pytest.raises(CircuitError, match=r"values\['cells.v'\] has shape \(2,\), \(4,\) is needed"):
        realize(net.with_values({"cells.v": [1, 2]}))


# -- the Program -------------------------------------------------------------------------------------------------


@pytest.fixture
def lowered(monkeypatch):
    """The circuits that were lowered, in order."""
    from neurodyn import lowering

    seen, lower = [], lowering.lower
    monkeypatch.setattr(lowering, "lower", lambda net: seen.append(net) or lower(net))
    return seen


def test_a_circuit_is_lowered_once(lowered):
    net = circuit()
    assert net.program is net.program and len(lowered) == 1
    seeds = [net.with_(seed=s, name=f"net {s}") for s in range(3)]
    assert all(n.program is net.program for n in seeds) and len(lowered) == 1
    later = circuit()
    seeds = [later.with_(seed=s) for s in range(3)]
    assert seeds[0].program is seeds[2].program is later.program and len(lowered) == 2
    nd.simulate(net, "2 ms", backend="interpreter")
    assert len(lowered) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda net: net.with_(populations=[population(code="v = v - I")]),
        lambda net: net.with_(seed=2, inputs=[nd.Input("drive", ("p",))]),
        lambda net: replace(net, populations=[population(code="v = v - I")]),
        lambda net: net.with_part(nd.Filter("rate", population(threshold="v > 1"), "1 ms")).with_part(
            population(threshold="v > 1")
        ),
        lambda net: net.with_values({"cells.v": np.ones(4)}),
        lambda net: net.clamp("cells", "v", [0], 1.0),
        lambda net: pickle.loads(pickle.dumps(net)).clamp("cells", "v", [0], 1.0),
    ],
)
def test_a_changed_circuit_has_its_own_program(change):
    net = circuit()
    old = net.program
    new = change(net)
    assert new.program != old and new.program.hash != old.hash
    assert new.program == lower(new) and net.program is old


# -- sources -----------------------------------------------------------------------------------------------------


def test_poisson_sources_fire_at_their_rates_independently():
    rates = np.array([0.0, 20.0, 100.0, 400.0])
    source = nd.poisson("p", 400, nd.quantity([f"{r} Hz" for r in np.repeat(rates, 100)]))
    spikes = nd.simulate(nd.Circuit([source], dt="1 ms", seed=4), "1 s", backend="interpreter")["spikes"]
    counts = np.bincount(spikes.ids, minlength=400).reshape(4, 100)
    assert not counts[0].any()
    for rate, row in zip(rates[1:], counts[1:], strict=True):  # false-alarm budget: 6 verdicts at p < 1e-5, seed fixed
        law = stats.binom(1000, rate * 1e-3)
        assert stats.binomtest(int(row.sum()), 100_000, rate * 1e-3).pvalue > 1e-5
        assert 2 * min(stats.chi2(99).cdf(ratio := row.var(ddof=1) * 99 / law.var()), stats.chi2(99).sf(ratio)) > 1e-5


def test_refractory_periods_may_differ_from_cell_to_cell():
    part = population(
        code="v = 1", threshold="v > 0", parameters={"pause": ["1 ms", "2 ms", "3 ms", "0 ms"]}, refractory="pause"
    )
    spikes = nd.simulate(circuit().with_part(part), "6 ms", backend="interpreter")["spikes"]
    assert np.bincount(spikes.ids).tolist() == [6, 3, 2, 6]
