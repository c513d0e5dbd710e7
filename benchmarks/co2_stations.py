# SPDX-License-Identifier: BSD-3-Clause
"""How well monthly carbon dioxide is known at stations that a field has not seen.

    python benchmarks/co2_stations.py FILE

Five-fold over the stations of a file (WDCGG), months of 2008 to 2014 without the global trend, in ppm; three orders of
the stations. Harmonics by latitude and kriging are given the settings that are best for the stations held out.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.chemistry.stations import global_mean, reading  # noqa: E402
from components.ml_surrogates.station_fields import evaluation  # noqa: E402
from components.ml_surrogates.station_fields.monthly import monthly_means  # noqa: E402

EAST_ASIA = (70.0, 160.0, 10.0, 55.0)  # degrees: west, east, south, north
STATIONS = ROOT.parent / "shared" / "data" / "co2" / "stations_wdcgg" / "df_co2_raw_wdcgg_obs_noaa.csv"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, default=STATIONS)
    parser.add_argument("--first", default="2008-01", help="month")
    parser.add_argument("--months", type=int, default=84)
    given = parser.parse_args()
    for name, value in scored(given.file, given.first, given.months).items():
        print(f"RESULT {name} {value:.3f}")


def scored(file: Path = STATIONS, first: str = "2008-01", months: int = 84) -> dict[str, float]:
    """Print the table of a file's stations; returns the learned field's error over that of the others by name."""
    found = reading.read(file)
    if found.problems:
        sys.exit("\n".join(found.problems))
    data = monthly_means(found.series, global_mean.read(ROOT / "data" / global_mean.FILE), first, months)
    print(f"{len(data.names)} stations, {int(data.known().sum())} months; 5 folds over stations, 1 thread")
    print("order  the same season everywhere  harmonics by latitude  with kriging  learned  over the better")
    ratios, by_station = [], []
    for seed in range(3):
        flat, *others = (evaluation.unseen(data, evaluation.of_harmonics(d), seed) for d in evaluation.DEGREES)
        harmonics = min(others, key=lambda e: e.rms())
        kriging, settings = evaluation.tuned_kriging(data, seed)
        learned = evaluation.of_learned(data, seed)
        better = min(harmonics.rms(), kriging.rms())
        ratios.append((learned.rms() / better, learned.rms() / harmonics.rms()))
        by_station.append([e.by_station().numpy() for e in (harmonics, kriging, learned)])
        row = " ".join(f"{e.rms():12.3f}" for e in (flat, harmonics, kriging, learned))
        print(f"{seed} {row} {ratios[-1][0]:8.3f}   kriging: degree, length, nugget, rise {settings}")
    print("East Asia, RMSE in ppm: harmonics, kriging, learned")
    west, east, south, north = EAST_ASIA
    mean = np.mean(by_station, axis=0)
    for k, name in enumerate(data.names):
        if west <= float(data.longitude[k]) <= east and south <= float(data.latitude[k]) <= north:
            print(f"  {name:45s} {mean[0, k]:6.2f} {mean[1, k]:6.2f} {mean[2, k]:6.2f}")
    over, by_harmonics = np.mean(ratios, axis=0)
    return {"co2.stations.vs_better": float(over), "co2.stations.vs_harmonics": float(by_harmonics)}


if __name__ == "__main__":
    main()
