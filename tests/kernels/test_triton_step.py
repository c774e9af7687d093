"""The fused step against the plain tensor runner: every circuit of the suite, batches, recording, launches, refusals.

On a machine without a GPU the kernels run in Triton's interpreter, which takes milliseconds a step: few steps each.
"""

import sys
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.backends import fused
from neurodyn.backends.engine import Begin, SampleSpec
from neurodyn.backends.fused import FusedStep, warps_for
from neurodyn.backends.torch import TorchBatch
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.circuits import CIRCUITS
from neurodyn.conformance.harness import case
from neurodyn.network import realize
from neurodyn.program import operations

# the interpreter of older versions turns arrays of one element into numbers, which NumPy warns of
OLD = pytest.mark.filterwarnings("ignore:Conversion of an array with ndim:DeprecationWarning")
pytestmark = [pytest.mark.usefixtures("triton"), OLD]


class Twins:
    """The same networks on plain tensors on the CPU and on the kernel; whatever is done to one is done to the other."""

    def __init__(self, networks, device, *, every=1, dtype="float64", some=False, warps=None):
        self.program, self.networks, self.spikes, self.device = networks[0].program, networks, 0, device
        arrays = [a for a in self.program.arrays if a.role in ("state", "memory", "input") and len(a.axes) < 2]
        samples = [[SampleSpec(a.name, self.units(n, a, some), every) for a in arrays] for n in networks]
        options = {"samples": samples, "spikes": self.program.spiking, "dtype": dtype}
        self.plain, self.kernel = TorchBatch(networks, **options), TorchBatch(networks, **options, device=device)
        if device == "cpu" or warps is not None:
            layout, recorded = self.kernel.layout, self.program.spiking
            self.kernel.fused = FusedStep(layout, self.kernel.samples, recorded, warps=warps)
        assert self.kernel.fused is not None
        self.fused = self.kernel.fused
        sums = sums_over_units(self.program)
        # a GPU's logarithm, which draws need, differs in the last bit; sums over units add up in another order
        exact = self.program.exactness == "exact" and not sums and (device == "cpu" or not draws(self.program))
        self.tolerance = 0.0 if exact else 1e-11 if dtype == "float64" else 1e-4

    @staticmethod
    def units(network, array, some):
        size = int(np.prod([network.sizes[a] for a in array.axes], dtype=int))
        return np.array([size - 1, 0])[:size] if some else np.arange(size)

    def begin(self, trials):
        for batch in (self.plain, self.kernel):
            batch.begin(trials)

    def end(self, lanes):
        for batch in (self.plain, self.kernel):
            batch.end(lanes)

    def advance(self, steps, inputs):
        for expected, found in zip(self.plain.advance(steps, inputs), self.kernel.advance(steps, inputs), strict=True):
            assert found.spikes.keys() == expected.spikes.keys() and found.samples.keys() == expected.samples.keys()
            for population, (when, who) in expected.spikes.items():
                assert found.spikes[population][1].dtype == who.dtype
                np.testing.assert_array_equal(np.stack(found.spikes[population]), np.stack([when, who]))
                self.spikes += who.size
            for array, values in expected.samples.items():
                assert found.samples[array].dtype == values.dtype
                self.close(found.samples[array], values, array)
        self.same_states()

    def same_states(self):
        assert self.plain.step == self.kernel.step
        for a, b in zip(self.plain.engines, self.kernel.engines, strict=True):
            expected, found = a.to_arrays(), b.to_arrays()
            assert found.keys() == expected.keys()
            for name in expected:
                self.close(found[name], expected[name], name)

    def close(self, found, expected, name):
        if self.tolerance == 0.0 or np.asarray(expected).dtype.kind != "f":
            np.testing.assert_array_equal(found, expected, err_msg=name)
        else:
            scale = np.abs(expected).max(initial=0.0, where=np.isfinite(expected))
            np.testing.assert_allclose(found, expected, rtol=self.tolerance, atol=self.tolerance * scale, err_msg=name)


def draws(program):
    return any(op.op in ("normal", "uniform") for block in program.blocks for op in operations(block.body))


def sums_over_units(program):
    axes = {a.name: a.axes for a in program.arrays}
    for block in program.blocks:
        own = dict(axes)
        for op in operations(block.body):
            own[op.name] = op.axes
            if op.op == "sum" and not own[str(op.args[0])][-1].startswith("#"):
                return True
    return False


def inputs_of(twins, steps, *, seed=0):
    """Inputs of every network that come and go."""
    rng, program = np.random.default_rng(seed), twins.program
    shapes = {name: twins.plain.layout.arrays[f"{name}.value"].shape[1:] for name in program.inputs}
    on = {k: rng.integers(0, 2, (steps, 1)) for k in range(len(twins.networks))}
    return {
        k: {name: on[k] * rng.normal(size=(steps, int(np.prod(shape)))) for name, shape in shapes.items()} for k in on
    }


