# SPDX-License-Identifier: BSD-3-Clause
"""Gray radiation on ranks of its own; the science is in ``components/radiation/gray_scheme.py``."""

from components.radiation.exchange import RadiationComponent
from components.radiation.gray_scheme import gray
from components.radiation.scheme import Air, Radiation


class GrayRadiation(RadiationComponent):
    """Gray absorbers with clouds: the cheap scheme, for tests and first runs."""

    description = "gray radiation on its own ranks"

    def radiate(self, air: Air) -> Radiation:
        """Radiation of this rank's columns."""
        return gray(air, self.gases)
