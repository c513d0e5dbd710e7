# SPDX-License-Identifier: BSD-3-Clause
"""RRTMGP on ranks of its own; the science is in ``components/radiation/rrtmgp_scheme.py``."""

from typing import Annotated

from components.radiation.hazy import HazyRadiation
from components.radiation.rrtmgp_scheme import sized_ice
from coupler.component import Context
from coupler.namelist import Range

Seed = Annotated[int, Range(least=0, most=2**62)]
OverlapLength = Annotated[float, Range(least=0.0, most=1.0e6, unit="m")]


class RrtmgpRadiation(HazyRadiation):
    """RRTMGP (Pincus, Mlawer & Delamere 2019) in this project's kernels, on CPU ranks; see README.md."""

    description = "RRTMGP on its own ranks"

    class Options(HazyRadiation.Options):
        """Options of RRTMGP."""

        seed: Seed = 0
        """Of the draw of cloudy layers where clouds fill a part of them; the column and the time go into it, too."""
        overlap_length: OverlapLength = 2000.0
        """Height over which the overlap of clouds falls from maximal to 1/e of that; 0: random."""

    def prepare(self, context: Context) -> None:
        """Read the tables."""
        super().prepare(context)
        self.scheme = sized_ice(self.gases, seed=self.options.seed, overlap_length=self.options.overlap_length)
