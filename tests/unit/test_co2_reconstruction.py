# SPDX-License-Identifier: BSD-3-Clause
"""The made-up world of carbon dioxide and the networks on it: what holds exactly, and a training of seconds."""

import math

import pytest
import torch

from components.ml_surrogates.co2_reconstruction import (
    comparison,
    events,
    networks,
    osse,
    reconstruction,
    samples,
    scores,
    stations,
    surprises,
    systems,
    training,
)
from components.ml_surrogates.co2_reconstruction.__main__ import main
from components.ml_surrogates.co2_reconstruction.carried import carried
from components.ml_surrogates.co2_reconstruction.inputs import Fixed, Window, channels, number_of_channels
from components.ml_surrogates.co2_reconstruction.settings import Settings
from components.ml_surrogates.estimation.analysis import Observations
from components.science.constants import EARTH_RADIUS
from components.science.sphere_transport import fluxes_of_streamfunction, winds_of_fluxes
from coupler.errors import CaseError, NamelistError
from coupler.namelist import read_text
from tests.unit.test_co2_surprises import SIX_HOURS

SMALL = ["--rows", "24", "--columns", "32", "--spin-up", "5", "--days", "5", "--flows", "6", "1", "2"]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("co2") / "osse.safetensors"
    main(["simulate", *SMALL, "--osse", str(file), "--no-compile"])
    return file


@pytest.fixture(scope="module")
def world(path):
    return osse.load(path)


@pytest.fixture(scope="module")
def past(world):
    return systems.climate(world, 500)


@pytest.fixture(scope="module")
def test(world, past):
    return comparison.Comparison(world, past, "test")


def test_winds_are_those_of_middle_latitudes(world):
    u, v = winds_of_fluxes(world.grid, fluxes_of_streamfunction(world.psi[:, ::8]))
    weights = world.domain.weights()
    speeds = [float(torch.sqrt((a * a * weights).sum((-2, -1)).mean())) for a in (u, v)]
    assert 8.0 < speeds[0] < 16.0 and 6.0 < speeds[1] < 12.0, speeds
    wrong = winds_of_fluxes(world.grid, fluxes_of_streamfunction(world.seen - world.psi))
    square = sum((a * a * weights).sum((-2, -1)).mean() for a in wrong)
    assert math.sqrt(0.5 * float(square)) == pytest.approx(2.0, rel=0.15)  # cells as coarse smooth a little


def test_tracers_of_a_sum_of_fluxes_are_the_sum_of_tracers(world):
    """But for the limiter: superposition is what training rests on."""
    start = world.tracers[0, -9, :3]
    both = torch.cat([start, (start[1] * 0.6 + start[2] * 0.8 + start[0])[None]])
    dynamics = systems.transport(world, true=True)
    for time in range(-9, -1):
        both = dynamics(both, torch.zeros(()), fluxes_of_streamfunction(world.psi[0, time]), osse.EVERY)
    sum_of = both[1] * 0.6 + both[2] * 0.8 + both[0]
    assert float((both[3] - sum_of).std() / sum_of.std()) < 0.06  # a day on cells as coarse as these: 0.045


def test_combinations_keep_the_variance():
    weights = systems.combinations(50, 5, torch.Generator().manual_seed(1))
    assert torch.equal(weights[:, 0], torch.ones(50))
    torch.testing.assert_close((weights[:, 1:] ** 2).sum(1), torch.ones(50))


def test_the_score_is_the_integral_that_it_is_a_closed_form_of():
    mean, deviation, truth = torch.tensor(1.0), torch.tensor(2.0), torch.tensor(2.5)
    x = torch.linspace(-30.0, 30.0, 600001, dtype=torch.float64)
    below = 0.5 * (1.0 + torch.erf((x - 1.0) / (2.0 * math.sqrt(2.0))))
    integral = torch.trapezoid((below - (x >= 2.5).double()) ** 2, x)
    assert float(scores.crps(mean, deviation, truth)) == pytest.approx(float(integral), rel=1e-4)


def test_the_spread_is_calibrated_to_nine_tenths():
    wrong = 3.0 * torch.randn((400, 4, 6), generator=torch.Generator().manual_seed(1))
    factor = scores.calibration(wrong, torch.ones_like(wrong), torch.full((4, 6), 1.0 / 24.0))
    assert factor == pytest.approx(3.0, rel=0.03)


