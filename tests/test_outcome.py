"""Checks and outcomes: thresholds, and numbers that JSON can hold."""

import json
import math

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.outcome import Outcome, check


@pytest.mark.parametrize(
    ("value", "threshold", "passed"),
    [
        (0.3, "<= 0.4", True),
        (0.4, "<= 0.4", True),
        (0.4, "< 0.4", False),
        (5, "== 5", True),
        (5, "!= 5", False),
        (-1e-3, ">= -1e-3", True),
        (0.3, ">= 0.2 and <= 0.4", True),
        (0.5, ">= 0.2 and <= 0.4", False),
        (math.nan, "!= 0", False),
        (np.float32(0.25), "> 0.2", True),
        (np.int64(3), ">3", False),
    ],
)
def test_check(value, threshold, passed):
    made = check("x", value, threshold)
    assert made.passed is passed
    assert type(made.value) in (int, float)


def test_check_refuses_what_it_cannot_read():
    for threshold in ("0.4", "about 3", "<= x", "", "=< 3"):
        with pytest.raises(ValueError, match="has to be a comparison"):
            check("x", 1.0, threshold)
    with pytest.raises(ValueError, match="has to be a number"):
        check("x", "a", "> 1")  # type: ignore[arg-type]


def test_outcome():
    outcome = Outcome(
        results={
            "a": np.float64(1.5),
            "b": np.arange(3),
            "c": float("nan"),
            "d": "text",
            "e": np.bool_(True),
        },
        checks=[check("x", math.inf, "< 3", reference=2.0, source="Paper 2003, figure 1")],
    )
    assert not outcome.passed
    assert Outcome().passed
    text = json.dumps(outcome.to_json(), allow_nan=False)
    assert json.loads(text) == {
        "results": {"a": 1.5, "b": [0, 1, 2], "c": None, "d": "text", "e": True},
        "checks": [{"name": "x", "value": None, "threshold": "< 3", "reference": 2.0, "passed": False}],
    }
    with pytest.raises(TypeError, match=r"result 'a' is a ndarray"):
        Outcome(results={"a": np.zeros((2, 2))})
    with pytest.raises(TypeError, match="nd.check"):
        Outcome(checks=[True])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="matplotlib Figure"):
        Outcome(figures={"a": 3})
    with pytest.raises(ValueError, match="file name"):
        Outcome(figures={"a/b": type("F", (), {"savefig": None})()})


def test_numbers_of_several_seeds() -> None:
    assert nd.spread("error", [1.0, 2.0, 3.0]) == {
        "error: mean": 2.0,
        "error: SD": 1.0,
        "error: min": 1.0,
        "error: max": 3.0,
    }
    assert nd.spread("error", [4.0])["error: SD"] == 0.0
    assert nd.passes("good", [True, True, False, True]) == {"good: seeds": "3 of 4 (95 %: 0.30 to 0.95)"}
    assert nd.rounded({"curve": [1 / 3, 2 / 3]}) == {"curve": [0.333, 0.667]}
