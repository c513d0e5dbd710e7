# SPDX-License-Identifier: BSD-3-Clause
"""The regional chemistry beside the atmosphere: a constant stays, and ranks and restarts leave the bits alone."""

import json
import math

import numpy as np
import pytest

from components.chemistry.regional.emissions import OnCells, of_file
from components.chemistry.regional.parameters import EmissionFile
from components.science.cell_faces import cell_faces
from components.science.transport import HALO
from coupler.clock import Clock
from coupler.files.restart import newest, read_part
from coupler.grids.grid import Grid
from tests.toys.air_fields import write as write_air
from tests.toys.cases import box, differences, edit, tessera, toy_case
from tests.toys.emissions import write

GRID = box(100, 124, 20, 40, 2.0)
AIR = {"levels": 8, "relief": "", "boundary_layer": "none", "radiation": "none", "microphysics": "kessler",
       "convection": "betts_miller", "precision": "double", "export_air": True}  # fmt: skip
TRACERS = [
    {"name": "one", "units": "1", "start": 1.0, "surface_flux": 0.0},
    {"name": "dust", "start": 0.0, "boundary": "zero", "settles": 0.02, "surface_flux": 1.0e-9},
]
RULE = {"from": "atmosphere", "to": "chemistry", "period": "PT20M", "route": "direct"}


def case(folder, *, rules=(RULE,), ranks=(1, 1), duration="PT2H", restart="PT20M"):
    """An atmosphere and its chemistry."""
    chemistry = {"levels": 8, "tracers": TRACERS, "carbon_dioxide": {"start": 4.0e-4, "fossil_flux": 1.0e-8}}
    components = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": AIR},
        "chemistry": {"model": "regional", "step": "PT20M", "grid": GRID, "regional": chemistry},
    }
    layout = {"coupler": 1, "atmosphere": ranks[0], "chemistry": ranks[1]}
    return toy_case(
        folder, components=components, coupling=list(rules), layout=layout, duration=duration, restart=restart
    )


def carbon_case(folder, *, duration="PT40M", **more):
    """Carbon dioxide alone: fossil fuel from a file of emissions, the sides from a larger model's file in ppm."""
    folder.mkdir(parents=True)
    ppm = {"co2": ("ppm", "", lambda day, p, lat, lon: 410.0 + 0.0 * (p + lat + lon))}
    write_air(folder / "large.nc", ppm, times=(0.0, 1.0))
    fossil = {
        "file": write(folder / "fossil.nc", fill=1.0e-7).name, "variable": "emi_nox", "molar_mass": 0.0440095,
        "species": {"carbon_dioxide_of_fossil_fuel": 1.0},
    }  # fmt: skip
    chemistry = {
        "levels": 8, "carbon_dioxide": {"start": 4.0e-4, "fossil_flux": 1.0e-9}, "emissions": {"files": [fossil]},
        "sides": [{"file": "large.nc", "variable": "co2", "species": {"carbon_dioxide_of_sides": 1.0}}], **more,
    }  # fmt: skip
    components = {
        "atmosphere": {"model": "nonhydrostatic", "step": "PT400S", "grid": GRID, "nonhydrostatic": AIR},
        "chemistry": {"model": "regional", "step": "PT20M", "grid": GRID, "regional": chemistry},
    }
    return toy_case(
        folder, components=components, coupling=[RULE], layout={"coupler": 1, "atmosphere": 1, "chemistry": 2},
        duration=duration, restart="PT20M", start="2001-06-01",
    )  # fmt: skip


def test_carbon_dioxide_alone_takes_fossil_fuel_and_the_sides_from_files(tmp_path):
    """What the file emits arrives, beside a number's flux, in all; the larger model's constant stays."""
    folder = carbon_case(tmp_path / "carbon")
    said = tessera("check", folder).stdout
    assert "emissions of carbon_dioxide_of_fossil_fuel" in said and "Tg a year in the file" in said
    tessera(folder, "--serial")
    kept = chemistry_of(folder)
    assert np.abs(kept["state.carbon_dioxide_of_sides"] / 4.1e-4 - 1.0).max() < 1e-12
    entry = EmissionFile(file="", variable="emi_nox", molar_mass=0.0440095, species={})
    source = of_file(entry, str(folder / "fossil.nc"), Clock("2001-01-01"))
    grid = Grid.regular_lonlat("air", 100.0, 124.0, 20.0, 40.0, resolution=2.0)
    moles = OnCells([source], grid, np.arange(grid.size)).fluxes(0)[0].reshape(grid.shape)
    given = 2400.0 * 0.0289644 * (moles + 1.0e-9 / 0.0120107)
    assert np.allclose(kept["state.carbon_dioxide_of_fossil_fuel_surface_flux"], given, rtol=1e-5)
    inner = (slice(1, -1),) * 2
    content = (kept["state.carbon_dioxide_of_fossil_fuel"] * kept["state.air"]).sum(0)[inner]
    booked = sum(
        kept[f"state.carbon_dioxide_of_fossil_fuel_{k}"] for k in ("added_with_air", "transport", "surface_flux")
    )
    assert np.allclose(booked[inner], content, rtol=0, atol=1e-10 * content.max())