def test_interpolation_through_the_transport_beats_kriging(world, past, test):
    kriging = test.still(test.kriging()[0])
    assert kriging.rmse < test.scores(past.mean.expand_as(test.truth), past.spread.expand_as(test.truth)).rmse
    cycled, course = test.cycled(systems.interpolation(world, past, test.dynamics))
    assert cycled.rmse < 0.95 * kriging.rmse
    assert course.increment.shape == (2, world.tracers.shape[1])
    # the transport knows the known flux only: what stations add to the mean is bounded by what a day's flux may bring
    assert 0.0 < float(course.increment[:, 8:].abs().mean()) < 1.0


@pytest.mark.parametrize("network", ["unet", "co2_net"])
def test_an_untrained_network_gives_the_prior_whatever_is_masked(world, past, test, network):
    settings = Settings(network=network, width=8, frames=2, prior="kriging", depth=1)
    fixed = samples.fixed_of(world, past)
    shape_kept = reconstruction.sizes(settings, world.shape)
    assert shape_kept["channels"] == 6
    if network == "co2_net":  # 24 by 32 cells are no multiples of its patch of five
        with pytest.raises(ValueError, match="multiples of the patch of 5, found 24 x 32"):
            reconstruction.Reconstruction(settings, fixed)
        return
    model = reconstruction.Reconstruction(settings, fixed)
    half = test.half()
    sample = test.windows(2, test.prior(test.kriging()[0], half), half)
    mean, deviation = training.estimates(model, sample)
    assert torch.equal(mean, sample.window.prior[:, -1]) and bool((deviation > 0.0).all())
    # a report that is masked may hold anything
    other = half._replace(value=torch.where(half.mask, half.value, 1e4))
    again = test.windows(2, sample.window.prior.new_zeros(test.all_truth.shape), other)
    frames = [
        channels(w._replace(prior=again.window.prior), fixed, sample.distance)[0] for w in (sample.window, again.window)
    ]
    assert torch.equal(*frames)


def test_space_time_and_cross_attention_are_words():
    for space, time, cross in ((1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)):
        net = networks.Co2Net(3, 2, 4, 10, 15, 8, 1, 5, space, time, cross)
        assert net(torch.randn(2, 4, 3, 10, 15), torch.randn(2, 2, 10, 15)).abs().max() == 0.0
    with pytest.raises(ValueError, match="found neither"):
        networks.Co2Net(3, 2, 4, 10, 15, 8, 1, 5, 0, 0)
    with pytest.raises(ValueError, match="an even number of frames, or one, found 3"):
        networks.Co2Net(3, 2, 3, 10, 15, 8)
    with pytest.raises(NamelistError, match="embedding"):
        read_text("embedding: waves").parse(Settings)


def test_places_of_tubelets_are_alike_where_they_are_near_across_seam_and_poles():
    of = networks.waves(9, 12).reshape(9, 12, -1)

    def like(a, b):
        return float((of[a] * of[b]).sum()) / networks.WAVES

    assert like((4, 3), (4, 3)) == pytest.approx(1.0, abs=1e-4)
    for start in ((4, 0), (4, 5), (6, 11)):
        row, column = start
        next_one, far = (row, (column + 1) % 12), (row, (column + 6) % 12)
        assert like(start, next_one) > 0.2 + like(start, far)
    assert like((0, 0), (0, 6)) > 0.2 + like((4, 0), (4, 6))  # 20 degrees apart over the pole, 180 at the equator


