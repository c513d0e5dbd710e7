# SPDX-License-Identifier: BSD-3-Clause
"""The learned forecast of the atmosphere at 295 km: state, sides and mass, commands, and its use as an operator."""

from dataclasses import replace

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.data_assimilation import observation_file, simulate
from components.ml_surrogates.data_assimilation.component import GIVEN, TAKEN, DataAssimilation
from components.ml_surrogates.estimation import air_perturbations
from components.ml_surrogates.estimation.air import unpacked
from components.ml_surrogates.estimation.nature_runs import nature_context
from components.ml_surrogates.forecast import files, inference, packed, rivals, sampling, state, training
from components.ml_surrogates.forecast.__main__ import main
from components.ml_surrogates.forecast.hemispheres import exchanged
from components.ml_surrogates.forecast.mixtures import mixed
from components.ml_surrogates.forecast.network import (
    ForecastNetwork,
    advance,
    carried,
    divided,
    settled,
    smoothing,
    way,
)
from components.ml_surrogates.model_file import ModelFileError
from coupler.clock import Clock
from coupler.component import Setting
from coupler.errors import CaseError
from coupler.grids.decomposition import Decomposition

CLOCK = Clock("2001-01-01", "noleap")
SIDES = {"jet": "january", "relief": "", "precision": "single"}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two short runs of a small map, by the command."""
    path = tmp_path_factory.mktemp("forecast") / "samples.safetensors"
    main(["sample", "--out", str(path), "--runs", "2", "--days", "1.25", "--levels", "6", "--cells", "14"])
    return path, sampling.load(path)


def network(s, **sizes):
    torch.manual_seed(1)
    net = training.untrained(s, training.Settings(**{"width": 8, "wider": 8, **sizes}))
    for layer in (net.linear, net.give):
        torch.nn.init.normal_(layer.weight, std=0.05)
    return net


def test_the_core_keeps_what_is_called_the_dry_mass(made):
    """Mean dry surface pressure from t, q and the lowest pressure: constant between held sides to 1e-4."""
    s = made[1]
    found = state.dry_surface_pressure(s.states, s.at)
    wanted = state.dry_surface_pressure(s.sides, s.at)[:, None]
    assert float((found / wanted - 1.0).abs().max()) < 1e-4


def test_samples_have_no_vapour_below_zero(made):
    """Dry air beside moist, carried without a limiter, comes to -3e-5 kg/kg here; with it, to nothing but round-off."""
    q = made[1].states[:, :, 6:12]
    assert float(q.min()) > -1e-12 and float(q.max()) > 1e-3


def test_a_step_keeps_the_dry_mass_the_sides_and_no_vapour_below_zero(made):
    s = made[1]
    x, net = s.states[:, 0], network(s)
    sides = s.sides.clone()
    sides[:, -1] += 0.01  # a driver whose pressure rises by 1 %
    mass = state.dry_surface_pressure(sides, s.at)
    new = advance(net, x, sides, mass, s.at, training.SECONDS)
    assert float((new - x).detach().abs().max()) > 0.1
    torch.testing.assert_close(state.dry_surface_pressure(new, s.at), mass, rtol=1e-6, atol=0.0)
    n, rim = net.levels, s.at.specified
    torch.testing.assert_close(new[:, :n][..., rim], sides[:, :n][..., rim])
    assert float(new[:, n : 2 * n].detach().min()) >= 0.0


def test_vapour_below_zero_is_taken_from_the_rest_of_its_level(made):
    at = made[1].at
    q = made[1].states[0, 0, 6:12].double()
    q[2, 5, 5], q[3] = -1e-3, -1e-6
    new = state.without_negative(q, at)
    area = (at.size[0] * at.size[1]).double()
    before, after = ((a * area)[:, at.inside].sum(1) for a in (q, new))
    torch.testing.assert_close(after[[0, 1, 2, 4, 5]], before[[0, 1, 2, 4, 5]], rtol=1e-12, atol=0.0)
    assert float(new.min()) == 0.0 and float(after[3]) == 0.0
    torch.testing.assert_close(new[:3][:, at.specified], q[:3][:, at.specified], rtol=0.0, atol=0.0)


def test_winds_carry_as_far_as_they_blow(made):
    """A step of two cells eastward and one northward moves a hill there; the sides' values follow it in."""
    at, n = made[1].at, 6
    size = at.size.mean((1, 2))
    at = at.__class__(at.height, at.cos, at.sin, size[:, None, None].expand_as(at.size), at.coriolis, at.rim)
    x = torch.zeros((1, 4 * n + 1, 14, 14))
    x[:, :n, 6, 5] = 1.0
    x[:, n : 2 * n, :, 0] = 1.0
    x[:, 2 * n : 3 * n], x[:, 3 * n : 4 * n] = 2.0 * size[0] / 3600.0, size[1] / 3600.0
    moved = carried(x, at, 3600.0)[0]
    assert float(moved[2, 7, 7]) == pytest.approx(1.0, abs=1e-4) and float(moved[2, 6, 5]) < 1e-4
    torch.testing.assert_close(moved[n + 2, :, :3], torch.ones((14, 3)), rtol=0.0, atol=1e-4)
    assert float(moved[n + 2, :, 4:].abs().max()) < 1e-4


