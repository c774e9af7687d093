"""Every public name says what it does, takes and refuses, and the text fits the code: `make docs` shows it as it stands."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

import neurodyn as nd


def load_reference() -> Any:
    """Return docs/reference.py, which is no part of a package."""
    spec = spec_from_file_location("reference", Path(__file__).parents[1] / "docs" / "reference.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = load_reference()
PAGES = {page.file: page for page in REFERENCE.pages()}
NAMES = [name for page in PAGES.values() for name in page.names]

# Said once, where the module says what its functions have in common.
SHARED = {"plots": ("ax", "title")}

# How a docstring gives the shape of an array: "shape (time)", "(time, unit)", "an array (unit)", or where it is given.
SHAPE = r"\bshape\b|\barrays? (of \w+ )?\(\w|\([^()]*,[^()]*\)|float or array|of any shape|\bAs (in|for) :"

# What no paper is the source of, and why.
SOURCELESS = {
    **dict.fromkeys(("Rule", "SynapticRule", "Trace"), "the language of rules, not a rule"),
    "Supervised": "a readout that takes any learner; each learner has its source",
    "AnalogCoding": "values as they are",
    "SymbolCoding": "a softmax over symbols",
    "Layer": "sizes of a layer of nd.PVRNN, which has its source",
    **dict.fromkeys(("Pattern", "PATTERNS", "pattern", "population", "respond"), "all of CITATION in models.patterns"),
    **dict.fromkeys(("ChaoticSystem", "Published", "SYSTEMS", "system"), "each system has its source in ``published``"),
    "PUBLISHED": "of nd.NicolaClopath, which has its source",
    **dict.fromkeys(
        ("blocks", "expected", "protocol", "sweep", "switching"), "made of nd.tasks.WhatWhen, which has it"
    ),
    **dict.fromkeys(("local_gate", "window_gate"), "of nd.tasks.WhatWhen too"),
    "JointAngles": "our own movements, for the experiments of nd.PVRNN in more dimensions",
    "log_likelihood_per_symbol": "a mean",
    "song": "a stand-in of our own",
}


def sections(doc: str) -> dict[str, str]:
    """The sections of a numpydoc docstring by heading; the text before the first one is ""."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", doc, flags=re.MULTILINE)
    return {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def entries(doc: str, section: str) -> dict[str, str]:
    """Each name in a section with its type and text; "a, b : float" are two entries."""
    found: dict[str, str] = {}
    for entry in re.split(r"^(?=\S)", sections(doc).get(section, ""), flags=re.MULTILINE)[1:]:
        names, _, text = re.sub(r"^([^\n:]*?) ?(:|\n)", r"\1\n", entry, count=1).partition("\n")
        found |= {name.strip().lstrip("*"): text for name in names.split(",")}
    return found


def literals(doc: str) -> str:
    return " ".join(re.findall(r"`+([^`]+)`+", doc))


def parameters(target: Any) -> dict[str, inspect.Parameter]:
    """The parameters that a user may give; an error without an ``__init__`` of its own takes a message."""
    if inspect.isclass(target) and issubclass(target, Exception) and "__init__" not in vars(target):
        return {}
    return {n: p for n, p in inspect.signature(target).parameters.items() if not n.startswith("_") and n != "self"}


def described_only(doc: str, target: Any) -> set[str]:
    """Names in the section Parameters that can't be given."""
    given = parameters(target)
    anything = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in given.values())
    return set() if anything else entries(doc, "Parameters").keys() - given.keys()


def ours(target: type) -> list[type]:
    return [c for c in target.__mro__ if c.__module__.startswith("neurodyn")]


def sources(name: Any) -> Iterator[str]:
    return map(inspect.getsource, ours(name.target))


