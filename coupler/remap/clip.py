"""Overlap area of two polygons on the sphere.

Great-circle edges: Sutherland and Hodgman (1974) with planes through the centre of the sphere. An edge along a
latitude circle is a plane at a distance from the centre; cutting with it keeps the same scheme, but an arc may
cross it twice, and a polygon of two corners (an arc and its chord) has an area.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coupler.remap.cells import Cells
from coupler.remap.compiled import compiled
from coupler.remap.sphere import latitude_lens, triangle_area

Floats = NDArray[np.float64]
ROOM = 128  # corners an intermediate polygon may have
NEGLIGIBLE = 1e-14  # of the smaller cell's area: the resolution of an edge in double precision


class Bench(NamedTuple):
    """Work arrays of one thread: a target and a source polygon with the normals of their edges, and two spares."""

    target: Floats
    target_normals: Floats
    source: Floats
    source_normals: Floats
    one: Floats
    other: Floats
    one_along: NDArray[np.bool_]
    other_along: NDArray[np.bool_]
    distance: Floats


@compiled
def make_bench() -> Bench:
    """Work arrays for one thread."""
    return Bench(
        np.empty((32, 3)),
        np.empty((32, 3)),
        np.empty((32, 3)),
        np.empty((32, 3)),
        np.empty((ROOM, 3)),
        np.empty((ROOM, 3)),
        np.empty(ROOM, np.bool_),
        np.empty(ROOM, np.bool_),
        np.empty(ROOM),
    )


@compiled
def load(cells: Cells, cell: int, points: Floats) -> int:
    """Copy the corners of a cell; returns their number."""
    n = int(cells.count[cell])
    for k in range(n):
        v = cells.corners[cell, k]
        points[k, 0] = cells.points[v, 0]
        points[k, 1] = cells.points[v, 1]
        points[k, 2] = cells.points[v, 2]
    return n


@compiled
def edge_normals(points: Floats, count: int, normals: Floats) -> None:
    """Inward normals p x q of the edges p -> q of a counter-clockwise polygon, from the chord q - p."""
    for k in range(count):
        m = k + 1 if k + 1 < count else 0
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        dx, dy, dz = points[m, 0] - x, points[m, 1] - y, points[m, 2] - z
        normals[k, 0] = y * dz - z * dy
        normals[k, 1] = z * dx - x * dz
        normals[k, 2] = x * dy - y * dx


@compiled
def position(planes: Floats, normals: Floats, n_planes: int, points: Floats, n_points: int, tolerance: float) -> int:
    """Where convex polygons stand: 0 an edge separates them, 2 all points are inside all planes, 1 otherwise."""
    inside = True
    for k in range(n_planes):
        out = True
        for m in range(n_points):
            s = (
                normals[k, 0] * (points[m, 0] - planes[k, 0])
                + normals[k, 1] * (points[m, 1] - planes[k, 1])
                + normals[k, 2] * (points[m, 2] - planes[k, 2])
            )
            if s > tolerance:
                out = False
            if s < -tolerance:
                inside = False
        if out:
            return 0
    return 2 if inside else 1


@compiled
def clip_area(
    subject: Floats, n_subject: int, planes: Floats, normals: Floats, n_planes: int, bench: Bench, tolerance: float
) -> float:
    """Area of `subject` inside the convex polygon `planes`, all edges great circles."""
    current, spare, s = bench.one, bench.other, bench.distance
    n = n_subject
    for m in range(n):
        for d in range(3):
            current[m, d] = subject[m, d]
    for k in range(n_planes):
        nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
        vx, vy, vz = planes[k, 0], planes[k, 1], planes[k, 2]
        least = 0.0
        for m in range(n):
            # relative to a corner of the edge: the plain product n.x loses 1/length in precision
            s[m] = nx * (current[m, 0] - vx) + ny * (current[m, 1] - vy) + nz * (current[m, 2] - vz)
            least = min(least, s[m])
        if least >= -tolerance:
            continue
        kept = 0
        for m in range(n):
            f = m + 1 if m + 1 < n else 0
            if s[m] >= 0.0:
                spare[kept, 0], spare[kept, 1], spare[kept, 2] = current[m, 0], current[m, 1], current[m, 2]
                kept += 1
            if (s[m] >= 0.0) != (s[f] >= 0.0):
                t = s[m] / (s[m] - s[f])
                spare[kept, 0] = current[m, 0] + t * (current[f, 0] - current[m, 0])
                spare[kept, 1] = current[m, 1] + t * (current[f, 1] - current[m, 1])
                spare[kept, 2] = current[m, 2] + t * (current[f, 2] - current[m, 2])
                kept += 1
        current, spare = spare, current
        n = kept
        if n < 3:
            return 0.0
    for m in range(n):
        x, y, z = current[m, 0], current[m, 1], current[m, 2]
        scale = 1.0 / math.sqrt(x * x + y * y + z * z)
        current[m, 0], current[m, 1], current[m, 2] = x * scale, y * scale, z * scale
    area = 0.0
    for m in range(1, n - 1):
        area += triangle_area(current, 0, m, m + 1)
    return area


@compiled
def _crossings(
    points: Floats, p: int, q: int, arc_along: bool, nx: float, ny: float, nz: float, offset: float, t: Floats
) -> int:
    """Parameters in (0, 1), ascending, at which the arc p -> q meets the plane n.x = offset; returns how many.

    The arc is the chord x(t), pushed out to the sphere (great circle, plane across the axis) or to its circle of
    latitude (plane through the centre). Either way (a + b t)^2 = c |x(t)|^2, a quadratic.
    """
    dx, dy, dz = points[q, 0] - points[p, 0], points[q, 1] - points[p, 1], points[q, 2] - points[p, 2]
    px, py, pz = points[p, 0], points[p, 1], points[p, 2]
    if arc_along:
        r2 = px * px + py * py
        a, b = nx * px + ny * py, nx * dx + ny * dy
        level = -nz * pz  # wanted: (a + b t) r / |x(t)| = level
        c = level * level / r2
        e0, e1, e2 = r2, 2.0 * (px * dx + py * dy), dx * dx + dy * dy
        sign = level
    else:
        a, b = pz, dz  # wanted: z(t) / |x(t)| = nz offset
        sign = nz * offset
        c = sign * sign
        e0, e1, e2 = 1.0, 2.0 * (px * dx + py * dy + pz * dz), dx * dx + dy * dy + dz * dz
    q0, q1, q2 = a * a - c * e0, 2.0 * a * b - c * e1, b * b - c * e2
    found = 0
    root = q1 * q1 - 4.0 * q2 * q0
    if root < 0.0:
        return 0
    w = -0.5 * (q1 + math.copysign(math.sqrt(root), q1))
    for which in range(2):
        if which == 0:
            if q2 == 0.0:
                continue
            x = w / q2
        else:
            if w == 0.0:
                continue
            x = q0 / w
        if 0.0 < x < 1.0 and (a + b * x) * sign >= 0.0:
            t[found] = x
            found += 1
    if found == 2 and t[0] > t[1]:
        t[0], t[1] = t[1], t[0]
    return found


@compiled
def _arc_point(points: Floats, p: int, q: int, along: bool, t: float, out: Floats, k: int) -> None:
    """Write into out[k] the point of the arc p -> q at chord parameter t, a unit vector."""
    x = points[p, 0] + t * (points[q, 0] - points[p, 0])
    y = points[p, 1] + t * (points[q, 1] - points[p, 1])
    z = points[p, 2] + t * (points[q, 2] - points[p, 2])
    if along:
        z = points[p, 2]
        r2 = points[p, 0] * points[p, 0] + points[p, 1] * points[p, 1]
        scale = math.sqrt(r2 / (x * x + y * y))
        out[k, 0], out[k, 1], out[k, 2] = x * scale, y * scale, z
    else:
        scale = 1.0 / math.sqrt(x * x + y * y + z * z)
        out[k, 0], out[k, 1], out[k, 2] = x * scale, y * scale, z * scale


@compiled
def clip_area_mixed(
    subject: Floats,
    n_subject: int,
    subject_along: int,
    planes: Floats,
    normals: Floats,
    n_planes: int,
    planes_along: int,
    bench: Bench,
) -> float:
    """Area of `subject` inside `planes` where bit k of the `along` of either says: edge k follows its latitude."""
    current, spare, s = bench.one, bench.other, bench.distance
    along, spare_along = bench.one_along, bench.other_along
    t = np.empty(2)
    middle = np.empty((1, 3))
    n = n_subject
    for m in range(n):
        for d in range(3):
            current[m, d] = subject[m, d]
        along[m] = (subject_along >> m) & 1 == 1
    for k in range(n_planes):
        plane_along = (planes_along >> k) & 1 == 1
        offset = 0.0
        nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
        vx, vy, vz = planes[k, 0], planes[k, 1], planes[k, 2]
        if plane_along:  # running east, the inside is north of it
            following = k + 1 if k + 1 < n_planes else 0
            east = vx * planes[following, 1] - vy * planes[following, 0]
            nx, ny, nz = 0.0, 0.0, 1.0 if east > 0.0 else -1.0
            offset = nz * vz
        for m in range(n):
            s[m] = nx * (current[m, 0] - vx) + ny * (current[m, 1] - vy) + nz * (current[m, 2] - vz)
            if plane_along:
                s[m] = nz * (current[m, 2] - vz)
        kept = 0
        for m in range(n):
            f = m + 1 if m + 1 < n else 0
            inside = s[m] >= 0.0
            crosses = inside != (s[f] >= 0.0)
            if inside:
                spare[kept, 0], spare[kept, 1], spare[kept, 2] = current[m, 0], current[m, 1], current[m, 2]
                spare_along[kept] = along[m]
                kept += 1
            number = 0
            if along[m] == plane_along:
                if crosses and not plane_along:
                    t[0] = s[m] / (s[m] - s[f])
                    number = 1
            else:
                number = _crossings(current, m, f, along[m], nx, ny, nz, offset, t)
            if crosses and number == 2:  # one of them is an end that round-off has put on the wrong side
                _arc_point(current, m, f, along[m], 0.5 * (t[0] + t[1]), middle, 0)
                at = nx * (middle[0, 0] - vx) + ny * (middle[0, 1] - vy) + nz * (middle[0, 2] - vz)
                if (at >= 0.0) == inside:
                    t[0] = t[1]
                number = 1
            elif crosses and number == 0:
                t[0] = 0.0 if abs(s[m]) < abs(s[f]) else 1.0
                number = 1
            elif not crosses and number == 1:
                number = 0
            for c in range(number):
                _arc_point(current, m, f, along[m], t[c], spare, kept)
                if plane_along:
                    spare[kept, 2] = vz
                inside = not inside
                spare_along[kept] = along[m] if inside else plane_along
                kept += 1
        current, spare = spare, current
        along, spare_along = spare_along, along
        n = kept
        if n < 2:
            return 0.0
        if 2 * n + 2 > ROOM:
            break
    area = 0.0
    for m in range(1, n - 1):
        area += triangle_area(current, 0, m, m + 1)
    for m in range(n):
        f = m + 1 if m + 1 < n else 0
        if along[m] and current[m, 2] == current[f, 2]:
            area += latitude_lens(current, m, f)
    return area
