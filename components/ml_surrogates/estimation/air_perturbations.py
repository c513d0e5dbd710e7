# SPDX-License-Identifier: BSD-3-Clause
"""The first perturbations of an ensemble of the air: Perlin noise in the horizontal, a few modes in ln p.

Balanced: a geopotential phi' of pressure surfaces with its geostrophic wind and what is hydrostatic with it at the
heights of the layers: p' = p phi' / (R_d T) and T' = (-dphi'/dln p + phi'/T dT/dln p) / R_d. Independent: temperature
and both winds with nothing to do with each other. Humidity is independent in both.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from components.ml_surrogates.estimation.air import Air, packed
from components.ml_surrogates.estimation.perlin import perlin
from components.science.constants import EARTH_ROTATION, R_DRY

MODES = 3
LEAST_LATITUDE = 20.0  # degrees: nearer to the equator, balance is that of this latitude


class Size(NamedTuple):
    """Standard deviations at the start.

    Attributes
    ----------
    wind : of each component, m s-1
    temperature : K; without balance only
    humidity : over that of the air
    """

    wind: float
    temperature: float
    humidity: float


def _modes(log_p: Tensor, shape: tuple[int, int], generator: torch.Generator, members: int) -> tuple[Tensor, Tensor]:
    """Noise (members, nz, ny, nx) of about unit size, and its derivative by ln p."""
    span = log_p[0] - log_p[-1]
    s = torch.pi * (log_p[0] - log_p) / span
    value = torch.zeros((members, len(log_p), *shape), dtype=torch.float64)
    slope = torch.zeros_like(value)
    for m in range(MODES):
        drawn = perlin(shape, generator, members=members, cells=(2, 4, 8), periodic=False)[:, None]
        value += torch.cos(m * s)[:, None, None] * drawn
        slope += (m * torch.pi / span * torch.sin(m * s))[:, None, None] * drawn
    return value / MODES**0.5, slope / MODES**0.5


def drawn(
    air: Air, latitude: Tensor, spacing: float, members: int, size: Size, kind: Literal["balanced", "independent"],
    seed: int,
) -> Tensor:  # fmt: skip
    """Perturbations (members, 4 nz + 1, ny, nx), about a mean of zero.

    Parameters
    ----------
    air : background, (nz, ny, nx) by name
    latitude : (ny, nx) degrees
    spacing : of the grid, m
    members : how many
    size : standard deviations
    kind : of their balance
    seed : decides all bits
    """
    g = torch.Generator().manual_seed(seed)
    shape = (int(latitude.shape[0]), int(latitude.shape[1]))
    log_p = torch.log(air["p"].double()).mean((1, 2))
    if kind == "balanced":
        phi, by_log_p = _modes(log_p, shape, g, members)
        sign = torch.where(latitude < 0.0, -1.0, 1.0).double()
        steep = torch.clamp(latitude.double().abs(), min=LEAST_LATITUDE)
        f = 2.0 * EARTH_ROTATION * torch.sin(torch.deg2rad(steep)) * sign
        by_y, by_x = torch.gradient(phi, spacing=spacing, dim=(-2, -1))
        u, v = -by_y / f, by_x / f
        factor = size.wind / torch.sqrt(0.5 * (u * u + v * v).mean())
        warm = air["t"].double().mean((1, 2))
        lapse = torch.gradient(warm, spacing=(log_p,))[0] / warm
        t = factor / R_DRY * (lapse[:, None, None] * phi - by_log_p)
        u, v, p = u * factor, v * factor, factor / R_DRY * phi[:, :1] * (air["p"] / air["t"])[:1].double()
    else:
        t, u, v = (s * _modes(log_p, shape, g, members)[0] for s in (size.temperature, size.wind, size.wind))
        p = torch.zeros_like(t[:, :1])
    q = size.humidity * air["q"].double() * _modes(log_p, shape, g, members)[0]
    x = torch.stack([packed({"t": t[n], "q": q[n], "u": u[n], "v": v[n], "p": p[n]}) for n in range(members)])
    return x - x.mean(0)
