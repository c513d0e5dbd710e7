# SPDX-License-Identifier: BSD-3-Clause
"""Slopes within layers that make no new extreme: the lesser of those to both neighbours, none at an extreme."""

import torch


def limited_slopes(x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Slope dx/dz in each layer (nz, ...), limited by minmod (Roe 1986, Annu. Rev. Fluid Mech. 18, 337-365).

    What moves upstream with it is of second order where ``x`` is smooth. The outermost layers have that to their only
    neighbour.

    Parameters
    ----------
    x : (nz, ...) values at the layers' centres
    z : (nz, ...) heights of these, m, increasing
    """
    slope = (x[1:] - x[:-1]) / (z[1:] - z[:-1])
    low, up = slope[:-1], slope[1:]
    least = torch.where(low > 0.0, torch.minimum(low, up).clamp(min=0.0), torch.maximum(low, up).clamp(max=0.0))
    return torch.cat([slope[:1], least, slope[-1:]])
