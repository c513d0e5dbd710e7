# SPDX-License-Identifier: BSD-3-Clause
"""Cyclones, monsoon and stations on pages: from history files with a known vortex, known winds and known hours."""

import csv
from datetime import timedelta

import cftime
import netCDF4
import numpy as np
import pytest

from coupler.analysis.cyclones.card import make_cyclone_card
from coupler.analysis.gathered import gather
from coupler.analysis.monsoon_card import make_monsoon_card
from coupler.analysis.station_card import StationList, make_station_card
from coupler.case.command import main
from coupler.errors import CaseError, TesseraError
from coupler.namelist import read_text
from tests.unit.test_cyclone_tracks import grid, vortex, way

UNITS = {"K": "air_temperature", "Pa": "air_pressure", "m": "geopotential", "kg m-2 s-1": "precipitation",
         "m s-1": "ward_wind", "1": "mole_fraction"}  # fmt: skip


def history(case, stream, dates, lon, lat, fields, hours=0):
    """A history file as the coupler writes it: fields (n, ny, nx) at dates, or of the ``hours`` before them."""
    path = case / "run" / "history" / f"atmosphere.{stream}.nc"
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w") as f:
        f.createDimension("time", None)
        f.createDimension("bounds2", 2)
        f.createDimension("y", lon.shape[0])
        f.createDimension("x", lon.shape[1])
        time = f.createVariable("time", "f8", ("time",))
        time.units, time.calendar = "seconds since 2001-01-01", dates[0].calendar
        seconds = cftime.date2num(dates, time.units, time.calendar)
        time[:] = seconds
        if hours:
            time.bounds = "time_bounds"
            f.createVariable("time_bounds", "f8", ("time", "bounds2"))[:] = np.stack(
                [seconds - 3600 * hours, seconds], 1
            )
        for name, values in (("lon", lon), ("lat", lat)):
            f.createVariable(name, "f8", ("y", "x"))[:] = values
        for name, values in fields.items():
            v = f.createVariable(name, "f8", ("time", "y", "x"))
            v.units = next(u for u, part in UNITS.items() if part in name)
            v[:] = values
    return path


def dates(n, hours, start=(2001, 8, 1), calendar="standard"):
    first = cftime.datetime(*start, calendar=calendar)
    return [first + timedelta(hours=k * hours) for k in range(n)]


def rows_of(path):
    with path.open() as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def typhoon(tmp_path_factory):
    case = tmp_path_factory.mktemp("cards") / "typhoon"
    lon, lat = grid("lonlat", 50e3)
    maps = [vortex(lon, lat, *way(n)) for n in range(8)]
    fields = {
        "air_pressure_at_mean_sea_level": [m.pressure for m in maps],
        "eastward_wind_at_850hPa": [m.eastward for m in maps],
        "northward_wind_at_850hPa": [m.northward for m in maps],
        "air_temperature_at_300hPa": [m.aloft - 10.0 for m in maps],
        "air_temperature_at_500hPa": [m.aloft + 10.0 for m in maps],
    }
    history(case, "upper_air", dates(8, 6), lon, lat, {k: np.stack(v) for k, v in fields.items()})
    return case


def test_the_vortex_of_a_run_is_found_and_stands_beside_its_best_track(typhoon, tmp_path):
    lines = ["66666 0199 008 0001 0199 0 6                KNOWN              20020101"]
    for n, date in enumerate(dates(8, 6)):
        x, y = way(n)
        stamp = date.strftime("%y%m%d%H")
        lines.append(f"{stamp} 002 5 {round(10 * (y + 0.5)):3d} {round(10 * x):4d}  945     080")
    best = tmp_path / "bst.txt"
    best.write_text("\n".join(lines) + "\n")
    page, numbers = make_cyclone_card(typhoon, [best])
    found = rows_of(numbers)
    assert len(found) == 8 and {r["track"] for r in found} == {"1"}
    for n, row in enumerate(found):
        assert float(row["longitude"]) == pytest.approx(way(n)[0], abs=0.2)
        assert float(row["latitude"]) == pytest.approx(way(n)[1], abs=0.2)
    text = page.read_text()
    assert "0199 KNOWN" in text and "1 of 1 best tracks" in text and "data:image/png" in text
    cells = text.split("<td>0199 KNOWN</td><td>1</td>")[1].split("</tr>")[0]
    far = float(cells.split("<td>")[2].split("</td>")[0])
    assert far == pytest.approx(0.5 * 111.2, abs=8.0), "half a degree of latitude, km"


