"""Plain Python values as HDF5 attributes, and back, without ever executing anything.

Numbers, booleans and text are stored as what they are. What HDF5 has no type for (None, lists, text with NUL,
whole numbers beyond 64 bits) is stored as text ``"json:..."``; so is text that itself begins so.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import h5py
import numpy as np

_JSON = "json:"


def encode(value: Any, where: str) -> Any:
    """The attribute that stands for `value` (number, bool, text, None, or a list or mapping of such)."""
    value = plain(value, where)
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        if -(2**63) <= value < 2**63:
            return np.int64(value)
        if 0 <= value < 2**64:
            return np.uint64(value)
    elif isinstance(value, float):
        return np.float64(value)
    elif isinstance(value, str) and storable(value) and not value.startswith(_JSON):
        return value
    return _JSON + json.dumps(value)


def decode(value: Any) -> Any:
    """The Python value of an attribute; what `encode` did not write comes back as lists, numbers and text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        if value.startswith(_JSON):
            try:
                return json.loads(value[len(_JSON) :])
            except (ValueError, RecursionError):
                return value
        return value
    if isinstance(value, h5py.Empty):
        return None
    if isinstance(value, np.ndarray):
        return [decode(item) for item in value.tolist()] if value.ndim else decode(value[()])
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return value.item()
    return value if isinstance(value, (bool, int, float, list)) else str(value)


def storable(text: str) -> bool:
    """Whether HDF5 can hold `text`: valid Unicode without NUL."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def plain(value: Any, where: str, *, arrays: bool = False) -> Any:
    """`value` in JSON's types; numpy scalars, tuples, paths and (with `arrays`) arrays are converted.

    Raises TypeError, naming `where` in the nesting it stands, for anything else.
    """
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value)
    if isinstance(value, (str, PurePath)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{where}[{number}]", arrays=arrays) for number, item in enumerate(value)]
    if isinstance(value, Mapping):
        result = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{where}: the key {key!r} is of type {type(key).__name__}; keys must be text")
            result[key] = plain(item, f"{where}[{key!r}]", arrays=arrays)
        return result
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return plain(fields, where, arrays=arrays)
    if arrays and hasattr(value, "__array__"):
        return plain(np.asarray(value).tolist(), where, arrays=arrays)
    hint = (
        "an array belongs directly into a mapping, not into a list"
        if isinstance(value, np.ndarray)
        else ("allowed are numbers, bool, text, None, and lists or mappings of these")
    )
    raise TypeError(f"{where} is of type {type(value).__name__}, which cannot be stored: {hint}")
