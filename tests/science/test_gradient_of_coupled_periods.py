# SPDX-License-Identifier: BSD-3-Clause
"""Gradients pass through a coupled case: atmosphere, flux node and ocean over three exchanges of 20 minutes.

Taylor's ratio is that of central differences, the best of five step sizes: large ones bend, small ones drown in
rounding. J is a linear functional of the change of sea surface temperature.
"""

from dataclasses import replace
from functools import partial

import netCDF4
import numpy as np
import pytest
import torch

from components.atmosphere.air_sea.surface_fluxes import SCHEMES
from components.atmosphere.nonhydrostatic.physics.columns import INNER
from components.science.gradients.coupled import Coupled
from components.science.gradients.exchange import mapped, merged
from components.science.gradients.trees import flatten
from coupler.case.case import make_plan
from coupler.errors import CaseError
from coupler.exchange.merge import Merge, Share
from coupler.exchange.played import Map, PlayedImport, Source
from coupler.fields import FieldSpec
from tests.toys.cases import tessera
from tests.toys.differentiable import AROUND, NODE, RAIN, STEP, coupled_case

PERIODS = 3 * STEP
SIZES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return coupled_case(tmp_path_factory.mktemp("coupled") / "case")


@pytest.fixture(scope="module")
def coupled(case):
    return Coupled(make_plan(case, offline_checks=True))


@pytest.fixture(scope="module")
def start(coupled):
    return coupled.start()


def with_states(coupled, start, **states):
    return coupled.restart(start._replace(states={**start.states, **states}))


def with_sst(coupled, start, sst):
    return with_states(coupled, start, ocean=start.states["ocean"]._replace(temperature=sst))


def change(end, start):
    """J: every cell counts, none alike."""
    difference = end.states["ocean"].temperature - start.states["ocean"].temperature
    cells = torch.arange(difference.numel(), dtype=torch.float64)
    return (difference * (1.0 + 0.5 * torch.cos(cells)).reshape(difference.shape)).sum()


def taylor(function, x, sizes=SIZES):
    """The smallest distance of Taylor's ratio from one, over some step sizes along the gradient."""
    x = x.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(function(x), x)
    direction = gradient / gradient.abs().max()
    slope = float((gradient * direction).sum())
    with torch.no_grad():
        found = [
            abs(float(function(x + e * direction) - function(x - e * direction)) / (2 * e * slope) - 1) for e in sizes
        ]
    print(f"slope {slope:.3e}; Taylor {[f'{f:.1e}' for f in found]}")
    return min(found)


def of_sst(coupled, start, seconds=PERIODS):
    def function(sst):
        begin = with_sst(coupled, start, sst)
        return change(coupled.advance(begin, seconds), begin)

    return function


# ---------------------------------------------------------------- the parts


def points(rng, n=500):
    """Air and sea at some points: calm, weak and strong winds, stable and unstable."""
    given = {
        "air_temperature": rng.uniform(270, 305, n), "specific_humidity": rng.uniform(0.001, 0.02, n),
        "eastward_wind": rng.uniform(-25, 25, n), "northward_wind": rng.uniform(-25, 25, n),
        "air_pressure_at_mean_sea_level": rng.uniform(98e3, 103e3, n),
        "surface_downwelling_shortwave_flux_in_air": rng.uniform(0, 500, n),
        "surface_downwelling_longwave_flux_in_air": rng.uniform(200, 400, n),
        "sea_surface_temperature": rng.uniform(273, 304, n),
    }  # fmt: skip
    given["eastward_wind"][:20] = given["northward_wind"][:20] = 0.0
    given["eastward_wind"][20:80] *= 0.02
    given["northward_wind"][20:80] *= 0.02
    return given


