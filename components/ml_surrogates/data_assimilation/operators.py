# SPDX-License-Identifier: BSD-3-Clause
"""From columns of air to what observations see: bilinear in the horizontal, linear in ln p, or means over layers.

Differentiable in the air and in its pressure.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.places import Places

FIELDS = {"air_temperature": "t", "humidity_mixing_ratio": "q", "eastward_wind": "u", "northward_wind": "v"}
"""Field of the air that a variable observes."""
DEEPEST = 0.02
"""Of ln p, some 170 m, that a point may lie below the model's ground, which is smoother than the true one."""


@dataclass(frozen=True)
class Seen:
    """The operator H of some observations of one time.

    Parameters
    ----------
    table : observations
    places : theirs on the grid
    """

    table: Table
    places: Places

    def __call__(self, air: Mapping[str, Tensor]) -> Tensor:
        """What the observations would see, (p,).

        Parameters
        ----------
        air : (nz, ny, nx) by name, lowest layer first; ``p`` among them, Pa
        """
        log_p = self._across(torch.log(air["p"]))
        bounds = torch.as_tensor(self.table.pressure).to(log_p)
        total = torch.zeros_like(log_p[0])
        for name, field in FIELDS.items():
            here = torch.as_tensor(self.table.variable == name, device=log_p.device)
            if bool(here.any()):
                total = total + here.to(log_p) * seen(self._across(air[field]), log_p, bounds)
        return total

    def buried(self, air: Mapping[str, Tensor]) -> npt.NDArray[np.bool_]:
        """Rows (p,) below the ground of the model: it has no air that they could have seen.

        Parameters
        ----------
        air : (nz, ny, nx) by name
        """
        ground = _foot(self._across(torch.log(air["p"][:2]))).numpy()[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(self.table.pressure[:, 1]) > ground + DEEPEST)

    def _across(self, field: Tensor) -> Tensor:
        """Bilinear values at the places, (nz, p)."""
        ny, nx = field.shape[-2:]
        j, i = (np.clip(np.floor(a).astype(int), 0, n - 2) for a, n in ((self.places.y, ny), (self.places.x, nx)))
        fy, fx = (torch.as_tensor(a - b).to(field) for a, b in ((self.places.y, j), (self.places.x, i)))
        low = field[:, j, i] * (1.0 - fx) + field[:, j, i + 1] * fx
        high = field[:, j + 1, i] * (1.0 - fx) + field[:, j + 1, i + 1] * fx
        return low * (1.0 - fy) + high * fy


def seen(column: Tensor, log_p: Tensor, bounds: Tensor) -> Tensor:
    """Values of columns at a pressure, or means over the mass of a layer, (p,).

    Parameters
    ----------
    column : (nz, p) lowest layer first
    log_p : (nz, p) ln of the layers' pressure, Pa
    bounds : (p, 2) of what is seen, Pa; equal at a point
    """
    return torch.where(bounds[:, 0] > bounds[:, 1], _mean(column, log_p, bounds), _at(column, log_p, bounds[:, 0]))


def _at(column: Tensor, log_p: Tensor, pressure: Tensor) -> Tensor:
    """Linear in ln p; beyond the outermost layers' centres theirs holds."""
    target = torch.log(pressure)
    above = (log_p > target).sum(0)
    k = torch.clamp(above - 1, 0, column.shape[0] - 2)[None]
    low, high = log_p.gather(0, k)[0], log_p.gather(0, k + 1)[0]
    part = torch.clamp((target - low) / (high - low), 0.0, 1.0)
    return column.gather(0, k)[0] * (1.0 - part) + column.gather(0, k + 1)[0] * part


def _mean(column: Tensor, log_p: Tensor, bounds: Tensor) -> Tensor:
    """Weights: the overlap of each layer, between the means of ln p of neighbours, with what is seen."""
    middle = 0.5 * (log_p[1:] + log_p[:-1])
    last = 1.5 * log_p[-1:] - 0.5 * log_p[-2:-1]
    edges = torch.exp(torch.cat([_foot(log_p), middle, last]))
    low = torch.minimum(edges[:-1], bounds[:, 0])
    high = torch.maximum(edges[1:], bounds[:, 1])
    weight = torch.clamp(low - high, min=0.0)
    return (weight * column).sum(0) / torch.clamp(weight.sum(0), min=1e-12)


def _foot(log_p: Tensor) -> Tensor:
    """Logarithm of the pressure below the lowest layer (1, p), half a layer below its centre."""
    foot: Tensor = 1.5 * log_p[:1] - 0.5 * log_p[1:2]
    return foot
