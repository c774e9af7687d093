import numpy as np
import pytest

from neurodyn import plots

TIME = np.arange(0.0, 700.0, 5.0)
TARGET = np.stack([0.8 * np.exp(-((TIME - 250) ** 2) / 1800), 0.2 * np.exp(-((TIME - 400) ** 2) / 1800)], axis=1)
AFTER = TARGET + np.random.default_rng(0).normal(0, 0.01, (5, *TARGET.shape))
MARKS = {"cue_ms": 100, "latencies_ms": (150, 300)}


def test_seeds_mean_and_target_of_each_event(sound, texts, xy):
    figure = plots.expectation_traces(TIME, np.zeros_like(AFTER), AFTER, TARGET, **MARKS)
    sound(figure)
    before, after = figure.axes
    # per event: 5 seeds, mean, target; then cue and two triangles
    assert len(before.lines) == len(after.lines) == 2 * 7 + 3
    thick = [line for line in after.lines if line.get_linewidth() > 1.5]
    assert np.allclose(xy(thick[0])[1], AFTER[:, :, 0].mean(0))
    found = texts(figure)
    assert {"Expectation before learning", "Expectation after learning", "time (ms)", "expectation"} <= set(found)
    assert {"A (mean)", "B (mean)", "one of 5 seeds", "target", "cue", "latency", "a", "b"} <= set(found)


def test_latencies_count_from_the_cue(xy):
    figure = plots.expectation_traces(TIME, TARGET, TARGET, TARGET, **MARKS)
    triangles = [xy(line)[0][0] for line in figure.axes[0].lines if line.get_marker() == "v"]
    assert triangles == [250, 400]
    bare = plots.expectation_traces(TIME, TARGET, TARGET, TARGET, latencies_ms=(150, 300))
    assert [xy(line)[0][0] for line in bare.axes[0].lines if line.get_marker() == "v"] == [150, 300]


def test_one_network_with_a_note(sound, texts):
    figure = plots.expectation_traces(
        TIME, TARGET, TARGET, TARGET, note="Seed 0, tests with the cue only.", units="a.u."
    )
    sound(figure)
    found = texts(figure)
    assert "Seed 0, tests with the cue only." in found
    assert "expectation (a.u.)" in found
    assert "A" in found
    assert not any("seeds" in text for text in found)


def test_a_seed_without_values_leaves_the_mean_of_the_others(xy):
    broken = AFTER.copy()
    broken[0] = np.nan
    figure = plots.expectation_traces(TIME, broken, AFTER, TARGET)
    thick = [line for line in figure.axes[0].lines if line.get_linewidth() > 1.5]
    assert np.allclose(xy(thick[0])[1], AFTER[1:, :, 0].mean(0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"before": AFTER[:, :-1]}, "before has shape"),
        ({"after": AFTER[..., :1]}, "after has shape"),
        ({"target": TARGET[:, :1]}, "target has shape"),
        ({"time_ms": []}, "time_ms is empty"),
        ({"latencies_ms": [150]}, "latencies_ms: 1 given for 2 events"),
    ],
)
def test_wrong_input_is_named(change, words):
    given = {"time_ms": TIME, "before": AFTER, "after": AFTER, "target": TARGET, **change}
    with pytest.raises(ValueError, match=words):
        plots.expectation_traces(*[given.pop(k) for k in ("time_ms", "before", "after", "target")], **given)
