# SPDX-License-Identifier: BSD-3-Clause
"""Units of measurement as files write them: read with certainty, or refused.

>>> conversion("degC", "K")
(1.0, 273.15)
>>> factor, offset = conversion("mm/day", "kg.m-2.s-1", water=True)
>>> round(factor * 86400, 9), offset
(1.0, 0.0)

Factors are exact fractions until the last step. Only the units of `BASE` are known: an angle is a dimension of its own,
temperatures on a scale convert with their offset and nowhere else, months and years have no fixed length.
"""

import functools
import re
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coupler.errors import FieldError

WATER_DENSITY = 1000.0
"""Density that turns a depth of water into mass: 1 mm of water is 1 kg m-2 (kg m-3)."""
STANDARD_GRAVITY = 9.80665
"""Geopotential of a geopotential metre, by definition (m s-2)."""
DEGREE = {"K": Fraction(1), "degC": Fraction(1), "degF": Fraction(5, 9)}
"""Size of a degree of the scales of temperature, K."""
ZERO = {"K": Fraction(0), "degC": Fraction("273.15"), "degF": Fraction("459.67") * 5 / 9}
"""Temperature at zero of the scales, K."""

Dimensions = tuple[tuple[str, int], ...]


class Unit(NamedTuple):
    """A product of powers of base dimensions, and its size in the units of `BASE` that are 1."""

    size: Fraction
    dimensions: Dimensions
    scale: str = ""
    """``degC`` or ``degF`` of a temperature that stands alone, ``K`` of kelvin itself."""


DIMENSIONS = "length mass time temperature amount current angle".split()
# Unit: size, and powers of length, mass, time, temperature, amount, current, angle.
BASE: dict[str, tuple[Fraction, tuple[int, ...]]] = {
    name: (Fraction(size), (*powers, *(0,) * (7 - len(powers))))
    for names, size, powers in (
        ("m metre meter", "1", (1,)),
        ("gpm", "1", (1,)),
        ("g gram gramme", "1/1000", (0, 1)),
        ("s sec second", "1", (0, 0, 1)),
        ("K kelvin", "1", (0, 0, 0, 1)),
        ("degC", "1", (0, 0, 0, 1)),
        ("degF", "5/9", (0, 0, 0, 1)),
        ("mol mole", "1", (0, 0, 0, 0, 1)),
        ("molecule molec", "1/602214076000000000000000", (0, 0, 0, 0, 1)),
        ("A ampere", "1", (0, 0, 0, 0, 0, 1)),
        ("rad radian", "1", (0, 0, 0, 0, 0, 0, 1)),
        ("degree deg arcdegree", "0.017453292519943295", (0, 0, 0, 0, 0, 0, 1)),
        ("min minute", "60", (0, 0, 1)),
        ("h hr hour", "3600", (0, 0, 1)),
        ("d day", "86400", (0, 0, 1)),
        ("week", "604800", (0, 0, 1)),
        ("Hz hertz Bq becquerel", "1", (0, 0, -1)),
        ("N newton", "1", (1, 1, -2)),
        ("Pa pascal", "1", (-1, 1, -2)),
        ("bar", "100000", (-1, 1, -2)),
        ("atm atmosphere", "101325", (-1, 1, -2)),
        ("J joule", "1", (2, 1, -2)),
        ("W watt", "1", (2, 1, -3)),
        ("V volt", "1", (2, 1, -3, 0, 0, -1)),
        ("C coulomb", "1", (0, 0, 1, 0, 0, 1)),
        ("S siemens", "1", (-2, -1, 3, 0, 0, 2)),
        ("L l litre liter", "1/1000", (3,)),
        ("ha hectare", "10000", (2,)),
        ("ft foot feet", "0.3048", (1,)),
        ("inch", "0.0254", (1,)),
        ("nautical_mile", "1852", (1,)),
        ("knot kt kts", "1852/3600", (1, 0, -1)),
        ("t tonne", "1000", (0, 1)),
        ("percent pct", "1/100", ()),
        ("psu", "1/1000", ()),
        ("ppm ppmv", "1/1000000", ()),
        ("ppb ppbv", "1/1000000000", ()),
        ("level fraction", "1", ()),
    )
    for name in names.split()
}
PREFIXES = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12,
    "tera": 12, "giga": 9, "mega": 6, "kilo": 3, "hecto": 2, "deca": 1, "deci": -1, "centi": -2, "milli": -3,
    "micro": -6, "nano": -9, "pico": -12,
}  # fmt: skip
WITH_PREFIX = set(
    "m metre meter g gram gramme s sec second mol mole A ampere Hz hertz Bq becquerel N newton Pa pascal bar J joule W"
    " watt V volt S siemens L l litre liter gpm".split()
)
WORDS = {
    "mb": "mbar", "mbs": "mbar", "hpa": "hPa", "pa": "Pa", "kpa": "kPa", "mbar": "mbar", "psu": "psu", "degc": "degC",
    "degf": "degF", "celsius": "degC", "fahrenheit": "degF", "%": "percent", "kg": "kg", "dimensionless": "1",
    "unitless": "1", "nondimensional": "1", "none": "1", "proportion": "1", "meters": "m", "hrs": "h", "pss": "psu",
    "degrees_true": "degree", "degree_true": "degree", "geopotential_meter": "m", "geopotential_metre": "m",
}  # fmt: skip
"""Spellings by their lower case."""
WHOLE = {
    "": "1", "-": "1", "--": "1", "~": "1", "(0 - 1)": "1", "(0-1)": "1", "0-1": "1", "0 - 1": "1", "[0-1]": "1",
    "[0, 1]": "1",
    "geopotential meters": "m", "geopotential metres": "m", "geopotential m": "m",
    "fraction (0-1)": "1", "non-dim": "1", "non-dimensional": "1", "pss-78": "psu",
}  # fmt: skip
"""Spellings of a whole unit, in lower case."""
_TEMPERATURE = re.compile(r"(?:°|º|\bdeg(?:ree)?s?[ _.]*)(c|k|f)(?:elsius|elvin|ahrenheit)?s?(?![A-Za-z])", re.I)
_ANGLE = re.compile(r"\bdegrees?_?(?:north|east|south|west|[nesw])(?:ward)?(?![A-Za-z])", re.I)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z%_]+)|(?P<power>(?:\*\*|\^)?[-+]?\d+)"
    r"|(?P<sign>[*./()]))"
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺·⋅×−µμ", "0123456789-+   -uu")
_LENGTHLESS = re.compile(r"^(common_)?(month|mon|year|yr|a|decade|century|season)s?$", re.I)
_PER_MONTH = re.compile(r"(?:/\s*|\bper\s+)mon(?:th)?s?\b|\bmon(?:th)?s?\s*(?:\*\*|\^)?\s*-\s*1\b", re.I)


