# SPDX-License-Identifier: BSD-3-Clause
"""A trained network over the columns of a map: what it may be used for, its observations on the grid, its increments.

Channels are pairs of a variable and a pressure; each has a value, a mask and a time within the window. Zero is a legal
value, so that the mask alone says what was seen.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from components.ml_surrogates import model_file
from components.ml_surrogates.data_assimilation.learned.network import Fusion, shown
from components.ml_surrogates.data_assimilation.observation_file import UNITS, Table
from components.ml_surrogates.data_assimilation.places import Places
from components.ml_surrogates.estimation.air import PARTS, of_layers
from components.ml_surrogates.model_file import Sidecar, Variable

NAME = "learned_assimilation_maps"
NEAR = 0.05  # of ln p: how far an observation may lie from its channel's pressure
PART_UNITS = {"t": "K", "q": "1", "u": "m s-1", "v": "m s-1"}


class Channel(NamedTuple):
    """What is observed.

    Attributes
    ----------
    variable : name
    pressure : Pa
    """

    variable: str
    pressure: float

    def text(self) -> str:
        """``air_temperature at 500 hPa``."""
        return f"{self.variable} at {self.pressure / 100.0:.0f} hPa"


class MapNetwork(nn.Module):
    """`Fusion` with its scaling.

    Parameters
    ----------
    levels : layers of the air
    channels : of the observations
    width, blocks : of the network
    """

    middle: Tensor
    spread: Tensor
    increment: Tensor
    value_middle: Tensor
    value_spread: Tensor

    def __init__(self, levels: int, channels: int, width: int, blocks: int):
        super().__init__()
        fields = len(PARTS) * levels
        self.levels = levels
        self.fusion = Fusion(2, fields, fields, 3 * channels + 3, width, blocks)
        for name, size in (("middle", fields), ("spread", fields), ("increment", fields)):
            self.register_buffer(name, torch.ones(size))
        for name in ("value_middle", "value_spread"):
            self.register_buffer(name, torch.ones(channels))

    def forward(self, state: Tensor, observed: Tensor) -> Tensor:
        """Increments (n, 4 levels, ny, nx).

        Parameters
        ----------
        state : (n, 4 levels, ny, nx) t, q, u, v as `of_layers`
        observed : (n, 3 channels + 3, ny, nx) values, masks, times, and place
        """
        c = len(self.value_middle)
        value = (observed[:, :c] - self.value_middle[:, None, None]) / self.value_spread[:, None, None]
        given = torch.cat([shown(value, observed[:, c : 2 * c]), observed[:, c:]], 1)
        scaled = (state - self.middle[:, None, None]) / self.spread[:, None, None]
        out: Tensor = self.increment[:, None, None] * self.fusion(scaled, given)
        return out


def place(longitude: Any, latitude: Any) -> Tensor:
    """Where each cell lies, (3, ny, nx): latitude over 90 degrees, sine and cosine of the longitude.

    Parameters
    ----------
    longitude, latitude : (ny, nx) degrees
    """
    lon = np.deg2rad(np.asarray(longitude))
    parts = (np.asarray(latitude) / 90.0, np.sin(lon), np.cos(lon))
    return torch.as_tensor(np.stack(parts), dtype=torch.float32)


def channel_of(table: Table, channels: Sequence[Channel]) -> Any:
    """Number of each row's channel, (n,); -1 where none was trained.

    Parameters
    ----------
    table : observations
    channels : of the network
    """
    found = np.full(len(table.time), -1)
    pressure = np.sqrt(table.pressure[:, 0] * table.pressure[:, 1])
    for n, c in enumerate(channels):
        found[(table.variable == c.variable) & (np.abs(np.log(pressure / c.pressure)) <= NEAR)] = n
    return found


def gridded(
    table: Table, places: Places, used: Any, channels: Sequence[Channel], at: Tensor, start: float, window: float
) -> Tensor:
    """Observations on the cells they lie in, (3 channels + 3, ny, nx); the mean where a cell has several.

    Parameters
    ----------
    table, places : observations and where they lie
    used : (n,) bool
    channels : of the network
    at : (3, ny, nx) as `place` gives it
    start, window : of the window, s
    """
    shape = (len(channels), *at.shape[1:])
    value, time, count = (np.zeros(shape) for _ in range(3))
    rows = np.flatnonzero(used)
    cell = (
        channel_of(table, channels)[rows],
        np.rint(places.y[rows]).astype(int),
        np.rint(places.x[rows]).astype(int),
    )
    np.add.at(count, cell, 1.0)
    np.add.at(value, cell, table.value[rows])
    np.add.at(time, cell, (table.time[rows] - start) / window)
    many = np.maximum(count, 1.0)
    whole = np.concatenate([value / many, count > 0.0, time / many])
    return torch.cat([torch.as_tensor(whole, dtype=torch.float32), at])


class Trained:
    """A network and what it may be used for.

    Parameters
    ----------
    net, card : as `load` gives them
    """

    def __init__(self, net: MapNetwork, card: Sidecar):
        self.net, self.card = net, card
        self.channels = tuple(Channel(str(v), float(p)) for v, p in card.notes["channels"])

    def text(self) -> str:
        """Channels with their ranges."""
        ins = self.card.inputs[len(PARTS) :]
        channels = ", ".join(f"{v.name} {v.low:.4g} to {v.high:.4g} {v.units}" for v in ins)
        return f"{channels}, until {self.card.notes['until']} s after the window's start"

    def problems(self, levels: int, window: int, spacing: float) -> list[str]:
        """Why it cannot serve a case.

        Parameters
        ----------
        levels, window, spacing : of the case; s and m
        """
        found, notes = [], self.card.notes
        if self.net.levels != levels:
            found.append(f"expected a network of {levels} levels, found one trained on {self.net.levels}")
        if int(notes["window"]) != window:
            found.append(f"expected a network of windows of {window} s, found one trained on {notes['window']} s")
        if not 0.8 < spacing / float(notes["spacing"]) < 1.25:
            found.append(
                f"expected a network of cells of {spacing / 1e3:.0f} km, found one trained on "
                f"{float(notes['spacing']) / 1e3:.0f} km"
            )
        return found

    def untrained(self, table: Table, window: int) -> dict[str, Any]:
        """Rows (n,) bool that it must not see, by reason.

        Parameters
        ----------
        table : observations
        window : of the case, s
        """
        late = table.time % window > float(self.card.notes["until"])
        channel = channel_of(table, self.channels)
        low, high = (np.array([getattr(v, k) for v in self.card.inputs[len(PARTS) :]]) for k in ("low", "high"))
        known = channel >= 0
        beyond = known & ~((table.value >= low[channel]) & (table.value <= high[channel]))
        return {
            "of a variable and pressure that was not trained": ~known,
            "outside the training range": beyond,
            "at a time of the window that was not trained": known & ~beyond & late,
        }

    def outside(self, air: Mapping[str, Tensor]) -> list[str]:
        """Fields of the background with values outside the training range, in words.

        Parameters
        ----------
        air : (nz, ny, nx) by name
        """
        found = []
        for part, v in zip(PARTS, self.card.inputs, strict=False):
            least, most = float(air[part].min()), float(air[part].max())
            if not (least >= v.low and most <= v.high):
                found.append(f"{part} of {least:.4g} to {most:.4g} {v.units} (trained on {v.low:.4g} to {v.high:.4g})")
        return found

    @torch.no_grad()
    def increment(self, air: Mapping[str, Tensor], observed: Tensor) -> Tensor:
        """The increment (4 nz, ny, nx), double; no vapour below zero.

        Parameters
        ----------
        air : background by name
        observed : as `gridded` gives it
        """
        state = of_layers(air)
        dx: Tensor = self.net(state.float()[None], observed[None])[0].double()
        q = slice(self.net.levels, 2 * self.net.levels)
        dx[q] = torch.maximum(dx[q], -state[q])
        return dx


def save(path: Path, net: MapNetwork, channels: Sequence[Channel], ranges: Mapping[str, tuple[float, float]],
         about: Mapping[str, Any], data_hash: str, seed: int) -> None:  # fmt: skip
    """Write weights and sidecar.

    Parameters
    ----------
    path : without ending
    net : trained
    channels : of the observations
    ranges : least and largest value in training of t, q, u, v and of each channel's text
    about : window (s), until (s after its start that observations may lie), spacing (m), and what is worth noting
    data_hash, seed : of the training
    """
    ins = (
        *(Variable(part, PART_UNITS[part], *ranges[part]) for part in PARTS),
        *(Variable(c.text(), UNITS[c.variable], *ranges[c.text()]) for c in channels),
    )
    outs = tuple(Variable(f"increment_of_{part}", PART_UNITS[part]) for part in PARTS)
    fusion = net.fusion
    sizes = {
        "levels": net.levels, "channels": len(channels), "width": fusion.width,
        "blocks": (len(fusion.fusion) - 2),
    }  # fmt: skip
    notes = {**about, "channels": [list(c) for c in channels]}
    model_file.save(path, net.state_dict(), Sidecar(NAME, "maps", sizes, ins, outs, {}, data_hash, seed, notes=notes))


def load(path: Path) -> Trained:
    """A trained network.

    Raises
    ------
    ModelFileError
        The files are missing or damaged, or hold another model.
    """
    remedy = "python -m components.ml_surrogates.data_assimilation.learned train-maps makes one"
    tensors, card = model_file.load_of(NAME, path, remedy)
    return Trained(model_file.filled(MapNetwork(**card.sizes), tensors, path), card)
