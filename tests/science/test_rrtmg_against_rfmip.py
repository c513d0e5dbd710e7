# SPDX-License-Identifier: BSD-3-Clause
"""RRTMG as the model calls it, beside RTE+RRTMGP on the 100 present-day sites of RFMIP-IRF (Pincus et al. 2016)."""

import netCDF4
import numpy as np
import pytest
import torch

climt = pytest.importorskip("climt", reason="climt (RRTMG) is not installed")

from components.radiation import rrtmg_scheme  # noqa: E402
from components.radiation.gray_scheme import gray  # noqa: E402
from components.radiation.rrtmgp_scheme import Rrtmgp  # noqa: E402
from components.radiation.scheme import Air  # noqa: E402
from components.science.constants import CP_DRY, GRAVITY, SOLAR_CONSTANT  # noqa: E402
from components.science.gases import Gases  # noqa: E402


def test_clear_sky_fluxes_of_the_rfmip_sites(shared):
    folder = shared / "data/radiation/rfmip"
    with netCDF4.Dataset(folder / "multiple_input4MIPs_radiation_RFMIP_UColorado-RFMIP-1-2_none.nc") as f:
        get = lambda name: np.asarray(f[name][:])  # noqa: E731
        one = lambda name: np.asarray(f[name][0]) * float(f[name].units)  # noqa: E731
        up = lambda a: np.ascontiguousarray(a[:, ::-1].T)  # noqa: E731  (site, level) top first -> (level, site) ground first
        water = up(get("water_vapor")[0]) * 18.016 / 28.964
        gases = Gases(
            **{
                name: float(one(f"{name}_GM"))
                for name in (
                    "carbon_dioxide",
                    "methane",
                    "nitrous_oxide",
                    "oxygen",
                    "cfc11",
                    "cfc12",
                    "carbon_tetrachloride",
                )
            },
            cfc22=float(one("hcfc22_GM")),
        )
        zenith, albedo = np.deg2rad(get("solar_zenith_angle")), get("surface_albedo")
        mu = np.where(zenith < np.deg2rad(89.9), np.cos(zenith), 0.0)
        scheme = rrtmg_scheme.Rrtmg(gases)
        tsi = get("total_solar_irradiance")
        got = scheme.fluxes(
            up(get("pres_layer")), np.maximum(up(get("pres_level")), 1.0),
            up(get("temp_layer")[0]), up(get("temp_level")[0]),
            water, up(get("ozone")[0]), get("surface_temperature")[0], albedo, mu,
            emissivity=get("surface_emissivity")[None],
        )  # fmt: skip
    scale = tsi / SOLAR_CONSTANT
    references = {}
    for short, name in (("rld", "lw_down"), ("rlu", "lw_up"), ("rsd", "sw_down"), ("rsu", "sw_up")):
        with netCDF4.Dataset(folder / f"{short}_Efx_RTE-RRTMGP-181204_rad-irf_r1i1p1f1_gn.nc") as f:
            references[name] = np.ascontiguousarray(np.asarray(f[short][0])[:, ::-1].T)
    for name, level, bias, spread in (
        ("lw_down", 0, 3.0, 4.0), ("lw_up", -1, 3.0, 4.0), ("sw_down", 0, 6.0, 8.0), ("sw_up", -1, 6.0, 8.0),
    ):  # fmt: skip
        value = got[name][level] * (scale if name.startswith("sw") else 1.0)
        difference = value - references[name][level]
        print(f"{name}, level {level}: mean {difference.mean():.2f} rms {np.sqrt((difference**2).mean()):.2f} W m-2")
        assert abs(difference.mean()) < bias
        assert np.sqrt((difference**2).mean()) < spread


