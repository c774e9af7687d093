"""Exact circuits: identical spikes, states and weights on every runner, for a second and more.

The interpreter is the reference for numba (the same Program, compiled) and for Brian2 (the original equations and
code, run by Brian2's own integrators, thresholds, synapses and queues).
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
import pytest

import neurodyn as nd

GOLDEN = {
    "heterogeneous": "036141436a2f3d48",
    "periods": "82e3150d12625a9c",
}


@pytest.fixture(scope="module")
def run(suite):
    @functools.cache
    def simulate(name, backend, **options):
        circuit, session = suite.described(name).circuit, suite.described(name).session
        arrays = [a for a in circuit.program.arrays if a.role in ("state", "memory", "input")]
        samples = [a.name for a in arrays if len(a.axes) < 2 and a.dtype == "float"]
        return nd.simulate(circuit, session, backend=backend, record=["spikes", "weights", *samples], **options)

    return simulate


def trains(recording):
    spikes = recording["spikes"]
    return spikes if isinstance(spikes, dict) else {spikes.population: spikes}


def test_the_class_is_exact(exact, suite):
    program = suite.described(exact).circuit.program
    assert program.exactness == "exact", program.inexact


@pytest.mark.parametrize("other", ["numba", "brian2"])
def test_every_runner_gives_the_same_bits(exact, other, run):
    reference = run(exact, "interpreter")
    for spikes in trains(reference).values():
        assert len(spikes) > 10
    assert reference.trials["duration_ms"].sum() >= 1000
    found = nd.compare(run(exact, other), reference)
    assert found, str(found)
    assert not found.skipped


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("backend", ["interpreter", "numba"])
def test_golden_spike_trains(name, backend, run):
    """The trains of today are the trains of tomorrow: a change here changes everybody's results."""
    digest = hashlib.sha256()
    for population, spikes in trains(run(name, backend)).items():
        steps = np.rint(spikes.times / spikes.dt_ms).astype("<i8")
        digest.update(population.encode() + steps.tobytes() + spikes.ids.astype("<i8").tobytes())
    assert digest.hexdigest()[:16] == GOLDEN[name]


@pytest.mark.parametrize("backend", ["interpreter", "numba", "brian2"])
def test_a_lesion_takes_the_spikes_and_nothing_else(backend):
    """Lesioned cells reset in silence; without that, quadratic cells run to infinity."""
    circuit = nd.Circuit([nd.izhikevich_2003("cells", 5, parameters={"bias": 10.0})], seed=1)
    intact = nd.simulate(circuit, "300 ms", record=["spikes", "cells.v"])
    hurt = nd.simulate(circuit.lesion("cells", [1, 3]), "300 ms", record=["spikes", "cells.v"], backend=backend)
    np.testing.assert_array_equal(hurt["v"], intact["v"])
    kept = ~np.isin(intact["spikes"].ids, [1, 3])
    np.testing.assert_array_equal(hurt["spikes"].times, intact["spikes"].times[kept])
    assert set(hurt["spikes"].ids) == {0, 2, 4}


def test_a_batch_is_its_single_runs(suite):
    circuit, session = suite.described("learning").circuit, suite.described("learning").session
    seeds = [3, 1, 4, 1]
    batch = nd.simulate(
        [circuit.with_(seed=s) for s in seeds], session, record=["spikes", "readout", "weights"], threads=2
    )
    for seed, recording in zip(seeds, batch, strict=True):
        single = nd.simulate(circuit.with_(seed=seed), session, record=["spikes", "readout", "weights"])
        found = nd.compare(recording, single)
        assert found, str(found)
    assert not nd.compare(batch[0], batch[1])


def test_float32_reports_where_it_parts(suite, capsys):
    """Single precision leaves the reference sooner or later: where is said, not demanded."""
    circuit = suite.described("heterogeneous").circuit
    short, reference = (nd.simulate(circuit, "1 s", dtype=dtype) for dtype in ("float32", "float64"))
    found = nd.compare(short, reference)
    with capsys.disabled():
        print(f"\n  float32 beside float64, {found}")
    a, b = len(short["spikes"]), len(reference["spikes"])
    assert abs(a - b) < 0.1 * b
