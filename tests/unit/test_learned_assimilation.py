# SPDX-License-Identifier: BSD-3-Clause
"""Assimilation by a network on Lorenz's model: the case, the rival that knows the operator, the loss, the files."""

import pytest
import torch

from components.ml_surrogates.data_assimilation.learned import evaluation, files, rival, training, twin
from components.ml_surrogates.data_assimilation.learned.__main__ import main
from components.ml_surrogates.estimation import lorenz96
from components.ml_surrogates.model_file import ModelFileError


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def cases():
    return twin.draw(3000, generator())


def test_the_case_is_as_hard_as_it_says(cases):
    assert abs(rival.rmse(cases.background, cases.truth) - 1.37) < 0.05
    seen = cases.observed.mask[:, 0] > 0.0
    assert abs(seen.float().mean() - twin.SEEN / twin.SIZE) < 1e-6
    assert abs(cases.observed.cloudy[seen].float().mean() - 0.3) < 0.02
    size = twin.bias(cases.observed.beside)[:, 0]
    assert 0.99 < size.min() < 1.05 and 3.95 < size.max() < 4.01
    steep = twin.operator(torch.full((1, 40), 14.0)) - twin.operator(torch.full((1, 40), 13.0))
    assert steep[0, 0].max() < 0.02  # K a unit: saturated


def test_the_bias_is_found_without_knowing_the_clouds(cases):
    k = rival.learn(cases)
    share = torch.tensor(twin.SHARES)
    torch.testing.assert_close(k.bias[:, 0], share * 1.0, atol=0.15, rtol=0.0)
    torch.testing.assert_close(k.bias[:, 1], share * 3.0, atol=0.4, rtol=0.0)


def test_3dvar_gains_by_its_bias_correction_and_needs_its_check(cases):
    k, other = rival.learn(cases), twin.draw(200, generator(2))
    t = rival.Tuned(0.7, 11.7, True, 1.3)
    error = {
        name: rival.rmse(rival.analyse(k, rival.replace(t, **changed), other), other.truth)
        for name, changed in {"whole": {}, "biased": {"correct": False}, "unchecked": {"check": 1e9}}.items()
    }
    assert error["whole"] < 0.8 * rival.rmse(other.background, other.truth)
    assert error["whole"] < error["biased"] and 2.0 * error["whole"] < error["unchecked"]


def test_the_loss_reaches_the_network_through_the_frozen_forecast():
    """The gradient of the forecasts' part alone, by the analysis, against differences."""
    truth = lorenz96.climate(2, generator()).double()
    a = (truth + 0.3 * torch.randn(truth.shape, generator=generator(3)).double()).requires_grad_(True)
    _, ahead, passed = training.losses(a, truth, lorenz96.step, 10)
    (grad,) = torch.autograd.grad(ahead, a)
    assert len(passed) == 11
    d = torch.zeros_like(truth)
    d[0, 7] = 1e-6
    up, down = (training.losses(a.detach() + s * d, truth, lorenz96.step, 10)[1] for s in (1.0, -1.0))
    assert abs(float((up - down) / 2e-6) / float(grad[0, 7]) - 1.0) < 1e-4


def test_a_training_gives_the_same_bits_again_and_learns():
    s = training.Settings(steps=40, batch=32, width=16, blocks=1, pool=300)
    net, course = training.train(s, lambda text: None)
    again, _ = training.train(s, lambda text: None)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))
    assert course.losses[-1] < course.losses[0]


@pytest.mark.slow
def test_the_network_is_better_than_3dvar_that_knows_all():
    """Three CPU minutes of training; found .605 against 3DVar .925 and the background 1.358, cycles .415."""
    net, _ = training.train(training.Settings(), lambda text: None)
    found = evaluation.scores(net, 1, 1000, 200, 20)
    assert found.analysis <= 0.7 * evaluation.rivals(1, 1000)["3DVar"]
    assert found.cloudy <= 0.7 * found.cloudy_background
    assert found.foreign > found.background
    assert found.right_way >= 0.95 and found.cycle <= 0.5


def test_commands_and_files(tmp_path, capsys):
    small = ["--steps", "3", "--width", "4"]
    main(["train", "--out", str(tmp_path / "a"), *small])
    main(["train", "--out", str(tmp_path / "corr"), "--observations", "none", *small])
    main(["evaluate", "--model", str(tmp_path / "a"), "--control", str(tmp_path / "corr"), "--cases", "60",
          "--cycles", "2", "--card", str(tmp_path / "card.md")])  # fmt: skip
    text = capsys.readouterr().out
    assert "ETA" in text and "| analysis over CORR |" in text and "3DVar" in (tmp_path / "card.md").read_text()
    with pytest.raises(ModelFileError, match="does not exist"):
        files.load(tmp_path / "nowhere")


def test_a_network_without_observations_sees_none():
    """Values behind a mask of zero do not count, whatever they are."""
    x = twin.draw(4, generator())
    net = training.network(training.Settings(width=8, blocks=1))
    blind = x.observed.none()
    a = training.analyse(net, x.background, blind)
    for behind in (300.0, torch.nan, torch.inf):
        b = training.analyse(net, x.background, blind._replace(value=blind.value + behind))
        assert torch.equal(a, b)
