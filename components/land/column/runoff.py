# SPDX-License-Identifier: BSD-3-Clause
"""How much water the ground takes: infiltration limits with subgrid variability."""

from __future__ import annotations

import torch
from torch import Tensor


def noah_infiltration(water: Tensor, room: Tensor, ks: Tensor, seconds: float, refkdt: float = 3.0) -> Tensor:
    """Largest infiltration of Schaake et al. (1996) as used by Noah (Chen and Dudhia 2001), kg m-2.

    Parameters
    ----------
    water
        Water offered in this step, kg m-2.
    room
        Free pore space of the soil column, kg m-2.
    ks
        Saturated conductivity, m s-1.
    refkdt
        Calibration constant.
    """
    capacity = room * (1.0 - torch.exp(-refkdt * ks / 2e-6 * (seconds / 86400.0)))
    return water * capacity / torch.clamp(water + capacity, min=1e-12)


def topmodel_infiltration(
    water: Tensor, saturation_deficit: Tensor, decay: float = 2.0, largest: float | Tensor = 0.38
) -> Tensor:
    """Water that does not fall on saturated ground, fsat = fmax exp(-f/2 z) (Niu et al. 2005), kg m-2.

    Parameters
    ----------
    water
        Water offered, kg m-2.
    saturation_deficit
        Depth of the water table z, or the depth a column of the same deficit would have, m.
    decay
        f, m-1.
    largest
        fmax, the share of the cell with a topographic index above its mean.
    """
    return water * (1.0 - largest * torch.exp(-0.5 * decay * saturation_deficit))


INFILTRATION = {"noah": noah_infiltration, "topmodel": topmodel_infiltration}