def test_a_run_without_cyclones_says_so(typhoon, tmp_path):
    run = gather(typhoon / "run" / "history", ["eastward_wind_at_850hPa"], "test")
    calm = {name: np.full((4, *run.longitude.shape), value) for name, value in {
        "air_pressure_at_mean_sea_level": 101000.0, "eastward_wind_at_850hPa": 3.0, "northward_wind_at_850hPa": 0.0,
        "air_temperature_at_300hPa": 240.0, "air_temperature_at_500hPa": 265.0,
    }.items()}  # fmt: skip
    history(tmp_path / "calm", "upper_air", dates(4, 6), run.longitude, run.latitude, calm)
    page, numbers = make_cyclone_card(tmp_path / "calm", [])
    assert rows_of(numbers) == [], "no file of an earlier page is left"
    assert "0 cyclones" in page.read_text()


def test_missing_output_is_named_with_what_to_add(typhoon, tmp_path):
    run = gather(typhoon / "run" / "history", ["eastward_wind_at_850hPa"], "test")
    history(tmp_path / "few", "a", dates(2, 6), run.longitude, run.latitude,
            {"eastward_wind_at_850hPa": run.values["eastward_wind_at_850hPa"][:2]})  # fmt: skip
    with pytest.raises(CaseError) as said:
        make_cyclone_card(tmp_path / "few", [])
    text = str(said.value)
    assert "air_pressure_at_mean_sea_level" in text and "air_temperature_at_500hPa" in text and "add them" in text
    assert not (tmp_path / "few" / "run" / "score").exists()


def test_a_date_that_no_agency_knows_is_refused(tmp_path):
    lon, lat = grid("lonlat", 200e3)
    fields = {n: np.ones((2, *lon.shape)) for n in (
        "air_pressure_at_mean_sea_level", "eastward_wind_at_850hPa", "northward_wind_at_850hPa",
        "air_temperature_at_300hPa", "air_temperature_at_500hPa")}  # fmt: skip
    history(tmp_path / "c", "a", dates(2, 6, (2001, 2, 30), "360_day"), lon, lat, fields)
    with pytest.raises(CaseError, match="360_day is not a date of the standard calendar"):
        make_cyclone_card(tmp_path / "c", [])


@pytest.fixture(scope="module")
def monsoon(tmp_path_factory):
    """Easterlies over the South China Sea until 14 May, then westerlies; a ridge at 24 N; rain at 31 N."""
    case = tmp_path_factory.mktemp("cards") / "monsoon"
    lon, lat = np.meshgrid(np.arange(88.0, 156.0, 2.0), np.arange(2.0, 54.0, 2.0))
    when = dates(80 * 2, 12, (2001, 4, 15))
    onset = np.array([3.0 if d >= cftime.datetime(2001, 5, 16) else -2.0 for d in when])
    south = ((lat >= 5) & (lat <= 15)).astype(float)
    u850 = onset[:, None, None] * south + 1.0 * (1.0 - south)
    shape = (len(when), *lon.shape)
    fields = {
        "eastward_wind_at_850hPa": u850,
        "northward_wind_at_850hPa": np.full(shape, 2.5),
        "eastward_wind_at_500hPa": np.broadcast_to(0.5 * (lat - 24.0), shape),
        "geopotential_height_at_500hPa": np.broadcast_to(5900.0 - 0.5 * (lat - 24.0) ** 2 - 0.2 * (156.0 - lon), shape),
    }
    history(case, "upper_air", when, lon, lat, fields)
    rain = np.broadcast_to(10.0 / 86400.0 * np.exp(-(((lat - 31.0) / 3.0) ** 2)), (80, *lon.shape))
    history(case, "daily", dates(80, 24, (2001, 4, 16)), lon, lat, {"precipitation_flux": rain}, hours=24)
    return case


