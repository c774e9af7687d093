"""Izhikevich's neurons against published patterns, rates and bifurcations (reference sheet, sections 1 and 7)."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.izhikevich import TYPES_2003, TYPES_2007, Cell2007
from neurodyn.network import realize

# -- the form of 2003: rates in both schemes (sheet 7.3: dt 0.01 ms | published 1-ms half-steps, Hz) -------------------

RATES = [
    ("RS", 5, 11, 9), ("RS", 10, 23, 20), ("RS", 20, 43, 36), ("RS", 30, 65, 54), ("IB", 5, 13, 12), ("IB", 10, 32, 26), ("IB", 20, 80, 55),
    ("CH", 5, 40, 30), ("CH", 10, 85, 41), ("CH", 20, 164, 97), ("FS", 5, 45, 33), ("FS", 10, 136, 64), ("FS", 20, 313, 128),
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
    """Two half-steps of v, then u with the new v; plain Euler of both from the old values; reset in the same step."""
    a, b, c, d = TYPES_2003["CH"]
    for scheme, h in (("half_steps", 1.0), ("euler", 0.1)):
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
    for scheme, dt in (("half_steps", None), ("euler", "0.1 ms")):
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
        ({"cells": "XX"}, "cells = 'XX', types of the 2003 form are heterogeneous, RS, IB"), ({"cells": (0.02, 0.2)}, r"cells = \(0.02, 0.2\): give a type"),
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


# -- the patterns of 2004 (sheet 7.1), those that are robust against the step ----------------------------------------------


def ramp(t, start, slope):
    return np.where(t > start, slope * (t - start), 0.0)


def pulse(t, value, *starts, length):
    return value * np.any([(t > s) & (t < s + length) for s in starts], axis=0)


# a, b, c, d, v0, length, current(t), spikes at dt 0.25 (first, number), spikes at dt 0.01 (first, number); None: not given
PATTERNS = {
    "A": (0.02, 0.2, -65, 6, -70, 100, lambda t: 14.0 * (t > 10), (13.0, 5), (12.65, 5)),
    "B": (0.02, 0.25, -65, 6, -64, 200, lambda t: 0.5 * (t > 20), (43.75, 1), (42.79, 1)),
    "E": (0.02, 0.2, -55, 4, -70, 160, lambda t: 10.0 * (t > 16), (20, 6), (None, 7)),
    "F": (0.01, 0.2, -65, 8, -70, 85, lambda t: 30.0 * (t > 8.5), (10.25, 6), (10.01, 6)),
    "G": (0.02, -0.1, -55, 6, -60, 300, lambda t: ramp(t, 30, 0.075), (84.5, 10), (83.97, 10)),
    "K": (0.1, 0.26, -62, -1, -62, 400, lambda t: pulse(t, 0.65, 40, 60, 280, 320, length=4), None, None),
    "L": (0.02, -0.1, -55, 6, -60, 100, lambda t: pulse(t, 9.0, 100 / 11, 100 / 11 + 5, 70, 80, length=2), (20.0, 1), (19.5, 1)),
    "J": (0.05, 0.26, -60, 0, -62, 200, lambda t: pulse(t, 2.0, 20, length=5), (26.5, 1), (25.67, 1)),
    "O": (0.03, 0.25, -60, 4, -64, 100, lambda t: pulse(t, 1.0, 10, 80, length=5) + pulse(t, -6.0, 70, length=5), (93.25, 1), (91.9, 1)),
    "R": (0.02, 1, -55, 4, -65, 400, lambda t: np.where(t < 200, t / 25, 0) + np.where((t >= 300) & (t < 312.5), (t - 300) / 12.5 * 4, 0), None, (310.5, 1)),
}  # fmt: skip


def patterns(dt_ms):
    """All patterns at once: v' = 0.04 v^2 + p v + q - u + I, u' = a (b (v + shift) - u leak), u with the new v."""
    names = list(PATTERNS)
    a, b, c, d, v0 = (np.array([float(PATTERNS[n][k]) for n in names]) for k in range(5))  # type: ignore[arg-type]
    integrators = np.isin(names, ["G", "L"])
    accommodation = np.array(names) == "R"
    cells = nd.Population(
        "cells", len(names), code="v += h*(0.04*v*v + p*v + q - u + I)\nu += h*a*(b*(v + shift) - leak*u)",
        variables={"v": "1", "u": "1", "I": "1"}, threshold="v > 30", reset="v = c\nu += d",
        parameters={
            "a": a, "b": b, "c": c, "d": d, "h": dt_ms, "p": np.where(integrators, 4.1, 5.0), "q": np.where(integrators, 108.0, 140.0),
            "shift": np.where(accommodation, 65.0, 0.0), "leak": np.where(accommodation, 0.0, 1.0), "v0": v0, "u0": np.where(accommodation, -16.0, b * v0),
        },
        initial={"v": "v0", "u": "u0"},
    )  # fmt: skip
    drive = nd.Input("drive", tuple(names))
    steps = round(400 / dt_ms)
    t = np.arange(steps) * dt_ms
    current = np.stack([np.asarray(PATTERNS[n][6](t), dtype=float) for n in names], axis=1)  # type: ignore[operator]
    net = nd.Circuit(
        [cells], [nd.Connection(drive, cells, "I", pattern="one-to-one")], inputs=[drive], dt=f"{dt_ms} ms"
    )
    spikes = nd.simulate(net, nd.Session((nd.Trial(steps, {"drive": current}),), dt=dt_ms * 1e-3))["spikes"]
    return {n: spikes.times[(spikes.ids == k) & (spikes.times < PATTERNS[n][5])] for k, n in enumerate(names)}


@pytest.mark.parametrize(("dt", "column", "tolerance"), [(0.25, 7, 0.51), (0.01, 8, 0.06)])
def test_the_patterns_of_2004(dt, column, tolerance):
    times = patterns(dt)
    for name, row in PATTERNS.items():
        if row[column] is not None:
            first, number = row[column]  # type: ignore[misc]
            assert abs(times[name].size - number) <= (name == "E"), name
            assert first is None or times[name][0] == pytest.approx(first, abs=tolerance), name
    if dt == 0.01:
        np.testing.assert_allclose(times["A"], [12.65, 16.16, 29.04, 56.07, 82.85], atol=0.06)
        assert times["R"].size == 1  # the slow ramp to twice the height fires nothing
    else:
        np.testing.assert_allclose(times["A"], [13.0, 17.0, 31.5, 59.25, 86.75], atol=0.51)
        intervals = np.diff(times["G"])
        assert intervals[0] == pytest.approx(40, abs=3) and intervals[-1] == pytest.approx(15, abs=2)


def test_first_spikes_converge_at_first_order():
    firsts = {}
    for dt in (0.04, 0.02, 0.01, 0.001):
        cell = nd.izhikevich_2003(
            "cells",
            1,
            cells=(0.02, 0.2, -65.0, 6.0),
            scheme="euler",
            dt=f"{dt} ms",
            v_start=-70.0,
            parameters={"bias": 14.0},
        )
        firsts[dt] = nd.simulate(nd.Circuit([cell]), "10 ms")["spikes"].times[0]
    errors = [abs(firsts[dt] - firsts[0.001]) for dt in (0.04, 0.02, 0.01)]
    assert errors[0] > errors[1] > errors[2]
    for error, dt in zip(errors, (0.04, 0.02, 0.01), strict=True):
        assert error < 4 * dt


# -- the form of 2007 (sheet 7.2) ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def regular():
    currents = ["51 pA", "60 pA", "70 pA", "85 pA", "100 pA"]
    part = nd.izhikevich_2007("cells", 5, parameters={"I": currents})

    def times(dt, length):
        spikes = nd.simulate(nd.Circuit([part], dt=dt), length)["spikes"]
        return [spikes.times[spikes.ids == k] for k in range(5)]

    return times


def test_regular_spiking_counts(regular):
    for dt in ("0.25 ms", "0.01 ms"):
        assert [t.size for t in regular(dt, "520 ms")] == [0, 2, 3, 5, 7]
    np.testing.assert_allclose(
        regular("0.01 ms", "520 ms")[-1], [48.2, 121.7, 197.8, 273.8, 349.8, 425.9, 501.9], atol=0.06
    )


def test_no_spike_below_the_rheobase(regular):
    """[D] of the sheet: (k (v_t - v_r) + b)^2/4k = 51.43 pA."""
    assert regular("0.05 ms", "2 s")[0].size == 0


def test_resets_of_the_2007_form_are_exact():
    part = nd.izhikevich_2007("cells", 1, parameters={"I": "300 pA"})
    got = nd.simulate(nd.Circuit([part]), "60 ms", record=["spikes", "cells.v", "cells.u"], backend="interpreter")
    steps = np.rint(got["spikes"].times / 0.1).astype(int)
    assert steps.size >= 2
    v, u = np.asarray(got["v"])[:, 0], np.asarray(got["u"])[:, 0]
    np.testing.assert_allclose(v[steps], -50, rtol=1e-12)
    assert (v < 35).all()
    drift = 0.03 * 0.1 * (-2 * (v[steps - 1] + 60) - u[steps - 1])  # a (b (v - v_r) - u) over one step, in pA
    np.testing.assert_allclose(u[steps] - u[steps - 1] - drift, 100, rtol=1e-9)


def test_cells_of_the_2007_form():
    with pytest.raises(ValueError, match="cell = 'XX', cells of the 2007 form are RS"):
        nd.izhikevich_2007("cells", 1, cell="XX")
    own = Cell2007(**{**vars(TYPES_2007["RS"]), "C": "200 pF"})
    assert realize(nd.Circuit([nd.izhikevich_2007("cells", 2, cell=own)])).values["cells.C"] == pytest.approx(200e-12)
    with pytest.raises(ValueError, match="(?i)unit|dimension"):
        realize(nd.Circuit([nd.izhikevich_2007("cells", 1, parameters={"I": "5 mV"})]))


def test_extra_equations_bring_their_own_current():
    part = nd.izhikevich_2007(
        "cells", 2, current="I_s", equations="dI_s/dt = -I_s/(5*ms) : amp", initial={"I_s": "50 pA"}
    )
    got = nd.simulate(nd.Circuit([part]), "10 ms", record=["cells.I_s"], backend="interpreter")["I_s"]
    np.testing.assert_allclose(got[-1], 50 * (1 - 0.1 / 5) ** 100, rtol=1e-9)
