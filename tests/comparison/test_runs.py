"""Runs side by side, from recordings, paths, globs and scans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import neurodyn as nd
from neurodyn.recording import annotate


def run(folder: Path, rule: str, seed: int, *, error: float | None, **parameters: object) -> Path:
    path = folder / f"{rule}-{seed}-{len(list(folder.iterdir()))}.h5"
    results = {"nRMSE": error, "blocks": [error, error], "cells": 100, "note": "x"}
    config = {"simulation": "s", "parameters": {"rule": rule, "seed": seed, **parameters}, "training": {"rate": 0.1}}
    annotate(
        path, results=results, checks=[], config=config, data={"curve": np.array([3.0, float(seed)]), "grid": np.eye(2)}
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two rules on four seeds; of a third one seed 3 is missing, and seed 9 is its own."""
    for seed in range(4):
        run(tmp_path, "rls", seed, error=1.0 + seed)
        run(tmp_path, "local", seed, error=0.5 + 1.1 * seed)
    for seed in (0, 1, 2, 9):
        run(tmp_path, "none", seed, error=3.0 + seed**2)
    return tmp_path


def test_means_and_paired_differences_are_those_of_scipy(folder: Path) -> None:
    from scipy import stats

    found = nd.compare_runs(str(folder / "*.h5"), by="rule", reference="rls")
    assert found.groups == ("local", "none", "rls") and found.values == ("nRMSE",)
    rls, local = 1.0 + np.arange(4), 0.5 + 1.1 * np.arange(4)
    row = found.summary[found.summary["group"] == "rls"].iloc[0]
    wanted = stats.ttest_1samp(rls, 0).confidence_interval(0.95)
    assert (row["runs"], row["mean"]) == (4, 2.5)
    assert np.allclose([row["low"], row["high"]], [wanted.low, wanted.high])
    gap = found.differences[found.differences["group"] == "local"].iloc[0]
    wanted = stats.ttest_rel(local, rls).confidence_interval(0.95)
    assert (gap["pairs"], round(gap["difference"], 9)) == (4, -0.35)
    assert np.allclose([gap["low"], gap["high"]], [wanted.low, wanted.high])


def test_what_is_left_out_is_said(folder: Path) -> None:
    found = nd.compare_runs(folder, by="rule", reference="rls")
    assert found.differences["pairs"].tolist() == [4, 3]
    assert found.remarks == (
        "the same in all runs: cells",
        "without a partner in rls, left out of their difference: seed 9 of none",
        "without a partner in none, left out of their difference: seed 3 of rls",
    )
    text = str(found)
    assert "12 runs by rule (local: 4, none: 4, rls: 4); mean with 95% interval (Student's t)" in text
    assert "- without a partner in none, left out of their difference: seed 3 of rls" in text


def test_groups_without_a_common_seed_are_not_paired(folder: Path) -> None:
    from scipy import stats

    runs = [nd.load(path) for path in folder.glob("*.h5")]
    pick = [one for one in runs if one.config["parameters"]["rule"] == "rls"]
    others = [run(folder, "other", 20 + k, error=float(k)) for k in range(3)]
    found = nd.compare_runs([pick, *others], by="rule", value="nRMSE", reference="rls")
    gap = found.differences.iloc[0]
    wanted = stats.ttest_ind(np.arange(3.0), 1.0 + np.arange(4), equal_var=False).confidence_interval(0.95)
    assert gap["pairs"] == 0 and np.allclose([gap["low"], gap["high"]], [wanted.low, wanted.high])
    assert found.remarks == ("other and rls share no seed: their difference is that of groups that are not paired",)
    assert "not paired" in str(found)


def test_values_of_all_kinds(folder: Path) -> None:
    found = nd.compare_runs(folder, by="rule", value=["blocks[-1]", "curve[1]", "data/curve[0]", "grid[1][0]"])
    assert set(found.table["grid[1][0]"]) == {0.0}
    assert found.table["blocks[-1]"].tolist() == nd.compare_runs(folder, by="rule").table["nRMSE"].tolist()
    assert found.table["curve[1]"].astype(int).astype(str).tolist() == found.table["seed"].tolist()
    assert set(found.table["data/curve[0]"]) == {3.0}

    def twice(recording: nd.Recording) -> float:
        return 2 * recording.results["nRMSE"]

    table = nd.compare_runs(folder, by="rule", value=twice).table
    assert np.allclose(table["twice"], 2 * nd.compare_runs(folder, by="rule").table["nRMSE"])


def test_a_bootstrap_is_the_same_each_time(folder: Path) -> None:
    one, other = (nd.compare_runs(folder, by="rule", interval="bootstrap") for _ in range(2))
    assert one.summary.equals(other.summary) and one.differences.equals(other.differences)
    assert np.all(np.asarray(one.summary["low"]) < np.asarray(one.summary["mean"]))
    assert one.differences["low"].tolist() != nd.compare_runs(folder, by="rule").differences["low"].tolist()


@pytest.mark.parametrize("error", [None, float("inf")])
def test_a_result_that_is_not_finite_in_a_run_is_left_out_and_said(folder: Path, error: float | None) -> None:
    path = run(folder, "rls", 7, error=error)
    found = nd.compare_runs(folder, by="rule")
    assert f"nRMSE: left out where it is not finite, in {path.name}" in found.remarks
    assert found.summary.set_index("group").loc["rls", ["runs", "mean"]].tolist() == [4, 2.5]


