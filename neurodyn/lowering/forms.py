"""Whether the synapses of a plastic connection can be advanced at their events only."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Sequence

from neurodyn.language import ModelError
from neurodyn.parts import Connection
from neurodyn.plasticity.rule import SynapticRule


class Form:
    """The form of a plastic connection: ``closed`` (at events), or per step for a ``reason``; ``others`` are the rules of others."""

    def __init__(
        self,
        c: Connection,
        network_wide: Callable[[SynapticRule, str], bool],
        *,
        spiking: bool,
        others: Sequence[SynapticRule] = (),
    ) -> None:
        self.closed = False
        self._factors: dict[str, tuple[str, str]] = {}
        self.reason = self._read_by(c, others) or self._reason(c, network_wide, spiking=spiking)
        self.closed = not self.reason

    def trace(self, rule: SynapticRule) -> str:
        """Return the synapse trace that the weight drifts with; "" where it doesn't drift in closed form."""
        return self._factors.get(rule.name, ("", ""))[0]

    def factor(self, rule: SynapticRule) -> str:
        """Return the network-wide factor M of dw/dt = M*c."""
        return self._factors[rule.name][1]

    @staticmethod
    def _read_by(c: Connection, others: Sequence[SynapticRule]) -> str:
        """Return the reason where rules of other connections read its synapses, which then have to be up to date."""
        own = {f"{c.name}.w"}
        own |= {f"{r.name}.{n}" for r in c.rules for n, t in r.traces.items() if t.where in ("pre", "synapse")}
        for rule in others:
            texts = (
                rule.on_pre,
                rule.on_post,
                rule.modulator,
                rule.dw_dt,
                rule.per_step,
                rule.trial_start,
                rule.trial_end,
            )
            for name in sorted(own):
                if any(re.search(rf"\b{re.escape(name)}\b", text) for text in texts):
                    return f"rule {rule.name!r} reads {name}"
        return ""

    def _reason(self, c: Connection, network_wide: Callable[[SynapticRule, str], bool], *, spiking: bool) -> str:
        if not spiking:
            return "it sums a variable in every step"
        drifting = [rule for rule in c.rules if rule.dw_dt.strip()]
        for rule in c.rules:
            if rule.form == "per_step":
                return f"rule {rule.name!r} asks for it"
            if rule.per_step.strip() and rule.every is None:
                return f"per_step of rule {rule.name!r} concerns every synapse in every step"
        if len(drifting) > 1:
            return f"the rules {drifting[0].name!r} and {drifting[1].name!r} both have dw_dt"
        for rule in drifting:
            found = linear(rule.dw_dt, [n for n, t in rule.traces.items() if t.where == "synapse"])
            if found is None:
                return f"dw_dt of rule {rule.name!r} is no product of a factor and one synapse trace"
            if names_in(found[1]) & {"rand", "randn"}:
                return f"the factor {found[1]!r} in dw_dt of rule {rule.name!r} draws random numbers"
            if not network_wide(rule, found[1]):
                return f"the factor {found[1]!r} in dw_dt of rule {rule.name!r} is not network-wide"
            self._factors[rule.name] = found
        return ""


def linear(text: str, traces: list[str]) -> tuple[str, str] | None:
    """Return (trace, factor) where an expression is a factor times one of the traces, else None."""
    tree = _expression(text)
    used = [name for name in traces if tree is not None and name in _names(tree)]
    if tree is None or len(used) != 1:
        return None
    factor = _factor(tree, used[0])
    return None if factor is None else (used[0], ast.unparse(factor))


def _factor(node: ast.expr, name: str) -> ast.expr | None:
    """Return what an expression multiplies ``name`` with, if it is linear in it and vanishes with it."""
    if isinstance(node, ast.Name) and node.id == name:
        return ast.Constant(1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _factor(node.operand, name)
        return None if inner is None else ast.UnaryOp(ast.USub(), inner)
    if not isinstance(node, ast.BinOp):
        return None
    left, right = (name in _names(side) for side in (node.left, node.right))
    if isinstance(node.op, ast.Add | ast.Sub) and left and right:
        a, b = _factor(node.left, name), _factor(node.right, name)
        return None if a is None or b is None else ast.BinOp(a, node.op, b)
    if isinstance(node.op, ast.Mult) and left != right:
        inner = _factor(node.left if left else node.right, name)
        return None if inner is None else ast.BinOp(inner, ast.Mult(), node.right if left else node.left)
    if isinstance(node.op, ast.Div) and left and not right:
        inner = _factor(node.left, name)
        return None if inner is None else ast.BinOp(inner, ast.Div(), node.right)
    return None


def names_in(code: str) -> set[str]:
    """Return the names that code mentions."""
    return _names(_module(code))


def stored_in(code: str) -> set[str]:
    """Return the names that code assigns."""
    return {n.id for n in ast.walk(_module(code)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


def _module(code: str) -> ast.Module:
    try:
        return ast.parse(textwrap.dedent(code))
    except SyntaxError as error:
        line = (error.text or code).strip()
        raise ModelError(f"can't read {line!r} ({error.msg}); write assignments such as 'c += A*x'") from None


def expression_in(rule: SynapticRule) -> str:
    """Return the text of dw_dt without what is no part of the expression, such as a comment."""
    tree = _expression(rule.dw_dt)
    if tree is None:
        raise ModelError(f"rule {rule.name!r}: can't read dw_dt = {rule.dw_dt!r}; write one expression such as 'd*c'")
    return ast.unparse(tree)


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
