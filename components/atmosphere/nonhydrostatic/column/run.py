# SPDX-License-Identifier: BSD-3-Clause
"""A column's run: what acts from outside, ground, radiation, then the physics of the map; its profiles by time."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from components.atmosphere.nonhydrostatic.column.forcing import force
from components.atmosphere.nonhydrostatic.column.hydrostatic import Column, columns, start
from components.atmosphere.nonhydrostatic.column.parameters import Case
from components.atmosphere.nonhydrostatic.column.surface import fluxes
from components.atmosphere.nonhydrostatic.physics.column_physics import ColumnPhysics, Ground, Moved
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.radiated_clouds import Convective, seen
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.atmosphere.nonhydrostatic.physics.tables import Schemes
from components.radiation.scheme import Air, Radiation
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION, SOLAR_CONSTANT
from components.science.sun import cosine_zenith, sun_position
from components.science.tracers import Species

Profiles = dict[str, np.ndarray]
"""Outputs by name, (time, nz), (time, nz+1) or (time)."""


class Course(NamedTuple):
    """A run.

    Attributes
    ----------
    time : of the outputs, s since the start
    profiles : by name; see `columns_out`
    column : state at the end
    """

    time: np.ndarray
    profiles: Profiles
    column: Column


def run(case: Case, tell: Callable[[float], None] | None = None) -> Course:
    """Run a column.

    Parameters
    ----------
    case : its namelist
    tell : called with the time (s) at each output

    Raises
    ------
    FloatingPointError
        A state that is not finite, with its time.
    """
    schemes = Schemes.of_options(case)
    species = schemes.species()
    physics, radiate = ColumnPhysics(schemes, species), schemes.radiation.ready(gases=case.gases.at(case.sun.year))
    a = first = start(case, species)
    sky: Radiation | None = None
    convective: Convective | None = None
    dt, every = float(case.step), case.output // case.step
    times, rows, sums = [0.0], [_seen(case, species, a, None, None, None, 0.0)], _Sums()
    steps = case.duration // case.step
    for n in range(steps):
        time = n * dt
        c = columns(a, species)
        a = force(case, a, c, first, time + 0.5 * dt, dt)
        before = a
        c = columns(a, species)
        p_ground = float(c.p[0, 0, 0] + 0.5 * (c.p[0, 0, 0] - c.p[1, 0, 0]))
        given, u_star, t_ground = fluxes(case.surface, c, a.u, a.v, a.parts[VAPOUR.name], time + 0.5 * dt, p_ground)
        ground = Ground(given, torch.full_like(c.t[0], t_ground), torch.full_like(c.t[0], case.surface.albedo))
        if radiate is not None and (sky is None or n * case.step % case.sun.interval == 0):
            sky = radiate(_air(case, species, a, c, ground, time, convective))
        m = physics.step(c, a.u, a.v, a.parts, None if sky is None else sky.heating, ground, dt)
        convective = Convective.of(m.convection)
        a = a._replace(u=m.u, v=m.v, theta=m.theta, parts=m.parts)
        if not bool(torch.isfinite(a.theta).all() & torch.isfinite(a.u).all()):
            raise FloatingPointError(f"{case.title}: the column is no longer finite at {time + dt:.0f} s")
        sums.add(species, before, c, a, m, ground, sky, u_star, dt)
        if (n + 1) % every == 0 or n + 1 == steps:  # the end, whether an interval ends there or not
            rows.append(_seen(case, species, a, m, sky, sums, time + dt - times[-1]))
            times.append(time + dt)
            sums = _Sums()
            if tell is not None:
                tell(time + dt)
    names = dict.fromkeys(name for row in rows for name in row)
    shape = {name: next(np.shape(row[name]) for row in rows if name in row) for name in names}
    blank = {name: np.full(shape[name], np.nan) for name in names}
    return Course(np.array(times), {n: np.stack([row.get(n, blank[n]) for row in rows]) for n in names}, a)


class _Sums:
    """Sums over the steps between two outputs."""

    def __init__(self) -> None:
        self.by_name: dict[str, Any] = {}

    def add(
        self, species: Species, before: Column, c: Columns, a: Column, m: Moved, ground: Ground,
        sky: Radiation | None, u_star: float, dt: float,
    ) -> None:  # fmt: skip
        """Add what the step from ``before`` (with its columns ``c``) to ``a`` brought."""
        now: dict[str, Any] = {
            "rainfall_flux": float(m.rain[0, 0]) / dt,
            "snowfall_flux": float(m.snow[0, 0]) / dt,
            "friction_velocity": u_star,
            "surface_upward_sensible_heat_flux": float(ground.fluxes.sensible_heat[0, 0]),
            "surface_upward_latent_heat_flux": float(ground.fluxes.water[0, 0]) * LATENT_VAPORISATION,
        }
        gained = {name: (c.mass * (a.parts[name] - before.parts[name])).sum() for name in species.names}
        wet = species.where(lambda t: t.is_water)
        water = sum(gained[species.names[n]] for n in wet)
        now["column_water_residual"] = float((water + m.rain[0, 0] + m.snow[0, 0]) / dt - ground.fluxes.water[0, 0])
        energy = (c.mass * CP_DRY * c.pi * (a.theta - before.theta)).sum() + LATENT_VAPORISATION * gained[VAPOUR.name]
        for n in species.where(lambda t: t.is_ice):
            energy = energy - LATENT_FUSION * gained[species.names[n]]
        heating = 0.0 if sky is None else float((CP_DRY * c.mass * sky.heating).sum())
        into = heating + ground.fluxes.sensible_heat[0, 0] + LATENT_VAPORISATION * ground.fluxes.water[0, 0]
        now["column_energy_residual"] = float((energy - LATENT_FUSION * m.snow[0, 0]) / dt - into)
        now["column_radiative_heating"] = heating
        if sky is not None:  # what the air keeps of what comes through the lid and the ground
            at_ground = sky.shortwave_down - sky.shortwave_up + sky.longwave_down - sky.longwave_up
            now["surface_net_downward_radiative_flux"] = float(at_ground[0, 0])
            now["net_downward_radiative_flux_at_top_of_atmosphere_model"] = heating + float(at_ground[0, 0])
        if m.convection is not None and m.convection.updraught is not None:
            flux = m.convection.updraught[:, 0, 0].numpy()
            now["atmosphere_updraft_convective_mass_flux"] = np.concatenate([[0.0], flux, [0.0]])
        if m.convection is not None and m.convection.cover is not None:
            now["convective_cloud_area_fraction_in_atmosphere_layer"] = m.convection.cover[:, 0, 0].numpy()
        for name, x in now.items():
            self.by_name[name] = self.by_name.get(name, 0.0) + x * dt


def _seen(
    case: Case, species: Species, a: Column, m: Moved | None, sky: Radiation | None, sums: _Sums | None, seconds: float
) -> dict[str, Any]:
    """Profiles of a state, and the means since the last."""
    c = columns(a, species)
    flat = lambda x: x[:, 0, 0].numpy().copy()  # noqa: E731
    water = species.where(lambda t: t.is_water)
    q_v = a.parts[VAPOUR.name]
    seen = {
        "height": flat(c.z), "height_interface": flat(c.z_interface), "air_pressure": flat(c.p),
        "air_potential_temperature": flat(c.theta), "air_temperature": flat(c.t),
        "specific_humidity": flat(q_v / (1.0 + q_v)), "eastward_wind": flat(a.u), "northward_wind": flat(a.v),
        "dry_air_mass": flat(a.mass),
    }  # fmt: skip
    for n in water[1:]:
        name = species.names[n]
        seen[f"mixing_ratio_of_{name}"] = flat(a.parts[name])
        seen[f"atmosphere_mass_content_of_{name}"] = float((a.mass * a.parts[name]).sum())
    if sums is not None:
        seen |= {name: x / seconds for name, x in sums.by_name.items()}
    if sky is not None:
        seen["toa_outgoing_longwave_flux"] = float(sky.outgoing_longwave[0, 0])
        seen["toa_absorbed_shortwave_flux"] = float((sky.insolation - sky.reflected_shortwave)[0, 0])
    return seen


def _air(
    case: Case, species: Species, a: Column, c: Columns, ground: Ground, time: float, convective: Convective | None
) -> Air:
    """What radiation sees."""
    q_v = a.parts[VAPOUR.name]
    clouds = seen(a.parts, c, convective, case.cloud_fraction, torch.full_like(c.t[0], case.cell))
    day = case.sun.start + time / 86400.0
    lon, lat = (torch.full_like(c.t[0], x) for x in (case.longitude, case.latitude))
    mu, distance = cosine_zenith(lon, lat, day).to(c.t), sun_position(day)[2]
    if case.sun.cosine_zenith is not None:
        mu = torch.full_like(c.t[0], case.sun.cosine_zenith)
        if case.sun.insolation is not None and case.sun.cosine_zenith > 0.0:
            distance = case.sun.insolation / (SOLAR_CONSTANT * case.sun.cosine_zenith)
    weight = 0.5 * (c.p[:1] - c.p[1:2])
    p_i = torch.cat([c.p[:1] + weight, 0.5 * (c.p[1:] + c.p[:-1]), torch.full_like(c.p[:1], a.lid)])
    number = torch.zeros_like(lat, dtype=torch.int64)
    return Air(
        c.t, torch.clamp(q_v, min=1.0e-8), clouds.cloud, clouds.ice, c.p, p_i, ground.temperature, ground.albedo, mu,
        distance, latitude=lat, day=day, snow=clouds.snow, fraction=clouds.fraction, column=number,
    )  # fmt: skip
