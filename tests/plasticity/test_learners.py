"""How weights of readouts change: each rule against its formula in NumPy, least squares, and what never changes them."""

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.plasticity.learners import Signals

UNITS, STEPS = 6, 40
OUTPUTS = ("a", "b", "c", "d", "e")


def circuit(learner, *, outputs=OUTPUTS, units=UNITS, signals=None, switch=True, **options):
    """A readout y = w x of units whose values x are an input, so that every number of a rule can be recomputed."""
    x = nd.Input("x_in", tuple(f"x{k}" for k in range(units)))
    cells = nd.Population("cells", units, code="v = I", variables={"v": "1", "I": "1"})
    signals = signals or Signals(x="x", power="power", gate="gate")
    readout = nd.Readout(
        "out", "cells.v", outputs, state={"x": "unit", "y": "output", "q": "output"}, memory={"w": "output*unit", "power": ("network", 2.0)},
        per_step="x = r\ny = sum(w*x)\nq = y", rule=learner.rule("rule", signals, dt=1e-3), **options,
    )  # fmt: skip
    inputs = [
        x,
        nd.Input("target", outputs),
        nd.Input("gate", outputs),
        *([nd.Input("switch", ("switch",))] if switch else []),
    ]
    return nd.Circuit(
        [cells], [nd.Connection(x, cells, "I", pattern="one-to-one")], inputs=inputs, readouts=[readout], dt="1 ms"
    )


def data(seed=0, *, steps=STEPS, units=UNITS, outputs=5, gated=True):
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(steps, units)), rng.normal(size=(steps, outputs))
    gate = (rng.random((steps, outputs)) < 0.6) * rng.random((steps, outputs)) if gated else np.ones((steps, outputs))
    gate[::5] = 0 if gated else 1
    return {"x_in": x, "target": target, "gate": gate}


def learned(net, inputs, *, trials=1, backend="interpreter", learning=True, record=("weights",), **trial):
    steps = len(inputs["target"]) // trials
    parts = [{k: v[n * steps : (n + 1) * steps] for k, v in inputs.items()} for n in range(trials)]
    session = nd.Session(tuple(nd.Trial(steps, p, learning=learning, **trial) for p in parts), dt=1e-3)
    return nd.simulate(net, session, record=list(record), backend=backend)


def final(run, name="out.w"):
    return np.asarray(run.network().values[name])


# -- each rule against its formula ----------------------------------------------------------------------------------


def delta(inputs, change):
    w = np.zeros((len(inputs["target"][0]), len(inputs["x_in"][0])))
    for x, target, gate in zip(inputs["x_in"], inputs["target"], inputs["gate"], strict=True):
        w += np.outer(change(x, target - w @ x, gate), x)
    return w


@pytest.mark.parametrize(
    ("learner", "change", "backend"),
    [
        (nd.ThreeFactor(rate=0.2), lambda x, e, g: 0.2 * g * e / (x @ x + 0.1 * 2.0), "numba"),
        (nd.ThreeFactor(rate=0.2), lambda x, e, g: 0.2 * g * e / (x @ x + 0.1 * 2.0), "interpreter"),
        (nd.LocalThreeFactor(rate=0.05), lambda x, e, g: 0.05 * g * e, "interpreter"),
        (nd.NLMS(rate=0.3, epsilon=0.5), lambda x, e, g: 0.3 * e / (0.5 + x @ x), "interpreter"),
    ],
    ids=["three-factor compiled", "three-factor", "local", "nlms"],
)  # fmt: skip
def test_delta_rules(learner, change, backend):
    inputs = data()
    np.testing.assert_allclose(
        final(learned(circuit(learner), inputs, backend=backend)), delta(inputs, change), rtol=1e-11, atol=1e-13
    )


