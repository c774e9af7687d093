"""Circuits from anybody's file: no text in them is ever executed as Python, no number leads compiled code astray."""

import ast
import contextlib
import copy
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.circuit import Circuit
from neurodyn.kernels.step import StepText
from neurodyn.network import realize
from neurodyn.parts import CircuitError

PACKAGE = Path(nd.__file__).parent
EQUATIONS = "dv/dt = (v_rest - v)/tau : volt (unless refractory)\ndI/dt = -I/(5*ms) : amp"


def circuit(**changes):
    """A circuit with text in every place that takes some."""
    cells = nd.Population("cells", 3, changes.get("equations", EQUATIONS), threshold=changes.get("threshold", "v > v_t"),
                          reset=changes.get("reset", "v = v_rest"), method="euler", refractory="2 ms", labels={},
                          parameters={"tau": nd.Uniform("10 ms", "20 ms"), "v_rest": "-70 mV", "v_t": "-50 mV", "k": "i*2"},
                          initial={"v": "v_rest + 5*mV*rand()"})  # fmt: skip
    other = nd.Population("other", 2, code="x = x + I_in", variables={"x": "1", "I_in": "1"}, threshold="x > 3",
                          reset="x = 0", labels={"x": "counts"})  # fmt: skip
    times = nd.SpikeTimes("times", 2, [0, 1], ["1 ms", "2 ms"])
    out = nd.Readout("out", "rate", ("p", "q"), state={"y": "output", "z": "unit"}, memory={"w": ("output*unit", 0.25)},
                     parameters={"scale": 0.1}, per_step="y = sum(w*r)*scale", trial_start="z = r", trial_end="z = r",
                     labels={"y": "a.u."}, rule=nd.Rule("rule", per_step="w += eta*y*r", parameters={"eta": 1e-3}))  # fmt: skip
    links = [
        nd.Connection(
            cells, cells, "I", probability=0.5, weight="20*pA*randn()", delay="1*ms + rand()*ms", name="random"
        ),
        nd.Connection(times, cells, "I", pairs=([0, 1], [2, 2]), weight="10 pA", delay="0.5 ms", name="pairs"),
        nd.Connection("drive", other, "I_in", weight=nd.Normal(0, 1), pattern="all", name="normal"),
    ]
    return nd.Circuit([cells, other, times], links, inputs=[nd.Input("drive", ("p",), pulses=(("0 ms", "1 ms", 2.0),))],
                      filters=[nd.Filter("rate", cells, "20 ms")], readouts=[out], dt="0.5 ms", seed=5)  # fmt: skip


@pytest.fixture
def sentinel(tmp_path):
    path = tmp_path / "sentinel"
    yield path
    assert not path.exists()


def payloads(sentinel):
    """Python that makes a file, dressed as what a place may expect."""
    call = f"__import__('os').system('touch {sentinel}')"
    return [
        call,
        f'exp("{call}")',
        f'v = v  # a comment; v = v*exp("{call}")',
        f"x = 1\n{call}",
        f"p\n{call}#",
        f'dv/dt = -v/(10*ms)*exp("{call}") : volt\nI = clip("{call}", 0, 1)*amp : amp',
    ]


def leaves(tree, path=()):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def changed(tree, path, value):
    tree = copy.deepcopy(tree)
    branch = tree
    for key in path[:-1]:
        branch = branch[key]
    branch[path[-1]] = value
    return tree


def test_text_anywhere_in_a_circuit_is_refused_or_only_text(sentinel):
    """Lowered, emitted and run; what gets through as a label or a name stands in no generated code."""
    tree, ran = circuit().to_tree(), 0
    for path, value in leaves(tree):
        if not (value is None or isinstance(value, str)):
            continue
        for payload in payloads(sentinel):
            try:
                hostile = Circuit.from_tree(changed(tree, path, payload))
                text = StepText(hostile.program, (), "float64").text()
                nd.simulate(hostile, "1 ms", backend="interpreter")
            except ValueError:
                continue
            finally:
                assert not sentinel.exists(), (path, payload)
            assert "touch" not in text and "system" not in text, (path, payload)
            ran += 1
    assert ran  # labels and names of channels may be any text


@pytest.mark.parametrize("place", ["equations", "threshold", "reset"])
@pytest.mark.parametrize("method", ["euler", "exact", "exponential_euler"])
def test_equations_never_reach_sympy_as_text(sentinel, place, method):
    """Brian2 hands a text inside a call to sympy, which evaluates it: it has to be refused before that."""
    text = f'exp("""__import__(\'os\').system(\'touch {sentinel}\')""")'
    given = {"equations": f"dv/dt = -v/(10*ms)*{text} : volt", "threshold": f"v > {text}*mV", "reset": f"v = v*{text}"}
    for code in (given[place], given[place].replace('"""', "'''")):
        with pytest.raises(ValueError, match="not part of the language"):
            run(place, code, method)
    with contextlib.suppress(ValueError):  # or it is a comment: Brian2 splits lines at ";" before it looks for those
        run(place, given[place].replace(text, f"1 # x ; v = v*{text}"), method)
    assert not sentinel.exists()


