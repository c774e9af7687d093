"""What the command ``neurodyn`` understands: commands, their arguments, and the message for what it doesn't."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Collection
from typing import NoReturn

from neurodyn._command_help import (
    ANALYSE_EXAMPLES,
    CONFORMANCE_EXAMPLES,
    EXAMPLES,
    EXPORT_EXAMPLES,
    RERUN_EXAMPLES,
    RUN_EXAMPLES,
)


class UsageError(Exception):
    """A command that can't be carried out as it was typed: exit code 2, one line, no traceback."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are a `UsageError` of one line."""

    known: Collection[str] = ()  # the commands

    def error(self, message: str) -> NoReturn:
        # argparse lists the choices but not the nearest one, and puts the whole usage before it.
        wrong = re.search(r"invalid choice: '([^']*)'", message)
        if wrong:
            near = difflib.get_close_matches(wrong[1], list(self.known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self.known)}"
            message = f"unknown command {wrong[1]!r}; {hint}"
        raise UsageError(f"{message} (see {self.prog} --help)")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    whole = Parser(
        prog="neurodyn",
        description="Simulate, record and look at neural circuits. A simulation is a Python script.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    from neurodyn import __version__

    whole.add_argument("--version", action="version", version=f"neurodyn {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, text: str, epilog: str = "") -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            allow_abbrev=False,  # what is no option is a parameter of the simulation
            help=text,
            description=text,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )

    run = command("run", "run a simulation and store what it found", RUN_EXAMPLES)
    run.add_argument("script", metavar="SCRIPT[:NAME]", help="Python file with a function under @nd.simulation")
    run.add_argument("--set", action="append", metavar="NAME=VALUE", help="a parameter; may be given again and again")
    run.add_argument("--seed", metavar="N", help="the parameter 'seed': the same number gives the same run")
    run.add_argument("--backend", metavar="NAME", help="the parameter 'backend': what computes (numba, torch, ...)")
    run.add_argument("--out", metavar="FILE.h5", help="the recording; default runs/<name of the simulation>.h5")
    run.add_argument("--overwrite", action="store_true", help="replace an existing recording once the run is done")
    run.add_argument(
        "--resume",
        nargs="?",
        const=True,
        default=False,
        choices=["takeover"],
        help="go on where a stopped process left the recording; 'takeover' if another machine wrote it and has ended",
    )
    run.add_argument("--json", action="store_true", help="print results and checks as one line of JSON, the last one")
    run.add_argument("--strict", action="store_true", help="exit with 1 if a check does not pass")

    command("scan", "run a simulation at many points: here, on Slurm, on Dask")  # _command_scan.py reads what follows

    info = command("info", "describe a recording, or the parameters of a simulation")
    info.add_argument("file", metavar="FILE.h5|SCRIPT.py", help="a recording or a script")

    plot = command("plot", "draw an overview of a recording into a PNG file")
    plot.add_argument("file", metavar="FILE.h5", help="a recording")
    plot.add_argument("--out", metavar="FILE.png", help="the picture; default FILE.overview.png, drawn anew each time")

    again = command("rerun", "repeat the run of a recording and compare", RERUN_EXAMPLES)
    again.add_argument("file", metavar="FILE.h5", help="a recording of a complete run")
    again.add_argument("--backend", metavar="NAME", help="what computes; default that of the recording")
    again.add_argument("--out", metavar="FILE2.h5", help="keep the second recording")
    again.add_argument("--overwrite", action="store_true", help="replace an existing FILE2.h5")
    again.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="X",
        help="accepted deviation of samples, relative to the largest magnitude of each; default 0: the same bits",
    )
    analyse = command(
        "analyse", "analyse a recording by name, into a results file and a figure beside it", ANALYSE_EXAMPLES
    )
    analyse.add_argument("file", metavar="FILE.h5", help="a recording")
    analyse.add_argument("what", metavar="WHAT", nargs="?", help="pca, spikes, ...; left out: list what can be done")
    analyse.add_argument("--of", metavar="KEY", help="the array or population, as `neurodyn info` names it")
    analyse.add_argument("--set", action="append", metavar="NAME=VALUE", help="an option; may be given again and again")
    analyse.add_argument("--out", metavar="FILE2.h5", help="the results; default FILE.analysis.h5")
    analyse.add_argument("--overwrite", action="store_true", help="replace this analysis where it was made before")

    out = command("export", "write a recording in a form that other tools read", EXPORT_EXAMPLES)
    out.add_argument("file", metavar="FILE.h5", help="a recording")
    out.add_argument("--to", choices=["nwb", "sonata", "csv"], help="the form; default: that of the ending of --out")
    out.add_argument("--out", metavar="PATH", help="default beside the recording: FILE.nwb, FILE.sonata/, FILE.csv/")
    out.add_argument("--overwrite", action="store_true", help="replace what is there")

    page = command("report", "write one self-contained page: configuration, results, checks and figures")
    page.add_argument("file", metavar="FILE.h5", help="a recording")
    page.add_argument("--out", metavar="FILE.html", help="the page; default FILE.html")
    page.add_argument("--overwrite", action="store_true", help="replace an existing page")

    table = command("methods", "print the methods table of the network in a recording")
    table.add_argument("file", metavar="FILE.h5", help="a recording")
    form = table.add_mutually_exclusive_group()
    form.add_argument("--markdown", action="store_true", help="as Markdown")
    form.add_argument("--latex", action="store_true", help="as LaTeX (booktabs)")

    cite = command("cite", "print the BibTeX entries of what a recording uses")
    cite.add_argument("file", metavar="FILE.h5", help="a recording")

    for failing in (run, plot, again, analyse, out, page):
        failing.add_argument("--debug", action="store_true", help="show the traceback of an error")

    listing = command("list", "list the simulations in the scripts of a folder")
    listing.add_argument("folder", metavar="DIR", nargs="?", default="simulations", help="default: ./simulations")

    doctor = command("doctor", "show which backends and compilers work here, and what to install")
    doctor.add_argument("--clear-cache", action="store_true", help="delete the compiled kernels kept between runs")

    suite = command("conformance", "compare the runners circuit by circuit", CONFORMANCE_EXAMPLES)
    suite.add_argument("--runner", nargs="+", default=[], metavar="NAME", help="default: all; or module:Class")
    suite.add_argument("--circuit", nargs="+", default=[], metavar="NAME", help="default: all of the suite")
    suite.add_argument("--dtype", nargs="+", default=["float64", "float32"], choices=["float64", "float32"])
    amount = suite.add_mutually_exclusive_group()
    amount.add_argument("--quick", action="store_true", help="one or two circuits of each family")
    amount.add_argument("--full", action="store_true", help="every circuit also in chunks, resumed and taken over")
    suite.add_argument("--json", action="store_true", help="print everything as one line of JSON")
    suite.add_argument("--out", metavar="FILE.md", help="write a page; an existing one keeps all but its table")
    whole.known = commands.choices
    return whole
