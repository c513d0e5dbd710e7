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
    term_reaction, term_species, term_yield : of each term: reaction, the species it changes and net yield
    partial : (partials, 3) reaction, and up to two other reactants, of each derivative of a rate by one reactant
    term_partial, term_entry, term_factor : of each of their terms: derivative, the matrix's entry and factor
    order, rows, diagonal, lower, lower_pivot, update, update_start : see `SparseLU`
    row_start : (n + 1,) first entry of each row
    place : (entries,) row times the number of species plus column, both by species
    forward, backward : (entries of L, or of U, 3) in the order of substitution, column by column: entry, species of
        its row, which changes, and of its column, which is finished
    """

    reactant: Index
    term_reaction: Index
    term_species: Index
    term_yield: Reals
    partial: Index
    term_partial: Index
    term_entry: Index
    term_factor: Reals
    order: Index
    rows: Index
    diagonal: Index
    lower: Index
    lower_pivot: Index
    update: Index
    update_start: Index
    row_start: Index
    place: Index
    forward: Index
    backward: Index


def _index(a: Any) -> Index:
    return np.array(a, np.int32)


def _terms(lists: Sequence[Sequence[tuple[int, float]]], real: Any) -> tuple[Index, Index, Reals]:
    """Which list each pair is of, and both parts of all."""
    of = [k for k, a in enumerate(lists) for _ in a]
    return _index(of), _index([n for a in lists for n, _ in a]), np.array([x for a in lists for _, x in a], real)


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
    partial: list[tuple[int, ...]] = []
    changed: list[list[tuple[int, int, float]]] = []
    pattern = np.zeros((n, n), bool)
    for r, (taking_part, changes) in enumerate(zip(members, net, strict=True)):
        for j in dict.fromkeys(taking_part):
            others = list(taking_part)
            others.remove(j)
            partial.append((r, *others, *[n] * (REACTANTS - 1 - len(others))))
            changed.append([(s, j, y * taking_part.count(j)) for s, y in changes.items()])
            pattern[list(changes), j] = True
    lu = symbolic(pattern)
    entry = {(int(lu.order[i]), int(lu.order[j])): e for (i, j), e in lu.number.items()}
    terms = [[(entry[s, j], y) for s, j, y in a] for a in changed]
    places = list(zip(lu.rows.tolist(), lu.columns.tolist(), range(lu.rows.size), strict=True))
    lower = sorted((c, r, e) for r, c, e in places if c < r)
    upper = sorted((-c, r, e) for r, c, e in places if c > r)
    return Tables(
        _index([(*m, *[n] * (REACTANTS - len(m))) for m in members]).reshape(-1, REACTANTS),
        *_terms([list(changes.items()) for changes in net], real),
        _index(partial).reshape(-1, REACTANTS),
        *_terms(terms, real),
        lu.order, lu.rows, lu.diagonal, lu.lower, lu.lower_pivot, lu.update, lu.update_start,
        np.searchsorted(lu.rows, np.arange(n + 1)).astype(np.int32),
        _index(lu.order[lu.rows].astype(int) * n + lu.order[lu.columns]),
        _index([(e, lu.order[r], lu.order[c]) for c, r, e in lower]).reshape(-1, 3),
        _index([(e, lu.order[r], lu.order[-c]) for c, r, e in upper]).reshape(-1, 3),
    )  # fmt: skip
