# SPDX-License-Identifier: BSD-3-Clause
"""The networks: what they add to a prior field, and how sure they are, both in units of the spread of the past.

Their last layer begins at zero, so that an untrained network gives the prior. Input: frames (b, frames, channels, ny,
nx), the newest last, and what does not change (b, fixed, ny, nx); output (b, 2, ny, nx): addition and logarithm of the
standard deviation.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

NETWORKS = ("unet", "co2_net")
WAVES, SHORTEST = 64, 8.0  # of the places of tubelets: number, and radians of the finest one to an Earth's radius


def circular(x: Tensor, width: int = 1) -> Tensor:
    """``x`` (..., ny, nx) with ``width`` more cells around: cyclic along the parallel, the last row again at the poles.

    Parameters
    ----------
    x : field
    width : cells
    """
    x = torch.cat([x[..., -width:], x, x[..., :width]], -1)
    return torch.cat(
        [x[..., :1, :].expand(*x.shape[:-2], width, -1), x, x[..., -1:, :].expand(*x.shape[:-2], width, -1)], -2
    )


def _silence(layer: nn.Module) -> None:
    """Let a layer give zero at first."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


class _Block(nn.Module):
    def __init__(self, before: int, after: int, cyclic: bool):
        super().__init__()
        self.cyclic = cyclic
        self.first, self.second = nn.Conv2d(before, after, 3), nn.Conv2d(after, after, 3)
        self.norm = nn.GroupNorm(4, after)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.silu(self.norm(self.first(self._wide(x))))
        return nn.functional.silu(self.second(self._wide(x)))

    def _wide(self, x: Tensor) -> Tensor:
        return circular(x) if self.cyclic else nn.functional.pad(x, (1, 1, 1, 1), mode="replicate")


class UNet(nn.Module):
    """Frames as channels; three scales (Ronneberger et al. 2015), circular in longitude.

    Parameters
    ----------
    channels, fixed, frames : of the input
    width : channels of the finest scale
    cyclic : whether the rows go around the Earth (0 or 1)
    """

    def __init__(self, channels: int, fixed: int, frames: int, width: int = 32, cyclic: int = 1):
        super().__init__()
        w = width
        down, up = ((channels * frames + fixed, w), (w, 2 * w), (2 * w, 3 * w)), ((5 * w, 2 * w), (3 * w, w))
        self.down, self.up = (nn.ModuleList([_Block(a, b, bool(cyclic)) for a, b in part]) for part in (down, up))
        self.head = nn.Conv2d(w, 2, 1)
        _silence(self.head)

    def forward(self, x: Tensor, fixed: Tensor) -> Tensor:
        """See the module."""
        b, _, _, ny, nx = x.shape
        x = torch.cat([x.reshape(b, -1, ny, nx), fixed], 1)
        if ny % 4 or nx % 4:
            x = nn.functional.pad(x, (0, -nx % 4, 0, -ny % 4), mode="replicate")
        kept = []
        for n, block in enumerate(self.down):
            x = block(nn.functional.avg_pool2d(x, 2) if n else x)
            kept.append(x)
        for block, fine in zip(self.up, (kept[1], kept[0]), strict=True):
            x = block(torch.cat([nn.functional.interpolate(x, size=fine.shape[-2:]), fine], 1))
        out: Tensor = self.head(x)[..., :ny, :nx]
        return out


def waves(rows: int, columns: int) -> Tensor:
    """Cosines and sines (rows * columns, 2 `WAVES`) of random plane waves through the sphere, at equal angles.

    Neighbours on the sphere look alike in them wherever the grid has its seam and its poles (Tancik et al. 2020).

    Parameters
    ----------
    rows, columns : of places from pole to pole and around
    """
    lat = torch.deg2rad((torch.arange(rows) + 0.5) * 180.0 / rows - 90.0)[:, None]
    lon = torch.deg2rad((torch.arange(columns) + 0.5) * 360.0 / columns)
    axes = [torch.cos(lat) * torch.cos(lon), torch.cos(lat) * torch.sin(lon), torch.sin(lat).expand(-1, columns)]
    direction = torch.randn(3, WAVES, generator=torch.Generator().manual_seed(0)) / math.sqrt(3.0)
    angle = torch.stack(axes, -1).reshape(-1, 3) @ (direction * torch.logspace(0.0, math.log10(SHORTEST), WAVES))
    return torch.cat([torch.cos(angle), torch.sin(angle)], -1)


class _Attention(nn.Module):
    """Attention of one stream's tokens to another's, and a layer of its own."""

    def __init__(self, width: int):
        super().__init__()
        self.norm, self.other, self.last = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.look = nn.MultiheadAttention(width, 4, batch_first=True)
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor, source: Tensor | None = None) -> Tensor:
        seen = self.norm(x) if source is None else self.other(source)
        x = x + self.look(self.norm(x), seen, seen, need_weights=False)[0]
        out: Tensor = x + self.mix(self.last(x))
        return out


