# SPDX-License-Identifier: BSD-3-Clause
"""A column's run as a CF netCDF file."""

from pathlib import Path

import numpy as np

from components.land.column.parameters import THICKNESS
from components.land.column.single.parameters import Case
from components.land.column.single.run import Course
from components.science.single_column.output import variable, write_course


def write(path: Path, case: Case, course: Course) -> None:
    """Write a run; the file appears once it is whole.

    Parameters
    ----------
    path : netCDF file
    case, course : namelist and run
    """
    middle = np.cumsum(THICKNESS) - 0.5 * np.array(THICKNESS)
    variables = {"depth": variable("depth", ["layer"], middle, "m", True, positive="down")}
    for name, values in course.fields.items():
        dims = ["time", "layer"][: values.ndim]
        more = {"cell_methods": "time: mean" if name in course.means else "time: point"}
        variables[name] = variable(name, dims, values, course.units[name], name == "soil_temperature", **more)
    write_course(path, variables, course.time, case.title, "Tessera, single column of the land", case.source)