def test_a_step_in_parts_brings_as_much_as_a_step_at_once(made):
    """A network that adds a constant and what the winds bring: a hill goes two cells at once, or one cell twice."""
    at, n = made[1].at, 6
    size = at.size.mean((1, 2))
    at = at.__class__(at.height, at.cos, at.sin, size[:, None, None].expand_as(at.size), at.coriolis, at.rim)
    x = torch.zeros((1, 4 * n + 1, 14, 14))
    x[:, :n] = 280.0
    x[:, :n, 6, 5], x[:, 2 * n : 3 * n], x[:, -1] = 290.0, 2.0 * size[0] / 21600.0, 11.5
    net = ForecastNetwork(n, 8, 8, 8)
    with torch.no_grad():
        net.linear.weight[:-1, 4 * n + 1 : 8 * n + 1, 0, 0] = torch.eye(4 * n)
        net.linear.bias[:n] = 3.0
        once = way(net, x, x, at, 21600.0)
        twice = way(divided(net, 2), x, x, at, 21600.0)
    assert len(once) == 1 and len(twice) == 2
    inside = (..., slice(3, -3), slice(3, -3))  # what comes from the sides has grown for one part or for none
    torch.testing.assert_close(twice[1][inside], once[0][inside], rtol=0.0, atol=1e-3)
    assert float(once[0][0, 2, 6, 7]) == pytest.approx(293.0, abs=1e-2)
    assert float(twice[0][0, 2, 6, 6]) == pytest.approx(291.5, abs=1e-2)


def test_rows_next_to_the_sides_are_drawn_to_them(made):
    """A state that differs from the sides by a constant: less by the share of its row, not at all from the fifth on."""
    s = made[1]
    sides = s.sides[:1]
    x = sides.clone()
    x[:, :6] += 1.0
    mass = state.dry_surface_pressure(sides, s.at)
    left = (settled(x, sides, mass, s.at) - settled(sides, sides, mass, s.at))[0, 2, 6]
    wanted = torch.tensor([0.0, *(1.0 - state.DRAWN * share for share in (1.0, 0.75, 0.5, 0.25)), 1.0, 1.0])
    # beside the edge the filter sees the step from the side's value
    torch.testing.assert_close(left[[0, 5, 6]], wanted[[0, 5, 6]], rtol=0.0, atol=5e-3)
    torch.testing.assert_close(s.at.drawn[6, :7], 1.0 - wanted)


