# SPDX-License-Identifier: BSD-3-Clause
"""Figures: files appear, numbers in them are right, and errors name what there is."""

import csv

import netCDF4
import numpy as np
import pytest

from coupler.analysis.figures import coastline, draw_budget, draw_maps, plot, shared_scale
from coupler.analysis.records import read, shown_unit
from coupler.errors import CaseError

NX, NY = 45, 38


def history(folder, *, component="ocean", stream="mean_P1D", units="K", bounds=True, name="sea_surface_temperature"):
    """A history file as the run writes them: a warm pool that cools by 0.1 K a day, land masked."""
    path = folder / "run" / "history" / f"{component}.{stream}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    lon, lat = 71.0 + 2.0 * np.arange(NX), -9.0 + 2.0 * np.arange(NY)
    with netCDF4.Dataset(path, "w", format="NETCDF4_CLASSIC") as file:
        for dim, size in (("time", None), ("lon", NX), ("lat", NY), ("bounds2", 2)):
            file.createDimension(dim, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = "seconds since 2001-01-01 00:00:00", "noleap"
        if bounds:
            time.bounds = "time_bounds"
            edges = file.createVariable("time_bounds", "f8", ("time", "bounds2"))
        file.createVariable("lon", "f8", ("lon",))[:] = lon
        file.createVariable("lat", "f8", ("lat",))[:] = lat
        field = file.createVariable(name, "f8", ("time", "lat", "lon"), fill_value=9.96921e36)
        field.units, field.long_name = units, name.replace("_", " ")
        x, y = np.meshgrid(lon, lat)
        base = 302.0 - 0.006 * (y - 5.0) ** 2 + 0.01 * x
        for day in range(5):
            time[day] = (day + 1) * 86400.0
            if bounds:
                edges[day] = day * 86400.0, (day + 1) * 86400.0
            field[day] = np.ma.masked_where(x < 100.0, base - 0.1 * day)
    return path, base, x, y


def test_record_is_in_celsius_with_intervals_and_area_weights(tmp_path):
    path, base, x, y = history(tmp_path)
    record = read(path, "sea_surface_temperature")
    assert record.unit == "°C" and record.when(0) == "mean of 2001-01-01 to 2001-01-02"
    sea = x >= 100.0
    weights = np.cos(np.deg2rad(y))
    expected = ((base - 273.15) * weights)[sea].sum() / weights[sea].sum()
    assert record.mean(0) == pytest.approx(expected, rel=1e-12)
    assert record.mean(4) - record.mean(0) == pytest.approx(-0.4, abs=1e-9)
    assert np.isnan(record.values[0][~sea]).all()


def test_plot_draws_maps_and_series_and_names_the_files(tmp_path):
    history(tmp_path)
    history(tmp_path, component="land", name="water_evapotranspiration_flux", units="kg m-2 s-1", bounds=False)
    made = plot(tmp_path, "sea_surface_temperature")
    assert [p.name for p in made] == [
        "ocean.mean_P1D.sea_surface_temperature.map.png",
        "ocean.mean_P1D.sea_surface_temperature.series.png",
    ]
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 20_000 for p in made)
    assert len(plot(tmp_path)) == 4


def test_plot_says_what_there_is(tmp_path):
    with pytest.raises(CaseError, match="has no output"):
        plot(tmp_path, "sea_surface_temperature")
    history(tmp_path)
    with pytest.raises(CaseError, match="did you mean 'sea_surface_temperature'"):
        plot(tmp_path, "sea_surface_temprature")


def test_coastline_is_where_the_coast_is():
    lines = coastline(128.0, 142.0, 30.0, 42.0)
    assert len(lines) > 5
    points = np.concatenate(lines)
    # The southern tip of Honshu (33.43 N, 135.76 E) is on a line; the middle of the Japan Sea is not.
    near = np.hypot(points[:, 0] - 135.76, points[:, 1] - 33.43).min()
    far = np.hypot(points[:, 0] - 134.5, points[:, 1] - 40.0).min()
    assert near < 0.05 < 1.0 < far


def test_colour_limits_are_round_and_symmetric_about_zero():
    _, norm, extend = shared_scale(np.linspace(-3.0, 7.0, 100), about_zero=True)
    assert norm.vmin == -norm.vmax and norm.vmax >= 7.0 and extend == "neither"
    values = np.append(np.linspace(0.0, 1.0, 1000), [500.0])
    _, norm, extend = shared_scale(values, about_zero=False)
    assert norm.vmax < 2.0 and extend == "max"
    _, norm, _ = shared_scale(np.full(10, 3.0), about_zero=False)
    assert norm.vmin < 3.0 < norm.vmax


def test_stress_stays_in_pascal_and_pressure_goes_to_hectopascal(tmp_path):
    path, *_ = history(tmp_path, name="surface_downward_eastward_stress", units="Pa")
    assert read(path, "surface_downward_eastward_stress").unit == "Pa"
    path, base, *_ = history(tmp_path, name="surface_air_pressure", units="Pa")
    record = read(path, "surface_air_pressure")
    assert record.unit == "hPa" and np.nanmax(record.values[0]) <= base.max() * 0.01


def test_carbon_dioxide_is_shown_in_parts_per_million():
    assert shown_unit("mole_fraction_of_carbon_dioxide_in_air", "1") == ("ppm", 1e6, 0.0)
    assert shown_unit("mole_fraction_of_carbon_dioxide_in_air_standard_error", "1")[0] == "ppm"
    assert shown_unit("relative_humidity", "1") == ("1", 1.0, 0.0)


def budget(folder):
    path = folder / "budget.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["day_start", "rule", "to", "flux", "unit", "sent", "received", "worst_relative_residual"])
        for day in range(1, 31):
            for flux, unit, size in (
                ("surface_downward_latent_heat_flux", "J", -1e20),
                ("precipitation_flux", "kg", 3e14),
            ):
                value = size * (1 + 0.1 * np.sin(day / 4))
                writer.writerow([f"2001-02-{day:02d}", "rule", "ocean", flux, unit, value, value, "3.1e-16"])
    return path


def test_budget_figure(tmp_path):
    (figure,) = draw_budget(budget(tmp_path), tmp_path / "budget.png")
    assert figure.stat().st_size > 20_000
    (tmp_path / "empty.csv").write_text("day_start,rule,to,flux,unit,sent,received,worst_relative_residual\n")
    assert draw_budget(tmp_path / "empty.csv", tmp_path / "none.png") == []


def test_one_record_makes_one_map(tmp_path):
    path, *_ = history(tmp_path)
    record = read(path, "sea_surface_temperature")
    import dataclasses

    one = dataclasses.replace(record, values=record.values[:1], times=record.times[:1], intervals=record.intervals[:1])
    assert draw_maps(one, tmp_path / "one.png").is_file()
