"""Draws as tensors: what the numbers depend on, and that devices other than the CPU get the same."""

from __future__ import annotations

import pytest
import torch

from neurodyn.kernels import philox
from neurodyn.kernels.draws import _of_tensors, normals, uniforms

LARGE = (2**63 - 1, 2**63 + 999 * 2**32 + 49)  # seed, and step of a test batch of training


@pytest.mark.parametrize(("seed", "step"), [(1, 0), (12, 5 * 2**32 + 599), LARGE])
@pytest.mark.parametrize("shape", [(1,), (5,), (7, 3), (2, 3, 4), (0, 3)])
def test_other_devices_draw_the_same(seed, step, shape):
    """By the path of other devices, taken on the CPU."""
    expected = uniforms("task.digits", shape, seed=seed, step=step)
    found = _of_tensors("uniform", "task.digits", shape, seed, step, "cpu")
    assert found.dtype == expected.dtype == torch.float64
    assert found.shape == expected.shape == shape
    assert torch.equal(found, expected)
    expected = normals("noise", shape, seed=seed, step=step)
    torch.testing.assert_close(_of_tensors("normal", "noise", shape, seed, step, "cpu"), expected, rtol=1e-13, atol=0)


def test_they_lie_where_they_were_asked_for():
    for draw in (uniforms, normals):
        found = draw("noise", (3, 2), seed=1, step=0, device="meta")
        assert found.device.type == "meta"
        assert found.shape == (3, 2)


def test_they_are_those_of_the_compiled_kernel_in_order():
    found = uniforms("state", (3, 4), seed=7, step=9)
    expected = philox.draw("uniform", 12, seed=7, step=9, stream="state")
    assert found.flatten().tolist() == expected.tolist()


def test_seed_step_and_stream_each_change_all_numbers():
    base = {"seed": 1, "step": 0}
    for draw in (uniforms, normals):
        first = draw("a", (100,), **base)
        assert torch.equal(first, draw("a", (100,), **base))
        for other in (draw("b", (100,), **base), draw("a", (100,), seed=2, step=0), draw("a", (100,), seed=1, step=1)):
            assert not (first == other).any()
        assert not (first == draw("a", (100,), seed=1, step=2**32)).any()
        assert not (first == draw("a", (100,), seed=1, step=2**63)).any()


def test_they_do_not_touch_the_generator_of_torch():
    before = torch.get_rng_state()
    uniforms("a", (9,), seed=1, step=0)
    normals("a", (9,), seed=1, step=0)
    assert torch.equal(before, torch.get_rng_state())


def test_their_distribution():
    """Mean and standard deviation within 5 standard errors; streams of consecutive steps are uncorrelated."""
    count = 40_000
    u = uniforms("a", (count,), seed=3, step=4)
    assert float(u.min()) > 0 and float(u.max()) < 1
    assert abs(float(u.mean()) - 0.5) < 5 * (1 / 12 / count) ** 0.5
    z = normals("a", (count,), seed=3, step=5)
    assert abs(float(z.mean())) < 5 / count**0.5
    assert abs(float(z.std()) - 1) < 5 / (2 * count) ** 0.5
    both = torch.stack([normals("a", (count,), seed=3, step=k) for k in (6, 7)])
    assert abs(float(torch.corrcoef(both)[0, 1])) < 5 / count**0.5
