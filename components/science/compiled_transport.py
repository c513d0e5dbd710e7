# SPDX-License-Identifier: BSD-3-Clause
"""The transport of tracers by compiled kernels: for many tracers on a processor; without a limiter, its gradient too.

What all tracers have in common, the fluxes through faces and the reciprocals of the air, is worked out once a step; the
kernels take one tracer at a time, whose levels then stay in the processor's cache. Same formulas as `Transport`, in the
same order but for divisions by the air; a cell's bits depend neither on ranks nor on its place in memory.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from components.science.advection import extrapolated_back, ghost_levels, transposed_by_kernel
from components.science.cell_faces import CellFaces
from components.science.halo import Edges, SerialHalo
from components.science.kernel_arrays import flat, on_processor, plain
from components.science.transport import HALO, Passed, Transport, face_fluxes, inner_faces
from coupler.made_once import compile_once

H = HALO
INNER = slice(H, -H)
RING = slice(H - 1, 1 - H)
TOGETHER = 8  # tracers whose halos are exchanged in one message
STRIP = 32768  # bytes of the rows of a level that the kernels take at a time


@dataclass
class CompiledTransport(Transport):
    """`Transport` by kernels on a processor; by torch on other devices and for a gradient through a limiter."""

    _kept: torch.Tensor | None = field(default=None, init=False, repr=False, compare=False)

    def _moved(
        self, q: torch.Tensor, rho_0: torch.Tensor, rho_1: torch.Tensor, fluxes: list[torch.Tensor], dt: float,
        passed: Passed | None,
    ) -> torch.Tensor:  # fmt: skip
        if not plain(q, rho_0, rho_1, *fluxes):
            if self.limiter == "none" and passed is None and on_processor(q, rho_0, rho_1, *fluxes):
                return self._with_gradient(q, rho_0, rho_1, fluxes, dt)
            return super()._moved(q, rho_0, rho_1, fluxes, dt, passed)
        stage, last_stage = _kernels()
        g, shape = self.faces, rho_1.shape
        parts = [rho_0 + (rho_1 - rho_0) * part for part in (1.0 / 3.0, 0.5)] + [rho_1]
        inverse = [_flat(1.0 / air) for air in parts]
        through = fluxes[0] * g.length_u[RING, RING], fluxes[1] * g.length_v[RING, RING], fluxes[2]
        common = *(_flat(_in_cells(a, shape)) for a in through), _flat(g.inverse_area)
        first, last = _flat(rho_0), _flat(rho_1)
        real, width = first.dtype.type, shape[-1]
        rows = max(STRIP // (width * first.itemsize), 4)
        out, work = q.new_empty(q.shape), self._room(q, (2, min(TOGETHER, q.shape[0]), *shape))
        for some in range(0, q.shape[0], TOGETHER):
            start, new = q[some : some + TOGETHER], out[some : some + TOGETHER]
            n, begun = start.shape[0], _flat(start)
            now = start
            for after, share, air in ((work[0, :n], 1.0 / 3.0, inverse[0]), (work[1, :n], 0.5, inverse[1])):
                stage(begun, _flat(now), first, air, *common, real(share * dt), width, rows, _flat(after))
                self.halo([after], H)
                now = after
            if self.limiter == "none":
                stage(begun, _flat(now), first, inverse[2], *common, real(dt), width, rows, _flat(new))
                if passed is not None:
                    passed(*inner_faces(*face_fluxes(g, ghost_levels(now, 1), *fluxes)[:2]))
                continue
            x, y = q.new_empty((n, shape[0], shape[1] - 2 * H, 2)), q.new_empty((n, shape[0], 2, width - 2 * H))
            last_stage(
                begun, _flat(now), first, last, inverse[2], *common, real(dt), width, rows, self.limiter == "monotonic",
                _flat(new), x.numpy(), y.numpy(),
            )  # fmt: skip
            if passed is not None:
                passed(x, y)
        self.halo([out], H)
        return out

    def _with_gradient(
        self, q: torch.Tensor, rho_0: torch.Tensor, rho_1: torch.Tensor, fluxes: list[torch.Tensor], dt: float
    ) -> torch.Tensor:
        """The three stages without limiter, each with its transpose."""
        g, now = self.faces, q
        through = fluxes[0] * g.length_u[RING, RING], fluxes[1] * g.length_v[RING, RING], fluxes[2]
        for share in (1.0 / 3.0, 0.5, 1.0):
            air = rho_1 if share == 1.0 else rho_0 + (rho_1 - rho_0) * share
            stage: Any = _Stage
            now = stage.apply(g.inverse_area, share * dt, q, now, rho_0, air, *through)
            self.halo([now], H)
        return now

    def _room(self, like: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
        """Room for what is between the stages; kept, as memory that is new to the process is slow."""
        if self._kept is None or self._kept.shape != shape or self._kept.dtype != like.dtype:
            self._kept = like.new_empty(shape)
        return self._kept


class _Stage(torch.autograd.Function):
    """A stage without limiter, the halo still to be filled, and its transpose."""

    @staticmethod
    def forward(ctx: Any, inverse_area: torch.Tensor, dt: float, *given: torch.Tensor) -> torch.Tensor:
        q0, q, rho_0, rho, *through = given
        inverse, new = 1.0 / rho, q.new_empty(q.shape)
        first, width = _flat(rho_0), rho.shape[-1]
        _kernels()[0](
            _flat(q0), _flat(q), first, _flat(inverse), *(_flat(_in_cells(a, rho.shape)) for a in through),
            _flat(inverse_area), first.dtype.type(dt), width, max(STRIP // (width * first.itemsize), 4), _flat(new),
        )  # fmt: skip
        ctx.still = inverse_area, dt
        # a copy of what is new: the field itself is changed in place later on
        ctx.save_for_backward(q0, q, rho_0, inverse, new[..., INNER, INNER].clone(), *through)
        return new

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[Any, ...]:
        (inverse_area, dt), (q0, q, rho_0, inverse, new, *through) = ctx.still, ctx.saved_tensors
        area, masses = inverse_area[INNER, INNER], [a[..., 1:-1, 1:-1] for a in through]
        along = grad[..., INNER, INNER] * inverse[:, INNER, INNER]
        to_q0, to_q = torch.zeros_like(q0), torch.zeros_like(q)
        back = [torch.zeros_like(a) for a in (rho_0, rho_0, *through)]
        to_q0[..., INNER, INNER] = along * rho_0[:, INNER, INNER]
        back[0][:, INNER, INNER] = (along * q0[..., INNER, INNER]).sum(0)
        back[1][:, INNER, INNER] = -(along * new).sum(0)
        for n, a in enumerate(dt * along):
            wide = ghost_levels(q[n, :, 1:-1, 1:-1])
            to_wide, *to_masses = transposed_by_kernel(a, wide, masses, area)
            to_q[n, :, 1:-1, 1:-1] = extrapolated_back(to_wide, 0)
            for into, part in zip(back[2:], to_masses, strict=True):
                into[..., 1:-1, 1:-1] += part
        return None, None, to_q0, to_q, *back


def _flat(a: torch.Tensor) -> Any:
    """Rows one after another (..., Y X), of numpy."""
    return flat(a, (*a.shape[:-2], -1))


def _in_cells(faces: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Fluxes with a ring (levels, ...) where cells with their halo stand, 0 beyond."""
    wide = faces.new_zeros((faces.shape[0], *shape[1:]))
    wide[:, H - 1 : H - 1 + faces.shape[1], H - 1 : H - 1 + faces.shape[2]] = faces
    return wide


@cache
def _kernels() -> tuple[Any, Any]:
    from components.science.kernels import tracers  # numba is slow to load

    kernels = tracers.stage, tracers.last_stage
    compile_once(kernels, compile_kernels, "the transport of tracers", 20)
    return kernels


def compile_kernels() -> None:
    """Compile the kernels in both precisions, or load them from the cache."""
    size = 1 + 2 * H
    for dtype in (torch.float64, torch.float32):
        ones = torch.ones((3, size, size + 1), dtype=dtype)
        faces = CellFaces(ones[0, :, 1:], ones[0], ones[0].T.contiguous())
        move = CompiledTransport(faces, SerialHalo(1, 1, Edges(*("open",) * 4)), "monotonic")
        still = 0.0 * ones[:2, :1, :2], 0.0 * ones[:2, :2, :1], 0.0 * ones[:, :1, :1]
        move.advance(ones[None, :2, :, 1:], ones[:2, :, 1:], still, 1.0)
