"""Model equations with units, lowered to abstract code by Brian2 and kept on disk.

Brian2's state updaters turn differential equations into assignments that are the same for every target.
This module asks Brian2 for them once and keeps the answer, so that later runs need not import it (a second).
The text of the answer is Brian2's own, with three changes: unit names are replaced by their value in SI base
units (``5*ms`` reads ``5*0.001``), subexpressions are written out where they are used, and ``x += y`` reads
``x = x + (y)``. Evaluated in float64 from left to right it gives the bits of Brian2's numpy target.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any, Literal

from neurodyn.backends.equations_text import (
    NOTHING,
    EquationsError,
    Kind,
    brian2_equations_text,
    check_language,
    declarations,
    nearest,
    without_comments,
)
from neurodyn.kernels import cache
from neurodyn.units import Dimensions

__all__ = [
    "METHODS",
    "Equations",
    "EquationsError",
    "Variable",
    "brian2_equations_text",
    "lower",
    "noise_order",
]

METHODS = ("euler", "exact", "exponential_euler", "rk2", "rk4", "heun", "milstein")
_FORMAT = 1  # of the cache files: raise it whenever the same arguments are to give another text
_EXAMPLE = {"threshold": "v > -50*mV", "reset": "v = v_rest"}


@dataclass(frozen=True)
class Variable:
    """One name that the equations declare.

    ``constant`` and ``shared`` are the flags of a parameter. ``expression`` is the value of a subexpression
    in terms of states and parameters, None for others. ``unless_refractory`` marks states that stand still
    while the unit is refractory: Brian2 neither integrates them nor lets synapses write to them then.
    """

    name: str
    kind: Kind
    dimensions: Dimensions
    unless_refractory: bool = False
    dtype: Literal["float", "integer", "boolean"] = "float"
    constant: bool = False
    shared: bool = False
    expression: str | None = None


@dataclass(frozen=True)
class Equations:
    """What one population computes in one step, as text.

    ``update`` and ``reset`` hold one assignment a line, ``threshold`` a boolean expression; all quantities
    are in SI base units. Names are those of ``variables``, intermediate results (``_v``, ``__k_1_v``,
    whatever a reset introduces), and ``dt``, ``t``, ``i``, ``N``, ``t_in_timesteps``. Without differential
    equations ``update`` is empty and ``method`` None.

    A draw reads ``xi = dt**.5 * randn()``; ``noise`` holds the names so assigned, in the order of
    ``update``, which is alphabetical. Brian2 itself draws in the order of a Python set, which differs
    between processes: a runner that replaces Brian2's draws needs :func:`noise_order`.

    With ``refractory`` "constant" or "variable", ``not_refractory`` stands in ``update`` and ``threshold``:
    true again from int((period + 1e-3*dt)/dt) steps after a spike. In ``update``, not in ``reset``, an
    assignment to a variable with ``unless_refractory`` counts only where ``not_refractory`` is true,
    whatever its right-hand side gives elsewhere: ``exponential_euler`` divides by int(not_refractory).

    The solution of "exact" is singular where two of its rates are equal. That depends on values, so it
    shows as NaN at run time, not here.
    """

    variables: tuple[Variable, ...]
    update: str
    threshold: str | None
    reset: str | None
    noise: tuple[str, ...]
    method: str | None
    refractory: Literal["none", "constant", "variable"]


def lower(
    equations: str,
    *,
    threshold: str | None = None,
    reset: str | None = None,
    refractory: str | float | None = None,
    method: str | None = None,
    parameters: Mapping[str, tuple[Dimensions, bool]] = NOTHING,
    inputs: Mapping[str, Dimensions] = NOTHING,
) -> Equations:
    """Turn equations in Brian2's language into abstract code.

    Parameters
    ----------
    equations : str
        ``dv/dt = ... : volt``, ``I = ... : amp``, ``tau : second (constant)``, each on one or more lines.
    threshold : str, optional
        One boolean expression.
    reset : str, optional
        Assignments, one a line.
    refractory : float or str, optional
        Seconds, 0 or more, or the name of a parameter that is a time.
    method : str, optional
        One of `METHODS`; None takes Brian2's choice (exact where it can, else euler, else heun).
    parameters : mapping of name to (dimensions, shared)
        Constants; those that the text does not declare are appended to it.
    inputs : mapping of name to dimensions
        What other parts of the circuit write every step; likewise.

    Raises
    ------
    EquationsError
        Anything that Brian2 or the other backends cannot run, by name.
    """
    text = brian2_equations_text(equations, parameters=parameters, inputs=inputs)
    _check_events(threshold, reset, refractory)
    threshold, reset = (None if code is None else without_comments(code) for code in (threshold, reset))
    if threshold is not None:
        check_language(threshold, "threshold", "eval")
    check_language(reset or "", "reset", "exec")
    _check_method(method)
    _check_refractory(equations, refractory)
    period = refractory if isinstance(refractory, str) else None
    # The length of a constant period is no part of the text: one lowering serves all lengths.
    waiting = "none" if refractory is None else "variable" if period else "constant"
    key = _key([text, threshold, reset, waiting, period, method, [*parameters.items()], [*inputs.items()]])
    result = _read(key)
    if result is None:
        from neurodyn.backends.equations_brian2 import lower_with_brian2

        result = lower_with_brian2(
            text,
            threshold=threshold,
            reset=reset,
            refractory=waiting,
            period=period,
            method=method,
            dimensions={**{name: dimensions for name, (dimensions, _) in parameters.items()}, **inputs},
        )
        _write(key, result)
    return result


def noise_order(abstract_code: str) -> tuple[str, ...]:
    """Names of the noise variables in the order in which a text of Brian2 (or ``update``) draws them.

    ``noise_order(group.state_updater.abstract_code)``, once the group was prepared, tells whose draws the
    k-th call of ``randn`` in that code object has to return.
    """
    return tuple(re.findall(r"^(xi\w*) = dt\*\*\.5 \* randn\(\)", abstract_code, flags=re.MULTILINE))


def _check_events(threshold: Any, reset: Any, refractory: Any) -> None:
    for what, code in (("threshold", threshold), ("reset", reset)):
        if isinstance(code, Mapping):
            raise EquationsError(f"{what}={code!r}: custom events are not supported; give one {what} as text")
        if code is not None and not isinstance(code, str):
            raise EquationsError(f"{what}={code!r} has to be text, such as {_EXAMPLE[what]!r}")
    if threshold is not None and (not threshold.strip() or re.search(r"[\n;]", threshold.strip())):
        raise EquationsError(
            f"threshold={threshold!r} has to be one expression on one line, such as {_EXAMPLE['threshold']!r}"
        )
    if threshold is None and (reset is not None or refractory is not None):
        what = "reset" if reset is not None else "refractory"
        raise EquationsError(f"{what} needs a threshold, such as {_EXAMPLE['threshold']!r}")


def _check_refractory(equations: str, refractory: Any) -> None:
    if isinstance(refractory, str):
        if not refractory.isidentifier():
            raise EquationsError(
                f"refractory={refractory!r} has to be a number of seconds or the name of a parameter that is "
                "a time; put an expression into a parameter of its own"
            )
    elif refractory is not None:
        number = isinstance(refractory, (int, float)) and not isinstance(refractory, bool)
        if not number or not 0 <= refractory < math.inf:
            raise EquationsError(f"refractory={refractory!r} has to be 0 or more seconds, finite")
    else:
        for name, declaration in declarations(equations).items():
            if "unless refractory" in declaration.flags:
                raise EquationsError(
                    f"{name!r} is declared '(unless refractory)' but refractory=None; give a period in "
                    "seconds, 0 for none, or drop the flag"
                )


def _check_method(method: Any) -> None:
    if method is None or method in METHODS:
        return
    known = ", ".join(map(repr, METHODS))
    if isinstance(method, str) and method.startswith("gsl"):
        raise EquationsError(
            f"method={method!r} is not supported: it chooses its own steps; use 'rk4' with a smaller dt, "
            f"or one of {known}"
        )
    hint = "; did you mean 'exact'?" if method in ("linear", "independent") else nearest(str(method), METHODS)
    raise EquationsError(f"method={method!r} is not one of {known}{hint}")


def _key(arguments: list[Any]) -> str:
    # sympy arranges the terms, so its version belongs to the key as much as Brian2's.
    stamp = [_FORMAT, _version("brian2"), _version("sympy"), *arguments]
    return hashlib.sha256(json.dumps(stamp).encode()).hexdigest()


_version = functools.cache(version)  # each asks the disk, and a scan lowers thousands of circuits


def _read(key: str) -> Equations | None:
    try:
        stored = json.loads((cache.folder() / "equations" / f"{key}.json").read_text(encoding="utf-8"))
        fields = dict(stored["equations"])
        variables = [{**v, "dimensions": tuple(v["dimensions"])} for v in fields.pop("variables")]
        noise = tuple(fields.pop("noise"))
        return Equations(variables=tuple(Variable(**v) for v in variables), noise=noise, **fields)
    except (OSError, ValueError, TypeError, KeyError):
        return None  # absent, cut short or of another make: lowered again and rewritten


def _write(key: str, equations: Equations) -> None:
    with contextlib.suppress(OSError):  # a full or read-only disk costs the next run a second, nothing else
        text = json.dumps({"equations": asdict(equations)}, indent=1)
        cache.atomic_write(cache.folder() / "equations" / f"{key}.json", text)
