"""The Sinkhorn divergence against geomloss, exact assignments, closed forms and finite differences."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from geomloss import SamplesLoss
from scipy.optimize import linear_sum_assignment
from torch.nn.functional import gumbel_softmax, one_hot

from neurodyn.kernels import transport
from neurodyn.training import distances, sinkhorn, sinkhorn_divergence

EPS = 0.04
CHAIN = [[0.99, 0.01, 0.0], [0.0, 0.01, 0.99]]


def stay(states, leave):
    return np.eye(states) * (1 - leave * states / (states - 1)) + leave / (states - 1)


FAMILIES = {  # sheet: transition, emission, steps, floor and plateau of batches of 512
    "two": (stay(2, 0.05), np.array(CHAIN), 100, 15.1, 38.2),
    "three": (
        np.array([[0.77639, 0.22361, 0], [0.22361, 0.55278, 0.22361], [0, 0.22361, 0.77639]]),
        np.array([CHAIN[0], [0.495, 0.01, 0.495], CHAIN[1]]),
        30,
        5.44,
        7.93,
    ),
    "fully": (stay(3, 0.05), np.full((3, 3), 0.01) + 0.97 * np.eye(3), 30, 2.8, 13.5),
}


def draw(rng, weights):
    return (rng.random(len(weights))[:, None] > weights.cumsum(1)).sum(1).clip(max=weights.shape[1] - 1)


def sequences(count, seed, family="two", steps=None, dtype=torch.float64, independent=False):
    """One-hot sequences of a hidden Markov model, or of independent symbols with its marginals."""
    transition, emission, length, _, _ = FAMILIES[family]
    rng, symbols = np.random.default_rng(seed), []
    state = rng.integers(0, len(transition), count)
    for _ in range(steps or length):
        symbols.append(draw(rng, emission[state]))
        state = rng.integers(0, len(transition), count) if independent else draw(rng, transition[state])
    return one_hot(torch.from_numpy(np.stack(symbols, 1)), emission.shape[1]).to(dtype)


def soft(count, steps, seed, dtype=torch.float64):
    made = torch.randn(count, steps, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.softmax(2 * made, 2).to(dtype)


def with_gradients(divergence, x, y) -> tuple[float, Any, Any]:
    x, y = x.clone().requires_grad_(), y.clone().requires_grad_()
    value = divergence(x, y)
    value.backward()
    return float(value.detach()), x.grad, y.grad


def assert_same(ours, theirs, tolerance, resolved=0.0):
    assert ours[0] == pytest.approx(theirs[0], rel=tolerance, abs=tolerance + resolved)
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        assert mine.dtype == other.dtype
        assert (mine - other).norm() <= tolerance * other.norm()


def mismatches(x, y):
    return (x.argmax(2)[:, None] != y.argmax(2)).sum(2).double().numpy()


def exact(x, y):
    cost = mismatches(x, y)
    return cost[linear_sum_assignment(cost)].mean()


@pytest.mark.parametrize("blur, scaling", [(0.2, 0.5), (0.5, 0.8), (3.0, 0.7), (40.0, 0.5)])
@pytest.mark.parametrize("kind", ["one-hot", "soft", "almost one-hot"])
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 5e-5)])
def test_value_and_gradients_are_those_of_geomloss(blur, scaling, kind, dtype, tolerance):
    steps = 40
    x, y = sequences(140, 1, steps=steps), sequences(50, 2, steps=steps)
    if kind == "soft":
        x = soft(140, steps, 3)
    elif kind == "almost one-hot":  # as straight-through samples can be
        x = (x + 5e-7 * (soft(140, steps, 3) - 0.5)).float().double()
        assert 0 < (x - x.round()).abs().max() < distances.ONE_HOT
    theirs = SamplesLoss(blur=blur, scaling=scaling)
    # geomloss in float64 is the reference: in float32 its own error is as large as ours
    reference = with_gradients(lambda a, b: theirs(a.flatten(1), b.flatten(1)), x, y)
    reference = reference[0], reference[1].to(dtype), reference[2].to(dtype)
    ours = with_gradients(lambda a, b: sinkhorn_divergence(a, b, blur=blur, scaling=scaling), x.to(dtype), y.to(dtype))
    resolved = blur**2 * torch.finfo(dtype).eps  # a potential is eps times the logarithm of a sum near 1
    assert_same(ours, reference, tolerance, resolved)


def test_logits_of_straight_through_samples_get_the_gradient():
    logits, y = torch.randn(60, 20, 3, generator=torch.Generator().manual_seed(1)), sequences(50, 2, steps=20).float()
    found = []
    for loss in (sinkhorn_divergence, lambda a, b: SamplesLoss(blur=0.2)(a.flatten(1), b.flatten(1))):
        torch.manual_seed(5)
        given = logits.clone().requires_grad_()
        (3 * loss(gumbel_softmax(given, hard=True), y)).backward()
        found.append(given.grad)
    assert (found[0] - found[1]).norm() < 1e-4 * found[1].norm()
    with torch.no_grad():
        assert not sinkhorn_divergence(logits, y).requires_grad


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize("converged", [False, True])
def test_equal_batches_are_at_0_in_any_order(converged, dtype, tolerance):
    x = sequences(60, 1, dtype=dtype, steps=40)
    value, to_x, to_y = with_gradients(lambda a, b: sinkhorn_divergence(a, b, converged=converged), x, x.flip(0))
    bound = 0.01 if converged else tolerance  # up to where the marginals are met
    assert abs(value) < bound
    assert max(to_x.abs().max(), to_y.abs().max()) * len(x) < 10 * bound


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_symmetric_and_blind_to_order_and_names(dtype, tolerance):
    x, y = sequences(130, 1, dtype=dtype, steps=50), sequences(140, 2, "three", dtype=dtype, steps=50)
    value, to_x, to_y = with_gradients(sinkhorn_divergence, x, y)
    swapped = with_gradients(sinkhorn_divergence, y, x)
    assert_same((swapped[0], swapped[2], swapped[1]), (value, to_x, to_y), tolerance)
    rng = np.random.default_rng(3)
    order, other, time, names = (torch.from_numpy(rng.permutation(n)) for n in (130, 140, 50, 3))
    mixed = with_gradients(sinkhorn_divergence, x[order][:, time][..., names], y[other][:, time][..., names])
    assert_same(mixed, (value, to_x[order][:, time][..., names], to_y[other][:, time][..., names]), tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("converged", [False, True])
def test_one_sequence_against_one_and_two(converged, dtype):
    x = one_hot(torch.tensor([[0, 1, 2, 0]]), 3).to(dtype)
    y = one_hot(torch.tensor([[0, 1, 1, 1], [0, 1, 1, 0]]), 3).to(dtype)
    assert float(sinkhorn_divergence(x, y[:1], converged=converged)) == pytest.approx(2, rel=1e-6)
    assert float(sinkhorn_divergence(x, x, converged=converged)) == 0
    # the one plan there is costs 3/2; between y and itself both potentials are f = -eps/2 log[(1 + exp(-1/eps))/2]
    for blur in (0.2, 1.0):
        own = -(blur**2) * math.log((1 + math.exp(-1 / blur**2)) / 2)
        got = sinkhorn_divergence(x, y, blur=blur, converged=True, tolerance=1e-6)
        assert float(got) == pytest.approx(1.5 - own / 2, rel=1e-6)


def test_a_converged_value_is_that_of_the_best_assignment_and_the_schedule_s_lies_below():
    x, y = sequences(256, 1, dtype=torch.float32), sequences(256, 2, dtype=torch.float32)
    best = exact(x, y)
    quick, settled = float(sinkhorn_divergence(x, y)), float(sinkhorn_divergence(x, y, converged=True))
    # the entropy of ties lowers OT(x, y) by eps log 256 at most, and the plan of a batch with itself has none here
    assert best - EPS * math.log(256) < settled < best
    assert 0.96 * best < quick < 0.99 * best


@pytest.mark.parametrize("blur", [0.5, 1.0])
def test_a_converged_gradient_is_that_of_the_value(blur):
    points = soft(5, 6, 1), soft(7, 6, 2)

    def value(x, y):
        return sinkhorn_divergence(x, y, blur=blur, converged=True, tolerance=1e-11)

    _, *gradients = with_gradients(value, *points)
    for seed in range(3):
        step = [1e-4 * torch.from_numpy(np.random.default_rng(seed).standard_normal(p.shape)) for p in points]
        difference = value(*map(torch.add, points, step)) - value(*map(torch.sub, points, step))
        slope = sum(2 * (g * s).sum() for g, s in zip(gradients, step, strict=True))
        assert float(difference) == pytest.approx(float(slope), rel=1e-5)


def test_the_schedule_s_gradient_is_not_that_of_its_value():
    x, y = soft(40, 6, 1), soft(40, 6, 2)
    _, gradient, _ = with_gradients(sinkhorn_divergence, x, y)
    step = 1e-5 * gradient / gradient.norm()
    slope = float(sinkhorn_divergence(x + step, y) - sinkhorn_divergence(x - step, y)) / 2e-5
    assert abs(slope / float(gradient.norm()) - 1) > 0.02


def test_grows_with_every_symbol_that_is_flipped():
    x = sequences(64, 1, dtype=torch.float32, steps=30)
    flipped, values = x.clone(), []
    for step in range(0, 30, 3):
        flipped[:, step] = flipped[:, step].roll(1, 1)
        values.append(float(sinkhorn_divergence(x, flipped)))
    assert values[0] > 0.1
    assert (np.diff(values) > 0).all()


@pytest.mark.parametrize("family, tolerance", [("two", 0.05), ("three", 0.05), ("fully", 0.15)])
def test_floors_and_plateaus_of_the_sheet(family, tolerance):
    x, y = sequences(512, 11, family, dtype=torch.float32), sequences(512, 12, family, dtype=torch.float32)
    alone = sequences(512, 13, family, dtype=torch.float32, independent=True)
    assert float(sinkhorn_divergence(x, y)) == pytest.approx(FAMILIES[family][3], rel=tolerance)
    assert float(sinkhorn_divergence(alone, y)) == pytest.approx(FAMILIES[family][4], rel=tolerance)


@pytest.mark.parametrize("steps", [1, 64, 65, 300])
@pytest.mark.parametrize("symbols", [1, 2, 3, 5, 9])
def test_words_of_bits_count_mismatches(steps, symbols):
    rng = np.random.default_rng(steps * symbols)
    x, y = (torch.from_numpy(rng.integers(0, symbols, (n, steps))) for n in (150, 7))
    codes = [one_hot(s, symbols).float() for s in (x, y)]
    between: Any
    within: Any
    between, within = distances.costs([c.flatten(1) for c in codes], [(0, 1), (0, 0)], symbols)
    assert between.cost.dtype == (np.uint8 if steps < 256 else np.uint16)
    np.testing.assert_array_equal(between.cost, mismatches(*codes))
    np.testing.assert_array_equal(within.cost, mismatches(codes[0], codes[0]))
    plain = distances.half_squared(codes[0].flatten(1), codes[1].flatten(1))
    np.testing.assert_array_equal(plain, mismatches(*codes))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("eps", [300.0, 1.0, EPS])
def test_absorbed_updates_are_those_of_the_log_domain_wherever_potentials_stand(dtype, eps):
    rng = np.random.default_rng(1)
    cost = rng.integers(0, 100, (150, 70)).astype(dtype)
    square = rng.integers(0, 100, (140, 140))
    unsafe = 0
    for given, symmetric in ((cost, False), ((square + square.T).clip(max=200).astype(dtype), True)):
        quick, plain = (
            distances.Absorbed(given, symmetric),
            distances.LogDomain(torch.from_numpy(given.astype(float)), symmetric),
        )
        for scale in (0, 20, 1000):
            f = torch.from_numpy(rng.integers(-8 * scale, 8 * scale + 1, given.shape[0]) / 8)  # exact in float32
            g = f if symmetric else torch.from_numpy(rng.integers(-8 * scale, 8 * scale + 1, given.shape[1]) / 8)
            unsafe += sum(
                int((~distances._safe(s)).sum())
                for s in quick._sums(distances._rounded(f), distances._rounded(g), eps, 0)
            )
            for ours, theirs in zip(quick.step(f, g, eps), plain.step(f, g, eps), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-4 + 1e-6 * eps)
            for ours, theirs in zip(quick.sweep(f, g, eps)[:2], plain.sweep(f, g, eps)[:2], strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-4 + 1e-6 * eps)
    assert unsafe > 0 or eps == 300  # what has to be taken again in the log domain is met here


@pytest.mark.parametrize("steps", [100, 400])
def test_no_batch_leaves_the_range_of_float32(steps):
    """Clusters as far apart as can be, strays, and more sequences on one side than mass on the other."""
    x = one_hot(torch.zeros(140, steps, dtype=torch.int64), 3).float()
    y = x.clone()
    y[3:], y[:1] = y[3:].roll(1, 2), y[:1].roll(2, 2)
    x[:5, ::2] = x[:5, ::2].roll(2, 2)
    ours = with_gradients(sinkhorn_divergence, x, y)
    plain = with_gradients(sinkhorn_divergence, x.double(), y.double())
    assert_same(ours, (plain[0], plain[1].float(), plain[2].float()), 1e-4)
    assert ours[0] > 0.9 * steps


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(distances, "_SHARED", 1)
    x, y = sequences(300, 1, dtype=torch.float32, steps=30), sequences(400, 2, dtype=torch.float32, steps=30)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(with_gradients(sinkhorn_divergence, x, y))
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert other[0] == found[0][0]
        assert torch.equal(other[1], found[0][1]) and torch.equal(other[2], found[0][2])


def test_the_exponential_is_right_to_float32():
    t = np.linspace(-30, 30, 20001, dtype=np.float32)
    rows, columns = np.empty(len(t), np.float32), np.empty((-(-len(t) // transport.BLOCK), 1), np.float32)
    nothing, one = np.zeros((len(t), 1), np.uint8), np.zeros(1, np.float32)
    transport.sums(nothing, t, one, np.float32(1), np.float32(0), False, 0, 1, rows, columns)
    np.testing.assert_allclose(rows, np.exp2(t.astype(float)), rtol=3e-7)


def test_not_converged_is_an_error(monkeypatch):
    monkeypatch.setattr(sinkhorn, "LIMIT", 3)
    with pytest.raises(ArithmeticError, match="after 3 sweeps at eps = 0.04.*raise tolerance or blur"):
        sinkhorn_divergence(sequences(20, 1), sequences(20, 2), converged=True)


def codes(*shape, dtype=torch.float32):
    return torch.ones(shape, dtype=dtype)


def spoilt(value):
    x = codes(3, 4, 2)
    x[1, 2, 0] = value
    return x


@pytest.mark.parametrize(
    "x, y, options, message",
    [
        (spoilt(math.nan), codes(3, 4, 2), {}, "x holds nan .sequence 1, step 2, symbol 0; 1 such values.*diverged"),
        (codes(3, 4, 2), spoilt(-math.inf), {}, "y holds -inf"),
        (spoilt(1e30), codes(3, 4, 2), {}, "x holds 1e.30: give one-hot codes or probabilities"),
        (codes(3, 8), codes(3, 4, 2), {}, "x has shape .3, 8.: give codes .batch, time, symbols."),
        (codes(3, 4, 2), codes(0, 4, 2), {}, "y has shape .0, 4, 2."),
        (codes(3, 4, 2), codes(3, 5, 2), {}, "x has 4 steps of 2 symbols and y 5 of 2: cut both"),
        (codes(3, 4, 2), codes(3, 4, 2, dtype=torch.float64), {}, "x is torch.float32 on cpu and y torch.float64"),
        (codes(3, 4, 2, dtype=torch.int64), codes(3, 4, 2), {}, "x is torch.int64: give float32 or float64"),
        (np.ones((3, 4, 2)), codes(3, 4, 2), {}, "x is of type ndarray: give a torch tensor"),
        (codes(3, 4, 2), codes(3, 4, 2), {"blur": 0.0}, "blur is 0.0: give a distance above 0"),
        (codes(3, 4, 2), codes(3, 4, 2), {"blur": math.inf}, "blur is inf"),
        (codes(3, 4, 2), codes(3, 4, 2), {"scaling": 1.0}, "scaling is 1.0: give a factor above 0 and below 1"),
        (codes(3, 4, 2), codes(3, 4, 2), {"tolerance": 0.0}, "tolerance is 0.0: give a relative error above 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(x, y, options, message):
    with pytest.raises(ValueError, match=message):
        sinkhorn_divergence(x, y, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sequences_that_are_come_near_to_more_than_once_give_the_same_bits(dtype, monkeypatch):
    """Their own plan is found once, and anew where the widths are others."""
    solved, count = sinkhorn._solved, [0]

    def counted(*given):
        count[0] += 1
        return solved(*given)

    monkeypatch.setattr(sinkhorn, "_solved", counted)
    every = torch.eye(3, dtype=dtype)[:, None].expand(3, 12, 3)  # each symbol at each step, or the widths would differ
    y = torch.cat([sequences(40, 1, steps=12, dtype=dtype), every])
    wanted = sinkhorn.Wanted(y)
    for seed, blur, plans in ((2, 0.2, 3), (3, 0.2, 2), (3, 0.1, 3), (4, 0.1, 2)):
        x = sequences(30, seed, steps=12, dtype=dtype).requires_grad_()
        value = sinkhorn_divergence(x, y, blur=blur, scaling=0.5)
        (gradient,) = torch.autograd.grad(value, x)
        count[0] = 0
        found = wanted.divergence(x, blur=blur, scaling=0.5)
        assert torch.equal(found, value) and torch.equal(torch.autograd.grad(found, x)[0], gradient)
        assert count[0] == plans
