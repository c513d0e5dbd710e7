# SPDX-License-Identifier: BSD-3-Clause
"""How fast soot ages: published coefficients and times, and that none is lost."""

import pytest
import torch

from components.chemistry.regional.aerosol import ageing
from components.chemistry.regional.aerosol.ageing import LAYER, LAYERS, SURFACE, Population

T, P = (torch.tensor(x, dtype=torch.float64) for x in (298.15, 101325.0))
WATER = torch.tensor(1000.0, dtype=torch.float64)
HOUR, DAY = 3600.0, 86400.0
number = lambda x: torch.tensor(x, dtype=torch.float64)  # noqa: E731


@pytest.mark.parametrize(
    ("first", "second", "published"),
    [(0.01, 0.01, 19e-16), (0.1, 0.1, 15e-16), (1.0, 1.0, 6.9e-16), (0.01, 0.1, 2.5e-14), (0.1, 1.0, 5.0e-15)],
)
def test_coagulation_is_that_of_seinfeld_and_pandis(first, second, published):
    """Table 13.3, unit density, 298 K (m3 s-1, to two figures)."""
    pair = (ageing.motion(number(1e-6 * d), WATER, T, P) for d in (first, second))
    assert float(ageing.coagulation(*pair)) == pytest.approx(published, rel=0.04)


def population(micrograms, diameter, density):
    return Population(number(1e-9 * micrograms / density), diameter, number(diameter), number(density))


def lasts(soluble, condensing):
    """Hours in which soot of a twentieth of the soluble mass ages: ug m-3, ug m-3 h-1."""
    coat = number(1e-9 * condensing / 1770.0 / HOUR)
    soot, other = population(0.05 * soluble, 0.15e-6, 1800.0), population(soluble, 0.35e-6, 1770.0)
    (speed,) = ageing.rates([soot], [other], coat, number(275.0), P)
    return 1.0 / (HOUR * float(speed))


def test_soot_ages_in_hours_by_day_in_a_day_by_night_where_air_is_polluted_and_in_days_where_it_is_clean():
    """Riemer et al. (2004): 2 to 8 h by day, 10 to 40 h by night in polluted air."""
    assert 2.0 < lasts(100.0, 3.0) < 8.0 and 2.0 < lasts(50.0, 1.0) < 8.0
    assert 10.0 < lasts(100.0, 0.0) < 40.0
    assert lasts(2.0, 0.0) > 10.0 * 24.0


def test_where_all_condenses_on_fresh_particles_the_coat_grows_by_its_volume_over_their_surface():
    soot = population(2.0, 0.15e-6, 1800.0)
    coat = number(1e-16)
    (speed,) = ageing.rates([soot], [], coat, T, P)
    surface = SURFACE * 6.0 * float(soot.volume) / 0.15e-6
    assert float(speed) == pytest.approx(float(coat) / surface / (LAYERS * LAYER), rel=1e-12)


def test_where_there_is_nothing_nothing_ages():
    none = population(0.0, 0.15e-6, 1800.0)
    (speed,) = ageing.rates([none], [none], number(1e-16), T, P)
    assert float(speed) == 0.0
