# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP (Pincus, Mlawer & Delamere 2019): its k-distribution and cloud optics, in this project's own kernels.

Single precision, one core, g-points in the vector lanes. The longwave does not scatter; the shortwave is two-stream.
Clouds that fill a part of a layer are sampled by the g-points (McICA; Pincus, Barker & Morcrette 2003).
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from components.radiation import particles as cloud_particles
from components.radiation.aerosol_optics import BandOptics, under_a_clean_sky
from components.radiation.full_columns import FullColumns, full_columns
from components.radiation.particles import Particles
from components.radiation.rrtmgp_tables import COLDEST_SOURCE, LONGWAVE, MOLECULES, SHORTWAVE, cloud_tables, gas_tables
from components.radiation.scheme import Air, Radiation
from components.radiation.spectral_scheme import SpectralScheme
from components.radiation.standard_atmosphere import columns as standard_columns
from components.science.constants import AVOGADRO, GRAVITY, SOLAR_CONSTANT
from components.science.gases import Gases
from components.science.scheme_constants import RRTMGP_MOLAR_DRY as MOLAR_DRY
from components.science.scheme_constants import RRTMGP_MOLAR_WATER as MOLAR_WATER
from coupler.made_once import compile_once

Array = npt.NDArray[Any]

PRECISIONS = (np.float32, np.float64)
FLUXES = ("lw_up", "lw_down", "sw_up", "sw_down")
HIGHEST = 1.006  # Pa: the tables end there
COLDEST, HOTTEST = 50.0, 500.0  # K, of what can be air at all; the tables themselves go from 160 to 355 K