def test_frames_are_carried_to_where_their_air_has_gone():
    """Air that turns with the Earth's axis by a cell in six hours, and half a cell to the north where it blows so."""
    ny, nx, t, hours = 12, 24, 4, 6 * 3600.0
    latitude = (torch.arange(ny) + 0.5)[:, None].expand(ny, nx) * 15.0 - 90.0
    cell = math.radians(15.0) * EARTH_RADIUS
    u = (cell * torch.cos(torch.deg2rad(latitude)) / hours).expand(1, t, ny, nx)
    field = torch.randn((ny, nx), generator=torch.Generator().manual_seed(1))
    frames = torch.stack([torch.roll(field, k, -1) for k in range(t)])[None, :, None]
    moved = carried(frames, u, torch.zeros_like(u), latitude, hours)
    torch.testing.assert_close(moved, frames[:, -1:].expand_as(frames), rtol=1e-4, atol=1e-4)
    rows = torch.arange(ny).float()[:, None].expand(ny, nx)
    north = carried(
        rows.expand(1, 2, 1, ny, nx), 0.0 * u[:, :2], 0.5 * cell / hours * torch.ones(1, 2, ny, nx), latitude, hours
    )
    torch.testing.assert_close(north[0, 0, 0, 3:-3], rows[3:-3] - 0.5, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("embedding", ["none", "climode", "wind", "carried"])
@pytest.mark.parametrize("meteorology", [True, False])
def test_channels_are_as_many_as_the_network_is_built_for(world, past, test, embedding, meteorology):
    sample = test.windows(2, test.all_truth)
    frames, still = channels(sample.window, samples.fixed_of(world, past), sample.distance, embedding, meteorology)
    assert (frames.shape[2], still.shape[1]) == number_of_channels(embedding, meteorology)
    assert frames.abs().max() < 50.0 and still.abs().max() < 10.0


def test_training_leaves_its_files_and_the_kriging_that_it_adds_to(path, world, past, tmp_path, capsys):
    namelist = tmp_path / "training.yaml"
    namelist.write_text("prior: kriging\nwidth: 4\nframes: 1\nsteps: 2\nbatch: 2\n")
    main(["train", "--osse", str(path), "--namelist", str(namelist), "--out", str(tmp_path / "net"), "--no-compile"])
    assert "ETA" in capsys.readouterr().out
    assert (tmp_path / "net.png").exists()
    model, held = reconstruction.load(tmp_path / "net"), comparison.Comparison(world, past, "validation")
    tuned = held.kriging()
    assert model.settings.frames == 1 and model.lengths == tuned[1:]
    # in another world it adds to the same kriging, not to one that is tuned there
    own = comparison.prior_of(model, held)
    now = held.at_times(held.reports)
    found, wanted = (a.analyse(a.start(held.truth), now).mean for a in (own, tuned[0]))
    assert float((found - wanted).abs().max()) < 0.2 * float(past.spread.max())
    assert torch.equal(own.mean, model.fixed().mean)


def test_a_training_of_seconds_learns(world, past, test):
    kriging = test.kriging()[0]
    bank, windows = samples.Bank(world, past, kriging, 2), test.windows(2, test.prior(kriging))
    settings = Settings(prior="kriging", width=8, frames=2, steps=150, batch=8, rate=1e-2)
    _, course = training.train(settings, samples.fixed_of(world, past), bank, windows, test.weights, lambda text: None)
    assert course.train[-1] < 0.95 * course.train[0], course.train  # fresh samples all the way


class _Noise:
    """Samples of random fields on 10 by 15 cells, whose prior is too low everywhere."""

    low = 2.0

    def draw(self, size, generator):
        window = Window(*torch.randn((6, size, 4, 10, 15), generator=generator))
        return samples.Sample(window, torch.full((size, 10, 15), 1e6), window.prior[:, -1] + self.low)


@pytest.mark.parametrize("network", ["unet", "co2_net"])
def test_each_network_is_trained(network):
    bank, land = _Noise(), torch.zeros(10, 15)
    fixed = Fixed(land, land + 1.0, land, torch.linspace(-81.0, 81.0, 10)[:, None].expand(10, 15).contiguous(), land)
    settings = Settings(network=network, embedding="wind", wind_loss=0.2, width=8, depth=1, frames=4, steps=2, batch=2)
    held = bank.draw(3, torch.Generator().manual_seed(1))
    weights = torch.full((10, 15), 1.0 / 150.0)
    model, course = training.train(settings, fixed, bank, held, weights, lambda text: None)
    mean, _ = training.estimates(model, held)
    assert len(course.validation) == 1 and course.best == 2
    assert course.validation[0] < bank.low and float((mean - held.window.prior[:, -1]).mean()) > 0.0
    bank.low, held = 0.0, held._replace(truth=held.window.prior[:, -1])
    model, course = training.train(settings, fixed, bank, held, weights, lambda text: None)
    assert course.best == 0 and torch.equal(training.estimates(model, held)[0], held.truth), "never behind its prior"


def test_the_same_seed_gives_the_same_network(world, past, test):
    kriging = test.kriging()[0]
    bank, windows = samples.Bank(world, past, kriging, 2), test.windows(2, test.prior(kriging))
    settings = Settings(prior="kriging", width=8, frames=2, steps=2, batch=2, wind_loss=0.2)
    both = [
        training.train(settings, samples.fixed_of(world, past), bank, windows, test.weights, lambda text: None)[0]
        for _ in range(2)
    ]
    assert all(torch.equal(a, b) for a, b in zip(*(m.state_dict().values() for m in both), strict=True))


class _Stopped(Exception):
    pass


def test_a_training_that_was_stopped_goes_on_to_the_same_network(world, past, test, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKED_EVERY", 2)
    kriging = test.kriging()[0]
    windows = test.windows(2, test.prior(kriging))
    settings = Settings(prior="kriging", width=4, frames=2, steps=4, batch=2, wind_loss=0.1)
    part = tmp_path / "net.part"

    def train(tell, settings=settings):
        bank = samples.Bank(world, past, kriging, 2, silent=0.5)
        return training.train(settings, samples.fixed_of(world, past), bank, windows, test.weights, tell, part)

    def stop(text):
        if part.exists():
            raise _Stopped

    whole, course = train(lambda text: None)
    assert not part.exists()
    with pytest.raises(_Stopped):
        train(stop)
    with pytest.raises(CaseError, match=r"other words \(rate: 0.002\)"):
        train(print, settings.model_copy(update={"rate": 0.5}))
    again, later = train(lambda text: None)
    assert course.validation == later.validation and not part.exists()
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_training_may_begin_with_another_network(world, past, test, tmp_path):
    kriging = test.kriging()[0]
    bank, windows = samples.Bank(world, past, kriging, 2), test.windows(2, test.prior(kriging))
    settings = Settings(prior="kriging", width=4, frames=2, steps=2, batch=2)
    fixed = samples.fixed_of(world, past)
    first, _ = training.train(settings, fixed, bank, windows, test.weights, lambda text: None)
    first.save(tmp_path / "first", {}, "test")
    words = {"begin": str(tmp_path / "first"), "steps": 1, "rate": 1e-6}
    again, _ = training.train(
        settings.model_copy(update=words), fixed, bank, windows, test.weights, lambda text: None
    )  # fmt: skip
    for a, b in zip(first.net.parameters(), again.net.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0.0, atol=1e-5)
    with pytest.raises(CaseError, match="another shape"):
        training.begun(settings.model_copy(update=words), reconstruction.Reconstruction(Settings(frames=2), fixed))


def test_silent_stations_are_masked_and_kriging_does_without_them(world, past, test):
    bank = samples.Bank(world, past, test.kriging()[0], 2, silent=0.9)
    sample = bank.draw(12, torch.Generator().manual_seed(2))
    there = sample.window.mask[:, 0].flatten(1).sum(1)
    assert torch.equal(sample.window.mask[:, 0], sample.window.mask[:, 1])  # silent through the window
    assert 0.0 < float(there.min()) < float(there.max()) == len(world.places)
    least = sample.window.mask[there.argmin(), -1].flatten()[world.places] > 0.0
    misfit = (sample.window.prior[there.argmin(), -1] - sample.truth[there.argmin()]).flatten()[world.places].abs()
    assert float(misfit[least].mean()) < 0.5 * float(misfit[~least].mean())


def test_a_sample_on_the_ensemble_is_what_the_filter_makes_of_the_sample(world, past, tmp_path):
    """The tracks of the combination that the filter itself follows add up to its mean: the limiter's part is small."""
    filter_of = systems.ensemble(world, past, members=8)
    bank = samples.Bank(world, past, filter_of, 2)
    count = bank.reports.shape[2]
    own = torch.zeros(count)
    own[[0, 1, count - samples.NOISE_TRACERS]] = 1.0
    assert bank.tracks.mean.shape[:3] == (6, 21, count)
    mixed = (bank.tracks.mean * own[:, None, None]).sum(2)
    value = (bank.reports * own[:, None]).sum(2)
    reports = Observations(value, torch.full_like(value, osse.NOISE), torch.ones_like(value) > 0, world.places)
    course = systems.run(filter_of, world, range(6), reports)
    wrong = course.mean - world.truth("training")[:, ::2]
    assert float((mixed - course.mean).std()) < 0.2 * float(wrong.std())
    sample = bank.draw(8, torch.Generator().manual_seed(3))
    assert sample.window.prior.shape == (8, 2, *world.shape)
    misfit = (sample.window.prior - sample.window.observations)[sample.window.mask > 0.5]
    assert float(misfit.std()) < 0.5 * float((sample.truth - past.mean).std())
    samples.write_tracks(tmp_path / "tracks", bank.tracks)
    for a, b in zip(samples.read_tracks(tmp_path / "tracks"), bank.tracks, strict=True):
        assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))


