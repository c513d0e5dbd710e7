# SPDX-License-Identifier: BSD-3-Clause
"""The sea grows no rougher in a storm: drag at most 2.6e-3 above 33 m/s (Donelan et al. 2004; Powell et al. 2003).

COARE 3.6, extrapolated beyond its data, reaches 5e-3 at 50 m/s; below 20 m/s the limited law is COARE to the bit.
"""

import numpy as np
import pytest

from components.atmosphere.air_sea.surface_fluxes import SCHEMES
from components.science.constants import R_DRY, VIRTUAL

HUMIDITY = 0.018


def storm(speed, air=300.15, sea=302.15):
    n = speed.size
    fields = {
        "air_temperature": air,
        "specific_humidity": HUMIDITY,
        "eastward_wind": speed,
        "northward_wind": 0.0,
        "air_pressure_at_mean_sea_level": 95000.0,
        "surface_downwelling_shortwave_flux_in_air": 100.0,
        "surface_downwelling_longwave_flux_in_air": 420.0,
        "sea_surface_temperature": sea,
    }
    return {name: np.broadcast_to(np.asarray(value, float), (n,)).copy() for name, value in fields.items()}


def drag(scheme, speed, **options):
    stress = SCHEMES[scheme](**storm(speed), **options)["surface_downward_eastward_stress"]
    density = 95000.0 / (R_DRY * 300.15 * (1.0 + VIRTUAL * HUMIDITY))
    return stress / (density * speed * speed)


def test_the_limited_law_stays_below_what_was_measured_in_hurricanes():
    speed = np.arange(33.0, 71.0, 1.0)
    assert drag("coare", np.array([50.0]))[0] > 4.0e-3  # the published law goes on growing
    limited = drag("coare_limited", speed)
    assert limited.max() <= 2.6e-3
    assert limited.min() > 2.3e-3  # it saturates, and does not fall off
    assert drag("ncar", speed).max() <= 2.6e-3


@pytest.mark.parametrize("sea", [295.15, 300.15, 304.15])
def test_below_20_metres_a_second_not_a_bit_changes(sea):
    fields = storm(np.linspace(0.1, 20.0, 200), sea=sea)
    published, limited = SCHEMES["coare"](**fields), SCHEMES["coare_limited"](**fields)
    for name, values in published.items():
        assert np.array_equal(values, limited[name]), name


def test_the_limit_is_an_option_of_the_published_law():
    speed = np.array([45.0, 60.0])
    assert np.array_equal(drag("coare", speed, drag_limit=2.5e-3), drag("coare_limited", speed))
