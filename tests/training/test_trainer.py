"""The training loop: what ends it, what it is a function of, what it records, and what it refuses."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import neurodyn as nd
from neurodyn.training.curricula import curriculum_of
from neurodyn.training.loop import Loop
from neurodyn.training.plan import StagesPlan
from neurodyn.training.stages import Stages

PASSED = 0.01  # a threshold that every stage exceeds
NEVER = 1 - 1e-9
QUICK: Any = {"batch": 16, "steps": 4, "tests": 2, "progress": False}


def net(kind: Any = nd.LeakyRNN, units=8, *, heads=4, seed=1, **options: Any) -> Any:
    return kind(units, heads=heads, seed=seed, **options)


def train(network=None, task=None, **options: Any) -> Any:
    return nd.train(network or net(), task or nd.tasks.DelayedMatch(), **{**QUICK, **options})


def weights(run):
    return {k: v.clone() for k, v in run.net.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(torch.as_tensor(a[k]), torch.as_tensor(b[k])) for k in a)


# -- one step, written out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("optimizer", "momentum"), [("sgd", 0.1), ("sgd", 0.0), ("adam", 0.1)])
@pytest.mark.parametrize("curriculum", ["multi-head", "single-head"])
def test_an_epoch_is_what_is_written_in_the_sheet(optimizer, momentum, curriculum):
    """Sum over heads of the mean cross-entropy, one clip over all parameters, torch's optimiser; then the test."""
    task, plain = nd.tasks.Parity(), net(seed=2, weight_initial="orthogonal")  # whose memory is in another order
    found = train(net(seed=2, weight_initial="orthogonal"), task, curriculum=curriculum, epochs=3, threshold=PASSED, optimizer=optimizer, momentum=momentum, clip=0.5, seed=9)  # fmt: skip
    if optimizer == "adam":
        by_hand: Any = torch.optim.Adam(plain.parameters(), lr=1e-3)
    else:
        by_hand = torch.optim.SGD(plain.parameters(), lr=0.05, momentum=momentum, nesterov=momentum > 0)
    stage, history = curriculum_of(curriculum).first, []
    for epoch in range(3):
        losses, right = [], []
        for k in range(4 + 2):
            number = epoch * 2**32 + k if k < 4 else 2**63 + epoch * 2**32 + k - 4
            made = task.batch(stage, 16, seed=9, step=number)
            draws = plain.draws(len(made.inputs), 16, seed=9, step=number)
            logits = plain(made.inputs, draws=draws)
            if k < 4:
                loss: Any = sum(functional.cross_entropy(logits[h], made.labels[h]) for h in range(len(stage)))
                by_hand.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
                by_hand.step()
                losses.append(float(loss.detach()))
            else:
                right.append(
                    [float((logits[h].argmax(1) == made.labels[h]).double().mean()) for h in range(len(stage))]
                )
        history.append((stage[-1], np.mean(losses), np.mean(right)))
        following = curriculum_of(curriculum).next(stage)
        assert following is not None
        stage = following
    rows = found.history[["N", "loss", "accuracy"]].to_numpy()
    np.testing.assert_allclose(rows, history, rtol=1e-4)
    for (name, a), b in zip(weights(found).items(), plain.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-5, msg=name)


def test_a_network_learns():
    """2-delayed match in a tiny network: from chance, a loss of ln 2, to nearly always right within an epoch or two."""
    found = train(net(units=32), epochs=4, until=2, steps=60, batch=64, tests=5, optimizer="adam", learning_rate=0.01)
    assert found.snapshots == [2] and found.recording.results["ended"] == "N = 2 solved"
    assert found.history["loss"].iloc[-1] < 0.5 and found.history["accuracy"].iloc[-1] > 0.98


# -- what it is a function of --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [nd.LeakyRNN, nd.GRU, nd.LSTM])
def test_same_seed_same_weights(kind):
    options: dict[str, Any] = {"noise": 0.1} if kind is nd.LeakyRNN else {}
    torch.manual_seed(0)
    first = train(net(kind, **options), epochs=2, threshold=PASSED)
    torch.manual_seed(1)  # nothing comes from torch's generator
    again = train(net(kind, **options), epochs=2, threshold=PASSED)
    assert same(weights(first), weights(again))
    columns = [c for c in first.history if c != "seconds"]
    assert first.history[columns].equals(again.history[columns])
    other = train(net(kind, **options), epochs=2, threshold=PASSED, seed=2)
    assert not same(weights(first), weights(other))
    assert not same(weights(first), weights(train(net(kind, seed=2, **options), epochs=2, threshold=PASSED)))


