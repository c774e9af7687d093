"""e-prop's readout against automatic differentiation, and what its cells hold against backpropagation through time."""

from dataclasses import replace

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.parts import CircuitError

CELLS, INPUTS, STEPS = 12, 8, 150


def network(*, recurrent=True, seed=3):
    """Cells driven by spikes of other cells, which a current makes fire."""
    sources = nd.surrogate_lif("sources", INPUTS)
    cells = nd.surrogate_lif("cells", CELLS)
    current = nd.Input("current", ("current",))
    links = [
        nd.Connection(current, sources, "I_in", weight=nd.Uniform(0.1, 0.3)),
        nd.Connection(sources, cells, "I_rec", weight=nd.Normal(0.1, 0.3), delay="0 ms", pattern="all", name="w_in"),
    ]
    if recurrent:
        links.append(nd.Connection(cells, cells, "I_rec", weight=nd.Normal(0, 0.2), delay="0 ms", probability=0.5))
    return nd.Circuit([sources, cells], links, inputs=[current], dt="1 ms", seed=seed)


def session(outputs, *, trials=1, seed=0):
    rng = np.random.default_rng(seed)
    target = 0.2 * rng.normal(size=(STEPS, len(outputs)))
    channels = {"target": outputs, "current": ("current",)}
    inputs = {"target": target, "current": np.array([1.0])}
    return nd.Session((nd.Trial(STEPS, inputs),) * trials, dt=1e-3, channels=channels), target


def started(learn, circuit, seed=5):
    """The circuit with the readout attached and random output weights."""
    circuit = learn.attach(circuit)
    shape = (CELLS,) if len(learn.outputs) == 1 else (len(learn.outputs), CELLS)
    return circuit.with_values({"output.w": np.random.default_rng(seed).normal(size=shape)})


@pytest.mark.parametrize(("outputs", "recurrent"), [(("a", "b", "c"), False), (("a",), False), (("a", "b"), True)])
def test_gradient_of_the_readout_is_that_of_autograd(outputs, recurrent):
    torch = pytest.importorskip("torch")
    learn = nd.EpropReadout(outputs=outputs, rate=1e-3, tau="25 ms", feedback=0.0)
    circuit = started(learn, network(recurrent=recurrent))
    sequence, target = session(outputs)
    record = ["cells.spiked", "output.y", "output.loss"]
    run = nd.simulate(circuit, sequence, record=record, backend="interpreter")
    z = torch.tensor(np.asarray(run["cells.spiked"]))
    assert 0.02 < float(z.mean()) < 0.5
    w = torch.tensor(np.atleast_2d(circuit.values["output.w"]), requires_grad=True)
    kappa = np.exp(-1 / 25)
    x, ys = torch.zeros(CELLS, dtype=torch.float64), []
    for step in range(STEPS):
        x = kappa * x + (1 - kappa) * z[step]
        ys.append(w @ x)
    y = torch.stack(ys)
    loss = 0.5 * ((y - torch.tensor(target)) ** 2).sum()
    loss.backward()
    assert w.grad is not None
    values = run.network().values
    gradient = np.atleast_2d(values["output_rule.gradient"])
    np.testing.assert_allclose(np.asarray(run["output.y"]), y.detach().numpy(), rtol=0, atol=1e-12)
    assert float(np.ravel(run["output.loss"])[-1]) == pytest.approx(float(loss.detach()), rel=1e-12)
    np.testing.assert_allclose(gradient, w.grad.numpy(), rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        np.atleast_2d(values["output.w"]), w.detach().numpy() - 1e-3 * gradient, rtol=0, atol=1e-12
    )


