# SPDX-License-Identifier: BSD-3-Clause
"""Mechanism files are read, and every mistake in one is named with its line; a box that cannot be solved is named."""

import json

import numpy as np
import pytest
import torch

from components.chemistry.regional.gases.mechanism import Mechanism, Reaction, joined
from components.chemistry.regional.gases.mechanism_file import MechanismError, read_mechanism
from components.chemistry.regional.gases.rates import RateConstants
from components.chemistry.regional.gases.solver import GasSolver, SolverFailure
from components.chemistry.regional.gases.sparse_lu import symbolic
from components.chemistry.regional.gases.tables import tables
from components.chemistry.regional.mechanisms import MECHANISMS

D = torch.float64


def lines(*reactions, species=("A", "B")):
    """A mechanism file of one line an entry: species from line 3, reactions after them."""
    listed = ",\n".join(f'  {{"name": "{s}"}}' for s in species)
    return f'{{"version": "1.0.0", "species": [\n\n{listed}],\n"reactions": [\n' + ",\n".join(reactions) + "]}"


def member(*names):
    return json.dumps([{"species name": n, "coefficient": 1.0} for n in names])


def arrhenius(more="", reactants=("A",), products=("B",)):
    return (
        f'{{"type": "ARRHENIUS", "A": 1.0{more}, "reactants": {member(*reactants)}, "products": {member(*products)}}}'
    )


def problems(path, text):
    path.write_text(text)
    with pytest.raises(MechanismError) as e:
        read_mechanism(path)
    return str(e.value).splitlines()


def test_all_mistakes_at_once_with_file_and_line(tmp_path):
    path = tmp_path / "wrong.json"
    found = problems(
        path,
        lines(
            arrhenius().replace("ARRHENIUS", "ARHENIUS"),
            arrhenius(products=("BB",)),
            arrhenius(', "F": 2.0'),
            arrhenius(', "D": 0'),
            f'{{"type": "PHOTOLYSIS", "reactants": {member("A")}, "products": []}}',
            arrhenius().replace('"coefficient": 1.0', '"coefficient": 1.5', 1),
            arrhenius().replace('"A": 1.0', '"A": "fast"'),
        ),
    )
    assert [p.split(":")[1] for p in found] == ["6", "7", "8", "9", "10", "11", "12"]
    for text, p in zip(
        ("'ARHENIUS'; did you mean 'ARRHENIUS'", "'BB' among the products", "no parameter 'F'", "D = 0", "needs a name",
         "A with coefficient 1.5", "found 'fast'"), found, strict=True,
    ):  # fmt: skip
        assert text in p and str(path) in p


def test_files_that_are_no_mechanism(tmp_path):
    path = tmp_path / "m.json"
    assert "m.json:2: not JSON" in problems(path, '{"version": "1.0.0",\n "species" 3}')[0]
    assert "version 1, found version '0.1'" in problems(path, lines(arrhenius()).replace("1.0.0", "0.1"))[0]
    assert "declared twice" in problems(path, lines(arrhenius(), species=("A", "B", "A")))[0]
    twice = f'{{"type": "PHOTOLYSIS", "name": "A", "reactants": {member("A")}, "products": []}}'
    assert "two reactions are named PHOTO.A" in problems(path, lines(twice, twice))[0]


def test_species_without_source_or_start_is_named_with_its_line(tmp_path):
    path = tmp_path / "m.json"
    path.write_text(lines(arrhenius(reactants=("A", "C")), species=("A", "B", "C")))
    mechanism = read_mechanism(path)
    (text,) = mechanism.without_origin(["A"])
    assert text.startswith(f"{path}:5: species C takes part in reactions, but no source makes it and it has no start")
    assert mechanism.without_origin(["A", "C"]) == []


def test_carbon_bond_5_with_ammonia_and_dms():
    cb05, more = (read_mechanism(MECHANISMS / f"{name}.json") for name in ("carbon_bond_5", "ammonia_dms"))
    assert (len(cb05.species), cb05.third_bodies, len(cb05.reactions)) == (66, ("M",), 204)
    both = joined(cb05, more)
    assert both.species[-2:] == ("NH3", "DMS") and len(both.reactions) == 207
    assert both.number("OH") == cb05.number("OH")
    k = RateConstants(both)(torch.tensor([298.0], dtype=D), torch.tensor([1e5], dtype=D), {})
    n_a = 6.02214076e17
    assert k[-3:, 0].tolist() == pytest.approx(
        [n_a * a * np.exp(c / 298.0) for a, c in ((1.7e-12, -710), (1.2e-11, -280), (1.9e-13, 530))], rel=1e-6
    )