def test_a_sample_on_the_inversion_is_the_inversion_of_the_sample(world, past):
    """What the mixed tracks give is what the inversion makes of the mixed reports, but for the limiter."""
    dynamics = systems.transport(world)
    inversion = systems.interpolation(world, past, dynamics)
    bank = samples.Bank(world, past, inversion, 2, superposition=False)
    sample = bank.draw(4, torch.Generator().manual_seed(3))
    assert sample.window.prior.shape == (4, 2, *world.shape)
    wrong = sample.window.prior[:, -1] - sample.truth
    assert float(wrong.std()) < 0.9 * float((sample.truth - past.mean).std())
    at = sample.window.mask[:, -1] > 0.5
    misfit = (sample.window.prior[:, -1] - sample.window.observations[:, -1])[at]
    assert float(misfit.std()) < 0.5 * float(wrong.std())


def test_the_guard_stops_where_a_region_is_corrected_the_same_way():
    fixed = Fixed(*(torch.ones(10, 15) for _ in Fixed._fields))
    model = reconstruction.Reconstruction(Settings(frames=1, width=4), fixed)
    deviation = torch.full((200, 10, 15), 1.5)
    increment = torch.randn(deviation.shape, generator=torch.Generator().manual_seed(1))
    model.learn_usual(increment, deviation)
    stopped = model.unknown(increment, deviation).flatten(1).any(1)
    assert 0 < int(stopped.sum()) <= 2  # of 200 analyses
    event = torch.zeros(10, 15)
    event[3:6, 14] = event[3:6, 0] = event[3:6, 1] = 4.0  # across the seam
    found = model.unknown(event, deviation[0])
    assert bool(found[4, 0]) and not bool(found[:, 4:12].any())
    rows, columns = torch.meshgrid(torch.arange(10), torch.arange(15), indexing="ij")
    assert not model.unknown(4.0 * (-1.0) ** (rows + columns), deviation[0])[1:-1, 1:-1].any()


