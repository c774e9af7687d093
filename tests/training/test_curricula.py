"""Curricula: stages, what solves one, and names (U6)."""

from __future__ import annotations

import itertools

import pytest

import neurodyn as nd
from neurodyn.training.curricula import curriculum_of, solved


def stages(curriculum, count):
    stage, found = curriculum.first, []
    while stage is not None and len(found) < count:
        found.append(stage)
        stage = curriculum.next(stage)
    return found


def test_stages():
    assert stages(nd.SingleHead(), 4) == [(2,), (3,), (4,), (5,)]
    assert stages(nd.SingleHead(start=7), 2) == [(7,), (8,)]
    assert stages(nd.MultiHead(), 4) == [(2,), (2, 3), (2, 3, 4), (2, 3, 4, 5)]
    assert stages(nd.MultiHead(start=1, add=3), 3) == [(1,), (1, 2, 3, 4), (1, 2, 3, 4, 5, 6, 7)]
    assert stages(nd.Sliding(), 3) == [tuple(range(2, 12)), tuple(range(7, 17)), tuple(range(12, 22))]
    assert stages(nd.Sliding(start=3, window=2, advance=2), 3) == [(3, 4), (5, 6), (7, 8)]
    assert stages(nd.NoCurriculum(n=12), 5) == [(12,)]


def test_every_stage_increases_and_leaves_no_n_out():
    for curriculum in (nd.SingleHead(), nd.MultiHead(add=2), nd.Sliding(window=4, advance=4), nd.Sliding(window=5, advance=2)):  # fmt: skip
        found = stages(curriculum, 6)
        assert all(list(s) == list(range(s[0], s[-1] + 1)) for s in found)
        assert sorted(set(itertools.chain(*found))) == list(range(2, found[-1][-1] + 1))


def test_both_the_mean_and_the_newest_have_to_exceed_the_threshold():
    """Strictly; sums of floats may not decide: 0.5 is exact."""
    assert not solved([0.5], 0.5) and solved([0.5 + 2**-40], 0.5)
    assert not solved([1.0, 0.5], 0.5) and solved([1.0, 0.75], 0.5)
    assert not solved([0.25, 0.75], 0.5) and solved([0.25, 0.875], 0.5)  # the first one may be below
    assert not solved([1.0, 1.0, 0.98], 0.98)  # the newest is not above
    assert not solved([0.9, 0.9, 0.999], 0.98)  # the mean is not
    assert solved([0.97, 0.999, 0.999], 0.98)


def test_names():
    assert curriculum_of("single-head") == nd.SingleHead(start=2)
    assert curriculum_of("multi-head") == nd.MultiHead(start=2, add=1)
    assert curriculum_of("sliding") == nd.Sliding(start=2, window=10, advance=5)
    given = nd.NoCurriculum(n=4)
    assert curriculum_of(given) is given
    assert nd.Sliding().config == {"curriculum": "Sliding", "start": 2, "window": 10, "advance": 5}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("multihead", "curriculum = 'multihead'; did you mean 'multi-head'"),
        ("Single-Head", "did you mean 'single-head'.*allowed are 'single-head', 'multi-head', 'sliding'"),
        ("slide", "did you mean 'sliding'"),
        (None, "curriculum = None; give one of .* or such as nd.Sliding"),
        (nd.MultiHead, "or such as nd.Sliding"),
    ],
)
def test_unknown_names(name, message):
    with pytest.raises(ValueError, match=message):
        curriculum_of(name)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nd.SingleHead(start=0), "start = 0; give a whole number, at least 1"),
        (lambda: nd.MultiHead(add=0), "add = 0"),
        (lambda: nd.MultiHead(start=True), "start = True"),
        (lambda: nd.Sliding(window=2.5), "window = 2.5"),  # type: ignore[arg-type]
        (lambda: nd.Sliding(window=3, advance=4), "advance = 4; at most the window, 3, or N are left out"),
        (lambda: nd.NoCurriculum(n=-1), "n = -1"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
