# SPDX-License-Identifier: BSD-3-Clause
"""The network: the change of a state in a part of six hours, from it, the same carried by its own winds, and the sides.

The carried state is what the winds bring in that time along a trajectory of two steps; what pressure and divergence do
at once is given beside it, being small differences of large terms. A linear map of each column goes on from both;
convolutions on the map, half its cells and a quarter learn the rest. Six hours are one part or more by the same
network, each of which begins with the winds and the imbalance that the last one left.
Differences of both neighbours do not see waves of two cells, which would grow: a filter takes a share of them away.
"""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from components.ml_surrogates.forecast.imbalance import imbalance
from components.ml_surrogates.forecast.state import RELAXED, Place, levels_of, with_mass, without_negative
from components.ml_surrogates.residual import Residual

FIXED = 4  # fields of `Place.fixed`
ORDER, SHARE = 16, 0.25  # of the filter; of waves of two cells it takes that share, of three .025, of four .001


def carried(x: Tensor, at: Place, seconds: float) -> Tensor:
    """What the winds along the levels bring to each cell, (n, 4 nz, ny, nx); at the sides, what lies there.

    Parameters
    ----------
    x : (n, 4 nz + 1, ny, nx) states
    at : place
    seconds : for which the winds blow
    """
    n, levels = len(x), levels_of(x)
    ny, nx = x.shape[-2:]
    fields = x[:, :-1].reshape(n, 4, levels, ny, nx).transpose(1, 2).reshape(n * levels, 4, ny, nx)
    # of a cell's width in the unit of grid_sample, whose map is 2 wide
    scale = torch.stack([2.0 / (at.size[0] * (nx - 1)), 2.0 / (at.size[1] * (ny - 1))]).to(x)
    down, along = torch.meshgrid(torch.linspace(-1, 1, ny), torch.linspace(-1, 1, nx), indexing="ij")
    here = torch.stack([along, down], -1).to(x)

    def from_where(wind: Tensor, time: float) -> Tensor:
        return here - time * (wind * scale).permute(0, 2, 3, 1)

    def there(a: Tensor, place: Tensor) -> Tensor:
        return functional.grid_sample(a, place, mode="bilinear", padding_mode="border", align_corners=True)

    wind = fields[:, 2:]
    middle = there(wind, from_where(wind, 0.5 * seconds))
    out = there(fields, from_where(middle, seconds))
    return out.reshape(n, levels, 4, ny, nx).transpose(1, 2).reshape(n, 4 * levels, ny, nx)


def _convolution(taken: int, given: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(taken, given, 3, stride, 1, padding_mode="zeros")


class ForecastNetwork(nn.Module):
    """Some hours ahead.

    Parameters
    ----------
    levels : layers
    width : channels on the whole map; more on the coarser ones
    wider, widest : their channels on half the cells, and on a quarter
    parts : of a forecast's step, each by this network

    Attributes
    ----------
    rough : convolutions in bfloat16 in training, and where no gradients are asked for on a processor that has it
    """

    middle: Tensor
    spread: Tensor
    change: Tensor
    rate: Tensor

    def __init__(self, levels: int, width: int = 32, wider: int = 64, widest: int = 64, parts: int = 1):
        super().__init__()
        self.levels, self.width, self.wider, self.widest, self.parts = levels, width, wider, widest, parts
        self.rough = False
        fields, rates = 4 * levels + 1, 3 * levels + 1
        given = 2 * fields - 1 + rates
        self.take = nn.Conv2d(given + FIXED, width, 1)
        self.sides = nn.Conv2d(fields, width, 1, bias=False)
        self.first = Residual(_convolution, width)
        self.down = _convolution(width, wider, 2)
        self.on_half = Residual(_convolution, wider)
        self.deeper = _convolution(wider, widest, 2)
        quarter = [Residual(_convolution, widest) for _ in range(3)]
        self.on_quarter = nn.Sequential(*quarter, nn.Conv2d(widest, wider, 1))
        self.back = Residual(_convolution, wider)
        self.up = nn.Conv2d(wider, width, 1)
        self.last = Residual(_convolution, width)
        self.give = nn.Conv2d(width, fields, 1)
        self.linear = nn.Conv2d(given, fields, 1)
        for layer in (self.give, self.linear):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.get_parameter("bias"))
        for name in ("middle", "spread", "change"):
            self.register_buffer(name, torch.ones(fields))
        self.register_buffer("rate", torch.ones(rates))

    def given(self, x: Tensor, at: Place, seconds: float) -> Tensor:
        """Scaled states, what the winds bring, and what changes at once, (n, 11 nz + 2, ny, nx).

        Parameters
        ----------
        x : (n, 4 nz + 1, ny, nx) states
        at : place
        seconds : of the step
        """
        column = (slice(None), None, None)
        moved = (carried(x, at, seconds) - x[:, :-1]) / self.change[:-1][column]
        scaled = (x - self.middle[column]) / self.spread[column]
        return torch.cat([scaled, moved, imbalance(x, at) / self.rate[column]], 1)

    def forward(self, x: Tensor, sides: Tensor, at: Place, seconds: float) -> Tensor:
        """States without the sides' values and the mass, (n, 4 nz + 1, ny, nx).

        Parameters
        ----------
        x : (n, 4 nz + 1, ny, nx) states
        sides : the same at the end of the step; what lies inside counts for nothing
        at : place
        seconds : of the step
        """
        column = (slice(None), None, None)
        change = self.change[column]
        given = self.given(x, at, seconds)
        fixed = at.fixed.to(x).expand(len(x), -1, -1, -1)
        rim = (at.rim <= RELAXED).to(x)
        pull = (sides - x) / self.spread[column] * rim
        a = functional.gelu(self.take(torch.cat([given, fixed], 1)) + self.sides(pull))
        # inputs and outputs stay whole: rounded ones, small differences of large terms, cost a twentieth of the skill
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.rough and self.training):
            a = self.hidden(a)
        out: Tensor = x + change * (self.give(a.to(x)) + self.linear(given))
        return out

    def hidden(self, a: Tensor) -> Tensor:
        """What convolutions on the map, half its cells and a quarter make of it.

        Parameters
        ----------
        a : (n, width, ny, nx)
        """
        a = self.first(a)
        b = self.on_half(functional.gelu(self.down(a)))
        c = self.on_quarter(functional.gelu(self.deeper(b)))
        b = self.back(b + functional.interpolate(c, size=b.shape[-2:], mode="bilinear", align_corners=True))
        up = functional.interpolate(self.up(b), size=a.shape[-2:], mode="bilinear", align_corners=True)
        out: Tensor = self.last(a + up)
        return out


