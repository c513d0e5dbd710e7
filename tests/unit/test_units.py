# SPDX-License-Identifier: BSD-3-Clause
"""Units as files write them: each spelling gives the number of the SI brochure, and what is not certain is refused."""

import pytest

from coupler.errors import FieldError
from coupler.units import conversion, convert, parse, per_month

SPELLINGS = {
    "K": ("K", "kelvin", "Kelvin", "KELVIN", "degree_K", "degrees K", "degK", "deg_K", "Degrees Kelvin"),
    "Pa": ("Pa", "Pascals", "pascal", "N m-2", "N/m2", "N m**-2", "J m-3"),
    "hPa": ("mb", "mbar", "millibars", "hectopascals", "hPa", "HPA"),
    "kg m-2 s-1": ("kg.m-2.s-1", "kg/m2/s", "kg m^-2 s^-1", "kg m**-2 s**-1", "kg/(m2 s)", "kg m⁻² s⁻¹", "kg/m^2/s"),
    "W m-2": ("W m**-2", "W/m2", "W/m^2", "Watts m-2", "watts per square metre", "J m-2 s-1"),
    "m s-1": ("m/s", "m s**-1", "m.s-1", "meters per second", "metre second-1", "m sec-1"),
    "1": ("(0 - 1)", "1", "", "kg kg-1", "kg kg**-1", "m3 m-3", "m**3 m**-3", "dimensionless", "fraction", "none"),
    "m2 s-2": ("m**2 s**-2", "J kg-1", "J/kg", "m^2/s^2"),
    "percent": ("%", "pct", "Percent"),
    "1e-3": ("psu", "PSU", "g kg-1", "g/kg", "0.001"),
}  # fmt: skip


@pytest.mark.parametrize(("unit", "spelling"), [(u, s) for u, them in SPELLINGS.items() for s in them])
def test_spellings_of_a_unit_are_the_unit(unit, spelling):
    assert conversion(spelling, unit) == (1.0, 0.0)


CELSIUS = (
    "degC", "deg_C", "deg C", "degree_C", "degrees_C", "degrees Celsius", "degree Celsius", "degree_Celsius", "Celsius",
    "celsius", "°C", "Degrees C",
)  # fmt: skip


@pytest.mark.parametrize("spelling", CELSIUS)
def test_degrees_celsius_have_their_offset_however_written(spelling):
    assert conversion(spelling, "K") == (1.0, 273.15)


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        (59.0, "degF", "K", 288.15),
        (1.0, "W m-2 degF-1", "W m-2 K-1", 1.8),
        (1.0, "knots", "m s-1", 1852 / 3600),
        (1.0, "mm d-1 K-1", "m s-1 degC-1", 1e-3 / 86400),
        (86.4, "MJ m-2 day-1", "W m-2", 1000.0),
        (180.0, "degree", "radian", 3.141592653589793),
        (1.0, "dam", "m", 10.0),
        (1.0, "10^-3 m", "m", 1e-3),
        (1.0, "µmol mol-1", "1", 1e-6),
        (6.02214076e11, "molecules cm-2 s-1", "mol m-2 s-1", 1e-8),
        (1.0, "molec/cm3", "mol m-3", 1e6 / 6.02214076e23),
    ],
)
def test_numbers(value, unit, wanted, expected):
    assert convert(value, unit, wanted) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("degree", "K"), ("degrees", "1"), ("radian K", "K"), ("rad s-1", "s-1"), ("degrees_north", "K"), ("C", "K"),
        ("0.1 K", "K"), ("2 degC", "K"), ("degC2", "K"), ("K m m-1", "K"), ("1", "K"), ("", "K"), ("mK", "K"),
        ("month", "s"), ("years", "s"), ("mm month-1", "mm day-1"), ("J m-2", "W m-2"), ("unknown", "K"),
        ("m s-", "m s-1"), ("m/", "m"), ("(m", "m"), ("m)", "m"), ("furlong", "m"), ("gC m-2", "kg m-2"), ("0 m", "m"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused_with_the_unit(given, wanted):
    with pytest.raises(FieldError) as said:
        conversion(given, wanted, water=True)
    assert repr(given) in str(said.value)


def test_a_rate_by_the_month_is_known_as_one():
    for text in ("mm month-1", "mm/month", "mm per month", "mm mon^-1"):
        assert conversion(per_month(text), "mm day-1") == (1.0, 0.0)
    assert per_month("mm day-1") is None and per_month("m") is None
    assert parse("kg m-2 s-1").dimensions == (("length", -2), ("mass", 1), ("time", -1))
