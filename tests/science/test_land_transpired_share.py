# SPDX-License-Identifier: BSD-3-Clause
"""Transpired share of evapotranspiration at three towers by underlying water-use efficiency (Zhou et al. 2016)."""

import numpy as np
import pytest

from components.land.column.water_use import slope_of_quantile, transpired_share

rdata = pytest.importorskip("rdata")
TOWERS = {"DE_Tha_Jun_2014": 0.49, "FR_Pue_May_2012": 0.54, "AT_Neu_Jul_2010": 0.58}


def test_the_quantile_slope_splits_the_weights():
    gen = np.random.default_rng(0)
    x = gen.uniform(0.1, 2.0, 4000)
    y = x * gen.uniform(0.0, 1.0, x.size)
    slope = slope_of_quantile(x, y, 0.9)
    assert slope == pytest.approx(0.9, abs=0.02)
    assert x[y <= slope * x].sum() / x.sum() == pytest.approx(0.9, abs=2e-3)
    assert transpired_share(x, np.ones_like(x), x, np.ones(x.size, bool)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", TOWERS)
def test_towers(shared, name):
    file = shared / "data" / "land" / "flux_halfhourly" / f"{name}.rda"
    if not file.is_file():
        pytest.skip("no half-hourly fluxes")
    frame = next(iter(rdata.read_rda(file).values()))
    col = {k: frame[k].to_numpy(dtype=float, na_value=np.nan) for k in frame.columns}
    rain = np.nan_to_num(col["precip"])
    before = np.concatenate([[0.0], np.cumsum(rain)])
    i = np.arange(rain.size)
    dry = before[i + 1] - before[np.maximum(i + 1 - 48, 0)] <= 0.0
    ok = (col["PPFD"] > 100.0) & (col["LE"] > 10.0) & (col["LE_qc"] <= 1) & (col["NEE_qc"] <= 1)
    ok &= np.isfinite(col["GPP"]) & np.isfinite(col["VPD"])
    found = transpired_share(col["GPP"][ok], col["VPD"][ok], col["LE"][ok], dry[ok])
    print(name, round(found, 3), int(ok.sum()), int((ok & dry).sum()))
    assert found == pytest.approx(TOWERS[name], abs=0.05)
