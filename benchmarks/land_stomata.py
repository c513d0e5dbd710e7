# SPDX-License-Identifier: BSD-3-Clause
"""Optimality models of stomata: criteria and responses beside Wang et al. (2020), and all models' response to VPD.

.venv/bin/python benchmarks/land_stomata.py --figure stomata.png
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from components.land.column.responses import response_to_deficit, table


def draw(path: str) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    vpd = torch.linspace(300.0, 4000.0, 60, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    for i, (name, values) in enumerate(response_to_deficit(vpd).items()):
        style = "--" if i < 4 else "-"
        axes.plot(vpd / 1e3, values, style, color=plt.cm.tab20(i / 12), label=name.replace("_", " "))
    axes.set(xlabel="leaf-to-air vapour pressure deficit (kPa)", ylabel="stomatal conductance (mol m$^{-2}$ s$^{-1}$)",
             title="Vcmax25 60, PPFD 1200, 25 C, CO2 400", ylim=(0, None))  # fmt: skip
    axes.legend(ncols=2, fontsize="small")
    figure.savefig(path, dpi=130)
    print(f"figure: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figure", help="draw conductance against VPD for all models to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("400 sunlit C3 leaves; Y: conductance falls in 95 % of them. VPD 1.5 -> 2.5 kPa, CO2 400 -> 600, soil")
    print("-.3 -> -1 MPa, plant conductance 6 -> 3 mmol m-2 s-1 MPa-1. Ratios: median conductance after / before.\n")
    print(f"{'model':<22}{'I-III':>6}{'DCPK':>6}{'published':>12}{'D':>8}{'C':>8}{'P':>8}{'K':>8}")
    agree = 0
    for name, (found, published, numbers) in table().items():
        agree += sum(a == b for a, b in zip(found, published, strict=True))
        ratios = "".join(f"{ratio:>8.3f}" for _, ratio in numbers.values())
        print(f"{name:<22}{found[:3]:>6}{found[3:]:>6}{published[:3] + ' ' + published[3:]:>12}{ratios}")
    if options.figure:
        draw(options.figure)
    print(f"\nRESULT land.stomata.entries_as_published {agree}")
    print("RESULT land.stomata.entries 70")


if __name__ == "__main__":
    main()
