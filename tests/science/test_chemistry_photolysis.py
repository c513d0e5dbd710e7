# SPDX-License-Identifier: BSD-3-Clause
"""Photolysis rates of the table beside TUV-x, and what clouds make of them."""

import csv

import numpy as np
import pytest
import torch

from components.chemistry.regional import photolysis
from components.chemistry.regional.gases.mechanism_file import read_mechanism
from components.chemistry.regional.mechanisms import MECHANISMS


def rates_at(names, angle, height, ozone=300.0, albedo=0.1):
    """Rates (reaction, 1) of one column."""
    one = lambda a: torch.tensor([float(a)], dtype=torch.float64)  # noqa: E731
    return photolysis.clear_sky(tuple(names), one(angle), one(ozone), one(height)[None], one(albedo))[:, 0, 0]


@pytest.fixture(scope="module")
def rows(shared):
    with open(shared / "data" / "chemistry" / "tuvx_photolysis.csv") as f:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(f)]


def test_rates_are_those_of_tuvx(rows):
    axes = ("solar_zenith_angle_deg", "ozone_column_DU", "height_km")
    names = [n for n in rows[0] if n not in axes]
    assert len(rows) == 30 and len(names) == 20
    for row in rows:
        angle, ozone, height = (row[a] for a in axes)
        found = rates_at(names, angle, 1000.0 * height, ozone)
        expected = torch.tensor([row[n] for n in names], dtype=torch.float64)
        worst = float((found / expected - 1.0).abs().max())
        assert worst < (0.05 if angle <= 75 else 0.15), (angle, height, worst)


@pytest.mark.parametrize(("angle", "no2", "o1d"), [(30, 9.880e-3, 3.441e-5), (60, 5.929e-3, 8.544e-6)])
def test_rates_at_the_ground(angle, no2, o1d):
    assert rates_at(["NO2+hv->NO+O(3P)", "O3+hv->O2+O(1D)"], angle, 0.0).tolist() == pytest.approx([no2, o1d], rel=0.01)


@pytest.mark.parametrize(
    ("angle", "ozone", "height", "albedo"),
    [(15.0, 225.0, 500.0, 0.05), (42.0, 325.0, 3400.0, 0.27), (66.0, 500.0, 7000.0, 0.7), (72.5, 280.0, 11000.0, 0.45)],
)
def test_between_its_nodes_the_table_stays_with_tuvx(angle, ozone, height, albedo):
    v54 = pytest.importorskip("musica.tuvx.v54", reason="musica is not installed")
    tuvx = v54.get_tuvx_calculator()
    profiles = tuvx.get_profile_map()
    o3, ground = profiles["O3", "molecule cm-3"], profiles["surface albedo", "none"]
    factor = ozone * 2.6867e16 / o3.layer_densities.sum()
    for a in (o3.midpoint_values, o3.edge_values, o3.layer_densities):
        a[:] *= factor
    ground.midpoint_values[:] = ground.edge_values[:] = albedo
    found = tuvx.run(sza=np.deg2rad(angle), earth_sun_distance=1.0)["photolysis_rate_constants"]
    names = [n for n in photolysis.table().reactions if n not in ("O2+hv->O+O",)]
    at = found.sel(reaction=names).interp(vertical_edge=height / 1000.0).values
    ours = rates_at(names, angle, height, ozone, albedo).numpy()
    assert np.abs(ours / at - 1.0).max() < 0.03


def test_every_photolysis_of_the_mechanism_has_a_rate():
    mechanism = read_mechanism(MECHANISMS / "carbon_bond_5.json")
    names = tuple(n for n in mechanism.given_rates if n.startswith("PHOTO."))
    assert photolysis.without_rate(names) == [] and photolysis.without_rate(("PHOTO.XY",)) == ["PHOTO.XY"]
    one = torch.ones(2, dtype=torch.float64)
    height = torch.tensor([[0.0, 0.0], [5000.0, 5000.0]], dtype=torch.float64)
    by_day = photolysis.rates(names, 40.0 * one, 300.0 * one, height, 0.1 * one)
    night = photolysis.rates(names, 90.0 * one, 300.0 * one, height, 0.1 * one)
    assert set(by_day) == set(names)
    assert all(bool((a > 0.0).all()) for a in by_day.values()) and not any(bool(a.any()) for a in night.values())


def test_a_block_of_columns_has_the_bits_of_the_whole():
    g = torch.Generator().manual_seed(5)
    drawn = lambda *s: torch.rand(*s, generator=g, dtype=torch.float64)  # noqa: E731
    angle, ozone, albedo, height = 100.0 * drawn(6, 7), 200.0 + 250 * drawn(6, 7), drawn(6, 7), 2.0e4 * drawn(5, 6, 7)
    names = ("NO2+hv->NO+O(3P)", "O3+hv->O2+O(1D)")
    whole = photolysis.clear_sky(names, angle, ozone, height, albedo)
    part = (slice(1, 4), slice(2, 5))
    block = photolysis.clear_sky(names, angle[part], ozone[part], height[:, *part].contiguous(), albedo[part])
    assert torch.equal(block, whole[:, :, *part])
    cover = drawn(6, 7)
    depth = 10.0 * drawn(5, 6, 7)
    factor = photolysis.cloud_factor(depth, cover, torch.cos(torch.deg2rad(angle)))
    assert torch.equal(
        photolysis.cloud_factor(depth[:, *part].contiguous(), cover[part], torch.cos(torch.deg2rad(angle[part]))),
        factor[:, *part],
    )


def test_clouds_darken_below_and_brighten_above():
    one = torch.ones(1, dtype=torch.float64)
    depth = torch.zeros(5, 1, dtype=torch.float64)
    assert torch.equal(photolysis.cloud_factor(depth, one, 0.8 * one), torch.ones_like(depth))
    depth[2] = 20.0
    f = photolysis.cloud_factor(depth, one, 0.8 * one)[:, 0]
    t = (5.0 - np.exp(-20.0)) / (4.0 + 3.0 * 20.0 * 0.14)
    assert f[0] == f[1] == pytest.approx(1.6 * t * 0.8) and f[4] == f[3] == pytest.approx(1.0 + (1.0 - t) * 0.8)
    assert f[1] < f[2] < f[3]
