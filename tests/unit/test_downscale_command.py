# SPDX-License-Identifier: BSD-3-Clause
"""`downscale`: members of a run's fields on a finer grid, their coarse means, their seeds, and what is refused."""

import shutil

import netCDF4
import numpy as np
import pytest
import xarray as xr

from components.ml_surrogates.downscaling import files, fine_runs, scenes, training, two_steps
from components.ml_surrogates.downscaling.__main__ import main
from coupler.analysis.records import fields_of
from coupler.errors import CaseError
from coupler.grids.grid import Grid
from coupler.grids.refined import blocks, refined
from coupler.remap.weights import make_weights
from tests.toys.cases import edit, tessera, write_case

LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
FIELDS = ["air_temperature_at_2m", "precipitation_flux"]


def case_of(folder, cells, spacing, **stream):
    """A case of the toy weather on a Lambert grid, with hourly means of its output."""
    grid = {"projection": LAMBERT, "nx": cells[1], "ny": cells[0], "spacing": spacing, "center": [120.0, 33.0]}
    output = {"name": "hourly", "fields": FIELDS, "period": "PT1H", "statistic": "mean", **stream}
    air = {"model": "tests.toys.surface_weather:Weather", "step": "PT30M", "grid": grid, "output": [output]}
    return write_case(folder, {"air": {**air, "realm": "atmosphere"}}, [], inline=True, duration="PT3H")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Networks of a few steps from a fine run of the toy."""
    folder = case_of(tmp_path_factory.mktemp("fine") / "fine", (40, 48), 25000)
    tessera(folder, "--serial")
    out = folder / "small"
    history = folder / "run" / "history" / "air.hourly.nc"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fine_runs.read, "__defaults__", (4, 0, 0))
        main(
            [
                "train",
                "--truth",
                str(history),
                "--out",
                str(out),
                "--regression",
                "3",
                "--diffusion",
                "3",
                "--width",
                "8",
            ]
        )
    return out


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    folder = case_of(tmp_path_factory.mktemp("coarse") / "coarse", (9, 10), 100000)
    tessera(folder, "--serial")
    return folder


def test_members_have_the_means_of_the_run_and_their_seeds(coarse, trained, tmp_path):
    """Two members on 36 x 40 cells; another number of members, or another run of the command, changes no bit."""
    out = tmp_path / "two.nc"
    said = tessera("downscale", coarse, "--network", trained, "--members", "2", "--out", out).stdout
    assert "2 members on 40 x 36 cells" in said
    first = coarse / "run" / "downscaled" / "air.hourly.nc"
    tessera("downscale", coarse, "--network", trained, "--members", "1")
    with xr.open_dataset(out) as two, xr.open_dataset(first) as one:
        with xr.open_dataset(coarse / "run" / "history" / "air.hourly.nc") as given:
            assert two.sizes["realization"] == 2 and two.time.equals(given.time)
            for name, unit in (("air_temperature_at_2m", 1.0), ("precipitation_flux", 1e-5)):
                fine, wanted = two[name].values, given[name].values
                means = fine.reshape(3, 2, 9, 4, 10, 4).mean((3, 5))
                assert np.abs(means - wanted[:, None]).max() < 0.02 * wanted.std() + 1e-3 * unit
                assert np.array_equal(one[name].values[:, 0], fine[:, 0])
                assert np.abs(fine[:, 0] - fine[:, 1]).max() > 0.01 * unit
                assert two[name].attrs["cell_methods"] == "time: mean"
            assert two.precipitation_flux.values.min() >= 0.0
            assert two.realization.attrs["standard_name"] == "realization"
            assert two.height_2m == 2.0 and "SHA-256" in two.attrs["source"]


def test_the_networks_that_come_with_the_project_are_those_without_a_word(coarse, tmp_path):
    out = tmp_path / "shipped.nc"
    tessera("downscale", coarse, "--members", "1", "--out", out)
    history = coarse / "run" / "history" / "air.hourly.nc"
    with xr.open_dataset(out) as fine, xr.open_dataset(history) as given:
        assert "network east_asia" in fine.attrs["source"]
        means = fine.air_temperature_at_2m.values.reshape(3, 9, 4, 10, 4).mean((2, 4))
        assert np.abs(means - given.air_temperature_at_2m.values).max() < 0.01
        assert 0.05 < float((fine.air_temperature_at_2m.values - np.kron(means, np.ones((4, 4)))).std()) < 5.0


def test_a_day_alone_and_values_never_seen_are_told(coarse, trained, tmp_path):
    other = tmp_path / "cold"
    case_of(other, (9, 10), 100000)
    edit(other, [("case.yaml", "step: PT30M", "step: PT30M\n    options: {mean: 250 K}")])
    tessera(other, "--serial")
    said = tessera("downscale", other, "--network", trained, "--members", "1", "--day", "2001-01-01").stdout
    assert "of the values of air_temperature_at_2m lie outside what the network has seen" in said
    failed = tessera("downscale", other, "--network", trained, "--day", "2001-01-02", check=False)
    assert failed.returncode and "has no record that ends on 2001-01-02" in failed.stderr


def test_units_of_a_history_are_obeyed_and_no_file_is_lost(coarse, trained, tmp_path):
    """Degrees and millimetres a day give the same file; one that is there stays, the run's own output always."""
    other = tmp_path / "other"
    case_of(other, (9, 10), 100000)
    history = other / "run" / "history" / "air.hourly.nc"
    history.parent.mkdir(parents=True)
    shutil.copy(coarse / "run" / "history" / "air.hourly.nc", history)
    words = ("downscale", other, "--network", trained, "--members", "1")
    whole = history.read_bytes()
    history.write_bytes(whole[: len(whole) // 2])
    refused = tessera(*words, check=False)
    assert refused.returncode and "is cut short or damaged" in refused.stderr
    for read in (fine_runs.read, fields_of):
        with pytest.raises(CaseError, match="is cut short or damaged"):
            read(history)
    history.write_bytes(whole)
    tessera(*words)
    with netCDF4.Dataset(history, "a") as file:
        file[FIELDS[1]].units = "W m-2"
    refused = tessera(*words, "--out", tmp_path / "none.nc", check=False)
    assert refused.returncode and "precipitation_flux: cannot convert 'W m-2'" in refused.stderr
    assert not list(tmp_path.glob("*none*"))
    with netCDF4.Dataset(history, "a") as file:
        for name, factor, offset, units in ((FIELDS[0], 1.0, -273.15, "degC"), (FIELDS[1], 86400.0, 0.0, "mm d-1")):
            file[name][:], file[name].units = file[name][:] * factor + offset, units
    (first,) = (other / "run" / "downscaled").iterdir()
    before = first.read_bytes()
    refused = tessera(*words, check=False)
    assert refused.returncode and "is there already" in refused.stderr and first.read_bytes() == before
    refused = tessera(*words, "--overwrite", "--out", history, check=False)
    assert refused.returncode and "is the output that is made finer" in refused.stderr
    tessera(*words, "--out", tmp_path / "again.nc")
    with xr.open_dataset(first) as one, xr.open_dataset(tmp_path / "again.nc") as two:
        for name in FIELDS:
            np.testing.assert_allclose(two[name].values, one[name].values, rtol=2e-4, atol=1e-10)
            assert two[name].units == one[name].units
    tessera(*words, "--overwrite", "--seed", "2")
    assert first.read_bytes() != before


def test_what_cannot_be_made_finer_is_refused_with_the_remedy(coarse, trained, tmp_path):
    def refused(*words):
        done = tessera("downscale", *words, check=False)
        assert done.returncode
        return done.stderr

    assert "run the case first" in refused(case_of(tmp_path / "new", (9, 10), 100000), "--network", trained)
    daily = case_of(tmp_path / "instants", (9, 10), 100000, statistic="instant")
    assert "air.hourly has instant of PT1H; add one to  output:" in refused(daily, "--network", trained)
    assert "found: none has them" in refused(
        case_of(tmp_path / "one", (9, 10), 100000, fields=FIELDS[:1]), "--network", trained
    )
    small = case_of(tmp_path / "small", (9, 10), 50000)
    tessera(small, "--serial")
    assert "was trained on cells of" in refused(small, "--network", trained)
    assert "does not exist; train a model" in refused(coarse, "--network", tmp_path / "none")
    assert "expected 1 to 999" in refused(coarse, "--members", "0")
    assert "has no component 'sea'" in refused(coarse, "--network", trained, "--component", "sea")
    ideal = tmp_path / "ideal"
    s = scenes.Scene(np.zeros((1, 2, 8, 8)), np.zeros((1, 1, 8, 8)), 4)
    files.save(ideal, two_steps.Downscaling(fine_runs.FIELDS, width=8), s, 1, training.Course(0.0, 0.0))
    assert "does not say for which cells" in refused(coarse, "--network", ideal)


@pytest.mark.parametrize("crs", [LAMBERT, None])
def test_a_refined_grid_nests_in_its_own_to_round_off(crs):
    """Conservative weights of blocks of fine cells: 16 each, that cover them whole."""
    if crs:
        coarse = Grid.projected("coarse", crs, 5, 4, 100e3, center=(112, 30))
        fine = Grid.projected("fine", crs, 20, 16, 25e3, center=(112, 30))
    else:
        coarse = Grid.regular_lonlat("coarse", 100, 105, 20, 24, resolution=1.0)
        fine = Grid.regular_lonlat("fine", 100, 105, 20, 24, resolution=0.25)
    made = refined(coarse, 4)
    for name in ("longitude", "latitude", "corner_longitude", "corner_latitude"):
        np.testing.assert_allclose(getattr(made, name), getattr(fine, name), atol=1e-9)
    weights = make_weights(made, blocks(made, 4), "conservative")
    assert weights.matrix.nnz == 16 * coarse.size and np.abs(weights.covered - 1.0).max() < 1e-12


def test_the_ground_has_relief_and_coasts():
    """Tibet, and the sea off Taiwan."""
    from components.ml_surrogates.downscaling.ground import under

    high = under(Grid.regular_lonlat("high", 85, 90, 30, 35, resolution=1.0))
    sea = under(Grid.regular_lonlat("sea", 125, 130, 20, 24, resolution=1.0))
    assert high[0].min() > 3.0 and high[1].min() > 0.9  # lakes are land
    assert np.abs(sea).max() < 0.05


def test_the_ground_has_the_coasts_of_the_runs(tmp_path):
    """Yellow Sea at 25 km: land where a run's prescribed sea has no cell, not where the share is under half."""
    from components.ml_surrogates.downscaling.ground import SEA, under
    from components.ocean.data.component import DataOcean
    from coupler.clock import Clock
    from coupler.component import Setting

    crs = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
    grid = Grid.projected("fine", crs, 56, 56, 25000.0, center=(126.0, 36.0))
    run = Setting("sea", Clock("1959-01-02"), 600, 86400, grid, tmp_path)
    sea = DataOcean(DataOcean.Options(file=str(SEA))).grids(run)["default"].mask.reshape(grid.shape)
    ground = under(grid)
    np.testing.assert_array_equal(ground[2], ~sea)
    assert 0.02 < np.mean((ground[1] > 0.5) == sea) < 0.2


def test_histories_that_cannot_be_truth_are_refused(tmp_path, coarse):
    with pytest.raises(CaseError, match="does not exist; name history files"):
        fine_runs.read(tmp_path / "none.nc")
    history = coarse / "run" / "history" / "air.hourly.nc"
    with pytest.raises(CaseError, match="values in all rows and columns after 6 records"):
        fine_runs.read(history)
    with netCDF4.Dataset(tmp_path / "other.nc", "w") as file:
        file.createDimension("time", 1)
    with pytest.raises(CaseError, match="has no air_temperature_at_2m, precipitation_flux"):
        fine_runs.read(tmp_path / "other.nc")
