# SPDX-License-Identifier: BSD-3-Clause
"""Couplings of a mechanism with a network, on a toy tower whose mechanism is known to be biased; files and messages."""

import netCDF4
import numpy as np
import pytest
import torch

from components.ml_surrogates import model_file
from components.ml_surrogates.flux_couplings import __main__ as command
from components.ml_surrogates.flux_couplings import coupled, series, sites
from components.ml_surrogates.flux_couplings.coupled import MIXED, NAMED, SINGLE, WEATHER_ALONE
from components.ml_surrogates.flux_couplings.evaluation import at_a_tower, ratios


def toy(days=12, seed=1):
    """Fluxes of light, warmth and dryness; the mechanism has them biased, the tower has noise and gaps."""
    rng = np.random.default_rng(seed)
    n = 48 * days
    hour, day = np.arange(n) % 48 / 48.0, np.arange(n) // 48
    sky = 0.3 + 0.7 * rng.random(days)[day]
    sun = 900.0 * sky * np.clip(np.sin(2.0 * np.pi * (hour - 0.25)), 0.0, None)
    t = 285.0 + 8.0 * rng.standard_normal(days).cumsum()[day] / 4.0 + sun / 120.0
    deficit = 300.0 + 1.6 * sun * np.exp((t - 290.0) / 20.0)
    weather = np.stack([t, deficit, 2.0 + rng.random(n), sun, 320.0 + 2.0 * (t - 285.0)], axis=1)

    def fluxes(most, closing, share):
        gpp = most * sun / (sun + 300.0) / (1.0 + deficit / closing)
        latent = 6.0 * gpp + 0.03 * sun
        return np.stack([gpp, latent, share * 0.7 * sun - latent * 0.5], axis=1)

    right, own = fluxes(30.0, 2000.0, 0.9), fluxes(38.0, 3500.0, 1.1)
    measured = right + rng.standard_normal(right.shape) * (0.5, 8.0, 8.0)
    measured[rng.random(n) < 0.1] = np.nan
    inside = np.stack([own[:, 1] / 2.5e6, 0.1 * own[:, 1] / 2.5e6, 0.7 * sun], axis=1)
    return series.Tower("toy", 1800.0, weather, np.concatenate([own, inside], axis=1), measured)


@pytest.fixture(scope="module")
def tower():
    torch.set_num_threads(1)
    return toy()


@pytest.fixture(scope="module")
def rows(tower):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(coupled, "PRETRAINING", 250)
        return at_a_tower(tower, 3, 2, (WEATHER_ALONE, *SINGLE.values(), NAMED["1+3+7"]))


def test_what_the_mechanism_knows_helps_where_three_days_were_measured(rows):
    """Means of two seeds; the mechanism's own error is no smaller than that of the best."""
    found = ratios(rows)
    print({name: f"{mean:.2f} ({worst:.2f})" for name, (mean, worst) in found.items()})
    assert found["1"][0] <= 0.8 and found["3"][0] <= 0.8 and found["1+3+7"][0] <= 0.8
    best = min(np.mean(rows[name]) for name in ("1", "2", "3", "7"))
    assert np.mean(rows["mechanism"]) > best


def test_measured_days_alone_teach_what_the_tower_has(tower):
    """What is measured on other days changes nothing in the training."""
    other = series.Tower(tower.name, tower.seconds, tower.weather, tower.column, tower.measured.copy())
    other.measured[: 48 * 2] *= 3.0
    other.measured[48 * 5 :] = 1e3
    one, two = (coupled.fit(t, NAMED["3+7"], 2, 3, 4) for t in (tower, other))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_every_combination_of_three_has_its_name():
    assert [c.name for c in MIXED] == ["1", "3", "7", "1+3", "1+7", "3+7", "1+3+7"]
    assert set(NAMED) == {"weather", "1", "2", "3", "7", "1+3", "1+7", "3+7", "1+3+7"}


def test_refinement_learns_from_other_places_alone():
    """Its bias depends on dryness: the network takes it off, a line cannot; the place itself is never seen."""
    rng = np.random.default_rng(3)
    n = 160
    place, drivers = np.arange(n) % 8, rng.random((n, 4)) * (25.0, 20.0, 15.0, 6.0)
    own = np.stack([0.1 * drivers[:, 1] + 0.5, 0.4 * drivers[:, 1]], axis=1)
    right = own - np.stack([0.9 * np.tanh((drivers[:, 2] - 7.0) / 3.0), 0.0 * own[:, 1]], axis=1)
    right[:, 0] += 0.05 * rng.standard_normal(n)
    months = sites.Months(place, drivers, own, right)
    s = sites.leave_site_out(months, 0, 1)
    assert s["refined"] <= 0.7 * s["linear"] and s["linear"] <= 1.05 * s["mechanism"]
    right[place == 2, 0] = 99.0
    one, two = sites.refined(months, 0, place != 2, 1)
    assert one.max() < 10.0 and two.max() < 10.0
    few = sites.Months(place[:30], drivers[:30], own[:30], right[:30])
    assert len(few.with_enough(0).place) == 0


def test_series_and_months_are_read_as_they_were_written(tmp_path, tower):
    series.write(tmp_path / "a.nc", tower)
    again = series.read(tmp_path / "a.nc")
    assert again.name == "toy" and again.a_day == 48
    for part in ("weather", "column", "measured"):
        np.testing.assert_array_equal(getattr(again, part), getattr(tower, part))
    ones = np.ones((5, 4))
    sites.write(tmp_path / "m.nc", sites.Months(np.arange(5), ones, ones[:, :2], ones[:, 2:]))
    np.testing.assert_array_equal(sites.read(tmp_path / "m.nc").drivers, ones)


def test_messages_say_what_is_wrong_with_a_file(tmp_path, tower):
    with pytest.raises(series.SeriesError, match=r"tower_series\.py writes it"):
        series.read(tmp_path / "none.nc")
    series.write(tmp_path / "a.nc", tower)
    with netCDF4.Dataset(tmp_path / "a.nc", "a") as f:
        f["weather/air_temperature"].units = "degC"
    with pytest.raises(series.SeriesError, match="weather/air_temperature: expected K, found degC"):
        series.read(tmp_path / "a.nc")
    tower.weather[3, 0], kept = np.nan, tower.weather[3, 0]
    series.write(tmp_path / "b.nc", tower)
    tower.weather[3, 0] = kept
    with pytest.raises(series.SeriesError, match="has 1 gaps"):
        series.read(tmp_path / "b.nc")


def test_the_command_trains_and_keeps_a_network(tmp_path, tower, monkeypatch, capsys):
    series.write(tmp_path / "toy.nc", tower)
    words = ["flux_couplings", "train", str(tmp_path / "toy.nc"), "--coupling", "7", "--out", str(tmp_path / "net")]
    monkeypatch.setattr("sys.argv", words)
    command.main()
    assert "7 at toy, error" in capsys.readouterr().out
    tensors, card = model_file.load(tmp_path / "net")
    assert card.network == "7" and len(card.inputs) == 8 and card.notes["days"] == 3
    net = coupled.FluxNetwork(**card.sizes)
    net.load_state_dict(tensors)
    monkeypatch.setattr("sys.argv", [*words, "--overwrite", "--days", "40"])
    with pytest.raises(SystemExit, match="expected 40 days from day 0 on, found 12 days"):
        command.main()
