# SPDX-License-Identifier: BSD-3-Clause
"""Acoustic steps by compiled kernels: on a processor, else by those of `acoustic`; their gradients by kernels too.

Same operations in the same order, so the same bits.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from components.atmosphere.nonhydrostatic.dynamics import acoustic
from components.atmosphere.nonhydrostatic.dynamics.acoustic import Coefficients, Deviation, Stepped
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, Tendencies
from components.atmosphere.nonhydrostatic.dynamics.tendencies import pressure_weight_x, pressure_weight_y
from components.science.constants import GRAVITY
from components.science.kernel_arrays import array, array_or_none, arrays, flat, on_processor, wanted
from coupler.made_once import compile_once


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
    given = d.theta, d.stiffness, q_total
    if not on_processor(*given, dtau) or wanted(dtau, rayleigh):
        return acoustic.coefficients(g, d, q_total, rayleigh, dtau, off_centring, open_x, open_y)
    e = (0.5 + 0.5 * off_centring) * dtau
    still = _Stage(g, dtau * rayleigh, e * e, open_x, open_y)
    if wanted(*given):
        return Coefficients(*_Coefficients.apply(still, *given))
    return _coefficients(still, *given)


class _Stage(NamedTuple):
    """What of a stage has no gradient: geometry, damping of w, the step's square, and the open faces."""

    g: Geometry
    damped: torch.Tensor
    e2: torch.Tensor
    open_x: torch.Tensor
    open_y: torch.Tensor

    def numbers(self) -> tuple[Any, Any]:
        """The square and half of gravity as the kernels take them."""
        return _real(self.e2)(self.e2), _real(self.e2)(0.5 * GRAVITY)


def _coefficients(
    still: _Stage, theta: torch.Tensor, stiffness: torch.Tensor, q_total: torch.Tensor | None
) -> Coefficients:
    g = still.g
    layers, interfaces = (g.nz, g.ny, g.nx), (g.nz - 1, g.ny, g.nx)
    new = theta.new_empty
    theta_z, c = new(interfaces), new(layers)
    chi, loading = (None, None) if q_total is None else (new(interfaces), new(layers))
    pivot, lower, upper = new(interfaces), new(interfaces), new(interfaces)
    _kernels()[0](
        array(theta), array(stiffness), array_or_none(q_total, theta), array(g.inverse_dz_interface),
        array(still.damped.expand(interfaces)), still.numbers(), array(theta_z), array(c),
        *(array_or_none(a, theta) for a in (chi, loading)), *arrays((pivot, lower, upper)),
    )  # fmt: skip
    t = theta[2:-2]
    return Coefficients(
        pressure_weight_x(g, q_total) * (g.inverse_dx[H:-H, H:-H] * still.open_x),
        pressure_weight_y(g, q_total) * (g.inverse_dy[H:-H, H:-H] * still.open_y),
        0.5 * (t[:, 3:-3, 3:-2] + t[:, 3:-3, 2:-3]),
        0.5 * (t[:, 3:-2, 3:-3] + t[:, 2:-3, 3:-3]),
        theta_z, c, chi, loading, pivot, lower, upper,
    )  # fmt: skip


class _Coefficients(torch.autograd.Function):
    """The coefficients, and by a kernel their transpose."""

    @staticmethod
    def forward(ctx: Any, still: _Stage, *given: Any) -> tuple[Any, ...]:
        made = _coefficients(still, *given)
        ctx.still = still
        ctx.save_for_backward(given[2], *made)
        ctx.shapes = given[0].shape, given[1].shape
        return tuple(made)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Any) -> tuple[Any, ...]:
        q, *made = ctx.saved_tensors
        like, still = made[0], ctx.still
        to_theta, to_c = (like.new_zeros(shape) for shape in ctx.shapes)
        to_q = None if q is None else torch.zeros_like(q)
        _transposed()[1](
            *(tuple(array_or_none(a, like) for a in many) for many in (grads, made)), array_or_none(q, like),
            array(still.g.inverse_dz_interface), still.numbers(), array(to_theta), array(to_c),
            array_or_none(to_q, like),
        )  # fmt: skip
        return None, to_theta, to_c, to_q


