# SPDX-License-Identifier: BSD-3-Clause
"""Sulfur dioxide in cloud water: the numbers of Seinfeld & Pandis (2006), and what must close."""

import numpy as np
import pytest
import torch

from components.chemistry.regional.aerosol import particle_uptake
from components.chemistry.regional.aerosol.cloud_sulfur import Cloudy, henry, oxidised, rates

PPB = 1e-9 * 101325.0 / (8.314462618 * 285.0)  # mol m-3


@pytest.mark.parametrize(
    "ph, solubility, by_ozone, by_peroxide", [(4.0, 161.2, 5.98e-10, 5.99e-7), (5.0, 1611.0, 4.52e-8, 6.00e-7)]
)
def test_solubility_and_rates_are_the_published_ones(ph, solubility, by_ozone, by_peroxide):
    assert henry(ph, 298.15) == pytest.approx(solubility, rel=0.01)
    got = rates(5e-9, 50e-9, 1e-9, ph, 298.15)
    print(f"pH {ph}: H* {henry(ph, 298.15):.1f}, rates {got[0]:.3e}, {got[1]:.3e}")
    assert got == pytest.approx((by_ozone, by_peroxide), rel=0.01)


def cloud(so2=5.0, h2o2=1.0, o3=50.0, so4=1.0, nh3=2.0, no3=1.0):
    return Cloudy(*(np.full((2, 3), PPB * x) for x in (so2, h2o2, o3, so4, nh3, no3)))


def test_sulfur_closes_and_each_oxidant_pays_for_what_it_makes():
    before = cloud()
    after, ph = oxidised(before, 285.0, 5e-4, np.array([1.0, 0.4, 0.0]), 4e-4, 600.0)
    made = after.sulfate - before.sulfate
    np.testing.assert_allclose(after.sulfur_dioxide + made, before.sulfur_dioxide, rtol=1e-13)
    spent = before.hydrogen_peroxide - after.hydrogen_peroxide + before.ozone - after.ozone
    np.testing.assert_allclose(spent, made, rtol=1e-10)
    np.testing.assert_allclose(made[:, 1], 0.4 * made[:, 0], rtol=1e-12)
    assert (made[:, 2] == 0.0).all() and (ph[:, 2] == 0.0).all()
    assert 0.9 * PPB < made[0, 0] < 2.5 * PPB  # the peroxide is soon used up
    assert ((ph[:, :2] > 3.5) & (ph[:, :2] < 6.5)).all()


def test_a_time_in_parts_gives_what_it_gives_at_once():
    """Ten minutes, at once and as five times two: the acidity that changes meanwhile costs less than 1 %."""
    given = (285.0, 3e-4, 1.0, 4e-4)
    once, _ = oxidised(cloud(nh3=4.0), *given, 600.0)
    parts = cloud(nh3=4.0)
    for _ in range(5):
        parts, _ = oxidised(parts, *given, 120.0)
    assert once.sulfate[0, 0] == pytest.approx(parts.sulfate[0, 0], rel=0.01)


@pytest.mark.parametrize(
    ("amounts", "temperature", "water", "share", "ph"),
    [
        ((5.0, 1.0, 50.0, 2.0, 3.0, 1.0), 283.0, 3e-4, 0.182213, 3.302),
        ((10.0, 0.2, 40.0, 1.0, 8.0, 2.0), 275.0, 5e-4, 0.201342, 4.620),
        ((1.0, 3.0, 60.0, 4.0, 0.5, 0.5), 290.0, 1e-4, 0.464735, 2.492),
        ((30.0, 0.1, 30.0, 0.5, 20.0, 3.0), 268.0, 8e-4, 0.232179, 4.753),
        ((20.0, 0.0, 80.0, 0.1, 40.0, 0.0), 285.0, 3e-4, 0.926993, 5.416),
    ],
)
def test_ten_minutes_are_those_of_a_stiff_integration(amounts, temperature, water, share, ph):
    """LSODA at 1e-8, charges balanced at every instant: share of the dioxide that is oxidised, and pH at the end."""
    before = Cloudy(*(np.array([4e-8 * x]) for x in amounts))
    after, found = oxidised(before, temperature, water, 1.0, 4e-4, 600.0)
    made = (after.sulfate - before.sulfate) / before.sulfur_dioxide
    print(f"{float(made[0]) / share - 1.0:+.4f}, pH {float(found[0]) - ph:+.3f}")
    assert float(made[0]) == pytest.approx(share, rel=0.025)
    assert float(found[0]) == pytest.approx(ph, abs=0.06)


