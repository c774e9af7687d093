"""The text of generated Triton kernels: what it depends on, and that no thread reads what another is still writing."""

import ast

import pytest

import neurodyn as nd
from neurodyn.conformance.circuits import CIRCUITS
from neurodyn.kernels import cache
from neurodyn.kernels.emit import Sample
from neurodyn.kernels.triton_step import TritonStep, compile_triton
from neurodyn.kernels.triton_text import with_barriers

READ, WRITE = "reads", "writes"
# what helpers do with the memory they are given: argument number and kind
HELPERS = {
    "listed": [(2, WRITE)],
    "noted": [(1, WRITE)],
    "propagated": [(0, READ), (6, READ), (6, WRITE)],
    "dense_sum": [(1, READ), (2, READ)],
    "sparse_sum": [(1, READ), (2, READ), (3, READ), (4, READ)],
    "rls_gain": [(0, READ), (0, WRITE), (1, READ), (2, WRITE), (3, WRITE)],
    "set_identity": [(0, WRITE)],
}


def source(circuit, samples=(), dtype="float64"):
    return TritonStep(circuit.program, tuple(Sample(s) for s in samples), dtype).source()


def every(circuit):
    arrays = circuit.program.arrays
    return [a.name for a in arrays if a.role in ("state", "memory") and len(a.axes) < 2]


class Race(AssertionError):
    """Two accesses to one array, one of them a write, in different places and without a barrier between."""


class Threads:
    """Follow a kernel: what was read and written, and where, since the last barrier.

    In a loop over tiles a thread meets its own units only, whatever the array; every other statement is a place of its
    own. The body of a loop is followed twice, and a branch may be taken or not.
    """

    def __init__(self):
        self.since: set[tuple[str, str, int]] = set()  # (array, kind, place)
        self.names: dict[str, str] = {}
        self.places = self.barriers = 0

    def base(self, node):
        """The argument from which a pointer is made."""
        while isinstance(node, ast.BinOp):
            node = node.left
        assert isinstance(node, ast.Name), ast.dump(node)
        return self.names.get(node.id, node.id)

    def access(self, array, kind, place):
        for other, was, where in self.since:
            if other == array and WRITE in (kind, was) and where != place:
                raise Race(f"{array}: {was}, then {kind}")
        self.since.add((array, kind, place))

    def calls(self, node, place):
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            name = ast.unparse(call.func)
            if name == "tl.debug_barrier":
                self.since, self.barriers = set(), self.barriers + 1
            elif name in ("tl.load", "tl.store"):
                self.access(self.base(call.args[0]), READ if name == "tl.load" else WRITE, place)
            for argument, kind in HELPERS.get(name, ()):
                self.access(self.base(call.args[argument]), kind, place)

    def place(self, outer):
        self.places += 1
        return outer or self.places

    def follow(self, body, outer=0):
        for statement in body:
            alone = not outer and "tl.store(" in ast.unparse(statement)  # a single number, written by the first thread
            place = -1 if alone and isinstance(statement, ast.Expr) else self.place(outer)
            if isinstance(statement, ast.For):
                for _ in range(2):
                    self.follow(statement.body, 0 if ast.unparse(statement.target) == "done" else place)
            elif isinstance(statement, ast.If):
                before = set(self.since)
                self.calls(statement.test, place)
                self.follow(statement.body, outer)
                self.since |= before
            else:
                self.calls(statement, place)
                if isinstance(statement, ast.Assign):
                    self.alias(ast.unparse(statement.targets[0]), statement.value)

    def alias(self, name, value):
        while isinstance(value, ast.BinOp):
            value = value.left
        if isinstance(value, ast.Name):
            self.names[name] = self.names.get(value.id, value.id)


def followed(text):
    (kernel,) = (n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef))
    threads = Threads()
    threads.follow(kernel.body)
    return threads


@pytest.mark.parametrize("name", CIRCUITS)
def test_a_barrier_stands_between_what_meets(name):
    circuit, _ = CIRCUITS[name]()
    text = source(circuit, every(circuit))
    assert followed(text).barriers
    lines = text.splitlines()
    needed = 0
    for number, line in enumerate(lines):  # the test sees a missing one, where it is needed
        if "debug_barrier" in line:
            try:
                followed("\n".join([*lines[:number], line.replace("tl.debug_barrier()", "pass"), *lines[number + 1 :]]))
            except Race:
                needed += 1
    assert needed or not circuit.program.spiking


def test_barriers_of_branches():
    """Behind a branch that may not be taken, what was open before it is open still."""
    lines = ["#memory  | a", "x()", "if c:", "    #memory a | b", "    y()", "#memory a | ", "z()", "#memory b | ", "end()"]  # fmt: skip
    assert with_barriers(lines) == [
        "x()",
        "if c:",
        "    tl.debug_barrier()",
        "    y()",
        "tl.debug_barrier()",
        "z()",
        "end()",
    ]


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_text_is_python_and_always_the_same(name):
    (circuit, _), (again, _) = CIRCUITS[name](), CIRCUITS[name]()
    text = source(circuit, every(circuit), "float32")
    compile(text, "kernel", "exec")
    assert text == source(again, every(again), "float32")
    assert "tl.float32" in text and not any(population in text for population in ("cells", "#memory"))


def izhikevich(size, seed):
    return nd.Circuit([nd.izhikevich_2003("cells", size, parameters={"bias": nd.Uniform(0, seed)})], seed=seed)


def test_numbers_are_no_part_of_the_text():
    assert source(izhikevich(3, 1)) == source(izhikevich(500, 7))
    assert source(izhikevich(3, 1)) != source(izhikevich(3, 1), dtype="float32")
    assert source(izhikevich(3, 1)) != source(izhikevich(3, 1), ["cells.v"])


@pytest.mark.usefixtures("triton")
def test_a_kernel_is_written_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path))
    circuit = nd.Circuit([nd.Population("lone", 3, code="v = v*0.37 + 1", variables={"v": "1"})], dt="1 ms")
    module = compile_triton(TritonStep(circuit.program, (), "float64"))
    (path,) = (tmp_path / "kernels").iterdir()
    assert path.stem == module.__name__ and path.read_text() == source(circuit)
    monkeypatch.setattr(cache, "atomic_write", lambda *_: pytest.fail("written again"))
    assert compile_triton(TritonStep(circuit.program, (), "float64")) is module


def test_loops_that_no_kernel_is_written_for():
    """Units by units for each of so many outputs that they are no longer unrolled."""
    cells = nd.Population("cells", 3, code="v = v + 1", variables={"v": "1"})
    state = {"w": ("output*unit", 0.0), "P": ("unit*unit", 1.0), "g": ("output", 2.0)}
    labels = tuple(f"c{k}" for k in range(17))
    readout = nd.Readout("out", "cells.v", labels, state=state, per_step="w = sum(P*g)")
    with pytest.raises(NotImplementedError, match="a loop over #c0,.* x cells x cells'"):
        source(nd.Circuit([cells], readouts=[readout], dt="1 ms"))
