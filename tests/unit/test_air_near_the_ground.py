# SPDX-License-Identifier: BSD-3-Clause
"""Air at 2 m and wind at 10 m: profiles beside integrals of the flux-gradient relations, bounds, and the output."""

import netCDF4
import numpy as np
import pytest
import torch
from scipy.integrate import quad

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.science.constants import CP_DRY, GRAVITY, VIRTUAL, VON_KARMAN
from components.science.surface_profiles import LowestAir, below
from coupler.case.command import main
from tests.mpi.atmosphere_ranks import context, surface
from tests.toys.cases import box, toy_case


def lowest(heat, water=0.0, stress=0.1, ground=400.0, **other):
    """One column: 8 m/s from the west at 40 m, 290 K, 8 g/kg."""
    values = {"u": 8.0, "v": 0.0, "t": 290.0, "q": 8e-3, "rho": 1.2, "z": 40.0, "heat": heat, "water": water,
              "stress_x": stress, "stress_y": 0.0, "ground": ground, **other}  # fmt: skip
    return LowestAir(**{k: torch.tensor([[a]], dtype=torch.float64) for k, a in values.items()})


def phi(zeta):
    """Gradients of wind and heat at z / L (Dyer 1974; Beljaars & Holtslag 1991, derived from their eq. 28 and 32)."""
    if zeta < 0.0:
        return (1 - 16 * zeta) ** -0.25, (1 - 16 * zeta) ** -0.5
    tail = 0.667 * np.exp(-0.35 * zeta) * (1 + 5.0 - 0.35 * zeta)
    return 1 + zeta * (1 + tail), 1 + zeta * (np.sqrt(1 + 2 / 3 * zeta) + tail)


@pytest.mark.parametrize(("heat", "water"), [(150.0, 1e-4), (10.0, 5e-5), (-15.0, -1e-6), (-40.0, 0.0)])
def test_profiles_are_the_integrals_of_the_gradients(heat, water):
    air = lowest(heat, water, ground=400.0 if heat > 0.0 else 200.0)
    friction = np.sqrt(0.1 / 1.2)
    theta = 290.0 + GRAVITY / CP_DRY * 40.0
    t_star, q_star = -heat / (1.2 * CP_DRY * friction), -water / (1.2 * friction)
    b = t_star * (1 + VIRTUAL * 8e-3) + VIRTUAL * theta * q_star
    over_l = VON_KARMAN * GRAVITY * b / (theta * (1 + VIRTUAL * 8e-3) * friction**2)
    gain = lambda which, z: quad(lambda h: phi(h * over_l)[which] / h, z, 40.0)[0] / VON_KARMAN  # noqa: E731
    _, _, t, q = below(air, 2.0)
    u, v, _, _ = below(air, 10.0)
    assert float(u) == pytest.approx(8.0 - friction * gain(0, 10.0), abs=1e-6)
    assert float(v) == 0.0
    assert float(t) == pytest.approx(theta - GRAVITY / CP_DRY * 2.0 - t_star * gain(1, 2.0), abs=1e-6)
    assert float(q) == pytest.approx(8e-3 - q_star * gain(1, 2.0), abs=1e-9)


def test_without_fluxes_the_air_is_mixed_down_to_the_ground():
    u, _, t, q = below(lowest(0.0, stress=0.0), 2.0)
    assert float(u) == 8.0 and float(q) == 8e-3
    assert float(t) == pytest.approx(290.0 + GRAVITY / CP_DRY * 38.0, abs=1e-9)


def test_stable_air_that_slides_is_bounded_by_the_ground_and_by_calm():
    air = lowest(-60.0, stress=1e-3, ground=285.0, u=0.5)
    u, _, _, _ = below(air, 10.0)
    _, _, t, q = below(air, 2.0)
    assert float(u) >= 0.0 and float(q) >= 0.0
    assert float(t) == pytest.approx(285.0 - GRAVITY / CP_DRY * 2.0, abs=1e-9)


def test_the_coupled_atmosphere_gives_them_turned_to_east_and_north():
    c = context()
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(radiation="gray", precision="double"))
    exported = air.initialize(c)
    for n in range(2):
        exported = air.step(600 * n, 600, surface(c, exported))
    out = air.diagnostics()
    wind = np.hypot(out["eastward_wind_at_10m"], out["northward_wind_at_10m"])
    speed = np.hypot(exported["eastward_wind"], exported["northward_wind"])
    assert (wind <= speed + 1e-9).all() and 0.4 < (wind / speed).mean() < 0.95
    turn = np.angle(
        (out["eastward_wind_at_10m"] + 1j * out["northward_wind_at_10m"])
        / (exported["eastward_wind"] + 1j * exported["northward_wind"])
    )
    assert np.abs(turn[wind > 1e-6]).max() < 1e-6, "along the wind of the lowest layer"
    assert np.abs(out["air_temperature_at_2m"] - exported["air_temperature"]).max() < 8.0
    assert out["specific_humidity_at_2m"].min() >= 0.0


def test_the_history_says_their_height_as_cf_asks(tmp_path):
    fields = ["air_temperature_at_2m", "eastward_wind_at_10m", "air_temperature"]
    atmosphere = {
        "model": "nonhydrostatic", "step": "PT400S", "grid": box(100, 124, 20, 40, 2.0),
        "nonhydrostatic": {"levels": 10, "relief": "", "boundary_layer": "none", "convection": "none",
                           "radiation": "gray", "microphysics": "none"},
        "output": [{"fields": fields, "period": "PT20M", "statistic": "instant"}],
    }  # fmt: skip
    folder = toy_case(
        tmp_path / "c", components={"atmosphere": atmosphere}, coupling=[], layout={"coupler": 1, "atmosphere": 1},
        duration="PT20M",
    )  # fmt: skip
    assert main([str(folder), "--serial"]) == 0
    (path,) = (folder / "run" / "history").glob("*.nc")
    with netCDF4.Dataset(path) as file:
        two = file["air_temperature_at_2m"]
        assert two.standard_name == "air_temperature" and "height_2m" in two.coordinates.split()
        assert float(file["height_2m"][...]) == 2.0 and file["height_2m"].units == "m"
        assert "height_10m" in file["eastward_wind_at_10m"].coordinates
        assert "height" not in getattr(file["air_temperature"], "coordinates", "")