def run(place, code, method):
    options = {"equations": "dv/dt = -v/(10*ms) : volt", "threshold": "v > 0*volt", "reset": "v = 0*volt", place: code}
    nd.simulate(nd.Circuit([nd.Population("cells", 1, method=method, **options)]), "1 ms", backend="brian2")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("random.indptr", lambda a: a - 8, "don't describe synapses"),
        ("random.indptr", lambda a: a[::-1].copy(), "don't describe synapses"),
        ("random.indptr", lambda a: a * 0 + [0, 2**40, 0, a[-1]], "don't describe synapses"),
        ("random.targets", lambda a: a * 0 + 3, "don't describe synapses"),
        ("random.targets", lambda a: a * 0 - 1, "don't describe synapses"),
        ("random.delays", lambda a: a * 0 - 10**6, "needed are steps, 0 or more"),
        ("random.delays", lambda a: a[:1], "one for each of the"),
        ("random.weights", lambda a: a[:1], "one for each of the"),
        ("cells.tau", lambda a: a[:1], "shape"),
    ],
)
def test_numbers_that_would_lead_outside_an_array_are_refused(name, values, message):
    net = circuit()
    assert realize(net).wiring["random"].targets.size > 1
    stored = net.to_tree()["values"][name]
    hostile = Circuit.from_tree(changed(net.to_tree(), ("values", name), values(stored)))
    with pytest.raises(CircuitError, match=message):
        realize(hostile)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"@kind": "Circuit", "populations": 3},
        {"@kind": ["Circuit"]},
        {"@kind": np.zeros(2)},
        {"@kind": "sequence", "0": 1, "2": 2},
        {"@kind": "mapping", "@order": 5},
        {"@kind": "Quantity", "value": 1},
        {"@kind": "Uniform", "low": 0, "high": 1},
        {"@kind": "Population", "name": "os", "size": 1, "__class__": "type"},
        {"@kind": "os.system"},
    ],
)
def test_trees_that_describe_no_circuit_are_refused(tree):
    with pytest.raises(ValueError):
        Circuit.from_tree(tree)


# What could execute, and where it may stand. A new entry needs a reason why nothing from a recording gets there.
EXECUTING_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "exec_module", "import_module"}
EXECUTING_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "yaml",
    "runpy",
}
EXECUTING_MODULES |= {"code", "codeop", "imp", "subprocess", "ctypes"}
ALLOWED = {
    ("scripts.py", "exec_module"): "runs the script that its user names",
    ("kernels/cache.py", "exec_module"): "imports code generated from a Program, whose names are numbered",
    ("kernels/tensors.py", "exec"): "the same, as functions on tensors",
    ("kernels/tensors.py", "compile"): "the same",
    ("__init__.py", "import_module"): "public names from a constant table",
    ("analysis/__init__.py", "import_module"): "the same",
    ("models/__init__.py", "import_module"): "the same",
    ("plots/__init__.py", "import_module"): "the same",
    ("recording/__init__.py", "import_module"): "the same",
    ("training/__init__.py", "import_module"): "the same",
    ("doors/__init__.py", "import_module"): "the same, and the package that a door needs, by a constant name",
    (
        "doors/brian2_reading.py",
        "compile",
    ): "expressions of Brian2 objects in the user's process, checked by language.py",
    ("doors/brian2_reading.py", "eval"): "the same, without builtins",
    ("recording/reader.py", "import_module"): "a constant name",
    ("backends/__init__.py", "import_module"): "runners from a constant table, and those that a user registers",
    ("recording/provenance.py", "subprocess"): "git, with constant arguments",
    ("scan/link.py", "subprocess"): "starts the server of a scan, whose script its user names",
    ("scan/point.py", "ctypes"): "two calls of prctl, with constant arguments",
    ("scan/server.py", "ctypes"): "the same",
    ("scan/warm.py", "pickle"): "names that a child of this process wrote, in a folder that only its user can write",
    ("scan/warm.py", "import_module"): "modules of a constant set of packages, named by the same",
    ("scan/warm.py", "compile"): "Numba's, of functions in the package and in the script that its user names",
    ("scan/executors/slurm_commands.py", "subprocess"): "sbatch, squeue and scontrol, with checked arguments",
    ("scan/scan.py", "import_module"): "executors from a constant tuple",
    ("doctor.py", "subprocess"): "looks for compilers, with constant arguments",
}


def executing(path):
    """Everything in a file that could execute what it is given."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            last = name.rpartition(".")[2]
            if name != "re.compile" and last in EXECUTING_CALLS:
                yield last
            if name in ("torch.load", "np.load", "numpy.load", "os.system", "os.popen"):
                yield name
            yield from ("allow_pickle" for keyword in node.keywords if keyword.arg == "allow_pickle")
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in EXECUTING_MODULES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in EXECUTING_MODULES:
            yield str(node.module)


def test_nothing_in_the_package_executes_but_what_has_a_reason():
    found = {(p.relative_to(PACKAGE).as_posix(), what) for p in PACKAGE.rglob("*.py") for what in executing(p)}
    assert not found - set(ALLOWED), "could execute what a file holds: use something else, or give a reason in ALLOWED"
    assert not set(ALLOWED) - found, "no longer there: take it off the list"


def test_the_search_finds_what_it_looks_for(tmp_path):
    bad = ["import pickle", "from yaml import load", "eval('1')", "os.system('a')", "compile('1', '', 'eval')"]
    bad.append("np.load('a', allow_pickle=True)")
    (tmp_path / "a.py").write_text("\n".join([*bad, "re.compile('a')", "platform.system()", "import os.path"]))
    found = ["allow_pickle", "compile", "eval", "np.load", "os.system", "pickle", "yaml"]
    assert sorted(executing(tmp_path / "a.py")) == found


def test_the_bait_works(tmp_path):
    """Each payload would make the file if anybody executed it."""
    made = 0
    for payload in payloads(tmp_path / "bait"):
        start = payload.index("__import__")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert eval(payload[start : payload.index("')", start + 16) + 2]) == 0
        made += (tmp_path / "bait").exists()
        os.unlink(tmp_path / "bait")
    assert made == len(payloads(tmp_path))
