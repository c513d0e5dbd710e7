# SPDX-License-Identifier: BSD-3-Clause
"""The network in a limited area: samples out of an atmosphere's output, days never seen, and what is refused."""

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates.co2_reconstruction import reconstruction, regional, regional_area, stations
from components.ml_surrogates.co2_reconstruction.__main__ import main
from components.ml_surrogates.co2_reconstruction.carried import carried_within
from components.ml_surrogates.co2_reconstruction.regional_truth import (
    SPREAD,
    Carried,
    Names,
    of_training,
    read,
    stretches,
)
from components.ml_surrogates.co2_reconstruction.scores import rmse
from components.ml_surrogates.co2_reconstruction.settings import Settings
from components.science.constants import EARTH_RADIUS
from coupler.errors import CaseError

NY, NX, TIMES, STEP = 14, 18, 60, 2.0  # cells, times six hours apart, degrees
U, V = 12.0, 4.0  # m s-1


def written(path, gases, *, seed=3, off=0.0, ahead=0.0, places=0.0):
    """Gases that a steady wind carries over cells of two degrees about the equator, as an atmosphere writes them.

    Wind and gases may be ``off`` by some m/s and ``ahead`` by some degrees, the cells in other ``places``; gas3 is
    always of the same waves.
    """
    lat, lon = np.meshgrid(STEP * (np.arange(NY) - NY / 2 + 0.5), 100.0 + STEP * np.arange(NX), indexing="ij")
    lat = lat + places
    corner = 0.5 * STEP * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    degrees = np.rad2deg(6 * 3600.0 / EARTH_RADIUS)  # that a wind of 1 m/s goes from one time to the next
    random = np.random.default_rng(seed)
    with netCDF4.Dataset(path, "w") as f:
        for name, size in (("time", TIMES), ("y", NY), ("x", NX), ("corner4", 4)):
            f.createDimension(name, size)
        for name, a, shift in (("lat", lat, corner[:, 0]), ("lon", lon, corner[:, 1])):
            f.createVariable(name, "f8", ("y", "x"))[:] = a
            f.createVariable(f"{name}_bounds", "f8", ("y", "x", "corner4"))[:] = a[..., None] + shift
        t = np.arange(TIMES)[:, None, None]
        fields = {"eastward_wind": U + off + 0.0 * (lat + t), "northward_wind": V + 0.0 * (lat + t)}
        for k in range(gases):
            drawn = np.random.default_rng(0) if k == 3 else random
            waves = 2.0 * np.pi * drawn.standard_normal((40, 2)) / 25.0
            phase = 2.0 * np.pi * drawn.random(40)
            at = (lon - ahead - U * degrees * t)[..., None] * waves[:, 0] + (lat - V * degrees * t)[..., None] * waves[
                :, 1
            ]
            fields[f"gas{k}"] = 1e-6 * (3.0 + np.sin(at + phase).sum(-1))
        f.createDimension("level2", 2)
        for name, a in fields.items():
            if name == "gas3":  # the lowest level counts
                f.createVariable(name, "f8", ("time", "level2", "y", "x"))[:] = np.stack([a, 0.0 * a], 1)
            else:
                f.createVariable(name, "f8", ("time", "y", "x"))[:] = a
    return path


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    """The truth's atmosphere."""
    return written(tmp_path_factory.mktemp("area") / "atmosphere.nc", 4)


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The atmosphere that systems have: a wind 2 m/s too strong, the known gas a degree ahead, members of its own."""
    path = written(tmp_path_factory.mktemp("theirs") / "atmosphere.nc", 28, seed=4, off=2.0, ahead=1.0)
    return Carried(path, [f"gas{k}" for k in range(28) if k != 3])


@pytest.fixture(scope="module")
def air(output):
    return read(output, Names(["gas0", "gas1", "gas2", "gas3"]))


@pytest.fixture(scope="module")
def area(air):
    return regional.Area(air, 4)


def test_cells_cover_what_they_cover_on_the_sphere(air):
    south, north, width = np.deg2rad([-NY * STEP / 2, NY * STEP / 2, NX * STEP])
    whole = EARTH_RADIUS**2 * width * (np.sin(north) - np.sin(south))
    assert float(air.domain.area.sum()) == pytest.approx(whole, rel=1e-3)


def test_gases_have_one_size_and_the_lowest_level_counts(air):
    spread = air.gases[of_training(TIMES)].std((0, 2, 3))
    assert float(spread.mean()) == pytest.approx(SPREAD, rel=0.02) and float(spread.min()) > 0.7 * SPREAD


def test_a_sample_is_a_combination_of_the_gases_as_stations_and_winds_show_it(area):
    sample = area.draw(5, torch.Generator().manual_seed(1))
    at = sample.window.mask[:, -1] > 0.5
    assert int(at.sum()) == 5 * len(area.places) and len(area.places) == NY * NX // 28
    missed = (sample.window.observations[:, -1] - sample.truth)[at]
    assert 0.1 < float(missed.std()) < 0.3  # the stations' noise
    wrong = torch.stack([area.u - U, area.v - V])  # of the winds that systems see
    assert float(torch.sqrt((wrong**2).sum(0).mean())) == pytest.approx(regional_area.WIND_ERROR, rel=0.15)
    assert float((wrong[:, 4:] * wrong[:, :-4]).mean() / (wrong**2).mean()) == pytest.approx(np.exp(-1.0), abs=0.12)
    many = area.draw(200, torch.Generator().manual_seed(2)).truth
    assert float(many.std()) == pytest.approx(SPREAD, rel=0.15)


def test_frames_are_carried_to_where_their_air_has_gone(air):
    """Gases that keep their values along the wind look in all carried frames as in the last."""
    fields = air.gases[20:24, :, :, :].transpose(0, 1).unsqueeze(2)  # (gases, frames, 1, ny, nx)
    wind = (a[20:24].expand(fields.shape[0], -1, -1, -1) for a in (air.u, air.v))
    lon, lat = (a.reshape(NY, NX) for a in (air.domain.longitude, air.domain.latitude))
    moved = carried_within(fields, *wind, lon, lat, 6 * 3600.0)[..., 4:-1, 8:-1]  # whose air was inside
    before, after = (float((a[:, 0] - moved[:, -1]).std()) for a in (fields[..., 4:-1, 8:-1], moved))
    assert after < 0.15 * before


def test_tests_see_gases_and_sources_that_training_has_not(output):
    air = read(output, Names(["gas0", "gas1"], ["gas2"], "gas3"))
    area = regional.Area(air, 4)
    truth, reports = area.last("test")
    count = len(area.ends["test"])
    at = torch.tensor(area.ends["test"])
    signs = ((truth[::count] - air.known[at[0]]) / air.unseen[at[0], 0]).mean((1, 2)).round()
    assert set(signs.tolist()) <= {-1.0, 1.0}  # one gas has a weight of plus or minus one; the known gas stands in all
    right = air.known[at] + signs.repeat_interleave(count).reshape(-1, count, 1, 1) * air.unseen[at, 0]
    torch.testing.assert_close(truth, right.flatten(0, 1), atol=1e-3, rtol=1e-4)
    assert 0.1 < float((reports.value - truth.flatten(-2)[:, area.places]).std()) < 0.3
    torch.testing.assert_close(area.past.mean, air.known[of_training(TIMES)].mean(0), atol=1e-4, rtol=1e-4)


def test_systems_with_an_atmosphere_of_their_own_estimate_what_it_has_not_carried(output, theirs):
    names = Names(["gas0", "gas1"], ["gas2"], "gas3")
    air, alone = read(output, names, carried=theirs), read(output, names)
    assert air.members.shape == (TIMES, 27, NY, NX) and float(air.carried.std()) == pytest.approx(SPREAD, rel=0.3)
    torch.testing.assert_close(air.u, torch.full_like(air.u, U + 2.0))
    area = regional.Area(air, 4, prior="enkf")
    torch.testing.assert_close(area.u, air.u)  # its winds have errors of their own
    truth, reports = area.last("test")
    at = area.held["test"][2]
    rest = truth - (alone.known - air.carried)[at]  # one gas that nobody has seen, with a weight of plus or minus one
    torch.testing.assert_close(rest.abs(), air.unseen[at, 0].abs(), atol=1e-3, rtol=1e-3)
    assert 0.1 < float((reports.value - truth.flatten(-2)[:, area.places]).std()) < 0.3
    assert float(rmse(area.known, air.domain.weights()).mean()) < 0.6 * SPREAD


def test_an_ensemble_that_is_carried_knows_where_air_has_come_from(output, theirs):
    """Beside kriging of the same departures, tuned on the very days of the test; a network of no steps is its prior."""
    names = Names(["gas0", "gas1"], ["gas2"], "gas3")
    air = read(output, names, carried=theirs)
    words = {"prior": "enkf", "frames": 4, "width": 4, "steps": 1, "batch": 2, "rate": 1e-6}
    _, _, rows = regional.trained(Settings(cyclic=False, **words), air)
    best = rows[regional.KRIGING].rmse
    assert rows["carried ensemble"].rmse < 0.9 * best < 0.9 * rows[regional.STILL].rmse
    assert rows["network"].rmse == pytest.approx(rows["carried ensemble"].rmse, rel=1e-3)
    assert rows["what is carried"].rmse < rows["climatology"].rmse


def test_samples_are_what_the_carried_ensemble_makes_of_samples(output, theirs):
    """A sum of gases has the sum of their estimates: training and tests are alike."""
    air = read(output, Names(["gas0", "gas1"], ["gas2"], "gas3"), carried=theirs)
    area = regional.Area(air, 4, prior="enkf")
    weights = area._weights(2, area.tracers[0].shape[1], torch.Generator().manual_seed(1))
    course = area.course(area.tracers[1], weights)
    mixed = torch.einsum("nk,tkyx->tnyx", weights, area.tracks)
    torch.testing.assert_close(mixed, course, atol=1e-2, rtol=1e-3)


def test_winds_let_optimal_interpolation_pass_kriging(area, air):
    truth, reports = area.last("test")
    system = area.kriging("test")[0]
    weights = area.air.domain.weights()
    kriging = rmse(system.analyse(system.start(truth), reports).mean - truth, weights).mean()
    against = regional.Area(air._replace(u=-air.u, v=-air.v), 4)
    followed, led = (rmse(a.followed("test", "interpolation") - truth, weights).mean() for a in (area, against))
    assert float(followed) < float(kriging) and float(followed) < 0.95 * float(led)


def test_optimal_interpolation_remembers_as_long_as_the_days_for_training_do(air, area):
    """Waves that keep their values along the wind want a memory; fields without any likeness in time want none."""
    shuffled = torch.randperm(TIMES, generator=torch.Generator().manual_seed(1))
    without = regional.Area(air._replace(gases=air.gases[shuffled]), 4)
    assert without.tuned[0] == min(regional_area.LOSS_TIMES) < area.tuned[0]


def test_the_past_is_that_of_the_days_for_training_alone(air, area):
    other = ~of_training(TIMES)
    gases = air.gases.clone()
    gases[other] = -3.0 * gases[other].flip(0)
    changed = regional.Area(air._replace(gases=gases), 4)
    torch.testing.assert_close(changed.past.covariance, area.past.covariance, rtol=0, atol=0)


def test_where_stations_tell_nothing_optimal_interpolation_is_the_mean_of_the_past(output):
    """What known sources always make is in that mean."""
    air = read(output, Names(["gas0", "gas1"], known="gas3"))
    area = regional.Area(air, 4, count=2)
    reports = area.tracers[1]
    at_mean = area.past.mean.flatten()[area.places].expand(TIMES, 1, -1)
    alone = torch.zeros(1, reports.shape[1])
    alone[0, 0] = 1.0
    quiet = torch.cat([at_mean, torch.zeros_like(reports[:, 1:])], 1)
    got = area._followed(quiet, alone, *area.tuned)
    torch.testing.assert_close(got, area.past.mean.expand_as(got), atol=1e-4, rtol=1e-4)


def test_stations_of_the_world_stand_within_the_area(air):
    north = air.domain._replace(latitude=air.domain.latitude + 32.0)  # 18 to 46 N
    places = stations.within(north)
    row, column = torch.tensor(stations.CELLS).T
    lat, lon = 4.0 * row - 88.0, 6.0 * column + 3.0
    inside = (lat >= 18.0) & (lat <= 46.0) & (lon >= 99.0) & (lon <= 135.0)
    assert len(places) == int(inside.sum()) > 3
    for place in places:
        away = torch.maximum((north.latitude[place] - lat).abs(), (north.longitude[place] - lon).abs())
        assert float(away.min()) <= 0.5 * STEP
    assert not len(stations.within(air.domain))  # 14 S to 14 N has none there


def test_tests_come_after_all_that_training_and_validation_have_seen(area):
    times = {part: {e - n for e in ends for n in range(area.frames)} for part, ends in area.ends.items()}
    assert max(times["training"]) < min(times["validation"]) and max(times["validation"]) < min(times["test"])
    assert max(times["test"]) == TIMES - 1 and len(times["test"]) == TIMES // 4
    assert times["training"] <= set(torch.nonzero(of_training(TIMES)).flatten().tolist())
    assert stretches("training", TIMES) == [(0, 36)] and stretches("validation", TIMES) == [(36, 45)]


def test_the_command_trains_and_says_the_ratio(output, tmp_path, capsys):
    words = tmp_path / "training.yaml"
    words.write_text("prior: kriging\ncyclic: false\nframes: 4\nwidth: 8\nsteps: 150\nbatch: 8\nrate: 1e-2\n")
    gases = ["--gases", "gas0", "gas1", "gas2", "gas3"]
    main(["regional", "--atmosphere", str(output), *gases, "--namelist", str(words), "--out", str(tmp_path / "net")])
    said = capsys.readouterr().out
    assert (
        float(said.split("RESULT co2.regional.vs_kriging ")[1].split()[0]) < 0.9
    )  # the wind carries what stations saw
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


def test_what_is_wrong_is_named_at_once(output, air, tmp_path):
    late = written(tmp_path / "late.nc", 1, places=1.0)
    with pytest.raises(CaseError, match=r"has no soot, dust, only .*gas0"):
        read(output, Names(["gas0", "dust"], known="soot"))
    with pytest.raises(CaseError, match="or a level 2 between, found others in gas3"):
        read(output, Names(["gas0", "gas3"]), level=2)
    with pytest.raises(
        CaseError, match=r"prior: enkf \(expected kriging or interpolation\), embedding: wind .*, cyclic: True"
    ):
        regional.trained(Settings(prior="enkf", embedding="wind"), air)
    with pytest.raises(CaseError, match="60 times are too few for windows of 10 frames in validation:"):
        regional.Area(air, 10)
    with pytest.raises(CaseError, match=r"expected the times and cells of .*\(56, 14, 18\), found"):
        read(output, Names(["gas0"]), carried=Carried(late, ["gas0"]), skip=4)
