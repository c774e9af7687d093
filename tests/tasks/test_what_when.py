import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodyn.session import Trial
from neurodyn.tasks import WhatWhen, expected

THREE = {"latencies": ("120 ms", "240 ms", "360 ms"), "probability": (0.5, 0.3, 0.2)}


def trials_of(session, phase):
    return [trial for trial in session.trials if trial.labels["phase"] == phase]


def order_of(session):
    return [trial.labels["event"] for trial in trials_of(session, "train")]


class TestOneTrial:
    task = WhatWhen()

    def first(self, event):
        trials = trials_of(self.task.session(10), "train")
        return next(trial for trial in trials if trial.labels["event"] == event)

    def test_time_is_k_dt(self):
        assert self.task.time_ms.tolist() == list(range(700))
        assert WhatWhen(dt="0.5 ms").time_ms[:3].tolist() == [0.0, 0.5, 1.0]

    def test_cue_decays_from_its_onset_in_every_trial(self):
        since = np.arange(600)
        for trial in self.task.session(2).trials:
            cue = trial.inputs["task"][:, 0]
            assert not cue[:100].any()
            assert cue[100:] == pytest.approx(np.exp(-since / 300), abs=1e-15)

    @pytest.mark.parametrize("event, column, onset", [("A", 1, 250), ("B", 2, 400)])
    def test_pulse_of_the_event(self, event, column, onset):
        task = self.first(event).inputs["task"]
        assert np.flatnonzero(task[:, column]).tolist() == list(range(onset, onset + 30))
        assert task[:, column].max() == 1.0
        assert not task[:, 3 - column].any()

    def test_target_is_a_unit_bump_for_every_event_in_every_trial(self):
        for trial in self.task.session(2).trials:
            target = trial.inputs["target"]
            assert target.argmax(axis=0).tolist() == [250, 400]
            assert target.max(axis=0).tolist() == [1.0, 1.0]
            assert target[280, 0] == pytest.approx(np.exp(-0.5)) == target[220, 0]

    def test_masks(self):
        trial = self.first("B")
        assert trial.inputs["occurred"].tolist() == [0.0, 1.0]
        assert np.flatnonzero(trial.inputs["window"][:, 0]).tolist() == list(range(100, 200))
        assert np.flatnonzero(trial.inputs["scored"][:, 0]).tolist() == list(range(100, 700))
        assert np.flatnonzero(trial.inputs["gate"][:, 1]).tolist() == list(range(100, 700))

    def test_names_and_shapes_match_the_channels_of_the_session(self):
        session = WhatWhen(**THREE).session(1)
        assert session.channels["task"] == ("cue", "A", "B", "C")
        for trial in session.trials:
            assert set(trial.inputs) == set(session.channels)
            for name, values in trial.inputs.items():
                rows = () if name in ("occurred", "switch") else (700,)
                assert values.shape == (*rows, len(session.channels[name]))

    def test_arrays_are_read_only(self):
        with pytest.raises(ValueError, match="read-only"):
            self.first("A").inputs["task"][0, 0] = 1.0


class TestSession:
    def test_order_of_phases(self):
        session = WhatWhen().session(12, tests=(0, 3, 12), test_trials=2, calibration=4)
        told = [(trial.labels["phase"], trial.labels["exposure"]) for trial in session.trials]
        expected_order = [("calibration", 0)] * 4 + [("test", 0)] * 2
        for number in range(1, 13):
            expected_order += [("train", number)]
            expected_order += [("test", number)] * 2 if number in (3, 12) else []
        assert told == expected_order

    def test_only_training_learns_and_only_calibration_calibrates(self):
        for trial in WhatWhen().session(3).trials:
            assert trial.learning == (trial.labels["phase"] == "train")
            assert trial.calibration == (trial.labels["phase"] == "calibration")
            assert trial.reset

    def test_without_learning_there_is_only_the_cue(self):
        for trial in trials_of(WhatWhen().session(3), "test") + trials_of(WhatWhen().session(3), "calibration"):
            assert trial.labels["event"] == "none" and np.isnan(trial.labels["latency_ms"])
            assert not trial.inputs["task"][:, 1:].any()
            assert not trial.inputs["gate"].any() and not trial.inputs["occurred"].any()

    def test_labels(self):
        trial = trials_of(WhatWhen(events=("left", "right")).session(10, block=3), "train")[0]
        assert trial.labels["block"] == 3 and trial.labels["cue_ms"] == 100.0
        assert trial.labels["event"] in ("left", "right")
        assert trial.labels["latency_ms"] == {"left": 150.0, "right": 300.0}[trial.labels["event"]]
        assert trial.labels["probability"] == 0.8 and "p_left" not in trial.labels

    @pytest.mark.parametrize(
        "trials, points",
        [(7, [1, 7]), (25, [1, 10, 25]), (100, [1, 10, 25, 50, 100]), (130, [1, 10, 25, 50, 100, 130])],
    )
    def test_standard_tests(self, trials, points):
        numbers = [trial.labels["exposure"] for trial in trials_of(WhatWhen().session(trials), "test")]
        assert numbers == sorted(points * 3)

    def test_order_of_events_depends_on_neither_tests_nor_calibration_nor_jitter(self):
        order = order_of(WhatWhen().session(50))
        assert order_of(WhatWhen().session(50, tests=(), calibration=0)) == order
        assert order_of(WhatWhen(jitter="20 ms").session(50, tests=(2, 3))) == order
        assert order_of(WhatWhen().session(50, seed=2)) != order
        assert order_of(WhatWhen().session(50, block=1)) != order

    def test_config_goes_into_a_file(self):
        config = WhatWhen(**THREE, gate=lambda time, latency: time * 0).session(3).config
        assert json.loads(json.dumps(config)) == config
        assert config["latencies"] == ["120 ms", "240 ms", "360 ms"] and config["session"]["tests"] == [1, 3]

    def test_sessions_are_joined(self):
        first, second = WhatWhen(), WhatWhen(probability=0.2)
        joined = first.session(2) + second.session(2, calibration=0, block=1)
        assert [t.labels["probability"] for t in trials_of(joined, "train")] == [0.8, 0.8, 0.2, 0.2]


