# SPDX-License-Identifier: BSD-3-Clause
"""The inputs of the East Asia case: complete, plausible, CF, and consistent with the data they come from."""

import gzip
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from components.atmosphere.air_sea.surface_fluxes import ALBEDO, EMISSIVITY
from components.science.constants import STEFAN_BOLTZMANN

FILES = ("east_asia_atmosphere.nc", "east_asia_ocean.nc", "east_asia_land.nc")


@pytest.fixture(scope="module")
def atmosphere(root):
    with xr.open_dataset(root / "data" / FILES[0]) as data:
        yield data.load()


@pytest.fixture(scope="module")
def ocean(root):
    with xr.open_dataset(root / "data" / FILES[1]) as data:
        yield data.load()


@pytest.fixture(scope="module")
def esbensen_kushnir(shared):
    raw = gzip.open(shared / "data" / "ocean" / "esku_heat_budget.cdf.gz").read()
    return xr.open_dataset(io.BytesIO(raw), engine="scipy", decode_times=False)


def test_no_gap_in_the_atmosphere(atmosphere):
    assert float(atmosphere.longitude_bounds.min()) <= 70 and float(atmosphere.longitude_bounds.max()) >= 160
    assert float(atmosphere.latitude_bounds.min()) <= -10 and float(atmosphere.latitude_bounds.max()) >= 65
    for name in atmosphere.data_vars:
        if atmosphere[name].dtype.kind == "f":
            assert np.isfinite(atmosphere[name]).all(), name


def test_speed_is_at_least_that_of_the_mean_wind(atmosphere):
    mean = np.hypot(atmosphere.eastward_wind, atmosphere.northward_wind)
    assert (atmosphere.wind_speed >= mean * (1 - 1e-6)).all()


def test_every_wet_cell_has_a_temperature_and_a_mixed_layer(ocean):
    wet = ocean.sea_binary_mask.values == 1
    assert wet.shape == (150, 180) and 0.45 < wet.mean() < 0.55
    for name in ("sea_surface_temperature", "ocean_mixed_layer_thickness", "sea_floor_depth_below_geoid"):
        values = ocean[name].values
        assert np.isfinite(values[..., wet]).all(), name
        assert np.isnan(values[..., ~wet]).all(), name
    assert (ocean.ocean_mixed_layer_thickness <= ocean.sea_floor_depth_below_geoid * (1 + 1e-6)).where(wet).all()
    # Inland depressions (Turpan, 42.7N 89.2E, below sea level) are no sea; the Yellow Sea is.
    assert ocean.sea_binary_mask.sel(longitude=89.25, latitude=42.75) == 0
    assert ocean.sea_binary_mask.sel(longitude=123.25, latitude=35.25) == 1


def test_flux_law_returns_the_net_radiation_it_came_from(atmosphere, esbensen_kushnir):
    """FSR and FUL from the downward fluxes at Esbensen and Kushnir's own temperature, on the cells both have.

    Their nodes fall between ours: interpolation, and clipping to the clear sky, leave a few W m-2.
    """
    theirs = esbensen_kushnir.sel(ESKUX=slice(125, 160), ESKUY=slice(-8, 50))
    at = {"longitude": theirs.ESKUX, "latitude": theirs.ESKUY}
    shortwave = atmosphere.surface_downwelling_shortwave_flux_in_air.interp(at).values * (1 - ALBEDO)
    longwave = atmosphere.surface_downwelling_longwave_flux_in_air.interp(at).values
    emitted = STEFAN_BOLTZMANN * (theirs.SST.values + 273.15) ** 4
    for ours, their in ((shortwave, theirs.FSR.values), (EMISSIVITY * (emitted - longwave), theirs.FUL.values)):
        difference = (ours - their)[np.isfinite(their)]
        assert difference.size > 600
        print(f"mean {difference.mean():.2f}, rms {np.sqrt((difference**2).mean()):.2f} W m-2")
        assert abs(difference.mean()) < 2.0
        assert np.sqrt((difference**2).mean()) < 10.0


def test_temperature_of_land_against_an_independent_climatology(atmosphere, shared):
    stations = xr.open_dataset(shared / "data" / "land" / "BIOME4_inputdata.nc", decode_times=False)
    stations = stations.sortby("lat").sel(lon=slice(70, 160), lat=slice(-10, 65))
    observed = stations.temp.where(stations.temp > -9000).astype(float) / 10.0 + 273.15
    ours = atmosphere.air_temperature.interp(longitude=stations.lon, latitude=stations.lat)
    weight = np.cos(np.deg2rad(stations.lat)) * xr.ones_like(stations.lon)
    for month, bias, spread in ((0, 1.0, 9.0), (6, 1.0, 4.5)):
        difference = (ours[month].values - observed[month]).weighted(weight)
        error = ours[month].values - observed[month]
        mean = float(difference.mean())
        rms = float(np.sqrt((error**2).weighted(weight).mean()))
        print(f"month {month + 1}: bias {mean:.2f} K, rms {rms:.2f} K")
        assert abs(mean) < bias and rms < spread


@pytest.mark.parametrize("name", FILES)
def test_cf(root, name):
    """No error or warning of the IOOS compliance checker for CF-1.11."""
    pytest.importorskip("compliance_checker")
    checker = Path(sys.executable).with_name("compliance-checker")
    result = subprocess.run(
        [checker, "--test=cf:1.11", root / "data" / name], capture_output=True, text=True, check=False
    )
    assert "All tests passed!" in result.stdout, result.stdout


def test_script_makes_these_files(root, shared, tmp_path):
    """The committed files are what the script makes (values, to float32 rounding)."""
    command = [sys.executable, root / "data" / "make_inputs.py", "--datasets", shared / "data", "--output", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    for name in FILES:
        with xr.open_dataset(root / "data" / name) as old, xr.open_dataset(tmp_path / name) as new:
            for field in old.data_vars:
                if old[field].dtype.kind == "f":
                    np.testing.assert_allclose(new[field], old[field], rtol=1e-5, atol=1e-4, err_msg=field)