def test_the_monsoon_of_a_run(monsoon):
    page, numbers = make_monsoon_card(monsoon)
    by = {}
    for row in rows_of(numbers):
        by.setdefault(row["quantity"], {})[row["day"]] = float(row["value"])
    assert by["south_china_sea"]["2001-05-01"] == pytest.approx(-2.0)
    assert by["south_china_sea"]["2001-06-01"] == pytest.approx(3.0)
    assert by["wang_fan"]["2001-06-01"] == pytest.approx(1.0 - 3.0)
    assert by["southerlies"]["2001-06-01"] == pytest.approx(2.5)
    assert by["ridge of the subtropical high, 110-150 E"]["2001-06-01"] == pytest.approx(24.0, abs=1e-6)
    assert by["latitude of the rain belt, 110-122 E"]["2001-06-01"] == pytest.approx(31.25, abs=1.3)
    text = page.read_text()
    assert "onset in the South China Sea, 2001: pentad 28 (days 136 to 140)" in text, "16 to 20 May"
    assert "lau_yang: " in text and "eastward_wind_at_200hPa" in text, "what cannot be scored has its reason"


def test_a_run_that_saw_nothing_of_the_monsoon_is_refused_with_all_reasons(tmp_path):
    lon, lat = np.meshgrid(np.arange(0.0, 20.0, 2.0), np.arange(40.0, 60.0, 2.0))
    history(tmp_path / "c", "a", dates(2, 6), lon, lat, {"eastward_wind_at_850hPa": np.ones((2, *lon.shape))})
    with pytest.raises(CaseError) as said:
        make_monsoon_card(tmp_path / "c")
    assert "no cell lies in" in str(said.value) and "rain belt" in str(said.value)


@pytest.fixture
def hourly(tmp_path):
    """A run whose ozone has a diurnal cycle in UTC and a station eight hours ahead that sees it plus 10."""
    lon, lat = np.meshgrid([114.0, 116.0, 118.0], [38.0, 40.0])
    when = dates(72, 1, (2014, 1, 2))
    hour = np.array([(k - 0.5) % 24 for k in range(72)])  # middle of the hour before
    ozone = 40e-9 + 20e-9 * np.sin(2 * np.pi * (hour - 0.0) / 24)
    fields = {"mole_fraction_of_ozone_in_air": np.broadcast_to(ozone[:, None, None], (72, 2, 3))}
    history(tmp_path / "c", "hourly", when, lon, lat, fields, hours=1)
    lines = ["No,year,month,day,hour,O3,station"]
    for k in range(60):
        d = cftime.datetime(2014, 1, 2) + timedelta(hours=k + 8)  # the station's clock
        value = 2.14e9 * (40e-9 + 20e-9 * np.sin(2 * np.pi * ((k + 0.5) % 24) / 24)) + 10.0
        lines.append(f"{k},{d.year},{d.month},{d.day},{d.hour},{'NA' if k == 7 else value},Here")
    (tmp_path / "here.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "stations.yaml").write_text(
        "stations:\n  Here: {file: here.csv, longitude: 116.4, latitude: 39.9, utc_offset: 8}\n"
        "columns:\n  O3: {field: mole_fraction_of_ozone_in_air, unit: ug m-3, factor: 2.14e9}\n"
    )
    return tmp_path


def test_hours_of_a_station_meet_the_runs_hours_by_their_clock(hourly):
    page, numbers = make_station_card(hourly / "c", hourly / "stations.yaml")
    (row,) = rows_of(numbers)
    assert int(row["hours"]) == 59, "one is missing"
    assert float(row["bias"]) == pytest.approx(-10.0, abs=1e-6)
    assert float(row["correlation"]) == pytest.approx(1.0, abs=1e-9), "an hour's shift would give .97"
    assert float(row["distance_km"]) == pytest.approx(35.9, abs=1.0)
    assert "diurnal cycle of O3" in page.read_text()


