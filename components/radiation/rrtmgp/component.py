# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP on ranks of its own; the science is in ``components/radiation/rrtmgp_scheme.py``."""

from components.radiation.exchange import RadiationComponent
from components.radiation.rrtmgp_scheme import Rrtmgp
from components.radiation.scheme import Air, Radiation
from coupler.component import Context


class RrtmgpRadiation(RadiationComponent):
    """RRTMGP (Pincus, Mlawer & Delamere 2019) in this project's kernels, on CPU ranks; see README.md."""

    description = "RRTMGP on its own ranks"

    def prepare(self, context: Context) -> None:
        """Read the tables."""
        self.scheme = Rrtmgp(self.gases)

    def radiate(self, air: Air) -> Radiation:
        """Radiation of this rank's columns."""
        return self.scheme(air)