def methods(target: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties of a class that are ours, by their qualified name."""
    for owner in ours(target):
        for name, member in vars(owner).items():
            member = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if not name.startswith("_") and inspect.isfunction(member):
                yield f"{owner.__name__}.{name}", getattr(target, name)


def raised(target: Any) -> set[str]:
    """The errors that a function, or a class when it is made, raises in its own body."""
    bodies: list[Callable[..., Any]] = [inspect.unwrap(target)]
    if inspect.isclass(target):
        bodies = [vars(target)[n] for n in ("__init__", "__post_init__") if n in vars(target)]
    names: set[str] = set()
    for body in bodies:
        if body.__code__.co_filename != "<string>":  # the __init__ that a dataclass writes
            names |= set(_raised_in(ast.parse(textwrap.dedent(inspect.getsource(body))).body[0]))
    return names


def _raised_in(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call):
            yield ast.unparse(child.exc.func).rpartition(".")[2]
        if not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from _raised_in(child)


def test_every_public_name_stands_on_one_page() -> None:
    shown = {id(name.target) for name in NAMES}
    public = {name for name in nd.__all__ if name != "__version__" and not inspect.ismodule(getattr(nd, name))}
    assert not {name for name in public if id(getattr(nd, name)) not in shown}
    for module in (nd.analysis, nd.plots, nd.tasks, nd.training, nd.recording, nd.doors, nd.units):
        for name in module.__all__:
            value = getattr(module, name)
            assert inspect.ismodule(value) or id(value) in shown, f"{module.__name__}.{name}"
    full = [name.full for name in NAMES]
    assert len(full) == len(set(full))


def test_pages_are_written_once_and_old_ones_removed(tmp_path: Path) -> None:
    paths = REFERENCE.write(tmp_path)
    assert [path.stem for path in paths] == ["index", *PAGES] and ".. autofunction:: neurodyn.simulate" in paths[
        2
    ].read_text()
    (tmp_path / "gone.rst").write_text("")
    paths[2].write_text("")
    before = {path: path.stat().st_mtime_ns for path in paths}
    REFERENCE.write(tmp_path)
    assert not (tmp_path / "gone.rst").exists() and paths[2].read_text()
    assert {path for path in paths if path.stat().st_mtime_ns != before[path]} == {paths[2]}


@pytest.mark.parametrize(
    ("doc", "first"),
    [
        ("One sentence. Another one.", "One sentence."),
        (
            "After Hoerzer et al. Second\nline, e.g. ``x``. More.\n\nNext.",
            "After Hoerzer et al. Second line, e.g. ``x``.",
        ),
    ],
)
def test_first_sentence(doc: str, first: str) -> None:
    assert REFERENCE.first_sentence(doc) == first


every_page = pytest.mark.parametrize("page", PAGES)


def called(page: str) -> list[Any]:
    return [name for name in PAGES[page].names if name.kind != "value"]


@every_page
def test_summaries(page: str) -> None:
    docs = {name.full: name.doc for name in PAGES[page].names}
    for name in called(page):
        if name.kind == "class":
            docs |= {method: inspect.getdoc(member) or "" for method, member in methods(name.target)}
    assert not [name for name, doc in docs.items() if not doc.split("\n\n")[0].endswith((".", "::"))]


@every_page
def test_every_parameter_is_described(page: str) -> None:
    missing = {}
    for name in called(page):
        described = entries(name.doc, "Parameters").keys() | entries(name.doc, "Attributes").keys()
        text = literals(name.doc)
        left = [p for p in parameters(name.target) if p not in described and not re.search(rf"\b{p}\b", text)]
        missing[name.full] = [p for p in left if p not in SHARED.get(page, ())]
    assert not {name: left for name, left in missing.items() if left}


@every_page
def test_what_is_described_exists(page: str) -> None:
    unknown = {}
    for name in called(page):
        unknown[name.full] = described_only(name.doc, name.target)
        if name.kind == "class":
            left = entries(name.doc, "Attributes").keys() - {*parameters(name.target), *dir(name.target)}
            unknown[name.full] |= {one for one in left if not any(f"self.{one}" in source for source in sources(name))}
            for method, member in methods(name.target):
                if inspect.isroutine(member):
                    unknown[method] = described_only(inspect.getdoc(member) or "", member)
    assert not {name: found for name, found in unknown.items() if found}


@every_page
def test_errors_are_described(page: str) -> None:
    silent = {}
    for name in called(page):
        said = name.doc if "Raises" in sections(name.doc) else ""
        silent[name.full] = {error for error in raised(name.target) if error not in said}
    assert not {name: errors for name, errors in silent.items() if errors}


@every_page
def test_arrays_have_shapes(page: str) -> None:
    shapeless = []
    for name in called(page):
        described = entries(name.doc, "Parameters") | entries(name.doc, "Attributes")
        for parameter, given in parameters(name.target).items():
            if re.match(r"(?!.*Callable).*(ArrayLike|ndarray|NDArray|FloatArray|IntArray)", str(given.annotation)):
                text = described.get(parameter, "")
                if not re.search(SHAPE, text) and not re.search(r"\barrays? [\w ]*shape \(", sections(name.doc)[""]):
                    shapeless.append(f"{name.full}: {parameter}")
    assert not shapeless


@pytest.mark.parametrize("page", ["rules", "models", "tasks"])
def test_sources(page: str) -> None:
    own = [name for name in PAGES[page].names if not name.returned]
    without = {name.last for name in own if not re.search(r"\b(1[89]|20)\d\d\b", name.doc)}
    assert without == {name.last for name in own} & SOURCELESS.keys()