def test_rate_formulas():
    troe = {
        "k0_A": 5e5,
        "k0_B": -2.0,
        "k0_C": 10.0,
        "kinf_A": 8e6,
        "kinf_B": -0.5,
        "kinf_C": -20.0,
        "Fc": 0.5,
        "N": 1.2,
    }
    plain = {"A": 2.0, "B": 1.5, "C": 100.0, "D": 280.0, "E": 1e-6}
    m = Mechanism(
        "m", ("A",),
        (Reaction("TROE", ("A",), (), troe), Reaction("ARRHENIUS", ("A", "M"), (), plain),
         Reaction("USER_DEFINED", ("A",), (), {"scaling factor": 3.0}, "USER.x")), ("M",),
    )  # fmt: skip
    t, p = 250.0, 7.0e4
    air = p / (8.314462618 * t)
    k = RateConstants(m)(torch.tensor([t], dtype=D), torch.tensor([p], dtype=D), {"USER.x": 2.0})[:, 0].tolist()
    k0, kinf = 5e5 * np.exp(10 / t) * (t / 300) ** -2.0, 8e6 * np.exp(-20 / t) * (t / 300) ** -0.5
    ratio = k0 * air / kinf
    expected = k0 * air / (1 + ratio) * 0.5 ** (1 / (1 + np.log10(ratio) ** 2 / 1.2))
    arr = 2.0 * np.exp(100 / t) * (t / 280) ** 1.5 * (1 + 1e-6 * p) * air
    assert k == pytest.approx([expected, arr, 6.0], rel=1e-13)
    with pytest.raises(KeyError, match=r"takes no rate PHOTO\.NO2; it takes: USER\.x"):
        RateConstants(m)(torch.tensor([t], dtype=D), torch.tensor([p], dtype=D), {"PHOTO.NO2": 1.0})


def test_symbolic_decomposition_solves():
    rng = np.random.default_rng(1)
    pattern = rng.random((12, 12)) < 0.25
    lu = symbolic(pattern)
    full = np.where(pattern, rng.normal(size=(12, 12)), 0.0) + 8.0 * np.eye(12)
    a = full[np.ix_(lu.order, lu.order)]
    g = a[lu.rows, lu.columns].copy()
    for row in range(12):
        for target, lower, upper in lu.update[lu.update_start[row] : lu.update_start[row + 1]]:
            g[target] -= g[lower] * g[upper]
        g[(lu.rows == row) & (lu.columns > row)] /= g[lu.diagonal[row]]
    dense = np.zeros_like(a)
    dense[lu.rows, lu.columns] = g
    assert np.allclose(np.tril(dense) @ (np.triu(dense, 1) + np.eye(12)), a, atol=1e-13)
    pivots = {int(i): int(lu.rows[p]) for i, p in zip(lu.lower, lu.lower_pivot, strict=True)}
    assert pivots == {m: int(k) for m, (i, k) in enumerate(zip(lu.rows, lu.columns, strict=True)) if k < i}
    cb05 = tables(read_mechanism(MECHANISMS / "carbon_bond_5.json"))
    assert cb05.rows.size < 800 and len(cb05.update) < 2300  # 4356 entries and 96,000 updates if it were dense


def state(nz, ny, nx, seed=0):
    m = read_mechanism(MECHANISMS / "carbon_bond_5.json")
    g = torch.Generator().manual_seed(seed)
    shape = (nz, ny, nx)
    c = torch.full((len(m.species), *shape), 1e-12, dtype=D) * (1 + torch.rand((len(m.species), *shape), generator=g))
    for s, v in (("O3", 2e-6), ("NO", 1e-8), ("NO2", 4e-8), ("CO", 8e-6), ("CH4", 8e-5), ("O2", 8.5), ("H2O", 0.2)):
        c[m.number(s)] = v
    t = 250.0 + 50.0 * torch.rand(shape, generator=g, dtype=D)
    p = 1e5 * torch.linspace(1.0, 0.3, nz, dtype=D)[:, None, None].expand(shape)
    sun = torch.rand((ny, nx), generator=g, dtype=D)
    return m, c, t, p, {"PHOTO.NO2": 8e-3 * sun, "PHOTO.O3->O1D": 2e-5 * sun, "EMIS.NO": 1e-11}


