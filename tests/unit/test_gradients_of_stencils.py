# SPDX-License-Identifier: BSD-3-Clause
"""Gradients that are written out are those of the functions themselves."""

import pytest
import torch
from torch.autograd import gradcheck

from components.atmosphere.nonhydrostatic.dynamics import acoustic, compiled_acoustic, compiled_momentum, tendencies
from components.atmosphere.nonhydrostatic.dynamics.acoustic import Coefficients, Deviation, substituted
from components.atmosphere.nonhydrostatic.dynamics.base_state import LogPressure
from components.atmosphere.nonhydrostatic.dynamics.compiled_acoustic import vertical_step
from components.atmosphere.nonhydrostatic.dynamics.geometry import build_geometry
from components.atmosphere.nonhydrostatic.dynamics.lateral import impose_field
from components.atmosphere.nonhydrostatic.dynamics.state import Diagnostics, State, Tendencies
from components.science.advection import convergence, difference, flux_fifth, flux_third, ghost_levels, total
from components.science.constants import GRAVITY
from components.science.cuts import cut, inside, with_room
from components.science.halo import Edges, SerialHalo


def drawn(*shape, seed=1):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=g, dtype=torch.float64).requires_grad_(True)


@pytest.mark.parametrize(("flux", "more"), [(flux_fifth, 5), (flux_third, 3)])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_upwind_fluxes(flux, more, dim):
    shape = [2, 3, 2]
    shape[dim] += more
    q, m = drawn(*shape), drawn(2, 3, 2, seed=2)
    assert gradcheck(lambda a, b: flux(a, b, dim), (q, m))
    with torch.no_grad():
        plain = flux(q, m, dim)
    assert torch.equal(flux(q, m, dim), plain)


def test_one_mass_flux_carries_several_tracers():
    q, m = drawn(3, 2, 8), drawn(2, 3, seed=2)
    assert gradcheck(lambda a, b: flux_fifth(a, b, -1), (q, m))


