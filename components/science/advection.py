# SPDX-License-Identifier: BSD-3-Clause
"""Upwind-biased fluxes of fifth and third order (Wicker & Skamarock 2002, Mon. Wea. Rev. 130, eq. 4)."""

import torch


def flux_fifth(q: torch.Tensor, m: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux m q on faces, fifth order upwind.

    Parameters
    ----------
    q : advected quantity with n + 5 points along ``dim``
    m : mass flux on the n faces between points 2 and n + 2 of ``q``
    """
    n = q.shape[dim] - 5
    a, b, c, d, e, f = (q.narrow(dim, j, n) for j in range(6))
    centred = (37.0 / 60.0) * (c + d) - (8.0 / 60.0) * (b + e) + (1.0 / 60.0) * (a + f)
    upwind = (1.0 / 60.0) * ((f - a) - 5.0 * (e - b) + 10.0 * (d - c))
    return m * centred - torch.abs(m) * upwind


def flux_third(q: torch.Tensor, m: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux m q on faces, third order upwind; ``q`` has n + 3 points along ``dim``, ``m`` n.

    Parameters
    ----------
    q : advected field, n + 3 points along ``dim``
    m : mass flux, n points
    dim : dimension of the faces
    """
    n = q.shape[dim] - 3
    a, b, c, d = (q.narrow(dim, j, n) for j in range(4))
    centred = (7.0 / 12.0) * (b + c) - (1.0 / 12.0) * (a + d)
    upwind = (1.0 / 12.0) * ((d - a) - 3.0 * (c - b))
    return m * centred + torch.abs(m) * upwind


def difference(flux: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux out of each cell minus flux into it along ``dim``.

    Parameters
    ----------
    flux : n + 1 points along ``dim``
    dim : dimension of the faces
    """
    n = flux.shape[dim] - 1
    return flux.narrow(dim, 1, n) - flux.narrow(dim, 0, n)
