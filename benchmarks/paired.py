# SPDX-License-Identifier: BSD-3-Clause
"""Is this checkout slower than another: exchange, ocean, land and atmosphere of both in turn, on the same machine.

Each round measures a number here and in the other checkout, one right after the other and in changing order, by the
benchmarks' own measurements (CPU time), so that both see the same load; the ratio of the two medians and of the two
least values is given, above one where this checkout is slower. Both need what their benchmarks need.

    git worktree add ../before v1.0 && ln -s $PWD/.venv ../before/.venv
    python benchmarks/paired.py ../before [--rounds 5] [--only exchange ocean]
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RANKS = ("mpirun", "--allow-run-as-root", "--oversubscribe", "-n", "3")
MEASURES = {
    "exchange.1_field": (*RANKS, "python", "benchmarks/exchange.py", "--worker", "plain", "1", "60", "1,1,1"),
    "exchange.10_fields": (*RANKS, "python", "benchmarks/exchange.py", "--worker", "plain", "10", "60", "1,1,1"),
    "exchange.10_fields_checked": (
        *RANKS,
        "python",
        "benchmarks/exchange.py",
        "--worker",
        "checked",
        "10",
        "60",
        "1,1,1",
    ),
    "ocean.channel": ("python", "benchmarks/ocean.py", "--measure", "channel-eager", "--steps", "20"),
    "ocean.region": ("python", "benchmarks/ocean.py", "--measure", "region-eager", "--steps", "6"),
    "land.medlyn": ("python", "benchmarks/land.py", "--models", "medlyn", "--steps", "6"),
    "atmosphere.dynamics": ("python", "benchmarks/atmosphere.py", "--eager", "--quick"),
}
"""What is run in either checkout, by name."""
NUMBER = re.compile(
    r"^MEASURED \S+ (\S+)|\"seconds\": ([0-9.e+-]+)|^RESULT land\.\w+\.us_per_column (\S+)"
    r"|^RESULT atmosphere\.dynamics\.ms_per_step (\S+)",
    re.MULTILINE,
)
"""How each says its number."""


def measure(checkout: Path, words: tuple[str, ...]) -> float:
    """One number of one checkout."""
    bin_folder = Path(sys.executable).parent
    command = [str(bin_folder / w) if w in ("python", "mpirun") else w for w in words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(checkout)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    found = NUMBER.search(done.stdout)
    if done.returncode or found is None:
        raise SystemExit(f"{checkout}: {' '.join(words)} failed:\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}")
    return float(next(g for g in found.groups() if g))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="the other checkout")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[""], help="beginnings of the names of what is measured")
    options = parser.parse_args()
    print(f"{'':28}{'here':>12}{'there':>12}{'medians':>10}{'least':>10}   load {os.getloadavg()[0]:.1f}")
    for name, words in MEASURES.items():
        if not name.startswith(tuple(options.only)):
            continue
        values: dict[Path, list[float]] = {ROOT: [], options.other.resolve(): []}
        for n in range(options.rounds):
            for checkout in list(values)[:: 1 - 2 * (n % 2)]:
                values[checkout].append(measure(checkout, words))
        here, there = values.values()
        middle, least = statistics.median(here) / statistics.median(there), min(here) / min(there)
        print(f"{name:28}{min(here):12.4g}{min(there):12.4g}{middle:10.3f}{least:10.3f}", flush=True)
        print(f"RESULT paired.{name} {middle:.3f}")


if __name__ == "__main__":
    main()
