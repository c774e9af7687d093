"""From model text to statements: the one language of cells, filters, readouts and plasticity rules.

The language is Brian2's abstract code (assignments of expressions, one a line) with two additions: names have axes,
so that ``w += step*x`` broadcasts outputs against units, and ``if condition:`` with a network-wide condition.
``sum(x)`` and ``mean(x)`` reduce the last axis, in index order; one number stays itself.
"""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np

from neurodyn import units
from neurodyn.program import Axes, Branch, Item, Op, Operand, Store

_BINARY = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Mod: "mod", ast.FloorDiv: "floordiv"}
_COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_UNARY_FUNCTIONS = {
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "log10": "log10",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "sinh": "sinh",
    "cosh": "cosh",
    "tanh": "tanh",
    "arctan": "arctan",
    "sqrt": "sqrt",
    "abs": "abs",
    "floor": "floor",
    "ceil": "ceil",
    "sign": "sign",
    "exprel": "exprel",
}
_KEEPS_UNIT = {"abs", "floor", "ceil", "copy"}
_FOLD = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "neg": lambda a: -a,
    "div": lambda a, b: a / b,
    "exp": lambda a: float(np.exp(a)),
    "sqrt": lambda a: float(np.sqrt(a)),
    "log": lambda a: float(np.log(a)),
}
_NON_UNIT = {"i", "j", "t", "dt", "N"}


class ModelError(ValueError):
    """A model text that can't be used, with what to do about it."""


@dataclass(frozen=True)
class Symbol:
    """What a name in a text stands for: an array (or literal) with axes, type and, where known, dimensions."""

    operand: Operand
    axes: Axes = ()
    dtype: str = "float"
    writable: bool = False
    dimensions: units.Dimensions | None = None
    guard: str | None = None  # a name that must be true for an assignment to take effect (unless refractory)
    index: str | None = None  # the array of units to gather from, where a synapse reads a unit's value


_LOST = Symbol(math.nan)  # a name that stands for different values in different branches


