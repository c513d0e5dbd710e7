# SPDX-License-Identifier: BSD-3-Clause
"""The multilayer perceptron: all of a column at once; the fastest, for one number of layers only."""

import torch
from torch import nn

from components.science.constants import STEFAN_BOLTZMANN

from .inputs import (
    LN_P_MIDDLE,
    LN_P_WIDTH,
    OZONE_SCALE,
    Q_SCALE,
    T_MIDDLE,
    T_WIDTH,
    Inputs,
    RadiationNetwork,
    fourth_root,
)

LAYERS_OF_A_COLUMN = 8  # features of a layer: T, q^1/4, O3^1/4, four of clouds, ln p
COLUMN = 8


def column_features(x: Inputs) -> torch.Tensor:
    """All features of a column in a row, (n, 8 nlev + 8); paths of water, ice and snow as their fourth roots."""
    c = x.columns
    t_surface = (c.t_surface - T_MIDDLE) / T_WIDTH
    plane = [t_surface, 10.0 * (1.0 - c.emissivity), c.albedo, c.mu, torch.sqrt(c.mu)]
    parts = [
        (c.t - T_MIDDLE) / T_WIDTH,
        Q_SCALE * fourth_root(c.q_v) - 0.6,
        OZONE_SCALE * fourth_root(c.ozone) - 0.9,
        fourth_root(c.liquid),
        fourth_root(c.ice),
        fourth_root(x.snow),
        c.fraction,
        (torch.log(c.p) - LN_P_MIDDLE) / LN_P_WIDTH,
        torch.stack([*plane, 0.7 * x.carbon_dioxide, x.methane, 2.0 * x.nitrous_oxide]),
    ]
    return torch.cat(parts).T.contiguous()


class MlpRadiation(RadiationNetwork):
    """Fluxes of whole columns of ``levels`` layers: longwave in W m-2, shortwave as part of the incoming flux."""

    def __init__(self, levels: int = 29, hidden: int = 128):
        super().__init__()
        self.levels = levels
        wide, out = LAYERS_OF_A_COLUMN * levels + COLUMN, 2 * (levels + 1)
        self.longwave, self.shortwave = (
            nn.Sequential(
                nn.Linear(wide, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, out)
            )
            for _ in range(2)
        )

    def _pair(self, net: nn.Module, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        out = net(column_features(x)).T
        if not self.training:
            out = torch.clamp(out, min=0.0)
        return out[: self.levels + 1], out[self.levels + 1 :]

    def long(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Longwave fluxes up and down, scaled by sigma T_s^4; nothing comes from space, and the ground emits."""
        c = x.columns
        t2 = c.t_surface * c.t_surface
        black = STEFAN_BOLTZMANN * t2 * t2
        up, down = self._pair(self.longwave, x)
        down = torch.cat([black * down[:-1], torch.zeros_like(black)[None]])
        ground = c.emissivity * black + (1.0 - c.emissivity) * down[0]
        return torch.cat([ground[None], black * up[1:]]), down

    def short(self, x: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Shortwave fluxes up and down of columns in the sun; the whole comes in, and the ground reflects its part."""
        up, down = self._pair(self.shortwave, x)
        down = torch.cat([down[:-1], torch.ones_like(down[-1:])])
        return torch.cat([(x.columns.albedo * down[0])[None], up[1:]]), down
