# SPDX-License-Identifier: BSD-3-Clause
"""Driving data of the atmosphere: what is read, converted, supplied and refused, and the files that prepare makes."""

import sys

import netCDF4
import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import driving_data, pressure_levels
from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles, DriverError
from components.atmosphere.nonhydrostatic.driving.driver_files import DriverFile
from components.atmosphere.nonhydrostatic.driving.humidity import relative_humidity
from components.science.constants import GRAVITY, KAPPA, R_DRY
from coupler.clock import Clock
from coupler.component import Context, Setting
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from tests.toys.analyses import write_analyses

LAMBERT = "+proj=lcc +lat_1=25 +lat_2=45 +lat_0=32 +lon_0=113 +R=6371229"
ASIA = {"lat": np.arange(70.0, -10.1, -5.0), "lon": np.arange(60.0, 175.0, 5.0)}


def setting(folder, start="2001-06-01T00:00:00", duration=6 * 3600, nx=12, calendar="standard"):
    grid = Grid.projected("atmosphere", LAMBERT, nx, 10, 300e3)
    return Setting("atmosphere", Clock(start, calendar), 600, duration, grid, folder)


def model(**options):
    physics = {"microphysics": "none", "boundary_layer": "none", "convection": "none", "radiation": "none"}
    return NonhydrostaticAtmosphere(
        NonhydrostaticAtmosphere.Options(levels=10, lowest_layer=300.0, **{**physics, **options})
    )


def refused(paths, words, **kwargs):
    with pytest.raises(DriverError, match=words):
        files = AnalysisFiles(paths, **kwargs)
        for n in range(len(files.dates)):
            pressure_levels.state(files, n)


# ---------------------------------------------------------------------- reading


def test_units_are_converted_and_orders_do_not_matter(tmp_path):
    """The same air in other units, as another centre writes it, is the same."""
    plain = pressure_levels.read_analysis([write_analyses(tmp_path / "a.nc", (0.0,))])
    odd = {
        "units": {"u": "knots", "v": "km/h", "q": "g/kg", "z": "gpm"},
        "factors": {"u": 1 / 0.514444444, "v": 3.6, "q": 1e3, "z": 1 / 9.80665},
    }
    path = write_analyses(tmp_path / "b.nc", (0.0,), lat=np.arange(-90.0, 90.1, 5.0), **odd)
    with netCDF4.Dataset(path, "a") as f:
        f["level"].units = "mb"
        f["t"].units = "degC"
        f["t"][:] = f["t"][:] - 273.15
    other = pressure_levels.read_analysis([path])
    np.testing.assert_array_equal(plain.p, other.p)
    assert plain.p[0] == 1e5 and plain.lat[0] == -90.0
    for name, values in plain.fields.items():
        np.testing.assert_allclose(other.fields[name], values, rtol=2e-5, atol=2e-4 if name in "uvt" else 0.0)


def test_the_names_of_cmip6_and_its_calendar(tmp_path):
    """The names ua, va, ta, hus, zg on plev in Pa from the top, without 29 February, longitudes from -180."""
    plain = pressure_levels.read_analysis([write_analyses(tmp_path / "a.nc", (0.0,))])
    names = {
        "u": "ua",
        "v": "va",
        "t": "ta",
        "q": "hus",
        "z": "zg",
        "level": "plev",
        "latitude": "lat",
        "longitude": "lon",
    }
    as_cmip = {"names": names, "units": {"z": "m"}, "factors": {"z": 1 / 9.80665}, "lon": np.arange(-180.0, 180.0, 5.0)}
    path = write_analyses(tmp_path / "b.nc", (0.0, 6.0), calendar="noleap", **as_cmip)
    files = AnalysisFiles([path])
    assert files.dates[1].calendar == "noleap"
    other = pressure_levels.state(files, 0)
    lon, lat = np.meshgrid([100.0, 177.5, 182.5], [20.0, 40.0])
    z = np.linspace(100.0, 15000.0, 5)[:, None, None] + 0.0 * lon
    a, b = (pressure_levels.to_columns(data, lon, lat, z) for data in (plain, other))
    for name in a:
        np.testing.assert_allclose(b[name], a[name], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": {"t": "Pa"}}, r"t \(air_temperature\) is in 'Pa', which cannot become K"),
        ({"units": {"z": "kg"}}, "cannot become m or m2 s-2"),
        (
            {"factors": {"t": 0.3}},
            r"t \(air_temperature\) has values from .* with its unit 'K'; 130 to 350 is plausible",
        ),
        ({"factors": {"q": 1e3}}, "specific_humidity.* is the unit right"),
        ({"units": {"u": "furlong"}}, r"u \(eastward_wind\) is in 'furlong', which cannot become m s-1"),
        ({"lon": [60.0, 65.0, 80.0, 120.0]}, "not on several latitudes and equal steps of longitude"),
        ({"leave_out": ("u", "t")}, "no eastward_wind and no air_temperature"),
        ({"leave_out": ("z",), **ASIA}, "no geopotential_height, and heights from wind .* need the whole globe"),
    ],
)
def test_units_and_variables_that_cannot_be_right_are_refused_by_name(tmp_path, change, words):
    refused([write_analyses(tmp_path / "air.nc", **change)], words)


