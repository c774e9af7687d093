import numpy as np
import pytest

from neurodyn import analysis, plots

TIME = np.arange(0.0, 60_000.0, 20.0)
RNG = np.random.default_rng(0)
WEIGHTS = np.clip(np.cumsum(RNG.normal(0, 0.25, (60, 400)), axis=0) + 1, 0, 4)
PULSES = RNG.random((len(TIME), 60)) < 0.004
TRACE = np.zeros(PULSES.shape)
for _k in range(1, len(TIME)):
    TRACE[_k] = TRACE[_k - 1] * 0.98 + PULSES[_k]
REWARDS = TIME[PULSES[:, 3]][:-2] + 1000
REWARDS = REWARDS[(REWARDS > 2000) & (REWARDS < 56_000)]


def test_distribution_shows_shares_and_bounds(sound, texts, xy):
    history = analysis.weight_history(WEIGHTS, bounds=(0, 4))
    figure = plots.weight_distribution(np.arange(60) * 10.0, history, units="mV")
    sound(figure)
    top, bottom = figure.axes[:2]
    mesh = np.asarray(top.collections[0].get_array()).reshape(40, 60)
    assert np.allclose(mesh.sum(axis=0), 1) and np.allclose(mesh[:, 5], history.counts[5] / 400)
    assert np.allclose(xy(bottom.lines[0])[1], history.high) and np.allclose(xy(bottom.lines[1])[1], history.low)
    assert {"weight (mV)", "time (s)", "share of synapses", "Synapses at the bounds"} <= set(texts(figure))


def test_distribution_without_bounds_has_one_panel(sound):
    figure = plots.weight_distribution(np.arange(60) ** 1.5, analysis.weight_history(WEIGHTS))
    sound(figure)
    assert len(figure.axes) == 2  # with its colour bar


def test_trace_of_a_synapse(sound, texts, xy):
    others = np.delete(TRACE, 3, axis=1)
    figure = plots.synapse_trace(
        TIME / 1e3, TRACE[:, 3], others=others, rewards=REWARDS / 1e3, bounds=(0, 3), name="eligibility"
    )
    sound(figure)
    lines = {line.get_label(): xy(line) for line in figure.axes[0].lines}
    assert np.array_equal(lines["rewarded synapse"][1], TRACE[:, 3])
    assert np.allclose(lines["others, median"][1], np.median(others, axis=1))
    assert np.array_equal(lines[f"rewards ({len(REWARDS)})"][0], REWARDS / 1e3)
    assert {"eligibility", "time (s)", "bounds", "others, 5 to 95 %"} <= set(texts(figure))
    sound(plots.synapse_trace([0, 1], [1, 2]))


def test_eligibility_beside_both_nulls(sound, texts, xy):
    result = analysis.eligibility_at_reward(TIME, TRACE, REWARDS, 3)
    figure = plots.eligibility_at_reward(result)
    sound(figure)
    for ax, test in zip(figure.axes, (result.timing, result.specificity), strict=True):
        assert sum(patch.get_height() for patch in ax.patches) == test.samples  # type: ignore[attr-defined]
        assert xy(ax.lines[0])[0][0] == test.observed
        assert f"p = {test.p:.2g}" in ax.get_title(loc="left")
    assert {"null", "rewarded synapse", "number of synapses"} <= set(texts(figure))


def test_average_around_rewards(sound, texts, xy):
    one = analysis.reward_triggered_average(TIME, TRACE[:, 3], REWARDS, window=(-1500, 1500))
    figure = plots.reward_triggered(one, name="eligibility")
    sound(figure)
    assert np.array_equal(xy(figure.axes[0].lines[0])[1], one.mean)
    assert {"eligibility", "time after reward (ms)", "mean ± SEM", "null, 5 to 95 %"} <= set(texts(figure))
    two = analysis.reward_triggered_average(TIME, TRACE[:, 3:5], REWARDS, window=(-1500, 1500))
    figure = plots.reward_triggered(two, channels=("rewarded", "another"))
    sound(figure)
    assert np.array_equal(xy(figure.axes[1].lines[0])[1], two.mean[:, 1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda h: plots.weight_distribution([0, 1], h), "time has shape"),
        (lambda h: plots.weight_distribution(np.zeros(60), h), "60 snapshots that must increase"),
        (lambda h: plots.synapse_trace([0, 1], [1]), "weight has shape"),
        (lambda h: plots.synapse_trace([0, 1], [1, 2], others=[[1]]), "others has shape"),
        (lambda h: plots.synapse_trace([0, 1], [1, 2], rewards=[np.nan]), "rewards is nan"),
        (
            lambda h: plots.reward_triggered(
                analysis.reward_triggered_average(TIME, TIME, [5e3], window=(0, 100)), channels=("a", "b")
            ),
            "channels: 2 names given for 1",
        ),
    ],
)
def test_wrong_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(analysis.weight_history(WEIGHTS))
