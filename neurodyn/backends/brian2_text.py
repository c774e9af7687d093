"""The code of a population in the words of Brian2's abstract code.

It is the user's text, statement by statement, and not our single-assignment form, since Brian2 is there to check
that. Only names change: Brian2 hands ``x = x + a + b`` to sympy, which may reorder the sum, but it leaves an
assignment to a name that the right-hand side doesn't hold as it is. So every assignment gets a name of its own, and
the variables receive their last value at the end.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection

from neurodyn.parts import CircuitError

#: functions of our language that Brian2 lacks, and what they are called in the code we give it
FUNCTIONS = {
    "where": "nd_where",
    "min": "nd_min",
    "minimum": "nd_min",
    "max": "nd_max",
    "maximum": "nd_max",
}
_PYTHON_ONLY = {"sum", "mean", "rls", "identity"}


def brian2_code(code: str, owner: str, variables: Collection[str]) -> str:
    """Return the statements of ``code`` for Brian2; raises `CircuitError` for what it can't express."""
    renamer = _Renamer(owner)
    lines, last = [], {}
    for statement in ast.parse(textwrap.dedent(code)).body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if isinstance(statement, ast.AugAssign):
            old = ast.Name(statement.target.id, ast.Load())  # type: ignore[union-attr]
            target, value = statement.target, ast.BinOp(old, statement.op, statement.value)
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
        else:
            raise _refused(owner, f"{ast.unparse(statement).splitlines()[0]!r}; write where(condition, a, b)")
        assert isinstance(target, ast.Name)
        text = renamer.text(value)
        name = f"_{target.id}_{len(lines)}"
        lines.append(f"{name} = {text}")
        renamer.names[target.id] = last[target.id] = name
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in last.items() if name in variables)])


def brian2_expression(text: str, owner: str) -> str:
    """Return one expression for Brian2, on one line."""
    return _Renamer(owner).text(ast.parse(text.strip(), mode="eval").body)


class _Renamer(ast.NodeTransformer):
    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.names = {"step": "t_in_timesteps"}

    def text(self, node: ast.expr) -> str:
        return ast.unparse(ast.fix_missing_locations(self.visit(node)))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id in ("learning", "calibration"):
            raise _refused(self.owner, repr(node.id))
        return ast.Name(self.names.get(node.id, node.id), ast.Load())

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Write ``a < b < c`` as two comparisons."""
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        pairs: list[ast.expr] = [
            ast.Compare(a, [op], [b]) for a, op, b in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return pairs[0] if len(pairs) == 1 else ast.BoolOp(ast.And(), pairs)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        assert isinstance(node.func, ast.Name)
        name = node.func.id
        if name in _PYTHON_ONLY:
            raise _refused(self.owner, f"{name}()")
        if name in ("rand", "randn") and node.args:
            raise _refused(self.owner, f"{ast.unparse(node)!r}; write {name}()")
        return ast.Call(ast.Name(FUNCTIONS.get(name, name), ast.Load()), [self.visit(a) for a in node.args], [])


def _refused(owner: str, what: str) -> CircuitError:
    return CircuitError(f"population {owner!r}: Brian2 has nothing for {what}; or use backend 'numba' or 'interpreter'")
