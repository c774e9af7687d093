"""Leaky rate networks whose time constants are trained together with the weights (Khajehabdollahi et al. 2024)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodyn.kernels.draws import normals, uniforms
from neurodyn.kernels.rnn_scan import ACTIVATIONS, SLOPE, scan
from neurodyn.models.naming import one_of
from neurodyn.models.recurrent import Draws, RecurrentNetwork
from neurodyn.models.time_constants import TimeConstants

if TYPE_CHECKING:
    from neurodyn.circuit import Circuit
    from neurodyn.kernels.leaky_launch import LeakyStep


_FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "leaky_relu": lambda u: functional.leaky_relu(u, SLOPE),
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "identity": lambda u: u,
}


class LeakyRNN(RecurrentNetwork):
    """A leaky rate network with one time constant for each unit, an ordinary ``torch.nn.Module``.

    With alpha = 1/max(tau, 1) and the input of a unit u(t) = W r(t-1) + W_in x(t) + b_in + b_rec, ::

        outer:  r(t) = f[(1 - alpha) r(t-1) + alpha u(t)]    (eq. 1; the default)
        inner:  r(t) = (1 - alpha) r(t-1) + alpha f[u(t)]    (eq. 2)

    and head k reads V_k r(t) + c_k. A unit with tau = 1 has no memory of its own.

    Parameters
    ----------
    units, inputs, outputs, heads : int
        Sizes; 100 heads let a multi-head curriculum that begins with N = 2 reach N = 101.
    tau : "learn", "shared", number or array (units,)
        A time constant learnt for each unit, or one for all; numbers are fixed. In steps, or in digits if ``continuous``.
    parametrisation : "raw", "alpha", "sigmoid" or "decay"
        How tau is stored, see :class:`neurodyn.models.time_constants.TimeConstants`.
    tau_initial : (low, high) or array (units,)
        Learnt tau start uniform in this range, or as given (two numbers for two units are taken as given); a shared one
        starts at the middle. (2, T) is the analogue of chrono initialisation.
    tau_bounds : (low, high)
        Bounds of "sigmoid" and "decay".
    nonlinearity : "outer" or "inner"
        What f acts on.
    activation : str
        f: "leaky_relu" (slope 0.01), "relu", "tanh", "sigmoid" or "identity".
    continuous : bool
        Whether tau is in units of a digit, so that holding digits for k steps means alpha = 1/max(k tau, 1).
    self_connections : bool
        False sets the diagonal of W to zero, in place, at each pass: tau plays their part.
    dale : float, optional
        Share of excitatory units, 0 to 1: these come first, and the sign of all their outgoing weights is theirs.
    connection_probability : float
        Chance that a weight of W exists, above 0 up to 1.
    noise : float
        Standard deviation of normal noise added to u at each step, >= 0.
    initial_state : (low, high)
        r(0) is uniform in this range, drawn anew at each pass.
    weight_initial : "uniform", "normal" or "orthogonal"
        W: uniform in +-gain/sqrt(units), normal with that standard deviation, or orthogonal times the gain.
    gain : float
        See ``weight_initial``; >= 0.
    precision : "float32" or "bfloat16"
        "bfloat16" computes a pass in bfloat16, with sums of products in float32; weights are kept as they are. Leaks are
        rounded too: tau = 100 acts as 85, and from 512 on a unit does not leak at all.
    seed : int or sequence of int
        Key of all start values; of several, each is that of a model of its own.
    dtype, device : torch.dtype, torch.device

    Attributes
    ----------
    many : bool
        Whether ``seed`` was a sequence: all parameters then have a leading axis of models, ``gain`` may be a sequence, and
        ``tau`` and ``tau_initial`` may have that axis too, (model, unit) or (model, 2). :func:`neurodyn.train` trains them
        together, each to the bits that it gets alone, and :meth:`select` takes one out. All else is for one network.
    models : int

    Raises
    ------
    ValueError
        For values out of range, tau below 1 among them; names the parameter. Several networks, for what is for one.

    References
    ----------
    Khajehabdollahi, Zeraati, Giannakakis, Schaefer, Martius & Levina (2024) ICLR, arXiv 2309.12927.

    Examples
    --------
    >>> import torch, neurodyn as nd
    >>> net = nd.LeakyRNN(64, heads=3)
    >>> net(torch.zeros(10, 8, 1)).shape
    torch.Size([3, 8, 2])
    """

    references: ClassVar[tuple[str, ...]] = ("khajehabdollahi2024",)

    several: ClassVar[bool] = True
    mask: Tensor | None
    sign: Tensor | None

    def __init__(
        self,
        units: int = 500,
        *,
        inputs: int = 1,
        outputs: int = 2,
        heads: int = 100,
        tau: Any = "learn",
        parametrisation: Literal["raw", "alpha", "sigmoid", "decay"] = "raw",
        tau_initial: Any = (1.0, 2.0),
        tau_bounds: tuple[float, float] = (1.0, 100.0),
        nonlinearity: Literal["outer", "inner"] = "outer",
        activation: str = "leaky_relu",
        continuous: bool = False,
        self_connections: bool = False,
        dale: float | None = None,
        connection_probability: float = 1.0,
        noise: float = 0.0,
        initial_state: tuple[float, float] = (0.0, 0.1),
        weight_initial: Literal["uniform", "normal", "orthogonal"] = "uniform",
        gain: float | Sequence[float] = 1.0,
        precision: Literal["float32", "bfloat16"] = "float32",
        seed: int | Sequence[int] = 1,
        dtype: torch.dtype = torch.float32,
        device: Any = "cpu",
    ) -> None:
        super().__init__(
            units=units, inputs=inputs, outputs=outputs, heads=heads, seed=seed, dtype=dtype, device=device
        )
        self.nonlinearity = one_of("nonlinearity", nonlinearity, ("outer", "inner"))
        self.activation = one_of("activation", activation, ACTIVATIONS)
        self.precision = one_of("precision", precision, ("float32", "bfloat16"))
        one_of("weight_initial", weight_initial, ("uniform", "normal", "orthogonal"))
        gains = self._by_model("gain", gain, 0)
        for name, value in (("noise", noise), *(("gain", float(g)) for g in gains)):
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} = {value!r}; give 0 or a positive number")
        if not 0 < connection_probability <= 1:
            raise ValueError(f"connection_probability = {connection_probability!r}; allowed is above 0 up to 1")
        if dale is not None and not 0 <= dale <= 1:
            raise ValueError(f"dale = {dale!r}; give the share of excitatory units, 0 to 1, or None")
        if not -float("inf") < initial_state[0] <= initial_state[1] < float("inf"):
            raise ValueError(f"initial_state = {initial_state!r}; give (low, high)")
        self.continuous, self.self_connections, self.noise = continuous, self_connections, noise
        self.initial_state = (float(initial_state[0]), float(initial_state[1]))
        self.config |= {
            "tau": _plain(tau),
            "parametrisation": parametrisation,
            "tau_initial": _plain(tau_initial),
            "tau_bounds": list(tau_bounds),
            "nonlinearity": nonlinearity,
            "activation": activation,
            "continuous": continuous,
            "self_connections": self_connections,
            "dale": dale,
            "connection_probability": connection_probability,
            "noise": noise,
            "initial_state": list(self.initial_state),
            "weight_initial": weight_initial,
            "gain": _plain(gain),
            "precision": precision,
        }
        self.input_weight = self._uniform("input_weight", (units, inputs), inputs**-0.5)
        self.input_bias = self._uniform("input_bias", (units,), inputs**-0.5)
        self.recurrent_weight = nn.Parameter(
            self._together(self._recurrent(weight_initial, *of) for of in zip(gains, self._seeds, strict=True))
        )
        self.recurrent_bias = self._uniform("recurrent_bias", (units,), units**-0.5)
        self._add_readout()
        learnt = isinstance(tau, str)
        wanted = self._by_model("tau_initial" if learnt else "tau", tau_initial if learnt else tau, 1)
        start = self._together(self._tau(tau, *of) for of in zip(wanted, self._seeds, strict=True))
        self.time_constants = TimeConstants(start, parametrisation=parametrisation, bounds=tau_bounds, learn=learnt)
        mask = sign = None
        if connection_probability < 1:
            drawn = (uniforms("initial.mask", (units, units), seed=s, step=0) for s in self._seeds)
            mask = self._together((u < connection_probability).to(**self._where) for u in drawn)
        if dale is not None:
            one = torch.where(torch.arange(units) < round(dale * units), 1.0, -1.0).to(**self._where)
            sign = self._together(one for _ in self._seeds)
        self.register_buffer("mask", mask)
        self.register_buffer("sign", sign)

    def _together(self, each: Iterable[Tensor]) -> Tensor:
        """What models have, with an axis for them if there is one."""
        found = list(each)
        return torch.stack(found) if self.many else found[0]

    def _by_model(self, name: str, value: Any, axes: int) -> list[Any]:
        """The value of each model, which has at most so many axes of its own."""
        if np.ndim(value) <= axes:
            return [value] * self.models
        if not self.many or np.ndim(value) > axes + 1 or len(value) != self.models:
            raise ValueError(
                f"{name} has shape {np.shape(value)}; one axis more than for one network is that of models: give seed = [...] "
                f"and as many {name}, or fewer axes"
            )
        return list(value)

    def _recurrent(self, kind: str, gain: float, seed: int) -> Tensor:
        bound, shape = gain * self.units**-0.5, (self.units, self.units)
        if kind == "uniform":
            u = uniforms("initial.recurrent_weight", shape, seed=seed, step=0)
            return (-bound + 2 * bound * u).to(**self._where)
        w = normals("initial.recurrent_weight", shape, seed=seed, step=0)
        if kind == "orthogonal":
            q, r = torch.linalg.qr(w)
            return (gain * q * torch.sign(torch.diagonal(r))).to(**self._where)
        return (bound * w).to(**self._where)

    def _tau(self, tau: Any, given: Any, seed: int) -> Tensor:
        """Time constants of a model to begin with, (units,) or (1,)."""
        values, name = np.asarray(given, dtype=float), "tau"
        if isinstance(tau, str):
            one_of("tau", tau, ("learn", "shared"))
            name = "tau_initial"
            if tau == "shared" and values.shape not in ((), (2,)):
                raise ValueError(
                    f"tau_initial has shape {values.shape}; one shared tau needs (low, high) or one number"
                )
            if values.shape == (2,) and (tau == "shared" or self.units != 2):
                low, high = values
                if not low <= high:
                    raise ValueError(f"tau_initial = {given!r}; give (low, high) or an array of {self.units} numbers")
                if tau == "shared":
                    return torch.tensor([(low + high) / 2]).to(**self._where)
                u = uniforms("initial.tau", (self.units,), seed=seed, step=0)
                return (low + (high - low) * u).to(**self._where)
        if values.shape not in ((), (self.units,)):
            raise ValueError(f"{name} has shape {values.shape}; give one number or an array ({self.units},)")
        return torch.from_numpy(np.atleast_1d(values).copy()).to(**self._where)

    def select(self, models: int | Sequence[int]) -> LeakyRNN:
        """Return the network of one model, or one of many that holds these alone, in memory of its own."""
        chosen = [models] if isinstance(models, (int, np.integer)) else list(models)
        whole = all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) for k in chosen)
        if not chosen or not whole or not all(-self.models <= k < self.models for k in chosen):
            raise ValueError(f"models = {models!r}; the network has models 0 to {self.models - 1}")
        at: Any = int(chosen[0]) if isinstance(models, (int, np.integer)) else [int(k) for k in chosen]
        config = self.config_of(at)
        made = type(self)(**config, dtype=self.dtype, device=self.device)
        state = self.state_dict()
        made.load_state_dict({name: value[at] for name, value in state.items()} if self.many else state)
        return made

    def config_of(self, at: int | list[int]) -> dict[str, Any]:
        """Return the configuration of one model, or of several."""
        found = dict(self.config)
        axes = {"seed": 0, "gain": 0, "tau": 1, "tau_initial": 1}
        for name, own in axes.items():
            value = found[name]
            if np.ndim(value) > own:
                found[name] = [value[k] for k in at] if isinstance(at, list) else value[at]
        return found

    def view(self, model: int) -> LeakyRNN:
        """Return the network of one model of many, whose parameters are those of this one."""
        made, theirs = self.select(model), self.state_dict()
        for name, value in (*made.named_parameters(), *made.named_buffers()):
            value.data = theirs[name][model]
        return made

    @property
    def tau(self) -> Tensor:
        """Time constants, (units,), detached; in steps, or in digits if ``continuous``. "raw" ones may lie below 1.

        Those of many have the axis of models.
        """
        found = self.time_constants.tau.detach()
        return found.expand(*found.shape[:-1], self.units)

    def alpha(self, hold: int = 1) -> Tensor:
        """Return what share of the new each unit takes in a step, (units,)."""
        self.check_one()
        return self.time_constants.alpha(hold if self.continuous else 1).expand(self.units)

    def weights(self) -> Tensor:
        """Return the recurrent weights as they act, W[target, source]: no self-connections, masked and signed."""
        self.check_one()
        if not self.self_connections:
            # .data: a pass before this one, not yet gone back through, must not take it for a change of its own
            self.recurrent_weight.data.fill_diagonal_(0.0)
        return self._acting(self.recurrent_weight)

    def _acting(self, w: Tensor) -> Tensor:
        if self.sign is not None:
            w = w.abs() * self.sign
        return w if self.mask is None else w * self.mask

    def run(self, x: Tensor, *, hold: int = 1, draws: Draws | None = None, last: bool = False) -> Tensor:
        """Return the states of the units after each step, (time, batch, unit), or the last alone (batch, unit).

        Parameters
        ----------
        x : array, shape (time, batch, input)
        hold : int
            Steps for which each digit of ``x`` is held; x has them already.
        draws : mapping, optional
            Start states and noise, from :meth:`draws`; torch's own generator draws them by default.
        last : bool
            Whether the last states alone are wanted.
        """
        steps, batch = x.shape[:2]
        draws = self._torch_draws(steps, batch) if draws is None else draws
        alpha, w = self.alpha(hold), self.weights()
        drive = torch.cat([self.input_weight, (self.input_bias + self.recurrent_bias)[:, None]], 1)
        ones = x.new_ones((steps, batch, 1), dtype=self.dtype)
        x = torch.cat([x.to(self.dtype), ones], 2)
        noise = draws.get("noise")
        options: dict[str, Any] = {"activation": self.activation, "last": last}
        if self.nonlinearity == "outer":
            w, drive = torch.diag(1 - alpha) + alpha[:, None] * w, alpha[:, None] * drive
            noise = None if noise is None else noise * alpha
        else:
            options |= {"keep": 1 - alpha, "gain": alpha}
        arguments = [w, drive, x, draws["state"]]
        if self.precision == "bfloat16":
            arguments = [a.bfloat16() for a in arguments]
            options |= {k: v.bfloat16() for k, v in options.items() if isinstance(v, Tensor)}
            noise = None if noise is None else noise.bfloat16()
        return scan(*arguments, noise=noise, **options).to(self.dtype)

    def go_on(self, x: Tensor, state: Any, *, hold: int = 1, draws: Draws | None = None) -> tuple[Tensor, Any]:
        """Return the states (time, batch, unit) from ``state`` (batch, unit) on, and the last; None begins anew."""
        draws = self._torch_draws(*x.shape[:2]) if draws is None else draws
        r = self.run(x, hold=hold, draws=draws if state is None else {**draws, "state": state})
        return r, r[-1]

    def step(self, states: Tensor, x: Tensor | None = None, *, hold: int = 1) -> Tensor:
        """Return the states (..., unit) a step later, without noise, under inputs x (..., input), by default 0.

        Computed in the precision of ``states``. For :func:`neurodyn.analysis.fixed_points` and the like, which differentiate it.
        """
        self.check_one()
        w = self.recurrent_weight
        if not self.self_connections:  # not in place, which torch.func forbids
            w = w - torch.diag(w.diagonal())
        w, alpha = self._acting(w).to(states.dtype), self.alpha(hold).to(states.dtype)
        u = functional.linear(states, w, (self.input_bias + self.recurrent_bias).to(states.dtype))
        if x is not None:
            u = u + functional.linear(x.to(states.dtype), self.input_weight.to(states.dtype))
        f = _FUNCTIONS[self.activation]
        if self.nonlinearity == "outer":
            return f((1 - alpha) * states + alpha * u)
        return (1 - alpha) * states + alpha * f(u)

    def own_step(
        self, *, threads: int | None = None, gradients: Mapping[str, Tensor] | None = None
    ) -> LeakyStep | None:
        """Return what computes losses with their gradient, and logits, without autograd, if there is such a thing.

        There is on the CPU, if nothing of a pass is another than it is written here; None otherwise.
        """
        passes = ("forward", "run", "weights", "_acting", "alpha", "draws", "__call__")
        plain = all(getattr(type(self), name) is getattr(LeakyRNN, name) for name in passes)
        hooks = self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks
        known = (
            not self.many
            and self.device.type == "cpu"
            and self.precision == "float32"
            and self.dtype in (torch.float32, torch.float64)
        )
        if not (plain and known) or hooks or type(self.time_constants) is not TimeConstants:
            return None
        from neurodyn.kernels.leaky_launch import LeakyStep

        return LeakyStep(self, threads=threads, gradients=gradients)

    def draws(self, steps: int, batch: int, *, seed: int, step: int) -> Draws:
        """Return start states and, if there is any, noise of one pass: a function of seed and step alone."""
        low, high = self.initial_state
        where = {"seed": seed, "step": step, "device": self.device}
        state = uniforms("state", (batch, self.units), **where).to(self.dtype)
        found = {"state": state.mul_(high - low).add_(low)}
        if self.noise:
            found["noise"] = self.noise * normals("noise", (steps, batch, self.units), **where).to(self.dtype)
        return found

    def _torch_draws(self, steps: int, batch: int) -> Draws:
        low, high = self.initial_state
        where = {"dtype": self.dtype, "device": self.device}
        found = {"state": low + (high - low) * torch.rand(batch, self.units, **where)}
        if self.noise:
            found["noise"] = self.noise * torch.randn(steps, batch, self.units, **where)
        return found

    def circuit(self, *, heads: int | Sequence[int] | None = None, hold: int = 1, dt: Any = "1 ms") -> Circuit:
        """Return the network as a circuit, for :func:`neurodyn.simulate` on any backend, in float64.

        Population "units" (``units.r``), input "digits", connections "recurrent" and "input", and ``readout.logits`` of
        the chosen heads. ``hold`` matters to networks in continuous time, ``dt`` is the time that a step stands for.
        """
        from neurodyn.models.leaky_circuit import leaky_circuit

        self.check_one()
        chosen = self._chosen(heads)
        return leaky_circuit(self, list(range(self.heads))[chosen] if isinstance(chosen, slice) else chosen, hold, dt)


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else np.asarray(value, dtype=float).tolist()