class Columns(NamedTuple):
    """What the kernels see: (nlev, n) layers, lowest first, (nlev + 1, n) interfaces and (n,) planes.

    Attributes
    ----------
    p, t, t_interface : Pa, K, K
    amounts : (3, nlev, n) dry air, vapour and ozone, 1e20 molecules cm-2
    water : (3, nlev, n) paths of droplets, ice and snow within clouds, kg m-2
    size : (3, nlev, n) effective radius of droplets, effective diameter of ice and snow, micrometres
    fraction, overlap : of clouds; and with those in the next higher layer, 1 for maximal, 0 for random
    seed : (n,) of the draw of cloudy layers
    t_surface, emissivity, albedo, mu : of the ground, and the cosine of the sun's zenith angle
    """

    p: Array
    t: Array
    t_interface: Array
    amounts: Array
    water: Array
    size: Array
    fraction: Array
    overlap: Array
    seed: Array
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
    ice_radius : effective radius of ice, micrometres (5 to 90); None: by temperature and content, see `sized_ice`
    real : precision of the kernels, ``np.float32`` or ``np.float64``
    snow_radius : effective radius of snow, micrometres: that of solid ice with as much area for its mass
    seed : of the draw of cloudy layers, with the column's number and the time
    overlap_length : height over which the overlap of clouds falls from maximal to 1/e of that, m
    """

    def __init__(
        self, gases: Gases | None = None, liquid_radius: float = 10.0, ice_radius: float | None = 40.0,
        real: Any = np.float32, *, snow_radius: float = 100.0, overlap_length: float = 2000.0, seed: int = 0,
    ):  # fmt: skip
        self.gases, self.real, self.seed = gases or Gases(), real, seed
        self._sized = ice_radius is None
        self._plain = (liquid_radius, 2.0 * (ice_radius or 40.0), 2.0 * snow_radius, overlap_length)
        self._lw, self._sw = (gas_tables(path, self.gases, real) for path in (LONGWAVE, SHORTWAVE))
        self._lw_cloud, self._sw_cloud = (cloud_tables(path, real) for path in (LONGWAVE, SHORTWAVE))

    def __call__(self, air: Air, aerosol: BandOptics | None = None) -> Radiation:
        """Radiation of columns with what is above them on top.

        Parameters
        ----------
        air : columns
        aerosol : optical properties of the aerosol in the layers of ``air``, as columns one after the other
        """
        return self._of_air(air, lambda given, whole: self._fluxes_of_air(given, whole, aerosol))

    def _fluxes_of_air(self, air: Air, whole: FullColumns, aerosol: BandOptics | None) -> dict[str, Array]:
        columns, particles = cloud_particles.of_air(air, whole, self._particles(whole), self.seed, self._sized)
        above = whole.p.shape[0] - air.t.shape[0]
        haze = aerosol if aerosol is None else under_a_clean_sky(aerosol, above)
        return self.of_full(FullColumns(*map(torch.as_tensor, columns)), air.distance, particles, haze)

    def _particles(self, whole: FullColumns) -> Particles:
        return cloud_particles.uniform(whole, *self._plain)

    def of_full(
        self, columns: FullColumns, distance: float = 1.0, particles: Particles | None = None,
        aerosol: BandOptics | None = None,
    ) -> dict[str, Array]:  # fmt: skip
        """Fluxes (nlev+1, n) W m-2 of whole columns: ``lw_up``, ``lw_down``, ``sw_up``, ``sw_down``.

        A column that is no air (a value that is not finite, a temperature beyond 50 to 500 K, pressure that does not
        fall with height) gets fluxes that are not numbers.

        Parameters
        ----------
        columns : whole columns of n places
        distance : (mean / actual distance of the sun)^2
        particles : sizes, snow, overlap and seeds; without, the scheme's sizes, no snow, and one seed for all columns
        aerosol : optical properties of aerosol by band; none without
        """
        longwave, shortwave = _kernels()
        given = FullColumns._make(a.numpy() for a in columns)
        parts = particles or self._particles(columns)
        bad = ~_is_air(given)
        if bad.all():
            return {name: np.full(given.p_interface.shape, np.nan) for name in FLUXES}
        if bad.any():  # tables are read where the numbers say: in the place of these stands the first good column
            order = np.where(bad, np.flatnonzero(~bad)[0], np.arange(bad.size))
            given = FullColumns(*(a[..., order] for a in given))
            parts = Particles(*(a[..., order] for a in parts))
        c = self._columns(given, parts)
        optics = aerosol or BandOptics(np.zeros((1, 0, 0, 0)), np.zeros((3, 0, 0, 0)))
        haze = [np.ascontiguousarray(a, self.real) for a in optics]
        out = {name: np.zeros(given.p_interface.shape, self.real) for name in FLUXES}
        longwave(self._lw, self._lw_cloud, c, haze[0], out["lw_up"], out["lw_down"])
        sunlight = self.real(SOLAR_CONSTANT * distance)
        shortwave(self._sw, self._sw_cloud, c, haze[1], sunlight, out["sw_up"], out["sw_down"])
        return {name: np.where(bad, np.nan, flux.astype(np.float64)) for name, flux in out.items()}

    def at_the_top_by_band(self, air: Air) -> tuple[Array, Array]:
        """Longwave that leaves at the top by band: flux (nb, n), W m-2, and brightness temperature (nb, n), K.

        A band is alone where all others emit nothing. A brightness temperature is that of a black body with the same
        flux in the band, 160 K at least.

        Parameters
        ----------
        air : n columns; they must be air (see `of_full`)
        """
        longwave, _ = _kernels()
        given = air.each(lambda a: a.detach().cpu().double() if a.is_floating_point() else a.cpu())
        whole = full_columns(given)
        c = self._columns(*cloud_particles.of_air(given, whole, self._particles(whole), self.seed, self._sized))
        clean = np.zeros((1, 0, 0, 0), self.real)
        up, down = np.zeros(c.t_interface.shape, self.real), np.zeros(c.t_interface.shape, self.real)
        flux, temperature = [], []
        for band, source in enumerate(self._lw.source):
            alone = np.zeros_like(self._lw.source)
            alone[band] = source
            longwave(self._lw._replace(source=alone), self._lw_cloud, c, clean, up, down)
            flux.append(up[-1].astype(np.float64))
            black = float(np.float32(np.pi)) * source.astype(np.float64)
            temperature.append(np.interp(flux[-1], black, COLDEST_SOURCE + np.arange(len(black))))
        return np.stack(flux), np.stack(temperature)

    def _columns(self, c: Any, particles: Particles) -> Columns:
        """Whole columns as the kernels want them; the layer's dry air from its weight (Pa) and its vapour."""
        q_v, ozone = np.maximum(c.q_v, 0.0), np.maximum(c.ozone, 0.0)
        vapour = q_v * (MOLAR_DRY / MOLAR_WATER)
        weight = (c.p_interface[:-1] - c.p_interface[1:]) / (GRAVITY * (1.0 + q_v) * MOLAR_DRY)  # mol m-2 of dry air
        dry = 1.0e-4 * AVOGADRO / MOLECULES * weight
        s = particles
        f = lambda a: np.ascontiguousarray(a, dtype=self.real)  # noqa: E731
        return Columns(
            f(np.maximum(c.p, HIGHEST)), f(c.t), f(c.t_interface), f(np.stack([dry, dry * vapour, dry * ozone])),
            f(np.stack([c.liquid, c.ice, s.snow])), f(np.stack([s.droplet_radius, s.ice_diameter, s.snow_diameter])),
            f(c.fraction), f(s.overlap), np.ascontiguousarray(s.seed, np.int64),
            f(c.t_surface), f(c.emissivity), f(c.albedo), f(c.mu),
        )  # fmt: skip


sized_ice = partial(Rrtmgp, ice_radius=None)
"""RRTMGP as the model runs it: ice of the size of `particles.ice_diameter`. Emulators learnt from one radius."""


def _kernels() -> tuple[Any, Any]:
    """For longwave and for shortwave, compiled."""
    from components.radiation.kernels.longwave import longwave  # numba is slow to load
    from components.radiation.kernels.shortwave import shortwave

    compile_once((longwave, shortwave), compile_kernels, "RRTMGP's kernels", 30)
    return longwave, shortwave


def compile_kernels() -> None:
    """Compile the kernels in both precisions, or load them from the cache."""
    air = standard_columns(4, torch.full((1, 1), 0.5, dtype=torch.float64), 1.0)
    for real in PRECISIONS:
        Rrtmgp(real=real)(air)


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
