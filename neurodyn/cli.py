"""The command ``neurodyn``: run and list simulations, look into recordings, check the installation."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurodyn._command_line import UsageError, parser
from neurodyn.scripts import ScriptError, defined_in, is_script, simulation_of, simulations_of

if TYPE_CHECKING:
    from neurodyn.simulation import Simulation


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["scan"]:
            return _scan(arguments[1:])
        options, rest = parser().parse_known_args(arguments)
        if rest and options.command != "run":
            raise UsageError(f"unknown argument {rest[0]!r} (see neurodyn {options.command or ''} --help)")
        options.rest = rest
        if options.command is None:
            parser().print_help()
            return 2
        return _COMMANDS[options.command](options)
    except (UsageError, ScriptError) as error:
        if error.__cause__ and "--debug" in arguments:
            traceback.print_exception(error.__cause__)
        print(f"neurodyn: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("neurodyn: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `neurodyn info ... | head`
        sys.stderr.close()
        return 0


def _run(options: argparse.Namespace) -> int:
    from neurodyn.simulation import ParameterError

    simulation = simulation_of(options.script)
    texts = _assignments(options)
    texts.setdefault("out", str(_default_out(simulation)))
    try:
        given = simulation.from_text(texts)
        simulation.prepare(overwrite=options.overwrite, resume=options.resume, **given)
    except (ParameterError, FileExistsError) as error:
        raise UsageError(str(error)) from None
    try:
        outcome = simulation(overwrite=options.overwrite, resume=options.resume, **given)
    except Exception as error:
        return _failed(simulation.name, error, debug=options.debug)
    if options.json:
        print(json.dumps(outcome.to_json(), allow_nan=False))
    return 1 if options.strict and not outcome.passed else 0


def _assignments(options: argparse.Namespace) -> dict[str, str]:
    """--set NAME=VALUE and the flags, as texts by name."""
    pairs = [*(options.set or []), *_flags(options.rest)]
    pairs += [f"{name}={getattr(options, name)}" for name in ("seed", "backend", "out") if getattr(options, name)]
    return _by_name(pairs)


def _by_name(pairs: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE as texts by name."""
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise UsageError(f"--set {pair!r} has no '='; write --set name=value")
        if name in texts:
            raise UsageError(f"parameter {name!r} is given twice: {texts[name]!r} and {value!r}")
        texts[name] = value
    return texts


def _flags(rest: list[str]) -> list[str]:
    """Parameters given as flags, ``--quick``, ``--until 11`` or ``--until=11``, as NAME=VALUE."""
    pairs: list[str] = []
    for word in rest:
        if word.startswith("--") and len(word) > 2:
            pairs.append(word[2:] if "=" in word else f"{word[2:]}=true")
        elif pairs and pairs[-1].endswith("=true"):
            pairs[-1] = f"{pairs[-1][: -len('true')]}{word}"
        else:
            raise UsageError(f"unknown argument {word!r}; a parameter is given as --name value or --set name=value")
    return pairs


def _default_out(simulation: Simulation) -> Path:
    declared = next((p.default for p in simulation.parameters if p.name == "out"), None)
    return Path(declared) if declared else Path("runs") / f"{simulation.name}.h5"


