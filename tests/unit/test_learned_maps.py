# SPDX-License-Identifier: BSD-3-Clause
"""Networks over the columns of a map: observations on the grid, what is refused, training on the core's runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from components.ml_surrogates.data_assimilation import observation_file
from components.ml_surrogates.data_assimilation.component import DataAssimilation
from components.ml_surrogates.data_assimilation.learned import maps, nature
from components.ml_surrogates.data_assimilation.learned.__main__ import main
from components.ml_surrogates.data_assimilation.observation_file import Table
from components.ml_surrogates.data_assimilation.places import Places
from components.ml_surrogates.estimation.nature_runs import LAMBERT, MERIDIAN
from components.ml_surrogates.model_file import ModelFileError
from coupler.clock import Clock
from coupler.component import Setting
from coupler.grids.grid import Grid
from tests.toys.learned_maps import CHANNELS, written

CLOCK = Clock("2001-01-01", "noleap")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def table(rows):
    """Of (time, variable, pressure, value)."""
    n = len(rows)
    p = np.array([r[2] for r in rows])
    return Table(
        np.array([r[0] for r in rows], dtype=float), np.full(n, 119.0), np.full(n, 25.0), np.stack([p, p], 1),
        np.array([r[1] for r in rows]), np.array(["sonde"] * n), np.array([r[3] for r in rows], dtype=float),
        np.ones(n),
    )  # fmt: skip


def test_observations_lie_in_their_cells():
    """Two in a cell make their mean; a value of zero is one, with its mask."""
    t = table([(0, "air_temperature", 5e4, 260.0), (1200, "air_temperature", 5.1e4, 262.0),
               (600, "eastward_wind", 8.5e4, 0.0), (0, "air_temperature", 7e4, 280.0)])  # fmt: skip
    places = Places(np.array([1.2, 0.8, 3.0, 0.0]), np.array([2.4, 1.6, 0.0, 0.0]), np.ones(4, dtype=bool))
    at = torch.zeros((3, 4, 5))
    channel = maps.channel_of(t, CHANNELS)
    assert channel.tolist() == [0, 0, 3, -1]
    out = maps.gridded(t, places, channel >= 0, CHANNELS, at, 0.0, 2400.0)
    value, mask, time = out[:4], out[4:8], out[8:12]
    assert float(value[0, 1, 2]) == 261.0 and float(time[0, 1, 2]) == 0.25
    assert float(mask.sum()) == 2.0 and float(mask[3, 3, 0]) == 1.0
    assert float(value[3, 3, 0]) == 0.0 and float(time[3, 3, 0]) == 0.25


def test_vapour_stays_above_zero_and_the_increment_is_that_of_the_network(tmp_path):
    trained = maps.load(written(tmp_path / "n"))
    air = {k: torch.full((8, 6, 7), v, dtype=torch.float64) for k, v in
           {"t": 260.0, "q": 0.0, "u": 5.0, "v": 0.0, "p": 5e4}.items()}  # fmt: skip
    at = maps.place(*(np.meshgrid(np.linspace(100, 112, 7), np.linspace(20, 30, 6))))
    nothing = torch.cat([torch.zeros((12, 6, 7)), at])
    dx = trained.increment(air, nothing)
    assert dx.shape == (32, 6, 7) and float(dx[8:16].min()) >= 0.0 and float(dx.abs().max()) > 1e-3
    hidden = nothing.clone()
    for behind in (300.0, torch.nan):  # a mask of zero
        hidden[:4] = behind
        assert torch.equal(trained.increment(air, hidden), dx)
    assert trained.outside(air) == []
    hot = trained.outside({**air, "t": air["t"] + 200.0})
    assert "t of 460 to 460 K (trained on 100 to 400)" in hot[0]


def problems(tmp_path, rows=None, network="n", **options):
    if rows is not None:
        observation_file.write(tmp_path / "o.nc", table(rows), CLOCK)
        options["observations"] = "o.nc"
    given = {"levels": 8, "window": "PT6H", "method": "learned", "network": network, **options}
    grid = Grid.projected("assimilation", LAMBERT.format(MERIDIAN), 22, 22, 295e3, center=(119.02, 25.02))
    return DataAssimilation(DataAssimilation.Options(**given)).check(
        Setting("assimilation", CLOCK, 21600, 21600, grid, tmp_path)
    )


def test_check_names_what_the_network_was_not_trained_for(tmp_path):
    fits = {"window": 21600, "spacing": 2.95e5, "until": 1800}
    written(tmp_path / "n", **fits)
    assert problems(tmp_path) == []
    assert problems(tmp_path, [(0, "air_temperature", 5e4, 260.0)]) == []
    assert "nowhere" in problems(tmp_path, network="nowhere")[0] and "does not exist" in problems(
        tmp_path, network="nowhere")[0]  # fmt: skip
    assert "expected the path of a trained one, found none" in problems(tmp_path, network="")[0]
    assert "expected a network of 9 levels, found one trained on 8" in problems(tmp_path, levels=9)[0]
    assert "increment_at: start" in problems(tmp_path, increment_at="end")[0]
    wrong = problems(tmp_path, [(0, "air_temperature", 5e4, 460.0), (60, "northward_wind", 5e4, 1.0),
                                (7200, "air_temperature", 5e4, 260.0)])  # fmt: skip
    assert len(wrong) == 3
    assert "of a variable and pressure that was not trained, the first is northward_wind of 1 at 500 hPa" in wrong[0]
    assert "1 of 3 observations outside the training range, the first is air_temperature of 460" in wrong[1]
    assert "at a time of the window" in wrong[2]
    written(tmp_path / "far", window=3600, spacing=1e5)
    both = problems(tmp_path, network="far")  # 295 km of the projection are 303 km on the ground here
    assert "windows of 21600 s, found one trained on 3600 s" in both[0] and "cells of 303 km" in both[1]
    (tmp_path / "n.safetensors").write_bytes(b"0" * 100)
    assert "damaged" in problems(tmp_path)[0]


def test_training_gains_where_there_are_stations(tmp_path):
    """Smooth errors of the background, shared by all levels: a short training finds them."""
    g = torch.Generator().manual_seed(1)
    n, levels = 24, 4
    rough = torch.randn((2 * n, 1, 3, 3), generator=g)
    smooth = torch.nn.functional.interpolate(rough, (12, 12), mode="bilinear", align_corners=True)
    truth = 10.0 + 8.0 * smooth[:n].expand(-1, 4 * levels, -1, -1)
    background = truth - 4.0 * smooth[n:]
    p = nature.Pairs(truth, background, truth[:, None, :1].expand(-1, -1, len(nature.CHANNELS), -1, -1))
    s = nature.Settings(steps=120, width=12, blocks=1, share=0.4, rate=5e-3)
    net, losses = nature.train(p, torch.zeros((3, 12, 12)), s, lambda text: None)
    assert losses[-1] < 0.9 * losses[0]
    found = nature.reduction(net, p, torch.zeros((3, 12, 12)), replace(s, seed=9))
    assert found["stations"] < 0.8 * found["none"]


def test_the_command_trains_on_the_real_core(tmp_path, capsys):
    out = tmp_path / "maps"
    main(["train-maps", "--out", str(out), "--runs", "1", "--hours", "1", "--every", "1", "--window", "1",
          "--levels", "6", "--cells", "14", "--steps", "3", "--width", "4"])  # fmt: skip
    assert "error over the background's" in capsys.readouterr().out
    trained = maps.load(Path(out))
    assert trained.problems(6, 3600, 295e3) == []
    with pytest.raises(ModelFileError, match="expected a model 'learned_assimilation_maps', found"):
        from components.ml_surrogates.radiation_emulator.networks import path_of

        maps.load(path_of("mlp"))
