# SPDX-License-Identifier: BSD-3-Clause
"""Single-moment mixed-phase cloud microphysics with five classes: vapour, cloud water, rain, cloud ice, snow.

The processes and constants are those of Hong, Dudhia & Chen (2004, Mon. Wea. Rev. 132, 103-120: diagnosed ice number,
equations numbered HDC below) with the warm rain, snow and melting terms of Rutledge & Hobbs (1983, J. Atmos. Sci.
40), Lin, Farley & Orville (1983, J. Clim. Appl. Meteor. 22) and the autoconversion of Tripoli & Cotton (1980). Every
sink is bounded by what is there, in an order that conserves water exactly; mixing ratios are to dry air. Droplets of
cloud settle too, which is what a fog loses most by. Rain, ice and snow of 1e-12 kg/kg and less, which fall and diffuse
far, stay as they are in air without cloud below saturation.
"""

import math
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    adjust_to_saturation,
    power,
    saturation_mixing_ratio,
)
from components.atmosphere.nonhydrostatic.physics import droplets as drops
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.droplets import OVER_LAND, Droplets, Number
from components.atmosphere.nonhydrostatic.physics.hydrometeors import (
    LEAST,
    N_0R,
    RAIN_DROPS,
    SNOW_FLAKES,
    Properties,
    autoconversion,
    crystal_diameter,
    crystals,
    freezing_cloud,
    freezing_rain,
    nuclei,
    properties,
    resistance,
    slope,
    snow_intercept,
    speed,
    sweep,
    ventilation,
)
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Parts
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, RAIN, SNOW, VAPOUR
from components.science.constants import CP_DRY, FREEZING_POINT, LATENT_FUSION, LATENT_SUBLIMATION, LATENT_VAPORISATION
from components.science.remaining import Remaining, at, flat, shaped
from components.science.settling import fall
from components.science.water import growth, growth_ice, saturation_pressure, saturation_pressure_ice

SPECIES = (VAPOUR, CLOUD_WATER, RAIN, CLOUD_ICE, SNOW)

LV, LS, LF = LATENT_VAPORISATION / CP_DRY, LATENT_SUBLIMATION / CP_DRY, LATENT_FUSION / CP_DRY  # K


class Water(NamedTuple):
    """Result of a step: theta (K), mixing ratios (nz, y, x) kg/kg, rain and snow at the ground (y, x) kg m-2."""

    theta: torch.Tensor
    q_v: torch.Tensor
    q_c: torch.Tensor
    q_r: torch.Tensor
    q_i: torch.Tensor
    q_s: torch.Tensor
    rain: torch.Tensor
    snow: torch.Tensor


class Cloud(NamedTuple):
    """What the processes change, one after the other: temperature (K) and the five mixing ratios (kg/kg)."""

    t: torch.Tensor
    q_v: torch.Tensor
    q_c: torch.Tensor
    q_r: torch.Tensor
    q_i: torch.Tensor
    q_s: torch.Tensor


class Flakes(NamedTuple):
    """Snow in the air: where it is, the intercept of its size distribution (m-4), its ventilation as it falls (m2)."""

    there: torch.Tensor
    intercept: torch.Tensor
    ventilation: torch.Tensor


def step(
    air: Columns, theta: torch.Tensor, q: Parts, dt: float, land: torch.Tensor | None = None, *,
    droplets: float, droplets_over_sea: float,
) -> Clouds:  # fmt: skip
    """`mixed_phase` as a scheme of the table; droplets of cloud over land and sea, m-3."""
    vapour, cloud, rain, ice, snow = (q[s.name] for s in SPECIES)
    there = drops.by_surface(land, droplets, droplets_over_sea)
    w = mixed_phase(theta, vapour, cloud, rain, ice, snow, air.p, air.pi, air.rho, air.mass, dt, there)
    return Clouds(w.theta, dict(zip((s.name for s in SPECIES), w[1:6], strict=True)), w.rain, w.snow)


