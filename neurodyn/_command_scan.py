"""What ``neurodyn scan`` understands: its own commands, their options, and help with examples."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence

from neurodyn._command_line import Parser, UsageError

SCAN = "run a simulation at many points: here, on Slurm, on a Dask cluster"

_NEW = """\
examples:
  neurodyn scan model.py --grid gain=0.5,1,1.5 --grid "tau=10 ms,20 ms" --seeds 5 --out scans/gain
  neurodyn scan model.py --grid "gain=linspace(0, 2, 11)" --set trials=50 --out scans/gain --dry-run
  neurodyn scan model.py --points drawn.csv --seeds 3 --time-limit "10 min" --memory-limit "2 GB"
  neurodyn scan model.py --grid "noise=geomspace(1e-3, 1, 7)" --on slurm --slurm partition=short --setup "module load python"
  neurodyn scan plan.toml                               the same words in a file

then, with its folder:
  neurodyn scan status scans/gain                       what is done, what failed and why, what runs, time left
  neurodyn scan run scans/gain                          go on with what is missing; --failed, --outdated: again
  neurodyn scan extend scans/gain --grid gain=2,3       more points; the old ones stay
  neurodyn scan collect scans/gain                      one table of parameters and results, as CSV and HDF5
  neurodyn scan plot scans/gain --of error              a picture of one result over the grid
  neurodyn scan log scans/gain 3f9a                     what a point printed, or why it failed

Values are split at commas; values that are lists stand in brackets: [1,2],[3,4]. linspace(first, last, how many),
geomspace(first, last, how many) and range(first, end) are written out, also with a unit: "linspace(10, 50, 5) ms".
The same command again goes on with what is missing. docs/scans.md says more.

exit code: 0 all points are done (Slurm: submitted); 1 some failed; 2 the command cannot be carried out;
75 points are left, it was told to stop or others run them.
"""

_RUN = """\
examples:
  neurodyn scan run scans/gain                          what is missing, as it ran last time
  neurodyn scan run scans/gain --failed                 what failed, again
  neurodyn scan run scans/gain --failed --memory-limit "8 GB" --on slurm
  neurodyn scan run scans/gain --outdated               what was done by an earlier text of the script, again

Options that are left out are those of the last run; "none" takes a limit away.
"""

_EXTEND = """\
examples:
  neurodyn scan extend scans/gain --grid gain=2,3       two more values of an axis
  neurodyn scan extend scans/gain --seeds 10 --run      ten repetitions in all, and run the new ones
  neurodyn scan extend scans/gain --grid delay=5,10     a new axis; the points there were have its value so far
"""

_STATUS = """\
examples:
  neurodyn scan status scans/gain
  neurodyn scan status scans/gain --watch 10            anew every ten seconds, until nothing is left
  neurodyn scan status scans/gain --points failed       one line for each point that failed
"""

_PLOT = """\
examples:
  neurodyn scan plot scans/gain --of error              as many axes as the grid has
  neurodyn scan plot scans/gain --of error --x gain --y tau --out error.png
