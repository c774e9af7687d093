"""Threads for compiled code that lets go of the interpreter: kept between calls, since starting one takes as long as a small step."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

_MOST = 256
_pool: ThreadPoolExecutor | None = None


def share(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call ``work(worker, k)`` for each k below ``count`` on so many threads, one of them this one.

    ``worker`` says which thread it is, from 0 on, so that each can have buffers of its own. An exception is raised when all are done.
    """
    threads = min(threads, count, _MOST)
    if threads <= 1:
        for k in range(count):
            work(0, k)
        return
    left = iter(range(count))

    def go(worker: int) -> None:
        for k in left:
            work(worker, k)

    others = [_threads().submit(go, worker) for worker in range(1, threads)]
    try:
        go(0)
    finally:
        wait(others)
    for other in others:
        other.result()


def _threads() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(_MOST, thread_name_prefix="neurodyn")
    return _pool


def _forget() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a child has none of the threads
    os.register_at_fork(after_in_child=_forget)
