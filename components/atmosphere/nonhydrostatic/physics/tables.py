# SPDX-License-Identifier: BSD-3-Clause
"""The schemes of each process by the words they have in a namelist: a new one is a file and a line here.

What a scheme's function takes and gives stands in `interfaces`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.atmosphere.nonhydrostatic.physics import (
    boundary_layer_mynn,
    boundary_layer_ysu,
    convection_betts_miller,
    convection_mass_flux,
    kessler,
    mixed_phase,
    saturation,
    wsm6,
)
from components.atmosphere.nonhydrostatic.physics.droplets import OVER_LAND, OVER_SEA
from components.atmosphere.nonhydrostatic.physics.species import VAPOUR
from components.radiation.gray_scheme import gray
from components.radiation.rrtmg_scheme import Rrtmg
from components.radiation.rrtmgp_scheme import sized_ice
from components.science.schemes import Chosen, Scheme, Table
from components.science.tracers import Species, Tracer
from coupler.namelist import Range

DROPLETS: Any = {
    "options": {"droplets": OVER_LAND.number, "droplets_over_sea": OVER_SEA.number},
    "bounds": dict.fromkeys(("droplets", "droplets_over_sea"), Range(least=1.0e6, most=1.0e10, unit="m-3")),
    "places": ("land",),
}
MICROPHYSICS = Table(
    "microphysics",
    Scheme("none"),
    Scheme("saturation", saturation.step, species=saturation.SPECIES),
    Scheme("kessler", kessler.step, species=kessler.SPECIES),
    Scheme("mixed_phase", mixed_phase.step, species=mixed_phase.SPECIES, **DROPLETS),
    Scheme("wsm6", wsm6.step, species=wsm6.SPECIES, **DROPLETS),
)
BOUNDARY_LAYER = Table(
    "boundary_layer",
    Scheme("none"),
    Scheme("ysu", boundary_layer_ysu.step),
    Scheme("ysu_shallow", boundary_layer_ysu.step_shallow),
    Scheme("mynn", boundary_layer_mynn.step, species=boundary_layer_mynn.SPECIES),
)
CONVECTION = Table(
    "convection",
    Scheme("none"),
    Scheme(
        "betts_miller",
        convection_betts_miller.step,
        options={"tau": 7200.0, "humidity": 0.7},
        bounds={"tau": Range(least=60.0, most=1.0e7, unit="s"), "humidity": Range(least=0.0, most=1.0)},
    ),
    Scheme(
        "mass_flux",
        convection_mass_flux.step,
        options={"turnovers": 2.3},
        bounds={"turnovers": Range(above=0.0, most=100.0)},
    ),
)
RADIATION = Table(
    "radiation",
    Scheme("none"),
    Scheme("gray", gray, needs=("gases",)),
    Scheme("rrtmg", prepare=Rrtmg, needs=("gases",)),
    Scheme(
        "rrtmgp",
        prepare=sized_ice,
        options={"seed": 0, "overlap_length": 2000.0},
        needs=("gases",),
        bounds={"overlap_length": Range(least=0.0, most=1.0e6, unit="m")},
    ),
    Scheme("imported", gray, needs=("gases",)),  # gray at the start, until another component's has come
)


@dataclass(frozen=True)
class Schemes:
    """The schemes of a run."""

    microphysics: Chosen
    boundary_layer: Chosen
    convection: Chosen
    radiation: Chosen

    @classmethod
    def of_options(cls, options: Any) -> "Schemes":
        """Those that the options of the atmosphere name; see `Table.choose`."""
        tables = (MICROPHYSICS, BOUNDARY_LAYER, CONVECTION, RADIATION)
        return cls(*(table.choose(getattr(options, table.process)) for table in tables))

    def species(self, passive: Sequence[Tracer] = ()) -> Species:
        """All tracers: vapour, those that the schemes declare, each once, and ``passive`` ones.

        Raises
        ------
        ValueError
            Two different declarations of a name.
        """
        declared = [t for chosen in vars(self).values() for t in chosen.scheme.species]
        return Species([*dict.fromkeys([VAPOUR, *declared]), *passive])
