"""The simulation of published facts: quick parts of it here, all of it as a slow test."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "simulations" / "izhikevich_patterns.py"


@pytest.fixture(scope="module")
def izhikevich_patterns():
    sys.path.insert(0, str(SCRIPT.parent))
    spec = importlib.util.spec_from_file_location("izhikevich_patterns_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module.izhikevich_patterns
    sys.path.remove(str(SCRIPT.parent))


def failed(outcome):
    return [f"{c.name}: {c.value} not {c.threshold}" for c in outcome.checks if not c.passed]


def test_patterns(izhikevich_patterns):
    outcome = izhikevich_patterns(experiment="patterns")
    assert not failed(outcome) and len(outcome.checks) >= 75
    assert set(outcome.figures) == {"patterns"}


def test_a_short_network(izhikevich_patterns):
    outcome = izhikevich_patterns(experiment="network", seeds=1, duration="4 s")
    rates = {c.name: c for c in outcome.checks if "rate of" in c.name}
    assert len(rates) == 2 and all(c.passed for c in rates.values())
    power = outcome.data["network: power, recurrent"]
    assert power.shape == (1, outcome.data["network: frequency"].size) and np.isfinite(power).all()
    with pytest.raises(ValueError, match="duration = '1 s': the spectrum needs at least 4 s"):
        izhikevich_patterns(experiment="network", seeds=1, duration="1 s")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["cells", "rates", "bifurcations", "schemes", "network"])
def test_everything(izhikevich_patterns, experiment):
    outcome = izhikevich_patterns(experiment=experiment)
    assert not failed(outcome) and outcome.checks
