# SPDX-License-Identifier: BSD-3-Clause
"""What moves the chemistry's tracers in a period, by the atmosphere's means over it; no MPI, no files.

The air at the start is the air at the end and what the mean fluxes took away, so that a constant stays whatever
relaxation and `driven_mass` have added to the air; what they add has the mixing ratios of the air that it joins, and
its tracers are booked as `added`. The outermost cells are the outside: where air comes in they hold what is prescribed,
where it leaves the model's own.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from components.science.constants import EPSILON_VAPOUR, R_DRY
from components.science.halo import Edges, HaloFiller
from components.science.settling import fall
from components.science.sums import in_order
from components.science.tracers import Species
from components.science.transport import HALO, Transport, air_before
from components.science.updraughts import carry
from components.science.vertical_mixing import diffusion, solve
from coupler.errors import TesseraError

H = HALO
INNER = slice(H, -H)
STEEPEST = 1.2  # share of a cell's air that may pass through its sides in a substep


class Winds(NamedTuple):
    """What moves the air in a period, on a block.

    Attributes
    ----------
    air : (nz, ny, nx) dry air in the layers at the end, kg m-2
    west, south : (nz, ny, nx) mean flux through the west and south faces, kg m-1 s-1
    upward : (nz-1, ny, nx) through inner interfaces, kg m-2 s-1
    updraught : (nz-1, ny, nx) of convection, kg m-2 s-1
    diffusivity : (nz-1, ny, nx) m2 s-1
    density : (nz, ny, nx) of dry air, kg m-3
    """

    air: Tensor
    west: Tensor
    south: Tensor
    upward: Tensor
    updraught: Tensor
    diffusivity: Tensor
    density: Tensor


class Booked(NamedTuple):
    """What became of the tracers (n, ny, nx) in a period, in their units times kg m-2.

    Attributes
    ----------
    added : by air that was added, with the mixing ratio of the air it joined
    moved : by transport, what came in through the sides of the domain in it
    entered : through the faces between the outermost cells and the next ones, into these; from the fluxes themselves
    emitted : from the ground, and into layers above it
    settled : to the ground
    """

    added: Tensor
    moved: Tensor
    entered: Tensor
    emitted: Tensor
    settled: Tensor


class TooFast(TesseraError):
    """The air moves through more than a cell in a substep."""


def dry_density(pressure: Tensor, temperature: Tensor, vapour: Tensor) -> Tensor:
    """Density of dry air, kg m-3.

    Parameters
    ----------
    pressure : Pa
    temperature : K
    vapour : mixing ratio to dry air
    """
    return pressure / (R_DRY * temperature * (1.0 + vapour / EPSILON_VAPOUR))


class Mover:
    """Moves tracers on a block.

    Parameters
    ----------
    transport : of the block
    species : the tracers, as arrays hold them
    edges : kinds of the block's sides
    substeps : of the transport in a period
    """

    def __init__(self, transport: Transport, species: Species, edges: Edges, substeps: int = 1):
        self.transport, self.species, self.edges, self.substeps = transport, species, edges, substeps
        self.halo: HaloFiller = transport.halo
        self._mixed = species.where(lambda t: t.mixed_by_turbulence)
        self._carried = species.where(lambda t: t.carried_by_convection)
        self._settling = species.where(lambda t: t.settles > 0.0)

    # a table of contents of the period
    def advance(
        self, q: Tensor, air: Tensor, winds: Winds, outside: Tensor, sources: Mapping[str, Tensor], seconds: float
    ) -> tuple[Tensor, Booked]:
        """Mixing ratios after ``seconds``, halos filled, and what became of the tracers.

        Parameters
        ----------
        q : (n, nz, Y, X) mixing ratios to dry air, halos filled
        air : (nz, ny, nx) dry air at the end of the period before, kg m-2
        winds : of the period
        outside : (n, nz, ny, nx) what comes in at the sides
        sources : upward flux through the ground (ny, nx), or what layers are given (nz, ny, nx), by tracer, in its
            units times kg m-2 s-1
        seconds : period, s

        Raises
        ------
        TooFast
            Air that would cross a cell in a substep.
        """
        fluxes = self._faces(winds)
        rho = self._wide(winds.air)
        wide = self._with_ring(fluxes)
        start = air_before(self.transport.faces, rho, *wide, seconds)
        self._not_too_fast(start, wide, seconds)
        held = column(q[..., INNER, INNER] * air)
        before = column(q[..., INNER, INNER] * start[:, INNER, INNER])
        part = seconds / self.substeps
        through = Entered(self.edges, torch.zeros_like(held))
        for n in range(self.substeps):
            left = (self.substeps - 1 - n) * part
            end = air_before(self.transport.faces, rho, *wide, left) if left > 0.0 else rho
            self.halo([end], H)
            q = self.transport.advance(q, end, fluxes, part, through)
            self._sides(q, winds, outside)
            self.halo([q], H)
        inner = q[..., INNER, INNER].clone()
        after = column(inner * winds.air)
        inner = self._mix(inner, winds, sources, seconds)
        emitted = column(inner * winds.air) - after
        if self._carried:
            updraught = torch.clamp(winds.updraught, min=0.0)
            inner[list(self._carried)] = carry(inner[list(self._carried)], updraught, winds.air, seconds)
        settled = torch.zeros_like(after)
        for n in self._settling:
            speed = torch.full_like(winds.air, self.species[n].settles)
            inner[n], settled[n] = fall(inner[n], speed, winds.density, winds.air, seconds)
        q[..., INNER, INNER] = inner
        self.halo([q], H)
        entered = through.total * (part * self.transport.faces.inverse_area[INNER, INNER])
        return q, Booked(before - held, after - before, entered, emitted, settled)

    def _wide(self, a: Tensor) -> Tensor:
        out = a.new_empty((*a.shape[:-2], a.shape[-2] + 2 * H, a.shape[-1] + 2 * H))
        out[..., INNER, INNER] = a
        self.halo([out], H)
        return out

    def _faces(self, winds: Winds) -> tuple[Tensor, Tensor, Tensor]:
        """Fluxes on all faces: the last ones are the next block's; beyond the outermost cells the flux goes on."""
        one = slice(1, -1)
        both = torch.zeros((2, *winds.air.shape[:-2], winds.air.shape[-2] + 2, winds.air.shape[-1] + 2)).to(winds.air)
        both[0, :, one, one], both[1, :, one, one] = winds.west, winds.south
        self.halo([both], 1)
        none = torch.zeros_like(winds.air[:1])
        upward = torch.cat([none, winds.upward, none])
        return both[0, :, one, 1:].contiguous(), both[1, :, 1:, one].contiguous(), upward

    def _with_ring(self, fluxes: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        wide = []
        for a in fluxes:
            w = a.new_empty((*a.shape[:-2], a.shape[-2] + 2, a.shape[-1] + 2))
            w[..., 1:-1, 1:-1] = a
            wide.append(w)
        self.halo(wide, 1)
        return wide[0], wide[1], wide[2]

    def _not_too_fast(self, air: Tensor, wide: tuple[Tensor, Tensor, Tensor], seconds: float) -> None:
        faces, ring = self.transport.faces, slice(H - 1, 1 - H)
        x, y = (wide[0] * faces.length_u[ring, ring]).abs(), (wide[1] * faces.length_v[ring, ring]).abs()
        sides = torch.maximum(torch.maximum(x[..., 1:], x[..., :-1]), torch.maximum(y[:, 1:], y[:, :-1]))
        upright = torch.maximum(wide[2][1:].abs(), wide[2][:-1].abs())
        share = torch.maximum(sides * faces.inverse_area[ring, ring], upright) / air[:, ring, ring]
        most = float(share.max()) * seconds / self.substeps
        if not most <= STEEPEST:
            needed = int(most * self.substeps / STEEPEST) + 1 if most == most else 0
            remedy = (
                f"shorten the period, or set substeps: {needed}" if needed else "the atmosphere's fluxes are not finite"
            )
            raise TooFast(f"chemistry: {most:.2f} of a cell's air passes a face within a substep; {remedy}")

    def _sides(self, q: Tensor, winds: Winds, outside: Tensor) -> None:
        """The outermost cells: what is prescribed where air comes in, what the next cell has where it leaves."""
        inner, e = q[..., INNER, INNER], self.edges
        if e.west == "specified":
            inner[..., 0] = torch.where(winds.west[..., 1] > 0.0, outside[..., 0], inner[..., 1])
        if e.east == "specified":
            inner[..., -1] = torch.where(winds.west[..., -1] < 0.0, outside[..., -1], inner[..., -2])
        if e.south == "specified":
            inner[..., 0, :] = torch.where(winds.south[:, 1] > 0.0, outside[..., 0, :], inner[..., 1, :])
        if e.north == "specified":
            inner[..., -1, :] = torch.where(winds.south[:, -1] < 0.0, outside[..., -1, :], inner[..., -2, :])

    def _mix(self, q: Tensor, winds: Winds, sources: Mapping[str, Tensor], seconds: float) -> Tensor:
        """Implicit diffusion with what the ground gives as the flux into the lowest layer."""
        mass, rho = winds.air, winds.density
        depth = mass / rho
        conductance = (rho[1:] + rho[:-1]) / (depth[1:] + depth[:-1]) * winds.diffusivity
        factors = diffusion(conductance, mass, seconds, None)
        for n, t in enumerate(self.species):
            source = sources.get(t.name)
            if source is not None and source.dim() > 2:
                q[n] += seconds * source / mass
                source = None
            if n in self._mixed:
                q[n] = solve(q[n], factors, mass, seconds, source)
            elif source is not None:
                q[n, 0] += seconds * source / mass[0]
        return q


class Entered:
    """Adds up what passes the faces between the outermost cells of the domain and the next ones, into these.

    Parameters
    ----------
    edges : kinds of the block's sides
    total : (n, ny, nx) zeros, to which is added; kg s-1 times the tracers' units
    """

    def __init__(self, edges: Edges, total: Tensor):
        self.edges, self.total, self._next = edges, total, 0

    def __call__(self, x: Tensor, y: Tensor) -> None:
        """Fluxes of the next tracers near the sides, see `Transport.advance`."""
        n, e = x.shape[0], self.edges
        into = self.total[self._next : self._next + n]
        if e.west == "specified":
            into[..., 1] += column(x[..., 0])
        if e.east == "specified":
            into[..., -2] -= column(x[..., 1])
        if e.south == "specified":
            into[..., 1, :] += column(y[..., 0, :])
        if e.north == "specified":
            into[..., -2, :] -= column(y[..., 1, :])
        self._next = (self._next + n) % self.total.shape[0]


def column(a: Tensor) -> Tensor:
    """Sums over the layers of (n, nz, ...), from the ground up.

    Parameters
    ----------
    a : (n, nz, ...)
    """
    return in_order(a, 1)
