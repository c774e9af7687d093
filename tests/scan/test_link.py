"""What the system tells about memory."""

import mmap
import os

import pytest

from neurodyn.scan.ending import judge
from neurodyn.scan.link import ended_for_memory, resident


@pytest.mark.parametrize(
    ("groups", "file"),
    [
        ("4:memory:/slurm/job_3\n0::/\n", "memory/slurm/job_3/memory.oom_control"),
        ("0::/user.slice/job_3\n", "user.slice/job_3/memory.events"),
    ],
)
def test_both_versions_of_control_groups_are_asked(tmp_path, groups, file):
    (tmp_path / "groups").write_text(groups)
    assert ended_for_memory(tmp_path / "groups", tmp_path) == 0
    path = tmp_path / file
    path.parent.mkdir(parents=True)
    path.write_text("low 0\noom 5\noom_kill 3\n")
    assert ended_for_memory(tmp_path / "groups", tmp_path) == 3
    assert ended_for_memory(tmp_path / "nothing", tmp_path) == 0


def test_a_kill_for_memory_is_told_from_another(tmp_path):
    assert judge(tmp_path, 9, peak=2_000_000_000, out_of_memory=True).kind == "memory"
    other = judge(tmp_path, 9, peak=2_000_000_000)
    assert (other.kind, "it held 2 GB" in other.message) == ("killed", True)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="Linux")
def test_memory_of_a_process_is_seen_to_grow():
    before = resident(os.getpid())
    with mmap.mmap(-1, 200_000_000) as held:  # pages that this process did not have, while others may be taken from it
        held.write(b"x" * len(held))
        assert resident(os.getpid()) - before > 0.5 * len(held)
