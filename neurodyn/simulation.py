"""Simulations: one function with typed keyword parameters is a call, a command and a point of a scan."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NoReturn

from neurodyn.outcome import Check, Outcome, check, report, shown, table
from neurodyn.parameters import Parameter, ParameterError, model, read_signature, unknown, validate
from neurodyn.running.stopping import Resume, resume_by_default

__all__ = ["Check", "Outcome", "Parameter", "ParameterError", "Simulation", "check", "simulation"]


class Simulation:
    """A function made callable with checked parameters, by :func:`simulation`.

    Calling it validates the parameters, prints the resolved configuration, runs the function, prints its
    results and checks, and stores all of them in ``out`` if that is given.

    Parameters
    ----------
    function : callable
        See :func:`simulation`.

    Raises
    ------
    TypeError
        A parameter that is not keyword-only, lacks a type or a default, or has a name that every simulation takes.
    """

    def __init__(self, function: Callable[..., Outcome | Mapping[str, Any]]):
        self.function = function
        self.name = function.__name__
        self.parameters: tuple[Parameter, ...] = read_signature(function)
        for name in ("overwrite", "resume"):
            if any(p.name == name for p in self.parameters):
                raise TypeError(f"simulation {self.name}: leave out the parameter {name!r}; every simulation takes it")
        functools.update_wrapper(self, function)

    def __repr__(self) -> str:
        return f"<simulation {self.name}({', '.join(f'{p.name}={p.default!r}' for p in self.parameters)})>"

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (self.__doc__ or "").strip().split("\n")[0]

    def describe(self) -> str:
        """What it does and its parameters, with types, defaults and meaning, as text."""
        rows = [(p.name, p.type, shown(p.default), p.doc) for p in self.parameters]
        return f"{self.name}: {self.summary}\n\n" + table(("parameter", "type", "default", "meaning"), rows)

    @functools.cached_property
    def _model(self) -> type[Any]:
        return model(self.name, self.parameters)

    def from_text(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Parameters as typed on a command line, ready for the call; unknown names raise `ParameterError`."""
        by_name = {p.name: p for p in self.parameters}
        for name in texts:
            if name not in by_name and name != "out":
                raise ParameterError(unknown(name, by_name))
        return {n: by_name[n].from_text(text) if n in by_name else text for n, text in texts.items()}

    def prepare(
        self, *, overwrite: bool = False, resume: Resume = False, **given: Any
    ) -> tuple[dict[str, Any], Path | None]:
        """All parameters, checked and with defaults filled in, and where the recording goes; nothing is run.

        Takes and raises what the call does.
        """
        declared = any(p.name == "out" for p in self.parameters)
        out = None if declared else given.pop("out", None)
        checked = validate(self._model, self.parameters, given)
        values = {p.name: getattr(checked, p.name) for p in self.parameters}
        return values, _output(values["out"] if declared else out, replace=overwrite or bool(resume))

    def __call__(self, *, overwrite: bool = False, resume: Resume = False, **given: Any) -> Outcome:
        """Run the simulation.

        Parameters
        ----------
        overwrite : bool
            Whether an existing ``out`` is replaced; it stays as it is until the new one is complete.
        resume : bool or "takeover"
            Whether what it simulates into ``out`` goes on where a stopped process left it (see
            :func:`neurodyn.simulate`); the rest is computed again.
        **given
            The function's parameters. ``out``, a path that ends in ``.h5``, is taken even if the function has
            no such parameter.

        Raises
        ------
        ParameterError
            Before anything runs: an unknown name, or a value of the wrong kind.
        FileExistsError
            Before anything runs: ``out`` exists.
        """
        if overwrite and resume:
            raise ParameterError("overwrite begins anew and resume goes on; choose one")
        values, out = self.prepare(overwrite=overwrite, resume=resume, **given)
        config = jsonable({name: value for name, value in values.items() if name != "out"})
        print(f"{self.name}: {self.summary}")
        print(table(None, [(name, shown(value)) for name, value in config.items()]), flush=True)
        with _resuming(resume), nullcontext(out) if resume else _free_place(out) as place:
            started = time.perf_counter()
            returned = self.function(**(values | {"out": place} if "out" in values else values))
            outcome = replace(_outcome(self.name, returned), config=config, path=out)
            print(report(outcome))
            print(f"\ntook {time.perf_counter() - started:.1f} s", flush=True)
            if place is not None:
                self._store(place, outcome)
        if out is not None:
            print(f"recording: {out}")
            for name in outcome.figures:
                print(f"figure:    {_figure_path(out, name)}")
        return outcome

    def main(self) -> NoReturn:
        """Run as a script: ``python SCRIPT.py --quick`` is ``neurodyn run SCRIPT.py:NAME --quick``; ends the process."""
        from neurodyn.cli import main

        sys.exit(main(["run", f"{inspect.getsourcefile(self.function)}:{self.name}", *sys.argv[1:]]))

    def _store(self, place: Path, outcome: Outcome) -> None:
        from neurodyn.recording import annotate

        checks = [asdict(member) for member in outcome.checks]
        config = {"simulation": self.name, "parameters": outcome.config}
        annotate(place, results=outcome.results, checks=checks, config=config, data=outcome.data)
        for name, figure in outcome.figures.items():
            figure.savefig(_figure_path(place, name), dpi=300)


