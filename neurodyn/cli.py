"""The command ``neurodyn``: run and list simulations, look into recordings, check the installation."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import json
import re
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neurodyn._command_line import UsageError, parser

if TYPE_CHECKING:
    from neurodyn.simulation import Simulation


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: the process's) and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options, rest = parser().parse_known_args(arguments)
        if rest and options.command != "run":
            raise UsageError(f"unknown argument {rest[0]!r} (see neurodyn {options.command or ''} --help)")
        options.rest = rest
        if options.command is None:
            parser().print_help()
            return 2
        return _COMMANDS[options.command](options)
    except UsageError as error:
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

    simulation = _one_simulation(options.script)
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


def _info(options: argparse.Namespace) -> int:
    if _is_script(options.file):
        print("\n\n".join(simulation.describe() for simulation in _chosen(options.file)))
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


def _list(options: argparse.Namespace) -> int:
    folder = Path(options.folder)
    if not folder.is_dir():
        raise UsageError(f"there is no folder {options.folder!r}; name one that holds simulations: neurodyn list DIR")
    found = 0
    for script in sorted(folder.glob("[!_]*.py")):
        try:
            simulations = _simulations(script)
        except UsageError as error:
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


_SCRIPT = re.compile(r"(.*\.py)(?::(\w+))?")


def _is_script(target: str) -> bool:
    return _SCRIPT.fullmatch(target) is not None


def _one_simulation(target: str) -> Simulation:
    chosen = _chosen(target)
    if len(chosen) > 1:
        names = ", ".join(simulation.name for simulation in chosen)
        raise UsageError(f"{target} has several simulations ({names}); name one: {target}:{chosen[0].name}")
    return chosen[0]


def _chosen(target: str) -> list[Simulation]:
    """The simulations of SCRIPT.py, or the one of SCRIPT.py:NAME; at least one."""
    match = _SCRIPT.fullmatch(target)
    if match is None:
        raise UsageError(f"{target!r} is not a Python script; write SCRIPT.py or SCRIPT.py:NAME")
    script, name = match.groups()
    simulations = _simulations(Path(script))
    if not simulations:
        raise UsageError(f"{script} has no simulation: put @nd.simulation above a function")
    known = {simulation.name: simulation for simulation in simulations}
    if name and name not in known:
        raise UsageError(f"{script} has no simulation {name!r}; it has {', '.join(known)}")
    return [known[name]] if name else simulations


def _simulations(script: Path) -> list[Simulation]:
    """Import a script and return the simulations it defines, in the order of definition."""
    from neurodyn.simulation import Simulation

    if not script.is_file():
        near = difflib.get_close_matches(script.name, [p.name for p in script.parent.glob("*.py")], n=1)
        hint = f"; did you mean {str(script.with_name(near[0]))!r}?" if near else ""
        raise UsageError(f"there is no script {str(script)!r}{hint}")
    name = f"neurodyn_script_{script.stem}"
    spec = importlib.util.spec_from_file_location(name, script)
    assert spec is not None and spec.loader is not None  # a .py file that exists
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look a script's classes up there
    folder = str(script.parent.resolve())
    if folder not in sys.path:  # as `python script.py` does: a script may import its neighbours
        sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = "" if frame.filename.startswith("<") else f" ({frame.filename}, line {frame.lineno})"
        raise UsageError(f"{script} cannot be imported: {type(error).__name__}: {error}{place}") from error
    members = [member for member in vars(module).values() if isinstance(member, Simulation)]
    return [member for member in dict.fromkeys(members) if member.function.__module__ == name]


def _recording(file: str):
    from neurodyn.recording import load

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
    "list": _list,
    "doctor": _doctor,
    "conformance": _conformance,
}


if __name__ == "__main__":
    sys.exit(main())
