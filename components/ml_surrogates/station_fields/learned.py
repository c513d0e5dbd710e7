# SPDX-License-Identifier: BSD-3-Clause
"""A field whose mean, trend and season are random functions of place with a covariance learned from stations.

Each of the six coefficients of `baselines.season` is a Gaussian process over the Earth (Rasmussen & Williams 2006): a
part of the zone, a part of the neighbourhood that fades with distance and height, parts that go with low land and with
height within a zone, and what is a station's own. Sizes and lengths are those of the greatest marginal likelihood under
a broad prior, for the training stations alone. What the stations' seasons leave is kriged month by month. No network: a
hundred stations are too few for one to find more than this (see README.md).
"""

import torch
from torch import Tensor

from components.ml_surrogates.station_fields.baselines import kriged, season
from components.ml_surrogates.station_fields.monthly import Monthly

LOW = 1500.0
"""Height by which the influence of the land around fades, m."""
REST_LENGTH, REST_NUGGET, REST_RISE = 2000e3, 1.0, 500.0
ZONE, NEAR, REACH, DEPTH = 25.0, 0.25, 1500e3, 2000.0
"""First guesses: degrees of a zone, share of the neighbourhood's variance, its reach in m along and up."""
PARAMETERS = 9
SPREAD = (1.5, 0.7, 1.5, 0.7, 0.7, 1.5, 1.5, 1.5, 0.7)
"""Standard deviations of the prior of the parameters' logarithms."""


def field(data: Monthly, training: Tensor) -> Tensor:
    """The field (s, t) at all stations.

    Parameters
    ----------
    data : stations; only values of the training stations are used
    training : numbers of those that it may know
    """
    b = season(data.value.shape[1])
    found, error, rest = own_seasons(data, training, b)
    parts = [_process(data, training, found[:, k], error[:, k]) for k in range(b.shape[1])]
    left = kriged(data, rest, training, REST_LENGTH, REST_NUGGET, REST_RISE)
    return torch.stack(parts, -1) @ b.T + left


def own_seasons(data: Monthly, training: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Coefficients of each training station (s, 6), the variance of their errors, and what they leave (s, t).

    Parameters
    ----------
    data : stations
    training : numbers of those that it may know
    b : (t, 6) functions of time
    """
    shape = (len(data.names), b.shape[1])
    found, error = torch.zeros(shape, dtype=b.dtype), torch.zeros(shape, dtype=b.dtype)
    rest = torch.full_like(data.value, torch.nan)
    ridge = torch.diag(torch.tensor([1e-3, 1.0, 1e-2, 1e-2, 1e-2, 1e-2], dtype=b.dtype))  # a short record has no trend
    for s in training.tolist():
        known = torch.isfinite(data.value[s])
        a, y = b[known], data.value[s, known]
        inverse = torch.linalg.inv(a.T @ a + ridge)
        found[s] = inverse @ (a.T @ y)
        left = y - a @ found[s]
        # months that follow each other err alike, hence half as much again
        error[s] = 1.5 * torch.diagonal(inverse) * (left @ left) / max(len(y) - b.shape[1], 3)
        rest[s, known] = left
    return found, error, rest


def _covariance(data: Monthly, p: Tensor) -> Tensor:
    e = torch.exp(p)
    apart = data.latitude[:, None] - data.latitude
    up = (data.height[:, None] - data.height).abs()
    low = torch.exp(-data.height / LOW)
    zone = e[0] * torch.exp(-0.5 * (apart / e[1]) ** 2)
    near = e[2] * torch.exp(-data.distance() / e[3]) * torch.exp(-up / e[4])
    alike = torch.exp(-0.5 * (apart / e[8]) ** 2)
    land, high = data.land * low, 1.0 - low
    return zone + near + (e[6] * land[:, None] * land + e[7] * high[:, None] * high) * alike


def _process(data: Monthly, training: Tensor, value: Tensor, error: Tensor) -> Tensor:
    """A coefficient at all stations (s,), of its values at some."""
    y = value[training]
    size = float(y.var().clamp(min=1e-12))
    guess = torch.log(
        torch.tensor([size, ZONE, NEAR * size, REACH, DEPTH, 0.1 * size, 0.5 * size, 0.5 * size, 1.2 * ZONE]).double()
    )
    spread = torch.tensor(SPREAD, dtype=torch.float64)
    sine = torch.sin(torch.deg2rad(data.latitude))
    line = 10.0 * size * (1.0 + sine[:, None] * sine)  # a broad prior of a mean and a slope with latitude
    p = guess.clone().requires_grad_(True)

    def gram(p: Tensor) -> Tensor:
        k = (_covariance(data, p) + line)[training][:, training]
        return k + torch.diag(error[training] + torch.exp(p[5]) + 1e-6)

    def cost() -> Tensor:
        search.zero_grad()
        root = torch.linalg.cholesky(gram(p))
        z = torch.linalg.solve_triangular(root, y[:, None], upper=False)
        away = (p - guess) / spread
        total = 0.5 * (z * z).sum() + torch.log(torch.diagonal(root)).sum() + 0.5 * (away * away).sum()
        total.backward()
        out: Tensor = total
        return out

    search = torch.optim.LBFGS([p], max_iter=60, line_search_fn="strong_wolfe")
    search.step(cost)
    with torch.no_grad():
        k = _covariance(data, p) + line
        out: Tensor = k[:, training] @ torch.linalg.solve(gram(p), y)
    return out
