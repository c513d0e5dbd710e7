# SPDX-License-Identifier: BSD-3-Clause
"""What rivers cost: seconds of one core a simulated day, by routing, on the template's network of .25 degree.

Steps of an hour, channels that are full of a runoff of 1 mm a day, rain that varies. Local inertia takes short steps of
its own. Run it on an idle machine:

    .venv/bin/python benchmarks/rivers.py
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from components.land.rivers.advance import KINDS, Rivers
from components.land.rivers.channels import channels_of
from components.land.rivers.network_file import read_network

HOUR = 3600.0


def main() -> None:
    """Print the table and the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=1)
    days = parser.parse_args().days
    course = read_network(Path(__file__).resolve().parents[1] / "data" / "east_asia_rivers.nc")
    reaches, cells = channels_of(course.network, course.height)
    sinks = np.isin(cells, course.network.sinks)
    lateral = course.network.area.ravel()[cells] * (1.0 / 86400.0 / 1000.0)
    rng = np.random.default_rng(0)
    print(f"{cells.size} reaches, {len(reaches.levels)} levels, one core, {platform.processor() or platform.machine()}")
    found = {}
    for routing in ("muskingum", "kinematic", "local_inertia"):
        rivers = Rivers(reaches, sinks, routing, 0.7, 0.1, np.full(len(KINDS), np.inf))
        state = rivers.steady(lateral)
        given = np.zeros((len(KINDS), cells.size))
        given[0] = 4.2e7 * lateral  # water of 10 C
        state, _ = rivers.advance(state, lateral, given, HOUR)
        begin = time.process_time()
        for _ in range(24 * days):
            rain = lateral * 2.0 * rng.random(cells.size)
            state, flow = rivers.advance(state, rain, given, HOUR)
        found[routing] = (time.process_time() - begin) / days
        print(f"{routing:>14}: {found[routing]:.3f} s a day, largest discharge {flow.water.max():.0f} m3 s-1")
    for routing, seconds in found.items():
        print(f"RESULT rivers.{routing}.seconds_per_day {seconds:.4f}")
    print(f"RESULT rivers.seconds_per_day {found['local_inertia']:.4f}")


if __name__ == "__main__":
    main()
