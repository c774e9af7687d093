"""The table of the command ``neurodyn conformance``: one cell for each circuit, runner and precision."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from neurodyn.backends import NAMES, engine_class, register
from neurodyn.conformance import checks
from neurodyn.conformance.batches import BATCHES
from neurodyn.conformance.circuits import BORDERS, EXACT, QUICK, TOLERANT, chosen
from neurodyn.conformance.golden import GOLDEN
from neurodyn.conformance.harness import REFERENCE, NotConformant, Refused, promises_bits
from neurodyn.conformance.orders import EXPECTED, Order, orders
from neurodyn.simulate import choose_device

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Cell:
    """What one runner did with one row.

    ``status`` is "exact", "tolerant", "reference", "parts" (held to no bits, and parting sooner or later), "same" (golden
    hashes), "order", "refused" or "FAILED"; ``text`` stands in the table, ``note`` (of refusals and failures) below it.
    """

    status: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line: ``cells`` by runner; None where a row says nothing about it."""

    section: str
    name: str
    dtype: str
    cells: dict[str, Cell | None]


@dataclass(frozen=True)
class Line:
    """A row to be filled: how to get the cell of a runner."""

    section: str
    name: str
    dtype: str
    cell: Callable[[str], Cell | None]


def lines(
    circuits: Sequence[str] = (), dtypes: Sequence[str] = DTYPES, *, quick: bool = False, full: bool = False
) -> list[Line]:
    """Return the rows of the table, to be filled.

    Parameters
    ----------
    circuits : names, default all; with names there are no batches and no orders
    dtypes : of "float64", "float32"
    quick : only one exact and one tolerant circuit of each family, and the borders that nothing else comes near
    full : in float64 every circuit in chunks, resumed, repeated and taken over, too
    """
    names = chosen(circuits or (QUICK if quick else (*EXACT, *BORDERS, *TOLERANT)))
    made = []
    for dtype in dtypes:
        for section, group in (("exact", EXACT), ("borders", BORDERS), ("tolerant", TOLERANT)):
            fill = functools.partial(_circuit, dtype=dtype, full=full)
            made += [Line(section, n, dtype, functools.partial(fill, n)) for n in names if n in group]
    if "float64" in dtypes:
        made += [Line("golden", n, "float64", functools.partial(_golden, n)) for n in names if n in GOLDEN]
        if not circuits:
            made += [Line("batches", n, "float64", functools.partial(_batch, n)) for n in BATCHES]
            made += [Line("orders", n, "float64", functools.partial(_order, n)) for n in EXPECTED]
    return made


def fill(runners: Iterable[str], rows: Iterable[Line]) -> Iterator[Row]:
    """Fill rows one after the other."""
    names = list(runners)
    for line in rows:
        yield Row(line.section, line.name, line.dtype, {runner: _tried(line, runner) for runner in names})


def known(runners: Iterable[str]) -> list[str]:
    """Return the names of runners, checked; "module:Class" is registered; ValueError for what is none."""
    names = list(runners) or list(NAMES)
    for name in names:
        plain, _, device = name.partition("@")
        if ":" in plain:
            register(plain)
        choose_device(engine_class(plain), device or "cpu")
    return names


def _tried(line: Line, runner: str) -> Cell | None:
    try:
        return line.cell(runner)
    except Refused as refusal:
        return Cell("refused", "refused", str(refusal))
    except NotConformant as failure:
        return Cell("FAILED", "FAILED", str(failure))
    except Exception as error:  # a runner that breaks is a finding, not the end of the table
        return Cell("FAILED", "FAILED", f"{runner} on {line.name!r} in {line.dtype}: {type(error).__name__}: {error}")


def _circuit(name: str, runner: str, *, dtype: str, full: bool) -> Cell:
    if dtype == "float32" or not promises_bits(runner):
        return _parting(checks.parting(runner, name, dtype))
    if runner == REFERENCE:
        cell = Cell("reference", "reference")
    elif name in TOLERANT:
        cell = Cell("tolerant", f"tolerant {_power(checks.each_step(runner, name))}")
        checks.short_trajectory(runner, name)
    else:
        checks.same_bits(runner, name)
        cell = Cell("exact", "exact")
    if full:
        for check in (checks.chunked, checks.resumed, checks.repeated):
            check(runner, name)
        if name not in TOLERANT:
            checks.taken_over(runner, name)
    return cell


def _power(deviation: float) -> str:
    return f"{deviation:.0e}" if deviation else "0"


def _parting(found: checks.Parting) -> Cell:
    if found.step is None:
        together = "same spikes" if found.rate is not None else f"within {checks.PARTED:g}"
        return Cell("parts", f"{together} for {found.steps} step{'s' * (found.steps != 1)}")
    rate = "" if found.rate is None else f", rate {found.rate:+.1%}"
    return Cell("parts", f"parts at step {found.step} ({found.time_ms:g} ms){rate}")


def _golden(name: str, runner: str) -> Cell | None:
    if not promises_bits(runner):
        return None
    checks.golden(runner, name)
    return Cell("same", GOLDEN[name])


def _batch(name: str, runner: str) -> Cell:
    checks.batched(runner, name)
    exact = promises_bits(runner) and checks.batch_is_exact(name)
    return Cell("exact" if exact else "tolerant", "exact" if exact else f"within {checks.TRAJECTORY:g}")


def _order(name: str, runner: str) -> Cell:
    found = _orders(runner)[name]
    return Cell("order", f"error {found.error:.0e}" if EXPECTED[name] is None else f"{found.slope:.2f}")


@functools.cache
def _orders(runner: str) -> dict[str, Order]:
    return dict(orders(runner))