@pytest.mark.parametrize("heights", [{}, {"wind_height": 10.0, "temperature_height": 2.0}])
def test_the_ncar_law_on_tensors_is_that_of_its_kernel(heights):
    law, given = SCHEMES["ncar"], points(np.random.default_rng(1))
    options = law.Options(**heights)
    sides = [{n: given[n] for n in side.takes if n in given} for side in law.sides]
    kernel = law.fluxes(*sides, options)
    tensors = [{n: torch.tensor(v, requires_grad=True) for n, v in side.items()} for side in sides]
    made = law.fluxes(*tensors, options)
    for name, values in kernel.items():
        rms = np.sqrt(np.mean(values**2))
        assert np.abs(made[name].detach().numpy() - values).max() <= 1e-6 * rms, name
    leaves = [v for side in tensors for v in side.values()]
    total = sum((v / (1.0 + v.detach().abs().max())).sum() for v in made.values())
    assert all(bool(torch.isfinite(g).all()) for g in torch.autograd.grad(total, leaves))


def test_the_operators_of_the_case_and_their_transposes(coupled):
    rng = np.random.default_rng(3)
    maps = [m for t in coupled.tasks for m in (*t.states, *t.rows)]
    assert len(maps) == 8
    for along in maps:
        x = torch.tensor(rng.normal(size=(3, along.shape[1])), requires_grad=True)
        y = torch.tensor(rng.normal(size=(3, along.shape[0])))
        made = mapped(x, along)
        (back,) = torch.autograd.grad((made * y).sum(), x)
        product = (made * y).detach()
        assert abs(float(product.sum() - (x * back).detach().sum())) <= 1e-12 * float(product.abs().sum())


def test_fractions_that_vary_are_differentiated_as_the_ratio_they_are():
    rng = np.random.default_rng(5)
    spec = FieldSpec("air_temperature", units="degC")
    shares = (Share(1.1, 2.0, varying=True), Share(0.9, -1.0), Share(1.0, 0.0, diluted=True))
    sources = tuple(Source(n, 0, 0, share) for n, share in enumerate(shares))
    wanted = PlayedImport(spec, sources, Merge(spec, shares, holes=True))
    values = [torch.tensor(rng.normal(280.0, 5.0, (1, 6)), requires_grad=True) for _ in shares]
    fraction = torch.tensor(rng.uniform(0.2, 1.0, 6), requires_grad=True)
    fixed = [torch.tensor(rng.uniform(0.2, 1.0, 6)) for _ in shares[1:]]
    assert torch.autograd.gradcheck(lambda f, *v: merged(wanted, v, [f, *fixed]), (fraction, *values), rtol=1e-6)


def test_maps_of_rows_without_links():
    along = Map((np.array([0, 0, 2]), np.array([1, 0], np.int32), np.array([0.25, 0.5])), 3)
    x = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64, requires_grad=True)
    made = mapped(x, along)
    assert made.tolist() == [[0.0, 1.0]]
    assert torch.autograd.grad(made.sum(), x)[0].tolist() == [[0.5, 0.25, 0.0]]


# ---------------------------------------------------------------- forward


def with_law(coupled, monkeypatch, function):
    """The case with the function of its flux law exchanged."""
    tasks = [
        t if t.law is None else replace(t, law=replace(t.law, law=partial(function, t.law.law))) for t in coupled.tasks
    ]
    monkeypatch.setattr(coupled, "tasks", tasks)


def by_kernel(law, first, second, options):
    """The law on arrays, as a run computes it."""
    sides = ({n: v.detach().numpy() for n, v in side.items()} for side in (first, second))
    return {n: torch.tensor(v) for n, v in law(*sides, options).items()}


@pytest.mark.parametrize("law", ["of the run", "on tensors"])
def test_forward_it_is_the_serial_run(coupled, start, tmp_path, monkeypatch, law):
    """All bits with the kernel's own law; on tensors all ten iterations are made, where the kernel stops at 1e-9.

    Of the air that is the distance in what differs from the base state.
    """
    case = coupled_case(tmp_path / "case", duration="PT1H")
    tessera(case, "--serial")
    (restart,) = (case / "run" / "restart").iterdir()
    if law == "of the run":
        with_law(coupled, monkeypatch, by_kernel)
    end = coupled.advance(start, PERIODS)
    s = end.states["atmosphere"].s
    pairs = [("ocean", "temperature", end.states["ocean"].temperature)]
    pairs += [("atmosphere", name, a[:, INNER, INNER]) for name, a in (("mass", s.rho), ("heat", s.rtheta))]
    for component, name, ours in pairs:
        with netCDF4.Dataset(restart / f"{component}.nc") as f:
            theirs = np.asarray(f[f"state.{name}"][...])
        distance = np.abs(ours.numpy() - theirs).max() / np.abs(theirs).max()
        print(f"{component}, {name}: {distance:.1e}")
        assert distance <= (0.0 if law == "of the run" else 5e-12 if component == "ocean" else 1e-8)