def simulation(function: Callable[..., Outcome | Mapping[str, Any]]) -> Simulation:
    """Turn a function into a simulation: a checked call, a command, a point of a scan.

    Parameters
    ----------
    function : callable
        With keyword-only parameters that have defaults and types: ``int``, ``float``, ``bool``, ``str``, ``Path``,
        ``Literal[...]``, a quantity (``nd.Time`` and its like), ``list[...]`` or ``tuple[..., ...]`` of them, or
        ``... | None``. The numpydoc section "Parameters" of its docstring documents them. It returns an :class:`Outcome`, or
        a mapping of results. Parameters called ``seed``, ``backend`` and ``out`` have flags of their own on the command line.

    Raises
    ------
    TypeError
        A parameter that is not keyword-only, or lacks a type or a default.

    Examples
    --------
    >>> import neurodyn as nd
    >>> @nd.simulation
    ... def halving(
    ...     *, start: float = 8.0, steps: int = 3, tau: nd.Time = "20 ms"
    ... ):
    ...     \"\"\"Halve a number again and again.\"\"\"
    ...     return {"end": start / 2**steps}
    >>> outcome = halving(steps=2)  # doctest: +SKIP
    """
    return Simulation(function)


def _outcome(name: str, returned: Any) -> Outcome:
    if isinstance(returned, Outcome):
        return returned
    if isinstance(returned, Mapping):
        return Outcome(results=returned)
    raise TypeError(f"simulation {name} returned {returned!r}; it has to return nd.Outcome(...) or a dict of results")


@contextmanager
def _resuming(resume: Resume) -> Iterator[None]:
    """Let simulations of the function go on where they stopped, without its having to say so."""
    token = resume_by_default.set(resume)
    try:
        yield
    finally:
        resume_by_default.reset(token)


def _output(out: str | Path | None, *, replace: bool) -> Path | None:
    """``out`` as a path that can be written, its folder made."""
    if out is None:
        return None
    path = Path(out).expanduser()
    if path.suffix not in (".h5", ".hdf5"):
        raise ParameterError(f"out={str(out)!r} has to end in .h5")
    if path.exists() and not replace:
        raise FileExistsError(f"{path} exists; choose another name, or replace it with overwrite=True (--overwrite)")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(f"out={str(out)!r}: its folder cannot be made ({error.strerror})") from None
    if not os.access(path.parent, os.W_OK):
        raise ParameterError(f"out={str(out)!r}: its folder is not writable")
    return path


@contextmanager
def _free_place(out: Path | None) -> Iterator[Path | None]:
    """A path to write to. An existing ``out`` is replaced only when everything beside it is complete."""
    if out is None or not out.exists():
        yield out
        return
    folder = Path(tempfile.mkdtemp(prefix=f"{out.stem}.new-", dir=out.parent))
    try:
        yield folder / out.name
        for file in folder.iterdir():
            os.replace(file, out.parent / file.name)
    except BaseException as error:
        if any(folder.iterdir()):
            error.add_note(f"{out} is as it was; what the new run wrote is in {folder}")
        raise
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _figure_path(out: Path, name: str) -> Path:
    return out.with_name(f"{out.stem}.{name}.png")


def jsonable(value: Any) -> Any:
    """The value of a parameter as JSON has it: lists for tuples, text for paths."""
    if isinstance(value, Mapping):
        return {name: jsonable(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(member) for member in value]
    return str(value) if isinstance(value, Path) else value
