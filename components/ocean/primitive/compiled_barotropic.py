# SPDX-License-Identifier: BSD-3-Clause
"""Barotropic substeps by kernels: on a processor, where no gradient is asked for; else by `barotropic.substep`."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive.open_boundary import Outside, speed
from components.science.constants import GRAVITY
from components.science.kernel_arrays import arrays, plain_doubles

RISE = "depth_u", "depth_v", "active_t", "wide_u", "wide_v", "area_t", "area_u", "area_v"
MOVE = "depth_u", "depth_v", "open_u", "open_v", "wet_u", "wet_v", "fq_h", "dxu", "wide_u", "wide_v", "dyv"
"""What the kernels read of a plane."""


class Substeps:
    """The substeps of one baroclinic step, whose forcing is looked up once; the bits are those of torch's operations.

    Parameters
    ----------
    forcing : slow forcing in x and y (m2 s-2), drag velocities in x and y (m s-1) and fresh water (m s-1)
    plane : the block with its margins
    outside : the sea beyond open edges, or None
    dt : length of a substep, s
    """

    def __init__(self, forcing: tuple[Tensor, ...], plane: Any, outside: Outside | None, dt: float):
        none = forcing[0].new_empty((0, 0))
        self._rise, self._move = (arrays(getattr(plane, name) for name in names) for names in (RISE, MOVE))
        *self._forcing, self._water = arrays(forcing)
        self._beyond = arrays((none,) * 3 if outside is None else (outside.eta, outside.U, outside.V))
        self._dt, self._radiation = float(dt), 0.0 if outside is None else float(outside.radiation)
        self._depths = torch.zeros_like(forcing[0]), torch.zeros_like(forcing[0])
        self._speeds = (none, none) if outside is None else None

    def __call__(
        self, old: tuple[Tensor, ...], sums: tuple[Tensor, ...], weights: tuple[float, float], u_first: bool
    ) -> tuple[Tensor, ...]:
        """Sea level and transports after a substep, with nothing in a halo of two.

        Parameters
        ----------
        old : sea level (m) and transports (m2 s-1), with the plane's margins
        sums : averages of the transports, with the margins, and filtered ones without a halo of two: are added to
        weights : of this substep in the filtered transports and in the averages
        u_first : which component takes its Coriolis force from the other's old value
        """
        rise, move = _kernels()
        new = tuple(torch.empty_like(a) for a in old)
        before, after, depths, (primary, secondary) = arrays(old), arrays(new), arrays(self._depths), weights
        rise(before, self._water, self._rise, (secondary, self._dt), after[0], depths, arrays(sums[:2]))
        speeds = arrays(self._speeds or map(speed, self._depths))
        numbers = primary, self._dt, self._radiation, float(GRAVITY)
        move(
            before, tuple(self._forcing), self._move, self._beyond, speeds, numbers, u_first, after, depths,
            arrays(sums[2:]),
        )  # fmt: skip
        return new


def may_run(given: tuple[Tensor, ...], plane: Any, outside: Outside | None) -> bool:
    """Whether the kernels may work on these.

    Parameters
    ----------
    given : state and forcing
    plane : the block with its margins
    outside : the sea beyond open edges, or None
    """
    beyond = () if outside is None else (outside.eta, outside.U, outside.V)
    return plain_doubles(*given, *(getattr(plane, name) for name in {*RISE, *MOVE}), *beyond)


@cache
def _kernels() -> tuple[Any, Any]:
    from components.ocean.primitive.kernels import barotropic as k  # numba is slow to load

    return k.rise, k.move
