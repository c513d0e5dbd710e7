# SPDX-License-Identifier: BSD-3-Clause
"""The barotropic mode over one baroclinic step, on a block whose halo is wide enough for several substeps.

A substep spoils two rings of the halo. With a halo of 2 k cells, k substeps go between two exchanges, and what the
neighbours compute is computed twice: the same operations on the same numbers, so the bits do not change.
"""

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from components.ocean.primitive import barotropic, compiled_barotropic
from components.ocean.primitive.geometry import Geometry
from components.ocean.primitive.open_boundary import Outside
from components.ocean.primitive.parameters import Parameters
from components.ocean.primitive.state import State
from components.ocean.primitive.stencil import HALO, inner
from components.science.halo import Padded


@dataclass(frozen=True)
class Plane:
    """What the barotropic mode reads of a `Geometry`, ``(y, x)``, with a margin of its own on each side.

    ``width``: of the halo that is exchanged; ``margins``: cells kept of it to the south, north, west and east: `width`
    where another block follows, `HALO` at the edge of the domain.
    """

    depth_u: Tensor
    depth_v: Tensor
    active_t: Tensor
    open_u: Tensor
    open_v: Tensor
    wet_u: Tensor
    wet_v: Tensor
    fq_h: Tensor
    dxu: Tensor
    wide_u: Tensor
    wide_v: Tensor
    dyv: Tensor
    area_t: Tensor
    area_u: Tensor
    area_v: Tensor
    width: int
    margins: tuple[int, int, int, int]

    def fit(self, padded: Tensor) -> Tensor:
        """Cut a field with a halo of `width` on all sides down to the margins."""
        return _cut(padded, *(self.width - m for m in self.margins)).contiguous()

    def own(self, a: Tensor, lost: int = 0) -> Tensor:
        """Return the block's own cells of a field that has the margins less ``lost`` rings.

        Parameters
        ----------
        a : (..., y, x) field with the margins
        lost : rings that it has lost
        """
        return _cut(a, *(m - lost for m in self.margins))

    def with_halo(self, a: Tensor) -> Tensor:
        """Return own cells and a halo of two of a field with the margins."""
        return _cut(a, *(m - HALO for m in self.margins))

    def to(self, dtype: torch.dtype, device: torch.device | str) -> "Plane":
        """Copy in another floating-point type or on another device.

        Parameters
        ----------
        dtype : floating-point type
        device : cpu or cuda
        """
        tensors = {f.name: v for f in fields(self) if isinstance(v := getattr(self, f.name), Tensor)}
        moved: dict[str, Any] = {name: value.to(device, dtype) for name, value in tensors.items()}
        return replace(self, **moved)


def _cut(a: Tensor, south: int, north: int, west: int, east: int) -> Tensor:
    return a[..., south : a.shape[-2] - north, west : a.shape[-1] - east]


def plane_of(whole: Geometry, rows: slice, columns: slice, width: int = HALO) -> Plane:
    """Plane of a block.

    Parameters
    ----------
    whole : Geometry
        The whole domain, closed or open but not periodic where ``width`` is more than `HALO`.
    rows, columns : slice
        Own cells of the block, counted without the domain's halo.
    width : int
        Padded, an even number of cells; twice the substeps between two exchanges.

    Raises
    ------
    ValueError
        If the width is not even.
    """
    if width % 2 or width < HALO:
        raise ValueError(f"the halo of the barotropic mode has an even number of cells, not {width}")
    ny, nx = whole.shape
    at_edge = (rows.start == 0, rows.stop == ny, columns.start == 0, columns.stop == nx)
    south, north, west, east = (HALO if edge else width for edge in at_edge)
    margins = (south, north, west, east)
    more = width - HALO
    named = {}
    for f in fields(Plane):
        if f.name in ("width", "margins"):
            continue
        field = getattr(whole, f.name)[None]
        if f.name.startswith(("wet", "open", "active")):
            padded = torch.nn.functional.pad(field, (more,) * 4)
        else:  # any positive number serves beyond a closed edge
            padded = torch.nn.functional.pad(field, (more,) * 4, mode="replicate")
        block = padded[0, rows.start : rows.stop + 2 * width, columns.start : columns.stop + 2 * width]
        named[f.name] = _cut(block, *(width - m for m in margins)).contiguous()
    return Plane(**named, width=width, margins=margins)


