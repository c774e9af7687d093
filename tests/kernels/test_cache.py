"""Where compiled code is kept."""

import os
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
    assert cache.folder() == folder


def test_what_anybody_could_have_written_is_not_imported_from(tmp_path, monkeypatch):
    """The name in the folder of temporary files is known, so another user may have made it first."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("NEURODYN_CACHE_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"neurodyn-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert cache.folder() != planted
    assert cache.folder() == cache.folder()
    assert cache.folder().stat().st_mode & 0o022 == 0


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


def test_collection_is_put_off_and_comes_back_however_it_ends():
    import gc

    for on in (True, False):
        (gc.enable if on else gc.disable)()
        try:
            with pytest.raises(ZeroDivisionError), cache.collection_later():
                assert not gc.isenabled()
                with cache.collection_later():
                    pass
                assert not gc.isenabled()
                raise ZeroDivisionError
            assert gc.isenabled() is on
        finally:
            gc.enable()
