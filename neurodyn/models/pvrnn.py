"""PV-RNN: a recurrent network with latent noise, learnt by variational predictive coding (Ahmadi & Tani 2019)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import torch
from torch import Tensor, nn

from neurodyn.kernels.pvrnn_launch import launchable, launched_free_energy
from neurodyn.kernels.pvrnn_update import descend, fused_free_energy
from neurodyn.models.codings import Coding, Encoded
from neurodyn.models.generative import FreeEnergy, GenerativeNetwork, Rollout, check_pass, numbers
from neurodyn.models.naming import one_of
from neurodyn.models.pvrnn_layer import (
    Layer,
    LayerWeights,
    Step,
    adaptive_of,
    affine,
    divergence,
    factors,
    gathered,
    layer_of,
    slices,
)

if TYPE_CHECKING:
    from neurodyn.circuit import Circuit


class PVRNN(GenerativeNetwork):
    """A hierarchy of leaky rate units driven by latent noise, ``models`` of them at once, a ``torch.nn.Module``.

    For layer l, the lowest first, with d = tanh(h) and h(0) = 0::

        prior      mu_p = tanh(W d(t-1) + b),     sigma_p = exp(W d(t-1) + b)
        posterior  mu_q = tanh(W d(t-1) + b + a), sigma_q = exp(W d(t-1) + b + a')
        z(t) = mu + sigma eps,   eps ~ N(0, 1)
        h(t) = (1 - 1/tau) h(t-1)
               + 1/tau [W d(t-1) + W z(t) + W d_above(t-1) + W d_below(t-1) + b]

    and the lowest layer is read out. Data enter through a and a' alone, learnt for each sequence and t, which follow the
    gradient of the free energy, ::

        F = sum over t of  error(t) / N_x
            + sum over t and l of  w_l KL[q(z(t)) || p(z(t))] / N_z

    where w at t = 1 is another, ``first_step_meta_prior``.

    Parameters
    ----------
    layers : sequence of Layer
        The lowest, fastest one first.
    output : SoftmaxCoding, SymbolCoding or AnalogCoding
        How values are put as outputs.
    meta_prior : float or sequence of float
        w, above 0; several make as many models. Large: deterministic chaos imitates what is random in the data; small: the
        network is driven by noise. To convert it from other code: docs/pvrnn.md.
    first_step_meta_prior : float, optional
        w at t = 1, above 0; that of all steps if None. The small default lets z(1) say which sequence it is.
    top_down : "previous" or "current"
        Whether a layer sees the one above as it was a step before, or is now.
    bottom_up : bool
        Whether a layer sees the one below, as it was a step before.
    posterior : "full" or "reduced"
        Reduced: mu_q = tanh(a), sigma_q = exp(a').
    prior : "learned" or "unit"
        Unit: N(0, 1) at every step, a control.
    first_step_prior : "unit" or "learned"
        The prior at t = 1: N(0, 1), or as at all others.
    output_normalisation : "dims", "units" or "sum"
        N_x: dimensions of a value, output units, or 1.
    latent_normalisation : "layer", "total" or "sum"
        N_z: latents of the layer, of all layers, or 1.
    seed : int or sequence of int
        Key of the start weights (Glorot's normal ones, biases 0) and of the noise in training. Several make as many models.
    dtype, device : torch.dtype, torch.device

    Raises
    ------
    ValueError
        For values out of range, and seeds and meta-priors that are not equally many.

    References
    ----------
    Ahmadi & Tani (2019) Neural Computation 31(11):2025-2074, arXiv 1811.01339; variants: docs/pvrnn.md.

    Examples
    --------
    >>> import neurodyn as nd
    >>> layers = [nd.Layer(d=20, z=2, tau=2), nd.Layer(d=10, z=1, tau=8)]
    >>> coding = nd.SoftmaxCoding(dims=2)
    >>> net = nd.PVRNN(layers, output=coding, meta_prior=[0.1, 0.01], seed=1)
    >>> net.generate(30, sequences=4).values.shape
    torch.Size([2, 4, 30, 2])
    """

    references: ClassVar[tuple[str, ...]] = ("ahmadi2019",)

    def __init__(
        self,
        layers: Sequence[Layer | Mapping[str, Any]],
        *,
        output: Coding | Mapping[str, Any],
        meta_prior: float | Sequence[float] = 0.05,
        first_step_meta_prior: float | None = 1e-3,
        top_down: Literal["previous", "current"] = "previous",
        bottom_up: bool = True,
        posterior: Literal["full", "reduced"] = "full",
        prior: Literal["learned", "unit"] = "learned",
        first_step_prior: Literal["unit", "learned"] = "unit",
        output_normalisation: Literal["dims", "units", "sum"] = "dims",
        latent_normalisation: Literal["layer", "total", "sum"] = "layer",
        seed: int | Sequence[int] = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        super().__init__(output=output, meta_prior=meta_prior, seed=seed, dtype=dtype, device=device)
        self.layers = tuple(layer_of(given) for given in layers)
        if not self.layers:
            raise ValueError("layers is empty; give at least one, such as [nd.Layer(d=10, z=1, tau=2)]")
        if first_step_meta_prior is not None:
            (first_step_meta_prior,) = numbers("first_step_meta_prior", [first_step_meta_prior])
        self.first_step_meta_prior = first_step_meta_prior
        self.top_down = one_of("top_down", top_down, ("previous", "current"))
        self.bottom_up = bool(bottom_up)
        self.posterior = one_of("posterior", posterior, ("full", "reduced"))
        self.prior = one_of("prior", prior, ("learned", "unit"))
        self.first_step_prior = one_of("first_step_prior", first_step_prior, ("unit", "learned"))
        self.output_normalisation = one_of("output_normalisation", output_normalisation, ("dims", "units", "sum"))
        self.latent_normalisation = one_of("latent_normalisation", latent_normalisation, ("layer", "total", "sum"))
        switches = ("first_step_meta_prior", "top_down", "bottom_up", "posterior", "prior", "first_step_prior")
        switches += ("output_normalisation", "latent_normalisation")
        told = {"layers": [asdict(layer) for layer in self.layers]} | {name: getattr(self, name) for name in switches}
        self.config = told | self.config
        self._weights: Any = None
        self.depth = len(self.layers)
        self.of_d, self.of_z = slices([k.d for k in self.layers]), slices([k.z for k in self.layers])
        self.units, self.latents = self.of_d[-1].stop, self.of_z[-1].stop
        self.stack = cast("Sequence[LayerWeights]", nn.ModuleList(self._layer_weights(k) for k in range(self.depth)))
        self.output_weight = self._glorot("output_weight", (self.output.units, self.layers[0].d))
        self.output_bias = self._zeros(self.output.units)

    def _layer_weights(self, k: int) -> LayerWeights:
        made, layer = LayerWeights(), self.layers[k]
        made.recurrent = self._glorot(f"{k}.recurrent", (layer.d, layer.d))
        made.latent = self._glorot(f"{k}.latent", (layer.d, layer.z))
        made.bias = self._zeros(layer.d)
        above, below = k + 1 < self.depth, self.bottom_up and k > 0
        made.top_down = self._glorot(f"{k}.top_down", (layer.d, self.layers[k + 1].d)) if above else None
        made.bottom_up = self._glorot(f"{k}.bottom_up", (layer.d, self.layers[k - 1].d)) if below else None
        for name, wanted in (("prior", self.prior == "learned"), ("posterior", self.posterior == "full")):
            weight = self._glorot(f"{k}.{name}", (2, layer.z, layer.d)) if wanted else None
            setattr(made, f"{name}_weight", weight)
            setattr(made, f"{name}_bias", self._zeros(2, layer.z) if wanted else None)
        return made

    def _glorot(self, name: str, shape: tuple[int, ...]) -> nn.Parameter:
        return self._normal(name, shape, math.sqrt(2 / (shape[-1] + shape[-2])))

    def _zeros(self, *shape: int) -> nn.Parameter:
        return nn.Parameter(torch.zeros(self.models, *shape, **self._where))

    def adaptive(self, sequences: int, steps: int) -> dict[str, nn.Parameter]:
        """Return the adaptive vectors a and a' of sequences, (model, sequence, time, latent), all 0."""
        return {name: self._zeros(sequences, steps, self.latents) for name in ("mean", "log_sigma")}

    def step(
        self, h: Tensor, noise: Tensor, *, adaptive: tuple[Tensor, Tensor] | None = None, first: bool = False
    ) -> Step:
        """Return the state after one step.

        Parameters
        ----------
        h : Tensor (model, sequence, unit)
            Inner state before, of all layers, the lowest first; 0 before the first step.
        noise : Tensor (model, sequence, latent)
            eps.
        adaptive : (Tensor, Tensor), optional
            a and a' of the step, (model, sequence, latent): z is drawn from the posterior. From the prior if None.
        first : bool
            Whether this is the first step of a sequence.
        """
        d = torch.tanh(h)
        now: list[Tensor] = [d[..., at] for at in self.of_d]  # of layers from the top on, as they are after the step
        inner, found = list(now), []
        for k in reversed(range(self.depth)):
            weights, layer, before = self.stack[k], self.layers[k], d[..., self.of_d[k]]
            prior = weights.prior(before, fixed=first and self.first_step_prior == "unit")
            drawn, posterior = prior, None
            if adaptive is not None:
                drawn = posterior = weights.posterior(before, *(a[..., self.of_z[k]] for a in adaptive))
            z = drawn[0] + drawn[1].exp() * noise[..., self.of_z[k]]
            u = affine(weights.recurrent, before, weights.bias) + affine(weights.latent, z)
            if weights.top_down is not None:
                above = d[..., self.of_d[k + 1]] if self.top_down == "previous" else now[k + 1]
                u = u + affine(weights.top_down, above)
            if weights.bottom_up is not None:
                u = u + affine(weights.bottom_up, d[..., self.of_d[k - 1]])
            inner[k] = h[..., self.of_d[k]] * (1 - 1 / layer.tau) + u / layer.tau
            now[k] = torch.tanh(inner[k])
            found.append((z, *prior, *(posterior or ())))
        parts = [torch.cat(column[::-1], -1) for column in zip(*found, strict=True)]
        return Step(torch.cat(inner, -1), *parts, *(None,) * (5 - len(parts)))

    def read(self, h: Tensor) -> Tensor:
        """Return the inputs to the output units (model, ..., output unit) of inner states (model, ..., unit)."""
        d = torch.tanh(h[..., self.of_d[0]])
        shape = d.shape
        return affine(self.output_weight, d.flatten(1, -2), self.output_bias).reshape(*shape[:-1], -1)

    @property
    def _as_written(self) -> bool:
        """Whether a step is what the kernels compute: a subclass may have another."""
        return (type(self).step, type(self).read) == (PVRNN.step, PVRNN.read)

    @property
    def weights_of_loss(self) -> tuple[float, Tensor, Tensor]:
        """1/N_x, and w/N_z (model, layer) after the first step and at it."""
        like = self.output_weight
        key = (self.meta_prior, self.first_step_meta_prior, like.dtype, like.device)
        if self._weights is not None and self._weights[0] == key:
            return self._weights[1]
        n_x = {"dims": self.output.dims, "units": self.output.units, "sum": 1}[self.output_normalisation]
        factor = like.new_tensor(factors(self.layers, self.latent_normalisation))
        w = like.new_tensor(self.meta_prior)[:, None]
        first = w if self.first_step_meta_prior is None else torch.full_like(w, self.first_step_meta_prior)
        made = 1 / n_x, w * factor, first * factor
        self._weights = key, made  # new ones at every update would take as long as a third of its gradient
        return made

    def free_energy(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy of sequences, differentiable by parameters and adaptive vectors.

        On the CPU a compiled kernel computes it together with its gradient, and so does one on a GPU, of networks of at most
        64 units, latents or outputs; :meth:`free_energy_by_steps` is the same in torch, and what is left for others and for
        a subclass with another ``step``.

        Parameters
        ----------
        encoded : Encoded
            Sequences, from ``net.output.encode``.
        adaptive : mapping
            "mean" and "log_sigma", each (model, sequence, time, latent).
        noise : Tensor (model, sequence, time, latent)
        """
        if self._as_written and self.device.type == "cpu":
            return fused_free_energy(self, encoded, adaptive, noise)
        if self._as_written and self.device.type == "cuda" and launchable(self):
            return launched_free_energy(self, encoded, adaptive, noise)
        return self.free_energy_by_steps(encoded, adaptive, noise)

    def descend(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy and leave its gradient in ``grad``; without autograd where a kernel has it anyway."""
        if self._as_written and self.device.type == "cpu" and type(self).free_energy is PVRNN.free_energy:
            return descend(self, encoded, adaptive, noise)
        return super().descend(encoded, adaptive, noise)

    def free_energy_by_steps(self, encoded: Encoded, adaptive: Mapping[str, Tensor], noise: Tensor) -> FreeEnergy:
        """Return the free energy, step by step in torch; see :meth:`free_energy`."""
        h, inner, divergences = noise.new_zeros(self.models, noise.shape[1], self.units), [], []
        for t in range(noise.shape[2]):
            a = (adaptive["mean"][:, :, t], adaptive["log_sigma"][:, :, t])
            step = self.step(h, noise[:, :, t], adaptive=a, first=t == 0)
            h = step.h
            inner.append(h)
            divergences.append(divergence(step))
        error = self.output.loss(self.read(torch.stack(inner, 2)), encoded.targets) * encoded.observed
        valid = encoded.valid[None, :, :, None]
        kl = torch.stack(divergences, 2) * valid
        first = torch.stack([kl[:, :, 0, at].sum((1, 2)) for at in self.of_z], 1)
        later = torch.stack([kl[:, :, 1:, at].sum((1, 2, 3)) for at in self.of_z], 1)
        return self.free_energy_of(encoded, error.sum((1, 2, 3)), later, first)

    def free_energy_of(self, encoded: Encoded, error: Tensor, later: Tensor, first: Tensor) -> FreeEnergy:
        """Return the free energy of sums over sequences and steps: error (model,), divergences (model, layer)."""
        per_x, w, w_first = self.weights_of_loss
        loss = error * per_x + (w * later + w_first * first).sum(1)
        observed, steps = encoded.counts
        return FreeEnergy(loss, error / observed, later / steps, first / len(encoded.lengths))

    @torch.no_grad()
    def generate(
        self,
        length: int,
        *,
        sequences: int = 1,
        burn_in: int = 0,
        noise: float = 1.0,
        adaptive: Mapping[str, Tensor] | None = None,
        posterior_steps: int = 1,
        repeats: int = 1,
        start: Tensor | None = None,
        seed: int = 1,
        step: int = 0,
    ) -> Rollout:
        """Run freely, z drawn from the prior; a function of the seeds alone, whatever else is computed.

        Parameters
        ----------
        length, burn_in : int
            Steps that are returned, at least 1, and steps before them.
        sequences : int
            Number of sequences; not with ``adaptive``.
        noise : float
            Factor of eps, at least 0: without noise z is the mean.
        adaptive : mapping, optional
            Adaptive vectors of sequences, as ``TrainingRun.adaptive()`` gives them: the first ``posterior_steps`` come from
            their posterior. Generated are these sequences, ``repeats`` times: sequence n of repeat r is row r N + n.
        start : Tensor (model, unit) or (model, sequence, unit), optional
            Inner state to go on from. By default 0, and the first step is that of a sequence.
        seed, step : int
            Key of the draws and number of the pass; those of more sequences, or steps, begin with those of fewer. Models of
            one seed have the same draws.

        Raises
        ------
        ValueError
            For numbers out of range, and arrays of another shape.
        """
        check_pass(noise, length=(length, 1), burn_in=(burn_in, 0), sequences=(sequences, 1), repeats=(repeats, 1))
        check_pass(noise, posterior_steps=(posterior_steps, 0), seed=(seed, 0), step=(step, 0))
        given: Mapping[str, Tensor] = {}
        if adaptive is None and repeats != 1:
            raise ValueError(f"repeats = {repeats} without adaptive vectors; say sequences instead")
        if adaptive is not None:
            given = adaptive_of(adaptive, self.output_weight, self.latents)
            count, steps = given["mean"].shape[1:3]
            if sequences != 1:
                raise ValueError(f"sequences = {sequences} beside adaptive vectors of {count}; say repeats instead")
            if posterior_steps > min(steps, burn_in + length):
                raise ValueError(
                    f"posterior_steps = {posterior_steps}; there are adaptive vectors of {steps} steps, and "
                    f"{burn_in + length} to generate"
                )
            given = {name: value.repeat(1, repeats, 1, 1) for name, value in given.items()}
            sequences = count * repeats
        h = self.output_weight.new_zeros(self.models, sequences, self.units)
        if start is not None:
            h = h + self._start(torch.as_tensor(start).to(h), sequences)
        kept = []
        for t in range(burn_in + length):
            eps = self.noise_at("generated", sequences, step=step, time=t, key=seed) * noise
            a = (given["mean"][:, :, t], given["log_sigma"][:, :, t]) if given and t < posterior_steps else None
            taken = self.step(h, eps, adaptive=a, first=t == 0 and start is None)
            h = taken.h
            if t >= burn_in:
                kept.append(taken)
        h, z, mean, log_sigma, q_mean, q_log_sigma = gathered(kept)
        outputs = self.output.activate(self.read(h))
        parts = (mean, log_sigma.exp(), q_mean, q_log_sigma.exp())
        return Rollout(self.output.decode(outputs), outputs, torch.tanh(h), h, z, *parts)

    def reconstruct(self, adaptive: Mapping[str, Tensor], *, noise: float = 0.0, seed: int = 1) -> Rollout:
        """Return how the network explains sequences: all steps from the posterior, by default its mean."""
        adaptive = adaptive_of(adaptive, self.output_weight, self.latents)
        steps = adaptive["mean"].shape[2]
        return self.generate(steps, adaptive=adaptive, posterior_steps=steps, noise=noise, seed=seed)

    @torch.no_grad()
    def log_likelihood(self, sequences: Any, *, particles: int = 1000, seed: int = 1) -> Tensor:
        """Return a bound on the log-likelihood of each sequence under the prior, (model, sequence), in nats.

        Of symbols it can be compared with the entropy of their source; of analog values it is minus the error of their
        codes, without a constant. Missing values don't count.

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
        encoded = self._encoded(sequences)
        count = len(encoded.lengths) * particles

        def move(h: Tensor, t: int) -> tuple[Tensor, Tensor]:
            noise = self.noise_at("particles", count, step=0, time=t, key=seed)
            h = self.step(h, noise, first=t == 0).h
            return h, self.read(h)

        start = self.output_weight.new_zeros(self.models, count, self.units)
        return particle_filter(self, encoded, move, start, particles=particles, seed=seed)

    def circuit(self, *, model: int = 0, dt: Any = "1 ms") -> Circuit:
        """Return a model, generating from its prior, as a circuit for :func:`neurodyn.simulate` on any backend, in float64.

        See :func:`neurodyn.models.pvrnn_circuit.pvrnn_circuit`. ``dt`` is the time that a step stands for.
        """
        from neurodyn.models.pvrnn_circuit import pvrnn_circuit

        return pvrnn_circuit(self.select(model), dt)
