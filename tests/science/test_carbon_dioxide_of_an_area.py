# SPDX-License-Identifier: BSD-3-Clause
"""East Asia at 100 km: carbon dioxide whose truth is the atmosphere's own transport, in weather that moves on.

Eight gases with sources at the ground and inflow of their own in a run of the non-hydrostatic core. Systems have a run
of their own, with other weather at the sides, warmer land and other random gases; networks are trained on the first
days and scored on the last quarter, on gases that no training has seen.
"""

import netCDF4
import pytest
import torch

from components.ml_surrogates.co2_reconstruction import regional
from components.ml_surrogates.co2_reconstruction.regional_truth import Carried, Names, of_training, read
from components.ml_surrogates.co2_reconstruction.settings import Settings
from coupler.case.command import main
from tests.toys.gases_of_an_area import write_case

NAMES = Names([f"gas{k}" for k in range(1, 6)], ["gas6", "gas7"], "gas0")
THEIRS = {"draw": 1, "error": 2.0, "warmer": 1.5}  # what systems have: see `write_case`


def ran(folder, shared, **size):
    """The output of a run of the case."""
    data = shared / "data" / "atmosphere"
    day = [data / "era_interim_20050123" / f"2005-01-23-0000-{k}.nc" for k in "uvt"]
    write_case(folder, day, [data / "era5_tl31_19590102T00.nc"], **size)
    assert main(["run", str(folder), "--serial"]) == 0
    return folder / "run" / "history" / "atmosphere.air.nc"


def test_gases_are_fed_and_carried_and_systems_carry_the_known_one_less_well(tmp_path, shared):
    """The twin of the slow one, a day at 300 km: where the steady source stands its gas has gathered."""
    size = {"days": 1, "shape": (12, 14), "spacing": 300e3}
    output = ran(tmp_path / "area", shared, gases=3, **size)
    theirs = ran(tmp_path / "theirs", shared, gases=4, **size, **THEIRS)
    air = read(output, Names(["gas1"], ["gas2"], "gas0"), carried=Carried(theirs, ["gas1", "gas2", "gas3"]))
    assert air.gases.shape == (4, 1, 12, 14) and float(air.u.abs().max()) < 80.0 and air.members.shape[1] == 3
    with netCDF4.Dataset(tmp_path / "area" / "fluxes.nc") as f, netCDF4.Dataset(tmp_path / "theirs" / "fluxes.nc") as g:
        steady, same = (torch.as_tensor(a["steady"][:].filled()) for a in (f, g))
        assert torch.equal(steady, same) and not (f["flux1"][:] == g["flux1"][:]).any()
    alike = float(torch.corrcoef(torch.stack([air.known[0].flatten(), steady.flatten()]))[0, 1])
    assert alike > 0.5, alike  # after six hours; then winds carry it away
    wrong = air.known - air.carried
    assert 0.0 < float(wrong[-1].std()) < float(air.known[-1].std())


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_networks_beat_kriging_on_days_at_the_end_and_sources_never_seen(tmp_path, shared):
    """Kriging is tuned on the very days and sources of the test; eight stations on 40 x 44 cells.

    Kriging about the mean of the past errs by 10.8 ppm; that of what is not carried leaves 0.591 of it, tuned on days
    before the tests, which the network adds to; got 0.573 and 0.584. With 16 gases for training it leaves 0.97 of that
    which is tuned on the tests. Bounds leave room for the bits of another processor.
    """
    output = ran(tmp_path / "area", shared)
    theirs = ran(tmp_path / "theirs", shared, gases=16, **THEIRS)
    air = read(output, NAMES, skip=8, carried=Carried(theirs, [f"gas{k}" for k in range(1, 16)]))
    assert not of_training(len(air.u))[-len(air.u) // 4 :].any()
    ratios = []
    for seed in (1, 2):
        words = {"prior": "kriging", "embedding": "carried", "frames": 6, "width": 12, "steps": 200, "batch": 8}
        _, _, rows = regional.trained(Settings(cyclic=False, seed=seed, rate=3e-3, **words), air, -1)
        best = rows[regional.STILL].rmse
        ratios.append(rows["network"].rmse / best)
        print(seed, {name: (row.rmse / best, row.covered, row.spread) for name, row in rows.items()})
    assert rows["climatology"].rmse > 1.2 * best  # there is something to find
    assert rows["what is carried"].rmse < 0.9 * best and rows["carried ensemble"].rmse < rows["what is carried"].rmse
    assert max(ratios) < 0.75, ratios
