# SPDX-License-Identifier: BSD-3-Clause
"""Gradients pass through the step of every active component of sea and land.

Taylor's ratio (J(x + e d) - J(x - e d)) / (2 e dJ) is one. J is a weighted sum of exports after some steps, d the
direction in which it grows fastest: there its change stands out of the rounding most, so that e can be small enough for
no limiter to switch on the way.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.land.column.component import ColumnLand
from components.land.slab.component import SlabLand
from components.ocean.primitive.component import PrimitiveOcean
from components.ocean.slab.component import SlabOcean
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.decomposition import Decomposition
from coupler.grids.grid import Grid
from tests.mpi import ocean_ranks

HOUR = 3600
WEIGHTS = {"sea_surface_temperature": 1.0, "surface_eastward_sea_water_velocity": 3.0, "surface_temperature": 1.0,
           "sea_surface_height_above_geoid": 5.0, "surface_downward_latent_heat_flux": 0.05,
           "surface_upwelling_longwave_flux_in_air": 0.02, "surface_downward_eastward_stress": 2.0,
           "mass_content_of_water_in_soil": 0.1}  # fmt: skip


def begin(component, grid):
    setting = Context("one", Clock("2001-06-21", "noleap"), HOUR, 59 * 86400, grid, Path("."), logger=lambda line: None)
    setting.grids = component.grids(setting)
    setting.decompositions = {"default": Decomposition(grid.shape)}
    component.initialize(setting)
    return component


def tensors(values):
    return {name: torch.tensor(np.asarray(v), dtype=torch.float64) for name, v in values.items()}


def score(exports):
    """A sum of exports in which every cell counts differently."""
    total = torch.zeros((), dtype=torch.float64)
    for name, weight in WEIGHTS.items():
        if name in exports:
            values = exports[name].reshape(-1)
            total = total + weight * (values * torch.cos(torch.arange(values.numel(), dtype=values.dtype))).sum()
    return total


def taylor(function, x, e):
    """Taylor's ratio less one, and the change that it was taken of."""
    x = x.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(function(x), x)
    assert bool(torch.isfinite(gradient).all())
    direction = gradient / gradient.abs().max()
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        change = float(function(x + e * direction) - function(x - e * direction))
    print(f"slope {slope:.3e}, Taylor ratio - 1 = {change / (2 * e * slope) - 1:.1e}")
    return change / (2 * e * slope) - 1.0, change


def air(shape):
    rng = np.random.default_rng(5)
    return tensors({
        "air_temperature": rng.uniform(283.0, 303.0, shape), "specific_humidity": rng.uniform(0.001, 0.008, shape),
        "eastward_wind": rng.uniform(2.0, 5.0, shape), "northward_wind": rng.uniform(-4.0, -2.0, shape),
        "surface_air_pressure": rng.uniform(9e4, 1e5, shape), "precipitation_flux": rng.uniform(1e-5, 3e-5, shape),
        "surface_downwelling_shortwave_flux_in_air": rng.uniform(100.0, 600.0, shape),
        "surface_downwelling_longwave_flux_in_air": rng.uniform(250.0, 400.0, shape),
    })  # fmt: skip


def advanced(component, state, imports, steps=3):
    for n in range(steps):
        forcing = component.forcing(n * HOUR, HOUR, imports) if hasattr(component, "forcing") else imports
        state, exports = component.advance(state, forcing, HOUR)
    return score(exports)


@pytest.mark.parametrize("of", ["state", "forcing"])
def test_slab_ocean(of):
    ocean = begin(
        SlabOcean(SlabOcean.Options(currents=True)), Grid.regular_lonlat("sea", 120, 132, 20, 32, resolution=2)
    )
    state = type(ocean.now)(*tensors(ocean.now._asdict()).values())
    shape = state.temperature.shape
    rng = np.random.default_rng(2)
    imports = tensors({
        "surface_downward_heat_flux_in_sea_water": rng.normal(-50.0, 100.0, shape),
        "surface_net_downward_shortwave_flux": rng.uniform(0.0, 300.0, shape),
        "surface_downward_eastward_stress": rng.normal(0.0, 0.1, shape),
        "surface_downward_northward_stress": rng.normal(0.0, 0.1, shape),
    })  # fmt: skip
    heat, stress = "surface_downward_heat_flux_in_sea_water", "surface_downward_eastward_stress"
    if of == "state":
        ratio, change = taylor(
            lambda t: advanced(ocean, state._replace(temperature=t), imports), state.temperature, 1e-4
        )
    else:
        scale = torch.tensor([1.0, 1.0], dtype=torch.float64)
        ratio, change = taylor(
            lambda x: advanced(ocean, state, {**imports, heat: imports[heat] * x[0], stress: imports[stress] * x[1]}),
            scale, 1e-3,
        )  # fmt: skip
    assert abs(ratio) < 1e-6 and abs(change) > 1e-6


