"""The delayed nonmatch simulation: its arms run, and the criterion counts as it says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "simulations"))
runs, script = map(importlib.import_module, ("nonmatch.runs", "delayed_match_reward"))


def learner(right):
    right = np.asarray(right, bool)
    error = np.where(right, 0.5, 1.5)
    return runs.Learner(error, np.array(["AA"] * len(error)), np.zeros((len(error), 2)), np.zeros(3))


def test_the_criterion_is_95_of_the_last_100():
    wrong = np.zeros(150, bool)
    assert learner(wrong).criterion is None
    # from trial 150 on all right: the 245th trial of the session is the 95th right one of 100
    assert learner(np.concatenate([wrong, np.ones(200, bool)])).criterion == 150 + 95 - runs.WARM_UP
    ragged = np.concatenate([wrong, np.arange(300) % 20 != 0])  # 95 % for ever
    assert learner(ragged).criterion == 150 + runs.LAST - runs.WARM_UP
    assert learner(np.concatenate([wrong, np.arange(300) % 12 != 0])).criterion is None


@pytest.mark.parametrize("arm", ["node perturbation", "reward of other trials"])
def test_arms_learn_behind_the_warm_up_only(arm):
    (found,) = runs.learners(arm, [5], trials=2)
    assert found.error.shape == (runs.WARM_UP + 2,) and found.output.shape == (runs.WARM_UP + 2, 100)
    assert 0 < np.abs(found.change).max() <= 2 * 3e-4 + 1e-12  # two trials, each clipped


def test_without_perturbations_next_to_nothing_moves():
    (found,) = runs.learners("without perturbations", [5], trials=2)
    (other,) = runs.learners("node perturbation", [5], trials=2)
    assert found.change.std() < 0.2 * other.change.std()


def test_too_few_trials_are_refused():
    with pytest.raises(ValueError, match="trials = 10"):
        script.delayed_match_reward(trials=10)


@pytest.mark.slow
def test_learning_brings_the_error_down(tmp_path):
    outcome = script.delayed_match_reward(trials=900, seeds=2, controls=False, out=tmp_path / "n.h5")
    late = outcome.results["node perturbation: right in the last 100 trials: mean"]
    assert late > outcome.results["right before learning: mean"] + 0.2
