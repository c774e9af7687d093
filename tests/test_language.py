"""The model language: what each operation computes, scopes and branches, units, and what is refused."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurodyn import units
from neurodyn.evaluate import Evaluator
from neurodyn.kernels.philox import draw
from neurodyn.language import ModelError, Symbol, Translator
from neurodyn.program import Block, Branch, operations, stores

UNIT, OUT = "cells", "#A,B"
SIZES = {UNIT: 4, f"{UNIT}'": 4, OUT: 2, "#x,y,z": 3}


class Bench:
    """Run texts on named arrays; ``axes`` may be (), (UNIT,), (OUT, UNIT), ..."""

    def __init__(self, dtype: Any = np.float64, **arrays):
        self.axes, self.arrays, self.symbols, self.draws = {}, {}, {}, []
        self.dtype = dtype
        for name, (value, *axes) in arrays.items():
            self.declare(name, value, *axes)

    def declare(self, name, value, *axes, writable=True, dimensions=None):
        value = np.asarray(value)
        value = value if value.dtype == bool else value.astype(self.dtype)
        self.arrays[name], self.axes[name] = value.copy(), tuple(axes)
        kind = "bool" if value.dtype == bool else "float"
        self.symbols[name] = Symbol(name, tuple(axes), kind, writable, dimensions)
        return self

    def evaluator(self):
        def draws(kind, stream, size):
            self.draws.append(stream)
            return draw(kind, size, seed=1, step=2, stream=stream)

        evaluator = Evaluator(self.arrays, self.axes, SIZES, draws)
        evaluator.dtype = self.dtype
        return evaluator

    def items(self, text, axes=()):
        return Translator("me", self.symbols, axes).statements(text, "phase")

    def run(self, text, axes=(), units=None):
        block = Block("phase", "me", self.items(text, axes), UNIT if units is not None else None)
        self.evaluator().run(block, units)
        return self.arrays

    def value(self, text, axes=()):
        items, result = Translator("me", self.symbols, axes).expression(text, "phase")
        owner = result.axes[0] if result.axes else UNIT
        got = self.evaluator().run(Block("phase", owner, items, result=result.operand))
        return np.asarray(got)


X = np.array([-2.5, -0.0, 0.75, 3.0])
Y = np.array([2.0, -1.5, 0.25, -7.0])


@pytest.fixture
def bench():
    return Bench(x=(X, UNIT), y=(Y, UNIT), s=(1.75,), b=(X > 0, UNIT), w=(np.arange(8.0).reshape(2, 4) - 3, OUT, UNIT))


def quiet(function, *args):
    with np.errstate(all="ignore"):
        return function(*args)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", X + Y), ("x - y", X - Y), ("x*y", X * Y), ("x/y", X / Y), ("x % y", X % Y), ("x // y", X // Y),
        ("-x", -X), ("+x", X), ("x + s", X + 1.75), ("2*3 + x", 6 + X), ("x < y", X < Y), ("x <= y", X <= Y),
        ("x > y", X > Y), ("x >= -0.0", X >= 0), ("x == 3", X == 3), ("x != 3", X != 3), ("-1 < x < 1", (X > -1) & (X < 1)),
        ("not b", X <= 0), ("b and x < 1", (X > 0) & (X < 1)), ("b or y > 0 or x == 0", (X > 0) | (Y > 0) | (X == 0)),
        ("where(b, x, y)", np.where(X > 0, X, Y)), ("where(x, 1, 0)", np.where(X != 0, 1.0, 0.0)),
        ("min(x, y)", np.minimum(X, Y)), ("maximum(x, y)", np.maximum(X, Y)), ("clip(x, -1, 1)", np.clip(X, -1, 1)),
        ("abs(x)", abs(X)), ("floor(x)", np.floor(X)), ("ceil(x)", np.ceil(X)), ("int(x)", np.trunc(X)), ("int(b)", (X > 0) * 1.0),
        ("sign(x)", np.sign(X)), ("sqrt(abs(x))", np.sqrt(abs(X))), ("exp(x)", np.exp(X)), ("expm1(x)", np.expm1(X)),
        ("log(abs(y))", np.log(abs(Y))), ("log1p(abs(x))", np.log1p(abs(X))), ("log10(abs(y))", np.log10(abs(Y))),
        ("sin(x)", np.sin(X)), ("cos(x)", np.cos(X)), ("tan(x)", np.tan(X)), ("sinh(x)", np.sinh(X)), ("cosh(x)", np.cosh(X)),
        ("tanh(x)", np.tanh(X)), ("arctan(x)", np.arctan(X)), ("exprel(y)", np.expm1(Y) / Y), ("exprel(0*s)", 1.0),
        ("b + 1", (X > 0) + 1.0), ("b*x", (X > 0) * X), ("timestep(s, 0.25)", 7.0), ("x*pi", X * math.pi), ("x*e", X * math.e),
        ("sum(x)", ((X[0] + X[1]) + X[2]) + X[3]), ("mean(y)", (((Y[0] + Y[1]) + Y[2]) + Y[3]) / 4), ("True and x > 0", X > 0),
        ("min(inf, x)", X), ("sum(s) + mean(s) + sum(1)", 4.5), ("x*2*mV", X * 2 * 1e-3), ("where(s > 1, x, y)", X),
    ],
)  # fmt: skip
def test_operations_are_those_of_numpy(bench, text, expected):
    np.testing.assert_array_equal(bench.value(text), expected)


@pytest.mark.parametrize("n", [-1, 0.5, 1, 2, 3, 4, 7, 16])
def test_integer_powers_are_products_from_the_left(bench, n):
    expected = {-1: 1 / abs(Y), 0.5: np.sqrt(abs(Y))}.get(n)
    if expected is None:
        expected = abs(Y)
        for _ in range(n - 1):
            expected = expected * abs(Y)
    np.testing.assert_array_equal(bench.value(f"abs(y)**{n}"), expected)
    items = bench.items(f"x = abs(y)**{n}")
    assert "pow" not in {op.op for op in operations(items)}


def test_other_powers_are_those_of_numpy(bench):
    np.testing.assert_array_equal(bench.value("abs(y)**1.5"), abs(Y) ** 1.5)
    np.testing.assert_array_equal(bench.value("abs(y)**s"), abs(Y) ** 1.75)
    assert bench.value("2**3 + 0*s") == 8


def test_nan_and_signed_zeros_follow_numpy():
    nan, values = np.nan, np.array([np.nan, -0.0, 0.0, 1.0])
    bench = Bench(x=(values, UNIT), y=(np.array([1.0, 0.0, -0.0, nan]), UNIT))
    for text, function in (("min(x, y)", np.minimum), ("max(x, y)", np.maximum)):
        np.testing.assert_array_equal(bench.value(text), quiet(function, values, bench.arrays["y"]))
    assert not np.signbit(bench.value("sum(0*x - 0*x)"))
    assert not np.signbit(Bench(x=(-np.zeros(4), UNIT)).value("sum(x)"))  # 0.0 + -0.0 + ...


# -- axes ------------------------------------------------------------------------------------------------------


def test_axes_are_broadcast_by_name_with_outputs_first(bench):
    w, out = bench.arrays["w"].copy(), np.array([10.0, -1.0])
    bench.declare("out", out, OUT)
    np.testing.assert_array_equal(bench.value("x*out"), out[:, None] * X)
    np.testing.assert_array_equal(bench.value("out*x"), out[:, None] * X)
    expected = np.zeros(2)
    for i in range(4):
        expected = expected + w[:, i] * X[i]
    np.testing.assert_array_equal(bench.value("sum(w*x)"), expected)
    bench.run("w += out*x")
    np.testing.assert_array_equal(bench.arrays["w"], w + out[:, None] * X)


def test_two_groups_of_outputs_keep_apart_in_either_order():
    a, c = np.array([1.0, 2.0]), np.array([3.0, 5.0, 7.0])
    bench = Bench(a=(a, OUT), c=(c, "#x,y,z"))
    np.testing.assert_array_equal(bench.value("a*c + c*a"), 2 * np.outer(a, c))
    np.testing.assert_array_equal(bench.value("c*a - a*c*2"), -np.outer(c, a))


def test_a_number_is_spread_over_the_units(bench):
    np.testing.assert_array_equal(bench.run("x = s*2")["x"], np.full(4, 3.5))
    np.testing.assert_array_equal(bench.run("x = 5\ny = x + 1")["y"], np.full(4, 6.0))


def test_sums_run_in_index_order():
    values = np.array([1e16, 1.0, -1e16, 1.0])  # ((1e16 + 1) - 1e16) + 1 = 1 in that order, 2 in others
    bench = Bench(x=(values, UNIT))
    assert bench.value("sum(x)") == 1.0
    assert np.sum(values[[0, 2, 1, 3]]) == 2.0


def test_statements_on_spiking_units_leave_the_others(bench):
    ids = np.array([1, 3])
    expected = X.copy()
    expected[ids] = Y[ids] * 2 + 1.75
    np.testing.assert_array_equal(bench.run("x = y*2 + s", units=ids)["x"], expected)


# -- assignments and scopes --------------------------------------------------------------------------------------


def test_lines_see_what_the_lines_before_assigned(bench):
    bench.run("a = x\nx = y\ny = a\ns = sum(x)")
    np.testing.assert_array_equal(bench.arrays["x"], Y)
    np.testing.assert_array_equal(bench.arrays["y"], X)
    assert bench.arrays["s"] == Y.sum()


def test_an_alias_of_an_array_follows_its_assignment(bench):
    bench.symbols["me.x"] = Symbol("x", (UNIT,))
    np.testing.assert_array_equal(bench.run("x = x + 1\ny = me.x")["y"], X + 1)


@pytest.mark.parametrize("s", [0.0, 1.0])
def test_branches(s):
    bench = Bench(s=(s,), n=(5.0,), x=(X, UNIT))
    bench.run("if s > 0:\n    n = n + 1\n    x = x*2\nelse:\n    n = -n\nx = x + n")
    assert bench.arrays["n"] == (6 if s else -5)
    np.testing.assert_array_equal(bench.arrays["x"], X * 2 + 6 if s else X - 5)


def test_elif_and_nested_branches():
    text = "if s < 1:\n    n = 1\nelif s < 2:\n    if n > 3:\n        n = 2\nelse:\n    n = 3"
    for s, expected in ((0.0, 1), (1.0, 2), (2.0, 3)):
        assert Bench(s=(s,), n=(5.0,)).run(text)["n"] == expected


def test_only_one_branch_runs_where_the_body_changes_the_condition():
    bench = Bench(flag=(np.array(True),), n=(0.0,))
    bench.run("if flag:\n    flag = False\n    n += 1\nelse:\n    n += 10")
    assert bench.arrays["n"] == 1


def test_a_guarded_variable_rests(bench):
    bench.symbols["x"] = Symbol("x", (UNIT,), writable=True, guard="b")
    bench.symbols["not_refractory"] = bench.symbols["b"]
    np.testing.assert_array_equal(bench.run("x = x + 1\nx = x + 1")["x"], np.where(X > 0, X + 2, X))


def test_draws_have_streams_named_after_owner_phase_and_target(bench):
    bench.run("x = randn() + randn()\ny = rand()\ns = sum(randn(x))", axes=(UNIT,))
    assert bench.draws == ["me.phase.x", "me.phase.x.2", "me.phase.y", "me.phase.s"]
    np.testing.assert_array_equal(bench.arrays["y"], draw("uniform", 4, seed=1, step=2, stream="me.phase.y"))


def test_draws_are_made_for_all_units_though_few_spike(bench):
    ids = np.array([3])
    bench.run("x = randn()", axes=(UNIT,), units=ids)
    assert bench.arrays["x"][3] == draw("normal", 4, seed=1, step=2, stream="me.phase.x")[3]
    np.testing.assert_array_equal(bench.arrays["x"][:3], X[:3])


# -- units -----------------------------------------------------------------------------------------------------

VOLT, SECOND = units.dimensions_of("volt"), units.dimensions_of("second")


@pytest.fixture
def physical():
    bench = Bench()
    bench.declare("v", X, UNIT, dimensions=VOLT).declare("tau", 0.02, dimensions=SECOND)
    bench.declare("n", X, UNIT, dimensions=units.DIMENSIONLESS).declare("unknown", 1.0)
    return bench


@pytest.mark.parametrize(
    "text",
    [
        "v = v + 5*mV", "v = 0", "v = v*exp(-tau/(2*ms))", "v = where(v > 0*mV, 0, v)", "v = where(v > 0, v, 0)",
        "v = clip(v, 0, 2*mV)", "v = sqrt(v*v)", "v = v**2/mV", "v = max(0, v)", "n = v/mV", "v = v*unknown", "n = sign(v)",
        "v = unknown", "v = randn()*mV", "v = abs(v)", "n = int(v > 0*mV)", "tau = 2*tau - 3*ms", "v = mean(v)",
    ],
)  # fmt: skip
def test_units_that_agree(physical, text):
    physical.symbols["tau"] = Symbol("tau", (), writable=True, dimensions=SECOND)
    physical.run(text, axes=(UNIT,))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v = 1", "mixes mV with a plain number"), ("v = tau", "mixes mV with ms"), ("v = v + tau", "mixes mV with ms"),
        ("v = v*v", "make the units agree"), ("n = exp(v)", r"exp\(\) in n needs a number without unit, not mV"),
        ("n = int(v > 3)", "mixes mV with a plain number"), ("v = where(n > 0, v, 1)", "mixes"), ("v = randn()", "mixes"),
        ("v = clip(v, 0, 1)", "mixes"), ("v = v**0.5", "mixes"), ("v = where(n > 0, 0, n)", "mixes"),
    ],
)  # fmt: skip
def test_units_that_do_not(physical, text, message):
    with pytest.raises(ModelError, match=message):
        physical.items(text, axes=(UNIT,))


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = velocity", "unknown name 'velocity'; known here: b, s, w, x, y"), ("x = vv + yy", "unknown name 'vv'"),
        ("x = sinn(y)", r"unknown function 'sinn'; did you mean 'sin'\?"), ("x = exp(x, y)", r"exp\(\) takes 1 argument\(s\), 2 given"),
        ("x = where(b, x)", r"where\(\) takes 3"), ("x = ~y", "not part of the language"), ("x = y if b else 1", "not part of the language"),
        ("x = 'a'", "not part of the language"), ("x = [1, 2]", "not part of the language"), ("x[0] = 1", "is not a name"),
        ("x, y = y, x", "is not a name"), ("for k in x: y = 1", "not part of the language"), ("x = y @ y", "not part of the language"),
        ("x = (", r"can't read"), ("import os", "not part of the language"), ("x = y = 1", "not part of the language"),
        ("x = exp(x=1)", "not part of the language"), ("x = sum(y, y)", "takes 1"),
        ("s = x", r"reduce it with sum\(\) or mean\(\)"), ("x = w", r"reduce it"), ("if x > 0:\n    y = 1", "needs a network-wide condition"),
        ("x = y + 1/0", "no finite number from 1.0, 0.0"), ("x = y*sqrt(-1)", "no finite number"), ("x = y*log(0)", "no finite number"),
        ("x = y*(-8)**0.5", "no finite number"), ("x = y*10**400", "no finite number"), ("x = y*0**-1", "no finite number"),
        ("x = rls(w)", r"rls\(P, x, forgetting\)"), ("other.w = 1", "'other.w' can't be assigned here"), ("x = 1j*x", "not part of the language"),
        ("s = rand()", r"rand\(\) needs to know for which units; write rand\(y\)"), ("x += nothing", "unknown name 'nothing'"),
        ("nothing += x", "unknown name 'nothing'"),
    ],
)  # fmt: skip
def test_what_the_language_does_not_have_is_refused_by_name(bench, text, message):
    with pytest.raises(ModelError, match=message) as error:
        bench.items(text)
    assert str(error.value).startswith("me: ")


def test_parameters_are_read_only(bench):
    bench.declare("tau", 1.0, writable=False)
    with pytest.raises(ModelError, match="'tau' can't be assigned here"):
        bench.items("tau = 2")
    with pytest.raises(ModelError, match="'tau' can't be assigned here"):
        bench.items("tau += 2")


def test_a_name_of_one_branch_is_lost_behind_it(bench):
    for text in ("a = 1\nif s > 0:\n    a = 2\nx = a", "if s > 0:\n    a = 2\nx = a"):
        with pytest.raises(ModelError, match="'a' is assigned inside an 'if' only"):
            bench.items(text)
    bench.items("if s > 0:\n    a = 2\n    s = a\na = 3\nx = a")


def test_comments_text_and_pass_are_skipped(bench):
    assert bench.items("# nothing\n'''words'''\npass\n") == ()
    assert [s.array for s in stores(bench.items("\n    x = 1  # indented as a whole\n    y = 2\n"))] == ["x", "y"]


def test_branches_hold_their_statements(bench):
    *_, branch = bench.items("if s > 0:\n    x = 1")
    assert isinstance(branch, Branch) and [s.array for s in stores(branch.body)] == ["x"]


# -- random expressions ------------------------------------------------------------------------------------------

LEAVES = st.sampled_from(["x", "y", "s", "z", "2", "0.5", "-3.0", "1e-3", "7"])


def _grow(inner):
    pair = st.tuples(inner, inner)
    condition = st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner).map(
        lambda t: f"({t[0]} {t[1]} {t[2]})"
    )
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(condition, inner, inner).map(lambda t: f"where({t[0]}, {t[1]}, {t[2]})"),
        pair.map(lambda t: f"minimum({t[0]}, {t[1]})"),
        pair.map(lambda t: f"maximum({t[0]}, {t[1]})"),
        inner.map(lambda t: f"abs({t})"),
        inner.map(lambda t: f"(-{t})"),
        inner.map(lambda t: f"floor({t})"),
    )


EXPRESSIONS = st.recursive(LEAVES, _grow, max_leaves=12)
NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=4, max_size=4)
PYTHON = {"where": np.where, "minimum": np.minimum, "maximum": np.maximum, "abs": np.abs, "floor": np.floor}


@given(EXPRESSIONS, NUMBERS, NUMBERS, NUMBERS, st.floats(allow_nan=False))
@settings(max_examples=150, deadline=None)
def test_random_expressions_are_those_of_python(text, x, y, z, s):
    arrays = {"x": np.array(x), "y": np.array(y), "z": np.array(z), "s": np.array(s)}
    bench = Bench(x=(x, UNIT), y=(y, UNIT), z=(z, UNIT), s=(s,))
    try:
        got = bench.value(text)
    except ModelError as error:  # literals that divide by zero
        assume("finite number" not in str(error))
        raise
    expected = quiet(eval, text, {"__builtins__": {}}, {**PYTHON, **arrays})
    expected = np.asarray(expected, dtype=float)
    np.testing.assert_array_equal(got, expected)
    numbers = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got)[numbers], np.signbit(expected)[numbers])


@pytest.mark.parametrize(
    "text", ["x*0.1 + s", "where(x > 0.3, x/3, y)", "x**3", "mean(x)", "int(x > 0)*0.1", "sum(w*x)"]
)
def test_float32_rounds_after_every_operation(text):
    rng, F = np.random.default_rng(0), np.float32
    x, y, w, s = rng.normal(size=4).astype(F), rng.normal(size=4).astype(F), rng.normal(size=(2, 4)).astype(F), F(0.7)
    bench = Bench(F, x=(x, UNIT), y=(y, UNIT), w=(w, OUT, UNIT), s=(s,))
    expected = {
        "x*0.1 + s": x * F(0.1) + s, "where(x > 0.3, x/3, y)": np.where(x > F(0.3), x / F(3), y), "x**3": x * x * x,
        "mean(x)": (((x[0] + x[1]) + x[2]) + x[3]) / F(4), "int(x > 0)*0.1": (x > 0).astype(F) * F(0.1),
        "sum(w*x)": ((w[:, 0] * x[0] + w[:, 1] * x[1]) + w[:, 2] * x[2]) + w[:, 3] * x[3],
    }[text]  # fmt: skip
    got = bench.value(text)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, expected)


def test_float32_draws_are_rounded_float64_draws():
    bench = Bench(np.float32, x=(np.zeros(4), UNIT))
    expected = draw("normal", 4, seed=1, step=2, stream="me.phase").astype(np.float32)
    np.testing.assert_array_equal(bench.value("randn(x)"), expected)
