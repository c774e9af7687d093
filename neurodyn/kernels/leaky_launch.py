"""Training steps and tests of a leaky rate network without autograd, on the CPU; the kernels: :mod:`neurodyn.kernels.leaky_step`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neurodyn.kernels import leaky_step, philox
from neurodyn.kernels.leaky_fold import Parameters, fold, room, sizes, unfold
from neurodyn.kernels.leaky_step import TOGETHER, Sizes, Weights
from neurodyn.kernels.matmul import WIDTH, whole
from neurodyn.kernels.rnn_scan import ACTIVATIONS
from neurodyn.kernels.threads import share

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neurodyn.models.leaky import LeakyRNN
    from neurodyn.models.recurrent import Draws

_TILE = 64  # sequences whose gradient is one part of the sum, whatever the number of threads
_TILES = 4  # of columns, whose weights are folded at a time
_DRAWS = 2**15  # at a time, an even number
_ROWS = 128  # units whose gradients are unfolded at a time
_PARAMETERS = ("recurrent_weight", "input_weight", "input_bias", "recurrent_bias", "readout_weight", "readout_bias")


class LeakyStep:
    """Losses with their gradients, and logits, of one network; what memory they need is kept from step to step.

    Parameters
    ----------
    net : LeakyRNN
    threads : int, optional
        As many as torch has by default; numbers don't depend on it.
    gradients : mapping, optional
        Contiguous memory for the gradients, by the names of parameters; its own by default.
    """

    def __init__(
        self, net: LeakyRNN, *, threads: int | None = None, gradients: Mapping[str, Tensor] | None = None
    ) -> None:
        self.net, self._threads = net, threads
        self._folded: dict[int, tuple[Sizes, Weights]] = {}
        self._room: dict[tuple[int, str], np.ndarray] = {}
        self._double = np.empty(0)  # draws before they have the type of the network
        self._parameters = dict(net.named_parameters())  # of a module they are slow to ask for
        self._kind = np.dtype(str(net.dtype).removeprefix("torch."))
        self._gradients = {
            name: torch.zeros_like(v, memory_format=torch.contiguous_format) for name, v in self._parameters.items()
        } if gradients is None else gradients  # fmt: skip
        arrays = {name: g.numpy() for name, g in self._gradients.items()}
        self._of_parameters = Parameters(
            arrays["recurrent_weight"],
            arrays["input_weight"],
            arrays["input_bias"],
            np.empty(net.units, self._kind),
            arrays["readout_weight"].reshape(-1, net.units),
            arrays["readout_bias"].reshape(-1),
        )

    def descend(self, x: Tensor, labels: Tensor, draws: Mapping[str, Tensor], *, hold: int, per: float) -> Tensor:
        """Return the cross-entropy of the first heads, one for each row of labels, summed and times ``per``.

        Its gradient becomes ``grad`` of all parameters.
        """
        p, s, w = self._prepared(len(labels), hold)
        given, start, noise = self._sequences(x, draws)
        wanted = np.ascontiguousarray(labels.numpy(), np.int64)
        batch = len(start)
        if wanted.shape != (len(wanted), batch) or not (wanted.min() >= 0 and wanted.max() < s.outputs):
            raise ValueError(
                f"labels of shape {wanted.shape} from {wanted.min()} to {wanted.max()}; needed is (head, batch), "
                f"{(len(wanted), batch)}, of 0 to {s.outputs - 1}"
            )
        tiles, rows = -(-batch // _TILE), whole(min(batch, _TILE))
        parts = self._of(-1, "parts", tiles * s.size).reshape(tiles, s.size)
        losses, scale = np.empty(tiles), start.dtype.type(per)
        steps, n = len(given), rows * s.ld

        def one(worker: int, k: int) -> None:
            count = min(_TILE, batch - k * _TILE)
            memory = self._memory(worker, s, steps, rows)
            d, g = self._of(worker, "d", TOGETHER * n), self._of(worker, "g", n)
            losses[k] = leaky_step.train_tile(
                s,
                w,
                given,
                start,
                noise,
                wanted,
                k * _TILE,
                count,
                whole(count),
                scale,
                *memory,
                d,
                g,
                parts[k],
            )

        share(one, tiles, self.threads)
        self._leave(p, s, parts, hold)
        return torch.tensor(losses.sum() * per, dtype=torch.float64)

    def logits(self, x: Tensor, *, heads: int, hold: int, draws: Mapping[str, Tensor]) -> Tensor:
        """Return the logits of the first heads after the last step, (head, batch, output)."""
        _, s, w = self._prepared(heads, hold)
        given, start, noise = self._sequences(x, draws)
        batch, steps = len(start), len(given)
        found = np.empty((batch, s.logits), start.dtype)
        rows = whole(min(batch, _TILE))

        def one(worker: int, k: int) -> None:
            count = min(_TILE, batch - k * _TILE)
            memory = self._memory(worker, s, steps, rows)
            leaky_step.test_tile(s, w, given, start, noise, k * _TILE, count, whole(count), *memory, found)

        share(one, -(-batch // _TILE), self.threads)
        return torch.from_numpy(found).unflatten(1, (heads, s.outputs)).transpose(0, 1)

    def draws(self, steps: int, batch: int, *, seed: int, step: int) -> Draws:
        """Return what :meth:`LeakyRNN.draws` does, in memory that the next call fills anew."""
        net = self.net
        (low, high), shape = net.initial_state, (batch, net.units)
        state = self._drawn("state", shape, seed, step)
        state *= high - low
        state += low
        found = {"state": torch.from_numpy(state)}
        if net.noise:
            noise = self._drawn("noise", (steps, *shape), seed, step)
            noise *= net.noise
            found["noise"] = torch.from_numpy(noise)
        return found

    def _drawn(self, stream: str, shape: tuple[int, ...], seed: int, step: int) -> np.ndarray:
        """Uniforms for "state", normals for "noise"."""
        n = math.prod(shape)
        if self._double.size < n:
            self._double = np.empty(n)
        drawn, found = self._double[:n], self._of(-1, stream, n)
        key = np.uint64(seed), np.uint64(step), np.uint64(philox.stream_number(stream))

        def piece(begin: int, end: int) -> None:
            philox.fill_uniform(drawn[begin:end], *key, begin)
            if stream == "noise":
                philox.normal_from_uniform(drawn[begin:end])
            found[begin:end] = drawn[begin:end]

        self._divided(piece, n, _DRAWS)
        return found.reshape(shape)

    @property
    def threads(self) -> int:
        return torch.get_num_threads() if self._threads is None else self._threads

    def _of(self, worker: int, name: str, size: int) -> np.ndarray:
        """Memory of a thread, kept: what the system gives anew it fills with zeros, page by page."""
        found = self._room.get((worker, name))
        if found is None or found.size < size:
            found = self._room[worker, name] = np.empty(size, self._kind)
        return found[:size]

    def _memory(self, worker: int, s: Sizes, steps: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = rows * s.ld
        states = self._of(worker, "states", (steps + 1) * n)
        inside = self._of(worker, "inside", steps * n if s.inner else 0)
        return states, inside, self._of(worker, "logits", rows * s.logit_columns)

    def _prepared(self, heads: int, hold: int) -> tuple[Parameters, Sizes, Weights]:
        net = self.net
        if heads not in self._folded:
            found = sizes(
                net.units,
                net.inputs,
                heads,
                net.outputs,
                activation=ACTIVATIONS.index(net.activation),
                inner=net.nonlinearity == "inner",
                itemsize=self._kind.itemsize,
            )
            self._folded = {heads: (found, room(found, self._kind))}
        s, w = self._folded[heads]
        if not net.self_connections:
            self._parameters["recurrent_weight"].data.fill_diagonal_(0.0)
        with torch.no_grad():
            alpha = net.alpha(hold).contiguous().numpy()
        recurrent, drive, in_bias, bias, read, read_bias = (
            self._parameters[name].detach().contiguous().numpy() for name in _PARAMETERS
        )
        if net.sign is not None or net.mask is not None:
            recurrent = net.weights().detach().contiguous().numpy()
        p = Parameters(recurrent, drive, in_bias + bias, alpha, read.reshape(-1, net.units), read_bias.reshape(-1))
        self._divided(lambda begin, end: fold(s, p, w, begin, end), s.columns // (WIDTH // alpha.itemsize), _TILES)
        return p, s, w

    def _divided(self, work: Callable[[int, int], None], count: int, piece: int) -> None:
        """Call ``work`` for pieces of a range, on all threads."""
        share(lambda _, k: work(k * piece, min((k + 1) * piece, count)), -(-count // piece), self.threads)

    def _sequences(self, x: Tensor, draws: Mapping[str, Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Inputs, start states and noise as arrays; ValueError for what the kernels would read beyond its end."""
        net, kind = self.net, self._kind
        if x.ndim != 3 or x.shape[2] != net.inputs or not x.shape[0]:
            raise ValueError(f"x has shape {tuple(x.shape)}; needed is (time, batch, {net.inputs}) with time >= 1")
        start, noise = draws["state"], draws.get("noise")
        steps, batch = x.shape[:2]
        for name, value, shape in (("state", start, (batch, net.units)), ("noise", noise, (steps, batch, net.units))):
            if value is not None and value.shape != shape:
                raise ValueError(f"{name} has shape {tuple(value.shape)}; needed is {shape}")
        arrays = [np.ascontiguousarray(v.numpy(), kind) for v in (x, start)]
        return (
            arrays[0],
            arrays[1],
            np.empty((0, 0, 0), kind) if noise is None else np.ascontiguousarray(noise.numpy(), kind),
        )

    def _leave(self, p: Parameters, s: Sizes, parts: np.ndarray, hold: int) -> None:
        """Leave the gradient in the parameters."""
        net, of = self.net, self._gradients
        recurrent, g = of["recurrent_weight"], self._of_parameters
        self._divided(lambda begin, end: unfold(s, p, parts, g, begin, end), net.units, _ROWS)
        if net.sign is not None:
            recurrent.mul_(net.sign * net.recurrent_weight.detach().sign())
        if net.mask is not None:
            recurrent.mul_(net.mask)
        of["recurrent_bias"].copy_(of["input_bias"])
        if "time_constants.value" in of:
            with torch.no_grad():
                slope = net.time_constants.slope(hold if net.continuous else 1)
                by_unit = torch.from_numpy(g.alpha) * slope
            value = of["time_constants.value"]
            value.copy_(by_unit if value.numel() == net.units else by_unit.sum())
        for name, v in self._parameters.items():
            if v.requires_grad:
                v.grad = of[name]
