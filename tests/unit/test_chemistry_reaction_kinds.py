# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of reaction of a gas-phase mechanism file has the rate constant that musica 0.17.2 gives it.

The numbers are what its Rosenbrock solver makes of a gas A in ten seconds, at 271 K and 63,000 Pa, -ln(A / A_0) / 10 s.
"""

import csv
import json

import pytest
import torch
import yaml

from components.chemistry.regional import gas_chemistry
from components.chemistry.regional.gases.mechanism_file import MechanismError, read_mechanism
from components.chemistry.regional.gases.rates import RateConstants
from components.chemistry.regional.gases.solver import GasSolver

FALL_OFF = {
    "k0_A": 3e-3,
    "k0_B": -2.3,
    "k0_C": 100.0,
    "kinf_A": 0.02,
    "kinf_B": -1.3,
    "kinf_C": 90.0,
    "Fc": 0.5,
    "N": 1.2,
}
SPECIES = [
    {"name": "A", "molecular weight [kg mol-1]": 0.046}, {"name": "P"}, {"name": "Q"},
    {"name": "M", "is third body": True}, {"name": "K", "constant concentration [mol m-3]": 2.0},
    {"name": "L", "constant mixing ratio [mol mol-1]": 0.1},
]  # fmt: skip

EXPECTED = {  # mol m-3 after an hour of TS1
    "O3": 4.26001646e-06, "NO2": 2.58210255e-08, "OH": 1.40929299e-10, "HO2": 1.07879743e-08, "NO3": 1.19130125e-11,
    "N2O5": 2.54102415e-11, "CH2O": 9.58261094e-08, "PAN": 8.45966058e-08, "HNO3": 1.05617155e-07,
    "MACR": 2.18833023e-12, "ISOPNITB": 4.08280090e-14,
}  # fmt: skip


def members(*names):
    return [{"species name": n} for n in names]


def read(tmp_path, reaction, species=SPECIES):
    path = tmp_path / "mechanism.json"
    phase = {"name": "gas", "species": [{"name": "A", "diffusion coefficient [m2 s-1]": 2.1e-5}, "P", {"name": "Q"}]}
    path.write_text(json.dumps({"version": "1.0.0", "species": species, "phases": [phase], "reactions": [reaction]}))
    return read_mechanism(path)


def constants(mechanism, **given):
    t, p = (torch.tensor([x], dtype=torch.float64) for x in (271.0, 6.3e4))
    return RateConstants(mechanism)(t, p, given)[:, 0].tolist()


@pytest.mark.parametrize(
    ("reaction", "expected"),
    [
        ({"type": "TERNARY_CHEMICAL_ACTIVATION", **FALL_OFF, "reactants": members("A")}, [5.720112129258e-4]),
        ({"type": "TROE", **FALL_OFF, "reactants": members("A", "M")}, [0.4471762087845]),
        ({"type": "TUNNELING", "A": 1e-4, "B": 120.0, "C": 1e7, "reactants": members("A")}, [1.061459380483e-4]),
        ({"type": "ARRHENIUS", "A": 1e-4, "Ea": 1e-21, "reactants": members("A")}, [7.654676806293e-5]),
        ({"type": "ARRHENIUS", "A": 1e-4, "reactants": members("A", "K")}, [2e-4]),
        ({"type": "ARRHENIUS", "A": 1e-4, "reactants": members("A", "L")}, [2.795999397727e-4]),
    ],
)
def test_rate_constants_are_those_of_an_independent_solver(tmp_path, reaction, expected):
    found = constants(read(tmp_path, {**reaction, "gas phase": "gas", "products": members("P")}))
    assert found == pytest.approx(expected, rel=1e-8)


def test_branches_share_a_reaction_by_warmth_and_pressure(tmp_path):
    """Nitrate and alkoxy: .53997e-3 s-1 together, products as 1.22745 to 4.15773."""
    given = {"type": "BRANCHED_NO_RO2", "X": 1e-3, "Y": 167.0, "a0": 0.15, "n": 9, "reactants": members("A")}
    m = read(tmp_path, {**given, "alkoxy products": members("P"), "nitrate products": members("Q")})
    alkoxy, nitrate = constants(m)
    assert [str(r) for r in m.reactions] == ["A -> P", "A -> Q"]
    assert alkoxy + nitrate == pytest.approx(5.399729882902e-4, rel=1e-8)
    assert nitrate / alkoxy == pytest.approx(1.2274485129906 / 4.1577290331846, rel=1e-6)


def test_a_gas_that_meets_particles_is_slowed_by_diffusion_and_by_the_surface(tmp_path):
    given = {"type": "SURFACE", "name": "x", "reaction probability": 0.02, "gas-phase species": "A"}
    m = read(tmp_path, {**given, "gas-phase products": members("P")})
    radius, number = m.given_rates
    assert radius == "SURF.x.effective radius [m]" and number == "SURF.x.particle number concentration [# m-3]"
    assert constants(m, **{radius: 1e-7, number: 1e9}) == pytest.approx([2.200574321773e-4], rel=1e-8)
    assert constants(m) == [0.0]


def test_a_case_is_told_what_particles_a_surface_needs_as_yaml_reads_it(tmp_path):
    given = {"type": "SURFACE", "name": "x", "reaction probability": 0.02, "gas-phase species": "A"}
    m = read(tmp_path, given)
    said = gas_chemistry.problems(m, {"A": 1e-9}, (), {})
    assert [text.split(" of mechanism")[0] for text in said] == [f"rate {name}" for name in m.given_rates]
    for text, name in zip(said, m.given_rates, strict=True):
        assert yaml.safe_load(text.split("such as  ")[1]) == {"rates": {name: 1e-5}}
    assert gas_chemistry.problems(m, {"A": 1e-9}, (), dict.fromkeys(m.given_rates, 1e-7)) == []


def test_what_a_loss_makes_is_kept(tmp_path):
    m = read(tmp_path, {"type": "FIRST_ORDER_LOSS", "name": "x", "reactants": members("A"), "products": members("P")})
    c = torch.tensor([1e-6, 0.0, 0.0], dtype=torch.float64).reshape(3, 1, 1)
    one = torch.ones((1, 1), dtype=torch.float64)
    new, _ = GasSolver(m, rtol=1e-8, atol=1e-18).advance(c, 271.0 * one, 6.3e4 * one, {"LOSS.x": 2e-2}, 10.0)
    assert m.species == ("A", "P", "Q")  # neither third body nor what is constant
    assert new.flatten().tolist() == pytest.approx([0.8187307530779818e-6, 0.1812692469220182e-6, 0.0], rel=1e-6)


def test_a_surface_without_the_gas_s_motion_and_shares_beyond_one_are_named(tmp_path):
    given = {"type": "SURFACE", "name": "x", "reaction probability": 2.0, "gas-phase species": "Q"}
    with pytest.raises(MechanismError) as e:
        read(tmp_path, given)
    text = str(e.value)
    assert "reaction probability = 2: expected a share between 0 and 1" in text
    assert "Q meets a surface: give its 'molecular weight [kg mol-1]' in the list of species" in text
    with pytest.raises(MechanismError, match=r"species K is constant: expected a number of 0 or more, found -1\.0"):
        read(
            tmp_path,
            {"type": "TUNNELING", "reactants": members("A")},
            [{"name": "A"}, {"name": "K", "constant concentration [mol m-3]": -1.0}],
        )


def test_an_hour_of_ts1_is_musica_s(shared):
    """209 species, 547 reactions, 13 of them on particles; musica's own numbers at rtol 1e-7."""
    folder = shared / "data" / "chemistry" / "musicbox"
    m = read_mechanism(folder / "ts1__my_config.json")
    assert (len(m.species), len(m.reactions)) == (209, 547)
    with open(folder / "ts1__initial_conditions.csv") as f:
        start = {k.strip(): float(v) for k, v in zip(*csv.reader(f), strict=True)}
    by_name = {k.split("CONC.")[-1]: v for k, v in start.items() if k.startswith("CONC.")}
    c = torch.tensor([by_name.get(s, 0.0) for s in m.species], dtype=torch.float64).reshape(-1, 1, 1)
    given = {n: start.get(n, 0.0) for n in m.given_rates}
    given |= {n: 1e-7 if n.endswith("[m]") else 1e9 for n in m.given_rates if n.startswith("SURF.")}
    one = torch.ones((1, 1), dtype=torch.float64)
    t, p = start["ENV.temperature.K"] * one, start["ENV.pressure.Pa"] * one
    new, _ = GasSolver(m, rtol=1e-6, atol=1e-18).advance(c, t, p, given, 3600.0)
    for name, expected in EXPECTED.items():
        assert float(new[m.number(name)]) == pytest.approx(expected, rel=5e-5), name
