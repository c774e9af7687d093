"""The step at which generated sequences leave their targets."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodyn.analysis import divergence_step
from neurodyn.tasks import FiniteState, Primitives


def test_by_hand():
    target = np.array([[0, 1, 1], [1, 1, 0]])
    generated = np.array([[[0, 1, 1], [0, 1, 0]], [[0, 1, 0], [1, 0, 0]]])
    found = divergence_step(generated, target)
    assert found.steps.tolist() == [[3, 0], [2, 1]] and found.length == 3
    assert found.mean == 1.5 and found.by_sequence.tolist() == [2.5, 0.5] and found.kept == 0.25
    assert found.sd == pytest.approx(np.sqrt(1.25))
    alone = divergence_step(torch.tensor(generated[1]), torch.tensor(target))
    assert alone.steps.tolist() == [[2, 1]] and "divergence step 1.50 of 3" in str(alone)


def test_chance_of_the_pilot():
    """Legal sequences with independent choices from one start: 2 + 3 q/(1 - q) = 6.1 with q = .7^2 + .3^2."""
    target, generated = (FiniteState.cycle().sample(4000, 48, seed=seed)[1] for seed in (1, 2))
    found = divergence_step(generated, target)
    assert found.mean == pytest.approx(2 + 3 * 0.58 / 0.42, abs=4.5 * found.sd / np.sqrt(4000))
    assert found.mean == pytest.approx(6.1, abs=0.5) and (found.steps % 3 == 2)[found.steps < 48].all()


def test_values_differ_beyond_a_threshold():
    target = Primitives().sample(3, 60, seed=1).values
    moved = target.copy()
    moved[0, 25:] += [0.3, 0.4]
    moved[1, 10, 1] = np.nan
    moved[2] += [0.0, 0.29]
    found = divergence_step(moved, target, threshold=0.3)
    assert found.steps.tolist() == [[25, 10, 60]]
    assert divergence_step(moved, target, threshold=0.51).steps.tolist() == [[60, 10, 60]]
    assert divergence_step(target[None].repeat(4, axis=0), target, threshold=0).steps.tolist() == [[60] * 3] * 4


SYMBOLS = np.zeros((2, 3), dtype=int)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: divergence_step(SYMBOLS, SYMBOLS[0]), r"target has shape \(3,\), not \(sequence, time\)"),
        (lambda: divergence_step(np.zeros((2, 3, 1)), np.zeros((2, 3, 1))), "of values, give a threshold"),
        (lambda: divergence_step(SYMBOLS, SYMBOLS, threshold=1), r"not \(sequence, time, dimension\)"),
        (lambda: divergence_step(SYMBOLS[:, :2], SYMBOLS), r"generated has shape \(1, 2, 2\), target \(2, 3\)"),
        (lambda: divergence_step(SYMBOLS + 0.5, SYMBOLS), "generated has dtype float64: give symbols as whole numbers"),
        (lambda: divergence_step(np.zeros((1, 2, 1)), np.full((1, 2, 1), np.nan), threshold=1), "target holds values"),
        (lambda: divergence_step(np.zeros((1, 2, 1)), np.zeros((1, 2, 1)), threshold=-1), "threshold = -1"),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
