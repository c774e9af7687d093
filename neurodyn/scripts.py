"""Python files with simulations in them: finding and importing what a user names."""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neurodyn.simulation import Simulation

_SCRIPT = re.compile(r"(.*\.py)(?::(\w+))?")


class ScriptError(ValueError):
    """A script that is not there, can't be imported, or has no such simulation."""


def is_script(target: str) -> bool:
    """Whether `target` reads SCRIPT.py or SCRIPT.py:NAME."""
    return _SCRIPT.fullmatch(target) is not None


def split_target(target: str) -> tuple[Path, str | None]:
    """SCRIPT.py or SCRIPT.py:NAME as path and name; raises `ScriptError` for anything else."""
    match = _SCRIPT.fullmatch(target)
    if match is None:
        raise ScriptError(f"{target!r} is not a Python script; write SCRIPT.py or SCRIPT.py:NAME")
    return Path(match[1]), match[2]


def simulation_of(target: str) -> Simulation:
    """The one simulation that SCRIPT.py or SCRIPT.py:NAME means; raises `ScriptError`."""
    chosen = simulations_of(target)
    if len(chosen) > 1:
        names = ", ".join(simulation.name for simulation in chosen)
        raise ScriptError(f"{target} has several simulations ({names}); name one: {target}:{chosen[0].name}")
    return chosen[0]


def simulations_of(target: str) -> list[Simulation]:
    """The simulations of SCRIPT.py, or the one of SCRIPT.py:NAME; at least one, or `ScriptError`."""
    script, name = split_target(target)
    simulations = defined_in(script)
    if not simulations:
        raise ScriptError(f"{script} has no simulation: put @nd.simulation above a function")
    known = {simulation.name: simulation for simulation in simulations}
    if name and name not in known:
        raise ScriptError(f"{script} has no simulation {name!r}; it has {', '.join(known)}")
    return [known[name]] if name else simulations


def defined_in(script: Path) -> list[Simulation]:
    """Import a script and return the simulations it defines, in the order of definition, perhaps none."""
    from neurodyn.simulation import Simulation

    if not script.is_file():
        near = difflib.get_close_matches(script.name, [p.name for p in script.parent.glob("*.py")], n=1)
        hint = f"; did you mean {str(script.with_name(near[0]))!r}?" if near else ""
        raise ScriptError(f"there is no script {str(script)!r}{hint}")
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
        frames = traceback.extract_tb(error.__traceback__)
        # the last line of the user's own, if there is one: what it called has nothing to be mended
        frame = ([f for f in frames if Path(f.filename).resolve().parent == Path(folder)] or frames)[-1]
        place = "" if frame.filename.startswith("<") else f" ({frame.filename}, line {frame.lineno})"
        raise ScriptError(f"{script} cannot be imported: {type(error).__name__}: {error}{place}") from error
    members = [member for member in vars(module).values() if isinstance(member, Simulation)]
    return [member for member in dict.fromkeys(members) if member.function.__module__ == name]
