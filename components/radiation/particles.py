# SPDX-License-Identifier: BSD-3-Clause
"""What radiation by g-points wants to know of clouds besides their paths: sizes, snow, overlap, and a seed a column."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from components.radiation.full_columns import FullColumns, cloud_fraction
from components.radiation.scheme import Air
from components.science.constants import FREEZING_POINT, GRAVITY, R_DRY

Array = npt.NDArray[Any]


SMALLEST, LARGEST = 20.0, 138.0  # micrometres, of ice's generalised size; tables of optics go no further
DIAMETER_OF_SIZE = 1.299  # 3 sqrt(3) / 4: an effective diameter for a generalised size (Fu 1996, J. Climate 9, 2058)


class Particles(NamedTuple):
    """Particles of ``n`` columns of ``nlev`` layers, lowest first.

    Attributes
    ----------
    snow : (nlev, n) path within the clouds, kg m-2
    droplet_radius : (nlev, n) effective radius of droplets, micrometres
    ice_diameter, snow_diameter : (nlev, n) effective diameter, of solid ice of the same mass and area, micrometres
    overlap : (nlev, n) of a layer with the next higher one: 1 maximal, 0 random
    seed : (n,) whole numbers, of the draw of cloudy layers
    """

    snow: Array
    droplet_radius: Array
    ice_diameter: Array
    snow_diameter: Array
    overlap: Array
    seed: Array


def uniform(
    whole: Any, droplet_radius: float = 10.0, ice_diameter: float = 80.0, snow_diameter: float = 200.0,
    overlap_length: float = 2000.0,
) -> Particles:  # fmt: skip
    """Particles of one size everywhere, no snow, one seed.

    Parameters
    ----------
    whole : FullColumns of arrays, or of tensors on the CPU
    droplet_radius, ice_diameter, snow_diameter : micrometres
    overlap_length : distance over which the overlap of clouds falls to 1/e, m (0: random)
    """
    p, t = np.asarray(whole.p), np.asarray(whole.t)
    like = lambda value: np.full(p.shape, float(value))  # noqa: E731
    overlap = exponential_overlap(p, t, overlap_length)
    seed = np.zeros(tuple(whole.mu.shape), np.int64)
    return Particles(like(0.0), like(droplet_radius), like(ice_diameter), like(snow_diameter), overlap, seed)


def exponential_overlap(p: Array, t: Array, length: float) -> Array:
    """Overlap exp(-dz / L) of each layer with the next higher one (Hogan & Illingworth 2000, eq. 6), (nlev, n).

    Parameters
    ----------
    p, t : (nlev, n) pressure (Pa), falling, and temperature (K)
    length : L, m; 0 for random overlap
    """
    out = np.zeros(p.shape)
    if length > 0.0:
        dz = R_DRY / GRAVITY * 0.5 * (t[1:] + t[:-1]) * np.log(p[:-1] / p[1:])
        out[:-1] = np.exp(-dz / length)
    return out


def ice_diameter(t: Array, content: Array) -> Array:
    """Effective diameter of cloud ice, micrometres (Sun & Rikus 1999, Q. J. R. Meteorol. Soc. 125, 3037; Sun 2001).

    Theirs is the generalised size of hexagonal crystals, which is kept between `SMALLEST` and `LARGEST`.

    Parameters
    ----------
    t : K
    content : of ice within the clouds, g m-3
    """
    cold = t - FREEZING_POINT
    some = np.maximum(content, 0.0)
    size = (1.2351 + 0.0105 * cold) * (45.8966 * some**0.2214 + 0.7957 * some**0.2535 * (t - 83.15))
    return np.asarray(DIAMETER_OF_SIZE * np.clip(size, SMALLEST, LARGEST))


def of_air(air: Air, whole: FullColumns, plain: Particles, seed: int = 0, sized: bool = False) -> tuple[Any, Particles]:
    """Columns and particles with the parts of layers that clouds fill, the snow and the seeds that ``air`` has.

    Parameters
    ----------
    air : columns on the CPU, double precision
    whole : of `full_columns`
    plain : of `uniform`
    seed : of the namelist
    sized : whether ice has the size of `ice_diameter`, else that of ``plain``
    """
    columns: Any = FullColumns._make(a.numpy() for a in whole)
    nz, n = air.t.shape[0], columns.mu.size
    above = np.zeros((columns.p.shape[0] - nz, n))
    layers = lambda a: a.reshape(nz, n).numpy()  # noqa: E731
    snow = torch.zeros_like(air.t) if air.snow is None else air.snow
    fraction = cloud_fraction(air.cloud + air.ice + snow) if air.fraction is None else air.fraction
    f = layers(fraction)
    inside = (columns.p_interface[:nz] - columns.p_interface[1 : nz + 1]) / GRAVITY / np.where(f > 0.0, f, 1.0)
    grown = lambda a: np.concatenate([a, above])  # noqa: E731
    path = lambda a: grown(np.where(f > 0.0, inside * layers(torch.clamp(a, min=0.0)), 0.0))  # noqa: E731
    draws = plain.seed
    if air.column is not None:
        draws = seeds(seed, air.column.reshape(-1).numpy(), round(86400.0 * air.day))
    columns = columns._replace(liquid=path(air.cloud), ice=path(air.ice), fraction=grown(f))
    if sized:
        thick = (columns.p_interface[:-1] - columns.p_interface[1:]) / (GRAVITY * columns.p) * (R_DRY * columns.t)
        plain = plain._replace(ice_diameter=ice_diameter(columns.t, 1000.0 * columns.ice / thick))
    return columns, plain._replace(snow=path(snow), seed=draws)


def seeds(seed: int, columns: Array, time: int) -> Array:
    """Seeds (int64) of columns: of the namelist's ``seed``, the number of the column in the whole grid, and the time.

    Parameters
    ----------
    seed : of the namelist
    columns : whole numbers of the columns in the whole grid, row by row
    time : seconds, such as those since 2000 began
    """
    golden, odd = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1342543DE82EF95)
    with np.errstate(over="ignore"):
        x = np.asarray(columns).astype(np.uint64) * odd + np.uint64(time % 2**63) * golden
        x = (x ^ (x >> np.uint64(29))) * odd + np.uint64(seed % 2**63) * golden
        x = (x ^ (x >> np.uint64(32))) * odd
    return (x ^ (x >> np.uint64(29))).view(np.int64)
