"""Air-sea flux laws by name, as the coupler runs them on the exchange grid between atmosphere and ocean.

A law is a function of 1-D arrays of points; every point is computed by itself, so its bits depend neither on
how many points there are nor on where a block of them ends. All fluxes carry CF standard names: a
``downward`` flux is positive into the sea, ``upwelling`` radiation and `water_evapotranspiration_flux` are
positive out of it.

>>> import numpy as np
>>> one = {"air_temperature": 293.15, "specific_humidity": 0.012, "eastward_wind": 5.0, "northward_wind": 0.0,
...     "air_pressure_at_mean_sea_level": 101000.0, "surface_downwelling_shortwave_flux_in_air": 0.0,
...     "surface_downwelling_longwave_flux_in_air": 350.0, "sea_surface_temperature": 295.15}
>>> one = {name: np.array([value]) for name, value in one.items()}
>>> fluxes = SCHEMES["ncar"](**one, temperature_height=2.0)
>>> print(f"{fluxes['surface_downward_latent_heat_flux'][0]:.1f} W m-2")
-88.5 W m-2
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

NEEDS_ATMOSPHERE = (
    "air_temperature",
    "specific_humidity",
    "eastward_wind",
    "northward_wind",
    "air_pressure_at_mean_sea_level",
    "surface_downwelling_shortwave_flux_in_air",
    "surface_downwelling_longwave_flux_in_air",
)
OPTIONAL_ATMOSPHERE = ("wind_speed",)
NEEDS_OCEAN = ("sea_surface_temperature",)
OPTIONAL_OCEAN = ("surface_eastward_sea_water_velocity", "surface_northward_sea_water_velocity")
DELIVERS = (
    "surface_downward_sensible_heat_flux",
    "surface_downward_latent_heat_flux",
    "surface_downward_eastward_stress",
    "surface_downward_northward_stress",
    "water_evapotranspiration_flux",
    "surface_upwelling_longwave_flux_in_air",
    "surface_upwelling_shortwave_flux_in_air",
    "surface_net_downward_longwave_flux",
    "surface_net_downward_shortwave_flux",
    "surface_downward_heat_flux_in_sea_water",
    "sea_surface_skin_temperature",
)
EMISSIVITY = 0.97
STEFAN_BOLTZMANN = 5.670374e-8
ALBEDO = 0.066  # of the sea, daily mean (Large and Yeager 2009)
CELSIUS = 273.15

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class FluxScheme:
    """A flux law: what it needs from either side, what it delivers, its options; calling it computes.

    Parameters
    ----------
    name : str
        Word in the namelist.
    law : callable
        The function behind it.
    options : mapping
        Its options and their defaults: numbers, or arrays of the points' shape.
    """

    name: str
    law: Callable[..., Arrays]
    options: Mapping[str, object] = field(default_factory=dict)
    needs_atmosphere: tuple[str, ...] = NEEDS_ATMOSPHERE
    optional_atmosphere: tuple[str, ...] = OPTIONAL_ATMOSPHERE
    needs_ocean: tuple[str, ...] = NEEDS_OCEAN
    optional_ocean: tuple[str, ...] = OPTIONAL_OCEAN
    delivers: tuple[str, ...] = DELIVERS

    def __call__(self, **fields: object) -> Arrays:
        """Fluxes from fields by CF name (1-D arrays) and options; see `ncar` and `coare`."""
        return self.law(**fields)


def _relative_wind(eastward_wind, northward_wind, wind_speed, current_u, current_v):
    """Vector of the wind relative to the water, and the speed that exchanges heat, m s-1.

    A mean wind vector is shorter than the mean speed of the winds it is the mean of. Where the atmosphere
    also gives the mean speed, the missing variance is kept as gustiness: S^2 = |u_a - u_o|^2 + (speed^2 -
    |u_a|^2).
    """
    du, dv = eastward_wind - current_u, northward_wind - current_v
    squared = du * du + dv * dv
    if wind_speed is not None:
        mean = eastward_wind * eastward_wind + northward_wind * northward_wind
        squared = squared + np.maximum(wind_speed * wind_speed - mean, 0.0)
    return du, dv, np.sqrt(squared)


def _assemble(turbulent, skin, du, dv, speed, shortwave_down, longwave_down, albedo):
    """Everything a flux node delivers, from the turbulent fluxes and the radiation."""
    sensible, latent, stress, evaporation = turbulent
    along = stress / np.maximum(speed, 1.0e-3)
    t2 = skin * skin
    longwave_up = EMISSIVITY * STEFAN_BOLTZMANN * t2 * t2 + (1.0 - EMISSIVITY) * longwave_down
    shortwave_up = albedo * shortwave_down
    net_longwave, net_shortwave = longwave_down - longwave_up, shortwave_down - shortwave_up
    values = (
        sensible,
        latent,
        along * du,
        along * dv,
        evaporation,
        longwave_up,
        shortwave_up,
        net_longwave,
        net_shortwave,
        net_shortwave + net_longwave + sensible + latent,
        skin,
    )
    return dict(zip(DELIVERS, values, strict=True))


def _points(n, *values):
    """Contiguous float64 arrays of ``n`` points from arrays or single numbers."""
    return tuple(np.ascontiguousarray(np.broadcast_to(np.asarray(v, dtype=np.float64), (n,))) for v in values)


def ncar(
    *,
    air_temperature,
    specific_humidity,
    eastward_wind,
    northward_wind,
    air_pressure_at_mean_sea_level,
    surface_downwelling_shortwave_flux_in_air,
    surface_downwelling_longwave_flux_in_air,
    sea_surface_temperature,
    wind_speed=None,
    surface_eastward_sea_water_velocity=0.0,
    surface_northward_sea_water_velocity=0.0,
    wind_height=10.0,
    temperature_height=10.0,
    albedo=ALBEDO,
):
    """Air-sea fluxes of Large and Yeager (2004, 2009), the law of CORE and of NCAR's ocean.

    Parameters
    ----------
    air_temperature, sea_surface_temperature : array (n,), K
    specific_humidity : array (n,), kg kg-1
    eastward_wind, northward_wind, wind_speed : array (n,), m s-1; the mean speed is optional, see
        `_relative_wind`
    surface_eastward_sea_water_velocity, surface_northward_sea_water_velocity : array (n,), m s-1, optional
    air_pressure_at_mean_sea_level : array (n,), Pa
    surface_downwelling_shortwave_flux_in_air, surface_downwelling_longwave_flux_in_air : array (n,), W m-2
    wind_height, temperature_height : float or array (n,), m; humidity is measured where temperature is
    albedo : float or array (n,)

    Returns
    -------
    dict of arrays (n,), by the names of `DELIVERS`.
    """
    from components.atmosphere.air_sea.kernels.ncar import ncar_points

    n = np.size(sea_surface_temperature)
    t_a, q, p, sst, solar, thermal, z_u, z_t = _points(
        n,
        air_temperature,
        specific_humidity,
        air_pressure_at_mean_sea_level,
        sea_surface_temperature,
        surface_downwelling_shortwave_flux_in_air,
        surface_downwelling_longwave_flux_in_air,
        wind_height,
        temperature_height,
    )
    du, dv, speed = _relative_wind(
        *_points(n, eastward_wind, northward_wind),
        wind_speed,
        surface_eastward_sea_water_velocity,
        surface_northward_sea_water_velocity,
    )
    turbulent = ncar_points(t_a, q, speed, p, sst, z_u, z_t)
    return _assemble(turbulent, sst, du, dv, speed, solar, thermal, albedo)


def coare(
    *,
    air_temperature,
    specific_humidity,
    eastward_wind,
    northward_wind,
    air_pressure_at_mean_sea_level,
    surface_downwelling_shortwave_flux_in_air,
    surface_downwelling_longwave_flux_in_air,
    sea_surface_temperature,
    wind_speed=None,
    surface_eastward_sea_water_velocity=0.0,
    surface_northward_sea_water_velocity=0.0,
    wind_height=10.0,
    temperature_height=10.0,
    albedo=ALBEDO,
    boundary_layer_height=600.0,
    latitude=45.0,
    salinity=35.0,
    cool_skin=True,
    warm_layer=0.0,
):
    """Air-sea fluxes of COARE 3.6 (Fairall et al. 2003, Edson et al. 2013) with a cool skin, without waves.

    Parameters
    ----------
    air_temperature, ..., albedo
        As in `ncar`; `sea_surface_temperature` is that below the cool skin.
    boundary_layer_height : float or array (n,), m, for the gustiness
    latitude : float or array (n,), degrees, for gravity
    salinity : float or array (n,), 1e-3
    cool_skin : bool
    warm_layer : float or array (n,), K
        Warming between the depth of the given temperature and the surface, from
        `components.atmosphere.air_sea.kernels.warm_layer`; it has a memory, which a flux law has not.

    Returns
    -------
    dict of arrays (n,), by the names of `DELIVERS`.
    """
    from components.atmosphere.air_sea.kernels.coare import coare_points

    n = np.size(sea_surface_temperature)
    t_a, q, p, sst, solar, thermal, z_u, z_t, z_i, lat, salt, warm, reflect = _points(
        n,
        air_temperature,
        specific_humidity,
        air_pressure_at_mean_sea_level,
        sea_surface_temperature,
        surface_downwelling_shortwave_flux_in_air,
        surface_downwelling_longwave_flux_in_air,
        wind_height,
        temperature_height,
        boundary_layer_height,
        latitude,
        salinity,
        warm_layer,
        albedo,
    )
    du, dv, speed = _relative_wind(
        *_points(n, eastward_wind, northward_wind),
        wind_speed,
        surface_eastward_sea_water_velocity,
        surface_northward_sea_water_velocity,
    )
    result = coare_points(
        t_a - CELSIUS,
        q,
        speed,
        0.01 * p,
        sst + warm - CELSIUS,
        (1.0 - reflect) * solar,
        thermal,
        salt,
        z_i,
        lat,
        z_u,
        z_t,
        z_t,
        bool(cool_skin),
    )
    return _assemble(result[:4], sst + warm - result[4], du, dv, speed, solar, thermal, reflect)


SCHEMES = {
    "ncar": FluxScheme("ncar", ncar, {"wind_height": 10.0, "temperature_height": 10.0, "albedo": ALBEDO}),
    "coare": FluxScheme(
        "coare",
        coare,
        {
            "wind_height": 10.0,
            "temperature_height": 10.0,
            "albedo": ALBEDO,
            "boundary_layer_height": 600.0,
            "latitude": 45.0,
            "salinity": 35.0,
            "cool_skin": True,
        },
    ),
}
