"""What a scan makes of what Slurm's commands say, also where the Slurm at hand never says it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from neurodyn.scan import Scan, ScanError
from neurodyn.scan.executors.slurm import queue, troubles
from neurodyn.scan.executors.slurm_commands import Queued, Refused, _elapsed, queued, submit
from neurodyn.scan.executors.slurm_queue import _to_begin, held
from neurodyn.scan.executors.submissions import Submission, job_prefix, submissions
from neurodyn.scan.registry import Registry

MODEL = '''
import neurodyn as nd

@nd.simulation
def model(*, a: float = 1.0):
    """Nothing."""
    return {"y": a}
'''
FULL = "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1"


class Programs:
    """Programs that stand in for those of Slurm; sbatch notes what it was called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("scontrol", "echo 'MaxArraySize            = 1001'")
        self.write("squeue", "true")
        self.write("sbatch", 'echo "$@" >> calls; echo 12')

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(f"#!/bin/bash\ncd {self.folder}\n{text}\n")
        path.chmod(0o755)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return Programs(tmp_path / "bin")


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    (tmp_path / "model.py").write_text(MODEL)
    return Scan(tmp_path / "model.py", out=tmp_path / "s", grid={"a": [float(a) for a in range(16)]})


def in_queue(scan: Scan, *rows: tuple[str, str, str], submission: int = 1, reason: str = "None") -> str:
    """A squeue that shows tasks of job 12: task, state, time."""
    lines = [f"12|{task}|{state}|{ran}|{reason}|{job_prefix(scan.folder)}{submission:04d}" for task, state, ran in rows]
    return "\n".join(["cat <<'EOF'", *lines, "13|N/A|RUNNING|5:00|None|another", "EOF"])


def test_times_of_squeue() -> None:
    found = [_elapsed(text) for text in ("0:07", "12:34", "1:02:03", "2-03:04:05", "INVALID", "")]
    assert found == [7.0, 754.0, 3723.0, 183845.0, 0.0, 0.0]


def test_as_many_tasks_as_the_site_takes(programs: Programs, scan: Scan) -> None:
    """Three tasks in the queue are the most."""
    accept = 'echo "$@" >> calls; echo 1$(wc -l < calls)'
    count = "n=$(cat used 2>/dev/null || echo 0); last=${2##*-}; want=$((n + last + 1))"
    programs.write("sbatch", f"{count}; if [ $want -gt 3 ]; then {FULL}; fi; echo $want > used; {accept}")
    first, second, rest = scan.run(on="slurm", point_time="1 h", task_time="1 h").splitlines()
    assert first.startswith("submitted job 11: 2 tasks of 1 point, about 1.0 h each")
    assert second.startswith("submitted job 12: 1 task of 1 point")
    assert rest.startswith("13 points are left: the site takes no more jobs of yours now") and "QOSMaxSubmit" in rest
    assert [call.split()[1] for call in programs.calls()] == ["--array=0-1", "--array=0-0"]
    assert [s.plan["points"] for s in submissions(scan.folder)] == [2, 1]
    assert [s.plan["first"] for s in submissions(scan.folder)] == [None, 1]
    with pytest.raises(ScanError, match="QOSMaxSubmitJobPerUserLimit"):
        scan.run()
    assert len(submissions(scan.folder)) == 2


def test_an_answer_that_was_lost(programs: Programs, scan: Scan) -> None:
    """sbatch that runs out of time may have submitted the job: it is looked for by its name, and its files stay."""
    lost = "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1"
    programs.write("sbatch", lost)
    with pytest.raises(ScanError, match="Socket timed out"):
        scan.run(on="slurm")
    assert [s.job for s in submissions(scan.folder)] == [None] and troubles(scan.folder) == []

    rows = [(f"{task}", "PENDING", "0:00") for task in range(16)]
    programs.write("sbatch", f"touch asked; {lost}")
    programs.write("squeue", f"[ -e asked ] || exit 0\n{in_queue(scan, *rows, submission=2)}")
    assert scan.run().startswith("submitted job 12: 16 tasks of 1 point")
    assert scan.run() == "not submitted again, because they wait or run already: 16 in job 12"


