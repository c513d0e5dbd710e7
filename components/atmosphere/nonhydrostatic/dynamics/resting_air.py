# SPDX-License-Identifier: BSD-3-Clause
"""The pressure gradient along sloping levels, made exact for air at rest.

Along levels that rise by more than a layer between neighbouring cells, dp/dx - (dz/dx) dp/dz is the difference of two
large terms, and its truncation error drives winds in air that should rest (Mahrer 1984; Zaengl 2012, Mon. Wea. Rev.
140, 3722-3733). The gradient is linear in the pressure, so what it gives for a reference that does rest can be
subtracted: for each face, air that is the same in all of the horizontal and has the profile of the lower of its two
columns in some reference state (a well-balanced scheme in the sense of Botta et al. 2004, J. Comput. Phys. 196,
539-565, with a reference for each face). Departures from the reference feel the gradient along the levels as it is,
whose work on the flow along the slope is what that flow does against gravity. A gradient at one height for a stack of
layers, as Zaengl's, rests as well but does no such work below the ground of the higher column: over cells of 50 km,
winds up and down the slope in neighbouring layers then grew by a factor e in four hours, at any time step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.lateral import Driver
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.tendencies import vertical_gradient

POINTS = 4  # of the polynomial in height


def resting_differences(g: Geometry, p: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Differences of pressure across faces, Pa, that the gradient along the levels finds in resting air.

    Parameters
    ----------
    g : geometry of the block, not flat
    p : (nz, ny+2, nx+2) pressure of the reference state minus that of the base state, with one halo cell, Pa

    Returns
    -------
    x, y : (nz, ny, nx+1) and (nz, ny+1, nx), in the precision of ``p``
    """
    one = slice(H - 1, 1 - H)
    z = g.z[:, one, one].double()
    inverse_dz = g.inverse_dz_interface[:, one, one].double()
    along_x = slice(1, -1), slice(None)
    along_y = slice(None), slice(1, -1)
    p_x, p_y = (p.double()[:, *along] for along in (along_x, along_y))
    x = _differences(z[:, *along_x], p_x, inverse_dz[:, *along_x], g.rise_x[:, H:-H, H:-H].double(), 2)
    y = _differences(z[:, *along_y], p_y, inverse_dz[:, *along_y], g.rise_y[:, H:-H, H:-H].double(), 1)
    return x.to(p.dtype), y.to(p.dtype)


def _differences(
    z: torch.Tensor, p: torch.Tensor, inverse_dz: torch.Tensor, rise: torch.Tensor, dim: int
) -> torch.Tensor:
    n = z.shape[dim] - 1
    z_a, z_b = z.narrow(dim, 0, n), z.narrow(dim, 1, n)
    p_a, p_b = p.narrow(dim, 0, n), p.narrow(dim, 1, n)
    first_is_lower = z_a[:1] <= z_b[:1]
    p_a, p_b = (
        torch.where(first_is_lower, p_a, interpolated(z_b, p_b, z_a)),
        torch.where(first_is_lower, interpolated(z_a, p_a, z_b), p_b),
    )
    both = vertical_gradient(p_a, inverse_dz.narrow(dim, 0, n)) + vertical_gradient(p_b, inverse_dz.narrow(dim, 1, n))
    steep = rise * both
    return (p_b - p_a) - (steep[1:] + steep[:-1])


def interpolated(z: torch.Tensor, values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """``values`` at heights ``z`` (increasing upwards) on the heights ``target``, all (nz, y, x): cubic, by column."""
    shape, nz = target.shape, z.shape[0]
    z, values, target = (a.reshape(nz, -1).T.contiguous() for a in (z, values, target))
    first = (torch.searchsorted(z, target) - POINTS // 2).clamp(0, nz - POINTS)
    levels = [torch.gather(z, 1, first + m) for m in range(POINTS)]
    out = torch.zeros_like(target)
    for a in range(POINTS):
        weight = torch.ones_like(target)
        for b in range(POINTS):
            if b != a:
                weight = weight * (target - levels[b]) / (levels[a] - levels[b])
        out = out + weight * torch.gather(values, 1, first + a)
    return out.T.reshape(shape)


@dataclass
class FollowedRest:
    """The differences for a driven domain: its driver's states are the reference, interpolated in time.

    They know the stratification of the season and the region, and not the model's own slope winds.

    Parameters
    ----------
    geometry : of the block
    pressure : (nz, ny+2, nx+2) of a state minus that of the base state, Pa
    """

    geometry: Geometry
    pressure: Callable[[State], torch.Tensor]

    def __post_init__(self) -> None:
        self._known: tuple[Driver, list[tuple[torch.Tensor, torch.Tensor]]] | None = None

    def at(self, driver: Driver, time: float) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """`resting_differences` at ``time`` (s); none over flat ground."""
        if self.geometry.metric is None:
            return None, None
        if self._known is None or self._known[0] is not driver:
            states = driver.states[:1] if driver.states[1] is driver.states[0] else driver.states
            self._known = driver, [resting_differences(self.geometry, self.pressure(s)) for s in states]
        ends = self._known[1]
        w = driver.weight(time)
        if len(ends) == 1 or w == 0.0:
            return ends[0]
        x, y = (a + w * (b - a) for a, b in zip(*ends, strict=True))
        return x, y
