"""The synapses of a circuit: which there are, their weights and delays, drawn from the seed or taken as given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neurodyn import units
from neurodyn.circuit import Circuit
from neurodyn.parts import CircuitError, Connection, Normal, Uniform
from neurodyn.program import Program
from neurodyn.specs import check_delay
from neurodyn.synaptic_numbers import PerSynapse, first_infinite, sources_of


@dataclass(frozen=True, eq=False)
class Wiring:
    """Synapses of one connection, sorted by source.

    ``indptr`` (sources + 1,) int64, ``targets`` (synapses,) int32, ``weights`` (synapses,) in SI, float64 or what the
    network computes in, ``delays`` (synapses,) int32 in steps, one number seen as many where all are equal. A dense
    weighted sum has ``matrix`` (source, target) as well, which is ``weights`` in another shape where it joins all to all.
    """

    indptr: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    matrix: np.ndarray | None = None

    @property
    def sources(self) -> np.ndarray:
        """Source unit of each synapse (synapses,)."""
        return sources_of(self.indptr, 0, self.targets.size)

    @property
    def lags(self) -> np.ndarray:
        """The delays that occur (lags,) int64, in steps, longest first."""
        present = self.delays[:1] if not self.delays.strides[0] else np.unique(self.delays)
        return present[::-1].astype(np.int64)


def ends(c: Connection, program: Program, sizes: Mapping[str, int]) -> tuple[int, int, bool]:
    """Return how many units a connection comes from and goes to, and whether it is a dense weighted sum."""
    summed = next((s for s in program.sums if s.name == c.name), None)
    pre = sizes[c.source] if summed is None else sizes[summed.source_axis] if summed.source_axis else 1
    return pre, sizes[c.target], summed is not None and summed.layout == "dense"


def given_matrix(c: Connection, pre: int, post: int) -> np.ndarray | None:
    """Return the weights of a connection where they are a matrix (source, target), NaN without a synapse; else None."""
    if isinstance(c.weight, str | Uniform | Normal):
        return None
    value = units.quantity(c.weight, name=f"{c.name}.weight").value
    if np.ndim(value) != 2:
        return None
    matrix = np.asarray(value, dtype=float)
    if matrix.shape != (pre, post):
        raise CircuitError(
            f"connection {c.name!r}: weight matrix has shape {matrix.shape}, needed is (source, target) = {(pre, post)}"
        )
    return matrix


def in_two_bytes(units: int, synapses: int) -> bool:
    """Whether a runner keeps targets in two bytes as well, which is quicker: not of many synapses, since it takes memory."""
    return units <= 2**16 and synapses <= 2**24


def wiring_of(
    c: Connection,
    circuit: Circuit,
    program: Program,
    values: Mapping[str, np.ndarray],
    sizes: Mapping[str, int],
    dtype: str = "float64",
) -> Wiring:
    """Return the synapses of a connection: given by ``circuit.values`` where a file brought them, else drawn from the seed.

    Weights that don't learn are rounded to ``dtype``. Raises CircuitError for numbers of another shape, units that
    don't exist, and weights or delays that can't be.
    """
    pre, post, dense = ends(c, program, sizes)
    stored = {k.rpartition(".")[2]: v for k, v in circuit.values.items() if k.startswith(f"{c.name}.")}
    matrix = given_matrix(c, pre, post)
    if "indptr" in stored:
        indptr, targets = stored["indptr"].astype(np.int64), stored["targets"].astype(np.int32)
        if (  # compiled code follows these numbers blindly, and a file may hold anything
            indptr.shape != (pre + 1,)
            or indptr[0] != 0
            or indptr[-1] != targets.size
            or np.any(np.diff(indptr) < 0)
            or (targets.size and not 0 <= targets.min() <= targets.max() < post)
        ):
            raise CircuitError(
                f"values: {c.name}.indptr and {c.name}.targets don't describe synapses from {pre} to {post} units"
            )
        if dense and c.plastic and not np.array_equal(targets, np.tile(np.arange(post), pre)):  # compiled as all to all
            raise CircuitError(
                f"values: {c.name}.targets hold {targets.size} synapses, but the connection joins all {pre} to all {post} "
                "units; give Connection(pairs=...) for others"
            )
    elif matrix is not None and c.pairs is None and c.probability is None:
        rows, targets = np.nonzero(~np.isnan(matrix))
        indptr, targets = _rows(rows, targets, pre)
        del rows
    else:
        indptr, targets = _pattern(c, pre, post, circuit)
    given = "w" if c.plastic and "w" in stored else "weights"  # what was learned wins over where it began
    numbers = PerSynapse(c, indptr, targets, circuit, program, values)
    if given in stored:
        weights = np.asarray(stored[given], dtype=float)
    elif matrix is not None:
        weights = matrix[sources_of(indptr, 0, targets.size), targets]
    else:
        weights = numbers.of(c.weight, "weight")
    if weights.shape != targets.shape:
        raise CircuitError(
            f"values: {c.name}.{given} has shape {weights.shape}, needed is one for each of the {targets.size} synapses"
        )
    infinite = first_infinite(weights)
    if infinite is not None:
        raise CircuitError(f"connection {c.name!r}: weight {infinite} is not finite")
    if not c.plastic:
        weights = weights.astype(dtype, copy=False)
    if "delays" in stored:
        delays = np.asarray(stored["delays"], dtype=np.int32)
        if delays.shape != targets.shape or delays.min(initial=0) < 0:
            raise CircuitError(
                f"values: {c.name}.delays has shape {delays.shape} and begins at {delays.min(initial=0)}; needed are steps, "
                f"0 or more, one for each of the {targets.size} synapses"
            )
    else:
        seconds = 0.0 if c.delay is None else numbers.of(c.delay, "delay")
        delays = np.asarray(check_delay(seconds, circuit.timestep, c.name), dtype=np.int32)
    if not delays.ndim or not delays.size or delays.min() == delays.max():  # one number does for all
        delays = np.broadcast_to(delays.flat[0] if delays.size else np.int32(0), targets.shape)
    if not dense:
        return Wiring(indptr, targets, weights, delays)
    if targets.size == pre * post and c.pairs is None and "indptr" not in stored:  # all to all, in order
        return Wiring(indptr, targets, weights, delays, weights.reshape(pre, post))
    square = np.zeros((pre, post), dtype if not c.plastic else float)
    square[sources_of(indptr, 0, targets.size), targets] = weights
    return Wiring(indptr, targets, weights, delays, square)


def _pattern(c: Connection, pre: int, post: int, circuit: Circuit) -> tuple[np.ndarray, np.ndarray]:
    recurrent = c.source.split(".")[0] == c.target
    if c.probability is not None:
        from neurodyn.kernels.philox import stream_number
        from neurodyn.kernels.wiring import draw_rows

        key = np.uint64(circuit.seed), np.uint64(stream_number(f"{c.name}.wiring"))
        return draw_rows(pre, post, float(c.probability), *key, recurrent and not c.autapses)
    if c.pairs is not None:
        rows, targets = (np.asarray(x, dtype=np.int64).ravel() for x in c.pairs)
        if rows.shape != targets.shape:
            raise CircuitError(f"connection {c.name!r}: pairs hold {rows.size} sources but {targets.size} targets")
        for side, ids, size in (("source", rows, pre), ("target", targets, post)):
            if ids.size and (ids.min() < 0 or ids.max() >= size):
                bad = int(ids[(ids < 0) | (ids >= size)][0])
                raise CircuitError(f"connection {c.name!r}: {side} unit {bad} outside 0..{size - 1}")
        order = np.argsort(rows, kind="stable")
        return _rows(rows[order], targets[order], pre)
    if c.pattern == "one-to-one":
        if pre != post:
            raise CircuitError(f"connection {c.name!r}: one-to-one needs equal sizes, not {pre} and {post}")
        return np.arange(pre + 1, dtype=np.int64), np.arange(pre, dtype=np.int32)
    targets = np.tile(np.arange(post, dtype=np.int32), pre)
    if recurrent and not c.autapses and "." not in c.source:
        others = targets.reshape(pre, post)[~np.eye(pre, post, dtype=bool)]
        return np.arange(pre + 1, dtype=np.int64) * max(post - 1, 0), others
    return np.arange(pre + 1, dtype=np.int64) * post, targets


def _rows(rows: np.ndarray, targets: np.ndarray, pre: int) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=pre)))).astype(np.int64), targets.astype(np.int32)