def test_files_that_are_not_there_or_not_readable_are_named(tmp_path, monkeypatch):
    refused([tmp_path / "none.nc"], "none.nc do not exist")
    (tmp_path / "text.nc").write_text("time,temperature\n")
    refused([tmp_path / "text.nc"], "neither netCDF nor GRIB")
    (tmp_path / "era5.grib").write_bytes(b"GRIB\x00\x00\x00\x01")
    monkeypatch.setitem(sys.modules, "cfgrib", None)
    refused([tmp_path / "era5.grib"], "cfgrib is not there to read it: pip install cfgrib, or convert")


def test_grib_is_read_through_cfgrib(tmp_path):
    """The air of a netCDF file, packed with 24 bits, comes back."""
    pytest.importorskip("cfgrib", reason="cfgrib is not installed")
    import eccodes

    path = write_analyses(tmp_path / "air.nc")
    grid = {"Ni": 72, "Nj": 37, "iDirectionIncrementInDegrees": 5.0, "jDirectionIncrementInDegrees": 5.0} | {
        f"{which}GridPointInDegrees": value
        for which, value in (("latitudeOfFirst", 90.0), ("latitudeOfLast", -90.0), ("longitudeOfLast", 355.0))
    }
    with netCDF4.Dataset(path) as f, open(tmp_path / "air.grib", "wb") as out:
        for name, number in {"t": 130, "u": 131, "v": 132, "q": 133, "z": 129}.items():
            for n, hour in enumerate((0, 6)):
                for k, level in enumerate(f["level"][:]):
                    m = eccodes.codes_grib_new_from_samples("regular_ll_pl_grib1")
                    when = {"dataDate": 20010601, "dataTime": 100 * hour, "level": int(level), "paramId": number}
                    for key, value in {**grid, **when, "bitsPerValue": 24}.items():
                        eccodes.codes_set(m, key, value)
                    eccodes.codes_set_values(m, np.asarray(f[name][n, k], dtype=float).ravel())
                    eccodes.codes_write(m, out)
                    eccodes.codes_release(m)
    a, b = (pressure_levels.read_analysis([tmp_path / name], record=1) for name in ("air.grib", "air.nc"))
    for name, values in b.fields.items():
        np.testing.assert_allclose(a.fields[name], values, rtol=1e-5, atol=1e-5)
    assert {p.name for p in tmp_path.iterdir()} == {"air.nc", "air.grib"}


def test_several_files_share_variables_and_dates(tmp_path):
    """One file a variable and a day, as CMIP6 and ERA-Interim come."""
    paths = [
        write_analyses(tmp_path / f"{part}{hour}.nc", (hour, hour + 1), leave_out=out)
        for part, out in (("wind", ("t", "q", "z")), ("rest", ("u", "v")))
        for hour in (2.0, 0.0)
    ]
    files = AnalysisFiles(paths)
    assert [d.hour for d in files.dates] == [0, 1, 2, 3]
    whole = AnalysisFiles([write_analyses(tmp_path / "whole.nc", (0.0, 1.0, 2.0, 3.0))])
    for n in range(4):
        a, b = pressure_levels.state(files, n), pressure_levels.state(whole, n)
        assert all(np.array_equal(a.fields[k], b.fields[k]) for k in a.fields)
    refused(paths[:3], "air_temperature lacks 2 of 4 dates that other variables have: 2001-06-01 0")
    part = write_analyses(tmp_path / "part.nc", leave_out=("u", "v"), **ASIA)
    refused([paths[0], paths[1], part], "all must share one grid")


