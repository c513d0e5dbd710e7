# SPDX-License-Identifier: BSD-3-Clause
"""A small truth for downscaling: warmth and rain over relief, whose small scales depend on the large ones.

Warmth falls with the height of the ground, the more the stabler the air; rain grows where the wind climbs, and where
the air is unstable it breaks into showers, of which coarse means tell how many there are and not where. The season
moves the mean of both.
"""

import numpy as np

from components.ml_surrogates.downscaling.scenes import Array, Field, Scene
from coupler.grids.grid import Grid

SIDE, FACTOR = 64, 4  # fine cells, and how many of them a coarse one has across
LARGEST = 6.0  # wave number up to which coarse fields alone decide
TRAINING, TESTING = (-1.0, 0.3), (0.4, 1.0)  # seasons
FIELDS = (Field("warmth"), Field("rain", positive=True))


def waves(rng: np.random.Generator, n: int, least: float, most: float, slope: float) -> Array:
    """Random fields (n, y, x) of standard deviation 1 with energy between two wave numbers.

    Parameters
    ----------
    rng : source of all randomness
    n : number of fields
    least, most : wave numbers
    slope : power of the wave number in the amplitude
    """
    k = np.fft.fftfreq(SIDE, 1.0 / SIDE)
    size = np.hypot(k[:, None], k)
    kept = np.where((size >= least) & (size <= most), np.maximum(size, 1.0) ** slope, 0.0)
    out = np.fft.ifft2(np.fft.fft2(rng.standard_normal((n, SIDE, SIDE))) * kept).real
    return np.asarray(out / np.sqrt(np.mean(out * out)))


def scene(n: int, seasons: tuple[float, float], seed: int) -> Scene:
    """Fields of ``n`` days; the relief is that of every scene.

    Parameters
    ----------
    n : days
    seasons : between which they lie
    seed : of the weather
    """
    relief = waves(np.random.default_rng(0), 1, 1.0, 20.0, -1.2)[0]
    climb = np.gradient(relief, axis=1)
    climb = climb / climb.std()
    rng = np.random.default_rng(seed)
    season = rng.uniform(*seasons, n)[:, None, None]
    air, moist, wind = (waves(rng, n, 1.0, LARGEST, -1.5) for _ in range(3))
    showers, eddies = waves(rng, n, 8.0, 28.0, -0.5), waves(rng, n, 8.0, 28.0, -1.0)
    unstable = 1.0 / (1.0 + np.exp(-2.5 * (moist + 0.6 * season - 0.2)))
    warmth = air + season - relief * (0.7 - 0.3 * unstable) + 0.35 * unstable * eddies
    lift = moist + 0.5 * season + 0.35 * wind * climb + 1.0 * unstable * showers - 0.6
    rain = np.log1p(np.exp(2.0 * lift))
    return Scene(np.stack([warmth, rain], axis=1), np.broadcast_to(relief, (n, 1, SIDE, SIDE)), FACTOR)


def grids() -> tuple[Grid, Grid]:
    """The fine and the coarse grid, 10 and 40 km at the equator."""
    west, east, south, north = 100.0, 106.4, -3.2, 3.2
    fine = Grid.regular_lonlat("fine", west, east, south, north, nx=SIDE, ny=SIDE)
    return fine, Grid.regular_lonlat("coarse", west, east, south, north, nx=SIDE // FACTOR, ny=SIDE // FACTOR)
