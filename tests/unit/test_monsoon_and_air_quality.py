# SPDX-License-Identifier: BSD-3-Clause
"""Monsoon indices on winds made for them, the rain belt and the high where they were put, stations' hours by hand."""

from datetime import date

import numpy as np
import pytest

from coupler.analysis import monsoon
from coupler.analysis.air_quality import read_station, score_hours, score_station
from coupler.analysis.similarity import NothingToScore
from coupler.errors import CaseError

LON, LAT = np.meshgrid(np.arange(80.5, 180.0, 1.0), np.arange(0.5, 60.0, 1.0))


def test_indices_by_name_on_a_sheared_flow():
    """u850 = 10 - lat / 2: its mean over a box is that at the weighted mean latitude."""
    shear = 10.0 - 0.5 * LAT
    winds = monsoon.Winds({850: shear, 200: 2.0 * shear}, {850: 0.0 * LAT + 3.0}, LON, LAT)

    def middle(south, north):
        y = np.arange(0.5, 60.0)[(np.arange(0.5, 60.0) >= south) & (np.arange(0.5, 60.0) <= north)]
        return float((y * np.cos(np.deg2rad(y))).sum() / np.cos(np.deg2rad(y)).sum())

    u = lambda south, north: 10.0 - 0.5 * middle(south, north)  # noqa: E731
    wanted = {
        "wang_fan": u(22.5, 32.5) - u(5, 15), "western_north_pacific": u(5, 15) - u(20, 30),
        "lau_yang": 2 * (u(40, 50) - u(25, 35)), "south_china_sea": u(5, 15), "southerlies": 3.0,
    }  # fmt: skip
    for name, value in wanted.items():
        np.testing.assert_allclose(monsoon.index(name, winds), value, rtol=1e-12)
    assert wanted["wang_fan"] < 0.0 < wanted["western_north_pacific"]
    with pytest.raises(CaseError, match="unknown monsoon index 'fan'"):
        monsoon.index("fan", winds)
    with pytest.raises(CaseError, match="u at 200 hPa"):
        monsoon.index("lau_yang", monsoon.Winds({850: shear}, {}, LON, LAT))
    with pytest.raises(CaseError, match="no cell lies in"):
        monsoon.area_mean(shear[40:], LON[40:], LAT[40:], monsoon.Box("tropics", 90, 130, 5, 15))


def test_onset_is_the_first_lasting_westerly_after_april():
    u = np.full(73, -3.0)
    u[10:14] = 5.0  # winter
    u[22:24] = 5.0  # from 21 April: too early to count, and over too soon
    u[24] = 2.0  # a burst
    u[27:50] = 4.0
    assert monsoon.onset_pentad(u) == 27
    assert monsoon.onset_pentad(np.full(73, -1.0)) is None
    early = np.full(73, 4.0)  # westerlies all year: the first pentad after 25 April, days 116 to 120 of a common year
    assert monsoon.onset_pentad(early) == 23 and date(2001, 4, 26).timetuple().tm_yday == 5 * 23 + 1
    rain = np.full((73, 2), 1.0)
    rain[30:, 0] = 9.0
    assert monsoon.rain_onset(rain, np.ones(2)).tolist() == [30, -1]


def test_the_rain_belt_marches_and_the_high_is_where_it_was_put():
    where = np.array([22.0, 28.0, 35.0])
    rain = 10.0 * np.exp(-(((LAT - where[:, None, None]) / 3.0) ** 2)) * (LON < 150)
    np.testing.assert_allclose(monsoon.rain_belt(rain, LON, LAT), where, atol=0.8)
    u = 1.5 * (LAT - 26.0)
    z = 5900.0 - 0.5 * (LAT - 26.0) ** 2 - 1.0 * np.maximum(150.0 - LON, 0.0)
    for turn in (slice(None), slice(None, None, -1)):
        high = monsoon.subtropical_high(z[turn], u[turn], LON[turn], LAT[turn])
        assert abs(high.ridge - 26.0) < 1e-9 and high.west == 130.5
    nothing = monsoon.subtropical_high(z - 100.0, np.abs(u) + 1.0, LON, LAT)
    assert np.isnan(nothing.ridge) and np.isnan(nothing.west)


def test_hours_worked_by_hand():
    m, o = np.array([2.0, 4.0, 9.0, np.nan, 1.0]), np.array([1.0, 4.0, 3.0, 5.0, 2.0])
    s = score_hours(m, o, np.array([0, 6, 6, 12, 0]))
    assert s.n == 4 and s.bias == 1.5
    np.testing.assert_allclose([s.nmb, s.nme], [0.6, 0.8])
    np.testing.assert_allclose(s.fractional_bias, 2 / 4 * (1 / 3 + 0 + 6 / 12 - 1 / 3))
    assert s.within_two == 0.75
    np.testing.assert_allclose([s.model_hours[0], s.model_hours[6], s.observed_hours[6]], [1.5, 6.5, 3.5])
    assert np.isnan(s.model_hours[12])
    with pytest.raises(NothingToScore, match=r"PM2\.5"):
        score_hours(np.full(3, np.nan), np.ones(3), np.arange(3), "PM2.5")


def test_a_station_of_beijing(shared):
    station = read_station(shared / "data/chemistry/beijing/PRSA_Data_Dongsi_20130301-20170228.csv.gz")
    assert station.name == "Dongsi" and len(station.times) == 35064
    ozone = station.values["O3"]
    assert 0.01 < np.isnan(station.values["PM2.5"]).mean() < 0.05
    scores = score_station(station, {"O3": 1.2 * ozone, "PM2.5": station.values["PM2.5"] + 10.0})
    assert abs(scores["O3"].nmb - 0.2) < 1e-12 and scores["O3"].correlation > 1 - 1e-12
    assert abs(scores["PM2.5"].bias - 10.0) < 1e-9
    assert 13 <= int(np.argmax(scores["O3"].observed_hours)) <= 17  # local time: ozone peaks in the afternoon
    with pytest.raises(CaseError, match="the run has CH4"):
        score_station(station, {"CH4": ozone})


def test_a_station_that_cannot_be_read(tmp_path):
    (tmp_path / "x.csv").write_text("year,month,day,hour,O3\n2013,3,1,0,12\n2013,3,40,0,1\n2013,3,1,1,abc\n")
    with pytest.raises(CaseError, match="line 3, line 4"):
        read_station(tmp_path / "x.csv")
    (tmp_path / "y.csv").write_text("time,O3\n")
    with pytest.raises(CaseError, match="no column year, month, day, hour"):
        read_station(tmp_path / "y.csv")