def test_members_and_model_levels_are_refused(tmp_path):
    path = tmp_path / "members.nc"
    with netCDF4.Dataset(write_analyses(tmp_path / "a.nc")) as a, netCDF4.Dataset(path, "w") as f:
        for name, d in a.dimensions.items():
            f.createDimension(name, d.size)
        f.createDimension("expver", 2)
        for name, v in a.variables.items():
            dims = ("expver", *v.dimensions) if v.ndim == 4 else v.dimensions
            f.createVariable(name, v.dtype, dims)[:] = v[:]
            f[name].units = v.units
    refused([path], "expver.*select one member or version first")
    path = write_analyses(tmp_path / "levels.nc")
    with netCDF4.Dataset(path, "a") as f:
        f["level"][:] = np.arange(137.0, 126.0, -1.0)
        f["level"].units = "1"
    refused([path], "not pressure levels.*model levels must be interpolated")


def test_gaps_below_the_ground_are_filled_and_said(tmp_path):
    path = write_analyses(tmp_path / "air.nc", (0.0,))
    with netCDF4.Dataset(path, "a") as f:
        f["t"].missing_value = np.float32(-999.0)
        f["t"][0, :3, 10:15, 10:20] = -999.0
    data = pressure_levels.read_analysis([path])
    assert np.isfinite(data.fields["t"]).all() and any("t has gaps" in n for n in data.notes)
    with netCDF4.Dataset(path, "a") as f:
        f["t"][0, :, 10:15, 10:20] = -999.0
    refused([path], "t has gaps with nothing above them")


def test_missing_humidity_is_that_of_another_state_or_of_a_profile(tmp_path):
    dry = write_analyses(tmp_path / "dry.nc", (0.0,), leave_out=("q",))
    wet = write_analyses(tmp_path / "wet.nc", (0.0,))
    own = pressure_levels.read_analysis([wet])
    lent = pressure_levels.read_analysis([dry], humidity_from=[wet])
    relative = relative_humidity(own.fields["q"], own.fields["t"], own.p[:, None, None])
    moist = (relative > 0.01) & (relative < 1.0) & (own.p[:, None, None] > 1.0e4)
    assert moist.mean() > 0.3
    np.testing.assert_allclose(lent.fields["q"][moist], own.fields["q"][moist], rtol=1e-9)
    assert any("relative humidity of" in n and "wet.nc of 2001-06-01" in n for n in lent.notes)
    assumed = pressure_levels.read_analysis([dry])
    assert any("Manabe & Wetherald (1967)" in n for n in assumed.notes)
    with pytest.raises(DriverError, match="neither relative humidity nor specific humidity"):
        pressure_levels.read_analysis([dry], humidity_from=[dry])


# ---------------------------------------------------------------------- what a run may use


def test_columns_from_levels_are_hydrostatic_and_keep_the_levels(tmp_path):
    """At the heights of the levels the pressures of the levels; between them the hypsometric equation to 1e-5."""
    data = pressure_levels.read_analysis([write_analyses(tmp_path / "air.nc", (0.0,))])
    lon, lat = np.array([[100.0, 120.0]]), np.array([[30.0, 40.0]])
    j, i = (
        [int(np.flatnonzero(data.lat == x)[0]) for x in lat[0]],
        [int(np.flatnonzero(data.lon == x)[0]) for x in lon[0]],
    )
    z = data.fields["z"][:, j, i][:, None, :]
    f = pressure_levels.to_columns(data, lon, lat, z)
    np.testing.assert_allclose(f["p"], data.p[:, None, None] + 0.0 * f["p"], rtol=1e-12)
    fine = np.linspace(-500.0, 12000.0, 2501)[:, None, None] + 0.0 * lon
    f = pressure_levels.to_columns(data, lon, lat, fine)
    virtual = f["t"] * (1.0 + 0.608 * f["q"])
    slope = np.diff(np.log(f["p"]), axis=0) / 5.0
    expected = -GRAVITY / (R_DRY * 0.5 * (virtual[1:] + virtual[:-1]))
    np.testing.assert_allclose(slope, expected, rtol=0.01)


def test_only_the_rows_around_the_grid_are_read_and_give_the_same_bits(tmp_path):
    lon, lat = np.meshgrid(np.linspace(80.0, 140.0, 7), np.linspace(17.0, 45.0, 5))
    z = np.linspace(100.0, 15000.0, 9)[:, None, None] + 0.0 * lon
    for rows in (np.arange(-90.0, 90.1, 5.0), np.arange(90.0, -90.1, -5.0)):
        files = AnalysisFiles([write_analyses(tmp_path / "air.nc", (0.0,), lat=rows)])
        whole, part = (pressure_levels.state(files, 0, latitudes=band) for band in (None, (17.0, 45.0)))
        assert whole.lat.size == 37 and part.lat.min() == 10.0 and part.lat.max() == 50.0
        a, b = (pressure_levels.to_columns(data, lon, lat, z) for data in (whole, part))
        assert all(np.array_equal(a[k], b[k]) for k in a)


