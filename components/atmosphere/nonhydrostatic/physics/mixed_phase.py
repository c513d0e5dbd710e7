# SPDX-License-Identifier: BSD-3-Clause
"""Single-moment mixed-phase cloud microphysics with five classes: vapour, cloud water, rain, cloud ice, snow.

The processes and constants are those of Hong, Dudhia & Chen (2004, Mon. Wea. Rev. 132, 103-120: diagnosed ice number,
equations numbered HDC below) with the warm rain, snow and melting terms of Rutledge & Hobbs (1983, J. Atmos. Sci.
40), Lin, Farley & Orville (1983, J. Clim. Appl. Meteor. 22) and the autoconversion of Tripoli & Cotton (1980). Every
sink is bounded by what is there, in an order that conserves water exactly; mixing ratios are to dry air.
"""

import math
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import (
    adjust_to_saturation,
    power,
    saturation_mixing_ratio,
)
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Parts
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, RAIN, SNOW, VAPOUR
from components.science.constants import (
    CP_DRY,
    FREEZING_POINT,
    GRAVITY,
    LATENT_FUSION,
    LATENT_SUBLIMATION,
    LATENT_VAPORISATION,
    R_VAPOUR,
    WATER_DENSITY,
)
from components.science.settling import fall
from components.science.water import growth, growth_ice, saturation_pressure, saturation_pressure_ice

SPECIES = (VAPOUR, CLOUD_WATER, RAIN, CLOUD_ICE, SNOW)

N_0R = 8.0e6  # intercept of rain, m-4
N_0S = 2.0e6  # intercept of snow at 0 degC, m-4; times exp(0.12 (T0 - T)) (HDC eq. 6)
RHO_SNOW = 100.0
A_R, B_R = 841.9, 0.8  # fall speed of rain a D^b, SI
A_S, B_S = 11.72, 0.41  # of snow
CLOUD_NUMBER = 3.0e8  # droplets, m-3
CLOUD_RADIUS = 8.0e-6  # critical mean radius of autoconversion, m
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


class Properties(NamedTuple):
    """Properties of the air in the step: pressure (Pa), density of dry air (kg m-3) and the coefficients of diffusion.

    Attributes
    ----------
    thin : factor of the fall speeds in thinner air
    viscosity, diffusivity : kinematic, and of vapour, m2 s-1
    conductivity : of heat, W m-1 K-1
    schmidt : cube root of the Schmidt number
    """

    p: torch.Tensor
    rho: torch.Tensor
    thin: torch.Tensor
    viscosity: torch.Tensor
    diffusivity: torch.Tensor
    conductivity: torch.Tensor
    schmidt: torch.Tensor


class Flakes(NamedTuple):
    """Snow in the air: where it is, the intercept of its size distribution (m-4), its ventilation as it falls (m2)."""

    there: torch.Tensor
    intercept: torch.Tensor
    ventilation: torch.Tensor


def step(air: Columns, theta: torch.Tensor, q: Parts, dt: float) -> Clouds:
    """`mixed_phase` as a scheme of the table."""
    vapour, cloud, rain, ice, snow = (q[s.name] for s in SPECIES)
    w = mixed_phase(theta, vapour, cloud, rain, ice, snow, air.p, air.pi, air.rho, air.mass, dt)
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
) -> Water:
    """Cloud and precipitation processes over ``dt`` seconds.

    Parameters
    ----------
    theta : (nz, y, x) potential temperature, K
    q_v, q_c, q_r, q_i, q_s : mixing ratios, kg/kg of dry air
    p, pi : pressure (Pa) and Exner function
    rho, mass : density of dry air (kg m-3) and dry mass of the layer (kg m-2)
    """
    t = theta * pi
    c = Cloud(t, *(torch.clamp(q, min=0.0) for q in (q_v, q_c, q_r, q_i, q_s)))
    air = properties(t, p, rho)
    c = freeze(c, air, dt)
    c = make_rain(c, air, dt)
    c, flakes = gather_snow(c, air, dt)
    c = melt_snow(c, air, flakes, dt)
    t, q_v, q_c = adjust_to_saturation(c.t, c.q_v, c.q_c, p, LV)
    c = evaporate_rain(c._replace(t=t, q_v=q_v, q_c=q_c), air, dt)
    t, q_v, q_c, q_r, q_i, q_s = deposit(c, air, flakes, dt)
    q_r, q_i, q_s, rain, snow = settle(q_r, q_i, q_s, flakes, air, mass, dt)
    return Water(t / pi, q_v, q_c, q_r, q_i, q_s, rain, snow)


