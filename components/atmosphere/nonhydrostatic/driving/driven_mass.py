# SPDX-License-Identifier: BSD-3-Clause
"""The dry mass of a driven domain follows the driver's.

A limited area exchanges mass through its sides until its pressure fits theirs, and nothing fixes the mean: a low that
leaves, with the sides held, lets the domain's mean rise by hPa. Pressure acts on the flow through c_p theta grad Pi
only, so one number added to the Exner function everywhere, at constant theta, changes the mass and no wind. Each step
it is chosen such that the mean weight of dry air on the ground is the driver's; what the sides are drawn to gets the
same number (the mass constraint of Marbaix et al. 2003, Mon. Wea. Rev. 131, 461, without its force). What increments of
an assimilation add to the mean stays: observations have said that it is not the driver's.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.lateral import Driver
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import exner, pressure
from components.science.constants import GRAVITY, KAPPA

INNER = slice(H, -H)


def column_mass(g: Geometry, s: State) -> torch.Tensor:
    """Mass of dry air in each column (ny, nx), kg m-2, in double precision."""
    return (g.rho_base + s.rho)[:, INNER, INNER].double().cumsum(0)[-1]


def dry_surface_pressure(g: Geometry, s: State, water: torch.Tensor) -> torch.Tensor:
    """Weight of dry air on the ground (ny, nx), Pa: surface pressure less the weight of all water up to the lid.

    The air above the lid counts through its pressure on it. ``water`` (nz, Y, X) is the mixing ratio of all water.
    """
    bottom = _lowest_pressure(g, s)
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    water = water[:, INNER, INNER]
    load = (mass * water).double().cumsum(0)[-1]
    first = (mass[0] * (1.0 + water[0])).double()
    return bottom.double() + GRAVITY * (0.5 * first - load)


def _lowest_pressure(g: Geometry, s: State) -> torch.Tensor:
    p_base, heat_base, heat = (a[0, INNER, INNER].contiguous() for a in (g.p_base, g.rtheta_base, s.rtheta))
    return pressure(p_base, heat_base, heat)


class _Total(torch.autograd.Function):
    """Sum of an array over all ranks; its transpose gives every cell the sum of what the ranks hand back."""

    @staticmethod
    def forward(ctx, a, total):
        ctx.total, ctx.shape = total, a.shape
        return a.new_tensor(total(a.detach().numpy()))

    @staticmethod
    def backward(ctx, grad):
        return grad.new_tensor(ctx.total(grad.reshape(1).numpy())).expand(ctx.shape), None


@dataclass
class DrivenMass:
    """Keeps the mean dry surface pressure of a driven domain at that of its driver.

    Parameters
    ----------
    geometry : of the block
    total : sums an array over all ranks, the same bits for every layout
    """

    geometry: Geometry
    total: Callable[[npt.NDArray[np.float64]], float]

    def __post_init__(self) -> None:
        g = self.geometry
        # d(rho theta dz) / dPi = rho theta dz / Pi c_v / R_d
        self._gain = (1.0 / KAPPA - 1.0) / exner(g.p_base.contiguous())
        self._per_heat = (1.0 / (1.0 / KAPPA - 1.0)) / g.rtheta_base
        self._area = (1.0 / g.inverse_area[INNER, INNER]).double().cpu()
        self._whole_area = self.total(self._area.numpy())
        self._goals: tuple[Driver, float, float] | None = None

    def _mean(self, a: torch.Tensor) -> torch.Tensor:
        return _Total.apply(a.double().cpu() * self._area, self.total) / self._whole_area

    def mean(self, s: State, water: torch.Tensor) -> torch.Tensor:
        """Mean dry surface pressure of the whole domain, Pa; ``water`` (nz, Y, X) all water, kg/kg."""
        return self._mean(dry_surface_pressure(self.geometry, s, water))

    def goal(self, driver: Driver, time: float) -> float:
        """The driver's mean dry surface pressure at ``time`` (s), Pa; its water is vapour."""
        if self._goals is None or self._goals[0] is not driver:
            first, last = (float(self.mean(s, q)) for s, q in zip(driver.states, driver.vapour, strict=True))
            self._goals = driver, first, last
        _, first, last = self._goals
        return first + driver.weight(min(time, driver.times[1])) * (last - first)

    def shifted(self, s: State, shift: torch.Tensor | float) -> State:
        """The state with ``shift`` added to the Exner function at constant potential temperature and momentum."""
        g = self.geometry
        # Pi / Pi_base to first order in the heat; what is left is a thousandth of the shift
        ratio = shift * self._gain / (1.0 + s.rtheta * self._per_heat)
        rho = s.rho + (g.rho_base + s.rho) * ratio
        return s._replace(rho=rho, rtheta=s.rtheta + (g.rtheta_base + s.rtheta) * ratio)

    def target(self, driver: Driver, time: float, shift: torch.Tensor) -> State:
        """What the sides are drawn to at ``time`` (s), shifted as the domain has been since the start."""
        return self.shifted(driver.state(time), shift)

    def hold(
        self, s: State, water: torch.Tensor, shift: torch.Tensor, driver: Driver, time: float,
        added: torch.Tensor | float = 0.0,
    ) -> tuple[State, torch.Tensor]:  # fmt: skip
        """A state at ``time`` (s) with the driver's mean, and what increments have added to it.

        Parameters
        ----------
        s, water : state and all water (nz, Y, X; kg/kg) of the block
        shift : of the Exner function against the driver's since the start, a number in double precision
        driver, time : what drives the domain, and the time, s
        added : to the mean dry surface pressure by increments since the start, Pa

        Returns
        -------
        state, shift : the state moved, and the shift with what this added
        """
        p = _lowest_pressure(self.geometry, s)
        slope = self._mean(p / (KAPPA * exner(p)))
        more = (self.goal(driver, time) + added - self.mean(s, water)) / slope
        return self.shifted(s, more), shift + more