class BarotropicMode:
    """Substeps of the barotropic mode and their averages.

    Parameters
    ----------
    plane : Plane
        The block with its margins.
    parameters : Parameters
        Steps and filter.
    halo : Padded
        Exchange with the neighbouring blocks.
    wrap : callable
        Applied to the substep (`torch.compile` or nothing).
    """

    def __init__(self, plane: Plane, parameters: Parameters, halo: Padded, wrap):
        self.plane, self.halo = plane, partial(halo, width=plane.width)
        self.dt = parameters.dt / parameters.substeps
        power_law = parameters.barotropic_filter == "power_law"
        self._weights = weights = (barotropic.power_law_weights if power_law else barotropic.end_state_weights)(
            parameters.substeps
        )
        like: dict[str, Any] = {"dtype": plane.area_t.dtype, "device": plane.area_t.device}
        self.primary, self.secondary = torch.tensor(weights.primary, **like), torch.tensor(weights.secondary, **like)
        self._substep = wrap(_substep)

    def run(
        self, s: State, forcing: tuple[Tensor, Tensor, Tensor, Tensor], water: Tensor, outside: Outside | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Advance from the state's sea level and transports over one baroclinic step.

        Parameters
        ----------
        s : State
            State at the beginning.
        forcing : tuple of Tensor
            Slow forcing in x and y (m2 s-2) and bottom drag velocities in x and y (m s-1), own faces.
        water : Tensor
            Freshwater flux (m s-1), halo of two.
        outside : Outside or None
            Sea beyond the open edges.

        Returns
        -------
        tuple of Tensor
            Time-averaged transports with a halo of two, filtered transports at the own faces (m2 s-1).
        """
        plane, n = self.plane, len(self.primary)
        given = [inner(s.eta), inner(s.U), inner(s.V), *forcing, inner(water)]
        if outside is not None and plane.width > HALO:
            given += [inner(outside.eta), inner(outside.U), inner(outside.V)]
        eta, U, V, slow_u, slow_v, drag_u, drag_v, water, *beyond = map(plane.fit, self.halo(*given))
        if outside is not None and beyond:
            outside = replace(outside, eta=beyond[0], U=beyond[1], V=beyond[2])
        mean_U, mean_V = torch.zeros_like(U), torch.zeros_like(V)
        end_U, end_V = (a.new_zeros(inner(a).shape) for a in (U, V))
        fixed = slow_u, slow_v, drag_u, drag_v, water
        may = compiled_barotropic.may_run((eta, U, V, *fixed), plane, outside)
        by_kernel = compiled_barotropic.Substeps(fixed, plane, outside, self.dt) if may else None
        for m in range(n):
            if by_kernel is not None:
                sums = mean_U, mean_V, end_U, end_V
                eta, U, V = by_kernel(
                    (eta, U, V), sums, (self._weights.primary[m], self._weights.secondary[m]), m % 2 == 0
                )
            else:
                eta, U, V, mean_U, mean_V, end_U, end_V = self._substep(
                    eta, U, V, *fixed, mean_U, mean_V, end_U, end_V,
                    self.primary[m], self.secondary[m], self.dt, m % 2 == 0, outside, plane,
                )  # fmt: skip
            if m + 1 == n:
                break
            if (m + 1) % (plane.width // 2) == 0:
                eta, U, V = map(plane.fit, self.halo(*(plane.own(a) for a in (eta, U, V))))
        return (
            plane.with_halo(mean_U), plane.with_halo(mean_V),
            plane.own(end_U, HALO).contiguous(), plane.own(end_V, HALO).contiguous(),
        )  # fmt: skip


def _substep(
    eta, U, V, slow_u, slow_v, drag_u, drag_v, water, mean_U, mean_V, end_U, end_V, a, b, dt, u_first, outside,
    plane: Any,
):  # fmt: skip
    """One barotropic substep and its share in the averages; a `Plane` has what the substep asks of a geometry."""
    mean_U, mean_V = mean_U + b * U, mean_V + b * V
    eta, U, V = barotropic.substep(eta, U, V, slow_u, slow_v, drag_u, drag_v, water, dt, u_first, outside, plane)
    end_U, end_V = end_U + a * U, end_V + a * V
    eta, U, V = (torch.nn.functional.pad(x, (HALO,) * 4) for x in (eta, U, V))
    return eta, U, V, mean_U, mean_V, end_U, end_V
