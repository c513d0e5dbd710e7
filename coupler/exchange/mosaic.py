# SPDX-License-Identifier: BSD-3-Clause
"""Which tile of the surface mosaic two components meet on.

The wet mask of the case's ocean is authoritative. Inside its domain all that is not wet is land. Outside, a second
ocean (``role: prescribed``, on the atmosphere's own grid) says what is sea. An ocean grid whose cells do not all
belong to its domain (a ring of open edges, seas it leaves out) has a mask ``domain``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from coupler.errors import GridError
from coupler.plan import ComponentPlan, Tile


def oceans_of(components: Iterable[ComponentPlan]) -> tuple[str, str]:
    """Names of the ocean whose wet mask is authoritative, and of the one that prescribes the sea around it.

    An ocean says that it is the second: ``role: prescribed``. Where none of two oceans does, it is the one on the
    atmosphere's grid. Their order does not count.

    Parameters
    ----------
    components : iterable of ComponentPlan
        The case's.

    Returns
    -------
    (str, str)
        Empty where there is none.

    Raises
    ------
    GridError
        Several oceans that may be either.
    """
    oceans = {c.name: c for c in components if c.realm == "ocean"}
    said = [c.name for c in oceans.values() if c.role == "prescribed"]
    if len(oceans) < 2:
        return next(iter(oceans), ""), ""
    air = next((c for c in components if c.realm == "atmosphere"), None)
    if not said and air is not None:
        cells = air.grids["default"].fingerprint
        said = [c.name for c in oceans.values() if c.grids["default"].fingerprint == cells]
    models = [name for name in oceans if name not in said]
    if len(said) != 1 or len(models) != 1:
        raise GridError(
            f"{' and '.join(oceans)} are oceans: say  role: prescribed  in the namelist of the one that is the sea "
            f"outside the domain of the other, and give it the grid of {air.name if air else 'the atmosphere'}"
        )
    return models[0], said[0]


def tile_of(first: ComponentPlan, second: ComponentPlan, components: Mapping[str, ComponentPlan]) -> Tile:
    """The tile on which two components meet.

    Parameters
    ----------
    first, second : the two components
    components : all plans by name

    Raises
    ------
    GridError
        Oceans whose roles are not clear, or a prescribed one that is not on the atmosphere's grid.
    """
    if "atmosphere" not in (first.realm, second.realm):
        return Tile()
    atmosphere, other = (first, second) if first.realm == "atmosphere" else (second, first)
    ocean, prescribed = oceans_of(components.values())
    if not ocean:
        return Tile()
    if prescribed and other.realm in ("land", "ocean"):
        if components[prescribed].grids["default"].fingerprint != atmosphere.grids["default"].fingerprint:
            raise GridError(
                f"{prescribed} prescribes the sea outside the domain of {ocean}: give it the grid of "
                f"{atmosphere.name}, so that every cell knows its share"
            )
    if other.realm == "land" and (prescribed or not np.all(components[ocean].grids["default"].mask)):
        return Tile("land", ocean, prescribed)
    if other.name == prescribed:
        return Tile("outside", ocean, prescribed)
    return Tile()
