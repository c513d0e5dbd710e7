# SPDX-License-Identifier: BSD-3-Clause
"""Transport of tracers by the mean mass fluxes of a time step.

Three-stage Runge-Kutta with fifth/third order upwind fluxes (Wicker & Skamarock 2002); the last stage is limited to
positive or monotonic values by flux correction (Skamarock 2006, Mon. Wea. Rev. 134; Wang, Skamarock & Feingold 2009,
Mon. Wea. Rev. 137, eq. 3-10). The fluxes are those that moved the mass, so a constant tracer stays constant.

Tracers are (n, nz, Y, X) mixing ratios to dry air; ``rho`` is rho dz in kg m-2; fluxes are those
through west and south faces, along the grid (kg m-1 s-1), and through the layers' interfaces (kg m-2 s-1).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from components.science.advection import convergence, difference, flux_fifth, flux_third, ghost_levels
from components.science.cuts import cut, inside, with_room
from components.science.halo import HaloFiller
from components.science.torch_compiler import Compiler

HALO = 4  # cells around a block that the limited fluxes of fifth order see
H = HALO

LIMITERS = ("positive", "monotonic", "none")
Passed = Callable[[torch.Tensor, torch.Tensor], None]
"""Is told of fluxes through the inner faces of a block's outermost cells, kg s-1: those of the west and the east
(n, nz, ny, 2), those of the south and the north (n, nz, 2, nx)."""


class Faces(Protocol):
    """What the fluxes ask of a grid's geometry, with halo (Y, X), (Y, X+1) and (Y+1, X).

    Attributes
    ----------
    inverse_area : 1 / area of the cells, m-2
    length_u, length_v : length of their west and south faces, m
    """

    @property
    def inverse_area(self) -> torch.Tensor:
        """1 / area of the cells, m-2."""

    @property
    def length_u(self) -> torch.Tensor:
        """Length of the west faces, m."""

    @property
    def length_v(self) -> torch.Tensor:
        """Length of the south faces, m."""


@dataclass
class Transport:
    """Moves tracers on a block.

    Parameters
    ----------
    faces : Faces
        Geometry of the block.
    halo : HaloFiller
        Fills halos of the block.
    limiter : str
        One of `LIMITERS`.
    compiler : Compiler or None
        What compiles the kernels, if they are to be.
    """

    faces: Faces
    halo: HaloFiller
    limiter: str = "positive"
    compiler: Compiler | None = None

    def __post_init__(self) -> None:
        wrap: Callable[[Any], Any] = self.compiler or (lambda f: f)
        self._before, self._stage, self._last_stage = wrap(air_before), wrap(stage), wrap(last_stage)

    def advance(
        self,
        q: torch.Tensor,
        rho: torch.Tensor,
        fluxes: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
        dt: float,
        passed: Passed | None = None,
    ) -> torch.Tensor:
        """Mixing ratios after the mean fluxes of ``dt`` seconds, halos filled.

        The air at the start is taken to be the air at the end and what the fluxes took away, so that a constant stays
        whatever else has changed the air, such as relaxation at the sides: what that adds has the mixing ratios of the
        air that it joins.

        Parameters
        ----------
        q : (n, nz, Y, X) mixing ratios before, halos filled
        rho : (nz, Y, X) rho dz after the period, kg m-2, halos filled
        fluxes : through west faces (nz, ny, nx+1) and south faces (nz, ny+1, nx), along the grid, kg m-1 s-1, and
            upward through interfaces (nz+1, ny, nx), kg m-2 s-1
        dt : period, s
        passed : is told of the tracers' fluxes near the block's sides, in the order of ``q``
        """
        wide = [with_room(a, 1) for a in fluxes]
        self.halo(wide, 1)
        before = self._before(self.faces, rho, *wide, dt)
        return self._moved(q, before, rho, wide, dt, passed)

    def _moved(
        self, q: torch.Tensor, rho_0: torch.Tensor, rho_1: torch.Tensor, fluxes: list[torch.Tensor], dt: float,
        passed: Passed | None,
    ) -> torch.Tensor:  # fmt: skip
        """As `advance`, of the air ``rho_0`` before and fluxes with a ring."""
        if self.compiler is not None or q.requires_grad:
            return self._together(q, rho_0, rho_1, fluxes, dt, passed)
        # eager: one tracer at a time stays in the cache
        return torch.cat([self._together(a[None], rho_0, rho_1, fluxes, dt, passed) for a in q])

    def _together(
        self, q0: torch.Tensor, rho_0: torch.Tensor, rho_1: torch.Tensor, fluxes: list[torch.Tensor], dt: float,
        passed: Passed | None,
    ) -> torch.Tensor:  # fmt: skip
        g = self.faces
        tau = torch.tensor(dt, dtype=q0.dtype, device=q0.device)
        q = start = ghost_levels(q0, 1)
        for part in (1.0 / 3.0, 0.5):
            rho = rho_0 + part * (rho_1 - rho_0)
            q = self._array(self._stage(g, start, q, rho_0, rho, *fluxes, tau * part))
        if self.limiter == "none":
            if passed is not None:
                passed(*inner_faces(*face_fluxes(g, q, *fluxes)[:2]))
            return self._filled(self._stage(g, start, q, rho_0, rho_1, *fluxes, tau))
        new, fx, fy = self._last_stage(g, start, q, rho_0, rho_1, *fluxes, tau, self.limiter == "monotonic")
        if passed is not None:
            passed(*inner_faces(fx, fy))
        return self._filled(new)

    def _array(self, a: torch.Tensor) -> torch.Tensor:
        """Interior values (n, nz, ny, nx) in a new array with ghost levels and filled halos."""
        return ghost_levels(self._filled(a), 1)

    def _filled(self, a: torch.Tensor) -> torch.Tensor:
        wide = with_room(a, H)
        self.halo([wide], H)
        return wide


def inner_faces(fx: torch.Tensor, fy: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fluxes through the inner faces of the outermost cells, see `Passed`.

    Parameters
    ----------
    fx, fy : (n, nz, ny, nx+1), (n, nz, ny+1, nx) through west and south faces
    """
    return torch.stack([fx[..., 1], fx[..., -2]], -1), torch.stack([fy[..., 1, :], fy[..., -2, :]], -2)