@pytest.mark.ranks
def test_files_of_emissions_and_sides_give_the_same_bits_on_ranks_and_after_a_restart(tmp_path):
    whole, parts = carbon_case(tmp_path / "whole"), carbon_case(tmp_path / "parts", duration="PT20M")
    tessera(whole, "--serial")
    tessera(parts)
    edit(parts, [("case.yaml", "duration: PT20M", "duration: PT40M")])
    tessera(parts, "--continue", "--serial")
    assert differences(whole, parts, history=False) == []


def test_what_only_gases_can_be_and_files_that_are_not_there_are_told_together(tmp_path):
    folder = carbon_case(
        tmp_path / "wrong", emissions={"proxy_year": 2014, "files": []},
        sides=[{"file": "small.nc", "variable": "co2", "species": {"carbon_dioxide_of_sides": 1.0}},
               {"file": "large.nc", "variable": "co2", "species": {"CO2": 1.0}}],
    )  # fmt: skip
    done = tessera("check", folder, check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "proxy_year is of gases, but gases: none" in said
    assert "small.nc does not exist" in said and "unknown tracer 'CO2'" in said


def chemistry_of(folder):
    return read_part(newest(folder / "run" / "restart"), "chemistry")


def test_an_averaged_air_mass_is_refused(tmp_path):
    folder = case(tmp_path / "wrong", rules=({**RULE, "statistic": "mean"},))
    done = tessera("check", folder, check=False)
    assert done.returncode
    said = done.stdout + done.stderr
    assert "atmosphere_mass_content_of_dry_air_in_layer" in said and "statistic: instant, not mean" in said


def test_a_restart_within_a_period_of_the_chemistry_is_refused_with_the_time_that_does(tmp_path):
    """A period is moved by its means: what half of one has moved is nowhere."""
    done = tessera("check", case(tmp_path / "wrong", restart="PT400S"), check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "restart period PT6M40S is not a multiple of PT20M" in said and "; take PT20M" in said


def gas_case(folder, *, duration="PT1H", restart="PT20M", ranks=(1, 1), **gases):
    """An atmosphere with Carbon Bond 5 in few cells, from 5 UTC: noon in the east of the domain."""
    folder.mkdir(parents=True)
    file = {"file": write(folder / "nox.nc").name, "variable": "emi_nox", "molar_mass": 0.046, "species": {"NO": 1.0}}
    emissions = {"files": [{**file, "hours": [*range(24)]}], "isoprene": {}}
    chemistry = {
        "levels": 9, "gases": "cb05", "start": {"NO2": 2.0e-9, "CO": 3.0e-7}, "emissions": emissions,
        "tracers": TRACERS, "carbon_dioxide": {"start": 4.0e-4, "fossil_flux": 1.0e-8}, **gases,
    }  # fmt: skip
    components = {
        "atmosphere": {
            "model": "nonhydrostatic",
            "step": "PT400S",
            "grid": SMALL,
            "nonhydrostatic": AIR | {"levels": 9},
        },
        "chemistry": {"model": "regional", "step": "PT20M", "grid": SMALL, "regional": chemistry},
    }
    layout = {"coupler": 1, "atmosphere": ranks[0], "chemistry": ranks[1]}
    return toy_case(
        folder, components=components, coupling=[RULE], layout=layout, duration=duration, restart=restart,
        start="2001-06-01T05:00:00",
    )  # fmt: skip


BOOKS = (
    "added_with_air", "through_sides", "surface_flux", "chemical_production", "dry_deposition", "wet_deposition",
)  # fmt: skip
SMALL = box(104, 122, 24, 40, 2.0)
NITROGEN = {
    "NO": 1, "NO2": 1, "NO3": 1, "N2O5": 2, "HONO": 1, "HNO3": 1, "PNA": 1, "NTR": 1, "PAN": 1, "PANX": 1,
}  # fmt: skip


def columns_of(kept, suffix, inner):
    """A book (kg m-2 times mole fraction) of every gas, in the inner cells."""
    end = f"_{suffix}"
    return {n[6 : -len(end)]: a[inner] for n, a in kept.items() if n.startswith("state.") and n.endswith(end)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """An hour of gases, tracers and carbon dioxide on one process, with a restart each 20 minutes."""
    folder = gas_case(tmp_path_factory.mktemp("chemistry") / "whole")
    tessera(folder, "--serial")
    return folder


def test_a_constant_stays_and_tracers_close_their_books(whole):
    kept = chemistry_of(whole)
    assert np.abs(kept["state.one"] - 1.0).max() < 1e-12
    assert kept["state.dust"].max() > 0.0 and kept["state.dust_deposition"].max() > 0.0
    fossil, air = kept["state.carbon_dioxide_of_fossil_fuel"], kept["state.air"]
    assert fossil.max() > 5e-10
    inner = (slice(1, -1),) * 2
    content = (fossil * air).sum(0)[inner]
    booked = sum(
        kept[f"state.carbon_dioxide_of_fossil_fuel_{k}"] for k in ("added_with_air", "transport", "surface_flux")
    )
    assert np.allclose(booked[inner], content, rtol=0, atol=1e-10 * content.max())
    given = 1.0e-8 / 0.0120107 * 0.0289644 * 3600.0
    assert np.allclose(kept["state.carbon_dioxide_of_fossil_fuel_surface_flux"], given, rtol=1e-9)


def test_gases_run_in_a_case_and_close_their_books(whole):
    kept, began = chemistry_of(whole), read_part(sorted((whole / "run" / "restart").iterdir())[0], "chemistry")
    inner = (slice(1, -1),) * 2
    reacted = columns_of(kept, "chemical_production", inner)
    assert len(reacted) == 66 and reacted["HNO3"].sum() > 0.0 and reacted["OH"].sum() > 0.0
    assert columns_of(kept, "dry_deposition", inner)["O3"].max() < 0.0
    given = columns_of(kept, "surface_flux", inner)
    assert given["NO"].max() > 0.0 and not given["CO"].any()
    assert kept["state.O3"].max() < 2e-5 and 1e-14 < kept["state.OH"][0].max() < 1e-11
    areas = areas_of(SMALL)[inner]
    for name in reacted:
        changed = sum(columns_of(kept, book, inner)[name] - columns_of(began, book, inner)[name] for book in BOOKS)
        content = [(k[f"state.{name}"] * k["state.air"]).sum(0)[inner] for k in (began, kept)]
        scale = max(abs(c * areas).sum() for c in content)
        assert abs(((content[1] - content[0] - changed) * areas).sum()) <= 1e-10 * scale, name
    nitrogen = sum(n * reacted[s] for s, n in NITROGEN.items())
    assert np.abs(nitrogen).max() < 1e-10 * sum(np.abs(reacted[s]).max() for s in NITROGEN)


def areas_of(namelist):
    """Areas of a box's cells, as the transport takes them, up to a factor."""
    lon = np.arange(namelist["west"], namelist["east"] + 1e-9, namelist["resolution"])
    lat = np.arange(namelist["south"], namelist["north"] + 1e-9, namelist["resolution"])
    return 1.0 / cell_faces(*np.meshgrid(lon, lat)).inverse_area[HALO:-HALO, HALO:-HALO].numpy()


@pytest.mark.ranks
def test_ranks_and_a_restart_within_the_hour_leave_the_bits_alone(whole, tmp_path):
    """To the first restart on 2 + 4 ranks, and from there on one process."""
    parts = gas_case(tmp_path / "parts", duration="PT20M", ranks=(2, 4))
    tessera(parts)
    edit(parts, [("case.yaml", "duration: PT20M", "duration: PT1H")])
    tessera(parts, "--continue", "--serial")
    assert differences(whole, parts, history=False) == []


def test_what_a_mechanism_does_not_have_is_told(tmp_path):
    folder = gas_case(tmp_path / "wrong", start={"COO": 1.0e-7}, rates={"LOSS.dust": 1.0})
    done = tessera("check", folder, check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "has no gas 'COO'; did you mean 'CO'" in said and "takes no rate 'LOSS.dust'" in said
    done = tessera("check", gas_case(tmp_path / "none", gases="cb06.json"), check=False)
    assert done.returncode and "neither one of none, cb05 nor a file" in done.stdout + done.stderr


GROWTH = 1.0e-4  # s-1
EXPLOSION = {
    "name": "explosion",
    "version": "1.0.0",
    "species": [{"name": "A"}],
    "phases": [{"name": "gas", "species": [{"name": "A"}]}],
    "reactions": [
        {
            "type": "ARRHENIUS",
            "gas phase": "gas",
            "A": GROWTH,
            "reactants": [{"species name": "A"}],
            "products": [{"species name": "A", "coefficient": 2}],
        }
    ],
}


def test_a_mechanism_of_ones_own_runs_and_a_failing_solver_names_the_cell(tmp_path):
    """A -> 2 A grows by exp(k t), which is beyond all numbers in 20 minutes at 1 s-1."""
    one = {"gases": "explosion.json", "emissions": None, "duration": "PT20M"}
    calm = gas_case(tmp_path / "calm", start={"A": 1.0e-9}, **one)
    (calm / "explosion.json").write_text(json.dumps(EXPLOSION))
    tessera(calm, "--serial")
    kept = chemistry_of(calm)
    inner = kept["state.A"][:, 1:-1, 1:-1]
    assert inner.max() == pytest.approx(1.0e-9 * math.exp(1200.0 * GROWTH), rel=1e-3)
    wild = gas_case(tmp_path / "wild", start={"A": 1.0e-9}, **one)
    (wild / "explosion.json").write_text(json.dumps(EXPLOSION).replace("0.0001", "1.0"))
    done = tessera(wild, "--serial", check=False)
    said = done.stdout + done.stderr
    assert done.returncode and "gas chemistry: no solution in layer" in said and "A = " in said and " E, " in said
