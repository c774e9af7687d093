"""Connections that can not be, and why."""

import pytest

import neurodyn as nd
from neurodyn.lowering import lower
from neurodyn.parts import CircuitError


def population(code="v = v + 1", *, size=3, name="cells", **options):
    options = {"variables": {"v": "1", "I": "1"}, **options}
    return nd.Population(name, size, code=code, **options)


def link(variable="I", source="cells", *, target="cells", populations=None, readouts=(), **options):
    populations = populations or [
        population(threshold="v > 1"),
        population("x = I", name="quiet", variables={"x": "1", "I": "1"}),
    ]
    return nd.Circuit(populations, [nd.Connection(source, target, variable, **options)], inputs=[nd.Input("task", ("a", "b"))],
                      filters=[nd.Filter("rate", "cells", "10 ms")], readouts=readouts, dt="1 ms")  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variable": "J"}, "'cells' has no variable 'J'; there are v, I"), ({"source": "quiet"}, "'quiet' emits no spikes; name a variable of it"),
        ({"source": "quiet.y"}, "no variable 'quiet.y' to read"), ({"source": "quiet.x", "delay": "0 ms"}, "delay 0 works only from inputs"),
        ({"source": "rate.r", "delay": "0 ms"}, "delay 0 works only"), ({"source": "task", "delay": nd.Uniform("1 ms", "2 ms")}, "one delay for all"),
        ({"weight": "20 pA"}, "weight '20 pA' can't be added to cells.I, which needs a plain number"),
        ({"weight": "rand()*pA"}, "can't be added to cells.I"), ({"weight": nd.Normal("1 mV", "1 mV")}, "can't be added to cells.I"),
        ({"delay": "-1 ms"}, r"delay = -1 ms; allowed are 0 \(felt by the next update\) and 1 ms"), ({"delay": "0.4 ms"}, "delay = 0.4 ms; allowed"),
        ({"delay": "rand()"}, "is no time"), ({"delay": "2 mV"}, "voltage"), ({"delay": nd.Uniform(1, 2)}, "it has to be a time"),
    ],
)  # fmt: skip
def test_connections_that_can_not_be(options, message):
    with pytest.raises(ValueError, match=message):
        lower(link(**options))


def test_a_pseudo_unit_is_named_where_amperes_are_given():
    cells = nd.izhikevich_2003("cells", 3)
    with pytest.raises(CircuitError, match=r"its unit is mV/ms \(2003 form\), a pseudo-unit that takes plain numbers"):
        lower(nd.Circuit([cells], [nd.Connection(cells, cells, "I_syn", weight="20 pA", probability=0.1)]))


def test_volts_do_not_take_amperes():
    cells = nd.Population("cells", 2, "dv/dt = -v/(10*ms) : volt", threshold="v > 10*mV", reset="v = 0*mV")
    with pytest.raises(CircuitError, match="weight '20 pA' can't be added to cells.v, which needs mV"):
        lower(nd.Circuit([cells], [nd.Connection(cells, cells, "v", weight="20 pA", probability=0.1)]))


def test_a_variable_takes_spikes_or_sums():
    cells = population(threshold="v > 1")
    links = [nd.Connection(cells, cells, "I", probability=0.5), nd.Connection("cells.v", cells, "I", probability=0.5)]
    with pytest.raises(CircuitError, match="receives both spikes and weighted sums"):
        lower(nd.Circuit([cells], links, dt="1 ms"))


def test_a_matrix_is_no_source():
    out = nd.Readout("out", "rate", ("a", "b"), memory={"w": "output*unit"})
    with pytest.raises(CircuitError, match="'out.w' is a matrix"):
        lower(link(source="out.w", readouts=[out]))
