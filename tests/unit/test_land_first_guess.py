# SPDX-License-Identifier: BSD-3-Clause
"""The learned first guess of the stomatal optimum: the same root, fewer evaluations, the same bits in any company."""

import pytest
import torch

from components.land.column import first_guess
from components.land.column.component import ColumnLand
from components.land.column.first_guess import KINDS, guessed, load
from components.land.column.first_guess_training import evaluations, leaves, reached
from components.land.column.gas_exchange import Stomata
from components.land.column.optimality import Scene, optimise
from components.land.column.structure import gather
from components.ml_surrogates.model_file import ModelFileError
from coupler.clock import Clock
from coupler.component import Setting
from coupler.grids.grid import Grid


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_it_finds_the_same_root_with_fewer_evaluations(kind):
    """At least a quarter fewer than from the middle of the supply curve, on leaves not trained on."""
    net, model = load(), kind()
    scene = reached(model, leaves(1500, 91))
    guess = guessed(net, model, scene)
    plain, learned = (evaluations(model, scene, g).mean() for g in (None, guess))
    print(f"{kind.__name__}: {plain:.2f} from the middle, {learned:.2f} learned")
    assert learned <= 0.75 * plain
    right, mine = (optimise(model, scene, 40, guess=g).conductance for g in (None, guess))
    assert float((torch.abs(mine - right) / torch.clamp(right, min=1e-6)).max()) <= 1e-9


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_guess_however_poor_moves_the_root(kind):
    """Nor where the optimum is an end of the curve: of zero, below it, huge, of random size, and none at all."""
    model, scene = kind(), leaves(300, 44)
    right = optimise(model, scene, 40).conductance
    none = torch.zeros_like(right)
    random = 10.0 ** (8.0 * torch.rand(right.shape, generator=torch.Generator().manual_seed(2)).double() - 6.0)
    for guess in (none, none - 1.0, none + 1e3, none + torch.inf, none + torch.nan, random):
        found = optimise(model, scene, 40, guess=guess).conductance
        torch.testing.assert_close(found, right, rtol=1e-9, atol=1e-12)


def test_a_leaf_has_the_same_guess_in_any_company():
    net, model = load(), KINDS[5]()
    scene = leaves(700, 17)
    n = scene.ca.numel()
    whole = guessed(net, model, scene)
    for part in torch.arange(n).tensor_split(3):
        some = gather((scene,), scene.ca.shape, part)[0]
        assert torch.equal(guessed(net, model, some), whole[part])


def test_stomata_take_it_in_the_place_of_the_last_value():
    """A poor last value costs nothing then, and an empirical model is not asked."""
    scene = leaves(200, 5)
    asked = []

    def guess(model, seen):
        asked.append(1)
        return guessed(load(), model, seen)

    pressure = torch.full_like(scene.ca, 1e5)
    given = (scene.leaf, scene.ca, scene.deficit * 1e5, torch.full_like(scene.ca, 0.5), pressure, scene.plant)
    plain, learned = (Stomata("wang", guess=g)(*given, scene.temperature, None)[0] for g in (None, guess))
    torch.testing.assert_close(learned, plain, rtol=1e-6, atol=1e-9)
    assert asked
    Stomata("medlyn", g1=2.0, guess=guess)(*given, scene.temperature, None)
    assert len(asked) == 1


def test_check_refuses_it_where_nothing_is_optimal(tmp_path):
    grid = Grid.regular_lonlat("land", 100, 104, 20, 24, resolution=2)
    setting = Setting("land", Clock("2001-06-21"), 3600, 86400, grid, tmp_path)
    for stomata, expected in (("medlyn", ["first_guess: learned serves optimal stomata"]), ("dewar", [])):
        land = ColumnLand(ColumnLand.Options(stomata=stomata, first_guess="learned"))
        assert [text[: len(e)] for text, e in zip(land.check(setting), expected, strict=True)] == expected


def test_what_is_not_a_first_guess_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="does not exist"):
        load(tmp_path / "none")
    assert guessed(load(), object(), Scene(*([None] * 5))) is None
    assert first_guess.knows("wang") and not first_guess.knows("medlyn")