def test_kernels_step_as_the_network_does(made):
    """Two maps with vapour below zero and a driver of another pressure: to 1e-4 of the largest change, in single
    precision; a map alone comes to the same."""
    s = made[1]
    net = network(s, parts=2).requires_grad_(False)
    x, sides = s.states[:, 3].clone(), s.sides.clone()
    x[:, 6:12, 4:7, 3:9] -= 1e-3
    sides[:, -1] += 0.01
    mass = state.dry_surface_pressure(sides, s.at)
    slow, quick = (f(net, x, sides, mass, s.at, training.SECONDS) for f in (advance, inference.advance))
    unit = net.change[:, None, None]
    largest = float(((slow - x) / unit).abs().max())
    assert largest > 1.0
    assert float(((quick - slow) / unit).abs().max()) < 1e-4 * largest
    alone = inference.advance(net, x[1:], sides[1:], mass[1:], s.at, training.SECONDS)
    assert float(((alone - quick[1:]) / unit).abs().max()) < 1e-5 * largest
    net.requires_grad_()
    assert inference.advance(net, x, sides, mass, s.at, training.SECONDS).requires_grad


def test_convolutions_laid_out_once_do_as_the_layers(monkeypatch):
    """To rounding; in bfloat16 to a hundredth of what they make; and the layers serve where torch has no such thing."""
    torch.manual_seed(1)
    net = ForecastNetwork(2, 8, 12, 16).requires_grad_(False)
    x = torch.randn((2, 14, 15, 8)).permute(0, 3, 1, 2)
    wanted = net.hidden(x)
    torch.testing.assert_close(packed.hidden(net, 14, 15)(x), wanted, rtol=0.0, atol=1e-5)
    net.rough = True
    found = packed.hidden(net, 14, 15)(x)
    assert found.dtype == torch.float32 and rivals.rms(found - wanted) < 0.01 * rivals.rms(wanted)

    def missing(*arguments):
        raise AttributeError

    monkeypatch.setattr(packed, "_Hidden", missing)
    assert torch.equal(packed.hidden(net, 14, 15)(x), wanted)


def test_waves_of_two_cells_are_taken_away_and_longer_ones_stay():
    """In 39 steps: all but 1e-5 of two cells, .04 of four, nothing of a slope; the ends of the row stay."""
    k = torch.arange(22.0)
    a = torch.linalg.matrix_power(smoothing(22), 39)
    for cells, left in ((2, 0.0), (4, 0.96), (8, 1.0)):
        wave = torch.cos(2.0 * torch.pi / cells * k)
        inside = slice(6, -6)
        share = float((a @ wave)[inside] @ wave[inside] / (wave[inside] @ wave[inside]))
        assert share == pytest.approx(left, abs=0.02), cells
    torch.testing.assert_close(a @ (3.0 + 0.1 * k), 3.0 + 0.1 * k)
    assert torch.equal(a[0], torch.eye(22)[0]) and torch.equal(a[-1], torch.eye(22)[-1])


def test_a_state_is_its_columns(made):
    s = made[1]
    x = s.states[0, 3]
    torch.testing.assert_close(state.of_air(state.to_air(x, s.at), s.at), x, rtol=1e-5, atol=1e-4)


def test_the_pressure_is_that_of_the_core():
    """Hydrostatic from the lowest layer, 16 layers: found .0029 of the core's, in the thick layers under the lid."""
    f = forecast_operators.make("nonhydrostatic", nature_context(CLOCK, 14, 86400), {**SIDES, "levels": 16})
    air = f.columns(f.initial)
    at = state.place(f.air.context.grid, f.height)
    found = state.to_air(state.of_air(air, at), at)["p"]
    assert float((found / air["p"] - 1.0).abs().max()) < 4e-3


