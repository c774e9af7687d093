"""What generated Triton kernels call, bit for bit against NumPy; in the interpreter where there is no GPU."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.network import realize

pytestmark = pytest.mark.usefixtures("triton")
BITS = {np.float64: np.uint64, np.float32: np.uint32}


@pytest.fixture
def quotients(triton, device):
    """Return x/d by ``quotient``, d one number."""
    import triton.language as tl

    from neurodyn.kernels import triton_functions

    if not triton_functions.ROUNDS_ONCE.value:
        pytest.skip("the interpreter of this version rounds a fused multiply-add twice; it divides instead")

    def divide(x, d, z, out, to_quotient: tl.constexpr, BLOCK: tl.constexpr):
        at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
        tl.store(out + at, to_quotient(tl.load(x + at), tl.load(d), tl.load(z)))

    kernel = triton.jit(divide)

    def run(x: np.ndarray, d) -> np.ndarray:
        d = np.array([d], x.dtype)
        block = 1 << 14
        padded = np.resize(x, -(-x.size // block) * block)
        given = [torch.from_numpy(v).to(device) for v in (padded, d, 1 / d, np.empty_like(padded))]
        kernel[(padded.size // block,)](*given, triton_functions.quotient, BLOCK=block)
        return given[-1].cpu().numpy()[: x.size]

    return run


def significands(kind: type, rng: np.random.Generator, count: int) -> np.ndarray:
    """Numbers in [1, 2): at random, next to 1 and 2, and next to short fractions, where the last bit decides."""
    digits = np.finfo(kind).nmant
    near, some = np.arange(1, 65), rng.integers(0, 1 << digits, count)
    short = (rng.integers(0, 1 << 12, count) << (digits - 12)) + rng.integers(-3, 4, count)
    whole = np.concatenate([[0], near, (1 << digits) - near, some, np.clip(short, 0, (1 << digits) - 1)])
    return (1 + whole / 2.0**digits).astype(kind)


def middles(kind: type, d) -> np.ndarray:
    """Numerators whose quotient by d lies as near to the middle of two numbers as it can (d an odd whole number of units)."""
    digits = np.finfo(kind).nmant
    whole = int(float(d) * 2**digits)
    inverse = pow(whole, -1, 1 << (digits + 1))
    exact = [((r * inverse) % (1 << (digits + 1)) | 1) * whole for r in range(-31, 32, 2)]
    x = np.array([float(e >> max(0, e.bit_length() - digits - 1)) for e in exact]) * 2.0**-digits
    return np.concatenate([x, np.nextafter(x, 0), np.nextafter(x, np.inf)]).astype(kind)


def assert_same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    bits = BITS[found.dtype.type]
    differing = np.flatnonzero(found.view(bits) != expected.view(bits))
    assert not differing.size, [(found[k], expected[k]) for k in differing[:5]]


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_quotients_have_the_bits_of_the_division(kind, quotients):
    rng = np.random.default_rng(1)
    x = significands(kind, rng, 8_000)
    for d in significands(kind, rng, 2)[::7]:
        odd = kind(1 + (int((float(d) - 1) * 2 ** np.finfo(kind).nmant) | 1) / 2.0 ** np.finfo(kind).nmant)
        all_x = np.concatenate([x, -x, middles(kind, odd), np.array([0.0, -0.0], kind)])
        assert_same_bits(quotients(all_x, odd), all_x / odd)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_quotients_of_all_sizes(kind, quotients):
    """Whatever numerator and quotient are normal numbers, and not as large as 1e292 (1e30)."""
    rng, info, largest = np.random.default_rng(3), np.finfo(kind), {np.float64: 1e292, np.float32: 1e30}[kind]
    x = np.exp2(rng.uniform(np.log2(info.tiny), np.log2(largest), 10_000)).astype(kind)
    for d in (1e-20, 0.1, 3.0, 2e-3, 7e19):
        with np.errstate(over="ignore", under="ignore"):
            exact = x / kind(d)
        kept = (np.abs(exact) >= info.tiny) & (np.abs(exact) < largest)
        assert kept.sum() > 1000
        assert_same_bits(quotients(x[kept], d), exact[kept])


def test_loops_divide_by_numbers_of_the_network_without_a_division():
    """A leak by a time constant that all cells share; its inverse is an argument of the kernel."""
    from neurodyn.backends.fused import FusedStep
    from neurodyn.backends.torch import TorchBatch

    cells = nd.Population(
        "cells", 3, code="v = v/tau", variables={"v": "1"}, parameters={"tau": 7.0}, initial={"v": 1.0}
    )
    batch = TorchBatch([realize(nd.Circuit([cells], dt="1 ms", seed=s)) for s in (1, 2)])
    step = FusedStep(batch.layout, batch.samples, ())
    text = step.text.source()
    (inverse,) = (name for name in step.text.arguments if name.startswith("z_"))
    assert "quotient(" in text.split("def advance")[1] and "divided(" not in text.split("for done")[1]
    np.testing.assert_array_equal(step._fixed[inverse].numpy(), 1 / np.array([7.0, 7.0]))
