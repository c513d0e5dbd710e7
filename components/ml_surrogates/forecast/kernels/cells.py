# SPDX-License-Identifier: BSD-3-Clause
"""What the network is given and what its step leaves, a map at a time: `network` and `state` to rounding."""

import numpy as np

from components.ml_surrogates.forecast.kernels.compiled import compiled
from components.science.constants import CP_DRY, EPSILON_VAPOUR, GRAVITY, R_DRY

ONE, HALF, ZERO = np.float32(1.0), np.float32(0.5), np.float32(0.0)
G, GAS, DRY_RISE = np.float32(GRAVITY), np.float32(R_DRY), np.float32(GRAVITY / CP_DRY)
PER_VAPOUR = np.float32(1.0 / EPSILON_VAPOUR)


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
    last_x, last_y = np.float32(nx - 1), np.float32(ny - 1)
    for k in range(nz):
        t, q, u, v = x[k], x[nz + k], x[2 * nz + k], x[3 * nz + k]
        per_t, per_q = ONE / change[k], ONE / change[nz + k]
        per_u, per_v = ONE / change[2 * nz + k], ONE / change[3 * nz + k]
        for j in range(ny):
            for i in range(nx):
                cells_x, cells_y = seconds / size[0, j, i], seconds / size[1, j, i]
                here_x, here_y = np.float32(i), np.float32(j)
                a = min(max(here_x - HALF * cells_x * u[j, i], ZERO), last_x)
                b = min(max(here_y - HALF * cells_y * v[j, i], ZERO), last_y)
                m, n = min(int(a), nx - 2), min(int(b), ny - 2)
                a, b = a - np.float32(m), b - np.float32(n)
                wind_x, wind_y = between(u, n, m, b, a), between(v, n, m, b, a)
                a = min(max(here_x - cells_x * wind_x, ZERO), last_x)
                b = min(max(here_y - cells_y * wind_y, ZERO), last_y)
                m, n = min(int(a), nx - 2), min(int(b), ny - 2)
                a, b = a - np.float32(m), b - np.float32(n)
                out[k, j, i] = (between(t, n, m, b, a) - t[j, i]) * per_t
                out[nz + k, j, i] = (between(q, n, m, b, a) - q[j, i]) * per_q
                out[2 * nz + k, j, i] = (between(u, n, m, b, a) - u[j, i]) * per_u
                out[3 * nz + k, j, i] = (between(v, n, m, b, a) - v[j, i]) * per_v


@compiled
def between(field, j, i, up, right):
    """Bilinear between four cells.

    Parameters
    ----------
    field : (ny, nx)
    j, i : the lower left cell
    up, right : parts of a cell from there
    """
    low = field[j, i] + right * (field[j, i + 1] - field[j, i])
    high = field[j + 1, i] + right * (field[j + 1, i + 1] - field[j + 1, i])
    return low + up * (high - low)


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
    p = np.empty(nx, np.float32)
    for k in range(nz):
        low, high = max(k - 1, 0), min(k + 1, nz - 1)
        per_height = ONE / (height[high] - height[low])
        u, v, lower, upper = x[2 * nz + k], x[3 * nz + k], x[low], x[high]
        per_t, per_u, per_v = ONE / rate[k], ONE / rate[nz + k], ONE / rate[2 * nz + k]
        for j in range(ny):
            south, north = max(j - 1, 0), min(j + 1, ny - 1)
            inner = HALF if 0 < j < ny - 1 else ZERO
            for i in range(nx):
                p[i] = np.exp(log_p[k, j, i])
            if k == 0:
                ground[j] = p
            for i in range(nx):
                west, east = max(i - 1, 0), min(i + 1, nx - 1)
                per_x = (HALF if 0 < i < nx - 1 else ZERO) / size[0, j, i]
                per_y = inner / size[1, j, i]
                force = GAS * virtual[k, j, i]
                rho = p[i] / force
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
    weight, before = np.exp(log_p), np.zeros(cells)
    for k in range(nz):
        for c in range(cells):
            t, q = np.float64(x[k, c]), np.float64(x[nz + k, c])
            moist = t * (1.0 + q / EPSILON_VAPOUR)
            virtual = moist / (1.0 + q)
            if k > 0:
                log_p[c] -= 2.0 * GRAVITY / R_DRY * (height[k] - height[k - 1]) / (virtual + before[c])
            before[c] = virtual
            dry = np.exp(log_p[c]) / (R_DRY * moist) * thick[k]
            weight[c] += GRAVITY * dry * ((0.5 * (1.0 + q) if k == 0 else 0.0) - q)
    mean = (weight * area).sum() / area.sum()
    x[4 * nz] += np.float32(np.log(mass / mean))