def conversion(from_units: str, to_units: str, water: bool = False) -> tuple[float, float]:
    """Factor and offset with ``to = factor * from + offset``.

    Parameters
    ----------
    from_units, to_units : str
        Units in CF notation or a usual spelling, such as ``kg m-2 s-1``, ``mm/day``, ``degC``, ``mb``, ``W m**-2``.
    water : bool
        Whether depths of water may stand for masses (1 mm = 1 kg m-2).

    Returns
    -------
    (float, float)
        Factor and offset.

    Raises
    ------
    FieldError
        Units that are unknown or cannot be converted into each other with certainty.

    Examples
    --------
    >>> conversion("hPa", "Pa")
    (100.0, 0.0)
    """
    if from_units == to_units:
        return 1.0, 0.0
    return _conversion(from_units, to_units, water)


@functools.cache
def _conversion(from_units: str, to_units: str, water: bool) -> tuple[float, float]:
    a, b = parse(from_units), parse(to_units)
    factor = a.size / b.size
    if a.dimensions != b.dimensions:
        depth, mass = (("length", 1),), (("length", -2), ("mass", 1))
        exchange = _difference(a.dimensions, b.dimensions) if water else ()
        if exchange == _difference(depth, mass):
            factor *= Fraction(WATER_DENSITY)
        elif exchange == _difference(mass, depth):
            factor /= Fraction(WATER_DENSITY)
        else:
            raise FieldError(f"cannot convert {from_units!r} to {to_units!r}{_hint(a, b, from_units)}")
    if a.dimensions != (("temperature", 1),):
        return float(factor), 0.0
    if not (a.scale and b.scale):
        raise FieldError(
            f"cannot convert {from_units!r} to {to_units!r} with certainty: expected a temperature in K, degC or degF"
        )
    return float(factor), float((ZERO[a.scale] - ZERO[b.scale]) / DEGREE[b.scale])


def convert(values: npt.ArrayLike, from_units: str, to_units: str, *, water: bool = False) -> npt.NDArray[np.float64]:
    """Values in another unit (see `conversion`).

    Parameters
    ----------
    values : in `from_units`
    from_units, to_units : unit strings
    water : whether mm may be read as kg m-2 of water

    >>> convert([0.0, 15.0], "degC", "K")
    array([273.15, 288.15])
    """
    factor, offset = conversion(from_units, to_units, water)
    return np.asarray(values, dtype=np.float64) * factor + offset


def per_month(units: str) -> str | None:
    """The unit a day of one that is a month, such as ``mm month-1``; None of any other.

    >>> per_month("mm month-1"), per_month("mm day-1")
    ('mm day-1', None)
    """
    found = _PER_MONTH.search(units)
    if found is None:
        return None
    slash = found[0].lstrip().startswith(("/", "per"))
    return units[: found.start()] + ("/day" if slash else "day-1") + units[found.end() :]


