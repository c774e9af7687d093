"""Error regression: the protocol against torch, its limits, and what it does with bad or missing observations."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.models.pvrnn_layer import divergence

TWO = [nd.Layer(d=6, z=2, tau=2), nd.Layer(d=4, z=1, tau=4)]
STEPS = 9


def network(*, models: int = 2, dtype=torch.float32, **options) -> nd.PVRNN:
    made = nd.PVRNN(
        TWO, **{"output": nd.SoftmaxCoding(dims=2, bins=4), "seed": list(range(models)), "dtype": dtype, **options}
    )
    with torch.no_grad():
        for value in made.parameters():
            value += 0.1
    return made


def values(*, sequences: int = 3, steps: int = STEPS, seed: int = 1) -> np.ndarray:
    return np.tanh(np.random.default_rng(seed).normal(size=(sequences, steps, 2))) * 0.9


def online(regression, data) -> list:
    return [regression.step(data[:, t]) for t in range(data.shape[1])]


def same(one, other) -> None:
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def by_torch(net, data, *, window, iterations, initial, moments, growing=True, rate=0.1):
    """Predictions and postdictions, (model, sequence, time, dim), with one parameter for each step and its own Adam state."""
    encoded, (per_x, w, w_first) = net.output.encode(data, dtype=net.dtype), net.weights_of_loss
    shape, zero = (net.models, len(data), net.latents), net.output_weight.new_zeros(net.models, len(data), net.units)
    start, a, seen, predictions, postdictions = zero, [], [], [], []
    optimizer = torch.optim.Adam([torch.nn.Parameter(zero[:0])], lr=rate)

    def through(eps):
        h = start
        for k, vectors in enumerate(a):
            step = net.step(h, eps[k], adaptive=tuple(vectors), first=seen[k] == 0)
            yield step
            h = step.h

    def states():
        with torch.no_grad():
            return [step.h for step in through(torch.zeros(len(a), *shape))]

    for t in range(data.shape[1]):
        before = states()
        new = [torch.zeros(shape, dtype=net.dtype), torch.zeros(shape, dtype=net.dtype)]
        if initial == "previous" and t:
            new = [v.detach().clone() for v in a[-1]]
        elif initial == "prior":
            found = net.step(before[-1] if t else zero, new[0], adaptive=tuple(new), first=t == 0)
            new = [
                torch.atanh(found.prior_mean) - torch.atanh(found.posterior_mean),
                found.prior_log_sigma - found.posterior_log_sigma,
            ]
        if len(a) == window:
            start, a, seen = before[0], a[1:], seen[1:]
        a, seen = [*a, [torch.nn.Parameter(v) for v in new]], [*seen, t]
        if moments == "fresh":
            optimizer = torch.optim.Adam(list(itertools.chain(*a)), lr=rate)
        else:
            optimizer.add_param_group({"params": a[-1]})
        shape_of_noise = (net.models, len(data), iterations, window, net.latents)
        noise = net.noise("regression", len(data), iterations * window, step=t, key=1).reshape(shape_of_noise)
        for k in range(iterations if growing or len(a) == window else 0):
            loss = torch.zeros((), dtype=net.dtype)
            for j, step in enumerate(through(noise[:, :, k].movedim(2, 0))):
                error = net.output.loss(net.read(step.h), encoded.targets[:, seen[j]]) * encoded.observed[:, seen[j]]
                weight, kl = (w_first if seen[j] == 0 else w), divergence(step).sum(1)
                loss = (
                    loss
                    + per_x * error.sum()
                    + sum((weight[:, i] * kl[:, at].sum(1)).sum() for i, at in enumerate(net.of_z))
                )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            last = states()[-1]
            ahead = net.step(last, torch.zeros(shape, dtype=net.dtype)).h
            for kept, h in ((postdictions, last), (predictions, ahead)):
                kept.append(net.output.decode(net.output.activate(net.read(h))))
    return torch.stack(predictions, 2), torch.stack(postdictions, 2)


@pytest.mark.parametrize(
    ("initial", "moments", "growing"),
    [("zero", "fresh", True), ("prior", "kept", True), ("previous", "kept", False), ("prior", "fresh", False)],
)
@pytest.mark.parametrize("coupling", ["original", "beta"])
def test_the_protocol_is_that_of_torch(coupling, initial, moments, growing):
    switches = {"original": {}, "beta": {"top_down": "current", "bottom_up": False}}[coupling]
    net, data = network(dtype=torch.float64, **switches), values(steps=6)
    data[1, 2:4], data[0, 4, 1] = np.nan, np.nan
    options = {"window": 3, "iterations": 3, "initial": initial, "moments": moments, "growing": growing}
    regression = nd.ErrorRegression(net, sequences=3, meta_prior=None, missing="mask", **options)
    found, (predictions, postdictions) = regression.run(data), by_torch(net, data, **options)
    told = slice(0 if growing else 2, None)
    np.testing.assert_allclose(
        found.predictions[:, :, told][:, :, :-1, 0], predictions[:, :, told][:, :, :-1], atol=1e-9
    )
    np.testing.assert_allclose(found.postdictions[:, :, told], postdictions[:, :, told], atol=1e-9)


@pytest.mark.parametrize("options", [{}, {"moments": "kept", "noise": 1.0}, {"growing": False, "initial": "prior"}])
def test_online_steps_are_the_offline_run(options):
    net, data = network(), values()
    made = [nd.ErrorRegression(net, window=4, iterations=3, sequences=3, horizon=2, **options) for _ in range(2)]
    answers, run = online(made[0], data), made[1].run(data)
    for t, answer in enumerate(answers):
        inside = max(0, min(2, STEPS - t - 1))
        np.testing.assert_array_equal(answer.prediction[:, :, :inside], run.predictions[:, :, t, :inside])
        np.testing.assert_array_equal(answer.postdiction[:, :, -1], run.postdictions[:, :, t])
        assert np.isnan(run.predictions[:, :, t, inside:]).all()
        error = ((answer.postdiction - data[:, max(0, t - 3) : t + 1]) ** 2).sum(-1).mean(-1)
        np.testing.assert_allclose(run.postdiction_error[:, :, t], error)
    assert made[0].time == STEPS
    same(made[1].run(data), run)  # begins anew
    made[0].reset()
    same(online(made[0], data)[-1], answers[-1])


@pytest.mark.parametrize("many", [3, 9, 41])
def test_more_sequences_begin_with_the_fewer(many):
    net, data = network(models=1), values(sequences=many)
    kept = {"window": 4, "iterations": 3, "horizon": 2, "noise": 1.0}
    found = nd.ErrorRegression(net, sequences=many, **kept).run(data)
    for few in {1, 2, many - 1}:
        alone = nd.ErrorRegression(net, sequences=few, **kept).run(data[:few])
        for name in vars(alone):
            np.testing.assert_array_equal(getattr(found, name)[:, :few], getattr(alone, name), err_msg=name)


def test_several_models_are_each_alone():
    net, data = network(models=3), values()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    found = nd.ErrorRegression(net, window=4, iterations=3, sequences=3).run(data)
    torch.set_num_threads(threads)
    for m in range(3):
        alone = nd.ErrorRegression(net.select(m), window=4, iterations=3, sequences=3).run(data)
        np.testing.assert_array_equal(found.predictions[m], alone.predictions[0])
    assert not np.array_equal(found.predictions[0], found.predictions[1])


def test_the_network_is_a_copy():
    net, data = network(), values()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    regression = nd.ErrorRegression(net, window=4, iterations=3, sequences=3, meta_prior=9.0)
    wanted = regression.run(data)
    assert net.meta_prior == (0.05, 0.05)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    with torch.no_grad():
        net.output_bias.add_(1)
    same(regression.run(data), wanted)


def test_a_waiting_window_keeps_observations_only():
    net, data = network(), values()
    made = {g: nd.ErrorRegression(net, window=4, iterations=3, sequences=3, growing=g) for g in (True, False)}
    waiting, run = online(made[False], data), made[True].run(data)
    for t in range(3):
        assert all(np.isnan(v).all() for v in vars(waiting[t]).values())
        assert waiting[t].postdiction.shape == (2, 3, t + 1, 2)
    assert all(np.isfinite(v).all() for v in vars(waiting[3]).values())
    offline = made[False].run(data)
    assert np.isnan(offline.predictions[:, :, :3]).all() and np.isnan(offline.postdiction_error[:, :, :3]).all()
    assert np.isfinite(offline.postdiction_error[:, :, 3:]).all()
    assert not np.array_equal(offline.predictions[:, :, 3], run.predictions[:, :, 3])  # nothing was learnt before


def test_predictions_to_any_horizon():
    net, data = network(), values()
    regression = nd.ErrorRegression(net, window=4, iterations=3, sequences=3, horizon=4)
    answer = online(regression, data)[-1]
    longer = regression.predict(50)
    assert longer.shape == (2, 3, 50, 2)
    np.testing.assert_array_equal(longer[:, :, :4], answer.prediction)
    np.testing.assert_array_equal(regression.predict(1), answer.prediction[:, :, :1])
    free = net.generate(50, sequences=3, start=regression.state, noise=0.0)
    np.testing.assert_allclose(longer, free.values, atol=1e-5)
    noisy = regression.predict(8, noise=1.0)
    assert not np.allclose(noisy, longer[:, :, :8])
    np.testing.assert_array_equal(noisy[:, :, :3], regression.predict(3, noise=1.0))
    drawn = nd.ErrorRegression(net, window=4, iterations=3, sequences=3, horizon=4, noise=1.0)
    np.testing.assert_array_equal(online(drawn, data)[-1].prediction, drawn.predict(4))
    np.testing.assert_array_equal(
        drawn.predict(4, noise=0.0), answer.prediction
    )  # predictions don't touch what is learnt


def test_no_prediction_without_observations():
    net, data = network(), values()
    with pytest.raises(ValueError, match="0 observations so far; a prediction needs 1"):
        nd.ErrorRegression(net, sequences=3).predict(2)
    waiting = nd.ErrorRegression(net, window=3, sequences=3, growing=False)
    waiting.step(data[:, 0])
    with pytest.raises(ValueError, match="1 observations so far; a prediction needs 3"):
        waiting.predict(2)
    wrong: dict[str, Any]
    for wrong in ({"horizon": 0}, {"horizon": 2.0}, {"horizon": 2, "noise": -1.0}):
        waiting.step(data[:, 1])
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            waiting.predict(**wrong)


@pytest.fixture(scope="module")
def figure():
    """A figure of eight in twelve steps, (time, 2), and a network that draws it."""
    phase = 2 * np.pi * np.arange(60) / 12
    data = 0.6 * np.stack([np.cos(phase), np.sin(phase) * np.cos(phase)], -1)
    net = nd.PVRNN([nd.Layer(d=10, z=1, tau=2)], output=nd.AnalogCoding(dims=2), meta_prior=0.05)
    run = nd.fit(net, [data, data], updates=600, test_every=100, learning_rate=1e-2, progress=False)
    explained = net.reconstruct(run.adaptive()).values[0, 0].numpy()
    return data, net, ((explained - data) ** 2).sum(-1).mean()


def test_a_prediction_is_of_the_steps_after():
    symbols = np.tile([0, 0, 1, 2, 1], 8)
    net = nd.PVRNN([nd.Layer(d=10, z=1, tau=2)], output=nd.SymbolCoding(symbols=3))
    nd.fit(net, [symbols] * 3, updates=400, test_every=100, learning_rate=1e-2, progress=False)
    run = nd.ErrorRegression(net, window=10, iterations=20, horizon=6).run([symbols])
    for t, k in itertools.product(range(40), range(6)):
        assert run.predictions[0, 0, t, k] == (symbols[t + k + 1] if t + k + 1 < 40 else -1), (t, k)
    assert run.predictions.dtype == np.int64
    np.testing.assert_array_equal(run.postdictions[0, 0], symbols)
    assert not run.postdiction_error.any()


def test_a_large_meta_prior_predicts_as_the_network_runs_freely(figure):
    data, net, _ = figure
    shifted = np.roll(data, 3, 0)
    options = {"meta_prior": 1e6, "first_step_meta_prior": 1e6, "initial": "prior", "learning_rate": 1e-3}
    run = nd.ErrorRegression(net, window=12, **options).run([shifted])
    free = net.generate(60, noise=0.0).values[0, 0].numpy()
    assert np.abs(run.predictions[0, 0, :-1, 0] - free[1:]).max() < 0.01
    assert np.abs(shifted - free).max() > 0.5


def test_a_small_meta_prior_explains_as_training_does(figure):
    data, net, trained = figure
    run = nd.ErrorRegression(net, window=12, meta_prior=1e-6, first_step_meta_prior=1e-6).run([np.roll(data, 3, 0)])
    assert run.postdiction_error[0, 0, 30:].mean() < 2 * trained


def test_nan_is_refused_and_changes_nothing():
    net, data = network(), values()
    made = [nd.ErrorRegression(net, window=4, iterations=3, sequences=3, moments="kept") for _ in range(2)]
    for regression in made:
        online(regression, data[:, :6])
    bad, far = data[:, 6].copy(), data[:, 6].copy()
    bad[1, 0], far[2, 1] = np.nan, 1.5
    with pytest.raises(ValueError, match=r"sequence 1 is NaN at step 6; with missing='mask'"):
        made[0].step(bad)
    with pytest.raises(ValueError, match=r"sequence 2, step 6, dimension 1: 1.5 is outside the range"):
        made[0].step(far)
    for wrong in (data[:2, 6], data[:, 6, :1], data[:, 6:7], 0.5):
        with pytest.raises(ValueError, match=r"observation has shape .* needed is \(3, 2\)"):
            made[0].step(wrong)
    bad_run = data.copy()
    bad_run[1, 5, 0] = np.nan
    with pytest.raises(ValueError, match=r"sequence 1 is NaN at step 5; with missing='mask'"):
        made[0].run(bad_run)
    for t in range(6, STEPS):
        same(made[0].step(data[:, t]), made[1].step(data[:, t]))


def test_masked_values_were_not_seen():
    net, data = network(dtype=torch.float64), values()
    data[0, 3], data[1, 4, 1], data[2, 6:] = np.nan, np.nan, np.nan
    made = [nd.ErrorRegression(net, window=4, iterations=3, sequences=3, missing="mask") for _ in range(2)]
    run, answers = made[0].run(data), online(made[1], data)
    np.testing.assert_array_equal(np.stack([answer.postdiction[:, :, -1] for answer in answers], 2), run.postdictions)
    assert np.isfinite(run.postdictions).all()
    error = run.postdiction_error
    apart = (answers[4].postdiction - data[:, 1:5]) ** 2
    np.testing.assert_allclose(error[:, 0, 4], apart[:, 0, [0, 1, 3]].sum(-1).mean(-1))  # three steps were seen
    np.testing.assert_allclose(error[:, 1, 4], np.nansum(apart[:, 1], -1).mean(-1))
    assert np.isfinite(error[:, 2, :8]).all()


def test_an_observation_that_is_missing_wholly():
    net, data = network(models=1), values()
    regression = nd.ErrorRegression(net, window=1, iterations=20, sequences=3, missing="mask", initial="prior")
    online(regression, data[:, :3])
    forth = regression.predict(1)
    answer = regression.step(np.full((3, 2), np.nan))
    assert np.isfinite(answer.loss).all()
    # nothing but the divergence is left, which is least where it was: at the prior
    assert np.abs(answer.postdiction - forth).max() < 0.05
    blind = data.copy()
    blind[:, :3] = np.nan
    begun = nd.ErrorRegression(net, window=2, iterations=3, sequences=3, missing="mask").run(blind)
    assert np.isnan(begun.postdiction_error[:, :, :3]).all() and np.isfinite(begun.postdiction_error[:, :, 3:]).all()


def test_a_sequence_that_is_over_disturbs_nothing():
    net, data = network(), values()
    options: dict[str, Any] = {"window": 4, "iterations": 3, "sequences": 3, "horizon": 2}
    run, whole = (
        nd.ErrorRegression(net, **options).run([data[0], data[1, :5], data[2]]),
        nd.ErrorRegression(net, **options).run(data),
    )
    for name in vars(run):
        found, wanted = getattr(run, name), getattr(whole, name)
        np.testing.assert_array_equal(found[:, [0, 2]], wanted[:, [0, 2]], err_msg=name)
        assert np.isnan(found[:, 1, 5:]).all(), name
    np.testing.assert_array_equal(run.postdictions[:, 1, :5], whole.postdictions[:, 1, :5])
    inside = np.arange(5)[:, None] + np.arange(2) + 1 < 5
    np.testing.assert_array_equal(run.predictions[:, 1, :5][:, inside], whole.predictions[:, 1, :5][:, inside])
    assert np.isnan(run.predictions[:, 1, :5][:, ~inside]).all()


def test_symbols():
    net = network(output=nd.SymbolCoding(symbols=3))
    data = [np.array([0, 1, 2, 2, 1, 0]), np.array([2, 0, 1, 1])]
    run = nd.ErrorRegression(net, window=3, iterations=3, sequences=2, horizon=2).run(data)
    assert run.predictions.shape == (2, 2, 6, 2)
    assert (run.predictions[:, 1, 2:] >= 0).sum() == 2 and (run.postdictions[:, 1, 4:] == -1).all()
    assert np.isnan(run.postdiction_error[:, 1, 4:]).all() and (run.postdiction_error[:, 0] <= 1).all()
    one = nd.ErrorRegression(net, window=3, iterations=3, growing=False)
    waiting = one.step(1)
    assert (
        (waiting.prediction == -1).all()
        and (waiting.postdiction == -1).all()
        and np.isnan(waiting.prediction_outputs).all()
    )
    one.step([2])
    answer = one.step(np.int8(0))
    np.testing.assert_allclose(answer.prediction_outputs.sum(-1), 1, rtol=1e-5)
    for wrong in (3, 0.5, -1, np.inf):
        with pytest.raises(ValueError, match=r"sequence 0, step 3: .* is no symbol of 0 to 2"):
            one.step(wrong)
    with pytest.raises(ValueError, match="NaN at step 3"):
        one.step(np.nan)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("window", value) for value in (0, 2.0, True)),
        *((name, 0) for name in ("horizon", "sequences", "learning_rate")),
        *((name, -1) for name in ("iterations", "seed", "noise", "meta_prior")),
        *(("learning_rate", value) for value in (None, float("nan"))),
        *(("first_step_meta_prior", value) for value in (float("inf"), [0.1, 0.2])),
        *((name, "prio") for name in ("initial", "moments", "missing")),
        ("betas", (0.9, 1.0)),
    ],
)
def test_numbers_out_of_range(name, wrong):
    options: dict[str, Any] = {name: wrong}
    with pytest.raises(ValueError, match=name):
        nd.ErrorRegression(network(), **options)


def test_what_cannot_be_followed():
    net, data = network(), values()
    regression, spoilt = nd.ErrorRegression(net, window=4, iterations=1, sequences=3), data.copy()
    spoilt[2, 1, 0] = -2
    with pytest.raises(ValueError, match=r"2 sequences, and this regression follows 3; make one with sequences=2"):
        regression.run(data[:2])
    with pytest.raises(ValueError, match=r"window = 4, and sequence 1 has 3 steps"):
        regression.run([data[0], data[1, :3], data[2]])
    with pytest.raises(ValueError, match="sequence 2, step 1, dimension 0: -2 is outside"):
        regression.run(spoilt)
    with pytest.raises(TypeError, match="net is a LeakyRNN"):
        nd.ErrorRegression(nd.LeakyRNN(units=4))  # type: ignore[arg-type]

    class Own(nd.PVRNN):
        def read(self, h):
            return super().read(h)

    with pytest.raises(TypeError, match="with its own step and read"):
        nd.ErrorRegression(Own(TWO, output=nd.SymbolCoding(symbols=2)))
