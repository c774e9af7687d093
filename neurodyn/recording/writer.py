"""The recording of a run, taken in as it goes and named at the end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from neurodyn.recording.begun import NAME, Begun, begin
from neurodyn.recording.closing import Image, stopped_attrs, write_file, write_numbered, write_partial
from neurodyn.recording.disk import check_output, make_folder
from neurodyn.recording.header import encode_header, outcome_attrs, resumed_header
from neurodyn.recording.layout import check_path
from neurodyn.recording.leftovers import give_up, refuse_second_writer, sweep, take_over
from neurodyn.recording.segments import save
from neurodyn.recording.store import Store
from neurodyn.recording.streams import Stream, sample_stream, spike_stream, take_samples, take_spikes
from neurodyn.recording.tree import freeze
from neurodyn.recording.trials import clean_row
from neurodyn.recording.values import decode

if TYPE_CHECKING:
    from neurodyn.recording.reader import Recording

_OWN_SECTIONS = ("spikes", "trials", "data")


class Writer:
    """Collects spikes, samples, trials and trees, and makes one recording file of them.

    As a context manager it calls `abort` when left by an exception or without `finish`.

    Parameters
    ----------
    path : path or None
        The file to be. Its folder is made if absent. None keeps the recording in memory.
    header : mapping
        Attributes of the root (numbers, text, lists, mappings): ``dt_ms``, ``seed``, ``backend``, ... The
        mapping ``config`` is stored as JSON text ``config_json``. Versions, git revision, start and threads
        are added. ``run_fingerprint`` (a mapping) tells one run from another when it is to be resumed.
    overwrite : bool
        Whether an existing file may be replaced, at the end and in one step.
    checkpoints : bool
        Whether segments are closed by `checkpoint` only, together with the state that goes with them, and not
        whenever memory is full: then `suspend`, and `resume` after a kill, are possible.
    resume : bool or "takeover"
        Whether to go on from the last checkpoint of a stopped run of this output, if one was left, and to begin
        if not: `state` tells. Needs and sets `checkpoints`. A run that another machine began and did not suspend
        may still be at it; "takeover" says that it has ended.
    segment_mb : float
        Memory to fill, in MB, before it goes into a segment file: what a kill may cost.
    segment_s : float
        Seconds after which it goes into a segment file even if it is little.

    Raises
    ------
    FileExistsError
        There is a file and ``overwrite`` is not set, or another process writes it.
    IsADirectoryError, NotADirectoryError, PermissionError
        At once, if the file could not be written at the end.
    RuntimeError
        With ``resume``: the stopped run is, or may be, still at it.
    ValueError
        With ``resume``: what was left is of another run. Checkpoints of a recording in memory.
    """

    def __init__(
        self,
        path: str | Path | None,
        *,
        header: Mapping[str, Any],
        overwrite: bool = False,
        checkpoints: bool = False,
        resume: bool | Literal["takeover"] = False,
        segment_mb: float = 64,
        segment_s: float = 300,
    ) -> None:
        if resume not in (False, True, "takeover"):
            raise ValueError(f"resume = {resume!r}; allowed are True, False and 'takeover'")
        if path is None and (resume or checkpoints):
            raise ValueError("a recording in memory has no checkpoints and can't be resumed; give a path")
        self._begun = self._last_segment = time.monotonic()
        self._dt_ms = header.get("dt_ms")
        self._store = Store(encode_header(header))
        self._overwrite = overwrite
        self._checkpoints = checkpoints or bool(resume)
        self._held, self._limit, self._patience = 0, segment_mb * 1e6, segment_s
        self._kinds: dict[str, str] = {}
        self._closed = False
        self.recording: Recording | None = None  # what `finish` returned or `abort` kept, on disk or in memory
        self.state: dict[str, Any] | None = None  # what `checkpoint` was given last, if this run was resumed
        self.path: Path | None = None
        self._folder: Path | None = None
        self._behind: list[Path] = []
        self._places: Begun | None = None
        self._settled = path is None  # whether there is a begun file, or will be none
        if path is not None:
            self.path = check_output(path, overwrite=overwrite)
            sweep(self.path)
            if resume:
                self._resume(self.path, elsewhere=resume == "takeover")
            else:
                refuse_second_writer(self.path, path)
            self._folder = self._folder or make_folder(self.path, path)
            self._store.target = self.path.name

    def _resume(self, path: Path, *, elsewhere: bool) -> None:
        header = {key: decode(value) for key, value in self._store.header.items()}
        found = take_over(path, header.get("run_fingerprint"), elsewhere=elsewhere)
        if found is None:
            return
        found.store.header = resumed_header(found.header, self._store.header)
        self._begun -= found.header["wall_s"]
        self._store, self._folder, self._behind, self.state = found.store, found.folder, found.behind, found.state
        self._settled = True
        if any(stream.placing for stream in found.store.streams.values()):
            self._places = Begun(found.folder / NAME)
        for number, row in enumerate(found.store.rows):
            clean_row(row, number, self._kinds)

    def spikes(
        self, population: str, steps: Any, ids: Any, *, size: int | None = None, dt_ms: float | None = None
    ) -> None:
        """Append spikes: `steps` (n,) from the start of the run, in order of time, and `ids` (n,) from 0.

        A first call with empty arrays makes the population known. `size` is the number of its units and
        `dt_ms` its own step in milliseconds, if not the header's; both count at the first call.
        """
        self._check_open()
        stream = self._store.streams.get(f"spikes/{population}")
        if stream is None:
            stream = spike_stream(population, size, self._dt_ms if dt_ms is None else dt_ms)
        held = take_spikes(stream, steps, ids)
        self._store.streams[stream.path] = stream  # a refused first batch leaves none
        self._grow(held)

    def samples(
        self,
        path: str,
        values: Any,
        times: Any,
        *,
        dims: Sequence[str] | None = None,
        coords: Mapping[str, Any] | None = None,
        attrs: Mapping[str, Any] | None = None,
        scale: float = 1.0,
        rows: int = 0,
        copy: bool = True,
    ) -> None:
        """Append `values` (time, ...), bool, int or float, taken at `times` (time,) in milliseconds.

        `path` is "state/cells/v", "readout/when/y" and the like; `dims` names the dimensions (("time",
        "unit") unless given), `coords` gives names or numbers along all but the first, and `attrs` holds
        ``units`` and more. These three count at the first call. Values keep their type. The file has them
        divided by `scale`, the same in all calls (their unit in the file, say); that is done when it is written.
        Without `copy` they are kept as they are and must not change any more. `rows`, if the first call says how
        many there will be in all, lets floats go straight to their place in the file.
        """
        self._check_open()
        values = np.asarray(values)
        stream = self._store.streams.get(path)
        if stream is None:
            stream = sample_stream(path, values, dims, coords or {}, attrs or {})
            stream.rows = rows
            self._check_place(path)
        if scale != 1.0 and values.dtype.kind != "f":
            raise ValueError(
                f"samples of {path!r}: scale = {scale!r} for values of {values.dtype}; only floats have one"
            )
        stream.scale = scale  # that of a stream that was restored is not known before
        held = take_samples(stream, values, times, lambda values: self._put(stream, values), copy=copy)
        self._store.streams[path] = stream
        self._grow(held)

    def trial(self, row: Mapping[str, Any]) -> None:
        """Append one row (number, bool, text or None by column) to the table of trials."""
        self._check_open()
        self._store.rows.append(clean_row(row, len(self._store.rows), self._kinds))
        self._grow(64 * (1 + len(row)))

    def tree(self, path: str, mapping: Mapping[str, Any], *, copy: bool = True) -> None:
        """Store a nested mapping of arrays and plain values as the group `path`; a later call replaces it.

        Arrays are copied, unless they will not change until `finish` (`copy` = False).
        """
        self._check_open()
        frozen = freeze(mapping, check_path(path), copy=copy)
        if path not in self._store.trees:
            self._check_place(path)
        self._store.put_tree(path, frozen)

    def finish(self, results: Mapping[str, Any] | None = None, checks: Sequence[Any] | None = None) -> Recording:
        """Put the file together, check it, give it its name, and return it for reading.

        If that fails for want of room, nothing is lost: OSError is raised and `finish` may be called again.
        """
        self._check_open()
        attrs = {**outcome_attrs(results, checks), **self._wall(), "complete": np.True_}
        if self.path is None:
            return self._close(Image(self._store, attrs))
        try:
            write_file(self._store, self.path, attrs, overwrite=self._overwrite)
        except FileExistsError:
            kept = self._close(write_numbered(self._store, self.path, ".other", attrs))
            raise FileExistsError(f"{self.path} came into being meanwhile; this run is in {kept.path}") from None
        for folder in self._behind:  # the file holds all that they do
            shutil.rmtree(folder, ignore_errors=True)
        return self._close(self.path)

    def abort(self, reason: str) -> Path | None:
        """Keep what was recorded as ``<stem>.partial.h5`` and return its path; None if in memory or nothing.

        The file has ``complete`` = False and ``stopped`` = `reason`. An earlier partial file is not replaced
        unless `overwrite` was set. The recording is also at hand as ``writer.recording``. If that fails for want
        of room, OSError is raised and the checkpoints stay, or `abort` may be called again.
        """
        self._check_open()
        if self._store.empty:
            self._release()
            return None
        self._store.header.update(self._wall())
        if self.path is None:
            self._close(Image(self._store, stopped_attrs(reason)))
            return None
        try:
            return self._close(write_partial(self._store, self.path, reason, overwrite=self._overwrite)).path
        except OSError as error:
            if self._checkpoints and self._store.segments:
                self.suspend()
                error.add_note(
                    f"{self.path}: the last checkpoint stays; once there is room, resume=True goes on from it"
                )
            raise

    @property
    def due(self) -> bool:
        """Whether a checkpoint is due: so much is in memory, or so much time has passed since the last one."""
        late = time.monotonic() - self._last_segment > self._patience
        return self._folder is not None and (self._held >= self._limit or late)

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Put all that was recorded so far, with the `state` to go on from, where a kill can't reach it.

        `state` is a nested mapping of arrays and plain values. Raises OSError if there is no room: then the
        checkpoint before still stands, and what was recorded since is still in memory.
        """
        self._check_open()
        self._check_checkpoints()
        self._save(freeze(state, "state", copy=False))

    def suspend(self) -> None:
        """Close without a file: what the last `checkpoint` saved stays, for `resume=True` on any machine."""
        self._check_open()
        self._check_checkpoints()
        if self._store.segments:
            assert self._folder is not None and self.path is not None
            give_up(self._folder, self.path)
            self._folder = None
        self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not self._closed:
            self.abort("left without finish()" if error is None else f"{type(error).__name__}: {error}")

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this recording is closed by finish() or abort(); make a new Writer")

    def _check_checkpoints(self) -> None:
        if not self._checkpoints:
            raise RuntimeError("this Writer closes segments by itself; make it with checkpoints=True")

    def _check_place(self, path: str) -> None:
        """Refuse a path that would lie within, or hold, what is there already."""
        section = path.partition("/")[0]
        if section in _OWN_SECTIONS:
            raise ValueError(f"path = {path!r}: /{section} has its own methods; choose another path")
        for other in (*self._store.streams, *self._store.trees):
            if f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/"):
                raise ValueError(f"path = {path!r} clashes with {other!r}, recorded before; choose another")

    def _put(self, stream: Stream, values: np.ndarray) -> bool:
        if not self._settled and len(values):
            assert self._folder is not None
            streams = {**self._store.streams, stream.path: stream}
            self._places, self._settled = begin(self._folder / NAME, streams), True
            if self._places is not None:
                self._store.begun, self._store.whole = self._places.path, True
        return self._places is not None and self._places.put(stream, values)

    def _grow(self, size: int) -> None:
        self._held += size
        if not self._checkpoints and self._held and self.due:
            self._save()

    def _save(self, state: Mapping[str, Any] | None = None) -> None:
        assert self._folder is not None
        self._store.header.update(self._wall())
        try:
            if self._places is not None:
                self._places.sync()
            size = save(self._store, self._folder, state)
        except OSError as error:
            reason = f"{self.path}: nothing more can be recorded: {error.strerror or error}"
            raise OSError(error.errno, reason) from error
        # a state larger than what is recorded between two of them must not be what the disk is busy with
        self._held, self._limit, self._last_segment = 0, max(self._limit, size), time.monotonic()

    def _wall(self) -> dict[str, float]:
        return {"wall_s": round(time.monotonic() - self._begun, 3)}

    def _close(self, source: Path | Image) -> Recording:
        from neurodyn.recording.reader import Recording

        self.recording = Recording(source)
        self._release()
        return self.recording

    def _release(self) -> None:
        self._closed = True
        self._store, self._places = Store({}), None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
