# SPDX-License-Identifier: BSD-3-Clause
"""What the network is given and what its step leaves, a map at a time: `network` and `state` to rounding."""

import numpy as np

from components.ml_surrogates.forecast.kernels.compiled import compiled
from components.science.constants import CP_DRY, EPSILON_VAPOUR, GRAVITY, R_DRY
from components.science.kernels.lanes import LANES, alike, of, put

ONE, HALF, ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
G, GAS, DRY_RISE = np.float32(GRAVITY), np.float32(R_DRY), np.float32(GRAVITY / CP_DRY)
PER_VAPOUR = np.float32(1.0 / EPSILON_VAPOUR)
PER_OCTAVE, OCTAVE = 1.0 / np.log(2.0), np.log(2.0)
MANTISSA, NO_POWER = np.int64(52), np.int64(1023)  # bits of a double's, and what stands for a power of 0


@compiled
def exponentials(x, out):
    """Exponentials of numbers of a few hundred at most, to 3e-10: powers of two, and a series of what is left.

    Unlike the library's, several at a time.

    Parameters
    ----------
    x : (n,) numbers
    out : (n,) result
    """
    for c in range(x.size):
        y = np.float64(x[c])
        power = np.floor(y * PER_OCTAVE + 0.5)
        r = y - power * OCTAVE
        series = 1.0 + r / 6.0 * (1.0 + r / 7.0 * (1.0 + r / 8.0))
        series = 1.0 + r / 3.0 * (1.0 + r / 4.0 * (1.0 + r / 5.0 * series))
        series = 1.0 + r * (1.0 + r / 2.0 * series)
        out[c] = series * np.int64((np.int64(power) + NO_POWER) << MANTISSA).view(np.float64)


@compiled
def given(x, height, thick, size, coriolis, fixed, middle, spread, change, rate, seconds, out):
    """Scaled states, what the winds bring, what changes at once, and the place; see `ForecastNetwork.given`.

    Parameters
    ----------
    x : (4 nz + 1, ny, nx) a state
    height, thick : (nz,) of the layers, m
    size, coriolis, fixed : of `state.Place`
    middle, spread, change : (4 nz + 1,) of the network
    rate : (3 nz + 1,) the same
    seconds : of the step
    out : (11 nz + 6, ny, nx) result
    """
    fields, ny, nx = x.shape
    nz = height.size
    for f in range(fields):
        share = ONE / spread[f]
        for j in range(ny):
            for i in range(nx):
                out[f, j, i] = (x[f, j, i] - middle[f]) * share
    carried(x, size, change, seconds, out[fields : 2 * fields - 1])
    rates = 2 * fields - 1
    imbalance(x, height, thick, size, coriolis, rate, out[rates : rates + 3 * nz + 1])
    out[rates + 3 * nz + 1 :] = fixed


@compiled
def carried(x, size, change, seconds, out):
    """What the winds bring, less what is there, over the change in six hours; see `network.carried`.

    Parameters
    ----------
    x : (4 nz + 1, ny, nx) a state
    size : (2, ny, nx) of a cell, m
    change : (4 nz + 1,)
    seconds : for which the winds blow
    out : (4 nz, ny, nx) result
    """
    nz = out.shape[0] // 4
    ny, nx = x.shape[1:]
    step_x, step_y = seconds / size[0], seconds / size[1]
    # the four fields of a cell in a row of eight, which go through the processor together
    level, found = np.zeros((ny * nx, LANES), np.float32), np.empty((ny * nx, LANES), np.float32)
    for k in range(nz):
        for f in range(4):
            field = x[f * nz + k].reshape(ny * nx)
            for c in range(ny * nx):
                level[c, f] = field[c]
        for j in range(ny):
            for i in range(nx):
                c = j * nx + i
                a, b = (
                    np.float32(i) - HALF * step_x[j, i] * level[c, 2],
                    np.float32(j) - HALF * step_y[j, i] * level[c, 3],
                )
                put(found, c, between(level, a, b, ny, nx))
                a, b = np.float32(i) - step_x[j, i] * found[c, 2], np.float32(j) - step_y[j, i] * found[c, 3]
                put(found, c, between(level, a, b, ny, nx))
        for f in range(4):
            share, field = ONE / change[f * nz + k], out[f * nz + k].reshape(ny * nx)
            for c in range(ny * nx):
                field[c] = (found[c, f] - level[c, f]) * share


@compiled
def between(level, a, b, ny, nx):
    """A row of fields bilinear between four cells.

    Parameters
    ----------
    level : (cells, 8) fields
    a, b : place along and across, cells; one outside counts as the nearest inside
    ny, nx : cells of the map
    """
    a, b = min(max(a, ZERO), np.float32(nx - 1)), min(max(b, ZERO), np.float32(ny - 1))
    # a place that is no number has an integer below zero
    m, n = max(min(np.int32(a), np.int32(nx - 2)), 0), max(min(np.int32(b), np.int32(ny - 2)), 0)
    right, up = alike(level, a - np.float32(m)), alike(level, b - np.float32(n))
    corner = np.int64(n) * nx + m
    south, north = of(level, corner), of(level, corner + nx)
    south = south + right * (of(level, corner + 1) - south)
    north = north + right * (of(level, corner + nx + 1) - north)
    return south + up * (north - south)


