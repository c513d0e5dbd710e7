# SPDX-License-Identifier: BSD-3-Clause
"""Air-sea flux laws against AeroBulk (Brodeau et al. 2017) and NOAA's COARE 3.6 on 2165 rows of ship data.

The rows are from ATOMIC (tropical Atlantic, 2020). Measured here, absolute differences of our fluxes from
NOAA's own output with warm layer: with NOAA's warm layer given, at most 9e-9 W m-2 (sensible), 3e-8 W m-2
(latent), 3e-11 Pa, which is the rounding of the file. With our own warm layer the numbers are in the last
test: NOAA's output seems to come from a longer series (its first row already carries the warmth of a morning that
is not in the file, and rows are missing in between), so rows agree where nothing is missing since midnight,
and nearly elsewhere.
"""

import gzip
import math

import numpy as np
import pytest
from scipy.optimize import brentq

from components.atmosphere.air_sea.kernels import ncar as NCAR
from components.atmosphere.air_sea.kernels.coare import (
    EMISSIVITY,
    STEFAN_BOLTZMANN,
    T2K,
    coare_points,
    saturation_pressure,
)
from components.atmosphere.air_sea.kernels.warm_layer import advance_warm_layer, new_warm_layer
from components.atmosphere.air_sea.surface_fluxes import DELIVERS, SCHEMES
from components.science.constants import LATENT_VAPORISATION
from components.science.scheme_constants import SEA_LATENT_HEAT


def night(air_celsius):
    """SST 22 C, q .012, wind 5 m/s at 10 m, 101000 Pa, longwave 350 W m-2, night."""
    values = {
        "air_temperature": air_celsius + 273.15,
        "specific_humidity": 0.012,
        "eastward_wind": 3.0,
        "northward_wind": 4.0,
        "air_pressure_at_mean_sea_level": 101000.0,
        "surface_downwelling_shortwave_flux_in_air": 0.0,
        "surface_downwelling_longwave_flux_in_air": 350.0,
        "sea_surface_temperature": 22.0 + 273.15,
    }
    return {name: np.array([value]) for name, value in values.items()}


@pytest.mark.parametrize(
    ("scheme", "air", "sensible", "latent", "stress", "rtol_sensible"),
    [
        ("ncar", 20.0, -16.697, -88.478, 0.0358520, 5e-3),
        ("ncar", 25.0, 10.726, -71.901, 0.0277330, 5e-3),
        ("coare", 20.0, -14.975, -84.074, 0.032100, 2e-3),
        ("coare", 25.0, 16.675, -48.643, 0.014889, 2e-3),
    ],
)
def test_published_point_values(scheme, air, sensible, latent, stress, rtol_sensible):
    fluxes = SCHEMES[scheme](**night(air), temperature_height=2.0)
    assert fluxes["surface_downward_sensible_heat_flux"][0] == pytest.approx(sensible, rel=rtol_sensible)
    evaporation = fluxes["water_evapotranspiration_flux"][0]
    a, b = SEA_LATENT_HEAT  # the published flux is that of the law's own latent heat
    assert -1e6 * (a - b * 22.0) * evaporation == pytest.approx(latent, rel=2e-3)
    assert fluxes["surface_downward_eastward_stress"][0] == pytest.approx(0.6 * stress, rel=2e-3)
    assert fluxes["surface_downward_northward_stress"][0] == pytest.approx(0.8 * stress, rel=2e-3)
    assert evaporation > 0.0


