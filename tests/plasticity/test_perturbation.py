"""Node perturbation against the weights that recorded rates and errors ask for, trial by trial."""

from dataclasses import replace

import numpy as np
import pytest

import neurodyn as nd

UNITS = 60


def network():
    net = nd.PerturbedRateNetwork(UNITS, seed=5)
    return net.with_part(replace(net["recurrent"], rules=(nd.node_perturbation(),)))


def test_weights_follow_the_published_update():
    """The eligibility as a matrix product over the trial, the change clipped, expected errors by kind of trial."""
    net, session = network(), nd.tasks.DelayedNonmatch().session(12, warm_up=8)
    record = ["cells.r_before", "cells.fluctuation", "reward.error"]
    run = nd.simulate(net, session, record=record)
    before, delta = (np.asarray(run[name]).reshape(20, 1000, UNITS) for name in record[:2])
    error = np.asarray(run["reward.error"]).reshape(20, 1000)[:, -1]
    expected: dict[str, float] = dict.fromkeys(session.channels["kind"], 0.0)
    change, largest = np.zeros((UNITS, UNITS)), 0.0
    for number, trial in enumerate(session.trials):
        kind = str(trial.labels["kind"])
        if trial.learning:
            eligibility = (before[number] ** 3).T @ (delta[number] ** 3)
            wanted = -0.1 * expected[kind] * (error[number] - expected[kind]) * eligibility
            largest = max(largest, float(np.abs(wanted).max()))
            change += np.clip(wanted, -3e-4, 3e-4)
        expected[kind] = 0.75 * expected[kind] + 0.25 * error[number]
    start = nd.simulate(net, "1 ms", record=["cells.x"]).network().values["recurrent.w"]
    learnt = np.asarray(run.network().values["recurrent.w"]) - np.asarray(start)
    np.testing.assert_allclose(learnt.reshape(UNITS, UNITS), change, rtol=1e-9, atol=1e-14)
    assert largest > 3e-4 and np.abs(change).max() > 3e-4  # some changes were clipped, some trials added up


def test_other_names_and_numbers():
    rule = nd.node_perturbation(rate=0.2, largest=1e-3, modulation="reward.surprise")
    assert "reward.surprise" in rule.trial_end and rule.parameters == {"rate": 0.2, "largest": 1e-3}


@pytest.mark.parametrize("given", [{"rate": 0.0}, {"largest": -1.0}])
def test_wrong_numbers_are_named(given):
    with pytest.raises(ValueError, match=f"node_perturbation: {next(iter(given))}"):
        nd.node_perturbation(**given)
