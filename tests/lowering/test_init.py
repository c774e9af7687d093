"""From circuits to Programs: hashes without numbers, exactness, order, and what is refused."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.language import ModelError
from neurodyn.lowering import lower
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.program import stores


def population(code="v = v + 1", *, size=3, name="cells", **options):
    options = {"variables": {"v": "1", "I": "1"}, **options}
    return nd.Population(name, size, code=code, **options)


def one(code, **options):
    return lower(nd.Circuit([population(code, **options)], dt="1 ms"))


# -- the hash ----------------------------------------------------------------------------------------------------


def network(**changes):
    options = {
        "size": 5,
        "seed": 1,
        "dt": "1 ms",
        "tau": "5 ms",
        "weight": 0.1,
        "probability": 0.2,
        "delay": "2 ms",
        "code": "v = v*exp(-dt/tau) + I",
    }
    options |= changes
    cells = population(
        options["code"], size=options["size"], parameters={"tau": options["tau"]}, threshold=options.get("threshold", "v > 1"), reset="v = 0",
        refractory=options.get("refractory"),
    )  # fmt: skip
    link = nd.Connection(
        cells, cells, "I", probability=options["probability"], weight=options["weight"], delay=options["delay"]
    )
    rate = nd.Filter("rate", cells, options.get("filter", "10 ms"))
    return nd.Circuit([cells], [link], filters=[rate], dt=options["dt"], seed=options["seed"])


@pytest.mark.parametrize(
    "change",
    [
        {"size": 50}, {"size": 0}, {"seed": 2}, {"dt": "0.1 ms"}, {"tau": "7 ms"}, {"weight": 0.2}, {"weight": nd.Normal(0, 1)},
        {"weight": "rand()"}, {"probability": 0.9}, {"delay": "3 ms"}, {"filter": "3 ms"},
    ],
)  # fmt: skip
def test_numbers_are_no_part_of_a_program(change):
    assert network(**change).program == network().program
    assert network(**change).program.hash == network().program.hash


@pytest.mark.parametrize(
    "change",
    [
        {"code": "v = v*exp(-dt/tau) + 2*I"}, {"threshold": "v >= 1"}, {"tau": nd.Uniform("4 ms", "5 ms")}, {"delay": "0 ms"},
        {"delay": nd.Uniform("1 ms", "2 ms")}, {"refractory": "2 ms"},
    ],
)  # fmt: skip
def test_the_structure_is(change):
    assert network(**change).program.hash != network().program.hash


def test_the_reservoir_has_one_program_for_all_sizes():
    small, large = nd.SpikingReservoir(20), nd.SpikingReservoir(500, connection_probability=0.3, seed=4, noise=0.2)
    assert small.program.hash == large.program.hash


def test_a_network_with_explicit_wiring_has_the_program_of_the_drawn_one():
    for change in ({}, {"delay": "0 ms"}, {"delay": nd.Uniform("1 ms", "9 ms"), "size": 9, "probability": 1.0}):
        circuit = network(**change)
        wiring = realize(circuit).wiring["cells_to_cells_I"]
        fields = {f"cells_to_cells_I.{k}": getattr(wiring, k) for k in ("indptr", "targets", "weights", "delays")}
        assert circuit.with_values(fields).program.hash == circuit.program.hash


# -- exactness ---------------------------------------------------------------------------------------------------


def test_izhikevich_with_constant_decay_is_exact():
    for scheme in ("half_steps", "euler"):
        assert nd.Circuit([nd.izhikevich_2003("c", 5, scheme=scheme)]).program.inexact == ()
    assert nd.SpikingReservoir(10).program.exactness == "exact"
    assert nd.Circuit([nd.izhikevich_2007("c", 5)]).program.inexact == ()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"code": "v = exp(v)"}, "exp in the update of cells"), ({"code": "v = v**1.5"}, "pow in the update of cells"),
        ({"code": "v = v**3"}, "power product in the update of cells"), ({"threshold": "tanh(v) > 0.5"}, "tanh in the threshold of cells"),
        ({"threshold": "v > 1", "reset": "v = log(v)"}, "log in the reset of cells"),
    ],
)  # fmt: skip
def test_reasons_of_tolerance(options, reason):
    options = {"code": "v = v + 1", **options}
    assert one(**options).inexact == (reason,)


@pytest.mark.parametrize(
    "code",
    [
        "v = v*v",
        "v = v**2",
        "v = v/I",
        "v = sqrt(abs(v))",
        "v = floor(v) % 3",
        "v = where(v > I, v, I)",
        "v = v + randn()",
    ],
)
def test_plain_arithmetic_is_exact(code):
    assert one(code).exactness == "exact"


def test_learning_rules_are_named():
    circuit = nd.Supervised(learner=nd.FORCE(alpha=1.0, gated=False)).attach(nd.SpikingReservoir(10))
    assert circuit.program.inexact == ("rls in the learn of output_rule",)


# -- order and phases ----------------------------------------------------------------------------------------------


def test_start_values_come_before_the_values_that_use_them():
    cells = population("v = v", parameters={"a": 2.0}, initial={"v": "a*3", "I": "v + randn()*0"})
    values = nd.simulate(nd.Circuit([cells], dt="1 ms"), "1 ms", record=["cells.I"], backend="interpreter")["I"]
    np.testing.assert_array_equal(values, [[6, 6, 6]])


def test_refractory_cells_can_spike_in_the_first_step():
    cells = population("v = 2", threshold="v > 1", refractory="3 ms")
    spikes = nd.simulate(nd.Circuit([cells], dt="1 ms"), "8 ms", backend="interpreter")["spikes"]
    np.testing.assert_array_equal(spikes.times[spikes.ids == 0], [0, 3, 6])


def test_equations_take_their_units_and_constants_along():
    cells = nd.Population(
        "cells", 2, "dv/dt = (v_rest - v + R*I)/tau : volt\ndI/dt = -I/(5*ms) : amp", threshold="v > -50*mV", reset="v = v_rest", method="exact",
        parameters={"tau": "20 ms", "v_rest": "-70 mV", "R": "100 Mohm"}, initial={"v": "v_rest"},
    )  # fmt: skip
    program = lower(nd.Circuit([cells], [nd.Connection(cells, cells, "I", weight="20 pA", probability=0.1)]))
    assert program.exactness == "exact"  # exp(-dt/tau) is a constant
    assert (program.array("cells.v").unit, program.array("cells.I").unit) == ("mV", "pA")


def test_reset_and_threshold_are_blocks_of_the_spiking_units():
    program = one("v = v + 1", threshold="v > 3", reset="v = 0\nI += 1", refractory="2 ms")
    (reset,), (spiked,) = program.phase("reset"), program.phase("spiked")
    assert reset.spikes_of == spiked.spikes_of == "cells"
    assert [s.array for s in stores(reset.body)] == ["cells.v", "cells.I"]


# -- what is refused ---------------------------------------------------------------------------------------------


def readout(**options):
    options = {"state": {"y": "output"}, "memory": {"w": "output*unit"}, **options}
    return nd.Circuit([population(threshold="v > 1")], filters=[nd.Filter("rate", "cells", "10 ms")], inputs=[nd.Input("task", ("a", "b"))],
                      readouts=[nd.Readout("out", options.pop("source", "rate"), options.pop("outputs", ("a", "b")), **options)], dt="1 ms")  # fmt: skip


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: one("v = vv"), ModelError, r"cells: unknown name 'vv'; did you mean 'v'\?"),
        (lambda: one("v = 1", threshold="v"), ModelError, "threshold 'v' must be a condition such as"),
        (lambda: one("v = 1", parameters={"g": "5 mV"}, threshold="v > g"), ModelError, "the text mixes a plain number with mV"),
        (lambda: one("g = 1", parameters={"g": 2.0}), ModelError, "'g' can't be assigned here"),
        (lambda: one("v = 1", initial={"u": 3}), CircuitError, "initial value for 'u', which is no state variable; there are v, I"),
        (lambda: one("v = 1", initial={"v": "3 mV"}), CircuitError, "initial v = '3 mV' has unit mV, needed is 1"),
        (lambda: one("v = v", variables={"v": "mV"}, initial={"v": "rand()"}), ModelError, "initial value of v has the wrong unit, 'rand"),
        (lambda: one("v = 1", variables={"v": "mVV"}), ValueError, "unknown unit 'mVV'"),
        (lambda: one("v = v", variables={"v": "mV"}, labels={"v": "volts"}), CircuitError, "v is in mV and takes no label 'volts'"),
        (lambda: one("v = 1", labels={"u": "steps"}), CircuitError, "a label for 'u', which is no variable"),
        (lambda: one("v = 1", parameters={"a": "b + 1", "b": "a + 1"}), ModelError, "unknown name 'b'"),
        (lambda: one("v = 1", parameters={"g": [1.0, 2.0]}), CircuitError, r"cells.g has shape \(2,\): give one number, or one for each of the 3 units"),
        (lambda: one("v = 1", parameters={"g": np.nan}), CircuitError, "cells.g = nan is not finite"),
        (lambda: one("v = 1", parameters={"g": [1, 2, np.inf]}), CircuitError, "not finite"),
        (lambda: one("v = 1", parameters={"g": nd.Uniform("1 mV", "2 pA")}), CircuitError, "different units"),
        (lambda: one("v = 1", parameters={"g": nd.Normal(0, -1)}), CircuitError, "standard deviation -1 is negative"),
        (lambda: one("v = 1", threshold="v > 0", refractory="2*tau"), CircuitError, "refractory = '2[*]tau'; give a time such as '2 ms'"),
        (lambda: one("v = 1", threshold="v > 0", refractory="-2 ms"), ValueError, "cells.refractory='-2 ms' is out of range"),
        (lambda: one("v = 1", threshold="v > 0", refractory="2 mV"), ValueError, "cells.refractory='2 mV' is a voltage"),
        (lambda: readout(source="rats").program, CircuitError, "source 'rats' is no filter, input or 'population.variable'; filters are"),
        (lambda: readout(state={"y": "outputs"}).program, CircuitError, "axes 'outputs' of y; allowed are output, unit"),
        (lambda: readout(state={"task": "output"}).program, CircuitError, "'task' is also the name of an input"),
        (lambda: readout(per_step="y = w").program, ModelError, "reduce it with"),
        (lambda: readout(per_step="y = tusk").program, ModelError, "unknown name 'tusk'; did you mean 'task'"),
        (lambda: readout(per_step="rate.r = 1").program, ModelError, "'rate.r' can't be assigned here"),
        (lambda: readout(source="task").program, CircuitError, "its outputs have the labels of its source 'task'"),
        (lambda: nd.Circuit([population()], filters=[nd.Filter("rate", "cells", "9 ms")]).program, CircuitError, "'cells' is no population with a threshold"),
    ],
)  # fmt: skip
def test_texts_and_numbers_that_do_not_fit_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_equations_name_what_they_do_not_know():
    for text, message in (
        ("dv/dt = -vv/(10*ms) : volt", "vv"),
        ("dv/dt = -v/(10*mV) : volt", "(?i)unit|dimension"),
        ("dv/dt = -v : volt", "(?i)unit|dimension"),
    ):
        with pytest.raises(ValueError, match=message):
            lower(nd.Circuit([nd.Population("cells", 2, text)]))


def test_an_expression_that_can_not_be_read_is_named():
    cells = nd.Population("cells", 2, "dx/dt = -omega*x : 1", parameters={"omega": "2*pi*20 Hz"})
    with pytest.raises(ModelError, match=r"cells: can't read omega = '2\*pi\*20 Hz' .* such as '2\*pi\*20\*Hz'"):
        lower(nd.Circuit([cells]))
