"""Which numbers of synapses lie side by side, and that a batch holds them so."""

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.backends.layout import Layout
from neurodyn.backends.memory import layout_bytes
from neurodyn.backends.torch import TorchBatch
from neurodyn.kernels.packing import gathered_whole, packs
from neurodyn.network import new_arrays, realize


def circuit(cells=12, *, delay: str | nd.Uniform = "1 ms", seed=1):
    """Cells that fire now and then, synapses under dopamine-modulated STDP."""
    population = nd.izhikevich_2003("cells", cells, current="I_syn + 20*rand()")
    wires = nd.Connection(
        population, population, "I_syn", probability=0.5, weight=nd.Uniform(0, 4), delay=delay,
        rules=nd.dopamine_stdp(reward="0.01"), bounds=(0, 4), name="wires",
    )  # fmt: skip
    return nd.Circuit([population], [wires], dt="1 ms", seed=seed)


def test_what_events_touch_is_packed():
    assert packs(circuit().program) == {
        "wires": ("wires.w", "dopamine_stdp.x", "dopamine_stdp.c", "dopamine_stdp.drift@then")
    }


def test_synapses_of_every_step_are_not():
    assert packs(circuit().per_step().program) == {}


def test_only_whole_gathers_need_long_indices():
    assert gathered_whole(circuit().program) == gathered_whole(circuit().per_step().program) == frozenset()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_layout_holds_the_numbers_of_its_networks(dtype):
    networks = [realize(circuit(n, seed=n)) for n in (12, 7)]
    layout = Layout(networks, dtype, torch.device("cpu"))
    for lane, network in enumerate(networks):
        for name, values in new_arrays(network).items():
            found = layout.arrays[name][layout.part(lane, network.program.array(name).axes)].numpy()
            np.testing.assert_array_equal(found, values.astype(found.dtype), err_msg=name)
    assert layout.arrays["wires@post"].dtype == torch.int16
    pack = layout.packs["wires"]
    assert pack.shape == (2, networks[0].sizes["wires"], 4) and pack.is_contiguous()
    layout.arrays["wires.w"].fill_(2.5)
    assert bool((pack[..., 0] == 2.5).all())


@pytest.mark.parametrize("delay", ["0 ms", "2 ms", nd.Uniform("1 ms", "4 ms")])
def test_events_of_a_batch_are_those_of_its_networks(delay):
    """Each network keeps the synapses that a spike reaches, after each delay, and those onto a target."""
    networks = [realize(circuit(n, delay=delay, seed=n)) for n in (9, 5)]
    of = Layout(networks, "float64", torch.device("cpu")).plastic["wires"]
    width, sources = max(n.sizes["wires"] for n in networks), 9
    for lane, network in enumerate(networks):
        wiring = network.wiring["wires"]
        for unit in range(network.sizes["cells"]):
            onto = of.onto[of.onto_first[lane * sources + unit] : of.onto_first[lane * sources + unit + 1]]
            assert (onto - lane * width).tolist() == np.flatnonzero(wiring.targets == unit).tolist()
            for lag, first in zip(of.lags, of.first, strict=True):
                reached = of.arriving[first[lane * sources + unit] : first[lane * sources + unit + 1]]
                expected = np.flatnonzero((wiring.sources == unit) & (wiring.delays == lag))
                assert (reached - lane * width).tolist() == expected.tolist()


@pytest.mark.parametrize("delay", ["2 ms", nd.Uniform("1 ms", "4 ms")])
def test_the_estimate_counts_every_tensor_of_plastic_networks(delay):
    networks = [realize(circuit(40, delay=delay, seed=n)) for n in (1, 2)]
    batch = TorchBatch(networks)
    (of,), changing = batch.layout.plastic.values(), batch.snapshot()
    lists = [of.first, of.onto_first, of.onto, of.emitted, of.ring]
    found = [*batch.layout.arrays.values(), *lists, *changing["arrays"].values(), *changing["buffers"].values()]
    if isinstance(delay, nd.Uniform):
        found.append(of.arriving)
    assert layout_bytes(networks, "float64") == pytest.approx(sum(t.nbytes for t in found), rel=0.02)
