"""Physics of a time step in sequence: radiation, turbulence, convection, clouds. Schemes are chosen by name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from components.atmosphere.nonhydrostatic.dynamics.geometry import HALO as H
from components.atmosphere.nonhydrostatic.dynamics.geometry import Geometry
from components.atmosphere.nonhydrostatic.dynamics.state import State
from components.atmosphere.nonhydrostatic.physics import kessler, mixed_phase
from components.atmosphere.nonhydrostatic.physics.boundary_layer_ysu import Fluxes, ysu
from components.atmosphere.nonhydrostatic.physics.columns import INNER, Columns, columns, put_back
from components.atmosphere.nonhydrostatic.physics.convection_betts_miller import betts_miller
from components.radiation.gray_scheme import gray
from components.radiation.rrtmg_scheme import Rrtmg
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.radiation.scheme import Air, Radiation, interface_pressure
from components.radiation.sun import cosine_zenith, sun_position
from components.science.constants import CP_DRY, FREEZING_POINT, LATENT_FUSION, STEFAN_BOLTZMANN
from components.science.halo import HaloFiller

SPECTRAL = {"rrtmg": Rrtmg, "rrtmgp": Rrtmgp}
SPECIES = {"none": ("vapour",), "kessler": kessler.SPECIES, "mixed_phase": mixed_phase.SPECIES}


@dataclass
class Ground:
    """What the surface gives (y, x): fluxes, radiating temperature (K), albedo.

    The fluxes are those of :class:`boundary_layer_ysu.Fluxes`.
    """

    fluxes: Fluxes
    temperature: torch.Tensor
    albedo: torch.Tensor


@dataclass
class Physics:
    """Physics of a block.

    Parameters
    ----------
    geometry, halo : of the block
    lon, lat : (ny, nx) degrees
    microphysics, boundary_layer, convection, radiation : names of the schemes
    compiled : whether to run the schemes through ``torch.compile``
    """

    geometry: Geometry
    halo: HaloFiller
    lon: torch.Tensor
    lat: torch.Tensor
    microphysics: str = "mixed_phase"
    boundary_layer: str = "ysu"
    convection: str = "betts_miller"
    radiation: str = "rrtmg"
    compiled: bool = False
    heating: torch.Tensor = field(init=False)
    sky: Radiation | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        wrap: Callable[[Any], Any] = (lambda f: torch.compile(f, dynamic=False)) if self.compiled else (lambda f: f)
        self.species = SPECIES[self.microphysics]
        self.heating = torch.zeros(
            (self.geometry.nz, *self.lon.shape), dtype=self.geometry.dz.dtype, device=self.lon.device
        )
        self._kessler, self._mixed_phase = wrap(kessler.kessler), wrap(mixed_phase.mixed_phase)
        self._ysu, self._convection = wrap(ysu), wrap(betts_miller)
        self._spectral = SPECTRAL[self.radiation]() if self.radiation in SPECTRAL else None

    def air(self, s: State, q: torch.Tensor, ground_t: torch.Tensor, albedo: torch.Tensor, day_of_year: float) -> Air:
        """The block's columns as radiation sees them; ``day_of_year`` fractional, UTC."""
        c = columns(self.geometry, s, q[0])
        zero = torch.zeros_like(c.t)
        cloud = q[1][:, INNER, INNER] if "cloud_water" in self.species else zero
        ice = q[3][:, INNER, INNER] if "cloud_ice" in self.species else zero
        mu = cosine_zenith(self.lon, self.lat, day_of_year).to(c.t)
        distance = sun_position(day_of_year)[2]
        q_v = q[0][:, INNER, INNER]
        p_i = interface_pressure(c.p, c.rho * (1.0 + q_v), c.dz)
        return Air(c.t, torch.clamp(q_v, min=1.0e-8), cloud, ice, c.p, p_i, ground_t, albedo, mu, distance)

    def radiate(self, air: Air) -> None:
        """Compute the radiation that holds until the next call; with `imported` the gray scheme gives the start."""
        self.take(gray(air) if self._spectral is None else self._spectral(air))

    def take(self, sky: Radiation) -> None:
        """Hold this radiation until there is another."""
        self.sky, self.heating = sky, sky.heating

    def step(
        self, s: State, q: torch.Tensor, ground: Ground | None, dt: float
    ) -> tuple[State, torch.Tensor, torch.Tensor, torch.Tensor, Columns]:
        """Physics after the dynamics of a step of ``dt`` seconds.

        Returns
        -------
        state, tracers : halos filled
        rain, snow : (ny, nx) at the ground in the step, kg m-2
        columns : the air before the physics
        """
        g = self.geometry
        c = columns(g, s, q[0])
        water = [a for a in q[..., INNER, INNER]]
        theta = c.theta + dt * self.heating / c.pi
        rain, snow = torch.zeros_like(theta[0]), torch.zeros_like(theta[0])
        if self.boundary_layer == "ysu" and ground is not None:
            u, v = centre_wind(g, s)
            above = c.z - c.z_interface[:1]
            others = (
                torch.stack([water[n] for n in self._mixed()]) if self._mixed() else theta.new_zeros((0, *theta.shape))
            )
            m = self._ysu(u, v, theta, water[0], others, above, c.rho, c.mass, c.pi, ground.fluxes, dt)
            theta, water[0] = m.theta, m.q_v
            for n, mixed in zip(self._mixed(), m.tracers, strict=True):
                water[n] = mixed
            s = self.push(s, m.u - u, m.v - v)
        if self.convection == "betts_miller":
            wet = self._convection(theta * c.pi, water[0], c.p, c.mass, dt)
            falls_as_snow = c.t[0] < FREEZING_POINT
            freezing = torch.where(falls_as_snow, LATENT_FUSION / CP_DRY, 0.0) * (water[0] - wet.q_v)
            theta, water[0] = (wet.t + freezing) / c.pi, wet.q_v
            rain = rain + torch.where(falls_as_snow, 0.0, wet.rain)
            snow = snow + torch.where(falls_as_snow, wet.rain, 0.0)
        if self.microphysics == "kessler":
            k = self._kessler(theta, *water, c.p, c.pi, c.rho, c.mass, dt)
            theta, water, rain = k.theta, [k.q_v, k.q_c, k.q_r], rain + k.surface
        elif self.microphysics == "mixed_phase":
            w = self._mixed_phase(theta, *water, c.p, c.pi, c.rho, c.mass, dt)
            theta, water = w.theta, [w.q_v, w.q_c, w.q_r, w.q_i, w.q_s]
            rain, snow = rain + w.rain, snow + w.snow
        s, q = put_back(g, self.halo, s, c, theta, torch.stack(water))
        return s, q, rain, snow, c

    def _mixed(self) -> list[int]:
        """Numbers of the tracers that turbulence mixes besides vapour: cloud water and cloud ice."""
        return [n for n, name in enumerate(self.species) if name in ("cloud_water", "cloud_ice")]

    def push(self, s: State, du: torch.Tensor, dv: torch.Tensor) -> State:
        """Momentum on the faces changed by the mean of what its two cells' winds changed."""
        g = self.geometry
        wide = torch.zeros((2, g.nz, g.ny + 2, g.nx + 2), dtype=du.dtype, device=du.device)
        wide[0, :, 1:-1, 1:-1], wide[1, :, 1:-1, 1:-1] = du, dv
        self.halo([wide], 1)
        mass = (g.rho_base + s.rho)[:, H - 1 : 1 - H, H - 1 : 1 - H]
        ru, rv = s.ru.clone(), s.rv.clone()
        m, d = mass[:, 1:-1], wide[0, :, 1:-1]
        ru[:, INNER, INNER] += 0.25 * (m[..., 1:] + m[..., :-1]) * (d[..., 1:] + d[..., :-1])
        m, d = mass[..., 1:-1], wide[1, ..., 1:-1]
        rv[:, INNER, INNER] += 0.25 * (m[:, 1:] + m[:, :-1]) * (d[:, 1:] + d[:, :-1])
        self.halo([ru, rv], H)
        return s._replace(ru=ru, rv=rv)


def centre_wind(g: Geometry, s: State) -> tuple[torch.Tensor, torch.Tensor]:
    """Wind along the grid's axes at cell centres (nz, ny, nx), m/s."""
    mass = (g.rho_base + s.rho)[:, INNER, INNER]
    ru, rv = s.ru[:, INNER, INNER], s.rv[:, INNER, INNER]
    return 0.5 * (ru[..., 1:] + ru[..., :-1]) / mass, 0.5 * (rv[:, 1:] + rv[:, :-1]) / mass


def radiating_temperature(upwelling_longwave: torch.Tensor) -> torch.Tensor:
    """Temperature (K) of a black ground that emits ``upwelling_longwave`` (W m-2)."""
    return torch.sqrt(torch.sqrt(torch.clamp(upwelling_longwave, min=50.0) / STEFAN_BOLTZMANN))