"""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """What stands behind ``neurodyn scan``; raises `UsageError`."""
    verb = words[0] if words and words[0] in _PARSERS else "new"
    if (
        verb == "new"
        and words
        and not words[0].startswith("-")
        and not words[0].partition(":")[0].endswith((".py", ".toml"))
    ):
        near = difflib.get_close_matches(words[0], _PARSERS, n=1)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"there are {', '.join(name for name in _PARSERS if name != 'new')}"
        )
        raise UsageError(f"{words[0]!r} is neither SCRIPT.py nor PLAN.toml nor a command of scan; {hint}")
    options = _PARSERS[verb]().parse_args(list(words if verb == "new" else words[1:]))
    options.verb = verb
    return options


def _parser(verb: str, text: str, epilog: str = "") -> Parser:
    parser = Parser(
        prog=f"neurodyn scan {verb}".strip(),
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,  # what is left out is as it was last time, or as the plan says
        description=text,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--debug", action="store_true", default=False, help="show the traceback of an error")
    return parser


def _new() -> Parser:
    parser = _parser("", f"{SCAN[:1].upper()}{SCAN[1:]}. Every point has a recording of its own.", _NEW)
    parser.add_argument("simulation", metavar="SCRIPT[:NAME]|PLAN.toml", help="what to run, or a plan that says it")
    _points(parser)
    parser.add_argument(
        "--set", action="append", metavar="NAME=VALUE", help="a parameter that is the same at all points"
    )
    parser.add_argument("--root-seed", type=int, metavar="N", help="another number gives other seeds; default 0")
    parser.add_argument("--paired", action="append", metavar="NAME", help="points that differ in it share their seeds")
    parser.add_argument("--out", metavar="DIR", help="folder of the scan; default scans/<name of the simulation>")
    _how(parser)
    parser.add_argument("--plan-only", action="store_true", default=False, help="make the folder, run nothing")
    return parser


def _run() -> Parser:
    parser = _parser("run", "Run points of a scan.", _RUN)
    _folder(parser)
    parser.add_argument("--missing", action="store_true", default=False, help="points that have not run; the default")
    parser.add_argument("--failed", action="store_true", default=False, help="points that failed")
    parser.add_argument(
        "--outdated", action="store_true", default=False, help="points done by another text of the script"
    )
    _how(parser)
    return parser


def _extend() -> Parser:
    parser = _parser("extend", "Add points to a scan; those that are there stay as they are.", _EXTEND)
    _folder(parser)
    _points(parser)
    parser.add_argument("--run", action="store_true", default=False, help="and run them, as points ran last time")
    return parser


def _status() -> Parser:
    parser = _parser("status", "Show what is done, what failed and why, what runs, and what is left.", _STATUS)
    _folder(parser)
    parser.add_argument("--watch", nargs="?", type=float, const=5.0, metavar="SECONDS", help="show it again and again")
    parser.add_argument("--points", nargs="?", const="", metavar="STATE", help="a line for each point (of that state)")
    parser.add_argument("--json", action="store_true", default=False, help="as JSON: one object, or one a point")
    return parser


def _collect() -> Parser:
    parser = _parser("collect", "Write parameters and results of all points into one table, as CSV and as HDF5.")
    _folder(parser)
    return parser


def _plot() -> Parser:
    parser = _parser("plot", "Draw one result over the points of a scan into a PNG file.", _PLOT)
    _folder(parser)
    parser.add_argument("--of", metavar="RESULT", default=None, help="name of a result; left out: list them")
    parser.add_argument("--x", metavar="NAME", help="parameter along the horizontal axis")
    parser.add_argument("--y", metavar="NAME", help="parameter along the vertical axis, of a map")
    parser.add_argument(
        "--out", metavar="FILE.png", default=None, help="default DIR/<result>.png, drawn anew each time"
    )
    return parser


def _log() -> Parser:
    parser = _parser("log", "Show what a point printed when it last ran, and, if it failed, why.")
    _folder(parser)
    parser.add_argument("key", metavar="KEY", help="the beginning of its key, as `scan status DIR --points` lists it")
    return parser


def _folder(parser: Parser) -> None:
    parser.add_argument("folder", metavar="DIR", help="folder of a scan")


def _points(parser: Parser) -> None:
    group = parser.add_argument_group("points")
    group.add_argument(
        "--grid", action="append", metavar="NAME=VALUES", help="an axis: 0.5,1,1.5 or linspace(0, 1, 11)"
    )
    group.add_argument(
        "--points", metavar="FILE.csv", help="points that are no grid: a header of names, a line for each"
    )
    group.add_argument(
        "--seeds", type=_repetitions, metavar="N", help="repetitions of each point, with seeds of their own"
    )


def _how(parser: Parser) -> None:
    group = parser.add_argument_group("how to run them")
    group.add_argument("--on", metavar="WHERE", help="local (default), slurm or dask")
    group.add_argument(
        "--workers", type=_workers, metavar="N", help="points at a time; default: one for each processor"
    )
    group.add_argument("--threads", type=_whole, metavar="N", help="threads of libraries in each point; default 1")
    group.add_argument("--time-limit", type=_or_none, metavar="TIME", help='longest time of a point: "10 min"')
    group.add_argument("--memory-limit", type=_or_none, metavar="SIZE", help='most memory of a point: "2 GB"')
    group.add_argument("--grace", metavar="TIME", help='to write a checkpoint when told to stop; default "60 s"')
    group.add_argument(
        "--batch", type=_batch, metavar="N|auto", help="points in one launch that differ in numbers only"
    )
    group.add_argument("--dry-run", action="store_true", default=False, help="try one point, say what all would take")
    cluster = parser.add_argument_group("on a cluster")
    cluster.add_argument("--point-time", type=_or_none, metavar="TIME", help="what a point takes, while none has run")
    cluster.add_argument("--task-time", metavar="TIME", help='pack points into tasks that take so long; "30 min"')
    cluster.add_argument("--wall-time", type=_or_none, metavar="TIME", help="limit of a task; default: twice as long")
    cluster.add_argument("--slurm", action="append", metavar="NAME=VALUE", help="a directive of sbatch: partition=gpu")
    cluster.add_argument("--setup", action="append", metavar="LINE", help='shell before a task: "module load python"')
    cluster.add_argument("--scheduler", type=_or_none, metavar="ADDRESS|FILE", help="of a running Dask cluster")


def _or_none(text: str) -> str | None:
    return None if text.strip().lower() == "none" else text


def _workers(text: str) -> int | None:
    return None if _or_none(text) is None else _whole(text)


def _whole(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} has to be a whole number, at least 1")
    return int(text)


def _repetitions(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of repetitions; seeds of your own: --grid seed={text}")
    return int(text)


def _batch(text: str) -> int | str:
    return text if text == "auto" else _whole(text)


_PARSERS = {
    "new": _new,
    "run": _run,
    "status": _status,
    "extend": _extend,
    "collect": _collect,
    "plot": _plot,
    "log": _log,
}
