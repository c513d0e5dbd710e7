# SPDX-License-Identifier: BSD-3-Clause
"""Ozone and temperature by place and season, and greenhouse gases by year."""

import numpy as np
import pytest
import torch

from components.radiation import climatology
from components.radiation.full_columns import interface_temperature
from components.radiation.gray_scheme import gray
from components.radiation.standard_atmosphere import columns
from components.science.constants import GRAVITY
from components.science.gases import Gases, GasOptions, of_year
from coupler.errors import NamelistError
from coupler.namelist import Node

DOBSON = 2.687e20  # molecules m-2
LATITUDE = torch.linspace(-90.0, 90.0, 61, dtype=torch.float64)


def layers(n):
    return torch.logspace(5, 0, 60, dtype=torch.float64)[:, None].expand(-1, n).contiguous()


def dobson(day):
    p_i = layers(61)
    mole = climatology.ozone(p_i, LATITUDE, day)
    return ((mole * (p_i[:-1] - p_i[1:])).sum(0) / GRAVITY / 28.96e-3 * 6.02214e23 / DOBSON).numpy()


def test_columns_of_ozone_are_those_of_the_earth():
    """250 to 450 DU but for the hole of the southern spring; most in the northern spring, least over the equator."""
    for day in (15.0, 105.0, 196.0, 288.0):
        column = dobson(day)
        assert (column[20:] > 240.0).all() and (column < 480.0).all()
    assert dobson(75.0)[-3] > 420.0 > 280.0 > dobson(75.0)[30]
    assert dobson(280.0)[2] < 220.0
    assert dobson(196.0)[50] == pytest.approx(dobson(196.0 + 365.2425)[50])


def test_ozone_of_a_layer_is_the_mean_of_its_parts():
    fine = layers(61)
    coarse = fine[::3].contiguous()
    mole, whole = climatology.ozone(fine, LATITUDE, 100.0), climatology.ozone(coarse, LATITUDE, 100.0)
    path = (mole * (fine[:-1] - fine[1:]))[:57].reshape(19, 3, -1).sum(1)
    np.testing.assert_allclose((whole * (coarse[:-1] - coarse[1:]))[:19], path, rtol=1e-12)


def test_the_stratosphere_is_cold_in_the_polar_winter_and_over_the_tropical_tropopause():
    t = lambda p, latitude, day: float(  # noqa: E731
        climatology.temperature(torch.full((1, 1), p).double(), torch.tensor([latitude]).double(), day)
    )
    assert t(1000.0, 75.0, 196.0) > t(1000.0, 75.0, 15.0) + 15.0
    assert t(1000.0, -75.0, 15.0) == pytest.approx(t(1000.0, 75.0, 196.0), abs=0.2)
    assert t(9400.0, 0.0, 100.0) < t(9400.0, 45.0, 196.0) - 15.0
    assert t(1220.0, 15.0, 50.0) == pytest.approx(232.3 - climatology.COOLED, abs=0.2)


def test_values_do_not_depend_on_the_block():
    p = layers(61)
    some = slice(11, 23)
    for function in (climatology.temperature, climatology.ozone):
        whole, block = function(p, LATITUDE, 33.3), function(p[:, some].contiguous(), LATITUDE[some].contiguous(), 33.3)
        assert torch.equal(whole[:, some], block)


def test_the_air_on_the_ground_lies_between_ground_and_lowest_layer():
    p_i = torch.tensor([1e5, 9.9e4, 9.7e4]).double()[:, None].expand(3, 5)
    p = torch.sqrt(p_i[1:] * p_i[:-1])
    t = torch.full((2, 5), 290.0).double()
    ground = torch.tensor([270.0, 289.0, 290.0, 291.0, 310.0]).double()
    got = interface_temperature(p, p_i, t, ground)[0] - 290.0
    assert (got.abs() <= (ground - 290.0).abs()).all() and (got.abs() < 2.0).all()
    assert (torch.diff(got) > 0.0).all() and float(got[2]) == 0.0


def test_gases_of_a_year_are_those_of_the_records():
    """CO2 at Mauna Loa and in ice: 284.3 ppm in 1850, 369 in 2000; 2014 is the protocol of RFMIP."""
    assert of_year(1850).carbon_dioxide == pytest.approx(284.3e-6, abs=0.2e-6)
    assert of_year(1850).cfc12 == of_year(1850).cfc22 == 0.0
    assert of_year(2000).carbon_dioxide == pytest.approx(369.0e-6, abs=1e-6)
    for name, value in vars(Gases()).items():
        assert getattr(of_year(2014), name) == pytest.approx(value, rel=3e-3), name
    with pytest.raises(ValueError, match="from 1765 to 2499, not in 1700"):
        of_year(1700)


def test_the_block_of_a_namelist_takes_the_year_of_the_start_and_single_gases():
    assert GasOptions().at(1990) == of_year(1990)
    assert GasOptions(year=2050).at(1990) == of_year(2050)
    assert GasOptions().at(1) == of_year(1765)
    assert GasOptions().at(3000) == of_year(2499)  # the last that the table has
    assert GasOptions(carbon_dioxide=1e-3).at(2014).carbon_dioxide == 1e-3
    with pytest.raises(NamelistError, match="1765"):
        Node({"year": 1500}).parse(GasOptions)


def test_gray_air_absorbs_more_with_more_carbon_dioxide():
    air = columns(24, torch.zeros((1, 1), dtype=torch.float64), 1.0)
    olr = [float(gray(air, Gases(carbon_dioxide=c)).outgoing_longwave) for c in (360e-6, 720e-6)]
    assert olr[0] == float(gray(air).outgoing_longwave)
    assert 1.0 < olr[0] - olr[1] < 10.0