def columns(n=6):
    """Moist columns with cloud and ice at three hours of the day, up to 22 km."""
    z = torch.linspace(50.0, 21500.0, 24, dtype=torch.float64)[:, None, None]
    t = torch.clamp(295.0 - 0.0065 * z, min=210.0) + torch.zeros((24, 2, n))
    p = 1.0e5 * torch.exp(-z / 7500.0) + torch.zeros_like(t)
    p_i = 1.0e5 * torch.exp(
        -torch.linspace(0.0, 22000.0, 25, dtype=torch.float64)[:, None, None] / 7500.0
    ) + torch.zeros((25, 2, n))
    q = 0.015 * torch.exp(-z / 2000.0) + torch.zeros_like(t)
    cloud = torch.zeros_like(t)
    cloud[4, :, 2:4] = 3e-4
    ice = torch.zeros_like(t)
    ice[12, :, 4:] = 5e-5
    mu = torch.linspace(0.0, 0.9, n, dtype=torch.float64).expand(2, n).contiguous()
    plane = torch.ones((2, n), dtype=torch.float64)
    return Air(t, q, cloud, ice, p, p_i, 298.0 * plane, 0.15 * plane, mu)


@pytest.mark.parametrize("pressure", ["same", "nan"])
def test_a_layer_without_thickness_is_refused_and_named(pressure):
    """The library ends the process with it."""
    air = columns()
    p_i = air.p_interface.clone()
    p_i[4, 0, 2] = p_i[3, 0, 2] if pressure == "same" else float("nan")
    with pytest.raises(ValueError, match="layer 4 of column 3 has no thickness: expected pressure that falls"):
        rrtmg_scheme.Rrtmg()(air._replace(p_interface=p_i))


@pytest.mark.parametrize("name", ["gray", "rrtmg", "rrtmgp"])
def test_heating_is_the_divergence_of_the_net_flux(name):
    air = columns()
    t, p_i = air.t, air.p_interface
    if name == "gray":
        r = gray(air)
        # everything between the top of the model and the ground
        top = (
            r.insolation
            - r.reflected_shortwave
            - r.outgoing_longwave
            + 0.8678 * p_i[-1] / 1e5 * 5.670374e-8 * t[-1] ** 4
        )
        net = top - (r.shortwave_down - r.shortwave_up + r.longwave_down - r.longwave_up)
    else:
        scheme = Rrtmgp() if name == "rrtmgp" else rrtmg_scheme.Rrtmg()
        r = scheme(air)
        recorded = {}
        original = scheme.of_full
        scheme.of_full = lambda *a, **k: recorded.setdefault("f", original(*a, **k))
        scheme(air)
        f = recorded["f"]
        down = f["lw_down"] - f["lw_up"] + f["sw_down"] - f["sw_up"]
        net = torch.as_tensor(down[24] - down[0]).reshape(2, -1)
    heated = (r.heating * CP_DRY * (p_i[:-1] - p_i[1:]) / GRAVITY).sum(0)
    assert float(((heated - net) / net.abs().clamp(min=1.0)).abs().max()) < 1e-6
    assert float(r.shortwave_down[0, 0]) == 0.0
    assert float(r.outgoing_longwave[0, 4]) < float(r.outgoing_longwave[0, 1]) - 10.0, "ice cloud traps longwave"
    assert float(r.shortwave_down[0, 3]) < 0.8 * float(r.insolation[0, 3]), "water cloud shades"
    assert 150.0 < float(r.outgoing_longwave[0, 0]) < 330.0
    assert 200.0 < float(r.longwave_down[0, 0]) < 450.0


def test_liquid_above_ice_does_not_make_the_ice_transparent():
    air = columns()
    air.ice[10:14] = 2e-4
    air.cloud[:] = 0.0
    air.cloud[14] = 3e-6  # a little liquid in the topmost layer of an ice cloud
    scheme = rrtmg_scheme.Rrtmg()
    with_liquid, ice_only = scheme(air), scheme(air._replace(cloud=torch.zeros_like(air.cloud)))
    assert float((with_liquid.outgoing_longwave - ice_only.outgoing_longwave).abs().max()) < 5.0
