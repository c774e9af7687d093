"""e-prop in recurrent synapses against automatic differentiation of the same network, step by step in torch."""

import numpy as np
import pytest

import neurodyn as nd

torch = pytest.importorskip("torch")

CELLS, STEPS, OUTPUTS = 15, 120, ("a", "b")
KAPPA = float(np.exp(-1 / 30))
NO_AUTAPSES = 1 - np.eye(CELLS)


class Spike(torch.autograd.Function):
    """Recorded spikes with psi as their derivative."""

    @staticmethod
    def forward(ctx, v, z):
        ctx.save_for_backward(v)
        return z.clone()

    @staticmethod
    def backward(ctx, *grads):
        (v,) = ctx.saved_tensors
        return grads[0] * 0.3 * torch.clamp(1 - (v - 0.03).abs() / 0.03, min=0) / 0.03, None


def trained(strength, *, backend="interpreter", symmetric=True, seed=2, rule=None):
    """One trial of cells with all-to-all recurrence that a noisy current drives; the run, and what torch has to know."""
    cells = nd.surrogate_lif("cells", CELLS)
    current = nd.Input("current", tuple(f"c{k}" for k in range(CELLS)))
    rules = (rule or nd.eprop(regularization=0.0),)
    links = [
        nd.Connection(current, cells, "I_in", pattern="one-to-one", weight=1.0),
        nd.Connection(
            cells, cells, "I_rec", weight=nd.Normal(0, strength), delay="0 ms", pattern="all", name="w_rec", rules=rules
        ),
    ]
    rng = np.random.default_rng(seed)
    drive, target = rng.normal(0.05, 0.06, (STEPS, CELLS)), 0.3 * rng.normal(size=(STEPS, 2))
    w_out, other = rng.normal(size=(2, 2, CELLS))
    signals = w_out if symmetric else other
    net = nd.Circuit([cells], links, inputs=[current], dt="1 ms", seed=seed)
    net = nd.EpropReadout(outputs=OUTPUTS).attach(net)
    net = net.with_values({"output.w": w_out, "output_error.weights": signals.ravel()})
    inputs = {"current": drive, "target": target}
    channels = {"current": current.channels, "target": OUTPUTS}
    session = nd.Session((nd.Trial(STEPS, inputs),), dt=1e-3, channels=channels)
    run = nd.simulate(net, session, record=["cells.v", "cells.spiked"], backend=backend)
    return run, drive, target, w_out, signals


def matrix(run, field):
    values = run.network().values
    indptr, targets = (np.asarray(values[f"w_rec.{part}"]) for part in ("indptr", "targets"))
    full = np.zeros((CELLS, CELLS))
    full[np.repeat(np.arange(CELLS), np.diff(indptr)), targets] = values[field]
    return full


def autograd(run, drive, target, w_out, signals, *, others):
    """Gradient by the recurrent weights; without ``others``, spikes act on the output only, as e-prop has it."""
    z_given, v_given = torch.tensor(np.asarray(run["cells.spiked"], dtype=float)), np.asarray(run["cells.v"])
    w = torch.tensor(matrix(run, "w_rec.weights"), requires_grad=True)
    out, back = torch.tensor(w_out), torch.tensor(signals)
    v = z = x = torch.zeros(CELLS, dtype=torch.float64)
    loss = torch.zeros((), dtype=torch.float64)
    for step in range(STEPS):
        current = (z if others else z.detach()) @ w + torch.tensor(drive[step])
        v = KAPPA * v + (1 - KAPPA) * current - 0.03 * z.detach()
        np.testing.assert_allclose(v.detach().numpy(), v_given[step], rtol=0, atol=1e-12)
        z = Spike.apply(v, z_given[step])
        x = KAPPA * x + (1 - KAPPA) * z  # type: ignore[operator]
        if step < STEPS - 1:  # the learning signal of the last step comes too late
            loss = loss + ((out @ x - torch.tensor(target[step])).detach() * (back @ x)).sum()
    loss.backward()
    assert w.grad is not None
    return w.grad.numpy() * NO_AUTAPSES


def cosine(a, b):
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


def test_without_recurrence_it_is_backpropagation_through_time():
    run, *given = trained(0.0)
    spikes, gradient = np.asarray(run["cells.spiked"]), matrix(run, "eprop.gradient")
    assert 0.02 < spikes.mean() < 0.3 and np.abs(gradient).max() > 0.01
    np.testing.assert_allclose(gradient, autograd(run, *given, others=True), rtol=0, atol=1e-10)


@pytest.mark.parametrize("strength", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("symmetric", [True, False])
def test_with_recurrence_what_is_left_out_are_the_paths_through_other_cells(strength, symmetric):
    """Any strength and any learning signals; the full gradient is another one."""
    run, *given = trained(strength, symmetric=symmetric)
    gradient = matrix(run, "eprop.gradient")
    size = np.abs(gradient).max()
    assert size > 0.01
    np.testing.assert_allclose(gradient / size, autograd(run, *given, others=False) / size, rtol=0, atol=1e-10)
    assert cosine(gradient, autograd(run, *given, others=True)) < 0.99


def test_weak_recurrence_takes_the_full_gradient_away_from_it_step_by_step():
    cosines = []
    for strength in (0.0, 0.03, 0.1, 0.2):
        found = [trained(strength, seed=seed) for seed in (2, 3)]
        cosines.append([cosine(matrix(r, "eprop.gradient"), autograd(r, *given, others=True)) for r, *given in found])
    means = np.mean(cosines, axis=1)
    assert means[0] == pytest.approx(1, abs=1e-10) and means[1] > 0.9 > means[-1], cosines
    assert (np.diff(means) < 0).all(), cosines


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numba", "torch", "brian2"])
def test_runners_sum_the_same_gradient(backend):
    run, *given = trained(0.5, backend=backend)
    gradient = matrix(run, "eprop.gradient")
    size = np.abs(gradient).max()
    np.testing.assert_allclose(gradient / size, autograd(run, *given, others=False) / size, rtol=0, atol=1e-10)


def test_the_rate_term_is_added_to_the_same_gradient():
    """c (f - f*) mean(psi trace)/dt, from recorded spikes and states."""
    run, *_ = trained(0.5, rule=nd.eprop(regularization=50.0, target_rate="30 Hz"))
    plain, *_ = trained(0.5)
    spikes, v = np.asarray(run["cells.spiked"]), np.asarray(run["cells.v"])
    np.testing.assert_array_equal(spikes, plain["cells.spiked"])
    trace, total = np.zeros(CELLS), np.zeros((CELLS, CELLS))
    for step in range(STEPS):
        trace = KAPPA * trace + (1 - KAPPA) * (spikes[step - 1] if step else 0.0)
        psi = 10 * np.maximum(0, 1 - np.abs(v[step] - 0.03) / 0.03)
        total += np.outer(trace, psi)
    term = 50 * (spikes[:-1].sum(axis=0) / STEPS - 0.03) * total / STEPS * NO_AUTAPSES
    difference = matrix(run, "eprop.gradient") - matrix(plain, "eprop.gradient")
    assert np.abs(term).max() > 0.01
    np.testing.assert_allclose(difference, term, rtol=0, atol=1e-10)