def by_profiles(t, q, wind, p, sst, z_u, z_t):
    """Large and Yeager's law as three logarithmic profiles over roughness lengths, its stability 1/L by bisection.

    Sensible heat (W m-2), evaporation (kg m-2 s-1), stress (Pa). Neither coefficients moved in height nor an iteration.
    """
    cp = NCAR.CP_DRY + NCAR.CP_VAPOUR * q
    theta_t, q_s = t + NCAR.GRAVITY / cp * z_t, NCAR.sea_surface_humidity(sst, p)
    k = NCAR.KAPPA

    def at(over_l):
        psi_m, psi_h = NCAR.psi_m(z_u * over_l), NCAR.psi_h(z_t * over_l)

        def friction(u_n10):
            return math.sqrt(NCAR.neutral_drag(u_n10)) * u_n10

        def profile(u_n10):  # the wind at z_u over the roughness that a neutral wind of u_n10 has
            z_0 = 10.0 * math.exp(-k * u_n10 / friction(u_n10))
            return friction(u_n10) / k * (math.log(z_u / z_0) - psi_m) - wind

        u_n10 = brentq(profile, 1.0, 32.9, xtol=1e-13)
        u_star = friction(u_n10)
        scales = []
        for difference, number in ((theta_t - sst, 18.0 if over_l >= 0.0 else 32.7), (q - q_s, 34.6)):
            z_0 = 10.0 * math.exp(-k / (1e-3 * number))  # C_HN = number root / 1000 at 10 m
            scales.append(k * difference / (math.log(z_t / z_0) - psi_h))
        shift = (math.log(z_u / z_t) + psi_h - NCAR.psi_h(z_u * over_l)) / k
        theta, humidity = theta_t + scales[0] * shift, q + scales[1] * shift
        moist = 1.0 + NCAR.CTV * humidity
        buoyancy = NCAR.GRAVITY * (scales[0] * moist + NCAR.CTV * theta * scales[1]) / (theta * moist)
        rho = p / (NCAR.R_DRY * (theta - NCAR.GRAVITY / cp * z_u) * moist)
        heat = rho * (NCAR.CP_DRY + NCAR.CP_VAPOUR * humidity) * u_star * scales[0]
        return k * buoyancy / u_star**2 - over_l, (heat, -rho * u_star * scales[1], rho * u_star**2)

    stable = at(1e-9)[0] > 0.0
    ends = (1e-9, 0.04) if stable else (-0.3, -1e-9)
    return at(brentq(lambda x: at(x)[0], *ends, xtol=1e-15))[1]


