"""The library of cells by name, and their responses."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.cells import Cell
from neurodyn.models.responses import Course, respond, step_to

# Spike times of the figures of 2003 as stored by Open Source Brain: v crossing 0 mV in steps of 0.25 ms.
FIGURE_2003 = {
    ("RS", 0): [18.25, 24.0, 54.25, 87.5, 120.75], ("IB", 0): [18.5, 21.0, 24.75, 58.25, 87.5, 117.25, 146.75],
    ("CH", 0): [18.75, 20.75, 22.5, 24.75, 27.25, 30.25, 34.25, 81.75, 84.25, 87.0, 90.5, 137.25, 139.75, 142.5, 146.0],
    ("FS", 0): [18.75, 23.75, 31.25, 40.25, 48.75, 58.0, 67.25, 77.0, 86.25, 95.5, 105.0, 114.0, 123.25, 131.75, 141.0],
    ("TC", 0): [39.25, 53.25, 82.75, 120.25], ("TC", 1): [51.0, 55.75, 61.75, 68.75, 79.5], ("RZ", 0): [62.75, 67.25],
    ("LTS", 0): [27.75, 31.25, 35.5, 41.25, 50.0, 63.5, 77.75, 92.75, 107.5, 122.25, 136.5, 151.5, 166.25, 180.5, 195.5, 210.5, 225.25, 240.25],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "protocol"), FIGURE_2003)
def test_figure_2_of_2003(kind, protocol):
    (response,) = nd.cells(f"2003/{kind}").respond(protocol, backend="interpreter")
    np.testing.assert_allclose(response.spikes_ms, FIGURE_2003[kind, protocol], atol=0.5)


@pytest.mark.parametrize("name", nd.cells())
def test_every_cell_is_complete_and_answers_its_currents(name):
    cell = nd.cells(name)
    assert isinstance(cell, Cell) and cell.name == name and cell.citation and cell.summary and cell.parameters
    assert cell.population("p", 3).size == 3
    for protocol in cell.protocols:
        assert len(protocol.courses) == len(protocol.labels) > 0
    last = cell.protocols[0]
    strongest = respond(
        cell.population("cells", 1, **last.options), last.courses[-1:], [min(last.duration_ms, 130.0)], dt_ms=0.2, unit=last.unit, backend="interpreter",
        states=(),
    )  # fmt: skip
    assert strongest[0].spikes_ms.size > 0


def test_names():
    assert (
        nd.cells("RS").name == "2003/RS"
        and nd.cells("RTN").name == "2007/RTN"
        and nd.cells("tonic").name == "adex/tonic"
    )
    assert nd.cells("2007/RS").parameters["C"] == "100 pF" and nd.cells("RS").parameters == {
        "a": 0.02,
        "b": 0.2,
        "c": -65.0,
        "d": 8.0,
    }
    with pytest.raises(ValueError, match="cell '2007/FSS': cells are 2003/RS, .*; did you mean '2007/FS'"):
        nd.cells("2007/FSS")
    with pytest.raises(ValueError, match="did you mean 'weakly_adapting'"):
        nd.cells("weakly adapting")


def test_cells_of_all_forms_are_driven_alike():
    """bias, spikes onto I_syn and sums onto I_in, in pA, or in pseudo-units in the 2003 form."""
    for name, bias in (("2007/FS", "200 pA"), ("adex/tonic", "500 pA"), ("lif", "250 pA"), ("2003/FS", 10.0)):
        unit = "" if name.startswith("2003") else " pA"
        cells = nd.cells(name).population("cells", 2, parameters={"bias": bias})
        source = nd.SpikeTimes("s", 1, [0], ["1 ms"])
        link = nd.Connection(source, cells, "I_syn", weight=3.0 if not unit else "3 pA", pattern="all")
        run = nd.simulate(nd.Circuit([cells, source], [link]), "100 ms", record=["spikes/cells", "cells.I_syn"], backend="interpreter")  # fmt: skip
        assert len(run["spikes"]) > 0 and np.asarray(run["I_syn"]).max() == pytest.approx(3.0)


def test_courses():
    t = [0.0, 10.0, 10.5, 12.0, 13.0, 14.0]
    np.testing.assert_array_equal(Course(1.0, ((10.0, 13.0, 2.0, 0.5),)).at(t), [1, 1, 3.25, 4, 1, 1])
    np.testing.assert_array_equal(step_to(3.0, at=10.0, before=-1.0).at(t), [-1, -1, 3, 3, 3, 3])
    np.testing.assert_array_equal(step_to(3.0).at(t), 3.0)


def test_edges_do_not_depend_on_rounding():
    """65 steps of 0.2 ms are 13 ms, though 65 * 0.2 isn't: a pulse until 13 ms lasts the same in every step."""
    cells = nd.cells("2003/RS").population("cells", 1, scheme="sequential", v_start=-70.0)
    for dt in (0.1, 0.2, 0.3):
        (found,) = respond(cells, [Course(0.0, ((3.0, 13.8, 1.0, 0.0),))], [30.0], dt_ms=dt, backend="interpreter")
        on = found.time_ms[found.current > 0]
        assert (on[0], on[-1]) == pytest.approx((3 + dt, 13.8 - dt), abs=1e-9)


def test_responses_need_a_course_for_each_unit():
    with pytest.raises(ValueError, match="1 and 2 given for 2 units"):
        respond(nd.cells("RS").population("cells", 2), [step_to(1.0)], [10.0, 10.0], dt_ms=1.0)


def test_durations_are_each_cells_own():
    cells = nd.cells("2003/FS").population("cells", 2, scheme="sequential", v_start=-65.0)
    short, long = respond(cells, [step_to(10.0)] * 2, [20.0, 40.0], dt_ms=0.25, backend="interpreter")
    assert (short.v.size, long.v.size) == (80, 160)
    np.testing.assert_array_equal(short.v, long.v[:80])
    np.testing.assert_array_equal(short.spikes_ms, long.spikes_ms[long.spikes_ms < 20])
    assert long.spikes_ms.size > short.spikes_ms.size > 0


def test_a_picture():
    figure = nd.cells("2007/TC").plot(1, dt_ms=0.5, backend="interpreter")
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    assert len(titles) == 3 and "2007/TC, released from inhibition" in titles[0] and "spikes" in titles[1]
    tallest = max(float(np.max(np.asarray(line.get_ydata()))) for line in figure.axes[0].lines)
    assert math.isclose(tallest, 35.0)  # v_peak
