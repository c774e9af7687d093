"""Thin singular value decomposition that doesn't give up."""

from __future__ import annotations

import numpy as np

from .._checks import FloatArray


def thin_svd(matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Left vectors, singular values and right vectors, as ``numpy.linalg.svd(matrix, full_matrices=False)``."""
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        # LAPACK's gesdd, which numpy calls, fails on some finite matrices with many vanishing singular values (met on one
        # of 200 x 140, averages of a reservoir's trials); the slower gesvd takes them.
        from scipy.linalg import svd

        left, values, right = svd(matrix, full_matrices=False, lapack_driver="gesvd")  # type: ignore[misc]
        return np.asarray(left), np.asarray(values), np.asarray(right)
