"""What operations are called in the text of a Triton kernel, and where its barriers stand."""

from __future__ import annotations

MARK = "#memory "  # of a line that says what memory the segment behind it reads and writes
CALLS = {
    "div": "divided({0}, {1})",
    "mod": "mod({0}, {1}, {zero})",
    "floordiv": "floordiv({0}, {1}, {zero}, {half}, {one})",
    "and": "tl.where({0}, {1}, {false})",
    "or": "tl.where({0}, {true}, {1})",
    "not": "(~{0})",
    "neg": "(-{0})",
    "abs": "tl.abs({0})",
    "floor": "tl.floor({0})",
    "ceil": "tl.ceil({0})",
    "trunc": "trunc({0}, {zero})",
    "sqrt": "root({0})",
    "select": "tl.where({0}, {1}, {2})",
    "float": "({0}).to(F)",
    "copy": "{0}",
    "min": "smaller({0}, {1})",
    "max": "larger({0}, {1})",
    "sign": "sign({0}, {zero}, {one})",
    "exprel": "exprel({0}, {zero}, {one}, {tiny})",
    "arctan": "atan({0})",
}
BOOL = frozenset({"lt", "le", "gt", "ge", "eq", "ne"})


def with_barriers(lines: list[str]) -> list[str]:
    """Put a barrier in front of each segment that meets what another one read or wrote since the last barrier.

    A branch may not be taken: what was open in front of it is open behind it, too.
    """
    out: list[str] = []
    reads, writes = set[str](), set[str]()
    branches: list[tuple[int, set[str], set[str]]] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        while branches and indent <= branches[-1][0]:
            _, before_reads, before_writes = branches.pop()
            reads, writes = reads | before_reads, writes | before_writes
        text = line.lstrip()
        if text.startswith(MARK):
            reading, writing = (set(part.split()) for part in text.removeprefix(MARK).split("|"))
            if reading & writes or writing & (reads | writes):
                out.append(" " * indent + "tl.debug_barrier()")
                reads, writes = set(), set()
            reads, writes = reads | reading, writes | writing
            continue
        if text.startswith("if "):
            branches.append((indent, set(reads), set(writes)))
        out.append(line)
    return out
