# SPDX-License-Identifier: BSD-3-Clause
"""Energy and water of a city: roofs, walls and roads of four layers each around streets of every direction.

After the single-layer canyon of Masson (2000) and Kusaka et al. (2001), with all reflections of light and heat, a room
temperature that buildings keep between two set points, and water that lies on paving.
Fluxes are per square metre of built ground: roofs and streets, without gardens.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.urban.canyon import Exchange, Faces, all_reflections, diffuse_light, view_factors
from components.science.column_solver import solve
from components.science.constants import CP_DRY, LATENT_FUSION, LATENT_VAPORISATION, STEFAN_BOLTZMANN
from components.science.surface_layer import air_density, bulk_richardson, referred_to_ground, transfer_coefficients
from components.science.water import saturation_pressure, specific_humidity

LAYERS = 4
PUDDLE = 1.0  # kg m-2 that paving and roofs hold (Masson 2000, section 2.7)
SPREAD = 2.0 / 3.0  # power of the wet share
ROOM = 8.0  # W m-2 K-1, between a wall's inside and the room
GENTLE = 0.5  # m s-1, least wind


class Fabric(NamedTuple):
    """What a surface is made of.

    Attributes
    ----------
    albedo, emissivity : Tensor
        (n,).
    thickness : float
        Of each of its layers, m.
    conductivity : float
        W m-1 K-1.
    capacity : float
        J m-3 K-1.
    """

    albedo: Tensor
    emissivity: Tensor
    thickness: float
    conductivity: float
    capacity: float


class City(NamedTuple):
    """A city's shape and fabric, (n,) unless said.

    Attributes
    ----------
    roofs : Tensor
        Share of the built ground under roofs.
    ratio : Tensor
        Height of buildings over width of streets.
    height : Tensor
        Of the buildings, m.
    roof, wall, road : Fabric
        Their fabrics.
    coldest, warmest : float
        Between which rooms are kept, K.
    room_capacity : float
        Heat capacity of rooms, J m-2 K-1 of roof.
    """

    roofs: Tensor
    ratio: Tensor
    height: Tensor
    roof: Fabric
    wall: Fabric
    road: Fabric
    coldest: float = 292.15
    warmest: float = 299.15
    room_capacity: float = 2.0e5


class State(NamedTuple):
    """What a continuation needs.

    Attributes
    ----------
    roof, wall, road : Tensor
        Temperature by layer, the outermost first, K, (layer, n).
    room : Tensor
        K, (n,).
    puddles : Tensor
        Water on roofs and on the road, kg m-2, (2, n).
    """

    roof: Tensor
    wall: Tensor
    road: Tensor
    room: Tensor
    puddles: Tensor


class Air(NamedTuple):
    """What drives a step, (n,); radiation on a horizontal plane, W m-2."""

    temperature: Tensor  # K
    humidity: Tensor  # kg kg-1
    pressure: Tensor  # Pa
    wind: Tensor  # m s-1
    height: Tensor  # m above the displacement height
    direct: Tensor
    diffuse: Tensor
    longwave: Tensor
    rain: Tensor  # with snow, kg m-2 s-1
    snow: Tensor  # of it; it melts on warm stone, kg m-2 s-1
    cos_zenith: Tensor
    people: Tensor  # heat of traffic and bodies, W m-2 of built ground


class Fluxes(NamedTuple):
    """Of a step, W m-2 and kg m-2 s-1 of built ground, upward positive but for ``net`` and ``stored``."""

    net: Tensor
    sensible: Tensor
    latent: Tensor
    stored: Tensor
    evaporation: Tensor
    runoff: Tensor
    heating: Tensor  # of buildings, that people make; cooling counts with its sign
    upward_shortwave: Tensor
    upward_longwave: Tensor
    drag: Tensor  # c_m, with stress = rho c_m U^2
    melt: Tensor  # heat that melts snow


def at_start(city: City, temperature: Tensor) -> State:
    """A city of one temperature, its rooms at their set points.

    Parameters
    ----------
    city : City
        Its shape.
    temperature : Tensor
        K, (n,).
    """
    room = temperature.clamp(city.coldest, city.warmest)
    inward = torch.linspace(0.0, 1.0, LAYERS, dtype=temperature.dtype)[:, None]
    shell = temperature + inward * (room - temperature)
    road = temperature.expand(LAYERS, -1).clone()
    return State(shell, shell.clone(), road, room, torch.zeros((2, *temperature.shape), dtype=temperature.dtype))


def sun_in_streets(direct: Tensor, cos_zenith: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor]:
    """Beam on road and on each wall, in the mean over streets of every direction (Masson 2000, eqs 8-9).

    Parameters
    ----------
    direct : Tensor
        On a horizontal plane, W m-2.
    cos_zenith : Tensor
        Of the sun.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Tensor, Tensor
        W m-2 of road, and of wall; road + 2 ratio wall is the beam.
    """
    mu = cos_zenith.clamp(0.02, 1.0)
    tangent = torch.sqrt(1.0 - mu * mu).clamp(min=1e-9) / mu
    across = (1.0 / (ratio * tangent)).clamp(max=1.0)
    angle = torch.asin(across)
    lit = 2.0 * angle / torch.pi - 2.0 / torch.pi * ratio * tangent * (1.0 - torch.cos(angle))
    road = direct * lit
    return road, (direct - road) / (2.0 * ratio)


def wind_in_streets(wind: Tensor, height: Tensor, city: City, z0: Tensor, drag: Tensor) -> Tensor:
    """Wind past walls and roads, m s-1 (Masson 2000).

    Along the street, in the mean over its directions and half way up the walls, 2 / pi of that over the roofs less
    exp(-h/4w), which is the logarithm's over the displacement height, 2 h / 3; with it the turbulence, of u*.

    Parameters
    ----------
    wind : Tensor
        Above, m s-1.
    height : Tensor
        Of it above the displacement height, m.
    city : City
        Its shape.
    z0 : Tensor
        Roughness length, m.
    drag : Tensor
        (u* / wind)^2.

    Returns
    -------
    Tensor
        Of their shape.
    """
    over_roofs = (torch.log(city.height / (3.0 * z0)) / torch.log(height / z0)).clamp(max=1.0)
    along = 2.0 / torch.pi * torch.exp(-0.25 * city.ratio) * over_roofs
    return wind * torch.sqrt(along * along + drag)


def heat_radiation(sky: Tensor, emission: Faces, emissivity: Faces, ratio: Tensor) -> Exchange:
    """What a canyon absorbs of the sky's and its own heat radiation, and what leaves it.

    Parameters
    ----------
    sky : Tensor
        Downwelling, W m-2.
    emission : Faces
        Of the faces, W m-2 of each.
    emissivity : Faces
        Of the faces.
    ratio : Tensor
        Height over width.

    Returns
    -------
    Exchange
        Per area of street; what is absorbed is before the faces' own emission.
    """
    v = view_factors(ratio)
    dark = Faces(*(1.0 - e for e in emissivity))
    given = diffuse_light(sky, dark, ratio)
    first = Faces(
        v.road_wall * (emission.sunny + emission.shaded),
        v.wall_road * emission.road + v.wall_wall * emission.shaded,
        v.wall_road * emission.road + v.wall_wall * emission.sunny,
    )
    own = all_reflections(first, dark, ratio)
    out = v.road_sky * emission.road + ratio * v.wall_sky * (emission.sunny + emission.shaded)
    absorbed = Faces(*(a + b for a, b in zip(given.absorbed, own.absorbed, strict=True)))
    return Exchange(absorbed, given.escaped + own.escaped + out)


def _conduct(
    layers: Tensor, fabric: Fabric, gain: Tensor, slope: Tensor, inside: Tensor | None, seconds: float
) -> Tensor:
    """Layers after a step under gain - slope (T - T0) at the outer face; a room, or nothing, at the inner one."""
    d, k, c = fabric.thickness, fabric.conductivity, fabric.capacity * fabric.thickness / seconds
    link = k / d
    one = torch.ones_like(layers[0])
    outer = (
        1.0 / (0.5 * d / k + 1.0 / slope.clamp(min=1e-6)) / slope.clamp(min=1e-6)
    )  # skin between air and first layer
    room = 0.0 if inside is None else 1.0 / (0.5 * d / k + 1.0 / ROOM)
    below = [0.0 * one, *([-link * one] * (LAYERS - 1))]
    above = [*([-link * one] * (LAYERS - 1)), 0.0 * one]
    diagonal = [(c + link) * one, *([(c + 2.0 * link) * one] * (LAYERS - 2)), (c + link + room) * one]
    right = list((c * layers).unbind(0))
    diagonal[0] = diagonal[0] + slope * outer
    right[0] = right[0] + outer * (gain + slope * layers[0])
    if inside is not None:
        right[-1] = right[-1] + room * inside
    return solve(*(torch.stack(rows) for rows in (below, diagonal, above, right)))


def step(city: City, state: State, air: Air, seconds: float) -> tuple[State, Fluxes]:
    """One step of a city.

    Parameters
    ----------
    city : City
        Shape and fabric.
    state : State
        At the start.
    air : Air
        During the step.
    seconds : float
        Its length.

    Returns
    -------
    State, Fluxes
        At the end, and of the step: net radiation + people's heat = sensible + latent + melt + stored.
    """
    ratio, street = city.ratio, 1.0 - city.roofs
    density = air_density(air.pressure, air.temperature, air.humidity)
    wind = air.wind.clamp(min=GENTLE)
    # light
    road_sun, wall_sun = sun_in_streets(air.direct, air.cos_zenith, ratio)
    grey = Faces(city.road.albedo, city.wall.albedo, city.wall.albedo)
    beam = all_reflections(Faces(road_sun, wall_sun, wall_sun), grey, ratio)
    light = diffuse_light(air.diffuse, grey, ratio)
    sun_road = beam.absorbed.road + light.absorbed.road
    sun_wall = sum(beam.absorbed[1:]) + sum(light.absorbed[1:])  # both walls, per street
    sun = air.direct + air.diffuse
    up_short = city.roofs * city.roof.albedo * sun + street * (beam.escaped + light.escaped)
    # heat radiation at the temperatures of the start
    black = [STEFAN_BOLTZMANN * t[0] * t[0] * t[0] * t[0] for t in state[:3]]
    roof_out, wall_out, road_out = (f.emissivity * b for f, b in zip(city[3:6], black, strict=True))
    shine = Faces(city.road.emissivity, city.wall.emissivity, city.wall.emissivity)
    warmth = heat_radiation(air.longwave, Faces(road_out, wall_out, wall_out), shine, ratio)
    # exchange with the air: over roofs, of the faces with the canyon's air, and of that with the air above
    theta = referred_to_ground(air.temperature, air.height)
    z0 = 0.1 * city.height
    mean = city.roofs * state.roof[0] + street * state.road[0]
    height = torch.maximum(air.height, 1.5 * z0)
    cm, ch = transfer_coefficients(bulk_richardson(theta, mean, wind, height), height, z0)
    over_roof = density * CP_DRY * ch * wind
    face = 11.8 + 4.2 * wind_in_streets(wind, height, city, z0, cm)  # W m-2 K-1 (Rowley et al. 1930)
    top = density * CP_DRY * ch * wind
    walls = 2.0 * ratio
    people = air.people / street.clamp(min=1e-6)
    canyon = (face * (state.road[0] + walls * state.wall[0]) + top * theta + people) / (face * (1.0 + walls) + top)
    # water on roofs and roads
    wet = (state.puddles / PUDDLE).clamp(0.0, 1.0)
    share = torch.where(wet > 0.0, torch.exp(SPREAD * torch.log(wet.clamp(min=1e-12))), 0.0)
    skin = torch.stack([state.roof[0], state.road[0]])
    dry = specific_humidity(saturation_pressure(skin), air.pressure) - air.humidity
    carried = torch.stack([over_roof, face]) / CP_DRY
    evaporated = torch.minimum((share * carried * dry), state.puddles / seconds + air.rain)
    filled = state.puddles + seconds * (air.rain - evaporated)
    run = (filled - PUDDLE).clamp(min=0.0)
    latent = LATENT_VAPORISATION * evaporated
    # conduction: gains at the start, and how they fall with the face's temperature
    four = [4.0 * out / t[0] for out, t in zip((roof_out, wall_out, road_out), state[:3], strict=True)]
    roof_gain = (1.0 - city.roof.albedo) * sun + city.roof.emissivity * air.longwave - roof_out - latent[0]
    melt = LATENT_FUSION * air.snow
    roof_gain = roof_gain - melt - over_roof * (state.roof[0] - theta)
    wall_gain = (sun_wall + sum(warmth.absorbed[1:])) / walls - wall_out - face * (state.wall[0] - canyon)
    road_gain = sun_road + warmth.absorbed.road - road_out - melt - latent[1] - face * (state.road[0] - canyon)
    slopes = (four[0] + over_roof, four[1] + face, four[2] + face)
    new = [
        _conduct(t, f, g, s, None if k == 2 else state.room, seconds)
        for k, (t, f, g, s) in enumerate(
            zip(state[:3], city[3:6], (roof_gain, wall_gain, road_gain), slopes, strict=True)
        )
    ]
    skins = []
    for old, now, fabric, gain, slope in zip(
        state[:3], new, city[3:6], (roof_gain, wall_gain, road_gain), slopes, strict=True
    ):
        link = fabric.conductivity / (0.5 * fabric.thickness)
        skins.append((gain + slope * old[0] + link * now[0]) / (slope + link) - old[0])  # change of the skin
    rise = [k * s for k, s in zip(four, skins, strict=True)]
    rooms = [1.0 / (0.5 * f.thickness / f.conductivity + 1.0 / ROOM) for f in (city.roof, city.wall)]
    into_room = city.roofs * rooms[0] * (new[0][-1] - state.room) + street * walls * rooms[1] * (
        new[1][-1] - state.room
    )
    capacity = city.roofs * city.room_capacity
    free = state.room + seconds * into_room / capacity
    room = free.clamp(city.coldest, city.warmest)
    heating = capacity * (room - free) / seconds
    cooled = (-heating).clamp(min=0.0)  # pumped out into the street's air
    bodies = [f.capacity * f.thickness for f in city[3:6]]
    areas = (city.roofs, street * walls, street)
    stored = capacity * (room - state.room)
    for body, area, old, now in zip(bodies, areas, state[:3], new, strict=True):
        stored = stored + area * body * (now - old).sum(0)
    stored = stored / seconds
    faces = face * (state.road[0] + skins[2] - canyon) + walls * face * (state.wall[0] + skins[1] - canyon)
    sensible = city.roofs * over_roof * (state.roof[0] + skins[0] - theta) + street * faces + air.people + cooled
    evaporation = city.roofs * evaporated[0] + street * evaporated[1]
    up_long = city.roofs * (roof_out + rise[0] + (1.0 - city.roof.emissivity) * air.longwave)
    up_long = up_long + street * (warmth.escaped + walls * rise[1] + rise[2])
    runoff = (city.roofs * run[0] + street * run[1]) / seconds
    fluxes = Fluxes(
        sun + air.longwave - up_short - up_long, sensible, LATENT_VAPORISATION * evaporation, stored, evaporation,
        runoff, heating + cooled, up_short, up_long, cm, melt,
    )  # fmt: skip
    roof, wall, road = new
    return State(roof, wall, road, room, filled - run), fluxes
