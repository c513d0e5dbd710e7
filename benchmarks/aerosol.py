# SPDX-License-Identifier: BSD-3-Clause
"""Speed of the aerosol: the equilibrium, sulfur in clouds, Mie's series, and a whole period, on one core.

python benchmarks/aerosol.py [--cells 4096]
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import torch

from components.chemistry.regional.aerosol.cloud_sulfur import Cloudy, oxidised
from components.chemistry.regional.aerosol.inorganic import equilibrium
from components.chemistry.regional.aerosol.options import Aerosol
from components.chemistry.regional.aerosol.particles import PARTNERS, Particles, Surroundings
from components.chemistry.regional.aerosol.secondary_organic import VAPOUR
from components.chemistry.regional.aerosol.species import KINDS
from components.chemistry.regional.deposition.land_cover import one_use
from components.chemistry.regional.deposition.surroundings import Below, rains_of
from components.radiation.mie import mie
from components.science.constants import R_DRY
from components.science.tracers import Species, Tracer

LAYERS = 24


def least(call: Callable[[], object], times: int = 3) -> float:
    """Least CPU time of some calls after one that compiles, s."""
    call()
    taken = []
    for _ in range(times):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return min(taken)


def period(cells: int) -> float:
    """Seconds of a period of all processes in columns of 24 layers, cloudy and rainy."""
    rng = np.random.default_rng(1)
    gases = (Tracer(n, "mol mol-1") for n in (*PARTNERS, "OH"))
    species = Species([*gases, *(k.tracer() for k in KINDS), VAPOUR])
    shape = (LAYERS, 1, max(cells // LAYERS, 1))
    plane = torch.full(shape[1:], 45.0, dtype=torch.float64)
    model = Particles(Aerosol(), species, 2.0 * plane, plane, LAYERS, torch.float64)
    p = torch.linspace(1.0e5, 2.0e4, LAYERS, dtype=torch.float64)[:, None, None].expand(shape).contiguous()
    t = 220.0 + 70.0 * p / 1.0e5
    rho = p / (R_DRY * t)
    parts = [torch.full(shape, x, dtype=torch.float64) for x in (4e-3, 300.0, 3e-4, 1e-5)]
    cover = torch.tensor(0.3 * rng.random(shape))
    air = Surroundings(t, parts[0], p, rho, parts[1], parts[2], cover, 0.2 * plane)
    below = Below(2.0 * plane, plane, one_use("agriculture", torch.ones_like(plane, dtype=torch.bool), torch.float64))
    lowest, depth = (t[0], p[0], rho[0]), parts[1][0] / rho[0]
    ground = below.ground(0.2 * plane, depth, lowest, t[0], 0.0 * plane, parts[3][0], 1.0)
    rains = rains_of(parts[3], parts[3])
    q = torch.tensor(2e-9 * rng.random((len(species), *shape)))
    return least(lambda: model.advance(q, air, ground, rains, 600.0))


def main() -> None:
    """Print the table and the results."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--cells", type=int, default=4096)
    n = arguments.parse_args().cells
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    s, a, h = (10.0 ** rng.uniform(-9.0, -6.0, n) for _ in range(3))
    t, rh = rng.uniform(220.0, 305.0, n), rng.uniform(0.2, 1.0, n)
    results = {"equilibrium.us_per_cell": 1e6 / n * least(lambda: equilibrium(s, a, h, t, rh))}
    cloudy = Cloudy(s, a, 40.0 * s, s, a, h)
    results["cloud.us_per_cell"] = 1e6 / n * least(lambda: oxidised(cloudy, t, 3e-4, 0.5, 4e-4, 600.0))
    x = 10.0 ** rng.uniform(-1.0, 2.0, n)
    results["mie.us_per_sphere"] = 1e6 / n * least(lambda: mie(1.5 + 0.01j, x))
    results["period.us_per_cell"] = 1e6 / n * period(n)
    print(f"{n} cells, CPU time on one core, least of three calls")
    for name, value in results.items():
        print(f"RESULT chemistry.aerosol.{name} {value:.2f}")


if __name__ == "__main__":
    main()