class Co2Net(nn.Module):
    """Tubelets of two frames by p by q cells; a stream in space and one in time that look at each other in each layer.

    After CO2-Net (ICCV 2025): in space attention runs among the places of one tubelet of time, in time among the
    tubelets of one place; ``cross_attention`` lets each look at the other (T2S, S2T); both are summed, and a head of
    three layers gives the last frame.

    Parameters
    ----------
    channels, fixed, frames : of the input; frames even, or one
    ny, nx : cells
    width, depth : of the streams
    patch : p = q
    space, time, cross_attention : parts that are there (0 or 1)
    """

    def __init__(
        self, channels: int, fixed: int, frames: int, ny: int, nx: int, width: int = 96, depth: int = 3, patch: int = 5,
        space: int = 1, time: int = 1, cross_attention: int = 1,
    ):  # fmt: skip
        super().__init__()
        if ny % patch or nx % patch:
            raise ValueError(f"expected cells that are multiples of the patch of {patch}, found {ny} x {nx}")
        if not (space or time):
            raise ValueError("expected attention in space, in time or in both, found neither")
        self.patch, self.pair = patch, 2 if frames > 1 else 1
        self.space, self.time, self.cross = bool(space), bool(time), bool(cross_attention and space and time)
        if frames % self.pair:
            raise ValueError(f"expected an even number of frames, or one, found {frames}")
        size = (self.pair, patch, patch)
        self.embed = nn.Conv3d(channels + fixed, width, size, stride=size)
        self.register_buffer("waves", waves(ny // patch, nx // patch))
        self.where = nn.Linear(2 * WAVES, width)  # of the size of tokens, so that attention tells near from far at once
        nn.init.normal_(self.where.weight, std=0.5 / math.sqrt(WAVES))
        nn.init.zeros_(self.where.bias)
        self.place = nn.Parameter(0.02 * torch.randn(1, 1, (ny // patch) * (nx // patch), width))
        self.moment = nn.Parameter(0.02 * torch.randn(1, frames // self.pair, 1, width))
        kinds = [k for k, there in (("s", space), ("t", time), ("t2s", self.cross), ("s2t", self.cross)) if there]
        self.layers = nn.ModuleList([nn.ModuleDict({k: _Attention(width) for k in kinds}) for _ in range(depth)])
        self.head = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, 2 * width), nn.GELU(),
            nn.Linear(2 * width, 2 * patch * patch),
        )  # fmt: skip
        _silence(self.head[-1])

    def forward(self, x: Tensor, fixed: Tensor) -> Tensor:
        """See the module."""
        b, frames, _, ny, nx = x.shape
        x = torch.cat([x, fixed[:, None].expand(-1, frames, -1, -1, -1)], 2)
        tokens = self.embed(x.transpose(1, 2))
        moments, rows, columns = tokens.shape[-3:]
        tokens = tokens.reshape(b, -1, moments, rows * columns).permute(0, 2, 3, 1)
        tokens = tokens + self.where(self.get_buffer("waves")) + self.place + self.moment
        places, width = tokens.shape[2:]

        def by_time(a: Tensor) -> Tensor:  # the tubelets of time are mixed into the batch
            return a.reshape(b * moments, places, width)

        def by_place(a: Tensor) -> Tensor:
            return a.transpose(1, 2).reshape(b * places, moments, width)

        def back(a: Tensor) -> Tensor:
            return a.reshape(b, places, moments, width).transpose(1, 2)

        s = t = tokens
        for layer in self.layers:
            assert isinstance(layer, nn.ModuleDict)
            if self.space:
                s = layer["s"](by_time(s)).reshape(tokens.shape)
            if self.time:
                t = back(layer["t"](by_place(t)))
            if self.cross:
                s, t = (
                    layer["t2s"](by_time(s), by_time(t)).reshape(tokens.shape),
                    back(layer["s2t"](by_place(t), by_place(s))),
                )
        x = s + t if self.space and self.time else s if self.space else t
        p = self.patch
        out: Tensor = self.head(x[:, -1]).reshape(b, rows, columns, 2, p, p)
        return out.permute(0, 3, 1, 4, 2, 5).reshape(b, 2, ny, nx)


def build(network: str, sizes: Mapping[str, int]) -> nn.Module:
    """A network of the table.

    Parameters
    ----------
    network : one of `NETWORKS`
    sizes : arguments of its class
    """
    if network not in NETWORKS:
        raise ValueError(f"expected a network among {', '.join(NETWORKS)}, found {network!r}")
    return UNet(**sizes) if network == "unet" else Co2Net(**sizes)
