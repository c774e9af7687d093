"""The part of the lowering that needs Brian2; imported only when the answer is not on disk."""

from __future__ import annotations

import gc
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from numpy import float64

from neurodyn.backends.equations import Equations, Variable, noise_order
from neurodyn.backends.equations_text import EquationsError, declarations, nearest
from neurodyn.units import Dimensions, dimensions_of, display_unit

_hook = sys.excepthook
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # Brian2 calls pyparsing by its old names
    import brian2
    from brian2.codegen.translation import make_statements
    from brian2.core.base import BrianObjectException
    from brian2.core.namespace import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS, DEFAULT_UNITS
    from brian2.devices.device import get_device, reset_device, runtime_device, set_device
    from brian2.stateupdaters.base import UnsupportedEquationsException
    from brian2.utils.logger import catch_logs
sys.excepthook = _hook  # Brian2's would ask our users to report our errors to Brian2

# Numbers come first: the e of 1.e-3 is no name.
_TOKEN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?P<name>[A-Za-z_]\w*)")
_DRAWS = frozenset({"rand", "randn", "poisson"})


@contextmanager
def brian2_settings() -> Iterator[Any]:
    """The brian2 module, set to its numpy target in float64 with nothing hoisted; restored afterwards."""
    wanted = {
        "codegen.target": "numpy",
        "codegen.loop_invariant_optimisations": False,
        "core.default_float_dtype": float64,
        "legacy.refractory_timing": False,
    }
    before = {name: brian2.prefs[name] for name in wanted}
    elsewhere = get_device() is not runtime_device
    if elsewhere:
        set_device(runtime_device)
    try:
        for name, value in wanted.items():
            brian2.prefs[name] = value
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield brian2
    finally:
        for name, value in before.items():
            brian2.prefs[name] = value
        if elsewhere:
            reset_device()


def lower_with_brian2(
    text: str,
    *,
    threshold: str | None,
    reset: str | None,
    refractory: Any,
    period: str | None,
    method: str | None,
    dimensions: Mapping[str, Dimensions],
) -> Equations:
    """`equations.lower` behind its checks and its cache.

    ``text`` is complete, ``period`` names the parameter if ``refractory`` is "variable", and ``dimensions``
    are those promised for parameters and inputs.
    """
    waiting = False if refractory == "none" else period or 1 * brian2.second
    default = inspect.signature(brian2.NeuronGroup).parameters["method"].default
    problem, result = "", None
    with brian2_settings(), catch_logs():
        for choice in (method,) if method else default:
            try:
                group = _prepared(text, threshold, reset, waiting, choice)
            except Exception as error:
                problem = _explained(error, text, threshold, reset, period, method)
                if not any(isinstance(e, UnsupportedEquationsException) for e in _chain(error)):
                    break
            else:
                result = _read(group, refractory, period, choice, dimensions)
                break
        if result is None:
            gc.collect()  # while its log is caught: Brian2 warns about groups that never ran
    if result is None:
        raise EquationsError(problem)
    return result


def _prepared(text: str, threshold: str | None, reset: str | None, refractory: Any, method: str) -> Any:
    """A group of one unit that is ready to run.

    A NeuronGroup rather than `StateUpdateMethod.apply_stateupdater` on the equations alone: that drops
    "(unless refractory)" and skips the checks of units and constancy.
    """
    group = brian2.NeuronGroup(
        1, text, threshold=threshold, reset=reset, refractory=refractory, method=method, namespace={},
        dt=1e-4 * brian2.second, name="neurodyn_equations*",
    )  # fmt: skip
    brian2.Network(group).run(0 * brian2.second, namespace={})
    return group


def _read(
    group: Any, refractory: Any, period: str | None, method: str, dimensions: Mapping[str, Dimensions]
) -> Equations:
    variables = _variables(group)
    _check_dimensions(variables, dimensions, period)
    update = [(name, code) for name, code in _statements(group.state_updater) if name != "not_refractory"]
    noise = noise_order(_text(update))
    for name, code in update:
        drawn = _DRAWS & _names(code)
        if drawn and name not in noise:
            raise EquationsError(
                f"the equations call {min(drawn)}(); write noise as 'xi', which scales with the time step, "
                "or draw in the threshold or the reset"
            )
    if len(noise) > 1:
        update = _in_fixed_order(update)
    threshold = _statements(group.thresholder["spike"]) if "spike" in group.thresholder else []
    reset = _statements(group.resetter["spike"]) if "spike" in group.resetter else []
    _check_temporaries(reset, variables)
    return Equations(
        variables=variables,
        update=_text(update),
        threshold=threshold[-1][1] if threshold else None,
        reset=_text(reset) or None,
        noise=tuple(sorted(noise)),
        method=method if group.equations.diff_eq_names else None,
        refractory=refractory,
    )


def _variables(group: Any) -> tuple[Variable, ...]:
    values = _values()
    written_out: dict[str, str] = {}
    for equation in group.user_equations.ordered:  # sorted by dependence
        if equation.type == "subexpression":
            written_out[equation.varname] = _substituted(equation.expr.code, values)
            values[equation.varname] = f"({written_out[equation.varname]})"
    return tuple(
        Variable(
            name=name,
            kind="state" if equation.type == "differential equation" else equation.type,
            dimensions=tuple(float(d) for d in equation.dim._dims),
            unless_refractory="unless refractory" in equation.flags,
            dtype=equation.var_type,
            constant="constant" in equation.flags,
            shared="shared" in equation.flags,
            expression=written_out.get(name),
        )
        for name, equation in group.user_equations.items()  # in the order of the text
    )


Statements = list[tuple[str, str]]


