# SPDX-License-Identifier: BSD-3-Clause
"""What a satellite sees of the columns: reflectance by band, indices, fluorescence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.column_state import Forcing, Options, State, ground_albedo
from components.land.column.gas_exchange import (
    ABSORBED_YIELD,
    COLD,
    PHYSIOLOGICAL,
    WARM_ENOUGH,
    Leaves,
    leaf_rates,
    split_leaves,
)
from components.land.column.leaf_contents import leaf_traits
from components.land.column.parameters import Parameters
from components.land.column.photosynthesis import (
    CO2_TO_WATER,
    Leaf,
    assimilation_at_conductance,
    jmax_factor,
)
from components.land.column.radiation import Foliage, two_stream
from components.land.column.snow import cover_fraction
from components.land.column.structure import cut
from components.land.spectra.bands import FLUORESCENCE, sampling, values
from components.land.spectra.canopy import Structure, canopy
from components.land.spectra.canopy_fluorescence import Yields
from components.land.spectra.geometry import geometry
from components.land.spectra.leaf import leaf
from components.land.spectra.leaf_angles import oriented_shares
from components.land.spectra.optical_constants import optical_constants
from components.land.spectra.plates import interfaces
from components.land.spectra.sif import LAYERS, Canopies, fluorescence_wavelengths, sif
from components.land.spectra.sky import degrees_from_zenith, sun_and_sky
from components.land.spectra.soil import soil_reflectance
from components.land.spectra.stems import Stems
from components.land.spectra.yields import SUSTAINED, cytochrome_yield, fluorescence_yield

EFFICIENCY = 0.01  # quantum efficiency of the dark-adapted leaf (van der Tol et al. 2014)
LOWEST_SUN = 0.17  # cosine of the sun's zenith angle, 80 degrees, below which nothing is looked at
HOT_SPOT = 0.05  # leaf size over canopy height (Verhoef and Bach 2007)
PHOTOSYSTEM_1 = 0.41  # share of the light that photosystem I absorbs (Johnson and Berry 2021)
EXCITATION_STEP = 10.0  # nm
BLOCK = 512  # canopies at once, so that the arrays stay in the cache


class Scene(NamedTuple):
    """Columns under the satellite, each of shape (column,) unless said.

    Attributes
    ----------
    state : State
        Of the columns.
    forcing : Forcing
        Of the step.
    parameters : Parameters
        Of the columns.
    sun : Tensor
        Cosine of the sun's zenith angle at the overpass.
    """

    state: State
    forcing: Forcing
    parameters: Parameters
    sun: Tensor


def relative_yields(scene: Scene, options: Options, below: Tensor) -> Tensor:
    """Yield of fluorescence of sunlit and of shaded leaves over that of the dark-adapted leaf, shape (2, column).

    Parameters
    ----------
    scene : Scene
        What is looked at.
    options : Options
        Of the column: its photosynthesis.
    below : Tensor
        Albedo of the ground by band, shape (2, column).
    """
    s, f, p = scene.state, scene.forcing, scene.parameters
    stems = f.sai / torch.clamp(f.lai + f.sai, min=1e-6)
    mixed = (1.0 - stems) * p.reflectance + stems * p.stem_reflectance
    foliage = Foliage(f.lai, f.sai, mixed, (1.0 - stems) * p.transmittance, p.orientation, p.clumping)
    light = two_stream(foliage, scene.sun, f.direct, f.diffuse, below, below)
    leaves = split_leaves(p.traits, light, f.lai, f.sai)
    warmth = s.canopy.expand(2, -1)
    gc = s.conductance / CO2_TO_WATER
    c4 = p.traits.c4 > 0.5
    frost = SUSTAINED * ((WARM_ENOUGH - warmth) / (WARM_ENOUGH - COLD)).clamp(0.0, 1.0)

    def use(kind: str) -> tuple[Leaf, Tensor, Tensor]:
        rates = leaf_rates(kind, p.traits, leaves, warmth)
        net = assimilation_at_conductance(rates, gc, f.co2)[0]
        return rates, (net + rates.respiration).clamp(min=0.0), (f.co2 - net / gc).clamp(min=1.0)

    _, gross4, _ = use("c4")
    by_c4 = fluorescence_yield(gross4 / (0.05 * leaves.par).clamp(min=1e-6), warmth, sustained=frost).relative
    rates, gross, ci = use(options.photosynthesis)
    gamma = rates.compensation
    carboxylation = ((ci - gamma) / (4.0 * ci + 8.0 * gamma)).clamp(min=1e-3)
    if options.photosynthesis == "cytochrome":
        by_c3 = _cytochrome(leaves, p, warmth, gross, carboxylation)
    else:
        driven = carboxylation * ABSORBED_YIELD * leaves.par
        by_c3 = fluorescence_yield(gross / driven.clamp(min=1e-6), warmth, sustained=frost).relative
    return torch.where(c4, by_c4, by_c3)


def _cytochrome(leaves: Leaves, p: Parameters, warmth: Tensor, gross: Tensor, carboxylation: Tensor) -> Tensor:
    """Of photosystem II where cytochrome b6f limits."""
    transport = gross / carboxylation
    most = p.traits.jmax_ratio * leaves.vcmax25 * jmax_factor(warmth.clamp(*PHYSIOLOGICAL))
    photons = ((1.0 - PHOTOSYSTEM_1) * leaves.par).clamp(min=1e-6)
    return cytochrome_yield(1.0 - transport / most.clamp(min=1e-6), transport / photons).relative


class Satellite:
    """A list of bands, and what they need that does not change.

    Parameters
    ----------
    bands : list of str
        Bands, indices and fluorescence.
    options : Options
        Of the column.
    view : tuple of float
        Zenith angle of the view and azimuth between sun and view, degrees.
    efficiency : float
        Quantum efficiency of fluorescence of the dark-adapted leaf.
    dtype : torch.dtype
        Of the computation.
    """

    def __init__(
        self, bands: Sequence[str], options: Options, view: tuple[float, float] = (0.0, 90.0),
        efficiency: float = EFFICIENCY, dtype: torch.dtype = torch.float64,
    ) -> None:  # fmt: skip
        self.bands, self.options, self.view, self.efficiency = tuple(bands), options, view, efficiency
        self.points = sampling(bands)
        self.constants = optical_constants(self.points.wavelength, dtype) if self.points.wavelength.size else None
        self.surface = None if self.constants is None else interfaces(self.constants.refractive_index)
        self.glowing = [name for name in self.bands if name in FLUORESCENCE]
        wanted = [FLUORESCENCE[name] for name in self.glowing]
        self.grid = fluorescence_wavelengths(wanted, EXCITATION_STEP, dtype).trapezoids() if wanted else None

    def look(self, scene: Scene) -> dict[str, Tensor]:
        """Bands of columns.

        Parameters
        ----------
        scene : Scene
            Of the columns under the satellite.

        Returns
        -------
        dict of str to Tensor
            By band, index or fluorescence, each of shape (column,).
        """
        number = scene.sun.shape[0]
        parts = [self._part(_cut(scene, slice(i, i + BLOCK))) for i in range(0, number, BLOCK)]
        return {name: torch.cat([part[name] for part in parts]) for name in self.bands}

    def _part(self, scene: Scene) -> dict[str, Tensor]:
        s, f, p = scene.state, scene.forcing, scene.parameters
        covered = cover_fraction(s.snow)
        below = ground_albedo(s, p, covered)
        wetness = (s.liquid[0] / p.texture.theta_s).clamp(0.0, 1.0) * (1.0 - covered)
        plants = f.lai + f.sai
        stems = Stems(f.sai / plants.clamp(min=1e-6), p.stem_contents)
        lai = (plants * p.clumping).clamp(min=1e-4)
        traits = leaf_traits(p, s.cycles, self.options.nitrogen)
        one = torch.ones_like(lai)
        look = Canopies(
            lai, HOT_SPOT * one, oriented_shares(p.orientation), degrees_from_zenith(scene.sun),
            self.view[0] * one, self.view[1] * one,
        )  # fmt: skip
        directed = geometry(look.shares, look.sun, look.view, look.azimuth)
        found: dict[str, Tensor] = {}
        if self.constants is not None:
            light = stems.among(leaf(traits, self.constants, self.surface), self.constants, self.surface)
            soil = soil_reflectance(below, wetness, self.constants)
            seen = canopy(light.reflectance, light.transmittance, soil, Structure(lai, look.hot_spot), directed)
            sky = (f.diffuse[0] / (f.direct[0] + f.diffuse[0]).clamp(min=1e-9)).unsqueeze(-1)
            found = values(self.bands, (1.0 - sky) * seen.rso + sky * seen.rdo, self.points)
        if self.grid is not None:
            relative = relative_yields(scene, self.options, below)
            layers = torch.ones((1, LAYERS), dtype=lai.dtype, device=lai.device)
            given = Yields(relative[0].unsqueeze(-1) * layers, relative[1].unsqueeze(-1) * layers)
            lit = sun_and_sky(self.grid.excitation, f.direct[0], f.diffuse[0], scene.sun)
            soil = soil_reflectance(below, wetness, self.grid.constants)
            glow = sif(
                traits, self.efficiency * one, look, soil, lit, given, self.grid, stems=stems, directions=directed
            )
            found |= {name: glow.radiance[:, i] for i, name in enumerate(self.glowing)}
        return found


def _cut(scene: Scene, part: slice) -> Scene:
    return Scene(*(cut(value, part) for value in scene))
