"""What the page on dynamics shows runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "dynamics.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(2))
def test_snippets_on_dynamics(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(SNIPPETS) == 2
    names: dict = {}
    exec(compile(SNIPPETS[number], f"dynamics.md, snippet {number}", "exec"), names)
    if number:
        assert names["training_set"].shape == (4, 500, 3) and abs(names["found"].exponents.mean(0)[0] - 0.906) < 0.3
    else:
        assert names["points"].fixed.any() and (tmp_path / "points.png").exists()
        assert np.isfinite(names["spectrum"].exponents).all()
