"""Fits of how a time grows: the exponent, and where it bends."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
SIZES = np.geomspace(10, 10_000, 10)


@pytest.fixture
def growth(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("growth").Growth
    sys.modules.pop("growth")


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_a_power_law_has_its_exponent_and_no_bend(growth: Any, power: float) -> None:
    noise = np.exp(0.02 * np.random.default_rng(0).normal(size=len(SIZES)))
    found = growth.of(SIZES, 3.0 * SIZES**power * noise)
    assert abs(found.exponent - power) < 0.02
    assert found.bend is None
    assert found.text() == f"grows as the power {found.exponent:.2f}, without a bend"


def test_a_constant_part_bends_where_the_other_outgrows_it(growth: Any) -> None:
    found = growth.of(SIZES, np.where(SIZES < 300, 1.0, SIZES / 300))
    assert 250 < found.bend < 350
    assert abs(found.below) < 0.05 and abs(found.above - 1) < 0.05
    assert "bends at" in found.text()