class TestEvents:
    def test_three_events(self):
        task = WhatWhen(**THREE)
        session = task.session(100)
        assert task.names == ("A", "B", "C") and task.probabilities == (0.5, 0.3, 0.2)
        assert [order_of(session).count(name) for name in "ABC"] == [50, 30, 20]
        labels = session.trials[0].labels
        assert [labels[f"p_{name}"] for name in "ABC"] == [0.5, 0.3, 0.2] and labels["probability"] == 0.5

    def test_one_event(self):
        task = WhatWhen(latencies="200 ms", probability=1)
        assert order_of(task.session(3)) == ["A"] * 3
        assert task.expectation().shape == (700, 1)

    def test_more_events_than_letters(self):
        task = WhatWhen(latencies=["200 ms"] * 30, probability=[1 / 30] * 30)
        assert task.names[0] == "E1" and len(set(task.names)) == 30

    def test_the_rest_of_a_probability_has_no_rounding_noise(self):
        assert WhatWhen(probability=0.8).probabilities == (0.8, 0.2)

    @given(
        weights=st.lists(st.integers(0, 9), min_size=1, max_size=5).filter(any),
        latencies=st.lists(st.floats(100, 450), min_size=5, max_size=5),
        jitter=st.sampled_from(["0 ms", "5 ms", "300 ms"]),
        iid=st.booleans(),
        seed=st.integers(0, 2**64),
    )
    @settings(max_examples=30, deadline=None)
    def test_every_trial_agrees_with_itself(self, weights, latencies, jitter, iid, seed):
        p = [w / sum(weights) for w in weights]
        times = [f"{latency} ms" for latency in latencies[: len(p)]]
        task = WhatWhen(latencies=times, probability=p, jitter=jitter, iid=iid, dt="2 ms")
        for trial in trials_of(task.session(8, seed=seed), "train"):
            (event,) = np.flatnonzero(trial.inputs["occurred"])
            onset_ms = 100 + float(trial.labels["latency_ms"])
            assert trial.labels["event"] == task.names[event] and p[event] > 0
            assert trial.inputs["task"][:, 1:].sum(axis=0).nonzero()[0].tolist() == [event]
            assert trial.inputs["task"][:, 1 + event].sum() == 15
            assert abs(2 * np.argmax(trial.inputs["task"][:, 1 + event]) - onset_ms) <= 1 + 1e-6
            assert abs(2 * np.argmax(trial.inputs["target"][:, event]) - onset_ms) <= 1 + 1e-6
            assert trial.inputs["gate"][:, event].any()


class TestExpectation:
    def test_is_probability_times_bump(self):
        task = WhatWhen(probability=0.7)
        expectation = task.expectation()
        assert expectation.max(axis=0) == pytest.approx([0.7, 0.3])
        distance = (task.time_ms - 400) / 30
        assert expectation[:, 1] == pytest.approx(0.3 * np.exp(-0.5 * distance**2))

    @pytest.mark.parametrize("task", [WhatWhen(), WhatWhen(**THREE), WhatWhen(latencies="150 ms", probability=1)])
    def test_of_a_trial_equals_that_of_its_task(self, task):
        for trial in trials_of(task.session(2), "test"):
            assert np.array_equal(expected(trial), task.expectation())

    def test_of_a_foreign_trial_is_refused(self):
        with pytest.raises(ValueError, match="WhatWhen.session"):
            expected(Trial(3, {}))


