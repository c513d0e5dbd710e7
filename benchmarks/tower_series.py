# SPDX-License-Identifier: BSD-3-Clause
"""Series of the land column beside measured fluxes, for components/ml_surrogates/flux_couplings: five minutes.

    .venv/bin/python benchmarks/tower_series.py --out FOLDER
    .venv/bin/python -m components.ml_surrogates.flux_couplings evaluate FOLDER/DE-Tha.nc FOLDER/FR-Pue.nc \
        --months FOLDER/months.nc

Data: a folder with data/land, given by --shared or TESSERA_SHARED.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from benchmarks.land_monthly import load, simulate
from benchmarks.land_sites import SITES, half_hourly, run_half_hourly
from components.land.column.humidity import saturation_pressure
from components.ml_surrogates.flux_couplings import series, sites
from components.science.water import vapour_pressure


def tower(folder: Path, site: str, days: int | None = None) -> series.Tower:
    """A month of a tower: its weather, the column's fluxes, and those measured or well filled.

    Parameters
    ----------
    folder : with data/land
    site : of `land_sites.SITES`
    days : of the month, None for all
    """
    steps = None if days is None else 48 * days
    weather = half_hourly(folder, site)[0]
    ours, observed = run_half_hourly(folder, site, "medlyn", steps)
    t, q, p = weather.temperature, weather.humidity, weather.pressure
    deficit = saturation_pressure(torch.as_tensor(t))[0].numpy() - vapour_pressure(q, p)
    evaporated = ours["interception_loss"] + ours["ground_evaporation"]
    column = [ours[k] for k in ("gross_uptake", "upward_latent", "upward_sensible", "transpiration")]
    return series.Tower(
        site, weather.seconds,
        np.stack([t, deficit, weather.wind, weather.shortwave, weather.longwave], axis=1)[:steps],
        np.stack([*column, evaporated, ours["net_radiation"]], axis=1),
        np.stack([observed[k] for k in ("GPP", "LE", "H")], axis=1),
    )  # fmt: skip


def months(folder: Path, first: int = 2003, last: int = 2010) -> sites.Months:
    """Months of the East Asian towers: weather, the column's fluxes, and those measured.

    Parameters
    ----------
    folder : with data/land
    first, last : year
    """
    found, observed, _ = simulate(folder, ["medlyn"], first, last)
    ours, drivers = found["medlyn"], load(folder)[2]
    there = np.isfinite(ours["ET"])
    given = drivers[there]
    measured = np.stack([observed[k][there] for k in ("ET", "GPP")], axis=1)
    return sites.Months(
        np.nonzero(there)[1],
        np.stack([0.5 * (given[:, 1] + given[:, 2]), given[:, 3], given[:, 7], given[:, 8]], axis=1),
        np.stack([ours[k][there] for k in ("ET", "GPP")], axis=1),
        np.where(measured > -9000.0, measured, np.nan),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder to write to")
    root = Path(__file__).resolve().parents[1]
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", root.parent / "shared")))
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    for site in SITES:
        series.write(options.out / f"{site}.nc", tower(options.shared, site))
        print(f"{site}: the column's month is run", flush=True)
    sites.write(options.out / "months.nc", months(options.shared))
    print(f"{options.out}: {', '.join(SITES)}, months")


if __name__ == "__main__":
    main()
