# SPDX-License-Identifier: BSD-3-Clause
"""Single-moment microphysics with six classes: vapour, cloud water, rain, cloud ice, snow and graupel (WSM6).

Hong & Lim (2006, J. Korean Meteor. Soc. 42, 129-151, HL below) on the ice of Hong, Dudhia & Chen (2004, HDC) and the
collection of Lin, Farley & Orville (1983, LFO). Snow and graupel fall with one speed, the mean of theirs weighted with
their mass (Dudhia, Hong & Lim 2008, J. Meteor. Soc. Japan 86A, 33-44), and so do not collect each other. Droplets of
cloud may be as many as aerosols make them; they settle, which WRF's do not.

Every process is a transfer from a class to another. What the transfers of a step would take from a class is at most
what it holds, and each warms the air by the difference of the two classes' latent heats, so that water and energy close
to rounding and nothing becomes negative.
"""

import math
from typing import NamedTuple

import torch

from components.atmosphere.nonhydrostatic.dynamics.thermodynamics import adjust_to_saturation, saturation_mixing_ratio
from components.atmosphere.nonhydrostatic.physics import droplets as drops
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.droplets import OVER_LAND, Droplets, Number
from components.atmosphere.nonhydrostatic.physics.hydrometeors import (
    LEAST,
    N_0R,
    RAIN_DROPS,
    SNOW_FLAKES,
    Kind,
    Properties,
    autoconversion,
    crystal_diameter,
    crystal_speed,
    crystals,
    freezing_cloud,
    freezing_rain,
    nuclei,
    properties,
    resistance,
    slope,
    snow_intercept,
    speed,
    sweep,
    thinness,
    ventilation,
)
from components.atmosphere.nonhydrostatic.physics.interfaces import Clouds, Parts
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_ICE, CLOUD_WATER, GRAUPEL, RAIN, SNOW, VAPOUR
from components.science.constants import (
    C_LIQUID,
    CP_DRY,
    FREEZING_POINT,
    LATENT_FUSION,
    LATENT_SUBLIMATION,
    LATENT_VAPORISATION,
)
from components.science.remaining import Remaining, at, flat, shaped
from components.science.settling import fall
from components.science.torch_compiler import in_pieces, of_any_size, piece
from components.science.water import growth, growth_ice, saturation_pressure, saturation_pressure_ice

SPECIES = (VAPOUR, CLOUD_WATER, RAIN, CLOUD_ICE, SNOW, GRAUPEL)
V, C, R, X, S, G = range(6)  # their places in `Sky.q`
HEAT = (LATENT_VAPORISATION, 0.0, 0.0, -LATENT_FUSION, -LATENT_FUSION, -LATENT_FUSION)  # latent, J kg-1

PELLETS = Kind(500.0, 330.0, 0.8, 0.78, 0.31, 6.0e4)
N_0G = 4.0e6  # intercept of graupel, m-4
LONGEST = 120.0  # s; longer steps are cut into parts
LV, LS, LF = LATENT_VAPORISATION / CP_DRY, LATENT_SUBLIMATION / CP_DRY, LATENT_FUSION / CP_DRY  # K
LARGEST_ICE = 2.08e22 * 5.0e-4**8  # kg m-3 of ice whose crystals, as many as it has, are .5 mm (HDC eq. 5, 19)
MUCH = 1.0e-4  # kg/kg of rain above which what it freezes with is graupel and not snow (LFO)
HEAVY_SNOW = 6.0e-4  # kg/kg above which snow becomes graupel by itself (LFO eq. 37)


class Sky(NamedTuple):
    """What the processes change: temperature (K) and the mixing ratios (kg/kg) in the order of the species."""

    t: torch.Tensor
    q: tuple[torch.Tensor, ...]


class Transfer(NamedTuple):
    """An ``amount`` (kg/kg, not negative) of water that changes from one class to another."""

    source: int
    target: int
    amount: torch.Tensor


