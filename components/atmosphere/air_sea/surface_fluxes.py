# SPDX-License-Identifier: BSD-3-Clause
"""Air-sea flux laws by name, as the coupler runs them on the exchange grid between atmosphere and ocean.

A law is a function of 1-D arrays of points; every point is computed by itself, so its bits depend neither on
how many points there are nor on where a block of them ends. All fluxes carry CF standard names: a
``downward`` flux is positive into the sea, ``upwelling`` radiation and `water_evapotranspiration_flux` are
positive out of it.

>>> one = {"air_temperature": 293.15, "specific_humidity": 0.012, "eastward_wind": 5.0, "northward_wind": 0.0,
...     "air_pressure_at_mean_sea_level": 101000.0, "surface_downwelling_shortwave_flux_in_air": 0.0,
...     "surface_downwelling_longwave_flux_in_air": 350.0, "sea_surface_temperature": 295.15}
>>> one = {name: np.array([value]) for name, value in one.items()}
>>> fluxes = SCHEMES["ncar"](**one, temperature_height=2.0)
>>> print(f"{fluxes['surface_downward_latent_heat_flux'][0]:.1f} W m-2")
-90.4 W m-2
"""

from typing import NamedTuple

import numpy as np

from components.science.arrays import operations
from components.science.constants import LATENT_VAPORISATION, STEFAN_BOLTZMANN, ZERO_CELSIUS
from components.science.surface_fields import AIR_OVER_SEA, NET_RADIATION, RADIATING, SURFACE_FLUXES
from coupler.flux_law import FluxLaw, Side
from coupler.namelist import Degrees, Fraction, Metres, Namelist

DELIVERS = (
    *SURFACE_FLUXES,
    *NET_RADIATION,
    "surface_downward_heat_flux_in_sea_water",
    "sea_surface_skin_temperature",
    *RADIATING,
)
AIR = Side(
    needs=AIR_OVER_SEA,
    optional=("wind_speed", "height"),
    gets=DELIVERS,
)
SEA = Side(
    needs=("sea_surface_temperature",),
    optional=("surface_eastward_sea_water_velocity", "surface_northward_sea_water_velocity"),
    gets=DELIVERS,
)
EMISSIVITY = 0.97
ALBEDO = 0.066  # of the sea, daily mean (Large and Yeager 2009)
DRAG_LIMIT = 2.5e-3  # where the sea grows no rougher: Donelan et al. (2004), Powell et al. (2003)
USUAL_HEIGHT = 10.0  # m, of air whose height nobody says

Arrays = dict[str, np.ndarray]


class Options(Namelist):
    """Options of every air-sea law."""

    wind_height: Metres = 0.0
    """Height of the wind above the sea; 0: the height that the atmosphere gives, and 10 m where it gives none."""
    temperature_height: Metres = 0.0
    """Height of temperature and humidity above the sea; 0: as for the wind."""
    albedo: Fraction = ALBEDO
    """Shortwave albedo of the sea."""


class CoareOptions(Options):
    """Options of COARE 3.6."""

    boundary_layer_height: Metres = 600.0
    """Depth of the convective boundary layer, for the gustiness."""
    latitude: Degrees = 45.0
    """Latitude, for gravity."""
    salinity: float = 35.0
    """Salinity of the surface, 1e-3."""
    cool_skin: bool = True
    """Whether the skin is cooler than the water below."""
    drag_limit: Fraction = 0.0
    """Largest neutral drag coefficient at 10 m; 0: none, as published."""


class LimitedOptions(CoareOptions):
    """Options of COARE 3.6 under a largest drag coefficient."""

    drag_limit: Fraction = DRAG_LIMIT
    """Largest neutral drag coefficient at 10 m."""


class Surface(NamedTuple):
    """Both sides of the sea surface at some points, contiguous double arrays (n,).

    Attributes
    ----------
    t_a, q, p : temperature (K), specific humidity (kg kg-1) and sea level pressure (Pa) of the air
    sst : sea surface temperature, K
    solar, thermal : downwelling shortwave and longwave, W m-2
    z_u, z_t : heights of the wind, and of temperature and humidity, m
    du, dv : wind relative to the water, m s-1
    speed : speed that exchanges heat, m s-1
    """

    t_a: np.ndarray
    q: np.ndarray
    p: np.ndarray
    sst: np.ndarray
    solar: np.ndarray
    thermal: np.ndarray
    z_u: np.ndarray
    z_t: np.ndarray
    du: np.ndarray
    dv: np.ndarray
    speed: np.ndarray


