"""Normals put in place, against those of one step after the other."""

from __future__ import annotations

import pytest
import torch

from neurodyn.kernels.draws import normals
from neurodyn.kernels.draws_rows import fill_normals


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize(
    "shape", [(2, 1, 1), (3, 5, 7), (2, 1500, 3), (2, 41, 100)]
)  # within a block, odd, over several
@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_steps_have_the_bits_of_their_own_draws(dtype, shape, scale):
    begin = 2**40  # beyond 32 bits
    wished = torch.stack([normals("noise", shape[1:], seed=5, step=begin + t).to(dtype) for t in range(shape[0])])
    found = torch.empty(shape, dtype=dtype)
    fill_normals(found, "noise", seed=5, step=begin, scale=scale)
    assert torch.equal(found, wished * scale)


def test_columns_beside_are_left_alone():
    into = torch.ones(3, 50, 6)
    fill_normals(into[..., :5], "noise", seed=1, step=0)
    alone = torch.empty(3, 50, 5)
    fill_normals(alone, "noise", seed=1, step=0)
    assert torch.equal(into[..., :5], alone) and bool((into[..., 5] == 1).all())
    other = torch.empty(3, 50, 5)
    fill_normals(other, "noise", seed=2**63 - 1, step=0)
    assert not torch.equal(other, alone)