def rls(inputs, *, every=1, forgetting=1.0, alpha=1.0, old=False, gated=True):
    x = inputs["x_in"]
    p, w = np.eye(x.shape[1]) / alpha, np.zeros((inputs["target"].shape[1], x.shape[1]))
    for step in range(0, len(x), every):
        gate = inputs["gate"][step] if gated else np.ones(1)
        if gated and gate.sum() <= 0:
            continue
        error = gate * (inputs["target"][step] - w @ x[step])
        k = p @ x[step] / (forgetting + x[step] @ p @ x[step])
        gain = p @ x[step] if old else k
        p = (p - np.outer(k, x[step] @ p)) / forgetting
        w = w + np.outer(error, gain)
    return w, p


@pytest.mark.parametrize(
    ("options", "reference"),
    [
        ({"every": "1 ms", "alpha": 0.5}, {"alpha": 0.5}), ({"every": "3 ms", "alpha": 2.0, "forgetting": 0.9}, {"every": 3, "alpha": 2.0, "forgetting": 0.9}),
        ({"every": "1 ms", "alpha": 20.0, "variant": "nicola_clopath"}, {"alpha": 20.0, "old": True}),
        ({"every": "2 ms", "alpha": 1.0, "gated": False}, {"every": 2, "gated": False}), ({"every": "1 ms"}, {"alpha": 0.1 * 2.0}),
    ],
)  # fmt: skip
def test_recursive_least_squares(options, reference):
    inputs = data(1)
    run = learned(circuit(nd.FORCE(**options)), inputs)
    w, p = rls(inputs, **reference)
    np.testing.assert_allclose(final(run), w, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(final(run, "rule.P"), p, rtol=1e-9, atol=1e-11)


def test_recursive_least_squares_compiled():
    inputs = data(1)
    net = circuit(nd.FORCE(every="2 ms", alpha=0.5, forgetting=0.95))
    for name in ("out.w", "rule.P"):
        np.testing.assert_allclose(
            final(learned(net, inputs, backend="numba"), name), final(learned(net, inputs), name), rtol=1e-9, atol=1e-12
        )


def test_force_finds_five_linear_targets():
    """With more samples than units the weights are those of regularised least squares, alpha being nearly nothing."""
    rng, inputs = np.random.default_rng(2), data(2, gated=False, steps=200)
    true = rng.normal(size=(5, UNITS))
    inputs["target"] = inputs["x_in"] @ true.T
    run = learned(circuit(nd.FORCE(every="1 ms", alpha=1e-6, gated=False)), inputs, record=["readout"])
    np.testing.assert_allclose(final(run), true, rtol=1e-6)
    errors = np.abs(np.asarray(run["out.y"]) - inputs["target"]).max(axis=1)
    assert errors[0] > 0.5 and errors[UNITS + 1 :].max() < 1e-3


def test_forgetting_follows_a_change_and_without_it_there_is_a_mean_of_both():
    """[D] of the sheet: after n samples of p1 and n of p2, RLS without forgetting stands halfway."""
    n = 100
    inputs = {"x_in": np.ones((2 * n, 1)), "target": np.repeat([[0.8], [0.2]], n, axis=0), "gate": np.ones((2 * n, 1))}
    results = {}
    for forgetting in (1.0, 0.96):
        net = circuit(nd.FORCE(every="1 ms", alpha=1e-3, forgetting=forgetting, gated=False), outputs=("z",), units=1)
        results[forgetting] = float(final(learned(net, inputs)).ravel()[0])
    assert results[1.0] == pytest.approx(0.5, abs=1e-4)
    assert results[0.96] == pytest.approx(0.2 + 0.6 * 0.96**n, abs=2e-3)


@pytest.mark.parametrize("learner", [nd.FORCE(alpha=1.0, every="1 ms"), nd.TrialFORCE(alpha=1.0)])
def test_a_switch_starts_the_matrix_again_only_where_asked(learner):
    inputs = data(3, steps=4 * 10)
    switched = {**inputs, "switch": np.zeros((40, 1))}
    switched["switch"][20:30] = 1.0  # the third trial
    with_reset = type(learner)(**{**vars(learner), "reset": "switch"})
    p = {
        k: final(learned(circuit(rule), switched, trials=4), "rule.P")
        for k, rule in (("no", learner), ("yes", with_reset))
    }
    late = {k: v[20:] for k, v in inputs.items()}
    np.testing.assert_allclose(p["no"], final(learned(circuit(learner), inputs, trials=4), "rule.P"), rtol=1e-12)
    np.testing.assert_allclose(p["yes"], final(learned(circuit(learner), late, trials=2), "rule.P"), rtol=1e-12)


def test_trial_delta_moves_once_a_trial():
    inputs, net = data(4), circuit(nd.TrialDelta(rate=0.3), signals=Signals(x="x", y="q", gate="gate"))
    w = np.zeros((5, UNITS))
    for step in range(9, STEPS, 10):  # values at the end of each of four trials
        x = inputs["x_in"][step]
        w += 0.3 * np.outer(inputs["target"][step] - w @ x, x) / (x @ x)
    np.testing.assert_allclose(final(learned(net, inputs, trials=4)), w, rtol=1e-12)


def test_trial_delta_is_an_exponential_mean():
    """q_n = p + (q_0 - p)(1 - eta)^n for a constant outcome (corrections of the sheet)."""
    n, rate = 30, 0.04
    inputs = {"x_in": np.tile([1.0, 2.0, 3.0], (n, 1)), "target": np.ones((n, 1)), "gate": np.ones((n, 1))}
    net = circuit(nd.TrialDelta(rate=rate), outputs=("z",), units=3, signals=Signals(x="x", y="q", gate="gate"))
    w = final(learned(net, inputs, trials=n)).ravel()
    assert w @ [1.0, 2.0, 3.0] == pytest.approx(1 - (1 - rate) ** n, rel=1e-12)


# -- what never changes weights ------------------------------------------------------------------------------------

LEARNERS = [
    nd.ThreeFactor(),
    nd.LocalThreeFactor(),
    nd.NLMS(),
    nd.FORCE(alpha=1.0, every="1 ms"),
    nd.FORCE(alpha=1.0, gated=False),
    nd.TrialDelta(),
    nd.TrialFORCE(),
]


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda x: type(x).__name__)
def test_without_learning_weights_stay_bit_identical(learner):
    start = np.random.default_rng(5).normal(size=(5, UNITS))
    net = circuit(learner).with_values({"out.w": start})
    np.testing.assert_array_equal(final(learned(net, data(5), learning=False, trials=2)), start)
    assert not np.array_equal(final(learned(net, data(5), trials=2)), start)


