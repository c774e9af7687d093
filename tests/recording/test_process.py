import os
import signal
import subprocess
import sys

import pytest

from neurodyn.recording.process import NOBODY, alive, identity


def test_this_process_lives_and_nobody_does_not():
    assert alive(identity())
    assert not alive(NOBODY)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the start of a process is read from /proc")
def test_a_later_process_with_the_same_number_is_another_one():
    number, _, start = identity().partition("-")
    assert int(start) > 0
    assert not alive(f"{number}-{int(start) + 1}")
    assert alive(f"{number}-0")  # written where the start could not be read: the number decides


def test_a_process_that_ended_is_dead_before_its_parent_asks_for_it():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert alive(f"{child.pid}-0")
        os.kill(child.pid, signal.SIGKILL)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
        assert not alive(f"{child.pid}-0")
    assert not alive(f"{child.pid}-0")
