# SPDX-License-Identifier: BSD-3-Clause
"""Tracers in convection: updraughts carry them up, the air between the clouds sinks in their place.

Where M (kg m-2 s-1) is the mass that rises through an interface, q_u its mixing ratio and q that of the air around,

    rho dz dq/dt = -d/dz [M (q_u - q)]

(Arakawa & Schubert 1974, J. Atmos. Sci. 31, eq. 14-16, for a tracer without sources). Where M grows with height the
updraught takes in the air of the layer, where it shrinks it leaves its own there. What sinks is taken upstream and
implicitly, so that a constant stays, nothing becomes negative and the column keeps its content.
"""

import torch


def carry(q: torch.Tensor, updraught: torch.Tensor, mass: torch.Tensor, dt: float) -> torch.Tensor:
    """Mixing ratios after ``dt`` seconds of convection.

    Parameters
    ----------
    q : (n, nz, y, x) mixing ratios to dry air, lowest layer first
    updraught : (nz-1, y, x) mass flux through the inner interfaces, kg m-2 s-1, not negative
    mass : (nz, y, x) of dry air in the layers, kg m-2
    dt : time step, s

    Returns
    -------
    q : (n, nz, y, x). Where an updraught would take more than a layer holds, the column's fluxes are made smaller.
    """
    nz = mass.shape[0]
    none = torch.zeros_like(updraught[0])
    taken = [torch.clamp(updraught[k] - (updraught[k - 1] if k else none), min=0.0) for k in range(nz - 1)]
    most = none
    for k in range(nz - 1):
        most = torch.maximum(most, dt * taken[k] / mass[k])
    share = 1.0 / torch.clamp(most, min=1.0)
    flux = [dt * share * m for m in updraught]  # kg m-2 in the step
    rising, inside = [], torch.zeros_like(q[:, 0])
    for k in range(nz - 1):
        entrained = dt * share * taken[k]
        from_below = torch.minimum(flux[k], flux[k - 1]) if k else none
        total = torch.clamp(entrained + from_below, min=1.0e-30)
        inside = torch.where(flux[k] > 0.0, inside + entrained / total * (q[:, k] - inside), 0.0)
        rising.append(flux[k] * inside)
    layers: list[torch.Tensor] = []
    for k in range(nz - 1, -1, -1):
        # what rises is known; the air that sinks through the lower interface is the layer's own, after the step
        into = mass[k] * q[:, k]
        if k < nz - 1:
            into = into - rising[k] + flux[k] * layers[-1]
        if k:
            into = into + rising[k - 1]
        layers.append(into / (mass[k] + (flux[k - 1] if k else none)))
    return torch.stack(layers[::-1], 1)
