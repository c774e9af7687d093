"""Recursive least squares sums in index order, so a plastic closed loop is the same run on interpreter and numba."""

from __future__ import annotations

import pytest

import neurodyn as nd


@pytest.mark.parametrize("options", [{}, {"forgetting": 0.999, "variant": "nicola_clopath"}])
def test_closed_loop_with_rls_is_the_same_run(options: dict) -> None:
    net = nd.SpikingReservoir(60, seed=3)
    session = nd.tasks.WhatWhen().session(trials=3, seed=3)
    rule = nd.WhatWhenRule(when=nd.FORCE(**options), what=nd.TrialFORCE(forgetting=0.96))
    runs = [
        nd.simulate(net, session, learn=rule, record=["spikes", "readout"], backend=b) for b in ("numba", "interpreter")
    ]
    comparison = nd.compare(*runs)
    assert comparison.equal, str(comparison)
