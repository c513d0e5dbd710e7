# SPDX-License-Identifier: BSD-3-Clause
"""The cheap scheme: gray absorbers with clouds.

Longwave: two streams with an optical depth that follows water vapour and carbon dioxide, d tau = (a + b q) dp/p0
(Byrne & O'Gorman 2013, J. Climate 26, eq. 4: a = 0.8678, b = 1997.9), clouds black in proportion to their water path
(Stephens 1978). Shortwave: absorption by vapour (Frierson et al. 2006, section 2c, tau = 0.22 (p/p0)^2 in clear air)
and reflection by cloud layers of optical depth 1.5 W / (rho r_e) with backscatter (1 - g) tau / (2 mu + (1 - g) tau)
(Stephens 1978).
"""

import math

import torch

from components.radiation.scheme import Air, Radiation, heating_rate
from components.science.constants import CP_DRY, GRAVITY, ICE_DENSITY, SOLAR_CONSTANT, STEFAN_BOLTZMANN, WATER_DENSITY
from components.science.gases import Gases

MIXED = 0.8678  # optical depth of the well-mixed gases of a whole atmosphere


def gray(air: Air, gases: Gases | None = None) -> Radiation:
    """Gray radiation of columns.

    Parameters
    ----------
    air : columns
    gases : carbon dioxide absorbs as its logarithm (Vallis et al. 2018, section 3.3.2); without, as 360e-6 of it
    """
    t, _, cloud, ice, _, p_interface, t_surface, albedo, mu, distance, *_ = air
    nz = t.shape[0]
    dp = p_interface[:-1] - p_interface[1:]
    water, frozen = dp / GRAVITY * cloud * 1e3, dp / GRAVITY * ice * 1e3  # g m-2
    mixed = MIXED + (0.17 * math.log(gases.carbon_dioxide / 360.0e-6) if gases else 0.0)
    passes = _passes(air, mixed)
    emitted = STEFAN_BOLTZMANN * t * t * t * t
    above_all = torch.zeros_like(t_surface)
    # what is above the lid: the stratosphere's own emission is small; it enters as a cold gray layer
    lid = p_interface[-1]
    down = [MIXED * lid / 1.0e5 * emitted[-1] + above_all]
    for k in range(nz - 1, -1, -1):
        down.append(down[-1] * passes[k] + emitted[k] * (1.0 - passes[k]))
    down = down[::-1]
    emissivity = 1.0 if air.emissivity is None else air.emissivity
    up = [air.emitted() + (1.0 - emissivity) * down[0]]
    for k in range(nz):
        up.append(up[-1] * passes[k] + emitted[k] * (1.0 - passes[k]))
    net_lw = torch.stack([u - d for u, d in zip(up, down, strict=True)])

    # shortwave: direct plus scattered beam down; clouds reflect, the reflected beam leaves unabsorbed
    insolation = SOLAR_CONSTANT * distance * mu
    safe = torch.clamp(mu, min=0.05)
    tau = 0.22 * (p_interface[:-1] * p_interface[:-1] - p_interface[1:] * p_interface[1:]) / 1.0e10
    clear = torch.exp(-tau)
    cloud_depth = 1.5e-3 * water / (WATER_DENSITY * 10.0e-6) + 1.5e-3 * frozen / (ICE_DENSITY * 30.0e-6)
    back = 0.15 * cloud_depth
    reflect = back / (2.0 * safe + back)
    absorb = 1.0 - torch.exp(-0.003 * cloud_depth / safe)
    beam = insolation
    net_sw = [beam]
    gone_up = torch.zeros_like(beam)
    for k in range(nz - 1, -1, -1):
        mirrored = beam * reflect[k]
        gone_up = gone_up + mirrored
        beam = (beam - mirrored) * clear[k] * (1.0 - absorb[k])
        net_sw.append(beam)
    at_ground = beam
    up_ground = albedo * at_ground
    reflected_total = gone_up + up_ground
    # net downward flux on interfaces; the mirrored part has left from within its layer
    lost = torch.zeros_like(beam)
    downward = [insolation - reflected_total]
    beam = insolation
    for k in range(nz - 1, -1, -1):
        lost = lost + beam * reflect[k]
        beam = (beam - beam * reflect[k]) * clear[k] * (1.0 - absorb[k])
        downward.append(beam + (lost - gone_up) - up_ground)
    net_down = torch.stack(downward[::-1])
    return Radiation(
        heating_rate(net_lw - net_down, p_interface),
        at_ground,
        down[0],
        up_ground,
        up[0],
        up[-1],
        reflected_total,
        insolation,
        net_down[-1] - net_lw[-1],
        passing(passes),
    )


def _passes(air: Air, mixed: float) -> torch.Tensor:
    """Share of longwave that each layer (nz, y, x) lets through, with the absorption of the ``mixed`` gases."""
    dp = air.p_interface[:-1] - air.p_interface[1:]
    water, frozen = dp / GRAVITY * air.cloud * 1e3, dp / GRAVITY * air.ice * 1e3  # g m-2
    return torch.exp(-(mixed + 1997.9 * air.q_v) * dp / 1.0e5 - 0.158 * water - 0.079 * frozen)


def completed(sky: Radiation, air: Air) -> Radiation:
    """Radiation with what a scheme did not say: the flux through the lid, and what passes of the ground's longwave.

    Parameters
    ----------
    sky, air : radiation and its columns
    """
    if sky.lid is None:
        power = CP_DRY / GRAVITY * sky.heating * (air.p_interface[:-1] - air.p_interface[1:])
        ground = sky.shortwave_down - sky.shortwave_up + sky.longwave_down - sky.longwave_up
        sky = sky._replace(lid=power.cumsum(0)[-1] + ground)
    return sky if sky.passing is not None else sky._replace(passing=passing(_passes(air, MIXED)))


def passing(passes: torch.Tensor) -> torch.Tensor:
    """Share of the ground's longwave that reaches each interface (nz+1, y, x), unabsorbed.

    Parameters
    ----------
    passes : (nz, y, x) what each layer lets through
    """
    shares = [torch.ones_like(passes[0])]
    for layer in passes:
        shares.append(shares[-1] * layer)
    return torch.stack(shares)