@pytest.mark.parametrize("of", ["state", "forcing"])
def test_slab_land(of):
    grid = Grid.regular_lonlat("land", 100, 112, 30, 42, resolution=2)
    land = begin(SlabLand(SlabLand.Options()), grid)
    state = type(land.now)(*tensors(land.now._asdict()).values())
    imports = air(grid.shape)
    if of == "state":
        ratio, change = taylor(
            lambda t: advanced(land, state._replace(temperature=t), imports), state.temperature, 1e-4
        )
    else:
        t_a = imports["air_temperature"]
        ratio, change = taylor(lambda t: advanced(land, state, {**imports, "air_temperature": t}), t_a, 1e-4)
    assert abs(ratio) < 1e-6 and abs(change) > 1e-6


@pytest.mark.parametrize("of", ["state", "forcing"])
def test_land_column(of):
    grid = Grid.regular_lonlat("land", 100, 108, 30, 38, resolution=4)
    land = begin(ColumnLand(ColumnLand.Options(initial_temperature=290.0)), grid)
    land.forcing = land.weather
    imports = air(grid.shape)
    if of == "state":
        soil = land.now.soil_temperature
        ratio, change = taylor(lambda t: advanced(land, land.now._replace(soil_temperature=t), imports, 1), soil, 1e-4)
    else:
        t_a = imports["air_temperature"]
        ratio, change = taylor(lambda t: advanced(land, land.now, {**imports, "air_temperature": t}, 1), t_a, 1e-4)
    assert abs(ratio) < 1e-6 and abs(change) > 1e-6


@pytest.fixture(scope="module")
def primitive():
    """The East Asian seas after three hours of wind, and the fluxes of the fourth."""
    c = ocean_ranks.context(Path("."))
    ocean = PrimitiveOcean(PrimitiveOcean.Options(file="east_asia_primitive_ocean.nc"))
    ocean.initialize(c)
    for n in range(3):
        ocean.step(n * HOUR, HOUR, ocean_ranks.imports(n * HOUR, c))
    return ocean, tensors(ocean_ranks.imports(3 * HOUR, c))


@pytest.mark.parametrize(
    ("of", "e"),
    [("eta", 1e-6), ("u", 1e-6), ("surface_downward_heat_flux_in_sea_water", 1e-2)],
)
def test_primitive_ocean(primitive, of, e):
    """By sea level, current and heat; by temperature in `test_ocean_gradient`, where no column is about to overturn."""
    ocean, imports = primitive
    if of in imports:
        ratio, change = taylor(lambda q: advanced(ocean, ocean.now, {**imports, of: q}, 1), imports[of], e)
    else:
        x = getattr(ocean.now, of)
        ratio, change = taylor(lambda a: advanced(ocean, replace(ocean.now, **{of: a}), imports, 1), x, e)
    assert abs(ratio) < 1e-6 and abs(change) > 1e-6


def test_the_gradient_of_the_primitive_ocean_is_a_number_at_open_edges_too(primitive):
    ocean, imports = primitive
    tracers = ocean.now.tracers.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(advanced(ocean, replace(ocean.now, tracers=tracers), imports, 1), tracers)
    assert bool(torch.isfinite(gradient).all()) and float(gradient.abs().max()) > 0.1


def test_the_primitive_ocean_steps_by_its_own_step_only(primitive):
    ocean, imports = primitive
    with pytest.raises(ValueError, match="expected a step of 3600 s, as this ocean was made for, not 1800 s"):
        ocean.advance(ocean.now, ocean.forcing(3 * HOUR, HOUR, imports), 1800)


@pytest.mark.parametrize("model", [SlabOcean, SlabLand])
def test_a_step_leaves_the_state_it_began_with(model):
    component = begin(model(model.Options()), Grid.regular_lonlat("grid", 100, 108, 30, 38, resolution=2))
    before = component.now
    kept = {name: values.copy() for name, values in before._asdict().items()}
    imports = {name: values.numpy() for name, values in air((4, 4)).items()}
    imports |= {"surface_downward_heat_flux_in_sea_water": np.full((4, 4), 100.0)}
    component.step(0, HOUR, imports)
    assert component.now is not before
    for name, values in kept.items():
        np.testing.assert_array_equal(getattr(before, name), values)