def test_two_pieces_are_the_whole(coupled, start):
    whole = coupled.advance(start, PERIODS)
    pieces = coupled.advance(coupled.advance(start, STEP), 2 * STEP)
    for a, b in zip(flatten(whole)[0], flatten(pieces)[0], strict=True):
        assert torch.equal(a, b)


# ---------------------------------------------------------------- gradients


def test_gradient_to_the_sea_surface_temperature(coupled, start):
    assert taylor(of_sst(coupled, start), start.states["ocean"].temperature) <= 1e-8


def blind(law, first, second, options):
    """The law, its derivative zero."""
    return {n: v.detach() for n, v in law(first, second, options).items()}


def test_it_fails_when_the_flux_node_passes_no_gradient(coupled, start, monkeypatch):
    with_law(coupled, monkeypatch, blind)
    assert taylor(of_sst(coupled, start), start.states["ocean"].temperature) > 0.1


def test_what_is_kept_between_exchanges_changes_no_gradient(coupled, start):
    sst = start.states["ocean"].temperature.clone().requires_grad_(True)
    gradients = []
    for keep in (None, STEP):
        begin = with_sst(coupled, start, sst)
        total = change(coupled.advance(begin, PERIODS, keep_every=keep), begin)
        gradients.append(torch.autograd.grad(total, sst)[0])
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) <= 1e-12


def test_gradient_to_sea_and_air_together(coupled, start):
    """Temperature of the sea (K) and of all air (potential temperature times its mass, 30 K kg m-2), after three hours.

    At rest every vertical wind is zero, where upwinding has a kink; after two hours one boundary layer stands within
    1e-4 K of the height where YSU takes in air from the next layer, a jump (.2 K there).
    """
    with torch.no_grad():
        spun = coupled.advance(start, 9 * STEP)
    ocean, air = spun.states["ocean"], spun.states["atmosphere"]
    n = ocean.temperature.numel()

    def function(x):
        warmer = ocean._replace(temperature=ocean.temperature + x[:n].reshape(ocean.temperature.shape))
        s = air.s._replace(rtheta=air.s.rtheta + 30.0 * x[n:].reshape(air.s.rtheta.shape))
        states = {"ocean": warmer, "atmosphere": air._replace(s=s)}
        begin = spun._replace(states={**spun.states, **states})
        return change(coupled.advance(begin, PERIODS), begin)

    x = torch.zeros(n + air.s.rtheta.numel(), dtype=torch.float64)
    assert taylor(function, x, (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)) <= 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("of", ["wind", "temperature", "humidity"])
def test_gradient_to_the_air_alone_after_eight_hours(coupled, start, of):
    with torch.no_grad():
        spun = coupled.advance(start, 24 * STEP)
    air = spun.states["atmosphere"]

    def function(x):
        s, q = air.s, air.q
        if of == "wind":
            s = s._replace(ru=s.ru + x.reshape(s.ru.shape))
        elif of == "temperature":
            s = s._replace(rtheta=s.rtheta + 1e3 * x.reshape(s.rtheta.shape))
        else:
            q = torch.cat([q[:1] * (1.0 + x.reshape(q[:1].shape)), q[1:]])
        begin = spun._replace(states={**spun.states, "atmosphere": air._replace(s=s, q=q)})
        return change(coupled.advance(begin, PERIODS), begin)

    size = {"wind": air.s.ru, "temperature": air.s.rtheta, "humidity": air.q[:1]}[of].numel()
    assert taylor(function, torch.zeros(size, dtype=torch.float64), (3e-2, 1e-2, 1e-3, 1e-4, 1e-5)) <= 1e-5