def test_training_learns_and_is_saved_whole(made, tmp_path, capsys):
    path, s = made
    short = ["train", "--samples", str(path), "--steps", "60", "--batch", "2", "--width", "8", "--wider", "8"]
    main([*short, "--out", str(tmp_path / "a")])
    main([*short, "--out", str(tmp_path / "b")])
    a, b = (files.load(tmp_path / name) for name in "ab")
    for p, q in zip(a.net.parameters(), b.net.parameters(), strict=True):
        assert torch.equal(p, q)
    main([*short, "--start", str(tmp_path / "a"), "--out", str(tmp_path / "on"), "--steps", "2"])
    on = files.load(tmp_path / "on")
    assert not all(torch.equal(p, q) for p, q in zip(a.net.parameters(), on.net.parameters(), strict=True))
    x, y = rivals.pairs(s)
    sides = s.sides.repeat_interleave(len(x) // len(s.sides), 0)
    with torch.no_grad():
        learned = training.rollout(a.net, x, sides, s, 1)[0]
    assert rivals.rms(training.scaled_error(a.net, learned, y, s)) < 0.9 * rivals.rms(
        training.scaled_error(a.net, x, y, s)
    )
    main(["evaluate", "--model", str(tmp_path / "a"), "--samples", str(path), "--test", str(path)])
    text = capsys.readouterr().out
    assert "| all |" in text and "| dry mass |" in text and "| speedup |" in text


def test_the_linear_rival_finds_a_linear_law():
    """x' = x + A x on fields of a few patterns: exact, where the number of EOFs is enough."""
    g = torch.Generator().manual_seed(1)
    patterns, law = torch.randn((3, 9, 6, 6), generator=g), 0.3 * torch.randn((3, 3), generator=g)
    scores = [torch.randn((20, 3), generator=g)]
    for _ in range(4):
        scores.append(scores[-1] + scores[-1] @ law)
    states = torch.einsum("trk,kcyx->rtcyx", torch.stack(scores), patterns)
    ones = torch.ones((6, 6))
    at = state.Place(torch.arange(2.0), ones, 0 * ones, torch.ones((2, 6, 6)), ones, ones)
    s = sampling.Samples(states, states[:, 0], ("made",) * 20, at)
    net = ForecastNetwork(2, 4, 4)
    m = rivals.tuned(*([a] for a in sampling.parted(s, 5)), net)
    x, y = rivals.pairs(s)
    assert rivals.rms(m(x, net) - y) < 0.01 * rivals.rms(x - y)


@pytest.fixture(scope="module")
def trained(made, tmp_path_factory):
    """A short training, by the command: path without ending."""
    path = tmp_path_factory.mktemp("trained") / "net"
    sizes = ["--steps", "40", "--batch", "2", "--width", "8", "--wider", "8"]
    main(["train", "--samples", str(made[0]), "--out", str(path), *sizes])
    return path


@pytest.fixture(scope="module")
def operator(trained):
    """As an assimilation makes it."""
    context = nature_context(CLOCK, 14, 10 * 86400, step=21600)
    return forecast_operators.make("forecast", context, {**SIDES, "levels": 6, "network": str(trained)})


def test_gradients_pass_through_a_step(operator):
    x = operator.initial
    added = {"t": torch.zeros((6, 14, 14), requires_grad=True)}
    operator.columns(operator.advance(x, 0.0, added))["u"][3, 7, 7].backward()
    assert all(p.grad is None for p in operator.trained.net.parameters())
    there = added["t"].grad.abs().sum(0)
    assert float(there[5:10, 5:10].sum()) > 0.0 and bool(torch.isfinite(there).all())


def test_a_forecast_that_leaves_all_training_breaks_down(operator):
    with pytest.raises(operator.failures, match="broke down: t of"), torch.no_grad():
        operator.advance(operator.initial + 400.0, 0.0)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"levels": 12}, "expected 6 levels, those of the training, found 12"),
        ({"step": "PT3H"}, "expected a step of 21600 s"),
        ({"relief": "east_asia_land.nc"}, "expected flat ground"),
        ({"network": "nowhere"}, "nowhere.json does not exist"),
        ({"network": ""}, "expected 16 levels, those of the training, found 6"),  # of the shipped one
    ],
)
def test_check_names_what_a_case_cannot_have(given, problem, trained, tmp_path):
    forecast = {"model": "forecast", "step": "PT6H", "jet": "january", "relief": "", "network": str(trained)}
    levels = given.get("levels", 6)
    forecast |= {k: v for k, v in given.items() if k != "levels"}
    options = DataAssimilation.Options(levels=levels, window="PT6H", forecast=forecast)
    grid = nature_context(CLOCK, 22, 86400).grid
    found = DataAssimilation(options).check(Setting("assimilation", CLOCK, 21600, 86400, grid, tmp_path))
    assert any("forecast: " in text and problem in text for text in found), found


