# SPDX-License-Identifier: BSD-3-Clause
"""A learned emulator as the forecast operator: it learns a flow, and is refused where it does not fit."""

import pytest
import torch

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.data_assimilation.learned import emulator, nature, stepper
from components.ml_surrogates.data_assimilation.learned.emulator import Emulator, RunsAway
from components.ml_surrogates.data_assimilation.places import spacing_of
from components.ml_surrogates.data_assimilation.window import trajectory
from coupler.clock import Clock
from coupler.component import Context
from coupler.grids.grid import Grid
from tests.toys.learned_forecast import written

LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
LEVELS, CELLS = 3, 12


def context(folder, step=3600):
    grid = Grid.projected("assimilation", LAMBERT, CELLS, CELLS, 295e3)
    return Context("assimilation", Clock("2001-01-01", "noleap"), step, 86400, grid, folder, grids={"default": grid})


def air(seed=1):
    g = torch.Generator().manual_seed(seed)
    draw = lambda: torch.rand((LEVELS, CELLS, CELLS), generator=g, dtype=torch.float64)  # noqa: E731
    p = 1e5 * torch.exp(-torch.arange(LEVELS).double())[:, None, None] * (1.0 + 0.01 * draw())
    return {"t": 260.0 + 20.0 * draw(), "q": 0.01 * draw(), "u": 20.0 * draw() - 10.0, "v": 10.0 * draw(), "p": p}


def moved(n=12, times=6):
    """Waves on a periodic plane that a third field moves: c' = -u dc/dx."""
    g = torch.Generator().manual_seed(5)
    x = 2.0 * torch.pi * torch.arange(16) / 16.0
    phase = 6.28 * torch.rand((n, 1, 1), generator=g)
    c = torch.sin(x[None, None] + phase) * torch.cos(x[None, :, None] + phase)
    u = 0.3 * (1.0 + torch.cos(x[None, :, None] + 2.0 * phase)).expand(n, 16, 16)
    states = [torch.stack([c, u], 1)]
    for _ in range(times - 1):
        c = c - 0.5 * u * (torch.roll(c, -1, -1) - torch.roll(c, 1, -1))
        states.append(torch.stack([c, u], 1))
    return torch.stack(states, 1)


def test_a_product_of_fields_is_learned_within_seconds():
    runs = moved()
    s = stepper.Settings(steps=300, width=8, rate=1e-2)
    net, losses = stepper.train(runs[:10], s, False, lambda text: None)
    kept = stepper.error_over_persistence(net, runs[10:], 1)
    print(losses[0], losses[-1], kept)
    assert losses[-1] < 0.1 * losses[0] and kept < 0.5


def test_air_goes_in_and_comes_out_and_gradients_pass(tmp_path):
    f = Emulator(context(tmp_path), {"network": str(written(tmp_path / "m", LEVELS, (CELLS, CELLS), 3600)), "levels": 3,
                                     "precision": "double"})  # fmt: skip
    a = air()
    back = f.columns(f.start(a))
    for name in a:
        assert torch.allclose(back[name], a[name], rtol=1e-12)
    added = {k: torch.zeros_like(a[k]).requires_grad_(True) for k in ("t", "q", "u", "v")}
    now = f.advance(f.advance(f.start(a), 0.0, added), 3600.0)
    f.columns(now)["u"].square().sum().backward()
    assert all(bool(torch.isfinite(k.grad).all()) and float(k.grad.abs().max()) > 0.0 for k in added.values())
    less = f.advance(f.start(a), 0.0, {"q": torch.full_like(a["q"], -1.0)})
    assert float(f.columns(less)["q"].min()) >= 0.0
    with pytest.raises(RunsAway, match="spreads from its training's mean"):
        f.advance(f.start(a), 0.0, {"t": torch.full_like(a["t"], 1e5)})


def test_it_is_found_by_name_and_refused_where_it_does_not_fit(tmp_path):
    written(tmp_path / "m", LEVELS, (CELLS, CELLS), 3600, spacing_of(context(tmp_path).grid))
    given = {"network": "m", "levels": LEVELS}
    assert forecast_operators.problems("learned", context(tmp_path), given) == []
    operator = forecast_operators.make("learned", context(tmp_path), given)
    end, _ = trajectory(operator, operator.start(air()), 0.0, 2, None, [])
    assert all(bool(torch.isfinite(a).all()) for a in end.values())
    (found,) = forecast_operators.problems("learned", context(tmp_path), {"network": "", "levels": LEVELS})
    assert "needs a network" in found
    (found,) = forecast_operators.problems("learned", context(tmp_path), {"network": "nowhere", "levels": LEVELS})
    assert "nowhere.json does not exist" in found
    found = forecast_operators.problems("learned", context(tmp_path, 1800), {"network": "m", "levels": 5})
    assert found == [
        "forecast: network: expected a network of levels 5, found one trained on 3",
        "forecast: network: expected a network of a step, s, 1800, found one trained on 3600",
    ]


class Drifting:
    """Air that moves a cell eastward a step."""

    seconds = 3600.0
    initial = property(lambda self: air(3))

    def advance(self, now, time, added=None):
        now = now if added is None else {k: a + added.get(k, 0.0) for k, a in now.items()}
        return {k: torch.roll(a, 1, -1) for k, a in now.items()}

    def columns(self, now):
        return now


def test_runs_are_taken_every_some_steps_each_with_a_disturbance_of_its_own():
    latitude = torch.full((CELLS, CELLS), 35.0).double()
    found = nature.runs(Drifting(), latitude, 295e3, 2, 6, 2, 1, lambda text: None)
    assert found.shape == (2, 3, 5 * LEVELS, CELLS, CELLS)
    assert torch.equal(found[0, 1], torch.roll(found[0, 0], 2, -1))
    assert float((found[0, 0] - found[1, 0])[: 4 * LEVELS].abs().max()) > 0.1
    apart = (found[0, 0] - found[1, 0])[4 * LEVELS :].abs()  # of ln p: balanced winds have their pressure
    assert 0.0 < float(apart.max()) < 0.05
    s = stepper.Settings(steps=4, width=4)
    net, _ = stepper.train(found, s, True, lambda text: None)
    assert net.sizes["ny"] == CELLS
    assert emulator.state_of(air()).shape == (5 * LEVELS, CELLS, CELLS)
