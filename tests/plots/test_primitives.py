import numpy as np
import pytest

from neurodyn import plots
from neurodyn.analysis import transition_table
from neurodyn.tasks import JointAngles, Primitives


@pytest.mark.parametrize("task, panels", [(Primitives(), 2), (JointAngles(joints=3), 1)], ids=["plane", "joints"])
def test_a_movement_and_its_primitives(task, panels, sound, texts, xy):
    values = task.sample(1, 120, seed=1).values[0]
    found = task.segment(values)
    figure = plots.movement(values, found.labels[0], found.peaks[0], target=values + 0.02)
    sound(figure)
    assert len(figure.axes) == panels
    shown = texts(figure)
    assert shown.count("A") >= (found.labels[0] == 0).sum() and "dimension 1" in shown and "target of 0" in shown
    line = figure.axes[0]
    np.testing.assert_array_equal(xy(line.lines[0])[1], values[:, 0])
    assert [list(xy(mark)[0]) for mark in line.lines if list(xy(mark)[1]) == [0, 1]] == [[p, p] for p in found.peaks[0]]
    if panels == 2:
        first = xy(figure.axes[1].lines[1])
        np.testing.assert_array_equal(np.stack(first, axis=1), values[found.peaks[0][found.labels[0] == 0]])


def test_a_movement_with_nothing_in_it(sound):
    sound(plots.movement(np.zeros((5, 2)), [], []))
    with pytest.raises(ValueError, match=r"labels has shape \(2,\), peaks \(1,\)"):
        plots.movement(np.zeros((5, 2)), [0, 1], [1])
    with pytest.raises(ValueError, match=r"names = \['A'\]: 1 names for 2 primitives"):
        plots.movement(np.zeros((5, 2)), [0, 1], [1, 2], names=["A"])


def test_table_of_transitions(sound, texts):
    found = transition_table([[0, 1, 0, 0, 1]], primitives=3, allowed=[[0, 0.7, 0.3], [1, 0, 0], [1, 0, 0]])
    figure = plots.transition_table(found, names=["left", "up", "down"])
    sound(figure)
    shown = texts(figure)
    assert shown.count("none") == 3 and {"left", "up", "down", "0.67\n0.21–0.94"} <= set(shown)
    assert "next primitive (framed: not allowed)" in shown and len(figure.axes[0].patches) == 1
    legal = plots.transition_table(transition_table([[0, 1, 0]], allowed=[[0, 1], [1, 0]]))
    assert "next primitive" in texts(legal) and not legal.axes[0].patches
