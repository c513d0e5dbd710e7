# SPDX-License-Identifier: BSD-3-Clause
"""Heights made from wind and temperature, against those of analyses that have them, and for ERA-Interim that has none.

ERA5 of 1959-01-02 is a state of one time: the balance must hold to some ten metres. The NCEP June climatology is a mean
of many: balance lacks the eddies' part, so the errors are larger. The expected numbers of ERA-Interim 2005-01-23 at 500
hPa (5641 m mean, 5258 to 5878 over East Asia) are from an independent inversion whose box and moisture are not known.
"""

import numpy as np
import pytest

from components.atmosphere.nonhydrostatic.driving import inversion, pressure_levels
from components.science.constants import EARTH_RADIUS, GRAVITY

ERA5, NCEP = "era5_tl31_19590102T00.nc", "NCEP_06_climo.nc"


def box(data, south, north, west, east):
    return (slice(*np.searchsorted(data.lat, (south, north))), slice(*np.searchsorted(data.lon, (west, east))))


def mean(field, data, where=(slice(None), slice(None))):
    w = np.cos(np.deg2rad(data.lat))[:, None] + 0.0 * field
    return float((w * field)[where].sum() / w[where].sum())


@pytest.mark.parametrize(("case", "most", "most_mean"), [(ERA5, 15.0, 8.0), (NCEP, 25.0, 15.0)])
def test_heights_from_wind_and_temperature_beside_those_of_the_analysis(shared, case, most, most_mean):
    """RMS over the globe from 850 to 100 hPa, m, with the global mean that is set by the mean sea-level pressure."""
    data = pressure_levels.read_analysis([shared / "data/atmosphere" / case])
    z = inversion.heights(data.p, data.lat, data.lon, *(data.fields[k] for k in ("u", "v", "t", "q")))
    for p in (8.5e4, 5.0e4, 2.0e4, 1.0e4):
        k = int(np.abs(data.p - p).argmin())
        error = z[k] - data.fields["z"][k]
        spread = np.sqrt(mean((data.fields["z"][k] - mean(data.fields["z"][k], data)) ** 2, data))
        rms, off = np.sqrt(mean(error * error, data)), mean(error, data)
        east_asia = error[box(data, 5, 55, 75, 155)]
        print(
            f"{case} {p / 100:.0f} hPa: RMS {rms:.1f} m of a spread of {spread:.0f}, mean {off:.1f},"
            f" East Asia RMS {np.sqrt((east_asia**2).mean()):.1f}"
        )
        assert rms < most, p
        assert abs(off) < most_mean, p


def test_era_interim_gets_plausible_heights_and_says_how(shared):
    folder = shared / "data/atmosphere/era_interim_20050123"
    data = pressure_levels.read_analysis(
        sorted(folder.glob("2005-01-23-0000-*.nc")), humidity_from=[shared / "data/atmosphere" / ERA5]
    )
    assert any("no geopotential" in n and "1011 hPa" in n for n in data.notes)
    assert any("no humidity" in n and "1959-01-02" in n for n in data.notes)
    z = data.fields["z"][int(np.abs(data.p - 5.0e4).argmin())]
    where = box(data, 15, 50.1, 100, 135.1)
    f = data.fields
    dry = inversion.heights(data.p, data.lat, data.lon, f["u"], f["v"], f["t"], 0.0 * f["q"])
    for name, heights, close in (("moist", z, 20.0), ("dry", dry[int(np.abs(data.p - 5.0e4).argmin())], 5.0)):
        low, high, middle = heights[where].min(), heights[where].max(), mean(heights, data, where)
        print(f"ERA-Interim 500 hPa, 15-50 N 100-135 E, {name}: mean {middle:.0f}, {low:.0f} to {high:.0f} m")
        assert abs(middle - 5641.0) < close, name
        assert abs(low - 5258.0) < 30.0 and abs(high - 5878.0) < close, name
    # the wind that was balanced is nearly the geostrophic one of these heights in middle latitudes
    row = int(np.abs(data.lat - 40.5).argmin())
    f = 2.0 * 7.292e-5 * np.sin(np.deg2rad(data.lat[row]))
    dy = 2.0 * EARTH_RADIUS * np.deg2rad(1.5)
    geostrophic = -GRAVITY / f * (z[row + 1] - z[row - 1]) / dy
    u = data.fields["u"][int(np.abs(data.p - 5.0e4).argmin()), row]
    assert np.corrcoef(geostrophic, u)[0, 1] > 0.95
