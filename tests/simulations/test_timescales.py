"""Learnable timescales: the simulations in very small networks, and their criteria."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module
    sys.path.remove(FOLDER)


def test_criteria_count_networks(scripts) -> None:
    found = scripts("common.criteria").Criteria("somebody")
    found.each("a", [1.0, 2.0, np.nan], "> 1.5")
    (check,) = found.checks
    assert check.value == pytest.approx(1 / 3) and not check.passed  # a network that did not get there fails
    assert found.results["a > 1.5: seeds"].startswith("1 of 3")
    assert found.results["a: mean"] == 1.5 and check.source == "somebody"


def test_curricula_end_to_end(scripts, tmp_path) -> None:
    out = tmp_path / "p.h5"
    outcome = scripts("timescales_parity").timescales_parity(quick=True, units=24, until=2, seeds=1, out=out)
    assert outcome.results["multi-head: N solved"] == [2] and outcome.results["single-head: N solved"] == [2]
    assert {"training", "tau"} <= set(outcome.figures)
    kept = {c: nd.load_training(tmp_path / f"p.{c}-head.101.h5") for c in ("single", "multi")}
    assert all(run.snapshots == [2] and run.config["network"]["units"] == 24 for run in kept.values())
    again = scripts("timescales_parity").timescales_parity(
        quick=True, units=24, until=2, seeds=1, out=out, resume=True
    )  # nothing is trained anew
    assert again.results.keys() == outcome.results.keys()
    for name, value in outcome.results.items():
        np.testing.assert_array_equal(again.results[name], value, err_msg=name)  # NaN, where N was not reached, is NaN

    robust = scripts("timescales_robustness").timescales_robustness
    files = {c: [run.recording.path] for c, run in kept.items()}
    lost = robust(quick=True, **files).results
    assert lost["N"] == 2 and lost["single-head: relative accuracy without a slow unit"][0] <= 1.001
    with pytest.raises(ValueError, match="was trained under SingleHead; needed here is MultiHead"):
        robust(quick=True, multi=files["single"])
    with pytest.raises(ValueError, match="name no recordings"):
        robust(quick=True)


@pytest.mark.slow
def test_network_timescales_are_held_against_the_nulls_of_the_first_n(scripts) -> None:
    run = scripts("timescales_delayed_match").timescales_delayed_match
    outcome = run(quick=True, curriculum="multi-head", units=32, until=4, seeds=1)
    names = [c.name for c in outcome.checks]
    assert any("above all of 19 nulls of N = 3" in name for name in names)
    assert outcome.results["multi-head, N = 4, tau_net: kept"][0] > 0


@pytest.mark.slow
def test_estimators_of_known_timescales(scripts) -> None:
    described = scripts("timescale_estimators").described
    row = described([(1.0, 5.0)], (10, 4000, 60), 3)
    assert row["AIC: double"] > 0.2 and row["AIC: mean"] > 8  # the artefact of the protocol
    assert row["calibrated: double"] < 0.16  # 5 %, of 60 units
    assert abs(row["calibrated: median"] - 5) < 0.3 and abs(row["integrated: mean"] - 5) < 0.3
