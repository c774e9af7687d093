"""The baseline of the PV-RNN: a short training, its errors, and the interval of differences in pairs."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def part():
    sys.path.insert(0, FOLDER)
    yield importlib.import_module("pvrnn.baseline")
    sys.path.remove(FOLDER)


def test_interval_is_that_of_student(part):
    """t of 4 degrees of freedom at .975 is 2.776."""
    ours = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    found = part.paired(ours + [10.0, 0.0], np.array([[10.0, 0.0]] * 5))
    half = 2.7764451 * np.sqrt(2.5 / 5)
    np.testing.assert_allclose([found.mean, found.low, found.high], np.array([3, 3 - half, 3 + half])[:, None] * [1, 1])
    assert found.pairs == 5
    for errors in (ours[:1], ours[:, 0]):
        with pytest.raises(ValueError, match="two seeds or more"):
            part.paired(errors, errors)


def test_baseline_is_trained_and_predicts(part):
    data = part.Data.of(nd.tasks.Primitives(), sequences=2, length=30, unseen=2, seed=4)
    coding = nd.SoftmaxCoding(dims=2, bins=12, low=-1.2, high=1.2)
    run = part.trained_vrnn(data, coding, [1, 2], updates=4, out=None)
    net = run.network("best")
    assert (net.d, net.z, net.seed) == (30, 3, (1, 2))
    errors = part.predicted_by_vrnn(run, data)
    assert errors.shape == (2, 5) and np.isfinite(errors).all() and not np.array_equal(errors[0], errors[1])
    assert not np.array_equal(part.predicted_by_vrnn(run, data, noise=0.0), errors)
