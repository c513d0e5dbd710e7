# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP (Pincus, Mlawer & Delamere 2019): its k-distribution and cloud optics, in this project's own kernels.

Single precision, one core, g-points in the vector lanes. The longwave does not scatter; the shortwave is two-stream.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.radiation.full_columns import FullColumns
from components.radiation.kernels.longwave import longwave
from components.radiation.kernels.shortwave import shortwave
from components.radiation.rrtmgp_tables import LONGWAVE, MOLECULES, SHORTWAVE, cloud_tables, gas_tables
from components.radiation.spectral_scheme import SpectralScheme
from components.science.constants import GRAVITY, SOLAR_CONSTANT
from components.science.gases import Gases
from components.science.scheme_constants import RRTMGP_MOLAR_DRY as MOLAR_DRY
from components.science.scheme_constants import RRTMGP_MOLAR_WATER as MOLAR_WATER
from coupler.compiled import announce

Array = npt.NDArray[Any]

AVOGADRO = 6.02214076e23  # mol-1
FLUXES = ("lw_up", "lw_down", "sw_up", "sw_down")
HIGHEST = 1.006  # Pa: the tables end there
COLDEST, HOTTEST = 50.0, 500.0  # K, of what can be air at all; the tables themselves go from 160 to 355 K


class Columns(NamedTuple):
    """What the kernels see: (nlev, n) layers, lowest first, (nlev + 1, n) interfaces and (n,) planes.

    Attributes
    ----------
    p, t, t_interface : Pa, K, K
    amounts : (3, nlev, n) dry air, vapour and ozone, 1e20 molecules cm-2
    liquid, ice : water paths of cloud, kg m-2
    t_surface, emissivity, albedo, mu : of the ground, and the cosine of the sun's zenith angle
    """

    p: Array
    t: Array
    t_interface: Array
    amounts: Array
    liquid: Array
    ice: Array
    t_surface: Array
    emissivity: Array
    albedo: Array
    mu: Array


class Rrtmgp(SpectralScheme):
    """RRTMGP longwave and shortwave for sets of columns.

    Parameters
    ----------
    gases : mole fractions of the well-mixed gases
    liquid_radius : effective radius of droplets, micrometres (2.5 to 21.5)
    ice_radius : effective radius of ice, micrometres (5 to 90)
    real : precision of the kernels, ``np.float32`` or ``np.float64``
    """

    def __init__(
        self, gases: Gases | None = None, liquid_radius: float = 10.0, ice_radius: float = 40.0, real: Any = np.float32
    ):
        self.gases, self.real = gases or Gases(), real
        self.radius, self.diameter = real(liquid_radius), real(2.0 * ice_radius)
        self._lw, self._sw = (gas_tables(path, self.gases, real) for path in (LONGWAVE, SHORTWAVE))
        self._lw_cloud, self._sw_cloud = (cloud_tables(path, real) for path in (LONGWAVE, SHORTWAVE))

    def of_full(self, columns: FullColumns, distance: float = 1.0) -> dict[str, Array]:
        """Fluxes (nlev+1, n) W m-2 of whole columns: ``lw_up``, ``lw_down``, ``sw_up``, ``sw_down``.

        A column that is no air (a value that is not finite, a temperature beyond 50 to 500 K, pressure that does not
        fall with height) gets fluxes that are not numbers.

        Parameters
        ----------
        columns : whole columns of n places
        distance : (mean / actual distance of the sun)^2
        """
        announce(longwave, "RRTMGP's kernels", 15)
        given = FullColumns._make(a.numpy() for a in columns)
        bad = ~_is_air(given)
        if bad.all():
            return {name: np.full(given.p_interface.shape, np.nan) for name in FLUXES}
        if bad.any():  # tables are read where the numbers say: in the place of these stands the first good column
            order = np.where(bad, np.flatnonzero(~bad)[0], np.arange(bad.size))
            given = FullColumns(*(a[..., order] for a in given))
        c = self._columns(given)
        out = {name: np.zeros(given.p_interface.shape, self.real) for name in FLUXES}
        longwave(self._lw, self._lw_cloud, c, self.radius, self.diameter, out["lw_up"], out["lw_down"])
        sunlight = self.real(SOLAR_CONSTANT * distance)
        shortwave(self._sw, self._sw_cloud, c, sunlight, self.radius, self.diameter, out["sw_up"], out["sw_down"])
        return {name: np.where(bad, np.nan, flux.astype(np.float64)) for name, flux in out.items()}

    def _columns(self, c: Any) -> Columns:
        """Whole columns as the kernels want them; the layer's dry air from its weight (Pa) and its vapour."""
        q_v, ozone = np.maximum(c.q_v, 0.0), np.maximum(c.ozone, 0.0)
        vapour = q_v * (MOLAR_DRY / MOLAR_WATER)
        weight = (c.p_interface[:-1] - c.p_interface[1:]) / (GRAVITY * (1.0 + q_v) * MOLAR_DRY)  # mol m-2 of dry air
        dry = 1.0e-4 * AVOGADRO / MOLECULES * weight
        f = lambda a: np.ascontiguousarray(a, dtype=self.real)  # noqa: E731
        return Columns(
            f(np.maximum(c.p, HIGHEST)), f(c.t), f(c.t_interface), f(np.stack([dry, dry * vapour, dry * ozone])),
            f(c.liquid), f(c.ice), f(c.t_surface), f(c.emissivity), f(c.albedo), f(c.mu),
        )  # fmt: skip


def _is_air(c: Any) -> npt.NDArray[np.bool_]:
    """Which of the columns (n,) the tables can be asked about."""
    finite = np.logical_and.reduce([np.isfinite(a).reshape(-1, a.shape[-1]).all(axis=0) for a in c])
    warm = [(a > COLDEST) & (a < HOTTEST) for a in (*c.t, *c.t_interface, c.t_surface)]
    return (
        finite
        & np.logical_and.reduce(warm)
        & (np.diff(c.p_interface, axis=0) < 0.0).all(axis=0)
        & (c.p > 0.0).all(axis=0)
    )
