"""Counter-based random numbers: the same draw for the same (seed, index, step, stream), on every runner.

Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). The key is the 64-bit seed of
the network; the counter holds the index of the unit, the step and the stream. One call gives two 52-bit uniforms:
units 2k and 2k+1 share a call. Uniforms are u = (k + 1/2) 2^-52, never 0 or 1; normals come from the inverse
distribution (Wichura 1988, algorithm AS 241, PPND16). There is no state, so no batch, chunk or backend can change
a draw.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numba import njit

from neurodyn.kernels.table import room
from neurodyn.kernels.vectors import wide

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_32, _20, _12, _1 = np.uint64(32), np.uint64(20), np.uint64(12), np.uint64(1)
_SCALE = 2.0**-52
_floats, _places = room("float64"), room("int64")


def stream_number(name: str) -> int:
    """Return the 32-bit number of a named stream; a name never depends on what else a circuit holds."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")


@njit(cache=True, error_model="numpy", inline="always")
def _rounds(c0, c1, c2, c3, k0, k1):
    # words of 32 bits in registers of 64: what stands above them is cut off by the product, which takes the low half anyway
    for _ in range(10):
        p0 = _M0 * (c0 & _LOW)
        p1 = _M1 * (c2 & _LOW)
        c0, c1, c2, c3 = (p1 >> _32) ^ c1 ^ k0, p1, (p0 >> _32) ^ c3 ^ k1, p0
        k0 += _W0
        k1 += _W1
    return c0 & _LOW, c1 & _LOW, c2 & _LOW, c3 & _LOW


@njit(cache=True, error_model="numpy")
def philox4x32(counter, key):
    """Return the four 32-bit words of one call, for counters (4,) and keys (2,) of uint32 (known-answer tests)."""
    c0, c1, c2, c3 = _rounds(
        np.uint64(counter[0]),
        np.uint64(counter[1]),
        np.uint64(counter[2]),
        np.uint64(counter[3]),
        np.uint64(key[0]),
        np.uint64(key[1]),
    )
    return np.array([c0, c1, c2, c3], dtype=np.uint32)


@njit(cache=True, error_model="numpy", nogil=True)
def fill_uniform(out, seed, step, stream, first=0):
    """Fill ``out`` (n,) float64 with the uniforms of n units from ``first``, an even one, at one step of one stream."""
    wide()
    before = np.uint64(first >> 1)
    k0, k1 = np.uint64(seed) & _LOW, np.uint64(seed) >> _32
    c1, c2 = np.uint64(step) & _LOW, np.uint64(step) >> _32
    c3 = np.uint64(stream)
    n = out.shape[0]
    for pair in range(n >> 1):
        w0, w1, w2, w3 = _rounds(before + np.uint64(pair), c1, c2, c3, k0, k1)
        out[2 * pair] = (np.float64((w0 << _20) | (w1 >> _12)) + 0.5) * _SCALE
        out[2 * pair + 1] = (np.float64((w2 << _20) | (w3 >> _12)) + 0.5) * _SCALE
    if n & 1:
        w0, w1, w2, w3 = _rounds(before + np.uint64(n >> 1), c1, c2, c3, k0, k1)
        out[n - 1] = (np.float64((w0 << _20) | (w1 >> _12)) + 0.5) * _SCALE


@njit(cache=True, error_model="numpy")
def _tail(r):
    """AS 241 for 1.6 <= r + 1.6 <= 5, r = sqrt(-log(min(u, 1 - u))): no branch, so the loop over it vectorises."""
    r -= 1.6
    return (
        (
            (
                (
                    (
                        ((7.74545014278341407640e-4 * r + 2.27238449892691845833e-2) * r + 2.41780725177450611770e-1)
                        * r
                        + 1.27045825245236838258e0
                    )
                    * r
                    + 3.64784832476320460504e0
                )
                * r
                + 5.76949722146069140550e0
            )
            * r
            + 4.63033784615654529590e0
        )
        * r
        + 1.42343711074968357734e0
    ) / (
        (
            (
                (
                    (
                        ((1.05075007164441684324e-9 * r + 5.47593808499534494600e-4) * r + 1.51986665636164571966e-2)
                        * r
                        + 1.48103976427480074590e-1
                    )
                    * r
                    + 6.89767334985100004550e-1
                )
                * r
                + 1.67638483018380384940e0
            )
            * r
            + 2.05319162663775882187e0
        )
        * r
        + 1.0
    )


@njit(cache=True, error_model="numpy")
def _far_tail(r):
    """AS 241 for r > 5: one draw in 36 thousand million."""
    r -= 5.0
    return (
        (
            (
                (
                    (
                        ((2.01033439929228813265e-7 * r + 2.71155556874348757815e-5) * r + 1.24266094738807843860e-3)
                        * r
                        + 2.65321895265761230930e-2
                    )
                    * r
                    + 2.96560571828504891230e-1
                )
                * r
                + 1.78482653991729133580e0
            )
            * r
            + 5.46378491116411436990e0
        )
        * r
        + 6.65790464350110377720e0
    ) / (
        (
            (
                (
                    (
                        ((2.04426310338993978564e-15 * r + 1.42151175831644588870e-7) * r + 1.84631831751005468180e-5)
                        * r
                        + 7.86869131145613259100e-4
                    )
                    * r
                    + 1.48753612908506148525e-2
                )
                * r
                + 1.36929880922735805310e-1
            )
            * r
            + 5.99832206555887937690e-1
        )
        * r
        + 1.0
    )


