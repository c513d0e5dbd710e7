# SPDX-License-Identifier: BSD-3-Clause
"""A gas-phase mechanism: its species and reactions, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

KINDS: dict[str, dict[str, float]] = {
    "ARRHENIUS": {"A": 1.0, "B": 0.0, "C": 0.0, "D": 300.0, "E": 0.0},
    "TROE": {
        "k0_A": 1.0, "k0_B": 0.0, "k0_C": 0.0, "kinf_A": 1.0, "kinf_B": 0.0, "kinf_C": 0.0, "Fc": 0.6, "N": 1.0,
    },
    "TERNARY_CHEMICAL_ACTIVATION": {
        "k0_A": 1.0, "k0_B": 0.0, "k0_C": 0.0, "kinf_A": 1.0, "kinf_B": 0.0, "kinf_C": 0.0, "Fc": 0.6, "N": 1.0,
    },
    "TUNNELING": {"A": 1.0, "B": 0.0, "C": 0.0},
    "BRANCHED_NO_RO2": {"X": 1.0, "Y": 0.0, "a0": 0.5, "n": 1.0},
    "SURFACE": {"reaction probability": 1.0},
    "PHOTOLYSIS": {"scaling factor": 1.0},
    "EMISSION": {"scaling factor": 1.0},
    "FIRST_ORDER_LOSS": {"scaling factor": 1.0},
    "USER_DEFINED": {"scaling factor": 1.0},
}  # fmt: skip
"""Kinds of reactions, and the values of their parameters where a file gives none."""
GIVEN = {
    "PHOTOLYSIS": "PHOTO", "EMISSION": "EMIS", "FIRST_ORDER_LOSS": "LOSS", "USER_DEFINED": "USER", "SURFACE": "SURF",
}  # fmt: skip
"""Kinds whose rate comes from outside, and the word before their name there, as MusicBox writes it."""
PARTICLES = ("effective radius [m]", "particle number concentration [# m-3]")
"""What a reaction on surfaces takes from outside in the place of a rate, after its name and a point."""
NITRATE, DIFFUSIVITY, MOLAR_MASS = "nitrate", "diffusion coefficient [m2 s-1]", "molecular weight [kg mol-1]"
"""Parameters that a reaction has from elsewhere: which of two branches it is; of the gas that meets a surface."""


@dataclass(frozen=True)
class Reaction:
    """One reaction.

    Parameters
    ----------
    kind : one of `KINDS`
    reactants : species, each as often as it takes part
    products : species and yields; a yield may be negative
    parameters : of the rate, by their names in `KINDS`
    name : of a rate that comes from outside, such as ``PHOTO.NO2``; else empty
    """

    kind: str
    reactants: tuple[str, ...]
    products: tuple[tuple[str, float], ...]
    parameters: Mapping[str, float]
    name: str = ""

    @property
    def given(self) -> tuple[str, ...]:
        """Names of what comes from outside: the rate, or the radius and number of the particles that are met."""
        if self.kind == "SURFACE":
            return tuple(f"{self.name}.{what}" for what in PARTICLES)
        return (self.name,) if self.name else ()

    def __str__(self) -> str:
        left = " + ".join(self.reactants) or "source"
        right = " + ".join(s if y == 1.0 else f"{y:g} {s}" for s, y in self.products) or "loss"
        return f"{left} -> {right}"


@dataclass(frozen=True)
class Constant:
    """A species that reactions do not change: ``amount`` + ``share`` x air, mol m-3.

    Parameters
    ----------
    amount : mol m-3
    share : mole fraction of the air
    """

    amount: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class Mechanism:
    """Species and reactions.

    Parameters
    ----------
    name : its own
    species : those that reactions change, in order
    reactions : in order
    third_bodies : species that stand for any molecule of air; they are not changed
    places : where in which file a species is declared, for messages
    constants : species that reactions use and do not change
    """

    name: str
    species: tuple[str, ...]
    reactions: tuple[Reaction, ...]
    third_bodies: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)

    def number(self, species: str) -> int:
        """Place of a species in the arrays.

        Raises
        ------
        KeyError
            No such species.
        """
        if species not in self.species:
            raise KeyError(f"mechanism {self.name} has no species {species!r}; it has: {', '.join(self.species)}")
        return self.species.index(species)

    @property
    def given_rates(self) -> tuple[str, ...]:
        """Names of the rates that come from outside, such as ``PHOTO.NO2``, in order."""
        return tuple(name for r in self.reactions for name in r.given)

    def without_origin(self, started: Sequence[str]) -> list[str]:
        """Species that stay nothing for ever: reactions use them, but nothing makes them and nothing starts them.

        Parameters
        ----------
        started : species with a start, an emission of their own, or something that comes in at the sides

        Returns
        -------
        problems : one sentence each, with file and line where they are known
        """
        there = set(started)
        found = True
        while found:  # a product is there once all its reactants are
            new = {
                s
                for r in self.reactions
                if there.issuperset(set(r.reactants) - {*self.third_bodies, *self.constants})
                for s, y in r.products
                if y > 0.0
            } - there
            there |= new
            found = bool(new)
        used = {s for r in self.reactions for s in r.reactants}
        return [
            f"{self.places.get(s, self.name)}: species {s} takes part in reactions, but no source makes it and it has"
            " no start; give it a start value, an emission or a value at the sides, or take its reactions out"
            for s in self.species
            if s in used and s not in there
        ]


def joined(first: Mechanism, *others: Mechanism) -> Mechanism:
    """Mechanisms as one: species that have the same name are the same.

    Parameters
    ----------
    first, *others : mechanisms; the first gives the name
    """
    everything = (first, *others)
    third = tuple(dict.fromkeys(s for m in everything for s in m.third_bodies))
    constants = {s: c for m in reversed(everything) for s, c in m.constants.items()}
    species = dict.fromkeys(s for m in everything for s in m.species)
    places = {s: place for m in reversed(everything) for s, place in m.places.items()}
    reactions = tuple(r for m in everything for r in m.reactions)
    own = tuple(s for s in species if s not in third and s not in constants)
    return Mechanism(first.name, own, reactions, third, places, constants)
