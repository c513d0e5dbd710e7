# SPDX-License-Identifier: BSD-3-Clause
"""The balances of canopy and ground that hold at two temperatures, and Newton's step towards them.

On a processor, in double precision and where no gradient is asked for, a kernel takes it, with the bits of torch's
operations.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from components.land.column.humidity import saturation_humidity
from components.science.constants import LATENT_VAPORISATION, STEFAN_BOLTZMANN
from components.science.kernel_arrays import flat, plain_doubles

LARGEST_STEP = 15.0  # K a Newton step
FIXED = (
    "air.humidity", "air.longwave", "potential", "density", "rho_cp", "thermal", "store", "old", "cover.shortwave",
    "cover.latent_wet", "ground.humidity", "ground.emissivity", "ground.shortwave", "ground.latent",
    "ground.admittance", "ground.reference", "ground.melts", "ground.limit",
)  # fmt: skip
"""What the kernel reads of what does not change."""
FOUND = 10


class Links(NamedTuple):
    """Conductances per ground area, m s-1."""

    air: Tensor  # canopy air - air
    leaf: Tensor  # leaves - canopy air, heat
    ground: Tensor  # ground - canopy air, heat
    dry: Tensor  # leaves - canopy air, vapour through stomata
    wet: Tensor  # leaves - canopy air, vapour from wet leaves
    soil: Tensor  # ground - canopy air, vapour


class State(NamedTuple):
    """Everything that follows from the two temperatures."""

    tc: Tensor
    qc: Tensor
    q_leaf: Tensor
    transpired: Tensor
    evaporated: Tensor
    from_ground: Tensor
    longwave_up: Tensor
    r_canopy: Tensor
    r_ground: Tensor


class Balance:
    """What does not change while the balances are solved, looked up once for the kernel.

    Parameters
    ----------
    column : air, ground and cover of `canopy`, and what follows from them
    """

    def __init__(self, column: Any):
        self.column = column
        parts = [name.rsplit(".", 1) for name in FIXED]
        self.given = [getattr(getattr(column, p[0]) if len(p) > 1 else column, p[-1]) for p in parts]
        self.shape = torch.broadcast_shapes(*(a.shape for a in self.given))
        self.plain = plain_doubles(*self.given)
        self.fixed = tuple(self.array(a) for a in self.given) if self.plain else ()

    def array(self, a: Tensor) -> Any:
        """Values of all columns."""
        return flat(a.expand(self.shape), (-1,))

    def by_kernel(
        self, links: tuple[Tensor, ...], temperatures: tuple[Tensor, Tensor], saturated: tuple[Tensor, ...],
        largest: float,
    ) -> tuple[Tensor, ...]:  # fmt: skip
        """What the kernel gives, in its order.

        Parameters
        ----------
        links : conductances, m s-1
        temperatures : of canopy and ground, K
        saturated : humidity and its slope, of leaves and of the ground
        largest : change of a temperature, K
        """
        out = torch.empty((FOUND, *self.shape), dtype=torch.float64).unbind(0)
        many = (tuple(self.array(a) for a in group) for group in (links, temperatures, saturated))
        _kernel()(self.fixed, *many, largest, tuple(self.array(a) for a in out))
        return out


@cache
def _kernel() -> Any:
    from components.land.column.kernels.balance import newton  # numba is slow to load

    return newton


def residuals(balance: Balance, g: Links, tv: Tensor, tg: Tensor) -> State:
    """Residuals of both balances, and what else follows from the two temperatures.

    Parameters
    ----------
    balance : what does not change
    g : conductances, m s-1
    tv, tg : temperatures of canopy and ground, K
    """
    return newton(balance, g, tv, tg)[2]


def newton(balance: Balance, g: Links, tv: Tensor, tg: Tensor) -> tuple[Tensor, Tensor, State]:
    """One Newton step; a ground that would pass its limit stays there while it melts, the canopy solved beside it.

    Parameters
    ----------
    balance : what does not change
    g : conductances, m s-1
    tv, tg : temperatures of canopy and ground, K
    """
    pressure = balance.column.air.pressure
    leaf, floor = saturation_humidity(tv, pressure), saturation_humidity(tg, pressure)
    if balance.plain and plain_doubles(*g, tv, tg, *leaf, *floor):
        tc, qc, *more, next_v, next_g = balance.by_kernel(g, (tv, tg), (*leaf, *floor), LARGEST_STEP)
        return next_v, next_g, State(tc, qc, leaf[0], *more)
    return by_torch(balance.column, g, tv, tg, leaf, floor)


def by_torch(
    c: Any, g: Links, tv: Tensor, tg: Tensor, leaf: tuple[Tensor, Tensor], floor: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor, State]:
    """As `newton`, by torch's operations.

    Parameters
    ----------
    c : what does not change
    g : conductances
    tv, tg : temperatures of canopy and ground, K
    leaf, floor : humidity at saturation and its slope at these
    """
    now, (a11, a12, a21, a22) = _residuals(c, g, tv, tg, leaf, floor)
    det = a11 * a22 - a12 * a21
    step_g = (a21 * now.r_canopy - a11 * now.r_ground) / det
    bare = step_g + a11 * c.ground.melts / det  # to where melting takes all that it can
    step_g, bare = (torch.clamp(s, -LARGEST_STEP, LARGEST_STEP) for s in (step_g, bare))
    step_g = torch.minimum(tg + step_g, torch.maximum(tg + bare, c.ground.limit)) - tg
    step_v = torch.clamp(-(now.r_canopy + a12 * step_g) / a11, -LARGEST_STEP, LARGEST_STEP)
    return tv + step_v, tg + step_g, now


def _residuals(
    c: Any, g: Links, tv: Tensor, tg: Tensor, leaf: tuple[Tensor, Tensor], floor: tuple[Tensor, Tensor]
) -> tuple[State, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Residuals of both balances (W m-2), and their derivatives by T_v and T_g."""
    air, ground, cover, old, density, rho_cp, potential, _, _, thermal, store = c
    (q_leaf, s_leaf), (q_ground, s_ground) = leaf, floor
    heat_sum = 1.0 / (g.air + g.leaf + g.ground)
    leaf_vapour = g.dry + g.wet
    vapour_sum = 1.0 / (g.air + leaf_vapour + g.soil)
    tc = (g.air * potential + g.leaf * tv + g.ground * tg) * heat_sum
    qc = (g.air * air.humidity + leaf_vapour * q_leaf + g.soil * ground.humidity * q_ground) * vapour_sum
    transpired = density * g.dry * (q_leaf - qc)
    evaporated = density * g.wet * (q_leaf - qc)
    from_ground = density * g.soil * (ground.humidity * q_ground - qc)
    sv, sg = STEFAN_BOLTZMANN * tv * tv * tv, STEFAN_BOLTZMANN * tg * tg * tg
    down = (1.0 - thermal) * air.longwave + thermal * sv * tv
    up = (1.0 - ground.emissivity) * down + ground.emissivity * sg * tg
    leaf_latent = density * (LATENT_VAPORISATION * g.dry + cover.latent_wet * g.wet)
    r_canopy = (
        cover.shortwave + thermal * (air.longwave + up - 2.0 * sv * tv) - rho_cp * g.leaf * (tv - tc)
        - leaf_latent * (q_leaf - qc) - store * (tv - old)
    )  # fmt: skip
    r_ground = (
        ground.shortwave + ground.emissivity * (down - sg * tg) - rho_cp * g.ground * (tg - tc)
        - ground.latent * from_ground - ground.admittance * (tg - ground.reference)
    )  # fmt: skip
    cross_heat = rho_cp * g.leaf * g.ground * heat_sum
    wet_ground = ground.humidity * s_ground
    a11 = (
        thermal * sv * 4.0 * (thermal * (1.0 - ground.emissivity) - 2.0)
        - rho_cp * g.leaf * (1.0 - g.leaf * heat_sum)
        - leaf_latent * s_leaf * (1.0 - leaf_vapour * vapour_sum) - store
    )  # fmt: skip
    a12 = thermal * ground.emissivity * 4.0 * sg + cross_heat + leaf_latent * g.soil * vapour_sum * wet_ground
    soil_latent = ground.latent * density * g.soil
    a21 = ground.emissivity * thermal * 4.0 * sv + cross_heat + soil_latent * leaf_vapour * vapour_sum * s_leaf
    a22 = (
        -ground.emissivity * 4.0 * sg - rho_cp * g.ground * (1.0 - g.ground * heat_sum)
        - soil_latent * wet_ground * (1.0 - g.soil * vapour_sum) - ground.admittance
    )  # fmt: skip
    longwave_up = (1.0 - thermal) * up + thermal * sv * tv
    now = State(tc, qc, q_leaf, transpired, evaporated, from_ground, longwave_up, r_canopy, r_ground)
    return now, (a11, a12, a21, a22)


def imbalance(now: State, tg: Tensor, ground: Any) -> Tensor:
    """Largest residual of the two balances, W m-2: a ground that melts takes what is left, as long as it lasts.

    Parameters
    ----------
    now : residuals
    tg : temperature of the ground, K
    ground : of `canopy`
    """
    spare = now.r_ground - ground.melts
    melting = torch.where(tg > ground.limit, torch.abs(spare), torch.clamp(spare, min=0.0))
    left = torch.where(tg >= ground.limit, melting, torch.abs(now.r_ground))
    return torch.maximum(torch.abs(now.r_canopy), left)
