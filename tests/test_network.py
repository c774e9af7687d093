"""The numbers of a circuit: wiring, weights, delays, parameters, drawn so that no part shifts another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import neurodyn as nd
from neurodyn.kernels.philox import draw
from neurodyn.network import new_arrays, realize
from neurodyn.parts import CircuitError
from neurodyn.synaptic_numbers import sample


def population(name="cells", size=4, **options):
    return nd.Population(
        name, size, **{"code": "v = v + I", "variables": {"v": "1", "I": "1"}, "threshold": "v > 1", **options}
    )


def wire(*, size=5, source=None, seed=0, populations=(), **options):
    cells = population(size=size)
    net = nd.Circuit(
        [cells, *populations],
        [nd.Connection(source or cells, cells, "I", name="link", **options)],
        dt="1 ms",
        seed=seed,
    )
    return realize(net).wiring["link"]


def pairs(wiring):
    return list(zip(wiring.sources.tolist(), wiring.targets.tolist(), strict=True))


# -- wiring ------------------------------------------------------------------------------------------------------


def test_all_to_all_leaves_autapses_out_unless_asked():
    assert pairs(wire(size=3, pattern="all")) == [(i, j) for i in range(3) for j in range(3) if i != j]
    assert len(pairs(wire(size=3, pattern="all", autapses=True))) == 9
    assert len(pairs(wire(size=3))) == 6  # without pattern: all


def test_random_wiring_leaves_autapses_out_unless_asked():
    assert len(pairs(wire(probability=1.0))) == 20
    assert len(pairs(wire(probability=1.0, autapses=True))) == 25
    assert len(pairs(wire(probability=0.0))) == 0
    assert (
        len(pairs(wire(probability=1.0, source="cells.v"))) == 20
    )  # a sum over a variable connects units all the same
    other = population("other", 5)
    assert len(pairs(wire(probability=1.0, source="other", populations=[other]))) == 25


def test_one_to_one():
    other = population("other", 5)
    assert pairs(wire(pattern="one-to-one", source="other", populations=[other])) == [(i, i) for i in range(5)]
    with pytest.raises(CircuitError, match="one-to-one needs equal sizes, not 3 and 5"):
        wire(pattern="one-to-one", source="other", populations=[population("other", 3)])


def test_given_pairs_are_sorted_by_source_and_keep_their_numbers():
    wiring = wire(
        pairs=([3, 0, 3, 1], [2, 4, 1, 0]), weight=[1.0, 2.0, 3.0, 4.0], delay=["1 ms", "2 ms", "3 ms", "4 ms"]
    )
    assert pairs(wiring) == [(0, 4), (1, 0), (3, 2), (3, 1)]
    np.testing.assert_array_equal(wiring.weights, [2, 4, 1, 3])
    np.testing.assert_array_equal(wiring.delays, [2, 4, 1, 3])


def test_a_weight_matrix_is_source_by_target_and_nan_is_no_synapse():
    matrix = np.array([[1, np.nan, 3], [np.nan, np.nan, np.nan], [7, 8, np.nan]])
    wiring = wire(size=3, weight=matrix)
    assert pairs(wiring) == [(0, 0), (0, 2), (2, 0), (2, 1)]
    np.testing.assert_array_equal(wiring.weights, [1, 3, 7, 8])


def test_weights_may_be_a_matrix_under_a_random_pattern():
    matrix = np.arange(25.0).reshape(5, 5)
    wiring = wire(probability=0.4, weight=matrix, seed=3)
    assert 0 < wiring.targets.size < 20
    np.testing.assert_array_equal(wiring.weights, matrix[wiring.sources, wiring.targets])


def test_sums_over_inputs_readouts_and_units_have_the_size_of_their_source():
    cells = population(size=3, threshold="v > 1")
    out = nd.Readout("out", "rate", ("a", "b"), state={"x": "unit", "y": "output", "n": "network", "one": "network"})
    links = [nd.Connection(source, cells, "I", weight=1.0, name=name) for source, name in (
        ("task", "task_link"), ("out.y", "y"), ("out.x", "x"), ("out.n", "n"), ("rate.r", "r"), ("cells.v", "v"))]  # fmt: skip
    net = nd.Circuit(
        [cells],
        links,
        inputs=[nd.Input("task", ("p", "q"))],
        filters=[nd.Filter("rate", cells, "9 ms")],
        readouts=[out],
        dt="1 ms",
    )
    matrices = {name: w.matrix for name, w in realize(net).wiring.items()}
    assert {k: m.shape for k, m in matrices.items() if m is not None} == {
        "task_link": (2, 3), "y": (2, 3), "x": (3, 3), "n": (1, 3), "r": (3, 3), "v": (3, 3)}  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pairs": ([0, 1], [0])}, "pairs hold 2 sources but 1 targets"), ({"pairs": ([0], [5])}, "target unit 5 outside 0..4"),
        ({"pairs": ([-1], [0])}, "source unit -1 outside 0..4"), ({"weight": np.ones((2, 5))}, r"weight matrix has shape \(2, 5\), needed is .* \(5, 5\)"),
        ({"probability": 0.5, "weight": [1.0, 2.0]}, "weight has shape"), ({"pattern": "all", "weight": np.nan}, "weight 0 is not finite"),
        ({"pattern": "all", "weight": "1/(i - j*0 - 1)"}, "not finite"), ({"pattern": "all", "weight": "w_pre"}, "unknown name 'w_pre'"),
        ({"pattern": "all", "weight": "v_pre"}, "unknown name 'v_pre'"), ({"pattern": "all", "delay": "(j - 1)*ms"}, "delay = -1 ms; allowed"),
        ({"pattern": "all", "delay": nd.Normal("0 ms", "1 ms")}, "allowed are 0"), ({"pattern": "all", "delay": ["1 ms"]}, "delay has shape"),
    ],
)  # fmt: skip
def test_wiring_that_can_not_be(options, message):
    with pytest.raises(ValueError, match=message):
        wire(**options)


# -- expressions for each synapse ----------------------------------------------------------------------------------


def test_expressions_see_both_sides():
    cells = population(size=4, parameters={"g": [1.0, 2.0, 3.0, 4.0], "tau": "5 ms", "bad": "i > 1"})
    text = "where(bad_pre, -1, 1)*(10*i + j + 0.5*g_post)/N_pre + tau_pre/dt*0"
    net = nd.Circuit([cells], [nd.Connection(cells, cells, "I", weight=text, pattern="all", name="link")], dt="1 ms")
    w = realize(net).wiring["link"]
    g = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(
        w.weights, np.where(w.sources > 1, -1, 1) * (10 * w.sources + w.targets + 0.5 * g[w.targets]) / 4, rtol=1e-15
    )


def test_draws_in_expressions_are_those_of_the_synapse():
    w = wire(probability=0.5, weight="2*randn()", delay="1*ms + 3*ms*rand()", seed=9)
    np.testing.assert_array_equal(w.weights, 2 * draw("normal", w.targets.size, seed=9, step=0, stream="link.weight"))
    u = draw("uniform", w.targets.size, seed=9, step=0, stream="link.delay")
    np.testing.assert_array_equal(w.delays, np.rint((1e-3 + 3e-3 * u) / 1e-3))


def test_units_of_weights_are_si_inside():
    cells = nd.Population("cells", 2, "dv/dt = I/(100*pF) : volt\nI : amp", threshold="v > 10*mV", reset="v = 0*mV")
    net = nd.Circuit(
        [cells], [nd.Connection(cells, cells, "I", weight="20 pA", pattern="all", delay="0.3 ms", name="link")]
    )
    w = realize(net).wiring["link"]
    np.testing.assert_allclose(w.weights, [20e-12, 20e-12], rtol=1e-15)
    np.testing.assert_array_equal(w.delays, [3, 3])


# -- independence of draws -----------------------------------------------------------------------------------------


def reservoir(*extra, before=False, **options):
    net = nd.SpikingReservoir(40, **options)
    populations = (*extra, *net.populations) if before else (*net.populations, *extra)
    links = [
        nd.Connection(p, "cells", "I_syn", probability=0.5, weight="randn()", name=f"{p.name}_link") for p in extra
    ]
    return net.with_(
        populations=populations, connections=(*links, *net.connections) if before else (*net.connections, *links)
    )


@pytest.mark.parametrize("before", [False, True])
def test_a_population_shifts_no_draw_of_another(before):
    alone, together = (
        realize(reservoir()),
        realize(reservoir(population("noisy", 7, parameters={"g": nd.Uniform(0, 1)}), before=before)),
    )
    for name, value in alone.values.items():
        if not name.startswith("@"):
            np.testing.assert_array_equal(together.values[name], value, err_msg=name)
    for name, w in alone.wiring.items():
        for field in ("indptr", "targets", "weights", "delays"):
            np.testing.assert_array_equal(getattr(together.wiring[name], field), getattr(w, field))


def test_noise_and_start_values_are_not_shifted_either():
    def voltages(*extra, before=False):
        net = reservoir(*extra, before=before)
        net = net.with_(connections=[c for c in net.connections if not c.name.startswith("noisy")])
        run = nd.simulate(net, "20 ms", record=["spikes/cells", "cells.v"], backend="interpreter")
        return np.asarray(run["v"])

    alone = voltages()
    np.testing.assert_array_equal(
        voltages(population("noisy", 7, code="v = randn()", initial={"v": "randn()"}), before=True), alone
    )


def test_seeds_change_everything_random_and_nothing_else():
    first, again, other = (realize(nd.SpikingReservoir(40, seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.wiring["recurrent"].targets, again.wiring["recurrent"].targets)
    assert not np.array_equal(first.wiring["recurrent"].targets, other.wiring["recurrent"].targets)
    assert not np.array_equal(first.values["cells.r"], other.values["cells.r"])
    np.testing.assert_array_equal(first.values["cells.tau_syn"], other.values["cells.tau_syn"])


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_distributions(kind):
    spec = nd.Uniform("2 mV", "5 mV") if kind == "uniform" else nd.Normal("2 mV", "5 mV")
    law = stats.uniform(2e-3, 3e-3) if kind == "uniform" else stats.norm(2e-3, 5e-3)
    values = sample(spec, "cells.g", 5000, seed=3)
    assert stats.kstest(values, law.cdf).pvalue > 1e-5  # two verdicts, seeds fixed: budget 2e-5


def test_distributions_with_a_value_for_each_unit():
    np.testing.assert_array_equal(sample(nd.Uniform([1.0, 2.0], [1.0, 2.0]), "g", 2, seed=0), [1, 2])
    np.testing.assert_array_equal(sample(nd.Normal([1.0, 2.0], 0.0), "g", 2, seed=0), [1, 2])


# -- values ------------------------------------------------------------------------------------------------------


def test_parameters_arrays_expressions_and_their_order():
    cells = population(size=3, parameters={"g": "2*h + i/N", "h": [1.0, 2.0, 3.0], "k": "g*g"})
    values = realize(nd.Circuit([cells], dt="1 ms")).values
    np.testing.assert_array_equal(values["cells.g"], 2 * np.array([1.0, 2.0, 3.0]) + np.arange(3) / 3)
    np.testing.assert_array_equal(values["cells.k"], values["cells.g"] ** 2)


def test_negative_time_constants_are_refused_in_equations_too():
    for tau in ("-5 ms", "0 ms", nd.Uniform("-1 ms", "1 ms"), ["5 ms", "-5 ms"]):
        cells = nd.Population("cells", 2, "dv/dt = -v/tau_m : 1", parameters={"tau_m": tau}, method="euler")
        with pytest.raises(CircuitError, match="cells.tau_m = .* ms: a time constant must be positive"):
            realize(nd.Circuit([cells]))


def test_spike_times_are_sorted_into_steps():
    source = nd.SpikeTimes("s", 3, [2, 0, 1, 0], ["3.04 ms", "3 ms", "0.04 ms", "9 ms"])
    steps, ids = realize(nd.Circuit([source], dt="0.1 ms")).schedules["s"]
    np.testing.assert_array_equal(steps, [0, 30, 30, 90])
    np.testing.assert_array_equal(ids, [1, 0, 2, 0])
    twice = nd.SpikeTimes("s", 3, [2, 2], ["3.04 ms", "3 ms"])
    with pytest.raises(CircuitError, match="unit 2 spikes twice in the step at 3 ms"):
        realize(nd.Circuit([twice], dt="0.1 ms"))


@given(st.floats(1, 200), st.floats(0.5, 50), st.floats(0.05, 0.5), st.floats(0.1, 10))
@settings(max_examples=25, deadline=None)
def test_filters_have_the_area_of_their_scale(tau, rise, dt, scale):
    """The step is 5 to 50 % of the shortest time constant: the area is exact to first order in it."""
    dt = dt * min(tau, rise)
    source = population("c", 1, code="v = int(step == 0)", threshold="v > 0")
    filters = [
        nd.Filter("one", source, f"{tau} ms", scale=scale),
        nd.Filter("two", source, f"{tau} ms", tau_rise=f"{rise} ms", scale=scale),
    ]
    values = realize(nd.Circuit([source], filters=filters, dt=f"{dt} ms")).values
    decay, jump = float(values["one.decay"]), float(values["one.jump"])
    area = jump * dt * 1e-3 / (1 - decay)
    assert area == pytest.approx(scale * (dt / tau) / (1 - np.exp(-dt / tau)))
    r, d = float(values["two.decay"]), float(values["two.rise_decay"])
    area = float(values["two.jump"]) * float(values["two.rise_gain"]) / (1 - d) / (1 - r) * dt * 1e-3
    assert area == pytest.approx(scale, rel=1.2 * (dt / tau + dt / rise))


def test_a_runner_gets_arrays_of_its_own():
    network = realize(nd.SpikingReservoir(10))
    arrays = new_arrays(network)
    arrays["cells.c"][...] = 0
    assert (network.values["cells.c"] != 0).all()
    assert arrays["cells.v"].shape == (10,) and arrays["dt"].shape == ()


def test_synapses_are_counted():
    network = realize(nd.SpikingReservoir(30, connection_probability=0.5))
    assert network.synapses == network.wiring["recurrent"].targets.size + 3 * 30


def test_stored_weights_need_a_number_for_each_synapse():
    net = nd.SpikingReservoir(10)
    count = realize(net).wiring["recurrent"].weights.size
    np.testing.assert_array_equal(
        realize(net.with_values({"recurrent.weights": np.arange(count)})).wiring["recurrent"].weights, np.arange(count)
    )
    with pytest.raises(
        CircuitError, match=rf"recurrent.weights has shape \(3,\), needed is one for each of the {count} synapses"
    ):
        realize(net.with_values({"recurrent.weights": np.ones(3)}))
