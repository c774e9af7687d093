"""The text of a simulation: the script and what it imports from beside it."""

from neurodyn.scan.source import changes, source_files, source_hash


def written(folder, **files):
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "script.py"


def test_the_script_and_its_neighbours(tmp_path):
    script = written(
        tmp_path,
        script="import numpy\nimport helper\ndef run():\n    from common.deep import thing\n",
        helper="import json\nfrom common import deep\n",
        common__deep="from . import near\nfrom .near import x\n",
        common__near="x = 1\nimport script\n",
        other="not = imported, nor = Python",
    )
    (tmp_path / "common" / "__init__.py").write_text("")
    found = source_files(script)
    assert set(found) == {"script.py", "helper.py", "common/__init__.py", "common/deep.py", "common/near.py"}


def test_a_change_anywhere_shows(tmp_path):
    script = written(tmp_path, script="import helper\n", helper="x = 1\n", other="y = 1\n")
    before = source_files(script)
    (tmp_path / "other.py").write_text("y = 2\n")
    assert source_files(script) == before
    (tmp_path / "helper.py").write_text("x = 2\n")
    now = source_files(script)
    assert changes(before, now) == ["helper.py"]
    assert source_hash(before) != source_hash(now)
    (tmp_path / "helper.py").unlink()
    assert changes(before, source_files(script)) == ["helper.py"]


def test_a_script_with_an_error_still_has_a_hash(tmp_path):
    script = written(tmp_path, script="def f(:\n")
    assert list(source_files(script)) == ["script.py"]
