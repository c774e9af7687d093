"""The commands of README, of the pages of docs/ and of the help texts, and which test carries out each."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from neurodyn import _command_help, _command_scan

ROOT = Path(__file__).parents[1]
SCAN = ROOT / "docs" / "examples" / "scan"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
#: after a prompt, without what stands behind `#`; within a text, if it names a script
COMMAND = re.compile(
    r"^\$ (?P<prompted>neurodyn\b[^#\n]*?) *(?:#.*)?$|`(?P<within>neurodyn (?:run|scan) [\w/]+\.py\b[^`]*)`",
    re.MULTILINE,
)
ON_A_RECORDING = re.compile(r"neurodyn (info|plot|analyse|rerun|report|export|methods|cite) runs/")

PAGES = {
    page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
BLOCKS = {name: BLOCK.findall(text) for name, text in PAGES.items()}


def commands(text: str) -> list[str]:
    """The distinct commands of a page, in order."""
    found = (match["prompted"] or match["within"] for match in COMMAND.finditer(text))
    return list(dict.fromkeys(" ".join(command.split()) for command in found))


def examples() -> list[str]:
    """Those under the help texts; what is explained beside them begins after three blanks."""
    told = [text for name, text in vars(_command_help).items() if name.endswith("EXAMPLES")]
    told += [getattr(_command_scan, name) for name in ("_NEW", "_RUN", "_EXTEND", "_STATUS", "_PLOT")]
    lines = re.findall(r"^  (neurodyn .*)$", "\n".join(told), re.MULTILINE)
    return list(dict.fromkeys(re.split(r"   +", line)[0] for line in lines))


SOURCES = {name: commands(text) for name, text in PAGES.items()} | {"help": examples()}


def words(command: str) -> list[str]:
    """What the command line is given; what a shell does with the output is its own."""
    return shlex.split(re.split(r" [>|] ", command)[0])[1:]


def kind(page: str, command: str) -> str:
    """What a command needs around it: `taken` hands each kind to one test."""
    verb = command.split()[1]
    if page in ("extend", "scans"):
        return page  # all of them one after the other, as a reader of the page would
    if verb == "scan":
        return f"scans of {page}"
    if ON_A_RECORDING.match(command):
        return "recording"
    if command.startswith("neurodyn run simulations/"):
        return "run"
    return "conformance" if verb == "conformance" else "other"


def taken(*kinds: str) -> dict[str, str]:
    """The distinct commands of these kinds, each with the page that shows it first."""
    found: dict[str, str] = {}
    for page, listed in SOURCES.items():
        for command in listed:
            if kind(page, command) in kinds:
                found.setdefault(command, page)
    return found