def test_what_three_fluxes_bring():
    q, mx, my, mz = drawn(6, 8, 9), drawn(2, 2, 4, seed=2), drawn(2, 3, 3, seed=3), drawn(3, 2, 3, seed=4)
    area = torch.rand((2, 3), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    assert gradcheck(lambda *a: convergence(*a, area), (q, mx, my, mz))
    given = q, mx, my, mz
    for n in range(4):  # a gradient of one of them alone
        (g,) = torch.autograd.grad(convergence(*given, area).square().sum(), given[n])
        alone = [a if i == n else a.detach() for i, a in enumerate(given)]
        assert torch.equal(torch.autograd.grad(convergence(*alone, area).square().sum(), alone[n])[0], g)
    fx, fy = flux_fifth(q[2:-2, 3:-3], mx, 2), flux_fifth(q[2:-2, :, 3:-3], my, 1)
    fz = flux_third(q[:, 3:-3, 3:-3], mz, 0)
    whole = -(difference(fx, 2) + difference(fy, 1)) * area - difference(fz, 0)
    with torch.no_grad():
        plain = convergence(*given, area)
    assert torch.equal(whole, plain) and torch.equal(convergence(*given, area), plain)


@pytest.mark.parametrize("dim", [0, -1])
def test_differences_and_sums(dim):
    assert gradcheck(lambda a: difference(a, dim), (drawn(2, 3),))
    assert gradcheck(lambda a: total(a, dim), (drawn(2, 3),)) and gradcheck(lambda a: total(a, dim), (drawn(4, 4),))
    assert torch.equal(total(torch.tensor([1.0, 4.0, 2.0], requires_grad=True), 0), torch.tensor([5.0, 6.0]))
    assert torch.equal(difference(torch.tensor([1.0, 4.0, 2.0], requires_grad=True), 0), torch.tensor([3.0, -2.0]))


@pytest.mark.parametrize("dim", [0, 1])
def test_ghost_levels(dim):
    for levels in (2, 3, 5):
        shape = [2, 3]
        shape[dim] = levels
        assert gradcheck(lambda a: ghost_levels(a, dim), (drawn(*shape),))
    assert ghost_levels(torch.tensor([1.0, 4.0, 2.0])).tolist() == [-2.0, -2.0, 1.0, 4.0, 2.0, 0.0, 0.0]


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_the_solve_along_columns(levels):
    right, lower, upper = (drawn(levels, 2, seed=n) for n in (1, 2, 3))
    assert gradcheck(substituted, (right, lower, upper))
    x = substituted(right, lower, upper)
    full = torch.zeros((levels, levels), dtype=torch.float64)
    solved = []
    for i in range(2):
        low = torch.eye(levels, dtype=torch.float64) + torch.diag(lower[1:, i], -1) if levels > 1 else full + 1.0
        high = torch.eye(levels, dtype=torch.float64) + torch.diag(upper[:-1, i], 1) if levels > 1 else full + 1.0
        solved.append(torch.linalg.solve(low @ high, right[:, i]))
    assert torch.allclose(x, torch.stack(solved, 1), rtol=1e-12)


@pytest.mark.parametrize("flat", [True, False])
def test_the_implicit_step_along_columns(flat):
    g, shape = sloping(flat), {"": (3, 2, 4), "w": (2, 2, 4), "x": (3, 2, 5), "y": (3, 3, 4)}
    kinds = ("w", "", "", "x", "y", "w", "", "", "x", "y", "w", "", "w", "", "w", "w", "w")
    given = [drawn(*shape[kind], seed=n) for n, kind in enumerate(kinds)]
    dtau = torch.tensor(0.3, dtype=torch.float64)

    def step(*a):
        x, f = Deviation(a[3], a[4], *a[:3]), Tendencies(None, None, *a[5:8])
        return vertical_step(g, x, a[3], a[4], f, Coefficients(None, None, *a[8:]), dtau, 0.1, 0.2)

    assert gradcheck(step, given)
    assert gradcheck(lambda *a: step(*a)[1], given)  # others give no gradient
    with torch.no_grad():
        plain = step(*given)
    assert all(torch.equal(a, b) for a, b in zip(step(*given), plain, strict=True))
    # dry air: as moist air that weighs the same
    dry, wet = ([fill.get(n, a) for n, a in enumerate(given)] for fill in ({12: None, 13: None}, {
        12: torch.ones_like(given[12]), 13: torch.full_like(given[13], 0.5 * GRAVITY)
    }))  # fmt: skip
    seen, wet = (step(*a)[4].square().sum() for a in (dry, wet))
    some = [given[n] for n in (0, 3, 10, 11, 16)]
    for a, b in zip(torch.autograd.grad(seen, some), torch.autograd.grad(wet, some), strict=True):
        assert torch.allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("wet", [True, False])
@pytest.mark.parametrize("flat", [True, False])
def test_tendencies_of_momentum_coefficients_and_horizontal_step(flat, wet):
    """Over a hill on a turning map and over flat ground; open and closed faces; with water and without."""
    g = sloping(flat, turning=True)
    Y, X = g.ny + 8, g.nx + 8
    shapes = [
        (3, Y, X + 1), (3, Y + 1, X), (2, Y, X), (3, Y, X), (7, g.ny + 6, g.nx + 7), (7, g.ny + 7, g.nx + 6),
        (6, g.ny + 6, g.nx + 6), (4, g.ny + 2, g.nx + 2), (3, g.ny + 2, g.nx + 2), (3, Y, X),
    ]  # fmt: skip
    given = [drawn(*shape, seed=n) for n, shape in enumerate(shapes)]
    if not wet:
        given.pop()
    ones = lambda *s: (torch.rand(s, generator=torch.Generator().manual_seed(1)) > 0.3).double()  # noqa: E731
    planes = ones(2, g.ny, g.nx), ones(g.ny, g.nx + 1), ones(g.ny + 1, g.nx)
    resting = drawn(3, g.ny, g.nx + 1).detach(), drawn(3, g.ny + 1, g.nx).detach()

    def rates(by, *a):
        s, d = State(*a[:4], None), Diagnostics(*a[4:7], None, *a[7:9], None)
        return by.momentum(g, s, d, 0.1 * a[9].abs() if wet else None, *planes, *resting)

    alike(lambda *a: rates(compiled_momentum, *a), lambda *a: rates(tendencies, *a), given)
    theta, stiffness = drawn(7, g.ny + 6, g.nx + 6), drawn(3, g.ny + 2, g.nx + 2, seed=2)
    q = [drawn(3, Y, X, seed=3)] if wet else []
    dtau = torch.tensor(0.2, dtype=torch.float64)

    def factors(by, theta, stiffness, *q):
        d = Diagnostics(None, None, None, theta, None, None, stiffness.abs())
        found = by.coefficients(g, d, 0.1 * q[0].abs() if q else None, planes[0], dtau, 0.1, *planes[1:])
        return tuple(a for a in found if a is not None)

    given = [theta, stiffness, *q]
    alike(lambda *a: factors(compiled_acoustic, *a), lambda *a: factors(acoustic, *a), given)
    kinds = (3, g.ny, g.nx + 1), (3, g.ny + 1, g.nx)
    given = [drawn(*shape, seed=n) for n, shape in enumerate((*kinds, (3, g.ny + 2, g.nx + 2), *kinds, *kinds))]

    def pushed(by, ru, rv, p, fu, fv, wx, wy):
        x, f = Deviation(ru, rv, None, None, None), Tendencies(fu, fv, None, None, None)
        return by.horizontal_step(g, x, p, f, Coefficients(wx, wy, *[None] * 9), dtau)

    alike(lambda *a: pushed(compiled_acoustic, *a), lambda *a: pushed(acoustic, *a), given)


def alike(ours, torchs, given):
    """The same values, gradients to rounding, the transpose by its definition, and gradients by differences."""
    found, known = ours(*given), torchs(*given)
    assert all(torch.equal(a, b) for a, b in zip(found, known, strict=True))
    with_slope = [n for n, a in enumerate(known) if a.requires_grad]
    found, known = [found[n] for n in with_slope], [known[n] for n in with_slope]
    grads = [torch.randn(a.shape, generator=torch.Generator().manual_seed(9), dtype=a.dtype) for a in found]
    some = dict(allow_unused=True, retain_graph=True)
    back, right = torch.autograd.grad(found, given, grads, **some), torch.autograd.grad(known, given, grads, **some)
    for a, b in zip(back, right, strict=True):
        b = torch.zeros_like(a) if b is None else b
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12 * float(b.abs().max()))
    along = [torch.randn(a.shape, generator=torch.Generator().manual_seed(8), dtype=a.dtype) for a in given]
    with torch.no_grad():
        step = 1e-6
        up, down = (ours(*(a + s * step * x for a, x in zip(given, along, strict=True))) for s in (1.0, -1.0))
    forward = sum(((up[n] - down[n]) / (2.0 * step) * w).sum() for n, w in zip(with_slope, grads, strict=True))
    transposed = sum((a * x).sum() for a, x in zip(back, along, strict=True))
    assert abs(float(forward / transposed) - 1.0) < 1e-7


