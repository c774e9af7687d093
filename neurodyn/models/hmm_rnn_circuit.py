"""A network that emulates a hidden Markov model as a circuit, so that what was trained runs on every backend."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch

from neurodyn.circuit import Circuit
from neurodyn.parts import Connection, Population, Readout

if TYPE_CHECKING:
    from neurodyn.models.hmm_rnn import HMMRNN


def hmm_rnn_circuit(net: HMMRNN, dt: Any) -> Circuit:
    """Return a network driven by noise as a circuit: the numbers of ``net.double()``, in a copy.

    Parameters
    ----------
    net : HMMRNN
    dt : quantity
        What a step of the network, which has no unit, takes.

    Returns
    -------
    Circuit
        Its parts:

        ==================  =====================================================================================
        ``noise``           population of the noise inputs: ``x``, drawn anew in every step; parameter ``level``, its
                            standard deviation
        ``units``           population: ``h``, the rectified ``u``, the sums ``I_rec`` and ``I_noise``; with biases
                            the parameter ``bias`` (units,). Each trial with a reset starts at rest, h = 0.
        ``recurrent``       connection, a step late, dense
        ``input``           connection from ``noise``, felt in the step in which the noise is drawn
        ``readout``         ``logits`` and ``scores``, "symbol 0", "symbol 1", ...; memory ``w``, with biases ``bias``
        ==================  =====================================================================================

        Its seed is that of the network: ``with_(seed=...)`` gives other noise, ``with_values({"noise.level": 2.0})`` another
        level of it, ``with_values({"units.h": h})`` another state to start from.

    Raises
    ------
    ValueError
        For a network whose parameters are not finite.

    Notes
    -----
    Row k of a recording, from 0, is step k + 1 of the network: x(k + 1), h(k + 1) = relu[W h(k) + U x(k + 1) + b], and logits
    and scores of that very h; the start, h(0), is in no row. ``I_rec`` of the row is W h(k).

    The symbol of a step, drawn from the softmax of its logits, is the output with the largest score (Gumbel's trick: a
    score is a logit minus the logarithm of a draw from Exp(1)); the winner is that with the largest logit::

        symbols = run["readout.scores"].values.argmax(1)
        winners = run["readout.logits"].values.argmax(1)

    An output alone has no axis and is always the symbol. Symbols of the first steps from rest are nearly uniform; a trial
    of some 100 steps before one with ``reset=False`` is a burn-in.
    """
    for name, parameter in net.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise ValueError(f"{name} holds numbers that are not finite: the training has diverged; train it anew")
    with torch.no_grad():
        net = copy.deepcopy(net).to("cpu", torch.float64)
        values = {"readout.w": net.readout_weight.numpy()}
        parameters = {}
        if net.bias is not None and net.readout_bias is not None:
            parameters["bias"] = net.bias.numpy()
            values["readout.bias"] = net.readout_bias.numpy()
        recurrent, drive = net.recurrent_weight.numpy().T, net.noise_weight.numpy().T  # [source, target]
    noise = Population(
        "noise", net.noise_inputs, code="x = level*randn()", variables={"x": "1"}, parameters={"level": net.noise}
    )
    plus_bias = " + bias" if parameters else ""
    units = Population(
        "units",
        net.units,
        # not where(u > 0, u, 0), which would make 0 of a number that is none, and hide that activity has overflowed
        code=f"u = I_rec + I_noise{plus_bias}\nh = maximum(u, 0)",
        variables=dict.fromkeys(("h", "u", "I_rec", "I_noise"), "1"),
        parameters=parameters,
    )
    readout = Readout(
        "readout",
        "units.h",
        tuple(f"symbol {k}" for k in range(net.outputs)),
        state={"logits": "output", "scores": "output"},
        memory={"w": "output*unit"} | ({"bias": "output"} if parameters else {}),
        # -log1p(-rand) is the -log(rand) of Gumbel's trick from the other side: in float32 large draws, which choose symbols,
        # are not cut off, and a uniform that rounds to 1 is no infinity; in float64 40 is never reached
        per_step=f"logits = sum(w*r){plus_bias}\nscores = logits - log(minimum(-log1p(-rand(logits)), 40))",
    )
    if net.outputs == 1:  # a group of one output has no axis
        values = {name: value[0] for name, value in values.items()}
    return Circuit(
        [noise, units],
        [
            Connection("units.h", units, "I_rec", weight=recurrent, name="recurrent"),
            Connection("noise.x", units, "I_noise", weight=drive, delay="0 ms", name="input"),
        ],
        readouts=[readout],
        dt=dt,
        seed=net.seed,
        references=net.references,
        name="network driven by noise",
        values=values,
    )
