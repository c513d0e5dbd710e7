# SPDX-License-Identifier: BSD-3-Clause
"""Time to prepare driving data for 100 km over East Asia from 1.5-degree analyses, with and without correction of bias.

    python benchmarks/prepare.py

The monthly data of driver and reference are read once, before; their time is told apart: seconds a record read.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from coupler.case.command import main  # noqa: E402
from tests.toys.analyses import write_analyses  # noqa: E402

TIMES = 81
PAIRS = 3
"""Times of the boundary file, six hours apart, and repetitions in turn, of which the quickest counts."""
CASE = f"""start: 1985-06-08
duration: PT{6 * (TIMES - 1)}H
calendar: noleap
components: {{atmosphere: {{model: nonhydrostatic}}}}
"""
AIR = """step: PT10M
grid: east_asia_100km
nonhydrostatic: {microphysics: none, boundary_layer: none, convection: none, radiation: none}
"""


def hours(months_only: bool) -> list[float]:
    """Two records a month for ten years from 1981, and every six hours from 8 June 1985, of a noleap calendar."""
    day = np.cumsum([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])
    found = {24.0 * (365 * y + day[m] + d) for y in range(10) for m in range(12) for d in (7, 22)}
    first = 24.0 * (365 * 4 + day[5] + 7)
    return sorted(found if months_only else found | {first + 6.0 * n for n in range(TIMES)})


def run(case: Path, *words: str) -> float:
    """Wall time of one command."""
    began = time.perf_counter()
    assert main(["prepare", str(case), *words]) == 0
    return time.perf_counter() - began


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        case = Path(folder) / "case"
        case.mkdir()
        (case / "case.yaml").write_text(CASE)
        (case / "atmosphere.yaml").write_text(AIR)
        place = {"lat": np.arange(-15.0, 75.1, 1.5), "lon": np.arange(60.0, 180.1, 1.5)}
        driver, reference = (
            write_analyses(Path(folder) / f"{name}.nc", hours(only), "1981-01-01 00:00:00", "noleap", **place)
            for name, only in (("driver", False), ("reference", True))
        )
        corrected = (str(driver), "--reference", str(reference), "--method", "mean_variance")
        first = run(case, *corrected)
        pairs = [(run(case, str(driver)), run(case, *corrected)) for _ in range(PAIRS)]
        plain, with_it = (min(p[k] for p in pairs) for k in (0, 1))
        records = len(hours(False)) + len(hours(True))
        print(f"RESULT prepare.seconds_per_time {plain / TIMES:.4f}")
        print(f"RESULT prepare.seconds_per_time_corrected {with_it / TIMES:.4f}")
        print(f"RESULT prepare.corrected_over_plain {with_it / plain:.3f}")
        print(f"RESULT prepare.seconds_per_record_of_months {(first - with_it) / records:.4f}")
