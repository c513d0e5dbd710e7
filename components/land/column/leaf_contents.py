# SPDX-License-Identifier: BSD-3-Clause
"""What leaves are made of, for their light: the plant table's contents, or those that the pools of the cycles give."""

from __future__ import annotations

import torch
from torch import Tensor

from components.land.column.cycles import leaf_nitrogen
from components.land.column.cycles.pools import Cycles, Traits
from components.land.column.parameters import Parameters
from components.land.spectra.leaf import LeafTraits, broadband, leaf
from components.land.spectra.optical_constants import optical_constants
from components.land.spectra.sky import solar_shape
from components.land.spectra.stems import Stems

CARBON_OF_DRY = 0.5  # kg C per kg of dry leaf, as in plant_types.yaml
PROTEIN_PER_NITROGEN = 4.43  # of leaves (Yeoh and Wee 1994), with which PROSPECT-PRO is used
GRAMS_PER_CM2 = 0.1  # per kg m-2


def nitrogen_of_leaves(cycles: Cycles, traits: Traits, nutrition: str) -> Tensor:
    """Nitrogen of the leaves, kg m-2: that of the pool, or where none is followed what their carbon should have.

    Parameters
    ----------
    cycles : of the columns
    traits : of the cycles
    nutrition : none, fun or demand
    """
    return cycles.nitrogen.plant.leaf if nutrition != "none" else cycles.carbon.plant.leaf / traits.ratios.leaf


def capacity_of_leaves(cycles: Cycles, traits: Traits, nutrition: str) -> Tensor:
    """Vcmax25 at the top of the canopy by the leaves' nitrogen, umol m-2 s-1.

    Parameters
    ----------
    cycles : of the columns
    traits : of the cycles
    nutrition : none, fun or demand
    """
    t, nitrogen = traits, nitrogen_of_leaves(cycles, traits, nutrition)
    return leaf_nitrogen.vcmax25(cycles.carbon.plant.leaf, nitrogen, t.sla, t.vcmax_slope, t.ratios.leaf)


def leaf_traits(parameters: Parameters, cycles: Cycles | None = None, nutrition: str = "none") -> LeafTraits:
    """Contents of leaves: chlorophyll by the capacity of Rubisco (Croft et al. 2017, eq. 4), carotenoids a fifth of it.

    Carotenoids: Feret et al. (2008), table 2. Without cycles water and dry matter are the table's. With them the
    capacity follows the leaves' nitrogen, their dry matter carbon per leaf area, part of it the protein of that
    nitrogen (PROSPECT-PRO), and their water is in proportion to dry matter as the table has it.

    Parameters
    ----------
    parameters : Parameters
        Of the columns.
    cycles : Cycles, optional
        Their pools.
    nutrition : str
        none, fun or demand: whether leaves have a nitrogen of their own.

    Returns
    -------
    LeafTraits
        Each of shape (column,) or a number.
    """
    structure, water, dry_matter = parameters.leaf_contents
    if cycles is None or parameters.cycles is None:
        chlorophyll = _chlorophyll(parameters.traits.vcmax25)
        return LeafTraits(structure, chlorophyll, 0.2 * chlorophyll, water=water, dry_matter=dry_matter)
    t = parameters.cycles
    chlorophyll = _chlorophyll(capacity_of_leaves(cycles, t, nutrition))
    dry = GRAMS_PER_CM2 / (CARBON_OF_DRY * t.sla)
    content = leaf_nitrogen.relative_content(
        cycles.carbon.plant.leaf, nitrogen_of_leaves(cycles, t, nutrition), t.ratios.leaf
    )
    protein = PROTEIN_PER_NITROGEN * CARBON_OF_DRY * dry * content / t.ratios.leaf
    protein = torch.minimum(protein, dry)
    return LeafTraits(
        structure, chlorophyll, 0.2 * chlorophyll, water=water / dry_matter * dry, dry_matter=0.0, protein=protein,
        other_carbon=dry - protein,
    )  # fmt: skip


def _chlorophyll(vcmax25: Tensor) -> Tensor:
    """Of leaves by their Vcmax25, ug cm-2."""
    return ((vcmax25 - 3.72) / 1.3).clamp(10.0, 80.0)


def with_spectral_optics(parameters: Parameters, cycles: Cycles | None = None, nutrition: str = "none") -> Parameters:
    """Parameters whose leaves and stems have PROSPECT's reflectance, and leaves its transmittance, in both bands.

    Parameters
    ----------
    parameters : of the columns
    cycles : their pools, or None
    nutrition : none, fun or demand
    """
    traits, leaves, stems = leaf_traits(parameters, cycles, nutrition), [], []
    stem = Stems(torch.ones_like(parameters.height), parameters.stem_contents)
    for low, high in ((400.0, 700.0), (700.0, 2500.0)):
        constants = optical_constants(torch.arange(low, high + 1.0, 5.0).numpy(), parameters.height.dtype)
        sun = solar_shape(constants.wavelength)
        leaves.append(broadband(leaf(traits, constants), sun))
        stems.append(broadband(stem.light(constants), sun))
    return parameters._replace(
        reflectance=torch.stack([b.reflectance for b in leaves]),
        transmittance=torch.stack([b.transmittance for b in leaves]),
        stem_reflectance=torch.stack([b.reflectance for b in stems]),
    )


class SpectralOptics:
    """Optics that follow the leaves' pools; worked out anew only when those have changed, which they do once a day.

    Parameters
    ----------
    nutrition : str
        none, fun or demand.
    """

    def __init__(self, nutrition: str) -> None:
        self.nutrition = nutrition
        self.seen: tuple[Tensor, Tensor] | None = None

    def changed(self, parameters: Parameters, cycles: Cycles | None) -> Parameters | None:
        """Parameters with the optics of these leaves; None where they are those of the last call.

        Parameters
        ----------
        parameters : of the columns
        cycles : their pools; without them the optics stay
        """
        if cycles is None:
            return None
        now = cycles.carbon.plant.leaf, cycles.nitrogen.plant.leaf
        if self.seen is not None and all(torch.equal(a, b) for a, b in zip(now, self.seen, strict=True)):
            return None
        self.seen = now
        return with_spectral_optics(parameters, cycles, self.nutrition)
