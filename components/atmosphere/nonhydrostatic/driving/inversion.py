# SPDX-License-Identifier: BSD-3-Clause
"""Heights of pressure levels from wind and temperature alone.

At the level nearest 500 hPa the nonlinear balance equation (Charney 1955, Tellus 7, 22; on the sphere Houghton 1968, J.
Atmos. Sci. 25, 4) gives the geopotential Phi of the rotational wind k x grad(psi):

    del^2 (Phi + |grad psi|^2 / 2) = div [(f + del^2 psi) grad psi],

which is the divergence equation without divergence, written with the absolute vorticity so that it holds its metric
terms. From there the hydrostatic equation goes up and down. The global mean, which balance leaves open, is set by a
mean sea-level pressure of 1011.0 hPa (Trenberth 1981, J. Geophys. Res. 86, 5238).
"""

import numpy as np
import numpy.typing as npt

from components.science.constants import EARTH_ROTATION, EPSILON_VAPOUR, GRAVITY, R_DRY
from components.science.spherical_harmonics import SphericalHarmonics

Array = npt.NDArray[np.float64]

SEA_LEVEL_PRESSURE = 101100.0
"""Global mean, Pa (Trenberth 1981)."""
BALANCED_LEVEL = 5.0e4
"""Where the flow is nearest to non-divergent, Pa."""
FINEST = 106
"""Largest truncation: 190 km, well below what balance can say."""


def heights(p: Array, lat: Array, lon: Array, u: Array, v: Array, t: Array, q: Array) -> Array:
    """Geopotential heights (level, lat, lon) of pressure levels of the whole globe, m.

    Parameters
    ----------
    p : (level,) Pa, decreasing
    lat, lon : (ny,) and (nx,) degrees
    u, v, t, q : (level, ny, nx) wind (m/s), temperature (K), specific humidity (kg/kg)

    Raises
    ------
    ValueError
        If the data do not reach around the globe, or have no level near 500 hPa or near the ground.
    """
    step = 360.0 / lon.size
    if not np.allclose(np.diff(lon), step, atol=1e-3 * step) or np.abs(lat).max() < 85.0 or lat.min() > -85.0:
        raise ValueError(
            "heights from wind and temperature need the whole globe on equal steps of longitude; the data reach from"
            f" {lat.min():.1f} to {lat.max():.1f} N, {lon.min():.1f} to {lon.max():.1f} E; "
            "add geopotential_height to regional data"
        )
    k = int(np.abs(p - BALANCED_LEVEL).argmin())
    if not 4.0e4 <= p[k] <= 6.0e4 or p[0] < 8.5e4:
        raise ValueError(
            "heights from wind and temperature need a level between 400 and 600 hPa and one below 850 hPa; the data"
            f" have {p[-1] / 100:g} to {p[0] / 100:g} hPa; add such levels, or geopotential_height"
        )
    sphere = SphericalHarmonics(lat, lon.size, truncation(lat, lon.size))
    virtual = t * (1.0 + (1.0 / EPSILON_VAPOUR - 1.0) * q)
    layers = R_DRY / GRAVITY * 0.5 * (virtual[1:] + virtual[:-1]) * np.log(p[:-1] / p[1:])[:, None, None]
    above_lowest = np.concatenate([np.zeros_like(t[:1]), np.cumsum(layers, 0)])
    lowest = R_DRY / GRAVITY * sphere.mean(virtual[0]) * np.log(SEA_LEVEL_PRESSURE / p[0])
    balanced = balanced_geopotential(sphere, lat, u[k], v[k]) / GRAVITY
    balanced += lowest + sphere.mean(above_lowest[k]) - sphere.mean(balanced)
    return np.asarray(balanced + above_lowest - above_lowest[k])


def balanced_geopotential(sphere: SphericalHarmonics, lat: Array, u: Array, v: Array) -> Array:
    """Geopotential (ny, nx), m2 s-2, in nonlinear balance with the wind ``u``, ``v`` (m/s); its mean is arbitrary."""
    vorticity = sphere.curl(u, v)
    d_east, d_north = sphere.gradient(sphere.inverse_laplacian(vorticity))
    absolute = sphere.synthesise(vorticity) + 2.0 * EARTH_ROTATION * np.sin(np.deg2rad(lat))[:, None]
    flux = sphere.divergence(absolute * d_east, absolute * d_north)
    bernoulli = sphere.synthesise(sphere.inverse_laplacian(flux))
    kinetic = 0.5 * (d_east * d_east + d_north * d_north)
    for pole in np.flatnonzero(~sphere.off_pole):
        kinetic[pole] = kinetic[1 if pole == 0 else -2].mean()
    return np.asarray(bernoulli - kinetic)


def truncation(lat: Array, nlon: int) -> int:
    """What the grid resolves: every degree on Gaussian latitudes, two thirds of them on equally spaced ones."""
    mu = np.sin(np.deg2rad(lat[np.abs(lat) < 89.99]))
    rows = mu.size
    gaussian = np.abs(np.sort(mu) - np.polynomial.legendre.leggauss(rows)[0]).max() < 1e-4
    return min((nlon - 1) // 2, rows - 1 if gaussian else 2 * rows // 3, FINEST)
