"""Parameters of a simulation: read from a function's signature and docstring, checked by pydantic.

A parameter is keyword-only, has a default and one of these types: ``int``, ``float``, ``bool``, ``str``,
``Path``, ``Literal[...]``, a quantity (``nd.Time`` and its like), ``list[...]`` or ``tuple[..., ...]`` of
them, or ``... | None``.
"""

from __future__ import annotations

import difflib
import inspect
import json
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from neurodyn.units import Units, dimensions_of, display_unit

_PLAIN = {int: "int", float: "float", bool: "bool", str: "str", Path: "path", type(None): "none"}


class ParameterError(ValueError):
    """A parameter that is unknown or has a value of the wrong kind; the message says what is allowed."""


@dataclass(frozen=True)
class Parameter:
    """One parameter: its name, annotation, default, and what the docstring says about it."""

    name: str
    annotation: Any
    default: Any
    doc: str = ""

    @property
    def type(self) -> str:
        """The type in words: ``int``, ``quantity in ms``, ``list of float``, ``'demo' | 'full'``."""
        return type_text(self.annotation)

    def from_text(self, text: str) -> Any:
        """What was typed on a command line, ready for :func:`validate`; lists are split at commas."""
        return _from_text(self.annotation, text)


def type_text(annotation: Any) -> str:
    """An annotation in words; raises `TypeError` where a parameter can't have that type."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if origin is Annotated:
        marks = [mark for mark in arguments[1:] if isinstance(mark, Units)]
        return f"quantity in {display_unit(dimensions_of(marks[0].unit))[0]}" if marks else type_text(arguments[0])
    if origin is Literal:
        return " | ".join(repr(choice) for choice in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(type_text(argument) for argument in arguments)
    if origin is list or (origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis):
        return f"list of {type_text(arguments[0])}"
    raise TypeError(
        f"{annotation!r} cannot be the type of a parameter; use int, float, bool, str, Path, Literal[...], "
        "nd.Time and other quantities, list[...] or tuple[..., ...] of them, or '... | None'"
    )


def read_signature(function: Callable[..., Any], *, handed: int = 0) -> tuple[Parameter, ...]:
    """The parameters of a function behind the first `handed`, each keyword-only, typed and with a default; else `TypeError`."""
    name = getattr(function, "__name__", repr(function))
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise TypeError(f"simulation {name}: {error}; its types have to be importable when it is defined") from None
    docs = _documented(inspect.getdoc(function) or "")
    found = []
    for parameter in list(inspect.signature(function).parameters.values())[handed:]:
        where = f"simulation {name}, parameter {parameter.name!r}"
        if parameter.kind is not parameter.KEYWORD_ONLY:
            raise TypeError(f"{where} has to be keyword-only: write def {name}(*, {parameter.name}: ... = ...)")
        if parameter.default is parameter.empty:
            raise TypeError(f"{where} needs a default, so that the simulation runs as it is")
        if parameter.name not in hints:
            raise TypeError(f"{where} needs a type, such as {parameter.name}: float = {parameter.default!r}")
        try:
            type_text(hints[parameter.name])
        except TypeError as error:
            raise TypeError(f"{where}: {error}") from None
        found.append(Parameter(parameter.name, hints[parameter.name], parameter.default, docs.get(parameter.name, "")))
    return tuple(found)


def _documented(doc: str) -> dict[str, str]:
    """Name -> text of the numpydoc section 'Parameters'."""
    lines = doc.splitlines()
    underlined = [i for i in range(len(lines) - 1) if lines[i].strip() and re.fullmatch(r"\s*-{3,}\s*", lines[i + 1])]
    start = next((i for i in underlined if lines[i].strip() == "Parameters"), None)
    if start is None:
        return {}
    end = next((i for i in underlined if i > start), len(lines))
    texts: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines[start + 2 : end]:
        if line[:1].strip():  # not indented: "name : type" or "one, other : type"
            names = [name.strip() for name in line.split(":")[0].split(",")]
        elif line.strip():
            for name in names:
                texts.setdefault(name, []).append(line.strip())
    return {name: " ".join(text) for name, text in texts.items()}


def _from_text(annotation: Any, text: str) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _from_text(arguments[0], text)
    if origin in (Union, types.UnionType):
        if type(None) in arguments and text.strip().lower() == "none":
            return None
        others = [argument for argument in arguments if argument is not type(None)]
        return _from_text(others[0], text) if len(others) == 1 else text
    if origin is Literal:
        return next((choice for choice in arguments if str(choice) == text.strip()), text)
    if origin in (list, tuple):
        if text.strip().startswith("["):
            try:
                return json.loads(text)
            except json.JSONDecodeError:
                return text
        return [_from_text(arguments[0], part.strip()) for part in text.split(",")] if text.strip() else []
    return text


def model(name: str, parameters: tuple[Parameter, ...]) -> type[Any]:
    """The pydantic model of these parameters: nothing extra, defaults checked as well."""
    from pydantic import BaseModel, ConfigDict, create_model

    taken = [p.name for p in parameters if hasattr(BaseModel, p.name) or p.name.startswith("_")]
    if taken:
        raise TypeError(f"simulation {name}: {taken[0]!r} cannot be the name of a parameter, choose another")
    config = ConfigDict(extra="forbid", validate_default=True, protected_namespaces=())
    fields: dict[str, Any] = {p.name: (p.annotation, p.default) for p in parameters}
    return create_model(name, __config__=config, **fields)


def validate(schema: type[Any], parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> Any:
    """An instance of `model`'s class; raises `ParameterError` with one line that names every fault."""
    from pydantic import ValidationError

    try:
        return schema(**given)
    except ValidationError as error:
        faults = {str(fault["loc"][0]): fault for fault in reversed(error.errors())}  # first fault of each name
        by_name = {p.name: p for p in parameters}
        messages = [_explain(faults[name], by_name.get(name), by_name) for name in sorted(faults)]
        raise ParameterError("; ".join(messages)) from None


def nearest(name: str, known: Any) -> str:
    """``"; did you mean 'x'?"``, or nothing where no known name is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def _explain(fault: Any, parameter: Parameter | None, known: Mapping[str, Parameter]) -> str:
    name, value = str(fault["loc"][0]), fault["input"]
    if parameter is None:
        return unknown(name, known)
    index = next((f"[{part}]" for part in fault["loc"][1:] if isinstance(part, int)), "")
    if isinstance(fault.get("ctx", {}).get("error"), ValueError):
        return str(fault["ctx"]["error"])  # a quantity: the message is complete
    text = f"{name}{index}={value!r} has to be {parameter.type}"
    if fault["type"] == "literal_error":
        return text + nearest(str(value), map(str, _choices(parameter.annotation)))
    if fault["type"].endswith(("_parsing", "_type", "_from_float")):
        return text
    return f"{text}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"


def unknown(name: str, known: Any) -> str:
    """The message for a name that is none of the parameters."""
    hint = nearest(name, known)
    return f"unknown parameter {name!r}{hint or '; there are ' + (', '.join(known) or 'none')}"


def _choices(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for argument in get_args(annotation) for choice in _choices(argument)]
