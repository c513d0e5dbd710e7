# SPDX-License-Identifier: BSD-3-Clause
"""What a station sees: mole fractions at ten metres, not at the middle of a lowest layer of a hundred and more.

Within the surface layer fluxes hardly change with height, so that what leaves or reaches the ground gives the
difference over its resistance: of what is deposited as in Simpson et al. (2012, ACP 12, 7825, section 9.1), of what is
emitted at the ground with the other sign. Nitric oxide and ozone react faster than that layer is stirred: at ten metres
they are in the balance with nitrogen dioxide, [NO] [O3] / [NO2], that the lowest layer has. At night there is none of
one of the two. Nothing here acts on the tracers.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from components.chemistry.regional.deposition.dry import SURFACE_LAYER, Ground
from components.chemistry.regional.deposition.land_cover import BY_LAND_USE
from components.science.constants import VON_KARMAN

TOWN = BY_LAND_USE["urban"]
HEIGHT = 10.0  # m, of the inlets, and of the wind that is measured
OZONE, OXIDE, DIOXIDE = "O3", "NO", "NO2"
GASES = (OZONE, DIOXIDE, OXIDE, "CO", "SO2")
"""That stations measure."""
STABLE, UNSTABLE = 5.0, 16.0  # of the profiles of heat (Dyer 1974, Boundary-Layer Meteorol. 7, 363)


def name_of(gas: str) -> str:
    """Of the output.

    Parameters
    ----------
    gas : as the mechanism names it, or a field's name
    """
    return f"{gas}_at_10m"


def resistance(ground: Ground) -> Tensor:
    """Of the air between ten metres and the middle of the lowest layer (at most 100 m) over a town, s m-1.

    The integral of phi(z/L) / (k u* z), whose z/L is bounded as for the deposition. Stations stand in towns, and there
    most is emitted; the wind in the middle of the layer is the cell's, the turbulence below that of the town's
    roughness.

    Parameters
    ----------
    ground : surface and lowest air
    """
    _, u_star = ground.turbulence(TOWN)
    top = torch.clamp(ground.height, min=HEIGHT, max=SURFACE_LAYER)
    ratio = HEIGHT / top
    at_top = ground.stability(TOWN)
    stable = STABLE * torch.clamp(at_top, 0.0, 1.0) * (1.0 - ratio)
    unstable = torch.clamp(at_top, max=0.0)
    mixed = _free(unstable * ratio) - _free(unstable)
    return (stable + mixed - torch.log(ratio)) / (VON_KARMAN * u_star)


def _free(stability: Tensor) -> Tensor:
    """Psi of heat in unstable air (Paulson 1970, J. Appl. Meteorol. 9, 857)."""
    return 2.0 * torch.log(0.5 * (1.0 + torch.sqrt(1.0 - UNSTABLE * stability)))


def brought_down(lowest: Tensor, emitted: Tensor | float, velocity: Tensor | float, between: Tensor) -> Tensor:
    """Mixing ratio at ten metres, 0 or more, of what does not react on the way.

    Parameters
    ----------
    lowest : in the lowest layer
    emitted : at the ground, mixing ratio times m s-1
    velocity : of deposition, m s-1
    between : resistance, s m-1
    """
    kept = lowest * torch.clamp(torch.as_tensor(1.0 - velocity * between), min=0.0)
    return torch.clamp(kept + emitted * between, min=0.0)


def balanced(oxide: Tensor, dioxide: Tensor, ozone: Tensor, ratio: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Nitric oxide, nitrogen dioxide and ozone with the sums that they had, and [NO] [O3] / [NO2] as given.

    Parameters
    ----------
    oxide, dioxide, ozone : of one unit, 0 or more
    ratio : in it, 0 or more
    """
    # (oxide - x) (ozone - x) = ratio (dioxide + x): the root that leaves both above 0
    b, c = oxide + ozone + ratio, oxide * ozone - ratio * dioxide
    x = 2.0 * c / torch.clamp(b + torch.sqrt(torch.clamp(b * b - 4.0 * c, min=0.0)), min=torch.finfo(b.dtype).tiny)
    return oxide - x, dioxide + x, ozone - x


def gases(
    lowest: Mapping[str, Tensor], emitted: Mapping[str, Tensor], velocities: Mapping[str, Tensor], between: Tensor
) -> dict[str, Tensor]:
    """Of `GASES`, those that there are, at ten metres.

    Parameters
    ----------
    lowest : mole fraction in the lowest layer
    emitted : at the ground, mole fraction times m s-1
    velocities : of deposition, m s-1
    between : resistance, s m-1
    """
    held = {name: torch.clamp(lowest[name], min=0.0) for name in GASES if name in lowest}
    out = {
        name: brought_down(a, emitted.get(name, 0.0), velocities.get(name, 0.0), between) for name, a in held.items()
    }
    if {OZONE, OXIDE, DIOXIDE} <= set(out):
        tiny = torch.finfo(between.dtype).tiny
        ratio = held[OXIDE] * held[OZONE] / torch.clamp(held[DIOXIDE], min=tiny**0.5)
        out[OXIDE], out[DIOXIDE], out[OZONE] = balanced(out[OXIDE], out[DIOXIDE], out[OZONE], ratio)
    return out