@compiled
def imbalance(x, height, thick, size, coriolis, rate, out):
    """Rates of change by pressure, turning and divergence over their usual size; see `imbalance.imbalance`.

    Parameters
    ----------
    x : (4 nz + 1, ny, nx) a state
    height, thick : (nz,) of the layers, m
    size : (2, ny, nx) of a cell, m
    coriolis : (ny, nx) s-1
    rate : (3 nz + 1,)
    out : (3 nz + 1, ny, nx) result
    """
    nz = height.size
    ny, nx = coriolis.shape
    virtual, log_p = np.empty((nz, ny, nx), np.float32), np.empty((nz, ny, nx), np.float32)
    for k in range(nz):
        for j in range(ny):
            for i in range(nx):
                q = x[nz + k, j, i]
                virtual[k, j, i] = x[k, j, i] * (ONE + q * PER_VAPOUR) / (ONE + q)
        if k == 0:
            log_p[0] = x[4 * nz]
        else:
            fall = np.float32(2.0) * G / GAS * (height[k] - height[k - 1])
            for j in range(ny):
                for i in range(nx):
                    log_p[k, j, i] = log_p[k - 1, j, i] - fall / (virtual[k, j, i] + virtual[k - 1, j, i])
    total = np.zeros((ny, nx), np.float32)
    ground = np.empty((ny, nx), np.float32)
    p = np.empty((ny, nx), np.float32)
    for k in range(nz):
        exponentials(log_p[k].reshape(ny * nx), p.reshape(ny * nx))
        if k == 0:
            ground[:] = p
        low, high = max(k - 1, 0), min(k + 1, nz - 1)
        per_height = ONE / (height[high] - height[low])
        u, v, lower, upper = x[2 * nz + k], x[3 * nz + k], x[low], x[high]
        per_t, per_u, per_v = ONE / rate[k], ONE / rate[nz + k], ONE / rate[2 * nz + k]
        for j in range(ny):
            south, north = max(j - 1, 0), min(j + 1, ny - 1)
            inner = HALF if 0 < j < ny - 1 else ZERO
            for i in range(nx):
                west, east = max(i - 1, 0), min(i + 1, nx - 1)
                per_x = (HALF if 0 < i < nx - 1 else ZERO) / size[0, j, i]
                per_y = inner / size[1, j, i]
                force = GAS * virtual[k, j, i]
                rho = p[j, i] / force
                apart = (u[j, east] - u[j, west]) * per_x + (v[north, i] - v[south, i]) * per_y
                outward = rho * apart * thick[k]
                total[j, i] += outward
                up = (HALF * outward - total[j, i]) / rho
                lapse = (upper[j, i] - lower[j, i]) * per_height
                slope_x = (log_p[k, j, east] - log_p[k, j, west]) * per_x
                slope_y = (log_p[k, north, i] - log_p[k, south, i]) * per_y
                out[k, j, i] = -up * (lapse + DRY_RISE) * per_t
                out[nz + k, j, i] = (coriolis[j, i] * v[j, i] - force * slope_x) * per_u
                out[2 * nz + k, j, i] = (-coriolis[j, i] * u[j, i] - force * slope_y) * per_v
    share = -G / rate[3 * nz]
    for j in range(ny):
        for i in range(nx):
            out[3 * nz, j, i] = total[j, i] / ground[j, i] * share


@compiled
def changed(x, change, specified, sides, y):
    """A state and its change, with the sides' values; the result takes the change's place.

    Parameters
    ----------
    x, sides : (4 nz + 1, cells) states
    change : (4 nz + 1,) unit of the change
    specified : (cells,) where the sides' values are
    y : (4 nz + 1, cells) the change; result
    """
    for f in range(x.shape[0]):
        for c in range(x.shape[1]):
            new = x[f, c] + change[f] * y[f, c]
            y[f, c] = sides[f, c] if specified[c] else new


@compiled
def settled(x, sides, drawn, area, height, thick, mass):
    """Sides' values, vapour and dry mass of a state without short waves, in place; see `network.settled`.

    Parameters
    ----------
    x, sides : (4 nz + 1, cells) states
    drawn : (cells,) share of the sides' values: 1 where they are set
    area : (cells,) m2
    height, thick : (nz,) of the layers, m
    mass : mean dry surface pressure, Pa
    """
    cells, nz = area.size, height.size
    for f in range(x.shape[0]):
        for c in range(cells):
            x[f, c] = sides[f, c] if drawn[c] == ONE else x[f, c] + drawn[c] * (sides[f, c] - x[f, c])
    for k in range(nz, 2 * nz):
        wanted = found = 0.0
        for c in range(cells):
            if drawn[c] < ONE:
                wanted += x[k, c] * area[c]
                found += max(x[k, c], ZERO) * area[c]
        share = np.float32(max(wanted, 0.0) / found if found > 0.0 else 0.0)
        for c in range(cells):
            x[k, c] = max(x[k, c], ZERO) * (share if drawn[c] < ONE else ONE)
    log_p = x[4 * nz].astype(np.float64)
    p, moist, virtual, before = np.empty(cells), np.empty(cells), np.empty(cells), np.empty(cells)
    weight = np.zeros(cells)
    for k in range(nz):
        t, q = x[k], x[nz + k]
        for c in range(cells):
            moist[c] = t[c] * (1.0 + q[c] * (1.0 / EPSILON_VAPOUR))
        for c in range(cells):
            virtual[c] = moist[c] / (1.0 + q[c])
        if k > 0:
            fall = 2.0 * GRAVITY / R_DRY * (height[k] - height[k - 1])
            for c in range(cells):
                log_p[c] -= fall / (virtual[c] + before[c])
        exponentials(log_p, p)
        if k == 0:
            weight[:] = p
        under, share = 0.5 if k == 0 else 0.0, GRAVITY / R_DRY * thick[k]
        for c in range(cells):
            weight[c] += share * p[c] / moist[c] * (under * (1.0 + q[c]) - q[c])
        virtual, before = before, virtual
    mean = (weight * area).sum() / area.sum()
    x[4 * nz] += np.float32(np.log(mass / mean))
