"""Work that is shared among threads."""

from __future__ import annotations

import os
import threading

import pytest

from neurodyn.kernels.threads import share


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_each_is_done_once(threads):
    done, lock = [], threading.Lock()

    def work(worker, k):
        assert 0 <= worker < threads
        with lock:
            done.append(k)

    share(work, 40, threads)
    assert sorted(done) == list(range(40))


def test_threads_work_at_once():
    meet = threading.Barrier(3, timeout=30)

    def work(worker, k):
        meet.wait()  # in vain for the others, if it were one after the other

    share(work, 3, 3)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_exception_is_raised(threads):
    def work(worker, k):
        if k == 3:
            raise KeyError("third")

    with pytest.raises(KeyError, match="third"):
        share(work, 8, threads)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    share(lambda worker, k: None, 4, 2)
    child = os.fork()
    if child == 0:
        done: list[int] = []
        share(lambda worker, k: done.append(k), 4, 2)
        os._exit(0 if sorted(done) == [0, 1, 2, 3] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
