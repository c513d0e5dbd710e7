# SPDX-License-Identifier: BSD-3-Clause
"""Tracers in convection: updraughts carry them up, the air between the clouds sinks in their place.

Where M (kg m-2 s-1) is the mass that rises through an interface, q_u its mixing ratio and q that of the air around,

    rho dz dq/dt = -d/dz [M (q_u - q)]

(Arakawa & Schubert 1974, J. Atmos. Sci. 31, eq. 14-16, for a tracer without sources). Where M grows with height the
updraught takes in the air of the layer, where it shrinks it leaves its own there. What sinks is taken upstream and
implicitly, so that a constant stays, nothing becomes negative and the column keeps its content.
"""

import torch

from components.science.kernel_arrays import flat, plain
from components.science.settling import sink
from components.science.torch_compiler import in_pieces, piece


@in_pieces
def carry(q: torch.Tensor, updraught: torch.Tensor, mass: torch.Tensor, dt: float) -> torch.Tensor:
    """Mixing ratios after ``dt`` seconds of convection: on the CPU by a kernel, with a gradient and elsewhere in torch.

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
    return (_by_kernel if plain(q, updraught, mass) else by_torch)(q, updraught, mass, dt)


def _by_kernel(q: torch.Tensor, updraught: torch.Tensor, mass: torch.Tensor, dt: float) -> torch.Tensor:
    from components.science.kernels import columns  # numba is slow to load

    m, nz = q.shape[:2]
    out = q.clone(memory_format=torch.contiguous_format)
    if m:
        columns.carry(flat(out, (m, nz, -1)), flat(updraught, (nz - 1, -1)), flat(mass, (nz, -1)), float(dt))
    return out


@piece
def by_torch(q: torch.Tensor, updraught: torch.Tensor, mass: torch.Tensor, dt: float) -> torch.Tensor:
    """`carry` in torch.

    Parameters
    ----------
    q, updraught, mass, dt : as `carry` has them
    """
    nz = mass.shape[0]
    none = torch.zeros_like(updraught[:1])
    taken = torch.clamp(updraught - torch.cat([none, updraught[:-1]]), min=0.0)
    share = 1.0 / torch.clamp((dt * taken / mass[:-1]).amax(0), min=1.0)
    flux = dt * share * updraught  # kg m-2 in the step
    entrained = dt * share * taken
    from_below = torch.cat([none, torch.minimum(flux[1:], flux[:-1])])
    mixed = entrained / torch.clamp(entrained + from_below, min=1.0e-30)
    inside, plume = torch.zeros_like(q[:, 0]), []
    for k in range(nz - 1):
        inside = torch.where(flux[k] > 0.0, inside + mixed[k] * (q[:, k] - inside), 0.0)
        plume.append(flux[k] * inside)
    # what rises is known; the air that sinks through the lower interface is the layer's own, after the step
    rising, nothing = torch.stack(plume), torch.zeros_like(q[:, 0])[None]
    content = mass[:, None] * q.movedim(0, 1) - torch.cat([rising, nothing]) + torch.cat([nothing, rising])
    return sink(content, torch.cat([none, flux]), mass)[0].movedim(0, 1)
