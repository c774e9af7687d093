"""Tables of units and the parser of texts such as ``"2.5 nS/mV"``; the public side is `neurodyn.units`."""

from __future__ import annotations

import difflib
import math
import re
from functools import lru_cache

Dimensions = tuple[float, ...]
"""Seven exponents in Brian2's order: length, mass, time, current, temperature, amount, luminous intensity."""

#: Dimensions of a plain number: seven zeros.
DIMENSIONLESS: Dimensions = (0.0,) * 7


class UnitsError(ValueError):
    """A quantity that can't be read, has the wrong dimensions, or lies outside its range."""


def _dims(length=0, mass=0, time=0, current=0, temperature=0, amount=0, luminosity=0) -> Dimensions:
    exponents = (length, mass, time, current, temperature, amount, luminosity)
    return tuple(float(e) for e in exponents)


def multiply(a: Dimensions, b: Dimensions) -> Dimensions:
    """Dimensions of a product: of ``a`` times ``b``."""
    return tuple(x + y for x, y in zip(a, b, strict=True))


def divide(a: Dimensions, b: Dimensions) -> Dimensions:
    """Dimensions of a quotient: of ``a`` over ``b``."""
    return tuple(x - y for x, y in zip(a, b, strict=True))


def power(a: Dimensions, exponent: float) -> Dimensions:
    """Dimensions of ``a ** exponent``; the exponent may be a fraction (noise has volt/second**0.5)."""
    return tuple(round(x * exponent, 9) + 0.0 for x in a)


# Names that take a prefix (milli, pico, ...), symbols and long names. "g" stands in for the kilogram.
_VOLT, _SIEMENS, _FARAD = _dims(2, 1, -3, -1), _dims(-2, -1, 3, 2), _dims(-2, -1, 4, 2)
_PREFIXABLE: dict[str, tuple[float, Dimensions]] = {}
for _names, _scale, _d in [
    ("s second", 1.0, _dims(time=1)), ("m metre meter", 1.0, _dims(1)),
    ("g gram gramme", 1e-3, _dims(mass=1)), ("A amp ampere", 1.0, _dims(current=1)),
    ("K kelvin", 1.0, _dims(temperature=1)), ("mol mole", 1.0, _dims(amount=1)),
    ("cd candela", 1.0, _dims(luminosity=1)),
    ("V volt", 1.0, _VOLT), ("S siemens", 1.0, _SIEMENS), ("F farad", 1.0, _FARAD),
    ("ohm Ω", 1.0, power(_SIEMENS, -1)), ("Hz hertz", 1.0, _dims(time=-1)),
    ("C coulomb", 1.0, _dims(0, 0, 1, 1)),
    ("N newton", 1.0, _dims(1, 1, -2)), ("J joule", 1.0, _dims(2, 1, -2)), ("W watt", 1.0, _dims(2, 1, -3)),
    ("Pa pascal", 1.0, _dims(-1, 1, -2)), ("Wb weber", 1.0, _dims(2, 1, -2, -1)),
    ("T tesla", 1.0, _dims(0, 1, -2, -1)), ("H henry", 1.0, _dims(2, 1, -2, -2)),
    ("M molar", 1e3, _dims(-3, 0, 0, 0, 0, 1)), ("l L liter litre", 1e-3, _dims(3)),
]:  # fmt: skip
    _PREFIXABLE.update(dict.fromkeys(_names.split(), (_scale, _d)))

_FIXED: dict[str, tuple[float, Dimensions]] = {
    "kg": (1.0, _dims(mass=1)), "kilogram": (1.0, _dims(mass=1)), "kilogramme": (1.0, _dims(mass=1)),
    "min": (60.0, _dims(time=1)), "minute": (60.0, _dims(time=1)), "hour": (3600.0, _dims(time=1)),
    "rad": (1.0, DIMENSIONLESS), "radian": (1.0, DIMENSIONLESS),
}  # fmt: skip

_PREFIXES = {
    "y": 1e-24, "z": 1e-21, "a": 1e-18, "f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "m": 1e-3,
    "c": 1e-2, "d": 1e-1, "da": 1e1, "h": 1e2, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Z": 1e21, "Y": 1e24,
}  # fmt: skip


