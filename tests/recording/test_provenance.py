import os
import subprocess
import sys

from neurodyn.recording.provenance import git_revision, provenance


def test_git_revision(tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        return subprocess.run(
            ["git", *who, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    git("init", "-q")
    assert git_revision(tmp_path) is None  # no commit yet
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "first")
    git("tag", "v1")
    commit = git("rev-parse", "HEAD").strip()
    assert git_revision(tmp_path) == commit
    (tmp_path / "a").write_text("22")
    assert git_revision(tmp_path) == f"{commit}-dirty"


def test_without_git(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)  # what was asked ten seconds ago, elsewhere, doesn't count
    assert git_revision(tmp_path) is None
    assert "git_revision" not in provenance()


def test_asking_for_threads_leaves_those_of_torch_alone():
    code = (
        "import numba, torch; from neurodyn.recording.provenance import provenance; "
        "provenance(); print(torch.get_num_threads())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "1"
