"""Digit tasks: labels by brute force, lengths, biases, holding, coding, and what a constant answer is worth (U4)."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.tasks import DelayedMatch, Parity

TASKS = [Parity, DelayedMatch]


def label(task, digits, n):
    """The label of one sequence, a list of digits, as it is defined."""
    if isinstance(task, Parity):
        return sum(digits[-n:]) % 2
    return int(digits[-1] == digits[-1 - (n - 1)])


@pytest.mark.parametrize("kind", TASKS)
def test_labels_by_brute_force(kind):
    """1000 sequences and more; several N at once, in any order, and one for all lengths."""
    task = kind()
    for step, n in enumerate([(2,), (3,), (7,), (2, 3, 7), (7, 2), range(2, 20)]):
        made = task.batch(n, 200, seed=5, step=step)
        sequences = made.digits.T.tolist()
        assert made.labels.shape == (len(n), 200) and not made.labels.is_floating_point()
        for row, k in zip(made.labels.tolist(), n, strict=True):
            assert row == [label(task, s, k) for s in sequences]
    assert task.batch(3, 4, seed=1).labels.shape == (1, 4)


@pytest.mark.parametrize("kind", TASKS)
@pytest.mark.parametrize("n", [1, 2, 5, 30])
def test_running_labels_by_brute_force(kind, n):
    """From the first n digits on; the last of them are the labels; a sequence of n digits has one."""
    task = kind()
    for length in (n, n + 1, 30):
        made = task.batch(n, 20, seed=2, step=n, length=length)
        before = made.digits.clone()
        found = task.running_labels(made.digits, n)
        assert torch.equal(made.digits, before)
        expected = [[label(task, s[:end], n) for s in made.digits.T.tolist()] for end in range(n, length + 1)]
        assert found.tolist() == expected
        assert torch.equal(found[-1], made.labels[0])


@pytest.mark.parametrize("kind", TASKS)
def test_lengths_are_uniform(kind):
    """From N + 2 to 4N + 1 for the largest N, both included; chi-squared of 3N - 1 degrees of freedom."""
    from scipy.stats import chi2

    draws = 3000
    for n in (2, 3, 7):
        found = Counter(kind().length(n, seed=4, step=k) for k in range(draws))
        assert sorted(found) == list(range(n + 2, 4 * n + 2))
        expected = draws / (3 * n)
        statistic = sum((c - expected) ** 2 / expected for c in found.values())
        assert statistic < chi2.ppf(1 - 1e-4, 3 * n - 1)
    made = kind().batch([2, 9, 4], 3, seed=4, step=1)
    assert len(made.digits) == kind().length(9, seed=4, step=1) == len(made.inputs)


def test_biases_of_sequences():
    """Parity: a chance of its own for each sequence, uniform in (0, 1), s.d. .289. Delayed match: one half for all."""
    own = Parity().batch(2, 4000, seed=6, length=400).digits.double().mean(0)
    assert abs(float(own.mean()) - 0.5) < 0.02 and abs(float(own.std()) - 12**-0.5) < 0.01
    np.testing.assert_allclose(np.quantile(own, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.03)
    for task, chance in ((DelayedMatch(), 0.5), (Parity(probability=0.3), 0.3)):
        digits = task.batch(2, 4000, seed=6, length=400).digits.double()
        assert abs(float(digits.mean()) - chance) < 0.002
        assert float(digits.mean(0).std()) == pytest.approx((chance * (1 - chance) / 400) ** 0.5, rel=0.1)
        lag = torch.corrcoef(torch.stack([digits[1:].flatten(), digits[:-1].flatten()]))[0, 1]
        assert abs(float(lag)) < 5e-3
    assert DelayedMatch(probability=None).batch(2, 4000, seed=6, length=400).digits.double().mean(0).std() > 0.25


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 12])
def test_what_a_constant_answer_is_worth(n):
    """On parity "even" is right in 1/2 + 1/(2(N+1)) for even N and in half for odd N; in half if p = 0.5."""
    count = 100_000
    for probability, expected in ((None, 0.5 + (n % 2 == 0) / (2 * (n + 1))), (0.5, 0.5)):
        labels = Parity(probability=probability).batch(n, count, seed=n, length=n).labels
        assert abs(float((labels == 0).double().mean()) - expected) < 5 * 0.5 / count**0.5
    same = DelayedMatch().batch(n, count, seed=n, length=n).labels.double().mean()
    assert abs(float(same) - (1.0 if n == 1 else 0.5)) < 5 * 0.5 / count**0.5


@pytest.mark.parametrize("kind", TASKS)
def test_a_batch_is_a_function_of_seed_and_step(kind):
    first, again = (kind().batch(3, 50, seed=1, step=9) for _ in range(2))
    assert torch.equal(first.digits, again.digits) and torch.equal(first.inputs, again.inputs)
    for seed, step in ((2, 9), (1, 10), (1, 9 + 2**32), (1, 9 + 2**63)):
        other = kind().batch(3, 50, seed=seed, step=step, length=len(first.digits))
        assert not torch.equal(first.digits, other.digits)


def test_holding_takes_turns():
    task = Parity(hold=(2, 1, 3))
    assert task.holds == (2, 1, 3)
    for step in range(6):
        made = task.batch(2, 5, seed=1, step=step)
        assert made.hold == (2, 1, 3)[step % 3]
        assert made.inputs.shape == (made.hold * len(made.digits), 5, 1)
        assert torch.equal(made.inputs[..., 0], made.digits.float().repeat_interleave(made.hold, 0))
        plain = Parity().batch(2, 5, seed=1, step=step)
        assert torch.equal(made.digits, plain.digits) and torch.equal(made.labels, plain.labels)


def test_coding():
    made = Parity(coding=(-1, 1)).batch(2, 5, seed=1)
    assert made.inputs.dtype == torch.float32
    assert torch.equal(made.inputs[..., 0], 2.0 * made.digits - 1)
    shown = Parity(coding=(0.25, -3)).shown(torch.tensor([[0, 1]]), 2)
    assert shown[..., 0].tolist() == [[0.25, -3.0], [0.25, -3.0]]


def test_it_lies_where_it_was_asked_for():
    for task in (Parity(hold=2), DelayedMatch()):
        made = task.batch((2, 3), 4, seed=1, device="meta")
        assert {t.device.type for t in (made.inputs, made.labels, made.digits)} == {"meta"}
        assert task.running_labels(made.digits, 2).device.type == "meta"


def test_a_configuration_makes_the_task_again():
    for task in (Parity(probability=0.3, hold=[1, 4], coding=(-1, 1)), DelayedMatch(), Parity(hold=np.int64(3))):  # type: ignore[arg-type]
        config = dict(task.config)
        again = getattr(nd.tasks, config.pop("task"))(**config)
        assert again == task
        assert torch.equal(again.batch(3, 9, seed=1, step=1).inputs, task.batch(3, 9, seed=1, step=1).inputs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"probability": 0}, "probability = 0; give a number between 0 and 1, or None"),
        ({"probability": 1.0}, "probability = 1.0"),
        ({"probability": float("nan")}, "probability = nan"),
        ({"hold": 0}, "hold=0: give a whole number, at least 1"),
        ({"hold": True}, "hold=True"),
        ({"hold": 2.5}, "hold=2.5"),
        ({"hold": [1, "2"]}, "hold='2'"),
        ({"hold": ()}, r"hold = \(\); give a whole number of steps, at least 1, or several"),
        ({"coding": (1, 1)}, r"coding = \(1, 1\); give two different numbers"),
        ({"coding": (0, 1, 2)}, "coding"),
        ({"coding": 1}, "coding = 1; give two"),
        ({"coding": (0, float("nan"))}, "coding"),
    ],
)
@pytest.mark.parametrize("kind", TASKS)
def test_errors(kind, options, message):
    with pytest.raises(ValueError, match=message):
        kind(**options)


@pytest.mark.parametrize(
    ("n", "options", "message"),
    [
        (0, {}, "n=0: give a whole number, at least 1"),
        ([2, -1], {}, "n=-1"),
        (2.5, {}, "n=2.5"),
        (True, {}, "n=True"),
        ([], {}, r"n=\[\]: give at least one N"),
        (2, {"batch": 0}, "batch=0: give a whole number, at least 1"),
        ((2, 5), {"length": 4}, "length = 4: a sequence has to hold the last N = 5 digits; lengthen it"),
    ],
)
def test_errors_of_a_batch(n, options, message):
    with pytest.raises(ValueError, match=message):
        Parity().batch(n, **{"batch": 4, **options}, seed=1)
