import numpy as np
import pytest

import neurodyn as nd
from neurodyn.plots import comparison
from neurodyn.recording import annotate


def runs(folder, rules, *, seeds=4, results=1, shift=0):
    for number, rule in enumerate(rules):
        for seed in range(seeds):
            annotate(
                folder / f"{rule}{seed}.h5",
                results={f"error {k} (ms)": number + 0.1 * seed + k for k in range(results)},
                checks=[],
                config={"parameters": {"rule": rule, "seed": seed + shift * number}},
                data={},
            )
    return folder


def test_every_run_is_a_point_and_pairs_are_joined(tmp_path, sound, texts, xy):
    found = nd.compare_runs(runs(tmp_path, ["rls", "local"]), by="rule", reference="rls")
    figure = found.plot()
    sound(figure)
    left, right = figure.axes
    assert left.get_ylabel() == "value (ms)" and left.get_xlabel() == right.get_xlabel() == "rule"
    joined = [line for line in left.lines if line.get_linestyle() == "-" and len(xy(line)[0]) == 2][:4]
    assert all(np.isclose(abs(np.diff(xy(line)[1])), 1.0) for line in joined)
    points = [line for line in left.lines if line.get_marker() == "o"]
    assert sorted(len(xy(line)[0]) for line in points) == [4, 4]
    (gaps,) = [line for line in right.lines if line.get_marker() == "o"]
    assert np.allclose(xy(gaps)[1], 1.0)
    found_texts = texts(figure)
    assert "local\n4 pairs" in found_texts
    assert any("grey lines join the same seed" in text.replace("\n", " ") for text in found_texts)


def test_groups_that_are_not_paired(tmp_path, sound, texts):
    figure = nd.compare_runs(runs(tmp_path, ["rls", "local"], shift=10), by="rule", reference="rls").plot()
    sound(figure)
    assert "local\nnot paired" in texts(figure)
    assert [line for line in figure.axes[1].lines if line.get_marker() == "o"] == []


@pytest.mark.parametrize(("rules", "results"), [(["a", "b", "c", "d", "e", "f"], 1), (["three-factor rule", "rls"], 5)])
def test_many_groups_and_many_results(tmp_path, sound, rules, results):
    figure = nd.compare_runs(runs(tmp_path, rules, results=results), by="rule").plot()
    sound(figure)
    assert len(figure.axes) == 2 * results


def test_of_more_results_than_fit_some_are_drawn(tmp_path, texts, monkeypatch):
    monkeypatch.setattr(comparison, "MAX_VALUES", 2)
    figure = nd.compare_runs(runs(tmp_path, ["a", "b"], results=3), by="rule").plot()
    assert any("2 of 3 results are drawn" in text.replace("\n", " ") for text in texts(figure))
