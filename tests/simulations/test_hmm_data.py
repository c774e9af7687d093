"""Emulation of one's own data: files, what simple models say of them, and the simulation from end to end."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import neurodyn as nd

FOLDER = str(Path(__file__).parents[2] / "simulations")


@pytest.fixture(scope="module")
def scripts():
    sys.path.insert(0, FOLDER)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield importlib.import_module
    torch.set_num_threads(before)
    sys.path.remove(FOLDER)


@pytest.fixture
def data(scripts) -> Any:
    return scripts("emulation.data")


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("0 1 2\n2 1\n", ("0", "1", "2"), [[0, 1, 2], [2, 1]]),
        ("10, 2,10\n\n2;2\t10,\n", ("2", "10"), [[1, 0, 1], [0, 0, 1]]),
        ("ABBA\nBA\n\n", ("A", "B"), [[0, 1, 1, 0], [1, 0]]),
        ("0112\n2\n", ("0", "1", "2"), [[0, 1, 1, 2], [2]]),
        ("up down up\nup\n", ("down", "up"), [[1, 0, 1], [1]]),
        ("-1 1\r\n1 1\r\n", ("-1", "1"), [[0, 1], [1, 1]]),
    ],
)
def test_files(data, text, names, rows, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    found = data.read_lines(tmp_path / "a.txt")
    assert found.names == names and [s.tolist() for s in found.sequences] == rows
    assert f"a.txt: {len(rows)} sequences of {min(map(len, rows))} to {max(map(len, rows))} symbols" in str(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n , \n", "is empty; give one sequence on each line"),
        (
            " ".join(map(str, range(60))).encode(),
            "has 60 different symbols, such as 0, 1, 2, 3, 4; at most 50: sort them",
        ),
        (b"\xff\xfe\x00", "can't be read .*; give a text file with one sequence on each line"),
    ],
)
def test_files_that_hold_no_sequences(data, content, message, tmp_path):
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        data.read_lines(tmp_path / "a.txt")


def test_absent_files(data, tmp_path):
    with pytest.raises(ValueError, match="absent.txt' can't be read .*No such file"):
        data.read_lines(tmp_path / "absent.txt")


def test_kinds_of_lines(data):
    source = '"""One line."""\n\nimport x  # here\n\n\n# there\ndef f():\n    """Two\n\n    lines."""\n    return 1\n'
    assert data.kinds(source).tolist() == [2, 0, 1, 0, 0, 2, 1, 2, 2, 2, 1]
    own = data.source_lines()
    assert len(own.sequences) > 100 and min(map(len, own.sequences)) >= 30
    shares = np.bincount(np.concatenate(own.sequences)) / sum(map(len, own.sequences))
    assert len(shares) == 3 and shares.argmax() == 1 and shares.min() > 0.05


def test_models_without_hidden_states(data):
    """Counts and a half each; likelihoods by hand."""
    sequences = [np.array([0, 0, 1]), np.array([1, 0])]
    alone, chain = data.independent(sequences, 2), data.markov(sequences, 2)
    np.testing.assert_allclose(alone.emission, [[3.5 / 6, 2.5 / 6]])
    np.testing.assert_allclose(chain.transition, [[0.5, 0.5], [0.75, 0.25]])
    np.testing.assert_allclose(chain.start, [0.5, 0.5])
    assert chain.log_likelihood(sequences[0]) == pytest.approx(np.log(0.5 * 0.5 * 0.5))
    assert data.independent(sequences, 3).log_likelihood([2]) > -np.inf  # even a symbol that never came


def test_distances_of_words(data):
    one, other = [[0, 0, 1], [1, 1]], [[1, 0, 1]]
    assert data.words(one, 2, 2).tolist() == pytest.approx(
        [1 / 3, 0, 1 / 3, 1 / 3]
    )  # 00, 10, 01, 11; first symbol counts least
    assert data.word_distance(one, other, 1, 2) == pytest.approx(abs(2 / 5 - 1 / 3))
    assert data.word_distance(one, other, 2, 2) == pytest.approx((1 / 3 + 1 / 2 + 1 / 6 + 1 / 3) / 2)
    assert data.word_distance(one, one, 2, 2) == 0 and data.word_distance([[0, 0]], [[1, 1]], 2, 2) == 1
    assert [len(s) for s in data.alike(torch.zeros(2, 3), one)] == [3, 2]


SMALL: Any = {"quick": True, "states": (1, 2), "length": 30, "updates": 25}


@pytest.mark.slow
def test_end_to_end(scripts, tmp_path, monkeypatch):
    """From a file to numbers, figures and a network."""
    for name, value in (("COMPARED", 50), ("SETS", 2)):
        monkeypatch.setattr(scripts("hmm_data"), name, value)
    symbols = nd.tasks.HiddenMarkov.chain(2).sample(40, 60, seed=1)[1].numpy()
    lines = ["".join("abc"[s] for s in row[: 30 + k % 20]) for k, row in enumerate(symbols)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    call: Any = {**SMALL, "data": tmp_path / "a.txt", "out": tmp_path / "a.h5"}
    outcome = scripts("hmm_data").hmm_data(**call)
    results = outcome.results
    assert results["states"] == "2 of 1, 2" and results["data"].endswith("symbols a, b, c")
    likelihood = {k: results[f"held out, nats per symbol: {k}: mean"] for k in ("independent", "Markov", "model", "samples of the model", "networks, best", "networks, last")}  # fmt: skip
    assert likelihood["model"] > likelihood["independent"] + 0.1 and likelihood["model"] > likelihood["networks, best"]
    assert abs(likelihood["samples of the model"] - likelihood["model"]) < 0.1
    assert {"choice", "likelihood", "words", "quality"} == set(outcome.figures)
    kept = nd.load_training(tmp_path / "a.network.101.h5")
    assert kept.config["network"]["outputs"] == 3 and kept.config["training"]["length"] == 30
    np.testing.assert_allclose(kept.task().start, kept.task().stationary)  # type: ignore[union-attr]


def test_networks_that_explode_are_counted(scripts, monkeypatch):
    """None has a share then, and no figure shows one."""
    module = scripts("hmm_data")
    monkeypatch.setattr(module, "trained", lambda *arguments: None)
    outcome = module.hmm_data(**SMALL)
    assert outcome.results["networks that were bounded at a test"] == 0 and "quality" not in outcome.figures
    assert not any("networks, best" in name for name in outcome.results)
    (check,) = outcome.checks
    assert check.value == 0 and not check.passed


def test_a_training_that_diverges_is_told(scripts, monkeypatch, capsys):
    def diverges(*arguments, **options):
        raise nd.TrainingError("the loss is not finite")

    monkeypatch.setattr(nd, "emulate", diverges)
    assert scripts("hmm_data").trained(nd.tasks.HiddenMarkov.chain(2), 10, 25, 8, 7, None) is None
    assert "network 7: the loss is not finite" in capsys.readouterr().out


@pytest.mark.slow
def test_a_network_is_nearer_to_the_data_than_symbols_without_memory(scripts, tmp_path):
    """The lines of this package, with the size and the seeds of ``--quick``, one that set nothing."""
    outcome = scripts("hmm_data").hmm_data(quick=True, seeds=2, seed=201, out=tmp_path / "a.h5")
    results = outcome.results
    name = "held out, nats per symbol: "
    assert results[f"{name}model: mean"] > results[f"{name}Markov: mean"] > results[f"{name}independent: mean"]
    shares = results["share of the gain of samples of the model that a network has"]
    assert min(shares) > 0.4, shares
    again = scripts("hmm_data").hmm_data(quick=True, seeds=2, seed=201, out=tmp_path / "a.h5", resume=True)
    np.testing.assert_equal(dict(again.results), dict(results))  # from the networks that are there
