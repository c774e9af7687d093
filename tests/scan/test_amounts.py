"""Durations and sizes as people write them."""

import pytest

from neurodyn.scan.amounts import seconds, show_bytes, show_seconds, size
from neurodyn.scan.errors import ScanError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90 s", 90.0),
        ("10 min", 600.0),
        ("1.5h", 5400.0),
        ("2 d", 172_800.0),
        ("1:30:00", 5400.0),
        ("2:05", 125.0),
        (45, 45.0),
        (0.5, 0.5),
        (None, None),
    ],
)
def test_seconds(text, value):
    assert seconds(text, "time_limit") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 GB", 2_000_000_000), ("2G", 2**31), ("1.5 MiB", 1_572_864), ("500kB", 500_000), (1024, 1024), (None, None)],
)
def test_size(text, value):
    assert size(text, "memory_limit") == value


@pytest.mark.parametrize("text", ["", "soon", "10 parsecs", "-3 s", "1:2:3", "0", 0, "nan", True])
def test_what_is_no_duration(text):
    with pytest.raises(ScanError, match="time_limit = "):
        seconds(text, "time_limit")


@pytest.mark.parametrize("text", ["", "lots", "3 GW", "-1", "0 GB", "0.1"])
def test_what_is_no_size(text):
    with pytest.raises(ScanError, match="memory_limit = "):
        size(text, "memory_limit")


def test_shown():
    assert [show_seconds(x) for x in (0.09, 1.234, 45.0, 59.7, 90.0, 7200.0, 200_000.0)] == [
        "90 ms",
        "1.2 s",
        "45 s",
        "60 s",
        "1.5 min",
        "2.0 h",
        "2.3 d",
    ]
    assert [show_bytes(x) for x in (12, 5_000, 3_400_000, 2e9, 7e12)] == ["12 B", "5 kB", "3.4 MB", "2 GB", "7 TB"]