def test_nothing_is_known_of_the_time(programs: Programs, scan: Scan) -> None:
    said = scan.run(on="slurm").splitlines()
    assert "16 tasks of 1 point; asked for 1 processor" in said[0]
    assert said[1].startswith("what a point takes is not known; for tasks of 30.0 min give point_time")
    assert "only simulations that go on from a checkpoint" in scan.run(point_time="2 h", wall_time="1 h")


@pytest.mark.parametrize(
    ("state", "ran", "waits"),
    [
        ("PENDING", "0:00", True),
        ("RUNNING", "0:10", True),  # Python is starting
        ("RUNNING", "10:00", False),  # remembered by a controller that was killed
        ("COMPLETING", "0:10", False),
    ],
)
def test_tasks_without_a_worker(programs: Programs, scan: Scan, state: str, ran: str, waits: bool) -> None:
    scan.run(on="slurm", point_time="10 min", task_time="2 h")
    programs.write("squeue", in_queue(scan, ("0", state, ran)))
    assert set(held(scan.folder).values()) == ({"job 12"} if waits else set())
    assert queue(scan.folder) == [f"job 12: 1 task {state.lower()}"]


def test_a_task_that_a_node_refused(programs: Programs, scan: Scan) -> None:
    scan.run(on="slurm", point_time="10 min", task_time="2 h")
    programs.write("squeue", in_queue(scan, ("0", "PENDING", "0:00"), reason="launch failed requeued held"))
    assert held(scan.folder) == {}
    assert queue(scan.folder) == ["job 12: 1 task pending (launch failed requeued held)"]
    programs.write("squeue", in_queue(scan, ("0", "PENDING", "0:00"), reason="Priority"))
    assert held(scan.folder)


def test_a_task_with_a_worker(programs: Programs, scan: Scan) -> None:
    scan.run(on="slurm", point_time="10 min", task_time="2 h")
    programs.write("squeue", in_queue(scan, ("0", "RUNNING", "10:00"), ("1", "RUNNING", "10:00")))
    registry = Registry(scan.folder)
    member = registry.enter(executor="slurm", slots=1, job="12_1", submission=1)
    points = Submission(scan.folder, 1).points(1)
    journal = scan.path / "journal" / f"{member.name}.jsonl"
    journal.write_text(f'{{"key": "{points[0].key}", "state": "raised", "worker": "{member.name}"}}\n')
    assert set(held(scan.folder)) == {point.key for point in points[1:]}, "what has failed there can be submitted"
    registry.leave(member, "it was told to")
    assert held(scan.folder) == {}
    assert troubles(scan.folder) == []
    programs.write("squeue", "true")
    (said,) = troubles(scan.folder)
    assert said.startswith("job 12: 1 task gone from the queue that never began") and "/12_0.out" in said


def test_a_task_that_has_ended_just_now(programs: Programs, scan: Scan) -> None:
    member = Registry(scan.folder).enter(executor="slurm", slots=1, job="12_1", submission=1)
    task = Queued("nd", "12", 1, "RUNNING", 30.0, "None")
    assert not _to_begin(task, member), "its worker began with it"
    earlier = type(member)(**{**vars(member), "started": time.time() - 600})
    assert _to_begin(task, earlier), "that was before it was requeued"


def test_slurm_that_does_not_answer(programs: Programs, scan: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    scan.run(on="slurm")
    programs.write("squeue", "exec sleep 60")
    monkeypatch.setattr("neurodyn.scan.executors.slurm_queue._QUICK_S", 0.2)
    assert queue(scan.folder) == [] and troubles(scan.folder) == []
    with pytest.raises(Refused, match=r"squeue gave no answer within 0.2 s"):
        queued("nd", timeout=0.2)


def test_commands_do_not_see_a_job_around_them(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_MEM_PER_CPU", "100")
    monkeypatch.setenv("SLURM_CONF", "/etc/x.conf")
    programs.write("sbatch", "env | grep ^SLURM > seen; echo '7;cluster'")
    assert submit(tmp_path / "array.sh", "0-1") == "7"
    assert (programs.folder / "seen").read_text().split() == ["SLURM_CONF=/etc/x.conf"]