def test_a_release_is_three_times_the_largest_flux_and_what_stations_see_of_it_is_said(world, past, test, monkeypatch):
    monkeypatch.setattr(events, "BEGINS", 3.0 * events.DAY)
    monkeypatch.setattr(events, "LASTS", 0.5 * events.DAY)
    monkeypatch.setattr(events, "SOURCES", {"East Asia": (32, 18)})
    training_flux = world.mean_flux + world.flux[:6]
    assert events.strength(world) == pytest.approx(3.0 * float(training_flux.abs().max()))
    gas = events.released(world, "East Asia")
    assert float(gas[:, :24].abs().max()) == 0.0
    dose = (gas[:, 25] * world.grid.area).sum((-2, -1))  # three hours after it began
    row, column = round(32 * 24 / 45), round(18 * 32 / 60)
    assert events.cell(world, "East Asia") == (row, column)
    whole = events.strength(world) * osse.EVERY * float(world.grid.area.expand(world.shape)[row, column])
    torch.testing.assert_close(dose, torch.full_like(dose, whole), rtol=0.01, atol=0.0)  # but for the loss of 15 days
    inversion = systems.interpolation(world, past, test.dynamics)
    calm = test.increments(inversion)
    assert torch.equal(calm.fields, test.prior(inversion))
    model = reconstruction.Reconstruction(Settings(frames=1, width=4), samples.fixed_of(world, past))
    for largest, flows in ((math.inf, 0), (0.0, 2)):
        model.get_buffer("largest_increment").fill_(largest)
        model.usual = surprises.Usual(0.0, 1.0, 0.01, 0.5, largest)
        text = "\n".join(events.told(world, test, model, inversion, calm))
        assert f"of increments counts it in {flows}, without it {flows}" in text
        assert f"of reports counts it in {flows}, without it {flows}" in text
        assert "hold more than 0.6 ppm of it in" in text and "would find it in" in text
        assert f"{100 * (largest == 0.0):.1f} % of the analyses" in events.false_alarms(test, model, calm)


