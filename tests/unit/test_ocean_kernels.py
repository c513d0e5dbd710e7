# SPDX-License-Identifier: BSD-3-Clause
"""The ocean's kernels have the bits of torch's operations; gradients pass through those (test_ocean_gradient)."""

from types import SimpleNamespace

import pytest
import torch

from components.ocean.primitive import (
    advection,
    barotropic,
    compiled_barotropic,
    equation_of_state,
    open_boundary,
    turbulent_energy,
)
from components.ocean.primitive.vertical_mixing import Columns
from tests.science.test_ocean_conservation import rough_basin

DRAWN = torch.Generator().manual_seed(11)


def drawn(*shape, low=0.0, high=1.0):
    return low + (high - low) * torch.rand(shape, generator=DRAWN, dtype=torch.float64)


def same(ours, theirs):
    return all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("axis", [-1, -2, -3])
@pytest.mark.parametrize("mixed", [True, False])
def test_a_sweep(axis, mixed):
    """Currents of both signs and none, walls, Courant numbers beyond one."""
    q, volume = drawn(3, 9, 8, 11), drawn(9, 8, 11, low=0.5, high=2.0)
    faces = [9, 8, 11]
    faces[axis] -= 1
    flux, mask = drawn(*faces, low=-0.8, high=0.8), (drawn(*faces) > 0.2).double()
    flux = flux * (drawn(*faces) > 0.1)
    given = q, volume, flux, mask, 0.1 * drawn(*faces) if mixed else None, axis
    assert same(advection.sweep(*given), advection.by_torch(*given))


def test_density():
    """Thousands of cells, for torch rounds one root in a thousand wrong."""
    given = drawn(7, 50, 40, high=40.0), drawn(7, 50, 40, low=-2.0, high=35.0), drawn(7, 50, 40, high=6000.0)
    anomaly = equation_of_state.teos10_anomaly
    assert torch.equal(anomaly(*given), equation_of_state.by_torch(*given))
    level = given[0], given[1], given[2][:, :1, :1]
    assert torch.equal(anomaly(*level), equation_of_state.by_torch(*level))


@pytest.mark.parametrize("waves", [True, False])
@pytest.mark.parametrize("levels", [1, 2, 14])
def test_turbulence(waves, levels, monkeypatch):
    """Stable and unstable layers, calm and storm, floors at every level."""
    shape = levels, 30, 33
    stress = drawn(*shape[1:], high=1e-3) ** 2
    deep = (drawn(*shape[1:]) * (levels + 1)).long()
    below = (torch.arange(levels)[:, None, None] < deep - 1).double()
    columns = Columns(
        drawn(*shape, low=-1e-5, high=1e-4) * below, drawn(*shape, high=1e-4) * below,
        drawn(*shape, low=5.0, high=50.0), below, drawn(*shape, high=1e-3) ** 2, stress,
        lambda: pytest.fail("not asked for"),
    )  # fmt: skip
    more = {} if waves else {"breaking": 0.0, "langmuir": 0.0}
    ours = turbulent_energy.turbulent_energy(columns, 3600.0, 1e-4, 1e-5, **more)
    monkeypatch.setattr(turbulent_energy, "plain_doubles", lambda *a: False)
    theirs = turbulent_energy.turbulent_energy(columns, 3600.0, 1e-4, 1e-5, **more)
    assert same(ours[:3], theirs[:3])
    assert not torch.equal(ours.tke, columns.tke)


@pytest.mark.parametrize("u_first", [True, False])
@pytest.mark.parametrize("edges", [True, False])
def test_a_barotropic_substep(u_first, edges):
    """All that a substep reads drawn by chance, open edges in all directions."""
    size = 20, 60
    names = {*compiled_barotropic.RISE, *compiled_barotropic.MOVE}
    plane = SimpleNamespace(**{name: drawn(*size, low=1.0, high=20.0) for name in names})
    for name in ("active_t", "wet_u", "wet_v"):
        setattr(plane, name, (drawn(*size) > 0.2).double())
    for name in ("open_u", "open_v"):
        setattr(plane, name, torch.randint(-1, 2, size, generator=DRAWN).double())
    old = tuple(drawn(*size, low=-1.0) for _ in range(3))
    forcing = tuple(drawn(*size, low=-1e-3, high=1e-3) for _ in range(2)), tuple(drawn(*size) for _ in range(3))
    forcing = *forcing[0], *forcing[1]
    beyond = [drawn(*size) for _ in range(3)]
    nothing = torch.zeros(0, dtype=torch.float64)
    outside = open_boundary.Outside(*beyond, *[nothing] * 4, radiation=0.3) if edges else None
    assert compiled_barotropic.may_run((*old, *forcing), plane, outside)
    sums = *(torch.ones(size, dtype=torch.float64) for _ in range(2)), *(torch.ones(16, 56).double() for _ in range(2))
    step = compiled_barotropic.Substeps(forcing, plane, outside, 30.0)
    ours = step(old, sums, (0.3, 0.6), u_first)
    theirs = barotropic.substep(*old, *forcing, 30.0, u_first, outside, plane)
    assert all(torch.equal(a, torch.nn.functional.pad(b, (2,) * 4)) for a, b in zip(ours, theirs, strict=True))
    averages = 1.0 + 0.6 * old[1], 1.0 + 0.6 * old[2], 1.0 + 0.3 * theirs[1], 1.0 + 0.3 * theirs[2]
    assert same(sums, averages)


def test_steps_of_a_basin(monkeypatch):
    """Three steps with all kernels, and with none."""
    ours, theirs = rough_basin(), rough_basin()
    ours.run(3)
    for module in (advection, compiled_barotropic, equation_of_state, turbulent_energy):
        monkeypatch.setattr(module, "plain_doubles", lambda *a: False)
    theirs.run(3)
    assert same(ours.state.tensors().values(), theirs.state.tensors().values())
    assert float(ours.state.u.abs().max()) > 1e-3