def air_before(
    g: Faces, rho: torch.Tensor, ru: torch.Tensor, rv: torch.Tensor, omega: torch.Tensor, dt: float
) -> torch.Tensor:
    """Rho dz (nz, Y, X) from which the fluxes of ``dt`` seconds lead to ``rho``, kg m-2.

    Parameters
    ----------
    g : geometry
    rho : (nz, Y, X) rho dz after, kg m-2
    ru, rv, omega : mass fluxes with one halo cell (nz, ny+2, nx+3), (nz, ny+3, nx+2) and (nz+1, ny+2, nx+2)
    dt : period, s
    """
    one = slice(H - 1, 1 - H)
    level = (difference(ru * g.length_u[one, one], -1) + difference(rv * g.length_v[one, one], -2)) * g.inverse_area[
        one, one
    ]
    return rho + torch.nn.functional.pad(dt * (level + difference(omega, -3)), (H - 1,) * 4)


def mass_out(g: Faces, q: torch.Tensor, ru: torch.Tensor, rv: torch.Tensor, omega: torch.Tensor) -> torch.Tensor:
    """Divergence of the tracers' fluxes on the interior (n, nz, ny, nx), kg m-2 s-1.

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q : (n, nz+4, Y, X) mixing ratios, two ghost levels at each end
    ru, rv : (nz, ny+2, nx+3), (nz, ny+3, nx+2) mass fluxes along the grid, kg m-1 s-1
    omega : (nz+1, ny+2, nx+2) mass flux through the interfaces, kg m-2 s-1
    """
    through, area = _through(g, ru, rv, omega), g.inverse_area[H:-H, H:-H]
    return -torch.stack([convergence(inside(a, 1), *through, area) for a in q])


