"""What depends on parameters alone is computed once, and nothing else is moved."""

import numpy as np

import neurodyn as nd
from neurodyn.lowering import lower
from neurodyn.network import realize
from neurodyn.program import Branch, operations


def population(code="v = v + 1", *, size=3, name="cells", **options):
    options = {"variables": {"v": "1", "I": "1"}, **options}
    return nd.Population(name, size, code=code, **options)


def one(code, **options):
    return lower(nd.Circuit([population(code, **options)], dt="1 ms"))


def update(program):
    return [op.op for block in program.phase("update") for op in operations(block.body)]


def constants(program):
    return [op.op for block in program.phase("constants") for op in operations(block.body)]


def test_what_depends_on_parameters_alone_is_computed_once():
    program = one("v = v*exp(-dt/tau) + 2*g", parameters={"tau": "5 ms", "g": [1, 2, 3]})
    assert update(program) == ["mul", "add"]
    assert sorted(constants(program)) == ["div", "exp", "mul", "neg"]
    network = realize(nd.Circuit([population("v = v*exp(-dt/tau)", parameters={"tau": "5 ms"})], dt="1 ms"))
    (factor,) = (a for a in network.program.arrays if a.role == "constant" and network.values[a.name] > 0)
    assert network.values[factor.name] == np.exp(-np.float64(1e-3) / np.float64(5e-3)) and factor.axes == ()


def test_equal_expressions_share_a_constant_across_parts_of_a_circuit():
    text = "v = v*exp(-dt/tau)\nI = I*exp(-dt/tau)"
    program = one(text, parameters={"tau": "5 ms"}, threshold="v > 3", reset="v = v*exp(-dt/tau)")
    assert constants(program).count("exp") == 1
    assert (
        len(
            {
                op.args[1]
                for block in program.blocks
                if block.phase != "constants"
                for op in operations(block.body)
                if op.op == "mul"
            }
        )
        == 1
    )


def test_constants_differ_where_signs_of_zero_or_types_do():
    program = one("v = v + g*0.0\nI = I + g*(-0.0)", parameters={"g": 1.0})
    assert constants(program).count("mul") == 2


def test_what_changes_stays_in_the_step():
    program = one("v = v + step*g + randn()*g + t/ms", parameters={"g": 2.0})
    assert constants(program) == []
    assert {"normal", "mul", "add"} <= set(update(program))


def test_constants_inside_branches_are_hoisted_too():
    readout = nd.Readout(
        "out", "cells.v", ("a", "b"), state={"n": "network"}, parameters={"g": 3.0}, per_step="if n < 5:\n    n += g*g"
    )
    program = lower(nd.Circuit([population()], readouts=[readout], dt="1 ms"))
    (block,) = program.phase("observe")
    (branch,) = (item for item in block.body if isinstance(item, Branch))
    assert [op.op for op in operations(branch.body)] == ["add"]
    assert "mul" in constants(program)


def test_products_of_weights_are_not_kept_as_constants():
    """A constant over two axes would be another weight matrix."""
    readout = nd.Readout(
        "out", "cells.v", ("a", "b"), state={"w": "output*unit", "y": "output"}, per_step="w = w + y*(r*2)"
    )
    program = lower(nd.Circuit([population()], readouts=[readout], dt="1 ms"))
    assert all(len(a.axes) < 2 for a in program.arrays if a.role == "constant")
