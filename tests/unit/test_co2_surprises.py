# SPDX-License-Identifier: BSD-3-Clause
"""Reports that keep exceeding what the inversion expects: what is usual of them, alarms, and their end."""

import pytest
import torch

from components.ml_surrogates.co2_reconstruction import reconstruction, surprises
from components.ml_surrogates.co2_reconstruction.inputs import Fixed
from components.ml_surrogates.co2_reconstruction.settings import Settings


def chance(flows, n, p, seed=3):
    """Innovations of a first-order autoregression, some stations in steep air, and what they are measured by."""
    g = torch.Generator().manual_seed(seed)
    z = torch.randn((flows, n, p), generator=g)
    for k in range(1, n):
        z[:, k] = 0.5 * z[:, k - 1] + 0.75**0.5 * z[:, k]
    ensemble, carried = 0.2 + torch.rand((flows, n, p), generator=g), 3.0 * torch.rand((flows, n, p), generator=g)
    error = torch.full_like(z, 0.2)
    deviation = torch.sqrt(1.5 * ensemble + 2.0 * carried**2 + 0.01 * 25.0 + error**2)
    size = surprises.Size(ensemble, carried, torch.full((p,), 5.0), error)
    return surprises.Surprise(deviation * z, torch.ones_like(z, dtype=torch.bool), size)


SIX_HOURS = 6.0 * 3600.0


def test_what_is_usual_of_innovations_is_learned_and_alarms_are_as_rare_as_said():
    cells = torch.arange(50)
    usual = surprises.learned(chance(40, 40, 50), cells, SIX_HOURS)
    assert usual.ensemble == pytest.approx(1.5, rel=0.15) and usual.wind == pytest.approx(2.0, rel=0.05)
    assert usual.memory == pytest.approx(0.5, abs=0.02)
    fresh = chance(40, 40, 50, seed=4)
    sums = surprises.course(usual, usual.standardised(fresh), fresh.mask, SIX_HOURS)
    assert float(usual.excess(sums[:, 20:], cells).std()) == pytest.approx(1.0, abs=0.05)
    false = float(usual.alarm(sums, cells).any(-1).float().mean())
    assert 0.5 < false / (1.0 - surprises.USUAL) < 2.0


def test_excesses_that_go_on_raise_an_alarm_which_ends_after_them_and_one_wrong_report_does_not():
    usual, cells = surprises.Usual(1.0, 0.0, 0.0, 0.5, 4.5), torch.arange(3)
    z = torch.zeros(40, 3)
    z[4:16, 0] = 5.0
    z[4, 1] = 1e6
    z[4:16, 2] = -5.0  # a source adds
    mask = torch.ones_like(z, dtype=torch.bool)
    alarm = usual.alarm(surprises.course(usual, z, mask, SIX_HOURS), cells)
    assert not alarm[:, 1:].any() and not alarm[:6, 0].any() and alarm[12:16, 0].all() and not alarm[24:, 0].any()
    mask[6:] = False  # a station that falls silent says nothing more
    assert not usual.alarm(surprises.course(usual, torch.where(mask, z, 0.0), mask, SIX_HOURS), cells).any()


def test_sums_are_measured_by_those_of_their_station_and_of_an_unknown_one_by_the_largest():
    usual = surprises.Usual(1.0, 0.0, 0.0, 0.5, 4.5, cells=[7, 3], mean=[1.0, -1.0], deviation=[2.0, 0.5])
    got = usual.excess(torch.tensor([3.0, 3.0, 3.0]), torch.tensor([3, 7, 11]))
    assert got.tolist() == [8.0, 1.0, 1.5]


def test_a_network_keeps_what_is_usual_beside_it(tmp_path):
    model = reconstruction.Reconstruction(
        Settings(frames=1, width=4), Fixed(*(torch.ones(10, 15) for _ in Fixed._fields))
    )
    model.usual = surprises.Usual(1.0, 0.5, 0.0, 0.5, 4.5, cells=[7, 3], mean=[1.0, -1.0], deviation=[2.0, 0.5])
    model.save(tmp_path / "model", {}, "none")
    assert reconstruction.load(tmp_path / "model").usual == model.usual
