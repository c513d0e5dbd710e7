# SPDX-License-Identifier: BSD-3-Clause
"""A single column of the land: the weather arrives as it was measured, mistakes are told, the file can be read."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from components.land.column.single.__main__ import main
from components.land.column.single.parameters import CASES, read_case
from components.land.column.single.run import build, run
from components.land.column.single.weather import fields_of
from coupler.errors import CaseError, NamelistError
from coupler.paths import NAMELISTS

FOLDER = NAMELISTS / CASES
HEAD = (
    "time,air_temperature (degC),relative_humidity [%],surface_air_pressure (hPa),wind_speed (m s-1),"
    "surface_downwelling_shortwave_flux_in_air (W m-2),surface_downwelling_longwave_flux_in_air (W m-2),"
    "precipitation_flux (mm h-1),remarks"
)
ROWS = [f"2001-06-01 {n // 2:02d}:{30 * (n % 2):02d},{15 + n},60,980,3,{100 * n},330,{n % 2}.8,none" for n in range(6)]
CASE = """title: Site
latitude: 45
longitude: 10
start: 2001-06-01T00:00:00
duration: PT3H
step: PT30M
output: PT1H
weather: {file: weather.csv}
column:
  plants: {grassland: 1.0}
"""


def site(folder, rows=ROWS, case=CASE, head=HEAD):
    (folder / "weather.csv").write_text("\n".join([head, *rows]))
    (folder / "site.yaml").write_text(case)
    return folder / "site.yaml"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_case_of_the_project_starts_with_its_plants(path):
    land, context = build(given := read_case(path), path.parent)
    land.initialize(context)
    assert land.plants[0] in given.column.plants
    assert fields_of(given, path.parent)["air_temperature"].size == given.duration // given.step


def test_a_table_with_the_units_of_a_tower_is_read_in_si_units(tmp_path):
    found = fields_of(read_case(site(tmp_path)), tmp_path)
    np.testing.assert_allclose(found["air_temperature"], 288.15 + np.arange(6), rtol=1e-12)
    np.testing.assert_allclose(found["surface_air_pressure"], 98000.0)
    np.testing.assert_allclose(found["precipitation_flux"], np.array([0.8, 1.8] * 3) / 3600.0)
    # 17.04 hPa over water at 15 C (WMO 2018), six tenths of it, .622 e / (p - .378 e)
    e = 0.6 * 1704.0
    assert found["specific_humidity"][0] == pytest.approx(0.622 * e / (98000.0 - 0.378 * e), rel=2e-3)
    assert set(found) >= {"eastward_wind", "northward_wind"}
    assert "relative_humidity" not in found


def test_labels_say_which_part_of_the_interval_they_stand_for(tmp_path):
    path = site(tmp_path)
    first = fields_of(read_case(path), tmp_path)["air_temperature"]
    late = fields_of(read_case(path, ["weather.label=end", "duration=PT2H"]), tmp_path)["air_temperature"]
    np.testing.assert_allclose(late, first[1:5])
    with pytest.raises(
        CaseError, match="has the weather of 2001-05-31T23:30:00 to 2001-06-01T02:30:00, and the run is"
    ):
        fields_of(read_case(path, ["weather.label=end"]), tmp_path)


def test_a_netcdf_file_gives_what_the_table_gives(tmp_path):
    path = site(tmp_path)
    table = fields_of(read_case(path), tmp_path)
    with netCDF4.Dataset(tmp_path / "weather.nc", "w") as data:
        data.createDimension("time", 6)
        time = data.createVariable("time", "f8", ("time",))
        time.units, time[:] = "hours since 2001-06-01", 0.5 * np.arange(6)
        stored = {
            "air_temperature": ("degC", table["air_temperature"] - 273.15),
            "specific_humidity": ("g kg-1", 1000.0 * table["specific_humidity"]),
            "surface_air_pressure": ("hPa", table["surface_air_pressure"] / 100.0),
            "wind_speed": ("m s-1", table["eastward_wind"]),
            "precipitation_flux": ("mm h-1", 3600.0 * table["precipitation_flux"]),
        }
        for name in ("surface_downwelling_shortwave_flux_in_air", "surface_downwelling_longwave_flux_in_air"):
            stored[name] = ("W m-2", table[name])
        for name, (unit, values) in stored.items():
            made = data.createVariable(name, "f8", ("time",))
            made.units, made[:] = unit, values
    found = fields_of(read_case(path, ["weather.file=weather.nc"]), tmp_path)
    for name, values in table.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, err_msg=name)


def test_what_the_namelist_says_wins_over_the_file(tmp_path):
    path = site(tmp_path)
    changes = ["weather.wind_speed=7", "weather.specific_humidity=0.004"]
    found = fields_of(read_case(path, changes), tmp_path)
    assert found["eastward_wind"].tolist() == [7.0] * 6
    assert found["specific_humidity"].tolist() == [0.004] * 6


@pytest.mark.parametrize(
    ("rows", "head", "said"),
    [
        (ROWS[:3] + ROWS[4:], HEAD, "after 2001-06-01T01:00:00 they are not"),
        ([r.replace(",60,", ",,", 1) for r in ROWS], HEAD, "relative_humidity: 6 gaps, the first in record 1"),
        (ROWS, HEAD.replace(" (hPa)", ""), "surface_air_pressure: expected 30000 to 120000 Pa, not 980 in record 1"),
        (ROWS, HEAD.replace("(hPa)", "(kg)"), "surface_air_pressure: "),
        (ROWS, HEAD.replace("wind_speed", "wind"), "lacks wind_speed"),
        (ROWS, HEAD.replace("time", "when"), "has no column 'time'"),
        ([*ROWS[:5], "2001-06-01 02:30,1"], HEAD, "row 7 has 2 cells, the head 9"),
        ([ROWS[0].replace("15,", "warm,"), *ROWS[1:]], HEAD, "row 2: air_temperature: 'warm' is not a number"),
        ([], HEAD, "expected two times or more, found 0"),
    ],
    ids=["uneven", "gaps", "unit", "other_unit", "lacking", "timeless", "short", "word", "empty"],
)
def test_a_file_that_does_not_serve_is_refused_by_name_and_place(rows, head, said, tmp_path):
    path = site(tmp_path, rows, head=head)
    with pytest.raises(CaseError) as error:
        fields_of(read_case(path), tmp_path)
    assert said in str(error.value)
    assert "weather.csv" in str(error.value)


def test_mistakes_are_told_all_at_once_with_their_lines(tmp_path, capsys):
    bad = tmp_path / "bad.yaml"
    bad.write_text(
        "title: bad\nlatitude: 95\nlongitude: 0\nstart: 2001-02-30\nduration: PT1H\n"
        "weather: {air_temperature: 20, specific_humidity: 8}\ncolumn:\n  plants: {gras: 1.0}\n  stomatta: medlyn\n"
    )
    with pytest.raises(NamelistError) as error:
        read_case(bad)
    said = str(error.value)
    for part in (
        "bad.yaml:2: ",
        "expected 180 to 340 K, not 20",
        "expected 0 to 0.1 kg kg-1, not 8",
        "did you mean 'stomata'",
    ):
        assert part in said
    assert main(["no_such_column"]) == 2
    assert "known columns: drying_grass, melting_snow" in capsys.readouterr().err
    with pytest.raises(CaseError, match=r"unknown plant type 'gras'; known types: .*grassland"):
        build(read_case(site(tmp_path, case=CASE.replace("grassland", "gras"))), tmp_path)


def test_the_books_of_a_column_close_and_leaves_and_height_are_the_sites(tmp_path):
    case = read_case(site(tmp_path), ["leaf_area_index=[1.5]", "canopy_height=0.7", "repeat=1"])
    land, context = build(case, tmp_path)
    land.initialize(context)
    assert land.parameters.height.tolist() == [0.7] * len(land.plants)
    assert land._leaves(context.clock.date(0))[0].tolist() == [1.5] * len(land.plants)
    out = run(case, tmp_path)
    assert out.time.tolist() == [0.0, 3600.0, 7200.0, 10800.0]
    assert abs(out.fields["water_residual"][-1]) < 1e-9
    assert abs(out.fields["energy_residual"][-1]) < 1e-3


def test_the_cycles_of_the_land_run_in_a_single_column(tmp_path):
    case = read_case(site(tmp_path), ["column.nitrogen=fun", "column.leaves=prognostic"])
    out = run(case, tmp_path)
    assert abs(out.fields["carbon_not_booked"][-1]) < 1e-12
    assert abs(out.fields["nitrogen_not_booked"][-1]) < 1e-14


def test_the_command_writes_a_file_that_xarray_reads(tmp_path, capsys):
    out = tmp_path / "site.nc"
    assert main([str(site(tmp_path)), "-o", str(out)]) == 0
    said = capsys.readouterr()
    assert f"Site: 3 h in {out}" in said.out
    assert "2001-06-01T03:00:00  100%  ETA 00:00" in said.err
    with xr.open_dataset(out, decode_times=False) as d:
        assert d.attrs["Conventions"] == "CF-1.11"
        assert d.soil_temperature.dims == ("time", "layer")
        assert d.surface_downward_latent_heat_flux.attrs["cell_methods"] == "time: mean"
        assert d.mass_content_of_water_in_soil.attrs["cell_methods"] == "time: point"
        assert d.sizes == {"time": 4, "layer": 10}
        assert float(d.gross_primary_productivity[-1]) > 0.0


def test_a_case_without_a_file_says_all_that_it_lacks(tmp_path):
    with pytest.raises(NamelistError) as error:
        read_case(site(tmp_path), ["weather={wind_speed: 3}"])
    for name in ("air_temperature", "precipitation_flux", "specific_humidity"):
        assert name in str(error.value)
