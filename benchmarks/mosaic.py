# SPDX-License-Identifier: BSD-3-Clause
"""What it changes to compute air-sea fluxes on the exchange grid instead of on one side's grid, as others do.

The template east_asia at its start (1 January): the NCAR law from the same states on the overlaps
of both grids, on the ocean's cells, on the atmosphere's cells, and on the overlaps with smooth
(second-order) states of the air. Differences of the net heat flux into the sea, W m-2.

    python benchmarks/mosaic.py
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
REGIONS = {
    "all seas": (70, 160, -10, 65),
    "Yellow and East China Sea": (117, 127, 25, 41),
    "Kuroshio Extension": (140, 160, 30, 40),
    "Japan Sea": (128, 142, 35, 48),
    "Maritime Continent": (95, 140, -10, 10),
}


def main():
    import numpy as np

    from coupler.case.case import make_plan
    from coupler.case.templates import new_case
    from coupler.component import Context
    from coupler.exchange.flux_operator import FluxOperator
    from coupler.exchange.mapping import compact_counts, product
    from coupler.grids.decomposition import Decomposition

    folder = Path(tempfile.mkdtemp()) / "case"
    new_case(str(folder), "east_asia")
    plan = make_plan(folder)
    task = next(t for t in plan.tasks if t.kind == "flux")
    states = []
    for bundle in task.inputs:
        c = plan[bundle.component]
        grids = {n: Decomposition(g.shape) for n, g in c.grids.items()}
        context = Context(**c.setting.__dict__, grids=c.grids, decompositions=grids, logger=lambda text: None)
        exports = c.component.initialize(context)
        states.append(np.stack([np.asarray(exports[f.name], float).reshape(-1) for f in bundle.fields], axis=1))
    ways = {
        "exchange grid": {"grid": "exchange", "states": "cell"},
        "ocean's grid": {"grid": "second", "states": "cell"},
        "atmosphere's grid": {"grid": "first", "states": "cell"},
        "exchange grid, smooth air": {"grid": "exchange", "states": "second_order"},
    }
    sea = plan["ocean"].grids["default"]
    flux = {}
    slot = next(i for i, d in enumerate(task.outputs) if d.component == "ocean")
    column = [f.name for f in task.outputs[slot].fields].index("surface_downward_heat_flux_in_sea_water")
    for name, options in ways.items():
        operator = FluxOperator(plan, replace(task, options={**task.options, **options}), 0, 1)
        operator.bind([np.arange(s.shape[0]) for s in states])
        values = operator.values(states)[slot]
        indptr, indices, data = operator.rows(slot, np.arange(sea.size))
        out = np.empty((values.shape[1], sea.size))
        product(compact_counts(indptr), indices, data, values, out)
        flux[name] = out[column]
    wet, area = np.asarray(sea.mask).reshape(-1), np.asarray(sea.area).reshape(-1)
    lon, lat = sea.longitude.reshape(-1), sea.latitude.reshape(-1)
    total: dict[str, float] = {}
    print("net heat flux into the sea on 1 January, W m-2: mean; then mean and rms difference from the exchange grid")
    print(f"{'':<28}" + "".join(f"{w:>28}" for w in ways))
    for region, (west, east, south, north) in REGIONS.items():
        part = wet & (lon > west) & (lon < east) & (lat > south) & (lat < north)
        reference = flux["exchange grid"][part]
        cells = [f"{np.average(reference, weights=area[part]):.2f}"]
        for w in list(ways)[1:]:
            d = flux[w][part] - reference
            mean, rms = np.average(d, weights=area[part]), np.sqrt(np.average(d * d, weights=area[part]))
            cells.append(f"{mean:+.2f} / {rms:.2f}")
            total[w] = total.get(w, rms)
        print(f"{region:<28}" + "".join(f"{c:>28}" for c in cells))
    for word, w in zip(("ocean_grid", "atmosphere_grid", "smooth_air"), list(ways)[1:], strict=True):
        print(f"RESULT mosaic.{word}.rms {total[w]:.3f}")


if __name__ == "__main__":
    main()
