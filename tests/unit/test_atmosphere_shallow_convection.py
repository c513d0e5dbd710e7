# SPDX-License-Identifier: BSD-3-Clause
"""Shallow clouds of the mass flux get through stable air as far as the mixed layer's thermals have the energy."""

import math

import pytest
import torch

from components.atmosphere.nonhydrostatic.physics import convection_mass_flux as mass_flux
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Convecting, Fluxes
from components.atmosphere.nonhydrostatic.physics.mixed_layer_thermals import shallow_flux
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.science.constants import CP_DRY, GRAVITY, KAPPA, R_DRY, VIRTUAL

# a column over the sea at 1 N 106 E late in a June day whose shallow clouds were not lifted: a lid had grown on the
# mixed layer. Height m, pressure hPa, temperature K, vapour g/kg
LID = (
    (41, 1005, 301.28, 18.66), (139, 994, 300.31, 18.51), (288, 978, 298.87, 18.43), (510, 953, 296.73, 18.01),
    (818, 920, 295.57, 13.22), (1222, 878, 294.15, 10.04), (1724, 829, 291.22, 9.20), (2325, 772, 287.58, 8.54),
    (3024, 711, 283.80, 6.90), (3816, 646, 279.07, 5.65), (4696, 579, 273.56, 4.47), (5657, 513, 268.41, 3.21),
)  # fmt: skip


def column(warmer=0.0):
    """The column as (nz, 1, 1), the fourth layer and those above ``warmer`` (K), and what convection starts from."""
    z, p, t, q = torch.tensor(LID, dtype=torch.float64).T[:, :, None, None]
    p, q = 100.0 * p, 1e-3 * q
    t = t + warmer * (z > 700.0)
    middle = 0.5 * (z[1:] + z[:-1])
    z_i = torch.cat([torch.zeros_like(z[:1]), middle, 2.0 * z[-1:] - middle[-1:]])
    pi, rho, dz = (p / 1.0e5) ** KAPPA, p / (R_DRY * t * (1.0 + VIRTUAL * q)), z_i[1:] - z_i[:-1]
    none = torch.zeros_like(t[0])
    fluxes = Fluxes(none + 8.0, none + 4.0e-5, none, none)
    before = Convecting(torch.zeros_like(t), torch.zeros_like(t), t, {VAPOUR.name: q}, fluxes)
    return Columns(t, t / pi, p, pi, rho, rho * dz, z, dz, z_i), before


def w_star(air, before, base):
    heat = before.fluxes.sensible_heat / (air.rho[0] * CP_DRY * air.pi[0])
    heat = heat + VIRTUAL * air.theta[0] * before.fluxes.water / air.rho[0]
    return (GRAVITY / (air.t[0] * (1.0 + VIRTUAL * before.q[VAPOUR.name][0])) * heat * base) ** (1.0 / 3.0)


def test_clouds_over_the_sea_break_through_the_lid_that_their_absence_makes():
    """Entraining air from their base on they were heavier than the lid, and nothing ever took it away again."""
    wet, flux = mass_flux.by_torch(*column(), 600.0, 2.3)
    print(f"RESULT flux {float(flux.max()):.4f} kg m-2 s-1, cover {float(wet.cover.max()):.3f}")
    assert 0.005 < float(flux.max()) < 0.03
    assert float(wet.cover.max()) > 0.05


@pytest.mark.parametrize("warmer", [4.0, 8.0])
def test_a_lid_that_is_too_warm_holds_them(warmer):
    _, flux = mass_flux.by_torch(*column(warmer), 600.0, 2.3)
    assert float(flux.max()) == 0.0


def test_the_flux_is_grants_or_that_of_the_thermals_with_the_energy():
    """Bretherton et al. (2004) with the variance .2 w_*^2: equal at CIN = sigma^2 ln(sigma / (sqrt(2 pi) .03 w_*))."""
    air, before = column()
    plume, _, _ = mass_flux.choose(air, before.t, before.q[VAPOUR.name], before.fluxes, 2.3, 600.0)
    scale = w_star(air, before, plume.begin)
    sigma = math.sqrt(0.2) * scale
    grant = 0.03 * scale * air.rho[0]
    with_work = lambda cin: shallow_flux(  # noqa: E731
        air, before.t, before.q[VAPOUR.name], plume._replace(inhibition=cin), before.fluxes
    )
    turns = sigma * sigma * math.log(math.sqrt(0.2) / (math.sqrt(2.0 * math.pi) * 0.03))
    for cin in (0.0 * sigma, 0.99 * turns):
        assert torch.allclose(with_work(cin), grant, rtol=1e-12)
    assert torch.allclose(with_work(turns + sigma * sigma), grant * math.exp(-1.0), rtol=1e-12)
    assert float(with_work(8.1 * sigma * sigma)) == 0.0
    assert float(with_work(7.9 * sigma * sigma)) < 0.01 * float(grant)


def test_its_gradient_is_finite_and_by_the_work_minus_the_flux_by_the_variance():
    air, before = column()
    q = before.q[VAPOUR.name].clone().requires_grad_()
    plume, _, flux = mass_flux.choose(air, before.t, q, before.fluxes, 2.3, 600.0)
    variance = 0.2 * w_star(air, before, plume.begin.detach()) ** 2
    cin = (3.0 * variance).requires_grad_()
    held = shallow_flux(air, before.t, q, plume._replace(inhibition=cin), before.fluxes)
    (by_work,) = torch.autograd.grad(held.sum(), cin, retain_graph=True)
    assert torch.allclose(by_work, -held.detach() / variance, rtol=1e-9)
    (flux + held).sum().backward()
    assert bool(torch.isfinite(q.grad).all()) and float(q.grad.abs().max()) > 0.0