def test_a_pair_without_a_number_makes_no_difference_of_other_runs(tmp_path: Path) -> None:
    for rule, error in (("a", None), ("b", 2.0)):
        run(tmp_path, rule, 1, error=error)
    for seed in (2, 3):
        run(tmp_path, "a", seed, error=float(seed))
    gap = nd.compare_runs(tmp_path, by="rule", value="nRMSE").differences.iloc[0]
    assert gap["pairs"] == 0 and np.isnan(gap["difference"])


def test_bad_input_is_named(folder: Path) -> None:
    def refused(match: str, runs: object = folder, **options: object) -> None:
        with pytest.raises(ValueError, match=match):
            nd.compare_runs(runs, **{"by": "rule", **options})  # type: ignore[arg-type]

    refused(r"by = 'rul' is no parameter of .*\.h5; did you mean 'rule'\?", by="rul")
    refused(r"by = 'simulation': it is s in all 12 runs", by="simulation")
    refused(r"by = 'training.rate': it is 0.1 in all", by="training.rate")
    refused(r"value = 'nRMS': .* has no result 'nRMS'; did you mean 'nRMSE'\?", value="nRMS")
    refused(
        r"value = 'blocks': .* holds 2 values for 'blocks'; name one of them, such as 'blocks\[-1\]'", value="blocks"
    )
    refused(r"value = 'blocks\[5\]': .* has 2 values for 'blocks', so there is no \[5\]", value="blocks[5]")
    refused(r"value = \[\]: name a result", value=[])
    refused(r"value = 'note': .* holds 'x' for 'note', which is no number", value="note")
    refused(r"the function gives 'no' for .*; it has to give a number", value=lambda recording: "no")
    refused(r"reference = 'oja' is no value of rule; there are local, none, rls", reference="oja")
    refused(r"interval = 'sd'; there are 't' and 'bootstrap'", interval="sd")
    refused(r"confidence = 95; give a number between 0 and 1", confidence=95)
    refused(r"pair = 'sed' is no parameter of", pair="sed")
    run(folder, "rls", 2, error=1.0, neurons=300)
    refused(r"both have rule = rls, seed = 2; they differ in neurons: name that in pair")
    assert nd.compare_runs(folder, by="rule", pair=None).differences["pairs"].tolist() == [0, 0]
    with pytest.raises(FileNotFoundError, match="there is no recording"):
        nd.compare_runs(str(folder / "missing*.h5"), by="rule")
    with pytest.raises(TypeError, match="int is no run"):
        nd.compare_runs(3, by="rule")


def test_numbers_are_groups_in_their_order_and_end_of_names_is_enough(tmp_path: Path) -> None:
    (tmp_path / "tau").mkdir()
    for seed, cells in ((1, 1000), (2, 200), (1, 200), (2, 1000)):
        run(tmp_path, "rls", seed, error=float(cells + seed), size=cells)
    assert nd.compare_runs(tmp_path, by="size").groups == ("200", "1000")
    for tau in ("10 ms", "5 ms"):
        run(tmp_path / "tau", "rls", 1, error=1.0, tau=tau)
    assert nd.compare_runs(tmp_path / "tau", by="tau").groups == ("5 ms", "10 ms")
    found = nd.compare_runs(tmp_path, by="seed", pair="size")
    assert found.pair == ("size",) and found.differences["difference"].tolist() == [1.0]


def test_points_of_a_scan(tmp_path: Path) -> None:
    state = np.array([["done", "done"], ["done", "failed"]], dtype=object)
    dataset = xr.Dataset(
        {
            "key": (("tau", "repetition"), np.array([["a", "b"], ["c", "d"]], dtype=object)),
            "state": (("tau", "repetition"), state),
            "seed": (("tau", "repetition"), [[5.0, 6.0], [5.0, np.nan]]),
            "seconds": (("tau", "repetition"), np.ones((2, 2))),
            "error": (("tau", "repetition"), [[1.0, 2.0], [3.0, np.nan]]),
            "check: error": (("tau", "repetition"), np.ones((2, 2), dtype=bool)),
        },
        coords={"tau": ("tau", [10.0, 20.0], {"units": "ms"}), "repetition": [0, 1]},
        attrs={"constants": '{"rule": "rls"}'},
    )
    found = nd.compare_runs(dataset, by="tau")
    assert found.groups == ("10 ms", "20 ms") and found.values == ("error",)
    assert found.table["seed"].tolist() == ["5", "6", "5"]
    assert found.remarks[0] == "points that are not done are left out: 1 failed"
    gap = found.differences.iloc[0]
    assert (gap["pairs"], gap["difference"]) == (1, 2.0) and np.isnan(gap["low"])
    with pytest.raises(ValueError, match="for a function of the recordings give their paths"):
        nd.compare_runs(dataset, by="tau", value=lambda recording: 1.0)
    with pytest.raises(ValueError, match="has no result 'curve'; it has error; for a key of the recordings give"):
        nd.compare_runs(dataset, by="tau", value="curve[0]")
    with pytest.raises(ValueError, match="no variables state and key"):
        nd.compare_runs(xr.Dataset({"a": 1}), by="tau")
