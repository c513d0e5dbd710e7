# SPDX-License-Identifier: BSD-3-Clause
"""Overlap area of two polygons on the sphere.

Great-circle edges: Sutherland and Hodgman (1974) with planes through the centre of the sphere. An edge along a
latitude circle is a plane at a distance from the centre; cutting with it keeps the same scheme, but an arc may
cross it twice, and a polygon of two corners (an arc and its chord) has an area.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from coupler.grids.sphere import latitude_lens, triangle_area
from coupler.remap.compiled import compiled

Floats = NDArray[np.float64]
ROOM = 128  # corners an intermediate polygon may have
NEGLIGIBLE = 1e-14  # of the smaller cell's area: the resolution of an edge in double precision


TARGET, TARGET_NORMALS, SOURCE, SOURCE_NORMALS = 0, 32, 64, 96
"""First rows of the bench, the one work array of a thread: both polygons and the normals of their edges, then the
intermediate polygons and distances. Columns: x, y, z, and 1 where the edge from this corner follows its latitude.
One array, because every array a kernel touches is counted by numba."""
ONE, OTHER, DISTANCE = 128, 128 + ROOM, 128 + 2 * ROOM


@compiled
def make_bench() -> Floats:
    """Work array for one thread."""
    return np.zeros((DISTANCE + ROOM, 4))


@compiled
def load(points: Floats, corners: NDArray[np.int32], cell: int, n: int, bench: Floats, at: int) -> None:
    """Copy the `n` corners of a cell to the bench and make the inward normals of its edges behind them.

    The normal of the edge p -> q is p x q, from the chord q - p.

    Parameters
    ----------
    points : (points, 3) corners of all cells, unit vectors
    corners : (cells, n) numbers of their corners
    cell, n : the cell and how many corners it has
    bench : working place, changed
    at : row to write to
    """
    for k in range(n):
        v = corners[cell, k]
        bench[at + k, 0] = points[v, 0]
        bench[at + k, 1] = points[v, 1]
        bench[at + k, 2] = points[v, 2]
    edge_normals(bench, at, n)


@compiled
def edge_normals(bench: Floats, at: int, n: int) -> None:
    """Inward normals of the polygon bench[at : at + n], 32 rows behind it.

    Parameters
    ----------
    bench : working place, changed
    at, n : the polygon's first row and corners
    """
    for k in range(at, at + n):
        m = k + 1 if k + 1 < at + n else at
        x, y, z = bench[k, 0], bench[k, 1], bench[k, 2]
        dx, dy, dz = bench[m, 0] - x, bench[m, 1] - y, bench[m, 2] - z
        bench[k + 32, 0] = y * dz - z * dy
        bench[k + 32, 1] = z * dx - x * dz
        bench[k + 32, 2] = x * dy - y * dx


@compiled
def position(bench: Floats, planes: int, n_planes: int, points: int, n_points: int, tolerance: float) -> int:
    """Where convex polygons stand: 0 an edge separates them, 2 all points are inside all planes, 1 otherwise.

    Parameters
    ----------
    bench : working place
    planes, n_planes : first row and number of the cutting edges
    points, n_points : first row and number of the corners
    tolerance : sine of the angle that counts as none
    """
    inside = True
    for k in range(planes, planes + n_planes):
        nx, ny, nz = bench[k + 32, 0], bench[k + 32, 1], bench[k + 32, 2]
        px, py, pz = bench[k, 0], bench[k, 1], bench[k, 2]
        most, least = -1.0, 1.0
        for m in range(points, points + n_points):
            # relative to a corner of the edge: the plain product n.x loses 1/length in precision
            s = nx * (bench[m, 0] - px) + ny * (bench[m, 1] - py) + nz * (bench[m, 2] - pz)
            most = max(most, s)
            least = min(least, s)
        if most <= tolerance:
            return 0
        if least < -tolerance:
            inside = False
    return 2 if inside else 1


@compiled
def clip(bench: Floats, subject: int, n_subject: int, planes: int, n_planes: int, tolerance: float) -> tuple[int, int]:
    """Cut the polygon at `subject` by the convex polygon at `planes`, all edges great circles.

    Returns the first row and the number of corners of what is left, unit vectors on the bench.

    Parameters
    ----------
    bench : working place, changed
    subject, n_subject : first row and corners of the polygon that is cut
    planes, n_planes : first row and corners of the one that cuts
    tolerance : sine of the angle that counts as none
    """
    current, spare = subject, ONE
    n = n_subject
    for k in range(planes, planes + n_planes):
        nx, ny, nz = bench[k + 32, 0], bench[k + 32, 1], bench[k + 32, 2]
        vx, vy, vz = bench[k, 0], bench[k, 1], bench[k, 2]
        least = 0.0
        for m in range(n):
            s = (
                nx * (bench[current + m, 0] - vx)
                + ny * (bench[current + m, 1] - vy)
                + nz * (bench[current + m, 2] - vz)
            )
            bench[DISTANCE + m, 0] = s
            least = min(least, s)
        if least >= -tolerance:
            continue
        kept = spare
        before = n - 1
        s0 = bench[DISTANCE + before, 0]
        for m in range(n):
            s1 = bench[DISTANCE + m, 0]
            if (s0 >= 0.0) != (s1 >= 0.0):
                t = s0 / (s0 - s1)
                a, b = current + before, current + m
                bench[kept, 0] = bench[a, 0] + t * (bench[b, 0] - bench[a, 0])
                bench[kept, 1] = bench[a, 1] + t * (bench[b, 1] - bench[a, 1])
                bench[kept, 2] = bench[a, 2] + t * (bench[b, 2] - bench[a, 2])
                kept += 1
            if s1 >= 0.0:
                bench[kept, 0] = bench[current + m, 0]
                bench[kept, 1] = bench[current + m, 1]
                bench[kept, 2] = bench[current + m, 2]
                kept += 1
            before, s0 = m, s1
        n = kept - spare
        if n < 3:
            return current, 0
        current = spare
        spare = OTHER if spare == ONE else ONE
    if current != subject:
        for m in range(current, current + n):
            x, y, z = bench[m, 0], bench[m, 1], bench[m, 2]
            scale = 1.0 / math.sqrt(x * x + y * y + z * z)
            bench[m, 0], bench[m, 1], bench[m, 2] = x * scale, y * scale, z * scale
    return current, n


@compiled
def fan_area(bench: Floats, at: int, n: int) -> float:
    """Area of the great-circle polygon bench[at : at + n].

    Parameters
    ----------
    bench : working place
    at, n : the polygon's first row and corners
    """
    area = 0.0
    for m in range(at + 1, at + n - 1):
        area += triangle_area(bench, at, m, m + 1)
    return area


@compiled
def _crossings(
    points: Floats, p: int, q: int, arc_along: bool, nx: float, ny: float, nz: float, offset: float
) -> tuple[int, float, float]:
    """Parameters in (0, 1), ascending, at which the arc p -> q meets the plane n.x = offset: how many, and both.

    The arc is the chord x(t), pushed out to the sphere (great circle, plane across the axis) or to its circle of
    latitude (plane through the centre). Either way (a + b t)^2 = c |x(t)|^2, a quadratic.
    """
    dx, dy, dz = points[q, 0] - points[p, 0], points[q, 1] - points[p, 1], points[q, 2] - points[p, 2]
    px, py, pz = points[p, 0], points[p, 1], points[p, 2]
    if arc_along:
        a, b = nx * px + ny * py, nx * dx + ny * dy
        sign = -nz * pz  # wanted: (a + b t) r / |x(t)| = sign, in the plane of the circle
        c = sign * sign / (px * px + py * py)
        pz = dz = 0.0
    else:
        a, b = pz, dz  # wanted: z(t) / |x(t)| = nz offset
        sign = nz * offset
        c = sign * sign
    # a discriminant without the cancellation of b^2 - 4 a c: the two roots fall together as c goes to zero
    ux, uy, uz = b * px - a * dx, b * py - a * dy, b * pz - a * dz
    wx, wy, wz = py * dz - pz * dy, pz * dx - px * dz, px * dy - py * dx
    root = c * (ux * ux + uy * uy + uz * uz - c * (wx * wx + wy * wy + wz * wz))
    if root < 0.0:
        return 0, 0.0, 0.0
    half = a * b - c * (px * dx + py * dy + pz * dz)
    q0, q2 = a * a - c * (px * px + py * py + pz * pz), b * b - c * (dx * dx + dy * dy + dz * dz)
    w = -(half + math.copysign(math.sqrt(root), half))
    found, first, second = 0, 0.0, 0.0
    for which in range(2):
        if which == 0:
            if q2 == 0.0:
                continue
            x = w / q2
        else:
            if w == 0.0:
                continue
            x = q0 / w
        at = a + b * x  # squaring has mixed in the crossings of the plane's mirror image, unless both are one
        if 0.0 < x < 1.0 and (at * sign >= 0.0 or abs(at) <= 1e-14 * (abs(a) + abs(b))):
            found += 1
            if found == 1:
                first = x
            else:
                first, second = min(first, x), max(first, x)
    return found, first, second


@compiled
def _arc_point(points: Floats, p: int, q: int, along: bool, t: float, k: int) -> None:
    """Write into points[k] the point of the arc p -> q at chord parameter t, a unit vector."""
    x = points[p, 0] + t * (points[q, 0] - points[p, 0])
    y = points[p, 1] + t * (points[q, 1] - points[p, 1])
    z = points[p, 2] + t * (points[q, 2] - points[p, 2])
    if along:
        z = points[p, 2]
        r2 = points[p, 0] * points[p, 0] + points[p, 1] * points[p, 1]
        scale = math.sqrt(r2 / (x * x + y * y))
        points[k, 0], points[k, 1], points[k, 2] = x * scale, y * scale, z
    else:
        scale = 1.0 / math.sqrt(x * x + y * y + z * z)
        points[k, 0], points[k, 1], points[k, 2] = x * scale, y * scale, z * scale


@compiled
def _keep(bench: Floats, p: int, at: int, along: float) -> None:
    bench[at, 0], bench[at, 1], bench[at, 2], bench[at, 3] = bench[p, 0], bench[p, 1], bench[p, 2], along


@compiled
def set_along(bench: Floats, at: int, n: int, along: int) -> None:
    """Mark the edges of bench[at : at + n] that follow their latitude: bit k of `along`.

    Parameters
    ----------
    bench : working place, changed
    at, n : the polygon's first row and corners
    along : bit k: edge k follows its latitude
    """
    for k in range(n):
        bench[at + k, 3] = float((along >> k) & 1)


@compiled
def clip_mixed(bench: Floats, subject: int, n_subject: int, planes: int, n_planes: int) -> tuple[int, int]:
    """Cut `subject` by `planes` where edges of either may follow a latitude (see `set_along`).

    Returns the first row and the number of corners of what is left, marked in the same way.

    Parameters
    ----------
    bench : working place, changed
    subject, n_subject : first row and corners of the polygon that is cut
    planes, n_planes : first row and corners of the one that cuts
    """
    current, spare = subject, ONE
    n = n_subject
    # first the planes through the centre: within their wedge no circle of latitude closes around a pole
    for turn in range(2 * n_planes):
        plane = planes + (turn if turn < n_planes else turn - n_planes)
        plane_along = bench[plane, 3]
        if (plane_along == 1.0) != (turn >= n_planes):
            continue
        nx, ny, nz = bench[plane + 32, 0], bench[plane + 32, 1], bench[plane + 32, 2]
        vx, vy, vz = bench[plane, 0], bench[plane, 1], bench[plane, 2]
        if plane_along == 1.0:  # running east, the inside is north of it
            following = plane + 1 if plane + 1 < planes + n_planes else planes
            east = vx * bench[following, 1] - vy * bench[following, 0]
            nx, ny, nz = 0.0, 0.0, 1.0 if east > 0.0 else -1.0
        for m in range(n):
            p = current + m
            if plane_along == 1.0:
                s = nz * (bench[p, 2] - vz)
            else:
                s = nx * (bench[p, 0] - vx) + ny * (bench[p, 1] - vy) + nz * (bench[p, 2] - vz)
            bench[DISTANCE + m, 0] = s
        kept = spare
        for m in range(n):
            f = m + 1 if m + 1 < n else 0
            p, q = current + m, current + f
            s0, s1 = bench[DISTANCE + m, 0], bench[DISTANCE + f, 0]
            along = bench[p, 3]
            if along == plane_along:
                if s0 >= 0.0:
                    _keep(bench, p, kept, along)
                    kept += 1
                if (s0 >= 0.0) != (s1 >= 0.0) and along == 0.0:
                    _arc_point(bench, p, q, False, s0 / (s0 - s1), kept)
                    bench[kept, 3] = 0.0
                    kept += 1
                continue
            # cut the arc where it crosses, and judge each part by its middle: an end may lie on the plane
            number, t0, t1 = _crossings(bench, p, q, along == 1.0, nx, ny, nz, nz * vz)
            for part in range(number + 1):
                begin = 0.0 if part == 0 else (t0 if part == 1 else t1)
                end = 1.0 if part == number else (t0 if part == 0 else t1)
                o = DISTANCE - 1
                _arc_point(bench, p, q, along == 1.0, 0.5 * (begin + end), o)
                inside = nx * (bench[o, 0] - vx) + ny * (bench[o, 1] - vy) + nz * (bench[o, 2] - vz) >= 0.0
                if part > 0:
                    _arc_point(bench, p, q, along == 1.0, begin, kept)
                    if plane_along == 1.0:
                        bench[kept, 2] = vz
                    bench[kept, 3] = along if inside else plane_along
                elif inside or s0 >= 0.0:
                    _keep(bench, p, kept, along if inside else plane_along)
                else:
                    continue
                kept += 1
                if inside and part == number and s1 < 0.0:  # ends on the plane, as good as
                    _keep(bench, q, kept, plane_along)
                    kept += 1
        n = kept - spare
        current = spare
        spare = OTHER if spare == ONE else ONE
        if n < 2:
            return current, 0
        if 3 * n + 3 > ROOM:
            break
    return current, n


@compiled
def load_triangle(bench: Floats, polygon: Floats, n: int, k: int, at: int) -> float:
    """Put the triangle of corners 0, k, k + 1 of a polygon on the bench; returns its orientation, 1 or -1.

    Parameters
    ----------
    bench : working place, changed
    polygon : (n, 3) unit vectors
    n, k : its corners, and the number of the triangle
    at : row to write to
    """
    first = polygon[0, 3] if k == 1 else 0.0
    last = polygon[n - 1, 3] if k == n - 2 else 0.0
    bench[at], bench[at + 1], bench[at + 2] = polygon[0], polygon[k], polygon[k + 1]
    bench[at, 3], bench[at + 1, 3], bench[at + 2, 3] = first, polygon[k, 3], last
    sign = 1.0
    if triangle_area(bench, at, at + 1, at + 2) < 0.0:
        sign = -1.0
        bench[at + 1], bench[at + 2] = polygon[k + 1], polygon[k]
        bench[at, 3], bench[at + 1, 3], bench[at + 2, 3] = last, polygon[k, 3], first
    edge_normals(bench, at, 3)
    return sign


@compiled
def mixed_area(bench: Floats, at: int, n: int) -> float:
    """Area of the polygon bench[at : at + n] that `clip_mixed` has left.

    Parameters
    ----------
    bench : working place
    at, n : the polygon's first row and corners
    """
    area = fan_area(bench, at, n)
    for m in range(at, at + n):
        if bench[m, 3] == 1.0:
            area += latitude_lens(bench, m, m + 1 if m + 1 < at + n else at)
    return area
