"""Where rules meet what is around them: sums, other connections, weighted sums, given values, float32, draws."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.lowering.plasticity import RENEWED
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.plastic_wiring import Events
from tests.plasticity.replay import random_trains, replayed, rewards

TRAINS = random_trains(6, 300, 40.0)
SESSION = rewards(300, {50: 0.5, 200: -0.4})
CELLS = nd.Population("cells", 3, code="r = 1", variables=dict.fromkeys(("r", "a", "b"), "1"), threshold="rand() < 0.05", dt="1 ms")  # fmt: skip


def weights(
    circuit: nd.Circuit, session: Any = SESSION, *, name="plastic", backend="interpreter", **options
) -> np.ndarray:
    return nd.simulate(circuit, session, record=["weights"], backend=backend, **options)[f"weights/{name}/w"].values[-1]


def two(first, second) -> nd.Circuit:
    """Return a circuit of two plastic connections with one rule each."""
    links = [
        nd.Connection(CELLS, CELLS, to, pattern="all", weight=0.1, rules=rule, name=name)
        for to, name, rule in (("a", "one", first), ("b", "two", second))
    ]
    return nd.Circuit([CELLS], links, inputs=[nd.Input("reward", ("reward",))], seed=1)


def test_sums_at_events_are_left_to_the_modulator():
    """A sum has one value for the network; code at events runs for the synapses of one step, in any order."""
    rule = nd.SynapticRule("rule", traces={"y": nd.Trace("post", "20 ms")}, state={"total": "network"})
    for text in ("w += 0.001*sum(cells.felt)", "w += 0.001*mean(w)", "w += 0.001*sum(felt_post)"):
        with pytest.raises(ValueError, match="on_pre sums over units.*modulator"):
            weights(replayed(TRAINS, 6, replace(rule, on_pre=text)))
    rule = replace(rule, modulator="total = sum(cells.felt)", on_pre="w += 0.001*total")
    found = [weights(replayed(TRAINS, 6, rule, weight=0.1), backend=b) for b in ("interpreter", "torch")]
    assert np.ptp(found[0] - 0.1) > 0.01
    np.testing.assert_array_equal(found[1], found[0])


@pytest.mark.parametrize("turned", [False, True])
def test_one_dopamine_for_two_connections(turned):
    """The second connection drifts with the level that the rule of the first one keeps, in whatever order they stand."""
    second = nd.SynapticRule(
        "second",
        traces={"c": nd.Trace("synapse", "100 ms"), "y": nd.Trace("post", "20 ms")},
        on_pre="c += y",
        dw_dt="dopamine_stdp.d*c",
    )
    rules = (second, nd.dopamine_stdp()) if turned else (nd.dopamine_stdp(), second)
    circuit = two(*rules)
    assert {"one.w", "two.w"} <= {b.owner for b in circuit.program.phase("view")}  # both in closed form
    name = "one" if turned else "two"
    found, expected = weights(circuit, name=name), weights(circuit.per_step(), name=name)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-13)


def test_synapses_that_others_read_are_up_to_date():
    reader = nd.SynapticRule("reader", state={"m": "network"}, modulator="m = mean(one.w) + sum(dopamine_stdp.c)")
    circuit = two(nd.dopamine_stdp(), reader)
    found, expected = (
        nd.simulate(c, SESSION, record=["reader.m"], backend="interpreter")["reader.m"].values
        for c in (circuit, circuit.per_step())
    )
    assert np.ptp(expected) > 0.1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"on_pre": "w += 1"}, "on_pre follows spikes, but connection 'sums' is a weighted sum"),
        ({"on_post": "w += 1"}, "on_post follows spikes, but connection 'sums' is a weighted sum"),
        ({"traces": {"y": nd.Trace("post", "20 ms")}, "per_step": "w = y"}, "trace 'y' follows spikes.*as name_post"),
    ],
)
def test_weighted_sums_have_no_spikes_to_follow(change, message):
    link = nd.Connection("cells.r", CELLS, "a", weight=1.0, rules=nd.SynapticRule("rule", **change), name="sums")
    with pytest.raises(CircuitError, match=message):
        nd.simulate(nd.Circuit([CELLS], [link]), "10 ms", backend="interpreter")


@pytest.mark.parametrize("trace", ["x", "y", "c", "d"])
def test_traces_start_at_given_values(trace):
    circuit = replayed(TRAINS, 6, nd.dopamine_stdp(), weight=0.1)
    name = f"dopamine_stdp.{trace}"
    shape = {"y": (6,), "d": ()}.get(trace, (30,))
    given = circuit.with_values({name: np.full(shape, 5.0)})
    for one in (given, given.per_step()):
        first = nd.simulate(one, "3 ms", record=[name], backend="interpreter")[name].values[0]
        assert (np.abs(first - 5) < 0.5).all()
    if trace in "xc":
        with pytest.raises(CircuitError, match="one a synapse"):
            nd.simulate(circuit.with_values({name: np.zeros(7)}), "3 ms")


def test_start_values_are_numbers_or_quantities():
    rule = nd.SynapticRule("rule", state={"s": ("synapse", "2 nS")}, per_step="w = s")
    np.testing.assert_allclose(weights(replayed(TRAINS, 6, rule)), 2e-9)
    for start in (np.ones(3), float("nan")):
        with pytest.raises(CircuitError, match="rule.s = .*; give one finite number"):
            weights(replayed(TRAINS, 6, replace(rule, state={"s": ("synapse", start)})))


def test_weights_learned_in_float32_at_a_bound_go_on():
    """The bound rounded to float32 may lie beyond the bound."""
    circuit = replayed(TRAINS, 6, nd.stdp(A_plus=0.05, A_minus=0.0), weight=0.05, bounds=(0, 0.1))
    run = nd.simulate(circuit, SESSION, record=["weights"], backend="interpreter", dtype="float32")
    trained = run.network()
    assert float(trained.values["plastic.w"].max()) > 0.1
    assert weights(trained).max() == 0.1
    with pytest.raises(CircuitError, match="beyond its bound"):
        weights(circuit.with_values({"plastic.w": np.full(30, 0.10001)}))


@pytest.mark.slow  # three million steps, two compilations
def test_many_small_terms_of_a_drift_are_not_lost_in_float32():
    """One pairing long after the last renewal: each step adds p*dt/tau = 1e-7 of what was summed up since."""
    rule = nd.SynapticRule(
        "rule",
        traces={"c": nd.Trace("synapse", "50 s")},
        on_pre="c += 1",
        dw_dt="c",
    )
    silence = 50.0 * np.log(1 / RENEWED) * 0.9  # s
    circuit = replayed([(0, 1e3 * round(silence))], 2, rule, pairs=([0], [1]), dt="0.25 ms")
    duration = round(silence) + 30
    session = nd.Session((nd.Trial(4000 * duration),), 0.25e-3)
    found = [weights(circuit, session, backend="numba", dtype=d)[0] for d in ("float64", "float32")]
    assert found[0] == pytest.approx(50 * (1 - np.exp(-30 / 50)), rel=1e-3)
    assert found[1] == pytest.approx(found[0], rel=1e-3)


def test_dw_dt_is_one_expression():
    rule = nd.SynapticRule("rule", traces={"c": nd.Trace("synapse", "20 ms")}, on_pre="c += 1", dw_dt="0.1*c  # slow")
    found, expected = (weights(replayed(TRAINS, 6, replace(rule, form=form))) for form in ("auto", "per_step"))
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, atol=1e-13)
    with pytest.raises(ValueError, match="can't read dw_dt = 'c\\\\nw = 2'; write one expression"):
        weights(replayed(TRAINS, 6, replace(rule, dw_dt="c\nw = 2")))


def test_draws_are_the_same_in_both_forms_and_refused_where_they_can_not_be():
    rule = nd.SynapticRule("rule", traces={"c": nd.Trace("synapse", "50 ms"), "d": nd.Trace("network", "50 ms")}, on_pre="c += 1", dw_dt="rand(d)*c")  # fmt: skip
    circuit = replayed(TRAINS, 6, rule)
    np.testing.assert_array_equal(weights(circuit), weights(circuit.per_step()))
    with pytest.raises(CircuitError, match="the draws of rule 'rule'.*use backend 'numba'"):
        weights(circuit, backend="brian2")


def test_a_filter_goes_before_a_variable_of_its_name():
    cells = nd.Population("cells", 3, code="", variables={"felt": "1", "rate": "1"}, threshold="rand() < 0.2", dt="1 ms")  # fmt: skip
    link = nd.Connection(cells, cells, "felt", pattern="all", rules=nd.SynapticRule("rule", on_pre="w = rate_post"), name="plastic")  # fmt: skip
    circuit = nd.Circuit([cells], [link], filters=[nd.Filter("rate", "cells", "20 ms")])
    found, expected = (weights(circuit, "50 ms", backend=b) for b in ("brian2", "interpreter"))
    assert expected.max() > 1
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_estimate_knows_the_lists_of_delays():
    delayed = replayed([], 300, nd.stdp(), probability=0.003, delay=nd.Uniform("1 ms", "400 ms"))
    lists = vars(Events.of(realize(delayed).wiring["plastic"], 300)).values()
    undelayed = replayed([], 300, nd.stdp(), probability=0.003)
    more = nd.estimate(delayed, SESSION).network - nd.estimate(undelayed, SESSION).network
    assert more > 0.9 * sum(x.nbytes for x in lists)


@pytest.mark.parametrize("delay", ["3 ms", nd.Uniform("1 ms", "9 ms")])
def test_the_lists_of_synapses_are_those_of_a_sort(delay):
    w = realize(replayed([], 50, nd.stdp(), probability=0.2, delay=delay)).wiring["plastic"]
    events = Events.of(w, 50)
    np.testing.assert_array_equal(events.lags, np.unique(w.delays)[::-1])
    for j in range(50):
        for lag, first in zip(events.lags, events.first, strict=True):
            mine = np.flatnonzero((w.sources == j) & (w.delays == lag))
            np.testing.assert_array_equal(events.arriving[first[j] : first[j + 1]], mine)
        onto = events.onto[events.onto_first[j] : events.onto_first[j + 1]]
        np.testing.assert_array_equal(onto, np.flatnonzero(w.targets == j))
    assert events.arriving.dtype == events.onto.dtype == np.uint32


def test_all_to_all_synapses_are_all_there_or_a_list():
    """Compiled code goes through weights all to all by their place: another list must not meet it."""
    rule = nd.SynapticRule("rule", per_step="w += 0.1*r_pre")
    link = nd.Connection("cells.r", CELLS, "a", weight=1.0, rules=rule, name="plastic")
    circuit = nd.Circuit([CELLS], [link])
    few = {"plastic.indptr": np.arange(4), "plastic.targets": np.array([2, 1, 0]), "plastic.weights": np.ones(3)}
    with pytest.raises(CircuitError, match="plastic.targets hold 3 synapses, but the connection joins all 3 to all 3"):
        weights(circuit.with_values(few), "10 ms")
    gaps = np.array([[1.0, np.nan, 2.0], [np.nan, 3.0, np.nan], [4.0, 5.0, np.nan]])
    as_quantity = nd.quantity(gaps)
    assert not isinstance(as_quantity, np.ndarray)
    listed = nd.Circuit([CELLS], [replace(link, weight=as_quantity)])
    assert listed.program.sums[0].layout == "csr"
    np.testing.assert_allclose(weights(listed, "10 ms"), gaps[~np.isnan(gaps)] + 1.0)
