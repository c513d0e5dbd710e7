# SPDX-License-Identifier: BSD-3-Clause
"""Members shared out over ranks: the bits of one rank, and those that break down by their own numbers."""

import numpy as np
import pytest
import torch

from components.ml_surrogates.data_assimilation import observation_file
from components.ml_surrogates.data_assimilation.component import TAKEN, DataAssimilation
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.window import ensemble_of, run_members
from components.ml_surrogates.estimation.air import packed
from coupler.grids.decomposition import Decomposition
from tests.toys import real_core


class Breaks(Exception):
    """A forecast that breaks down."""


class Swelling:
    """Air that grows by a tenth a step; what begins too warm breaks down, what begins too dry is no number."""

    failures, seconds = (Breaks,), 600.0

    def __init__(self, broken=(), lost=()):
        self.broken, self.lost = broken, lost

    def advance(self, now, time, added=None):
        if added is not None:
            now = {k: a + added.get(k, 0.0) for k, a in now.items()}
            mark = round(float(added["t"].max()))
            if mark in self.broken:
                raise Breaks
            if mark in self.lost:
                now["q"] = now["q"] * torch.nan
        return {k: 1.1 * a for k, a in now.items()}

    def columns(self, now):
        return now


def air():
    g = torch.Generator().manual_seed(1)
    return {k: torch.rand((3, 4, 5), generator=g, dtype=torch.float64) for k in ("t", "q", "u", "v", "p")}


def ensemble(ranks, n=7, **given):
    forecast, background = Swelling(**given), air()
    x = packed(air())[None] * torch.arange(n).double()[:, None, None, None]
    x[:, 0] = torch.arange(n).double()[:, None, None]
    parts = [run_members(forecast, background, 0.0, 3, x, [], range(rank, n, ranks)) for rank in range(ranks)]
    return ensemble_of(background, x, parts)


@pytest.mark.parametrize("ranks", [2, 3, 10])
def test_any_number_of_ranks_gives_the_bits_of_one(ranks):
    one, many = ensemble(1, broken=(3,)), ensemble(ranks, broken=(3,))
    assert one.lost == many.lost == (3,)
    for a, b in zip(one[:3], many[:3], strict=True):
        assert torch.equal(a, b)
    assert one.start.shape[0] == 6


def test_members_that_break_down_or_are_no_numbers_are_named():
    assert ensemble(3, broken=(0, 5), lost=(4,)).lost == (0, 4, 5)
    with pytest.raises(RuntimeError, match="6 of 7 members of the ensemble broke down"):
        ensemble(2, broken=(0, 1, 2), lost=(4, 5, 6))


class Stumbles(Swelling):
    """Air that stays as it is; some members of each window break down."""

    def __init__(self, broken):
        super().__init__()
        self.begun, self.those = -1, broken

    def start(self, air):
        return dict(air)

    def advance(self, now, time, added=None):
        if added is not None:
            self.begun += 1
            if self.begun in self.those:
                raise Breaks
            now = {k: a + added[k] if k != "p" else a for k, a in now.items()}
        return now


def test_the_component_names_counts_and_replaces_members_that_break_down(tmp_path):
    said = []
    context = real_core.context(6, 5, 295e3, 600)
    context.decompositions = {"default": Decomposition(context.grid.shape)}
    context.folder, context.logger = tmp_path, said.append
    words = {"levels": 3, "window": "PT30M", "members": 7, "perturbations": "independent", "observations": "o.nc"}
    lon, lat = float(context.grid.longitude[2, 3]), float(context.grid.latitude[2, 3])
    one, p = np.ones(1), np.full((1, 2), 7e4)
    name = np.array(["air_temperature"])
    table = Table(0.0 * one, lon * one, lat * one, p, name, np.array(["sonde"]), 272.0 * one, 0.5 * one)
    observation_file.write(tmp_path / "o.nc", table, context.clock)
    given = {**words, "forecast": {"step": "PT10M", "relief": ""}}
    eye = DataAssimilation(DataAssimilation.Options(**given))
    eye.initialize(context)
    eye.operator = Stumbles((2, 5))
    layers = {"t": 270.0, "q": 1e-3, "p": 0.0, "u": 5.0, "v": 0.0}
    air = {k: np.full((3, 5, 6), a) for k, a in layers.items()}
    air["p"] += np.array([9e4, 7e4, 5e4])[:, None, None]
    eye.step(0, 600, {name: air[part] for name, part in TAKEN.items()})
    assert any("member(s) 2, 5 broke down and are left out: 2 of 7" in line for line in said)
    x = torch.as_tensor(eye.x)
    assert x.shape[0] == 7 and float(x.mean(0).abs().max()) < 1e-12 and float(x.std(0).max()) > 0.1
    assert float(np.abs(eye.rates).max()) > 0.0 and np.isfinite(eye.rates).all()
