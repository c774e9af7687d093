"""Recursive least squares sums in index order, so a plastic closed loop is the same run on every runner.

Its class is tolerant all the same: a runner may use matrix products.
"""

from __future__ import annotations

import pytest

import neurodyn as nd
from neurodyn.backends import NAMES
from neurodyn.conformance import checks
from neurodyn.conformance.harness import REFERENCE, case


@pytest.mark.parametrize("name", ["least_squares", "forgetting"])
@pytest.mark.parametrize("runner", [name for name in NAMES if name != REFERENCE])
def test_closed_loops_with_rls_are_the_same_runs(runner: str, name: str) -> None:
    assert any("rls" in reason for reason in case(name).network.program.inexact)
    checks.same_bits(runner, name)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"forgetting": 0.999, "variant": "nicola_clopath"}])
def test_what_and_when_with_rls_is_the_same_run(options: dict) -> None:
    """With the start of P from calibration."""
    net = nd.SpikingReservoir(60, seed=3)
    session = nd.tasks.WhatWhen().session(trials=3, seed=3)
    rule = nd.WhatWhenRule(when=nd.FORCE(**options), what=nd.TrialFORCE(forgetting=0.96))
    runs = [
        nd.simulate(net, session, learn=rule, record=["spikes", "readout"], backend=b) for b in ("numba", "interpreter")
    ]
    comparison = nd.compare(*runs)
    assert comparison.equal, str(comparison)
