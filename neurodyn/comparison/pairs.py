"""Which runs of two groups belong together, and which have no partner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neurodyn.comparison.rows import RunRow, of_all, some

if TYPE_CHECKING:
    import pandas


def pairing(
    rows: Sequence[RunRow], pair: str | Sequence[str] | None, by: str
) -> tuple[tuple[str, ...], list[tuple[str, ...]], list[str]]:
    """Names of what pairs runs, its values for each run, and a remark where there is nothing of it."""
    names = tuple(n for n in ([pair] if isinstance(pair, str) else pair or ()) if n != by)
    if list(names) == ["seed"] and not any(_has(row, "seed") for row in rows):
        return (), [() for _ in rows], ["no pairs: the runs name no seed"]
    columns = [of_all(rows, name, "pair") for name in names]
    return names, [tuple(str(column[k]) for column in columns) for k in range(len(rows))], []


def _has(row: RunRow, name: str) -> bool:
    try:
        row.parameter(name)
    except KeyError:
        return False
    return True


def check_single(
    rows: Sequence[RunRow], labels: Sequence[str], keys: Sequence[tuple[str, ...]], by: str, names: tuple[str, ...]
) -> None:
    """Refuse two runs in one place of a group."""
    seen: dict[Any, RunRow] = {}
    for row, label, key in zip(rows, labels, keys, strict=True):
        first = seen.setdefault((label, key), row) if names else row
        if first is row:
            continue
        share = ", ".join(f"{name} = {one}" for name, one in zip((by, *names), (label, *key), strict=True))
        ways = [
            n for n in first.parameters if repr(first.parameters[n]) != repr(row.parameters.get(n)) and n not in names
        ]
        advice = (
            f"they differ in {', '.join(ways[:4])}: name that in pair, or give runs that share it"
            if ways
            else "give one"
        )
        raise ValueError(f"{first.name} and {row.name} both have {share}; {advice}; pair=None compares without pairs")


def unpaired(
    frame: pandas.DataFrame, by: str, names: tuple[str, ...], groups: Sequence[str], reference: str
) -> list[str]:
    """What has no partner, by group."""
    if not names:
        return []
    keys = {g: set(frame[frame[by] == g].set_index(list(names)).index) for g in groups}
    found = []
    for group in groups:
        if group == reference:
            continue
        what, shared = " and ".join(names), keys[group] & keys[reference]
        if not shared:
            found.append(
                f"{group} and {reference} share no {what}: their difference is that of groups that are not paired"
            )
            continue
        for one, other in ((group, reference), (reference, group)):
            if alone := sorted(keys[one] - shared, key=str):
                found.append(
                    f"without a partner in {other}, left out of their difference: {what} {some(alone)} of {one}"
                )
    return found
