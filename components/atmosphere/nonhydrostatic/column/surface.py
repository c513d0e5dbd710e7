# SPDX-License-Identifier: BSD-3-Clause
"""Fluxes through the ground of a column: as the case gives them, or by Monin-Obukhov similarity.

In stable air phi = 1 + beta z/L with the case's beta (Beare et al. 2006 prescribe 4.8 and 7.8), in unstable air Dyer
(1974, Boundary-Layer Meteorol. 7, 363-372): phi_m = (1 - 16 z/L)^-1/4, phi_h = phi_m^2, integrated by Paulson (1970).
"""

import math

import torch

from components.atmosphere.nonhydrostatic.column.parameters import Surface
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.science.constants import (
    CP_DRY,
    GRAVITY,
    KAPPA,
    LATENT_VAPORISATION,
    P_REFERENCE,
    VIRTUAL,
    VON_KARMAN,
)
from components.science.single_column.parameters import Series
from components.science.water import mixing_ratio, saturation_pressure

DYER = 16.0
LONGEST = 50.0  # |z/L| at most


def value(given: float | Series | None, time: float) -> float | None:
    """What a namelist gives at ``time`` (s): a number, a series, or nothing."""
    return given.at(time) if isinstance(given, Series) else given


def fluxes(
    options: Surface, c: Columns, u: torch.Tensor, v: torch.Tensor, q_v: torch.Tensor, time: float, ground_p: float
) -> tuple[Fluxes, float, float]:
    """Fluxes at ``time``.

    Parameters
    ----------
    options : of the ground
    c : the column
    u, v, q_v : (nz, 1, 1) wind (m s-1) and vapour (kg/kg)
    time : s since the start
    ground_p : pressure at the ground, Pa

    Returns
    -------
    fluxes, friction velocity (m s-1) and temperature of the ground (K; of the lowest air where none is given)
    """
    rho, theta, q = (float(a[0, 0, 0]) for a in (c.rho, c.theta, q_v))
    pi, z = float(c.pi[0, 0, 0]), float(c.z[0, 0, 0])
    u0, v0 = float(u[0, 0, 0]), float(v[0, 0, 0])
    speed = max(math.hypot(u0, v0), options.gustiness, 1.0e-3)
    t_ground = value(options.temperature, time)
    heat, water = _given(options, rho, pi, time)
    u_star = value(options.friction_velocity, time)
    z0, z0_heat = options.roughness, options.roughness_heat or options.roughness
    log_m, log_h = math.log(z / z0), math.log(z / z0_heat)
    beta = options.beta_momentum, options.beta_heat
    if heat is None and t_ground is not None:
        theta_ground = t_ground * (P_REFERENCE / ground_p) ** KAPPA
        e = saturation_pressure(torch.tensor(t_ground, dtype=torch.float64))
        q_ground = options.wetness * float(mixing_ratio(e, ground_p))
        step_q = (q_ground - q) if options.wetness > 0.0 else 0.0
        step_v = theta_ground * (1.0 + VIRTUAL * (q + step_q)) - theta * (1.0 + VIRTUAL * q)
        zeta = _of_richardson(-GRAVITY * z * step_v / (theta * speed * speed), log_m, log_h, beta)
        u_star = u_star or VON_KARMAN * speed / (log_m - psi_m(zeta, beta[0]))
        carry = VON_KARMAN * u_star / (log_h - psi_h(zeta, beta[1]))
        heat = rho * CP_DRY * pi * carry * (theta_ground - theta)
        water = rho * carry * step_q if water is None else water
    heat, water = heat or 0.0, water or 0.0
    if u_star is None:
        kinematic = heat / (rho * CP_DRY * pi) * (1.0 + VIRTUAL * q) + VIRTUAL * theta * water / rho
        u_star = VON_KARMAN * speed / log_m
        for _ in range(30):
            zeta = -VON_KARMAN * GRAVITY * z * kinematic / (theta * u_star**3)
            zeta = min(max(zeta, -LONGEST), 2.0)
            u_star = 0.5 * (u_star + max(VON_KARMAN * speed / (log_m - psi_m(zeta, beta[0])), 1.0e-3))
    stress = rho * u_star * u_star
    plane = lambda a: torch.full_like(c.rho[0], a)  # noqa: E731
    gone = Fluxes(plane(heat), plane(water), plane(stress * u0 / speed), plane(stress * v0 / speed))
    return gone, u_star, t_ground if t_ground is not None else theta * pi


def _given(options: Surface, rho: float, pi: float, time: float) -> tuple[float | None, float | None]:
    """Heat (W m-2) and water (kg m-2 s-1) that the case gives."""
    heat, latent = value(options.sensible_heat_flux, time), value(options.latent_heat_flux, time)
    water = None if latent is None else latent / LATENT_VAPORISATION
    kinematic, moist = value(options.kinematic_heat_flux, time), value(options.kinematic_moisture_flux, time)
    return (
        heat if kinematic is None else rho * CP_DRY * pi * kinematic,
        water if moist is None else rho * moist,
    )


def psi_m(zeta: float, beta: float) -> float:
    """Integrated similarity function of momentum; ``beta`` in stable air."""
    if zeta >= 0.0:
        return -beta * zeta
    x = (1.0 - DYER * zeta) ** 0.25
    return 2.0 * math.log(0.5 * (1.0 + x)) + math.log(0.5 * (1.0 + x * x)) - 2.0 * math.atan(x) + 0.5 * math.pi


def psi_h(zeta: float, beta: float) -> float:
    """Integrated similarity function of heat; ``beta`` in stable air."""
    if zeta >= 0.0:
        return -beta * zeta
    return 2.0 * math.log(0.5 * (1.0 + math.sqrt(1.0 - DYER * zeta)))


def _of_richardson(bulk: float, log_m: float, log_h: float, beta: tuple[float, float]) -> float:
    """z/L of a bulk Richardson number, by bisection: Ri = z/L (log_h - psi_h) / (log_m - psi_m)^2."""
    low, high = (-LONGEST, 0.0) if bulk < 0.0 else (0.0, LONGEST)
    for _ in range(60):
        middle = 0.5 * (low + high)
        m = log_m - psi_m(middle, beta[0])
        if m > 0.0 and middle * (log_h - psi_h(middle, beta[1])) / (m * m) < bulk:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
