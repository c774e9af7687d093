"""The circuits of the suite are of the class they stand under, are busy, and cover what they say."""

from __future__ import annotations

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends import NAMES
from neurodyn.backends.equations import METHODS
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.conformance import checks
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.borders import counters
from neurodyn.conformance.circuits import BORDERS, CIRCUITS, EXACT, QUICK, TOLERANT, chosen, described
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.harness import (
    REFERENCE,
    Refused,
    case,
    case_of,
    engine,
    first_difference,
    play,
    whole_play,
    whole_run,
)
from neurodyn.conformance.orders import EXPECTED
from neurodyn.evaluate import OPERATIONS
from neurodyn.program import INEXACT, Store, operations


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_class_is_the_declared_one(name):
    program = case(name).network.program
    assert program.exactness == ("tolerant" if name in TOLERANT else "exact"), program.inexact
    assert described(name).endswith((".", ":"))


@pytest.mark.parametrize("name", EXACT)
def test_exact_circuits_run_for_a_second_and_are_busy(name):
    of, recording = case(name), whole_run(name, REFERENCE)
    assert of.steps * of.circuit.timestep >= 1 - 1e-9
    for spikes in checks.trains(recording).values():
        assert len(spikes) > 10
    if not of.network.program.spiking:
        assert all(np.ptp(recording[k].values) > 0 for k in recording.keys() if k.startswith("state/"))  # noqa: SIM118


@pytest.mark.parametrize("name", TOLERANT)
def test_tolerant_circuits_are_busy(name):
    of, recording = case(name), whole_run(name, REFERENCE)
    assert of.steps >= 200
    assert sum(map(len, checks.trains(recording).values())) > 10 or not of.network.program.spiking


def test_the_borders_are_borders():
    spikes = {name: len(whole_run(name, REFERENCE)["spikes/cells"]) for name in BORDERS}
    units = {name: case(name).network.sizes["cells"] for name in BORDERS}
    assert units["empty_population"] == 0 and units["one_unit"] == 1
    assert spikes["no_spikes"] == 0
    assert spikes["all_spikes"] == 9 * case("all_spikes").steps
    assert case("one_step").steps == 1
    assert case("no_synapses").network.synapses == 0
    for name in ("delays_of_any_length", "delay_beyond_the_run"):  # what arrives late matters, or arrives too late
        alone = counters(9, probability=0.0)
        duration = f"{case(name).steps} ms"
        without = nd.simulate(alone, duration, backend=REFERENCE, record=["cells.v"])["v"].values
        same = np.array_equal(without, whole_run(name, REFERENCE)["state/cells/v"].values)
        assert same == (name == "delay_beyond_the_run")


def test_every_operation_is_covered():
    """A runner that lacks or bends an operation of the language can't pass."""
    used = {
        (op.op, case(name).network.program.exactness)
        for name in CIRCUITS
        for block in case(name).network.program.blocks
        for op in operations(block.body)
    }
    wanted = {*OPERATIONS, "normal", "uniform", "rls", "identity", "copy", "float", "size"}
    missing = {
        op
        for op in wanted
        if (op, "tolerant" if op in INEXACT else "exact") not in used and (op, "tolerant") not in used
    }
    assert not missing


def test_every_kind_of_connection_integrator_and_refractoriness_is_covered():
    programs = [case(name).network.program for name in EXACT]
    spikes = [s for p in programs for s in p.spikes]
    assert {(s.delays, s.guard is not None) for s in spikes} == {
        (d, g) for d in ("none", "uniform", "heterogeneous") for g in (True, False)
    }
    assert any(s.source in p.spike_sources for p in programs for s in p.spikes)
    sums = [s for p in [*programs, *(case(n).network.program for n in TOLERANT)] for s in p.sums]
    assert {s.layout for s in sums} == {"dense", "csr"}
    assert {s.delay for s in sums} >= {0, 1, 2, 6}
    connections = [c for name in EXACT for c in case(name).circuit.connections]
    assert {c.pattern for c in connections} == {None, "all", "one-to-one"}
    assert any(c.pairs is not None for c in connections) and any(c.autapses for c in connections)
    populations = [p for name in CIRCUITS for p in case(name).circuit.populations if isinstance(p, nd.Population)]
    assert {p.method for p in populations} >= set(METHODS)
    assert {p.method for name in EXPECTED for p in populations if p.name == name} >= set(METHODS)
    assert {type(case(n).network.values[f"{p.name}.refractory_steps"].tolist()) for n in EXACT for p in case(n).circuit.populations if getattr(p, "refractory", None)} == {float, list}  # fmt: skip
    trials = [t.begin for name in EXACT for t in case(name).trials]
    assert all({t[flag] for t in trials} == {True, False} for flag in ("learning", "calibration", "reset"))