class Sizes(NamedTuple):
    """Slopes (m-1) and fall speeds (m s-1) of rain, snow and graupel, the intercept of snow (m-4).

    ``together`` is the speed of snow and graupel.
    """

    rain: torch.Tensor
    snow: torch.Tensor
    graupel: torch.Tensor
    n_0s: torch.Tensor
    v_rain: torch.Tensor
    together: torch.Tensor


@in_pieces
def step(
    air: Columns, theta: torch.Tensor, q: Parts, dt: float, land: torch.Tensor | None = None, *,
    droplets: float, droplets_over_sea: float,
) -> Clouds:  # fmt: skip
    """`wsm6` as a scheme of the table; droplets of cloud over land and sea, m-3."""
    there = drops.by_surface(land, droplets, droplets_over_sea)
    return wsm6(theta, tuple(q[s.name] for s in SPECIES), air.p, air.pi, air.rho, air.mass, dt, there)


def wsm6(
    theta: torch.Tensor,
    q: tuple[torch.Tensor, ...],
    p: torch.Tensor,
    pi: torch.Tensor,
    rho: torch.Tensor,
    mass: torch.Tensor,
    dt: float,
    droplets: Droplets = OVER_LAND,
) -> Clouds:
    """Cloud and precipitation processes over ``dt`` seconds.

    Parameters
    ----------
    theta : (nz, y, x) potential temperature, K
    q : mixing ratios (nz, y, x) in the order of `SPECIES`, kg/kg of dry air
    p, pi : pressure (Pa) and Exner function
    rho, mass : density of dry air (kg m-3) and dry mass of the layer (kg m-2)
    dt : s; steps of more than two minutes are cut
    droplets : of cloud
    """
    sky = Sky(theta * pi, tuple(torch.clamp(a, min=0.0) for a in q))
    parts = max(1, math.ceil(dt / LONGEST))
    rain, snow = torch.zeros_like(theta[0]), torch.zeros_like(theta[0])
    for _ in range(parts):
        sky, fallen, frozen = part(sky, p, rho, mass, dt / parts, droplets)
        rain, snow = rain + fallen, snow + frozen
    return Clouds(sky.t / pi, dict(zip((s.name for s in SPECIES), sky.q, strict=True)), rain, snow)


def part(
    sky: Sky, p: torch.Tensor, rho: torch.Tensor, mass: torch.Tensor, dt: float, droplets: Droplets
) -> tuple[Sky, torch.Tensor, torch.Tensor]:
    """All processes over ``dt`` s: the state, and rain and frozen water at the ground, kg m-2."""
    shape = sky.t.shape
    sky, rain, snow = settle(sky, rho, mass, dt, droplets)
    every, p, rho = flat((sky, p, rho), 3)
    left, numbers = Remaining().those(at_work(every, p))
    if left.none:
        return sky, rain, snow
    some, p, rho = at(numbers, (every, p, rho))
    made = processes(some, p, rho, dt, droplets.of(numbers, shape))
    return shaped(left.spread(made, every), shape), rain, snow


@piece
def at_work(sky: Sky, p: torch.Tensor) -> torch.Tensor:
    """Whether there is, in a cell, cloud, or enough that falls, or ice that must melt, or air above saturation."""
    vapour, cloud, rain, ice, snow, graupel = sky.q
    warm = sky.t >= FREEZING_POINT
    e_s = torch.where(warm, saturation_pressure(sky.t), saturation_pressure_ice(sky.t))
    much = torch.maximum(torch.maximum(rain, ice), torch.maximum(snow, graupel)) > LEAST
    return (cloud > 0.0) | much | (warm & (ice > 0.0)) | (vapour > saturation_mixing_ratio(e_s, p))


