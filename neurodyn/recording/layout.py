"""Names, chunks and links: the rules that every part of a recording file keeps."""

from __future__ import annotations

import math
from collections.abc import Iterator

import h5py

#: Version of the recording format that this version of the package writes and reads.
FORMAT = "1"
CHUNK_BYTES = 2**20  # upper bound of one chunk
SMALL_BYTES = 2**16  # below this compression isn't worth its while
GZIP = {"compression": "gzip", "compression_opts": 1, "shuffle": True}  # readable by every HDF5 tool
DIMENSION_ONLY = "This is a netCDF dimension but not a netCDF variable."


def check_name(name: object, where: str) -> str:
    """Return `name` if HDF5 can hold it as one component of a path, else raise naming `where` it stands."""
    if not isinstance(name, str):
        raise TypeError(f"{where}: the key {name!r} is of type {type(name).__name__}; keys must be text")
    if not name or name == "." or "/" in name or "\0" in name:
        raise ValueError(f"{where}: the key {name!r} cannot be stored; keys must not be '', '.', nor hold '/' or NUL")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{where}: the key {name!r} is not valid Unicode text; choose another") from None
    return name


def check_path(path: str, *, depth: int = 1) -> str:
    """Return `path` ("state/cells/v") if each component is a valid name and there are at least `depth`."""
    if not isinstance(path, str):
        raise TypeError(f"path = {path!r}: give text such as 'state/cells/v'")
    parts = path.split("/")
    for part in parts:
        check_name(part, f"path = {path!r}")
    if len(parts) < depth:
        raise ValueError(f"path = {path!r}: at least {depth} components are needed, such as 'state/cells/v'")
    return path


def chunk_shape(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Chunks of at most 1 MiB: whole trailing dimensions, as many leading rows as fit."""
    room = max(1, CHUNK_BYTES // itemsize)
    chunk = []
    for size in reversed(shape):
        take = max(1, min(size, room))
        chunk.append(take)
        room = max(1, room // take)
    return tuple(reversed(chunk))


def storage(shape: tuple[int, ...], itemsize: int) -> dict:
    """Keyword arguments of ``create_dataset`` for an array of this shape that is to be compressed."""
    if math.prod(shape) * itemsize < SMALL_BYTES:
        return {}
    return {"chunks": chunk_shape(shape, itemsize), **GZIP}


def ordered_group(parent: h5py.Group, path: str) -> h5py.Group:
    """The group at `path`, made if absent, with its members listed in the order of their creation.

    Only the links are tracked, not the attributes: ``track_order=True`` of h5py also tracks those, which
    older HDF5 cannot rewrite once there are more than eight.
    """
    for name in path.split("/"):
        if name not in parent:
            how = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
            how.set_link_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
            link = h5py.h5p.create(h5py.h5p.LINK_CREATE)
            link.set_char_encoding(h5py.h5t.CSET_UTF8)
            h5py.h5g.create(parent.id, name.encode(), lcpl=link, gcpl=how)
        child = parent[name]
        if not isinstance(child, h5py.Group):
            raise ValueError(f"{path!r} would go through {child.name}, which is a dataset")
        parent = child
    return parent


def children(group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Members of a group that live in this very file.

    Soft and external links, and data kept in or mapped from other files, are passed over: a recording written
    here has none, and a file from elsewhere must not make us read what its sender could not.
    """
    for name in map(str, group):
        member = _member(group, name)
        if member is not None:
            yield name, member


def lookup(group: h5py.Group, path: str) -> h5py.Group | h5py.Dataset | None:
    """The member at `path`, or None; links are not followed (see `children`)."""
    found: h5py.Group | h5py.Dataset | None = group
    for name in path.split("/"):
        if not name or not isinstance(found, h5py.Group):
            return None
        found = _member(found, name)
    return found


def dataset_at(group: h5py.Group, path: str) -> h5py.Dataset:
    """The dataset at `path`; KeyError if there is none in this very file."""
    found = lookup(group, path)
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{group.file.filename} has no dataset {path!r} in {group.name}")
    return found


def group_at(group: h5py.Group, path: str) -> h5py.Group:
    """The group at `path`; KeyError if there is none in this very file."""
    found = lookup(group, path)
    if not isinstance(found, h5py.Group):
        raise KeyError(f"{group.file.filename} has no group {path!r} in {group.name}")
    return found


def _member(group: h5py.Group, name: str) -> h5py.Group | h5py.Dataset | None:
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    member = group[name]
    if isinstance(member, h5py.Dataset):
        return None if member.external or member.is_virtual else member
    return member if isinstance(member, h5py.Group) else None
