# SPDX-License-Identifier: BSD-3-Clause
"""RRTMG (Mlawer et al. 1997; Iacono et al. 2008) through the library ``climt``, on the model's columns."""

from datetime import datetime
from typing import Any

import numpy as np

from components.radiation.full_columns import FullColumns
from components.radiation.spectral_scheme import Array, SpectralScheme
from components.science.constants import SOLAR_CONSTANT
from components.science.gases import Gases

AT_ONCE = 512  # columns of a call: the library wants their optical depths in every band at once, 60 kB a column
TRACE = 1.0e-9  # kg m-2, water path that counts as liquid and does not matter


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
        self._sw = climt.RRTMGShortwave(cloud_overlap_method="maximum_random", ignore_day_of_year=True)

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
        """
        p, p_interface, t, t_interface, q_v, ozone, t_surface, albedo, mu = (
            np.ascontiguousarray(a, dtype=np.float64)
            for a in (p, p_interface, t, t_interface, q_v, ozone, t_surface, albedo, mu)
        )
        nlev, n = p.shape
        zero = np.zeros((nlev, n))
        if fraction is not None and liquid is not None:
            # with liquid above layers of pure ice, the library forgets that ice in some of its bands (57 W m-2 seen)
            liquid = np.maximum(liquid, TRACE * fraction)
        g = self.gases
        common: dict[str, Any] = {
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
        }
        for name in (
            "carbon_dioxide",
            "methane",
            "nitrous_oxide",
            "oxygen",
            "cfc11",
            "cfc12",
            "cfc22",
            "carbon_tetrachloride",
        ):
            common[f"mole_fraction_of_{name}_in_air"] = zero + getattr(g, name)
        lw = self._lw.array_call(
            {
                **common,
                "surface_longwave_emissivity": np.zeros((16, n)) + emissivity,
                "longwave_optical_thickness_due_to_cloud": np.zeros((nlev, n, 16)),
                "longwave_optical_thickness_due_to_aerosol": np.zeros((16, nlev, n)),
            }
        )[1]
        sun = np.flatnonzero(mu > 1e-4)
        sw_up, sw_down = np.zeros((nlev + 1, n)), np.zeros((nlev + 1, n))
        if sun.size:
            day: dict[str, Any] = {k: np.ascontiguousarray(v[..., sun]) for k, v in common.items()}
            m = sun.size
            for band in ("direct_shortwave", "direct_near_infrared", "diffuse_shortwave", "diffuse_near_infrared"):
                day[f"surface_albedo_for_{band}"] = np.ascontiguousarray(albedo[sun])
            for name in ("optical_thickness_due_to_cloud",):
                day[f"shortwave_{name}"] = np.zeros((nlev, m, 14))
            for name in (
                "single_scattering_albedo_due_to_cloud",
                "cloud_asymmetry_parameter",
                "cloud_forward_scattering_fraction",
            ):
                day[name] = np.zeros((nlev, m, 14))
            for name in (
                "shortwave_optical_thickness_due_to_aerosol",
                "single_scattering_albedo_due_to_aerosol",
                "aerosol_asymmetry_parameter",
            ):
                day[name] = np.zeros((14, nlev, m))
            day["aerosol_optical_depth_at_55_micron"] = np.zeros((6, nlev, m))
            day["zenith_angle"] = np.arccos(np.clip(mu[sun], 1e-4, 1.0))
            day["solar_cycle_fraction"] = np.array(0.0)
            day["flux_adjustment_for_earth_sun_distance"] = np.array(distance)
            day["time"] = datetime(2001, 1, 1)
            sw = self._sw.array_call(day)[1]
            sw_up[:, sun] = sw["upwelling_shortwave_flux_in_air"]
            sw_down[:, sun] = sw["downwelling_shortwave_flux_in_air"]
        return {
            "lw_up": lw["upwelling_longwave_flux_in_air"],
            "lw_down": lw["downwelling_longwave_flux_in_air"],
            "sw_up": sw_up,
            "sw_down": sw_down,
        }

    def of_full(self, columns: FullColumns, distance: float = 1.0) -> dict[str, Array]:
        """`fluxes` of whole columns (double precision, on the CPU).

        Parameters
        ----------
        columns : whole columns of n places
        distance : (mean / actual distance of the sun)^2
        """
        parts = []
        for first in range(0, max(columns.p.shape[-1], 1), AT_ONCE):
            c: Any = FullColumns._make(a[..., first : first + AT_ONCE].numpy() for a in columns)
            clouds = {"liquid": c.liquid, "ice": c.ice, "fraction": c.fraction}
            gas = (c.p, c.p_interface, c.t, c.t_interface, c.q_v, c.ozone)
            ground = (c.t_surface, c.albedo, c.mu)
            parts.append(self.fluxes(*gas, *ground, emissivity=c.emissivity, distance=distance, **clouds))
        return {name: np.concatenate([part[name] for part in parts], axis=-1) for name in parts[0]}
