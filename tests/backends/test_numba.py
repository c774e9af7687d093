"""The emitted step loop against the interpreter: random programs, loops that cross, borders, buffers, threads.

Most tests run the emitted source as plain Python, which tests what was emitted without waiting for a compiler; a few
large programs are compiled.
"""

import re
import types

import numpy as np
import pytest
from hypothesis import Phase, assume, given, note, settings
from hypothesis import strategies as st

import neurodyn as nd
from neurodyn.backends.engine import SampleSpec
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.backends.numba import NumbaEngine
from neurodyn.conformance.circuits import CIRCUITS
from neurodyn.kernels import step
from neurodyn.kernels.emit import Sample
from neurodyn.kernels.table import Kind, Table
from neurodyn.language import ModelError
from neurodyn.network import realize


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


def plain_reader(dtype, ndim, strided):
    def read(table, start):
        address, *numbers = table[start : start + 1 + ndim * (2 if strided else 1)].tolist()
        strides = tuple(numbers[ndim:]) or None
        interface = {"data": (address, False), "shape": tuple(numbers[:ndim]), "strides": strides, "version": 3}
        array = types.SimpleNamespace(__array_interface__=interface | {"typestr": np.dtype(dtype).str})
        return np.asarray(array)

    return read


PLAIN = {
    "reader": plain_reader,
    "room": lambda dtype: lambda size: np.empty(size, dtype),
    "bytes_of": lambda array: array.view(np.uint8),
}


def plain_step(program, samples, dtype, table, divisors):
    module = types.ModuleType("plain")
    plain = step.StepText(program, samples, dtype)  # whatever is divided by
    text = step.source(plain, [*step.scalars(program, samples), "table"], table=table)
    assert "@njit" in text
    compiled_only = ("wide()", "@njit", "from neurodyn.kernels.table")
    vars(module).update(PLAIN)
    exec("\n".join(line for line in text.splitlines() if not line.strip().startswith(compiled_only)), vars(module))
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
            np.testing.assert_array_equal(
                np.signbit(a[name])[real], np.signbit(b[name])[real], err_msg=f"sign of {name}"
            )


def pair(circuit, make, *, dtype="float64", record=()):
    network = realize(circuit)
    axes = {a.name: a.axes for a in network.program.arrays}
    samples = [SampleSpec(name, np.arange(*(network.sizes[a] for a in axes[name]))) for name in record]
    options = {"dtype": dtype, "spikes": network.program.spiking, "samples": samples}
    return make(network, **options), InterpreterEngine(network, **options)


def run_both(
    circuit,
    steps,
    make: type[NumbaEngine] = PlainEngine,
    *,
    dtype="float64",
    inputs=None,
    chunks=(1, 3),
    record=(),
    learning=True,
):
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
STATE = {
    "n": "network",
    "m": "network",
    "x": "unit",
    "z": "unit",
    "y": "output",
    "g": "output",
    "w": "output*unit",
    "P": "unit*unit",
}


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
    cells = nd.Population("cells", units, code="v = 0.5*v + randn()", variables={"v": "1"}, initial={"v": "randn()"})
    start = {k: ("unit*unit" if k == "P" else kind, 0.25) for k, kind in STATE.items()}
    rule = nd.Rule("rule", per_step=learn) if learn else None
    readout = nd.Readout("out", "cells.v", tuple(f"c{k}" for k in range(outputs)), state=start, parameters={"scale": 0.3}, per_step=text,
                      rule=rule)  # fmt: skip
    return nd.Circuit([cells], readouts=[readout], dt="1 ms", **options)


SHAPES = [(3, 2), (1, 1), (0, 2), (2, 17), (4, 3)]  # (units, outputs); beyond 16, outputs are a loop


