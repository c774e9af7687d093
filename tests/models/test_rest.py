"""Where rest ends: closed forms against the sheet (7.2, 7.3) and against eigenvalues of the equations."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodyn as nd
from neurodyn.models.adaptive_exponential import TYPES_ADEX
from neurodyn.models.izhikevich import TYPES_2003, TYPES_2007
from neurodyn.models.rest import rest_2003, rest_2007, rest_adex


def test_the_numbers_of_the_sheet():
    for kind in ("RS", "IB", "CH"):
        ends = rest_2003(kind)
        assert (ends.hopf_v, ends.hopf, ends.saddle_node) == pytest.approx((-62.25, 3.7975, 4.0), abs=1e-9)
    fast = rest_2003("FS")
    assert (fast.hopf_v, fast.hopf) == pytest.approx((-61.25, 3.9375), abs=1e-9)
    low = rest_2003("LTS")
    assert (low.hopf, low.saddle_node) == pytest.approx((0.685, 1.015625), abs=1e-9)
    resonator = rest_2003("RZ")
    assert (resonator.hopf, resonator.saddle_node) == pytest.approx((0.2625, 0.4225), abs=1e-9)
    regular = rest_2007("RS")
    assert regular.rheobase == pytest.approx((0.7 * 20 - 2) ** 2 / (4 * 0.7)) and math.isnan(regular.hopf)
    assert rest_2007("nicola_clopath").rheobase == pytest.approx(1000, rel=1e-12)


def test_fast_spiking_cells_of_2007_have_no_saddle_node():
    """The cubic recovery outgrows the parabola: rest never vanishes, it loses its stability at 73.68 pA (the book: 73.2)."""
    ends = rest_2007("FS")
    assert math.isnan(ends.saddle_node) and ends.rheobase == ends.hopf == pytest.approx(73.684375)


def test_the_integrators_of_2004_are_class_1():
    ends = rest_2003((0.02, -0.1, -55.0, 6.0), linear=4.1, constant=108.0)
    assert math.isnan(ends.hopf)  # b < a
    assert ends.saddle_node == pytest.approx((4.1 + 0.1) ** 2 / 0.16 - 108)


def field_2003(kind):
    a, b, *_ = TYPES_2003[kind]
    return lambda v, u, current: (0.04 * v * v + 5 * v + 140 - u + current, a * (b * v - u)), lambda v: b * v


def number(text, scale):
    return float(nd.quantity(text).value) / scale


def field_2007(kind):
    p = TYPES_2007[kind]
    C, k, v_r, v_t = number(p.C, 1e-12), number(p.k, 1e-6), number(p.v_r, 1e-3), number(p.v_t, 1e-3)
    a, b = number(p.a, 1e3), number(p.b, 1e-9)
    recovery = (lambda v: 0.025 * max(v + 55, 0) ** 3) if kind == "FS" else lambda v: b * (v - v_r)
    return lambda v, u, current: ((k * (v - v_r) * (v - v_t) - u + current) / C, a * (recovery(v) - u)), recovery


def field_adex(kind):
    p = TYPES_ADEX[kind]
    C, g, a, E, v_T, D, tau = (number(p[n], s) for n, s in (("C", 1e-12), ("g_L", 1e-9), ("a", 1e-9), ("E_L", 1e-3), ("v_T", 1e-3), ("delta_T", 1e-3), ("tau_w", 1e-3)))  # fmt: skip

    def field(v, w, current):
        return (-g * (v - E) + g * D * math.exp((v - v_T) / D) - w + current) / C, (a * (v - E) - w) / tau

    return field, lambda v: a * (v - E)


CELLS = [
    *((rest_2003(k), field_2003(k)) for k in TYPES_2003),
    *((rest_2007(k), field_2007(k)) for k in TYPES_2007),
    *((rest_adex(k), field_adex(k)) for k in TYPES_ADEX),
]


@pytest.mark.parametrize(("ends", "model"), CELLS)
def test_eigenvalues_agree(ends, model):
    """At the named point the cell is at rest; there a pair is imaginary, or an eigenvalue is zero; below it rest is stable."""
    field, recovery = model

    def jacobian(v):
        u, h = recovery(v), 1e-5
        columns = [np.subtract(field(v + h, u, 0), field(v - h, u, 0)) / (2 * h), np.subtract(field(v, u + h, 0), field(v, u - h, 0)) / (2 * h)]  # fmt: skip
        return np.array(columns).T

    for current, v, which in ((ends.hopf, ends.hopf_v, "hopf"), (ends.saddle_node, ends.saddle_node_v, "node")):
        if math.isnan(current):
            continue
        np.testing.assert_allclose(field(v, recovery(v), current), 0, atol=1e-9 * max(1, abs(current)))
        J = jacobian(v)
        size = np.abs(J).max()
        if which == "hopf":
            assert abs(np.trace(J)) < 1e-6 * size and np.linalg.det(J) > 0
        else:
            assert abs(np.linalg.det(J)) < 1e-6 * size**2
    last = ends.hopf_v if ends.rheobase == ends.hopf else ends.saddle_node_v
    assert (np.linalg.eigvals(jacobian(last - 0.5)).real < 0).all()


@pytest.mark.parametrize(
    ("function", "message"),
    [(rest_2003, "did you mean 'RS'"), (rest_2007, "did you mean"), (rest_adex, "cell = 'RRS'")],
)
def test_unknown_cells(function, message):
    with pytest.raises(ValueError, match=message):
        function("RRS")
