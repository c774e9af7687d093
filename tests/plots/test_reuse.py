from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from neurodyn import plots
from neurodyn.analysis import KickNeurons, ModularReuse, NullTest, SubspaceAngles, angle_null


def kicks(pairs):
    """Three units for each transition, all its own."""
    count = len(pairs)
    units = 3 * count
    passes = np.repeat(np.eye(count, dtype=bool), 3, axis=1)
    return KickNeurons(
        directions=tuple(pairs),
        states=np.full((count, 4), 20),
        profile=np.zeros((count, 4, units)),
        opening=np.zeros((count, 4, units)),
        sd=np.ones(units),
        score=np.ones((count, units)),
        passes=passes,
        arriving=np.ones(count, dtype=int),
        groups=tuple(np.flatnonzero(row) for row in passes),
        passing=NullTest(np.full(count, 3.0), np.zeros((39, count))),
        overlap=3 * np.eye(count, dtype=int),
        overlap_p=np.ones((count, count)),
        skipped=(),
        activity=np.ones(units),
    )


def result(three=False) -> ModularReuse:
    pairs = ((0, 1), (1, 0), (0, 2)) if three else ((0, 2), (2, 0))
    planes: dict[tuple[int, int], Any] = (
        {(0, 1): np.eye(4)[:2], (0, 2): np.eye(4)[2:]} if three else {(0, 2): np.eye(4)[:2]}
    )
    angles: dict[Any, SubspaceAngles] = {}
    if three:
        found = angle_null(planes[(0, 1)], planes[(0, 2)], kind="gaussian", samples=50)
        angles[(0, 1), (0, 2)] = found
    one = NullTest(0.5, np.linspace(0, 1, 40), "greater")
    return ModularReuse(
        symbols=(0, 1, 2) if three else (0, 2),
        cluster_share=np.array([0.5, 0.2, 0.3]),
        marginal=np.array([0.4, 0.2, 0.4]),
        split={0: NullTest(2.0, one.null, "greater"), 1: one, 2: None},
        allowed=pairs[:2],
        kicks=kicks(pairs),
        planes=planes,
        plane_share=dict.fromkeys(planes, 0.9),
        plane_steps=dict.fromkeys(planes, 500),
        angles=angles,
    )


def test_parts_of_two_networks_side_by_side(sound, texts):
    figure = plots.modular_reuse({"chain": result(), "full": result(three=True)})
    sound(figure)
    left, middle, right = figure.axes
    assert [p.get_width() for p in left.patches] == [0.5, 0.3, 0.5, 0.2, 0.3]  # type: ignore[attr-defined]
    shown = texts(figure)
    assert "chain: 0 (split)" in shown and "full: 2" in shown and "full: 0 → 2" in shown and "full: 01, 02" in shown
    red = to_rgba(plots.OKABE_ITO["vermillion"])
    wide = [p for p in middle.patches if p.get_width() == 3]  # type: ignore[attr-defined]
    assert [p.get_facecolor() == red for p in wide] == [False, False, False, True, False]
    marks = {line.get_marker(): line.get_xdata() for line in right.lines}
    assert np.allclose(marks["o"], 90) and np.allclose(marks["s"], 90)


def test_one_network_has_no_name(sound, texts):
    figure = plots.modular_reuse(result())
    sound(figure)
    shown = texts(figure)
    assert "0 → 2" in shown and "one pair of symbols:\nno planes to compare" in shown
    with pytest.raises(ValueError, match="results is empty"):
        plots.modular_reuse({})
