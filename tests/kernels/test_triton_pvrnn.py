"""The kernel of the PV-RNN for a GPU against the steps in torch and autograd; without a GPU in Triton's interpreter."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import neurodyn as nd
from neurodyn.kernels.pvrnn_launch import LARGEST, launch, launched_free_energy

pytestmark = pytest.mark.usefixtures("triton")
LAYERS = [nd.Layer(d=5, z=2, tau=1.0), nd.Layer(d=4, z=1, tau=3.0), nd.Layer(d=3, z=1, tau=8.0, meta_prior_factor=2.0)]
NAN = float("nan")
CURVES = {
    1: [[[0.1], [NAN], [-0.7], [0.4]], [[0.8], [0.2], [-0.1]], [[0.0], [0.5], [NAN], [0.3]]],
    3: [[[0.1, -0.2, 0.3]] * 4, [[0.5, NAN, -0.8]] * 3, [[0.0, 0.1, 0.2], [NAN] * 3, [0.3, 0.2, 0.1], [0.7, 0.6, NAN]]],
}
HEADS = {
    "groups": (nd.SoftmaxCoding(dims=3, bins=5), CURVES[3]),
    "symbols": (nd.SymbolCoding(symbols=3), [[0, 1, 2, 1], [2, NAN, 0], [1, 1, 0, 2]]),
    "tanh": (nd.AnalogCoding(dims=3), CURVES[3]),
    "linear": (nd.AnalogCoding(dims=1, activation="linear"), CURVES[1]),
}
SWITCHES = {
    "top_down": ("previous", "current"),
    "bottom_up": (True, False),
    "posterior": ("full", "reduced"),
    "prior": ("learned", "unit"),
    "first_step_prior": ("unit", "learned"),
}


def case(head, device, *, layers=LAYERS, sequences=None, dtype=torch.float64, seed=1, **options):
    """Two networks with weights far from their start, sequences, adaptive vectors of which some are cut off, and noise."""
    output, given = HEADS[head]
    given = given if sequences is None else (given * sequences)[:sequences]
    net = nd.PVRNN(layers, output=output, meta_prior=[0.1, 0.3], dtype=dtype, device=device, **options)
    encoded = output.encode(given, dtype=dtype, device=device)
    made = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=made, dtype=torch.float64).to(device, dtype)

    with torch.no_grad():
        for value in net.parameters():
            value += 0.3 * normal(*value.shape)
        adaptive = net.adaptive(*encoded.targets.shape[:2])
        for value in adaptive.values():
            value += normal(*value.shape)
        adaptive["log_sigma"][0, 0, 1, 0], adaptive["log_sigma"][1, -1, 2, -1] = -20.0, 9.0
    return net, encoded, adaptive, normal(*adaptive["mean"].shape)


def results(net, encoded, adaptive, noise, free_energy):
    """All that a free energy tells, and its gradients, of models that count differently."""
    found = free_energy(encoded, adaptive, noise)
    scale = torch.tensor([1.0, 2.0]).to(found.loss)
    wanted = [*net.parameters(), *adaptive.values()]
    grads = torch.autograd.grad((found.loss * scale).sum(), wanted)
    parts = (found.loss, found.reconstruction, found.divergence, found.first_divergence)
    return [value.detach() for value in parts] + list(grads)


def same(net, encoded, adaptive, noise):
    by_steps = results(net, encoded, adaptive, noise, net.free_energy_by_steps)
    launched = results(net, encoded, adaptive, noise, lambda *given: launched_free_energy(net, *given))
    tolerance = {torch.float64: 1e-11, torch.float32: 1e-4}[net.dtype]
    for found, expected in zip(launched, by_steps, strict=True):
        assert found.dtype == expected.dtype
        scale = 1.0 + float(expected.abs().max())
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize(
    ("head", "options"),
    [
        ("groups", {}),
        ("symbols", {"top_down": "current", "bottom_up": False, "posterior": "reduced", "first_step_prior": "learned"}),
        ("tanh", {"top_down": "current", "prior": "unit"}),
        ("linear", {"posterior": "reduced", "first_step_meta_prior": None, "output_normalisation": "units"}),
    ],
)
def test_steps_in_torch(head, options, device):
    same(*case(head, device, **options))


@pytest.mark.slow
def test_one_layer(device):
    same(*case("symbols", device, layers=LAYERS[:1], top_down="current"))


@pytest.mark.slow
def test_float32(device):
    same(*case("groups", device, dtype=torch.float32, top_down="current"))


def test_several_tiles_of_sequences(device):
    """17 sequences: two programs for a model, of which the second has one sequence."""
    same(*case("linear", device, layers=LAYERS[:2], sequences=17, latent_normalisation="total"))


@pytest.mark.slow
def test_units_that_fill_their_tile(device):
    """No padding in units, latents and outputs, of which each is beyond the smallest tile."""
    net, *given = case("tanh", device, layers=[nd.Layer(d=20, z=16, tau=2.0), nd.Layer(d=12, z=16, tau=4.0)])
    assert (net.units, net.latents) == (32, 32)
    same(net, *given)


def test_a_model_alone_has_the_bits_that_it_has_in_a_sweep(device):
    net, encoded, adaptive, noise = case("groups", device)
    alone = net.select(1)

    def sums_and_gradients(net, *tensors):
        row = torch.cat([value.detach().flatten(1) for value in net.parameters()], 1)
        sums, grads = launch(net, encoded, row, *tensors)
        return [sums, *grads]

    tensors = [value.detach() for value in adaptive.values()] + [noise]
    both = sums_and_gradients(net, *tensors)
    for found, expected in zip(sums_and_gradients(alone, *(v[1:] for v in tensors)), both, strict=True):
        assert torch.equal(found, expected[1:])


@pytest.mark.parametrize("where", ["bias", "log sigma"])
def test_what_is_not_a_number_stays_so_and_in_its_model(where, device):
    net, encoded, adaptive, noise = case("symbols", device)
    with torch.no_grad():
        if where == "bias":
            net.stack[1].bias[0, 1] = NAN
        else:
            adaptive["log_sigma"][0, 1, 1, 0] = NAN  # a comparison with what cuts it off would lose it
    loss = launched_free_energy(net, encoded, adaptive, noise).loss
    assert torch.isnan(loss[0]) and torch.isfinite(loss[1])


def test_tensors_of_another_shape_or_precision(device):
    net, encoded, adaptive, noise = case("symbols", device)
    with pytest.raises(ValueError, match=r"noise is torch.float64 of shape \(2, 3, 3, 4\); needed .* \(2, 3, 4, 4\)"):
        launched_free_energy(net, encoded, adaptive, noise[:, :, 1:])
    with pytest.raises(ValueError, match=r"adaptive\['mean'\] is torch.float32 .*; needed is torch.float64"):
        launched_free_energy(net, encoded, {**adaptive, "mean": adaptive["mean"].float()}, noise)


class OwnStep(nd.PVRNN):
    def step(self, *given, **options):
        return super().step(*given, **options)


@pytest.mark.parametrize(
    ("kind", "units", "output", "way"),
    [
        (nd.PVRNN, LARGEST, nd.AnalogCoding(), "launched"),
        (nd.PVRNN, LARGEST + 1, nd.AnalogCoding(), "by steps"),
        (nd.PVRNN, 4, nd.SoftmaxCoding(dims=5, bins=16), "by steps"),
        (OwnStep, 4, nd.AnalogCoding(), "by steps"),
    ],
)
def test_who_takes_the_kernel(kind, units, output, way, monkeypatch):
    net = kind([nd.Layer(d=units, z=1, tau=2.0)], output=output)
    monkeypatch.setattr(nd.PVRNN, "device", torch.device("cuda"))
    monkeypatch.setattr("neurodyn.models.pvrnn.launched_free_energy", lambda *_: "launched")
    monkeypatch.setattr(nd.PVRNN, "free_energy_by_steps", lambda *_: "by steps")
    assert net.free_energy(*[None] * 3) == way


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("posterior", ["full", "reduced"])
def test_a_fit_on_a_gpu_learns_what_it_learns_on_the_cpu(posterior):
    sequences, found = nd.tasks.FiniteState.cycle().sample(5, 12, seed=1)[1], []
    for device in ("cpu", "cuda"):
        net = nd.PVRNN(
            LAYERS[:2], output=nd.SymbolCoding(symbols=2), posterior=posterior, dtype=torch.float64, device=device
        )
        nd.fit(net, sequences, updates=20, test_every=20)
        found.append(torch.cat([value.detach().cpu().flatten() for value in net.parameters()]))
    torch.testing.assert_close(*found, rtol=1e-6, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("switches", list(itertools.product(*SWITCHES.values())), ids=str)
def test_every_combination_of_switches(switches, device):
    for number, head in enumerate(HEADS):
        same(*case(head, device, seed=number, **dict(zip(SWITCHES, switches, strict=True))))


@pytest.mark.slow
def test_it_compiles_for_a_gpu(tmp_path):
    """Compute capability 9.0, which needs none: little is spilled, and float32 is not cut to that of tensor cores."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_CACHE_DIR": str(tmp_path)}
    script = Path(__file__).with_name("compile_triton_pvrnn.py")
    run = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    for found in json.loads(run.stdout.splitlines()[-1]):
        large, double = found["net"] == "largest", found["dtype"] == "torch.float64"
        assert found["tf32"] == (large and not double)
        assert found["stack"] <= (2048 if large else 1024 if double else 256), found
        assert found["shared"] <= 100 * 1024
