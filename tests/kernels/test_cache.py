"""Where compiled code is kept."""

from pathlib import Path

import pytest

from neurodyn.kernels import cache


def test_the_variable_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path / "here"))
    assert cache.folder() == tmp_path / "here" and (tmp_path / "here").is_dir()


def test_a_home_that_can_not_be_written_is_no_reason_to_stop(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = cache.folder()
    assert folder.is_dir() and folder.parent == tmp_path


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "a.py"
    cache.atomic_write(path, "old")
    assert path.read_text() == "old"

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cache.atomic_write(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in Path(path.parent).iterdir()] == ["a.py"]