def face_fluxes(
    g: Faces, q: torch.Tensor, ru: torch.Tensor, rv: torch.Tensor, omega: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Fluxes of high order through the faces of the interior, kg s-1 (x, y) and kg m-2 s-1 (z); see `mass_out`.

    Parameters
    ----------
    g, q, ru, rv, omega : as `mass_out` has them
    """
    mu, mv, mz = _through(g, ru, rv, omega)
    fx = flux_fifth(q[:, 2:-2, H:-H, 1:-1], mu, -1)
    fy = flux_fifth(q[:, 2:-2, 1:-1, H:-H], mv, -2)
    return fx, fy, flux_third(q[:, :, H:-H, H:-H], mz, -3)


def _through(g: Faces, *fluxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mass fluxes through the faces of the interior of those with one halo cell, kg s-1 (x, y) and kg m-2 s-1 (z)."""
    ru, rv, omega = (inside(a, 1) for a in fluxes)
    return ru * g.length_u[H:-H, H:-H], rv * g.length_v[H:-H, H:-H], omega


def stage(
    g: Faces, q0: torch.Tensor, q: torch.Tensor, rho_0: torch.Tensor, rho: torch.Tensor, ru: torch.Tensor,
    rv: torch.Tensor, omega: torch.Tensor, dt: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    """Mixing ratios (n, nz, ny, nx) at the end of a stage of ``dt`` seconds without limiter.

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0, q : (n, nz+4, Y, X) mixing ratios at the start and now
    rho_0, rho : (nz, Y, X) rho dz at the start and at the end of the stage, kg m-2
    ru, rv : mass fluxes along the grid, kg m-1 s-1
    omega : mass flux through the interfaces, kg m-2 s-1
    dt : length of the stage, s
    """
    i = slice(H, -H)
    start = inside(rho_0, H) * cut(q0, slice(2, -2), i, i)
    return (start - dt * mass_out(g, q, ru, rv, omega)) / inside(rho, H)


def limited_fluxes(
    g: Faces, q0: torch.Tensor, q: torch.Tensor, ru: torch.Tensor, rv: torch.Tensor, omega: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """First-order upwind fluxes of ``q0`` and what the high-order fluxes of ``q`` add.

    Both are for the interior and one ring more.

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0, q : (n, nz+4, Y, X) mixing ratios at the start and now
    ru, rv : mass fluxes along the grid, kg m-1 s-1
    omega : mass flux through the interfaces, kg m-2 s-1

    Returns
    -------
    x, y, z, dx, dy, dz : upwind fluxes and corrections through faces, kg s-1 (x, y) and kg m-2 s-1 (z)
    """
    a = slice(H - 1, 1 - H)
    mu, mv = ru * g.length_u[a, a], rv * g.length_v[a, a]
    p = q0[:, 2:-2]
    x = _upwind(p[:, :, a, H - 2 : 1 - H], p[:, :, a, H - 1 : 2 - H], mu)
    y = _upwind(p[:, :, H - 2 : 1 - H, a], p[:, :, H - 1 : 2 - H, a], mv)
    z = _upwind(q0[:, 1:-2, a, a], q0[:, 2:-1, a, a], omega)
    dx = flux_fifth(q[:, 2:-2, a, :], mu, -1) - x
    dy = flux_fifth(q[:, 2:-2, :, a], mv, -2) - y
    dz = flux_third(q[..., a, a], omega, -3) - z
    return x, y, z, dx, dy, dz


def _share(room: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Share of what is wanted (>= 0) for which there is room, 0 to 1."""
    if not wanted.requires_grad:
        return torch.clamp(room / (wanted + 1.0e-30), 0.0, 1.0)
    # the derivative divides by the square, which is zero in single precision where next to nothing is wanted
    scarce = (room < wanted) & (wanted > 1.0e-15)
    return torch.where(scarce, torch.clamp(room, min=0.0) / torch.where(scarce, wanted, 1.0), 1.0)


def _upwind_content(
    g: Faces, q0: torch.Tensor, rho_0: torch.Tensor, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor, dt: torch.Tensor
) -> torch.Tensor:
    """What the first-order fluxes of a step leave in the interior and one ring more, kg m-2."""
    a = slice(H - 1, 1 - H)
    level = (difference(x, -1) + difference(y, -2)) * g.inverse_area[a, a]
    return rho_0[:, a, a] * q0[:, 2:-2, a, a] - dt * (level + difference(z, -3))


def positive_factor(
    g: Faces, q0: torch.Tensor, rho_0: torch.Tensor, fluxes: tuple[torch.Tensor, ...], dt: torch.Tensor
) -> torch.Tensor:
    """Share (n, nz, ny+2, nx+2) of a cell's outgoing corrections that its content can pay for.

    Skamarock (2006, eq. 7).

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0 : (n, nz+4, Y, X) mixing ratios at the start
    rho_0 : (nz, Y, X) rho dz at the start, kg m-2
    fluxes : of `limited_fluxes`
    dt : step, s
    """
    a = slice(H - 1, 1 - H)
    x, y, z, dx, dy, dz = fluxes
    inverse_area = g.inverse_area[a, a]
    low = _upwind_content(g, q0, rho_0, x, y, z, dt)
    out = dt * _leaving(dx, dy, dz, inverse_area)
    return _share(low, out)


def monotonic_factors(
    g: Faces,
    q0: torch.Tensor,
    rho_0: torch.Tensor,
    rho: torch.Tensor,
    fluxes: tuple[torch.Tensor, ...],
    dt: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares of outgoing and of incoming corrections that keep a cell within its neighbours' old range.

    Zalesak (1979).

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0 : (n, nz+4, Y, X) mixing ratios at the start
    rho_0, rho : (nz, Y, X) rho dz at the start and at the end, kg m-2
    fluxes : of `limited_fluxes`
    dt : step, s
    """
    a = slice(H - 1, 1 - H)
    w = slice(H - 2, 2 - H)
    x, y, z, dx, dy, dz = fluxes
    inverse_area = g.inverse_area[a, a]
    low = _upwind_content(g, q0, rho_0, x, y, z, dt)
    p = q0[:, 2:-2, w, w]
    up = torch.cat([p[:, 1:], p[:, -1:]], 1)
    down = torch.cat([p[:, :1], p[:, :-1]], 1)
    c = slice(1, -1)

    def extreme(f: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> torch.Tensor:
        e = f(f(p[..., c, c], f(p[..., c, 2:], p[..., c, :-2])), f(p[..., 2:, c], p[..., :-2, c]))
        return f(e, f(up[..., c, c], down[..., c, c]))

    mass = rho[:, a, a]
    out = dt * _leaving(dx, dy, dz, inverse_area)
    into = dt * _leaving(-dx, -dy, -dz, inverse_area)
    return _share(low - mass * extreme(torch.minimum), out), _share(mass * extreme(torch.maximum) - low, into)


def limited_stage(
    g: Faces,
    q0: torch.Tensor,
    rho_0: torch.Tensor,
    rho: torch.Tensor,
    fluxes: tuple[torch.Tensor, ...],
    share_out: torch.Tensor,
    share_in: torch.Tensor | None,
    dt: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mixing ratios after a step with the corrections scaled by what both cells of a face allow, and the fluxes.

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0 : (n, nz+4, Y, X) mixing ratios at the start
    rho_0, rho : (nz, Y, X) rho dz at the start and at the end, kg m-2
    fluxes : of `limited_fluxes`
    share_out, share_in : of the corrections, 0 to 1; None where only the content limits
    dt : step, s

    Returns
    -------
    q, x, y : mixing ratios (n, nz, ny, nx); fluxes through west (n, nz, ny, nx+1) and south faces (n, nz, ny+1, nx),
        kg s-1
    """
    x, y, z, dx, dy, dz = fluxes
    c = slice(1, -1)
    fx = x[..., c, c] + _scaled(
        dx[..., c, c], share_out[..., c, :], share_in if share_in is None else share_in[..., c, :], -1
    )
    fy = y[..., c, c] + _scaled(
        dy[..., c, c], share_out[..., :, c], share_in if share_in is None else share_in[..., :, c], -2
    )
    s_out, s_in = share_out[..., c, c], share_in if share_in is None else share_in[..., c, c]
    inner = _scaled(dz[:, 1:-1, c, c], s_out, s_in, -3) + z[:, 1:-1, c, c]
    fz = torch.cat([inner[:, :1], inner[:, 1:] - inner[:, :-1], -inner[:, -1:]], 1)
    i = slice(H, -H)
    out = (difference(fx, -1) + difference(fy, -2)) * g.inverse_area[i, i] + fz
    return (rho_0[:, i, i] * q0[:, 2:-2, i, i] - dt * out) / rho[:, i, i], fx, fy


def last_stage(
    g: Faces, q0: torch.Tensor, q: torch.Tensor, rho_0: torch.Tensor, rho: torch.Tensor, ru: torch.Tensor,
    rv: torch.Tensor, omega: torch.Tensor, dt: torch.Tensor, monotonic: bool,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    """Mixing ratios at the end of the step, flux-corrected, positive or also monotonic, and the fluxes.

    Parameters
    ----------
    g : areas of cells and lengths of their faces
    q0, q : (n, nz+4, Y, X) mixing ratios at the start and now
    rho_0, rho : (nz, Y, X) rho dz at the start and at the end, kg m-2
    ru, rv : mass fluxes along the grid, kg m-1 s-1
    omega : mass flux through the interfaces, kg m-2 s-1
    dt : step, s
    monotonic : whether no new extremes are allowed either

    Returns
    -------
    q, x, y : see `limited_stage`
    """
    fluxes = limited_fluxes(g, q0, q, ru, rv, omega)
    if monotonic:
        share_out, share_in = monotonic_factors(g, q0, rho_0, rho, fluxes, dt)
    else:
        share_out, share_in = positive_factor(g, q0, rho_0, fluxes, dt), None
    return limited_stage(g, q0, rho_0, rho, fluxes, share_out, share_in, dt)


def _upwind(before: torch.Tensor, after: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    return torch.clamp(m, min=0.0) * before + torch.clamp(m, max=0.0) * after


def _leaving(dx: torch.Tensor, dy: torch.Tensor, dz: torch.Tensor, inverse_area: torch.Tensor) -> torch.Tensor:
    """Sum of the fluxes that leave each cell, kg m-2 s-1."""

    def side(d: torch.Tensor, dim: int) -> torch.Tensor:
        n = d.shape[dim] - 1
        return torch.clamp(d.narrow(dim, 1, n), min=0.0) - torch.clamp(d.narrow(dim, 0, n), max=0.0)

    return (side(dx, -1) + side(dy, -2)) * inverse_area + side(dz, -3)


def _scaled(d: torch.Tensor, share_out: torch.Tensor, share_in: torch.Tensor | None, dim: int) -> torch.Tensor:
    """A correction times the share of the cell it leaves (and of the cell it enters)."""
    n = share_out.shape[dim] - 1
    lo, hi = share_out.narrow(dim, 0, n), share_out.narrow(dim, 1, n)
    if share_in is None:
        return torch.clamp(d, min=0.0) * lo + torch.clamp(d, max=0.0) * hi
    in_lo, in_hi = share_in.narrow(dim, 0, n), share_in.narrow(dim, 1, n)
    return torch.clamp(d, min=0.0) * torch.minimum(lo, in_hi) + torch.clamp(d, max=0.0) * torch.minimum(hi, in_lo)