def test_what_the_cells_hold_is_enough_for_the_gradient_of_their_inputs():
    """Without recurrence, sum_t L_j(t) lowpass(psi_j trace_i) is backpropagation through time with the same surrogate."""
    torch = pytest.importorskip("torch")
    outputs = ("a", "b")
    circuit = started(nd.EpropReadout(outputs=outputs), network(recurrent=False))
    w_out = circuit.values["output.w"]
    circuit = circuit.with_values(
        {"output_error.weights": w_out.ravel()}
    )  # symmetric feedback: B is the transpose of w
    sequence, target = session(outputs)
    names = ("cells.psi", "cells.learning_signal", "cells.v", "cells.spiked", "sources.trace", "sources.spiked")
    run = nd.simulate(circuit, sequence, record=[*names, "output.error"], backend="interpreter")
    psi, signal, v, spiked, trace, sent = (np.asarray(run[name]) for name in names)
    error = np.asarray(run["output.error"])
    np.testing.assert_allclose(signal[1:], error[:-1] @ w_out, rtol=0, atol=1e-12)  # a step late
    kappa, eligibility, gradient = np.exp(-1 / 30), np.zeros((INPUTS, CELLS)), np.zeros((INPUTS, CELLS))
    for step in range(STEPS + 1):
        gradient += eligibility * (signal[step] if step < STEPS else error[-1] @ w_out)
        if step < STEPS:
            eligibility = kappa * eligibility + (1 - kappa) * np.outer(trace[step], psi[step])

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, potential):
            ctx.save_for_backward(potential)
            return (potential > 0.03).double()

        @staticmethod
        def backward(ctx, *grads):
            (potential,) = ctx.saved_tensors
            return grads[0] * 0.3 * torch.clamp(1 - (potential - 0.03).abs() / 0.03, min=0) / 0.03

    w_in = torch.tensor(_matrix(run, "w_in"), requires_grad=True)
    z_in, potential = torch.tensor(sent), torch.zeros(CELLS, dtype=torch.float64)
    z = x = torch.zeros(CELLS, dtype=torch.float64)
    loss = torch.zeros((), dtype=torch.float64)
    for step in range(STEPS):
        current = z_in[step - 1] @ w_in if step else torch.zeros(CELLS, dtype=torch.float64)
        potential = kappa * potential + (1 - kappa) * current - 0.03 * z.detach()
        np.testing.assert_allclose(potential.detach().numpy(), v[step], rtol=0, atol=1e-12)
        z = Spike.apply(potential)
        x = kappa * x + (1 - kappa) * z  # type: ignore[operator]
        loss = loss + 0.5 * ((torch.tensor(w_out) @ x - torch.tensor(target[step])) ** 2).sum()
    assert 0.02 < spiked.mean() < 0.5
    loss.backward()
    assert w_in.grad is not None and float(w_in.grad.abs().max()) > 0.01
    np.testing.assert_allclose(gradient, w_in.grad.numpy(), rtol=0, atol=1e-10)


def test_synapses_sum_what_the_cells_hold():
    """The rule against recorded traces, for inputs and sparse recurrent synapses; steps are taken in the rule's order."""
    net = network()
    for number, connection in enumerate(net.connections[1:]):
        net = net.with_part(
            replace(connection, rules=(nd.eprop(f"rule{number}", rate=1e-3, tau="25 ms", target_rate="20 Hz"),))
        )
    circuit = started(nd.EpropReadout(outputs=("a", "b"), tau="25 ms"), net)
    record = ["cells.psi", "cells.learning_signal", "sources.trace", "cells.trace"]  # in this order below
    record += ["cells.spiked"]
    run = nd.simulate(circuit, session(("a", "b"))[0], record=record, backend="interpreter")
    psi, signal, *traces, spiked = (np.asarray(run[name]) for name in record)
    excess = spiked[:-1].sum(axis=0) / STEPS - 0.02  # in kHz, at a step of 1 ms
    kappa = np.exp(-1 / 25)
    values = run.network().values
    for number, (connection, trace) in enumerate(zip(net.connections[1:], traces, strict=True)):
        eligibility = gradient = np.zeros((trace.shape[1], CELLS))
        for step in range(STEPS):
            gradient = gradient + eligibility * signal[step]
            eligibility = kappa * eligibility + (1 - kappa) * np.outer(trace[step], psi[step])
        assert np.abs(gradient).max() > 0.01
        gradient = gradient + 300 * excess * (trace.T @ psi) / STEPS
        indptr, targets = (np.asarray(values[f"{connection.name}.{field}"]) for field in ("indptr", "targets"))
        at = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr)), targets
        assert 0 < len(targets) <= gradient.size
        np.testing.assert_allclose(values[f"rule{number}.gradient"], gradient[at], rtol=0, atol=1e-10)
        change = np.asarray(values[f"{connection.name}.w"]) - np.asarray(values[f"{connection.name}.weights"])
        np.testing.assert_allclose(change, -1e-3 * gradient[at], rtol=0, atol=1e-12)


def _matrix(run, name):
    values = run.network().values
    indptr, targets, weights = (np.asarray(values[f"{name}.{field}"]) for field in ("indptr", "targets", "weights"))
    dense = np.zeros((INPUTS, CELLS))
    for source in range(INPUTS):
        part = np.arange(indptr[source], indptr[source + 1])
        dense[source, targets[part]] = weights[part]
    return dense