def test_a_grid_that_leaves_the_data_is_refused_with_both_ranges(tmp_path):
    path = write_analyses(tmp_path / "air.nc", lat=ASIA["lat"], lon=np.arange(60.0, 111.0, 5.0))
    (problem,) = model(driver=[str(path)]).check(setting(tmp_path))
    assert "the grid reaches from" in problem and "the data from 60.0 to 110.0 E" in problem
    path = write_analyses(tmp_path / "air.nc", lat=np.arange(40.0, 0.0, -5.0), lon=ASIA["lon"])
    (problem,) = model(driver=[str(path)]).check(setting(tmp_path))
    assert "the grid reaches from" in problem and "the data from 5.0 to 40.0 N" in problem


def test_data_that_end_before_the_run_are_found_with_the_dates_there_are(tmp_path):
    path = write_analyses(tmp_path / "air.nc", (0.0, 3.0), **ASIA)
    (problem,) = model(driver=[str(path)]).check(setting(tmp_path))
    assert "reach from 2001-06-01T00:00:00 to 2001-06-01T03:00:00 (2 times)" in problem
    assert "the run needs 2001-06-01T00:00:00 to 2001-06-01T06:00:00" in problem
    assert model(driver=[str(path)]).check(setting(tmp_path, duration=3 * 3600)) == []


def test_a_day_that_the_calendar_does_not_have_is_said(tmp_path):
    path = write_analyses(tmp_path / "air.nc", (0.0, 24.0), start="2004-02-29 00:00:00", **ASIA)
    (problem,) = model(driver=[str(path)]).check(setting(tmp_path, start="2004-02-28T00:00:00", calendar="noleap"))
    assert "has 2004-02-29" in problem and "calendar: standard" in problem


# ---------------------------------------------------------------------- prepared files


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A case's folder with the files made from three times, and the lines that were said."""
    folder = tmp_path_factory.mktemp("case")
    path = write_analyses(folder / "air.nc", (-6.0, 0.0, 6.0, 12.0), **ASIA)
    said = []
    options = model().prepare_inputs(setting(folder), [path], lambda text, share: said.append((text, share)))
    return folder, options, said


def test_prepare_writes_two_files_and_says_how_far_it_is(prepared):
    folder, options, said = prepared
    assert options == {"driver": ["atmosphere.initial.nc", "atmosphere.boundary.nc"]}
    assert [share for _, share in said if share] == [0.5, 1.0]
    boundary = DriverFile(folder / "atmosphere.boundary.nc")
    assert [d.hour for d in boundary.dates] == [0, 6], "only what the run needs"
    assert not list(folder.glob(".*.part"))
    assert model(**options).check(setting(folder)) == []


def test_prepared_files_open_in_xarray(prepared):
    import xarray

    with xarray.open_dataset(prepared[0] / "atmosphere.boundary.nc") as data:
        assert data.attrs["Conventions"] == "CF-1.11" and data.attrs["grid_fingerprint"]
        assert data.air_pressure.dims == ("time", "level", "y", "x")
        assert float(data.air_temperature.min()) > 180.0
        assert {"latitude", "longitude", "altitude"} <= set(data.air_temperature.coords)


