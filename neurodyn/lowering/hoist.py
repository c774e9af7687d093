"""Moving what depends on parameters alone out of the step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from neurodyn.program import Array, Block, Branch, Item, Op, Operand, Store

_STAYS = ("normal", "uniform", "rls", "identity", "gather", "arrive")


def hoist(blocks: list[Block], arrays: dict[str, Array]) -> list[Block]:
    """Move what depends on parameters alone into blocks that run once, one constant for equal expressions."""
    constant_block: list[Item] = []
    known: dict[tuple[Any, ...], str] = {}
    fixed = {k for k, a in arrays.items() if a.role in ("parameter", "constant")}

    def visit(items: tuple[Item, ...], renames: dict[str, Operand]) -> tuple[Item, ...]:
        out: list[Item] = []
        for item in items:
            if isinstance(item, Op):
                args = tuple(renames.get(a, a) if isinstance(a, str) else a for a in item.args)
                item = item if args == item.args else replace(item, args=args)
                movable = item.op not in _STAYS and len(item.axes) <= 1 and item.args
                if (
                    movable
                    and all(not isinstance(a, str) or a in fixed for a in args)
                    and item.op not in ("copy", "size")
                ):
                    key = (item.op, tuple(map(repr, args)), item.axes)  # by text: 0.0 and -0.0, 1.0 and True differ
                    if key not in known:
                        name = known[key] = f"@{len(known)}"
                        arrays[name] = Array(name, item.axes, "constant", item.dtype)
                        fixed.add(name)
                        constant_block.append(replace(item, name=f"%{name}"))
                        constant_block.append(Store(name, f"%{name}"))
                    renames[item.name] = known[key]
                    continue
                out.append(item)
            elif isinstance(item, Store):
                value = renames.get(item.value, item.value) if isinstance(item.value, str) else item.value
                out.append(item if value is item.value else replace(item, value=value))
            else:
                condition = (
                    renames.get(item.condition, item.condition) if isinstance(item.condition, str) else item.condition
                )
                out.append(Branch(condition, visit(item.body, dict(renames))))
        return tuple(out)

    result = []
    for block in blocks:
        if block.phase in ("constants", "initial", "start"):
            result.append(block)
            continue
        renames: dict[str, Operand] = {}
        body = visit(block.body, renames)
        value = renames.get(block.result, block.result) if isinstance(block.result, str) else block.result
        result.append(replace(block, body=body, result=value))
    return [
        *(b for b in result if b.phase == "constants"),
        Block("constants", "", tuple(constant_block)),
        *(b for b in result if b.phase != "constants"),
    ]
