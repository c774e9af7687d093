"""How the reference shows signatures and docstrings: docs/reference_text.py, without a build."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import neurodyn as nd

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))
stringify_signature: Any = pytest.importorskip("sphinx.util.inspect").stringify_signature
text: Any = __import__("reference_text")


def signature(target: Any) -> str:
    """As autodoc asks for it, without types."""
    written = stringify_signature(inspect.signature(target), show_annotation=False, show_return_annotation=False)
    return str(text.shown_signature(None, "class", "", target, None, written, None)[0])


def docstring(name: str, target: Any, what: str = "function") -> list[str]:
    lines = (inspect.getdoc(target) or "").splitlines()
    text.shown_docstring(None, what, name, target, None, lines)
    return lines


def test_defaults_are_shown_as_one_writes_them() -> None:
    assert "<factory>" in str(inspect.signature(nd.WhatWhenRule))
    assert "when=ThreeFactor(rate=0.03), what=TrialDelta(rate=0.04)," in signature(nd.WhatWhenRule)
    assert "outputs=('z',), learner=FORCE(...)," in signature(nd.Supervised)
    assert "initial={}," in signature(nd.Population)
    assert signature(nd.analysis.FokkerPlanck.mean) == "(self, f=asarray)"
    assert "population=7/15," in signature(nd.analysis.kick_connectivity)


def test_private_parameters_are_left_out() -> None:
    system = nd.models.chaotic.ChaoticSystem
    assert "_near" in inspect.signature(system).parameters
    assert signature(system) == "(name, kind, dt, parameters, units, published, derivative, step)"


def test_classes_are_links_where_types_stand() -> None:
    assert text.linked("Circuit, or list of Circuit") == (
        ":class:`Circuit <neurodyn.Circuit>`, or list of :class:`Circuit <neurodyn.Circuit>`"
    )
    assert (
        text.linked("neurodyn.analysis.NullTest of a number")
        == ":class:`NullTest <neurodyn.analysis.NullTest>` of a number"
    )
    assert text.linked("object with ``Circuit``") == "object with ``Circuit``"
    assert text.linked("array (Circuits, my_Circuit)") == "array (Circuits, my_Circuit)"
    assert "Published" not in text.classes()  # two classes have this name


def test_a_function_says_what_it_returns() -> None:
    lines = docstring("neurodyn.compare_runs", nd.compare_runs)
    at = lines.index("Returns")
    assert lines[at + 2] == ":class:`RunComparison <neurodyn.comparison.found.RunComparison>`"
    assert at < lines.index("Raises") and lines[at - 1] == ""
    assert text.returned(nd.simulate) == "Recording or list of Recording"
    assert text.returned(nd.bibtex) == ""  # a str
    said = docstring("neurodyn.compare", nd.compare)
    assert said.count("Returns") == 1


def test_a_result_names_the_function_that_draws_it() -> None:
    line = docstring("neurodyn.analysis.PCAResult.plot", nd.analysis.PCAResult.plot, "method")[0]
    assert ":func:`neurodyn.plots.pca`" in line


def test_pages_of_the_documentation_are_links() -> None:
    lines = ["See ``docs/exchange.md`` and docs/pvrnn.md."]
    text.shown_docstring(None, "class", "", object, None, lines)
    assert lines == ["See :doc:`docs/exchange.md </exchange>` and :doc:`docs/pvrnn.md </pvrnn>`."]


def test_links_from_afar() -> None:
    from docutils import nodes

    entry = SimpleNamespace(docname="reference/run", node_id="neurodyn.check")
    known = {"check": [("neurodyn.check", entry)], "plot": [("a.plot", entry), ("b.plot", entry)]}
    python = SimpleNamespace(find_obj=lambda env, module, owner, name, kind, mode: known.get(name, []))
    env = SimpleNamespace(domains=SimpleNamespace(python_domain=python))
    app = SimpleNamespace(builder=SimpleNamespace(get_relative_uri=lambda start, to: f"{to}.html"))

    def resolve(target: str, kind: str) -> Any:
        node = nodes.reference(refdomain="py", reftarget=target, reftype=kind, refdoc="reference/tasks")
        return text.link_from_afar(app, env, node, nodes.literal("", target))

    assert resolve("check", "func")["refuri"] == "reference/run.html#neurodyn.check"
    assert resolve("plot", "meth") is None  # two names end so
    plain = resolve("check", "obj")  # a word in single backticks that is no name
    assert isinstance(plain, nodes.literal) and plain.astext() == "check"
