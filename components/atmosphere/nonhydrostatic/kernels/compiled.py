# SPDX-License-Identifier: BSD-3-Clause
"""Compilation of the dynamics' and the convection's kernels: nothing is reordered.

So the dynamics' have the bits of torch's operations, and a column of convection has its bits in any block.
"""

from pathlib import Path

from components.atmosphere.nonhydrostatic.physics import cloud_top_constants, mass_flux_constants
from components.science import constants, kernels, water
from coupler.compiled import compiler

compiled = compiler(
    Path(__file__).parent,
    Path(str(kernels.__file__)).parent,
    Path(__file__).with_name("layers.py"),
    *(Path(str(m.__file__)) for m in (constants, cloud_top_constants, mass_flux_constants, water)),
)
