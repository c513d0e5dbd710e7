# SPDX-License-Identifier: BSD-3-Clause
"""Water in the soil: Richards' equation in mixed form, d theta/dt = -dq/dz - S (Celia et al. 1990).

Implicit Euler and Newton's method. The increment of each iteration is taken in theta where the soil is unsaturated and
in psi where it is not (primary variable switching, Forsyth et al. 1995), and the water content returned is the one the
linear system solved for: the balance closes to rounding whatever the number of iterations. z points down; fluxes are
positive downward, m s-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from components.land.column.retention import Hydraulics, Retention
from components.science.column_solver import solve

SMALLEST_CAPACITY = 1e-7  # m-1: compressibility that keeps a saturated column solvable
LARGEST_RISE = 50.0  # m of head an iteration may add to a saturated layer


@dataclass(frozen=True)
class Top:
    """Upper boundary: a supply limited by what the soil can take, or a prescribed head.

    Attributes
    ----------
    supply
        Water offered to the surface, m s-1 (negative: evaporation).
    head
        Prescribed head, m; the supply is then not read.
    """

    supply: Tensor | None = None
    head: Tensor | None = None


@dataclass(frozen=True)
class Bottom:
    """Lower boundary: ``free_drainage`` (q = slope K), ``zero_flux``, or ``water_table`` (head at the lowest face, m).

    ``slope`` below 1 stands for a less permeable ground beneath (Noah's SLOPE, .1 on plains). The head may stand
    ``gap`` (m) below the middle of the lowest layer, instead of at its face. ``table``: depth of the water table, m,
    where the infiltration is to know it.
    """

    kind: Literal["free_drainage", "zero_flux", "water_table"] = "free_drainage"
    head: float | Tensor = 0.0
    slope: float = 1.0
    gap: float | Tensor | None = None
    table: Tensor | None = None


RESCUE = 6  # further iterations where theta still moves by
FAR = 0.1  # or more: heavy rain on dry soil


class WaterStep(NamedTuple):
    """Result of a step."""

    psi: Tensor  # m
    theta: Tensor  # m3 m-3
    infiltration: Tensor  # m s-1, through the surface
    drainage: Tensor  # m s-1, through the bottom
    excess: Tensor  # m of water that found no room and leaves at the surface
    change: Tensor  # largest change of theta in the last iteration


def richards_step(
    soil: Retention,
    psi: Tensor,
    theta: Tensor,
    dz: Tensor,
    seconds: float,
    top: Top,
    bottom: Bottom = Bottom(),
    sink: Tensor | None = None,
    iterations: int = 4,
    tolerance: float = 1e-9,
    mean: Literal["arithmetic", "upstream"] = "arithmetic",
) -> WaterStep:
    """Advance the soil's water by one step.

    Parameters
    ----------
    soil
        Curves whose parameters broadcast against (layer, ...).
    psi, theta
        Head (m) and water content at the start, shape (layer, ...).
    dz
        Layer thickness, m, shape (layer, 1 ...).
    seconds
        Step.
    top, bottom
        Boundaries.
    sink
        Water taken by roots, s-1 (m3 m-3 per second), shape (layer, ...).
    iterations, tolerance
        Newton iterations; columns whose theta changes less than ``tolerance`` stand still after it, so
        a column's result does not depend on its neighbours.
    mean
        Conductivity at the faces.

    Examples
    --------
    >>> from components.land.column.retention import VanGenuchten
    >>> soil, dz = VanGenuchten(0.1, 0.4, 3.0, 1.5, 1e-6), torch.full((5, 1), 0.1)
    >>> psi = torch.full((5, 1), -1.0)
    >>> new = richards_step(soil, psi, soil.at(psi).theta, dz, 600.0, Top(torch.tensor([1e-7])))
    >>> bool(new.theta[0] > soil.at(psi).theta[0])
    True
    """
    given = psi.dtype
    # In single precision Newton's matrix loses its pivots where wet soil lies on dry.
    psi, theta, dz = psi.double(), theta.double(), dz.double()
    zero = torch.zeros_like(psi[0])
    column = _Column(
        soil, theta, dz, dz / seconds, 0.5 * (dz[1:] + dz[:-1]),
        torch.zeros_like(psi) if sink is None else sink * dz, top, bottom, mean, zero,
        soil.head(soil.theta_s + torch.zeros_like(psi)),
    )  # fmt: skip
    x = _Iterate(psi, theta, zero, zero, zero, zero, torch.ones_like(zero))
    for turn in range(iterations + RESCUE):
        if turn == iterations:  # go on with the columns that are still far away, alone
            x = x._replace(active=torch.where(x.moved < FAR, zero, x.active))
        if turn >= iterations and not bool((x.active > 0.0).any()):
            break
        x = _iteration(column, x, tolerance)
    result, infiltration = x.theta, x.infiltration
    if top.supply is not None:
        # The last increment may have drawn more through the surface than there was: it goes back.
        over = torch.clamp(infiltration - top.supply, min=0.0)
        infiltration = infiltration - over
        result = torch.cat([(result[0] - over * seconds / dz[0])[None], result[1:]])
    # What a layer may pass on below in this step: saturated flow under the suction there at the start.
    suction = torch.clamp(-psi, min=0.0)
    reach = (soil.ks + torch.zeros_like(psi))[1:] * (1.0 + suction[1:] / column.gap) * seconds
    result, excess = _make_room(result, theta, soil, dz, psi.shape[0], reach)
    # Nor may it have raised more through the bottom than finds room, or drained what was not there.
    passed = seconds * x.drainage
    back = torch.minimum(torch.clamp(excess, min=0.0), torch.clamp(-passed, min=0.0))
    back = back - torch.minimum(torch.clamp(-excess, min=0.0), torch.clamp(passed, min=0.0))
    found = x.psi, result, infiltration, x.drainage + back / seconds, excess - back, x.change
    return WaterStep(*(v.to(given) for v in found))


class _Column(NamedTuple):
    """What holds during a step."""

    soil: Retention
    old: Tensor  # water content at the start
    dz: Tensor  # m
    per_step: Tensor  # dz / seconds, m s-1
    gap: Tensor  # between the middles of layers, m
    source: Tensor  # water taken out, m s-1
    top: Top
    bottom: Bottom
    mean: str
    zero: Tensor  # of a column
    full: Tensor  # head from which on a layer is full, m


class _Iterate(NamedTuple):
    """Where Newton's method stands; what a column gave last while it was active."""

    psi: Tensor  # m
    theta: Tensor
    infiltration: Tensor  # m s-1
    drainage: Tensor  # m s-1
    change: Tensor  # of theta, largest in a column
    moved: Tensor  # the same, also of a column that is no longer active
    active: Tensor  # 1 where iterated, else 0


class _Faces(NamedTuple):
    """Fluxes between layers, m s-1, with their derivatives by the heads above and below; pairs at top and bottom."""

    flux: Tensor
    by_up: Tensor
    by_down: Tensor
    top: tuple[Tensor, Tensor]
    bottom: tuple[Tensor, Tensor]


def _iteration(c: _Column, x: _Iterate, tolerance: float) -> _Iterate:
    """One step of Newton's method, taken by the columns that are active."""
    now = c.soil.at(x.psi)
    faces = _faces(c, x.psi, now)
    step = _increment(c, x.psi, now, faces)
    q_top = faces.top[0] + faces.top[1] * step[0]
    q_bottom = faces.bottom[0] + faces.bottom[1] * step[-1]
    flux = faces.flux + faces.by_up * step[:-1] + faces.by_down * step[1:]
    net = torch.cat([q_top[None], flux]) - torch.cat([flux, q_bottom[None]])
    # Equal to theta(psi) + C step, but kept to rounding by construction.
    reached = c.old + (net - c.source) / c.per_step
    moved = torch.abs(reached - now.theta).amax(0)
    on = x.active > 0.0
    return _Iterate(
        torch.where(on, _new_head(c.soil, c.full, x.psi, step, reached), x.psi),
        torch.where(on, reached, x.theta),
        torch.where(on, q_top, x.infiltration),
        torch.where(on, q_bottom, x.drainage),
        torch.where(on, moved, x.change),
        moved,
        torch.where(moved < tolerance, c.zero, x.active),
    )


def _faces(c: _Column, psi: Tensor, now: Hydraulics) -> _Faces:
    """Darcy's flux through every face at the heads of an iteration."""
    k, slope = now.conductivity, now.slope
    gradient = (psi[:-1] - psi[1:]) / c.gap + 1.0
    if c.mean == "arithmetic":
        w_up = w_down = torch.full_like(k[:-1], 0.5)
    else:
        w_up = (gradient >= 0.0).to(k.dtype)
        w_down = 1.0 - w_up
    k_face = w_up * k[:-1] + w_down * k[1:]
    return _Faces(
        k_face * gradient,
        k_face / c.gap + w_up * slope[:-1] * gradient,
        -k_face / c.gap + w_down * slope[1:] * gradient,
        _top_flux(c.soil, c.top, psi[0], k[0], slope[0], c.dz[0], c.zero),
        _bottom_flux(c.bottom, psi[-1], k[-1], slope[-1], c.dz[-1], c.zero),
    )


def _increment(c: _Column, psi: Tensor, now: Hydraulics, faces: _Faces) -> Tensor:
    """Change of the heads that closes the linearised balance of every layer."""
    # Only near saturation: in dry soil the true capacity is smaller still, and theta is the variable.
    capacity = torch.maximum(now.capacity, torch.where(psi > -1.0, psi.new_tensor(SMALLEST_CAPACITY), 1e-30))
    (flux_top, top_slope), (flux_bottom, bottom_slope) = faces.top, faces.bottom
    above, below = torch.cat([flux_top[None], faces.flux]), torch.cat([faces.flux, flux_bottom[None]])
    residual = (now.theta - c.old) * c.per_step + below - above + c.source
    diagonal = capacity * c.per_step + torch.cat([faces.by_up, bottom_slope[None]])
    diagonal = diagonal - torch.cat([top_slope[None], faces.by_down])
    none = c.zero[None]
    return solve(torch.cat([none, -faces.by_up]), diagonal, torch.cat([faces.by_down, none]), -residual)


def _new_head(soil: Retention, full: Tensor, psi: Tensor, step: Tensor, reached: Tensor) -> Tensor:
    """Heads of the water content reached, or moved by the increment where the soil is full."""
    risen = torch.clamp(psi + torch.clamp(step, -LARGEST_RISE, LARGEST_RISE), max=LARGEST_RISE)
    # A layer that fills in this iteration stops at saturation; one already full follows its head.
    filled = torch.where(psi < 0.0, torch.clamp(risen, max=0.0), risen)
    filled = torch.where(psi < full, torch.clamp(filled, max=0.0), filled)
    return torch.where(reached >= soil.theta_s, filled, soil.head(reached))


def _top_flux(
    soil: Retention, top: Top, psi: Tensor, k: Tensor, slope: Tensor, dz: Tensor, zero: Tensor
) -> tuple[Tensor, Tensor]:
    """Flux through the surface and its derivative by the uppermost head."""
    if top.head is not None:
        k_face = 0.5 * (k + soil.at(top.head + zero[None]).conductivity[0])
        gradient = (top.head - psi) / (0.5 * dz) + 1.0
        return k_face * gradient, 0.5 * slope * gradient - k_face / (0.5 * dz)
    ks = soil.ks + zero if not isinstance(soil.ks, Tensor) or soil.ks.dim() < zero.dim() + 1 else soil.ks[0] + zero
    most = ks * (1.0 - psi / (0.5 * dz))  # a ponded surface: head 0, saturated
    supply = zero if top.supply is None else top.supply + zero
    limited = supply > most
    return torch.where(limited, most, supply), torch.where(limited, -ks / (0.5 * dz), zero)


def _bottom_flux(
    bottom: Bottom, psi: Tensor, k: Tensor, slope: Tensor, dz: Tensor, zero: Tensor
) -> tuple[Tensor, Tensor]:
    """Flux through the bottom and its derivative by the lowest head."""
    if bottom.kind == "zero_flux":
        return zero, zero
    if bottom.kind == "free_drainage":
        return bottom.slope * k, bottom.slope * slope
    gap = 0.5 * dz if bottom.gap is None else bottom.gap
    gradient = (psi - bottom.head) / gap + 1.0
    return k * gradient, slope * gradient + k / gap


def _make_room(theta: Tensor, old: Tensor, soil: Retention, dz: Tensor, n: int, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Move water above saturation on, and fetch what is missing below theta_r from the layers beneath.

    Heavy rain on dry soil fills thin layers faster than the iterations see. What is too much goes back to a layer above
    that lost more than it had gained, then down into the pores there are, at most ``reach`` (m) through a face; what
    is left goes up.
    """
    most = soil.theta_s + torch.zeros_like(theta)
    least = soil.theta_r + torch.zeros_like(theta)
    rows, carry = list(theta.unbind(0)), torch.zeros_like(theta[0])
    for i in range(n - 1, 0, -1):
        lost = torch.clamp((old[i - 1] - rows[i - 1]) * dz[i - 1], min=0.0)
        back = torch.minimum(torch.clamp((rows[i] - most[i]) * dz[i], min=0.0), lost)
        rows[i] = rows[i] - back / dz[i]
        rows[i - 1] = rows[i - 1] + back / dz[i - 1]
    for i in range(n - 1):
        down = torch.minimum(torch.clamp((rows[i] - most[i]) * dz[i], min=0.0), reach[i])
        rows[i] = rows[i] - down / dz[i]
        rows[i + 1] = rows[i + 1] + down / dz[i + 1]
    for i in range(n - 1, -1, -1):
        water = rows[i] + carry / dz[i]
        rows[i] = torch.minimum(water, most[i])
        carry = (water - rows[i]) * dz[i]
    excess, debt = carry, torch.zeros_like(carry)
    for i in range(n):
        water = rows[i] - debt / dz[i]
        rows[i] = torch.maximum(water, least[i])
        debt = (rows[i] - water) * dz[i]
    # What even the lowest layer cannot give is owed: it comes back up through the surface as negative excess.
    return torch.stack(rows), excess - debt
