# SPDX-License-Identifier: BSD-3-Clause
"""The schemes of vertical mixing by the words they have in a namelist.

A scheme is a function of `Columns`, the step (s) and the background's viscosity and diffusivity (m2 s-1); it gives
`Mixed`. One in another package is named ``package.module:NAME`` (a `Scheme`).
"""

import torch

from components.ocean.primitive.profile_mixing import k_profile
from components.ocean.primitive.turbulent_energy import turbulent_energy
from components.ocean.primitive.vertical_mixing import Columns, Mixed
from components.science.schemes import Scheme, Table
from coupler.namelist import Range


def constant(c: Columns, dt: float, viscosity0: float, diffusivity0: float, convective: float = 0.0) -> Mixed:
    """Background values everywhere, and ``convective`` (m2 s-1) where the water is unstable.

    Parameters
    ----------
    c : what the scheme sees
    dt : step, s; not used
    viscosity0, diffusivity0 : background values, m2 s-1
    convective : diffusivity of unstable layers, m2 s-1; 0: the background's
    """
    diffusivity = diffusivity0 * c.below
    if convective:
        diffusivity = torch.where(c.n2 < -1e-12, torch.clamp(diffusivity, min=convective), diffusivity) * c.below
    return Mixed(c.tke, viscosity0 * c.below, diffusivity)


DIFFUSIVITY = Range(least=0.0, most=1.0e3, unit="m2 s-1")
MIXING = Table(
    "vertical mixing",
    Scheme("constant", constant, options={"convective": 0.0}, bounds={"convective": DIFFUSIVITY}),
    Scheme(
        "tke",
        turbulent_energy,
        options={"breaking": 100.0, "langmuir": 0.15, "transport": 24.0},
        bounds={name: Range(least=0.0, most=1.0e4) for name in ("breaking", "langmuir", "transport")},
    ),
    Scheme("kpp", k_profile, options={"convective": 0.1}, bounds={"convective": DIFFUSIVITY}),
)
