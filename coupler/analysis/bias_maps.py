# SPDX-License-Identifier: BSD-3-Clause
"""Maps of what a correction of the driver's bias changes, beside the file that holds it."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

from coupler.analysis.figures import draw_panel, pyplot, saved, shared_scale
from coupler.files.bias.months import name_of
from coupler.files.bias.writing import ENDING

SHOWN = 85000.0
"""Pa, of the level that is drawn."""


def draw_all(case: Path) -> list[Path]:
    """Draw the files of a case; returns them and the figures, each file before its own.

    Parameters
    ----------
    case : folder of the case
    """
    return [path for file in sorted(case.glob(f"*{ENDING}")) for path in (file, draw(file, file.with_suffix(".png")))]


def draw(file: Path, path: Path) -> Path:
    """The change of each variable's mean and its factor of the years, in the month that changes most.

    Parameters
    ----------
    file : made by a correction
    path : PNG to write
    """
    plt = pyplot()
    with netCDF4.Dataset(file) as f:
        names = [n.removesuffix("_mean_change") for n in f.variables if n.endswith("_mean_change")]
        lon, lat = (np.asarray(f[n][:], float) for n in ("longitude", "latitude"))
        if lon.ndim == 1:
            lon, lat = np.meshgrid(lon, lat)
        figure, axes = plt.subplots(2, len(names), figsize=(3.9 * len(names), 8.0), squeeze=False, layout="constrained")
        for column, name in enumerate(names):
            change, factor = (np.asarray(f[f"{name}_{k}"][:], float) for k in ("mean_change", "interannual_factor"))
            where = ""
            if "pressure" in f[f"{name}_mean_change"].dimensions:
                k = int(np.argmin(np.abs(f["pressure"][:] - SHOWN)))
                change, factor, where = change[:, k], factor[:, k], f", {float(f['pressure'][k]) / 100.0:g} hPa"
            month = int(np.argmax(np.nan_to_num(np.abs(change)).reshape(12, -1).mean(axis=1)))
            units = str(f[f"{name}_mean_change"].units)
            for row, (values, label) in enumerate(
                ((change[month], f"change of the mean ({units})"), (factor[month], "factor of the years (1)"))
            ):
                draw_panel(axes[row, column], lon, lat, values, shared_scale(values, about_zero=row == 0), label)
                axes[row, column].set_title(f"{name}{where}, {name_of(month + 1)}", loc="left", fontsize=10)
    return saved(figure, path)
