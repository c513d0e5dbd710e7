# SPDX-License-Identifier: BSD-3-Clause
"""Rates of reactions, their derivatives and what they change, for eight cells at once; rows as in `Tables`."""

from components.chemistry.kernels.compiled import compiled
from components.chemistry.kernels.lanes import alike, of, put


@compiled
def rates(t, k, y, rate):
    """Rates of the reactions, mol m-3 s-1: constant times up to three reactants; the row of ones stands for none.

    Parameters
    ----------
    t : Tables
    k : (reactions, 8) constants
    y : (species + 1, 8) mol m-3
    rate : (reactions, 8) result
    """
    none = y.shape[0] - 1
    for r in range(k.shape[0]):
        a, b, c = t.reactant[r, 0], t.reactant[r, 1], t.reactant[r, 2]
        x = of(k, r) * of(y, a) * of(y, b)
        put(rate, r, x if c == none else x * of(y, c))


@compiled
def slopes(t, k, y, slope):
    """Derivatives of rates by one of their reactants: constant times the other reactants.

    Parameters
    ----------
    t : Tables
    k : (reactions, 8) constants
    y : (species + 1, 8) mol m-3
    slope : (partials, 8) result
    """
    none = y.shape[0] - 1
    for m in range(slope.shape[0]):
        a, b = t.partial[m, 1], t.partial[m, 2]
        x = of(k, t.partial[m, 0]) * of(y, a)
        put(slope, m, x if b == none else x * of(y, b))


@compiled
def tendency(t, rate, f):
    """Change of the species, mol m-3 s-1.

    Parameters
    ----------
    t : Tables
    rate : (reactions, 8) mol m-3 s-1
    f : (species, 8) result
    """
    for s in range(f.shape[0]):
        x = alike(f, 0.0)
        for m in range(t.species_start[s], t.species_start[s + 1]):
            x = x + alike(f, t.species_yield[m]) * of(rate, t.species_reaction[m])
        put(f, s, x)
