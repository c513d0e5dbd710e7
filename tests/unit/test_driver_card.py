# SPDX-License-Identifier: BSD-3-Clause
"""A run beside its raw driver: levels, the lowest one above the ground, periods, and a card of known numbers."""

import csv
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import cftime
import netCDF4
import numpy as np
import pytest

from coupler.analysis.added_value import driver_of
from coupler.analysis.comparison import make_cards
from coupler.analysis.observations import find
from coupler.analysis.score_card import make_score_card
from coupler.errors import CaseError
from coupler.grids.grid import Grid
from coupler.units import STANDARD_GRAVITY

LEVELS = np.array([500.0, 700.0, 925.0, 1000.0])
FINE, COARSE = 1.0, 4.0
WEST, EAST, SOUTH, NORTH = 120.0, 152.0, 12.0, 44.0


def cells(spacing):
    lon = np.arange(WEST + spacing / 2, EAST, spacing)
    lat = np.arange(SOUTH + spacing / 2, NORTH, spacing)
    return lon, lat


def coarse(values):
    """Means of blocks, as a driver of wide cells knows a field."""
    n = int(COARSE / FINE)
    ny, nx = (s // n for s in values.shape[-2:])
    return values.reshape(*values.shape[:-2], ny, n, nx, n).mean(axis=(-3, -1))


def fine(values):
    n = int(COARSE / FINE)
    return values.repeat(n, axis=-2).repeat(n, axis=-1)


def truth():
    lon, lat = np.meshgrid(*cells(FINE))
    wave = 4.0 * np.sin(2 * np.pi * lon / 3.0) * np.cos(2 * np.pi * lat / 5.0)  # too short for the driver
    return 101000.0 + 30.0 * lat + 100.0 * wave, 290.0 - 0.5 * lat + wave, wave + 5.0


def netcdf(path, spacing, fields, *, levels=None, dates=(), climatology=False):
    """Fields by name: (dimensions, unit, standard name, values)."""
    lon, lat = cells(spacing)
    with netCDF4.Dataset(path, "w") as f:
        for name, values, units in (("lat", lat, "degrees_north"), ("lon", lon, "degrees_east")):
            f.createDimension(name, values.size)
            v = f.createVariable(name, "f8", (name,))
            v.units = units
            v[:] = values
        if levels is not None:
            f.createDimension("lev", levels.size)
            v = f.createVariable("lev", "f8", ("lev",))
            v.units, v.long_name = "millibars", "pressure levels"
            v[:] = levels
        f.createDimension("time", len(dates) or 1)
        v = f.createVariable("time", "f8", ("time",))
        v.units = "days since 2001-01-01" if dates else "some day"
        if dates:
            v.calendar = dates[0].calendar
            v[:] = cftime.date2num(list(dates), v.units, v.calendar)
        for name, (units, standard, values) in fields.items():
            dims = ("time", "lev", "lat", "lon") if np.ndim(values) == 4 else ("time", "lat", "lon")
            v = f.createVariable(name, "f8", dims)
            v.units = units
            if standard:
                v.standard_name = standard
            v[:] = values
    return path


def plan(folder, fields, dates, **options):
    """A case with one finished output of an atmosphere."""
    path = folder / "run" / "history" / "air.all.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    netcdf(path, FINE, {n: (u, "", values) for n, (u, values) in fields.items()}, dates=dates)
    grid = Grid.regular_lonlat("fine", WEST, EAST, SOUTH, NORTH, resolution=FINE)
    component = SimpleNamespace(
        name="air",
        streams=[SimpleNamespace(name="all", statistic="instant", fields=tuple(fields))],
        grids={"default": grid},
        exported=lambda name: None,
        imported=lambda name: None,
        options=SimpleNamespace(**options),
        setting=SimpleNamespace(files=lambda names: [Path(n) for n in names]),
    )
    return SimpleNamespace(folder=folder, components=[component])


def some_days(n=4, calendar="noleap", month=6):
    return [cftime.datetime(2001, month, 10, calendar=calendar) + timedelta(days=k) for k in range(n)]


@pytest.fixture
def analyses(tmp_path):
    """Raw analyses of one state without a date, with CAM's names, a mountain and levels that are not the run's."""
    pressure, warm, wind = truth()
    logp = np.log(LEVELS)[:, None, None]
    height = 5500.0 - 1000.0 * (logp - np.log(500.0))
    ground = np.full(coarse(pressure).shape, 1010.0)
    ground[0, 0] = 800.0

    def flat(field):
        return coarse(field)[None]

    fields = {
        "U": ("m/s", "", (coarse(wind) + 2.0 * logp)[None]),
        "V": ("m/s", "", np.broadcast_to(logp, (4, *ground.shape))[None]),
        "T": ("K", "", (coarse(warm) + 7.0 * logp)[None]),
        "Z3": ("m2 s-2", "", STANDARD_GRAVITY * np.broadcast_to(height, (4, *ground.shape))[None]),
        "PSL": ("millibars", "", flat(pressure) / 100.0),
        "PS": ("millibars", "", ground[None]),
    }  # fmt: skip
    return netcdf(tmp_path / "analyses.nc", COARSE, fields, levels=LEVELS)


def test_levels_are_interpolated_and_the_lowest_stands_above_the_ground(analyses):
    found = find([analyses], ["eastward_wind_at_850hPa", "air_temperature_at_2m", "geopotential_height_at_500hPa",
                              "northward_wind_at_200hPa", "precipitation_flux"])  # fmt: skip
    assert sorted(found) == ["air_temperature_at_2m", "eastward_wind_at_850hPa", "geopotential_height_at_500hPa"]
    _, warm, wind = (coarse(f) for f in truth())
    np.testing.assert_allclose(
        found["eastward_wind_at_850hPa"].month(2001, 6), wind + 2.0 * np.log(850.0), rtol=1e-12
    )  # linear in ln p, and so exact
    lowest = found["air_temperature_at_2m"].month(1999, 1)
    np.testing.assert_allclose(
        lowest[0, 0], warm[0, 0] + 7.0 * np.log(700.0), err_msg="925 and 1000 hPa lie below the ground"
    )
    np.testing.assert_allclose(lowest[1:], warm[1:] + 7.0 * np.log(1000.0))
    np.testing.assert_allclose(found["geopotential_height_at_500hPa"].month(2001, 6), 5500.0)
    assert "above the ground" in found["air_temperature_at_2m"].held.says


def test_the_card_of_a_run_whose_driver_is_its_blocks(tmp_path, analyses):
    """The run is the truth 20 Pa too high; its driver knows the means of 4 degrees: what it lacks is its error."""
    pressure, _, wind = truth()
    dates = some_days()
    many = [np.stack([x] * 4) for x in (pressure + 20.0, wind, 0.0 * wind + np.log(850.0))]
    names = ["air_pressure_at_mean_sea_level", "eastward_wind_at_850hPa", "northward_wind_at_850hPa"]
    fields = dict(zip(names, zip(("Pa", "m s-1", "m s-1"), many, strict=True), strict=True))
    case = plan(tmp_path / "case", fields, dates, driver=[str(analyses)])
    seen = netcdf(tmp_path / "seen.nc", FINE, {"slp": ("Pa", names[0], pressure[None])}, dates=some_days(1))
    regions = tmp_path / "regions.yaml"
    regions.write_text("South: {west: 120, east: 152, south: 12, north: 20}\n")
    assert driver_of(case) == [analyses]
    made = {p.name: p for p in make_score_card(case, [seen], regions, driver_of(case))}
    assert sorted(made) == ["added_value.csv", "added_value.html", "added_value_spectra.csv", "score.csv", "score.html"]
    rows = {(r["field"], r["region"]): r for r in csv.DictReader(made["added_value.csv"].open())}
    whole = rows[names[0], "whole region"]
    lat = np.meshgrid(*cells(FINE))[1]
    area = np.sin(np.deg2rad(lat + 0.5)) - np.sin(np.deg2rad(lat - 0.5))
    area /= area.sum()
    # conservative means of four rows weigh their areas; the blocks here do not, which is under a per cent
    wanted = np.sqrt((area * (fine(coarse(pressure)) - pressure) ** 2).sum()) / 100.0
    assert float(whole["model_rmse"]) == pytest.approx(0.2, rel=1e-9)
    assert float(whole["driver_rmse"]) == pytest.approx(wanted, rel=1e-6)
    assert float(whole["added_value"]) == pytest.approx(1.0 - (0.2 / wanted) ** 2, rel=1e-6)
    assert (names[0], "South") in rows and len(rows) == 2, "winds have no observation but the driver"
    page = made["added_value.html"].read_text()
    assert "without observations" in page and "kinetic energy of the wind at 850 hPa" in page
    assert "no fields" not in page and page.count("data:image/png") == 1


def test_spectra_stand_on_one_domain_and_the_driver_lacks_what_its_cells_cannot_hold(tmp_path):
    from coupler.analysis.driver_spectra import curves_of

    _, _, wind = truth()
    names = ["eastward_wind_at_850hPa", "northward_wind_at_850hPa"]
    wide, dates = cells(COARSE), some_days()
    inside = np.s_[6:-6, 6:-6]  # within the driver's centres
    run = np.stack([wind] * 4)
    folder = tmp_path / "case"
    (folder / "run" / "history").mkdir(parents=True)
    lon, lat = (a[inside] for a in np.meshgrid(*cells(FINE)))
    with netCDF4.Dataset(folder / "run/history/air.all.nc", "w") as f:
        f.createDimension("time", 4), f.createDimension("y", lon.shape[0]), f.createDimension("x", lon.shape[1])
        t = f.createVariable("time", "f8", ("time",))
        t.units, t.calendar = "days since 2001-06-10", "noleap"
        t[:] = np.arange(4.0)
        for name, a in (("lon", lon), ("lat", lat)):
            f.createVariable(name, "f8", ("y", "x"))[:] = a
        for name in names:
            v = f.createVariable(name, "f8", ("time", "y", "x"))
            v.units = "m s-1"
            v[:] = run[(slice(None), *inside)]
    field = coarse(wind)[None, None] + np.zeros((4, 1, 1, 1))
    fields = {n: ("m/s", f"{n}ward_wind", field) for n in ("east", "north")}
    driver = netcdf(tmp_path / "d.nc", COARSE, fields, levels=np.array([850.0]), dates=dates)
    (curves,), reasons = curves_of(SimpleNamespace(folder=folder), [driver])
    assert not reasons and curves.lines.keys() == {"run, each time", "run, mean over the time", "driver, each time"}
    mine, theirs = curves.lines["run, each time"], curves.lines["driver, each time"]
    np.testing.assert_allclose(mine.variance.sum(), run[(0, *inside)].var(), rtol=1e-12)
    np.testing.assert_array_equal(mine.wavelength, theirs.wavelength)
    np.testing.assert_allclose(curves.cells, 2 * COARSE * 111.2e3 * np.sqrt(np.cos(np.deg2rad(28.0))), rtol=0.03)
    assert theirs.below(curves.cells) < 0.2 * mine.below(curves.cells)
    assert wide[0].size == field.shape[-1]


@pytest.mark.parametrize("calendar", ["standard", "noleap", "360_day"])
def test_of_a_reanalysis_the_times_of_the_run_count(tmp_path, calendar):
    days = [cftime.datetime(2001, 6, 1, 12, calendar=calendar) + timedelta(days=k) for k in range(30)]
    shape = truth()[0].shape
    daily = np.stack([np.full(shape, 1.0 * d.day) for d in days])
    seen = netcdf(tmp_path / "seen.nc", FINE, {"t": ("degC", "air_temperature", daily)}, dates=days)
    mine = np.zeros((4, *shape)) + 300.0 + np.arange(shape[1])
    (card,), _ = make_cards(plan(tmp_path / "c", {"air_temperature_at_2m": ("K", mine)}, some_days()), [seen], [])
    assert card.mean.scores["whole region"].observed == pytest.approx(11.0), "noon of the 10th, 11th and 12th"
    assert card.mean.seen == "2001-06-10 to 2001-06-12, n = 3 times"
    with pytest.raises(CaseError, match=r"run has 2001-07-10 to 2001-07-13, seen\.nc 2001-06-01 to 2001-06-30"):
        make_cards(plan(tmp_path / "d", {"air_temperature_at_2m": ("K", mine)}, some_days(month=7)), [seen], [])


def test_all_that_is_wrong_with_files_and_fields_is_told_at_once(tmp_path):
    shape = truth()[0].shape
    one = np.ones((1, *shape))
    wrong = netcdf(tmp_path / "wrong.nc", FINE, {"t": ("m", "air_temperature", one)}, dates=some_days(1))
    worse = netcdf(tmp_path / "worse.nc", FINE, {"p": ("K", "air_pressure_at_mean_sea_level", one)}, dates=some_days(1))
    fields = {"air_temperature": ("K", one), "air_pressure_at_mean_sea_level": ("Pa", one)}
    case = plan(tmp_path / "c", fields, some_days(1))
    with pytest.raises(CaseError, match=r"(?s)wrong.nc: t \(air_temperature\).*worse.nc: p"):
        make_cards(case, [wrong, worse], [])
    empty = netcdf(tmp_path / "empty.nc", FINE, {
        "t": ("K", "air_temperature", np.full_like(one, np.nan)), "p": ("Pa", "air_pressure_at_mean_sea_level", one),
    }, dates=some_days(1))  # fmt: skip
    cards, reasons = make_cards(case, [empty], [])
    assert [c.record.name for c in cards] == ["air_pressure_at_mean_sea_level"]
    assert reasons == ["air, air_temperature: empty.nc: t has no value at all"]
    assert "constant" in cards[0].mean.scores["whole region"].note
    nothing = plan(tmp_path / "n", {"air_temperature": ("K", np.full_like(one, np.nan))}, some_days(1))
    with pytest.raises(CaseError, match=r"air, air_temperature: the run has no value at all in air\.all\.nc"):
        make_cards(nothing, [empty], [])
    with pytest.raises(CaseError, match="driver of its own"):
        driver_of(case)


def test_the_june_of_ncep_is_a_driver_that_a_card_can_read(shared):
    files = [shared / "data" / "atmosphere" / "NCEP_06_climo.nc"]
    found = find(files, ["geopotential_height_at_500hPa", "eastward_wind_at_850hPa", "air_temperature_at_2m",
                         "air_pressure_at_mean_sea_level", "toa_outgoing_longwave_flux", "sea_surface_temperature",
                         "surface_downward_sensible_heat_flux", "precipitation_flux"])  # fmt: skip
    assert "precipitation_flux" not in found and len(found) == 7
    mean = {n: float(np.nanmean(o.month(2001, 6))) for n, o in found.items()}
    assert 5500.0 < mean["geopotential_height_at_500hPa"] < 5600.0
    assert 220.0 < mean["toa_outgoing_longwave_flux"] < 230.0
    assert mean["surface_downward_sensible_heat_flux"] < 0.0, "the file counts it upward"
    assert found["sea_surface_temperature"].of_the_sea() and not found["air_temperature_at_2m"].of_the_sea()


def test_rain_by_days_and_hours_of_run_and_reanalysis(tmp_path):
    """Rain of three-hourly records: 8 mm on even days, .4 on odd ones, strongest at 18 h of the sun; observed: 4 mm."""
    from coupler.analysis.rain_card import rain_of, rows_of, section
    from coupler.analysis.scores import WHOLE, Box

    lon = np.meshgrid(*cells(COARSE))[0]
    when = [cftime.datetime(2001, 6, 10, 1, 30, calendar="noleap") + timedelta(hours=3 * k) for k in range(80)]
    local = np.array([d.hour + 0.5 for d in when])[:, None, None] + lon / 15.0
    amount = np.array([8.0 if d.day % 2 == 0 else 0.4 for d in when])[:, None, None]
    rain = amount * (1.0 + 0.5 * np.cos(2 * np.pi * (local - 18.0) / 24.0)) / 86400.0
    history = tmp_path / "run" / "history"
    history.mkdir(parents=True)
    netcdf(history / "air.rain.nc", COARSE, {"precipitation_flux": ("kg m-2 s-1", "", rain)}, dates=when)
    noon = [cftime.datetime(2001, 6, d, 12, calendar="standard") for d in range(1, 31)]
    four = np.full((30, *lon.shape), 4.0)
    seen = netcdf(tmp_path / "seen.nc", COARSE, {"pr": ("mm/day", "precipitation_flux", four)}, dates=noon)
    observed = find([seen], ["precipitation_flux"])["precipitation_flux"]
    made, reasons = rain_of(history, observed)
    assert not reasons and [d.who for d in made] == ["run", "seen.nc"]
    rows = {
        (r["source"], r["quantity"], r["region"], r["month"]): r
        for r in rows_of(made, [Box("South", 120, 152, 12, 20)])
    }
    mine = {
        q: rows["run", q, "South", "all"]["value"]
        for q in ("mean", "wet days", "95th percentile of days", "diurnal peak")
    }
    assert mine["mean"] == pytest.approx(4.2) and mine["wet days"] == pytest.approx(50.0)
    assert mine["95th percentile of days"] == pytest.approx(8.0)
    assert mine["diurnal peak"] == pytest.approx(18.0, abs=1e-6)
    theirs = rows["seen.nc", "wet days", WHOLE, 6]
    assert theirs["value"] == pytest.approx(100.0) and theirs["days"] == 10, "of the run's ten days"
    text = "".join(section(made, reasons, []))
    assert "n = 10 days (run), 10 days (seen.nc)" in text and "diurnal peak needs" in text
    climate = netcdf(tmp_path / "climate.nc", COARSE, {"pr": ("mm/day", "precipitation_flux", four[:1])})
    _, reasons = rain_of(history, find([climate], ["precipitation_flux"])["precipitation_flux"])
    assert reasons == ["climate.nc has means by month alone: no wet days and percentiles of it"]