@torch.no_grad()
def divided(net: ForecastNetwork, parts: int) -> ForecastNetwork:
    """The network, changed to go a step in so many parts: as much change in all, from as much wind and imbalance.

    Parameters
    ----------
    net : trained for steps in fewer parts, or as many
    parts : of a step
    """
    more, fields = parts / net.parts, len(net.change)
    for layer in (net.give, net.linear):
        layer.weight /= more
        layer.get_parameter("bias").div_(more)
    for layer in (net.take, net.linear):
        layer.weight[:, fields : 2 * fields - 1] *= more  # what the winds bring in a part
    net.parts = parts
    return net


def way(net: ForecastNetwork, x: Tensor, sides: Tensor, at: Place, seconds: float) -> list[Tensor]:
    """States (n, 4 nz + 1, ny, nx) after each part of a step, the sides' values in the outermost cells.

    Parameters
    ----------
    net : trained, or in training
    x : (n, 4 nz + 1, ny, nx)
    sides : the same at the end of the step
    at : place
    seconds : of the step
    """
    found = []
    for _ in range(net.parts):
        x = torch.where(at.specified, sides, net(x, sides, at, seconds / net.parts))
        found.append(x)
    return found


@cache
def smoothing(cells: int) -> Tensor:
    """The matrix (cells, cells) of Shapiro's (1970, Rev. Geophys. 8, 359) filter along a row; the two ends stay.

    Parameters
    ----------
    cells : of the row, three or more
    """
    inner = torch.eye(cells, dtype=torch.float64)[1:-1]
    second = torch.zeros((cells, cells), dtype=torch.float64)
    second[1:-1] = 0.25 * (torch.roll(inner, 1, 1) - 2.0 * inner + torch.roll(inner, -1, 1))
    made: Tensor = torch.eye(cells, dtype=torch.float64) - SHARE * torch.linalg.matrix_power(second, ORDER // 2)
    return made.float()


def settled(x: Tensor, sides: Tensor, mass: Tensor, at: Place) -> Tensor:
    """States without waves of two cells and vapour below zero, with the sides' values at the rim and their dry mass.

    Rows next to the rim are drawn to the sides (Davies 1976, Q. J. R. Meteorol. Soc. 102, 405), as the core's are.

    Parameters
    ----------
    x : (n, 4 nz + 1, ny, nx)
    sides : the same
    mass : (n,) `state.dry_surface_pressure` of the sides
    at : place
    """
    n = levels_of(x)
    along, across = smoothing(x.shape[-1]).to(x), smoothing(x.shape[-2]).to(x)
    x = across @ x @ along.T
    x = torch.where(at.specified, sides, x + at.drawn.to(x) * (sides - x))
    return with_mass(torch.cat([x[:, :n], without_negative(x[:, n : 2 * n], at), x[:, 2 * n :]], 1), mass, at)


def advance(net: ForecastNetwork, x: Tensor, sides: Tensor, mass: Tensor, at: Place, seconds: float) -> Tensor:
    """States a step later: `way` to its end, `settled`.

    Parameters
    ----------
    net : trained, or in training
    x : (n, 4 nz + 1, ny, nx)
    sides : the same at the end of the step
    mass : (n,) their `state.dry_surface_pressure`
    at : place
    seconds : of the step
    """
    return settled(way(net, x, sides, at, seconds)[-1], sides, mass, at)
