# SPDX-License-Identifier: BSD-3-Clause
"""Carbon dioxide from stations in the schedule: global and regional, ranks, restarts in mid-window, bad input."""

import netCDF4
import numpy as np
import pytest

from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, tessera, toy_case

TOYS = "tests.toys.models:"
GLOBE = {"west": 0, "east": 360, "south": -90, "north": 90, "resolution": 20}
REGION = box(100, 140, 10, 40, 2.5)
PLACES = {"globe": [(5.0, 45.0), (204.0, 19.5), (126.0, 36.5), (18.5, -34.4)], "region": [(112.0, 22.0), (126.2, 33.3)]}
GAS = "mole_fraction_of_carbon_dioxide_in_air"


def stations(path, places, units="ppm", value=395.0, hours=24, name="station"):
    """Hourly series; the first is 10 ppm above the others."""
    n = len(places)
    with netCDF4.Dataset(path, "w") as file:
        file.Conventions, file.featureType = "CF-1.11", "timeSeries"
        file.createDimension("station", n)
        file.createDimension("time", hours)
        names = file.createVariable("station_name", str, ("station",))
        names.cf_role = "timeseries_id"
        for k in range(n):
            names[k] = f"{name} {k}"
        for axis, k, unit in (("longitude", 0, "degrees_east"), ("latitude", 1, "degrees_north")):
            v = file.createVariable(axis, "f8", ("station",))
            v.units, v.standard_name = unit, axis
            v[:] = [p[k] for p in places]
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.standard_name = "hours since 2001-01-01", "time"
        time[:] = np.arange(hours) + 0.5
        v = file.createVariable("co2", "f8", ("station", "time"))
        v.units, v.standard_name = units, GAS
        v[:] = value
        v[0] = v[0] * (1.0 + 10.0 / 395.0)


def case(folder, domain="region", *, ranks=1, duration="PT12H", restart="PT9H", files=("s.nc",), **options):
    grid = GLOBE if domain == "globe" else REGION
    given = {
        "domain": "global" if domain == "globe" else "regional", "stations": list(files), "members": 12,
        "interval": "PT6H", "frames": 3, **options,
    }  # fmt: skip
    components = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": grid, "realm": "atmosphere"},
        "chemistry": {
            "model": "co2_inversion", "step": "PT3H", "grid": grid, "co2_inversion": given,
            "output": [{"fields": [GAS, GAS + "_standard_error"], "period": "PT6H", "statistic": "instant"}],
        },
    }  # fmt: skip
    rules = [{"from": "air", "to": "chemistry", "period": "PT3H"}]
    layout = {"coupler": 1, "air": 1, "chemistry": ranks}
    toy_case(
        folder, components=components, coupling=rules, layout=layout, duration=duration, restart=restart,
        calendar="standard",
    )  # fmt: skip
    stations(folder / "s.nc", PLACES[domain])
    return folder


def last(folder):
    part = read_part(newest(folder / "run" / "restart"), "chemistry")
    return part["state.fields"]


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("carbon") / "serial")
    done = tessera(folder, "--serial")
    return folder, done.stdout + done.stderr


@pytest.mark.parametrize("domain, method", [("region", "oi"), ("globe", "oi"), ("globe", "enkf")])
def test_stations_draw_the_field_and_the_change_is_told(tmp_path, domain, method):
    folder = case(tmp_path / "case", domain, method=method)
    done = tessera(folder, "--serial")
    text = done.stdout + done.stderr
    n = len(PLACES[domain])
    assert text.count(f"{n} of {n} cells with stations report") == 2
    assert "the analysis changes the mean by" in text
    field, error, _ = last(folder)
    # 405 and 395 ppm are reported about a trend of 371 ppm: the field is raised, most and most surely near stations
    assert 3.6e-4 < field.min() and 3.9e-4 < field.max() < 4.1e-4
    assert 0.0 <= error.min() < 0.5 * error.max()


def test_ranks_and_a_restart_within_a_window_give_the_same_bits(serial, tmp_path):
    text = serial[1]
    assert "2 of 2 cells with stations report" in text
    parts = case(tmp_path / "parts", duration="PT9H")  # the second window is half over
    tessera(parts, "--serial")
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT9H", "duration: PT12H"))
    tessera(parts, "--continue", "--serial")
    assert differences(serial[0], parts, history=False) == []


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 3])
def test_more_ranks_give_the_bits_of_one(serial, tmp_path, ranks):
    more = case(tmp_path / "more", ranks=ranks)
    tessera(more)
    assert differences(serial[0], more, history=False) == []


@pytest.mark.ranks
def test_the_filter_on_ranks_stopped_within_a_window_gives_the_bits_of_one(tmp_path):
    whole, parts = (case(tmp_path / n, "globe", ranks=r, method="enkf", **w) for n, r, w in (
        ("whole", 1, {}), ("parts", 3, {"duration": "PT9H"})
    ))  # fmt: skip
    tessera(whole, "--serial")
    tessera(parts)
    content = (parts / "case.yaml").read_text()
    (parts / "case.yaml").write_text(content.replace("duration: PT9H", "duration: PT12H"))
    tessera(parts, "--continue")
    assert differences(whole, parts, history=False) == []


def check(folder):
    done = tessera("check", folder, check=False)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_check_names_all_mistakes_of_files_at_once(tmp_path):
    folder = case(tmp_path / "case", files=("s.nc", "none.nc", "far.nc", "wrong.nc"))
    stations(folder / "far.nc", [(5.0, 45.0)], name="Far")
    stations(folder / "wrong.nc", [(120.0, 30.0)], units="ppb", name="Wrong")
    code, text = check(folder)
    assert code
    for words in ("none.nc does not exist", "Far 0 (45 N, 5 E) lies outside the grid", "405 ppb", "is the unit right?"):
        assert words in text, text


def test_stations_outside_may_be_skipped_and_parts_per_billion_are_said(tmp_path):
    folder = case(tmp_path / "case", files=("s.nc", "far.nc", "billion.nc"), outside="skip")
    stations(folder / "far.nc", [(5.0, 45.0)], name="Far")
    stations(folder / "billion.nc", [(120.0, 30.0)], units="ppb", value=395e3)
    code, text = check(folder)
    assert not code, text
    assert "Far 0 (45 N, 5 E) lies outside the grid" in text and "it is left out" in text
    assert "billion.nc: values are in ppb" in text
    assert "3 stations in 3 cells" in text


@pytest.mark.parametrize(
    "domain, options, words",
    [
        ("region", {"interval": "PT4H"}, "is not a multiple of the step"),
        ("region", {"global_mean": "none.csv"}, "none.csv does not exist"),
        ("region", {"method": "magic"}, "method"),
    ],
)
def test_check_names_options_that_cannot_be(tmp_path, domain, options, words):
    code, text = check(case(tmp_path / "case", domain, **options))
    assert code and words in text, text


def test_check_refuses_a_region_for_a_globe(tmp_path):
    folder = case(tmp_path / "case")
    text = (folder / "case.yaml").read_text()
    assert "domain: regional" in text
    (folder / "case.yaml").write_text(text.replace("domain: regional", "domain: global"))
    code, said = check(folder)
    assert code and "domain: global expects a grid" in said, said
