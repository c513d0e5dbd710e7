# SPDX-License-Identifier: BSD-3-Clause
"""Increments of an assimilation: a tendency held for a step changes the air by that much, and nothing else."""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import increments
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from coupler.fields import dictionary
from tests.mpi.atmosphere_ranks import context

STEP, LEVELS = 400, 8


@pytest.fixture(scope="module")
def air():
    options = {"levels": LEVELS, "relief": "", "radiation": "none", "boundary_layer": "none", "precision": "double"}
    made = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**options, increments=True))
    made.initialize(context(nx=16, ny=14, step=STEP))
    return made


def changed(air, **given):
    """Potential temperature, Exner function, vapour, wind (east, north) and mass after a step's increments."""
    fields = {name: np.full((LEVELS, *air.context.grid.shape), value) for name, value in given.items()}
    s, q = increments.add(air.physics, air.s, air.q, fields, (air.cos, air.sin), STEP)
    along, across = (a.numpy() for a in centre_wind(air.geometry, s))
    cos, sin = air.cos.numpy(), air.sin.numpy()
    wind = along * cos - across * sin, along * sin + across * cos
    c = columns(air.geometry, s, q[0])
    return c.theta.numpy(), c.pi.numpy(), q[0][:, INNER, INNER].numpy(), wind, s.rho.numpy()


def test_each_tendency_changes_its_own_field(air):
    theta, pi, q, wind, mass = changed(air)
    warm = changed(air, **{increments.TEMPERATURE: 1e-4})
    # heat is added at the volume of the layer; the dynamics lets it expand
    np.testing.assert_allclose((warm[0] - theta) * pi, STEP * 1e-4, rtol=1e-9)
    np.testing.assert_array_equal(warm[2], q)
    np.testing.assert_array_equal(warm[4], mass)
    moist = changed(air, **{increments.HUMIDITY: 1e-8})
    np.testing.assert_allclose(moist[2] - q, STEP * 1e-8, rtol=1e-9)
    np.testing.assert_allclose(moist[0], theta, rtol=1e-13)
    assert changed(air, **{increments.HUMIDITY: -1e-4})[2].min() == 0.0, "no negative vapour"
    windy = changed(air, **{increments.EASTWARD: 1e-4, increments.NORTHWARD: -2e-4})
    inner = np.s_[:, 2:-2, 2:-2]  # on the sides, faces take half
    np.testing.assert_allclose((windy[3][0] - wind[0])[inner], STEP * 1e-4, rtol=0.02)
    np.testing.assert_allclose((windy[3][1] - wind[1])[inner], -STEP * 2e-4, rtol=0.02)
    np.testing.assert_array_equal(windy[0], theta)


def test_they_are_optional_and_in_the_dictionary():
    names = dictionary()
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(increments=True))
    fields = {f.name: f for f in air.imports if f.name in increments.NAMES}
    assert set(fields) == set(increments.NAMES) <= set(names)
    assert not any(f.required for f in fields.values())
