# SPDX-License-Identifier: BSD-3-Clause
"""A day of gases and aerosol: the books of every species close, and sulfur and nitrogen by their atoms.

Carbon Bond lumps carbon (a bond is a species), so that carbon by atoms is not kept by the mechanism itself;
nor is the nitrogen of the ammonia that OH oxidises, whose NH2 it does not follow.
"""

import numpy as np
import pytest

from components.chemistry.regional.aerosol.species import MOLAR_MASS, NAMES
from components.science.constants import DRY_AIR_MOLAR_MASS
from coupler.files.restart import read_part
from tests.system.test_regional_chemistry import BOOKS, NITROGEN, SMALL, areas_of, columns_of, gas_case
from tests.toys.cases import tessera

OF_PARTICLES = ("production", "settling", "dry_deposition", "wet_deposition")
SULFUR = {"SO2": 1, "SULF": 1, "DMS": 1}
INNER = (slice(1, -1),) * 2


@pytest.mark.slow
def test_every_species_and_sulfur_and_nitrogen_close_over_a_day(tmp_path):
    folder = gas_case(tmp_path / "day", duration="P1D", restart="PT12H", aerosol={})
    tessera(folder, "--serial")
    sets = sorted((folder / "run" / "restart").iterdir())
    began, kept = read_part(sets[0], "chemistry"), read_part(sets[-1], "chemistry")
    area = areas_of(SMALL)[INNER]

    def content(state, name):
        return ((state[f"state.{name}"] * state["state.air"]).sum(0)[INNER] * area).sum()

    def booked(name, books):
        return {b: ((kept[f"state.{name}_{b}"] - began[f"state.{name}_{b}"])[INNER] * area).sum() for b in books}

    reacted, worst = {}, 0.0
    for name in columns_of(kept, "chemical_production", INNER):
        books = booked(name, BOOKS)
        reacted[name] = books["chemical_production"]
        scale = max(content(began, name), content(kept, name), *map(abs, books.values()), 1e-30)
        worst = max(worst, abs(content(kept, name) - content(began, name) - sum(books.values())) / scale)
    for name in NAMES:
        books = booked(name, (*OF_PARTICLES, "added_with_air", "through_sides", "surface_flux"))
        if name in ("sulfate", "ammonium", "nitrate"):
            reacted[name] = books["production"] * DRY_AIR_MOLAR_MASS / MOLAR_MASS[name]
        scale = max(content(kept, name), content(began, name), *map(abs, books.values()), 1e-30)
        worst = max(worst, abs(content(kept, name) - content(began, name) - sum(books.values())) / scale)
    print("largest residual of a species:", worst)
    assert worst < 1e-10 and len(reacted) == 66 + 3
    for atoms, ions in ((SULFUR, ("sulfate",)), (NITROGEN, ("nitrate",))):
        parts = [n * reacted[s] for s, n in atoms.items()] + [reacted[ion] for ion in ions]
        print("atoms:", abs(sum(parts)) / sum(map(abs, parts)))
        assert abs(sum(parts)) < 1e-10 * sum(map(abs, parts))
    assert np.isfinite(kept["state.O3"]).all()
