"""The definition of the operations: shapes, subsets of units, and the functions of its own."""

import numpy as np
import pytest

from neurodyn.evaluate import Evaluator, exprel, power_product
from neurodyn.program import Array, Block, Branch, Op, Program, Store

SIZES = {"c": 3, "c'": 3, "#A,B": 2}


def no_draws(kind, stream, size):
    raise AssertionError("nothing is drawn here")


def evaluator(arrays, axes, **options):
    return Evaluator(arrays, axes, SIZES, options.pop("draw", no_draws), **options)


def run(ops, arrays, axes, result, *, spikes_of=None, units=None, **options):
    return evaluator(arrays, axes, **options).run(Block("update", "c", tuple(ops), spikes_of, result), units)


def test_exprel_is_smooth_at_zero():
    x = np.array([-1.0, -1e-9, 0.0, 1e-20, 1e-9, 700.0])
    expected = np.array([1 - np.exp(-1), 1 - 5e-10, 1, 1, 1 + 5e-10, np.expm1(700) / 700])
    np.testing.assert_allclose(exprel(x), expected, rtol=1e-15)


def test_power_products_multiply_from_the_left():
    x = np.array([0.1, -3.7, 1e200])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(power_product(x, 5.0), (((x * x) * x) * x) * x)


def test_a_copy_is_spread_over_the_units_and_over_those_that_spiked():
    arrays, axes = {"n": np.array(2.0)}, {"n": ()}
    copy = Op("%0", "copy", ("n",), ("c",))
    np.testing.assert_array_equal(run([copy], arrays, axes, "%0"), [2, 2, 2])
    np.testing.assert_array_equal(run([copy], arrays, axes, "%0", spikes_of="c", units=np.array([1])), [2])
    total = Op("%1", "sum", ("%0",), ())
    assert run([copy, total], arrays, axes, "%1") == 6


def test_a_copy_does_not_follow_its_array():
    arrays, axes = {"c.v": np.arange(3.0)}, {"c.v": ("c",)}
    kept = run([Op("%0", "copy", ("c.v",), ("c",)), Store("c.v", 7.0)], arrays, axes, "%0")
    np.testing.assert_array_equal(kept, [0, 1, 2])
    np.testing.assert_array_equal(arrays["c.v"], [7, 7, 7])


def test_sums_of_nothing_are_zero():
    empty = Evaluator(
        {"c.v": np.empty(0), "w": np.empty((2, 0))}, {"c.v": ("c",), "w": ("#A,B", "c")}, {"c": 0, "#A,B": 2}, no_draws
    )
    assert empty.run(Block("update", "c", (Op("%0", "sum", ("c.v",), ()),), result="%0")) == 0
    block = Block("update", "#A,B", (Op("%0", "sum", ("w",), ("#A,B",)),), result="%0")
    np.testing.assert_array_equal(empty.run(block), [0, 0])


def test_operands_are_turned_to_the_order_of_the_operation():
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.arange(6.0).reshape(3, 2)}
    axes = {"a": ("#A,B", "c"), "b": ("c", "#A,B")}
    block = Block("update", "c", (Op("%0", "sub", ("a", "b"), ("#A,B", "c")), Store("b", "%0")))
    evaluator(arrays, axes).run(block)
    np.testing.assert_array_equal(arrays["b"], (arrays["a"] - np.arange(6.0).reshape(3, 2).T).T)


@pytest.mark.parametrize("holds", [True, False])
def test_branches_run_where_their_condition_holds(holds):
    arrays, axes = {"flag": np.array(holds), "n": np.array(1.0)}, {"flag": (), "n": ()}
    evaluator(arrays, axes).run(Block("update", "c", (Branch("flag", (Store("n", 2.0),)),)))
    assert arrays["n"] == 1 + holds


def test_only_spiking_units_are_read_and_written():
    arrays, axes = {"c.v": np.arange(3.0), "n": np.array(10.0)}, {"c.v": ("c",), "n": ()}
    body = (Op("%0", "add", ("c.v", "n"), ("c",)), Store("c.v", "%0"))
    evaluator(arrays, axes).run(Block("reset", "c", body, spikes_of="c"), np.array([2, 0]))
    np.testing.assert_array_equal(arrays["c.v"], [10, 1, 12])


def test_draws_are_asked_for_whole_populations_and_shaped_like_the_operation():
    asked = []

    def draws(kind, stream, size):
        asked.append((kind, stream, size))
        return np.arange(size, dtype=float)

    body = (Op("%0", "normal", ("s",), ("#A,B", "c")), Store("w", "%0"))
    arrays, axes = {"w": np.zeros((2, 3))}, {"w": ("#A,B", "c")}
    evaluator(arrays, axes, draw=draws).run(Block("update", "c", body))
    np.testing.assert_array_equal(arrays["w"], np.arange(6).reshape(2, 3))
    some = run(
        [Op("%0", "uniform", ("t",), ("c",))], arrays, axes, "%0", spikes_of="c", units=np.array([2]), draw=draws
    )
    np.testing.assert_array_equal(some, [2])
    assert asked == [("normal", "s", 6), ("uniform", "t", 3)]


def test_recursive_least_squares_is_handed_the_matrix_by_name():
    arrays, axes = {"P": np.eye(3), "x": np.ones(3)}, {"P": ("c", "c'"), "x": ("c",)}

    def rls(held, matrix, x, forgetting):
        held[matrix][...] = float(forgetting)
        return x * 2

    gain = run([Op("%0", "rls", ("P", "x", 0.5), ("c",))], arrays, axes, "%0", rls=rls)
    np.testing.assert_array_equal(gain, [2, 2, 2])
    np.testing.assert_array_equal(arrays["P"], np.full((3, 3), 0.5))


def test_identity_sets_a_matrix():
    arrays, axes = {"P": np.ones((3, 3)), "a": np.array(4.0)}, {"P": ("c", "c'"), "a": ()}
    run([Op("%0", "identity", ("P", "a"), ())], arrays, axes, None)
    np.testing.assert_array_equal(arrays["P"], 4 * np.eye(3))


def test_overflow_is_a_matter_of_the_caller():
    arrays, axes = {"n": np.array(1e308)}, {"n": ()}
    assert run([Op("%0", "mul", ("n", 10.0), ())], arrays, axes, "%0") == np.inf


def test_an_evaluator_of_a_program_knows_its_axes():
    program = Program((Array("c.v", ("c",), "state"),), (), ("c",), (), (), (), (), ())
    arrays = {"c.v": np.arange(3.0)}
    made = Evaluator.of(program, arrays, SIZES, no_draws)
    total = made.run(Block("update", "c", (Op("%0", "sum", ("c.v",), ()),), result="%0"))
    assert total == 3
