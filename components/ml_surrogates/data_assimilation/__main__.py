# SPDX-License-Identifier: BSD-3-Clause
"""``python -m components.ml_surrogates.data_assimilation simulate``: observations of a nature run."""

import argparse
from pathlib import Path

import numpy as np
import torch

from components.ml_surrogates import forecast_operators
from components.ml_surrogates.data_assimilation import observation_file, simulate
from components.ml_surrogates.data_assimilation.places import spacing_of
from components.ml_surrogates.estimation.nature_runs import nature_context
from coupler.clock import Clock


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, run, write the file."""
    parser = argparse.ArgumentParser(prog="python -m components.ml_surrogates.data_assimilation", description=__doc__)
    parser.add_argument("what", choices=["simulate"], help="simulate: observe a nature run over East Asia at 295 km")
    parser.add_argument("--out", type=Path, default=Path("observations.nc"), help="netCDF to write")
    parser.add_argument("--start", default="2001-01-01", help="date of the case's start")
    parser.add_argument("--hours", type=int, default=24, help="length of the nature run")
    parser.add_argument("--every", type=int, default=3, help="hours between observations")
    parser.add_argument("--points", type=int, default=40, help="stations")
    parser.add_argument("--levels", type=int, default=16, help="layers of the forecast model")
    parser.add_argument("--cells", type=int, default=22, help="cells along a side, of 295 km")
    parser.add_argument("--seed", type=int, default=1, help="of disturbance, stations and errors")
    o = parser.parse_args(arguments)
    torch.set_num_threads(1)
    clock = Clock(o.start, "noleap")
    context = nature_context(clock, o.cells, o.hours * 3600)
    grid = context.grid
    options = {"levels": o.levels, "jet": "january", "relief": "", "precision": "single"}
    forecast = forecast_operators.make("nonhydrostatic", context, options)
    times = range(0, o.hours * 3600, o.every * 3600)
    lon, lat = np.asarray(grid.longitude), np.asarray(grid.latitude)
    table = simulate.observed(forecast, forecast.initial, lon, lat, spacing_of(grid), times, o.points, o.seed)
    observation_file.write(o.out, table, clock)
    print(f"{len(table.time)} observations of {o.points} points in {o.out}")


if __name__ == "__main__":
    main()
