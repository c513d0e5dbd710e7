# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP's k-distribution in this project's kernels: beside RTE+RRTMGP, RRTMG, and what must hold in closed form."""

import netCDF4
import numpy as np
import pytest
import torch

from components.radiation import standard_atmosphere
from components.radiation.full_columns import FullColumns, full_columns
from components.radiation.kernels.gas_optics import absorbed
from components.radiation.kernels.shortwave import add_layer, two_stream
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.science.constants import CP_DRY, GRAVITY, SOLAR_CONSTANT, STEFAN_BOLTZMANN
from components.science.gases import Gases

SHORT = {"lw_down": "rld", "lw_up": "rlu", "sw_down": "rsd", "sw_up": "rsu"}
WATER = 18.016 / 28.964


@pytest.fixture(scope="module")
def scheme():
    return Rrtmgp()


def cloudy(mu=None):
    """Standard columns under several suns: clear, with droplets, with ice, with both."""
    mu = torch.linspace(0.05, 1.0, 24, dtype=torch.float64)[None] if mu is None else mu
    air = standard_atmosphere.columns(24, mu, 1.0)
    cloud, ice = air.cloud.clone(), air.ice.clone()
    cloud[5:8, :, 1::4], cloud[5:8, :, 3::4] = 2e-4, 2e-5
    ice[14:17, :, 2::4], ice[7:9, :, 3::4] = 5e-5, 2e-5
    return full_columns(air._replace(cloud=cloud, ice=ice))


@pytest.mark.parametrize("perturbed", [0, 2], ids=["present_day", "four_times_co2"])
def test_clear_sky_fluxes_of_the_rfmip_sites(shared, perturbed):
    """RMS over 100 sites beside RTE+RRTMGP with twice the g-points (Pincus et al. 2016), W m-2."""
    folder = shared / "data/radiation/rfmip"
    with netCDF4.Dataset(folder / "multiple_input4MIPs_radiation_RFMIP_UColorado-RFMIP-1-2_none.nc") as f:
        f.set_auto_mask(False)
        get = lambda name: f[name][:]  # noqa: E731
        of = lambda name: np.asarray(f[name][perturbed]).astype(float)  # noqa: E731
        one = lambda name: float(f[f"{name}_GM"][perturbed]) * float(f[f"{name}_GM"].units)  # noqa: E731
        up = lambda a: np.ascontiguousarray(a[:, ::-1].T)  # noqa: E731  (site, level) top first -> (level, site)
        names = ("carbon_dioxide", "methane", "nitrous_oxide", "oxygen", "cfc11", "cfc12", "carbon_tetrachloride")
        more = ("nitrogen", "carbon_monoxide")
        gases = Gases(**{name: one(name) for name in names + more}, cfc22=one("hcfc22"))
        assert (gases.carbon_dioxide > 1e-3) == (perturbed == 2)
        zenith = np.deg2rad(get("solar_zenith_angle"))
        none = np.zeros((60, 100))
        parts = (
            up(get("pres_layer")), up(get("pres_level")), up(of("temp_layer")), up(of("temp_level")),
            up(of("water_vapor")) * WATER, up(of("ozone")), none, none, none, of("surface_temperature"),
            get("surface_albedo"), get("surface_emissivity"), np.where(zenith < np.deg2rad(89.9), np.cos(zenith), 0.0),
        )  # fmt: skip
        sun = get("total_solar_irradiance") / SOLAR_CONSTANT
    got = Rrtmgp(gases).of_full(FullColumns(*(torch.as_tensor(np.ascontiguousarray(a)) for a in parts)))
    for name, level, limit in (("lw_down", 0, 0.3), ("lw_up", -1, 0.3), ("sw_down", 0, 0.6), ("sw_up", -1, 0.25)):
        with netCDF4.Dataset(folder / f"{SHORT[name]}_Efx_RTE-RRTMGP-181204_rad-irf_r1i1p1f1_gn.nc") as f:
            expected = np.asarray(f[SHORT[name]][perturbed])[:, ::-1].T
        difference = (got[name] * (sun if name.startswith("sw") else 1.0) - expected)[level]
        rms = np.sqrt((difference**2).mean())
        print(f"{name}: mean {difference.mean():.3f} rms {rms:.3f} W m-2 of {expected[level].mean():.1f}")
        assert rms < limit