def test_arrays_of_another_mechanism_or_other_cells_are_refused():
    """The kernels would read beyond them."""
    m, c, t, p, given = state(3, 1, 2)
    with pytest.raises(ValueError, match=r"expected concentrations of shape \(66, 3, 1, 2\), found \(5, 3, 1, 2\)"):
        GasSolver(m).advance(c[:5], t, p, given, 60.0)
    with pytest.raises(ValueError, match=r"found \(66, 2, 1, 2\)"):
        GasSolver(m).advance(c[:, :2], t, p, given, 60.0)
    nothing, _ = GasSolver(m).advance(c[..., :0], t[..., :0], p[..., :0], {}, 60.0)
    assert nothing.shape == (66, 3, 1, 0)


def test_a_part_of_the_columns_has_the_bits_of_the_whole():
    m, c, t, p, given = state(11, 3, 5)
    given["PHOTO.NO2"] = given["PHOTO.NO2"].expand(11, 3, 5)
    solver = GasSolver(m)
    whole, step = solver.advance(c, t, p, given, 300.0)
    part = (slice(None), slice(1, 3), slice(2, 5))
    inner = {k: (v[..., 1:3, 2:5] if isinstance(v, torch.Tensor) else v) for k, v in given.items()}
    alone, its = solver.advance(c[:, *part], t[part], p[part], inner, 300.0)
    assert torch.equal(alone, whole[:, *part]) and torch.equal(its, step[:, 1:3, 2:5])
    assert step.shape == (2, 3, 5) == solver.step_shape((11, 3, 5))
    again, _ = solver.advance(c, t, p, given, 300.0, torch.zeros_like(step))
    assert torch.equal(again, whole)  # 0 chooses


def test_nitrogen_and_sulphur_are_neither_made_nor_lost():
    m, c, t, p, given = state(8, 1, 2)
    c[m.number("SO2")] = 3e-8
    del given["EMIS.NO"]
    new, _ = GasSolver(m).advance(c, t, p, given, 3600.0)
    number = {"N2O5": 2.0, **dict.fromkeys(
        ("NO", "NO2", "NO3", "HNO3", "HONO", "PNA", "PAN", "PANX", "NTR"), 1.0)}  # fmt: skip
    nitrogen = lambda a: sum(n * a[m.number(s)] for s, n in number.items())  # noqa: E731
    sulphur = lambda a: a[m.number("SO2")] + a[m.number("SULF")]  # noqa: E731
    assert (sulphur(new) / sulphur(c) - 1.0).abs().max() < 1e-12
    # CRO + NO2, a channel of Carbon Bond 5, and TO2 + NO lose none here within an hour either
    assert (nitrogen(new) / nitrogen(c) - 1.0).abs().max() < 1e-10


def test_failure_names_cell_species_and_rates():
    m, c, t, p, given = state(9, 2, 3)
    c[m.number("NO2"), 8, 1, 2] = float("nan")
    with pytest.raises(SolverFailure) as e:
        GasSolver(m).advance(c, t, p, given, 300.0)
    assert (e.value.cell, e.value.species) == ((8, 1, 2), "NO2")
    assert "layer 9, row 2, column 3" in str(e.value) and "second attempt" in str(e.value)
    runaway = Mechanism(
        "x", ("A",), (Reaction("USER_DEFINED", ("A",), (("A", 2.0),), {"scaling factor": 1.0}, "USER.k"),)
    )
    one = torch.ones((1, 1, 1), dtype=D)
    with pytest.raises(SolverFailure, match=r"A = 1 mol m-3 .* A -> 2 A: 1\.000e\+03"):
        GasSolver(runaway, most_steps=50).advance(one[None], 300.0 * one, 1e5 * one, {"USER.k": 1000.0}, 10.0)


def test_a_block_that_needs_many_steps_is_tried_again():
    m, c, t, p, given = state(8, 1, 1)
    solver = GasSolver(m, rtol=1e-5, most_steps=20)
    patient = GasSolver(m, rtol=1e-5).advance(c, t, p, given, 300.0)[0]
    new, _ = solver.advance(c, t, p, given, 300.0)
    assert solver.steps > 40 and ((new / patient - 1.0).abs()[patient > 1e-15] < 1e-3).all()
