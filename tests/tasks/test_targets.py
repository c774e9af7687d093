"""The signals: their formulas, a melody, the attractor, a song."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from neurodyn import tasks


def test_sines_are_the_formulas() -> None:
    task = tasks.sine("5 Hz", dt="0.04 ms")
    t = np.arange(5000) * 0.04e-3
    np.testing.assert_allclose(task.signal[:, 0], np.sin(2 * np.pi * 5 * t), atol=1e-12)
    product = tasks.product_of_sines(noise=0.0, dt="1 ms")
    t = np.arange(500) * 1e-3  # 4 and 6 Hz repeat after half a second
    np.testing.assert_allclose(product.signal[:, 0], np.sin(2 * np.pi * 4 * t) * np.sin(2 * np.pi * 6 * t), atol=1e-12)
    assert tasks.product_of_sines().noise == 0.05 and tasks.sine(dt="0.05 ms").signal.shape == (4000, 1)


def test_the_melody_sounds_one_note_at_a_time() -> None:
    task = tasks.ode_to_joy()
    assert task.names == ("C", "D", "E", "F", "G") and task.course == pytest.approx(4.0)
    assert ((task.signal > 0).sum(axis=1) <= 1).all() and task.signal.max() == pytest.approx(1.0)
    beats = task.signal.reshape(16, 250, 5).sum(axis=1).argmax(axis=1)
    assert "".join(task.names[k] for k in beats) == "EEFGGFEDCCDEEDDD"


def test_the_attractor_solves_its_equations_and_has_two_lobes() -> None:
    task = tasks.lorenz("20 s", unit="1 s", dt="1 ms")
    x, y, z = task.signal.T * np.array([[20.0], [25.0], [25.0]]) + np.array([[0.0], [0.0], [25.0]])
    slopes = np.gradient(np.stack([x, y, z]), 1e-3, axis=1)[:, 2:-2]
    x, y, z = x[2:-2], y[2:-2], z[2:-2]
    expected = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])
    assert np.abs(slopes - expected).max() < 0.02 * np.abs(expected).max()
    assert 0.2 < (x > 0).mean() < 0.8 and np.abs(task.signal).max() < 1.2 and not task.repeat


def test_the_unit_of_time_stretches_the_attractor() -> None:
    slow, fast = tasks.lorenz("2 s", unit="2 s", dt="2 ms"), tasks.lorenz("1 s", unit="1 s", dt="1 ms")
    np.testing.assert_allclose(slow.signal, fast.signal, rtol=1e-12)


def test_a_song_is_drawn_from_its_seed() -> None:
    first, again, other = tasks.song(), tasks.song(), tasks.song(seed=2)
    assert first.signal.shape == (2000, 10) and first.clock == 200
    np.testing.assert_array_equal(first.signal, again.signal)
    assert not np.array_equal(first.signal, other.signal)
    assert first.signal.min() >= 0 and 0.5 < first.signal.max() < 1.5
    silent = first.signal.reshape(8, 250, 10)[:, :27].sum(axis=(1, 2))  # before a ninth of each syllable
    np.testing.assert_allclose(silent, 0, atol=1e-12)
    assert (first.signal.std(axis=0) > 0.05).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tasks.sine("7 Hz"), "the period of frequency='7 Hz' is 3571.43 samples"), (lambda: tasks.sine("0 Hz"), "frequency"),
        (lambda: tasks.product_of_sines(("4.5 Hz", "6 Hz")), "whole numbers of Hz"), (lambda: tasks.song(0), "channels=0"),
        (lambda: tasks.lorenz("1.5 ms"), "duration='1.5 ms'"), (lambda: tasks.lorenz(unit="0 s"), "unit"), (lambda: tasks.ode_to_joy(beat="0.5 ms"), "beat"),
    ],
)  # fmt: skip
def test_signals_that_can_not_be(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
