"""A leaky rate network as a circuit, so that what was trained runs on every backend."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from neurodyn.circuit import Circuit
from neurodyn.kernels.rnn_scan import SLOPE
from neurodyn.parts import Connection, Input, Population, Readout

if TYPE_CHECKING:
    from neurodyn.models.leaky import LeakyRNN

#: f(x); the sigmoid in the form that can't overflow
_ACTIVATIONS = {
    "leaky_relu": f"where(x > 0, x, {SLOPE}*x)",
    "relu": "where(x > 0, x, 0)",
    "tanh": "tanh(x)",
    "sigmoid": "0.5 + 0.5*tanh(0.5*x)",
    "identity": "x",
}
_STEP = {
    "outer": "x = (1 - alpha)*r + alpha*({u})\nr = {f}",
    "inner": "x = {u}\nr = (1 - alpha)*r + alpha*({f})",
}


def leaky_circuit(net: LeakyRNN, heads: list[int], hold: int, dt: Any) -> Circuit:
    """Return a leaky network as a circuit: the numbers of ``net.double()``, in a copy.

    Parameters
    ----------
    net : LeakyRNN
        Its weights as they act; those that a mask takes away are no synapses. ``precision`` does not matter.
    heads : list of int
        Heads to read out, in this order.
    hold : int
        Steps for which the session holds a digit, at least 1; it matters to ``continuous`` networks only.
    dt : quantity
        What a step of the network, which has no unit, takes.

    Returns
    -------
    Circuit
        ==================  =====================================================================================
        ``units``           population: ``r``, what f acts on ``x``, the sums ``I_rec`` and ``I_in``; parameters
                            ``alpha`` and ``bias`` (units,), ``noise`` if there is any. Each trial with a reset
                            starts at an ``r`` of its own, uniform from ``initial_low`` to ``initial_high``.
        ``recurrent``       connection, a step late: dense, or as the mask has it
        ``digits``          input, seen in the step in which it comes: channel "digit", or "digit 0", "digit 1", ...
        ``input``           connection from ``digits``
        ``readout``         ``logits``, "head 0 output 0", "head 0 output 1", ...; memory ``w`` and ``bias``
        ==================  =====================================================================================

        Its seed is that of the network: ``with_(seed=...)`` gives other start states and other noise.

    Raises
    ------
    ValueError
        For ``hold`` below 1, or a network whose parameters are not finite.
    """
    if isinstance(hold, bool) or not isinstance(hold, int) or hold < 1:
        raise ValueError(f"hold = {hold!r}; give the whole number of steps for which a digit is held, at least 1")
    for name, parameter in net.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"{name} holds numbers that are not finite: the training has diverged; train it anew")
    with torch.no_grad():
        net = copy.deepcopy(net).to("cpu", torch.float64)
        w, alpha = net.weights().numpy().T, net.alpha(hold).numpy()  # w[source, target]
        bias = (net.input_bias + net.recurrent_bias).numpy()
        drive = net.input_weight.numpy().T
        readout_w, readout_bias = net.readout_weight[heads].numpy(), net.readout_bias[heads].numpy()
    synapses: dict[str, Any] = {"weight": w}
    if net.mask is not None:
        there = np.asarray(net.mask).T != 0
        if not net.self_connections:
            np.fill_diagonal(there, False)
        pairs = np.nonzero(there)
        synapses = {"pairs": pairs, "weight": w[pairs]}
    u = "I_rec + I_in + bias" + (" + noise*randn()" if net.noise else "")
    low, high = net.initial_state
    units = Population(
        "units",
        net.units,
        code=_STEP[net.nonlinearity].format(u=u, f=_ACTIVATIONS[net.activation]),
        variables=dict.fromkeys(("r", "x", "I_rec", "I_in"), "1"),
        parameters={"alpha": alpha, "bias": bias, "initial_low": low, "initial_high": high}
        | ({"noise": net.noise} if net.noise else {}),
        initial={"r": "initial_low + (initial_high - initial_low)*rand()"},
    )
    digits = Input("digits", tuple(f"digit {k}" for k in range(net.inputs)) if net.inputs > 1 else ("digit",))
    readout = Readout(
        "readout",
        "units.r",
        tuple(f"head {h} output {o}" for h in heads for o in range(net.outputs)),
        state={"logits": "output"},
        memory={"w": "output*unit", "bias": "output"},
        per_step="logits = sum(w*r) + bias",
    )
    one = len(readout.outputs) == 1  # a group of one output has no axis
    return Circuit(
        [units],
        [
            Connection("units.r", units, "I_rec", name="recurrent", **synapses),
            Connection(digits, units, "I_in", weight=drive, name="input"),
        ],
        inputs=[digits],
        readouts=[readout],
        dt=dt,
        seed=net.seed,
        references=net.references,
        name="leaky network",
        values={
            "readout.w": readout_w.reshape((-1, net.units)[one:]),
            "readout.bias": readout_bias.reshape((-1,)[one:]),
        },
    )
