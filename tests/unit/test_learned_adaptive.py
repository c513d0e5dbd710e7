# SPDX-License-Identifier: BSD-3-Clause
"""Adaptive replacement: which columns are chosen, by whom they are computed, and that no layout changes it."""

import math

import pytest
import torch

from components.ml_surrogates import model_file
from components.ml_surrogates.model_file import ModelFileError
from components.ml_surrogates.radiation_emulator import error_predictor, networks
from components.ml_surrogates.radiation_emulator.adaptive import PHYSICAL, RECURRENT, Choice, Order, tiers
from components.ml_surrogates.radiation_emulator.emulator import Emulator
from components.radiation.gray_scheme import gray
from tests.toys.learned import card
from tests.unit.test_learned_host import GASES, air, some

LEVELS = 17


def test_the_worst_columns_are_chosen_and_no_more_than_the_share():
    values = [0.1, 0.9, 0.3, 0.9, 0.2, math.nan, 0.05, -math.inf, 0.4, 0.3]
    error = torch.tensor(values, dtype=torch.float64)
    assert torch.nonzero(tiers(error, Order(0.2)) == PHYSICAL)[:, 0].tolist() == [1, 5]  # ties: the lower number
    assert torch.nonzero(tiers(error, Order(0.39)) == PHYSICAL)[:, 0].tolist() == [1, 3, 5]  # 3.9 columns are 3
    assert tiers(error, Order(1.0)).tolist() == [2, 2, 2, 2, 2, 2, 2, 0, 2, 2]  # the fallback's are nobody's
    assert torch.nonzero(tiers(error, Order(1.0, tolerance=0.3)))[:, 0].tolist() == [1, 3, 5, 8]
    three = tiers(error, Order(0.2, 0.3))
    assert three.tolist() == [0, 2, RECURRENT, 1, 0, 2, 0, 0, 1, 0]
    assert tiers(error, Order(0.0)).sum() == 0


def emulator(predictor, gather, scatter, shape, batch=16):
    torch.manual_seed(0)
    net = networks.build("mlp", levels=LEVELS, hidden=16).eval()
    ranges = {"air_temperature_in_atmosphere_layer": (150.0, 340.0), "humidity_mixing_ratio": (0.0, 0.05)}
    ins = tuple(type(v)(v.name, v.units, *ranges.get(v.name, (v.low, v.high))) for v in card().inputs)
    choice = Choice(predictor, Order(0.2), batch, gather, scatter, shape)
    whole = Emulator(
        net, card(inputs=ins), GASES, batch, lambda air, index: gray(air), guard=False, refinement=choice,
        better={PHYSICAL: lambda air, index: gray(air)},
    )  # fmt: skip
    return whole, choice


@pytest.fixture(scope="module")
def predictor():
    torch.manual_seed(3)
    return error_predictor.ErrorPredictor(LEVELS).eval()


def test_chosen_columns_are_the_physical_schemes_and_the_same_in_any_layout(predictor):
    """Three ranks: what is gathered comes from all, and each has its part of the choice."""
    n, columns = 70, air(70)
    whole, choice = emulator(predictor, lambda a: a, lambda a: a, (1, n))
    got, physical = whole(columns), gray(columns)
    chosen = choice.chosen[0] == PHYSICAL
    assert int(chosen.sum()) == 14
    least = choice.error[0][chosen].min()
    assert bool((choice.error[0][~chosen] <= least).all())
    torch.testing.assert_close(got.heating[..., chosen], physical.heating[..., chosen].to(got.heating), rtol=0, atol=0)
    assert not torch.equal(got.heating[..., ~chosen], physical.heating[..., ~chosen].to(got.heating))
    for index in torch.arange(n).tensor_split(3):
        seen = []

        def gather(mine, index=index, seen=seen):
            torch.testing.assert_close(torch.as_tensor(mine)[0], choice.error[0, index], rtol=0.0, atol=0.0)
            seen.append(1)
            return choice.error.numpy()

        part, _ = emulator(predictor, gather, lambda a, index=index: a[:, index.numpy()], (1, len(index)))
        mine = part(some(columns, index))
        assert seen
        torch.testing.assert_close(mine.heating, got.heating[..., index], rtol=0.0, atol=0.0)
        torch.testing.assert_close(mine.longwave_down, got.longwave_down[..., index], rtol=0.0, atol=0.0)


def test_a_predictor_serves_only_the_weights_whose_errors_it_learned(tmp_path, predictor):
    torch.manual_seed(0)
    net = networks.build("mlp", levels=LEVELS, hidden=16)
    model_file.save(tmp_path / "net", net.state_dict(), card())
    error_predictor.save(tmp_path / "net_error", predictor, tmp_path / "net", "mlp", "0" * 64, 1, {})
    mine = model_file.load(tmp_path / "net")[1]
    again = error_predictor.load(tmp_path / "net_error", mine)
    assert torch.equal(again.net[0].weight, predictor.net[0].weight)
    with pytest.raises(ModelFileError, match="errors of other weights"):
        error_predictor.load(tmp_path / "net_error", card(weights_hash="1" * 64))
    with pytest.raises(ModelFileError, match="not a predictor"):
        error_predictor.load(tmp_path / "net", mine)
    with pytest.raises(ModelFileError, match="does not exist"):
        error_predictor.load(tmp_path / "nothing", mine)


def test_three_tiers_share_the_columns(predictor):
    n, columns = 40, air(40)
    whole, choice = emulator(predictor, lambda a: a, lambda a: a, (1, n))
    choice.order = Order(0.1, 0.25)
    asked = []
    whole.better = {who: lambda air, index, who=who: asked.append((who, len(index))) or gray(air) for who in (1, 2)}
    whole(columns)
    assert sorted(asked) == [(RECURRENT, 10), (PHYSICAL, 4)]
    assert choice.counts == {0: 26, RECURRENT: 10, PHYSICAL: 4}
