"""Division by a shared number, bit for bit; whether a program is divided by it."""

import numpy as np
import pytest
from numba import njit

import neurodyn as nd
from neurodyn.kernels import vectors
from neurodyn.kernels.step import StepText
from neurodyn.kernels.vectors import DIVISORS, quotient, remainder, shared_divisors, wide
from neurodyn.network import realize

pytestmark = pytest.mark.skipif(not vectors.fused(), reason="this processor has no fused multiply-add")
BITS = {np.float64: np.uint64, np.float32: np.uint32}


@njit(error_model="numpy")
def _quotients(x, d, z, out):
    wide()
    for i in range(x.shape[0]):
        out[i] = quotient(x[i], d, z)


def quotients(x: np.ndarray, d: float) -> np.ndarray:
    out, one = np.empty_like(x), x.dtype.type(1)
    _quotients(x, x.dtype.type(d), one / x.dtype.type(d), out)
    return out


def assert_same_bits(a: np.ndarray, b: np.ndarray) -> None:
    bits = BITS[a.dtype.type]
    differing = np.flatnonzero(a.view(bits) != b.view(bits))
    assert not differing.size, [(a[k], b[k]) for k in differing[:5]]


def significands(kind: type, rng: np.random.Generator, count: int) -> np.ndarray:
    """Numbers in [1, 2): at random, and next to 1, to 2 and to short fractions, where rounding is decided by the last bit."""
    digits = np.finfo(kind).nmant
    near = np.arange(1, 65)
    some = rng.integers(0, 1 << digits, count)
    short = (rng.integers(0, 1 << 12, count) << (digits - 12)) + rng.integers(-3, 4, count)
    whole = np.concatenate([[0], near, (1 << digits) - near, some, np.clip(short, 0, (1 << digits) - 1)])
    return (1 + whole / 2.0**digits).astype(kind)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_quotients_have_the_bits_of_the_division(kind) -> None:
    rng = np.random.default_rng(1)
    x = significands(kind, rng, 20_000)
    for d in significands(kind, rng, 60):
        assert_same_bits(quotients(x, d), x / d)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_quotients_next_to_the_middle_of_two_numbers(kind) -> None:
    """The hardest numerators of a divisor: those whose quotient lies as near to a middle as it can."""
    rng = np.random.default_rng(2)
    digits = np.finfo(kind).nmant
    modulus = 1 << (digits + 1)
    for d in significands(kind, rng, 40):
        n = int(float(d) * 2**digits)
        if n % 2 == 0:
            continue
        inverse = pow(n, -1, modulus)
        # (2 q + 1) n = r (modulo a power of two) with a small r: the quotient misses the middle by r / n
        middles = [(r * inverse) % modulus | 1 for r in range(-31, 32, 2)]
        exact = np.array([m * n for m in middles], dtype=object)
        x = np.array([float(e >> max(0, e.bit_length() - digits - 1)) for e in exact], dtype=np.float64)
        around = np.concatenate([x, np.nextafter(x, 0), np.nextafter(x, np.inf)]) * 2.0**-digits
        around = around.astype(kind)
        assert_same_bits(quotients(around, d), around / d)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_quotients_of_all_sizes(kind) -> None:
    rng = np.random.default_rng(3)
    low, high = DIVISORS[np.dtype(kind).name]
    info, largest = np.finfo(kind), {np.float64: 1e292, np.float32: 1e30}[kind]
    exponents = rng.uniform(np.log2(info.tiny), np.log2(info.max) * 0.9, 20_000)
    x = (np.exp2(exponents) * rng.choice([-1, 1], exponents.size)).astype(kind)
    x = np.concatenate([x, np.array([0.0, -0.0], kind)])
    for d in np.exp2(rng.uniform(np.log2(low), np.log2(high), 30)).astype(kind):
        with np.errstate(over="ignore", under="ignore"):
            wanted = x / d
        sized = (abs(wanted) >= info.tiny) & (abs(wanted) < largest) & (abs(x) < largest)
        normal = sized | (x == 0)
        assert normal.any()
        assert_same_bits(quotients(x, d)[normal], wanted[normal])


def test_too_large_numerators_are_no_number_and_tiny_quotients_nearly_right() -> None:
    assert np.isnan(quotients(np.array([1e300, np.inf, np.nan]), 3.0)).all()
    tiny = np.array([3e-308, 1e-310, 5e-324])
    np.testing.assert_allclose(quotients(tiny, 7.0), tiny / 7.0, rtol=0, atol=5e-324)


@njit(error_model="numpy")
def _remainders(x, d, z, out):
    for i in range(x.shape[0]):
        out[i] = remainder(x[i], d, z)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_remainders_have_the_bits_of_the_modulo(kind) -> None:
    rng, one = np.random.default_rng(4), kind(1)
    for d in significands(kind, rng, 40):
        multiples = (rng.integers(-(1 << 20), 1 << 20, 200).astype(kind) * d).astype(kind)
        near = np.concatenate(
            [multiples, np.nextafter(multiples, kind(np.inf)), np.nextafter(multiples, kind(-np.inf))]
        )
        x = np.concatenate([near, [0.0, -0.0, 0.3, -0.3, 1e20, -1e20, 3e25], rng.normal(0, 1e4, 200)]).astype(kind)
        out = np.empty_like(x)
        _remainders(x, d, one / d, out)
        assert_same_bits(out, np.mod(x, d))


CELLS = "dx/dt = (drive - x)/tau : 1\ndy/dt = -y/tau_y : 1"


def circuit(**changes) -> nd.Circuit:
    given = {"tau": "7 ms", "drive": 1.5, "tau_y": nd.Uniform("3 ms", "9 ms"), **changes}
    cells = nd.Population(
        "cells", 40, CELLS, method="euler", threshold="x > 1", reset="x = 0", parameters=given, initial={"y": 1}
    )
    return nd.Circuit([cells], dt="0.1 ms")


def test_a_shared_divisor_is_multiplied_by_and_one_of_each_unit_is_not() -> None:
    network = realize(circuit())
    names = shared_divisors(network.program, network.values, "float64")
    assert "cells.tau" in names and "cells.tau_y" not in names
    text = StepText(network.program, (), "float64", names).text()
    assert text.count("quotient(") == 1 and "z_s_" in text
    assert text.count(" / ") == StepText(network.program, (), "float64").text().count(" / ")  # one is 1/tau, made once


@pytest.mark.parametrize("tau", [-0.007, 0.0, 1e-310])
def test_divisors_out_of_range_stay_divisors(tau) -> None:
    network = realize(circuit())
    values = {**network.values, "cells.tau": np.array(tau)}
    assert "cells.tau" not in shared_divisors(network.program, values, "float64")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_has_the_bits_of_the_interpreter(dtype) -> None:
    how = {"record": ["spikes", "cells.x", "cells.y"], "dtype": dtype}
    compiled, plain = (nd.simulate(circuit(), "60 ms", backend=b, **how) for b in ("numba", "interpreter"))
    assert nd.compare(compiled, plain).difference is None
    assert len(plain["spikes"]) > 100