# a table of contents of the scheme
@piece
@of_any_size
def processes(sky: Sky, p: torch.Tensor, rho: torch.Tensor, dt: float, droplets: Droplets) -> Sky:
    """What happens in cells over ``dt`` s, besides the fall."""
    air = properties(sky.t, p, rho)
    sky = moved(sky, melting(sky, air, dt))
    sky = moved(sky, freezing(sky, air, droplets.number, dt))
    sizes = sizes_of(sky, air.rho, air.thin)
    warm_rain = coalescence(sky, sizes, air, droplets.number, dt)
    sky = moved(
        sky, [*warm_rain, *collection(sky, sizes, air, dt), *growth_of_ice(sky, sizes, air, dt),
              *evaporation(sky, sizes, air, dt)]
    )  # fmt: skip
    t, vapour, cloud = adjust_to_saturation(sky.t, sky.q[V], sky.q[C], p, LV)
    return Sky(t, (vapour, cloud, *sky.q[R:]))


def moved(sky: Sky, transfers: list[Transfer]) -> Sky:
    """The state after all transfers, each class's own cut in one proportion where they ask for more than it holds."""
    q, t = list(sky.q), sky.t
    for source in range(len(q)):
        own = [x for x in transfers if x.source == source]
        if not own:
            continue
        wanted = own[0].amount
        for x in own[1:]:
            wanted = wanted + x.amount
        there = sky.q[source]
        share = torch.where(wanted > there, there / torch.clamp(wanted, min=1.0e-30), 1.0)
        for x in own:
            amount = share * x.amount
            q[x.target] = q[x.target] + amount
            t = t + (HEAT[source] - HEAT[x.target]) / CP_DRY * amount
        q[source] = q[source] - torch.minimum(wanted, there)
    return Sky(t, tuple(torch.clamp(a, min=0.0) for a in q))


def sizes_of(sky: Sky, rho: torch.Tensor, thin: torch.Tensor) -> Sizes:
    """Slopes and speeds of what falls in air of density ``rho``, ``thin`` being the factor of the speeds."""
    n_0s = snow_intercept(sky.t)
    rain = slope(RAIN_DROPS, N_0R, rho, sky.q[R])
    snow = slope(SNOW_FLAKES, n_0s, rho, sky.q[S])
    graupel = slope(PELLETS, N_0G, rho, sky.q[G])
    v_snow, v_graupel = speed(SNOW_FLAKES, snow, thin), speed(PELLETS, graupel, thin)
    share = sky.q[G] / torch.clamp(sky.q[S] + sky.q[G], min=1.0e-15)
    together = v_snow + share * (v_graupel - v_snow)
    return Sizes(rain, snow, graupel, n_0s, speed(RAIN_DROPS, rain, thin), together)


def settle(
    sky: Sky, rho: torch.Tensor, mass: torch.Tensor, dt: float, droplets: Droplets
) -> tuple[Sky, torch.Tensor, torch.Tensor]:
    """Fall of cloud and rain, of snow and graupel with one speed, and of crystals with 1.49e4 D^1.31 (HDC)."""
    every, density = flat((sky, rho), 3)
    left, numbers = Remaining().those(some_falls(every))
    speeds = [torch.zeros_like(density)] * 5
    if not left.none:
        some = at(numbers, (every, density))
        speeds = left.spread(fall_speeds(*some, droplets.of(numbers, rho.shape)), speeds)
    q, fallen = list(sky.q), []
    for n, v in zip((C, R, X, S, G), speeds, strict=True):
        q[n], out = fall(q[n], v.reshape(rho.shape), rho, mass, dt)
        fallen.append(out)
    return sky._replace(q=tuple(q)), fallen[0] + fallen[1], fallen[2] + fallen[3] + fallen[4]


@piece
def some_falls(sky: Sky) -> torch.Tensor:
    """Whether there is, in a cell, enough of anything that falls."""
    most = sky.q[C]
    for q in sky.q[R:]:
        most = torch.maximum(most, q)
    return most > LEAST


@piece
@of_any_size
def fall_speeds(sky: Sky, rho: torch.Tensor, droplets: Droplets) -> list[torch.Tensor]:
    """Of cloud, rain, ice, snow and graupel where there is any, m s-1."""
    sizes = sizes_of(sky, rho, thinness(rho))
    cloud = drops.speed(sky.q[C], sky.t, rho, droplets)
    ice = crystal_speed(crystal_diameter(rho, sky.q[X], crystals(rho, sky.q[X])))
    speeds = (cloud, sizes.v_rain, ice, sizes.together, sizes.together)
    return [torch.where(q > LEAST, v, 0.0) for q, v in zip(sky.q[C:], speeds, strict=True)]


