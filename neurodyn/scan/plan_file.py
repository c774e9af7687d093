"""Plan files: what a scan is, as TOML, with the words of the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from neurodyn.parameters import nearest
from neurodyn.scan.errors import ScanError
from neurodyn.scan.options import RunOptions
from neurodyn.scan.scan import Scan
from neurodyn.scan.words import grid_of, set_of
from neurodyn.scripts import simulation_of, split_target

_OPTIONS = {{"directives": "slurm"}.get(option.name, option.name) for option in fields(RunOptions)}


@dataclass(frozen=True)
class Asked:
    """A scan as it is asked for, with texts where texts were given.

    Parameters
    ----------
    simulation : str
        "SCRIPT.py" or "SCRIPT.py:NAME".
    out : path or None
        None: scans/<name of the simulation>.
    grid, set : mapping
        Axes and parameters, as text ("linspace(0, 1, 5)") or as values.
    points : list of mappings, or path of a CSV file
    seeds, root_seed, paired
        As :class:`neurodyn.Scan` takes them.
    run : mapping
        Options of :class:`neurodyn.scan.RunOptions`.
    """

    simulation: str
    out: Path | None = None
    grid: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    points: Any = ()
    seeds: int | None = None
    root_seed: int = 0
    paired: tuple[str, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)

    def changed(self, **other: Any) -> Asked:
        """This, with other things put over it: axes, parameters and options one by one, anything else as a whole."""
        for name in ("grid", "set", "run"):
            other[name] = {**getattr(self, name), **other.get(name, {})}
        return replace(self, **other)

    def scan(self, out: Path | None = None) -> Scan:
        """Plan it, or open it where it was planned."""
        RunOptions(**self.run)  # what is wrong with these should be known before a folder is made
        simulation = simulation_of(self.simulation)
        plan = {name: getattr(self, name) for name in ("points", "seeds", "root_seed", "paired")}
        place = out or self.out or Path("scans") / simulation.name
        grid, fixed = grid_of(simulation, self.grid), set_of(simulation, self.set)
        return Scan(simulation, out=place, grid=grid, set=fixed, **plan)


def read_plan(path: Path) -> Asked:
    """A scan from a TOML file; relative paths in it are relative to its folder.

    Raises
    ------
    ScanError
        No such file, no TOML, an unknown word, a value of the wrong kind.
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScanError(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScanError(f"{path} is no TOML: {error}") from None
    _known(path, tree, {field.name for field in fields(Asked)}, "")
    for name, kind in (("simulation", str), ("out", str), ("grid", dict), ("set", dict), ("run", dict)):
        if name in tree and not isinstance(tree[name], kind):
            word = "a table" if kind is dict else "text"
            raise ScanError(f"{path}: {name} = {tree[name]!r} has to be {word}")
    if "simulation" not in tree:
        raise ScanError(f'{path} doesn\'t say what to run: add simulation = "SCRIPT.py"')
    return Asked(**{name: _converted(path, name, value) for name, value in tree.items()})


def _converted(path: Path, name: str, value: Any) -> Any:
    """A value of the file as `Asked` has it."""
    if name == "run":
        return _options(path, value)
    if name == "simulation":
        script, function = split_target(value)
        return f"{path.parent / script}:{function}" if function else str(path.parent / script)
    if name == "out":
        return path.parent / Path(value).expanduser()
    if name == "points" and isinstance(value, str):
        return path.parent / Path(value).expanduser()
    if name == "points" and not (isinstance(value, list) and all(isinstance(row, dict) for row in value)):
        raise ScanError(f"{path}: points = {value!r} has to be the name of a CSV file, or an array of tables")
    if name == "paired":
        return tuple(value) if isinstance(value, list) else (value,)
    return value


def _options(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The table [run] as options of a run."""
    _known(path, given, _OPTIONS, "run.")
    options = {("directives" if option == "slurm" else option): value for option, value in given.items()}
    if isinstance(options.get("setup"), str):
        options["setup"] = options["setup"].splitlines()
    return options


def _known(path: Path, given: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            hint = nearest(name, sorted(known)) or f"; there are {', '.join(sorted(known))}"
            raise ScanError(f"{path}: unknown word '{where}{name}'{hint}")
