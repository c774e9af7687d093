"""The examples in docs/recording.md run as they stand."""

import re
from pathlib import Path

import numpy as np

from neurodyn.recording import Writer, load

PAGE = Path(__file__).parents[2] / "docs" / "recording.md"


def test_examples_run(tmp_path, monkeypatch, run_header, feed):
    monkeypatch.chdir(tmp_path)
    with Writer("runs/what_when.h5", header=run_header()) as writer:
        feed(writer)
        writer.finish()
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    recording = load("runs/what_when.h5")
    assert len(blocks) == 2
    assert np.array_equal(names["times"], recording["spikes/cells"].times)
    assert names["complete"]
    assert names["v"].equals(recording["v"].sel(time=slice(10, 20)))
    assert names["trials"]["event"].tolist() == recording.trials["event"].tolist()


def test_the_page_names_the_attributes_that_are_there(recording):
    page = PAGE.read_text(encoding="utf-8")
    assert [key for key in recording.attrs if f"`{key}`" not in page] == ["duration_ms"]  # given by the test's header
