# SPDX-License-Identifier: BSD-3-Clause
"""Loops of horizontal mixing over the cells of a row, and their transposes; few arrays each, see `acoustic_loops`."""

from typing import Any

import numpy as np

from components.atmosphere.nonhydrostatic.kernels.compiled import compiled


@compiled
def slope(out: Any, a: Any, b: Any, inverse: Any) -> None:
    """Difference over a distance."""
    for i in range(out.size):
        out[i] = (b[i] - a[i]) * inverse[i]


@compiled
def less_slope(out: Any, a: Any, b: Any, inverse: Any) -> None:
    """Take a difference over a distance from what is there."""
    for i in range(out.size):
        out[i] = out[i] - (b[i] - a[i]) * inverse[i]


@compiled
def slope_of_means(out: Any, a: Any, a_next: Any, b: Any, b_next: Any, inverse: Any) -> None:
    """Difference of the means of two values each, over a distance."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = (half * (b_next[i] + b[i]) - half * (a_next[i] + a[i])) * inverse[i]


@compiled
def more_slope_of_means(out: Any, a: Any, a_next: Any, b: Any, b_next: Any, inverse: Any) -> None:
    """The same, added to what is there."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = out[i] + (half * (b_next[i] + b[i]) - half * (a_next[i] + a[i])) * inverse[i]


@compiled
def root_of_squares(out: Any, a: Any, b: Any) -> None:
    """Of the sum of both squares; never zero."""
    little = out.dtype.type(1.0e-30)
    for i in range(out.size):
        out[i] = np.sqrt(a[i] * a[i] + b[i] * b[i] + little)


@compiled
def viscosity(out: Any, root: Any, size: Any, rho_base: Any, rho: Any) -> None:
    """Mass of a layer times its viscosity."""
    for i in range(out.size):
        out[i] = (rho_base[i] + rho[i]) * (size[i] * root[i])


@compiled
def departure(out: Any, theta: Any, rtheta_base: Any, rho_base: Any) -> None:
    """Of theta from the base state's."""
    for i in range(out.size):
        out[i] = theta[i] - rtheta_base[i] / rho_base[i]


@compiled
def corners(out: Any, south: Any, north: Any) -> None:
    """Mean of four cells."""
    quarter = out.dtype.type(0.25)
    for i in range(out.size):
        out[i] = quarter * (north[i + 1] + south[i + 1] + north[i] + south[i])


@compiled
def flux(out: Any, viscous: Any, ratio: Any, a: Any, b: Any) -> None:
    """Of what the difference of two values gives."""
    for i in range(out.size):
        out[i] = viscous[i] * ratio[i] * (b[i] - a[i])


@compiled
def flux_between(out: Any, viscous: Any, viscous_next: Any, ratio: Any, a: Any, b: Any) -> None:
    """As `flux`, between two cells."""
    half = out.dtype.type(0.5)
    for i in range(out.size):
        out[i] = half * (viscous_next[i] + viscous[i]) * ratio[i] * (b[i] - a[i])


@compiled
def brought(out: Any, x: Any, south: Any, north: Any, area: Any) -> None:
    """What fluxes down the gradient bring to a row of cells."""
    for i in range(out.size):
        out[i] = ((x[i + 1] - x[i]) + (north[i] - south[i])) * area[i]


@compiled
def brought_along_back(out: Any, line: Any) -> None:
    """The transpose of `brought` to fluxes along x, of the gradient times 1 / area."""
    n = line.size
    out[0], out[n] = -line[0], line[n - 1]
    for i in range(1, n):
        out[i] = line[i - 1] - line[i]


@compiled
def flux_back(to_viscous: Any, through: Any, grad: Any, viscous: Any, ratio: Any, a: Any, b: Any) -> None:
    """The transpose of `flux`: to the viscosity, which is added to, and to both values (the first with less)."""
    for i in range(grad.size):
        to_viscous[i] += grad[i] * ratio[i] * (b[i] - a[i])
    for i in range(grad.size):
        through[i] = grad[i] * ratio[i] * viscous[i]


@compiled
def root_back(to_rho: Any, scale: Any, grad: Any, root: Any, size: Any, rho_base: Any, rho: Any) -> None:
    """The transpose of `viscosity` and `root_of_squares`: to the mass, added to; ``scale`` goes to both deformations.

    That is what each deformation is to be multiplied by for its own gradient.
    """
    for i in range(grad.size):
        to_rho[i] += grad[i] * size[i] * root[i]
    for i in range(grad.size):
        scale[i] = grad[i] * (rho_base[i] + rho[i]) * size[i] / root[i]
