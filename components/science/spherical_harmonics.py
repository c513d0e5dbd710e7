# SPDX-License-Identifier: BSD-3-Clause
"""Transforms between a latitude-longitude grid of the whole globe and spherical harmonics.

Y_n^m = P_n^m(sin lat) exp(i m lon), with P normalised to int P^2 d(mu) = 1; triangular truncation. Derivatives follow
Machenhauer (1979, GARP Publ. Ser. 17, II). The quadrature over latitude interpolates: Gauss's weights on Gaussian
latitudes, Fejer's second rule on equally spaced ones. Rows at the poles are left out of the quadrature.
"""

import numpy as np
import numpy.typing as npt

from components.science.constants import EARTH_RADIUS

Array = npt.NDArray[np.float64]
Coefficients = npt.NDArray[np.complex128]


class SphericalHarmonics:
    """Harmonics of degree 0 ... ``truncation`` on the rows ``lat`` (degrees, any order) of ``nlon`` equal steps from 0.

    Coefficients are (m, n) with n >= m; the radius is the earth's.
    """

    def __init__(self, lat: Array, nlon: int, truncation: int):
        self.nlon, self.t = nlon, truncation
        self.off_pole = np.abs(lat) < 89.99
        self.mu = np.sin(np.deg2rad(lat))
        self.cos = np.sqrt(1.0 - self.mu * self.mu)
        mu = self.mu[self.off_pole]
        nodes = np.polynomial.legendre.legvander(mu, mu.size - 1).T
        right = np.zeros(mu.size)
        right[0] = 2.0
        self.weights = np.linalg.solve(nodes, right)
        self.p = legendre(self.mu, truncation + 1)
        m, n = np.arange(truncation + 1)[:, None], np.arange(truncation + 1)[None, :]
        self.m = m
        # (1 - mu^2) dP_n/dmu = (n + 1) e_n P_(n-1) - n e_(n+1) P_(n+1)
        e = np.sqrt(np.maximum(n * n - m * m, 0.0) / (4.0 * n * n - 1.0))
        e_next = np.sqrt(np.maximum((n + 1.0) ** 2 - m * m, 0.0) / (4.0 * (n + 1.0) ** 2 - 1.0))
        lower = np.concatenate([np.zeros((truncation + 1, 1, lat.size)), self.p[:-1, :-2]], 1)
        self.slope = ((n + 1) * e)[..., None] * lower - (n * e_next)[..., None] * self.p[:-1, 1:]
        self.p = self.p[:-1, :-1]
        self.laplacian = -(n * (n + 1.0)) / EARTH_RADIUS**2 + 0.0 * m
        self.inside = n >= m

    def analyse(self, field: Array) -> Coefficients:
        """Coefficients of ``field`` (lat, lon)."""
        return self._project(field[self.off_pole], self.p)

    def synthesise(self, c: Coefficients) -> Array:
        """Field (lat, lon) of coefficients."""
        return self._sum(c, self.p)

    def gradient(self, c: Coefficients) -> tuple[Array, Array]:
        """Eastward and northward derivative (lat, lon) per m; zero in rows at the poles."""
        cos = np.where(self.off_pole, self.cos, np.inf)[:, None] * EARTH_RADIUS
        return self._sum(1j * self.m * c, self.p) / cos, self._sum(c, self.slope) / cos

    def divergence(self, a: Array, b: Array) -> Coefficients:
        """Coefficients of the divergence of the vector (a eastward, b northward) (lat, lon), by parts."""
        keep = self.off_pole
        cos = self.cos[keep][:, None] * EARTH_RADIUS
        return 1j * self.m * self._project(a[keep] / cos, self.p) - self._project(b[keep] / cos, self.slope)

    def curl(self, u: Array, v: Array) -> Coefficients:
        """Coefficients of the vorticity of the wind (u, v) (lat, lon)."""
        return self.divergence(v, -u)

    def inverse_laplacian(self, c: Coefficients) -> Coefficients:
        """Coefficients of the field of zero mean whose Laplacian has the coefficients ``c``."""
        return c / np.where(self.laplacian == 0.0, np.inf, self.laplacian)

    def mean(self, field: Array) -> float:
        """Mean of ``field`` (lat, lon) over the globe."""
        return float(0.5 * self.weights @ field[self.off_pole].mean(1))

    def _project(self, field: Array, functions: Array) -> Coefficients:
        waves = np.fft.rfft(field, axis=1)[:, : self.t + 1] / self.nlon
        weighted = (waves * self.weights[:, None]).T
        out = (functions[..., self.off_pole] @ weighted[..., None])[..., 0]
        return np.asarray(np.where(self.inside, out, 0.0))

    def _sum(self, c: Coefficients, functions: Array) -> Array:
        waves = np.zeros((self.mu.size, self.nlon // 2 + 1), dtype=np.complex128)
        waves[:, : self.t + 1] = np.einsum("mn,mnj->jm", np.where(self.inside, c, 0.0), functions)
        return np.fft.irfft(waves * self.nlon, self.nlon, axis=1)


def legendre(mu: Array, degree: int) -> Array:
    """Associated Legendre functions (m, n, point) up to ``degree``, normalised to int P^2 d(mu) = 1; 0 where n < m."""
    p = np.zeros((degree + 1, degree + 1, mu.size))
    cos = np.sqrt(1.0 - mu * mu)
    sectoral = np.full(mu.size, np.sqrt(0.5))
    for m in range(degree + 1):
        if m:
            sectoral = np.sqrt((2.0 * m + 1.0) / (2.0 * m)) * cos * sectoral
        p[m, m] = sectoral
        if m < degree:
            p[m, m + 1] = np.sqrt(2.0 * m + 3.0) * mu * sectoral
        for n in range(m + 2, degree + 1):
            a = np.sqrt((4.0 * n * n - 1.0) / (n * n - m * m))
            b = np.sqrt(((n - 1.0) ** 2 - m * m) / (4.0 * (n - 1.0) ** 2 - 1.0))
            p[m, n] = a * (mu * p[m, n - 1] - b * p[m, n - 2])
    return p
