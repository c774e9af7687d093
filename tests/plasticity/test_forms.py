"""The two forms of a plastic connection, at events and per step, give the same weights under the same spikes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.lowering.forms import linear
from tests.plasticity.replay import random_trains, replayed, rewards

TRAINS = random_trains(20, 3000, 15.0)
#: relative to a weight of order 1: what 3000 additions in another order may differ by
SAME = 1e-11


def weights(circuit: nd.Circuit, session, *, backend: str = "interpreter", **options) -> np.ndarray:
    # what the forms are to give, runners do: the interpreter has nothing to compile
    record = [nd.Sample("plastic.w", every="100 ms")]
    run = nd.simulate(circuit, session, record=record, backend=backend, **options)
    return run["plastic.w"].values


def both(rules, session, **options) -> tuple[np.ndarray, np.ndarray, nd.Circuit]:
    circuit = replayed(TRAINS, 20, rules, **options)
    return weights(circuit, session), weights(circuit.per_step(), session), circuit


def closed(circuit: nd.Circuit) -> bool:
    return any(block.phase == "view" for block in circuit.program.blocks)


@pytest.mark.parametrize("delay", [None, "3 ms", nd.Uniform("1 ms", "12 ms")])
@pytest.mark.parametrize("bounds", [(None, None), (0, None), (0, 0.2)])
def test_dopamine_at_events_is_dopamine_per_step(delay, bounds):
    session = rewards(3000, {200: 0.5, 900: -1.0, 1500: 0.5, 1501: -0.4, 2900: 1.0})
    rule = nd.dopamine_stdp(tau_c="300 ms", baseline=0.01, gain=6.0)
    found, expected, circuit = both(rule, session, bounds=bounds, weight=0.1, delay=delay)
    assert closed(circuit) and not closed(circuit.per_step())
    assert circuit.forms() == {"plastic": "at events"}
    assert np.ptp(expected[-1]) > 0.05  # something was learnt, at a bound too
    if bounds[1] is not None:
        assert np.mean((expected[-1] == 0) | (expected[-1] == 0.2)) > 0.02
    np.testing.assert_allclose(found, expected, atol=SAME)


def test_a_modulator_of_changing_sign_at_a_bound_needs_the_split():
    """A weight that is pushed into a bound and back out again forgets what lay beyond it: summing up would remember."""
    rule = nd.reward_modulated_stdp(A_minus=0.0, tau_e="10 s", rate=4.0)
    circuit = replayed([(0, 10.0), (1, 15.0)], 2, rule, bounds=(0, 0.5), weight=0.4, pairs=([0], [1]))
    alternating = {float(t): (1.0 if (t // 200) % 2 else -1.0) for t in range(100, 1500)}
    session = rewards(1500, alternating)
    found, expected = weights(circuit, session), weights(circuit.per_step(), session)
    assert expected.min() < 0.25 and expected.max() == 0.5  # it hit the bound
    np.testing.assert_allclose(found, expected, atol=SAME)
    unbounded = weights(
        replace(circuit, connections=tuple(replace(c, bounds=(None, None)) for c in circuit.connections)), session
    )
    assert np.abs(np.clip(unbounded, 0, 0.5) - expected).max() > 0.05


def test_noise_as_a_modulator_brings_all_up_to_date_in_every_step():
    rng = np.random.default_rng(1)
    session = rewards(1000, {float(t): float(rng.normal()) for t in range(1000)})
    found, expected, _ = both(nd.reward_modulated_stdp(rate=8.0), session, bounds=(0, 0.3), weight=0.15)
    assert np.any(expected == 0) and np.any(expected == 0.3)
    np.testing.assert_allclose(found, expected, atol=SAME)


@pytest.mark.slow
def test_other_rules_on_the_same_projection_meet_weights_up_to_date():
    rules = [
        nd.dopamine_stdp(baseline=0.05, gain=2.0, tau_c="200 ms"),
        nd.stdp(A_plus=0.02, A_minus=0.03),
        scaling("150 ms"),
    ]
    session = rewards(3000, {500: 0.5, 1700: -0.5})
    circuit = replayed(TRAINS, 20, rules, bounds=(0, 0.2), weight=0.1, delay="2 ms")
    circuit = circuit.with_part(nd.Filter("rate", "cells", "100 ms"))
    assert closed(circuit)
    np.testing.assert_allclose(weights(circuit, session), weights(circuit.per_step(), session), atol=SAME)


def scaling(every):
    return nd.synaptic_scaling(target="12 Hz", strength=0.1, every=every)


def test_an_hour_does_not_wear_the_closed_form_out():
    """Running sums start anew all the time: after an hour (at 10 ms a step) weights are as exact as after a second."""
    rule = nd.dopamine_stdp(baseline=1.0, gain=0.002, A_minus=0.1, tau_c="1 s")
    trains = [(unit, 1000.0 * k + 500.0 + 10.0 * (unit * (k % 5) + unit)) for k in range(3590) for unit in range(3)]
    circuit = replayed(trains, 3, rule, dt="10 ms")
    session = rewards(3600e3, {float(t): 0.3 for t in range(5000, 3600000, 7000)}, dt=1e-2)
    runs = [
        nd.simulate(c, session, record=[nd.Sample("plastic.w", every="100 s")])["plastic.w"].values
        for c in (circuit, circuit.per_step())
    ]
    assert np.ptp(runs[1][-1]) > 1e-3
    np.testing.assert_allclose(runs[0], runs[1], atol=1e-12)


@pytest.mark.parametrize("backend", ["interpreter", "numba", "torch", "brian2"])
def test_under_replayed_spikes_all_runners_learn_the_same(backend):
    session = rewards(800, {200: 0.5, 500: -0.3})
    rule = nd.dopamine_stdp(tau_c="300 ms", baseline=0.01, gain=3.0)
    circuit = replayed(random_trains(8, 800, 20.0), 8, rule, bounds=(0, 0.12), weight=0.1, delay="2 ms")
    found = weights(circuit, session, backend=backend)
    np.testing.assert_allclose(found, weights(circuit.per_step(), session, backend="interpreter"), atol=SAME)


def test_what_is_recorded_is_up_to_date_and_changes_nothing():
    """Weights, eligibilities and traces are kept in another form between events; a recording shows what they stand for."""
    session = rewards(600, {200: 0.5})
    circuit = replayed(TRAINS[:150], 20, nd.dopamine_stdp(gain=3.0), weight=0.1)
    record = ["plastic.w", "dopamine_stdp.c", "dopamine_stdp.x", "dopamine_stdp.y", "dopamine_stdp.d", "weights"]
    for backend in ("numba", "interpreter", "torch"):
        seen = nd.simulate(circuit, session, record=record, backend=backend)
        reference = nd.simulate(circuit.per_step(), session, record=record)
        for name in record[:-1]:
            np.testing.assert_allclose(seen[name].values, reference[name].values, atol=SAME)
        unseen = nd.simulate(circuit, session, record=["weights"], backend=backend)
        np.testing.assert_array_equal(seen["weights/plastic/w"].values, unseen["weights/plastic/w"].values)
        np.testing.assert_array_equal(seen["weights/plastic/w"].values[-1], seen["plastic.w"].values[-1])


def test_a_closed_loop_reads_weights_of_the_moment():
    seen = []

    def look(t, values):
        seen.append(values["plastic.w"].copy())
        return [0.0]

    circuit = replayed(TRAINS[:100], 20, nd.dopamine_stdp(gain=3.0, baseline=0.1), weight=0.1)
    circuit = circuit.with_part(nd.Input("watch", ("watch",), function=look, every="50 ms"))
    run = nd.simulate(circuit, rewards(400, {}), record=[nd.Sample("plastic.w", every="50 ms")])
    np.testing.assert_array_equal(np.array(seen[1:]), run["plastic.w"].values[: len(seen) - 1])


def test_which_products_have_a_closed_form():
    assert linear("d*c", ["c"]) == ("c", "1 * d")
    assert linear("gain*(b + d)*c/tau", ["c"]) is not None
    assert linear("a*c - b*c", ["c"]) is not None
    assert linear("-c", ["c", "e"]) == ("c", "-1")
    for text in ("c + 1", "c*c", "d", "c*e", "d/c", "exp(c)", "a*c + b", "c**2", "c +"):
        assert linear(text, ["c", "e"]) is None, text


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"form": "per_step"}, "asks for it"),
        ({"per_step": "w += 0*c"}, "every synapse in every step"),
        ({"dw_dt": "d*c - c*c"}, "no product"),
        ({"dw_dt": "d*c*(1 - w)"}, "not network-wide"),
        ({"dw_dt": "d*go_post*c"}, "not network-wide"),
    ],
)
def test_what_has_no_closed_form_runs_per_step(change, why):
    rule = replace(nd.dopamine_stdp(), **change)
    circuit = replayed(TRAINS[:50], 20, rule)
    assert not closed(circuit)
    assert re.fullmatch(f"per step: .*{why}.*", circuit.forms()["plastic"])
    nd.simulate(circuit, rewards(20, {5: 0.5}), backend="interpreter")
