"""The function and the command `export`: forms, names, refusals; nothing half-written."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

import neurodyn as nd
from neurodyn.cli import main
from neurodyn.recording import Recording, Writer


@pytest.fixture
def copy(recording: Recording, tmp_path: Path) -> Path:
    assert recording.path is not None
    return Path(shutil.copy(recording.path, tmp_path / "a.h5"))


def test_default_places_are_beside_the_recording(copy: Path) -> None:
    forms: tuple[Any, ...] = ("nwb", "sonata", "csv")
    assert [nd.export(copy, to=form).name for form in forms] == ["a.nwb", "a.sonata", "a.csv"]
    assert sorted(item.name for item in copy.parent.iterdir()) == ["a.csv", "a.h5", "a.nwb", "a.sonata"]


def test_the_command(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(copy), "--out", str(tmp_path / "shared" / "b.csv")]) == 0
    assert capsys.readouterr().out.strip().endswith("b.csv")
    assert (tmp_path / "shared" / "b.csv" / "spikes.csv").exists()
    assert main(["export", str(copy), "--out", str(tmp_path / "shared" / "b.csv")]) == 2
    assert "overwrite" in capsys.readouterr().err
    assert main(["export", str(copy), "--out", str(tmp_path / "shared" / "b.csv"), "--overwrite"]) == 0
    assert main(["export", str(copy)]) == 2
    assert "nothing says which form" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, "nothing says which form; give to = 'nwb' or 'sonata' or 'csv'"),
        ({"out": "a.mat"}, "out = 'a.mat' doesn't tell the form"),
        ({"to": "matlab"}, "to = 'matlab'; allowed are 'nwb', 'sonata', 'csv'"),
        ({"out": "a.nwb", "to": "csv"}, "to = 'csv', but out = 'a.nwb' ends in '.nwb'"),
    ],
)
def test_a_form_that_can_not_be_told(recording: Recording, how: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nd.export(recording, **how)


def test_a_recording_in_memory_needs_a_path(tmp_path: Path) -> None:
    with Writer(None, header={"dt_ms": 1.0}) as writer:
        writer.spikes("cells", [1, 2], [0, 1])
        made = writer.finish()
    with pytest.raises(ValueError, match="the recording is in memory: say where, such as out='run.nwb'"):
        nd.export(made, to="nwb")
    assert nd.export(made, tmp_path / "a.nwb").exists()


@pytest.mark.parametrize("form", ["nwb", "sonata", "csv"])
def test_what_is_there_is_kept(copy: Path, form: Any) -> None:
    made = nd.export(copy, to=form)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        nd.export(copy, to=form)
    assert nd.export(copy, to=form, overwrite=True) == made
    assert sorted(item.name for item in copy.parent.iterdir()) == sorted(["a.h5", made.name])


def test_a_folder_of_the_user_is_never_replaced(copy: Path) -> None:
    made = nd.export(copy, to="csv")
    (made / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds 'thesis.txt', which no export wrote"):
        nd.export(copy, to="csv", overwrite=True)
    foreign = copy.parent / "home.csv"
    foreign.mkdir()
    (foreign / "index.csv").write_text("file,size\nsecret.txt,4\n")
    (foreign / "secret.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds '(index.csv|secret.txt)'"):
        nd.export(copy, foreign, overwrite=True)
    assert (made / "thesis.txt").read_text() == (foreign / "secret.txt").read_text() == "mine"


def test_the_recording_itself_is_never_replaced(copy: Path) -> None:
    for out in (copy, copy.parent / ".." / copy.parent.name / "a.h5"):
        with pytest.raises(ValueError, match="is the recording itself; give another name"):
            nd.export(copy, out, to="nwb", overwrite=True)
    assert len(nd.load(copy)) > 3


def test_what_is_no_recording_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="recording = 3 is none; give a recording, the path of one, or a training"):
        nd.export(3, to="csv")  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path, *_: object, **__: object) -> None:
        if not self.exists():
            raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", denied)  # who tests may be root, who can write everywhere
    for form in ("nwb", "csv"):
        with pytest.raises(PermissionError, match="out = .*: nothing can be written into .*; choose a folder"):
            nd.export(copy, to=form)  # type: ignore[arg-type]


def test_a_file_is_not_replaced_by_a_folder(copy: Path) -> None:
    (copy.parent / "a.csv").write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file; this export is a folder"):
        nd.export(copy, to="csv", overwrite=True)
    assert (copy.parent / "a.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("form", "within"),
    [
        ("nwb", "pynwb.NWBHDF5IO.write"),
        ("sonata", "neurodyn.doors.sonata._nodes"),
        ("csv", "neurodyn.doors.tables._tables"),
    ],
)
def test_an_export_that_fails_leaves_nothing_and_keeps_the_old(
    copy: Path, monkeypatch: pytest.MonkeyPatch, form: Any, within: str
) -> None:
    made = nd.export(copy, to=form)
    (copy.parent / "b.h5").write_bytes(copy.read_bytes())

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(within, full)
    for name in ("a.h5", "b.h5"):
        with pytest.raises(OSError, match="No space left"):
            nd.export(copy.parent / name, to=form, overwrite=True)
    assert sorted(item.name for item in copy.parent.iterdir()) == sorted(["a.h5", "b.h5", made.name])


@pytest.mark.parametrize(("package", "extra"), [("pynwb", "nwb"), ("neo", "neo")])
def test_a_missing_package_is_named(
    recording: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf'pip install "neurodyn\[{extra}\]"'):
        nd.export(recording, tmp_path / "a.nwb") if package == "pynwb" else nd.doors.to_neo(recording)
