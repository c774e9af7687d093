"""Functions pass their references on to what they return."""

from __future__ import annotations

import inspect

import neurodyn as nd
from neurodyn.citing import cites


def test_marked_functions_keep_name_signature_and_value() -> None:
    def cell(name: str, *, size: int = 1) -> nd.Population:
        """Return a cell."""
        return nd.Population(name, size, "x : 1", references=("b", "c"))

    marked = cites("a", "b")(cell)
    assert marked.references == ("a", "b") and marked.__doc__ == cell.__doc__  # type: ignore[attr-defined]
    assert inspect.signature(marked) == inspect.signature(cell)
    assert marked("x", size=2).references == ("a", "b", "c") and marked("x", size=2).size == 2


def test_values_without_the_field_are_returned_as_they_are() -> None:
    found = [1, 2]
    assert cites("a")(lambda: found)() is found
    part = nd.Population("x", 1, "x : 1")
    assert cites()(lambda: part)() is part
    rule = nd.ThreeFactor()  # references of its class, which no copy can change
    assert cites("a")(lambda: rule)() is rule
