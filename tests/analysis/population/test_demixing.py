import contextlib
import io
import warnings

import numpy as np
import pytest

from neurodyn.analysis import demixed_pca, principal_angles


def activity(trials=12, events=3, steps=20, units=15, noise=1.0, strength=(3.0, 3.0), seed=0):
    """Single trials in which one direction tells the event and another, not orthogonal to it, the time."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(units, 2)))[0].T
    directions[1] = (directions[1] + directions[0]) / np.sqrt(2)
    event = np.linspace(-1, 1, events)[:, None, None] * strength[0]
    time = np.sin(np.linspace(0, 2 * np.pi, steps, endpoint=False))[None, :, None] * strength[1]
    clean = event * directions[0] + time * directions[1]
    return 4 + clean + noise * rng.normal(size=(trials, events, steps, units)), directions


def published(averages, names, strength, join, components):
    """The dPCA package on the same averages, its regulariser set to the paper's lambda."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        from dPCA.dPCA import dPCA

        x = np.moveaxis(averages, -1, 0)
        x = x - x.reshape(len(x), -1).mean(axis=1).reshape(-1, *[1] * (x.ndim - 1))
        lam = strength / np.linalg.norm(x)
        model = dPCA(labels=names, join=join, n_components=components, regularizer=lam, n_iter=20)
        model.fit(x)
        return model


@pytest.mark.parametrize("strength", [0.0, 1e-3, 0.1])
@pytest.mark.parametrize("shape", [(3, 20), (3, 2, 15)])
def test_components_are_those_of_the_dpca_package(strength, shape):
    rng = np.random.default_rng(1)
    hidden = rng.normal(size=(*shape, 6)) + rng.normal(size=(shape[0], *[1] * (len(shape) - 1), 6))
    x = hidden @ (rng.normal(size=(6, 12)) * np.geomspace(3, 0.3, 6)[:, None]) + 0.1 * rng.normal(size=(*shape, 12))
    letters, words = ("st", ("s", "t")) if len(shape) == 2 else ("sdt", ("s", "d", "t"))
    join = {"st": ["s", "st"]} if len(shape) == 2 else {"st": ["s", "st"], "dt": ["d", "dt"], "sdt": ["sd", "sdt"]}
    model = published(x, letters, strength, join, 2)
    found = demixed_pca(x, words, components=2, strength=strength)
    named = {"s": "st", "d": "dt", "s x d": "sdt", "t": "t"}
    for name in found.decoders:
        encoder, decoder = model.P[named[name]][: x.shape[-1]], model.D[named[name]][: x.shape[-1]]
        assert principal_angles(found.encoders[name], encoder.T).max() < 1e-3
        signs = np.sign(np.sum(found.encoders[name] * encoder.T, axis=1))[:, None]
        np.testing.assert_allclose(found.decoders[name] * signs, decoder.T, atol=1e-6 * np.abs(decoder).max() + 1e-9)
        flat = x.reshape(-1, 12) - x.reshape(-1, 12).mean(axis=0)
        for k in range(2):
            rest = flat - np.outer(flat @ decoder[:, k], encoder[:, k])
            rebuilt = 1 - np.sum(rest**2) / np.sum(flat**2)
            assert found.explained[name][k] == pytest.approx(rebuilt, abs=1e-6)


def test_reduced_rank_regression_is_the_best_of_its_rank():
    """No F D of the same rank, found by gradient descent from elsewhere, has a smaller loss."""
    from scipy.optimize import minimize

    x = activity(noise=0.5, units=6)[0].mean(axis=0)
    found = demixed_pca(x, ("event", "time"), components=2, strength=0.05)
    flat = x.reshape(-1, 6) - found.mean
    part = np.broadcast_to(x.mean(axis=0) - found.mean, x.shape).reshape(-1, 6)
    mu = 0.05**2 * np.sum(flat**2)

    def loss(given):
        f, d = given.reshape(2, 2, 6)
        return np.sum((part - flat @ d.T @ f) ** 2) + mu * np.sum((d.T @ f) ** 2)

    mine = loss(np.stack([found.encoders["time"], found.decoders["time"]]).ravel())
    other = minimize(loss, np.random.default_rng(0).normal(size=24), options={"maxiter": 2000})
    assert mine <= other.fun * (1 + 1e-9) and other.fun < mine * 1.001


def test_event_and_time_are_demixed_though_their_directions_are_not_orthogonal():
    x, directions = activity()
    found = demixed_pca(x, ("event", "time"), components=1, samples=19, splits=5)
    assert list(found.decoders) == ["event", "time"]
    assert sum(found.part_variance.values()) == pytest.approx(1)
    for name in found.decoders:
        assert found.composition[name][name][0] > 0.95
    assert principal_angles(found.encoders["event"], directions[:1])[0] < 15
    test = found.mean_decoding("event")
    assert test.observed[0] > 0.8 and np.median(test.null) == pytest.approx(1 / 3, abs=0.1)
    assert test.p[0] == 0.05 and found.part_tests["event"].p == 0.05 and "time" not in found.part_tests
    assert found.decoding["event"].observed.shape == (1, 20)
    assert found.projections["event"].shape == (3, 20, 1)
    text = str(found)
    assert "event: " in text and "decoding, first" in text and "null" in text


def test_ridge_is_chosen_on_trials_left_out():
    few, many = (
        demixed_pca(activity(trials=t, noise=n, units=40)[0], ("event", "time"), samples=0)
        for t, n in ((2, 4.0), (30, 0.1))
    )
    assert few.strength > 10 * many.strength and few.errors.shape == few.strengths.shape
    assert few.errors.min() < few.errors[0]
    assert "no null" in str(many)


def test_without_an_event_the_test_keeps_its_level():
    p = [
        demixed_pca(
            activity(strength=(0.0, 3.0), trials=6, steps=8, seed=s)[0],
            ("event", "time"),
            components=1,
            strength=0.01,
            splits=2,
            samples=19,
        )
        .part_tests["event"]
        .p
        for s in range(60)
    ]
    assert sum(value <= 0.05 for value in p) <= 9  # nominal 3 of 60, standard deviation 1.7


@pytest.mark.parametrize(
    ("x", "labels", "options", "message"),
    [
        (np.zeros((3, 4, 5)), ("event",), {}, "different names"),
        (np.zeros((3, 4, 5)), ("time", "time"), {}, "different names"),
        (np.zeros((3, 4)), ("event", "time"), {}, "event, time, unit"),
        (np.zeros((3, 4, 5)), ("event", "time"), {}, "strength: it is chosen"),
        (np.zeros((3, 4, 5)), ("event", "time"), {"strength": 0.1}, "never varies"),
        (np.zeros((3, 4, 5)), ("event", "time"), {"strength": -1.0}, "strength = -1"),
        (np.zeros((3, 1, 5)), ("event", "time"), {"strength": 0.1}, "'time' has one value"),
        (np.zeros((1, 3, 4, 5)), ("event", "time"), {}, "at least 2, or averages"),
        (np.zeros((3, 4, 5)), ("event", "time"), {"components": 6, "strength": 0.1}, "components = 6"),
        (np.full((3, 4, 5), np.nan), ("event", "time"), {"strength": 0.1}, "NaN"),
    ],
)
def test_errors_say_what_is_wrong(x, labels, options, message):
    with pytest.raises(ValueError, match=message):
        demixed_pca(x, labels, **options)
