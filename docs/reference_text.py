"""How signatures and docstrings look in the reference: defaults as one writes them, links at types; conf.py connects it."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction
from functools import cache
from typing import Any

import reference
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

_WITH_TYPES = ("Parameters", "Attributes", "Returns", "Yields")
_AFTER_RETURNS = ("Raises", "Notes", "References", "Examples")
_LONGEST = 70  # letters of a default that is shown whole


@cache
def classes() -> dict[str, str]:
    """The documented classes by their last name, but for names that two have."""
    found: dict[str, list[str]] = {}
    for name in (name for page in reference.pages() for name in page.names if name.kind == "class"):
        found.setdefault(name.last, []).append(name.full)
    return {last: full[0] for last, full in found.items() if len(full) == 1}


def shown_signature(
    app: Any, what: str, name: str, target: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Put what factories make in the place of "<factory>", short numbers for long ones; leave private parameters out."""
    if not signature:
        return signature, returns
    for field in dataclasses.fields(target) if dataclasses.is_dataclass(target) else ():
        if field.default_factory is not dataclasses.MISSING:
            made = field.default_factory()
            text = repr(made) if len(repr(made)) <= _LONGEST else f"{type(made).__name__}(...)"
            signature = signature.replace(f"{field.name}=<factory>", f"{field.name}={text}")
    signature = re.sub(r"<built-in function (\w+)>", r"\1", signature)
    signature = re.sub(r"\b\d+\.\d{9,}\b", lambda found: _as_fraction(found[0]), signature)
    return re.sub(r", _\w+(?:=[^,()]*)?(?=[,)])", "", signature), returns


def _as_fraction(number: str) -> str:
    """A fraction of small numbers that is the same float, or else the number as it is: 7/15 for 0.4666666666666667."""
    near = Fraction(number).limit_denominator(1000)
    return str(near) if float(near) == float(number) else number


def shown_docstring(app: Any, what: str, name: str, target: Any, options: Any, lines: list[str]) -> None:
    """Link documented classes where types stand, and pages of the documentation; say what a function returns."""
    lines[:] = [re.sub(r"(?:``)?docs/(\w+)\.md(?:``)?", r":doc:`docs/\1.md </\1>`", line) for line in lines]
    drawn_by = getattr(_owner(name), "_figure", "") if name.endswith(".plot") else ""
    if drawn_by:
        of = "the function of ``neurodyn.plots`` that does it"
        lines[:] = [line.replace(of, f":func:`neurodyn.plots.{drawn_by}`") for line in lines]
    if what == "function" or (what == "method" and "Parameters" in lines):
        _add_returned(target, lines)
    section = ""
    for at, line in enumerate(lines):
        if at + 1 < len(lines) and re.fullmatch("-{3,}", lines[at + 1]):
            section = line
        elif section in _WITH_TYPES and re.match(r"[^\s-]", line):
            named = " : " in line or section in ("Parameters", "Attributes")
            before, colon, types = line.partition(" : ") if named else ("", "", line)
            lines[at] = before + colon + linked(types)


@cache
def _named() -> dict[str, Any]:
    return {name.full: name.target for page in reference.pages() for name in page.names}


def _owner(method: str) -> Any:
    """The documented class whose method this is, by the full name of the method."""
    return _named().get(method.rpartition(".")[0])


def linked(types: str) -> str:
    """The text of a type with documented classes as links; what stands in backticks stays."""
    names = "|".join(sorted(classes(), key=len, reverse=True))
    pattern = rf"(?<![\w.`])(?:neurodyn\.(?:\w+\.)*)?({names})\b"
    parts = re.split(r"(`+[^`]*`+)", types)
    parts[::2] = [
        re.sub(pattern, lambda found: f":class:`{found[1]} <{classes()[found[1]]}>`", part) for part in parts[::2]
    ]
    return "".join(parts)


def returned(target: Any) -> str:
    """The documented classes that the annotation of a function names, in words; empty if it names anything else."""
    words = []
    for part in str(getattr(target, "__annotations__", {}).get("return", "")).split(" | "):
        inner = re.fullmatch(r"(list|tuple)\[(\w+)(?:, \.\.\.)?\]", part)
        single = inner[2] if inner else part
        if single not in classes():
            return ""
        words.append(f"{inner[1]} of {single}" if inner else single)
    return " or ".join(words)


def _add_returned(target: Any, lines: list[str]) -> None:
    text = returned(target)
    if not text or "Returns" in lines or "Yields" in lines:
        return
    places = [at for at, line in enumerate(lines[:-1]) if line in _AFTER_RETURNS and lines[at + 1].startswith("---")]
    at = places[0] if places else len(lines)
    gap = [""] if at and lines[at - 1].strip() else []
    lines[at:at] = [*gap, "Returns", "-------", text, ""]


def link_from_afar(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, content: nodes.TextElement
) -> nodes.Node | None:
    """Link a name that its module doesn't have to the one documented name that ends in it; a plain word becomes plain code."""
    if node.get("refdomain") != "py":
        return None
    target, kind, python = re.sub(r"^nd\.", "neurodyn.", node["reftarget"]), node["reftype"], env.domains.python_domain
    plain = kind == "obj" and not target.startswith("neurodyn.") and not target[:1].isupper()
    found = [] if plain else python.find_obj(env, node.get("py:module"), node.get("py:class"), target, kind, 1)
    if len(found) == 1:
        full, entry = found[0]
        return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, content, full)
    return nodes.literal("", content.astext()) if kind == "obj" else None