@pytest.mark.parametrize("method", ["letkf", "en4dvar"])
def test_an_assimilation_takes_it_as_its_forecast(method, trained, tmp_path):
    """Stations of a disturbed jet, a window of six hours: the analysis is nearer to them, and its wind to the truth."""
    context = nature_context(CLOCK, 14, 86400, step=21600)
    whole = {"default": Decomposition(context.grid.shape)}
    context = replace(context, decompositions=whole, folder=tmp_path, seed=3, logger=lambda text: None)
    core = forecast_operators.make("nonhydrostatic", nature_context(CLOCK, 14, 86400), {**SIDES, "levels": 6})
    lon, lat = np.asarray(context.grid.longitude), np.asarray(context.grid.latitude)
    table = simulate.observed(core, core.initial, lon, lat, 295e3, [0], 60, 5)
    observation_file.write(tmp_path / "o.nc", table, CLOCK)
    forecast = {"model": "forecast", "step": "PT6H", "jet": "january", "relief": "", "network": str(trained)}
    options = {"observations": "o.nc", "levels": 6, "members": 8, "method": method, "iterations": 3}
    c = DataAssimilation(DataAssimilation.Options(**options, window="PT6H", forecast=forecast))
    assert c.check(Setting("assimilation", CLOCK, 21600, 21600, context.grid, tmp_path)) == []
    c.initialize(context)
    air = {k: a.double() for k, a in core.columns(core.initial).items()}
    given = c.step(0, 21600, {name: air[part].numpy() for name, part in TAKEN.items()})
    size, most = air_perturbations.Size(4.0, 1.0, 0.1), {"letkf": 0.9, "en4dvar": 1.0}[method]
    truth = unpacked(air_perturbations.drawn(air, torch.as_tensor(lat), 295e3, 2, size, "balanced", 5)[0])
    for name, part in GIVEN.items():
        if part in "uv":
            left = truth[part] - 21600.0 * torch.as_tensor(given[name])
            assert rivals.rms(left) < most * rivals.rms(truth[part]), part
    with netCDF4.Dataset(tmp_path / "run" / "assimilation" / "20010101T000000.nc") as data:
        n, before, after = (np.ma.filled(data[k][0], 0.0) for k in ("count", "omb_rms", "oma_rms"))
        assert float(np.nansum(n * after * after)) < 0.8 * float(np.nansum(n * before * before))


def test_bad_samples_are_named(made, trained, tmp_path):
    with pytest.raises(ModelFileError, match="cannot be read"):
        sampling.load(tmp_path / "none.safetensors")
    with pytest.raises(ModelFileError, match="found other tensors"):
        sampling.load(trained.with_suffix(".safetensors"))
    s = made[1]
    with pytest.raises(CaseError, match=r"at least 27 h .* found 9 h"):
        training.train([s._replace(states=s.states[:, :3])], training.Settings())
    with pytest.raises(ModelFileError, match="samples of one map"):
        sampling.joined([s, s._replace(states=s.states[..., :-1])])
    with pytest.raises(ModelFileError, match="samples of one map"):
        sampling.of_one_length([s, s._replace(states=s.states[..., :-1])])
    with netCDF4.Dataset(tmp_path / "d.nc", "w") as file:
        file.createDimension("time", 1)
        file.createVariable("time", "f8", ("time",))[:] = 5.0
    with pytest.raises(CaseError, match="time 'time' has the unit ''"):
        sampling.clock_of([str(tmp_path / "d.nc")])
    with pytest.raises(CaseError, match="does not exist"):
        sampling.clock_of([str(tmp_path / "none.nc")])