def horizontal_step(
    g: Geometry, x: Deviation, p: torch.Tensor, f: Tendencies, c: Coefficients, dtau: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """As `acoustic.horizontal_step`."""
    given = x.ru, x.rv, p, f.ru, f.rv, c.weight_x, c.weight_y
    if not on_processor(*given) or wanted(dtau):
        return acoustic.horizontal_step(g, x, p, f, c, dtau)
    if wanted(*given):
        return cast(tuple[torch.Tensor, torch.Tensor], _Horizontal.apply(g, dtau, *given))
    return _horizontal(g, dtau, *given)


def _horizontal(g: Geometry, dtau: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    ru, rv, p, *others = given
    new = torch.empty_like(ru), torch.empty_like(rv)
    _kernels()[1](
        *arrays((p, ru, rv, *others, g.inverse_dz_interface)), array_or_none(g.rise_x, p), array_or_none(g.rise_y, p),
        _real(dtau)(dtau), *arrays(new),
    )  # fmt: skip
    return new


class _Horizontal(torch.autograd.Function):
    """The horizontal step, and by a kernel its transpose."""

    @staticmethod
    def forward(ctx: Any, g: Geometry, dtau: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        ctx.constants = g, dtau
        ctx.save_for_backward(given[2], *given[5:])
        return _horizontal(g, dtau, *given)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        (g, dtau), (p, weight_x, weight_y) = ctx.constants, ctx.saved_tensors
        to_p = torch.zeros_like(p)
        back = [a.new_empty(a.shape) for a in (*grads, *grads)]
        _transposed()[0](
            *arrays((*grads, p, weight_x, weight_y, g.inverse_dz_interface)), array_or_none(g.rise_x, p),
            array_or_none(g.rise_y, p), _real(dtau)(dtau), array(to_p), *arrays(back),
        )  # fmt: skip
        return None, None, *grads, to_p, *back


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
) -> Stepped:
    """As `acoustic.vertical_step`."""
    given = x.rw, x.rho, x.rtheta, ru, rv, f.rw, *c[2:], f.rho, f.rtheta
    if not on_processor(*given) or wanted(dtau):
        return acoustic.vertical_step(g, x, ru, rv, f, c, dtau, off_centring, divergence_damping)
    still = _Step(g, dtau, 0.5 + 0.5 * off_centring, 0.5 - 0.5 * off_centring, divergence_damping)
    if wanted(*given):
        return cast(Stepped, _Vertical.apply(still, *given))
    return _vertical(still, *given)


class _Step(NamedTuple):
    """What of a vertical step has no gradient: its length, shares of the new and of the old w, and the damping."""

    g: Geometry
    dtau: torch.Tensor
    new: float
    old: float
    damping: float

    def metric(self) -> Any:
        """Of the geometry, or of no size."""
        return array(self.g.inverse_area.new_empty((4, 0, 0, 0)) if self.g.metric is None else self.g.metric)

    def geometry(self) -> tuple[Any, ...]:
        """Distances of layers, lengths of faces and areas."""
        return arrays((self.g.inverse_dz_interface, self.g.length_u, self.g.length_v, self.g.inverse_area))


def _vertical(still: _Step, *given: torch.Tensor | None) -> Stepped:
    like = cast(torch.Tensor, given[1])
    rw, rho, rtheta, ru, rv, fw, tx, ty, tz, c, chi, loading, *matrix, fr, ft = (array_or_none(a, like) for a in given)
    out = tuple(torch.empty_like(cast(torch.Tensor, given[n])) for n in (0, 1, 2, 0, 1))
    dtau, a, b = still.dtau, still.new, still.old
    numbers = dtau, a, b, a * dtau, b * dtau, still.damping, 0.5 * GRAVITY
    _kernels()[2](
        (rw, rho, rtheta), ru, rv, (fw, fr, ft), tx, ty, tz, c, chi, loading, tuple(matrix), *still.geometry(),
        still.metric(), tuple(_real(dtau)(n) for n in numbers), *arrays(out),
    )  # fmt: skip
    return cast(Stepped, out)


class _Vertical(torch.autograd.Function):
    """The vertical step, and by a kernel its transpose, which works out again what stood between."""

    @staticmethod
    def forward(ctx: Any, still: _Step, *given: torch.Tensor | None) -> Stepped:
        out = _vertical(still, *given)
        ctx.still, ctx.given = still, len(given) - 2
        ctx.save_for_backward(*given[:-2], *out[:4])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        given, made, still = ctx.saved_tensors[: ctx.given], ctx.saved_tensors[ctx.given :], ctx.still
        like, through, g = given[1], (3, 4, 6, 7), still.g  # ru, rv, theta_x, theta_y
        back = [None if a is None else a.new_empty(a.shape) for a in (*given, like, like)]
        numbers = [float(still.dtau), still.new, still.old, still.damping, 0.5 * GRAVITY]
        _transposed()[2](
            _levels(grads, like), _levels((a for n, a in enumerate(given) if n not in through), like),
            _levels(made, like), _levels([g.inverse_dz_interface[1:-1, H:-H, H:-H]], like)[0],
            arrays(given[n] for n in through), arrays((g.length_u, g.length_v, g.inverse_area)), still.metric(),
            np.array(numbers, array(like).dtype), _levels((a for n, a in enumerate(back) if n not in through), like),
            arrays(cast(torch.Tensor, back[n]) for n in through),
        )  # fmt: skip
        return None, *back


def _levels(many: Iterable[torch.Tensor | None], like: torch.Tensor) -> tuple[Any, ...]:
    """Fields as arrays (levels, cells); one without levels for what there is not."""
    return tuple(array_or_none(None, like, 2) if a is None else flat(a, (len(a), -1)) for a in many)


def _real(a: torch.Tensor) -> Any:
    """A number in the precision of a tensor, as kernels take it."""
    return a.numpy().dtype.type


@cache
def _kernels() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import acoustic as k  # numba is slow to load

    kernels = k.factors, k.horizontal, k.vertical
    compile_once(kernels, compile_kernels, "the dynamics", 30)
    return kernels


@cache
def _transposed() -> tuple[Any, Any, Any]:
    from components.atmosphere.nonhydrostatic.kernels import acoustic_transposed as k
    from components.atmosphere.nonhydrostatic.kernels.implicit_transposed import transposed

    kernels = k.horizontal_back, k.factors_back, transposed
    compile_once(kernels, compile_gradients, "the gradient of the dynamics", 60)
    return kernels


def _samples(dtype: Any) -> tuple[Any, ...]:
    """Arrays as kernels are compiled for: cells, faces and interfaces, none, slopes, and such as reach further out."""
    cells = (3, 1, 1), (3, 1, 2), (3, 2, 1), (2, 1, 1)
    return tuple(np.ones(shape, dtype) for shape in (*cells, (0, 0, 0), (4, 0, 0, 0), (4, 9, 9), (10, 10), (3, 3, 3)))


def compile_kernels() -> None:
    """Compile the kernels in both precisions, or load them from the cache."""
    factors, horizontal, vertical = _kernels()
    for dtype in (np.float32, np.float64):
        one, (cells, west, south, inner, none, slopes, wide, plane, ring) = dtype(1.0), _samples(dtype)
        factors(np.ones((7, 7, 7), dtype), ring, none, wide, inner, (one, one), inner, cells, none, none, *[inner] * 3)
        horizontal(ring, *(west, south) * 3, wide, none, none, one, west, south)
        three = inner, cells, cells
        vertical(
            three, west, south, three, west, south, inner, cells, none, none, (inner,) * 3, wide, *[plane] * 3, slopes,
            (one,) * 7, *three, inner, cells,
        )  # fmt: skip


def compile_gradients() -> None:
    """Compile the kernels of the gradient in both precisions, or load them from the cache."""
    horizontal, factors, vertical = _transposed()
    for dtype in (np.float32, np.float64):
        one, (cells, west, south, inner, none, slopes, wide, plane, ring) = dtype(1.0), _samples(dtype)
        horizontal(west, south, ring, west, south, wide, none, none, one, ring, *(west, south) * 2)
        made = west, south, west, south, inner, cells, none, none, inner, inner, inner
        factors(made, made, none, wide, (one, one), np.ones((7, 7, 7), dtype), ring, none)
        field, at, away = np.ones((3, 1), dtype), np.ones((2, 1), dtype), np.ones((0, 0), dtype)
        given, through = (at, field, field, at, at, field, away, away, at, at, at), (west, south, west, south)
        vertical(
            (at, field, field, at, field), given, (at, field, field, at), at, through, (plane,) * 3, slopes,
            np.ones(5, dtype), (*given, field, field), through,
        )  # fmt: skip
