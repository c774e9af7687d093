import shutil

import pytest

from neurodyn.recording import check_disk, sample_bytes, spike_bytes
from neurodyn.recording.disk import publish


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
