# SPDX-License-Identifier: BSD-3-Clause
"""`mass_flux` in a single column on the layers of the map: BOMEX, ARM, deep convection over a warm sea."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.column.parameters import CASES, read_case
from components.atmosphere.nonhydrostatic.column.run import run
from components.science.water import mixing_ratio, saturation_pressure_mixed
from coupler.paths import NAMELISTS

MAP = "grid={levels: 24, top: 22000, lowest_layer: 80}"
FLUX = "atmosphere_updraft_convective_mass_flux"
WARM_POOL = (  # NCEP's climatology of June at 13 N 130 E: free convection from 1.5 km only, under a stable layer
    "start={temperature: {height: [0, 150, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6500, 8000, 10000, 12000, 14000,"
    " 16000, 22000], value: [301.8, 301.0, 298.5, 295.3, 292.5, 289.7, 284.1, 278.3, 272.9, 264.9, 255.7, 241.0, 225.7,"
    " 209.8, 199.4, 209.9]}, specific_humidity: {height: [0, 150, 500, 1000, 1500, 2000, 3000, 4000, 5000, 6500, 8000,"
    " 10000, 12000, 16000, 22000], value: [0.0192, 0.0186, 0.0158, 0.0127, 0.0108, 0.00935, 0.00674, 0.00492, 0.00351,"
    " 0.0021, 0.0012, 0.0006, 0.000165, 7.5e-6, 3.0e-6]}, eastward_wind: {height: [0], value: [-6.0]}}"
)
FOLDER = NAMELISTS / CASES
COVER = "convective_cloud_area_fraction_in_atmosphere_layer"


def column(name, *changes):
    p = run(read_case(FOLDER / f"{name}.yaml", list(changes))).profiles
    rain = float(np.nanmean(p["rainfall_flux"][1:])) * 86400.0
    print(f"RESULT {name} rain {rain:.3f} mm/d, cover {np.nanmax(p[COVER][-1]):.3f}")
    assert float(np.nanmax(np.abs(p["column_water_residual"]))) < 1e-14
    return p, rain


def bomex(*changes):
    """Largest changes of theta and q below 2.5 km, cover, flux at the base (m/s) and rain after six hours."""
    p, rain = column("bomex", *changes)
    low = p["height"][-1] < 2500.0
    theta, q = (
        float(np.abs((p[name][-1] - p[name][0])[low]).max())
        for name in ("air_potential_temperature", "specific_humidity")
    )
    base = float(p[FLUX][-1].max()) / 1.13
    cover = float(p[COVER][-1].max())
    print(f"RESULT theta {theta:.3f} K q {1e3 * q:.2f} g/kg cover {cover:.3f} flux {base:.4f} m/s")
    return theta, q, cover, base, rain, p


@pytest.mark.slow
def test_trade_cumulus_keep_their_air_on_the_layers_of_the_map():
    theta, q, cover, base, rain, p = bomex(MAP, "step=PT240S", "output=PT1H")
    assert q < 5.0e-4
    assert theta < 0.5
    assert 0.05 < cover < 0.2
    assert 0.01 < base < 0.03
    assert rain < 0.3
    assert float(np.abs(p["column_energy_residual"][1:]).max()) < 0.5, "the work of turbulent buoyancy, W m-2"


@pytest.mark.slow
def test_trade_cumulus_keep_their_air_on_layers_of_50_m():
    """Siebesma et al. (2003). While clouds thinned evenly up to their end theta fell by .56 K above 1700 m."""
    theta, q, cover, base, rain, _ = bomex("step=PT240S", "output=PT1H")
    assert q < 5.0e-4
    assert theta < 0.5
    assert 0.05 < cover < 0.2
    assert 0.01 < base < 0.03
    assert rain < 0.3


@pytest.mark.slow
def test_a_day_of_cumulus_over_land_comes_before_noon_and_is_gone_at_dusk():
    """ARM (Brown et al. 2002): cover peaks at .2 to .4 after noon, from 05:30 local time on."""
    p, rain = column("arm_shallow_cumulus", MAP, "step=PT600S", "output=PT1H")
    cover = np.nanmax(p[COVER][1:], axis=1)
    print("RESULT cover by hour", cover.round(3))
    assert 0.2 <= cover.max() <= 0.4
    assert 6 <= int(cover.argmax()) <= 11, "12 to 17 h"
    assert cover[:4].max() == 0.0 and cover[-1] < 0.05
    assert rain < 0.3


@pytest.mark.parametrize("radiation", ["gray", "rrtmgp"])
def test_energy_closes_in_deep_convection_over_a_sea_of_300_k(radiation):
    """What the air gains is what comes through its lid less what the sea keeps, to 1 W m-2."""
    changes = ("duration=PT4H", "step=PT1200S", "output=PT2H", f"radiation={radiation}")
    p, rain = column("radiative_convective_equilibrium", *changes)
    assert rain > 0.1 and float(np.nanmax(p[FLUX])) > 1e-3
    assert float(np.nanmax(np.abs(p["column_energy_residual"]))) < 1.0


@pytest.mark.slow
def test_radiation_and_convection_come_to_a_state_like_that_of_models_that_resolve_clouds():
    """Means of days 21 to 200 over a sea of 300 K; models that resolve clouds (RCEMIP): 3 mm/d under 240 to 270 W m-2.

    While ice stayed aloft and rain evaporated within the cloud the column came to a relative humidity of .9, an
    outgoing longwave of 160 W m-2 and a rain of 1.3 mm/d; before the cooling of cloud tops drove mixing a deck at 800 m
    reflected 216 W m-2 with the layer clouds of a map. What the air gains differs by 10 W m-2 from day to day and by 3
    from twenty days to twenty, so that it takes half a year to see 1 W m-2.
    """
    changes = ("duration=P200D", "step=PT1800S", "output=PT3H", "radiation=rrtmgp", "cloud_fraction=xu_randall")
    p, _ = column("radiative_convective_equilibrium", *changes)
    mean = lambda name: np.nanmean(p[name][-8 * 180 :], axis=0)  # noqa: E731
    turbulent = mean("surface_upward_sensible_heat_flux") + mean("surface_upward_latent_heat_flux")
    lid = mean("net_downward_radiative_flux_at_top_of_atmosphere_model")
    gained = lid - (mean("surface_net_downward_radiative_flux") - turbulent)
    t, pressure, q = torch.as_tensor(mean("air_temperature")), mean("air_pressure"), mean("specific_humidity")
    humidity = q / (1.0 - q) / mixing_ratio(saturation_pressure_mixed(t), torch.as_tensor(pressure)).numpy()
    middle = humidity[(pressure > 4.0e4) & (pressure < 7.0e4)]
    rain, outgoing = 86400.0 * mean("rainfall_flux"), mean("toa_outgoing_longwave_flux")
    print(f"RESULT gained {gained:.2f} W m-2, rain {rain:.2f} mm/d, outgoing {outgoing:.0f} W m-2, {middle.round(2)}")
    assert 0.25 < middle.min() and middle.max() < 0.7
    assert 2.0 < rain < 4.0
    assert 230.0 < outgoing < 270.0
    assert mean("toa_absorbed_shortwave_flux") > 409.6 - 120.0, "no deck"
    assert abs(gained) < 1.0


def warm_pool(step, duration):
    """Rain (mm/d) over a sea of 302.3 K; in no two hours less than 1 mm/d, energy to 1 W m-2."""
    sea = "surface={temperature: 302.3, wetness: 1.0, roughness: 1.0e-4, gustiness: 1.0, albedo: 0.07}"
    # the layer clouds of a map would cool the column less
    changes = (WARM_POOL, sea, f"duration={duration}", f"step={step}", "output=PT2H", "cloud_fraction=xu_randall")
    p, rain = column("radiative_convective_equilibrium", *changes)
    assert (86400.0 * p["rainfall_flux"][1:]).min() > 1.0, "no spell without rain"
    assert float(np.nanmax(np.abs(p["column_energy_residual"]))) < 1.0
    return rain


def test_the_warm_pool_rains_through_the_stable_layer_of_its_mean_sounding():
    """Without lifting nothing in the first twelve hours; with lifting to the first buoyant layer alone, in spells."""
    assert 2.0 < warm_pool("PT20M", "PT8H") < 20.0


@pytest.mark.slow
def test_rain_over_the_warm_pool_does_not_depend_on_the_step():
    """Over a day: it comes in pulses, as downdraughts cool the air below the clouds, at other hours at another step."""
    long, short = (warm_pool(step, "P1D") for step in ("PT20M", "PT10M"))
    assert 2.0 < long < 20.0
    assert abs(short / long - 1.0) < 0.15


@pytest.mark.parametrize("scheme", ["betts_miller", "mass_flux"])
def test_the_air_over_the_warm_pool_keeps_its_vapour(scheme):
    """COADS at 10-20N in June: 20.2 g/kg at 302 K; Esbensen and Kushnir: 113 W m-2 of latent heat from the sea.

    `betts_miller` once drew the mixed layer to its reference too: 15.4 g/kg, 196 W m-2 after three hours.
    """
    sea = "surface={temperature: 302.2, wetness: 1.0, roughness: 1.0e-4, gustiness: 1.0, albedo: 0.07}"
    changes = (WARM_POOL, sea, "duration=PT8H", "step=PT20M", "output=PT2H", f"convection={scheme}")
    p, _ = column("radiative_convective_equilibrium", *changes)
    lowest, latent = 1e3 * p["specific_humidity"][1:, 0], p["surface_upward_latent_heat_flux"][1:]
    print(f"RESULT {scheme} lowest air {lowest.round(2)} g/kg, latent heat {latent.round(0)} W m-2")
    assert 18.0 < lowest.min() and lowest.max() < 20.5
    assert 80.0 < latent.min() and latent.max() < 130.0


def test_an_hour_of_trade_cumulus_has_their_flux_and_cover_and_no_rain():
    _, q, cover, base, rain, p = bomex(MAP, "step=PT240S", "duration=PT1H", "output=PT1H")
    assert q < 5.0e-4 and 0.05 < cover < 0.2 and 0.01 < base < 0.03 and rain < 0.3
    assert float(np.abs(p["column_energy_residual"][1:]).max()) < 0.5
