"""VRNN: a recurrent network with latent noise that is inferred from what comes in (Chung et al. 2015), as a baseline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from neurodyn.kernels.draws import uniforms
from neurodyn.kernels.vrnn_scan import Course, Weights, advance, follow, gaussian, scan
from neurodyn.models.codings import Coding, Encoded, SymbolCoding
from neurodyn.models.generative import STEPS, FreeEnergy, GenerativeNetwork, Rollout, check_pass

_WIDE = 0.6  # bias of what becomes a standard deviation, by softplus: at the start it is about 1


class _Affine(nn.Module):
    """W x + b of all models at once: from (model, row, source) to (model, row, target)."""

    def __init__(self, weight: nn.Parameter, bias: nn.Parameter) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias[:, None], x, self.weight.mT)


class VRNN(GenerativeNetwork):
    """A gated recurrent network that is fed data and latent noise, ``models`` of them at once, a ``torch.nn.Module``.

    With a state h(0) = 0, networks of one hidden layer of rectified units, and sigma = softplus(...) + 0.0001::

        prior      mu_p, sigma_p = f[h(t-1)]
        posterior  mu_q, sigma_q = f[phi_x(x(t)), h(t-1)]
        latent     z(t) = mu + sigma eps,   eps ~ N(0, 1)
        output     f[phi_z(z(t)), h(t-1)]
        h(t) = GRU{[phi_x(x(t)), phi_z(z(t))], h(t-1)}

    It is trained by :func:`neurodyn.fit` on ::

        F = sum over t of  error(t) + w KL[q(z(t)) || p(z(t))]

    so that with w = 1 it is the variational bound. x(t) is what the output should have been, zeros where nothing was
    observed, beside which values were; when the network runs freely, it is what the network itself put out. What is
    inferred at t knows the past and the present alone: following data it is a filter, and needs no further learning.

    Parameters
    ----------
    output : SoftmaxCoding, SymbolCoding or AnalogCoding
        How values are put as outputs, and as inputs.
    d, z, hidden : int
        Units of the state, latents, and units of every hidden layer (phi_x and phi_z among them), at least 1.
    meta_prior : float or sequence of float
        w, above 0; several make as many models. To compare with :class:`neurodyn.PVRNN`, whose error is divided by the
        dimensions of a value, and divergence by the latents of a layer: w here is w dims/latents there.
    seed : int or sequence of int
        Key of the start weights (Glorot's normal ones; biases 0, of sigma 0.6) and of the noise in training. Several make as
        many models.
    dtype, device : torch.dtype, torch.device

    Raises
    ------
    ValueError
        For values out of range, and seeds and meta-priors that are not equally many.

    References
    ----------
    Chung, Kastner, Dinh, Goel, Courville & Bengio (2015) NeurIPS, arXiv 1506.02216. Theirs has an LSTM.

    Examples
    --------
    >>> import neurodyn as nd
    >>> coding = nd.SoftmaxCoding(dims=2)
    >>> net = nd.VRNN(output=coding, d=30, z=3, seed=[1, 2])
    >>> net.generate(30, sequences=4).values.shape
    torch.Size([2, 4, 30, 2])
    """

    references: ClassVar[tuple[str, ...]] = ("chung2015",)

    d: int
    z: int
    hidden: int

    def __init__(
        self,
        *,
        output: Coding | Mapping[str, Any],
        d: int = 30,
        z: int = 3,
        hidden: int = 64,
        meta_prior: float | Sequence[float] = 1.0,
        seed: int | Sequence[int] = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        super().__init__(
            output=output, meta_prior=meta_prior, seed=seed, dtype=dtype, device=device, d=d, z=z, hidden=hidden
        )
        self.units, self.latents, self.depth = d, z, 1
        self.phi_x = self._affine("phi_x", hidden, self.output.units + self.output.dims)
        self.phi_z = self._affine("phi_z", hidden, z)
        self.prior = self._affine("prior", hidden, d)
        self.prior_head = self._affine("prior_head", z, hidden, groups=2)
        self.posterior = self._affine("posterior", hidden, hidden + d)
        self.posterior_head = self._affine("posterior_head", z, hidden, groups=2)
        self.decoder = self._affine("decoder", hidden, hidden + d)
        self.decoder_head = self._affine("decoder_head", self.output.units, hidden)
        self.gates = self._affine("gates", d, 2 * hidden + d, groups=3)
        with torch.no_grad():
            for head in (self.prior_head, self.posterior_head):
                head.bias[:, z:] = _WIDE

    def _affine(self, name: str, target: int, source: int, *, groups: int = 1) -> _Affine:
        weight = self._normal(name, (groups * target, source), math.sqrt(2 / (target + source)))
        return _Affine(weight, nn.Parameter(torch.zeros(self.models, groups * target, **self._where)))

    def adaptive(self, sequences: int, steps: int) -> dict[str, nn.Parameter]:
        """Return nothing: latents are inferred from what comes in."""
        return {}

    def free_energy(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy of sequences, differentiable by parameters.

        Parameters
        ----------
        encoded : Encoded
            Sequences, from ``net.output.encode``.
        adaptive : mapping
            Not used.
        noise : Tensor (model, sequence, time, latent)
        """
        course = self._follow(_inputs(encoded), noise)
        before, q_mean, q_sigma, embedded = (_rows(part) for part in (course.states[:-1], *course[1:]))
        targets, observed, valid = (
            part.transpose(0, 1).flatten(0, 1)  # time before sequence, as in the scan
            for part in (encoded.targets, encoded.observed, encoded.valid)
        )
        error = (self.output.loss(self._read(embedded, before), targets) * observed).sum((1, 2))
        kl = _divergence(q_mean, q_sigma, *self._prior(before)).sum(-1) * valid
        loss = error + torch.tensor(self.meta_prior, **self._where) * kl.sum(1)
        steps, count = (encoded.lengths - 1).sum().clamp(min=1), len(encoded.lengths)
        first, later = kl[:, :count].mean(1), kl[:, count:].sum(1) / steps
        return FreeEnergy(loss, error / encoded.observed.sum(), later[:, None], first[:, None])

    def _follow(self, x: Tensor, noise: Tensor) -> Course:
        """Let inputs (row, time, input) of all models come in, under noise (model, row, time, latent)."""
        rows, length = x.shape[:2]
        seen = self._seen(x.transpose(0, 1).flatten(0, 1).expand(self.models, -1, -1))
        seen = seen.unflatten(1, (length, rows)).transpose(0, 1).contiguous()
        return scan(self._loop_weights(), seen, noise.permute(2, 0, 1, 3))

    def _loop_weights(self) -> Weights:
        n, heads, embed = self.hidden, self.posterior_head, self.phi_z
        of_state = torch.cat([self.posterior.weight[..., n:], self.gates.weight[..., 2 * n :]], 1).mT
        of_z = self.gates.weight[..., n : 2 * n].mT
        return Weights(of_state, heads.weight.mT, heads.bias, embed.weight.mT, embed.bias, of_z)

    def _seen(self, x: Tensor) -> Tensor:
        """What inputs (model, row, input) give to posterior and gates, (model, row, hidden + 3 unit)."""
        n = self.hidden
        weight = torch.cat([self.posterior.weight[..., :n], self.gates.weight[..., :n]], 1)
        bias = torch.cat([self.posterior.bias, self.gates.bias], 1)
        return torch.baddbmm(bias[:, None], torch.relu(self.phi_x(x)), weight.mT)

    def _prior(self, h: Tensor) -> tuple[Tensor, Tensor]:
        return gaussian(self.prior_head(torch.relu(self.prior(h))))

    def _read(self, embedded: Tensor, h: Tensor) -> Tensor:
        """Inputs to the output units (model, row, output unit)."""
        return self.decoder_head(torch.relu(self.decoder(torch.cat([embedded, h], -1))))

    def _free(self, h: Tensor, eps: Tensor, doubt: Tensor | None) -> tuple[Tensor, ...]:
        """A step on its own: the state, z, mean and sigma of the prior, outputs and values (model, row, ...)."""
        mean, sigma = self._prior(h)
        z = torch.addcmul(mean, sigma, eps)
        embedded = torch.relu(self.phi_z(z))
        inputs = self._read(embedded, h)
        outputs = self.output.activate(inputs)
        values = self.output.decode(outputs) if doubt is None else (inputs + doubt).argmax(-1)
        x = self.output.targets(values).to(h)
        seen = self._seen(torch.cat([x, x.new_ones(*x.shape[:2], self.output.dims)], -1))
        weights = self._loop_weights()
        driven = torch.baddbmm(seen[..., self.hidden :], embedded, weights.gates)
        after, *_ = advance(h, h @ weights.state[..., self.hidden :], driven)
        return after, z, mean, sigma, outputs, values

    def _doubt(self, stream: str, rows: int, noise: float, *, step: int, time: int, key: int) -> Tensor | None:
        """What makes the largest of logits a draw from their softmax; None for analog values, of which nothing is drawn."""
        if not isinstance(self.output, SymbolCoding):
            return None
        where: dict[str, Any] = {"seed": key, "step": step * STEPS + time, "device": self.device}
        made = {k: uniforms(f"{stream}.{k}", (rows, self.output.units), **where) for k in dict.fromkeys(self.seed)}
        u = torch.stack([made[k] for k in self.seed])
        return (-noise * torch.log(-torch.log(u))).to(self.dtype)

    @torch.no_grad()
    def generate(
        self,
        length: int,
        *,
        sequences: int = 1,
        burn_in: int = 0,
        noise: float = 1.0,
        start: Tensor | None = None,
        seed: int = 1,
        step: int = 0,
    ) -> Rollout:
        """Run freely: z is drawn from the prior, what is put out comes in; a function of the seeds alone.

        Symbols are drawn from the softmax, analog values decoded.

        Parameters
        ----------
        length, burn_in : int
            Steps that are returned, at least 1, and steps before them.
        sequences : int
            Number of sequences.
        noise : float
            Factor of eps, at least 0: without noise z is the mean, and symbols are the most probable.
        start : Tensor (model, unit) or (model, sequence, unit), optional
            State to go on from, such as ``net.filter(sequences).h[:, :, -1]``; 0 by default.
        seed, step : int
            Key of the draws and number of the pass; more sequences, or steps, begin with the fewer. Models of one seed have
            the same draws.

        Returns
        -------
        Rollout
            Its d and h both are the state.

        Raises
        ------
        ValueError
            For numbers out of range, and a start of another shape.
        """
        whole = {"length": (length, 1), "burn_in": (burn_in, 0), "sequences": (sequences, 1)}
        check_pass(noise, **whole, seed=(seed, 0), step=(step, 0))
        h = self.gates.weight.new_zeros(self.models, sequences, self.d)
        if start is not None:
            h = h + self._start(torch.as_tensor(start).to(h), sequences)
        kept = []
        for t in range(burn_in + length):
            where = {"step": step, "time": t, "key": seed}
            eps = self.noise_at("generated", sequences, **where) * noise
            h, *rest = self._free(h, eps, self._doubt("symbols", sequences, noise, **where))
            if t >= burn_in:
                kept.append((h, *rest))
        h, z, mean, sigma, outputs, values = (torch.stack(column, 2) for column in zip(*kept, strict=True))
        none = torch.full_like(z, math.nan)
        return Rollout(values, outputs, h, h, z, mean, sigma, none, none)

    @torch.no_grad()
    def filter(self, sequences: Any, *, samples: int = 1, noise: float = 1.0, seed: int = 1) -> Rollout:
        """Follow sequences: z is drawn from the posterior, and values are what it explains them by.

        Parameters
        ----------
        sequences : as for :func:`neurodyn.fit`
            After the end of a shorter one nothing comes in.
        samples : int
            Draws of z for each sequence: sequence n of draw r is row r N + n.
        noise : float
            Factor of eps, at least 0.
        seed : int
            Key of the draws; more sequences, draws or steps begin with the fewer.
        """
        check_pass(noise, samples=(samples, 1), seed=(seed, 0))
        x = _inputs(self._encoded(sequences)).repeat(samples, 1, 1)
        rows, length = x.shape[:2]
        drawn = [self.noise_at("filtered", rows, step=0, time=t, key=seed) for t in range(length)]
        eps = torch.stack(drawn, 2) * noise
        course = self._follow(x, eps)
        before = _rows(course.states[:-1])
        found = [*self._prior(before), self.output.activate(self._read(_rows(course.embedded), before))]
        mean, sigma, outputs = (part.unflatten(1, (length, rows)).transpose(1, 2) for part in found)
        after, q_mean, q_sigma = (part.permute(1, 2, 0, 3) for part in (course.states[1:], course.mean, course.sigma))
        z = torch.addcmul(q_mean, q_sigma, eps)
        return Rollout(self.output.decode(outputs), outputs, after, after, z, mean, sigma, q_mean, q_sigma)

    @torch.no_grad()
    def predict(
        self, sequences: Any, *, horizon: int = 5, samples: int = 20, noise: float = 1.0, seed: int = 1
    ) -> np.ndarray:
        """Return predictions of sequences, made after each step that was followed; see :meth:`filter`.

        Parameters
        ----------
        sequences, noise, seed
            As in :meth:`filter`.
        horizon : int
            Steps that are predicted.
        samples : int
            Runs over which predictions are averaged, each from a draw of its own of what was followed.

        Returns
        -------
        array (model, sequence, time, horizon, dim)
            ``predicted[:, :, t, k]`` is that of step t + k + 1, made after step t was observed; NaN beyond the end of a
            sequence. Of symbols, which have no last axis, the most probable one on average, or -1.
        """
        check_pass(noise, horizon=(horizon, 1), samples=(samples, 1), seed=(seed, 0))
        encoded = self._encoded(sequences)
        h = self.filter(encoded, samples=samples, noise=noise, seed=seed).h
        rows, length = h.shape[1:3]
        h, found = h.flatten(1, 2), []
        for k in range(horizon):
            at = [{"step": k, "time": t, "key": seed} for t in range(length)]
            eps = torch.stack([self.noise_at("predicted", rows, **where) for where in at], 2).flatten(1, 2) * noise
            drawn = [self._doubt("predicted_symbols", rows, noise, **where) for where in at]
            doubts = [each for each in drawn if each is not None]
            h, *_, outputs, values = self._free(h, eps, torch.stack(doubts, 2).flatten(1, 2) if doubts else None)
            each = (outputs if doubts else values).unflatten(1, (samples, rows // samples, length)).mean(1)
            found.append(self.output.decode(each) if doubts else each)
        predicted = torch.stack(found, 3).cpu().numpy()
        of_step = np.arange(length)[:, None] + np.arange(1, horizon + 1)
        beyond = of_step >= encoded.lengths.cpu().numpy()[:, None, None]
        predicted[:, beyond] = -1 if isinstance(self.output, SymbolCoding) else math.nan
        return predicted

    @torch.no_grad()
    def log_likelihood(self, sequences: Any, *, particles: int = 1000, seed: int = 1) -> Tensor:
        """Return a bound on the log-likelihood of each sequence, (model, sequence), in nats.

        Particles move by the posterior and are weighted by prior over posterior (the bound of Maddison et al. 2017, arXiv
        1705.09279); what the number means is as in :meth:`neurodyn.PVRNN.log_likelihood`.

        Parameters
        ----------
        sequences : as for :func:`neurodyn.fit`
        particles : int
            Of the particle filter that estimates it, drawn anew after every step; more make the bound tighter.
        seed : int
            Key of the draws.
        """
        from neurodyn.training.particles import particle_filter

        check_pass(0.0, particles=(particles, 1), seed=(seed, 0))
        encoded, weights = self._encoded(sequences), self._loop_weights()
        x = _inputs(encoded)
        seen = self._seen(x.flatten(0, 1).expand(self.models, -1, -1)).unflatten(1, x.shape[:2])
        count = len(encoded.lengths) * particles

        def move(h: Tensor, t: int) -> tuple[Tensor, Tensor, Tensor]:
            eps = self.noise_at("particles", count, step=0, time=t, key=seed)
            taken = follow(weights, h, seen[:, :, t].repeat_interleave(particles, 1), eps)
            mean, sigma = self._prior(h)
            apart = (torch.addcmul(taken.mean, taken.sigma, eps) - mean) / sigma
            density = (eps.square() - apart.square()) / 2 + taken.sigma.log() - sigma.log()
            return taken.state, self._read(taken.embedded, h), density.sum(-1)

        start = self.gates.weight.new_zeros(self.models, count, self.d)
        return particle_filter(self, encoded, move, start, particles=particles, seed=seed)


def _inputs(encoded: Encoded) -> Tensor:
    """What comes in, (sequence, time, input): the targets, and which dimensions were observed."""
    return torch.cat([encoded.targets, encoded.observed], -1)


def _rows(part: Tensor) -> Tensor:
    """Steps (time, model, row, ...) as rows (model, time and row, ...)."""
    return part.transpose(0, 1).flatten(1, 2)


def _divergence(mean: Tensor, sigma: Tensor, prior_mean: Tensor, prior_sigma: Tensor) -> Tensor:
    """KL[posterior || prior] of each latent, nats."""
    ratio = sigma / prior_sigma
    return (ratio.square() + ((mean - prior_mean) / prior_sigma).square() - 1) / 2 - ratio.log()
