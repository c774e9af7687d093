"""Codings of outputs: values become targets and come back, what the loss of a shift is, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import neurodyn as nd
from neurodyn.models.codings import CODINGS, coding_of

ANALOG = (nd.SoftmaxCoding(), nd.AnalogCoding(), nd.AnalogCoding(activation="linear"))
ALL = (*ANALOG, nd.SymbolCoding(symbols=3))


def targets_of(coding, values):
    return coding.encode([np.asarray(values)]).targets[0]


def inputs_for(coding, targets):
    """Inputs to the output units that make outputs of the targets."""
    if isinstance(coding, nd.AnalogCoding):
        return torch.atanh(targets) if coding.activation == "tanh" else targets
    return targets.log()


# -- there and back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reach", "error"), [(0.7, 0.0013), (0.8, 0.007), (0.9, 0.026), (1.0, 0.07)])
def test_softmax_there_and_back(reach, error):
    """U3: the numbers of the sheet, each nearly reached."""
    coding = nd.SoftmaxCoding()
    x = np.linspace(-reach, reach, 4001)[:, None]
    apart = abs(coding.decode(targets_of(coding, x)).numpy() - x).max()
    assert 0.85 * error < apart < error


def test_the_error_of_a_shift_is_its_square_over_the_width():
    coding = nd.SoftmaxCoding()
    x = np.linspace(-0.7, 0.6, 501)[:, None]
    for shift, expected in ((0.05, 0.05), (0.1, 0.2)):
        found = coding.loss(targets_of(coding, x + shift).log(), targets_of(coding, x))
        assert abs(found - expected).max() < 0.025 * expected
    wide = nd.SoftmaxCoding(bins=40, low=-30, high=30, width=8.0)
    x = np.linspace(-15, 12, 101)[:, None]
    found = wide.loss(targets_of(wide, x + 2).log(), targets_of(wide, x))
    torch.testing.assert_close(found, torch.full_like(found, 4 / 8), rtol=1e-6, atol=0)


@pytest.mark.parametrize("coding", ANALOG)
def test_dimensions_are_coded_apart(coding):
    two = type(coding)(**{**vars(coding), "dims": 2})
    x = np.random.default_rng(1).uniform(-0.7, 0.7, (50, 2))
    made = targets_of(two, x).reshape(50, 2, -1)
    for k in range(2):
        torch.testing.assert_close(made[:, k], targets_of(coding, x[:, k : k + 1]), rtol=0, atol=0)
    inputs = inputs_for(two, made.reshape(50, -1))
    np.testing.assert_allclose(two.decode(two.activate(inputs)), x, rtol=0, atol=2e-3)
    assert two.loss(inputs, made.reshape(50, -1)).shape == (50, 2)


@pytest.mark.parametrize("coding", ALL)
def test_the_loss_is_least_where_outputs_are_targets(coding):
    values = np.array([0, 2, 1]) if coding.axis is False else np.array([[0.3], [-0.6], [0.0]])
    targets = targets_of(coding, values)
    inputs = inputs_for(coding, targets).requires_grad_()
    loss = coding.loss(inputs, targets)
    (grad,) = torch.autograd.grad(loss.sum(), inputs)
    torch.testing.assert_close(coding.activate(inputs), targets)
    torch.testing.assert_close(loss, torch.zeros_like(loss), rtol=0, atol=1e-12)
    torch.testing.assert_close(grad, torch.zeros_like(grad), rtol=0, atol=1e-12)
    assert (coding.loss(inputs + torch.linspace(0.5, 1.5, coding.units), targets) > 1e-3).all()
    expected = torch.from_numpy(values)
    torch.testing.assert_close(coding.decode(targets), expected, rtol=0, atol=2e-3)


def test_symbols():
    coding = nd.SymbolCoding(symbols=3)
    targets = targets_of(coding, [2, 0])
    expected = torch.tensor([[0.01, 0.01, 0.98], [0.98, 0.01, 0.01]], dtype=torch.float64)
    torch.testing.assert_close(targets, expected)
    assert coding.decode(targets).tolist() == [2, 0]
    inputs = torch.tensor([[1.0, 2.0, 4.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
    found = coding.log_likelihood(inputs, targets)[:, 0]  # of the symbol itself, not of its smoothed target
    torch.testing.assert_close(found, inputs.log_softmax(-1)[[0, 1], [2, 0]])
    certain = nd.SymbolCoding(symbols=2, smoothing=0)
    loss = certain.loss(inputs[:, :2], targets_of(certain, [1, 0]))[:, 0]
    torch.testing.assert_close(loss, -inputs[:, :2].log_softmax(-1)[[0, 1], [1, 0]])


def test_analog_log_likelihood_is_minus_the_error():
    coding = nd.SoftmaxCoding(dims=2)
    inputs = torch.randn(5, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets = targets_of(coding, np.random.default_rng(1).uniform(-1, 1, (5, 2)))
    assert torch.equal(coding.log_likelihood(inputs, targets), -coding.loss(inputs, targets))


@pytest.mark.parametrize("coding", ALL)
def test_decoded_values_become_targets_again(coding):
    values = torch.tensor([[0, 2], [1, 1]]) if not coding.axis else torch.tensor([[[0.25], [-0.5]], [[0.75], [0.0]]])
    assert torch.equal(coding.targets(values), coding.encode(values).targets)


# -- what comes in ---------------------------------------------------------------------------------------------------


def test_unequal_lengths_and_missing_values():
    coding = nd.AnalogCoding(dims=2)
    made = coding.encode([[[0.1, np.nan], [0.3, 0.4]], [[None, 0.2]]], dtype=torch.float32)
    assert made.targets.dtype == torch.float32 and made.lengths.tolist() == [2, 1]
    assert made.observed.tolist() == [[[1, 0], [1, 1]], [[0, 1], [0, 0]]]
    assert made.valid.tolist() == [[1, 1], [1, 0]]
    expected = torch.tensor([[[0.1, 0], [0.3, 0.4]], [[0, 0.2], [0, 0]]])
    assert torch.equal(made.targets, expected)
    np.testing.assert_array_equal(made.values, [[[0.1, np.nan], [0.3, 0.4]], [[np.nan, 0.2], [np.nan, np.nan]]])
    softmax = nd.SoftmaxCoding(dims=2, bins=3).encode([[[0.5, np.nan]]])
    assert (softmax.targets[0, 0, 3:] == 0).all() and softmax.targets[0, 0, :3].sum() == pytest.approx(1)


def test_arrays_lists_and_tensors_are_alike():
    coding, values = nd.SymbolCoding(symbols=2), [[0, 1, 1], [1, 0, 0]]
    given = (values, np.array(values), torch.tensor(values), [np.array(v) for v in values], np.array(values) > 0)
    given += ([torch.tensor(v, dtype=torch.float32, requires_grad=True) for v in values],)
    made = [coding.encode(v) for v in given]
    assert all(torch.equal(m.targets, made[0].targets) and m.lengths.tolist() == [3, 3] for m in made)


@pytest.mark.parametrize(
    ("coding", "values", "told"),
    [
        (nd.SoftmaxCoding(dims=2), [[[0.5, 0]], [[0, 0], [0, -1.25]]], r"sequence 1, step 1, dimension 1: -1\.25 is outside the range of the coding, -1 to 1; scale the data"),
        (nd.SoftmaxCoding(), [[[np.inf]]], "sequence 0, step 0, dimension 0: inf is outside"),
        (nd.AnalogCoding(), [[[0.0], [1.5]]], r"sequence 0, step 1, dimension 0: 1\.5 is outside the range of a tanh, -1 to 1; .*activation='linear'"),
        (nd.AnalogCoding(activation="linear"), [[[1e9], [-np.inf]]], "sequence 0, step 1, dimension 0: -inf is not finite"),
        (nd.SymbolCoding(symbols=3), [[0, 1], [2, 3]], "sequence 1, step 1: 3 is no symbol of 0 to 2; NaN marks"),
        (nd.SymbolCoding(symbols=3), [[0, 1.5]], r"sequence 0, step 1: 1\.5 is no symbol"),
        (nd.SymbolCoding(symbols=3), [[-1]], "sequence 0, step 0: -1 is no symbol"),
        (nd.SymbolCoding(symbols=3), [[np.inf]], "inf is no symbol"),
    ],
)  # fmt: skip
def test_values_outside_the_range_are_named(coding, values, told):
    with pytest.raises(ValueError, match=told):
        coding.encode(values)


def test_steps_can_be_counted_from_another_one():
    with pytest.raises(ValueError, match="sequence 0, step 41: 7 is no symbol"):
        nd.SymbolCoding(symbols=2).encode([[0, 7]], first_step=40)


@pytest.mark.parametrize(
    ("coding", "values", "told"),
    [
        (nd.SymbolCoding(symbols=2), [], "sequences is empty"),
        (nd.SymbolCoding(symbols=2), np.zeros((0, 5)), "sequences is empty"),
        (nd.SymbolCoding(symbols=2), [[0, 1], []], r"sequence 1 has shape \(0,\); needed is \(time,\) with at least one step"),
        (nd.SymbolCoding(symbols=2), np.zeros((2, 3, 1)), r"sequences has shape \(2, 3, 1\); needed is \(sequence, time\)"),
        (nd.SymbolCoding(symbols=2), torch.zeros(3), r"sequences has shape \(3,\); needed is \(sequence, time\)"),
        (nd.SoftmaxCoding(dims=2), np.zeros((2, 3)), r"sequences has shape \(2, 3\); needed is \(sequence, time, dim\), or a list"),
        (nd.SoftmaxCoding(dims=2), np.zeros((2, 3, 1)), r"sequence 0 has shape \(3, 1\); needed is \(time, 2\)"),
        (nd.SoftmaxCoding(dims=2), np.zeros((2, 0, 2)), r"sequence 0 has shape \(0, 2\); needed is \(time, 2\) with at least"),
        (nd.SoftmaxCoding(), [np.full((3, 1), np.nan)] * 2, "sequences holds no value that is not NaN"),
        (nd.SymbolCoding(symbols=2), None, r"sequences has shape \(\)"),
    ],
)  # fmt: skip
def test_other_shapes_and_nothing_at_all_are_refused(coding, values, told):
    with pytest.raises(ValueError, match=told):
        coding.encode(values)


def test_a_sequence_alone_may_have_no_observation():
    made = nd.SymbolCoding(symbols=2).encode([[0, 1], [np.nan, np.nan]])
    assert made.observed.sum((1, 2)).tolist() == [2, 0] and (made.targets[1] == 0).all()


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        (nd.SoftmaxCoding, {"dims": 0}, "dims = 0; give a whole number, at least 1"),
        (nd.SoftmaxCoding, {"bins": 1}, "bins = 1; give a whole number, at least 2"),
        (nd.SoftmaxCoding, {"bins": True}, "bins = True"),
        (nd.SoftmaxCoding, {"low": 1.0}, r"low = 1\.0, high = 1\.0; give a range"),
        (nd.SoftmaxCoding, {"high": np.inf}, "high = inf"),
        (nd.SoftmaxCoding, {"width": 0}, "width = 0; give a number above 0"),
        (nd.SymbolCoding, {"symbols": 1}, "symbols = 1; give a whole number, at least 2"),
        (nd.SymbolCoding, {"symbols": 2, "smoothing": 0.5}, r"smoothing = 0\.5"),
        (nd.SymbolCoding, {"symbols": 2, "smoothing": -0.1}, r"smoothing = -0\.1"),
        (nd.AnalogCoding, {"dims": 1.0}, r"dims = 1\.0"),
        (nd.AnalogCoding, {"activation": "than"}, "activation = 'than'; did you mean 'tanh'"),
    ],
)
def test_numbers_out_of_range_are_refused(kind, options, told):
    with pytest.raises(ValueError, match=told):
        kind(**options)


@pytest.mark.parametrize("coding", ALL)
def test_a_coding_comes_back_from_its_configuration(coding):
    assert coding_of(coding) is coding and coding_of(coding.config) == coding
    assert set(CODINGS) == {type(c).__name__ for c in ALL}


def test_what_is_no_coding_is_refused():
    with pytest.raises(TypeError, match=r"output = 'softmax'; give a coding, such as nd\.SoftmaxCoding"):
        coding_of("softmax")
    with pytest.raises(ValueError, match="coding = 'SymbolCodings'; did you mean 'SymbolCoding'"):
        coding_of({"coding": "SymbolCodings"})
