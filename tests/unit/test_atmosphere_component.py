# SPDX-License-Identifier: BSD-3-Clause
"""The non-hydrostatic atmosphere as a component: ranks and restarts give the same bits, exports are plausible.

Errors say what to do.
"""

import os
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import BlowUp, NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.dynamics import regional
from components.atmosphere.nonhydrostatic.dynamics.stability import warn_if_too_long
from coupler.fields import dictionary
from coupler.files.restart import complete
from tests.mpi.atmosphere_ranks import context, run, surface
from tests.toys import forked

STEPS = 4


@pytest.fixture(scope="module")
def serial():
    return {precision: run(STEPS, precision=precision) for precision in ("single", "double")}


@pytest.mark.ranks
@pytest.mark.parametrize(("ranks", "precision"), [(4, "single"), (2, "double")])
def test_ranks_give_the_same_bits(serial, ranks, precision, tmp_path, root):
    """Every prognostic field of the restart, bit for bit, with all physics on."""
    out = tmp_path / "state.npz"
    command = [
        str(Path(sys.executable).parent / "mpirun"), "--allow-run-as-root", "--oversubscribe", "-n", str(ranks),
        *forked.python(), "-m", "tests.mpi.atmosphere_ranks", str(out), str(STEPS), precision,
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    parallel = np.load(out)
    for name, value in serial[precision][0].items():
        assert np.array_equal(parallel[name], value), name


@pytest.mark.parametrize("precision", ["single", "double"])
def test_restart_gives_the_same_bits(serial, precision):
    """Two steps, a restart between two calls of the radiation, two steps."""
    half, _ = run(STEPS - 1, precision=precision)
    rest, _ = run(STEPS, kept=half, precision=precision)
    for name, value in serial[precision][0].items():
        assert np.array_equal(rest[name], value), name


def test_exports_are_within_the_ranges_of_the_dictionary(serial):
    _, exports = serial["single"]
    names = {spec.name for spec in NonhydrostaticAtmosphere.exports}
    assert set(exports) == names
    for name, value in exports.items():
        low, high = dictionary()[name]["range"]
        assert value.dtype == np.float64 and np.isfinite(value).all(), name
        assert low <= value.min() and value.max() <= high, name
    assert 270.0 < exports["air_temperature"].mean() < 300.0
    assert 98000.0 < exports["air_pressure_at_mean_sea_level"].mean() < 102500.0
    assert exports["surface_air_pressure"].min() < 65000.0, "Tibet is there"
    assert exports["surface_downwelling_shortwave_flux_in_air"].max() > 700.0
    assert exports["precipitation_flux"].max() > 0.0
    np.testing.assert_allclose(
        exports["precipitation_flux"], exports["rainfall_flux"] + exports["snowfall_flux"], rtol=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "tolerance"), [("double", 1e-11), ("single", 1e-5)])
def test_compiled_agrees_with_eager_after_an_hour(precision, tolerance):
    """Root mean square over that of the field; clouds may switch, so the dry, adiabatic model is compared."""
    off = {"microphysics": "none", "convection": "none", "boundary_layer": "none", "radiation": "none"}
    eager, _ = run(6, precision=precision, **off)
    compiled, _ = run(6, compile=True, precision=precision, **off)
    for name in ("momentum_x_west", "momentum_y_south", "mass", "heat"):
        difference = np.sqrt(((eager[name] - compiled[name]) ** 2).mean() / (eager[name] ** 2).mean())
        print(precision, name, difference)
        assert difference < tolerance, name


def options(**more):
    return NonhydrostaticAtmosphere.Options(**more)


@pytest.mark.parametrize(("word", "dynamics", "columns"), [(True, True, True), ("dynamics", True, False), (False,) * 3])
def test_what_is_compiled_by_word(word, dynamics, columns):
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(radiation="none", compile=word))
    air.initialize(context())
    assert (air.core.compiler is not None) == dynamics
    assert (air.physics.compiler is not None) == columns


def test_clouds_know_where_land_is():
    """Shares of land by cell: of the relief's file all of Tibet and none of the Philippine Sea; of none, unknown."""
    air = NonhydrostaticAtmosphere(options(radiation="none"))
    air.initialize(context())
    land, grid = air.physics.land, context().grid
    at = lambda lon, lat: float(land.flatten()[int(np.hypot(grid.longitude - lon, grid.latitude - lat).argmin())])  # noqa: E731
    assert at(90.0, 33.0) == 1.0 and at(135.0, 25.0) == 0.0
    assert 0.0 <= float(land.min()) and float(land.max()) <= 1.0 and bool(((land > 0.1) & (land < 0.9)).any()), "coasts"
    assert air.physics._columns._where[0] is land
    flat = NonhydrostaticAtmosphere(options(radiation="none", relief=""))
    flat.initialize(context())
    assert flat.physics.land is None


