# SPDX-License-Identifier: BSD-3-Clause
"""The gas solver reproduces Robertson (1966), music-box's Chapman case and an independent integration of Carbon Bond 5.

References: Robertson's problem after Hairer & Wanner (1996), to ten digits; `chapman_test.csv` of NCAR/music-box;
`cb05_box_reference.csv`, scipy's Radau at rtol 1e-11 with rate formulas of its own.
"""

import csv
import json

import pytest
import torch

from components.chemistry.regional import gas_chemistry, photolysis
from components.chemistry.regional.background import mole_fraction
from components.chemistry.regional.gases.gradient import TorchSolver
from components.chemistry.regional.gases.mechanism import Mechanism, Reaction
from components.chemistry.regional.gases.mechanism_file import read_mechanism
from components.chemistry.regional.gases.musica_solver import MusicaSolver, missing
from components.chemistry.regional.gases.rates import air_amount
from components.chemistry.regional.gases.solver import GasSolver
from components.chemistry.regional.mechanisms import MECHANISMS

D = torch.float64
CB05 = MECHANISMS / "carbon_bond_5.json"
ABOVE = 1.0e-15  # mol m-3: species below are not compared


def rows(path):
    with open(path) as f:
        return [{k.strip(): v for k, v in row.items()} for row in csv.DictReader(f)]


def reaction(k, reactants, products):
    parameters = {"A": k, "B": 0.0, "C": 0.0, "D": 300.0, "E": 0.0}
    return Reaction("ARRHENIUS", tuple(reactants), tuple((s, 1.0) for s in products), parameters)


ROBERTSON = Mechanism(
    "robertson", ("A", "B", "C"), (reaction(0.04, "A", "B"), reaction(3e7, "BB", "BC"), reaction(1e4, "BC", "AC"))
)
AT = {1.0: (0.9664597373, 3.074626579e-5, 0.03350951640), 100.0: (0.6172348824, 6.153591275e-6, 0.3827589640)}


@pytest.mark.parametrize("seconds", AT)
def test_robertson(seconds):
    air = torch.full((1,), 300.0, dtype=D), torch.full((1,), 1.0e5, dtype=D)
    solver = GasSolver(ROBERTSON, rtol=1e-9, atol=1e-14, most_steps=100000)
    c, _ = solver.advance(torch.tensor([[1.0], [0.0], [0.0]], dtype=D), *air, {}, seconds)
    assert c.flatten().tolist() == pytest.approx(AT[seconds], rel=1e-6)
    assert c.sum().item() == pytest.approx(1.0, abs=1e-13)  # a linear invariant


def test_chapman_over_three_days(shared):
    box = shared / "data" / "chemistry" / "musicbox"
    mechanism = read_mechanism(box / "chapman__my_config.json")
    start = rows(box / "chapman__initial_concentrations.csv")[0]
    solver = GasSolver(mechanism, rtol=1e-8, atol=1e-20, most_steps=100000)
    c = torch.tensor([[float(start[f"CONC.{s}.mol m-3"])] for s in mechanism.species], dtype=D)
    sky = {float(r["time.s"]): r for r in rows(box / "chapman__conditions_Boulder.csv")}
    expected = {float(r["time.s"]): r for r in rows(box.parent / "musicbox" / "chapman_test.csv")}
    number, step, compared = mechanism.number, None, 0
    for hour in range(72):
        now = sky[max(t for t in sky if t <= 3600.0 * hour)]
        given = {k[: -len(".s-1")]: float(v) for k, v in now.items() if k.startswith("PHOTO")}
        air = (torch.tensor([float(now[f"ENV.{k}"])], dtype=D) for k in ("temperature.K", "pressure.Pa"))
        c, step = solver.advance(c, *air, given, 3600.0, step)
        e = expected[3600.0 * (hour + 1)]
        for s, tolerance in (("O3", 1e-6), ("O1D", 1e-6), ("O", 1e-4)):
            if float(given["PHOTO.O3_1"]) > 0.0:
                compared += 1
                assert c[number(s), 0].item() == pytest.approx(float(e[f"CONC.{s}.mol m-3"]), rel=tolerance), (hour, s)
    assert compared > 60
    assert c[number("O3"), 0].item() == pytest.approx(7.516169e-6, rel=1e-6)


@pytest.fixture(scope="module")
def box(shared):
    folder = shared / "data" / "chemistry" / "musicbox"
    mechanism = read_mechanism(CB05)
    start = rows(folder / "carbon_bond_5__initial_concentrations.csv")[0]
    rates = rows(folder / "carbon_bond_5__initial_reaction_rates.csv")[0]
    given = {k[: -len(".s-1")]: float(v) for k, v in rates.items() if k != "time.s"}
    c = torch.tensor([float(start.get(f"CONC.{s}.mol m-3", 0.0)) for s in mechanism.species], dtype=D)
    return mechanism, c, (torch.tensor([298.15], dtype=D), torch.tensor([101325.0], dtype=D)), given


