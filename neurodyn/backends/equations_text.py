"""The text of model equations: what it declares, what may stand in it, and what is appended to it.

By Brian2's grammar, but without importing Brian2, which costs a second.
"""

from __future__ import annotations

import ast
import difflib
import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from neurodyn.units import Dimensions, dimensions_of

RESERVED = frozenset(
    {"dt", "t", "i", "N", "t_in_timesteps", "xi", "rand", "randn", "poisson", "not_refractory", "lastspike",
     "refractory", "refractory_until"}
)  # fmt: skip
FUNCTIONS = frozenset(
    "abs arccos arcsin arctan ceil clip cos cosh exp expm1 exprel floor int log log10 log1p poisson rand randn sign sin "
    "sinh sqrt tan tanh timestep".split()
)
NOTHING: Mapping[str, Any] = MappingProxyType({})
Kind = Literal["state", "parameter", "subexpression"]

# dx/dt = ... : unit (flags)    x = ... : unit (flags)    x : unit (flags)
_DEFINITION = re.compile(
    r"\s*(?:d(?P<state>[A-Za-z_]\w*)\s*/\s*dt\s*=[^:]*|(?P<subexpression>[A-Za-z_]\w*)\s*=(?!=)[^:]*"
    r"|(?P<parameter>[A-Za-z_]\w*)\s*):(?P<unit>[\w*/.\- ]+)(?:\s*\((?P<flags>[^()]*)\))?"
)
_FLAGS: dict[Kind, tuple[str, ...]] = {
    "state": ("unless refractory",),
    "parameter": ("constant", "shared"),
    "subexpression": ("shared",),
}
_REFUSED_FLAGS = {
    "linked": "linked variables are not supported; make it an input and connect the populations",
    "constant over dt": "values held over a step are not supported; write the expression without the flag, "
    "and noise as 'xi'",
    "summed": "sums over synapses belong to a connection, not to the equations; make it an input",
    "event-driven": "event-driven equations belong to synapses",
    "clock-driven": "clock-driven equations belong to synapses",
}
_LANGUAGE = (
    ast.Module, ast.Expression, ast.Assign, ast.AugAssign, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call,
    ast.Name, ast.Constant, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
_BASE_UNITS = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candela")
_NAMED_UNITS = ("1", "volt", "amp", "second", "siemens", "ohm", "farad", "hertz", "coulomb", "metre")


class EquationsError(ValueError):
    """Equations, threshold, reset or their parameters that cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Declaration:
    """One definition in the text: its kind, its flags, and the definition on one line."""

    kind: Kind
    flags: tuple[str, ...]
    text: str


def brian2_equations_text(
    equations: str,
    *,
    parameters: Mapping[str, tuple[Dimensions, bool]] = NOTHING,
    inputs: Mapping[str, Dimensions] = NOTHING,
) -> str:
    """The equations as Brian2's NeuronGroup takes them: the user's text without comments, then what it leaves undeclared.

    Parameters (name to dimensions and whether shared) come as ``name : unit (constant)`` or ``(constant,
    shared)``, inputs as ``name : unit``, all in base units. Raises `EquationsError` for text that cannot be
    read, for names that collide, and for declarations that do not fit.
    """
    declared = declarations(equations)
    both = sorted(set(parameters) & set(inputs))
    if both:
        raise EquationsError(f"{both[0]!r} is both a parameter and an input; a name can be one of them")
    lines = []
    for name, (dimensions, shared) in parameters.items():
        _check_name(name, "parameter")
        if name not in declared:
            lines.append(f"{name} : {unit_text(dimensions)} ({'constant, shared' if shared else 'constant'})")
        elif declared[name].kind != "parameter":
            raise EquationsError(
                f"parameter {name!r} is a {declared[name].kind} of the equations; "
                "rename one of them, or give a starting value instead"
            )
        elif shared != ("shared" in declared[name].flags):
            raise EquationsError(
                f"parameter {name!r} is {'one value' if shared else 'one value per unit'} but declared as "
                f"{declared[name].text!r}; {'add' if shared else 'drop'} the flag 'shared'"
            )
    for name, dimensions in inputs.items():
        _check_name(name, "input")
        if name not in declared:
            lines.append(f"{name} : {unit_text(dimensions)}")
        elif declared[name].kind != "parameter" or "constant" in declared[name].flags:
            raise EquationsError(
                f"input {name!r} is written every step, but the equations have {declared[name].text!r}; "
                f"declare it as '{name} : {unit_text(dimensions)}'"
            )
    return "\n".join([without_comments(equations).rstrip(), *lines])


def declarations(equations: str) -> dict[str, Declaration]:
    """Names that the text declares, in its order; raises `EquationsError` where it cannot be read."""
    if not isinstance(equations, str):
        raise EquationsError(f"equations={equations!r} has to be text, such as 'dv/dt = -v/(10*ms) : volt'")
    source = without_comments(equations).rstrip()
    found: dict[str, Declaration] = {}
    position = 0
    while position < len(source):
        match = _DEFINITION.match(source, position)
        if match is None:
            line = source[position:].strip().splitlines()[0]
            raise EquationsError(
                f"cannot read the equations at {line!r}; write 'dv/dt = ... : volt', 'I = ... : amp' or "
                "'tau : second (constant)'"
            )
        position = match.end()
        kind: Kind = next(k for k in _FLAGS if match[k] is not None)
        name, text = match[kind], " ".join(match[0].split())
        flags = tuple(" ".join(flag.split()) for flag in (match["flags"] or "").split(",") if flag.strip())
        _check_name(name, kind)
        if kind != "parameter":
            check_language(text.partition("=")[2].partition(":")[0].strip(), "equations", "eval")
        if name in found:
            raise EquationsError(f"{name!r} is declared twice: {found[name].text!r} and {text!r}")
        for flag in flags:
            if flag not in _FLAGS[kind]:
                known = _FLAGS[kind]
                why = _REFUSED_FLAGS.get(flag, f"a {kind} can have {' and '.join(map(repr, known))}")
                raise EquationsError(f"{text!r} has the flag {flag!r}: {why}{nearest(flag, known)}")
        found[name] = Declaration(kind, flags, text)
    return found


def without_comments(text: str) -> str:
    """The text without comments: Brian2 takes what follows a ";" in one for a statement."""
    return re.sub(r"#[^\n]*", "", text)


def check_language(code: str, where: str, mode: Literal["eval", "exec"]) -> None:
    """Refuse all but assignments and expressions of numbers, names and Brian2's functions.

    It is no matter of taste: Brian2 hands a text inside a call to sympy, which executes it as Python, and equations may
    come from anybody's file.
    """
    try:
        tree = ast.parse(textwrap.dedent(code) if mode == "exec" else code.strip(), mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
        raise EquationsError(f"{where}: cannot read {' '.join(code.split())[:200]!r} ({said})") from None
    for node in ast.walk(tree):
        function = node.func if isinstance(node, ast.Call) else None
        if isinstance(function, ast.Name) and function.id not in FUNCTIONS:
            known = f"; there are {', '.join(sorted(FUNCTIONS))}"
            raise EquationsError(f"{where}: {function.id!r} is no function{nearest(function.id, FUNCTIONS) or known}")
        text = isinstance(node, ast.Constant) and not isinstance(node.value, bool | int | float)
        odd = isinstance(node, ast.Call) and (not isinstance(function, ast.Name) or bool(node.keywords))
        if text or odd or not isinstance(node, _LANGUAGE):
            line = ast.unparse(node).splitlines()[0][:200]
            raise EquationsError(
                f"{where}: {line!r} is not part of the language; there are assignments and expressions of numbers, names "
                "and functions"
            )


def nearest(name: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for messages, empty if nothing is near."""
    known = list(known)
    near = [k for k in known if k.lower() == name.lower()] or difflib.get_close_matches(name, known, 2, 0.6)
    return f"; did you mean {' or '.join(repr(n) for n in near[:2])}?" if near else ""


def _check_name(name: str, kind: str) -> None:
    if name in RESERVED or name.startswith("xi_"):
        raise EquationsError(f"{kind} {name!r}: this name has a meaning of its own in equations; choose another")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name.endswith(("_pre", "_post")):
        raise EquationsError(
            f"{kind} {name!r} needs a name of letters, digits and '_' that starts with a letter and does not "
            "end in '_pre' or '_post'"
        )


def unit_text(dimensions: Dimensions) -> str:
    """The unit of these dimensions as Brian2 reads it, such as ``siemens`` or ``metre**2*kilogram``."""
    for name in _NAMED_UNITS:
        if dimensions_of(name) == tuple(dimensions):
            return name
    factors = [(n, int(e) if e == int(e) else e) for n, e in zip(_BASE_UNITS, dimensions, strict=True) if e]
    return "*".join(name if e == 1 else f"{name}**{e}" for name, e in factors)