def _statements(runner: Any) -> Statements:
    """(name, expression) of each assignment that Brian2's numpy code makes, in order."""
    if runner.codeobj is None:
        return []
    # As in Brian2's code generator: it turns "x = x + y + z" into "x += y + z", which rounds differently.
    scalar, vector = make_statements(runner.abstract_code, runner.codeobj.variables, float64, optimise=False)
    statements = scalar + vector
    assigned = {statement.var for statement in statements}
    values = {name: value for name, value in _values().items() if name not in assigned}
    found: Statements = []
    for statement in statements:
        code = _substituted(statement.expr, values)
        if statement.subexpression:
            values[statement.var] = f"({code})"
        elif statement.op in ("=", ":="):
            found.append((statement.var, code))
        else:
            found.append((statement.var, f"{statement.var} {statement.op[:-1]} ({code})"))
    return found


def _in_fixed_order(statements: Statements) -> Statements:
    """The same assignments, by depth of dependence, then by name.

    Brian2 goes through the noise variables as a Python set: without this the text of a model with two of
    them, and with it every hash, would differ from process to process.
    """
    depths: list[int] = []
    for k, (name, code) in enumerate(statements):
        reads = _names(code)
        before = [
            depths[j]
            for j, (earlier, earlier_code) in enumerate(statements[:k])
            if earlier in reads or earlier == name or name in _names(earlier_code)
        ]
        depths.append(1 + max(before, default=-1))
    order = sorted(range(len(statements)), key=lambda k: (depths[k], statements[k][0]))
    return [statements[k] for k in order]


def _check_dimensions(
    variables: tuple[Variable, ...], dimensions: Mapping[str, Dimensions], period: str | None
) -> None:
    for variable in variables:
        name, wanted = variable.name, dimensions.get(variable.name, variable.dimensions)
        if any(abs(a - b) > 1e-9 for a, b in zip(variable.dimensions, wanted, strict=True)):
            raise EquationsError(
                f"{name!r} is declared in {_unit(variable.dimensions)} but given in {_unit(wanted)}; change one of them"
            )
        time = variable.dimensions == dimensions_of("second")
        if name == period and not (variable.kind == "parameter" and time):
            raise EquationsError(
                f"refractory={period!r} is a {variable.kind} in {_unit(variable.dimensions)}; "
                "it has to be a parameter that is a time"
            )


def _check_temporaries(reset: Statements, variables: tuple[Variable, ...]) -> None:
    known = [v.name for v in variables]
    for k, (name, code) in enumerate(reset):
        if name not in known and not any(name in _names(later) for _, later in reset[k + 1 :]):
            raise EquationsError(f"reset sets {name!r} ('{name} = {code}'), which nothing reads{nearest(name, known)}")


def _values() -> dict[str, str]:
    """Units and constants as numbers in SI."""
    known = {**DEFAULT_UNITS, **{name: constant.value for name, constant in DEFAULT_CONSTANTS.items()}}
    numbers = {name: float(value) for name, value in known.items()}  # type: ignore[arg-type]
    return {name: "1e999" if number == float("inf") else repr(number) for name, number in numbers.items()}


def _substituted(code: str, values: Mapping[str, str]) -> str:
    return _TOKEN.sub(lambda match: values.get(match["name"] or "", match[0]), code)


def _names(code: str) -> set[str]:
    return {match["name"] for match in _TOKEN.finditer(code) if match["name"]}


def _text(statements: Statements) -> str:
    return "\n".join(f"{name} = {code}" for name, code in statements)


def _unit(dimensions: Dimensions) -> str:
    return repr(display_unit(tuple(dimensions))[0])  # type: ignore[arg-type]


def _chain(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None:
        if not isinstance(error, BrianObjectException):  # says which object, with a traceback in its text
            found.append(error)
        error = error.__cause__
    return found


def _explained(
    error: Exception,
    text: str,
    threshold: str | None,
    reset: str | None,
    period: str | None,
    method: str | None,
) -> str:
    """What Brian2 objects to, in one short sentence, and what to do."""
    chain = _chain(error)
    for cause in chain:
        said = _short(str(cause.args[0]) if cause.args else str(cause))
        if isinstance(cause, KeyError):
            quoted = re.search(r'"(\w+)"', said)
            name = quoted[1] if quoted else said
            places = {"threshold": threshold, "reset": reset, "refractory": period}
            place = next((p for p, code in places.items() if code and name in _names(code)), "equations")
            declared = declarations(text)
            hints = (nearest(name, known) for known in (declared, DEFAULT_FUNCTIONS, DEFAULT_UNITS))
            if re.fullmatch(r"xi(_\w+)?", name):
                return f"{place}: {name!r} can stand in differential equations only; call randn() here"
            return (
                f"{place}: {name!r} is not declared{next(filter(None, hints), '')}; declare it as "
                f"'{name} : unit (constant)' or give it as a parameter"
            )
        if isinstance(cause, brian2.DimensionMismatchError):
            return f"{said}; write numbers with their unit, such as 5*mV, and check the unit after each ':'"
        if isinstance(cause, UnsupportedEquationsException):
            instead = "'heun'" if "noise" in said else "'euler'"
            return f"method={method!r} cannot integrate these equations: {said}; use {instead}"
    cause = chain[-1]
    return f"Brian2 refuses the model: {_short(str(cause)) or type(cause).__name__}"


def root_cause(error: Exception) -> str:
    """What Brian2 objects to, in one sentence."""
    cause = _chain(error)[-1]
    return _short(str(cause)) or type(cause).__name__


def _short(message: str, length: int = 300) -> str:
    message = " ".join(message.split()).rstrip(".")
    return message if len(message) <= length else f"{message[: length - 3]}..."
