"""Arrays left in the file give the same numbers as those read, and only what is asked for is read."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.recording import LazyArray, Recording


@pytest.fixture(scope="module", params=["in memory", "in a file"])
def recording(request, tmp_path_factory) -> Recording:
    out = None if request.param == "in memory" else tmp_path_factory.mktemp("lazy") / "run.h5"
    cells = nd.leaky_integrate_and_fire("cells", 7, parameters={"bias": "250 pA"})
    return nd.simulate(nd.Circuit([cells], dt="0.1 ms"), "50 ms", record=["spikes", "cells.v"], out=out)


def test_slices_are_those_of_the_array(recording: Recording) -> None:
    lazy, whole = recording.lazy("v"), recording["v"]
    assert lazy.shape == whole.shape and lazy.dims == whole.dims and lazy.dtype == whole.dtype
    assert lazy.units == whole.attrs["units"] and len(lazy) == len(whole) and lazy.nbytes == whole.nbytes
    np.testing.assert_array_equal(lazy[-20:, 3], whole.values[-20:, 3])
    np.testing.assert_array_equal(np.asarray(lazy), whole.values)
    np.testing.assert_array_equal(np.concatenate(list(lazy.blocks(33))), whole.values)
    np.testing.assert_array_equal(lazy.coordinate("time"), whole["time"].values)
    assert "time: 500, unit: 7" in repr(lazy)


def test_what_is_no_array(recording: Recording) -> None:
    for key in ("spikes", "rate"):
        with pytest.raises(KeyError, match="has spikes"):
            recording.lazy(key)
    with pytest.raises(KeyError, match="did you mean"):
        recording.lazy("cells.w")
    with pytest.raises(KeyError, match="no coordinate 'trial'"):
        recording.lazy("v").coordinate("trial")
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(recording.lazy("v"), copy=False)


def test_a_copy_travels_between_processes(recording: Recording) -> None:
    import pickle

    again: LazyArray = pickle.loads(pickle.dumps(recording)).lazy("v")
    np.testing.assert_array_equal(again[:5], recording["v"].values[:5])