def test_land_of_a_cell_is_the_mean_of_the_files(tmp_path):
    """A share that grows by .1 a degree eastwards is at its centre what it is in the mean of a cell."""
    path = tmp_path / "relief.nc"
    with netCDF4.Dataset(path, "w") as f:
        for name, values in (("latitude", np.arange(40.0, 29.0, -1.0)), ("longitude", np.arange(100.0, 111.0))):
            f.createDimension(name, values.size)
            f.createVariable(name, "f8", (name,))[:] = values
        f.createVariable("surface_altitude", "f8", ("latitude", "longitude"))[:] = 500.0
    lon, lat = np.meshgrid(np.array([102.0, 104.0, 107.0]), np.array([32.0, 35.0]))
    assert regional.mean_land(path, lon, lat) is None
    with netCDF4.Dataset(path, "a") as f:
        f.createVariable("land_area_fraction", "f8", ("latitude", "longitude"))[:] = np.linspace(0.0, 1.0, 11)
    assert regional.mean_land(path, lon, lat) == pytest.approx(np.array([[0.3, 0.55]]))
    assert regional.mean_relief(path, lon, lat) == pytest.approx(np.array([[150.0, 275.0]]))


def test_a_step_that_the_sound_waves_do_not_allow_is_refused_with_one_that_they_do():
    c = context(step=3600)
    (problem,) = NonhydrostaticAtmosphere(options()).check(c)
    assert "too long" in problem and "at most" in problem and "acoustic steps" in problem
    assert NonhydrostaticAtmosphere(options()).check(context(step=600)) == []


def test_an_interval_that_the_step_does_not_divide_is_refused():
    """At steps of seven minutes an hourly radiation would come every seven hours."""
    (problem,) = NonhydrostaticAtmosphere(options(radiation="gray")).check(context(step=420))
    assert "radiation_interval (PT1H) is not a multiple of the step (PT7M)" in problem
    assert NonhydrostaticAtmosphere(options(radiation="none")).check(context(step=420)) == []
    nudged = options(radiation="none", nudging_wavelength=2.0e6)
    (problem,) = NonhydrostaticAtmosphere(nudged).check(context(step=420))
    assert "nudging_interval (PT1H) is not a multiple of the step (PT7M)" in problem


def test_missing_files_are_named():
    problems = NonhydrostaticAtmosphere(options(relief="mountains.nc", driver=["air.nc"])).check(context())
    assert len(problems) == 2
    assert "mountains.nc does not exist" in problems[0] and "air.nc does not exist" in problems[1]


def test_driving_data_that_do_not_cover_the_grid_are_refused(tmp_path):
    path = tmp_path / "air.nc"
    with netCDF4.Dataset(path, "w") as f:
        for name, values in (
            ("lat", np.arange(20.0, 41.0)),
            ("lon", np.arange(90.0, 131.0)),
            ("plev", [1e5, 5e4, 1e4]),
        ):
            f.createDimension(name, len(values))
            f.createVariable(name, "f8", (name,))[:] = values
        f["plev"].units = "Pa"
        for name, value in (("ua", 1.0), ("va", 1.0), ("ta", 280.0), ("zg", 1.0), ("hus", 0.001)):
            f.createVariable(name, "f4", ("plev", "lat", "lon"))[:] = value
    (problem,) = NonhydrostaticAtmosphere(options(driver=[str(path)])).check(context())
    assert "the grid reaches from" in problem and "the data from 20.0 to 40.0 N" in problem


def test_an_unknown_scheme_is_refused_with_the_choices():
    with pytest.raises(ValueError, match="mixed_phase"):
        options(microphysics="thomson")


def calm(c):
    """The atmosphere without physics at its start."""
    air = NonhydrostaticAtmosphere(
        options(radiation="none", microphysics="none", convection="none", boundary_layer="none")
    )
    return air, air.initialize(c)


def test_blow_up_names_field_level_cell_and_the_last_restart(tmp_path):
    c = context()
    c.folder = tmp_path
    text = (
        r"unstable before 2001-06-01T03:10:00: vertical velocity nan at interface \d+, row \d+, column \d+"
        r" \([\d.]+ N [\d.]+ E\); {}; take a shorter step"
    )
    air, exports = calm(c)
    air.s.rw[3, 10, 12] = float("nan")
    with pytest.raises(BlowUp, match=text.format("there is no restart to go on from")):
        air.step(0, 600, surface(c, exports))
    folder = tmp_path / "run/restart"
    (folder / ".part").mkdir(parents=True)
    complete(folder / ".part", folder / "2001-06-01T030000", {"time": 0, "components": {}})
    with pytest.raises(BlowUp, match=text.format(r"the last good restart is .*2001-06-01T030000 \(--continue\)")):
        air.step(0, 600, surface(c, exports))


def test_a_flow_too_fast_for_the_step_is_said_with_the_number_and_a_step_that_holds():
    c = context()
    said = []
    c.logger = said.append
    air, _ = calm(c)
    assert not any("Courant" in line for line in said)
    number = warn_if_too_long(c, air.geometry, air.s, 600.0)
    assert 0.05 < number < 1.42  # 40 m/s, 200 km, 600 s
    assert warn_if_too_long(c, air.geometry, air.s, 600.0 * 2.84 / number) == pytest.approx(2.84, rel=1e-5)
    (line,) = [line for line in said if "Courant" in line]
    assert "Courant number 2.84 in row" in line and f"take at most {600.0 * 0.9 * 1.42 / number:.0f} s" in line
