# SPDX-License-Identifier: BSD-3-Clause
"""Tridiagonal systems along columns, all columns at once (Thomas algorithm).

Differentiable; no pivoting, so a system must be diagonally dominant, as diffusion makes it. A block has the bits of the
whole. On the CPU a kernel solves them; to `torch.compile` it is one operation, whatever the number of levels. On other
devices torch does, level by level, with the same bits.
"""

from typing import Any

import torch
from torch import Tensor, library

from components.science.kernel_arrays import flat, plain


def solve(below: Tensor, diagonal: Tensor, above: Tensor, right: Tensor) -> Tensor:
    """The solution of ``below[k] x[k-1] + diagonal[k] x[k] + above[k] x[k+1] = right[k]``.

    Parameters
    ----------
    below, diagonal, above : (level, ...) coefficients; ``below[0]`` and ``above[-1]`` are not read
    right : (level, ...) right-hand side, or (level, m, ...) m of them

    Returns
    -------
    x : of the shape of ``right``
    """
    shape = right.shape[:1] + right.shape[right.dim() - diagonal.dim() + 1 :]
    below, diagonal, above = (a.to(right.dtype).expand(shape) for a in (below, diagonal, above))
    given = below, diagonal, above, right
    if plain(*given):
        return _by_kernel(*given)
    if right.device.type == "cpu":
        solution: Tensor = _solve(*given)
        return solution
    return by_levels(below, diagonal, above, right)


def by_levels(below: Tensor, diagonal: Tensor, above: Tensor, right: Tensor) -> Tensor:
    """`solve` in torch, level by level.

    Parameters
    ----------
    below, diagonal, above, right : as `solve` has them
    """
    factor, inverse, x = [], [1.0 / diagonal[0]], [right[0] * (1.0 / diagonal[0])]
    for k in range(1, diagonal.shape[0]):
        factor.append(above[k - 1] * inverse[-1])
        inverse.append(1.0 / (diagonal[k] - below[k] * factor[-1]))
        x.append((right[k] - below[k] * x[-1]) * inverse[-1])
    for k in range(len(x) - 2, -1, -1):
        x[k] = x[k] - factor[k] * x[k + 1]
    return torch.stack(x)


def _by_kernel(below: Tensor, diagonal: Tensor, above: Tensor, right: Tensor) -> Tensor:
    from components.science.kernels import columns  # numba is slow to load

    nz, n = diagonal.shape[0], diagonal[0].numel()
    lower, middle, upper = (flat(a, (nz, n)) for a in (below, diagonal, above))
    x = right.new_empty(right.shape)
    many = (nz, right[0].numel() // max(n, 1), n)
    columns.tridiagonal(lower, middle, upper, flat(right, many), flat(x, many))
    return x


# for those who trace or ask for a gradient: its first call loads torch's compiler, seconds in every process
_solve = library.custom_op("tessera::tridiagonal", _by_kernel, mutates_args=(), device_types="cpu")


@_solve.register_fake
def _(below: Tensor, diagonal: Tensor, above: Tensor, right: Tensor) -> Tensor:
    return right.new_empty(right.shape)


def _keep(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:3], output)


def _backward(ctx: Any, given: Tensor) -> tuple[Tensor, ...]:
    """The transposed system gives the gradient of the right-hand side, and that times the solution the others."""
    below, diagonal, above, x = ctx.saved_tensors
    none = torch.zeros_like(below[:1])
    adjoint = solve(torch.cat([none, above[:-1]]), diagonal, torch.cat([below[1:], none]), given)
    nothing = torch.zeros_like(x[:1])
    parts = [-adjoint * a for a in (torch.cat([nothing, x[:-1]]), x, torch.cat([x[1:], nothing]))]
    while parts[0].dim() > diagonal.dim():
        parts = [sum(a.unbind(1)[1:], a[:, 0]) for a in parts]
    return *parts, adjoint


_solve.register_autograd(_backward, setup_context=_keep)
