# SPDX-License-Identifier: BSD-3-Clause
"""Downscaling from 100 to 25 km: own runs at 25 km as truth, networks trained on them, another winter as test.

    .venv/bin/python benchmarks/downscaling.py FOLDER [--seeds 3] [--shared SHARED]

Each run is 30 h of 72 x 72 cells from one analysis with its sides held, over a bucket land and a prescribed sea; the
analysis may be turned about the pole, or its hemispheres exchanged, so that one gives several. Training: ERA5 of
1959-01-02 over two regions, as it is and turned; its southern half in July; and the June climatology of NCEP over both;
tests, each scored by itself: ERA-Interim of 2005-01-23, as it is and turned by 60 degrees. A CPU minute and a half a
run, two and a half a training; what is there is not made again.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
import xarray as xr
import yaml

from components.ml_surrogates.downscaling import fine_runs
from components.ml_surrogates.downscaling.__main__ import main as surrogate
from components.ml_surrogates.forecast.hemispheres import exchanged

ROOT = Path(__file__).resolve().parents[1]
LAMBERT = "+proj=lcc +lat_1=-5 +lat_2=40 +lat_0=25 +lon_0=130 +R=6371000"
CELLS, SPACING, HOURS, STEP = 72, 25000, 30, "PT150S"
HISTORY = "run/history/atmosphere.fine.nc"
ERA5 = "era5_tl31_19590102T00.nc"


class Run(NamedTuple):
    """A run: analysis, start, degrees that it is turned by, middle, and whether its hemispheres are exchanged."""

    analysis: str
    start: str
    turned: float
    middle: tuple[float, float]
    mirrored: bool = False


INTERIM = "era_interim_20050123/2005-01-23-0000-*.nc"
SOUTH_CHINA, YELLOW_SEA = (112.0, 30.0), (126.0, 36.0)
TRAINING = {  # a third of the records is held out in turn: those of one weather side by side, summer and winter in each
    "era5_0": Run(ERA5, "1959-01-02", 0.0, SOUTH_CHINA),
    "era5_east": Run(ERA5, "1959-01-02", 0.0, YELLOW_SEA),
    "south_0": Run(ERA5, "1959-07-02", 0.0, SOUTH_CHINA, mirrored=True),
    "era5_120": Run(ERA5, "1959-01-02", 120.0, YELLOW_SEA),
    "era5_60": Run(ERA5, "1959-01-02", 60.0, SOUTH_CHINA),
    "ncep_0": Run("NCEP_06_climo.nc", "2001-06-15", 0.0, SOUTH_CHINA),
    "ncep_east": Run("NCEP_06_climo.nc", "2001-06-15", 0.0, YELLOW_SEA),
    "era5_240": Run(ERA5, "1959-01-02", 240.0, SOUTH_CHINA),
    "era5_180": Run(ERA5, "1959-01-02", 180.0, YELLOW_SEA),
    "south_90": Run(ERA5, "1959-07-02", 90.0, YELLOW_SEA, mirrored=True),
}
TESTS = {
    "interim_0": Run(INTERIM, "2005-01-23", 0.0, SOUTH_CHINA),
    "interim_60": Run(INTERIM, "2005-01-23", 60.0, SOUTH_CHINA),
}


def turned(path: Path, degrees: float, folder: Path) -> str:
    """A copy of an analysis turned about the pole; not turned, it is the file itself."""
    if not degrees:
        return str(path)
    out = folder / f"turned_{path.name}"
    with xr.open_dataset(path, decode_times=False) as data:
        x = "longitude" if "longitude" in data.dims else "lon"
        new = data.assign_coords({x: (data[x] + degrees) % 360.0}).sortby(x)
        new[x].attrs.update(data[x].attrs)
        for variable in new.variables.values():  # NCEP's has two words for a missing value, of which netCDF takes one
            variable.encoding.pop("missing_value", None)
        new.load().to_netcdf(out)
    return str(out)


def make(folder: Path, run: Run, shared: Path) -> None:
    """The case of a run, out of the template."""
    subprocess.run(
        [sys.executable, ROOT / "run_case.py", "new", folder, "--template", "east_asia_atmosphere"], check=True
    )
    (folder / "ocean.yaml").unlink()
    analyses = shared / "data" / "atmosphere"
    drivers = [turned(path, run.turned, folder) for path in sorted(analyses.glob(run.analysis))]
    humid = [turned(analyses / ERA5, run.turned, folder)] if "interim" in run.analysis else []
    if run.mirrored:
        drivers = exchanged(drivers, folder)

    def change(name: str, **values: object) -> None:
        path = folder / f"{name}.yaml"
        content = {**yaml.safe_load(path.read_text()), **values}
        path.write_text(yaml.safe_dump({k: v for k, v in content.items() if v is not None}, sort_keys=False))

    beside = {"ranks": 1, "with": "atmosphere"}
    exchange = {"period": STEP, "lag": STEP}
    change(
        "case", start=run.start, duration=f"PT{HOURS}H", restart=None,
        components={"atmosphere": {"model": "nonhydrostatic"}, "land": {"model": "slab"},
                    "prescribed_ocean": {"model": "data", "role": "prescribed"}},
        layout={"coupler": 1, "atmosphere": 1, "land": beside, "prescribed_ocean": beside},
        coupling=[
            {"flux": "air_sea", "scheme": "ncar", "between": ["atmosphere", "prescribed_ocean"], "period": "PT10M"},
            {"from": "atmosphere", "to": "land", **exchange}, {"from": "land", "to": "atmosphere", **exchange},
        ],
    )  # fmt: skip
    known = yaml.safe_load((folder / "atmosphere.yaml").read_text())["nonhydrostatic"]
    options = {
        **known, "levels": 16, "top": 20000, "relief": "east_asia_rivers.nc", "driver": drivers,
        "humidity_from": humid, "radiation_interval": "PT2H",
    }  # fmt: skip
    grid = {"projection": LAMBERT, "nx": CELLS, "ny": CELLS, "spacing": SPACING, "center": list(run.middle)}
    names = [f.name for f in fine_runs.FIELDS]
    output = [{"name": "fine", "fields": names, "period": "PT1H", "statistic": "mean"}]
    change("atmosphere", step=STEP, grid=grid, nonhydrostatic=options, output=output)
    change("land", step=STEP, output=None)
    change("prescribed_ocean", step="PT10M", output=None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of the cases and networks")
    parser.add_argument("--seeds", type=int, default=3, help="trainings")
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("TESSERA_SHARED", ROOT.parent / "shared")))
    a = parser.parse_args()
    torch.set_num_threads(1)
    for name, run in {**TRAINING, **TESTS}.items():
        if not (a.folder / name / HISTORY).is_file():
            make(a.folder / name, run, a.shared)
            subprocess.run([sys.executable, ROOT / "run_case.py", a.folder / name, "--serial"], check=True)
    truth = [str(a.folder / name / HISTORY) for name in TRAINING]
    models = [a.folder / f"network_{seed}" for seed in range(1, a.seeds + 1)]
    for seed, path in enumerate(models, 1):
        if not path.with_suffix(".json").is_file():
            surrogate(["train", "--truth", *truth, "--out", str(path), "--seed", str(seed)])
    for name in TESTS:
        print(f"test {name}")
        test, card = str(a.folder / name / HISTORY), str(a.folder / f"{name}.md")
        surrogate(["evaluate", "--truth", *truth, "--test", test, "--model", *map(str, models), "--card", card])


if __name__ == "__main__":
    main()