def _failed(name: str, error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    else:
        print(f"neurodyn: {name} failed: {type(error).__name__}: {error}", file=sys.stderr)
        for note in getattr(error, "__notes__", ()):
            print(note, file=sys.stderr)
        print("(run it again with --debug to see where)", file=sys.stderr)
    return 1


def _scan(words: Sequence[str]) -> int:
    from neurodyn._command_scan import parse

    options = parse(words)  # before anything is imported that takes a while
    from neurodyn.scan import ScanError
    from neurodyn.scan.commands import COMMANDS

    try:
        return COMMANDS[options.verb](options)
    except ScanError as error:
        raise UsageError(str(error)) from error


def _info(options: argparse.Namespace) -> int:
    if is_script(options.file):
        print("\n\n".join(simulation.describe() for simulation in simulations_of(options.file)))
    else:
        print(_recording(options.file).info())
    return 0


def _rerun(options: argparse.Namespace) -> int:
    from neurodyn.rerun import rerun

    first = _recording(options.file)
    if options.out and Path(options.out).exists() and not options.overwrite:
        raise UsageError(f"{options.out} exists; choose another name, or replace it with --overwrite")
    how = {"backend": options.backend, "out": options.out, "tolerance": options.tolerance}
    try:
        found = rerun(first, overwrite=options.overwrite, **how)
    except (ArithmeticError, OSError, ValueError) as error:  # a blow-up, a taken name, a run that can't be
        raise UsageError(str(error)) from error
    print(found)
    if options.out:
        print(f"recording: {options.out}")
    return 0 if found else 1


def _plot(options: argparse.Namespace) -> int:
    recording = _recording(options.file)
    out = Path(options.out) if options.out else Path(options.file).with_suffix(".overview.png")
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {str(out.parent)!r} for the picture; make it first")
    from neurodyn.plots import overview

    try:
        overview(recording).savefig(out, dpi=300)
    except Exception as error:
        return _failed(f"plot of {options.file}", error, debug=options.debug)
    print(out)
    return 0


def _analyse(options: argparse.Namespace) -> int:
    from neurodyn.analyse import analyse, describe

    recording = _recording(options.file)
    try:
        if options.what is None:
            print(describe(recording))
            return 0
        written = analyse(
            recording,
            options.what,
            of=options.of,
            options=_by_name(options.set or []),
            out=options.out,
            overwrite=options.overwrite,
        )
    except (ArithmeticError, KeyError, OSError, ValueError) as error:
        raise UsageError(str(error.args[0] if isinstance(error, KeyError) else error)) from error
    print(f"{options.what} of {written.key}\n{written.found.text}\nresults: {written.path}\nfigure:  {written.figure}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from neurodyn.doors import export

    recording = _recording(options.file)
    return _written(options, lambda: export(recording, options.out, to=options.to, overwrite=options.overwrite))


def _report(options: argparse.Namespace) -> int:
    from neurodyn.report import report

    recording = _recording(options.file)
    return _written(options, lambda: report(recording, options.out, overwrite=options.overwrite))


def _written(options: argparse.Namespace, write: Callable[[], Path]) -> int:
    """Print what `write` wrote; what stands in its way is a line, not a traceback."""
    try:
        print(write())
    except (ImportError, OSError, ValueError) as error:
        if options.debug:
            traceback.print_exception(error)
        raise UsageError(str(error).replace("overwrite=True", "--overwrite")) from error
    return 0


def _methods(options: argparse.Namespace) -> int:
    from neurodyn.report import methods

    try:
        table = methods(_recording(options.file))
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(table.latex() if options.latex else table.markdown() if options.markdown else table)
    return 0


def _cite(options: argparse.Namespace) -> int:
    from neurodyn.report import bibtex

    try:
        print(bibtex(_recording(options.file)))
    except ValueError as error:
        raise UsageError(str(error)) from error
    return 0


def _list(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {options.folder!r}; name one that holds simulations: neurodyn list DIR")
    found = 0
    for script in sorted(folder.glob("[!_]*.py")):
        try:
            simulations = defined_in(script)
        except ScriptError as error:
            print(f"{script}\n  cannot be listed: {error}")
            continue
        for simulation in simulations:
            found += 1
            target = str(script) if len(simulations) == 1 else f"{script}:{simulation.name}"
            parameters = " ".join(f"{p.name}={_compact(p.default)}" for p in simulation.parameters)
            print(f"{target}\n  {simulation.summary}\n  {parameters}")
    if not found:
        print(f"no simulations in {folder}; a simulation is a function under @nd.simulation")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from neurodyn import doctor

    if options.clear_cache:
        try:
            print(doctor.clear_cache())
        except ValueError as error:
            raise UsageError(str(error)) from None
        return 0
    return doctor.report()


def _conformance(options: argparse.Namespace) -> int:
    from neurodyn.conformance.report import command

    if any(":" in name for name in options.runner):  # one's own, which may lie here, as with `python -m`
        sys.path.insert(0, str(Path.cwd()))
    chosen = {name: getattr(options, name) for name in ("runner", "circuit", "dtype", "quick", "full", "json", "out")}
    try:
        return command(**chosen)
    except (ValueError, FileExistsError) as error:
        raise UsageError(str(error)) from None


def _compact(default: object) -> str:
    if isinstance(default, (list, tuple)):
        default = ",".join(str(member) for member in default)
    text = str(default)
    return f'"{text}"' if " " in text else text


def _recording(file: str):
    from neurodyn.recording import load

    if (Path(file) / "scan.json").is_file():
        raise UsageError(
            f"{file} is a scan; see neurodyn scan plot {file}, or name a recording in {Path(file) / 'points'}"
        )
    if not Path(file).is_file():
        near = difflib.get_close_matches(Path(file).name, [p.name for p in Path(file).parent.glob("*.h5")], n=1)
        hint = f"; did you mean {str(Path(file).with_name(near[0]))!r}?" if near else ""
        raise UsageError(f"there is no recording {file!r}{hint}")
    try:
        return load(Path(file))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{file} cannot be read as a recording: {error}") from None


_COMMANDS = {
    "run": _run,
    "info": _info,
    "plot": _plot,
    "analyse": _analyse,
    "rerun": _rerun,
    "export": _export,
    "report": _report,
    "methods": _methods,
    "cite": _cite,
    "list": _list,
    "doctor": _doctor,
    "conformance": _conformance,
}


if __name__ == "__main__":
    sys.exit(main())
