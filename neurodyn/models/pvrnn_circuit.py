"""A PV-RNN that generates from its prior as a circuit, so that what was trained runs on every backend."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurodyn.circuit import Circuit
from neurodyn.models.codings import AnalogCoding, Coding, SoftmaxCoding, SymbolCoding
from neurodyn.parts import Connection, Population, Readout

if TYPE_CHECKING:
    from neurodyn.models.pvrnn import PVRNN

_LEARNED = {"mu": "tanh(I_mu + mu_bias)", "log_sigma": "clip(I_log_sigma + log_sigma_bias, {low}, {high})"}


def pvrnn_circuit(net: PVRNN, dt: Any) -> Circuit:
    """Return a network of one model, generating from its prior, as a circuit: the numbers of ``net.double()``, in a copy.

    Parameters
    ----------
    net : PVRNN
        With one model; see ``net.select``. What infers the posterior is left out.
    dt : quantity
        What a step of the network, which has no unit, takes.

    Returns
    -------
    Circuit
        For each layer, named 1, 2, ... from the lowest on:

        ====================  ===================================================================================
        ``latents_1``         population: ``z``, its prior's ``mu``, ``log_sigma`` and ``sigma``, the noise ``eps``, and
                              ``started``, 0 until the first step is done; parameter ``level``, a factor of eps
        ``layer_1``           population: ``h``, ``d`` = tanh(h), the input ``u`` and its sums ``I_recurrent``,
                              ``I_latent``, ``I_above``, ``I_below``; parameters ``tau`` (steps) and ``bias``
        ``recurrent_1``       connection, a step late; so are ``mu_1`` and ``log_sigma_1``, from d to the prior, and
                              ``below_2``, from layer 1 to layer 2
        ``latent_1``          connection from z, felt in the step in which it is drawn
        ``above_1``           connection from layer 2 to layer 1: a step late, or with ``top_down="current"`` none
        ====================  ===================================================================================

        and ``readout``, with memory ``w`` and ``bias``: ``inputs``, those to the output units. What they stand for
        is ``readout.values`` of an :class:`~neurodyn.AnalogCoding`, ``decoded.values`` of a :class:`~neurodyn.SoftmaxCoding`
        (for inputs below 700), and the output with the largest input of a :class:`~neurodyn.SymbolCoding`:
        ``run["readout.inputs"].values.argmax(1)``.

        Its seed is that of the model: ``with_(seed=...)`` gives other noise, none of them that of ``net.generate``, whose
        streams have other names. ``with_values({"latents_1.level": 0.0})`` takes away the noise of a layer.

    Raises
    ------
    ValueError
        For a network of several models, or one whose parameters are not finite.

    Notes
    -----
    Row k of a recording, from 0, is step k + 1 of the network: h, d, z and eps of that very step, the prior from which this z
    is drawn, and the output of this d. The start, h = 0, is in no row.

    A trial with a reset begins a sequence: h = 0, and the first step has the prior of a first step. To go on from a state h,
    set it and say that it is no first step, layer by layer: ``with_values({"layer_1.h": h, "latents_1.started": ones})``.
    """
    if net.models != 1:
        raise ValueError(f"net has {net.models} models; choose one, as in net.circuit(model=0)")
    for name, parameter in net.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"{name} holds numbers that are not finite: the training has diverged; train it anew")
    net = copy.deepcopy(net).to("cpu", torch.float64)
    populations, connections = [], []
    for k in reversed(range(net.depth)):  # from the top: a layer may see the one above as it is now
        populations += [_latents(net, k), _layer(net, k)]
        connections += _connections(net, k)
    readouts, values = _readouts(net.output, _array(net.output_weight), _array(net.output_bias))
    return Circuit(
        populations,
        connections,
        readouts=readouts,
        dt=dt,
        seed=net.seed[0],
        name="PV-RNN",
        values=values,
        references=net.references,
    )


def _array(parameter: torch.Tensor) -> np.ndarray:
    return parameter[0].detach().numpy()


def _latents(net: PVRNN, k: int) -> Population:
    """The latent variables of a layer; without a first step of its own, ``started`` changes nothing but is there."""
    from neurodyn.models.pvrnn_layer import LOG_SIGMA

    prior, parameters, sums = {"mu": "0", "log_sigma": "0"}, {}, ()
    bias = net.stack[k].prior_bias
    if bias is not None:
        low, high = LOG_SIGMA
        prior = {name: text.format(low=low, high=high) for name, text in _LEARNED.items()}
        if net.first_step_prior == "unit":
            prior = {name: f"where(started > 0, {text}, 0)" for name, text in prior.items()}
        parameters = dict(zip(("mu_bias", "log_sigma_bias"), _array(bias), strict=True))
        sums = ("I_mu", "I_log_sigma")
    code = [f"{name} = {text}" for name, text in prior.items()]
    code += ["sigma = exp(log_sigma)", "eps = level*randn()", "z = mu + sigma*eps", "started = 1"]
    return Population(
        f"latents_{k + 1}",
        net.layers[k].z,
        code="\n".join(code),
        variables=dict.fromkeys(("mu", "log_sigma", "sigma", "eps", "z", "started", *sums), "1"),
        parameters={"level": 1.0, **parameters},
    )


def _layer(net: PVRNN, k: int) -> Population:
    weights = net.stack[k]
    sums = ["I_recurrent", "I_latent"]
    sums += ["I_above"] if weights.top_down is not None else []
    sums += ["I_below"] if weights.bottom_up is not None else []
    return Population(
        f"layer_{k + 1}",
        net.layers[k].d,
        code=f"u = {' + '.join(sums)} + bias\nh = (1 - 1/tau)*h + u/tau\nd = tanh(h)",
        variables=dict.fromkeys(("h", "d", "u", *sums), "1"),
        parameters={"tau": net.layers[k].tau, "bias": _array(weights.bias)},
        initial={"d": "tanh(h)"},  # h may be set
    )


def _connections(net: PVRNN, k: int) -> list[Connection]:
    weights, made = net.stack[k], []

    def connect(name: str, source: str, target: str, variable: str, weight: Any, now: bool = False) -> None:
        delay = "0 ms" if now else None  # by default a step
        made.append(Connection(source, target, variable, weight=weight.T, name=f"{name}_{k + 1}", delay=delay))

    layer, latents = f"layer_{k + 1}", f"latents_{k + 1}"
    if weights.prior_weight is not None:
        for name, weight in zip(("mu", "log_sigma"), _array(weights.prior_weight), strict=True):
            connect(name, f"{layer}.d", latents, f"I_{name}", weight)
    connect("recurrent", f"{layer}.d", layer, "I_recurrent", _array(weights.recurrent))
    connect("latent", f"{latents}.z", layer, "I_latent", _array(weights.latent), now=True)
    if weights.top_down is not None:
        above, now = f"layer_{k + 2}.d", net.top_down == "current"
        connect("above", above, layer, "I_above", _array(weights.top_down), now)
    if weights.bottom_up is not None:
        connect("below", f"layer_{k}.d", layer, "I_below", _array(weights.bottom_up))
    return made


def _readouts(coding: Coding, w: np.ndarray, bias: np.ndarray) -> tuple[list[Readout], dict[str, Any]]:
    """The output with its weights, and where it takes sums over output units, the values that it stands for."""
    labels, state, text = [f"dimension {k}" for k in range(coding.dims)], ["inputs"], "inputs = sum(w*r) + bias"
    if isinstance(coding, AnalogCoding):
        state, text = (
            ["inputs", "values"],
            text + "\nvalues = " + ("tanh(inputs)" if coding.activation == "tanh" else "inputs"),
        )
    elif isinstance(coding, SymbolCoding):
        labels = [f"symbol {k}" for k in range(coding.symbols)]
    elif isinstance(coding, SoftmaxCoding):
        labels = [f"{label} point {j}" for label in labels for j in range(coding.bins)]
        state, text = ["inputs", "exponentials"], text + "\nexponentials = exp(inputs)"
    one = len(labels) == 1  # a group of one output has no axis
    output = Readout(
        "readout",
        "layer_1.d",
        tuple(labels),
        state=dict.fromkeys(state, "output"),
        memory={"w": "output*unit", "bias": "output"},
        per_step=text,
    )
    values: dict[str, Any] = {"readout.w": w[0] if one else w, "readout.bias": bias[0] if one else bias}
    if not isinstance(coding, SoftmaxCoding):
        return [output], values
    group = np.repeat(np.eye(coding.dims), coding.bins, axis=1)
    points = group * np.tile(coding.points, coding.dims)
    decoded = Readout(
        "decoded",
        "readout.exponentials",
        tuple(f"dimension {k}" for k in range(coding.dims)),
        state={"values": "output"},
        memory={"group": "output*unit", "points": "output*unit"},
        per_step="values = sum(points*r)/sum(group*r)",
    )
    one = coding.dims == 1
    values |= {"decoded.group": group[0] if one else group, "decoded.points": points[0] if one else points}
    return [output, decoded], values
