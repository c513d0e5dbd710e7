# SPDX-License-Identifier: BSD-3-Clause
"""The land mask is that of its package, without the package's gigabyte in every process."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coupler.files import land_mask

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fresh():
    """Nothing read yet."""
    land_mask._coasts.cache_clear()
    yield
    land_mask._coasts.cache_clear()


def test_places_are_those_of_the_package(tmp_path, monkeypatch, fresh):
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path))
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-180.0, 180.0, 100_000), [-180.0, 180.0, 0.0, 180.0, 179.999999, 120.0, 120.0]])
    y = np.concatenate([rng.uniform(-90.0, 90.0, 100_000), [90.0, 90.0, 0.0, -90.0, 12.3, -90.0, 90.0]])
    x, y = np.append(x, np.arange(-180.0, 180.0, 0.25)), np.append(y, np.full(1440, 35.0))  # on the mask's own edges
    made = land_mask.is_land(x, y)
    from global_land_mask import globe

    assert np.array_equal(made, globe.is_land(y, x))
    (kept,) = tmp_path.glob("*.npy")
    assert kept.stat().st_size < 10_000_000
    land_mask._coasts.cache_clear()
    assert np.array_equal(land_mask.is_land(x % 360.0, y), made)  # read, and by longitudes to the east


def test_a_cut_file_is_made_again_and_a_folder_that_refuses_costs_nothing_but_time(tmp_path, monkeypatch, fresh):
    few = np.array([5, 9], dtype=np.int64)
    monkeypatch.setattr(land_mask, "_unpacked", lambda source: few)
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "cache"))
    assert land_mask._coasts().tolist() == [5, 9]
    (kept,) = (tmp_path / "cache").glob("*.npy")
    whole = kept.read_bytes()
    for cut in (0, 40, len(whole) - 8):
        kept.write_bytes(whole[:cut])
        land_mask._coasts.cache_clear()
        assert land_mask._coasts().tolist() == [5, 9] and kept.read_bytes() == whole
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TESSERA_CACHE", str(tmp_path / "file"))
    land_mask._coasts.cache_clear()
    assert land_mask._coasts().tolist() == [5, 9]


@pytest.mark.parametrize(("longitude", "latitude"), [(0.0, 90.1), (0.0, np.nan), (np.inf, 0.0)])
def test_no_place_is_told(longitude, latitude):
    with pytest.raises(ValueError, match="latitudes from -90 to 90"):
        land_mask.is_land(longitude, latitude)


def test_no_process_loads_the_package():
    code = (
        "import sys; import components.chemistry.regional.component, coupler.analysis.figures as f;"
        "f.coastline(100.0, 110.0, 10.0, 20.0); sys.exit('global_land_mask' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