@pytest.mark.parametrize(
    "edges",
    [("wall",) * 4, ("open", "wall", "specified", "open"), ("periodic",) * 4, ("inner", "masked", "open", "wall")],
)
@pytest.mark.parametrize("more", [(0, 0), (0, 1), (1, 0)])
@pytest.mark.parametrize("width", [1, 3])
def test_halos(edges, more, width):
    """A narrow block too, whose periodic halo is wider than itself."""
    for ny, nx in ((4, 5), (2, 3)):
        if "wall" in edges and ny < width:
            continue
        fill = SerialHalo(ny, nx, Edges(*edges))
        shape = 2, ny + 2 * width + more[0], nx + 2 * width + more[1]

        def filled(a, fill=fill):
            b = a * 1.0
            fill([b], width)
            return b

        x = drawn(*shape)
        assert gradcheck(filled, (x,))
        with torch.no_grad():
            plain = filled(x)
        assert torch.equal(filled(x), plain)
        if edges[0] == "periodic":
            y, x = ((torch.arange(n + 2 * width + m) - width) % n for n, m in ((ny, more[0]), (nx, more[1])))
            own = drawn(ny, nx).detach()
            field = torch.zeros(shape[1:], dtype=own.dtype)
            field[width : width + ny, width : width + nx] = own
            fill([field], width)
            at_end = own[y][:, x]
            assert torch.equal(field, at_end)


def test_cuts_and_the_room_of_halos():
    a = drawn(2, 5, 6)
    assert gradcheck(lambda a: cut(a, slice(1, None), slice(2, -1)), (a,))
    assert gradcheck(lambda a: inside(a, 2), (a,)) and gradcheck(lambda a: inside(with_room(a, 2), 2) * 2.0, (a,))
    assert torch.equal(cut(a, slice(1, 3)), a[..., 1:3]) and torch.equal(inside(a, 1), a[:, 1:-1, 1:-1])


def test_a_specified_row_takes_gradients_of_both():
    a, b = drawn(2, 10, 11), drawn(2, 10, 11, seed=2)

    def imposed(a, b):
        out = a * 1.0
        impose_field(out, b, Edges("specified", "specified", "open", "specified"))
        return out

    assert gradcheck(imposed, (a, b)) and gradcheck(lambda b: imposed(a.detach(), b), (b,))


def sloping(flat, turning=False):
    """A block of three layers, over a hill or not."""
    y, x = torch.meshgrid(torch.arange(2.0), torch.arange(4.0), indexing="ij")
    z = torch.linspace(0.0, 3.0, 4)[:, None, None] + (0.0 if flat else 0.2) * torch.exp(-((x - 1.5) ** 2) - y)
    if not turning:
        return build_geometry(z, 1.0, 1.5, LogPressure())
    factors = [1.0 + 0.1 * torch.rand((2, 4), generator=torch.Generator().manual_seed(n)) for n in (1, 2, 3)]
    turned = dict(map_factor_x=factors[0], map_factor_y=factors[1], coriolis=factors[2])
    return build_geometry(z, 1.0, 1.5, LogPressure(), **turned)
