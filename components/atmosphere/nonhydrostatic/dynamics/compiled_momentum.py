# SPDX-License-Identifier: BSD-3-Clause
"""Tendencies of momentum by compiled kernels: on a processor, where no gradient is asked for; else by `tendencies`.

Same operations in the same order, so the same bits.
"""

from functools import cache
from typing import Any

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.dynamics import tendencies
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State
from components.science.constants import GRAVITY
from components.science.kernel_arrays import array, array_or_none, arrays, plain
from coupler.compiled import announce, compile_apart


def momentum(
    g: Geometry, s: State, d: Diagnostics, q_total: torch.Tensor | None, rayleigh: torch.Tensor, open_x: torch.Tensor,
    open_y: torch.Tensor, resting_x: torch.Tensor | None = None, resting_y: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """As `tendencies.momentum`.

    Parameters
    ----------
    g, s, d, q_total, rayleigh, open_x, open_y, resting_x, resting_y : as `tendencies.momentum` has them
    """
    if not plain(*s, *d, q_total, resting_x, resting_y):
        return tendencies.momentum(g, s, d, q_total, rayleigh, open_x, open_y, resting_x, resting_y)
    nz, ny, nx = g.nz, g.ny, g.nx
    eastward, northward, upward = _kernels()
    fu, fv, fw = (s.ru.new_empty(shape) for shape in ((nz, ny, nx + 1), (nz, ny + 1, nx), (nz - 1, ny, nx)))
    ru, rv, omega, p = arrays((s.ru, s.rv, d.omega, d.p))
    u, v, w = arrays((d.u, d.v, d.w))
    q = array_or_none(q_total, s.ru)
    turning = tuple(array_or_none(a, s.ru, 2) for a in (g.coriolis, g.curvature_x, g.curvature_y))
    dz = arrays((g.inverse_dz_interface, g.dz))
    lengths = arrays((g.length_u, g.length_v))
    eastward(
        u, ru, rv, omega, p, q, v, array_or_none(resting_x, s.ru), (*dz, array_or_none(g.rise_x, s.ru)),
        (*lengths, *arrays((g.inverse_area_u, g.inverse_dx)), *turning), array(open_x), array(fu),
    )  # fmt: skip
    northward(
        v, ru, rv, omega, p, q, u, array_or_none(resting_y, s.ru), (*dz, array_or_none(g.rise_y, s.ru)),
        (*lengths, *arrays((g.inverse_area_v, g.inverse_dy)), *turning), array(open_y), array(fv),
    )  # fmt: skip
    upward(
        w, ru, rv, omega, p, *arrays((s.rho, g.rho_base)), q, array(s.rw), (*lengths, array(g.inverse_area)),
        array(rayleigh.expand(fw.shape)), ru.dtype.type(0.5 * GRAVITY), array(fw),
    )  # fmt: skip
    return fu, fv, fw


@cache
def _kernels() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import momentum as k  # numba is slow to load

    kernels = k.eastward, k.northward, k.upward
    announce(k.eastward, "the dynamics' tendencies", 40)
    compile_apart(kernels, f"from {__name__} import compile_kernels; compile_kernels()", 2)
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
