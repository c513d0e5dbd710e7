# SPDX-License-Identifier: BSD-3-Clause
"""Upwind-biased fluxes of fifth and third order (Wicker & Skamarock 2002, Mon. Wea. Rev. 130, eq. 4).

Their gradients are written out: those of the slices alone would each be an array of all points.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from components.science.kernel_arrays import arrays, plain, wanted
from coupler.made_once import compile_once

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


def convergence(
    q: torch.Tensor, mx: torch.Tensor, my: torch.Tensor, mz: torch.Tensor, inverse_area: torch.Tensor
) -> torch.Tensor:
    """What fluxes bring to cells (nz, ny, nx): of fifth order along the grid, of third order in the vertical.

    Parameters
    ----------
    q : (nz+4, ny+6, nx+6) advected field, two ghost levels below and above and three cells of halo
    mx, my : (nz, ny, nx+1) and (nz, ny+1, nx) mass fluxes through the sides, kg s-1
    mz : (nz+1, ny, nx) through the levels' interfaces, kg m-2 s-1
    inverse_area : (ny, nx) m-2, or of a shape that goes with it
    """
    given = q, mx, my, mz
    if wanted(*given):
        return cast(torch.Tensor, _Convergence.apply(*given, inverse_area))  # type: ignore[no-untyped-call]
    return _converging(*given, inverse_area)


def _converging(
    q: torch.Tensor, mx: torch.Tensor, my: torch.Tensor, mz: torch.Tensor, inverse_area: torch.Tensor
) -> torch.Tensor:
    """By a kernel where there may be one, with the same bits."""
    if plain(q, mx, my, mz, inverse_area) and q.dtype == mx.dtype == inverse_area.dtype:
        out = q.new_empty((mz.shape[0] - 1, my.shape[1] - 1, mx.shape[2] - 1))
        area = inverse_area.expand(out.shape[1:])
        _kernel()(*arrays((q, mx, my, mz, area, out)))
        return out
    return in_torch(q, mx, my, mz, inverse_area)


def in_torch(
    q: torch.Tensor, mx: torch.Tensor, my: torch.Tensor, mz: torch.Tensor, inverse_area: torch.Tensor
) -> torch.Tensor:
    """As `convergence`, by torch's operations, to which the kernel is equal bit by bit.

    Parameters
    ----------
    q, mx, my, mz, inverse_area : as `convergence` has them
    """
    x, y, z = _lines(q)
    fx, fy, fz = _flux(x, mx, 2, 6), _flux(y, my, 1, 6), _flux(z, mz, 0, 4)
    return -(_out_less_in(fx, 2) + _out_less_in(fy, 1)) * inverse_area - _out_less_in(fz, 0)


@cache
def _kernel() -> Any:
    from components.science.kernels.convergence import converge  # numba is slow to load

    compile_once((converge,), compile_kernels, "the advection", 10)
    return converge


@cache
def _transposed() -> Any:
    from components.science.kernels.convergence_transposed import transposed  # numba is slow to load

    compile_once((transposed,), compile_gradients, "the gradient of the advection", 20)
    return transposed


def compile_gradients() -> None:
    """Compile the kernel of the gradient in both precisions, or load it from the cache."""
    for dtype in (torch.float64, torch.float32):
        field, mass = torch.ones((5, 7, 7), dtype=dtype), torch.ones((2, 2, 2), dtype=dtype)
        masses = [mass[:1, :1], mass[:1, :, :1], mass[:, :1, :1]]
        transposed_by_kernel(mass[:1, :1, :1], field, masses, mass[0, :1, :1])


def compile_kernels() -> None:
    """Compile the kernel in both precisions, or load it from the cache."""
    for dtype in (torch.float64, torch.float32):
        field, mass = torch.ones((5, 7, 7), dtype=dtype), torch.ones((2, 2, 2), dtype=dtype)
        _converging(field, mass[:1, :1], mass[:1, :, :1], mass[:, :1, :1], mass[0, :1, :1])


_LINES = (2, 1, 0), (6, 6, 4)  # dimension, and points of a flux


def _lines(q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The parts of a field that fluxes along x, y and z are made of."""
    return q[2:-2, 3:-3], q[2:-2, :, 3:-3], q[:, 3:-3, 3:-3]