@given(
    st.integers(0, 2**32),
    st.integers(1, 7),
    st.sampled_from(SHAPES),
    st.sampled_from(["float64", "float64", "float32"]),
)
@settings(max_examples=150, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
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


def test_a_long_random_program_compiled():
    text, learn = Writer(1).block(12), Writer(101).block(5)
    tested, _, _ = run_both(readout_circuit(text, units=5, learn=learn), 4, NumbaEngine)
    assert len(tested._advance.signatures) == 1  # type: ignore[union-attr]  # compiled, and once


def test_values_cross_loops_and_sums_finish_before_they_are_used():
    text = """
z = x*2 + 1
total = sum(z)
w += z/total
x = z - total
y = sum(w*x)
n = sum(y)
g = y/n
P += sum(P)*x
x = sum(P - sum(P))
"""
    run_both(readout_circuit(text), 4)


# -- spikes, delays, sums ------------------------------------------------------------------------------------------


def spiking_circuit(sizes=(7, 4), *, delays=("0 ms", "1 ms", "5 ms"), seed=3, probability=0.4, threshold="v > 1"):
    """Two populations, spikes with every kind of delay, sums from inputs, readouts and units, draws in every text."""
    code = "h *= 0.8\nv = 0.7*v + 0.4*h + 0.3*s + drive + 0.2*randn()"
    a, b = (
        nd.Population(
            name, size, code=code, variables={"v": "1", "h": "1", "s": "1"}, threshold=threshold, reset="v = -0.5*rand()\nh -= 0.1",
            refractory="2 ms" if name == "a" else None, parameters={"drive": nd.Uniform(0, 0.8)}, initial={"v": "rand()"},
        )
        for name, size in zip("ab", sizes, strict=True)
    )  # fmt: skip
    times = nd.SpikeTimes("clock", 2, [0, 1, 0], ["0 ms", "3 ms", "4 ms"])
    drive = nd.Input("drive", ("p", "q"))
    rate = nd.Filter("rate", "a", "10 ms", scale=0.01)
    slow = nd.Filter("slow", "b", "20 ms", tau_rise="4 ms")
    out = nd.Readout("out", "rate", ("p", "q"), state={"y": "output"}, memory={"w": ("output*unit", 0.1)}, per_step="y = sum(w*r)",
                     rule=nd.Rule("rule", per_step="w += 0.01*(drive - y)*r"))  # fmt: skip
    kinds = {"aa": (a, a, delays[0]), "ab": (a, b, delays[1]), "ba": (b, a, delays[2])}
    connections = [
        nd.Connection(s, t, "h", probability=probability, weight="0.3*randn()", delay=d, name=name)
        for name, (s, t, d) in kinds.items()
    ]
    connections += [
        nd.Connection(times, b, "h", weight=0.5, pattern="all", delay="2 ms"),
        nd.Connection(
            b, b, "h", weight=nd.Normal(0, 0.2), probability=probability, delay=nd.Uniform("1 ms", "4 ms"), name="mixed"
        ),
        nd.Connection(drive, a, "s", weight=nd.Uniform(-1, 1), name="now"),
        nd.Connection(drive, b, "s", weight=nd.Uniform(-1, 1), delay="1 ms", name="later"),
        nd.Connection("out.y", a, "s", weight=nd.Uniform(-1, 1), name="feedback"),
        nd.Connection("a.v", b, "s", probability=probability, weight=0.1, delay="0 ms", name="same_step"),
        nd.Connection("rate.r", b, "s", weight=0.05, delay="3 ms", name="past", probability=probability),
    ]
    return nd.Circuit(
        [a, b, times], connections, inputs=[drive], filters=[rate, slow], readouts=[out], dt="1 ms", seed=seed
    )


RECORD = ("a.v", "b.h", "rate.r", "slow.r")


@given(
    st.tuples(st.integers(0, 5), st.integers(0, 5)),
    st.tuples(*[st.sampled_from(["0 ms", "1 ms", "2 ms", "9 ms"])] * 3),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(["v > 1", "v > 1e9", "v > -1e9", "v > mean(v) or rand() < 0.1"]),
    st.lists(st.integers(1, 7), min_size=1, max_size=4),
    st.sampled_from(["float64", "float64", "float32"]),
)
@settings(max_examples=50, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_borders(sizes, delays, seed, probability, threshold, chunks, dtype):
    circuit = spiking_circuit(sizes, delays=delays, seed=seed, probability=probability, threshold=threshold)
    _, _, whole = run_both(circuit, 12, chunks=chunks, dtype=dtype, record=RECORD)
    fired = {p: ids.size for p, (_, ids) in whole.spikes.items()}
    if threshold == "v > 1e9":
        assert fired == {"a": 0, "b": 0}
    if threshold == "v > -1e9":
        assert fired == {"a": 6 * sizes[0], "b": 12 * sizes[1]}  # every second step with 2 ms of refractoriness


THRESHOLDS = (
    "v > 1", "v > mean(v)", "rand() < 0.3", "v > 0.2 or rand() < 0.1", "t > 3*ms", "step % 2 == 0", "h > 0.1 and v > 0", "(v > 0) == (h > 0)",
    "v > sum(h)/N + randn()*0.1", "True", "not (v > 0.3)", "s > 0", "v > g",
)  # fmt: skip
RESETS = (
    None,
    "v = 0",
    "v -= 1\nv *= 0.5",
    "h = v\nv = g",
    "v = mean(v)",
    "v = randn()*0.1 + s",
    "h -= 0.1\nv = -0.5*rand()",
)
UPDATES = (
    "h *= 0.8\nv = 0.7*v + 0.4*h + 0.3*s + g + 0.2*randn()", "v = v*0.9 + h\nh = 0", "old = v\nv = v + h - mean(v)\nh = 0.5*h + (v - old)",
    "v += 0.1*g\nif step > 4:\n    v = v*0.5\nh *= 0.5\nv += h + s",
)  # fmt: skip


def random_circuit(seed):
    rng = np.random.default_rng(seed)

    def choose(*options):
        return options[int(rng.integers(len(options)))]

    populations = []
    for name in "abc"[: choose(1, 2, 3)]:
        size = choose(0, 1, 5, 12, 65)
        options = {"parameters": {"g": nd.Normal(0, 1)}, "initial": {"v": "randn()"}}
        if rng.random() < 0.85:
            options |= {
                "threshold": choose(*THRESHOLDS),
                "reset": choose(*RESETS),
                "refractory": choose(None, None, "0 ms", "1 ms", "5 ms"),
            }
            options["silenced"] = choose((), rng.integers(0, size, 2).tolist() if size else ())
        populations.append(
            nd.Population(name, size, code=choose(*UPDATES), variables={"v": "1", "h": "1", "s": "1"}, **options)
        )
    links = []
    for k in range(choose(0, 2, 5)):
        source, target, delay = choose(*populations), choose(*populations), choose(None, "1 ms", "3 ms")
        if source.spiking and rng.random() < 0.7:
            weight, delay = (
                choose("0.3*randn()", 0.2, nd.Normal(0, 0.3)),
                choose(delay, "0 ms", nd.Uniform("1 ms", "4 ms")),
            )
            links.append(
                nd.Connection(
                    source, target, "h", probability=choose(0.0, 0.3, 1.0), weight=weight, delay=delay, name=f"l{k}"
                )
            )
        else:
            links.append(
                nd.Connection(
                    f"{source.name}.v",
                    target,
                    "s",
                    weight=0.1,
                    delay=delay,
                    name=f"l{k}",
                    probability=choose(None, 0.4),
                )
            )
    circuit = nd.Circuit(populations, links, dt="1 ms", seed=seed)
    return circuit.clamp("a", choose("v", "h"), [0], 0.7) if populations[0].size and rng.random() < 0.3 else circuit


@given(
    st.integers(0, 2**32),
    st.sampled_from(["float64", "float64", "float32"]),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
)
@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_random_circuits(seed, dtype, chunks):
    circuit = random_circuit(seed)
    run_both(circuit, 10, dtype=dtype, chunks=chunks, record=[f"{p.name}.v" for p in circuit.populations])


def test_compiled():
    circuit = spiking_circuit((70, 130), delays=("0 ms", "1 ms", "9 ms"))  # more than one block of 64 units
    _, _, whole = run_both(circuit, 150, NumbaEngine, chunks=(1, 37, 64), record=RECORD[:1])
    assert all(ids.size > 100 for _, ids in whole.spikes.values())


def test_compiled_in_float32():
    text = "x = r*0.1 + scale\ny = sum(w*x)\nif n > 3:\n    w += 0.01*y*x\nn += 1\nz = where(x > 0.3, x/3, 0.2)**3\nm = mean(z)"
    tested, _, _ = run_both(readout_circuit(text), 9, NumbaEngine, dtype="float32")
    assert tested.arrays["out.w"].dtype == np.float32


@pytest.mark.parametrize("length", [1, 2, 3, 8])
def test_one_step_and_the_longest_delay(length):
    source = nd.SpikeTimes("s", 1, [0], ["0 ms"])
    cells = nd.Population("c", 1, code="seen += x\nx = 0", variables={"x": "1", "seen": "1"})
    for delay in range(10):
        circuit = nd.Circuit(
            [cells, source], [nd.Connection(source, cells, "x", pattern="all", delay=f"{delay} ms")], dt="1 ms"
        )
        engine, _, _ = run_both(circuit, length)
        # a spike of step k is felt by the update of step k + 1 + delay
        assert engine.arrays["c.seen"][0] == (delay + 1 < length)


def test_weighted_sums_see_the_values_of_their_delay():
    values = np.arange(1.0, 9.0)[:, None]
    drive = nd.Input("u", ("p",))
    cells = nd.Population("c", 1, code="v = I", variables={"v": "1", "I": "1"})
    for delay in range(4):
        circuit = nd.Circuit(
            [cells], [nd.Connection(drive, cells, "I", delay=f"{delay} ms")], inputs=[drive], dt="1 ms"
        )
        _, _, whole = run_both(circuit, 8, inputs={"u": values}, record=("c.v",))
        np.testing.assert_array_equal(
            whole.samples["c.v"][:, 0], np.concatenate([np.zeros(delay), values[: 8 - delay, 0]])
        )


def test_spike_buffers_grow_where_everybody_fires():
    cells = nd.Population("c", 3000, code="v = 1", variables={"v": "1"}, threshold="v > 0")
    engine, _ = pair(nd.Circuit([cells], dt="1 ms"), NumbaEngine)
    engine.start_trial(learning=False, calibration=False, reset=True)
    steps, ids = engine.advance(9, {}).spikes["c"]
    np.testing.assert_array_equal(steps, np.repeat(np.arange(9), 3000))
    np.testing.assert_array_equal(ids, np.tile(np.arange(3000), 9))


def test_a_state_can_be_taken_up_again():
    circuit = spiking_circuit()
    first, second = pair(circuit, PlainEngine)
    rng = np.random.default_rng(1)
    inputs = {"drive": rng.normal(size=(30, 2))}
    first.start_trial(learning=True, calibration=False, reset=True)
    first.advance(13, {n: v[:13] for n, v in inputs.items()})
    second.from_arrays(first.to_arrays())
    a, b = (e.advance(17, {n: v[13:] for n, v in inputs.items()}) for e in (first, second))
    np.testing.assert_array_equal(a.spikes["a"], b.spikes["a"])
    assert_equal_states(first, second)


def test_samples_of_one_chunk_stay_when_more_are_taken():
    """Arrays for samples are cut from one block; who receives them may keep and change them."""
    cells = nd.Population("c", 3, code="v = v + 1", variables={"v": "1"})
    spec = SampleSpec("c.v", np.array([0, 2]), 2)
    engine = NumbaEngine(realize(nd.Circuit([cells], dt="1 ms")), samples=(spec,))
    engine.start_trial(learning=True, calibration=False, reset=True)
    taken = []
    for steps in (3, 1, 5, 10**6 + 1, 4):  # the fourth is larger than what is left of the block
        taken.append(engine.advance(steps, {}).samples["c.v"])
        taken[-1] *= -1.0
    values = -np.concatenate(taken)
    np.testing.assert_array_equal(values, np.repeat(np.arange(2.0, engine.step + 1, 2)[:, None], 2, axis=1))


# -- the cache ---------------------------------------------------------------------------------------------------


def test_compiled_code_is_kept_under_a_key_of_all_it_depends_on(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(step, "_HEAD", step._HEAD + "# a text of its own\n")
    monkeypatch.setattr(step, "_LOADED", {})  # as in a new process
    circuit = nd.Circuit([nd.Population("c", 2, code="v = v + 1", variables={"v": "1"})], dt="1 ms")
    table = Table({name: Kind("float64", 1) for name in step.arrays(circuit.program, ())})
    module = step.compile_step(circuit.program, (), "float64", table)
    assert step.compile_step(circuit.program, (), "float64", table) is module
    assert [p.stem for p in (tmp_path / "kernels").glob("*.py")] == [module.__name__]
    assert step.compile_step(circuit.program, (), "float32", table) is not module
    bigger = nd.Circuit([nd.Population("c", 9, code="v = v + 1", variables={"v": "1"})], dt="2 ms", seed=7)
    assert step.compile_step(bigger.program, (), "float64", table) is module  # numbers are no part of the text
    monkeypatch.setattr(step, "_LOADED", {})
    monkeypatch.setattr("numba.__version__", "0.0")
    assert step.compile_step(circuit.program, (), "float64", table).__name__ != module.__name__


def arriving(*, delay, v_reset="v = 0"):
    """Cells that drive each other: arrivals at ``y`` can wait for the update unless something looks at it first."""
    text = "dv/dt = (y - v)/(10*ms) : 1\ndy/dt = -y/(5*ms) : 1"
    cells = nd.Population(
        "cells", 30, text, threshold="v > 0.9", reset=v_reset, method="euler", initial={"v": nd.Uniform(0, 1), "y": 2.5}
    )
    connection = nd.Connection(cells, cells, "y", probability=0.3, weight=nd.Normal(0.5, 0.2), delay=delay)
    second = nd.Connection(cells, cells, "y", probability=0.2, weight=0.05, name="second")
    return nd.Circuit([cells], [connection, second], dt="0.5 ms", seed=4)


def waits(circuit, *record):
    return step.StepText(circuit.program, tuple(Sample(name) for name in record), "float64").waiting


@pytest.mark.parametrize("delay", [None, "0.5 ms", "2 ms", nd.Uniform("0.5 ms", "4 ms")])
@pytest.mark.parametrize("make", [PlainEngine, NumbaEngine])
def test_arrivals_that_wait_for_the_next_update_are_complete_at_the_end_of_a_chunk(delay, make):
    circuit = arriving(delay=delay)
    assert waits(circuit) == [0, 1]
    compiled, plain = pair(circuit, make)
    for engine in (compiled, plain):
        engine.start_trial(learning=False, calibration=False, reset=True)
    total = 0
    for steps in (1, 0, 1, 7, 1, 60):
        total += len(compiled.advance(steps, {}).spikes["cells"][0])
        plain.advance(steps, {})
        assert_equal_states(compiled, plain)
    assert total > 20


def test_no_variable_of_a_step_starts_from_a_bare_number() -> None:
    """Numba gives it a type of its own: another round of inference, and another copy of what is called with it."""
    for name, build in CIRCUITS.items():
        circuit, _ = build()
        samples = tuple(Sample(a.name) for a in circuit.program.arrays if a.role == "state")
        text = step.StepText(circuit.program, samples, "float64").text()
        assert "done = np.int64(0)" in text and not re.findall(r"^ *\w+ = -?\d+$", text, re.M), name


def test_arrivals_do_not_wait_where_something_looks_at_their_target():
    assert waits(arriving(delay=None), "cells.v") == [0, 1]
    assert waits(arriving(delay=None), "cells.y") == []
    assert waits(arriving(delay=None, v_reset="v = 0\ny += 0.1")) == []


def test_a_target_of_minus_zero_keeps_its_sign_where_nothing_arrives():
    cells = nd.Population("cells", 3, "dv/dt = y/second : 1\ny : 1", method="euler", threshold="v > 1", reset="v = 0")
    net = nd.Circuit([cells], [nd.Connection(cells, cells, "y", probability=1, weight=1)], dt="1 ms")
    compiled, plain = pair(net, NumbaEngine)
    for engine in (compiled, plain):
        engine.start_trial(learning=False, calibration=False, reset=True)
        engine.arrays["cells.y"][:] = -0.0
        engine.advance(0, {})
        engine.advance(1, {})
    assert_equal_states(compiled, plain)
