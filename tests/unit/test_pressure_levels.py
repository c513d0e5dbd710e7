# SPDX-License-Identifier: BSD-3-Clause
"""Fields on pressure levels: beside columns whose answer is known, and as output of a run."""

import netCDF4
import numpy as np
import pytest
import torch

from components.atmosphere.nonhydrostatic.component import NonhydrostaticAtmosphere
from components.science.constants import GRAVITY, R_DRY
from components.science.pressure_levels import LAPSE, Columns, on_levels
from coupler.case.command import main
from tests.mpi.atmosphere_ranks import context
from tests.toys.cases import box, toy_case

POWER = R_DRY * LAPSE / GRAVITY


def standard_column(z, ground=288.15):
    """Dry air of the standard lapse rate at heights z (nz,): its pressure is known at each height."""
    t = ground - LAPSE * z
    p = 101325.0 * (t / ground) ** (1.0 / POWER)
    u = 5.0 + 10.0 * torch.log(101325.0 / p)
    return Columns(*(a[:, None, None] for a in (p, z, t, 0.0 * t, u, -u)))


def height_of(p, ground=288.15):
    return ground / LAPSE * (1.0 - (p / 101325.0) ** POWER)


@pytest.mark.parametrize(("spacing", "metres"), [(1500.0, 1.2), (500.0, 0.15)])
def test_the_height_of_a_level_is_hypsometric(spacing, metres):
    air = standard_column(torch.arange(40.0, 11000.0, spacing, dtype=torch.float64))
    levels = [85000.0, 70000.0, 50000.0, 30000.0]
    seen = on_levels(air, levels)
    for k, p in enumerate(levels):
        assert float(seen.z[k]) == pytest.approx(height_of(p), abs=metres)
        assert float(seen.t[k]) == pytest.approx(288.15 - LAPSE * height_of(p), abs=1e-3 * spacing)
        assert float(seen.u[k]) == pytest.approx(5.0 + 10.0 * np.log(101325.0 / p), abs=1e-9), "linear in ln p"


def test_a_layers_own_middle_is_met_and_nothing_is_known_above_the_highest():
    air = standard_column(torch.linspace(40.0, 9000.0, 9, dtype=torch.float64))
    seen = on_levels(air, [float(air.p[4]), 10000.0])
    assert float(seen.z[0]) == pytest.approx(float(air.z[4]), abs=1e-9)
    assert float(seen.t[0]) == pytest.approx(float(air.t[4]), abs=1e-9)
    assert torch.isnan(seen.z[1]).all() and torch.isnan(seen.u[1]).all()


def test_under_the_ground_the_standard_lapse_rate_goes_on():
    air = standard_column(torch.linspace(3000.0, 9000.0, 9, dtype=torch.float64))
    seen = on_levels(air, [85000.0, 100000.0])
    for k, p in enumerate((85000.0, 100000.0)):
        assert float(seen.z[k]) == pytest.approx(height_of(p), abs=1e-6)
        assert float(seen.t[k]) == pytest.approx(288.15 - LAPSE * height_of(p), abs=1e-9)
        assert float(seen.u[k]) == float(air.u[0])


def test_the_order_of_levels_and_other_columns_do_not_matter():
    z = torch.linspace(40.0, 9000.0, 12, dtype=torch.float64)
    warm, cold = standard_column(z, 300.0), standard_column(z + 700.0, 270.0)
    both = Columns(*(torch.cat(pair, dim=2) for pair in zip(warm, cold, strict=True)))
    levels = [50000.0, 85000.0, 70000.0]
    together = on_levels(both, levels)
    for n, alone in enumerate((warm, cold)):
        backwards = on_levels(alone, levels[::-1])
        for a, b in zip(together, backwards, strict=True):
            torch.testing.assert_close(a[:, :, n], b.flip(0)[:, :, 0], rtol=0.0, atol=0.0)


def test_the_jet_blows_at_its_height_and_heights_are_balanced():
    air = NonhydrostaticAtmosphere(NonhydrostaticAtmosphere.Options(radiation="gray", precision="double"))
    air.initialize(context())
    out = air.diagnostics()
    up = [out[f"eastward_wind_at_{p}hPa"].max() for p in (850, 500, 300)]
    assert up[0] < up[1] < up[2]
    thickness = out["geopotential_height_at_500hPa"] - out["geopotential_height_at_850hPa"]
    middle = 0.5 * (out["air_temperature_at_500hPa"] + out["air_temperature_at_850hPa"])
    np.testing.assert_allclose(thickness, R_DRY * middle / GRAVITY * np.log(850 / 500), rtol=0.03)


def test_the_history_has_the_pressure_as_a_coordinate(tmp_path, capsys):
    fields = ["geopotential_height_at_500hPa", "eastward_wind_at_850hPa", "largest_upward_air_velocity"]
    atmosphere = {
        "model": "nonhydrostatic", "step": "PT400S", "grid": box(100, 124, 20, 40, 2.0),
        "nonhydrostatic": {"levels": 10, "relief": "", "boundary_layer": "none", "convection": "none",
                           "radiation": "gray", "microphysics": "none"},
        "output": [{"name": "now", "fields": fields, "period": "PT20M", "statistic": "instant"},
                   {"name": "mean", "fields": fields[:2], "period": "PT20M", "statistic": "mean"}],
    }  # fmt: skip
    folder = toy_case(
        tmp_path / "c", components={"atmosphere": atmosphere}, coupling=[], layout={"coupler": 1, "atmosphere": 1},
        duration="PT20M",
    )  # fmt: skip
    assert main([str(folder), "--serial"]) == 0
    history = folder / "run" / "history"
    with netCDF4.Dataset(history / "atmosphere.now.nc") as now, netCDF4.Dataset(history / "atmosphere.mean.nc") as mean:
        height = now["geopotential_height_at_500hPa"]
        assert height.standard_name == "geopotential_height" and height.units == "m"
        assert "air_pressure_500hPa" in height.coordinates.split()
        level = now["air_pressure_500hPa"]
        assert float(level[...]) == 500.0 and level.units == "hPa" and level.positive == "down"
        assert 4500.0 < float(height[0].min()) < float(height[0].max()) < 6100.0
        assert np.abs(mean["geopotential_height_at_500hPa"][0] - height[0]).max() < 50.0
