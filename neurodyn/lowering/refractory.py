"""Refractoriness in the state update: a flag that is 1 wherever its result counts is written as 1."""

from __future__ import annotations

import ast
from collections.abc import Set


def awake(code: str, resting: Set[str]) -> str:
    """Return an update with ``int(not_refractory)`` written as 1 in statements that count only for units that are not refractory.

    Brian2 multiplies the derivative of a variable ``(unless refractory)`` by that flag, and here assignments to the
    variables ``resting`` take effect only where it is 1, so the numbers are the same to the last bit. Without the flag,
    factors such as ``exp(-dt/tau)`` are the same for all units and are made once. Statements count where they assign to such
    a variable, or to a name that only such statements read.
    """
    statements = ast.parse(code).body
    targets = [s.targets[0].id for s in statements if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name)]
    if len(targets) != len(statements) or len(set(targets)) != len(targets):
        return code
    reads = [{n.id for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} for s in statements]
    counts: list[bool] = [False] * len(targets)
    for k in reversed(range(len(targets))):
        readers = [m for m in range(len(targets)) if targets[k] in reads[m]]
        local = (
            targets[k].startswith("_") and bool(readers) and min(readers) > k
        )  # no state, which is read elsewhere too
        counts[k] = targets[k] in resting or (local and all(counts[m] for m in readers))
    written = [_One().visit(s) if counting else s for s, counting in zip(statements, counts, strict=True)]
    return "\n".join(ast.unparse(ast.fix_missing_locations(s)) for s in written)


class _One(ast.NodeTransformer):
    """Write 1 for the flag."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node) == "int(not_refractory)":
            return ast.Constant(1.0)
        return self.generic_visit(node)