def test_the_mechanism_is_the_published_file(shared):
    theirs = shared / "data" / "chemistry" / "musicbox" / "carbon_bond_5__my_config.json"
    assert json.loads(CB05.read_text()) == json.loads(theirs.read_text())


@pytest.mark.parametrize(("rtol", "allowed"), [(1e-3, 3e-3), (1e-6, 2e-5)])
def test_carbon_bond_5_box(box, shared, rtol, allowed):
    mechanism, c, air, given = box
    expected = {r["species"]: r for r in rows(shared / "data" / "chemistry" / "cb05_box_reference.csv")}
    solver, c, step, time, worst = GasSolver(mechanism, rtol), c[:, None], None, 0, {}
    for end in (60, 600, 3600, 10800):
        c, step = solver.advance(c, *air, given, float(end - time), step)
        time = end
        for s, r in expected.items():
            value = float(r[f"{end}_s"])
            if value > ABOVE and s in mechanism.species:
                worst[s, end] = abs(c[mechanism.number(s), 0].item() / value - 1.0)
    assert max(worst.values()) < allowed, max(worst, key=worst.get)
    for s, value in (("O3", 1.953044e-6), ("NO2", 1.236995e-6), ("OH", 2.437978e-12), ("PAN", 4.102055e-8)):
        assert c[mechanism.number(s), 0].item() == pytest.approx(value, rel=allowed)


def test_kernel_and_torch_path_agree(box):
    mechanism, c, air, given = box
    fine = GasSolver(mechanism, 1e-7, 1e-18, most_steps=100000).advance(c[:, None], *air, given, 600.0)[0]
    solver = TorchSolver(mechanism, 1e-5, 1e-17)
    other = solver.advance(solver.rates(*air, given), c[:, None], 600.0)
    shown = fine > ABOVE
    assert ((other / fine - 1.0)[shown].abs() < 1e-4).all()


def test_gradient_of_an_hour(box):
    mechanism, c, air, given = box
    solver = TorchSolver(mechanism)
    k = solver.rates(*air, given)
    scale = torch.where(c > 0.0, c, torch.zeros_like(c))
    steps = solver.choose_steps(k, c[:, None], 3600.0)
    weights = torch.linspace(0.5, 1.5, len(c), dtype=D)
    final = solver.advance(k, c[:, None], 3600.0, steps)[:, 0]
    weights = weights / torch.where(final > ABOVE, final, torch.inf)

    def objective(x):
        return (weights * solver.advance(k, (c + scale * x)[:, None], 3600.0, steps)[:, 0]).sum()

    x = torch.zeros_like(c, requires_grad=True)
    (gradient,) = torch.autograd.grad(objective(x), x)
    d = torch.linspace(-1.0, 1.0, len(c), dtype=D)
    h = 1.0e-4
    with torch.no_grad():
        coarse, fine = ((objective(e * d) - objective(-e * d)) / (2.0 * e) for e in (2.0 * h, h))
        found = (4.0 * fine - coarse) / 3.0  # of fourth order
    assert (found / (gradient * d).sum()).item() == pytest.approx(1.0, abs=1e-6)


def test_musica_has_the_same_gases_under_the_light_of_the_table():
    """Carbon Bond 5 with ammonia and dimethyl sulphide, two files as one mechanism: 16 cells, five minutes."""
    if missing():
        pytest.skip(missing())
    mechanism = gas_chemistry.mechanism_of("cb05")
    g = torch.Generator().manual_seed(4)
    drawn = lambda *s: torch.rand(*s, generator=g, dtype=torch.float64)  # noqa: E731
    height = 4000.0 * drawn(8, 2)
    t, p = 290.0 - 0.0065 * height, 1.0e5 * torch.exp(-height / 8000.0)
    air = air_amount(t, p)
    c = torch.stack([mole_fraction(s, height) for s in mechanism.species]) * air
    c[mechanism.number("NO2")] *= 1.0 + 50.0 * drawn(8, 2)
    c[mechanism.number("H2O")] = 0.01 * air
    lights = tuple(n for n in mechanism.given_rates if n.startswith("PHOTO."))
    plane = torch.ones(2, dtype=torch.float64)
    given = photolysis.rates(lights, 80.0 * drawn(2), 300.0 * plane, height, 0.1 * plane)
    ours, _ = GasSolver(mechanism, 1e-6).advance(c, t, p, given, 300.0)
    theirs, _ = MusicaSolver(gas_chemistry.mechanism_files("cb05"), mechanism, 1e-6).advance(c, t, p, given, 300.0)
    shown = ours > 1e-15
    assert float(((ours - theirs).abs() / ours)[shown].max()) < 2e-4 and int(shown.sum()) > 500
