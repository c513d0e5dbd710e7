# SPDX-License-Identifier: BSD-3-Clause
"""RTE+RRTMGP's own all-sky example: 24 columns of three kinds, without and with aerosol (rrtmgp-data, eff0433).

Reference: fluxes of RTE+RRTMGP with its own tables of twice the g-points, in double precision.
"""

import netCDF4
import numpy as np
import pytest
import torch

from components.radiation import standard_atmosphere
from components.radiation.aerosol_optics import merra_optics
from components.radiation.full_columns import FullColumns
from components.radiation.particles import uniform
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.science.constants import SOLAR_CONSTANT
from components.science.gases import Gases

GASES = Gases(
    carbon_dioxide=348e-6, methane=1650e-9, nitrous_oxide=306e-9, nitrogen=0.7808, oxygen=0.2095, carbon_monoxide=0.0,
    cfc11=0.0, cfc12=0.0, cfc22=0.0, carbon_tetrachloride=0.0,
)  # fmt: skip
MU, ALBEDO, EMISSIVITY, SUN = 0.86, 0.06, 0.98, 1360.857
WATER = 18.016 / 28.964
NAMES = {"sw_up": "sw_flux_up", "sw_down": "sw_flux_dn", "lw_up": "lw_flux_up", "lw_down": "lw_flux_dn"}
DUST, SULFATE = 1, 3


def read(path):
    with netCDF4.Dataset(path) as f:
        f.set_auto_mask(False)
        return {name: np.asarray(v[...]) for name, v in f.variables.items()}


def fluxes(v, haze):
    """Ours, of the columns of a file of the example."""
    none = np.zeros_like(v["p_lay"])
    plane = np.ones(v["p_lay"].shape[1])
    q_v = v["h2o"] * WATER
    cloudy = (v["lwp"] + v["iwp"] > 0.0).astype(float)
    columns = FullColumns(*(torch.as_tensor(np.ascontiguousarray(a)) for a in (
        v["p_lay"], v["p_lev"], v["t_lay"], v["t_lev"], q_v, v["o3"], 1e-3 * v["lwp"], 1e-3 * v["iwp"], cloudy,
        v["t_lev"][0], ALBEDO * plane, EMISSIVITY * plane, MU * plane,
    )))  # fmt: skip
    given = FullColumns._make(a.numpy() for a in columns)
    particles = uniform(given)._replace(droplet_radius=none + 12.0, ice_diameter=none + 95.0)
    aerosol = None
    if haze:
        p, t, q = v["p_lay"], v["t_lay"], np.maximum(q_v / (1.0 + q_v), 1e-7)
        humidity = 0.00263 * p * q / np.exp(17.67 * (t - 273.16) / (t - 29.65))
        of = lambda kind: np.where(v["aero_type"] == kind, v["aero_mass"], 0.0)  # noqa: E731
        assert set(v["aero_size"][v["aero_type"] == DUST]) == {0.5}
        aerosol = merra_optics({"dust_1": of(DUST), "sulfate": of(SULFATE)}, humidity)
    got = Rrtmgp(GASES).of_full(columns, SUN / SOLAR_CONSTANT, particles, aerosol)
    return got


@pytest.fixture(scope="module")
def example(shared):
    """Reference and ours by name of the flux, without and with aerosol."""
    out = {}
    for haze in (False, True):
        ending = "" if haze else "-no-aerosols"
        v = {}
        for half in ("lw", "sw"):
            v |= read(shared / f"data/radiation/allsky/rrtmgp-allsky-{half}{ending}.nc")
        out[haze] = {name: v[key] for name, key in NAMES.items()}, fluxes(v, haze)
        out["cloudy"] = (v["lwp"] + v["iwp"]).sum(0) > 0.0
    return out


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("haze", [False, True], ids=["clean", "aerosol"])
def test_fluxes_at_the_top_and_the_ground_are_those_of_the_example(example, name, haze):
    """RMS over the columns within .3 W m-2; the tables before these reflected 34 too much over the cloudy ones.

    What is left is what half the g-points cost: at most .36, in sunlight at the ground.
    """
    expected, got = example[haze]
    for level in (0, -1):
        difference = (got[name] - expected[name])[level]
        rms = np.sqrt((difference * difference).mean())
        print(f"{name}, level {level}: RMS {rms:.3f}, at most {np.abs(difference).max():.3f} W m-2")
        assert rms < 0.3
        assert np.abs(difference).max() < 0.4


def test_what_aerosol_changes_is_what_it_changes_in_the_example(example):
    """With less without aerosol, downward net at the top and at the ground, clear and cloudy columns: 1 % or .03."""
    net = lambda f, half: f[f"{half}_down"] - f[f"{half}_up"]  # noqa: E731
    for half in ("sw", "lw"):
        effect = [net(example[True][n], half) - net(example[False][n], half) for n in (0, 1)]
        touched = np.abs(effect[0]).max(axis=0) > 0.0
        for cloudy in (False, True):
            which = touched & (example["cloudy"] == cloudy)
            for level in (-1, 0):
                theirs, mine = (e[level, which] for e in effect)
                print(f"{half}, cloudy {cloudy}, level {level}: {mine.mean():.3f} for {theirs.mean():.3f} W m-2")
                np.testing.assert_array_less(np.abs(mine - theirs), np.maximum(0.01 * np.abs(theirs), 0.03))


def test_aerosol_of_the_model_s_layers_is_seen_and_none_of_it_changes_nothing():
    """Half an optical depth of black carbon in the lowest layers warms them and shades the ground."""
    air = standard_atmosphere.columns(24, torch.full((2, 3), 0.6, dtype=torch.float64), 1.0)
    scheme, none = Rrtmgp(), np.zeros((24, 6))
    clean = scheme(air, merra_optics({"elemental_carbon": none}, none))
    for a, b in zip(clean[1:], scheme(air)[1:], strict=True):  # fluxes, in single precision
        torch.testing.assert_close(a, b, rtol=2e-6, atol=1e-4)
    soot = none.copy()
    soot[:4, 2] = 1.0e-5  # kg m-2 a layer, in one column
    hazy = scheme(air, merra_optics({"elemental_carbon": soot}, none))
    change = (hazy.shortwave_down - clean.shortwave_down).reshape(-1)
    assert float(change[2]) < -50.0 and float(change.abs().sum()) == float(change[2].abs())
    assert float((hazy.heating - clean.heating)[1, 0, 2]) * 86400.0 > 1.0


def test_a_species_without_optics_is_named():
    with pytest.raises(KeyError, match="no aerosol optics of pollen; known: sulfate, elemental_carbon"):
        merra_optics({"pollen": np.zeros((2, 1))}, np.zeros((2, 1)))