def melting(sky: Sky, air: Properties, dt: float) -> list[Transfer]:
    """Snow (Psmlt) and graupel (Pgmlt) by the heat that the air conducts (Rutledge & Hobbs 1983, eq. A25), and ice."""
    sizes = sizes_of(sky, air.rho, air.thin)
    warm = torch.clamp(sky.t - FREEZING_POINT, min=0.0)
    rate = dt * 2.0 * math.pi * air.conductivity * warm / (air.rho * LATENT_FUSION)
    snow = torch.where(sky.q[S] > LEAST, rate * sizes.n_0s * ventilation(SNOW_FLAKES, sizes.snow, air), 0.0)
    graupel = torch.where(sky.q[G] > LEAST, rate * N_0G * ventilation(PELLETS, sizes.graupel, air), 0.0)
    ice = torch.where(warm > 0.0, sky.q[X], 0.0)
    wanted = LF * (torch.minimum(snow, sky.q[S]) + torch.minimum(graupel, sky.q[G]))
    share = torch.where(wanted > warm, warm / torch.clamp(wanted, min=1.0e-30), 1.0)
    return [Transfer(S, R, share * snow), Transfer(G, R, share * graupel), Transfer(X, C, ice)]


def freezing(sky: Sky, air: Properties, droplets: Number, dt: float) -> list[Transfer]:
    """Of cloud water to ice (Pihmf, Pihtf) and of rain to graupel (Pgfrz)."""
    cloud = freezing_cloud(sky.t, sky.q[C], air.rho, droplets, dt)
    rain = dt * freezing_rain(sky.t, slope(RAIN_DROPS, N_0R, air.rho, sky.q[R]), air.rho)
    return [Transfer(C, X, cloud), Transfer(R, G, torch.where(sky.q[R] > LEAST, rain, 0.0))]


def coalescence(sky: Sky, sizes: Sizes, air: Properties, droplets: Number, dt: float) -> list[Transfer]:
    """Of droplets to rain (Praut) and with it (Pracw)."""
    cloud, rain = sky.q[C], sky.q[R]
    auto = dt * autoconversion(cloud, air.rho, droplets)
    swept = torch.where(rain > LEAST, cloud * dt * sweep(RAIN_DROPS, N_0R, sizes.rain, air.thin), 0.0)
    return [Transfer(C, R, auto + swept)]


