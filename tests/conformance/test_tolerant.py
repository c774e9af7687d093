"""Tolerant circuits: one step at a time from the same state, to 1e-12; as a trajectory only over a short horizon."""

from __future__ import annotations

import numpy as np
import pytest


def largest_deviation(a, b):
    """Largest difference of two states, relative to the largest magnitude of each array; bits for what is no number."""
    worst = 0.0
    for name, x in a.items():
        y = b[name]
        if np.asarray(x).dtype != float:
            np.testing.assert_array_equal(x, y, err_msg=name)
            continue
        scale = np.max(np.abs(x), initial=0.0) or 1.0
        worst = max(worst, float(np.max(np.abs(x - y), initial=0.0)) / scale)
    return worst


def test_the_class_is_tolerant(tolerant, suite):
    assert suite.described(tolerant).circuit.program.exactness == "tolerant"


@pytest.mark.parametrize("other", ["numba", "brian2"])
def test_each_step_from_the_same_state(tolerant, other, suite):
    case = suite.described(tolerant)
    reference, machine = (suite.engine(case.network, runner) for runner in ("interpreter", other))
    fired = 0
    for steps, options, inputs in case.trials:
        reference.start_trial(**options)
        for k in range(steps):
            row = {name: values[k : k + 1] for name, values in inputs.items()}
            machine.from_arrays(reference.to_arrays())
            spikes, others = (m.advance(1, row).spikes for m in (reference, machine))
            assert largest_deviation(reference.to_arrays(), machine.to_arrays()) < 1e-12, f"step {k}"
            for population in spikes:
                suite.same({"units": spikes[population][1]}, {"units": others[population][1]})
                fired += spikes[population][1].size
    assert fired > 20 or not case.circuit.program.spiking


@pytest.mark.parametrize("other", ["numba", "brian2"])
def test_trajectories_agree_over_a_short_horizon(tolerant, other, suite):
    """Fifty steps: nothing here is chaotic on that scale."""
    case = suite.described(tolerant)
    runs = [
        suite.play(suite.engine(case.network, runner), case.trials, (10**6,), stop=50)
        for runner in ("interpreter", other)
    ]
    assert largest_deviation(*runs) < 1e-9
