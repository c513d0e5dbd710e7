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
from components.science.constants import GRAVITY, ICE_DENSITY, SOLAR_CONSTANT, STEFAN_BOLTZMANN, WATER_DENSITY
from components.science.gases import Gases


def gray(air: Air, gases: Gases | None = None) -> Radiation:
    """Gray radiation of columns.

    Parameters
    ----------
    air : columns
    gases : carbon dioxide absorbs as its logarithm (Vallis et al. 2018, section 3.3.2); without, as 360e-6 of it
    """
    t, q_v, cloud, ice, _, p_interface, t_surface, albedo, mu, distance, *_ = air
    nz = t.shape[0]
    dp = p_interface[:-1] - p_interface[1:]
    water, frozen = dp / GRAVITY * cloud * 1e3, dp / GRAVITY * ice * 1e3  # g m-2
    mixed = 0.8678 + (0.17 * math.log(gases.carbon_dioxide / 360.0e-6) if gases else 0.0)
    depth = (mixed + 1997.9 * q_v) * dp / 1.0e5
    passes = torch.exp(-depth - 0.158 * water - 0.079 * frozen)
    emitted = STEFAN_BOLTZMANN * t * t * t * t
    above_all = torch.zeros_like(t_surface)
    # what is above the lid: the stratosphere's own emission is small; it enters as a cold gray layer
    lid = p_interface[-1]
    down = [0.8678 * lid / 1.0e5 * emitted[-1] + above_all]
    for k in range(nz - 1, -1, -1):
        down.append(down[-1] * passes[k] + emitted[k] * (1.0 - passes[k]))
    down = down[::-1]
    up = [STEFAN_BOLTZMANN * t_surface * t_surface * t_surface * t_surface]
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
    )
