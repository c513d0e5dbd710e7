"""Spectral nudging: the large scales of the interior follow the driver (von Storch, Langenberg & Feser 2000).

What is passed is the part of (driver - model) with wavelengths above a cut; it acts above the boundary layer. Whole
domains, no decomposition: the caller gathers and scatters.
"""

import numpy as np
import numpy.typing as npt

from components.atmosphere.nonhydrostatic.dynamics.lateral import low_pass

Array = npt.NDArray[np.float64]

FROM, FULL = 1500.0, 3000.0  # nothing below, all above these heights over the ground, m


def nudged(difference: Array, above: Array, dy: float, dx: float, wavelength: float, share: float) -> Array:
    """What is added to a field (nz, ny, nx) in one call.

    Parameters
    ----------
    difference : driver minus model on the whole domain
    above : (nz, ny, nx) height above the ground, m
    dy, dx : mean spacing, m
    wavelength : of the cut, m
    share : seconds since the last call / time scale
    """
    weight = np.clip((above - FROM) / (FULL - FROM), 0.0, 1.0)
    return share * weight * low_pass(difference, dy, dx, wavelength)
