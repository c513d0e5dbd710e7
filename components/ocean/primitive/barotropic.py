# SPDX-License-Identifier: BSD-3-Clause
"""The barotropic mode: forward-backward substeps between two baroclinic steps, averaged in time.

Shchepetkin, A. F. and J. C. McWilliams (2005): The regional oceanic modeling system (ROMS): a split-explicit,
free-surface, topography-following-coordinate oceanic model. Ocean Modelling 9, 347-404 (SM05).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.open_boundary import Outside, flather
from components.ocean.primitive.stencil import at
from components.science.constants import GRAVITY


@dataclass(frozen=True)
class Weights:
    """Averaging weights of the substeps: ``primary`` a_m of the state, ``secondary`` b_m of the transports.

    SM05, eqs. 4.5 and 4.9.
    """

    primary: tuple[float, ...]
    secondary: tuple[float, ...]


def power_law_weights(substeps: int) -> Weights:
    """Weights of the power-law filter with p = 2, q = 4, r = 0.2846 (SM05, section 5).

    There are ``substeps`` substeps in a baroclinic step.

    The primary weights sum to one with their centroid at the end of the step; the secondary ones follow by
    summation, so that the averaged transport carries the sea level exactly from one averaged state to the next.
    """
    p, q, r = 2, 4, 0.2846158
    tau0 = (p + 2) * (p + q + 2) / ((p + 1) * (p + q + 1))
    m = np.arange(1, 2 * substeps + 1)
    # tau0 is exact for a continuum of substeps; for a few, the scale that centres the discrete sum is found by
    # iteration
    for _ in range(200):
        tau = m / (substeps * tau0)
        a = tau**p * (1.0 - tau**q) - r * tau
        last = np.nonzero((a > 0) | (tau < 0.5))[0].max() + 1
        a = a[:last] / a[:last].sum()
        centroid = (a * m[:last]).sum() / substeps
        if abs(centroid - 1.0) < 1e-13:
            break
        tau0 /= centroid
    a = _centre(a, m[:last] / substeps)
    b = np.cumsum(a[::-1])[::-1] / substeps
    return Weights(tuple(a), tuple(b))


def _centre(a: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Remove what is left of the centroid's error by a linear factor.

    Sums of a and of a t are one afterwards to round-off.
    """
    s0, s1, s2 = a.sum(), (a * t).sum(), (a * t * t).sum()
    slope = (s0 - s1) / (s0 * s2 - s1 * s1)
    return a * ((1.0 - slope * s1) / s0 + slope * t)


def end_state_weights(substeps: int) -> Weights:
    """No filter: the state at the end of the step and the plain mean of the transports.

    It leaves linear waves undamped.
    """
    return Weights((0.0,) * (substeps - 1) + (1.0,), (1.0 / substeps,) * substeps)


def coriolis_u(transport_y: Tensor, g: Geometry) -> Tensor:
    """``f V`` at the east faces (m2 s-2), with f / depth at corners (Sadourny 1975, energy conserving).

    The result has one ring less.

    Parameters
    ----------
    transport_y : (y, x) northward transport, m2 s-1
    g : geometry of the block
    """
    flux = transport_y * g.wide_v
    north = at(g.fq_h, 0, 0) * (at(flux, 0, 0) + at(flux, 0, 1))
    south = at(g.fq_h, -1, 0) * (at(flux, -1, 0) + at(flux, -1, 1))
    return 0.25 * at(g.depth_u) / at(g.dxu) * (north + south)


def coriolis_v(transport_x: Tensor, g: Geometry) -> Tensor:
    """``-f U`` at the north faces (m2 s-2); one ring less.

    Parameters
    ----------
    transport_x : (y, x) eastward transport, m2 s-1
    g : geometry of the block
    """
    flux = transport_x * g.wide_u
    east = at(g.fq_h, 0, 0) * (at(flux, 0, 0) + at(flux, 1, 0))
    west = at(g.fq_h, 0, -1) * (at(flux, 0, -1) + at(flux, 1, -1))
    return -0.25 * at(g.depth_v) / at(g.dyv) * (east + west)


