import numpy as np
import pytest
import torch

from neurodyn.analysis import flow


@pytest.mark.parametrize(("method", "order"), [("rk4", 4), ("euler", 1)])
def test_order_of_convergence(method, order):
    # x'' = -x from (1, 0) is cos t after time t.
    def velocity(state):
        return torch.stack([state[..., 1], -state[..., 0]], -1)

    errors = []
    for steps in (20, 40):
        step, state = flow(velocity, 2.0 / steps, method=method), torch.tensor([1.0, 0.0], dtype=torch.float64)
        for _ in range(steps):
            state = step(state)
        errors.append(abs(float(state[0]) - np.cos(2.0)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)


def test_inputs_are_held_and_numpy_is_welcome():
    step = flow(lambda x, u: u - x, 0.1)
    np.testing.assert_allclose(
        step(np.zeros(2), np.array([1.0, 2.0])), [1 - np.exp(-0.1), 2 - 2 * np.exp(-0.1)], rtol=1e-6
    )


def test_mistakes():
    with pytest.raises(ValueError, match="dt = 0"):
        flow(lambda x: x, 0)
    with pytest.raises(ValueError, match="method = 'rk5'.*did you mean 'rk4'"):
        flow(lambda x: x, 0.1, method="rk5")  # type: ignore[arg-type]
