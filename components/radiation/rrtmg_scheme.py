# SPDX-License-Identifier: BSD-3-Clause
"""RRTMG (Mlawer et al. 1997; Iacono et al. 2008) through the library ``climt``, on the model's columns."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from components.radiation.aerosol_optics import BandOptics, under_a_clean_sky
from components.radiation.full_columns import FullColumns
from components.radiation.scheme import Air, Radiation
from components.radiation.spectral_scheme import Array, SpectralScheme
from components.science.constants import SOLAR_CONSTANT
from components.science.gases import Gases

AT_ONCE = 512  # columns of a call: the library wants their optical depths in every band at once, 60 kB a column
LEAST = 1.0e-30  # optical depth by which none is divided
TRACE = 1.0e-9  # kg m-2, water path that counts as liquid and does not matter
LONGWAVE_BANDS, SHORTWAVE_BANDS = 16, 14
MIXED = (
    "carbon_dioxide", "methane", "nitrous_oxide", "oxygen", "cfc11", "cfc12", "cfc22", "carbon_tetrachloride",
)  # fmt: skip
ALBEDOS = ("direct_shortwave", "direct_near_infrared", "diffuse_shortwave", "diffuse_near_infrared")
CLOUD_OPTICS = (
    "shortwave_optical_thickness_due_to_cloud",
    "single_scattering_albedo_due_to_cloud",
    "cloud_asymmetry_parameter",
    "cloud_forward_scattering_fraction",
)
AEROSOL_OPTICS = (
    "shortwave_optical_thickness_due_to_aerosol",
    "single_scattering_albedo_due_to_aerosol",
    "aerosol_asymmetry_parameter",
)


class Rrtmg(SpectralScheme):
    """RRTMG longwave and shortwave for sets of columns.

    Raises
    ------
    ImportError
        If ``climt`` or its compiled part is not installed.
    """

    def __init__(self, gases: Gases | None = None):
        import climt
        from sympl import set_constant

        set_constant("stellar_irradiance", SOLAR_CONSTANT, "W m^-2")
        self.gases = gases or Gases()
        self._lw = climt.RRTMGLongwave(cloud_overlap_method="maximum_random", calculate_interface_temperature=False)
        clear, hazy = (
            climt.RRTMGShortwave(cloud_overlap_method="maximum_random", ignore_day_of_year=True, aerosol_type=kind)
            for kind in ("no_aerosol", "all_aerosol_properties")
        )
        self._sw = {False: clear, True: hazy}

    def __call__(self, air: Air, aerosol: BandOptics | None = None) -> Radiation:
        """Radiation of columns with what is above them on top.

        Parameters
        ----------
        air : columns
        aerosol : optical properties of the aerosol in the layers of ``air``, as columns one after the other
        """

        def of(given: Air, whole: FullColumns) -> dict[str, Array]:
            above = whole.p.shape[0] - air.t.shape[0]
            haze = None if aerosol is None else under_a_clean_sky(aerosol, above)
            return self.of_full(whole, given.distance, haze)

        return self._of_air(air, of)

    def fluxes(
        self,
        p: Array,
        p_interface: Array,
        t: Array,
        t_interface: Array,
        q_v: Array,
        ozone: Array,
        t_surface: Array,
        albedo: Array,
        mu: Array,
        *,
        emissivity: Array | float = 1.0,
        distance: float = 1.0,
        liquid: Array | None = None,
        ice: Array | None = None,
        fraction: Array | None = None,
        liquid_radius: float | Array = 10.0,
        ice_radius: float | Array = 40.0,
        gases: Gases | None = None,
        aerosol: BandOptics | None = None,
    ) -> dict[str, Array]:
        """Fluxes (nlev+1, n) W m-2 of ``n`` columns, lowest level first.

        Names: ``lw_up``, ``lw_down``, ``sw_up``, ``sw_down``.

        Parameters
        ----------
        p, p_interface : (nlev, n) and (nlev+1, n) pressure, Pa, decreasing
        t, t_interface : temperature, K
        q_v : vapour mixing ratio to dry air, kg/kg; ``ozone`` mole fraction
        t_surface, albedo, mu : (n,) K, 1, cosine of the zenith angle (0 at night)
        emissivity : of the ground in the longwave
        distance : (mean / actual distance of the sun)^2
        liquid, ice : (nlev, n) in-cloud water paths of the layers, kg m-2; ``fraction`` their cloud fraction, 0 or 1
        liquid_radius, ice_radius : effective radii, micrometres
        gases : mole fractions of the well-mixed gases, numbers or (n,); the scheme's own if not given
        aerosol : optical properties of aerosol by RRTMGP's bands, whose limits are nearly RRTMG's; none without

        Raises
        ------
        ValueError
            Pressure that does not fall with height.
        """
        p, p_interface, t, t_interface, q_v, ozone, t_surface, albedo, mu = (
            np.ascontiguousarray(a, dtype=np.float64)
            for a in (p, p_interface, t, t_interface, q_v, ozone, t_surface, albedo, mu)
        )
        thin = np.argwhere(~(p_interface[1:] < p_interface[:-1]))
        if len(thin):  # the library would divide by it and end the process
            k, column = thin[0]
            raise ValueError(
                f"RRTMG: layer {k + 1} of column {column + 1} has no thickness: expected pressure that falls with"
                f" height, found {p_interface[k, column]:g} Pa below and {p_interface[k + 1, column]:g} Pa above"
                f" ({len(thin)} such layers); if a run blew up, shorten its step; if layers coincide, take fewer"
            )
        zero = np.zeros(p.shape)
        if fraction is not None and liquid is not None:
            # with liquid above layers of pure ice, the library forgets that ice in some of its bands (57 W m-2 seen)
            liquid = np.maximum(liquid, TRACE * fraction)
        columns: dict[str, Any] = {
            "air_pressure": p * 0.01,
            "air_pressure_on_interface_levels": p_interface * 0.01,
            "air_temperature": t,
            "air_temperature_on_interface_levels": t_interface,
            "surface_temperature": t_surface,
            "specific_humidity": q_v,
            "mole_fraction_of_ozone_in_air": ozone,
            "cloud_area_fraction_in_atmosphere_layer": zero if fraction is None else fraction,
            "mass_content_of_cloud_ice_in_atmosphere_layer": zero if ice is None else 1e3 * ice,
            "mass_content_of_cloud_liquid_water_in_atmosphere_layer": zero if liquid is None else 1e3 * liquid,
            "cloud_ice_particle_size": zero + ice_radius,
            "cloud_water_droplet_radius": zero + liquid_radius,
            **{f"mole_fraction_of_{name}_in_air": zero + getattr(gases or self.gases, name) for name in MIXED},
        }
        lw = self._longwave(columns, emissivity, aerosol)
        return {**lw, **self._shortwave(columns, albedo, mu, distance, aerosol)}

    def _longwave(
        self, columns: dict[str, Any], emissivity: Array | float, aerosol: BandOptics | None
    ) -> dict[str, Array]:
        """Fluxes ``lw_up`` and ``lw_down`` of columns by the library's names, clouds by their water paths."""
        nlev, n = columns["air_pressure"].shape
        given = {
            **columns,
            "surface_longwave_emissivity": np.zeros((LONGWAVE_BANDS, n)) + emissivity,
            "longwave_optical_thickness_due_to_cloud": np.zeros((nlev, n, LONGWAVE_BANDS)),
            "longwave_optical_thickness_due_to_aerosol": (
                np.zeros((LONGWAVE_BANDS, nlev, n)) if aerosol is None else np.array(aerosol.longwave[0], np.float64)
            ),
        }
        lw = self._lw.array_call(given)[1]
        return {"lw_up": lw["upwelling_longwave_flux_in_air"], "lw_down": lw["downwelling_longwave_flux_in_air"]}

    def _shortwave(
        self, columns: dict[str, Any], albedo: Array, mu: Array, distance: float, aerosol: BandOptics | None
    ) -> dict[str, Array]:
        """Fluxes ``sw_up`` and ``sw_down``, computed where the sun is up."""
        nlev, n = columns["air_pressure"].shape
        up, down = np.zeros((nlev + 1, n)), np.zeros((nlev + 1, n))
        sun = np.flatnonzero(mu > 1e-4)
        if sun.size:
            by_cloud = nlev, sun.size, SHORTWAVE_BANDS
            lit = np.ascontiguousarray(albedo[sun])
            day = {
                **{name: np.ascontiguousarray(values[..., sun]) for name, values in columns.items()},
                **{f"surface_albedo_for_{band}": lit.copy() for band in ALBEDOS},
                **{name: np.zeros(by_cloud) for name in CLOUD_OPTICS},
                **_aerosol_in(aerosol, sun, nlev),
                "aerosol_optical_depth_at_55_micron": np.zeros((6, nlev, sun.size)),
                "zenith_angle": np.arccos(np.clip(mu[sun], 1e-4, 1.0)),
                "solar_cycle_fraction": np.array(0.0),
                "flux_adjustment_for_earth_sun_distance": np.array(distance),
                "time": datetime(2001, 1, 1),
            }
            sw = self._sw[aerosol is not None].array_call(day)[1]
            up[:, sun] = sw["upwelling_shortwave_flux_in_air"]
            down[:, sun] = sw["downwelling_shortwave_flux_in_air"]
        return {"sw_up": up, "sw_down": down}

    def of_full(
        self, columns: FullColumns, distance: float = 1.0, aerosol: BandOptics | None = None
    ) -> dict[str, Array]:
        """`fluxes` of whole columns (double precision, on the CPU).

        Parameters
        ----------
        columns : whole columns of n places
        distance : (mean / actual distance of the sun)^2
        aerosol : optical properties of aerosol by RRTMGP's bands; none without
        """
        parts = []
        for first in range(0, max(columns.p.shape[-1], 1), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            c: Any = FullColumns._make(a[..., some].numpy() for a in columns)
            gases = _of_columns(self.gases, some)
            clouds = {"liquid": c.liquid, "ice": c.ice, "fraction": c.fraction}
            gas = (c.p, c.p_interface, c.t, c.t_interface, c.q_v, c.ozone)
            haze = None if aerosol is None else BandOptics(*(a[..., some] for a in aerosol))
            given = (*gas, c.t_surface, c.albedo, c.mu)
            parts.append(
                self.fluxes(*given, emissivity=c.emissivity, distance=distance, gases=gases, aerosol=haze, **clouds)
            )
        return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}


def _aerosol_in(aerosol: BandOptics | None, sun: Any, nlev: int) -> dict[str, Array]:
    """The library's inputs (band, nlev, lit columns): its last band, 820 to 2600 cm-1, is RRTMGP's first."""
    if aerosol is None:
        return {name: np.zeros((SHORTWAVE_BANDS, nlev, sun.size)) for name in AEROSOL_OPTICS}
    depth, scattered, forward = np.roll(np.asarray(aerosol.shortwave, np.float64)[..., sun], -1, axis=1)
    albedo = scattered / np.maximum(depth, LEAST)
    parts = depth, albedo, forward / np.maximum(scattered, LEAST)
    return dict(zip(AEROSOL_OPTICS, map(np.ascontiguousarray, parts), strict=True))


def _of_columns(gases: Gases, some: slice) -> Gases:
    """Mole fractions of some columns: numbers are everybody's, arrays (n,) have one a column."""
    given: dict[str, Any] = {name: getattr(gases, name) for name in MIXED}
    return replace(gases, **{name: a[some] if np.ndim(a) else a for name, a in given.items()})
