# SPDX-License-Identifier: BSD-3-Clause
"""Heights of 500 hPa from radiosondes of 2005-08-26 00 UTC (NOAA MADIS, by way of NCAR's DART), a fifth withheld.

The background is a quadratic fit to the heights kept. Its errors have a Gaussian covariance (40 m, 600 km), winds by
geostrophy; what was withheld tells whether analyses of heights, and of heights and winds, are nearer to the truth.
"""

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates.estimation.controls import Static
from components.ml_surrogates.estimation.cost import Cost, Observations
from components.ml_surrogates.estimation.minimise import Limits, minimise
from components.science.constants import EARTH_RADIUS, EARTH_ROTATION, GRAVITY

LENGTH, SPREAD, HEIGHT_ERROR, WIND_ERROR = 600e3, 40.0, 8.0, 4.0


@pytest.fixture(scope="module")
def stations(shared):
    with netCDF4.Dataset(shared / "data" / "observations" / "2005082600_rawin.nc") as file:
        file.set_auto_mask(False)
        lat, lon = file["staLat"][:], file["staLon"][:]
        p, height, towards, speed = (file[k][:] for k in ("prMan", "htMan", "wdMan", "wsMan"))
    box = (lat >= 15.0) & (lat <= 75.0) & (lon >= -170.0) & (lon <= -50.0)
    i, j = np.where((np.abs(p - 500.0) < 0.01) & (height < 9e4) & box[:, None])
    angle = np.deg2rad(towards[i, j].astype(float))
    known = (towards[i, j] < 9e4) & (speed[i, j] < 9e4)
    wind = np.where(known, -speed[i, j] * np.stack([np.sin(angle), np.cos(angle)]), np.nan)
    return lat[i].astype(float), lon[i].astype(float), height[i, j].astype(float), wind


def joint_covariance(lat, lon):
    """Of height, u and v at all points (3 n, 3 n): a Gaussian of the chord, and its slopes eastward and northward."""
    a, b = np.deg2rad(lat), np.deg2rad(lon)
    zero = np.zeros_like(a)
    at = EARTH_RADIUS * np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)], 1)
    east = np.stack([-np.sin(b), np.cos(b), zero], 1)
    north = np.stack([-np.sin(a) * np.cos(b), -np.sin(a) * np.sin(b), np.cos(a)], 1)
    turn = GRAVITY / (2.0 * EARTH_ROTATION * np.sin(a))
    ways = (-turn[:, None] * north, turn[:, None] * east)  # u and v are slopes of height along these
    apart = at[:, None] - at
    k = SPREAD**2 * np.exp(-0.5 * (apart**2).sum(-1) / LENGTH**2)
    rows = [[k], [], []]
    for m, w in enumerate(ways):
        along = np.einsum("ijc,jc->ij", apart, w) / LENGTH**2 * k  # cov(h_i, w_j)
        rows[0].append(along)
        rows[m + 1].append(along.T)
        for other in ways:
            both = np.einsum("ijc,ic->ij", apart, w) * np.einsum("ijc,jc->ij", apart, other)
            rows[m + 1].append((w @ other.T / LENGTH**2 - both / LENGTH**4) * k)
    return np.block(rows)


def quadratic(lat, lon, height, kept):
    """The fit's height at all stations, and its geostrophic wind."""
    x, y = (lon + 100.0) / 30.0, (lat - 45.0) / 20.0
    one = np.ones_like(x)
    terms = lambda x, y: np.stack([one, x, y, x * x, x * y, y * y], 1)  # noqa: E731
    c = np.linalg.lstsq(terms(x, y)[kept], height[kept], rcond=None)[0]
    degree = np.deg2rad(1.0) * EARTH_RADIUS
    by_x = (c[1] + 2.0 * c[3] * x + c[4] * y) / (30.0 * degree * np.cos(np.deg2rad(lat)))
    by_y = (c[2] + c[4] * x + 2.0 * c[5] * y) / (20.0 * degree)
    turn = GRAVITY / (2.0 * EARTH_ROTATION * np.sin(np.deg2rad(lat)))
    return terms(x, y) @ c, np.stack([-turn * by_y, turn * by_x])


def rms(a):
    return float(np.sqrt(np.mean(a**2)))


def test_withheld_heights(stations):
    lat, lon, height, wind = stations
    n = lat.size
    assert n == 119
    covariance = joint_covariance(lat, lon)
    root = torch.linalg.cholesky(torch.as_tensor(covariance + 1e-6 * np.diag(np.diag(covariance))))
    found = {"fit": [], "heights": [], "winds": []}
    for split in range(10):
        shuffled = np.random.default_rng(split // 5).permutation(n)
        away = np.array_split(shuffled, 5)[split % 5]  # each station is withheld twice
        kept = np.setdiff1d(np.arange(n), away)
        fit, fit_wind = quadratic(lat, lon, height, kept)
        background = torch.as_tensor(np.concatenate([fit, *fit_wind]))
        seen = torch.as_tensor(np.concatenate([height, *wind]))
        error = torch.tensor([HEIGHT_ERROR, WIND_ERROR, WIND_ERROR], dtype=torch.float64).repeat_interleave(n)
        found["fit"].append(rms(fit[away] - height[away]))
        for name, fields in (("heights", (0,)), ("winds", (0, 1, 2))):
            index = torch.as_tensor(np.concatenate([kept + m * n for m in fields]))
            index = index[torch.isfinite(seen[index])]
            window = [Observations(0, seen[index], error[index], lambda s, i=index: s[i])]
            cost = Cost(background, Static(lambda v: root @ v, (3 * n,), root), lambda s: s, window)
            best = minimise(cost, cost.control.zero(), Limits(gradient=1e-4, iterations=300, evaluations=600))
            found[name].append(rms(cost.analysis(best.v).numpy()[away] - height[away]))
    mean = {name: float(np.mean(values)) for name, values in found.items()}
    print(mean)
    assert mean["heights"] <= 31.0
    assert mean["winds"] <= 27.0 and mean["winds"] <= 0.92 * mean["heights"]
