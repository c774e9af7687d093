"""The emitted step loop against the interpreter: random programs, loops that cross, borders, buffers, threads.

Most tests run the emitted source as plain Python, which tests what was emitted without waiting for a compiler; a few
large programs are compiled.
"""

import types

import numpy as np
import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.backends.numba import NumbaEngine
from neurodyn.circuit import Circuit
from neurodyn.kernels import step
from neurodyn.language import ModelError
from neurodyn.network import realize
from neurodyn.parts import Population, Readout
from neurodyn.plasticity.rule import Rule


class PlainEngine(NumbaEngine):
    """The numba engine with its source run by Python."""

    name = "plain"

    def __init__(self, network, **options):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("neurodyn.backends.numba.compile_step", plain_step)
            super().__init__(network, **options)

    def advance(self, steps, inputs):
        with np.errstate(all="ignore"):
            return super().advance(steps, inputs)


def plain_step(program, samples, dtype):
    module = types.ModuleType("plain")
    text = step.source(program, samples, dtype)
    assert "@njit" in text
    exec("\n".join(line for line in text.splitlines() if not line.startswith("@njit")), vars(module))
    return module


def states(engine):
    return {k: v for k, v in engine.to_arrays().items() if k.partition("/")[0] in ("array", "ring", "history", "step")}


def assert_equal_states(a, b):
    a, b = states(a), states(b)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
        if a[name].dtype.kind == "f":
            real = ~np.isnan(a[name])
            np.testing.assert_array_equal(np.signbit(a[name])[real], np.signbit(b[name])[real], err_msg=f"sign of {name}")


def pair(circuit, make, *, dtype="float64", record=()):
    network = realize(circuit)
    samples = [SampleSpec(name, np.arange(max(1, network.sizes.get(name.partition(".")[0], 1)))) for name in record]
    options = {"dtype": dtype, "spikes": network.program.spiking, "samples": samples}
    return make(network, **options), InterpreterEngine(network, **options)


def run_both(circuit, steps, make=PlainEngine, *, dtype="float64", inputs=None, chunks=(1, 3), record=(), learning=True):
    """Run an engine and the interpreter side by side, the former in chunks; compare states and records."""
    tested, oracle = pair(circuit, make, dtype=dtype, record=record)
    rng = np.random.default_rng(0)
    given = inputs or {i.name: rng.normal(size=(steps, len(i.channels))) for i in circuit.inputs}
    for engine in (tested, oracle):
        engine.start_trial(learning=learning, calibration=False, reset=True)
    made, done = [], 0
    while done < steps:
        length = min(chunks[len(made) % len(chunks)], steps - done)
        made.append(tested.advance(length, {n: v[done : done + length] for n, v in given.items()}))
        done += length
    whole = oracle.advance(steps, given)
    for population, (k, ids) in whole.spikes.items():
        np.testing.assert_array_equal(np.concatenate([m.spikes[population][0] for m in made]), k)
        np.testing.assert_array_equal(np.concatenate([m.spikes[population][1] for m in made]), ids)
    for array, values in whole.samples.items():
        np.testing.assert_array_equal(np.concatenate([m.samples[array] for m in made]), values)
    for engine in (tested, oracle):
        engine.end_trial()
    assert_equal_states(tested, oracle)
    return tested, oracle, whole


# -- random programs ---------------------------------------------------------------------------------------------

AXES = {"n": (), "m": (), "x": ("u",), "z": ("u",), "y": ("o",), "g": ("o",), "w": ("o", "u"), "P": ("u", "v")}
STATE = {"n": "network", "m": "network", "x": "unit", "z": "unit", "y": "output", "g": "output", "w": "output*unit", "P": "unit*unit"}


