# SPDX-License-Identifier: BSD-3-Clause
"""The air of a map by name, and as one state vector: t, q, u, v one above the other; pressure goes beside them."""

from collections.abc import Mapping

import torch
from torch import Tensor

Air = dict[str, Tensor]
"""t (K), q (mixing ratio), u and v (eastward and northward, m s-1), p (Pa), each (nz, ny, nx), lowest first."""

PARTS = ("t", "q", "u", "v")
"""What an analysis changes, in the order of the state vector."""


def packed(air: Mapping[str, Tensor]) -> Tensor:
    """The state vector (4 nz, ny, nx), double."""
    return torch.cat([air[k].double() for k in PARTS])


def unpacked(x: Tensor) -> Air:
    """Parts of a state vector or of an increment by name."""
    return dict(zip(PARTS, x.chunk(len(PARTS), -3), strict=True))


def changed(air: Air, dx: Tensor) -> Air:
    """The air after an increment; no vapour below zero; pressure as it was.

    Parameters
    ----------
    air : by name
    dx : (4 nz, ny, nx)
    """
    new = {k: air[k].double() + d for k, d in unpacked(dx).items()}
    return {**new, "q": torch.clamp(new["q"], min=0.0), "p": air["p"].double()}
