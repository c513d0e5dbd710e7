# SPDX-License-Identifier: BSD-3-Clause
"""Diffusion with the preconditioning and the sampler of Karras, Aittala, Aila & Laine (2022), for fields of sd 1."""

import math
from itertools import pairwise

import torch
from torch import nn

from .unet import UNet

SPREAD = 1.0
"""Standard deviation of the fields, sigma_data."""
MIDDLE, WIDTH = -0.8, 1.2
"""Of the logarithm of the noise in training (their P_mean, P_std)."""
LEAST, MOST, BEND = 0.02, 20.0, 7.0
"""Noise at the end and at the start of sampling, and the exponent of its steps (their rho)."""


class Denoiser(nn.Module):
    """D(x; sigma), their eq. 7, beside what is known of the fields."""

    def __init__(self, known: int, fields: int, width: int = 16):
        super().__init__()
        self.net = UNet(known + fields, fields, width, noisy=True)

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """The fields without their noise.

        Parameters
        ----------
        x : (n, fields, y, x) with noise
        sigma : (n,) its standard deviation
        known : (n, known, y, x)
        """
        s = sigma[:, None, None, None]
        total = torch.sqrt(s * s + SPREAD * SPREAD)
        made = self.net(torch.cat([x / total, known], dim=1), 0.25 * torch.log(sigma))
        out: torch.Tensor = x * (SPREAD * SPREAD / (total * total)) + made * (s * SPREAD / total)
        return out


def loss(net: Denoiser, fields: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Their eq. 8 at random levels of noise: every level weighs the same at the start.

    Parameters
    ----------
    net : in training
    fields : (n, fields, y, x) without noise
    known : (n, known, y, x)
    """
    sigma = torch.exp(MIDDLE + WIDTH * torch.randn(len(fields)))
    s = sigma[:, None, None, None]
    wrong = net(fields + s * torch.randn_like(fields), sigma, known) - fields
    weight = (s * s + SPREAD * SPREAD) / (s * s * SPREAD * SPREAD)
    mean: torch.Tensor = (weight * wrong * wrong).mean()
    return mean


def levels(steps: int) -> list[float]:
    """Noise at each step of sampling, their eq. 5, and zero at the end; two steps or more."""
    if steps < 2:
        raise ValueError(f"expected two or more levels of noise, found {steps}")
    ends = MOST ** (1.0 / BEND), LEAST ** (1.0 / BEND)
    return [math.pow(ends[0] + n / (steps - 1) * (ends[1] - ends[0]), BEND) for n in range(steps)] + [0.0]


@torch.no_grad()
def sample(net: Denoiser, known: torch.Tensor, fields: int, steps: int, seed: int) -> torch.Tensor:
    """Fields (n, fields, y, x) drawn by Heun's steps, their algorithm 1; one seed, one draw.

    Parameters
    ----------
    net : trained
    known : (n, known, y, x)
    fields : number of them
    steps : of the noise
    seed : of the first noise
    """
    generator = torch.Generator().manual_seed(seed)
    sigma = levels(steps)
    x = MOST * torch.randn(len(known), fields, *known.shape[-2:], generator=generator)
    for now, then in pairwise(sigma):
        slope = (x - net(x, torch.full((len(x),), now), known)) / now
        ahead = x + (then - now) * slope
        if then > 0.0:
            other = (ahead - net(ahead, torch.full((len(x),), then), known)) / then
            ahead = x + (then - now) * 0.5 * (slope + other)
        x = ahead
    return x
