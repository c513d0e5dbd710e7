# SPDX-License-Identifier: BSD-3-Clause
"""The US Standard Atmosphere 1976 and a mid-latitude ozone profile, for what the model's columns do not reach."""

import numpy as np
import torch

from components.radiation.scheme import Air
from components.science.scheme_constants import STANDARD_PRESSURE, STANDARD_TEMPERATURE

STANDARD_P, STANDARD_T = np.array(STANDARD_PRESSURE), np.array(STANDARD_TEMPERATURE)
# volume mixing ratio of ozone over pressure: mid-latitude mean (McPeters et al. 2007, rounded)
OZONE_P = np.array(
    [101325, 70000, 50000, 30000, 20000, 15000, 10000, 7000, 5000, 3000, 2000, 1000, 700, 500, 300, 100, 30, 10]
)
OZONE = 1e-6 * np.array(
    [0.03, 0.045, 0.055, 0.08, 0.15, 0.25, 0.5, 1.0, 1.9, 4.0, 5.7, 7.8, 7.9, 7.3, 5.5, 3.0, 1.6, 0.8]
)


def temperature(p: torch.Tensor) -> torch.Tensor:
    """Temperature (K) at pressure ``p`` (Pa), linear in ln p."""
    return _profile(p, STANDARD_P, STANDARD_T)


def height(p: torch.Tensor) -> torch.Tensor:
    """Height (m above sea level) of pressure ``p`` (Pa), linear in ln p between steps of 5 km."""
    return _profile(p, STANDARD_P, 5000.0 * np.arange(STANDARD_P.size))


def ozone(p: torch.Tensor) -> torch.Tensor:
    """Mole fraction of ozone at pressure ``p`` (Pa), linear in ln p."""
    return _profile(p, OZONE_P, OZONE)


def _profile(p: torch.Tensor, p_table: np.ndarray, values: np.ndarray) -> torch.Tensor:
    """Values of a table at ``p``, linear in ln p, held beyond its ends."""
    x = torch.tensor(-np.log(p_table), dtype=p.dtype, device=p.device)
    y = torch.tensor(values, dtype=p.dtype, device=p.device)
    slope = (y[1:] - y[:-1]) / (x[1:] - x[:-1])
    at = torch.clamp(-torch.log(p), x[0], x[-1])
    n = torch.clamp(torch.bucketize(at, x, right=True) - 1, 0, len(slope) - 1)
    return y[n] + slope[n] * (at - x[n])


def columns(levels: int, mu: torch.Tensor, distance: float, top: float = 4000.0) -> Air:
    """Cloudless columns up to ``top`` (Pa) under the sun of ``mu`` (y, x); vapour 0.008 (p/p_0)^3 kg/kg.

    Parameters
    ----------
    levels : number of layers
    mu : (y, x) cosine of the solar zenith angle
    distance : (mean / actual distance of the sun)^2
    top : pressure of the highest interface, Pa
    """
    p_i = 101325.0 * (top / 101325.0) ** np.linspace(0.0, 1.0, levels + 1)
    p = np.sqrt(p_i[1:] * p_i[:-1])
    t = temperature(torch.as_tensor(p)).numpy()

    def stack(a: np.ndarray) -> torch.Tensor:
        return torch.tensor(a, dtype=mu.dtype, device=mu.device)[:, None, None].expand(-1, *mu.shape).contiguous()

    plane = torch.ones_like(mu)
    q_v = np.maximum(0.008 * (p / 101325.0) ** 3, 3.0e-6)
    zero = stack(np.zeros(levels))
    return Air(stack(t), stack(q_v), zero, zero, stack(p), stack(p_i), 288.15 * plane, 0.15 * plane, mu, distance)