@njit(cache=True, error_model="numpy")
def _centre(q):
    """AS 241 for |q| = |u - 1/2| <= 0.425: a ratio of polynomials, no branch, so the loop over it vectorises."""
    r = 0.180625 - q * q
    return (
        q
        * (
            (
                (
                    (
                        (
                            ((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r
                            + 45921.953931549871457
                        )
                        * r
                        + 13731.693765509461125
                    )
                    * r
                    + 1971.5909503065514427
                )
                * r
                + 133.14166789178437745
            )
            * r
            + 3.387132872796366608
        )
        / (
            (
                (
                    (
                        (
                            ((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r
                            + 21213.794301586595867
                        )
                        * r
                        + 5394.1960214247511077
                    )
                    * r
                    + 687.1870074920579083
                )
                * r
                + 42.313330701600911252
            )
            * r
            + 1.0
        )
    )


@njit(cache=True, error_model="numpy", nogil=True)
def normal_from_uniform(out):
    """Turn uniforms into standard normals in place, by the inverse distribution.

    The 15 % outside the centre are gathered first, so that all but the logarithm runs in vectors, without branches.
    """
    wide()
    n = out.shape[0]
    centre, r, where = _floats(256), _floats(256), _places(256)
    for start in range(0, n, 256):
        m = min(256, n - start)
        for k in range(m):
            centre[k] = _centre(out[start + k] - 0.5)
        count = 0
        for k in range(m):
            where[count] = k
            count += 1 if abs(out[start + k] - 0.5) > 0.425 else 0
        for j in range(count):
            u = out[start + where[j]]
            r[j] = np.log(u if u < 0.5 else 1.0 - u)
        far = False
        for j in range(count):
            r[j] = np.sqrt(-r[j])
            far = far or r[j] > 5.0
        if far:
            for j in range(count):
                r[j] = _far_tail(r[j]) if r[j] > 5.0 else _tail(r[j])
        else:
            for j in range(count):
                r[j] = _tail(r[j])
        for j in range(count):
            k = where[j]
            centre[k] = -r[j] if out[start + k] < 0.5 else r[j]
        for k in range(m):
            out[start + k] = centre[k]


@njit(cache=True, error_model="numpy", nogil=True)
def fill_normal(out, seed, step, stream):
    """Fill ``out`` (n,) float64 with the standard normals of units 0..n-1 at one step of one stream."""
    fill_uniform(out, seed, step, stream)
    normal_from_uniform(out)


@njit(cache=True, error_model="numpy", nogil=True)
def uniform_ahead(out, size, steps, seed, step, stream):
    """Fill ``out`` with the uniforms of ``size`` units at successive steps from ``step`` on, one row of them after the other.

    What few units draw in a step takes less time than getting ready for it.
    """
    for row in range(steps):
        fill_uniform(out[row * size : (row + 1) * size], seed, step + np.uint64(row), stream)


@njit(cache=True, error_model="numpy", nogil=True)
def fill_batch(out, normal, seeds, sizes, step, stream):
    """Fill ``out`` (networks, rows, width): each network draws rows * size numbers in a row, as it does alone.

    ``seeds`` (networks,) uint64 and ``sizes`` (networks,) int64 up to the width; what is beyond a size is 0.
    """
    networks, rows, width = out.shape
    for b in range(networks):
        n = sizes[b]
        if n == width:
            flat = out[b].reshape(rows * width)
        else:
            flat = np.empty(rows * n)
        if normal:
            fill_normal(flat, seeds[b], step, stream)
        else:
            fill_uniform(flat, seeds[b], step, stream)
        if n != width:
            for row in range(rows):
                for i in range(width):
                    out[b, row, i] = flat[row * n + i] if i < n else 0.0


def draw(kind: str, size: int, *, seed: int, step: int, stream: str) -> np.ndarray:
    """Return ``size`` draws of one step, float64: ``kind`` "uniform" in (0, 1) or "normal"."""
    from neurodyn.kernels import uncompiled

    key = np.uint64(seed & 0xFFFFFFFFFFFFFFFF), np.uint64(step), np.uint64(stream_number(stream))
    if not fill_uniform.signatures and uncompiled.suffices(size):
        out = uncompiled.uniform(size, *key)
    else:
        out = np.empty(size)
        fill_uniform(out, *key)
    if kind == "normal":  # not by fill_normal, which would be compiled beside the two that it is made of
        if not normal_from_uniform.signatures and uncompiled.suffices(size):
            return uncompiled.normal(out)
        normal_from_uniform(out)
    return out
