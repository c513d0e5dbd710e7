# SPDX-License-Identifier: BSD-3-Clause
"""A start from rest: the monthly water of a climate, soil through which it drains, water tables, reaches."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import torch

from components.land.column.column_state import initial_state
from components.land.column.parameters import parameters
from components.land.column.richards import Bottom, Top, richards_step
from components.land.column.start import rest_depth, wetness_at_rest, with_usual_year
from components.land.column.water_table import bottom_of
from components.land.rivers.advance import Rivers
from components.land.rivers.channels import channels_of
from components.land.rivers.network_file import read_network
from components.science.climate_water import CAPACITY, Climate, balance, climate_of, evaporation_wanted
from components.science.sun import YEAR
from coupler.clock import Clock
from coupler.errors import TesseraError
from coupler.grids.grid import Grid

DATA = Path(__file__).resolve().parents[2] / "data"
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) * 86400.0


def t(*values):
    return torch.tensor(values, dtype=torch.float64)


def months(values):
    return torch.as_tensor(np.asarray(values, float))[:, None]


def test_evaporation_is_hamons_and_stops_in_frost():
    # 13.97 mm d-1 times 4.95 exp(.062 T) / 100, at 12 hours of daylight; half of them give a quarter.
    found = evaporation_wanted(t(293.15, 293.15, 263.15), t(1.0, 0.5, 1.0))
    assert found.tolist() == pytest.approx([2.3896, 0.5974, 0.0], rel=1e-4)


def test_a_year_of_the_balance_returns_to_itself_and_keeps_all_water():
    rain = months([20, 30, 60, 120, 160, 200, 150, 120, 70, 60, 40, 20]) / (30.4 * 86400.0)
    air = months(283.0 + 12.0 * np.sin(2 * np.pi * (np.arange(12) - 3) / 12))
    runoff, filled = balance(rain, air, t(30.0), 0.0)
    assert ((0.0 <= filled) & (filled <= 1.0)).all() and float(runoff.min()) > 0.0
    assert 0.2 < float(runoff.sum() / rain.sum()) < 0.8
    desert = balance(0.02 * rain, air, t(30.0), 0.0)
    assert float(desert[1].max()) < 0.1 and float(desert[0].sum() / (0.02 * rain).sum()) <= 0.051
    turned = balance(rain.roll(-6, 0), air.roll(-6, 0), t(30.0), 0.5 * YEAR)  # a start in July is the same year
    torch.testing.assert_close(turned[0].roll(6, 0), runoff, rtol=1e-6, atol=0.0)
    frozen = balance(rain, torch.full_like(air, 250.0), t(70.0), 0.0)
    assert float(frozen[0].abs().max()) == 0.0  # it snows, and stays


@pytest.mark.parametrize(
    ("kind", "curves", "least"),
    [("free", "campbell", 1e-5), ("table", "campbell", 6e-3), ("free", "van_genuchten", 0.03)],
)
def test_soil_at_rest_drains_what_the_climate_gives_it(kind, curves, least):
    p = parameters(["grassland"] * 4, ["loam", "sandy_loam", "clay_loam", "loam"], curves)
    q = t(1.8e-5, 3e-5, 5e-6, 1e-9)  # kg m-2 s-1: 570, 950, 160, .03 mm a year
    table = t(1.6, 1.4, 4.0, 30.0) if kind == "table" else None
    wetness = wetness_at_rest(p, q, torch.ones_like(q), 0.5, 0.1, table)
    theta = p.texture.wilting + wetness * (p.texture.theta_s - p.texture.wilting)
    dz = p.thickness + 0.0 * theta
    bottom = Bottom("free_drainage", slope=0.1) if table is None else bottom_of(table, p.thickness)
    begun, psi, drained = theta.clone(), p.retention.head(theta), 0.0
    for _ in range(40):
        done = richards_step(p.retention, psi, theta, dz, 10800.0, Top(supply=q / 1000.0), bottom, iterations=8)
        psi, theta, drained = done.psi, done.theta, drained + done.drainage / 40.0
    moved = (theta - begun).abs()
    assert float(moved[:, [0, 2]].max()) < least, moved
    assert float(moved[:, 1].max()) < 0.2, moved  # coarse soil: the fringe is thinner than a layer
    if curves == "campbell" and table is None:
        assert (drained[[0, 2]] * 1000.0 / q[[0, 2]]).tolist() == pytest.approx([1.0, 1.0], rel=1e-3)
    half = wetness_at_rest(p, q, 0.5 * torch.ones_like(q), 0.5, 0.1, table)
    lost = ((wetness - half) * (p.texture.theta_s - p.texture.wilting) * p.thickness).sum(0) * 1000.0
    assert lost[[0, 2]].tolist() == pytest.approx([0.5 * CAPACITY] * 2, rel=1e-6)
    assert (half <= wetness).all() and float(half.min()) >= 0.0
    unknown = wetness_at_rest(p, q * torch.nan, q * torch.nan, 0.3, 0.1, table)
    torch.testing.assert_close(unknown, torch.full_like(unknown, 0.3))


def test_the_water_table_at_rest_gives_the_runoff_as_base_flow():
    runoff, bedrock = t(1.8e-5, 1e-12, 9e-4, torch.nan), t(30.0, 30.0, 30.0, 2.0)
    depth = rest_depth(Climate(runoff, runoff, runoff, runoff, runoff.expand(12, -1)), bedrock, 3.0)
    # 4.5e-4 exp(-2 d) of Niu et al. (2005); none is above the surface, and bedrock is the end
    assert depth.tolist() == pytest.approx([1.6094, 9.9624, 0.0, 2.0], abs=1e-4)


def test_farmers_know_the_warmth_of_the_climate_from_the_start():
    """Rice above 10 C: 20 C all year is 3650 K d; 3 C with a swing of 12 K is too short; elsewhere nothing is known."""
    p = parameters(["rice", "rice", "rice", "grassland", "grassland", "grassland"], ["loam"] * 6, cycles=True)
    year = t(20.0, 3.0, torch.nan) + 273.15 + torch.cos(torch.arange(12.0).double()[:, None] / 1.909859) * t(0, 12, 0)
    one = t(1.0, 1.0, 1.0)
    begun = initial_state(p, 285.0 * one.repeat(2))
    state, said = with_usual_year(begun, p, Climate(one, one, one, one, year), torch.ones(2, 3))
    usual = state.cycles.means.usual
    assert usual[[0, 2, 3, 4, 5]].tolist() == pytest.approx([3650.0, 0.0, 0.0, 0.0, 0.0])
    assert 0.0 < usual[1].item() < 500.0
    assert "too short for a crop in 1 of 3 columns with crops" in said
    nowhere = torch.ones(2, 3).index_fill(1, torch.tensor([1]), 0.0)  # a tile of no area
    assert not with_usual_year(begun, p, Climate(one, one, one, one, year), nowhere)[1]
    farming = p.cycles.farming._replace(sown_on=t(torch.nan, 120.0, torch.nan, torch.nan, torch.nan, torch.nan))
    own = p._replace(cycles=p.cycles._replace(farming=farming))  # a day of sowing of one's own
    assert not with_usual_year(begun, own, Climate(one, one, one, one, year), torch.ones(2, 3))[1]
    assert with_usual_year(begun, p, None, torch.ones(2, 3)) == (begun, "")


def test_the_templates_rivers_start_with_the_season_and_stay(shared, tmp_path):
    """The rain and warmth of BIOME4 put 28.5e3 m3 s-1 past Datong, more in June, less in January."""
    import xarray as xr

    with xr.open_dataset(Path(shared) / "data/land/BIOME4_inputdata.nc", decode_times=False) as data:
        rain, warm = data["prec"].values / (DAYS[:, None, None]), 0.1 * data["temp"].values + 273.15
        y, x = data["lat"].values + 0.25, data["lon"].values + 0.25
    path = tmp_path / "climate.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, values, units in (("lat", y, "degrees_north"), ("lon", x, "degrees_east")):
            data.createDimension(name, values.size)
            data.createVariable(name, "f8", (name,))[:] = values
            data[name].units = units
        data.createDimension("month", 12)
        for name, values, units in (("precipitation_flux", rain, "kg m-2 s-1"), ("air_temperature", warm, "K")):
            field = data.createVariable(name, "f4", ("month", "lat", "lon"), fill_value=-9e9)
            field.units, field.standard_name = units, name
            field[:] = np.where(np.isfinite(values), values, -9e9)
    course = read_network(DATA / "east_asia_rivers.nc")
    network = course.network
    grid = Grid.regular_lonlat("rivers", 85, 159.5, -10, 64.5, resolution=0.25)
    found = {}
    for date in ("2001-01-15", "2001-06-15"):
        here = climate_of(path, Clock(date, "noleap"), grid, network.land)
        for name, values in (("year", here.yearly), (date, here.runoff)):
            whole = np.zeros(network.land.shape)
            whole[network.land] = np.nan_to_num(values.numpy())
            passing = network.accumulate(whole * network.area) / 1000.0
            j, i = network.at(117.6, 30.77)
            found[name] = float(passing[j - 4 : j + 5, i - 4 : i + 5].max())
    print(found)
    assert found["year"] == pytest.approx(28.5e3, rel=0.08)
    assert 7e3 < found["2001-01-15"] < 16e3 and 35e3 < found["2001-06-15"] < 60e3
    reaches, cells = channels_of(network, course.height)
    rivers = Rivers(reaches, np.isin(cells, network.sinks), "kinematic", 0.7, 0.1, np.full(4, np.inf))
    lateral = (whole * network.area / 1000.0).ravel()[cells]
    state = rivers.steady(lateral)
    _, flow = rivers.advance(state, lateral, np.zeros((4, cells.size)), 3600.0)
    into = lateral.copy()
    for level in reaches.levels:
        to = reaches.downstream[level]
        np.add.at(into, to[to >= 0], into[level[to >= 0]])
    large = into > 100.0
    assert np.abs(flow.water[large] / into[large] - 1.0).max() < 1e-3


def test_a_climate_that_is_no_mean_year_is_refused(tmp_path):
    clock, grid = Clock("2001-01-01", "noleap"), Grid.regular_lonlat("g", 100, 104, 30, 34, resolution=2.0)
    path = tmp_path / "one.nc"
    with netCDF4.Dataset(path, "w") as data:
        for name, first, units in (("lat", 29.0, "degrees_north"), ("lon", 99.0, "degrees_east")):
            data.createDimension(name, 8)
            data.createVariable(name, "f8", (name,))[:] = first + np.arange(8.0)
            data[name].units = units
        field = data.createVariable("precipitation_flux", "f4", ("lat", "lon"))
        field.units = "kg m-2 s-1"
        field[:] = 1e-5
    with pytest.raises(TesseraError, match=r"0 records.*twelve months of a mean year"):
        climate_of(path, clock, grid, np.ones(grid.shape, bool))
    with pytest.raises(TesseraError, match="air_temperature"):
        with netCDF4.Dataset(path, "a") as data:
            data.createDimension("month", 12)
            again = data.createVariable("rain", "f4", ("month", "lat", "lon"))
            again.units, again.standard_name = "kg m-2 s-1", "precipitation_flux"
            again[:] = 1e-5
            data.renameVariable("precipitation_flux", "old")
        climate_of(path, clock, grid, np.ones(grid.shape, bool))