def _surface(air, sea, options):
    """Both sides' fields as `Surface`.

    A mean wind vector is shorter than the mean speed of the winds it is the mean of. Where the atmosphere
    also gives the mean speed, the missing variance is kept as gustiness: S^2 = |u_a - u_o|^2 + (speed^2 -
    |u_a|^2).
    """
    t_a, q, u, v, p, solar, thermal = (air[name] for name in AIR.needs)
    (sst,) = (sea[name] for name in SEA.needs)
    mean_speed, height = (air.get(name) for name in AIR.optional)
    current_u, current_v = (sea.get(name, 0.0) for name in SEA.optional)
    height = USUAL_HEIGHT if height is None else height
    n, xp = len(sst), operations(*air.values(), *sea.values())
    u, v = xp.points(n, u), xp.points(n, v)
    du, dv = u - current_u, v - current_v
    squared = du * du + dv * dv
    if mean_speed is not None:
        squared = squared + xp.maximum(mean_speed * mean_speed - (u * u + v * v), 0.0)
    z_u, z_t = options.wind_height or height, options.temperature_height or height
    fields = t_a, q, p, sst, solar, thermal, z_u, z_t, du, dv, xp.root(squared)
    return Surface(*(xp.points(n, field) for field in fields))


def _assemble(turbulent, skin, s, albedo):
    """Everything a flux node delivers, from the turbulent fluxes, the skin's temperature and the radiation."""
    sensible, _, stress, evaporation = turbulent
    # What the sea loses, the air gains with the vapour: one latent heat, whichever the law used inside.
    latent = -LATENT_VAPORISATION * evaporation
    xp = operations(*s)
    along = stress / xp.maximum(s.speed, 1.0e-3)
    t2 = skin * skin
    emitted = EMISSIVITY * STEFAN_BOLTZMANN * t2 * t2
    longwave_up = emitted + (1.0 - EMISSIVITY) * s.thermal
    shortwave_up = albedo * s.solar
    net_longwave, net_shortwave = s.thermal - longwave_up, s.solar - shortwave_up
    values = (
        sensible,
        latent,
        along * s.du,
        along * s.dv,
        evaporation,
        longwave_up,
        shortwave_up,
        net_longwave,
        net_shortwave,
        net_shortwave + net_longwave + sensible + latent,
        skin,
        emitted,
        xp.points(len(skin), EMISSIVITY),
        xp.points(len(skin), albedo),
    )
    return dict(zip(DELIVERS, values, strict=True))


def ncar(air, sea, options) -> Arrays:
    """Air-sea fluxes of Large and Yeager (2004, 2009), the law of CORE and of NCAR's ocean.

    Parameters
    ----------
    air, sea : mapping of str to array (n,)
        Fields of `AIR` and `SEA`, SI units; the mean wind speed, the height of the air's values and the currents are
        optional.
    options : Options

    Returns
    -------
    dict of arrays (n,), by the names of `DELIVERS`.
    """
    s = _surface(air, sea, options)
    if isinstance(s.sst, np.ndarray):
        from components.atmosphere.air_sea.kernels.ncar import ncar_points
    else:
        from components.atmosphere.air_sea.tensors import ncar_points
    turbulent = ncar_points(s.t_a, s.q, s.speed, s.p, s.sst, s.z_u, s.z_t)
    return _assemble(turbulent, s.sst, s, options.albedo)


def coare(air, sea, options) -> Arrays:
    """Air-sea fluxes of COARE 3.6 (Fairall et al. 2003, Edson et al. 2013) with a cool skin, without waves.

    Above some 33 m/s the sea grows no rougher (Powell et al. 2003, Donelan et al. 2004); the published law goes on.
    ``drag_limit`` bounds its neutral drag coefficient at 10 m: the scheme `coare_limited` does so by default.

    The warm layer (`kernels.warm_layer`) has a memory, which a flux law has not: `sea_surface_temperature` is that
    below the cool skin.

    Parameters
    ----------
    air, sea : mapping of str to array (n,)
        As in `ncar`.
    options : CoareOptions

    Returns
    -------
    dict of arrays (n,), by the names of `DELIVERS`.
    """
    from components.atmosphere.air_sea.kernels.coare import coare_points

    s = _surface(air, sea, options)
    given = options.salinity, options.boundary_layer_height, options.latitude
    salinity, z_i, latitude = (operations().points(s.sst.size, value) for value in given)
    result = coare_points(
        s.t_a - ZERO_CELSIUS,
        s.q,
        s.speed,
        0.01 * s.p,
        s.sst - ZERO_CELSIUS,
        (1.0 - options.albedo) * s.solar,
        s.thermal,
        salinity,
        z_i,
        latitude,
        s.z_u,
        s.z_t,
        s.z_t,
        options.cool_skin,
        options.drag_limit,
    )
    return _assemble(result[:4], s.sst - result[4], s, options.albedo)


SCHEMES = {
    "ncar": FluxLaw(ncar, AIR, SEA, Options, differentiable=True),
    "coare": FluxLaw(coare, AIR, SEA, CoareOptions),
    "coare_limited": FluxLaw(coare, AIR, SEA, LimitedOptions),
}