class TestJitter:
    def latencies(self, **changes):
        trials = trials_of(WhatWhen(probability=1.0, **changes).session(1000, tests=()), "train")
        return np.array([trial.labels["latency_ms"] for trial in trials])

    def test_moments(self):
        # 1000 trials: standard error of the mean 0.63 ms, of the SD 0.45 ms; bounds of five
        values = self.latencies(jitter="20 ms")
        assert values.mean() == pytest.approx(150, abs=3.2)
        assert values.std() == pytest.approx(20, abs=2.3)

    def test_stays_in_the_trial(self):
        values = self.latencies(jitter="400 ms")
        assert values.min() >= 1.0 and values.max() <= 570.0
        assert values.min() < 10 and values.max() > 560

    def test_moves_the_target_of_the_event_that_occurs_only(self):
        for trial in trials_of(WhatWhen(jitter="30 ms").session(10), "train"):
            peaks = trial.inputs["target"].argmax(axis=0) - 100.0
            event = int(np.argmax(trial.inputs["occurred"]))
            assert peaks[event] == pytest.approx(trial.labels["latency_ms"], abs=0.51)
            assert peaks[1 - event] == (150, 300)[1 - event]


class TestDescription:
    def test_times_in_any_unit_make_equal_tasks(self):
        assert WhatWhen(latencies=("0.15 s", "300000 us"), trial="0.7 s", dt="1000 us") == WhatWhen()
        assert WhatWhen().with_(jitter=0, cue=0) == WhatWhen(jitter="0 ms", cue="0 ms")
        assert hash(WhatWhen()) == hash(WhatWhen(width="0.03 s"))

    def test_with_changes_one_thing(self):
        task = WhatWhen(**THREE).with_(width="50 ms")
        assert task.width == "50 ms" and task.latencies == THREE["latencies"]
        assert task.with_(width="30 ms") == WhatWhen(**THREE)

    def test_is_frozen_and_keyword_only(self):
        with pytest.raises(AttributeError):
            WhatWhen().width = "1 ms"  # type: ignore[misc]
        with pytest.raises(TypeError):
            WhatWhen(("150 ms", "300 ms"))  # type: ignore[misc]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"latencies": ()}, "latencies=.*at least one"),
        ({"latencies": (150, 300)}, r"latencies=\(150, 300\) is a number without unit"),
        ({"latencies": ("0 ms", "10 ms")}, "latencies=.*out of range"),
        ({"latencies": ("150 ms", "600 ms")}, "'600 ms'.*outside the trial of 700 ms.*570 ms"),
        ({"latencies": ("150 ms", "3 mV")}, "latencies mixes units"),
        ({"latencies": ("1 ms", "2 ms", "3 ms")}, r"probability=0.8: with 3 events give a sequence of 3"),
        ({"latencies": ("150 ms",)}, "probability=0.8: the sum is 0.8"),
        ({"probability": (0.5, 0.6)}, "the sum is 1.1"),
        ({"probability": (0.5, 0.25, 0.25)}, "with 2 events"),
        ({"probability": 1.01}, "probability=1.01: probabilities lie between 0 and 1"),
        ({"probability": float("nan")}, "probability=nan"),
        ({"probability": "often"}, "probability='often'"),
        ({"events": ("A",)}, "1 names, 2 latencies"),
        ({"events": ("A", "B", "C")}, "3 names, 2 latencies"),
        ({"events": ("A", "A")}, "different texts"),
        ({"events": ("cue", "A")}, "'cue' can't be used"),
        ({"width": "0 ms"}, "width='0 ms' is out of range"),
        ({"width": ("1 ms", "2 ms")}, "width=.*give one time"),
        ({"cue_decay": "-1 ms"}, "cue_decay"),
        ({"event_duration": "0 ms"}, "event_duration"),
        ({"jitter": "-1 ms"}, "jitter"),
        ({"window": "601 ms"}, "window='601 ms'"),
        ({"cue": "700 ms"}, "cue='700 ms'"),
        ({"dt": "0.3 ms"}, "not a whole number of dt='0.3 ms'"),
        ({"dt": "1 s"}, "not a whole number of dt"),
    ],
)  # fmt: skip
def test_bad_parameters(changes, message):
    with pytest.raises(ValueError, match=message):
        WhatWhen(**changes)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"trials": 0}, "trials=0: give a whole number, at least 1"),
        ({"trials": 2.5}, "trials=2.5"),
        ({"calibration": -1}, "calibration=-1"),
        ({"test_trials": 0}, "test_trials=0"),
        ({"seed": -1}, "seed=-1"),
        ({"tests": (5, 101)}, "101 is beyond the last training trial, trials=100"),
        ({"tests": 5}, r"tests=5: give a list"),
        ({"tests": (-1,)}, "tests=-1"),
    ],
)
def test_bad_sessions(options, message):
    with pytest.raises(ValueError, match=message):
        WhatWhen().session(**options)
