"""Error regression: what has been observed lately moves the latent state of a PV-RNN, whose weights stay as they are."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch

from neurodyn.kernels.lanes import WIDTH
from neurodyn.kernels.pvrnn_regression import ahead, posterior_as_prior, prior_driven, regress, toward_prior
from neurodyn.kernels.pvrnn_update import each, structure_of
from neurodyn.models.generative import check_pass
from neurodyn.models.naming import one_of
from neurodyn.training.plan import positive

if TYPE_CHECKING:
    from neurodyn.models.pvrnn import PVRNN


@dataclass(frozen=True, eq=False)
class Regressed:
    """What is known after an observation; NaN, or -1 for symbols, while ``growing=False`` waits.

    Attributes
    ----------
    prediction : array (model, sequence, horizon, dim)
        Of the next observations; symbols have no last axis.
    postdiction : array (model, sequence, step, dim)
        How the window, which ends with the observation, is explained.
    prediction_outputs : array (model, sequence, horizon, output unit)
        Before decoding; of symbols, their probabilities.
    loss : array (model,)
        Free energy of the window in the last iteration, summed over sequences; NaN without iterations.
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
        ``predictions[:, :, t, k]`` is that of step t + k + 1, made after step t was observed. Like all here NaN (-1 for
        symbols) beyond the end of a sequence, and while ``growing=False`` waits. Symbols have no last axis.
    postdictions : array (model, sequence, time, dim)
        How a step is explained right after it was observed.
    postdiction_error : array (model, sequence, time)
        Squared error of decoded values, summed over dimensions, or share of wrong symbols: the mean over what was observed
        in the window that ends with the step; NaN if nothing was.
    """

    predictions: np.ndarray
    postdictions: np.ndarray
    postdiction_error: np.ndarray


class ErrorRegression:
    """Follow observations with a trained PV-RNN, one step at a time, and predict what comes next.

    For every observation the adaptive vectors of the last ``window`` steps take ``iterations`` steps of Adam down the free
    energy of the window; they begin where the last observation left them. Then the prior goes on from the window's end. When
    the window slides, the state after its first step becomes its start.

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
        Whether Adam begins anew with every observation, or its moments slide along with the window; each step has a count of
        its own.
    growing : bool
        Whether a window that isn't full yet is regressed as well. If not, observations are only kept until it is.
    sequences : int
        Number of sequences that are followed at once; each by itself.
    horizon : int
        Steps that are predicted; :meth:`predict` gives any number.
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
    TypeError
        For what is no PV-RNN with its own step and read.

    References
    ----------
    Ahmadi & Tani (2019) Neural Computation 31(11):2025-2074; numbers by default are nearest to those of their laboratory.

    Examples
    --------
    >>> import neurodyn as nd
    >>> layer = nd.Layer(d=10, z=1, tau=2)
    >>> net = nd.PVRNN([layer], output=nd.SymbolCoding(symbols=2))
    >>> regression = nd.ErrorRegression(net, window=6, horizon=3)
    >>> for symbol in (1, 0, 1, 1):
    ...     answer = regression.step(symbol)
    >>> answer.prediction.shape
    (1, 1, 3)
    """

    references: ClassVar[tuple[str, ...]] = ("ahmadi2019",)

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
        whole = {"window": (window, 1), "iterations": (iterations, 0), "sequences": (sequences, 1)}
        check_pass(noise, **whole, horizon=(horizon, 1), seed=(seed, 0))
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"betas = {betas!r}; give two numbers from 0 up to, but not, 1")
        positive("learning_rate", learning_rate)
        for name, value in (("meta_prior", meta_prior), ("first_step_meta_prior", first_step_meta_prior)):
            if value is not None:
                positive(name, value)
        self.net = copy.deepcopy(net).to("cpu").requires_grad_(False)
        self.window, self.iterations, self.sequences, self.horizon = window, iterations, sequences, horizon
        self.learning_rate, self.betas, self.noise, self.seed = learning_rate, betas, noise, seed
        self.initial = one_of("initial", initial, ("zero", "prior", "previous"))
        self.moments = one_of("moments", moments, ("fresh", "kept"))
        self.missing = one_of("missing", missing, ("refuse", "mask"))
        self.growing = bool(growing)
        if meta_prior is not None:
            self.net.meta_prior = (float(meta_prior),) * net.models
        if first_step_meta_prior is not None:
            self.net.first_step_meta_prior = float(first_step_meta_prior)
        self._structure = structure_of(self.net)
        self._prior_driven, self._of_posterior = prior_driven(self._structure), posterior_as_prior(self._structure)
        self._p = torch.cat([value.flatten(1) for value in self.net.parameters()], 1).numpy()
        per_x, w, first = self.net.weights_of_loss
        self._per_x, self._w, self._w_first = self._p.dtype.type(per_x), w.numpy(), first.numpy()
        self._lanes = -(-sequences // WIDTH) * WIDTH
        self.reset()

    def reset(self) -> None:
        """Forget all observations."""
        models, kind = self.net.models, self._p.dtype
        self._a, self._m1, self._m2 = (np.zeros((models, 2 * self.net.latents, 0), kind) for _ in range(3))
        self._count = np.zeros(0, np.int64)  # steps of Adam behind the adaptive vectors of each step of the window
        self._start = np.zeros((models, self.net.units, self._lanes), kind)
        self._after = np.stack([self._start, self._start], 1)  # the first and the last step of the window
        self._seen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # targets, observed and valid of the window
        self._time = 0

    @property
    def time(self) -> int:
        """Observations so far."""
        return self._time

    @property
    def state(self) -> torch.Tensor:
        """Inner state (model, sequence, unit) after the last observation, for ``net.generate(..., start=)``."""
        return torch.from_numpy(self._after[:, 1, :, : self.sequences].swapaxes(1, 2).copy())

    @property
    def _waiting(self) -> bool:
        return not self.growing and len(self._seen) < self.window

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
        if values.ndim == coding.axis and self.sequences == 1:
            values = values[None]
        wanted = (self.sequences, coding.dims) if coding.axis else (self.sequences,)
        if values.shape != wanted:
            raise ValueError(f"observation has shape {np.shape(observation)}; needed is {wanted}")
        gone = np.isnan(values)
        if self.missing == "refuse" and gone.any():
            n = np.argwhere(gone)[0][0]
            raise ValueError(f"sequence {n} is NaN at step {self._time}; with missing='mask' it counts as not seen")
        targets, observed = np.zeros((self.sequences, coding.units)), np.zeros((self.sequences, coding.dims))
        if not gone.all():
            encoded = coding.encode(values[:, None], first_step=self._time)
            targets, observed = encoded.targets[:, 0].numpy(), encoded.observed[:, 0].numpy()
        return self._advance(targets, observed, np.ones(self.sequences))

    def predict(self, horizon: int, *, noise: float | None = None) -> np.ndarray:
        """Return what comes next, (model, sequence, horizon, dim), without a new observation.

        Parameters
        ----------
        horizon : int
            Steps, at least 1. A longer prediction begins with the shorter, and with that of :meth:`step`.
        noise : float, optional
            Factor of the noise; that of the regression if None. A prediction is a single draw; for more of them let
            ``regression.net.generate`` go on from ``regression.state``.

        Raises
        ------
        ValueError
            For numbers out of range, and before there is a window to predict from.
        """
        noise = self.noise if noise is None else noise
        check_pass(noise, horizon=(horizon, 1))
        if not self._seen or self._waiting:
            wanted = 1 if self.growing else self.window
            raise ValueError(f"{self._time} observations so far; a prediction needs {wanted}: call step first")
        return self._decoded(self._ahead(horizon, noise))

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
        net, none = self.net, math.nan if self.net.output.axis else -1
        encoded = net.output.encode(sequences, dtype=net.dtype)
        count, steps = encoded.valid.shape
        if count != self.sequences:
            raise ValueError(
                f"{count} sequences, and this regression follows {self.sequences}; make one with sequences={count}"
            )
        lengths = encoded.lengths.numpy()
        if lengths.min() < self.window:
            raise ValueError(
                f"window = {self.window}, and sequence {lengths.argmin()} has {lengths.min()} steps; give a shorter window, "
                "or longer sequences"
            )
        over = np.arange(steps) >= lengths[:, None]
        gone = np.isnan(encoded.values) & ~over[..., None]
        if self.missing == "refuse" and gone.any():
            n, t = np.argwhere(gone)[0][:2]
            raise ValueError(f"sequence {n} is NaN at step {t}; with missing='mask' it counts as not seen")
        self.reset()
        columns = (v.numpy().swapaxes(0, 1) for v in (encoded.targets, encoded.observed, encoded.valid))
        answers = [self._advance(*column) for column in zip(*columns, strict=True)]
        predictions = np.stack([answer.prediction for answer in answers], 2)
        predictions[:, np.arange(steps)[:, None] + np.arange(self.horizon) + 1 >= lengths[:, None, None]] = none
        postdictions = np.stack([answer.postdiction[:, :, -1] for answer in answers], 2)
        error = np.stack(
            [self._error(answer.postdiction, encoded.values[:, : t + 1]) for t, answer in enumerate(answers)], 2
        )
        postdictions[:, over], error[:, over] = none, math.nan
        error[:, :, : 0 if self.growing else self.window - 1] = math.nan
        return RegressionRun(predictions, postdictions, error)

    def _error(self, found: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Mean error (model, sequence) of postdictions (model, sequence, step, dim) of the last steps of ``values``."""
        values = values[:, -found.shape[2] :]
        apart = (found - values) ** 2 if self.net.output.axis else (found[..., None] != values).astype(float)
        known = ~np.isnan(values)
        steps = known.any(-1).sum(-1)
        return np.where(steps > 0, np.where(known, apart, 0).sum((2, 3)) / np.maximum(steps, 1), math.nan)

    def _advance(self, targets: np.ndarray, observed: np.ndarray, valid: np.ndarray) -> Regressed:
        """Take targets (sequence, output unit), observed (sequence, dim) and valid (sequence,) of a step."""
        net, time = self.net, self._time
        full = int(len(self._seen) == self.window)
        start = self._after[:, 0] if full else self._start
        seen = [*self._seen[full:], tuple(self._in_lanes(v) for v in (targets, observed, valid[:, None]))]
        targets, observed, valid = (np.concatenate(parts, -1) for parts in zip(*seen, strict=True))
        a, m1, m2, count = self._slid(full)
        iterations = self.iterations if self.growing or len(seen) == self.window else 0
        shape = (net.models, self.sequences, iterations, self.window, net.latents)
        noise = net.noise("regression", self.sequences, iterations * self.window, step=time, key=self.seed)
        noise = noise.numpy().reshape(shape)
        after, outputs = np.empty_like(self._after), np.empty((net.models, net.output.units, a.shape[2]), a.dtype)
        loss = np.empty(net.models)

        def one(m: int) -> None:
            window = (a[m], start[m], time < self.window, targets, observed, valid[0])
            weights = (self._per_x, self._w[m], self._w_first[m])
            adam = (m1[m], m2[m], count, a.dtype.type(self.learning_rate), *self.betas)
            loss[m] = regress(self._p[m], self._structure, *window, *weights, noise[m], *adam, after[m], outputs[m])

        each(one, net.models)
        if not iterations:
            loss[:] = math.nan
        self._a, self._m1, self._m2, self._count = a, m1, m2, count + iterations
        self._start, self._after, self._seen, self._time = start, after, seen, time + 1
        back, forth = self._out_of_lanes(outputs), self._ahead(self.horizon, self.noise)
        told, values = self._decoded(forth), self._decoded(back)
        if self._waiting:
            none = math.nan if net.output.axis else -1
            told, values, forth = np.full_like(told, none), np.full_like(values, none), torch.full_like(forth, math.nan)
        return Regressed(told, values, forth.numpy(), loss)

    def _slid(self, full: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Adaptive vectors, moments and steps of Adam, with a new step, and without the first if the window is ``full``."""
        lanes, first = self._lanes, self._time == 0
        new = np.zeros((*self._a.shape[:2], lanes), self._a.dtype)
        if self.initial == "previous" and not first:
            new = self._a[:, :, -lanes:]
        elif self.initial == "prior":
            for m, h in enumerate(self._after[:, 1]):
                toward_prior(self._p[m], self._structure, self._of_posterior, first, h, new[m])
        a = np.concatenate([self._a[:, :, full * lanes :], new], 2)
        if self.moments == "fresh":
            return a, np.zeros_like(a), np.zeros_like(a), np.zeros(a.shape[2] // lanes, np.int64)
        none = np.zeros_like(new)
        m1, m2 = (np.concatenate([v[:, :, full * lanes :], none], 2) for v in (self._m1, self._m2))
        return a, m1, m2, np.append(self._count[full:], 0)

    def _ahead(self, horizon: int, noise: float) -> torch.Tensor:
        """Outputs (model, sequence, horizon, output unit) of the steps after the last observation."""
        net, states = self.net, self._after[:, 1]
        eps = np.zeros((net.models, self.sequences, horizon, net.latents), self._p.dtype)
        for k in range(horizon if noise else 0):
            drawn = net.noise_at("prediction", self.sequences, step=self._time, time=k, key=self.seed)
            eps[:, :, k] = noise * drawn.numpy()
        outputs = np.empty((net.models, net.output.units, horizon * self._lanes), self._p.dtype)
        each(lambda m: ahead(self._p[m], self._prior_driven, states[m], eps[m], outputs[m]), net.models)
        return self._out_of_lanes(outputs)

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