def begun(twins, given, **flags):
    flags = {"learning": True, "calibration": False, "reset": True, **flags}
    return {k: Begin(inputs={n: v[0] for n, v in rows.items()}, **flags) for k, rows in given.items()}


def rows(given, start, stop):
    return {k: {n: v[start:stop] for n, v in mine.items()} for k, mine in given.items()}


# -- the circuits of the suite -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CIRCUITS)
def test_circuits_of_the_suite(name, device):
    """The steps of two trials in which most is going on, each in two chunks."""
    of = case(name)
    twins = Twins([of.network], device)
    for trial in of.trials[-2:]:
        steps = min(trial.steps, 9)
        busy = sum((np.count_nonzero(v, axis=1) for v in trial.inputs.values()), start=np.zeros(trial.steps))
        start = min(int(np.argmax(busy)), trial.steps - steps)
        given = {0: {k: v[start : start + steps] for k, v in trial.inputs.items()}}
        twins.begin({0: Begin(**trial.begin, inputs={k: v[0] for k, v in given[0].items()})})
        for low, high in ((0, min(4, steps)), (min(4, steps), steps)):
            if high > low:
                twins.advance(high - low, rows(given, low, high))
        twins.end([0])


# -- batches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BATCHES)
def test_networks_that_share_only_their_structure(name, device):
    """Sizes, wiring, delays, seeds, inputs and flags of their own; one begins again while the others go on."""
    networks = [realize(c) for c in BATCHES[name]()[0]]
    twins = Twins(networks, device)
    given = inputs_of(twins, 9)
    trials = begun(twins, given)
    twins.begin({k: t if k != 1 else Begin(False, False, True, t.inputs) for k, t in trials.items()})
    twins.advance(4, rows(given, 0, 4))
    twins.end([0])
    twins.begin({0: begun(twins, rows(given, 4, 9))[0]})
    twins.advance(5, rows(given, 4, 9))
    twins.end(range(len(networks)))
    twins.same_states()


@pytest.mark.parametrize("name", ["spiking", "learning"])
def test_float32(name, device):
    """Draws are made in float64 and rounded; a spike more or less would show."""
    twins = Twins([realize(c) for c in BATCHES[name]()[0][:2]], device, dtype="float32")
    given = inputs_of(twins, 8)
    twins.begin(begun(twins, given))
    twins.advance(8, given)
    assert twins.spikes


def chatty(size, *, seed=1, pairs=None, **options):
    """Cells of which some fire in every step, each with synapses of several delays."""
    cells = nd.Population(
        "cells", size, code="v = 0.5*v + s + rand()\ns = 0.9*s", threshold="v > 1", reset="v = 0.1*v",
        variables={"v": "1", "s": "1"}, initial={"v": "rand()"},
    )  # fmt: skip
    how = {"pairs": pairs} if pairs is not None else {"probability": 0.4}
    wires = nd.Connection(cells, cells, "s", weight=nd.Uniform(-0.3, 0.4), **how, **options)
    return nd.Circuit([cells], [wires], dt="1 ms", seed=seed)


def test_rows_longer_than_a_tile_and_several_words_of_bits(device):
    """Populations of several tiles, of which the last is cut."""
    twins = Twins([realize(chatty(n, seed=n, delay=nd.Uniform("1 ms", "3 ms"))) for n in (97, 33, 70)], device, warps=1)
    twins.begin(begun(twins, {k: {} for k in range(3)}))
    twins.advance(6, {})
    assert twins.spikes > 200


@pytest.mark.parametrize("delay", ["0 ms", "2 ms", [1, 3, 3, 1, 2, 2]])
def test_several_synapses_between_two_cells(delay, device):
    """They may share a cell of the ring, where a plain store would lose one."""
    pairs = ([0, 0, 0, 1, 2, 2], [1, 1, 1, 2, 0, 0])
    delay = delay if isinstance(delay, str) else nd.quantity([f"{d} ms" for d in delay])
    twins = Twins([realize(chatty(3, pairs=pairs, delay=delay))], device)
    assert not fused.distinct(twins.kernel.layout.synapses["cells_to_cells_s"])
    twins.tolerance = 1e-12  # in any order
    twins.begin(begun(twins, {0: {}}))
    twins.advance(12, {})
    assert twins.spikes > 6