def test_prepared_states_are_those_of_the_analyses_and_hydrostatic(prepared):
    """A start from the files and one straight from the analyses differ by single precision alone."""
    folder, options, _ = prepared
    s = setting(folder)
    z = model()._whole(s).z[:, 4:-4, 4:-4].numpy()
    place = driving_data.Place(s.grid.longitude, s.grid.latitude, z)
    raw = driving_data.source(s, ["air.nc"])
    ours = driving_data.source(s, options["driver"])
    assert ours.times == (0.0, 21600.0)
    a, b = raw.read(2, place), ours.read(1, place)
    for name in ("u", "v", "q"):
        np.testing.assert_allclose(b[name], a[name], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(b["p"][0], a["p"][0], rtol=1e-6)
    theta = [f["t"] * (1e5 / f["p"]) ** KAPPA for f in (a, b)]
    np.testing.assert_allclose(theta[1], theta[0], rtol=1e-5)
    virtual = b["t"] * (1.0 + 0.608 * b["q"])
    thickness = np.diff(z, axis=0)
    step = np.log(b["p"][:-1] / b["p"][1:])
    error = R_DRY * 0.5 * (virtual[1:] + virtual[:-1]) * step / (GRAVITY * thickness) - 1.0
    assert np.abs(error).max() < 0.02


def test_a_start_between_two_times_is_interpolated(prepared, tmp_path):
    folder = prepared[0]
    late = setting(tmp_path, start="2001-06-01T03:00:00", duration=3 * 3600)
    model().prepare_inputs(late, [folder / "air.nc"], lambda text, share: None)
    boundary, initial = (DriverFile(tmp_path / f"atmosphere.{kind}.nc") for kind in ("boundary", "initial"))
    assert [d.hour for d in boundary.dates] == [0, 6] and [d.hour for d in initial.dates] == [3]
    everything = slice(None)
    z = model()._whole(late).z[:, 4:-4, 4:-4].numpy()
    before, after = (boundary.read(n, everything, everything, z) for n in (0, 1))
    start = initial.read(0, everything, everything, z)
    np.testing.assert_allclose(start["u"], 0.5 * (before["u"] + after["u"]), atol=1e-4)


def test_prepared_files_of_another_grid_other_levels_start_or_relief_are_refused(prepared):
    folder, options, _ = prepared
    problems = model(**options).check(setting(folder, nx=14))
    assert len(problems) == 2, "both files say so"
    assert "made for another grid, of 10 x 12 cells; this one has 10 x 14" in problems[0]
    problems = model(**options, top=20000.0).check(setting(folder))
    assert len(problems) == 2 and "other levels (top: 22000.0 there, 20000.0 here)" in problems[0]
    problems = model(**options).check(setting(folder, start="2001-06-01T03:00:00", duration=3600))
    assert len(problems) == 1 and "is the state at 2001-06-01T00:00:00, the case starts at 2001-06-01T03" in problems[0]
    (problem,) = model(**options).check(setting(folder, duration=12 * 3600))
    assert "reach from 2001-06-01T00:00:00 to 2001-06-01T06:00:00 (2 times)" in problem
    file = DriverFile(folder / "atmosphere.boundary.nc")
    z = model(relief="")._whole(setting(folder)).z[:, 4:-4, 4:-4].numpy()
    with pytest.raises(DriverError, match=r"layers that lie up to \d+ m elsewhere \(another relief\?\)"):
        file.read(0, slice(None), slice(None), z)


def test_prepared_files_and_analyses_do_not_mix(prepared):
    folder, _, _ = prepared
    (problem,) = model(driver=["atmosphere.initial.nc", "air.nc"]).check(setting(folder))
    assert "air.nc: analyses and prepared files cannot be mixed" in problem
    (problem,) = model(driver=["atmosphere.initial.nc", "atmosphere.initial.nc"]).check(setting(folder))
    assert "are both initial files: name one" in problem


def test_data_that_start_too_late_are_refused_by_prepare(prepared, tmp_path):
    early = setting(tmp_path, start="2001-05-30T00:00:00")
    with pytest.raises(DriverError, match="the run needs 2001-05-30T00:00:00 to 2001-05-30T06:00:00"):
        model().prepare_inputs(early, [prepared[0] / "air.nc"], lambda text, share: None)
    assert not list(tmp_path.glob("*.nc"))


def test_one_time_is_held_and_said(tmp_path):
    path = write_analyses(tmp_path / "air.nc", (0.0,), start="1959-01-02 00:00:00", **ASIA)
    said = []
    options = model().prepare_inputs(setting(tmp_path), [path], lambda text, share: said.append(text))
    assert any("one time, 1959-01-02T00:00:00" in text and "sides are held" in text for text in said)
    assert model(**options).check(setting(tmp_path)) == []
    assert any("sides are held" in n for n in driving_data.source(setting(tmp_path), options["driver"]).notes())


def test_the_sides_follow_the_driver(prepared):
    """The outermost row has the potential temperature of the driver at the present, not at the start."""
    s = setting(prepared[0])
    context = Context(
        **vars(s), grids={"default": s.grid}, decompositions={"default": Decomposition(s.grid.shape)},
        logger=lambda text: None,
    )  # fmt: skip
    air = model(**prepared[1], precision="double")
    air.initialize(context)
    for n in range(2):
        air.step(600 * n, 600, {})
    first, last = (air.sides.around(t) for t in (0.0, 21599.0))
    assert first is last and first.times == (0.0, 21600.0)

    def theta(state):
        g = air.geometry
        return ((g.rtheta_base + state.rtheta) / (g.rho_base + state.rho))[:, 4, 4:-4].numpy()

    now, present, before = theta(air.s), theta(first.state(600.0)), theta(first.state(0.0))
    assert np.abs(present - before).max() > 1e-3
    np.testing.assert_allclose(now, present, rtol=1e-12)