@dataclass
class Translator:
    """Translate texts of one owner; ``symbols`` maps the names they may use."""

    owner: str
    symbols: Mapping[str, Symbol]
    axes: Axes = ()  # the axes of a draw without argument
    prefix: str = ""  # of the names of temporary values, for texts that share a block
    _items: list[Item] = field(default_factory=list)
    _counter: int = 0
    _streams: dict[str, int] = field(default_factory=dict)
    _phase: str = ""
    _target: str = ""

    def statements(self, text: str, phase: str) -> tuple[Item, ...]:
        """Translate the lines of ``text``; assignments to declared names are stored."""
        return self._run(text, phase, None)[0]

    def expression(self, text: str, phase: str, target: str = "") -> tuple[tuple[Item, ...], Symbol]:
        """Translate one expression, the future value of ``target``; return its statements and its value."""
        self._target = target
        items, value = self._run("", phase, text)
        assert value is not None
        return items, value

    def _run(self, text: str, phase: str, expression: str | None) -> tuple[tuple[Item, ...], Symbol | None]:
        self._items, self._counter, self._phase = [], 0, phase
        scope = dict(self.symbols)
        self._lines(cast(ast.Module, self._parse(text, "exec")).body, scope)
        value = None
        if expression is not None:
            value = self._value(cast(ast.Expression, self._parse(expression.strip(), "eval")).body, scope)
        return tuple(self._items), value

    def _parse(self, text: str, mode: str) -> ast.Module | ast.Expression:  # type: ignore[return]
        import textwrap

        try:
            return ast.parse(textwrap.dedent(text) if mode == "exec" else text, mode=mode)  # type: ignore[return-value]
        except SyntaxError as error:
            line = (error.text or text).strip()
            named = f"{self._target} = " if mode == "eval" and self._target else ""
            wanted = (
                "assignments such as 'v += dt*u'"
                if mode == "exec"
                else "a quantity such as '20 ms', or an expression such as '2*pi*20*Hz'"
            )
            raise ModelError(f"{self.owner}: can't read {named}{line!r} ({error.msg}); write {wanted}") from None

    def _lines(self, lines: Iterable[ast.stmt], scope: dict[str, Symbol]) -> None:
        for line in lines:
            if isinstance(line, ast.Assign) and len(line.targets) == 1:
                name = self._name(line.targets[0])
                self._target = name
                self._assign(name, self._value(line.value, scope), scope)
            elif isinstance(line, ast.AugAssign) and type(line.op) in _BINARY:
                name = self._name(line.target)
                self._target = name
                old, change = self._lookup(name, scope), self._value(line.value, scope)
                self._assign(name, self._op(_BINARY[type(line.op)], old, change), scope)
            elif isinstance(line, ast.If):
                self._branch(line, scope)
            elif isinstance(line, ast.Expr) and isinstance(line.value, ast.Call):
                self._target = self._name(line.value.func)
                self._value(line.value, scope)
            elif not (
                isinstance(line, ast.Pass) or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
            ):
                raise ModelError(
                    f"{self.owner}: {ast.unparse(line)!r} is not part of the language; use assignments, 'if' and functions"
                )

    def _branch(self, line: ast.If, scope: dict[str, Symbol]) -> None:
        condition = self._boolean(self._value(line.test, scope))
        if condition.axes:
            raise ModelError(
                f"{self.owner}: 'if {ast.unparse(line.test)}' has one value for each of {condition.axes}; "
                "an 'if' needs a network-wide condition, use where(condition, a, b) otherwise"
            )
        # the negation comes first: the body may change what the condition reads
        tests = [condition, self._op("not", condition)] if line.orelse else [condition]
        outer, assigned = self._items, []
        for lines, test in zip((line.body, line.orelse), tests, strict=False):
            self._items = []
            inner = dict(scope)
            self._lines(lines, inner)
            body, self._items = tuple(self._items), outer
            self._items.append(Branch(test.operand, body))
            assigned += [name for name, symbol in inner.items() if scope.get(name) is not symbol]
        for name in assigned:  # what a branch may have changed is read from memory again
            if name in self.symbols:
                scope[name] = self.symbols[name]
            else:
                scope[name] = _LOST

    def _assign(self, name: str, value: Symbol, scope: dict[str, Symbol]) -> None:
        declared = self.symbols.get(name)
        if isinstance(value.operand, str) and "%" not in value.operand:
            value = self._op("copy", value)  # a name for an array must not change when the array does
        if declared is not None:
            if not declared.writable:
                raise ModelError(
                    f"{self.owner}: {name!r} can't be assigned here (it is a parameter or belongs to another part)"
                )
            if not set(value.axes) <= set(declared.axes):
                raise ModelError(
                    f"{self.owner}: {name} has one value for each of {declared.axes or '(network)'}, the expression for "
                    f"each of {value.axes}; reduce it with sum() or mean(), or declare {name} with these axes"
                )
            _same_unit(self.owner, f"{name} = ...", declared.dimensions, value.dimensions, zero=value.operand == 0)
            value = self._boolean(value) if declared.dtype == "bool" else self._float(value)
            if declared.guard is not None:
                value = self._emit("select", (scope[declared.guard], value, declared), declared.axes)
            self._items.append(Store(str(declared.operand), value.operand))
            value = replace(value, writable=True, dimensions=declared.dimensions)
            if not set(declared.axes) <= set(value.axes):  # a broadcast value has the declared axes from now on
                self._items.pop()
                value = replace(
                    self._emit("copy", (value,), declared.axes), writable=True, dimensions=declared.dimensions
                )
                self._items.append(Store(str(declared.operand), value.operand))
            for alias, symbol in self.symbols.items():  # "y" and "when.y" are one array
                if alias != name and symbol.operand == declared.operand:
                    scope[alias] = value
        elif "." in name:
            raise ModelError(
                f"{self.owner}: {name!r} can't be assigned here, there is no such array{_nearest(name, self.symbols)}"
            )
        scope[name] = value

    def _value(self, node: ast.expr, scope: Mapping[str, Symbol]) -> Symbol:
        if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
            value = node.value if isinstance(node.value, bool) else float(node.value)
            return Symbol(value, dtype="bool" if isinstance(value, bool) else "float", dimensions=units.DIMENSIONLESS)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._lookup(self._name(node), scope)
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, scope)
            if isinstance(node.op, ast.Not):
                return self._op("not", self._boolean(value))
            if isinstance(node.op, ast.USub | ast.UAdd):
                return self._op("neg", value) if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            if isinstance(node.op, ast.Pow):
                return self._power(self._value(node.left, scope), node.right, scope)
            if type(node.op) in _BINARY:
                return self._op(_BINARY[type(node.op)], self._value(node.left, scope), self._value(node.right, scope))
        if isinstance(node, ast.Compare):
            left, result = self._value(node.left, scope), None
            for op, right_node in zip(node.ops, node.comparators, strict=True):
                if type(op) not in _COMPARE:
                    break
                right = self._value(right_node, scope)
                test = self._op(_COMPARE[type(op)], left, right)
                result = test if result is None else self._op("and", result, test)
                left = right
            else:
                assert result is not None
                return result
        if isinstance(node, ast.BoolOp):
            name = "and" if isinstance(node.op, ast.And) else "or"
            values = [self._boolean(self._value(v, scope)) for v in node.values]
            result = values[0]
            for value in values[1:]:
                result = self._op(name, result, value)
            return result
        if isinstance(node, ast.Call) and not node.keywords:
            return self._call(self._name(node.func), node, scope)
        raise ModelError(f"{self.owner}: {ast.unparse(node)!r} is not part of the language")

    def _call(self, name: str, node: ast.Call, scope: Mapping[str, Symbol]) -> Symbol:
        if name in ("randn", "rand"):
            like = self._value(node.args[0], scope).axes if node.args else self.axes
            if not node.args and not self.axes:
                raise ModelError(
                    f"{self.owner}: {name}() needs to know for which units; write {name}(y) for one draw for each of y"
                )
            label = ".".join(filter(None, (self.owner, self._phase, self._target)))
            count = self._streams[label] = self._streams.get(label, 0) + 1
            stream = label if count == 1 else f"{label}.{count}"
            return self._emit(
                "normal" if name == "randn" else "uniform", (), like, units.DIMENSIONLESS, extra=(stream,)
            )
        args = [self._value(arg, scope) for arg in node.args]

        def need(count: int) -> None:
            if len(args) != count:
                raise ModelError(f"{self.owner}: {name}() takes {count} argument(s), {len(args)} given")

        if name in _UNARY_FUNCTIONS:
            need(1)
            return self._op(_UNARY_FUNCTIONS[name], self._float(args[0]))
        if name in ("sum", "mean"):
            need(1)
            value = self._float(args[0])
            if not value.axes:  # a group of one output has no axis: its sum is itself
                return value
            total = self._emit("sum", (value,), value.axes[:-1], value.dimensions)
            if name == "sum":
                return total
            return self._op("div", total, self._emit("size", (), (), units.DIMENSIONLESS, extra=(value.axes[-1],)))
        if name in ("min", "minimum", "max", "maximum"):
            need(2)
            return self._op(name[:3], *map(self._float, args))
        if name == "clip":
            need(3)
            return self._op("min", self._op("max", args[0], args[1]), args[2])
        if name == "where":
            need(3)
            return self._op("select", self._boolean(args[0]), self._float(args[1]), self._float(args[2]))
        if name == "int":
            need(1)
            return self._float(args[0]) if args[0].dtype == "bool" else self._op("trunc", args[0])
        if name == "timestep":
            need(2)
            return self._op("floordiv", self._op("add", args[0], self._op("mul", Symbol(1e-3), args[1])), args[1])
        if name == "rls":
            if len(args) not in (3, 4):
                raise ModelError(f"{self.owner}: rls(P, x, forgetting) or rls(P, x, forgetting, old_gain)")
            return self._emit("rls", tuple(args), args[1].axes)
        if name == "identity":
            need(2)
            return self._emit("identity", tuple(args), ())
        known = [
            *_UNARY_FUNCTIONS,
            "sum",
            "mean",
            "min",
            "max",
            "clip",
            "where",
            "int",
            "randn",
            "rand",
            "rls",
            "identity",
        ]
        raise ModelError(f"{self.owner}: unknown function {name!r}{_nearest(name, known)}")

    def _power(self, base: Symbol, exponent_node: ast.expr, scope: Mapping[str, Symbol]) -> Symbol:
        exponent = self._value(exponent_node, scope)
        n, base = exponent.operand, self._float(base)
        dimensions = None
        if base.dimensions is not None and isinstance(n, float):
            dimensions = units.power(base.dimensions, n)
        if isinstance(n, float) and isinstance(base.operand, float):
            return Symbol(self._fold(math.pow, base.operand, n), dimensions=dimensions)
        if n == 1.0:
            return base
        if n == 2.0:
            return replace(self._op("mul", base, base), dimensions=dimensions)
        if n == -1.0:
            return self._op("div", Symbol(1.0, dimensions=units.DIMENSIONLESS), base)
        if n == 0.5:
            return replace(self._op("sqrt", base), dimensions=dimensions)
        if isinstance(n, float) and n.is_integer() and 2 < n <= 16:
            return self._emit("power_product", (base,), base.axes, dimensions, extra=(n,))
        return replace(self._op("pow", base, exponent), dimensions=dimensions)

    def _lookup(self, name: str, scope: Mapping[str, Symbol]) -> Symbol:
        if scope.get(name) is _LOST:
            raise ModelError(
                f"{self.owner}: {name!r} is assigned inside an 'if' only; declare it as state, or use where(condition, a, b)"
            )
        if name in scope:
            symbol = scope[name]
            if symbol.index is None:
                return symbol
            gathered = Symbol(symbol.index)
            return self._emit("gather", (symbol, gathered), self.axes, symbol.dimensions, dtype=symbol.dtype)
        if name in ("True", "False"):
            return Symbol(name == "True", dtype="bool", dimensions=units.DIMENSIONLESS)
        if name in ("pi", "e", "inf"):
            return Symbol({"pi": math.pi, "e": math.e, "inf": math.inf}[name], dimensions=units.DIMENSIONLESS)
        if len(name) > 1 and name not in _NON_UNIT:
            try:
                unit = units.quantity(f"1 {name}", name=name)
                return Symbol(float(unit.value), dimensions=unit.dimensions)
            except ValueError:
                pass
        raise ModelError(f"{self.owner}: unknown name {name!r}{_nearest(name, scope)}")

    def _name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return f"{node.value.id}.{node.attr}"
        raise ModelError(f"{self.owner}: {ast.unparse(node)!r} is not a name")

    def _float(self, value: Symbol) -> Symbol:
        if value.dtype == "float":
            return value
        if isinstance(value.operand, bool):
            return replace(value, operand=float(value.operand), dtype="float")
        return self._emit("float", (value,), value.axes, units.DIMENSIONLESS)

    def _boolean(self, value: Symbol) -> Symbol:
        if value.dtype == "bool":
            return value
        if isinstance(value.operand, float):
            return replace(value, operand=value.operand != 0.0, dtype="bool")
        return self._op("ne", value, Symbol(0.0, dimensions=value.dimensions))

    def _op(self, op: str, *args: Symbol) -> Symbol:
        if op not in ("and", "or", "not", "select", "copy"):
            args = tuple(map(self._float, args))
        dimensions = self._dimensions(op, args)
        if op in _FOLD and all(isinstance(a.operand, float) for a in args):
            return Symbol(self._fold(_FOLD[op], *(a.operand for a in args)), dimensions=dimensions)
        axes: list[str] = []
        for arg in args:
            axes += [a for a in arg.axes if a not in axes]
        # outputs before units, so that (output, unit) is the layout of weights however the product is written
        order = sorted(axes, key=lambda a: (not a.startswith("#"), axes.index(a)))
        dtype = "bool" if op in (*_COMPARE.values(), "and", "or", "not") else "float"
        if op == "copy":
            dtype = args[0].dtype
        return self._emit(op, args, tuple(order), dimensions, dtype=dtype)

    def _fold(self, function: Callable[..., float], *numbers: Operand) -> float:
        """Compute with literals; what is no finite number is a slip of the text."""
        try:
            with np.errstate(all="ignore"):
                value = function(*numbers)
        except (ArithmeticError, ValueError):  # division by zero, overflow, a root of a negative number
            value = math.nan
        if not math.isfinite(value) and all(math.isfinite(float(n)) for n in numbers):
            raise ModelError(
                f"{self.owner}: the definition of {self._target or 'a value'} computes no finite number from {', '.join(map(str, numbers))}"
            )
        return value

    def _emit(
        self,
        op: str,
        args: tuple[Symbol, ...],
        axes: Axes,
        dimensions: units.Dimensions | None = None,
        *,
        dtype: str = "float",
        extra: tuple[Operand, ...] = (),
    ) -> Symbol:
        name = f"%{self.prefix}{self._counter}"
        self._counter += 1
        self._items.append(Op(name, op, tuple(a.operand for a in args) + extra, axes, dtype))
        return Symbol(name, axes, dtype, dimensions=dimensions)

    def _dimensions(self, op: str, args: tuple[Symbol, ...]) -> units.Dimensions | None:
        known = [a.dimensions for a in args]
        if op in ("add", "sub", "min", "max", "mod", *_COMPARE.values()):
            _same_unit(self.owner, self._target, known[0], known[1], zero=0.0 in (args[0].operand, args[1].operand))
            result = known[0] if args[0].operand != 0.0 else known[1]
            return result if op not in _COMPARE.values() else units.DIMENSIONLESS
        if op == "select":
            _same_unit(self.owner, self._target, known[1], known[2], zero=0.0 in (args[1].operand, args[2].operand))
            return known[1] if args[1].operand != 0.0 else known[2]
        if any(d is None for d in known):
            return None
        if op == "mul":
            return units.multiply(known[0], known[1])  # type: ignore[arg-type]
        if op in ("div", "floordiv"):
            return units.divide(known[0], known[1])  # type: ignore[arg-type]
        if op == "sqrt":
            return units.power(known[0], 0.5)  # type: ignore[arg-type]
        if op in ("neg", *_KEEPS_UNIT):
            return known[0]
        if op in _UNARY_FUNCTIONS.values() and op != "sign" and known[0] != units.DIMENSIONLESS:
            raise ModelError(
                f"{self.owner}: {op}() in {self._target} needs a number without unit, not {_unit_text(cast(units.Dimensions, known[0]))}"
            )
        return units.DIMENSIONLESS


def _same_unit(owner: str, where: str, a: units.Dimensions | None, b: units.Dimensions | None, *, zero: bool) -> None:
    if a is not None and b is not None and a != b and not zero:
        raise ModelError(
            f"{owner}: {where or 'the text'} mixes {_unit_text(a)} with {_unit_text(b)}; make the units agree"
        )


def _unit_text(dimensions: units.Dimensions) -> str:
    return units.display_unit(dimensions)[0] if any(dimensions) else "a plain number"


def _nearest(name: str, known: Iterable[str]) -> str:
    known = [k for k in known if not k.endswith("_")]  # names of ours, which nobody is to type
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else f"; known here: {', '.join(sorted(known))}"
