# SPDX-License-Identifier: BSD-3-Clause
"""Horizontal mixing by compiled kernels: on a processor, else by `diffusion`; its gradient by a kernel too.

Same operations in the same order. The bits are those of `diffusion` but for the root, which is rounded to nearest here
and not always by torch.
"""

from functools import cache
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from components.atmosphere.nonhydrostatic.dynamics import diffusion
from components.atmosphere.nonhydrostatic.dynamics.diffusion import ONE
from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.science.advection import total
from components.science.kernel_arrays import arrays, on_processor, wanted
from coupler.made_once import compile_once

Rates = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def mixed(g: Geometry, s: State, d: Diagnostics, constant: float) -> Tendencies:
    """Rates of change by the mixing of `diffusion.diffuse` with the viscosity of `diffusion.smagorinsky_2d`.

    Parameters
    ----------
    g, s, d : geometry, state and its diagnostics
    constant : of Smagorinsky
    """
    given = d.u, d.v, d.w, d.theta, s.rho
    if not on_processor(*given):
        return diffusion.diffuse(g, s, d, diffusion.smagorinsky_2d(g, d, constant))
    still = _Still.of(g, constant)
    f = cast(Rates, _Mixed.apply(still, *given)) if wanted(*given) else _by_kernel(still, *given)
    return Tendencies(*f[:3], torch.zeros_like(f[3]), f[3])


class _Still(NamedTuple):
    """What has no gradient: the base state, and lengths and areas as `mixing.mixed` has them."""

    bases: tuple[torch.Tensor, ...]
    lengths: tuple[torch.Tensor, ...]
    planes: tuple[torch.Tensor, ...]

    @classmethod
    def of(cls, g: Geometry, constant: float) -> "_Still":
        i, one_x, one_y = slice(H, -H), g.length_u * g.inverse_dx, g.length_v * g.inverse_dy
        rdx, rdy = g.inverse_dx[ONE, ONE], g.inverse_dy[ONE, ONE]
        rdx, rdy = rdx[:, 1:] + rdx[:, :-1], rdy[1:] + rdy[:-1]
        size = (constant * constant) * (1.0 / g.inverse_area[ONE, ONE])
        return cls(
            (g.rho_base, g.rtheta_base),
            (size, 0.5 * rdx, 0.5 * rdy, 0.25 * rdy, 0.25 * rdx),
            (
                0.5 * total(one_x[i, ONE], 1), one_y[i, H : 1 - H], g.inverse_area_u[i, i],
                0.5 * total(one_y[ONE, i], 0), one_x[H : 1 - H, i], g.inverse_area_v[i, i],
                one_x[i, i], one_y[i, i], g.inverse_area[i, i],
            ),
        )  # fmt: skip

    def arrays(self) -> tuple[Any, ...]:
        """As the kernels take them."""
        return tuple(arrays(many) for many in self)


def _by_kernel(still: _Still, *given: torch.Tensor) -> Rates:
    u, area = given[0], still.planes[-1]
    nz, (ny, nx) = u.shape[0] - 4, area.shape
    shapes = (nz, ny, nx + 1), (nz, ny + 1, nx), (nz - 1, ny, nx), (nz, ny, nx)
    out = tuple(u.new_empty(shape) for shape in shapes)
    _kernel()(*arrays(given), *still.arrays(), *arrays(out))
    return cast(Rates, out)


class _Mixed(torch.autograd.Function):
    """The rates, and by a kernel their transpose."""

    @staticmethod
    def forward(ctx: Any, still: _Still, *given: torch.Tensor) -> Rates:
        ctx.still = still
        ctx.save_for_backward(*given)
        return _by_kernel(still, *given)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[Any, ...]:
        given = ctx.saved_tensors
        back = [torch.zeros_like(a) for a in given]
        _transposed()(arrays(grads), *arrays(given), *ctx.still.arrays(), *arrays(back))
        return None, *back


@cache
def _kernel() -> Any:
    from components.atmosphere.nonhydrostatic.kernels.mixing import mixed as kernel  # numba is slow to load

    compile_once((kernel,), compile_kernels, "horizontal mixing", 15)
    return kernel


@cache
def _transposed() -> Any:
    from components.atmosphere.nonhydrostatic.kernels.mixing_transposed import mixed_back

    compile_once((mixed_back,), compile_gradients, "the gradient of horizontal mixing", 30)
    return mixed_back


def _samples(dtype: Any) -> tuple[Any, ...]:
    """Rates, and all that `mixing.mixed` reads, of two levels and one cell."""
    shapes = ((2, 1, 2), (2, 2, 1), (1, 1, 1), (2, 1, 1)), ((6, 7, 8), (6, 8, 7), (5, 7, 7), (6, 7, 7), (2, 9, 9))
    planes = (1, 3), (2, 2), (1, 2), (3, 1), (2, 2), (2, 1), (1, 2), (2, 1), (1, 1)
    of = lambda many: tuple(np.ones(shape, dtype) for shape in many)  # noqa: E731
    return of(shapes[0]), (*of(shapes[1]), of(((2, 9, 9),) * 2), of(((3, 3),) * 5), of(planes))


def compile_kernels() -> None:
    """Compile the kernel in both precisions, or load it from the cache."""
    for dtype in (np.float32, np.float64):
        rates, given = _samples(dtype)
        _kernel()(*given, *rates)


def compile_gradients() -> None:
    """Compile the kernel of the gradient in both precisions, or load it from the cache."""
    for dtype in (np.float32, np.float64):
        rates, given = _samples(dtype)
        _transposed()(rates, *given, *(a.copy() for a in given[:5]))