def test_air_and_ground_of_one_temperature_send_planck_s_flux_everywhere(scheme):
    """The bands hold a black body's emission; how g-points share it varies with height, to three thousandths."""
    c = cloudy()
    same = torch.full_like(c.t, 280.0)
    c = c._replace(t=same, t_interface=torch.full_like(c.t_interface, 280.0), t_surface=torch.full_like(c.mu, 280.0))
    up = scheme.of_full(c)["lw_up"]
    np.testing.assert_allclose(up[0], STEFAN_BOLTZMANN * 280.0**4, rtol=2e-4)
    np.testing.assert_allclose(up, STEFAN_BOLTZMANN * 280.0**4, rtol=3e-3)


def test_clear_and_droplet_clouds_agree_with_rrtmg(scheme):
    """RRTMG and RRTMGP differ by a few W m-2; ice by more, for its crystals are others (Ebert & Curry; Yang et al.)."""
    pytest.importorskip("climt", reason="climt (RRTMG) is not installed")
    from components.radiation.rrtmg_scheme import Rrtmg

    c = cloudy()
    mine, other = scheme.of_full(c), Rrtmg().of_full(c)
    for first, limit in ((0, 4.0), (1, 20.0)):
        for name in SHORT:
            rms = np.sqrt(((mine[name] - other[name])[[0, -1], first::4] ** 2).mean())
            assert rms < limit, (name, first, rms)


def test_four_times_co2_forces_as_in_rrtmg(scheme):
    """Outgoing longwave at .1 hPa and net longwave at the lid of clear standard columns, within 10 %."""
    pytest.importorskip("climt", reason="climt (RRTMG) is not installed")
    from components.radiation.rrtmg_scheme import Rrtmg

    c = full_columns(standard_atmosphere.columns(24, torch.zeros((1, 1), dtype=torch.float64), 1.0))
    more = Gases(carbon_dioxide=4.0 * Gases().carbon_dioxide)
    forcing = {}
    for scheme_of in (Rrtmg, Rrtmgp):
        now, then = scheme_of().of_full(c), scheme_of(more).of_full(c)
        net = (now["lw_up"] - now["lw_down"]) - (then["lw_up"] - then["lw_down"])
        forcing[scheme_of] = net[[20, -1], 0]
    assert (forcing[Rrtmg] > 2.0).all()
    np.testing.assert_allclose(forcing[Rrtmgp], forcing[Rrtmg], rtol=0.10)


def test_single_precision_is_that_of_double(scheme):
    c = cloudy()
    single, double = scheme.of_full(c), Rrtmgp(real=np.float64).of_full(c)
    for name in SHORT:
        assert np.abs(single[name] - double[name]).max() < 0.02
    net = lambda f: f["lw_up"] - f["lw_down"] + f["sw_up"] - f["sw_down"]  # noqa: E731
    mass = ((c.p_interface[:-1] - c.p_interface[1:]) / GRAVITY).numpy()
    heating = np.diff(net(single) - net(double), axis=0) / mass / CP_DRY * 86400.0
    assert np.abs(heating[:24]).max() < 0.01  # K/day


def test_a_column_does_not_depend_on_its_neighbours(scheme):
    c = cloudy()
    pick = torch.tensor([7, 3, 20])
    whole, some = scheme.of_full(c), scheme.of_full(FullColumns(*(a[..., pick] for a in c)))
    for name in SHORT:
        np.testing.assert_array_equal(whole[name][:, pick], some[name])


