# SPDX-License-Identifier: BSD-3-Clause
"""The heat that the world's sea would gain under the climatologies that drive the East Asian seas.

The sea as a whole neither warms nor cools by more than a few W m-2. Under the air of COADS, the radiation of Esbensen
and Kushnir (1981) and NCAR's law it gains far more, as with every climatology of ships' reports: their dew points are
0.5 K too high (Isemer and Hasse 1987). Without that half kelvin more than a third of the excess is gone.
"""

import gzip
import io

import numpy as np
import pytest
import xarray as xr

from components.atmosphere.air_sea.kernels.ncar import ncar_points
from components.atmosphere.data.component import DataAtmosphere
from components.science.constants import ZERO_CELSIUS


def climatology(shared, name):
    raw = gzip.open(shared / "data" / "ocean" / f"{name}.cdf.gz").read()
    return xr.open_dataset(io.BytesIO(raw), engine="scipy", decode_times=False)


@pytest.fixture(scope="module")
def gain(shared):
    """Mean net heat (W m-2) of the cells that have all in every month, by excess of the dew point (K)."""
    air, heat = climatology(shared, "coads_climatology"), climatology(shared, "esku_heat_budget")
    radiation = heat.FDR.interp(ESKUX=xr.DataArray(np.where(air.COADSX > 375, air.COADSX - 360, air.COADSX), dims="x"),
                                ESKUY=xr.DataArray(air.COADSY.values, dims="y"))  # fmt: skip
    radiation = radiation.transpose("TIME", "y", "x").values
    sst, t = (air[n].values.astype(float) + ZERO_CELSIUS for n in ("SST", "AIRT"))
    q, p, wind = (factor * air[n].values.astype(float) for n, factor in (("SPEH", 1e-3), ("SLP", 100.0), ("WSPD", 1.0)))
    known = np.isfinite(sst + t + q + p + wind + radiation).all(0) & np.ones_like(sst, bool)
    weight = (np.cos(np.radians(air.COADSY.values))[None, :, None] * np.ones_like(sst))[known]
    assert known[0].sum() > 5000

    def under(excess):
        reader = DataAtmosphere(DataAtmosphere.Options(file="", dew_point_excess=excess))
        drier = reader.drier(q[known], p[known]) if excess else q[known]
        height = np.full(drier.size, 10.0)
        sensible, latent, *_ = ncar_points(t[known], drier, wind[known], p[known], sst[known], height, height)
        return float(np.average(radiation[known] + sensible + latent, weights=weight))

    return {excess: under(excess) for excess in (0.0, 0.5)}


def test_ships_air_warms_the_worlds_sea_and_lower_dew_points_take_a_third_of_it(gain):
    print(gain)
    assert 20.0 < gain[0.0] < 35.0
    assert 0.33 < (gain[0.0] - gain[0.5]) / gain[0.0] < 0.6