def test_longer_is_the_shorter_one_gone_on_with():
    short, long = (train(epochs=e, threshold=NEVER, curriculum="single-head") for e in (2, 4))
    columns = [c for c in short.history if c != "seconds"]
    assert short.history[columns].equals(long.history[columns].iloc[:2])


def test_holds_take_turns_and_each_has_its_share():
    """A task with several holds has so many batches for each, in training and in tests."""
    seen: list[tuple[int, int]] = []

    @dataclass(frozen=True, kw_only=True)
    class Watched(nd.tasks.Parity):
        def batch(self, *arguments, **options):
            made = super().batch(*arguments, **options)
            seen.append((made.hold, options["step"]))
            return made

    train(net(continuous=True), Watched(hold=(2, 5, 3)), epochs=2, threshold=NEVER)
    training, tests = ([h for h, step in seen if (step >= 2**63) == late] for late in (False, True))
    assert {h: training.count(h) for h in (2, 5, 3)} == dict.fromkeys((2, 5, 3), 2 * 4)
    assert {h: tests.count(h) for h in (2, 5, 3)} == dict.fromkeys((2, 5, 3), 2 * 2)
    assert len({step for _, step in seen}) == len(seen)


# -- ends ----------------------------------------------------------------------------------------------------------


def test_what_ends_it():
    found = train(until=4, threshold=PASSED)
    assert found.recording.results == {"N": 4, "epochs": 3, "ended": "N = 4 solved"}
    found = train(epochs=2, threshold=NEVER)
    assert found.recording.results == {"N": 0, "epochs": 2, "ended": "2 epochs done"}
    found = train(patience=3, threshold=NEVER, epochs=9)
    assert found.recording.results == {"N": 0, "epochs": 3, "ended": "3 epochs without a stage solved"}
    found = train(curriculum=nd.NoCurriculum(n=6), threshold=PASSED)
    assert found.recording.results == {"N": 6, "epochs": 1, "ended": "N = 6 solved"}
    found = train(curriculum=nd.MultiHead(add=3), until=3, threshold=PASSED)  # N = 5 is part of its last stage
    assert found.recording.results["N"] == 5 and found.snapshots == [2, 5]


def test_patience_begins_anew_with_each_stage():
    """Solved at epochs 2 and 4, and never again."""
    found, accuracies = [], iter([0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1])
    network = net(heads=9)

    @dataclass(frozen=True, kw_only=True)
    class Scripted(nd.tasks.DelayedMatch):
        """Labels of tests are made such that the accuracy is what is wanted."""

        def batch(self, n, *arguments, **options):
            made = super().batch(n, *arguments, **options)
            if options["step"] >= 2**63:
                draws = network.draws(len(made.inputs), 10, seed=1, step=options["step"])
                with torch.no_grad():
                    said = network(made.inputs, heads=len(n), draws=draws).argmax(2)
                wrong = round((1 - next(accuracies)) * 10)
                labels = said.clone()
                labels[:, :wrong] = 1 - labels[:, :wrong]
                made = type(made)(made.inputs, labels, made.digits, made.hold)
            return made

    found = nd.train(network, Scripted(), threshold=0.5, patience=3, batch=10, steps=1, tests=1, progress=False)
    assert found.recording.results == {"N": 3, "epochs": 7, "ended": "3 epochs without a stage solved"}
    assert found.epochs_to_solve == {2: 2, 3: 4}
    np.testing.assert_allclose(found.history["accuracy"], [0.1, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1])


def test_a_hundred_heads_end_at_101():
    """U6. Every 33rd stage here; see the slow test for each."""
    found = train(
        net(heads=100, units=4), curriculum=nd.MultiHead(add=33), threshold=PASSED, steps=1, tests=1, until=101
    )
    assert found.recording.results["ended"] == "N = 101 solved"
    found = train(net(heads=100, units=4), curriculum=nd.MultiHead(add=33), threshold=PASSED, steps=1, tests=1)
    assert found.recording.results == {"N": 101, "epochs": 4, "ended": "N = 101 solved, and the 100 heads are in use"}
    assert found.snapshots == [2, 35, 68, 101]
    assert found.snapshot(101)["stage"] == list(range(2, 102))