def collection(sky: Sky, sizes: Sizes, air: Properties, dt: float) -> list[Transfer]:
    """Collection among cloud, rain, ice, snow and graupel, in air below and above freezing (HL appendix; LFO).

    Of two that meet below freezing the product is snow where there is little rain (and snow), graupel elsewhere.
    """
    _, cloud, rain, ice, snow, graupel = sky.q
    rho, thin = air.rho, air.thin
    cold = sky.t < FREEZING_POINT
    none = torch.zeros_like(rain)
    rainy, snowy, hail = rain > LEAST, snow > LEAST, graupel > LEAST

    # cloud water: of snow and graupel, which are one kind of particle where they fall together, each takes the mean of
    # their rates (Psacw, Pgacw) weighted with mass (Paacw of Dudhia, Hong & Lim 2008); above freezing it is shed
    share = graupel / torch.clamp(snow + graupel, min=1.0e-15)
    rate = sweep(SNOW_FLAKES, sizes.n_0s, sizes.snow, thin)
    rate = dt * cloud * (rate + share * (sweep(PELLETS, N_0G, sizes.graupel, thin) - rate))
    by_snow, by_graupel = torch.where(snowy, rate, none), torch.where(hail, rate, none)

    # rain, by snow (Psacr) and graupel (Pgacr); snow by rain (Pracs)
    apart = torch.abs(sizes.v_rain - sizes.together)
    rain_snow = dt * math.pi**2 * N_0R * sizes.n_0s * apart / rho
    psacr = torch.where(rainy & snowy, rain_snow * RAIN_DROPS.density * meeting(sizes.rain, sizes.snow), none)
    pracs = torch.where(rainy & snowy, rain_snow * SNOW_FLAKES.density * meeting(sizes.snow, sizes.rain), none)
    rain_graupel = dt * math.pi**2 * N_0R * N_0G * apart / rho * RAIN_DROPS.density
    pgacr = torch.where(rainy & hail, rain_graupel * meeting(sizes.rain, sizes.graupel), none)

    # ice, by rain (Praci, and the rain that it freezes, Piacr), snow (Psaci) and graupel (Pgaci)
    number = crystals(rho, ice)
    d = crystal_diameter(rho, ice, number)
    fall_of_ice = crystal_speed(d)
    icy = cold & (ice > LEAST)
    stick = torch.exp(0.07 * torch.clamp(sky.t - FREEZING_POINT, -90.0, 0.0))
    part_ice = dt * 0.25 * math.pi * ice
    near = part_ice * torch.abs(sizes.v_rain - fall_of_ice) * N_0R
    praci = torch.where(icy & rainy, near * touching(sizes.rain, d), none)
    slopes = torch.exp(-(6.0 + RAIN_DROPS.b) * torch.log(sizes.rain))
    factor = dt * math.pi**2 * RAIN_DROPS.a * N_0R * RAIN_DROPS.density * math.gamma(6.0 + RAIN_DROPS.b) / 24.0
    piacr = torch.where(icy & rainy, factor * number * slopes * thin / rho, none)
    near = part_ice * torch.abs(sizes.together - fall_of_ice) * stick
    psaci = torch.where(icy & snowy, near * sizes.n_0s * touching(sizes.snow, d), none)
    pgaci = torch.where(icy & hail, near * N_0G * touching(sizes.graupel, d), none)

    little_rain = rain < MUCH
    little = little_rain & (snow < MUCH)
    when = lambda condition, a: torch.where(condition, a, none)  # noqa: E731

    # melting by what is collected above freezing (Pseml, Pgeml)
    warmth = C_LIQUID / LATENT_FUSION * torch.clamp(sky.t - FREEZING_POINT, min=0.0)
    return [
        Transfer(C, S, when(cold, by_snow)), Transfer(C, G, when(cold, by_graupel)),
        Transfer(C, R, when(~cold, by_snow + by_graupel)),
        Transfer(R, S, when(cold & little, psacr)), Transfer(R, G, when(cold & ~little, psacr)),
        Transfer(S, G, when(cold & ~little, pracs)), Transfer(R, G, when(cold, pgacr)),
        Transfer(X, S, when(little_rain, praci) + psaci), Transfer(X, G, when(~little_rain, praci) + pgaci),
        Transfer(R, S, when(little_rain, piacr)), Transfer(R, G, when(~little_rain, piacr)),
        Transfer(S, R, warmth * (by_snow + psacr)), Transfer(G, R, warmth * (by_graupel + pgacr)),
    ]  # fmt: skip


