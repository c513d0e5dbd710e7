# SPDX-License-Identifier: BSD-3-Clause
"""What a gradient through coupled periods costs: forward with graph and backward, over forward without.

python benchmarks/coupled_gradient.py
"""

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from components.science.gradients.coupled import Coupled  # noqa: E402
from coupler.case.case import make_plan  # noqa: E402
from tests.toys.differentiable import STEP, coupled_case  # noqa: E402

RUNS, PERIODS = 5, 6


def main():
    """Print the ratio: median of several runs that alternate."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        coupled = Coupled(make_plan(coupled_case(Path(folder) / "case")))
    start = coupled.start()
    sst = start.states["ocean"].temperature.clone().requires_grad_(True)

    def begin():
        states = {**start.states, "ocean": start.states["ocean"]._replace(temperature=sst)}
        return coupled.restart(start._replace(states=states))

    def forward():
        with torch.no_grad():
            coupled.advance(begin(), PERIODS * STEP)

    def gradient(keep=None):
        end = coupled.advance(begin(), PERIODS * STEP, keep_every=keep)
        torch.autograd.grad((end.states["ocean"].temperature - sst).sum(), sst)

    work = {"forward": forward, "gradient": gradient, "gradient_kept": lambda: gradient(STEP)}
    taken = {name: [] for name in work}
    for n in range(RUNS + 1):
        for name, do in work.items():
            began = time.process_time()
            do()
            if n:
                taken[name].append(time.process_time() - began)
    median = {name: statistics.median(values) for name, values in taken.items()}
    print(f"{PERIODS} periods of 20 minutes, atmosphere 12 x 12 x 10 and slab ocean, double precision, one thread:")
    for name, seconds in median.items():
        print(f"  {name:<14} {seconds:.2f} s of CPU")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")
    print(f"RESULT coupled.gradient.ratio {median['gradient'] / median['forward']:.2f}")
    print(f"RESULT coupled.gradient_kept.ratio {median['gradient_kept'] / median['forward']:.2f}")


if __name__ == "__main__":
    main()