def unit(name: str, text: str) -> tuple[float, Dimensions]:
    """(scale, dimensions) of one unit name, prefix included."""
    for table in (_FIXED, _PREFIXABLE):
        if name in table:
            return table[name]
    for length in (1, 2):
        prefix, rest = name[:length], name[length:]
        if prefix in _PREFIXES and rest in _PREFIXABLE:
            scale, dims = _PREFIXABLE[rest]
            return _PREFIXES[prefix] * scale, dims
    known = [
        *_FIXED,
        *_PREFIXABLE,
        *(p + u for p in ("f", "p", "n", "u", "m", "k", "M", "G") for u in _PREFIXABLE),
    ]
    by_case = [k for k in known if k.lower() == name.lower()]
    near = by_case or difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(n) for n in near[:3])}?" if near else ""
    raise UnitsError(f"unknown unit {name!r} in {text!r}{hint}")


EXAMPLES = "write a number and a unit such as '20 ms', '2.5 nS/mV' or '1/(ms*mV)'"
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?:inf|nan)\b)"
    r"|(?P<name>[^\W\d_]+\d*)|(?P<op>\*\*|[\^*/()+\-·⋅×]))"
)
# One spelling each: micro and ohm have two code points.
_SPELLING = str.maketrans({"\u03bc": "µ", "\u2126": "Ω", "·": "*", "⋅": "*", "×": "*"})


class _Parser:
    """Recursive descent over one text; ``number`` tells whether it holds a number outside exponents."""

    def __init__(self, text: str):
        self.text, self.number = text, False
        self.tokens: list[tuple[str, str]] = []  # (kind, text); the kind of an operator is the operator
        source, position = text.translate(_SPELLING).rstrip(), 0
        while position < len(source):
            match = _TOKEN.match(source, position)
            if match is None:
                raise self.fail(f"what is {source[position:].strip()!r}?")
            position = match.end()
            token = match.group().strip()
            kind = "**" if token == "^" else token if match["op"] else str(match.lastgroup)
            self.tokens.append((kind, token))
        self.tokens.append(("end", ""))

    def fail(self, why: str) -> UnitsError:
        return UnitsError(f"cannot read {self.text!r}: {why}; {EXAMPLES}")

    def accept(self, *kinds: str) -> bool:
        """Whether the next token is one of these; if so, step over it."""
        return self.tokens[0][0] in kinds and bool(self.tokens.pop(0))

    def parse(self) -> tuple[float, Dimensions]:
        negative = self.sign()
        value, dims = self.product()
        if not self.accept("end"):
            raise self.fail(f"{self.tokens[0][1]!r} is out of place")
        return (-value if negative else value), dims

    def sign(self) -> bool:
        return not self.accept("+") and self.accept("-")

    def product(self) -> tuple[float, Dimensions]:
        divided = self.tokens[0][0] == "/"
        value, dims = (1.0, DIMENSIONLESS) if divided else self.factor()
        while True:
            if self.accept("/"):
                divided, (scale, factor) = True, self.factor()
                value, dims = (value / scale if scale else math.nan), divide(dims, factor)
                continue
            if not self.accept("*"):
                if self.tokens[0][0] not in ("name", "("):
                    return value, dims
                if divided:
                    raise self.fail("after a division, a product without '*' can be read in two ways")
            scale, factor = self.factor()
            value, dims = value * scale, multiply(dims, factor)

    def factor(self) -> tuple[float, Dimensions]:
        kind, token = self.tokens[0]
        if self.accept("number"):
            self.number = True
            value, dims = float(token), DIMENSIONLESS
        elif self.accept("name"):
            name = token.rstrip("0123456789")
            repeat = int(token[len(name) :] or 1)  # Brian2's metre2
            scale, dims = unit(name, self.text)
            value, dims = scale**repeat, power(dims, repeat)
        elif self.accept("("):
            value, dims = self.product()
            if not self.accept(")"):
                raise self.fail("a bracket is not closed")
        else:
            raise self.fail("a number or a unit is missing" if kind == "end" else f"{token!r} is out of place")
        if self.accept("**"):
            exponent = self.exponent()
            value, dims = value**exponent, power(dims, exponent)
        return value, dims

    def exponent(self) -> float:
        bracket = self.accept("(")
        negative = self.sign()
        token = self.tokens[0][1]
        if not self.accept("number") or (bracket and not self.accept(")")):
            raise self.fail("an exponent has to be a number")
        value = float(token)
        value = int(value) if value.is_integer() else value  # powers by an int round as Brian2's do
        return -value if negative else value


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[float, Dimensions, bool]:
    """(value in SI, dimensions, whether a number is there) of a quantity or unit; raises `UnitsError`."""
    parser = _Parser(text)
    try:
        value, dims = parser.parse()
    except (OverflowError, ZeroDivisionError) as error:
        raise parser.fail("the number is too large") from error
    return value, dims, parser.number