def test_trials_are_gradient_descent():
    """Spikes are the same in every trial, so that the loss is one quadratic form and its descent can be recomputed."""
    sequence, target = session(("a", "b"), trials=20)
    learn = nd.EpropReadout(outputs=("a", "b"), rate=2e-3)
    run = nd.simulate(network(), sequence, learn=learn, record=["output.loss", "output_trace.r"])
    x = np.asarray(run["output_trace.r"]).reshape(20, STEPS, CELLS)
    assert (x == x[0]).all()
    w, losses = np.zeros((2, CELLS)), []
    for _ in range(20):
        error = x[0] @ w.T - target
        losses.append(0.5 * (error**2).sum())
        w -= 2e-3 * error.T @ x[0]
    np.testing.assert_allclose(np.asarray(run["output.loss"]).reshape(20, STEPS)[:, -1], losses, rtol=1e-10)
    np.testing.assert_allclose(run.network().values["output.w"], w, rtol=1e-9, atol=1e-13)
    assert (np.diff(losses) < 0).all()


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [("a",), ("a", "b")])
def test_all_runners_compute_the_same_bits(outputs):
    learn = nd.EpropReadout(outputs=outputs)
    assert learn.attach(network()).program.exactness == "exact"
    runs = [
        nd.simulate(network(), session(outputs, trials=2)[0], learn=learn, record=["output.y"], backend=backend)
        for backend in ("interpreter", "numba", "torch", "brian2")
    ]
    for run in runs[1:]:
        np.testing.assert_array_equal(run["output.y"], runs[0]["output.y"])
        np.testing.assert_array_equal(run.network().values["output.w"], runs[0].network().values["output.w"])


def test_regularization_alone_brings_rates_to_their_target():
    """Learning signals switched off (B = 0): the rates of cells that fire move towards 10 Hz, by the inputs alone."""
    net = network(recurrent=False)
    net = net.with_part(replace(net["w_in"], rules=(nd.eprop(rate=1e-3),)))
    sequence, _ = session(("a",), trials=60)
    run = nd.simulate(net, sequence, learn=nd.EpropReadout(outputs=("a",), feedback=0.0), record=["cells.firing"])
    firing = np.asarray(run["cells.firing"]).reshape(60, STEPS, CELLS)[:, -1] * 1e3
    fires = firing[0] > 0
    assert firing[0][fires].mean() > 30
    before, after = (np.abs(rates[fires] - 10).mean() for rates in (firing[0], firing[-1]))
    assert after < 0.3 * before, (before, after)


def test_surrogate_peaks_at_threshold():
    run = nd.simulate(network(), session(("a",))[0], record=["cells.psi", "cells.v"], backend="interpreter")
    psi, v = np.asarray(run["cells.psi"]), np.asarray(run["cells.v"])
    np.testing.assert_allclose(psi, 10 * np.clip(1 - np.abs(v - 0.03) / 0.03, 0, None), rtol=0, atol=1e-12)
    assert psi.max() > 8 and (psi == 0).any()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"rate": 0.0}, "rate = 0.0"), ({"feedback": -1.0}, "feedback = -1.0"), ({"tau": "0 ms"}, "tau")],
)
def test_wrong_numbers_of_the_readout_are_named(given, words):
    with pytest.raises(ValueError, match=words):
        nd.EpropReadout(**given)


@pytest.mark.parametrize(
    ("given", "words"), [({"threshold": 0.0}, "threshold = 0.0"), ({"dampening": -1}, "dampening")]
)
def test_wrong_numbers_of_the_cells_are_named(given, words):
    with pytest.raises(CircuitError, match=words):
        nd.surrogate_lif("cells", 3, **given)


@pytest.mark.parametrize("given", [{"rate": 0.0}, {"regularization": -1.0}, {"tau": "0 s"}, {"target_rate": "-1 Hz"}])
def test_wrong_numbers_of_the_rule_are_named(given):
    with pytest.raises(ValueError, match=f"eprop: {next(iter(given))}"):
        nd.eprop(**given)


def test_cells_without_spikes_are_refused():
    with pytest.raises(CircuitError, match="'cells' emits no spikes"):
        nd.simulate(nd.RateReservoir(5), "1 ms", learn=nd.EpropReadout())
