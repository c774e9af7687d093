"""Features and the pair of readouts: every number of a learned session recomputed from its recorded spikes."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.network import realize
from neurodyn.parts import CircuitError
from neurodyn.plasticity.features import FEATURES, running

TASK = nd.tasks.WhatWhen(latencies=("100 ms", "160 ms"), probability=0.7, trial="300 ms", cue="50 ms", window="90 ms")
RECORD = ["spikes", "readout", "stimulus", "weights", "rate", "when.x", "what.z"]


def run(rule, *, neurons=40, trials=6, seed=2, record=RECORD, net=None, session=None):
    session = session or TASK.session(trials=trials, calibration=2, test_trials=1, tests=[2])
    return nd.simulate(
        net or nd.SpikingReservoir(neurons, seed=seed), session, learn=rule, record=record, backend="interpreter"
    ), session


@pytest.fixture(scope="module")
def standard():
    return run(nd.WhatWhenRule())


def trials_of(recording, name):
    table, values = recording.trials, np.asarray(recording[name])
    starts = (table["start_ms"].to_numpy()).astype(int)
    return [values[a : a + int(d)] for a, d in zip(starts, table["duration_ms"], strict=True)]


def kinds(session):
    return np.array([t.learning for t in session.trials]), np.array([t.calibration for t in session.trials])


# -- from spikes to features ---------------------------------------------------------------------------------------


def test_rates_are_the_filtered_spikes(standard):
    recording, session = standard
    spikes = np.zeros((round(session.duration * 1e3), 40))
    np.add.at(spikes, (np.rint(recording["spikes"].times).astype(int), recording["spikes"].ids.astype(int)), 1)
    r, expected = np.zeros(40), []
    decay, jump = np.exp(-1e-3 / 0.03), 1 / 0.03
    starts = set(recording.trials["start_ms"].astype(int))
    for k, now in enumerate(spikes):
        r = r * decay * (k not in starts) + jump * now
        expected.append(r)
    np.testing.assert_allclose(recording["rate.r"], expected, rtol=1e-9, atol=1e-12)


def calibrated(recording, session, scale=1.0):
    _, calibration = kinds(session)
    scored = np.concatenate(
        [s[:, 0] > 0 for s, c in zip(trials_of(recording, "stimulus/scored"), calibration, strict=True) if c]
    )
    r = np.concatenate([x for x, c in zip(trials_of(recording, "rate.r"), calibration, strict=True) if c]) * scale
    return r[scored]


def test_standardized_features(standard):
    recording, session = standard
    r, rates = calibrated(recording, session), np.asarray(recording["rate.r"])
    sd = r.std(axis=0)
    assert (sd == 0).mean() > 0.05  # cells that were silent in calibration get a finite gain
    last = int(np.flatnonzero(kinds(session)[1])[-1]) + 1
    start = sum(t.steps for t in session.trials[:last])
    np.testing.assert_allclose(
        recording["when.x"][start:], ((rates - r.mean(axis=0)) / (sd + sd.mean()))[start:], rtol=1e-7, atol=1e-9
    )


def test_features_of_a_silent_network_are_zero_and_learning_stays_finite():
    """E9: finite with 60 % of the cells silent, and with all of them."""
    net = nd.SpikingReservoir(20, seed=2)
    session = TASK.session(trials=1, calibration=1, test_trials=1, tests=[])
    for silenced in (12, 20):
        for features, when in (*((name, nd.ThreeFactor()) for name in FEATURES), ("standardized", nd.FORCE())):
            recording, _ = run(
                nd.WhatWhenRule(features=features, when=when), net=net.lesion("cells", range(silenced)), session=session
            )
            assert np.unique(recording["spikes"].ids).size <= 20 - silenced
            for name, value in recording.network().values.items():
                assert np.isfinite(np.asarray(value, dtype=float)).all(), name


def test_raw_features_are_rates_in_units_of_100_hz():
    recording, session = run(nd.WhatWhenRule(features="raw"), trials=3)
    np.testing.assert_array_equal(recording["when.x"], np.asarray(recording["rate.r"]) * 0.01)
    power = recording.network().values["when.power"]
    assert power == pytest.approx(np.mean(np.sum(calibrated(recording, session, 0.01) ** 2, axis=1)), rel=1e-9)


def test_running_features_keep_a_mean_and_a_variance_for_each_synapse():
    recording, session = run(nd.WhatWhenRule(features="running"), trials=3)
    learning, calibration = kinds(session)
    mean, variance, count, expected = np.zeros(40), np.zeros(40), 0, []
    parts = zip(
        trials_of(recording, "rate.r"), trials_of(recording, "stimulus/scored"), learning | calibration, strict=True
    )
    for r, scored, counts in parts:
        for now, score in zip(r, scored[:, 0], strict=True):
            expected.append((now - mean) / (np.sqrt(variance) + 3.0))
            if counts and score > 0:
                count = min(count + 1, 60_000)
                deviation = now - mean
                mean = mean + deviation / count
                variance = variance + (deviation * (now - mean) - variance) / count
    np.testing.assert_allclose(recording["when.x"], expected, rtol=1e-7, atol=1e-9)
    seen = np.concatenate([r[s[:, 0] > 0] for r, s, c in zip(
        trials_of(recording, "rate.r"), trials_of(recording, "stimulus/scored"), learning | calibration, strict=True) if c])  # fmt: skip
    np.testing.assert_allclose(mean, seen.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(variance, seen.var(axis=0), rtol=1e-7, atol=1e-12)


def test_the_floor_of_running_features_is_a_parameter():
    assert running(7.0).parameters["floor"] == 7.0


# -- the pair of rules ---------------------------------------------------------------------------------------------


def test_the_when_rule_is_its_formula(standard):
    recording, session = standard
    values = {k: trials_of(recording, k) for k in ("when.x", "when/y", "stimulus/target", "stimulus/gate")}
    power, w = float(recording.network().values["when.power"]), np.zeros((2, 40))
    for k, trial in enumerate(session.trials):
        for x, y, target, gate in zip(*(v[k] for v in values.values()), strict=True):
            np.testing.assert_allclose(w @ x, y, rtol=1e-7, atol=1e-9)
            if trial.learning:
                w += 0.03 * np.outer(gate * (target - y), x) / (x @ x + 0.1 * power)
    np.testing.assert_allclose(recording.network().values["when.w"], w, rtol=1e-6, atol=1e-9)
    assert np.abs(w).max() > 0


def test_the_what_rule_is_its_formula(standard):
    recording, session = standard
    rates, windows = trials_of(recording, "rate.r"), trials_of(recording, "stimulus/window")
    occurred, v = trials_of(recording, "stimulus/occurred"), np.zeros((2, 40))
    for k, trial in enumerate(session.trials):
        z = 0.01 * rates[k][windows[k][:, 0] > 0].mean(axis=0)
        np.testing.assert_allclose(trials_of(recording, "what/q")[k][-1], v @ z, rtol=1e-7, atol=1e-9)
        if trial.learning:
            v += 0.04 * np.outer(occurred[k][-1] - v @ z, z) / (z @ z)
    np.testing.assert_allclose(recording.network().values["what.v"], v, rtol=1e-7, atol=1e-10)


def test_the_expectation_is_the_product_of_what_and_when(standard):
    recording, _ = standard
    q, y = np.asarray(recording["what/q"]), np.asarray(recording["when/y"])
    np.testing.assert_array_equal(recording["what/expectation"], np.maximum(q, 0) * np.maximum(y, 0))
    np.testing.assert_array_equal(recording["when/feedback"], np.clip(y, 0, 1.5))
    assert np.asarray(recording["what/expectation"]).max() > 0


def test_feedback_reaches_the_cells_one_step_later(standard):
    recording, session = standard
    net = nd.WhatWhenRule().attach(nd.SpikingReservoir(40, seed=2))
    wiring = realize(net).wiring
    record = ["cells.I_in", "readout", "stimulus"]
    again, _ = run(nd.WhatWhenRule(), record=record)
    back = np.asarray(again["when/feedback"])
    assert wiring["feedback"].matrix is not None and wiring["input"].matrix is not None
    expected = (
        np.asarray(again["stimulus/task"]) @ wiring["input"].matrix
        + np.vstack([np.zeros((1, 2)), back[:-1]]) @ wiring["feedback"].matrix
    )
    starts = again.trials["start_ms"].astype(int)
    rows = ~np.isin(np.arange(len(back)), starts)  # a reset takes the feedback back
    np.testing.assert_allclose(np.asarray(again["cells.I_in"])[rows], expected[rows], rtol=1e-9, atol=1e-12)
    assert (np.abs(wiring["feedback"].matrix) <= 1.5).all()


def test_only_the_event_that_came_is_learned(standard):
    """The gate is open for its channel alone."""
    recording, session = standard
    times = recording["weights/when/w"].time.to_numpy()
    first = next(k for k, t in enumerate(session.trials) if t.learning)
    one = nd.Session(session.trials[: first + 1], dt=session.dt, channels=session.channels)
    w = run(nd.WhatWhenRule(), session=one)[0].network().values["when.w"]
    channel = {"A": 0, "B": 1}[str(session.trials[first].labels["event"])]
    assert np.abs(w[channel]).max() > 0
    np.testing.assert_array_equal(w[1 - channel], 0)
    assert len(times) >= 3


def test_one_merged_readout_learns_on_all_channels():
    rule = nd.WhatWhenRule(merged=True)
    recording, session = run(rule, trials=2)
    values = {k: trials_of(recording, k) for k in ("when.x", "when/y", "stimulus/target", "stimulus/occurred")}
    power, w = float(recording.network().values["when.power"]), np.zeros((2, 40))
    for k, trial in enumerate(session.trials):
        for x, y, target, occurred in zip(*(v[k] for v in values.values()), strict=True):
            if trial.learning:
                w += 0.03 * np.outer(target * occurred - y, x) / (x @ x + 0.1 * power)
    np.testing.assert_allclose(recording.network().values["when.w"], w, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(recording["what/expectation"], np.maximum(recording["when/y"], 0))


def test_no_feedback_leaves_the_connection_out():
    net = nd.WhatWhenRule(feedback=0).attach(nd.SpikingReservoir(10))
    assert [c.name for c in net.connections] == ["recurrent", "input"]


def test_more_events_make_more_outputs():
    net = nd.WhatWhenRule().attach(nd.SpikingReservoir(10, events=("A", "B", "C")))
    assert net["when"].outputs == net["what"].outputs == net["target"].channels == ("A", "B", "C")
    one = nd.tasks.WhatWhen(latencies=("100 ms",), probability=(1.0,), trial="300 ms", cue="50 ms", window="90 ms")
    recording, _ = run(
        nd.WhatWhenRule(),
        net=nd.SpikingReservoir(10, events=("A",)),
        session=one.session(trials=2, calibration=1, test_trials=1),
    )
    assert recording["when/y"].shape[1] == 1


@pytest.mark.parametrize("what", [nd.TrialDelta(), nd.TrialFORCE(), nd.TrialFORCE(forgetting=0.96)])
@pytest.mark.parametrize(
    "when", [nd.ThreeFactor(), nd.LocalThreeFactor(), nd.NLMS(), nd.FORCE(), nd.FORCE(forgetting=0.999)]
)
def test_any_pair_of_learners_lowers(when, what):
    rule = nd.WhatWhenRule(when=when, what=what)
    program = rule.attach(nd.SpikingReservoir(10)).program
    assert program.phase("learn") and program.phase("trial_end")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nd.WhatWhenRule(features="scaled"), "features = 'scaled', allowed are standardized, raw, running"),
        (lambda: nd.WhatWhenRule(feedback=-1.0), "feedback = -1.0, give 0 or a positive number"), (lambda: nd.WhatWhenRule(feedback=np.nan), "feedback = nan"),
        (lambda: nd.WhatWhenRule(population="cell").attach(nd.SpikingReservoir(5)).program, "no part 'cell'; did you mean 'cells'"),
        (lambda: nd.WhatWhenRule(variable="I").attach(nd.SpikingReservoir(5)).program, "'cells' has no variable 'I'"),
        (lambda: nd.WhatWhenRule(tau="-30 ms").attach(nd.SpikingReservoir(5)), "rate.tau='-30 ms' is out of range"),
        (lambda: nd.WhatWhenRule().attach(nd.Circuit()), "needs a circuit with an input 'task'"),
    ],
)  # fmt: skip
def test_rules_that_can_not_be(make, message):
    with pytest.raises((ValueError, CircuitError), match=message):
        make()
