"""Brian2 as a runner and as a place to go on; that it agrees with the other runners is tested in tests/conformance."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.backends.brian2 import Brian2Engine
from neurodyn.backends.brian2_build import functions
from neurodyn.backends.brian2_text import brian2_code, brian2_expression
from neurodyn.backends.interpreter import InterpreterEngine
from neurodyn.circuit import CircuitError
from neurodyn.network import realize

ROOT = Path(__file__).parents[2]


def mixed():
    """Code and equations, refractoriness from the first step on, delays, given spikes, a lesion and a clamp; no draws."""
    cells = nd.izhikevich_2003("cells", 30, parameters={"bias": nd.Uniform(3, 9)})
    leaky = nd.Population(
        "leaky", 8, "dv/dt = (v_rest - v + R*I)/tau : volt (unless refractory)\ndI/dt = -I/tau_s : amp",
        threshold="v > -55*mV", reset="v = v_rest", refractory="period", method="euler",
        parameters={"tau": "20 ms", "tau_s": nd.Uniform("3 ms", "9 ms"), "v_rest": "-70 mV", "R": "100 Mohm",
                    "period": nd.Uniform("0 ms", "30 ms")}, initial={"v": "v_rest"},
    )  # fmt: skip
    k = np.arange(300)
    source = nd.SpikeTimes("source", 3, k % 3, nd.quantity([f"{t} ms" for t in k // 3 * 2]))
    connections = [
        nd.Connection(
            cells,
            cells,
            "I_syn",
            probability=0.2,
            weight=nd.Uniform(-1, 1),
            delay=nd.Uniform("1 ms", "9 ms"),
            name="loop",
        ),
        nd.Connection(cells, leaky, "I", probability=0.3, weight="40 pA", delay="2 ms"),
        nd.Connection(source, leaky, "v", weight="5 mV"),
        nd.Connection(source, leaky, "I", probability=0.0, weight="1 pA", name="none"),
    ]
    return (
        nd.Circuit([source, cells, leaky], connections, seed=4).lesion("cells", [3]).clamp("leaky", "v", [2], "-54 mV")
    )


def assert_same_spikes(handed, recording, dt=1e-3):
    spikes = recording["spikes"]
    for train in spikes.values() if isinstance(spikes, dict) else [spikes]:
        monitor = handed.monitors[train.population]
        assert len(train) > 10
        np.testing.assert_array_equal(np.rint(np.asarray(monitor.t) / dt), np.rint(train.times * 1e-3 / dt))
        np.testing.assert_array_equal(np.asarray(monitor.i), train.ids)


# -- the text --------------------------------------------------------------------------------------------------------


def test_every_assignment_gets_a_name_of_its_own():
    code = "x = x + a + b\nh = 2*x\nx += h\n"
    assert brian2_code(code, "cells", {"x"}) == "_x_0 = x + a + b\n_h_1 = 2 * _x_0\n_x_2 = _x_0 + _h_1\nx = _x_2"


def test_words_that_brian2_lacks():
    assert (
        brian2_expression("where(0 < a < b, max(a, 1), step)", "cells")
        == "nd_where(0 < a and a < b, nd_max(a, 1), t_in_timesteps)"
    )
    assert brian2_expression("min(min, 1)", "cells") == "nd_min(min, 1)"  # a parameter may bear the name


def test_they_are_called_bare():
    """Brian2's own wrapper of a NumPy function writes the result as a text at every call, which took most of a run."""
    from brian2.codegen.runtime.numpy_rt import NumpyCodeObject

    bare = {"nd_where": np.where, "nd_min": np.minimum, "nd_max": np.maximum}
    made = functions()
    assert {name: made[name].implementations[NumpyCodeObject].get_code(None) for name in made} == bare


@pytest.mark.parametrize(
    "code, named",
    [
        ("if learning:\n    v = 1", "if learning.*where"),
        ("v = v + calibration", "calibration"),
        ("v = v - mean(v)", r"mean\(\)"),
        ("v = randn(v)", r"randn\(v\).*write randn\(\)"),
    ],
)
def test_code_that_brian2_cannot_express(code, named):
    cells = nd.Population("cells", 2, code=code, variables={"v": "1"})
    with pytest.raises(CircuitError, match=f"'cells'.*{named}.*numba"):
        brian2_code(code, "cells", {"v"})
    with pytest.raises(ValueError):  # by the language, or by Brian2's half
        nd.simulate(nd.Circuit([cells]), "1 ms", backend="brian2")


# -- the runner ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "second", [{"size": 0, "code": "v = v"}, {"size": 2, "code": "v = v", "threshold": "v > mean(v)"}]
)
def test_what_cannot_be_run_is_refused_before_anything_is_built(second, monkeypatch):
    from neurodyn.backends import brian2_build

    first = nd.izhikevich_2003("cells", 3)
    other = nd.Population("other", **second, variables={"v": "1"})
    monkeypatch.setattr(brian2_build, "_model", lambda *arguments: pytest.fail("a group was begun"))
    with pytest.raises(CircuitError, match="'other'.*numba"):
        nd.simulate(nd.Circuit([first, other], dt="1 ms"), "1 ms", backend="brian2")


