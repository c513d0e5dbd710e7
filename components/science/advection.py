# SPDX-License-Identifier: BSD-3-Clause
"""Upwind-biased fluxes of fifth and third order (Wicker & Skamarock 2002, Mon. Wea. Rev. 130, eq. 4).

Their gradients are written out: those of the slices alone would each be an array of all points.
"""

from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable

# of the points from the first on: in the mean over a face, and in what upwinding takes off it
FIFTH = (1 / 60, -8 / 60, 37 / 60, 37 / 60, -8 / 60, 1 / 60), (-1 / 60, 5 / 60, -10 / 60, 10 / 60, -5 / 60, 1 / 60)
THIRD = (-1 / 12, 7 / 12, 7 / 12, -1 / 12), (1 / 12, -3 / 12, 3 / 12, -1 / 12)


def flux_fifth(q: torch.Tensor, m: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux m q on faces, fifth order upwind.

    Parameters
    ----------
    q : advected quantity with n + 5 points along ``dim``
    m : mass flux on the n faces between points 2 and n + 2 of ``q``
    dim : dimension of the faces
    """
    return _upwind(q, m, dim, 6)


def flux_third(q: torch.Tensor, m: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux m q on faces, third order upwind; ``q`` has n + 3 points along ``dim``, ``m`` n.

    Parameters
    ----------
    q : advected field, n + 3 points along ``dim``
    m : mass flux, n points
    dim : dimension of the faces
    """
    return _upwind(q, m, dim, 4)


def difference(flux: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux out of each cell minus flux into it along ``dim``.

    Parameters
    ----------
    flux : n + 1 points along ``dim``
    dim : dimension of the faces
    """
    if torch.is_grad_enabled() and flux.requires_grad:
        return cast(torch.Tensor, _Difference.apply(flux, dim))  # type: ignore[no-untyped-call]
    return _out_less_in(flux, dim)


def _out_less_in(flux: torch.Tensor, dim: int) -> torch.Tensor:
    n = flux.shape[dim] - 1
    return flux.narrow(dim, 1, n) - flux.narrow(dim, 0, n)


def _upwind(q: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> torch.Tensor:
    if torch.is_grad_enabled() and (q.requires_grad or m.requires_grad):
        return cast(torch.Tensor, _Upwind.apply(q, m, dim, points))  # type: ignore[no-untyped-call]
    centred, upwind = _parts(q, dim, points)
    return m * centred - torch.abs(m) * upwind


def _parts(q: torch.Tensor, dim: int, points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The mean over a face of so many points, and what upwinding takes off it."""
    n = q.shape[dim] - points + 1
    if points == 6:
        a, b, c, d, e, f = (q.narrow(dim, j, n) for j in range(6))
        centred = (37.0 / 60.0) * (c + d) - (8.0 / 60.0) * (b + e) + (1.0 / 60.0) * (a + f)
        return centred, (1.0 / 60.0) * ((f - a) - 5.0 * (e - b) + 10.0 * (d - c))
    a, b, c, d = (q.narrow(dim, j, n) for j in range(4))
    return (7.0 / 12.0) * (b + c) - (1.0 / 12.0) * (a + d), (-1.0 / 12.0) * ((d - a) - 3.0 * (c - b))


class _Upwind(torch.autograd.Function):
    """Flux through faces between some points, ``m`` broadcast to it."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> torch.Tensor:
        ctx.save_for_backward(q, m)
        ctx.dim, ctx.points = dim, points
        centred, upwind = _parts(q, dim, points)
        return m * centred - torch.abs(m) * upwind

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        q, m = ctx.saved_tensors
        n, to_q, to_m = grad.shape[ctx.dim], None, None
        if ctx.needs_input_grad[0]:
            along, against = grad * m, grad * torch.abs(m)
            to_q = torch.zeros_like(q)
            for j, (mean, taken) in enumerate(zip(*(FIFTH if ctx.points == 6 else THIRD), strict=True)):
                to_q.narrow(ctx.dim, j, n).add_(along, alpha=mean).sub_(against, alpha=taken)
        if ctx.needs_input_grad[1]:
            centred, upwind = _parts(q, ctx.dim, ctx.points)
            to_m = (grad * (centred - torch.sign(m) * upwind)).sum_to_size(m.shape)
        return to_q, to_m, None, None


class _Difference(torch.autograd.Function):
    """Neighbours' difference."""

    @staticmethod
    def forward(ctx: Any, flux: torch.Tensor, dim: int) -> torch.Tensor:
        ctx.dim = dim
        return _out_less_in(flux, dim)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        n = grad.shape[ctx.dim]
        first, last = grad.narrow(ctx.dim, 0, 1), grad.narrow(ctx.dim, n - 1, 1)
        inner = grad.narrow(ctx.dim, 0, n - 1) - grad.narrow(ctx.dim, 1, n - 1)
        return torch.cat([-first, inner, last], ctx.dim), None
