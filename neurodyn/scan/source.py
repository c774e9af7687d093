"""Which text a simulation is made of, so that a change between two runs of a scan shows."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from neurodyn.scan.errors import ScanError

_DIGITS = 12


def source_files(script: Path) -> dict[str, str]:
    """The script and the modules beside it that it imports, anywhere in them: name -> hash of the content."""
    if not script.is_file():
        raise ScanError(f"the script {script} is gone; bring it back, or begin another scan")
    root = script.resolve().parent
    found: dict[str, str] = {}
    waiting = [script.resolve()]
    while waiting:
        path = waiting.pop()
        name = path.relative_to(root).as_posix()
        if name in found:
            continue
        content = path.read_bytes()
        found[name] = hashlib.sha256(content).hexdigest()[:_DIGITS]
        waiting += _imported(content, path, root)
    return dict(sorted(found.items()))


def source_hash(files: Mapping[str, str]) -> str:
    """One hash for all of :func:`source_files`."""
    return hashlib.sha256("\n".join(f"{name} {digest}" for name, digest in files.items()).encode()).hexdigest()[
        :_DIGITS
    ]


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Names of the files that differ."""
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def _imported(content: bytes, path: Path, root: Path) -> Iterator[Path]:
    """Files below `root` that a module imports."""
    try:
        tree = ast.parse(content)
    except SyntaxError:  # it will say so when it runs
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            start = path.parents[node.level - 1] if node.level else root
            parts = node.module.split(".") if node.module else []
            yield from _files(start, parts)
            for alias in node.names:
                yield from _files(start, [*parts, alias.name])


def _files(start: Path, parts: list[str]) -> Iterator[Path]:
    """The file of a module, and those of the packages around it, as far as they stand there."""
    for count in range(1, len(parts) + 1):
        place = start.joinpath(*parts[:count])
        for file in (place.with_suffix(".py"), place / "__init__.py"):
            if file.is_file():
                yield file.resolve()
