# SPDX-License-Identifier: BSD-3-Clause
"""What the carbon dioxide of stations exchanges with others: the land's flux, the land's air, what flows in."""

import math

import netCDF4
import numpy as np

from components.science.constants import CARBON_MOLAR_MASS, DRY_AIR_MOLAR_MASS, GRAVITY
from coupler.files.restart import newest, read_part
from tests.system.test_carbon_dioxide_inversion import GAS, GLOBE, PLACES, REGION, TOYS, stations
from tests.toys.cases import tessera, toy_case

HOURS = 3600.0
UPTAKE = 4e-8  # kg m-2 s-1 of carbon, by the toy's land
RULES = [{"from": "air", "to": "chemistry", "period": "PT3H"}]
LAND = [
    {"from": "land", "to": "chemistry", "period": "PT3H", "lag": "PT3H", "remap": "conservative"},
    {"from": "chemistry", "to": "land", "period": "PT3H", "lag": "PT3H", "remap": "conservative"},
]


def run(folder, domain, duration, land=False, **options):
    """The restart's parts of a run without an analysis: only what others give can change the gas."""
    grid = GLOBE if domain == "globe" else REGION
    given = {
        "domain": "global" if domain == "globe" else "regional", "stations": ["s.nc"], "method": "oi",
        "interval": "P2D", **options,
    }  # fmt: skip
    components = {
        "air": {"model": TOYS + "Air", "step": "PT1H", "grid": grid, "realm": "atmosphere"},
        "chemistry": {"model": "co2_inversion", "step": "PT3H", "grid": grid, "co2_inversion": given},
    }
    if land:
        components["land"] = {
            "model": TOYS + "Leaves", "step": "PT3H", "grid": grid, "realm": "land", "options": {"uptake": UPTAKE},
        }  # fmt: skip
    toy_case(
        folder, components=components, coupling=RULES + (LAND if land else []), duration=duration, restart=duration,
        layout={"coupler": 1, **dict.fromkeys(components, 1)}, calendar="standard",
    )  # fmt: skip
    stations(folder / "s.nc", PLACES[domain])
    if "inflow" in options:
        inflow(folder / options["inflow"])
    tessera(folder, "--serial")
    restart = newest(folder / "run" / "restart")
    return {name: read_part(restart, name) for name in components if name != "air"}


def test_the_lands_flux_is_the_prior_and_the_land_gets_the_air(tmp_path):
    """Uptake of F: q -> - F g M_air / (M_C depth) tau (1 - exp(- t / tau)); the land sees it later."""
    alone, early = (run(tmp_path / t, "globe", t)["chemistry"]["state.fields"][0] for t in ("PT12H", "PT9H"))
    both = run(tmp_path / "both", "globe", "PT12H", land=True)
    tau, depth = 8 * 24 * HOURS, 1e4
    rate = UPTAKE / CARBON_MOLAR_MASS * GRAVITY * DRY_AIR_MOLAR_MASS / depth

    def taken(hours):
        return rate * tau * (1.0 - math.exp(-hours * HOURS / tau))

    gas = both["chemistry"]["state.fields"][0]
    np.testing.assert_allclose(alone - gas, taken(12), rtol=1e-4)
    seen = both["land"]["state.carbon_dioxide"]  # lag and period: what the air was three hours before the end
    np.testing.assert_allclose(early - seen, taken(9), rtol=1e-4)


def inflow(path):
    """415 ppm at all sides, all day."""
    with netCDF4.Dataset(path, "w") as file:
        file.Conventions = "CF-1.11"
        places = {"lon": np.arange(101.25, 140.0, 2.5), "lat": np.arange(11.25, 40.0, 2.5)}
        for name, values, unit in (("lon", places["lon"], "degrees_east"), ("lat", places["lat"], "degrees_north")):
            file.createDimension(name, len(values))
            v = file.createVariable(name, "f8", (name,))
            v.units, v.standard_name = unit, {"lon": "longitude", "lat": "latitude"}[name]
            v[:] = values
        file.createDimension("time", 3)
        v = file.createVariable("time", "f8", ("time",))
        v.units, v.standard_name = "hours since 2001-01-01", "time"
        v[:] = [0.0, 24.0, 48.0]
        v = file.createVariable("co2", "f8", ("time", "lat", "lon"))
        v.units, v.standard_name = "ppm", GAS
        v[:] = 415.0


def test_what_flows_in_comes_from_a_file(tmp_path):
    """The toy's wind is from the west and the north: 415 ppm come in there, and not at the leeward corner."""
    with_file, without = (
        run(tmp_path / str(len(o)), "region", "P1D", **o)["chemistry"]["state.fields"][0]
        for o in ({"inflow": "inflow.nc"}, {})
    )
    assert (with_file[:, 0] > without[:, 0] + 15e-6).all() and (with_file[-1] > without[-1] + 5e-6).all()
    assert with_file.max() < 415e-6 + 1e-9
    np.testing.assert_allclose(with_file[:3, -4:], without[:3, -4:], atol=1e-8)


def test_check_names_an_inflow_that_ends_too_early(tmp_path):
    folder = tmp_path / "case"
    run(folder, "region", "PT3H", inflow="inflow.nc")
    text = (folder / "case.yaml").read_text()
    (folder / "case.yaml").write_text(text.replace("duration: PT3H", "duration: P5D"))
    done = tessera("check", folder, check=False)
    assert done.returncode and "inflow.nc" in done.stdout + done.stderr