class Writer:
    """Random statements over the arrays of a readout."""

    def __init__(self, seed, *, matrix=True):
        rng = np.random.default_rng(seed)
        self.pick, self.temporaries = lambda n: int(rng.integers(n)), {}
        self.axes = {k: a for k, a in AXES.items() if matrix or k != "P"}

    def choose(self, options):
        return options[self.pick(len(options))]

    def leaf(self, axes):
        names = {**self.axes, "r": ("u",), "scale": (), **self.temporaries}
        fitting = [k for k, a in names.items() if set(a) <= set(axes)]
        return self.choose([*fitting, "0.5", "-1.25", "3.0"])

    def expression(self, axes, depth):
        if depth == 0:
            return self.leaf(axes)
        kind = self.pick(9)
        a, b = self.expression(axes, depth - 1), self.expression(axes, depth - 1)
        if kind < 4:
            return f"({a} {'+-*/'[kind]} {b})"
        if kind == 4:
            return f"where({a} < {b}, {a}, {self.leaf(axes)})"
        if kind == 5:
            return f"{self.choose(['minimum', 'maximum'])}({a}, {b})"
        if kind == 6:
            return f"{self.choose(['abs', 'floor', 'sign', '-'])}({a})"
        longer = [k for k, a in self.axes.items() if a[-1:] in (("u",), ("v",)) and set(a[:-1]) <= set(axes)]
        if kind == 7 and longer:
            name = self.choose(longer)
            return f"{self.choose(['sum', 'mean'])}({name}{self.choose('+-*')}{self.expression(AXES[name], depth - 1)})"
        return f"({a} + {b})**2"

    def statement(self, depth, indent):
        kind, pad = self.pick(10), "    " * indent
        if kind == 0 and indent < 2:
            test = f"{self.expression((), 1)} > {self.expression((), 1)}"
            body, other = (self.block(2, indent + 1) for _ in range(2))
            return f"{pad}if {test}:\n{body}" + (f"{pad}else:\n{other}" if self.pick(2) else "")
        if kind == 1 and indent == 0:
            axes = self.choose([(), ("u",), ("o",), ("o", "u")])
            line = f"{pad}t{len(self.temporaries)} = {self.expression(axes, depth)}\n"
            self.temporaries[f"t{len(self.temporaries)}"] = axes
            return line
        name = self.choose(list(self.axes))
        return f"{pad}{name} {self.choose(['=', '=', '+=', '-='])} {self.expression(AXES[name], depth)}\n"

    def block(self, lines, indent=0):
        return "".join(self.statement(self.pick(3), indent) for _ in range(lines))


def readout_circuit(text, *, units=3, outputs=2, learn="", **options):
    cells = Population("cells", units, code="v = 0.5*v + randn()", variables={"v": "1"}, initial={"v": "randn()"})
    start = {k: ("unit*unit" if k == "P" else kind, 0.25) for k, kind in STATE.items()}
    rule = Rule("rule", per_step=learn) if learn else None
    readout = Readout("out", "cells.v", tuple(f"c{k}" for k in range(outputs)), state=start, parameters={"scale": 0.3}, per_step=text,
                      rule=rule)  # fmt: skip
    return Circuit([cells], readouts=[readout], dt="1 ms", **options)


SHAPES = [(3, 2), (1, 1), (0, 2), (2, 17), (4, 3)]  # (units, outputs); beyond 16, outputs are a loop


@given(st.integers(0, 2**32), st.integers(1, 7), st.sampled_from(SHAPES), st.sampled_from(["float64", "float64", "float32"]))
@settings(max_examples=150, deadline=None)
def test_random_programs_give_the_bits_of_the_interpreter(seed, lines, shape, dtype):
    # a matrix over units stays float64, and what mixes both widths rounds at other places
    text = Writer(seed, matrix=dtype == "float64").block(lines)
    note(text)
    circuit = readout_circuit(text, units=shape[0], outputs=shape[1])
    try:
        circuit.program  # noqa: B018
    except ModelError as error:  # literals that divide by zero; a name of one branch
        assume("finite number" not in str(error) and "inside an 'if'" not in str(error))
        raise
    run_both(circuit, 3, dtype=dtype)