@pytest.mark.parametrize(
    "learner",
    [nd.ThreeFactor(), nd.LocalThreeFactor(), nd.FORCE(alpha=1.0, every="1 ms")],
    ids=lambda x: type(x).__name__,
)
def test_a_closed_gate_stops_its_output_and_no_other(learner):
    start, inputs = np.random.default_rng(6).normal(size=(5, UNITS)), data(6)
    inputs["gate"][:, [0, 3]] = 0.0
    w = final(learned(circuit(learner).with_values({"out.w": start}), inputs))
    np.testing.assert_array_equal(w[[0, 3]], start[[0, 3]])
    assert (w[[1, 2, 4]] != start[[1, 2, 4]]).all()
    inputs["gate"][:] = 0.0
    np.testing.assert_array_equal(final(learned(circuit(learner).with_values({"out.w": start}), inputs)), start)


@pytest.mark.parametrize("learner", LEARNERS, ids=lambda x: type(x).__name__)
def test_silent_cells_break_nothing(learner):
    inputs = data(7)
    inputs["x_in"][:, 1:] = 0.0  # 5 of 6 cells
    inputs["x_in"][::3] = 0.0  # and steps in which nobody speaks
    w = final(learned(circuit(learner), inputs, trials=2))
    assert np.isfinite(w).all()
    np.testing.assert_array_equal(w[:, 1:], 0.0)


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nd.ThreeFactor(rate=0.0), "ThreeFactor: rate = 0.0, give a positive number"), (lambda: nd.LocalThreeFactor(rate=-1.0), "rate = -1.0"),
        (lambda: nd.NLMS(rate=np.nan), "NLMS: rate = nan"), (lambda: nd.NLMS(epsilon=np.inf), "epsilon = inf"), (lambda: nd.TrialDelta(rate=-0.1), "TrialDelta: rate"),
        (lambda: nd.FORCE(forgetting=0.0), "FORCE: forgetting = 0.0, allowed is above 0 up to 1"), (lambda: nd.FORCE(forgetting=1.1), "forgetting = 1.1"),
        (lambda: nd.FORCE(alpha=-1.0), "FORCE: alpha = -1.0"), (lambda: nd.FORCE(variant="nicola"), "variant = 'nicola', allowed are 'canonical' and"),
        (lambda: nd.FORCE(reset="always"), "reset = 'always', allowed are None and 'switch'"), (lambda: nd.TrialFORCE(alpha=0.0), "TrialFORCE: alpha = 0.0"),
        (lambda: nd.TrialFORCE(forgetting=2.0), "TrialFORCE: forgetting = 2.0"), (lambda: nd.TrialFORCE(reset="x"), "TrialFORCE: reset = 'x'"),
        (lambda: circuit(nd.FORCE(every="1.5 ms")), "every = '1.5 ms'"), (lambda: circuit(nd.FORCE(every="5 mV")), "every='5 mV' is a voltage"),
        (lambda: circuit(nd.FORCE(every="-5 ms")), "every='-5 ms' is out of range"),
    ],
)  # fmt: skip
def test_parameters_that_can_not_be(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- rules of one's own --------------------------------------------------------------------------------------------


def test_a_rule_of_ones_own_in_ten_lines():
    """Oja's rule: one output finds the first principal component of its inputs."""
    rng = np.random.default_rng(8)
    mix = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    x = rng.normal(size=(3000, 3)) * [2.0, 0.5, 0.3] @ mix.T
    oja = nd.Rule("oja", parameters={"eta": 0.01}, per_step="w += eta*y*(x - y*w)")
    net = circuit(nd.ThreeFactor(), outputs=("pc",), units=3)
    readout = nd.Readout("out", "cells.v", ("pc",), state={"x": "unit", "y": "output"}, memory={"w": ("output*unit", 0.5)},
                         per_step="x = r\ny = sum(w*x)", rule=oja)  # fmt: skip
    w = final(learned(net.with_part(readout), {"x_in": x, "target": np.zeros((3000, 1))})).ravel()
    assert abs(w @ mix[:, 0]) > 0.98
    assert np.linalg.norm(w) == pytest.approx(1, abs=0.1)


def test_supervised_learning_of_a_spiking_network():
    """The rates tell whether the cue is on; by the second half the readout follows it."""
    on = np.repeat([1.0, 0.0] * 4, 60)[:, None]
    learner = nd.Supervised(outputs=("on",), learner=nd.FORCE(alpha=0.1, every="1 ms", gated=False), feedback=0.5)
    net = nd.SpikingReservoir(60, seed=2)
    assert [c.name for c in learner.attach(net).connections][-1] == "output_feedback"
    session = nd.Session((nd.Trial(480, {"target": on, "task": on * [1.0, 0.0, 0.0]}),), dt=1e-3)
    run = nd.simulate(net, session, learn=learner, record=["readout"], backend="interpreter")
    y = np.asarray(run["output"])[240:, 0]
    assert np.corrcoef(y, on[240:, 0])[0, 1] > 0.75


@pytest.mark.parametrize(
    "learner",
    [nd.ThreeFactor(), nd.LocalThreeFactor(rate=1.0), nd.NLMS(), nd.FORCE(alpha=1.0), nd.FORCE(alpha=1.0, gated=False)],
)
@pytest.mark.parametrize("outputs", [("z",), ("p", "q")])
def test_any_learner_may_be_supervised_with_one_output_or_more(learner, outputs):
    supervised = nd.Supervised(outputs=outputs, learner=learner)
    inputs = {"target": np.ones((60, len(outputs))), "task": np.tile([5.0, 0.0, 0.0], (60, 1))}
    run = nd.simulate(
        nd.SpikingReservoir(20),
        nd.Session((nd.Trial(60, inputs),), dt=1e-3),
        learn=supervised,
        record=["weights"],
        backend="interpreter",
    )
    assert np.abs(final(run, "output.w")).max() > 0
