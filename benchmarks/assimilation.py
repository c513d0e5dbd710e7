# SPDX-License-Identifier: BSD-3-Clause
"""What a gradient through the atmosphere's core and an analysis cost: CPU seconds, memory, columns a second.

    python benchmarks/assimilation.py            everything
    python benchmarks/assimilation.py --short    the 100-km grid in single precision with checkpoints alone

The ratio is the gradient's CPU time over that of a forecast without a graph. Memory is the largest of a process of its
own, its start included.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.ml_surrogates.estimation.etkf import letkf  # noqa: E402
from tests.toys import real_core, shallow_water  # noqa: E402

GRIDS = {"100km": (66, 65, 100e3, 600, 24), "295km": (22, 22, 295e3, 1800, 16)}


def gradient(grid, precision, checkpoints, hours):
    """CPU seconds of a forecast and of a gradient, and the process's largest memory, GB."""
    torch.set_num_threads(1)
    nx, ny, dx, step, levels = GRIDS[grid]
    f = real_core.forecast(precision, levels, real_core.context(nx, ny, dx, step))
    steps = hours * 3600 // step
    with torch.no_grad():
        real_core.run(f, 1, None)  # the first step reads and compiles
        start = time.process_time()
        real_core.run(f, steps, None)
        plain = time.process_time() - start
    real_core.gradient(f, 2, checkpoints)  # the first gradient of a process loads parts of torch
    start = time.process_time()
    real_core.gradient(f, steps, checkpoints)
    whole = time.process_time() - start
    return {"plain": plain, "gradient": whole, "gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def apart(*words):
    """The same in a process of its own, for its memory."""
    done = subprocess.run([sys.executable, __file__, "--one", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def columns_per_second(members=40, observations=200, columns=2048):
    """Of the LETKF, every observation acting everywhere."""
    g = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(shape, generator=g, dtype=torch.float64)  # noqa: E731
    given = (
        draw(members, 3, columns),
        draw(members, observations),
        draw(observations),
        torch.ones(observations).double(),
    )
    start = time.process_time()
    letkf(*given, torch.rand((columns, observations), generator=g, dtype=torch.float64))
    return columns / (time.process_time() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    o = parser.parse_args()
    if o.one:
        grid, precision, checkpoints, hours = o.one
        print(json.dumps(gradient(grid, precision, checkpoints == "True", int(hours))))
        return
    torch.set_num_threads(1)
    hours = 6
    print(f"{hours} h, one thread; CPU s, GB")
    found = {}
    for grid in ("295km", "100km"):
        for precision in ("single", "double"):
            for checkpoints in (True, False):
                if o.short and grid == "100km" and (precision, checkpoints) != ("single", True):
                    continue
                r = found[grid, precision, checkpoints] = apart(grid, precision, checkpoints, hours)
                kept = "a checkpoint a step" if checkpoints else "whole graph"
                cost = (
                    f"forecast {r['plain']:6.2f} gradient {r['gradient']:6.2f} ratio {r['gradient'] / r['plain']:5.2f}"
                )
                print(f"{grid} {precision:6s} {kept:20s} {cost} {r['gb']:5.2f} GB", flush=True)
    t = shallow_water.twin(1)
    analysis, _ = shallow_water.envar(t, shallow_water.localised(t))
    r = found["100km", "single", True]
    print(f"RESULT assimilation.gradient_100km.ratio {r['gradient'] / r['plain']:.2f}")
    print(f"RESULT assimilation.gradient_100km.gigabytes {r['gb']:.2f}")
    print(f"RESULT assimilation.analysis_295km.seconds {40 * found['295km', 'single', True]['gradient']:.1f}")
    print(f"RESULT assimilation.swe.cut_h {shallow_water.cuts(t, analysis)[0]:.1f}")
    print(f"RESULT assimilation.letkf.columns_per_second {columns_per_second():.0f}")


if __name__ == "__main__":
    main()
