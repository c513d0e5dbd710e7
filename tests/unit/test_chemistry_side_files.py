# SPDX-License-Identifier: BSD-3-Clause
"""Files of the sides: what they say arrives at the layers' pressures, and what cannot be used is told."""

import netCDF4
import numpy as np
import pytest
import torch

from components.chemistry.regional.parameters import SideFile
from components.chemistry.regional.side_files import SideFiles, problems
from components.science.constants import DRY_AIR_MOLAR_MASS
from components.science.tracers import Species, Tracer
from coupler.clock import Clock
from coupler.component import Setting
from coupler.grids.grid import Grid
from tests.toys.air_fields import LEVELS, write

SPECIES = Species([Tracer("CO", "mol mol-1"), Tracer("O3", "mol mol-1"), Tracer("sulfate"), Tracer("age", "s")])
WHOLE = slice(None), slice(None)
P = np.exp(np.linspace(np.log(101000.0), np.log(1000.0), 30))
NAN = float("nan")


def setting(folder, days=1):
    grid = Grid.regular_lonlat("air", 98.0, 122.0, 20.0, 44.0, resolution=1.5)
    return Setting("chemistry", Clock("2001-06-01"), 600, days * 86400, grid, folder)


def linear(day, p, lat, lon):
    """What interpolation gives exactly: linear in time, ln p, latitude and longitude."""
    return 1.0e-9 * ((1.0 + 0.5 * day) * (40.0 - 3.0 * np.log(p / 1e5)) + 0.1 * lat + 0.05 * lon)


def entry(**more):
    return SideFile(**{"file": "air.nc", "variable": "gas", "species": {"O3": 1.0}, **more})


def onto(here, time=0, entries=None, block=WHOLE, background=-1.0):
    grid = here.grid
    ny, nx = grid.shape
    p = torch.tensor(P)[:, None, None].expand(-1, ny, nx)[:, block[0], block[1]]
    out = torch.full((len(SPECIES), *p.shape), background, dtype=torch.float64)
    files = SideFiles(entries or [entry()], here, SPECIES, block)
    files.onto(out, time, p)
    files.close()
    return out


def exact(here, day):
    grid = here.grid
    p = np.clip(P, None, LEVELS[0])[:, None, None]
    return linear(day, p, grid.latitude[None], grid.longitude[None])


def test_a_linear_field_on_pressure_levels_arrives_exactly_and_the_background_goes_on_above(tmp_path):
    write(tmp_path / "air.nc", {"gas": ("mol mol-1", "", linear)}, times=(0.0, 1.0, 2.0))
    here = setting(tmp_path, days=2)
    found = onto(here, time=36 * 3600)[1].numpy()
    reached = P >= LEVELS[-1]
    assert 0 < reached.sum() < len(P)
    assert np.allclose(found[reached], exact(here, 1.5)[reached], rtol=1e-12)
    assert (found[~reached] == -1.0).all()
    part = slice(3, 9), slice(4, 7)
    assert np.array_equal(onto(here, 36 * 3600, block=part)[1].numpy(), found[:, part[0], part[1]])


def test_hybrid_levels_have_the_pressure_of_their_formula(tmp_path):
    """A profile in ln p on levels that follow the ground; the pressure of these is bilinear, so nearly exact."""
    flat = {"gas": ("mol mol-1", "", lambda day, p, lat, lon: linear(day, p, 0.0, 0.0))}
    write(tmp_path / "air.nc", flat, hybrid=True)
    found = onto(setting(tmp_path, days=0))[1].numpy()
    there = (P < 60000.0) & (P >= LEVELS[-1])
    assert np.allclose(found[there], linear(0.0, P[there, None, None], 0.0, 0.0), rtol=2e-4)


def test_a_climatology_of_months_comes_back_every_year(tmp_path):
    months = [30.4 * n + 15.2 for n in range(12)]
    same = lambda day, p, lat, lon: 1.0e-9 * day + 0.0 * (p + lat + lon)  # noqa: E731
    write(tmp_path / "air.nc", {"gas": ("mol mol-1", "", same)}, times=months, since="days since 1990-01-01")
    here = setting(tmp_path)
    assert "say cycle: yearly" in problems([entry()], here, SPECIES)[0]
    assert problems([entry(cycle="yearly")], here, SPECIES) == []
    found = onto(here, entries=[entry(cycle="yearly")])[1, 5]
    assert torch.allclose(found, torch.full_like(found, 151.0e-9), rtol=0.02)  # 1 June is day 151


def test_levels_from_the_top_down_in_pascals_are_the_same(tmp_path):
    write(tmp_path / "air.nc", {"gas": ("mol mol-1", "", linear)}, level_units="Pa")
    here = setting(tmp_path, days=0)
    up = onto(here)
    with netCDF4.Dataset(tmp_path / "air.nc", "a") as f:
        f["lev"][:] = f["lev"][::-1]
        f["gas"][:] = f["gas"][:, ::-1]
    assert torch.equal(onto(here), up)


