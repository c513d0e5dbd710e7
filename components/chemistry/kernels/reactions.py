# SPDX-License-Identifier: BSD-3-Clause
"""What reactions change, and its derivatives, for eight cells at once; rows as in `Tables`.

Rates are worked out first, then their terms go through one loop: a loop for each rate has four rounds, and costs more
to begin and to end than the room that the rates take.
"""

from components.chemistry.kernels.compiled import compiled
from components.science.kernels.lanes import alike, of, put


@compiled
def tendency(t, k, y, rates, f):
    """Change of the species, mol m-3 s-1: rates are constants times up to three reactants.

    Parameters
    ----------
    t : Tables
    k : (reactions, 8) constants
    y : (species + 1, 8) mol m-3; the row of ones stands for no reactant
    rates : (reactions or more, 8) room
    f : (species, 8) result
    """
    none, nothing = y.shape[0] - 1, alike(f, 0.0)
    for s in range(f.shape[0]):
        put(f, s, nothing)
    for r in range(k.shape[0]):
        a, b, c = t.reactant[r, 0], t.reactant[r, 1], t.reactant[r, 2]
        x = of(k, r) * of(y, a) * of(y, b)
        put(rates, r, x if c == none else x * of(y, c))
    for m in range(t.term_species.size):
        s = t.term_species[m]
        put(f, s, of(f, s) + alike(f, t.term_yield[m]) * of(rates, t.term_reaction[m]))


@compiled
def assemble(t, k, y, shift, slopes, g):
    """``shift`` I - J, J the derivatives of the species' changes.

    Parameters
    ----------
    t : Tables
    k : (reactions, 8) constants
    y : (species + 1, 8) mol m-3; the row of ones stands for no reactant
    shift : 1 / (h gamma), s-1
    slopes : (partials or more, 8) room
    g : (entries, 8) result
    """
    none, nothing, extra = y.shape[0] - 1, alike(g, 0.0), alike(g, shift)
    for e in range(g.shape[0]):
        put(g, e, nothing)
    for row in range(t.diagonal.size):
        put(g, t.diagonal[row], extra)
    for p in range(t.partial.shape[0]):
        a, b = t.partial[p, 1], t.partial[p, 2]
        x = of(k, t.partial[p, 0]) * of(y, a)
        put(slopes, p, x if b == none else x * of(y, b))
    for m in range(t.term_entry.size):
        e = t.term_entry[m]
        put(g, e, of(g, e) - alike(g, t.term_factor[m]) * of(slopes, t.term_partial[m]))
