# SPDX-License-Identifier: BSD-3-Clause
"""Water of the plant: roots in every layer, stem and leaves that store water, all in the transform of `potential`.

Roots, stem and leaves of a plant share one vulnerability curve, so that uptake by layer and the tension of the root
collar follow without iterations; the storage relaxes to the steady state of its flow with the conductance between here
and there, which is exact for a linear plant, closes the water, and without storage is the steady answer at any step.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from components.land.column.hydraulics import Weibull
from components.land.column.potential import Potential
from components.science.constants import WATER_MOLAR_MASS
from components.science.sums import in_order

WETTEST, DRIEST = -1.0, 20.0  # MPa, beyond which a store is not followed
SMALL = 1e-9  # MPa


class Stores(NamedTuple):
    """Tension of stem and leaves, MPa, one value a column."""

    stem: Tensor
    leaf: Tensor


class Body(NamedTuple):
    """A plant per ground area.

    Attributes
    ----------
    roots : (layer, columns) conductance from soil to collar, mol m-2 s-1 MPa-1
    stem, leaf : (columns,) conductance from collar to stem, and from stem to leaves
    stem_store, leaf_store : (columns,) capacitance, mol m-2 MPa-1
    """

    roots: Tensor
    stem: Tensor
    leaf: Tensor
    stem_store: Tensor
    leaf_store: Tensor


class Vessels(NamedTuple):
    """What a plant type's water needs beside its conductance, one value a column.

    Attributes
    ----------
    stem_store, leaf_store : capacitance per ground area, mol m-2 MPa-1
    potential : of its vulnerability curve
    """

    stem_store: Tensor
    leaf_store: Tensor
    potential: Potential


ROOTS, STEM, LEAF = 2.0, 4.0, 4.0  # conductance of each over that of the whole plant: resistances 1/2, 1/4, 1/4
LEAST_ROOT = 1e-6  # of the roots' conductance, left in dry soil
LEAST_LEAF = 0.01  # m2 m-2 of leaves, for which a plant without them has conduits
STEM_STORE = 2.0  # mol m-2 MPa-1 for a metre of height (ours: .7 kg of water from a tree of 20 m that pulls 1 MPa more)
LEAF_STORE = 1.5  # mol m-2 MPa-1 (ours: three layers of leaves of .5)


def vessels(height: Tensor, curve: Weibull) -> Vessels:
    """Stores of plants by their height.

    Parameters
    ----------
    height : (columns,) m
    curve : vulnerability of the columns
    """
    return Vessels(STEM_STORE * height, LEAF_STORE + torch.zeros_like(height), Potential(curve, height))


def body(v: Vessels, kmax: Tensor, lai: Tensor, roots: Tensor, soil: Tensor) -> tuple[Body, Tensor]:
    """A plant type with its leaves on a soil; roots conduct as little as dry soil lets them.

    Parameters
    ----------
    v : stores
    kmax : of the whole plant per leaf area, mol m-2 s-1 MPa-1
    lai : m2 m-2
    roots : (layer, columns) share
    soil : (layer, columns) tension, MPa

    Returns
    -------
    body : on this soil
    phi : (layer, columns) potential of the soil, MPa
    """
    k = kmax * torch.clamp(lai, min=LEAST_LEAF)
    phi, left = v.potential.both(torch.clamp(soil, max=DRIEST))
    open_share = left * (soil < v.potential.limit) + LEAST_ROOT
    return Body(ROOTS * k * roots * open_share, STEM * k, LEAF * k, v.stem_store, v.leaf_store), phi


class Flow(NamedTuple):
    """What a step moved.

    Attributes
    ----------
    stores : at the end
    uptake : (layer, columns) from the soil, mean over the step, mol m-2 s-1; negative: into dry layers
    """

    stores: Stores
    uptake: Tensor


def soil_potential(body: Body, phi: Tensor) -> tuple[Tensor, Tensor]:
    """Conductance of all roots, and the potential they see.

    Parameters
    ----------
    body : the plant
    phi : (layer, columns) potential of the soil
    """
    total = torch.clamp(in_order(body.roots, 0), min=1e-12)
    return total, in_order(body.roots * phi, 0) / total


class _Store(NamedTuple):
    """A store at the start of a step: tension (MPa), potential there, capacitance (mol m-2 MPa-1)."""

    tension: Tensor
    phi: Tensor
    capacitance: Tensor

    def relax(
        self, at: Potential, conductance: Tensor, below: Tensor, e: Tensor, seconds: float
    ) -> tuple[Tensor, Tensor]:
        """Tension after a step, and mean inflow.

        Parameters
        ----------
        at : of the plant's curve
        conductance : between ``below`` and the store, mol m-2 s-1 MPa-1
        below : potential there, MPa
        e : outflow, mol m-2 s-1
        seconds : length of the step
        """
        steady = torch.clamp(at.tension(below + e / conductance), WETTEST, DRIEST)  # at which inflow is e
        inflow = conductance * (self.phi - below)
        gap = steady - self.tension
        near = torch.abs(gap) < SMALL
        between = (e - inflow) / torch.where(near, torch.ones_like(gap), gap)
        rate = torch.where(near, conductance * at.slope(steady), torch.clamp(between, min=1e-12))
        left = torch.exp(-rate * seconds / torch.clamp(self.capacitance, min=1e-12))
        new = steady - gap * left
        return new, e - self.capacitance * (new - self.tension) / seconds


def step(at: Potential, body: Body, now: Stores, phi: Tensor, e: Tensor, seconds: float, turns: int = 2) -> Flow:
    """Advance the plant's water.

    Parameters
    ----------
    at : of the plant's curve
    body : the plant
    now : stores at the start
    phi : (layer, columns) potential of the soil, MPa
    e : (columns,) transpiration, mol m-2 s-1
    seconds : length of the step
    turns : how often leaves and stem are advanced, each with the other's last answer
    """
    total, ground = soil_potential(body, phi)
    up = 1.0 / (1.0 / total + 1.0 / body.stem)
    stem_phi, leaf_phi = at.of(torch.stack([now.stem, now.leaf]))
    stem = _Store(now.stem, stem_phi, body.stem_store)
    leaf = _Store(now.leaf, leaf_phi, body.leaf_store)
    under = stem.phi
    for turn in range(turns):
        leaves, sap = leaf.relax(at, body.leaf, under, e, seconds)
        trunk, inflow = stem.relax(at, up, ground, sap, seconds)
        if turn + 1 < turns:
            under = at.of(trunk)
    collar = ground + inflow / total
    uptake = body.roots * (collar - phi)
    # What rounding leaves over goes where the roots are.
    uptake = uptake + body.roots * ((inflow - in_order(uptake, 0)) / total)
    return Flow(Stores(trunk, leaves), uptake)


def water(v: Vessels | Body, stores: Stores) -> Tensor:
    """Water beyond what is there at no tension, kg m-2; negative where the plant pulls.

    Parameters
    ----------
    v : capacitances
    stores : tensions
    """
    return -WATER_MOLAR_MASS * (v.stem_store * stores.stem + v.leaf_store * stores.leaf)