@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_holds_other_networks_of_one_program(name):
    circuits, sessions = BATCHES[name]()
    assert len(circuits) == len(sessions) > 2
    assert len({c.program.hash for c in circuits}) == 1
    assert len({tuple(p.size for p in c.populations) for c in circuits}) > 2


def trains_slightly_off(name):
    """Return the trains of a circuit whose normal draws and constant exponentials are off by 1e-9, beside the right ones."""
    off = case_of(name, *CIRCUITS[name]())
    for block in off.network.program.phase("constants"):
        inexact = {op.name for op in operations(block.body) if op.op in INEXACT}
        for item in block.body:
            if isinstance(item, Store) and item.value in inexact:
                off.network.values[item.array][...] *= 1 + 1e-9
    machine = InterpreterEngine(off.network, spikes=off.network.program.spiking)
    draw = machine.draw
    machine.evaluator.draw = lambda kind, stream, size: draw(kind, stream, size) * (1 + 1e-9 * (kind == "normal"))
    found, expected = play(machine, off.trials), whole_play(name, REFERENCE)[0]
    return found, {population: expected[population] for population in found}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_trains_hold_no_number_of_a_math_library(name):
    found, expected = trains_slightly_off(name)
    assert first_difference(found, expected) is None


@pytest.mark.parametrize("name", ["delays", "what_and_when"])
def test_trains_that_hold_such_numbers_would_be_noticed(name):
    assert name not in GOLDEN
    found, expected = trains_slightly_off(name)
    assert first_difference(found, expected) is not None


def test_names_are_chosen_in_the_order_of_the_suite():
    assert chosen(["rates", "delays"]) == ["delays", "rates"]
    assert set(QUICK) <= set(CIRCUITS)
    with pytest.raises(ValueError, match="circuit = 'delay' is none of the suite; did you mean 'delays'"):
        chosen(["delay"])


def test_only_known_refusals():
    """A runner that refuses everything passes everything: what ours refuse is written down here."""
    refused = set()
    for runner in NAMES:
        for name in ("heterogeneous", "empty_population"):
            for dtype in ("float64", "float32"):
                try:
                    engine(case(name), runner, dtype)
                except Refused:
                    refused.add((runner, name, dtype))
    assert refused == {("brian2", "heterogeneous", "float32"), ("brian2", "empty_population", "float64"), ("brian2", "empty_population", "float32")}  # fmt: skip


@pytest.mark.parametrize("backend", NAMES)
def test_a_lesion_takes_the_spikes_and_nothing_else(backend):
    """Lesioned cells reset in silence; without that, quadratic cells run to infinity."""
    circuit = nd.Circuit([nd.izhikevich_2003("cells", 5, parameters={"bias": 10.0})], seed=1)
    intact = nd.simulate(circuit, "300 ms", record=["spikes", "cells.v"])
    hurt = nd.simulate(circuit.lesion("cells", [1, 3]), "300 ms", record=["spikes", "cells.v"], backend=backend)
    np.testing.assert_array_equal(hurt["v"], intact["v"])
    kept = ~np.isin(intact["spikes"].ids, [1, 3])
    np.testing.assert_array_equal(hurt["spikes"].times, intact["spikes"].times[kept])
    assert set(hurt["spikes"].ids) == {0, 2, 4}
