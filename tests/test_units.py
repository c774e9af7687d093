"""Physical quantities: reading, writing, ranges; the floats have to be Brian2's."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurodyn import units
from neurodyn._unit_text import parse
from neurodyn.units import DIMENSIONLESS, Quantity, UnitsError, dimensions_of, display_unit, quantity, si

VOLT = (2.0, 1.0, -3.0, -1.0, 0.0, 0.0, 0.0)
SECOND = (0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "value", "same_dimensions_as"),
    [
        ("20 ms", 20 * 1e-3, "second"),
        ("20ms", 20 * 1e-3, "second"),
        ("20*ms", 20 * 1e-3, "second"),
        ("-60 mV", -60 * 1e-3, "volt"),
        ("3 pA", 3 * 1e-12, "amp"),
        ("2.5 nS/mV", 2.5 * 1e-9 / 1e-3, "siemens/volt"),
        ("100 Mohm", 100e6, "1/siemens"),
        ("10 Hz", 10.0, "1/second"),
        ("1/ms", 1 / 1e-3, "hertz"),
        ("0.04 /ms/mV", 0.04 / 1e-3 / 1e-3, "1/(second*volt)"),
        ("1/(20*ms)", 1 / (20 * 1e-3), "hertz"),
        ("3 mV ms^-0.5", 3 * 1e-3 * 1e-3**-0.5, "volt*second**-0.5"),
        ("1 uF/cm^2", 1e-6 / 1e-2**2, "farad/metre2"),
        ("2 µV", 2e-6, "volt"),
        ("2 \u03bcV", 2e-6, "volt"),
        ("5", 5.0, "1"),
        ("1e-3", 1e-3, "1"),
        ("-inf ms", -math.inf, "second"),
        ("1 msiemens", 1e-3, "amp/volt"),
        ("1 pfarad", 1e-12, "coulomb/volt"),
        ("1 mvolt", 1e-3, "joule/coulomb"),
        ("1 msecond", 1e-3, "s"),
        ("1 kg", 1.0, "kilogram"),
        ("1 mg", 1e-3 * 1e-3, "kilogram"),
        ("2 min", 120.0, "s"),
        ("1 Pa", 1.0, "newton/meter**2"),
    ],
)
def test_text(text, value, same_dimensions_as):
    read = quantity(text)
    assert read.value == value
    assert read.dimensions == dimensions_of(same_dimensions_as)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ms", "has no number"),
        ("/ms", "has no number"),
        ("20 furlong", "unknown unit 'furlong'"),
        ("20 mv", "'mV'"),
        ("20 seconds", "'second'"),
        ("1 V/s m", "two ways"),
        ("20 30 ms", "out of place"),
        ("2..3 ms", "out of place"),
        ("20 +ms", "out of place"),
        ("(20 ms", "bracket"),
        ("20 ms)", "out of place"),
        ("20 ms^x", "exponent"),
        ("20 ms*", "missing"),
        ("20 $", "cannot read"),
        ("", "missing"),
        ("1 Gs^99", "too large"),
    ],
)
def test_unreadable_text(text, message):
    with pytest.raises(UnitsError, match=message) as error:
        quantity(text, name="tau")
    assert "tau" in str(error.value)


def test_numbers_lists_and_arrays():
    assert quantity(3) == Quantity(3.0, DIMENSIONLESS)
    mixed = quantity(["150 ms", "0.3 s"], name="latencies")
    assert mixed.dimensions == SECOND
    np.testing.assert_array_equal(mixed.value, [0.15, 0.3])
    assert quantity([]).value.shape == (0,)
    table = np.arange(6).reshape(2, 3)
    assert quantity(table).value.shape == (2, 3)
    with pytest.raises(UnitsError, match="mixes units"):
        quantity(["150 ms", "3 mV"])
    with pytest.raises(UnitsError, match="different lengths"):
        quantity([[1, 2], [3]])
    with pytest.raises(UnitsError, match="neither a number"):
        quantity({"a": 1}.values)
    with pytest.raises(UnitsError, match="neither a number"):
        quantity(None, name="tau")


def test_a_quantity_does_not_follow_the_callers_array():
    mine = np.ones(3)
    q = quantity(mine)
    mine[0] = 7
    np.testing.assert_array_equal(q.value, 1.0)
    with pytest.raises(ValueError, match="read-only"):
        q.value[0] = 2.0
    fresh = si(q, "1", name="x")
    fresh[0] = 2.0  # what si returns is the caller's own
    assert q.value[0] == 1.0


def test_to():
    assert quantity("0.25 s").to("ms") == 250.0
    with pytest.raises(UnitsError, match="a time"):
        quantity("0.25 s").to("mV")


def test_si_checks_dimensions_and_range():
    assert si("20 ms", "second", name="tau") == 0.02
    assert isinstance(si("20 ms", "second", name="tau"), float)
    assert si(0, "volt", name="v") == 0.0
    with pytest.raises(UnitsError, match="tau=20 is a number without unit; it has to be a time .*'20 ms'"):
        si(20, "ms", name="tau")
    with pytest.raises(UnitsError, match="is a voltage .* has to be a time"):
        si("20 mV", "ms", name="tau")
    with pytest.raises(UnitsError, match="has to be a number without unit"):
        si("20 mV", "1", name="gain")
    every_bound: tuple[dict[str, Any], ...] = (
        {"above": 0},
        {"low": 1},
        {"low": "0.1 ms"},
        {"below": 0},
        {"high": -1},
    )
    for bounds in every_bound:
        with pytest.raises(UnitsError, match="out of range"):
            si("0 ms", "ms", name="tau", **bounds)
        with pytest.raises(UnitsError, match="out of range"):
            si("nan ms", "ms", name="tau", finite=False, **bounds)
    assert si("1 ms", "ms", name="tau", low=1, high="1 ms") == 1e-3
    with pytest.raises(UnitsError, match="finite"):
        si([1.0, np.nan], "1", name="w")
    np.testing.assert_array_equal(si([1.0, np.inf], "1", name="w", finite=False), [1.0, np.inf])


def test_algebra_of_dimensions():
    assert units.multiply(dimensions_of("amp"), dimensions_of("ohm")) == VOLT
    assert units.divide(dimensions_of("volt"), dimensions_of("amp")) == dimensions_of("ohm")
    assert units.power(dimensions_of("ms"), -1) == dimensions_of("Hz")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("volt", ("mV", 1e-3)),
        ("amp", ("pA", 1e-12)),
        ("second", ("ms", 1e-3)),
        ("siemens", ("nS", 1e-9)),
        ("hertz", ("Hz", 1.0)),
        ("1", ("1", 1.0)),
        ("ohm", ("Mohm", 1e6)),
        ("farad", ("pF", 1e-12)),
        ("metre**3*amp/second**2", ("m^3 s^-2 A", 1.0)),
    ],
)
def test_display_unit(unit, expected):
    assert display_unit(dimensions_of(unit)) == expected
    text, scale = display_unit(dimensions_of(unit))
    assert parse(text)[:2] == (scale, dimensions_of(unit))


UNIT_TEXTS = [
    "ms",
    "mV",
    "pA",
    "nS",
    "Hz",
    "Mohm",
    "pF",
    "1",
    "nS/mV",
    "1/(ms*mV)",
    "mV/ms^0.5",
    "m^3 A^-2",
    "kg",
]


@given(value=st.floats(), unit=st.sampled_from(UNIT_TEXTS))
def test_text_of_a_quantity_reads_back_exactly(value, unit):
    q = Quantity(value, dimensions_of(unit))
    back = quantity(str(q))
    assert repr(back.value) == repr(q.value)
    assert back.dimensions == q.dimensions


@given(exponents=st.tuples(*[st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0])] * 7))
def test_every_display_unit_reads_back(exponents):
    text, scale = display_unit(exponents)
    value, dimensions, _ = parse(text)
    assert dimensions == exponents
    assert value == scale


@given(st.text(alphabet="0123456789.+-*/^() mVspAHzkoheinfa", max_size=12))
def test_any_text_is_read_or_refused(text):
    try:
        q = quantity(text)
    except UnitsError:
        return
    assert isinstance(q.value, float)
    assert len(q.dimensions) == 7


def test_arrays_print_short():
    assert str(quantity(["1 mV", "2 mV"])) == "[1., 2.] mV"
    assert len(str(quantity(np.zeros(1000)))) < 80


def test_brian2_gives_the_same_floats():
    b2 = pytest.importorskip("brian2")
    long_names = "volt amp second siemens farad ohm hertz metre meter gram joule watt coulomb tesla newton molar"
    names = [prefix + name for prefix in " f p n u m k M G".split(" ") for name in long_names.split()]
    names += "kilogram metre2 umetre3 cmetre2 msecond2 ms us mV pA nA nS uS pF nF Hz kHz cm um mM liter".split()
    for name in names:
        theirs = getattr(b2.units.allunits, name, None)
        theirs = getattr(b2.units.stdunits, name, None) if theirs is None else theirs
        assert theirs is not None, name
        mine = parse(name)
        assert mine[1] == tuple(theirs.dim._dims), name
        assert mine[0] == pytest.approx(float(theirs), rel=1e-15), name
    namespace = {n: getattr(b2, n) for n in ("ms", "mV", "nS", "pA", "Mohm", "cm", "uF", "second")}
    for text in (
        "20*ms",
        "0.04/ms/mV",
        "2.5*nS/mV",
        "3*mV*ms**-0.5",
        "1*uF/cm**2",
        "1/(20*ms)",
        "150*ms",
        "100*Mohm",
    ):
        theirs = eval(text, namespace)
        assert quantity(theirs) == quantity(text), text
    array = np.array([1.0, 2.0]) * b2.mV
    assert quantity(array) == quantity(["1 mV", "2 mV"])
    assert si(20 * b2.ms, "ms", name="tau") == 0.02
    with pytest.raises(UnitsError, match="a voltage"):
        si(20 * b2.mV, "ms", name="tau")


def test_units_marks_parameters():
    assert units.Units("second").read("20 ms") == "20 ms"
    assert units.Units("second").read(Quantity(0.02, SECOND)) == "20 ms"
    with pytest.raises(UnitsError, match="has to be a time"):
        units.Units("second").read("20 mV", "tau")
