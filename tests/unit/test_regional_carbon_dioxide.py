# SPDX-License-Identifier: BSD-3-Clause
"""The network in a limited area: samples out of an atmosphere's output, days never seen, and what is refused."""

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates.co2_reconstruction import reconstruction, regional
from components.ml_surrogates.co2_reconstruction.__main__ import main
from components.ml_surrogates.co2_reconstruction.settings import Settings
from components.science.constants import EARTH_RADIUS
from coupler.errors import CaseError

NY, NX, TIMES, STEP = 14, 18, 60, 2.0  # cells, times six hours apart, degrees
U, V = 12.0, 4.0  # m s-1


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """As an atmosphere writes it: gases that a steady wind carries over cells of two degrees about the equator."""
    path = tmp_path_factory.mktemp("area") / "atmosphere.nc"
    lat, lon = np.meshgrid(STEP * (np.arange(NY) - NY / 2 + 0.5), 100.0 + STEP * np.arange(NX), indexing="ij")
    corner = 0.5 * STEP * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    degrees = np.rad2deg(6 * 3600.0 / EARTH_RADIUS)  # that a wind of 1 m/s goes from one time to the next
    random = np.random.default_rng(3)
    with netCDF4.Dataset(path, "w") as f:
        for name, size in (("time", TIMES), ("y", NY), ("x", NX), ("corner4", 4)):
            f.createDimension(name, size)
        for name, a, shift in (("lat", lat, corner[:, 0]), ("lon", lon, corner[:, 1])):
            f.createVariable(name, "f8", ("y", "x"))[:] = a
            f.createVariable(f"{name}_bounds", "f8", ("y", "x", "corner4"))[:] = a[..., None] + shift
        t = np.arange(TIMES)[:, None, None]
        fields = {"eastward_wind": U + 0.0 * (lat + t), "northward_wind": V + 0.0 * (lat + t)}
        for k in range(4):
            waves = 2.0 * np.pi * random.standard_normal((40, 2)) / 25.0
            phase = 2.0 * np.pi * random.random(40)
            at = (lon - U * degrees * t)[..., None] * waves[:, 0] + (lat - V * degrees * t)[..., None] * waves[:, 1]
            fields[f"gas{k}"] = 1e-6 * (3.0 + np.sin(at + phase).sum(-1))
        f.createDimension("level2", 2)
        for name, a in fields.items():
            if name == "gas3":  # the lowest level counts
                f.createVariable(name, "f8", ("time", "level2", "y", "x"))[:] = np.stack([a, 0.0 * a], 1)
            else:
                f.createVariable(name, "f8", ("time", "y", "x"))[:] = a
    return path


@pytest.fixture(scope="module")
def air(output):
    return regional.read(output, ["gas0", "gas1", "gas2", "gas3"])


@pytest.fixture(scope="module")
def area(air):
    return regional.Area(air, 4)


def test_cells_cover_what_they_cover_on_the_sphere(air):
    south, north, width = np.deg2rad([-NY * STEP / 2, NY * STEP / 2, NX * STEP])
    whole = EARTH_RADIUS**2 * width * (np.sin(north) - np.sin(south))
    assert float(air.domain.area.sum()) == pytest.approx(whole, rel=1e-3)


def test_gases_have_one_size_and_the_lowest_level_counts(air):
    spread = air.gases[:36].std((0, 2, 3))
    assert (
        float(spread.mean()) == pytest.approx(regional.SPREAD, rel=0.02) and float(spread.min()) > 0.7 * regional.SPREAD
    )


def test_a_sample_is_a_combination_of_the_gases_as_stations_and_winds_show_it(area):
    sample = area.draw(5, torch.Generator().manual_seed(1))
    at = sample.window.mask[:, -1] > 0.5
    assert int(at.sum()) == 5 * len(area.places) and len(area.places) == NY * NX // 28
    missed = (sample.window.observations[:, -1] - sample.truth)[at]
    assert 0.1 < float(missed.std()) < 0.3  # the stations' noise
    assert float(sample.window.u.mean()) == pytest.approx(U) and float(sample.window.v.mean()) == pytest.approx(V)
    many = area.draw(200, torch.Generator().manual_seed(2)).truth
    assert float(many.std()) == pytest.approx(regional.SPREAD, rel=0.15)


def test_no_window_for_tests_shares_a_time_with_one_before(area):
    times = {part: {e - n for e in ends for n in range(area.frames)} for part, ends in area.ends.items()}
    assert not times["test"] & (times["training"] | times["validation"]) and not times["training"] & times["validation"]
    assert min(times["test"]) > max(times["validation"]) and min(times["validation"]) > max(times["training"])


def test_the_command_trains_and_says_the_ratio(output, tmp_path, capsys):
    words = tmp_path / "training.yaml"
    words.write_text("prior: kriging\ncyclic: false\nframes: 4\nwidth: 8\nsteps: 150\nbatch: 8\nrate: 1e-2\n")
    gases = ["--gases", "gas0", "gas1", "gas2", "gas3"]
    main(["regional", "--atmosphere", str(output), *gases, "--namelist", str(words), "--out", str(tmp_path / "net")])
    said = capsys.readouterr().out
    assert float(said.split("RESULT co2.regional.vs_kriging ")[1]) < 0.9  # the wind carries what stations saw
    model = reconstruction.load(tmp_path / "net")
    assert not model.settings.cyclic and model.lengths and (tmp_path / "net.png").exists()


def test_a_limited_area_has_no_seam():
    """What stands at the western side must not reach the eastern one, as it does around the Earth."""
    reached = []
    for cyclic in (0, 1):
        torch.manual_seed(1)
        net = reconstruction.networks.UNet(2, 1, 1, 4, cyclic)
        torch.nn.init.normal_(net.head.weight)
        # the norm of a group sees all cells: without it, only what convolutions carry is left
        for block in (*net.down, *net.up):
            block.norm = torch.nn.Identity()
        x = torch.zeros(1, 1, 2, 16, 64)
        changed = x.clone()
        changed[..., 0] = 5.0
        fixed = torch.zeros(1, 1, 16, 64)
        with torch.no_grad():
            reached.append(float((net(changed, fixed) - net(x, fixed))[..., -1].abs().max()))
    assert reached[0] == 0.0 < reached[1]


def test_what_is_wrong_is_named_at_once(output, air):
    with pytest.raises(CaseError, match=r"has no dust, soot, only .*gas0"):
        regional.read(output, ["gas0", "dust", "soot"])
    with pytest.raises(CaseError, match="or a level 2 between, found others in gas3"):
        regional.read(output, ["gas0", "gas3"], level=2)
    with pytest.raises(CaseError, match=r"prior: enkf \(expected kriging\), embedding: carried .*cyclic: True"):
        regional.trained(Settings(prior="enkf", embedding="carried"), air)
    with pytest.raises(CaseError, match="60 times are too few for windows of 16 frames in validation, test"):
        regional.Area(air, 16)
