"""The lowered equations against Brian2 itself, bit for bit, and every refusal by name."""

from __future__ import annotations

import ast
import itertools
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from neurodyn.backends import equations as module
from neurodyn.backends.equations import EquationsError, brian2_equations_text, lower, noise_order
from neurodyn.units import DIMENSIONLESS, dimensions_of

UNITS, STEPS, DT = 7, 1000, 1e-4
SECOND, VOLT, AMP, OHM = (dimensions_of(unit) for unit in ("second", "volt", "amp", "ohm"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path))
    return tmp_path / "equations"


LIF = """
dv/dt = (v_rest - v + R*I_total)/tau : volt (unless refractory)
dI/dt = -I/(5*ms) : amp           # a synaptic current
I_total = I + I_in +
          I_bias : amp
I_bias : amp
"""
LIF_PARAMETERS = {
    "tau": (SECOND, np.linspace(8e-3, 20e-3, UNITS)),
    "R": (OHM, 1e8),
    "v_rest": (VOLT, np.linspace(-72e-3, -68e-3, UNITS)),
    "period": (SECOND, np.linspace(0, 3.05e-3, UNITS)),
}
LIF_START = {"v": -0.07, "I": 1e-10, "I_bias": 2.2e-10}
LIF_EVENTS = {"threshold": "v > -50*mV", "reset": "v = v_rest + 2*mV\nI = I + 0.1*I_total + 3*pA"}
IZHIKEVICH = """
dv/dt = (k*(v - v_r)*(v - v_t) - u + I_in)/C : volt
du/dt = a*(b*(v - v_r) - u) : amp
"""
IZHIKEVICH_PARAMETERS = {
    "k": (dimensions_of("nS/mV"), 7e-7),
    "v_r": (VOLT, -60e-3),
    "v_t": (VOLT, -40e-3),
    "C": (dimensions_of("pF"), np.linspace(80e-12, 120e-12, UNITS)),
    "a": (dimensions_of("Hz"), 30.0),
    "b": (dimensions_of("nS"), -2e-9),
    "d": (AMP, 1e-10),
}
ADEX = """
dv/dt = (g*(E - v) + g*D*exp((v - v_t)/D) - w + I_in)/C : volt (unless refractory)
dw/dt = (a*(v - E) - w)/tau : amp
g = 10*nS : siemens
C = 200*pF : farad
"""
ADEX_PARAMETERS = {
    "E": (VOLT, -70e-3),
    "D": (VOLT, 2e-3),
    "v_t": (VOLT, np.linspace(-51e-3, -49e-3, UNITS)),
    "a": (dimensions_of("nS"), 2e-9),
    "tau": (SECOND, 30e-3),
}
TWO_NOISES = """
dv/dt = (mu - v)/tau + s*xi_b*tau**-.5 + s*xi_a*tau**-.5 : 1
dw/dt = -w/tau + 2*xi_a*tau**-.5 + xi_c*tau**-.5 : 1
tau = 10*ms : second
"""
NOISE_PARAMETERS = {"mu": (DIMENSIONLESS, np.linspace(0.9, 1.4, UNITS)), "s": (DIMENSIONLESS, 0.3)}
MULTIPLICATIVE = "dv/dt = (mu - v)/tau + s*v*xi*tau**-.5 : 1\ntau = 10*ms : second"
WITH_DRAWS = {"threshold": "v > 1 or rand() < 50*Hz*dt", "reset": "v = 0.1*randn()"}

