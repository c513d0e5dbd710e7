# SPDX-License-Identifier: BSD-3-Clause
"""Fluorescence at 740 nm over East Asia as satellites see it: bright in July, next to nothing in the northern winter.

TROPOMI and OCO-2 see some .3 to 1.5 mW m-2 sr-1 nm-1 over vegetation in July, and less than .3 north of 35N in January.
"""

import numpy as np
import xarray as xr

from coupler.case import command

BANDS = "modis_ndvi, tropomi_sif_740"


def seen(folder, month):
    case = folder / f"month{month}"
    assert command.main(["new", str(case), "--template", "east_asia_land"]) == 0
    text = (case / "case.yaml").read_text()
    (case / "case.yaml").write_text(text.replace("2001-01-01", f"2001-{month}-15").replace("P30D", "P1D"))
    text = (case / "land.yaml").read_text().replace("resolution: 1.0", "resolution: 3.0")
    text = text.replace("  stomata: medlyn", f"  spectra: {{bands: [{BANDS}]}}\n  stomata: medlyn")
    text = text.replace(
        "output:", f"output:\n  - {{name: seen, fields: [{BANDS}], period: P1D, statistic: instant}}", 1
    )
    (case / "land.yaml").write_text(text)
    assert command.main([str(case), "--serial"]) == 0
    with xr.open_dataset(case / "run" / "history" / "land.seen.nc") as file:
        return file.isel(time=-1).load()


def test_bright_summer_dark_northern_winter(tmp_path):
    summer, winter = (seen(tmp_path, month) for month in ("07", "01"))
    july, january = summer["tropomi_sif_740"].values, winter["tropomi_sif_740"].values
    mean = np.nanmean(july[summer["modis_ndvi"].values > 0.4])
    north = np.nanmean(january[summer["lat"].values > 35.0])
    print(f"July, vegetated: mean {mean:.2f}, largest {np.nanmax(july):.2f}; January, north of 35N: {north:.2f}")
    assert 0.3 < mean < 1.5 and np.nanmax(july) < 3.0
    assert north < 0.3
