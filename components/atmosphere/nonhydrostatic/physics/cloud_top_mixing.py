# SPDX-License-Identifier: BSD-3-Clause
"""Turbulence that the cooling of a cloud's top by radiation drives downwards, and what that entrains from above.

Air that is cooled at the top of a cloud of droplets sinks as far as it stays heavier than the air around, and mixes the
layers on its way (Lock et al. 2000, Mon. Wea. Rev. 128, 3187-3199, eq. 5). The eddies take in air from above the cloud
at w_e = A B / d(theta_vl), B the kinematic flux of heat that radiation takes from the top and A = 0.2 (1 + 8 L q_l /
(c_p pi d(theta_vl))), greater by what evaporates of the cloud in that air (Nicholls & Turton 1986, Q. J. R. Meteorol.
Soc. 112, 461-480; Bretherton & Park 2009, J. Climate 22, 3422-3448; in YSU Wilson & Fovell 2018, Wea. Forecasting 33,
3-24). theta_vl is the virtual potential temperature of air whose cloud has evaporated.
"""

import torch
from torch import library

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import power
from components.atmosphere.nonhydrostatic.physics.cloud_top_constants import (
    CLOUDY,
    DRY,
    EXCESS,
    LEAST_JUMP,
    PROFILE,
    WET,
)
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION, VIRTUAL, VON_KARMAN
from components.science.kernel_arrays import flat, plain


def conductance(
    air: Columns, theta: torch.Tensor, q_v: torch.Tensor, q_l: torch.Tensor, heating: torch.Tensor
) -> torch.Tensor:
    """What the deck that loses most heat at its top adds to rho K / dz on inner interfaces (nz-1, y, x), kg m-2 s-1.

    Parameters
    ----------
    air : the columns
    theta, q_v, q_l : (nz, y, x) potential temperature (K), vapour and droplets (kg/kg) now
    heating : (nz, y, x) by radiation, K s-1 of temperature
    """
    given = air.z, air.dz, air.rho, air.pi, air.z_interface, theta, q_v, q_l, heating
    if plain(*given):
        return _by_kernel(*given)
    if theta.device.type == "cpu" and not torch.is_grad_enabled():
        out: torch.Tensor = _conductance(*given)
        return out
    return by_torch(air, theta, q_v, q_l, heating)


def _by_kernel(
    z: torch.Tensor, dz: torch.Tensor, rho: torch.Tensor, pi: torch.Tensor, z_interface: torch.Tensor,
    theta: torch.Tensor, q_v: torch.Tensor, q_l: torch.Tensor, heating: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    from components.atmosphere.nonhydrostatic.kernels import cloud_top  # numba is slow to load

    rows = lambda a: flat(a, (len(a), -1))  # noqa: E731
    out = theta.new_zeros((len(theta) - 1, *theta.shape[1:]))
    air = tuple(rows(a) for a in (z, dz, rho, pi, z_interface))
    cloud_top.conductance(air, rows(theta), rows(q_v), rows(q_l), rows(heating), rows(out))
    return out


_conductance = library.custom_op("tessera::cloud_top_conductance", _by_kernel, mutates_args=(), device_types="cpu")


@_conductance.register_fake
def _(
    z: torch.Tensor, dz: torch.Tensor, rho: torch.Tensor, pi: torch.Tensor, z_interface: torch.Tensor,
    theta: torch.Tensor, q_v: torch.Tensor, q_l: torch.Tensor, heating: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    return theta.new_empty((theta.shape[0] - 1, *theta.shape[1:]))


def by_torch(
    air: Columns, theta: torch.Tensor, q_v: torch.Tensor, q_l: torch.Tensor, heating: torch.Tensor
) -> torch.Tensor:
    """`conductance` in torch, for gradients and other devices.

    Parameters
    ----------
    air, theta, q_v, q_l, heating : as `conductance` has them
    """
    cloudy = q_l > CLOUDY
    # what all layers of a cloud lose counts at its top, for it may have risen since radiation was computed
    lost = torch.where(cloudy, torch.clamp(-heating / air.pi, min=0.0) * air.dz, 0.0).cumsum(0)
    lost = lost - torch.where(cloudy, 0.0, lost).cummax(0).values
    lost = torch.where(cloudy[:-1] & ~cloudy[1:], lost[:-1], 0.0)
    flux = lost.amax(0)  # K m s-1
    top = (lost >= flux) & (lost > 0.0)
    top = top & (top.cumsum(0) == 1)
    latent = LATENT_VAPORISATION / CP_DRY * q_l / air.pi
    theta_vl = (theta - latent) * (1.0 + VIRTUAL * (q_v + q_l))
    at_top = lambda a: torch.where(top, a, 0.0).sum(0)  # noqa: E731
    high, thick, own = at_top(air.z_interface[1:-1]), at_top(air.dz[:-1]), at_top(theta_vl[:-1])
    above = top.to(theta).cumsum(0)  # 1 from the top layer upwards
    beneath = torch.cat([above, torch.ones_like(above[:1])]) < 1.0
    depth, velocity = thick, torch.zeros_like(flux)
    passed = beneath
    for _ in range(2):
        velocity = power(torch.clamp(GRAVITY / torch.clamp(own, min=1.0) * flux * depth, min=0.0), 1.0 / 3.0)
        sinks = own - EXCESS * flux / torch.clamp(velocity, min=1.0e-3)
        lighter = torch.where(beneath, (theta_vl > sinks).to(theta), 1.0)
        passed = beneath & (lighter.flip(0).cumprod(0).flip(0) > 0.0)
        depth = thick + torch.where(passed, air.dz, 0.0).sum(0)
    share = torch.clamp((air.z_interface[1:-1] - (high - depth)) / torch.clamp(depth, min=1.0), 0.0, 1.0)
    mixed = PROFILE * VON_KARMAN * velocity * depth * share * share * torch.sqrt(torch.clamp(1.0 - share, min=0.0))
    mixed = torch.where(passed[:-1] & (flux > 0.0), mixed, 0.0) / (air.z[1:] - air.z[:-1])
    jump = torch.clamp(theta_vl[1:] - theta_vl[:-1], min=LEAST_JUMP)
    efficiency = DRY * (1.0 + WET * latent[:-1] / jump)
    entrained = torch.where(top, torch.minimum(efficiency * flux / jump, velocity), 0.0)
    return 0.5 * (air.rho[1:] + air.rho[:-1]) * (mixed + entrained)