def test_a_column_that_is_no_air_gives_no_number_and_harms_no_other(scheme):
    """After a blow-up the model shall say where it blew up; it must get as far as that."""
    c, good = cloudy(), [n for n in range(24) if n not in (2, 5, 7, 11)]
    expected = scheme.of_full(c)
    for part, column, value in (("t", 2, np.nan), ("t", 5, 1e20), ("q_v", 7, np.inf), ("p_interface", 11, 3e5)):
        getattr(c, part)[3, column] = value
    c.q_v[2, 9] = -1e-6  # a little less than nothing is nothing
    got = scheme.of_full(c)
    for name in SHORT:
        assert np.isnan(got[name][:, [2, 5, 7, 11]]).all()
        assert np.isfinite(got[name][:, good]).all()
        same = [n for n in good if n != 9]
        np.testing.assert_array_equal(got[name][:, same], expected[name][:, same])
    assert all(np.isnan(f).all() for f in scheme.of_full(c._replace(t=c.t * np.nan)).values())


def test_columns_at_night_have_no_sunlight(scheme):
    f = scheme.of_full(cloudy(torch.tensor([[0.0, 0.5, 5e-5]], dtype=torch.float64)))
    assert not f["sw_down"][:, [0, 2]].any() and not f["sw_up"][:, [0, 2]].any()
    np.testing.assert_allclose(f["sw_down"][-1, 1], 0.5 * SOLAR_CONSTANT, rtol=1e-5)


@pytest.mark.parametrize("mu", [0.05, 0.5773, 1.0])
def test_a_layer_that_only_scatters_keeps_all_light(mu):
    tau = np.repeat(np.float32(10.0) ** np.linspace(-6, 3, 40, dtype=np.float32), 3)
    g = np.tile(np.float32([0.0, 0.5, 0.86]), 40)
    out = np.zeros((5, tau.size), np.float32)
    two_stream(tau, np.ones_like(tau), g, np.float32(mu), tau.size, out)
    np.testing.assert_allclose(out[0] + out[1], 1.0, atol=3e-5)
    np.testing.assert_allclose(out[2] + out[3] + out[4], 1.0, atol=3e-5)
    assert (out >= 0.0).all()


@pytest.mark.parametrize("w", [0.1, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("mu", [0.1, 0.6, 0.95])
def test_two_half_layers_make_the_whole(w, mu):
    """Adding is exact for the two-stream equations, so the halves' albedo and transmission must be the whole's."""
    tau = 10.0 ** np.linspace(-3, 2, 64)
    one = lambda v: np.full_like(tau, v)  # noqa: E731
    whole, half = np.zeros((5, 64)), np.zeros((5, 64))
    two_stream(tau, one(w), one(0.46), mu, 64, whole)
    two_stream(tau / 2, one(w), one(0.46), mu, 64, half)
    albedo, source, bounced = np.zeros((3, 64)), np.zeros((3, 64)), np.zeros(64)
    beam = [half[4], one(1.0)]  # on top of the lower and of the upper half
    for z in range(2):
        add_layer(half, beam[z], albedo[z], source[z], albedo[z + 1], source[z + 1], bounced, 64)
    away = np.abs(1.0 - mu * np.sqrt(3 * (1 - w) * (1 - 0.46 * w))) > 0.05  # the solution is 0/0 where k mu = 1
    np.testing.assert_allclose(albedo[2], whole[0], rtol=1e-4, atol=1e-7)
    if away.all():
        np.testing.assert_allclose(source[2], whole[2], rtol=2e-3, atol=1e-5)


def test_absorption_is_exact_from_thin_to_thick():
    x = np.float32(10.0) ** np.linspace(-8, 2, 400, dtype=np.float32)
    got = np.array([absorbed(v) for v in x])
    np.testing.assert_allclose(got, -np.expm1(-x.astype(np.float64)), rtol=1.5e-6)
    assert absorbed(np.float32(0.0)) == 0.0
