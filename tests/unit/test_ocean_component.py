# SPDX-License-Identifier: BSD-3-Clause
"""The regional ocean as a component: ranks and restarts give the same bits, exports are plausible.

Errors say what to do.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import gsw
import netCDF4
import numpy as np
import pytest

from components.ocean.primitive.component import PrimitiveOcean
from components.ocean.primitive.inputs import read_inputs
from components.ocean.primitive.stencil import inner
from components.ocean.primitive.surface import SHORTWAVE_BANDS
from components.ocean.primitive.tides import equilibrium_arguments, longitudes, node_factors
from components.science.constants import LATENT_FUSION
from coupler.component import Setting
from coupler.errors import ForcingError
from coupler.grids.grid import Grid
from tests.mpi.ocean_ranks import context, imports, run
from tests.toys import forked

STEPS = 4


@pytest.fixture(scope="module")
def serial():
    return run(Path("."), STEPS)


def run_on(ranks, steps, out, root, **options):
    """State after some steps on several ranks."""
    command = [
        str(Path(sys.executable).parent / "mpirun"), "--allow-run-as-root", "--oversubscribe", "-n", str(ranks),
        *forked.python(), "-m", "tests.mpi.ocean_ranks", str(out), str(steps), json.dumps(options),
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load(out)


@pytest.mark.ranks
@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_give_the_same_bits(serial, ranks, tmp_path, root):
    """1, 2 and 4 ranks: every prognostic field of the restart, bit for bit."""
    parallel = run_on(ranks, STEPS, tmp_path / "state.npz", root)
    for name, value in serial.items():
        assert np.array_equal(parallel[name], value), name


@pytest.mark.ranks
def test_radiating_edges_give_the_same_bits(serial, tmp_path, root):
    """With radiation at the open edges: 1 and 2 ranks and a restart, bit for bit, and not the bits without."""
    radiating = {"baroclinic_edges": "radiation"}
    whole = run(Path("."), STEPS, **radiating)
    parallel = run_on(2, STEPS, tmp_path / "state.npz", root, **radiating)
    rest = run(Path("."), STEPS, kept=run(Path("."), STEPS // 2, **radiating), **radiating)
    for name, value in whole.items():
        assert np.array_equal(parallel[name], value), name
        assert np.array_equal(rest[name], value), name
    assert not np.array_equal(whole["u"], serial["u"])
    assert np.abs(whole["u"] - serial["u"]).max() < 0.5


def test_restart_gives_the_same_bits(serial):
    """Two steps, a restart, two steps."""
    half = run(Path("."), STEPS // 2)
    rest = run(Path("."), STEPS, kept=half)
    for name, value in serial.items():
        assert np.array_equal(rest[name], value), name


def test_exports_are_plausible():
    """Temperatures in kelvin, no motion at the start, motion after a step."""
    c = context(Path("."))
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc"))
    start = ocean.initialize(c)
    wet = ocean.grids(c)["default"].mask
    sst = start["sea_surface_temperature"][wet]
    assert 270.0 < sst.min() < 276.0 and 300.0 < sst.max() < 305.0
    conservative, salinity = (inner(a[0]).numpy()[wet] for a in ocean.now.tracers[:2])
    np.testing.assert_allclose(sst - 273.15, gsw.pt_from_CT(salinity, conservative), rtol=0, atol=1e-10)
    assert np.abs(sst - 273.15 - conservative).max() > 0.05  # of the waters off China, which are fresher
    assert np.all(start["surface_eastward_sea_water_velocity"] == 0.0)
    after = ocean.step(0, 3600, imports(0, c))
    assert 0.01 < np.abs(after["surface_eastward_sea_water_velocity"]).max() < 2.0
    assert set(after) == {spec.name for spec in ocean.exports}


EDDIES = {"isoneutral_diffusivity": 1000.0, "thickness_diffusivity": 800.0, "overflow_diffusivity": 1500.0}


@pytest.mark.parametrize("eddies", [{}, EDDIES], ids=["none", "eddies and overflows"])
def test_heat_water_and_salt_close_with_open_edges(eddies):
    """What the imports bring is what the budget gains, to 1e-12 of the content; the sides bring far more than that."""
    c = context(Path("."))
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc", **eddies))
    ocean.initialize(c)
    g, p = ocean.ocean.g, ocean.ocean.p
    area = inner(g.area_t * g.active_t).numpy()
    before = ocean.budget()
    given = {"heat": 0.0, "water": 0.0, "salt": 0.0}
    for n in range(6):
        fluxes = imports(3600 * n, c)
        fluxes["snowfall_flux"] = 0.5 * fluxes["precipitation_flux"]
        ocean.step(3600 * n, 3600, fluxes)
        given["heat"] += 3600 * (area * fluxes["surface_downward_heat_flux_in_sea_water"]).sum()
        given["heat"] -= 3600 * LATENT_FUSION * (area * fluxes["snowfall_flux"]).sum()  # melts in the sea
        given["water"] += 3600 * (area * fluxes["precipitation_flux"]).sum()
    after = ocean.budget()
    content = (inner(g.depth_t).numpy() * area).sum() * p.rho0
    scale = {"heat": (before["heat"] * area).sum(), "water": content, "salt": (before["salt"] * area).sum()}
    sides = {
        "heat": (ocean.now.side_content[0].numpy() * area).sum() * p.rho0 * p.heat_capacity,
        "water": (ocean.now.side_volume.numpy() * area).sum() * p.rho0,
        "salt": (ocean.now.side_content[1].numpy() * area).sum() * p.rho0 * 1e-3,
    }
    for name in given:
        residual = (area * (after[name] - before[name])).sum() - given[name]
        print(f"{name}: residual {residual / scale[name]:.1e}, sides {sides[name] / scale[name]:.1e} of the content")
        assert abs(residual) < 1e-12 * scale[name]
        assert abs(sides[name]) > 1e-9 * scale[name]


def test_heat_of_freezing_is_exported_and_survives_a_restart():
    """Under strong cooling ice forms: the exported flux adds up to the heat booked, and a restart exports the same."""
    name = "heat_flux_into_sea_water_due_to_freezing_of_frazil_ice"
    c = context(Path("."))
    ocean, other = (PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc")) for _ in range(2))
    assert np.all(ocean.initialize(c)[name] == 0.0)
    total = np.zeros(c.grid.shape)
    for n in range(4):
        cold = {**imports(0, c), "surface_downward_heat_flux_in_sea_water": np.full(c.grid.shape, -8000.0)}
        out = ocean.step(3600 * n, 3600, cold)
        total += 3600 * out[name]
    assert (out[name] >= 0.0).all() and out[name].max() > 100.0
    np.testing.assert_allclose(total, ocean.diagnostics()["heat_of_freezing"], rtol=1e-12)
    other.initialize(c)
    again = other.restore(ocean.state())
    assert all(np.array_equal(again[key], value) for key, value in out.items())


def test_a_grid_that_does_not_fit_is_refused():
    """The message names the grid of the file."""
    c = context(Path("."))
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc"))
    other = Setting("ocean", c.clock, 3600, 86400, Grid.regular_lonlat("o", 99, 150, -5, 52, resolution=1.0), c.folder)
    with pytest.raises(ForcingError, match=r"west 99, east 150, south -5, north 52, resolution 0.5"):
        ocean.grids(other)


def test_a_restart_knows_another_sea_floor_and_takes_another_hydrography(tmp_path, root):
    """One cell deeper by a metre: another mark; other water over the same floor: the same."""
    path = tmp_path / "sea.nc"
    path.write_bytes((root / "data" / "east_asia_primitive_ocean.nc").read_bytes())
    ocean, c = PrimitiveOcean(PrimitiveOcean.Options(file="sea.nc")), context(tmp_path)
    marks = [ocean.state_marks(c)]
    for name, more in (("sea_water_conservative_temperature", 1.0), ("sea_floor_depth_below_geoid", 1.0)):
        with netCDF4.Dataset(path, "a") as data:
            row, column = np.argwhere(data["sea_floor_depth_below_geoid"][:] > 100.0)[0]
            data[name][..., row, column] = data[name][..., row, column] + more
        marks.append(ocean.state_marks(c))
    assert marks[0] == marks[1] != marks[2]
    assert marks[0]["sea_floor"].startswith("6926 columns, 20 to 5500 m deep, 25 levels (fingerprint ")


def test_light_ends_where_the_water_of_the_file_says(tmp_path, root):
    """Type by type the bands of Paulson and Simpson; one type for all; a file that does not say is refused."""
    path = tmp_path / "sea.nc"
    path.write_bytes((root / "data" / "east_asia_primitive_ocean.nc").read_bytes())
    c, options = context(tmp_path), PrimitiveOcean.Options
    types = read_inputs(path).water_type
    mixed, one = (PrimitiveOcean(options(file="sea.nc", jerlov=water)) for water in ("file", "III"))
    for ocean in (mixed, one):
        ocean.initialize(c)
    g = mixed.ocean.g
    for water, (red, d1, d2) in SHORTWAVE_BANDS.items():
        there = (types == list(SHORTWAVE_BANDS).index(water)) & (inner(g.depth_t).numpy() > 50.0)
        if not there.any():
            continue
        z = inner(g.interface)[1].numpy()[there]  # of the second level, which is whole there
        below = red * np.exp(-z / d1) + (1.0 - red) * np.exp(-z / d2)
        np.testing.assert_allclose(1.0 - inner(mixed.ocean.absorbed)[:2].sum(0).numpy()[there], below, rtol=1e-12)
    third = types == list(SHORTWAVE_BANDS).index("III")
    assert 1000 < third.sum() and {*np.unique(types)} == {list(SHORTWAVE_BANDS).index(n) for n in ("I", "II", "III")}
    both = [inner(ocean.ocean.absorbed).numpy()[:, third] for ocean in (mixed, one)]
    assert np.array_equal(*both)
    with netCDF4.Dataset(path, "a") as data:
        data["jerlov_water_type"].delncattr("flag_meanings")
    assert "jerlov_water_type needs flag_values and flag_meanings" in mixed.check(c)[0]
    with netCDF4.Dataset(path, "a") as data:
        data.renameVariable("jerlov_water_type", "none_of_it")
    assert "jerlov: file needs jerlov_water_type in sea.nc" in mixed.check(c)[0] and one.check(c) == []


def test_tides_come_in_at_the_edges(tmp_path, root):
    """M2 of 0.5 m in the file: the level of the ring follows it; without tides `check` says what is missing."""

    path = tmp_path / "tidal.nc"
    path.write_bytes((root / "data" / "east_asia_primitive_ocean.nc").read_bytes())
    with netCDF4.Dataset(path, "a") as data:
        data.createDimension("constituent", 8)
        for edge, dimension in (("eastern", "latitude"), ("southern", "longitude")):
            for part, value in (("amplitude", 0.5), ("phase", 0.0)):
                variable = data.createVariable(f"{edge}_tide_{part}", "f8", ("constituent", dimension))
                variable[:] = 0.0
                variable[0] = value
        data.tide_reference = "2001-01-01"
    c = context(tmp_path)
    without = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc", tides=True))
    assert any("eastern_tide_amplitude" in message for message in without.check(c))
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="tidal.nc", tides=True, radiation=1.0))
    assert ocean.check(c) == []
    ocean.initialize(c)
    base = ocean.outside.eta.clone()
    for n in range(3):
        ocean.step(3600 * n, 3600, imports(0, c))
    expected = 0.5 * np.cos(np.radians(28.9841042 * 3))
    ring = (ocean.ocean.g.wet_t > ocean.ocean.g.active_t).numpy()
    assert (ocean.now.eta - base).numpy()[ring] == pytest.approx(expected, abs=1e-12)
    with netCDF4.Dataset(path, "a") as data:
        data.tide_reference = "Greenwich"
    ocean.initialize(c)
    ocean.step(0, 3600, imports(0, c))
    days = 366 - 0.5  # 2001-01-01 after noon of 2000-01-01
    f, u = node_factors(longitudes(days + 1 / 24).node, ("M2",))
    argument = equilibrium_arguments(days, ("M2",)) + u + 28.9841042
    expected = 0.5 * f[0] * np.cos(np.radians(argument[0]))
    assert (ocean.now.eta - base).numpy()[ring] == pytest.approx(expected, abs=1e-12)
