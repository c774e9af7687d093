"""Emulation of hidden Markov models: the simulations in very small networks, and what they are held to."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas
import pytest

import neurodyn as nd

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module
    sys.path.remove(FOLDER)


def test_families_are_the_published_ones(scripts) -> None:
    families = scripts("emulation.families").FAMILIES
    states = {name: family.target.states for name, family in families.items()}
    assert states == {"two": 2, "three": 3, "four": 4, "five": 5, "fully": 3, "cyclic": 4}
    assert [families[k].length for k in states] == [100, 30, 30, 40, 30, 40]
    assert [families[k].clip for k in states] == [0.9, 0.9, 0.9, 0.9, 0.3, 0.3]


def test_files_are_trainings_on_one_target(scripts, tmp_path) -> None:
    opened = scripts("emulation.training").opened
    with pytest.raises(ValueError, match="files names no recordings"):
        opened(())
    few = {"length": 10, "batch": 8, "updates": 1, "test_every": 1, "sequences": 8, "validation": 8, "progress": False}
    for k, states in enumerate((2, 3)):
        nd.emulate(nd.HMMRNN(4, noise_inputs=2), nd.tasks.HiddenMarkov.chain(states), out=tmp_path / f"{k}.h5", **few)
    with pytest.raises(ValueError, match=r"1.h5 has another target than .*0.h5"):
        opened((tmp_path / "0.h5", tmp_path / "1.h5"))
    nd.train(nd.LeakyRNN(4, heads=2), nd.tasks.Parity(), epochs=1, steps=1, batch=2, tests=1, out=tmp_path / "l.h5", progress=False)  # fmt: skip
    with pytest.raises(ValueError, match="l.h5 is a training of LeakyRNN"):
        opened((tmp_path / "l.h5",))
    assert [run.config["network"]["units"] for run in opened((tmp_path / "0.h5",))] == [4]


def test_transition_is_judged_by_plateau_drop_and_end(scripts) -> None:
    """A network on the plateau until update 100, unstable from its drop on; and one that never leaves it."""
    thresholds, criteria = scripts("emulation.thresholds"), scripts("common.criteria")
    update = np.arange(25, 525, 25)
    loss = np.where(update < 100, 36.7, 12.0)
    unstable = np.where(update < 100, 0.0, np.where(update == 100, 1.0, 0.3))
    one = SimpleNamespace(update=update, loss=loss, unstable=unstable, drop=100)
    other = SimpleNamespace(update=update, loss=np.full(20, 36.7), unstable=np.zeros(20), drop=None)
    found = criteria.Criteria("somebody")
    thresholds.transition(found, [one, other])
    shares = {check.name.split(" 1 ")[1].split(":")[0]: check.value for check in found.checks}
    assert shares == {"before the drop == 0": 0.5, "at the drop > 0": 0.5, "at the end >= 0.1 and <= 0.5": 0.5}


def test_training_is_judged_on_the_last_snapshots(scripts, monkeypatch) -> None:
    thresholds, criteria = scripts("emulation.thresholds"), scripts("common.criteria")
    monkeypatch.setattr(thresholds, "_late", lambda run: {"loss": 15.0, "change": 0.07, "bigram": 0.01, "noise free": 1e-9})  # fmt: skip
    history = pandas.DataFrame({"loss": [38.0] * 4 + [20.0] * 4})
    found = criteria.Criteria("somebody")
    thresholds.training(found, "two", [SimpleNamespace(history=history)])
    assert [check.passed for check in found.checks] == [True] * 5 and len(found.checks) == 5
    assert found.results["A5: updates at a loss of 38.1 ± 0.5"] == [100]
    thresholds.training(found, "three", [SimpleNamespace(history=history)])
    assert [check.passed for check in found.checks[5:]] == [False] * 3


@pytest.mark.slow
def test_from_training_to_mechanism(scripts, tmp_path) -> None:
    out = tmp_path / "e.h5"
    options = {"quick": True, "family": "two", "updates": 50, "sequences": 64, "seeds": 2, "out": out}
    outcome = scripts("hmm_emulation").hmm_emulation(**options)
    assert outcome.results["two: trained"] == 2 and outcome.results["two: diverged"] == 0
    assert {"two_quality", "two_training", "two_orbit", "two_zones"} == set(outcome.figures)
    assert not outcome.passed and {check.name.split(":")[0] for check in outcome.checks} == {"A5", "A7", "A8", "A9"}
    again = scripts("hmm_emulation").hmm_emulation(resume=True, **options)  # nothing is trained anew
    assert again.results.keys() == outcome.results.keys()
    for name, value in outcome.results.items():
        np.testing.assert_array_equal(again.results[name], value, err_msg=name)
    with pytest.raises(ValueError, match="no network left the plateau"):
        scripts("hmm_mechanism").hmm_mechanism(files=(tmp_path / "e.two.101.h5",), states=200)


@pytest.mark.slow
def test_noise_levels_need_a_network_that_left_the_plateau(scripts) -> None:
    with pytest.raises(ValueError, match="no network left the plateau in 25 updates"):
        scripts("hmm_noise").hmm_noise(quick=True, updates=25, seeds=1)
