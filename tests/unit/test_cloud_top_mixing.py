# SPDX-License-Identifier: BSD-3-Clause
"""Mixing beneath a cloud whose top radiation cools: stratocumulus as measured, and where there is nothing to do."""

import pytest
import torch
from torch import library

from components.atmosphere.nonhydrostatic.physics.boundary_layer_ysu import step
from components.atmosphere.nonhydrostatic.physics.cloud_top_mixing import by_torch, conductance
from components.atmosphere.nonhydrostatic.physics.columns import Columns
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.atmosphere.nonhydrostatic.physics.species import CLOUD_WATER, VAPOUR
from components.science.constants import CP_DRY, GRAVITY, LATENT_VAPORISATION

DEPTH, BASE = 840.0, 600.0  # m: top and base of the cloud of DYCOMS-II RF01


def stratocumulus(lost=70.0, layers=60, q_l=5.0e-4, **jumps):
    """Air of DYCOMS-II RF01 (Stevens et al. 2005): theta_l 289 and 297.5 K, 9.0 and 1.5 g/kg of water.

    ``lost`` W m-2 is taken from the cloud's top layer of 20 m.
    """
    interface = torch.linspace(0.0, 20.0 * layers, layers + 1, dtype=torch.float64)[:, None, None]
    z, dz = 0.5 * (interface[1:] + interface[:-1]), interface[1:] - interface[:-1]
    below = z < DEPTH
    water = torch.where(below, 9.0e-3, jumps.get("water", 1.5e-3))
    cloud = torch.where(below & (z > BASE), q_l * (z - BASE) / (DEPTH - BASE), 0.0)
    pi = 1.0 - GRAVITY * z / (CP_DRY * 290.0)
    theta = torch.where(below, 289.0, jumps.get("theta", 297.5)) + LATENT_VAPORISATION / (CP_DRY * pi) * cloud
    rho = 1.2 * torch.exp(-z / 9000.0)
    top = below & (z > DEPTH - 20.0)
    heating = torch.where(top, -lost / (CP_DRY * rho * dz), 0.0)
    air = Columns(theta * pi, theta, 1.0e5 * pi**3.5, pi, rho, rho * dz, z, dz, interface)
    return air, water - cloud, cloud, heating


def at_the_top(air, conduct):
    """Velocity (m s-1) of the exchange through the interface at the cloud's top."""
    k = int(DEPTH / 20.0) - 1
    return float(conduct[k, 0, 0] / (0.5 * (air.rho[k] + air.rho[k + 1])))


def test_a_deck_of_stratocumulus_entrains_as_measured():
    """DYCOMS-II RF01: 3.8 mm/s measured, 3 to 5 mm/s in large-eddy simulations (Stevens et al. 2003, 2005)."""
    air, q_v, q_l, heating = stratocumulus()
    velocity = at_the_top(air, conductance(air, air.theta, q_v, q_l, heating))
    print(f"RESULT entrainment {1e3 * velocity:.2f} mm/s")
    assert 3.0e-3 < velocity < 5.0e-3


def test_it_mixes_all_that_lies_beneath_down_to_air_that_is_heavier():
    """From the ground to the top, at most .85 k V D .286 (Lock et al. 2000), V^3 = g/theta B D; not into colder air."""
    air, q_v, q_l, heating = stratocumulus()
    conduct = conductance(air, air.theta, q_v, q_l, heating)[:, 0, 0]
    velocity = (GRAVITY / 290.0 * 70.0 / (1.12 * CP_DRY) * DEPTH) ** (1.0 / 3.0)
    k = 20.0 * conduct[:41] / air.rho[1:42, 0, 0]
    assert float(k.max()) == pytest.approx(0.85 * 0.4 * velocity * DEPTH * 0.286, rel=0.05)
    assert bool((k > 0.0).all()) and float(conduct[42:].max()) == 0.0
    theta = air.theta - 2.0 * (air.z < 400.0)
    decoupled = conductance(air, theta, q_v, q_l, heating)[:, 0, 0]
    assert float(decoupled[:19].max()) == 0.0 and bool((decoupled[20:41] > 0.0).all())


@pytest.mark.parametrize("what", ["no cloud", "no cooling", "warmed"])
def test_without_cloud_or_cooling_it_does_nothing(what):
    air, q_v, q_l, heating = stratocumulus()
    q_l = 0.0 * q_l if what == "no cloud" else q_l
    heating = {"no cooling": 0.0, "warmed": -1.0}.get(what, 1.0) * heating
    assert float(conductance(air, air.theta, q_v, q_l, heating).max()) == 0.0


