# SPDX-License-Identifier: BSD-3-Clause
"""A mechanism as lists of numbers, which the kernels run through."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.chemistry.regional.gases.mechanism import Mechanism
from components.chemistry.regional.gases.sparse_lu import symbolic

Index = npt.NDArray[np.int32]
Reals = npt.NDArray[Any]
REACTANTS = 3
"""Most reactants, without third bodies, that a reaction may have."""


class Tables(NamedTuple):
    """What reacts with what, and the pattern of the Jacobian's factors.

    Attributes
    ----------
    reactant : (reactions, 3) species; their number (a row of ones) stands for none
    species_start, species_reaction, species_yield : for each species: its terms, their reactions and net yields
    partial : (partials, 3) reaction, and up to two other reactants, of each derivative of a rate by one reactant
    entry_start, entry_partial, entry_factor : for each entry of the matrix: its terms, their derivatives and factors
    order, rows, diagonal, pivots, lower, lower_pivot, target, factor : see `SparseLU`
    row_start : (n + 1,) first entry of each row
    entry_species : (entries,) species of each entry's column
    """

    reactant: Index
    species_start: Index
    species_reaction: Index
    species_yield: Reals
    partial: Index
    entry_start: Index
    entry_partial: Index
    entry_factor: Reals
    order: Index
    rows: Index
    diagonal: Index
    pivots: Index
    lower: Index
    lower_pivot: Index
    target: Index
    factor: Index
    row_start: Index
    entry_species: Index


def _index(a: Any) -> Index:
    return np.array(a, np.int32)


def _starts(lists: Sequence[Sequence[Any]]) -> Index:
    return np.cumsum([0, *(len(a) for a in lists)]).astype(np.int32)


def net_yields(mechanism: Mechanism) -> list[dict[int, float]]:
    """What one event of each reaction adds to each species (by number); nothing of third bodies.

    Parameters
    ----------
    mechanism : species and reactions
    """
    number = {s: n for n, s in enumerate(mechanism.species)}
    out = []
    for r in mechanism.reactions:
        net: dict[int, float] = {}
        for s, y in (*((s, -1.0) for s in r.reactants), *r.products):
            if s in number:
                net[number[s]] = net.get(number[s], 0.0) + y
        out.append({s: y for s, y in net.items() if y != 0.0})
    return out


def reactants(mechanism: Mechanism) -> list[tuple[int, ...]]:
    """Reactants of each reaction by number, without third bodies.

    Parameters
    ----------
    mechanism : species and reactions

    Raises
    ------
    ValueError
        A reaction of more than three.
    """
    number = {s: n for n, s in enumerate(mechanism.species)}
    out = [tuple(number[s] for s in r.reactants if s in number) for r in mechanism.reactions]
    many = [str(r) for r, members in zip(mechanism.reactions, out, strict=True) if len(members) > REACTANTS]
    if many:
        raise ValueError(f"at most {REACTANTS} reactants besides a third body: {'; '.join(many)}")
    return out


def tables(mechanism: Mechanism, real: Any = np.float64) -> Tables:
    """The lists of a mechanism.

    Parameters
    ----------
    mechanism : species and reactions
    real : precision of the yields
    """
    n = len(mechanism.species)
    members, net = reactants(mechanism), net_yields(mechanism)
    of_species: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    partial: list[tuple[int, ...]] = []
    of_entry: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for r, (taking_part, changes) in enumerate(zip(members, net, strict=True)):
        for s, y in changes.items():
            of_species[s].append((r, y))
        for j in dict.fromkeys(taking_part):
            others = list(taking_part)
            others.remove(j)
            partial.append((r, *others, *[n] * (REACTANTS - 1 - len(others))))
            for s, y in changes.items():
                of_entry.setdefault((s, j), []).append((len(partial) - 1, y * taking_part.count(j)))
    pattern = np.zeros((n, n), bool)
    for s, j in of_entry:
        pattern[s, j] = True
    lu = symbolic(pattern)
    terms = [of_entry.get((int(lu.order[i]), int(lu.order[j])), []) for i, j in zip(lu.rows, lu.columns, strict=True)]
    return Tables(
        _index([(*m, *[n] * (REACTANTS - len(m))) for m in members]).reshape(-1, REACTANTS),
        _starts(of_species), _index([r for a in of_species for r, _ in a]),
        np.array([y for a in of_species for _, y in a], real),
        _index(partial).reshape(-1, REACTANTS),
        _starts(terms), _index([m for a in terms for m, _ in a]), np.array([y for a in terms for _, y in a], real),
        lu.order, lu.rows, lu.diagonal, lu.pivots, lu.lower, lu.lower_pivot, lu.target, lu.factor,
        np.searchsorted(lu.rows, np.arange(n + 1)).astype(np.int32), lu.order[lu.columns].astype(np.int32),
    )  # fmt: skip
