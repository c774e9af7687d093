"""Plastic connections in everything around a run: files, reruns, going on, freezing, Brian2 objects, float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.conformance.synapses import eligibility, learning_rates, pair_rules
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from tests.plasticity.replay import random_trains, replayed, rewards

EVERYTHING = ["spikes", "weights", nd.Sample("plastic.w", every="20 ms"), "dopamine_stdp.d"]


def test_a_file_holds_the_trained_synapses_and_repeats_the_run(tmp_path):
    circuit, session = eligibility()
    run = nd.simulate(circuit, session, record=EVERYTHING, out=tmp_path / "run.h5")
    again = nd.rerun(tmp_path / "run.h5")
    assert again, str(again)
    assert {"plastic.w"} <= set(again.learned)
    trained = nd.load(tmp_path / "run.h5").network()
    assert trained.program.hash == circuit.program.hash
    np.testing.assert_array_equal(trained.synapses("plastic").weights, run["weights/plastic/w"].values[-1])
    untrained = circuit.synapses("plastic")
    np.testing.assert_array_equal(untrained.weights, run["weights/plastic/w"].values[0])
    np.testing.assert_array_equal(trained.synapses("plastic").targets, untrained.targets)


def test_a_trained_network_goes_on_with_its_weights_and_freezes_with_them():
    circuit, session = eligibility()
    run = nd.simulate(circuit, session, record=["weights"])
    trained = run.network()
    more = nd.simulate(trained, session, record=["weights"])["weights/plastic/w"].values
    np.testing.assert_array_equal(more[0], run["weights/plastic/w"].values[-1])
    assert np.abs(more[-1] - more[0]).max() > 0.01
    frozen = trained.freeze()
    assert not frozen["plastic"].plastic
    np.testing.assert_array_equal(frozen.synapses("plastic").weights, more[0])
    nd.simulate(frozen, session)


def test_without_learning_no_weight_moves_by_a_bit():
    circuit, session = eligibility()
    still = replace(session, trials=tuple(replace(t, learning=False) for t in session.trials))
    for one in (circuit, circuit.per_step(), learning_rates()[0]):
        given = still if one is not learning_rates else session
        if one.name == "circuit" and "reward" not in [i.name for i in one.inputs]:
            given = replace(
                learning_rates()[1], trials=tuple(replace(t, learning=False) for t in learning_rates()[1].trials)
            )
        run = nd.simulate(one, given, record=["weights"])
        for snapshots in run.weights.values():
            np.testing.assert_array_equal(snapshots.values[0], snapshots.values[-1])


def test_memory_of_a_rule_is_kept_and_its_traces_are_not():
    circuit, session = pair_rules()
    run = nd.simulate(circuit, session, record=["weights"])
    trained = run.network()
    assert {"counted.seen", "soft.w", "late.w"} <= set(trained.values)
    assert not [name for name in trained.values if name.startswith("stdp.")]
    seen = run["weights/counted/seen"].values
    on = nd.simulate(trained, session, record=["weights"])["weights/counted/seen"].values
    np.testing.assert_array_equal(on[0], seen[-1])


def test_values_of_the_wrong_shape_are_refused():
    circuit, session = pair_rules()
    for name in ("soft.w", "counted.seen"):
        with pytest.raises(CircuitError, match=f"{name} has shape \\(3,\\)"):
            nd.simulate(circuit.with_values({name: np.zeros(3)}), session)
    with pytest.raises(CircuitError, match="did you mean 'soft.w'"):
        circuit.with_values({"soft.ww": np.zeros(3)})


def test_synapses_of_a_connection_by_name():
    circuit, _ = pair_rules()
    found = circuit.synapses("soft")
    assert found.sources.shape == found.targets.shape == found.weights.shape == found.delays.shape
    assert (found.sources != found.targets).all() and (found.weights == 0.5).all()
    with pytest.raises(CircuitError, match="no connection"):
        circuit.synapses("cells")


def test_a_resumed_run_is_the_run(tmp_path):
    """Checkpoints hold eligibilities, running sums and spikes on their way: an engine that takes over goes on to the bit."""
    circuit, session = eligibility()
    network = realize(circuit)
    from neurodyn.backends.numba import NumbaEngine
    from neurodyn.conformance.harness import case_of, first_difference, play

    of = case_of("eligibility", circuit, session)
    whole = NumbaEngine(network)
    play(whole, of.trials)
    first, second = NumbaEngine(network), NumbaEngine(network)
    play(first, of.trials, stop=333)
    second.from_arrays({k: np.array(v) for k, v in first.to_arrays().items()})
    play(second, of.trials, skip=333)
    assert first_difference(second.to_arrays(), whole.to_arrays(), first=None) is None


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_brian2_objects_of_a_plastic_circuit():
    """`to_brian2` hands over Synapses that learn; with given spikes they end with our weights."""
    from neurodyn.backends.equations_brian2 import brian2_settings

    circuit = replayed(
        random_trains(6, 300, 40.0), 6, nd.dopamine_stdp(baseline=0.05, gain=5.0), weight=0.1, delay="2 ms"
    )
    mine = nd.simulate(circuit, "300 ms", record=["weights"])["weights/plastic/w"].values[-1]
    with brian2_settings():
        handed = circuit.to_brian2()
        handed.run("300 ms")
    np.testing.assert_allclose(np.array(handed.synapses["plastic"].w), mine, atol=1e-12)
    assert np.ptp(mine) > 1e-3


def test_float32_learns_the_same_to_its_precision():
    trains = random_trains(10, 1500, 20.0)
    circuit = replayed(trains, 10, nd.dopamine_stdp(gain=5.0, tau_c="300 ms"), weight=0.1, bounds=(0, 0.15))
    session = rewards(1500, {300: 0.5, 900: -0.5})
    runs = [
        nd.simulate(circuit, session, record=["weights"], dtype=d)["weights/plastic/w"].values[-1]
        for d in ("float64", "float32")
    ]
    np.testing.assert_allclose(runs[1], runs[0], atol=2e-5)


@pytest.mark.parametrize("size", [0, 1])
def test_no_synapses_to_speak_of(size):
    cells = nd.izhikevich_2003("cells", size, parameters={"bias": 10.0})
    link = nd.Connection(
        cells, cells, "I_syn", probability=0.5, rules=nd.dopamine_stdp(), bounds=(0, 4), name="plastic"
    )
    circuit = nd.Circuit([cells], [link], inputs=[nd.Input("reward", ("reward",))])
    for backend in ("numba", "interpreter", "torch"):
        run = nd.simulate(circuit, "20 ms", record=["spikes", "weights"], backend=backend)
        assert run["weights/plastic/w"].shape[1] == 0


def test_every_synapse_spikes_in_every_step():
    busy = nd.Population(
        "busy", 4, code="x = x + felt\nfelt = 0", variables={"x": "1", "felt": "1"}, threshold="x > -1", dt="1 ms"
    )
    link = nd.Connection(
        busy, busy, "felt", pattern="all", weight=0.5, delay="3 ms", rules=nd.stdp(), bounds=(0, 1), name="plastic"
    )
    circuit = nd.Circuit([busy], [link])
    runs = [
        nd.simulate(c, "60 ms", record=["weights", "busy.x"], backend=b)
        for c, b in ((circuit, "numba"), (circuit, "torch"), (circuit.per_step(), "brian2"))
    ]
    for run in runs[1:]:
        np.testing.assert_allclose(run["weights/plastic/w"].values, runs[0]["weights/plastic/w"].values, atol=1e-13)
        np.testing.assert_allclose(run["busy.x"].values, runs[0]["busy.x"].values, atol=1e-9)


def test_the_estimate_counts_lists_and_traces():
    circuit, session = eligibility()
    plain = replace(circuit, connections=tuple(replace(c, rules=(), bounds=(None, None)) for c in circuit.connections))
    assert nd.estimate(circuit, session).network > nd.estimate(plain, session).network


@pytest.mark.parametrize("damage", [lambda r: r[:, :-1], lambda r: r - 1, lambda r: r + 1000])
def test_a_damaged_checkpoint_is_refused_before_compiled_code_follows_it(damage):
    from neurodyn.backends.numba import NumbaEngine

    circuit, _ = eligibility()
    machine = NumbaEngine(realize(circuit))
    state = machine.to_arrays()
    with pytest.raises(ValueError, match="emitted/plastic holds no lists"):
        machine.from_arrays({**state, "emitted/plastic": damage(state["emitted/plastic"])})
