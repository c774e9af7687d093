"""Trainings of a few steps with a threshold that everything passes: what matters is that the figures show what is recorded."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn import plots

NUMBER: Any = 1  # no training


def trained(curriculum, seed=1, *, network: Any = nd.LeakyRNN, epochs=5, threshold=0.01, out=None, **options):
    net = network(6, heads=12, seed=seed, **options)
    numbers = {"batch": 16, "steps": 1, "tests": 1, "progress": False}
    task = nd.tasks.Parity()
    return nd.train(net, task, curriculum=curriculum, seed=seed, epochs=epochs, threshold=threshold, out=out, **numbers)


@dataclass(frozen=True, kw_only=True)
class Odd(nd.MultiHead):
    """N = 2, 4, 6, ...: what follows leaves gaps."""

    def next(self, stage):
        return (*stage, stage[-1] + 2)


@pytest.fixture(scope="module")
def multi():
    return [trained("multi-head", 1, epochs=5), trained("multi-head", 2, epochs=3)]


@pytest.fixture(scope="module")
def single():
    return trained("single-head")


@pytest.fixture(scope="module")
def unsolved():
    return trained("single-head", epochs=2, threshold=0.999)


def curves(ax, xy, thin=False):
    """Solid lines with data, of all networks or (``thin``) of each."""
    lines = [line for line in ax.lines if len(line.get_xdata()) and line.get_linestyle() == "-"]
    return [xy(line) for line in lines if (line.get_linewidth() < 1) == thin]


def columns(run):
    return {n: run.network(n).tau.double().numpy() for n in run.snapshots}


def test_accuracy_follows_each_n_from_head_to_head(multi, single, sound, texts, xy):
    for run, serves in ((multi[0], lambda n: n - 2), (single, lambda n: 0)):
        figure = plots.accuracy_of_heads(run)
        sound(figure)
        top, bottom = figure.axes[:2]
        largest, accuracies = xy(bottom.lines[0])[1], run.accuracy_of_heads
        assert np.array_equal(largest, run.recording["training/N"])
        for n, (epoch, accuracy) in zip(range(2, int(largest[-1]) + 1), curves(top, xy), strict=True):
            assert np.array_equal(accuracy, accuracies[epoch - 1, serves(n)])
        epochs, solved = xy(bottom.lines[1])
        assert dict(zip(solved.tolist(), epochs.tolist(), strict=True)) == run.epochs_to_solve
        assert {"accuracy", "N (digits)", "epoch", "threshold 0.01", "solved"} <= set(texts(figure))
    assert len(curves(figure.axes[0], xy, thin=True)) == 1  # one head, five N


def test_accuracy_of_a_window_and_of_a_single_n(sound, xy):
    figure = plots.accuracy_of_heads(trained(nd.Sliding(window=3, advance=2), epochs=3))
    sound(figure)
    # The windows are 2 to 4, 4 to 6 and 6 to 8: N = 4 passes from the last head to the first.
    assert [x.tolist() for x, _ in curves(figure.axes[0], xy)] == [[1], [1], [1, 2], [2], [2, 3], [3], [3]]
    single = plots.accuracy_of_heads(trained(nd.NoCurriculum(n=3), epochs=1))
    assert single.axes[2].get_ylim() == (2.5, 3.5)  # the colour bar


def test_curves_are_medians_of_trainings_that_keep_what_they_reached(multi, single, sound, texts, xy):
    figure = plots.training_curves({"multi-head": multi, "single-head": single})
    sound(figure)
    left, right = figure.axes
    (epochs, reached), _ = curves(left, xy)
    solved = [r.epochs_to_solve.items() for r in multi]
    long, short = ([max((n for n, e in each if e <= at), default=0) for at in epochs] for each in solved)
    assert np.array_equal(epochs, range(6)) and np.array_equal(reached, np.median([long, short], axis=0))
    assert long[0] == 0 and long[-1] > short[-1] == short[3]
    heads = [np.isfinite(r.accuracy_of_heads).sum(1) for r in multi]
    loss = [r.recording["training/loss"].values / h for r, h in zip(multi, heads, strict=True)]
    median = curves(right, xy)[0][1]
    assert np.allclose(median[:3], (loss[0][:3] + loss[1]) / 2) and np.allclose(median[3:], loss[0][3:])
    assert [len(x) for x, _ in curves(left, xy, thin=True)] == [6, 4]
    assert {"multi-head (2 networks)", "single-head (1 network)", "cross-entropy for each N (nats)"} <= set(
        texts(figure)
    )


def test_time_constants_are_those_of_the_snapshots(multi, single, sound, texts, xy):
    figure = plots.time_constants(
        {"multi-head": multi, "single-head": single},
        published_mean={"multi-head": ([2, 4], [1.5, 1.4]), "elsewhere": ([2, 3], [1.4, 1.3])},
        published_sd={"multi-head": ([2, 4], [0.28, 0.3])},
    )
    sound(figure)
    each, other = [columns(run) for run in multi], columns(single)
    for ax, statistic in zip(figure.axes, (np.mean, np.std), strict=False):
        (n, values), (m, others) = curves(ax, xy)
        assert n.tolist() == multi[0].snapshots and m.tolist() == single.snapshots
        assert np.allclose(values, [np.mean([statistic(t[k]) for t in each if k in t]) for k in n])
        assert np.allclose(others, [statistic(other[k]) for k in m])
        assert len(curves(ax, xy, thin=True)) == 2
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert xy(dashed[0])[1].tolist() == [1.5, 1.4]
    assert dashed[0].get_color() == figure.axes[0].lines[0].get_color() != dashed[1].get_color()
    counts = figure.axes[2].patches[0].get_data().values  # type: ignore[attr-defined]
    assert round(counts[counts > 0.01].sum()) == 6 and figure.axes[2].get_yscale() == "log"
    found = texts(figure)
    assert {"mean τ (steps)", "SD of τ (steps)", "τ (steps)", "multi-head, published"} <= set(found)
    ends = "–".join(str(r.snapshots[-1]) for r in reversed(multi))
    assert f"multi-head (2 networks, N up to {ends})" in found


def test_a_condition_that_solved_nothing_is_named(single, unsolved, sound, texts):
    figure = plots.time_constants({"single-head": single, "no success": [unsolved]})
    sound(figure)
    assert "no success (1 network, no N solved)" in texts(figure)
    figure = plots.training_curves({"no success": unsolved})
    assert figure.axes[0].lines[0].get_ydata().max() == 0  # type: ignore[union-attr]


def test_time_constants_in_digits_where_they_are():
    figure = plots.time_constants({"continuous": trained("multi-head", epochs=1, continuous=True)})
    assert [ax.get_ylabel() for ax in figure.axes][:2] == ["mean τ (digits)", "SD of τ (digits)"]


def test_paths_are_opened(tmp_path, xy):
    run = trained("multi-head", epochs=2, out=tmp_path / "run.h5")
    from_file, kept = (plots.time_constants({"a": each}) for each in (str(tmp_path / "run.h5"), run))
    assert np.array_equal(curves(from_file.axes[0], xy), curves(kept.axes[0], xy))
    assert plots.accuracy_of_heads(tmp_path / "run.h5").axes


def test_network_timescales_end_where_a_condition_ends(sound, texts, xy):
    n = [3, 5, 11, 20]
    one = np.array([[2, 3, 4, np.nan], [3, 4, np.nan, np.nan]])
    values = {
        "median": {"single-head": one, "multi-head": [2, 2.5, 3, 4]},
        "mean of those > 1": {"multi-head": [3, 4, 6, 8]},
    }
    figure = plots.network_timescales(n, values, {"median": {"multi-head": [1.4] * 4}})
    sound(figure)
    left, right = figure.axes
    (x, single), (_, many) = curves(left, xy)
    assert x.tolist() == [3, 5, 11] and single.tolist() == [2.5, 3.5, 4] and many.tolist() == [2, 2.5, 3, 4]
    null = [line for line in left.lines if line.get_linestyle() == ":"]
    assert len(null) == 1 and null[0].get_color() == left.lines[1].get_color() == right.lines[0].get_color()
    assert {"network timescale (steps)", "Median", "Mean of those > 1", "null", "multi-head"} <= set(texts(figure))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda run: plots.time_constants({}), "runs is empty"),
        (lambda run: plots.time_constants({"a": []}), r"runs\['a'\] is empty"),
        (lambda run: plots.time_constants(run), "runs is a TrainingRun; give a mapping"),
        (lambda run: plots.training_curves({"a": [NUMBER]}), r"runs\['a'\] = 1; give what nd.train"),
        (lambda run: plots.training_curves({"a": NUMBER}), r"runs\['a'\] = 1; give"),
        (lambda run: plots.accuracy_of_heads(NUMBER), "run = 1; give what nd.train"),
        (lambda run: plots.time_constants({"a": run}), "none of them solved an N"),
        (lambda run: plots.network_timescales([], {"median": {"a": []}}), "n is empty"),
        (lambda run: plots.network_timescales([2], {}), "values is empty"),
        (lambda run: plots.network_timescales([2], {"median": {}}), "values is empty"),
        (lambda run: plots.network_timescales([2], {"median": {"a": [1, 2]}}), r"values\['median'\]\['a'\] has shape"),
        (
            lambda run: plots.network_timescales([2], {"median": {"a": [1]}}, {"median": {"b": [1]}}),
            "null has 'b', which values has not",
        ),
        (lambda run: plots.network_timescales([2], {"median": {"a": [1]}}, {"mean": {}}), "null has 'mean'"),
    ],
)
def test_wrong_input_is_named(call, words, unsolved):
    with pytest.raises(ValueError, match=words):
        call(unsolved)


def test_published_curves_are_checked(single):
    with pytest.raises(ValueError, match="published 'a' has shape"):
        plots.time_constants({"a": single}, published_mean={"a": ([2], [])})


def test_networks_without_time_constants_and_stages_with_gaps():
    with pytest.raises(ValueError, match=r"runs\['gated'\] trained a network of kind GRU, which has no time constants"):
        plots.time_constants({"gated": trained("multi-head", epochs=1, network=nd.GRU)})
    with pytest.raises(ValueError, match="gaps between its N"):
        plots.accuracy_of_heads(trained(Odd()))
