# SPDX-License-Identifier: BSD-3-Clause
"""Increments of an assimilation: a tendency held for a step changes the air by that much, in hydrostatic balance."""

import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.atmosphere.nonhydrostatic.driving import increments
from components.atmosphere.nonhydrostatic.physics.columns import INNER, columns
from components.atmosphere.nonhydrostatic.physics.sequence import centre_wind
from components.science.constants import GRAVITY
from coupler.fields import dictionary
from tests.mpi.atmosphere_ranks import context

STEP, LEVELS = 400, 8
OPTIONS = {
    "levels": LEVELS, "relief": "", "radiation": "none", "boundary_layer": "none", "convection": "none",
    "microphysics": "none", "precision": "double", "increments": True, "column_budget": True,
}  # fmt: skip


def made(**options):
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**(OPTIONS | options)))
    air.initialize(context(nx=16, ny=14, step=STEP))
    return air


@pytest.fixture(scope="module")
def air():
    return made()


def rates(air, **given):
    shape = air.context.grid.shape
    return {n: np.full(shape if n == increments.PRESSURE else (LEVELS, *shape), a) for n, a in given.items()}


def changed(air, **given):
    """Temperature, pressure, vapour, wind (east, north), and what the weight of the layers leaves of its balance."""
    s, q = increments.add(air.physics, air.s, air.q, rates(air, **given), (air.cos, air.sin), STEP)
    along, across = (a.numpy() for a in centre_wind(air.geometry, s))
    cos, sin = air.cos.numpy(), air.sin.numpy()
    wind = along * cos - across * sin, along * sin + across * cos
    c = columns(air.geometry, s, q[0])
    base = air.geometry.rho_base[:, INNER, INNER]
    p = (c.p - air.geometry.p_base[:, INNER, INNER]).numpy()
    load = (c.mass * (1.0 + q[0, :, INNER, INNER]) - base).numpy()
    left = p[1:] - p[:-1] + 0.5 * GRAVITY * (load[1:] + load[:-1])
    return c.t.numpy(), c.p.numpy(), q[0, :, INNER, INNER].numpy(), wind, left


def test_check_says_that_nudging_takes_increments_back():
    words = {"nudging_wavelength": "1500 km", "nudging_time": "PT3H"}
    said = {
        on: NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(**OPTIONS | given)).remarks(context())
        for on, given in (("both", words), ("nudging", words | {"increments": False}), ("increments", {}))
    }
    assert said["nudging"] == said["increments"] == []
    assert len(said["both"]) == 1 and "scales above 1500 km within 3 h back to the driver" in said["both"][0]


def test_each_tendency_changes_its_own_field_and_keeps_the_balance(air):
    t, p, q, wind, left = changed(air)
    for name, size, warmer, moister, more in (
        (increments.TEMPERATURE, 1e-3, STEP * 1e-3, 0.0, 0.0),
        (increments.HUMIDITY, 1e-6, 0.0, STEP * 1e-6, 0.0),
        (increments.PRESSURE, 0.5, 0.0, 0.0, STEP * 0.5),
    ):
        new = changed(air, **{name: size})
        np.testing.assert_allclose(new[0] - t, warmer, rtol=1e-9, atol=1e-10, err_msg=name)
        np.testing.assert_allclose(new[2] - q, moister, rtol=1e-9, atol=1e-16, err_msg=name)
        np.testing.assert_allclose((new[1] - p)[0], more, rtol=1e-9, atol=1e-8, err_msg=name)
        np.testing.assert_allclose(new[4], left, atol=1e-7, err_msg=name)  # Pa, of 1e5
        assert np.abs(new[1] - p)[-1].min() > 0.01, "the pressure aloft follows"
        for a, b in zip(new[3], wind, strict=True):
            np.testing.assert_allclose(a[:, 1:-1, 1:-1], b[:, 1:-1, 1:-1], atol=2e-3, err_msg=name)
    assert changed(air, **{increments.HUMIDITY: -1e-4})[2].min() == 0.0, "no negative vapour"
    windy = changed(air, **{increments.EASTWARD: 1e-4, increments.NORTHWARD: -2e-4})
    inner = np.s_[:, 2:-2, 2:-2]  # on the sides, faces take half
    np.testing.assert_allclose((windy[3][0] - wind[0])[inner], STEP * 1e-4, rtol=0.02)
    np.testing.assert_allclose((windy[3][1] - wind[1])[inner], -STEP * 2e-4, rtol=0.02)
    np.testing.assert_array_equal(windy[0], t)


def test_nothing_changes_no_bit(air):
    zeros = dict.fromkeys(increments.NAMES, 0.0)
    for given in ({}, rates(air, **zeros)):
        s, q = increments.add(air.physics, air.s, air.q, given, (air.cos, air.sin), STEP)
        assert all(torch.equal(a, b) for a, b in zip((*s, q), (*air.s, air.q), strict=True))


def test_the_mass_that_is_added_stays_and_is_booked():
    """The hold on the driver's mean keeps what two steps with increments have added, against a run without."""
    with_, without = made(), made()
    given = rates(with_, **{increments.PRESSURE: 0.25, increments.HUMIDITY: 1e-8})
    area = (1.0 / with_.geometry.inverse_area[INNER, INNER]).numpy()
    heavier, booked = [], 0.0
    for n in range(6):
        for air, imports in ((with_, given if n < 2 else {}), (without, {})):
            air.step(n * STEP, STEP, imports)
        if n < 2:
            out = with_.diagnostics()
            booked += STEP * (area * out["column_dry_air_increment"]).sum() / area.sum()
            assert (out["column_water_increment"] > 0.0).all() and (out["column_energy_increment"] > 0.0).all()
        mean = [float(a.mass.mean(a.s, a.species.water(a.q))) for a in (with_, without)]
        heavier.append(mean[0] - mean[1])
    added = float(with_.now.added_pressure)
    assert added == pytest.approx(2 * STEP * 0.25, rel=0.02) and added == pytest.approx(GRAVITY * booked, rel=0.05)
    assert heavier[1:] == pytest.approx([added] * 5, rel=1e-3)
    again = made()
    again.restore(with_.state())
    assert torch.equal(again.now.added_pressure, with_.now.added_pressure)


def test_they_are_optional_and_in_the_dictionary():
    names = dictionary()
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(increments=True))
    fields = {f.name: f for f in air.imports if f.name in increments.NAMES}
    assert set(fields) == set(increments.NAMES) <= set(names)
    assert not any(f.required for f in fields.values())
    assert {name: f.levels for name, f in fields.items()} == dict.fromkeys(increments.LAYERS, 24) | {
        increments.PRESSURE: 0
    }