def mixed_phase(
    theta: torch.Tensor,
    q_v: torch.Tensor,
    q_c: torch.Tensor,
    q_r: torch.Tensor,
    q_i: torch.Tensor,
    q_s: torch.Tensor,
    p: torch.Tensor,
    pi: torch.Tensor,
    rho: torch.Tensor,
    mass: torch.Tensor,
    dt: float,
    droplets: Droplets = OVER_LAND,
) -> Water:
    """Cloud and precipitation processes over ``dt`` seconds.

    Parameters
    ----------
    theta : (nz, y, x) potential temperature, K
    q_v, q_c, q_r, q_i, q_s : mixing ratios, kg/kg of dry air
    p, pi : pressure (Pa) and Exner function
    rho, mass : density of dry air (kg m-3) and dry mass of the layer (kg m-2)
    dt : time step, s
    droplets : of cloud
    """
    c = Cloud(theta * pi, *(torch.clamp(q, min=0.0) for q in (q_v, q_c, q_r, q_i, q_s)))
    every, around, density = flat((c, p, rho), 3)
    left, numbers = Remaining().those(at_work(every, around))
    speeds = [torch.zeros_like(density)] * 4
    if not left.none:
        some = at(numbers, (every, around, density))
        made = processes(*some, dt, droplets.of(numbers, theta.shape))
        every, speeds = left.spread(made, (every, speeds))
    c, speeds = shaped((every, speeds), theta.shape)
    fallen = [fall(q, v, rho, mass, dt) for q, v in zip(c[2:], speeds, strict=True)]
    (q_c, settled), (q_r, rain), (q_i, ice), (q_s, snow) = fallen
    return Water(c.t / pi, c.q_v, q_c, q_r, q_i, q_s, rain + settled, snow + ice)


def at_work(c: Cloud, p: torch.Tensor) -> torch.Tensor:
    """Whether a cell has cloud, or more than `LEAST` of what falls, or vapour above saturation."""
    e_s = torch.where(c.t < FREEZING_POINT, saturation_pressure_ice(c.t), saturation_pressure(c.t))
    much = torch.maximum(c.q_r, torch.maximum(c.q_i, c.q_s)) > LEAST
    return (c.q_c > 0.0) | much | (c.q_v > saturation_mixing_ratio(e_s, p))


# a table of contents of the scheme
def processes(
    c: Cloud, p: torch.Tensor, rho: torch.Tensor, dt: float, droplets: Droplets
) -> tuple[Cloud, list[torch.Tensor]]:
    """What happens in cells over ``dt`` s, besides the fall; then fall speeds of cloud, rain, ice and snow, m s-1."""
    air = properties(c.t, p, rho)
    c = freeze(c, air, dt, droplets.number)
    c = make_rain(c, air, dt, droplets.number)
    c, flakes = gather_snow(c, air, dt)
    c = melt_snow(c, air, flakes, dt)
    t, q_v, q_c = adjust_to_saturation(c.t, c.q_v, c.q_c, p, LV)
    c = evaporate_rain(c._replace(t=t, q_v=q_v, q_c=q_c), air, dt)
    c = deposit(c, air, flakes, dt)
    return c, fall_speeds(c, flakes, air, droplets)


def freeze(c: Cloud, air: Properties, dt: float, droplets: Number) -> Cloud:
    """Melting of cloud ice; homogeneous and heterogeneous freezing of cloud water, and of rain (HDC, appendix)."""
    t, q_v, q_c, q_r, q_i, q_s = c
    rho = air.rho
    warm = t > FREEZING_POINT
    melt = torch.where(warm, q_i, 0.0)
    q_i, q_c, t = q_i - melt, q_c + melt, t - LF * melt
    frozen = freezing_cloud(t, q_c, rho, droplets, dt)
    q_c, q_i, t = q_c - frozen, q_i + frozen, t + LF * frozen
    frozen = torch.minimum(dt * freezing_rain(t, slope(RAIN_DROPS, N_0R, rho, q_r), rho), q_r)
    q_r, q_s, t = q_r - frozen, q_s + frozen, t + LF * frozen
    return Cloud(t, q_v, q_c, q_r, q_i, q_s)


