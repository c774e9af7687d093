"""Files that are there whole or not at all, and room for them."""

from __future__ import annotations

import errno
import os
import platform
import secrets
import shutil
from pathlib import Path

import numpy as np

from neurodyn.recording.process import identity


def spike_bytes(spikes: int) -> int:
    """Upper bound of the bytes that ``spikes`` (a number) take in a file (gzip makes it 3 to 10 times less)."""
    return 16 * int(spikes)


def sample_bytes(samples: int, values: int, dtype: str = "float64") -> int:
    """Bytes that samples take in a file before compression, with their time stamps.

    Parameters
    ----------
    samples : int
        Points in time.
    values : int
        Numbers at each.
    dtype : str
        Their type in NumPy's words.
    """
    return int(samples) * (int(values) * np.dtype(dtype).itemsize + 8)


def check_disk(path: str | Path, size: int) -> None:
    """Refuse a recording for which the disk has no room.

    Twice the size must be free, because segments and the file merged from them stand side by side for a moment.

    Parameters
    ----------
    path : path
        Where the recording is to be.
    size : int
        Its size in bytes.

    Raises
    ------
    OSError
        Less than twice the size is free.
    """
    folder = Path(os.path.realpath(Path(path).expanduser())).parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if 2 * size > free:
        raise OSError(
            errno.ENOSPC,
            f"out = {str(path)!r}: the recording may take {size / 1e6:.1f} MB, and twice that while it is "
            f"put together; {free / 1e6:.1f} MB are free. Record less, or choose another disk",
        )


def check_output(path: str | Path, *, overwrite: bool) -> Path:
    """The absolute path of an output that may be written, its folder made; or a clear error."""
    final = Path(os.path.realpath(Path(path).expanduser()))
    if final.is_dir():
        raise IsADirectoryError(f"out = {str(path)!r} is a folder; give the name of a file in it, such as run.h5")
    if final.exists() and not overwrite:
        raise FileExistsError(f"out = {str(path)!r} exists; give another name, or overwrite=True to replace it")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        part = next(folder for folder in final.parents if folder.exists())
        raise NotADirectoryError(f"out = {str(path)!r}: {part} is a file, not a folder; choose another place") from None
    except OSError as error:
        raise type(error)(error.errno, f"out = {str(path)!r}: its folder cannot be made: {error.strerror}") from None
    make_folder(final, path).rmdir()
    return final


def beside(final: Path, ending: str, *, owner: str | None = None) -> Path:
    """A hidden name in the folder of `final` that no other writer has; it tells its owner (this process)."""
    return final.parent / f".{stem(final)}.{host()}.{owner or identity()}.{secrets.token_hex(4)}.{ending}"


def stem(final: Path) -> str:
    """The part of `final`'s name that its temporary names begin with (names have at most 255 bytes)."""
    return final.name.encode()[:120].decode("utf-8", "ignore")


def host() -> str:
    """The name of this machine, short enough for a file name."""
    return (platform.node() or "host").split(".")[0][:40]


def make_folder(final: Path, given: str | Path) -> Path:
    """A new hidden folder beside `final`; also the proof that its folder can be written."""
    folder = beside(final, "parts")
    try:
        folder.mkdir()
    except OSError as error:
        raise type(error)(
            error.errno,
            f"out = {str(given)!r}: nothing can be written into {final.parent} ({error.strerror}); "
            "choose a folder of your own",
        ) from None
    return folder


def publish(temporary: Path, final: Path, *, overwrite: bool) -> None:
    """Give a closed file its final name in one step; raises FileExistsError where that is taken."""
    sync(temporary)
    if overwrite:
        os.replace(temporary, final)
    else:
        try:
            os.link(temporary, final)  # unlike replace, fails if the name is taken
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if final.exists():
                raise FileExistsError(errno.EEXIST, "the name is taken", str(final)) from None
            os.replace(temporary, final)
        else:
            temporary.unlink()
    sync_folder(final.parent)


def sync(path: Path) -> None:
    """Have the disk hold what was written to `path`."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk hold the names in `folder`, where the system can do that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(handle)
    except OSError:  # some network file systems
        pass
    finally:
        os.close(handle)