def test_missing_values_under_the_ground_are_those_of_the_lowest_level_that_has_some(tmp_path):
    def holed(day, p, lat, lon):
        values = np.broadcast_to(1.0e-9 * np.log(p), (len(p), *np.broadcast_shapes(lat.shape, lon.shape))).copy()
        values[:3, :, :] = NAN
        return np.where(np.isfinite(values), values, -9.0e9)

    write(tmp_path / "air.nc", {"gas": ("mol mol-1", "", holed)})
    found = onto(setting(tmp_path, days=0))[1].numpy()
    low = P >= LEVELS[3]
    assert low.sum() > 2 and np.allclose(found[low], 1.0e-9 * np.log(LEVELS[3]), rtol=1e-12)


@pytest.mark.parametrize(
    ("units", "standard", "molar_mass", "species", "factor"),
    [
        ("ppb", "", None, {"CO": 0.5, "O3": 2.0}, 1.0e-9),
        ("ug kg-1", "", 0.048, {"O3": 1.0}, 1.0e-9 * DRY_AIR_MOLAR_MASS / 0.048),
        ("1", "mass_fraction_of_ozone_in_air", 0.048, {"O3": 1.0}, DRY_AIR_MOLAR_MASS / 0.048),
        ("1", "mole_fraction_of_ozone_in_air", None, {"O3": 1.0}, 1.0),
        ("kg kg-1", "", None, {"sulfate": 1.0}, 1.0),
        ("nmol mol-1", "", 0.096, {"sulfate": 1.0}, 1.0e-9 * 0.096 / DRY_AIR_MOLAR_MASS),
        ("day", "", None, {"age": 1.0}, 86400.0),
    ],
)
def test_fractions_of_mass_and_of_moles_become_those_of_the_tracer(
    tmp_path, units, standard, molar_mass, species, factor
):
    write(tmp_path / "air.nc", {"gas": (units, standard, lambda day, p, lat, lon: 3.0 + 0.0 * (p + lat + lon))})
    out = onto(setting(tmp_path, days=0), entries=[entry(molar_mass=molar_mass, species=species, factor=2.0)])
    for n, name in enumerate(SPECIES.names):
        wanted = 6.0 * factor * species[name] if name in species else -1.0
        assert out[n, 5].numpy() == pytest.approx(wanted, rel=1e-12), name


@pytest.mark.parametrize(
    ("units", "more", "days", "text"),
    [
        ("mol mol-1", {"species": {"sulphate": 1.0}}, 0, "unknown tracer 'sulphate'; did you mean 'sulfate'"),
        ("mol mol-1", {"species": {"O3": 1.0, "sulfate": 1.0}}, 0, "which are in kg kg-1 and mol mol-1"),
        ("K", {}, 0, "gas.*'K'"),
        ("1", {}, 0, "of mass or of moles"),
        ("kg kg-1", {}, 0, r"is a fraction of mass .* molar_mass: 0\.048"),
        ("mol mol-1", {"species": {"sulfate": 1.0}}, 0, r"is a mole fraction .* molar_mass: 0\.096"),
        ("mol mol-1", {"variable": "go3"}, 0, "has no go3"),
        ("mol mol-1", {"file": "ari.nc"}, 0, "does not exist.*did you mean 'air.nc'"),
        ("mol mol-1", {"file": "small.nc"}, 0, "does not contain grid 'air'"),
        ("mol mol-1", {}, 9, "is there from .* but the run needs"),
    ],
)
def test_what_cannot_be_used_is_told(tmp_path, units, more, days, text):
    write(tmp_path / "air.nc", {"gas": (units, "", linear)}, times=(0.0, 1.0))
    write(tmp_path / "small.nc", {"gas": (units, "", linear)}, times=(0.0, 1.0), east=110.0)
    found = problems([entry(**more), entry(**more)], setting(tmp_path, days), SPECIES)
    assert len(found) == 2
    with pytest.raises(AssertionError, match=text):
        raise AssertionError(found[0].replace("\n", " "))


def test_a_field_without_levels_and_levels_without_their_formula_are_refused(tmp_path):
    write(tmp_path / "air.nc", {"gas": ("mol mol-1", "", linear)}, hybrid=True)
    with netCDF4.Dataset(tmp_path / "air.nc", "a") as f:
        f["PS"].units = "mol mol-1"
    assert "has no levels" in problems([entry(variable="PS")], setting(tmp_path, 0), SPECIES)[0]
    with netCDF4.Dataset(tmp_path / "air.nc", "a") as f:
        f["lev"].delncattr("formula_terms")
    assert "formula_terms: ap: ... b: ... ps: ... or a: ..." in problems([entry()], setting(tmp_path, 0), SPECIES)[0]
    with netCDF4.Dataset(tmp_path / "air.nc", "a") as f:
        f["lev"].formula_terms = "a: hyam b: hybm p0: P0 ps: SP"
    assert (
        "made of SP (formula_terms), which the file does not have"
        in problems([entry()], setting(tmp_path, 0), SPECIES)[0]
    )