def test_it_exchanges_water_through_the_top_and_loses_none():
    """In a step of 10 s the layer beneath loses w_e times the jump, to 5 %; the columns' sum is kept to 1e-12."""
    air, q_v, q_l, heating = stratocumulus()
    none, wind, dt = torch.zeros((1, 1), dtype=torch.float64), torch.zeros_like(q_v), 10.0
    q = dict(zip((VAPOUR.name, CLOUD_WATER.name), (q_v, q_l), strict=True))
    velocity = at_the_top(air, conductance(air, air.theta, q_v, q_l, heating))
    given = Fluxes(none, none, none, none), {}, dt
    with_it, without = (
        sum(step(air, wind, wind, air.theta + dt * h / air.pi, q, *given).q.values()) for h in (heating, 0.0 * heating)
    )
    change = (with_it - without) * air.mass / dt
    expected = -velocity * 7.5e-3 * float(0.5 * (air.rho[41] + air.rho[42]))
    assert float(change[air.z < DEPTH].sum()) == pytest.approx(expected, rel=0.05)
    change = (with_it - q_v - q_l) * air.mass
    assert abs(float(change.sum())) < 1e-12 * float((q_v * air.mass).sum())


def test_a_cloud_that_has_risen_since_radiation_was_computed_is_still_cooled():
    """Cooling of the layer below the present top drives as much as that of the top itself."""
    air, q_v, q_l, heating = stratocumulus()
    lower = torch.cat([heating[1:], heating[:1]])
    whole, risen = (conductance(air, air.theta, q_v, q_l, h) for h in (heating, lower))
    assert at_the_top(air, risen) == pytest.approx(at_the_top(air, whole), rel=0.02)


def several_decks(layers=18, columns=(7, 40)):
    """Random columns with decks of any number and thickness; a third without any, a few lost to radiation."""
    random = torch.Generator().manual_seed(5)
    draw = lambda *shape: torch.rand(shape, generator=random, dtype=torch.float64)  # noqa: E731
    air, *_ = stratocumulus(layers=layers)
    dz = 50.0 + 100.0 * draw(layers, *columns)
    interface = torch.cat([torch.zeros_like(dz[:1]), dz.cumsum(0)])
    z = 0.5 * (interface[1:] + interface[:-1])
    theta = 288.0 + (1.0 - 0.5 * draw(layers, *columns)).cumsum(0)
    pi = 1.0 - GRAVITY * z / (CP_DRY * 290.0)
    rho = 1.2 * torch.exp(-z / 9000.0)
    air = Columns(theta * pi, theta, 1.0e5 * pi**3.5, pi, rho, rho * dz, z, dz, interface)
    cloudy = (draw(layers, *columns) < 0.5) & (draw(*columns) < 0.67)
    q_l = torch.where(cloudy, 8.0e-4 * draw(layers, *columns), 0.0)
    return air, 5.0e-3 * draw(layers, *columns), q_l, 2.0e-4 * (draw(layers, *columns) - 0.7)


def test_the_kernel_has_the_numbers_of_torch_and_a_block_those_of_the_whole():
    air, q_v, q_l, heating = several_decks()
    found = conductance(air, air.theta, q_v, q_l, heating)
    assert (found > 0.0).any(0).double().mean() > 0.4 and (found == 0.0).all(0).any()
    torch.testing.assert_close(found, by_torch(air, air.theta, q_v, q_l, heating), rtol=1e-12, atol=1e-15)
    part = [a[:, 2:5, 3:30] for a in (*air, q_v, q_l, heating)]
    block = Columns(*part[:9])
    assert torch.equal(conductance(block, block.theta, *part[9:]), found[:, 2:5, 3:30])


def test_it_is_one_operation_to_whoever_compiles_and_gradients_pass():
    air, q_v, q_l, heating = several_decks(columns=(2, 3))
    given = air.z, air.dz, air.rho, air.pi, air.z_interface, air.theta, q_v, q_l, heating
    library.opcheck(torch.ops.tessera.cloud_top_conductance.default, given)
    cooled = heating.clone().requires_grad_()
    conductance(air, air.theta, q_v, q_l, cooled).sum().backward()
    assert cooled.grad is not None and bool((cooled.grad != 0.0).any())
    with torch.no_grad():
        made = torch.compile(conductance, fullgraph=True, backend="eager")
        assert torch.equal(made(air, air.theta, q_v, q_l, heating), conductance(air, air.theta, q_v, q_l, heating))
