"""Draws as tensors: the words of Philox, and what the compiled kernel draws."""

import numpy as np
import pytest
import torch

from neurodyn.kernels.philox import fill_batch, normal_from_uniform
from neurodyn.kernels.philox_torch import _normal, draw, philox4x32

FULL = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((FULL, FULL, FULL, FULL), (FULL, FULL), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_published_vectors(counter, key, expected):
    words = philox4x32(*(torch.tensor([x]) for x in (*counter, *key)))
    assert tuple(int(w) for w in words) == expected


@pytest.mark.parametrize(("step", "stream"), [(0, 0), (2**33 + 7, 4_000_000_000), (123, 2**32 - 1)])
@pytest.mark.parametrize("sizes", [[7, 4, 1], [7, 7, 7], [0, 7, 2]])
def test_every_network_draws_what_it_draws_alone(step, stream, sizes):
    """Seeds with the highest bit, rows of networks that are smaller than the widest."""
    seeds, sizes = np.array([1, 2**63 + 5, 2**64 - 1], np.uint64), np.array(sizes)
    expected = np.empty((3, 2, 7))
    for kind in ("uniform", "normal"):
        fill_batch(expected, kind == "normal", seeds, sizes, np.uint64(step), np.uint64(stream))
        found = draw(kind, (3, 2, 7), torch.from_numpy(seeds.view(np.int64)), step, stream, torch.from_numpy(sizes))
        if kind == "uniform":
            np.testing.assert_array_equal(found, expected)
        else:
            np.testing.assert_allclose(found, expected, rtol=1e-15, atol=1e-15)


def test_one_number_a_network():
    seeds = torch.tensor([3, 4])
    numbers, vectors = draw("uniform", (2,), seeds, 5, 6), draw("uniform", (2, 4), seeds, 5, 6)
    assert numbers.shape == (2,) and torch.equal(numbers, vectors[:, 0])


def test_both_tails_and_the_centre():
    u = np.array([2.0**-53, 1e-12, 1e-11, 1e-3, 0.07, 0.075, 0.076, 0.5, 0.924, 0.926, 1 - 1e-11, 1 - 2.0**-53])
    expected = u.copy()
    normal_from_uniform(expected)
    np.testing.assert_allclose(_normal(torch.from_numpy(u)), expected, rtol=1e-14, atol=1e-15)
    assert abs(expected[0]) > 8