def divergence(transport_x: Tensor, transport_y: Tensor, g: Geometry) -> Tensor:
    """Divergence of the transports (m s-1); one ring less.

    Parameters
    ----------
    transport_x, transport_y : (y, x) transports, m2 s-1
    g : geometry of the block
    """
    flux_x, flux_y = transport_x * g.wide_u, transport_y * g.wide_v
    return (at(flux_x, 0, 0) - at(flux_x, 0, -1) + at(flux_y, 0, 0) - at(flux_y, -1, 0)) / at(g.area_t)


def substep(
    eta: Tensor, U: Tensor, V: Tensor, slow_u: Tensor, slow_v: Tensor, drag_u: Tensor, drag_v: Tensor,
    water: Tensor, dt: float, u_first: bool, outside: Outside | None, g: Geometry,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """One forward-backward substep: the sea level with the old transports, then the transports with the new sea level.

    Parameters
    ----------
    eta, U, V : Tensor
        Sea level (m) and depth-integrated transports per width (m2 s-1), halo of two.
    slow_u, slow_v : Tensor
        Depth-integrated forcing held over the baroclinic step (m2 s-2), halo of two.
    drag_u, drag_v : Tensor
        Linear bottom drag velocity (m s-1) on the depth-mean flow, taken implicitly; halo of two.
    water : Tensor
        Freshwater flux into the ocean (m s-1), halo of two.
    dt : float
        Length of the substep, s.
    u_first : bool
        Which component takes its Coriolis force from the other's old value; alternates, so that the error is of
        second order.
    outside : Outside or None
        Sea beyond the open edges.

    Returns
    -------
    tuple of Tensor
        New sea level and transports of the block's own cells and faces.
    """
    ring = (1, 1, 1, 1)
    pad = torch.nn.functional.pad
    eta = pad(at(eta) - dt * at(g.active_t) * (divergence(U, V, g) - at(water)), ring)
    volume = eta * g.area_t
    depth_u = at(g.depth_u) + 0.5 * (at(volume) + at(volume, 0, 1)) / at(g.area_u)
    depth_v = at(g.depth_v) + 0.5 * (at(volume) + at(volume, 1, 0)) / at(g.area_v)
    force_u = at(slow_u) - GRAVITY * depth_u * (at(eta, 0, 1) - at(eta)) / at(g.dxu)
    force_v = at(slow_v) - GRAVITY * depth_v * (at(eta, 1, 0) - at(eta)) / at(g.dyv)
    open_u = at(g.wet_u) / (1.0 + dt * at(drag_u) / depth_u)
    open_v = at(g.wet_v) / (1.0 + dt * at(drag_v) / depth_v)
    # the first component on one ring more than its own faces, where the second one's Coriolis force reads it; what
    # lies beyond the known sea level (the last column or row of that ring) is never read
    if u_first:
        U = pad(_open_u((at(U) + dt * (force_u + coriolis_u(V, g))) * open_u, eta, depth_u, outside, g), ring)
        V = pad(_open_v((at(V) + dt * (force_v + coriolis_v(U, g))) * open_v, eta, depth_v, outside, g), ring)
    else:
        V = pad(_open_v((at(V) + dt * (force_v + coriolis_v(U, g))) * open_v, eta, depth_v, outside, g), ring)
        U = pad(_open_u((at(U) + dt * (force_u + coriolis_u(V, g))) * open_u, eta, depth_u, outside, g), ring)
    return eta[2:-2, 2:-2], U[2:-2, 2:-2], V[2:-2, 2:-2]


def _open_u(U: Tensor, eta: Tensor, depth: Tensor, outside: Outside | None, g: Geometry) -> Tensor:
    """Transport through open east faces by Flather's condition; one ring less than ``eta``."""
    if outside is None:
        return U
    sign = at(g.open_u)
    excess = torch.where(sign > 0, at(eta) - at(outside.eta, 0, 1), at(eta, 0, 1) - at(outside.eta))
    return torch.where(sign != 0, flather(at(outside.U), sign * excess, depth, outside.radiation), U)


def _open_v(V: Tensor, eta: Tensor, depth: Tensor, outside: Outside | None, g: Geometry) -> Tensor:
    """Transport through open north faces by Flather's condition; one ring less than ``eta``."""
    if outside is None:
        return V
    sign = at(g.open_v)
    excess = torch.where(sign > 0, at(eta) - at(outside.eta, 1, 0), at(eta, 1, 0) - at(outside.eta))
    return torch.where(sign != 0, flather(at(outside.V), sign * excess, depth, outside.radiation), V)
