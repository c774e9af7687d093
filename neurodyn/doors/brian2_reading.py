"""What every part of a Brian2 network is read with: names and their values, texts, and what has to be refused."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2.core.namespace import get_local_namespace as get_local_namespace
from brian2.equations.unitcheck import parse_expression_dimensions as parse_expression_dimensions

from neurodyn.backends.equations_brian2 import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS, brian2
from neurodyn.backends.equations_text import FUNCTIONS, EquationsError, check_language
from neurodyn.parts import Input
from neurodyn.units import DIMENSIONLESS, Dimensions, Quantity

SECOND: Dimensions = tuple(float(d) for d in brian2.second.dim._dims)  # type: ignore[assignment]


class NotExpressible(Exception):
    """What stops one part from being read; it is noted, and the other parts are read on."""


@dataclass
class Reading:
    """A network that is being read: the caller's names, the step in seconds, and what was refused so far.

    ``written`` holds for each group, by its name, the variables that a reset, a synapse or a sum assigns;
    ``delivered`` those that a synapse adds to.
    """

    namespace: Mapping[str, Any]
    step: float
    refusals: list[str] = field(default_factory=list)
    written: dict[str, set[str]] = field(default_factory=dict)
    delivered: dict[str, set[str]] = field(default_factory=dict)
    inputs: dict[int, Input] = field(default_factory=dict)  # by the TimedArray they stand for
    timed: list[Any] = field(default_factory=list)  # keeps these alive, so that no two have one id
    names: set[str] = field(default_factory=set)

    def refuse(self, owner: Any, what: str) -> None:
        """Note what of an object can't be expressed, why, and what to do."""
        line = f"{type(owner).__name__} {owner.name!r}: {what}"
        if line not in self.refusals:
            self.refusals.append(line)

    def new_name(self, wanted: str) -> str:
        """Return a name for a part that no other part has."""
        name = wanted if wanted.isidentifier() else re.sub(r"\W", "_", wanted)
        number = 1
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.add(name)
        return name

    def external(self, owner: Any, names: Iterable[str]) -> dict[str, Any]:
        """Return the constants and TimedArrays, by name, that stand outside of a group; units and functions are left out.

        Raises NotExpressible for names that nobody knows, and for functions of the user.
        """
        found = {}
        for name in sorted(names):
            if name in FUNCTIONS and name in DEFAULT_FUNCTIONS:
                continue
            try:
                value = owner.resolve_all([name], self.namespace)[name]
            except KeyError:
                raise NotExpressible(
                    f"the name {name!r} is known neither in its namespace nor where from_brian2 was called; "
                    "call it where the constants stand, or give the group namespace={...}"
                ) from None
            if isinstance(value, brian2.TimedArray):
                found[name] = value
            elif isinstance(value, brian2.Function):
                raise NotExpressible(
                    f"{name}() is a function that circuits don't know; there are {', '.join(sorted(FUNCTIONS))}"
                )
            elif name not in DEFAULT_UNITS and name not in DEFAULT_CONSTANTS:
                found[name] = Quantity(float(value.get_value()), dimensions(value))
        return found


def dimensions(variable: Any) -> Dimensions:
    """Return the dimensions of a variable, an equation or a quantity of Brian2."""
    return tuple(float(d) for d in variable.dim._dims)  # type: ignore[return-value]


def parent(group: Any) -> Any:
    """Return the group that a subgroup is a part of, or the group itself."""
    return group.source if isinstance(group, brian2.Subgroup) else group


def statements(code: str) -> list[tuple[str, type[ast.operator] | None, ast.expr]]:
    """Return (name, operator of an augmented assignment or None, expression) of each assignment.

    Raises NotExpressible for what is no assignment.
    """
    try:
        check_language(code, "code", "exec")
    except EquationsError as error:
        raise NotExpressible(str(error)) from None
    found: list[tuple[str, type[ast.operator] | None, ast.expr]] = []
    for statement in ast.parse(textwrap.dedent(code)).body:
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            found.append((statement.target.id, type(statement.op), statement.value))
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            found.append((statement.targets[0].id, None, statement.value))
        else:
            raise NotExpressible(f"{ast.unparse(statement)!r} is no assignment")
    return found


def note_reset(group: Any, reading: Reading) -> None:
    """Note which variables the reset of a group changes."""
    if "spike" not in getattr(group, "event_codes", {}):
        return
    try:
        assigned = {name for name, *_ in statements(group.event_codes["spike"])}
    except NotExpressible as error:
        reading.refuse(group, f"its reset: {error}")
    else:
        reading.written.setdefault(group.name, set()).update(assigned & set(group.user_equations))


def names_of(*codes: str | ast.AST | None) -> set[str]:
    """Return the names in texts or trees, functions and ``xi`` left out."""
    found: set[str] = set()
    for code in codes:
        if code is None:
            continue
        tree = ast.parse(textwrap.dedent(code).strip()) if isinstance(code, str) else code
        called = {id(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and not (id(node) in called and node.id in FUNCTIONS):
                found.add(node.id)
    return {n for n in found if not re.fullmatch(r"xi(_\w+)?", n) and n not in ("True", "False")}


_NUMPY: dict[str, Any] = {
    name: getattr(np, name)
    for name in "abs arccos arcsin arctan ceil clip cos cosh exp expm1 floor log log10 log1p sign sin sinh sqrt tan tanh".split()
}


def evaluated(expression: str | ast.expr, values: Mapping[str, Any]) -> Any:
    """Return the numbers of an expression, in SI units and in Brian2's order; ``values`` are numbers or arrays by name."""
    text = expression if isinstance(expression, str) else ast.unparse(expression)
    try:
        check_language(text, "expression", "eval")
    except EquationsError as error:
        raise NotExpressible(str(error)) from None
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in _NUMPY:
            raise NotExpressible(f"{node.func.id}() in {text!r}, which is no fixed number; write the numbers out")
    units = {**DEFAULT_UNITS, **{name: constant.value for name, constant in DEFAULT_CONSTANTS.items()}}
    known = {**{name: float(value) for name, value in units.items()}, **_NUMPY, **values}  # type: ignore[arg-type]
    return eval(compile(ast.parse(text.strip(), mode="eval"), "expression", "eval"), {"__builtins__": {}}, known)


def one_or_all(values: Any, unit: Dimensions = DIMENSIONLESS) -> Quantity:
    """Return one number where all are the same, else all of them."""
    array = np.asarray(values, dtype=float)
    same = array.ndim == 0 or (array.size > 0 and bool(np.all(array == array.flat[0])))
    return Quantity(float(array.flat[0]) if same else array.copy(), unit)


def check_when(reading: Reading, owner: Any, part: Any, slot: str) -> None:
    """Refuse an object that runs at another time in a step, or that is switched off."""
    if part.when != slot:
        reading.refuse(
            owner, f"{part.name} runs in slot {part.when!r}: circuits have one order of a step; leave it in {slot!r}"
        )
    if not part.active:
        reading.refuse(owner, f"{part.name} is switched off (active=False): leave it out, or switch it on")


class _Renamed(ast.NodeTransformer):
    """Puts other expressions in the place of names."""

    def __init__(self, names: Mapping[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.names.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(a) for a in node.args]
        return node


def renamed(expression: ast.expr, names: Mapping[str, ast.expr]) -> str:
    """Return the text of an expression with names replaced."""
    copy = ast.parse(ast.unparse(expression), mode="eval").body
    return ast.unparse(ast.fix_missing_locations(_Renamed(names).visit(copy)))