def test_float32_is_refused_by_name():
    with pytest.raises(CircuitError, match="float32.*numba"):
        nd.simulate(mixed(), "1 ms", backend="brian2", dtype="float32")


def test_what_brian2_refuses_is_explained():
    cells = nd.Population("cells", 2, code="v_ = v_ + 1\nv_post = v_", variables={"v_": "1", "v_post": "1"})
    with pytest.raises(CircuitError, match="Brian2 can't express the circuit 'named'.*v_post.*numba"):
        nd.simulate(nd.Circuit([cells], name="named"), "1 ms", backend="brian2")


def test_preferences_and_device_are_left_as_they_were():
    import brian2

    keys = ("codegen.target", "codegen.loop_invariant_optimisations", "legacy.refractory_timing")
    before = [brian2.prefs[k] for k in keys], brian2.get_device()
    nd.simulate(mixed(), "5 ms", backend="brian2")
    assert ([brian2.prefs[k] for k in keys], brian2.get_device()) == before


def test_integers_and_booleans_of_equations_stay_in_step():
    """Brian2 holds them in other types; recordings and later trials have to see the same numbers."""
    cells = nd.Population(
        "cells",
        4,
        "dv/dt = (2 - v)/tau : 1\nn : integer\nwarm : boolean\ntau : second (constant)",
        threshold="v > 1",
        reset="v = 0.05*n\nn += 1\nwarm = n > 3",
        parameters={"tau": nd.Uniform("5 ms", "20 ms")},
        initial={"n": 2},
        method="euler",
    )
    circuit = nd.Circuit([cells], dt="0.5 ms", seed=1)
    record = ["spikes", "cells.v", "cells.n"]
    a, b = (nd.simulate(circuit, "200 ms", backend=backend, record=record) for backend in ("interpreter", "brian2"))
    found = nd.compare(a, b)
    assert found, str(found)
    assert b["n"].values[-1].max() > 10


def test_arrays_are_those_of_brian2():
    machine = Brian2Engine(realize(mixed()))
    machine.start_trial(learning=True, calibration=False, reset=True)
    group = machine.built.groups["leaky"]
    assert np.shares_memory(machine.arrays["leaky.v"], group.variables["v"].get_value())
    machine.advance(60, {})
    np.testing.assert_allclose(np.asarray(group.v), machine.arrays["leaky.v"], rtol=0, atol=0)
    last = machine.arrays["leaky.last_spike"]
    spiked = last >= 0
    assert spiked.any()
    np.testing.assert_array_equal(np.asarray(group.lastspike)[spiked], last[spiked] * 1e-3)


def test_a_reset_forgets_spikes_on_their_way():
    """One spike at 0 ms, due in 5 ms; the trial ends after 3 ms."""
    cells = nd.Population("cells", 1, code="v = v", variables={"v": "1"})
    source = nd.SpikeTimes("source", 1, [0], "0 ms")
    circuit = nd.Circuit([source, cells], [nd.Connection(source, cells, "v", weight=1.0, delay="5 ms")], dt="1 ms")
    for reset, expected in ((True, 0.0), (False, 1.0)):
        session = nd.Session((nd.Trial(3), nd.Trial(6, reset=reset)), dt=1e-3)
        assert float(nd.simulate(circuit, session, backend="brian2", record=["cells.v"])["v"][-1, 0]) == expected


def test_brian2s_queue_in_python(monkeypatch):
    """What Brian2 falls back on where its compiled queue is missing."""
    from brian2.devices.device import runtime_device
    from brian2.synapses.spikequeue import SpikeQueue

    monkeypatch.setattr(runtime_device, "spike_queue", SpikeQueue)
    network = realize(mixed())
    first, second, whole = Brian2Engine(network), Brian2Engine(network), InterpreterEngine(network)
    assert hasattr(first.built.synapses["loop"].pre.queue, "currenttime")
    for machine in (first, whole):
        machine.start_trial(learning=True, calibration=False, reset=True)
    first.advance(133, {})
    under_way = first.to_arrays()
    assert under_way["ring/loop"].any()
    second.from_arrays(under_way)
    for machine, steps in ((first, 67), (second, 67), (whole, 200)):
        machine.advance(steps, {})
    for name, expected in whole.to_arrays().items():
        np.testing.assert_array_equal(first.to_arrays()[name], expected, err_msg=name)
        np.testing.assert_array_equal(second.to_arrays()[name], expected, err_msg=name)
    second.from_arrays(under_way)  # forgets what it had under way
    second.advance(67, {})
    np.testing.assert_array_equal(second.to_arrays()["array/cells.v"], whole.to_arrays()["array/cells.v"])


# -- to_brian2 -------------------------------------------------------------------------------------------------------


@pytest.fixture
def numpy_target():
    from neurodyn.backends.equations_brian2 import brian2_settings

    with brian2_settings() as brian2:
        yield brian2