def properties(t: torch.Tensor, p: torch.Tensor, rho: torch.Tensor) -> Properties:
    """Of air at temperature ``t`` (K), pressure ``p`` (Pa) and density of dry air ``rho`` (kg m-3)."""
    thin = torch.sqrt(1.28 / rho)
    viscosity = 1.496e-6 * t * torch.sqrt(t) / (t + 120.0) / rho
    diffusivity = 8.794e-5 * torch.exp(1.81 * torch.log(t)) / p
    conductivity = 1.414e3 * viscosity * rho
    schmidt = torch.exp((1.0 / 3.0) * torch.log(viscosity / diffusivity))
    return Properties(p, rho, thin, viscosity, diffusivity, conductivity, schmidt)


def freeze(c: Cloud, air: Properties, dt: float) -> Cloud:
    """Melting of cloud ice; homogeneous and heterogeneous freezing of cloud water, and of rain (HDC, appendix)."""
    t, q_v, q_c, q_r, q_i, q_s = c
    rho = air.rho
    warm = t > FREEZING_POINT
    melt = torch.where(warm, q_i, 0.0)
    q_i, q_c, t = q_i - melt, q_c + melt, t - LF * melt
    frozen = torch.where(t < FREEZING_POINT - 40.0, q_c, 0.0)
    cold = torch.clamp(FREEZING_POINT - t, 0.0, 40.0)
    rate = 100.0 * torch.expm1(0.66 * cold) * rho / (WATER_DENSITY * CLOUD_NUMBER) * q_c * q_c  # Bigg (1953)
    frozen = torch.maximum(frozen, torch.minimum(dt * rate, q_c))
    q_c, q_i, t = q_c - frozen, q_i + frozen, t + LF * frozen
    # freezing of rain (Bigg 1953 over an exponential distribution)
    lam_r = _slope(math.pi * WATER_DENSITY * N_0R, rho, q_r, 8.0e4)
    cold = torch.clamp(FREEZING_POINT - t, 0.0, 40.0)
    rate = (
        20.0
        * math.pi
        * math.pi
        * 100.0
        * N_0R
        * WATER_DENSITY
        / rho
        * torch.expm1(0.66 * cold)
        * _inverse_seventh(lam_r)
    )
    frozen = torch.minimum(dt * rate, q_r)
    q_r, q_s, t = q_r - frozen, q_s + frozen, t + LF * frozen
    return Cloud(t, q_v, q_c, q_r, q_i, q_s)


def make_rain(c: Cloud, air: Properties, dt: float) -> Cloud:
    """Autoconversion above a critical cloud water (Tripoli & Cotton 1980), accretion (Lin et al. 1983)."""
    q_c, q_r, rho = c.q_c, c.q_r, air.rho
    critical = 4.0 / 3.0 * math.pi * WATER_DENSITY * CLOUD_NUMBER * CLOUD_RADIUS**3 / rho
    factor = 0.104 * GRAVITY * 0.55 / (CLOUD_NUMBER * WATER_DENSITY) ** (1.0 / 3.0) / 1.718e-5
    auto = torch.where(q_c > critical, factor * power(rho, 4.0 / 3.0) * power(q_c, 7.0 / 3.0), 0.0)
    auto = torch.minimum(dt * auto, q_c)
    q_c, q_r = q_c - auto, q_r + auto
    lam_r = _slope(math.pi * WATER_DENSITY * N_0R, rho, q_r, 8.0e4)
    sweep = 0.25 * math.pi * A_R * N_0R * math.gamma(3.0 + B_R) * torch.exp(-(3.0 + B_R) * torch.log(lam_r)) * air.thin
    swept = torch.where(q_r > 1e-12, q_c * (1.0 - torch.exp(-dt * sweep)), 0.0)
    q_c, q_r = q_c - swept, q_r + swept
    return c._replace(q_c=q_c, q_r=q_r)


