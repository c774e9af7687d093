"""Any array as a target: courses, times of learning, noise, the clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.tasks import Supervisor


def whole(session: nd.Session, name: str = "target") -> np.ndarray:
    return np.concatenate([trial.inputs[name] for trial in session.trials])


def test_a_course_is_repeated_on_one_time_base() -> None:
    task = Supervisor(np.arange(12.0).reshape(4, 3), dt="2 ms", names=("a", "b", "c"))
    session = task.session("18 ms", learning=("6 ms", "12 ms"))
    assert session.dt == 2e-3 and session.channels["target"] == ("a", "b", "c") and task.course == 8e-3
    np.testing.assert_array_equal(whole(session), np.tile(task.signal, (3, 1))[:9])
    assert [t.steps for t in session.trials] == [3, 1, 2, 2, 1]
    assert [t.learning for t in session.trials] == [False, True, True, False, False]
    assert [t.reset for t in session.trials] == [True, False, False, False, False]
    assert [t.labels["phase"] for t in session.trials] == ["before", "learning", "learning", "after", "after"]
    assert [t.labels["course"] for t in session.trials] == [0, 0, 1, 1, 2]


def test_equal_courses_share_their_arrays() -> None:
    session = Supervisor(np.zeros(5)).session("25 ms", learning=("0 ms", "25 ms"))
    assert len({id(t.inputs["target"].base) for t in session.trials}) == 1
    assert not session.trials[0].inputs["target"].flags.writeable


def test_noise_is_new_in_each_course_and_keyed_by_the_seed() -> None:
    task = Supervisor(np.zeros((50, 2)), noise=0.5)
    first, again, other = (whole(task.session("200 ms", learning=("0 s", "0 s"), seed=s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.min() >= 0 and first.max() < 0.5 and first.std() > 0.1
    assert not np.array_equal(first, other) and not np.array_equal(first[:50], first[50:100])
    np.testing.assert_array_equal(whole(task.session("100 ms", learning=("0 s", "0 s"))), first[:100])


def test_the_clock_gives_each_channel_its_half_wave() -> None:
    task = Supervisor(np.zeros(60), clock=6)
    pulses = task.pulses()
    assert pulses.shape == (60, 6)
    for q in range(6):
        expected = np.zeros(60)
        expected[10 * q : 10 * q + 10] = np.sin(np.pi * np.arange(10) / 10)
        np.testing.assert_allclose(pulses[:, q], expected, atol=1e-14)
    session = task.session("90 ms", learning=("0 ms", "30 ms"))
    assert session.channels["clock"] == tuple(f"pulse{k}" for k in range(6))
    np.testing.assert_array_equal(whole(session, "clock"), np.concatenate([pulses, pulses[:30]]))
    assert "clock" not in Supervisor(np.zeros(60)).session("60 ms", learning=("0 s", "0 s")).channels


def test_a_network_follows_ones_own_array() -> None:
    """From an array to learned weights in three lines."""
    task = Supervisor(np.sin(np.arange(500) * 2 * np.pi / 500), dt="0.2 ms")  # 10 Hz
    session = task.session("700 ms", learning=("100 ms", "600 ms"))
    run = nd.simulate(nd.NicolaClopath(neurons=100), session, record=["output.y"])
    y, f = np.asarray(run["output.y"]).ravel(), np.repeat(whole(session).ravel(), 5)
    assert not y[:2500].any() and np.abs((y - f)[12500:15000]).mean() < 0.6 * np.abs(f).mean()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signal": []}, "signal has shape"), ({"signal": [np.nan]}, "signal is nan"), ({"signal": np.zeros((2, 2, 2))}, "signal has shape"),
        ({"names": ("a", "b")}, "names="), ({"noise": -1.0}, "noise=-1.0"), ({"clock": 5}, "clock=5: the signal has 4 samples"), ({"clock": -1}, "clock=-1"),
        ({"dt": "0 ms"}, "dt="),
    ],
)  # fmt: skip
def test_targets_that_can_not_be(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Supervisor(**{"signal": np.zeros(4), **options})


@pytest.mark.parametrize(
    ("duration", "learning", "message"),
    [
        ("10 ms", ("5 ms", "20 ms"), "learning="), ("10 ms", ("5 ms", "4 ms"), "in order"), ("10.5 ms", ("0 ms", "1 ms"), "duration: '10.5 ms' is not a whole"),
        ("0 ms", ("0 ms", "0 ms"), "duration='0 ms'"), ("30 ms", ("0 ms", "1 ms"), "isn't repeated; use at most"), ("10 ms", ("0.5 ms", "1 ms"), "learning: '0.5 ms'"),
    ],
)  # fmt: skip
def test_sessions_that_can_not_be(duration: str, learning: tuple[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Supervisor(np.zeros(20), repeat=False).session(duration, learning=learning)
