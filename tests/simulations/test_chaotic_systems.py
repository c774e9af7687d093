"""Small forms of the simulation of chaotic systems."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "simulations" / "chaotic_systems.py"


@pytest.fixture(scope="module")
def run() -> Any:
    spec = importlib.util.spec_from_file_location("chaotic_systems_script", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.chaotic_systems


def test_points_below_and_above_the_transition(run: Any) -> None:
    found = run(experiment="points", quick=True, networks=1, units=80)
    assert found.results["gain 0.8: fixed points"] == [1] and found.results["gain 0.8: stable ones"] == [1]
    assert found.results["gain 0.8: exponent beside them"][0] < 0
    assert set(found.figures) == {"points_below", "points_above"} and len(found.checks) == 2


def test_too_few_networks_are_refused_before_anything_is_computed(run: Any) -> None:
    with pytest.raises(ValueError, match="networks = 1: give at least 2"):
        run(networks=1)


@pytest.mark.slow
def test_quick_form(run: Any) -> None:
    found = run(quick=True)
    assert all(check.passed for check in found.checks), [c for c in found.checks if not c.passed]
    assert len(found.checks) == 10 and set(found.figures) >= {"maps", "lorenz63", "gain"}
