"""Leaky integrate-and-fire cells against their closed form."""

from __future__ import annotations

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.parts import CircuitError


def rates(currents, **options):
    cells = nd.leaky_integrate_and_fire("cells", len(currents), parameters={"bias": nd.quantity([f"{x} pA" for x in currents])}, **options)  # fmt: skip
    run = nd.simulate(nd.Circuit([cells], dt="0.02 ms"), "0.5 s")
    spikes = run["spikes"]
    return [np.diff(spikes.times[spikes.ids == k]).mean() for k in range(len(currents))]


@pytest.mark.parametrize("options", [{}, {"method": "exact"}, {"refractory": "5 ms"}])
def test_intervals_are_those_of_the_closed_form(options):
    """RI = 21, 25 and 40 mV above rest; a spike comes up to a step late."""
    rest = float(nd.quantity(options.get("refractory", "2 ms")).value) * 1e3
    drive = np.array([21.0, 25.0, 40.0])
    expected = rest + 20 * np.log(drive / (drive - 20))
    np.testing.assert_allclose(rates(10 * drive, **options), expected, atol=0.05, rtol=1e-3)


def test_below_threshold_it_is_silent_and_settles():
    cells = nd.leaky_integrate_and_fire("cells", 1, parameters={"bias": "199 pA"})
    run = nd.simulate(nd.Circuit([cells]), "400 ms", record=["spikes", "cells.v"])
    assert len(run["spikes"]) == 0
    assert float(run["v"][-1, 0]) == pytest.approx(-50.1, abs=1e-3)
    assert run["v"].attrs["units"] == "mV"


def test_it_is_of_the_exact_class():
    cells = nd.leaky_integrate_and_fire("cells", 5)
    assert nd.Circuit([cells], [nd.Connection(cells, cells, "I_syn", probability=0.5, weight="5 pA")]).program.exactness == "exact"  # fmt: skip


def test_unknown_parameter():
    with pytest.raises(CircuitError, match="no parameter 'tau_m'; there are tau, tau_syn"):
        nd.leaky_integrate_and_fire("cells", 1, parameters={"tau_m": "10 ms"})
