"""Disks that are full or read-only, and files that somebody else has in hand."""

import os
import shutil
import subprocess
import sys
import textwrap

import h5py
import numpy as np
import pytest

from neurodyn.recording import Writer, check_disk, load, sample_bytes, spike_bytes
from neurodyn.recording.disk import publish
from neurodyn.recording.layout import dataset_at


def test_estimates():
    assert spike_bytes(1000) == 16_000
    assert sample_bytes(10, 5, "float32") == 10 * (5 * 4 + 8)


def test_a_disk_that_is_too_small_is_named_before_the_run(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    check_disk(tmp_path / "not yet" / "run.h5", free // 4)
    with pytest.raises(OSError, match=r"run\.h5.*MB are free.*Record less"):
        check_disk(tmp_path / "not yet" / "run.h5", free)


def test_publish_works_without_hard_links(tmp_path, monkeypatch):
    def unsupported(*args):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", unsupported)
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
    publish(tmp_path / "first", tmp_path / "final", overwrite=False)
    with pytest.raises(FileExistsError):
        publish(tmp_path / "second", tmp_path / "final", overwrite=False)
    assert (tmp_path / "final").read_text() == "first"
    publish(tmp_path / "second", tmp_path / "final", overwrite=True)
    assert (tmp_path / "final").read_text() == "second"


def in_a_small_disk(folder, code, *, size="2m"):
    """Run Python code in `folder`, where a file system of that size is mounted for this process only."""
    script = folder / "child.py"
    script.write_text(textwrap.dedent(code))
    disk = folder / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size={size} none "$1" || exit 77; shift; exec "$@"'
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh", str(disk)]
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare")
    done = subprocess.run(
        [*command, sys.executable, "-W", "error", str(script), str(disk)], capture_output=True, text=True, timeout=60
    )
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"this machine does not let us mount a small disk: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr


def test_a_full_disk_at_a_checkpoint_loses_nothing(tmp_path):
    in_a_small_disk(
        tmp_path,
        """
        import os, sys
        from pathlib import Path
        import numpy as np
        from neurodyn.recording import Writer, load
        disk = Path(sys.argv[1])
        path, ballast = disk / "run.h5", disk / "ballast"
        path.write_text("an earlier run")
        header = {"run_fingerprint": "x"}
        writer = Writer(path, header=header, overwrite=True, checkpoints=True)
        for part in range(2):
            writer.samples("state/cells/v", np.full((1000, 20), float(part)), np.arange(1000.0) + 1000 * part)
            if part:
                ballast.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 8192))
            try:
                writer.checkpoint({"part": part})
            except OSError as error:
                assert part and "nothing more can be recorded: No space left" in str(error), error
            else:
                assert not part
        assert path.read_text() == "an earlier run"
        [folder] = disk.glob(".run.h5.*.parts")
        assert sorted(os.listdir(folder)) == ["000000.h5", "000000.state"]  # nothing half, no room taken for nothing
        try:
            writer.abort("no room")
        except OSError as error:
            assert "the last checkpoint stays" in error.__notes__[0]
        else:
            raise AssertionError("there was room")
        assert path.read_text() == "an earlier run"
        ballast.unlink()
        writer = Writer(path, header=header, overwrite=True, resume=True)
        assert writer.state == {"part": 0}
        writer.samples("state/cells/v", np.full((1000, 20), 1.0), np.arange(1000.0) + 1000)
        assert writer.finish()["v"].shape == (2000, 20)
        assert os.listdir(disk) == ["run.h5"]
        """,
    )


def test_a_full_disk_at_the_end_loses_nothing(tmp_path):
    in_a_small_disk(
        tmp_path,
        """
        import os, sys
        from pathlib import Path
        import numpy as np
        from neurodyn.recording import Writer, load
        disk = Path(sys.argv[1])
        path, ballast = disk / "run.h5", disk / "ballast"
        path.write_text("an earlier run")
        writer = Writer(path, header={}, overwrite=True)
        ballast.write_bytes(bytes(2**20))
        writer.samples("state/cells/v", np.random.default_rng(0).normal(size=(10_000, 15)), np.arange(10_000.0))
        try:
            writer.finish()
        except OSError as error:
            assert "could not be written: No space left" in str(error), error
        else:
            raise AssertionError("there was room")
        assert path.read_text() == "an earlier run"
        ballast.unlink()
        assert writer.finish()["v"].shape == (10_000, 15)
        assert os.listdir(disk) == ["run.h5"]
        """,
    )


def test_a_read_only_disk_is_refused_before_the_run(tmp_path):
    in_a_small_disk(
        tmp_path,
        """
        import subprocess, sys
        from pathlib import Path
        from neurodyn.recording import Writer
        disk = Path(sys.argv[1])
        (disk / "run.h5").write_text("an earlier run")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        for options in ({}, {"checkpoints": True}, {"resume": True}):
            try:
                Writer(disk / "run.h5", header={}, overwrite=True, **options)
            except OSError as error:
                assert "nothing can be written into" in str(error) and "Read-only" in str(error), error
            else:
                raise AssertionError("it was written")
        assert (disk / "run.h5").read_text() == "an earlier run"
        """,
    )


@pytest.mark.skipif(os.name == "nt", reason="Windows does not replace a file that is open")
def test_who_reads_the_old_file_keeps_it(tmp_path):
    path = tmp_path / "run.h5"
    for value in (1.0, 2.0):
        with Writer(path, header={}, overwrite=True) as writer:
            writer.samples("state/cells/v", np.full((5, 2), value), np.arange(5.0))
            if value == 1.0:
                writer.finish()
                continue
            with h5py.File(path) as reader, load(path).open() as other:
                writer.finish()
                for file in (reader, other):
                    assert (dataset_at(file, "state/cells/v")[()] == 1.0).all()
    assert (load(path)["v"] == 2.0).all()


def test_of_two_writers_to_one_name_the_second_keeps_its_run_beside(tmp_path):
    writers = [Writer(tmp_path / "run.h5", header={"seed": seed}) for seed in range(2)]
    for writer in writers:
        writer.trial({"a": 1})
    writers[1].finish()
    with pytest.raises(FileExistsError, match=r"run\.h5 came into being meanwhile; this run is in .*run\.other\.h5"):
        writers[0].finish()
    assert [load(tmp_path / name).attrs["seed"] for name in ("run.h5", "run.other.h5")] == [1, 0]
    assert len(list(tmp_path.iterdir())) == 2


def test_of_two_writers_that_may_overwrite_the_last_one_stands(tmp_path):
    writers = [Writer(tmp_path / "run.h5", header={"seed": seed}, overwrite=True) for seed in range(2)]
    for writer in writers[::-1]:
        writer.trial({"a": 1})
        writer.finish()
    assert load(tmp_path / "run.h5").attrs["seed"] == 0
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_fills_up_while_rows_are_placed(tmp_path):
    in_a_small_disk(
        tmp_path,
        """
        import os, sys
        from pathlib import Path
        import numpy as np
        from neurodyn.recording import Writer, begun, load
        begun._LEAST = 10_000
        disk = Path(sys.argv[1])
        path, ballast = disk / "run.h5", disk / "ballast"
        writer = Writer(path, header={}, checkpoints=True)
        writer.samples("state/cells/v", np.empty((0, 20)), [], rows=3000)
        for part in range(3):
            if part == 1:
                ballast.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 8192))
            writer.samples("state/cells/v", np.full((1000, 20), float(part)), np.arange(1000.0) + 1000 * part)
        try:
            writer.checkpoint({"part": part})
        except OSError as error:
            assert "nothing more can be recorded: No space left" in str(error), error
        else:
            raise AssertionError("there was room")
        ballast.unlink()
        found = writer.finish()["v"].values
        assert (found == np.repeat([0.0, 1.0, 2.0], 1000)[:, None]).all() and found.shape == (3000, 20)
        assert os.listdir(disk) == ["run.h5"]
        """,
    )
