"""How the points of a scan are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from neurodyn.scan.amounts import seconds, size
from neurodyn.scan.batch import checked_batch
from neurodyn.scan.ending import End
from neurodyn.scan.errors import ScanError
from neurodyn.scan.points import Point
from neurodyn.scan.running import Limits

Report = Callable[[Point, End], Any]
EXECUTORS = ("local", "slurm", "dask")


@dataclass(frozen=True)
class RunOptions:
    """Options of a run, remembered by the scan for the next one.

    Parameters
    ----------
    on : "local", "slurm" or "dask"
    workers : int or None
        Points at a time; None: as many as there are processors (local), one for each task or worker (Slurm, Dask).
    time_limit : str, float or None
        Longest time of a point, "10 min"; None: no limit.
    memory_limit : str, int or None
        Most memory of a point, "2 GB"; None: no limit.
    threads : int
        Threads of libraries in each point.
    grace : str or float
        How long a point may take to write a checkpoint when it is told to stop.
    batch : int or "auto"
        Points that differ in numbers only and run as one launch; "auto": as many as are worth it, if any.
    point_time : str, float or None
        What a point takes, for packing, as long as none has run.
    task_time : str or float
        What a task of a cluster should take: so many points are packed into one.
    wall_time : str, float or None
        The limit that a task asks for; None: twice `task_time`.
    directives : mapping
        Handed on to Slurm as they are: ``{"partition": "gpu", "account": "lab", "gres": "gpu:1"}``.
    setup : sequence of str
        Lines of shell before a task starts: ``module load python``.
    scheduler : str or None
        Address, or scheduler file, of a running Dask cluster.

    Raises
    ------
    ScanError
        For values out of range; names the option.
    """

    on: str = "local"
    workers: int | None = None
    time_limit: str | float | None = None
    memory_limit: str | int | None = None
    threads: int = 1
    grace: str | float = "60 s"
    batch: int | str = 1
    point_time: str | float | None = None
    task_time: str | float = "30 min"
    wall_time: str | float | None = None
    directives: Mapping[str, Any] = field(default_factory=dict)
    setup: Sequence[str] = ()
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.on not in EXECUTORS:
            raise ScanError(f"on = {self.on!r}; there are {', '.join(EXECUTORS)}")
        for name, value in (("workers", self.workers), ("threads", self.threads)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ScanError(f"{name} = {value!r} has to be a whole number, at least 1")
        checked_batch(self.batch)
        assert self.limits

    @property
    def limits(self) -> Limits:
        """The limits in seconds and bytes."""
        memory = size(self.memory_limit, "memory_limit")
        return Limits(seconds(self.time_limit, "time_limit"), memory, self.threads, seconds(self.grace, "grace") or 0.0)

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)