def make_rain(c: Cloud, air: Properties, dt: float, droplets: Number) -> Cloud:
    """Autoconversion above a critical cloud water (Tripoli & Cotton 1980), accretion (Lin et al. 1983)."""
    q_c, q_r, rho = c.q_c, c.q_r, air.rho
    auto = torch.minimum(dt * autoconversion(q_c, rho, droplets), q_c)
    q_c, q_r = q_c - auto, q_r + auto
    swept_share = sweep(RAIN_DROPS, N_0R, slope(RAIN_DROPS, N_0R, rho, q_r), air.thin)
    swept = torch.where(q_r > LEAST, q_c * (1.0 - torch.exp(-dt * swept_share)), 0.0)
    q_c, q_r = q_c - swept, q_r + swept
    return c._replace(q_c=q_c, q_r=q_r)


def gather_snow(c: Cloud, air: Properties, dt: float) -> tuple[Cloud, Flakes]:
    """Snow from ice by aggregation (HDC eq. 19); it collects ice and cloud water."""
    t, q_v, q_c, q_r, q_i, q_s = c
    rho = air.rho
    cold = torch.clamp(FREEZING_POINT - t, min=0.0)
    n_0s = snow_intercept(t)
    most = _largest_ice(rho, crystals(rho, q_i))
    aggregated = torch.where(t < FREEZING_POINT, torch.clamp(q_i - most, min=0.0), 0.0)
    q_i, q_s = q_i - aggregated, q_s + aggregated
    lam_s = slope(SNOW_FLAKES, n_0s, rho, q_s)
    area = sweep(SNOW_FLAKES, n_0s, lam_s, air.thin)
    there = q_s > LEAST
    stick = torch.exp(-0.07 * cold)
    taken = torch.where(there & (t < FREEZING_POINT), q_i * (1.0 - torch.exp(-dt * area * stick)), 0.0)
    q_i, q_s = q_i - taken, q_s + taken
    rimed = torch.where(there, q_c * (1.0 - torch.exp(-dt * area)), 0.0)
    freezes = t < FREEZING_POINT
    q_c = q_c - rimed
    q_s = q_s + torch.where(freezes, rimed, 0.0)
    q_r = q_r + torch.where(freezes, 0.0, rimed)
    t = t + LF * torch.where(freezes, rimed, 0.0)
    vent = ventilation(SNOW_FLAKES, lam_s, air)
    return Cloud(t, q_v, q_c, q_r, q_i, q_s), Flakes(there, n_0s, vent)


def melt_snow(c: Cloud, air: Properties, flakes: Flakes, dt: float) -> Cloud:
    """Melting of snow (Rutledge & Hobbs 1983, eq. A25)."""
    t, q_r, q_s = c.t, c.q_r, c.q_s
    warm = torch.clamp(t - FREEZING_POINT, min=0.0)
    melted = torch.minimum(
        dt
        * 2.0
        * math.pi
        * flakes.intercept
        / (air.rho * LATENT_FUSION)
        * air.conductivity
        * warm
        * flakes.ventilation,
        q_s,
    )
    melted = torch.minimum(torch.where(flakes.there, melted, 0.0), warm / LF)
    q_s, q_r, t = q_s - melted, q_r + melted, t - LF * melted
    return c._replace(t=t, q_r=q_r, q_s=q_s)