def test_all_mistakes_of_a_station_list_are_told_with_their_lines(hourly):
    (hourly / "stations.yaml").write_text(
        "stations:\n  Here: {file: here.csv, longitude: 516.4, latitude: 39.9}\n"
        "columns:\n  O3: {fields: mole_fraction_of_ozone_in_air, unit: ug m-3}\n"
    )
    with pytest.raises(TesseraError) as said:
        make_station_card(hourly / "c", hourly / "stations.yaml")
    text = str(said.value)
    assert "stations.yaml:2" in text and "516.4" in text and "stations.yaml:4" in text and "'fields'" in text


def test_what_is_wrong_with_all_stations_is_told_at_once(hourly):
    (hourly / "stations.yaml").write_text(
        "stations:\n  Here: {file: none.csv, longitude: 116.4, latitude: 39.9}\n"
        "  There: {file: stations.yaml, longitude: 116.4, latitude: 39.9}\n"
        "columns:\n  O3: {field: mole_fraction_of_ozone_in_air, unit: ug m-3}\n"
        "  NO2: {field: mole_fraction_of_nitrogen_dioxide_in_air, unit: ug m-3}\n"
    )
    with pytest.raises(TesseraError) as said:
        make_station_card(hourly / "c", hourly / "stations.yaml")
    assert all(
        w in str(said.value) for w in ("nitrogen_dioxide", "Here: station", "none.csv", "There: station", "no column")
    )
    assert not (hourly / "c" / "run" / "score").exists()


def test_a_station_off_the_domain_or_off_the_time_is_no_score(hourly):
    text = (hourly / "stations.yaml").read_text()
    far = "  Far: {file: here.csv, longitude: 100.0, latitude: 39.9, utc_offset: 5.5}\ncolumns:"
    (hourly / "stations.yaml").write_text(text.replace("columns:", far))
    page, numbers = make_station_card(hourly / "c", hourly / "stations.yaml")
    assert len(rows_of(numbers)) == 1 and "outside the run&#x27;s domain" in page.read_text()
    lines = (hourly / "here.csv").read_text().replace(",2014,", ",2015,")
    (hourly / "here.csv").write_text(lines)
    with pytest.raises(CaseError) as said:
        make_station_card(hourly / "c", hourly / "stations.yaml")
    assert "no hour in common: the station has 2015-01-02" in str(said.value) and "Far" in str(said.value)


def test_best_tracks_that_cannot_be_read_or_do_not_meet_the_run_are_named(typhoon, tmp_path):
    (tmp_path / "a.txt").write_text("hello\n")
    with pytest.raises(CaseError) as said:
        make_cyclone_card(typhoon, [tmp_path / "a.txt", tmp_path / "b.txt"])
    assert "a.txt: expected the text of RSMC" in str(said.value) and "b.txt: No such file" in str(said.value)
    (tmp_path / "old.txt").write_text("66666 5101    1      5101 0 6\n51021906 002 2 200 1385 1010\n")
    page, _ = make_cyclone_card(typhoon, [tmp_path / "old.txt"])
    assert "No best track lies in the time of the run: the files have 1951-02-19" in page.read_text()


def test_six_hourly_output_beside_hourly_stations_is_refused(hourly):
    lon, lat = np.meshgrid([114.0, 116.0, 118.0], [38.0, 40.0])
    values = {"mole_fraction_of_ozone_in_air": np.full((8, 2, 3), 4e-8)}
    history(hourly / "d", "hourly", dates(8, 6, (2014, 1, 2)), lon, lat, values)
    with pytest.raises(CaseError, match="a record every 6 h; stations are hourly"):
        make_station_card(hourly / "d", hourly / "stations.yaml")


def test_the_command_offers_them(capsys):
    with pytest.raises(SystemExit):
        main(["score", "--help"])
    said = capsys.readouterr().out
    assert all(word in said for word in ("--cyclones", "--monsoon", "--stations"))


def test_the_list_of_the_documents_is_one(root):
    text = (root / "docs" / "long_runs.md").read_text().split("```yaml\n")[1].split("```")[0]
    listed = read_text(text, "stations.yaml").parse(StationList)
    assert listed.stations["Dongsi"].utc_offset == 8 and listed.columns["O3"].factor == 2.14e9
    assert 48.0e-3 * 101325.0 / (8.314 * 273.15) * 1e9 == pytest.approx(2.14e9, rel=2e-3)
