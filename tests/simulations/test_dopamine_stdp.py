"""The dopamine simulation: its network is the published one, rewards follow the pair, and the quick form runs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd

sys.path.insert(0, str(Path(__file__).parents[2] / "simulations"))
experiments, networks, script = map(
    importlib.import_module, ("dopamine.experiments", "dopamine.network", "dopamine_stdp")
)


def test_the_network_is_the_published_one():
    circuit = networks.network(seed=1)
    excitation, inhibition = circuit.synapses("excitation"), circuit.synapses("inhibition")
    assert excitation.targets.size == 80_000 and inhibition.targets.size == 20_000
    assert set(np.bincount(excitation.sources)) == {100} and excitation.sources.max() == 799
    assert inhibition.sources.min() == 800 and inhibition.targets.max() == 799
    assert (excitation.sources != excitation.targets).all()
    assert excitation.weights[0] == 0 and (excitation.weights[1:] == 1).all() and (inhibition.weights == -1).all()
    assert (excitation.delays == 1).all() and circuit["excitation"].bounds == (0, networks.CEILING)
    assert any(block.phase == "view" for block in circuit.program.blocks)  # advanced at events


def test_every_reward_follows_the_pair_and_every_pair_is_paid():
    circuit = networks.network(seed=3, excitatory=80, inhibitory=20, fan_out=10)
    run = nd.simulate(circuit, networks.session(500.0), record=["spikes"])
    cells, paid = run["spikes/cells"], np.unique(run["spikes/rewarder"].times)
    found = circuit.synapses("excitation")
    first, second = (cells.times[cells.ids == unit] for unit in (found.sources[0], found.targets[0]))
    last = first[np.maximum(np.searchsorted(first, second) - 1, 0)]
    gap = second - last
    pairs = second[(gap > 0) & (gap < networks.WINDOW_MS)]
    assert pairs.size > 5
    waited = paid[:, None] - pairs
    assert ((waited > 1000) & (waited < 3002)).any(axis=1).all()
    assert ((waited > 1000) & (waited < 3002)).any(axis=0)[pairs < 497_000].all()
    assert not nd.simulate(networks.unpaid(circuit), networks.session(20.0), record=["spikes"])[
        "spikes/rewarder"
    ].times.size


def test_runners_agree_under_the_same_spikes():
    found = experiments.replay(("interpreter", "numba"), seed=2, seconds=1.5)
    assert found["moved"] > 0.1 and max(found["interpreter"], found["numba"]) < 1e-11


def test_shuffled_rewards_are_as_many_at_other_times():
    given = np.arange(5000.0, 50000.0, 3000.0)
    other = experiments.shuffled(given, 1.0, seed=1)
    assert other.size == given.size and (np.diff(other) >= 0).all() and other.min() >= 1000 and other.max() < 60_000
    assert not np.array_equal(np.sort(given), other)


def test_what_an_hour_tells():
    weights = np.array([[0.0, 1.0, 2.0], [3.9, 1.0, 4.0]])
    hour = experiments.Hour(np.array([60.0, 120.0]), weights, np.zeros(0), 1.0, np.zeros(0), np.zeros((0, 3)))
    assert hour.rewarded == 3.9 > experiments.REACHED and hour.rank == 0.5


def test_too_short_a_time_is_refused():
    with pytest.raises(ValueError, match="minutes = 1"):
        script.dopamine_stdp(minutes=1)


@pytest.mark.slow
def test_the_quick_form_runs(tmp_path):
    outcome = script.dopamine_stdp(minutes=3.0, seeds=1, out=tmp_path / "d.h5")
    assert {c.name: c.passed for c in outcome.checks}["runners under the same spikes, largest difference of weights"]
    assert len(experiments.hours([1], 2.0)[0].weights) == 2
    assert (tmp_path / "d.h5").exists()
