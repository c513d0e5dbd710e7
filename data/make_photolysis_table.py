#!/usr/bin/env python
# SPDX-License-Identifier: BSD-3-Clause
"""Make components/chemistry/regional/photolysis_data/rates.nc with TUV-x, of musica.

TUV-x 5.4's standard column (US Standard Atmosphere, its aerosol) with the ozone profile scaled to each column, at the
mean distance of the sun. A minute on one core; ``pip install musica`` first::

    python data/make_photolysis_table.py
"""

import sys
from pathlib import Path

import netCDF4
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from components.chemistry.regional.photolysis import AXES, TABLE, TUV  # noqa: E402

ANGLES = (0, 10, 20, 30, 38, 45, 51, 56, 60, 64, 68, 71, 74, 77, 79, 81, 83, 85, 86, 87, 88, 89, 90)
OZONE = (150.0, 200.0, 250.0, 300.0, 350.0, 400.0, 475.0, 550.0)  # Dobson units
HEIGHTS = (0, 1, 2, 3, 4, 5, 6, 8, 10, 11, 12, 15, 18, 22)  # km
ALBEDOS = (0.0, 0.1, 0.2, 0.35, 0.6, 0.95)
DOBSON = 2.6867e16  # molecules cm-2
UNITS = ("degrees", "DU", "m", "1")
STEP = 1.0e-3  # of the logarithm


def main():
    """Run TUV-x at every node and write the table."""
    from musica.tuvx import v54

    tuvx = v54.get_tuvx_calculator()
    profiles = tuvx.get_profile_map()
    ozone, albedo = profiles["O3", "molecule cm-3"], profiles["surface albedo", "none"]
    parts = [getattr(ozone, n) for n in ("midpoint_values", "edge_values", "layer_densities")]
    standard = [np.array(a) for a in parts]
    column = standard[2].sum() / DOBSON
    names = tuple(dict.fromkeys(r for weights in TUV.values() for r, _ in weights))
    names += ("CHOCHO+hv->HCO+HCO", "CHOCHO+hv->H2+CO+CO", "CHOCHO+hv->CH2O+CO")
    out = np.empty((len(names), len(ANGLES), len(OZONE), len(HEIGHTS), len(ALBEDOS)))
    for j, units in enumerate(OZONE):
        for a, b in zip(parts, standard, strict=True):
            a[:] = b * units / column
        for m, ground in enumerate(ALBEDOS):
            albedo.midpoint_values[:] = ground
            albedo.edge_values[:] = ground
            for i, angle in enumerate(ANGLES):
                found = tuvx.run(sza=np.deg2rad(float(angle)), earth_sun_distance=1.0)["photolysis_rate_constants"]
                out[:, i, j, :, m] = found.sel(reaction=list(names)).values[:, list(HEIGHTS)]
        print(f"{units:g} DU", flush=True)
    TABLE.parent.mkdir(exist_ok=True)
    with netCDF4.Dataset(TABLE, "w") as f:
        f.title = "Photolysis rates of TUV-x 5.4 (musica, Apache-2.0), mean distance of the sun"
        values = (ANGLES, OZONE, [1000.0 * h for h in HEIGHTS], ALBEDOS)
        for name, nodes, units in zip(AXES, values, UNITS, strict=True):
            f.createDimension(name, len(nodes))
            v = f.createVariable(name, "f8", (name,))
            v.units, v[:] = units, nodes
        f.createDimension("reaction", len(names))
        f.createVariable("reaction", str, ("reaction",))[:] = np.array(names, dtype=object)
        v = f.createVariable("log_photolysis_rate", "u2", ("reaction", *AXES), zlib=True, complevel=9, shuffle=True)
        v.units, v.scale_factor, v.add_offset = "ln s-1", -STEP, 0.0
        v[:] = np.log(np.maximum(out, 1.0e-14))


if __name__ == "__main__":
    main()
