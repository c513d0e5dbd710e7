# SPDX-License-Identifier: BSD-3-Clause
"""No kernel mixes the model's device with the host's: a step on tensors of the device `meta`, which hold no data.

Torch refuses arithmetic between `meta` and `cpu` as it does between `cuda` and `cpu`, and it refuses to read a value
back. So this finds, without a card, a constant that was made on the host and a hidden wait for the device. What a
card computes is the business of the tests marked `gpu`.
"""

import copy
import dataclasses

import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import tracer_sides
from components.atmosphere.nonhydrostatic.dynamics import lateral
from components.atmosphere.nonhydrostatic.model import Surface, held_tendencies
from components.atmosphere.nonhydrostatic.physics.interfaces import Fluxes
from components.ml_surrogates.radiation_emulator import networks
from components.ml_surrogates.radiation_emulator.inputs import inputs
from components.radiation import particles, standard_atmosphere
from components.radiation.full_columns import full_columns
from tests.mpi.atmosphere_ranks import context
from tests.science.test_flather_1976_open_boundary import channel


def on_meta(x):
    """``x`` with all its tensors, however deep in tuples and dataclasses, on the device without data."""
    if torch.is_tensor(x):
        return x.to("meta")
    if isinstance(x, tuple):
        parts = [on_meta(a) for a in x]
        return type(x)(*parts) if hasattr(x, "_fields") else tuple(parts)
    if type(x).__module__.startswith("components."):
        moved = copy.copy(x)
        for name, value in vars(x).items():
            object.__setattr__(moved, name, on_meta(value))
        return moved
    return x


def devices(*parts):
    """Names of the devices of all tensors in nested tuples and dataclasses."""
    found = set()
    for part in parts:
        if torch.is_tensor(part):
            found.add(part.device.type)
        elif isinstance(part, tuple) or dataclasses.is_dataclass(part):
            found |= devices(*(part if isinstance(part, tuple) else vars(part).values()))
    return found


def test_a_constant_on_the_host_is_found():
    with pytest.raises(RuntimeError, match="meta"):
        torch.ones(3, device="meta") + torch.ones(3)


@pytest.mark.parametrize("microphysics,limiter", [("mixed_phase", "positive"), ("kessler", "monotonic")])
def test_a_step_of_the_atmosphere(microphysics, limiter):
    c = context()
    options = NonhydrostaticAtmosphere.Options(radiation="gray", microphysics=microphysics, limiter=limiter)
    air = NonhydrostaticAtmosphere(options)
    air.initialize(c)
    model, now, driver = (on_meta(a) for a in (air.model, air.now, air.driver))
    plane = now.albedo
    now = now._replace(sky=model.radiation(now, 100.5))
    surface = Surface(
        Fluxes(100.0 * plane, 1e-4 * plane, plane, plane), plane + 290.0, plane, 400.0 * plane, 50.0 * plane, {}
    )
    core, dt = model.core, 600.0
    now, ground = model._see_ground(now, surface)
    target = model.mass.shifted(driver.state(0.0), 0.1)
    core.impose = lambda new, part: lateral.impose(new, target, core.edges)
    d = core.diagnose(now.s)
    held = held_tendencies(core.geometry, now.s, d, 0.25, target, model.rate)
    new, flux = core.step(now.s, dt, model.physics.species.water(now.q), held, d)
    q = core.transport(now.q, new, flux, dt)
    tracer_sides.draw(
        q, model.sides.at(0.0, {"vapour": driver.vapour_at(0.0)}), dt * model.rate[1:-1, 1:-1], core.edges
    )
    core.halo([q], 4)
    after = model.physics.step(new, q, now.sky.heating, ground, dt)
    left = model._residual(after, q, now.sky, ground, dt)
    assert devices(after.s, after.q, after.rain, after.snow, tuple(left.values())) == {"meta"}


@pytest.mark.parametrize("name", ["recurrent", "mlp"])
def test_the_radiation_networks(name):
    net, _ = networks.load(networks.SHIPPED / name)
    columns = full_columns(standard_atmosphere.columns(24, torch.linspace(0.1, 1.0, 7)[None], 1.0))
    clouds = particles.uniform(columns)
    x = on_meta(inputs(columns, (400e-6, 1.8e-6, 0.3e-6), clouds))
    net = net.to("meta")
    assert devices(tuple(net.long(x)), tuple(net.short(x))) == {"meta"}


def test_a_step_of_the_ocean_with_open_edges():
    ocean, state, forcing, outside = (on_meta(a) for a in channel())
    assert devices(ocean.step(state, forcing, outside)) == {"meta"}
