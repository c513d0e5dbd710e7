# SPDX-License-Identifier: BSD-3-Clause
"""The shipped emulators against RRTMGP with clouds in parts of layers, on places and days never trained on."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from components.ml_surrogates import drawn_columns
from components.ml_surrogates.model_file import read_sidecar
from components.ml_surrogates.radiation_emulator import (
    dataset,
    error_evaluation,
    error_predictor,
    networks,
    scores,
    training,
)
from components.ml_surrogates.radiation_emulator.__main__ import COLUMNS, DRAWS
from components.ml_surrogates.radiation_emulator.augmentation import plain
from components.ml_surrogates.radiation_emulator.evaluation import drawn, unseen


@pytest.fixture(scope="module")
def base():
    return drawn_columns.read(COLUMNS)


@pytest.fixture(scope="module")
def held_out(base):
    torch.set_num_threads(1)
    return unseen(base, 500, 77)


@pytest.fixture(scope="module")
def recurrent():
    return networks.load(networks.path_of("recurrent"))[0]


def test_no_column_of_the_test_shares_a_place_or_a_day_with_training(base):
    place = np.stack([base["longitude"], base["latitude"]])
    train, test = (base["split"] == drawn_columns.SPLITS.index(name) for name in ("train", "test"))
    assert not {tuple(p) for p in place[:, train].T} & {tuple(p) for p in place[:, test].T}
    assert base["day"][train].max() < base["day"][test].min()


def test_errors_on_columns_never_seen(base, held_out, recurrent):
    got = scores.predict(recurrent, held_out)
    s = scores.scores(got, held_out)
    print(s)
    assert s["heating"] <= 0.12 and s["olr"] <= 0.4 and s["surface_longwave"] <= 0.6
    assert abs(s["heating_bias"]) < 0.05 and abs(s["olr_bias"]) < 0.3 and abs(s["surface_shortwave_bias"]) < 0.6
    whole = (held_out.x.columns.fraction == 0.0).all(0)
    clear = scores.scores(got, held_out, whole)
    print(clear)
    assert clear["heating"] <= 0.12 and clear["olr"] <= 0.4 and clear["surface_shortwave"] <= 0.75
    one = scores.Prediction(*(torch.tensor(a) for a in dataset.of_draws(drawn(base, 500, 77), 1, first=4000).values()))
    noise = scores.scores(one, held_out)  # of what a run with RRTMGP sees
    assert all(s[k] < 0.25 * noise[k] for k in ("heating", "olr", "surface_longwave", "surface_shortwave")), noise
    beyond = s["surface_shortwave"] ** 2 - noise["surface_shortwave"] ** 2 / dataset.FOR_SCORES
    print(f"sunlight at the ground beyond the noise of its mean: {max(beyond, 0.0) ** 0.5:.2f} W m-2")
    assert beyond <= 0.8**2  # known to a fifth from these draws; see below


@pytest.mark.slow  # 9 min: four thousand draws of RRTMGP
def test_sunlight_at_the_ground_under_clouds_in_parts_of_layers(base, recurrent):
    b = unseen(base, 1500, 11, draws=DRAWS)
    s = scores.scores(scores.predict(recurrent, b), b)
    print(s)
    assert s["surface_shortwave"] <= 0.6 and abs(s["surface_shortwave_bias"]) < 0.3


def test_at_most_half_the_error_of_ridge_regression_and_of_the_mean(base, held_out, recurrent):
    given = dataset.together(dataset.batches(drawn_columns.of_split(base, "train"), 10, 128, 5, (None,)))
    mine = scores.scores(scores.predict(recurrent, held_out), held_out)
    for rival in (scores.Ridge(given).errors(held_out), scores.mean_profile_errors(given, held_out)):
        assert all(mine[k] <= 0.5 * rival[k] for k in ("heating", "olr", "surface_longwave", "surface_shortwave")), (
            rival
        )


def test_one_band_can_go_on_alone_and_the_other_keeps_its_bits(base):
    data = dataset.batches(drawn_columns.of_split(base, "train"), 1, 16, 3, (None,), pairs=False)
    net, before = (networks.load(networks.path_of("recurrent"))[0] for _ in range(2))
    course = training.train(net, data, data, 3, 1, rate=1e-4, tell=lambda text: None, bands=("shortwave",))
    assert [len(loss) for loss in course.train] == [1, 1, 1]
    for name, value in before.state_dict().items():
        assert torch.equal(value, net.state_dict()[name]) == name.startswith("longwave"), name


@pytest.mark.parametrize("times", [0.5, 4.0])
def test_the_forcing_of_carbon_dioxide(base, recurrent, times):
    test = drawn_columns.of_split(base, "test")
    now = plain({k: a[..., :200] for k, a in test.items()}, np.linspace(0.0, 0.9, 200))
    more = replace(now, carbon_dioxide=times * now.carbon_dioxide)
    first, then = (dataset.labelled(sample, 64) for sample in (now, more))  # the draws are the same
    net = lambda f: f.sw_down[-1] - f.sw_up[-1] - f.lw_up[-1]  # noqa: E731
    fluxes = [net(p) for p in (*(scores.predict(recurrent, b) for b in (first, then)), first, then)]
    f = scores.forcing(*fluxes)
    mine, reference = (np.asarray(fluxes[n + 1] - fluxes[n]) for n in (0, 2))
    wrong = np.abs(reference[mine * reference < 0.0]).max(initial=0.0)
    print(f, f"signs differ where RRTMGP's forcing is at most {wrong:.3f} W m-2")
    assert 0.85 <= f["ratio"] <= 1.15
    assert wrong < 0.25  # elsewhere the sign is right


@pytest.mark.parametrize("network", ["recurrent", "mlp"])
def test_the_shipped_files_are_small_and_whole(network):
    path = networks.path_of(network)
    net, card = networks.load(path)
    assert path.with_suffix(".safetensors").stat().st_size < 5e6
    assert card.notes["cpu_minutes"] < 30.0 and len(card.data_hash) == 64
    assert all(np.isfinite([v.low, v.high]).all() for v in card.inputs)
    assert sum(p.numel() for p in net.parameters()) > 1000


def test_each_column_keeps_its_gases(base):
    """Columns with other carbon dioxide each, beside those columns by themselves."""
    test = drawn_columns.of_split(base, "test")
    some = plain({k: a[..., :6] for k, a in test.items()}, np.zeros(6))
    many = replace(some, carbon_dioxide=np.linspace(0.5, 8.0, 6) * some.carbon_dioxide)
    whole = dataset.labelled(many, 1)
    for column in (0, 3, 5):
        alone = dataset.labelled(many.take(np.array([column])), 1)
        clear = whole.x.columns.fraction[:, column].max() == 0.0  # draws hang on the place among the columns
        torch.testing.assert_close(whole.lw_up[:, [column]], alone.lw_up, rtol=1e-5 if clear else 0.1, atol=1e-3)
        torch.testing.assert_close(whole.lw_up[-4:, [column]] > 0.0, alone.lw_up[-4:] > 0.0)


@pytest.mark.parametrize(
    ("network", "to_random", "to_oracle", "ranks", "seconds"),
    [("mlp", 0.7, 1.15, 0.85, 10.0), ("recurrent", 0.92, 1.05, 0.8, 40.0)],
)
def test_the_columns_with_the_largest_predicted_error(held_out, network, to_random, to_oracle, ranks, seconds):
    """A fifth of them right. Of the recurrent network the oracle leaves .9: few columns are much worse than others."""
    path = networks.path_of(network)
    net, card = networks.load(path)
    files = path.with_name(f"{network}_error")
    predictor = error_predictor.load(files, card)
    s = error_evaluation.found(net, predictor, held_out).scores(0.2)
    print(network, s)
    assert s["vs_random"] <= to_random and s["vs_oracle"] <= to_oracle
    assert s["rank_correlation"] >= ranks
    assert read_sidecar(files.with_suffix(".json")).notes["seconds"] <= seconds
