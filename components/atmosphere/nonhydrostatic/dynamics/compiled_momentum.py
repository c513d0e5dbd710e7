# SPDX-License-Identifier: BSD-3-Clause
"""Tendencies of momentum by compiled kernels: on a processor, else by `tendencies`; their gradient by kernels too.

Same operations in the same order, so the same bits.
"""

from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from components.atmosphere.nonhydrostatic.dynamics import tendencies
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State
from components.science.advection import weights
from components.science.constants import GRAVITY
from components.science.kernel_arrays import array, array_or_none, arrays, on_processor, wanted
from coupler.made_once import compile_once

Three = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def momentum(
    g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None, rayleigh: torch.Tensor, open_x: torch.Tensor,
    open_y: torch.Tensor, resting_x: torch.Tensor | None = None, resting_y: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """As `tendencies.momentum`.

    Parameters
    ----------
    g, s, d, q_total, rayleigh, open_x, open_y, resting_x, resting_y : as `tendencies.momentum` has them
    """
    given = s.ru, s.rv, s.rw, s.rho, d.u, d.v, d.w, d.omega, d.p, q_total
    if not on_processor(*given, resting_x, resting_y) or wanted(rayleigh, resting_x, resting_y):
        return tendencies.momentum(g, s, d, q_total, rayleigh, open_x, open_y, resting_x, resting_y)
    still = _Still(g, rayleigh, open_x, open_y, resting_x, resting_y)
    if wanted(*given):
        return cast(Three, _Momentum.apply(still, *given))
    return _by_kernels(still, *given)


class _Still(NamedTuple):
    """What has no gradient; see `tendencies.momentum`."""

    g: Geometry
    rayleigh: torch.Tensor
    open_x: torch.Tensor
    open_y: torch.Tensor
    resting_x: torch.Tensor | None
    resting_y: torch.Tensor | None

    def eastward(self, like: torch.Tensor) -> tuple[Any, ...]:
        """The kernel's last arguments: of the pressure at rest, of the geometry, and the open faces."""
        g = self.g
        dz = *arrays((g.inverse_dz_interface, g.dz)), array_or_none(g.rise_x, like)
        planes = *arrays((g.length_u, g.length_v, g.inverse_area_u, g.inverse_dx)), *self._turning(like)
        return array_or_none(self.resting_x, like), dz, planes, array(self.open_x)

    def northward(self, like: torch.Tensor) -> tuple[Any, ...]:
        """As `eastward`."""
        g = self.g
        dz = *arrays((g.inverse_dz_interface, g.dz)), array_or_none(g.rise_y, like)
        planes = *arrays((g.length_u, g.length_v, g.inverse_area_v, g.inverse_dy)), *self._turning(like)
        return array_or_none(self.resting_y, like), dz, planes, array(self.open_y)

    def upward(self, like: torch.Tensor) -> tuple[Any, ...]:
        """Lengths and areas, the damping, and half of gravity."""
        g, shape = self.g, (self.g.nz - 1, self.g.ny, self.g.nx)
        planes = arrays((g.length_u, g.length_v, g.inverse_area))
        return planes, array(self.rayleigh.expand(shape)), array(like).dtype.type(0.5 * GRAVITY)

    def _turning(self, like: torch.Tensor) -> tuple[Any, ...]:
        return tuple(array_or_none(a, like, 2) for a in (self.g.coriolis, self.g.curvature_x, self.g.curvature_y))


def _by_kernels(still: _Still, *given: torch.Tensor | None) -> Three:
    like = cast(torch.Tensor, given[0])
    ru, rv, rw, rho, u, v, w, omega, p, q = (array_or_none(a, like) for a in given)
    g = still.g
    shapes = (g.nz, g.ny, g.nx + 1), (g.nz, g.ny + 1, g.nx), (g.nz - 1, g.ny, g.nx)
    fu, fv, fw = (like.new_empty(shape) for shape in shapes)
    eastward, northward, upward = _kernels()
    eastward(u, ru, rv, omega, p, q, v, *still.eastward(like), array(fu))
    northward(v, ru, rv, omega, p, q, u, *still.northward(like), array(fv))
    planes, rayleigh, half_gravity = still.upward(like)
    upward(w, ru, rv, omega, p, rho, array(g.rho_base), q, rw, planes, rayleigh, half_gravity, array(fw))
    return fu, fv, fw


class _Momentum(torch.autograd.Function):
    """The tendencies, and by kernels their transpose, which works out again what it needs of what is given."""

    @staticmethod
    def forward(ctx: Any, still: _Still, *given: torch.Tensor | None) -> Three:
        ctx.still = still
        ctx.save_for_backward(*given)
        return _by_kernels(still, *given)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        given, still = ctx.saved_tensors, ctx.still
        like = given[0]
        back = [None if a is None else torch.zeros_like(a) for a in given]
        to_ru, to_rv, to_rw, to_rho, to_u, to_v, to_w, to_omega, to_p, to_q = (array_or_none(a, like) for a in back)
        ru, rv, _, rho, u, v, w, omega, p, q = (array_or_none(a, like) for a in given)
        of_u, of_v, of_w = arrays(grads)
        eastward, northward, upward = _transposed()
        points, common = weights(ru.dtype), (to_ru, to_rv, to_omega, to_p)
        eastward(of_u, u, ru, rv, omega, p, q, v, *still.eastward(like), points, to_u, *common, to_q, to_v)
        northward(of_v, v, ru, rv, omega, p, q, u, *still.northward(like), points, to_v, *common, to_q, to_u)
        upward(
            of_w, w, ru, rv, omega, p, rho, array(still.g.rho_base), q, *still.upward(like), points, to_w, *common,
            to_rho, to_q, to_rw,
        )  # fmt: skip
        return None, *back


@cache
def _kernels() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import momentum as k  # numba is slow to load

    kernels = k.eastward, k.northward, k.upward
    compile_once(kernels, compile_kernels, "the dynamics' tendencies", 40)
    return kernels


@cache
def _transposed() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import momentum_transposed as k

    kernels = k.eastward_back, k.northward_back, k.upward_back
    compile_once(kernels, compile_gradients, "the gradient of the dynamics' tendencies", 120)
    return kernels


def compile_kernels() -> None:
    """Compile the kernels in both precisions, or load them from the cache."""
    eastward, northward, upward = _kernels()
    for dtype in (np.float32, np.float64):
        box, plane, none = np.ones((7, 14, 14), dtype), np.ones((12, 12), dtype), np.ones((0, 0, 0), dtype)
        still, planes, one = np.ones((3, 1, 1), dtype), (plane,) * 4, (np.ones((0, 0), dtype),) * 3
        for move in (eastward, northward):
            move(*[box] * 5, none, box, none, (box, box, none), (*planes, *one), plane, still.copy())
        upward(*[box] * 7, none, box, (plane,) * 3, still, dtype(1.0), still.copy())


def compile_gradients() -> None:
    """Compile the kernels of the gradient in both precisions, or load them from the cache."""
    eastward, northward, upward = _transposed()
    for dtype in (np.float32, np.float64):
        box, plane, none = np.ones((7, 14, 14), dtype), np.ones((12, 12), dtype), np.ones((0, 0, 0), dtype)
        still, planes, one = np.ones((3, 1, 1), dtype), (plane,) * 4, (np.ones((0, 0), dtype),) * 3
        points = weights(dtype)
        for move in (eastward, northward):
            move(
                still, *[box] * 5, none, box, none, (box, box, none), (*planes, *one), plane, points, *[box] * 5, none,
                box,
            )  # fmt: skip
        upward(still, *[box] * 7, none, (plane,) * 3, still, dtype(1.0), points, *[box] * 6, none, box)
