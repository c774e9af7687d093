"""A step of a network that is trained is a step of its pass, and can be differentiated."""

import pytest
import torch

import neurodyn as nd

NETS = {
    "outer": nd.LeakyRNN(7, inputs=2, heads=1, tau="learn", activation="tanh"),
    "inner": nd.LeakyRNN(7, inputs=2, heads=1, tau=3.0, nonlinearity="inner", dale=0.6),
    "sigmoid": nd.LeakyRNN(7, inputs=2, heads=1, activation="sigmoid", connection_probability=0.5),
    "gru": nd.GRU(7, inputs=2, heads=1),
    "lstm": nd.LSTM(7, inputs=2, heads=1),
}


@pytest.mark.parametrize("name", NETS)
def test_a_step_is_that_of_a_pass(name):
    net = NETS[name].double()
    torch.manual_seed(0)
    x = torch.randn(3, 4, 2, dtype=torch.float64)
    with torch.no_grad():
        _, before = net.go_on(x[:2], None)
        after = net.go_on(x[2:], before)[1]
        packed = [torch.cat(list(s), -1)[0] if name == "lstm" else s for s in (before, after)]
        if name == "gru":
            packed = [s[0] for s in packed]
        torch.testing.assert_close(net.step(packed[0], x[2]), packed[1], rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(net.step(packed[0]), net.step(packed[0], torch.zeros(4, 2, dtype=torch.float64)))


@pytest.mark.parametrize("name", NETS)
def test_fixed_points_at_a_held_input(name):
    net = NETS[name].float()  # steps are computed in the precision of the states all the same
    starts = 0.1 * torch.randn(5, 14 if name == "lstm" else 7, dtype=torch.float64)
    found = nd.analysis.fixed_points(net.step, starts, inputs=[1.0, -0.5])
    assert found.fixed.all() and found.visits.sum() == 5
    held = torch.tensor([1.0, -0.5], dtype=torch.float64)
    at = torch.from_numpy(found.points)
    with torch.no_grad():
        torch.testing.assert_close(net.step(at, held), at, rtol=0, atol=1e-8)