class _Convergence(torch.autograd.Function):
    """`convergence` with one array for the gradient of the field, by a kernel on a processor."""

    @staticmethod
    def forward(ctx: Any, *given: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(*given)
        return _converging(*given)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        q, *masses, inverse_area = ctx.saved_tensors
        if grad.device.type == "cpu":
            return *transposed_by_kernel(grad, q, masses, inverse_area.expand(grad.shape[1:])), None
        along = grad * -inverse_area
        to_q = torch.zeros_like(q) if ctx.needs_input_grad[0] else None
        back: list[torch.Tensor | None] = []
        into = _lines(q) if to_q is None else _lines(to_q)
        for m, part, target, dim, points, asked in zip(
            masses, _lines(q), into, *_LINES, ctx.needs_input_grad[1:4], strict=True
        ):
            flux = _transposed_difference(along if dim > 0 else -grad, dim)
            if to_q is not None:
                _add_to_points(target, flux, m, dim, points)
            back.append(_to_mass(flux, part, m, dim, points) if asked else None)
        return to_q, *back, None


def transposed_by_kernel(
    grad: torch.Tensor, q: torch.Tensor, masses: Sequence[torch.Tensor], inverse_area: torch.Tensor
) -> list[torch.Tensor]:
    """Gradients of the field and of three mass fluxes from that of `convergence`.

    Parameters
    ----------
    grad : (nz, ny, nx)
    q, masses, inverse_area : as `convergence` has them
    """
    given = arrays((grad, q, *masses, inverse_area))
    back = [torch.zeros_like(q), *(a.new_empty(a.shape) for a in masses)]
    _transposed()(*given, *weights(given[0].dtype), *arrays(back))
    return back


def weights(real: Any) -> tuple[Any, ...]:
    """Those of the fluxes' points, as the kernel of the transpose takes them.

    Parameters
    ----------
    real : numpy's type of the numbers
    """
    return np.array(FIFTH, real), np.array(THIRD, real)


def difference(flux: torch.Tensor, dim: int) -> torch.Tensor:
    """Flux out of each cell minus flux into it along ``dim``.

    Parameters
    ----------
    flux : n + 1 points along ``dim``
    dim : dimension of the faces
    """
    if wanted(flux):
        return cast(torch.Tensor, _Difference.apply(flux, dim))  # type: ignore[no-untyped-call]
    return _out_less_in(flux, dim)


def total(a: torch.Tensor, dim: int) -> torch.Tensor:
    """Sum of neighbours along ``dim``.

    Parameters
    ----------
    a : n + 1 points along ``dim``
    dim : dimension
    """
    if wanted(a):
        return cast(torch.Tensor, _Total.apply(a, dim))  # type: ignore[no-untyped-call]
    return _both(a, dim)


def ghost_levels(q: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Two levels more at each end: linear extrapolation, then the same value again (it meets zero fluxes only).

    Parameters
    ----------
    q : field
    dim : dimension of the levels
    """
    if wanted(q):
        return cast(torch.Tensor, _GhostLevels.apply(q, dim))  # type: ignore[no-untyped-call]
    return _extrapolated(q, dim)


def extrapolated_back(grad: torch.Tensor, dim: int) -> torch.Tensor:
    """The transpose of `ghost_levels`.

    Parameters
    ----------
    grad : gradient of all levels
    dim : dimension of the levels
    """
    n = grad.shape[dim] - 4
    out = grad.narrow(dim, 2, n).clone()
    for beyond, last, next_to_it in ((0, 0, 1), (n + 2, n - 1, n - 2)):
        both = grad.narrow(dim, beyond, 2).sum(dim, keepdim=True)
        out.narrow(dim, last, 1).add_(both, alpha=2.0)
        out.narrow(dim, next_to_it, 1).sub_(both)
    return out


def _extrapolated(q: torch.Tensor, dim: int) -> torch.Tensor:
    n = q.shape[dim]
    below = 2.0 * q.narrow(dim, 0, 1) - q.narrow(dim, 1, 1)
    above = 2.0 * q.narrow(dim, n - 1, 1) - q.narrow(dim, n - 2, 1)
    return torch.cat([below, below, q, above, above], dim)


def _both(a: torch.Tensor, dim: int) -> torch.Tensor:
    n = a.shape[dim] - 1
    return a.narrow(dim, 1, n) + a.narrow(dim, 0, n)


def _out_less_in(flux: torch.Tensor, dim: int) -> torch.Tensor:
    n = flux.shape[dim] - 1
    return flux.narrow(dim, 1, n) - flux.narrow(dim, 0, n)


def _upwind(q: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> torch.Tensor:
    if wanted(q, m):
        return cast(torch.Tensor, _Upwind.apply(q, m, dim, points))  # type: ignore[no-untyped-call]
    return _flux(q, m, dim, points)


def _flux(q: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> torch.Tensor:
    """The flux without a graph of its own, of so many points of ``q``; see `flux_fifth`."""
    centred, upwind = _parts(q, dim, points)
    return m * centred - torch.abs(m) * upwind


def _add_to_points(into: torch.Tensor, grad: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> None:
    """Add a flux' gradient to that of its points, in place."""
    along, against, n = grad * m, grad * torch.abs(m), grad.shape[dim]
    for j, (mean, taken) in enumerate(zip(*(FIFTH if points == 6 else THIRD), strict=True)):
        into.narrow(dim, j, n).add_(along, alpha=mean).sub_(against, alpha=taken)


def _to_mass(grad: torch.Tensor, q: torch.Tensor, m: torch.Tensor, dim: int, points: int) -> torch.Tensor:
    """A flux' gradient to that of its mass flux."""
    centred, upwind = _parts(q, dim, points)
    return (grad * (centred - torch.sign(m) * upwind)).sum_to_size(m.shape)


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
        return _flux(q, m, dim, points)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        q, m = ctx.saved_tensors
        to_q, to_m = None, None
        if ctx.needs_input_grad[0]:
            to_q = torch.zeros_like(q)
            _add_to_points(to_q, grad, m, ctx.dim, ctx.points)
        if ctx.needs_input_grad[1]:
            to_m = _to_mass(grad, q, m, ctx.dim, ctx.points)
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
        return _transposed_difference(grad, ctx.dim), None


class _Total(torch.autograd.Function):
    """Neighbours' sum."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, dim: int) -> torch.Tensor:
        ctx.dim = dim
        return _both(a, dim)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        dim, n = ctx.dim, grad.shape[ctx.dim]
        ends = grad.narrow(dim, 0, 1), grad.narrow(dim, n - 1, 1)
        return torch.cat([ends[0], _both(grad, dim), ends[1]], dim), None


class _GhostLevels(torch.autograd.Function):
    """The levels, and the transpose in one array."""

    @staticmethod
    def forward(ctx: Any, q: torch.Tensor, dim: int) -> torch.Tensor:
        ctx.dim = dim
        return _extrapolated(q, dim)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        return extrapolated_back(grad, ctx.dim), None


def _transposed_difference(grad: torch.Tensor, dim: int) -> torch.Tensor:
    n = grad.shape[dim]
    inner = grad.narrow(dim, 0, n - 1) - grad.narrow(dim, 1, n - 1)
    return torch.cat([-grad.narrow(dim, 0, 1), inner, grad.narrow(dim, n - 1, 1)], dim)