def gather_snow(c: Cloud, air: Properties, dt: float) -> tuple[Cloud, Flakes]:
    """Snow from ice by aggregation (HDC eq. 19); it collects ice and cloud water."""
    t, q_v, q_c, q_r, q_i, q_s = c
    rho, thin = air.rho, air.thin
    cold = torch.clamp(FREEZING_POINT - t, min=0.0)
    n_0s = N_0S * torch.exp(0.12 * torch.clamp(cold, max=90.0))
    n_0s = torch.clamp(n_0s, max=1.0e11)
    crystals = torch.clamp(5.38e7 * power(rho * q_i, 0.75), 1.0e3, 1.0e6)  # N_i, m-3 (HDC eq. 5c)
    most = _largest_ice(rho, crystals)
    aggregated = torch.where(t < FREEZING_POINT, torch.clamp(q_i - most, min=0.0), 0.0)
    q_i, q_s = q_i - aggregated, q_s + aggregated
    lam_s = _slope(math.pi * RHO_SNOW * n_0s, rho, q_s, 1.0e5)
    area = 0.25 * math.pi * n_0s * A_S * math.gamma(3.0 + B_S) * torch.exp(-(3.0 + B_S) * torch.log(lam_s)) * thin
    there = q_s > 1e-12
    stick = torch.exp(-0.07 * cold)
    taken = torch.where(there & (t < FREEZING_POINT), q_i * (1.0 - torch.exp(-dt * area * stick)), 0.0)
    q_i, q_s = q_i - taken, q_s + taken
    rimed = torch.where(there, q_c * (1.0 - torch.exp(-dt * area)), 0.0)
    freezes = t < FREEZING_POINT
    q_c = q_c - rimed
    q_s = q_s + torch.where(freezes, rimed, 0.0)
    q_r = q_r + torch.where(freezes, 0.0, rimed)
    t = t + LF * torch.where(freezes, rimed, 0.0)
    speed_s = power(A_S * thin / air.viscosity, 0.5)
    vent = 0.65 / (lam_s * lam_s) + 0.44 * air.schmidt * speed_s * math.gamma(0.5 * (5.0 + B_S)) * torch.exp(
        -0.5 * (5.0 + B_S) * torch.log(lam_s)
    )
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
    p, rho, thin, viscosity, diffusivity, conductivity, schmidt = air
    q_w = saturation_mixing_ratio(saturation_pressure(t), p)
    slope = q_w * growth(t)
    lack = torch.clamp(1.0 - q_v / q_w, min=0.0)
    lam_r = _slope(math.pi * WATER_DENSITY * N_0R, rho, q_r, 8.0e4)
    resist = LATENT_VAPORISATION * LATENT_VAPORISATION / (conductivity * R_VAPOUR * t * t) + 1.0 / (
        rho * q_w * diffusivity
    )
    vent_r = 0.78 / (lam_r * lam_r) + 0.31 * schmidt * power(A_R * thin / viscosity, 0.5) * math.gamma(
        0.5 * (5.0 + B_R)
    ) * torch.exp(-0.5 * (5.0 + B_R) * torch.log(lam_r))
    gone = dt * 2.0 * math.pi * N_0R * lack / (rho * resist) * vent_r
    gone = torch.minimum(torch.minimum(gone, torch.clamp(q_w - q_v, min=0.0) / (1.0 + LV * slope)), q_r)
    gone = torch.where(q_c > 0.0, 0.0, gone)
    q_v, q_r, t = q_v + gone, q_r - gone, t - LV * gone
    return c._replace(t=t, q_v=q_v, q_r=q_r)


