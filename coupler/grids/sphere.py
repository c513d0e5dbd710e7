# SPDX-License-Identifier: BSD-3-Clause
"""Points, triangles and latitude lenses on the unit sphere."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from coupler.grids.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def to_cartesian(longitude: Floats, latitude: Floats) -> Floats:
    """Unit vectors (n, 3) of points given in degrees, shape (n,); NaN stays NaN, the poles are exact."""
    points = np.empty((longitude.size, 3))
    degree = math.pi / 180.0
    for k in range(longitude.size):
        if abs(latitude[k]) >= 90.0:  # cos(90 degrees) is 6e-17 in floating point
            points[k, 0] = 0.0
            points[k, 1] = 0.0
            points[k, 2] = math.copysign(1.0, latitude[k])
        else:
            # reduced by hand, so that 0 and 360 degrees are one point and quarter turns are exact
            turn = longitude[k] - 360.0 * math.floor(longitude[k] / 360.0)
            quarter = math.floor(turn / 90.0 + 0.5)
            angle = (turn - 90.0 * quarter) * degree
            c, s = math.cos(angle), math.sin(angle)
            if quarter == 1.0:
                c, s = -s, c
            elif quarter == 2.0:
                c, s = -c, -s
            elif quarter == 3.0:
                c, s = s, -c
            r = math.cos(latitude[k] * degree)
            points[k, 0] = r * c
            points[k, 1] = r * s
            points[k, 2] = math.sin(latitude[k] * degree)
    return points


@compiled
def triangle_area(points: Floats, i: int, j: int, k: int) -> float:
    """Signed area of the spherical triangle of three rows of `points` (n, 3), positive counter-clockwise.

    Eriksson (1990): tan(E/2) = a . (b x c) / (1 + a.b + b.c + c.a), here from the chords b - a and c - a, which
    keeps the relative precision of small triangles.
    """
    ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
    ux, uy, uz = points[j, 0] - ax, points[j, 1] - ay, points[j, 2] - az
    vx, vy, vz = points[k, 0] - ax, points[k, 1] - ay, points[k, 2] - az
    wx, wy, wz = vx - ux, vy - uy, vz - uz
    volume = ax * (uy * vz - uz * vy) + ay * (uz * vx - ux * vz) + az * (ux * vy - uy * vx)
    chords = ux * ux + uy * uy + uz * uz + vx * vx + vy * vy + vz * vz + wx * wx + wy * wy + wz * wz
    below = 4.0 - 0.5 * chords
    t = volume / below
    if below > 0.0 and abs(t) < 0.02:
        s = t * t
        return float(2.0 * t * (1.0 - s * (1.0 / 3.0 - s * (0.2 - s * (1.0 / 7.0 - s / 9.0)))))
    return 2.0 * math.atan2(volume, below)


@compiled
def latitude_lens(points: Floats, i: int, j: int) -> float:
    """Signed area between the latitude circle through points[i] and points[j] (same z) and their great circle.

    With x = tan(dlon/2): 2 atan(z x) - 2 z atan(x). To be added to the great-circle area of a counter-clockwise
    polygon that has the edge i -> j along the latitude circle.
    """
    px, py, z = points[i, 0], points[i, 1], points[i, 2]
    qx, qy = points[j, 0], points[j, 1]
    x = (px * (qy - py) - py * (qx - px)) / (px * px + py * py + px * qx + py * qy)
    s, w = x * x, z * z
    if s < 0.01:  # the two terms cancel: take their series
        total, power, m = 0.0, 1.0, w
        for k in range(1, 9):
            total += power * (1.0 - m) / (2 * k + 1)
            power *= -s
            m *= w
        return float(2.0 * z * x * s * total)
    return float(2.0 * (math.atan(z * x) - z * math.atan(x)))


@compiled
def polygon_area(points: Floats, count: int, along_latitude: int) -> float:
    """Signed area of a polygon points[:count]; bit k of `along_latitude` says that edge k follows its latitude."""
    area = 0.0
    for k in range(1, count - 1):
        area += triangle_area(points, 0, k, k + 1)
    if along_latitude != 0:
        for k in range(count):
            if (along_latitude >> k) & 1:
                area += latitude_lens(points, k, k + 1 if k + 1 < count else 0)
    return area