def test_ncar_is_the_law_of_its_profiles():
    """Neutral wind and friction belong together (LY04 eq. 9a): with the drag at height in 9a, as AeroBulk has it, these
    points were off by up to .50 (sensible) and 1.24 W m-2 (latent) and .009 Pa."""
    rng, worst = np.random.default_rng(5), np.zeros(3)
    for _ in range(60):
        sst = rng.uniform(272.0, 303.0)
        t = sst + rng.choice([rng.uniform(-10.0, -2.0), rng.uniform(3.0, 5.0)])
        q, wind = 0.75 * NCAR.sea_surface_humidity(t, 1.0e5), rng.uniform(7.0, 25.0)
        point = (t, q, wind, 1.0e5, sst, rng.uniform(5.0, 30.0), rng.uniform(2.0, 20.0))
        sensible, _, stress, evaporation = NCAR.ncar_point(*point)
        heat, water, momentum = by_profiles(*point)
        errors = sensible - heat, 2.5e6 * (evaporation - water), stress - momentum
        worst = np.maximum(worst, np.abs(errors))
    print("sensible, latent W m-2, stress Pa:", worst)
    assert worst[0] < 1e-3
    assert worst[1] < 1e-3
    assert worst[2] < 1e-6


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_the_sea_loses_the_latent_heat_that_the_air_gains(scheme):
    """At 8 m/s, 75 %, air 1 K colder, by its L(T) the sea lost .61, 2.24 and 4.97 W m-2 less at 10, 20 and 28 C."""
    sst = np.array([10.0, 20.0, 28.0]) + 273.15
    given = night(0.0) | {
        "air_temperature": sst - 1.0,
        "specific_humidity": 0.75 * np.array([NCAR.sea_surface_humidity(t, 101000.0) for t in sst - 1.0]) / 0.98,
        "eastward_wind": np.full(3, 8.0),
        "northward_wind": np.zeros(3),
        "sea_surface_temperature": sst,
    }
    fluxes = SCHEMES[scheme](**{k: np.broadcast_to(v, 3) for k, v in given.items()})
    air_gains = LATENT_VAPORISATION * fluxes["water_evapotranspiration_flux"]
    np.testing.assert_allclose(-fluxes["surface_downward_latent_heat_flux"], air_gains, rtol=1e-12)
    if scheme == "ncar":
        own = 1e6 * (SEA_LATENT_HEAT[0] - SEA_LATENT_HEAT[1] * (sst - 273.15)) * fluxes["water_evapotranspiration_flux"]
        np.testing.assert_allclose(air_gains - own, [0.609, 2.240, 4.967], atol=1e-3)


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_wind_is_relative_to_the_current(scheme):
    still = SCHEMES[scheme](**night(20.0))
    moved = night(20.0)
    moved["eastward_wind"] += 0.7
    moved["northward_wind"] -= 0.4
    moved["surface_eastward_sea_water_velocity"] = np.array([0.7])
    moved["surface_northward_sea_water_velocity"] = np.array([-0.4])
    shifted = SCHEMES[scheme](**moved)
    for name in DELIVERS:
        np.testing.assert_allclose(shifted[name], still[name], rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_mean_speed_feeds_the_heat_and_not_the_mean_stress(scheme):
    """Winds blowing from both sides: no mean stress, but the heat of their speed."""
    gusty = night(20.0) | {name: np.zeros(1) for name in ("eastward_wind", "northward_wind")}
    gusty["wind_speed"] = np.array([5.0])
    fluxes, steady = SCHEMES[scheme](**gusty), SCHEMES[scheme](**night(20.0))
    assert fluxes["surface_downward_eastward_stress"][0] == 0.0
    name = "surface_downward_latent_heat_flux"
    assert fluxes[name][0] == pytest.approx(steady[name][0], rel=1e-12)


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_the_height_of_the_air_comes_from_the_atmosphere_unless_it_is_said(scheme):
    law, one = SCHEMES[scheme], night(20.0)
    usual, at_forty = law(**one), law(**one, height=np.array([40.0]))
    said = law(**one, wind_height=40.0, temperature_height=40.0)
    both = law(**one, height=np.array([25.0]), wind_height=40.0, temperature_height=40.0)
    for name in DELIVERS:
        assert usual[name] == law(**one, wind_height=10.0, temperature_height=10.0)[name], name
        assert at_forty[name] == said[name] == both[name], name
    name = "surface_downward_latent_heat_flux"
    assert abs(at_forty[name][0] - usual[name][0]) > 5.0


def ocean_points(n, seed=3):
    """Random but plausible points, calm and stormy, stable and unstable."""
    rng = np.random.default_rng(seed)
    sst = rng.uniform(271.5, 304.0, n)
    return {
        "air_temperature": sst + rng.uniform(-12.0, 5.0, n),
        "specific_humidity": rng.uniform(0.001, 0.02, n),
        "eastward_wind": rng.normal(0.0, 8.0, n),
        "northward_wind": rng.normal(0.0, 8.0, n),
        "air_pressure_at_mean_sea_level": rng.uniform(98000.0, 103500.0, n),
        "surface_downwelling_shortwave_flux_in_air": rng.uniform(0.0, 900.0, n),
        "surface_downwelling_longwave_flux_in_air": rng.uniform(180.0, 430.0, n),
        "sea_surface_temperature": sst,
    }


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_bits_do_not_depend_on_the_blocks(scheme):
    fields = ocean_points(1003)
    whole = SCHEMES[scheme](**fields)
    for start, stop in ((0, 1), (1, 8), (8, 500), (500, 1003)):
        block = SCHEMES[scheme](**{name: values[start:stop] for name, values in fields.items()})
        for name in DELIVERS:
            np.testing.assert_array_equal(block[name], whole[name][start:stop], err_msg=name)
    for name in DELIVERS:
        assert np.isfinite(whole[name]).all(), name


@pytest.mark.parametrize("scheme", ["ncar", "coare"])
def test_heat_into_the_sea_is_the_sum_of_its_parts(scheme):
    fluxes = SCHEMES[scheme](**ocean_points(200))
    parts = sum(
        fluxes[name]
        for name in (
            "surface_net_downward_shortwave_flux",
            "surface_net_downward_longwave_flux",
            "surface_downward_sensible_heat_flux",
            "surface_downward_latent_heat_flux",
        )
    )
    np.testing.assert_allclose(fluxes["surface_downward_heat_flux_in_sea_water"], parts, atol=1e-10)


# NOAA's rows


def table(path):
    """Columns of one of NOAA's gzipped tables."""
    lines = gzip.open(path, "rt").read().splitlines()
    rows = np.array([[float(x) for x in line.split()] for line in lines[1:]])
    return dict(zip(lines[0].split(), rows.T, strict=True))


@pytest.fixture(scope="module")
def atomic(shared):
    folder = shared / "data" / "ocean" / "coare"
    given = table(folder / "test_36_data.txt.gz")
    noaa = table(folder / "test_36_output_withnowavesinput_withwarmlayer.txt.gz")
    p = given["P"] - 0.125 * given["zt"]
    e = 0.01 * given["rh"] * np.array([saturation_pressure(*tp) for tp in zip(given["ta"], p, strict=True)])
    given["q"] = 0.622 * e / (p - 0.378 * e)
    given["p_t"] = p
    return given, noaa


def law(given, net_solar, t_sea, rows=slice(None)):
    """Our COARE on the rows; NOAA's albedo (Payne 1972) enters through its net solar radiation."""
    names = ("ta", "q", "u", "P"), ("lw_dn", "Ss", "zi", "lat", "zu", "zt", "zq")
    first, second = ([np.ascontiguousarray(given[n][rows]) for n in group] for group in names)
    return coare_points(*first, np.ascontiguousarray(t_sea), net_solar[rows], *second, True)


def test_coare_rows_flux_law(atomic):
    """2165 rows with NOAA's warm layer given: agreement to the rounding of the file."""
    given, noaa = atomic
    ours = law(given, noaa["sw_net"], given["tsg"] + noaa["dT_warm_to_skin"])
    assert ours.shape == (7, 2165)
    assert np.abs(ours[0] + noaa["hsb"]).max() < 1e-7
    assert np.abs(ours[1] + noaa["hlb"]).max() < 1e-6
    assert np.abs(ours[2] - noaa["tau"]).max() < 1e-9
    assert np.abs(ours[4] - noaa["dT_skinx"]).max() < 1e-9


def rain_heat(given, row, t_sea, skin, q_s):
    """Sensible heat of rain leaving the sea, W m-2 (Gosnell, Fairall and Webster 1995 eq. 7)."""
    t, q = given["ta"][row], given["q"][row]
    lv, r, cp = (2.501 - 0.00237 * t_sea) * 1e6, 287.1, 1004.67
    rho = 100.0 * given["p_t"][row] / (r * (t + T2K) * (1.0 + 0.61 * q))
    vapour = 2.11e-5 * ((t + T2K) / T2K) ** 1.94
    heat = (1.0 + 3.309e-3 * t - 1.44e-6 * t * t) * 0.02411 / (rho * cp)
    wet_bulb = 1.0 / (1.0 + 0.622 * q * lv / (r * (t + T2K) ** 2) * lv * vapour / (cp * heat))
    dq = q_s - q - 0.622 * lv * q_s / (r * (t_sea + T2K) ** 2) * skin
    return given["rain"][row] * wet_bulb * 4000.0 / 3600.0 * (t_sea - t - skin + dq * lv / cp)


def test_coare_rows_with_own_warm_layer(atomic):
    """The whole chain: rows before any gap of their local day agree, the errors of the others are bounded."""
    given, noaa = atomic
    n = given["u"].size
    # NOAA's clock: local hours, not wrapped when negative, so west of Greenwich its day ends at 0 UTC.
    hours = (given["lon"] + 7.5) / 15.0 + (given["jd"] % 1.0) * 24.0
    state, warming = new_warm_layer(1), np.zeros(n)
    flux = law(given, noaa["sw_net"], given["tsg"][:1], slice(0, 1))[:, 0]
    rain = 0.0
    for row in range(n):
        at = slice(row, row + 1)
        skin_temperature = given["tsg"][row] - flux[4] + T2K
        longwave = EMISSIVITY * (STEFAN_BOLTZMANN * skin_temperature**4 - given["lw_dn"][row])
        cooling = np.array([longwave - flux[0] - flux[1] + rain])
        warming[row] = advance_warm_layer(
            state,
            hours[at] * 3600.0,
            given["lat"][at],
            given["tsg"][at],
            noaa["sw_net"][at],
            cooling,
            np.array([flux[2]]),
            given["ztsg"][at],
        )[0]
        t_sea = given["tsg"][row] + warming[row]
        flux = law(given, noaa["sw_net"], np.array([t_sea]), at)[:, 0]
        rain = rain_heat(given, row, t_sea, flux[4], 1e-3 * noaa["Qs"][row])
    whole = np.zeros(n, bool)  # rows with nothing missing since local midnight
    unbroken = False
    for row in range(1, n):
        if hours[row] < hours[row - 1]:
            unbroken = True
        elif given["jd"][row] - given["jd"][row - 1] > 10.5 / 1440.0:
            unbroken = False
        whole[row] = unbroken
    error = np.abs(warming - noaa["dT_warm_to_skin"])
    fluxes = law(given, noaa["sw_net"], given["tsg"] + warming)
    latent = np.abs(fluxes[1] + noaa["hlb"])
    sensible = np.abs(fluxes[0] + noaa["hsb"])
    print(f"whole days: {whole.sum()} rows, warming within 1e-6 K in {(error[whole] < 1e-6).sum()}")
    for name, values in (("warming K", error), ("latent W m-2", latent), ("sensible W m-2", sensible)):
        print(name, "median, 90, 99, 100 %:", *(f"{np.percentile(values, p):.3g}" for p in (50, 90, 99, 100)))
    assert whole.sum() > 300
    assert (error[whole] < 1e-6).mean() > 0.95
    assert np.median(error) < 1e-9
    assert np.percentile(latent, 90) < 0.1
    assert np.percentile(latent, 99) < 1.5
    assert latent.max() < 6.0
    assert sensible.max() < 1.6
