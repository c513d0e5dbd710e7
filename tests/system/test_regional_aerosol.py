# SPDX-License-Identifier: BSD-3-Clause
"""Aerosol in a coupled case: books, elements, restart and ranks, and its effect in radiation."""

import netCDF4
import numpy as np
import pytest

from components.chemistry.regional.aerosol.particles import BOOKS as OWN
from components.chemistry.regional.aerosol.species import MOLAR_MASS, NAMES
from components.chemistry.regional.component import NITROGEN_DEPOSITION
from components.chemistry.regional.reactive_gases import NITROGEN
from coupler.files.restart import newest, read_part
from tests.toys.cases import box, differences, edit, tessera, toy_case
from tests.toys.emissions import write

GRID = box(110, 130, 26, 40, 2.0)
AIR = {"levels": 9, "relief": "", "boundary_layer": "none", "microphysics": "kessler", "radiation": "none",
       "convection": "betts_miller", "precision": "double", "export_air": True}  # fmt: skip
RULE = {"from": "atmosphere", "to": "chemistry", "period": "PT20M", "route": "direct"}
LAYERS = "added_with_air", "transport", "surface_flux", "deposition"
DRY = 0.0289644


def case(folder, *, duration="PT40M", ranks=(1, 1), radiation=None, **options):
    """An atmosphere, gases and aerosol in few cells, with soot of a file, from 5 UTC."""
    folder.mkdir(parents=True)
    file = write(folder / "soot.nc", fill=1.0e-10).name
    soot = {"file": file, "variable": "emi_nox", "molar_mass": 0.0120107, "species": {"black_carbon_fresh": 1.0}}
    nox = {"file": file, "variable": "emi_nox", "molar_mass": 0.046, "species": {"NO": 1.0}}
    chemistry = {
        "levels": 9, "gases": "cb05", "aerosol": {}, "start": {"NH3": 8.0e-9, "SO2": 5.0e-9, "HNO3": 3.0e-9},
        "emissions": {"files": [soot, nox]}, **options,
    }  # fmt: skip
    components = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": dict(AIR)},
        "chemistry": {"model": "regional", "step": "PT20M", "grid": GRID, "regional": chemistry},
    }
    if chemistry["gases"] != "none":
        fallen = {"name": "fallen", "period": "PT20M", "statistic": "instant", "fields": [NITROGEN_DEPOSITION]}
        components["chemistry"]["output"] = [fallen]
    layout = {"coupler": 1, "atmosphere": ranks[0], "chemistry": ranks[1]}
    rules = [RULE]
    if radiation is not None:
        output = [{"name": "effect", "period": "PT20M", "statistic": "instant", "fields": [DEPTH, EFFECT]}]
        components["radiation"] = {
            "model": "rrtmgp", "step": "PT20M", "grid": GRID, "rrtmgp": {"levels": 9, "aerosol": radiation},
            "output": output,
        }  # fmt: skip
        components["atmosphere"]["nonhydrostatic"]["radiation"] = "imported"
        layout["radiation"] = 1
        later = {"period": "PT20M", "lag": "PT20M", "statistic": "instant", "route": "direct"}
        rules += [
            {"from": "chemistry", "to": "radiation", **later},
            {"from": "atmosphere", "to": "radiation", **later},
            {"from": "radiation", "to": "atmosphere", "period": "PT20M", "statistic": "instant", "route": "direct"},
        ]
    return toy_case(
        folder, components=components, coupling=rules, layout=layout, duration=duration, restart="PT20M",
        start="2001-01-01T05:00:00",
    )  # fmt: skip


DEPTH = "atmosphere_optical_thickness_due_to_ambient_aerosol_particles"
EFFECT = "aerosol_effect_on_net_downward_shortwave_flux_at_surface"


def chemistry_of(folder):
    return read_part(newest(folder / "run" / "restart"), "chemistry")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = case(tmp_path_factory.mktemp("aerosol") / "whole")
    tessera(folder, "--serial")
    return folder


