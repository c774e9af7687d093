"""Movements of primitives: D2 and its facts, joint angles, segmentation, bad input."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neurodyn.analysis import binomial_interval
from neurodyn.tasks import JointAngles, Primitives

UNIFORM = np.full((4, 4), 0.25)
TASKS = {
    "loops": Primitives(),
    "four loops": Primitives(
        centres=[(0.5, 0), (0, 0.4), (-0.4, -0.1), (0.1, -0.45)], transition=UNIFORM, duration=(9, 9)
    ),
    "joints": JointAngles(),
    "two joints": JointAngles(joints=2, shape=7),
    "four movements": JointAngles(joints=4, transition=UNIFORM, start=3),
}


def test_the_loops_of_the_data_set_d2():
    """A left, B upper right, C lower right; radius = distance of the centre; A, then B or C, then A."""
    task = Primitives()
    phase = np.arange(12) / 12
    for k, centre in enumerate([(-0.45, 0), (0.32, 0.32), (0.32, -0.32)]):
        curve = task.curve(k, phase)
        np.testing.assert_allclose(np.linalg.norm(curve - centre, axis=1), np.hypot(*centre), rtol=1e-14)
        np.testing.assert_allclose(curve[0], 0, atol=1e-15)
        np.testing.assert_allclose(curve[6], 2 * np.array(centre), atol=1e-15)
        area = _area(curve)
        assert area > 0  # counter-clockwise
    found = task.sample(8, 120, seed=1)
    assert found.values.shape == (8, 120, 2) and found.values.dtype == np.float64 and found.labels.shape == (8, 120)
    for labels, onsets, order in zip(found.labels, found.onsets, found.order, strict=True):
        assert order[0] == 0 and (order[::2] == 0).all() and (order[1::2] > 0).all()
        lasting = np.diff(onsets)
        assert onsets[0] == 0 and set(lasting) <= {10, 11, 12, 13, 14} and len(set(lasting)) > 1
        assert (np.flatnonzero(np.diff(labels)) + 1 == onsets[1:]).all()


def _area(curve):
    x, y = curve.T
    return (x * np.roll(y, -1) - y * np.roll(x, -1)).sum()


def test_statistics_of_a_large_sample():
    """1600 choices and more: bounds of 4.5 standard errors, or stated."""
    task = Primitives()
    found = task.sample(400, 120, seed=2)
    after_a = np.concatenate([order[1:][order[:-1] == 0] for order in found.order])
    assert abs((after_a == 1).mean() - 0.7) < 4.5 * np.sqrt(0.21 / len(after_a)) and set(after_a) == {1, 2}
    lasting = np.concatenate([np.diff(onsets) for onsets in found.onsets])
    counts = np.bincount(lasting, minlength=15)[10:] / len(lasting)
    assert np.abs(counts - 0.2).max() < 0.03  # slightly fewer long ones: the last is cut
    # Persistence on unseen sequences after step 20, in the pilot: .054, .189, .361, .686.
    errors = [np.square(found.values[:, 20 + h :] - found.values[:, 20:-h]).sum(axis=2).mean() for h in (1, 2, 3, 5)]
    np.testing.assert_allclose(errors, [0.054, 0.189, 0.361, 0.686], rtol=0.06)
    # What is left without the curves is noise and amplitude.
    starts = np.concatenate([found.values[s, onsets] for s, onsets in enumerate(found.onsets)])
    assert np.std(starts) == pytest.approx(0.01, rel=0.05)
    still = Primitives(noise=0, amplitude_sd=0).sample(2, 40, seed=2)
    for s, (onsets, order) in enumerate(zip(still.onsets, still.order, strict=True)):
        for k in range(len(onsets) - 1):
            phase = np.arange(onsets[k + 1] - onsets[k]) / (onsets[k + 1] - onsets[k])
            np.testing.assert_allclose(
                still.values[s, onsets[k] : onsets[k + 1]], task.curve(order[k], phase), atol=1e-15
            )


@pytest.mark.parametrize("name", TASKS)
def test_segments_are_the_primitives_that_were_drawn(name):
    task = TASKS[name]
    drawn = task.sample(20, 400, seed=5)
    found = task.segment(drawn.values)
    for labels, peaks, onsets, order in zip(found.labels, found.peaks, drawn.onsets, drawn.order, strict=True):
        # The last one counts if it came back to home before the sequence ended.
        assert len(labels) in (len(order) - 1, len(order))
        assert (labels == order[: len(labels)]).all()
        assert (np.searchsorted(onsets, peaks, side="right") - 1 == np.arange(len(peaks))).all()
    alone = task.segment(drawn.values[3])
    assert len(alone.labels) == 1 and (alone.labels[0] == found.labels[3]).all()
    both = task.segment(drawn.values.reshape(2, 10, *drawn.values.shape[1:]))
    assert all((a == b).all() for a, b in zip(both.labels, found.labels, strict=True))


def test_excursions_that_are_cut_do_not_count():
    task = Primitives(noise=0, amplitude_sd=0)
    values = task.sample(1, 60, seed=1).values[0]
    whole = task.segment(values)
    from_the_middle = task.segment(values[6:])  # the first loop is at its extreme
    assert (from_the_middle.peaks[0] == whole.peaks[0][1:] - 6).all()
    until_the_middle = task.segment(values[: whole.peaks[0][-1] + 1])
    assert (until_the_middle.peaks[0] == whole.peaks[0][:-1]).all()
    # Between the thresholds nothing begins and nothing ends.
    wavering = np.zeros((9, 2))
    wavering[:, 0] = [0, 0.4, 0.5, 0.44, 0.5, 0.31, 0.6, 0.2, 0.4]
    found = task.segment(wavering)
    assert found.labels[0].tolist() == [1] and found.peaks[0].tolist() == [6]
    assert len(task.segment(wavering, out=0.47, back=0.32).labels[0]) == 2
    assert task.segment(np.zeros((2, 5, 2))).labels[1].size == 0


def test_labels_by_the_extreme_point():
    task = Primitives()
    points = {0: (-0.9, 0.2), 1: (0.5, 0.7), 2: (0.7, -0.5)}
    for label, point in points.items():
        assert task.segment(np.array([(0, 0), point, (0, 0)])).labels[0].tolist() == [label]


@pytest.mark.parametrize("name", ["joints", "two joints", "four movements"])
def test_joint_angles_stay_in_range_and_return_home(name):
    task = TASKS[name]
    assert isinstance(task, JointAngles)
    found = task.sample(100, 300, seed=4)
    assert np.abs(found.values).max() <= 0.8 and (np.abs(task.home) <= 0.15).all()
    starts = np.concatenate([found.values[s, onsets] for s, onsets in enumerate(found.onsets)])
    np.testing.assert_allclose(starts.mean(axis=0), task.home, atol=2e-3)
    assert starts.std(axis=0).max() < 0.012  # noise of 0.01 alone
    for k in range(task.number):
        np.testing.assert_allclose(task.curve(k, [0, 1]), 0, atol=1e-15)
    noisy = JointAngles(noise=0.05, amplitude_sd=0.3)
    assert np.abs(noisy.sample(200, 300, seed=1).values).max() <= 0.8


def test_chance_of_the_joint_angles():
    order = JointAngles().sample(200, 400, seed=6).order
    after_a = np.concatenate([o[1:][o[:-1] == 0] for o in order])
    interval = binomial_interval(int((after_a == 1).sum()), len(after_a), confidence=0.9999)
    assert interval.low < 0.7 < interval.high and set(after_a) == {1, 2}


@pytest.mark.parametrize("name", TASKS)
def test_a_function_of_seed_and_step_that_begins_with_the_shorter(name):
    task = TASKS[name]
    short = task.sample(3, 50, seed=1, step=4)
    for long in (task.sample(5, 50, seed=1, step=4), task.sample(3, 170, seed=1, step=4)):
        np.testing.assert_array_equal(long.values[:3, :50], short.values)
        np.testing.assert_array_equal(long.labels[:3, :50], short.labels)
    for other in (task.sample(3, 50, seed=2, step=4), task.sample(3, 50, seed=1, step=5)):
        assert not np.allclose(other.values, short.values)
    stored = json.loads(json.dumps(task.config))
    assert stored.pop("task") == type(task).__name__
    again = type(task)(**stored)
    assert again.config == task.config
    np.testing.assert_array_equal(again.sample(3, 50, seed=1, step=4).values, short.values)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: Primitives(centres=[(0.0, 0.0)] * 3), "centres=.*finite and not the origin"),
        (lambda: Primitives(centres=[(0.1, 0.2)] * 2), r"transition has shape \(3, 3\) for 2 primitives"),
        (lambda: Primitives(transition=[[0.5, 0.4], [1, 0]]), r"transition: row 0 sums to 0\.9"),
        (lambda: Primitives(duration=(14, 10)), r"duration=\(14, 10\): give the least and the greatest"),
        (lambda: Primitives(duration=(3, 10)), "duration=3: give a whole number, at least 4"),
        (lambda: Primitives(noise=-1), "noise=-1: give a finite standard deviation"),
        (lambda: Primitives(amplitude_sd=np.inf), "amplitude_sd=inf"),
        (lambda: Primitives(start=3), "start=3: there are primitives 0 to 2"),
        (lambda: Primitives().sample(1, 0, seed=1), "length=0: give a whole number, at least 1"),
        (lambda: Primitives().segment(np.zeros((5, 3))), r"values has shape \(5, 3\): .* with 2 dimensions"),
        (lambda: Primitives().segment(np.full((5, 2), np.nan)), r"values holds nan at index \(0, 0\)"),
        (lambda: Primitives().segment(np.zeros((5, 2)), out=0.1), "out=0.1, back=0.3.*out above back"),
        (lambda: JointAngles(joints=1), "joints=1: give a whole number, at least 2"),
        (lambda: JointAngles(noise=0.2), "noise=0.2, .*: too large to keep angles within 0.8"),
        (
            lambda: JointAngles(joints=2, transition=np.full((12, 12), 1 / 12)),
            "shape=1: no 12 movements of 2 joints that differ enough in 500 attempts",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
