# SPDX-License-Identifier: BSD-3-Clause
"""The shipped six-hour forecast on runs of the core where no training run lay: beside persistence, and for ten days."""

import pytest
import torch

from components.ml_surrogates.forecast import evaluation, files, sampling
from components.ml_surrogates.forecast.rivals import pairs, rms
from components.ml_surrogates.forecast.training import rollout, scaled_error

SECTOR = (262.0, 328.0)  # degrees east of East Asia; the training's ended at 230


def over_persistence(net, s):
    x, y = pairs(s)
    sides = s.sides.repeat_interleave(len(x) // len(s.sides), 0)
    with torch.no_grad():
        learned = rollout(net, x, sides, s, 1)[0]
    return rms(scaled_error(net, learned, y, s)) / rms(scaled_error(net, x, y, s))


def run(driver, days, seed):
    torch.set_num_threads(1)
    return sampling.sample(sampling.Plan([driver], 1, days, SECTOR, seed=seed), lambda text: None)


def test_six_hours_of_a_disturbed_jet_never_seen():
    net = files.load(files.SHIPPED).net
    assert over_persistence(net, run([sampling.JET], 1.25, 40)) < 0.5


@pytest.mark.slow
def test_six_hours_and_ten_days_of_an_analysis_elsewhere(shared):
    """ERA5 of January 1959, four days of starts, and a forecast of ten days."""
    net = files.load(files.SHIPPED).net
    s = run([str(shared / "data/atmosphere/era5_tl31_19590102T00.nc")], 10.0, 41)
    first = s._replace(states=s.states[:, :32])
    assert over_persistence(net, first) < 0.58
    found = evaluation.long_run(net, s)
    assert found["finite"] == 1.0 and found["dry mass"] < 1e-5
    assert 0.6 < found["spread at the end"] < 1.6
