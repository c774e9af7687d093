"""Arrays of a recording cut into trials."""

from __future__ import annotations

import numpy as np
import pytest

import neurodyn as nd


def recorded(steps: tuple[int, ...], every: str = "1 ms"):
    """A ramp that begins anew in each trial: the number of the step, in ms."""
    cells = nd.Population("cells", 2, code="v += 1", variables={"v": "1"}, dt="1 ms")
    net = nd.Circuit([cells], inputs=[nd.Input("cue", ("cue",))], dt="1 ms")
    trials = tuple(nd.Trial(n, {}, labels={"event": "AB"[k % 2]}) for k, n in enumerate(steps))
    session = nd.Session(trials, dt="1 ms", channels={"cue": ("cue",)})
    return nd.simulate(net, session, record=[nd.Sample("cells.v", every=every)], backend="interpreter")


def test_trials_of_one_length() -> None:
    run = recorded((4, 4, 4))
    cut = run.by_trial("cells.v")
    assert cut.dims == ("trial", "time", "unit") and cut.shape == (3, 4, 2)
    assert cut["time"].values.tolist() == [1, 2, 3, 4] and cut["time"].attrs["units"] == "ms"
    assert cut.values[:, :, 0].tolist() == [[1, 2, 3, 4]] * 3
    assert cut["event"].values.tolist() == ["A", "B", "A"]
    assert cut.sel(trial=cut["event"] == "A").shape == (2, 4, 2) and cut.attrs == run["cells.v"].attrs


def test_shorter_trials_end_in_nan() -> None:
    cut = recorded((2, 5, 1)).by_trial("v").values[:, :, 1]
    assert np.array_equal(cut, [[1, 2, *[np.nan] * 3], [1, 2, 3, 4, 5], [1, *[np.nan] * 4]], equal_nan=True)


def test_samples_at_other_times_of_trials() -> None:
    with pytest.raises(ValueError, match="at other times of trial 0 than of trial 1"):
        recorded((3, 3), every="2 ms").by_trial("v")  # at 2, 4 and 6 ms of 6
    assert recorded((4, 4), every="2 ms").by_trial("v")["time"].values.tolist() == [2, 4]


def test_what_cannot_be_cut() -> None:
    cells = nd.Population("cells", 2, code="v += 1", variables={"v": "1"}, dt="1 ms")
    run = nd.simulate(nd.Circuit([cells], dt="1 ms"), "3 ms", record=["cells.v"], backend="interpreter")
    with pytest.raises(KeyError, match="speed"):
        run.by_trial("speed")
    assert run.by_trial("cells.v").shape == (1, 3, 2)  # a run without a session is one trial
    with pytest.raises(ValueError, match="spikes can't be cut into an array"):
        nd.simulate(nd.Circuit([nd.poisson("a", 2, "1 Hz")]), "3 ms", backend="interpreter").by_trial("spikes")
