"""PV-RNN simulations: what they are held to, and each of them with hardly any training."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import neurodyn as nd

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module
    sys.path.remove(FOLDER)


def sweep(scripts, **columns):
    """A sweep of two seeds whose measures are functions of the meta-prior."""
    machine = scripts("pvrnn.machine")
    w = np.repeat([1.0, 0.3, 0.1, 0.05, 0.03, 0.01, 1e-3, 1e-4, 1e-5], 2)
    table = pd.DataFrame({"meta_prior": w, "seed": [1, 2] * 9} | {name: of(w) for name, of in columns.items()})
    return machine.Sweep(None, None, machine.SMALL.data(3), table)


def memory(w):
    return np.where(w >= 0.03, 24.0, 9.0)


def test_memorisation_is_judged_at_both_ends(scripts):
    checks = scripts("pvrnn.meta_prior_checks")
    good = {
        "divergence_step": memory,
        "divergence": lambda w: np.where(w >= 0.03, 0.001, 0.4),
        "sigma": lambda w: np.where(w >= 0.03, 0.05, 0.3),
        "p_branch_noise_free": lambda w: np.ones_like(w),
        "lyapunov_noise_free": lambda w: np.where(w >= 0.03, 0.05, -0.4),
    }
    found = checks.Checks()
    checks.memorisation(found, sweep(scripts, **good))
    assert len(found.checks) == 9 and all(check.passed for check in found.checks)
    turned: Any = {name: (lambda w, of=of: of(np.where(w >= 0.03, 1e-5, 1.0))) for name, of in good.items()}
    turned["p_branch_noise_free"] = lambda w: np.full_like(w, 0.7)
    found = checks.Checks()
    checks.memorisation(found, sweep(scripts, **turned))
    assert not any(check.passed for check in found.checks)


def test_ablations_are_judged_by_what_they_destroy(scripts):
    checks = scripts("pvrnn.meta_prior_checks")
    whole = {
        "divergence_step": memory,
        "divergence": np.log,
        "first_divergence": np.sqrt,
        "sigma": np.log,
        "lyapunov_noise_free": lambda w: np.where(w >= 0.03, 0.05, -0.4),
    }
    forgetful = whole | {"divergence_step": lambda w: 9 + np.log10(w)}
    noisy = forgetful | {"lyapunov_noise_free": lambda w: np.full_like(w, -0.1)}
    cheap = forgetful | {"first_divergence": lambda w: np.full_like(w, 0.01)}

    def passed(name, columns):
        found = checks.Checks()
        checks.ablation(found, name, sweep(scripts, **columns), sweep(scripts, **whole))
        return [check.passed for check in found.checks]

    assert passed("fixed unit prior", noisy) == [True, True]
    assert passed("fixed unit prior", whole) == [False, False]
    assert passed("first step like all others", cheap) == [True, True]
    assert passed("first step like all others", whole) == [False, False]
    assert passed("reduced posterior", whole) == [True] and passed("reduced posterior", forgetful) == [False]


def test_floors_are_those_of_machine_and_training_set(scripts):
    machine = scripts("pvrnn.machine")
    found = machine.floors(machine.MAIN, machine.MAIN.data(1), 1)
    assert found["machine: negative log-likelihood of held-out symbols"] == pytest.approx(
        machine.MACHINE.entropy_rate, abs=0.01
    )
    assert found["machine: word divergence of as many symbols"] < found["training set: word divergence"]
    unseen = machine.MAIN.data(1, 3)
    assert unseen.shape == (3, 48) and not np.array_equal(unseen, machine.MAIN.data(1)[:3])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pvrnn_meta_prior", "pvrnn_primitives", "pvrnn_joints"])
def test_simulation_runs_with_hardly_any_training(scripts, name, tmp_path):
    out = tmp_path / "s.h5"
    outcome = getattr(scripts(name), name)(quick=True, updates=4, seeds=1, out=out)
    recording = nd.load(out)
    assert outcome.figures and recording.results and len(list(tmp_path.glob("s.*.png"))) == len(outcome.figures)


def test_one_pair_is_refused_before_anything_is_trained(scripts):
    with pytest.raises(ValueError, match="pairs = 1: give at least 2"):
        scripts("pvrnn_primitives").pvrnn_primitives(pairs=1)


def test_ablations_need_whole_trainings(scripts):
    with pytest.raises(ValueError, match="the ablations need whole trainings"):
        scripts("pvrnn_meta_prior").pvrnn_meta_prior(quick=True, experiment="E6")
