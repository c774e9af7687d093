"""Case "rls": one update of recursive least squares, ours beside NumPy's, SciPy's and torch's, at the sizes FORCE is used at.

The least an update can do is to read one triangle of P and to write it again. The limit is how long a plain loop takes to
do just that, numbers multiplied in place; a copy of all of P stands beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from limits import Ceiling
from measure import in_turn
from scipy.linalg import blas
from table import Case, at_least

from neurodyn.kernels.rls import rls_gain, rls_late, rls_settle

SAMPLES = 20  # updates of a run
Update = Callable[[np.ndarray], Any]


def run(ceiling: Ceiling, *, quick: bool) -> list[Case]:
    """Time updates at N = 2000, and in full at 500, 1000 and 4000 too."""
    return [_at(n, rounds=5 if quick else 21) for n in ((2000,) if quick else (500, 1000, 2000, 4000))]


def _at(n: int, rounds: int) -> Case:
    case = Case(f"Recursive least squares, N = {n}, float64: one update of P")
    xs = np.random.default_rng(0).normal(size=(SAMPLES, n)) / np.sqrt(n)
    matrices: dict[str, np.ndarray] = {}
    updates = _updates(n, matrices)
    late = np.zeros(n + 3)
    ours, gain = matrices.setdefault("late", np.eye(n)), np.empty(n)
    updates = {"late": lambda x: rls_late(ours, x, 1.0, 0.0, gain, late), **updates}
    source, target, half = np.ones((n, n)), np.empty((n, n)), np.ones(n * (n + 1) // 2)

    def timed(name: str) -> Callable[[], float]:
        def go() -> float:
            start = time.process_time()
            for x in xs:
                updates[name](x)
            return time.process_time() - start

        return go

    def settle() -> float:
        updates["late"](xs[0])
        updates["late"](xs[1])
        start = time.process_time()
        rls_settle(ours, late)
        return time.process_time() - start

    def repeated(step: Callable[[], object]) -> Callable[[], float]:
        def go() -> float:
            start = time.process_time()
            for _ in range(SAMPLES):
                step()
            return time.process_time() - start

        return go

    memory = {
        "in place": repeated(lambda: np.multiply(half, 1.0, out=half)),
        "copy": repeated(lambda: np.copyto(target, source)),
    }

    _check(case, n, xs, matrices, updates, late)
    times = in_turn({**{name: timed(name) for name in updates}, "settle": settle, **memory}, rounds)
    least = float(np.median(times["in place"].own))
    moved = 2 * half.nbytes
    text = {
        "late": "neurodyn: one triangle, the update of a sample with the product of the next",
        "plain": "neurodyn: all of P, made whole at each sample (between steps, and where a rule reads P)",
        "outer": "NumPy: P @ x, P -= np.outer",
        "out": "NumPy: the same into buffers (out=)",
        "rank one": "SciPy: BLAS gemv and ger, in place",
        "triangle": "SciPy: BLAS symv and syr, one triangle",
        "torch": "torch: mv and addr_, in place",
    }
    base = None
    for name, words in text.items():
        row = case.add(words, times[name].own, per=SAMPLES, against=base, limit=least)
        base = base or row
    case.add("neurodyn: to make P whole, once a chunk of some thousand steps", times["settle"].own)
    case.add("the numbers of one triangle multiplied in place", times["in place"].own, per=SAMPLES)
    copied = case.add("a copy of a matrix of this size", times["copy"].own, per=SAMPLES)
    best = min(r.median for r in case.rows if r.what.startswith("NumPy"))
    assert base is not None
    case.notes.append(
        f"An update reads and writes one triangle, {moved / 1e6:.3g} MB: ours at {moved / base.median / 1e6:.3g} GB/s, multiplied in "
        f"place at {moved * SAMPLES / least / 1e9:.3g} GB/s; the copy moves {16 * n * n / 1e6:.3g} MB at {16 * n * n / copied.median / 1e6:.3g} GB/s"
    )
    if n == 2000:
        case.goals.append(at_least("RLS at N = 2000: the faster NumPy form / neurodyn", best / base.median, 3.0))
    return case


def _updates(n: int, matrices: dict[str, np.ndarray]) -> dict[str, Update]:
    import torch

    for name in ("plain", "outer", "out", "rank one", "triangle"):
        matrices[name] = np.eye(n)
    gemv, ger, symv, syr = blas.get_blas_funcs(("gemv", "ger", "symv", "syr"), dtype=np.float64)
    px, gain, product = np.empty(n), np.empty(n), np.empty((n, n))
    fortran = {name: matrices[name].T for name in ("rank one", "triangle")}  # symmetric: BLAS takes it by columns
    tensor = torch.eye(n, dtype=torch.float64)
    matrices["torch"] = tensor.numpy()

    def outer(x: np.ndarray) -> None:
        p = matrices["outer"]
        k = p @ x
        p -= np.outer(k / (1.0 + x @ k), k)

    def out(x: np.ndarray) -> None:
        p = matrices["out"]
        np.dot(p, x, out=px)
        np.multiply.outer(px / (1.0 + x @ px), px, out=product)
        np.subtract(p, product, out=p)

    def rank_one(x: np.ndarray) -> None:
        k = gemv(1.0, fortran["rank one"], x)
        ger(-1.0 / (1.0 + x @ k), k, k, a=fortran["rank one"], overwrite_a=1)

    def triangle(x: np.ndarray) -> None:
        k = symv(1.0, fortran["triangle"], x)
        syr(-1.0 / (1.0 + x @ k), k, a=fortran["triangle"], overwrite_a=1)

    def by_torch(x: np.ndarray) -> None:
        given = torch.from_numpy(x)
        k = torch.mv(tensor, given)
        tensor.addr_(k, k, alpha=-1.0 / (1.0 + float(given @ k)))

    return {
        "plain": lambda x: rls_gain(matrices["plain"], x, 1.0, 0.0, gain),
        "outer": outer,
        "out": out,
        "rank one": rank_one,
        "triangle": triangle,
        "torch": by_torch,
    }


def _check(
    case: Case,
    n: int,
    xs: np.ndarray,
    matrices: dict[str, np.ndarray],
    updates: dict[str, Update],
    late: np.ndarray,
) -> None:
    for x in xs:
        for update in updates.values():
            update(x)
    rls_settle(matrices["late"], late)
    case.check(
        f"P after {len(xs)} samples is the same, bit for bit, in both forms of ours, and symmetric",
        np.array_equal(matrices["late"], matrices["plain"]) and np.array_equal(matrices["plain"], matrices["plain"].T),
    )
    upper = np.triu_indices(n)
    others = [m for name, m in matrices.items() if name not in ("late", "plain", "triangle")]
    agree = all(np.allclose(m, matrices["plain"], rtol=0, atol=1e-12) for m in others)
    agree = agree and np.allclose(matrices["triangle"].T[upper], matrices["plain"][upper], rtol=0, atol=1e-12)
    case.check("that of NumPy, SciPy and torch agrees to 1e-12", agree)