def test_single_precision_in_the_air_has_the_gradient_of_double(coupled, start, tmp_path):
    single = Coupled(make_plan(coupled_case(tmp_path / "single", air={"precision": "single"})))
    gradients = []
    for system, begin in ((coupled, start), (single, single.start())):
        sst = begin.states["ocean"].temperature.double().clone().requires_grad_(True)
        gradients.append(torch.autograd.grad(of_sst(system, begin)(sst), sst)[0])
    assert float((gradients[1] - gradients[0]).norm() / gradients[0].norm()) <= 1e-3


def exchanged(task, made, parameters):
    """Turbulent fluxes times a factor, and the heat into the sea with them."""
    factor, heat = parameters["drag"], "surface_downward_heat_flux_in_sea_water"
    turbulent = [n for n in made if "sensible" in n or "latent" in n or "stress" in n or "evapotranspiration" in n]
    scaled = {n: factor * made[n] for n in turbulent}
    more = sum(scaled[n] - made[n] for n in turbulent if n.endswith("heat_flux"))
    return {**made, **scaled, heat: made[heat] + more}


def test_twin_finds_drag_and_depth_from_a_twentieth_of_noisy_temperatures(case):
    """Truth: turbulent exchange 1.3, layer .8 times the first guess; observed in 5 % of the cells, 2 mK of noise."""

    def deeper(forcing, parameters):
        return forcing._replace(thickness=torch.as_tensor(forcing.thickness) * parameters["depth"])

    coupled = Coupled(make_plan(case), forcing={"ocean": deeper}, fluxes=exchanged)
    start = coupled.start()
    rng = np.random.default_rng(11)
    cells = torch.tensor(rng.choice(start.states["ocean"].temperature.numel(), 14, replace=False))

    def series(parameters):
        ocean = start.states["ocean"]
        system = with_states(coupled, start, ocean=ocean._replace(thickness=ocean.thickness * parameters["depth"]))
        seen = []
        for _ in range(2):
            system = coupled.advance(system, STEP, parameters)
            seen.append(system.states["ocean"].temperature.reshape(-1)[cells])
        return torch.stack(seen)

    truth = {"drag": torch.tensor(1.3, dtype=torch.float64), "depth": torch.tensor(0.8, dtype=torch.float64)}
    with torch.no_grad():
        observed = series(truth) + torch.tensor(rng.normal(0.0, 0.002, (2, 14)))
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([x], max_iter=7, line_search_fn="strong_wolfe", tolerance_change=1e-10)

    def cost():
        optimiser.zero_grad()
        value = (((series({"drag": x[0], "depth": x[1]}) - observed) / 0.002) ** 2).mean()
        value.backward()
        return value

    optimiser.step(cost)
    drag, depth = x.tolist()
    print(f"drag {drag:.4f} (1.3), depth {depth:.4f} (.8)")
    assert abs(drag / 1.3 - 1.0) <= 0.05 and abs(depth / 0.8 - 1.0) <= 0.05


# ---------------------------------------------------------------- what has no derivative


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (
            [NODE, AROUND, {**RAIN, "remap": "conservative_second_order", "limiter": True}],
            "a limiter of gradients switches",
        ),
        ([NODE, AROUND, {**RAIN, "statistic": "max"}], "statistic: max has no derivative"),
        ([NODE, AROUND, {**RAIN, "remap": "bilinear", "conserve": "global_positive"}], "conserve: global_positive"),
        ([{**NODE, "scheme": "coare"}, AROUND, RAIN], "this law works on numpy arrays alone"),
    ],
)
def test_what_has_no_derivative_is_refused_by_name(tmp_path, rules, said):
    plan = make_plan(coupled_case(tmp_path / "case", rules=rules))
    with pytest.raises(CaseError, match=said) as told:
        Coupled(plan)
    assert "atmosphere" in str(told.value) and "ocean" in str(told.value)


def test_other_lengths_are_refused(coupled, start):
    with pytest.raises(CaseError, match="expected a multiple of 1200 s"):
        coupled.advance(start, 700)
    with pytest.raises(CaseError, match="beyond the case's duration"):
        coupled.advance(start, 100 * 86400)
