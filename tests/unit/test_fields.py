# SPDX-License-Identifier: BSD-3-Clause
"""The dictionary of exchanged fields, declarations and unit conversion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coupler.errors import FieldError
from coupler.fields import FieldSpec, conversion, convert, dictionary, is_water, specs

# what, given in, wanted in, value, expected: BIPM SI Brochure (2019), table 8, and 1 mm of water = 1 kg m-2
KNOWN = [
    ("degC", "K", 15.0, 288.15),
    ("K", "degC", 273.15, 0.0),
    ("Celsius", "K", -40.0, 233.15),
    ("hPa", "Pa", 1013.25, 101325.0),
    ("mbar", "Pa", 1.0, 100.0),
    ("km h-1", "m s-1", 36.0, 10.0),
    ("g kg-1", "1", 12.0, 0.012),
    ("percent", "1", 50.0, 0.5),
    ("%", "1", 50.0, 0.5),
    ("MJ m-2 day-1", "W m-2", 86.4, 1000.0),
    ("N m-2", "Pa", 0.1, 0.1),
    ("W/m2", "W m-2", 3.0, 3.0),
    ("m/s", "m s-1", 3.0, 3.0),
]


@pytest.mark.parametrize(("given_in", "wanted", "value", "expected"), KNOWN)
def test_certain_conversions(given_in, wanted, value, expected):
    assert convert(value, given_in, wanted) == pytest.approx(expected, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(("units", "per_day"), [("mm day-1", 1.0), ("m day-1", 1000.0), ("mm h-1", 24.0)])
def test_depths_of_water_become_masses_where_the_field_is_water(units, per_day):
    assert convert(1.0, units, "kg m-2 s-1", water=True) * 86400 == pytest.approx(per_day, rel=1e-12)
    assert convert(per_day / 86400, "kg m-2 s-1", units, water=True) == pytest.approx(1.0, rel=1e-12)
    with pytest.raises(FieldError, match="cannot convert"):
        conversion(units, "kg m-2 s-1")


@pytest.mark.parametrize(("a", "b"), [("K", "m"), ("W m-2", "K"), ("kg m-2 s-1", "W m-2"), ("m s-1", "m"), ("1", "K")])
def test_uncertain_conversions_are_refused_with_both_units(a, b):
    with pytest.raises(FieldError) as said:
        conversion(a, b)
    assert repr(a) in str(said.value) and repr(b) in str(said.value)
    with pytest.raises(FieldError):
        conversion(a, b, water=True)


def test_an_unknown_unit_is_named():
    with pytest.raises(FieldError, match="furlongs_per"):
        conversion("furlongs_per_fortnight", "m s-1")


@given(st.floats(-1e6, 1e6), st.sampled_from([k[:2] for k in KNOWN]))
def test_there_and_back_again(value, units):
    a, b = units
    assert float(convert(convert(value, a, b), b, a)) == pytest.approx(value, rel=1e-9, abs=1e-8)


def test_identical_units_cost_nothing_and_change_no_bit():
    assert conversion("W m-2", "W m-2") == (1.0, 0.0)
    values = np.array([0.1, 1e-300, -3.3])
    assert np.array_equal(convert(values, "K", "K"), values)


def test_every_entry_of_the_dictionary_is_whole():
    for name, entry in dictionary().items():
        spec = FieldSpec(name)
        assert conversion(spec.units, spec.units) == (1.0, 0.0)
        assert conversion(f"{spec.units}", spec.units, is_water(name)) == (1.0, 0.0)
        assert spec.kind in ("state", "flux", "fraction"), name
        low, high = entry["range"]
        assert low < high, name
        if spec.kind == "flux":
            assert spec.positive, f"{name} is a flux: its sign must be said"
        if "vector" in entry:
            assert entry["vector"] in dictionary()
        if is_water(name):
            assert spec.units == "kg m-2 s-1"


def test_a_mistyped_name_brings_the_right_one():
    with pytest.raises(FieldError, match="did you mean 'sea_surface_temperature'"):
        FieldSpec("sea_surface_temprature")


def test_a_name_outside_the_dictionary_needs_units_and_kind():
    with pytest.raises(FieldError, match="needs units= and kind="):
        FieldSpec("chlorophyll", units="kg m-3")
    spec = FieldSpec("chlorophyll", units="kg m-3", kind="state")
    assert (spec.standard_units, spec.long_name, spec.valid_range) == ("kg m-3", "chlorophyll", None)


def test_declarations_may_be_names_or_specs():
    first, second = specs("air_temperature", FieldSpec("precipitation_flux", units="mm day-1", levels=0))
    assert (first.units, first.kind) == ("K", "state")
    assert (second.units, second.standard_units, second.kind) == ("mm day-1", "kg m-2 s-1", "flux")
    assert FieldSpec("air_temperature", levels=7).columns == 7
