# SPDX-License-Identifier: BSD-3-Clause
"""The East Asian seas at 0.25 degree: ten days through the coupler from inputs made on the spot."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

from tests.science.test_east_asia_straits import make_quarter_degree


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.timeout(7200)
def test_ten_days_are_stable(tmp_path, root, shared):
    """Ten days from rest: exchanged values plausible, currents below 2 m/s on every day, sea level within 3 m."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    case, run = tmp_path / "quarter", [sys.executable, str(root / "run_case.py")]
    new = [*run, "new", str(case), "--template", "east_asia_ocean"]
    subprocess.run(new, check=True, cwd=root, env=environment)
    make_quarter_degree(case / "quarter.nc", root, shared)
    for name, old, new in (
        ("case.yaml", "duration: P30D", "duration: P10D"),
        ("ocean.yaml", "step: PT1H", "step: PT30M"),
        ("ocean.yaml", "resolution: 0.5}", "resolution: 0.25}"),
        ("ocean.yaml", "file: east_asia_primitive_ocean.nc", "file: quarter.nc"),
    ):
        text = (case / name).read_text()
        assert old in text
        (case / name).write_text(text.replace(old, new))
    subprocess.run([*run, str(case)], check=True, cwd=root, env=environment)
    days = xr.open_dataset(case / "run" / "history" / "ocean.daily.nc")
    speed = np.hypot(days.surface_eastward_sea_water_velocity, days.surface_northward_sea_water_velocity)
    last = days.isel(time=-1)
    level, temperature = last.sea_surface_height_above_geoid, last.sea_surface_temperature
    print(f"speed up to {float(speed.max()):.2f} m/s, level {float(level.min()):.2f} to {float(level.max()):.2f} m")
    assert 0.3 < float(speed.max()) < 2.0
    assert float(np.abs(level).max()) < 3.0
    assert 270.0 < float(temperature.min()) and float(temperature.max()) < 305.0