@pytest.mark.slow
def test_a_hundred_heads_end_at_101_one_by_one():
    found = train(net(heads=100, units=4), threshold=PASSED, steps=1, tests=1)
    assert found.recording.results["N"] == 101 and "the 100 heads are in use" in found.recording.results["ended"]
    assert found.snapshots == list(range(2, 102))


def test_heads_serve_by_position():
    """U6: always head 0; head k for N = k + 2; and in a window the k-th of it, whatever its N."""
    filled = lambda run: [np.flatnonzero(np.isfinite(row)).tolist() for row in run.accuracy_of_heads]  # noqa: E731
    single = train(net(heads=3), curriculum="single-head", until=4, threshold=PASSED)
    assert filled(single) == [[0], [0], [0]]
    multi = train(net(heads=3), until=4, threshold=PASSED)
    assert filled(multi) == [[0], [0, 1], [0, 1, 2]]
    sliding = train(net(heads=3), curriculum=nd.Sliding(window=2, advance=1), until=5, threshold=PASSED)
    assert filled(sliding) == [[0, 1]] * 3
    assert [sliding.snapshot(n)["stage"] for n in sliding.snapshots] == [[2, 3], [3, 4], [4, 5]]
    before, after = (sliding.snapshot(at)["arrays"]["readout_weight"] for at in ("initial", "last"))
    assert [bool((b != a).any()) for b, a in zip(before, after, strict=True)] == [True, True, False]


# -- what it refuses -----------------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite(tmp_path):
    """One good epoch is in the file that is kept; what was to be written isn't there."""
    out, options = tmp_path / "a.h5", {"threshold": NEVER, "epochs": 3}
    healthy = train(net(activation="identity"), **options, steps=2)

    @dataclass(frozen=True, kw_only=True)
    class Poisoned(nd.tasks.DelayedMatch):
        def shown(self, digits, hold=1):
            seen = super().shown(digits, hold)
            return seen * float("inf") if poisoned else seen

        def batch(self, *arguments, step=0, **options):
            nonlocal poisoned
            poisoned = step == 2**32 + 1
            return super().batch(*arguments, step=step, **options)

    poisoned = False
    with pytest.raises(nd.TrainingError, match=r"not finite in epoch 2, before step 2 \(N = 2\); lower learning_rate = 0.05") as caught:  # fmt: skip
        train(net(activation="identity"), Poisoned(), **options, steps=2, out=out)
    assert (
        caught.value.path is not None
        and caught.value.path == tmp_path / "a.partial.h5"
        and str(caught.value.path) in str(caught.value)
    )
    assert [p.name for p in tmp_path.iterdir()] == ["a.partial.h5"]
    kept = nd.load_training(caught.value.path)
    assert not kept.recording.complete and "TrainingError" in kept.recording.attrs["stopped"]
    assert kept.history["loss"].tolist() == healthy.history["loss"].tolist()[:1]
    with pytest.raises(KeyError) as missing:
        kept.network()
    assert missing.value.args[0].endswith("; there are 'initial'")


def test_a_learning_rate_that_is_too_large():
    with pytest.raises(nd.TrainingError, match="not finite.*lower learning_rate = 1e") as caught:
        train(net(activation="identity"), learning_rate=1e30, epochs=3)
    assert caught.value.path is None and "is in" not in str(caught.value)


