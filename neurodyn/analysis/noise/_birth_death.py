"""Diffusion on a line as jumps between neighbouring points, with rates in detailed balance.

With V the potential and h the spacing, the rates are (D / h^2) exp(-(V[i+1] - V[i]) / 2 D) upwards and (D / h^2) exp(+(...) / 2 D)
downwards. exp(-V / D) is then stationary without any error, and the fluctuation-dissipation theorem holds without one; all
else is off by a part of order h^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._checks import FloatArray


@dataclass(frozen=True, eq=False)
class Chain:
    """Rates between neighbours, (points - 1,) up and down; `scale` is D / h^2."""

    up: FloatArray
    down: FloatArray
    scale: float

    @property
    def leaving(self) -> FloatArray:
        """Rate of leaving each point, (points,)."""
        rates = np.zeros(len(self.up) + 1)
        rates[:-1] += self.up
        rates[1:] += self.down
        return rates

    def modes(self, count: int | None = None) -> tuple[FloatArray, FloatArray]:
        """The lowest rates of relaxation and orthonormal modes (point, mode) of the symmetric generator."""
        from scipy.linalg import eigh_tridiagonal

        off = np.full(len(self.up), -self.scale)  # sqrt(up * down)
        some: dict[str, Any] = {} if count is None else {"select": "i", "select_range": (0, count - 1)}
        rates, vectors = eigh_tridiagonal(self.leaving, off, **some)
        return np.asarray(rates), np.asarray(vectors)

    def resolvent(self, angular_frequency: float, sources: NDArray[Any]) -> NDArray[np.complexfloating]:
        """(-i W - S)^-1 of sources (point, column), with S the symmetric generator."""
        from scipy.linalg import get_lapack_funcs

        solve: Any = get_lapack_funcs("gtsv", dtype=np.complex128)
        off = np.full(len(self.up), -self.scale, dtype=np.complex128)
        *_, solution, info = solve(off, self.leaving - 1j * angular_frequency, off, sources.astype(np.complex128))
        if info:
            raise ValueError(f"angular_frequency = {angular_frequency:g} is too near 0 to be told from it")
        return solution

    def floquet(self, angular_frequency: float, tilt: float, order: int, start: int) -> FloatArray:
        """The periodic density under rates up * exp(+tilt cos Wt), down * exp(-tilt cos Wt), (point, coefficient).

        Coefficients are of 1, cos Wt, sin Wt, cos 2Wt, ... up to `order`. Points are eliminated from both ends towards
        `start`, where the density is large; what is left there is the vector that nothing changes.
        """
        from scipy.linalg import expm

        derivative, cosine = _fourier(order)
        derivative = angular_frequency * derivative
        rise, fall = expm(tilt * cosine), expm(-tilt * cosine)
        points, size = len(self.up) + 1, 2 * order + 1

        def own(i: int) -> FloatArray:
            kept = derivative.copy()
            if i < points - 1:
                kept += self.up[i] * rise
            if i > 0:
                kept += self.down[i - 1] * fall
            return kept

        # Left of start p[i] = passed[i] @ p[i + 1], right of it p[i] = passed[i] @ p[i - 1].
        passed = np.empty((points, size, size))
        rest = own(0)
        for i in range(start):
            passed[i] = np.linalg.solve(rest, self.down[i] * fall)
            rest = own(i + 1) - self.up[i] * rise @ passed[i]
        other = own(points - 1)
        for i in range(points - 1, start, -1):
            passed[i] = np.linalg.solve(other, self.up[i - 1] * rise)
            other = own(i - 1) - self.down[i - 1] * fall @ passed[i]
        density = np.empty((points, size))
        # Both eliminations hold what start itself keeps.
        density[start] = np.linalg.svd(rest + other - own(start))[2][-1]
        for i in range(start - 1, -1, -1):
            density[i] = passed[i] @ density[i + 1]
        for i in range(start + 1, points):
            density[i] = passed[i] @ density[i - 1]
        return density / density[:, 0].sum()


def _fourier(order: int) -> tuple[FloatArray, FloatArray]:
    """d/d(phase), and multiplication by cos(phase), on the coefficients of 1, cos, sin, cos 2, sin 2, ..."""
    size = 2 * order + 1
    derivative, cosine = np.zeros((size, size)), np.zeros((size, size))
    for n in range(1, order + 1):
        c, s = 2 * n - 1, 2 * n
        derivative[s, c], derivative[c, s] = -n, n
        lower = 0 if n == 1 else c - 2
        cosine[c, lower], cosine[lower, c] = 1.0 if n == 1 else 0.5, 0.5
        if n > 1:
            cosine[s, s - 2] = cosine[s - 2, s] = 0.5
    return derivative, cosine