def test_samples_of_two_lengths_are_kept_whole(made):
    s = made[1]
    short = s._replace(states=s.states[:, :5])
    assert [tuple(a.states.shape[:2]) for a in sampling.of_one_length([short, s, short])] == [(2, 10), (4, 5)]
    x, y = rivals.pairs(s, short)
    assert len(x) == 2 * 8 + 2 * 3
    assert torch.equal(y[-1], s.states[1, 4]) and torch.equal(x[-1], s.states[1, 2])


def test_an_analysis_in_the_mirror_has_the_other_hemispheres_weather(tmp_path):
    """Zonal flow in thermal wind balance stays westerly, the meridional wind changes sign, the latitudes stay."""
    latitude, longitude = np.array([60.0, 20.0, -20.0, -60.0]), np.arange(0.0, 360.0, 90.0)
    field = np.arange(16.0).reshape(4, 4)
    with netCDF4.Dataset(tmp_path / "globe.nc", "w") as file:
        for name, values in (("latitude", latitude), ("longitude", longitude)):
            file.createDimension(name, 4)
            file.createVariable(name, "f8", (name,))[:] = values
        for name in ("t", "u", "v"):
            file.createVariable(name, "f4", ("longitude", "latitude"))[:] = field
    (tmp_path / "new").mkdir()
    (path,) = exchanged([str(tmp_path / "globe.nc")], tmp_path / "new")
    with netCDF4.Dataset(path) as file:
        assert file["latitude"][:].tolist() == latitude.tolist()
        for name, sign in (("t", 1.0), ("u", 1.0), ("v", -1.0)):
            assert (file[name][:] == sign * field[:, ::-1]).all(), name
    with netCDF4.Dataset(tmp_path / "globe.nc", "a") as file:
        file["latitude"][:] = [60.0, 40.0, 20.0, 0.0]
    with pytest.raises(CaseError, match=r"globe.nc: expected latitudes of a whole globe"):
        exchanged([str(tmp_path / "globe.nc")], tmp_path / "new")


def test_mixed_weather_has_the_mean_of_its_latitude_and_the_eddies_of_two_places(tmp_path):
    """An angle of 0 and of 90 degrees leave the eddies of one place; between, uncorrelated ones keep their variance."""
    longitude = np.arange(0.0, 360.0, 10.0)
    eddies = np.random.default_rng(1).normal(size=(2, 36))
    with netCDF4.Dataset(tmp_path / "globe.nc", "w") as file:
        for name, values in (("latitude", [30.0, 60.0]), ("longitude", longitude)):
            file.createDimension(name, len(values))
            file.createVariable(name, "f8", (name,))[:] = values
        for name, most in (("t", np.inf), ("q", 1.0)):
            file.createVariable(name, "f8", ("latitude", "longitude"))[:] = np.minimum(eddies, most)
    (tmp_path / "new").mkdir()

    def found(angle):
        (path,) = mixed([str(tmp_path / "globe.nc")], tmp_path / "new", (20.0, 350.0), angle)
        with netCDF4.Dataset(path) as file:
            return file["t"][:].data, file["q"][:].data

    (one, _), (other, _), (both, wet) = (found(a) for a in (0.0, np.pi / 2, np.pi / 4))
    np.testing.assert_allclose(one, np.roll(eddies, -2, 1), atol=1e-12)
    np.testing.assert_allclose(other, np.roll(eddies, 1, 1), atol=1e-12)
    mean = eddies.mean(1, keepdims=True)
    np.testing.assert_allclose(both - mean, (one + other - 2 * mean) * np.sqrt(0.5), atol=1e-12)
    assert wet.max() <= 1.0
    with netCDF4.Dataset(tmp_path / "globe.nc", "a") as file:
        file["longitude"][:] = 0.5 * longitude
    with pytest.raises(CaseError, match="expected longitudes evenly around the globe"):
        found(0.0)
