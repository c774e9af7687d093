"""Error regression: what has been observed lately moves the latent state of a PV-RNN, whose weights stay as they are."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from neurodyn.kernels.pvrnn import each, structure_of, tiles
from neurodyn.kernels.pvrnn_regression import ahead, posterior_as_prior, prior_driven, regress, toward_prior
from neurodyn.models.codings import Encoded
from neurodyn.models.naming import one_of
from neurodyn.training.plan import whole

if TYPE_CHECKING:
    from neurodyn.models.pvrnn import PVRNN


@dataclass(frozen=True, eq=False)
class Regressed:
    """What is known after an observation.

    Attributes
    ----------
    prediction : array (model, sequence, horizon, dim)
        Of the next observations; symbols have no last axis. NaN, or -1 for symbols, while ``growing=False`` waits.
    postdiction : array (model, sequence, step, dim)
        How the window, which ends with the observation, is explained.
    prediction_outputs : array (model, sequence, horizon, output unit)
        Before decoding; of symbols, their probabilities.
    loss : array (model,)
        Free energy of the window in the last iteration.
    """

    prediction: np.ndarray
    postdiction: np.ndarray
    prediction_outputs: np.ndarray
    loss: np.ndarray


@dataclass(frozen=True, eq=False)
class RegressionRun:
    """Error regression over whole sequences.

    Attributes
    ----------
    predictions : array (model, sequence, time, horizon, dim)
        ``predictions[:, :, t, k]`` is that of step t + k + 1, made after step t was observed; NaN (-1 for symbols) beyond
        the end of a sequence. Symbols have no last axis.
    postdictions : array (model, sequence, time, dim)
        How a step is explained right after it was observed.
    postdiction_error : array (model, sequence, time)
        Squared error of decoded values, summed over dimensions, or share of wrong symbols: the mean over what was observed
        in the window that ends with the step.
    """

    predictions: np.ndarray
    postdictions: np.ndarray
    postdiction_error: np.ndarray


class ErrorRegression:
    """Follow observations with a trained PV-RNN, one step at a time, and predict what comes next.

    For every observation the adaptive vectors of the last ``window`` steps take ``iterations`` steps of Adam down the free
    energy of the window. Then the prior goes on from the window's end. When the window slides, the state after its first
    step becomes its start.

    Parameters
    ----------
    net : PVRNN
        One model or many; a copy is taken.
    window : int
        Steps, at least 1; as long as what is to be told apart, such as a whole movement.
    iterations : int
        Steps of Adam for each observation, at least 0.
    learning_rate, betas : float, (float, float)
        Of Adam. Ahmadi's own code had (0.5, 0.999).
    meta_prior, first_step_meta_prior : float, optional
        w in the window, above 0; smaller ones track better. None: that of the network.
    initial : "zero", "prior" or "previous"
        Adaptive vectors of a new step: 0, those that make the posterior the prior, or those of the step before.
    moments : "fresh" or "kept"
        Whether Adam begins anew with every observation, or its moments slide along with the window.
    growing : bool
        Whether there are predictions before the window is full.
    sequences : int
        Number of sequences that are followed at once; each by itself.
    horizon : int
        Steps that are predicted.
    noise : float
        Factor of the noise in predictions; by default each latent is at the mean of its prior.
    missing : "refuse" or "mask"
        Whether NaN in an observation is an error, or a value that was not seen.
    seed : int
        Key of the draws; a model and a sequence have the same whatever else is computed.

    Raises
    ------
    ValueError
        For numbers out of range.

    Examples
    --------
    >>> import neurodyn as nd
    >>> net = nd.PVRNN([nd.Layer(d=10, z=1, tau=2)], output=nd.SymbolCoding(symbols=2))
    >>> regression = nd.ErrorRegression(net, window=6, iterations=20, horizon=3)
    >>> for symbol in (1, 0, 1, 1):
    ...     answer = regression.step(symbol)
    >>> answer.prediction.shape
    (1, 1, 3)

    References
    ----------
    Ahmadi & Tani (2019) Neural Computation 31(11):2025-2074; numbers by default are nearest to those of their laboratory.
    """

    def __init__(
        self,
        net: PVRNN,
        *,
        window: int = 15,
        iterations: int = 30,
        learning_rate: float = 0.1,
        betas: tuple[float, float] = (0.9, 0.999),
        meta_prior: float | None = 0.01,
        first_step_meta_prior: float | None = None,
        initial: Literal["zero", "prior", "previous"] = "zero",
        moments: Literal["fresh", "kept"] = "fresh",
        growing: bool = True,
        sequences: int = 1,
        horizon: int = 1,
        noise: float = 0.0,
        missing: Literal["refuse", "mask"] = "refuse",
        seed: int = 1,
    ) -> None:
        from neurodyn.models.pvrnn import PVRNN

        if not isinstance(net, PVRNN) or (type(net).step, type(net).read) != (PVRNN.step, PVRNN.read):
            raise TypeError(f"net is a {type(net).__name__}; error regression needs a PVRNN with its own step and read")
        for name, value, least in (("window", window, 1), ("iterations", iterations, 0), ("sequences", sequences, 1)):
            whole(name, value, least)
        whole("horizon", horizon, 1)
        whole("seed", seed, 0)
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas = {betas!r}; give two numbers from 0 up to, but not, 1")
        for name, value in (("learning_rate", learning_rate), ("meta_prior", meta_prior)):
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name} = {value!r}; give a number above 0")
        if first_step_meta_prior is not None and not 0 < first_step_meta_prior < math.inf:
            raise ValueError(f"first_step_meta_prior = {first_step_meta_prior!r}; give a number above 0")
        if not 0 <= noise < math.inf:
            raise ValueError(f"noise = {noise!r}; give a factor of at least 0")
        self.net = copy.deepcopy(net).to("cpu").requires_grad_(False)
        self.window, self.iterations, self.sequences, self.horizon = window, iterations, sequences, horizon
        self.learning_rate, self.betas, self.noise, self.seed = learning_rate, betas, noise, seed
        self.initial = one_of("initial", initial, ("zero", "prior", "previous"))
        self.moments = one_of("moments", moments, ("fresh", "kept"))
        self.missing = one_of("missing", missing, ("refuse", "mask"))
        self.growing = bool(growing)
        if meta_prior is not None:
            self.net.meta_prior = (meta_prior,) * net.models
        if first_step_meta_prior is not None:
            self.net.first_step_meta_prior = first_step_meta_prior
        self._structure = structure_of(self.net)
        self._prior_driven, self._of_posterior = prior_driven(self._structure), posterior_as_prior(self._structure)
        self._p = torch.cat([value.flatten(1) for value in self.net.parameters()], 1).numpy()
        per_x, w, first = self.net.weights_of_loss
        self._per_x, self._w, self._w_first = self._p.dtype.type(per_x), w.numpy(), first.numpy()
        self.reset()

    def reset(self) -> None:
        """Forget all observations."""
        none = torch.zeros(self.sequences, 1, 1, dtype=self.net.dtype)
        self._lanes = tiles(none, none, none[..., 0])[2].shape[1]
        shape = (self.net.models, 2 * self.net.latents, 0)
        self._a, self._m1, self._m2 = (np.zeros(shape, self._p.dtype) for _ in range(3))
        self._start = np.zeros((self.net.models, self.net.units, self._lanes), self._p.dtype)
        self._after = np.stack([self._start, self._start], 1)  # the first and the last step of the window
        self._seen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # targets, observed and valid of the window
        self._time = 0

    @property
    def time(self) -> int:
        """Observations so far."""
        return self._time

    def step(self, observation: Any) -> Regressed:
        """Take an observation; return what it says about the past, and what comes next.

        Parameters
        ----------
        observation : array (sequence, dim), or (dim,) of a single sequence
            Symbols have no last axis. NaN is a missing value, see ``missing``.

        Raises
        ------
        ValueError
            For another shape, NaN where it is refused, and values outside the range of the coding; nothing has changed then.
        """
        coding = self.net.output
        values = np.asarray(observation, dtype=float)
        inner = values.ndim - 1 if coding.axis else values.ndim
        if inner == 0 and self.sequences == 1:
            values = values[None]
        wanted = (self.sequences, coding.dims) if coding.axis else (self.sequences,)
        if values.shape != wanted:
            raise ValueError(f"observation has shape {np.shape(observation)}; needed is {wanted}")
        if self.missing == "refuse" and np.isnan(values).any():
            at = np.argwhere(np.isnan(values))[0]
            raise ValueError(
                f"observation is NaN at {tuple(map(int, at))}, step {self._time}; with missing='mask' it counts as not seen"
            )
        targets, observed, finite = (
            np.zeros((self.sequences, coding.units)),
            np.zeros((self.sequences, coding.dims)),
            [],
        )
        for n, one in enumerate(values):
            if not np.isnan(one).all():
                finite.append(n)
        if finite:
            encoded = coding.encode(values[finite][:, None])
            targets[finite], observed[finite] = encoded.targets[:, 0].numpy(), encoded.observed[:, 0].numpy()
        return self._advance(targets, observed, np.ones(self.sequences))

    def _advance(self, targets: np.ndarray, observed: np.ndarray, valid: np.ndarray) -> Regressed:
        """Take targets (sequence, output unit), observed (sequence, dim) and valid (sequence,) of a step."""
        net, lanes = self.net, self._lanes
        full = len(self._seen) == self.window
        start = self._after[:, 0] if full else self._start
        a, m1, m2 = (v[:, :, lanes if full else 0 :] for v in (self._a, self._m1, self._m2))
        fresh, models = np.zeros((net.models, 2 * net.latents, lanes), self._p.dtype), range(net.models)
        first = self._time == 0
        if self.initial == "previous" and not first:
            fresh[:] = self._a[:, :, -lanes:]
        elif self.initial == "prior":
            for m in models:
                toward_prior(self._p[m], self._structure, self._of_posterior, first, self._after[m, 1], fresh[m])
        a = np.concatenate([a, fresh], 2)
        m1, m2 = (np.concatenate([v, np.zeros_like(fresh)], 2) for v in (m1, m2))
        if self.moments == "fresh":
            m1[:], m2[:] = 0, 0
        seen = [
            *self._seen[full:],
            (self._in_lanes(targets), self._in_lanes(observed), self._in_lanes(valid[:, None])[0]),
        ]
        columns = [np.concatenate(parts, -1) for parts in zip(*seen, strict=True)]
        shape = (net.models, self.sequences, self.iterations, self.window, net.latents)
        noise = net.noise("regression", self.sequences, shape[2] * shape[3], step=self._time, key=self.seed)
        noise = noise.numpy().reshape(shape)
        after, outputs = np.empty_like(self._after), np.empty((net.models, net.output.units, a.shape[2]), a.dtype)
        forth = np.empty((net.models, net.output.units, self.horizon * lanes), a.dtype)
        further = net.noise("prediction", self.sequences, self.horizon, step=self._time, key=self.seed).numpy()
        further *= self.noise
        loss = np.empty(net.models)
        begins = self._time < self.window
        count = self._time * self.iterations if self.moments == "kept" else 0

        def one(m: int) -> None:
            weights = (self._per_x, self._w[m], self._w_first[m])
            adam = (m1[m], m2[m], count, a.dtype.type(self.learning_rate), *self.betas)
            loss[m] = regress(
                self._p[m],
                self._structure,
                a[m],
                start[m],
                begins,
                *columns,
                *weights,
                noise[m],
                *adam,
                after[m],
                outputs[m],
            )
            ahead(self._p[m], self._prior_driven, after[m, 1], further[m], forth[m])

        each(one, net.models)
        self._a, self._m1, self._m2, self._after, self._seen = a, m1, m2, after, seen
        self._start, self._time = start, self._time + 1
        back, ahead_of = self._out_of_lanes(outputs), self._out_of_lanes(forth)
        values, told = self._decoded(back), self._decoded(ahead_of)
        if not self.growing and len(seen) < self.window:
            told = np.full_like(told, math.nan if net.output.axis else -1)
        return Regressed(told, values, ahead_of.numpy(), loss)

    def run(self, sequences: Any) -> RegressionRun:
        """Go through recorded sequences from their beginning; what was observed before is forgotten.

        Parameters
        ----------
        sequences : as for :func:`neurodyn.fit`
            As many as ``sequences`` of the regression.

        Raises
        ------
        ValueError
            For another number of sequences, one shorter than the window, NaN where it is refused, and values outside the range
            of the coding.
        """
        net = self.net
        encoded = net.output.encode(sequences, dtype=net.dtype)
        count, steps = encoded.valid.shape
        if count != self.sequences:
            raise ValueError(f"{count} sequences; this regression follows {self.sequences}")
        short = int(encoded.lengths.min())
        if short < self.window:
            which = int(encoded.lengths.argmin())
            raise ValueError(
                f"window = {self.window}, and sequence {which} has {short} steps; give a shorter window, or longer sequences"
            )
        gone = np.isnan(encoded.values) & (encoded.valid.numpy()[..., None] > 0)
        if self.missing == "refuse" and gone.any():
            n, t = map(int, np.argwhere(gone)[0][:2])
            raise ValueError(f"sequence {n} is NaN at step {t}; with missing='mask' it counts as not seen")
        self.reset()
        answers = list(self._answers(encoded))
        predictions = np.stack([answer.prediction for answer in answers], 2)
        at = np.arange(steps)[:, None] + np.arange(self.horizon) + 1
        over = at >= encoded.lengths.numpy()[:, None, None]
        predictions[:, over] = math.nan if net.output.axis else -1
        postdictions = np.stack([answer.postdiction[:, :, -1] for answer in answers], 2)
        errors = [self._error(answer.postdiction, encoded.values[:, : t + 1]) for t, answer in enumerate(answers)]
        return RegressionRun(predictions, postdictions, np.stack(errors, 2))

    def _error(self, found: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Mean error (model, sequence) of postdictions (model, sequence, step, dim) of the last steps of ``values``."""
        values = values[:, -found.shape[2] :]
        apart = (found - values) ** 2 if self.net.output.axis else (found[..., None] != values).astype(float)
        known = ~np.isnan(values)
        total = np.where(known, apart, 0).sum((2, 3))
        return total / np.maximum(known.any(-1).sum(-1), 1)

    def _answers(self, encoded: Encoded) -> Iterator[Regressed]:
        targets, observed, valid = (v.numpy() for v in (encoded.targets, encoded.observed, encoded.valid))
        for t in range(targets.shape[1]):
            yield self._advance(targets[:, t], observed[:, t], valid[:, t])

    def _in_lanes(self, values: np.ndarray) -> np.ndarray:
        """(sequence, row) as (row, lane)."""
        made = np.zeros((values.shape[1], self._lanes), self._p.dtype)
        made[:, : self.sequences] = values.T
        return made

    def _out_of_lanes(self, inputs: np.ndarray) -> torch.Tensor:
        """Outputs (model, sequence, step, output unit) of inputs (model, output unit, step * lane)."""
        parts = inputs.reshape(*inputs.shape[:2], -1, self._lanes)[..., : self.sequences]
        return self.net.output.activate(torch.from_numpy(np.ascontiguousarray(parts.transpose(0, 3, 2, 1))))

    def _decoded(self, outputs: torch.Tensor) -> np.ndarray:
        return self.net.output.decode(outputs).numpy()
