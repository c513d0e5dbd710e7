# SPDX-License-Identifier: BSD-3-Clause
"""Winds that carry no more mass into a column of air than it gains.

Winds interpolated from analyses to a finer grid with another relief converge by several hPa an hour where they meet
slopes; as start they raise gravity waves, as boundary data they pump mass. A barotropic gradient, the smallest change
that does it, makes the column's divergence of mass what the driver's pressure tells (the adjustment of reanalysis
winds of Trenberth 1991, J. Climate 4, 707, sect. 3, on a limited area).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.science.halo import Edges, HaloFiller

Array = npt.NDArray[np.float64]
INNER = slice(H, -H)


def balance_columns(
    s: State,
    g: Geometry,
    edges: Edges,
    halo: HaloFiller,
    gather: Callable[[Array], Array | None],
    scatter: Callable[[Array | None], Array],
    gain: torch.Tensor | None = None,
) -> State:
    """The state with column-integrated winds whose convergence is ``gain``.

    Parameters
    ----------
    s, g, edges, halo : state of a block with filled halos, the block's geometry, its sides, what fills its halos
    gather, scatter : whole field from blocks on the first rank (None on others), and back; solved there for same bits
    gain : (ny, nx) mass that the columns gain, kg m-2 s-1; none when absent

    Returns
    -------
    state : with other ``ru`` and ``rv``, halos filled
    """
    mass = g.rho_base.double() + s.rho.double()
    column = mass.cumsum(0)[-1]
    length_u, length_v = g.length_u[INNER, INNER].double(), g.length_v[INNER, INNER].double()
    step_u, step_v = g.inverse_dx[INNER, INNER].double(), g.inverse_dy[INNER, INNER].double()
    one = slice(H - 1, 1 - H)
    out_u = s.ru[:, INNER, INNER].double().cumsum(0)[-1] * length_u
    out_v = s.rv[:, INNER, INNER].double().cumsum(0)[-1] * length_v
    surplus = (out_u[:, 1:] - out_u[:, :-1]) + (out_v[1:] - out_v[:-1])
    if gain is not None:
        surplus = surplus + gain.double() / g.inverse_area[INNER, INNER].double()
    wide = column[one, one]
    c_u = 0.5 * (wide[1:-1, 1:] + wide[1:-1, :-1]) * (length_u * step_u)
    c_v = 0.5 * (wide[1:, 1:-1] + wide[:-1, 1:-1]) * (length_v * step_v)
    parts = (c_u[:, :-1], c_u[:, 1:], c_v[:-1], c_v[1:], surplus)
    whole: list[Any] = [gather(np.ascontiguousarray(a.cpu().numpy())) for a in parts]
    potential = None if whole[0] is None else _potential(*whole)
    chi = torch.zeros_like(wide)
    chi[1:-1, 1:-1] = torch.as_tensor(np.array(scatter(potential)), dtype=chi.dtype, device=chi.device)
    halo([chi], 1)
    for side, rim in (("west", chi[:, 0]), ("east", chi[:, -1]), ("south", chi[0]), ("north", chi[-1])):
        if edges.closed(side):
            rim.zero_()  # the flow through the sides is free to change
    du = (chi[1:-1, 1:] - chi[1:-1, :-1]) * step_u
    dv = (chi[1:, 1:-1] - chi[:-1, 1:-1]) * step_v
    ru, rv = s.ru.clone(), s.rv.clone()
    m = mass[:, one, one]
    ru[:, INNER, INNER] += (0.5 * (m[:, 1:-1, 1:] + m[:, 1:-1, :-1]) * du).to(ru)
    rv[:, INNER, INNER] += (0.5 * (m[:, 1:, 1:-1] + m[:, :-1, 1:-1]) * dv).to(rv)
    halo([ru, rv], H)
    return s._replace(ru=ru, rv=rv)


def _potential(west: Array, east: Array, south: Array, north: Array, surplus: Array) -> Array:
    """Velocity potential (ny, nx), m2/s, that takes ``surplus`` (kg/s) out of each cell.

    The others are conductances of the cells' faces, kg/m; the potential is zero beyond the sides.
    """
    from scipy.sparse import diags
    from scipy.sparse.linalg import spsolve

    ny, nx = surplus.shape
    along, across = -west.ravel()[1:], -south.ravel()[nx:]
    along[nx - 1 :: nx] = 0.0  # the last cell of a row is no neighbour of the first of the next
    matrix = diags(
        [(west + east + south + north).ravel(), along, along, across, across], [0, 1, -1, nx, -nx], (ny * nx,) * 2
    )
    return np.asarray(spsolve(matrix.tocsc(), surplus.ravel())).reshape(ny, nx)