@functools.cache
def parse(text: str) -> Unit:
    """A unit's size and dimensions.

    Raises
    ------
    FieldError
        What is not a product of powers of known units.
    """
    plain = text.strip().translate(_SUPERSCRIPTS).replace("{", "").replace("}", "")
    plain = re.sub(r"\s*(of )?(liquid )?water( equivalent)?$|\s*w\.?e\.?q?\.?$", "", plain, flags=re.I) or plain
    plain = WHOLE.get(plain.lower(), plain)
    plain = _TEMPERATURE.sub(lambda m: {"c": "degC", "k": "K", "f": "degF"}[m[1].lower()], plain)
    plain = _ANGLE.sub("degree", plain).replace("°", "degree")
    plain = re.sub(r"\bper\b", "/", plain, flags=re.I)
    plain = re.sub(r"\b(square|cubic)\s+([A-Za-z]+)", lambda m: m[2] + {"s": "2", "c": "3"}[m[1][0].lower()], plain)
    size, dimensions, names = _product(plain, text)
    scale = names[0] if len(names) == 1 and names[0] in DEGREE and size == DEGREE[names[0]] else ""
    return Unit(size, dimensions, scale)


def _product(plain: str, text: str) -> tuple[Fraction, Dimensions, list[str]]:
    """Size, dimensions and names of a product; `text` is what the file has."""
    powers = dict.fromkeys(DIMENSIONS, 0)
    size, names, at = Fraction(1), list[str](), 0
    signs, sign = [1], 1  # of the parentheses around, and of the next factor
    last: tuple[str, Fraction, tuple[int, ...], int] | None = None
    while at < len(plain.rstrip()):
        token = _TOKEN.match(plain, at)
        if token is None:
            raise FieldError(f"unknown unit {text!r}: {plain[at:].strip()!r} is not part of a unit")
        # a number right after a name is its power; one after a space or at the start is a factor
        touching = at == token.start(token.lastgroup or 0)
        at = token.end()
        if token["power"] or (token["number"] and last and touching and "." not in token["number"]):
            exponent = (token["power"] or token["number"]).lstrip("*^")
            if last is None or not exponent.lstrip("+-").isdigit() or abs(int(exponent)) > 12:
                raise FieldError(f"unknown unit {text!r}: {token[0].strip()!r} is the power of nothing")
            _, part, of, direction = last
            more = int(exponent) - 1
            size *= part ** (direction * more)
            for key, p in zip(DIMENSIONS, of, strict=True):
                powers[key] += direction * more * p
            last = None
        elif token["number"]:
            number = Fraction(token["number"])
            if number == 0:
                raise FieldError(f"unknown unit {text!r}: its size is zero")
            size *= number ** (signs[-1] * sign)
            last, sign = ("", number, (0,) * 7, signs[-1] * sign), 1
        elif token["name"]:
            part, of, name = _named(token["name"], text)
            direction, sign = signs[-1] * sign, 1
            size *= part**direction
            for key, p in zip(DIMENSIONS, of, strict=True):
                powers[key] += direction * p
            names.append(name if direction == 1 else f"/{name}")
            last = (name, part, of, direction)
        elif token["sign"] == "(":
            signs.append(signs[-1] * sign)
            last, sign = None, 1
        elif token["sign"] == ")":
            if len(signs) == 1:
                raise FieldError(f"unknown unit {text!r}: a parenthesis is closed that was not opened")
            signs.pop()
            last = None
        else:
            sign = -1 if token["sign"] == "/" else sign
            last = None
    if len(signs) != 1 or sign != 1 or not plain.strip():
        raise FieldError(f"unknown unit {text!r}: it is not complete")
    return size, tuple((k, p) for k, p in sorted(powers.items()) if p), names


def _named(word: str, text: str) -> tuple[Fraction, tuple[int, ...], str]:
    """Size, powers and usual name of one unit, with its prefix and in plural."""
    word = WORDS.get(word.lower(), word)
    if word == "1":
        return Fraction(1), (0,) * 7, "1"
    if _LENGTHLESS.match(word):
        raise FieldError(f"unknown unit {text!r}: months and years have no fixed length; days have")
    lower = word.lower()
    for name in (word, *((lower, lower.removesuffix("s")) if len(word) > 3 else ())):
        if name in BASE:
            return *BASE[name], {"kelvin": "K"}.get(name, name)
        for prefix, power in PREFIXES.items():
            if name.startswith(prefix) and name[len(prefix) :] in WITH_PREFIX:
                size, of = BASE[name[len(prefix) :]]
                return size * Fraction(10) ** power, of, name
    raise FieldError(f"unknown unit {text!r}: nothing is called {word!r}")


def _difference(a: Dimensions, b: Dimensions) -> Dimensions:
    left, right = dict(a), dict(b)
    powers = {k: left.get(k, 0) - right.get(k, 0) for k in sorted({*left, *right})}
    return tuple((k, p) for k, p in powers.items() if p)


def _hint(a: Unit, b: Unit, given: str) -> str:
    if ("temperature", 1) in b.dimensions and given.strip() == "C":
        return ": C is the coulomb; degrees Celsius are degC"
    if {k for k, _ in a.dimensions} ^ {k for k, _ in b.dimensions} == {"angle"}:
        return ": an angle is not a number"
    return ""