def deposit(c: Cloud, air: Properties, flakes: Flakes, dt: float) -> Cloud:
    """Deposition on and sublimation of ice and snow, initiation of ice (HDC eq. 8-10)."""
    t, q_v, q_c, q_r, q_i, q_s = c
    p, rho, diffusivity, conductivity = air.p, air.rho, air.diffusivity, air.conductivity
    q_is = saturation_mixing_ratio(saturation_pressure_ice(t), p)
    ice_slope = q_is * growth_ice(t)
    freezing = t < FREEZING_POINT
    # to be deposited until saturation over ice
    room = torch.where(freezing, (q_v - q_is) / (1.0 + LS * ice_slope), 0.0)
    super_ice = q_v / q_is - 1.0
    resist = LATENT_SUBLIMATION * LATENT_SUBLIMATION / (conductivity * R_VAPOUR * t * t) + 1.0 / (
        rho * q_is * diffusivity
    )
    crystals = torch.clamp(5.38e7 * power(rho * q_i, 0.75), 1.0e3, 1.0e6)
    diameter = torch.clamp(11.9 * power(rho * q_i / crystals, 0.5), max=5.0e-4)
    on_ice = dt * 4.0 * diameter * super_ice * crystals / (rho * resist)
    on_snow = torch.where(
        q_s > 1e-12, dt * 4.0 * flakes.intercept * super_ice * flakes.ventilation / (rho * resist), 0.0
    )
    nuclei = 4.92e-11 * power(1.0e3 * torch.exp(0.1 * torch.clamp(FREEZING_POINT - t, 0.0, 60.0)), 1.33) / rho
    fresh = torch.where(super_ice > 0.0, torch.clamp(nuclei - q_i, min=0.0), 0.0)
    wanted = torch.where(freezing, on_ice + on_snow + fresh, 0.0)
    share = torch.where(
        wanted.abs() > 1e-30, torch.clamp(room / torch.where(wanted == 0.0, 1.0, wanted), 0.0, 1.0), 0.0
    )
    to_ice = torch.maximum(torch.where(freezing, (on_ice + fresh) * share, 0.0), -q_i)
    to_snow = torch.maximum(torch.where(freezing, on_snow * share, 0.0), -q_s)
    q_i, q_s, q_v = q_i + to_ice, q_s + to_snow, q_v - to_ice - to_snow
    t = t + LS * (to_ice + to_snow)
    return Cloud(t, q_v, q_c, q_r, q_i, q_s)


def settle(
    q_r: torch.Tensor,
    q_i: torch.Tensor,
    q_s: torch.Tensor,
    flakes: Flakes,
    air: Properties,
    mass: torch.Tensor,
    dt: float,
) -> tuple[torch.Tensor, ...]:
    """Fall of rain, ice and snow in layers of ``mass`` (kg m-2); their mixing ratios, rain and snow at the ground."""
    rho, thin = air.rho, air.thin
    lam_r = _slope(math.pi * WATER_DENSITY * N_0R, rho, q_r, 8.0e4)
    lam_s = _slope(math.pi * RHO_SNOW * flakes.intercept, rho, q_s, 1.0e5)
    v_r = A_R * math.gamma(4.0 + B_R) / 6.0 * torch.exp(-B_R * torch.log(lam_r)) * thin
    v_s = A_S * math.gamma(4.0 + B_S) / 6.0 * torch.exp(-B_S * torch.log(lam_s)) * thin
    v_i = torch.clamp(3.29 * power(rho * q_i, 0.16), max=1.0)  # Heymsfield & Donner (1990)
    q_r, rain = fall(q_r, torch.where(q_r > 1e-12, v_r, 0.0), rho, mass, dt)
    q_s, snow = fall(q_s, torch.where(q_s > 1e-12, v_s, 0.0), rho, mass, dt)
    q_i, ice = fall(q_i, v_i, rho, mass, dt)
    return q_r, q_i, q_s, rain, snow + ice


def _slope(density_intercept: float | torch.Tensor, rho: torch.Tensor, q: torch.Tensor, largest: float) -> torch.Tensor:
    """Slope lambda (m-1) of an exponential size distribution, (pi rho_x N_0 / (rho q))^(1/4), at most ``largest``."""
    ratio = density_intercept / torch.clamp(rho * q, min=1.0e-15)
    return torch.clamp(torch.sqrt(torch.sqrt(ratio)), max=largest)


def _inverse_seventh(lam: torch.Tensor) -> torch.Tensor:
    cube = 1.0 / (lam * lam * lam)
    return cube * cube / lam


def _largest_ice(rho: torch.Tensor, crystals: torch.Tensor) -> torch.Tensor:
    """Ice (kg/kg) that crystals of at most 500 um hold: (D / 11.9)^2 each; what exceeds it is snow (HDC eq. 19)."""
    return (5.0e-4 / 11.9) ** 2 * crystals / rho
