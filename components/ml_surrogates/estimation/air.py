# SPDX-License-Identifier: BSD-3-Clause
"""The air of a map by name, and as one state vector: t, q, u, v one above the other, then pressure of the lowest layer.

Layers keep their heights, so that the pressure above follows hydrostatically from the lowest layer's.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from components.science.constants import VIRTUAL

Air = dict[str, Tensor]
"""t (K), q (mixing ratio), u and v (eastward and northward, m s-1), p (Pa), each (nz, ny, nx), lowest first."""

PARTS = ("t", "q", "u", "v")
"""What an analysis changes in every layer, in the order of the state vector."""


def of_layers(air: Mapping[str, Tensor]) -> Tensor:
    """What changes in every layer (4 nz, ny, nx), double."""
    return torch.cat([air[k].double() for k in PARTS])


def packed(air: Mapping[str, Tensor]) -> Tensor:
    """The state vector (4 nz + 1, ny, nx), double."""
    return torch.cat([of_layers(air), air["p"][:1].double()])


def unpacked(x: Tensor) -> Air:
    """Parts of a state vector or of an increment by name; p (1, ny, nx) of the lowest layer."""
    layers = (x.shape[-3] - 1) // len(PARTS)
    return dict(zip((*PARTS, "p"), x.split([layers] * len(PARTS) + [1], -3), strict=True))


def changed(air: Air, dx: Tensor) -> Air:
    """The air after an increment; no vapour below zero; pressure hydrostatic at the heights that layers had.

    Parameters
    ----------
    air : by name
    dx : (4 nz + 1, ny, nx)
    """
    more = unpacked(dx)
    new = {k: air[k].double() + more[k] for k in PARTS}
    new["q"] = torch.clamp(new["q"], min=0.0)
    log_p = torch.log(air["p"].double())
    lowest = torch.log(air["p"][:1].double() + more["p"])
    # d ln p between two layers goes with one over the virtual temperature between them
    warmer = _between(new) / _between({k: air[k].double() for k in ("t", "q")})
    above = lowest + torch.cumsum((log_p[1:] - log_p[:-1]) / warmer, 0)
    return {**new, "p": torch.exp(torch.cat([lowest, above]))}


def _between(air: Mapping[str, Tensor]) -> Tensor:
    """Virtual temperature between layers, twice (nz - 1, ny, nx), K."""
    virtual = air["t"] * (1.0 + VIRTUAL * air["q"] / (1.0 + air["q"]))
    return virtual[1:] + virtual[:-1]
