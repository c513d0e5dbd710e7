# SPDX-License-Identifier: BSD-3-Clause
"""Analyses corrected by a reference, from files: moments, humidity, heights; what cannot be corrected is refused."""

import functools

import cftime
import netCDF4
import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving.analysis_files import AnalysisFiles
from components.atmosphere.nonhydrostatic.driving.bias_correction import Corrected, stamps_of
from components.atmosphere.nonhydrostatic.driving.driven_mass import column_mass
from components.atmosphere.nonhydrostatic.driving.humidity import saturation
from components.atmosphere.nonhydrostatic.driving.pressure_levels import state
from components.science.constants import GRAVITY, R_DRY, VIRTUAL
from coupler.case.command import main
from coupler.clock import Clock
from coupler.component import BIAS_METHODS, Bias, Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from tests.science.test_atmosphere_driven_mass import DRY, convergence
from tests.toys.analyses import write_analyses

YEARS = range(1981, 1991)
LON, LAT = np.meshgrid(np.arange(108.0, 120.0, 3.0), np.arange(26.0, 40.0, 3.0))


def file_of(path, calendar, bias=0.0, scale=1.0, months=range(1, 13)):
    """Two records a month of ten years, with anomalies of months, in hydrostatic balance with virtual temperature."""
    start = cftime.datetime(YEARS[0], 1, 1, calendar=calendar)
    dates = [cftime.datetime(y, m, d, calendar=calendar) for y in YEARS for m in months for d in (8, 23)]
    hours = [(d - start).total_seconds() / 3600.0 for d in dates]
    place = {"lat": np.arange(20.0, 46.0, 5.0), "lon": np.arange(100.0, 131.0, 5.0)}
    write_analyses(path, hours, f"{YEARS[0]}-01-01 00:00:00", calendar, **place)
    rng = np.random.default_rng(3)
    noise = rng.standard_normal((len(YEARS), 12, 4))
    with netCDF4.Dataset(path, "r+") as f:
        f.set_auto_mask(False)
        p = 100.0 * f["level"][:]
        for n, d in enumerate(dates):
            a = scale * noise[d.year - YEARS[0], d.month - 1]
            trend = 0.03 * (d.year - 1985.5) if bias else 0.0
            season = -6.0 * np.cos(2.0 * np.pi * (d.month - 0.5) / 12.0)
            weather = 2.0 * (1 if d.day < 15 else -1)
            t = f["t"][n] + season + bias + trend + 1.5 * a[0] + weather
            q = f["q"][n] * (1.0 + 0.1 * a[1]) * (1.2 if bias else 1.0)
            q = np.minimum(q, 0.8 * saturation(t, p[:, None, None]))
            q = np.where(p[:, None, None] < 1e4, np.minimum(q, 4e-6), q)
            f["t"][n], f["q"][n] = t, q
            f["u"][n] = f["u"][n] + bias + 2.0 * a[2]
            tv = t * (1.0 + VIRTUAL * q)
            step = R_DRY / GRAVITY * 0.5 * (tv[1:] + tv[:-1]) * np.log(p[:-1] / p[1:])[:, None, None]
            low = 100.0 + 20.0 * a[3] + 10.0 * bias + 0.0 * step[:1]
            f["z"][n] = GRAVITY * np.concatenate([low, low + np.cumsum(step, axis=0)])
    return path


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bias")
    driver = file_of(folder / "cmip6.nc", "noleap", bias=2.0, scale=1.3)
    return AnalysisFiles([driver]), AnalysisFiles([file_of(folder / "era5.nc", "standard")]), folder


def corrected(pair, method, daily=False):
    driver, reference, folder = pair
    bias = Bias(reference.paths, method, daily)
    return Corrected(driver, reference, LON, LAT, bias, folder / f"{daily}.npz", lambda text, share: None)


@functools.cache
def states_of(files):
    """All records, read once."""
    with files.held_open():
        return [state(files, n, None, (26.0, 38.0)) for n in range(len(files.dates))]


def moments(files, change=None):
    """Mean and standard deviation of the years by month of temperature and lowest height, and their mean slope."""
    out = {}
    stamps = stamps_of(files)
    made = []
    for s, data in zip(stamps, states_of(files), strict=True):
        made.append((s, change(s, data) if change else data))
    for name in ("t", "u", "z"):
        all_ = np.array([d.fields[name][0, 2:-2, 2:-2] for _, d in made])
        by = all_.reshape(len(YEARS), 12, 2, -1).mean(2)
        slope = np.polyfit(np.arange(len(YEARS)), by.mean(1), 1)[0]
        years = np.arange(len(YEARS)) - 4.5
        fit = np.tensordot(years, by - by.mean(0), 1) / (years @ years)
        rest = by - by.mean(0) - years[:, None, None] * fit
        out[name] = by.mean(0), rest.std(0), slope
    return out, [d for _, d in made]


@pytest.mark.parametrize("method", BIAS_METHODS)
def test_files_of_two_calendars_give_the_references_moments(pair, method):
    correction = corrected(pair, method)
    new, states = moments(pair[0], correction)
    old, raw = moments(pair[0])
    wanted, _ = moments(pair[1])
    for name, close in (("t", 0.02), ("u", 0.02), ("z", 0.2)):
        assert np.abs(new[name][0] - wanted[name][0]).max() < close
        assert np.abs(old[name][0] - wanted[name][0]).max() > 50 * close
        spread = np.abs(new[name][1] / wanted[name][1] - 1.0).max()
        assert spread < 0.01 if method != "mean" else spread > 0.2
    assert np.abs(new["t"][2] / old["t"][2] - 1.0).max() < 0.01
    for before, a in zip(raw[::17], states[::17], strict=True):
        p = a.p[:, None, None]
        q, t, z = (a.fields[k][..., 1:-1, 1:-1] for k in ("q", "t", "z"))
        assert (q >= 0.0).all() and (q <= 1.05 * saturation(t, p)).all()
        tv = t * (1.0 + VIRTUAL * q)
        thick = R_DRY / GRAVITY * 0.5 * (tv[1:] + tv[:-1]) * np.log(p[:-1] / p[1:])
        off = np.abs(np.diff(z, axis=0) - thick).max()
        assert off < 0.1, off
        assert np.abs(t - before.fields["t"][..., 1:-1, 1:-1]).max() > 0.5


