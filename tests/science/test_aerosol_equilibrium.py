# SPDX-License-Identifier: BSD-3-Clause
"""Ammonium, nitrate, sulfate and water beside HETP (Miller et al. 2024) and Mozurkewich's (1993) solid."""

import numpy as np
import pytest

from components.chemistry.kernels.inorganic import PASSES
from components.chemistry.regional.aerosol.inorganic import (
    deliquescence,
    dissociation_product,
    equilibrium,
    product_over_solution,
    solid_ammonium_nitrate,
)


@pytest.fixture(scope="module")
def rows(shared):
    """200 random cases (HETP v1.0's outputs), and ours of them."""
    d = np.genfromtxt(shared / "data/chemistry/inorganic_equilibrium.csv", delimiter=",", names=True)
    totals = [1e-6 * d[f"total_{name}_umol_m3"] for name in ("sulfate", "ammonia", "nitrate")]
    return d, totals, equilibrium(*totals, d["temperature_K"], 0.01 * d["relative_humidity_percent"])


def test_particles_and_gases_are_those_of_the_reference(rows):
    d, (s, a, n), got = rows
    quantiles = lambda error: np.quantile(np.abs(error), [0.8, 0.9])  # noqa: E731
    rich = a >= 2.0 * s
    ammonium = quantiles(1e6 * got.ammonium / d["ammonium_umol_m3"] - 1.0)
    nitrate = quantiles(((got.nitrate - 1e-6 * d["nitrate_umol_m3"]) / n)[rich])
    water = quantiles((1e9 * got.water / d["aerosol_water_ug_m3"] - 1.0)[rich])
    print(f"80 and 90 % of cases: ammonium {ammonium}, share of nitrate {nitrate}, water {water}")
    assert ammonium[1] < 0.05
    assert nitrate[0] < 0.05 and nitrate[1] < 0.10
    assert water[1] < 0.08


def test_mass_and_charge_close(rows):
    _, (s, a, n), got = rows
    np.testing.assert_allclose(got.sulfate + got.bisulfate, s, rtol=1e-12)
    np.testing.assert_allclose(got.ammonium + got.ammonia, a, rtol=1e-12)
    np.testing.assert_allclose(got.nitrate + got.nitric_acid, n, rtol=1e-12)
    cations = got.hydrogen + got.ammonium
    anions = 2.0 * got.sulfate + got.bisulfate + got.nitrate + got.hydroxide
    np.testing.assert_allclose(cations, anions, rtol=1e-8)
    assert (got.passes < PASSES).all()


def test_a_case_of_much_ammonia_is_the_published_one():
    got = equilibrium(0.1e-6, 0.6e-6, 0.3e-6, 283.15, 0.8)
    assert float(got.nitrate) == pytest.approx(0.293e-6, rel=0.01)
    assert float(got.water) == pytest.approx(46.4e-9, rel=0.01)


def test_air_of_any_kind_gives_numbers_that_close():
    rng = np.random.default_rng(1)
    n = 1500
    s, a, h = (10.0 ** rng.uniform(-11.0, -5.5, n) for _ in range(3))
    s[::7], a[::11], h[::13] = 0.0, 0.0, 0.0
    got = equilibrium(s, a, h, rng.uniform(200.0, 313.0, n), rng.uniform(0.0, 1.1, n))
    for part in got:
        assert np.isfinite(part).all() and (part >= 0.0).all()
    particles = got.hydrogen + got.ammonium
    assert (np.abs(particles - 2.0 * s + got.bisulfate - got.nitrate - got.hydroxide) <= 1e-8 * particles).all()
    assert (got.passes == PASSES).mean() < 0.005
    none = equilibrium(0.0, 1e-7, 0.0, 280.0, 0.9)
    assert float(none.ammonia) == 1e-7 and float(none.water) == 0.0


def test_a_cell_s_numbers_do_not_depend_on_its_neighbours(rows):
    d, totals, got = rows
    t, rh = d["temperature_K"], 0.01 * d["relative_humidity_percent"]
    part = equilibrium(*(a[50:77] for a in totals), t[50:77], rh[50:77])
    for a, b in zip(part, got, strict=True):
        np.testing.assert_array_equal(a, b[50:77])


def test_the_solid_dissociates_as_published_and_the_solution_joins_it():
    t = np.array([298.15, 283.15])
    np.testing.assert_allclose(dissociation_product(t), [43.11, 0.815], rtol=1e-3)
    ratio = product_over_solution(t, deliquescence(t)) / dissociation_product(t)
    print("solution over solid at the deliquescence:", ratio)
    np.testing.assert_allclose(ratio, 1.0, atol=0.15)


def test_the_solid_holds_what_the_gases_do_not():
    ppb = 1e-9 * 101325.0 / (8.314462618 * 298.15)
    solid = solid_ammonium_nitrate(np.array([20.0, 5.0]) * ppb, np.array([10.0, 5.0]) * ppb, 298.15) / ppb
    assert (20.0 - solid[0]) * (10.0 - solid[0]) == pytest.approx(43.11, rel=1e-3)
    assert solid[1] == 0.0


@pytest.mark.parametrize("wrong", [-1e-9, np.nan, np.inf])
def test_what_is_no_amount_is_refused(wrong):
    with pytest.raises(ValueError, match=r"expected ammonia of 0 or more, found .* in cell \(1,\)"):
        equilibrium(1e-8, np.array([1e-8, wrong]), 1e-8, 280.0, 0.7)
    with pytest.raises(ValueError, match="expected temperature above 0 K"):
        equilibrium(1e-8, 1e-8, 1e-8, wrong, 0.7)
