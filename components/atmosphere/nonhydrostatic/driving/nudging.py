# SPDX-License-Identifier: BSD-3-Clause
"""Spectral nudging: the large scales of the interior follow the driver (von Storch, Langenberg & Feser 2000).

What is passed is the part of (driver - model) with wavelengths above a cut; it acts above the boundary layer. The
filter sees whole domains on the first rank: fields are gathered there and scattered.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.lateral import low_pass
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.atmosphere.nonhydrostatic.physics.sequence import Physics, centre_wind

Array = npt.NDArray[np.float64]

FROM, FULL = 1500.0, 3000.0  # nothing below, all above these heights over the ground, m


@dataclass
class Nudging:
    """Draws the large scales of wind, heat and mass towards a driver's.

    Parameters
    ----------
    physics : of the block; gives geometry and halo
    gather, scatter : whole field (..., y, x) from blocks on the first rank (None on others), and back
    spacing : mean (dy, dx), m
    wavelength : of the cut, m
    share : seconds from call to call / time scale
    """

    physics: Physics
    gather: Callable[[Array], Array | None]
    scatter: Callable[[Array | None], Array]
    spacing: tuple[float, float]
    wavelength: float
    share: float

    def __post_init__(self) -> None:
        g: Geometry = self.physics.geometry
        above = (g.z - g.z_interface[:1])[:, INNER, INNER]
        whole = self.gather(above.double().cpu().numpy())
        self._weight = None if whole is None else np.clip((whole - FROM) / (FULL - FROM), 0.0, 1.0)

    def __call__(self, s: State, target: State) -> State:
        """The state drawn towards ``target``, halos filled."""
        g = self.physics.geometry
        wind, goal = centre_wind(g, s), centre_wind(g, target)
        # mass and heat together: heat alone would leave the columns out of balance and drive the wind away
        du, dv = (_LargeScales.apply(b - a, self) for a, b in zip(wind, goal, strict=True))
        pairs = ((s.rho, target.rho), (s.rtheta, target.rtheta))
        d_rho, d_heat = (_LargeScales.apply((b - a)[:, INNER, INNER], self) for a, b in pairs)
        rho, rtheta = s.rho.clone(), s.rtheta.clone()
        rho[:, INNER, INNER] += d_rho
        rtheta[:, INNER, INNER] += d_heat
        self.physics.halo([rho, rtheta], H)
        return self.physics.push(s._replace(rho=rho, rtheta=rtheta), du, dv)

    def filtered(self, difference: torch.Tensor, transposed: bool) -> torch.Tensor:
        """What is added for a difference (nz, ny, nx) of the block: its large scales, weighted by height and share."""
        whole = self.gather(difference.detach().double().cpu().numpy())
        part = None
        if whole is not None and self._weight is not None:
            weight = self.share * self._weight
            smooth = lambda a: low_pass(a, *self.spacing, self.wavelength)  # noqa: E731
            part = smooth(weight * whole) if transposed else weight * smooth(whole)
        return torch.tensor(self.scatter(part), dtype=difference.dtype, device=difference.device)


class _LargeScales(torch.autograd.Function):
    """`Nudging.filtered` with its transpose: the filter is symmetric, the weight stands on its other side."""

    @staticmethod
    def forward(ctx, difference, nudging):
        ctx.nudging = nudging
        return nudging.filtered(difference, transposed=False)

    @staticmethod
    def backward(ctx, grad):
        return ctx.nudging.filtered(grad, transposed=True), None