def test_clean_water_has_the_acidity_of_carbon_dioxide():
    """pH 5.6 under 350 ppm at 298 K (Seinfeld & Pandis 2006, section 7.3.2)."""
    _, ph = oxidised(cloud(0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 298.0, 1e-3, 1.0, 3.5e-4, 1.0)
    np.testing.assert_allclose(ph, 5.6, atol=0.05)


def test_ammonia_makes_the_cloud_less_acid_and_ozone_faster():
    weak, ph_weak = oxidised(cloud(h2o2=0.0, nh3=0.0), 280.0, 3e-4, 1.0, 4e-4, 600.0)
    strong, ph_strong = oxidised(cloud(h2o2=0.0, nh3=8.0), 280.0, 3e-4, 1.0, 4e-4, 600.0)
    assert (ph_strong > ph_weak + 0.5).all()
    assert (strong.sulfate > weak.sulfate + 0.05 * PPB).all()


def test_what_is_no_amount_is_refused():
    with pytest.raises(ValueError, match=r"expected ozone of 0 or more, found nan in cell \(0, 0\)"):
        oxidised(cloud(o3=np.nan), 285.0, 5e-4, 1.0, 4e-4, 600.0)
    with pytest.raises(ValueError, match=r"expected temperature above 0 K, found 0\.0 in cell \(0, 0\)"):
        oxidised(cloud(), 0.0, 5e-4, 1.0, 4e-4, 600.0)
    with pytest.raises(ValueError, match="expected water that is a number"):
        oxidised(cloud(), 285.0, np.nan, 1.0, 4e-4, 600.0)


def test_moist_particles_take_up_what_hits_them():
    f64 = lambda x: torch.tensor(x, dtype=torch.float64)  # noqa: E731
    at = particle_uptake.of_sulfur_dioxide(f64([0.2, 0.5, 0.75, 1.0]))
    assert at.tolist() == pytest.approx([2.0e-5, 2.0e-5, 3.5e-5, 5.0e-5])
    # haze: 600 um2 of surface in a cm3; molecules of 306 m/s: a quarter of the hits, of which 3.5 in 100,000 stay
    haze = float(particle_uptake.rate(f64(6.0e-4), f64(0.5e-6), f64(283.0), at[2]))
    assert haze == pytest.approx(6.0e-4 * 3.5e-5 * 305.8 / 4.0, rel=1e-3)
    assert 0.004 < 3600.0 * haze < 0.008  # half a percent an hour, without cloud or light
    # a sphere of a metre waits for diffusion
    drop = float(particle_uptake.rate(f64(1.0), f64(1.0), f64(273.15), at[1]))
    assert drop == pytest.approx(1.0 / (0.5 / 1.1e-5 + 4.0 / (2.0e-5 * 300.46)), rel=1e-3)


def test_nitrogen_pentoxide_sticks_to_moist_and_cold_particles():
    """Evans & Jacob (2005): .04 / .12 between 294 and 282 K; at 294 K and half humidity 7.6e-3."""
    f64 = lambda x: torch.tensor(x, dtype=torch.float64)  # noqa: E731
    gamma = particle_uptake.of_nitrogen_pentoxide(f64([294.0, 282.0, 270.0]), f64(0.5))
    assert float(gamma[0]) == pytest.approx(2.79e-4 + 6.5e-3 - 8.575e-3 + 9.4e-3, rel=1e-12)
    assert float(gamma[1] / gamma[0]) == pytest.approx(3.0, rel=0.01) and float(gamma[2]) == float(gamma[1])
    rate = float(particle_uptake.rate(f64(6.0e-4), f64(0.5e-6), f64(282.0), gamma[1], 0.10801))
    assert rate == pytest.approx(6.0e-4 * float(gamma[1]) * 235.1 / 4.0, rel=0.03)
    assert 600.0 < 1.0 / rate < 2400.0  # gone within half an hour in haze