def meeting(of: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """5 / (a^6 b) + 2 / (a^5 b^2) + 1/2 / (a^4 b^3), m7: of two distributions with slopes a and b (LFO eq. 27-28)."""
    x, y = 1.0 / of, 1.0 / by
    x2 = x * x
    return x2 * x2 * y * (5.0 * x2 + y * (2.0 * x + 0.5 * y))


def touching(lam: torch.Tensor, diameter: torch.Tensor) -> torch.Tensor:
    """2 / lambda^3 + 2 D / lambda^2 + D^2 / lambda, m3: crystals of diameter D and a distribution (HDC eq. 13)."""
    x = 1.0 / lam
    return x * (2.0 * x * x + diameter * (2.0 * x + diameter))


def growth_of_ice(sky: Sky, sizes: Sizes, air: Properties, dt: float) -> list[Transfer]:
    """Deposition on and sublimation of ice, snow and graupel (Pidep, Psdep, Pgdep), new ice (Pigen), and conversion.

    Ice above the largest crystals is snow (Psaut); heavy snow becomes graupel (Pgaut).
    """
    vapour, _, _, ice, snow, graupel = sky.q
    t, rho = sky.t, air.rho
    cold = t < FREEZING_POINT
    none = torch.zeros_like(vapour)
    q_is = saturation_mixing_ratio(saturation_pressure_ice(t), air.p)
    room = (vapour - q_is) / (1.0 + LS * q_is * growth_ice(t))
    excess = vapour / q_is - 1.0
    ease = torch.where(cold, dt / resistance(LATENT_SUBLIMATION, t, q_is, air), none)
    number = crystals(rho, ice)
    limit = lambda a, q: torch.maximum(torch.where(q > LEAST, a, none), -q)  # noqa: E731
    on_ice = limit(4.0 * crystal_diameter(rho, ice, number) * number * excess * ease, ice)
    on_snow = limit(4.0 * sizes.n_0s * ventilation(SNOW_FLAKES, sizes.snow, air) * excess * ease, snow)
    on_graupel = limit(2.0 * math.pi * N_0G * ventilation(PELLETS, sizes.graupel, air) * excess * ease, graupel)
    fresh = torch.where(cold & (excess > 0.0), torch.clamp(nuclei(t, rho) - ice, min=0.0), none)
    share = fitting(on_ice + on_snow + on_graupel + fresh, room)
    auto = torch.where(cold, torch.clamp(ice - LARGEST_ICE / rho, min=0.0), none)
    dense = 1.0e-3 * torch.exp(0.09 * torch.clamp(t - FREEZING_POINT, -90.0, 0.0))
    heavy = torch.where(cold, torch.clamp(snow - HEAVY_SNOW, min=0.0) * dt * dense, none)
    out = [Transfer(X, S, auto), Transfer(S, G, heavy), Transfer(V, X, share * fresh)]
    for n, a in ((X, on_ice), (S, on_snow), (G, on_graupel)):
        out += [Transfer(V, n, share * torch.clamp(a, min=0.0)), Transfer(n, V, share * torch.clamp(-a, min=0.0))]
    return out


def evaporation(sky: Sky, sizes: Sizes, air: Properties, dt: float) -> list[Transfer]:
    """Of rain (Prevp), and above freezing of wet snow and graupel (Psevp, Pgevp), until saturation over water.

    Cloud that can evaporate is the first to do so.
    """
    vapour, cloud, rain, _, snow, graupel = sky.q
    t = sky.t
    none = torch.zeros_like(vapour)
    q_s = saturation_mixing_ratio(saturation_pressure(t), air.p)
    lack = torch.clamp(1.0 - vapour / q_s, min=0.0)
    room = torch.clamp(torch.clamp(q_s - vapour, min=0.0) / (1.0 + LV * q_s * growth(t)) - cloud, min=0.0)
    ease = dt * lack / resistance(LATENT_VAPORISATION, t, q_s, air)
    wet = torch.where(t < FREEZING_POINT, none, ease)
    gone = [
        torch.minimum(torch.where(q > LEAST, a, none), q)
        for a, q in (
            (2.0 * math.pi * N_0R * ventilation(RAIN_DROPS, sizes.rain, air) * ease, rain),
            (4.0 * sizes.n_0s * ventilation(SNOW_FLAKES, sizes.snow, air) * wet, snow),
            (2.0 * math.pi * N_0G * ventilation(PELLETS, sizes.graupel, air) * wet, graupel),
        )
    ]
    share = fitting(gone[0] + gone[1] + gone[2], room)
    return [Transfer(n, V, share * a) for n, a in zip((R, S, G), gone, strict=True)]


def fitting(wanted: torch.Tensor, room: torch.Tensor) -> torch.Tensor:
    """Share of what is ``wanted`` that there is room for, of either sign, 0 to 1."""
    safe = torch.where(wanted == 0.0, 1.0, wanted)
    return torch.where(wanted.abs() > 1.0e-30, torch.clamp(room / safe, 0.0, 1.0), 0.0)