def test_the_handed_over_network_repeats_our_spikes(numpy_target):
    circuit = mixed()
    handed = circuit.to_brian2()
    handed.run("300 ms")
    handed.run("200 ms")
    assert_same_spikes(handed, nd.simulate(circuit, "500 ms"))
    assert set(handed.synapses) == {"loop", "cells_to_leaky_I", "source_to_leaky_v"}  # not the empty one
    np.testing.assert_array_equal(handed.synapses["loop"].w, realize(circuit).wiring["loop"].weights)


def test_python_parts_run_between_brian2s_objects(numpy_target):
    """Pulses and readouts with feedback; a monitor of the user's; inputs that a session would bring are held."""
    cells = nd.izhikevich_2003("cells", 10, parameters={"bias": nd.Uniform(2, 6)})
    circuit = nd.Circuit([cells], seed=5).stimulate(
        "cells", "I_in", [0, 1], amplitude=4.0, start="20 ms", stop="120 ms"
    )
    circuit = nd.Supervised(learner=nd.NLMS(rate=0.2), feedback=3.0, tau_rise="3 ms").attach(circuit)
    session = nd.Session((nd.Trial(250, {"target": np.array([0.5])}),), 1e-3, {"target": ("z",)})
    handed = circuit.to_brian2()
    assert set(handed.inputs) == {"target"}
    handed.inputs["target"][:] = 0.5
    monitor = numpy_target.StateMonitor(handed.groups["cells"], "I_in", record=[0])
    handed.network.add(monitor)
    handed.run("250 ms")
    assert_same_spikes(handed, nd.simulate(circuit, session))
    assert monitor.I_in[0].max() > 4.0  # the pulse and the feedback


def test_draws_are_brian2s_own(numpy_target):
    cells = nd.Population("cells", 3, code="x = randn()", variables={"x": "1"})
    seen = []
    for seed in (1, 1, 2):
        numpy_target.seed(seed)
        handed = nd.Circuit([cells], dt="1 ms").to_brian2()
        handed.run("2 ms")
        seen.append(np.array(handed.groups["cells"].x))
    assert np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[0], seen[2])


def test_a_closed_loop_is_refused_by_name():
    cells = nd.izhikevich_2003("cells", 2)
    hand = nd.Input("hand", ("x",), function=lambda t, values: [0.0], every="5 ms")
    circuit = nd.Circuit([cells], [nd.Connection(hand, cells, "I_in")], inputs=[hand])
    with pytest.raises(CircuitError, match="'hand' calls a function.*backend='brian2'"):
        circuit.to_brian2()


def test_standalone_refuses_what_it_would_skip(tmp_path):
    import brian2

    circuit = nd.Circuit([nd.izhikevich_2003("cells", 2)]).stimulate(
        "cells", "I_in", [0], amplitude=1.0, start="1 ms", stop="2 ms"
    )
    brian2.set_device("cpp_standalone", directory=str(tmp_path), build_on_run=False)
    try:
        with pytest.raises(CircuitError, match="'stimulation' runs in Python"):
            circuit.to_brian2()
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def test_plastic_synapses_between_cells_with_a_variable_w():
    """The weight of the synapses takes another name in Brian2, as that of fixed ones does."""
    cells = nd.Population(
        "cells", 4, code="w += 0.1*(v - w)\nv += 0.3 + 0.05*i - 0.2*w + g\ng = 0", variables={"v": "1", "w": "1", "g": "1"},
        threshold="v > 1", reset="v = 0",
    )  # fmt: skip
    rule = nd.SynapticRule("rule", traces={"x": nd.Trace("pre", "5 ms")}, on_post="w += 0.1*x*w_post")
    net = nd.Circuit(
        [cells], [nd.Connection(cells, cells, "g", pattern="all", weight=0.01, rules=rule, name="plastic")]
    )
    ours, theirs = (
        nd.simulate(net, "5 ms", record=["spikes", "plastic.w"], backend=backend)
        for backend in ("interpreter", "brian2")
    )
    assert nd.compare(ours, theirs, tolerance=1e-12) and np.ptp(ours["plastic.w"].values[-1]) > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("target", ["cython", "cpp_standalone"])
def test_compiled_targets_repeat_our_spikes(target, tmp_path):
    """In a process of its own, since devices are global; with sums neither reordered nor contracted."""
    script = f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import brian2
        import neurodyn as nd
        from test_brian2 import assert_same_spikes, mixed
        brian2.prefs.codegen.loop_invariant_optimisations = False
        brian2.prefs.codegen.cpp.extra_compile_args_gcc = ["-w", "-O2", "-ffp-contract=off"]
        if {target!r} == "cython":
            brian2.prefs.codegen.target = "cython"
            brian2.prefs.codegen.runtime.cython.cache_dir = {str(tmp_path)!r}
        else:
            brian2.set_device("cpp_standalone", directory={str(tmp_path)!r})
        handed = mixed().to_brian2()
        handed.run("500 ms")
        assert_same_spikes(handed, nd.simulate(mixed(), "500 ms"))
        print("same")
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, env=environment, check=False
    )
    assert "same" in done.stdout, done.stdout + done.stderr
