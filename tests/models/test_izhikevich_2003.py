"""The 2003 form: its schemes, its rates, its start values, the recipe of its network."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.izhikevich import TYPES_2003
from neurodyn.network import realize

# -- the form of 2003: rates in both schemes (sheet 7.3: dt 0.01 ms | published 1-ms half-steps, Hz) -------------------

RATES = [
    ("RS", 5, 11, 9), ("RS", 10, 23, 20), ("RS", 20, 43, 36), ("RS", 30, 65, 54), ("IB", 5, 13, 12), ("IB", 10, 32, 26), ("IB", 20, 80, 55),
    ("CH", 5, 40, 30), ("CH", 10, 85, 41), ("CH", 20, 164, 97), ("FS", 4.2, 30, 24), ("FS", 5, 45, 33), ("FS", 10, 136, 64), ("FS", 20, 313, 128),
    ("LTS", 5, 39, 26), ("LTS", 10, 75, 44), ("LTS", 20, 149, 84),
]  # fmt: skip


# The 1-ms scheme fires irregularly at high drive: a count depends on its window and the start by up to a tenth.
@pytest.mark.parametrize(
    ("scheme", "dt", "column", "relative"), [("euler", "0.01 ms", 2, 0.012), ("half_steps", None, 3, 0.1)]
)
def test_rates_of_the_types_in_both_schemes(scheme, dt, column, relative):
    a, b, c, d = (np.array([TYPES_2003[cell][k] for cell, *_ in RATES]) for k in range(4))
    currents = np.array([row[1] for row in RATES], dtype=float)
    part = nd.izhikevich_2003(
        "cells", len(RATES), cells=(a, b, c, d), scheme=scheme, dt=dt, parameters={"bias": currents}, v_start=-65.0
    )
    net = nd.Circuit([part])
    spikes = nd.simulate(net, "3 s")["spikes"]
    rates = np.bincount(spikes.ids[spikes.times >= 1000], minlength=len(RATES)) / 2
    np.testing.assert_allclose(rates, [row[column] for row in RATES], atol=1.01, rtol=relative)


def test_the_schemes_are_their_arithmetic():
    """Two half-steps of v, then u with the new v; Euler of both from the old values; or of u with the new v; reset at once."""
    a, b, c, d = TYPES_2003["CH"]
    for scheme, h in (("half_steps", 1.0), ("euler", 0.1), ("sequential", 0.1)):
        part = nd.izhikevich_2003(
            "cells", 1, cells="CH", scheme=scheme, dt=f"{h} ms", parameters={"bias": 12.0}, v_start=-60.0
        )
        got = nd.simulate(nd.Circuit([part]), "60 ms", record=["spikes", "cells.v", "cells.u"], backend="interpreter")
        v, u, voltages, spikes = -60.0, b * -60.0, [], []
        for k in range(round(60 / h)):
            if scheme == "half_steps":
                for _ in range(2):
                    v += 0.5 * (0.04 * v * v + 5 * v + 140 - u + 12)
                u += a * (b * v - u)
            elif scheme == "sequential":
                v += h * (0.04 * v * v + 5 * v + 140 - u + 12)
                u += h * (a * (b * v - u))
            else:
                v, u = v + h * (0.04 * v * v + 5 * v + 140 - u + 12), u + h * (a * (b * v - u))
            if v >= 30:
                v, u = c, u + d
                spikes.append(k * h)
            voltages.append(v)
        assert len(spikes) >= 3
        np.testing.assert_allclose(got["v"][:, 0], voltages, rtol=1e-6)
        np.testing.assert_allclose(got["spikes"].times, spikes, rtol=1e-12)
        assert got["v"].max() < 30  # never stored above the cutoff


def test_the_cell_rests_where_it_should():
    """[D] of the sheet: with b = 0.2 and no current, v = -70 and u = -14."""
    for scheme, dt in (("half_steps", None), ("euler", "0.1 ms"), ("sequential", "0.1 ms")):
        part = nd.izhikevich_2003("cells", 1, cells="RS", scheme=scheme, dt=dt, v_start=-70.0)
        v = nd.simulate(nd.Circuit([part]), "100 ms", record=["cells.v"], backend="interpreter")["v"]
        np.testing.assert_allclose(v, -70.0, rtol=0, atol=1e-9)


def test_synaptic_current_decays_and_sums_arrive():
    part = nd.izhikevich_2003("cells", 2, cells="RS", tau_syn="4 ms", v_start=-70.0)
    source = nd.SpikeTimes("s", 1, [0], ["1 ms"])
    drive = nd.Input("drive", ("x",), pulses=(("0 ms", "2 ms", 3.0),))
    links = [
        nd.Connection(source, part, "I_syn", weight=2.0, pattern="all"),
        nd.Connection(drive, part, "I_in", weight=np.array([[1.0, -1.0]])),
    ]
    got = nd.simulate(
        nd.Circuit([part, source], links, inputs=[drive]),
        "5 ms",
        record=["cells.I_syn", "cells.I_in"],
        backend="interpreter",
    )
    np.testing.assert_allclose(got["I_syn"][:, 0], 2 * np.array([0, 1, *np.exp(-np.arange(1, 4) / 4)]), rtol=1e-14)
    np.testing.assert_array_equal(got["I_in"], [[3, -3]] * 2 + [[0, 0]] * 3)
    assert got["I_syn"].attrs["units"] == "mV/ms (2003 form)"


def test_start_values_vary_from_trial_to_trial_by_the_jitter():
    session = nd.Session((nd.Trial(1),) * 200, dt=1e-3)
    part = nd.izhikevich_2003("cells", 50, cells="RS", jitter=0.3).__class__  # the function returns a plain Population
    assert part is nd.Population
    cells = nd.izhikevich_2003("cells", 50, cells="RS", jitter=0.3)
    frozen = nd.Population(
        "cells", 50, code="v = v", variables=cells.variables, parameters=cells.parameters, initial=cells.initial
    )
    v = np.asarray(
        nd.simulate(nd.Circuit([frozen], dt="1 ms"), session, record=["cells.v"], backend="interpreter")["v"]
    )
    assert ((v.mean(axis=0) > -65.2) & (v.mean(axis=0) < -54.8)).all()
    assert v.std(axis=0).mean() == pytest.approx(0.3, rel=0.03)  # 10 000 draws: 4 standard errors


# -- the recipe of the network ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "inhibitory"), [(10, 0.2), (7, 0.2), (5, 0.0), (5, 1.0), (1, 0.2), (0, 0.2)])
def test_heterogeneity(size, inhibitory):
    values = {
        k.partition(".")[2]: v
        for k, v in realize(nd.Circuit([nd.izhikevich_2003("cells", size, inhibitory=inhibitory)])).values.items()
    }
    first = size - round(size * inhibitory)
    inh, r = np.arange(size) >= first, values["r"]
    assert ((r > 0) & (r < 1)).all()
    np.testing.assert_array_equal(values["inhibitory"], inh)
    np.testing.assert_allclose(values["a"], np.where(inh, 0.02 + 0.08 * r, 0.02), rtol=1e-15)
    np.testing.assert_allclose(values["b"], np.where(inh, 0.25 - 0.05 * r, 0.2), rtol=1e-15)
    np.testing.assert_allclose(values["c"], np.where(inh, -65, -65 + 15 * r * r), rtol=1e-15)
    np.testing.assert_allclose(values["d"], np.where(inh, 2, 8 - 6 * r * r), rtol=1e-15)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scheme": "rk4"}, r"scheme = 'rk4', allowed are 'half_steps' \(the published 1-ms numerics\), 'euler' and 'sequential'"),
        ({"cells": "XX"}, "cells = 'XX', types of the 2003 form are heterogeneous, RS, IB"), ({"cells": "heterogenous"}, "did you mean 'heterogeneous'"), ({"cells": (0.02, 0.2)}, r"cells = \(0.02, 0.2\): give a type"),
        ({"inhibitory": 1.2}, "inhibitory = 1.2"), ({"dt": "0.1 ms"}, "dt = '0.1 ms': the scheme 'half_steps' is locked to 1 ms"),
        ({"scheme": "euler", "dt": "0.1 mV"}, "voltage"), ({"tau_syn": "-5 ms"}, "cells.tau_syn = -5 ms: a time constant must be positive"),
        ({"parameters": {"bias": "3 pA"}}, "mixes"), ({"current": "biass"}, "unknown name 'biass'; did you mean 'bias'"),
    ],
)  # fmt: skip
def test_cells_that_can_not_be(options, message):
    with pytest.raises(ValueError, match=message):
        realize(nd.Circuit([nd.izhikevich_2003("cells", 3, **options)]))


def test_the_published_scheme_runs_at_its_own_step():
    with pytest.raises(ValueError, match="a published scheme runs at its own step"):
        nd.Circuit([nd.izhikevich_2003("cells", 3)], dt="0.1 ms")
    assert nd.Circuit([nd.izhikevich_2003("cells", 3, scheme="euler")]).timestep == 1e-4


def test_spikes_felt_for_one_step():
    part = nd.izhikevich_2003("cells", 1, cells="RS", tau_syn=None, v_start=-70.0)
    source = nd.SpikeTimes("s", 1, [0], ["1 ms"])
    net = nd.Circuit([part, source], [nd.Connection(source, part, "I_syn", weight=2.0, pattern="all")])
    got = nd.simulate(net, "5 ms", record=["cells.I_syn", "cells.v"], backend="interpreter")
    # The spike of 1 ms arrives after the update of that step; the next update feels it and clears it.
    np.testing.assert_array_equal(got["I_syn"][:, 0], [0, 2, 0, 0, 0])
    assert got["v"][1, 0] == -70 and got["v"][2, 0] > -70


@pytest.mark.parametrize("scheme", ["half_steps", "euler", "sequential"])
def test_variants_are_their_equations(scheme):
    """Arrays, one variant a unit: the plain form, class 1, accommodation; each is what it is alone."""
    h = 1.0 if scheme == "half_steps" else 0.1
    rows = [(5.0, 140.0, 1.0, 0.0), (4.1, 108.0, 1.0, 0.0), (5.0, 140.0, 0.0, -65.0)]
    linear, constant, leak, v_b = (np.array(column) for column in zip(*rows, strict=True))
    options = {
        "cells": (0.02, 0.2, -60.0, 4.0),
        "scheme": scheme,
        "dt": f"{h} ms",
        "v_start": -65.0,
        "u_start": -14.0,
        "parameters": {"bias": 9.0},
    }
    part = nd.izhikevich_2003("cells", 3, linear=linear, constant=constant, leak=leak, v_b=v_b, **options)
    got = nd.simulate(nd.Circuit([part]), "5 ms", record=["cells.v", "cells.u"], backend="interpreter")
    for k, (p, q, r, s) in enumerate(rows):
        alone = nd.izhikevich_2003("cells", 1, linear=p, constant=q, leak=r, v_b=s, **options)
        one = nd.simulate(nd.Circuit([alone]), "5 ms", record=["cells.v", "cells.u"], backend="interpreter")
        np.testing.assert_array_equal(one["v"][:, 0], got["v"][:, k])
        np.testing.assert_array_equal(one["u"][:, 0], got["u"][:, k])
        v, u = -65.0, -14.0
        halves = 2 if scheme == "half_steps" else 1
        old = v
        for _ in range(halves):
            v += h / halves * (0.04 * v * v + p * v + q - u + 9.0)
        u += h * 0.02 * (0.2 * ((old if scheme == "euler" else v) - s) - r * u)
        np.testing.assert_allclose([got["v"][0, k], got["u"][0, k]], [v, u], rtol=1e-6)


def crossing(population, dt_ms, level, name="cells"):
    """When v first passes a level, interpolated between steps."""
    run = nd.simulate(nd.Circuit([population], dt=f"{dt_ms} ms"), "60 ms", record=[f"{name}.v"])
    v = np.asarray(run["v"], dtype=float)[:, 0]
    k = int(np.argmax(v > level))
    return (k + (level - v[k - 1]) / (v[k] - v[k - 1])) * dt_ms


@pytest.mark.parametrize("scheme", ["euler", "sequential"])
def test_the_first_spike_of_tonic_spiking_converges_at_first_order(scheme):
    """Halving the step halves the change of the upstroke's time. -20 mV: below, no step jumps over the level and the reset."""
    cell = nd.izhikevich_2003(
        "cells", 1, cells=(0.02, 0.2, -65.0, 6.0), scheme=scheme, v_start=-70.0, parameters={"bias": 14.0}
    )
    t = [crossing(cell, 0.04 / 2**k, -20.0) for k in range(5)]
    ratios = np.diff(t)[:-1] / np.diff(t)[1:]
    np.testing.assert_allclose(ratios, 2.0, atol=0.1)
