# SPDX-License-Identifier: BSD-3-Clause
"""Acoustic steps by compiled kernels: on a processor, where no gradient is asked for; else by those of `acoustic`.

Same operations in the same order, so the same bits.
"""

from functools import cache
from typing import Any

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.dynamics import acoustic
from components.atmosphere.nonhydrostatic.dynamics.acoustic import Coefficients, Deviation
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, Tendencies
from components.atmosphere.nonhydrostatic.dynamics.tendencies import pressure_weight_x, pressure_weight_y
from components.science.constants import GRAVITY
from components.science.kernel_arrays import array, array_or_none, arrays, plain
from coupler.compiled import announce, compile_apart


def coefficients(
    g: Geometry,
    d: Diagnostics,
    q_total: torch.Tensor | None,
    rayleigh: torch.Tensor,
    dtau: torch.Tensor,
    off_centring: float,
    open_x: torch.Tensor,
    open_y: torch.Tensor,
) -> Coefficients:
    """As `acoustic.coefficients`."""
    if not plain(d.theta, d.stiffness, q_total, dtau):
        return acoustic.coefficients(g, d, q_total, rayleigh, dtau, off_centring, open_x, open_y)
    nz, (ny, nx) = g.nz, (g.ny, g.nx)
    theta = d.theta[2:-2]
    e = (0.5 + 0.5 * off_centring) * dtau
    layers, interfaces = (nz, ny, nx), (nz - 1, ny, nx)
    new = d.theta.new_empty
    theta_z, stiffness = new(interfaces), new(layers)
    chi, loading = (None, None) if q_total is None else (new(interfaces), new(layers))
    pivot, lower, upper = new(interfaces), new(interfaces), new(interfaces)
    real = _real(dtau)
    _kernels()[0](
        array(d.theta), array(d.stiffness), array_or_none(q_total, d.theta), array(g.inverse_dz_interface),
        array((dtau * rayleigh).expand(interfaces)), (real(e * e), real(0.5 * GRAVITY)),
        *(array(a) for a in (theta_z, stiffness)), *(array_or_none(a, theta) for a in (chi, loading)),
        *(array(a) for a in (pivot, lower, upper)),
    )  # fmt: skip
    return Coefficients(
        pressure_weight_x(g, q_total) * (g.inverse_dx[H:-H, H:-H] * open_x),
        pressure_weight_y(g, q_total) * (g.inverse_dy[H:-H, H:-H] * open_y),
        0.5 * (theta[:, 3:-3, 3:-2] + theta[:, 3:-3, 2:-3]),
        0.5 * (theta[:, 3:-2, 3:-3] + theta[:, 2:-3, 3:-3]),
        theta_z, stiffness, chi, loading, pivot, lower, upper,
    )  # fmt: skip


def horizontal_step(
    g: Geometry, x: Deviation, p: torch.Tensor, f: Tendencies, c: Coefficients, dtau: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `acoustic.horizontal_step`."""
    if not plain(p, *x, *f, *c):
        return acoustic.horizontal_step(g, x, p, f, c, dtau)
    ru, rv = torch.empty_like(x.ru), torch.empty_like(x.rv)
    _kernels()[1](
        *(array(a) for a in (p, x.ru, x.rv, f.ru, f.rv, c.weight_x, c.weight_y, g.inverse_dz_interface)),
        array_or_none(g.rise_x, p), array_or_none(g.rise_y, p), _real(dtau)(dtau), array(ru), array(rv),
    )  # fmt: skip
    return ru, rv


def vertical_step(
    g: Geometry,
    x: Deviation,
    ru: torch.Tensor,
    rv: torch.Tensor,
    f: Tendencies,
    c: Coefficients,
    dtau: torch.Tensor,
    off_centring: float,
    divergence_damping: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """As `acoustic.vertical_step`."""
    if not plain(ru, rv, *x, *f, *c):
        return acoustic.vertical_step(g, x, ru, rv, f, c, dtau, off_centring, divergence_damping)
    rw, rho, rtheta, omega, p = (torch.empty_like(a) for a in (x.rw, x.rho, x.rtheta, x.rw, x.rho))
    real = _real(dtau)
    a, b = 0.5 + 0.5 * off_centring, 0.5 - 0.5 * off_centring
    numbers = dtau, a, b, a * dtau, b * dtau, divergence_damping, 0.5 * GRAVITY
    metric = g.metric if g.metric is not None else rw.new_empty((4, 0, 0, 0))
    _kernels()[2](
        arrays((x.rw, x.rho, x.rtheta)), array(ru), array(rv), arrays((f.rw, f.rho, f.rtheta)),
        *arrays((c.theta_x, c.theta_y, c.theta_z, c.stiffness)), array_or_none(c.chi, rw), array_or_none(c.loading, rw),
        arrays((c.pivot, c.lower, c.upper)),
        *arrays((g.inverse_dz_interface, g.length_u, g.length_v, g.inverse_area, metric)),
        tuple(real(n) for n in numbers), *arrays((rw, rho, rtheta, omega, p)),
    )  # fmt: skip
    return rw, rho, rtheta, omega, p


def _real(a: torch.Tensor) -> Any:
    """A number in the precision of a tensor, as kernels take it."""
    return a.numpy().dtype.type


@cache
def _kernels() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import acoustic as k  # numba is slow to load

    kernels = k.factors, k.horizontal, k.vertical
    announce(k.vertical, "the dynamics", 30)
    compile_apart(kernels, f"from {__name__} import compile_kernels; compile_kernels()", 2)
    return kernels


def compile_kernels() -> None:
    """Compile the kernels in both precisions, or load them from the cache."""
    factors, horizontal, vertical = _kernels()
    for dtype in (np.float32, np.float64):
        one = dtype(1.0)
        cells, west, south, inner = (np.ones(shape, dtype) for shape in ((3, 1, 1), (3, 1, 2), (3, 2, 1), (2, 1, 1)))
        none, slopes = np.ones((0, 0, 0), dtype), np.ones((4, 0, 0, 0), dtype)
        wide, plane, ring = np.ones((4, 9, 9), dtype), np.ones((10, 10), dtype), np.ones((3, 3, 3), dtype)
        factors(np.ones((7, 7, 7), dtype), ring, none, wide, inner, (one, one), inner, cells, none, none, *[inner] * 3)
        horizontal(ring, *(west, south) * 3, wide, none, none, one, west, south)
        three = inner, cells, cells
        vertical(
            three, west, south, three, west, south, inner, cells, none, none, (inner,) * 3, wide, *[plane] * 3, slopes,
            (one,) * 7, *three, inner, cells,
        )  # fmt: skip
