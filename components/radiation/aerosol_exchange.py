# SPDX-License-Identifier: BSD-3-Clause
"""Aerosol as fields between chemistry and radiation: mass fractions in moist air, sizes one after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from components.radiation.aerosol_optics import BandOptics, mie_optics, mie_shortwave
from components.radiation.scheme import Air
from components.science.constants import GRAVITY
from components.science.water import saturation_pressure, vapour_pressure
from coupler.component import Fields
from coupler.fields import FieldSpec

Array = npt.NDArray[Any]
SIZES = {
    "sulfate": 1, "nitrate": 1, "ammonium": 1, "elemental_carbon": 1, "aged_elemental_carbon": 1,
    "particulate_organic_matter": 1, "sea_salt": 2, "dust": 5,
}  # fmt: skip
"""Substances, and the sizes of each: as many times the layers stand in its field, from the ground up."""
PART_OF = {"aged_elemental_carbon": "elemental_carbon"}
"""Substances whose mass another one has in it: what is known of a part. A giver may leave them out."""


def field(substance: str) -> str:
    """CF name of the mass fraction of a substance.

    Parameters
    ----------
    substance : of `SIZES`
    """
    return f"mass_fraction_of_{substance}_dry_aerosol_particles_in_air"


def names(substance: str) -> tuple[str, ...]:
    """Names of its sizes in the tables of optics.

    Parameters
    ----------
    substance : of `SIZES`
    """
    n = SIZES[substance]
    return (substance,) if n == 1 else tuple(f"{substance}_{k + 1}" for k in range(n))


def aerosol_fields(levels: int, required: bool = True) -> tuple[FieldSpec, ...]:
    """Declarations of the aerosol's fields.

    Parameters
    ----------
    levels : of the atmosphere
    required : whether a case without them is a mistake; not of what is `PART_OF` another
    """
    return tuple(
        FieldSpec(field(s), levels=n * levels, required=required and s not in PART_OF) for s, n in SIZES.items()
    )


def aerosol_out(fractions: Mapping[str, Tensor]) -> Fields:
    """The aerosol as exports.

    Parameters
    ----------
    fractions : (nz, y, x) mass fraction in moist air, by the names of all sizes (see `names`)
    """
    out = {}
    for s in SIZES:
        parts = torch.cat([fractions[name] for name in names(s)])
        out[field(s)] = parts.detach().cpu().double().numpy()
    return out


def aerosol_in(fields: Mapping[str, Any]) -> dict[str, Array]:
    """Mass fractions (nz, y, x) by name of imports; less than 0 by rounding is 0, soot of no known age is fresh.

    Parameters
    ----------
    fields : imports by CF name
    """
    out: dict[str, Array] = {}
    for s, n in SIZES.items():
        if s in PART_OF and fields.get(field(s)) is None:
            continue
        parts = np.split(np.maximum(np.asarray(fields[field(s)]), 0.0), n)
        out |= dict(zip(names(s), parts, strict=True))
    return out


def optics_of_bands(fractions: Mapping[str, Array], air: Air, bands: Sequence[int]) -> Array:
    """Optical depth of the aerosol, its scattered part and that times the asymmetry (3, bands, nz, n), in some bands.

    Parameters
    ----------
    fractions, air : see `optics`
    bands : numbers of RRTMGP's shortwave bands
    """
    return mie_shortwave(*_masses(fractions, air), bands)


def optics(fractions: Mapping[str, Array], air: Air) -> BandOptics:
    """Optical properties of the aerosol in the layers of ``air``, as columns one after the other.

    Parameters
    ----------
    fractions : (nz, y, x) mass fractions in moist air by name
    air : columns
    """
    return mie_optics(*_masses(fractions, air))


def _masses(fractions: Mapping[str, Array], air: Air) -> tuple[dict[str, Array], Array]:
    """Mass of the layers (nz, n) by name, kg m-2, and the relative humidity in them."""
    flat = lambda a: a.detach().cpu().double().reshape(a.shape[0], -1)  # noqa: E731
    p, p_i, t, q = (flat(a) for a in (air.p, air.p_interface, air.t, air.q_v))
    weight = ((p_i[:-1] - p_i[1:]) / GRAVITY).numpy()  # kg m-2 of moist air
    specific = torch.clamp(q, min=0.0) / (1.0 + torch.clamp(q, min=0.0))
    humidity = (vapour_pressure(specific, p) / saturation_pressure(t)).numpy()
    mass = {name: weight * np.asarray(a).reshape(weight.shape) for name, a in fractions.items()}
    for part, whole in PART_OF.items():
        if part in mass:
            mass[whole] = np.maximum(mass[whole] - mass[part], 0.0)
    return mass, humidity