def test_an_error_leaves_no_half_written_file(tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Failing(nd.tasks.DelayedMatch):
        def batch(self, *arguments, **options):
            if 2**32 < options["step"] < 2**63:
                raise RuntimeError("no more digits")
            return super().batch(*arguments, **options)

    task: Any = Failing()
    with pytest.raises(RuntimeError, match="no more digits"):
        nd.train(net(), task, out=tmp_path / "a.h5", threshold=NEVER, **QUICK)
    assert [p.name for p in tmp_path.iterdir()] == ["a.partial.h5"]
    assert "no more digits" in nd.load_training(tmp_path / "a.partial.h5").recording.attrs["stopped"]


def test_a_file_that_exists_is_refused_before_training(tmp_path):
    out = tmp_path / "a.h5"
    train(epochs=1, out=out)
    before, fresh = out.read_bytes(), net()
    start = {k: v.clone() for k, v in fresh.state_dict().items()}
    with pytest.raises(FileExistsError, match="a.h5"):
        train(fresh, epochs=1, out=out)
    assert same(start, fresh.state_dict()) and out.read_bytes() == before
    train(fresh, epochs=2, threshold=NEVER, out=out, overwrite=True)
    assert len(nd.load_training(out).history) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"until": 1}, "until = 1; give a whole number, at least 2"),
        ({"until": 6}, r"until = 6: 4 heads reach N = 5 under MultiHead\(start=2, add=1\); give the network more"),
        ({"until": 9, "curriculum": nd.NoCurriculum(n=4)}, r"NoCurriculum\(n=4\) ends with N = 4; choose another"),
        ({"curriculum": "sliding"}, "the first stage has N = 2 to 11, 10 heads, and the network has 4"),
        ({"curriculum": "multyhead"}, "did you mean 'multi-head'"),
        ({"epochs": 0}, "epochs = 0; give a whole number, at least 1"),
        ({"patience": 0}, "patience = 0"),
        ({"batch": 2.5}, "batch = 2.5"),
        ({"steps": 0}, "steps = 0"),
        ({"tests": 0}, "tests = 0"),
        ({"threshold": 1.0}, "threshold = 1.0; give an accuracy between 0 and 1"),
        ({"threshold": 98}, "threshold = 98"),
        ({"optimizer": "Adam"}, "optimizer = 'Adam'; did you mean 'adam'"),
        ({"learning_rate": 0.0}, "learning_rate = 0.0; give a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate = nan"),
        ({"momentum": 1.0}, "momentum = 1.0; allowed is 0 up to, but not, 1"),
        ({"clip": -2.0}, "clip = -2.0"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 2**63}, "seed = 9223372036854775808; give a whole number from 0"),
        ({"checkpoint_every": "-1 s"}, "checkpoint_every"),
        ({"checkpoint_every": "3 mV"}, "checkpoint_every"),
        ({"resume": True}, "a recording in memory has no checkpoints"),
    ],
)
def test_errors(options, message):
    network = net()
    start = {k: v.clone() for k, v in network.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        train(network, **options)
    assert same(start, network.state_dict())


def test_without_a_file_a_signal_does_what_it_always_does():
    """Nothing could be resumed; a process that ends with code 75 would be begun again and again."""
    handlers = []

    @dataclass(frozen=True, kw_only=True)
    class Watching(nd.tasks.DelayedMatch):
        def batch(self, *arguments, **options):
            handlers.append(signal.getsignal(signal.SIGTERM))
            return super().batch(*arguments, **options)

    train(task=Watching(), epochs=1)
    assert set(handlers) == {signal.SIG_DFL}


@pytest.mark.parametrize("kind", [nd.LeakyRNN, nd.GRU, nd.LSTM])
def test_a_step_assumes_no_cpu(kind):
    """Tensors without values of the "meta" device don't mix with others; fused optimisers don't know it."""
    plan = StagesPlan(curriculum=nd.MultiHead(), until=None, epochs=1, patience=None, batch=4, steps=1, tests=1, threshold=0.9,
                optimizer="sgd", learning_rate=0.1, momentum=0.1, clip=1.0, seed=1)  # fmt: skip
    network = net(kind).to("meta")
    loop = Loop(network, Stages(network, nd.tasks.Parity(), plan), plan)
    loop.optimizer = torch.optim.SGD(loop.net.parameters(), lr=0.1)
    for number in range(2):
        loss, norm = loop.step(0, number)
        assert loss.device.type == norm.device.type == "meta"


@pytest.mark.slow
@pytest.mark.parametrize("nonlinearity", ["outer", "inner"])
def test_bfloat16_learns_as_float32_does(nonlinearity):
    """Epochs to N = 4 of a tiny network on parity, three seeds: no more than half as many again, and all get there."""
    epochs = {}
    for precision in ("float32", "bfloat16"):
        options = {"batch": 64, "steps": 150, "tests": 10, "until": 4, "epochs": 40, "progress": False}
        runs = [
            nd.train(
                net(units=48, precision=precision, nonlinearity=nonlinearity, seed=k),
                nd.tasks.Parity(),
                seed=k,
                **options,
            )
            for k in (1, 2, 3)
        ]
        assert all(run.recording.results["N"] == 4 for run in runs), (precision, runs)
        epochs[precision] = [run.recording.results["epochs"] for run in runs]
    assert sum(epochs["bfloat16"]) <= 1.5 * sum(epochs["float32"]), epochs
    print(epochs)