def test_an_event_is_found_where_it_stands_out_of_what_reports_bear_by_chance():
    """Of white reports the mark of an event of k deviations has k as its size, chance four at most of 500 draws."""
    g = torch.Generator().manual_seed(2)
    far = 1e8 * (1.0 - torch.eye(20))
    usual = torch.randn((6, 90, 20), generator=g)
    shape = torch.randn((3, 10, 20), generator=g)
    shape = shape / torch.sqrt((shape * shape).sum((1, 2), keepdim=True))
    size, beyond = events.told_apart(usual, torch.tensor([1.0, 2.0, 8.0])[:, None, None] * shape, far)
    torch.testing.assert_close(size, torch.tensor([1.0, 2.0, 8.0]))
    assert (beyond > 1.0).tolist() == [False, False, True] and 1.7 < float(beyond[2]) < 3.2
    common = usual + 3.0 * torch.randn((6, 90, 1), generator=g)  # errors that all reports share
    along = events.told_apart(common, 8.0 / 200.0**0.5 * torch.ones(1, 10, 20), far)[1]
    assert float(along) < 1.0 < float(beyond[2])
    one = torch.zeros(1, 10, 20)
    one[..., 0] = 1.0  # a station that its neighbour does not follow is the more surprising
    near = far.clone()
    near[0, 1] = near[1, 0] = 1.0
    assert float(events.told_apart(usual, one, near)[0]) == pytest.approx((10.0 / (1.0 - 0.95**2)) ** 0.5, rel=1e-4)


def test_innovations_of_the_filter_on_flows_never_seen_are_as_large_as_is_usual(world, past, test):
    filter_of = systems.ensemble(world, past, members=8)
    usual = comparison.usual_innovations(filter_of, world, past)
    assert list(usual.cells) == world.places.tolist() and 0.0 < usual.memory < 1.0 and 1.0 < usual.largest < 10.0
    course = test.increments(filter_of)
    got = test.surprise(course)
    assert float(course.doubt.min()) > 0.0 and got.innovation.shape == (2, 9, len(world.places))
    step = course.fields[:, test.times[0]] - course.added[:, 0]  # what is expected at day 3
    torch.testing.assert_close(got.innovation[:, 0], test.reports.value[:, 24] - step.flatten(-2)[:, world.places])
    assert 0.6 < float(usual.standardised(got).std()) < 1.6


def test_an_alarm_silences_the_network_about_its_station_alone(world):
    alarm = torch.zeros(len(world.places), dtype=torch.bool)
    assert not surprises.silenced(world.domain, world.places, alarm).any()
    alarm[5] = True
    here = surprises.silenced(world.domain, world.places, alarm)
    away = world.domain.distance(world.places[5:6])[0].reshape(world.shape)
    assert torch.equal(here, away < surprises.REACH) and bool(here.any()) and float(here.float().mean()) < 0.1


def test_a_wrong_wind_carries_in_what_the_slope_holds(world):
    lat = torch.deg2rad(world.domain.latitude.reshape(world.shape))
    lon = torch.deg2rad(world.domain.longitude.reshape(world.shape))
    away = surprises.WIND_ERROR * SIX_HOURS / EARTH_RADIUS
    got = surprises.carried_in(world.domain, torch.sin(lon) * torch.cos(lat), SIX_HOURS)[1:-1]
    exact = away * torch.sqrt(torch.cos(lon) ** 2 + (torch.sin(lon) * torch.sin(lat)) ** 2)[1:-1]
    torch.testing.assert_close(got, exact, rtol=0.02, atol=0.02 * away)


@pytest.mark.parametrize("name", ["unet_interpolation", "unet_enkf", "unet_kriging", "co2_net"])
def test_the_shipped_network_is_small_and_stays_near_its_prior_where_nothing_happens(name):
    path = reconstruction.MODELS / name
    assert path.with_suffix(".safetensors").stat().st_size < 5e6
    model = reconstruction.load(path)
    shape = (1, model.settings.frames, *model.shape())
    calm = torch.zeros(shape)
    past = model.fixed().mean.expand(shape)
    mask = torch.zeros(shape).flatten(-2)
    mask[..., stations.places()] = 1.0
    distance = torch.full((1, *model.shape()), 1000e3)
    with torch.no_grad():
        mean, deviation = model(Window(calm, calm, calm, past, mask.reshape(shape), past), distance)
    away = (mean[0] - model.fixed().mean) / model.fixed().spread
    assert float(away.abs().max()) < 1.0 and 0.0 < float(deviation.min()) <= float(deviation.max()) < 60.0
