# SPDX-License-Identifier: BSD-3-Clause
"""A small U-Net (Ronneberger et al. 2015) for fields of any rectangle, with or without a noise level beside them."""

import torch
from torch import nn
from torch.nn import functional

DEPTH = 2  # times that the field is halved
GROUPS = 4
EMBEDDED = 32


class Block(nn.Module):
    """Two convolutions with a way around them; the noise level shifts what lies between."""

    def __init__(self, inputs: int, outputs: int, noisy: bool):
        super().__init__()
        self.first, self.second = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(GROUPS, outputs)
        self.around = nn.Conv2d(inputs, outputs, 1)
        self.shift = nn.Linear(EMBEDDED, 2 * outputs) if noisy else None

    def forward(self, x: torch.Tensor, noise: torch.Tensor | None) -> torch.Tensor:
        """(n, inputs, y, x) to (n, outputs, y, x).

        Parameters
        ----------
        x : fields
        noise : (n, 32) embedded level, where there is one
        """
        h = self.norm(self.first(x))
        if self.shift is not None and noise is not None:
            scale, shift = self.shift(noise)[:, :, None, None].chunk(2, dim=1)
            h = h * (1.0 + scale) + shift
        made: torch.Tensor = self.around(x) + self.second(functional.silu(h))
        return made


class UNet(nn.Module):
    """Fields to fields of the same rectangle; sides that are no multiple of four are mirrored up to one.

    Parameters
    ----------
    inputs, outputs : number of fields
    width : channels at full resolution
    noisy : whether a noise level comes beside the fields
    """

    def __init__(self, inputs: int, outputs: int, width: int = 16, noisy: bool = False):
        super().__init__()
        self.noisy = noisy
        if noisy:
            self.level = nn.Sequential(nn.Linear(EMBEDDED, EMBEDDED), nn.SiLU())
            self.frequencies = nn.Buffer(torch.exp(torch.linspace(-1.0, 3.0, EMBEDDED // 2)))
        widths = [width, *[2 * width] * DEPTH]
        self.enter = nn.Conv2d(inputs, width, 3, padding=1)
        self.down = nn.ModuleList(Block(a, b, noisy) for a, b in zip([width, *widths], widths, strict=False))
        pairs = [(widths[n + 1] + widths[n], widths[n]) for n in reversed(range(DEPTH))]
        self.up = nn.ModuleList(Block(a, b, noisy) for a, b in pairs)
        self.leave = nn.Conv2d(width, outputs, 3, padding=1)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: torch.Tensor, level: torch.Tensor | None = None) -> torch.Tensor:
        """(n, inputs, y, x) to (n, outputs, y, x).

        Parameters
        ----------
        x : fields
        level : (n,) a number for the noise in them
        """
        noise = None
        if level is not None and self.noisy:
            phase = level[:, None] * self.frequencies
            noise = self.level(torch.cat([torch.sin(phase), torch.cos(phase)], dim=1))
        ny, nx = x.shape[-2:]
        part = 2**DEPTH
        h = self.enter(functional.pad(x, (0, -nx % part, 0, -ny % part), mode="reflect"))
        kept = []
        for n, block in enumerate(self.down):
            h = block(h if n == 0 else functional.avg_pool2d(h, 2), noise)
            kept.append(h)
        for block, beside in zip(self.up, reversed(kept[:-1]), strict=True):
            h = block(torch.cat([functional.interpolate(h, scale_factor=2.0), beside], dim=1), noise)
        made: torch.Tensor = self.leave(h)
        return made[..., :ny, :nx]