CASES = {
    "lif euler": (LIF, LIF_EVENTS, 2e-3, "euler", LIF_PARAMETERS, LIF_START),
    "lif exact": (LIF, LIF_EVENTS, "period", "exact", LIF_PARAMETERS, LIF_START),
    "lif default": (LIF, LIF_EVENTS, 0, None, LIF_PARAMETERS, LIF_START),
    "lif exponential": (LIF, LIF_EVENTS, 0.3e-3, "exponential_euler", LIF_PARAMETERS, LIF_START),
    "lif rk2": (LIF, LIF_EVENTS, 1.55e-3, "rk2", LIF_PARAMETERS, LIF_START),
    "lif rk4": (LIF, LIF_EVENTS, "period", "rk4", LIF_PARAMETERS, LIF_START),
    "izhikevich": (
        IZHIKEVICH, {"threshold": "v >= 35*mV", "reset": "v = -50*mV\nu += d"}, None, "euler",
        IZHIKEVICH_PARAMETERS, {"v": -0.06, "u": 0.0},
    ),
    "adaptive exponential": (
        ADEX, {"threshold": "v > v_t + 5*D", "reset": "v = -58*mV\nw += 50*pA"}, 1e-3, "euler",
        ADEX_PARAMETERS, {"v": -0.07, "w": 0.0},
    ),
    "two noises euler": (
        TWO_NOISES, {"threshold": "v + w > 1.5", "reset": "v = 0"}, None, "euler", NOISE_PARAMETERS, {}
    ),
    "two noises heun": (TWO_NOISES, WITH_DRAWS, 1e-3, "heun", NOISE_PARAMETERS, {}),
    "multiplicative heun": (MULTIPLICATIVE, WITH_DRAWS, None, "heun", NOISE_PARAMETERS, {}),
    "milstein": (MULTIPLICATIVE, WITH_DRAWS, None, "milstein", NOISE_PARAMETERS, {}),
    "no equation": ("v : 1\nn : integer", WITH_DRAWS | {"reset": "n += 1"}, 2e-3, None, {}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_abstract_code_gives_the_bits_of_brian2(case):
    text, events, refractory, method, parameters, start = CASES[case]
    inputs = {"I_in": AMP} if "I_in" in text else {}
    shapes = {name: (dimensions, np.ndim(value) == 0) for name, (dimensions, value) in parameters.items()}
    lowered = lower(text, **events, refractory=refractory, method=method, parameters=shapes, inputs=inputs)
    completed = brian2_equations_text(text, parameters=shapes, inputs=inputs)
    values = {name: value for name, (_, value) in parameters.items()} | start
    current = 8e-10 * np.sin(np.arange(STEPS) / 90) ** 2
    run = {"values": values, "current": current, "refractory": refractory}
    ours = interpret(lowered, **run)
    theirs = run_brian2(completed, lowered.method or "euler", **events, **run)
    assert theirs["spikes"].sum() > UNITS
    for name in ours:
        steps = np.flatnonzero((ours[name] != theirs[name]).any(axis=1))
        assert steps.size == 0, f"{name} differs from step {steps[0]} on"


def draws(name: str, step: int) -> np.ndarray:
    """One draw per unit, whatever the order of the calls."""
    seed = [step, *name.encode()]
    generator = np.random.default_rng(seed)
    return generator.random(UNITS) if name == "rand" else generator.standard_normal(UNITS)


FUNCTIONS = {
    "exp": np.exp, "int": np.int32, "_and": np.logical_and, "_or": np.logical_or,
}  # fmt: skip


def compiled(expression: str):
    """Python code for arrays: 'and', 'or', 'not' as numpy functions."""

    class Logic(ast.NodeTransformer):
        def visit_BoolOp(self, node):
            self.generic_visit(node)
            name = "_and" if isinstance(node.op, ast.And) else "_or"
            result = node.values[0]
            for value in node.values[1:]:
                result = ast.Call(ast.Name(name, ast.Load()), [result, value], [])
            return result

    tree = Logic().visit(ast.parse(expression, mode="eval"))
    return compile(ast.fix_missing_locations(tree), expression, "eval")


def assignments(text: str | None):
    lines = (line.partition(" = ") for line in (text or "").splitlines())
    return [(name, compiled(expression)) for name, _, expression in lines]


def interpret(lowered, *, values, current, refractory):
    """The steps that `Equations` describes, in numpy."""
    declared = {v.name: v for v in lowered.variables}
    dtypes = {"float": float, "integer": np.int32, "boolean": bool}
    state = {
        name: values.get(name, 0.0) if v.shared else np.full(UNITS, values.get(name, 0), dtypes[v.dtype])
        for name, v in declared.items()
        if v.kind != "subexpression"
    }
    period = values[refractory] if isinstance(refractory, str) else refractory or 0.0
    wait = np.broadcast_to(((period + 1e-3 * DT) / DT), UNITS).astype(int)
    last = np.full(UNITS, -(10**9))
    update, reset, threshold = (
        assignments(lowered.update),
        assignments(lowered.reset),
        compiled(lowered.threshold),
    )
    rows: dict[str, list] = {name: [] for name, v in declared.items() if v.kind == "state"} | {"spikes": []}
    for step in range(STEPS):
        if "I_in" in state:
            state["I_in"][:] = current[step]
        ready = np.full(UNITS, True) if lowered.refractory == "none" else step - last >= wait
        fixed = FUNCTIONS | {"dt": np.float64(DT), "not_refractory": ready}
        scope = fixed | state
        for name, code in update:
            stream = iter([draws(name, step)])
            with np.errstate(invalid="ignore", divide="ignore"):
                result = eval(code, scope | {"randn": lambda s=stream: next(s)})
            standing = name in declared and declared[name].unless_refractory
            scope[name] = np.where(ready, result, scope[name]) if standing else result
            if name in state:
                state[name] = scope[name]
        fired = np.flatnonzero(eval(threshold, fixed | state | {"rand": lambda k=step: draws("rand", k)}))
        last[fired] = step
        part = {n: value[fired] if isinstance(value, np.ndarray) else value for n, value in (fixed | state).items()}
        part["randn"] = lambda k=step, f=fired: draws("randn", k)[f]
        for name, code in reset:
            part[name] = eval(code, part)
            if name in state:
                state[name][fired] = part[name]
        for name in rows:
            rows[name].append(np.isin(np.arange(UNITS), fired) if name == "spikes" else state[name].copy())
    return {name: np.array(values) for name, values in rows.items()}


def run_brian2(text, method, *, threshold, reset, values, current, refractory):
    """The same on Brian2's numpy target, with our draws in place of its own."""
    from neurodyn.backends.equations_brian2 import brian2_settings

    with brian2_settings() as b2:
        period = refractory * b2.second if isinstance(refractory, (int, float)) else refractory or False
        group = b2.NeuronGroup(
            UNITS, text, threshold=threshold, reset=reset, refractory=period, method=method, dt=DT * b2.second
        )
        for name, value in values.items():
            group.variables[name].set_value(value)
        network = b2.Network(group)
        network.run(0 * b2.second, namespace={})
        objects = network.sorted_objects
        timestep, t = (group.clock.variables[name].get_value() for name in ("timestep", "t"))

        def replace(runner, function, names):
            if runner.codeobj is not None and function in runner.codeobj.namespace:
                turn = itertools.cycle(names)
                runner.codeobj.namespace[function] = lambda indices: draws(next(turn), int(timestep[0]))[
                    np.asarray(indices, dtype=int)
                ]

        replace(group.state_updater, "randn", noise_order(group.state_updater.abstract_code))
        replace(group.thresholder["spike"], "rand", ["rand"])
        replace(group.resetter["spike"], "randn", ["randn"])
        rows: dict[str, list] = {name: [] for name in [*group.equations.diff_eq_names, "spikes"]}
        for step in range(STEPS):
            if "I_in" in group.variables:
                group.variables["I_in"].set_value(current[step])
            with np.errstate(invalid="ignore", divide="ignore"):
                for item in objects:
                    item.run()
            timestep[0] += 1
            t[0] = timestep[0] * DT
            for name, row in rows.items():
                if name == "spikes":
                    row.append(np.isin(np.arange(UNITS), group.spikes))
                else:
                    row.append(group.variables[name].get_value().copy())
    return {name: np.array(row) for name, row in rows.items()}


def test_the_variables_keep_order_kind_dimensions_and_flags():
    lowered = lower(
        LIF + "on : boolean\nn : integer (shared)",
        **LIF_EVENTS,
        refractory=0,
        parameters={"tau": (SECOND, False), "R": (OHM, True), "v_rest": (VOLT, False)},
        inputs={"I_in": AMP},
    )
    found = {v.name: v for v in lowered.variables}
    assert list(found) == ["v", "I", "I_total", "I_bias", "on", "n", "tau", "R", "v_rest", "I_in"]
    assert [v.kind for v in lowered.variables][:4] == ["state", "state", "subexpression", "parameter"]
    assert found["v"].unless_refractory and not found["I"].unless_refractory
    assert found["R"].dimensions == OHM and found["R"].shared and found["R"].constant
    assert not found["tau"].shared and found["tau"].constant and not found["I_in"].constant
    assert (found["on"].dtype, found["n"].dtype, found["n"].shared) == ("boolean", "integer", True)
    assert found["I_total"].expression == "I + I_in + I_bias"
    assert lowered.refractory == "constant" and lowered.method == "exact"


def test_the_texts_are_those_of_brian2_in_si_units():
    lowered = lower(
        "dv/dt = -v/(5*ms) + s*xi/ms**.5 : volt\ns = 2*mV : volt",
        threshold="v > s",
        reset="v = v - 1e-3*volt - s",
    )
    assert lowered.update == ("xi = dt**.5 * randn()\n_v = -dt*v/(5*0.001) + 2*0.001*xi/0.001**0.5 + v\nv = _v")
    assert lowered.threshold == "v > (2*0.001)"
    assert lowered.reset == "v = v + (-(2*0.001) - 0.001*1.0)"
    assert (lowered.noise, lowered.method, lowered.refractory) == (("xi",), "euler", "none")


def test_comments_are_only_comments():
    """Brian2 splits lines at ";" before it looks for comments."""
    plain = lower(CELL, threshold="v > -50*mV", reset="v = v_rest")
    text = CELL.replace("\n", "  # it's a cell; v = 1\n")
    assert lower(text, threshold="v > -50*mV  # high", reset="v = v_rest  # low; v = 0*mV\n# 'end'") == plain


def test_the_completed_text_declares_what_is_missing_in_base_units():
    text = brian2_equations_text(
        "dv/dt = -v/tau : 1\ntau : second (constant)",
        parameters={
            "tau": (SECOND, False),
            "g": (dimensions_of("nS"), True),
            "s": (dimensions_of("mV/ms^0.5"), False),
        },
        inputs={"I_in": dimensions_of("pA/mV^2")},
    )
    assert text.splitlines()[2:] == [
        "g : siemens (constant, shared)",
        "s : metre**2*kilogram*second**-3.5*amp**-1 (constant)",
        "I_in : metre**-4*kilogram**-2*second**6*amp**3",
    ]
    declared = {v.name: v.dimensions for v in lower(text).variables}
    assert declared["s"] == dimensions_of("mV/ms^0.5") and declared["I_in"] == dimensions_of("pA/mV^2")


CELL = "dv/dt = (v_rest - v)/tau : volt\nv_rest : volt (constant)\ntau : second (constant)"
SPIKES: dict[str, Any] = {"threshold": "v > -50*mV", "reset": "v = v_rest"}
GIVEN = {"tau": (SECOND, False)}
REFUSED = {
    "gsl": (CELL, {"method": "gsl_rkf45"}, r"gsl_rkf45.*its own steps; use 'rk4'"),
    "unknown method": (CELL, {"method": "rk5"}, r"method='rk5' is not one of .*did you mean 'rk"),
    "old name of exact": (CELL, {"method": "linear"}, "did you mean 'exact'"),
    "method that cannot": ("dv/dt = -v**2/ms : 1", {"method": "exact"}, "'exact' cannot .*use 'euler'"),
    "noise that it cannot": ("dv/dt = v*xi/ms**.5 : 1", {"method": "euler"}, "use 'heun'"),
    "linked": ("v : volt (linked)", {}, "linked variables are not supported; make it an input"),
    "held over a step": ("x = rand() : 1 (constant over dt)", {}, "constant over dt.*not supported"),
    "unknown flag": ("v : 1 (shard)", {}, "did you mean 'shared'"),
    "custom event": (CELL, {"threshold": {"up": "v > 0*mV"}}, "custom events are not supported"),
    "threshold of two lines": (CELL, {"threshold": "v > 0*mV\nv < 1*mV"}, "one expression on one line"),
    "threshold of two statements": (CELL, {"threshold": "x = v; x > 0*mV"}, "one expression on one line"),
    "threshold that is no condition": (CELL, {"threshold": "v + 1*mV"}, "not a boolean expression"),
    "reset without threshold": (CELL, {"reset": "v = v_rest"}, "reset needs a threshold"),
    "refractory without threshold": (CELL, {"refractory": 1e-3}, "refractory needs a threshold"),
    "undeclared name": (CELL.replace("/tau", "/taum"), {}, "equations: 'taum' is not .*mean 'tau'"),
    "undeclared in threshold": (CELL, SPIKES | {"threshold": "v > v_th"}, "threshold: 'v_th' is not"),
    "undeclared in reset": (CELL, SPIKES | {"reset": "w += 1*mV"}, "reset: 'w' is not declared"),
    "undeclared period": (CELL, SPIKES | {"refractory": "tua"}, "refractory: 'tua' .*did you mean 'tau'"),
    "misspelt in reset": (CELL, SPIKES | {"reset": "v_ret = v"}, "reset sets 'v_ret'.*mean 'v_rest'"),
    "noise in threshold": (CELL, SPIKES | {"threshold": "xi > 0"}, "'xi' can stand in differential"),
    "draw in equations": ("dv/dt = (rand() - v)/ms : 1", {}, r"rand\(\); write noise as 'xi'"),
    "units in equations": (CELL.replace("tau :", "tau : volt #"), {}, "Inconsistent.*'v'.*unit after each"),
    "units in threshold": (CELL, SPIKES | {"threshold": "v > -50"}, "different units.*such as 5"),
    "unit that is not a base unit": ("v : mV", {}, "Use 'volt' instead"),
    "unless refractory alone": ("dv/dt = -v/ms : 1 (unless refractory)", {}, "0 for none"),
    "negative period": (CELL, SPIKES | {"refractory": -1e-3}, "0 or more seconds"),
    "period as text": (CELL, SPIKES | {"refractory": "2*ms"}, "number of seconds or the name"),
    "period that is no time": (CELL, SPIKES | {"refractory": "v_rest"}, "v_rest"),
    "state as period": ("dq/dt = 1 : second", {"threshold": "q > ms", "refractory": "q"}, "is a state"),
    "reserved dt": ("dt : second", {}, "'dt': this name has a meaning"),
    "reserved xi": ("v : 1", {"parameters": {"xi_2": (SECOND, True)}}, "'xi_2': this name"),
    "reserved randn": ("v : 1", {"inputs": {"randn": DIMENSIONLESS}}, "'randn': this name"),
    "reserved N": ("N : 1", {}, "'N': this name"),
    "name of a unit": ("mV : volt", {}, "name of a unit"),
    "name of a synapse": ("v_post : 1", {}, "_post"),
    "declared twice": ("v : 1\nv : volt", {}, "'v' is declared twice"),
    "unreadable": ("dv/dt = -v/ms", {}, "cannot read the equations at 'dv/dt = -v/ms'"),
    "text in a call": ("dv/dt = exp('v')/ms : 1", {}, "equations: \"'v'\" is not part of the language"),
    "attribute": (CELL, SPIKES | {"threshold": "v.real > 0*mV"}, "threshold: 'v.real' is not part of"),
    "index": (CELL, SPIKES | {"reset": "v = v_rest[0]"}, "reset: 'v_rest\\[0\\]' is not part of"),
    "bare call": (CELL, SPIKES | {"reset": "exp(v)"}, r"reset: 'exp\(v\)' is not part of"),
    "unknown function": ("dv/dt = -tahn(v)/ms : 1", {}, "'tahn' is no function; did you mean .*'tanh'"),
    "broken expression": ("dv/dt = -v/*ms : 1", {}, r"equations: cannot read '-v/\*ms' \(invalid syntax\)"),
    "broken reset": (CELL, SPIKES | {"reset": "v = = 1"}, "reset: cannot read 'v = = 1'"),
    "not text": (None, {}, "equations=None has to be text"),
    "parameter that is a state": (CELL, {"parameters": {"v": (VOLT, False)}}, "'v' is a state"),
    "parameter and input": (CELL, {"parameters": GIVEN, "inputs": {"tau": SECOND}}, "both a parameter"),
    "constant input": (CELL, {"inputs": {"tau": SECOND}}, "declare it as 'tau : second'"),
    "shared parameter": (CELL, {"parameters": {"tau": (SECOND, True)}}, "add the flag 'shared'"),
    "parameter of another unit": (CELL, {"parameters": {"tau": (VOLT, False)}}, "in 'ms' but given in 'mV'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_run_is_refused_by_name(case, own_cache):
    text, options, message = REFUSED[case]
    with pytest.raises(EquationsError, match=message) as caught:
        lower(text, **options)
    assert len(str(caught.value)) < 500 and "\n" not in str(caught.value)
    assert not own_cache.exists()


def test_a_second_lowering_needs_no_brian2(own_cache):
    lower(CELL, **SPIKES, refractory=1e-3)
    code = (
        "import sys\nfrom neurodyn.backends.equations import lower\n"
        f"print(lower({CELL!r}, **{SPIKES!r}, refractory=2e-3).update)\n"
        "assert not {'brian2', 'sympy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=child())
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == lower(CELL, **SPIKES, refractory=1e-3).update
    assert len(list(own_cache.iterdir())) == 1  # the length of the period is no part of the text


def child(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **variables}


def test_arguments_that_matter_have_files_of_their_own(own_cache):
    for method in ("euler", "rk2"):
        lower(CELL, method=method)
    lower(CELL, method="euler", inputs={"x": VOLT})
    lower(CELL, method="euler", threshold="v > 0*mV", reset="")
    assert len(list(own_cache.iterdir())) == 4


@pytest.mark.parametrize("text", ["", '{"equations": {', "[]", '{"equations": {"variables": [], "noise": []}}'])
def test_a_damaged_file_is_lowered_again(own_cache, text):
    expected = lower(CELL)
    (file,) = own_cache.iterdir()
    intact = file.read_text()
    file.write_text(text)
    assert lower(CELL) == expected
    assert file.read_text() == intact


def test_a_full_disk_stops_nothing(monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.cache, "atomic_write", full)
    assert lower(CELL).method == "exact"


def test_two_noises_give_one_text_in_every_process(tmp_path):
    code = (
        "from neurodyn.backends.equations import lower\n"
        f"print(*{{'xi_a', 'xi_b', 'xi_c'}})\nprint(lower({TWO_NOISES!r}, method='heun', "
        "parameters={'mu': ((0.0,) * 7, False), 's': ((0.0,) * 7, False)}))"
    )
    children = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
            env=child(PYTHONHASHSEED=seed, NEURODYN_CACHE_DIR=str(tmp_path / seed)),
        )
        for seed in ("0", "1")
    ]  # fmt: skip
    (first_set, first), (second_set, second) = (c.communicate()[0].split("\n", 1) for c in children)
    assert first_set != second_set  # the order that Brian2 would draw in
    assert first == second and "noise=('xi_a', 'xi_b', 'xi_c')" in first


def test_preferences_and_device_of_the_user_stay():
    from neurodyn.backends.equations_brian2 import brian2_settings

    with brian2_settings() as b2:
        from brian2.devices.device import reset_device
    hook = sys.excepthook
    b2.prefs.codegen.target = "cython"
    b2.set_device("cpp_standalone", build_on_run=False)
    try:
        device = b2.get_device()
        lower(CELL, **SPIKES)
        with pytest.raises(EquationsError):
            lower("dv/dt = -w/ms : 1")
        assert b2.get_device() is device and b2.prefs.codegen.target == "cython"
        assert b2.prefs.codegen.loop_invariant_optimisations and sys.excepthook is hook
    finally:
        reset_device()
        b2.prefs.codegen.target = "auto"
