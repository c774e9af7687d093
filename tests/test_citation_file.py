"""CITATION.cff says what the package and its bibliography say."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import neurodyn as nd

ROOT = Path(__file__).parents[1]
FILE = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def plain(text: str) -> str:
    """A title without TeX's braces and quotation marks."""
    return re.sub("[{}]", "", text).replace("``", '"').replace("''", '"')


def test_it_is_of_this_version() -> None:
    assert FILE["cff-version"] == "1.2.0" and FILE["version"] == nd.__version__
    assert FILE["title"] == "neurodyn" and FILE["authors"] == [{"name": "The neurodyn authors"}]
    assert FILE["license"] == "MIT" and (ROOT / "LICENSE").read_text().startswith("MIT")


def test_papers_are_those_of_the_bibliography() -> None:
    papers = [
        nd.bibtex(key).split("\n\n")[-1] for key in ("yamada2025", "khajehabdollahi2024", "torre2025", "ahmadi2019")
    ]
    for told, paper in zip(FILE["references"], papers, strict=True):
        title = re.search(r"title = \{(.*)\},", paper)
        assert title is not None and told["title"] == plain(title[1])
        assert f"year = {{{told['year']}}}" in paper and told["authors"][0]["family-names"] in paper
