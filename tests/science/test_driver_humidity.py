# SPDX-License-Identifier: BSD-3-Clause
"""Humidity of driving states: never much above saturation, stratospheric where the data have none.

NCEP's June climatology has humidity up to 300 hPa alone; carried on to 100 hPa, as it once was, its .9 g/kg is some 175
times what air there can hold.
"""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.driving import humidity, pressure_levels
from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles
from components.science import water

DRIVERS = {
    "ERA5": ("era5_tl31_19590102T00.nc",),
    "ERA-Interim": tuple(f"era_interim_20050123/2005-01-23-0000-{x}.nc" for x in "uvt"),
    "NCEP": ("NCEP_06_climo.nc",),
}
LON, LAT = np.meshgrid(np.arange(72.0, 160.0, 4.0), np.arange(-6.0, 64.0, 4.0))
HEIGHT = (np.linspace(0.02, 1.0, 40) ** 1.5 * 25000.0)[:, None, None] + 0.0 * LON


@pytest.fixture(params=sorted(DRIVERS))
def columns(request, shared):
    folder = shared / "data" / "atmosphere"
    files = AnalysisFiles([folder / name for name in DRIVERS[request.param]])
    other = AnalysisFiles([folder / DRIVERS["ERA5"][0]], ()) if request.param == "ERA-Interim" else None
    return pressure_levels.to_columns(pressure_levels.state(files, 0, other), LON, LAT, HEIGHT)


def ratio(q, t, p):
    """Vapour pressure over that of saturation over water, ice below -23 degC, and the mixture."""
    return water.vapour_pressure(q, p) / water.saturation_pressure_mixed(t)


def test_no_air_holds_more_than_it_can(columns):
    assert ratio(columns["q"], columns["t"], columns["p"]).max() <= 1.05


def test_the_stratosphere_is_as_dry_as_observed(columns):
    aloft = columns["q"][columns["p"] < 7.0e3]
    assert aloft.size > 1000
    assert 1.5e-6 < np.median(aloft) < 4.0e-6
    assert aloft.max() <= humidity.MOST


def test_ncep_falls_from_its_last_level_to_the_stratosphere(shared):
    data = pressure_levels.state(AnalysisFiles([shared / "data" / "atmosphere" / DRIVERS["NCEP"][0]]), 0)
    assert any("known up to 300 hPa" in note for note in data.notes)
    q, p = data.fields["q"], data.p
    held = q[np.argmin(abs(p - 3.0e4))]
    between = q[np.argmin(abs(p - 2.0e4))]
    moist = held > humidity.STRATOSPHERE
    assert moist.mean() > 0.9
    assert (between <= held)[moist].all() and between.max() < 0.3 * held.max()
    np.testing.assert_allclose(q[p <= 1.0e4].max(), humidity.STRATOSPHERE, rtol=1e-12)


@pytest.mark.parametrize("hemisphere", [1.0, -1.0])
def test_humidity_that_is_taken_from_era5_comes_back(shared, hemisphere):
    """What ERA5 has between 300 and 110 hPa, from its humidity below and its temperature; one rule for all latitudes.

    A relative humidity that falls linearly with pressure gives RMS .69 of ln q, in the tropics .87 (bias -.72).
    """
    data = pressure_levels.state(AnalysisFiles([shared / "data" / "atmosphere" / DRIVERS["ERA5"][0]]), 0)
    q, t, p, lat = data.fields["q"], data.fields["t"], data.p, data.lat
    made = humidity.dried_aloft(q, t, p, 3.0e4)
    aloft, north = (p < 2.9e4) & (p > 1.1e4), np.asarray(lat) * hemisphere
    for name, where, most in (("tropics", (north > 0.0) & (north < 15.0), 0.45), ("all", north > 0.0, 0.4)):
        miss = np.log(made[aloft][:, where] / q[aloft][:, where])
        print(f"RESULT {hemisphere:+.0f} {name} RMS {np.sqrt((miss**2).mean()):.2f} bias {miss.mean():+.2f}")
        assert np.sqrt((miss**2).mean()) < most
        assert abs(miss.mean()) < 0.2


def test_aloft_the_tropics_are_moist_up_to_their_tropopause():
    """Where the air is as cold as over the warm pool; ERA5 has .70 and .75 there at 200 and 150 hPa."""
    p = np.array([5e4, 3e4, 2.5e4, 2e4, 1.5e4, 1e4, 1e3])
    t = np.array([268.0, 243.0, 233.0, 220.0, 206.0, 194.0, 220.0])
    most = humidity.saturation(t, p)
    made = humidity.dried_aloft(0.5 * most, t, p, 3.0e4)
    assert ((made / most)[2:5] > 0.5).all() and ((made / most)[2:5] <= humidity.MOIST_ALOFT).all()
    moist = humidity.dried_aloft(0.9 * most, t, p, 3.0e4)
    assert (moist[2:] <= np.maximum(0.9 * most, humidity.STRATOSPHERE)[2:] * (1.0 + 1e-12)).all()
    assert (np.diff(made) <= 0.0).all()
    np.testing.assert_array_equal(made[5:], humidity.STRATOSPHERE)


def test_the_extratropical_tropopause_is_found_and_the_air_above_it_dry():
    p = np.array([1e5, 5e4, 4e4, 3e4, 2.5e4, 2e4, 1.5e4, 1e4, 1e3])
    t = np.array([280.0, 250.0, 239.0, 225.0, 219.0, 219.0, 219.0, 218.0, 220.0])
    assert humidity.tropopause(t, p) == 2.5e4
    made = humidity.dried_aloft(0.5 * humidity.saturation(t, p), t, p, 3.0e4)
    np.testing.assert_array_equal(made[6:], humidity.STRATOSPHERE)
    assert made[4] > 5.0 * humidity.STRATOSPHERE


def test_a_profile_without_data_aloft_is_at_most_a_power_of_the_pressure():
    p = np.array([1e5, 5e4, 3e4, 2e4, 1e4, 1e3])
    q = np.array([1e-2, 3e-3, 9e-4, 9e-4, 9e-4, 9e-4])
    t = np.array([300.0, 278.0, 262.0, 250.0, 238.0, 243.0])  # as warm as it seldom is: it could hold more
    made = humidity.dried_aloft(q, t, p, 3.0e4)
    slope = np.log(made[3] / made[2]) / np.log(p[3] / p[2])
    np.testing.assert_array_equal(made[:3], q[:3])
    np.testing.assert_allclose(np.log(made[4] / made[3]) / np.log(p[4] / p[3]), slope, rtol=1e-12)
    np.testing.assert_array_equal(made[4:], humidity.STRATOSPHERE)
    np.testing.assert_array_equal(
        humidity.dried_aloft(q, t, p, 1e3), np.where(p < humidity.TROPOPAUSE, humidity.MOST, q)
    )