def test_the_books_of_aerosol_and_its_elements_close(whole):
    kept = chemistry_of(whole)
    began = read_part(sorted((whole / "run" / "restart").iterdir())[0], "chemistry")
    inner = (slice(1, -1),) * 2

    def change(name):
        return [(k[f"state.{name}"] * k["state.air"]).sum(0)[inner] for k in (began, kept)]

    def booked(name, books):
        return sum((kept[f"state.{name}_{b}"] - began[f"state.{name}_{b}"])[inner] for b in books)

    for name in NAMES:
        before, after = change(name)
        scale = max(np.abs(after).max(), 1e-30)
        assert np.abs(after - before - booked(name, (*LAYERS, *OWN))).max() < 1e-10 * scale, name
    made = booked("sulfate", ("production",)) / MOLAR_MASS["sulfate"]
    lost = sum(booked(g, ("chemical_production",)) for g in ("SO2", "SULF", "DMS")) / DRY
    assert made.min() > 0.0 and np.abs(made + lost).max() < 1e-9 * made.max()
    made = booked("ammonium", ("production",)) / MOLAR_MASS["ammonium"]
    rest = -booked("NH3", ("chemical_production",)) / DRY - made  # reacts with OH
    content = change("NH3")[1] / DRY
    assert (rest > 0.0).all() and (rest < 1e-2 * content).all()
    assert kept["state.nitrate"].max() > 1e-10 and kept["state.sea_salt_2_surface_flux"].max() > 0.0
    soot = kept["state.black_carbon_fresh_surface_flux"]
    assert 0.0 < soot.max() <= 1.0e-10 * 2400.0


def test_nitrogen_of_gases_and_particles_is_exported(whole):
    """What the land is told is, in the last period, what both have lost to the ground."""
    kept = chemistry_of(whole)
    began = read_part(sorted((whole / "run" / "restart").iterdir())[0], "chemistry")

    def fallen(name, books):
        return -sum(kept[f"state.{name}_{b}"] - began[f"state.{name}_{b}"] for b in books)

    gases = sum(n * fallen(g, ("dry_deposition", "wet_deposition")) for g, n in NITROGEN.items()) / DRY
    particles = sum(fallen(n, OWN[1:]) / MOLAR_MASS[n] for n in ("ammonium", "nitrate"))
    with netCDF4.Dataset(next((whole / "run").rglob("*fallen*.nc"))) as f:
        told = np.ma.filled(f[NITROGEN_DEPOSITION][-1], np.nan)
    assert told.max() > 0.0 and particles.max() > 0.0
    np.testing.assert_allclose(told * 1200.0, 0.0140067 * (gases + particles), rtol=1e-9)
    print(f"particles' share of the nitrogen that falls: {particles.sum() / (gases + particles).sum():.3f}")


@pytest.mark.ranks
def test_ranks_and_a_restart_leave_the_bits_alone(whole, tmp_path):
    """To the restart on 2 + 2 ranks, and from there on one process."""
    parts = case(tmp_path / "parts", duration="PT20M", ranks=(2, 2))
    tessera(parts)
    edit(parts, [("case.yaml", "duration: PT20M", "duration: PT40M")])
    tessera(parts, "--continue", "--serial")
    assert differences(whole, parts, history=False) == []


def test_radiation_sees_it_and_says_its_effect(tmp_path):
    """The first call sees the start's air, which is clean; later there is depth, and less sunlight below it."""
    folder = case(tmp_path / "radiation", duration="PT1H", radiation={"effect": True, "feedback": False})
    tessera(folder, "--serial")
    file = next((folder / "run").rglob("*effect*.nc"))
    with netCDF4.Dataset(file) as f:
        depth, effect = (np.ma.filled(f[name][:], np.nan) for name in (DEPTH, EFFECT))
    assert 1e-4 < depth[-1, 1:-1, 1:-1].max() < 5.0
    assert effect[-1].min() < -1e-3 and np.isfinite(effect).all()


def test_particles_without_gases_and_mistakes_are_told(tmp_path):
    folder = case(tmp_path / "wrong", gases="none", emissions=None, start={}, land_use="moon")
    done = tessera("check", folder, check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "land_use" in said and "coniferous_forest" in said
    alone = case(tmp_path / "alone", gases="none", emissions=None, start={}, duration="PT20M")
    tessera(alone, "--serial")
    assert chemistry_of(alone)["state.sea_salt_2_surface_flux"].max() > 0.0