def test_a_reference_that_is_the_driver_changes_rounding_only(pair, tmp_path):
    for method in BIAS_METHODS:
        same = Corrected(
            pair[1], pair[1], LON, LAT, Bias(pair[1].paths, method, True), tmp_path / "x.npz", lambda a, b: None
        )
        data = state(pair[1], 7, None, (26.0, 38.0))
        new = same(stamps_of(pair[1])[7], data)
        for name, scale in (("t", 300.0), ("u", 30.0), ("q", 0.01), ("z", 3e4)):
            assert np.abs(new.fields[name] - data.fields[name]).max() < 1e-10 * scale, name


CASE = "start: {start}\nduration: PT1H\ncomponents:\n  atmosphere: {{model: nonhydrostatic}}\n"
AIR = (
    "step: PT10M\ngrid: {west: 108, east: 120, south: 26, north: 40, resolution: 2.0}\n"
    "nonhydrostatic: {levels: 8, top: 16000, relaxation_width: 4.4e5, boundary_layer: none}\n"
)


def case_at(folder, start):
    folder.mkdir()
    (folder / "case.yaml").write_text(CASE.format(start=start) + "calendar: noleap\n")
    (folder / "atmosphere.yaml").write_text(AIR)
    return folder


def test_prepare_corrects_and_writes_what_it_changed(pair, tmp_path, capsys):
    case = case_at(tmp_path / "case", "1985-06-08")
    files = [str(f.paths[0]) for f in pair[:2]]
    assert main(["prepare", str(case), files[0], "--reference", files[1], "--method", "mean_variance"]) == 0
    said = capsys.readouterr().out
    assert "bias corrected: mean by month and standard deviation of years of era5.nc over 1981 to 1990" in said
    assert "what was changed:" in said
    with netCDF4.Dataset(case / "atmosphere.bias.nc") as f:
        np.testing.assert_allclose(f["t_mean_change"][:].mean(), -2.0, atol=0.1)
        factor = f["t_interannual_factor"][:]  # 1 / 1.3 of the anomalies; the analyses' own weather is in both alike
        assert factor.min() > 0.3 and 1 / 1.3 < np.median(np.asarray(factor)) < 1.0
    assert (case / "atmosphere.bias.png").stat().st_size > 10_000
    with netCDF4.Dataset(case / "atmosphere.initial.nc") as f:
        warm = f["air_temperature"][0, 0].mean()
        assert "bias corrected" in f.comment
    main(["prepare", str(case), files[0]])
    with netCDF4.Dataset(case / "atmosphere.initial.nc") as f:
        assert 1.0 < f["air_temperature"][0, 0].mean() - warm < 4.0


def test_the_start_of_a_corrected_driver_converges_no_mass(pair, tmp_path):
    """Winds are corrected apart from the mass; the atmosphere brings columns what the corrected driver's mass gains."""
    case = case_at(tmp_path / "case", "1985-06-08")
    files = [str(f.paths[0]) for f in pair[:2]]
    assert main(["prepare", str(case), files[0], "--reference", files[1], "--method", "mean_variance"]) == 0
    grid = Grid.regular_lonlat("atmosphere", 108, 120, 26, 40, resolution=2.0)
    here = Context(
        name="atmosphere", clock=Clock("1985-06-08", calendar="noleap"), step=600, duration=3600, grid=grid,
        folder=case, grids={"default": grid}, decompositions={"default": Decomposition(grid.shape, None)},
        logger=lambda text: None,
    )  # fmt: skip
    made = [str(case / f"atmosphere.{kind}.nc") for kind in ("initial", "boundary")]
    options = {"levels": 8, "top": 16000, "relaxation_width": 4.4e5, "precision": "double", **DRY}
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(driver=made, **options))
    air.initialize(here)
    raw, _ = air.state_of(air.sides.source.start(air.sides.place))
    (begin, end), states = air.driver.times, air.driver.states
    gain = (column_mass(air.geometry, states[1]) - column_mass(air.geometry, states[0])) / (end - begin)
    before, after = (float((convergence(air.geometry, s) - gain).abs().max()) * 36.0 * GRAVITY for s in (raw, air.s))
    print(f"more than the driver's mass gains: {before:.2f} -> {after:.1e} hPa/h")
    assert before > 0.1 and after < 1e-11


@pytest.mark.parametrize("method", ["mean", "mean_variance"])
def test_june_is_not_corrected_by_january(shared, tmp_path, capsys, method):
    case = case_at(tmp_path / "case", "2001-06-01")
    before = sorted(case.iterdir())
    air = shared / "data/atmosphere"
    ncep, era5 = str(air / "NCEP_06_climo.nc"), str(air / "era5_tl31_19590102T00.nc")
    assert main(["prepare", str(case), ncep, "--reference", era5, "--method", method]) == 2
    said = capsys.readouterr().err
    assert "the reference lacks June, which the run needs; it has January" in said
    assert "at least 10 years" in said
    assert sorted(case.iterdir()) == before