def many_channels(size, *, seed):
    """An input of more channels than are unrolled, through all and through few synapses; sums from earlier populations."""
    unit: dict[str, Any] = {"variables": {"x": "1", "y": "1", "z": "1"}, "initial": {"x": "rand()"}}
    a = nd.Population("a", size, code="x = 0.5*x + 0.1*y", **unit)
    b = nd.Population("b", size + 3, code="x = 0.2*x + y - 0.3*z", **unit)
    push = nd.Input("push", tuple(f"c{k}" for k in range(19)))
    connections = [
        nd.Connection(push, a, "y", pattern="all", weight=nd.Normal(0, 1), name="dense"),
        nd.Connection(push, b, "y", probability=0.3, weight=nd.Normal(0, 1), name="sparse"),
        nd.Connection("a.x", b, "z", probability=0.5, weight=nd.Normal(0, 1), name="step_later"),
        nd.Connection("a.x", b, "z", pattern="all", weight=nd.Normal(0, 1), delay="0 ms", name="at_once"),
    ]
    return nd.Circuit([a, b], connections, inputs=[push], dt="1 ms", seed=seed)


def test_sums_over_many_sources(device):
    twins = Twins([realize(many_channels(n, seed=n)) for n in (6, 11)], device)
    given = inputs_of(twins, 7)
    twins.begin(begun(twins, given))
    twins.advance(3, rows(given, 0, 3))
    twins.advance(4, rows(given, 3, 7))


# -- recording and launches --------------------------------------------------------------------------------------


def test_samples_of_some_units_every_few_steps(device):
    twins = Twins([realize(chatty(n, seed=n)) for n in (9, 5)], device, every=3, some=True)
    twins.begin(begun(twins, {0: {}, 1: {}}))
    for steps in (1, 1, 5, 0, 2, 4):
        twins.advance(steps, {})


def test_bits_of_who_fired_bound_a_launch(device, monkeypatch):
    """What one launch could not hold is made by several, and seen as one."""
    networks = [realize(nd.WhatWhenRule().attach(nd.SpikingReservoir(12, seed=s))) for s in (1, 2)]
    twins, launches = Twins(networks, device, every=2), []
    monkeypatch.setattr(fused, "_BITS", 3 * 2 * 4)
    arguments = twins.fused.arguments
    monkeypatch.setattr(twins.fused, "arguments", lambda *a: launches.append(a[1:3]) or arguments(*a))
    given = inputs_of(twins, 8)
    twins.begin(begun(twins, given))
    twins.advance(8, given)
    assert launches == [(0, 3), (3, 3), (6, 2)]


def test_populations_that_are_not_recorded(device):
    network = realize(chatty(5))
    batch = TorchBatch([network], spikes=(), device=device)
    batch.fused = FusedStep(batch.layout, batch.samples, ())
    batch.begin({0: Begin(True, False, True, {})})
    assert batch.advance(4, {})[0].spikes == {}


# -- what it refuses ---------------------------------------------------------------------------------------------


def test_a_large_population_is_left_to_tensors(monkeypatch):
    monkeypatch.setattr(fused, "LARGEST", 8)
    batch = TorchBatch([realize(chatty(9))])
    with pytest.raises(NotImplementedError, match="a population has 9 units.*up to 8 pay off"):
        FusedStep(batch.layout, batch.samples, ())
    with pytest.warns(RuntimeWarning, match="tensor by tensor, which is slower: a population has 9"):
        assert batch._fused() is None


def test_without_triton_or_with_an_old_one(triton, monkeypatch):
    batch = TorchBatch([realize(chatty(3))])
    monkeypatch.setattr(triton, "__version__", "3.2.1")
    with pytest.raises(NotImplementedError, match="triton 3.2.1 is too old, 3.4 is needed"):
        FusedStep(batch.layout, batch.samples, ())
    monkeypatch.setitem(sys.modules, "triton", None)
    with pytest.raises(NotImplementedError, match="triton is not installed"):
        FusedStep(batch.layout, batch.samples, ())


def test_warps_grow_with_the_population():
    widths = [0, 1, 64, 65, 128, 129, 256, 257, 1000, 4095, 4096, 16384]
    assert [warps_for(w) for w in widths] == [1, 1, 1, 2, 2, 4, 4, 8, 8, 8, 16, 16]


def test_the_far_tail_of_normals(triton, device):
    """Beyond |x| = 5.3, where one draw in 36 thousand million lies."""
    import triton.language as tl

    from neurodyn.kernels import triton_functions
    from neurodyn.kernels.philox import normal_from_uniform

    def turned(u, out, to_normal: tl.constexpr):
        at = tl.arange(0, 4)
        tl.store(out + at, to_normal(tl.load(u + at)))

    u = np.array([1e-13, 0.3, 0.01, 1 - 1e-14])
    out, expected = torch.zeros(4, dtype=torch.float64, device=device), u.copy()
    triton.jit(turned)[(1,)](torch.from_numpy(u).to(device), out, triton_functions.normal_of)
    normal_from_uniform(expected)
    np.testing.assert_allclose(out.cpu(), expected, rtol=1e-14)
