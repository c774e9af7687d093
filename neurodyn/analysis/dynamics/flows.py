"""From a flow to the map of one of its integration steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from .._checks import choice, number


def flow(velocity: Callable[..., Any], dt: float, *, method: Literal["rk4", "euler"] = "rk4") -> Callable[..., Any]:
    """The step by dt of x' = velocity(x), as a function of the state.

    Parameters
    ----------
    velocity : callable of state (batch, unit), and of whatever else the step is given
        Returns x', in torch or NumPy. Inputs are held during a step.
    dt : float
        Step, above 0, in the unit of time of ``velocity``.
    method : "rk4" or "euler"
        Runge and Kutta's classical scheme, whose error is of order dt^4, or Euler's, of order dt: what rate networks are
        commonly simulated with.

    Returns
    -------
    callable
        ``step(state, *given)``. Give ``dt`` to :func:`lyapunov_exponents` too. For :func:`fixed_points` the velocity
        itself will do, with ``kind="flow"``.

    Notes
    -----
    Steps are not adapted: where two values of dt give two results, the smaller is the better and none is right yet.

    Examples
    --------
    >>> from neurodyn.analysis import flow
    >>> round(flow(lambda x: -x, 0.1)(1.0), 5)  # exp(-0.1)
    0.90484
    """
    dt = number(dt, "dt", unit="", low=0, strict=True)
    if choice(method, "method", ("rk4", "euler")) == "euler":
        return lambda state, *given: state + dt * velocity(state, *given)

    def step(state: Any, *given: Any) -> Any:
        a = velocity(state, *given)
        b = velocity(state + dt / 2 * a, *given)
        c = velocity(state + dt / 2 * b, *given)
        d = velocity(state + dt * c, *given)
        return state + dt / 6 * (a + 2 * b + 2 * c + d)

    return step
