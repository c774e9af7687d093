"""Which papers stand behind a model, a rule, a task: said where it is defined, carried by the parts that it returns.

Keys are those of :mod:`neurodyn.report.bibliography`. A class says ``references: ClassVar[tuple[str, ...]] = ("bellec2020",)``,
a function is marked by :func:`cites`; what has no source of its own says so with none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

Made = TypeVar("Made", bound=Callable[..., Any])


def cites(*keys: str) -> Callable[[Made], Made]:
    """Mark a function with the keys of its references; the part or circuit that it returns bears them too.

    The function has them as its attribute ``references``. What it returns keeps those that it had, and they come after
    the new ones; values without such a field are returned as they are.
    """

    def mark(function: Made) -> Made:
        @functools.wraps(function)
        def marked(*args: Any, **options: Any) -> Any:
            found = function(*args, **options)
            return _with(found, keys) if keys and is_dataclass(found) else found

        marked.references = keys  # type: ignore[attr-defined]
        return cast(Made, marked)

    return mark


def _with(found: Any, keys: tuple[str, ...]) -> Any:
    """`found` with these references first, if they are a field of its own: those of a class (ClassVar) are its class's."""
    if all(field.name != "references" for field in fields(found)):
        return found
    return replace(found, references=tuple(dict.fromkeys((*keys, *found.references))))