def evaporate_rain(c: Cloud, air: Properties, dt: float) -> Cloud:
    """Evaporation of rain in subsaturated air without cloud."""
    t, q_v, q_c, q_r = c[:4]
    p, rho = air.p, air.rho
    q_w = saturation_mixing_ratio(saturation_pressure(t), p)
    growing = q_w * growth(t)
    lack = torch.clamp(1.0 - q_v / q_w, min=0.0)
    resist = resistance(LATENT_VAPORISATION, t, q_w, air)
    vent_r = ventilation(RAIN_DROPS, slope(RAIN_DROPS, N_0R, rho, q_r), air)
    gone = dt * 2.0 * math.pi * N_0R * lack / resist * vent_r
    gone = torch.minimum(torch.minimum(gone, torch.clamp(q_w - q_v, min=0.0) / (1.0 + LV * growing)), q_r)
    gone = torch.where(q_c > 0.0, 0.0, gone)
    q_v, q_r, t = q_v + gone, q_r - gone, t - LV * gone
    return c._replace(t=t, q_v=q_v, q_r=q_r)


def deposit(c: Cloud, air: Properties, flakes: Flakes, dt: float) -> Cloud:
    """Deposition on and sublimation of ice and snow, initiation of ice (HDC eq. 8-10)."""
    t, q_v, q_c, q_r, q_i, q_s = c
    p, rho = air.p, air.rho
    q_is = saturation_mixing_ratio(saturation_pressure_ice(t), p)
    ice_slope = q_is * growth_ice(t)
    freezing = t < FREEZING_POINT
    # to be deposited until saturation over ice
    room = torch.where(freezing, (q_v - q_is) / (1.0 + LS * ice_slope), 0.0)
    super_ice = q_v / q_is - 1.0
    resist = resistance(LATENT_SUBLIMATION, t, q_is, air)
    number = crystals(rho, q_i)
    on_ice = dt * 4.0 * crystal_diameter(rho, q_i, number) * super_ice * number / resist
    on_snow = torch.where(q_s > LEAST, dt * 4.0 * flakes.intercept * super_ice * flakes.ventilation / resist, 0.0)
    fresh = torch.where(super_ice > 0.0, torch.clamp(nuclei(t, rho) - q_i, min=0.0), 0.0)
    wanted = torch.where(freezing, on_ice + on_snow + fresh, 0.0)
    share = torch.where(
        wanted.abs() > 1e-30, torch.clamp(room / torch.where(wanted == 0.0, 1.0, wanted), 0.0, 1.0), 0.0
    )
    to_ice = torch.maximum(torch.where(freezing, (on_ice + fresh) * share, 0.0), -q_i)
    to_snow = torch.maximum(torch.where(freezing, on_snow * share, 0.0), -q_s)
    q_i, q_s, q_v = q_i + to_ice, q_s + to_snow, q_v - to_ice - to_snow
    t = t + LS * (to_ice + to_snow)
    return Cloud(t, q_v, q_c, q_r, q_i, q_s)


def fall_speeds(c: Cloud, flakes: Flakes, air: Properties, droplets: Droplets) -> list[torch.Tensor]:
    """Of cloud, rain, ice and snow, m s-1."""
    rho, thin = air.rho, air.thin
    v_r = speed(RAIN_DROPS, slope(RAIN_DROPS, N_0R, rho, c.q_r), thin)
    v_s = speed(SNOW_FLAKES, slope(SNOW_FLAKES, flakes.intercept, rho, c.q_s), thin)
    v_i = torch.clamp(3.29 * power(rho * c.q_i, 0.16), max=1.0)  # Heymsfield & Donner (1990)
    v_c = drops.speed(c.q_c, c.t, rho, droplets)
    return [v_c, torch.where(c.q_r > LEAST, v_r, 0.0), v_i, torch.where(c.q_s > LEAST, v_s, 0.0)]


def _largest_ice(rho: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
    """Ice (kg/kg) that crystals of at most 500 um hold: (D / 11.9)^2 each; what exceeds it is snow (HDC eq. 19)."""
    return (5.0e-4 / 11.9) ** 2 * number / rho
